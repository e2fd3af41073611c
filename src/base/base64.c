/* See base64.h. */
#include "base/base64.h"

#include <ctype.h>
#include <limits.h>
#include <openssl/evp.h>

struct sc_str sc_base64_decode(struct sc_str text, struct sc_arena *ar)
{
    text = sc_str_trim(text);
    if (text.len == 0 || text.len % 4 || text.len > INT_MAX)
        return SC_STR_NULL;
    size_t padded = text.p[text.len - 1] == '=' ? 1 + (text.p[text.len - 2] == '=') : 0;
    for (size_t i = 0; i < text.len - padded; i++) /* OpenSSL takes more than these for it */
        if (!isalnum((unsigned char)text.p[i]) && text.p[i] != '+' && text.p[i] != '/')
            return SC_STR_NULL;
    unsigned char *out = sc_arena_alloc(ar, text.len / 4 * 3);
    int n = EVP_DecodeBlock(out, (const unsigned char *)text.p, (int)text.len);
    if (n < 0)
        return SC_STR_NULL;
    return (struct sc_str){(const char *)out, (size_t)n - padded}; /* it counts the padding */
}
