/* What a case expects: the fields an item may have; whether the names in it are the journey's. */
#include "cli/test_load.h"
#include "cli/test_trace.h"

#include "base/assert.h"

const struct sc_test_list_info sc_test_lists[SC_TEST_LISTS] = {
    [SC_TEST_TRIGGERS] = {"triggers", "trigger", SC_FX_TRIGGER},
    [SC_TEST_SUPPRESSED] = {"suppressed", "trigger", SC_FX_SUPPRESSED},
    [SC_TEST_DEFERRED] = {"deferred", "trigger", SC_FX_DEFERRED},
    [SC_TEST_CANCELLED] = {"cancelled", "trigger", SC_FX_CANCELLED},
    [SC_TEST_TRANSITIONS] = {"transitions", "to", SC_FX_TRANSITION},
    [SC_TEST_MILESTONES] = {"milestones", "milestone", SC_FX_MILESTONE},
};

#define SENT (1u << SC_TEST_TRIGGERS)
#define HELD (1u << SC_TEST_SUPPRESSED | 1u << SC_TEST_DEFERRED)
#define MESSAGES (SENT | HELD | 1u << SC_TEST_CANCELLED)
#define MOVES (1u << SC_TEST_TRANSITIONS)
#define MARKS (1u << SC_TEST_MILESTONES)

static const struct item_field {
    const char *key, *field; /* as written, as in the effect's JSON */
    unsigned lists;
} item_fields[] = {
    {"trigger", "rule", MESSAGES},
    {"milestone", "rule", MARKS},
    {"to", "to", MOVES},
    {"from", "from", MOVES},
    {"track", "track", MOVES},
    {"cause", "cause", MOVES},
    {"back", "back", MOVES},
    {"in_stage_ms", "in_stage_ms", MOVES},
    {"at", "at", MESSAGES | MOVES | MARKS},
    {"event_at", "event_at", MESSAGES | MOVES | MARKS},
    {"stage", "stage", MESSAGES | MOVES | MARKS},
    {"events", "events", MESSAGES | MOVES | MARKS},
    {"facts", "facts", MESSAGES | MOVES | MARKS},
    {"channel", "channel", SENT | 1u << SC_TEST_CANCELLED},
    {"template_only", "template_only", SENT},
    {"context", "context", SENT},
    {"message", "message", MESSAGES},
    {"purpose", "purpose", MESSAGES},
    {"priority", "priority", MESSAGES},
    {"key", "key", MESSAGES},
    {"expires", "expires", MESSAGES},
    {"experiment", "experiment", MESSAGES},
    {"arm", "arm", MESSAGES},
    {"arms", "arms", MOVES | MARKS},
    {"reason", "reason", HELD},
    {"until", "until", 1u << SC_TEST_DEFERRED},
};
#define ITEM_FIELDS (sizeof(item_fields) / sizeof(item_fields[0]))

const char *sc_test_field(enum sc_test_list list, struct sc_str key)
{
    for (size_t i = 0; i < ITEM_FIELDS; ++i)
        if ((item_fields[i].lists >> list & 1) && sc_str_eqz(key, item_fields[i].key))
            return item_fields[i].field;
    return NULL;
}

/* ---- names */

enum names { NAMES_TRIGGERS, NAMES_MILESTONES, NAMES_STAGES, NAMES_CHANNELS, NAMES_PERSONAS,
             NAMES_REASONS };

static uint32_t names_of(struct sc_test_load *ld, enum names which, struct sc_str **out)
{
    const struct sc_journey *jo = ld->ts->jo;
    const uint32_t counts[] = {jo->n_triggers, jo->n_milestones, jo->n_stages,
                               jo->n_channels, jo->n_personas,   SC_REASON_COUNT};
    struct sc_str *v = *out = SC_NEW_N(ld->ts->ar, struct sc_str, counts[which] + 1);
    for (uint32_t i = 0; i < counts[which]; ++i) {
        switch (which) {
        case NAMES_TRIGGERS:
            v[i] = jo->triggers[i].name;
            break;
        case NAMES_MILESTONES:
            v[i] = jo->milestones[i].name;
            break;
        case NAMES_STAGES:
            v[i] = jo->stages[i].name;
            break;
        case NAMES_CHANNELS:
            v[i] = jo->channels[i].name;
            break;
        case NAMES_PERSONAS:
            v[i] = jo->personas[i].name;
            break;
        case NAMES_REASONS:
            v[i] = sc_str_from(sc_reason_name((enum sc_reason)i));
            break;
        }
    }
    return counts[which];
}

static void check_name(struct sc_test_load *ld, const struct sc_node *at, enum names which)
{
    static const char *const words[] = {"trigger", "milestone", "stage",
                                        "channel", "persona",   "reason"};
    struct sc_str *names;
    if (at == NULL || at->faulty)
        return;
    if (at->kind != SC_NODE_SCALAR) {
        test_wrong(ld, at, "expected a name");
        return;
    }
    uint32_t n = names_of(ld, which, &names);
    for (uint32_t i = 0; i < n; ++i)
        if (sc_str_eq(names[i], at->text))
            return;
    sc_diag_suggest(ld->ts->dg,
                    sc_diag_add(ld->ts->dg, SC_ERROR, "bad-test", at->mark,
                                "the journey has no %s '%.*s'", words[which], SC_STR_FMT(at->text)),
                    at->text, names, n);
}

static void check_rule(struct sc_test_load *ld, enum sc_test_list list, const struct sc_node *at)
{
    check_name(ld, at, list == SC_TEST_TRANSITIONS  ? NAMES_STAGES
                       : list == SC_TEST_MILESTONES ? NAMES_MILESTONES
                                                    : NAMES_TRIGGERS);
}

static void unknown_field(struct sc_test_load *ld, enum sc_test_list list,
                          const struct sc_node *key)
{
    struct sc_str names[ITEM_FIELDS];
    uint32_t n = 0;
    for (size_t i = 0; i < ITEM_FIELDS; ++i)
        if (item_fields[i].lists >> list & 1)
            names[n++] = sc_str_from(item_fields[i].key);
    struct sc_finding *f =
        sc_diag_add(ld->ts->dg, SC_ERROR, "unknown-key", key->mark, "`%s` have no '%.*s'",
                    sc_test_lists[list].key, SC_STR_FMT(key->text));
    sc_diag_suggest(ld->ts->dg, f, key->text, names, n);
}

static void check_field(struct sc_test_load *ld, enum sc_test_list list,
                        const struct sc_node_pair *pair)
{
    const char *field = sc_test_field(list, pair->key->text);
    struct sc_str name = sc_str_from(field);
    int64_t ms;
    if (field == NULL)
        unknown_field(ld, list, pair->key);
    else if (sc_str_eqz(name, "rule") || sc_str_eqz(name, "to"))
        check_rule(ld, list, pair->value);
    else if (sc_str_eqz(name, "from") || sc_str_eqz(name, "stage"))
        check_name(ld, pair->value, NAMES_STAGES);
    else if (sc_str_eqz(name, "channel"))
        check_name(ld, pair->value, NAMES_CHANNELS);
    else if (sc_str_eqz(name, "reason"))
        check_name(ld, pair->value, NAMES_REASONS);
    else if ((sc_str_ends(name, SC_STR("at")) || sc_str_eqz(name, "until") ||
              sc_str_eqz(name, "expires")) &&
             !sc_test_time(pair->value->text, ld->tc->start_ms, &ms))
        test_wrong(ld, pair->value, "expected a time from the start (\"+20m\") or RFC 3339");
}

static void check_list(struct sc_test_load *ld, enum sc_test_list list)
{
    const struct sc_node *seq = ld->tc->expect.lists[list];
    if (seq == NULL)
        return;
    if (seq->kind != SC_NODE_SEQ) {
        test_wrong(ld, seq, "expected a list; [] is none");
        return;
    }
    for (uint32_t i = 0; i < seq->n; ++i) {
        const struct sc_node *item = seq->items[i];
        if (item->kind == SC_NODE_SCALAR)
            check_rule(ld, list, item);
        else if (item->kind != SC_NODE_MAP)
            test_wrong(ld, item, "expected a name or a mapping");
        for (uint32_t k = 0; item->kind == SC_NODE_MAP && k < item->n; ++k)
            check_field(ld, list, &item->pairs[k]);
    }
}

/* Facts as the customer line has them: by name, or by the text of one without a name. */
static void check_facts(struct sc_test_load *ld)
{
    const struct sc_journey *jo = ld->ts->jo;
    const struct sc_node *map = ld->tc->expect.facts;
    if (map == NULL)
        return;
    if (map->kind != SC_NODE_MAP) {
        test_wrong(ld, map, "facts are a mapping of name and value");
        return;
    }
    uint32_t n = 0;
    struct sc_str *names = SC_NEW_N(ld->ts->ar, struct sc_str, jo->n_named + jo->n_facts + 1);
    for (uint32_t i = 0; i < jo->n_named; ++i)
        names[n++] = jo->named[i].name;
    for (uint32_t i = 0; i < jo->n_facts; ++i)
        if (jo->facts[i].name.len == 0)
            names[n++] = jo->facts[i].text;
    for (uint32_t i = 0; i < map->n; ++i) {
        const struct sc_node *key = map->pairs[i].key;
        bool known = false;
        for (uint32_t k = 0; k < n && !known; ++k)
            known = sc_str_eq(names[k], key->text);
        if (!known)
            sc_diag_suggest(ld->ts->dg, test_wrong(ld, key, "the journey has no such fact"),
                            key->text, names, n);
    }
}

/* Lines of text, each an instant or below one. */
static void check_trace(struct sc_test_load *ld)
{
    const struct sc_node *seq = ld->tc->expect.trace;
    int64_t ms;
    struct sc_str rest;
    if (seq == NULL)
        return;
    if (seq->kind != SC_NODE_SEQ) {
        test_wrong(ld, seq, "expected the lines of a trace");
        return;
    }
    for (uint32_t i = 0; i < seq->n; ++i) {
        const struct sc_node *line = seq->items[i];
        if (line->kind != SC_NODE_SCALAR || line->text.len == 0)
            test_wrong(ld, line, "expected a line of a trace");
        else if ((i == 0 || line->text.p[0] == '[') &&
                 !sc_test_trace_time(line->text, ld->tc->start_ms, &ms, &rest))
            test_wrong(ld, line, "expected an instant: [+20m] or [2026-03-02 10:20]");
    }
}

static void check_tracks(struct sc_test_load *ld)
{
    const struct sc_journey *jo = ld->ts->jo;
    const struct sc_node *map = ld->tc->expect.tracks;
    if (map == NULL)
        return;
    if (map->kind != SC_NODE_MAP) {
        test_wrong(ld, map, "tracks are a mapping of track and stage");
        return;
    }
    struct sc_str names[SC_TRACKS_MAX];
    for (uint32_t t = 0; t < jo->n_tracks; ++t)
        names[t] = jo->tracks[t].name;
    for (uint32_t i = 0; i < map->n; ++i) {
        const struct sc_node *key = map->pairs[i].key;
        uint32_t t = 0;
        while (t < jo->n_tracks && !sc_str_eq(names[t], key->text))
            ++t;
        if (t == jo->n_tracks)
            sc_diag_suggest(ld->ts->dg, test_wrong(ld, key, "the journey has no such track"),
                            key->text, names, jo->n_tracks);
        check_name(ld, map->pairs[i].value, NAMES_STAGES);
    }
}

void sc_test_expect_check(struct sc_test_load *ld)
{
    const struct sc_test_expect *ex = &ld->tc->expect;
    if (ex->stage.len > 0)
        check_name(ld, ex->stage_at, NAMES_STAGES);
    if (ex->persona.len > 0)
        check_name(ld, ex->persona_at, NAMES_PERSONAS);
    for (int list = 0; list < SC_TEST_LISTS; ++list)
        check_list(ld, (enum sc_test_list)list);
    check_facts(ld);
    check_trace(ld);
    check_tracks(ld);
}
