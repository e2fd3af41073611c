/* SipHash for tables that hostile input fills: libsodium behind one function. */
#include "base/siphash.h"
#include "base/assert.h"

#include <sodium/crypto_shorthash_siphash24.h>

void sc_siphash_128(struct sc_str in, const uint8_t key[SC_SIPHASH_KEY_BYTES], uint8_t out[16])
{
    SC_ASSERT(in.p != NULL || in.len == 0);
    SC_ASSERT(crypto_shorthash_siphashx24_BYTES == 16);
    /* libsodium wants a readable address even for no bytes */
    const char *p = in.p != NULL ? in.p : "";
    crypto_shorthash_siphashx24(out, (const unsigned char *)p, in.len, key);
}
