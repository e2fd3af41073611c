/* The journey worker with many customers: what an event costs, and what a customer takes of memory.
 * Alone, on a broker in memory that forgets what was read, without a view: all customers stay with
 * it.
 *
 *     bench_growth REFERENCE_DIR CUSTOMERS ROUNDS WORLDS
 *     # prints: ns of CPU an event, bytes a customer, bytes of its state
 *
 * A round gives each customer one event of the reference job, an hour after the one before, in an
 * order of its own; the first makes the customers and does not count. So customers are alike
 * however many there are, and what differs is where they lie. A few customers are had WORLDS times
 * anew, for enough events. Memory is what the process has more of at the end of the first world
 * than at its beginning: caches, arenas and all. */
#include "bed.h"

#include "base/log.h"
#include "cli/project.h"
#include "codec/seal.h"
#include "core/identity/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RATE 100                  /* events a millisecond */
#define FEED 10000u               /* events at a time: a transaction's worth */
#define REST_MS 300               /* so long without an event: the last one's transaction is over */
#define KEEP 16                   /* messages of a partition kept: of states, for their size */
#define ROUND_MS INT64_C(3600000) /* of the events' time */

struct growth {
    struct sc_project project;
    struct sc_engine_config cfg;
    struct sc_broker *broker;
    struct sc_worker w;
    struct sc_frame_writer frames[BENCH_PARTITIONS];
    uint64_t projection, seed;
    uint64_t customers, rounds, round, fed; /* fed: of this round */
    int64_t waited_ms, fed_ms;              /* fed_ms: when the last were */
    int64_t from_ns, spent_ns;              /* of counted rounds */
    int64_t feeding_ns;
    uint64_t resident, taken;     /* at the beginning; by the first world */
    uint64_t state_bytes, states; /* of the last rounds */
    int64_t states_from[BENCH_PARTITIONS];
    _Atomic bool stop;
};

static int64_t clock_ms(void *arg)
{
    const struct growth *g = arg;
    return BENCH_NOW_MS + g->waited_ms + (int64_t)(g->w.counters.applied / RATE);
}

static uint64_t resident(void)
{
    unsigned long long all, here = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL || fscanf(f, "%llu %llu", &all, &here) != 2)
        here = 0;
    if (f)
        fclose(f);
    return here * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- events */

static uint64_t mixed(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* As good as a pseudonym. */
static struct sc_node_id node_of(uint64_t customer)
{
    struct sc_node_id node;
    uint64_t half[2] = {mixed(customer * 2 + 1), mixed(customer * 2 + 2)};
    memcpy(node.b, half, sizeof(node.b));
    node.b[0] = 0xf1; /* first key, rank 1 */
    return node;
}

/* The shares of bench_clicks. */
static struct sc_str name_of(uint64_t draw)
{
    static const char *const names[] = {"page_viewed",    "product_viewed", "product_viewed",
                                        "product_viewed", "search",         "cart_updated",
                                        "page_viewed",    "page_viewed",    "product_viewed"};
    return sc_str_from(draw % 30 == 0 ? "order_completed" : names[draw / 30 % 9]);
}

static void send_frame(struct growth *g, uint32_t to)
{
    struct sc_out out = {.partition = (int32_t)to,
                         .value = sc_frame_finish(&g->frames[to]),
                         .timestamp_ms = clock_ms(g)};
    if (g->frames[to].n)
        sc_broker_write(g->broker, "journal", &out);
    sc_frame_start(&g->frames[to], g->projection);
}

static void send_event(struct growth *g, uint64_t customer, uint64_t draw)
{
    const struct sc_taxonomy *tx = g->project.taxonomy;
    char id[40];
    int len = snprintf(id, sizeof(id), "%016llx-%llu", (unsigned long long)mixed(customer),
                       (unsigned long long)g->round);
    struct sc_value total = sc_decimal((struct sc_decimal){(int64_t)(100 + draw % 29900), 2});
    struct sc_value none = sc_absent();
    struct sc_event ev = {.source_name = SC_STR("clicks"), .id = {id, (size_t)len}, .n_ids = 1};
    int type = sc_taxonomy_event(tx, name_of(draw));
    ev.type = (uint16_t)type;
    ev.id_hash = sc_event_id_hash(ev.source_name, ev.id);
    ev.content_hash = (uint32_t)draw;
    ev.occurred_ms = ev.claimed_ms = BENCH_NOW_MS + (int64_t)g->round * ROUND_MS +
                                     (int64_t)(g->fed * (ROUND_MS / 2) / g->customers);
    ev.n_props = tx->events[type].n_props;
    ev.props = draw % 30 == 0 ? &total : &none;
    ev.ids[0].node = node_of(customer);
    struct sc_record rec = {
        .kind = SC_REC_EVENT, .to = ev.ids[0].node, .home = ev.ids[0].node, .ev = &ev};
    uint32_t to = sc_node_partition(&rec.to, BENCH_PARTITIONS);
    if (sc_frame_full(&g->frames[to], 0))
        send_frame(g, to);
    sc_frame_record(&g->frames[to], g->project.journey, &rec);
}

static void feed(struct growth *g)
{
    /* Primes: each walks over all customers, in an order of its own. */
    static const uint64_t strides[] = {2654435761, 2246822519, 3266489917, 668265263};
    for (uint32_t i = 0; i < FEED && g->fed < g->customers; i++, g->fed++) {
        uint64_t at = g->fed * strides[g->round % 4] % g->customers;
        send_event(g, g->seed + at, mixed(at * g->rounds + g->round));
    }
    for (uint32_t to = 0; to < BENCH_PARTITIONS; to++)
        send_frame(g, to);
    g->fed_ms = clock_ms(g);
}

/* ---- the worker waits: more events, or the next round once all of this one is committed */

static bool pass(void *arg, const struct sc_msg *m)
{
    (void)arg, (void)m;
    return true;
}

static bool take_states(void *arg, const struct sc_msg *m)
{
    struct growth *g = arg;
    struct sc_arena ar;
    struct sc_seal_reader r;
    struct sc_image im;
    sc_arena_init(&ar);
    SC_ASSERT(sc_seal_open(&r, m->value, &ar));
    for (; sc_seal_next(&r, &im) == 1; g->states++)
        g->state_bytes += im.state.len;
    sc_arena_fini(&ar);
    return true;
}

/* States written since the last time; at most those that the broker still has. */
static void read_states(struct growth *g, bool (*fn)(void *arg, const struct sc_msg *m))
{
    for (int32_t p = 0; p < BENCH_PARTITIONS; p++)
        g->states_from[p] = sc_broker_read(g->broker, "state", p, g->states_from[p], fn, g);
}

static void end_round(struct growth *g)
{
    if (g->round > 0)
        g->spent_ns += bench_cpu_ns() - g->from_ns - g->feeding_ns;
    g->feeding_ns = 0;
    g->fed = 0;
    read_states(g, ++g->round == g->rounds ? take_states : pass);
    if (g->round == g->rounds) {
        g->stop = true;
        if (g->taken == 0)
            g->taken = resident() - g->resident;
    }
    g->from_ns = bench_cpu_ns();
}

static void nap(void *arg, int ms)
{
    struct growth *g = arg;
    g->waited_ms += ms;
    if (g->stop)
        return;
    if (g->fed == g->customers && clock_ms(g) - g->fed_ms > REST_MS)
        end_round(g);
    if (g->fed < g->customers && !g->stop) {
        int64_t from_ns = bench_cpu_ns();
        feed(g);
        g->feeding_ns += bench_cpu_ns() - from_ns;
    }
}

/* ---- worlds */

static void live(struct growth *g)
{
    static const char *const journal[] = {"journal"};
    struct sc_broker_log_config lc = {"journey", "journey", journal, 1, &g->cfg.topics};
    struct sc_clock clock = {clock_ms, clock_ms, g};
    g->broker = sc_broker_create(clock, KEEP);
    sc_broker_sleeps(g->broker, nap, g);
    bench_configure(&g->cfg, g->broker, g->project.journey);
    g->w = (struct sc_worker){.role = "journey",
                              .writer = "journey",
                              .cfg = &g->cfg,
                              .clock = clock,
                              .stop = &g->stop,
                              .log = sc_broker_log_create(g->broker, &lc)};
    g->round = g->fed = 0;
    g->stop = false;
    memset(g->states_from, 0, sizeof(g->states_from));
    g->resident = resident();
    SC_ASSERT(sc_journey_worker(&g->w) == 0);
    SC_ASSERT(g->w.counters.applied == g->customers * g->rounds);
    sc_broker_destroy(g->broker);
    g->seed += g->customers;
}

int main(int argc, char **argv)
{
    struct growth *g = sc_calloc(1, sizeof(*g));
    char path[4096];
    uint64_t worlds = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
    if (argc == 5) {
        g->customers = strtoull(argv[2], NULL, 10);
        g->rounds = strtoull(argv[3], NULL, 10);
    }
    if (worlds == 0 || g->customers == 0 || g->rounds < 2)
        return fputs("usage: bench_growth REFERENCE_DIR CUSTOMERS ROUNDS WORLDS\n", stderr), 64;
    sc_log_setup(SC_LOG_WARN, SC_LOG_LOGFMT);
    snprintf(path, sizeof(path), "%s/journey.yaml", argv[1]);
    setenv("REF_RUN", "growth", 0);
    if (sc_project_load_journey(&g->project, path) != 0)
        return 66;
    g->projection = sc_projection_hash(g->project.taxonomy, &g->project.journey->wanted);
    for (uint32_t to = 0; to < BENCH_PARTITIONS; to++)
        sc_frame_start(&g->frames[to], g->projection);
    for (uint64_t i = 0; i < worlds; i++)
        live(g);
    printf("%.0f %.0f %.0f\n",
           (double)g->spent_ns / (double)(worlds * g->customers * (g->rounds - 1)),
           (double)g->taken / (double)g->customers, (double)g->state_bytes / (double)g->states);
    for (uint32_t to = 0; to < BENCH_PARTITIONS; to++)
        sc_frame_fini(&g->frames[to]);
    sc_project_fini(&g->project);
    free(g);
    return 0;
}
