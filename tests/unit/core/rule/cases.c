/* Runs the .cel files of tests/cases/cel: CEL alone, as text. Three lines a case, blank lines
 * between:
 *
 *   the expression
 *   {"name": value, …}   its variables, written in CEL
 *   the value, written in CEL, or `error` and the reason, or `refused` and part of the finding
 *
 * A line that starts with `#` is a comment. Values must have the same type. */
#include "core/rule/rule.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>

struct run_case {
    struct sc_arena ar;
    const char *file;
    unsigned line;
    struct sc_str part[3];
};

static bool eval(struct run_case *rc, const struct sc_rule_text *in, struct sc_diag *dg,
                 struct sc_value *out)
{
    sc_diag_init(dg, &rc->ar);
    return sc_rule_eval_text(in, &rc->ar, dg, out);
}

/* A value that the case itself gives. */
static struct sc_value given(struct run_case *rc, struct sc_str text)
{
    struct sc_diag dg;
    struct sc_value v = sc_absent();
    struct sc_rule_text in = {.expr = text};
    bool ok = eval(rc, &in, &dg, &v);
    cr_assert(ok && v.type != SC_T_ERROR, "%s:%u: not a value: %.*s", rc->file, rc->line,
              SC_STR_FMT(text));
    return v;
}

static void expect_value(struct run_case *rc, struct sc_value got)
{
    struct sc_str want_text = rc->part[2], why = SC_STR_NULL;
    if (sc_str_starts(want_text, SC_STR("error"))) {
        why = sc_str_trim((struct sc_str){want_text.p + 5, want_text.len - 5});
        cr_expect_eq(got.type, SC_T_ERROR, "%s:%u: a value, not an error", rc->file, rc->line);
        if (got.type == SC_T_ERROR)
            cr_expect(sc_str_eqz(why, sc_value_err_text((enum sc_value_err)got.i)), "%s:%u: %s",
                      rc->file, rc->line, sc_value_err_text((enum sc_value_err)got.i));
        return;
    }
    struct sc_value want = given(rc, want_text);
    struct sc_buf b = {0};
    struct sc_jsonw w;
    sc_jsonw_init(&w, &b);
    sc_value_json(got, &w);
    bool same = got.type == want.type && sc_value_eq(got, want);
    if (got.type == SC_T_ERROR)
        sc_buf_addz(&b, sc_value_err_text((enum sc_value_err)got.i));
    cr_expect(same, "%s:%u: %.*s is %s %.*s", rc->file, rc->line, SC_STR_FMT(rc->part[0]),
              sc_type_name((enum sc_type)got.type), SC_STR_FMT(sc_buf_view(&b)));
    sc_buf_fini(&b);
}

static void run(struct run_case *rc)
{
    struct sc_value vars = given(rc, rc->part[1]), got = sc_absent();
    struct sc_rule_binding *b = SC_NEW_N(&rc->ar, struct sc_rule_binding, vars.len + 1);
    for (uint32_t i = 0; i < vars.len; i++)
        b[i] = (struct sc_rule_binding){sc_value_str(vars.map[2 * i]), vars.map[2 * i + 1]};
    struct sc_rule_text in = {.expr = rc->part[0], .vars = b, .n_vars = vars.len};
    struct sc_diag dg;
    bool refuse = sc_str_starts(rc->part[2], SC_STR("refused"));
    bool compiled = eval(rc, &in, &dg, &got);
    cr_expect_neq(compiled, refuse, "%s:%u: %s", rc->file, rc->line,
                  compiled ? "compiled" : "refused");
    if (compiled && !refuse)
        expect_value(rc, got);
    if (compiled || !refuse)
        return;
    const char *part = sc_str_dup(&rc->ar, sc_str_trim((struct sc_str){rc->part[2].p + 7,
                                                                       rc->part[2].len - 7})).p;
    cr_expect(strstr(sc_str_dup(&rc->ar, dg.items.v[0].text).p, part), "%s:%u: refused by %.*s",
              rc->file, rc->line, SC_STR_FMT(dg.items.v[0].text));
}

static unsigned run_file(const char *path)
{
    char line[4096];
    FILE *in = fopen(path, "r");
    struct run_case rc = {.file = path};
    unsigned parts = 0, cases = 0;
    cr_assert_not_null(in, "cannot read %s", path);
    sc_arena_init(&rc.ar);
    while (fgets(line, sizeof(line), in)) {
        struct sc_str text = sc_str_trim(sc_str_from(line));
        rc.line++;
        if (text.len == 0 || text.p[0] == '#') {
            cr_assert_eq(parts, 0u, "%s:%u: a case has three lines", path, rc.line);
            continue;
        }
        rc.part[parts++] = sc_str_dup(&rc.ar, text);
        if (parts < 3)
            continue;
        run(&rc);
        sc_arena_reset(&rc.ar, 1 << 20);
        parts = 0;
        cases++;
    }
    cr_assert_eq(parts, 0u, "%s: the last case has no three lines", path);
    sc_arena_fini(&rc.ar);
    fclose(in);
    return cases;
}

Test(rule_cases, cel_as_text)
{
    glob_t files;
    unsigned cases = 0;
    cr_assert_eq(glob(SC_TEST_DIR "/cases/cel/*.cel", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        cases += run_file(files.gl_pathv[i]);
    globfree(&files);
    cr_expect_gt(cases, 150u);
}
