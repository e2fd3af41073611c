/* Overlay: the states one transaction has touched, in working form. Dropped whole on an abort,
 * encoded once at the commit. Everything lives in the transaction's arena but the table itself,
 * which is kept. Thread: the worker's alone. */
#ifndef SC_ENGINE_OVERLAY_H
#define SC_ENGINE_OVERLAY_H

#include "core/journey/state.h"

struct sc_overlay_item {
    struct sc_state *st;
    uint32_t part;   /* index into the worker's partitions */
    int64_t due_ms;  /* when the state was read */
    size_t stored_bytes; /* of its stored form, set by the commit */
};

struct sc_overlay {
    uint32_t *slots; /* index into items + 1; 0: free */
    uint32_t cap;
    struct sc_overlay_item *items; /* in order of first touch */
    uint32_t n, cap_items;
};

void sc_overlay_init(struct sc_overlay *ov);
void sc_overlay_fini(struct sc_overlay *ov);
void sc_overlay_clear(struct sc_overlay *ov);
/* NULL: not touched yet. */
struct sc_overlay_item *sc_overlay_get(const struct sc_overlay *ov, const struct sc_node_id *node);
/* `st` is not there yet. Valid until the next add. */
struct sc_overlay_item *sc_overlay_add(struct sc_overlay *ov, struct sc_state *st, uint32_t part);

#endif
