/* What names mean, and what is said of wrong ones: the finding's code, the text under the caret,
 * the message, the suggestion. */
#include "shop.h"

#include <criterion/criterion.h>

struct fault {
    const char *expr, *code, *caret, *text, *hint;
};

static const struct fault faults[] = {
    {"event.name == 'order_complete'", "unknown-event", "'order_complete'", "no event",
     "order_completed"},
    {"count('cart_update') > 1", "unknown-event", "'cart_update'", "no event", "cart_updated"},
    {"event.name == 'order_completed' && event.totl > 1.0", "unknown-property", "totl",
     "event 'order_completed' has no property 'totl'", "total"},
    {"event.ratin > 3", "unknown-property", "ratin", "none of the 6 events", "rating"},
    {"event.value == 'x'", "property-types", "value", "decimal in event 'cart_updated' but string",
     ""},
    {"sum('order_completed', 'totl') > 1.0", "unknown-property", "'totl'", "has no property",
     "total"},
    {"sum('order_completed', 'channel') > 1.0", "expr-type", "'channel'", "sum() does not take",
     ""},
    {"coutn('order_completed') > 1", "unknown-function", "coutn", "no function 'coutn'", "count"},
    {"'a'.startWith('b')", "unknown-function", "startWith", "no method", "startsWith"},
    {"ordres > 3", "unknown-name", "ordres", "nothing is named 'ordres'", "orders"},
    {"event.name == product_viewed", "unknown-name", "product_viewed", "nothing is named",
     "in quotes: \"product_viewed\""},
    {"total > 5.0", "unknown-name", "total", "nothing is named", "event.total"},
    {"since('case_opened') > '7d'", "expr-type", ">", "does not take duration and string",
     "without quotes"},
    {"orders > 1 and orders < 5", "expr-syntax", "and", "an operator or the end", "'&&'"},
    {"orders >= 3.5 + 'x'", "expr-type", "+", "'+' does not take double and string", ""},
    {"event.name == 'review_posted' && event.rating * 2.0 > 3.0", "expr-type", "*",
     "'*' does not take int and double", "double(…)"},
    {"event.name == 'order_completed' && event.channel == 'wep'", "unknown-value", "'wep'",
     "no value of this property", "web"},
    {"count('order_completed', 'calendar year') > 1", "expr-argument", "'calendar year'",
     "\"calendar day\", week or month", ""},
    {"count('order_completed', 'calendar day Oslo') > 1", "expr-argument", "'calendar day Oslo'",
     "no such time zone", ""},
    {"count('order_completed', 'a day') > 1", "expr-argument", "'a day'", "\"calendar day\"", ""},
    {"customer.stage == 'purchases'", "unknown-value", "'purchases'", "no stage", "purchase"},
    {"customer.stage == 'calm'", "unknown-value", "'calm'", "no stage", ""},
    {"customer.support == 'clam'", "unknown-value", "'clam'", "no stage", "calm"},
    {"customer.suport == 'calm'", "unknown-name", "suport", "customer.suport", "support"},
    {"customer.stag == 'x'", "unknown-name", "stag", "customer.stag", "stage"},
    {"open('suport_case')", "unknown-case", "'suport_case'", "no case", "support_case"},
    {"count('order_completed', '7x') > 1", "expr-argument", "'7x'", "a window is a duration", ""},
    {"count('order_completed', '7d', 3) > 1", "expr-argument", "3", "one argument too many",
     ""},
    {"sum('order_completed') > 1.0", "expr-argument", "sum('order_completed')",
     "an argument is missing", ""},
    {"count('order_completed', wher: true) > 1", "expr-argument", "wher", "'wher:' is no argument",
     ""},
    {"count('order_completed', where: count('order_completed') > 1) > 1", "where-scope",
     "count('order_completed')", "may read 'event' alone", ""},
    {"count('order_completed', where: event.rating > 1) > 1", "unknown-property", "rating",
     "event 'order_completed' has no property", ""},
    {"recent('*', 500) == []", "expr-argument", "recent('*', 500)", "from 1 to 64", ""},
    {"'a'.matches('(')", "expr-pattern", "'('", "", ""},
    {"count('order_completed')", "expr-type", "count('order_completed')",
     "a rule must be true or false, this is int", ""},
    {"'a' && true", "expr-type", "'a'", "'&&' wants a bool, this is string", ""},
    {"!3 == 3", "expr-type", "!", "'!' does not take int", ""},
    {"size(1, 2) == 3", "expr-type", "size", "size does not take (int, int)", "it takes size("},
    {"[1, 2].all(x, x + 1)", "expr-type", "x + 1", "a macro's condition wants a bool", ""},
    {"event.name == null", "expr-type", "==", "does not take string and null", "has(event"},
    {"event", "expr-type", "event", "name one of its fields", ""},
    {"true = true", "expr-syntax", "=", "write '=='", ""},
    {"true & true", "expr-syntax", "&", "write '&&'", ""},
    {"not true", "expr-syntax", "true", "an operator or the end", "write '!'"},
    {"true and true", "expr-syntax", "and", "an operator or the end", "write '&&'"},
    {"event.name <> 'a'", "expr-syntax", ">", "a value", "write '!='"},
    {"event.rating ?? 3 > 1", "expr-syntax", "?", "a value", "event.?x.orValue(0)"},
    {"3 > 20,00", "expr-syntax", ",", "an operator or the end", "point is '.'"},
    {"sum('order_completed.total', '7d') > 1.0", "unknown-event", "'order_completed.total'",
     "no event 'order_completed.total'", "\"order_completed\", \"total\""},
    {"(true", "expr-syntax", "e", "ends where ')' is expected", ""},
    {"true true", "expr-syntax", "true", "an operator or the end", ""},
    {"'abc", "expr-syntax", "'", "has no end", ""},
    {"'a\\q' == ''", "expr-syntax", "\\", "not an escape", ""},
    {"30x > 30m", "expr-syntax", "30x", "not a number or a duration", ""},
    {"Order{id: 1} == 1", "expr-syntax", "Order{", "outside this subset", ""},
    {"if == 1", "expr-syntax", "if", "reserved", ""},
    {"", "expr-syntax", "", "empty", ""},
};

static void assert_fault(struct shop *sh, const struct fault *f)
{
    const struct sc_prog *p = shop_compile(
        sh, f->expr, (struct sc_rule_opts){.use = SC_USE_RULE, .only_event = -1});
    cr_assert_null(p, "compiled: %s", f->expr);
    cr_assert_gt(sh->dg.items.n, 0u, "no finding: %s", f->expr);
    const struct sc_finding *got = &sh->dg.items.v[0];
    for (uint32_t i = 0; i < sh->dg.items.n && got->severity != SC_ERROR; i++)
        got = &sh->dg.items.v[i];
    cr_expect_str_eq(got->code, f->code, "%s: %s, not %s", f->expr, got->code, f->code);
    cr_expect(strstr(sc_str_dup(&sh->ar, got->text).p, f->text), "%s: says %.*s", f->expr,
              SC_STR_FMT(got->text));
    cr_expect(strstr(sc_str_dup(&sh->ar, got->hint).p, f->hint), "%s: hints %.*s", f->expr,
              SC_STR_FMT(got->hint));
    struct sc_str caret = {f->expr + got->mark.column - 1, strlen(f->caret)};
    cr_expect(sc_str_eqz(caret, f->caret) && (caret.len == 0 || got->mark.len >= caret.len),
              "%s: caret at %u, %u wide", f->expr, got->mark.column, got->mark.len);
}

Test(rule_names, faults_name_the_very_token)
{
    struct shop sh;
    shop_open(&sh);
    sc_scope_name(&sh.sp, SC_STR("orders"), shop_value(&sh, "count('order_completed')"),
                  (struct sc_mark){0});
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        assert_fault(&sh, &faults[i]);
    shop_close(&sh);
}

Test(rule_names, a_fault_shows_the_declaration)
{
    struct shop sh;
    shop_open(&sh);
    shop_compile(&sh, "event.name == 'order_completed' && event.totl > 1.0",
                 (struct sc_rule_opts){.only_event = -1});
    cr_assert_eq(sh.dg.items.n, 1u);
    cr_assert_not_null(sh.dg.items.v[0].decl.file);
    cr_expect(sc_str_eqz(sh.dg.items.v[0].decl.file->name, "taxonomy.yaml"));
    shop_close(&sh);
}

Test(rule_names, event_is_refused_where_there_is_none)
{
    struct shop sh;
    shop_open(&sh);
    const struct sc_prog *p =
        shop_compile(&sh, "event.name == 'order_completed'",
                     (struct sc_rule_opts){.only_event = -1, .no_event = true});
    cr_assert_null(p);
    cr_expect_str_eq(sh.dg.items.v[0].code, "no-event");
    shop_close(&sh);
}

Test(rule_names, a_deprecated_event_is_a_warning)
{
    struct shop sh;
    shop_open(&sh);
    const struct sc_prog *p = shop_rule(&sh, "count('view_item') > 2");
    cr_assert_not_null(p);
    cr_assert_eq(sh.dg.warnings, 1u);
    cr_expect_str_eq(sh.dg.items.v[0].code, "deprecated-event");
    shop_fact(&sh, "count(\"product_viewed\")");
    shop_close(&sh);
}

/* ---- Optional properties */

static uint32_t optional_reads(struct shop *sh, const char *text, bool may_be_absent)
{
    uint32_t n = 0;
    const struct sc_prog *p =
        shop_compile(sh, text, (struct sc_rule_opts){.use = SC_USE_VALUE, .only_event = -1,
                                                     .may_be_absent = may_be_absent});
    for (uint32_t i = 0; i < sh->dg.items.n; i++)
        n += strcmp(sh->dg.items.v[i].code, "optional-read") == 0;
    cr_assert_eq(p == NULL, n > 0, "%s", text); /* refused for it, and for nothing else */
    return n;
}

Test(rule_names, an_optional_property_wants_a_guard)
{
    static const struct {
        const char *text;
        uint32_t reads;
    } cases[] = {
        {"event.name == 'order_completed' && event.discount > 1.0", 1},
        {"event.name == 'order_completed' && event.total > 1.0", 0},
        {"has(event.discount) && event.discount > 1.0", 0},
        {"has(event.discount) ? event.discount : 0.0", 0},
        {"has(event.discount) ? 0.0 : event.discount", 1},
        {"!has(event.discount) || event.discount > 1.0", 0},
        {"!has(event.discount) && event.discount > 1.0", 1},
        {"has(event.discount) || event.discount > 1.0", 1},
        {"event.discount > 1.0 && has(event.discount)", 1},
        {"event.name == 'order_completed' && has(event.discount) && event.discount > 1.0", 0},
        {"event.?discount.orValue(0.0)", 0},
        {"event.cart_id == 'a'", 1}, /* required in one event, optional in the other */
        {"event.name == 'cart_updated' && event.cart_id == 'a'", 0},
        {"sum('order_completed', 'discount') > 1.0", 0}, /* aggregates skip what is absent */
        {"count('order_completed', where: event.discount > 1.0) > 1", 1},
        {"count('order_completed', where: has(event.discount) && event.discount > 1.0) > 1", 0},
    };
    struct shop sh;
    shop_open(&sh);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(optional_reads(&sh, cases[i].text, false), cases[i].reads, "%s",
                     cases[i].text);
    shop_close(&sh);
}

/* A key or a value of the context that is missing is no key, or null: a rule made of it is not. */
Test(rule_names, a_whole_expression_may_be_absent)
{
    struct shop sh;
    shop_open(&sh);
    cr_expect_eq(optional_reads(&sh, "event.cart_id", false), 1);
    cr_expect_eq(optional_reads(&sh, "event.cart_id", true), 0);
    cr_expect_eq(optional_reads(&sh, "event.cart_id + 'x'", true), 1);
    shop_close(&sh);
}
