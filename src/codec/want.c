/* The tree of wanted paths (want.h).
 *
 * Built once a projection: wants are inserted step by step, then every node gets a small hash table
 * of its fields, so that matching a key costs one probe however many are wanted. The tables hold
 * only wanted names, so hostile keys cannot make them grow. */
#include "codec/want.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"

#include <stdarg.h>
#include <stdio.h>

static struct sc_want_words words_of(struct sc_str s)
{
    struct sc_want_words w = {0};
    if (s.len > 15) { /* two ends of it; the highest byte tells it from a short name */
        memcpy(&w.low, s.p, 8);
        memcpy(&w.high, s.p + s.len - 8, 8);
    } else if (s.len) {
        memcpy(&w, s.p, s.len);
    }
    if (s.len > 15 || (s.len && memchr(s.p, '\0', s.len)))
        w.high |= UINT64_C(0xff) << 56;
    return w;
}

static struct sc_want_node *node_new(struct sc_want_tree *t, const struct sc_step *step,
                                     struct sc_str path, struct sc_arena *ar)
{
    struct sc_want_node *n = SC_NEW(ar, struct sc_want_node);
    n->kind = step->kind;
    n->name = step->name;
    n->words = words_of(step->name);
    n->index = step->index;
    n->path = path;
    n->id = t->n_nodes++;
    n->only_slot = -1;
    return n;
}

static struct sc_str step_path(struct sc_str parent, const struct sc_step *step,
                               struct sc_arena *ar)
{
    if (step->kind == SC_STEP_FIELD)
        return sc_str_printf(ar, "%.*s.%.*s", SC_STR_FMT(parent), SC_STR_FMT(step->name));
    if (step->kind == SC_STEP_INDEX)
        return sc_str_printf(ar, "%.*s[%u]", SC_STR_FMT(parent), step->index);
    return sc_str_printf(ar, "%.*s[*]", SC_STR_FMT(parent));
}

static bool is_step(const struct sc_want_node *n, const struct sc_step *step)
{
    if (n->kind != step->kind)
        return false;
    return step->kind == SC_STEP_INDEX ? n->index == step->index : sc_str_eq(n->name, step->name);
}

/* The child of `n` for `step`, made when it is not there. */
static struct sc_want_node *descend(struct sc_want_tree *t, struct sc_want_node *n,
                                    const struct sc_step *step, struct sc_arena *ar)
{
    if (step->kind == SC_STEP_ALL) {
        if (n->all == NULL)
            n->all = node_new(t, step, step_path(n->path, step, ar), ar);
        return n->all;
    }
    struct sc_want_node **link = &n->child;
    for (; *link; link = &(*link)->next)
        if (is_step(*link, step))
            return *link;
    *link = node_new(t, step, step_path(n->path, step, ar), ar);
    *(step->kind == SC_STEP_FIELD ? &n->n_fields : &n->n_indices) += 1;
    return *link;
}

static void sink_add(struct sc_want_node *n, struct sc_sink sink, struct sc_arena *ar)
{
    struct sc_sink *more = SC_NEW_N(ar, struct sc_sink, n->n_sinks + 1);
    if (n->n_sinks)
        memcpy(more, n->sinks, sizeof(*more) * n->n_sinks);
    more[n->n_sinks++] = sink;
    n->sinks = more;
    n->only_slot = n->n_sinks == 1 && sink.mode == SC_SINK_SET ? sink.slot : -1;
}

static void want_add(struct sc_want_tree *t, const struct sc_want *want, uint16_t slot,
                     struct sc_arena *ar)
{
    static const struct sc_step all = {.kind = SC_STEP_ALL};
    struct sc_want_node *n = t->root;
    bool many = want->op != SC_MAP_PATH;
    for (uint32_t i = 0; i < want->path.n; i++) {
        n = descend(t, n, &want->path.steps[i], ar);
        n->implied = false;
        many = many || n->kind == SC_STEP_ALL;
    }
    struct sc_sink sink = {.slot = slot, .text = want->text};
    if (many) {
        sink.mode = want->op == SC_MAP_COUNT ? SC_SINK_COUNT : SC_SINK_APPEND;
        sink.list = (uint16_t)t->n_lists;
        t->list_slot[t->n_lists++] = slot;
    }
    sink.spread = want->op != SC_MAP_PATH && !(want->path.n && n->kind == SC_STEP_ALL);
    sink_add(n, sink, ar);
    if (sink.spread) {
        bool is_new = n->all == NULL;
        struct sc_want_node *each = descend(t, n, &all, ar);
        each->implied = each->implied || is_new;
        sink.spread = false;
        sink_add(each, sink, ar);
    }
}

static void table_build(struct sc_want_node *n, struct sc_arena *ar)
{
    uint32_t cap = 2;
    while (cap < n->n_fields * 2)
        cap *= 2;
    n->table = SC_NEW_N(ar, const struct sc_want_node *, cap);
    n->mask = cap - 1;
    for (struct sc_want_node *c = n->child; c; c = c->next) {
        table_build(c, ar);
        if (c->kind != SC_STEP_FIELD)
            continue;
        uint32_t at = sc_want_hash(c->words) & n->mask;
        while (n->table[at])
            at = (at + 1) & n->mask;
        n->table[at] = c;
        n->likely |= c->name.len ? UINT64_C(1) << sc_want_bit((unsigned char)*c->name.p, c->name.len)
                                 : UINT64_MAX;
    }
    if (n->all)
        table_build(n->all, ar);
}

const struct sc_want_tree *sc_want_build(const struct sc_projection *want, struct sc_arena *ar)
{
    SC_ASSERT(want->n <= SC_WANTS_MAX);
    struct sc_want_tree *t = SC_NEW(ar, struct sc_want_tree);
    static const struct sc_step root = {.kind = SC_STEP_FIELD};
    t->root = node_new(t, &root, SC_STR("$"), ar);
    t->n_slots = want->n;
    t->list_slot = SC_NEW_N(ar, uint16_t, want->n);
    for (uint32_t i = 0; i < want->n; i++) {
        SC_ASSERT(want->wants[i].path.n <= SC_PATH_STEPS_MAX);
        want_add(t, &want->wants[i], (uint16_t)i, ar);
    }
    table_build(t->root, ar);
    return t;
}

const struct sc_want_node *sc_want_field(const struct sc_want_node *n, struct sc_str name)
{
    if (name.len && !(n->likely >> sc_want_bit((unsigned char)*name.p, name.len) & 1))
        return NULL;
    uint32_t at = sc_want_hash(words_of(name)) & n->mask;
    for (const struct sc_want_node *c; (c = n->table[at]) != NULL; at = (at + 1) & n->mask)
        if (sc_str_eq(c->name, name))
            return c;
    return NULL;
}

bool sc_want_whole(const struct sc_want_node *n, bool array)
{
    for (uint32_t i = 0; i < n->n_sinks; i++)
        if (n->sinks[i].mode != SC_SINK_COUNT && !(array && n->sinks[i].spread))
            return true;
    return false;
}

bool sc_items_add(struct sc_items *l, struct sc_arena *ar, struct sc_value v)
{
    if (l->n == l->cap) {
        if (l->n >= SC_LIST_MAX)
            return false;
        uint32_t cap = l->cap ? l->cap * 2 : 8;
        struct sc_value *to = sc_arena_alloc(ar, sizeof(v) * cap);
        if (l->n)
            memcpy(to, l->v, sizeof(v) * l->n);
        l->v = to;
        l->cap = cap;
    }
    l->v[l->n++] = v;
    return true;
}

bool sc_take_sink(struct sc_take *t, const struct sc_sink *sink, struct sc_value v)
{
    SC_ASSERT(sink->slot < t->tree->n_slots);
    if (sink->mode == SC_SINK_SET) {
        t->slots[sink->slot] = v.type == SC_T_NULL ? sc_absent() : v;
        return true;
    }
    if (!sc_is_value(v))
        return true;
    return sc_items_add(&t->lists[sink->list], t->ar,
                       sink->mode == SC_SINK_COUNT ? sc_bool(true) : v);
}

bool sc_take_put_all(struct sc_take *t, const struct sc_want_node *n, struct sc_value v,
                     bool array)
{
    for (uint32_t i = 0; i < n->n_sinks; i++)
        if (!(array && n->sinks[i].spread) && !sc_take_sink(t, &n->sinks[i], v))
            return false;
    return true;
}

void sc_take_finish(struct sc_take *t)
{
    for (uint32_t i = 0; i < t->tree->n_lists; i++) {
        const struct sc_items *l = &t->lists[i];
        t->slots[t->tree->list_slot[i]] =
            (struct sc_value){.type = SC_T_LIST, .len = l->n, .list = l->v};
    }
}

/* Where `key` stands in a table of 1-based positions. The seed is an address, so a sender cannot
 * choose keys that collide. */
static uint32_t *pair_find(uint32_t *table, uint32_t mask, const struct sc_items *pairs,
                           struct sc_str key)
{
    uint32_t at = (uint32_t)sc_hash_xxh3(key.p, key.len, (uintptr_t)table) & mask;
    while (table[at] && !sc_str_eq(sc_value_str(pairs->v[table[at] - 1]), key))
        at = (at + 1) & mask;
    return &table[at];
}

struct sc_value sc_map_value(struct sc_items *pairs, struct sc_arena *ar, bool *twice)
{
    SC_ASSERT(pairs->n % 2 == 0);
    uint32_t cap = 2, kept = 0;
    while (cap <= pairs->n)
        cap *= 2;
    uint32_t *table = SC_NEW_N(ar, uint32_t, cap);
    *twice = false;
    for (uint32_t i = 0; i < pairs->n; i += 2) {
        uint32_t *at = pair_find(table, cap - 1, pairs, sc_value_str(pairs->v[i]));
        if (*at) {
            *twice = true;
            pairs->v[*at] = pairs->v[i + 1];
            continue;
        }
        pairs->v[kept] = pairs->v[i];
        pairs->v[kept + 1] = pairs->v[i + 1];
        *at = kept + 1;
        kept += 2;
    }
    return (struct sc_value){.type = SC_T_MAP, .len = kept / 2, .map = pairs->v};
}

enum sc_drop sc_fault_set(struct sc_fault *fault, enum sc_drop drop, struct sc_str path,
                          const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fault->drop = drop;
    fault->path = path;
    vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
    va_end(ap);
    return drop;
}
