/* Facts: what expressions aggregate over a customer's events.
 *
 * Numbers are held as integers in the order of the numbers, so that windows, buckets and extremes
 * need no types: a decimal as its units, a time as milliseconds, a double by its bits. Sums are 128
 * bits wide and do not overflow on the way; whether the result fits is asked when it is read, so no
 * order of additions matters. Doubles are summed as integers of 2^-64, up to 9.2e18.
 *
 * A property that is absent, or outside the frame's projection, leaves its aggregate as it is.
 * Cost of an event: one fact about 10 ns, in a window about 15 ns. */
#include "core/journey/facts.h"
#include "core/journey/run.h"

#include "base/assert.h"
#include <math.h>

#define EDGE_BYTES_MAX 4096u /* first, last: a larger value is not kept */
#define WINDOW_MS_MAX (INT64_C(1) << 60) /* longer than time (SC_TIME_MAX_MS): since ever */
#define TWO_63 9223372036854775808.0
#define TWO_64 18446744073709551616.0

static enum sc_fact_shape shape_of(const struct sc_fact *f)
{
    switch (f->kind) {
    case SC_FACT_DISTINCT:
        return SC_SHAPE_DISTINCT;
    case SC_FACT_FIRST:
    case SC_FACT_LAST:
        return f->prop >= 0 ? SC_SHAPE_EDGE : SC_SHAPE_TOTAL;
    case SC_FACT_COUNT:
    case SC_FACT_SUM:
    case SC_FACT_MIN:
    case SC_FACT_MAX:
    case SC_FACT_AVG:
    case SC_FACT_SEEN:
    case SC_FACT_SINCE:
        break;
    }
    return f->window_ms > 0 ? SC_SHAPE_WINDOW : SC_SHAPE_TOTAL;
}

static enum sc_fact_fold fold_of(enum sc_fact_kind kind)
{
    switch (kind) {
    case SC_FACT_SUM:
    case SC_FACT_AVG:
        return SC_FOLD_SUM;
    case SC_FACT_MIN:
    case SC_FACT_FIRST:
        return SC_FOLD_MIN;
    case SC_FACT_MAX:
    case SC_FACT_LAST:
    case SC_FACT_SINCE:
        return SC_FOLD_MAX;
    case SC_FACT_COUNT:
    case SC_FACT_SEEN:
    case SC_FACT_DISTINCT:
        break;
    }
    return SC_FOLD_COUNT;
}

static struct sc_fact_plan plan_of(const struct sc_journey *jo, const struct sc_fact *f)
{
    SC_ASSERT(f->event < jo->tx->n_events);
    SC_ASSERT(f->window_ms >= 0);
    struct sc_fact_plan plan = {.shape = (uint8_t)shape_of(f), .fold = (uint8_t)fold_of(f->kind),
                                .type = SC_T_TIMESTAMP, .hash = f->key,
                                .keep = f->exact ? SC_WINDOW_EXACT_MAX : SC_WINDOW_EXACT};
    plan.window_ms = f->window_ms < WINDOW_MS_MAX ? f->window_ms : WINDOW_MS_MAX;
    plan.width_ms = (plan.window_ms + SC_BUCKETS - 1) / SC_BUCKETS;
    plan.times = plan.shape == SC_SHAPE_TOTAL && f->prop < 0 && plan.fold != SC_FOLD_COUNT;
    if (f->prop >= 0) {
        const struct sc_property *prop = &jo->tx->events[f->event].props[f->prop];
        plan.type = prop->type;
        plan.scale = prop->scale;
        plan.hash ^= prop->type * 0x9E3779B1u + prop->scale * 0x85EBCA77u;
    }
    return plan;
}

const struct sc_fact_plan *sc_fact_plans(const struct sc_journey *jo, struct sc_arena *ar)
{
    struct sc_fact_plan *plans = SC_NEW_N(ar, struct sc_fact_plan, jo->n_facts + 1);
    for (uint32_t i = 0; i < jo->n_facts; i++)
        plans[i] = plan_of(jo, &jo->facts[i]);
    SC_ASSERT(plans != NULL);
    return plans;
}

/* ---- numbers as ordered integers */

static int64_t raw_of_double(double d)
{
    int64_t bits;
    d += 0.0; /* -0.0 is 0.0 */
    memcpy(&bits, &d, sizeof(bits));
    return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1);
}

static double double_of_raw(int64_t raw)
{
    double d;
    int64_t bits = raw ^ (int64_t)((uint64_t)(raw >> 63) >> 1);
    memcpy(&d, &bits, sizeof(d));
    return d;
}

/* False: not a number of that type, so the event does not count here. */
static bool raw_of(const struct sc_fact_plan *plan, struct sc_value v, int64_t *raw)
{
    if (v.type != plan->type)
        return false;
    if (v.type == SC_T_DOUBLE) {
        *raw = isnan(v.d) ? 0 : raw_of_double(v.d);
        return !isnan(v.d);
    }
    struct sc_decimal d = {v.i, v.scale};
    if (v.type == SC_T_DECIMAL && v.scale != plan->scale &&
        sc_decimal_rescale(sc_value_decimal(v), plan->scale, &d) != SC_DECIMAL_OK)
        return false;
    *raw = d.units;
    return true;
}

static struct sc_value value_of_raw(const struct sc_fact_plan *plan, int64_t raw)
{
    struct sc_value v = {.type = plan->type, .scale = plan->scale, .i = raw};
    if (plan->type == SC_T_DOUBLE)
        v = sc_double(double_of_raw(raw));
    return v;
}

/* ---- accumulators */

static void add_to_sum(const struct sc_fact_plan *plan, struct sc_fact_acc *acc, int64_t raw)
{
    sc_int128 term = raw;
    if (plan->type == SC_T_DOUBLE) {
        double d = double_of_raw(raw);
        bool fits = fabs(d) < TWO_63;
        acc->overflow |= !fits;
        term = fits ? (sc_int128)(d * TWO_64) : 0;
    }
    acc->overflow |= __builtin_add_overflow(acc->v, term, &acc->v);
}

void sc_acc_add(const struct sc_fact_plan *plan, struct sc_fact_acc *acc, int64_t raw)
{
    SC_ASSERT(acc->n >= 0);
    bool first = acc->n++ == 0;
    switch ((enum sc_fact_fold)plan->fold) {
    case SC_FOLD_COUNT:
        return;
    case SC_FOLD_SUM:
        add_to_sum(plan, acc, raw);
        return;
    case SC_FOLD_MIN:
        acc->v = first || raw < acc->v ? raw : acc->v;
        return;
    case SC_FOLD_MAX:
        acc->v = first || raw > acc->v ? raw : acc->v;
        return;
    }
}

void sc_acc_merge(const struct sc_fact_plan *plan, struct sc_fact_acc *into,
                  const struct sc_fact_acc *from)
{
    SC_ASSERT(into->n >= 0 && from->n >= 0);
    if (from->n == 0)
        return;
    bool first = into->n == 0;
    into->n += from->n;
    into->overflow |= from->overflow;
    switch ((enum sc_fact_fold)plan->fold) {
    case SC_FOLD_COUNT:
        return;
    case SC_FOLD_SUM:
        into->overflow |= __builtin_add_overflow(into->v, from->v, &into->v);
        return;
    case SC_FOLD_MIN:
        into->v = first || from->v < into->v ? from->v : into->v;
        return;
    case SC_FOLD_MAX:
        into->v = first || from->v > into->v ? from->v : into->v;
        return;
    }
}

/* ---- first, last: by (occurred_at, source, id) */

static int edge_cmp(const struct sc_fact_edge *a, const struct sc_fact_edge *b)
{
    if (a->ms != b->ms)
        return a->ms < b->ms ? -1 : 1;
    int c = sc_str_cmp(a->source, b->source);
    return c ? c : sc_str_cmp(a->id, b->id);
}

static size_t value_bytes(struct sc_value v)
{
    size_t bytes = sizeof(v);
    if (v.type == SC_T_STRING || v.type == SC_T_BYTES)
        return bytes + v.len;
    uint64_t n = v.type == SC_T_LIST ? v.len : v.type == SC_T_MAP ? 2 * (uint64_t)v.len : 0;
    for (uint64_t i = 0; i < n && bytes <= EDGE_BYTES_MAX; i++)
        bytes += value_bytes(v.list[i]);
    return bytes;
}

static bool edge_wins(enum sc_fact_kind kind, const struct sc_fact_edge *a,
                      const struct sc_fact_edge *b)
{
    SC_ASSERT(kind == SC_FACT_FIRST || kind == SC_FACT_LAST);
    return b == NULL || (kind == SC_FACT_FIRST ? edge_cmp(a, b) < 0 : edge_cmp(a, b) > 0);
}

static void edge_apply(struct sc_arena *ar, enum sc_fact_kind kind, struct sc_fact_state *fs,
                       const struct sc_event *ev, struct sc_value v)
{
    struct sc_fact_edge edge = {ev->occurred_ms, ev->source_name, ev->id, v};
    if (!sc_is_value(v) || !edge_wins(kind, &edge, fs->edge) || value_bytes(v) > EDGE_BYTES_MAX)
        return;
    edge.source = sc_str_dup(ar, edge.source);
    edge.id = sc_str_dup(ar, edge.id);
    edge.v = sc_value_dup(ar, v);
    fs->edge = sc_arena_alloc(ar, sizeof(edge));
    *fs->edge = edge;
}

/* ---- what is held */

/* Where the fact stands, or would stand. */
static uint32_t place_of(const struct sc_state *st, uint32_t fact)
{
    uint32_t from = 0, n = st->facts.n;
    while (n > 0) {
        uint32_t half = n / 2;
        if (st->facts.v[from + half].fact < fact) {
            from += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return from;
}

static struct sc_fact_state *read_of(const struct sc_state *st, struct sc_fact_held *held)
{
    if (held->unread)
        st->unread->fact(st->unread, st->ar, held);
    SC_ASSERT(!held->unread);
    return &held->fs;
}

const struct sc_fact_state *sc_fact_held(const struct sc_state *st, uint32_t fact)
{
    uint32_t at = place_of(st, fact);
    bool held = at < st->facts.n && st->facts.v[at].fact == fact;
    return held ? read_of(st, &st->facts.v[at]) : NULL;
}

bool sc_facts_read(const struct sc_state *st)
{
    sc_state_whole(st);
    for (uint32_t i = 0; i < st->facts.n; i++)
        read_of(st, &st->facts.v[i]);
    return sc_facts_sound(st);
}

void sc_facts_room(struct sc_state *st, uint32_t n)
{
    if (n <= st->facts.cap)
        return;
    struct sc_fact_held *v = sc_arena_alloc(st->ar, n * sizeof(*v));
    if (st->facts.n)
        memcpy(v, st->facts.v, st->facts.n * sizeof(*v));
    st->facts.v = v;
    st->facts.cap = n;
}

struct sc_fact_held *sc_fact_place(struct sc_state *st, uint32_t fact)
{
    uint32_t at = place_of(st, fact), n = st->facts.n;
    if (at < n && st->facts.v[at].fact == fact)
        return &st->facts.v[at];
    if (n == st->facts.cap)
        sc_facts_room(st, n ? n * 2 : 2);
    struct sc_fact_held *v = st->facts.v;
    if (at < n)
        memmove(&v[at + 1], &v[at], (n - at) * sizeof(*v));
    v[at] = (struct sc_fact_held){.fact = fact};
    st->facts.n++;
    SC_ASSERT(at == 0 || v[at - 1].fact < fact);
    return &v[at];
}

struct sc_fact_state *sc_fact_hold(struct sc_state *st, uint32_t fact)
{
    return read_of(st, sc_fact_place(st, fact));
}

/* ---- apply */

/* `where:` is of the event alone; of the host it asks for zones. */
static bool counts(const struct sc_journey *jo, const struct sc_state *st,
                   const struct sc_prog *where, const struct sc_event *ev)
{
    struct sc_rule_ctx cx;
    sc_rule_bind(&cx, jo, st, ev, ev->occurred_ms, st->ar);
    return sc_rule_holds(where, &cx);
}

void sc_fact_apply(const struct sc_journey *jo, struct sc_state *st, uint32_t fact,
                   const struct sc_event *ev)
{
    SC_ASSERT(fact < jo->n_facts && jo->plans != NULL);
    const struct sc_fact *f = &jo->facts[fact];
    SC_ASSERT(f->event == ev->type);
    if (f->where && !counts(jo, st, f->where, ev))
        return;
    const struct sc_fact_plan *plan = &jo->plans[fact];
    struct sc_value v = f->prop >= 0 ? ev->props[f->prop] : sc_timestamp(ev->occurred_ms);
    int64_t raw = 0;
    switch ((enum sc_fact_shape)plan->shape) {
    case SC_SHAPE_TOTAL:
        if (raw_of(plan, v, &raw))
            sc_acc_add(plan, &sc_fact_hold(st, fact)->acc, raw);
        return;
    case SC_SHAPE_WINDOW:
        if (raw_of(plan, v, &raw))
            sc_window_add(plan, st->ar, sc_fact_hold(st, fact), (struct sc_win_entry){
                .ms = ev->occurred_ms, .raw = plan->fold == SC_FOLD_COUNT ? 0 : raw});
        return;
    case SC_SHAPE_DISTINCT:
        if (sc_is_value(v))
            sc_distinct_add(plan, st->ar, sc_fact_hold(st, fact), sc_value_hash(v),
                            ev->occurred_ms);
        return;
    case SC_SHAPE_EDGE:
        edge_apply(st->ar, f->kind, sc_fact_hold(st, fact), ev, v);
        return;
    }
}

/* ---- read */

static struct sc_value sum_value(const struct sc_fact_plan *plan, const struct sc_fact_acc *acc)
{
    if (acc->overflow)
        return sc_error(SC_VE_OVERFLOW);
    if (plan->type == SC_T_DOUBLE)
        return sc_double((double)acc->v / TWO_64);
    int64_t max = plan->type == SC_T_DECIMAL ? INT64_C(999999999999999999) : INT64_MAX;
    if (acc->v > max || acc->v < (plan->type == SC_T_DECIMAL ? -max : INT64_MIN))
        return sc_error(SC_VE_OVERFLOW);
    return (struct sc_value){.type = plan->type, .scale = plan->scale, .i = (int64_t)acc->v};
}

static struct sc_value avg_value(const struct sc_fact_plan *plan, const struct sc_fact_acc *acc)
{
    SC_ASSERT(acc->n > 0);
    if (acc->overflow)
        return sc_error(SC_VE_OVERFLOW);
    double sum = (double)acc->v;
    if (plan->type == SC_T_DOUBLE)
        sum /= TWO_64;
    double unit = 1;
    for (uint8_t i = 0; plan->type == SC_T_DECIMAL && i < plan->scale; i++)
        unit *= 10;
    return sc_double(sum / (unit * (double)acc->n));
}

static struct sc_value acc_value(const struct sc_fact *f, const struct sc_fact_plan *plan,
                                 const struct sc_fact_acc *acc, int64_t now_ms)
{
    SC_ASSERT(acc->n >= 0);
    switch (f->kind) {
    case SC_FACT_COUNT:
        return sc_int(acc->n);
    case SC_FACT_SEEN:
        return sc_bool(acc->n > 0);
    case SC_FACT_SUM:
        return sum_value(plan, acc);
    case SC_FACT_AVG:
        return acc->n ? avg_value(plan, acc) : sc_error(SC_VE_NO_VALUE);
    case SC_FACT_SINCE:
        return acc->n ? sc_duration(now_ms - (int64_t)acc->v) : sc_error(SC_VE_NO_VALUE);
    case SC_FACT_MIN:
    case SC_FACT_MAX:
    case SC_FACT_FIRST:
    case SC_FACT_LAST:
        return acc->n ? value_of_raw(plan, (int64_t)acc->v) : sc_error(SC_VE_NO_VALUE);
    case SC_FACT_DISTINCT:
        break;
    }
    SC_UNREACHABLE("distinct has a shape of its own");
}

/* The newest moment that is out of the fact's window. Of a calendar one it is the last before the
 * local period began; an unknown zone is UTC, as for caps. */
static int64_t out_of_window(const struct sc_journey *jo, const struct sc_state *st, uint32_t fact,
                             int64_t now_ms)
{
    const struct sc_fact *f = &jo->facts[fact];
    int64_t out_ms = now_ms - jo->plans[fact].window_ms;
    const struct sc_tz *tz;
    if (f->calendar == SC_ROLLING)
        return out_ms;
    SC_ASSERT(f->window_ms > 0);
    if (!sc_zone_of(jo, st, f->zone, &tz))
        tz = NULL;
    int64_t start_ms = sc_calendar_start(f->calendar, tz, now_ms);
    return start_ms - 1 > out_ms ? start_ms - 1 : out_ms; /* what is older is not kept */
}

/* ---- an event that comes far behind others
 *
 * A window keeps its own length behind its newest event, and of a value the latest time it was
 * seen. So what an event that comes out of order finds of its own time may be gone, and it with it:
 * in its own step it is added to what is left. */

/* What the event gives the fact, when it lies in (out_ms, now_ms]. */
static bool behind_gives(const struct sc_fact *f, const struct sc_journey *jo,
                         const struct sc_state *st, int64_t out_ms, int64_t now_ms,
                         struct sc_value *v)
{
    const struct sc_event *ev = st->behind;
    SC_ASSERT(ev != NULL && ev->type < jo->tx->n_events);
    if (f->event != ev->type || ev->occurred_ms <= out_ms || ev->occurred_ms > now_ms)
        return false;
    *v = f->prop >= 0 ? ev->props[f->prop] : sc_timestamp(ev->occurred_ms);
    return f->where == NULL || counts(jo, st, f->where, ev);
}

static struct sc_value window_value(const struct sc_journey *jo, const struct sc_state *st,
                                    uint32_t fact, const struct sc_fact_state *fs, int64_t now_ms)
{
    const struct sc_fact *f = &jo->facts[fact];
    const struct sc_fact_plan *plan = &jo->plans[fact];
    struct sc_fact_acc acc = {0};
    struct sc_value v;
    int64_t raw, out_ms = out_of_window(jo, st, fact, now_ms);
    sc_window_read(plan, fs, out_ms, now_ms, &acc);
    if (st->behind && !sc_window_keeps(plan, fs, st->behind->occurred_ms) &&
        behind_gives(f, jo, st, out_ms, now_ms, &v) && raw_of(plan, v, &raw))
        sc_acc_add(plan, &acc, raw);
    return acc_value(f, plan, &acc, now_ms);
}

static struct sc_value distinct_value(const struct sc_journey *jo, const struct sc_state *st,
                                      uint32_t fact, const struct sc_fact_state *fs,
                                      int64_t now_ms)
{
    int64_t out_ms = out_of_window(jo, st, fact, now_ms);
    struct sc_value n = sc_distinct_read(&jo->plans[fact], fs, out_ms, now_ms), v;
    if (st->behind == NULL || !behind_gives(&jo->facts[fact], jo, st, out_ms, now_ms, &v) ||
        !sc_is_value(v))
        return n;
    bool counts = fs->n_more > 0 ? n.i > 0
                                 : sc_distinct_counts(fs, sc_value_hash(v), out_ms, now_ms);
    n.i += !counts;
    return n;
}

struct sc_value sc_fact_read(const struct sc_journey *jo, const struct sc_state *st, uint32_t fact,
                             int64_t now_ms)
{
    SC_ASSERT(fact < jo->n_facts && jo->plans != NULL);
    SC_ASSERT(now_ms != SC_NEVER);
    const struct sc_fact *f = &jo->facts[fact];
    static const struct sc_fact_state nothing;
    const struct sc_fact_state *held = sc_fact_held(st, fact), *fs = held ? held : &nothing;
    const struct sc_fact_plan *plan = &jo->plans[fact];
    switch ((enum sc_fact_shape)plan->shape) {
    case SC_SHAPE_TOTAL:
        return acc_value(f, plan, &fs->acc, now_ms);
    case SC_SHAPE_WINDOW:
        return window_value(jo, st, fact, fs, now_ms);
    case SC_SHAPE_DISTINCT:
        return distinct_value(jo, st, fact, fs, now_ms);
    case SC_SHAPE_EDGE:
        return fs->edge ? fs->edge->v : sc_error(SC_VE_NO_VALUE);
    }
    SC_UNREACHABLE("fact shape");
}

/* ---- merge */

static void merge_one(const struct sc_journey *jo, struct sc_arena *ar, uint32_t fact,
                      struct sc_fact_state *to, const struct sc_fact_state *by)
{
    SC_ASSERT(fact < jo->n_facts && jo->plans != NULL);
    const struct sc_fact *f = &jo->facts[fact];
    const struct sc_fact_plan *plan = &jo->plans[fact];
    switch ((enum sc_fact_shape)plan->shape) {
    case SC_SHAPE_TOTAL:
        sc_acc_merge(plan, &to->acc, &by->acc);
        return;
    case SC_SHAPE_WINDOW:
        sc_window_merge(plan, ar, to, by);
        return;
    case SC_SHAPE_DISTINCT:
        sc_distinct_merge(plan, ar, to, by);
        return;
    case SC_SHAPE_EDGE:
        if (by->edge && edge_wins(f->kind, by->edge, to->edge))
            to->edge = by->edge; /* both live as long as the batch */
        return;
    }
}

void sc_facts_merge(const struct sc_journey *jo, struct sc_state *into,
                    const struct sc_state *from)
{
    SC_ASSERT(into != from);
    for (uint32_t i = 0; i < from->facts.n; i++) {
        uint32_t fact = from->facts.v[i].fact;
        merge_one(jo, into->ar, fact, sc_fact_hold(into, fact), read_of(from, &from->facts.v[i]));
    }
}
