/* stagecoach dev: the workers of `run` on a broker and a view in memory, with made-up traffic.
 *
 * Everything is real but the servers: transactions, state frames, heartbeats, the flush. Sources
 * are read as canonical JSON whatever their wire format, since the traffic is (sim/traffic.c). The
 * built-in shop is schemas/examples/dev/, compiled in. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/clock.h"
#include "cli/host.h"
#include "cli/zones.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/time.h"
#include "dev_shop.h"
#include "sim/broker.h"
#include "sim/memview.h"
#include "sim/traffic.h"
#include <stdio.h>
#include <stdlib.h>

#define SOURCE_PARTITIONS 2
#define OUTBOUND_PARTITIONS 2
#define KEEP 20000u    /* messages a partition */
#define PEOPLE 40u
#define BURST_MAX 5000 /* events made up in one tick, however long it was in coming */

/* Nothing outside is touched, so nothing of it is configured. */
static const char settings_yaml[] = "kafka: { brokers: in-memory }\n"
                                    "journal: { partitions: 4 }\n"
                                    "admin: { listen: '' }\n";

struct dev {
    int64_t rate, seconds;
    struct sc_project project;
    struct sc_setup su;
    struct sc_taxonomy made_for;   /* the taxonomy with its sources as they are written */
    struct sc_traffic traffic;
    struct sc_broker *broker;
    struct sc_memview *view;
    struct sc_buf line;
    int64_t started_ms, written;
    int64_t read[SC_OUT_MAX][OUTBOUND_PARTITIONS]; /* how far outputs were printed */
    struct sc_counters sum;
    int64_t customers;
};

/* ---- output: one readable line an effect */

/* The text of a top field of our own JSON, whose names have no escapes; or "". */
static struct sc_str field(struct sc_str json, const char *key)
{
    char quoted[32];
    int n = snprintf(quoted, sizeof(quoted), "\"%s\":\"", key);
    SC_ASSERT(n > 0 && (size_t)n < sizeof(quoted));
    const char *at = memmem(json.p, json.len, quoted, (size_t)n);
    if (at == NULL)
        return SC_STR("");
    at += n;
    const char *end = memchr(at, '"', (size_t)(json.p + json.len - at));
    return (struct sc_str){at, end ? (size_t)(end - at) : 0};
}

static bool print_effect(void *arg, const struct sc_msg *m)
{
    (void)arg;
    struct sc_str type = field(m->value, "type"), at = field(m->value, "at");
    struct sc_str rule = field(m->value, "rule"), channel = field(m->value, "channel");
    struct sc_str customer = field(m->value, "customer");
    if (at.len < 19 || customer.len < 8)
        return true;
    printf("%.8s  %-10.*s  customer %.8s  ", at.p + 11, SC_STR_FMT(type), customer.p);
    if (sc_str_eqz(type, "transition"))
        printf("%.*s -> %.*s\n", SC_STR_FMT(field(m->value, "from")),
               SC_STR_FMT(field(m->value, "to")));
    else if (channel.len)
        printf("%.*s by %.*s\n", SC_STR_FMT(rule), SC_STR_FMT(channel));
    else
        printf("%.*s\n", SC_STR_FMT(rule));
    return true;
}

static void print_outputs(struct dev *d)
{
    const struct sc_out_topics *outs = &d->su.engine.topics;
    for (uint32_t t = SC_OUT_TRANSITIONS; t < outs->n; t++) {
        if (t != SC_OUT_TRANSITIONS && t < SC_OUT_TRIGGERS)
            continue;
        for (int32_t p = 0; p < OUTBOUND_PARTITIONS; p++)
            d->read[t][p] = sc_broker_read(d->broker, outs->v[t].name.p, p, d->read[t][p],
                                           print_effect, d);
    }
    fflush(stdout);
}

static void print_summary(const struct dev *d)
{
    const struct sc_journey *jo = d->project.journey;
    const struct sc_counters *c = &d->sum;
    printf("\n%llu events, %lld states, %llu merges, %llu transitions, %llu milestones\n",
           (unsigned long long)c->records, (long long)d->customers, (unsigned long long)c->merges,
           (unsigned long long)c->transitions, (unsigned long long)c->milestones);
    printf("triggers    %llu\n", (unsigned long long)c->triggers);
    for (uint32_t i = 0; i < jo->n_channels; i++)
        if (c->channels[i])
            printf("  %-18.*s %llu\n", SC_STR_FMT(jo->channels[i].name),
                   (unsigned long long)c->channels[i]);
    printf("suppressed  %llu\n", (unsigned long long)c->suppressed);
    for (int i = 0; i < SC_REASON_COUNT; i++)
        if (c->reasons[i])
            printf("  %-18s %llu\n", sc_reason_name((enum sc_reason)i),
                   (unsigned long long)c->reasons[i]);
    printf("dead letters %llu, transactions %llu\n", (unsigned long long)c->dead_letters,
           (unsigned long long)c->transactions);
}

/* ---- traffic */

static void write_traffic(struct dev *d)
{
    int64_t due = (sc_time_mono_ms() - d->started_ms) * d->rate / 1000 + 1;
    if (due - d->written > BURST_MAX)
        d->written = due - BURST_MAX;
    for (uint32_t source; d->written < due; d->written++) {
        int64_t ms = sc_time_now_ms();
        if (!sc_traffic_event(&d->traffic, ms, &source, &d->line))
            return;
        struct sc_out out = {.partition = (int32_t)(d->written % SOURCE_PARTITIONS),
                             .value = sc_buf_view(&d->line), .timestamp_ms = ms};
        sc_broker_write(d->broker, d->su.sources[source], &out);
    }
}

/* A few times a second, and once when every worker has left. */
static void each(struct sc_host *h)
{
    struct dev *d = h->arg;
    if (d->seconds && sc_time_mono_ms() - d->started_ms >= d->seconds * 1000)
        h->stop = true;
    if (!h->stop)
        write_traffic(d);
    print_outputs(d);
    memset(&d->sum, 0, sizeof(d->sum));
    d->customers = 0;
    for (uint32_t i = 0; i < h->n; i++) {
        sc_counters_add(&d->sum, &h->workers[i]->counters);
        d->customers += h->workers[i]->status.customers;
    }
}

/* ---- wiring */

static struct sc_log *make_log(struct sc_host *h, struct sc_worker *w)
{
    struct dev *d = h->arg;
    const struct sc_setup *su = h->setup;
    const char *const *journal = &su->engine.topics.v[SC_OUT_JOURNAL].name.p; /* a list of one */
    bool resolve = strcmp(w->role, "resolve") == 0;
    struct sc_broker_log_config cfg = {
        .group = resolve ? su->resolve_group : su->journey_group,
        .writer = w->writer,
        .inputs = resolve ? su->sources : journal,
        .n_inputs = resolve ? d->project.taxonomy->n_sources : 1,
        .outputs = &su->engine.topics,
    };
    return sc_broker_log_create(d->broker, &cfg);
}

static struct sc_view *make_view(struct sc_host *h, struct sc_worker *w)
{
    (void)w;
    return sc_memview_open(((struct dev *)h->arg)->view);
}

static void make_topics(struct dev *d)
{
    const struct sc_out_topics *outs = &d->su.engine.topics;
    int32_t journal = (int32_t)d->su.engine.partitions;
    for (uint32_t s = 0; s < d->project.taxonomy->n_sources; s++)
        sc_broker_topic(d->broker, d->su.sources[s], SOURCE_PARTITIONS);
    for (uint32_t t = 0; t < outs->n; t++)
        sc_broker_topic(d->broker, outs->v[t].name.p,
                        t < SC_OUT_TRANSITIONS ? journal : OUTBOUND_PARTITIONS);
}

/* Every source reads the canonical layout, under its own name and topic. */
static void read_canonical(struct dev *d)
{
    struct sc_taxonomy *tx = d->project.taxonomy;
    d->made_for = *tx;
    tx->sources = SC_NEW_N(&d->project.ar, struct sc_source, tx->n_sources + 1);
    for (uint32_t i = 0; i < tx->n_sources; i++) {
        const struct sc_source *own = &d->made_for.sources[i];
        struct sc_source *src = &tx->sources[i];
        *src = tx->canonical;
        src->name = own->name;
        src->topic = own->topic;
        src->hash = own->hash;
        src->disorder_ms = own->disorder_ms;
        src->idle_after_ms = own->idle_after_ms;
    }
}

static int run(struct dev *d)
{
    struct sc_host h = {.setup = &d->su, .resolve = 1, .journey = 1,
                        .log = make_log, .view = make_view, .arg = d};
    d->broker = sc_broker_create(sc_clock_system, KEEP);
    d->view = sc_memview_create(d->su.engine.partitions);
    d->started_ms = sc_time_mono_ms();
    make_topics(d);
    sc_host_signals(&h);
    int rc = sc_host_run(&h, each);
    print_summary(d);
    sc_memview_destroy(d->view);
    sc_broker_destroy(d->broker);
    return rc;
}

/* ---- the built-in shop */

static const struct sc_node *parse(struct sc_project *pr, const char *name, struct sc_str text)
{
    const struct sc_node *doc =
        sc_node_parse(sc_str_from(name), text, NULL, NULL, &pr->ar, &pr->dg);
    SC_ASSERT(doc != NULL); /* our own, and tests/cases/dev.sh checks it */
    return doc;
}

static void add_file(struct sc_project *pr, enum sc_file_kind kind, struct sc_taxonomy *tx,
                     struct sc_journey *jo)
{
    struct sc_project_file *file = SC_NEW(&pr->ar, struct sc_project_file);
    *file = (struct sc_project_file){.path = SC_STR("built-in"), .real = SC_STR("built-in"),
                                     .kind = kind, .ok = true, .taxonomy = tx, .journey = jo};
    SC_VEC_PUSH(&pr->ar, &pr->files, file);
}

static void load_shop(struct sc_project *pr)
{
    struct sc_str taxonomy = {(const char *)shop_taxonomy, sizeof(shop_taxonomy)};
    struct sc_str journey = {(const char *)shop_journey, sizeof(shop_journey)};
    sc_arena_init(&pr->ar);
    sc_diag_init(&pr->dg, &pr->ar);
    pr->zones = sc_zones_create();
    pr->taxonomy = SC_NEW(&pr->ar, struct sc_taxonomy);
    pr->journey = SC_NEW(&pr->ar, struct sc_journey);
    bool ok = sc_taxonomy_load(pr->taxonomy, parse(pr, "taxonomy.yaml", taxonomy), &pr->ar,
                               &pr->dg) &&
              sc_journey_load(pr->journey, pr->taxonomy, parse(pr, "journey.yaml", journey),
                              &pr->ar, &pr->dg);
    SC_ASSERT(ok);
    pr->journey->zone = sc_zones_find;
    pr->journey->zone_arg = pr->zones;
    add_file(pr, SC_FILE_TAXONOMY, pr->taxonomy, NULL);
    add_file(pr, SC_FILE_JOURNEY, pr->taxonomy, pr->journey);
    sc_taxonomy_project(pr->taxonomy, &pr->journey->wanted, &pr->ar);
}

static void load_settings(struct sc_project *pr)
{
    pr->settings = SC_NEW(&pr->ar, struct sc_settings);
    bool ok = sc_settings_load(pr->settings, parse(pr, "stagecoach.yaml", SC_STR(settings_yaml)),
                               &pr->ar, &pr->dg);
    SC_ASSERT(ok);
}

static int load(struct dev *d, const char *path)
{
    if (path) {
        int rc = sc_project_load_journey(&d->project, path);
        if (rc)
            return rc;
    } else {
        load_shop(&d->project);
    }
    load_settings(&d->project);
    read_canonical(d);
    d->traffic = (struct sc_traffic){.tx = &d->made_for, .random = (uint64_t)sc_time_now_ms(),
                                     .people = PEOPLE};
    uint32_t source;
    if (!sc_traffic_event(&d->traffic, 0, &source, &d->line)) {
        fprintf(stderr, "stagecoach dev: no source of the taxonomy has an event to make up\n");
        return SC_EXIT_CONFIG;
    }
    return sc_setup(&d->su, &d->project);
}

int sc_cmd_dev(int argc, char **argv)
{
    const char *journey = NULL;
    struct dev *d = sc_calloc(1, sizeof(*d));
    d->rate = 40;
    const struct sc_arg args[] = {
        {"journey", 'j', SC_ARG_STR, &journey, "FILE", "your own journey (default: a small shop)"},
        {"rate", 0, SC_ARG_INT, &d->rate, "N", "events a second (default 40)"},
        {"seconds", 0, SC_ARG_INT, &d->seconds, "S", "stop after S seconds (default: at Ctrl-C)"},
        {0},
    };
    static const char about[] =
        "Shows a journey at work without any server: the workers of `run` on a broker and a view\n"
        "in memory, with made-up events of your taxonomy's types. Transitions and triggers are\n"
        "printed as they come, a summary at the end.";
    const struct sc_command cmd = {"dev [--journey FILE] [--rate N] [--seconds S]", about, args, 0,
                                   0};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc == 0) {
        sc_log_setup(SC_LOG_WARN, SC_LOG_LOGFMT);
        rc = load(d, journey);
        rc = rc ? rc : run(d);
        sc_setup_fini(&d->su);
        sc_project_fini(&d->project);
    }
    sc_buf_fini(&d->line);
    free(d);
    return rc < 0 ? SC_EXIT_OK : rc;
}
