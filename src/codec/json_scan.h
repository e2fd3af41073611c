/* JSON's lexical level: strings and numbers, checked against RFC 8259.
 *
 * Strings are scanned 16 bytes at a time where SSE2 is there (every x86-64), else 8 by 8. The scan
 * never reads past `end`. */
#ifndef SC_CODEC_JSON_SCAN_H
#define SC_CODEC_JSON_SCAN_H

#include "codec/want.h"

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

#ifdef __SSE2__
/* Of 16 bytes the quotes, and all else that is not plain: backslash, control characters, and whatever
 * is not ASCII (negative to a signed comparison). */
static inline unsigned sc_json_quotes(__m128i b)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(b, _mm_set1_epi8('"')));
}
static inline unsigned sc_json_odd(__m128i b)
{
    __m128i slash = _mm_cmpeq_epi8(b, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(slash, _mm_cmplt_epi8(b, _mm_set1_epi8(' '))));
}
/* A plain run ends with a quote: bits of it and below hold no odd one. */
static inline bool sc_json_ends_plain(unsigned quotes, unsigned odd)
{
    return quotes != 0 && (odd & (quotes ^ (quotes - 1))) == 0;
}

/* 16 bytes at `p`; past the end of the document zeros, which end every run. The document has at least
 * 8 bytes, `p` may stand at its end. */
static inline __m128i sc_json_load(const char *p, const char *end)
{
    size_t left = (size_t)(end - p);
    uint64_t low, high = 0;
    if (__builtin_expect(left >= 16, 1))
        return _mm_loadu_si128((const __m128i *)(const void *)p);
    memcpy(&low, left < 8 ? end - 8 : p, sizeof(low));
    if (left > 8)
        memcpy(&high, end - 8, sizeof(high));
    if (left < 8)
        low = left ? low >> (64 - 8 * left) : 0;
    else if (left > 8)
        high >>= 128 - 8 * left;
    return _mm_set_epi64x((int64_t)high, (int64_t)low);
}
#endif

/* The common string, inlined: ASCII without escapes. False with *p where it was: sc_json_scan_string
 * says what it is. The document has at least 8 bytes. */
static inline bool sc_json_plain_string(const char **p, const char *end, struct sc_str *out)
{
#ifdef __SSE2__
    for (const char *at = *p; at < end; at += 16) {
        __m128i b = sc_json_load(at, end);
        unsigned quotes = sc_json_quotes(b), odd = sc_json_odd(b);
        if ((quotes | odd) == 0)
            continue;
        if (!sc_json_ends_plain(quotes, odd))
            return false;
        at += __builtin_ctz(quotes);
        *out = (struct sc_str){*p, (size_t)(at - *p)};
        *p = at + 1;
        return true;
    }
#else
    (void)p, (void)end, (void)out;
#endif
    return false;
}

/* The common key, inlined: up to 15 such bytes, as the words of a name. */
static inline bool sc_json_plain_key(const char **p, const char *end, struct sc_want_words *out)
{
#ifdef __SSE2__
    static const uint8_t keep[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    __m128i b = sc_json_load(*p, end);
    unsigned quotes = sc_json_quotes(b);
    if (!sc_json_ends_plain(quotes, sc_json_odd(b)))
        return false;
    unsigned n = (unsigned)__builtin_ctz(quotes);
    b = _mm_and_si128(b, _mm_loadu_si128((const __m128i *)(const void *)(keep + 16 - n)));
    out->low = (uint64_t)_mm_cvtsi128_si64(b);
    out->high = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(b, b));
    *p += n + 1;
    return true;
#else
    (void)p, (void)end, (void)out;
    return false;
#endif
}

/* The common number, inlined: up to 18 digits, a point among them or not, no exponent, and something
 * follows. INT when integral, else DECIMAL, as sc_json_number_value has it. False with *p where it
 * was: sc_json_scan_number says what it is. */
static inline bool sc_json_plain_number(const char **p, const char *end, struct sc_value *out)
{
    const char *at = *p;
    bool negative = at < end && *at == '-';
    const char *first = at += negative, *point = NULL;
    uint64_t u = 0;
    for (; at < end && (unsigned char)(*at - '0') <= 9; at++)
        u = u * 10 + (unsigned char)(*at - '0');
    if (at == first || at == end || (*first == '0' && at - first > 1))
        return false;
    if (*at == '.')
        for (point = at++; at < end && (unsigned char)(*at - '0') <= 9; at++)
            u = u * 10 + (unsigned char)(*at - '0');
    ptrdiff_t scale = point ? at - point - 1 : 0;
    if (at == end || (*at | 0x20) == 'e' || at - first > 18 || (point && scale == 0))
        return false; /* u may have wrapped, and is not looked at */
    for (; scale > 0 && u % 10 == 0; scale--)
        u /= 10;
    *out = (struct sc_value){.type = scale ? SC_T_DECIMAL : SC_T_INT,
                             .scale = (uint8_t)scale,
                             .u = negative ? 0 - u : u};
    *p = at;
    return true;
}

struct sc_json_number {
    struct sc_str text;
    uint64_t digits;  /* up to 19 significant ones */
    int32_t exponent; /* value = digits * 10^exponent, when exact */
    bool negative, exact;
};

/* `*p` stands at the first character, and then behind the last. */
enum sc_drop sc_json_scan_number(const char **p, const char *end, struct sc_json_number *out);
/* INT when integral and in int64, else DECIMAL when it fits 18 digits exactly, else DOUBLE, or with
 * `text` STRING (the number's own text). False: beyond a double. */
bool sc_json_number_value(const struct sc_json_number *n, bool text, struct sc_arena *ar,
                          struct sc_value *out);

#endif
