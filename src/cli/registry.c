/* See cli/registry.h. Subjects are `<topic>-value`. JSON stays bare on its topic (any reader takes
 * it); its schema is registered all the same. */
#include "cli/registry.h"

#include "base/log.h"
#include <time.h>

#define RETRY_MS 1000

enum sc_outbound sc_registry_kind(uint32_t topic)
{
    switch (topic) {
    case SC_OUT_TRANSITIONS:
        return SC_OB_TRANSITION;
    case SC_OUT_SUPPRESSED:
        return SC_OB_SUPPRESSED;
    case SC_OUT_IDENTITY:
        return SC_OB_IDENTITY;
    case SC_OUT_CUSTOMERS:
        return SC_OB_CUSTOMER;
    case SC_OUT_ANALYTICS:
        return SC_OB_ANALYTICS;
    default: /* an index, not an enum: channels follow */
        return SC_OB_TRIGGER;
    }
}

/* Try until it is there, or never will be. */
static enum sc_err register_one(struct sc_registry *rs, struct sc_str subject,
                                const struct sc_schema_text *schema, uint32_t *id,
                                _Atomic bool *stop)
{
    char why[SC_REGISTRY_WHY];
    for (;;) {
        enum sc_err e = sc_registry_register(rs, subject, schema, id);
        if (e == SC_ERR_OK)
            return e;
        sc_registry_why(rs, why);
        if (!sc_err_retriable(e)) {
            sc_logf(SC_LOG_ERROR, "registry", "the schema of %.*s cannot be registered: %s; check "
                    "registry.url and its login", SC_STR_FMT(subject), why);
            return e == SC_ERR_AUTH ? e : SC_ERR_CONFIG;
        }
        sc_logf(SC_LOG_WARN, "registry", "not reachable: waiting; check registry.url if this goes "
                "on (%s)", why);
        struct timespec pause = {RETRY_MS / 1000, 0};
        nanosleep(&pause, NULL);
        if (*stop)
            return SC_ERR_INTERRUPTED;
    }
}

/* JSON is read without its schema: a registry that is down keeps nobody from starting. One that is
 * none, or refuses the login, does: sources' schemas would be asked of it. */
static enum sc_err offer(struct sc_registry *rs, struct sc_str subject,
                         const struct sc_schema_text *schema)
{
    char why[SC_REGISTRY_WHY];
    uint32_t id;
    enum sc_err e = sc_registry_register(rs, subject, schema, &id);
    if (e == SC_ERR_OK)
        return e;
    sc_registry_why(rs, why);
    bool wrong = e == SC_ERR_CONFIG || e == SC_ERR_AUTH;
    sc_logf(wrong ? SC_LOG_ERROR : SC_LOG_WARN, "registry",
            "the schema of %.*s is not registered: %s%s", SC_STR_FMT(subject), why,
            wrong ? "; check registry.url and its login" : "");
    return wrong ? e : SC_ERR_OK;
}

static enum sc_err register_all(struct sc_setup *su, struct sc_registry *rs, _Atomic bool *stop)
{
    struct sc_out_topics *outs = &su->engine.topics;
    enum sc_err e = SC_ERR_OK;
    for (uint32_t i = SC_OUT_TRANSITIONS; e == SC_ERR_OK && i < outs->n; i++) {
        if (!outs->v[i].on || i == SC_OUT_DEAD_LETTERS)
            continue;
        uint32_t id = 0;
        struct sc_schema_text schema = {
            .type = outs->v[i].format,
            .text = sc_outbound_schema(sc_registry_kind(i), outs->v[i].format),
        };
        struct sc_str subject = sc_str_printf(&su->ar, "%.*s-value", SC_STR_FMT(outs->v[i].name));
        if (outs->v[i].format == SC_FORMAT_JSON) {
            e = offer(rs, subject, &schema);
            continue;
        }
        e = register_one(rs, subject, &schema, &id, stop);
        outs->v[i].schema_id = id;
    }
    return e;
}

struct sc_registry_options sc_registry_options(const struct sc_setup *su)
{
    const struct sc_registry_settings *st = &su->project->settings->registry;
    return (struct sc_registry_options){.url = st->url, .user = st->username,
                                        .password = su->registry_password,
                                        .ca_file = st->ca_file};
}

enum sc_err sc_registry_open(struct sc_setup *su, _Atomic bool *stop,
                             struct sc_registry **registry, struct sc_schemas **schemas)
{
    const struct sc_registry_settings *st = &su->project->settings->registry;
    char why[SC_REGISTRY_WHY];
    *registry = NULL;
    *schemas = NULL;
    if (st->url.len == 0)
        return SC_ERR_OK;
    struct sc_registry_options options = sc_registry_options(su);
    options.cache_dir = sc_str_from(sc_setup_beside(su, st->cache_dir));
    enum sc_err e = sc_registry_create(&options, registry, why);
    if (e != SC_ERR_OK) {
        sc_logf(SC_LOG_ERROR, "registry", "%s", why);
        return e;
    }
    *schemas = sc_registry_port(*registry);
    return register_all(su, *registry, stop);
}

void sc_registry_close(struct sc_registry *registry)
{
    if (registry)
        sc_registry_destroy(registry);
}
