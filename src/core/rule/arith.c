/* What the operators mean, value by value: CEL's arithmetic, order and equality, and decimals.
 *
 * Numbers of one type only, as in CEL, but decimals: with int they stay exact, with double they
 * become double. Order and equality go by exact value across all number types. Every result that
 * does not fit is SC_VE_OVERFLOW. Cost: constant, but for concatenation, `in`, and the equality of
 * lists and maps, which spend from the budget. Source: cel-spec doc/langdef.md, Operators. */
#include "core/rule/prog.h"

#include "base/assert.h"
#include "base/time.h"
#include <math.h>

#define NS_PER_MS 1000000u
#define TIME_MIN_MS INT64_C(-62135596800000) /* 0001-01-01T00:00:00Z */
#define TIME_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */
#define SPAN_MAX_MS INT64_C(9223372036854)   /* int64 nanoseconds, as CEL has it */

static bool is_number(struct sc_value v)
{
    return v.type == SC_T_INT || v.type == SC_T_UINT || v.type == SC_T_DOUBLE ||
           v.type == SC_T_DECIMAL;
}

/* ---- Numbers */

static struct sc_value int_arith(enum rule_op op, int64_t a, int64_t b)
{
    int64_t r = 0;
    bool over = false;
    if ((op == OP_DIV || op == OP_MOD) && b == 0)
        return sc_error(SC_VE_DIV_ZERO);
    if ((op == OP_DIV || op == OP_MOD) && a == INT64_MIN && b == -1)
        return op == OP_MOD ? sc_int(0) : sc_error(SC_VE_OVERFLOW);
    if (op == OP_ADD)
        over = __builtin_add_overflow(a, b, &r);
    else if (op == OP_SUB)
        over = __builtin_sub_overflow(a, b, &r);
    else if (op == OP_MUL)
        over = __builtin_mul_overflow(a, b, &r);
    else
        r = op == OP_DIV ? a / b : a % b;
    return over ? sc_error(SC_VE_OVERFLOW) : sc_int(r);
}

static struct sc_value uint_arith(enum rule_op op, uint64_t a, uint64_t b)
{
    struct sc_value v = {.type = SC_T_UINT};
    bool over = false;
    if ((op == OP_DIV || op == OP_MOD) && b == 0)
        return sc_error(SC_VE_DIV_ZERO);
    if (op == OP_ADD)
        over = __builtin_add_overflow(a, b, &v.u);
    else if (op == OP_SUB)
        over = __builtin_sub_overflow(a, b, &v.u);
    else if (op == OP_MUL)
        over = __builtin_mul_overflow(a, b, &v.u);
    else
        v.u = op == OP_DIV ? a / b : a % b;
    return over ? sc_error(SC_VE_OVERFLOW) : v;
}

/* IEEE 754: a division by zero is an infinity or NaN, on purpose. */
__attribute__((no_sanitize("float-divide-by-zero")))
static struct sc_value double_arith(enum rule_op op, double a, double b)
{
    if (op == OP_MOD)
        return sc_error(SC_VE_NO_OVERLOAD);
    return sc_double(op == OP_ADD   ? a + b
                     : op == OP_SUB ? a - b
                     : op == OP_MUL ? a * b
                                    : a / b);
}

static double as_double(struct sc_value v)
{
    SC_ASSERT(is_number(v));
    if (v.type == SC_T_DOUBLE)
        return v.d;
    if (v.type == SC_T_DECIMAL)
        return sc_decimal_double(sc_value_decimal(v));
    return v.type == SC_T_INT ? (double)v.i : (double)v.u;
}

/* An int or a decimal as decimal; false when it has more than 18 digits. */
static bool as_decimal(struct sc_value v, struct sc_decimal *out)
{
    if (v.type == SC_T_DECIMAL) {
        *out = sc_value_decimal(v);
        return true;
    }
    *out = (struct sc_decimal){.units = v.i};
    return v.type == SC_T_INT && v.i > -1000000000000000000 && v.i < 1000000000000000000;
}

/* At least one is a decimal. */
static struct sc_value decimal_arith(enum rule_op op, struct sc_value a, struct sc_value b)
{
    struct sc_decimal x, y, r;
    bool zero = op == OP_DIV && as_double(b) == 0.0;
    if (op == OP_MOD || a.type == SC_T_UINT || b.type == SC_T_UINT)
        return sc_error(SC_VE_NO_OVERLOAD);
    if (zero && b.type != SC_T_DOUBLE)
        return sc_error(SC_VE_DIV_ZERO);
    if (op == OP_DIV || a.type == SC_T_DOUBLE || b.type == SC_T_DOUBLE)
        return double_arith(op, as_double(a), as_double(b));
    if (!as_decimal(a, &x) || !as_decimal(b, &y))
        return sc_error(SC_VE_OVERFLOW);
    bool ok = op == OP_ADD   ? sc_decimal_add(x, y, &r)
              : op == OP_SUB ? sc_decimal_sub(x, y, &r)
                             : sc_decimal_mul(x, y, &r);
    return ok ? sc_decimal(r) : sc_error(SC_VE_OVERFLOW);
}

/* ---- Times: milliseconds and the nanoseconds below */

static struct sc_value time_make(enum sc_type type, int64_t ms, uint32_t ns)
{
    SC_ASSERT(ns < NS_PER_MS);
    bool fits = type == SC_T_TIMESTAMP ? ms >= TIME_MIN_MS && ms <= TIME_MAX_MS
                                       : ms >= -SPAN_MAX_MS - 1 && ms <= SPAN_MAX_MS;
    struct sc_value v = {.type = (uint8_t)type, .len = ns, .i = ms};
    return fits ? v : sc_error(SC_VE_OVERFLOW);
}

static struct sc_value time_add(enum sc_type type, struct sc_value a, struct sc_value b)
{
    uint32_t ns = a.len + b.len;
    int64_t ms;
    if (__builtin_add_overflow(a.i, b.i, &ms) ||
        __builtin_add_overflow(ms, (int64_t)(ns / NS_PER_MS), &ms))
        return sc_error(SC_VE_OVERFLOW);
    return time_make(type, ms, ns % NS_PER_MS);
}

static struct sc_value time_sub(enum sc_type type, struct sc_value a, struct sc_value b)
{
    bool borrow = a.len < b.len;
    int64_t ms;
    if (__builtin_sub_overflow(a.i, b.i, &ms) || __builtin_sub_overflow(ms, (int64_t)borrow, &ms))
        return sc_error(SC_VE_OVERFLOW);
    return time_make(type, ms, a.len + (borrow ? NS_PER_MS : 0) - b.len);
}

static struct sc_value time_arith(enum rule_op op, struct sc_value a, struct sc_value b)
{
    bool at = a.type == SC_T_TIMESTAMP, bt = b.type == SC_T_TIMESTAMP;
    bool both = (at || a.type == SC_T_DURATION) && (bt || b.type == SC_T_DURATION);
    if (both && op == OP_ADD && !(at && bt))
        return time_add(at || bt ? SC_T_TIMESTAMP : SC_T_DURATION, a, b);
    if (both && op == OP_SUB && (at || !bt))
        return time_sub(at && !bt ? SC_T_TIMESTAMP : SC_T_DURATION, a, b);
    return sc_error(SC_VE_NO_OVERLOAD);
}

/* ---- + on strings, bytes, lists */

static struct sc_value concat(struct run *run, struct sc_value a, struct sc_value b)
{
    bool list = a.type == SC_T_LIST;
    uint64_t n = (uint64_t)a.len + b.len;
    if (!rule_spend(run, 1 + (list ? n : n / 16)))
        return sc_error(SC_VE_LIMIT);
    if (list) {
        struct sc_value *v = sc_arena_alloc(run->ar, (size_t)(n + 1) * sizeof(*v));
        for (uint32_t i = 0; i < a.len; i++)
            v[i] = a.list[i];
        for (uint32_t i = 0; i < b.len; i++)
            v[a.len + i] = b.list[i];
        return rule_list(v, (uint32_t)n);
    }
    char *s = sc_arena_alloc(run->ar, (size_t)n + 1);
    if (a.len)
        memcpy(s, a.s, a.len);
    if (b.len)
        memcpy(s + a.len, b.s, b.len);
    a.s = s;
    a.len = (uint32_t)n;
    return a;
}

struct sc_value rule_arith(struct run *run, enum rule_op op, struct sc_value a, struct sc_value b)
{
    SC_ASSERT(op >= OP_ADD && op <= OP_MOD);
    SC_ASSERT(a.type != SC_T_ERROR && b.type != SC_T_ERROR);
    if (a.type == SC_T_DECIMAL || b.type == SC_T_DECIMAL)
        return is_number(a) && is_number(b) ? decimal_arith(op, a, b)
                                            : sc_error(SC_VE_NO_OVERLOAD);
    if (a.type == SC_T_TIMESTAMP || a.type == SC_T_DURATION)
        return time_arith(op, a, b);
    if (a.type != b.type)
        return sc_error(SC_VE_NO_OVERLOAD);
    if (a.type == SC_T_INT)
        return int_arith(op, a.i, b.i);
    if (a.type == SC_T_DOUBLE)
        return double_arith(op, a.d, b.d);
    if (a.type == SC_T_UINT)
        return uint_arith(op, a.u, b.u);
    bool joins = a.type == SC_T_STRING || a.type == SC_T_BYTES ||
                 (a.type == SC_T_LIST && !rule_is_optional(a) && !rule_is_optional(b));
    return joins && op == OP_ADD ? concat(run, a, b) : sc_error(SC_VE_NO_OVERLOAD);
}

struct sc_value rule_negate(struct sc_value a)
{
    if (a.type == SC_T_INT)
        return a.i == INT64_MIN ? sc_error(SC_VE_OVERFLOW) : sc_int(-a.i);
    if (a.type == SC_T_DOUBLE)
        return sc_double(-a.d);
    if (a.type == SC_T_DURATION)
        return time_sub(SC_T_DURATION, sc_duration(0), a);
    if (a.type == SC_T_DECIMAL) {
        a.i = -a.i;
        return a;
    }
    return a.type == SC_T_ERROR ? a : sc_error(SC_VE_NO_OVERLOAD);
}

/* ---- Order and equality */

static bool has_order(struct sc_value a, struct sc_value b)
{
    if (is_number(a) && is_number(b))
        return true;
    return a.type == b.type && (a.type == SC_T_BOOL || a.type == SC_T_STRING ||
                                a.type == SC_T_BYTES || a.type == SC_T_TIMESTAMP ||
                                a.type == SC_T_DURATION);
}

/* Beside a double another number is compared as a double: integers, since the conformance cases have
 * it so where exact values would differ (near 2^63), and decimals, since 9.38 is 9.38. */
static int compare(struct sc_value a, struct sc_value b)
{
    bool mixed = is_number(a) && is_number(b) && (a.type == SC_T_DOUBLE) != (b.type == SC_T_DOUBLE);
    return mixed ? sc_value_cmp(sc_double(as_double(a)), sc_double(as_double(b)))
                 : sc_value_cmp(a, b);
}

struct sc_value rule_compare(struct run *run, enum rule_op op, struct sc_value a,
                             struct sc_value b)
{
    SC_ASSERT(op >= OP_EQ && op <= OP_GE);
    SC_ASSERT(a.type != SC_T_ERROR && b.type != SC_T_ERROR);
    if (op == OP_EQ || op == OP_NE)
        return sc_bool(rule_eq(run, a, b) == (op == OP_EQ));
    if (!has_order(a, b))
        return sc_error(SC_VE_NO_OVERLOAD);
    int c = compare(a, b);
    if (c == 2) /* NaN */
        return sc_bool(false);
    return sc_bool(op == OP_LT ? c < 0 : op == OP_LE ? c <= 0 : op == OP_GT ? c > 0 : c >= 0);
}

static const struct sc_value *map_find(struct run *run, struct sc_value map, struct sc_value key)
{
    SC_ASSERT(map.type == SC_T_MAP);
    if (!rule_spend(run, 1 + map.len / 8))
        return NULL;
    for (uint32_t i = 0; i < map.len; i++)
        if (has_order(map.map[2 * i], key) && compare(map.map[2 * i], key) == 0)
            return &map.map[2 * i + 1];
    return NULL;
}

static bool eq_list(struct run *run, struct sc_value a, struct sc_value b)
{
    if (a.len != b.len || rule_is_optional(a) != rule_is_optional(b))
        return false;
    for (uint32_t i = 0; i < a.len; i++)
        if (!rule_eq(run, a.list[i], b.list[i]))
            return false;
    return true;
}

static bool eq_map(struct run *run, struct sc_value a, struct sc_value b)
{
    if (a.len != b.len)
        return false;
    for (uint32_t i = 0; i < a.len; i++) {
        const struct sc_value *other = map_find(run, b, a.map[2 * i]);
        if (other == NULL || !rule_eq(run, a.map[2 * i + 1], *other))
            return false;
    }
    return true;
}

/* Recursion: the values' own depth, which is bounded by the height of the tree that made them. A
 * spent budget says "not equal" here, and the evaluator turns it into SC_VE_LIMIT. */
bool rule_eq(struct run *run, struct sc_value a, struct sc_value b)
{
    if (!rule_spend(run, 1))
        return false;
    if (has_order(a, b))
        return compare(a, b) == 0;
    if (a.type != b.type)
        return false;
    if (a.type == SC_T_LIST)
        return eq_list(run, a, b);
    if (a.type == SC_T_MAP)
        return eq_map(run, a, b);
    return a.type == SC_T_NULL || a.type == SC_T_ABSENT || a.i == b.i;
}

struct sc_value rule_in(struct run *run, struct sc_value a, struct sc_value b)
{
    SC_ASSERT(a.type != SC_T_ERROR && b.type != SC_T_ERROR);
    if (b.type == SC_T_MAP)
        return sc_bool(map_find(run, b, a) != NULL);
    if (b.type != SC_T_LIST || rule_is_optional(b))
        return sc_error(SC_VE_NO_OVERLOAD);
    for (uint32_t i = 0; i < b.len; i++)
        if (rule_eq(run, a, b.list[i]))
            return sc_bool(true);
    return sc_bool(false);
}

/* ---- Lists and maps */

struct sc_value rule_list(struct sc_value *v, uint32_t n)
{
    return (struct sc_value){.type = SC_T_LIST, .len = n, .list = v};
}

struct sc_value rule_map(struct run *run, struct sc_value *v, uint32_t n)
{
    struct sc_value map = {.type = SC_T_MAP, .map = v};
    for (uint32_t i = 0; i < n; i++) {
        uint8_t t = v[2 * i].type;
        if (t != SC_T_BOOL && t != SC_T_INT && t != SC_T_UINT && t != SC_T_STRING)
            return sc_error(SC_VE_NO_OVERLOAD);
        if (map_find(run, map, v[2 * i]))
            return sc_error(SC_VE_NO_KEY); /* the same key twice */
        map.len = i + 1;
    }
    return map;
}

/* A number that is a whole index; false when it is none. */
static bool index_of(struct sc_value at, uint64_t *out)
{
    if (at.type == SC_T_INT && at.i >= 0)
        *out = (uint64_t)at.i;
    else if (at.type == SC_T_UINT)
        *out = at.u;
    else if (at.type == SC_T_DOUBLE && at.d >= 0 && at.d < 4294967296.0 && at.d == floor(at.d))
        *out = (uint64_t)at.d;
    else
        return false;
    return true;
}

struct sc_value rule_index(struct run *run, struct sc_value of, struct sc_value at)
{
    SC_ASSERT(of.type != SC_T_ERROR && at.type != SC_T_ERROR);
    if (of.type == SC_T_MAP) {
        const struct sc_value *v = map_find(run, of, at);
        return v ? *v : sc_error(SC_VE_NO_KEY);
    }
    uint64_t i;
    if (of.type != SC_T_LIST || !is_number(at))
        return sc_error(SC_VE_NO_OVERLOAD);
    return index_of(at, &i) && i < of.len ? of.list[i] : sc_error(SC_VE_INDEX);
}

struct sc_value rule_optional_of(struct run *run, struct sc_value v)
{
    SC_ASSERT(v.type != SC_T_ABSENT);
    if (v.type == SC_T_ERROR)
        return v;
    struct sc_value *one = sc_arena_alloc(run->ar, sizeof(*one));
    *one = v;
    return (struct sc_value){.type = SC_T_LIST, .flags = VF_OPTIONAL, .len = 1, .list = one};
}
