/* Between the files that load a journey; private to this folder.
 *
 * Loading goes in two steps: the binder fills these plain structs from the document (load_table.c),
 * then each load_*.c checks one section and compiles it into struct sc_journey. Every section is
 * compiled even when another was wrong, so that one run finds all faults. */
#ifndef SC_CORE_JOURNEY_LOAD_H
#define SC_CORE_JOURNEY_LOAD_H

#include "core/journey/journey.h"

struct doc_stage {
    struct sc_str name;
    bool initial;
    struct sc_str when, after;
    struct sc_node *when_at, *after_at;
    struct sc_strs from;
    struct sc_node *from_at;
    int64_t target_ms;
    struct sc_node *at;
};

struct doc_track {
    struct sc_str name;
    struct sc_list stages;
    struct sc_node *at;
};

struct doc_arm {
    struct sc_str name, message;
    int64_t weight;
    bool send;
    struct sc_node *at;
};

struct doc_experiment {
    struct sc_str name;
    int32_t holdout_bp;
    struct sc_list arms;
    struct sc_node *name_at, *holdout_at;
};

struct doc_trigger {
    struct sc_str name;
    struct sc_str when, start, after, unless, key;
    struct sc_node *when_at, *start_at, *after_at, *unless_at, *key_at;
    struct sc_strs purpose, channels;
    struct sc_str message;
    struct sc_node *context;
    int64_t cooldown_ms, expires_ms, priority;
    int32_t reentry;
    struct doc_experiment experiment;
    struct sc_node *experiment_at;
    bool ignores_caps, counts_toward_caps;
    struct sc_node *ignores_caps_at, *counts_toward_caps_at;
    struct sc_strs tags;
    struct sc_node *at;
};

struct doc_channel {
    struct sc_str name, topic;
    int32_t format;
    struct sc_strs stages;
    struct sc_node *stages_at;
    int64_t window_ms;
    struct sc_node *window_at;
    struct sc_strs personas;
    struct sc_node *at;
};

struct doc_cap {
    struct sc_strs channels, stages;
    struct sc_node *stages_at;
    int64_t max, per_ms;
    struct sc_node *per_at;
    int32_t calendar; /* index into cap_calendars */
    struct sc_node *calendar_at;
    struct sc_str timezone;
    struct sc_node *timezone_at;
    struct sc_strs tags;
    struct sc_node *at;
};

struct doc_quiet {
    struct sc_str from, to, timezone, otherwise;
    struct sc_node *from_at, *to_at, *timezone_at, *otherwise_at;
    int32_t then; /* 0 defer, 1 suppress */
};

struct doc_fatigue {
    int64_t half_life_ms;
    struct sc_node *add;
    double pause_at, resume_at;
    struct sc_node *pause_node, *resume_node;
};

struct doc_guardrails {
    struct sc_list caps;
    struct doc_quiet quiet;
    struct sc_node *quiet_at;
    struct doc_fatigue fatigue;
    struct sc_node *fatigue_at;
    struct sc_strs hold_while;
    int32_t ambiguous; /* 0 hold, 1 allow */
    int64_t arbitration_ms;
    struct sc_node *arbitration_at;
};

struct doc_touch {
    struct sc_str event, topic;
    struct sc_node *topic_at, *at;
};

struct doc_score {
    struct sc_str event, score;
    struct sc_node *event_at, *score_at;
    int64_t satisfied; /* csat alone */
};

struct doc_analytics {
    struct sc_list contacts, answers;
    struct sc_strs escalations;
    struct doc_score nps, csat, ces;
};

struct doc_journey {
    struct sc_str name, taxonomy;
    struct sc_node *facts, *personas, *milestones, *tests;
    int32_t holdout_bp;
    struct sc_node *holdout_at;
    struct sc_list stages, tracks, triggers, channels;
    struct doc_guardrails guard;
    struct doc_analytics analytics;
    int64_t lateness_ms, reorder_ms;
};

/* Names past a limit, each counted once wherever it stands. */
struct load_past {
    struct sc_map names;
    struct sc_over over;
};

/* What is known while loading. */
struct load {
    struct sc_journey *jo;
    const struct doc_journey *doc;
    const struct sc_taxonomy *tx;
    struct sc_scope *sp; /* jo->scope */
    struct sc_arena *ar;
    struct sc_diag *dg;
    struct sc_str *stage_names;         /* of all tracks, one after the other */
    const struct doc_stage **stages;    /* likewise; none: one stage without a word */
    SC_VEC(struct sc_channel) channels; /* declared ones first, then those only triggers name */
    SC_VEC(struct sc_scope_track) scope_tracks;
    SC_VEC(struct sc_str) tags;
    SC_VEC(struct sc_experiment) experiments;
    struct load_past channels_past, tags_past, experiments_past;
    struct sc_over stages_over;
};

/* load.c: helpers for the sections */

/* Text that can be read: not left out, and nothing was said of it yet. */
static inline bool load_given(const struct sc_node *at)
{
    return at != NULL && at->kind == SC_NODE_SCALAR && !at->faulty;
}

static inline struct sc_mark load_mark(const struct sc_node *at)
{
    return at == NULL ? (struct sc_mark){0} : at->mark;
}

/* [A-Za-z_][A-Za-z0-9_]*, and not a name before it: `what` for the message. */
bool load_name_ok(struct load *ld, struct sc_str name, struct sc_mark mark, const char *what);
/* `n` of a section are more than `most`, `first` is the first past it: one finding. */
void load_over(struct load *ld, const struct sc_node *first, uint32_t n, uint32_t most,
               const char *what);
void load_past(struct load *ld, struct load_past *past, struct sc_str name, struct sc_mark mark);
/* Index of `name` among `n` names found by `at`, or -1 with an error and a suggestion. */
int load_ref(struct load *ld, struct sc_str name, struct sc_mark mark, const char *what,
             const struct sc_str *names, uint32_t n);
/* Index of an event, or -1 with an error and a suggestion; a deprecated name is warned of. */
int load_event(struct load *ld, struct sc_str name, struct sc_mark mark);
/* Stages as bits; `*` alone or an absent list: all. */
uint64_t load_stages(struct load *ld, const struct sc_strs *names, const struct sc_node *at);
/* A bool over event and facts, or NULL with findings. */
const struct sc_prog *load_rule(struct load *ld, struct sc_str text, const struct sc_node *at);
/* Everything under a map of name: expression, in the order written. */
struct sc_named_prog *load_named(struct load *ld, const struct sc_node *map, const char *what,
                                 struct sc_rule_opts opts, uint32_t *n);
/* `90d without [a, b where event.x > 1]`: false with a finding. `without` may be left out. */
struct load_silence {
    int64_t after_ms;
    struct sc_exit *without;
    uint32_t n_without;
};
bool load_silence(struct load *ld, struct sc_str text, const struct sc_node *at,
                  struct load_silence *out);
/* A zone by name, kept until sc_journey_fini; NULL with an error when there is none. */
const struct sc_tz *load_zone(struct load *ld, struct sc_str name, const struct sc_node *at);

/* One section each. */
void load_facts(struct load *ld);
void load_tracks(struct load *ld);
void load_stages_section(struct load *ld);
void load_milestones(struct load *ld);
void load_channels(struct load *ld);
void load_holdout(struct load *ld);
/* The experiment of one trigger, with its variants (load_experiment.c). */
void load_experiment(struct load *ld, const struct doc_trigger *doc, struct sc_trigger *tr);
void load_triggers(struct load *ld);
void load_guardrails(struct load *ld);
/* load_analytics.c: the section, and its table. */
void load_analytics(struct load *ld);
extern const struct sc_table load_analytics_table;
/* load_lint.c: what is allowed and yet hardly meant. */
void load_lint(struct load *ld);

/* pick.c: how an index names a property's value. */
uint64_t sc_keyed_of(uint16_t prop, uint64_t hash);
/* index.c: by_event, wanted, ring, ledger. */
void sc_journey_index(struct sc_journey *jo, struct sc_arena *ar);

#endif
