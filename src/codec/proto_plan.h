/* The plan of a Protobuf decoder: a table of wanted fields for each message on a wanted path.
 *
 * Protobuf's last value wins and its parts come in any order, so nothing goes to a slot before the
 * message around it has ended. Until then single values stand in registers, lists and the bytes of
 * whole messages in builders. A frame is what starts and ends together: the record, and each
 * element of a repeated message that is wanted by `[*]`. When a frame ends, its registers and
 * builders go to the sinks. Registers and builders of a part stand next to each other (a region), so
 * that forgetting it (another member of a oneof came) is a memset. */
#ifndef SC_CODEC_PROTO_PLAN_H
#define SC_CODEC_PROTO_PLAN_H

#include "codec/proto_schema.h"
#include "codec/want.h"

#define SC_PROTO_NONE UINT32_MAX

/* Where the lists that a part feeds stood when its frame began. */
struct sc_proto_mark {
    uint16_t list;
    uint32_t mark;
};
struct sc_proto_region {
    uint32_t reg, n_regs, build, n_builds;
    struct sc_proto_mark *marks;
    uint32_t n_marks;
};

struct sc_proto_table;

/* Where a single value goes: of a singular field, of the element at an index, of a map's key. */
struct sc_proto_spot {
    const struct sc_want_node *want;
    uint32_t reg;    /* a scalar; a message that only counts: true. NONE: no sink */
    uint32_t chunks; /* a message wanted whole: its bytes, as often as it comes. NONE */
    struct sc_proto_table *sub; /* its fields, or NULL */
    struct sc_proto_region region;
};

enum sc_proto_mode {
    SC_PROTO_IGNORED, /* unwanted, but of a oneof with wanted members */
    SC_PROTO_SINGLE, SC_PROTO_REPEATED, SC_PROTO_MAP
};

struct sc_proto_entry {
    const struct sc_proto_field *field;
    enum sc_proto_mode mode;
    enum sc_proto_wire wire;
    const struct sc_want_node *want;
    struct sc_proto_spot *spots; /* SINGLE: one; REPEATED: by index; MAP: by key */
    uint32_t n_spots;
    uint32_t counter;            /* REPEATED with spots: register of the elements so far */
    uint32_t values;             /* REPEATED, MAP wanted whole: builder of values or pairs. NONE */
    struct sc_proto_frame *each; /* REPEATED messages: the fields of each element, or NULL */
    const struct sc_proto_region **forgets; /* of the oneof's other members */
    uint32_t n_forgets;
};

/* What is done with a field whose tag is one byte, in the short form that most fields have; anything
 * else about it (a long length, an end in a value, text that is not UTF-8) is the long way's. */
enum sc_proto_short {
    SC_PROTO_LONG_WAY,
    SC_PROTO_SKIP_LEN, SC_PROTO_SKIP_VARINT, SC_PROTO_SKIP_64, SC_PROTO_SKIP_32, /* nobody wants it */
    SC_PROTO_TEXT, SC_PROTO_INT, SC_PROTO_NUMBER, /* string, int64, double into a register */
    SC_PROTO_PART /* a message: the fields wanted of it */
};
struct sc_proto_fused {
    uint8_t does; /* enum sc_proto_short */
    uint8_t entry; /* PART */
    uint16_t reg;
};

struct sc_proto_table {
    struct sc_proto_fused by_tag[256]; /* from 128: no whole tag */
    const struct sc_proto_message *message;
    const struct sc_want_node *want;
    uint32_t seen;            /* register: the message has come */
    struct sc_proto_entry *entries; /* by field number */
    uint32_t n_entries;
    struct { uint32_t reg; struct sc_value zero; } *zeros; /* scalars without presence */
    uint32_t n_zeros;
};

enum sc_proto_end { SC_PROTO_END_REG, SC_PROTO_END_MESSAGE, SC_PROTO_END_LIST, SC_PROTO_END_MAP };

/* At the end of a frame: register or builder `from` to the sinks of `want`. */
struct sc_proto_flush {
    enum sc_proto_end kind;
    uint32_t from, seen; /* LIST, MAP: only when the message they are in has come */
    const struct sc_want_node *want;
    const struct sc_proto_message *message; /* MESSAGE */
};

/* The most common flush: a register to the one slot that wants it. */
struct sc_proto_move {
    uint32_t from, slot;
};

struct sc_proto_frame {
    struct sc_proto_table *table;
    struct sc_proto_region region; /* marks: all of the frame */
    SC_VEC(struct sc_proto_move) moves;
    SC_VEC(struct sc_proto_flush) flushes;
    SC_VEC(struct sc_proto_mark) marks;
};

struct sc_proto_plan {
    struct sc_decoder base;
    struct sc_proto_frame *root;
    uint32_t n_regs, n_builds, n_marks;
};

/* NULL and a sentence in *why. */
struct sc_proto_plan *sc_proto_plan_compile(const struct sc_proto_message *message,
                                            const struct sc_projection *want, struct sc_arena *ar,
                                            struct sc_str *why);
/* The value of a scalar field that is unset and has no presence. */
struct sc_value sc_proto_zero(const struct sc_proto_field *f);

#endif
