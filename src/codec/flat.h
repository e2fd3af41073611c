/* Our own bytes: varints, strings, values; shared by states and journal frames.
 *
 * The pen writes into a buffer whose room is asked for before, so that a number costs its bytes and
 * no call. The scan reads with a bound; once a read would pass the end, or a value is impossible,
 * `bad` sticks and everything reads as zero: callers check once, at the end. Little-endian.
 * Layout: docs/formats.md. */
#ifndef SC_CODEC_FLAT_H
#define SC_CODEC_FLAT_H

#include "base/assert.h"
#include "codec/utf8.h"
#include "codec/varint.h"
#include "core/taxonomy/taxonomy.h"

#include <endian.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "what stands is what memory has");

#define SC_FLAT_DEPTH 31       /* nesting of values, the outermost at 0 */
#define SC_VARINT_BYTES 10u
#define SC_PEN_SLACK 64u       /* room there is after a string */
#define SC_MS_LIMIT (INT64_C(1) << 60) /* times and their differences stay below */

__extension__ typedef __int128 sc_flat_int128;

/* ---- writing */

struct sc_pen {
    struct sc_buf *out;
    uint8_t *p, *end;
};

static inline void sc_pen_open(struct sc_pen *w, struct sc_buf *out)
{
    sc_buf_reserve(out, SC_PEN_SLACK);
    *w = (struct sc_pen){out, (uint8_t *)out->p + out->len, (uint8_t *)out->p + out->cap};
}
/* Give the bytes written back to the buffer. */
static inline void sc_pen_close(struct sc_pen *w)
{
    w->out->len = (size_t)(w->p - (uint8_t *)w->out->p);
}
void sc_pen_grow(struct sc_pen *w, size_t bytes);
/* Before writing up to `bytes`. */
static inline void sc_pen_room(struct sc_pen *w, size_t bytes)
{
    if ((size_t)(w->end - w->p) < bytes)
        sc_pen_grow(w, bytes);
}
static inline void sc_pen_raw(struct sc_pen *w, const void *p, size_t n)
{
    if (n)
        memcpy(w->p, p, n);
    w->p += n;
}
static inline void sc_pen_u8(struct sc_pen *w, uint8_t v)
{
    *w->p++ = v;
}
static inline void sc_pen_u32(struct sc_pen *w, uint32_t v)
{
    sc_pen_raw(w, &v, sizeof(v));
}
static inline void sc_pen_u64(struct sc_pen *w, uint64_t v)
{
    sc_pen_raw(w, &v, sizeof(v));
}
/* Base 128, least group first, at most SC_VARINT_BYTES. Up to 56 bits without a loop: the groups
 * are spread to bytes and stored at once, so room for eight bytes is needed. */
static inline void sc_pen_var(struct sc_pen *w, uint64_t v)
{
    if (v < 0x80) {
        *w->p++ = (uint8_t)v;
        return;
    }
    if (v >> 56) {
        for (; v >= 0x80; v >>= 7)
            *w->p++ = (uint8_t)(v | 0x80);
        *w->p++ = (uint8_t)v;
        return;
    }
    unsigned groups = (70u - (unsigned)__builtin_clzll(v)) / 7;
    v = sc_varint_spread(v);
    v = htole64(v | (UINT64_C(0x8080808080808080) & ((UINT64_C(1) << (8 * (groups - 1))) - 1)));
    memcpy(w->p, &v, sizeof(v));
    w->p += groups;
}
static inline void sc_pen_int(struct sc_pen *w, int64_t v)
{
    sc_pen_var(w, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}
/* Makes its own room, and leaves room for SC_PEN_SLACK more bytes. */
static inline void sc_pen_str(struct sc_pen *w, struct sc_str s)
{
    sc_pen_room(w, s.len + SC_VARINT_BYTES + SC_PEN_SLACK);
    sc_pen_var(w, s.len);
    sc_pen_raw(w, s.p, s.len);
}
/* A time near `base_ms`; INT64_MIN (never) and INT64_MAX (no due time) in one byte. What customers
 * may state without bound (a snooze until the year 1e9) is cut to SC_MS_LIMIT. */
static inline void sc_pen_ms(struct sc_pen *w, int64_t base_ms, int64_t ms)
{
    if (ms == INT64_MIN || ms == INT64_MAX) {
        sc_pen_u8(w, ms == INT64_MAX);
        return;
    }
    ms = ms >= SC_MS_LIMIT ? SC_MS_LIMIT - 1 : ms <= -SC_MS_LIMIT ? 1 - SC_MS_LIMIT : ms;
    int64_t d = base_ms - ms;
    sc_pen_var(w, ((uint64_t)d << 1 ^ (uint64_t)(d >> 63)) + 2);
}
/* Any number near another. */
static inline void sc_pen_near(struct sc_pen *w, int64_t base, int64_t v)
{
    sc_pen_int(w, (int64_t)((uint64_t)base - (uint64_t)v));
}
/* Make their own room. */
void sc_pen_int128(struct sc_pen *w, sc_flat_int128 v);
void sc_pen_value(struct sc_pen *w, struct sc_value v);

/* ---- reading */

struct sc_scan {
    const uint8_t *p, *end;
    struct sc_arena *ar; /* lists and maps; strings borrow from the input */
    bool bad;
};

static inline struct sc_scan sc_scan_from(struct sc_str s, struct sc_arena *ar)
{
    const uint8_t *p = (const uint8_t *)(s.p ? s.p : "");
    return (struct sc_scan){p, p + s.len, ar, false};
}
static inline size_t sc_scan_left(const struct sc_scan *r)
{
    return (size_t)(r->end - r->p);
}
/* From now on everything reads as zero. */
static inline void sc_scan_fail(struct sc_scan *r)
{
    r->bad = true;
    r->p = r->end;
}
static inline void sc_scan_raw(struct sc_scan *r, void *to, size_t n)
{
    if (sc_scan_left(r) < n) {
        sc_scan_fail(r);
        memset(to, 0, n);
        return;
    }
    memcpy(to, r->p, n);
    r->p += n;
}
static inline uint8_t sc_scan_u8(struct sc_scan *r)
{
    if (r->p == r->end) {
        sc_scan_fail(r);
        return 0;
    }
    return *r->p++;
}
static inline uint32_t sc_scan_u32(struct sc_scan *r)
{
    uint32_t v;
    sc_scan_raw(r, &v, sizeof(v));
    return v;
}
static inline uint64_t sc_scan_u64(struct sc_scan *r)
{
    uint64_t v;
    sc_scan_raw(r, &v, sizeof(v));
    return v;
}
uint64_t sc_scan_var_slow(struct sc_scan *r);
/* As sc_pen_var: eight bytes at once where there are so many and the number ends among them. */
static inline uint64_t sc_scan_var(struct sc_scan *r)
{
    if (r->p != r->end && *r->p < 0x80)
        return *r->p++;
    uint64_t v = 0;
    unsigned bytes = sc_scan_left(r) >= sizeof(v) ? sc_varint_eight(r->p, &v) : 0;
    r->p += bytes;
    return bytes ? v : sc_scan_var_slow(r);
}
static inline int64_t sc_scan_int(struct sc_scan *r)
{
    return sc_zigzag(sc_scan_var(r));
}
static inline int64_t sc_scan_near(struct sc_scan *r, int64_t base)
{
    return (int64_t)((uint64_t)base - (uint64_t)sc_scan_int(r));
}
/* A count of things of at least `each` bytes: never more than could follow. */
static inline uint32_t sc_scan_count(struct sc_scan *r, uint32_t max, size_t each)
{
    uint64_t n = sc_scan_var(r);
    if (n > max || n * each > sc_scan_left(r)) {
        sc_scan_fail(r);
        return 0;
    }
    return (uint32_t)n;
}
static inline struct sc_str sc_scan_str(struct sc_scan *r)
{
    uint64_t n = sc_scan_var(r);
    if (n > sc_scan_left(r)) {
        sc_scan_fail(r);
        return SC_STR_NULL;
    }
    struct sc_str s = {(const char *)r->p, (size_t)n};
    r->p += n;
    return s;
}
/* Of what rules may see: their functions read as far as a character's first byte says. */
static inline struct sc_str sc_scan_text(struct sc_scan *r)
{
    struct sc_str s = sc_scan_str(r);
    if (!sc_utf8_ok(s))
        sc_scan_fail(r);
    return s;
}
/* As sc_pen_ms; INT64_MIN where it is none. */
static inline int64_t sc_scan_ms(struct sc_scan *r, int64_t base_ms)
{
    uint64_t u = sc_scan_var(r);
    if (u < 2)
        return u == 1 ? INT64_MAX : INT64_MIN;
    int64_t ms;
    bool over = __builtin_sub_overflow(base_ms, sc_zigzag(u - 2), &ms);
    if (over || ms <= -SC_MS_LIMIT || ms >= SC_MS_LIMIT) {
        sc_scan_fail(r);
        return INT64_MIN;
    }
    return ms;
}
sc_flat_int128 sc_scan_int128(struct sc_scan *r);
struct sc_value sc_scan_value(struct sc_scan *r);

/* ---- names by hash */

/* Events stand by their code and, as a hint, the writer's index. -1: not in the taxonomy. */
int sc_flat_event(const struct sc_taxonomy *tx, uint32_t hash, uint64_t hint);
/* The property after *at (wraps) whose name has that hash: properties come in declared order, so
 * mostly the next. -1: none. */
int sc_flat_prop(const struct sc_event_type *et, uint32_t hash, uint32_t *at);

#endif
