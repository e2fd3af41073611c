/* World: every customer of one journey in one process, with one watermark and no server.
 *
 * The same step, owner and stored form as `run`; the journal is a queue that is emptied before the
 * next event, so the world is always at rest in between. What differs from `run` is only what
 * files allow: copies are known over all of the input, and with `reorder` events are put in order
 * before identity is asked, so the output is equal to the byte for every arrival order within D.
 *
 * Memory grows with customers (as they are stored) and distinct ids, and with the events inside one `reorder` span (at
 * most 256 a customer); never with the input. Thread: one. Source: semantics 12-16, 39-41. */
#ifndef SC_SIM_WORLD_H
#define SC_SIM_WORLD_H

#include "core/journey/step.h"

struct sc_world;

struct sc_world_counts { /* the summary line of semantics 40 */
    uint64_t events;     /* distinct valid events, anonymous and late ones among them */
    uint64_t customers;  /* roots that have events, at the end */
    uint64_t duplicates, anonymous, late, merges, reorder_early;
};

struct sc_world_opts {
    int64_t disorder_ms;
    int64_t reorder_ms; /* overrides the journey's; 0: apply on arrival */
    /* Every effect, in order. Borrowed for the call. */
    void (*effect)(void *arg, const struct sc_effect *fx);
    /* What it adds to analytics, where the journey's `analyse` is on. NULL: nobody asks. */
    void (*delta)(void *arg, const struct sc_cell *delta);
    /* What the rules saw, one line a decision, before the effects of the same step: of customers
     * for whom `traced` holds (NULL: all). NULL: nobody traces. Borrowed for the call. */
    void (*line)(void *arg, struct sc_str line);
    bool (*traced)(void *arg, const struct sc_node_id *customer);
    size_t working_bytes; /* customers in the working form (customers.h); 0: 256 MiB */
    bool reveal; /* lines hold personal properties as they are */
    void *arg;
};

struct sc_world *sc_world_create(const struct sc_journey *jo, const struct sc_world_opts *opts);
void sc_world_destroy(struct sc_world *w);
/* `ev` will come soon: have what it will read on its way, its places in the tables first, and at a
 * second call, an event or more later, its customer. Only a hint: what comes out is the same. */
enum sc_world_ahead { SC_AHEAD_PLACES, SC_AHEAD_CUSTOMER };
void sc_world_expect(const struct sc_world *w, const struct sc_event *ev, enum sc_world_ahead what);
/* One event, in arrival order. Moves the watermark, wakes what is ripe, applies or lets wait. */
void sc_world_event(struct sc_world *w, const struct sc_event *ev);
/* Time has come to `ms` (never back) though no event says so: as a heartbeat in `run`. */
void sc_world_progress(struct sc_world *w, int64_t ms);
/* The end of the input: what waits is let through, in order. */
void sc_world_end(struct sc_world *w);
/* Move time on to `ms` (never back) and wake what is ripe. After sc_world_end. */
void sc_world_until(struct sc_world *w, int64_t ms);
int64_t sc_world_now(const struct sc_world *w);
/* The customer that `node` belongs to; new and without events when it was never seen. Valid until
 * the next call. */
const struct sc_state *sc_world_state(struct sc_world *w, struct sc_node_id node);
struct sc_world_counts sc_world_counts(const struct sc_world *w);
/* Every customer, by id: its `--customers` line in `line`, reused from call to call. */
void sc_world_customers(struct sc_world *w, sc_reveal_fn *reveal, void *reveal_arg,
                        void (*fn)(void *arg, struct sc_str line), void *arg);

#endif
