/* HMAC-SHA-256 with the key's pads computed once (OpenSSL, wrapped). RFC 2104, FIPS 198-1. */
#ifndef SC_BASE_HMAC_H
#define SC_BASE_HMAC_H

#include "base/str.h"

struct sc_hmac; /* one thread at a time */

/* Copies what it needs of `key`. Never NULL. */
struct sc_hmac *sc_hmac_create(struct sc_str key);
void sc_hmac_destroy(struct sc_hmac *h);
/* MAC of the concatenation of `parts`. */
void sc_hmac_sign(struct sc_hmac *h, const struct sc_str *parts, size_t n, uint8_t out[32]);

#endif
