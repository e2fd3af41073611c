/* Publish: effects and customers as records of the outbound topics, inside the transaction. */
#ifndef SC_ENGINE_PUBLISH_H
#define SC_ENGINE_PUBLISH_H

#include "core/journey/state.h"
#include "engine/worker.h"

struct sc_publisher {
    struct sc_worker *w;
    struct sc_arena *ar; /* of one effect, or longer */
    struct sc_buf value;
};

/* Each returns what producing returned; a topic that is off takes nothing. Also counts. */
enum sc_err sc_publish_effect(struct sc_publisher *pb, const struct sc_effect *fx);
enum sc_err sc_publish_customer(struct sc_publisher *pb, const struct sc_state *st,
                                int64_t now_ms);
/* What this transaction adds to a cell of analytics; `name` tells it from any other transaction's,
 * in the record's id. The topic must be on. */
struct sc_commit_name { /* a partition that it moves, and to which seal */
    uint64_t incarnation, seq, partition;
};
enum sc_err sc_publish_cell(struct sc_publisher *pb, const struct sc_cell *cell,
                            const struct sc_commit_name *name);
/* A tombstone on the customers topic: absorbed or erased. */
enum sc_err sc_publish_gone(struct sc_publisher *pb, const struct sc_node_id *node);
/* What a step counted, into the worker's counters. */
void sc_publish_counts(struct sc_publisher *pb, const struct sc_step_counts *n);

#endif
