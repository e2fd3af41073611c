/* Strings and numbers of JSON (json_scan.h).
 *
 * What is skipped is checked as strictly as what is kept (escapes, surrogate pairs, UTF-8, control
 * characters, the grammar of numbers), so whether a record is accepted hardly depends on what the
 * rules read. Cost: about 16 bytes of string a cycle or two; numbers a digit a step, and strtod
 * only past 18 digits. */
#include "codec/json_scan.h"
#include "codec/utf8.h"

#include "base/arena.h"
#include "base/assert.h"

#include <math.h>
#include <stdlib.h>
/* Bytes that end the plain run of a string: quote, backslash, control characters. */
static inline bool is_special(unsigned char c)
{
    return c == '"' || c == '\\' || c < 0x20;
}

/* The first special byte, or `end`. `high` gets bits when a byte before it is not ASCII. */
static const char *scan_plain(const char *p, const char *end, unsigned *high)
{
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        __m128i b = sc_json_load(p);
        unsigned not_ascii = (unsigned)_mm_movemask_epi8(b), at = sc_json_ends(b) & ~not_ascii;
        if (at) {
            unsigned n = (unsigned)__builtin_ctz(at);
            *high |= not_ascii & ((1u << n) - 1);
            return p + n;
        }
        *high |= not_ascii;
    }
#else
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    for (; end - p >= 8; p += 8) {
        uint64_t b;
        memcpy(&b, p, sizeof(b));
        uint64_t q = b ^ (ones * '"'), s = b ^ (ones * '\\');
        /* may also hit a byte that is none: the tail loop below then goes byte by byte */
        if (((q - ones) & ~q & tops) | ((s - ones) & ~s & tops) | ((b - ones * 0x20) & ~b & tops))
            break;
        *high |= (b & tops) != 0;
    }
#endif
    for (; p < end && !is_special((unsigned char)*p); p++)
        *high |= (unsigned char)*p >> 7;
    return p;
}

static int hex4(const char *p)
{
    int u = 0;
    for (int i = 0; i < 4; i++) {
        int c = (unsigned char)p[i], low = c | 0x20;
        if (c >= '0' && c <= '9')
            u = u * 16 + (c - '0');
        else if (low >= 'a' && low <= 'f')
            u = u * 16 + (low - 'a' + 10);
        else
            return -1;
    }
    return u;
}

/* `*p` stands at a backslash, and then behind the escape (behind both, for a surrogate pair). */
static enum sc_drop scan_escape(const char **p, const char *end)
{
    const char *at = *p + 1;
    if (at == end)
        return SC_DROP_TRUNCATED;
    char c = *at++;
    if (c != 'u') {
        *p = at;
        return c != '\0' && strchr("\"\\/bfnrt", c) ? SC_DROP_NONE : SC_DROP_MALFORMED;
    }
    if (end - at < 4)
        return SC_DROP_TRUNCATED;
    int u = hex4(at);
    at += 4;
    *p = at;
    if (u < 0)
        return SC_DROP_MALFORMED;
    if (u < 0xD800 || u > 0xDFFF)
        return SC_DROP_NONE;
    if (u > 0xDBFF || (end - at >= 2 && (at[0] != '\\' || at[1] != 'u')))
        return SC_DROP_UTF8; /* half of a pair is no character */
    if (end - at < 6)
        return SC_DROP_TRUNCATED;
    int low = hex4(at + 2);
    *p = at + 6;
    if (low < 0)
        return SC_DROP_MALFORMED;
    return low >= 0xDC00 && low <= 0xDFFF ? SC_DROP_NONE : SC_DROP_UTF8;
}

enum sc_drop sc_json_scan_string(const char **p, const char *end, struct sc_json_string *out)
{
    SC_ASSERT(*p <= end);
    const char *start = *p;
    unsigned high = 0;
    out->escaped = false;
    for (;;) {
        *p = scan_plain(*p, end, &high);
        if (*p == end)
            return SC_DROP_TRUNCATED;
        if (**p == '"')
            break;
        if (**p != '\\')
            return SC_DROP_MALFORMED;
        out->escaped = true;
        enum sc_drop drop = scan_escape(p, end);
        if (drop != SC_DROP_NONE)
            return drop;
    }
    out->raw = (struct sc_str){start, (size_t)(*p - start)};
    ++*p;
    return high && !sc_utf8_ok(out->raw) ? SC_DROP_UTF8 : SC_DROP_NONE;
}

static char *put_utf8(char *to, uint32_t u)
{
    if (u < 0x80) {
        *to++ = (char)u;
    } else if (u < 0x800) {
        *to++ = (char)(0xC0 | u >> 6);
        *to++ = (char)(0x80 | (u & 0x3F));
    } else if (u < 0x10000) {
        *to++ = (char)(0xE0 | u >> 12);
        *to++ = (char)(0x80 | (u >> 6 & 0x3F));
        *to++ = (char)(0x80 | (u & 0x3F));
    } else {
        *to++ = (char)(0xF0 | u >> 18);
        *to++ = (char)(0x80 | (u >> 12 & 0x3F));
        *to++ = (char)(0x80 | (u >> 6 & 0x3F));
        *to++ = (char)(0x80 | (u & 0x3F));
    }
    return to;
}

/* `*p` stands behind a backslash. */
static char *put_escape(char *to, const char **p)
{
    char c = *(*p)++;
    switch (c) {
    case 'b': *to++ = '\b'; return to;
    case 'f': *to++ = '\f'; return to;
    case 'n': *to++ = '\n'; return to;
    case 'r': *to++ = '\r'; return to;
    case 't': *to++ = '\t'; return to;
    case 'u': break;
    default: *to++ = c; return to;
    }
    uint32_t u = (uint32_t)hex4(*p);
    *p += 4;
    if (u >= 0xD800 && u <= 0xDBFF) {
        u = 0x10000 + ((u - 0xD800) << 10) + ((uint32_t)hex4(*p + 2) - 0xDC00);
        *p += 6;
    }
    return put_utf8(to, u);
}

struct sc_str sc_json_string_text(struct sc_json_string s, struct sc_arena *ar)
{
    if (!s.escaped)
        return s.raw;
    char *text = sc_arena_alloc_align(ar, s.raw.len, 1); /* escapes only shrink */
    char *to = text;
    const char *p = s.raw.p, *end = p + s.raw.len;
    while (p < end) {
        if (*p != '\\') {
            *to++ = *p++;
            continue;
        }
        p++;
        to = put_escape(to, &p);
    }
    SC_ASSERT(to <= text + s.raw.len);
    return (struct sc_str){text, (size_t)(to - text)};
}

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

/* A run of digits (at least one) into `n`; each behind the point lowers the exponent. */
static enum sc_drop scan_digits(const char **p, const char *end, struct sc_json_number *n,
                                bool fraction)
{
    if (*p == end)
        return SC_DROP_TRUNCATED;
    if (!is_digit(**p))
        return SC_DROP_MALFORMED;
    for (; *p < end && is_digit(**p); ++*p) {
        unsigned digit = (unsigned)(**p - '0');
        if (n->digits <= (UINT64_MAX - digit) / 10) {
            n->digits = n->digits * 10 + digit;
            n->exponent -= fraction;
        } else {
            n->exact = n->exact && digit == 0;
            n->exponent += !fraction;
        }
    }
    return SC_DROP_NONE;
}

static enum sc_drop scan_exponent(const char **p, const char *end, struct sc_json_number *n)
{
    bool negative = *p < end && **p == '-';
    if (*p < end && (**p == '-' || **p == '+'))
        ++*p;
    if (*p == end)
        return SC_DROP_TRUNCATED;
    if (!is_digit(**p))
        return SC_DROP_MALFORMED;
    int32_t e = 0;
    for (; *p < end && is_digit(**p); ++*p)
        e = e < 1000000 ? e * 10 + (**p - '0') : e;
    n->exponent += negative ? -e : e;
    return SC_DROP_NONE;
}

enum sc_drop sc_json_scan_number(const char **p, const char *end, struct sc_json_number *n)
{
    SC_ASSERT(*p < end);
    const char *start = *p;
    *n = (struct sc_json_number){.negative = **p == '-', .exact = true};
    *p += n->negative;
    const char *first = *p;
    enum sc_drop drop = scan_digits(p, end, n, false);
    if (drop == SC_DROP_NONE && *first == '0' && *p - first > 1)
        drop = SC_DROP_MALFORMED; /* 01 */
    if (drop == SC_DROP_NONE && *p < end && **p == '.') {
        ++*p;
        drop = scan_digits(p, end, n, true);
    }
    if (drop == SC_DROP_NONE && *p < end && (**p | 0x20) == 'e') {
        ++*p;
        drop = scan_exponent(p, end, n);
    }
    n->text = (struct sc_str){start, (size_t)(*p - start)};
    return drop;
}

/* digits * 10^exponent without trailing zeros; the exponent is then 0 or less if it can be. */
static void number_settle(struct sc_json_number *n)
{
    if (n->digits == 0)
        n->exponent = 0;
    for (; n->exponent < 0 && n->digits % 10 == 0; n->exponent++)
        n->digits /= 10;
    for (; n->exponent > 0 && n->digits <= UINT64_MAX / 10; n->exponent--)
        n->digits *= 10;
}

bool sc_json_number_value(const struct sc_json_number *number, bool text, struct sc_arena *ar,
                          struct sc_value *out)
{
    struct sc_json_number n = *number;
    number_settle(&n);
    uint64_t most = (uint64_t)INT64_MAX + n.negative;
    if (n.exact && n.exponent == 0 && n.digits <= most) {
        *out = sc_int((int64_t)(n.negative ? 0 - n.digits : n.digits));
        return true;
    }
    if (n.exact && n.exponent == 0 && !n.negative && !text) {
        *out = (struct sc_value){.type = SC_T_UINT, .u = n.digits};
        return true;
    }
    if (n.exact && n.exponent < 0 && n.exponent >= -SC_DECIMAL_DIGITS &&
        n.digits < UINT64_C(1000000000000000000)) {
        int64_t units = (int64_t)n.digits;
        *out = sc_decimal((struct sc_decimal){n.negative ? -units : units, (uint8_t)-n.exponent});
        return true;
    }
    if (text) {
        *out = sc_string(n.text);
        return true;
    }
    *out = sc_double(strtod(sc_arena_dup(ar, n.text.p, n.text.len), NULL));
    return isfinite(out->d);
}
