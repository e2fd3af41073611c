/* journey.yaml, bound and compiled. Order matters only where one section names another: facts
 * before expressions, stages before channels, channels and triggers before guardrails. */
#include "core/journey/load.h"
#include "base/assert.h"
#include "base/hash.h"
#include "core/journey/state.h"

#include <stdlib.h>

/* ---- names and references */

static bool is_name_byte(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

bool load_name_ok(struct load *ld, struct sc_str name, struct sc_mark mark, const char *what)
{
    bool ok = name.len > 0;
    for (size_t i = 0; i < name.len; ++i)
        ok = ok && is_name_byte(name.p[i], i == 0);
    if (!ok)
        sc_diag_add(ld->dg, SC_ERROR, "bad-name", mark,
                    "'%.*s' is no name for a %s: letters, digits and _, not a digit first",
                    SC_STR_FMT(name), what);
    return ok;
}

void load_over(struct load *ld, const struct sc_node *first, uint32_t n, uint32_t most,
               const char *what)
{
    SC_ASSERT(n > most);
    sc_diag_over(ld->dg, &(struct sc_over){load_mark(first), n - most}, "a journey has", most, what);
}

void load_past(struct load *ld, struct load_past *past, struct sc_str name, struct sc_mark mark)
{
    if (past->over.n == 0)
        sc_map_init(&past->names, ld->ar);
    if (sc_map_put(&past->names, name, past) == NULL)
        sc_over_add(&past->over, mark);
}

int load_ref(struct load *ld, struct sc_str name, struct sc_mark mark, const char *what,
             const struct sc_str *names, uint32_t n)
{
    for (uint32_t i = 0; i < n; ++i) {
        if (sc_str_eq(names[i], name))
            return (int)i;
    }
    struct sc_finding *f = sc_diag_add(ld->dg, SC_ERROR, "unknown-name", mark,
                                       "there is no %s '%.*s'", what, SC_STR_FMT(name));
    sc_diag_suggest(ld->dg, f, name, names, n);
    return -1;
}

int load_event(struct load *ld, struct sc_str name, struct sc_mark mark)
{
    const struct sc_taxonomy *tx = ld->tx;
    int i = sc_taxonomy_event(tx, name);
    if (i < 0) {
        struct sc_finding *f = sc_diag_add(ld->dg, SC_ERROR, "unknown-event", mark,
                                           "no event '%.*s' in the taxonomy", SC_STR_FMT(name));
        struct sc_str *names = SC_NEW_N(ld->ar, struct sc_str, tx->n_events + 1);
        for (uint32_t e = 0; e < tx->n_events; ++e)
            names[e] = tx->events[e].name;
        sc_diag_suggest(ld->dg, f, name, names, tx->n_events);
        return -1;
    }
    const struct sc_event_type *et = &tx->events[i];
    if (!sc_str_eq(et->name, name)) {
        struct sc_finding *f =
            sc_diag_add(ld->dg, SC_WARNING, "deprecated-event", mark,
                        "'%.*s' is a deprecated name", SC_STR_FMT(name));
        f->hint = sc_str_printf(ld->ar, "write '%.*s'", SC_STR_FMT(et->name));
        if (et->at != NULL)
            f->decl = et->at->mark;
    }
    return i;
}

uint64_t load_stages(struct load *ld, const struct sc_strs *names, const struct sc_node *at)
{
    if (at == NULL || (names->n == 1 && sc_str_eqz(names->v[0], "*")))
        return UINT64_MAX;
    uint64_t bits = 0;
    for (uint32_t i = 0; i < names->n; ++i) {
        int s = load_ref(ld, names->v[i], names->at[i]->mark, "stage", ld->stage_names,
                         ld->jo->n_stages);
        if (s >= 0)
            bits |= UINT64_C(1) << s;
    }
    return bits;
}

const struct sc_tz *load_zone(struct load *ld, struct sc_str name, const struct sc_node *at)
{
    if (!load_given(at))
        return NULL;
    struct sc_tz *tz = sc_tz_load(name);
    if (tz == NULL) {
        struct sc_finding *f = sc_diag_add(ld->dg, SC_ERROR, "unknown-zone", at->mark,
                                           "there is no time zone '%.*s'", SC_STR_FMT(name));
        f->hint = SC_STR("zones are named as in tzdata: Europe/Oslo, UTC");
        return NULL;
    }
    SC_VEC_PUSH(ld->ar, &ld->sp->zones, tz);
    return tz;
}

/* ---- expressions */

const struct sc_prog *load_rule(struct load *ld, struct sc_str text, const struct sc_node *at)
{
    if (!load_given(at))
        return NULL;
    struct sc_rule_opts opts = {.use = SC_USE_RULE, .only_event = -1};
    return sc_rule_compile(ld->sp, text, at->mark, opts);
}

struct sc_named_prog *load_named(struct load *ld, const struct sc_node *map, const char *what,
                                 struct sc_rule_opts opts, uint32_t *n)
{
    *n = 0;
    if (map == NULL || map->kind == SC_NODE_NULL)
        return NULL;
    if (map->kind != SC_NODE_MAP) {
        sc_diag_add(ld->dg, SC_ERROR, "wrong-kind", map->mark,
                    "expected a mapping of names to expressions, each a %s", what);
        return NULL;
    }
    struct sc_named_prog *out = SC_NEW_N(ld->ar, struct sc_named_prog, map->n);
    for (uint32_t i = 0; i < map->n; ++i) {
        struct sc_node *key = map->pairs[i].key, *value = map->pairs[i].value;
        if (!load_name_ok(ld, key->text, key->mark, what))
            continue;
        if (value->kind != SC_NODE_SCALAR)
            sc_diag_add(ld->dg, SC_ERROR, "wrong-kind", value->mark, "expected an expression");
        if (!load_given(value))
            continue;
        const struct sc_prog *prog = sc_rule_compile(ld->sp, value->text, value->mark, opts);
        if (prog != NULL)
            out[(*n)++] =
                (struct sc_named_prog){key->text, sc_hash_name(key->text), prog, value};
    }
    return out;
}

/* ---- facts */

struct doc_fact {
    struct sc_str value;
    struct sc_node *value_at;
    bool exact;
};
static const struct sc_field fact_fields[] = {
    {.key = "value", .kind = SC_F_STR, .offset = offsetof(struct doc_fact, value),
     .node_offset = offsetof(struct doc_fact, value_at), .required = true},
    {.key = "exact", .kind = SC_F_BOOL, .offset = offsetof(struct doc_fact, exact)},
    {0}};
static const struct sc_table fact_table = {.name = "fact", .size = sizeof(struct doc_fact),
                                           .fields = fact_fields, .key_field = SIZE_MAX,
                                           .self_node = SIZE_MAX};

static void fact_add(struct load *ld, const struct sc_node *key, struct sc_node *value)
{
    struct doc_fact doc = {0};
    if (value->kind == SC_NODE_MAP)
        sc_bind(&fact_table, value, &doc, ld->ar, ld->dg);
    else if (value->kind == SC_NODE_SCALAR)
        doc = (struct doc_fact){.value = value->text, .value_at = value};
    else
        sc_diag_add(ld->dg, SC_ERROR, "wrong-kind", value->mark,
                    "a fact is an expression, or { value: expression, exact: true }");
    if (!load_name_ok(ld, key->text, key->mark, "fact") || !load_given(doc.value_at))
        return;
    ld->sp->exact = doc.exact;
    struct sc_rule_opts opts = {.use = SC_USE_VALUE, .only_event = -1, .no_event = true};
    const struct sc_prog *prog = sc_rule_compile(ld->sp, doc.value, doc.value_at->mark, opts);
    ld->sp->exact = false;
    sc_scope_name(ld->sp, key->text, prog, key->mark);
}

void load_facts(struct load *ld)
{
    const struct sc_node *map = ld->doc->facts;
    if (map == NULL || map->kind == SC_NODE_NULL)
        return;
    if (map->kind != SC_NODE_MAP) {
        sc_diag_add(ld->dg, SC_ERROR, "wrong-kind", map->mark,
                    "`facts` is a mapping of names to expressions");
        return;
    }
    for (uint32_t i = 0; i < map->n; ++i)
        fact_add(ld, map->pairs[i].key, map->pairs[i].value);
}

/* ---- one name, one hash */

struct hashed {
    uint32_t hash;
    uint32_t index; /* order of declaration */
    struct sc_str name;
    struct sc_mark mark;
};

static int hashed_order(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Stored states name things by hash: each must be one thing. */
static void check_unique(struct load *ld, const char *what, struct hashed *v, uint32_t n)
{
    if (n < 2)
        return;
    for (uint32_t i = 0; i < n; ++i)
        v[i].index = i;
    qsort(v, n, sizeof(*v), hashed_order);
    for (uint32_t i = 1; i < n; ++i) {
        if (v[i].hash != v[i - 1].hash)
            continue;
        bool same = sc_str_eq(v[i].name, v[i - 1].name);
        struct sc_finding *f = sc_diag_add(
            ld->dg, SC_ERROR, same ? "duplicate-name" : "hash-collision", v[i].mark,
            same ? "a second %s '%.*s'" : "%s '%.*s' has the same hash as another: rename it", what,
            SC_STR_FMT(v[i].name));
        f->decl = v[i - 1].mark;
    }
}

/* `v`: elements with `name`, `hash`, and `at` of their own. */
#define CHECK_UNIQUE(ld, what, elements, count)                                                    \
    do {                                                                                           \
        struct hashed *all_ = SC_NEW_N((ld)->ar, struct hashed, (count) + 1);                      \
        for (uint32_t i_ = 0; i_ < (count); ++i_)                                                  \
            all_[i_] = (struct hashed){.hash = (elements)[i_].hash, .name = (elements)[i_].name,   \
                                       .mark = load_mark((elements)[i_].at)};                      \
        check_unique(ld, what, all_, count);                                                       \
    } while (0)

static void check_names(struct load *ld)
{
    const struct sc_journey *jo = ld->jo;
    CHECK_UNIQUE(ld, "track", jo->tracks, jo->n_tracks);
    CHECK_UNIQUE(ld, "stage", jo->stages, jo->n_stages);
    CHECK_UNIQUE(ld, "milestone", jo->milestones, jo->n_milestones);
    CHECK_UNIQUE(ld, "trigger", jo->triggers, jo->n_triggers);
    CHECK_UNIQUE(ld, "channel", jo->channels, jo->n_channels);
    struct hashed *facts = SC_NEW_N(ld->ar, struct hashed, jo->n_facts + 1);
    for (uint32_t i = 0; i < jo->n_facts; ++i)
        facts[i] = (struct hashed){.hash = jo->facts[i].key, .name = jo->facts[i].text,
                                   .mark = jo->facts[i].mark};
    check_unique(ld, "fact", facts, jo->n_facts);
}

/* ---- the whole */

static void load_personas(struct load *ld)
{
    struct sc_rule_opts opts = {.use = SC_USE_RULE, .only_event = -1, .no_event = true};
    ld->jo->personas =
        load_named(ld, ld->doc->personas, "persona", opts, &ld->jo->n_personas);
    uint32_t n = ld->jo->n_personas;
    if (n > SC_PERSONAS_MAX) {
        load_over(ld, ld->jo->personas[SC_PERSONAS_MAX].at, n, SC_PERSONAS_MAX, "personas");
        ld->jo->n_personas = SC_PERSONAS_MAX;
    }
}

static uint64_t text_hash(const struct sc_source_text *file, uint64_t seed)
{
    return file == NULL ? seed : sc_hash_xxh3(file->text.p, file->text.len, seed);
}

static void load_sections(struct load *ld)
{
    load_tracks(ld);
    load_facts(ld);
    load_stages_section(ld);
    load_personas(ld);
    load_milestones(ld);
    load_channels(ld);
    load_holdout(ld);
    load_triggers(ld);
    sc_diag_over(ld->dg, &ld->channels_past.over, "a journey has", SC_CHANNELS_MAX, "channels");
    sc_diag_over(ld->dg, &ld->tags_past.over, "a journey has", SC_TAGS_MAX, "tags");
    sc_diag_over(ld->dg, &ld->experiments_past.over, "a journey has", SC_EXPERIMENTS_MAX,
                 "experiments");
    load_guardrails(ld);
    load_analytics(ld);
    struct sc_journey *jo = ld->jo;
    jo->facts = ld->sp->facts.v;
    jo->n_facts = ld->sp->facts.n;
    jo->named = ld->sp->names.v;
    jo->n_named = ld->sp->names.n;
    jo->experiments = ld->experiments.v;
    jo->n_experiments = ld->experiments.n;
    sc_diag_over(ld->dg, &ld->sp->facts_over, "the rules of a journey name", SC_FACTS_MAX, "facts");
    check_names(ld);
}

bool sc_journey_load(struct sc_journey *jo, struct sc_taxonomy *tx, const struct sc_node *doc,
                     struct sc_arena *ar, struct sc_diag *dg)
{
    SC_ASSERT(jo != NULL && tx != NULL);
    SC_ASSERT(doc != NULL);
    uint32_t errors = dg->errors;
    struct doc_journey *bound = SC_NEW(ar, struct doc_journey);
    sc_bind(&sc_journey_table, doc, bound, ar, dg);
    *jo = (struct sc_journey){.name = bound->name, .hash = sc_hash_name(bound->name), .tx = tx,
                              .lateness_ms = bound->lateness_ms, .reorder_ms = bound->reorder_ms,
                              .tests = bound->tests};
    jo->config_hash = text_hash(doc->mark.file, text_hash(tx->file, 0));
    struct load ld = {.jo = jo, .doc = bound, .tx = tx, .ar = ar, .dg = dg, .sp = &jo->scope};
    sc_scope_init(ld.sp, tx, ar, dg);
    load_sections(&ld);
    if (dg->errors != errors || doc->unsound)
        return false;
    sc_journey_index(jo, ar);
    sc_state_prepare(jo, ar);
    load_lint(&ld);
    return true;
}

void sc_journey_fini(struct sc_journey *jo)
{
    SC_ASSERT(jo != NULL);
    sc_scope_fini(&jo->scope);
}

int sc_journey_stage(const struct sc_journey *jo, uint32_t hash)
{
    for (uint32_t i = 0; i < jo->n_stages; ++i) {
        if (jo->stages[i].hash == hash)
            return (int)i;
    }
    return -1;
}
