/* math.* and optionals. Source: the math and optional extensions of CEL (cel-go ext/README.md). */
#include "core/rule/fn.h"

#include "base/assert.h"
#include <math.h>

static struct sc_value extreme(const struct sc_value *a, uint32_t n, int sign)
{
    if (n == 1 && a->type == SC_T_LIST) {
        n = a->len;
        a = a->list;
    }
    if (n == 0)
        return sc_error(SC_VE_NO_VALUE);
    struct sc_value best = a[0];
    for (uint32_t i = 0; i < n; i++) {
        uint8_t t = a[i].type;
        if (t != SC_T_INT && t != SC_T_UINT && t != SC_T_DOUBLE && t != SC_T_DECIMAL)
            return sc_error(SC_VE_NO_OVERLOAD);
        int c = sc_value_cmp(a[i], best);
        if (c != 2 && c * sign > 0)
            best = a[i];
    }
    return best;
}

struct sc_value rule_fn_greatest(struct run *run, const struct sc_value *a, uint32_t n)
{
    SC_ASSERT(n > 0);
    return rule_spend(run, n + a->len / 8) ? extreme(a, n, 1) : sc_error(SC_VE_LIMIT);
}

struct sc_value rule_fn_least(struct run *run, const struct sc_value *a, uint32_t n)
{
    SC_ASSERT(n > 0);
    return rule_spend(run, n + a->len / 8) ? extreme(a, n, -1) : sc_error(SC_VE_LIMIT);
}

/* A function of one argument; `value` may use `a`. */
#define MATH_FN(name, value)                                                                       \
    struct sc_value rule_fn_##name(struct run *run, const struct sc_value *a, uint32_t n)          \
    {                                                                                              \
        (void)run;                                                                                 \
        SC_ASSERT(n >= 1);                                                                         \
        return value;                                                                              \
    }

MATH_FN(ceil, sc_double(ceil(a->d)))
MATH_FN(floor, sc_double(floor(a->d)))
MATH_FN(round, sc_double(round(a->d)))
MATH_FN(trunc, sc_double(trunc(a->d)))
MATH_FN(is_nan, sc_bool(isnan(a->d)))
MATH_FN(is_inf, sc_bool(isinf(a->d)))
MATH_FN(is_finite, sc_bool(isfinite(a->d)))

struct sc_value rule_fn_abs(struct run *run, const struct sc_value *a, uint32_t n)
{
    (void)run;
    SC_ASSERT(n == 1);
    if (a->type == SC_T_DOUBLE)
        return sc_double(fabs(a->d));
    return a->type != SC_T_UINT && a->i < 0 ? rule_negate(*a) : *a;
}

struct sc_value rule_fn_sign(struct run *run, const struct sc_value *a, uint32_t n)
{
    (void)run;
    SC_ASSERT(n == 1);
    if (a->type == SC_T_DOUBLE)
        return sc_double(isnan(a->d) ? a->d : (double)((a->d > 0) - (a->d < 0)));
    if (a->type == SC_T_UINT)
        return (struct sc_value){.type = SC_T_UINT, .u = a->u > 0};
    return (struct sc_value){.type = a->type, .i = (a->i > 0) - (a->i < 0)};
}

struct sc_value rule_fn_sqrt(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_value d = rule_fn_to_double(run, a, n);
    SC_ASSERT(d.type == SC_T_DOUBLE);
    return sc_double(sqrt(d.d));
}

static struct sc_value bits(const struct sc_value *a, uint64_t u)
{
    SC_ASSERT(a->type == SC_T_INT || a->type == SC_T_UINT);
    return (struct sc_value){.type = a->type, .u = u};
}

MATH_FN(bit_and, bits(a, a[0].u & a[1].u))
MATH_FN(bit_or, bits(a, a[0].u | a[1].u))
MATH_FN(bit_xor, bits(a, a[0].u ^ a[1].u))
MATH_FN(bit_not, bits(a, ~a[0].u))

static struct sc_value shift(const struct sc_value *a, bool left)
{
    if (a[1].i < 0)
        return sc_error(SC_VE_CONVERSION);
    if (a[1].i > 63)
        return bits(a, 0);
    return bits(a, left ? a[0].u << a[1].i : a[0].u >> a[1].i);
}

MATH_FN(shift_left, shift(a, true))
MATH_FN(shift_right, shift(a, false))

/* ---- Optionals */

static bool is_zero(struct sc_value v)
{
    switch ((enum sc_type)v.type) {
    case SC_T_STRING: case SC_T_BYTES: case SC_T_LIST: case SC_T_MAP:
        return v.len == 0;
    case SC_T_DOUBLE:
        return v.d == 0.0;
    case SC_T_BOOL: case SC_T_INT: case SC_T_UINT: case SC_T_DECIMAL:
        return v.u == 0;
    case SC_T_DURATION:
        return v.i == 0 && v.len == 0;
    case SC_T_ABSENT: case SC_T_NULL:
        return true;
    case SC_T_TIMESTAMP: case SC_T_TYPE: case SC_T_ERROR:
        break;
    }
    return false;
}

static struct sc_value held(const struct sc_value *o, struct sc_value otherwise)
{
    SC_ASSERT(rule_is_optional(*o) && o->len <= 1);
    return o->len ? o->list[0] : otherwise;
}

struct sc_value rule_fn_opt_of(struct run *run, const struct sc_value *a, uint32_t n)
{
    SC_ASSERT(n == 1);
    return rule_optional_of(run, *a);
}

struct sc_value rule_fn_opt_of_non_zero(struct run *run, const struct sc_value *a, uint32_t n)
{
    SC_ASSERT(n == 1);
    return is_zero(*a) ? rule_optional_none() : rule_optional_of(run, *a);
}

struct sc_value rule_fn_opt_none(struct run *run, const struct sc_value *a, uint32_t n)
{
    (void)run;
    (void)a;
    SC_ASSERT(n == 0);
    return rule_optional_none();
}

MATH_FN(opt_has, sc_bool(a->len > 0))
MATH_FN(opt_value, held(a, sc_error(SC_VE_NO_VALUE)))
MATH_FN(opt_or, a[0].len ? a[0] : a[1])
MATH_FN(opt_or_value, held(a, a[1]))

struct sc_value rule_fn_opt_unwrap(struct run *run, const struct sc_value *a, uint32_t n)
{
    uint32_t held_n = 0;
    SC_ASSERT(n == 1 && a->type == SC_T_LIST);
    if (!rule_spend(run, 1 + a->len))
        return sc_error(SC_VE_LIMIT);
    struct sc_value *v = sc_arena_alloc(run->ar, ((size_t)a->len + 1) * sizeof(*v));
    for (uint32_t i = 0; i < a->len; i++) {
        if (!rule_is_optional(a->list[i]))
            return sc_error(SC_VE_NO_OVERLOAD);
        if (a->list[i].len)
            v[held_n++] = a->list[i].list[0];
    }
    return rule_list(v, held_n);
}

struct sc_value rule_fn_opt_first(struct run *run, const struct sc_value *a, uint32_t n)
{
    SC_ASSERT(n == 1);
    return a->len ? rule_optional_of(run, a->list[0]) : rule_optional_none();
}

struct sc_value rule_fn_opt_last(struct run *run, const struct sc_value *a, uint32_t n)
{
    SC_ASSERT(n == 1);
    return a->len ? rule_optional_of(run, a->list[a->len - 1]) : rule_optional_none();
}
