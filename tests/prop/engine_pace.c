/* An event waits for commit_interval at most once (docs/adr/0020): in resolve, whose heartbeats are
 * transactions too; the journey worker, which was at rest, commits what comes to it. */
#include "../lib/engine_bed.h"

#define INTERVAL_MS 400
#define ON_THE_WAY_MS 50 /* polls, and the quiet behind a lot */

static uint64_t commits(struct bed *b)
{
    for (uint32_t i = 0; i < LIVES; i++)
        if (b->lives[i].task && !b->lives[i].resolve)
            return b->lives[i].w.counters.transactions;
    abort();
}

int main(void)
{
    sc_log_setup(SC_LOG_ERROR + 1, SC_LOG_LOGFMT);
    struct bed *b = bed_create(4);
    b->faults = false;
    b->cfg.commit_interval_ms = INTERVAL_MS;
    start(b, true);
    start(b, false);
    int64_t most_ms = 0;
    for (uint32_t i = 0; i < EVENTS; i++) {
        sched_sleep(&b->s, 2 * INTERVAL_MS + 37 * i % 500); /* at any moment between two heartbeats */
        uint64_t before = commits(b);
        int64_t from_ms = clock_ms(b);
        write_event(b, &b->events[i]);
        while (commits(b) == before)
            sched_sleep(&b->s, 1);
        if (clock_ms(b) - from_ms > most_ms)
            most_ms = clock_ms(b) - from_ms;
    }
    if (most_ms > INTERVAL_MS + ON_THE_WAY_MS)
        fail(b, "an event waited for %lld ms, the interval is %d", (long long)most_ms, INTERVAL_MS);
    end_all(b);
    bed_destroy(b);
    puts("1 passed");
    return 0;
}
