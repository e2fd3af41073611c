/* The shared event dictionary, compiled: namespaces, events with typed properties, cases, and how
 * each source's records map onto them. Loaded once, then read-only, any thread.
 * Language: docs/configuration.md; journey-language section 1. */
#ifndef SC_CORE_TAXONOMY_H
#define SC_CORE_TAXONOMY_H

#include "base/map.h"
#include "base/regex.h"
#include "base/time.h"
#include "config/bind.h"
#include "core/drop.h"
#include "core/event.h"

#define SC_NAMESPACES_MAX 15
#define SC_EVENTS_MAX 4096
#define SC_PROPERTIES_MAX 256
#define SC_SOURCES_MAX 256
#define SC_CASE_KINDS_MAX 1024

enum sc_normalize { SC_NORM_TRIM, SC_NORM_LOWER, SC_NORM_EMAIL, SC_NORM_E164, SC_NORM_NONE };
enum sc_ambiguous { SC_AMBIGUOUS_ANONYMOUS, SC_AMBIGUOUS_LAST_AUTHENTICATED };

struct sc_namespace {
    struct sc_str name;
    int64_t priority; /* as written: 1 is the strongest */
    uint8_t rank;     /* 1..15: unique namespaces first, then by priority, then by name */
    bool unique;
    int32_t normalize; /* enum sc_normalize */
    int64_t limit;     /* identifiers a customer; unique: 1 */
    int64_t within_ms; /* 0: ever; the limit counts those linked within it */
    int32_t ambiguous; /* enum sc_ambiguous */
    struct sc_strs blocked_add, allow; /* as written; `allow` case-folded at load */
    struct sc_map blocked; /* case-folded, trimmed -> non-NULL: built-in + blocked - allow */
    uint64_t blocked_lengths; /* a bit a length there is (63: 63 and more) */
    bool allow_zeros;      /* an `allow` took a value matching ^[0-]*$ off: checked by name there */
    struct sc_node *at;    /* its name, as declared */
};

enum sc_role {
    SC_ROLE_NONE, SC_ROLE_PURCHASE, SC_ROLE_CONSENT, SC_ROLE_PREFERENCE, SC_ROLE_SNOOZE,
    SC_ROLE_FORGET, SC_ROLE_INBOUND
};

struct sc_property {
    struct sc_str name;
    uint32_t hash;   /* sc_hash_name(name) */
    uint8_t type;    /* enum sc_type */
    uint8_t element; /* LIST, MAP: enum sc_type of the values */
    uint8_t scale;   /* DECIMAL */
    bool required, pii, has_min, has_max;
    bool engine_reads; /* a role's field, the event's value or a case's key: always decoded */
    struct sc_value min, max; /* of `type`; LIST, MAP: of each value, as are the enums */
    struct sc_str unit, owner, describes;
    struct sc_strs enums; /* enum [a, b] */
    struct sc_node *at;
};

/* What a role reads: which property holds it (roles: { purpose: $name } overrides the default
 * names purpose, granted, at, evidence, channel, timezone, frequency, language, until). */
enum sc_role_field {
    SC_RF_PURPOSE, SC_RF_GRANTED, SC_RF_AT, SC_RF_EVIDENCE, SC_RF_CHANNEL, SC_RF_TIMEZONE,
    SC_RF_FREQUENCY, SC_RF_LANGUAGE, SC_RF_UNTIL, SC_RF_COUNT
};

struct sc_alias {
    struct sc_str name, until;
};

struct sc_event_type {
    struct sc_str name;
    uint32_t hash; /* sc_hash_name(name): its code in frames and states */
    int32_t role;  /* enum sc_role */
    int16_t value; /* index of the property that is the event's money, -1 none */
    int16_t role_field[SC_RF_COUNT]; /* property index, -1 none */
    struct sc_str stage, channel, owner, describes;
    struct sc_property *props;
    uint32_t n_props;
    struct sc_alias *aliases;
    uint32_t n_aliases;
    struct sc_node *examples, *anti_examples; /* seq or NULL */
    struct sc_node *at;
};

struct sc_case {
    struct sc_str name;
    uint16_t *opens, *closes; /* event indices */
    uint32_t n_opens, n_closes;
    struct sc_str key; /* property name, present in each of these events */
    struct sc_node *at;
};

/* One step into a record: a field by name, every element of an array, an index, a map key. */
enum sc_step_kind { SC_STEP_FIELD, SC_STEP_ALL, SC_STEP_INDEX };
struct sc_step {
    enum sc_step_kind kind;
    struct sc_str name; /* FIELD (also a map's key) */
    uint32_t index;     /* INDEX */
};
#define SC_PATH_STEPS_MAX 16
struct sc_path {
    struct sc_step *steps;
    uint32_t n;
    struct sc_str text; /* as written, "$.user.account" */
};

enum sc_map_op { SC_MAP_PATH, SC_MAP_CONST, SC_MAP_COUNT, SC_MAP_SUM, SC_MAP_MIN, SC_MAP_MAX,
                 SC_MAP_FIRST, SC_MAP_ANY };
enum sc_unit { SC_UNIT_DEFAULT, SC_UNIT_S, SC_UNIT_MS, SC_UNIT_US, SC_UNIT_NS };

/* How one wanted value comes out of a record. */
struct sc_mapping {
    enum sc_map_op op;
    struct sc_path path;
    struct sc_value constant; /* CONST */
    int32_t scale;            /* decimal shift: units = integer * 10^scale (-2: cents) */
    int32_t unit;             /* enum sc_unit of an integer time or duration */
    uint16_t slot;            /* index into the source's projection, or SC_SLOT_NONE */
    struct sc_node *at;       /* NULL: a default nobody wrote */
};
#define SC_SLOT_NONE UINT16_MAX /* CONST, not mapped, or not read by anybody: absent */

/* The paths one source's records are read for: what a decode plan is compiled for. Paths are
 * distinct. Order is the slots' order.
 *
 * What codecs deliver: a path without `[*]` yields its value, a path with `[*]` the LIST of all
 * values it meets, in the record's order, nested arrays flattened, null and absent ones left out.
 * An aggregate's path always has a `[*]` (`count($.lines)` is read as `count($.lines[*])`), and the
 * aggregate itself is intake's, so that all formats agree: several may share one want. */
struct sc_want {
    enum sc_map_op op; /* PATH or an aggregate; COUNT only when nobody wants the values */
    struct sc_path path;
    bool text;         /* decimals: keep the number's own text (JSON) rather than a double */
};
struct sc_projection {
    struct sc_want *wants;
    uint32_t n;
};
#define SC_WANTS_MAX 4096

enum sc_format { SC_FORMAT_AVRO, SC_FORMAT_PROTOBUF, SC_FORMAT_JSON };
enum sc_unknown { SC_UNKNOWN_DEAD_LETTER, SC_UNKNOWN_IGNORE };
enum sc_start { SC_START_EARLIEST, SC_START_LATEST, SC_START_TIME };

/* A property of an event as this source maps it. */
struct sc_source_prop {
    uint16_t prop;
    struct sc_mapping map;
};
struct sc_source_event {
    struct sc_source_prop *props; /* each declared property: `$.<name>` where none is written */
    uint32_t n;                   /* 0: the event cannot come from here */
};
struct sc_source_ident {
    uint8_t ns;
    struct sc_mapping map;
};

struct sc_source {
    struct sc_str name, topic;
    uint32_t hash;             /* sc_hash_name(name) */
    int32_t format;            /* enum sc_format */
    bool framed;               /* Confluent wire format: schemas come from the registry. JSON
                                  needs none, so a JSON value that starts with no 0 byte is as
                                  good unframed */
    bool canonical;            /* the layout of semantics 39, identifiers text only */
    struct sc_str schema_file; /* local schema (.avsc .proto .desc): unframed */
    struct sc_str message;     /* Protobuf: full name when not by index */
    struct sc_str subject;     /* registry subject, empty: <topic>-value */
    struct sc_mapping event, id, occurred_at, sent_at, received_at;
    struct sc_mapping named;   /* the source's name: `$.source` of a canonical line, or constant */
    bool has_sent_received;
    struct sc_source_ident *idents;
    uint32_t n_idents;
    struct sc_map renames;      /* wire event name -> struct sc_event_ref */
    const struct sc_node *renamed; /* the same as the file has it, NULL: none */
    struct sc_source_event *events; /* by taxonomy event index */
    struct sc_tz *zone;         /* for text times without offset, or NULL */
    int64_t disorder_ms, idle_after_ms;
    int32_t unknown;            /* enum sc_unknown: events outside the taxonomy */
    int32_t start;              /* enum sc_start */
    int64_t start_ms;
    struct sc_projection projection;
    struct sc_node *at;         /* its name; the next two: NULL when not written */
    struct sc_node *topic_at, *schema_at;
};

struct sc_taxonomy {
    struct sc_str name, version;
    struct sc_namespace *namespaces; /* in order of rank: namespaces[i].rank == i + 1 */
    uint32_t n_namespaces;
    struct sc_event_type *events;
    uint32_t n_events;
    struct sc_case *cases;
    uint32_t n_cases;
    struct sc_source *sources;
    uint32_t n_sources;
    struct sc_map event_by_name; /* name or alias -> struct sc_event_ref */
    struct sc_source canonical;  /* reads the canonical JSON lines of semantics 39 */
    const struct sc_source_text *file;
};

struct sc_event_ref {
    uint16_t index;
    bool deprecated;
};

/* Compile the document (a bound-checked map node) into `tx`; findings to dg. False when there were
 * errors. Everything lives in `ar`; sc_taxonomy_fini gives back zones. */
bool sc_taxonomy_load(struct sc_taxonomy *tx, const struct sc_node *doc, struct sc_arena *ar,
                      struct sc_diag *dg);
void sc_taxonomy_fini(struct sc_taxonomy *tx);
/* Examples must be accepted, anti-examples rejected, both as canonical properties; findings to dg,
 * false when there were any. What `check` runs; a worker need not. */
bool sc_taxonomy_check_examples(const struct sc_taxonomy *tx, struct sc_arena *ar,
                                struct sc_diag *dg);
/* -1 when there is none. By name only for namespaces, sources, cases; name or alias for events. */
int sc_taxonomy_event(const struct sc_taxonomy *tx, struct sc_str name);
int sc_taxonomy_namespace(const struct sc_taxonomy *tx, struct sc_str name);
int sc_taxonomy_source(const struct sc_taxonomy *tx, struct sc_str name);
int sc_taxonomy_case(const struct sc_taxonomy *tx, struct sc_str name);
int sc_event_type_prop(const struct sc_event_type *et, struct sc_str name);
/* How a property's type reads in a message: "decimal", "list(string)", "enum". */
const char *sc_property_type_text(const struct sc_property *p, char out[32]);

/* Which properties somebody reads: one bit a (event, property). Mappings of others are left out of
 * the projection, unless validation needs them (required, bounds, enum). Call after the journey is
 * loaded; builds every source's projection and slots. `wanted` NULL: all. */
struct sc_wanted {
    uint64_t (*bits)[SC_PROPERTIES_MAX / 64]; /* by event index */
};
void sc_taxonomy_project(struct sc_taxonomy *tx, const struct sc_wanted *wanted,
                         struct sc_arena *ar);

/* The config tables (reference, JSON Schema). */
extern const struct sc_table sc_taxonomy_table;

#endif
