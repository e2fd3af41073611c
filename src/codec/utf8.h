/* UTF-8 checks on the hot path: text is mostly ASCII and short. */
#ifndef SC_CODEC_UTF8_H
#define SC_CODEC_UTF8_H

#include "base/str.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SC_UTF8_TOPS UINT64_C(0x8080808080808080)

static inline uint64_t sc_load64(const char *p)
{
    uint64_t u;
    memcpy(&u, p, sizeof(u));
    return u;
}

/* 16 bytes or more; the last step overlaps the one before. */
static inline bool sc_ascii_long(const char *p, size_t len)
{
#ifdef __SSE2__
    __m128i seen = _mm_loadu_si128((const __m128i *)(const void *)(p + len - 16));
    for (size_t i = 0; i + 16 < len; i += 16)
        seen = _mm_or_si128(seen, _mm_loadu_si128((const __m128i *)(const void *)(p + i)));
    return _mm_movemask_epi8(seen) == 0;
#else
    uint64_t seen = sc_load64(p + len - 8);
    for (size_t i = 0; i + 8 < len; i += 8)
        seen |= sc_load64(p + i);
    return (seen & SC_UTF8_TOPS) == 0;
#endif
}

static inline bool sc_ascii(struct sc_str s)
{
    uint32_t first, last;
    uint64_t seen = 0;
    if (s.len >= 16)
        return sc_ascii_long(s.p, s.len);
    if (s.len >= 8)
        return ((sc_load64(s.p) | sc_load64(s.p + s.len - 8)) & SC_UTF8_TOPS) == 0;
    if (s.len >= 4) {
        memcpy(&first, s.p, sizeof(first));
        memcpy(&last, s.p + s.len - 4, sizeof(last));
        return ((first | last) & (uint32_t)SC_UTF8_TOPS) == 0;
    }
    for (size_t i = 0; i < s.len; i++)
        seen |= (unsigned char)s.p[i];
    return seen < 0x80;
}

/* At most 16 bytes, of which 16 can be read: is what is not ASCII behind them? */
static inline bool sc_ascii_short(const char *p, uint32_t len)
{
#ifdef __SSE2__
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    unsigned others = (unsigned)_mm_movemask_epi8(bytes) | 1u << 16;
    return (unsigned)__builtin_ctz(others) >= len;
#else
    return sc_ascii((struct sc_str){p, len});
#endif
}

/* As sc_str_utf8_ok. */
static inline bool sc_utf8_ok(struct sc_str s)
{
    return sc_ascii(s) || sc_str_utf8_ok(s);
}

#endif
