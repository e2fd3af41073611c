/* Reading Avro's binary encoding: the cursor, its primitives, and values as the schema says. */
#ifndef SC_CODEC_AVRO_READ_H
#define SC_CODEC_AVRO_READ_H

#include "codec/avro_schema.h"
#include "codec/varint.h"
#include "codec/want.h"

/* One record being read. */
struct sc_avro_cursor {
    const uint8_t *p, *end, *begin;
    struct sc_take *take;
    uint32_t empty_left;  /* values of no bytes still allowed: nothing else bounds them */
    enum sc_drop drop;    /* set by what fails */
    const char *what;     /* and a phrase for it */
};

/* What stands where in an array or map: blocks of elements. Zero-initialised. */
struct sc_avro_blocks {
    int64_t left;             /* elements of this block still to come */
    const uint8_t *block_end; /* where the block says it ends, or NULL */
    const uint8_t *last;      /* where the last element began */
};

#define SC_AVRO_EMPTY_MAX 65536u

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
