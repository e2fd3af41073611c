/* The pure step: one input at one customer, effects out. No I/O, no clock, no allocation outside
 * the arenas of its arguments; two calls with equal arguments give equal bytes.
 *
 *   EVENT  dedupe → erased? → late? → facts, ring, cases, consents, preferences → stage → triggers
 *          (occurrences, edges, silences armed, moved, ended) → milestones → persona → guard
 *   TIMERS everything ripe at the watermark, in order of time: silences, lapses, targets, deferred
 *          messages, waiting events
 *   identity records: core/identity/owner.c
 *
 * Source: semantics.md; reliability.md "Identity", "Time". */
#ifndef SC_CORE_STEP_H
#define SC_CORE_STEP_H

#include "core/journey/effects.h"
#include "core/journey/state.h"

struct sc_moment {
    int64_t watermark_ms; /* SC_NEVER: not known yet: nothing is late, no timer fires */
    int64_t append_ms;    /* the journal's append time; files: same as the watermark */
    bool event_clock;     /* clock: event */
    bool deduped;         /* the caller has dropped copies already (simulate) */
    bool ordered;         /* the caller has put events in order already (simulate): no waiting, and
                             timers are ripe at their own time */
};

enum sc_input_kind { SC_IN_RECORD, SC_IN_TIMERS };
struct sc_input {
    enum sc_input_kind kind;
    struct sc_moment now;
    const struct sc_record *rec; /* RECORD: any kind but HEARTBEAT and TRAILER */
    uint32_t timers_max;         /* TIMERS: at most so many (the rest stays due) */
};

/* `st` is the record of node `in->rec->to` (or of the customer whose timers are due). Changes st,
 * appends to fx. Record's `to` must equal st->node. */
void sc_journey_step(const struct sc_journey *jo, struct sc_state *st, const struct sc_input *in,
                     struct sc_effects *fx);

/* Decision time of an event, and of a timer with this deadline (semantics 8b). */
int64_t sc_decision_ms(const struct sc_moment *now, int64_t event_ms);
int64_t sc_decision_timer_ms(const struct sc_moment *now, int64_t due_ms, bool *tagged);

/* ---- parts of the step, each in its own file; for each other, not for callers outside */

/* owner.c: LINK, STATE, RETURN, SPLIT, LEAVE, ERASE, and what of an EVENT is identity: its links,
 * aliases, generations. Returns true when the event is to be applied here now. */
bool sc_owner_handle(const struct sc_journey *jo, struct sc_state *st, const struct sc_input *in,
                     struct sc_effects *fx);
/* What was before a merge: the event behind it (NULL: none), and where the customer stood. */
struct sc_merged {
    const struct sc_event *ev;
    struct sc_place place[SC_TRACKS_MAX];
};
/* step.c: 10b: after a merge, rules are tried once at the time of its event. */
void sc_step_merged(const struct sc_journey *jo, struct sc_state *st, const struct sc_merged *mg,
                    const struct sc_moment *now, struct sc_effects *fx);
/* Resolve's side: where an event goes. `roots[i]` is what is known of the root of ev->ids[i].node
 * (the node itself when nothing is known). Fills rec (EVENT): home = root of the smallest node, a
 * link for each other root, `to` = the owner that decides first. */
void sc_route(const struct sc_event *ev, const struct sc_node_id *roots, struct sc_record *rec);
/* The owner that must handle the record next: the larger of the first link's roots, or home. */
struct sc_node_id sc_record_next(const struct sc_record *rec);

struct sc_rule_env; /* host.c: binds a state to expressions */
void sc_rule_bind(struct sc_rule_ctx *cx, const struct sc_journey *jo, const struct sc_state *st,
                  const struct sc_event *ev, int64_t now_ms, struct sc_arena *ar);

#endif
