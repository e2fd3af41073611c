/* See idset.h. */
#include "sim/idset.h"

#include "base/prefetch.h"

#include <stdlib.h>

void sc_idset_fini(struct sc_idset *s)
{
    free(s->slots);
    memset(s, 0, sizeof(*s));
}

static void grow(struct sc_idset *s)
{
    struct sc_idset bigger = {.cap = s->cap ? s->cap * 2 : 1024, .n = s->n};
    bigger.slots = sc_calloc_table(bigger.cap, sizeof(*bigger.slots));
    for (uint64_t i = 0; i < s->cap; i++) {
        if (!s->slots[i].used)
            continue;
        uint64_t at = s->slots[i].id & (bigger.cap - 1);
        while (bigger.slots[at].used)
            at = (at + 1) & (bigger.cap - 1);
        bigger.slots[at] = s->slots[i];
    }
    free(s->slots);
    *s = bigger;
}

void sc_idset_prefetch(const struct sc_idset *s, uint64_t id_hash)
{
    if (s->cap)
        sc_prefetch(&s->slots[id_hash & (s->cap - 1)], sizeof(*s->slots), 1);
}

enum sc_dedupe sc_idset_add(struct sc_idset *s, uint64_t id_hash, uint32_t content)
{
    if ((s->n + 1) * 4 > s->cap * 3)
        grow(s);
    enum sc_dedupe found = SC_DEDUPE_NEW;
    uint64_t at = id_hash & (s->cap - 1);
    for (; s->slots[at].used; at = (at + 1) & (s->cap - 1)) {
        if (s->slots[at].id != id_hash)
            continue;
        if (s->slots[at].content == content)
            return SC_DEDUPE_COPY;
        found = SC_DEDUPE_CLASH;
    }
    s->slots[at] = (struct sc_idset_slot){id_hash, content, 1};
    s->n++;
    return found;
}
