/* The compiled program and what runs it. Private to this folder.
 *
 * A register machine: operands are registers (0..SC_RULE_REGS-1) or, with OPERAND_CONST set,
 * constants of the program. An operation reads `a`, `b` and writes `dst`; jumps only go forward,
 * but for LOOP_NEXT's way back, which the budget bounds. */
#ifndef SC_CORE_RULE_PROG_H
#define SC_CORE_RULE_PROG_H

#include "core/rule/ast.h"

#define SC_RULE_REGS 192
#define SC_RULE_LOOPS 16           /* macros inside macros */
#define SC_RULE_BUILDERS 32        /* list and map literals inside each other, and macros */
#define SC_RULE_SIZE_MAX 65536     /* nodes of a tree with all it names: bytes of their texts */
#define SC_RULE_OPS_MAX 30000
#define SC_RULE_BUDGET 200000      /* steps of one evaluation: then SC_VE_LIMIT */
#define SC_RULE_VALUE_DEPTH 30     /* nesting of a result (sc_value_dup follows it) */
#define OPERAND_CONST 0x8000u
#define SC_RULE_LOOP_GUESS 1000    /* elements of a list whose length is not known, for costs */

/* X(NAME, what it does). Those up to OPT_OF compute a value from a and b; the others move about. */
#define RULE_OP_TABLE(X)                                                                           \
    X(MOVE, "dst = a")                                                                             \
    X(EVENT_IS, "dst = event.name is type a")                                                      \
    X(EVENT_IN, "dst = event.name is one of set a")                                                \
    X(EVENT_FIELD, "dst = event.<field a>")                                                        \
    X(PROP, "dst = slot b of an event of type a; aux: enum prop_read")                             \
    X(PROPS, "dst = slot by event type, table a; aux: enum prop_read")                             \
    X(ATTR, "dst = customer.<attribute a>")                                                        \
    X(FACT, "dst = fact a")                                                                        \
    X(OPEN, "dst = case a is open")                                                                \
    X(RECENT, "dst = last b touchpoints of event a, 0xffff: any")                                  \
    X(VAR, "dst = binding a")                                                                      \
    X(EQ, "dst = a == b")                                                                          \
    X(NE, "dst = a != b")                                                                          \
    X(LT, "dst = a < b")                                                                           \
    X(LE, "dst = a <= b")                                                                          \
    X(GT, "dst = a > b")                                                                           \
    X(GE, "dst = a >= b")                                                                          \
    X(ADD, "dst = a + b")                                                                          \
    X(SUB, "dst = a - b")                                                                          \
    X(MUL, "dst = a * b")                                                                          \
    X(DIV, "dst = a / b")                                                                          \
    X(MOD, "dst = a % b")                                                                          \
    X(IN, "dst = a in b")                                                                          \
    X(NOT, "dst = !a")                                                                             \
    X(NEG, "dst = -a")                                                                             \
    X(INDEX, "dst = a[b]; a field of a map is an index by its name")                               \
    X(OPT_INDEX, "dst = a[?b]")                                                                    \
    X(HAS_INDEX, "dst = has(a.b)")                                                                 \
    X(CALL, "dst = function row b of aux arguments from register a; c: what is prepared")          \
    X(AND, "dst = a && b, both known")                                                             \
    X(OR, "dst = a || b, both known")                                                              \
    X(COUNT, "dst = a + 1 when b is true; an error when it is no bool")                            \
    X(OPT_OF, "dst = optional of a")                                                               \
    X(JUMP, "go to b")                                                                             \
    X(IF_FALSE, "when a is false: go to b")                                                        \
    X(IF_TRUE, "when a is true: go to b")                                                          \
    X(IF_ERROR, "when a is an error: go to b")                                                     \
    X(BRANCH, "a true: go on; false: go to b; else dst = error, go to c")                          \
    X(BUILD, "builder dst: room for a elements (aux: for as many as loop a has)")                  \
    X(PUSH, "builder dst: append as aux says, enum push")                                          \
    X(DONE_LIST, "dst = builder a as a list")                                                      \
    X(DONE_MAP, "dst = builder a as a map")                                                        \
    X(LOOP, "loop aux over a; no list or map: dst = error, go to b")                               \
    X(NEXT, "loop aux: register dst (two variables: and a) = next; at the end go to b")            \
    X(OPT_GET, "dst = what optional a holds; none: go to b; no optional: a = error, go to b")      \
    X(END, "the result is a")

enum rule_op {
#define X(name, text) OP_##name,
    RULE_OP_TABLE(X)
#undef X
};

#define OP_VALUE_LAST OP_OPT_OF
#define NO_OPERAND UINT16_MAX

enum prop_read { PROP_VALUE, PROP_HAS, PROP_OPTIONAL };

enum push {
    PUSH_ONE,          /* a */
    PUSH_OPTIONAL,     /* what optional a holds, if anything */
    PUSH_PAIR,         /* a, b */
    PUSH_OPTIONAL_PAIR /* a, what optional b holds; neither when there is none */
};

#define TRACE 1u /* flags: dst is the value of a sub-expression, spans[] says of which */

struct op {
    uint8_t code; /* enum rule_op */
    uint8_t flags;
    uint8_t aux;
    uint8_t pad;
    uint16_t dst, a, b, c;
};

struct span {
    uint32_t off, len;
};

struct event_set {
    uint64_t w[SC_EVENTS_MAX / 64];
};

struct rule_fn;

#define SETTLED_ARGS 3

/* What is known of a call at load: its constant pattern or time zone; its overload, where the
 * arguments' types settle it, for as long as they are of these types at run time. */
struct prepared {
    const struct sc_regex *regex;
    const struct sc_tz *zone;
    const struct rule_fn *fn; /* NULL: not settled */
    uint8_t types[SETTLED_ARGS];
};

struct sc_prog {
    const struct op *ops;
    uint32_t n_ops;
    const struct span *spans; /* by op */
    const struct sc_value *consts;
    const struct prepared *prepared;
    const struct event_set *const *sets;
    const int16_t *const *slots;
    struct sc_rule_info info;
    struct sc_str text;
    struct node *tree;       /* checked: to compile it again where its name stands */
    int32_t bare_fact;       /* the whole expression is this fact, or -1 */
    const struct sc_prog *here; /* what is left to ask of the one event it can hold for; NULL */
    uint32_t size, height;   /* bounds of the tree, with what it names */
};

/* One evaluation. */
struct run {
    const struct sc_rule_ctx *cx;
    struct sc_arena *ar;
    const struct prepared *prep; /* of the call under way, or NULL */
    int32_t budget;
};

/* Spend `n` steps; false when there are none left. */
static inline bool rule_spend(struct run *run, uint64_t n)
{
    if (n > (uint64_t)run->budget) {
        run->budget = 0;
        return false;
    }
    run->budget -= (int32_t)n;
    return true;
}

/* ---- Operators (arith.c) */

struct sc_value rule_arith(struct run *run, enum rule_op op, struct sc_value a, struct sc_value b);
struct sc_value rule_compare(struct run *run, enum rule_op op, struct sc_value a,
                             struct sc_value b);
struct sc_value rule_negate(struct sc_value a);
struct sc_value rule_in(struct run *run, struct sc_value a, struct sc_value b);
struct sc_value rule_index(struct run *run, struct sc_value of, struct sc_value at);
struct sc_value rule_list(struct sc_value *v, uint32_t n);
struct sc_value rule_map(struct run *run, struct sc_value *v, uint32_t n); /* n: pairs */
/* CEL's equality: across number types by value, false across other types, deep. */
bool rule_eq(struct run *run, struct sc_value a, struct sc_value b);

/* Optionals are lists of none or one, marked; their type goes by the one number no value has. */
#define RULE_T_OPTIONAL SC_T_ABSENT
#define VF_OPTIONAL 0x8000u
static inline bool rule_is_optional(struct sc_value v)
{
    return v.type == SC_T_LIST && (v.flags & VF_OPTIONAL);
}
struct sc_value rule_optional_of(struct run *run, struct sc_value v);
static inline struct sc_value rule_optional_none(void)
{
    return (struct sc_value){.type = SC_T_LIST, .flags = VF_OPTIONAL};
}

/* ---- Functions (functions.c) */

typedef struct sc_value rule_fn_impl(struct run *run, const struct sc_value *a, uint32_t n);

enum fn_form { FN_GLOBAL = 1, FN_METHOD = 2, FN_BOTH = 3 };

/* One overload. Types are letters: b bool, i int, u uint, d double, c decimal, n any number,
 * s string, y bytes, t timestamp, r duration, l list, m map, o optional, T type, a any;
 * `+` behind the last: one or more of it. `ret`: 0 is the first argument's type. */
struct rule_fn {
    const char *name; /* overloads of a name stand together */
    uint8_t form;     /* enum fn_form */
    const char *args;
    char ret;
    char prepare; /* the last argument is made ready at load: r pattern, z time zone; 0 */
    rule_fn_impl *impl;
    const char *doc; /* of the first overload */
};

extern const struct rule_fn rule_functions[];
#define SC_RULE_ARGS_MAX 16
/* Whether `row` is an overload of the function whose first row is `first`. */
bool rule_fn_same(int32_t first, int32_t row);
/* "s.contains(string)": how its first overload is written. */
const char *rule_fn_usage(int32_t row, struct sc_arena *ar);
/* First row of `name` in that form, or -1. */
int32_t rule_fn_find(struct sc_str name, enum fn_form form);
/* Near name for a suggestion. */
void rule_fn_suggest(struct sc_diag *dg, struct sc_finding *f, struct sc_str seen);
struct rule_ty rule_fn_type(char letter);
/* Whether the row takes these static types; any-typed arguments fit everything. */
bool rule_fn_fits(const struct rule_fn *fn, const struct rule_ty *ty, uint32_t n);
struct sc_value rule_fn_call(struct run *run, uint32_t row, const struct sc_value *a, uint32_t n);

/* Rows for the reference. */
void rule_fn_reference(struct sc_buf *out);

/* ---- Facts (facts.c) */

struct checker;
/* An aggregate, open() or recent(): resolved in place. False: `call` is none of them. */
bool rule_fact_resolve(struct checker *ck, struct node *call);
/* Rows for the reference. */
void rule_fact_reference(struct sc_buf *out);
/* Near name of an aggregate for a suggestion; at most `room` names. */
uint32_t rule_fact_names(struct sc_str *names, uint32_t room);

/* ---- Passes */

/* Emit a checked tree. NULL with a finding when it needs more than a program may have. `event`: the
 * only one it will be asked about, so that its name is no question; -1: any. */
struct sc_prog *rule_emit(const struct rule_src *src, struct sc_scope *sp, struct node *tree,
                          int32_t event);

#endif
