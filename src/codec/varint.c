/* Varints of more than a byte (varint.h): at once where eight bytes are left and the number ends
 * among them, else byte by byte. */
#include "codec/varint.h"

static enum sc_drop by_byte(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    const uint8_t *at = *p;
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

enum sc_drop sc_varint_long(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    unsigned bytes = end - *p >= 8 ? sc_varint_eight(*p, out) : 0;
    *p += bytes;
    return bytes ? SC_DROP_NONE : by_byte(p, end, out);
}
