/* Strings as (pointer, length), and a growing byte buffer.
 *
 * A struct sc_str borrows: it owns nothing and need not be NUL-terminated. A struct sc_buf owns
 * heap memory and is reused over batches. */
#ifndef SC_BASE_STR_H
#define SC_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sc_arena;

struct sc_str {
    const char *p;
    size_t len;
};

#define SC_STR(lit) ((struct sc_str){(lit), sizeof(lit) - 1})
#define SC_STR_NULL ((struct sc_str){NULL, 0})
#define SC_STR_FMT(s) (int)(s).len, (s).p /* for "%.*s" */

static inline struct sc_str sc_str_from(const char *z)
{
    return (struct sc_str){z, z ? strlen(z) : 0};
}

static inline bool sc_str_eq(struct sc_str a, struct sc_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool sc_str_eqz(struct sc_str a, const char *z)
{
    return sc_str_eq(a, sc_str_from(z));
}

static inline bool sc_str_starts(struct sc_str s, struct sc_str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

static inline bool sc_str_ends(struct sc_str s, struct sc_str suffix)
{
    if (s.len < suffix.len)
        return false;
    return suffix.len == 0 || memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0;
}

/* Bytewise order, shorter first among equal prefixes: <0, 0, >0. */
int sc_str_cmp(struct sc_str a, struct sc_str b);
/* Without leading and trailing ASCII white space. */
struct sc_str sc_str_trim(struct sc_str s);
/* Copy into the arena, NUL-terminated. */
struct sc_str sc_str_dup(struct sc_arena *ar, struct sc_str s);
/* printf into the arena. */
struct sc_str sc_str_printf(struct sc_arena *ar, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The whole of `s` as a decimal integer; false on anything else or overflow. */
bool sc_str_int(struct sc_str s, int64_t *out);
/* True when `s` is well-formed UTF-8 (no surrogates, no overlong forms). */
bool sc_str_utf8_ok(struct sc_str s);
/* Bytes of the well-formed UTF-8 sequence at `at` (< len); 0 when there is none. */
size_t sc_str_utf8_next(struct sc_str s, size_t at);
/* Edit distance (a swap of neighbours counts 1), capped at `max`+1: for "did you mean". Strings
 * over 64 bytes: max+1. */
unsigned sc_str_distance(struct sc_str a, struct sc_str b, unsigned max);

/* A growing byte buffer. Zero-initialised is empty and valid, and grows on the heap; with an arena
 * it grows there, owns nothing, and needs no fini (core, which takes nothing from the heap). */
struct sc_buf {
    char *p;
    size_t len, cap;
    struct sc_arena *ar;
};

void sc_buf_fini(struct sc_buf *b);
void sc_buf_reserve(struct sc_buf *b, size_t more);
void sc_buf_addz(struct sc_buf *b, const char *z);
/* Decimal digits, as %lld writes them at a tenth of its cost. */
void sc_buf_uint(struct sc_buf *b, uint64_t u);
void sc_buf_int(struct sc_buf *b, int64_t i);
void sc_buf_addf(struct sc_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Inlined: our own formats are written a few bytes at a time. */
static inline void sc_buf_add(struct sc_buf *b, const void *p, size_t n)
{
    if (n == 0)
        return;
    if (b->cap - b->len < n)
        sc_buf_reserve(b, n);
    memcpy(b->p + b->len, p, n);
    b->len += n;
}
static inline void sc_buf_str(struct sc_buf *b, struct sc_str s)
{
    sc_buf_add(b, s.p, s.len);
}
static inline void sc_buf_char(struct sc_buf *b, char c)
{
    sc_buf_add(b, &c, 1);
}
static inline struct sc_str sc_buf_view(const struct sc_buf *b)
{
    return (struct sc_str){b->p, b->len};
}

#endif
