/* What hostile or absurd texts run into: a finding at load, or an error value. */
#include "shop.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* `open` n times, `middle`, `close` n times. */
static const char *nest(struct shop *sh, unsigned n, const char *const part[3])
{
    struct sc_buf b = {0};
    for (unsigned i = 0; i < n; i++)
        sc_buf_addz(&b, part[0]);
    sc_buf_addz(&b, part[1]);
    for (unsigned i = 0; i < n; i++)
        sc_buf_addz(&b, part[2]);
    char *text = sc_arena_dup(&sh->ar, b.p, b.len);
    sc_buf_fini(&b);
    return text;
}

static const char *finding(struct shop *sh, const char *text)
{
    const struct sc_prog *p = shop_compile(
        sh, text, (struct sc_rule_opts){.use = SC_USE_VALUE, .only_event = -1});
    if (p)
        return "compiled";
    cr_assert_gt(sh->dg.items.n, 0u);
    return sc_str_dup(&sh->ar, sh->dg.items.v[0].text).p;
}

#define NEST(sh, n, ...) nest((sh), (n), (const char *const[3]){__VA_ARGS__})

Test(rule_limits, nesting)
{
    struct shop sh;
    shop_open(&sh);
    cr_expect_str_eq(finding(&sh, NEST(&sh, 60, "(", "1", ")")), "compiled");
    cr_expect_str_eq(finding(&sh, NEST(&sh, 64, "(", "1", ")")),
                     "the expression is nested too deep");
    cr_expect_str_eq(finding(&sh, NEST(&sh, 5000, "-", "x", "")),
                     "the expression is nested too deep");
    cr_expect_str_eq(finding(&sh, NEST(&sh, 500, "true ? 1 : ", "1", "")),
                     "the expression is nested too deep");
    cr_expect_str_eq(finding(&sh, NEST(&sh, 15, "[1].map(x, ", "1", ")")), "compiled");
    cr_expect_str_eq(finding(&sh, NEST(&sh, 20, "[1].map(x, ", "1", ")")),
                     "macros are nested too deep");
    shop_close(&sh);
}

Test(rule_limits, length)
{
    struct shop sh;
    shop_open(&sh);
    cr_expect_str_eq(finding(&sh, NEST(&sh, 190, "1 + ", "1", "")), "compiled");
    cr_expect_str_eq(finding(&sh, NEST(&sh, 210, "1 + ", "1", "")),
                     "this expression is too long: name parts of it as facts");
    cr_expect_str_eq(finding(&sh, NEST(&sh, 16 * 1024, " ", "1", "")),
                     "the expression is longer than 16 KiB");
    cr_expect_str_eq(finding(&sh, NEST(&sh, 4000, "1, ", "1", "")),
                     "expected an operator or the end, found ','");
    shop_close(&sh);
}

Test(rule_limits, names_inside_names)
{
    struct shop sh;
    shop_open(&sh);
    const struct sc_prog *p = shop_value(&sh, "count('case_opened') + 1");
    const char *said = "compiled";
    unsigned n = 0;
    for (; n < 400 && strcmp(said, "compiled") == 0; n++) {
        char name[16];
        snprintf(name, sizeof(name), "n%u", n);
        sc_scope_name(&sh.sp, sc_str_dup(&sh.ar, sc_str_from(name)), p, (struct sc_mark){0});
        const char *text = sc_arena_printf(&sh.ar, "n%u + n%u", n, n);
        said = finding(&sh, text);
        if (strcmp(said, "compiled") == 0)
            p = shop_value(&sh, text);
    }
    cr_expect_str_eq(said, "the names used here stand for too large an expression");
    cr_expect_lt(n, 20u);
    shop_close(&sh);
}

/* Free-standing, so that nothing is refused by its type; not folded, for it reads a variable. */
static struct sc_value eval(struct shop *sh, const char *text)
{
    struct sc_rule_binding x = {SC_STR("x"), sc_int(1)};
    struct sc_rule_text in = {.expr = sc_str_from(text), .vars = &x, .n_vars = 1};
    struct sc_value v = sc_absent();
    sc_diag_init(&sh->dg, &sh->ar);
    cr_assert(sc_rule_eval_text(&in, &sh->ar, &sh->dg, &v), "refused: %s", text);
    return v;
}

Test(rule_limits, values)
{
    struct shop sh;
    shop_open(&sh);
    const char *doubled = NEST(&sh, 40, "cel.bind(x, [x, x], ", "x", ")");
    const char *equal = NEST(&sh, 25, "cel.bind(x, [x, x], ", "x == x", ")");
    const char *longer = NEST(&sh, 40, "cel.bind(s, s + s, ", "s", ")");
    const char *text = sc_arena_printf(&sh.ar, "cel.bind(s, string(x) + '0123456789', %s)", longer);
    const char *all[] = {doubled, equal, text};
    for (int i = 0; i < 3; i++) {
        struct sc_value v = eval(&sh, all[i]);
        cr_expect(v.type == SC_T_ERROR && v.i == SC_VE_LIMIT, "%s: %s", all[i],
                  shop_json(&sh, v));
    }
    cr_expect_eq(eval(&sh, NEST(&sh, 29, "[", "x", "]")).type, SC_T_LIST);
    cr_expect_eq(eval(&sh, NEST(&sh, 32, "[", "x", "]")).type, SC_T_ERROR);
    shop_close(&sh);
}

static struct sc_value eval_with(struct shop *sh, const char *text, const struct sc_str both[2])
{
    struct sc_rule_binding vars[] = {{SC_STR("s"), sc_string(both[0])},
                                     {SC_STR("what"), sc_string(both[1])}};
    struct sc_rule_text in = {.expr = sc_str_from(text), .vars = vars, .n_vars = 2};
    struct sc_value v = sc_absent();
    sc_diag_init(&sh->dg, &sh->ar);
    cr_assert(sc_rule_eval_text(&in, &sh->ar, &sh->dg, &v), "refused: %s", text);
    return v;
}

/* All but the last byte of `what` is found everywhere in `s`: length times length to look for it. */
Test(rule_limits, long_texts_inside_of_long_texts, .timeout = 20)
{
    struct shop sh;
    shop_open(&sh);
    char *as = memset(sc_arena_alloc(&sh.ar, 1000000), 'a', 1000000);
    char *most = memset(sc_arena_alloc(&sh.ar, 500000), 'a', 500000);
    most[0] = most[499999] = 'b';
    const struct sc_str end[2] = {{as, 1000000}, {most + 1, 499999}};
    const struct sc_str start[2] = {{as, 1000000}, {most, 499999}};
    for (int i = 0; i < 2; i++) {
        const struct sc_str *both = i ? start : end;
        struct sc_value v = eval_with(&sh, "s.lastIndexOf(what)", both);
        cr_expect(v.type == SC_T_ERROR && v.i == SC_VE_LIMIT);
        v = eval_with(&sh, "s.replace(what, '') == s", both);
        cr_expect(v.type == SC_T_BOOL && v.i, "nothing to replace");
        cr_expect_eq(eval_with(&sh, "s.indexOf(what)", both).i, -1);
    }
    const struct sc_str shorter[2] = {{as, 20000}, {most + 1, 500}};
    cr_expect_eq(eval_with(&sh, "s.lastIndexOf(what.substring(0, 100))", shorter).i, 19900);
    cr_expect_eq(eval_with(&sh, "s.lastIndexOf(what)", shorter).i, 19500);
    shop_close(&sh);
}

/* The least there is has no positive one. */
Test(rule_limits, the_longest_durations)
{
    static const struct {
        int64_t ms;
        uint32_t ns;
        const char *text;
    } rows[] = {{INT64_MIN, 0, "-9223372036854775.808s"},
                {INT64_MIN, 1, "-9223372036854775.807999999s"},
                {INT64_MAX, 999999, "9223372036854775.807999999s"}};
    struct shop sh;
    shop_open(&sh);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct sc_value d = sc_duration(rows[i].ms), v = sc_absent();
        d.len = rows[i].ns;
        struct sc_rule_binding var = {SC_STR("d"), d};
        struct sc_rule_text in = {.expr = SC_STR("string(d)"), .vars = &var, .n_vars = 1};
        cr_assert(sc_rule_eval_text(&in, &sh.ar, &sh.dg, &v));
        cr_expect(v.type == SC_T_STRING && sc_str_eqz(sc_value_str(v), rows[i].text), "%s: %s",
                  rows[i].text, shop_json(&sh, v));
    }
    shop_close(&sh);
}
