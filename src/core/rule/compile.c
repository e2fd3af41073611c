/* A checked tree to a flat program.
 *
 * Registers are a stack by construction: a sub-expression leaves its value in the register it was
 * given and uses only those above. What depends on nothing is folded by running it here, with the
 * same evaluator that runs rules, so that folding cannot disagree with evaluation. Cost: linear in
 * the tree, plus what folding runs (bounded by the budget). */
#include "core/rule/prog.h"

#include "base/assert.h"
#include "base/hash.h"

struct emitter {
    const struct rule_src *src;
    struct sc_scope *sp; /* owns patterns and zones */
    SC_VEC(struct op) ops;
    SC_VEC(struct span) spans;
    SC_VEC(struct sc_value) consts;
    SC_VEC(struct prepared) prepared;
    SC_VEC(const struct event_set *) sets;
    SC_VEC(const int16_t *) slots;
    uint32_t loops, builders; /* in use around here */
    uint32_t bound;           /* loops and variables around here: no folding of what reads them */
    uint32_t quiet;           /* no trace: inside loops and named expressions */
    uint64_t times, cost;     /* how often this place may run; steps so far */
    bool folding; /* this program runs now: nothing in it is folded again */
    int32_t event; /* the type it is about, -1: any */
    bool failed;
};

static uint16_t emit(struct emitter *e, struct node *n, uint16_t dst);

static uint16_t fail(struct emitter *e, const struct node *n, const char *what)
{
    if (!e->failed)
        RULE_ERROR(e->src, "expr-too-large", n->off, n->len, "%s", what);
    e->failed = true;
    return 0;
}

static uint32_t add_op(struct emitter *e, struct op op)
{
    SC_ASSERT(op.dst < SC_RULE_REGS);
    SC_VEC_PUSH(e->src->ar, &e->ops, op);
    SC_VEC_PUSH(e->src->ar, &e->spans, (struct span){0});
    e->cost += e->times;
    return e->ops.n - 1;
}

/* The op `at` leaves the value of `n` in its dst. */
static void trace(struct emitter *e, uint32_t at, const struct node *n)
{
    if (e->quiet)
        return;
    e->ops.v[at].flags |= TRACE;
    e->spans.v[at] = (struct span){n->off, n->len};
}

static void add_traced(struct emitter *e, const struct node *n, struct op op)
{
    trace(e, add_op(e, op), n);
}

static uint16_t here(const struct emitter *e)
{
    return (uint16_t)e->ops.n;
}

static void land(struct emitter *e, uint32_t jump)
{
    e->ops.v[jump].b = here(e);
}

static uint16_t add_const(struct emitter *e, const struct node *n, struct sc_value v)
{
    if (e->consts.n >= OPERAND_CONST - 1)
        return fail(e, n, "too many constants");
    SC_VEC_PUSH(e->src->ar, &e->consts, v);
    return (uint16_t)(OPERAND_CONST | (e->consts.n - 1));
}

static uint16_t emit_into(struct emitter *e, struct node *n, uint16_t dst)
{
    uint16_t at = emit(e, n, dst);
    if (at != dst && !e->failed)
        add_op(e, (struct op){.code = OP_MOVE, .dst = dst, .a = at});
    return dst;
}

/* ---- Folding */

/* Whether the value of `n` can be known now. Locals are known when their loop is inside `n`. */
static bool foldable(const struct node *n, bool free_locals)
{
    switch ((enum node_kind)n->kind) {
    case N_EVENT_FIELD: case N_PROP: case N_ATTR: case N_FACT: case N_OPEN: case N_RECENT:
    case N_VAR: case N_NAMED: case N_ERROR:
        return false;
    case N_LOCAL:
        return free_locals;
    case N_CONST: case N_IDENT: case N_LIST: case N_MAP: case N_SELECT: case N_INDEX: case N_CALL:
    case N_UNARY: case N_BINARY: case N_AND: case N_OR: case N_COND: case N_LOOP: case N_LET:
    case N_FN:
        break;
    }
    for (uint32_t i = 0; i < n->n; i++)
        if (n->kid[i] && !foldable(n->kid[i], free_locals))
            return false;
    return true;
}

static struct sc_value run_now(struct emitter *e, struct node *n)
{
    struct emitter sub = {.src = e->src, .sp = e->sp, .quiet = 1, .times = 1, .folding = true,
                          .event = -1};
    uint16_t at = emit_into(&sub, n, 0);
    if (sub.failed) {
        e->failed = true;
        return sc_error(SC_VE_LIMIT);
    }
    add_op(&sub, (struct op){.code = OP_END, .a = at});
    struct sc_prog p = {.ops = sub.ops.v, .n_ops = sub.ops.n, .consts = sub.consts.v,
                        .spans = sub.spans.v, .prepared = sub.prepared.v};
    struct sc_rule_ctx cx = {.ar = e->src->ar};
    return sc_rule_eval(&p, &cx);
}

/* Make `n` a constant where it can be one. True when it is. */
static bool fold(struct emitter *e, struct node *n)
{
    if (n->kind == N_CONST)
        return true;
    if (e->folding || e->failed || !foldable(n, e->bound == 0))
        return false;
    struct sc_value v = run_now(e, n);
    if (e->failed)
        return false;
    if (v.type == SC_T_ERROR && e->sp->tx)
        sc_diag_add(e->src->dg, SC_WARNING, "always-error",
                    sc_mark_at(e->src->mark, n->off, n->len), "this is always an error: %s",
                    sc_value_err_text((enum sc_value_err)v.i));
    n->kind = N_CONST;
    n->value = v;
    return true;
}

static bool is_const_bool(const struct node *n, bool b)
{
    return n->kind == N_CONST && n->value.type == SC_T_BOOL && (n->value.i != 0) == b;
}

/* false && x, x || true: known although x is not. */
static bool fold_logic(struct emitter *e, struct node *n)
{
    bool absorbs = n->kind == N_OR;
    fold(e, n->kid[0]);
    fold(e, n->kid[1]);
    if (!is_const_bool(n->kid[0], absorbs) && !is_const_bool(n->kid[1], absorbs))
        return false;
    n->kind = N_CONST;
    n->value = sc_bool(absorbs);
    return true;
}

/* ---- Leaves */

static uint16_t emit_prop(struct emitter *e, struct node *n, uint16_t dst)
{
    enum prop_read how = n->test ? PROP_HAS : n->optional ? PROP_OPTIONAL : PROP_VALUE;
    struct op op = {.code = OP_PROP, .dst = dst, .a = (uint16_t)n->a, .b = (uint16_t)n->b,
                    .aux = (uint8_t)how};
    if (n->a < 0) {
        op.code = OP_PROPS;
        op.a = (uint16_t)e->slots.n;
        SC_VEC_PUSH(e->src->ar, &e->slots, n->slots);
    }
    add_traced(e, n, op);
    return dst;
}

/* `event.name == "x"`: an event type, not a string. -1: it is not that. */
static int32_t event_compared(const struct emitter *e, const struct node *a, const struct node *b)
{
    bool is = a->kind == N_EVENT_FIELD && a->a == EVENT_NAME && !a->test && b->kind == N_CONST &&
              b->value.type == SC_T_STRING;
    return is ? sc_taxonomy_event(e->sp->tx, sc_value_str(b->value)) : -1;
}

/* The event whose name `n` compares, -1: it does not. */
static int32_t event_asked(const struct emitter *e, const struct node *n)
{
    if (e->sp->tx == NULL || n->kind != N_BINARY || (n->op != OP_EQ && n->op != OP_NE))
        return -1;
    int32_t event = event_compared(e, n->kid[0], n->kid[1]);
    return event >= 0 ? event : event_compared(e, n->kid[1], n->kid[0]);
}

/* Whether `n` asks for the name of the event that the program is about, and finds what is asked. */
static bool is_here(const struct emitter *e, const struct node *n)
{
    int32_t event = e->event < 0 ? -1 : event_asked(e, n);
    return event >= 0 && (event == e->event) == (n->op == OP_EQ);
}

static bool emit_event_compare(struct emitter *e, struct node *n, uint16_t dst)
{
    struct node *a = n->kid[0], *b = n->kid[1];
    if (n->op == OP_EQ || n->op == OP_NE) {
        int32_t event = event_asked(e, n);
        if (event < 0)
            return false;
        uint32_t at = add_op(e, (struct op){.code = OP_EVENT_IS, .dst = dst,
                                            .a = (uint16_t)event});
        if (n->op == OP_NE)
            at = add_op(e, (struct op){.code = OP_NOT, .dst = dst, .a = dst});
        trace(e, at, n);
        return true;
    }
    if (n->op != OP_IN || b->kind != N_CONST || b->value.type != SC_T_LIST ||
        a->kind != N_EVENT_FIELD || a->a != EVENT_NAME)
        return false;
    struct event_set *set = SC_NEW(e->src->ar, struct event_set);
    for (uint32_t i = 0; i < b->value.len; i++) {
        struct sc_value v = b->value.list[i];
        int event = v.type == SC_T_STRING ? sc_taxonomy_event(e->sp->tx, sc_value_str(v)) : -1;
        if (event >= 0)
            set->w[event / 64] |= UINT64_C(1) << (event % 64);
    }
    SC_VEC_PUSH(e->src->ar, &e->sets, set);
    add_traced(e, n, (struct op){.code = OP_EVENT_IN, .dst = dst, .a = (uint16_t)(e->sets.n - 1)});
    return true;
}

static uint16_t emit_leaf(struct emitter *e, struct node *n, enum rule_op code, uint16_t dst)
{
    SC_ASSERT(n->a >= 0 || code == OP_RECENT);
    struct op op = {.code = (uint8_t)code, .dst = dst, .a = (uint16_t)n->a, .b = (uint16_t)n->b,
                    .aux = n->test};
    add_traced(e, n, op);
    return dst;
}

static uint16_t emit_named(struct emitter *e, struct node *n, uint16_t dst)
{
    e->quiet++;
    uint16_t at = emit(e, n->kid[0], dst);
    e->quiet--;
    if (at == dst && e->ops.n > 0)
        trace(e, e->ops.n - 1, n);
    return at;
}

/* ---- Operators */

static uint16_t emit_binary(struct emitter *e, struct node *n, uint16_t dst)
{
    fold(e, n->kid[1]);
    if (e->sp->tx && emit_event_compare(e, n, dst))
        return dst;
    uint16_t a = emit(e, n->kid[0], dst);
    uint16_t b = emit(e, n->kid[1], (uint16_t)(dst + 1));
    add_traced(e, n, (struct op){.code = n->op, .dst = dst, .a = a, .b = b});
    return dst;
}

static uint16_t emit_unary(struct emitter *e, struct node *n, enum rule_op code, uint16_t dst)
{
    uint16_t a = emit(e, n->kid[0], dst);
    add_traced(e, n, (struct op){.code = (uint8_t)code, .dst = dst, .a = a});
    return dst;
}

static uint16_t emit_logic(struct emitter *e, struct node *n, uint16_t dst)
{
    if (fold_logic(e, n))
        return add_const(e, n, n->value);
    bool and = n->kind == N_AND;
    for (uint32_t i = 0; and && i < 2; i++) /* true && x is x, where that is a bool */
        if (is_here(e, n->kid[i]) && n->kid[1 - i]->type.t == SC_T_BOOL)
            return emit(e, n->kid[1 - i], dst);
    emit_into(e, n->kid[0], dst);
    uint32_t skip = add_op(e, (struct op){.code = and ? OP_IF_FALSE : OP_IF_TRUE, .dst = dst,
                                          .a = dst});
    trace(e, skip, n);
    uint16_t b = emit(e, n->kid[1], (uint16_t)(dst + 1));
    add_traced(e, n, (struct op){.code = and ? OP_AND : OP_OR, .dst = dst, .a = dst, .b = b});
    land(e, skip);
    return dst;
}

static uint16_t emit_cond(struct emitter *e, struct node *n, uint16_t dst)
{
    if (fold(e, n->kid[0]) && n->kid[0]->value.type == SC_T_BOOL)
        return emit(e, n->kid[n->kid[0]->value.i ? 1 : 2], dst);
    uint16_t test = emit(e, n->kid[0], dst);
    uint32_t branch = add_op(e, (struct op){.code = OP_BRANCH, .dst = dst, .a = test});
    emit_into(e, n->kid[1], dst);
    uint32_t done = add_op(e, (struct op){.code = OP_JUMP, .dst = dst});
    land(e, branch);
    emit_into(e, n->kid[2], dst);
    land(e, done);
    e->ops.v[branch].c = here(e);
    add_traced(e, n, (struct op){.code = OP_MOVE, .dst = dst, .a = dst});
    return dst;
}

/* x.name and x[index] */
static uint16_t emit_index(struct emitter *e, struct node *n, uint16_t dst)
{
    enum rule_op code = n->test ? OP_HAS_INDEX : n->optional ? OP_OPT_INDEX : OP_INDEX;
    uint16_t of = emit(e, n->kid[0], dst);
    uint16_t at = n->kind == N_INDEX ? emit(e, n->kid[1], (uint16_t)(dst + 1))
                                     : add_const(e, n, sc_string(n->name));
    add_traced(e, n, (struct op){.code = (uint8_t)code, .dst = dst, .a = of, .b = at,
                                 .aux = n->kind == N_SELECT});
    return dst;
}

/* ---- Lists and maps */

static uint16_t emit_list(struct emitter *e, struct node *n, uint16_t dst)
{
    if (e->builders == SC_RULE_BUILDERS)
        return fail(e, n, "lists and maps are nested too deep");
    bool map = n->kind == N_MAP;
    uint16_t k = (uint16_t)e->builders++, value = (uint16_t)(dst + 1);
    add_op(e, (struct op){.code = OP_BUILD, .dst = k, .a = (uint16_t)n->n});
    for (uint32_t i = 0; i < n->n; i += map ? 2 : 1) {
        bool optional = n->kid[i]->element_optional;
        struct op push = {.code = OP_PUSH, .dst = k};
        push.a = emit(e, n->kid[i], dst);
        push.b = map ? emit(e, n->kid[i + 1], value) : 0;
        push.aux = map ? (optional ? PUSH_OPTIONAL_PAIR : PUSH_PAIR)
                       : (optional ? PUSH_OPTIONAL : PUSH_ONE);
        add_op(e, push);
    }
    e->builders--;
    add_traced(e, n, (struct op){.code = map ? OP_DONE_MAP : OP_DONE_LIST, .dst = dst, .a = k});
    return dst;
}

/* ---- Macros */

static uint64_t range_guess(const struct node *range)
{
    if (range->kind == N_LIST || range->kind == N_MAP)
        return range->n;
    if (range->kind == N_RECENT)
        return range->b;
    if (range->kind == N_CONST && (range->value.type == SC_T_LIST || range->value.type == SC_T_MAP))
        return range->value.len;
    return SC_RULE_LOOP_GUESS;
}

/* What a loop's parts need to know of each other. */
struct loop_ops {
    uint16_t dst, temp, builder;
    uint32_t next, branch; /* op indices; branch: 0 none */
};

static void loop_decide(struct emitter *e, struct node *n, struct loop_ops *lo)
{
    uint16_t p = emit(e, n->kid[1], lo->temp), dst = lo->dst;
    bool all = n->op == LOOP_ALL;
    if (n->op == LOOP_EXISTS_ONE) {
        add_op(e, (struct op){.code = OP_COUNT, .dst = dst, .a = dst, .b = p});
        lo->branch = add_op(e, (struct op){.code = OP_IF_ERROR, .dst = dst, .a = dst});
    } else {
        add_op(e, (struct op){.code = all ? OP_AND : OP_OR, .dst = dst, .a = dst, .b = p});
        lo->branch = add_op(e, (struct op){.code = all ? OP_IF_FALSE : OP_IF_TRUE, .dst = dst,
                                           .a = dst});
    }
    add_op(e, (struct op){.code = OP_JUMP, .dst = dst, .b = (uint16_t)lo->next});
    land(e, lo->next);
    if (n->op == LOOP_EXISTS_ONE) {
        uint16_t one = add_const(e, n, sc_int(1));
        add_op(e, (struct op){.code = OP_EQ, .dst = dst, .a = dst, .b = one});
    }
    land(e, lo->branch);
}

static void loop_collect(struct emitter *e, struct node *n, struct loop_ops *lo)
{
    bool pairs = n->op == LOOP_MAP_VALUES || n->op == LOOP_MAP_ENTRIES;
    struct op push = {.code = OP_PUSH, .dst = lo->builder, .aux = pairs ? PUSH_PAIR : PUSH_ONE};
    if (n->kid[1]) {
        uint16_t p = emit(e, n->kid[1], lo->temp);
        lo->branch = add_op(e, (struct op){.code = OP_BRANCH, .dst = lo->dst, .a = p,
                                           .b = (uint16_t)lo->next});
    }
    push.a = n->op == LOOP_MAP ? emit(e, n->kid[2], lo->temp)
             : n->op == LOOP_MAP_ENTRIES ? emit(e, n->kid[2], lo->temp) : n->v1->reg;
    if (n->op == LOOP_MAP_VALUES)
        push.b = emit(e, n->kid[2], lo->temp);
    else if (n->op == LOOP_MAP_ENTRIES)
        push.b = emit(e, n->kid[3], (uint16_t)(lo->temp + 1));
    add_op(e, push);
    add_op(e, (struct op){.code = OP_JUMP, .dst = lo->dst, .b = (uint16_t)lo->next});
    land(e, lo->next);
    add_op(e, (struct op){.code = pairs ? OP_DONE_MAP : OP_DONE_LIST, .dst = lo->dst,
                          .a = lo->builder});
    if (n->kid[1])
        e->ops.v[lo->branch].c = here(e);
}

static uint16_t emit_loop(struct emitter *e, struct node *n, uint16_t dst)
{
    if (e->loops == SC_RULE_LOOPS || e->builders == SC_RULE_BUILDERS)
        return fail(e, n, "macros are nested too deep");
    uint64_t times = e->times;
    bool decides = n->op == LOOP_ALL || n->op == LOOP_EXISTS || n->op == LOOP_EXISTS_ONE;
    struct loop_ops lo = {.dst = dst, .temp = (uint16_t)(dst + 3)};
    uint16_t range = emit(e, n->kid[0], dst);
    uint8_t k = (uint8_t)e->loops;
    uint32_t begin = add_op(e, (struct op){.code = OP_LOOP, .aux = k, .dst = dst, .a = range});
    e->loops++, e->quiet++, e->bound++;
    n->v1->reg = (uint16_t)(dst + 1);
    if (n->v2)
        n->v2->reg = (uint16_t)(dst + 2);
    if (decides) {
        struct sc_value start = n->op == LOOP_EXISTS_ONE ? sc_int(0) : sc_bool(n->op == LOOP_ALL);
        add_op(e, (struct op){.code = OP_MOVE, .dst = dst, .a = add_const(e, n, start)});
    } else {
        lo.builder = (uint16_t)e->builders++;
        add_op(e, (struct op){.code = OP_BUILD, .aux = 1, .dst = lo.builder, .a = k});
    }
    e->times = times * range_guess(n->kid[0]);
    if (e->times > SC_RULE_BUDGET)
        e->times = SC_RULE_BUDGET;
    lo.next = add_op(e, (struct op){.code = OP_NEXT, .aux = k, .dst = n->v1->reg,
                                    .a = n->v2 ? n->v2->reg : NO_OPERAND});
    if (decides)
        loop_decide(e, n, &lo);
    else
        loop_collect(e, n, &lo);
    e->builders -= decides ? 0 : 1;
    e->loops--, e->quiet--, e->bound--;
    e->times = times;
    land(e, begin);
    add_traced(e, n, (struct op){.code = OP_MOVE, .dst = dst, .a = dst});
    return dst;
}

/* o.optMap(x, e): none stays none. */
static uint16_t emit_opt_map(struct emitter *e, struct node *n, uint16_t dst)
{
    emit_into(e, n->kid[0], dst);
    n->v1->reg = (uint16_t)(dst + 1);
    uint32_t get = add_op(e, (struct op){.code = OP_OPT_GET, .dst = n->v1->reg, .a = dst});
    e->bound++, e->quiet++;
    uint16_t r = emit(e, n->kid[2], (uint16_t)(dst + 2));
    e->bound--, e->quiet--;
    add_op(e, (struct op){.code = n->op == LOOP_OPT_MAP ? OP_OPT_OF : OP_MOVE, .dst = dst, .a = r});
    land(e, get);
    add_traced(e, n, (struct op){.code = OP_MOVE, .dst = dst, .a = dst});
    return dst;
}

static uint16_t emit_let(struct emitter *e, struct node *n, uint16_t dst)
{
    n->v1->reg = (uint16_t)(dst + 1);
    emit_into(e, n->kid[0], n->v1->reg);
    e->bound++;
    uint16_t r = emit(e, n->kid[1], (uint16_t)(dst + 2));
    e->bound--;
    add_traced(e, n, (struct op){.code = OP_MOVE, .dst = dst, .a = r});
    return dst;
}

/* ---- Functions */

/* The pattern or zone of a constant last argument. */
static void prepare_last(struct emitter *e, const struct node *n, struct prepared *pr)
{
    const struct node *last = n->n ? n->kid[n->n - 1] : NULL;
    if (last == NULL || last->kind != N_CONST || last->value.type != SC_T_STRING)
        return;
    struct sc_str text = sc_value_str(last->value), err = {0};
    char wants = 0;
    for (int32_t row = n->a; rule_fn_same(n->a, row); row++)
        if (strlen(rule_functions[row].args) == n->n)
            wants = rule_functions[row].prepare;
    if (wants == 'r') {
        struct sc_regex *re = sc_regex_create(text, e->src->ar, &err);
        if (re == NULL && e->sp->tx) {
            RULE_ERROR(e->src, "expr-pattern", last->off, last->len, "%.*s", SC_STR_FMT(err));
            e->failed = true;
        }
        if (re)
            SC_VEC_PUSH(e->sp->ar, &e->sp->regexes, re);
        pr->regex = re;
    } else if (wants == 'z') {
        struct sc_tz *tz = sc_tz_load(text);
        if (tz)
            SC_VEC_PUSH(e->sp->ar, &e->sp->zones, tz);
        pr->zone = tz;
    }
}

/* The overload, where plain types say which. Not of a list: an optional looks like one. */
static void prepare_overload(const struct node *n, struct prepared *pr)
{
    struct rule_ty types[SETTLED_ARGS];
    if (n->n == 0 || n->n > SETTLED_ARGS)
        return;
    for (uint32_t i = 0; i < n->n; i++) {
        types[i] = n->kid[i]->type;
        pr->types[i] = types[i].t;
        if (types[i].t == SC_T_ABSENT || types[i].t == SC_T_LIST || types[i].t == SC_T_MAP)
            return;
    }
    for (int32_t row = n->a; pr->fn == NULL && rule_fn_same(n->a, row); row++)
        if (rule_fn_fits(&rule_functions[row], types, n->n))
            pr->fn = &rule_functions[row];
}

/* Index into prepared, NO_OPERAND: nothing is known of the call. */
static uint16_t prepare(struct emitter *e, const struct node *n)
{
    struct prepared pr = {0};
    prepare_last(e, n, &pr);
    prepare_overload(n, &pr);
    if (pr.regex == NULL && pr.zone == NULL && pr.fn == NULL)
        return NO_OPERAND;
    SC_VEC_PUSH(e->src->ar, &e->prepared, pr);
    return (uint16_t)(e->prepared.n - 1);
}

static uint16_t emit_call(struct emitter *e, struct node *n, uint16_t dst)
{
    if (n->n > SC_RULE_ARGS_MAX)
        return fail(e, n, "too many arguments");
    for (uint32_t i = 0; i < n->n; i++)
        fold(e, n->kid[i]);
    uint16_t ready = prepare(e, n);
    for (uint32_t i = 0; i < n->n; i++)
        emit_into(e, n->kid[i], (uint16_t)(dst + i));
    add_traced(e, n, (struct op){.code = OP_CALL, .dst = dst, .a = dst, .b = (uint16_t)n->a,
                                 .c = ready, .aux = (uint8_t)n->n});
    return dst;
}

/* ---- All kinds */

static uint16_t emit_kind(struct emitter *e, struct node *n, uint16_t dst)
{
    switch ((enum node_kind)n->kind) {
    case N_CONST: return add_const(e, n, n->value);
    case N_ERROR: return add_const(e, n, sc_error((enum sc_value_err)n->a));
    case N_LIST: case N_MAP: return emit_list(e, n, dst);
    case N_SELECT: case N_INDEX: return emit_index(e, n, dst);
    case N_UNARY: return emit_unary(e, n, (enum rule_op)n->op, dst);
    case N_BINARY: return emit_binary(e, n, dst);
    case N_AND: case N_OR: return emit_logic(e, n, dst);
    case N_COND: return emit_cond(e, n, dst);
    case N_LOOP:
        return n->op == LOOP_OPT_MAP || n->op == LOOP_OPT_FLAT_MAP ? emit_opt_map(e, n, dst)
                                                                   : emit_loop(e, n, dst);
    case N_LET: return emit_let(e, n, dst);
    case N_LOCAL: return n->v1->reg;
    case N_VAR: return emit_leaf(e, n, OP_VAR, dst);
    case N_EVENT_FIELD: return emit_leaf(e, n, OP_EVENT_FIELD, dst);
    case N_PROP: return emit_prop(e, n, dst);
    case N_ATTR: return emit_leaf(e, n, OP_ATTR, dst);
    case N_FACT: return emit_leaf(e, n, OP_FACT, dst);
    case N_NAMED: return emit_named(e, n, dst);
    case N_OPEN: return emit_leaf(e, n, OP_OPEN, dst);
    case N_RECENT: return emit_leaf(e, n, OP_RECENT, dst);
    case N_FN: return emit_call(e, n, dst);
    case N_IDENT: case N_CALL:
        break;
    }
    SC_UNREACHABLE("an unresolved name");
}

/* Code for `n`; answers where the value is: `dst`, a constant, or a variable's register. */
static uint16_t emit(struct emitter *e, struct node *n, uint16_t dst)
{
    if (e->failed)
        return 0;
    if (dst + SC_RULE_ARGS_MAX + 4 >= SC_RULE_REGS || e->ops.n > SC_RULE_OPS_MAX)
        return fail(e, n, "the expression is too large: name parts of it as facts");
    fold(e, n);
    return e->failed ? 0 : emit_kind(e, n, dst);
}

struct sc_prog *rule_emit(const struct rule_src *src, struct sc_scope *sp, struct node *tree,
                          int32_t event)
{
    struct emitter e = {.src = src, .sp = sp, .times = 1, .event = event};
    uint16_t at = is_here(&e, tree) ? add_const(&e, tree, sc_bool(true)) : emit(&e, tree, 0);
    if (e.failed)
        return NULL;
    add_op(&e, (struct op){.code = OP_END, .a = at});
    struct sc_prog *p = SC_NEW(src->ar, struct sc_prog);
    p->ops = e.ops.v;
    p->n_ops = e.ops.n;
    p->spans = e.spans.v;
    p->consts = e.consts.v;
    p->prepared = e.prepared.v;
    p->sets = e.sets.v;
    p->slots = e.slots.v;
    p->info.cost = e.cost < SC_RULE_BUDGET ? (uint32_t)e.cost : SC_RULE_BUDGET;
    p->info.constant = (at & OPERAND_CONST) != 0;
    return p;
}
