/* stagecoach.yaml: how it runs. Everything has a default; the smallest file names the brokers.
 *
 * Secrets stand in files of their own, named by `*_file` keys; they are not read here. Paths are as
 * written: sc_files_place (cli/files.h) makes them whole. Loaded once, then read-only. */
#ifndef SC_CONFIG_SETTINGS_H
#define SC_CONFIG_SETTINGS_H

#include "config/bind.h"

/* TLS is used when its key stands in the file; `tls: {}` trusts the system's certificates. */
struct sc_tls_settings {
    bool on;
    struct sc_str ca_file, cert_file, key_file;
    bool verify; /* the server's certificate and name */
    struct sc_node *at;
};

struct sc_sasl_settings {
    int32_t mechanism; /* enum sc_sasl */
    struct sc_str username, password_file;
    struct sc_node *at; /* NULL: no SASL */
};
enum sc_sasl { SC_SASL_PLAIN, SC_SASL_SCRAM_SHA_256, SC_SASL_SCRAM_SHA_512 };

struct sc_property_setting { /* of librdkafka, passed through */
    struct sc_str name, value;
};

struct sc_kafka_settings {
    struct sc_strs brokers;
    struct sc_node *brokers_at;
    struct sc_str group; /* prefix of group ids and transactional ids */
    struct sc_node *properties_at;
    struct sc_property_setting *properties; /* in the order written */
    uint32_t n_properties;
    struct sc_tls_settings tls;
    struct sc_sasl_settings sasl;
};

struct sc_sentinel_settings {
    struct sc_strs addresses;
    struct sc_str master;
    struct sc_node *at; /* NULL: none */
};

struct sc_redis_settings {
    struct sc_str address; /* host:port, or a path of a Unix socket */
    struct sc_sentinel_settings sentinel;
    struct sc_strs cluster; /* addresses to start from; none: not a cluster */
    struct sc_str username, password_file;
    int64_t database;
    struct sc_tls_settings tls;
};

struct sc_registry_settings {
    struct sc_str url; /* empty: none, sources name local schema files */
    struct sc_str username, password_file, ca_file;
    struct sc_str cache_dir;
};

struct sc_worker_settings {
    int64_t resolve, journey;
};

struct sc_flush_settings {
    int64_t interval_ms, dirty_max_bytes, stall_ms;
};

struct sc_journal_settings {
    struct sc_str topic, state_topic;
    int64_t partitions;
    int64_t replication; /* -1: the broker's default */
};

/* As enum sc_format of core/taxonomy counts them. */
enum sc_settings_format { SC_SETTINGS_AVRO, SC_SETTINGS_PROTOBUF, SC_SETTINGS_JSON };

struct sc_topic_settings {
    bool on;
    struct sc_str topic;
    int32_t format; /* enum sc_settings_format */
    struct sc_node *at;
};

struct sc_topics_settings {
    struct sc_topic_settings transitions, suppressed, identity, customers, analytics;
    struct sc_str dead_letters;
    bool cloudevents;
    struct sc_node *transitions_at, *suppressed_at, *identity_at, *customers_at,
        *analytics_at; /* as written */
};

struct sc_identity_settings {
    struct sc_str key_file; /* empty: a key everybody knows, for trying out */
    int64_t key_version;    /* 0..15 */
};

struct sc_admin_settings {
    struct sc_str listen; /* host:port; empty: off */
    struct sc_str token_file;
};

struct sc_log_settings {
    int32_t level;  /* enum sc_log_level */
    int32_t format; /* enum sc_log_format */
};

struct sc_limits_settings {
    int64_t cache_bytes;   /* states kept in memory, a journey worker */
    int64_t hints;         /* identity hints kept, a resolve worker */
    int64_t timers;        /* timers fired in one transaction */
};

enum sc_clock_setting { SC_CLOCK_JOURNAL, SC_CLOCK_EVENT };

struct sc_settings {
    struct sc_str journey; /* path */
    struct sc_kafka_settings kafka;
    struct sc_redis_settings redis;
    struct sc_registry_settings registry;
    struct sc_worker_settings workers;
    int64_t commit_interval_ms;
    struct sc_flush_settings flush;
    struct sc_journal_settings journal;
    struct sc_topics_settings topics;
    int32_t clock; /* enum sc_clock_setting */
    struct sc_identity_settings identity;
    struct sc_str instance; /* empty: the host's name */
    struct sc_admin_settings admin;
    struct sc_log_settings log;
    int32_t max_error_rate_bp; /* of 10,000; 10,000: never stops */
    struct sc_limits_settings limits;
    struct sc_node *at;
};

extern const struct sc_table sc_settings_table;

/* Fill `st` from the document; strings live in `ar` and the document. False when there were
 * errors. */
bool sc_settings_load(struct sc_settings *st, const struct sc_node *doc, struct sc_arena *ar,
                      struct sc_diag *dg);

/* Where the file says `section: { key: … }`: the value, else the section, else the file's start. */
struct sc_mark sc_settings_mark(const struct sc_settings *st, const char *section, const char *key);

#endif
