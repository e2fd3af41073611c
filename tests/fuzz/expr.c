/* Any text compiles or is refused with findings, with a taxonomy and without one; every program
 * comes to an end, and what it comes to can be copied. */
#include "core/rule/rule.h"

static const char taxonomy[] =
    "{taxonomy: t, version: 1.0.0, namespaces: {a: {priority: 1}}, events: {e: {properties: "
    "{p: {type: decimal}, s: {type: string, required: true}, l: {type: list(int)}}}, f: {}}}";

static struct sc_value nothing(const struct sc_rule_ctx *cx, uint32_t fact)
{
    (void)cx;
    return fact % 2 ? sc_int(fact) : sc_absent();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sc_rule_host host = {.fact = nothing, .open = nothing};
    struct sc_rule_text in = {.expr = {(const char *)data, size}};
    struct sc_value v = sc_absent();
    struct sc_taxonomy tx;
    struct sc_scope sp;
    struct sc_diag dg;
    struct sc_arena ar;
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
    sc_rule_eval_text(&in, &ar, &dg, &v);
    sc_value_dup(&ar, v);
    struct sc_node *doc = sc_node_parse(SC_STR("t"), SC_STR(taxonomy), NULL, NULL, &ar, &dg);
    bool ok = sc_taxonomy_load(&tx, doc, &ar, &dg);
    sc_scope_init(&sp, &tx, &ar, &dg);
    const struct sc_prog *p = sc_rule_compile(&sp, in.expr, (struct sc_mark){0},
                                              (struct sc_rule_opts){.only_event = -1});
    struct sc_rule_ctx cx = {.tx = &tx, .ar = &ar, .host = &host};
    if (ok && p && !sc_rule_info(p)->reads_more)
        sc_rule_holds(p, &cx);
    sc_scope_fini(&sp), sc_taxonomy_fini(&tx), sc_arena_fini(&ar);
    return 0;
}
