/* Avro schemas, parsed: the writer's types as a graph (records may hold themselves). */
#ifndef SC_CODEC_AVRO_SCHEMA_H
#define SC_CODEC_AVRO_SCHEMA_H

#include "codec/decoder.h"

enum sc_avro_kind {
    SC_AVRO_NULL, SC_AVRO_BOOLEAN, SC_AVRO_INT, SC_AVRO_LONG, SC_AVRO_FLOAT, SC_AVRO_DOUBLE,
    SC_AVRO_BYTES, SC_AVRO_STRING, SC_AVRO_FIXED, SC_AVRO_ENUM, SC_AVRO_RECORD, SC_AVRO_ARRAY,
    SC_AVRO_MAP, SC_AVRO_UNION
};

enum sc_avro_logical {
    SC_AVRO_PLAIN, SC_AVRO_DECIMAL, SC_AVRO_DATE, SC_AVRO_TIME_MS, SC_AVRO_TIME_US,
    SC_AVRO_TIMESTAMP_MS, SC_AVRO_TIMESTAMP_US, SC_AVRO_TIMESTAMP_NS, SC_AVRO_UUID
};

struct sc_avro_type;
struct sc_avro_field {
    struct sc_str name; /* of a record's field; empty for a branch of a union */
    const struct sc_avro_type *type;
};

struct sc_avro_type {
    enum sc_avro_kind kind;
    enum sc_avro_logical logical;
    struct sc_str name;  /* RECORD, ENUM, FIXED: full name */
    uint32_t size;       /* FIXED: bytes */
    uint32_t scale;      /* DECIMAL */
    uint32_t n;          /* symbols, fields or branches */
    struct sc_str *symbols;            /* ENUM */
    struct sc_avro_field *fields;      /* RECORD, UNION */
    const struct sc_avro_type *item;   /* ARRAY, MAP: of the elements or values */
    uint32_t places;     /* RECORD: how often the schema names it */
    uint32_t id;         /* RECORD: 0 .. sc_avro_schema.n_records-1 */
};

struct sc_avro_schema {
    const struct sc_avro_type *root;
    uint32_t n_records;
};

#define SC_AVRO_SCHEMA_BYTES (1u << 20)

/* NULL and a sentence in *why. Logical types that do not fit their type count as plain, as the
 * specification asks; so do those not named above. Everything lives in `ar`. */
const struct sc_avro_schema *sc_avro_schema_parse(const struct sc_schema_source *schema,
                                                  struct sc_arena *ar, struct sc_str *why);

#endif
