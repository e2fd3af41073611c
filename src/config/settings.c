/* stagecoach.yaml by its tables, and what tables cannot say: topics that may be `off`, properties
 * that would break the protocol, credentials that need each other. */
#include "config/settings.h"
#include "base/assert.h"
#include "base/time.h"

#define AT(type, member) offsetof(struct type, member)
#define TEXT_OBJECT                                                                                \
    "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"]}}"
#define TOPIC_SCHEMA                                                                               \
    "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"additionalProperties\":false,"       \
    "\"properties\":{\"topic\":{\"type\":\"string\"},"                                             \
    "\"format\":{\"enum\":[\"avro\",\"protobuf\",\"json\"]}}}]}"
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)

static const char *const mechanism_names[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", NULL};
static const char *const format_names[] = {"avro", "protobuf", "json", NULL};
static const char *const clock_names[] = {"journal", "event", NULL};
static const char *const level_names[] = {"debug", "info", "warn", "error", NULL};
static const char *const log_format_names[] = {"logfmt", "json", NULL};

static const struct sc_field tls_fields[] = {
    {.key = "ca_file", .kind = SC_F_STR, .offset = AT(sc_tls_settings, ca_file),
     .doc = "Certificates to trust (PEM). The system's unless set."},
    {.key = "cert_file", .kind = SC_F_STR, .offset = AT(sc_tls_settings, cert_file),
     .doc = "Own certificate (PEM), with `key_file`."},
    {.key = "key_file", .kind = SC_F_STR, .offset = AT(sc_tls_settings, key_file),
     .doc = "Key of the own certificate (PEM)."},
    {.key = "verify", .kind = SC_F_BOOL, .offset = AT(sc_tls_settings, verify), .def = "true",
     .doc = "Check the server's certificate and name."},
    {0}};
static const struct sc_table tls_table = {
    .name = "tls", .doc = "TLS is used when this key is there; `tls: {}` is enough.",
    .size = sizeof(struct sc_tls_settings), .fields = tls_fields, .key_field = SIZE_MAX,
    .self_node = AT(sc_tls_settings, at)};

static const struct sc_field sasl_fields[] = {
    {.key = "mechanism", .kind = SC_F_ENUM, .offset = AT(sc_sasl_settings, mechanism),
     .names = mechanism_names, .def = "SCRAM-SHA-512", .doc = "How to log in."},
    {.key = "username", .kind = SC_F_STR, .offset = AT(sc_sasl_settings, username),
     .required = true, .doc = "User."},
    {.key = "password_file", .kind = SC_F_STR, .offset = AT(sc_sasl_settings, password_file),
     .required = true, .doc = "File with the password alone."},
    {0}};
static const struct sc_table sasl_table = {
    .name = "sasl", .doc = "Login at the brokers.", .size = sizeof(struct sc_sasl_settings),
    .fields = sasl_fields, .key_field = SIZE_MAX, .self_node = AT(sc_sasl_settings, at)};

static const struct sc_field kafka_fields[] = {
    {.key = "brokers", .kind = SC_F_STRS, .offset = AT(sc_kafka_settings, brokers),
     .node_offset = AT(sc_kafka_settings, brokers_at), .required = true,
     .doc = "Where to start from: `host:port` (9092 unless said), one or a list."},
    {.key = "group", .kind = SC_F_STR, .offset = AT(sc_kafka_settings, group), .def = "stagecoach",
     .doc = "Prefix of consumer group ids (`<group>-resolve`, `<group>-journey`) and "
            "transactional ids. Two deployments on one cluster need two."},
    {.key = "tls", .kind = SC_F_STRUCT, .offset = AT(sc_kafka_settings, tls), .table = &tls_table,
     .doc = "TLS to the brokers."},
    {.key = "sasl", .kind = SC_F_STRUCT, .offset = AT(sc_kafka_settings, sasl),
     .table = &sasl_table, .doc = "Login."},
    {.key = "properties", .kind = SC_F_NODE, .offset = AT(sc_kafka_settings, properties_at),
     .schema = TEXT_OBJECT,
     .doc = "Any property of librdkafka, for all clients, but for those that the protocol needs "
            "as it sets them: they are refused by name."},
    {0}};
static const struct sc_table kafka_table = {
    .name = "kafka", .doc = "The cluster.", .size = sizeof(struct sc_kafka_settings),
    .fields = kafka_fields, .key_field = SIZE_MAX, .self_node = SIZE_MAX};

static const struct sc_field sentinel_fields[] = {
    {.key = "addresses", .kind = SC_F_STRS, .offset = AT(sc_sentinel_settings, addresses),
     .required = true, .doc = "The sentinels, `host:port`."},
    {.key = "master", .kind = SC_F_STR, .offset = AT(sc_sentinel_settings, master),
     .required = true, .doc = "Name of the master they watch."},
    {0}};
static const struct sc_table sentinel_table = {
    .name = "sentinel", .doc = "Redis by Sentinel, instead of `address`.",
    .size = sizeof(struct sc_sentinel_settings), .fields = sentinel_fields, .key_field = SIZE_MAX,
    .self_node = AT(sc_sentinel_settings, at)};

static const struct sc_field redis_fields[] = {
    {.key = "address", .kind = SC_F_STR, .offset = AT(sc_redis_settings, address),
     .def = "127.0.0.1:6379", .doc = "`host:port` (6379 unless said), or the path of a Unix socket."},
    {.key = "sentinel", .kind = SC_F_STRUCT, .offset = AT(sc_redis_settings, sentinel),
     .table = &sentinel_table, .doc = "Find the master by Sentinel."},
    {.key = "cluster", .kind = SC_F_STRS, .offset = AT(sc_redis_settings, cluster),
     .doc = "Nodes of a Redis Cluster to start from, instead of `address`. Not built yet: refused."},
    {.key = "username", .kind = SC_F_STR, .offset = AT(sc_redis_settings, username),
     .doc = "ACL user. `default` unless set."},
    {.key = "password_file", .kind = SC_F_STR, .offset = AT(sc_redis_settings, password_file),
     .doc = "File with the password alone."},
    {.key = "database", .kind = SC_F_INT, .offset = AT(sc_redis_settings, database), .min = 0,
     .max = 1023, .def = "0", .doc = "Database number; a cluster has 0 alone."},
    {.key = "tls", .kind = SC_F_STRUCT, .offset = AT(sc_redis_settings, tls), .table = &tls_table,
     .doc = "TLS to Redis."},
    {0}};
static const struct sc_table redis_table = {
    .name = "redis", .doc = "The view of customers' states. It must not evict (`noeviction`).",
    .size = sizeof(struct sc_redis_settings), .fields = redis_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

static const struct sc_field registry_fields[] = {
    {.key = "url", .kind = SC_F_STR, .offset = AT(sc_registry_settings, url),
     .doc = "Base address, `http://127.0.0.1:8081`. Left out: sources name local schema files."},
    {.key = "username", .kind = SC_F_STR, .offset = AT(sc_registry_settings, username),
     .doc = "User of HTTP basic login."},
    {.key = "password_file", .kind = SC_F_STR, .offset = AT(sc_registry_settings, password_file),
     .doc = "File with the password alone."},
    {.key = "ca_file", .kind = SC_F_STR, .offset = AT(sc_registry_settings, ca_file),
     .doc = "Certificates to trust (PEM). The system's unless set."},
    {.key = "cache_dir", .kind = SC_F_STR, .offset = AT(sc_registry_settings, cache_dir),
     .def = ".stagecoach/schemas",
     .doc = "Schemas fetched once are kept here: a start needs no registry for them."},
    {0}};
static const struct sc_table registry_table = {
    .name = "registry", .doc = "The schema registry (Confluent's interface).",
    .size = sizeof(struct sc_registry_settings), .fields = registry_fields,
    .key_field = SIZE_MAX, .self_node = SIZE_MAX};

static const struct sc_field worker_fields[] = {
    {.key = "resolve", .kind = SC_F_INT, .offset = AT(sc_worker_settings, resolve), .min = 0,
     .max = 64, .def = "1", .doc = "Threads that read the sources. 0: none in this process."},
    {.key = "journey", .kind = SC_F_INT, .offset = AT(sc_worker_settings, journey), .min = 0,
     .max = 64, .def = "1", .doc = "Threads that own customers. 0: none in this process."},
    {0}};
static const struct sc_table worker_table = {
    .name = "workers", .doc = "Threads by role, each with its own clients.",
    .size = sizeof(struct sc_worker_settings), .fields = worker_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

static const struct sc_field flush_fields[] = {
    {.key = "interval", .kind = SC_F_DURATION, .offset = AT(sc_flush_settings, interval_ms),
     .min = 10, .max = SC_MINUTE_MS, .def = "1s", .doc = "Redis is at most so far behind."},
    {.key = "dirty_max", .kind = SC_F_BYTES, .offset = AT(sc_flush_settings, dirty_max_bytes),
     .min = MIB, .max = 64 * GIB, .def = "256MiB",
     .doc = "States that wait for Redis, a worker; over it the worker stops polling."},
    {.key = "stall", .kind = SC_F_DURATION, .offset = AT(sc_flush_settings, stall_ms),
     .min = SC_SECOND_MS, .max = SC_HOUR_MS, .def = "120s",
     .doc = "With Redis away for longer the worker stops polling."},
    {0}};
static const struct sc_table flush_table = {
    .name = "flush", .doc = "Writing states to Redis, after the commit.",
    .size = sizeof(struct sc_flush_settings), .fields = flush_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

static const struct sc_field journal_fields[] = {
    {.key = "topic", .kind = SC_F_STR, .offset = AT(sc_journal_settings, topic),
     .def = "stagecoach.journal", .doc = "Topic of everything that happens to customers."},
    {.key = "state_topic", .kind = SC_F_STR, .offset = AT(sc_journal_settings, state_topic),
     .def = "stagecoach.state", .doc = "Topic of states, the write-ahead log."},
    {.key = "partitions", .kind = SC_F_INT, .offset = AT(sc_journal_settings, partitions), .min = 1,
     .max = 4096, .def = "24",
     .doc = "Of both topics. Fixed for ever by the first start: customers are placed by it."},
    {.key = "replication", .kind = SC_F_INT, .offset = AT(sc_journal_settings, replication),
     .min = -1, .max = 9, .def = "-1",
     .doc = "Replicas of topics this program creates; -1: the broker's default."},
    {0}};
static const struct sc_table journal_table = {
    .name = "journal", .doc = "The log that is the truth.",
    .size = sizeof(struct sc_journal_settings), .fields = journal_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

#define TOPIC_DOC(what)                                                                            \
    what " A topic's name, `{ topic: …, format: avro|protobuf|json }`, or `off`."
static const struct sc_field topics_fields[] = {
    {.key = "transitions", .kind = SC_F_NODE, .offset = AT(sc_topics_settings, transitions_at),
     .schema = TOPIC_SCHEMA,
     .doc = TOPIC_DOC("Stage changes and milestones; `transitions` unless set.")},
    {.key = "suppressed", .kind = SC_F_NODE, .offset = AT(sc_topics_settings, suppressed_at),
     .schema = TOPIC_SCHEMA,
     .doc = TOPIC_DOC("Messages not sent, deferred or cancelled; `suppressed` unless set.")},
    {.key = "identity", .kind = SC_F_NODE, .offset = AT(sc_topics_settings, identity_at),
     .schema = TOPIC_SCHEMA,
     .doc = TOPIC_DOC("Merges, splits, violations, erasures; `stagecoach.identity` unless set.")},
    {.key = "customers", .kind = SC_F_NODE, .offset = AT(sc_topics_settings, customers_at),
     .schema = TOPIC_SCHEMA,
     .doc = TOPIC_DOC("Each touched customer's last state, compacted; off unless named.")},
    {.key = "analytics", .kind = SC_F_NODE, .offset = AT(sc_topics_settings, analytics_at),
     .schema = TOPIC_SCHEMA,
     .doc = TOPIC_DOC("What is measured (docs/analytics.md), as cells to be added up; off unless "
                      "named.")},
    {.key = "dead_letters", .kind = SC_F_STR, .offset = AT(sc_topics_settings, dead_letters),
     .def = "stagecoach.dead-letters",
     .doc = "Records that could not be read, unchanged, with the reason in headers. Never off."},
    {.key = "cloudevents", .kind = SC_F_BOOL, .offset = AT(sc_topics_settings, cloudevents),
     .def = "true",
     .doc = "CloudEvents headers on results (docs/formats.md). `false`: `traceparent` alone, for "
            "readers that look at values only; a message takes 260 bytes less, and less CPU."},
    {0}};
static const struct sc_table topics_table = {
    .name = "topics",
    .doc = "Where results go. Triggers go to their channel's topic (journey.yaml). Each topic here, "
           "the journal's two and those of sources and channels must differ; channels may share one.",
    .size = sizeof(struct sc_topics_settings), .fields = topics_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

static const struct sc_field topic_fields[] = {
    {.key = "topic", .kind = SC_F_STR, .offset = AT(sc_topic_settings, topic)},
    {.key = "format", .kind = SC_F_ENUM, .offset = AT(sc_topic_settings, format),
     .names = format_names, .def = "json"},
    {0}};
static const struct sc_table topic_table = {
    .name = "topic", .size = sizeof(struct sc_topic_settings), .fields = topic_fields,
    .key_field = SIZE_MAX, .self_node = AT(sc_topic_settings, at)};

static const struct sc_field identity_fields[] = {
    {.key = "key_file", .kind = SC_F_STR, .offset = AT(sc_identity_settings, key_file),
     .doc = "File with the secret that makes pseudonyms of identifiers. Without one a built-in key "
            "is used that everybody knows: for trying out."},
    {.key = "key_version", .kind = SC_F_INT, .offset = AT(sc_identity_settings, key_version),
     .min = 0, .max = 15, .def = "0", .doc = "Version of that secret, raised by a rotation."},
    {0}};
static const struct sc_table identity_table = {
    .name = "identity", .doc = "Pseudonyms.", .size = sizeof(struct sc_identity_settings),
    .fields = identity_fields, .key_field = SIZE_MAX, .self_node = SIZE_MAX};

static const struct sc_field admin_fields[] = {
    {.key = "listen", .kind = SC_F_STR, .offset = AT(sc_admin_settings, listen),
     .def = "127.0.0.1:9480", .doc = "`host:port` of health, readiness and metrics; `\"\"`: off."},
    {.key = "token_file", .kind = SC_F_STR, .offset = AT(sc_admin_settings, token_file),
     .doc = "File with the bearer token that requests must carry. Needed when `listen` is not on "
            "the loopback."},
    {0}};
static const struct sc_table admin_table = {
    .name = "admin", .doc = "The admin listener.", .size = sizeof(struct sc_admin_settings),
    .fields = admin_fields, .key_field = SIZE_MAX, .self_node = SIZE_MAX};

static const struct sc_field log_fields[] = {
    {.key = "level", .kind = SC_F_ENUM, .offset = AT(sc_log_settings, level), .names = level_names,
     .def = "info", .doc = "Least level that is written."},
    {.key = "format", .kind = SC_F_ENUM, .offset = AT(sc_log_settings, format),
     .names = log_format_names, .def = "logfmt", .doc = "One line a message, to stderr."},
    {0}};
static const struct sc_table log_table = {
    .name = "log", .doc = "Logs; they carry no personal data.",
    .size = sizeof(struct sc_log_settings), .fields = log_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

static const struct sc_field limits_fields[] = {
    {.key = "cache", .kind = SC_F_BYTES, .offset = AT(sc_limits_settings, cache_bytes),
     .min = MIB, .max = 256 * GIB, .def = "256MiB",
     .doc = "Customers' states kept in memory, a journey worker."},
    {.key = "hints", .kind = SC_F_INT, .offset = AT(sc_limits_settings, hints), .min = 1024,
     .max = INT64_C(1) << 30, .def = "1000000",
     .doc = "Identity hints kept in memory, a resolve worker."},
    {.key = "timers", .kind = SC_F_INT, .offset = AT(sc_limits_settings, timers), .min = 1,
     .max = 100000, .def = "2000", .doc = "Timers fired in one transaction at most."},
    {0}};
static const struct sc_table limits_table = {
    .name = "limits", .doc = "Memory and work, a worker.",
    .size = sizeof(struct sc_limits_settings), .fields = limits_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

static const struct sc_field settings_fields[] = {
    {.key = "kafka", .kind = SC_F_STRUCT, .offset = AT(sc_settings, kafka), .table = &kafka_table,
     .required = true, .doc = "The cluster."},
    {.key = "journey", .kind = SC_F_STR, .offset = AT(sc_settings, journey),
     .def = "journey.yaml", .doc = "The journey's file, relative to this one."},
    {.key = "redis", .kind = SC_F_STRUCT, .offset = AT(sc_settings, redis), .table = &redis_table,
     .doc = "The view of states."},
    {.key = "registry", .kind = SC_F_STRUCT, .offset = AT(sc_settings, registry),
     .table = &registry_table, .doc = "The schema registry."},
    {.key = "workers", .kind = SC_F_STRUCT, .offset = AT(sc_settings, workers),
     .table = &worker_table, .doc = "Threads by role."},
    {.key = "commit_interval", .kind = SC_F_DURATION, .offset = AT(sc_settings, commit_interval_ms),
     .min = 5, .max = 10 * SC_SECOND_MS, .def = "100ms",
     .doc = "At most one transaction a worker so often: latency against cost. 20ms for low latency."},
    {.key = "flush", .kind = SC_F_STRUCT, .offset = AT(sc_settings, flush), .table = &flush_table,
     .doc = "Writing states to Redis."},
    {.key = "journal", .kind = SC_F_STRUCT, .offset = AT(sc_settings, journal),
     .table = &journal_table, .doc = "The log that is the truth."},
    {.key = "topics", .kind = SC_F_STRUCT, .offset = AT(sc_settings, topics),
     .table = &topics_table, .doc = "Where results go."},
    {.key = "clock", .kind = SC_F_ENUM, .offset = AT(sc_settings, clock), .names = clock_names,
     .def = "journal",
     .doc = "What caps, quiet hours and expiry go by: the time a record reached the journal "
            "(live), or the events' own time (replays)."},
    {.key = "identity", .kind = SC_F_STRUCT, .offset = AT(sc_settings, identity),
     .table = &identity_table, .doc = "Pseudonyms."},
    {.key = "instance", .kind = SC_F_STR, .offset = AT(sc_settings, instance),
     .doc = "Name of this process, unique and stable over restarts (a StatefulSet's pod name). "
            "The host's name unless set."},
    {.key = "admin", .kind = SC_F_STRUCT, .offset = AT(sc_settings, admin), .table = &admin_table,
     .doc = "Health and metrics."},
    {.key = "log", .kind = SC_F_STRUCT, .offset = AT(sc_settings, log), .table = &log_table,
     .doc = "Logs."},
    {.key = "max_error_rate", .kind = SC_F_PERCENT, .offset = AT(sc_settings, max_error_rate_bp),
     .def = "10%",
     .doc = "More dead letters than this share of a minute's records (from 100 on) stop the "
            "process. `100%`: never."},
    {.key = "limits", .kind = SC_F_STRUCT, .offset = AT(sc_settings, limits),
     .table = &limits_table, .doc = "Memory and work."},
    {0}};
const struct sc_table sc_settings_table = {
    .name = "settings", .doc = "How Stagecoach runs.", .size = sizeof(struct sc_settings),
    .fields = settings_fields, .key_field = SIZE_MAX, .self_node = AT(sc_settings, at)};

/* ---- topics */

static struct sc_topic_settings topic_load(struct sc_node *n, const char *name, struct sc_arena *ar,
                                           struct sc_diag *dg)
{
    struct sc_topic_settings out = {.on = name != NULL, .topic = sc_str_from(name),
                                    .format = SC_SETTINGS_JSON, .at = n};
    if (n == NULL || n->kind == SC_NODE_NULL || n->faulty)
        return out;
    if (n->kind == SC_NODE_SCALAR && sc_str_eqz(n->text, "off")) {
        out.on = false;
        return out;
    }
    out.on = true;
    if (n->kind == SC_NODE_SCALAR) {
        out.topic = n->text;
    } else {
        sc_bind(&topic_table, n, &out, ar, dg);
        out.on = true;
        if (out.topic.len == 0 && name == NULL && n->kind == SC_NODE_MAP)
            sc_diag_add(dg, SC_ERROR, "missing-key", n->mark,
                        "missing key 'topic': this topic has no name of its own");
        if (out.topic.len == 0)
            out.topic = sc_str_from(name);
    }
    if (out.topic.len > 0 || n->kind == SC_NODE_SCALAR)
        sc_bind_topic(out.topic, n->mark, dg);
    return out;
}

static void topics_load(struct sc_topics_settings *t, struct sc_arena *ar, struct sc_diag *dg)
{
    t->transitions = topic_load(t->transitions_at, "transitions", ar, dg);
    t->suppressed = topic_load(t->suppressed_at, "suppressed", ar, dg);
    t->identity = topic_load(t->identity_at, "stagecoach.identity", ar, dg);
    t->customers = topic_load(t->customers_at, NULL, ar, dg);
    t->analytics = topic_load(t->analytics_at, NULL, ar, dg);
}

/* A topic that is always there: `off` is not its name. */
static void plain_topic_check(struct sc_str name, struct sc_mark mark, struct sc_diag *dg)
{
    if (sc_str_eqz(name, "off"))
        sc_diag_add(dg, SC_ERROR, "bad-topic", mark, "this topic cannot be switched off")->hint =
            SC_STR("name one, or leave the key out");
    else
        sc_bind_topic(name, mark, dg);
}

static void plain_topics_check(const struct sc_settings *st, struct sc_diag *dg)
{
    plain_topic_check(st->topics.dead_letters, sc_settings_mark(st, "topics", "dead_letters"), dg);
    plain_topic_check(st->journal.topic, sc_settings_mark(st, "journal", "topic"), dg);
    plain_topic_check(st->journal.state_topic, sc_settings_mark(st, "journal", "state_topic"), dg);
}

/* ---- librdkafka's properties */

/* Those that the protocol, or a key of this file, sets (docs/principles.md): another value would
 * lose or repeat, or say the same twice. */
static const struct {
    const char *name, *why;
} kept_properties[] = {
    {"bootstrap.servers", "write `kafka.brokers`"},
    {"metadata.broker.list", "write `kafka.brokers`"},
    {"group.id", "write `kafka.group`"},
    {"group.instance.id", "write `instance`"},
    {"transactional.id", "write `kafka.group` and `instance`"},
    {"enable.auto.commit", "offsets are part of the transactions"},
    {"enable.auto.offset.store", "offsets are part of the transactions"},
    {"auto.offset.reset", "write `start` of the source"},
    {"isolation.level", "only committed records may be read"},
    {"enable.idempotence", "transactions need it"},
    {"partition.assignment.strategy", "all workers need the same one"},
    {"group.protocol", "partitions are taken over by the classic one"},
    {"partitioner", "a customer's records are found by Java's default one"},
    {"enable.partition.eof", "workers know by it that they have read all"},
    {"security.protocol", "write `kafka.tls` and `kafka.sasl`"},
    {"sasl.password", "write `kafka.sasl.password_file`: secrets stand in files"},
    {"sasl.username", "write `kafka.sasl.username`"},
    {"sasl.mechanism", "write `kafka.sasl.mechanism`"},
    {"sasl.mechanisms", "write `kafka.sasl.mechanism`"},
    {"ssl.key.password", "secrets stand in files"},
};

static void property_check(const struct sc_node_pair *pair, struct sc_diag *dg)
{
    for (size_t i = 0; i < sizeof(kept_properties) / sizeof(kept_properties[0]); ++i) {
        if (!sc_str_eqz(pair->key->text, kept_properties[i].name))
            continue;
        struct sc_finding *f =
            sc_diag_add(dg, SC_ERROR, "kept-property", pair->key->mark,
                        "property '%s' is not free to choose", kept_properties[i].name);
        f->hint = sc_str_from(kept_properties[i].why);
    }
    if (pair->value->kind != SC_NODE_SCALAR)
        sc_diag_add(dg, SC_ERROR, "wrong-kind", pair->value->mark,
                    "a property's value is text or a number");
}

static void properties_load(struct sc_kafka_settings *k, struct sc_arena *ar, struct sc_diag *dg)
{
    const struct sc_node *map = k->properties_at;
    if (map == NULL || map->kind == SC_NODE_NULL || map->faulty)
        return;
    if (map->kind != SC_NODE_MAP) {
        sc_diag_add(dg, SC_ERROR, "wrong-kind", map->mark, "expected properties and their values");
        return;
    }
    k->properties = SC_NEW_N(ar, struct sc_property_setting, map->n + 1);
    for (uint32_t i = 0; i < map->n; ++i) {
        property_check(&map->pairs[i], dg);
        k->properties[k->n_properties++] =
            (struct sc_property_setting){map->pairs[i].key->text, map->pairs[i].value->text};
    }
}

/* ---- what needs each other */

static void both_or_none(const struct sc_node *at, struct sc_str a, struct sc_str b,
                         const char *what, struct sc_diag *dg)
{
    if (at != NULL && (a.len == 0) != (b.len == 0))
        sc_diag_add(dg, SC_ERROR, "half-given", at->mark, "%s go together", what);
}

static void tls_load(struct sc_tls_settings *t, struct sc_diag *dg)
{
    t->on = t->at != NULL;
    both_or_none(t->at, t->cert_file, t->key_file, "`cert_file` and `key_file`", dg);
}

/* ---- addresses */

/* The port behind the last colon, SC_STR_NULL: none. The colons of a bare IPv6 address are its own. */
static struct sc_str port_of(struct sc_str address)
{
    const char *colon = memrchr(address.p, ':', address.len);
    const char *bracket = memrchr(address.p, ']', address.len);
    if (colon == NULL || (bracket && bracket > colon))
        return SC_STR_NULL;
    size_t before = (size_t)(colon - address.p);
    if (bracket == NULL && memchr(address.p, ':', before))
        return SC_STR_NULL;
    return (struct sc_str){colon + 1, address.len - before - 1};
}

/* host or host:port; `port`, `host`: it must have that. */
static void address_check(struct sc_str address, bool port, bool host, struct sc_mark mark,
                          struct sc_diag *dg)
{
    int64_t number;
    struct sc_str text = port_of(address);
    if ((text.p == NULL && port) || (host && (address.len == 0 || address.p[0] == ':')))
        sc_diag_add(dg, SC_ERROR, "bad-address", mark, "expected host:port, found '%.*s'",
                    SC_STR_FMT(address));
    else if (text.p && (!sc_str_int(text, &number) || number < 1 || number > 65535))
        sc_diag_add(dg, SC_ERROR, "bad-address", mark,
                    "'%.*s' is no port: it must be a number from 1 to 65535", SC_STR_FMT(text));
}

static struct sc_str behind(struct sc_str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return sc_str_starts(s, sc_str_from(prefix)) ? (struct sc_str){s.p + n, s.len - n} : s;
}

/* One or several in a text, as librdkafka takes them; the protocol in front of one is its own. */
static void brokers_check(const struct sc_strs *brokers, struct sc_diag *dg)
{
    for (uint32_t i = 0; i < brokers->n; ++i) {
        struct sc_str rest = brokers->v[i];
        while (rest.p) {
            const char *comma = memchr(rest.p, ',', rest.len);
            size_t n = comma ? (size_t)(comma - rest.p) : rest.len;
            struct sc_str one = sc_str_trim((struct sc_str){rest.p, n});
            const char *slashes = memmem(one.p, one.len, "://", 3);
            if (slashes)
                one = (struct sc_str){slashes + 3, one.len - (size_t)(slashes + 3 - one.p)};
            address_check(one, false, true, brokers->at[i]->mark, dg);
            rest = comma ? (struct sc_str){comma + 1, rest.len - n - 1} : SC_STR_NULL;
        }
    }
}

static const struct sc_node *written(const struct sc_settings *st, const char *section,
                                     const char *key)
{
    const struct sc_node *in = sc_node_get(st->at, section);
    const struct sc_node *at = in && in->kind == SC_NODE_MAP ? sc_node_get(in, key) : NULL;
    return at && at->kind == SC_NODE_SCALAR && !at->faulty ? at : NULL;
}

static void not_empty(const struct sc_node *at, const char *why, struct sc_diag *dg)
{
    if (at && at->kind == SC_NODE_SCALAR && !at->faulty && sc_str_trim(at->text).len == 0)
        sc_diag_add(dg, SC_ERROR, "empty-value", at->mark, "it is empty; %s", why);
}

static void addresses_check(const struct sc_settings *st, struct sc_diag *dg)
{
    const struct sc_node *redis = written(st, "redis", "address");
    const struct sc_node *listen = written(st, "admin", "listen");
    const struct sc_node *url = written(st, "registry", "url");
    const struct sc_node *copies = written(st, "journal", "replication");
    brokers_check(&st->kafka.brokers, dg);
    if (redis && !sc_str_starts(redis->text, SC_STR("/")))
        address_check(behind(behind(redis->text, "redis://"), "rediss://"), false, true,
                      redis->mark, dg);
    for (uint32_t i = 0; i < st->redis.sentinel.addresses.n; ++i)
        address_check(st->redis.sentinel.addresses.v[i], false, true,
                      st->redis.sentinel.addresses.at[i]->mark, dg);
    if (listen && listen->text.len > 0)
        address_check(listen->text, true, false, listen->mark, dg);
    if (url && !sc_str_starts(url->text, SC_STR("http://")) &&
        !sc_str_starts(url->text, SC_STR("https://")) && url->text.len > 0)
        sc_diag_add(dg, SC_ERROR, "bad-address", url->mark,
                    "a registry's address begins with http:// or https://");
    if (copies && st->journal.replication == 0)
        sc_diag_add(dg, SC_ERROR, "out-of-range", copies->mark,
                    "no topic has 0 replicas; -1 is the broker's default");
    not_empty(written(st, "kafka", "group"), "leave it out for `stagecoach`", dg);
    not_empty(sc_node_get(st->at, "instance"), "leave it out for the host's name", dg);
}

static bool is_loopback(struct sc_str listen)
{
    return sc_str_starts(listen, SC_STR("127.")) || sc_str_starts(listen, SC_STR("localhost:")) ||
           sc_str_starts(listen, SC_STR("[::1]:"));
}

static void cross_checks(const struct sc_settings *st, struct sc_diag *dg)
{
    const struct sc_node *brokers = st->kafka.brokers_at;
    if (brokers != NULL && !brokers->faulty && st->kafka.brokers.n == 0)
        sc_diag_add(dg, SC_ERROR, "no-broker", brokers->mark, "`brokers` names no broker");
    const struct sc_redis_settings *r = &st->redis;
    const struct sc_node *redis = sc_node_get(st->at, "redis");
    if (r->sentinel.at != NULL && r->cluster.n > 0)
        sc_diag_add(dg, SC_ERROR, "two-ways", r->sentinel.at->mark,
                    "`sentinel` and `cluster`: one of them");
    if (r->cluster.n > 0 && r->database != 0)
        sc_diag_add(dg, SC_ERROR, "bad-database", redis->mark, "a cluster has database 0 alone");
    if (r->username.len > 0 && r->password_file.len == 0 && redis != NULL)
        sc_diag_add(dg, SC_ERROR, "half-given", redis->mark, "`username` needs `password_file`");
    both_or_none(sc_node_get(st->at, "registry"), st->registry.username, st->registry.password_file,
                 "`username` and `password_file`", dg);
    const struct sc_node *admin = sc_node_get(st->at, "admin");
    if (admin != NULL && st->admin.listen.len > 0 && !is_loopback(st->admin.listen) &&
        st->admin.token_file.len == 0)
        sc_diag_add(dg, SC_WARNING, "open-admin", admin->mark,
                    "the admin listener is open to the network without a `token_file`");
    const struct sc_node *identity = sc_node_get(st->at, "identity");
    const struct sc_node *key = identity ? sc_node_get(identity, "key_file") : NULL;
    if (st->identity.key_file.len == 0 && (key == NULL || !key->faulty))
        sc_diag_add(dg, SC_WARNING, "public-key",
                    identity != NULL ? identity->mark : st->at->mark,
                    "no `identity.key_file`: pseudonyms are made with a key everybody knows");
    if (st->workers.resolve == 0 && st->workers.journey == 0)
        sc_diag_add(dg, SC_ERROR, "no-workers", sc_node_get(st->at, "workers")->mark,
                    "no workers of either role: nothing would run");
}

bool sc_settings_load(struct sc_settings *st, const struct sc_node *doc, struct sc_arena *ar,
                      struct sc_diag *dg)
{
    SC_ASSERT(st != NULL && doc != NULL);
    uint32_t errors = dg->errors;
    sc_bind(&sc_settings_table, doc, st, ar, dg);
    SC_ASSERT(st->log.level >= 0);
    topics_load(&st->topics, ar, dg);
    properties_load(&st->kafka, ar, dg);
    tls_load(&st->kafka.tls, dg);
    tls_load(&st->redis.tls, dg);
    if (st->at != NULL && st->at->kind == SC_NODE_MAP) {
        plain_topics_check(st, dg);
        cross_checks(st, dg);
        addresses_check(st, dg);
    }
    return dg->errors == errors && !doc->unsound;
}

struct sc_mark sc_settings_mark(const struct sc_settings *st, const char *section, const char *key)
{
    SC_ASSERT(st->at != NULL);
    const struct sc_node *in = sc_node_get(st->at, section);
    const struct sc_node *at = in && in->kind == SC_NODE_MAP ? sc_node_get(in, key) : NULL;
    return at ? at->mark : in ? in->mark : st->at->mark;
}
