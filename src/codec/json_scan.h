/* JSON's lexical level: strings and numbers, checked against RFC 8259.
 *
 * Strings are scanned 16 bytes at a time where SSE2 is there (every x86-64), else 8 by 8. The scan
 * never reads past `end`. */
#ifndef SC_CODEC_JSON_SCAN_H
#define SC_CODEC_JSON_SCAN_H

#include "core/drop.h"
#include "core/value.h"

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
/* Of 16 bytes those that end the plain run of a string: quote, backslash, control characters. */
static inline unsigned sc_json_special(__m128i b)
{
    const __m128i last_control = _mm_set1_epi8(0x1f);
    __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(b, last_control), last_control);
    __m128i quote = _mm_cmpeq_epi8(b, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(b, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
}
#endif

/* The common string, inlined: ASCII without escapes, not at the record's very end. False with *p
 * where it was: sc_json_scan_string says what it is. */
static inline bool sc_json_plain_string(const char **p, const char *end, struct sc_str *out)
{
#ifdef __SSE2__
    for (const char *at = *p; end - at >= 16; at += 16) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)at);
        unsigned special = sc_json_special(b), high = (unsigned)_mm_movemask_epi8(b);
        if (special == 0 && high == 0)
            continue;
        unsigned n = special ? (unsigned)__builtin_ctz(special) : 0;
        if (special == 0 || (high & ((1u << n) - 1)) || at[n] != '"')
            return false;
        *out = (struct sc_str){*p, (size_t)(at + n - *p)};
        *p = at + n + 1;
        return true;
    }
#else
    (void)p, (void)end, (void)out;
#endif
    return false;
}

/* The common number, inlined: an integer of up to 18 digits that something follows. False with *p
 * where it was: sc_json_scan_number says what it is. */
static inline bool sc_json_plain_int(const char **p, const char *end, int64_t *out)
{
    const char *at = *p;
    bool negative = at < end && *at == '-';
    const char *first = at += negative;
    int64_t i = 0;
    for (; at < end && (unsigned char)(*at - '0') <= 9; at++) {
        if (at - first == 18)
            return false;
        i = i * 10 + (*at - '0');
    }
    if (at == first || at == end || *at == '.' || (*at | 0x20) == 'e' ||
        (*first == '0' && at - first > 1))
        return false;
    *out = negative ? -i : i;
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
