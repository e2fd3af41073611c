/* JSON's lexical level: strings and numbers, checked against RFC 8259.
 *
 * Strings are scanned 16 bytes at a time where SSE2 is there (every x86-64), else 8 by 8. The scan
 * never reads past `end`. */
#ifndef SC_CODEC_JSON_SCAN_H
#define SC_CODEC_JSON_SCAN_H

#include "codec/want.h"

#include <endian.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct sc_json_string {
    struct sc_str raw; /* between the quotes, as written */
    bool escaped;
};

/* `*p` stands behind the opening quote, and then behind the closing one. */
enum sc_drop sc_json_scan_string(const char **p, const char *end, struct sc_json_string *out);
/* The text meant: `raw` itself, or unescaped in the arena. Of a scanned string only. */
struct sc_str sc_json_string_text(struct sc_json_string s, struct sc_arena *ar);

/* The plain forms, inlined: what nearly all strings, keys and numbers are, while 16 bytes and more
 * are left of the document. Without SSE2 nothing is plain, and the functions above and below do it
 * all. */

#ifdef __SSE2__
static inline __m128i sc_json_load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}
/* Of 16 bytes those that end a plain run: quote, backslash, control characters (31 and below: less
 * 32 they are negative) and what is not ASCII (negative already). */
static inline unsigned sc_json_ends(__m128i b)
{
    __m128i quote = _mm_cmpeq_epi8(b, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(b, _mm_set1_epi8('\\'));
    __m128i other = _mm_subs_epi8(b, _mm_set1_epi8(' '));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), other));
}
/* Of 16 bytes the digits. */
static inline unsigned sc_json_digits(__m128i b)
{
    __m128i value = _mm_sub_epi8(b, _mm_set1_epi8('0'));
    return (unsigned)_mm_movemask_epi8(
        _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value));
}
#endif

/* A string of ASCII without escapes, `p` behind its opening quote: its closing quote, or NULL. The
 * last step looks at the document's last 16 bytes, if it has so many. */
static inline const char *sc_json_plain_string(const char *p, const char *begin, const char *end)
{
#ifdef __SSE2__
    unsigned ends;
    for (; end - p >= 16; p += 16) {
        ends = sc_json_ends(sc_json_load(p));
        if (ends)
            break;
    }
    if (end - p < 16)
        ends = end - begin >= 16 ? sc_json_ends(sc_json_load(end - 16)) >> (16 - (end - p)) : 0;
    p += ends ? (unsigned)__builtin_ctz(ends) : 0;
    return ends && *p == '"' ? p : NULL;
#else
    (void)p, (void)begin, (void)end;
    return NULL;
#endif
}

/* A key of at most 15 such bytes, 16 bytes being left. */
static inline const char *sc_json_plain_key(const char *p)
{
#ifdef __SSE2__
    unsigned ends = sc_json_ends(sc_json_load(p));
    if (ends == 0)
        return NULL;
    p += (unsigned)__builtin_ctz(ends);
    return *p == '"' ? p : NULL;
#else
    (void)p;
    return NULL;
#endif
}

/* Such a key as the words of a name. */
static inline struct sc_want_words sc_json_key_words(const char *p, size_t n)
{
    static const uint8_t keep[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint64_t low, high, keep_low, keep_high;
    memcpy(&low, p, sizeof(low));
    memcpy(&high, p + 8, sizeof(high));
    memcpy(&keep_low, keep + 16 - n, sizeof(keep_low));
    memcpy(&keep_high, keep + 24 - n, sizeof(keep_high));
    return (struct sc_want_words){low & keep_low, high & keep_high};
}

/* A number of at most 15 characters besides its sign, without an exponent. */
struct sc_json_plain {
    const char *first; /* digit */
    unsigned whole, fraction; /* digits in front of the point and behind it */
    bool negative;
};

/* Behind the number at `p`, or NULL. */
static inline const char *sc_json_plain_number(const char *p, const char *end,
                                               struct sc_json_plain *out)
{
#ifdef __SSE2__
    if (end - p < 24) /* of which 16 are looked at, and the last digits' eight bytes are read */
        return NULL;
    bool negative = *p == '-';
    p += negative;
    unsigned digits = sc_json_digits(sc_json_load(p)), n = (unsigned)__builtin_ctz(~digits);
    *out = (struct sc_json_plain){p, n, 0, negative};
    if (n == 0 || n > 15 || (*p == '0' && n > 1))
        return NULL;
    if (p[n] == '.') {
        out->fraction = (unsigned)__builtin_ctz(~(digits >> (n + 1)));
        n += 1 + out->fraction;
        if (out->fraction == 0 || n > 15)
            return NULL;
    }
    return (p[n] | 0x20) == 'e' ? NULL : p + n;
#else
    (void)p, (void)end, (void)out;
    return NULL;
#endif
}

/* The value of up to 15 digits, eight at once. */
static inline uint64_t sc_json_eight(uint64_t digits)
{
    digits = (digits & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8;
    digits = (digits & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
    return (digits & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32;
}
static inline uint64_t sc_json_digits_value(const char *p, unsigned n)
{
    uint64_t head, tail = 0;
    memcpy(&head, p, sizeof(head));
    if (n > 8) {
        memcpy(&tail, p + n - 8, sizeof(tail));
        tail = sc_json_eight(le64toh(tail));
    }
    unsigned first = n > 8 ? n - 8 : n; /* of `head`; 1 to 8 */
    uint64_t value = sc_json_eight(le64toh(head) << (64 - 8 * first));
    return n > 8 ? value * 100000000 + tail : value;
}

/* INT when integral, else DECIMAL, as sc_json_number_value has it. */
static inline struct sc_value sc_json_plain_value(struct sc_json_plain n)
{
    static const uint64_t tens[16] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
                                      1000000000, 10000000000, 100000000000, 1000000000000,
                                      10000000000000, 100000000000000, 1000000000000000};
    uint64_t u = sc_json_digits_value(n.first, n.whole);
    if (n.fraction)
        u = u * tens[n.fraction] + sc_json_digits_value(n.first + n.whole + 1, n.fraction);
    unsigned scale = n.fraction;
    for (; scale > 0 && u % 10 == 0; scale--)
        u /= 10;
    return (struct sc_value){.type = scale ? SC_T_DECIMAL : SC_T_INT, .scale = (uint8_t)scale,
                             .u = n.negative ? 0 - u : u};
}

struct sc_json_number {
    struct sc_str text;
    uint64_t digits;  /* as many significant ones as fit */
    int32_t exponent; /* value = digits * 10^exponent, when exact */
    bool negative, exact;
};

/* `*p` stands at the first character, and then behind the last. */
enum sc_drop sc_json_scan_number(const char **p, const char *end, struct sc_json_number *out);
/* INT when integral and in int64, UINT when past it and in uint64, else DECIMAL when it fits 18
 * digits exactly, else DOUBLE; with `text` STRING (the number's own text) for both UINT and DOUBLE.
 * False: beyond a double. */
bool sc_json_number_value(const struct sc_json_number *n, bool text, struct sc_arena *ar,
                          struct sc_value *out);

#endif
