/* Base64 (RFC 4648, 4 and 5): between bytes and text, into the caller's memory. Thread: any. */
#ifndef SC_BASE_BASE64_H
#define SC_BASE_BASE64_H

#include "base/str.h"

/* Characters that `bytes` bytes come to, padding included; the least multiple of four. */
static inline size_t sc_base64_chars(size_t bytes)
{
    return (bytes + 2) / 3 * 4;
}
/* Padded, of the alphabet with + and /. `out`: sc_base64_chars(bytes.len) characters, no NUL. */
void sc_base64_encode(struct sc_str bytes, char *out);

/* Padded or not, all of it: white space is none of it. `either`: - and _ stand for + and / too.
 * `out`: text.len bytes are enough; *n is set to how many it is. False: it is no base64. */
bool sc_base64_decode(struct sc_str text, bool either, char *out, size_t *n);

#endif
