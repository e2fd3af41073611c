/* Protobuf schemas, parsed: messages and enums by full name, from .proto text or descriptors. */
#ifndef SC_CODEC_PROTO_SCHEMA_H
#define SC_CODEC_PROTO_SCHEMA_H

#include "base/map.h"
#include "base/vec.h"
#include "codec/decoder.h"

/* Numbered as in descriptor.proto (FieldDescriptorProto.Type). */
enum sc_proto_kind {
    SC_PROTO_UNRESOLVED, /* its type is in no file known: skipped, refused when wanted */
    SC_PROTO_DOUBLE, SC_PROTO_FLOAT, SC_PROTO_INT64, SC_PROTO_UINT64, SC_PROTO_INT32,
    SC_PROTO_FIXED64, SC_PROTO_FIXED32, SC_PROTO_BOOL, SC_PROTO_STRING, SC_PROTO_GROUP,
    SC_PROTO_MESSAGE, SC_PROTO_BYTES, SC_PROTO_UINT32, SC_PROTO_ENUM, SC_PROTO_SFIXED32,
    SC_PROTO_SFIXED64, SC_PROTO_SINT32, SC_PROTO_SINT64
};

enum sc_proto_wire { SC_WIRE_VARINT, SC_WIRE_64, SC_WIRE_LEN, SC_WIRE_GROUP, SC_WIRE_END,
                     SC_WIRE_32 };

/* Messages that are one value. */
enum sc_proto_known {
    SC_KNOWN_NONE, SC_KNOWN_TIMESTAMP, SC_KNOWN_DURATION, SC_KNOWN_WRAPPER, SC_KNOWN_DECIMAL
};

struct sc_proto_message;
struct sc_proto_enum;

struct sc_proto_field {
    struct sc_str name, type_name; /* type_name as written, until it is resolved */
    uint32_t number;
    enum sc_proto_kind kind;
    bool repeated;
    bool map;      /* repeated, and `message` is its entry: key 1, value 2 */
    bool presence; /* unset and zero differ */
    int32_t oneof; /* which of the message's, -1 none */
    const struct sc_proto_message *message; /* MESSAGE, GROUP */
    const struct sc_proto_enum *enumeration; /* ENUM */
};

struct sc_proto_message {
    struct sc_str name; /* full */
    enum sc_proto_known known;
    bool map_entry;
    int32_t n_oneofs; /* while text is parsed */
    SC_VEC(struct sc_proto_field) fields;        /* as declared, then by number: see sorted */
    SC_VEC(struct sc_proto_message *) nested;    /* in the order index paths count them */
    const struct sc_proto_field **sorted;        /* by number */
};

struct sc_proto_enum {
    struct sc_str name;
    SC_VEC(struct sc_str) names;
    SC_VEC(int32_t) numbers;
};

struct sc_proto_symbol { /* one of the two */
    struct sc_proto_message *message;
    struct sc_proto_enum *enumeration;
};

struct sc_proto_files {
    struct sc_arena *ar;
    struct sc_map symbols; /* full name -> struct sc_proto_symbol */
    SC_VEC(struct sc_proto_message *) all;
    SC_VEC(struct sc_proto_message *) top; /* of the main file: what index paths begin at */
    struct sc_str why;
};

#define SC_PROTO_SCHEMA_BYTES (1u << 20)

/* The parsers of one file; `main`: its messages become `top`. False with files->why. */
bool sc_proto_parse_text(struct sc_proto_files *files, struct sc_str text, bool main);
bool sc_proto_parse_descriptor(struct sc_proto_files *files, struct sc_str bytes, bool main);
bool sc_proto_parse_set(struct sc_proto_files *files, struct sc_str bytes);

/* For them. NULL when the name is taken (an error, said) or nested too deep. */
struct sc_proto_message *sc_proto_message_new(struct sc_proto_files *files, struct sc_str scope,
                                              struct sc_str name);
struct sc_proto_enum *sc_proto_enum_new(struct sc_proto_files *files, struct sc_str scope,
                                        struct sc_str name);
bool sc_proto_fail(struct sc_proto_files *files, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* What a field's presence is: in a oneof, optional or a message yes; proto3's other scalars no. */
bool sc_proto_presence(const struct sc_proto_field *f, bool proto3, bool optional);

/* The message a record is: NULL with a sentence in *why. */
const struct sc_proto_message *sc_proto_find(const struct sc_proto_files *files,
                                             const struct sc_message_at *at, struct sc_arena *ar,
                                             struct sc_str *why);
const struct sc_proto_field *sc_proto_field_by_name(const struct sc_proto_message *m,
                                                    struct sc_str name);
const struct sc_proto_field *sc_proto_field_by_number(const struct sc_proto_message *m,
                                                      uint32_t number);
/* NULL when the enum does not name it. */
const struct sc_str *sc_proto_enum_name(const struct sc_proto_enum *e, int32_t number);
/* How values of the kind stand on the wire, unpacked. */
enum sc_proto_wire sc_proto_wire_of(enum sc_proto_kind kind);

#endif
