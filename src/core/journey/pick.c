/* Which rules of an event are tried: those that any event of its type may move, and those that ask
 * for a value it has. So a thousand rules about a thousand values cost what one costs. */
#include "core/journey/run.h"

#include "base/assert.h"
#include "core/journey/load.h"

uint64_t sc_keyed_of(uint16_t prop, uint64_t hash)
{
    return hash ^ (prop + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15);
}

/* The first entry of that key or a later one. */
static uint32_t lower(const struct sc_by_value *by, uint64_t key)
{
    uint32_t lo = 0, n = by->n;
    while (n > 0) {
        uint32_t half = n / 2;
        if (by->v[lo + half].key < key) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return lo;
}

/* Into an ascending list, each once. */
static uint32_t insert(uint16_t *v, uint32_t n, uint16_t element)
{
    uint32_t at = n;
    while (at > 0 && v[at - 1] > element)
        at--;
    if (at > 0 && v[at - 1] == element)
        return n;
    memmove(&v[at + 1], &v[at], (n - at) * sizeof(*v));
    v[at] = element;
    return n + 1;
}

struct sc_picked sc_pick_by(const uint16_t *always, uint32_t n, const struct sc_by_value *by,
                            const struct sc_event *ev, struct sc_arena *ar)
{
    uint16_t *all = NULL;
    SC_ASSERT(by->n > 0 && by->n_props > 0);
    for (uint32_t p = 0; p < by->n_props; p++) {
        SC_ASSERT(by->props[p] < ev->n_props);
        struct sc_value v = ev->props[by->props[p]];
        if (v.type != SC_T_STRING)
            continue;
        uint64_t key = sc_keyed_of(by->props[p], sc_value_hash(v));
        for (uint32_t i = lower(by, key); i < by->n && by->v[i].key == key; i++) {
            if (all == NULL) {
                all = sc_arena_alloc(ar, sizeof(*all) * ((size_t)n + by->n + 1));
                if (n > 0)
                    memcpy(all, always, sizeof(*all) * n);
            }
            n = insert(all, n, by->v[i].element);
        }
    }
    return (struct sc_picked){all ? all : always, n};
}
