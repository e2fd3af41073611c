/* Facts in the stored form: a body by shape (core/journey/facts.h). Newest entries first, each as
 * its distance from the one before, so that a window costs a few bytes an event. */
#include "codec/state_form.h"

#include "base/arena.h"

#define EVENTS_MOST (UINT64_C(1) << 48) /* more than any customer's life, far below overflow */

bool sc_fact_empty(const struct sc_fact_state *fs)
{
    return fs->acc.n == 0 && fs->n_entries == 0 && fs->edge == NULL && fs->n_more == 0;
}

/* ---- totals and accumulators */

static void put_acc(struct sc_pen *w, const struct sc_fact_plan *plan,
                    const struct sc_fact_acc *acc)
{
    sc_pen_room(w, SC_VARINT_BYTES);
    sc_pen_var(w, (uint64_t)acc->n << 1 | acc->overflow);
    if (plan->fold != SC_FOLD_COUNT)
        sc_pen_int128(w, acc->v);
}

static void take_acc(struct sc_scan *r, const struct sc_fact_plan *plan, struct sc_fact_acc *acc)
{
    uint64_t n = sc_scan_var(r);
    if (n >> 1 > EVENTS_MOST)
        sc_scan_fail(r);
    acc->n = (int64_t)(n >> 1);
    acc->overflow = n & 1;
    acc->v = plan->fold == SC_FOLD_COUNT ? 0 : sc_scan_int128(r);
    bool extreme = plan->fold == SC_FOLD_MIN || plan->fold == SC_FOLD_MAX;
    if (extreme && (acc->v > INT64_MAX || acc->v < INT64_MIN))
        sc_scan_fail(r);
    SC_ASSERT(acc->n >= 0);
}

/* The first or last time: near the base. */
static void put_time(struct sc_pen *w, const struct sc_fact_acc *acc, int64_t base_ms)
{
    SC_ASSERT(acc->n > 0);
    sc_pen_room(w, 2 * SC_VARINT_BYTES);
    sc_pen_var(w, (uint64_t)acc->n);
    sc_pen_ms(w, base_ms, (int64_t)acc->v);
}

static void take_time(struct sc_scan *r, struct sc_fact_acc *acc, int64_t base_ms)
{
    uint64_t n = sc_scan_var(r);
    int64_t ms = sc_scan_ms(r, base_ms);
    if (n == 0 || n > EVENTS_MOST || ms == INT64_MIN || ms == INT64_MAX)
        sc_scan_fail(r);
    *acc = (struct sc_fact_acc){.n = r->bad ? 0 : (int64_t)n, .v = ms};
}

/* ---- windows */

static void put_window(struct sc_pen *w, const struct sc_fact_plan *plan,
                       const struct sc_fact_state *fs, int64_t base_ms, uint32_t max)
{
    uint32_t n = fs->n_entries < max ? fs->n_entries : max;
    bool counts = plan->fold == SC_FOLD_COUNT;
    sc_pen_room(w, (n + 2) * (2 * (size_t)SC_VARINT_BYTES));
    sc_pen_var(w, (uint64_t)n << 1 | (fs->n_more > 0));
    int64_t ms = base_ms;
    for (uint32_t i = 0; i < n; i++) {
        const struct sc_win_entry *e = &fs->entries[fs->n_entries - 1 - i];
        if (i == 0)
            sc_pen_ms(w, base_ms, e->ms);
        else
            sc_pen_var(w, (uint64_t)(ms - e->ms));
        ms = e->ms;
        if (!counts)
            sc_pen_int(w, e->raw);
    }
    if (fs->n_more == 0)
        return;
    int64_t index = 0;
    sc_pen_var(w, fs->n_more);
    for (uint32_t i = 0; i < fs->n_more; i++) {
        const struct sc_win_bucket *b = &fs->buckets[i];
        sc_pen_room(w, 2 * SC_VARINT_BYTES);
        sc_pen_int(w, b->index - index);
        sc_pen_var(w, (uint64_t)(b->last_ms - b->index * plan->width_ms));
        put_acc(w, plan, &b->acc);
        index = b->index;
    }
}

static void take_entries(struct sc_scan *r, const struct sc_fact_plan *plan,
                         struct sc_fact_state *fs, int64_t base_ms)
{
    bool counts = plan->fold == SC_FOLD_COUNT;
    fs->cap_entries = fs->n_entries;
    fs->entries = sc_arena_alloc(r->ar, sizeof(*fs->entries) * (fs->n_entries + 1));
    int64_t ms = base_ms;
    for (uint32_t i = fs->n_entries; i-- > 0;) {
        if (i + 1 == fs->n_entries) {
            ms = sc_scan_ms(r, base_ms);
        } else {
            uint64_t d = sc_scan_var(r);
            if (d >= (uint64_t)SC_MS_LIMIT)
                sc_scan_fail(r);
            ms = r->bad ? 0 : ms - (int64_t)d;
        }
        if (ms <= -SC_MS_LIMIT || ms >= SC_MS_LIMIT)
            sc_scan_fail(r);
        fs->entries[i] = (struct sc_win_entry){ms, counts ? 0 : sc_scan_int(r)};
        if (i + 1 < fs->n_entries && ms == fs->entries[i + 1].ms &&
            fs->entries[i].raw > fs->entries[i + 1].raw)
            sc_scan_fail(r);
    }
}

static void take_buckets(struct sc_scan *r, const struct sc_fact_plan *plan,
                         struct sc_fact_state *fs)
{
    SC_ASSERT(plan->width_ms > 0);
    fs->n_more = fs->cap_more = sc_scan_count(r, SC_BUCKETS + 2, 3);
    fs->buckets = sc_arena_alloc(r->ar, sizeof(*fs->buckets) * (fs->n_more + 1));
    int64_t index = 0;
    for (uint32_t i = 0; i < fs->n_more; i++) {
        struct sc_win_bucket *b = &fs->buckets[i];
        int64_t step = sc_scan_int(r);
        uint64_t last = sc_scan_var(r);
        bool far = step <= -SC_MS_LIMIT || step >= SC_MS_LIMIT || (i > 0 && step <= 0);
        index = far ? 0 : index + step;
        if (far || index <= -(SC_MS_LIMIT / plan->width_ms) ||
            index >= SC_MS_LIMIT / plan->width_ms || last >= (uint64_t)plan->width_ms)
            sc_scan_fail(r);
        if (r->bad)
            return;
        *b = (struct sc_win_bucket){.index = index,
                                    .last_ms = index * plan->width_ms + (int64_t)last};
        take_acc(r, plan, &b->acc);
    }
}

static void take_window(struct sc_scan *r, const struct sc_fact_plan *plan,
                        struct sc_fact_state *fs, int64_t base_ms)
{
    uint64_t head = sc_scan_var(r);
    uint64_t n = head >> 1;
    if (n > plan->keep || n > sc_scan_left(r) || (n == 0 && head))
        sc_scan_fail(r);
    fs->n_entries = r->bad ? 0 : (uint32_t)n;
    take_entries(r, plan, fs, base_ms);
    if (head & 1 && !r->bad)
        take_buckets(r, plan, fs);
    SC_ASSERT(fs->n_more <= SC_BUCKETS + 2);
}

/* ---- distinct */

static void put_distinct(struct sc_pen *w, const struct sc_fact_plan *plan,
                         const struct sc_fact_state *fs, int64_t base_ms)
{
    bool windowed = plan->window_ms > 0;
    int64_t newest = (int64_t)fs->acc.v;
    sc_pen_room(w, (size_t)fs->n_entries * (8 + SC_VARINT_BYTES) + 4 * SC_VARINT_BYTES);
    sc_pen_var(w, (uint64_t)fs->n_entries << 1 | (fs->n_more > 0));
    if (windowed)
        sc_pen_ms(w, base_ms, newest);
    for (uint32_t i = 0; i < fs->n_entries; i++) {
        sc_pen_u64(w, (uint64_t)fs->entries[i].raw);
        if (windowed)
            sc_pen_var(w, (uint64_t)(newest - fs->entries[i].ms));
    }
    if (fs->n_more == 0)
        return;
    sc_pen_var(w, fs->n_more);
    uint64_t reg = 0;
    for (uint32_t i = 0; i < fs->n_more; i++) { /* a register's step and rank: mostly one byte */
        uint64_t key = fs->sketch[i];
        sc_pen_room(w, 2 * SC_VARINT_BYTES);
        sc_pen_var(w, ((key >> 52) - reg) << 6 | (key & 63));
        if (windowed)
            sc_pen_var(w, key >> 6 & ((UINT64_C(1) << 46) - 1));
        reg = key >> 52;
    }
}

static void take_sketch(struct sc_scan *r, bool windowed, struct sc_fact_state *fs)
{
    fs->n_more = fs->cap_more = sc_scan_count(r, 4096 * (SC_BUCKETS + 2), 1);
    fs->sketch = sc_arena_alloc(r->ar, sizeof(*fs->sketch) * (fs->n_more + 1));
    uint64_t reg = 0;
    for (uint32_t i = 0; i < fs->n_more; i++) {
        uint64_t head = sc_scan_var(r), ms = windowed ? sc_scan_var(r) : 0;
        reg += head >> 6;
        if (head >> 6 > 4095 || reg > 4095 || (head & 63) == 0 || (head & 63) > 53 || ms >> 46)
            sc_scan_fail(r);
        fs->sketch[i] = reg << 52 | ms << 6 | (head & 63);
        if (i > 0 && fs->sketch[i] <= fs->sketch[i - 1])
            sc_scan_fail(r);
        if (r->bad)
            return;
    }
}

static void take_distinct(struct sc_scan *r, const struct sc_fact_plan *plan,
                          struct sc_fact_state *fs, int64_t base_ms)
{
    bool windowed = plan->window_ms > 0;
    uint64_t head = sc_scan_var(r), n = head >> 1;
    if (n > SC_DISTINCT_EXACT || 8 * n > sc_scan_left(r) || (n > 0 && head & 1))
        sc_scan_fail(r);
    fs->n_entries = fs->cap_entries = r->bad ? 0 : (uint32_t)n;
    int64_t newest = windowed ? sc_scan_ms(r, base_ms) : 0;
    if (newest == INT64_MIN || newest == INT64_MAX)
        sc_scan_fail(r);
    fs->acc = (struct sc_fact_acc){.v = r->bad ? 0 : newest, .n = windowed};
    fs->entries = sc_arena_alloc(r->ar, sizeof(*fs->entries) * (fs->n_entries + 1));
    for (uint32_t i = 0; i < fs->n_entries; i++) {
        uint64_t hash = sc_scan_u64(r), d = windowed ? sc_scan_var(r) : 0;
        if (d >= (uint64_t)SC_MS_LIMIT || (i > 0 && hash <= (uint64_t)fs->entries[i - 1].raw))
            sc_scan_fail(r);
        fs->entries[i] = (struct sc_win_entry){r->bad ? 0 : newest - (int64_t)d, (int64_t)hash};
    }
    if (head & 1 && !r->bad)
        take_sketch(r, windowed, fs);
    SC_ASSERT(fs->n_entries == 0 || fs->n_more == 0);
}

/* ---- first, last */

static void put_edge(struct sc_pen *w, const struct sc_fact_edge *e, int64_t base_ms)
{
    SC_ASSERT(e != NULL);
    sc_pen_room(w, SC_VARINT_BYTES);
    sc_pen_ms(w, base_ms, e->ms);
    sc_pen_str(w, e->source);
    sc_pen_str(w, e->id);
    sc_pen_value(w, e->v);
}

static void take_edge(struct sc_scan *r, struct sc_fact_state *fs, int64_t base_ms)
{
    SC_ASSERT(fs->edge == NULL);
    struct sc_fact_edge *e = sc_arena_alloc(r->ar, sizeof(*e));
    e->ms = sc_scan_ms(r, base_ms);
    e->source = sc_scan_str(r);
    e->id = sc_scan_str(r);
    e->v = sc_scan_value(r);
    fs->edge = e;
}

/* ---- any */

void sc_fact_put(struct sc_pen *w, const struct sc_fact_plan *plan,
                 const struct sc_fact_state *fs, int64_t base_ms, uint32_t entries_max)
{
    SC_ASSERT(!sc_fact_empty(fs));
    switch ((enum sc_fact_shape)plan->shape) {
    case SC_SHAPE_TOTAL:
        if (plan->times)
            put_time(w, &fs->acc, base_ms);
        else
            put_acc(w, plan, &fs->acc);
        return;
    case SC_SHAPE_WINDOW:
        put_window(w, plan, fs, base_ms, entries_max);
        return;
    case SC_SHAPE_DISTINCT:
        put_distinct(w, plan, fs, base_ms);
        return;
    case SC_SHAPE_EDGE:
        put_edge(w, fs->edge, base_ms);
        return;
    }
}

/* How many numbers stand before the one time that counts from the base; all else counts from it, or
 * is no time. -1: there is none. */
static int before_time(const struct sc_fact_plan *plan)
{
    switch ((enum sc_fact_shape)plan->shape) {
    case SC_SHAPE_TOTAL:
        return plan->times ? 1 : -1;
    case SC_SHAPE_WINDOW:
        return 1;
    case SC_SHAPE_DISTINCT:
        return plan->window_ms > 0 ? 1 : -1;
    case SC_SHAPE_EDGE:
        return 0;
    }
    SC_UNREACHABLE("fact shape");
}

void sc_fact_put_body(struct sc_pen *w, const struct sc_fact_plan *plan, struct sc_str body,
                      int64_t from_ms, int64_t base_ms)
{
    SC_ASSERT(body.len > 0);
    struct sc_scan r = sc_scan_from(body, NULL);
    int before = from_ms == base_ms ? -1 : before_time(plan);
    for (int i = 0; i < before; i++)
        sc_scan_var(&r);
    const uint8_t *time = r.p;
    int64_t ms = before < 0 ? 0 : sc_scan_ms(&r, from_ms);
    sc_pen_room(w, body.len + 2 * SC_VARINT_BYTES);
    if (before < 0 || r.bad) {
        sc_pen_var(w, body.len);
        sc_pen_raw(w, body.p, body.len);
        return;
    }
    uint8_t moved[SC_VARINT_BYTES];
    struct sc_pen aside = {NULL, moved, moved + sizeof(moved)};
    sc_pen_ms(&aside, base_ms, ms);
    size_t took = (size_t)(r.p - time), takes = (size_t)(aside.p - moved);
    sc_pen_var(w, body.len - took + takes);
    for (const uint8_t *p = (const uint8_t *)body.p; p < time; p++)
        sc_pen_u8(w, *p);
    memcpy(w->p, moved, sizeof(moved));
    w->p += takes;
    sc_pen_raw(w, r.p, sc_scan_left(&r));
}

void sc_fact_take(struct sc_scan *r, const struct sc_fact_plan *plan, struct sc_fact_state *fs,
                  int64_t base_ms)
{
    SC_ASSERT(r->ar != NULL);
    switch ((enum sc_fact_shape)plan->shape) {
    case SC_SHAPE_TOTAL:
        if (plan->times)
            take_time(r, &fs->acc, base_ms);
        else
            take_acc(r, plan, &fs->acc);
        return;
    case SC_SHAPE_WINDOW:
        take_window(r, plan, fs, base_ms);
        return;
    case SC_SHAPE_DISTINCT:
        take_distinct(r, plan, fs, base_ms);
        return;
    case SC_SHAPE_EDGE:
        take_edge(r, fs, base_ms);
        return;
    }
}
