/* See admin.h. */
#include "kafka/admin.h"

#include "base/log.h"
#include <stdio.h>

static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    struct sc_kafka_admin *ad = opaque;
    (void)rk;
    snprintf(ad->last_error, sizeof(ad->last_error), "%s", reason);
    if (err == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
        err == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED || err == RD_KAFKA_RESP_ERR__SSL) {
        ad->auth_code = (rd_kafka_resp_err_t)err;
        snprintf(ad->auth_error, sizeof(ad->auth_error), "%s", reason);
    }
}

/* "…:   ApiKey TxnOffsetCommit (28) Versions 0..3": one line an API, a broker at a time. */
static void hear(struct sc_kafka_admin *ad, const char *line)
{
    const char *produce = strstr(line, "ApiKey Produce (0) Versions ");
    const char *offsets = strstr(line, "ApiKey TxnOffsetCommit (28) Versions ");
    int newest;
    if (produce)
        atomic_store(&ad->heard, true);
    if (offsets && sscanf(offsets, "ApiKey TxnOffsetCommit (28) Versions %*d..%d", &newest) == 1) {
        int least = atomic_load(&ad->txn_offsets);
        if (least < 0 || newest < least)
            atomic_store(&ad->txn_offsets, newest);
    }
}

static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *buf)
{
    struct sc_kafka_admin *ad = rd_kafka_opaque(rk);
    if (level >= 7 && ad)
        hear(ad, buf);
    else
        sc_log(level <= 3 ? SC_LOG_WARN : SC_LOG_DEBUG, "kafka", buf, "client", fac, NULL);
}

bool sc_kafka_admin_open(struct sc_kafka_admin *ad, const struct sc_kafka_config *cfg)
{
    static const struct sc_conf_pair pairs[] = {{"client.id", "stagecoach-admin"}, {NULL, NULL}};
    *ad = (struct sc_kafka_admin){.cfg = cfg, .txn_offsets = -1};
    rd_kafka_conf_t *conf = sc_kafka_conf(cfg, true, pairs);
    if (conf) {
        rd_kafka_conf_set(conf, "debug", "feature", NULL, 0);
        rd_kafka_conf_set_log_cb(conf, on_log);
        rd_kafka_conf_set_error_cb(conf, on_error);
        rd_kafka_conf_set_opaque(conf, ad);
    }
    ad->rk = sc_kafka_handle(true, conf);
    return ad->rk != NULL;
}

void sc_kafka_admin_close(struct sc_kafka_admin *ad)
{
    if (ad->rk == NULL)
        return;
    rd_kafka_destroy(ad->rk);
    ad->rk = NULL;
}

enum sc_err sc_kafka_admin_reach(struct sc_kafka_admin *ad, const char **why)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_resp_err_t e = rd_kafka_metadata(ad->rk, 0, NULL, &md, SC_ADMIN_ASK_MS);
    rd_kafka_poll(ad->rk, 0);
    if (e == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(md);
        return SC_ERR_OK;
    }
    *why = ad->last_error[0] ? ad->last_error : rd_kafka_err2str(e);
    return ad->auth_code ? SC_ERR_AUTH : SC_ERR_UNAVAILABLE;
}

void sc_kafka_admin_refusal(const struct sc_kafka_admin *ad, struct sc_buf *out)
{
    const struct sc_kafka_settings *s = ad->cfg->settings;
    bool scram = s->sasl.at && s->sasl.mechanism != SC_SASL_PLAIN;
    if (scram && rd_kafka_version() < 0x020601ff)
        sc_buf_addf(out, "login refused: librdkafka %s cannot log in by SCRAM to Kafka 4 (it sends "
                    "the nonce twice, librdkafka #4895): use PLAIN over TLS, or librdkafka 2.6.1 "
                    "or later; if the broker is older, check kafka.sasl.username and its password "
                    "file", rd_kafka_version_str());
    else
        sc_buf_addf(out, "login refused: %s: check kafka.sasl.username, the password file and "
                    "kafka.tls", ad->auth_error);
}

void sc_kafka_admin_settings(struct sc_kafka_admin *ad, rd_kafka_ResourceType_t type,
                             const char *name, struct sc_kafka_settings_of *out)
{
    rd_kafka_ConfigResource_t *res = rd_kafka_ConfigResource_new(type, name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(ad->rk); /* of its own: a late answer is nobody's */
    rd_kafka_DescribeConfigs(ad->rk, &res, 1, NULL, queue);
    rd_kafka_ConfigResource_destroy(res);
    *out = (struct sc_kafka_settings_of){.ev = rd_kafka_queue_poll(queue, SC_ADMIN_ANSWER_MS)};
    rd_kafka_queue_destroy(queue);
    size_t n = 0;
    const rd_kafka_ConfigResource_t **rs =
        out->ev ? rd_kafka_DescribeConfigs_result_resources(
                      rd_kafka_event_DescribeConfigs_result(out->ev), &n)
                : NULL;
    const char *why = out->ev == NULL ? "no answer in time" : rd_kafka_event_error_string(out->ev);
    if (n && rd_kafka_ConfigResource_error(rs[0]) == RD_KAFKA_RESP_ERR_NO_ERROR)
        out->entries = rd_kafka_ConfigResource_configs(rs[0], &out->n);
    else if (n)
        why = rd_kafka_ConfigResource_error_string(rs[0]);
    if (out->n == 0)
        snprintf(out->why, sizeof(out->why), "%s", why ? why : "nothing was said");
}

const char *sc_kafka_setting(const struct sc_kafka_settings_of *of, const char *name)
{
    for (size_t i = 0; i < of->n; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(of->entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(of->entries[i]);
    return NULL;
}
