/* Exact decimals over 128-bit integers.
 *
 * Two facts carry all of it: units times any power of ten up to 10^18 stay under 2^120, and so does
 * a double's 53-bit mantissa times 10^18. So no operation here rounds unless its contract says so.
 */
#include "base/decimal.h"
#include "base/assert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

__extension__ typedef __int128 i128;
__extension__ typedef unsigned __int128 u128;

#define UNITS_END INT64_C(1000000000000000000) /* 10^18: one past the largest |units| */
#define MANTISSA_BITS 53

static const int64_t pow10_table[SC_DECIMAL_DIGITS + 1] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_end(struct sc_str s, size_t at)
{
    while (at < s.len && is_digit(s.p[at]))
        ++at;
    return at;
}

/* The parts of a number's text; `exponent` saturates far outside what can matter. */
struct parts {
    bool negative;
    struct sc_str whole, fraction;
    int64_t exponent;
};

static bool exponent_split(struct sc_str s, int64_t *out)
{
    bool negative = s.len && s.p[0] == '-';
    size_t at = s.len && (s.p[0] == '-' || s.p[0] == '+');
    if (at == s.len || digits_end(s, at) != s.len)
        return false;
    int64_t e = 0;
    for (; at < s.len; ++at)
        if (e < INT64_C(1) << 50)
            e = e * 10 + (s.p[at] - '0');
    *out = negative ? -e : e;
    return true;
}

static bool parts_split(struct sc_str s, struct parts *out)
{
    *out = (struct parts){.negative = s.len && s.p[0] == '-'};
    size_t at = s.len && (s.p[0] == '-' || s.p[0] == '+');
    size_t end = digits_end(s, at);
    out->whole = (struct sc_str){s.p + at, end - at};
    if (end == at)
        return false;
    if (end < s.len && s.p[end] == '.') {
        at = end + 1;
        end = digits_end(s, at);
        out->fraction = (struct sc_str){s.p + at, end - at};
        if (end == at)
            return false;
    }
    if (end == s.len)
        return true;
    if (s.p[end] != 'e' && s.p[end] != 'E')
        return false;
    return exponent_split((struct sc_str){s.p + end + 1, s.len - end - 1}, &out->exponent);
}

/* Add `digits`, the first of which weighs 10^power units. */
static enum sc_decimal_err digits_add(struct sc_str digits, int64_t power, int64_t *units)
{
    for (size_t i = 0; i < digits.len; ++i, --power) {
        int digit = digits.p[i] - '0';
        if (digit == 0)
            continue;
        if (power >= SC_DECIMAL_DIGITS)
            return SC_DECIMAL_RANGE;
        if (power < 0)
            return SC_DECIMAL_DIGITS_ERR;
        *units += digit * pow10_table[power];
    }
    return SC_DECIMAL_OK;
}

enum sc_decimal_err sc_decimal_parse(struct sc_str s, uint8_t scale, struct sc_decimal *out)
{
    SC_ASSERT(scale <= SC_DECIMAL_DIGITS);
    struct parts parts;
    if (!parts_split(s, &parts))
        return SC_DECIMAL_SYNTAX;
    int64_t units = 0;
    int64_t point = parts.exponent + scale; /* weight of the last whole digit */
    enum sc_decimal_err err = digits_add(parts.whole, point + (int64_t)parts.whole.len - 1, &units);
    if (err == SC_DECIMAL_OK)
        err = digits_add(parts.fraction, point - 1, &units);
    if (err == SC_DECIMAL_OK)
        *out = (struct sc_decimal){parts.negative ? -units : units, scale};
    return err;
}

/* |d| = mantissa * 2^exponent, mantissa 53 bits wide (or 0). */
static uint64_t double_split(double d, int *exponent)
{
    double part = frexp(fabs(d), exponent);
    *exponent -= MANTISSA_BITS;
    return (uint64_t)ldexp(part, MANTISSA_BITS);
}

/* |d| * 10^scale as whole part and whether something is left: below, at or over one half.
 * False when the whole part is 10^18 or more. `d` is finite. */
static bool double_scale(double d, uint8_t scale, int64_t *whole, int *rest)
{
    int exponent;
    uint64_t mantissa = double_split(d, &exponent);
    *whole = 0;
    *rest = 0; /* 0 none, 1 under a half, 2 a half, 3 over a half */
    if (mantissa == 0)
        return true;
    if (exponent > 7) /* at least 2^52 * 2^8 > 10^18 */
        return false;
    u128 scaled = (u128)mantissa * (u128)pow10_table[scale];
    if (exponent >= 0) {
        scaled <<= exponent;
    } else if (exponent <= -128) { /* scaled < 2^113: far under a half */
        scaled = 0;
        *rest = 1;
    } else {
        u128 left = scaled & (((u128)1 << -exponent) - 1);
        u128 half = (u128)1 << (-exponent - 1);
        *rest = left == 0 ? 0 : left < half ? 1 : left == half ? 2 : 3;
        scaled >>= -exponent;
    }
    if (scaled >= (u128)UNITS_END)
        return false;
    *whole = (int64_t)scaled;
    return true;
}

enum sc_decimal_err sc_decimal_from_double(double d, uint8_t scale, struct sc_decimal *out)
{
    SC_ASSERT(scale <= SC_DECIMAL_DIGITS);
    int64_t units;
    int rest;
    if (!isfinite(d) || !double_scale(d, scale, &units, &rest))
        return SC_DECIMAL_RANGE;
    units += rest == 3 || (rest == 2 && (units & 1));
    if (units == UNITS_END)
        return SC_DECIMAL_RANGE;
    *out = (struct sc_decimal){d < 0 ? -units : units, scale};
    return SC_DECIMAL_OK;
}

enum sc_decimal_err sc_decimal_rescale(struct sc_decimal d, uint8_t scale, struct sc_decimal *out)
{
    SC_ASSERT(scale <= SC_DECIMAL_DIGITS && d.scale <= SC_DECIMAL_DIGITS);
    int64_t units;
    if (scale >= d.scale) {
        i128 wide = (i128)d.units * pow10_table[scale - d.scale];
        if (wide >= UNITS_END || wide <= -UNITS_END)
            return SC_DECIMAL_RANGE;
        units = (int64_t)wide;
    } else {
        int64_t by = pow10_table[d.scale - scale];
        if (d.units % by != 0)
            return SC_DECIMAL_DIGITS_ERR;
        units = d.units / by;
    }
    *out = (struct sc_decimal){units, scale};
    return SC_DECIMAL_OK;
}

int sc_decimal_cmp(struct sc_decimal a, struct sc_decimal b)
{
    SC_ASSERT(a.scale <= SC_DECIMAL_DIGITS && b.scale <= SC_DECIMAL_DIGITS);
    i128 left = (i128)a.units * pow10_table[b.scale];
    i128 right = (i128)b.units * pow10_table[a.scale];
    return (left > right) - (left < right);
}

int sc_decimal_cmp_int(struct sc_decimal a, int64_t b)
{
    SC_ASSERT(a.scale <= SC_DECIMAL_DIGITS);
    i128 right = (i128)b * pow10_table[a.scale];
    return (a.units > right) - (a.units < right);
}

int sc_decimal_cmp_double(struct sc_decimal a, double b)
{
    SC_ASSERT(a.scale <= SC_DECIMAL_DIGITS);
    if (isnan(b))
        return 2;
    int sign_a = (a.units > 0) - (a.units < 0);
    int sign_b = (b > 0) - (b < 0);
    if (sign_a != sign_b)
        return sign_a < sign_b ? -1 : 1;
    int64_t whole;
    int rest;
    if (isinf(b) || !double_scale(b, a.scale, &whole, &rest))
        return -sign_b; /* |b| is out of every decimal's reach */
    int64_t size = a.units < 0 ? -a.units : a.units;
    if (size != whole)
        return size < whole ? -sign_b : sign_b;
    return rest ? -sign_b : 0;
}

bool sc_decimal_add(struct sc_decimal a, struct sc_decimal b, struct sc_decimal *out)
{
    SC_ASSERT(a.scale <= SC_DECIMAL_DIGITS && b.scale <= SC_DECIMAL_DIGITS);
    uint8_t scale = a.scale > b.scale ? a.scale : b.scale;
    i128 sum =
        (i128)a.units * pow10_table[scale - a.scale] + (i128)b.units * pow10_table[scale - b.scale];
    if (sum >= UNITS_END || sum <= -UNITS_END)
        return false;
    *out = (struct sc_decimal){(int64_t)sum, scale};
    return true;
}

bool sc_decimal_sub(struct sc_decimal a, struct sc_decimal b, struct sc_decimal *out)
{
    SC_ASSERT(b.units > -UNITS_END && b.units < UNITS_END);
    return sc_decimal_add(a, (struct sc_decimal){-b.units, b.scale}, out);
}

bool sc_decimal_mul(struct sc_decimal a, struct sc_decimal b, struct sc_decimal *out)
{
    SC_ASSERT(a.scale <= SC_DECIMAL_DIGITS && b.scale <= SC_DECIMAL_DIGITS);
    i128 product = (i128)a.units * b.units;
    unsigned scale = (unsigned)a.scale + b.scale;
    while (scale > SC_DECIMAL_DIGITS || product >= UNITS_END || product <= -UNITS_END) {
        if (scale == 0 || product % 10 != 0)
            return false;
        product /= 10;
        --scale;
    }
    *out = (struct sc_decimal){(int64_t)product, (uint8_t)scale};
    return true;
}

double sc_decimal_double(struct sc_decimal d)
{
    SC_ASSERT(d.scale <= SC_DECIMAL_DIGITS);
    int64_t size = d.units < 0 ? -d.units : d.units;
    if (size <= INT64_C(1) << MANTISSA_BITS) /* both exact, so one division rounds once */
        return (double)d.units / (double)pow10_table[d.scale];
    char text[25];
    text[sc_decimal_format(d, text)] = '\0';
    return strtod(text, NULL);
}

size_t sc_decimal_format(struct sc_decimal d, char out[24])
{
    SC_ASSERT(d.scale <= SC_DECIMAL_DIGITS);
    SC_ASSERT(d.units > -UNITS_END && d.units < UNITS_END);
    while (d.scale > 0 && d.units % 10 == 0) {
        d.units /= 10;
        --d.scale;
    }
    int64_t size = d.units < 0 ? -d.units : d.units;
    char text[32];
    int n = snprintf(text, sizeof(text), "%s%lld", d.units < 0 ? "-" : "",
                     (long long)(size / pow10_table[d.scale]));
    if (d.scale > 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ".%0*lld", (int)d.scale,
                      (long long)(size % pow10_table[d.scale]));
    SC_ASSERT(n > 0 && n <= 24);
    memcpy(out, text, (size_t)n);
    return (size_t)n;
}
