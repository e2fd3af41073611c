/* What must be there before a start: a broker new enough, topics as the protocol needs them. */
#include "kafka/admin.h"

#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>

struct prepare {
    struct sc_kafka_admin ad;
    _Atomic bool *stop;
};

/* The first answer of a broker. */
static enum sc_err reach(struct prepare *pr)
{
    struct sc_buf text = {0};
    const char *why;
    enum sc_err e = SC_ERR_UNAVAILABLE;
    while (e == SC_ERR_UNAVAILABLE && !*pr->stop) {
        e = sc_kafka_admin_reach(&pr->ad, &why);
        if (e == SC_ERR_UNAVAILABLE)
            sc_log(SC_LOG_WARN, "kafka", "no broker answers: waiting for one; check kafka.brokers "
                   "if this goes on", "why", why, NULL);
    }
    if (e == SC_ERR_AUTH) {
        sc_kafka_admin_refusal(&pr->ad, &text);
        sc_logf(SC_LOG_ERROR, "kafka", "%.*s", (int)text.len, text.p);
    }
    sc_buf_fini(&text);
    return e;
}

/* ---- topics */

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
    rd_kafka_queue_t *queue = rd_kafka_queue_new(pr->ad.rk);
    rd_kafka_CreateTopics(pr->ad.rk, &nt, 1, NULL, queue);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(queue, SC_ADMIN_ANSWER_MS);
    rd_kafka_queue_destroy(queue);
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
    /* Another process made it meanwhile, or it is there, and not for this login: judge says so. */
    bool fine = e == RD_KAFKA_RESP_ERR_NO_ERROR || e == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS ||
                sc_kafka_is_hidden(pr->ad.cfg, need->name);
    if (e == RD_KAFKA_RESP_ERR_NO_ERROR)
        sc_logf(SC_LOG_INFO, "kafka", "made topic %s (%s), %d partitions", need->name, need->what,
                need->partitions);
    else if (!fine)
        sc_logf(SC_LOG_ERROR, "kafka", "topic %s (%s) is missing and cannot be made: %s",
                need->name, need->what, why ? why : rd_kafka_err2str(e));
    if (ev)
        rd_kafka_event_destroy(ev);
    return fine ? SC_ERR_OK : SC_ERR_CONFIG;
}

/* Make what is missing; what cannot be made is said at once. */
static enum sc_err make_topics(struct prepare *pr, const struct sc_kafka_needs *needs)
{
    const struct rd_kafka_metadata *md;
    enum sc_err all = SC_ERR_OK;
    if (rd_kafka_metadata(pr->ad.rk, 1, NULL, &md, SC_ADMIN_ASK_MS))
        return SC_ERR_TIMEOUT;
    for (uint32_t i = 0; i < needs->n; i++) {
        const struct sc_topic_need *need = &needs->topics[i];
        bool make = need->create && sc_kafka_topic_of(md, need->name) == NULL;
        enum sc_err e = make ? create(pr, need) : SC_ERR_OK;
        all = e == SC_ERR_OK ? all : e;
    }
    rd_kafka_metadata_destroy(md);
    return all;
}

/* The same findings as of `check --connect`: errors refuse the start, warnings are said. */
static enum sc_err judge(struct prepare *pr, const struct sc_kafka_needs *needs)
{
    struct sc_arena ar;
    struct sc_diag dg;
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
    enum sc_err e = sc_kafka_findings(&pr->ad, needs, &dg);
    for (uint32_t i = 0; i < dg.items.n; i++) {
        const struct sc_finding *f = &dg.items.v[i];
        if (f->severity != SC_NOTE)
            sc_logf(f->severity == SC_ERROR ? SC_LOG_ERROR : SC_LOG_WARN, "kafka", "%.*s%s%.*s",
                    SC_STR_FMT(f->text), f->hint.len ? "; " : "", SC_STR_FMT(f->hint));
    }
    if (e == SC_ERR_OK && dg.errors)
        e = SC_ERR_CONFIG;
    sc_arena_fini(&ar);
    return e;
}

enum sc_err sc_kafka_prepare(const struct sc_kafka_config *cfg, const struct sc_kafka_needs *needs,
                             _Atomic bool *stop)
{
    struct prepare pr = {.stop = stop};
    if (!sc_kafka_admin_open(&pr.ad, cfg))
        return SC_ERR_CONFIG;
    enum sc_err e = reach(&pr);
    while (e == SC_ERR_OK || e == SC_ERR_TIMEOUT) {
        e = make_topics(&pr, needs);
        if (e == SC_ERR_OK)
            e = judge(&pr, needs);
        if (e != SC_ERR_TIMEOUT || *stop)
            break;
        sc_log(SC_LOG_WARN, "kafka", "the brokers stopped answering while topics were looked at: "
               "asking again", "why", pr.ad.last_error, NULL);
    }
    sc_kafka_admin_close(&pr.ad);
    return e;
}
