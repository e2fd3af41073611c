/* What must be there before a start: a broker new enough, topics as the protocol needs them. */
#include "kafka/conf.h"

#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ASK_TIMEOUT_MS 5000
#define ADMIN_TIMEOUT_MS 15000
#define SOURCE_TRIES 10
#define SOURCE_PAUSE_MS 300L

struct prepare {
    const struct sc_kafka_config *cfg;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    char last_error[256]; /* what the client said last: the reason of a login refused */
    rd_kafka_resp_err_t last_code;
    rd_kafka_resp_err_t auth_code; /* a refusal is final; "all brokers down" comes after it */
    char auth_error[256];
};

static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    struct prepare *pr = opaque;
    (void)rk;
    pr->last_code = (rd_kafka_resp_err_t)err;
    snprintf(pr->last_error, sizeof(pr->last_error), "%s", reason);
    if (err == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
        err == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED || err == RD_KAFKA_RESP_ERR__SSL) {
        pr->auth_code = (rd_kafka_resp_err_t)err;
        snprintf(pr->auth_error, sizeof(pr->auth_error), "%s", reason);
    }
}

static void say_auth(const struct prepare *pr)
{
    const struct sc_kafka_settings *s = pr->cfg->settings;
    bool scram = s->sasl.at && s->sasl.mechanism != SC_SASL_PLAIN;
    if (scram && rd_kafka_version() < 0x020601ff)
        sc_logf(SC_LOG_ERROR, "kafka",
                "login refused: librdkafka %s cannot log in by SCRAM to Kafka 4 (it sends the "
                "nonce twice, librdkafka #4895): use PLAIN over TLS, or librdkafka 2.6.1 or later; "
                "if the broker is older, check kafka.sasl.username and its password file",
                rd_kafka_version_str());
    else
        sc_logf(SC_LOG_ERROR, "kafka",
                "login refused: %s: check kafka.sasl.username, the password file and kafka.tls",
                pr->auth_error);
}

/* The first answer of a broker. */
static enum sc_err reach(struct prepare *pr, _Atomic bool *stop)
{
    for (int tries = 0; !*stop; tries++) {
        const struct rd_kafka_metadata *md;
        rd_kafka_resp_err_t e = rd_kafka_metadata(pr->rk, 0, NULL, &md, ASK_TIMEOUT_MS);
        rd_kafka_poll(pr->rk, 0);
        if (e == RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_metadata_destroy(md);
            return SC_ERR_OK;
        }
        if (pr->auth_code)
            return say_auth(pr), SC_ERR_AUTH;
        sc_log(SC_LOG_WARN, "kafka", "no broker answers: waiting for one; check kafka.brokers if "
               "this goes on", "why", pr->last_error[0] ? pr->last_error : rd_kafka_err2str(e),
               NULL);
    }
    return SC_ERR_UNAVAILABLE;
}

/* ---- topics */

static int partitions_of(const struct rd_kafka_metadata *md, const char *name)
{
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, name) == 0 && !md->topics[i].err)
            return md->topics[i].partition_cnt;
    return 0;
}

static enum sc_err create(struct prepare *pr, const struct sc_topic_need *need)
{
    char err[256];
    rd_kafka_NewTopic_t *nt = rd_kafka_NewTopic_new(need->name, need->partitions,
                                                    need->replication, err, sizeof(err));
    if (nt == NULL) {
        sc_log(SC_LOG_ERROR, "kafka", "a topic cannot be made", "topic", need->name, "why", err,
               NULL);
        return SC_ERR_CONFIG;
    }
    for (const char *const *c = need->config; c && c[0]; c += 2)
        rd_kafka_NewTopic_set_config(nt, c[0], c[1]);
    rd_kafka_CreateTopics(pr->rk, &nt, 1, NULL, pr->queue);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(pr->queue, ADMIN_TIMEOUT_MS);
    rd_kafka_NewTopic_destroy(nt);
    rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR__TIMED_OUT;
    const char *why = "no answer in time";
    size_t n = 0;
    const rd_kafka_topic_result_t **rs =
        ev ? rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(ev), &n)
           : NULL;
    if (n) {
        e = rd_kafka_topic_result_error(rs[0]);
        why = rd_kafka_topic_result_error_string(rs[0]);
    }
    bool fine = e == RD_KAFKA_RESP_ERR_NO_ERROR || e == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
    if (fine)
        sc_logf(SC_LOG_INFO, "kafka", "made topic %s (%s), %d partitions", need->name, need->what,
                need->partitions);
    else
        sc_logf(SC_LOG_ERROR, "kafka", "topic %s (%s) is missing and cannot be made: %s",
                need->name, need->what, why ? why : rd_kafka_err2str(e));
    if (ev)
        rd_kafka_event_destroy(ev);
    return fine ? SC_ERR_OK : SC_ERR_CONFIG;
}

static enum sc_err check_count(const struct sc_topic_need *need, int partitions)
{
    if (!need->exact || partitions == need->partitions)
        return SC_ERR_OK;
    sc_logf(SC_LOG_ERROR, "kafka",
            "topic %s (%s) has %d partitions, the settings say %d: a customer's place follows from "
            "that number, so it cannot change; set journal.partitions to %d, or name a new topic",
            need->name, need->what, partitions, need->partitions, partitions);
    return SC_ERR_CONFIG;
}

static const char *config_value(const rd_kafka_ConfigEntry_t **entries, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    return NULL;
}

/* The settings that the protocol rests on, as they are on the broker. */
static enum sc_err check_config(struct prepare *pr, const struct sc_topic_need *need)
{
    if (need->config == NULL)
        return SC_ERR_OK;
    rd_kafka_ConfigResource_t *res =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, need->name);
    rd_kafka_DescribeConfigs(pr->rk, &res, 1, NULL, pr->queue);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(pr->queue, ADMIN_TIMEOUT_MS);
    rd_kafka_ConfigResource_destroy(res);
    enum sc_err e = SC_ERR_OK;
    size_t n = 0, entries = 0;
    const rd_kafka_ConfigResource_t **rs =
        ev ? rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(ev),
                                                       &n)
           : NULL;
    const rd_kafka_ConfigEntry_t **es = n ? rd_kafka_ConfigResource_configs(rs[0], &entries) : NULL;
    for (const char *const *c = need->config; es && c[0]; c += 2) {
        const char *seen = config_value(es, entries, c[0]);
        bool must = strcmp(c[0], "message.timestamp.type") == 0 ||
                    strcmp(c[0], "cleanup.policy") == 0;
        if (!must || seen == NULL || strcmp(seen, c[1]) == 0)
            continue;
        sc_logf(SC_LOG_ERROR, "kafka", "topic %s (%s) has %s=%s: it must be %s; alter the topic, "
                "then start again", need->name, need->what, c[0], seen, c[1]);
        e = SC_ERR_CONFIG;
    }
    if (ev)
        rd_kafka_event_destroy(ev);
    return e;
}

static enum sc_err prepare_topic(struct prepare *pr, const struct rd_kafka_metadata *md,
                                 const struct sc_topic_need *need)
{
    int partitions = partitions_of(md, need->name);
    if (partitions > 0) {
        enum sc_err e = check_count(need, partitions);
        return e == SC_ERR_OK ? check_config(pr, need) : e;
    }
    if (need->create)
        return create(pr, need);
    sc_logf(SC_LOG_ERROR, "kafka", "topic %s (%s) does not exist: create it, or correct its name",
            need->name, need->what);
    return SC_ERR_CONFIG;
}

/* Topics just made are not known to every broker at once: a source that is missing gets a moment. */
static void await_sources(struct prepare *pr, const struct sc_topic_need *needs, uint32_t n)
{
    for (int tries = 0; tries < SOURCE_TRIES; tries++) {
        const struct rd_kafka_metadata *md;
        bool all = true;
        if (rd_kafka_metadata(pr->rk, 1, NULL, &md, ASK_TIMEOUT_MS))
            return;
        for (uint32_t i = 0; i < n; i++)
            all = all && (needs[i].create || partitions_of(md, needs[i].name) > 0);
        rd_kafka_metadata_destroy(md);
        if (all)
            return;
        struct timespec pause = {0, SOURCE_PAUSE_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
}

/* Every topic, so that all faults are said at once. */
static enum sc_err prepare_topics(struct prepare *pr, const struct sc_topic_need *needs, uint32_t n)
{
    const struct rd_kafka_metadata *md;
    enum sc_err all = SC_ERR_OK;
    await_sources(pr, needs, n);
    if (rd_kafka_metadata(pr->rk, 1, NULL, &md, ASK_TIMEOUT_MS))
        return SC_ERR_TIMEOUT;
    for (uint32_t i = 0; i < n; i++) {
        enum sc_err e = prepare_topic(pr, md, &needs[i]);
        all = e == SC_ERR_OK ? all : e;
    }
    rd_kafka_metadata_destroy(md);
    return all;
}

enum sc_err sc_kafka_prepare(const struct sc_kafka_config *cfg, const struct sc_topic_need *needs,
                             uint32_t n, _Atomic bool *stop)
{
    struct prepare pr = {.cfg = cfg};
    static const struct sc_conf_pair pairs[] = {{"client.id", "stagecoach-prepare"}, {NULL, NULL}};
    rd_kafka_conf_t *conf = sc_kafka_conf(cfg, true, pairs);
    if (conf) {
        rd_kafka_conf_set_error_cb(conf, on_error);
        rd_kafka_conf_set_opaque(conf, &pr);
    }
    pr.rk = sc_kafka_handle(true, conf);
    if (pr.rk == NULL)
        return SC_ERR_CONFIG;
    pr.queue = rd_kafka_queue_new(pr.rk);
    enum sc_err e = reach(&pr, stop);
    while (e == SC_ERR_OK || e == SC_ERR_TIMEOUT) {
        e = prepare_topics(&pr, needs, n);
        if (e != SC_ERR_TIMEOUT || *stop)
            break;
    }
    rd_kafka_queue_destroy(pr.queue);
    rd_kafka_destroy(pr.rk);
    return e;
}
