/* Two journeys over the same events: who would newly get, lose, or get otherwise which message.
 *
 * A message is the same one in both when its id is: the same customer, trigger, start event and key
 * (semantics 18). So a trigger whose start now holds for another event is one lost and one new.
 * Messages sent are compared; those withdrawn later had been sent.
 *
 * Memory grows with the occurrences of triggers on both sides, not with events. Thread: one. */
#ifndef SC_CLI_AGAINST_H
#define SC_CLI_AGAINST_H

#include "core/journey/effects.h"

enum sc_against_side { SC_AGAINST_NEW, SC_AGAINST_OLD, SC_AGAINST_SIDES };

struct sc_against;
struct sc_against *sc_against_create(void);
void sc_against_destroy(struct sc_against *ag);

/* Once a side, before its effects: the new side first. The old journey takes the new one's name:
 * ids are made under it. */
void sc_against_begin(struct sc_against *ag, enum sc_against_side side, struct sc_journey *jo);
/* Every effect of that side, in order. Nothing is borrowed afterwards. */
void sc_against_effect(struct sc_against *ag, const struct sc_journey *jo,
                       const struct sc_effect *fx);
/* Counts by trigger and channel, then at most `limit` differences by time. True when there are
 * any. */
bool sc_against_report(struct sc_against *ag, uint64_t limit, struct sc_buf *out);

#endif
