/* Sources: how their records map onto events, and the canonical layout that files have.
 *
 * A source without `event:` has the canonical layout; what it writes besides overrides single
 * places. Every declared property of an event that can come from a source gets a mapping, so that
 * intake has one loop and no special case. */
#include "base/assert.h"
#include "base/hash.h"
#include "core/taxonomy/intake.h"
#include "core/taxonomy/load.h"

/* ---- Single places */

/* What was meant by a text where a path belongs. */
static struct sc_str as_path(struct sc_tx_load *ld, const struct sc_mapping *m)
{
    if (m->op != SC_MAP_CONST || m->constant.type != SC_T_STRING)
        return SC_STR_NULL;
    return sc_str_printf(ld->ar, "a path is written $.%.*s",
                         SC_STR_FMT(sc_value_str(m->constant)));
}

/* Event name, id and identifiers: a text, no figures. */
static bool load_text_place(struct sc_tx_load *ld, struct sc_node *node, const char *what,
                            struct sc_mapping *out)
{
    if (!sc_tx_mapping(ld, node, out))
        return false;
    const char *fault = NULL;
    if (out->op != SC_MAP_PATH && out->op != SC_MAP_FIRST)
        fault = "is a path, or first() of one";
    else if (out->unit != SC_UNIT_DEFAULT || out->scale != 0)
        fault = "has no unit and no scale";
    if (fault != NULL)
        SC_TX_ERROR(ld, "bad-mapping", node->mark, "%s %s", what, fault)->hint = as_path(ld, out);
    return fault == NULL;
}

static bool load_time_place(struct sc_tx_load *ld, struct sc_node *node, const char *what,
                            struct sc_mapping *out)
{
    if (!sc_tx_mapping(ld, node, out))
        return false;
    const char *fault = NULL;
    if (out->op != SC_MAP_PATH && out->op != SC_MAP_FIRST)
        fault = "is a path, or first() of one";
    else if (out->scale != 0)
        fault = "has a `unit` (s, ms, us, ns), no `scale`";
    else if (out->op == SC_MAP_PATH && sc_tx_path_is_list(&out->path))
        fault = "is one time: first($…[*]…)";
    if (fault != NULL)
        SC_TX_ERROR(ld, "bad-mapping", node->mark, "%s %s", what, fault)->hint = as_path(ld, out);
    return fault == NULL;
}

/* A place that is one text. */
static void load_one_text(struct sc_tx_load *ld, struct sc_node *node, const char *what,
                          struct sc_mapping *out)
{
    if (load_text_place(ld, node, what, out) && out->op == SC_MAP_PATH &&
        sc_tx_path_is_list(&out->path))
        SC_TX_ERROR(ld, "bad-mapping", node->mark, "%s is one text: first($…[*]…)", what);
}

static void missing_place(struct sc_tx_load *ld, const struct sc_source *s, const char *key,
                          const char *why)
{
    SC_TX_ERROR(ld, "missing-key", s->at->mark, "source '%.*s' maps `event` but not `%s`: %s",
                SC_STR_FMT(s->name), key, why);
}

static struct sc_mapping constant_text(struct sc_str text)
{
    return (struct sc_mapping){
        .op = SC_MAP_CONST, .constant = sc_string(text), .slot = SC_SLOT_NONE};
}

/* A path to the name, or the name: then it must be one the taxonomy has. */
static void load_event_name(struct sc_tx_load *ld, struct sc_tx_source_doc *doc)
{
    struct sc_node *node = doc->event;
    SC_ASSERT(node != NULL);
    bool path = node->kind != SC_NODE_SCALAR || sc_str_starts(node->text, SC_STR("$")) ||
                sc_str_starts(node->text, SC_STR("first("));
    if (path) {
        load_one_text(ld, node, "the event's name", &doc->s.event);
        return;
    }
    doc->s.event = constant_text(node->text);
    if (sc_taxonomy_event(ld->tx, node->text) >= 0)
        return;
    struct sc_finding *f = sc_tx_unknown_event(ld, node->text, node);
    if (f->hint.len == 0)
        f->hint = sc_str_printf(ld->ar, "a path to where records name it is written $.%.*s",
                                SC_STR_FMT(node->text));
}

static void load_places(struct sc_tx_load *ld, struct sc_tx_source_doc *doc)
{
    struct sc_source *s = &doc->s;
    s->event = sc_tx_default_mapping(ld->ar, SC_STR("event"), SC_STR_NULL);
    s->id = sc_tx_default_mapping(ld->ar, SC_STR("id"), SC_STR_NULL);
    s->occurred_at = sc_tx_default_mapping(ld->ar, SC_STR("occurred_at"), SC_STR_NULL);
    if (doc->event != NULL)
        load_event_name(ld, doc);
    if (doc->id != NULL)
        load_one_text(ld, doc->id, "the id", &s->id);
    else if (doc->event != NULL)
        missing_place(ld, s, "id", "copies are known by it");
    if (doc->occurred_at != NULL)
        load_time_place(ld, doc->occurred_at, "occurred_at", &s->occurred_at);
    else if (doc->event != NULL)
        missing_place(ld, s, "occurred_at", "every event has a time");
    s->has_sent_received = doc->sent_at != NULL && doc->received_at != NULL;
    if (doc->sent_at != NULL)
        load_time_place(ld, doc->sent_at, "sent_at", &s->sent_at);
    if (doc->received_at != NULL)
        load_time_place(ld, doc->received_at, "received_at", &s->received_at);
    struct sc_node *alone = doc->sent_at != NULL ? doc->sent_at : doc->received_at;
    if (alone != NULL && !s->has_sent_received)
        SC_TX_ERROR(ld, "missing-key", alone->mark,
                    "a clock's skew needs both `sent_at` and `received_at`");
}

/* ---- Identifiers and event names */

static bool is_map(struct sc_tx_load *ld, struct sc_node *node, const char *what)
{
    if (node->kind == SC_NODE_MAP)
        return true;
    SC_TX_ERROR(ld, "bad-mapping", node->mark, "%s", what);
    return false;
}

static int namespace_ref(struct sc_tx_load *ld, struct sc_node *at)
{
    const struct sc_taxonomy *tx = ld->tx;
    SC_ASSERT(at != NULL && at->kind == SC_NODE_SCALAR);
    int index = sc_taxonomy_namespace(tx, at->text);
    if (index >= 0)
        return index;
    struct sc_str names[SC_NAMESPACES_MAX];
    for (uint32_t i = 0; i < tx->n_namespaces; i++)
        names[i] = tx->namespaces[i].name;
    struct sc_finding *f = SC_TX_ERROR(ld, "unknown-namespace", at->mark,
                                       "there is no namespace '%.*s'", SC_STR_FMT(at->text));
    sc_diag_suggest(ld->dg, f, at->text, names, tx->n_namespaces);
    return -1;
}

static void default_identifiers(struct sc_tx_load *ld, struct sc_source *s)
{
    const struct sc_taxonomy *tx = ld->tx;
    SC_ASSERT(s->n_idents == 0);
    s->idents = SC_NEW_N(ld->ar, struct sc_source_ident, tx->n_namespaces);
    for (uint32_t i = 0; i < tx->n_namespaces; i++)
        s->idents[s->n_idents++] = (struct sc_source_ident){
            (uint8_t)i,
            sc_tx_default_mapping(ld->ar, SC_STR("identifiers"), tx->namespaces[i].name)};
}

static void load_identifiers(struct sc_tx_load *ld, struct sc_tx_source_doc *doc)
{
    struct sc_source *s = &doc->s;
    struct sc_node *map = doc->identifiers;
    if (map == NULL && s->canonical) {
        default_identifiers(ld, s);
        return;
    }
    if (map == NULL || (map->kind == SC_NODE_MAP && map->n == 0)) {
        sc_diag_add(ld->dg, SC_WARNING, "no-identifiers", s->at->mark,
                    "source '%.*s' maps no identifier: its events count for no customer",
                    SC_STR_FMT(s->name));
        return;
    }
    if (!is_map(ld, map, "`identifiers` maps namespaces to paths"))
        return;
    s->idents = SC_NEW_N(ld->ar, struct sc_source_ident, map->n);
    for (uint32_t i = 0; i < map->n; i++) {
        int ns = namespace_ref(ld, map->pairs[i].key);
        struct sc_mapping m;
        if (load_text_place(ld, map->pairs[i].value, "an identifier", &m) && ns >= 0)
            s->idents[s->n_idents++] = (struct sc_source_ident){(uint8_t)ns, m};
    }
}

/* Its one event is none, which was said: what follows from that is not said again. */
static bool event_unknown(const struct sc_tx_load *ld, const struct sc_source *s)
{
    return s->event.op == SC_MAP_CONST &&
           sc_taxonomy_event(ld->tx, sc_value_str(s->event.constant)) < 0;
}

static void load_renames(struct sc_tx_load *ld, struct sc_tx_source_doc *doc)
{
    struct sc_source *s = &doc->s;
    struct sc_node *map = doc->events;
    sc_map_init(&s->renames, ld->ar);
    if (map == NULL || !is_map(ld, map, "`events` maps the source's names to the taxonomy's"))
        return;
    s->renamed = map;
    if (s->event.op == SC_MAP_CONST && !event_unknown(ld, s))
        SC_TX_ERROR(ld, "bad-mapping", map->mark,
                    "`event` is a constant here: no record's name is ever looked up");
    for (uint32_t i = 0; i < map->n; i++) {
        struct sc_node *to = map->pairs[i].value;
        if (to->kind != SC_NODE_SCALAR) {
            SC_TX_ERROR(ld, "bad-mapping", to->mark, "an event's name belongs here");
            continue;
        }
        int event = sc_tx_event_ref(ld, to->text, to);
        struct sc_event_ref *ref = SC_NEW(ld->ar, struct sc_event_ref);
        ref->index = (uint16_t)(event >= 0 ? event : 0);
        sc_map_put(&s->renames, map->pairs[i].key->text, ref);
    }
}

/* ---- Properties */

static bool is_number_type(uint8_t type)
{
    return type == SC_T_INT || type == SC_T_DECIMAL || type == SC_T_DOUBLE;
}

/* What is wrong with reading this property so, or NULL. */
static const char *property_fault(const struct sc_property *p, const struct sc_mapping *m)
{
    bool list = p->type == SC_T_LIST;
    SC_ASSERT(m->op == SC_MAP_CONST || m->path.n > 0);
    uint8_t type = list || p->type == SC_T_MAP ? p->element : p->type;
    bool ordered = is_number_type(type) || type == SC_T_DURATION || type == SC_T_TIMESTAMP;
    if (list && m->op != SC_MAP_PATH && m->op != SC_MAP_CONST)
        return "an aggregate is one value, the property is a list";
    if (m->op == SC_MAP_PATH && sc_tx_path_is_list(&m->path) && !list)
        return "a path with [*] is a list: take first() or another aggregate of it";
    if (m->op == SC_MAP_COUNT && !is_number_type(type))
        return "count() is a number";
    if (m->op == SC_MAP_SUM && !is_number_type(type) && type != SC_T_DURATION)
        return "sum() is for numbers and durations";
    if ((m->op == SC_MAP_MIN || m->op == SC_MAP_MAX) && !ordered && type != SC_T_STRING)
        return "min() and max() need values with an order";
    if (m->op == SC_MAP_ANY && type != SC_T_BOOL)
        return "any() is true when one of its values is: the property must be bool";
    if (m->unit != SC_UNIT_DEFAULT && type != SC_T_TIMESTAMP && type != SC_T_DURATION)
        return "`unit` is for timestamps and durations";
    if (m->scale != 0 && type != SC_T_DECIMAL && type != SC_T_DOUBLE)
        return "`scale` shifts decimals and doubles";
    int32_t digits = p->scale + m->scale;
    if (m->scale != 0 && type == SC_T_DECIMAL && (digits < 0 || digits > SC_DECIMAL_DIGITS))
        return "this shift does not fit the property's scale";
    return NULL;
}

static void load_property(struct sc_tx_load *ld, const struct sc_property *p, struct sc_node *node,
                          struct sc_mapping *out)
{
    struct sc_mapping m;
    char type[32];
    if (!sc_tx_mapping(ld, node, &m) || p->type == SC_T_ABSENT)
        return;
    const char *fault = property_fault(p, &m);
    if (fault != NULL) {
        SC_TX_ERROR(ld, "bad-mapping", node->mark, "%s", fault)->decl = p->at->mark;
        return;
    }
    *out = m;
    if (m.op != SC_MAP_CONST)
        return;
    enum sc_drop drop = sc_intake_property(p, NULL, NULL, ld->ar, &out->constant);
    if (drop != SC_DROP_NONE)
        SC_TX_ERROR(ld, "bad-constant", node->mark, "%s: '%.*s' is %s", sc_drop_text(drop),
                    SC_STR_FMT(p->name), sc_property_type_text(p, type))
            ->decl = p->at->mark;
}

static void default_properties(struct sc_tx_load *ld, struct sc_source *s, uint32_t event)
{
    SC_ASSERT(event < ld->tx->n_events);
    const struct sc_event_type *et = &ld->tx->events[event];
    struct sc_source_event *se = &s->events[event];
    se->n = et->n_props;
    se->props = SC_NEW_N(ld->ar, struct sc_source_prop, et->n_props);
    for (uint32_t i = 0; i < et->n_props; i++) {
        struct sc_str name = et->props[i].name;
        se->props[i].prop = (uint16_t)i;
        se->props[i].map = s->canonical ? sc_tx_default_mapping(ld->ar, SC_STR("properties"), name)
                                        : sc_tx_default_mapping(ld->ar, name, SC_STR_NULL);
    }
}

/* Before the overrides: one mapping for each property of each event that can come from here. */
static void load_defaults(struct sc_tx_load *ld, struct sc_source *s)
{
    struct sc_taxonomy *tx = ld->tx;
    SC_ASSERT(s->event.op == SC_MAP_CONST || s->event.op == SC_MAP_PATH ||
              s->event.op == SC_MAP_FIRST || ld->dg->errors > 0);
    s->events = SC_NEW_N(ld->ar, struct sc_source_event, tx->n_events);
    int only = -1;
    if (s->event.op == SC_MAP_CONST)
        only = sc_taxonomy_event(tx, sc_value_str(s->event.constant));
    for (uint32_t i = 0; i < tx->n_events; i++)
        if (s->event.op != SC_MAP_CONST || (int)i == only)
            default_properties(ld, s, i);
}

static void load_properties(struct sc_tx_load *ld, struct sc_tx_source_doc *doc)
{
    struct sc_source *s = &doc->s;
    struct sc_node *map = doc->properties;
    load_defaults(ld, s);
    if (map == NULL || !is_map(ld, map, "`properties` maps events to their properties' paths"))
        return;
    for (uint32_t i = 0; i < map->n; i++) {
        struct sc_node *key = map->pairs[i].key, *props = map->pairs[i].value;
        int event = sc_tx_event_ref(ld, key->text, key);
        if (event < 0 || !is_map(ld, props, "the properties of an event map to paths"))
            continue;
        const struct sc_event_type *et = &ld->tx->events[event];
        struct sc_source_event *se = &s->events[event];
        if (se->n < et->n_props && !event_unknown(ld, s))
            SC_TX_ERROR(ld, "bad-mapping", key->mark,
                        "this event cannot come from here: the source's `event` is another");
        for (uint32_t j = 0; j < props->n; j++) {
            int prop = sc_tx_property_ref(ld, et, props->pairs[j].key->text, props->pairs[j].key);
            if (prop >= 0 && se->n == et->n_props)
                load_property(ld, &et->props[prop], props->pairs[j].value, &se->props[prop].map);
        }
    }
}

/* ---- Reading */

static void load_schema(struct sc_tx_load *ld, struct sc_tx_source_doc *doc)
{
    struct sc_source *s = &doc->s;
    struct sc_str file = s->schema_file;
    s->framed = file.len == 0;
    SC_ASSERT(s->framed || doc->s.schema_at != NULL);
    bool avsc = sc_str_ends(file, SC_STR(".avsc"));
    bool proto = sc_str_ends(file, SC_STR(".proto")), desc = sc_str_ends(file, SC_STR(".desc"));
    const char *want = NULL;
    if (s->format == SC_FORMAT_AVRO && !avsc)
        want = "an Avro schema file ends in .avsc";
    if (s->format == SC_FORMAT_PROTOBUF && !proto && !desc)
        want = "a Protobuf schema file ends in .proto, or .desc for a descriptor set";
    if (want != NULL && sc_tx_is_text(doc->s.schema_at))
        SC_TX_ERROR(ld, "bad-schema", doc->s.schema_at->mark, "%s", want);
    if (s->format == SC_FORMAT_PROTOBUF && !s->framed && doc->message_at == NULL)
        SC_TX_ERROR(ld, "missing-key", doc->s.schema_at->mark,
                    "unframed Protobuf does not say which message it is: add `message:`");
    if (s->format != SC_FORMAT_PROTOBUF && doc->message_at != NULL)
        SC_TX_ERROR(ld, "bad-schema", doc->message_at->mark, "`message` is for Protobuf");
}

static void load_start(struct sc_tx_load *ld, struct sc_tx_source_doc *doc)
{
    struct sc_source *s = &doc->s;
    s->start = SC_START_TIME;
    if (sc_str_eqz(doc->start, "earliest"))
        s->start = SC_START_EARLIEST;
    else if (sc_str_eqz(doc->start, "latest"))
        s->start = SC_START_LATEST;
    else if (sc_tx_is_text(doc->start_at) && !sc_time_parse(doc->start, NULL, &s->start_ms, NULL))
        SC_TX_ERROR(ld, "bad-start", doc->start_at->mark,
                    "start is earliest, latest, or a time such as 2026-03-02T00:00:00Z");
}

static void load_zone(struct sc_tx_load *ld, struct sc_tx_source_doc *doc)
{
    if (!sc_tx_is_text(doc->zone_at))
        return;
    doc->s.zone = sc_tz_load(doc->zone);
    if (doc->s.zone == NULL)
        SC_TX_ERROR(ld, "unknown-zone", doc->zone_at->mark, "there is no time zone '%.*s'",
                    SC_STR_FMT(doc->zone));
}

static void check_topic(struct sc_tx_load *ld, const struct sc_tx_source_doc *doc, uint32_t before)
{
    const struct sc_tx_source_doc *docs = ld->doc->sources.v;
    if (!sc_tx_is_text(doc->s.topic_at))
        return;
    sc_bind_topic(doc->s.topic, doc->s.topic_at->mark, ld->dg);
    for (uint32_t i = 0; i < before; i++)
        if (sc_str_eq(docs[i].s.topic, doc->s.topic))
            SC_TX_ERROR(ld, "duplicate-name", doc->s.topic_at->mark,
                        "source '%.*s' already reads this topic", SC_STR_FMT(docs[i].s.name))
                ->decl = docs[i].s.at->mark;
}

static void load_source(struct sc_tx_load *ld, struct sc_tx_source_doc *doc)
{
    struct sc_source *s = &doc->s;
    struct sc_node **const free_values[] = {&doc->event,       &doc->id,          &doc->occurred_at,
                                            &doc->sent_at,     &doc->received_at, &doc->events,
                                            &doc->identifiers, &doc->properties};
    for (size_t i = 0; i < sizeof(free_values) / sizeof(free_values[0]); i++)
        *free_values[i] = sc_tx_given(*free_values[i]);
    s->hash = sc_hash_name(s->name);
    s->canonical = doc->event == NULL;
    s->named = constant_text(s->name);
    load_schema(ld, doc);
    load_start(ld, doc);
    load_zone(ld, doc);
    load_places(ld, doc);
    load_identifiers(ld, doc);
    load_renames(ld, doc);
    load_properties(ld, doc);
}

/* What files of JSON lines are read with: no topic, any source name, the taxonomy's own names. */
static void load_canonical(struct sc_tx_load *ld)
{
    struct sc_tx_source_doc doc = {
        .s = {.format = SC_FORMAT_JSON, .canonical = true, .unknown = SC_UNKNOWN_DEAD_LETTER}};
    load_places(ld, &doc);
    doc.s.named = sc_tx_default_mapping(ld->ar, SC_STR("source"), SC_STR_NULL);
    default_identifiers(ld, &doc.s);
    sc_map_init(&doc.s.renames, ld->ar);
    load_defaults(ld, &doc.s);
    ld->tx->canonical = doc.s;
}

void sc_tx_load_sources(struct sc_tx_load *ld)
{
    struct sc_taxonomy *tx = ld->tx;
    struct sc_tx_source_doc *docs = ld->doc->sources.v;
    load_canonical(ld);
    tx->n_sources = ld->doc->sources.n;
    if (tx->n_sources > SC_SOURCES_MAX) {
        sc_tx_over(ld, sc_tx_key(ld->doc->sources_at, docs[SC_SOURCES_MAX].s.name), tx->n_sources,
                   SC_SOURCES_MAX, "sources");
        tx->n_sources = SC_SOURCES_MAX;
    }
    struct sc_tx_hashed *names = SC_NEW_N(ld->ar, struct sc_tx_hashed, tx->n_sources);
    tx->sources = SC_NEW_N(ld->ar, struct sc_source, tx->n_sources);
    for (uint32_t i = 0; i < tx->n_sources; i++) {
        struct sc_source *s = &docs[i].s;
        s->at = sc_tx_key(ld->doc->sources_at, s->name);
        sc_tx_check_name(ld, "a source", s->name, s->at);
        check_topic(ld, &docs[i], i);
        load_source(ld, &docs[i]);
        tx->sources[i] = *s;
        names[i] = (struct sc_tx_hashed){s->hash, s->name, s->at};
    }
    sc_tx_check_hashes(ld, "sources", names, tx->n_sources);
}
