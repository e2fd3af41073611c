/* What is remembered of a customer for analytics: beside the state, kept only where analytics are
 * on (`analyse`), bounded, merged by union.
 *
 * What of the totals is the customer's (not the event's) can change by an event out of order and by
 * a merge: two who bought once become one who came back. So whatever was counted for a customer
 * follows from its history: a change takes back what the old history had counted, and counts the
 * new one. What is an event's own (a transition, a purchase, an answer) is counted once and stands.
 *
 * Bounds: 64 runs of weeks, 128 purchase days, 64 touches: past them the oldest are settled: what
 * they counted stands for good, and what they said of their neighbours stays said. */
#ifndef SC_CORE_ANALYTICS_HISTORY_H
#define SC_CORE_ANALYTICS_HISTORY_H

#include "base/vec.h"
#include "core/analytics/metric.h"

#include <stdbool.h>

#define SC_HISTORY_WEEKS (1 << 20) /* weeks from 1970: events further off are not measured */
#define SC_RUNS_MAX 64u
#define SC_PURCHASE_DAYS_MAX 128u
#define SC_TOUCHES_MAX 64u

struct sc_weeks { /* active in each week of it; runs have a gap between them */
    int32_t first, last; /* weeks since Monday 1970-01-05 */
};

struct sc_purchase_day {
    int32_t day; /* since 1970-01-01 */
    sc_sum value;
};

/* What touches that are settled said of one that is not, bits. */
enum { SC_PAST_CONTACT = 1, /* a contact on its topic came less than 7 days before it */
       SC_PAST_WAITING = 2, /* one waited for an answer already */
       SC_PAST_OPENING = 4, /* its case was opened: `opened` and `handled_ms` stand */
       SC_PAST_MORE = 8,    /* there were some, whatever they said: on the first of a full list */
       SC_PAST_ALL = 15 };

/* A contact, an answer, a case opened or closed; and what was counted for it. */
struct sc_service {
    int64_t ms;
    uint64_t id;     /* of the event: ties, and one event is one touch */
    uint64_t topic;  /* hash of what it is about, 0: nothing said */
    uint64_t of_case; /* hash of the key of the case that it opens or closes, 0: of none */
    uint16_t event;  /* type */
    uint8_t past;    /* SC_PAST_* */
    bool first;      /* counted as a first contact */
    bool repeated;   /* … with another within 7 days */
    int16_t next;    /* medium switched to within 24 h, -1 */
    int16_t opened;  /* medium of the case's opening, when handled */
    int64_t waited_ms, handled_ms; /* -1: not counted */
};

struct sc_history {
    int64_t first_ms;   /* its first event; INT64_MIN: it was there before it was measured */
    int64_t *reached;   /* one a stage: first entered, INT64_MIN never */
    int32_t settled_days; /* purchase days that are not in the list any more */
    int32_t first_day;    /* of them */
    sc_sum first_value;   /* of that day */
    sc_sum settled_value; /* of all of them */
    int32_t settled_week; /* the newest of a run that is not in the list any more, INT32_MIN none */
    SC_VEC(struct sc_weeks) weeks;             /* ascending */
    SC_VEC(struct sc_purchase_day) purchases;  /* ascending */
    SC_VEC(struct sc_service) touches;         /* ascending by (ms, id) */
};

struct sc_run;
struct sc_state;
struct sc_journey;
struct sc_effects;

/* Empty: of somebody who was there before. */
struct sc_history *sc_history_new(const struct sc_journey *jo, struct sc_arena *ar);
/* The week of an instant, as weeks are counted here. */
int32_t sc_history_week(int64_t ms);

/* An event was applied (also a late one): what it adds goes to fx->deltas. */
void sc_history_event(struct sc_run *rn);
/* A stage was entered for the first time, or earlier than was known. */
void sc_history_reached(const struct sc_journey *jo, struct sc_state *st, int stage, int64_t ms,
                        struct sc_effects *fx);
/* A milestone was reached at `ms`; before it was thought `was_ms` (INT64_MIN: not at all). */
void sc_history_milestone(const struct sc_journey *jo, struct sc_state *st, uint32_t m,
                          int64_t was_ms, int64_t ms, struct sc_effects *fx);
/* Everything counted for the customer, once more (sign 1) or taken back (-1). */
void sc_history_count(const struct sc_journey *jo, const struct sc_state *st, int sign,
                      struct sc_effects *fx);
/* The union, into `into->history`. Says nothing: see sc_history_count. It may be over the bounds
 * until it is settled, once it is counted: what leaves is counted like the rest. */
void sc_history_merge(const struct sc_journey *jo, struct sc_state *into,
                      const struct sc_state *from);
void sc_history_settle(const struct sc_journey *jo, struct sc_history *h); /* NULL: nothing */

/* What customer lifetime value is reckoned from (semantics 38). */
struct sc_clv {
    int32_t frequency;    /* distinct purchase days, less the first */
    int32_t recency_days; /* from the first to the last */
    int32_t first_day;    /* since 1970-01-01: T is today less it */
    sc_sum repeat_value;  /* of the days after the first */
};
/* False: no purchase is known. */
bool sc_history_clv(const struct sc_history *h, struct sc_clv *clv);

/* analytics/effects.c: what the effects of one step, from the `from`-th on, add. */
void sc_analytics_effects(const struct sc_journey *jo, struct sc_state *st, uint32_t from,
                          struct sc_effects *fx);

#endif
