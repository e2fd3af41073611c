/* Pace: when a worker's open transaction ends.
 *
 * At most one an interval, but for those that grow too large. It ends once it has been open for an
 * interval; or as soon as an interval has passed since the commit before and nothing more comes: an
 * event after a pause does not wait, nor does the journey worker for what resolve has sent at once.
 * It has passed since that commit was begun, so that two workers of one interval keep step, however
 * long their commits take. Thread: the worker's. */
#ifndef SC_ENGINE_PACE_H
#define SC_ENGINE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define SC_PACE_QUIET_MS 5 /* nothing came for so long: nothing more comes */

struct sc_pace {
    int64_t interval_ms;
    int64_t opened_ms; /* of the transaction in hand, monotonic as all here */
    int64_t last_ms;   /* when the commit before was begun; 0: there was none */
};

/* It was open for an interval. */
static inline bool sc_pace_over(const struct sc_pace *p, int64_t mono_ms)
{
    return mono_ms - p->opened_ms >= p->interval_ms;
}

/* An interval has passed since the commit before: this may end when nothing more comes. */
static inline bool sc_pace_free(const struct sc_pace *p, int64_t mono_ms)
{
    return mono_ms - p->last_ms >= p->interval_ms;
}

/* How long a poll with a transaction open may wait, at most `most_ms`. */
static inline int sc_pace_wait(const struct sc_pace *p, int64_t mono_ms, int most_ms)
{
    int64_t over = p->opened_ms + p->interval_ms - mono_ms;
    int64_t quiet = p->last_ms + p->interval_ms - mono_ms;
    quiet = quiet > SC_PACE_QUIET_MS ? quiet : SC_PACE_QUIET_MS;
    int64_t wait = over < quiet ? over : quiet;
    return wait < 0 ? 0 : wait < most_ms ? (int)wait : most_ms;
}

#endif
