/* Rules as a journey has them: what they come to, and what is told of them. */
#include "shop.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct sc_value money(const char *text)
{
    struct sc_decimal d;
    cr_assert_eq(sc_decimal_parse(sc_str_from(text), 4, &d), SC_DECIMAL_OK);
    return sc_decimal(d);
}

static struct sc_value strings(struct shop *sh, const char *a, const char *b)
{
    struct sc_value *v = SC_NEW_N(&sh->ar, struct sc_value, 2);
    v[0] = shop_text(a);
    v[1] = shop_text(b);
    return (struct sc_value){.type = SC_T_LIST, .len = 2, .list = v};
}

Test(rule_rules, an_event_rule_asks_name_and_facts)
{
    struct shop sh;
    shop_open(&sh);
    const struct sc_prog *p = shop_rule(
        &sh, "event.name == \"product_viewed\" && count(\"product_viewed\", \"7d\") >= 3");
    uint32_t views = shop_fact(&sh, "count(\"product_viewed\", \"7d\")");
    cr_expect_leq(sc_rule_info(p)->cost, 6u);
    sh.facts[views] = sc_int(3);
    shop_event(&sh, "product_viewed");
    cr_expect(sc_rule_holds(p, &sh.cx));
    sh.facts[views] = sc_int(2);
    cr_expect_not(sc_rule_holds(p, &sh.cx));
    sh.facts[views] = sc_int(9);
    shop_event(&sh, "cart_updated");
    cr_expect_not(sc_rule_holds(p, &sh.cx));
    sh.cx.ev = NULL; /* a timer: the event is an error value, the rule does not hold */
    cr_expect_not(sc_rule_holds(p, &sh.cx));
    shop_close(&sh);
}

Test(rule_rules, values_of_an_event)
{
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"event.name", "\"cart_updated\""},
        {"event.id + '/' + event.source", "\"e-1/web\""},
        {"event.occurred_at", "\"2026-03-02T10:00:00Z\""},
        {"event.occurred_at.getHours('Europe/Oslo')", "11"},
        {"event.occurred_at.getHours(customer.timezone)", "error: the value cannot be converted"},
        {"event.?cart_id.orValue('')", "\"c-7\""},
        {"event.name == 'cart_updated' && event.value == 20.1", "true"},
        {"event.name == 'cart_updated' && event.value in [20.1, 3]", "true"},
        {"event.name == 'cart_updated' ? event.value + 0.2 : 0.0", "20.3"},
        {"event.name == 'cart_updated' ? event.value * 2 : 0.0", "40.2"},
        {"event.name == 'cart_updated' ? event.value - 30 : 0.0", "-9.9"},
        {"event.name == 'cart_updated' ? event.value / 2 : 0.0", "10.05"},
        {"event.name in ['cart_updated', 'order_completed']", "true"},
        {"event.name in ['order_completed']", "false"},
        {"!(event.name in ['order_completed'])", "true"},
        {"event.name != 'cart_updated'", "false"},
        {"'cart_updated' == event.name", "true"},
        {"event.items.exists(i, i.startsWith('sku-'))", "true"},
        {"event.items[1]", "\"gift\""},
        {"event.items.map(i, size(i))", "[5,4]"},
        {"has(event.weight)", "false"},
        {"has(event.cart_id)", "true"},
        {"event.?weight.value() > 3.0", "error: no value"},
        {"event.?weight.value() > 3.0 || true", "true"},
        {"event.?weight.orValue(1.5)", "1.5"},
        {"event.rating > 3", "error: no value"}, /* this event has no such property */
        {"customer.stage == 'purchase' && customer.persona == ''", "true"},
        {"customer.support == 'calm' && customer.support != 'troubled'", "true"},
        {"open('support_case')", "true"},
        {"since('order_completed') > 30m", "error: no value"},
        {"30m + 1h30m == duration('2h')", "true"},
        {"7d", "\"7d\""},
    };
    struct shop sh;
    shop_open(&sh);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        shop_event(&sh, "cart_updated");
        shop_set(&sh, "cart_id", shop_text("c-7"));
        shop_set(&sh, "value", money("20.1"));
        shop_set(&sh, "items", strings(&sh, "sku-1", "gift"));
        cr_expect_str_eq(shop_eval(&sh, cases[i].text), cases[i].value, "%s is %s", cases[i].text,
                         shop_eval(&sh, cases[i].text));
    }
    shop_close(&sh);
}

Test(rule_rules, one_property_of_several_events)
{
    struct shop sh;
    shop_open(&sh);
    const struct sc_prog *p = shop_value(
        &sh, "event.name in ['cart_updated', 'order_completed'] && has(event.cart_id) && "
             "event.cart_id == 'c'");
    for (int i = 0; i < 2; i++) {
        shop_event(&sh, i ? "order_completed" : "cart_updated");
        shop_set(&sh, "cart_id", shop_text("c"));
        cr_expect(sc_rule_holds(p, &sh.cx));
    }
    shop_event(&sh, "case_opened");
    cr_expect_not(sc_rule_holds(p, &sh.cx));
    shop_close(&sh);
}

Test(rule_rules, decimals_are_exact_beside_literals)
{
    struct shop sh;
    shop_open(&sh);
    const char *persona = "sum('order_completed', 'discount', '90d') > "
                          "0.3 * sum('order_completed', 'total', '90d')";
    const struct sc_prog *p = shop_rule(&sh, persona);
    uint32_t discount = shop_fact(&sh, "sum(\"order_completed\", \"discount\", \"90d\")");
    uint32_t total = shop_fact(&sh, "sum(\"order_completed\", \"total\", \"90d\")");
    sh.facts[discount] = money("31");
    sh.facts[total] = money("100");
    cr_expect(sc_rule_holds(p, &sh.cx));
    sh.facts[discount] = money("29.9999");
    cr_expect_not(sc_rule_holds(p, &sh.cx));
    sh.facts[discount] = money("0.3");
    cr_expect_str_eq(shop_eval(&sh, "sum('order_completed', 'discount', '90d') == 0.3"), "true");
    cr_expect_str_eq(shop_eval(&sh, "sum('order_completed', 'discount', '90d') + 0.1 == 0.4"),
                     "true");
    cr_expect_str_eq(shop_eval(&sh, "double(sum('order_completed', 'discount', '90d'))"), "0.3");
    sh.facts[total] = sc_decimal((struct sc_decimal){999999999999999999, 0});
    cr_expect_str_eq(shop_eval(&sh, "sum('order_completed', 'total', '90d') + 1"),
                     "error: the result is out of range");
    shop_close(&sh);
}

Test(rule_rules, recent_touchpoints_are_maps)
{
    struct shop sh;
    shop_open(&sh);
    struct sc_value entry[4] = {shop_text("name"), shop_text("case_opened"), shop_text("case_id"),
                                shop_text("k-1")};
    struct sc_value map = {.type = SC_T_MAP, .len = 2, .map = entry};
    sh.recent = (struct sc_value){.type = SC_T_LIST, .len = 1, .list = &map};
    cr_expect_str_eq(shop_eval(&sh, "recent('*', 10).map(t, t.case_id)"), "[\"k-1\"]");
    cr_expect_str_eq(shop_eval(&sh, "recent('case_opened', 3)[0].name"), "\"case_opened\"");
    cr_expect_str_eq(shop_eval(&sh, "recent('*', 10)[1].name"), "error: index out of bounds");
    cr_expect(sh.sp.recent_used);
    cr_expect_eq(sh.sp.recent_max, 10u);
    for (uint32_t e = 0; e < sh.tx.n_events; e++)
        cr_expect_eq(sh.sp.ring_reads[e], 1u);
    shop_close(&sh);
}

/* ---- Facts */

Test(rule_rules, a_calendar_window)
{
    struct shop sh;
    shop_open(&sh);
    cr_assert_not_null(shop_value(&sh, "sum('order_completed', 'total', ' calendar  week ')"));
    cr_assert_not_null(shop_value(&sh, "seen('order_completed', 'calendar day Europe/Oslo')"));
    const struct sc_fact *own = &sh.sp.facts.v[shop_fact(
        &sh, "sum(\"order_completed\", \"total\", \"calendar week\")")];
    const struct sc_fact *oslo = &sh.sp.facts.v[shop_fact(
        &sh, "seen(\"order_completed\", \"calendar day Europe/Oslo\")")];
    cr_expect(own->calendar == SC_CAL_WEEK && own->zone.customer && own->zone.fixed == NULL);
    cr_expect(oslo->calendar == SC_CAL_DAY && !oslo->zone.customer && oslo->zone.fixed != NULL);
    cr_expect_geq(oslo->window_ms, 25 * SC_HOUR_MS, "a day may have 25 hours");
    shop_close(&sh);
}

Test(rule_rules, one_text_is_one_fact)
{
    static const char *const same[] = {
        "count(\"product_viewed\", \"7d\", where: has(event.price) && event.price > 10.0)",
        "count('product_viewed' , 168h, where:has( event.price)&&event.price>10.0)",
        "count('view_item', '168h', where: has(event . price)  && event . price   > 10.0)",
    };
    struct shop sh;
    shop_open(&sh);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        cr_assert_not_null(shop_value(&sh, same[i]));
    cr_expect_eq(sh.sp.facts.n, 1u);
    const struct sc_fact *fact = &sh.sp.facts.v[shop_fact(&sh, same[0])];
    cr_expect_eq(fact->kind, SC_FACT_COUNT);
    cr_expect_eq(fact->window_ms, 7 * SC_DAY_MS);
    cr_assert_not_null(fact->where);
    shop_event(&sh, "product_viewed");
    shop_set(&sh, "price", money("10.01"));
    cr_expect(sc_rule_holds(fact->where, &sh.cx));
    shop_set(&sh, "price", money("10"));
    cr_expect_not(sc_rule_holds(fact->where, &sh.cx));
    shop_close(&sh);
}

Test(rule_rules, exact_is_part_of_a_fact)
{
    struct shop sh;
    shop_open(&sh);
    shop_value(&sh, "count('case_opened', '7d')");
    shop_value(&sh, "count('case_opened', '7d', exact: true)");
    sh.sp.exact = true;
    shop_value(&sh, "count('case_opened', '7d')");
    cr_expect_eq(sh.sp.facts.n, 2u);
    cr_expect(sh.sp.facts.v[shop_fact(&sh, "count(\"case_opened\", \"7d\") exact")].exact);
    shop_close(&sh);
}

Test(rule_rules, reads_are_marked)
{
    struct shop sh;
    shop_open(&sh);
    int order = sc_taxonomy_event(&sh.tx, SC_STR("order_completed"));
    const struct sc_event_type *et = &sh.tx.events[order];
    shop_rule(&sh, "event.name == 'order_completed' && event.total > 1.0 || "
                   "sum('order_completed', 'discount') > 1.0 || "
                   "count('order_completed', where: event.lines > 3) > 1");
    uint64_t want = 0;
    const char *const read[] = {"total", "discount", "lines"};
    for (int i = 0; i < 3; i++)
        want |= UINT64_C(1) << sc_event_type_prop(et, sc_str_from(read[i]));
    for (uint32_t e = 0; e < sh.tx.n_events; e++)
        cr_expect_eq(sh.sp.read[e][0], e == (uint32_t)order ? want : 0);
    shop_close(&sh);
}

Test(rule_rules, a_name_stands_for_its_expression)
{
    struct shop sh;
    shop_open(&sh);
    const struct sc_prog *orders = shop_value(&sh, "count('order_completed')");
    sc_scope_name(&sh.sp, SC_STR("orders"), orders, (struct sc_mark){0});
    cr_expect(sc_str_eqz(sh.sp.facts.v[0].name, "orders"));
    const struct sc_prog *mean =
        shop_value(&sh, "orders == 0 ? 0.0 : "
                        "double(sum('order_completed', 'total')) / double(orders)");
    sc_scope_name(&sh.sp, SC_STR("mean_order"), mean, (struct sc_mark){0});
    sh.facts[0] = sc_int(4);
    sh.facts[shop_fact(&sh, "sum(\"order_completed\", \"total\")")] = money("10");
    cr_expect_str_eq(shop_eval(&sh, "mean_order"), "2.5");
    cr_expect_str_eq(shop_eval(&sh, "mean_order > 2.0 && orders >= 3"), "true");
    const struct sc_prog *p = shop_rule(&sh, "mean_order > 2.0");
    cr_expect_eq(sc_rule_info(p)->n_facts, 2u);
    cr_expect_not(sc_rule_info(p)->reads_event);
    cr_expect(sc_rule_info(p)->reads_facts);
    shop_close(&sh);
}

/* ---- What is told of a rule */

static void expect_events(struct shop *sh, const char *text, const char *names)
{
    const struct sc_rule_info *info = sc_rule_info(shop_rule(sh, text));
    struct sc_buf b = {0};
    for (uint32_t i = 0; info->events && i < info->n_events; i++)
        sc_buf_addf(&b, "%.*s ", SC_STR_FMT(sh->tx.events[info->events[i]].name));
    if (info->events == NULL)
        sc_buf_addz(&b, "any ");
    sc_buf_char(&b, '\0');
    cr_expect_str_eq(b.p, names, "%s: %s", text, b.p);
    sc_buf_fini(&b);
}

Test(rule_rules, the_events_a_rule_can_hold_for)
{
    struct shop sh;
    shop_open(&sh);
    expect_events(&sh, "event.name == 'case_opened'", "case_opened ");
    expect_events(&sh, "event.name == 'case_opened' || event.name == 'case_closed'",
                  "case_opened case_closed ");
    expect_events(&sh, "event.name in ['case_opened', 'case_closed'] && event.case_id != ''",
                  "case_opened case_closed ");
    expect_events(&sh, "!(event.name != 'case_opened')", "case_opened ");
    expect_events(&sh, "event.name == 'case_opened' && event.name == 'case_closed'", "");
    expect_events(&sh, "event.name == 'case_opened' || count('case_opened') > 1", "any ");
    expect_events(&sh, "event.name == 'case_opened' ? true : event.name == 'case_closed'",
                  "case_opened case_closed ");
    expect_events(&sh, "count('case_opened') > 1", "any ");
    expect_events(&sh, "event.rating > 3", "review_posted ");
    expect_events(&sh, "event.case_id == 'k' && event.name != 'case_closed'", "case_opened ");
    expect_events(&sh, "!(event.rating > 3)", "review_posted ");
    expect_events(&sh, "has(event.total) || event.rating + 1 > 3",
                  "order_completed review_posted ");
    expect_events(&sh, "event.rating > 3 || count('case_opened') > 1", "any ");
    expect_events(&sh, "!has(event.total)", "any ");
    expect_events(&sh, "event.?total.hasValue()", "any ");
    expect_events(&sh, "[1].exists(i, event.rating > i)", "any ");
    expect_events(&sh, "event.name != 'case_opened'",
                  "product_viewed cart_updated order_completed review_posted case_closed ");
    shop_close(&sh);
}

static uint32_t below(uint64_t *seed, uint32_t n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % n;
}

/* Any of these, joined at random. */
static void random_rule(uint64_t *seed, int depth, struct sc_buf *out)
{
    static const char *const atoms[] = {
        "event.name == 'case_opened'", "event.name != 'case_opened'", "'case_closed' == event.name",
        "event.name in ['case_opened', 'cart_updated']", "event.case_id == 'k'",
        "count('case_opened') > 1",
    };
    uint32_t kind = depth > 0 ? below(seed, 6) : 0;
    if (kind < 2) {
        sc_buf_addz(out, atoms[below(seed, sizeof(atoms) / sizeof(atoms[0]))]);
        return;
    }
    sc_buf_addz(out, kind == 5 ? "!(" : "(");
    random_rule(seed, depth - 1, out);
    if (kind < 5) {
        sc_buf_addz(out, kind == 4 ? " || " : " && ");
        random_rule(seed, depth - 1, out);
    }
    sc_buf_addz(out, ")");
}

/* A rule that can hold for one event alone is asked less when there is one: it comes to the same. */
Test(rule_rules, less_is_asked_of_its_own_event)
{
    static const char *const events[] = {"case_opened", "case_closed", "cart_updated", NULL};
    uint64_t seed = 20261126;
    uint32_t held = 0;
    for (int round = 0; round < 1500; round++) {
        struct shop sh;
        struct sc_buf text = {0};
        shop_open(&sh);
        random_rule(&seed, 3, &text);
        sc_buf_add(&text, "", 1); /* the NUL */
        const struct sc_prog *p = shop_compile(&sh, text.p, (struct sc_rule_opts){.only_event = -1});
        for (size_t e = 0; p && e < 2 * sizeof(events) / sizeof(events[0]); e++) {
            const char *event = events[e / 2];
            if (event)
                shop_event(&sh, event);
            else
                sh.cx.ev = NULL;
            if (event && e < 4)
                shop_set(&sh, "case_id", shop_text(e % 2 ? "k" : "other"));
            sh.facts[0] = sc_int(below(&seed, 4));
            struct sc_value v = sc_rule_eval(p, &sh.cx);
            bool is = v.type == SC_T_BOOL && v.i;
            held += is;
            cr_assert_eq(sc_rule_holds(p, &sh.cx), is, "%s of %s", text.p,
                         event ? event : "none");
        }
        sc_buf_fini(&text);
        shop_close(&sh);
    }
    cr_assert_gt(held, 300u);
}

Test(rule_rules, a_ladder_is_told)
{
    static const struct {
        const char *text;
        int64_t n; /* 0: none */
    } cases[] = {
        {"seen('order_completed')", 1},
        {"count('order_completed') >= 3", 3},
        {"count('order_completed') > 2", 3},
        {"3 <= count('order_completed')", 3},
        {"2 < count('order_completed')", 3},
        {"orders >= 5", 5},
        {"count('order_completed', where: event.total > 9.0) >= 2", 2},
        {"count('order_completed', '7d') >= 3", 0},
        {"count('order_completed') == 3", 0},
        {"count('order_completed') >= 0", 0},
        {"count('order_completed') >= 3 && seen('case_opened')", 0},
        {"seen('order_completed', '7d')", 0},
        {"sum('order_completed', 'lines') >= 3", 0},
    };
    struct shop sh;
    shop_open(&sh);
    sc_scope_name(&sh.sp, SC_STR("orders"), shop_value(&sh, "count('order_completed')"),
                  (struct sc_mark){0});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct sc_rule_info *info = sc_rule_info(shop_rule(&sh, cases[i].text));
        cr_expect_eq(info->ladder_fact >= 0, cases[i].n > 0, "%s", cases[i].text);
        if (cases[i].n > 0)
            cr_expect_eq(info->ladder_n, cases[i].n, "%s", cases[i].text);
    }
    shop_close(&sh);
}

Test(rule_rules, constants_are_told_and_types)
{
    struct shop sh;
    shop_open(&sh);
    cr_expect(sc_rule_info(shop_rule(&sh, "1 + 1 == 2"))->constant);
    cr_expect(sc_rule_info(shop_rule(&sh, "false && count('case_opened') > 1"))->constant);
    cr_expect(sc_rule_info(shop_rule(&sh, "count('case_opened') > 1 || true"))->constant);
    cr_expect_not(sc_rule_info(shop_rule(&sh, "count('case_opened') > 1 && true"))->constant);
    cr_expect_eq(sc_rule_info(shop_value(&sh, "recent('*', 3)"))->type, SC_T_LIST);
    cr_expect_eq(sc_rule_info(shop_value(&sh, "recent('*', 3)"))->element, SC_T_MAP);
    cr_expect_eq(sc_rule_info(shop_value(&sh, "last('order_completed')"))->type, SC_T_TIMESTAMP);
    cr_expect_eq(sc_rule_info(shop_value(&sh, "last('order_completed', 'total')"))->type,
                 SC_T_DECIMAL);
    cr_expect_eq(sc_rule_info(shop_value(&sh, "avg('order_completed', 'total')"))->type,
                 SC_T_DOUBLE);
    cr_assert_not_null(shop_value(&sh, "1 / 0"));
    cr_assert_eq(sh.dg.warnings, 1u);
    cr_expect_str_eq(sh.dg.items.v[0].code, "always-error");
    shop_close(&sh);
}

Test(rule_rules, cost_bounds_the_steps)
{
    struct shop sh;
    shop_open(&sh);
    uint32_t one = sc_rule_info(shop_rule(&sh, "count('case_opened') > 1"))->cost;
    uint32_t loop = sc_rule_info(shop_rule(&sh, "recent('*', 20).all(t, t.name != 'x')"))->cost;
    uint32_t deep = sc_rule_info(shop_value(
        &sh, "recent('*', 64).map(a, recent('*', 64).map(b, recent('*', 64).map(c, 1)))"))->cost;
    cr_expect_leq(one, 4u);
    cr_expect(loop >= 20 * 3 && loop < 20 * 10, "%u", loop);
    cr_expect_eq(deep, 200000u);
    shop_close(&sh);
}

/* ---- Limits and the trace */

Test(rule_rules, evaluation_is_bounded)
{
    struct shop sh;
    shop_open(&sh);
    struct sc_value maps[64];
    for (int i = 0; i < 64; i++)
        maps[i] = sc_int(i);
    sh.recent = (struct sc_value){.type = SC_T_LIST, .len = 64, .list = maps};
    cr_expect_str_eq(shop_eval(&sh, "size(recent('*', 64).map(a, recent('*', 64).map(b, "
                                    "recent('*', 64).map(c, 1))))"),
                     "error: a limit was reached");
    cr_expect_str_eq(shop_eval(&sh, "recent('*', 64).all(a, recent('*', 64).exists(b, b == a))"),
                     "true");
    shop_close(&sh);
}

Test(rule_rules, the_trace_says_each_part)
{
    struct shop sh;
    shop_open(&sh);
    const char *text =
        "event.name == 'cart_updated' && (event.value >= 20.0 || seen('case_opened'))";
    const struct sc_prog *p = shop_rule(&sh, text);
    struct sc_rule_trace trace = {0};
    shop_event(&sh, "cart_updated");
    shop_set(&sh, "value", money("8"));
    sh.facts[0] = sc_bool(false);
    sh.cx.trace = &trace;
    cr_expect_not(sc_rule_holds(p, &sh.cx));
    static const char *const want[][2] = {
        {"event.name == 'cart_updated' && (event.value >= 20.0 || seen('case_opened'))", "false"},
        {"event.name == 'cart_updated'", "true"},
        {"(event.value >= 20.0 || seen('case_opened'))", "false"},
        {"event.value >= 20.0", "false"},
        {"event.value", "8"},
        {"seen('case_opened')", "false"},
    };
    cr_assert_eq(trace.steps.n, sizeof(want) / sizeof(want[0]));
    for (uint32_t i = 0; i < trace.steps.n; i++) {
        const struct sc_trace_step *s = &trace.steps.v[i];
        struct sc_str part = {text + s->offset, s->len};
        cr_expect(sc_str_eqz(part, want[i][0]), "%u: %.*s", i, SC_STR_FMT(part));
        cr_expect_str_eq(shop_json(&sh, s->value), want[i][1], "%s", want[i][0]);
    }
    shop_close(&sh);
}

/* ---- The reference */

Test(rule_rules, the_reference_is_the_committed_page)
{
    static char page[256 * 1024];
    FILE *in = fopen(SC_TEST_DIR "/../docs/expressions.md", "r");
    struct sc_buf b = {0};
    cr_assert_not_null(in);
    size_t n = fread(page, 1, sizeof(page), in);
    fclose(in);
    sc_rule_reference(&b);
    cr_expect(sc_str_eq((struct sc_str){page, n}, sc_buf_view(&b)),
              "write it again: stagecoach docs expressions > docs/expressions.md");
    cr_expect_not_null(memmem(page, n, "`string.startsWith(string)`", 27));
    cr_expect_not_null(memmem(page, n, "sum(event, property[, window])", 30));
    sc_buf_fini(&b);
}
