/* Little-endian bytes, written to a buffer and read with a bound: for our own formats. */
#ifndef SC_CODEC_BYTES_H
#define SC_CODEC_BYTES_H

#include "base/str.h"

static inline void sc_put(struct sc_buf *b, const void *p, size_t n)
{
    sc_buf_add(b, p, n);
}
#define SC_PUT_INT(name, type)                                                                     \
    static inline void sc_put_##name(struct sc_buf *b, type v)                                     \
    {                                                                                              \
        sc_buf_add(b, &v, sizeof(v));                                                              \
    }
SC_PUT_INT(u8, uint8_t)
SC_PUT_INT(u16, uint16_t)
SC_PUT_INT(u32, uint32_t)
SC_PUT_INT(u64, uint64_t)
SC_PUT_INT(i64, int64_t)
#undef SC_PUT_INT

/* A read position; `bad` sticks once a read would pass the end, and reads give zero from then on. */
struct sc_take {
    const char *p, *end;
    bool bad;
};
static inline struct sc_take sc_take_from(struct sc_str s)
{
    return (struct sc_take){s.p, s.p + s.len, false};
}
static inline bool sc_take_bytes(struct sc_take *t, void *to, size_t n)
{
    if (t->bad || (size_t)(t->end - t->p) < n) {
        t->bad = true;
        memset(to, 0, n);
        return false;
    }
    memcpy(to, t->p, n);
    t->p += n;
    return true;
}
#define SC_TAKE_INT(name, type)                                                                    \
    static inline type sc_take_##name(struct sc_take *t)                                           \
    {                                                                                              \
        type v;                                                                                    \
        sc_take_bytes(t, &v, sizeof(v));                                                           \
        return v;                                                                                  \
    }
SC_TAKE_INT(u8, uint8_t)
SC_TAKE_INT(u16, uint16_t)
SC_TAKE_INT(u32, uint32_t)
SC_TAKE_INT(u64, uint64_t)
SC_TAKE_INT(i64, int64_t)
#undef SC_TAKE_INT
/* `n` bytes in place. */
static inline struct sc_str sc_take_str(struct sc_take *t, size_t n)
{
    if (t->bad || (size_t)(t->end - t->p) < n) {
        t->bad = true;
        return SC_STR_NULL;
    }
    struct sc_str s = {t->p, n};
    t->p += n;
    return s;
}

#endif
