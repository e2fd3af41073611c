/* Between the files of the step; private to core/journey and core/identity.
 *
 * A run is the handling of one instant at one customer: an event, a timer, or the one try after a
 * merge. It fixes event time and decision time, and collects the occurrences that became due, which
 * the guard then decides together. */
#ifndef SC_CORE_JOURNEY_RUN_H
#define SC_CORE_JOURNEY_RUN_H

#include "core/journey/step.h"

struct sc_run {
    const struct sc_journey *jo;
    struct sc_state *st;
    const struct sc_moment *now;
    struct sc_effects *fx;
    const struct sc_event *ev;    /* NULL: a timer */
    int64_t at_ms;                /* event time: facts are aged to it */
    int64_t fire_ms;              /* when a message that starts now fires: at_ms, but the watermark of
                                     an event that is behind it and did not wait (`reorder`) */
    int64_t decision_ms;          /* semantics 8b */
    bool tagged_late;
    const struct sc_str *events;  /* ids behind what happens now */
    uint32_t n_events;
    struct sc_rule_ctx cx;
    SC_VEC(struct sc_timer) due;  /* occurrences to decide, as their timers */
};

/* step.c */
bool sc_moment_late(const struct sc_journey *jo, const struct sc_moment *now, int64_t at_ms);
void sc_run_init(struct sc_run *rn, const struct sc_journey *jo, struct sc_state *st,
                 const struct sc_moment *now, struct sc_effects *fx);
/* The instant: event (may be NULL), its time, and the decision's. */
void sc_run_at(struct sc_run *rn, const struct sc_event *ev, int64_t at_ms, int64_t decision_ms);

/* effects.c: a new effect with what all types share. */
struct sc_effect *sc_effect_add(struct sc_run *rn, enum sc_effect_type type, struct sc_str rule);
/* The facts `prog` reads, by name or text, with their values now. */
void sc_effect_facts(struct sc_run *rn, struct sc_effect *fx, const struct sc_prog *prog);

/* pick.c: `always` and those of `by` whose value the event has, ascending. */
struct sc_picked {
    const uint16_t *v;
    uint32_t n;
};
struct sc_picked sc_pick_by(const uint16_t *always, uint32_t n, const struct sc_by_value *by,
                            const struct sc_event *ev, struct sc_arena *ar);
static inline struct sc_picked sc_pick(const uint16_t *always, uint32_t n,
                                       const struct sc_by_value *by, const struct sc_event *ev,
                                       struct sc_arena *ar)
{
    return by->n ? sc_pick_by(always, n, by, ev, ar) : (struct sc_picked){always, n};
}

/* stage.c */
bool sc_stage_is_lapse(const struct sc_journey *jo, int stage);
/* The merge's own law took the other side's stage: a transition like any other (21). */
void sc_stage_merged(struct sc_run *rn, const struct sc_merged *mg);
/* A stage that the journey has no more was left by its change: say so (cause `config`). */
void sc_stage_config(struct sc_run *rn);
/* Try the rules; at most one stage of each track is entered. `all`: every stage, not only those the
 * event moves. */
void sc_stage_try(struct sc_run *rn, bool all);
/* The event restarts the silences of lapses. */
void sc_stage_restart(struct sc_run *rn);
/* A lapse whose silence is over; a target that has passed. */
void sc_stage_lapse(struct sc_run *rn, uint16_t stage);
/* Lapse and target timers of the track, as stage, its time and the breaks say. */
void sc_stage_arm(struct sc_run *rn, uint32_t track);

/* trigger.c */
/* Edge triggers that the event may move, and which of them hold before its facts apply (bit i). */
struct sc_edges {
    struct sc_picked tried;
    uint64_t *held;
};
struct sc_edges sc_trigger_before(struct sc_run *rn);
void sc_trigger_event(struct sc_run *rn, const struct sc_edges *edges);
/* An event too late: one suppressed record for each trigger it would have started. */
void sc_trigger_late(struct sc_run *rn);
/* A silence is over: the occurrence goes to the guard unless `unless` holds. */
void sc_trigger_silence(struct sc_run *rn, const struct sc_timer *tm);
/* After a merge: pending and sent silences that the merged breaks end. */
void sc_trigger_merged(struct sc_run *rn);
/* May the trigger fire again (semantics 22)? */
bool sc_trigger_may_enter(const struct sc_run *rn, uint16_t t);

/* timer.c */
struct sc_timer *sc_timer_add(struct sc_state *st, const struct sc_timer *tm);
void sc_timer_drop(struct sc_state *st, uint32_t at);
/* Index of the timer due first at or before `limit_ms`, -1: none. Ties: kind, rule, key, start. */
int sc_timer_first(const struct sc_state *st, int64_t limit_ms);
/* The order of two starts, as `last` has it: by time, source, id (semantics 13). */
int sc_timer_order_starts(const struct sc_timer *a, const struct sc_timer *b);
/* Deadlines up to this one stand as they are: no event that is not late can change them. */
int64_t sc_timer_settled_ms(const struct sc_run *rn);
/* Give up what can no longer matter: sent triggers and breaks behind lateness. */
void sc_timer_forget(struct sc_run *rn);

/* rivals.c: `arbitration` over more than an instant. */
/* Is the message to wait for rivals before it is weighed? */
bool sc_rival_waits(const struct sc_run *rn, const struct sc_timer *tm);
void sc_rival_add(struct sc_run *rn, const struct sc_timer *tm);
/* When the window ends in which the waiting one is weighed, by all that is known now. */
int64_t sc_rival_end(const struct sc_run *rn, const struct sc_timer *tm);
/* The first of a window is due: it and its rivals go to the guard. */
void sc_rivals_meet(struct sc_run *rn, const struct sc_timer *first);
/* One of this instant's window took the moment. */
void sc_rival_won(struct sc_run *rn, uint16_t trigger);
/* Did it fire in a window whose moment is taken? */
bool sc_rival_lost(const struct sc_run *rn, const struct sc_timer *tm);
/* Highest priority, then order of declaration, then kind, due time, key, start: a total order. */
bool sc_rival_outranks(const struct sc_journey *jo, const struct sc_timer *a,
                       const struct sc_timer *b);

/* milestone.c */
void sc_milestone_event(struct sc_run *rn);
void sc_milestone_merged(struct sc_run *rn);
void sc_milestone_overdue(struct sc_run *rn, uint16_t stage);

/* guard.c: decide rn->due, and empty it. */
void sc_guard_decide(struct sc_run *rn);
/* An occurrence that will not be sent, for `reason`. */
void sc_guard_suppress(struct sc_run *rn, const struct sc_timer *tm, enum sc_reason reason,
                       const char *why);
/* A deferred or sent trigger taken back; `by`: the id of the event that did it, may be empty. */
void sc_guard_cancel(struct sc_run *rn, const struct sc_timer *tm, struct sc_str by);
struct sc_occurrence *sc_occurrence_of(struct sc_state *st, uint16_t trigger);

/* experiment.c */
/* Is a customer of this id among those held out (semantics 32)? */
bool sc_experiment_holds_out(const struct sc_experiment *ex, const struct sc_node_id *customer);
/* The customer's arm: an index, SC_ARM_NONE, SC_ARM_HELD_OUT. */
int sc_experiment_arm(const struct sc_experiment *ex, const struct sc_state *st);
/* The experiment that decides over the trigger's message, -1 none, and the customer's arm in it:
 * the global holdout where it holds the customer out, else the trigger's own. */
int16_t sc_experiment_of(const struct sc_journey *jo, const struct sc_trigger *tr,
                         const struct sc_state *st, int16_t *arm);
/* All experiments' arms, into a transition or milestone. */
void sc_experiment_tell(struct sc_run *rn, struct sc_effect *fx);

/* caps.c */
/* What `cap` says of a message of `trigger` on `channel` at the decision's time. `used`: slots in the
 * fullest window with it. */
enum sc_cap_word {
    SC_CAP_SILENT, /* it is about other channels, stages or tags */
    SC_CAP_ALLOWS,
    SC_CAP_REFUSES
};
enum sc_cap_word sc_cap_ask(const struct sc_run *rn, const struct sc_cap *cap, uint16_t trigger,
                            uint8_t channel, int64_t *used);
/* The customer's own frequency: marketing messages per 7 days. */
bool sc_cap_frequency(const struct sc_run *rn, int64_t *used);
void sc_cap_take(struct sc_run *rn, const struct sc_sent *sent);
/* The sent slot of this trigger and key nearest to `at_ms`, as a distance; SC_NO_DUE: none. */
int64_t sc_cap_since(const struct sc_state *st, uint16_t trigger, uint64_t key_hash,
                     int64_t at_ms);

/* quiet.c: is `at_ms` in the hours [from, to) of that zone (NULL: UTC)? Then when they end. */
bool sc_quiet_until(const struct sc_tz *tz, const struct sc_guardrails *g, int64_t at_ms,
                    int64_t *until_ms);

/* zone.c: the zone a reference means for this customer. False: unknown. */
bool sc_zone_of(const struct sc_journey *jo, const struct sc_state *st, struct sc_zone_ref ref,
                const struct sc_tz **tz);

/* When the local day, week or month of `ms` began (tz NULL: UTC). */
int64_t sc_calendar_start(int32_t calendar, const struct sc_tz *tz, int64_t ms);

/* consent.c: what a customer says of itself. */
void sc_consent_event(struct sc_run *rn);
enum sc_consent_status { SC_CONSENT_UNKNOWN, SC_CONSENT_GRANTED, SC_CONSENT_WITHDRAWN };
enum sc_consent_status sc_consent_of(const struct sc_state *st, struct sc_str purpose);
/* Was consent withdrawn for a channel by its name? */
bool sc_consent_closes(const struct sc_state *st, struct sc_str channel);

/* fatigue.c */
double sc_fatigue_at(const struct sc_journey *jo, const struct sc_state *st, int64_t at_ms);
void sc_fatigue_add(const struct sc_journey *jo, struct sc_state *st, double points,
                    int64_t at_ms);
/* Hysteresis: pauses at pause_at, resumes below resume_at. */
bool sc_fatigue_paused(const struct sc_journey *jo, struct sc_state *st, int64_t at_ms);

/* host.c: the persona the customer is, as an index; -1: none. */
int sc_persona_of(const struct sc_rule_ctx *cx);

/* trace.c: one line: part, what, result (may be NULL), detail by printf. Arguments are not even
 * evaluated when nobody traces; `fx` is twice when somebody does. */
#define sc_trace(fx, ...) ((fx)->trace ? sc_trace_line((fx), __VA_ARGS__) : (void)0)
void sc_trace_line(struct sc_effects *fx, const char *part, struct sc_str what, const char *result,
                   const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Heads what an event did. */
void sc_trace_event_line(struct sc_effects *fx, const struct sc_journey *jo,
                         const struct sc_event *ev);
static inline void sc_trace_event(struct sc_effects *fx, const struct sc_journey *jo,
                                  const struct sc_event *ev)
{
    if (fx->trace)
        sc_trace_event_line(fx, jo, ev);
}
/* Heads what rules see once after a merge. */
void sc_trace_merged(struct sc_effects *fx, int64_t at_ms);
/* Does the rule hold? Its parts and their values go to the trace, if there is one. */
bool sc_trace_rule(struct sc_run *rn, const char *part, const struct sc_prog *prog);
static inline bool sc_trace_holds(struct sc_run *rn, const char *part, const struct sc_prog *prog)
{
    return rn->fx->trace ? sc_trace_rule(rn, part, prog) : sc_rule_holds(prog, &rn->cx);
}
/* "2026-03-02 10:00", with seconds when they are not 0; from the arena. */
const char *sc_trace_time(struct sc_arena *ar, int64_t ms);

/* reorder.c: let an event wait for its turn. Then they may be too many, or too large: the oldest are
 * to be let through at once. */
void sc_reorder_wait(struct sc_state *st, const struct sc_event *ev);
bool sc_reorder_over(const struct sc_state *st);
/* The first waiting event at or before `limit_ms`, taken out; NULL: none. */
const struct sc_event *sc_reorder_take(struct sc_state *st, int64_t limit_ms);

/* core/identity/owner.c: forget the customer up to `erase_ms`, at its root. */
void sc_owner_erase(const struct sc_journey *jo, struct sc_state *st, const struct sc_event *ev,
                    const struct sc_moment *now, int64_t erase_ms, struct sc_effects *fx);

#endif
