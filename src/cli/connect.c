/* See connect.h. Kafka and Redis judge themselves (kafka/check.c, redis/conn.c), as at a start;
 * what needs taxonomy and schemas side by side is here. */
#include "cli/connect.h"

#include "cli/registry.h"
#include "cli/schemas.h"

struct connect {
    struct sc_setup *su;
    struct sc_diag *dg;
    struct sc_registry *rs; /* NULL: none, or it does not answer */
};

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
        const struct sc_schema_look look = {
            cn->su->project->taxonomy, src, mark,
            sc_arena_printf(&cn->su->ar, "schema %u (subject %.*s)", id, SC_STR_FMT(subject)),
            &cn->su->ar, cn->dg};
        sc_schema_look(&look, &schema);
    }
}

static void check_source(struct connect *cn, uint32_t index)
{
    const struct sc_source *src = &cn->su->project->taxonomy->sources[index];
    if (src->format != SC_FORMAT_JSON && src->framed && cn->rs) /* local files: `check` itself */
        check_subject(cn, src);
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
