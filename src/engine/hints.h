/* Hints: what a resolve worker believes of roots. A bounded cache of parents in front of Redis; an
 * entry, also "none", lives 60 s. A hint may be stale or wrong: an event at a wrong door is
 * forwarded by the journal's owners, so nothing but speed depends on this. Thread: one worker's. */
#ifndef SC_ENGINE_HINTS_H
#define SC_ENGINE_HINTS_H

#include "engine/worker.h"

#define SC_HINT_LIFE_MS 60000
#define SC_HINT_HOPS 8

struct sc_hint_slot {
    uint64_t tag;             /* of the node: two nodes that share one cost a hop */
    int64_t until_ms;         /* 0: never used */
    struct sc_node_id parent; /* zeroed: none */
};

struct sc_hints {
    struct sc_worker *w;
    struct sc_hint_slot *slots; /* in sets of four, by the tag */
    uint32_t cap, most;         /* slots, and how many there may be: it grows once half are used */
    uint32_t n;                 /* slots that were ever used */
    int64_t down_until_ms;      /* Redis did not answer: not asked again before */
};

/* Room for at least `entries` (rounded up to a power of two). */
void sc_hints_init(struct sc_hints *h, struct sc_worker *w, uint32_t entries);
void sc_hints_fini(struct sc_hints *h);
/* Roots of the identifiers of `n` events, in one round trip a level for what is not cached.
 * roots[i][k] is for evs[i]->ids[k]. Redis down: every node is its own root, counted. */
typedef struct sc_node_id sc_roots[SC_IDENTIFIERS_MAX];
void sc_hints_roots(struct sc_hints *h, struct sc_event *const *evs, sc_roots *roots, uint32_t n,
                    int64_t mono_ms, struct sc_arena *ar);
/* Believe it from now on: a link just sent to the journal. */
void sc_hints_believe(struct sc_hints *h, const struct sc_node_id *node,
                      const struct sc_node_id *parent, int64_t mono_ms);

/* Forget all of it: what was believed of links that were not committed would keep them from being
 * sent again. */
void sc_hints_forget(struct sc_hints *h);

#endif
