/* See overlay.h. */
#include "engine/overlay.h"

#include "base/assert.h"
#include "base/prefetch.h"
#include "codec/state.h"
#include "engine/cache.h"
#include <stdlib.h>

#define FORMS_KEEP_BYTES (4u << 20)

void sc_overlay_init(struct sc_overlay *ov)
{
    memset(ov, 0, sizeof(*ov));
}

void sc_overlay_fini(struct sc_overlay *ov)
{
    free(ov->slots);
    free(ov->items);
    free(ov->open);
    sc_buf_fini(&ov->forms);
    sc_overlay_init(ov);
}

void sc_overlay_clear(struct sc_overlay *ov)
{
    if (ov->n)
        memset(ov->slots, 0, ov->cap * sizeof(*ov->slots));
    ov->n = ov->n_open = 0;
}

/* Nodes are MACs: some of their bytes say where, others make the tag. */
static uint32_t tag_of(const struct sc_node_id *node)
{
    uint32_t tag;
    memcpy(&tag, node->b + 4, sizeof(tag));
    return tag;
}

/* Where a look-up begins. */
static uint32_t home_of(const struct sc_overlay *ov, const struct sc_node_id *node)
{
    uint64_t h;
    memcpy(&h, node->b + 8, sizeof(h));
    return (uint32_t)h & (ov->cap - 1);
}

/* The slot of `node`, or the free one where it would stand. */
static struct sc_overlay_slot *slot_of(const struct sc_overlay *ov, const struct sc_node_id *node)
{
    uint32_t tag = tag_of(node);
    for (uint32_t i = home_of(ov, node);; i = (i + 1) & (ov->cap - 1)) {
        struct sc_overlay_slot *s = &ov->slots[i];
        if (s->item == 0 || (s->tag == tag && sc_node_eq(&ov->items[s->item - 1].node, node)))
            return s;
    }
}

void sc_overlay_prefetch(const struct sc_overlay *ov, const struct sc_node_id *node)
{
    if (ov->cap)
        sc_prefetch(&ov->slots[home_of(ov, node)], sizeof(*ov->slots), 1);
}

void sc_overlay_prefetch_item(const struct sc_overlay *ov, const struct sc_node_id *node)
{
    if (ov->n == 0)
        return;
    uint32_t tag = tag_of(node), i = home_of(ov, node);
    while (ov->slots[i].item && ov->slots[i].tag != tag)
        i = (i + 1) & (ov->cap - 1);
    if (ov->slots[i].item)
        sc_prefetch(&ov->items[ov->slots[i].item - 1], sizeof(*ov->items), 2);
}

bool sc_overlay_prefetch_stored(const struct sc_overlay *ov, const struct sc_node_id *node)
{
    const struct sc_overlay_item *item = sc_overlay_get(ov, node);
    if (item == NULL || item->stored.p == NULL)
        return false;
    sc_prefetch(item->stored.p, item->stored.len, SC_STATE_LINES);
    return true;
}

struct sc_overlay_item *sc_overlay_get(const struct sc_overlay *ov, const struct sc_node_id *node)
{
    if (ov->n == 0)
        return NULL;
    const struct sc_overlay_slot *s = slot_of(ov, node);
    return s->item ? &ov->items[s->item - 1] : NULL;
}

static void grow_slots(struct sc_overlay *ov)
{
    free(ov->slots);
    ov->cap = ov->cap ? ov->cap * 2 : 1024;
    ov->slots = sc_calloc(ov->cap, sizeof(*ov->slots));
    for (uint32_t i = 0; i < ov->n; i++) {
        const struct sc_node_id *node = &ov->items[i].node;
        *slot_of(ov, node) = (struct sc_overlay_slot){i + 1, tag_of(node)};
    }
}

static void grow_items(struct sc_overlay *ov)
{
    ov->cap_items = ov->cap_items ? ov->cap_items * 2 : 512;
    ov->items = sc_realloc(ov->items, ov->cap_items * sizeof(*ov->items));
    ov->open = sc_realloc(ov->open, ov->cap_items * sizeof(*ov->open));
}

void sc_overlay_open(struct sc_overlay *ov, struct sc_state *st, uint32_t part)
{
    if ((ov->n + 1) * 2 > ov->cap)
        grow_slots(ov);
    if (ov->n == ov->cap_items)
        grow_items(ov);
    struct sc_overlay_slot *s = slot_of(ov, &st->node);
    if (s->item == 0) {
        ov->items[ov->n] = (struct sc_overlay_item){.node = st->node, .due_ms = st->due_ms,
                                                    .next_due_ms = st->due_ms, .part = part};
        *s = (struct sc_overlay_slot){++ov->n, tag_of(&st->node)};
    }
    struct sc_overlay_item *item = &ov->items[s->item - 1];
    SC_ASSERT(item->st == NULL && item->part == part);
    item->st = st;
    ov->open[ov->n_open++] = (struct sc_overlay_open){.item = s->item - 1};
}

/* The new stored form to where the one before stood, or to where there is room. Returns the bytes of
 * `ar` that took. */
static size_t put_down(struct sc_overlay_item *item, struct sc_str form, struct sc_arena *ar)
{
    size_t took = 0;
    if (form.len > item->room) {
        took = (form.len + SC_CACHE_LINE - 1) & ~(size_t)(SC_CACHE_LINE - 1);
        item->place = sc_arena_alloc(ar, took);
        item->room = (uint32_t)took;
    }
    memcpy(item->place, form.p, form.len);
    item->stored = (struct sc_str){item->place, form.len};
    item->next_due_ms = item->st->due_ms;
    return took;
}

/* Working forms borrow from stored ones, so all are encoded before any is written over. */
size_t sc_overlay_close(struct sc_overlay *ov, const struct sc_journey *jo, struct sc_arena *ar)
{
    size_t took = 0, at = 0;
    SC_ASSERT(ov->n_open <= ov->n && ov->forms.len == 0);
    for (uint32_t i = 0; i < ov->n_open; i++) {
        struct sc_overlay_item *item = &ov->items[ov->open[i].item];
        size_t from = ov->forms.len;
        if (item->st->dirty)
            item->cut |= !sc_state_encode(jo, item->st, &ov->forms);
        ov->open[i].bytes = (uint32_t)(ov->forms.len - from);
    }
    for (uint32_t i = 0; i < ov->n_open; i++) {
        struct sc_overlay_item *item = &ov->items[ov->open[i].item];
        uint32_t bytes = ov->open[i].bytes;
        if (bytes)
            took += put_down(item, (struct sc_str){ov->forms.p + at, bytes}, ar);
        item->st = NULL;
        at += bytes;
    }
    ov->n_open = 0;
    ov->forms.len = 0;
    if (ov->forms.cap > FORMS_KEEP_BYTES)
        sc_buf_fini(&ov->forms);
    return took;
}

uint32_t *sc_overlay_by_part(const struct sc_overlay *ov, uint32_t *from, uint32_t n_parts,
                             struct sc_arena *ar)
{
    uint32_t *order = SC_NEW_N(ar, uint32_t, ov->n + 1);
    SC_ASSERT(ov->n_open == 0);
    memset(from, 0, (n_parts + 1) * sizeof(*from));
    for (uint32_t i = 0; i < ov->n; i++) {
        SC_ASSERT(ov->items[i].part < n_parts);
        from[ov->items[i].part + 1]++;
    }
    for (uint32_t p = 0; p < n_parts; p++)
        from[p + 1] += from[p];
    for (uint32_t i = 0; i < ov->n; i++)
        order[from[ov->items[i].part]++] = i;
    /* Each start now stands at its end: one to the right. */
    memmove(from + 1, from, n_parts * sizeof(*from));
    from[0] = 0;
    return order;
}
