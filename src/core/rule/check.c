/* Types: what each sub-expression may be, and a finding where an operator or function has no
 * meaning for it.
 *
 * A type is one level deep: list(int), but list(any) for lists of lists; "any" (CEL's dyn) fits
 * everything and is settled at run time. Free-standing expressions have no findings here: there a
 * mismatch is CEL's run-time error. Contexts narrow on the way down: which events matter, which
 * optional properties are known to be there (flow.c). Recursion: the height of the tree. */
#include "core/rule/check.h"

#include "base/assert.h"

static const struct rule_ty ANY = {0, 0};
static const struct rule_ty BOOL = {SC_T_BOOL, 0};

static bool is_any(struct rule_ty t)
{
    return t.t == SC_T_ABSENT;
}

static bool is_number(struct rule_ty t)
{
    return t.t == SC_T_INT || t.t == SC_T_UINT || t.t == SC_T_DOUBLE || t.t == SC_T_DECIMAL;
}

static const char *type_text(struct checker *ck, struct rule_ty t)
{
    if (is_any(t))
        return "any value";
    if ((t.t != SC_T_LIST && t.t != SC_T_MAP) || t.el == 0)
        return sc_type_name((enum sc_type)t.t);
    return sc_arena_printf(ck->src.ar, "%s(%s)", sc_type_name((enum sc_type)t.t),
                           sc_type_name((enum sc_type)t.el));
}

/* A number literal beside a decimal is that decimal: `event.price == 0.1` means what it says. */
static void literal_to_decimal(struct node *n)
{
    if (n->kind != N_CONST || (n->value.type != SC_T_DOUBLE && n->value.type != SC_T_INT))
        return;
    const char *dot = n->name.len ? memchr(n->name.p, '.', n->name.len) : NULL;
    size_t digits = dot ? (size_t)(n->name.p + n->name.len - dot - 1) : 0;
    struct sc_decimal d;
    if (digits > SC_DECIMAL_DIGITS ||
        sc_decimal_parse(n->name, (uint8_t)digits, &d) != SC_DECIMAL_OK)
        return;
    n->value = sc_decimal(d);
    n->type = (struct rule_ty){SC_T_DECIMAL, 0};
}

static void both_decimal(struct node *a, struct node *b)
{
    if (a->type.t == SC_T_DECIMAL)
        literal_to_decimal(b);
    else if (b->type.t == SC_T_DECIMAL)
        literal_to_decimal(a);
}

/* ---- Operators */

static struct rule_ty arith_type(enum rule_op op, struct rule_ty a, struct rule_ty b, bool *ok)
{
    bool at = a.t == SC_T_TIMESTAMP, bt = b.t == SC_T_TIMESTAMP;
    bool ar = a.t == SC_T_DURATION, br = b.t == SC_T_DURATION;
    *ok = true;
    if (is_any(a) || is_any(b))
        return ANY;
    if (is_number(a) && is_number(b) && op != OP_MOD && a.t != SC_T_UINT && b.t != SC_T_UINT &&
        (a.t == SC_T_DECIMAL || b.t == SC_T_DECIMAL)) {
        bool real = op == OP_DIV || a.t == SC_T_DOUBLE || b.t == SC_T_DOUBLE;
        return (struct rule_ty){real ? SC_T_DOUBLE : SC_T_DECIMAL, 0};
    }
    if (a.t == b.t && (a.t == SC_T_INT || a.t == SC_T_UINT ||
                       (a.t == SC_T_DOUBLE && op != OP_MOD)))
        return a;
    if (op == OP_ADD && a.t == b.t && (a.t == SC_T_STRING || a.t == SC_T_BYTES))
        return a;
    if (op == OP_ADD && a.t == SC_T_LIST && b.t == SC_T_LIST)
        return (struct rule_ty){SC_T_LIST, a.el == b.el ? a.el : 0};
    if (op == OP_ADD && ((at && br) || (ar && bt)))
        return (struct rule_ty){SC_T_TIMESTAMP, 0};
    if ((op == OP_ADD || op == OP_SUB) && ar && br)
        return a;
    if (op == OP_SUB && at && (bt || br))
        return (struct rule_ty){bt ? SC_T_DURATION : SC_T_TIMESTAMP, 0};
    *ok = false;
    return ANY;
}

static struct rule_ty binary_type(enum rule_op op, struct rule_ty a, struct rule_ty b, bool *ok)
{
    bool alike = is_any(a) || is_any(b) || a.t == b.t || (is_number(a) && is_number(b));
    if (op >= OP_ADD && op <= OP_MOD)
        return arith_type(op, a, b, ok);
    if (op == OP_IN) {
        struct rule_ty el = {b.t == SC_T_LIST ? b.el : 0, 0};
        *ok = is_any(b) || b.t == SC_T_MAP ||
              (b.t == SC_T_LIST && (is_any(el) || is_any(a) || el.t == a.t ||
                                    (is_number(el) && is_number(a))));
        return BOOL;
    }
    bool ordered = a.t != SC_T_LIST && a.t != SC_T_MAP && a.t != SC_T_NULL && a.t != SC_T_TYPE;
    *ok = alike && (op == OP_EQ || op == OP_NE || ordered || is_any(b));
    return BOOL;
}

static void operator_error(struct checker *ck, struct node *n)
{
    struct rule_ty a = n->kid[0]->type, b = n->kid[n->n - 1]->type;
    struct sc_str op = {ck->src.text.p + n->name_off, n->name_len};
    if (n->n == 1) {
        CHECK_ERROR(ck, "expr-type", n->name_off, n->name_len, "'%.*s' does not take %s",
                    SC_STR_FMT(op), type_text(ck, a));
        return;
    }
    struct sc_finding *f =
        CHECK_ERROR(ck, "expr-type", n->name_off, n->name_len, "'%.*s' does not take %s and %s",
                    SC_STR_FMT(op), type_text(ck, a), type_text(ck, b));
    bool mixed = is_number(a) && is_number(b);
    if (mixed && (a.t == SC_T_DOUBLE || b.t == SC_T_DOUBLE))
        f->hint = SC_STR("write int literals as doubles (2.0), or convert: double(…)");
    else if (a.t == SC_T_STRING && is_number(b))
        f->hint = SC_STR("convert: string(…) or int(…)");
    else if ((a.t == SC_T_DURATION && b.t == SC_T_STRING) ||
             (a.t == SC_T_STRING && b.t == SC_T_DURATION))
        f->hint = SC_STR("a duration is written without quotes: 7d");
    else if (a.t == SC_T_NULL || b.t == SC_T_NULL)
        f->hint = SC_STR("a missing property is not null: ask has(event.…)");
}

static void check_binary(struct checker *ck, struct node *n)
{
    struct node *a = n->kid[0], *b = n->kid[1];
    enum rule_op op = (enum rule_op)n->op;
    bool ok;
    rule_check(ck, a);
    rule_check(ck, b);
    if (op != OP_MUL && op != OP_DIV && op != OP_IN)
        both_decimal(a, b);
    if (op == OP_EQ || op == OP_NE) {
        rule_check_literal(ck, a, b);
        rule_check_literal(ck, b, a);
    }
    for (uint32_t i = 0; op == OP_IN && b->kind == N_LIST && i < b->n; i++) {
        rule_check_literal(ck, a, b->kid[i]);
        if (a->type.t == SC_T_DECIMAL)
            literal_to_decimal(b->kid[i]);
    }
    n->type = binary_type(op, a->type, b->type, &ok);
    if (!ok && !check_free(ck))
        operator_error(ck, n);
    if (!ok)
        n->type = op >= OP_ADD && op <= OP_MOD ? ANY : BOOL;
}

static void check_unary(struct checker *ck, struct node *n)
{
    rule_check(ck, n->kid[0]);
    struct rule_ty t = n->kid[0]->type;
    bool ok = n->op == OP_NOT ? t.t == SC_T_BOOL
                              : (is_number(t) && t.t != SC_T_UINT) || t.t == SC_T_DURATION;
    n->type = n->op == OP_NOT ? BOOL : t;
    if (!ok && !is_any(t) && !check_free(ck))
        operator_error(ck, n);
}

static void want_bool(struct checker *ck, const struct node *n, const char *where)
{
    if (check_free(ck) || is_any(n->type) || n->type.t == SC_T_BOOL)
        return;
    CHECK_ERROR(ck, "expr-type", n->off, n->len, "%s wants a bool, this is %s", where,
                type_text(ck, n->type));
}

/* `side` matters only where `other` comes out as `truth`. */
static void check_beside(struct checker *ck, struct node *side, const struct node *other,
                         bool truth)
{
    const struct event_set *can = ck->can;
    struct event_set narrowed;
    if (!check_free(ck)) {
        rule_flow(ck, other, truth, &narrowed);
        event_set_and(&narrowed, can);
        ck->can = &narrowed;
    }
    rule_check(ck, side);
    ck->can = can;
}

static void check_logic(struct checker *ck, struct node *n)
{
    bool truth = n->kind == N_AND;
    const struct guard *guards = ck->guards;
    check_beside(ck, n->kid[0], n->kid[1], truth);
    if (!check_free(ck))
        rule_flow_guards(ck, n->kid[0], truth);
    check_beside(ck, n->kid[1], n->kid[0], truth);
    ck->guards = guards;
    want_bool(ck, n->kid[0], truth ? "'&&'" : "'||'");
    want_bool(ck, n->kid[1], truth ? "'&&'" : "'||'");
    n->type = BOOL;
}

static void check_cond(struct checker *ck, struct node *n)
{
    const struct guard *guards = ck->guards;
    rule_check(ck, n->kid[0]);
    want_bool(ck, n->kid[0], "'?'");
    for (uint32_t i = 1; i <= 2; i++) {
        if (!check_free(ck))
            rule_flow_guards(ck, n->kid[0], i == 1);
        check_beside(ck, n->kid[i], n->kid[0], i == 1);
        ck->guards = guards;
    }
    both_decimal(n->kid[1], n->kid[2]);
    struct rule_ty a = n->kid[1]->type, b = n->kid[2]->type;
    n->type = a.t == b.t ? (struct rule_ty){a.t, a.el == b.el ? a.el : 0} : ANY;
}

/* ---- Lists, maps, members */

static void check_elements(struct checker *ck, struct node *n)
{
    uint32_t first = n->kind == N_MAP ? 1 : 0, step = first + 1;
    for (uint32_t i = 0; i < n->n; i++)
        rule_check(ck, n->kid[i]);
    n->type = (struct rule_ty){n->kind == N_MAP ? SC_T_MAP : SC_T_LIST, 0};
    for (uint32_t i = first; i < n->n; i += step) {
        const struct node *el = n->kid[i];
        bool optional = el->element_optional || (first && n->kid[i - 1]->element_optional);
        if (optional || (i > first && el->type.t != n->type.el)) {
            n->type.el = 0;
            return;
        }
        n->type.el = el->type.t;
    }
}

static struct rule_ty element_type(struct rule_ty t)
{
    return t.t == SC_T_LIST || t.t == SC_T_MAP ? (struct rule_ty){t.el, 0} : ANY;
}

static void check_select(struct checker *ck, struct node *n)
{
    if (rule_resolve_select(ck, n))
        return;
    rule_check(ck, n->kid[0]);
    struct rule_ty of = n->kid[0]->type;
    n->type = n->test ? BOOL : n->optional ? ANY : element_type(of);
    if (check_free(ck) || is_any(of) || of.t == SC_T_MAP)
        return;
    CHECK_ERROR(ck, "expr-type", n->name_off, n->name_len, "%s has no fields",
                type_text(ck, of));
}

static void check_index(struct checker *ck, struct node *n)
{
    rule_check(ck, n->kid[0]);
    rule_check(ck, n->kid[1]);
    struct rule_ty of = n->kid[0]->type, at = n->kid[1]->type;
    n->type = n->optional ? ANY : element_type(of);
    bool ok = is_any(of) || of.t == SC_T_MAP ||
              (of.t == SC_T_LIST && (is_any(at) || at.t == SC_T_INT || at.t == SC_T_UINT));
    if (!ok && !check_free(ck))
        CHECK_ERROR(ck, "expr-type", n->kid[1]->off, n->kid[1]->len, "%s has no index of type %s",
                    type_text(ck, of), type_text(ck, at));
}

/* ---- Macros */

static void loop_types(struct node *n, struct rule_ty range)
{
    bool list = range.t == SC_T_LIST, map = range.t == SC_T_MAP;
    struct rule_ty el = element_type(range), index = {list ? SC_T_INT : 0, 0};
    n->v1->type = n->v2 ? index : list ? el : ANY;
    if (n->v2)
        n->v2->type = list || map ? el : ANY;
}

static struct rule_ty loop_result(const struct node *n)
{
    switch ((enum loop_kind)n->op) {
    case LOOP_ALL: case LOOP_EXISTS: case LOOP_EXISTS_ONE:
        return BOOL;
    case LOOP_FILTER:
        return (struct rule_ty){SC_T_LIST, n->v1->type.t};
    case LOOP_MAP:
        return (struct rule_ty){SC_T_LIST, n->kid[2]->type.t};
    case LOOP_MAP_VALUES:
        return (struct rule_ty){SC_T_MAP, n->kid[2]->type.t};
    case LOOP_MAP_ENTRIES:
        return (struct rule_ty){SC_T_MAP, n->kid[3]->type.t};
    case LOOP_OPT_MAP: case LOOP_OPT_FLAT_MAP:
        break;
    }
    return ANY;
}

static void push_local(struct checker *ck, struct local *l)
{
    if (!check_free(ck) && (sc_str_eqz(l->name, "event") || sc_str_eqz(l->name, "customer")))
        CHECK_ERROR(ck, "expr-name", 0, 1, "'%.*s' cannot be a macro's variable",
                    SC_STR_FMT(l->name));
    l->up = ck->locals;
    ck->locals = l;
}

static void check_loop(struct checker *ck, struct node *n)
{
    struct local *outside = ck->locals;
    rule_check(ck, n->kid[0]);
    struct rule_ty range = n->kid[0]->type;
    if (!check_free(ck) && !is_any(range) && range.t != SC_T_LIST && range.t != SC_T_MAP)
        CHECK_ERROR(ck, "expr-type", n->kid[0]->off, n->kid[0]->len,
                    "a macro goes over a list or a map, this is %s", type_text(ck, range));
    loop_types(n, range);
    push_local(ck, n->v1);
    if (n->v2)
        push_local(ck, n->v2);
    for (uint32_t i = 1; i < n->n; i++)
        if (n->kid[i])
            rule_check(ck, n->kid[i]);
    ck->locals = outside;
    if (n->kid[1])
        want_bool(ck, n->kid[1], "a macro's condition");
    n->type = loop_result(n);
}

static void check_let(struct checker *ck, struct node *n)
{
    struct local *outside = ck->locals;
    rule_check(ck, n->kid[0]);
    n->v1->type = n->kid[0]->type;
    push_local(ck, n->v1);
    rule_check(ck, n->kid[1]);
    ck->locals = outside;
    n->type = n->kid[1]->type;
}

/* ---- Functions */

static void unknown_function(struct checker *ck, struct node *n, struct sc_str name)
{
    struct sc_finding *f =
        sc_diag_add(ck->src.dg, check_free(ck) ? SC_WARNING : SC_ERROR, "unknown-function",
                    sc_mark_at(ck->src.mark, n->name_off, n->name_len), "no %s '%.*s'",
                    n->method ? "method" : "function", SC_STR_FMT(name));
    rule_fn_suggest(ck->src.dg, f, name);
    n->kind = N_ERROR;
    n->a = SC_VE_NO_OVERLOAD;
}

static void call_error(struct checker *ck, const struct node *n)
{
    struct sc_buf args = {0};
    for (uint32_t i = n->method ? 1 : 0; i < n->n; i++)
        sc_buf_addf(&args, "%s%s", args.len ? ", " : "", type_text(ck, n->kid[i]->type));
    struct sc_finding *f =
        CHECK_ERROR(ck, "expr-type", n->name_off, n->name_len, "%.*s does not take (%.*s)",
                    SC_STR_FMT(n->name), SC_STR_FMT(sc_buf_view(&args)));
    sc_buf_fini(&args);
    f->hint = sc_str_printf(ck->src.ar, "it takes %s", rule_fn_usage(n->a, ck->src.ar));
}

/* The type of a call, from those overloads that the arguments' types allow. */
static void call_type(struct checker *ck, struct node *n)
{
    struct rule_ty types[SC_RULE_ARGS_MAX];
    bool fits = false;
    for (uint32_t i = 0; i < n->n; i++)
        types[i] = n->kid[i]->type;
    for (int32_t row = n->a; rule_fn_same(n->a, row); row++) {
        const struct rule_fn *fn = &rule_functions[row];
        if (!rule_fn_fits(fn, types, n->n))
            continue;
        struct rule_ty t = fn->ret == '0' ? types[0] : rule_fn_type(fn->ret);
        n->type = !fits || n->type.t == t.t ? t : ANY;
        fits = true;
    }
    if (!fits && !check_free(ck))
        call_error(ck, n);
}

/* `math.greatest(…)`: a name with dots, when what stands before the dot is no value. */
static void qualify(struct checker *ck, struct node *n)
{
    struct sc_str before = n->method ? rule_dotted(ck, n->kid[0]) : SC_STR_NULL;
    if (before.len == 0)
        return;
    struct sc_str name =
        sc_str_printf(ck->src.ar, "%.*s.%.*s", SC_STR_FMT(before), SC_STR_FMT(n->name));
    if (rule_fn_find(name, FN_GLOBAL) < 0)
        return;
    n->name = name;
    n->method = false;
    n->kid++;
    n->n--;
}

static void check_call(struct checker *ck, struct node *n)
{
    if (!check_free(ck) && !n->method && rule_fact_resolve(ck, n))
        return;
    qualify(ck, n);
    int32_t row = rule_fn_find(n->name, n->method ? FN_METHOD : FN_GLOBAL);
    for (uint32_t i = 0; i < n->n; i++) {
        rule_check(ck, n->kid[i]);
        if (n->kid[i]->label.len)
            CHECK_ERROR(ck, "expr-argument", n->kid[i]->label_off, n->kid[i]->label_len,
                        "no argument is named '%.*s' here", SC_STR_FMT(n->kid[i]->label));
    }
    if (row < 0) {
        unknown_function(ck, n, n->name);
        return;
    }
    n->kind = N_FN;
    n->a = row;
    if (n->n > SC_RULE_ARGS_MAX) {
        CHECK_ERROR(ck, "expr-argument", n->off, n->len, "too many arguments");
        return;
    }
    call_type(ck, n);
    bool pattern = sc_str_eqz(n->name, "matches") && n->n == 2;
    if (pattern && !check_free(ck) && n->kid[1]->kind != N_CONST)
        CHECK_ERROR(ck, "expr-argument", n->kid[1]->off, n->kid[1]->len,
                    "the pattern must be a literal, so that it is checked at load");
}

void rule_check(struct checker *ck, struct node *n)
{
    SC_ASSERT(n->height <= SC_RULE_HEIGHT_MAX);
    switch ((enum node_kind)n->kind) {
    case N_CONST:
        n->type.t = n->value.type;
        break;
    case N_IDENT: rule_resolve_ident(ck, n); break;
    case N_LIST: case N_MAP: check_elements(ck, n); break;
    case N_SELECT: check_select(ck, n); break;
    case N_INDEX: check_index(ck, n); break;
    case N_CALL: check_call(ck, n); break;
    case N_UNARY: check_unary(ck, n); break;
    case N_BINARY: check_binary(ck, n); break;
    case N_AND: case N_OR: check_logic(ck, n); break;
    case N_COND: check_cond(ck, n); break;
    case N_LOOP: check_loop(ck, n); break;
    case N_LET: check_let(ck, n); break;
    case N_LOCAL: case N_VAR: case N_EVENT_FIELD: case N_PROP: case N_ATTR: case N_FACT:
    case N_NAMED: case N_OPEN: case N_RECENT: case N_FN: case N_ERROR:
        SC_UNREACHABLE("a node is checked once");
    }
}
