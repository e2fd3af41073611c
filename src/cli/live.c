/* See live.h. A state in Redis is at most a flush behind; what the state log has since then is read
 * behind the stamp, so that what is told is what was committed. Without Redis the log alone has it. */
#include "cli/live.h"

#include "base/assert.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/registry.h"
#include "codec/seal.h"
#include "codec/state.h"
#include "core/identity/identity.h"
#include "redis/redis.h"

#include <stdio.h>

#define POLL_MS 200
#define SILENCE_MAX 150 /* polls without an answer: half a minute */
#define HEADERS_MAX 96u
#define LINE_KEEP (4u << 20)

int sc_live_init(struct sc_live *lv, const char *settings)
{
    sc_log_setup(SC_LOG_ERROR, SC_LOG_LOGFMT);
    sc_arena_init(&lv->ar);
    sc_arena_init(&lv->line);
    lv->name = lv->name ? lv->name : "explain";
    int rc = sc_project_load_settings(&lv->project, settings);
    if (rc == SC_EXIT_OK)
        rc = sc_setup(&lv->su, &lv->project);
    if (rc != SC_EXIT_OK)
        return rc;
    lv->ps = sc_pseudonyms_create(lv->project.taxonomy, lv->su.identity_key,
                                  (uint8_t)lv->project.settings->identity.key_version, 64);
    lv->view = sc_redis_view_create(&lv->su.redis);
    return SC_EXIT_OK;
}

void sc_live_fini(struct sc_live *lv)
{
    if (lv->view)
        lv->view->ops->close(lv->view);
    if (lv->ps)
        sc_pseudonyms_destroy(lv->ps);
    sc_setup_fini(&lv->su);
    sc_project_fini(&lv->project);
    sc_arena_fini(&lv->ar);
    sc_arena_fini(&lv->line);
}

/* ---- reading topics */

enum sc_err sc_live_read(struct sc_live *lv, const struct sc_kafka_range *range,
                         sc_live_message_fn *fn, void *arg)
{
    struct sc_buf why = {0};
    struct sc_header hs[HEADERS_MAX];
    struct sc_msg m;
    uint32_t n, silent = 0;
    enum sc_err e = SC_ERR_TIMEOUT;
    struct sc_kafka_tap *tp = sc_kafka_tap_create(&lv->su.kafka, range, &why);
    if (tp == NULL) {
        fprintf(stderr, "stagecoach %s: %.*s\n", lv->name, (int)why.len, why.p);
        e = SC_ERR_UNAVAILABLE;
    }
    while (tp && (e == SC_ERR_OK || e == SC_ERR_TIMEOUT) && silent < SILENCE_MAX) {
        e = sc_kafka_tap_next(tp, POLL_MS, &m, hs, &n, HEADERS_MAX);
        silent = e == SC_ERR_TIMEOUT ? silent + 1 : 0;
        if (e == SC_ERR_OK && !fn(arg, &m, hs, n))
            e = SC_ERR_NOT_FOUND;
    }
    if (tp && (e == SC_ERR_TIMEOUT || e == SC_ERR_UNAVAILABLE))
        fprintf(stderr, "stagecoach %s: topic %s cannot be read to its end\n", lv->name,
                range->topic);
    sc_kafka_tap_destroy(tp);
    sc_buf_fini(&why);
    return e == SC_ERR_NOT_FOUND ? SC_ERR_OK : e;
}

/* ---- states */

struct newest {
    struct sc_live *lv;
    struct sc_node_id node;
    struct sc_str state; /* p == NULL: none */
};

static bool take_seal(void *arg, const struct sc_msg *m, const struct sc_header *hs, uint32_t n)
{
    struct newest *nw = arg;
    struct sc_seal_reader rd;
    struct sc_image im;
    (void)hs, (void)n;
    sc_arena_reset(&nw->lv->line, LINE_KEEP);
    if (!sc_seal_open(&rd, m->value, &nw->lv->line))
        return true;
    while (sc_seal_next(&rd, &im) == 1)
        if (sc_node_eq(&im.node, &nw->node))
            nw->state = im.state.p ? sc_str_dup(&nw->lv->ar, im.state) : SC_STR_NULL;
    return true;
}

static struct sc_str stored(struct sc_live *lv, struct sc_node_id node, struct sc_buf *why)
{
    uint32_t p = sc_node_partition(&node, lv->su.engine.partitions);
    struct sc_view_item item = {.node = node};
    struct sc_stamp stamp = {0};
    struct newest nw = {.lv = lv, .node = node};
    struct sc_kafka_range range = {.topic = lv->su.engine.topics.v[SC_OUT_STATE].name.p,
                                   .partition = (int32_t)p, .from = SC_FROM_START};
    if (lv->view->ops->read(lv->view, p, &stamp, &item, 1) != SC_ERR_OK)
        sc_buf_addz(why, "Redis does not answer: read from the state log alone");
    else if (stamp.incarnation) {
        nw.state = item.state.p ? sc_str_dup(&lv->ar, item.state) : SC_STR_NULL;
        range.from = stamp.offset + 1;
    }
    if (sc_live_read(lv, &range, take_seal, &nw) != SC_ERR_OK) {
        sc_buf_addf(why, "%sthe state log cannot be read%s", why->len ? "; " : "",
                    nw.state.p ? ": this may be a little old" : "");
        lv->unread = nw.state.p == NULL;
    }
    return nw.state;
}

/* NULL, and false. */
static void *unreadable(struct sc_live *lv, struct sc_buf *why, const char *text)
{
    sc_buf_addz(why, text);
    lv->unread = true;
    return NULL;
}

struct sc_state *sc_live_node(struct sc_live *lv, const struct sc_node_id *node,
                              struct sc_buf *why)
{
    why->len = 0;
    struct sc_str bytes = stored(lv, *node, why);
    if (bytes.p == NULL)
        return NULL;
    struct sc_state *st = sc_state_decode(lv->project.journey, *node, bytes, &lv->ar);
    return st ? st : unreadable(lv, why, "the stored state cannot be read: of a newer release, or "
                                         "damaged");
}

struct sc_state *sc_live_state(struct sc_live *lv, struct sc_node_id *node, struct sc_buf *why)
{
    for (int hops = 0; hops < SC_HOPS_MAX; hops++) {
        struct sc_state *st = sc_live_node(lv, node, why);
        if (st == NULL || st->kind != SC_STATE_ALIAS)
            return st;
        *node = st->parent;
    }
    return unreadable(lv, why, "a chain of aliases without end");
}

/* ---- outbound records */

static const char *const field_names[SC_LV_COUNT] = {
    "type", "at", "customer", "rule", "events", "id", "channel", "message", "reason", "until",
    "gates", "from", "to", "cause", "action", "violation", "strong", "weak", "node"};

struct outbound {
    struct sc_live *lv;
    bool (*key)(void *arg, struct sc_str key);
    sc_live_effect_fn *fn;
    void *arg;
    const struct sc_decoder *decoder;
    int32_t format;
    uint64_t unread;
};

static const struct sc_projection *wanted(struct sc_arena *ar)
{
    struct sc_projection *want = SC_NEW(ar, struct sc_projection);
    want->wants = SC_NEW_N(ar, struct sc_want, SC_LV_COUNT);
    want->n = SC_LV_COUNT;
    for (uint32_t i = 0; i < want->n; i++) {
        struct sc_step *step = SC_NEW(ar, struct sc_step);
        *step = (struct sc_step){.kind = SC_STEP_FIELD, .name = sc_str_from(field_names[i])};
        want->wants[i].path = (struct sc_path){step, 1, step->name};
    }
    return want;
}

static bool take_outbound(void *arg, const struct sc_msg *m, const struct sc_header *hs,
                          uint32_t n)
{
    struct outbound *ob = arg;
    struct sc_value fields[SC_LV_COUNT];
    struct sc_fault fault;
    struct sc_str body = m->value;
    uint32_t id, index[SC_DECODE_DEPTH], n_index;
    (void)hs, (void)n;
    if (body.p == NULL || (ob->key && !ob->key(ob->arg, m->key)))
        return true;
    sc_arena_reset(&ob->lv->line, LINE_KEEP);
    enum sc_drop drop = SC_DROP_NONE;
    if (ob->format != SC_FORMAT_JSON && ob->lv->project.settings->registry.url.len) {
        drop = sc_wire_read(m->value, &id, &body);
        if (drop == SC_DROP_NONE && ob->format == SC_FORMAT_PROTOBUF)
            drop = sc_wire_index(&body, index, &n_index);
    }
    if (drop == SC_DROP_NONE)
        drop = sc_decode(ob->decoder, body, &ob->lv->line, fields, &fault);
    ob->unread += drop != SC_DROP_NONE;
    return drop != SC_DROP_NONE || ob->fn(ob->arg, fields);
}

enum sc_err sc_live_effects(struct sc_live *lv, bool (*key)(void *arg, struct sc_str key),
                            sc_live_effect_fn *fn, void *arg)
{
    const struct sc_out_topics *outs = &lv->su.engine.topics;
    const struct sc_projection *want = wanted(&lv->ar);
    enum sc_err all = SC_ERR_OK;
    for (uint32_t i = SC_OUT_TRANSITIONS; i < outs->n; i++) {
        if (!outs->v[i].on || i == SC_OUT_DEAD_LETTERS || i == SC_OUT_CUSTOMERS ||
            i == SC_OUT_ANALYTICS)
            continue;
        struct sc_str why = SC_STR_NULL;
        const struct sc_schema_source schema = {
            .text = sc_outbound_schema(sc_registry_kind(i), outs->v[i].format)};
        struct outbound ob = {lv, key, fn, arg, NULL, outs->v[i].format, 0};
        ob.decoder = sc_decoder_for((enum sc_format)ob.format, &schema,
                                    &(struct sc_message_at){0}, want, &lv->ar, &why);
        SC_ASSERT(ob.decoder != NULL); /* our own schema */
        const struct sc_kafka_range range = {.topic = outs->v[i].name.p, .partition = -1,
                                             .from = SC_FROM_START};
        enum sc_err e = sc_live_read(lv, &range, take_outbound, &ob);
        all = e == SC_ERR_OK ? all : e;
        if (ob.unread)
            fprintf(stderr, "stagecoach %s: %llu records of topic %s are not of this release\n",
                    lv->name, (unsigned long long)ob.unread, range.topic);
    }
    return all;
}

/* ---- as text */

static struct sc_str text_of(struct sc_value v)
{
    return v.type == SC_T_STRING ? sc_value_str(v) : SC_STR("");
}

int64_t sc_live_at(const struct sc_value *fields)
{
    struct sc_value at = fields[SC_LV_AT];
    int64_t ms;
    uint32_t ns;
    if (at.type == SC_T_TIMESTAMP)
        return at.i;
    return sc_time_parse(text_of(at), NULL, &ms, &ns) ? ms : SC_NEVER;
}

/* A time, or its text in JSON. */
static void put_time(struct sc_value at, struct sc_buf *out)
{
    char time[32];
    if (at.type == SC_T_TIMESTAMP)
        sc_buf_addf(out, "%.*s", (int)sc_time_format(at.i, time), time);
    else
        sc_buf_str(out, text_of(at));
}

static void put_events(struct sc_value events, struct sc_buf *out)
{
    for (uint32_t i = 0; events.type == SC_T_LIST && i < events.len; i++)
        sc_buf_addf(out, "%s%.*s", i ? "," : "  by ", SC_STR_FMT(text_of(events.list[i])));
}

static struct sc_value member(struct sc_value map, const char *name)
{
    for (uint32_t i = 0; map.type == SC_T_MAP && i < map.len; i++)
        if (sc_str_eqz(text_of(map.map[2 * i]), name))
            return map.map[2 * i + 1];
    return sc_absent();
}

/* JSON has a list of objects, the others a map gate → text that begins with what came out. */
static void put_gates(struct sc_value gates, struct sc_buf *out)
{
    for (uint32_t i = 0; gates.type == SC_T_LIST && i < gates.len; i++) {
        struct sc_value passed = member(gates.list[i], "passed");
        sc_buf_addf(out, "  gate    %-18.*s %.*s -> %s\n",
                    SC_STR_FMT(text_of(member(gates.list[i], "gate"))),
                    SC_STR_FMT(text_of(member(gates.list[i], "text"))),
                    passed.type == SC_T_BOOL && passed.i ? "passed" : "stopped");
    }
    for (uint32_t i = 0; gates.type == SC_T_MAP && i < gates.len; i++)
        sc_buf_addf(out, "  gate    %-18.*s %.*s\n", SC_STR_FMT(text_of(gates.map[2 * i])),
                    SC_STR_FMT(text_of(gates.map[2 * i + 1])));
}

void sc_live_effect_text(const struct sc_value *f, struct sc_buf *out)
{
    static const enum sc_live_field words[] = {SC_LV_RULE, SC_LV_ACTION, SC_LV_VIOLATION,
                                               SC_LV_NODE, SC_LV_STRONG, SC_LV_WEAK};
    sc_buf_char(out, '[');
    put_time(f[SC_LV_AT], out);
    sc_buf_addf(out, "] %-10.*s", SC_STR_FMT(text_of(f[SC_LV_TYPE])));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (text_of(f[words[i]]).len)
            sc_buf_addf(out, " %.*s", SC_STR_FMT(text_of(f[words[i]])));
    if (text_of(f[SC_LV_FROM]).len)
        sc_buf_addf(out, " from %.*s (%.*s)", SC_STR_FMT(text_of(f[SC_LV_FROM])),
                    SC_STR_FMT(text_of(f[SC_LV_CAUSE])));
    if (text_of(f[SC_LV_CHANNEL]).len)
        sc_buf_addf(out, " on %.*s", SC_STR_FMT(text_of(f[SC_LV_CHANNEL])));
    if (text_of(f[SC_LV_REASON]).len)
        sc_buf_addf(out, ": %.*s", SC_STR_FMT(text_of(f[SC_LV_REASON])));
    if (f[SC_LV_UNTIL].type == SC_T_TIMESTAMP || text_of(f[SC_LV_UNTIL]).len) {
        sc_buf_addz(out, " until ");
        put_time(f[SC_LV_UNTIL], out);
    }
    put_events(f[SC_LV_EVENTS], out);
    if (text_of(f[SC_LV_ID]).len)
        sc_buf_addf(out, "  id %.*s", SC_STR_FMT(text_of(f[SC_LV_ID])));
    sc_buf_char(out, '\n');
    put_gates(f[SC_LV_GATES], out);
}

void sc_live_event_text(const struct sc_taxonomy *tx, const struct sc_event *ev, bool reveal,
                        struct sc_buf *out)
{
    const struct sc_event_type *et = &tx->events[ev->type];
    struct sc_jsonw w;
    sc_buf_str(out, et->name);
    for (uint32_t i = 0; i < ev->n_props && i < et->n_props; i++) {
        if (!sc_is_value(ev->props[i]))
            continue;
        sc_buf_addf(out, " %.*s=", SC_STR_FMT(et->props[i].name));
        if (et->props[i].pii && !reveal) {
            sc_buf_addz(out, "(pii)");
            continue;
        }
        sc_jsonw_init(&w, out);
        sc_value_json(ev->props[i], &w);
    }
}
