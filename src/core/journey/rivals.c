/* Rivals over a span of time (semantics 30): messages of one customer that fire within W of each
 * other compete, and one goes.
 *
 * What fires waits as a timer, due W after it fired; nothing is asked of it yet. So the first that
 * is due ends a window [fired, fired + W), and its rivals are those due less than W after it: the
 * windows follow from the times alone. Nobody has to keep them: a merge is the union of what waits,
 * an event that comes out of order makes another window by being there, and all that is known when
 * the watermark ends a window is weighed together, whatever the order it came in.
 *
 * A window whose moment was taken is remembered as [start_ms, due_ms) for as long as something can
 * come that fired in it: that one has lost. Rejected: to weigh gates when it fires. A consent
 * withdrawn meanwhile, or a slot taken, would have to be asked again at the end anyway, and who is
 * a rival would depend on the order of arrival.
 *
 * Cost: linear in the customer's timers, only where something fires. */
#include "core/journey/run.h"

#include "base/assert.h"

static int64_t span_of(const struct sc_run *rn)
{
    return rn->jo->guard.arbitration_ms > 0 ? rn->jo->guard.arbitration_ms : 0;
}

bool sc_rival_waits(const struct sc_run *rn, const struct sc_timer *tm)
{
    return span_of(rn) > 0 && !rn->jo->triggers[tm->rule].service && tm->kind != SC_TIMER_RIVAL &&
           !sc_rival_lost(rn, tm);
}

bool sc_rival_lost(const struct sc_run *rn, const struct sc_timer *tm)
{
    SC_ASSERT(rn->fire_ms != SC_NEVER);
    if (span_of(rn) == 0)
        return false;
    int64_t fired_ms = tm->kind == SC_TIMER_RIVAL ? tm->due_ms - span_of(rn) : rn->fire_ms;
    for (uint32_t i = 0; i < rn->st->timers.n; i++) {
        const struct sc_timer *moment = &rn->st->timers.v[i];
        if (moment->kind == SC_TIMER_MOMENT && moment->start_ms <= fired_ms &&
            fired_ms < moment->due_ms)
            return true;
    }
    return false;
}

void sc_rival_add(struct sc_run *rn, const struct sc_timer *tm)
{
    SC_ASSERT(span_of(rn) > 0 && rn->fire_ms >= tm->start_ms);
    struct sc_timer rival = *tm;
    rival.kind = SC_TIMER_RIVAL;
    rival.due_ms = rn->fire_ms + span_of(rn);
    sc_timer_add(rn->st, &rival);
    sc_trace(rn->fx, "guard", rn->jo->triggers[tm->rule].name, "waits", "for rivals until %s",
             sc_trace_time(rn->fx->ar, sc_rival_end(rn, &rival)));
}

int64_t sc_rival_end(const struct sc_run *rn, const struct sc_timer *tm)
{
    SC_ASSERT(tm->kind == SC_TIMER_RIVAL);
    int64_t end_ms = SC_NEVER;
    if (span_of(rn) == 0)
        return tm->due_ms; /* it has waited since a journey that had one */
    for (;;) { /* window after window, until its own */
        int64_t first_ms = tm->due_ms;
        for (uint32_t i = 0; i < rn->st->timers.n; i++) {
            const struct sc_timer *other = &rn->st->timers.v[i];
            if (other->kind == SC_TIMER_RIVAL && other->due_ms < first_ms &&
                (end_ms == SC_NEVER || other->due_ms - end_ms >= span_of(rn)))
                first_ms = other->due_ms;
        }
        end_ms = first_ms;
        if (tm->due_ms - end_ms < span_of(rn))
            return end_ms;
    }
}

/* To the guard, unless `unless` holds by now, or one before it was the only one there may be. */
static void meet(struct sc_run *rn, const struct sc_timer *tm)
{
    const struct sc_trigger *tr = &rn->jo->triggers[tm->rule];
    sc_trace(rn->fx, "rival", tr->name, NULL, "priority %lld", (long long)tr->priority);
    if (tr->unless && sc_trace_holds(rn, "unless", tr->unless))
        sc_guard_cancel(rn, tm, SC_STR_NULL);
    else if (!tm->promised && !sc_trigger_may_enter(rn, tm->rule))
        sc_trace(rn->fx, "rule", tr->name, "not again", "fired before");
    else
        SC_VEC_PUSH(rn->fx->ar, &rn->due, *tm);
}

void sc_rivals_meet(struct sc_run *rn, const struct sc_timer *first)
{
    SC_ASSERT(first->kind == SC_TIMER_RIVAL);
    meet(rn, first);
    for (uint32_t i = rn->st->timers.n; i-- > 0;) {
        struct sc_timer tm = rn->st->timers.v[i];
        if (tm.kind != SC_TIMER_RIVAL || tm.due_ms - first->due_ms >= span_of(rn))
            continue;
        sc_timer_drop(rn->st, i);
        meet(rn, &tm);
    }
}

void sc_rival_won(struct sc_run *rn, uint16_t trigger)
{
    if (span_of(rn) == 0)
        return;
    struct sc_timer moment = {.kind = SC_TIMER_MOMENT, .rule = trigger,
                              .start_ms = rn->at_ms - span_of(rn), .due_ms = rn->at_ms,
                              .expires_ms = SC_NO_DUE};
    sc_timer_add(rn->st, &moment);
}

bool sc_rival_outranks(const struct sc_journey *jo, const struct sc_timer *a,
                       const struct sc_timer *b)
{
    int64_t pa = jo->triggers[a->rule].priority, pb = jo->triggers[b->rule].priority;
    if (pa != pb)
        return pa > pb;
    if (a->rule != b->rule)
        return a->rule < b->rule;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms;
    int c = sc_str_cmp(a->key, b->key);
    return c != 0 ? c < 0 : sc_timer_order_starts(a, b) < 0;
}
