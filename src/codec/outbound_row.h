/* Rows: an outbound record as a list of fields, by one table a kind. Avro and Protobuf are written,
 * and their schemas made, from the same table, so they cannot drift apart. Not for JSON, which is
 * core's own form. Fields of a kind are only ever added at the end: their place is the Protobuf
 * number, and Avro resolves by name with a default. */
#ifndef SC_CODEC_OUTBOUND_ROW_H
#define SC_CODEC_OUTBOUND_ROW_H

#include "codec/outbound.h"

enum sc_ob_type {
    SC_OBT_STR,   /* text */
    SC_OBT_STRS,  /* list of text */
    SC_OBT_TIME,  /* instant, milliseconds */
    SC_OBT_INT,   /* int64 */
    SC_OBT_BOOL,
    SC_OBT_NUMBER, /* exact: its text; a number in JSON */
    SC_OBT_MAP,   /* text by name */
    SC_OBT_LISTS  /* lists of text by name */
};

struct sc_ob_field {
    const char *name;
    enum sc_ob_type type;
    bool optional; /* STR, TIME, INT, BOOL, NUMBER */
    const char *doc;
};

struct sc_ob_pair {
    struct sc_str name, value;
    const struct sc_str *list;
    uint32_t n;
};

struct sc_ob_cell {
    bool set;
    struct sc_str str;
    int64_t i;
    const struct sc_str *list;
    const struct sc_ob_pair *pairs;
    uint32_t n; /* list or pairs */
};

#define SC_OB_FIELDS_MAX 32u

struct sc_ob_table {
    const char *name; /* of the record: "Trigger" */
    const char *doc;
    const struct sc_ob_field *fields;
    uint32_t n;
};

const struct sc_ob_table *sc_ob_table(enum sc_outbound kind);
/* Cells in the order of the table's fields. Text from `ar`. */
void sc_ob_row(const struct sc_journey *jo, const struct sc_effect *fx, struct sc_arena *ar,
               struct sc_ob_cell out[SC_OB_FIELDS_MAX]);
void sc_ob_cell_row(const struct sc_journey *jo, const struct sc_cell *cell, struct sc_arena *ar,
                    struct sc_ob_cell out[SC_OB_FIELDS_MAX]);
/* Of a customer line. False: not one. */
bool sc_ob_customer_row(struct sc_str line, struct sc_arena *ar,
                        struct sc_ob_cell out[SC_OB_FIELDS_MAX]);

void sc_ob_avro_write(const struct sc_ob_table *t, const struct sc_ob_cell *cells,
                      struct sc_buf *out);
void sc_ob_avro_schema(const struct sc_ob_table *t, struct sc_buf *out);
void sc_ob_proto_write(const struct sc_ob_table *t, const struct sc_ob_cell *cells,
                       struct sc_buf *out);
void sc_ob_proto_schema(const struct sc_ob_table *t, struct sc_buf *out);
void sc_ob_json_schema(const struct sc_ob_table *t, struct sc_buf *out);

#endif
