/* See overlay.h. */
#include "engine/overlay.h"

#include "base/assert.h"
#include <stdlib.h>

void sc_overlay_init(struct sc_overlay *ov)
{
    memset(ov, 0, sizeof(*ov));
}

void sc_overlay_fini(struct sc_overlay *ov)
{
    free(ov->slots);
    free(ov->items);
    sc_overlay_init(ov);
}

void sc_overlay_clear(struct sc_overlay *ov)
{
    if (ov->n)
        memset(ov->slots, 0, ov->cap * sizeof(*ov->slots));
    ov->n = 0;
}

/* The slot of `node`, or the free one where it would stand. */
static uint32_t *slot_of(const struct sc_overlay *ov, const struct sc_node_id *node)
{
    uint64_t h;
    memcpy(&h, node->b + 8, sizeof(h));
    for (uint32_t i = (uint32_t)h & (ov->cap - 1);; i = (i + 1) & (ov->cap - 1)) {
        uint32_t *s = &ov->slots[i];
        if (*s == 0 || sc_node_eq(&ov->items[*s - 1].st->node, node))
            return s;
    }
}

struct sc_overlay_item *sc_overlay_get(const struct sc_overlay *ov, const struct sc_node_id *node)
{
    if (ov->n == 0)
        return NULL;
    uint32_t *s = slot_of(ov, node);
    return *s ? &ov->items[*s - 1] : NULL;
}

static void grow(struct sc_overlay *ov)
{
    free(ov->slots);
    ov->cap = ov->cap ? ov->cap * 2 : 1024;
    ov->slots = sc_calloc(ov->cap, sizeof(*ov->slots));
    for (uint32_t i = 0; i < ov->n; i++)
        *slot_of(ov, &ov->items[i].st->node) = i + 1;
}

struct sc_overlay_item *sc_overlay_add(struct sc_overlay *ov, struct sc_state *st, uint32_t part)
{
    if ((ov->n + 1) * 2 > ov->cap)
        grow(ov);
    if (ov->n == ov->cap_items) {
        ov->cap_items = ov->cap_items ? ov->cap_items * 2 : 512;
        ov->items = sc_realloc(ov->items, ov->cap_items * sizeof(*ov->items));
    }
    uint32_t *s = slot_of(ov, &st->node);
    SC_ASSERT(*s == 0);
    ov->items[ov->n] = (struct sc_overlay_item){st, part, st->due_ms, 0};
    *s = ++ov->n;
    return &ov->items[ov->n - 1];
}
