/* The stored form of a customer's record: what caches, state frames, STATE records and Redis hold.
 *
 * Versioned; facts, stages, triggers, milestones stand by the hash of their name and definition, so
 * that a changed journey still reads old states: what it no longer knows is kept as it is (bounded)
 * or dropped when its definition changed. Layout: docs/formats.md. Soft limit 16 KiB (counted),
 * hard limit 1 MiB: past it the oldest of dedupe ids, touchpoints and windows go first, counted. */
#ifndef SC_CODEC_STATE_H
#define SC_CODEC_STATE_H

#include "core/journey/state.h"

#define SC_STATE_SOFT_BYTES (16u << 10)
#define SC_STATE_HARD_BYTES (1u << 20)
#define SC_STATE_MOST_BYTES ((2u << 20) - (64u << 10)) /* what a record of the state log has room for */

/* Append the stored form of `st` to `out`. False: over the hard limit, so not all was written. */
bool sc_state_encode(const struct sc_journey *jo, const struct sc_state *st, struct sc_buf *out);
/* Read it back into `ar`; strings borrow from `in`, which must outlive the state. NULL: corrupt or
 * from a newer version (hostile input is safe). */
struct sc_state *sc_state_decode(const struct sc_journey *jo, struct sc_node_id node,
                                 struct sc_str in, struct sc_arena *ar);
/* The same for one step: facts stay unread (core/journey/state.h) until it asks for them. Those it
 * did not ask for are written again as they stand, and whether one was damaged is known when it has
 * been read: sc_facts_sound. */
struct sc_state *sc_state_open(const struct sc_journey *jo, struct sc_node_id node,
                               struct sc_str in, struct sc_arena *ar);
/* Peek without decoding: kind, parent of an alias, due_ms. False: corrupt. */
struct sc_state_peek {
    uint8_t kind;
    struct sc_node_id parent;
    int64_t due_ms;
};
bool sc_state_peek(struct sc_str in, struct sc_state_peek *out);

#endif
