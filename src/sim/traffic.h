/* Traffic: made-up events that a taxonomy would accept, for `dev`. People with identifiers in every
 * namespace show some of them at a time, so that identity has work. Lines are canonical events
 * (semantics 39). The same seed gives the same people and choices. Thread: one. */
#ifndef SC_SIM_TRAFFIC_H
#define SC_SIM_TRAFFIC_H

#include "core/taxonomy/taxonomy.h"

struct sc_traffic {
    const struct sc_taxonomy *tx;
    uint64_t random;
    uint64_t made;
    uint32_t people;
};

/* The next event, at now_ms, into `line`; the index of its source. False: no source has an event
 * that could be made up. */
bool sc_traffic_event(struct sc_traffic *tr, int64_t now_ms, uint32_t *source,
                      struct sc_buf *line);

#endif
