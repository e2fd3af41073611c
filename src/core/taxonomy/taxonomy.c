/* A loaded taxonomy: looking names up, and giving its zones back. */
#include "core/taxonomy/taxonomy.h"
#include "base/assert.h"

int sc_taxonomy_event(const struct sc_taxonomy *tx, struct sc_str name)
{
    SC_ASSERT(tx != NULL);
    const struct sc_event_ref *ref = sc_map_get(&tx->event_by_name, name);
    SC_ASSERT(ref == NULL || ref->index < tx->n_events);
    return ref != NULL ? ref->index : -1;
}

int sc_taxonomy_namespace(const struct sc_taxonomy *tx, struct sc_str name)
{
    SC_ASSERT(tx->n_namespaces <= SC_NAMESPACES_MAX);
    for (uint32_t i = 0; i < tx->n_namespaces; i++)
        if (sc_str_eq(tx->namespaces[i].name, name))
            return (int)i;
    return -1;
}

int sc_taxonomy_source(const struct sc_taxonomy *tx, struct sc_str name)
{
    SC_ASSERT(tx->n_sources < SC_SOURCE_NONE);
    for (uint32_t i = 0; i < tx->n_sources; i++)
        if (sc_str_eq(tx->sources[i].name, name))
            return (int)i;
    return -1;
}

int sc_taxonomy_case(const struct sc_taxonomy *tx, struct sc_str name)
{
    SC_ASSERT(tx != NULL);
    for (uint32_t i = 0; i < tx->n_cases; i++)
        if (sc_str_eq(tx->cases[i].name, name))
            return (int)i;
    return -1;
}

int sc_event_type_prop(const struct sc_event_type *et, struct sc_str name)
{
    SC_ASSERT(et->n_props <= SC_PROPERTIES_MAX);
    for (uint32_t i = 0; i < et->n_props; i++)
        if (sc_str_eq(et->props[i].name, name))
            return (int)i;
    return -1;
}

void sc_taxonomy_fini(struct sc_taxonomy *tx)
{
    SC_ASSERT(tx != NULL);
    for (uint32_t i = 0; i < tx->n_sources; i++) {
        if (tx->sources[i].zone != NULL)
            sc_tz_destroy(tx->sources[i].zone);
        tx->sources[i].zone = NULL;
    }
}
