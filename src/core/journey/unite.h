/* Unions of lists, for merges: sorted, equal ones joined; in the arena, without the heap. */
#ifndef SC_CORE_JOURNEY_UNITE_H
#define SC_CORE_JOURNEY_UNITE_H

#include "base/vec.h"

#include <stdbool.h>

typedef int sc_order_fn(const void *a, const void *b);
/* Put what `from` knows into `into`, of two that compare equal. Must not depend on their order. */
typedef void sc_join_fn(void *into, const void *from);

/* Sort `n` elements of `each` bytes at `v`: stable, O(n log n), nearly sorted O(n). */
void sc_sort(struct sc_arena *ar, void *v, uint32_t n, size_t each, sc_order_fn *order);

/* The union of a (which becomes it) and b as a fresh list, ascending. `join` NULL: either will do. */
struct sc_unite {
    struct sc_arena *ar;
    size_t each;
    sc_order_fn *order;
    sc_join_fn *join;
};
void *sc_unite(const struct sc_unite *how, const void *a, uint32_t *n, const void *b, uint32_t m);

#define SC_UNITE(arena, into, from, order, join)                                                   \
    ((into)->v = sc_unite(&(struct sc_unite){(arena), sizeof(*(into)->v), (order), (join)},        \
                          (into)->v, &(into)->n, (from)->v, (from)->n),                            \
     (into)->cap = (into)->n)

#endif
