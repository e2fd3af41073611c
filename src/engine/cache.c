/* See cache.h. Removal shifts the following run back, so there are no tombstones to sweep. */
#include "engine/cache.h"

#include "base/assert.h"
#include "base/prefetch.h"
#include <stdlib.h>

#define CAP_MIN 64u

/* Nodes are MACs: their last bytes are as good a hash as any, and no one who lacks the key can
 * choose them. The first byte holds the rank and is left out. */
static uint64_t slot_of(const struct sc_cache *c, const struct sc_node_id *node)
{
    uint64_t h;
    memcpy(&h, node->b + 8, sizeof(h));
    return h & (c->cap - 1);
}

static void nodes_push(struct sc_nodes *ns, const struct sc_node_id *node)
{
    if (ns->n == ns->cap) {
        ns->cap = ns->cap ? ns->cap * 2 : 1024;
        ns->v = sc_realloc(ns->v, ns->cap * sizeof(*ns->v));
    }
    ns->v[ns->n++] = *node;
}

void sc_nodes_fini(struct sc_nodes *ns)
{
    free(ns->v);
    *ns = (struct sc_nodes){0};
}

void sc_cache_init(struct sc_cache *c)
{
    memset(c, 0, sizeof(*c));
}

void sc_cache_clear(struct sc_cache *c)
{
    for (uint64_t i = 0; i < c->cap; i++)
        free(c->slots[i].bytes);
    free(c->slots);
    sc_nodes_fini(&c->listed);
    sc_cache_init(c);
}

void sc_cache_fini(struct sc_cache *c)
{
    sc_cache_clear(c);
}

struct sc_cache_slot *sc_cache_get(const struct sc_cache *c, const struct sc_node_id *node)
{
    SC_ASSERT(!sc_node_none(node));
    if (c->cap == 0)
        return NULL;
    for (uint64_t i = slot_of(c, node);; i = (i + 1) & (c->cap - 1)) {
        struct sc_cache_slot *s = &c->slots[i];
        if (sc_node_none(&s->node))
            return NULL;
        if (sc_node_eq(&s->node, node))
            return s;
    }
}

void sc_cache_prefetch(const struct sc_cache *c, const struct sc_node_id *node)
{
    if (c->cap)
        sc_prefetch(&c->slots[slot_of(c, node)], sizeof(*c->slots), 1);
}

void sc_cache_prefetch_state(const struct sc_cache *c, const struct sc_node_id *node)
{
    const struct sc_cache_slot *s = sc_cache_get(c, node);
    if (s)
        sc_prefetch(s->bytes, s->len, SC_STATE_LINES);
}

static void grow(struct sc_cache *c)
{
    struct sc_cache bigger = *c;
    bigger.cap = c->cap ? c->cap * 2 : CAP_MIN;
    bigger.slots = sc_calloc(bigger.cap, sizeof(*bigger.slots));
    for (uint64_t i = 0; i < c->cap; i++) {
        struct sc_cache_slot *s = &c->slots[i];
        if (sc_node_none(&s->node))
            continue;
        uint64_t at = slot_of(&bigger, &s->node);
        while (!sc_node_none(&bigger.slots[at].node))
            at = (at + 1) & (bigger.cap - 1);
        bigger.slots[at] = *s;
    }
    free(c->slots);
    *c = bigger;
}

/* The list is the caller's business. */
static void set_dirty(struct sc_cache *c, struct sc_cache_slot *s, uint32_t dirty)
{
    if (s->dirty) {
        c->dirty_n--;
        c->dirty_bytes -= s->len;
    }
    s->dirty = dirty;
    if (dirty) {
        c->dirty_n++;
        c->dirty_bytes += s->len;
    }
}

static void set_bytes(struct sc_cache *c, struct sc_cache_slot *s, struct sc_str state)
{
    set_dirty(c, s, 0);
    c->bytes -= s->len;
    if (state.p == NULL) {
        free(s->bytes);
        s->bytes = NULL;
    } else {
        /* Rounded up, so that a state that grows by a few bytes stays where it is. */
        size_t room = (state.len + 63) & ~(size_t)63;
        if (s->bytes == NULL || ((s->len + 63u) & ~63u) != room) {
            free(s->bytes); /* nothing of it is kept: realloc would copy it */
            s->bytes = sc_malloc(room ? room : 64);
        }
        memcpy(s->bytes, state.p, state.len);
    }
    s->len = (uint32_t)state.len;
    c->bytes += s->len;
}

void sc_cache_put(struct sc_cache *c, const struct sc_node_id *node, struct sc_str state,
                  uint32_t dirty)
{
    SC_ASSERT(!sc_node_none(node));
    SC_ASSERT(state.len <= UINT32_MAX);
    struct sc_cache_slot *s = sc_cache_get(c, node);
    if (s == NULL) {
        if ((c->n + 1) * 4 > c->cap * 3)
            grow(c);
        uint64_t at = slot_of(c, node);
        while (!sc_node_none(&c->slots[at].node))
            at = (at + 1) & (c->cap - 1);
        s = &c->slots[at];
        s->node = *node;
        c->n++;
    }
    bool listed = s->dirty != 0;
    set_bytes(c, s, state);
    set_dirty(c, s, dirty);
    if (dirty && !listed)
        nodes_push(&c->listed, node);
}

void sc_cache_remove(struct sc_cache *c, const struct sc_node_id *node)
{
    struct sc_cache_slot *s = sc_cache_get(c, node);
    if (s == NULL)
        return;
    set_dirty(c, s, 0);
    c->bytes -= s->len;
    free(s->bytes);
    c->n--;
    uint64_t hole = (uint64_t)(s - c->slots);
    for (uint64_t i = (hole + 1) & (c->cap - 1); !sc_node_none(&c->slots[i].node);
         i = (i + 1) & (c->cap - 1)) {
        uint64_t want = slot_of(c, &c->slots[i].node);
        /* Move back what may stand at the hole: its own place is not in (hole, i]. */
        if (((i - want) & (c->cap - 1)) >= ((i - hole) & (c->cap - 1))) {
            c->slots[hole] = c->slots[i];
            hole = i;
        }
    }
    memset(&c->slots[hole], 0, sizeof(c->slots[hole]));
}

uint64_t sc_cache_evict(struct sc_cache *c, uint64_t most)
{
    uint64_t gone = 0;
    for (uint64_t seen = 0; c->bytes > most && seen < c->cap; seen++) {
        uint64_t at = c->hand & (c->cap - 1);
        const struct sc_cache_slot *s = &c->slots[at];
        if (sc_node_none(&s->node) || s->dirty) {
            c->hand = at + 1;
            continue;
        }
        struct sc_node_id node = s->node; /* another may move to this place: look again */
        sc_cache_remove(c, &node);
        gone++;
    }
    return gone;
}

void sc_cache_take_dirty(struct sc_cache *c, struct sc_nodes *to)
{
    struct sc_nodes taken = c->listed;
    c->listed = *to;
    c->listed.n = 0;
    *to = taken;
}

void sc_cache_give_back(struct sc_cache *c, struct sc_nodes *taken, uint32_t upto)
{
    for (uint64_t i = 0; i < taken->n; i++) {
        if (i + SC_CACHE_FAR < taken->n)
            sc_cache_prefetch(c, &taken->v[i + SC_CACHE_FAR]);
        struct sc_cache_slot *s = sc_cache_get(c, &taken->v[i]);
        if (s == NULL || s->dirty == 0)
            continue;
        if (s->dirty <= upto)
            set_dirty(c, s, 0);
        else
            nodes_push(&c->listed, &s->node);
    }
    taken->n = 0;
    SC_ASSERT(c->listed.n >= c->dirty_n);
}

struct sc_cache_slot *sc_cache_next(const struct sc_cache *c, uint64_t *at)
{
    while (*at < c->cap) {
        struct sc_cache_slot *s = &c->slots[(*at)++];
        if (!sc_node_none(&s->node))
            return s;
    }
    return NULL;
}
