/* See base64.h. */
#include "base/base64.h"

#include "base/assert.h"

void sc_base64_encode(struct sc_str bytes, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    SC_ASSERT(out != NULL || bytes.len == 0);
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < left ? (unsigned char)bytes.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            *out++ = k <= left ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
}

static int digit_of(char c, bool either)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || (either && c == '-'))
        return 62;
    return c == '/' || (either && c == '_') ? 63 : -1;
}

bool sc_base64_decode(struct sc_str text, bool either, char *out, size_t *n)
{
    uint32_t bits = 0, have = 0;
    bool padded = text.len % 4 == 0;
    for (int pad = 0; padded && pad < 2 && text.len > 0 && text.p[text.len - 1] == '='; pad++)
        text.len--;
    *n = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.p[i], either);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[(*n)++] = (char)(bits >> have & 0xff);
        }
    }
    return text.len % 4 != 1;
}
