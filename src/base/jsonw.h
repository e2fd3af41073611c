/* JSON writer into a struct sc_buf: commas and escapes are its business, nesting is the caller's.
 * Depth at most 64 (asserted). Strings that are not UTF-8 have bad bytes replaced by U+FFFD.
 *
 * Whether a comma is due is read off the last byte written: none behind `{`, `[` and `:`. So all
 * that is between sc_jsonw_obj and its end has to go through the writer. */
#ifndef SC_BASE_JSONW_H
#define SC_BASE_JSONW_H

#include "base/assert.h"
#include "base/decimal.h"
#include "base/str.h"

struct sc_jsonw {
    struct sc_buf *out;
    unsigned depth;
    bool words; /* set behind the init: NaN and infinities are "NaN", "Infinity", "-Infinity" */
};

void sc_jsonw_init(struct sc_jsonw *w, struct sc_buf *out);
void sc_jsonw_obj(struct sc_jsonw *w);
void sc_jsonw_obj_end(struct sc_jsonw *w);
void sc_jsonw_arr(struct sc_jsonw *w);
void sc_jsonw_arr_end(struct sc_jsonw *w);
void sc_jsonw_key(struct sc_jsonw *w, struct sc_str key);
/* A key of our own: nothing in it needs an escape. Inlined, so that a literal costs its bytes. */
static inline void sc_jsonw_keyz(struct sc_jsonw *w, const char *key)
{
    struct sc_buf *out = w->out;
    size_t n = strlen(key);
    SC_ASSERT(w->depth > 0 && out->p[out->len - 1] != ':');
    if (out->cap - out->len < n + 4)
        sc_buf_reserve(out, n + 4);
    char *to = out->p + out->len;
    *to = ',';
    to += to[-1] != '{';
    *to++ = '"';
    memcpy(to, key, n);
    memcpy(to + n, "\":", 2);
    out->len = (size_t)(to + n + 2 - out->p);
}
void sc_jsonw_str(struct sc_jsonw *w, struct sc_str s);
void sc_jsonw_strz(struct sc_jsonw *w, const char *z);
/* A word of our own: nothing in it needs an escape. */
void sc_jsonw_word(struct sc_jsonw *w, const char *z);
void sc_jsonw_int(struct sc_jsonw *w, int64_t i);
void sc_jsonw_uint(struct sc_jsonw *w, uint64_t u);
/* Shortest text that reads back the same; NaN and infinities as null, since where a number is due a
 * text breaks the reader, or as words (protobuf's JSON, and so CEL's). */
void sc_jsonw_double(struct sc_jsonw *w, double d);
void sc_jsonw_decimal(struct sc_jsonw *w, struct sc_decimal d);
/* 16 bytes as 32 lower case hex digits in quotes. */
void sc_jsonw_hex(struct sc_jsonw *w, const uint8_t bytes[16]);
void sc_jsonw_bool(struct sc_jsonw *w, bool b);
void sc_jsonw_null(struct sc_jsonw *w);
/* Milliseconds since the epoch as an RFC 3339 string in UTC. */
void sc_jsonw_time(struct sc_jsonw *w, int64_t ms);
/* `json` as it is: one complete JSON value. */
void sc_jsonw_raw(struct sc_jsonw *w, struct sc_str json);

#endif
