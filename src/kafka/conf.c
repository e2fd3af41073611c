/* See conf.h. */
#include "kafka/conf.h"
#include "kafka/ahead.h"

#include "base/arena.h"
#include "base/log.h"
#include <stdlib.h>

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char err[512];
    if (rd_kafka_conf_set(conf, name, value, err, sizeof(err)) == RD_KAFKA_CONF_OK)
        return true;
    sc_log(SC_LOG_ERROR, "kafka", "a client property is refused", "name", name, "why", err, NULL);
    return false;
}

static bool set_str(rd_kafka_conf_t *conf, const char *name, struct sc_str value)
{
    if (value.len == 0)
        return true;
    char *z = sc_strndup(value.p, value.len);
    bool fine = set(conf, name, z);
    free(z);
    return fine;
}

static bool set_brokers(rd_kafka_conf_t *conf, const struct sc_strs *brokers)
{
    struct sc_buf list = {0};
    for (uint32_t i = 0; i < brokers->n; i++)
        sc_buf_addf(&list, "%s%.*s", i ? "," : "", SC_STR_FMT(brokers->v[i]));
    bool fine = set_str(conf, "bootstrap.servers", sc_buf_view(&list));
    sc_buf_fini(&list);
    return fine;
}

static bool set_security(rd_kafka_conf_t *conf, const struct sc_kafka_config *cfg)
{
    static const char *const mechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
    const struct sc_kafka_settings *s = cfg->settings;
    bool sasl = s->sasl.at != NULL, tls = s->tls.on, fine = true;
    if (sasl || tls)
        fine = set(conf, "security.protocol",
                   sasl ? (tls ? "sasl_ssl" : "sasl_plaintext") : "ssl");
    if (fine && sasl)
        fine = set(conf, "sasl.mechanism", mechanisms[s->sasl.mechanism]) &&
               set_str(conf, "sasl.username", s->sasl.username) &&
               set_str(conf, "sasl.password", cfg->password);
    if (fine && tls)
        fine = set_str(conf, "ssl.ca.location", s->tls.ca_file) &&
               set_str(conf, "ssl.certificate.location", s->tls.cert_file) &&
               set_str(conf, "ssl.key.location", s->tls.key_file) &&
               set(conf, "enable.ssl.certificate.verification", s->tls.verify ? "true" : "false");
    return fine;
}

static bool set_users(rd_kafka_conf_t *conf, const struct sc_kafka_settings *s)
{
    bool fine = true;
    for (uint32_t i = 0; fine && i < s->n_properties; i++) {
        char *name = sc_strndup(s->properties[i].name.p, s->properties[i].name.len);
        char *value = sc_strndup(s->properties[i].value.p, s->properties[i].value.len);
        fine = set(conf, name, value);
        free(name);
        free(value);
    }
    return fine;
}

static void suggest_property(rd_kafka_conf_t *conf, const struct sc_node *key,
                             struct sc_finding *f, struct sc_diag *dg)
{
    size_t n;
    const char **all = rd_kafka_conf_dump(conf, &n); /* names and values in turn */
    struct sc_str *names = SC_NEW_N(dg->ar, struct sc_str, n / 2 + 1);
    for (size_t i = 0; i < n / 2; i++)
        names[i] = sc_str_dup(dg->ar, sc_str_from(all[2 * i]));
    rd_kafka_conf_dump_free(all, n);
    sc_diag_suggest(dg, f, key->text, names, (uint32_t)(n / 2));
}

void sc_kafka_check_properties(const struct sc_kafka_settings *s, struct sc_diag *dg)
{
    char err[512];
    const struct sc_node *map = s->properties_at;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (uint32_t i = 0; map && map->kind == SC_NODE_MAP && i < map->n; i++) {
        const struct sc_node *key = map->pairs[i].key, *value = map->pairs[i].value;
        if (value->kind != SC_NODE_SCALAR || value->faulty)
            continue; /* said already */
        switch (rd_kafka_conf_set(conf, key->text.p, value->text.p, err, sizeof(err))) {
        case RD_KAFKA_CONF_OK:
            break;
        case RD_KAFKA_CONF_UNKNOWN:
            suggest_property(conf, key,
                             sc_diag_add(dg, SC_ERROR, "unknown-property", key->mark,
                                         "librdkafka has no property '%.*s'",
                                         SC_STR_FMT(key->text)), dg);
            break;
        case RD_KAFKA_CONF_INVALID:
            sc_diag_add(dg, SC_ERROR, "bad-property", value->mark, "librdkafka: %s", err);
            break;
        }
    }
    rd_kafka_conf_destroy(conf);
}

static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *buf)
{
    (void)rk;
    /* The client repeats itself while a broker is down; what matters is said by us. */
    sc_log(level <= 3 ? SC_LOG_WARN : SC_LOG_DEBUG, "kafka", buf, "client", fac, NULL);
}

rd_kafka_conf_t *sc_kafka_conf(const struct sc_kafka_config *cfg, bool producer,
                               const struct sc_conf_pair *pairs)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    bool fine = set_brokers(conf, &cfg->settings->brokers) && set_security(conf, cfg) &&
                (producer || sc_ahead_conf(conf));
    for (const struct sc_conf_pair *p = pairs; fine && p->name; p++)
        fine = set(conf, p->name, p->value);
    fine = fine && set_users(conf, cfg->settings);
    if (fine && !producer)
        fine = set(conf, "enable.auto.commit", "false") &&
               set(conf, "enable.auto.offset.store", "false");
    if (fine)
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}

rd_kafka_t *sc_kafka_handle(bool producer, rd_kafka_conf_t *conf)
{
    char err[512];
    if (conf == NULL)
        return NULL;
    rd_kafka_t *rk = rd_kafka_new(producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, err,
                                  sizeof(err));
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        sc_log(SC_LOG_ERROR, "kafka", "the client cannot be made", "why", err, NULL);
    }
    return rk;
}
