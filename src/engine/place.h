/* Place: is what is to be read next still in the topic? Retention, DeleteRecords or a topic made
 * anew may have taken it away; then a partition stops and says so, since to read on at what is left
 * would skip records in silence. Only the operator's word (`adopt`) lets it go on there. */
#ifndef SC_ENGINE_PLACE_H
#define SC_ENGINE_PLACE_H

#include "engine/worker.h"

#define SC_PLACE_WHY 320

/* Look at one partition of an input, `topic` its name, about to be read on at tp->offset (>= 0).
 * OK and why empty: read there; `adopt` may have moved it to the first that is left, which is said.
 * OK and why set: its place is gone, tp->offset is -1: paused. Else: not known, ask again. */
enum sc_err sc_place_check(struct sc_worker *w, struct sc_str topic, struct sc_tp *tp,
                           char why[SC_PLACE_WHY]);

#endif
