/* stagecoach expr EXPR: evaluate a free-standing expression, to try the language. */
#include "cli/args.h"
#include "cli/cli.h"
#include "codec/json_value.h"
#include "core/rule/rule.h"

#include <stdio.h>

static uint32_t bind_all(struct sc_value object, struct sc_rule_binding *vars)
{
    for (uint32_t i = 0; i < object.len; i++)
        vars[i] = (struct sc_rule_binding){.name = sc_value_str(object.map[2 * i]),
                                           .value = object.map[2 * i + 1]};
    return object.len;
}

static int evaluate(struct sc_rule_text *in, struct sc_arena *ar)
{
    struct sc_diag dg;
    struct sc_value value;
    struct sc_buf out = {0};
    struct sc_jsonw js;
    sc_diag_init(&dg, ar);
    bool fine = sc_rule_eval_text(in, ar, &dg, &value);
    sc_diag_render(&dg, SC_DIAG_TEXT, false, &out);
    if (out.len)
        fwrite(out.p, 1, out.len, stderr);
    out.len = 0;
    if (fine && value.type == SC_T_ERROR) {
        fprintf(stderr, "error: %s\n", sc_value_err_text((enum sc_value_err)value.i));
        fine = false;
    } else if (fine) {
        sc_jsonw_init(&js, &out);
        js.words = true;
        sc_value_json(value, &js);
        printf("%.*s\n", (int)out.len, out.p);
    }
    sc_buf_fini(&out);
    return fine ? SC_EXIT_OK : SC_EXIT_FINDINGS;
}

int sc_cmd_expr(int argc, char **argv)
{
    const char *bindings = "{}";
    const struct sc_arg args[] = {
        {"json", 'j', SC_ARG_STR, &bindings, "OBJECT", "variables, as one JSON object"},
        {0},
    };
    static const char about[] =
        "Evaluates an expression without taxonomy or customer and prints its value as JSON;\n"
        "what JSON has no number for as \"NaN\", \"Infinity\", \"-Infinity\".\n"
        "Variables are read as a record's values are: 1.5 is a decimal, exact.\n"
        "Exit 1 when it is outside the language or ends in an error.";
    const struct sc_command cmd = {"expr EXPR [--json OBJECT]", about, args, 1, 1};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    struct sc_arena ar;
    struct sc_value object;
    struct sc_str why = SC_STR("expected an object");
    sc_arena_init(&ar);
    if (!sc_json_value(sc_str_from(bindings), &ar, &object, &why) || object.type != SC_T_MAP) {
        fprintf(stderr, "stagecoach expr: --json: %.*s\n", SC_STR_FMT(why));
        sc_arena_fini(&ar);
        return SC_EXIT_USAGE;
    }
    struct sc_rule_binding *vars = SC_NEW_N(&ar, struct sc_rule_binding, object.len + 1);
    struct sc_rule_text in = {.expr = sc_str_from(words.v[0]), .vars = vars};
    in.n_vars = bind_all(object, vars);
    rc = evaluate(&in, &ar);
    sc_arena_fini(&ar);
    return rc;
}
