/* What a step decided. Effects are data: the engine publishes them, `simulate` prints them,
 * `explain` shows them. All memory is the batch's, and none of it is the state's that later steps
 * change: an effect may be read after them; only `records` are for at once. Fields and their order
 * on the wire: semantics 40, docs/formats.md. */
#ifndef SC_CORE_EFFECTS_H
#define SC_CORE_EFFECTS_H

#include "core/analytics/metric.h"
#include "core/journey/journey.h"
#include "core/journey/record.h"

enum sc_effect_type {
    SC_FX_TRIGGER, SC_FX_SUPPRESSED, SC_FX_DEFERRED, SC_FX_CANCELLED, SC_FX_TRANSITION,
    SC_FX_MILESTONE, SC_FX_MERGED,
    SC_FX_IDENTITY /* audit: link, attach, return, split, violation, erasure */
};

/* The final reason of a suppressed record: the first that holds, in this order (semantics 27). */
#define SC_REASON_TABLE(X)                                                                         \
    X(NONE, "")                                                                                    \
    X(LATE, "the event came later than `lateness` allows")                                         \
    X(EXPIRED, "the decision came after `expires`, it was put off for 7 days, or it was given "    \
               "up as the oldest of too many open ones")                                           \
    X(COOLDOWN, "the same trigger was sent within its cooldown")                                   \
    X(HOLDOUT, "the customer is held out, or its arm sends nothing")                               \
    X(CONSENT, "no consent for the purpose")                                                       \
    X(SNOOZED, "the customer asked for silence until later")                                       \
    X(AMBIGUOUS_IDENTITY, "it is not certain who the customer is")                                 \
    X(HOLD, "a hold_while condition holds")                                                        \
    X(FATIGUE, "too much happened to the customer lately")                                         \
    X(NO_CHANNEL, "no channel is allowed by stage, persona, preference and consent")               \
    X(CAP_REACHED, "a cap is used up on every channel")                                            \
    X(LOWER_PRIORITY, "a trigger of higher priority took the moment")                              \
    X(QUIET_HOURS, "it is night where the customer lives")
enum sc_reason {
#define SC_REASON_ENUM(name, text) SC_REASON_##name,
    SC_REASON_TABLE(SC_REASON_ENUM)
#undef SC_REASON_ENUM
        SC_REASON_COUNT
};
const char *sc_reason_name(enum sc_reason r);
const char *sc_reason_text(enum sc_reason r);

/* One gate's figures: every gate is evaluated, all are reported. */
struct sc_gate {
    enum sc_reason gate;
    bool passed;
    struct sc_str text; /* "sms 4 per 30d: 4 sent" */
    int16_t cap;        /* CAP_REACHED: index of the cap, -1: the customer's own frequency */
    int8_t channel;     /* CAP_REACHED: the channel it stands for, -1 */
};

/* Why a stage was entered. */
enum sc_cause { SC_CAUSE_RULE, SC_CAUSE_LAPSE, SC_CAUSE_MERGE, SC_CAUSE_CONFIG };
const char *sc_cause_name(enum sc_cause cause);

enum sc_identity_action {
    SC_ID_ATTACH,    /* an identifier never seen alone joined */
    SC_ID_MERGE, SC_ID_RETURN, SC_ID_SPLIT, SC_ID_VIOLATION, SC_ID_ERASE
};

struct sc_member;

struct sc_effect {
    uint8_t type;      /* enum sc_effect_type */
    int64_t at_ms;     /* decision time (semantics 8b) */
    int64_t event_ms;  /* event time of what caused it */
    struct sc_node_id customer;
    struct sc_str rule; /* trigger, milestone, stage entered; the pair of namespaces that joined */
    int16_t trigger;    /* index, -1 */
    const struct sc_str *events; /* ids behind it */
    uint32_t n_events;
    uint8_t id[16];     /* trigger, suppressed, deferred, cancelled */
    /* trigger */
    int8_t channel;     /* index, -1 */
    bool template_only; /* outside the channel's free-form window */
    int64_t expires_ms; /* SC_NO_DUE: never */
    struct sc_str context; /* JSON object, may be empty */
    struct sc_str key;
    struct sc_str traceparent;
    int16_t experiment; /* index, -1 none */
    int16_t arm;        /* index, SC_ARM_NONE, SC_ARM_HELD_OUT */
    /* suppressed, deferred */
    enum sc_reason reason;
    int64_t until_ms;
    const struct sc_gate *gates;
    uint32_t n_gates;
    /* transition */
    int16_t from, to;
    uint8_t cause;      /* enum sc_cause */
    int64_t in_stage_ms; /* time in the stage left */
    bool back;
    bool joined; /* taken over from the other side of a merge, in whose history it is counted */
    const int16_t *arms; /* transition, milestone: one an experiment; NULL: there are none */
    int16_t stage;      /* the customer's stage of the main track when decided, for all types */
    /* facts the rule saw */
    const struct sc_str *fact_names;
    const struct sc_value *fact_values;
    uint32_t n_facts;
    bool tagged_late;   /* a timer handled over 5 min after its deadline */
    /* merged, identity */
    uint8_t action;     /* enum sc_identity_action */
    uint8_t violation;  /* enum sc_violation */
    struct sc_node_id node;       /* loser, split node, attached node */
    struct sc_str by, why;        /* who asked for it by command; empty: it came of events */
    struct sc_link link;
    const struct sc_node_id *former; /* merged: every id the customer ever had */
    uint32_t n_former;
    const struct sc_member *members; /* merged: everybody, by group */
    uint32_t n_members;
};

/* What a step counts, by reason; the engine adds them to its metrics. */
struct sc_step_counts {
    uint64_t applied, duplicates, clashes, late, erased, forwarded, sent_back, dedupe_evicted,
        reorder_early, keys_evicted, timers_fired, links_refused, contexts_cut, large_customers;
};

struct sc_effects {
    struct sc_arena *ar;
    SC_VEC(struct sc_effect) items;
    SC_VEC(struct sc_record) records; /* for other owners (or this one): through the journal; some
                                         speak of the state, and are read before its next step */
    SC_VEC(struct sc_node_id) hints;  /* pairs child, parent: decided, to be written to Redis; a
                                         node beside itself: a root again */
    SC_VEC(struct sc_node_id) gone;   /* nodes whose customer line is withdrawn: yielded, erased */
    SC_VEC(struct sc_cell) deltas;    /* analytics, where `analyse` is on: to be added up */
    struct sc_step_counts counts;
    struct sc_trace *trace;           /* NULL: none. What explain and failing tests print */
};
void sc_effects_init(struct sc_effects *fx, struct sc_arena *ar);
/* Forget what one step gave, keep nothing (the arena is the caller's). */
void sc_effects_clear(struct sc_effects *fx);

/* One line of a trace: "rule", "timer", "guard", "stage", …: text made by the step. */
struct sc_trace {
    SC_VEC(struct sc_str) lines;
    bool reveal; /* properties marked pii as they are */
};

/* "trigger", "suppressed", …; "attach", "merge", …: as they stand in records. */
const char *sc_effect_type_name(enum sc_effect_type type);
const char *sc_identity_action_name(enum sc_identity_action action);
/* The effect as one JSON object, fields of semantics 40 and what docs/formats.md adds. */
void sc_effect_json(const struct sc_journey *jo, const struct sc_effect *fx, struct sc_buf *out);
/* The arm's name as records have it; "holdout", and "everyone" where there are no arms. */
struct sc_str sc_experiment_arm_name(const struct sc_experiment *ex, int arm);
/* The message to be sent: the arm's, else the trigger's. */
struct sc_str sc_effect_message(const struct sc_journey *jo, const struct sc_effect *fx);
/* hash(journey, trigger, customer, occurrence): semantics 18. */
void sc_trigger_id(const struct sc_journey *jo, uint16_t trigger, const struct sc_node_id *customer,
                   uint64_t start_id, struct sc_str key, uint8_t out[16]);

#endif
