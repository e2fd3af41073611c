/* Base-128 varints, as Avro and Protobuf write them: least significant group first. */
#ifndef SC_CODEC_VARINT_H
#define SC_CODEC_VARINT_H

#include "core/drop.h"

#include <stdint.h>

/* At most 10 bytes at *p, which moves behind them; zigzag is not undone. TRUNCATED, or MALFORMED
 * past 64 bits. Inlined: most of what decoding costs. */
static inline enum sc_drop sc_varint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    const uint8_t *at = *p;
    if (at < end && *at < 0x80) {
        *out = *at;
        *p = at + 1;
        return SC_DROP_NONE;
    }
    uint64_t u = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (at == end)
            return SC_DROP_TRUNCATED;
        uint8_t c = *at++;
        if (shift == 63 && c > 1)
            return SC_DROP_MALFORMED;
        u |= (uint64_t)(c & 0x7F) << shift;
        if (c < 0x80) {
            *out = u;
            *p = at;
            return SC_DROP_NONE;
        }
    }
    return SC_DROP_MALFORMED;
}

static inline int64_t sc_zigzag(uint64_t u)
{
    return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}

#endif
