/* The plan of a Protobuf decoder: a table of wanted fields for each message on a wanted path.
 *
 * Protobuf's last value wins and its parts come in any order, so nothing is final before the
 * message around it has ended. Until then single values stand in registers, lists and the bytes of
 * whole messages in builders. The first registers are the slots, for what goes to that slot and
 * nowhere else: it is changed until the record ends. A frame is what starts and ends together: the
 * record, and each element of a repeated message that is wanted by `[*]`. When a frame ends, its
 * registers and builders go to the sinks. What a part has (a region) goes back to how its frame
 * began when it is forgotten: another member of a oneof came, or a map's key once more. */
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
    uint32_t reg, n_regs, build, n_builds; /* registers: but for slots */
    SC_VEC(uint32_t) slots;
    SC_VEC(struct sc_proto_mark) marks;
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

/* What is done with a field by its tag, in the short form that most have; anything else about it (a
 * long length, an end in a value, text that is not UTF-8) is the long way's. */
enum sc_proto_short {
    SC_PROTO_LONG_WAY,
    SC_PROTO_SKIP_VARINT, SC_PROTO_SKIP_64, SC_PROTO_SKIP_LEN,
    SC_PROTO_SKIP_32,      /* nobody wants it */
    SC_PROTO_SHORT_TEXT, SC_PROTO_SHORT_INT64, SC_PROTO_SHORT_INT32, SC_PROTO_SHORT_BOOL,
    SC_PROTO_SHORT_DOUBLE, /* to a slot */
    SC_PROTO_SHORT_PART,   /* a message: the fields wanted of it */
    SC_PROTO_SHORT_TAG     /* only the first byte of a tag */
};
struct sc_proto_fused {
    uint8_t does; /* enum sc_proto_short */
    uint16_t at;  /* which slot, which of `parts` */
};
#define SC_PROTO_TAGS_MAX 2048u /* tags up to field 255 */

/* A register that has a value once the message has come, if no field gave it one: scalars without
 * presence are zero. */
struct sc_proto_zero {
    uint32_t reg;
    struct sc_value value;
};

struct sc_proto_table {
    struct sc_proto_fused by_tag[256];   /* by its first byte; and tags of two: */
    struct sc_proto_fused *by_long;      /* from 128 to below n_tags */
    const struct sc_proto_table **parts; /* by entry: what PART goes into, or NULL */
    uint32_t n_tags;
    uint32_t come; /* register: true once the message has come; NONE: nobody asks */
    SC_VEC(struct sc_proto_zero) zeros;
    struct sc_proto_entry *entries; /* by field number */
    uint32_t n_entries;
    const struct sc_proto_message *message;
    const struct sc_want_node *want;
};

enum sc_proto_end { SC_PROTO_END_REG, SC_PROTO_END_MESSAGE, SC_PROTO_END_LIST, SC_PROTO_END_MAP };

/* At the end of a frame: register or builder `from` to the sinks of `want`; not what has a slot. */
struct sc_proto_flush {
    enum sc_proto_end kind;
    uint32_t from, come; /* LIST, MAP: only when the message they are in has come */
    const struct sc_want_node *want;
    const struct sc_proto_message *message; /* MESSAGE */
};

struct sc_proto_frame {
    struct sc_proto_table *table;
    struct sc_proto_region region; /* set back before each element; no slots and no marks: lists
                                      keep what the elements before gave */
    SC_VEC(struct sc_proto_flush) flushes;
    SC_VEC(struct sc_proto_mark) marks;
};

struct sc_proto_plan {
    struct sc_decoder base;
    struct sc_proto_frame *root;
    const struct sc_value *start; /* the registers as every frame begins */
    uint32_t n_regs, n_builds, n_marks; /* registers: with the slots */
    bool only_slots; /* nothing is wanted that needs more than them */
};

/* NULL and a sentence in *why. */
struct sc_proto_plan *sc_proto_plan_compile(const struct sc_proto_message *message,
                                            const struct sc_projection *want, struct sc_arena *ar,
                                            struct sc_str *why);
/* The value of a scalar field that is unset and has no presence. */
struct sc_value sc_proto_zero(const struct sc_proto_field *f);

#endif
