/* The stage: one place changes it (semantics 21).
 *
 * Each track has one, and moves by itself: at most one stage of each is entered an event, the main
 * track first, so that a later one's rules see where an earlier one has gone.
 *
 * Three causes: a rule after an event, a lapse after silence, a rule once after a merge. Entering a
 * stage arms its target and the lapses that lead out of it; events of a lapse's `without` restart
 * its silence, which begins at the later of the entry and the last such event. */
#include "core/journey/run.h"

#include "base/assert.h"

bool sc_stage_is_lapse(const struct sc_journey *jo, int stage)
{
    SC_ASSERT(stage >= 0 && (uint32_t)stage < jo->n_stages);
    return jo->stages[stage].after_ms > 0;
}

static struct sc_place *place_of(struct sc_run *rn, int stage)
{
    SC_ASSERT(stage >= 0 && (uint32_t)stage < rn->jo->n_stages);
    uint8_t track = rn->jo->stages[stage].track;
    SC_ASSERT(track < rn->jo->n_tracks);
    return &rn->st->place[track];
}

/* `from` holds the current stage; without one: all earlier, and all lapses, which have no rank. */
static bool enterable(const struct sc_journey *jo, int from, int to)
{
    SC_ASSERT(jo->stages[from].track == jo->stages[to].track);
    if (from == to)
        return false;
    const struct sc_stage *stage = &jo->stages[to];
    if (stage->has_from)
        return stage->from >> from & 1;
    return sc_stage_is_lapse(jo, from) || from < to;
}

static bool went_back(const struct sc_journey *jo, const struct sc_place *pl, int to)
{
    if (sc_stage_is_lapse(jo, to))
        return true;
    int from = sc_stage_is_lapse(jo, pl->stage) ? pl->lapsed_from : pl->stage;
    return to < from;
}

static void enter(struct sc_run *rn, int to, enum sc_cause cause)
{
    const struct sc_journey *jo = rn->jo;
    struct sc_place *pl = place_of(rn, to);
    SC_ASSERT(to != pl->stage);
    int16_t from = pl->stage;
    int64_t in_stage_ms = pl->stage_ms < rn->at_ms ? rn->at_ms - pl->stage_ms : 0;
    bool back = went_back(jo, pl, to);
    bool lapse = sc_stage_is_lapse(jo, to);
    pl->lapse_void = -1;
    pl->lapse_void_ms = SC_NEVER;
    pl->lapsed_from = lapse ? from : -1;
    pl->lapsed_from_ms = pl->stage_ms;
    pl->stage = (int16_t)to;
    pl->stage_ms = rn->at_ms;
    if (!lapse && to > pl->furthest)
        pl->furthest = (int16_t)to;
    struct sc_effect *fx = sc_effect_add(rn, SC_FX_TRANSITION, jo->stages[to].name);
    fx->from = from;
    fx->to = (int16_t)to;
    fx->cause = (uint8_t)cause;
    fx->in_stage_ms = in_stage_ms;
    fx->back = back;
    sc_experiment_tell(rn, fx);
    if (jo->stages[to].when)
        sc_effect_facts(rn, fx, jo->stages[to].when);
    sc_trace(rn->fx, "stage", jo->stages[from].name, sc_cause_name(cause), "to %.*s",
             SC_STR_FMT(jo->stages[to].name));
    sc_stage_arm(rn, jo->stages[to].track);
}

static void config(struct sc_run *rn, uint32_t track)
{
    struct sc_place *pl = &rn->st->place[track];
    SC_ASSERT(pl->stage >= 0 && (uint32_t)pl->stage < rn->jo->n_stages);
    struct sc_effect *fx = sc_effect_add(rn, SC_FX_TRANSITION, rn->jo->stages[pl->stage].name);
    fx->to = pl->stage;
    fx->cause = SC_CAUSE_CONFIG;
    fx->in_stage_ms = pl->stage_ms < rn->at_ms ? rn->at_ms - pl->stage_ms : 0;
    fx->back = true; /* the nearest earlier one */
    sc_experiment_tell(rn, fx);
    pl->stage_unknown = 0;
    pl->stage_ms = rn->at_ms;
    sc_stage_arm(rn, track);
}

void sc_stage_config(struct sc_run *rn)
{
    SC_ASSERT(rn->jo->n_tracks <= SC_TRACKS_MAX);
    for (uint32_t t = 0; t < rn->jo->n_tracks; t++)
        if (rn->st->place[t].stage_unknown != 0)
            config(rn, t);
}

static void joined(struct sc_run *rn, const struct sc_place *was, const struct sc_place *is)
{
    const struct sc_journey *jo = rn->jo;
    SC_ASSERT(is->stage != was->stage);
    struct sc_effect *fx = sc_effect_add(rn, SC_FX_TRANSITION, jo->stages[is->stage].name);
    fx->from = was->stage;
    fx->to = is->stage;
    fx->cause = SC_CAUSE_MERGE;
    fx->joined = true;
    if (was->stage_ms < rn->at_ms)
        fx->in_stage_ms = rn->at_ms - was->stage_ms;
    fx->back = went_back(jo, was, is->stage);
    sc_experiment_tell(rn, fx);
}

/* Whoever had been in no stage, as an identifier that is new, has left none: he stands where the
 * customer he came to stands, and nothing is told. */
void sc_stage_merged(struct sc_run *rn, const struct sc_merged *mg)
{
    SC_ASSERT(rn->jo->n_tracks <= SC_TRACKS_MAX);
    for (uint32_t t = 0; t < rn->jo->n_tracks; t++) {
        const struct sc_place *was = &mg->place[t], *is = &rn->st->place[t];
        if (was->stage_ms != SC_NEVER && was->stage != is->stage)
            joined(rn, was, is);
    }
}

static bool try_one(struct sc_run *rn, uint32_t s)
{
    const struct sc_stage *stage = &rn->jo->stages[s];
    if (stage->when == NULL || !enterable(rn->jo, place_of(rn, (int)s)->stage, (int)s))
        return false;
    if (!sc_trace_holds(rn, "stage", stage->when))
        return false;
    enter(rn, (int)s, rn->ev ? SC_CAUSE_RULE : SC_CAUSE_MERGE);
    return true;
}

static void try_all(struct sc_run *rn, const struct sc_track *track)
{
    for (uint32_t s = track->first + track->n; s-- > track->first;)
        if (try_one(rn, s))
            return;
}

static void try_event(struct sc_run *rn, uint32_t track)
{
    const struct sc_event_index *ix = &rn->jo->by_event[rn->ev->type];
    for (uint32_t i = ix->n_stages; i-- > 0;) /* ascending lists: the furthest first */
        if (rn->jo->stages[ix->stages[i]].track == track && try_one(rn, ix->stages[i]))
            return;
}

void sc_stage_try(struct sc_run *rn, bool all)
{
    SC_ASSERT(all || rn->ev);
    for (uint32_t t = 0; t < rn->jo->n_tracks; t++) {
        if (rn->st->place[t].stage_ms == SC_NEVER)
            continue; /* not begun: known by late events alone */
        if (all)
            try_all(rn, &rn->jo->tracks[t]);
        else
            try_event(rn, t);
    }
}

/* ---- timers of the stage */

struct timers { /* as they were before the stage's are armed anew */
    const struct sc_timer *v;
    uint32_t n;
};

/* Behind it stand the events of the timer that waited since the same instant, where one did (a
 * merge arms anew what either side armed), else what happens now. */
static void arm(struct sc_run *rn, struct sc_timer *tm, const struct timers *before)
{
    SC_ASSERT(tm->due_ms > tm->start_ms);
    struct sc_arena *ar = rn->st->ar;
    tm->expires_ms = SC_NO_DUE;
    for (uint32_t i = 0; i < before->n && tm->events == NULL; i++) {
        const struct sc_timer *was = &before->v[i];
        if (was->kind != tm->kind || was->rule != tm->rule || was->start_ms != tm->start_ms)
            continue;
        tm->events = was->events;
        tm->n_events = was->n_events;
    }
    if (tm->events == NULL) {
        tm->events = SC_NEW_N(ar, struct sc_str, rn->n_events + 1);
        for (uint32_t i = 0; i < rn->n_events; i++)
            tm->events[i] = sc_str_dup(ar, rn->events[i]);
        tm->n_events = rn->n_events;
    }
    sc_timer_add(rn->st, tm);
    sc_trace(rn->fx, "timer", rn->jo->stages[tm->rule].name, NULL, "due %s",
             sc_trace_time(rn->fx->ar, tm->due_ms));
}

/* Does the lapse lead out of where the customer stands? */
static bool leads(const struct sc_journey *jo, const struct sc_place *pl, uint16_t lapse)
{
    const struct sc_stage *stage = &jo->stages[lapse];
    SC_ASSERT(stage->after_ms > 0);
    if (pl->stage == lapse)
        return false;
    return stage->has_from ? stage->from >> pl->stage & 1 : !sc_stage_is_lapse(jo, pl->stage);
}

static void arm_lapse(struct sc_run *rn, uint16_t s, const struct timers *before)
{
    const struct sc_place *pl = place_of(rn, s);
    const struct sc_stage *stage = &rn->jo->stages[s];
    if (stage->after_ms == 0 || !leads(rn->jo, pl, s))
        return;
    int64_t last = sc_breaks_last(rn->st, SC_TIMER_LAPSE, s, 0);
    struct sc_timer tm = {.kind = SC_TIMER_LAPSE, .rule = s};
    tm.start_ms = last > pl->stage_ms ? last : pl->stage_ms;
    tm.due_ms = tm.start_ms + stage->after_ms;
    arm(rn, &tm, before);
}

static void arm_target(struct sc_run *rn, const struct sc_place *pl, const struct timers *before)
{
    const struct sc_stage *stage = &rn->jo->stages[pl->stage];
    if (stage->target_ms == 0)
        return;
    struct sc_timer tm = {.kind = SC_TIMER_OVERDUE, .rule = (uint16_t)pl->stage,
                          .start_ms = pl->stage_ms};
    tm.due_ms = tm.start_ms + stage->target_ms;
    arm(rn, &tm, before);
}

static void drop_timers(struct sc_run *rn, uint32_t track)
{
    struct sc_state *st = rn->st;
    for (uint32_t i = st->timers.n; i-- > 0;) {
        const struct sc_timer *tm = &st->timers.v[i];
        bool of_stage = tm->kind == SC_TIMER_LAPSE || tm->kind == SC_TIMER_OVERDUE;
        if (of_stage && rn->jo->stages[tm->rule].track == track)
            sc_timer_drop(st, i);
    }
}

void sc_stage_arm(struct sc_run *rn, uint32_t track)
{
    struct sc_state *st = rn->st;
    const struct sc_track *tk = &rn->jo->tracks[track];
    SC_ASSERT(st->place[track].stage_ms != SC_NEVER);
    struct sc_timer *v = SC_NEW_N(rn->fx->ar, struct sc_timer, st->timers.n);
    struct timers before = {v, st->timers.n};
    for (uint32_t i = 0; i < before.n; i++)
        v[i] = st->timers.v[i];
    drop_timers(rn, track);
    for (uint32_t s = tk->first; s < (uint32_t)tk->first + tk->n; s++)
        arm_lapse(rn, (uint16_t)s, &before);
    arm_target(rn, &st->place[track], &before);
}

static struct sc_timer *lapse_timer(struct sc_state *st, uint16_t s)
{
    for (uint32_t i = 0; i < st->timers.n; i++)
        if (st->timers.v[i].kind == SC_TIMER_LAPSE && st->timers.v[i].rule == s)
            return &st->timers.v[i];
    return NULL;
}

static bool names_event(struct sc_run *rn, const struct sc_stage *stage)
{
    for (uint32_t i = 0; i < stage->n_without; i++)
        if (stage->without[i].event == rn->ev->type &&
            (stage->without[i].where == NULL || sc_rule_holds(stage->without[i].where, &rn->cx)))
            return true;
    return false;
}

void sc_stage_restart(struct sc_run *rn)
{
    SC_ASSERT(rn->ev);
    const struct sc_event_index *ix = &rn->jo->by_event[rn->ev->type];
    for (uint32_t i = 0; i < ix->n_lapses; i++) {
        uint16_t s = ix->lapses[i];
        const struct sc_stage *stage = &rn->jo->stages[s];
        if (!names_event(rn, stage))
            continue;
        struct sc_break b = {.kind = SC_TIMER_LAPSE, .rule = s, .first_ms = rn->at_ms,
                             .last_ms = rn->at_ms, .exit_last = true};
        sc_breaks_add(rn->st, &b, stage->after_ms);
        struct sc_timer *tm = lapse_timer(rn->st, s);
        if (tm == NULL || tm->start_ms >= rn->at_ms || tm->due_ms <= rn->at_ms)
            continue; /* none, an older event, or a ripe one: it stays (semantics 14) */
        tm->start_ms = rn->at_ms;
        tm->due_ms = rn->at_ms + stage->after_ms;
        tm->events = SC_NEW(rn->st->ar, struct sc_str);
        tm->events[0] = sc_str_dup(rn->st->ar, rn->ev->id);
        tm->n_events = 1;
    }
}

/* A timer may come back with a journey that was taken back: where the customer has gone on since, by
 * the other journey's rules, it says nothing. */
void sc_stage_lapse(struct sc_run *rn, uint16_t stage)
{
    SC_ASSERT(rn->ev == NULL);
    const struct sc_place *pl = place_of(rn, stage);
    if (pl->stage_ms != SC_NEVER && leads(rn->jo, pl, stage))
        enter(rn, stage, SC_CAUSE_LAPSE);
}
