/* Between the files of facts; private to core/journey.
 *
 *   facts.c     which shape a fact has, numbers as ordered integers, apply, read, merge
 *   window.c    numbers in a window: the newest exact, what is older in buckets
 *   distinct.c  different values: exact, then a sketch
 *
 * Each shape is a join: applying an event is merging a state of one event, so neither the order of
 * arrival nor that of merges can be seen in the result. */
#ifndef SC_CORE_JOURNEY_FACTS_H
#define SC_CORE_JOURNEY_FACTS_H

#include "core/journey/state.h"

enum sc_fact_shape {
    SC_SHAPE_TOTAL,    /* one accumulator since ever */
    SC_SHAPE_WINDOW,
    SC_SHAPE_DISTINCT,
    SC_SHAPE_EDGE      /* the first or last value of a property */
};
enum sc_fact_fold { SC_FOLD_COUNT, SC_FOLD_SUM, SC_FOLD_MIN, SC_FOLD_MAX };

/* How a fact's state is kept: worked out once, at load. */
struct sc_fact_plan {
    uint8_t shape;     /* enum sc_fact_shape */
    uint8_t fold;      /* enum sc_fact_fold: what a TOTAL or WINDOW adds up */
    uint8_t type;      /* of the property; TIMESTAMP where the event's time is what counts */
    uint8_t scale;
    bool times;        /* a TOTAL that holds a time */
    uint32_t keep;     /* entries a window keeps exact */
    uint32_t hash;     /* in stored states: of its text, and the type its numbers are kept in */
    int64_t window_ms; /* 0: none */
    int64_t width_ms;  /* of a bucket */
};
/* One for each of jo->facts, in `ar`. */
const struct sc_fact_plan *sc_fact_plans(const struct sc_journey *jo, struct sc_arena *ar);

void sc_acc_add(const struct sc_fact_plan *plan, struct sc_fact_acc *acc, int64_t raw);
void sc_acc_merge(const struct sc_fact_plan *plan, struct sc_fact_acc *into,
                  const struct sc_fact_acc *from);

/* floor(a / b), b > 0. */
static inline int64_t sc_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}
/* The first moment still kept once `newest_ms` was seen: whole buckets go, and entries with them,
 * so that what is forgotten depends on the set of events alone. */
static inline int64_t sc_window_cut(const struct sc_fact_plan *plan, int64_t newest_ms)
{
    return sc_floor_div(newest_ms - plan->window_ms + 1, plan->width_ms) * plan->width_ms;
}

/* Is an event of that time among what is kept? */
static inline bool sc_window_keeps(const struct sc_fact_plan *plan, const struct sc_fact_state *fs,
                                   int64_t ms)
{
    if (fs->n_entries == 0)
        return true;
    int64_t newest_ms = fs->entries[fs->n_entries - 1].ms;
    return ms > newest_ms - plan->window_ms || ms >= sc_window_cut(plan, newest_ms);
}

void sc_window_add(const struct sc_fact_plan *plan, struct sc_arena *ar, struct sc_fact_state *fs,
                   struct sc_win_entry entry);
/* What is in (out_ms, now_ms]; out_ms is not before the window's length. */
void sc_window_read(const struct sc_fact_plan *plan, const struct sc_fact_state *fs,
                    int64_t out_ms, int64_t now_ms, struct sc_fact_acc *acc);
void sc_window_merge(const struct sc_fact_plan *plan, struct sc_arena *ar,
                     struct sc_fact_state *into, const struct sc_fact_state *from);

void sc_distinct_add(const struct sc_fact_plan *plan, struct sc_arena *ar,
                     struct sc_fact_state *fs, uint64_t hash, int64_t ms);
struct sc_value sc_distinct_read(const struct sc_fact_plan *plan, const struct sc_fact_state *fs,
                                 int64_t out_ms, int64_t now_ms);
/* Is the value one of those? Not to be asked of a sketch. */
bool sc_distinct_counts(const struct sc_fact_state *fs, uint64_t hash, int64_t out_ms,
                        int64_t now_ms);
void sc_distinct_merge(const struct sc_fact_plan *plan, struct sc_arena *ar,
                       struct sc_fact_state *into, const struct sc_fact_state *from);

#endif
