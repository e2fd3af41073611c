/* What both roles share: configuration, counters, readiness, and how they are run.
 *
 * A worker is one thread with its own log (consumer and transactional producer) and its own view
 * (Redis); workers share nothing that they write. Counters are written by their worker and read by
 * the admin listener: relaxed atomics, no lock. */
#ifndef SC_ENGINE_WORKER_H
#define SC_ENGINE_WORKER_H

#include "core/drop.h"
#include "core/journey/effects.h"
#include "engine/port.h"
#include "engine/topics.h"
#include <stdatomic.h>

struct sc_engine_config {
    const struct sc_journey *jo;
    struct sc_out_topics topics;
    uint32_t partitions;         /* P of the journal */
    uint64_t ranks_hash;         /* namespaces in rank order: fixed for the life of a log */
    int64_t commit_interval_ms;
    int64_t flush_interval_ms;   /* to Redis, at most so far behind */
    uint64_t dirty_max_bytes;    /* past it, or past dirty_max_ms, polling stops */
    int64_t dirty_max_ms;
    uint64_t cache_max_bytes;    /* clean states past it are let go */
    uint64_t txn_max_bytes;      /* commit early past so much written */
    uint32_t hints;              /* identity hints kept, a resolve worker */
    uint32_t timers_max;         /* timers fired in one transaction */
    bool event_clock;
    bool no_cloudevents;         /* results have no headers but traceparent */
    bool adopt;                  /* take the last seal for the truth where no offset is committed */
    int32_t max_error_bp;        /* resolve stops past it, of 10,000; 0: never */
};

/* X(name, help): one counter a worker. */
#define SC_COUNTER_TABLE(X)                                                                        \
    X(records, "records read from source topics")                                                  \
    X(record_bytes, "bytes of their values")                                                       \
    X(events, "events routed to the journal")                                                      \
    X(dead_letters, "records written to the dead letters")                                         \
    X(anonymous_events, "valid events without an identifier")                                      \
    X(unknown_events, "events of the journal that this taxonomy has not, left out")                \
    X(deprecated_events, "events that came by a deprecated name")                                  \
    X(clamped_events, "events whose time was over 23 h in the future")                             \
    X(hint_hits, "hints found in the local cache")                                                 \
    X(hint_reads, "hints asked of Redis")                                                          \
    X(hint_failures, "events resolved without hints because Redis did not answer")                 \
    X(frames, "journal frames")                                                                    \
    X(applied, "events applied to a customer")                                                     \
    X(duplicates, "copies dropped")                                                                \
    X(clashes, "events with a known id and other content")                                         \
    X(late_events, "events later than lateness allows")                                            \
    X(erased_events, "events before an erasure, dropped")                                          \
    X(forwarded, "records forwarded by an alias")                                                  \
    X(merges, "customers merged into another")                                                     \
    X(violations, "identifiers not joined")                                                        \
    X(transitions, "stage transitions")                                                            \
    X(triggers, "trigger messages sent")                                                           \
    X(suppressed, "trigger messages not sent")                                                     \
    X(deferred, "trigger messages deferred")                                                       \
    X(cancelled, "trigger messages withdrawn")                                                     \
    X(milestones, "milestones reached")                                                            \
    X(timers_fired, "timers fired")                                                                \
    X(dedupe_evicted, "ids let go before their time")                                              \
    X(reorder_early, "waiting events let through early")                                           \
    X(state_reads, "states read from Redis")                                                       \
    X(state_writes, "states written to Redis")                                                     \
    X(state_bytes, "bytes of state frames")                                                        \
    X(states_over_soft, "states over the soft limit")                                              \
    X(states_cut, "states over the hard limit, written with less")                                 \
    X(contexts_cut, "contexts over 32 KiB, left out of their messages")                            \
    X(large_customers, "merges past half a ceiling of merges or identifiers")                      \
    X(transactions, "transactions committed")                                                      \
    X(aborts, "transactions aborted")                                                              \
    X(acquisitions, "partitions acquired")                                                         \
    X(journal_gaps, "gaps in a writer's transactions")

struct sc_counters {
#define SC_COUNTER_FIELD(name, help) _Atomic uint64_t name;
    SC_COUNTER_TABLE(SC_COUNTER_FIELD)
#undef SC_COUNTER_FIELD
    _Atomic uint64_t drops[SC_DROP_COUNT];
    _Atomic uint64_t reasons[SC_REASON_COUNT];
    _Atomic uint64_t late[SC_TRIGGERS_MAX]; /* LATE ones, by trigger */
    _Atomic uint64_t channels[SC_CHANNELS_MAX];
};

_Static_assert(sizeof(struct sc_counters) % sizeof(_Atomic uint64_t) == 0, "counters and no more");

static inline void sc_count(_Atomic uint64_t *c, uint64_t n)
{
    /* one writer: no read-modify-write needed */
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* How a worker stands, for /readyz and /metrics. Gauges; 0 or -1 unknown. */
struct sc_worker_status {
    _Atomic int ready;               /* 1: owns its partitions (or none are left) and goes on */
    _Atomic int64_t lag;             /* records behind the log's end, all partitions */
    _Atomic int64_t watermark_ms;    /* least of its partitions */
    _Atomic int64_t flush_lag_ms;    /* age of the oldest state not yet in Redis */
    _Atomic int64_t partitions, stopped, customers, dirty;
    _Atomic int64_t progress_ms;     /* monotonic: last commit, or nothing left to do; 0: not yet */
    _Atomic int64_t asking_ms;       /* monotonic: since when a call is out that cannot be ended; 0: none */
    _Atomic(const char *) why;       /* static text: what it waits for; NULL: nothing */
};

#define SC_WAITS_FOR_KAFKA "Kafka does not answer"
#define SC_ASKING_LONG_MS 1000
#define SC_ASKING_MOST_MS (10 * 60000) /* then it is no wait any more: an answer that is not heard */

struct sc_worker {
    const char *role; /* "resolve", "journey" */
    uint32_t index;
    const struct sc_engine_config *cfg;
    struct sc_log *log;
    struct sc_view *view;      /* NULL: none (bench) */
    struct sc_schemas *schemas; /* resolve; NULL: no registry */
    struct sc_clock clock;
    char writer[33];           /* its transactional.id */
    _Atomic bool *stop;        /* drain and return */
    struct sc_counters counters;
    struct sc_counters txn; /* what the transaction in hand did: counted once it stands */
    struct sc_worker_status status;
};

/* Each of `c`'s is added to `sum`'s, which nobody else writes. */
void sc_counters_add(struct sc_counters *sum, const struct sc_counters *c);
/* The transaction in hand stands, or was dropped. Thread: the worker's own. */
void sc_worker_counted(struct sc_worker *w);
void sc_worker_uncounted(struct sc_worker *w);

/* Something was done, or there is nothing to do. A loop that turns is no progress. */
static inline void sc_worker_moves(struct sc_worker *w)
{
    atomic_store(&w->status.progress_ms, w->clock.mono_ms(w->clock.arg));
}

/* Has a call that cannot be ended been out for so long? */
static inline bool sc_worker_asks(const struct sc_worker *w, int64_t mono_ms, int64_t for_ms)
{
    int64_t since_ms = atomic_load(&w->status.asking_ms);
    return since_ms != 0 && mono_ms - since_ms >= for_ms;
}

/* What the worker waits for, stated or seen; NULL: nothing. Static text. Thread: any. */
static inline const char *sc_worker_why(const struct sc_worker *w, int64_t mono_ms)
{
    const char *why = atomic_load(&w->status.why);
    return why == NULL && sc_worker_asks(w, mono_ms, SC_ASKING_LONG_MS) ? SC_WAITS_FOR_KAFKA : why;
}

/* What the watchdog remembers of one worker; all zero at first. Thread: the watchdog's. */
struct sc_watch {
    int64_t progress_ms, looked_ms; /* of its last look */
    int64_t stood_ms;               /* since that progress; waits that were stated do not count */
};

/* The watchdog's question, asked a few times a second: has the worker neither moved nor waited, as it
 * states, for `most_ms`? Once a wait has ended it has the rest of them to move. */
static inline bool sc_worker_stands(struct sc_watch *wa, const struct sc_worker *w,
                                    int64_t mono_ms, int64_t most_ms)
{
    int64_t progress_ms = atomic_load(&w->status.progress_ms);
    if (progress_ms == 0 || progress_ms != wa->progress_ms)
        *wa = (struct sc_watch){.progress_ms = progress_ms};
    else if (sc_worker_why(w, mono_ms) == NULL || sc_worker_asks(w, mono_ms, SC_ASKING_MOST_MS))
        wa->stood_ms += mono_ms - wa->looked_ms;
    wa->looked_ms = mono_ms;
    return wa->stood_ms >= most_ms;
}

/* Run until *stop: finishes the transaction in hand, flushes, leaves. 0: drained; else an exit
 * code, with the reason in the log. Thread: the worker's own. */
int sc_journey_worker(struct sc_worker *w);
struct sc_pseudonyms;
/* `schema_files`: text of each source's local schema file, by source index (p NULL: framed). */
int sc_resolve_worker(struct sc_worker *w, struct sc_pseudonyms *ps,
                      const struct sc_str *schema_files);

#endif
