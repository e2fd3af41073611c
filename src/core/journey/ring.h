/* The ring of touchpoints, for merges and the stored form; see ring.c. */
#ifndef SC_CORE_JOURNEY_RING_H
#define SC_CORE_JOURNEY_RING_H

#include "core/journey/state.h"

/* By (time, source, id). */
int sc_touch_cmp(const struct sc_touch *a, const struct sc_touch *b);
/* In its place, the oldest going past `max`. False: older than all of a full ring, or there. */
bool sc_ring_insert(struct sc_state *st, uint32_t max, const struct sc_touch *touch);
/* Is this property kept in a touchpoint? */
bool sc_ring_reads(const struct sc_journey *jo, uint16_t event, uint32_t prop);

#endif
