/* From text to program: the passes in order, and what is told of the result.
 *
 *   text -> parse -> check (names, types, which events) -> emit (folding) -> struct sc_prog
 *
 * Also expressions without taxonomy (`sc_rule_eval_text`), which are the same passes with an empty
 * scope. Cost: load time, but for the accessors. */
#include "core/rule/check.h"

#include "base/assert.h"

/* ---- Scope */

void sc_scope_init(struct sc_scope *sp, const struct sc_taxonomy *tx, struct sc_arena *ar,
                   struct sc_diag *dg)
{
    SC_ASSERT(ar != NULL && dg != NULL);
    *sp = (struct sc_scope){.tx = tx, .ar = ar, .dg = dg};
    sc_map_init(&sp->fact_by_key, ar);
    sc_map_init(&sp->fact_past, ar);
    sc_map_init(&sp->name_by_text, ar);
    if (tx == NULL)
        return;
    SC_ASSERT(tx->n_events <= SC_EVENTS_MAX);
    sp->read = sc_arena_zalloc(ar, (tx->n_events + 1) * sizeof(*sp->read));
    sp->ring_reads = SC_NEW_N(ar, uint32_t, tx->n_events + 1);
}

void sc_scope_fini(struct sc_scope *sp)
{
    for (uint32_t i = 0; i < sp->regexes.n; i++)
        sc_regex_destroy(sp->regexes.v[i]);
    for (uint32_t i = 0; i < sp->zones.n; i++)
        sc_tz_destroy(sp->zones.v[i]);
    sp->regexes.n = sp->zones.n = 0;
}

void sc_scope_name(struct sc_scope *sp, struct sc_str name, const struct sc_prog *prog,
                   struct sc_mark mark)
{
    SC_ASSERT(sp->tx != NULL && name.len > 0);
    struct sc_named_expr ne = {.name = name, .prog = prog, .mark = mark};
    if (prog) {
        ne.type = prog->info.type;
        ne.element = prog->info.element;
    }
    SC_VEC_PUSH(sp->ar, &sp->names, ne);
    if (sc_map_get(&sp->name_by_text, name) == NULL)
        sc_map_put(&sp->name_by_text, name, (void *)(uintptr_t)sp->names.n);
    if (prog && prog->bare_fact >= 0 && sp->facts.v[prog->bare_fact].name.len == 0)
        sp->facts.v[prog->bare_fact].name = name;
}

/* ---- What is told */

/* `n` as count >= at: `orders >= 3`, `3 <= orders`, `orders > 2`; seen(e) is count >= 1. */
static bool ladder(const struct sc_scope *sp, const struct node *n, struct sc_rule_info *info)
{
    const struct node *a = n, *b = NULL;
    if (n->kind == N_BINARY && (n->op == OP_GE || n->op == OP_GT)) {
        a = n->kid[0];
        b = n->kid[1];
    } else if (n->kind == N_BINARY && (n->op == OP_LE || n->op == OP_LT)) {
        a = n->kid[1];
        b = n->kid[0];
    }
    if (a->kind != N_FACT || a->a < 0)
        return false;
    const struct sc_fact *fact = &sp->facts.v[a->a];
    if (fact->window_ms != 0)
        return false;
    info->ladder_fact = a->a;
    info->ladder_n = 1;
    if (b == NULL)
        return fact->kind == SC_FACT_SEEN;
    if (fact->kind != SC_FACT_COUNT || b->kind != N_CONST || b->value.type != SC_T_INT ||
        b->value.i < 0 || b->value.i == INT64_MAX)
        return false;
    info->ladder_n = b->value.i + (n->op == OP_GT || n->op == OP_LT);
    return info->ladder_n >= 1;
}

static void tell_events(const struct checker *ck, const struct node *tree,
                        struct sc_rule_info *info)
{
    uint32_t n_events = ck->sp->tx->n_events;
    struct event_set can;
    rule_flow(ck, tree, true, &can);
    event_set_and(&can, ck->can);
    info->n_events = event_set_count(&can);
    if (info->n_events == n_events)
        return;
    uint16_t *events = SC_NEW_N(ck->src.ar, uint16_t, info->n_events + 1);
    for (uint32_t e = 0, i = 0; e < n_events; e++)
        if (event_set_has(&can, e))
            events[i++] = (uint16_t)e;
    info->events = events;
}

static void tell_facts(const struct checker *ck, struct sc_rule_info *info)
{
    uint16_t *facts = SC_NEW_N(ck->src.ar, uint16_t, ck->facts.n + 1);
    for (uint32_t i = 0; i < ck->facts.n; i++) {
        uint32_t seen = 0;
        while (seen < info->n_facts && facts[seen] != ck->facts.v[i])
            seen++;
        if (seen == info->n_facts)
            facts[info->n_facts++] = ck->facts.v[i];
    }
    info->facts = facts;
}

static bool is_count(const struct sc_scope *sp, const struct node *n)
{
    return n->kind == N_FACT && n->a >= 0 && sp->facts.v[n->a].kind == SC_FACT_COUNT;
}

/* What stands anywhere in the tree. Recursion: its height. */
static void tell_parts(const struct sc_scope *sp, const struct node *n, struct sc_rule_info *info)
{
    info->reads_more |= n->kind == N_ATTR || n->kind == N_OPEN || n->kind == N_RECENT;
    if (n->kind == N_BINARY && n->op == OP_EQ)
        info->equals_count |= is_count(sp, n->kid[0]) || is_count(sp, n->kid[1]);
    for (uint32_t i = 0; i < n->n; i++)
        if (n->kid[i])
            tell_parts(sp, n->kid[i], info);
}

/* The first `event.x == "text"` among what must hold together: without it the rule cannot hold, so
 * an index may find the rule by the value. Recursion: the tree's height. */
static bool tell_match(const struct sc_scope *sp, const struct node *n, struct sc_rule_info *info)
{
    if (n->kind == N_AND)
        return tell_match(sp, n->kid[0], info) || tell_match(sp, n->kid[1], info);
    if (n->kind != N_BINARY || n->op != OP_EQ)
        return false;
    bool left = n->kid[0]->kind == N_PROP;
    const struct node *prop = n->kid[left ? 0 : 1], *value = n->kid[left ? 1 : 0];
    if (prop->kind != N_PROP || prop->a < 0 || prop->test || prop->optional ||
        value->kind != N_CONST || value->value.type != SC_T_STRING ||
        sp->tx->events[prop->a].props[prop->b].type != SC_T_STRING)
        return false;
    info->match_prop = (int16_t)prop->b;
    info->match_hash = sc_value_hash(value->value);
    return true;
}

/* ---- Compiling */

static bool want_result(struct checker *ck, const struct node *tree)
{
    uint8_t t = tree->type.t;
    if (ck->opts.use == SC_USE_VALUE || t == SC_T_BOOL || t == SC_T_ABSENT)
        return true;
    RULE_ERROR(&ck->src, "expr-type", tree->off, tree->len,
               "a rule must be true or false, this is %s", sc_type_name((enum sc_type)t));
    return false;
}

static const struct sc_prog *compile(struct checker *ck)
{
    struct sc_scope *sp = ck->sp;
    uint32_t errors = sp->dg->errors;
    struct node *tree = rule_parse(&ck->src);
    if (tree == NULL)
        return NULL;
    ck->root = tree;
    rule_check(ck, tree);
    uint32_t height = tree->height + ck->inlined_height;
    if (height > SC_RULE_HEIGHT_MAX)
        RULE_ERROR(&ck->src, "expr-too-large", 0, 1, "names inside names are nested too deep");
    if (sp->dg->errors != errors || ck->broken || !want_result(ck, tree))
        return NULL;
    struct sc_rule_info info = {.type = tree->type.t, .element = tree->type.el,
                                .reads_event = ck->reads_event, .reads_facts = ck->reads_facts};
    ck->resolved = true;
    if (sp->tx)
        tell_events(ck, tree, &info);
    tell_facts(ck, &info);
    tell_parts(sp, tree, &info);
    if (!sp->tx || info.events == NULL || info.n_events != 1 || !tell_match(sp, tree, &info))
        info.match_prop = -1;
    if (!ladder(sp, tree, &info))
        info.ladder_fact = -1;
    int32_t bare = tree->kind == N_FACT ? tree->a : -1;
    struct sc_prog *p = rule_emit(&ck->src, sp, tree, -1);
    if (p == NULL)
        return NULL;
    if (info.events != NULL && info.n_events == 1 && ck->reads_event) {
        struct sc_prog *here = rule_emit(&ck->src, sp, tree, info.events[0]);
        p->here = here && here->n_ops < p->n_ops ? here : NULL;
    }
    info.cost = p->info.cost;
    info.constant = p->info.constant;
    p->info = info;
    p->bare_fact = bare;
    p->size = (uint32_t)ck->src.text.len + ck->inlined;
    p->height = height;
    p->text = ck->src.text;
    p->tree = tree;
    return p;
}

const struct sc_prog *sc_rule_compile(struct sc_scope *sp, struct sc_str text, struct sc_mark mark,
                                      struct sc_rule_opts opts)
{
    struct checker ck = {.src = {.text = text, .mark = mark, .ar = sp->ar, .dg = sp->dg},
                         .sp = sp, .opts = opts};
    struct event_set can = {0};
    uint16_t only = (uint16_t)opts.only_event;
    if (opts.only_event >= 0) {
        opts.events = &only;
        opts.n_events = 1;
    }
    for (uint32_t i = 0; opts.events && i < opts.n_events; i++) {
        SC_ASSERT(opts.events[i] < SC_EVENTS_MAX);
        can.w[opts.events[i] / 64] |= UINT64_C(1) << (opts.events[i] % 64);
    }
    if (sp->tx && opts.events == NULL)
        event_set_all(&can, sp->tx->n_events);
    if (sp->tx)
        ck.can = &can;
    return compile(&ck);
}

const struct sc_rule_info *sc_rule_info(const struct sc_prog *p)
{
    SC_ASSERT(p != NULL);
    return &p->info;
}

struct sc_str sc_rule_text(const struct sc_prog *p)
{
    SC_ASSERT(p != NULL);
    return p->text;
}

/* ---- CEL alone */

bool sc_rule_eval_text(const struct sc_rule_text *in, struct sc_arena *ar, struct sc_diag *dg,
                       struct sc_value *out)
{
    SC_ASSERT(in != NULL && out != NULL);
    struct sc_source_text *file = SC_NEW(ar, struct sc_source_text);
    sc_source_init(file, SC_STR("expression"), in->expr, ar);
    struct sc_scope sp;
    sc_scope_init(&sp, NULL, ar, dg);
    sp.vars = in->vars;
    sp.n_vars = in->n_vars;
    sp.container = in->container;
    struct sc_mark mark = {.file = file, .line = 1, .column = 1, .len = (uint32_t)in->expr.len};
    struct sc_rule_opts opts = {.use = SC_USE_VALUE, .only_event = -1};
    const struct sc_prog *p = sc_rule_compile(&sp, in->expr, mark, opts);
    if (p) {
        struct sc_rule_ctx cx = {.ar = ar, .vars = in->vars};
        *out = sc_rule_eval(p, &cx);
    }
    sc_scope_fini(&sp);
    return p != NULL;
}
