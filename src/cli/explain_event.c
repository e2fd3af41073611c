/* stagecoach explain event TOPIC:PARTITION:OFFSET: one record of a source, taken through the same
 * decoder and intake as in `run`, then looked for in what came of it: the journal, the dead
 * letters, the outbound topics. Nothing is changed, no group is joined. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/clock.h"
#include "cli/explain.h"
#include "cli/live.h"
#include "cli/registry.h"

#include "base/time.h"
#include "engine/decoders.h"

#include <stdio.h>
#include <stdlib.h>

struct event {
    struct sc_live *lv;
    const struct sc_source *src;
    int32_t partition;
    int64_t offset;
    bool reveal;
    /* what was found */
    bool there;
    bool unknown;        /* its schema cannot be had: no verdict */
    struct sc_event *ev; /* NULL: not accepted */
    bool wrote;          /* something came of it */
    const struct sc_state *st; /* whose it is now; NULL: nobody's */
    struct sc_buf text;
};

/* TOPIC:PARTITION:OFFSET, `topic` borrowed; the message is printed when it is none. */
static bool parse(struct event *ex, const char *word, struct sc_str *topic)
{
    struct sc_str s = sc_str_from(word);
    const char *second = memrchr(s.p, ':', s.len);
    const char *first = second ? memrchr(s.p, ':', (size_t)(second - s.p)) : NULL;
    int64_t partition = -1;
    bool fine = first && first > s.p &&
                sc_str_int((struct sc_str){first + 1, (size_t)(second - first - 1)}, &partition) &&
                sc_str_int(sc_str_from(second + 1), &ex->offset);
    if (!fine || partition < 0 || partition > INT32_MAX || ex->offset < 0) {
        fprintf(stderr,
                "stagecoach explain: '%s': expected TOPIC:PARTITION:OFFSET (shop.orders:0:4711)\n",
                word);
        return false;
    }
    ex->partition = (int32_t)partition;
    *topic = (struct sc_str){s.p, (size_t)(first - s.p)};
    return true;
}

/* The source that reads `topic`; the message is printed when none does. */
static bool find_source(struct event *ex, struct sc_str topic)
{
    const struct sc_taxonomy *tx = ex->lv->project.taxonomy;
    for (uint32_t i = 0; i < tx->n_sources; i++)
        if (sc_str_eq(tx->sources[i].topic, topic))
            ex->src = &tx->sources[i];
    if (ex->src)
        return true;
    fprintf(stderr, "stagecoach explain: no source reads topic %.*s; sources read",
            SC_STR_FMT(topic));
    for (uint32_t i = 0; i < tx->n_sources; i++)
        fprintf(stderr, " %.*s", SC_STR_FMT(tx->sources[i].topic));
    fputc('\n', stderr);
    return false;
}

/* ---- the record itself */

static enum sc_drop intake(struct event *ex, const struct sc_msg *m, struct sc_fault *fault)
{
    struct sc_live *lv = ex->lv;
    _Atomic bool stop = true; /* a registry that is down is not waited for */
    struct sc_registry *registry = NULL;
    char why[SC_REGISTRY_WHY] = "";
    struct sc_registry_options options = sc_registry_options(&lv->su);
    struct sc_worker w = {.cfg = &lv->su.engine, .clock = sc_clock_system, .stop = &stop};
    struct sc_event *ev = SC_NEW(&lv->ar, struct sc_event);
    const struct sc_decoders_in in = {
        .source = ex->src, .ps = lv->ps, .ar = &lv->ar,
        .value = m->value.p ? sc_str_dup(&lv->ar, m->value) : m->value,
        .meta = {.timestamp_ms = m->timestamp_ms,
                 .origin = {ex->src->topic, m->partition, m->offset}},
    };
    enum sc_drop drop;
    if (options.url.len && sc_registry_create(&options, &registry, why) == SC_ERR_OK)
        w.schemas = sc_registry_port(registry);
    struct sc_decoders *dc = sc_decoders_create(&w, lv->su.schema_files);
    enum sc_err e = sc_decoders_event(dc, &in, ev, &drop, fault);
    ex->unknown = e != SC_ERR_OK;
    if (e != SC_ERR_OK) {
        if (registry)
            sc_registry_why(registry, why);
        fprintf(stderr, "stagecoach explain: its schema cannot be had, `run` waits for it: %s\n",
                why[0] ? why : sc_err_text(e));
    } else if (drop == SC_DROP_NONE) {
        sc_intake_end(lv->project.taxonomy, lv->ps, &lv->ar, ev);
        ex->ev = ev;
    }
    sc_decoders_destroy(dc);
    sc_registry_close(registry);
    return drop;
}

static void print_event(struct event *ex)
{
    char when[32], hex[32];
    const struct sc_event *ev = ex->ev;
    const struct sc_taxonomy *tx = ex->lv->project.taxonomy;
    ex->text.len = 0;
    sc_live_event_text(tx, ev, ex->reveal, &ex->text);
    printf("accepted: %.*s\n", (int)ex->text.len, ex->text.p);
    printf("  id          %.*s\n", SC_STR_FMT(ev->id));
    printf("  occurred_at %.*s%s\n", (int)sc_time_format(ev->occurred_ms, when), when,
           ev->clamped ? ", over 23 h in the future: taken back to the record's time" : "");
    if (ev->deprecated)
        printf("  by a deprecated name\n");
    for (uint32_t i = 0; i < ev->n_ids; i++) {
        sc_node_hex(&ev->ids[i].node, hex);
        struct sc_str name = tx->namespaces[ev->ids[i].ns].name;
        printf("  %-11.*s %.32s", SC_STR_FMT(name), hex);
        if (ex->reveal)
            printf("  %.*s", SC_STR_FMT(ev->ids[i].value));
        putchar('\n');
    }
}

static bool take_source(void *arg, const struct sc_msg *m, const struct sc_header *hs, uint32_t n)
{
    struct event *ex = arg;
    struct sc_fault fault = {0};
    char when[32];
    (void)hs, (void)n;
    if (m->offset != ex->offset)
        return false; /* a transaction's marker, or compacted away */
    ex->there = true;
    printf("record %.*s:%d:%lld, %zu bytes, %.*s\n", SC_STR_FMT(ex->src->topic), m->partition,
           (long long)m->offset, m->value.len, (int)sc_time_format(m->timestamp_ms, when), when);
    enum sc_drop drop = intake(ex, m, &fault);
    if (ex->ev)
        print_event(ex);
    else if (!ex->unknown)
        printf("%s: %s%s%.*s%s%s (`stagecoach explain code %s` says what to do)\n",
               sc_drop_dead_letter(drop) ? "dead letter" : "dropped and counted",
               sc_drop_text(drop), fault.path.len ? ", " : "", SC_STR_FMT(fault.path),
               fault.text[0] ? ": " : "", fault.text, sc_drop_label(drop));
    return false;
}

/* ---- what came of it */

static bool is_it(const struct event *ex, const struct sc_origin *at)
{
    return at->offset == ex->offset && at->partition == ex->partition &&
           sc_str_eq(at->topic, ex->src->topic);
}

static bool take_frame(void *arg, const struct sc_msg *m, const struct sc_header *hs, uint32_t n)
{
    struct event *ex = arg;
    struct sc_frame_reader rd;
    struct sc_frame_item it;
    (void)hs, (void)n;
    sc_arena_reset(&ex->lv->line, 1u << 20);
    if (!sc_frame_open(&rd, ex->lv->project.journey, m->value, &ex->lv->line))
        return true;
    while (sc_frame_next(&rd, &it) == 1) {
        if (it.kind != SC_REC_EVENT || !is_it(ex, &it.event.origin))
            continue;
        char to[32], when[32];
        sc_node_hex(&it.rec.to, to);
        printf("journal %d:%lld at %.*s: to %.32s", m->partition, (long long)m->offset,
               (int)sc_time_format(m->timestamp_ms, when), when, to);
        if (it.rec.n_links)
            printf(", %u links to decide first", it.rec.n_links);
        if (it.rec.hops)
            printf(", forwarded (hop %u)", it.rec.hops);
        putchar('\n');
        ex->wrote = true;
    }
    return true;
}

static bool header_is(const struct sc_header *hs, uint32_t n, const char *name, struct sc_str value)
{
    for (uint32_t i = n; i-- > 0;) /* ours stand last */
        if (sc_str_eqz(hs[i].name, name))
            return sc_str_eq(hs[i].value, value);
    return false;
}

static bool take_dead(void *arg, const struct sc_msg *m, const struct sc_header *hs, uint32_t n)
{
    struct event *ex = arg;
    struct sc_arena *ar = &ex->lv->line;
    sc_arena_reset(ar, 1u << 20);
    if (!header_is(hs, n, "__connect.errors.topic", ex->src->topic) ||
        !header_is(hs, n, "__connect.errors.partition", sc_str_printf(ar, "%d", ex->partition)) ||
        !header_is(hs, n, "__connect.errors.offset",
                   sc_str_printf(ar, "%lld", (long long)ex->offset)))
        return true;
    printf("dead letter %d:%lld of %.*s\n", m->partition, (long long)m->offset,
           SC_STR_FMT(ex->lv->su.engine.topics.v[SC_OUT_DEAD_LETTERS].name));
    ex->wrote = true;
    return true;
}

/* The customer, or one that it has absorbed: another source may have the same id for somebody else. */
static bool is_theirs(const struct event *ex, struct sc_value customer)
{
    struct sc_node_id node;
    if (ex->st == NULL || customer.type != SC_T_STRING ||
        !sc_node_parse_hex(sc_value_str(customer), &node))
        return true; /* nobody knows better */
    bool found = sc_node_eq(&node, &ex->st->node);
    for (uint32_t i = 0; i < ex->st->members.n && !found; i++)
        found = sc_node_eq(&node, &ex->st->members.v[i].node);
    for (uint32_t i = 0; i < ex->st->former.n && !found; i++)
        found = sc_node_eq(&node, &ex->st->former.v[i]);
    return found;
}

static bool take_effect(void *arg, const struct sc_value *fields)
{
    struct event *ex = arg;
    struct sc_value events = fields[SC_LV_EVENTS];
    if (!is_theirs(ex, fields[SC_LV_CUSTOMER]))
        return true;
    for (uint32_t i = 0; events.type == SC_T_LIST && i < events.len; i++) {
        if (events.list[i].type != SC_T_STRING ||
            !sc_str_eq(sc_value_str(events.list[i]), ex->ev->id))
            continue;
        ex->text.len = 0;
        sc_live_effect_text(fields, &ex->text);
        printf("%.*s", (int)ex->text.len, ex->text.p);
        break;
    }
    return true;
}

static void print_customer(struct event *ex)
{
    struct sc_node_id node = ex->ev->ids[0].node;
    struct sc_buf why = {0};
    char hex[32];
    const struct sc_state *st = sc_live_state(ex->lv, &node, &why);
    ex->st = st && st->kind == SC_STATE_ROOT ? st : NULL;
    sc_node_hex(&node, hex);
    if (st && st->kind == SC_STATE_ROOT)
        printf("customer %.32s, %llu events, in stage %.*s\n", hex,
               (unsigned long long)st->n_events,
               SC_STR_FMT(ex->lv->project.journey->stages[st->place[0].stage].name));
    else if (!ex->lv->unread)
        printf("customer %.32s: %s\n", hex, st ? "forgotten" : "nothing is stored");
    if (why.len)
        fprintf(stderr, "stagecoach explain: %.*s\n", (int)why.len, why.p);
    sc_buf_fini(&why);
}

static enum sc_err consequences(struct event *ex)
{
    const struct sc_out_topics *outs = &ex->lv->su.engine.topics;
    struct sc_kafka_range range = {.topic = outs->v[SC_OUT_JOURNAL].name.p, .partition = -1,
                                   .from = SC_FROM_START};
    enum sc_err e = sc_live_read(ex->lv, &range, take_frame, ex);
    range.topic = outs->v[SC_OUT_DEAD_LETTERS].name.p;
    enum sc_err d = sc_live_read(ex->lv, &range, take_dead, ex);
    e = e == SC_ERR_OK ? d : e;
    if (ex->ev && ex->ev->n_ids == 0)
        printf("it has no identifier that counts: valid, counted, and nobody's\n");
    else if (!ex->wrote)
        printf("the journal has nothing of it: not read yet, or from before what the journal keeps\n");
    if (e != SC_ERR_OK || ex->ev == NULL || ex->ev->n_ids == 0)
        return e;
    print_customer(ex);
    return sc_live_effects(ex->lv, NULL, take_effect, ex);
}

static int explain(struct event *ex)
{
    const struct sc_kafka_range range = {.topic = sc_str_dup(&ex->lv->ar, ex->src->topic).p,
                                         .partition = ex->partition, .from = ex->offset};
    enum sc_err e = sc_live_read(ex->lv, &range, take_source, ex);
    if (!ex->there) {
        fprintf(stderr, "stagecoach explain: there is no record at %s:%d:%lld\n", range.topic,
                range.partition, (long long)range.from);
        return e == SC_ERR_UNAVAILABLE ? SC_EXIT_UNAVAILABLE : SC_EXIT_FINDINGS;
    }
    e = consequences(ex);
    return e == SC_ERR_OK && !ex->unknown && !ex->lv->unread ? SC_EXIT_OK : SC_EXIT_UNAVAILABLE;
}

int sc_explain_event(int argc, char **argv)
{
    struct sc_live lv = {0};
    struct event ex = {.lv = &lv};
    const char *config = SC_SETTINGS_DEFAULT;
    const struct sc_arg args[] = {
        {"config", 'c', SC_ARG_STR, &config, "FILE", "settings (default: stagecoach.yaml)"},
        {"reveal", 0, SC_ARG_FLAG, &ex.reveal, NULL, "identifiers and personal properties as they are"},
        {0},
    };
    static const char about[] =
        "What one record of a source is, and what became of it in the running system: the event or\n"
        "the fault, its identifiers' nodes, where it stands in the journal or the dead letters, whose\n"
        "it is, and the messages, transitions and links that name it. Reads only.";
    const struct sc_command cmd = {"explain event TOPIC:PARTITION:OFFSET [options]", about, args, 1,
                                   1};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    struct sc_str topic;
    if (!parse(&ex, words.v[0], &topic))
        return SC_EXIT_USAGE;
    rc = sc_live_init(&lv, config);
    if (rc == SC_EXIT_OK)
        rc = find_source(&ex, topic) ? explain(&ex) : SC_EXIT_USAGE;
    sc_buf_fini(&ex.text);
    sc_live_fini(&lv);
    return rc;
}
