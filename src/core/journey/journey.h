/* A journey compiled: stages, triggers, guardrails, and an index by event that says what an event
 * can touch, so that cost follows what a rule reads, not how many rules there are.
 * Loaded once, then read-only, any thread. Language: journey-language section 2. */
#ifndef SC_CORE_JOURNEY_H
#define SC_CORE_JOURNEY_H

#include "core/rule/rule.h"

struct sc_analytics_plan;

#define SC_STAGES_MAX 64 /* of all tracks */
#define SC_TRACKS_MAX 8
#define SC_TRIGGERS_MAX 4096
#define SC_CHANNELS_MAX 32
#define SC_CAPS_MAX 64
#define SC_MILESTONES_MAX 256
#define SC_PERSONAS_MAX 64
#define SC_TAGS_MAX 64
#define SC_ARMS_MAX 32
#define SC_EXPERIMENTS_MAX 256

/* An event that ends a silence: `order_completed where event.total > 0.0`. */
struct sc_exit {
    uint16_t event;
    const struct sc_prog *where; /* NULL: every such event */
};

/* Stages walked beside those of other tracks: a customer is in one stage of each. The first track
 * is the main one: `stages:`, or where that is left out the first of `tracks:`. */
struct sc_track {
    struct sc_str name;      /* empty: that of `stages:` */
    uint32_t hash;
    uint16_t first, n;       /* its stages in jo->stages: they stand together */
    uint16_t initial;        /* index into jo->stages */
    uint64_t stages;         /* they as bits */
    struct sc_node *at;
};

struct sc_stage {
    struct sc_str name;
    uint32_t hash;              /* sc_hash_name(name): how stored states name it */
    uint8_t track;
    bool initial;
    const struct sc_prog *when; /* NULL when entered by silence or initial only */
    uint64_t from;              /* bit s: enterable from stage s */
    bool has_from;              /* no `from`: all earlier ones of the track, and its lapses */
    int64_t after_ms;           /* > 0: a lapse: entered by this much silence of `without` */
    struct sc_exit *without;
    uint32_t n_without;
    int64_t target_ms;          /* time-to-value target in this stage, 0 none */
    struct sc_node *at;
};

struct sc_named_prog {
    struct sc_str name;
    uint32_t hash;
    const struct sc_prog *prog;
    struct sc_node *at;
};

struct sc_milestone {
    struct sc_str name;
    uint32_t hash;
    const struct sc_prog *when;
    int32_t ladder_fact; /* rule.h: the time can be corrected; -1: it cannot */
    uint32_t ladder_n;   /* 1..64 */
    bool overdue;        /* the built-in milestone `overdue:<stage>` of a stage's target */
    int16_t stage;       /* overdue: that stage's index, else -1 */
    struct sc_node *at;
};

/* An experiment: the same for all triggers that name it. Its name is the salt of its draws. */
struct sc_arm {
    struct sc_str name;
    uint32_t until; /* has the draws from the arm before it up to here, of 10,000 */
};
#define SC_ARM_NONE (-1)     /* an experiment without arms: everybody not held out */
#define SC_ARM_HELD_OUT (-2)
struct sc_experiment {
    struct sc_str name;
    int32_t holdout_bp; /* held out, of 10,000 */
    struct sc_arm *arms;
    uint32_t n_arms;
    struct sc_node *at;
};
/* What a trigger makes of an arm. */
struct sc_variant {
    struct sc_str message; /* empty: the trigger's own */
    bool silent;           /* nothing is sent */
};

enum sc_reentry { SC_REENTRY_ALWAYS, SC_REENTRY_ONCE, SC_REENTRY_AFTER_EXIT };

struct sc_trigger {
    struct sc_str name;
    uint32_t hash;
    const struct sc_prog *start;  /* `when` or `start`: what makes an occurrence */
    bool edge;                    /* reads facts alone: fires when false before and true after */
    int64_t after_ms;             /* > 0: silence of `without` after the start */
    struct sc_exit *without;
    uint32_t n_without;
    const struct sc_prog *unless; /* true: an exit at once; NULL none */
    const struct sc_prog *key;    /* NULL: none */
    struct sc_strs purposes;      /* none: consent is not asked */
    bool service;                 /* purpose: service */
    uint8_t *channels;            /* channel indices in order of preference */
    uint32_t n_channels;
    uint64_t tags; /* bit t: has tag t, by which caps name it */
    struct sc_str message;
    struct sc_named_prog *context;
    uint32_t n_context;
    int64_t cooldown_ms, expires_ms; /* 0: none */
    int64_t priority;                /* 0..100, 50 unless set */
    int32_t reentry;                 /* enum sc_reentry */
    int16_t experiment;              /* index, -1 none */
    struct sc_variant *variants;     /* one an arm */
    bool ignores_caps, counts_toward_caps;
    struct sc_node *at;
};

struct sc_channel {
    struct sc_str name, topic;
    uint32_t hash;
    int32_t format;     /* enum sc_format */
    uint64_t stages;    /* bit s: allowed in stage s; all ones unless set */
    uint64_t personas;  /* bit p: for those of persona p; all ones: for everybody */
    int64_t window_ms;  /* free form only this long after an inbound message; 0: no such rule */
    struct sc_node *at;
};

struct sc_cap {
    uint32_t channels;  /* bit c; all ones: every channel */
    uint64_t stages;    /* customers in these stages; all ones: every stage */
    uint64_t tags;      /* triggers with one of these tags; all ones: every trigger */
    int64_t max;
    int64_t per_ms;     /* rolling */
    int32_t calendar;   /* enum sc_calendar */
    struct sc_zone_ref zone;
    struct sc_str text; /* as printed by gates: "sms 4 per 30d" */
    struct sc_node *at;
};

struct sc_fatigue_add {
    int32_t event;   /* event index, or -1 */
    int32_t trigger; /* trigger index, -1 none, -2: every trigger */
    double points;
};

struct sc_guardrails {
    struct sc_cap *caps;
    uint32_t n_caps;
    bool quiet;
    int32_t quiet_from_min, quiet_to_min; /* minutes of the local day; from > to wraps midnight */
    struct sc_zone_ref quiet_zone;
    const struct sc_tz *otherwise; /* last of the zone chain, NULL: unknown zone fails closed */
    bool quiet_suppress;           /* then: suppress rather than defer */
    bool fatigue;
    int64_t half_life_ms;
    struct sc_fatigue_add *adds;
    uint32_t n_adds;
    double pause_at, resume_at;
    const struct sc_prog **hold_while;
    uint32_t n_hold_while;
    bool hold_ambiguous;
    int64_t arbitration_ms; /* -1: none */
};

/* Rules that one text property must have one value for: found by the value, however many they are. */
struct sc_keyed {
    uint64_t key; /* of property and value; ascending, then by element */
    uint16_t element;
};
struct sc_by_value {
    struct sc_keyed *v;
    uint32_t n;
    uint16_t *props; /* that rules go by */
    uint32_t n_props;
};

/* What one event type can touch. All lists ascend. */
struct sc_event_index {
    uint16_t *facts;      /* facts this event feeds */
    uint16_t *starts;     /* triggers whose `start` may hold by it (occurrences) */
    uint16_t *edges;      /* edge triggers reading a fact it feeds */
    struct sc_by_value facts_by, starts_by, edges_by; /* more of them, where a value is asked for */
    uint16_t *exits;      /* triggers with it in `without` */
    uint16_t *unless;     /* triggers with an `unless` that may change by it */
    uint16_t *stages;     /* stages whose `when` may hold by it */
    uint16_t *lapses;     /* lapse stages whose silence it ends (restarts) */
    uint16_t *milestones; /* milestones reading a fact it feeds */
    uint16_t *cases_open, *cases_close;
    uint32_t n_facts, n_starts, n_edges, n_exits, n_unless, n_stages, n_lapses, n_milestones,
        n_cases_open, n_cases_close;
    double fatigue;
    bool ring;  /* kept among the recent touchpoints */
    bool asked; /* something above, or its role, or a second track makes it more than one more event */
};

/* A table's elements by the hash that stands in stored states. */
struct sc_code {
    uint32_t hash;
    uint16_t element;
};

struct sc_fact_plan;
struct sc_state;

struct sc_journey {
    struct sc_str name;
    uint32_t hash;       /* of the name */
    uint64_t config_hash; /* of both files' text: stands in seals */
    struct sc_taxonomy *tx;
    struct sc_fact *facts;  /* every aggregate the rules name */
    uint32_t n_facts;
    const struct sc_fact_plan *plans; /* one a fact: how its state is kept (facts.h) */
    const struct sc_code *fact_codes, *trigger_codes; /* one a fact, a trigger; ascending */
    struct sc_named_expr *named; /* facts: of the file */
    uint32_t n_named;
    struct sc_stage *stages;
    uint32_t n_stages;
    struct sc_track *tracks; /* at least one; n_tracks <= SC_TRACKS_MAX */
    uint32_t n_tracks;
    struct sc_named_prog *personas; /* the first that holds */
    uint32_t n_personas;
    struct sc_milestone *milestones;
    uint32_t n_milestones;
    struct sc_trigger *triggers;
    uint32_t n_triggers;
    struct sc_channel *channels;
    uint32_t n_channels;
    struct sc_experiment *experiments;
    uint32_t n_experiments;
    int16_t holdout;     /* the experiment of the global `holdout`, -1 none */
    struct sc_str *tags; /* of triggers, in order of appearance */
    uint32_t n_tags;
    struct sc_guardrails guard;
    struct sc_event_index *by_event; /* one an event type */
    struct sc_wanted wanted;
    uint32_t ring_max;      /* touchpoints kept: largest n of recent(), at most 64 */
    int64_t ledger_keep_ms; /* how long sent messages matter to some cap, cooldown, frequency */
    int64_t lateness_ms, reorder_ms;
    struct sc_node *tests;  /* seq or NULL */
    const struct sc_analytics_plan *analytics; /* what is measured how */
    bool analyse;           /* measure: set by the caller after loading, before the first step */
    const struct sc_state *blank; /* of a customer never seen (state.c) */
    struct sc_scope scope;  /* owns patterns and zones: sc_journey_fini gives them back */

    /* Zones of customers by IANA name, from a table the caller keeps (loading one is file I/O, so
     * not core's). NULL function or NULL answer: the zone is unknown. Any thread. */
    const struct sc_tz *(*zone)(void *arg, struct sc_str name);
    void *zone_arg;
};

/* Compile. The taxonomy is loaded already. False when it added errors to `dg`. */
bool sc_journey_load(struct sc_journey *jo, struct sc_taxonomy *tx, const struct sc_node *doc,
                     struct sc_arena *ar, struct sc_diag *dg);
void sc_journey_fini(struct sc_journey *jo);
int sc_journey_stage(const struct sc_journey *jo, uint32_t hash);
int sc_journey_trigger(const struct sc_journey *jo, uint32_t hash);
int sc_journey_fact(const struct sc_journey *jo, uint32_t hash); /* of its plan */

extern const struct sc_table sc_journey_table;

#endif
