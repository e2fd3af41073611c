/* The plan of an Avro decoder: a flat program over the bytes, made once a (schema, projection).
 *
 * Records dissolve: the ops of their fields stand one after the other, and what has a fixed size is
 * passed over together with the value before it. A union is a jump table. Bodies of arrays and maps
 * follow their op and end with END. A record that the schema names more than once is a subprogram,
 * so the plan is never larger than schema times wanted paths. */
#ifndef SC_CODEC_AVRO_PLAN_H
#define SC_CODEC_AVRO_PLAN_H

#include "codec/avro_schema.h"
#include "codec/want.h"

#define SC_AVRO_OPS_MAX (1u << 20)

enum sc_avro_code {
    SC_AVRO_END,          /* of the record, an element, a subprogram */
    SC_AVRO_SKIP,         /* one value, and what of a fixed size stands behind it: skip */
    SC_AVRO_SKIP_NUMBERS, /* n numbers in a row, and what stands behind them: skip, of the last */
    SC_AVRO_SKIP_OPTION,  /* null, or what `skip` passes over */
    SC_AVRO_SKIP_UNION,   /* n branches that are one skip each: skips[branch] */
    SC_AVRO_BRANCH,       /* n branches: jumps[branch] ops on */
    SC_AVRO_JUMP,         /* n ops on */
    SC_AVRO_LOOP,         /* blocks of an array or map: loop */
    SC_AVRO_SKIP_LOOP,    /* the same, nothing in it wanted and each value one skip: loop->each */
    SC_AVRO_CALL,         /* subprogram n */
    SC_AVRO_READ,         /* a value for the sinks that the note says */
    SC_AVRO_READ_INT,     /* the same of the kinds that records have most, for one slot, n: int */
    SC_AVRO_READ_LONG,    /* a plain long */
    SC_AVRO_READ_MILLIS,  /* timestamp-millis */
    SC_AVRO_READ_DOUBLE,
    SC_AVRO_READ_BOOL,
    SC_AVRO_READ_STRING,
    SC_AVRO_PEEK,         /* READ without moving: its parts are wanted too */
    SC_AVRO_MET           /* the sinks only count */
};

/* Passing over a value without asking what it is: `n` bytes, and as many more as the bits of `mask`
 * in its first number say (zigzag: half of it). A bit of `odd` in the first byte: the number is
 * longer, or no length at all. */
struct sc_avro_skip {
    uint32_t odd, n, mask;
};
#define SC_AVRO_SKIP_FIXED 0x00u  /* `odd` of a value of n bytes, 0 among them */
#define SC_AVRO_SKIP_VARINT 0x80u /* a number: n is 1, and what follows it */
#define SC_AVRO_SKIP_BYTES 0x81u  /* a length, not negative, and so many bytes; n as above */

/* What one element or entry runs. */
struct sc_avro_body {
    const struct sc_want_node *want; /* INDEX or FIELD node: of that element or entry only */
    uint32_t to;
};
struct sc_avro_loop {
    bool map;
    bool skip;                  /* nothing in it is wanted: blocks with a byte size are jumped over */
    bool all_wanted;            /* `all` is wanted beside the body of an index */
    const struct sc_want_node *want; /* the array's or map's node, or NULL */
    uint32_t all;               /* body of the elements that have no own one */
    uint32_t after;             /* so many ops on, behind all bodies */
    struct sc_avro_skip each;   /* SKIP_LOOP: of at least a byte, the key of a map left out */
    struct sc_avro_body *own;   /* by index or key */
    uint32_t n_own;
};

struct sc_avro_op {
    union {
        struct sc_avro_skip skip; /* SKIP, SKIP_NUMBERS, SKIP_OPTION */
        const struct sc_avro_skip *skips;
        const uint32_t *jumps;
        const struct sc_avro_loop *loop;
    };
    uint32_t n;
    uint8_t code; /* enum sc_avro_code */
    uint8_t null; /* SKIP_OPTION: the byte that says null; the other branch is 2 less or more */
};

/* What an op needs only when it is not plain. */
struct sc_avro_note {
    const struct sc_avro_type *type; /* READ…, PEEK, MET, as the two below */
    const struct sc_want_node *want;
    bool array;         /* the value is an array */
    struct sc_str path; /* of the (first) field, for faults */
};

struct sc_avro_plan {
    struct sc_decoder base;
    const struct sc_avro_op *ops;
    const struct sc_avro_note *notes; /* by op */
    uint32_t n_ops;
    const uint32_t *subs; /* where subprogram i begins */
};

/* NULL and a sentence in *why. */
struct sc_avro_plan *sc_avro_plan_compile(const struct sc_avro_schema *schema,
                                          const struct sc_projection *want, struct sc_arena *ar,
                                          struct sc_str *why);

#endif
