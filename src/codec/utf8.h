/* UTF-8 checks on the hot path: text is mostly ASCII and short. */
#ifndef SC_CODEC_UTF8_H
#define SC_CODEC_UTF8_H

#include "base/str.h"

#define SC_UTF8_TOPS UINT64_C(0x8080808080808080)

static inline uint64_t sc_load64(const char *p)
{
    uint64_t u;
    memcpy(&u, p, sizeof(u));
    return u;
}

/* As sc_str_utf8_ok; eight bytes a step while they are ASCII, the last step overlapping. */
static inline bool sc_utf8_ok(struct sc_str s)
{
    uint64_t seen = 0;
    if (s.len >= 8) {
        for (size_t i = 0; i + 8 < s.len; i += 8)
            seen |= sc_load64(s.p + i);
        seen |= sc_load64(s.p + s.len - 8);
    } else {
        for (size_t i = 0; i < s.len; i++)
            seen |= (unsigned char)s.p[i];
    }
    return (seen & SC_UTF8_TOPS) == 0 || sc_str_utf8_ok(s);
}

#endif
