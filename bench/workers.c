/* The two workers of `run` on a broker and a view in memory, one after the other in one thread, over the
 * reference job: what they themselves cost, without clients and servers. ./workers says how to run it.
 *
 *     bench_workers REFERENCE_DIR <FRAMES     # FRAMES: bench_clicks frames EVENTS CUSTOMERS
 *
 * Time is made up, RATE events a millisecond, so that every run on every machine has the same transactions. */
#include "bed.h"

#include "base/log.h"
#include "cli/project.h"
#include "core/identity/identity.h"
#include "sim/memview.h"

#include <stdio.h>
#include <stdlib.h>

#define RATE 100         /* events a millisecond */
#define IDLE_MS 2000     /* so long without one ends a worker */

struct bench {
    struct sc_project project;
    struct sc_engine_config cfg;
    struct sc_broker *broker;
    struct sc_memview *view;
    struct sc_schemas schemas;
    struct sc_str schema;
    struct sc_worker w;  /* the one at work */
    _Atomic bool stop;
    int64_t waited_ms, idle_ms;
    uint64_t seen;
};

static uint64_t done(const struct bench *b)
{
    return b->w.counters.records + b->w.counters.applied;
}

static int64_t clock_ms(void *arg)
{
    const struct bench *b = arg;
    return BENCH_NOW_MS + b->waited_ms + (int64_t)(done(b) / RATE);
}

/* A worker waits: time passes; after a while without an event it is told to leave. */
static void nap(void *arg, int ms)
{
    struct bench *b = arg;
    b->waited_ms += ms;
    b->idle_ms = done(b) == b->seen ? b->idle_ms + ms : 0;
    b->seen = done(b);
    if (b->idle_ms > IDLE_MS)
        b->stop = true;
}

static struct bench *bench_of(struct sc_schemas *rs)
{
    return (struct bench *)(void *)((char *)rs - offsetof(struct bench, schemas));
}

static enum sc_err get_schema(struct sc_schemas *rs, uint32_t id, struct sc_arena *ar,
                              struct sc_schema_text *out)
{
    (void)id, (void)ar;
    *out = (struct sc_schema_text){.type = SC_FORMAT_AVRO, .text = bench_of(rs)->schema};
    return SC_ERR_OK;
}

static bool read_schema(struct bench *b, const char *dir)
{
    char path[4096], text[8192];
    snprintf(path, sizeof(path), "%s/click.avsc", dir);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    size_t n = fread(text, 1, sizeof(text), f);
    fclose(f);
    b->schema = sc_str_dup(&b->project.ar, (struct sc_str){text, n});
    return true;
}

/* Into the source topic. How many there were. */
static uint64_t read_frames(struct bench *b)
{
    struct {
        int64_t ms;
        int32_t partition;
        uint32_t len;
    } head;
    char value[4096];
    uint64_t n = 0;
    while (fread(&head, sizeof(head), 1, stdin) == 1 && head.len <= sizeof(value) &&
           fread(value, 1, head.len, stdin) == head.len) {
        struct sc_out out = {.partition = head.partition, .value = {value, head.len},
                             .timestamp_ms = head.ms};
        sc_broker_write(b->broker, "clicks", &out);
        n++;
    }
    return n;
}

static void work(struct bench *b, bool resolve, uint64_t events)
{
    static const char *const clicks[] = {"clicks"}, *const journal[] = {"journal"};
    static const struct sc_str framed[1];
    const char *role = resolve ? "resolve" : "journey";
    struct sc_broker_log_config lc = {role, role, resolve ? clicks : journal, 1, &b->cfg.topics};
    b->w = (struct sc_worker){.role = role, .cfg = &b->cfg, .schemas = &b->schemas,
                              .clock = {clock_ms, clock_ms, b}, .stop = &b->stop};
    snprintf(b->w.writer, sizeof(b->w.writer), "%s", role);
    b->stop = false;
    b->idle_ms = 0;
    b->w.view = sc_memview_open(b->view);
    b->w.log = sc_broker_log_create(b->broker, &lc);
    struct sc_pseudonyms *ps =
        sc_pseudonyms_create(b->project.taxonomy, SC_STR("key"), 0, 1u << 16);
    int64_t from_ns = bench_cpu_ns();
    if (resolve)
        sc_resolve_worker(&b->w, ps, framed);
    else
        sc_journey_worker(&b->w);
    int64_t took_ns = bench_cpu_ns() - from_ns;
    printf("%s: %llu events, %lld ns an event, %llu transactions, %llu transitions, %llu triggers, "
           "%llu state bytes, %llu states flushed\n", role, (unsigned long long)done(b),
           (long long)(took_ns / (int64_t)events), (unsigned long long)b->w.counters.transactions,
           (unsigned long long)b->w.counters.transitions,
           (unsigned long long)b->w.counters.triggers,
           (unsigned long long)b->w.counters.state_bytes,
           (unsigned long long)b->w.counters.state_writes);
    sc_pseudonyms_destroy(ps);
    b->w.view->ops->close(b->w.view);
}

int main(int argc, char **argv)
{
    static const struct sc_schemas_ops schemas = {.get = get_schema};
    struct bench *b = sc_calloc(1, sizeof(*b));
    char path[4096];
    if (argc != 2)
        return fputs("usage: bench_workers REFERENCE_DIR <FRAMES\n", stderr), 64;
    sc_log_setup(SC_LOG_WARN, SC_LOG_LOGFMT);
    snprintf(path, sizeof(path), "%s/journey.yaml", argv[1]);
    setenv("REF_RUN", "workers", 0);
    if (sc_project_load_journey(&b->project, path) != 0 || !read_schema(b, argv[1]))
        return 66;
    b->broker = sc_broker_create((struct sc_clock){clock_ms, clock_ms, b}, UINT64_MAX);
    b->view = sc_memview_create(BENCH_PARTITIONS);
    b->schemas.ops = &schemas;
    sc_broker_sleeps(b->broker, nap, b);
    sc_memview_sleeps(b->view, nap, b);
    bench_configure(&b->cfg, b->broker, b->project.journey);
    uint64_t events = read_frames(b);
    if (events == 0)
        return fputs("bench_workers: no frames\n", stderr), 65;
    work(b, true, events);
    work(b, false, events);
    sc_broker_destroy(b->broker);
    sc_memview_destroy(b->view);
    sc_project_fini(&b->project);
    free(b);
    return 0;
}
