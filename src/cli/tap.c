/* stagecoach tap TOPIC: a topic's records as JSON lines, `journal` decoded. For people and tests:
 * reads committed records without a group, changes nothing. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/redact.h"
#include "cli/setup.h"
#include "codec/journal.h"
#include "codec/json_value.h"
#include "core/identity/identity.h"
#include "core/journey/state.h"
#include "kafka/kafka.h"

#include <stdio.h>
#include <unistd.h>

#define HEADERS_MAX 32u
#define POLL_MS 200

struct tap {
    const struct sc_project *project;
    struct sc_kafka_tap *in;
    struct sc_arena ar;
    struct sc_buf out;
    const struct sc_source *src; /* who reads the topic; NULL: nobody */
    bool journal, dead, follow, values, reveal;
    int64_t limit;
};

static void put_node(struct sc_jsonw *w, const char *key, const struct sc_node_id *n)
{
    char hex[32];
    if (sc_node_none(n))
        return;
    sc_node_hex(n, hex);
    sc_jsonw_keyz(w, key);
    sc_jsonw_str(w, (struct sc_str){hex, sizeof(hex)});
}

static void put_time(struct sc_jsonw *w, const char *key, int64_t ms)
{
    sc_jsonw_keyz(w, key);
    if (ms == SC_NEVER)
        sc_jsonw_null(w);
    else
        sc_jsonw_time(w, ms);
}

static void put_place(struct sc_jsonw *w, const struct sc_msg *m)
{
    sc_jsonw_keyz(w, "partition");
    sc_jsonw_int(w, m->partition);
    sc_jsonw_keyz(w, "offset");
    sc_jsonw_int(w, m->offset);
    put_time(w, "timestamp", m->timestamp_ms);
}

static void put_properties(struct sc_jsonw *w, const struct sc_taxonomy *tx,
                           const struct sc_event *ev, bool reveal)
{
    const struct sc_event_type *et = &tx->events[ev->type];
    sc_jsonw_keyz(w, "properties");
    sc_jsonw_obj(w);
    for (uint32_t i = 0; i < ev->n_props && i < et->n_props; i++) {
        if (!sc_is_value(ev->props[i]))
            continue;
        sc_jsonw_key(w, et->props[i].name);
        if (et->props[i].pii && !reveal)
            sc_jsonw_strz(w, "<pii>");
        else
            sc_value_json(ev->props[i], w);
    }
    sc_jsonw_obj_end(w);
}

static void put_event(struct sc_jsonw *w, const struct sc_taxonomy *tx, const struct sc_event *ev,
                      bool reveal)
{
    sc_jsonw_keyz(w, "event");
    sc_jsonw_str(w, ev->type < tx->n_events ? tx->events[ev->type].name : SC_STR_NULL);
    sc_jsonw_keyz(w, "id");
    sc_jsonw_str(w, ev->id);
    put_time(w, "occurred_at", ev->occurred_ms);
    sc_jsonw_keyz(w, "source");
    sc_jsonw_str(w, ev->source_name);
    if (ev->type < tx->n_events && ev->n_props)
        put_properties(w, tx, ev, reveal);
}

static void put_record(struct sc_jsonw *w, const struct sc_taxonomy *tx,
                       const struct sc_record *rec, bool reveal)
{
    put_node(w, "to", &rec->to);
    put_node(w, "home", &rec->home);
    put_node(w, "node", &rec->node);
    sc_jsonw_keyz(w, "hops");
    sc_jsonw_int(w, rec->hops);
    sc_jsonw_keyz(w, "links");
    sc_jsonw_int(w, rec->n_links);
    if (rec->has_heard)
        put_time(w, "heard", rec->heard_ms);
    if (rec->ev)
        put_event(w, tx, rec->ev, reveal);
}

static void put_heartbeat(struct sc_jsonw *w, const struct sc_heartbeat *hb)
{
    sc_jsonw_keyz(w, "progress");
    sc_jsonw_arr(w);
    for (uint32_t i = 0; i < hb->n; i++) {
        sc_jsonw_obj(w);
        sc_jsonw_keyz(w, "source");
        sc_jsonw_uint(w, hb->progress[i].source);
        sc_jsonw_keyz(w, "partition");
        sc_jsonw_int(w, hb->progress[i].partition);
        put_time(w, "to", hb->progress[i].ms);
        sc_jsonw_keyz(w, "idle");
        sc_jsonw_bool(w, hb->progress[i].idle);
        sc_jsonw_keyz(w, "empty");
        sc_jsonw_bool(w, hb->progress[i].empty);
        sc_jsonw_obj_end(w);
    }
    sc_jsonw_arr_end(w);
}

/* A switch, so that the compiler asks for the name of a kind that is new. */
static const char *kind_name(enum sc_record_kind kind)
{
    switch (kind) {
    case SC_REC_EVENT:
        return "event";
    case SC_REC_LINK:
        return "link";
    case SC_REC_STATE:
        return "state";
    case SC_REC_RETURN:
        return "return";
    case SC_REC_SPLIT:
        return "split";
    case SC_REC_LEAVE:
        return "leave";
    case SC_REC_ERASE:
        return "erase";
    case SC_REC_ASK:
        return "ask";
    case SC_REC_HEARTBEAT:
        return "heartbeat";
    case SC_REC_TRAILER:
        return "trailer";
    }
    SC_UNREACHABLE("record kind");
}

static void print(struct tap *tp)
{
    printf("%.*s\n", (int)tp->out.len, tp->out.p);
}

static void journal_line(struct tap *tp, const struct sc_msg *m, const struct sc_frame_item *it)
{
    struct sc_jsonw w;
    tp->out.len = 0;
    sc_jsonw_init(&w, &tp->out);
    sc_jsonw_obj(&w);
    sc_jsonw_keyz(&w, "kind");
    sc_jsonw_strz(&w, kind_name((enum sc_record_kind)it->kind));
    put_place(&w, m);
    if (it->kind == SC_REC_HEARTBEAT)
        put_heartbeat(&w, &it->heartbeat);
    else if (it->kind != SC_REC_TRAILER)
        put_record(&w, tp->project->taxonomy, &it->rec, tp->reveal);
    if (it->kind == SC_REC_TRAILER) {
        sc_jsonw_keyz(&w, "writer");
        sc_jsonw_uint(&w, it->trailer.boot);
        sc_jsonw_keyz(&w, "k");
        sc_jsonw_uint(&w, it->trailer.k);
    }
    sc_jsonw_obj_end(&w);
    print(tp);
}

static void frame_lines(struct tap *tp, const struct sc_msg *m)
{
    struct sc_frame_reader rd;
    struct sc_frame_item it;
    sc_arena_reset(&tp->ar, 1u << 20);
    if (!sc_frame_open(&rd, tp->project->journey, m->value, &tp->ar)) {
        fprintf(stderr, "stagecoach: partition %d offset %lld: no frame of this release\n",
                m->partition, (long long)m->offset);
        return;
    }
    while (sc_frame_next(&rd, &it) == 1)
        journal_line(tp, m, &it);
}

/* One record, one line: between its values JSON may have line ends, in its strings it has none. */
static void put_json(struct sc_jsonw *w, struct sc_str json, struct sc_arena *ar)
{
    struct sc_str line = sc_str_dup(ar, json);
    for (char *c = (char *)(uintptr_t)line.p; c < line.p + line.len; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    sc_jsonw_raw(w, line);
}

/* JSON stands as it is, what is not text is left out but for its length. */
static void put_bytes(struct sc_jsonw *w, struct sc_str value, struct sc_arena *ar)
{
    struct sc_value v;
    struct sc_str why;
    if (value.p == NULL)
        sc_jsonw_null(w);
    else if (value.len && value.p[0] == '{' && sc_json_value(value, ar, &v, &why))
        put_json(w, value, ar);
    else if (sc_str_utf8_ok(value))
        sc_jsonw_str(w, value);
    else
        sc_jsonw_str(w, sc_str_printf(ar, "<%zu bytes>", value.len));
}

/* Whose record a dead letter was: its own headers stand last. */
static const struct sc_source *source_of(const struct tap *tp, const struct sc_header *hs,
                                         uint32_t n)
{
    const struct sc_taxonomy *tx = tp->project->taxonomy;
    for (uint32_t i = tp->dead ? n : 0; i-- > 0;) {
        if (!sc_str_eqz(hs[i].name, "__connect.errors.topic"))
            continue;
        for (uint32_t s = 0; s < tx->n_sources; s++)
            if (sc_str_eq(tx->sources[s].topic, hs[i].value))
                return &tx->sources[s];
        break;
    }
    return tp->src;
}

/* A source's record, also as a dead letter: what the taxonomy says is personal is hidden, and all
 * of it where it does not say what stands where. */
static void put_value(struct tap *tp, struct sc_jsonw *w, const struct sc_msg *m,
                      const struct sc_source *src)
{
    bool raw = tp->src || tp->dead;
    if (tp->reveal || !raw || m->value.p == NULL)
        put_bytes(w, m->value, &tp->ar);
    else if (src == NULL || src->format != SC_FORMAT_JSON ||
             !sc_redact_json(src, tp->project->taxonomy, m->value, &tp->ar, w))
        sc_jsonw_str(w, sc_str_printf(&tp->ar, "<%zu bytes>", m->value.len));
}

static void plain_line(struct tap *tp, const struct sc_msg *m, const struct sc_header *hs,
                       uint32_t n)
{
    const struct sc_source *src = source_of(tp, hs, n);
    struct sc_jsonw w;
    tp->out.len = 0;
    sc_arena_reset(&tp->ar, 1u << 20);
    sc_jsonw_init(&w, &tp->out);
    if (tp->values) {
        put_value(tp, &w, m, src);
        print(tp);
        return;
    }
    sc_jsonw_obj(&w);
    put_place(&w, m);
    sc_jsonw_keyz(&w, "key");
    if ((tp->src || tp->dead) && !tp->reveal && m->key.p) /* often an identifier */
        sc_jsonw_str(&w, sc_str_printf(&tp->ar, "<%zu bytes>", m->key.len));
    else
        put_bytes(&w, m->key, &tp->ar);
    sc_jsonw_keyz(&w, "headers");
    sc_jsonw_obj(&w);
    for (uint32_t i = 0; i < n; i++) {
        sc_jsonw_key(&w, hs[i].name);
        put_bytes(&w, hs[i].value, &tp->ar);
    }
    sc_jsonw_obj_end(&w);
    sc_jsonw_keyz(&w, "value");
    put_value(tp, &w, m, src);
    sc_jsonw_obj_end(&w);
    print(tp);
}

static int pour(struct tap *tp)
{
    struct sc_msg m;
    struct sc_header hs[HEADERS_MAX];
    uint32_t n;
    for (int64_t lines = 0; tp->limit == 0 || lines < tp->limit;) {
        enum sc_err e = sc_kafka_tap_next(tp->in, POLL_MS, &m, hs, &n, HEADERS_MAX);
        if (e == SC_ERR_NOT_FOUND && !tp->follow)
            return SC_EXIT_OK;
        if (e != SC_ERR_OK) {
            fflush(stdout);
            if (e == SC_ERR_UNAVAILABLE && !tp->follow)
                return SC_EXIT_UNAVAILABLE;
            continue;
        }
        lines++;
        if (tp->journal)
            frame_lines(tp, &m);
        else
            plain_line(tp, &m, hs, n);
    }
    return SC_EXIT_OK;
}

static int tap(struct tap *tp, const struct sc_setup *su, const char *topic, bool from_end)
{
    struct sc_buf why = {0};
    const char *name = topic;
    tp->journal = strcmp(topic, "journal") == 0;
    if (tp->journal)
        name = su->engine.topics.v[SC_OUT_JOURNAL].name.p;
    tp->dead = sc_str_eqz(su->engine.topics.v[SC_OUT_DEAD_LETTERS].name, name);
    for (uint32_t s = 0; s < su->project->taxonomy->n_sources; s++)
        if (strcmp(su->sources[s], name) == 0)
            tp->src = &su->project->taxonomy->sources[s];
    const struct sc_kafka_range all = {.topic = name, .partition = -1,
                                       .from = from_end ? SC_FROM_END : SC_FROM_START};
    tp->in = sc_kafka_tap_create(&su->kafka, &all, &why);
    int rc = SC_EXIT_UNAVAILABLE;
    if (tp->in == NULL)
        fprintf(stderr, "stagecoach: %.*s\n", (int)why.len, why.p);
    else
        rc = pour(tp);
    sc_kafka_tap_destroy(tp->in);
    sc_buf_fini(&why);
    return rc;
}

int sc_cmd_tap(int argc, char **argv)
{
    const char *config = SC_SETTINGS_DEFAULT;
    bool from_end = false;
    struct tap tp = {0};
    const struct sc_arg args[] = {
        {"config", 'c', SC_ARG_STR, &config, "FILE", "settings (default: stagecoach.yaml)"},
        {"end", 0, SC_ARG_FLAG, &from_end, NULL, "begin at the end, not at the start"},
        {"follow", 'f', SC_ARG_FLAG, &tp.follow, NULL, "go on at the end"},
        {"values", 0, SC_ARG_FLAG, &tp.values, NULL, "values alone, without place and headers"},
        {"limit", 'n', SC_ARG_INT, &tp.limit, "N", "stop after N records; 0: never"},
        {"reveal", 0, SC_ARG_FLAG, &tp.reveal, NULL,
         "identifiers, personal properties, keys and what is no JSON, as they are"},
        {0},
    };
    static const char about[] =
        "Prints a topic as JSON lines; `journal` is the journal of the settings, decoded.\n"
        "Properties marked pii are not shown; of sources and dead letters neither are identifiers\n"
        "and keys, and of what is no JSON only how long it is.";
    const struct sc_command cmd = {"tap TOPIC|journal [--config FILE] [options]", about, args, 1,
                                   1};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    struct sc_project project = {0};
    struct sc_setup su = {0};
    sc_arena_init(&tp.ar);
    rc = sc_project_load_settings(&project, config);
    if (rc == SC_EXIT_OK)
        rc = sc_setup(&su, &project);
    tp.project = &project;
    if (rc == SC_EXIT_OK)
        rc = tap(&tp, &su, words.v[0], from_end);
    sc_setup_fini(&su);
    sc_project_fini(&project);
    sc_arena_fini(&tp.ar);
    sc_buf_fini(&tp.out);
    return rc;
}
