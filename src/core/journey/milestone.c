/* Milestones: reached once ever (semantics 23b), at the time the condition first held.
 *
 * For `seen(e)` and `count(e) >= n` that time is known whatever the order of arrival: the n-th
 * smallest occurred_at, kept in a ladder of n times, so a state is corrected when an earlier event
 * comes (semantics 13). The effect is given once, with the time known then. */
#include "core/journey/run.h"

#include "base/assert.h"
#include "core/analytics/history.h"

static bool full(const struct sc_run *rn, uint32_t m)
{
    const struct sc_milestone *ms = &rn->jo->milestones[m];
    return ms->ladder_fact >= 0 && rn->st->ladders[m].n >= ms->ladder_n;
}

static bool feeds(struct sc_run *rn, const struct sc_milestone *ms)
{
    if (ms->ladder_fact < 0)
        return false;
    const struct sc_fact *fact = &rn->jo->facts[ms->ladder_fact];
    return fact->event == rn->ev->type && (!fact->where || sc_rule_holds(fact->where, &rn->cx));
}

/* Keep the n smallest times, ascending. */
static void ladder_add(struct sc_run *rn, uint32_t m, int64_t ms)
{
    uint32_t max = rn->jo->milestones[m].ladder_n;
    uint32_t n = rn->st->ladders[m].n;
    SC_ASSERT(max >= 1 && n <= max);
    if (n == max && rn->st->ladders[m].v[n - 1] <= ms)
        return;
    uint32_t keep = n < max ? n : max - 1;
    int64_t *v = SC_NEW_N(rn->st->ar, int64_t, keep + 1);
    uint32_t at = 0;
    for (uint32_t i = 0; i < keep; i++) {
        if (at == i && rn->st->ladders[m].v[i] > ms)
            v[at++] = ms;
        v[at++] = rn->st->ladders[m].v[i];
    }
    if (at == keep)
        v[at] = ms;
    rn->st->ladders[m].v = v;
    rn->st->ladders[m].n = keep + 1;
}

static void reach(struct sc_run *rn, uint32_t m, int64_t at_ms)
{
    const struct sc_milestone *ms = &rn->jo->milestones[m];
    SC_ASSERT(rn->st->milestones[m] == SC_NEVER);
    rn->st->milestones[m] = at_ms;
    sc_history_milestone(rn->jo, rn->st, m, SC_NEVER, at_ms, rn->fx);
    struct sc_effect *fx = sc_effect_add(rn, SC_FX_MILESTONE, ms->name);
    fx->event_ms = at_ms;
    sc_experiment_tell(rn, fx);
    if (ms->when)
        sc_effect_facts(rn, fx, ms->when);
    sc_trace(rn->fx, "mark", ms->name, NULL, "reached %s", sc_trace_time(rn->fx->ar, at_ms));
}

static void try_one(struct sc_run *rn, uint32_t m)
{
    const struct sc_milestone *ms = &rn->jo->milestones[m];
    int64_t *reached = &rn->st->milestones[m];
    int64_t at_ms = full(rn, m) ? rn->st->ladders[m].v[ms->ladder_n - 1] : rn->at_ms;
    if (*reached != SC_NEVER) {
        if (full(rn, m) && at_ms < *reached) { /* an earlier event came: corrected, not told again */
            sc_history_milestone(rn->jo, rn->st, m, *reached, at_ms, rn->fx);
            *reached = at_ms;
        }
        return;
    }
    if (ms->when && sc_rule_holds(ms->when, &rn->cx))
        reach(rn, m, at_ms);
}

void sc_milestone_event(struct sc_run *rn)
{
    SC_ASSERT(rn->ev);
    const struct sc_event_index *ix = &rn->jo->by_event[rn->ev->type];
    for (uint32_t i = 0; i < ix->n_milestones; i++) {
        uint32_t m = ix->milestones[i];
        SC_ASSERT(m < rn->jo->n_milestones);
        if (feeds(rn, &rn->jo->milestones[m]))
            ladder_add(rn, m, rn->at_ms);
        try_one(rn, m);
    }
}

void sc_milestone_merged(struct sc_run *rn)
{
    SC_ASSERT(rn->jo->n_milestones <= SC_MILESTONES_MAX);
    for (uint32_t m = 0; m < rn->jo->n_milestones; m++)
        try_one(rn, m);
}

void sc_milestone_overdue(struct sc_run *rn, uint16_t stage)
{
    SC_ASSERT(rn->ev == NULL);
    SC_ASSERT(stage < rn->jo->n_stages);
    for (uint32_t m = 0; m < rn->jo->n_milestones; m++)
        if (rn->jo->milestones[m].overdue && rn->jo->milestones[m].stage == stage &&
            rn->st->milestones[m] == SC_NEVER)
            reach(rn, m, rn->at_ms);
}
