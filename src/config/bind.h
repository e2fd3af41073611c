/* Tables that say what a mapping may hold: they parse it, document it, and become its JSON Schema.
 *
 * One `struct sc_field` a key; the binder walks the node, checks kinds and ranges, fills the
 * caller's struct (zeroed, then defaults), reports every fault and every unknown key with a
 * suggestion. What the tables cannot say (references, conditions across keys) the loader checks
 * after binding. A key that looks like the tail of an expression gets the advice to quote it. */
#ifndef SC_CONFIG_BIND_H
#define SC_CONFIG_BIND_H

#include "config/node.h"
#include <stddef.h>

enum sc_field_kind {
    SC_F_STR,      /* struct sc_str */
    SC_F_BOOL,     /* bool */
    SC_F_INT,      /* int64_t, within min..max when max > min */
    SC_F_DOUBLE,   /* double */
    SC_F_DURATION, /* int64_t milliseconds */
    SC_F_BYTES,    /* int64_t bytes: 64KiB, 16MiB, 10MB, 512 */
    SC_F_PERCENT,  /* int32_t basis points 0..10000: 10%, 0.5% */
    SC_F_ENUM,     /* int32_t index into `names` (NULL-ended) */
    SC_F_NAME,     /* struct sc_str: [A-Za-z_][A-Za-z0-9_]* */
    SC_F_STRS,     /* struct sc_strs: a list of scalars, or one scalar */
    SC_F_STRUCT,   /* struct by `table`, in place */
    SC_F_LIST,     /* struct sc_list of structs by `table` */
    SC_F_MAP,      /* struct sc_list of structs by `table`; the key goes to the table's key_field */
    SC_F_NODE      /* struct sc_node *: kept for the loader (expressions, unions, free values) */
};

struct sc_strs {
    struct sc_str *v;
    struct sc_node **at; /* the node of each, for marks */
    uint32_t n;
};

/* Bound elements, `size` bytes each, in the order written. */
struct sc_list {
    void *v;
    uint32_t n;
};

struct sc_table;

struct sc_field {
    const char *key;
    enum sc_field_kind kind;
    size_t offset;
    const struct sc_table *table; /* STRUCT, LIST, MAP */
    const char *const *names;     /* ENUM */
    int64_t min, max;             /* INT, DURATION, BYTES: checked when max > min */
    bool required;
    const char *def;     /* default as text in YAML spelling, NULL: zero */
    const char *doc;     /* one or two sentences for the reference and the JSON Schema */
    const char *schema;  /* NODE only: JSON Schema fragment of what is taken; NULL: anything */
    size_t node_offset;  /* where to keep the value's struct sc_node * (0: nowhere) */
};

struct sc_table {
    const char *name; /* "namespace", used in messages and schema titles */
    const char *doc;
    size_t size;                /* sizeof the struct */
    const struct sc_field *fields; /* ended by key == NULL */
    size_t key_field;           /* MAP elements: offset of the key's struct sc_str, or SIZE_MAX */
    size_t self_node;           /* offset of a struct sc_node * for the element; SIZE_MAX none */
    bool open;                  /* unknown keys are allowed and ignored (kept in self_node) */
};

/* Fill `out` (table->size bytes) from `node` (a map; NULL: defaults alone). Storage from ar. */
void sc_bind(const struct sc_table *table, const struct sc_node *node, void *out,
             struct sc_arena *ar, struct sc_diag *dg);
/* Whether Kafka takes `name` for a topic; else an error at `mark`. */
bool sc_bind_topic(struct sc_str name, struct sc_mark mark, struct sc_diag *dg);
/* Markdown reference of a table and all below it. */
void sc_bind_reference(const struct sc_table *table, struct sc_buf *out);
/* JSON Schema (draft 2020-12) of a table and all below it. */
void sc_bind_json_schema(const struct sc_table *table, const char *id, struct sc_buf *out);

#endif
