/* What the loader's files share: the document as bound by the tables, before references are
 * resolved. Private to core/taxonomy.
 *
 *   tables.c        keys, defaults and docs -> struct sc_tx_doc
 *   load.c          the order of compiling; version, namespaces, cases
 *   load_events.c   properties, roles, aliases; type.c reads a type's text
 *   load_sources.c  sources and the canonical layout, over mapping.c
 *   project.c       which paths are read at all -> slots */
#ifndef SC_CORE_TAXONOMY_LOAD_H
#define SC_CORE_TAXONOMY_LOAD_H

#include "config/bind.h"
#include "core/identity/identity.h"
#include "core/taxonomy/taxonomy.h"

struct sc_tx_property_doc {
    struct sc_property p;
    struct sc_str type;
    struct sc_node *type_at, *min, *max, *scale_at;
    struct sc_strs values;
    struct sc_node *values_at;
    int64_t scale;
};

struct sc_tx_alias_doc {
    struct sc_alias alias;
    struct sc_node *name_at, *until_at;
};

struct sc_tx_event_doc {
    struct sc_event_type et;
    struct sc_list props, aliases; /* sc_tx_property_doc, sc_tx_alias_doc */
    struct sc_node *props_at, *role_at, *roles;
    struct sc_str value;
    struct sc_node *value_at;
};

struct sc_tx_case_doc {
    struct sc_case c;
    struct sc_strs opens, closes;
    struct sc_node *key_at;
};

struct sc_tx_source_doc {
    struct sc_source s;
    struct sc_str zone, start;
    struct sc_node *message_at, *zone_at, *start_at;
    struct sc_node *event, *id, *occurred_at, *sent_at, *received_at;
    struct sc_node *identifiers, *events, *properties;
};

struct sc_tx_namespace_doc {
    struct sc_namespace ns;
    struct sc_node *limit_at, *within_at;
};

struct sc_tx_doc {
    struct sc_str name, version;
    struct sc_node *name_at, *version_at;
    struct sc_list namespaces, events, cases, sources;
    struct sc_node *namespaces_at, *events_at, *cases_at, *sources_at;
};

/* One load. */
struct sc_tx_load {
    struct sc_taxonomy *tx;
    const struct sc_tx_doc *doc;
    struct sc_arena *ar;
    struct sc_diag *dg;
};

/* An error at `mark`; returns the finding, so that hint and decl can be set. */
#define SC_TX_ERROR(ld, code, mark, ...) sc_diag_add((ld)->dg, SC_ERROR, code, mark, __VA_ARGS__)

struct sc_tx_hashed {
    uint32_t hash;
    struct sc_str name;
    const struct sc_node *at;
};

/* One finding of what is past a limit: `first` is its name. */
static inline void sc_tx_over(struct sc_tx_load *ld, const struct sc_node *first, uint32_t n,
                              uint32_t most, const char *what)
{
    const struct sc_over over = {first->mark, n - most};
    sc_diag_over(ld->dg, &over, "a taxonomy has", most, what);
}

void sc_tx_load_events(struct sc_tx_load *ld);
void sc_tx_load_sources(struct sc_tx_load *ld);

/* The node when it says something: not left out, not null, not found faulty by the parser. */
static inline struct sc_node *sc_tx_given(struct sc_node *node)
{
    return node != NULL && node->kind != SC_NODE_NULL && !node->faulty ? node : NULL;
}
/* The same for what the binder took as text. */
static inline bool sc_tx_is_text(const struct sc_node *node)
{
    return node != NULL && node->kind == SC_NODE_SCALAR && !node->faulty;
}
/* The key node of `name` in a map node, or the map itself when it is not found. */
struct sc_node *sc_tx_key(struct sc_node *map, struct sc_str name);
/* A name that expressions, frames and topics can carry: [A-Za-z_][A-Za-z0-9_]*; reports. */
bool sc_tx_check_name(struct sc_tx_load *ld, const char *what, struct sc_str name,
                      struct sc_node *at);
/* Reports names of one kind with the same 32-bit hash, which frames could not tell apart. Sorts. */
void sc_tx_check_hashes(struct sc_tx_load *ld, const char *what, struct sc_tx_hashed *names,
                        uint32_t n);
/* True when MAJOR.MINOR.PATCH with the optional tails of semantic versions. */
bool sc_tx_semver_ok(struct sc_str version);
/* By the three numbers: <0, 0, >0. Both must be ok. */
int sc_tx_semver_cmp(struct sc_str a, struct sc_str b);
/* The error that `name` is no event, with a suggestion when one is near. */
struct sc_finding *sc_tx_unknown_event(struct sc_tx_load *ld, struct sc_str name,
                                       const struct sc_node *at);
/* Index of the event named `name` (or an alias), or -1 with an error and a suggestion at `at`. */
int sc_tx_event_ref(struct sc_tx_load *ld, struct sc_str name, struct sc_node *at);
int sc_tx_property_ref(struct sc_tx_load *ld, const struct sc_event_type *et, struct sc_str name,
                       struct sc_node *at);

/* A YAML scalar or tree as a value, numbers exact: INT, else DECIMAL when 18 digits hold it, else
 * DOUBLE. Quoted text is always STRING. */
struct sc_value sc_tx_literal(const struct sc_node *node, struct sc_arena *ar);

/* Parse a mapping: path, aggregate, constant, or { path, unit, scale }. False with findings. */
bool sc_tx_mapping(struct sc_tx_load *ld, struct sc_node *node, struct sc_mapping *out);
/* The mapping of a path that nobody wrote: `$.<a>` or `$.<a>.<b>` (b empty: one step). */
struct sc_mapping sc_tx_default_mapping(struct sc_arena *ar, struct sc_str a, struct sc_str b);
/* True when the path meets more than one value. */
bool sc_tx_path_is_list(const struct sc_path *path);

/* Build one source's projection and slots; false when it has more than SC_WANTS_MAX paths. */
bool sc_tx_project_source(const struct sc_taxonomy *tx, struct sc_source *source,
                          const struct sc_wanted *wanted, struct sc_arena *ar);
/* Fill type, element and enums of a property from its text. False with findings. */
bool sc_tx_type(struct sc_tx_load *ld, struct sc_tx_property_doc *pd);

#endif
