/* A set of Protobuf files (proto_schema.h): names, resolution, the well-known types.
 *
 * Every file given is parsed, whatever it imports, and then names are resolved, innermost scope
 * first as in C++. So the order of files does not matter, and an import that nobody has (registries
 * leave google's and Confluent's own out) is no error unless a wanted field needs it. */
#include "codec/proto_schema.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/base64.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Files that registries leave out because every client has them, one or more a file; `probe`: what
 * tells whether the files given hold it already. */
static const struct {
    const char *probe, *text;
} built_in[] = {
    {"google.protobuf.Timestamp", "message Timestamp { int64 seconds = 1; int32 nanos = 2; }"},
    {"google.protobuf.Duration", "message Duration { int64 seconds = 1; int32 nanos = 2; }"},
    {"google.protobuf.DoubleValue",
     "message DoubleValue { double value = 1; } message FloatValue { float value = 1; }"
     "message Int64Value { int64 value = 1; } message UInt64Value { uint64 value = 1; }"
     "message Int32Value { int32 value = 1; } message UInt32Value { uint32 value = 1; }"
     "message BoolValue { bool value = 1; } message StringValue { string value = 1; }"
     "message BytesValue { bytes value = 1; }"},
    {"google.protobuf.Any", "message Any { string type_url = 1; bytes value = 2; }"},
    {"google.protobuf.Empty", "message Empty {}"},
    {"google.protobuf.FieldMask", "message FieldMask { repeated string paths = 1; }"},
    {"google.protobuf.Struct",
     "message Struct { map<string, Value> fields = 1; } enum NullValue { NULL_VALUE = 0; }"
     "message ListValue { repeated Value values = 1; }"
     "message Value { oneof kind { NullValue null_value = 1; double number_value = 2;"
     " string string_value = 3; bool bool_value = 4; Struct struct_value = 5;"
     " ListValue list_value = 6; } }"},
    {"confluent.type.Decimal",
     "message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }"},
};

bool sc_proto_fail(struct sc_proto_files *files, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (files->why.len == 0)
        files->why = sc_str_dup(files->ar, sc_str_from(text));
    return false;
}

static struct sc_proto_symbol *symbol_new(struct sc_proto_files *files, struct sc_str scope,
                                          struct sc_str name, struct sc_str *full)
{
    struct sc_proto_symbol *s = SC_NEW(files->ar, struct sc_proto_symbol);
    *full = scope.len ? sc_str_printf(files->ar, "%.*s.%.*s", SC_STR_FMT(scope), SC_STR_FMT(name))
                      : sc_str_dup(files->ar, name);
    if (name.len == 0 || full->len > 1024) {
        sc_proto_fail(files, "a message or enum has no name that could be used");
        return NULL;
    }
    if (sc_map_get(&files->symbols, *full)) {
        sc_proto_fail(files, "`%.*s` is defined twice", SC_STR_FMT(*full));
        return NULL;
    }
    sc_map_put(&files->symbols, *full, s);
    return s;
}

static enum sc_proto_known known_of(struct sc_str full)
{
    static const struct sc_str google = {"google.protobuf.", 16};
    if (sc_str_eqz(full, "confluent.type.Decimal"))
        return SC_KNOWN_DECIMAL;
    if (!sc_str_starts(full, google))
        return SC_KNOWN_NONE;
    struct sc_str name = {full.p + google.len, full.len - google.len};
    if (sc_str_eqz(name, "Timestamp"))
        return SC_KNOWN_TIMESTAMP;
    if (sc_str_eqz(name, "Duration"))
        return SC_KNOWN_DURATION;
    /* DoubleValue … BytesValue; ListValue, NullValue and Value itself are Struct's */
    bool wrapper = name.len > 5 && sc_str_ends(name, SC_STR("Value")) &&
                   !sc_str_eqz(name, "ListValue") && !sc_str_eqz(name, "NullValue");
    return wrapper ? SC_KNOWN_WRAPPER : SC_KNOWN_NONE;
}

struct sc_proto_message *sc_proto_message_new(struct sc_proto_files *files, struct sc_str scope,
                                              struct sc_str name)
{
    struct sc_str full;
    struct sc_proto_symbol *s = symbol_new(files, scope, name, &full);
    if (s == NULL)
        return NULL;
    s->message = SC_NEW(files->ar, struct sc_proto_message);
    s->message->name = full;
    s->message->known = known_of(full);
    SC_VEC_PUSH(files->ar, &files->all, s->message);
    return s->message;
}

struct sc_proto_enum *sc_proto_enum_new(struct sc_proto_files *files, struct sc_str scope,
                                        struct sc_str name)
{
    struct sc_str full;
    struct sc_proto_symbol *s = symbol_new(files, scope, name, &full);
    if (s == NULL)
        return NULL;
    s->enumeration = SC_NEW(files->ar, struct sc_proto_enum);
    s->enumeration->name = full;
    return s->enumeration;
}

bool sc_proto_presence(const struct sc_proto_field *f, bool proto3, bool optional)
{
    return !f->repeated &&
           (!proto3 || optional || f->oneof >= 0 || f->kind == SC_PROTO_MESSAGE);
}

const struct sc_proto_field *sc_proto_field_by_name(const struct sc_proto_message *m,
                                                    struct sc_str name)
{
    for (uint32_t i = 0; i < m->fields.n; i++)
        if (sc_str_eq(m->fields.v[i].name, name))
            return &m->fields.v[i];
    return NULL;
}

const struct sc_proto_field *sc_proto_field_by_number(const struct sc_proto_message *m,
                                                      uint32_t number)
{
    uint32_t low = 0, high = m->fields.n;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (m->sorted[mid]->number < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low < m->fields.n && m->sorted[low]->number == number ? m->sorted[low] : NULL;
}

const struct sc_str *sc_proto_enum_name(const struct sc_proto_enum *e, int32_t number)
{
    uint32_t dense = (uint32_t)number; /* most enums count from 0 */
    if (dense < e->numbers.n && e->numbers.v[dense] == number)
        return &e->names.v[dense];
    for (uint32_t i = 0; i < e->numbers.n; i++)
        if (e->numbers.v[i] == number)
            return &e->names.v[i];
    return NULL;
}

enum sc_proto_wire sc_proto_wire_of(enum sc_proto_kind kind)
{
    switch (kind) {
    case SC_PROTO_DOUBLE:
    case SC_PROTO_FIXED64:
    case SC_PROTO_SFIXED64: return SC_WIRE_64;
    case SC_PROTO_FLOAT:
    case SC_PROTO_FIXED32:
    case SC_PROTO_SFIXED32: return SC_WIRE_32;
    case SC_PROTO_STRING:
    case SC_PROTO_BYTES:
    case SC_PROTO_MESSAGE: return SC_WIRE_LEN;
    case SC_PROTO_GROUP: return SC_WIRE_GROUP;
    case SC_PROTO_UNRESOLVED: return SC_WIRE_LEN;
    case SC_PROTO_INT64:
    case SC_PROTO_UINT64:
    case SC_PROTO_INT32:
    case SC_PROTO_UINT32:
    case SC_PROTO_BOOL:
    case SC_PROTO_ENUM:
    case SC_PROTO_SINT32:
    case SC_PROTO_SINT64: return SC_WIRE_VARINT;
    }
    SC_UNREACHABLE("proto kind");
}

/* `name` seen from `scope`: innermost first, then outwards; with a leading dot as it is. */
static const struct sc_proto_symbol *lookup(const struct sc_proto_files *files,
                                            struct sc_str scope, struct sc_str name)
{
    char full[2048];
    if (name.len && name.p[0] == '.')
        return sc_map_get(&files->symbols, (struct sc_str){name.p + 1, name.len - 1});
    if (name.len == 0 || scope.len + 1 + name.len > sizeof(full))
        return NULL;
    for (;;) {
        size_t n = scope.len;
        memcpy(full, scope.p, n);
        if (n)
            full[n++] = '.';
        memcpy(full + n, name.p, name.len);
        const struct sc_proto_symbol *s =
            sc_map_get(&files->symbols, (struct sc_str){full, n + name.len});
        if (s || scope.len == 0)
            return s;
        while (scope.len > 0 && scope.p[scope.len - 1] != '.')
            scope.len--;
        scope.len -= scope.len > 0;
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = (*(const struct sc_proto_field *const *)a)->number;
    uint32_t y = (*(const struct sc_proto_field *const *)b)->number;
    return x < y ? -1 : x > y;
}

static bool is_field(const struct sc_proto_message *m, uint32_t place, enum sc_proto_kind kind)
{
    const struct sc_proto_field *f = &m->fields.v[place];
    return f->number == place + 1 && f->kind == kind && !f->repeated;
}

/* A file given may call anything google.protobuf.Timestamp: only the real shape counts. */
static bool has_known_shape(const struct sc_proto_message *m)
{
    switch (m->known) {
    case SC_KNOWN_NONE: return false;
    case SC_KNOWN_TIMESTAMP:
    case SC_KNOWN_DURATION:
        return m->fields.n == 2 && is_field(m, 0, SC_PROTO_INT64) && is_field(m, 1, SC_PROTO_INT32);
    case SC_KNOWN_WRAPPER:
        return m->fields.n == 1 && is_field(m, 0, m->fields.v[0].kind) &&
               m->fields.v[0].oneof < 0 && m->fields.v[0].kind != SC_PROTO_MESSAGE &&
               m->fields.v[0].kind != SC_PROTO_GROUP && m->fields.v[0].kind != SC_PROTO_UNRESOLVED;
    case SC_KNOWN_DECIMAL:
        return m->fields.n == 3 && is_field(m, 0, SC_PROTO_BYTES) &&
               is_field(m, 1, SC_PROTO_UINT32) && is_field(m, 2, SC_PROTO_INT32);
    }
    SC_UNREACHABLE("well-known type");
}

/* Repeated entries with a scalar key and one value are a map, however they were declared. */
static bool is_map(const struct sc_proto_field *f)
{
    if (!f->repeated || f->kind != SC_PROTO_MESSAGE || !f->message->map_entry)
        return false;
    const struct sc_proto_field *key = sc_proto_field_by_number(f->message, 1);
    const struct sc_proto_field *value = sc_proto_field_by_number(f->message, 2);
    if (key == NULL || value == NULL || key->repeated || value->repeated)
        return false;
    return key->kind == SC_PROTO_STRING || (sc_proto_wire_of(key->kind) != SC_WIRE_LEN &&
                                            key->kind != SC_PROTO_GROUP &&
                                            key->kind != SC_PROTO_ENUM);
}

static bool resolve_message(struct sc_proto_files *files, struct sc_proto_message *m)
{
    m->sorted = SC_NEW_N(files->ar, const struct sc_proto_field *, m->fields.n);
    for (uint32_t i = 0; i < m->fields.n; i++) {
        struct sc_proto_field *f = &m->fields.v[i];
        m->sorted[i] = f;
        if (f->repeated)
            f->oneof = -1;
        bool scalar = f->kind != SC_PROTO_MESSAGE && f->kind != SC_PROTO_ENUM &&
                      f->kind != SC_PROTO_GROUP && f->kind != SC_PROTO_UNRESOLVED;
        if (scalar || f->message)
            continue;
        const struct sc_proto_symbol *s = lookup(files, m->name, f->type_name);
        f->message = s ? s->message : NULL;
        f->enumeration = s ? s->enumeration : NULL;
        if (f->kind == SC_PROTO_GROUP && f->message)
            continue;
        f->kind = s == NULL ? SC_PROTO_UNRESOLVED
                            : s->message ? SC_PROTO_MESSAGE : SC_PROTO_ENUM;
        f->presence = f->presence || (!f->repeated && f->kind == SC_PROTO_MESSAGE);
    }
    qsort(m->sorted, m->fields.n, sizeof(*m->sorted), by_number);
    for (uint32_t i = 1; i < m->fields.n; i++)
        if (m->sorted[i]->number == m->sorted[i - 1]->number)
            return sc_proto_fail(files, "`%.*s` has two fields of number %u", SC_STR_FMT(m->name),
                                 m->sorted[i]->number);
    return true;
}

/* Descriptors hold lengths and numbers below 32, which no text has. */
static bool is_binary(struct sc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < 0x20 && !strchr("\t\n\r\f\v", s.p[i]))
            return true;
    return s.len && memchr(s.p, 0, s.len) != NULL;
}

/* Base64, as some clients register descriptors: padded, or a word of text would be some. */
static bool is_base64(struct sc_str text, struct sc_arena *ar, struct sc_str *bytes)
{
    text = sc_str_trim(text);
    char *out = sc_arena_alloc_align(ar, text.len + 1, 1);
    *bytes = (struct sc_str){.p = out};
    return text.len > 0 && text.len % 4 == 0 &&
           sc_base64_decode(text, false, out, &bytes->len);
}

static bool parse_any(struct sc_proto_files *files, struct sc_str text, bool main)
{
    if (text.len > SC_PROTO_SCHEMA_BYTES)
        return sc_proto_fail(files, "the schema is longer than 1 MiB");
    struct sc_str bytes;
    if (is_base64(text, files->ar, &bytes))
        return sc_proto_parse_descriptor(files, bytes, main);
    return is_binary(text) ? sc_proto_parse_set(files, text)
                           : sc_proto_parse_text(files, text, main);
}

static bool parse_built_in(struct sc_proto_files *files)
{
    for (size_t i = 0; i < sizeof(built_in) / sizeof(*built_in); i++) {
        struct sc_str probe = sc_str_from(built_in[i].probe);
        bool google = sc_str_starts(probe, SC_STR("google."));
        if (sc_map_get(&files->symbols, probe))
            continue;
        struct sc_str text = sc_str_printf(files->ar, "syntax = \"proto3\"; package %s; %s",
                                           google ? "google.protobuf" : "confluent.type",
                                           built_in[i].text);
        if (!sc_proto_parse_text(files, text, false))
            return false;
    }
    return true;
}

const struct sc_proto_files *sc_proto_parse(const struct sc_schema_source *schema,
                                            struct sc_arena *ar, struct sc_str *why)
{
    struct sc_proto_files *files = SC_NEW(ar, struct sc_proto_files);
    files->ar = ar;
    sc_map_init(&files->symbols, ar);
    bool ok = parse_any(files, schema->text, true);
    for (uint32_t i = 0; ok && i < schema->n_refs; i++)
        ok = parse_any(files, schema->refs[i].text, false);
    ok = ok && parse_built_in(files);
    for (uint32_t i = 0; ok && i < files->all.n; i++)
        ok = resolve_message(files, files->all.v[i]);
    for (uint32_t i = 0; ok && i < files->all.n; i++) {
        struct sc_proto_message *m = files->all.v[i];
        m->known = has_known_shape(m) ? m->known : SC_KNOWN_NONE;
        for (uint32_t k = 0; k < m->fields.n; k++)
            m->fields.v[k].map = is_map(&m->fields.v[k]);
    }
    *why = files->why;
    SC_ASSERT(ok || why->len > 0);
    return ok ? files : NULL;
}
