/* Decimals: tables, and properties against 128-bit arithmetic. */
#include "base/decimal.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

__extension__ typedef __int128 i128;

static uint64_t seed = 42;

static uint64_t rnd(void) /* splitmix64 */
{
    uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static i128 ten(unsigned n)
{
    i128 v = 1;
    while (n-- > 0)
        v *= 10;
    return v;
}

/* Any size with equal odds, any scale. */
static struct sc_decimal any(void)
{
    i128 limit = ten((unsigned)(rnd() % 19));
    int64_t units = (int64_t)((i128)rnd() % limit);
    return (struct sc_decimal){rnd() & 1 ? units : -units, (uint8_t)(rnd() % 19)};
}

static int sign(i128 v)
{
    return (v > 0) - (v < 0);
}

Test(decimal, parse)
{
    static const struct {
        const char *text;
        int scale;
        enum sc_decimal_err err;
        int64_t units;
    } cases[] = {
        {"0", 4, SC_DECIMAL_OK, 0},
        {"-0.0", 4, SC_DECIMAL_OK, 0},
        {"12.5", 4, SC_DECIMAL_OK, 125000},
        {"-12.3456", 4, SC_DECIMAL_OK, -123456},
        {"+7", 0, SC_DECIMAL_OK, 7},
        {"007", 0, SC_DECIMAL_OK, 7},
        {"1.50000000000000000000000000", 1, SC_DECIMAL_OK, 15},
        {"1.23e2", 0, SC_DECIMAL_OK, 123},
        {"1.23E+2", 0, SC_DECIMAL_OK, 123},
        {"1230e-2", 1, SC_DECIMAL_OK, 123},
        {"0e999999999999999999999", 4, SC_DECIMAL_OK, 0},
        {"0.00001e5", 0, SC_DECIMAL_OK, 1},
        {"999999999999999999", 0, SC_DECIMAL_OK, INT64_C(999999999999999999)},
        {"0.999999999999999999", 18, SC_DECIMAL_OK, INT64_C(999999999999999999)},
        {"1000000000000000000", 0, SC_DECIMAL_RANGE, 0},
        {"1", 18, SC_DECIMAL_RANGE, 0},
        {"1e18", 0, SC_DECIMAL_RANGE, 0},
        {"1e99999999999999999999", 0, SC_DECIMAL_RANGE, 0},
        {"12.34567", 4, SC_DECIMAL_DIGITS_ERR, 0},
        {"1e-99999999999999999999", 4, SC_DECIMAL_DIGITS_ERR, 0},
        {"", 4, SC_DECIMAL_SYNTAX, 0},
        {"-", 4, SC_DECIMAL_SYNTAX, 0},
        {".5", 4, SC_DECIMAL_SYNTAX, 0},
        {"5.", 4, SC_DECIMAL_SYNTAX, 0},
        {"1e", 4, SC_DECIMAL_SYNTAX, 0},
        {"1e+", 4, SC_DECIMAL_SYNTAX, 0},
        {"1 ", 4, SC_DECIMAL_SYNTAX, 0},
        {"1,5", 4, SC_DECIMAL_SYNTAX, 0},
        {"NaN", 4, SC_DECIMAL_SYNTAX, 0},
        {"0x1", 4, SC_DECIMAL_SYNTAX, 0},
        {"--1", 4, SC_DECIMAL_SYNTAX, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        struct sc_decimal d = {0, 0};
        enum sc_decimal_err err =
            sc_decimal_parse(sc_str_from(cases[i].text), (uint8_t)cases[i].scale, &d);
        cr_assert_eq(err, cases[i].err, "'%s': %d", cases[i].text, (int)err);
        if (err == SC_DECIMAL_OK) {
            cr_assert_eq(d.units, cases[i].units, "'%s'", cases[i].text);
            cr_assert_eq(d.scale, cases[i].scale);
        }
    }
}

static void formats_as(int64_t units, uint8_t scale, const char *want)
{
    char text[25];
    text[sc_decimal_format((struct sc_decimal){units, scale}, text)] = '\0';
    cr_assert_str_eq(text, want);
}

Test(decimal, format)
{
    formats_as(125000, 4, "12.5");
    formats_as(-1, 4, "-0.0001");
    formats_as(400000, 4, "40");
    formats_as(0, 18, "0");
    formats_as(INT64_C(-999999999999999999), 18, "-0.999999999999999999");
    formats_as(INT64_C(999999999999999999), 0, "999999999999999999");
    formats_as(INT64_C(100000000000000000), 17, "1");
}

Test(decimal, text_round_trips)
{
    for (int i = 0; i < 200000; ++i) {
        struct sc_decimal d = any(), back;
        char text[24];
        size_t n = sc_decimal_format(d, text);
        cr_assert_eq(sc_decimal_parse((struct sc_str){text, n}, d.scale, &back), SC_DECIMAL_OK);
        cr_assert_eq(back.units, d.units);
    }
}

Test(decimal, order_is_exact)
{
    for (int i = 0; i < 200000; ++i) {
        struct sc_decimal a = any(), b = any();
        if (i % 3 == 0) /* near neighbours at other scales */
            if (sc_decimal_rescale(a, (uint8_t)(rnd() % 19), &b) == SC_DECIMAL_OK)
                b.units += b.units < 1000 && b.units > -1000 ? (int64_t)(rnd() % 3) - 1 : 0;
        int want = sign((i128)a.units * ten(b.scale) - (i128)b.units * ten(a.scale));
        cr_assert_eq(sc_decimal_cmp(a, b), want);
        cr_assert_eq(sc_decimal_cmp(b, a), -want);
        int64_t whole = (int64_t)rnd() >> (rnd() % 64);
        cr_assert_eq(sc_decimal_cmp_int(a, whole), sign(a.units - (i128)whole * ten(a.scale)));
    }
}

Test(decimal, sums_and_products_are_exact)
{
    i128 end = ten(18);
    for (int i = 0; i < 200000; ++i) {
        struct sc_decimal a = any(), b = any(), out;
        uint8_t scale = a.scale > b.scale ? a.scale : b.scale;
        i128 left = (i128)a.units * ten(scale - a.scale),
             right = (i128)b.units * ten(scale - b.scale);
        bool fits = left + right < end && left + right > -end;
        cr_assert_eq(sc_decimal_add(a, b, &out), fits);
        cr_assert(!fits || (out.units == left + right && out.scale == scale));
        fits = left - right < end && left - right > -end;
        cr_assert_eq(sc_decimal_sub(a, b, &out), fits);
        cr_assert(!fits || (out.units == left - right && out.scale == scale));
        i128 product = (i128)a.units * b.units;
        unsigned digits = (unsigned)a.scale + b.scale;
        while (digits > 0 && product % 10 == 0) { /* its shortest form */
            product /= 10;
            --digits;
        }
        fits = digits <= 18 && product < end && product > -end;
        cr_assert_eq(sc_decimal_mul(a, b, &out), fits);
        if (fits)
            cr_assert_eq(
                sc_decimal_cmp(out, (struct sc_decimal){(int64_t)product, (uint8_t)digits}), 0);
    }
}

Test(decimal, rescale_drops_nothing)
{
    for (int i = 0; i < 200000; ++i) {
        struct sc_decimal a = any(), out;
        uint8_t scale = (uint8_t)(rnd() % 19);
        enum sc_decimal_err err = sc_decimal_rescale(a, scale, &out);
        if (err == SC_DECIMAL_OK) {
            cr_assert_eq(sc_decimal_cmp(a, out), 0);
            cr_assert_eq(out.scale, scale);
        } else if (err == SC_DECIMAL_DIGITS_ERR) {
            cr_assert(scale < a.scale && a.units % ten(a.scale - scale) != 0);
        } else {
            cr_assert(scale > a.scale && (i128)llabs(a.units) * ten(scale - a.scale) >= ten(18));
        }
    }
}

/* The exact value of a double is a decimal text: printf with enough digits writes it whole. */
static int cmp_text(struct sc_decimal a, double b)
{
    char left[1200], right[1200];
    snprintf(left, sizeof(left), "%0*lld", 900, llabs(a.units)); /* whole units */
    snprintf(right, sizeof(right), "%.1100f", fabs(b));
    char *point = strchr(right, '.');
    memmove(point, point + 1, a.scale); /* times 10^scale */
    point[a.scale] = '.';
    int whole = (int)(point + a.scale - right);
    char padded[2400];
    snprintf(padded, sizeof(padded), "%0*d", 900 - whole, 0);
    snprintf(padded + 900 - whole, sizeof(padded) - 900 + (size_t)whole, "%s", right);
    int c = memcmp(left, padded, 900);
    if (c == 0) {
        const char *rest = padded + 901;
        c = rest[strspn(rest, "0")] == '\0' ? 0 : -1;
    }
    return c;
}

Test(decimal, order_against_doubles_is_exact)
{
    for (int i = 0; i < 3000; ++i) {
        struct sc_decimal a = any();
        a.units = llabs(a.units) + 1;
        if (a.units >= ten(18))
            continue;
        double b = (double)a.units / (double)ten(a.scale); /* near */
        if (i % 3 == 1)
            b = nextafter(b, i % 2 ? 0 : INFINITY);
        if (i % 3 == 2)
            b = ldexp(1.0 + (double)(rnd() % 1000) / 1000, (int)(rnd() % 400) - 300);
        int want = sign(cmp_text(a, b));
        cr_assert_eq(sc_decimal_cmp_double(a, b), want, "%lld/%u %.17g", (long long)a.units,
                     a.scale, b);
        struct sc_decimal minus = {-a.units, a.scale};
        cr_assert_eq(sc_decimal_cmp_double(minus, -b), -want);
        cr_assert_eq(sc_decimal_cmp_double(a, -b), 1);
    }
    struct sc_decimal tenth = {1, 1}, zero = {0, 4};
    cr_assert_eq(sc_decimal_cmp_double(tenth, 0.1), -1, "the double 0.1 is a little more");
    cr_assert_eq(sc_decimal_cmp_double(tenth, NAN), 2);
    cr_assert_eq(sc_decimal_cmp_double(tenth, INFINITY), -1);
    cr_assert_eq(sc_decimal_cmp_double(tenth, -INFINITY), 1);
    cr_assert_eq(sc_decimal_cmp_double(zero, -0.0), 0);
    cr_assert_eq(sc_decimal_cmp_double(zero, 5e-324), -1);
}

Test(decimal, from_double)
{
    static const struct {
        double d;
        int scale;
        enum sc_decimal_err err;
        int64_t units;
    } cases[] = {
        {0.1, 4, SC_DECIMAL_OK, 1000},
        {0.5, 0, SC_DECIMAL_OK, 0}, /* half to even */
        {1.5, 0, SC_DECIMAL_OK, 2},
        {2.5, 0, SC_DECIMAL_OK, 2},
        {-2.5, 0, SC_DECIMAL_OK, -2},
        {0.125, 2, SC_DECIMAL_OK, 12},
        {0.375, 2, SC_DECIMAL_OK, 38},
        {2.675, 2, SC_DECIMAL_OK, 267}, /* the double is a little less */
        {5e-324, 18, SC_DECIMAL_OK, 0},
        {1e17, 0, SC_DECIMAL_OK, INT64_C(100000000000000000)},
        {1e18, 0, SC_DECIMAL_RANGE, 0},
        {1e300, 0, SC_DECIMAL_RANGE, 0},
        {1.0, 18, SC_DECIMAL_RANGE, 0},
        {INFINITY, 4, SC_DECIMAL_RANGE, 0},
        {NAN, 4, SC_DECIMAL_RANGE, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        struct sc_decimal d;
        enum sc_decimal_err err = sc_decimal_from_double(cases[i].d, (uint8_t)cases[i].scale, &d);
        cr_assert_eq(err, cases[i].err, "case %zu", i);
        cr_assert(err != SC_DECIMAL_OK || d.units == cases[i].units, "case %zu: %lld", i,
                  (long long)d.units);
    }
}

/* glibc's printf rounds the exact binary value half to even, as we do. */
Test(decimal, from_double_agrees_with_printf)
{
    for (int i = 0; i < 100000; ++i) {
        double d = ldexp((double)(int64_t)rnd(), -(int)(rnd() % 90));
        uint8_t scale = (uint8_t)(rnd() % 10);
        struct sc_decimal got, want;
        char text[400];
        int n = snprintf(text, sizeof(text), "%.*f", scale, d);
        enum sc_decimal_err err = sc_decimal_parse((struct sc_str){text, (size_t)n}, scale, &want);
        cr_assert_eq(sc_decimal_from_double(d, scale, &got), err, "%s", text);
        cr_assert(err != SC_DECIMAL_OK || got.units == want.units, "%s", text);
    }
}

Test(decimal, to_double_is_the_nearest)
{
    for (int i = 0; i < 100000; ++i) {
        struct sc_decimal d = any();
        char text[25];
        text[sc_decimal_format(d, text)] = '\0';
        cr_assert_eq(sc_decimal_double(d), strtod(text, NULL), "%s", text);
    }
}
