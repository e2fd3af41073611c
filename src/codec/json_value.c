/* See json_value.h. */
#include "codec/json_value.h"

#include "base/arena.h"

#include <jansson.h>

static struct sc_value from_json(json_t *v, struct sc_arena *ar);

static struct sc_value object(json_t *v, struct sc_arena *ar)
{
    struct sc_value *kv = SC_NEW_N(ar, struct sc_value, 2 * json_object_size(v) + 1);
    uint32_t n = 0;
    const char *name;
    json_t *value;
    json_object_foreach(v, name, value)
    {
        kv[n++] = sc_string(sc_str_dup(ar, sc_str_from(name)));
        kv[n++] = from_json(value, ar);
    }
    return (struct sc_value){.type = SC_T_MAP, .len = n / 2, .map = kv};
}

/* Depth is bounded by the parser's own. */
static struct sc_value from_json(json_t *v, struct sc_arena *ar)
{
    switch (json_typeof(v)) {
    case JSON_NULL:
        return (struct sc_value){.type = SC_T_NULL};
    case JSON_TRUE:
    case JSON_FALSE:
        return sc_bool(json_is_true(v));
    case JSON_INTEGER:
        return sc_int(json_integer_value(v));
    case JSON_REAL:
        return sc_double(json_real_value(v));
    case JSON_STRING:
        return sc_string(sc_str_dup(
            ar, (struct sc_str){json_string_value(v), json_string_length(v)}));
    case JSON_OBJECT:
        return object(v, ar);
    case JSON_ARRAY:
        break;
    }
    struct sc_value *list = SC_NEW_N(ar, struct sc_value, json_array_size(v) + 1);
    for (size_t i = 0; i < json_array_size(v); i++)
        list[i] = from_json(json_array_get(v, i), ar);
    return (struct sc_value){.type = SC_T_LIST, .len = (uint32_t)json_array_size(v), .list = list};
}

bool sc_json_value(struct sc_str text, struct sc_arena *ar, struct sc_value *out,
                   struct sc_str *why)
{
    json_error_t fault;
    json_t *doc = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (doc == NULL)
        *why = sc_str_dup(ar, sc_str_from(fault.text));
    else
        *out = from_json(doc, ar);
    json_decref(doc);
    return doc != NULL;
}
