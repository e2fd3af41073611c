/* What the programs that run workers without servers have in common: the reference job's settings,
 * as reference/stagecoach.yaml has them, over a broker in memory. */
#ifndef BENCH_BED_H
#define BENCH_BED_H

#include "engine/worker.h"
#include "sim/broker.h"

#include <time.h>

#define BENCH_PARTITIONS 4
#define BENCH_NOW_MS INT64_C(1770000000000)

static inline void bench_topic(struct sc_engine_config *cfg, struct sc_broker *br, uint32_t index,
                               const char *name)
{
    cfg->topics.v[index] =
        (struct sc_out_topic){.name = sc_str_from(name), .on = true, .format = SC_FORMAT_JSON};
    if (index >= cfg->topics.n)
        cfg->topics.n = index + 1;
    sc_broker_topic(br, name, BENCH_PARTITIONS);
}

static inline void bench_configure(struct sc_engine_config *cfg, struct sc_broker *br,
                                   const struct sc_journey *jo)
{
    *cfg = (struct sc_engine_config){
        .jo = jo, .partitions = BENCH_PARTITIONS, .ranks_hash = 1, .commit_interval_ms = 100,
        .flush_interval_ms = 1000, .dirty_max_bytes = 1u << 30, .dirty_max_ms = 120000,
        .cache_max_bytes = 1u << 30, .txn_max_bytes = 24u << 20, .hints = 1u << 20,
        .timers_max = 2000, .event_clock = true};
    bench_topic(cfg, br, SC_OUT_JOURNAL, "journal");
    bench_topic(cfg, br, SC_OUT_STATE, "state");
    bench_topic(cfg, br, SC_OUT_TRANSITIONS, "transitions");
    bench_topic(cfg, br, SC_OUT_IDENTITY, "identity");
    bench_topic(cfg, br, SC_OUT_DEAD_LETTERS, "dead-letters");
    bench_topic(cfg, br, SC_OUT_TRIGGERS, "triggers");
    sc_broker_topic(br, "clicks", BENCH_PARTITIONS);
}

/* This thread's. */
static inline int64_t bench_cpu_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

#endif
