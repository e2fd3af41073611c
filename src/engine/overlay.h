/* Overlay: the states one transaction has touched. Dropped whole on an abort, sealed at the commit.
 *
 * A working form lives as long as the group of records that opened it, so that what is worked on
 * stays near the processor however long a transaction gets; from group to group, and at the commit,
 * a changed state stands in its stored form. Tables are kept, states are the arenas'. Thread: the
 * worker's alone. */
#ifndef SC_ENGINE_OVERLAY_H
#define SC_ENGINE_OVERLAY_H

#include "core/journey/state.h"

struct sc_overlay_item {
    struct sc_node_id node;
    struct sc_state *st;  /* NULL: not open in this group */
    struct sc_str stored; /* as of the last group that changed it; p == NULL: none did */
    char *place;          /* where it stands, with room for some more */
    int64_t due_ms;       /* when the state was read */
    int64_t next_due_ms;  /* of `stored` */
    uint32_t room;        /* bytes at `place` */
    uint32_t part;        /* index of the partition */
    bool cut;              /* `stored` is not all: over the hard limit */
};

struct sc_overlay_slot {
    uint32_t item; /* index + 1; 0: free */
    uint32_t tag;  /* of the node: others are passed over without a look at them */
};

struct sc_overlay_open { /* an item with a working form */
    uint32_t item;
    uint32_t bytes; /* at the group's end: of its new stored form, 0: not changed */
};

struct sc_overlay {
    struct sc_overlay_slot *slots;
    uint32_t cap;
    struct sc_overlay_item *items; /* in order of first touch */
    uint32_t n, cap_items;
    struct sc_overlay_open *open;  /* room for all */
    uint32_t n_open;
    struct sc_buf forms; /* a group's new stored forms */
};

void sc_overlay_init(struct sc_overlay *ov);
void sc_overlay_fini(struct sc_overlay *ov);
void sc_overlay_clear(struct sc_overlay *ov);
/* NULL: not touched yet. Valid until the next open. */
struct sc_overlay_item *sc_overlay_get(const struct sc_overlay *ov, const struct sc_node_id *node);
/* Have what a look-up will read on its way: first the slot; some look-ups later, through that, the
 * item; some more later, through that, its stored form. False: it has none. */
void sc_overlay_prefetch(const struct sc_overlay *ov, const struct sc_node_id *node);
void sc_overlay_prefetch_item(const struct sc_overlay *ov, const struct sc_node_id *node);
bool sc_overlay_prefetch_stored(const struct sc_overlay *ov, const struct sc_node_id *node);
/* `st` was read, for the first time or again. */
void sc_overlay_open(struct sc_overlay *ov, struct sc_state *st, uint32_t part);
/* The group is over: working forms are forgotten, changed ones put down in their stored form, over
 * the one before where it fits, else in `ar` (the transaction's). Returns how many bytes of that. */
size_t sc_overlay_close(struct sc_overlay *ov, const struct sc_journey *jo, struct sc_arena *ar);
/* Items by partition, in order of first touch: those of p stand in [from[p], from[p + 1]) of the
 * indices returned. `from`: n_parts + 1 entries. */
uint32_t *sc_overlay_by_part(const struct sc_overlay *ov, uint32_t *from, uint32_t n_parts,
                             struct sc_arena *ar);

#endif
