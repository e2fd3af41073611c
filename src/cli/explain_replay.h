/* What the rules saw of a customer of the running system. The system keeps what came of them, not
 * which sub-expression was false; the journal keeps what they read. So its events are played again,
 * through the same step as in `run`, with a trace.
 *
 * It is what the rules see under these files, of the events that the journal still has. Decisions
 * are left out: they went by a time and a ledger of then, and their records have the gates. */
#ifndef SC_CLI_EXPLAIN_REPLAY_H
#define SC_CLI_EXPLAIN_REPLAY_H

#include "codec/journal.h"
#include "core/journey/state.h"

struct sc_replayed;
struct sc_replay_place { /* of a record in the journal */
    int64_t append_ms;
    int32_t partition;
    int64_t offset;
    uint32_t index; /* in its frame */
};
struct sc_replay {
    const struct sc_journey *jo;
    struct sc_arena *ar; /* of what is kept until print */
    SC_VEC(struct sc_replayed *) events;
    bool reveal;
};

/* One event as the journal has it, at `at`, in whatever order they are read. Another door of the
 * same event: give what the first call gave. */
struct sc_replayed *sc_replay_add(struct sc_replay *rp, struct sc_replayed *known,
                                  const struct sc_record *rec, const struct sc_replay_place *at);
/* Play them, then let time go on to `until_ms`; print what the rules saw, and how many of the
 * events that `st` has counted it was. */
void sc_replay_print(struct sc_replay *rp, const struct sc_state *st, int64_t until_ms);

#endif
