/* Big-endian units to exact decimals (decimal_bytes.h), in 128-bit arithmetic. */
#include "codec/decimal_bytes.h"

#include "base/arena.h"
#include "base/assert.h"

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

#define UNITS_END ((wide)1000000000000000000) /* 10^18 */

/* units * 10^-scale written out: what does not fit a decimal keeps its digits as text. */
static struct sc_value spell(wide units, uint32_t scale, struct sc_arena *ar)
{
    size_t room = 48 + scale, at = room;
    char *text = sc_arena_alloc_align(ar, room, 1);
    uwide u = units < 0 ? 0 - (uwide)units : (uwide)units;
    for (uint32_t digits = 0; u != 0 || digits <= scale; digits++) {
        if (digits == scale && scale != 0)
            text[--at] = '.';
        text[--at] = (char)('0' + (int)(u % 10));
        u /= 10;
    }
    if (units < 0)
        text[--at] = '-';
    return sc_string((struct sc_str){text + at, room - at});
}

/* False when it takes more than 128 bits. */
static bool units_of(struct sc_str b, wide *out)
{
    bool negative = b.len && (b.p[0] & 0x80);
    for (; b.len > 16 && b.p[0] == (negative ? (char)-1 : 0); b.len--)
        b.p++;
    if (b.len > 16 || (b.len == 16 && ((b.p[0] & 0x80) != 0) != negative))
        return false;
    uwide u = negative ? ~(uwide)0 : 0;
    for (size_t i = 0; i < b.len; i++)
        u = u << 8 | (unsigned char)b.p[i];
    *out = (wide)u;
    return true;
}

bool sc_decimal_bytes(struct sc_str bytes, uint32_t scale, struct sc_arena *ar,
                      struct sc_value *out)
{
    wide units;
    SC_ASSERT(out != NULL);
    if (scale > SC_DECIMAL_BYTES_SCALE || !units_of(bytes, &units))
        return false;
    wide small = units;
    uint32_t less = scale;
    for (; less > 0 && small % 10 == 0; less--)
        small /= 10;
    if (less <= SC_DECIMAL_DIGITS && small < UNITS_END && small > -UNITS_END)
        *out = sc_decimal((struct sc_decimal){(int64_t)small, (uint8_t)less});
    else
        *out = spell(units, scale, ar);
    return true;
}
