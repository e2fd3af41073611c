/* stagecoach taxonomy asyncapi: every topic as AsyncAPI 3.0, in JSON: what the sources hold as far
 * as the dictionary reads it, what is published, and the dictionary's events as schemas.
 *
 * A source's record belongs to its writers, whose schema stands in the registry or a file; what is
 * said of it here is what its mapping reads. Outbound schemas are the code's own
 * (codec/outbound.h). */
#include "cli/taxonomy_cmd.h"

#include "base/assert.h"
#include "cli/node_json.h"
#include "codec/outbound.h"

struct asyncapi {
    const struct sc_taxonomy *tx;
    const struct sc_journey *jo;      /* NULL: sources alone */
    const struct sc_settings *st;     /* NULL: no topics but the channels' */
    struct sc_arena *ar;
    struct sc_jsonw w;
};

static void put(struct asyncapi *aa, const char *key, struct sc_str text)
{
    if (text.len == 0)
        return;
    sc_jsonw_keyz(&aa->w, key);
    sc_jsonw_str(&aa->w, text);
}

static void putz(struct asyncapi *aa, const char *key, const char *text)
{
    put(aa, key, sc_str_from(text));
}

static void open_obj(struct asyncapi *aa, const char *key)
{
    sc_jsonw_keyz(&aa->w, key);
    sc_jsonw_obj(&aa->w);
}

static void close_obj(struct asyncapi *aa)
{
    sc_jsonw_obj_end(&aa->w);
}

/* ---- types */

static void put_types(struct asyncapi *aa, const char *first, const char *second)
{
    sc_jsonw_keyz(&aa->w, "type");
    if (second == NULL) {
        sc_jsonw_strz(&aa->w, first);
        return;
    }
    sc_jsonw_arr(&aa->w);
    sc_jsonw_strz(&aa->w, first);
    sc_jsonw_strz(&aa->w, second);
    sc_jsonw_arr_end(&aa->w);
}

/* The JSON types that intake takes for a type (core/taxonomy/intake.h). */
static void put_scalar(struct asyncapi *aa, uint8_t type)
{
    switch ((enum sc_type)type) {
    case SC_T_BOOL:
        put_types(aa, "boolean", NULL);
        return;
    case SC_T_INT:
        put_types(aa, "integer", "string");
        return;
    case SC_T_DECIMAL:
        put_types(aa, "number", "string");
        return;
    case SC_T_DOUBLE:
        put_types(aa, "number", NULL);
        return;
    case SC_T_TIMESTAMP:
    case SC_T_DURATION:
        put_types(aa, "string", "integer");
        return;
    case SC_T_STRING:
    case SC_T_BYTES:
        put_types(aa, "string", NULL);
        return;
    case SC_T_NULL:
    case SC_T_ABSENT:
    case SC_T_ERROR:
    case SC_T_LIST:
    case SC_T_UINT:
    case SC_T_TYPE:
    case SC_T_MAP:
        return;
    }
}

static void put_bound(struct asyncapi *aa, const char *key, bool has, struct sc_value v)
{
    if (!has || v.type == SC_T_TIMESTAMP || v.type == SC_T_DURATION)
        return;
    sc_jsonw_keyz(&aa->w, key);
    sc_value_json(v, &aa->w);
}

/* What is said of each value: of the property itself, or of a list's or map's. */
static void put_value_schema(struct asyncapi *aa, const struct sc_property *p, uint8_t type)
{
    put_scalar(aa, type);
    put_bound(aa, "minimum", p->has_min, p->min);
    put_bound(aa, "maximum", p->has_max, p->max);
    if (p->enums.n == 0)
        return;
    sc_jsonw_keyz(&aa->w, "enum");
    sc_jsonw_arr(&aa->w);
    for (uint32_t i = 0; i < p->enums.n; i++)
        sc_jsonw_str(&aa->w, p->enums.v[i]);
    sc_jsonw_arr_end(&aa->w);
}

static void put_property_schema(struct asyncapi *aa, const struct sc_property *p)
{
    bool list = p->type == SC_T_LIST, map = p->type == SC_T_MAP;
    if (list || map) {
        put_types(aa, list ? "array" : "object", NULL);
        open_obj(aa, list ? "items" : "additionalProperties");
        put_value_schema(aa, p, p->element);
        close_obj(aa);
    } else {
        put_value_schema(aa, p, p->type);
    }
}

/* ---- the dictionary */

static void put_property(struct asyncapi *aa, const struct sc_property *p)
{
    sc_jsonw_key(&aa->w, p->name);
    sc_jsonw_obj(&aa->w);
    put_property_schema(aa, p);
    put(aa, "description", p->describes);
    put(aa, "x-unit", p->unit);
    put(aa, "x-owner", p->owner);
    if (p->pii) {
        sc_jsonw_keyz(&aa->w, "x-personal");
        sc_jsonw_bool(&aa->w, true);
    }
    close_obj(aa);
}

static void put_required(struct asyncapi *aa, const struct sc_event_type *et)
{
    bool any = false;
    for (uint32_t i = 0; i < et->n_props; i++) {
        if (!et->props[i].required)
            continue;
        if (!any) {
            sc_jsonw_keyz(&aa->w, "required");
            sc_jsonw_arr(&aa->w);
        }
        any = true;
        sc_jsonw_str(&aa->w, et->props[i].name);
    }
    if (any)
        sc_jsonw_arr_end(&aa->w);
}

static void put_aliases(struct asyncapi *aa, const struct sc_event_type *et)
{
    if (et->n_aliases == 0)
        return;
    sc_jsonw_keyz(&aa->w, "x-deprecated-names");
    sc_jsonw_arr(&aa->w);
    for (uint32_t i = 0; i < et->n_aliases; i++) {
        sc_jsonw_obj(&aa->w);
        put(aa, "name", et->aliases[i].name);
        put(aa, "until", et->aliases[i].until);
        close_obj(aa);
    }
    sc_jsonw_arr_end(&aa->w);
}

static void put_event(struct asyncapi *aa, const struct sc_event_type *et)
{
    sc_jsonw_key(&aa->w, et->name);
    sc_jsonw_obj(&aa->w);
    put_types(aa, "object", NULL);
    put(aa, "description", et->describes);
    put(aa, "x-owner", et->owner);
    put(aa, "x-stage", et->stage);
    put(aa, "x-channel", et->channel);
    if (et->role != SC_ROLE_NONE)
        putz(aa, "x-role", sc_role_name((enum sc_role)et->role));
    put_aliases(aa, et);
    open_obj(aa, "properties");
    for (uint32_t i = 0; i < et->n_props; i++)
        put_property(aa, &et->props[i]);
    close_obj(aa);
    put_required(aa, et);
    if (et->examples && et->examples->n) {
        sc_jsonw_keyz(&aa->w, "examples");
        sc_node_json(&aa->w, et->examples);
    }
    close_obj(aa);
}

/* ---- a source's record, as its mapping reads it */

struct shape {
    struct sc_str name;
    bool list;                    /* its elements are what `child` says */
    const struct sc_property *of; /* what a value here becomes; NULL: not said */
    bool text;                    /* names, ids, identifiers */
    struct shape *child, *next;
};

static struct shape *shape_child(struct asyncapi *aa, struct shape *in, struct sc_str name)
{
    struct shape **at = &in->child;
    while (*at && !sc_str_eq((*at)->name, name))
        at = &(*at)->next;
    if (*at == NULL) {
        *at = SC_NEW(aa->ar, struct shape);
        (*at)->name = name;
    }
    return *at;
}

static void shape_add(struct asyncapi *aa, struct shape *root, const struct sc_mapping *map,
                      const struct sc_property *p, bool text)
{
    if (map->op == SC_MAP_CONST || map->path.n == 0)
        return;
    struct shape *at = root;
    for (uint32_t i = 0; i < map->path.n; i++) {
        const struct sc_step *step = &map->path.steps[i];
        at->list = at->list || step->kind != SC_STEP_FIELD;
        at = step->kind == SC_STEP_FIELD ? shape_child(aa, at, step->name)
                                         : shape_child(aa, at, SC_STR_NULL);
    }
    bool plain = map->op == SC_MAP_PATH && map->unit == SC_UNIT_DEFAULT && map->scale == 0;
    at->of = plain ? p : at->of;
    at->text = at->text || text;
}

static void put_shape(struct asyncapi *aa, const struct shape *sh)
{
    sc_jsonw_obj(&aa->w);
    if (sh->list) {
        put_types(aa, "array", NULL);
        sc_jsonw_keyz(&aa->w, "items");
        put_shape(aa, sh->child);
    } else if (sh->child) {
        put_types(aa, "object", NULL);
        open_obj(aa, "properties");
        for (const struct shape *c = sh->child; c; c = c->next) {
            sc_jsonw_key(&aa->w, c->name);
            put_shape(aa, c);
        }
        close_obj(aa);
    } else if (sh->of) {
        put_property_schema(aa, sh->of);
    } else if (sh->text) {
        put_types(aa, "string", NULL);
    }
    close_obj(aa);
}

static bool is_renamed(const struct asyncapi *aa, const struct sc_source *src, uint32_t event)
{
    for (uint32_t i = 0; src->renamed && i < src->renamed->n; i++)
        if (sc_taxonomy_event(aa->tx, src->renamed->pairs[i].value->text) == (int)event)
            return true;
    return false;
}

/* Events that a source's mapping names, in the dictionary's order. */
static bool is_written(const struct sc_source *src, uint32_t event)
{
    if (src->event.op == SC_MAP_CONST)
        return src->events[event].n > 0;
    for (uint32_t i = 0; i < src->events[event].n; i++)
        if (src->events[event].props[i].map.at)
            return true;
    return false;
}

static void put_source_payload(struct asyncapi *aa, const struct sc_source *src)
{
    struct shape root = {0};
    shape_add(aa, &root, &src->event, NULL, true);
    shape_add(aa, &root, &src->id, NULL, false);
    shape_add(aa, &root, &src->occurred_at, NULL, false);
    shape_add(aa, &root, &src->sent_at, NULL, false);
    shape_add(aa, &root, &src->received_at, NULL, false);
    for (uint32_t i = 0; i < src->n_idents; i++)
        shape_add(aa, &root, &src->idents[i].map, NULL, true);
    for (uint32_t e = 0; e < aa->tx->n_events; e++)
        for (uint32_t i = 0; is_written(src, e) && i < src->events[e].n; i++)
            shape_add(aa, &root, &src->events[e].props[i].map,
                      &aa->tx->events[e].props[src->events[e].props[i].prop], false);
    sc_jsonw_keyz(&aa->w, "payload");
    put_shape(aa, &root);
}

static void put_source_events(struct asyncapi *aa, const struct sc_source *src)
{
    sc_jsonw_keyz(&aa->w, "x-events");
    sc_jsonw_arr(&aa->w);
    for (uint32_t e = 0; e < aa->tx->n_events; e++) {
        if (!is_written(src, e) && !is_renamed(aa, src, e))
            continue;
        sc_jsonw_obj(&aa->w);
        put(aa, "$ref", sc_str_printf(aa->ar, "#/components/schemas/%.*s",
                                      SC_STR_FMT(aa->tx->events[e].name)));
        close_obj(aa);
    }
    sc_jsonw_arr_end(&aa->w);
    if (src->renamed == NULL)
        return;
    open_obj(aa, "x-event-names"); /* as the records have them */
    for (uint32_t i = 0; i < src->renamed->n; i++) {
        const struct sc_node_pair *pair = &src->renamed->pairs[i];
        sc_jsonw_key(&aa->w, pair->key->text);
        sc_jsonw_str(&aa->w, pair->value->text);
    }
    close_obj(aa);
}

/* ---- channels */

static const char *const content_types[] = {
    [SC_FORMAT_AVRO] = "application/avro", [SC_FORMAT_PROTOBUF] = "application/protobuf",
    [SC_FORMAT_JSON] = "application/json"};

static void channel_open(struct asyncapi *aa, struct sc_str id, struct sc_str topic,
                         struct sc_str about)
{
    sc_jsonw_key(&aa->w, id);
    sc_jsonw_obj(&aa->w);
    put(aa, "address", topic);
    put(aa, "description", about);
    open_obj(aa, "bindings");
    open_obj(aa, "kafka");
    put(aa, "topic", topic);
    close_obj(aa);
    close_obj(aa);
    open_obj(aa, "messages");
}

static void channel_close(struct asyncapi *aa)
{
    close_obj(aa);
    close_obj(aa);
}

static void put_framing(struct asyncapi *aa, bool framed)
{
    open_obj(aa, "bindings");
    open_obj(aa, "kafka");
    if (framed) {
        putz(aa, "schemaIdLocation", "payload");
        putz(aa, "schemaIdPayloadEncoding", "confluent");
        putz(aa, "schemaLookupStrategy", "TopicIdStrategy");
    }
    close_obj(aa);
    close_obj(aa);
}

static struct sc_str source_id(struct asyncapi *aa, const struct sc_source *src)
{
    return sc_str_printf(aa->ar, "source_%.*s", SC_STR_FMT(src->name));
}

static void put_source(struct asyncapi *aa, const struct sc_source *src)
{
    channel_open(aa, source_id(aa, src), src->topic,
                 sc_str_printf(aa->ar, "Source '%.*s': what the dictionary reads of its records.",
                               SC_STR_FMT(src->name)));
    open_obj(aa, "record");
    putz(aa, "contentType", content_types[src->format]);
    put_source_payload(aa, src);
    put_framing(aa, src->framed && src->format != SC_FORMAT_JSON);
    put_source_events(aa, src);
    if (src->framed && src->format != SC_FORMAT_JSON)
        put(aa, "x-subject", src->subject.len ? src->subject
                                              : sc_str_printf(aa->ar, "%.*s-value",
                                                              SC_STR_FMT(src->topic)));
    put(aa, "x-schema-file", src->schema_file);
    close_obj(aa);
    channel_close(aa);
}

static void put_headers(struct asyncapi *aa)
{
    static const char *const names[] = {"ce_specversion", "ce_id", "ce_source", "ce_type",
                                        "ce_time", "ce_subject", "content-type", "traceparent"};
    const size_t n = sizeof(names) / sizeof(names[0]);
    open_obj(aa, "headers");
    put_types(aa, "object", NULL);
    open_obj(aa, "properties");
    for (size_t i = aa->st && !aa->st->topics.cloudevents ? n - 1 : 0; i < n; i++) {
        open_obj(aa, names[i]);
        put_types(aa, "string", NULL);
        close_obj(aa);
    }
    close_obj(aa);
    close_obj(aa);
}

/* JSON's schema stands as it is; the others in AsyncAPI's form of a schema in another language. */
static void put_outbound_payload(struct asyncapi *aa, enum sc_outbound kind, int32_t format)
{
    struct sc_str schema = sc_outbound_schema(kind, format);
    open_obj(aa, "payload");
    putz(aa, "schemaFormat",
         format == SC_FORMAT_AVRO       ? "application/vnd.apache.avro;version=1.9.0"
         : format == SC_FORMAT_PROTOBUF ? "application/vnd.google.protobuf;version=3"
                                        : "application/schema+json;version=draft-07");
    sc_jsonw_keyz(&aa->w, "schema");
    if (format == SC_FORMAT_PROTOBUF)
        sc_jsonw_str(&aa->w, schema);
    else
        sc_jsonw_raw(&aa->w, schema);
    close_obj(aa);
}

struct outbound {
    struct sc_str id, topic;
    enum sc_outbound kind;
    int32_t format;
    const char *about;
};

static void put_outbound(struct asyncapi *aa, const struct outbound *ob)
{
    channel_open(aa, ob->id, ob->topic, sc_str_from(ob->about));
    open_obj(aa, "record");
    putz(aa, "contentType", content_types[ob->format]);
    if (ob->kind != SC_OB_CUSTOMER)
        put_headers(aa);
    put_outbound_payload(aa, ob->kind, ob->format);
    put_framing(aa, ob->format != SC_FORMAT_JSON);
    close_obj(aa);
    channel_close(aa);
}

static uint32_t outbounds(struct asyncapi *aa, struct outbound out[SC_CHANNELS_MAX + 4])
{
    uint32_t n = 0;
    for (uint32_t c = 0; aa->jo && c < aa->jo->n_channels; c++) {
        const struct sc_channel *ch = &aa->jo->channels[c];
        out[n++] = (struct outbound){
            sc_str_printf(aa->ar, "triggers_%.*s", SC_STR_FMT(ch->name)), ch->topic, SC_OB_TRIGGER,
            ch->format, "Messages to be sent on this channel, and their withdrawals."};
    }
    if (aa->st == NULL)
        return n;
    const struct sc_topics_settings *t = &aa->st->topics;
    const struct {
        const char *id, *about;
        const struct sc_topic_settings *topic;
        enum sc_outbound kind;
    } fixed[] = {
        {"transitions", "Changes of stage, and milestones.", &t->transitions, SC_OB_TRANSITION},
        {"suppressed", "Messages not sent, with the reason and every gate's figures.",
         &t->suppressed, SC_OB_SUPPRESSED},
        {"identity", "Who became one customer with whom, and by what evidence.", &t->identity,
         SC_OB_IDENTITY},
        {"customers", "Each customer as it stands; compacted.", &t->customers, SC_OB_CUSTOMER}};
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (fixed[i].topic->on)
            out[n++] = (struct outbound){sc_str_from(fixed[i].id), fixed[i].topic->topic,
                                         fixed[i].kind, fixed[i].topic->format, fixed[i].about};
    return n;
}

/* ---- the document */

static void put_operation(struct asyncapi *aa, const char *action, struct sc_str channel)
{
    sc_jsonw_key(&aa->w, sc_str_printf(aa->ar, "%s_%.*s", action, SC_STR_FMT(channel)));
    sc_jsonw_obj(&aa->w);
    putz(aa, "action", action);
    open_obj(aa, "channel");
    put(aa, "$ref", sc_str_printf(aa->ar, "#/channels/%.*s", SC_STR_FMT(channel)));
    close_obj(aa);
    close_obj(aa);
}

static void put_info(struct asyncapi *aa)
{
    open_obj(aa, "info");
    put(aa, "title", aa->jo ? aa->jo->name : aa->tx->name);
    put(aa, "version", aa->tx->version);
    putz(aa, "description", "Topics of a Stagecoach deployment: what its sources are read for, and "
                            "what it publishes. Readers need isolation.level=read_committed.");
    close_obj(aa);
}

void sc_taxonomy_asyncapi(const struct sc_taxonomy *tx, const struct sc_journey *jo,
                          const struct sc_settings *st, struct sc_arena *ar, struct sc_buf *out)
{
    struct asyncapi aa = {.tx = tx, .jo = jo, .st = st, .ar = ar};
    struct outbound obs[SC_CHANNELS_MAX + 4];
    uint32_t n = outbounds(&aa, obs);
    SC_ASSERT(n <= SC_CHANNELS_MAX + 4);
    sc_jsonw_init(&aa.w, out);
    sc_jsonw_obj(&aa.w);
    putz(&aa, "asyncapi", "3.0.0");
    put_info(&aa);
    open_obj(&aa, "channels");
    for (uint32_t i = 0; i < tx->n_sources; i++)
        put_source(&aa, &tx->sources[i]);
    for (uint32_t i = 0; i < n; i++)
        put_outbound(&aa, &obs[i]);
    close_obj(&aa);
    open_obj(&aa, "operations");
    for (uint32_t i = 0; i < tx->n_sources; i++)
        put_operation(&aa, "receive", source_id(&aa, &tx->sources[i]));
    for (uint32_t i = 0; i < n; i++)
        put_operation(&aa, "send", obs[i].id);
    close_obj(&aa);
    open_obj(&aa, "components");
    open_obj(&aa, "schemas");
    for (uint32_t e = 0; e < tx->n_events; e++)
        put_event(&aa, &tx->events[e]);
    close_obj(&aa);
    close_obj(&aa);
    sc_jsonw_obj_end(&aa.w);
    sc_buf_char(out, '\n');
}
