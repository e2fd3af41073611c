/* The evaluator: one loop over operations, on a frame of registers in the C stack.
 *
 * No recursion, no allocation but for the lists, maps and strings that the expression makes (in
 * cx->ar). Programs jump forward only, except around macros, where each round spends from the
 * budget; so every evaluation ends, with SC_VE_LIMIT at worst. The trace costs one test an
 * operation when off. Cost: a few nanoseconds an operation. */
#include "core/rule/prog.h"

#include "base/assert.h"
#include <stdlib.h>

struct loop {
    struct sc_value over; /* LIST or MAP */
    uint32_t next;
};

struct builder {
    struct sc_value *v;
    uint32_t n, cap;
    struct sc_value error; /* the first that was pushed, else ABSENT */
};

struct vm {
    struct run run;
    const struct sc_prog *p;
    struct sc_value regs[SC_RULE_REGS];
    struct loop loops[SC_RULE_LOOPS];
    struct builder builders[SC_RULE_BUILDERS];
};

static inline const struct sc_value *operand(const struct vm *vm, uint16_t at)
{
    return at & OPERAND_CONST ? &vm->p->consts[at & ~OPERAND_CONST] : &vm->regs[at];
}

static bool is_bool(const struct sc_value *v, bool b)
{
    return v->type == SC_T_BOOL && (v->i != 0) == b;
}

/* ---- What the context holds */

static struct sc_value known(struct sc_value v)
{
    return v.type == SC_T_ABSENT ? sc_error(SC_VE_NO_VALUE) : v;
}

static struct sc_value event_field(const struct vm *vm, const struct op *op)
{
    const struct sc_rule_ctx *cx = vm->run.cx;
    const struct sc_event *ev = cx->ev;
    if (ev == NULL)
        return sc_error(SC_VE_NO_VALUE);
    if (op->aux) /* has(event.name) */
        return sc_bool(true);
    switch ((enum event_field)op->a) {
    case EVENT_NAME: return sc_string(cx->tx->events[ev->type].name);
    case EVENT_ID: return sc_string(ev->id);
    case EVENT_OCCURRED_AT: return sc_timestamp(ev->occurred_ms);
    case EVENT_SOURCE: return sc_string(ev->source_name);
    }
    SC_UNREACHABLE("event field");
}

static struct sc_value property(struct vm *vm, const struct op *op)
{
    const struct sc_event *ev = vm->run.cx->ev;
    if (ev == NULL)
        return sc_error(SC_VE_NO_VALUE);
    int32_t slot = op->code == OP_PROPS ? vm->p->slots[op->a][ev->type]
                   : ev->type == op->a  ? op->b : -1;
    SC_ASSERT(slot < (int32_t)ev->n_props);
    bool is = slot >= 0 && sc_is_value(ev->props[slot]);
    if (op->aux == PROP_HAS)
        return sc_bool(is);
    if (op->aux == PROP_OPTIONAL)
        return is ? rule_optional_of(&vm->run, ev->props[slot]) : rule_optional_none();
    return is ? ev->props[slot] : sc_error(SC_VE_NO_VALUE);
}

static struct sc_value from_host(const struct vm *vm, const struct op *op)
{
    const struct sc_rule_ctx *cx = vm->run.cx;
    SC_ASSERT(cx->host != NULL);
    switch ((enum rule_op)op->code) {
    case OP_ATTR: {
        struct sc_value v = known(cx->host->attr(cx, (enum sc_attr)op->a));
        return op->aux ? sc_bool(v.type != SC_T_ERROR && v.len > 0) : v;
    }
    case OP_FACT: return known(cx->host->fact(cx, op->a));
    case OP_OPEN: return known(cx->host->open(cx, op->a));
    default: /* OP_RECENT: the only other one that asks the host */
        return known(cx->host->recent(cx, op->a == NO_OPERAND ? -1 : (int32_t)op->a, op->b));
    }
}

static struct sc_value event_test(const struct vm *vm, const struct op *op)
{
    const struct sc_event *ev = vm->run.cx->ev;
    if (ev == NULL)
        return sc_error(SC_VE_NO_VALUE);
    if (op->code == OP_EVENT_IS)
        return sc_bool(ev->type == op->a);
    return sc_bool(vm->p->sets[op->a]->w[ev->type / 64] >> (ev->type % 64) & 1);
}

/* ---- Operations on values */

/* CEL: a side that decides absorbs an error on the other. */
static struct sc_value both(const struct sc_value *a, const struct sc_value *b, bool decides)
{
    if (is_bool(a, decides) || is_bool(b, decides))
        return sc_bool(decides);
    if (a->type == SC_T_ERROR || b->type == SC_T_ERROR)
        return a->type == SC_T_ERROR ? *a : *b;
    bool bools = a->type == SC_T_BOOL && b->type == SC_T_BOOL;
    return bools ? sc_bool(!decides) : sc_error(SC_VE_NO_OVERLOAD);
}

static struct sc_value index_optional(struct vm *vm, struct sc_value of, struct sc_value at)
{
    struct sc_value v = rule_is_optional(of) ? (of.len ? rule_index(&vm->run, of.list[0], at)
                                                       : sc_error(SC_VE_NO_KEY))
                                             : rule_index(&vm->run, of, at);
    bool none = v.type == SC_T_ERROR && (v.i == SC_VE_NO_KEY || v.i == SC_VE_INDEX);
    return none ? rule_optional_none() : rule_optional_of(&vm->run, v);
}

static struct sc_value has_index(struct vm *vm, struct sc_value of, struct sc_value at)
{
    if (rule_is_optional(of)) {
        if (of.len == 0)
            return sc_bool(false);
        of = of.list[0];
    }
    return of.type == SC_T_MAP ? rule_in(&vm->run, at, of) : sc_error(SC_VE_NO_OVERLOAD);
}

static struct sc_value compute_index(struct vm *vm, const struct op *op)
{
    struct sc_value of = *operand(vm, op->a), at = *operand(vm, op->b);
    if (of.type == SC_T_ERROR || at.type == SC_T_ERROR)
        return of.type == SC_T_ERROR ? of : at;
    if (op->code == OP_HAS_INDEX)
        return has_index(vm, of, at);
    if (op->code == OP_OPT_INDEX || rule_is_optional(of))
        return index_optional(vm, of, at);
    return rule_index(&vm->run, of, at);
}

/* The settled overload takes these arguments: none is an error, or of another type than the load
 * has seen. */
static inline bool settled(const struct prepared *pr, const struct sc_value *args, uint32_t n)
{
    if (pr == NULL || pr->fn == NULL)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (args[i].type != pr->types[i])
            return false;
    return true;
}

static struct sc_value compute_call(struct vm *vm, const struct op *op)
{
    const struct sc_value *args = &vm->regs[op->a];
    const struct prepared *pr = op->c == NO_OPERAND ? NULL : &vm->p->prepared[op->c];
    bool sure = settled(pr, args, op->aux);
    for (uint32_t i = 0; !sure && i < op->aux; i++)
        if (args[i].type == SC_T_ERROR)
            return args[i];
    if (!rule_spend(&vm->run, 1))
        return sc_error(SC_VE_LIMIT);
    vm->run.prep = pr;
    return sure ? pr->fn->impl(&vm->run, args, op->aux)
                : rule_fn_call(&vm->run, op->b, args, op->aux);
}

/* The comparison that most rules make: `count(…) >= 3`. */
static bool int_compare(enum rule_op op, int64_t a, int64_t b)
{
    bool eq = a == b, lt = a < b;
    return op == OP_EQ   ? eq
           : op == OP_NE ? !eq
           : op == OP_LT ? lt
           : op == OP_LE ? lt || eq
           : op == OP_GT ? !lt && !eq
                         : !lt;
}

static struct sc_value compute_binary(struct vm *vm, const struct op *op)
{
    const struct sc_value *a = operand(vm, op->a), *b = operand(vm, op->b);
    enum rule_op code = (enum rule_op)op->code;
    if (a->type == SC_T_ERROR || b->type == SC_T_ERROR)
        return a->type == SC_T_ERROR ? *a : *b;
    if (code == OP_IN)
        return rule_in(&vm->run, *a, *b);
    return code <= OP_GE ? rule_compare(&vm->run, code, *a, *b)
                         : rule_arith(&vm->run, code, *a, *b);
}

static inline void compute_compare(struct vm *vm, const struct op *op, struct sc_value *dst)
{
    const struct sc_value *a = operand(vm, op->a), *b = operand(vm, op->b);
    if (a->type == SC_T_INT && b->type == SC_T_INT)
        *dst = sc_bool(int_compare((enum rule_op)op->code, a->i, b->i));
    else
        *dst = compute_binary(vm, op);
}

static struct sc_value compute_not(struct sc_value a)
{
    if (a.type == SC_T_BOOL)
        return sc_bool(a.i == 0);
    return a.type == SC_T_ERROR ? a : sc_error(SC_VE_NO_OVERLOAD);
}

static struct sc_value compute_count(struct sc_value n, struct sc_value test)
{
    if (test.type == SC_T_BOOL)
        return sc_int(n.i + (test.i != 0));
    return test.type == SC_T_ERROR ? test : sc_error(SC_VE_NO_OVERLOAD);
}

/* Into the register by a pointer: a value that comes out of a switch by value is taken apart into
 * its fields and put together again by the compiler, at each operation. */
static inline void compute(struct vm *vm, const struct op *op, struct sc_value *dst)
{
    switch ((enum rule_op)op->code) {
    case OP_MOVE: *dst = *operand(vm, op->a); return;
    case OP_EVENT_IS: case OP_EVENT_IN: *dst = event_test(vm, op); return;
    case OP_EVENT_FIELD: *dst = event_field(vm, op); return;
    case OP_PROP: case OP_PROPS: *dst = property(vm, op); return;
    case OP_ATTR: case OP_FACT: case OP_OPEN: case OP_RECENT: *dst = from_host(vm, op); return;
    case OP_VAR: *dst = vm->run.cx->vars[op->a].value; return;
    case OP_EQ: case OP_NE: case OP_LT: case OP_LE: case OP_GT: case OP_GE:
        compute_compare(vm, op, dst);
        return;
    case OP_ADD: case OP_SUB: case OP_MUL: case OP_DIV: case OP_MOD: case OP_IN:
        *dst = compute_binary(vm, op);
        return;
    case OP_NOT: *dst = compute_not(*operand(vm, op->a)); return;
    case OP_NEG: *dst = rule_negate(*operand(vm, op->a)); return;
    case OP_INDEX: case OP_OPT_INDEX: case OP_HAS_INDEX: *dst = compute_index(vm, op); return;
    case OP_CALL: *dst = compute_call(vm, op); return;
    case OP_AND: case OP_OR:
        *dst = both(operand(vm, op->a), operand(vm, op->b), op->code == OP_OR);
        return;
    case OP_COUNT: *dst = compute_count(*operand(vm, op->a), *operand(vm, op->b)); return;
    case OP_OPT_OF: *dst = rule_optional_of(&vm->run, *operand(vm, op->a)); return;
    case OP_JUMP: case OP_IF_FALSE: case OP_IF_TRUE: case OP_IF_ERROR: case OP_BRANCH:
    case OP_BUILD: case OP_PUSH: case OP_DONE_LIST: case OP_DONE_MAP: case OP_LOOP: case OP_NEXT:
    case OP_OPT_GET: case OP_END:
        break;
    }
    SC_UNREACHABLE("an operation that moves about");
}

/* ---- Lists and maps under construction */

static void build(struct vm *vm, const struct op *op)
{
    struct builder *b = &vm->builders[op->dst];
    uint32_t n = op->aux ? 2 * vm->loops[op->a].over.len : op->a;
    *b = (struct builder){.cap = n};
    if (rule_spend(&vm->run, 1 + n / 4))
        b->v = sc_arena_alloc(vm->run.ar, ((size_t)n + 1) * sizeof(*b->v));
    else
        b->error = sc_error(SC_VE_LIMIT);
}

static void builder_add(struct builder *b, struct sc_value v)
{
    if (v.type == SC_T_ERROR && b->error.type == SC_T_ABSENT)
        b->error = v;
    if (b->error.type != SC_T_ABSENT)
        return;
    SC_ASSERT(b->n < b->cap);
    b->v[b->n++] = v;
}

static void push(struct vm *vm, const struct op *op)
{
    struct builder *b = &vm->builders[op->dst];
    enum push how = (enum push)op->aux;
    struct sc_value key = *operand(vm, op->a);
    struct sc_value v = how == PUSH_PAIR || how == PUSH_OPTIONAL_PAIR ? *operand(vm, op->b) : key;
    if (how == PUSH_OPTIONAL || how == PUSH_OPTIONAL_PAIR) {
        if (v.type != SC_T_ERROR && !rule_is_optional(v))
            v = sc_error(SC_VE_NO_OVERLOAD);
        if (v.type != SC_T_ERROR && v.len == 0)
            return;
        v = v.type == SC_T_ERROR ? v : v.list[0];
    }
    if (how == PUSH_PAIR || how == PUSH_OPTIONAL_PAIR)
        builder_add(b, key);
    builder_add(b, v);
}

static struct sc_value done(struct vm *vm, const struct op *op)
{
    struct builder *b = &vm->builders[op->a];
    if (b->error.type != SC_T_ABSENT)
        return b->error;
    return op->code == OP_DONE_LIST ? rule_list(b->v, b->n) : rule_map(&vm->run, b->v, b->n / 2);
}

/* ---- Macros */

static bool loop_begin(struct vm *vm, const struct op *op)
{
    struct sc_value over = *operand(vm, op->a);
    bool fits = over.type == SC_T_MAP || (over.type == SC_T_LIST && !rule_is_optional(over));
    vm->loops[op->aux] = (struct loop){.over = over};
    if (!fits)
        vm->regs[op->dst] = over.type == SC_T_ERROR ? over : sc_error(SC_VE_NO_OVERLOAD);
    return fits;
}

/* One variable: the value, or a map's key. Two: index and value, or key and value. */
static bool loop_next(struct vm *vm, const struct op *op)
{
    struct loop *l = &vm->loops[op->aux];
    bool map = l->over.type == SC_T_MAP, two = op->a != NO_OPERAND;
    if (l->next == l->over.len || !rule_spend(&vm->run, 8))
        return false;
    uint32_t i = l->next++;
    struct sc_value key = map ? l->over.map[2 * i] : sc_int(i);
    struct sc_value value = map ? l->over.map[2 * i + 1] : l->over.list[i];
    vm->regs[op->dst] = two || map ? key : value;
    if (two)
        vm->regs[op->a] = value;
    return true;
}

static bool opt_get(struct vm *vm, const struct op *op)
{
    struct sc_value o = vm->regs[op->a];
    if (!rule_is_optional(o)) {
        vm->regs[op->a] = o.type == SC_T_ERROR ? o : sc_error(SC_VE_NO_OVERLOAD);
        return false;
    }
    if (o.len)
        vm->regs[op->dst] = o.list[0];
    return o.len > 0;
}

/* ---- The loop */

static void record(const struct vm *vm, uint32_t pc, const struct sc_value *v)
{
    const struct sc_rule_ctx *cx = vm->run.cx;
    if (cx->trace == NULL || !(vm->p->ops[pc].flags & TRACE))
        return;
    struct sc_trace_step step = {vm->p->spans[pc].off, vm->p->spans[pc].len, *v};
    SC_VEC_PUSH(cx->ar, &cx->trace->steps, step);
}

static uint32_t branch(struct vm *vm, const struct op *op, uint32_t next)
{
    struct sc_value test = *operand(vm, op->a);
    if (test.type == SC_T_BOOL)
        return test.i ? next : op->b;
    vm->regs[op->dst] = test.type == SC_T_ERROR ? test : sc_error(SC_VE_NO_OVERLOAD);
    return op->c;
}

/* An operation that moves about: where to go on. */
static uint32_t control(struct vm *vm, const struct op *op, uint32_t pc)
{
    bool taken = false;
    switch ((enum rule_op)op->code) {
    case OP_JUMP: return op->b;
    case OP_IF_FALSE: taken = is_bool(operand(vm, op->a), false); break;
    case OP_IF_TRUE: taken = is_bool(operand(vm, op->a), true); break;
    case OP_IF_ERROR: taken = operand(vm, op->a)->type == SC_T_ERROR; break;
    case OP_BRANCH: return branch(vm, op, pc + 1);
    case OP_BUILD: build(vm, op); break;
    case OP_PUSH: push(vm, op); break;
    case OP_DONE_LIST: case OP_DONE_MAP:
        vm->regs[op->dst] = done(vm, op);
        record(vm, pc, &vm->regs[op->dst]);
        break;
    case OP_LOOP: taken = !loop_begin(vm, op); break;
    case OP_NEXT: taken = !loop_next(vm, op); break;
    case OP_OPT_GET: taken = !opt_get(vm, op); break;
    default: SC_UNREACHABLE("an operation that computes");
    }
    if (taken)
        record(vm, pc, operand(vm, op->a));
    return taken ? op->b : pc + 1;
}

/* Walk a result: no deeper than others may follow, no more elements than the budget pays for. */
static bool within_limits(struct run *run, struct sc_value v, uint32_t depth)
{
    uint32_t n = v.type == SC_T_LIST ? v.len : v.type == SC_T_MAP ? 2 * v.len : 0;
    if (depth > SC_RULE_VALUE_DEPTH || !rule_spend(run, n))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!within_limits(run, v.list[i], depth + 1))
            return false;
    return true;
}

static int by_place(const void *pa, const void *pb)
{
    const struct sc_trace_step *a = pa, *b = pb;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return a->len > b->len ? -1 : a->len < b->len;
}

/* Where the result stands. */
static const struct sc_value *run_ops(struct vm *vm, const struct sc_prog *p,
                                      const struct sc_rule_ctx *cx)
{
    SC_ASSERT(p != NULL && cx != NULL && cx->ar != NULL);
    vm->run = (struct run){.cx = cx, .ar = cx->ar, .budget = SC_RULE_BUDGET};
    vm->p = p;
    const struct op *op = p->ops;
    while (op->code != OP_END) {
        if (op->code <= OP_VALUE_LAST) {
            compute(vm, op, &vm->regs[op->dst]);
            if (__builtin_expect(cx->trace != NULL, 0))
                record(vm, (uint32_t)(op - p->ops), &vm->regs[op->dst]);
            op++;
        } else {
            op = p->ops + control(vm, op, (uint32_t)(op - p->ops));
        }
    }
    return operand(vm, op->a);
}

struct sc_value sc_rule_eval(const struct sc_prog *p, const struct sc_rule_ctx *cx)
{
    struct vm vm;
    struct sc_value v = *run_ops(&vm, p, cx);
    if (cx->trace && cx->trace->steps.n)
        qsort(cx->trace->steps.v, cx->trace->steps.n, sizeof(*cx->trace->steps.v), by_place);
    bool plain = v.type != SC_T_LIST && v.type != SC_T_MAP;
    if (vm.run.budget == 0 || (!plain && !within_limits(&vm.run, v, 0)))
        return sc_error(SC_VE_LIMIT);
    return v;
}

bool sc_rule_holds(const struct sc_prog *p, const struct sc_rule_ctx *cx)
{
    if (cx->trace) {
        struct sc_value v = sc_rule_eval(p, cx);
        return is_bool(&v, true);
    }
    if (p->here && cx->ev) {
        if (cx->ev->type != p->info.events[0])
            return false;
        p = p->here;
    }
    struct vm vm;
    return is_bool(run_ops(&vm, p, cx), true) && vm.run.budget > 0;
}
