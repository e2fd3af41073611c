/* stagecoach expr EXPR: evaluate a free-standing expression, to try the language. */
#include "cli/args.h"
#include "cli/cli.h"
#include "core/rule/rule.h"

#include <jansson.h>
#include <stdio.h>

static struct sc_value from_json(json_t *v, struct sc_arena *ar);

static struct sc_value object(json_t *v, struct sc_arena *ar)
{
    struct sc_value *kv = SC_NEW_N(ar, struct sc_value, 2 * json_object_size(v) + 1);
    uint32_t n = 0;
    const char *name;
    json_t *value;
    json_object_foreach(v, name, value)
    {
        kv[n++] = sc_string(sc_str_dup(ar, sc_str_from(name)));
        kv[n++] = from_json(value, ar);
    }
    return (struct sc_value){.type = SC_T_MAP, .len = n / 2, .map = kv};
}

/* Depth is bounded by the parser's own. */
static struct sc_value from_json(json_t *v, struct sc_arena *ar)
{
    switch (json_typeof(v)) {
    case JSON_NULL:
        return (struct sc_value){.type = SC_T_NULL};
    case JSON_TRUE:
    case JSON_FALSE:
        return sc_bool(json_is_true(v));
    case JSON_INTEGER:
        return sc_int(json_integer_value(v));
    case JSON_REAL:
        return sc_double(json_real_value(v));
    case JSON_STRING:
        return sc_string(sc_str_dup(
            ar, (struct sc_str){json_string_value(v), json_string_length(v)}));
    case JSON_OBJECT:
        return object(v, ar);
    case JSON_ARRAY:
        break;
    }
    struct sc_value *list = SC_NEW_N(ar, struct sc_value, json_array_size(v) + 1);
    for (size_t i = 0; i < json_array_size(v); i++)
        list[i] = from_json(json_array_get(v, i), ar);
    return (struct sc_value){.type = SC_T_LIST, .len = (uint32_t)json_array_size(v), .list = list};
}

static uint32_t bind_all(json_t *doc, struct sc_rule_binding *vars, struct sc_arena *ar)
{
    uint32_t n = 0;
    const char *name;
    json_t *value;
    json_object_foreach(doc, name, value)
    {
        vars[n].name = sc_str_dup(ar, sc_str_from(name));
        vars[n++].value = from_json(value, ar);
    }
    return n;
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
        "Evaluates an expression without taxonomy or customer and prints its value as JSON.\n"
        "Exit 1 when it is outside the language or ends in an error.";
    const struct sc_command cmd = {"expr EXPR [--json OBJECT]", about, args, 1, 1};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    json_error_t why;
    json_t *doc = json_loads(bindings, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(doc)) {
        fprintf(stderr, "stagecoach expr: --json: %s\n", doc ? "expected an object" : why.text);
        json_decref(doc);
        return SC_EXIT_USAGE;
    }
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_rule_binding *vars = SC_NEW_N(&ar, struct sc_rule_binding, json_object_size(doc) + 1);
    struct sc_rule_text in = {.expr = sc_str_from(words.v[0]), .vars = vars};
    in.n_vars = bind_all(doc, vars, &ar);
    rc = evaluate(&in, &ar);
    sc_arena_fini(&ar);
    json_decref(doc);
    return rc;
}
