/* See worker.h. */
#include "engine/worker.h"

#include <string.h>

void sc_counters_add(struct sc_counters *sum, const struct sc_counters *c)
{
    _Atomic uint64_t *to = (_Atomic uint64_t *)sum;
    const _Atomic uint64_t *from = (const _Atomic uint64_t *)c;
    for (size_t i = 0; i < sizeof(*c) / sizeof(*from); i++)
        sc_count(&to[i], atomic_load_explicit(&from[i], memory_order_relaxed));
}

void sc_worker_counted(struct sc_worker *w)
{
    sc_counters_add(&w->counters, &w->txn);
    sc_worker_uncounted(w);
}

void sc_worker_uncounted(struct sc_worker *w)
{
    memset(&w->txn, 0, sizeof(w->txn));
}
