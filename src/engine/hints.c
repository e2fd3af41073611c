/* See hints.h. */
#include "engine/hints.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/prefetch.h"
#include <stdlib.h>

#define DOWN_MS 1000 /* Redis that did not answer is left alone so long */
#define AHEAD 16     /* look-ups whose memory is on its way */
#define CAP_MIN 4096u
#define WAYS 4u /* two lines of a cache */

static void start(struct sc_hints *h)
{
    h->cap = h->most < CAP_MIN ? h->most : CAP_MIN;
    h->n = 0;
    h->slots = sc_calloc_table(h->cap, sizeof(*h->slots));
}

void sc_hints_init(struct sc_hints *h, struct sc_worker *w, uint32_t entries)
{
    *h = (struct sc_hints){.w = w, .most = WAYS};
    while (h->most < entries && h->most < 1u << 30)
        h->most *= 2;
    start(h);
}

void sc_hints_fini(struct sc_hints *h)
{
    free(h->slots);
}

void sc_hints_forget(struct sc_hints *h)
{
    free(h->slots);
    start(h);
}

/* Nodes are MACs but for their rank: a tag that two share is as likely as a clash of 64 bits, and is a
 * wrong hint. */
static uint64_t tag_of(const struct sc_node_id *node)
{
    uint64_t half[2];
    memcpy(half, node->b, sizeof(half));
    return half[0] ^ half[1];
}

static struct sc_hint_slot *set_of(const struct sc_hints *h, uint64_t tag)
{
    return &h->slots[tag & (h->cap - WAYS)];
}

static void prefetch(const struct sc_hints *h, const struct sc_node_id *node)
{
    sc_prefetch(set_of(h, tag_of(node)), WAYS * sizeof(struct sc_hint_slot), WAYS);
}

/* Parents are smaller, so that there is no cycle: one that is not is another node's. */
static struct sc_hint_slot *find(const struct sc_hints *h, const struct sc_node_id *node,
                                 int64_t mono_ms)
{
    uint64_t tag = tag_of(node);
    struct sc_hint_slot *set = set_of(h, tag);
    for (uint32_t i = 0; i < WAYS; i++)
        if (set[i].tag == tag && set[i].until_ms > mono_ms)
            return sc_node_cmp(&set[i].parent, node) < 0 ? &set[i] : NULL;
    return NULL;
}

/* In its own place, or a free one, or that of the one which ends first. */
static void put(struct sc_hints *h, const struct sc_hint_slot *hint)
{
    struct sc_hint_slot *set = set_of(h, hint->tag), *to = set;
    for (uint32_t i = 0; i < WAYS && to->tag != hint->tag; i++)
        if (set[i].tag == hint->tag || set[i].until_ms < to->until_ms)
            to = &set[i];
    h->n += to->until_ms == 0;
    *to = *hint;
}

/* With few nodes it stays small enough for the caches. */
static void grow(struct sc_hints *h)
{
    struct sc_hints bigger = *h;
    bigger.cap *= 2;
    bigger.n = 0;
    bigger.slots = sc_calloc_table(bigger.cap, sizeof(*bigger.slots));
    for (uint32_t i = 0; i < h->cap; i++)
        if (h->slots[i].until_ms)
            put(&bigger, &h->slots[i]);
    free(h->slots);
    *h = bigger;
}

void sc_hints_believe(struct sc_hints *h, const struct sc_node_id *node,
                      const struct sc_node_id *parent, int64_t mono_ms)
{
    if (h->n >= h->cap / 2 && h->cap < h->most)
        grow(h);
    put(h, &(struct sc_hint_slot){tag_of(node), mono_ms + SC_HINT_LIFE_MS, *parent});
}

/* A place where a root is still being looked for. */
struct search {
    struct sc_node_id *root;
    int hops;
};

/* Follow the cache from *root on. True: the end is known; false: *root must be asked of Redis. */
static bool follow(struct sc_hints *h, struct search *s, int64_t mono_ms)
{
    while (s->hops < SC_HINT_HOPS) {
        const struct sc_hint_slot *slot = find(h, s->root, mono_ms);
        if (slot == NULL)
            return false;
        sc_count(&h->w->counters.hint_hits, 1);
        if (sc_node_none(&slot->parent))
            return true;
        *s->root = slot->parent;
        s->hops++;
    }
    return true;
}

static bool ask(struct sc_hints *h, struct search *open, uint32_t n, int64_t mono_ms,
                struct sc_arena *ar)
{
    struct sc_node_id *nodes = SC_NEW_N(ar, struct sc_node_id, n);
    struct sc_node_id *parents = SC_NEW_N(ar, struct sc_node_id, n);
    for (uint32_t i = 0; i < n; i++)
        nodes[i] = *open[i].root;
    if (h->w->view == NULL || mono_ms < h->down_until_ms ||
        h->w->view->ops->hints(h->w->view, nodes, parents, n) != SC_ERR_OK) {
        if (h->w->view && mono_ms >= h->down_until_ms) {
            sc_log(SC_LOG_WARN, "resolve", "Redis does not answer: going on without hints", NULL);
            h->down_until_ms = mono_ms + DOWN_MS;
        }
        sc_count(&h->w->counters.hint_failures, n);
        return false;
    }
    sc_count(&h->w->counters.hint_reads, n);
    for (uint32_t i = 0; i < n; i++) {
        /* A parent that is not smaller cannot be a decision of ours. */
        if (!sc_node_none(&parents[i]) && sc_node_cmp(&parents[i], &nodes[i]) >= 0)
            memset(&parents[i], 0, sizeof(parents[i]));
        sc_hints_believe(h, &nodes[i], &parents[i], mono_ms);
    }
    return true;
}

/* The strongest rank has no parent of another rank but by a merge inside it, which unique
 * namespaces refuse: alone in an event it needs no look-up. */
static bool needs_none(const struct sc_hints *h, const struct sc_event *ev)
{
    const struct sc_taxonomy *tx = h->w->cfg->jo->tx;
    return ev->n_ids == 1 && sc_node_rank(&ev->ids[0].node) == 1 &&
           tx->namespaces[ev->ids[0].ns].unique;
}

void sc_hints_roots(struct sc_hints *h, struct sc_event *const *evs, sc_roots *roots, uint32_t n,
                    int64_t mono_ms, struct sc_arena *ar)
{
    uint32_t n_open = 0;
    for (uint32_t i = 0; i < n; i++)
        n_open += evs[i]->n_ids;
    struct search *open = SC_NEW_N(ar, struct search, n_open + 1);
    n_open = 0;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < evs[i]->n_ids; k++) {
            roots[i][k] = evs[i]->ids[k].node;
            if (!needs_none(h, evs[i]))
                open[n_open++] = (struct search){&roots[i][k], 0};
        }
    }
    for (int level = 0; level <= SC_HINT_HOPS && n_open; level++) {
        uint32_t left = 0;
        for (uint32_t i = 0; i < n_open; i++) {
            if (i + AHEAD < n_open)
                prefetch(h, open[i + AHEAD].root);
            if (!follow(h, &open[i], mono_ms))
                open[left++] = open[i];
        }
        n_open = left;
        if (n_open && !ask(h, open, n_open, mono_ms, ar))
            return;
    }
}
