/* Parsing Avro schemas (avro_schema.h), from the JSON that jansson reads.
 *
 * Ours rather than Avro C's because that one forgets logical types. Names resolve as in the
 * specification (1.11, "Names"): with a dot as they are, else in the enclosing namespace; a name
 * that is not known yet may be one of the references, which is then parsed. Nesting is bounded by
 * SC_DECODE_DEPTH, the text by SC_AVRO_SCHEMA_BYTES. */
#include "codec/avro_schema.h"
#include "codec/decimal_bytes.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/map.h"

#include <jansson.h>

struct parser {
    struct sc_arena *ar;
    struct sc_map names; /* full name -> struct sc_avro_type */
    const struct sc_schema_source *source;
    bool *ref_parsed;
    uint32_t n_records;
    unsigned depth;
    struct sc_str why;
};

static const struct sc_avro_type *parse_type(struct parser *ps, const json_t *js,
                                             struct sc_str space);

static const struct sc_avro_type *fail(struct parser *ps, const char *what, struct sc_str name)
{
    if (ps->why.len == 0)
        ps->why = name.len ? sc_str_printf(ps->ar, "%s: `%.*s`", what, SC_STR_FMT(name))
                           : sc_str_from(what);
    return NULL;
}

static struct sc_str text_of(const json_t *js)
{
    return json_is_string(js) ? (struct sc_str){json_string_value(js), json_string_length(js)}
                              : SC_STR_NULL;
}

static struct sc_str attribute(const json_t *js, const char *key)
{
    return text_of(json_object_get(js, key));
}

static const struct {
    struct sc_str name;
    enum sc_avro_kind kind;
} primitives[] = {
    {{"null", 4}, SC_AVRO_NULL},     {{"boolean", 7}, SC_AVRO_BOOLEAN},
    {{"int", 3}, SC_AVRO_INT},       {{"long", 4}, SC_AVRO_LONG},
    {{"float", 5}, SC_AVRO_FLOAT},   {{"double", 6}, SC_AVRO_DOUBLE},
    {{"bytes", 5}, SC_AVRO_BYTES},   {{"string", 6}, SC_AVRO_STRING},
};

static struct sc_avro_type *type_new(struct parser *ps, enum sc_avro_kind kind)
{
    struct sc_avro_type *t = SC_NEW(ps->ar, struct sc_avro_type);
    t->kind = kind;
    return t;
}

static bool has_dot(struct sc_str s)
{
    return s.len && memchr(s.p, '.', s.len) != NULL;
}

static struct sc_str full_name(struct parser *ps, struct sc_str name, struct sc_str space)
{
    if (has_dot(name) || space.len == 0)
        return sc_str_dup(ps->ar, name);
    return sc_str_printf(ps->ar, "%.*s.%.*s", SC_STR_FMT(space), SC_STR_FMT(name));
}

static struct sc_str space_of(struct sc_str full)
{
    for (size_t n = full.len; n > 0; n--)
        if (full.p[n - 1] == '.')
            return (struct sc_str){full.p, n - 1};
    return SC_STR_NULL;
}

static const struct sc_avro_type *parse_text(struct parser *ps, struct sc_str text)
{
    if (text.len > SC_AVRO_SCHEMA_BYTES)
        return fail(ps, "the schema is longer than 1 MiB", SC_STR_NULL);
    json_error_t error;
    json_t *js = json_loadb(text.p ? text.p : "", text.len, JSON_DECODE_ANY, &error);
    if (js == NULL) {
        ps->why = sc_str_printf(ps->ar, "the schema is no JSON: line %d: %s", error.line,
                                error.text);
        return NULL;
    }
    const struct sc_avro_type *t = parse_type(ps, js, SC_STR_NULL);
    json_decref(js);
    return t;
}

/* The reference called `name` is parsed for the names it defines, once. */
static bool parse_ref(struct parser *ps, struct sc_str name)
{
    for (uint32_t i = 0; i < ps->source->n_refs; i++) {
        if (ps->ref_parsed[i] || !sc_str_eq(ps->source->refs[i].name, name))
            continue;
        ps->ref_parsed[i] = true;
        return parse_text(ps, ps->source->refs[i].text) != NULL;
    }
    return false;
}

static const struct sc_avro_type *named(struct parser *ps, struct sc_str full)
{
    struct sc_avro_type *t = sc_map_get(&ps->names, full);
    if (t == NULL && parse_ref(ps, full))
        t = sc_map_get(&ps->names, full);
    if (t)
        t->places++;
    return t;
}

static struct sc_avro_type *primitive(struct parser *ps, struct sc_str name)
{
    for (size_t i = 0; i < sizeof(primitives) / sizeof(*primitives); i++)
        if (sc_str_eq(name, primitives[i].name))
            return type_new(ps, primitives[i].kind);
    return NULL;
}

static const struct sc_avro_type *parse_name(struct parser *ps, struct sc_str name,
                                             struct sc_str space)
{
    const struct sc_avro_type *plain = primitive(ps, name);
    if (plain)
        return plain;
    const struct sc_avro_type *t = named(ps, full_name(ps, name, space));
    if (t == NULL && space.len && ps->why.len == 0)
        t = named(ps, name); /* the null namespace, as other implementations do */
    return t ? t : fail(ps, "the schema names a type that it does not define", name);
}

/* A record, enum or fixed gets its name before its parts are read: they may name it. */
static bool define(struct parser *ps, struct sc_avro_type *t, const json_t *js, struct sc_str space)
{
    struct sc_str name = attribute(js, "name");
    const json_t *own = json_object_get(js, "namespace");
    if (name.len == 0)
        return fail(ps, "a record, enum or fixed has no name", SC_STR_NULL) != NULL;
    t->name = full_name(ps, name, own ? text_of(own) : space);
    t->places = 1;
    if (sc_map_put(&ps->names, t->name, t))
        return fail(ps, "a type is defined twice", t->name) != NULL;
    return true;
}

static const struct sc_avro_type *parse_record(struct parser *ps, const json_t *js,
                                               struct sc_str space)
{
    struct sc_avro_type *t = type_new(ps, SC_AVRO_RECORD);
    const json_t *fields = json_object_get(js, "fields");
    if (!define(ps, t, js, space))
        return NULL;
    t->id = ps->n_records++;
    if (!json_is_array(fields))
        return fail(ps, "a record has no list of fields", t->name);
    struct sc_map seen;
    sc_map_init(&seen, ps->ar);
    t->fields = SC_NEW_N(ps->ar, struct sc_avro_field, json_array_size(fields));
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        struct sc_str name = attribute(field, "name");
        if (name.len == 0)
            return fail(ps, "a field has no name in the record", t->name);
        if (sc_map_put(&seen, name, t))
            return fail(ps, "a field is there twice", name);
        t->fields[i].name = sc_str_dup(ps->ar, name);
        t->fields[i].type = parse_type(ps, json_object_get(field, "type"), space_of(t->name));
        if (t->fields[i].type == NULL)
            return NULL;
        t->n++;
    }
    return t;
}

static const struct sc_avro_type *parse_enum(struct parser *ps, const json_t *js,
                                             struct sc_str space)
{
    struct sc_avro_type *t = type_new(ps, SC_AVRO_ENUM);
    const json_t *symbols = json_object_get(js, "symbols");
    if (!define(ps, t, js, space))
        return NULL;
    if (!json_is_array(symbols))
        return fail(ps, "an enum has no list of symbols", t->name);
    t->n = (uint32_t)json_array_size(symbols);
    t->symbols = SC_NEW_N(ps->ar, struct sc_str, t->n);
    for (uint32_t i = 0; i < t->n; i++) {
        struct sc_str symbol = text_of(json_array_get(symbols, i));
        if (symbol.len == 0)
            return fail(ps, "a symbol is no text in the enum", t->name);
        t->symbols[i] = sc_str_dup(ps->ar, symbol);
    }
    return t;
}

static uint32_t decimal_scale(const json_t *js)
{
    json_int_t scale = json_integer_value(json_object_get(js, "scale")); /* 0 when not there */
    return scale >= 0 && scale <= SC_DECIMAL_BYTES_SCALE ? (uint32_t)scale : 0;
}

/* The logical type if it fits the kind. */
static void annotate(struct sc_avro_type *t, const json_t *js)
{
    static const struct {
        struct sc_str name;
        enum sc_avro_kind kind;
        enum sc_avro_logical logical;
    } known[] = {
        {{"decimal", 7}, SC_AVRO_BYTES, SC_AVRO_DECIMAL},
        {{"decimal", 7}, SC_AVRO_FIXED, SC_AVRO_DECIMAL},
        {{"date", 4}, SC_AVRO_INT, SC_AVRO_DATE},
        {{"time-millis", 11}, SC_AVRO_INT, SC_AVRO_TIME_MS},
        {{"time-micros", 11}, SC_AVRO_LONG, SC_AVRO_TIME_US},
        {{"timestamp-millis", 16}, SC_AVRO_LONG, SC_AVRO_TIMESTAMP_MS},
        {{"timestamp-micros", 16}, SC_AVRO_LONG, SC_AVRO_TIMESTAMP_US},
        {{"timestamp-nanos", 15}, SC_AVRO_LONG, SC_AVRO_TIMESTAMP_NS},
        {{"local-timestamp-millis", 22}, SC_AVRO_LONG, SC_AVRO_TIMESTAMP_MS},
        {{"local-timestamp-micros", 22}, SC_AVRO_LONG, SC_AVRO_TIMESTAMP_US},
        {{"local-timestamp-nanos", 21}, SC_AVRO_LONG, SC_AVRO_TIMESTAMP_NS},
        {{"uuid", 4}, SC_AVRO_FIXED, SC_AVRO_UUID},
    };
    struct sc_str name = attribute(js, "logicalType");
    for (size_t i = 0; name.len && i < sizeof(known) / sizeof(*known); i++)
        if (known[i].kind == t->kind && sc_str_eq(known[i].name, name))
            t->logical = known[i].logical;
    if (t->logical == SC_AVRO_DECIMAL)
        t->scale = decimal_scale(js);
    if (t->logical == SC_AVRO_UUID && t->size != 16)
        t->logical = SC_AVRO_PLAIN;
}

static const struct sc_avro_type *parse_fixed(struct parser *ps, const json_t *js,
                                              struct sc_str space)
{
    struct sc_avro_type *t = type_new(ps, SC_AVRO_FIXED);
    const json_t *size = json_object_get(js, "size");
    if (!define(ps, t, js, space))
        return NULL;
    json_int_t bytes = json_is_integer(size) ? json_integer_value(size) : -1;
    if (bytes < 0 || bytes > INT32_MAX)
        return fail(ps, "a fixed has no size", t->name);
    t->size = (uint32_t)bytes;
    annotate(t, js);
    return t;
}

static const struct sc_avro_type *parse_container(struct parser *ps, const json_t *js,
                                                  enum sc_avro_kind kind, struct sc_str space)
{
    struct sc_avro_type *t = type_new(ps, kind);
    t->item = parse_type(ps, json_object_get(js, kind == SC_AVRO_ARRAY ? "items" : "values"),
                         space);
    return t->item ? t : NULL;
}

static const struct sc_avro_type *parse_union(struct parser *ps, const json_t *js,
                                              struct sc_str space)
{
    struct sc_avro_type *t = type_new(ps, SC_AVRO_UNION);
    t->n = (uint32_t)json_array_size(js);
    t->fields = SC_NEW_N(ps->ar, struct sc_avro_field, t->n);
    for (uint32_t i = 0; i < t->n; i++) {
        const struct sc_avro_type *branch = parse_type(ps, json_array_get(js, i), space);
        if (branch == NULL)
            return NULL;
        if (branch->kind == SC_AVRO_UNION)
            return fail(ps, "a union holds a union", SC_STR_NULL);
        t->fields[i].type = branch;
    }
    return t;
}

static const struct sc_avro_type *parse_object(struct parser *ps, const json_t *js,
                                               struct sc_str space)
{
    const json_t *type = json_object_get(js, "type");
    struct sc_str name = text_of(type);
    if (name.len == 0) /* { "type": { … } } and { "type": [ … ] } wrap a type */
        return parse_type(ps, type, space);
    if (sc_str_eqz(name, "record") || sc_str_eqz(name, "error"))
        return parse_record(ps, js, space);
    if (sc_str_eqz(name, "enum"))
        return parse_enum(ps, js, space);
    if (sc_str_eqz(name, "array") || sc_str_eqz(name, "map"))
        return parse_container(ps, js, sc_str_eqz(name, "map") ? SC_AVRO_MAP : SC_AVRO_ARRAY,
                               space);
    if (sc_str_eqz(name, "fixed"))
        return parse_fixed(ps, js, space);
    struct sc_avro_type *plain = primitive(ps, name);
    if (plain == NULL)
        return parse_name(ps, name, space);
    annotate(plain, js);
    return plain;
}

static const struct sc_avro_type *parse_type(struct parser *ps, const json_t *js,
                                             struct sc_str space)
{
    const struct sc_avro_type *t = NULL;
    if (++ps->depth > SC_DECODE_DEPTH)
        fail(ps, "the schema is nested too deep", SC_STR_NULL);
    else if (json_is_string(js))
        t = parse_name(ps, text_of(js), space);
    else if (json_is_array(js))
        t = parse_union(ps, js, space);
    else if (json_is_object(js))
        t = parse_object(ps, js, space);
    else
        fail(ps, "a type is missing in the schema", SC_STR_NULL);
    ps->depth--;
    return t;
}

const struct sc_avro_schema *sc_avro_schema_parse(const struct sc_schema_source *schema,
                                                  struct sc_arena *ar, struct sc_str *why)
{
    SC_ASSERT(schema != NULL && why != NULL);
    struct parser ps = {.ar = ar, .source = schema};
    sc_map_init(&ps.names, ar);
    ps.ref_parsed = SC_NEW_N(ar, bool, schema->n_refs);
    struct sc_avro_schema *s = SC_NEW(ar, struct sc_avro_schema);
    s->root = parse_text(&ps, schema->text);
    s->n_records = ps.n_records;
    *why = ps.why;
    SC_ASSERT(s->root != NULL || why->len > 0);
    return s->root ? s : NULL;
}
