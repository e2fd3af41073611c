/* See schemas.h. */
#include "cli/schemas.h"

#include "codec/decoder.h"

/* One schema whose paths are known. */
struct looked {
    const struct sc_schema_look *lk;
    const bool *has;
};

static void missing(const struct looked *ld, const struct sc_mapping *map, bool needed,
                    const char *what, struct sc_str name)
{
    if (map->op == SC_MAP_CONST || map->slot == SC_SLOT_NONE || ld->has[map->slot])
        return;
    const struct sc_schema_look *lk = ld->lk;
    struct sc_mark mark = map->at ? map->at->mark : lk->src->at->mark;
    struct sc_finding *f = sc_diag_add(
        lk->dg, needed ? SC_ERROR : SC_WARNING, "path-not-in-schema", mark,
        "%s has no %.*s: %s%s%.*s%s is never there", lk->name, SC_STR_FMT(map->path.text), what,
        name.len ? " '" : "", SC_STR_FMT(name), name.len ? "'" : "");
    f->hint = needed ? SC_STR("every such record would be a dead letter")
                     : SC_STR("correct the path, or take it out");
}

/* May records of this source be this event, as far as the files say? */
static bool is_named(const struct sc_source *src, uint32_t event)
{
    if (src->event.op == SC_MAP_CONST)
        return true; /* the load leaves other events without properties */
    for (uint32_t i = 0; i < src->events[event].n; i++)
        if (src->events[event].props[i].map.at)
            return true;
    return false;
}

static void look_properties(const struct looked *ld, uint32_t event)
{
    const struct sc_schema_look *lk = ld->lk;
    const struct sc_event_type *et = &lk->tx->events[event];
    const struct sc_source_event *se = &lk->src->events[event];
    bool named = is_named(lk->src, event);
    for (uint32_t i = 0; i < se->n; i++) {
        const struct sc_property *p = &et->props[se->props[i].prop];
        struct sc_str name = sc_str_printf(lk->ar, "%.*s.%.*s", SC_STR_FMT(et->name),
                                           SC_STR_FMT(p->name));
        if (se->props[i].map.at || (named && p->required))
            missing(ld, &se->props[i].map, p->required, "property", name);
    }
}

static void look(const struct looked *ld)
{
    const struct sc_taxonomy *tx = ld->lk->tx;
    const struct sc_source *src = ld->lk->src;
    missing(ld, &src->event, true, "the event's name", SC_STR_NULL);
    missing(ld, &src->id, true, "the event's id", SC_STR_NULL);
    missing(ld, &src->occurred_at, true, "the event's time", SC_STR_NULL);
    missing(ld, &src->sent_at, false, "sent_at", SC_STR_NULL);
    missing(ld, &src->received_at, false, "received_at", SC_STR_NULL);
    for (uint32_t i = 0; i < src->n_idents; i++)
        missing(ld, &src->idents[i].map, false, "identifier",
                tx->namespaces[src->idents[i].ns].name);
    for (uint32_t e = 0; e < tx->n_events; e++)
        look_properties(ld, e);
}

void sc_schema_look(const struct sc_schema_look *lk, const struct sc_schema_source *schema)
{
    const struct sc_source *src = lk->src;
    struct sc_str why = SC_STR_NULL;
    const struct sc_message_at at = {.message = src->message};
    bool *has = SC_NEW_N(lk->ar, bool, src->projection.n + 1);
    enum sc_format format = (enum sc_format)src->format;
    bool usable = sc_decoder_for(format, schema, &at, &src->projection, lk->ar, &why) != NULL &&
                  sc_schema_paths(format, schema, &at, &src->projection, has, lk->ar, &why);
    if (usable)
        look(&(struct looked){lk, has});
    else
        sc_diag_add(lk->dg, SC_ERROR, "bad-schema", lk->mark,
                    "%s cannot be used for source '%.*s': %.*s", lk->name, SC_STR_FMT(src->name),
                    SC_STR_FMT(why))
            ->hint = SC_STR("every record written by it would be a dead letter");
}

void sc_schemas_check(struct sc_project *pr, const struct sc_project_file *file)
{
    struct sc_taxonomy *tx = file->taxonomy;
    sc_taxonomy_project(tx, file->journey ? &file->journey->wanted : NULL, &pr->ar);
    for (uint32_t i = 0; i < tx->n_sources; i++) {
        const struct sc_source *src = &tx->sources[i];
        struct sc_schema_source schema = {0};
        if (src->framed || src->format == SC_FORMAT_JSON ||
            !sc_project_text(pr, sc_project_beside(file, src->schema_file, &pr->ar), &schema.text))
            continue; /* one that cannot be read is sc_files_check's */
        const struct sc_schema_look lk = {
            tx, src, src->schema_at->mark,
            sc_arena_printf(&pr->ar, "%.*s", SC_STR_FMT(src->schema_file)), &pr->ar, &pr->dg};
        sc_schema_look(&lk, &schema);
    }
}
