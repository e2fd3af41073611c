/* Progress of a source partition (semantics 12): the largest of its times, each counted at most as
 * its record's own timestamp, less `disorder`: a wrong clock cannot leap time, the slowest holds all. */
#include "../lib/engine_bed.h"

#define AHEAD_MS INT64_C(3600000)

static int64_t watermark(struct bed *b)
{
    sched_sleep(&b->s, 5000);
    for (uint32_t i = 0; i < LIVES; i++)
        if (b->lives[i].task && !b->lives[i].resolve)
            return b->lives[i].w.status.watermark_ms;
    abort();
}

/* An event of this time in one partition, written at another. */
static void write_at(struct bed *b, uint32_t source, int32_t partition, int64_t ms, int64_t at_ms)
{
    static uint32_t id;
    struct sc_out out = {.partition = partition, .timestamp_ms = at_ms};
    out.value = line_of(b, ++id, ms, source, "\"event\":\"tick\"", "{}");
    sc_broker_write(b->broker, source ? "pos" : "web", &out);
}

/* The same in all partitions from the `first` on. */
static void write_from(struct bed *b, int32_t first, int64_t ms, int64_t at_ms)
{
    for (int32_t i = first; i < (int32_t)SOURCES * SOURCE_PARTS; i++)
        write_at(b, (uint32_t)(i / SOURCE_PARTS), i % SOURCE_PARTS, ms, at_ms);
}

static void expect(struct bed *b, int64_t want, const char *when)
{
    int64_t got = watermark(b);
    if (got != want)
        fail(b, "%s: time stands at %lld, expected %lld", when, (long long)got, (long long)want);
}

/* A resolve worker ends at any moment between the commit of the last records and the heartbeat that
 * would say their time, killed or not: the next one knows it, though it reads none of them. */
static void outlives(struct bed *b, int64_t ms)
{
    for (int64_t wait = 20; wait <= 600; wait += 20) {
        ms += AHEAD_MS;
        write_from(b, 0, ms, ms);
        sched_sleep(&b->s, wait);
        for (uint32_t i = 0; i < LIVES; i++)
            if (b->lives[i].task && b->lives[i].resolve)
                end(b, &b->lives[i], wait % 40 == 0);
        start(b, true);
        expect(b, ms - 10000, "the last records' reader has ended");
    }
}

int main(void)
{
    sc_log_setup(SC_LOG_ERROR + 1, SC_LOG_LOGFMT);
    struct bed *b = bed_create(4);
    b->faults = false;
    for (uint32_t s = 0; s < SOURCES; s++) {
        b->project.taxonomy->sources[s].disorder_ms = 10000;
        b->project.taxonomy->sources[s].idle_after_ms = INT64_C(3600000); /* nobody is idle here */
    }
    start(b, true);
    start(b, false);
    write_from(b, 0, START_MS, START_MS);
    expect(b, START_MS - 10000, "all at one time");
    write_from(b, 0, START_MS + AHEAD_MS, START_MS + 1000);
    expect(b, START_MS + 1000 - 10000, "clocks that go an hour ahead");
    write_from(b, 1, START_MS + AHEAD_MS, START_MS + AHEAD_MS);
    expect(b, START_MS + 1000 - 10000, "one that lags");
    write_at(b, 0, 0, START_MS, START_MS + AHEAD_MS);
    expect(b, START_MS + 1000 - 10000, "an old event moves nothing");
    write_at(b, 0, 0, START_MS + AHEAD_MS, START_MS + AHEAD_MS);
    expect(b, START_MS + AHEAD_MS - 10000, "all further on");
    outlives(b, START_MS + AHEAD_MS);
    end_all(b);
    bed_destroy(b);
    puts("6 passed");
    return 0;
}
