/* How many different values: exact to 256, then HyperLogLog.
 *
 * Up to 256 each value stands by its hash, in a window with the latest time it was seen. Past
 * that a sketch of 4,096 registers: standard error 1.6 %, by the estimator of Ertl (arXiv
 * 1702.01284), which needs no table of biases. In a window a register keeps every (time, rank)
 * that no newer rank outdoes (Chabchoub and Hébrail's sliding sketch), time in 1/64 of the
 * window, so the estimate holds for the window as it stands at any later moment. A sketch that
 * has aged empty is exact again.
 *
 * The sketch is one ascending array of keys: register 12 bits, time 46, rank 6. Cost: a binary
 * search; past 256 also a move of the keys behind (a few hundred ns). */
#include "core/journey/facts.h"

#include "base/assert.h"
#include <math.h>

#define REGISTER_BITS 12
#define REGISTERS (1u << REGISTER_BITS)
#define RANK_MAX (64 - REGISTER_BITS + 1)
#define RANK_MASK 63u
#define TIME_ZERO (INT64_C(1) << 45) /* moves times to where they are not negative */
#define TIME_LAST ((INT64_C(1) << 46) - 1)

static bool windowed(const struct sc_fact_plan *plan)
{
    return plan->window_ms > 0;
}

/* ---- the sketch */

static uint64_t key_register(uint64_t key)
{
    return key >> 52;
}
static int64_t key_time(uint64_t key)
{
    return (int64_t)(key >> 6 & (uint64_t)TIME_LAST);
}
static uint64_t key_rank(uint64_t key)
{
    return key & RANK_MASK;
}

static int64_t time_of(const struct sc_fact_plan *plan, int64_t ms)
{
    if (!windowed(plan))
        return 0;
    int64_t t = sc_floor_div(ms, plan->width_ms) + TIME_ZERO;
    return t < 0 ? 0 : t > TIME_LAST ? TIME_LAST : t;
}

static uint64_t key_of(const struct sc_fact_plan *plan, uint64_t hash, int64_t ms)
{
    uint64_t tail = hash << REGISTER_BITS | UINT64_C(1) << (REGISTER_BITS - 1);
    uint64_t rank = (uint64_t)__builtin_clzll(tail) + 1;
    SC_ASSERT(rank <= RANK_MAX);
    return hash >> 52 << 52 | (uint64_t)time_of(plan, ms) << 6 | rank;
}

static uint32_t lower_bound(const uint64_t *keys, uint32_t n, uint64_t key)
{
    uint32_t lo = 0;
    while (n > 0) {
        uint32_t half = n / 2;
        if (keys[lo + half] < key) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return lo;
}

static void sketch_room(struct sc_arena *ar, struct sc_fact_state *fs)
{
    if (fs->n_more < fs->cap_more)
        return;
    uint32_t cap = fs->cap_more ? 2 * fs->cap_more : 512;
    uint64_t *to = sc_arena_alloc(ar, cap * sizeof(*to));
    if (fs->n_more)
        memcpy(to, fs->sketch, fs->n_more * sizeof(*to));
    fs->sketch = to;
    fs->cap_more = cap;
}

/* In one register times ascend and ranks descend: the new key goes unless a later one outdoes it,
 * and earlier ones that it outdoes go. */
static void sketch_add(struct sc_arena *ar, struct sc_fact_state *fs, uint64_t key)
{
    SC_ASSERT(key_rank(key) >= 1 && key_rank(key) <= RANK_MAX);
    sketch_room(ar, fs);
    uint64_t *keys = fs->sketch, reg = key_register(key);
    uint32_t at = lower_bound(keys, fs->n_more, key & ~(uint64_t)RANK_MASK);
    if (at < fs->n_more && key_register(keys[at]) == reg && key_rank(keys[at]) >= key_rank(key))
        return;
    uint32_t from = at, to = at;
    if (to < fs->n_more && key_register(keys[to]) == reg && key_time(keys[to]) == key_time(key))
        to++;
    while (from > 0 && key_register(keys[from - 1]) == reg &&
           key_rank(keys[from - 1]) <= key_rank(key))
        from--;
    memmove(&keys[from + 1], &keys[to], (fs->n_more - to) * sizeof(*keys));
    keys[from] = key;
    fs->n_more = fs->n_more - (to - from) + 1;
}

static double sigma(double x)
{
    if (x == 1)
        return INFINITY;
    double y = 1, z = x, before;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double tau(double x)
{
    if (x == 0 || x == 1)
        return 0;
    double y = 1, z = 1 - x, before;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

/* From how many registers stand at each rank. */
static double estimate(const uint32_t ranks[RANK_MAX + 1])
{
    const double m = REGISTERS;
    double z = m * tau((m - ranks[RANK_MAX]) / m);
    for (int k = RANK_MAX - 1; k >= 1; k--)
        z = 0.5 * (z + ranks[k]);
    z += m * sigma(ranks[0] / m);
    return m * m / (2 * M_LN2 * z);
}

static struct sc_value sketch_read(const struct sc_fact_plan *plan, const struct sc_fact_state *fs,
                                   int64_t out_ms, int64_t now_ms)
{
    uint32_t ranks[RANK_MAX + 1] = {[0] = REGISTERS};
    int64_t first = 0, last = TIME_LAST;
    if (windowed(plan)) { /* times whose last moment is in, and whose first is not ahead */
        first = time_of(plan, out_ms + 1);
        last = time_of(plan, now_ms);
    }
    uint64_t done = REGISTERS;
    for (uint32_t i = 0; i < fs->n_more; i++) { /* the first in time has the register's rank */
        uint64_t key = fs->sketch[i];
        if (key_register(key) == done || key_time(key) < first || key_time(key) > last)
            continue;
        done = key_register(key);
        ranks[key_rank(key)]++;
        ranks[0]--;
    }
    struct sc_value v = sc_int(llround(estimate(ranks)));
    v.flags = SC_VF_ESTIMATE;
    return v;
}

/* ---- values one by one */

static uint32_t find(const struct sc_fact_state *fs, uint64_t hash)
{
    uint32_t lo = 0, n = fs->n_entries;
    while (n > 0) {
        uint32_t half = n / 2;
        if ((uint64_t)fs->entries[lo + half].raw < hash) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return lo;
}

static void to_sketch(const struct sc_fact_plan *plan, struct sc_arena *ar,
                      struct sc_fact_state *fs)
{
    SC_ASSERT(fs->n_more == 0);
    for (uint32_t i = 0; i < fs->n_entries; i++)
        sketch_add(ar, fs, key_of(plan, (uint64_t)fs->entries[i].raw, fs->entries[i].ms));
    fs->n_entries = 0;
}

static void insert(struct sc_arena *ar, struct sc_fact_state *fs, uint32_t at,
                   struct sc_win_entry e)
{
    if (fs->n_entries == fs->cap_entries) {
        uint32_t cap = fs->cap_entries ? 2 * fs->cap_entries : 8;
        fs->entries = sc_arena_grow(ar, fs->entries, fs->n_entries * sizeof(e),
                                    fs->cap_entries * sizeof(e), cap * sizeof(e));
        fs->cap_entries = cap;
    }
    memmove(&fs->entries[at + 1], &fs->entries[at], (fs->n_entries - at) * sizeof(e));
    fs->entries[at] = e;
    fs->n_entries++;
}

static void put(const struct sc_fact_plan *plan, struct sc_arena *ar, struct sc_fact_state *fs,
                struct sc_win_entry e)
{
    if (fs->n_more > 0) {
        sketch_add(ar, fs, key_of(plan, (uint64_t)e.raw, e.ms));
        return;
    }
    uint32_t at = find(fs, (uint64_t)e.raw);
    if (at < fs->n_entries && fs->entries[at].raw == e.raw) {
        if (e.ms > fs->entries[at].ms)
            fs->entries[at].ms = e.ms;
        return;
    }
    insert(ar, fs, at, e);
    if (fs->n_entries > SC_DISTINCT_EXACT)
        to_sketch(plan, ar, fs);
}

/* ---- both */

static void forget(const struct sc_fact_plan *plan, struct sc_fact_state *fs, int64_t cut)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < fs->n_entries; i++)
        if (fs->entries[i].ms >= cut)
            fs->entries[n++] = fs->entries[i];
    fs->n_entries = n;
    n = 0;
    int64_t first = time_of(plan, cut);
    for (uint32_t i = 0; i < fs->n_more; i++)
        if (key_time(fs->sketch[i]) >= first)
            fs->sketch[n++] = fs->sketch[i];
    fs->n_more = n;
}

/* Make `ms` the newest time if it is. False: `ms` is behind what is kept. */
static bool advance(const struct sc_fact_plan *plan, struct sc_fact_state *fs, int64_t ms)
{
    if (!windowed(plan))
        return true;
    int64_t newest = (int64_t)fs->acc.v;
    if (fs->acc.n > 0 && ms <= newest)
        return ms >= sc_window_cut(plan, newest);
    int64_t cut = sc_window_cut(plan, ms);
    if (fs->acc.n > 0 && cut != sc_window_cut(plan, newest))
        forget(plan, fs, cut);
    fs->acc.v = ms;
    fs->acc.n = 1;
    return true;
}

void sc_distinct_add(const struct sc_fact_plan *plan, struct sc_arena *ar,
                     struct sc_fact_state *fs, uint64_t hash, int64_t ms)
{
    SC_ASSERT(fs->n_entries <= SC_DISTINCT_EXACT);
    SC_ASSERT(fs->n_entries == 0 || fs->n_more == 0);
    if (advance(plan, fs, ms))
        put(plan, ar, fs, (struct sc_win_entry){windowed(plan) ? ms : 0, (int64_t)hash});
}

struct sc_value sc_distinct_read(const struct sc_fact_plan *plan, const struct sc_fact_state *fs,
                                 int64_t out_ms, int64_t now_ms)
{
    SC_ASSERT(fs->n_entries <= SC_DISTINCT_EXACT);
    if (fs->n_more > 0)
        return sketch_read(plan, fs, out_ms, now_ms);
    if (!windowed(plan))
        return sc_int(fs->n_entries);
    int64_t n = 0;
    for (uint32_t i = 0; i < fs->n_entries; i++)
        n += fs->entries[i].ms > out_ms && fs->entries[i].ms <= now_ms;
    return sc_int(n);
}

bool sc_distinct_counts(const struct sc_fact_state *fs, uint64_t hash, int64_t out_ms,
                        int64_t now_ms)
{
    SC_ASSERT(fs->n_more == 0);
    SC_ASSERT(out_ms <= now_ms);
    uint32_t at = find(fs, hash);
    return at < fs->n_entries && (uint64_t)fs->entries[at].raw == hash &&
           fs->entries[at].ms > out_ms && fs->entries[at].ms <= now_ms;
}

void sc_distinct_merge(const struct sc_fact_plan *plan, struct sc_arena *ar,
                       struct sc_fact_state *into, const struct sc_fact_state *from)
{
    SC_ASSERT(into != from);
    int64_t cut = INT64_MIN;
    if (windowed(plan) && from->acc.n > 0) {
        advance(plan, into, (int64_t)from->acc.v);
        cut = sc_window_cut(plan, (int64_t)into->acc.v);
    }
    if (from->n_more > 0 && into->n_more == 0)
        to_sketch(plan, ar, into);
    for (uint32_t i = 0; i < from->n_entries; i++)
        if (!windowed(plan) || from->entries[i].ms >= cut)
            put(plan, ar, into, from->entries[i]);
    for (uint32_t i = 0; i < from->n_more; i++)
        if (!windowed(plan) || key_time(from->sketch[i]) >= time_of(plan, cut))
            sketch_add(ar, into, from->sketch[i]);
    SC_ASSERT(into->n_entries == 0 || into->n_more == 0);
}
