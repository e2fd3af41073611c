/* A worker that stands: what it says of itself, and whether the watchdog believes it. It has moved when
 * it has committed, or when there is nothing to do; a wait is stated; a loop that turns is neither. */
#include "../lib/engine_bed.h"

#define WATCHDOG_MS 120000

struct watch {
    struct bed *b;
    int64_t polled_ms, gap_ms; /* journey workers' polls: the last, the longest pause between two */
    uint64_t polls;
    int slow_ms;               /* each flush of a transaction of theirs takes so long */
    bool away;                 /* the broker does not answer questions */
};

static enum sc_err look(void *arg, const char *writer, enum sc_broker_call call)
{
    struct watch *wa = arg;
    if (call == SC_CALL_POLL && writer[0] == 'j') {
        if (wa->polled_ms && wa->b->s.ms - wa->polled_ms > wa->gap_ms)
            wa->gap_ms = wa->b->s.ms - wa->polled_ms;
        wa->polled_ms = wa->b->s.ms;
        wa->polls++;
    }
    if (call == SC_CALL_FLUSH && writer[0] == 'j')
        sched_sleep(&wa->b->s, wa->slow_ms);
    if (call == SC_CALL_ENDS && wa->away)
        return SC_ERR_UNAVAILABLE;
    return meet(wa->b, writer, call);
}

static struct sc_worker *journey_of(struct bed *b)
{
    for (uint32_t i = 0; i < LIVES; i++)
        if (b->lives[i].task && !b->lives[i].resolve)
            return &b->lives[i].w;
    abort();
}

/* For `ms`, looked at as the watchdog does: would it have ended the process? */
static bool ended(struct bed *b, struct sc_watch *wa, int64_t ms)
{
    bool stood = false;
    for (int64_t until_ms = b->s.ms + ms; b->s.ms < until_ms;) {
        sched_sleep(&b->s, 100);
        stood |= sc_worker_stands(wa, journey_of(b), b->s.ms, WATCHDOG_MS);
    }
    return stood;
}

static struct bed *bed_with_events(void)
{
    struct bed *b = bed_create(4);
    b->faults = false;
    start(b, true);
    for (uint32_t i = 0; i < EVENTS; i++)
        write_event(b, &b->events[i]);
    sched_sleep(&b->s, 3000);
    return b;
}

static void finish(struct bed *b)
{
    write_ticks(b);
    come_to_rest(b);
    end_all(b);
    bed_destroy(b);
}

static void expect(struct bed *b, bool right, const char *what_is)
{
    const char *why = journey_of(b)->status.why;
    if (!right)
        fail(b, "%s; it says: %s", what_is, why ? why : "(nothing)");
}

/* One batch holds the whole journal: the lag goes down to nothing step by step. */
static void lag_in_a_batch(void)
{
    struct bed *b = bed_with_events();
    int64_t seen = -1, steps = 0;
    for (int copies = 0; copies < 16; copies++) {
        for (uint32_t i = 0; i < EVENTS; i++)
            write_event(b, &b->events[i]);
        sched_sleep(&b->s, 300);
    }
    sched_sleep(&b->s, 3000);
    start(b, false);
    for (int i = 0; i < 400; i++) {
        int64_t lag = journey_of(b)->status.lag;
        steps += lag > 0 && lag < seen;
        seen = lag;
        sched_sleep(&b->s, 0);
    }
    expect(b, steps >= 2, "the lag does not count what is in hand");
    finish(b);
}

/* One batch is seconds of work: Redis gets its states meanwhile, not behind it. */
static void flush_in_a_batch(void)
{
    struct bed *b = bed_with_events();
    for (int copies = 0; copies < 16; copies++) { /* more than one group of records */
        for (uint32_t i = 0; i < EVENTS; i++)
            write_event(b, &b->events[i]);
        sched_sleep(&b->s, 300);
    }
    struct watch wa = {.b = b, .slow_ms = 500};
    sc_broker_faults(b->broker, look, &wa);
    start(b, false);
    const struct sc_counters *c = &journey_of(b)->counters;
    int64_t until_ms = b->s.ms + 60000;
    while (c->applied == 0 && b->s.ms < until_ms)
        sched_sleep(&b->s, 10);
    expect(b, c->applied > 0, "no batch was taken in hand");
    uint64_t polls = wa.polls;
    while (c->state_writes == 0 && wa.polls == polls && b->s.ms < until_ms)
        sched_sleep(&b->s, 10);
    expect(b, c->state_writes > 0 && wa.polls == polls, "nothing is flushed before the batch ends");
    expect(b, journey_of(b)->status.lag > 0, "the batch was too short to show it");
    wa.slow_ms = 0;
    finish(b);
}

/* Redis is away for longer than max.poll.interval.ms. */
static void redis_away(void)
{
    struct bed *b = bed_with_events();
    struct watch wa = {.b = b};
    struct sc_watch watchdog = {0};
    sc_broker_faults(b->broker, look, &wa);
    start(b, false);
    sched_sleep(&b->s, 500);
    sc_memview_down(b->view, true);
    write_ticks(b);
    bool early = ended(b, &watchdog, 400000);
    expect(b, journey_of(b)->status.why != NULL, "it does not say that it waits for Redis");
    expect(b, wa.gap_ms < 10000, "the consumer is not polled while it waits");
    expect(b, journey_of(b)->status.lag > 0, "nothing is behind while nothing is read");
    expect(b, !early, "a stated wait is ended");
    sc_memview_down(b->view, false);
    for (int i = 0; i < 20000 && journey_of(b)->status.lag > 0; i++) { /* at each turn of anybody */
        sched_sleep(&b->s, i % 10 == 0);
        early |= sc_worker_stands(&watchdog, journey_of(b), b->s.ms, WATCHDOG_MS);
    }
    expect(b, journey_of(b)->status.why == NULL, "it waits on");
    expect(b, !early, "a wait that is over is ended");
    finish(b);
}

/* Nothing ever commits: it turns and turns, and that is no life. */
static void never_commits(void)
{
    struct bed *b = bed_with_events();
    start(b, false);
    sched_sleep(&b->s, 3000);
    b->broken = UINT32_MAX;
    write_ticks(b);
    struct sc_watch watchdog = {0};
    expect(b, !ended(b, &watchdog, 60000), "it is ended too early");
    expect(b, ended(b, &watchdog, 100000), "it is trusted for ever");
    b->broken = 0;
    finish(b);
}

/* Something is in the journal that cannot be read. */
static struct sc_log *hold_journal(struct bed *b)
{
    static const char *const sources[] = {"web", "pos"};
    struct sc_broker_log_config cfg = {"others", "r-other", sources, SOURCES, &b->cfg.topics};
    struct sc_log *other = sc_broker_log_create(b->broker, &cfg);
    struct sc_out out = {.topic = SC_OUT_JOURNAL, .partition = 1, .value = SC_STR("open")};
    other->ops->begin(other);
    other->ops->produce(other, &out);
    for (uint32_t i = 0; i < LIVES; i++) /* no heartbeats: else there is something elsewhere */
        if (b->lives[i].task && b->lives[i].resolve)
            end(b, &b->lives[i], false);
    return other;
}

static void let_go(struct bed *b, struct sc_log *other)
{
    other->ops->abort(other);
    other->ops->close(other);
    sched_sleep(&b->s, 1000);
    expect(b, journey_of(b)->status.why == NULL, "it waits on");
    start(b, true);
    finish(b);
}

/* Somebody's transaction in the journal stays open: nothing behind it can be read. */
static void journal_held(void)
{
    struct bed *b = bed_with_events();
    start(b, false);
    sched_sleep(&b->s, 3000);
    struct sc_log *other = hold_journal(b);
    sched_sleep(&b->s, 12000);
    expect(b, journey_of(b)->status.why != NULL, "it does not say that the journal is held back");
    let_go(b, other);
}

/* The broker is away while something in the journal is not read yet. */
static void broker_away(void)
{
    struct bed *b = bed_with_events();
    struct watch wa = {.b = b};
    sc_broker_faults(b->broker, look, &wa);
    start(b, false);
    sched_sleep(&b->s, 3000);
    struct sc_log *other = hold_journal(b);
    wa.away = true;
    sched_sleep(&b->s, 12000);
    expect(b, journey_of(b)->status.why != NULL, "it does not say that it waits for the broker");
    wa.away = false;
    let_go(b, other);
}

/* Redis is wiped while nothing happens: within two minutes the view is whole again. */
static void quiet_wipe(void)
{
    struct bed *b = bed_with_events();
    start(b, false);
    write_ticks(b);
    come_to_rest(b);
    sc_memview_wipe(b->view);
    sched_sleep(&b->s, 130000);
    struct sc_view *vw = sc_memview_open(b->view);
    for (uint32_t p = 0; p < JOURNAL_PARTS; p++) {
        struct sc_stamp stamp;
        vw->ops->read(vw, p, &stamp, NULL, 0);
        expect(b, stamp.incarnation != 0, "the view of a quiet partition is not rebuilt");
    }
    vw->ops->close(vw);
    end_all(b);
    bed_destroy(b);
}

int main(void)
{
    sc_log_setup(SC_LOG_ERROR + 1, SC_LOG_LOGFMT);
    lag_in_a_batch();
    flush_in_a_batch();
    redis_away();
    never_commits();
    journal_held();
    broker_away();
    quiet_wipe();
    puts("7 passed");
    return 0;
}
