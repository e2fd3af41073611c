/* A cube: cells added up by metric, window and key. Addition is all it does, so cubes merge in any
 * order and a delta of -1 takes back exactly what a delta of 1 gave; cells that come to nothing are
 * not there. Memory: one slot a cell, in the arena given; none of it is freed before the arena is.
 * Thread: one. */
#ifndef SC_CORE_ANALYTICS_CUBE_H
#define SC_CORE_ANALYTICS_CUBE_H

#include "base/arena.h"
#include "core/analytics/metric.h"
#include "core/journey/journey.h"

struct sc_cube {
    struct sc_arena *ar;
    struct sc_cell *slots; /* open addressing; count and sum 0 and metric SC_METRIC_COUNT: free */
    uint32_t n, mask;
};

void sc_cube_init(struct sc_cube *cube, struct sc_arena *ar);
void sc_cube_add(struct sc_cube *cube, const struct sc_cell *delta);
/* What is not nothing, by metric, window, keys. In `ar`. */
const struct sc_cell *sc_cube_cells(const struct sc_cube *cube, struct sc_arena *ar, uint32_t *n);

/* A key as text, from `ar` where it is a number. Empty: SC_KEY_UNKNOWN, left out of records. */
struct sc_str sc_key_text(const struct sc_journey *jo, enum sc_key_kind kind, int32_t key,
                          struct sc_arena *ar);
/* The sum as decimal text, exact. */
struct sc_str sc_sum_text(const struct sc_journey *jo, const struct sc_cell *cell,
                          struct sc_arena *ar);
/* One cell as a JSON object: type ("analytics"), metric, window_start, window_end, key, count, and
 * where the metric has one sum (a number) and unit. The analytics topic's record. */
void sc_cell_json(const struct sc_journey *jo, const struct sc_cell *cell, struct sc_arena *ar,
                  struct sc_buf *out);

#endif
