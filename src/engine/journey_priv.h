/* Private to the journey worker: what its three files share.
 *
 * journey.c turns the loop and owns partitions; journey_apply.c takes messages: unpack, load, step,
 * effects; journey_commit.c is the transaction: begin, commit, or doubt and drop. */
#ifndef SC_ENGINE_JOURNEY_PRIV_H
#define SC_ENGINE_JOURNEY_PRIV_H

#include "base/vec.h"
#include "codec/journal.h"
#include "codec/seal.h"
#include "core/analytics/cube.h"
#include "core/journey/step.h"
#include "engine/overlay.h"
#include "engine/pace.h"
#include "engine/part.h"
#include "engine/publish.h"
#include "engine/worker.h"

#define SC_GROUP_ITEMS 1024u /* records decoded, and looked up, together: at most */

/* A record of the group in hand. */
struct sc_jitem {
    struct sc_frame_item *it;
    struct sc_part *p;
    struct sc_state *st; /* open; NULL: it is no record */
    uint32_t msg; /* index in the batch */
};

/* A journey worker with its transaction in hand. Its thread's alone. */
struct sc_jworker {
    struct sc_worker *w;
    const struct sc_journey *jo;
    struct sc_part **parts;     /* owned */
    uint32_t n_parts;
    struct sc_part **by_index;  /* P entries: owned ones, else NULL */
    struct sc_arena ar;         /* the transaction's */
    struct sc_arena group;      /* records, working states, effects of the group in hand */
    struct sc_overlay ov;
    struct sc_effects fx;       /* in `group` */
    struct sc_cube cube;        /* what the transaction adds to analytics; in `ar` */
    struct sc_publisher pb;
    struct sc_frame_writer *frames; /* P: records for other owners */
    struct sc_buf record;           /* of a state frame, while it is written */
    struct sc_jitem *items;
    uint32_t n_items;
    SC_VEC(struct sc_due_item) woken; /* taken from the heaps: given back by an abort */
    SC_VEC(uint32_t) woken_part;
    SC_VEC(struct sc_node_id) hints;
    bool open, doubt;
    bool still;                 /* paused: Redis is too far behind */
    bool held;                  /* what holds the journal back is stated */
    int64_t behind_ms;          /* since when something is there that is not handed out; 0: not */
    struct sc_pace pace;
    int64_t unknown_ms;         /* when events of another taxonomy were spoken of last; 0: never */
    uint64_t written;           /* bytes produced in this transaction */
    uint32_t timers;            /* fired in this transaction */
};

/* Begin a transaction unless one is open. False: in doubt. */
bool sc_jworker_begin(struct sc_jworker *j);
/* Commit what is open. False: in doubt. */
bool sc_jworker_commit(struct sc_jworker *j);
/* Move flushes to Redis on: between transactions, or while a batch is in hand. False: in doubt. */
bool sc_jworker_flush(struct sc_jworker *j, int timeout_ms);
bool sc_jworker_commit_due(const struct sc_jworker *j, int64_t mono_ms);
/* Forget the transaction; positions and states are asked for again. */
void sc_jworker_doubt(struct sc_jworker *j, enum sc_err why);
/* The transaction has ended, either way: empty its overlay, frames and arenas. */
void sc_jworker_clear(struct sc_jworker *j);
/* The group has ended: nothing of it is looked at any more. */
void sc_jworker_clear_group(struct sc_jworker *j);
/* Say what is waited for (static text; NULL: nothing that may take long), keep the membership for a
 * moment, acquire anew. */
void sc_jworker_wait(struct sc_jworker *j, const char *why);

/* Apply a batch, committing where it is due. False: in doubt. */
bool sc_jworker_take(struct sc_jworker *j, const struct sc_msg *msgs, uint32_t n);

#endif
