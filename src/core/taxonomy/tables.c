/* What taxonomy.yaml may hold: these tables parse it, document it and become its JSON Schema. */
#include "core/taxonomy/load.h"

/* One key a paragraph: the formatter would give each member a line. */
/* clang-format off */
#define END {.key = NULL}

#define MAPPING_SCHEMA                                                                             \
    "{\"description\":\"a path ($.a.b[0], $.lines[*].sku, $.a[\\\"x y\\\"]), a constant, an "      \
    "aggregate (count sum min max first any over a path), or {path, unit, scale}\","               \
    "\"type\":[\"string\",\"number\",\"boolean\",\"object\"]}"
#define MAPPINGS_SCHEMA "{\"type\":\"object\",\"additionalProperties\":" MAPPING_SCHEMA "}"
#define VALUE_SCHEMA "{\"type\":[\"string\",\"number\"]}"
#define EXAMPLES_SCHEMA "{\"type\":\"array\",\"items\":{\"type\":\"object\"}}"

static const char *const normalize_names[] = {"trim", "lower", "email", "e164", "none", NULL};
static const char *const ambiguous_names[] = {"anonymous", "last_authenticated", NULL};
static const char *const role_names[] = {"none",   "purchase", "consent", "preference",
                                         "snooze", "forget",   "inbound", NULL};
static const char *const format_names[] = {"avro", "protobuf", "json", NULL};
static const char *const unknown_names[] = {"dead_letter", "ignore", NULL};

#define AT(field) offsetof(struct sc_tx_namespace_doc, field)
static const struct sc_field namespace_fields[] = {
    {.key = "priority", .kind = SC_F_INT, .offset = AT(ns.priority), .min = 1, .max = 1000,
     .def = "1000",
     .doc = "1 is the strongest. Unique namespaces come before all others; equal priorities go by "
            "name. The strongest identifier known names the customer."},
    {.key = "unique", .kind = SC_F_BOOL, .offset = AT(ns.unique), .def = "false",
     .doc = "A customer has one, ever: two different ones are two people."},
    {.key = "normalize", .kind = SC_F_ENUM, .offset = AT(ns.normalize), .names = normalize_names,
     .def = "trim",
     .doc = "How spellings of one value become equal: trim (white space), lower (also case), email "
            "(as lower), e164 (phone: digits, + in front when international; text that is no "
            "number joins nobody), none."},
    {.key = "limit", .kind = SC_F_INT, .offset = AT(ns.limit), .min = 1, .max = 1000, .def = "5",
     .node_offset = AT(limit_at),
     .doc = "Most identifiers of this namespace a customer may have; more never link. Unique "
            "namespaces: 1."},
    {.key = "within", .kind = SC_F_DURATION, .offset = AT(ns.within_ms), .min = 1,
     .max = 3650 * SC_DAY_MS, .node_offset = AT(within_at),
     .doc = "The limit counts those linked within this time. Left out: ever; for namespaces named "
            "device, device_id, cookie, cookie_id or anonymous_id: 30d."},
    {.key = "ambiguous", .kind = SC_F_ENUM, .offset = AT(ns.ambiguous), .names = ambiguous_names,
     .def = "anonymous",
     .doc = "Who an identifier means that links to two identified customers: anonymous (a customer "
            "of its own) or last_authenticated."},
    {.key = "blocked", .kind = SC_F_STRS, .offset = AT(ns.blocked_add),
     .doc = "Placeholder values that must join nobody, added to the built-in list."},
    {.key = "allow", .kind = SC_F_STRS, .offset = AT(ns.allow),
     .doc = "Values taken off the list of blocked ones."},
    END};
#undef AT
static const struct sc_table namespace_table = {
    .name = "namespace",
    .doc = "A kind of identifier, and how it may join customers.",
    .size = sizeof(struct sc_tx_namespace_doc),
    .fields = namespace_fields,
    .key_field = offsetof(struct sc_tx_namespace_doc, ns.name),
    .self_node = SIZE_MAX};

#define AT(field) offsetof(struct sc_tx_property_doc, field)
static const struct sc_field property_fields[] = {
    {.key = "type", .kind = SC_F_STR, .offset = AT(type), .required = true,
     .node_offset = AT(type_at),
     .doc = "string, int, decimal, double, bool, timestamp, duration, bytes, enum [a, b], list(T), "
            "map(T). Inside { } write the enum as { type: enum, values: [a, b] }."},
    {.key = "values", .kind = SC_F_STRS, .offset = AT(values), .node_offset = AT(values_at),
     .doc = "The allowed values of a type that is enum."},
    {.key = "scale", .kind = SC_F_INT, .offset = AT(scale), .min = 0, .max = 18, .def = "4",
     .node_offset = AT(scale_at),
     .doc = "Decimal: digits after the point. A value with more is invalid."},
    {.key = "required", .kind = SC_F_BOOL, .offset = AT(p.required), .def = "false",
     .doc = "An event without it goes to the dead letters."},
    {.key = "min", .kind = SC_F_NODE, .offset = AT(min), .schema = VALUE_SCHEMA,
     .doc = "Smallest value allowed, of the property's type; of a list or map: of each value."},
    {.key = "max", .kind = SC_F_NODE, .offset = AT(max), .schema = VALUE_SCHEMA,
     .doc = "Largest value allowed."},
    {.key = "pii", .kind = SC_F_BOOL, .offset = AT(p.pii), .def = "false",
     .doc = "Personal: redacted in tap, explain and dead-letter listings."},
    {.key = "unit", .kind = SC_F_STR, .offset = AT(p.unit),
     .doc = "What the number counts (EUR, kg), for readers."},
    {.key = "owner", .kind = SC_F_STR, .offset = AT(p.owner), .doc = "Who answers for it."},
    {.key = "describes", .kind = SC_F_STR, .offset = AT(p.describes), .doc = "What it means."},
    END};
#undef AT
static const struct sc_table property_table = {
    .name = "property",
    .doc = "A typed property of an event.",
    .size = sizeof(struct sc_tx_property_doc),
    .fields = property_fields,
    .key_field = offsetof(struct sc_tx_property_doc, p.name),
    .self_node = SIZE_MAX};

#define AT(field) offsetof(struct sc_tx_alias_doc, field)
static const struct sc_field alias_fields[] = {
    {.key = "name", .kind = SC_F_STR, .offset = AT(alias.name), .required = true,
     .node_offset = AT(name_at), .doc = "The deprecated name: still accepted, and counted."},
    {.key = "until", .kind = SC_F_STR, .offset = AT(alias.until), .node_offset = AT(until_at),
     .doc = "The taxonomy version that drops it."},
    END};
#undef AT
static const struct sc_table alias_table = {.name = "alias",
                                            .doc = "A deprecated name of an event.",
                                            .size = sizeof(struct sc_tx_alias_doc),
                                            .fields = alias_fields,
                                            .key_field = SIZE_MAX,
                                            .self_node = SIZE_MAX};

#define AT(field) offsetof(struct sc_tx_event_doc, field)
static const struct sc_field event_fields[] = {
    {.key = "describes", .kind = SC_F_STR, .offset = AT(et.describes),
     .doc = "What happened, in a sentence."},
    {.key = "owner", .kind = SC_F_STR, .offset = AT(et.owner), .doc = "Who answers for it."},
    {.key = "stage", .kind = SC_F_STR, .offset = AT(et.stage),
     .doc = "Lifecycle tag, for reports; the journey's stages are rules of their own."},
    {.key = "channel", .kind = SC_F_STR, .offset = AT(et.channel),
     .doc = "Where it happens (web, store, phone), for reports and channel windows."},
    {.key = "properties", .kind = SC_F_MAP, .offset = AT(props), .table = &property_table,
     .node_offset = AT(props_at), .doc = "What it carries."},
    {.key = "role", .kind = SC_F_ENUM, .offset = AT(et.role), .names = role_names, .def = "none",
     .node_offset = AT(role_at),
     .doc = "What the engine itself reads it as: purchase (frequency, recency, revenue), consent, "
            "preference, snooze, forget (erases the customer), inbound (opens a channel window). "
            "Without `properties` the event has those of its role."},
    {.key = "roles", .kind = SC_F_NODE, .offset = AT(roles),
     .schema = "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}",
     .doc = "Property names for the role where they differ from purpose, granted, at, evidence, "
            "channel, timezone, frequency, language, until: { purpose: $topic }."},
    {.key = "value", .kind = SC_F_STR, .offset = AT(value), .node_offset = AT(value_at),
     .doc = "The property that is the event's money."},
    {.key = "aliases", .kind = SC_F_LIST, .offset = AT(aliases), .table = &alias_table,
     .doc = "Deprecated names."},
    {.key = "examples", .kind = SC_F_NODE, .offset = AT(et.examples), .schema = EXAMPLES_SCHEMA,
     .doc = "Properties of valid events: `check` fails when one is rejected."},
    {.key = "anti_examples", .kind = SC_F_NODE, .offset = AT(et.anti_examples),
     .schema = EXAMPLES_SCHEMA,
     .doc = "Properties of invalid events, each with `why`: `check` fails when one is accepted."},
    END};
#undef AT
static const struct sc_table event_table = {
    .name = "event",
    .doc = "One kind of thing that customers do.",
    .size = sizeof(struct sc_tx_event_doc),
    .fields = event_fields,
    .key_field = offsetof(struct sc_tx_event_doc, et.name),
    .self_node = SIZE_MAX};

#define AT(field) offsetof(struct sc_tx_case_doc, field)
static const struct sc_field case_fields[] = {
    {.key = "opens", .kind = SC_F_STRS, .offset = AT(opens), .required = true,
     .doc = "Events that open a case."},
    {.key = "closes", .kind = SC_F_STRS, .offset = AT(closes), .required = true,
     .doc = "Events that close it."},
    {.key = "key", .kind = SC_F_STR, .offset = AT(c.key), .required = true,
     .node_offset = AT(key_at),
     .doc = "The property, present in all of these events, that says which case it is."},
    END};
#undef AT
static const struct sc_table case_table = {
    .name = "case",
    .doc = "What `open(\"…\")` asks: something that one event opens and another closes.",
    .size = sizeof(struct sc_tx_case_doc),
    .fields = case_fields,
    .key_field = offsetof(struct sc_tx_case_doc, c.name),
    .self_node = SIZE_MAX};

#define AT(field) offsetof(struct sc_tx_source_doc, field)
static const struct sc_field source_fields[] = {
    {.key = "topic", .kind = SC_F_STR, .offset = AT(s.topic), .required = true,
     .node_offset = AT(s.topic_at), .doc = "The Kafka topic; one source a topic."},
    {.key = "format", .kind = SC_F_ENUM, .offset = AT(s.format), .names = format_names,
     .required = true, .doc = "How its values are written."},
    {.key = "schema", .kind = SC_F_STR, .offset = AT(s.schema_file), .node_offset = AT(s.schema_at),
     .doc = "A local schema file (.avsc, .proto, .desc): values are then not framed for a "
            "registry. Left out: Confluent's wire format, schemas from the registry; JSON is then "
            "taken bare too."},
    {.key = "message", .kind = SC_F_STR, .offset = AT(s.message), .node_offset = AT(message_at),
     .doc = "Protobuf: the message's full name. Left out: by the record's message index."},
    {.key = "subject", .kind = SC_F_STR, .offset = AT(s.subject),
     .doc = "Registry subject. Left out: <topic>-value."},
    {.key = "event", .kind = SC_F_NODE, .offset = AT(event), .schema = MAPPING_SCHEMA,
     .doc = "Where a record names its event, or the event's name when it is always the same. Left "
            "out: the record has the canonical layout ($.event, $.id, $.occurred_at, "
            "$.identifiers.<namespace>, $.properties.<name>)."},
    {.key = "id", .kind = SC_F_NODE, .offset = AT(id), .schema = MAPPING_SCHEMA,
     .doc = "Where it keeps the event's id, by which copies are known: text or an integer."},
    {.key = "occurred_at", .kind = SC_F_NODE, .offset = AT(occurred_at), .schema = MAPPING_SCHEMA,
     .doc = "When it happened. An integer is milliseconds unless the schema or `unit` (s, ms, us, "
            "ns) says else; text is RFC 3339."},
    {.key = "sent_at", .kind = SC_F_NODE, .offset = AT(sent_at), .schema = MAPPING_SCHEMA,
     .doc = "When the client sent it, by its own clock: with `received_at`, its skew is taken "
            "out."},
    {.key = "received_at", .kind = SC_F_NODE, .offset = AT(received_at), .schema = MAPPING_SCHEMA,
     .doc = "When the collector received it."},
    {.key = "zone", .kind = SC_F_STR, .offset = AT(zone), .node_offset = AT(zone_at),
     .doc = "Zone of times written without an offset (Europe/Oslo). Left out: they are invalid."},
    {.key = "identifiers", .kind = SC_F_NODE, .offset = AT(identifiers), .schema = MAPPINGS_SCHEMA,
     .doc = "Where it keeps identifiers, by namespace: one, or a list."},
    {.key = "events", .kind = SC_F_NODE, .offset = AT(events),
     .schema = "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}",
     .doc = "Its own names of events, and the taxonomy's."},
    {.key = "properties", .kind = SC_F_NODE, .offset = AT(properties),
     .schema = "{\"type\":\"object\",\"additionalProperties\":" MAPPINGS_SCHEMA "}",
     .doc = "Where it keeps properties, by event. A property left out is read from $.<name>. How "
            "places are written: [taxonomy.md](taxonomy.md#sources-records-as-they-are)."},
    {.key = "unknown", .kind = SC_F_ENUM, .offset = AT(s.unknown), .names = unknown_names,
     .def = "dead_letter", .doc = "What becomes of events outside the taxonomy."},
    {.key = "start", .kind = SC_F_STR, .offset = AT(start), .def = "earliest",
     .node_offset = AT(start_at),
     .doc = "Where the very first run begins: earliest, latest, or a time (RFC 3339)."},
    {.key = "disorder", .kind = SC_F_DURATION, .offset = AT(s.disorder_ms), .def = "10s", .min = 0,
     .max = SC_DAY_MS,
     .doc = "How far its records are out of order within a partition: time waits for it."},
    {.key = "idle_after", .kind = SC_F_DURATION, .offset = AT(s.idle_after_ms), .def = "60s",
     .min = SC_SECOND_MS, .max = SC_DAY_MS,
     .doc = "A partition read to its end for so long no longer holds time back."},
    END};
#undef AT
static const struct sc_table source_table = {
    .name = "source",
    .doc = "A topic, and how its records map onto the events.",
    .size = sizeof(struct sc_tx_source_doc),
    .fields = source_fields,
    .key_field = offsetof(struct sc_tx_source_doc, s.name),
    .self_node = SIZE_MAX};

#define AT(field) offsetof(struct sc_tx_doc, field)
static const struct sc_field taxonomy_fields[] = {
    {.key = "taxonomy", .kind = SC_F_NAME, .offset = AT(name), .required = true,
     .node_offset = AT(name_at), .doc = "Its name."},
    {.key = "version", .kind = SC_F_STR, .offset = AT(version), .required = true,
     .node_offset = AT(version_at),
     .doc = "Semantic version; a breaking change needs a new major."},
    {.key = "namespaces", .kind = SC_F_MAP, .offset = AT(namespaces), .table = &namespace_table,
     .required = true, .node_offset = AT(namespaces_at), .doc = "Identifiers, at most 15 kinds."},
    {.key = "events", .kind = SC_F_MAP, .offset = AT(events), .table = &event_table,
     .required = true, .node_offset = AT(events_at), .doc = "What customers do."},
    {.key = "cases", .kind = SC_F_MAP, .offset = AT(cases), .table = &case_table,
     .node_offset = AT(cases_at), .doc = "What opens and closes: support cases, returns, claims."},
    {.key = "sources", .kind = SC_F_MAP, .offset = AT(sources), .table = &source_table,
     .node_offset = AT(sources_at),
     .doc = "Where events come from. Files of canonical events need none."},
    END};
#undef AT
const struct sc_table sc_taxonomy_table = {
    .name = "taxonomy",
    .doc = "The shared event dictionary: identifiers, events, cases, sources.",
    .size = sizeof(struct sc_tx_doc),
    .fields = taxonomy_fields,
    .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};
