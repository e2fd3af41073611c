/* Which wanted paths a writer's schema has. A decoder takes a path that its schema lacks as absent;
 * whether that is meant, only who compares taxonomy and schema can ask (decoder.h). Recursion is
 * bounded by the steps of a path. Load time only. */
#include "codec/avro_schema.h"
#include "codec/proto_schema.h"

#include "base/assert.h"

static bool avro_has(const struct sc_avro_type *t, const struct sc_step *steps, uint32_t n)
{
    if (t->kind == SC_AVRO_UNION) {
        for (uint32_t i = 0; i < t->n; i++)
            if (t->fields[i].type->kind != SC_AVRO_NULL && avro_has(t->fields[i].type, steps, n))
                return true;
        return false;
    }
    if (n == 0)
        return true;
    if (steps->kind != SC_STEP_FIELD)
        return t->kind == SC_AVRO_ARRAY && avro_has(t->item, steps + 1, n - 1);
    if (t->kind == SC_AVRO_MAP) /* any key may come */
        return avro_has(t->item, steps + 1, n - 1);
    for (uint32_t i = 0; t->kind == SC_AVRO_RECORD && i < t->n; i++)
        if (sc_str_eq(t->fields[i].name, steps->name))
            return avro_has(t->fields[i].type, steps + 1, n - 1);
    return false;
}

/* `steps` within a message, or (NULL) below a scalar. */
static bool proto_has(const struct sc_proto_message *m, const struct sc_step *steps, uint32_t n)
{
    if (n == 0)
        return true;
    const struct sc_proto_field *f =
        m && steps->kind == SC_STEP_FIELD ? sc_proto_field_by_name(m, steps->name) : NULL;
    if (f == NULL)
        return false;
    const struct sc_proto_field *value = f->map ? sc_proto_field_by_number(f->message, 2) : f;
    bool element = f->repeated && n > 1 && (f->map == (steps[1].kind == SC_STEP_FIELD));
    uint32_t taken = element ? 2 : 1;
    return proto_has(value->message, steps + taken, n - taken);
}

/* An aggregate's last `[*]` may stand for the elements of what is one value here. */
static uint32_t length(const struct sc_want *w)
{
    bool implied = w->op != SC_MAP_PATH && w->path.n > 0 &&
                   w->path.steps[w->path.n - 1].kind == SC_STEP_ALL;
    return implied ? w->path.n - 1 : w->path.n;
}

bool sc_schema_paths(enum sc_format format, const struct sc_schema_source *schema,
                     const struct sc_message_at *at, const struct sc_projection *want, bool *has,
                     struct sc_arena *ar, struct sc_str *why)
{
    const struct sc_avro_schema *avro = NULL;
    const struct sc_proto_files *files = NULL;
    SC_ASSERT(format != SC_FORMAT_JSON && has != NULL);
    if (format == SC_FORMAT_AVRO)
        avro = sc_avro_schema_parse(schema, ar, why);
    else
        files = sc_proto_parse(schema, ar, why);
    const struct sc_proto_message *proto = files ? sc_proto_find(files, at, ar, why) : NULL;
    if (avro == NULL && proto == NULL)
        return false;
    for (uint32_t i = 0; i < want->n; i++) {
        const struct sc_path *path = &want->wants[i].path;
        has[i] = avro ? avro_has(avro->root, path->steps, length(&want->wants[i]))
                      : proto_has(proto, path->steps, length(&want->wants[i]));
    }
    return true;
}
