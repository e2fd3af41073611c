/* A typed growing array in an arena. Old storage stays in the arena until its reset, so it fits
 * load time and short lists of one batch, not unbounded growth. */
#ifndef SC_BASE_VEC_H
#define SC_BASE_VEC_H

#include "base/arena.h"
#include <string.h>

#define SC_VEC(type)                                                                               \
    struct {                                                                                       \
        type *v;                                                                                   \
        uint32_t n, cap;                                                                           \
    }

/* Append one zeroed element and yield a pointer to it. */
#define SC_VEC_ADD(ar, vec)                                                                        \
    (sc_vec_grow((ar), (void **)(void *)&(vec)->v, &(vec)->n, &(vec)->cap, sizeof(*(vec)->v)),     \
     &(vec)->v[(vec)->n - 1])
#define SC_VEC_PUSH(ar, vec, x) (*SC_VEC_ADD(ar, vec) = (x))

#define SC_VEC_FIRST_BYTES 128u /* most lists of a customer stay short, and there are many customers */

static inline uint32_t sc_vec_first(size_t each)
{
    size_t n = SC_VEC_FIRST_BYTES / each;
    return n < 2 ? 2 : n > 8 ? 8 : (uint32_t)n;
}

static inline void sc_vec_grow(struct sc_arena *ar, void **v, uint32_t *n, uint32_t *cap,
                               size_t each)
{
    if (*n == *cap) {
        uint32_t bigger = *cap ? *cap * 2 : sc_vec_first(each);
        *v = sc_arena_grow(ar, *v, each * *n, each * *cap, each * bigger);
        *cap = bigger;
    }
    memset((char *)*v + each * *n, 0, each);
    ++*n;
}

#endif
