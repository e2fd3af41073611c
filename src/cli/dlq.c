/* stagecoach dlq replay: dead letters back to the topics they came from, as they came.
 *
 * Only what came from a source is sent, whole ones alone, without the headers that say why it was a
 * dead letter; several of one record (it was replayed, and failed again) go once. A record that had
 * gone through after all is a copy by its source and id, and is dropped as such.
 *
 * How far a choice (code, stage, topic, times) was sent stands in the offsets of a group of its
 * own, written in the transactions that send: the same command again goes on behind it, also after
 * it was broken off. Another choice has another place. Source: semantics 20. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/setup.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/time.h"
#include "core/drop.h"
#include "kafka/kafka.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEADERS_MAX 80u
#define POLL_MS 500
#define SILENCE_MAX 60 /* polls without an answer: half a minute */
#define TXN_RECORDS 1000u

struct dlq {
    const struct sc_setup *su;
    const struct sc_project *project;
    const char *code, *stage, *topic, *since, *until; /* NULL: any */
    int64_t since_ms, until_ms;
    bool yes, again, sent; /* sent: some are in their topics already */
    char group[80];        /* of this choice */
    SC_VEC(int64_t) next;  /* by partition of the dead letters: read so far, -1 nothing */
    struct sc_arena ar;
    struct sc_map seen; /* topic, key and value of what was sent already, as a hash */
    struct sc_kafka_sender *to;
    struct sc_kafka_tap *in;
    uint64_t read, chosen, cut, foreign, repeated, open;
};

static struct sc_str header(const struct sc_header *hs, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (sc_str_eqz(hs[i].name, name))
            return hs[i].value;
    return SC_STR_NULL;
}

/* Where our headers begin: behind the record's own, which may have the same names (it was a dead
 * letter of somebody else's before). n: there are none. */
static uint32_t ours_from(const struct sc_header *hs, uint32_t n)
{
    for (uint32_t i = n; i-- > 0;)
        if (sc_str_eqz(hs[i].name, "__connect.errors.topic"))
            return i;
    return n;
}

/* The source topic a dead letter came from, NUL-terminated; NULL: none of these sources'. */
static const char *source_topic(const struct dlq *d, struct sc_str name)
{
    for (uint32_t i = 0; i < d->project->taxonomy->n_sources; i++)
        if (sc_str_eqz(name, d->su->sources[i]))
            return d->su->sources[i];
    return NULL;
}

static bool is_asked_for(const struct dlq *d, const struct sc_msg *m, const struct sc_header *hs,
                         uint32_t n)
{
    struct sc_str code = header(hs, n, "stagecoach.error.code");
    struct sc_str stage = header(hs, n, "__connect.errors.stage");
    struct sc_str topic = header(hs, n, "__connect.errors.topic");
    return (d->code == NULL || sc_str_eqz(code, d->code)) &&
           (d->stage == NULL || sc_str_eqz(stage, d->stage)) &&
           (d->topic == NULL || sc_str_eqz(topic, d->topic)) &&
           (d->since == NULL || m->timestamp_ms >= d->since_ms) &&
           (d->until == NULL || m->timestamp_ms < d->until_ms);
}

/* One record may have left several dead letters. */
static bool is_new(struct dlq *d, const char *topic, const struct sc_msg *m)
{
    uint64_t h[2] = {sc_hash_xxh3(m->value.p, m->value.len, m->key.len),
                     sc_hash_xxh3(m->key.p, m->key.len, sc_hash_xxh3(topic, strlen(topic), 0))};
    struct sc_str key = sc_str_dup(&d->ar, (struct sc_str){(const char *)h, sizeof(h)});
    return sc_map_put(&d->seen, key, d) == NULL;
}

static bool commit(struct dlq *d)
{
    const struct sc_kafka_place place = {
        d->group, d->su->engine.topics.v[SC_OUT_DEAD_LETTERS].name.p, d->next.v, d->next.n};
    d->open = 0;
    return sc_kafka_sender_commit(d->to, &place);
}

/* `n_own` headers came with the record. */
static bool send(struct dlq *d, const char *topic, const struct sc_msg *m, int64_t partition,
                 const struct sc_header *own, uint32_t n_own)
{
    struct sc_out out = {.partition = (int32_t)partition, .key = m->key, .value = m->value,
                         .timestamp_ms = m->timestamp_ms, .headers = own, .n_headers = n_own};
    if (!sc_kafka_sender_put(d->to, topic, &out))
        return false;
    if (++d->open < TXN_RECORDS)
        return true;
    bool fine = commit(d);
    d->sent |= fine;
    return fine;
}

static bool take(struct dlq *d, const struct sc_msg *m, const struct sc_header *hs, uint32_t n)
{
    uint32_t own = ours_from(hs, n);
    const struct sc_header *ours = hs + own;
    d->read++;
    while (d->next.n <= (uint32_t)m->partition)
        SC_VEC_PUSH(&d->ar, &d->next, -1);
    d->next.v[m->partition] = m->offset + 1;
    if (!is_asked_for(d, m, ours, n - own))
        return true;
    const char *topic = source_topic(d, header(ours, n - own, "__connect.errors.topic"));
    bool cut = header(ours, n - own, "stagecoach.truncated").len > 0;
    int64_t partition = -1;
    sc_str_int(header(ours, n - own, "__connect.errors.partition"), &partition);
    d->foreign += topic == NULL;
    d->cut += topic != NULL && cut;
    if (topic == NULL || cut)
        return true;
    if (!is_new(d, topic, m)) {
        d->repeated++;
        return true;
    }
    d->chosen++;
    return !d->yes || send(d, topic, m, partition, hs, own);
}

static bool pour(struct dlq *d)
{
    struct sc_msg m;
    struct sc_header hs[HEADERS_MAX];
    uint32_t n;
    enum sc_err e = SC_ERR_TIMEOUT;
    for (int silent = 0; silent < SILENCE_MAX && (e == SC_ERR_OK || e == SC_ERR_TIMEOUT);) {
        e = sc_kafka_tap_next(d->in, POLL_MS, &m, hs, &n, HEADERS_MAX);
        silent = e == SC_ERR_TIMEOUT ? silent + 1 : 0;
        if (e == SC_ERR_OK && !take(d, &m, hs, n))
            return false; /* the sender has said why */
    }
    if (e == SC_ERR_NOT_FOUND)
        return true;
    fprintf(stderr, "stagecoach: topic %s cannot be read to its end: %s\n",
            d->su->engine.topics.v[SC_OUT_DEAD_LETTERS].name.p, sc_err_text(e));
    return false;
}

static void say(const struct dlq *d)
{
    printf("%llu dead letters read, %llu %s", (unsigned long long)d->read,
           (unsigned long long)d->chosen, d->yes ? "sent again" : "to be sent again");
    printf("; %llu several of one record, %llu cut off and %llu of no source here are left\n",
           (unsigned long long)d->repeated, (unsigned long long)d->cut,
           (unsigned long long)d->foreign);
    if (sc_kafka_tap_passed(d->in) > 0)
        printf("those before were looked at by a replay of the same choice: --again begins anew\n");
    if (!d->yes)
        printf("nothing was sent: --yes sends them\n");
}

/* Whoever chooses the same goes on at the same place. */
static void name_group(struct dlq *d)
{
    const char *const choice[] = {d->code, d->stage, d->topic, d->since, d->until};
    uint64_t h = 0;
    for (size_t i = 0; i < sizeof(choice) / sizeof(choice[0]); i++)
        h = choice[i] ? sc_hash_xxh3(choice[i], strlen(choice[i]), h + i + 1) : h;
    snprintf(d->group, sizeof(d->group), "%.50s-dlq-%016" PRIx64, d->su->resolve_group, h);
}

static int replay(struct dlq *d)
{
    struct sc_buf why = {0};
    char id[64];
    name_group(d);
    const struct sc_kafka_range all = {
        .topic = d->su->engine.topics.v[SC_OUT_DEAD_LETTERS].name.p, .partition = -1,
        .from = SC_FROM_START, .group = d->again ? NULL : d->group};
    snprintf(id, sizeof(id), "%.50s-dlq", d->su->resolve_group);
    d->in = sc_kafka_tap_create(&d->su->kafka, &all, &why);
    if (d->in == NULL)
        fprintf(stderr, "stagecoach: %.*s\n", (int)why.len, why.p);
    sc_buf_fini(&why);
    if (d->in && d->yes)
        d->to = sc_kafka_sender_create(&d->su->kafka, id);
    bool fine = d->in && (d->to || !d->yes) && pour(d) &&
                (d->to == NULL || commit(d));
    if (fine)
        say(d);
    else if (d->sent)
        fprintf(stderr, "stagecoach: broken off; a part was sent: start again, it goes on behind "
                        "that\n");
    if (d->to)
        sc_kafka_sender_destroy(d->to);
    sc_kafka_tap_destroy(d->in);
    return fine ? SC_EXIT_OK : SC_EXIT_UNAVAILABLE;
}

static bool parse_time(const char *name, const char *text, int64_t *ms)
{
    if (text == NULL || sc_time_parse(sc_str_from(text), NULL, ms, NULL))
        return true;
    fprintf(stderr, "stagecoach dlq: --%s: expected a time as 2026-03-01T00:00:00Z, found '%s'\n",
            name, text);
    return false;
}

/* What no dead letter has would choose nothing, for ever. */
static bool is_known(const char *option, const char *word, const char *(*name)(enum sc_drop),
                     const char *advice)
{
    bool known = word == NULL;
    for (int i = SC_DROP_NONE + 1; i < SC_DROP_COUNT; i++)
        known = known || (sc_drop_dead_letter((enum sc_drop)i) &&
                          strcmp(word, name((enum sc_drop)i)) == 0);
    if (!known)
        fprintf(stderr, "stagecoach dlq: --%s: no dead letter has '%s'; %s\n", option, word,
                advice);
    return known;
}

static bool is_source(const struct dlq *d)
{
    const struct sc_taxonomy *tx = d->project->taxonomy;
    if (d->topic == NULL || source_topic(d, sc_str_from(d->topic)))
        return true;
    fprintf(stderr, "stagecoach dlq: --topic: no source reads topic %s; sources read", d->topic);
    for (uint32_t i = 0; i < tx->n_sources; i++)
        fprintf(stderr, " %.*s", SC_STR_FMT(tx->sources[i].topic));
    fputc('\n', stderr);
    return false;
}

static int dlq_replay(int argc, char **argv)
{
    const char *config = SC_SETTINGS_DEFAULT;
    struct dlq d = {0};
    const struct sc_arg args[] = {
        {"config", 'c', SC_ARG_STR, &config, "FILE", "settings (default: stagecoach.yaml)"},
        {"code", 0, SC_ARG_STR, &d.code, "CODE", "only of this stagecoach.error.code"},
        {"stage", 0, SC_ARG_STR, &d.stage, "STAGE", "only of this __connect.errors.stage"},
        {"topic", 0, SC_ARG_STR, &d.topic, "TOPIC", "only of this source topic"},
        {"since", 0, SC_ARG_STR, &d.since, "TIME", "only records of this time and later"},
        {"until", 0, SC_ARG_STR, &d.until, "TIME", "only records before this time"},
        {"again", 0, SC_ARG_FLAG, &d.again, NULL, "also those that a replay of the same choice sent"},
        {"yes", 'y', SC_ARG_FLAG, &d.yes, NULL, "send them; without it they are only counted"},
        {0},
    };
    static const char about[] =
        "Sends dead letters to their source topics again: key, value, timestamp and headers as\n"
        "they came. What had gone through meanwhile is dropped as a copy. The same command again goes\n"
        "on behind what it sent.";
    const struct sc_command cmd = {"dlq replay [--config FILE] [options]", about, args, 0, 0};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    if (!parse_time("since", d.since, &d.since_ms) || !parse_time("until", d.until, &d.until_ms) ||
        !is_known("code", d.code, sc_drop_label, "docs/errors.md lists them") ||
        !is_known("stage", d.stage, sc_drop_stage, "there are VALUE_CONVERTER and TRANSFORMATION"))
        return SC_EXIT_USAGE;
    struct sc_project project = {0};
    struct sc_setup su = {0};
    sc_arena_init(&d.ar);
    sc_map_init(&d.seen, &d.ar);
    rc = sc_project_load_settings(&project, config);
    if (rc == SC_EXIT_OK)
        rc = sc_setup(&su, &project);
    d.su = &su;
    d.project = &project;
    if (rc == SC_EXIT_OK)
        rc = is_source(&d) ? replay(&d) : SC_EXIT_USAGE;
    sc_setup_fini(&su);
    sc_project_fini(&project);
    sc_arena_fini(&d.ar);
    return rc;
}

int sc_cmd_dlq(int argc, char **argv)
{
    static const struct sc_subject subjects[] = {
        {"replay", dlq_replay, "replay [--config FILE] [options]"},
        {0},
    };
    return sc_subjects_run("dlq", subjects, argc, argv);
}
