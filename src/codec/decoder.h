/* Decoders: a record's bytes in, one value a wanted path out.
 *
 * A decoder is a plan compiled once for (writer's schema, projection): it walks the bytes, keeps
 * the wanted paths and skips the rest. Values borrow from the record where they can; lists and
 * unescaped text come from the arena. Read-only once compiled: any thread. No allocation but the
 * arena's, no I/O, no recursion past SC_DECODE_DEPTH, no length trusted before it is checked. */
#ifndef SC_CODEC_DECODER_H
#define SC_CODEC_DECODER_H

#include "core/taxonomy/intake.h"

#define SC_DECODE_DEPTH 64

struct sc_decoder;

/* A schema as the registry or a local file gives it. Text borrows. */
struct sc_schema_ref {
    struct sc_str name; /* import path (Protobuf) or full name (Avro) */
    struct sc_str text;
};
struct sc_schema_source {
    struct sc_str text;              /* Avro: JSON. Protobuf: .proto text, a FileDescriptorProto in
                                        base64 (as some registries' clients register), or the bytes
                                        of a FileDescriptorSet (.desc). JSON Schema: not needed */
    const struct sc_schema_ref *refs; /* what it refers to or imports */
    uint32_t n_refs;
};

/* Compile. NULL with a sentence in *why (arena) when the schema cannot be used: not parsable, or a
 * wanted path crosses what cannot hold it (a path the schema just does not have is fine: ABSENT).
 * Everything lives in `ar`. */
const struct sc_decoder *sc_avro_decoder(const struct sc_schema_source *schema,
                                         const struct sc_projection *want, struct sc_arena *ar,
                                         struct sc_str *why);
/* A set of parsed Protobuf files; messages are found in it by full name or by index path. */
struct sc_proto_files;
const struct sc_proto_files *sc_proto_parse(const struct sc_schema_source *schema,
                                            struct sc_arena *ar, struct sc_str *why);
/* By full name (`message` not empty) or by the index path of the wire format ([0], [1,0] …). */
const struct sc_decoder *sc_proto_decoder(const struct sc_proto_files *files, struct sc_str message,
                                          const uint32_t *index, uint32_t n_index,
                                          const struct sc_projection *want, struct sc_arena *ar,
                                          struct sc_str *why);
const struct sc_decoder *sc_json_decoder(const struct sc_projection *want, struct sc_arena *ar);

/* Any of them, by the source's format: what a cache of decoders keyed by schema id (and index)
 * calls on a miss. `message` or `index` (of a frame) are Protobuf's, neither: the first message.
 * JSON needs no schema. As above: NULL with a sentence in *why. */
struct sc_message_at {
    struct sc_str message;
    const uint32_t *index;
    uint32_t n_index;
};
const struct sc_decoder *sc_decoder_for(enum sc_format format,
                                        const struct sc_schema_source *schema,
                                        const struct sc_message_at *at,
                                        const struct sc_projection *want, struct sc_arena *ar,
                                        struct sc_str *why);

/* Which of the wanted paths an Avro or Protobuf schema has: has[i] for want->wants[i]. False with a
 * sentence in *why when the schema cannot be used. */
bool sc_schema_paths(enum sc_format format, const struct sc_schema_source *schema,
                     const struct sc_message_at *at, const struct sc_projection *want, bool *has,
                     struct sc_arena *ar, struct sc_str *why);

/* Decode one body into `slots` (want->n values, all set: ABSENT where the record has none).
 *
 * Values by wire type: integers INT (unsigned past int64: UINT); float, double DOUBLE; bool BOOL;
 * text, enums by name STRING; bytes, fixed BYTES; Avro decimal DECIMAL; Avro timestamps, date and
 * google.protobuf.Timestamp TIMESTAMP; google.protobuf.Duration DURATION; wrappers
 * (google.protobuf.StringValue …) their value; null and unset fields ABSENT (proto3 scalars without
 * presence: their zero value); uuid STRING; arrays and repeated LIST; maps and whole records MAP
 * (keys STRING). JSON numbers: INT when integral and in int64, UINT when past it and in uint64,
 * else DECIMAL when they fit 18 digits exactly, else DOUBLE.
 * A want with op other than SC_MAP_PATH, or with `[*]` in its path, yields a LIST of all values the
 * path meets (absent and null ones left out), always, if empty; the aggregate itself is intake's.
 * Of an aggregate whose path ends at an array without `[*]`, the values are the array's elements.
 * COUNT: a LIST too, of `true` for each value. Inside of whole lists and maps null stays NULL.
 * Lists hold at most 65,536 values (SIZE past it). On a fault the slots are not to be used; without
 * one *fault is left alone. */
enum sc_drop sc_decode(const struct sc_decoder *d, struct sc_str body, struct sc_arena *ar,
                       struct sc_value *slots, struct sc_fault *fault);

/* Confluent framing: magic byte 0, schema id (u32, big endian). `body` borrows from `in`.
 * SC_DROP_FRAME_TRUNCATED under 5 bytes, SC_DROP_FRAME_MAGIC when the first byte is not 0. */
enum sc_drop sc_wire_read(struct sc_str in, uint32_t *schema_id, struct sc_str *body);
/* Protobuf's message index behind it: both spellings, the one byte 00 for [0], and a zigzag count
 * with zigzag entries. At most SC_DECODE_DEPTH entries. `body` moves past it. */
enum sc_drop sc_wire_index(struct sc_str *body, uint32_t index[SC_DECODE_DEPTH], uint32_t *n);
/* Write them: bytes appended to out. */
void sc_wire_write(struct sc_buf *out, uint32_t schema_id);

#endif
