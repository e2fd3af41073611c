/* What happened to customers, as text for people: the step's trace, and beside it the effects that
 * the trace does not tell. One block an instant:
 *
 *   [2026-03-02 10:00] cart_updated value=40
 *     rule    event.value >= 20.0               event.value = 40   -> match
 *
 * `explain customer` prints it, and `test` for a case that fails. */
#ifndef SC_CLI_EXPLAIN_STORY_H
#define SC_CLI_EXPLAIN_STORY_H

#include "core/journey/effects.h"
#include "core/journey/state.h"

/* The line of an effect that no trace line tells: identity, a withdrawal. Others: nothing.
 * `reveal` may give the raw value of a node (NULL: its namespace and eight digits). */
void sc_story_effect(const struct sc_journey *jo, const struct sc_effect *fx, sc_reveal_fn *reveal,
                     void *reveal_arg, struct sc_buf *out);

/* The customer as it stands: stage, identifiers with their evidence, what it waits for. */
void sc_story_customer(const struct sc_journey *jo, const struct sc_state *st, sc_reveal_fn *reveal,
                       void *reveal_arg, struct sc_buf *out);

#endif
