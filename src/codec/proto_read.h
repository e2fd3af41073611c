/* Reading Protobuf values: scalars, and messages, lists and maps whole. */
#ifndef SC_CODEC_PROTO_READ_H
#define SC_CODEC_PROTO_READ_H

#include "codec/proto_wire.h"
#include "codec/utf8.h"
#include "codec/want.h"

#define SC_PROTO_FIELDS_MAX (1u << 20)

/* One record being read. */
struct sc_proto_cursor {
    struct sc_take *take;
    const uint8_t *begin, *end; /* the record */
    uint32_t fields_left;       /* of whole messages: set or not, each takes memory */
    const uint8_t *failed_at;   /* set by what fails, with the three below */
    enum sc_drop drop;
    const char *what;
    struct sc_str path;
};

/* All false with the fault in the cursor; its path is the caller's to set. */
bool sc_proto_bad(struct sc_proto_cursor *c, const uint8_t *at, enum sc_drop drop,
                  const char *what);
/* The fault of a primitive. */
bool sc_proto_damaged(struct sc_proto_cursor *c, const uint8_t *at, enum sc_drop drop);
/* True on NONE. */
static inline bool sc_proto_checked(struct sc_proto_cursor *c, const uint8_t *at,
                                    enum sc_drop drop)
{
    return drop == SC_DROP_NONE || sc_proto_damaged(c, at, drop);
}
/* A STRING's or BYTES' value. */
static inline bool sc_proto_text(struct sc_proto_cursor *c, const struct sc_proto_field *f,
                                 struct sc_str bytes, struct sc_value *out)
{
    *out = sc_string(bytes);
    if (f->kind == SC_PROTO_BYTES)
        out->type = SC_T_BYTES;
    else if (!sc_utf8_ok(bytes))
        return sc_proto_bad(c, (const uint8_t *)bytes.p, SC_DROP_UTF8, "text that is not UTF-8");
    return true;
}
/* An unpacked scalar of the field's kind at *p. */
bool sc_proto_scalar(struct sc_proto_cursor *c, const struct sc_proto_field *f, const uint8_t **p,
                     const uint8_t *end, struct sc_value *out);
/* A whole message: MAP, or the one value of a well-known type. */
bool sc_proto_whole(struct sc_proto_cursor *c, const struct sc_proto_message *m,
                    struct sc_str bytes, unsigned depth, struct sc_value *out);
/* An entry of a map field: its key as STRING, and its value; of a message, its bytes (as STRING). */
bool sc_proto_map_entry(struct sc_proto_cursor *c, const struct sc_proto_field *f,
                        struct sc_str bytes, struct sc_value *key, struct sc_value *value);
/* Such bytes to the whole message they are; other values stay. */
bool sc_proto_map_whole(struct sc_proto_cursor *c, const struct sc_proto_field *f, unsigned depth,
                        struct sc_value *value);
/* The pieces of one message in the order they came: what they are together. */
struct sc_str sc_proto_join(const struct sc_items *chunks, struct sc_arena *ar);

/* Can values of the kind stand packed, one behind the other? */
static inline bool sc_proto_packable(const struct sc_proto_field *f)
{
    return f->repeated && f->kind != SC_PROTO_STRING && f->kind != SC_PROTO_BYTES &&
           f->kind != SC_PROTO_MESSAGE && f->kind != SC_PROTO_GROUP;
}

#endif
