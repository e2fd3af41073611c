/* Due: who has to be woken when. A binary heap of (due time, node), earliest first, ties by node,
 * so that two runs wake in the same order. An entry may be stale (the customer's due time has moved
 * since): the one who pops compares with the state and drops it. A timer that each visit moves by
 * months would leave one a visit: when half may be stale, sc_due_keep sweeps. Thread: the owner's alone. */
#ifndef SC_ENGINE_DUE_H
#define SC_ENGINE_DUE_H

#include "core/event.h"

#define SC_DUE_SWEEP_MIN 1024u /* fewer are not worth a sweep */

struct sc_due_item {
    int64_t ms;
    struct sc_node_id node;
};

struct sc_due {
    struct sc_due_item *v;
    uint64_t n, cap;
    uint64_t kept; /* how many the last sc_due_keep left */
};

void sc_due_init(struct sc_due *d);
void sc_due_fini(struct sc_due *d);
void sc_due_clear(struct sc_due *d);
/* Was there ever anything in it? */
static inline bool sc_due_used(const struct sc_due *d)
{
    return d->cap > 0;
}
void sc_due_push(struct sc_due *d, int64_t ms, const struct sc_node_id *node);
/* The earliest, or NULL. Valid until the next push or pop. */
const struct sc_due_item *sc_due_first(const struct sc_due *d);
struct sc_due_item sc_due_pop(struct sc_due *d);
/* Twice what the last sweep left: half may be stale. */
static inline bool sc_due_swollen(const struct sc_due *d)
{
    return d->n > SC_DUE_SWEEP_MIN && d->n / 2 > d->kept;
}
/* Leave those that `fn` wants, each once. */
void sc_due_keep(struct sc_due *d, bool (*fn)(void *arg, const struct sc_due_item *item), void *arg);

#endif
