/* Rows as Avro: binary encoding and schema. Optional fields are unions of null and their type with
 * the default null. Source: Avro 1.11 specification. */
#include "codec/outbound_row.h"

static void put_long(struct sc_buf *out, int64_t v)
{
    uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    while (z > 0x7f) {
        sc_buf_char(out, (char)(z | 0x80));
        z >>= 7;
    }
    sc_buf_char(out, (char)z);
}

static void put_text(struct sc_buf *out, struct sc_str s)
{
    put_long(out, (int64_t)s.len);
    sc_buf_str(out, s);
}

static void put_list(struct sc_buf *out, const struct sc_str *v, uint32_t n)
{
    if (n)
        put_long(out, n);
    for (uint32_t i = 0; i < n; i++)
        put_text(out, v[i]);
    put_long(out, 0);
}

static void put_pairs(struct sc_buf *out, const struct sc_ob_cell *c, bool lists)
{
    if (c->n)
        put_long(out, c->n);
    for (uint32_t i = 0; i < c->n; i++) {
        put_text(out, c->pairs[i].name);
        if (lists)
            put_list(out, c->pairs[i].list, c->pairs[i].n);
        else
            put_text(out, c->pairs[i].value);
    }
    put_long(out, 0);
}

static void put_cell(struct sc_buf *out, const struct sc_ob_field *f, const struct sc_ob_cell *c)
{
    if (f->optional) {
        put_long(out, c->set);
        if (!c->set)
            return;
    }
    switch (f->type) {
    case SC_OBT_STR:
    case SC_OBT_NUMBER:
        put_text(out, c->str);
        break;
    case SC_OBT_STRS:
        put_list(out, c->list, c->n);
        break;
    case SC_OBT_TIME:
    case SC_OBT_INT:
        put_long(out, c->i);
        break;
    case SC_OBT_BOOL:
        sc_buf_char(out, c->i != 0);
        break;
    case SC_OBT_MAP:
    case SC_OBT_LISTS:
        put_pairs(out, c, f->type == SC_OBT_LISTS);
        break;
    }
}

void sc_ob_avro_write(const struct sc_ob_table *t, const struct sc_ob_cell *cells,
                      struct sc_buf *out)
{
    for (uint32_t i = 0; i < t->n; i++)
        put_cell(out, &t->fields[i], &cells[i]);
}

static const char *type_text(enum sc_ob_type type)
{
    switch (type) {
    case SC_OBT_STR:
    case SC_OBT_NUMBER:
        return "\"string\"";
    case SC_OBT_STRS:
        return "{\"type\":\"array\",\"items\":\"string\"}";
    case SC_OBT_TIME:
        return "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}";
    case SC_OBT_INT:
        return "\"long\"";
    case SC_OBT_BOOL:
        return "\"boolean\"";
    case SC_OBT_MAP:
        return "{\"type\":\"map\",\"values\":\"string\"}";
    case SC_OBT_LISTS:
        return "{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"string\"}}";
    }
    return NULL;
}

/* So that a list or map that is added later is no break for who reads what was written before. */
static const char *default_text(enum sc_ob_type type)
{
    bool list = type == SC_OBT_STRS, map = type == SC_OBT_MAP || type == SC_OBT_LISTS;
    return list ? ",\"default\":[]" : map ? ",\"default\":{}" : "";
}

void sc_ob_avro_schema(const struct sc_ob_table *t, struct sc_buf *out)
{
    sc_buf_addf(out, "{\"type\":\"record\",\"name\":\"%s\",\"namespace\":\"stagecoach\",\n"
                " \"doc\":\"%s\",\n \"fields\":[\n", t->name, t->doc);
    for (uint32_t i = 0; i < t->n; i++) {
        const struct sc_ob_field *f = &t->fields[i];
        sc_buf_addf(out, "  {\"name\":\"%s\",\"type\":", f->name);
        if (f->optional)
            sc_buf_addf(out, "[\"null\",%s],\"default\":null", type_text(f->type));
        else
            sc_buf_addf(out, "%s%s", type_text(f->type), default_text(f->type));
        sc_buf_addf(out, ",\"doc\":\"%s\"}%s\n", f->doc, i + 1 < t->n ? "," : "");
    }
    sc_buf_addz(out, " ]}\n");
}
