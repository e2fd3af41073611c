/* Reading Avro's binary encoding: the cursor, its primitives, and values as the schema says. */
#ifndef SC_CODEC_AVRO_READ_H
#define SC_CODEC_AVRO_READ_H

#include "codec/avro_schema.h"
#include "codec/want.h"

/* One record being read. */
struct sc_avro_cursor {
    const uint8_t *p, *end, *begin;
    struct sc_take *take;
    uint32_t empty_left;  /* values of no bytes still allowed: without bytes nothing else bounds them */
    enum sc_drop drop;    /* set by what fails */
    const char *what;     /* and a phrase for it */
};

/* What stands where in an array or map: blocks of elements. Zero-initialised. */
struct sc_avro_blocks {
    int64_t left;             /* elements of this block still to come */
    const uint8_t *block_end; /* where the block says it ends, or NULL */
    const uint8_t *last;      /* where the last element began */
};

#define SC_AVRO_EMPTY_MAX (1u << 20)

/* A varint of at most 10 bytes at *p, zigzag not undone. Inlined: most of what decoding costs. */
static inline enum sc_drop sc_avro_varint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    const uint8_t *at = *p;
    if (at < end && *at < 0x80) {
        *out = *at;
        *p = at + 1;
        return SC_DROP_NONE;
    }
    uint64_t u = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (at == end)
            return SC_DROP_TRUNCATED;
        uint8_t c = *at++;
        if (shift == 63 && c > 1)
            return SC_DROP_MALFORMED;
        u |= (uint64_t)(c & 0x7F) << shift;
        if (c < 0x80) {
            *out = u;
            *p = at;
            return SC_DROP_NONE;
        }
    }
    return SC_DROP_MALFORMED;
}

static inline int64_t sc_avro_zigzag(uint64_t u)
{
    return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}

/* All false with `drop` and `what` set. */
bool sc_avro_fail(struct sc_avro_cursor *c, enum sc_drop drop, const char *what);
bool sc_avro_long(struct sc_avro_cursor *c, int64_t *out);
/* A length and that many bytes. */
bool sc_avro_bytes(struct sc_avro_cursor *c, struct sc_str *out);
/* The branch of a union with n of them. */
bool sc_avro_branch(struct sc_avro_cursor *c, uint32_t n, uint32_t *branch);
/* A value of no bytes was met. */
bool sc_avro_empty(struct sc_avro_cursor *c);
/* 1: an element stands at the cursor; 0: the end, passed; -1: failed. With `skip`, blocks that say
 * their size are jumped over. */
int sc_avro_next(struct sc_avro_cursor *c, struct sc_avro_blocks *b, bool skip);
/* The whole value of type `t`, `depth` levels down. */
bool sc_avro_value(struct sc_avro_cursor *c, const struct sc_avro_type *t, unsigned depth,
                   struct sc_value *out);

#endif
