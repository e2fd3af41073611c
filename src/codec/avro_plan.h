/* The plan of an Avro decoder: a flat program over the bytes, made once a (schema, projection).
 *
 * Records dissolve: the ops of their fields stand one after the other, neighbours that are skipped
 * alike are one op. A union is a jump table. Bodies of arrays and maps follow their op and end with
 * END. A record that the schema names more than once is a subprogram, so the plan is never larger
 * than schema times wanted paths. */
#ifndef SC_CODEC_AVRO_PLAN_H
#define SC_CODEC_AVRO_PLAN_H

#include "codec/avro_schema.h"
#include "codec/want.h"

#define SC_AVRO_OPS_MAX (1u << 20)

enum sc_avro_code {
    SC_AVRO_END,          /* of the record, an element, a subprogram */
    SC_AVRO_SKIP_FIXED,   /* n bytes */
    SC_AVRO_SKIP_VARINTS, /* n of them */
    SC_AVRO_SKIP_BYTES,   /* n times length and bytes */
    SC_AVRO_SKIP_UNION,   /* n branches that are one simple skip each: skips[branch] */
    SC_AVRO_BRANCH,       /* n branches: go to jumps[branch] */
    SC_AVRO_JUMP,         /* to */
    SC_AVRO_LOOP,         /* blocks of an array or map: loop; go on at `to` */
    SC_AVRO_CALL,         /* subprogram n */
    SC_AVRO_READ,         /* a value of `type` for the sinks of `want` */
    SC_AVRO_READ_LONG,    /* the same for the kinds that records have most: a plain long */
    SC_AVRO_READ_MILLIS,  /* timestamp-millis */
    SC_AVRO_READ_DOUBLE,
    SC_AVRO_READ_STRING,
    SC_AVRO_PEEK,         /* the same without moving: its parts are wanted too */
    SC_AVRO_MET           /* the sinks of `want` only count */
};

struct sc_avro_skip {
    uint8_t code;  /* SKIP_FIXED, SKIP_VARINTS, SKIP_BYTES */
    uint32_t n;    /* 0: nothing */
};

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
    struct sc_avro_body *own;   /* by index or key */
    uint32_t n_own;
};

struct sc_avro_op {
    uint8_t code; /* enum sc_avro_code */
    bool array;   /* READ, PEEK, MET: the value is an array */
    uint32_t n, to;
    union {
        const struct sc_avro_type *type;
        const struct sc_avro_skip *skips;
        const uint32_t *jumps;
        const struct sc_avro_loop *loop;
    };
    const struct sc_want_node *want;
    struct sc_str path; /* of the (first) field, for faults */
};

struct sc_avro_plan {
    struct sc_decoder base;
    const struct sc_avro_op *ops;
    uint32_t n_ops;
    const uint32_t *subs; /* where subprogram i begins */
};

/* NULL and a sentence in *why. */
struct sc_avro_plan *sc_avro_plan_compile(const struct sc_avro_schema *schema,
                                          const struct sc_projection *want, struct sc_arena *ar,
                                          struct sc_str *why);

#endif
