/* Unions of lists: see unite.h. A merge sort, so that lists already in order cost one pass. */
#include "core/journey/unite.h"

#include "base/assert.h"

static void merge_runs(char *to, const char *a, size_t na, const char *b, size_t nb, size_t each,
                       sc_order_fn *order)
{
    const char *a_end = a + na * each, *b_end = b + nb * each;
    for (; a < a_end || b < b_end; to += each) {
        bool take_a = b == b_end || (a < a_end && order(a, b) <= 0);
        memcpy(to, take_a ? a : b, each);
        a += take_a ? each : 0;
        b += take_a ? 0 : each;
    }
}

static bool ascending(const char *v, uint32_t n, size_t each, sc_order_fn *order)
{
    for (uint32_t i = 1; i < n; i++)
        if (order(v + (i - 1) * each, v + i * each) > 0)
            return false;
    return true;
}

void sc_sort(struct sc_arena *ar, void *v, uint32_t n, size_t each, sc_order_fn *order)
{
    SC_ASSERT(n == 0 || v != NULL);
    SC_ASSERT(each > 0);
    if (ascending(v, n, each, order))
        return;
    char *from = v, *to = sc_arena_alloc(ar, n * each);
    for (size_t run = 1; run < n; run *= 2) {
        for (size_t i = 0; i < n; i += 2 * run) {
            size_t mid = i + run < n ? i + run : n, end = i + 2 * run < n ? i + 2 * run : n;
            merge_runs(to + i * each, from + i * each, mid - i, from + mid * each, end - mid, each,
                       order);
        }
        char *done = to;
        to = from;
        from = done;
    }
    if (from != v)
        memcpy(v, from, n * each);
}

void *sc_unite(const struct sc_unite *how, const void *a, uint32_t *n, const void *b, uint32_t m)
{
    size_t each = how->each, all = (size_t)*n + m;
    SC_ASSERT(all < UINT32_MAX);
    char *v = sc_arena_alloc(how->ar, each * all + 1);
    if (*n)
        memcpy(v, a, each * *n);
    if (m)
        memcpy(v + each * *n, b, each * m);
    sc_sort(how->ar, v, (uint32_t)all, each, how->order);
    size_t kept = 0;
    for (size_t i = 0; i < all; i++) {
        bool same = kept > 0 && how->order(v + (kept - 1) * each, v + i * each) == 0;
        if (same && how->join)
            how->join(v + (kept - 1) * each, v + i * each);
        if (!same && kept++ != i)
            memcpy(v + (kept - 1) * each, v + i * each, each);
    }
    *n = (uint32_t)kept;
    return v;
}
