/* Cache: node -> stored state, for the customers of one partition (or of one simulated world).
 *
 * Linear probing over 32-byte slots, at most 3/4 full, so that a hit is one cache line; the bytes
 * are on the heap. An entry written since the last flush is dirty, and listed, so that a flush costs
 * by what it writes, not by how many customers there are. Thread: the owner's alone.
 * Source: performance.md 4 (flat probing beats swiss tables at this size). */
#ifndef SC_ENGINE_CACHE_H
#define SC_ENGINE_CACHE_H

#include "base/arena.h"
#include "core/event.h"

#define SC_CACHE_FAR 16u /* look-ups ahead: the slot is asked for */
#define SC_CACHE_MID 12u /* the item that an overlay's slot names */
#define SC_CACHE_NEAR 8u /* the state */
#define SC_STATE_LINES 8u /* of a stored state, fetched ahead: most are shorter */

struct sc_cache_slot {
    struct sc_node_id node; /* zeroed: free */
    char *bytes;            /* NULL: known to have no state */
    uint32_t len;
    uint32_t dirty;         /* 0 clean; else the round of the write, for the flush */
};

struct sc_nodes { /* a list on the heap; zeroed: empty */
    struct sc_node_id *v;
    uint64_t n, cap;
};
void sc_nodes_fini(struct sc_nodes *ns);

struct sc_cache {
    struct sc_cache_slot *slots;
    uint64_t cap, n;
    uint64_t bytes;       /* sum of len */
    uint64_t dirty_n, dirty_bytes;
    struct sc_nodes listed; /* of entries that became dirty, in this order; maybe some that went */
    uint64_t hand;        /* where the next eviction goes on */
};

void sc_cache_init(struct sc_cache *c);
void sc_cache_fini(struct sc_cache *c);
/* Drop everything. */
void sc_cache_clear(struct sc_cache *c);
/* The slot of `node`, or NULL. Valid until the next put or remove. */
struct sc_cache_slot *sc_cache_get(const struct sc_cache *c, const struct sc_node_id *node);
/* Have what will be read on its way: first its slot; some look-ups later, through that, its state. */
void sc_cache_prefetch(const struct sc_cache *c, const struct sc_node_id *node);
void sc_cache_prefetch_state(const struct sc_cache *c, const struct sc_node_id *node);
/* Copy `state` in (p == NULL: known to have none). dirty: see the slot. */
void sc_cache_put(struct sc_cache *c, const struct sc_node_id *node, struct sc_str state,
                  uint32_t dirty);
void sc_cache_remove(struct sc_cache *c, const struct sc_node_id *node);
/* Let clean entries go, in turn around the table, until at most `most` bytes are left or none is
 * clean. Returns how many went: with one gone a miss is no longer "none". */
uint64_t sc_cache_evict(struct sc_cache *c, uint64_t most);
/* The list of dirty entries becomes `*to`, whose own is forgotten; a new one begins. They stay dirty
 * until they are given back: clean then, those written in round `upto` or before; the others, which
 * have changed since, are listed again. */
void sc_cache_take_dirty(struct sc_cache *c, struct sc_nodes *to);
void sc_cache_give_back(struct sc_cache *c, struct sc_nodes *taken, uint32_t upto);
/* Walk: set *at to 0 first; NULL at the end. No put or remove in between. */
struct sc_cache_slot *sc_cache_next(const struct sc_cache *c, uint64_t *at);

static inline struct sc_str sc_cache_state(const struct sc_cache_slot *s)
{
    return (struct sc_str){s->bytes, s->len};
}

#endif
