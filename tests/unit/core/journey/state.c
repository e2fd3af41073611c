/* Facts one by one, dedupe, touchpoints, what expressions ask for, the customer line. Windows and
 * laws at random: tests/prop/window.c, tests/prop/merge.c. */
#include "../../../lib/states.h"

#include <criterion/criterion.h>

static struct shop sh;
static struct sc_state *st;
static struct chance luck;

static void setup(void)
{
    luck = (struct chance){17};
    shop_init(&sh, states_journey);
    st = sc_state_new(&sh.jo, shop_node(1, 1), &sh.ar);
}

static void teardown(void)
{
    shop_fini(&sh);
}

TestSuite(facts, .init = setup, .fini = teardown);
TestSuite(dedupe, .init = setup, .fini = teardown);
TestSuite(ring, .init = setup, .fini = teardown);
TestSuite(customer, .init = setup, .fini = teardown);

/* An order with a total in cents (INT64_MIN: none), `minute` minutes after the start. */
static struct sc_event *order(int64_t minute, int64_t cents)
{
    struct sc_event *ev = shop_event(&sh, sc_taxonomy_event(&sh.tx, SC_STR("order")),
                                     SHOP_START + minute * SC_MINUTE_MS, &luck);
    struct sc_value *props = SC_NEW_N(&sh.ar, struct sc_value, 4);
    if (cents != INT64_MIN)
        props[0] = sc_decimal((struct sc_decimal){cents, 2});
    ev->props = props;
    return ev;
}

static void apply(const struct sc_event *ev)
{
    for (uint32_t f = 0; f < sh.jo.n_facts; f++)
        if (sh.jo.facts[f].event == ev->type)
            sc_fact_apply(&sh.jo, st, f, ev);
}

static struct sc_value fact(const char *name, int64_t minute)
{
    return sc_fact_read(&sh.jo, st, shop_fact(&sh, name), SHOP_START + minute * SC_MINUTE_MS);
}

static void is_error(struct sc_value v, enum sc_value_err e)
{
    cr_assert_eq(v.type, SC_T_ERROR);
    cr_assert_eq(v.i, (int64_t)e);
}

Test(facts, before_any_event)
{
    cr_assert(fact("orders", 0).type == SC_T_INT && fact("orders", 0).i == 0);
    cr_assert(fact("spent", 0).type == SC_T_DECIMAL && fact("spent", 0).i == 0);
    cr_assert(fact("scores", 0).type == SC_T_DOUBLE && fact("products", 0).i == 0);
    cr_assert(fact("seen_day", 0).type == SC_T_BOOL && fact("seen_day", 0).i == 0);
    is_error(fact("least", 0), SC_VE_NO_VALUE);
    is_error(fact("most_day", 0), SC_VE_NO_VALUE);
    is_error(fact("mean", 0), SC_VE_NO_VALUE);
    is_error(fact("first_tags", 0), SC_VE_NO_VALUE);
    is_error(fact("last_total", 0), SC_VE_NO_VALUE);
    is_error(fact("since_order", 0), SC_VE_NO_VALUE);
    is_error(fact("began", 0), SC_VE_NO_VALUE);
}

Test(facts, windows_are_half_open)
{
    apply(order(0, 500));
    cr_assert_eq(fact("spent_week", 7 * 24 * 60).i, 0, "age == w is out");
    cr_assert_eq(fact("spent_week", 7 * 24 * 60 - 1).i, 500);
    cr_assert_eq(fact("spent_week", -1).i, 0, "an event ahead of now is not yet in a window");
    cr_assert_eq(fact("spent", -1).i, 500, "without a window all count");
    is_error(fact("most_day", 24 * 60), SC_VE_NO_VALUE);
}

Test(facts, an_absent_property_leaves_its_aggregates_alone)
{
    apply(order(0, INT64_MIN));
    cr_assert_eq(fact("orders", 0).i, 1);
    cr_assert_eq(fact("spent", 0).i, 0);
    is_error(fact("least", 0), SC_VE_NO_VALUE);
    is_error(fact("last_total", 0), SC_VE_NO_VALUE);
}

Test(facts, decimals_are_exact_until_they_do_not_fit)
{
    for (int i = 0; i < 1000; i++)
        apply(order(i, 10)); /* 0.10 */
    cr_assert_eq(fact("spent", 0).i, 10000, "100.00");
    cr_assert_eq(fact("spent", 0).scale, 2);
    int64_t most = INT64_C(999999999999999999);
    apply(order(0, most));
    is_error(fact("spent", 0), SC_VE_OVERFLOW);
    apply(order(0, -most));
    cr_assert_eq(fact("spent", 0).i, 10000, "what came in between does not matter");
}

Test(facts, doubles_add_up_the_same_in_any_order)
{
    static const double v[] = {0.1, 1e15, 0.2, -1e15, 0.3, 7.25};
    struct sc_value sums[2];
    for (int k = 0; k < 2; k++) {
        st = sc_state_new(&sh.jo, shop_node(1, 1), &sh.ar);
        for (int i = 0; i < 6; i++) {
            struct sc_event *ev = shop_event(&sh, 0, SHOP_START, &luck);
            ev->props = (struct sc_value[]){sc_string(SC_STR("p")), sc_double(v[k ? 5 - i : i])};
            apply(ev);
        }
        sums[k] = fact("scores", 0);
    }
    cr_assert_eq(sums[0].d, sums[1].d);
    cr_assert_float_eq(sums[0].d, 7.85, 1e-12);
    struct sc_event *ev = shop_event(&sh, 0, SHOP_START, &luck);
    ev->props = (struct sc_value[]){sc_string(SC_STR("p")), sc_double(1e300)};
    apply(ev);
    is_error(fact("scores", 0), SC_VE_OVERFLOW);
}

Test(facts, first_and_last_go_by_time_then_source_then_id)
{
    struct sc_event *a = order(5, 100), *b = order(5, 200), *c = order(5, 300);
    a->source_name = SC_STR("pos");
    b->source_name = c->source_name = SC_STR("web");
    b->id = SC_STR("b");
    c->id = SC_STR("c");
    apply(c);
    apply(a);
    apply(b);
    cr_assert_eq(fact("last_total", 9).i, 300);
    apply(order(4, 400));
    cr_assert_eq(fact("last_total", 9).i, 300, "arrival does not matter");
    apply(order(6, 600));
    cr_assert_eq(fact("last_total", 9).i, 600);
    cr_assert_eq(fact("since_order", 9).i, 3 * SC_MINUTE_MS);
}

Test(facts, a_value_too_large_to_keep_is_not_kept)
{
    struct sc_event *ev = order(0, 100);
    struct sc_value *tags = SC_NEW_N(&sh.ar, struct sc_value, 300), props[4];
    for (int i = 0; i < 300; i++)
        tags[i] = sc_string(SC_STR("a tag of some length"));
    memcpy(props, ev->props, sizeof(props));
    props[2] = (struct sc_value){.type = SC_T_LIST, .len = 300, .list = tags};
    ev->props = props;
    apply(ev);
    is_error(fact("first_tags", 0), SC_VE_NO_VALUE);
    props[2].len = 2;
    apply(ev);
    cr_assert_eq(fact("first_tags", 0).len, 2);
}

Test(facts, where_filters)
{
    apply(order(0, 5000));
    apply(order(0, 5001));
    cr_assert_eq(fact("big", 0).i, 1);
}

static const struct sc_tz *zone(void *arg, struct sc_str name)
{
    return sc_str_eqz(name, "Europe/Oslo") ? arg : NULL;
}

/* What an event says of its zone is asked there too. */
Test(facts, where_knows_zones)
{
    struct shop noon;
    struct sc_tz *oslo = sc_tz_load(SC_STR("Europe/Oslo"));
    cr_assert_not_null(oslo);
    shop_init(&noon, "journey: shop\ntaxonomy: taxonomy.yaml\n"
                     "facts: { lunch: 'count(\"viewed\", where: has(event.product) && "
                     "event.occurred_at.getHours(event.product) == 12)' }\n");
    noon.jo.zone = zone;
    noon.jo.zone_arg = oslo;
    struct sc_state *one = sc_state_new(&noon.jo, shop_node(1, 1), &noon.ar);
    struct sc_event *ev = shop_event(&noon, 0, SHOP_START + SC_HOUR_MS, &luck);
    ev->props = (struct sc_value[]){sc_string(SC_STR("Europe/Oslo")), sc_absent()};
    sc_fact_apply(&noon.jo, one, 0, ev);
    cr_expect_eq(sc_fact_read(&noon.jo, one, 0, SHOP_START).i, 1);
    shop_fini(&noon);
    sc_tz_destroy(oslo);
}

/* ---- dedupe */

static enum sc_dedupe seen(uint64_t id, uint32_t content, int64_t ms, uint32_t *evicted)
{
    return sc_dedupe(st, id, content, ms, evicted);
}

Test(dedupe, copies_and_clashes)
{
    uint32_t evicted = 0;
    cr_assert_eq(seen(1, 10, 0, &evicted), SC_DEDUPE_NEW);
    cr_assert_eq(seen(1, 10, 5, &evicted), SC_DEDUPE_COPY);
    cr_assert_eq(seen(1, 11, 5, &evicted), SC_DEDUPE_CLASH);
    cr_assert_eq(seen(1, 11, 5, &evicted), SC_DEDUPE_COPY, "of the clash");
    cr_assert_eq(seen(2, 10, 5, &evicted), SC_DEDUPE_NEW);
    cr_assert(st->seen.n == 3 && evicted == 0);
}

/* Of two ids that share what is looked at first, the rest tells. */
Test(dedupe, forty_eight_bits_of_an_id_count)
{
    uint32_t evicted = 0;
    uint64_t id = UINT64_C(0xABCD00000001);
    cr_assert_eq(seen(id, 10, 0, &evicted), SC_DEDUPE_NEW);
    cr_assert_eq(seen(id ^ UINT64_C(1) << 47, 10, 0, &evicted), SC_DEDUPE_NEW);
    cr_assert_eq(seen(id ^ UINT64_C(1) << 32, 10, 0, &evicted), SC_DEDUPE_NEW);
    cr_assert_eq(seen(id ^ UINT64_C(1) << 48, 10, 0, &evicted), SC_DEDUPE_COPY);
    cr_assert_eq(seen(id, 11, 0, &evicted), SC_DEDUPE_CLASH);
}

Test(dedupe, ages_count_from_the_newest_and_end_somewhere)
{
    uint32_t evicted = 0;
    seen(1, 0, SHOP_START, &evicted);
    seen(2, 0, SHOP_START - SC_HOUR_MS, &evicted); /* a clock that went back */
    cr_assert(st->seen.v[0].age == 0 && st->seen.v[1].age == 1800);
    seen(3, 0, SHOP_START + SC_HOUR_MS, &evicted);
    cr_assert(st->seen.v[0].age == 1800 && st->seen.v[1].age == 3600 && st->seen.v[2].age == 0);
    seen(4, 0, SHOP_START + 100 * SC_DAY_MS, &evicted);
    cr_assert(st->seen.v[0].age == UINT16_MAX && st->seen.v[2].age == UINT16_MAX);
    cr_assert_eq(st->seen.n, 4, "under 64 none goes");
    cr_assert_eq(seen(1, 0, SHOP_START, &evicted), SC_DEDUPE_COPY);
}

Test(dedupe, a_day_but_never_under_64)
{
    uint32_t evicted = 0;
    int64_t day = SC_DEDUPE_KEEP_MS;
    for (uint32_t i = 0; i < 100; i++)
        seen(i, 0, SHOP_START, &evicted);
    seen(1000, 0, SHOP_START + day, &evicted);
    cr_assert_eq(st->seen.n, 101, "a day old is kept");
    seen(1001, 0, SHOP_START + day + 2000, &evicted);
    cr_assert_eq(st->seen.n, 64);
    cr_assert_eq(seen(99, 0, SHOP_START + day + 2000, &evicted), SC_DEDUPE_COPY);
    cr_assert_eq(seen(0, 0, SHOP_START + day + 2000, &evicted), SC_DEDUPE_NEW);
    cr_assert_eq(evicted, 0, "old age is not an early end");
}

Test(dedupe, at_most_4096_and_found_among_them)
{
    uint32_t evicted = 0;
    uint64_t n = 3 * SC_DEDUPE_MAX;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t id = i * UINT64_C(0x9E3779B97F4A7C15);
        cr_assert_eq(seen(id, (uint32_t)i, SHOP_START, &evicted), SC_DEDUPE_NEW);
        cr_assert_eq(seen(id, (uint32_t)i, SHOP_START, &evicted), SC_DEDUPE_COPY);
    }
    cr_assert_eq(st->seen.n, SC_DEDUPE_MAX);
    cr_assert_eq(evicted, n - SC_DEDUPE_MAX);
    for (uint64_t i = n - SC_DEDUPE_MAX; i < n; i++)
        cr_assert_eq(seen(i * UINT64_C(0x9E3779B97F4A7C15), (uint32_t)i, SHOP_START, &evicted),
                     SC_DEDUPE_COPY);
    cr_assert_eq(seen(0, 0, SHOP_START, &evicted), SC_DEDUPE_NEW, "the oldest went");
}

/* ---- touchpoints */

Test(ring, the_newest_whatever_the_order)
{
    struct sc_event *evs[40];
    for (int i = 0; i < 40; i++)
        evs[i] = order(i, i);
    shop_shuffle(evs, 40, &luck);
    for (int i = 0; i < 40; i++)
        sc_ring_add(&sh.jo, st, evs[i]);
    cr_assert_eq(st->ring.n, sh.jo.ring_max);
    for (uint32_t i = 0; i < st->ring.n; i++)
        cr_assert_eq(st->ring.v[i].ms, SHOP_START + (int64_t)(40 - st->ring.n + i) * SC_MINUTE_MS);
    sc_ring_add(&sh.jo, st, evs[0]);
    cr_assert_eq(st->ring.n, sh.jo.ring_max, "never twice");
}

Test(ring, recent_gives_canonical_events_newest_first)
{
    struct sc_event *cart = shop_event(&sh, 1, SHOP_START, &luck);
    cart->props = (struct sc_value[]){sc_string(SC_STR("c1")), sc_absent()};
    cart->id = SC_STR("e1");
    cart->source_name = SC_STR("web");
    sc_ring_add(&sh.jo, st, cart);
    sc_ring_add(&sh.jo, st, order(1, 500));
    struct sc_rule_ctx cx;
    sc_rule_bind(&cx, &sh.jo, st, NULL, SHOP_START + SC_HOUR_MS, &sh.ar);
    cr_assert_eq(cx.host->recent(&cx, -1, 1).len, 1);
    struct sc_value all = cx.host->recent(&cx, -1, 9), carts = cx.host->recent(&cx, 1, 9);
    cr_assert(all.len == 2 && carts.len == 1);
    cr_assert(sc_value_eq(all.list[1], carts.list[0]));
    struct sc_buf out = {.ar = &sh.ar};
    struct sc_jsonw w;
    sc_jsonw_init(&w, &out);
    sc_value_json(carts, &w);
    cr_assert(sc_str_eqz(sc_buf_view(&out),
                         "[{\"event\":\"cart\",\"id\":\"e1\","
                         "\"occurred_at\":\"2026-03-02T10:00:00Z\","
                         "\"source\":\"web\",\"properties\":{\"cart_id\":\"c1\"}}]"),
              "%.*s", SC_STR_FMT(sc_buf_view(&out)));
    cx.now_ms = SHOP_START;
    cr_assert_eq(cx.host->recent(&cx, -1, 9).len, 1, "what is ahead of now has not happened");
}

Test(ring, open_cases_and_attributes)
{
    struct sc_rule_ctx cx;
    sc_rule_bind(&cx, &sh.jo, st, NULL, SHOP_START, &sh.ar);
    cr_assert_eq(cx.host->open(&cx, 0).i, 0);
    SC_VEC_PUSH(&sh.ar, &st->cases, ((struct sc_open_case){0, 1, SHOP_START, SC_NEVER}));
    cr_assert_eq(cx.host->open(&cx, 0).i, 1);
    st->cases.v[0].closed_ms = SHOP_START;
    cr_assert_eq(cx.host->open(&cx, 0).i, 0, "closed at the same instant");
    cr_assert(sc_str_eqz(sc_value_str(cx.host->attr(&cx, SC_ATTR_STAGE)), "new"));
    cr_assert_eq(cx.host->attr(&cx, SC_ATTR_TIMEZONE).len, 0);
    st->phone_zone = SC_STR("Europe/Oslo");
    cr_assert(sc_str_eqz(sc_value_str(cx.host->attr(&cx, SC_ATTR_TIMEZONE)), "Europe/Oslo"));
    cr_assert(cx.host->attr(&cx, SC_ATTR_PERSONA).type == SC_T_STRING);
}

/* ---- the customer line */

static struct sc_str reveal(void *arg, const struct sc_node_id *node)
{
    return node->b[1] == *(uint8_t *)arg ? SC_STR("kari@example.org") : SC_STR_NULL;
}

Test(customer, a_line)
{
    apply(order(0, 1250));
    SC_VEC_PUSH(&sh.ar, &st->members, ((struct sc_member){.node = shop_node(2, 9)}));
    SC_VEC_PUSH(&sh.ar, &st->former, shop_node(2, 9));
    st->milestones[0] = SHOP_START;
    struct sc_buf out = {.ar = &sh.ar};
    uint8_t known = 9;
    sc_state_customer_json(&sh.jo, st, SHOP_START + SC_HOUR_MS, reveal, &known, &out);
    static const char expected[] =
        "{\"id\":\"f1010707070000000000000000000000\","
        "\"former_ids\":[\"f2090707070000000000000000000000\"],"
        "\"members\":{\"account_id\":[\"f1010707070000000000000000000000\"],"
        "\"email\":[\"kari@example.org\"]},"
        "\"stage\":\"new\",\"tracks\":{\"care\":\"calm\"},"
        "\"milestones\":{\"first_order\":\"2026-03-02T10:00:00Z\"},"
        "\"facts\":{\"orders\":1,\"spent\":12.5,\"spent_week\":12.5,\"least\":12.5,"
        "\"most_day\":12.5,\"mean\":null,\"scores\":0";
    cr_assert(sc_str_starts(sc_buf_view(&out), sc_str_from(expected)), "%.*s",
              SC_STR_FMT(sc_buf_view(&out)));
    cr_assert(strstr(out.p, "\"since_order\":\"1h\"") != NULL);
}

Test(customer, an_estimate_says_so)
{
    for (int i = 0; i < 2000; i++) {
        struct sc_event *ev = shop_event(&sh, 0, SHOP_START, &luck);
        ev->props = (struct sc_value[]){sc_string(sc_str_printf(&sh.ar, "p%d", i)), sc_absent()};
        apply(ev);
    }
    struct sc_buf out = {.ar = &sh.ar};
    sc_state_customer_json(&sh.jo, st, SHOP_START, NULL, NULL, &out);
    const char *at = strstr(out.p, "\"products\":\"~");
    cr_assert_not_null(at);
    cr_assert_float_eq(atof(at + 13), 2000, 80);
}
