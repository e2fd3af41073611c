/* Events: properties with types and bounds, roles, aliases. */
#include "base/assert.h"
#include "base/hash.h"
#include "core/taxonomy/intake.h"
#include "core/taxonomy/load.h"

/* A bound, read as a value of the property by intake's own conversions. */
static bool load_bound(struct sc_tx_load *ld, const struct sc_property *p, struct sc_node *node,
                       struct sc_value *out)
{
    SC_ASSERT(node != NULL && p->type != SC_T_ABSENT);
    struct sc_property one = {.name = p->name, .type = p->type, .scale = p->scale};
    if (p->type == SC_T_LIST || p->type == SC_T_MAP)
        one.type = p->element;
    if (one.type == SC_T_STRING || one.type == SC_T_BOOL || one.type == SC_T_BYTES) {
        SC_TX_ERROR(ld, "bad-bound", node->mark,
                    "min and max are for numbers, times and durations");
        return false;
    }
    *out = sc_tx_literal(node, ld->ar);
    enum sc_drop drop = sc_intake_property(&one, NULL, NULL, ld->ar, out);
    if (drop == SC_DROP_NONE && sc_is_value(*out))
        return true;
    SC_TX_ERROR(ld, "bad-bound", node->mark, "this is no %s%s",
                sc_type_name((enum sc_type)one.type),
                drop == SC_DROP_DECIMAL_DIGITS ? " at the property's scale" : "");
    return false;
}

/* What `event.x` means before any property (docs/expressions.md). */
static bool is_event_field(struct sc_str name)
{
    return sc_str_eqz(name, "name") || sc_str_eqz(name, "id") || sc_str_eqz(name, "source") ||
           sc_str_eqz(name, "occurred_at");
}

static void load_property(struct sc_tx_load *ld, struct sc_tx_property_doc *pd)
{
    struct sc_property *p = &pd->p;
    p->hash = sc_hash_name(p->name);
    if (is_event_field(p->name))
        sc_diag_add(ld->dg, SC_WARNING, "hidden-property", p->at->mark,
                    "rules read event.%.*s as the event's own %.*s, never this property",
                    SC_STR_FMT(p->name), SC_STR_FMT(p->name));
    p->scale = (uint8_t)pd->scale;
    if (!sc_tx_is_text(pd->type_at) || !sc_tx_type(ld, pd))
        return;
    if (pd->scale_at != NULL && p->type != SC_T_DECIMAL && p->element != SC_T_DECIMAL)
        SC_TX_ERROR(ld, "bad-type", pd->scale_at->mark, "`scale` is for decimals");
    pd->min = sc_tx_given(pd->min);
    pd->max = sc_tx_given(pd->max);
    p->has_min = pd->min != NULL && load_bound(ld, p, pd->min, &p->min);
    p->has_max = pd->max != NULL && load_bound(ld, p, pd->max, &p->max);
    if (p->has_min && p->has_max && sc_value_cmp(p->min, p->max) > 0)
        SC_TX_ERROR(ld, "bad-bound", pd->min->mark, "min is larger than max: nothing is valid");
}

static void load_properties(struct sc_tx_load *ld, struct sc_tx_event_doc *doc)
{
    struct sc_event_type *et = &doc->et;
    struct sc_tx_property_doc *docs = doc->props.v;
    SC_ASSERT(doc->props.n == 0 || (docs != NULL && doc->props_at != NULL));
    et->n_props = doc->props.n;
    if (et->n_props > SC_PROPERTIES_MAX) {
        const struct sc_node *first = sc_tx_key(doc->props_at, docs[SC_PROPERTIES_MAX].p.name);
        sc_diag_over(ld->dg, &(struct sc_over){first->mark, et->n_props - SC_PROPERTIES_MAX},
                     "an event has", SC_PROPERTIES_MAX, "properties");
        et->n_props = SC_PROPERTIES_MAX;
    }
    struct sc_tx_hashed *names = SC_NEW_N(ld->ar, struct sc_tx_hashed, et->n_props);
    et->props = SC_NEW_N(ld->ar, struct sc_property, et->n_props);
    for (uint32_t i = 0; i < et->n_props; i++) {
        docs[i].p.at = sc_tx_key(doc->props_at, docs[i].p.name);
        sc_tx_check_name(ld, "a property", docs[i].p.name, docs[i].p.at);
        load_property(ld, &docs[i]);
        et->props[i] = docs[i].p;
        names[i] = (struct sc_tx_hashed){docs[i].p.hash, docs[i].p.name, docs[i].p.at};
    }
    sc_tx_check_hashes(ld, "properties", names, et->n_props);
}

/* ---- Roles */

/* What each role reads: the usual property name, its type, and which roles cannot do without. */
static const struct role_field {
    const char *name;
    enum sc_type type;
    uint32_t roles;    /* bit by enum sc_role: read for it */
    uint32_t required; /* bit by enum sc_role: cannot do without */
} role_fields[SC_RF_COUNT] = {
#define ROLE(r) (1u << SC_ROLE_##r)
    [SC_RF_PURPOSE] = {"purpose", SC_T_STRING, ROLE(CONSENT), ROLE(CONSENT)},
    [SC_RF_GRANTED] = {"granted", SC_T_BOOL, ROLE(CONSENT), ROLE(CONSENT)},
    [SC_RF_AT] = {"at", SC_T_TIMESTAMP, ROLE(CONSENT), 0},
    [SC_RF_EVIDENCE] = {"evidence", SC_T_STRING, ROLE(CONSENT), 0},
    [SC_RF_CHANNEL] = {"channel", SC_T_STRING, ROLE(PREFERENCE) | ROLE(INBOUND), 0},
    [SC_RF_TIMEZONE] = {"timezone", SC_T_STRING, ROLE(PREFERENCE), 0},
    [SC_RF_FREQUENCY] = {"frequency", SC_T_INT, ROLE(PREFERENCE), 0},
    [SC_RF_LANGUAGE] = {"language", SC_T_STRING, ROLE(PREFERENCE), 0},
    [SC_RF_UNTIL] = {"until", SC_T_TIMESTAMP, ROLE(SNOOZE), ROLE(SNOOZE)},
#undef ROLE
};

/* An event that says its role and no properties means the role's own: `{ role: preference }`. The
 * optional at and evidence are not among them: a source may well call something else `at`. */
static void imply_properties(struct sc_tx_load *ld, struct sc_tx_event_doc *doc)
{
    struct sc_event_type *et = &doc->et;
    SC_ASSERT(et->role >= SC_ROLE_NONE && et->role <= SC_ROLE_INBOUND);
    uint32_t bit = 1u << et->role;
    bool whole =
        et->role == SC_ROLE_PREFERENCE || (et->role == SC_ROLE_INBOUND && et->channel.len == 0);
    if (doc->props_at != NULL || sc_tx_given(doc->roles) != NULL)
        return;
    et->props = SC_NEW_N(ld->ar, struct sc_property, SC_RF_COUNT);
    for (int i = 0; i < SC_RF_COUNT; i++) {
        const struct role_field *rf = &role_fields[i];
        if (!(rf->required & bit) && !(whole && (rf->roles & bit)))
            continue;
        struct sc_str name = sc_str_from(rf->name);
        et->props[et->n_props++] = (struct sc_property){.name = name,
                                                        .hash = sc_hash_name(name),
                                                        .type = (uint8_t)rf->type,
                                                        .required = (rf->required & bit) != 0,
                                                        .at = doc->role_at};
    }
}

static int role_field_named(struct sc_str name, int32_t role)
{
    for (int i = 0; i < SC_RF_COUNT; i++)
        if (sc_str_eqz(name, role_fields[i].name) && (role_fields[i].roles & 1u << role))
            return i;
    return -1;
}

/* `roles: { purpose: $topic }`: field names to the names of properties; `$` may be left out. */
static void override_roles(struct sc_tx_load *ld, struct sc_tx_event_doc *doc)
{
    struct sc_node *map = doc->roles;
    if (map->kind != SC_NODE_MAP) {
        SC_TX_ERROR(ld, "role-field", map->mark, "`roles` maps a role's names to properties");
        return;
    }
    for (uint32_t i = 0; i < map->n; i++) {
        struct sc_node *key = map->pairs[i].key, *value = map->pairs[i].value;
        int field = role_field_named(key->text, doc->et.role);
        if (field < 0) {
            SC_TX_ERROR(ld, "role-field", key->mark, "this role reads no '%.*s'",
                        SC_STR_FMT(key->text));
            continue;
        }
        if (value->kind != SC_NODE_SCALAR) {
            SC_TX_ERROR(ld, "role-field", value->mark, "the name of a property belongs here");
            continue;
        }
        struct sc_str name = value->text;
        if (sc_str_starts(name, SC_STR("$")))
            name = (struct sc_str){name.p + 1, name.len - 1};
        doc->et.role_field[field] = (int16_t)sc_tx_property_ref(ld, &doc->et, name, value);
    }
}

static void check_role_field(struct sc_tx_load *ld, struct sc_tx_event_doc *doc, int field)
{
    struct sc_event_type *et = &doc->et;
    const struct role_field *rf = &role_fields[field];
    int16_t prop = et->role_field[field];
    SC_ASSERT(prop < (int16_t)et->n_props);
    SC_ASSERT(doc->role_at != NULL); /* no role reads no field */
    if (prop < 0) {
        if (rf->required & 1u << et->role)
            SC_TX_ERROR(ld, "role-field", doc->role_at->mark,
                        "this role needs a property '%s' of type %s; `roles: { %s: $name }` "
                        "names another",
                        rf->name, sc_type_name(rf->type), rf->name);
        return;
    }
    struct sc_property *p = &et->props[prop];
    p->engine_reads = true;
    if (p->type != rf->type && p->type != SC_T_ABSENT)
        SC_TX_ERROR(ld, "role-field", p->at->mark,
                    "the role's '%s' is read from here: its type must be %s", rf->name,
                    sc_type_name(rf->type));
}

static void load_role(struct sc_tx_load *ld, struct sc_tx_event_doc *doc)
{
    struct sc_event_type *et = &doc->et;
    uint32_t bit = 1u << et->role;
    unsigned found = 0;
    for (int i = 0; i < SC_RF_COUNT; i++)
        et->role_field[i] = -1;
    for (int i = 0; i < SC_RF_COUNT; i++)
        if (role_fields[i].roles & bit)
            et->role_field[i] = (int16_t)sc_event_type_prop(et, sc_str_from(role_fields[i].name));
    if (sc_tx_given(doc->roles) != NULL)
        override_roles(ld, doc);
    for (int i = 0; i < SC_RF_COUNT; i++) {
        if (role_fields[i].roles & bit)
            check_role_field(ld, doc, i);
        found += et->role_field[i] >= 0;
    }
    if (et->role == SC_ROLE_PREFERENCE && found == 0)
        SC_TX_ERROR(ld, "role-field", doc->role_at->mark,
                    "a preference has at least one of channel, timezone, frequency, language");
    if (et->role == SC_ROLE_INBOUND && found == 0 && et->channel.len == 0)
        SC_TX_ERROR(ld, "role-field", doc->role_at->mark,
                    "an inbound message has a channel: a property, or `channel:` of the event");
}

static void load_value(struct sc_tx_load *ld, struct sc_tx_event_doc *doc)
{
    doc->et.value = -1;
    if (!sc_tx_is_text(doc->value_at))
        return;
    int prop = sc_tx_property_ref(ld, &doc->et, doc->value, doc->value_at);
    if (prop < 0)
        return;
    struct sc_property *p = &doc->et.props[prop];
    p->engine_reads = true;
    doc->et.value = (int16_t)prop;
    if (p->type != SC_T_DECIMAL && p->type != SC_T_INT && p->type != SC_T_DOUBLE &&
        p->type != SC_T_ABSENT)
        SC_TX_ERROR(ld, "bad-type", doc->value_at->mark, "the event's value must be a number")
            ->decl = p->at->mark;
}

/* ---- Names */

static void put_name(struct sc_tx_load *ld, struct sc_str name, struct sc_node *at,
                     struct sc_event_ref ref)
{
    struct sc_event_ref *kept = SC_NEW(ld->ar, struct sc_event_ref);
    *kept = ref;
    struct sc_event_ref *other = sc_map_get(&ld->tx->event_by_name, name);
    SC_ASSERT(at != NULL && ref.index < ld->tx->n_events);
    if (other == NULL) {
        sc_map_put(&ld->tx->event_by_name, name, kept);
        return;
    }
    SC_TX_ERROR(ld, "duplicate-name", at->mark, "'%.*s' already names an event", SC_STR_FMT(name))
        ->decl = ld->tx->events[other->index].at->mark;
}

static void load_aliases(struct sc_tx_load *ld, const struct sc_tx_event_doc *doc, uint16_t index)
{
    struct sc_event_type *et = &ld->tx->events[index];
    const struct sc_tx_alias_doc *docs = doc->aliases.v;
    SC_ASSERT(sc_str_eq(et->name, doc->et.name));
    et->aliases = SC_NEW_N(ld->ar, struct sc_alias, doc->aliases.n);
    for (uint32_t i = 0; i < doc->aliases.n; i++) {
        if (!sc_tx_is_text(docs[i].name_at))
            continue;
        et->aliases[et->n_aliases++] = docs[i].alias;
        put_name(ld, docs[i].alias.name, docs[i].name_at, (struct sc_event_ref){index, true});
        if (!sc_tx_is_text(docs[i].until_at))
            continue;
        if (!sc_tx_semver_ok(docs[i].alias.until))
            SC_TX_ERROR(ld, "bad-version", docs[i].until_at->mark,
                        "a version has three numbers: 4.0.0");
        else if (sc_tx_semver_ok(ld->tx->version) &&
                 sc_tx_semver_cmp(ld->tx->version, docs[i].alias.until) >= 0)
            SC_TX_ERROR(ld, "alias-over", docs[i].name_at->mark,
                        "alias '%.*s' ends with version %.*s, this is %.*s: remove it, or move "
                        "`until`",
                        SC_STR_FMT(docs[i].alias.name), SC_STR_FMT(docs[i].alias.until),
                        SC_STR_FMT(ld->tx->version));
    }
}

void sc_tx_load_events(struct sc_tx_load *ld)
{
    const struct sc_tx_doc *doc = ld->doc;
    struct sc_tx_event_doc *docs = doc->events.v;
    struct sc_taxonomy *tx = ld->tx;
    sc_map_init(&tx->event_by_name, ld->ar);
    tx->n_events = doc->events.n;
    if (tx->n_events > SC_EVENTS_MAX) {
        sc_tx_over(ld, sc_tx_key(doc->events_at, docs[SC_EVENTS_MAX].et.name), tx->n_events,
                   SC_EVENTS_MAX, "events");
        tx->n_events = SC_EVENTS_MAX;
    }
    struct sc_tx_hashed *names = SC_NEW_N(ld->ar, struct sc_tx_hashed, tx->n_events);
    tx->events = SC_NEW_N(ld->ar, struct sc_event_type, tx->n_events);
    for (uint32_t i = 0; i < tx->n_events; i++) {
        struct sc_event_type *et = &docs[i].et;
        et->at = sc_tx_key(doc->events_at, et->name);
        et->hash = sc_hash_name(et->name);
        sc_tx_check_name(ld, "an event", et->name, et->at);
        load_properties(ld, &docs[i]);
        imply_properties(ld, &docs[i]);
        load_role(ld, &docs[i]);
        load_value(ld, &docs[i]);
        tx->events[i] = *et;
        names[i] = (struct sc_tx_hashed){et->hash, et->name, et->at};
    }
    sc_tx_check_hashes(ld, "events", names, tx->n_events);
    for (uint32_t i = 0; i < tx->n_events; i++)
        put_name(ld, tx->events[i].name, tx->events[i].at,
                 (struct sc_event_ref){(uint16_t)i, false});
    for (uint32_t i = 0; i < tx->n_events; i++)
        load_aliases(ld, &docs[i], (uint16_t)i);
}
