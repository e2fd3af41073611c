/* See setup.h. */
#include "cli/setup.h"

#include "base/hash.h"
#include "cli/agree.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/key.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECRET_MAX 4096u
#define SCHEMA_MAX (4u << 20)
#define TXN_MAX_BYTES (16u << 20)

/* ---- files: relative ones beside the settings file */

const char *sc_setup_beside(struct sc_setup *su, struct sc_str path)
{
    return sc_project_beside(su->project->file, path, &su->ar);
}

static int read_file(const char *name, const char *what, size_t max, struct sc_arena *ar,
                     struct sc_str *out)
{
    FILE *f = fopen(name, "rbe");
    if (f == NULL) {
        fprintf(stderr, "stagecoach: %s %s: %s\n", what, name, strerror(errno));
        return SC_EXIT_NOINPUT;
    }
    char *bytes = sc_arena_alloc(ar, max + 1);
    size_t n = fread(bytes, 1, max + 1, f);
    fclose(f);
    if (n == 0 || n > max) {
        fprintf(stderr, "stagecoach: %s %s: %s\n", what, name, n ? "too large" : "empty");
        return SC_EXIT_CONFIG;
    }
    *out = (struct sc_str){bytes, n};
    return SC_EXIT_OK;
}

int sc_setup_schema(const struct sc_project_file *beside, struct sc_str path, struct sc_arena *ar,
                    struct sc_str *out)
{
    return read_file(sc_project_beside(beside, path, ar), "schema file", SCHEMA_MAX, ar, out);
}

static int read_secret(struct sc_setup *su, const char *what, struct sc_str path,
                       struct sc_str *out)
{
    if (path.len == 0)
        return SC_EXIT_OK;
    int rc = read_file(sc_setup_beside(su, path), what, SECRET_MAX, &su->ar, out);
    if (rc == SC_EXIT_OK)
        *out = sc_str_trim(*out);
    return rc;
}

static int read_secrets(struct sc_setup *su)
{
    const struct sc_settings *st = su->project->settings;
    int rc = read_secret(su, "kafka.sasl.password_file", st->kafka.sasl.password_file,
                         &su->kafka.password);
    if (rc == SC_EXIT_OK)
        rc = read_secret(su, "redis.password_file", st->redis.password_file, &su->redis.password);
    if (rc == SC_EXIT_OK)
        rc = read_secret(su, "registry.password_file", st->registry.password_file,
                         &su->registry_password);
    if (rc == SC_EXIT_OK)
        rc = read_secret(su, "admin.token_file", st->admin.token_file, &su->admin_token);
    if (rc)
        return rc;
    const char *key = st->identity.key_file.len ? sc_setup_beside(su, st->identity.key_file) : NULL;
    return sc_key_load(key, &su->ar, &su->identity_key);
}

/* ---- topics */

static void output(struct sc_setup *su, uint32_t index, struct sc_str name, bool on,
                   int32_t format)
{
    struct sc_out_topic *t = &su->engine.topics.v[index];
    *t = (struct sc_out_topic){.name = sc_str_dup(&su->ar, name), .on = on, .format = format};
    if (index >= su->engine.topics.n)
        su->engine.topics.n = index + 1;
}

static void outputs(struct sc_setup *su)
{
    const struct sc_settings *st = su->project->settings;
    const struct sc_journey *jo = su->project->journey;
    output(su, SC_OUT_JOURNAL, st->journal.topic, true, SC_FORMAT_JSON);
    output(su, SC_OUT_STATE, st->journal.state_topic, true, SC_FORMAT_JSON);
    const struct {
        enum sc_out_index index;
        const struct sc_topic_settings *t;
    } topics[] = {{SC_OUT_TRANSITIONS, &st->topics.transitions},
                  {SC_OUT_SUPPRESSED, &st->topics.suppressed},
                  {SC_OUT_IDENTITY, &st->topics.identity},
                  {SC_OUT_CUSTOMERS, &st->topics.customers},
                  {SC_OUT_ANALYTICS, &st->topics.analytics}};
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
        output(su, topics[i].index, topics[i].t->topic, topics[i].t->on, topics[i].t->format);
    su->project->journey->analyse = st->topics.analytics.on;
    output(su, SC_OUT_DEAD_LETTERS, st->topics.dead_letters, true, SC_FORMAT_JSON);
    for (uint32_t c = 0; c < jo->n_channels; c++)
        output(su, SC_OUT_TRIGGERS + c, jo->channels[c].topic, true, jo->channels[c].format);
}

static void need(struct sc_setup *su, struct sc_topic_need n)
{
    for (uint32_t i = 0; i < su->n_needs; i++)
        if (strcmp(su->needs[i].name, n.name) == 0)
            return;
    if (su->n_needs < SC_NEEDS_MAX)
        su->needs[su->n_needs++] = n;
}

struct sc_mark sc_setup_out_mark(const struct sc_setup *su, uint32_t index)
{
    return sc_agree_out_mark(su->project->settings, su->project->journey, index);
}

static void needs(struct sc_setup *su)
{
    static const char *const journal[] = {"message.timestamp.type", "LogAppendTime",
                                          "cleanup.policy", "delete",
                                          "retention.ms", "604800000",
                                          "max.message.bytes", "2097152", NULL};
    static const char *const state[] = {"cleanup.policy", "delete", "retention.ms", "-1",
                                        "max.message.bytes", "2097152", NULL};
    static const char *const compacted[] = {"cleanup.policy", "compact", NULL};
    /* Dead letters keep their records' times, which may be years old: kept until somebody decides. */
    static const char *const dead[] = {"retention.ms", "-1", NULL};
    const struct sc_settings *st = su->project->settings;
    int32_t p = (int32_t)st->journal.partitions;
    int16_t rf = (int16_t)st->journal.replication;
    const struct sc_out_topics *outs = &su->engine.topics;
    const struct sc_taxonomy *tx = su->project->taxonomy;
    struct sc_mark count = sc_settings_mark(st, "journal", "partitions");
    const unsigned r = 1U << SC_KAFKA_RESOLVE, j = 1U << SC_KAFKA_JOURNEY;
    need(su, (struct sc_topic_need){outs->v[SC_OUT_JOURNAL].name.p, p, true, true, rf, journal,
                                    "the journal", sc_setup_out_mark(su, SC_OUT_JOURNAL), count,
                                    j, r | j});
    need(su, (struct sc_topic_need){outs->v[SC_OUT_STATE].name.p, p, true, true, rf, state,
                                    "the state log", sc_setup_out_mark(su, SC_OUT_STATE), count,
                                    j, j});
    for (uint32_t i = SC_OUT_TRANSITIONS; i < outs->n; i++)
        if (outs->v[i].on)
            need(su, (struct sc_topic_need){outs->v[i].name.p, p, false, true, rf,
                                            i == SC_OUT_CUSTOMERS      ? compacted
                                            : i == SC_OUT_DEAD_LETTERS ? dead
                                                                       : NULL,
                                            "an outbound topic", sc_setup_out_mark(su, i), count,
                                            0, i == SC_OUT_DEAD_LETTERS ? r | j : j});
    for (uint32_t s = 0; s < tx->n_sources; s++) {
        const struct sc_node *at = tx->sources[s].topic_at; /* NULL: a source that `dev` made up */
        need(su, (struct sc_topic_need){su->sources[s], 1, false, false, rf, NULL, "a source",
                                        at ? at->mark : (struct sc_mark){0}, count, r, 0});
    }
}

struct sc_kafka_needs sc_setup_needs(struct sc_setup *su, bool resolve, bool journey)
{
    const struct {
        bool on;
        const char *group;
        char letter;
    } roles[SC_KAFKA_ROLES] = {[SC_KAFKA_RESOLVE] = {resolve, su->resolve_group, 'r'},
                               [SC_KAFKA_JOURNEY] = {journey, su->journey_group, 'j'}};
    for (int i = 0; i < SC_KAFKA_ROLES; i++) {
        struct sc_kafka_login *as = &su->logins[i];
        as->group = roles[i].on ? roles[i].group : NULL;
        as->mark = sc_settings_mark(su->project->settings, "kafka", "group");
        sc_setup_writer(su, roles[i].letter, 0, as->writer);
    }
    return (struct sc_kafka_needs){su->needs, su->n_needs, su->logins};
}

/* Namespaces' names in the order of their ranks: what stored nodes rest on. */
static uint64_t ranks_hash(const struct sc_taxonomy *tx)
{
    uint64_t h = 0;
    for (uint8_t rank = 1; rank <= SC_NAMESPACES_MAX; rank++)
        for (uint32_t n = 0; n < tx->n_namespaces; n++)
            if (tx->namespaces[n].rank == rank)
                h = sc_hash_xxh3(tx->namespaces[n].name.p, tx->namespaces[n].name.len, h + rank);
    return h;
}

static int sources(struct sc_setup *su)
{
    const struct sc_taxonomy *tx = su->project->taxonomy;
    int rc = SC_EXIT_OK;
    su->sources = SC_NEW_N(&su->ar, const char *, tx->n_sources + 1);
    su->schema_files = SC_NEW_N(&su->ar, struct sc_str, tx->n_sources + 1);
    for (uint32_t s = 0; rc == SC_EXIT_OK && s < tx->n_sources; s++) {
        su->sources[s] = sc_str_dup(&su->ar, tx->sources[s].topic).p;
        if (tx->sources[s].schema_file.len)
            rc = sc_setup_schema(su->project->file, tx->sources[s].schema_file, &su->ar,
                                 &su->schema_files[s]);
    }
    return rc;
}

static void engine(struct sc_setup *su)
{
    const struct sc_settings *st = su->project->settings;
    su->engine.jo = su->project->journey;
    su->engine.partitions = (uint32_t)st->journal.partitions;
    su->engine.ranks_hash = ranks_hash(su->project->taxonomy);
    su->engine.commit_interval_ms = st->commit_interval_ms;
    su->engine.flush_interval_ms = st->flush.interval_ms;
    su->engine.dirty_max_bytes = (uint64_t)st->flush.dirty_max_bytes;
    su->engine.dirty_max_ms = st->flush.stall_ms;
    su->engine.cache_max_bytes = (uint64_t)st->limits.cache_bytes;
    su->engine.hints = (uint32_t)st->limits.hints;
    su->engine.timers_max = (uint32_t)st->limits.timers;
    su->engine.txn_max_bytes = TXN_MAX_BYTES;
    su->engine.event_clock = st->clock == SC_CLOCK_EVENT;
    su->engine.no_cloudevents = !st->topics.cloudevents;
    su->engine.max_error_bp = st->max_error_rate_bp;
}

/* Files that the settings name and that are not there: all of them, each with its place. */
static int check_files(struct sc_setup *su)
{
    struct sc_diag dg;
    struct sc_buf out = {0};
    const struct sc_project_file *file = su->project->file;
    if (file == NULL || file->settings == NULL)
        return SC_EXIT_OK; /* settings of our own: they name none */
    sc_diag_init(&dg, &su->ar);
    sc_files_check(file, SC_ERROR, &su->ar, &dg);
    sc_diag_render(&dg, SC_DIAG_TEXT, isatty(STDERR_FILENO) != 0, &out);
    if (out.len > 0)
        fwrite(out.p, 1, out.len, stderr);
    sc_buf_fini(&out);
    return dg.errors ? SC_EXIT_NOINPUT : SC_EXIT_OK;
}

int sc_setup(struct sc_setup *su, const struct sc_project *project)
{
    const struct sc_settings *st = project->settings;
    sc_arena_init(&su->ar);
    su->project = project;
    su->kafka.settings = &st->kafka;
    su->redis.settings = &st->redis;
    su->redis.mark = sc_settings_mark(st, "redis", st->redis.sentinel.at ? "sentinel" : "address");
    su->redis.prefix = sc_str_printf(&su->ar, "sc:%.*s:", SC_STR_FMT(st->kafka.group));
    su->resolve_group = sc_arena_printf(&su->ar, "%.*s-resolve", SC_STR_FMT(st->kafka.group));
    su->journey_group = sc_arena_printf(&su->ar, "%.*s-journey", SC_STR_FMT(st->kafka.group));
    int rc = check_files(su);
    if (rc == SC_EXIT_OK)
        rc = read_secrets(su);
    if (rc == SC_EXIT_OK)
        rc = sources(su);
    if (rc)
        return rc;
    engine(su);
    outputs(su);
    needs(su);
    return SC_EXIT_OK;
}

void sc_setup_fini(struct sc_setup *su)
{
    sc_arena_fini(&su->ar);
}

void sc_setup_writer(const struct sc_setup *su, char role, uint32_t index, char out[33])
{
    const struct sc_settings *st = su->project->settings;
    char host[256] = "local";
    struct sc_buf full = {0};
    gethostname(host, sizeof(host) - 1);
    struct sc_str instance = st->instance.len ? st->instance : sc_str_from(host);
    sc_buf_addf(&full, "%.*s-%c-%.*s-%u", SC_STR_FMT(st->kafka.group), role,
                SC_STR_FMT(instance), index);
    sc_buf_char(&full, '\0');
    size_t n = full.len - 1;
    for (char *c = full.p; *c; c++)
        if (!strchr("._-", *c) && !(*c >= '0' && *c <= '9') && !(*c >= 'a' && *c <= 'z') &&
            !(*c >= 'A' && *c <= 'Z'))
            *c = '-';
    if (n <= 32)
        memcpy(out, full.p, n + 1);
    else
        snprintf(out, 33, "%.15s-%016llx", full.p,
                 (unsigned long long)sc_hash_xxh3(full.p, n, 0));
    sc_buf_fini(&full);
}
