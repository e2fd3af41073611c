/* SipHash-2-4 with 128 bits of result (libsodium, wrapped): for tables that hostile input fills.
 * Secret-keyed, so nobody outside can aim at a slot; wide enough to stand for the value itself. */
#ifndef SC_BASE_SIPHASH_H
#define SC_BASE_SIPHASH_H

#include "base/str.h"

#define SC_SIPHASH_KEY_BYTES 16

/* Thread: any. Source: Aumasson and Bernstein, SipHash: a fast short-input PRF. */
void sc_siphash_128(struct sc_str in, const uint8_t key[SC_SIPHASH_KEY_BYTES], uint8_t out[16]);

#endif
