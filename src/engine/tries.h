/* How often the record at one place of a log was tried: which one ends the process that takes it.
 *
 * The count stands in the metadata of the committed offset, so it outlives the process. A life that
 * takes over counts once a place; from SC_TRIES_CAREFUL on it takes one record a transaction, each
 * attempt written down before, for as many records as a batch may have had. Who dies of a record
 * leaves that trace; a process killed from outside, however often, hardly ever does. After
 * SC_TRIES_POISON the record is a dead letter. Source: reliability.md "Errors of the client". */
#ifndef SC_ENGINE_TRIES_H
#define SC_ENGINE_TRIES_H

#include "base/assert.h"
#include "engine/port.h"

#define SC_TRIES_CAREFUL 2u /* lives that ended at one place: from here on one record at a time */
#define SC_TRIES_POISON 5u  /* three more died with it alone in hand: dead letter */

struct sc_tries {
    uint32_t n;        /* at the place committed: lives that ended there, attempts with care */
    uint32_t care;     /* records still to be taken with care */
    int64_t claimed;   /* the place that this life counted for, -1: none */
    int64_t attempted; /* the place whose record this life took alone last, -1: none */
};

static inline void sc_tries_init(struct sc_tries *t)
{
    *t = (struct sc_tries){.claimed = -1, .attempted = -1};
}

/* A takeover found `n` written down at `place`. True: this life is to be counted there, if there is
 * something to read: nobody dies of a record that is not there. */
static inline bool sc_tries_found(struct sc_tries *t, uint32_t n, int64_t place)
{
    t->n = n;
    if (n > SC_TRIES_CAREFUL && t->attempted == place)
        t->n--; /* this life's own attempt, which it survived */
    if (t->n >= SC_TRIES_CAREFUL && t->care == 0)
        t->care = SC_BATCH_MAX;
    return t->claimed != place && t->n < SC_TRIES_CAREFUL;
}

/* What is written down with the next offset, once the record at the place was taken. */
static inline uint32_t sc_tries_after(const struct sc_tries *t)
{
    return t->n >= SC_TRIES_CAREFUL && t->care > 1 ? SC_TRIES_CAREFUL : 0;
}

/* That was committed. */
static inline void sc_tries_passed(struct sc_tries *t)
{
    uint32_t n = sc_tries_after(t);
    SC_ASSERT(n <= SC_TRIES_CAREFUL);
    t->care = n ? t->care - 1 : 0;
    t->n = n;
}

#endif
