/* Timers of one customer: a small unordered list, searched. It is bounded by its parts: for each
 * trigger and key one silence and SC_RIPE_MAX ripe ones, SC_KEYS_OPEN_MAX keys a trigger, one for
 * each lapse, one target, and TIMERS_HELD_MAX each of deferred and sent messages, of moments taken
 * and of rivals. */
#include "core/journey/run.h"

#include "base/assert.h"

#define TIMERS_HELD_MAX 64u

struct sc_timer *sc_timer_add(struct sc_state *st, const struct sc_timer *tm)
{
    SC_ASSERT(tm->due_ms != SC_NO_DUE);
    SC_ASSERT(tm->start_ms <= tm->due_ms);
    struct sc_timer *added = SC_VEC_ADD(st->ar, &st->timers);
    *added = *tm;
    return added;
}

void sc_timer_drop(struct sc_state *st, uint32_t at)
{
    SC_ASSERT(at < st->timers.n);
    st->timers.v[at] = st->timers.v[--st->timers.n];
}

static struct sc_str start_of(const struct sc_timer *tm)
{
    return tm->n_events > 0 ? tm->events[tm->n_events - 1] : SC_STR_NULL;
}

int sc_timer_order_starts(const struct sc_timer *a, const struct sc_timer *b)
{
    SC_ASSERT(a != NULL && b != NULL);
    if (a->start_ms != b->start_ms)
        return a->start_ms < b->start_ms ? -1 : 1;
    int c = sc_str_cmp(a->source, b->source);
    return c != 0 ? c : sc_str_cmp(start_of(a), start_of(b));
}

static int order(const struct sc_timer *a, const struct sc_timer *b)
{
    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->rule != b->rule)
        return a->rule < b->rule ? -1 : 1;
    int c = sc_str_cmp(a->key, b->key);
    return c != 0 ? c : sc_timer_order_starts(a, b);
}

int sc_timer_first(const struct sc_state *st, int64_t limit_ms)
{
    int first = -1;
    for (uint32_t i = 0; i < st->timers.n; i++) {
        const struct sc_timer *tm = &st->timers.v[i];
        if (!sc_timer_wakes(tm) || tm->due_ms > limit_ms)
            continue;
        if (first < 0 || order(tm, &st->timers.v[first]) < 0)
            first = (int)i;
    }
    return first;
}

static bool due_before(const struct sc_journey *jo, const struct sc_timer *a,
                       const struct sc_timer *b)
{
    (void)jo;
    return order(a, b) < 0;
}

static bool outranked_by(const struct sc_journey *jo, const struct sc_timer *a,
                         const struct sc_timer *b)
{
    return sc_rival_outranks(jo, b, a);
}

/* Over the bound those that go before the others are given up: without a word what was, by name
 * what still waited. */
static void bound(struct sc_run *rn, enum sc_timer_kind kind,
                  bool (*goes)(const struct sc_journey *, const struct sc_timer *,
                               const struct sc_timer *),
                  enum sc_reason reason, const char *why)
{
    struct sc_state *st = rn->st;
    for (;;) {
        uint32_t n = 0, first = 0;
        for (uint32_t i = 0; i < st->timers.n; i++) {
            if (st->timers.v[i].kind != kind)
                continue;
            if (n++ == 0 || goes(rn->jo, &st->timers.v[i], &st->timers.v[first]))
                first = i;
        }
        if (n <= TIMERS_HELD_MAX)
            return;
        struct sc_timer given_up = st->timers.v[first];
        sc_timer_drop(st, first);
        if (why)
            sc_guard_suppress(rn, &given_up, reason, why);
    }
}

int64_t sc_timer_settled_ms(const struct sc_run *rn)
{
    SC_ASSERT(rn->jo->lateness_ms >= 0 && rn->jo->reorder_ms >= 0);
    int64_t watermark_ms = rn->now->watermark_ms;
    return watermark_ms == SC_NEVER ? SC_NEVER
                                    : watermark_ms - rn->jo->lateness_ms - rn->jo->reorder_ms;
}

void sc_timer_forget(struct sc_run *rn)
{
    struct sc_state *st = rn->st;
    if (st->timers.n == 0 && st->breaks.n == 0)
        return;
    int64_t settled_ms = sc_timer_settled_ms(rn);
    for (uint32_t i = st->timers.n; i-- > 0;)
        if (!sc_timer_wakes(&st->timers.v[i]) && st->timers.v[i].due_ms <= settled_ms)
            sc_timer_drop(st, i);
    sc_breaks_forget(rn->jo, st, settled_ms);
    bound(rn, SC_TIMER_SENT, due_before, SC_REASON_EXPIRED, NULL);
    bound(rn, SC_TIMER_MOMENT, due_before, SC_REASON_EXPIRED, NULL);
    bound(rn, SC_TIMER_DEFERRED, due_before, SC_REASON_EXPIRED, "over 64 deferred messages");
    bound(rn, SC_TIMER_RIVAL, outranked_by, SC_REASON_LOWER_PRIORITY, "over 64 rivals");
}
