/* See due.h. */
#include "engine/due.h"

#include "base/arena.h"
#include "base/assert.h"
#include <stdlib.h>

void sc_due_init(struct sc_due *d)
{
    memset(d, 0, sizeof(*d));
}

void sc_due_fini(struct sc_due *d)
{
    free(d->v);
    sc_due_init(d);
}

void sc_due_clear(struct sc_due *d)
{
    d->n = d->kept = 0;
}

static bool before(const struct sc_due_item *a, const struct sc_due_item *b)
{
    return a->ms != b->ms ? a->ms < b->ms : sc_node_cmp(&a->node, &b->node) < 0;
}

void sc_due_push(struct sc_due *d, int64_t ms, const struct sc_node_id *node)
{
    SC_ASSERT(ms != INT64_MAX);
    if (d->n == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 64;
        d->v = sc_realloc(d->v, d->cap * sizeof(*d->v));
    }
    struct sc_due_item item = {ms, *node};
    uint64_t at = d->n++;
    while (at > 0 && before(&item, &d->v[(at - 1) / 2])) {
        d->v[at] = d->v[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    d->v[at] = item;
}

const struct sc_due_item *sc_due_first(const struct sc_due *d)
{
    return d->n ? &d->v[0] : NULL;
}

struct sc_due_item sc_due_pop(struct sc_due *d)
{
    SC_ASSERT(d->n > 0);
    struct sc_due_item first = d->v[0], last = d->v[--d->n];
    uint64_t at = 0;
    for (;;) {
        uint64_t kid = 2 * at + 1;
        if (kid >= d->n)
            break;
        if (kid + 1 < d->n && before(&d->v[kid + 1], &d->v[kid]))
            kid++;
        if (!before(&d->v[kid], &last))
            break;
        d->v[at] = d->v[kid];
        at = kid;
    }
    if (d->n)
        d->v[at] = last;
    return first;
}

static int order(const void *a, const void *b)
{
    return before(a, b) ? -1 : before(b, a);
}

void sc_due_keep(struct sc_due *d, bool (*fn)(void *arg, const struct sc_due_item *item), void *arg)
{
    uint64_t wanted = 0, once = 0;
    for (uint64_t i = 0; i < d->n; i++)
        if (fn(arg, &d->v[i]))
            d->v[wanted++] = d->v[i];
    if (wanted)
        qsort(d->v, wanted, sizeof(*d->v), order); /* what is in order is a heap */
    for (uint64_t i = 0; i < wanted; i++)
        if (once == 0 || order(&d->v[once - 1], &d->v[i]) != 0)
            d->v[once++] = d->v[i];
    d->n = d->kept = once;
}
