/* Runs of events that broke or restarted a silence.
 *
 * Why runs: a start at s that arrives late is still a silence when no start lies in (s, s + after)
 * and no exit in [s, s + after). Marks less than `after` apart need only their ends for that: any s
 * between two of them is ended by the next. So memory is bounded by lateness / after, and union
 * plus coalescing is commutative, associative and idempotent, as merges need.
 *
 * For lapses only the last mark is asked for: one run holds it.
 * Cost: linear in the runs of one customer, a handful. */
#include "core/journey/run.h"

#include "base/assert.h"

static int group_cmp(const struct sc_break *a, const struct sc_break *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->rule != b->rule)
        return a->rule < b->rule ? -1 : 1;
    return a->key_hash < b->key_hash ? -1 : a->key_hash > b->key_hash;
}

static int order(const struct sc_break *a, const struct sc_break *b)
{
    int c = group_cmp(a, b);
    return c ? c : a->first_ms < b->first_ms ? -1 : a->first_ms > b->first_ms;
}

static void remove_at(struct sc_state *st, uint32_t at)
{
    SC_ASSERT(at < st->breaks.n);
    st->breaks.n--;
    memmove(&st->breaks.v[at], &st->breaks.v[at + 1],
            (st->breaks.n - at) * sizeof(*st->breaks.v));
}

/* Runs `after` or more apart stay apart; a lapse keeps one run whatever the gap. */
static bool apart(const struct sc_break *a, const struct sc_break *b, int64_t after_ms)
{
    if (a->kind == SC_TIMER_LAPSE)
        return false;
    return a->first_ms - b->last_ms >= after_ms || b->first_ms - a->last_ms >= after_ms;
}

static void coalesce(struct sc_break *into, const struct sc_break *other)
{
    SC_ASSERT(group_cmp(into, other) == 0);
    if (other->last_ms == into->last_ms)
        into->exit_last |= other->exit_last;
    else if (other->last_ms > into->last_ms)
        into->exit_last = other->exit_last;
    if (other->first_ms < into->first_ms)
        into->first_ms = other->first_ms;
    if (other->last_ms > into->last_ms)
        into->last_ms = other->last_ms;
}

static void insert(struct sc_state *st, const struct sc_break *b)
{
    uint32_t at = 0;
    while (at < st->breaks.n && order(&st->breaks.v[at], b) < 0)
        at++;
    SC_VEC_PUSH(st->ar, &st->breaks, *b); /* room; then to its place */
    memmove(&st->breaks.v[at + 1], &st->breaks.v[at],
            (st->breaks.n - 1 - at) * sizeof(*st->breaks.v));
    st->breaks.v[at] = *b;
}

/* A lapse's one run is not given up: it would lapse too early. (A state of ours has room for all.) */
static void drop_oldest(struct sc_state *st)
{
    uint32_t oldest = 0;
    SC_ASSERT(st->breaks.n > 0);
    for (uint32_t i = 1; i < st->breaks.n; i++) {
        const struct sc_break *a = &st->breaks.v[oldest], *b = &st->breaks.v[i];
        bool silence = b->kind == SC_TIMER_SILENCE;
        if (silence && (a->kind != SC_TIMER_SILENCE || b->last_ms < a->last_ms))
            oldest = i;
    }
    remove_at(st, oldest);
}

void sc_breaks_add(struct sc_state *st, const struct sc_break *b, int64_t after_ms)
{
    SC_ASSERT(b->first_ms <= b->last_ms);
    SC_ASSERT(after_ms > 0);
    struct sc_break run = *b;
    for (uint32_t i = 0; i < st->breaks.n;) { /* one pass: runs of a group never touch */
        const struct sc_break *old = &st->breaks.v[i];
        if (group_cmp(old, &run) != 0 || apart(old, &run, after_ms)) {
            i++;
            continue;
        }
        coalesce(&run, old);
        remove_at(st, i);
    }
    insert(st, &run);
    if (st->breaks.n > SC_BREAKS_MAX)
        drop_oldest(st);
}

static bool ends(const struct sc_break *run, int64_t start_ms, int64_t after_ms)
{
    if (run->last_ms < start_ms)
        return false;
    if (run->last_ms == start_ms)
        return run->exit_last;
    /* The next mark after start: first_ms when the run lies ahead, else one inside it. */
    return run->first_ms <= start_ms || run->first_ms - start_ms < after_ms;
}

bool sc_breaks_end(const struct sc_state *st, const struct sc_break *start, int64_t after_ms)
{
    SC_ASSERT(start->kind == SC_TIMER_SILENCE);
    SC_ASSERT(after_ms > 0);
    for (uint32_t i = 0; i < st->breaks.n; i++) {
        const struct sc_break *run = &st->breaks.v[i];
        if (run->kind == start->kind && run->rule == start->rule &&
            (run->key_hash == start->key_hash || run->key_hash == 0) &&
            ends(run, start->first_ms, after_ms))
            return true;
    }
    return false;
}

int64_t sc_breaks_last(const struct sc_state *st, uint8_t kind, uint16_t rule, uint64_t key_hash)
{
    struct sc_break probe = {.kind = kind, .rule = rule, .key_hash = key_hash};
    int64_t last = SC_NEVER;
    for (uint32_t i = 0; i < st->breaks.n; i++)
        if (group_cmp(&st->breaks.v[i], &probe) == 0 && st->breaks.v[i].last_ms > last)
            last = st->breaks.v[i].last_ms;
    return last;
}

static int64_t after_of(const struct sc_journey *jo, const struct sc_break *b)
{
    if (b->kind == SC_TIMER_LAPSE)
        return b->rule < jo->n_stages ? jo->stages[b->rule].after_ms : 0;
    return b->rule < jo->n_triggers ? jo->triggers[b->rule].after_ms : 0;
}

/* A start that a merge brings may lie up to `after` before a run, and is ended by it. */
void sc_breaks_forget(const struct sc_journey *jo, struct sc_state *st, int64_t before_ms)
{
    for (uint32_t i = st->breaks.n; i-- > 0;) {
        const struct sc_break *b = &st->breaks.v[i];
        if (b->kind == SC_TIMER_SILENCE && b->last_ms + after_of(jo, b) < before_ms)
            remove_at(st, i);
    }
}

void sc_breaks_merge(const struct sc_journey *jo, struct sc_state *into,
                     const struct sc_state *from)
{
    SC_ASSERT(into != from);
    for (uint32_t i = 0; i < from->breaks.n; i++) {
        int64_t after_ms = after_of(jo, &from->breaks.v[i]);
        if (after_ms > 0) /* else the rule waits no longer: nothing to remember */
            sc_breaks_add(into, &from->breaks.v[i], after_ms);
    }
    SC_ASSERT(into->breaks.n <= SC_BREAKS_MAX);
}
