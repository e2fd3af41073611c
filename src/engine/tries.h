/* How often the record at one place of a log was tried: which one ends the process that takes it.
 *
 * The count stands in the metadata of the committed offset, so it outlives the process. A life that
 * takes over counts once a place. From SC_TRIES_CAREFUL on it goes in steps of SC_CARE_STEP
 * offsets, a transaction each, and leaves at each place that it was here with care; who finds that
 * takes what the step had one record at a time, each attempt written down before. So a record deep
 * in a batch is found by a few lives, and a process killed from outside a few times before it has
 * committed anything, which looks the same, loses seconds. Care ends with what was there at the
 * takeover. Who dies of a record alone in hand leaves a trace; after SC_TRIES_POISON it is a dead
 * letter, and who is stopped takes its own count back. Source: reliability.md "Errors of the
 * client". Thread: the owner's. */
#ifndef SC_ENGINE_TRIES_H
#define SC_ENGINE_TRIES_H

#include "base/assert.h"
#include "engine/port.h"

#define SC_TRIES_CAREFUL 2u /* one life ended at a place, this one begins there: in steps */
#define SC_TRIES_ALONE 3u   /* one ended in such a step: one record at a time */
#define SC_TRIES_POISON 6u  /* three more died with it alone in hand: dead letter */
#define SC_CARE_STEP 64     /* offsets */

struct sc_tries {
    uint32_t n;        /* at the place committed */
    int64_t care_to;   /* with care up to this offset */
    int64_t claimed;   /* the place that this life counted for, -1: none */
    int64_t attempted; /* the place where it is written down that this life was there with care */
};

static inline void sc_tries_init(struct sc_tries *t)
{
    *t = (struct sc_tries){.claimed = -1, .attempted = -1};
}

static inline bool sc_tries_careful(const struct sc_tries *t)
{
    return t->n >= SC_TRIES_CAREFUL;
}

/* May the message at `offset` be in hand together with the one at the place? */
static inline bool sc_tries_together(const struct sc_tries *t, int64_t place, int64_t offset)
{
    return t->n < SC_TRIES_ALONE && offset < place + SC_CARE_STEP;
}

/* A takeover found `n` written down at `place`. True: it goes on with sc_tries_end by the end of
 * the log; else by any (the first try is without care, and so without a look). */
static inline bool sc_tries_found(struct sc_tries *t, uint32_t n, int64_t place)
{
    bool own = n > SC_TRIES_CAREFUL && t->attempted == place; /* which this life survived */
    t->n = own ? n - 1 : n;
    if (!own)
        t->care_to = place + (n >= SC_TRIES_ALONE ? SC_CARE_STEP : (int64_t)SC_BATCH_MAX);
    return n > 0 && !own;
}

/* The log ends at `end`: this life counts, once a place, and only where there is something to read:
 * nobody dies of a record that is not there. */
static inline void sc_tries_end(struct sc_tries *t, int64_t place, int64_t end)
{
    t->n += t->n < SC_TRIES_CAREFUL && t->claimed != place && end > place;
    if (end < t->care_to)
        t->care_to = end;
}

/* What is to stand at the place as long as nothing more was taken. */
static inline uint32_t sc_tries_now(const struct sc_tries *t, int64_t place)
{
    return t->n + (sc_tries_careful(t) && t->attempted == place);
}

/* What is to stand with the next place, once what was in hand was taken. */
static inline uint32_t sc_tries_after(const struct sc_tries *t, int64_t place)
{
    return sc_tries_careful(t) && place < t->care_to ? SC_TRIES_ALONE : 0;
}

/* That was committed. */
static inline void sc_tries_passed(struct sc_tries *t, int64_t place)
{
    bool steps = t->n == SC_TRIES_CAREFUL;
    t->n = sc_tries_after(t, place);
    SC_ASSERT(t->n == 0 || t->n == SC_TRIES_ALONE);
    if (t->n && steps) {
        t->n = SC_TRIES_CAREFUL;
        t->attempted = place;
    }
}

#endif
