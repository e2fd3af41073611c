/* Wait: events put in order of (occurred_at, source, id) before they are applied (`reorder`).
 *
 * A binary heap of encoded events. A customer (by its event's smallest node) may have at most
 * SC_WAITING_MAX waiting; past it its oldest must be let through early. Thread: one. */
#ifndef SC_SIM_WAIT_H
#define SC_SIM_WAIT_H

#include "core/journey/record.h"
#include "core/taxonomy/taxonomy.h"

struct sc_wait_item {
    int64_t ms;
    struct sc_str source, id;  /* inside the block */
    struct sc_node_id node;
    struct sc_str record;      /* EVENT, codec/journal.h */
};

struct sc_wait {
    struct sc_wait_item **heap;
    uint64_t n, cap;
    struct sc_wait_count {
        struct sc_node_id node;
        uint32_t n;
    } *counts;                 /* waiting by node; open addressing, rebuilt as it grows */
    uint64_t n_counts, cap_counts;
};

void sc_wait_init(struct sc_wait *wt);
void sc_wait_fini(struct sc_wait *wt);
void sc_wait_add(struct sc_wait *wt, const struct sc_taxonomy *tx, const struct sc_event *ev);
/* The first in order, or NULL. */
const struct sc_wait_item *sc_wait_first(const struct sc_wait *wt);
/* Take the first out; the caller frees it. */
struct sc_wait_item *sc_wait_pop(struct sc_wait *wt);
/* Take `node`'s oldest out when it has more than SC_WAITING_MAX, else NULL. */
struct sc_wait_item *sc_wait_over(struct sc_wait *wt, const struct sc_node_id *node);

#endif
