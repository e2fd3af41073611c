/* Flush: what was committed, to Redis: asynchronous, coalesced, at most the flush interval behind.
 * A late or repeated flush does nothing (compare-and-set on the stamp). Source: reliability.md
 * "Flush to Redis". */
#ifndef SC_ENGINE_FLUSH_H
#define SC_ENGINE_FLUSH_H

#include "engine/part.h"
#include "engine/worker.h"

/* Start flushes that are due (`all`: everything dirty, now) and take in those that ended. False:
 * somebody else moved a stamp, or Redis went back: that partition must be acquired anew (it has
 * been forgotten). */
bool sc_flush_tick(struct sc_worker *w, struct sc_part **parts, uint32_t n, bool all,
                   int timeout_ms);
/* Take in every flush that is under way: before partitions are acquired anew, so that none is taken
 * for one started later. */
void sc_flush_settle(struct sc_worker *w, struct sc_part **parts, uint32_t n);
/* True while so much is dirty, or for so long, that polling must stop. */
bool sc_flush_stalled(const struct sc_worker *w, struct sc_part *const *parts, uint32_t n);
/* Nothing is dirty any more. */
bool sc_flush_done(struct sc_part *const *parts, uint32_t n);

#endif
