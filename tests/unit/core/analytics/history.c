/* What is remembered of one customer: contacts past 64, cases, weeks out of order, days that are
 * settled (semantics 37, 38). Merges at random: prop/analytics.c. */
#include "core/analytics/history.h"
#include "core/journey/run.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char taxonomy_text[] =
    "taxonomy: t\n"
    "version: 1.0.0\n"
    "namespaces: { email: { priority: 1 } }\n"
    "events:\n"
    "  seen: {}\n"
    "  bought: { role: purchase, value: total, properties: { total: { type: decimal, scale: 2 } } }\n"
    "  asked: { channel: chat, properties: { about: { type: string }, no: { type: string, required: true } } }\n"
    "  called: { channel: phone, properties: { about: { type: string }, no: { type: string, required: true } } }\n"
    "  solved: { properties: { no: { type: string, required: true } } }\n"
    "  refunded: { properties: { no: { type: string, required: true } } }\n"
    "  answered: { properties: { about: { type: string } } }\n"
    "  talked: { properties: { about: { type: string } } }\n"
    "cases:\n"
    "  support: { opens: [asked], closes: [solved], key: no }\n"
    "  refund: { opens: [called], closes: [refunded], key: no }\n";
static const char journey_text[] =
    "journey: j\n"
    "taxonomy: t.yaml\n"
    "analytics:\n"
    "  contacts: { asked: { topic: about }, called: { topic: about }, talked: { topic: about } }\n"
    "  answers: { answered: { topic: about }, talked: { topic: about } }\n";

struct desk {
    struct sc_arena ar;
    struct sc_diag dg;
    struct sc_taxonomy tx;
    struct sc_journey jo;
    struct sc_state *st;
    struct sc_effects fx;
    int events;
};

static void setup(struct desk *d)
{
    memset(d, 0, sizeof(*d));
    sc_arena_init(&d->ar);
    sc_diag_init(&d->dg, &d->ar);
    struct sc_node *doc = sc_node_parse(SC_STR("t.yaml"), sc_str_from(taxonomy_text), NULL, NULL,
                                        &d->ar, &d->dg);
    bool ok = doc && sc_taxonomy_load(&d->tx, doc, &d->ar, &d->dg);
    doc = sc_node_parse(SC_STR("j.yaml"), sc_str_from(journey_text), NULL, NULL, &d->ar, &d->dg);
    cr_assert(ok && doc && sc_journey_load(&d->jo, &d->tx, doc, &d->ar, &d->dg));
    d->jo.analyse = true;
    d->st = sc_state_new(&d->jo, (struct sc_node_id){{0xf1, 1}}, &d->ar);
    sc_effects_init(&d->fx, &d->ar);
}

static void teardown(struct desk *d)
{
    sc_journey_fini(&d->jo);
    sc_taxonomy_fini(&d->tx);
    sc_arena_fini(&d->ar);
}

/* One event of the customer; time does not move, so that none is late. */
static void occurs(struct desk *d, uint16_t type, int64_t ms, const struct sc_value *props)
{
    struct sc_event ev = {.type = type, .source = SC_SOURCE_NONE, .props = props,
                          .source_name = SC_STR("t"), .id = sc_str_printf(&d->ar, "%d", d->events++),
                          .occurred_ms = ms, .n_ids = 1, .n_props = d->tx.events[type].n_props};
    ev.claimed_ms = ms;
    ev.id_hash = sc_event_id_hash(ev.source_name, ev.id);
    ev.ids[0].node = d->st->node;
    struct sc_record rec;
    sc_route(&ev, &d->st->node, &rec);
    struct sc_input in = {.kind = SC_IN_RECORD, .rec = &rec,
                          .now = {.watermark_ms = SC_NEVER, .event_clock = true, .deduped = true}};
    sc_journey_step(&d->jo, d->st, &in, &d->fx);
}

static void happens(struct desk *d, const char *name, int64_t ms, const char *about, const char *no)
{
    const struct { const char *name, *value; } given[] = {{"about", about}, {"no", no}};
    int type = sc_taxonomy_event(&d->tx, sc_str_from(name));
    cr_assert_geq(type, 0);
    const struct sc_event_type *et = &d->tx.events[type];
    struct sc_value *props = SC_NEW_N(&d->ar, struct sc_value, et->n_props + 1);
    for (int i = 0; i < 2; i++) {
        int prop = given[i].value ? sc_event_type_prop(et, sc_str_from(given[i].name)) : -1;
        if (prop >= 0)
            props[prop] = sc_string(sc_str_dup(&d->ar, sc_str_from(given[i].value)));
    }
    occurs(d, (uint16_t)type, ms, props);
}

struct tally {
    int64_t count;
    sc_sum sum;
};

static struct tally told(const struct desk *d, enum sc_metric metric)
{
    struct tally t = {0};
    for (uint32_t i = 0; i < d->fx.deltas.n; i++) {
        const struct sc_cell *c = &d->fx.deltas.v[i];
        t.count += c->metric == metric ? c->count : 0;
        t.sum += c->metric == metric ? c->sum : 0;
    }
    return t;
}

/* Every second contact is on a topic of its own, the others on one, hours apart: one first contact. */
Test(history, contacts_past_64_do_not_become_first_ones)
{
    struct desk d;
    setup(&d);
    char topic[32];
    for (int i = 0; i < 400; i++) {
        snprintf(topic, sizeof(topic), "t%d", i % 2 ? i : 0);
        happens(&d, i % 4 ? "asked" : "called", i * 6 * SC_HOUR_MS, topic, "n");
    }
    struct tally first = told(&d, SC_METRIC_FIRST_CONTACT);
    cr_expect_eq(first.count, 201);
    cr_expect_eq((int64_t)first.sum, 1, "all but the one go without another");
    cr_expect_eq(told(&d, SC_METRIC_SWITCH).count, 199);
    happens(&d, "asked", 20 * SC_HOUR_MS, "t0", "n");
    cr_expect_eq(told(&d, SC_METRIC_FIRST_CONTACT).count, 201, "before what is kept: not asked");
    cr_expect_eq(told(&d, SC_METRIC_CONTACT).count, 401);
    teardown(&d);
}

/* While none has left the list, all there is before it is known, as it is in order of time. */
Test(history, the_oldest_of_65_is_counted_whenever_it_comes)
{
    struct desk d;
    setup(&d);
    char topic[32];
    for (int i = 0; i < 64; i++) {
        snprintf(topic, sizeof(topic), "t%d", i);
        happens(&d, "asked", (i + 1) * SC_HOUR_MS, topic, "n");
    }
    cr_assert_eq(told(&d, SC_METRIC_FIRST_CONTACT).count, 64);
    happens(&d, "asked", 0, "t0", "n");
    cr_expect_eq(told(&d, SC_METRIC_FIRST_CONTACT).count, 64, "it is one, the next on its topic not");
    cr_expect_eq((int64_t)told(&d, SC_METRIC_FIRST_CONTACT).sum, 1);
    cr_expect_eq(d.st->history->touches.n, 64u);
    happens(&d, "asked", -SC_HOUR_MS, "new", "n");
    cr_expect_eq(told(&d, SC_METRIC_FIRST_CONTACT).count, 64, "what was before is not known any more");
    teardown(&d);
}

/* One change of the neighbourhood tells what changed, not the list again. */
Test(history, a_touch_tells_of_its_neighbours_alone)
{
    struct desk d;
    setup(&d);
    for (int i = 0; i < 60; i++)
        happens(&d, "asked", i * SC_HOUR_MS, "t", "n");
    sc_effects_clear(&d.fx);
    happens(&d, "asked", 30 * SC_HOUR_MS + 1, "t", "n");
    cr_expect_leq(d.fx.deltas.n, 4u);
    teardown(&d);
}

/* An answer to the first of two contacts ends one wait; it does so still when that one has left. */
Test(history, a_contact_that_waits_behind_another_does_not_start_to_when_that_is_settled)
{
    struct desk d;
    setup(&d);
    happens(&d, "asked", 0, "t", "n");
    happens(&d, "asked", SC_HOUR_MS, "t", "n");
    for (int i = 0; i < 63; i++)
        happens(&d, "called", 2 * SC_HOUR_MS + i, "other", "m");
    cr_expect_eq(d.st->history->touches.n, 64u);
    happens(&d, "answered", 3 * SC_HOUR_MS, "t", NULL);
    cr_expect_eq(told(&d, SC_METRIC_WAITING).count, 0);
    teardown(&d);
}

/* Behind one that is an answer too, a contact waits; it does so still when that one has left. */
Test(history, a_contact_that_waits_behind_an_answer_still_does_when_that_is_settled)
{
    struct desk d;
    setup(&d);
    happens(&d, "talked", 0, "t", NULL);
    happens(&d, "asked", SC_HOUR_MS, "t", "n");
    happens(&d, "answered", 2 * SC_HOUR_MS, "t", NULL);
    cr_assert_eq(told(&d, SC_METRIC_WAITING).count, 2);
    for (int i = 0; i < 63; i++)
        happens(&d, "called", 3 * SC_HOUR_MS + i, "other", "m");
    cr_expect_eq(told(&d, SC_METRIC_WAITING).count, 2);
    cr_expect_eq((int64_t)told(&d, SC_METRIC_WAITING).sum, 3 * SC_HOUR_MS);
    teardown(&d);
}

Test(history, a_case_is_handled_by_its_key_and_kind)
{
    struct desk d;
    setup(&d);
    happens(&d, "asked", 0, "slow", "7");
    happens(&d, "called", SC_HOUR_MS, "broken", "7"); /* another kind, the same key */
    happens(&d, "solved", 2 * SC_HOUR_MS, NULL, "7");
    cr_expect_eq(told(&d, SC_METRIC_HANDLING).count, 1);
    cr_expect_eq((int64_t)told(&d, SC_METRIC_HANDLING).sum, 2 * SC_HOUR_MS);
    happens(&d, "refunded", 5 * SC_HOUR_MS, NULL, "7");
    cr_expect_eq((int64_t)told(&d, SC_METRIC_HANDLING).sum, (2 + 4) * SC_HOUR_MS);
    for (int i = 0; i < 100; i++) /* the openings leave the list, then the closings */
        happens(&d, "asked", SC_DAY_MS + i, "x", "9");
    cr_expect_eq(told(&d, SC_METRIC_HANDLING).count, 2);
    teardown(&d);
}

static uint32_t weeks_backwards(struct desk *d, int n)
{
    setup(d);
    happens(d, "seen", 0, NULL, NULL);
    for (int w = n; w > 0; w--)
        happens(d, "seen", 2 * w * 7 * SC_DAY_MS, NULL, NULL);
    uint32_t deltas = d->fx.deltas.n;
    cr_expect_eq(told(d, SC_METRIC_ACTIVE).count, n + 1);
    cr_expect_eq(told(d, SC_METRIC_RETENTION).count, n + 1);
    return deltas;
}

Test(history, weeks_out_of_order_cost_as_many_deltas_as_weeks)
{
    struct desk d;
    uint32_t ten = weeks_backwards(&d, 10);
    teardown(&d);
    uint32_t fifty = weeks_backwards(&d, 50);
    cr_expect_leq(fifty, 5 * ten);
    teardown(&d);
}

/* A new version of the dictionary may give an amount more digits, and reaches resolve first. */
Test(history, an_amount_of_more_digits_than_the_plan_has_is_counted_in_the_plans)
{
    struct desk d;
    setup(&d);
    int bought = sc_taxonomy_event(&d.tx, SC_STR("bought"));
    struct sc_value total = sc_decimal((struct sc_decimal){100059, 4});
    occurs(&d, (uint16_t)bought, 0, &total);
    cr_expect_eq(told(&d, SC_METRIC_PURCHASE).count, 1);
    cr_expect_eq((int64_t)told(&d, SC_METRIC_PURCHASE).sum, 1000);
    cr_expect_eq((int64_t)d.st->history->purchases.v[0].value, 1000);
    teardown(&d);
}

static struct sc_history *buyer(struct desk *d, int first_day, int n, int step)
{
    struct sc_history *h = sc_history_new(&d->jo, &d->ar);
    h->first_ms = 0;
    for (int i = 0; i < n; i++) {
        struct sc_purchase_day day = {first_day + i * step, 100 + i};
        SC_VEC_PUSH(&d->ar, &h->purchases, day);
    }
    return h;
}

static struct sc_clv merged(struct desk *d, struct sc_history *const h[3], const int order[3])
{
    struct sc_state *into = sc_state_new(&d->jo, d->st->node, &d->ar);
    struct sc_clv clv;
    for (int i = 0; i < 3; i++) {
        struct sc_state *from = sc_state_new(&d->jo, (struct sc_node_id){{0xf1, 2}}, &d->ar);
        from->n_events = 1;
        from->history = sc_history_new(&d->jo, &d->ar);
        *from->history = *h[order[i]];
        sc_history_merge(&d->jo, into, from);
        into->n_events = 1;
    }
    cr_assert(sc_history_clv(into->history, &clv));
    return clv;
}

/* More purchase days than are kept, on three sides: the first day and the sums in any order. */
Test(history, purchases_merge_in_any_order)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct desk d;
    setup(&d);
    struct sc_history *h[3] = {buyer(&d, 1000, 120, 3), buyer(&d, 1001, 120, 3), buyer(&d, 11, 5, 3)};
    struct sc_clv first = merged(&d, h, orders[0]);
    cr_expect_eq(first.frequency, 244);
    cr_expect_eq(first.first_day, 11);
    cr_expect_eq(first.recency_days, 1001 + 119 * 3 - 11);
    cr_expect_eq((int64_t)first.repeat_value, 245 * 100 + 2 * (119 * 120 / 2) + 10 - 100);
    for (int i = 1; i < 6; i++) {
        struct sc_clv clv = merged(&d, h, orders[i]);
        cr_expect(clv.frequency == first.frequency && clv.first_day == first.first_day &&
                  clv.recency_days == first.recency_days && clv.repeat_value == first.repeat_value,
                  "order %d", i);
    }
    teardown(&d);
}

/* What leaves the list by a merge is counted like what stays. */
Test(history, a_merge_past_64_takes_nothing_back)
{
    struct desk a, b;
    setup(&a);
    setup(&b);
    for (int i = 0; i < 64; i++) {
        happens(&a, "asked", i * SC_DAY_MS, i % 2 ? "a1" : "a2", "n");
        happens(&b, "called", i * SC_DAY_MS + 5, i % 2 ? "b1" : "b2", "m");
    }
    int64_t before = told(&a, SC_METRIC_FIRST_CONTACT).count + told(&b, SC_METRIC_FIRST_CONTACT).count;
    cr_assert_eq(before, 4);
    int64_t weeks = told(&a, SC_METRIC_ACTIVE).count;
    sc_history_count(&a.jo, a.st, -1, &a.fx);
    sc_history_count(&a.jo, b.st, -1, &a.fx);
    sc_state_merge(&a.jo, a.st, b.st);
    sc_history_count(&a.jo, a.st, 1, &a.fx);
    sc_history_settle(&a.jo, a.st->history);
    cr_expect_eq(told(&a, SC_METRIC_FIRST_CONTACT).count + told(&b, SC_METRIC_FIRST_CONTACT).count,
                 before);
    cr_expect_eq(told(&a, SC_METRIC_ACTIVE).count + told(&b, SC_METRIC_ACTIVE).count, weeks);
    cr_expect_eq(a.st->history->touches.n, 64u);
    happens(&a, "asked", 64 * SC_DAY_MS, "a2", "n");
    cr_expect_eq(told(&a, SC_METRIC_FIRST_CONTACT).count + told(&b, SC_METRIC_FIRST_CONTACT).count,
                 before, "it knows those before it still");
    teardown(&b);
    teardown(&a);
}
