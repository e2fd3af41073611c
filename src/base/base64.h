/* Base64 with padding (RFC 4648, 4), decoded by OpenSSL. */
#ifndef SC_BASE_BASE64_H
#define SC_BASE_BASE64_H

#include "base/arena.h"
#include "base/str.h"

/* p NULL: it is none. White space around it is left out. Thread: any. */
struct sc_str sc_base64_decode(struct sc_str text, struct sc_arena *ar);

#endif
