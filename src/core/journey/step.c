/* The pure step: see step.h for the order, semantics.md for the meaning.
 *
 * Everything that moves a customer goes through sc_journey_step, so that `run`, `simulate`, `test`
 * and the fault simulator cannot differ. It reads no clock: event time is the record's, progress
 * and decision time come with the input. */
#include "core/journey/run.h"

#include "base/assert.h"
#include "core/analytics/history.h"

#define TIMER_LATE_MS (5 * SC_MINUTE_MS) /* handled later than this: tagged (semantics 8b) */

int64_t sc_decision_ms(const struct sc_moment *now, int64_t event_ms)
{
    SC_ASSERT(event_ms != SC_NEVER);
    if (!now->event_clock)
        return now->append_ms;
    return now->watermark_ms > event_ms ? now->watermark_ms : event_ms;
}

int64_t sc_decision_timer_ms(const struct sc_moment *now, int64_t due_ms, bool *tagged)
{
    SC_ASSERT(due_ms != SC_NO_DUE);
    *tagged = !now->event_clock && now->append_ms - due_ms > TIMER_LATE_MS;
    return *tagged ? now->append_ms : due_ms;
}

bool sc_moment_late(const struct sc_journey *jo, const struct sc_moment *now, int64_t at_ms)
{
    SC_ASSERT(jo->lateness_ms >= 0 && jo->reorder_ms >= 0);
    /* what `reorder` asks to be waited for cannot be late */
    int64_t bound_ms = jo->lateness_ms > jo->reorder_ms ? jo->lateness_ms : jo->reorder_ms;
    return now->watermark_ms != SC_NEVER && now->watermark_ms - at_ms > bound_ms;
}

void sc_run_init(struct sc_run *rn, const struct sc_journey *jo, struct sc_state *st,
                 const struct sc_moment *now, struct sc_effects *fx)
{
    SC_ASSERT(st->kind == SC_STATE_ROOT);
    SC_ASSERT(fx->ar != NULL);
    *rn = (struct sc_run){.jo = jo, .st = st, .now = now, .fx = fx, .at_ms = SC_NEVER,
                          .fire_ms = SC_NEVER, .decision_ms = SC_NEVER};
}

void sc_run_at(struct sc_run *rn, const struct sc_event *ev, int64_t at_ms, int64_t decision_ms)
{
    SC_ASSERT(rn->due.n == 0);
    rn->ev = ev;
    rn->at_ms = rn->fire_ms = at_ms;
    rn->decision_ms = decision_ms;
    rn->tagged_late = false;
    rn->events = ev ? &ev->id : NULL;
    rn->n_events = ev ? 1 : 0;
    sc_rule_bind(&rn->cx, rn->jo, rn->st, ev, at_ms, rn->fx->ar);
}

/* ---- what an event leaves in the state, late or not: everything here goes by its own time */

static void touch_case(struct sc_run *rn, uint16_t kind, bool opens)
{
    const struct sc_case *sc = &rn->jo->tx->cases[kind];
    int prop = sc_event_type_prop(&rn->jo->tx->events[rn->ev->type], sc->key);
    SC_ASSERT(prop >= 0 && (uint32_t)prop < rn->ev->n_props);
    if (!sc_is_value(rn->ev->props[prop]))
        return; /* no key: no case to speak of */
    uint64_t key_hash = sc_value_hash(rn->ev->props[prop]);
    struct sc_state *st = rn->st;
    struct sc_open_case *at = NULL, *oldest = NULL;
    for (uint32_t i = 0; i < st->cases.n; i++) {
        struct sc_open_case *c = &st->cases.v[i];
        if (c->kind == kind && c->key_hash == key_hash)
            at = c;
        bool closed = c->closed_ms >= c->opened_ms;
        if (oldest == NULL || (closed && (oldest->closed_ms < oldest->opened_ms ||
                                          c->closed_ms < oldest->closed_ms)))
            oldest = c;
    }
    if (at == NULL) {
        at = st->cases.n < SC_CASES_MAX ? SC_VEC_ADD(st->ar, &st->cases) : oldest;
        *at = (struct sc_open_case){kind, key_hash, SC_NEVER, SC_NEVER};
    }
    int64_t *ms = opens ? &at->opened_ms : &at->closed_ms;
    if (*ms < rn->at_ms)
        *ms = rn->at_ms;
}

static void count_event(struct sc_state *st, int64_t at_ms)
{
    SC_ASSERT(at_ms != SC_NEVER);
    if (st->n_events == 0 || at_ms < st->first_ms)
        st->first_ms = at_ms;
    if (st->n_events == 0 || at_ms > st->last_ms)
        st->last_ms = at_ms;
    st->n_events++;
}

static void leave_data(struct sc_run *rn)
{
    const struct sc_event_index *ix = &rn->jo->by_event[rn->ev->type];
    count_event(rn->st, rn->at_ms);
    struct sc_picked facts = sc_pick(ix->facts, ix->n_facts, &ix->facts_by, rn->ev, rn->fx->ar);
    for (uint32_t i = 0; i < facts.n; i++)
        sc_fact_apply(rn->jo, rn->st, facts.v[i], rn->ev);
    if (ix->ring)
        sc_ring_add(rn->jo, rn->st, rn->ev);
    for (uint32_t i = 0; i < ix->n_cases_open; i++)
        touch_case(rn, ix->cases_open[i], true);
    for (uint32_t i = 0; i < ix->n_cases_close; i++)
        touch_case(rn, ix->cases_close[i], false);
    sc_consent_event(rn);
    sc_fatigue_add(rn->jo, rn->st, ix->fatigue, rn->at_ms);
    sc_history_event(rn);
    rn->st->behind = rn->at_ms < rn->st->last_ms ? rn->ev : NULL;
    SC_ASSERT(rn->st->n_events > 0);
}

/* ---- one event */

/* An event that nothing in the journey asks for, of a customer who has begun: another step of his
 * life, by which no rule can change. */
static bool passes_by(const struct sc_journey *jo, const struct sc_state *st,
                      const struct sc_event *ev)
{
    const struct sc_place *pl = &st->place[0];
    return !jo->by_event[ev->type].asked && !jo->analyse && ev->phone_zone.len == 0 &&
           pl->stage_ms != SC_NEVER && pl->stage_ms <= ev->occurred_ms && pl->stage_unknown == 0;
}

static void comes_late(struct sc_run *rn, const struct sc_event *ev)
{
    rn->fx->counts.late++;
    sc_trace(rn->fx, "late", rn->jo->tx->events[ev->type].name, NULL, "moves facts alone");
}

static void pass_by(struct sc_run *rn, const struct sc_event *ev, bool late)
{
    sc_trace_event(rn->fx, rn->jo, ev);
    rn->fx->counts.applied++;
    if (late)
        comes_late(rn, ev);
    count_event(rn->st, ev->occurred_ms);
}

/* The first stage of each track is entered by the first event in time that is not late; of a track
 * that a new journey has added, by the next one. */
static void begin(struct sc_run *rn)
{
    SC_ASSERT(rn->st->n_events > 0);
    for (uint32_t t = 0; t < rn->jo->n_tracks; t++) {
        struct sc_place *pl = &rn->st->place[t];
        bool still_first = pl->stage == rn->jo->tracks[t].initial && pl->stage_ms > rn->at_ms &&
                           pl->furthest <= pl->stage && pl->lapsed_from < 0;
        if (pl->stage_ms != SC_NEVER && !still_first)
            continue;
        pl->stage_ms = rn->at_ms;
        sc_history_reached(rn->jo, rn->st, pl->stage, rn->at_ms, rn->fx);
        sc_stage_arm(rn, t);
    }
    SC_ASSERT(rn->st->place[0].stage_ms != SC_NEVER);
}

static void apply(struct sc_run *rn, bool late)
{
    SC_ASSERT(rn->ev && rn->ev->type < rn->jo->tx->n_events);
    SC_ASSERT(rn->st->behind == NULL);
    sc_trace_event(rn->fx, rn->jo, rn->ev);
    rn->fx->counts.applied++;
    sc_stage_config(rn);
    if (late) {
        comes_late(rn, rn->ev);
        leave_data(rn);
        sc_trigger_late(rn);
        rn->st->behind = NULL;
        return;
    }
    struct sc_edges edges = sc_trigger_before(rn);
    leave_data(rn);
    begin(rn);
    sc_stage_restart(rn);
    sc_stage_try(rn, false);
    sc_trigger_event(rn, &edges);
    sc_milestone_event(rn);
    sc_guard_decide(rn);
    rn->st->behind = NULL;
}

/* Let an event through that waited for its turn: it stands at its own time. */
static void let_through(struct sc_run *rn, const struct sc_event *ev)
{
    if (rn->jo->tx->events[ev->type].role == SC_ROLE_FORGET) {
        sc_owner_erase(rn->jo, rn->st, ev, rn->now, ev->occurred_ms, rn->fx);
        return;
    }
    int64_t decision_ms = rn->now->event_clock ? ev->occurred_ms : rn->now->append_ms;
    sc_run_at(rn, ev, ev->occurred_ms, decision_ms);
    apply(rn, false);
}

/* False: a copy. A clash goes on under a new id. */
static bool dedupe(struct sc_run *rn, const struct sc_event **ev)
{
    if (rn->now->deduped)
        return true;
    struct sc_step_counts *counts = &rn->fx->counts;
    uint32_t evicted = 0;
    enum sc_dedupe seen = sc_dedupe(rn->st, (*ev)->id_hash, (*ev)->content_hash,
                                    rn->now->append_ms, &evicted);
    counts->dedupe_evicted += evicted;
    if (seen == SC_DEDUPE_CLASH) {
        struct sc_event *renamed = sc_arena_alloc(rn->fx->ar, sizeof(*renamed));
        *renamed = **ev;
        sc_event_rename(renamed, rn->fx->ar);
        *ev = renamed;
        counts->clashes++;
        seen = sc_dedupe(rn->st, renamed->id_hash, renamed->content_hash, rn->now->append_ms,
                         &evicted);
    }
    counts->duplicates += seen == SC_DEDUPE_COPY;
    return seen != SC_DEDUPE_COPY;
}

/* What waits has its bounds, and two customers' may be more than one may. */
static void bound_waiting(struct sc_run *rn)
{
    while (rn->st->kind == SC_STATE_ROOT && sc_reorder_over(rn->st)) {
        rn->fx->counts.reorder_early++;
        let_through(rn, sc_reorder_take(rn->st, INT64_MAX));
    }
}

static void arrive(const struct sc_journey *jo, struct sc_state *st, const struct sc_input *in,
                   struct sc_effects *fx)
{
    const struct sc_event *ev = in->rec->ev;
    SC_ASSERT(ev != NULL && ev->n_ids > 0);
    struct sc_run rn;
    sc_run_init(&rn, jo, st, &in->now, fx);
    if (!dedupe(&rn, &ev))
        return;
    st->dirty = true;
    bool late = sc_moment_late(jo, &in->now, ev->occurred_ms);
    if (jo->reorder_ms > 0 && !in->now.ordered && !late) {
        sc_reorder_wait(st, ev);
        if (!sc_reorder_over(st))
            return;
        bound_waiting(&rn);
    } else if (passes_by(jo, st, ev)) {
        pass_by(&rn, ev, late);
    } else if (jo->tx->events[ev->type].role == SC_ROLE_FORGET) {
        sc_owner_erase(jo, st, ev, &in->now, ev->occurred_ms, fx);
        return;
    } else {
        sc_run_at(&rn, ev, ev->occurred_ms, sc_decision_ms(&in->now, ev->occurred_ms));
        if (rn.fire_ms < in->now.watermark_ms)
            rn.fire_ms = in->now.watermark_ms;
        apply(&rn, late);
    }
    sc_timer_forget(&rn);
}

/* ---- time */

static void release(struct sc_run *rn, const struct sc_timer *tm)
{
    const struct sc_prog *unless = rn->jo->triggers[tm->rule].unless;
    if (unless && sc_trace_holds(rn, "unless", unless))
        sc_guard_cancel(rn, tm, SC_STR_NULL);
    else
        SC_VEC_PUSH(rn->fx->ar, &rn->due, *tm);
}

static void fire(struct sc_run *rn, const struct sc_timer *tm)
{
    SC_ASSERT(tm->due_ms == rn->at_ms);
    rn->events = tm->events;
    rn->n_events = tm->n_events;
    rn->fx->counts.timers_fired++;
    switch ((enum sc_timer_kind)tm->kind) {
    case SC_TIMER_SILENCE:
        sc_trigger_silence(rn, tm);
        return;
    case SC_TIMER_LAPSE:
        sc_stage_lapse(rn, tm->rule);
        return;
    case SC_TIMER_OVERDUE:
        sc_milestone_overdue(rn, tm->rule);
        return;
    case SC_TIMER_DEFERRED:
        release(rn, tm);
        return;
    case SC_TIMER_RIVAL:
        sc_rivals_meet(rn, tm);
        return;
    case SC_TIMER_SENT:
    case SC_TIMER_MOMENT:
        break;
    }
    SC_UNREACHABLE("this kind wakes nobody");
}

static void trace_timer(struct sc_run *rn, const struct sc_timer *tm)
{
    if (rn->fx->trace == NULL)
        return;
    bool stage = tm->kind == SC_TIMER_LAPSE || tm->kind == SC_TIMER_OVERDUE;
    struct sc_str name = stage ? rn->jo->stages[tm->rule].name : rn->jo->triggers[tm->rule].name;
    SC_VEC_PUSH(rn->fx->ar, &rn->fx->trace->lines,
                sc_str_printf(rn->fx->ar, "[%s] timer %.*s",
                              sc_trace_time(rn->fx->ar, tm->due_ms), SC_STR_FMT(name)));
}

/* Timers of the instant `due_ms`: one, or where messages compete all of it. Returns how many. */
static uint32_t fire_instant(struct sc_run *rn, int64_t due_ms, uint32_t max)
{
    SC_ASSERT(max > 0);
    bool tagged;
    int64_t decision_ms = sc_decision_timer_ms(rn->now, due_ms, &tagged);
    sc_run_at(rn, NULL, due_ms, decision_ms);
    rn->tagged_late = tagged;
    sc_stage_config(rn);
    bool compete = rn->jo->guard.arbitration_ms >= 0;
    uint32_t n = 0;
    int at;
    while (n < max && (n == 0 || compete) && (at = sc_timer_first(rn->st, due_ms)) >= 0) {
        struct sc_timer tm = rn->st->timers.v[at];
        SC_ASSERT(tm.due_ms == due_ms);
        sc_timer_drop(rn->st, (uint32_t)at);
        trace_timer(rn, &tm);
        fire(rn, &tm);
        n++;
    }
    sc_guard_decide(rn);
    return n;
}

/* Timers and waiting events in one order of time, a timer before an event of the same instant. */
static void timers(const struct sc_journey *jo, struct sc_state *st, const struct sc_input *in,
                   struct sc_effects *fx)
{
    if (in->now.watermark_ms == SC_NEVER || st->kind != SC_STATE_ROOT)
        return;
    int64_t limit_ms = in->now.watermark_ms - (in->now.ordered ? 0 : jo->reorder_ms);
    struct sc_run rn;
    sc_run_init(&rn, jo, st, &in->now, fx);
    uint32_t done = 0;
    while (done < in->timers_max && st->kind == SC_STATE_ROOT) {
        int at = sc_timer_first(st, limit_ms);
        int64_t until_ms = at >= 0 ? st->timers.v[at].due_ms - 1 : limit_ms;
        const struct sc_event *ev = sc_reorder_take(st, until_ms);
        if (ev == NULL && at < 0)
            break;
        st->dirty = true;
        if (ev) {
            let_through(&rn, ev);
            done++;
        } else {
            done += fire_instant(&rn, st->timers.v[at].due_ms, in->timers_max - done);
        }
    }
    if (done > 0 && st->kind == SC_STATE_ROOT)
        sc_timer_forget(&rn);
}

/* ---- merges */

/* Of a merge that no event causes: of its events, or of the first that waits when all still do. */
static int64_t last_known_ms(const struct sc_state *st)
{
    SC_ASSERT(st->n_events > 0 || st->waiting.n > 0);
    return st->n_events > 0 ? st->last_ms : st->waiting.v[0].ms;
}

void sc_step_merged(const struct sc_journey *jo, struct sc_state *st, const struct sc_merged *mg,
                    const struct sc_moment *now, struct sc_effects *fx)
{
    SC_ASSERT(st->kind == SC_STATE_ROOT);
    const struct sc_event *ev = mg->ev;
    int64_t at_ms = ev ? ev->occurred_ms : last_known_ms(st);
    struct sc_run rn;
    sc_run_init(&rn, jo, st, now, fx);
    sc_run_at(&rn, NULL, at_ms, sc_decision_ms(now, at_ms));
    rn.events = ev ? &ev->id : NULL;
    rn.n_events = ev ? 1 : 0;
    sc_trace_merged(fx, at_ms);
    sc_stage_config(&rn);
    sc_stage_merged(&rn, mg);
    sc_trigger_merged(&rn);
    for (uint32_t t = 0; t < jo->n_tracks; t++)
        if (st->place[t].stage_ms != SC_NEVER)
            sc_stage_arm(&rn, t);
    if (!sc_moment_late(jo, now, at_ms)) { /* else it joins, and no rule is tried (12b) */
        sc_stage_try(&rn, true);
        sc_milestone_merged(&rn);
    }
    sc_guard_decide(&rn);
    SC_ASSERT(rn.due.n == 0);
    bound_waiting(&rn);
    if (st->kind == SC_STATE_ROOT)
        sc_timer_forget(&rn); /* both sides' timers were united */
}

/* ---- the step */

/* Is what stands in front of a stored state enough? */
static bool front_does(const struct sc_journey *jo, const struct sc_state *st,
                       const struct sc_input *in)
{
    const struct sc_unread *u = st->unread;
    const struct sc_record *rec = in->rec;
    if (u->timed)
        return false;
    if (in->kind == SC_IN_TIMERS)
        return true; /* there is none to fire */
    if (rec->kind != SC_REC_EVENT || rec->n_links > 0 || st->kind != SC_STATE_ROOT ||
        jo->reorder_ms > 0 || !passes_by(jo, st, rec->ev))
        return false;
    int64_t at_ms = rec->ev->occurred_ms, last_ms = at_ms > st->last_ms ? at_ms : st->last_ms;
    return sc_state_base(1, last_ms) == u->base_ms; /* else its times are to be written anew */
}

void sc_journey_step(const struct sc_journey *jo, struct sc_state *st, const struct sc_input *in,
                     struct sc_effects *fx)
{
    SC_ASSERT(jo != NULL && st != NULL && in != NULL && fx != NULL);
    uint32_t from = fx->items.n;
    if (!sc_state_is_whole(st) && !front_does(jo, st, in))
        sc_state_whole(st);
    switch (in->kind) {
    case SC_IN_RECORD:
        SC_ASSERT(in->rec != NULL && sc_node_eq(&in->rec->to, &st->node));
        if (sc_owner_handle(jo, st, in, fx))
            arrive(jo, st, in, fx);
        break;
    case SC_IN_TIMERS:
        timers(jo, st, in, fx);
        break;
    }
    sc_analytics_effects(jo, st, from, fx);
    if (st->dirty)
        sc_state_due(jo, st);
}
