/* See raw.h. */
#include "cli/raw.h"

#include "base/log.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/clock.h"
#include "cli/lines.h"
#include "cli/registry.h"
#include "core/journey/state.h"
#include "engine/decoders.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define KEEP_BYTES (1u << 20)
#define POLL_MS 200
#define SILENCE_MAX 150 /* polls without an answer: half a minute */

struct reader {
    const struct sc_raw *rw;
    const struct sc_source *src;
    struct sc_setup su; /* of the settings, where there are some */
    struct sc_engine_config cfg;
    struct sc_worker w;
    _Atomic bool stop;  /* true: a registry that is down is not waited for */
    struct sc_registry *registry;
    struct sc_decoders *decoders;
    struct sc_str *files; /* schemas by source index */
    struct sc_value *slots;
    struct sc_arena ar, record;
};

/* ---- schemas */

static int open_registry(struct reader *rd)
{
    char why[SC_REGISTRY_WHY] = "";
    const struct sc_project *pr = rd->rw->project;
    struct sc_registry_options options = {0};
    if (pr->settings)
        options = sc_registry_options(&rd->su);
    if (options.url.len == 0) {
        fprintf(stderr, "stagecoach simulate: the schemas of source %.*s are in the registry: give "
                "the settings that name it in place of the journey\n", SC_STR_FMT(rd->src->name));
        return SC_EXIT_USAGE;
    }
    if (sc_registry_create(&options, &rd->registry, why) != SC_ERR_OK) {
        fprintf(stderr, "stagecoach simulate: registry: %s\n", why);
        return SC_EXIT_CONFIG;
    }
    rd->w.schemas = sc_registry_port(rd->registry);
    return SC_EXIT_OK;
}

static int reader_open(struct reader *rd, const struct sc_raw *rw, const struct sc_source *src)
{
    const struct sc_project *pr = rw->project;
    int rc = SC_EXIT_OK;
    *rd = (struct reader){.rw = rw, .src = src, .cfg = {.jo = pr->journey}};
    atomic_init(&rd->stop, true);
    sc_arena_init(&rd->ar);
    sc_arena_init(&rd->record);
    sc_log_setup(SC_LOG_ERROR, SC_LOG_LOGFMT);
    rd->w = (struct sc_worker){.cfg = &rd->cfg, .clock = sc_clock_system, .stop = &rd->stop};
    rd->files = SC_NEW_N(&rd->ar, struct sc_str, pr->taxonomy->n_sources + 1);
    rd->slots = SC_NEW_N(&rd->ar, struct sc_value, src->projection.n + 1);
    if (pr->settings)
        rc = sc_setup(&rd->su, pr);
    if (rc == SC_EXIT_OK && src->schema_file.len)
        rc = sc_setup_schema(pr->file, src->schema_file, &rd->ar,
                             &rd->files[src - pr->taxonomy->sources]);
    else if (rc == SC_EXIT_OK && src->framed && src->format != SC_FORMAT_JSON)
        rc = open_registry(rd);
    rd->decoders = sc_decoders_create(&rd->w, rd->files);
    return rc;
}

static void reader_close(struct reader *rd)
{
    sc_decoders_destroy(rd->decoders);
    sc_registry_close(rd->registry);
    sc_setup_fini(&rd->su);
    sc_arena_fini(&rd->ar);
    sc_arena_fini(&rd->record);
}

/* ---- one record */

/* As resolve does. False: its schema cannot be had, said. */
static bool take(struct reader *rd, struct sc_str value, const struct sc_record_meta *meta,
                 struct sc_raw_record *rec)
{
    struct sc_decoding d;
    struct sc_event ev;
    enum sc_err e = sc_decoders_get(rd->decoders, rd->src, value, &d);
    if (e != SC_ERR_OK) {
        char why[SC_REGISTRY_WHY] = "";
        if (rd->registry)
            sc_registry_why(rd->registry, why);
        fprintf(stderr, "stagecoach simulate: %s:%llu: its schema cannot be had: %s\n", rec->where,
                (unsigned long long)rec->number, why[0] ? why : sc_err_text(e));
        return false;
    }
    sc_arena_reset(&rd->record, KEEP_BYTES);
    if (d.drop == SC_DROP_NONE)
        d.drop = sc_decode(d.decoder, d.body, &rd->record, rd->slots, &d.fault);
    if (d.drop == SC_DROP_NONE)
        d.drop = sc_intake(rd->rw->project->taxonomy, rd->src, rd->slots, meta, rd->rw->ps,
                           &rd->record, &ev, &d.fault);
    rec->drop = d.drop;
    rec->event = d.drop == SC_DROP_NONE ? &ev : NULL;
    rec->fault = &d.fault;
    rd->rw->fn(rd->rw->arg, rec);
    return true;
}

/* ---- files */

static int read_file(struct reader *rd, const char *path)
{
    struct sc_lines *ls = sc_lines_open(path);
    if (ls == NULL) {
        fprintf(stderr, "stagecoach: %s: %s\n", path, strerror(errno));
        return SC_EXIT_NOINPUT;
    }
    /* A length begins with a byte 0, or 0xff for none; JSON text with neither. */
    int first = sc_lines_peek(ls);
    bool lines = rd->src->format == SC_FORMAT_JSON && first != 0 && first != 0xff;
    struct sc_raw_record rec = {.where = path, .size = sc_lines_size(ls)};
    struct sc_str value;
    int rc = SC_EXIT_OK;
    enum sc_line got = SC_LINE_OK;
    while (rc == SC_EXIT_OK) {
        got = lines ? sc_lines_next(ls, &value, &rec.number)
                    : sc_lines_record(ls, &value, &rec.number);
        if (got == SC_LINE_END || got == SC_LINE_ERROR)
            break;
        struct sc_record_meta meta = {.timestamp_ms = SC_NEVER,
                                      .origin = {sc_str_from(path), -1, (int64_t)rec.number}};
        rec.at = sc_lines_at(ls);
        rec.too_long = got == SC_LINE_TOO_LONG;
        rec.event = NULL; /* the last one's is gone */
        if (rec.too_long)
            rd->rw->fn(rd->rw->arg, &rec);
        else if ((!lines || sc_str_trim(value).len > 0) && !take(rd, value, &meta, &rec))
            rc = SC_EXIT_UNAVAILABLE;
    }
    if (got == SC_LINE_ERROR) {
        fprintf(stderr, "stagecoach: %s: %s\n", path, sc_lines_error(ls));
        rc = SC_EXIT_DATA;
    }
    sc_lines_close(ls);
    return rc;
}

static void name_sources(const struct sc_taxonomy *tx, const char *what, struct sc_str found)
{
    fprintf(stderr, "stagecoach simulate: there is no source %s'%.*s'; there are", what,
            SC_STR_FMT(found));
    for (uint32_t s = 0; s < tx->n_sources; s++)
        fprintf(stderr, " %.*s", SC_STR_FMT(what[0] ? tx->sources[s].topic : tx->sources[s].name));
    fputc('\n', stderr);
}

int sc_raw_files(const struct sc_raw *rw, struct sc_str source, char *const *paths, int n)
{
    const struct sc_taxonomy *tx = rw->project->taxonomy;
    int s = sc_taxonomy_source(tx, source);
    if (s < 0) {
        name_sources(tx, "", source);
        return SC_EXIT_USAGE;
    }
    struct reader rd;
    int rc = reader_open(&rd, rw, &tx->sources[s]);
    for (int i = 0; i < n && rc == SC_EXIT_OK; i++)
        rc = read_file(&rd, paths[i]);
    reader_close(&rd);
    return rc;
}

/* ---- a topic */

bool sc_raw_is_topic(const char *word, struct sc_str *topic, int64_t *from_ms)
{
    const char *at = strrchr(word, '@');
    if (at == NULL || at == word || access(word, F_OK) == 0)
        return false;
    *topic = (struct sc_str){word, (size_t)(at - word)};
    return sc_time_parse(sc_str_from(at + 1), NULL, from_ms, NULL);
}

static int read_topic(struct reader *rd, const char *topic, int64_t from_ms)
{
    struct sc_buf why = {0};
    struct sc_kafka_replay *rp = sc_kafka_replay_create(&rd->su.kafka, topic, from_ms, &why);
    if (rp == NULL)
        fprintf(stderr, "stagecoach simulate: %.*s\n", (int)why.len, why.p);
    sc_buf_fini(&why);
    struct sc_msg m;
    int silent = 0, rc = SC_EXIT_OK;
    enum sc_err e = rp ? SC_ERR_TIMEOUT : SC_ERR_NOT_FOUND;
    while (e != SC_ERR_NOT_FOUND && rc == SC_EXIT_OK) {
        e = sc_kafka_replay_next(rp, POLL_MS, &m);
        silent = e == SC_ERR_TIMEOUT ? silent + 1 : 0;
        if (e == SC_ERR_UNAVAILABLE || silent > SILENCE_MAX) {
            fprintf(stderr, "stagecoach simulate: topic %s cannot be read to its end\n", topic);
            rc = SC_EXIT_UNAVAILABLE;
        }
        if (e != SC_ERR_OK)
            continue;
        char where[300];
        snprintf(where, sizeof(where), "%s:%d", topic, m.partition);
        struct sc_raw_record rec = {.where = where, .number = (uint64_t)m.offset};
        struct sc_record_meta meta = {.timestamp_ms = m.timestamp_ms,
                                      .origin = {rd->src->topic, m.partition, m.offset}};
        sc_kafka_replay_progress(rp, &rec.at, &rec.size);
        if (!take(rd, m.value, &meta, &rec))
            rc = SC_EXIT_UNAVAILABLE;
    }
    rc = rp ? rc : SC_EXIT_UNAVAILABLE;
    sc_kafka_replay_destroy(rp);
    return rc;
}

int sc_raw_topic(const struct sc_raw *rw, struct sc_str topic, int64_t from_ms)
{
    const struct sc_taxonomy *tx = rw->project->taxonomy;
    const struct sc_source *src = NULL;
    for (uint32_t s = 0; s < tx->n_sources; s++)
        if (sc_str_eq(tx->sources[s].topic, topic))
            src = &tx->sources[s];
    if (src == NULL) {
        name_sources(tx, "of topic ", topic);
        return SC_EXIT_USAGE;
    }
    if (rw->project->settings == NULL) {
        fprintf(stderr, "stagecoach simulate: a topic is read from the brokers that settings name: "
                "give stagecoach.yaml in place of the journey\n");
        return SC_EXIT_USAGE;
    }
    struct reader rd;
    int rc = reader_open(&rd, rw, src);
    if (rc == SC_EXIT_OK)
        rc = read_topic(&rd, sc_str_dup(&rd.ar, topic).p, from_ms);
    reader_close(&rd);
    return rc;
}
