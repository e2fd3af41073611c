/* See test_match.h. */
#include "cli/test_match.h"

#include "cli/test_trace.h"

#include "base/assert.h"
#include <stdlib.h>

struct sc_value sc_test_get(struct sc_value map, const char *key)
{
    for (uint32_t i = 0; map.type == SC_T_MAP && i < map.len; ++i)
        if (sc_str_eqz(sc_value_str(map.map[2 * i]), key))
            return map.map[2 * i + 1];
    return sc_absent();
}

/* ---- one value */

/* Text, or the same instant or duration written otherwise. */
static bool text_matches(const struct sc_node *node, struct sc_str seen, int64_t start_ms)
{
    int64_t a, b;
    if (sc_str_eq(node->text, seen))
        return true;
    if (sc_test_time(node->text, start_ms, &a) && sc_time_parse(seen, NULL, &b, NULL))
        return a == b;
    return sc_duration_parse(node->text, &a) && sc_duration_parse(seen, &b) && a == b;
}

/* The number as written, exact where it has at most 18 digits. */
static bool number_matches(const struct sc_node *node, struct sc_value seen, struct sc_arena *ar)
{
    struct sc_decimal d;
    if (!sc_node_is_number(node))
        return false;
    for (uint8_t scale = 0; scale <= SC_DECIMAL_DIGITS; ++scale)
        if (sc_decimal_parse(node->text, scale, &d) == SC_DECIMAL_OK)
            return sc_value_cmp(sc_decimal(d), seen) == 0;
    return sc_value_cmp(sc_double(strtod(sc_str_dup(ar, node->text).p, NULL)), seen) == 0;
}

static bool scalar_matches(const struct sc_node *node, struct sc_value seen, int64_t start_ms,
                           struct sc_arena *ar)
{
    bool b;
    if (seen.type == SC_T_STRING)
        return text_matches(node, sc_value_str(seen), start_ms);
    if (seen.type == SC_T_BOOL)
        return sc_node_bool(node, &b) && b == (seen.i != 0);
    return sc_is_value(seen) && number_matches(node, seen, ar);
}

/* Of a map what is written, of a list all. Depth is the YAML parser's, bounded there. */
static bool matches(const struct sc_node *node, struct sc_value seen, int64_t start_ms,
                    struct sc_arena *ar)
{
    switch (node->kind) {
    case SC_NODE_NULL:
        return !sc_is_value(seen);
    case SC_NODE_SCALAR:
        return scalar_matches(node, seen, start_ms, ar);
    case SC_NODE_SEQ:
        if (seen.type != SC_T_LIST || seen.len != node->n)
            return false;
        for (uint32_t i = 0; i < node->n; ++i)
            if (!matches(node->items[i], seen.list[i], start_ms, ar))
                return false;
        return true;
    case SC_NODE_MAP:
        if (seen.type != SC_T_MAP)
            return false;
        for (uint32_t i = 0; i < node->n; ++i)
            if (!matches(node->pairs[i].value,
                         sc_test_get(seen, sc_str_dup(ar, node->pairs[i].key->text).p), start_ms,
                         ar))
                return false;
        return true;
    }
    SC_UNREACHABLE("node kind");
}

/* ---- one effect */

struct match {
    const struct sc_test_case *tc;
    const struct sc_test_seen *seen;
    struct sc_arena *ar;
    struct sc_test_misses *out;
};

static bool item_matches(const struct match *m, enum sc_test_list list, const struct sc_node *item,
                         struct sc_value fx)
{
    if (item->kind == SC_NODE_SCALAR) {
        const char *rule = sc_test_field(list, sc_str_from(sc_test_lists[list].rule));
        return matches(item, sc_test_get(fx, rule), m->tc->start_ms, m->ar);
    }
    for (uint32_t i = 0; i < item->n; ++i) {
        const char *field = sc_test_field(list, item->pairs[i].key->text);
        SC_ASSERT(field != NULL); /* the loader knew it */
        if (!matches(item->pairs[i].value, sc_test_get(fx, field), m->tc->start_ms, m->ar))
            return false;
    }
    return true;
}

/* ---- what is told of a difference: YAML in its flow form, as the case could be written */

static void put_node(struct sc_buf *out, const struct sc_node *node)
{
    const char *open = node->kind == SC_NODE_SEQ ? "[" : "{";
    if (node->kind == SC_NODE_NULL)
        sc_buf_addz(out, "null");
    if (node->kind == SC_NODE_SCALAR)
        sc_buf_addf(out, node->quoted ? "\"%.*s\"" : "%.*s", SC_STR_FMT(node->text));
    if (node->kind == SC_NODE_NULL || node->kind == SC_NODE_SCALAR)
        return;
    sc_buf_addz(out, open);
    for (uint32_t i = 0; i < node->n; ++i) {
        sc_buf_addz(out, i ? ", " : "");
        if (node->kind == SC_NODE_MAP)
            sc_buf_addf(out, "%.*s: ", SC_STR_FMT(node->pairs[i].key->text));
        put_node(out, node->kind == SC_NODE_MAP ? node->pairs[i].value : node->items[i]);
    }
    sc_buf_addz(out, node->kind == SC_NODE_SEQ ? "]" : "}");
}

static void put_value(struct sc_buf *out, struct sc_value v)
{
    if (v.type == SC_T_STRING) {
        sc_buf_str(out, sc_value_str(v));
        return;
    }
    struct sc_jsonw w;
    sc_jsonw_init(&w, out);
    sc_value_json(v, &w);
}

/* Times from the start, as cases have them. */
static void put_time(const struct match *m, struct sc_buf *out, struct sc_value v)
{
    int64_t ms;
    char text[64];
    if (v.type != SC_T_STRING || !sc_time_parse(sc_value_str(v), NULL, &ms, NULL)) {
        put_value(out, v);
        return;
    }
    int64_t from_ms = ms - m->tc->start_ms;
    size_t n = sc_duration_format(from_ms, text);
    sc_buf_addf(out, "\"%s%.*s\"", from_ms < 0 ? "" : "+", (int)n, text);
}

static bool is_time(struct sc_str key)
{
    return sc_str_eqz(key, "at") || sc_str_eqz(key, "event_at") || sc_str_eqz(key, "until") ||
           sc_str_eqz(key, "expires");
}

static void put_pair(const struct match *m, struct sc_buf *out, const char *key, struct sc_value v)
{
    sc_buf_addf(out, "%s%s: ", out->p[out->len - 1] == '{' ? "" : ", ", key);
    if (is_time(sc_str_from(key)))
        put_time(m, out, v);
    else
        put_value(out, v);
}

static bool asked_for(const struct sc_node *items, const char *key)
{
    for (uint32_t i = 0; i < items->n; ++i)
        if (items->items[i]->kind == SC_NODE_MAP && sc_node_get(items->items[i], key) != NULL)
            return true;
    return false;
}

/* Its rule, when, and what tells it from others; and whatever the case asks for. */
static void put_effect(const struct match *m, struct sc_buf *out, enum sc_test_list list,
                       struct sc_value fx)
{
    static const char *const shown[] = {"from", "channel", "reason", "until", "at"};
    static const char *const asked[] = {"cause",    "back",    "in_stage_ms",   "event_at",
                                        "stage",    "events",  "facts",         "context",
                                        "message",  "purpose", "template_only", "priority",
                                        "key",      "expires", "experiment",    "arm",
                                        "arms"};
    const char *rule = sc_test_lists[list].rule;
    sc_buf_addz(out, "{");
    put_pair(m, out, rule, sc_test_get(fx, sc_test_field(list, sc_str_from(rule))));
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); ++i)
        if (sc_test_field(list, sc_str_from(shown[i])) && sc_is_value(sc_test_get(fx, shown[i])))
            put_pair(m, out, shown[i], sc_test_get(fx, shown[i]));
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); ++i)
        if (asked_for(m->tc->expect.lists[list], asked[i]))
            put_pair(m, out, asked[i], sc_test_get(fx, asked[i]));
    sc_buf_addz(out, "}");
}

static void miss(const struct match *m, const char *what, const struct sc_node *at,
                 struct sc_str expected, struct sc_str seen)
{
    struct sc_test_miss one = {what, expected, seen, at->mark};
    if (expected.len == 0)
        one.expected = SC_STR("none");
    if (seen.len == 0)
        one.seen = SC_STR("none");
    SC_VEC_PUSH(m->ar, &m->out->v, one);
}

static void match_list(const struct match *m, enum sc_test_list list)
{
    const struct sc_node *items = m->tc->expect.lists[list];
    if (items == NULL)
        return;
    uint32_t n = m->seen->lists[list].n;
    bool same = n == items->n;
    for (uint32_t i = 0; same && i < n; ++i)
        same = item_matches(m, list, items->items[i], m->seen->lists[list].v[i]);
    if (same)
        return;
    struct sc_buf expected = {.ar = m->ar}, seen = {.ar = m->ar};
    for (uint32_t i = 0; i < items->n; ++i) {
        sc_buf_addz(&expected, i ? "\n" : "");
        put_node(&expected, items->items[i]);
    }
    for (uint32_t i = 0; i < n; ++i) {
        sc_buf_addz(&seen, i ? "\n" : "");
        put_effect(m, &seen, list, m->seen->lists[list].v[i]);
    }
    miss(m, sc_test_lists[list].key, items, sc_buf_view(&expected), sc_buf_view(&seen));
}

/* Facts, tracks: what is written of a map of the customer line. */
static void match_map(const struct match *m, const char *what, const struct sc_node *map,
                      struct sc_value of)
{
    struct sc_buf expected = {.ar = m->ar}, seen = {.ar = m->ar};
    for (uint32_t i = 0; map && i < map->n; ++i) {
        struct sc_str name = map->pairs[i].key->text;
        struct sc_value v = sc_test_get(of, sc_str_dup(m->ar, name).p);
        if (matches(map->pairs[i].value, v, m->tc->start_ms, m->ar))
            continue;
        sc_buf_addf(&expected, "%s%.*s: ", expected.len ? "\n" : "", SC_STR_FMT(name));
        put_node(&expected, map->pairs[i].value);
        sc_buf_addf(&seen, "%s%.*s: ", seen.len ? "\n" : "", SC_STR_FMT(name));
        put_value(&seen, v);
    }
    if (expected.len > 0)
        miss(m, what, map, sc_buf_view(&expected), sc_buf_view(&seen));
}

void sc_test_match(const struct sc_test_case *tc, const struct sc_test_seen *seen,
                   struct sc_arena *ar, struct sc_test_misses *out)
{
    const struct sc_test_expect *ex = &tc->expect;
    struct match m = {tc, seen, ar, out};
    if (ex->customers_at && (uint64_t)ex->customers != seen->customers)
        miss(&m, "customers", ex->customers_at, ex->customers_at->text,
             sc_str_printf(ar, "%llu", (unsigned long long)seen->customers));
    if (ex->stage_at && !sc_str_eq(ex->stage, seen->stage))
        miss(&m, "stage", ex->stage_at, ex->stage, seen->stage);
    if (ex->persona_at && !sc_str_eq(ex->persona, seen->persona))
        miss(&m, "persona", ex->persona_at, ex->persona, seen->persona);
    for (int list = 0; list < SC_TEST_LISTS; ++list)
        match_list(&m, (enum sc_test_list)list);
    if (ex->trace)
        sc_test_trace_match(tc, seen->trace, ar, out);
    match_map(&m, "facts", ex->facts, seen->facts);
    match_map(&m, "tracks", ex->tracks, seen->tracks);
}
