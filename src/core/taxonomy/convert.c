/* Conversions: exact or refused. The table of what converts to what is in intake.h.
 *
 * A shift (`scale: -2` for cents) never multiplies: cents at two digits are units at four, so the
 * number is read at `scale + shift` digits and its units are the value's. */
#include "core/taxonomy/convert.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/base64.h"

#include <math.h>

#define NS_PER_MS 1000000
#define DECIMAL_LIMIT INT64_C(1000000000000000000) /* 10^18: no more digits than 18 */

static enum sc_drop decimal_drop(enum sc_decimal_err e)
{
    switch (e) {
    case SC_DECIMAL_OK:
        return SC_DROP_NONE;
    case SC_DECIMAL_SYNTAX:
        return SC_DROP_WRONG_TYPE;
    case SC_DECIMAL_DIGITS_ERR:
    case SC_DECIMAL_RANGE:
        return SC_DROP_DECIMAL_DIGITS;
    }
    SC_UNREACHABLE("decimal error");
}

static enum sc_drop to_decimal(const struct sc_conversion *c, struct sc_value *v)
{
    int32_t digits = c->scale + c->shift;
    SC_ASSERT(digits >= 0 && digits <= SC_DECIMAL_DIGITS); /* checked at load */
    struct sc_decimal d;
    enum sc_decimal_err e = SC_DECIMAL_RANGE;
    if (v->type == SC_T_INT && v->i > -DECIMAL_LIMIT && v->i < DECIMAL_LIMIT)
        e = sc_decimal_rescale((struct sc_decimal){v->i, 0}, (uint8_t)digits, &d);
    else if (v->type == SC_T_DECIMAL)
        e = sc_decimal_rescale(sc_value_decimal(*v), (uint8_t)digits, &d);
    else if (v->type == SC_T_STRING)
        e = sc_decimal_parse(sc_value_str(*v), (uint8_t)digits, &d);
    else if (v->type == SC_T_DOUBLE && isfinite(v->d))
        e = sc_decimal_from_double(v->d, (uint8_t)digits, &d);
    else if (v->type != SC_T_INT && v->type != SC_T_UINT)
        return SC_DROP_WRONG_TYPE;
    if (e == SC_DECIMAL_OK)
        *v = sc_decimal((struct sc_decimal){d.units, c->scale});
    return decimal_drop(e);
}

static enum sc_drop to_int(struct sc_value *v)
{
    int64_t i;
    struct sc_decimal d;
    enum sc_decimal_err e = SC_DECIMAL_SYNTAX;
    if (v->type == SC_T_INT)
        return SC_DROP_NONE;
    if (v->type == SC_T_STRING && sc_str_int(sc_value_str(*v), &i)) {
        *v = sc_int(i);
        return SC_DROP_NONE;
    }
    if (v->type == SC_T_STRING)
        e = sc_decimal_parse(sc_value_str(*v), 0, &d);
    else if (v->type == SC_T_DECIMAL)
        e = sc_decimal_rescale(sc_value_decimal(*v), 0, &d);
    if (e != SC_DECIMAL_OK)
        return SC_DROP_WRONG_TYPE;
    *v = sc_int(d.units);
    return SC_DROP_NONE;
}

static enum sc_drop to_double(const struct sc_conversion *c, struct sc_value *v)
{
    double d;
    if (v->type == SC_T_INT)
        d = (double)v->i;
    else if (v->type == SC_T_UINT) /* past an int */
        d = (double)v->u;
    else if (v->type == SC_T_DECIMAL)
        d = sc_decimal_double(sc_value_decimal(*v));
    else if (v->type == SC_T_DOUBLE && isfinite(v->d))
        d = v->d;
    else
        return SC_DROP_WRONG_TYPE;
    /* dividing by a power of ten rounds once; multiplying by 0.01 would round twice */
    double power = pow(10.0, c->shift < 0 ? -c->shift : c->shift);
    d = c->shift < 0 ? d / power : d * power;
    if (!isfinite(d))
        return SC_DROP_OUT_OF_RANGE;
    *v = sc_double(d);
    return SC_DROP_NONE;
}

/* An integer count of `unit`s as milliseconds (floor) and nanoseconds below them. */
static bool unit_to_ms(int64_t i, int32_t unit, int64_t *ms, uint32_t *sub_ns)
{
    int64_t per_ms = 1;
    *sub_ns = 0;
    switch ((enum sc_unit)unit) {
    case SC_UNIT_S:
        return !__builtin_mul_overflow(i, SC_SECOND_MS, ms);
    case SC_UNIT_DEFAULT:
    case SC_UNIT_MS:
        break;
    case SC_UNIT_US:
        per_ms = 1000;
        break;
    case SC_UNIT_NS:
        per_ms = NS_PER_MS;
        break;
    }
    int64_t rest = i % per_ms;
    *ms = i / per_ms;
    if (rest < 0) { /* floor, also before 1970 */
        rest += per_ms;
        --*ms;
    }
    *sub_ns = (uint32_t)(rest * (NS_PER_MS / per_ms));
    return true;
}

static enum sc_drop to_timestamp(const struct sc_conversion *c, struct sc_value *v)
{
    int64_t ms = v->i;
    uint32_t sub_ns = v->len;
    bool ok = v->type == SC_T_TIMESTAMP;
    if (v->type == SC_T_STRING)
        ok = sc_time_parse(sc_value_str(*v), c->zone, &ms, &sub_ns);
    else if (v->type == SC_T_INT || v->type == SC_T_DECIMAL)
        ok = to_int(v) == SC_DROP_NONE && unit_to_ms(v->i, c->unit, &ms, &sub_ns);
    if (!ok)
        return SC_DROP_WRONG_TYPE;
    if (ms < SC_TIME_MIN_MS || ms > SC_TIME_MAX_MS)
        return SC_DROP_OUT_OF_RANGE;
    *v = sc_timestamp(ms);
    v->len = sub_ns;
    return SC_DROP_NONE;
}

static enum sc_drop to_duration(const struct sc_conversion *c, struct sc_value *v)
{
    int64_t ms = v->i;
    uint32_t sub_ns = v->len;
    bool ok = v->type == SC_T_DURATION;
    if (v->type == SC_T_STRING) {
        sub_ns = 0;
        ok = sc_duration_parse(sc_value_str(*v), &ms);
    } else if (v->type == SC_T_INT || v->type == SC_T_DECIMAL) {
        ok = to_int(v) == SC_DROP_NONE && unit_to_ms(v->i, c->unit, &ms, &sub_ns);
    }
    if (!ok)
        return SC_DROP_WRONG_TYPE;
    *v = sc_duration(ms);
    v->len = sub_ns;
    return SC_DROP_NONE;
}

/* Either alphabet, padded or not. */
static enum sc_drop to_bytes(struct sc_arena *ar, struct sc_value *v)
{
    size_t n;
    if (v->type == SC_T_BYTES)
        return SC_DROP_NONE;
    if (v->type != SC_T_STRING)
        return SC_DROP_WRONG_TYPE;
    char *out = sc_arena_alloc_align(ar, (size_t)v->len + 1, 1);
    if (!sc_base64_decode(sc_value_str(*v), true, out, &n))
        return SC_DROP_WRONG_TYPE;
    *v = (struct sc_value){.type = SC_T_BYTES, .len = (uint32_t)n, .s = out};
    return SC_DROP_NONE;
}

enum sc_drop sc_convert(const struct sc_conversion *c, struct sc_arena *ar, struct sc_value *v)
{
    SC_ASSERT(c != NULL && v != NULL);
    switch (c->type) {
    case SC_T_BOOL:
    case SC_T_STRING:
        return v->type == c->type ? SC_DROP_NONE : SC_DROP_WRONG_TYPE;
    case SC_T_INT:
        return to_int(v);
    case SC_T_DECIMAL:
        return to_decimal(c, v);
    case SC_T_DOUBLE:
        return to_double(c, v);
    case SC_T_TIMESTAMP:
        return to_timestamp(c, v);
    case SC_T_DURATION:
        return to_duration(c, v);
    case SC_T_BYTES:
        return to_bytes(ar, v);
    default: /* a uint8_t, and no other type can be declared */
        SC_UNREACHABLE("declared type");
    }
}

/* ---- Aggregates */

static enum sc_drop add(const struct sc_value *x, struct sc_value *total)
{
    struct sc_decimal sum;
    switch (x->type) {
    case SC_T_INT:
        return __builtin_add_overflow(total->i, x->i, &total->i) ? SC_DROP_OUT_OF_RANGE
                                                                 : SC_DROP_NONE;
    case SC_T_DURATION:
        total->len += x->len;
        if (__builtin_add_overflow(total->i, x->i, &total->i) ||
            __builtin_add_overflow(total->i, total->len / NS_PER_MS, &total->i))
            return SC_DROP_OUT_OF_RANGE;
        total->len %= NS_PER_MS;
        return SC_DROP_NONE;
    case SC_T_DECIMAL:
        if (!sc_decimal_add(sc_value_decimal(*total), sc_value_decimal(*x), &sum))
            return SC_DROP_DECIMAL_DIGITS;
        *total = sc_decimal(sum);
        return SC_DROP_NONE;
    case SC_T_DOUBLE:
        total->d += x->d;
        return isfinite(total->d) ? SC_DROP_NONE : SC_DROP_OUT_OF_RANGE;
    default: /* a uint8_t; sums of other types are load errors */
        SC_UNREACHABLE("type of a sum");
    }
}

static enum sc_drop fold(enum sc_map_op op, const struct sc_value *x, struct sc_value *total)
{
    bool empty = total->type == SC_T_ABSENT;
    switch (op) {
    case SC_MAP_SUM:
        return add(x, total);
    case SC_MAP_MIN:
        if (empty || sc_value_cmp(*x, *total) < 0)
            *total = *x;
        return SC_DROP_NONE;
    case SC_MAP_MAX:
        if (empty || sc_value_cmp(*x, *total) > 0)
            *total = *x;
        return SC_DROP_NONE;
    case SC_MAP_FIRST:
        if (empty)
            *total = *x;
        return SC_DROP_NONE;
    case SC_MAP_ANY:
        total->i |= x->i;
        return SC_DROP_NONE;
    case SC_MAP_PATH:
    case SC_MAP_CONST:
    case SC_MAP_COUNT:
        break;
    }
    SC_UNREACHABLE("aggregate");
}

/* Codecs give lists; a path without an array in this record's schema gives one value or none. */
static struct sc_value as_list(const struct sc_value *v)
{
    if (v->type == SC_T_LIST)
        return *v;
    return (struct sc_value){.type = SC_T_LIST, .len = sc_is_value(*v), .list = v};
}

enum sc_drop sc_aggregate(enum sc_map_op op, const struct sc_conversion *c, struct sc_arena *ar,
                          struct sc_value *v)
{
    SC_ASSERT(op != SC_MAP_PATH && op != SC_MAP_CONST);
    struct sc_value list = as_list(v), total = sc_absent();
    int64_t count = 0;
    if (op == SC_MAP_SUM)
        total = (struct sc_value){.type = c->type, .scale = c->type == SC_T_DECIMAL ? c->scale : 0};
    if (op == SC_MAP_ANY)
        total = sc_bool(false);
    for (uint32_t i = 0; i < list.len; i++) {
        struct sc_value x = list.list[i];
        if (!sc_is_value(x))
            continue;
        count++;
        if (op == SC_MAP_COUNT || (op == SC_MAP_FIRST && count > 1))
            continue;
        enum sc_drop drop = sc_convert(c, ar, &x);
        if (drop == SC_DROP_NONE)
            drop = fold(op, &x, &total);
        if (drop != SC_DROP_NONE)
            return drop;
    }
    if (op != SC_MAP_COUNT) {
        *v = total;
        return SC_DROP_NONE;
    }
    *v = sc_int(count);
    struct sc_conversion plain = {.type = c->type, .scale = c->scale};
    return sc_convert(&plain, ar, v);
}
