/* A journey as loaded: what each key becomes, and what each event can touch. */
#include "base/hash.h"
#include "core/journey/journey.h"

#include <criterion/criterion.h>

static const char taxonomy[] =
    "taxonomy: t\n"
    "version: 1.0.0\n"
    "namespaces: { email: { priority: 1 } }\n"
    "events:\n"
    "  viewed: { properties: { sku: { type: string, required: true }, "
    "price: { type: decimal } } }\n"
    "  carted: { properties: { cart: { type: string, required: true } } }\n"
    "  bought: { properties: { cart: { type: string, required: true }, total: { type: decimal, "
    "required: true } } }\n"
    "  opened: { properties: { ref: { type: string, required: true } } }\n"
    "  closed: { properties: { ref: { type: string, required: true } } }\n"
    "  said:   { role: consent, properties: { purpose: { type: string, required: true }, "
    "granted: { type: bool, required: true } } }\n"
    "cases: { help: { opens: [opened], closes: [closed], key: ref } }\n";

enum { VIEWED, CARTED, BOUGHT, OPENED, CLOSED, SAID, EVENTS };

struct loaded {
    struct sc_arena ar;
    struct sc_diag dg;
    struct sc_taxonomy tx;
    struct sc_journey jo;
    bool ok;
};

static const struct sc_node *parse(struct loaded *l, const char *name, const char *text)
{
    const struct sc_node *doc = sc_node_parse(sc_str_from(name), sc_str_from(text), NULL, NULL,
                                              &l->ar, &l->dg);
    cr_assert(doc != NULL, "%s is not YAML", name);
    return doc;
}

static void load(struct loaded *l, const char *journey)
{
    sc_arena_init(&l->ar);
    sc_diag_init(&l->dg, &l->ar);
    l->tx = (struct sc_taxonomy){0};
    cr_assert(sc_taxonomy_load(&l->tx, parse(l, "t", taxonomy), &l->ar, &l->dg));
    l->ok = sc_journey_load(&l->jo, &l->tx, parse(l, "j", journey), &l->ar, &l->dg);
}

static void load_ok(struct loaded *l, const char *journey)
{
    load(l, journey);
    struct sc_buf out = {0};
    sc_diag_render(&l->dg, SC_DIAG_TEXT, false, &out);
    cr_assert(l->ok, "%.*s", SC_STR_FMT(sc_buf_view(&out)));
    sc_buf_fini(&out);
}

static void unload(struct loaded *l)
{
    sc_journey_fini(&l->jo);
    sc_taxonomy_fini(&l->tx);
    sc_arena_fini(&l->ar);
}

static bool has(const uint16_t *v, uint32_t n, uint16_t x)
{
    for (uint32_t i = 0; i < n; ++i) {
        if (v[i] == x)
            return true;
    }
    return false;
}

static bool has_keyed(const struct sc_by_value *by, uint16_t x)
{
    for (uint32_t i = 0; i < by->n; ++i)
        if (by->v[i].element == x)
            return true;
    return false;
}

#define HAS(l, event, list, x) has((l).jo.by_event[event].list, (l).jo.by_event[event].n_##list, x)

/* Bits of the events whose list names x. */
#define EVENTS_WITH(l, list, x)                                                                    \
    (HAS(l, VIEWED, list, x) << VIEWED | HAS(l, CARTED, list, x) << CARTED |                       \
     HAS(l, BOUGHT, list, x) << BOUGHT | HAS(l, OPENED, list, x) << OPENED |                       \
     HAS(l, CLOSED, list, x) << CLOSED | HAS(l, SAID, list, x) << SAID)
#define ALL ((1 << EVENTS) - 1)

Test(journey_load, occurrences_and_edges)
{
    struct loaded l;
    load_ok(&l, "journey: j\n"
                "triggers:\n"
                "  - { name: a, when: event.name == 'viewed', channels: [sms] }\n"
                "  - { name: b, when: 'count(\"bought\") >= 3', channels: [sms] }\n"
                "  - { name: c, when: 'open(\"help\")', channels: [sms] }\n"
                "  - { name: d, when: 'event.name == \"viewed\" || count(\"bought\") > 1', "
                "channels: [sms] }\n"
                "  - { name: e, when: 'event.name in [\"carted\", \"bought\"] && "
                "seen(\"viewed\")', channels: [sms] }\n");
    cr_expect_not(l.jo.triggers[0].edge);
    cr_expect(l.jo.triggers[1].edge);
    cr_expect(l.jo.triggers[2].edge);
    cr_expect_not(l.jo.triggers[3].edge);
    cr_expect_eq(EVENTS_WITH(l, starts, 0), 1 << VIEWED);
    cr_expect_eq(EVENTS_WITH(l, edges, 0), 0);
    cr_expect_eq(EVENTS_WITH(l, edges, 1), 1 << BOUGHT);
    cr_expect_eq(EVENTS_WITH(l, starts, 1), 0);
    cr_expect_eq(EVENTS_WITH(l, edges, 2), ALL, "a case is no fact: no event may be left out");
    cr_expect_eq(EVENTS_WITH(l, starts, 3), ALL);
    cr_expect_eq(EVENTS_WITH(l, starts, 4), 1 << CARTED | 1 << BOUGHT);
    unload(&l);
}

Test(journey_load, silences)
{
    struct loaded l;
    load_ok(&l, "journey: j\n"
                "stages:\n"
                "  - { name: a }\n"
                "  - { name: gone, after: '90d without [bought, viewed]' }\n"
                "triggers:\n"
                "  - name: t\n"
                "    start: event.name == 'carted'\n"
                "    after: 1h without [viewed where event.sku == \"a, ]b\", "
                "bought where event.total > 0.5]\n"
                "    unless: event.name == 'closed'\n"
                "    key: event.cart\n"
                "    channels: [sms]\n"
                "  - { name: u, start: event.name == 'carted', after: 90s, unless: seen('opened'), "
                "channels: [sms] }\n"
                "  - { name: v, start: event.name == 'carted', after: 1d without bought, "
                "channels: [sms] }\n");
    const struct sc_trigger *t = l.jo.triggers;
    cr_expect_eq(t[0].after_ms, SC_HOUR_MS);
    cr_assert_eq(t[0].n_without, 2);
    cr_expect_eq(t[0].without[0].event, VIEWED);
    cr_expect(sc_str_eqz(sc_rule_text(t[0].without[0].where), "event.sku == \"a, ]b\""));
    cr_expect(sc_str_eqz(sc_rule_text(t[0].without[1].where), "event.total > 0.5"));
    cr_expect_eq(t[1].after_ms, 90 * SC_SECOND_MS);
    cr_expect_eq(t[1].n_without, 0);
    cr_expect_eq(t[2].n_without, 1);
    cr_expect_null(t[2].without[0].where);
    cr_expect_eq(EVENTS_WITH(l, exits, 0), 1 << VIEWED | 1 << BOUGHT);
    cr_expect_eq(EVENTS_WITH(l, unless, 0), 1 << CLOSED);
    cr_expect_eq(EVENTS_WITH(l, unless, 1), 1 << OPENED);
    cr_expect_eq(EVENTS_WITH(l, lapses, 1), 1 << BOUGHT | 1 << VIEWED);
    cr_expect_eq(l.jo.stages[1].after_ms, 90 * SC_DAY_MS);
    unload(&l);
}

Test(journey_load, stages_and_milestones)
{
    struct loaded l;
    load_ok(&l, "journey: j\n"
                "facts: { orders: count('bought') }\n"
                "stages:\n"
                "  - { name: a }\n"
                "  - { name: b, when: event.name == 'carted', target: 3d }\n"
                "  - { name: c, when: orders >= 3, from: [b, a] }\n"
                "milestones:\n"
                "  first: orders >= 1\n"
                "  many: orders > 64\n"
                "  week: 'count(\"bought\", \"7d\") >= 2'\n"
                "  saw: seen('viewed')\n");
    const struct sc_milestone *m = l.jo.milestones;
    cr_assert_eq(l.jo.n_milestones, 5);
    cr_expect(m[0].ladder_fact >= 0 && m[0].ladder_n == 1);
    cr_expect_eq(m[1].ladder_fact, -1, "65 times are more than are kept");
    cr_expect_eq(m[2].ladder_fact, -1);
    cr_expect(m[3].ladder_fact >= 0 && m[3].ladder_n == 1);
    cr_expect(m[4].overdue && m[4].stage == 1 && m[4].when == NULL);
    cr_expect(sc_str_eqz(m[4].name, "overdue:b"));
    cr_expect_eq(EVENTS_WITH(l, milestones, 0), ALL, "late events move facts, and try nothing");
    cr_expect_eq(EVENTS_WITH(l, milestones, 2), ALL, "a window changes by time alone");
    cr_expect_eq(EVENTS_WITH(l, milestones, 4), 0);
    cr_expect_eq(EVENTS_WITH(l, stages, 1), 1 << CARTED);
    cr_expect_eq(EVENTS_WITH(l, stages, 2), ALL, "any event after the one that led to `b`");
    cr_expect(l.jo.stages[0].initial && l.jo.tracks[0].initial == 0);
    cr_expect(l.jo.stages[2].has_from && l.jo.stages[2].from == 3);
    cr_expect_not(l.jo.stages[1].has_from);
    cr_expect_eq(sc_journey_stage(&l.jo, sc_hash_name(SC_STR("c"))), 2);
    cr_expect_eq(sc_journey_stage(&l.jo, 12345), -1);
    unload(&l);
}

Test(journey_load, facts_cases_ring_and_what_is_read)
{
    struct loaded l;
    load_ok(&l, "journey: j\n"
                "facts:\n"
                "  spent: sum('bought', 'total')\n"
                "  again: 'sum( \"bought\",\"total\" )'\n"
                "personas: { rich: spent > 100.0 }\n"
                "triggers:\n"
                "  - { name: t, when: event.name == 'viewed', channels: [sms], "
                "context: { sku: event.sku, last: 'recent(\"opened\", 7)' } }\n"
                "guardrails:\n"
                "  fatigue: { half_life: 1h, add: { closed: 1.5, 'trigger:*': 1, 'trigger:t': 2 }, "
                "pause_at: 3.0, resume_at: 1.0 }\n");
    cr_assert_eq(l.jo.n_facts, 1, "one text, one fact");
    cr_expect(sc_str_eqz(l.jo.facts[0].name, "spent"));
    cr_expect_eq(l.jo.n_named, 2);
    cr_expect_eq(EVENTS_WITH(l, facts, 0), 1 << BOUGHT);
    cr_expect_eq(EVENTS_WITH(l, cases_open, 0), 1 << OPENED);
    cr_expect_eq(EVENTS_WITH(l, cases_close, 0), 1 << CLOSED);
    cr_expect(l.jo.by_event[OPENED].ring);
    cr_expect_not(l.jo.by_event[VIEWED].ring);
    cr_expect_eq(l.jo.ring_max, 7);
    cr_expect_float_eq(l.jo.by_event[CLOSED].fatigue, 1.5, 0);
    cr_expect_eq(l.jo.guard.n_adds, 3);
    cr_expect_eq(l.jo.guard.adds[1].trigger, -2);
    cr_expect_eq(l.jo.guard.adds[2].trigger, 0);
    cr_expect_eq(l.jo.wanted.bits[VIEWED][0], 1, "sku, not price");
    cr_expect_eq(l.jo.wanted.bits[BOUGHT][0], 2, "total, not cart");
    cr_expect_eq(l.jo.wanted.bits[CARTED][0], 0);
    unload(&l);
}

/* What asks for one value of a text property stands by it, and nowhere else. */
Test(journey_load, rules_by_value)
{
    struct loaded l;
    load_ok(&l, "journey: j\n"
                "triggers:\n"
                "  - { name: a, when: event.name == 'viewed' && has(event.sku) && event.sku == 'x', "
                "channels: [sms] }\n"
                "  - { name: b, when: event.name == 'viewed' && (!has(event.sku) || event.sku == 'x'), "
                "channels: [sms] }\n"
                "  - { name: c, when: 'count(\"viewed\", where: has(event.sku) && event.sku == \"x\") > 1', "
                "channels: [sms] }\n"
                "  - { name: d, when: 'count(\"viewed\") > 1', channels: [sms] }\n");
    const struct sc_event_index *ix = &l.jo.by_event[VIEWED];
    cr_expect(has_keyed(&ix->starts_by, 0) && !HAS(l, VIEWED, starts, 0));
    cr_expect(!has_keyed(&ix->starts_by, 1) && HAS(l, VIEWED, starts, 1));
    cr_expect(has_keyed(&ix->edges_by, 2) && !HAS(l, VIEWED, edges, 2));
    cr_expect(!has_keyed(&ix->edges_by, 3) && HAS(l, VIEWED, edges, 3));
    cr_expect(has_keyed(&ix->facts_by, 0) && !HAS(l, VIEWED, facts, 0));
    cr_expect(!has_keyed(&ix->facts_by, 1) && HAS(l, VIEWED, facts, 1));
    cr_expect(ix->starts_by.n_props == 1 && ix->starts_by.props[0] == 0);
    unload(&l);
}

Test(journey_load, defaults)
{
    struct loaded l;
    load_ok(&l, "journey: j\n"
                "triggers:\n"
                "  - { name: a, when: event.name == 'viewed', channels: whatsapp }\n"
                "  - { name: b, when: event.name == 'viewed', channels: [sms], purpose: service }\n"
                "  - { name: c, when: event.name == 'viewed', channels: [sms], "
                "purpose: [marketing, news], ignores_caps: true, counts_toward_caps: false }\n"
                "channels: { sms: { topic: out, window: 1h }, mail: {} }\n");
    const struct sc_trigger *t = l.jo.triggers;
    cr_expect_eq(l.jo.n_stages, 1);
    cr_expect(sc_str_eqz(l.jo.stages[0].name, "customer"));
    cr_expect(t[0].priority == 50 && t[0].reentry == SC_REENTRY_ALWAYS && t[0].purposes.n == 0);
    cr_expect(!t[0].service && !t[0].ignores_caps && t[0].counts_toward_caps);
    cr_expect(t[1].service && t[1].ignores_caps && !t[1].counts_toward_caps);
    cr_expect(!t[2].service && t[2].ignores_caps && !t[2].counts_toward_caps);
    cr_expect_eq(t[2].purposes.n, 2);
    cr_assert_eq(l.jo.n_channels, 3);
    cr_expect(sc_str_eqz(l.jo.channels[0].topic, "out"));
    cr_expect_eq(l.jo.channels[0].window_ms, SC_HOUR_MS);
    cr_expect(sc_str_eqz(l.jo.channels[1].topic, "triggers.mail"));
    cr_expect_eq(l.jo.channels[1].window_ms, 0);
    cr_expect_eq(l.jo.channels[1].stages, UINT64_MAX);
    cr_expect_eq(l.jo.channels[1].format, SC_FORMAT_JSON);
    cr_expect(sc_str_eqz(l.jo.channels[2].topic, "triggers.whatsapp"));
    cr_expect_eq(l.jo.channels[2].window_ms, SC_DAY_MS, "semantics 31");
    cr_expect_eq(t[0].channels[0], 2);
    cr_expect(l.jo.lateness_ms == SC_DAY_MS && l.jo.reorder_ms == 0);
    cr_expect(l.jo.guard.hold_ambiguous && l.jo.guard.arbitration_ms == -1 && !l.jo.guard.quiet);
    cr_expect_eq(l.dg.warnings, 1, "whatsapp is not declared");
    unload(&l);
}

Test(journey_load, guardrails)
{
    struct loaded l;
    load_ok(&l, "journey: j\n"
                "stages: [ { name: a }, { name: b, when: event.name == 'carted' } ]\n"
                "channels: { sms: { stages: b }, mail: {} }\n"
                "guardrails:\n"
                "  caps:\n"
                "    - { channels: '*', max: 3, per: 24h }\n"
                "    - { channels: [mail, sms], stages: [b], max: 1, calendar: week, "
                "timezone: Europe/Oslo }\n"
                "    - { max: 1, calendar: month, timezone: customer }\n"
                "  quiet_hours: { from: '21:30', to: '08:05', otherwise: UTC, then: suppress }\n"
                "  arbitration: 0s\n"
                "  ambiguous: allow\n"
                "  hold_while: open('help')\n");
    const struct sc_guardrails *g = &l.jo.guard;
    cr_assert_eq(g->n_caps, 3);
    cr_expect(g->caps[0].channels == UINT32_MAX && g->caps[0].per_ms == SC_DAY_MS);
    cr_expect_eq(g->caps[0].calendar, SC_ROLLING);
    cr_expect(sc_str_eqz(g->caps[0].text, "all 3 per 1d"), "%.*s", SC_STR_FMT(g->caps[0].text));
    cr_expect(g->caps[1].channels == 3 && g->caps[1].stages == 2);
    cr_expect(g->caps[1].calendar == SC_CAL_WEEK && g->caps[1].zone.fixed != NULL);
    cr_expect(sc_str_eqz(g->caps[1].text, "mail+sms 1 a calendar week in b"));
    cr_expect(g->caps[2].calendar == SC_CAL_MONTH && g->caps[2].zone.customer);
    cr_expect_eq(l.jo.ledger_keep_ms, 33 * SC_DAY_MS,
                 "a month, and a day each for zones and clocks");
    cr_expect(g->quiet && g->quiet_from_min == 21 * 60 + 30 && g->quiet_to_min == 8 * 60 + 5);
    cr_expect(g->quiet_zone.customer && g->otherwise != NULL && g->quiet_suppress);
    cr_expect(g->arbitration_ms == 0 && !g->hold_ambiguous && g->n_hold_while == 1);
    cr_expect_eq(l.jo.channels[0].stages, 2);
    unload(&l);
}

Test(journey_load, the_ledger_keeps_what_the_longest_rule_asks)
{
    struct loaded l;
    load_ok(&l, "journey: j\n"
                "triggers: [ { name: t, when: event.name == 'viewed', channels: a, "
                "cooldown: 40d } ]\n"
                "guardrails: { caps: [ { max: 1, per: 30d } ] }\n");
    cr_expect_eq(l.jo.ledger_keep_ms, 41 * SC_DAY_MS);
    unload(&l);
}

Test(journey_load, config_hash_is_of_both_texts)
{
    struct loaded a, b, c;
    load_ok(&a, "journey: j\n");
    load_ok(&b, "journey: j\n");
    load_ok(&c, "journey: j # \n");
    cr_expect_eq(a.jo.config_hash, b.jo.config_hash);
    cr_expect_neq(a.jo.config_hash, c.jo.config_hash);
    cr_expect_eq(a.jo.hash, c.jo.hash);
    unload(&a);
    unload(&b);
    unload(&c);
}

Test(journey_load, bounds)
{
    struct loaded l;
    struct sc_buf text = {0};
    static const char *const said[] = {
        "a journey has at most 64 stages: this one and 2 more are too many",
        "the rules of a journey name at most 16384 facts: this one and 98 more are too many",
        "a journey has at most 32 channels: this one and 3 more are too many",
        "a journey has at most 64 caps: this one is too many",
        "a journey has at most 256 milestones: this one is too many",
        "a journey has at most 64 personas: this one and 1 more are too many",
        "a journey has at most 4096 triggers: this one and 1 more are too many",
        "a journey has at most 64 tags: this one and 1 more are too many",
        "an experiment has at most 32 arms: this one is too many",
        "a journey has at most 256 experiments: this one and 9 more are too many",
    };
    sc_buf_addz(&text, "journey: j\nstages:\n");
    for (int i = 0; i <= SC_STAGES_MAX + 2; ++i)
        sc_buf_addf(&text, "  - { name: s%d, when: event.name == 'viewed' }\n", i);
    sc_buf_addz(&text, "facts:\n");
    for (int i = 0; i < SC_FACTS_MAX + 99; ++i)
        sc_buf_addf(&text, "  f%d: count('viewed', '%ds') + 1\n", i, i + 1);
    sc_buf_addf(&text, "  again: count('viewed', '%ds')\n", SC_FACTS_MAX + 7);
    sc_buf_addz(&text, "personas:\n");
    for (int i = 0; i <= SC_PERSONAS_MAX + 1; ++i)
        sc_buf_addf(&text, "  p%d: f0 > 3\n", i);
    sc_buf_addz(&text, "channels:\n");
    for (int i = 0; i <= SC_CHANNELS_MAX; ++i)
        sc_buf_addf(&text, "  c%d: {}\n", i);
    sc_buf_addz(&text, "guardrails:\n  caps:\n");
    for (int i = 0; i <= SC_CAPS_MAX; ++i)
        sc_buf_addz(&text, "    - { max: 1, per: 1h }\n");
    sc_buf_addz(&text, "milestones:\n");
    for (int i = 0; i <= SC_MILESTONES_MAX; ++i)
        sc_buf_addf(&text, "  m%d: f0 > 3\n", i);
    sc_buf_addz(&text, "triggers:\n");
    sc_buf_addz(&text, "  - { name: arms, when: event.name == 'viewed', channels: c1, "
                       "experiment: { name: arms, arms: [ ");
    for (int i = 0; i <= SC_ARMS_MAX; ++i)
        sc_buf_addf(&text, "{ name: a%d }, ", i);
    sc_buf_addz(&text, "] } }\n");
    for (int i = 0; i <= SC_TRIGGERS_MAX; ++i)
        sc_buf_addf(&text,
                    "  - { name: t%d, when: event.name == 'viewed', channels: [c1, x%d], tags: [g%d], "
                    "experiment: { name: e%d, arms: [ { name: a%d } ] } }\n",
                    i, i % 3, i % (SC_TAGS_MAX + 2), i % (SC_EXPERIMENTS_MAX + 10),
                    i % (SC_EXPERIMENTS_MAX + 10));
    sc_buf_char(&text, '\0');
    load(&l, text.p);
    cr_expect_not(l.ok);
    uint32_t found = 0;
    for (uint32_t i = 0; i < l.dg.items.n; ++i) {
        const struct sc_finding *f = &l.dg.items.v[i];
        for (size_t s = 0; s < sizeof(said) / sizeof(said[0]); ++s)
            found += sc_str_eqz(f->text, said[s]);
        cr_expect_str_eq(f->code, "too-many", "%u: %.*s", f->mark.line, SC_STR_FMT(f->text));
    }
    cr_expect_eq(found, sizeof(said) / sizeof(said[0]));
    cr_expect_eq(l.dg.errors, found);
    unload(&l);
    sc_buf_fini(&text);
}

Test(journey_load, bounds_of_tracks)
{
    struct loaded l;
    struct sc_buf text = {0};
    sc_buf_addz(&text, "journey: j\ntracks:\n");
    for (int i = 0; i < SC_TRACKS_MAX + 3; ++i)
        sc_buf_addf(&text, "  k%d: { stages: [ { name: s%d } ] }\n", i, i);
    sc_buf_char(&text, '\0');
    load(&l, text.p);
    cr_assert_eq(l.dg.items.n, 1);
    cr_expect(sc_str_eqz(l.dg.items.v[0].text,
                         "a journey has at most 8 tracks: this one and 2 more are too many"));
    cr_expect_eq(l.dg.items.v[0].mark.line, 3 + SC_TRACKS_MAX);
    unload(&l);
    sc_buf_fini(&text);
}
