/* See raw.h. Each input has its next record at hand; the earliest of them is the next of all. */
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
#include <stdlib.h>
#include <unistd.h>

#define KEEP_BYTES (1u << 20)
#define POLL_MS 200
#define SILENCE_MAX 150 /* polls without an answer: half a minute */

struct reader {
    const struct sc_raw *rw;
    const struct sc_raw_input *in;
    const struct sc_source *src;
    struct sc_setup su; /* of the settings, where there are some */
    struct sc_engine_config cfg;
    struct sc_worker w;
    _Atomic bool stop;  /* true: a registry that is down is not waited for */
    struct sc_registry *registry;
    struct sc_decoders *decoders;
    struct sc_str *files; /* schemas by source index */
    struct sc_arena ar, record;
    /* of files: the one that is open, and which comes next */
    struct sc_lines *ls;
    int path;
    bool lines;
    /* of a topic */
    struct sc_kafka_replay *rp;
    char where[300];
    /* what is at hand */
    struct sc_raw_record rec;
    struct sc_event ev;
    struct sc_fault fault;
    int64_t ms; /* its place among the others': by its event, or the last one before it */
    bool end;
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

static int reader_open(struct reader *rd, const struct sc_raw *rw, const struct sc_raw_input *in)
{
    const struct sc_project *pr = rw->project;
    const struct sc_source *src = in->source;
    int rc = SC_EXIT_OK;
    *rd = (struct reader){.rw = rw, .in = in, .src = src, .cfg = {.jo = pr->journey},
                          .ms = INT64_MIN};
    atomic_init(&rd->stop, true);
    sc_arena_init(&rd->ar);
    sc_arena_init(&rd->record);
    rd->w = (struct sc_worker){.cfg = &rd->cfg, .clock = sc_clock_system, .stop = &rd->stop};
    rd->files = SC_NEW_N(&rd->ar, struct sc_str, pr->taxonomy->n_sources + 1);
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
    if (rd->ls)
        sc_lines_close(rd->ls);
    sc_kafka_replay_destroy(rd->rp);
    sc_decoders_destroy(rd->decoders);
    sc_registry_close(rd->registry);
    sc_setup_fini(&rd->su);
    sc_arena_fini(&rd->ar);
    sc_arena_fini(&rd->record);
}

/* ---- one record */

/* As resolve does. Its schema cannot be had: said. */
static int take(struct reader *rd, struct sc_str value, const struct sc_record_meta *meta)
{
    const struct sc_decoders_in in = {
        .source = rd->src, .value = value, .meta = *meta, .ps = rd->rw->ps, .ar = &rd->record};
    sc_arena_reset(&rd->record, KEEP_BYTES);
    enum sc_err e = sc_decoders_event(rd->decoders, &in, &rd->ev, &rd->rec.drop, &rd->fault);
    if (e != SC_ERR_OK) {
        char why[SC_REGISTRY_WHY] = "";
        if (rd->registry)
            sc_registry_why(rd->registry, why);
        fprintf(stderr, "stagecoach simulate: %s:%llu: its schema cannot be had: %s\n",
                rd->rec.where, (unsigned long long)rd->rec.number, why[0] ? why : sc_err_text(e));
        return SC_EXIT_UNAVAILABLE;
    }
    rd->rec.fault = &rd->fault;
    if (rd->rec.drop != SC_DROP_NONE)
        return SC_EXIT_OK;
    sc_intake_end(rd->rw->project->taxonomy, rd->rw->ps, &rd->record, &rd->ev);
    rd->rec.event = &rd->ev;
    rd->ms = meta->timestamp_ms == SC_NEVER ? rd->ev.occurred_ms : meta->timestamp_ms;
    return SC_EXIT_OK;
}

/* ---- files */

/* The next file, or the end. */
static int open_file(struct reader *rd)
{
    if (rd->path == rd->in->n_paths) {
        rd->end = true;
        return SC_EXIT_OK;
    }
    const char *path = rd->in->paths[rd->path++];
    rd->ls = sc_lines_open(path);
    if (rd->ls == NULL) {
        fprintf(stderr, "stagecoach: %s: %s\n", path, strerror(errno));
        return SC_EXIT_NOINPUT;
    }
    /* A length begins with a byte 0, or 0xff for none; JSON text with neither. */
    int first = sc_lines_peek(rd->ls);
    rd->lines = rd->src->format == SC_FORMAT_JSON && first != 0 && first != 0xff;
    rd->rec = (struct sc_raw_record){.where = path, .size = sc_lines_size(rd->ls)};
    return SC_EXIT_OK;
}

static int close_file(struct reader *rd, enum sc_line last)
{
    struct sc_lines *ls = rd->ls;
    rd->ls = NULL;
    return sc_lines_end(ls, rd->rec.where, last);
}

/* A record, or the end of the file that is open. *got: there is a record. */
static int next_of_file(struct reader *rd, bool *got)
{
    struct sc_str value;
    enum sc_line is = rd->lines ? sc_lines_next(rd->ls, &value, &rd->rec.number)
                                : sc_lines_record(rd->ls, &value, &rd->rec.number);
    *got = false;
    if (is == SC_LINE_END || is == SC_LINE_ERROR)
        return close_file(rd, is);
    struct sc_record_meta meta = {
        .timestamp_ms = SC_NEVER,
        .origin = {sc_str_from(rd->rec.where), -1, (int64_t)rd->rec.number},
    };
    rd->rec.at = sc_lines_at(rd->ls);
    rd->rec.too_long = is == SC_LINE_TOO_LONG;
    *got = rd->rec.too_long || !rd->lines || sc_str_trim(value).len > 0;
    return *got && !rd->rec.too_long ? take(rd, value, &meta) : SC_EXIT_OK;
}

/* ---- a topic */

static int open_topic(struct reader *rd)
{
    struct sc_buf why = {0};
    const char *topic = sc_str_dup(&rd->ar, rd->src->topic).p;
    rd->rp = sc_kafka_replay_create(&rd->su.kafka, topic, rd->in->from_ms, &why);
    if (rd->rp == NULL)
        fprintf(stderr, "stagecoach simulate: %.*s\n", (int)why.len, why.p);
    sc_buf_fini(&why);
    return rd->rp ? SC_EXIT_OK : SC_EXIT_UNAVAILABLE;
}

static int next_of_topic(struct reader *rd)
{
    struct sc_msg m;
    enum sc_err e = SC_ERR_TIMEOUT;
    for (int silent = 0; e == SC_ERR_TIMEOUT && silent <= SILENCE_MAX; silent++)
        e = sc_kafka_replay_next(rd->rp, POLL_MS, &m);
    rd->end = e == SC_ERR_NOT_FOUND;
    if (rd->end)
        return SC_EXIT_OK;
    if (e != SC_ERR_OK) {
        fprintf(stderr, "stagecoach simulate: topic %.*s cannot be read to its end\n",
                SC_STR_FMT(rd->src->topic));
        return SC_EXIT_UNAVAILABLE;
    }
    snprintf(rd->where, sizeof(rd->where), "%.*s:%d", SC_STR_FMT(rd->src->topic), m.partition);
    rd->rec = (struct sc_raw_record){.where = rd->where, .number = (uint64_t)m.offset};
    struct sc_record_meta meta = {.timestamp_ms = m.timestamp_ms,
                                  .origin = {rd->src->topic, m.partition, m.offset}};
    sc_kafka_replay_progress(rd->rp, &rd->rec.at, &rd->rec.size);
    return take(rd, m.value, &meta);
}

/* ---- all of them, as one stream */

/* The input's next record into rd->rec, or its end. */
static int advance(struct reader *rd)
{
    int rc = SC_EXIT_OK;
    bool got = false;
    rd->rec.event = NULL; /* the last one's is gone */
    if (rd->in->n_paths == 0)
        return next_of_topic(rd);
    while (rc == SC_EXIT_OK && !got && !rd->end)
        rc = rd->ls ? next_of_file(rd, &got) : open_file(rd);
    return rc;
}

static struct reader *earliest(struct reader *rds, uint32_t n)
{
    struct reader *first = NULL;
    for (uint32_t i = 0; i < n; i++)
        if (!rds[i].end && (first == NULL || rds[i].ms < first->ms))
            first = &rds[i];
    return first;
}

static int play(const struct sc_raw *rw, struct reader *rds, uint32_t n)
{
    struct reader *rd;
    int rc = SC_EXIT_OK;
    for (uint32_t i = 0; i < n && rc == SC_EXIT_OK; i++) {
        rc = rds[i].in->n_paths ? SC_EXIT_OK : open_topic(&rds[i]);
        if (rc == SC_EXIT_OK)
            rc = advance(&rds[i]);
    }
    while (rc == SC_EXIT_OK && (rd = earliest(rds, n)) != NULL) {
        rw->fn(rw->arg, &rd->rec);
        rc = advance(rd);
    }
    return rc;
}

int sc_raw_read(const struct sc_raw *rw, const struct sc_raw_input *in, uint32_t n)
{
    struct reader *rds = sc_calloc(n + 1, sizeof(*rds));
    uint32_t opened = 0;
    int rc = SC_EXIT_OK;
    sc_log_setup(SC_LOG_ERROR, SC_LOG_LOGFMT);
    while (opened < n && rc == SC_EXIT_OK) {
        rc = reader_open(&rds[opened], rw, &in[opened]);
        opened++;
    }
    if (rc == SC_EXIT_OK)
        rc = play(rw, rds, n);
    for (uint32_t i = 0; i < opened; i++)
        reader_close(&rds[i]);
    free(rds);
    return rc;
}

/* ---- names */

static int name_sources(const struct sc_taxonomy *tx, const char *what, struct sc_str found)
{
    fprintf(stderr, "stagecoach simulate: there is no source %s'%.*s'; there are", what,
            SC_STR_FMT(found));
    for (uint32_t s = 0; s < tx->n_sources; s++)
        fprintf(stderr, " %.*s", SC_STR_FMT(what[0] ? tx->sources[s].topic : tx->sources[s].name));
    fputc('\n', stderr);
    return SC_EXIT_USAGE;
}

int sc_raw_files(const struct sc_project *pr, const struct sc_words *words, struct sc_raw_input *in)
{
    SC_ASSERT(words->n > 1);
    struct sc_str name = sc_str_from(words->v[0]);
    int s = sc_taxonomy_source(pr->taxonomy, name);
    if (s < 0)
        return name_sources(pr->taxonomy, "", name);
    *in = (struct sc_raw_input){&pr->taxonomy->sources[s], words->v + 1, words->n - 1, 0};
    return SC_EXIT_OK;
}

bool sc_raw_is_topic(const char *word, struct sc_str *topic, int64_t *from_ms)
{
    const char *at = strrchr(word, '@');
    if (at == NULL || at == word || access(word, F_OK) == 0)
        return false;
    *topic = (struct sc_str){word, (size_t)(at - word)};
    return sc_time_parse(sc_str_from(at + 1), NULL, from_ms, NULL);
}

int sc_raw_topic(const struct sc_project *pr, struct sc_str topic, int64_t from_ms,
                 struct sc_raw_input *in)
{
    const struct sc_taxonomy *tx = pr->taxonomy;
    *in = (struct sc_raw_input){.from_ms = from_ms};
    for (uint32_t s = 0; s < tx->n_sources; s++)
        if (sc_str_eq(tx->sources[s].topic, topic))
            in->source = &tx->sources[s];
    if (in->source == NULL)
        return name_sources(tx, "of topic ", topic);
    if (pr->settings == NULL) {
        fprintf(stderr, "stagecoach simulate: a topic is read from the brokers that settings name: "
                "give stagecoach.yaml in place of the journey\n");
        return SC_EXIT_USAGE;
    }
    return SC_EXIT_OK;
}
