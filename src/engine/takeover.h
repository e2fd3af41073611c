/* Takeover: how an owner comes to own a partition. The eight steps of reliability.md "Acquire a
 * partition", in their order; the only way out of every doubt, so it is used for starts,
 * rebalances, aborts and failures alike. */
#ifndef SC_ENGINE_TAKEOVER_H
#define SC_ENGINE_TAKEOVER_H

#include "engine/part.h"
#include "engine/worker.h"

/* Acquire every partition in `parts` that is not ACTIVE or whose place in the logs has moved.
 * Partitions that cannot be taken are STOPPED with a reason; OK otherwise, or what kept the whole
 * from going on (retriable: call again). At the end positions are set (rewind) and step 8 has been
 * committed. */
enum sc_err sc_takeover(struct sc_worker *w, struct sc_part **parts, uint32_t n,
                        struct sc_arena *ar);

/* Read on where each partition stands, or (`pause`) read nothing while staying a member. */
enum sc_err sc_takeover_positions(struct sc_worker *w, struct sc_part **parts, uint32_t n,
                                  bool pause, struct sc_arena *ar);

/* Who leaves of its own accord did not die of a record: write down that none is suspected. If that
 * fails, this life counts. */
void sc_takeover_leave(struct sc_worker *w, struct sc_part *const *parts, uint32_t n,
                       struct sc_arena *ar);
/* Write down that what is at p->committed is taken with care now, before it is (tries.h). */
enum sc_err sc_takeover_attempt(struct sc_worker *w, struct sc_part *p, struct sc_arena *ar);

#endif
