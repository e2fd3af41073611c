/* Conversions: int(), double(), string(), timestamp() and their kin. What cannot be converted
 * exactly enough is an error value, never a guess. Source: cel-spec doc/langdef.md, type
 * conversions; number texts as Go's strconv prints them, which the conformance cases expect. */
#include "core/rule/fn.h"

#include "base/assert.h"
#include "base/time.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TWO_63 9223372036854775808.0
#define TWO_64 18446744073709551616.0

struct sc_value rule_fn_to_bool(struct run *run, const struct sc_value *a, uint32_t n)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
    (void)run;
    SC_ASSERT(n == 1);
    if (a->type == SC_T_BOOL)
        return *a;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (sc_str_eqz(sc_value_str(*a), yes[i]))
            return sc_bool(true);
        if (sc_str_eqz(sc_value_str(*a), no[i]))
            return sc_bool(false);
    }
    return sc_error(SC_VE_CONVERSION);
}

/* The decimal's whole part, towards zero. */
static int64_t decimal_whole(struct sc_value v)
{
    int64_t units = v.i;
    for (uint8_t i = 0; i < v.scale; i++)
        units /= 10;
    return units;
}

struct sc_value rule_fn_to_int(struct run *run, const struct sc_value *a, uint32_t n)
{
    int64_t i;
    (void)run;
    SC_ASSERT(n == 1);
    if (a->type == SC_T_INT)
        return *a;
    if (a->type == SC_T_UINT)
        return a->u > INT64_MAX ? sc_error(SC_VE_OVERFLOW) : sc_int((int64_t)a->u);
    if (a->type == SC_T_DECIMAL)
        return sc_int(decimal_whole(*a));
    if (a->type == SC_T_DOUBLE) /* NaN fails both; the bounds themselves may be rounded ones */
        return a->d > -TWO_63 && a->d < TWO_63 ? sc_int((int64_t)a->d) : sc_error(SC_VE_OVERFLOW);
    if (a->type == SC_T_TIMESTAMP)
        return sc_int(a->i >= 0 ? a->i / 1000 : -((999 - a->i) / 1000));
    return sc_str_int(sc_value_str(*a), &i) ? sc_int(i) : sc_error(SC_VE_CONVERSION);
}

static bool parse_uint(struct sc_str s, uint64_t *out)
{
    uint64_t u = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(u, UINT64_C(10), &u) ||
            __builtin_add_overflow(u, (uint64_t)(s.p[i] - '0'), &u))
            return false;
    }
    *out = u;
    return s.len > 0;
}

struct sc_value rule_fn_to_uint(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_value v = {.type = SC_T_UINT};
    (void)run;
    SC_ASSERT(n == 1);
    int64_t whole = a->type == SC_T_DECIMAL ? decimal_whole(*a) : a->i;
    switch ((enum sc_type)a->type) {
    case SC_T_UINT:
        return *a;
    case SC_T_INT: case SC_T_DECIMAL:
        v.u = (uint64_t)whole;
        return whole < 0 ? sc_error(SC_VE_OVERFLOW) : v;
    case SC_T_DOUBLE:
        if (!(a->d >= 0 && a->d < TWO_64))
            return sc_error(SC_VE_OVERFLOW);
        v.u = (uint64_t)a->d;
        return v;
    case SC_T_STRING:
        return parse_uint(sc_value_str(*a), &v.u) ? v : sc_error(SC_VE_CONVERSION);
    case SC_T_ABSENT: case SC_T_NULL: case SC_T_BOOL: case SC_T_BYTES: case SC_T_TIMESTAMP:
    case SC_T_DURATION: case SC_T_LIST: case SC_T_MAP: case SC_T_TYPE: case SC_T_ERROR:
        break;
    }
    return sc_error(SC_VE_NO_OVERLOAD);
}

static struct sc_value parse_double(struct sc_str s)
{
    char z[400], *end;
    if (s.len == 0 || s.len >= sizeof(z) || s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r'))
        return sc_error(SC_VE_CONVERSION);
    memcpy(z, s.p, s.len);
    z[s.len] = '\0';
    double d = strtod(z, &end);
    return end == z + s.len ? sc_double(d) : sc_error(SC_VE_CONVERSION);
}

struct sc_value rule_fn_to_double(struct run *run, const struct sc_value *a, uint32_t n)
{
    (void)run;
    SC_ASSERT(n == 1);
    if (a->type == SC_T_DOUBLE)
        return *a;
    if (a->type == SC_T_INT)
        return sc_double((double)a->i);
    if (a->type == SC_T_UINT)
        return sc_double((double)a->u);
    return a->type == SC_T_DECIMAL ? sc_double(sc_decimal_double(sc_value_decimal(*a)))
                                   : parse_double(sc_value_str(*a));
}

/* ---- Texts */

/* `-d.ddde+NN` without point and exponent: what it has no digits for is zeros, where printf would
 * give those of the binary number, which nobody wrote. */
static size_t whole_text(const char *digits, int exponent, char out[40])
{
    size_t n = 0;
    SC_ASSERT(exponent >= 0 && exponent < 21);
    if (*digits == '-')
        out[n++] = *digits++;
    size_t end = n + 1 + (size_t)exponent;
    for (; *digits != 'e'; digits++)
        if (*digits != '.')
            out[n++] = *digits;
    SC_ASSERT(n <= end);
    while (n < end)
        out[n++] = '0';
    out[n] = '\0';
    return n;
}

/* Shortest digits that read back the same; an exponent below 1e-4 and from 1e21 on. */
size_t rule_double_text(double d, char out[40])
{
    char digits[40];
    if (isnan(d))
        return (size_t)snprintf(out, 40, "NaN");
    if (isinf(d))
        return (size_t)snprintf(out, 40, d < 0 ? "-Infinity" : "Infinity");
    int precision = 0;
    do
        snprintf(digits, sizeof(digits), "%.*e", precision, d);
    while (strtod(digits, NULL) != d && precision++ < 17);
    int exponent = atoi(strchr(digits, 'e') + 1);
    if (d != 0 && (exponent < -4 || exponent >= 21))
        return (size_t)snprintf(out, 40, "%s", digits);
    if (precision >= exponent)
        return (size_t)snprintf(out, 40, "%.*f", precision - exponent, d);
    return whole_text(digits, exponent, out);
}

/* Nanoseconds (below a second) as ".5", without trailing zeros; nothing for 0. */
static size_t fraction_text(uint32_t ns, char *out)
{
    if (ns == 0)
        return 0;
    size_t n = (size_t)snprintf(out, 16, ".%09u", ns);
    while (out[n - 1] == '0')
        n--;
    return n;
}

size_t rule_time_text(struct sc_value t, char out[48])
{
    struct sc_civil c;
    sc_civil_from_ms(t.i, &c);
    size_t n = (size_t)snprintf(out, 48, "%04d-%02u-%02uT%02u:%02u:%02u", c.year, c.month, c.day,
                                c.hour, c.minute, c.second);
    n += fraction_text(c.nanos / 1000000 * 1000000 + t.len, out + n);
    out[n++] = 'Z';
    return n;
}

size_t rule_duration_text(struct sc_value d, char out[48])
{
    uint64_t ms = (uint64_t)d.i;
    uint32_t ns = d.len;
    bool negative = d.i < 0;
    if (negative) { /* sign and magnitude: borrow a millisecond for the nanoseconds */
        ms = 0 - ms - (ns > 0);
        ns = ns > 0 ? 1000000 - ns : 0;
    }
    size_t n = (size_t)snprintf(out, 48, "%s%llu", negative ? "-" : "",
                                (unsigned long long)(ms / 1000));
    n += fraction_text((uint32_t)(ms % 1000) * 1000000 + ns, out + n);
    out[n++] = 's';
    return n;
}

const char *rule_type_text(int64_t type)
{
    static const char *const names[] = {
        [SC_T_NULL] = "null_type", [SC_T_BOOL] = "bool", [SC_T_INT] = "int", [SC_T_UINT] = "uint",
        [SC_T_DOUBLE] = "double", [SC_T_DECIMAL] = "decimal", [SC_T_STRING] = "string",
        [SC_T_BYTES] = "bytes", [SC_T_TIMESTAMP] = "google.protobuf.Timestamp",
        [SC_T_DURATION] = "google.protobuf.Duration", [SC_T_LIST] = "list", [SC_T_MAP] = "map",
        [SC_T_TYPE] = "type", [RULE_T_OPTIONAL] = "optional_type",
    };
    SC_ASSERT(type >= 0 && type <= SC_T_TYPE);
    return names[type];
}

char *rule_new_string(struct run *run, uint64_t n)
{
    if (!rule_spend(run, 1 + n / 16))
        return NULL;
    return sc_arena_alloc(run->ar, (size_t)n + 1);
}

struct sc_value rule_to_string(struct run *run, struct sc_value v)
{
    char text[48];
    size_t n = 0;
    switch ((enum sc_type)v.type) {
    case SC_T_STRING:
        return v;
    case SC_T_BYTES:
        v.type = SC_T_STRING;
        return sc_str_utf8_ok(sc_value_str(v)) ? v : sc_error(SC_VE_CONVERSION);
    case SC_T_BOOL: return v.i ? sc_string(SC_STR("true")) : sc_string(SC_STR("false"));
    case SC_T_INT: n = (size_t)snprintf(text, sizeof(text), "%lld", (long long)v.i); break;
    case SC_T_UINT:
        n = (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)v.u);
        break;
    case SC_T_DOUBLE: n = rule_double_text(v.d, text); break;
    case SC_T_DECIMAL: n = sc_decimal_format(sc_value_decimal(v), text); break;
    case SC_T_TIMESTAMP: n = rule_time_text(v, text); break;
    case SC_T_DURATION: n = rule_duration_text(v, text); break;
    case SC_T_TYPE: return sc_string(sc_str_from(rule_type_text(v.i)));
    case SC_T_NULL: return sc_string(SC_STR("null"));
    case SC_T_ABSENT: case SC_T_LIST: case SC_T_MAP: case SC_T_ERROR:
        return sc_error(SC_VE_CONVERSION);
    }
    char *out = rule_new_string(run, n);
    if (out == NULL)
        return sc_error(SC_VE_LIMIT);
    memcpy(out, text, n);
    return rule_string_at(out, n);
}

struct sc_value rule_fn_to_text(struct run *run, const struct sc_value *a, uint32_t n)
{
    SC_ASSERT(n == 1);
    return rule_to_string(run, *a);
}

struct sc_value rule_fn_to_bytes(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_value v = *a;
    (void)run;
    SC_ASSERT(n == 1);
    v.type = SC_T_BYTES;
    return v;
}

/* ---- Times */

/* Seconds since 1970 that stand in the years 1 to 9999. */
static struct sc_value time_of_seconds(int64_t s)
{
    bool fits = s >= INT64_C(-62135596800) && s <= INT64_C(253402300799);
    return fits ? sc_timestamp(s * 1000) : sc_error(SC_VE_OVERFLOW);
}

struct sc_value rule_fn_to_timestamp(struct run *run, const struct sc_value *a, uint32_t n)
{
    (void)run;
    SC_ASSERT(n == 1);
    if (a->type == SC_T_TIMESTAMP)
        return *a;
    if (a->type == SC_T_INT)
        return time_of_seconds(a->i);
    struct sc_value v = sc_timestamp(0);
    struct sc_str s = sc_value_str(*a);
    bool whole = s.len >= 20 && (s.p[10] == 'T' || s.p[10] == 't'); /* no bare dates here */
    if (!whole || !sc_time_parse(s, NULL, &v.i, &v.len))
        return sc_error(SC_VE_CONVERSION);
    int64_t seconds = v.i >= 0 ? v.i / 1000 : -((999 - v.i) / 1000);
    return time_of_seconds(seconds).type == SC_T_ERROR ? sc_error(SC_VE_OVERFLOW) : v;
}

struct unit {
    const char *name;
    int64_t ns;
};

/* Longest names first where one starts another. */
static const struct unit units[] = {
    {"ns", 1}, {"us", 1000}, {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000}, {"ms", 1000000},
    {"s", 1000000000}, {"m", INT64_C(60000000000)}, {"h", INT64_C(3600000000000)},
    {"d", INT64_C(86400000000000)},
};

/* `number unit` at the start of `s`, as nanoseconds; what is left in `s`. */
static bool take_span(struct sc_str *s, int64_t *ns)
{
    int64_t whole = 0;
    double fraction = 0, scale = 0.1;
    size_t i = 0, digits = 0;
    for (; i < s->len && s->p[i] >= '0' && s->p[i] <= '9'; i++, digits++)
        if (__builtin_mul_overflow(whole, INT64_C(10), &whole) ||
            __builtin_add_overflow(whole, (int64_t)(s->p[i] - '0'), &whole))
            return false;
    if (i < s->len && s->p[i] == '.')
        for (i++; i < s->len && s->p[i] >= '0' && s->p[i] <= '9'; i++, digits++, scale /= 10)
            fraction += (s->p[i] - '0') * scale;
    *s = (struct sc_str){s->p + i, s->len - i};
    for (size_t u = 0; digits > 0 && u < sizeof(units) / sizeof(units[0]); u++) {
        struct sc_str name = sc_str_from(units[u].name);
        if (!sc_str_starts(*s, name))
            continue;
        *s = (struct sc_str){s->p + name.len, s->len - name.len};
        return !__builtin_mul_overflow(whole, units[u].ns, ns) &&
               !__builtin_add_overflow(*ns, (int64_t)llround(fraction * (double)units[u].ns), ns);
    }
    return false;
}

struct sc_value rule_fn_to_duration(struct run *run, const struct sc_value *a, uint32_t n)
{
    (void)run;
    SC_ASSERT(n == 1);
    if (a->type == SC_T_DURATION)
        return *a;
    struct sc_str s = sc_value_str(*a);
    bool negative = s.len > 0 && s.p[0] == '-';
    if (s.len > 0 && (s.p[0] == '-' || s.p[0] == '+'))
        s = (struct sc_str){s.p + 1, s.len - 1};
    int64_t total = 0, part;
    if (s.len == 0)
        return sc_error(SC_VE_CONVERSION);
    if (sc_str_eqz(s, "0"))
        return sc_duration(0);
    while (s.len > 0) {
        if (!take_span(&s, &part))
            return sc_error(SC_VE_CONVERSION);
        if (__builtin_add_overflow(total, part, &total))
            return sc_error(SC_VE_OVERFLOW);
    }
    total = negative ? -total : total;
    int64_t ms = total / 1000000, below = total % 1000000;
    if (below < 0) { /* milliseconds are the floor */
        ms--;
        below += 1000000;
    }
    return (struct sc_value){.type = SC_T_DURATION, .i = ms, .len = (uint32_t)below};
}

struct sc_value rule_fn_to_dyn(struct run *run, const struct sc_value *a, uint32_t n)
{
    (void)run;
    SC_ASSERT(n == 1);
    return *a;
}

struct sc_value rule_fn_type_of(struct run *run, const struct sc_value *a, uint32_t n)
{
    (void)run;
    SC_ASSERT(n == 1);
    int64_t type = rule_is_optional(*a) ? RULE_T_OPTIONAL : a->type;
    return (struct sc_value){.type = SC_T_TYPE, .i = type};
}
