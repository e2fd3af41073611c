/* See connect.h. Kafka and Redis judge themselves (kafka/check.c, redis/conn.c), as at a start;
 * what needs taxonomy and schemas side by side is here. */
#include "cli/connect.h"

#include "cli/registry.h"

struct connect {
    struct sc_setup *su;
    struct sc_diag *dg;
    struct sc_registry *rs; /* NULL: none, or it does not answer */
};

/* ---- wanted paths against a schema */

/* One mapping whose path is looked for in a schema. */
struct looked {
    struct connect *cn;
    const struct sc_source *src;
    const bool *has;
    const char *schema; /* "schema 7 of shop.pos-value", "pos.proto" */
};

static void missing(const struct looked *lk, const struct sc_mapping *map, bool needed,
                    const char *what, struct sc_str name)
{
    if (map->op == SC_MAP_CONST || map->slot == SC_SLOT_NONE || lk->has[map->slot])
        return;
    struct sc_mark mark = map->at ? map->at->mark : lk->src->at->mark;
    struct sc_finding *f = sc_diag_add(
        lk->cn->dg, needed ? SC_ERROR : SC_WARNING, "path-not-in-schema", mark,
        "%s has no %.*s: %s%s%.*s%s is never there", lk->schema, SC_STR_FMT(map->path.text), what,
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

static void look_properties(const struct looked *lk, uint32_t event)
{
    const struct sc_event_type *et = &lk->cn->su->project->taxonomy->events[event];
    const struct sc_source_event *se = &lk->src->events[event];
    bool named = is_named(lk->src, event);
    for (uint32_t i = 0; i < se->n; i++) {
        const struct sc_property *p = &et->props[se->props[i].prop];
        struct sc_str name = sc_str_printf(&lk->cn->su->ar, "%.*s.%.*s", SC_STR_FMT(et->name),
                                           SC_STR_FMT(p->name));
        if (se->props[i].map.at || (named && p->required))
            missing(lk, &se->props[i].map, p->required, "property", name);
    }
}

static void look(const struct looked *lk)
{
    const struct sc_taxonomy *tx = lk->cn->su->project->taxonomy;
    const struct sc_source *src = lk->src;
    missing(lk, &src->event, true, "the event's name", SC_STR_NULL);
    missing(lk, &src->id, true, "the event's id", SC_STR_NULL);
    missing(lk, &src->occurred_at, true, "the event's time", SC_STR_NULL);
    missing(lk, &src->sent_at, false, "sent_at", SC_STR_NULL);
    missing(lk, &src->received_at, false, "received_at", SC_STR_NULL);
    for (uint32_t i = 0; i < src->n_idents; i++)
        missing(lk, &src->idents[i].map, false, "identifier",
                tx->namespaces[src->idents[i].ns].name);
    for (uint32_t e = 0; e < tx->n_events; e++)
        look_properties(lk, e);
}

/* A schema of a source: parsed, the decoder made, each wanted path looked for. */
static void check_schema(struct connect *cn, const struct sc_source *src,
                         const struct sc_schema_source *schema, struct sc_mark mark,
                         const char *name)
{
    struct sc_arena *ar = &cn->su->ar;
    struct sc_str why = SC_STR_NULL;
    const struct sc_message_at at = {.message = src->message};
    bool *has = SC_NEW_N(ar, bool, src->projection.n + 1);
    bool usable = sc_decoder_for((enum sc_format)src->format, schema, &at, &src->projection, ar,
                                 &why) != NULL;
    if (usable)
        usable = sc_schema_paths((enum sc_format)src->format, schema, &at, &src->projection, has,
                                 ar, &why);
    if (usable)
        look(&(struct looked){cn, src, has, name});
    else
        sc_diag_add(cn->dg, SC_ERROR, "bad-schema", mark, "%s cannot be used for source '%.*s': "
                    "%.*s", name, SC_STR_FMT(src->name), SC_STR_FMT(why))
            ->hint = SC_STR("every record written by it would be a dead letter");
}

/* ---- the registry */

/* It does not answer as a registry does: said once, nothing more is asked. */
static void give_up(struct connect *cn)
{
    char why[SC_REGISTRY_WHY];
    sc_registry_why(cn->rs, why);
    sc_diag_add(cn->dg, SC_ERROR, "no-registry",
                sc_settings_mark(cn->su->project->settings, "registry", "url"),
                "the schema registry cannot be used: %s", why)
        ->hint = SC_STR("check registry.url, its login and its certificate");
    sc_registry_destroy(cn->rs);
    cn->rs = NULL;
}

static bool answered(enum sc_err e)
{
    return e == SC_ERR_OK || e == SC_ERR_NOT_FOUND || e == SC_ERR_CORRUPT || e == SC_ERR_INVALID;
}

static struct sc_str subject_of(struct connect *cn, struct sc_str subject, struct sc_str topic)
{
    return subject.len ? subject
                       : sc_str_printf(&cn->su->ar, "%.*s-value", SC_STR_FMT(topic));
}

static void check_subject(struct connect *cn, const struct sc_source *src)
{
    static const char *const formats[] = {"Avro", "Protobuf", "JSON"};
    struct sc_schema_text text;
    struct sc_str subject = subject_of(cn, src->subject, src->topic);
    struct sc_mark mark = src->topic_at->mark;
    uint32_t id = 0;
    enum sc_err e = sc_registry_latest(cn->rs, subject, &cn->su->ar, &text, &id);
    if (!answered(e)) {
        give_up(cn);
    } else if (e == SC_ERR_NOT_FOUND) {
        sc_diag_add(cn->dg, SC_WARNING, "no-schema", mark,
                    "the registry has no subject '%.*s' for source '%.*s'", SC_STR_FMT(subject),
                    SC_STR_FMT(src->name))
            ->hint = SC_STR("fine until its writers begin; else name it with `subject`");
    } else if (e != SC_ERR_OK) {
        char why[SC_REGISTRY_WHY];
        sc_registry_why(cn->rs, why);
        sc_diag_add(cn->dg, SC_ERROR, "bad-schema", mark, "subject '%.*s' cannot be read: %s",
                    SC_STR_FMT(subject), why);
    } else if (text.type != src->format) {
        sc_diag_add(cn->dg, SC_ERROR, "bad-schema", mark,
                    "subject '%.*s' holds a schema in %s, source '%.*s' says %s",
                    SC_STR_FMT(subject), formats[text.type], SC_STR_FMT(src->name),
                    formats[src->format]);
    } else {
        const struct sc_schema_source schema = {text.text, text.refs, text.n_refs};
        check_schema(cn, src, &schema, mark,
                     sc_arena_printf(&cn->su->ar, "schema %u (subject %.*s)", id,
                                     SC_STR_FMT(subject)));
    }
}

static void check_source(struct connect *cn, uint32_t index)
{
    const struct sc_source *src = &cn->su->project->taxonomy->sources[index];
    if (src->format == SC_FORMAT_JSON)
        return;
    if (!src->framed) {
        const struct sc_schema_source schema = {.text = cn->su->schema_files[index]};
        check_schema(cn, src, &schema, src->schema_at->mark,
                     sc_arena_printf(&cn->su->ar, "%.*s", SC_STR_FMT(src->schema_file)));
    } else if (cn->rs) {
        check_subject(cn, src);
    }
}

/* Our own schema must be a next version of what is there: else a start cannot register it. */
static void check_output(struct connect *cn, uint32_t index)
{
    const struct sc_out_topic *t = &cn->su->engine.topics.v[index];
    const struct sc_schema_text schema = {
        .type = t->format, .text = sc_outbound_schema(sc_registry_kind(index), t->format)};
    struct sc_str subject = subject_of(cn, SC_STR_NULL, t->name);
    bool compatible;
    enum sc_err e = sc_registry_compatible(cn->rs, subject, &schema, &compatible);
    if (!answered(e))
        give_up(cn);
    else if (e == SC_ERR_OK && !compatible)
        sc_diag_add(cn->dg, t->format == SC_FORMAT_JSON ? SC_WARNING : SC_ERROR,
                    "schema-incompatible", sc_setup_out_mark(cn->su, index),
                    "subject '%.*s' would refuse the schema of this topic: it is not compatible "
                    "with the version there", SC_STR_FMT(subject))
            ->hint = SC_STR("name another topic, or set the subject's compatibility");
}

static void check_registry(struct connect *cn)
{
    char why[SC_REGISTRY_WHY];
    const struct sc_settings *st = cn->su->project->settings;
    const struct sc_out_topics *outs = &cn->su->engine.topics;
    struct sc_registry_options options = sc_registry_options(cn->su);
    options.quiet = true;
    if (options.url.len && sc_registry_create(&options, &cn->rs, why) != SC_ERR_OK)
        sc_diag_add(cn->dg, SC_ERROR, "no-registry", sc_settings_mark(st, "registry", "url"), "%s",
                    why);
    for (uint32_t i = 0; i < cn->su->project->taxonomy->n_sources; i++)
        check_source(cn, i);
    for (uint32_t i = SC_OUT_TRANSITIONS; cn->rs && i < outs->n; i++)
        if (outs->v[i].on && i != SC_OUT_DEAD_LETTERS)
            check_output(cn, i);
    sc_registry_destroy(cn->rs);
}

void sc_connect_check(struct sc_setup *su, struct sc_diag *dg)
{
    struct connect cn = {.su = su, .dg = dg};
    const struct sc_worker_settings *workers = &su->project->settings->workers;
    const struct sc_kafka_needs needs =
        sc_setup_needs(su, workers->resolve > 0, workers->journey > 0);
    sc_kafka_check(&su->kafka, &needs, dg);
    sc_redis_check(&su->redis, dg);
    check_registry(&cn);
}
