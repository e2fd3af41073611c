/* stagecoach run: both roles (or one) on real servers. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/host.h"
#include "cli/registry.h"

#include "base/log.h"
#include "redis/redis.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct sc_log *make_log(struct sc_host *h, struct sc_worker *w)
{
    const struct sc_setup *su = h->setup;
    const char *const *journal = &su->engine.topics.v[SC_OUT_JOURNAL].name.p; /* a list of one */
    bool resolve = strcmp(w->role, "resolve") == 0;
    struct sc_kafka_log_config cfg = {
        .kafka = &su->kafka,
        .group = resolve ? su->resolve_group : su->journey_group,
        .writer = w->writer,
        .inputs = resolve ? su->sources : journal,
        .n_inputs = resolve ? su->project->taxonomy->n_sources : 1,
        .outputs = &su->engine.topics,
        .stop = &h->stop,
        .status = &w->status,
    };
    return sc_kafka_log_create(&cfg);
}

static struct sc_view *make_view(struct sc_host *h, struct sc_worker *w)
{
    (void)w;
    return sc_redis_view_create(&h->setup->redis);
}

static int exit_code(enum sc_err e, bool stopped)
{
    if (stopped)
        return SC_EXIT_OK;
    return e == SC_ERR_CONFIG || e == SC_ERR_AUTH ? SC_EXIT_CONFIG : SC_EXIT_UNAVAILABLE;
}

/* Everything outside is there and as it must be. 0, or an exit code with the reason logged. */
static int prepare(struct sc_host *h, struct sc_setup *su, struct sc_registry **registry)
{
    const struct sc_kafka_needs needs = sc_setup_needs(su, h->resolve > 0, h->journey > 0);
    enum sc_err e = sc_kafka_prepare(&su->kafka, &needs, &h->stop);
    if (e == SC_ERR_OK)
        e = sc_redis_prepare(&su->redis, &h->stop);
    if (e == SC_ERR_OK)
        e = sc_registry_open(su, &h->stop, registry, &h->schemas);
    return e == SC_ERR_OK ? SC_EXIT_OK : exit_code(e, h->stop);
}

static int run(struct sc_host *h, struct sc_setup *su)
{
    const struct sc_settings *st = su->project->settings;
    struct sc_registry *registry = NULL;
    sc_log_setup((enum sc_log_level)st->log.level, (enum sc_log_format)st->log.format);
    if (st->identity.key_file.len == 0 && getenv("STAGECOACH_IDENTITY_KEY_FILE") == NULL)
        sc_log(SC_LOG_WARN, "identity", "identity.key_file is not set: pseudonyms are made with a "
               "key that everybody knows", NULL);
    sc_host_signals(h);
    int rc = prepare(h, su, &registry);
    if (rc == SC_EXIT_OK && !h->stop) {
        sc_logf(SC_LOG_INFO, "run", "started: %u resolve and %u journey workers", h->resolve,
                h->journey);
        rc = sc_host_run(h, NULL);
        sc_logf(SC_LOG_INFO, "run", "stopped, exit code %d", rc);
    }
    sc_registry_close(registry);
    return rc;
}

static int with_setup(const char *path, const char *role, bool adopt)
{
    struct sc_project project = {0};
    struct sc_setup su = {0};
    int rc = sc_project_load_settings(&project, path);
    if (rc == SC_EXIT_OK)
        rc = sc_setup(&su, &project);
    if (rc == SC_EXIT_OK) {
        su.engine.adopt = adopt;
        struct sc_host h = {
            .setup = &su,
            .resolve = (uint32_t)project.settings->workers.resolve,
            .journey = (uint32_t)project.settings->workers.journey,
            .log = make_log,
            .view = make_view,
        };
        if (role && strcmp(role, "resolve") == 0)
            h.journey = 0;
        if (role && strcmp(role, "journey") == 0)
            h.resolve = 0;
        rc = run(&h, &su);
    }
    sc_setup_fini(&su);
    sc_project_fini(&project);
    return rc;
}

int sc_cmd_run(int argc, char **argv)
{
    const char *config = NULL, *role = NULL;
    bool adopt = false;
    const struct sc_arg args[] = {
        {"config", 'c', SC_ARG_STR, &config, "FILE", "settings (default: stagecoach.yaml)"},
        {"role", 0, SC_ARG_STR, &role, "ROLE", "resolve or journey alone (default: both)"},
        {"adopt", 0, SC_ARG_FLAG, &adopt, NULL,
         "once: where offsets were lost, or records before they were read, go on with what is left"},
        {0},
    };
    static const char about[] =
        "Reads the sources, resolves customers, computes their journeys and publishes what follows.\n"
        "SIGTERM, SIGINT or SIGHUP drains: the transaction in hand is finished, Redis brought up to date.";
    const struct sc_command cmd = {"run [SETTINGS | --config FILE] [--role resolve|journey]", about,
                                   args, 0, 1};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    if (role && strcmp(role, "resolve") != 0 && strcmp(role, "journey") != 0) {
        fprintf(stderr, "stagecoach run: --role: expected resolve or journey, found '%s'\n", role);
        return SC_EXIT_USAGE;
    }
    if (words.n && config) {
        fprintf(stderr, "stagecoach run: two settings files: %s and --config %s\n", words.v[0],
                config);
        return SC_EXIT_USAGE;
    }
    const char *path = words.n ? words.v[0] : config ? config : SC_SETTINGS_DEFAULT;
    return with_setup(path, role, adopt);
}
