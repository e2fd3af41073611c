/* Rows as Protobuf (proto3): a field's number is its place in the table, from 1. Times are
 * google.protobuf.Timestamp. Optional fields have presence. Also the JSON Schema of a row, whose
 * records core writes. */
#include "codec/outbound_row.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

static void put_varint(struct sc_buf *out, uint64_t v)
{
    while (v > 0x7f) {
        sc_buf_char(out, (char)(v | 0x80));
        v >>= 7;
    }
    sc_buf_char(out, (char)v);
}

static void put_tag(struct sc_buf *out, uint32_t number, unsigned wire)
{
    put_varint(out, (uint64_t)number << 3 | wire);
}

static void put_text(struct sc_buf *out, uint32_t number, struct sc_str s)
{
    put_tag(out, number, WIRE_BYTES);
    put_varint(out, s.len);
    sc_buf_str(out, s);
}

static void put_time(struct sc_buf *out, uint32_t number, int64_t ms, struct sc_buf *part)
{
    int64_t seconds = ms / 1000, rest = ms % 1000;
    if (rest < 0) {
        seconds--;
        rest += 1000;
    }
    part->len = 0;
    put_tag(part, 1, WIRE_VARINT);
    put_varint(part, (uint64_t)seconds);
    put_tag(part, 2, WIRE_VARINT);
    put_varint(part, (uint64_t)rest * 1000000);
    put_text(out, number, sc_buf_view(part));
}

/* A map's entry is a message {1: key, 2: value}; a list of text is a message {1: repeated}. */
static void put_pair(struct sc_buf *out, uint32_t number, const struct sc_ob_pair *p, bool list,
                     struct sc_buf *part)
{
    struct sc_buf values = {0};
    part->len = 0;
    put_text(part, 1, p->name);
    for (uint32_t i = 0; list && i < p->n; i++)
        put_text(&values, 1, p->list[i]);
    put_text(part, 2, list ? sc_buf_view(&values) : p->value);
    put_text(out, number, sc_buf_view(part));
    sc_buf_fini(&values);
}

static void put_cell(struct sc_buf *out, uint32_t number, const struct sc_ob_field *f,
                     const struct sc_ob_cell *c, struct sc_buf *part)
{
    switch (f->type) {
    case SC_OBT_STR:
    case SC_OBT_NUMBER:
        put_text(out, number, c->str);
        break;
    case SC_OBT_STRS:
        for (uint32_t i = 0; i < c->n; i++)
            put_text(out, number, c->list[i]);
        break;
    case SC_OBT_TIME:
        put_time(out, number, c->i, part);
        break;
    case SC_OBT_INT:
    case SC_OBT_BOOL:
        put_tag(out, number, WIRE_VARINT);
        put_varint(out, (uint64_t)c->i);
        break;
    case SC_OBT_MAP:
    case SC_OBT_LISTS:
        for (uint32_t i = 0; i < c->n; i++)
            put_pair(out, number, &c->pairs[i], f->type == SC_OBT_LISTS, part);
        break;
    }
}

void sc_ob_proto_write(const struct sc_ob_table *t, const struct sc_ob_cell *cells,
                       struct sc_buf *out)
{
    struct sc_buf part = {0};
    for (uint32_t i = 0; i < t->n; i++)
        if (cells[i].set)
            put_cell(out, i + 1, &t->fields[i], &cells[i], &part);
    sc_buf_fini(&part);
}

static const char *proto_type(enum sc_ob_type type)
{
    switch (type) {
    case SC_OBT_STR:
    case SC_OBT_NUMBER:
        return "string";
    case SC_OBT_STRS:
        return "repeated string";
    case SC_OBT_TIME:
        return "google.protobuf.Timestamp";
    case SC_OBT_INT:
        return "int64";
    case SC_OBT_BOOL:
        return "bool";
    case SC_OBT_MAP:
        return "map<string, string>";
    case SC_OBT_LISTS:
        return "map<string, Texts>";
    }
    return NULL;
}

void sc_ob_proto_schema(const struct sc_ob_table *t, struct sc_buf *out)
{
    bool lists = false, times = false;
    for (uint32_t i = 0; i < t->n; i++)
        times = times || t->fields[i].type == SC_OBT_TIME;
    sc_buf_addz(out, "syntax = \"proto3\";\npackage stagecoach;\n\n");
    if (times)
        sc_buf_addz(out, "import \"google/protobuf/timestamp.proto\";\n\n");
    sc_buf_addf(out, "// %s\nmessage %s {\n", t->doc, t->name);
    for (uint32_t i = 0; i < t->n; i++) {
        const struct sc_ob_field *f = &t->fields[i];
        bool presence = f->optional && f->type != SC_OBT_TIME;
        lists = lists || f->type == SC_OBT_LISTS;
        sc_buf_addf(out, "  // %s\n  %s%s %s = %u;\n", f->doc, presence ? "optional " : "",
                    proto_type(f->type), f->name, i + 1);
    }
    sc_buf_addz(out, "}\n");
    if (lists)
        sc_buf_addz(out, "\nmessage Texts {\n  repeated string values = 1;\n}\n");
}

static const char *json_type(enum sc_ob_type type)
{
    switch (type) {
    case SC_OBT_STR:
        return "{\"type\":[\"string\",\"object\"]}";
    case SC_OBT_STRS:
        return "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}";
    case SC_OBT_TIME:
        return "{\"type\":\"string\",\"format\":\"date-time\"}";
    case SC_OBT_INT:
        return "{\"type\":\"integer\"}";
    case SC_OBT_NUMBER:
        return "{\"type\":\"number\"}";
    case SC_OBT_BOOL:
        return "{\"type\":\"boolean\"}";
    case SC_OBT_MAP:
        return "{\"type\":[\"object\",\"array\"]}";
    case SC_OBT_LISTS:
        return "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"array\","
               "\"items\":{\"type\":\"string\"}}}";
    }
    return NULL;
}

void sc_ob_json_schema(const struct sc_ob_table *t, struct sc_buf *out)
{
    sc_buf_addf(out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n"
                " \"title\":\"%s\",\"description\":\"%s\",\"type\":\"object\",\n"
                " \"properties\":{\n", t->name, t->doc);
    for (uint32_t i = 0; i < t->n; i++) {
        const struct sc_ob_field *f = &t->fields[i];
        const char *type = json_type(f->type);
        sc_buf_addf(out, "  \"%s\":{\"description\":\"%s\",%s%s\n", f->name, f->doc, type + 1,
                    i + 1 < t->n ? "," : "");
    }
    sc_buf_addz(out, " }}\n");
}
