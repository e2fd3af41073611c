/* Exact decimals: an int64 of units of 10^-scale, at most 18 digits; never through a double. */
#ifndef SC_BASE_DECIMAL_H
#define SC_BASE_DECIMAL_H

#include "base/str.h"

#define SC_DECIMAL_DIGITS 18
#define SC_DECIMAL_SCALE_DEFAULT 4

struct sc_decimal {
    int64_t units; /* value * 10^scale, |units| < 10^18 */
    uint8_t scale; /* 0..18 */
};

enum sc_decimal_err {
    SC_DECIMAL_OK,
    SC_DECIMAL_SYNTAX, /* not a number: [+-]digits[.digits][e[+-]digits] */
    SC_DECIMAL_DIGITS_ERR, /* digits beyond `scale` that are not zero */
    SC_DECIMAL_RANGE  /* more than 18 digits */
};

/* The number text `s` (JSON's or CSV's spelling, also with exponent) at `scale`. */
enum sc_decimal_err sc_decimal_parse(struct sc_str s, uint8_t scale, struct sc_decimal *out);
/* A binary double, rounded half-even to `scale`; RANGE also for NaN and infinities. */
enum sc_decimal_err sc_decimal_from_double(double d, uint8_t scale, struct sc_decimal *out);
/* The same value at another scale; DIGITS_ERR if that would drop digits. */
enum sc_decimal_err sc_decimal_rescale(struct sc_decimal d, uint8_t scale, struct sc_decimal *out);
/* Numeric order, exact, whatever the scales: <0, 0, >0. */
int sc_decimal_cmp(struct sc_decimal a, struct sc_decimal b);
int sc_decimal_cmp_int(struct sc_decimal a, int64_t b);
/* Against the exact binary value of `b` (NaN: returns 2, unordered). */
int sc_decimal_cmp_double(struct sc_decimal a, double b);
/* false on overflow; result at the larger scale. */
bool sc_decimal_add(struct sc_decimal a, struct sc_decimal b, struct sc_decimal *out);
bool sc_decimal_sub(struct sc_decimal a, struct sc_decimal b, struct sc_decimal *out);
/* Exact product; false when it needs more than 18 digits. */
bool sc_decimal_mul(struct sc_decimal a, struct sc_decimal b, struct sc_decimal *out);
double sc_decimal_double(struct sc_decimal d);
/* Shortest exact text without exponent or trailing zeros ("12.5", "-0.0001", "40"): bytes written,
 * no NUL; `out` has room for 24. */
size_t sc_decimal_format(struct sc_decimal d, char out[24]);

#endif
