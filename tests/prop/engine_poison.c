/* A record, of the journal or of a source, that ends whoever takes it becomes a dead letter after some
 * lives, and on it goes; not after three, which may have had other causes. Lives that end where nothing is to be
 * read, and tries of one life that waits for Redis, are no proof against a record. And a first
 * start that breaks off can be taken up. */
#include "../lib/engine_bed.h"

static struct sc_str letter; /* the last one's value */

static bool count_letter(void *arg, const struct sc_msg *m)
{
    ++*(uint32_t *)arg;
    letter = m->value;
    return true;
}

static uint32_t dead_letters(struct bed *b)
{
    uint32_t n = 0;
    sc_broker_read(b->broker, "dead-letters", 0, 0, count_letter, &n);
    return n;
}

/* One journey worker's life: it dies of what it takes, before it can commit. */
static void die_of_it(struct bed *b)
{
    start(b, false);
    b->deadly = true;
    sched_sleep(&b->s, 2000);
    b->deadly = false;
    for (uint32_t i = 0; i < LIVES; i++)
        if (b->lives[i].task && !b->lives[i].resolve)
            end(b, &b->lives[i], true);
}

static void live_a_while(struct bed *b, int64_t ms)
{
    start(b, false);
    sched_sleep(&b->s, ms);
    for (uint32_t i = 0; i < LIVES; i++)
        if (b->lives[i].task && !b->lives[i].resolve)
            end(b, &b->lives[i], true);
}

static void expect(struct bed *b, uint32_t from, uint32_t to, const char *when)
{
    uint32_t n = dead_letters(b);
    if (n < from || n > to)
        fail(b, "%s: %u dead letters, expected %u to %u", when, n, from, to);
}

/* Nobody dies of a record that is not there: idle lives end, then records come. */
static void idle_lives(void)
{
    struct bed *b = bed_create(4);
    b->faults = false;
    for (int i = 0; i < 6; i++)
        live_a_while(b, 500);
    simulate(b);
    play(b);
    expect(b, 0, 0, "after idle lives");
    bed_destroy(b);
}

/* Redis is away for long while records wait: the worker tries again and again, and lives. */
static void long_outage(void)
{
    struct bed *b = bed_create(8);
    b->faults = false;
    start(b, true);
    start(b, false);
    for (uint32_t i = 0; i < EVENTS / 2; i++)
        write_event(b, &b->events[i]);
    sched_sleep(&b->s, 5000);
    sc_memview_wipe(b->view); /* so that there is something to ask for */
    sc_memview_down(b->view, true);
    for (uint32_t i = EVENTS / 2; i < EVENTS; i++) {
        write_event(b, &b->events[i]);
        sched_sleep(&b->s, 200);
    }
    sched_sleep(&b->s, 60000);
    peace(b);
    write_ticks(b);
    come_to_rest(b);
    end_all(b);
    expect(b, 0, 0, "after an outage of Redis");
    bed_destroy(b);
}

/* The very first claim fails, when Redis has its stamp already: it is not somebody else's. */
static void broken_start(void)
{
    struct bed *b = bed_create(16);
    b->faults = false;
    b->broken = 2;
    play(b);
    bed_destroy(b);
}

/* So many lives end at it; then it is harmless, or given up. */
static void poison(int lives, uint32_t least, uint32_t most)
{
    struct bed *b = bed_create(12);
    b->faults = false;
    start(b, true);
    for (uint32_t i = 0; i < EVENTS; i++)
        write_event(b, &b->events[i]);
    sched_sleep(&b->s, 2000);
    for (int i = 0; i < lives; i++)
        die_of_it(b);
    write_ticks(b);
    start(b, false);
    come_to_rest(b);
    uint64_t counted = 0;
    for (uint32_t i = 0; i < LIVES; i++) {
        counted += b->lives[i].task ? b->lives[i].w.counters.drops[SC_DROP_POISON] : 0;
        if (b->lives[i].task)
            end(b, &b->lives[i], false);
    }
    expect(b, least, most, "after lives that ended at a record");
    if (counted < least || counted > most)
        fail(b, "%llu are counted as poison", (unsigned long long)counted);
    if (least && (letter.len < 4 || memcmp(letter.p, "SCJF", 4) != 0))
        fail(b, "the dead letter is not the frame");
    bed_destroy(b);
}

/* ---- a record of a source */

#define POISONED 150u /* deep in a batch: those before it must not cost lives */

static struct bed *poisoned; /* the bed whose resolve workers die of it; NULL: it is harmless */
static struct sc_log_ops deadly_ops;
static enum sc_err (*produce)(struct sc_log *lg, const struct sc_out *out);

/* Its event reaches the journal's frame: who has it in hand dies here, with all it had. */
static enum sc_err deadly_produce(struct sc_log *lg, const struct sc_out *out)
{
    bool has = out->topic == SC_OUT_JOURNAL &&
               memmem(out->value.p, out->value.len, "the-poison", 10) != NULL;
    for (uint32_t i = 0; poisoned && has && i < LIVES; i++) {
        struct life *l = &poisoned->lives[i];
        if (l->task == NULL || l->w.log != lg || l->stop)
            continue;
        sc_broker_log_kill(l->w.log);
        sc_memview_kill(l->w.view);
        l->stop = true;
    }
    return produce(lg, out);
}

static struct life *start_resolve(struct bed *b)
{
    start(b, true);
    for (uint32_t i = 0; i < LIVES; i++) {
        struct life *l = &b->lives[i];
        if (l->task == NULL || !l->resolve)
            continue;
        deadly_ops = *l->w.log->ops;
        produce = deadly_ops.produce == deadly_produce ? produce : deadly_ops.produce;
        deadly_ops.produce = deadly_produce;
        l->w.log->ops = &deadly_ops;
        return l;
    }
    fail(b, "no worker");
}

/* So many lives may end at it; how many did. */
static int die_of_event(struct bed *b, int most)
{
    int died = 0;
    poisoned = b;
    for (bool dead = true; dead && died < most;) {
        struct life *l = start_resolve(b);
        for (int64_t until_ms = b->s.ms + 20000; !l->stop && b->s.ms < until_ms;)
            sched_sleep(&b->s, 100);
        dead = l->stop;
        died += dead;
        end(b, l, false);
    }
    poisoned = NULL;
    return died;
}

static void poisoned_source(int most, uint32_t letters)
{
    struct bed *b = bed_create(20);
    uint64_t taken = 0;
    b->faults = false;
    start(b, false);
    for (uint32_t i = 0; i < EVENTS; i++) {
        struct sc_out out = {.partition = 0, .timestamp_ms = b->events[i].ms};
        out.value = line_of(b, i, b->events[i].ms, 0, "\"event\":\"viewed\"",
                            "{\"email\":\"a@x.org\"}");
        if (i == POISONED)
            out.value = line_of(b, i, b->events[i].ms, 0,
                                "\"event\":\"cart\",\"properties\":{\"cart_id\":\"the-poison\","
                                "\"value\":\"1.00\"}", "{\"email\":\"a@x.org\"}");
        sc_broker_write(b->broker, "web", &out);
    }
    int died = die_of_event(b, most);
    if (died != (letters ? 5 : most))
        fail(b, "%d lives ended at a record of a source", died);
    start(b, true);
    write_ticks(b);
    come_to_rest(b);
    for (uint32_t i = 0; i < LIVES; i++) {
        taken += b->lives[i].task ? b->lives[i].w.counters.applied : 0;
        if (b->lives[i].task)
            end(b, &b->lives[i], false);
    }
    expect(b, letters, letters, "after lives that ended at a record of a source");
    if (taken != EVENTS - letters)
        fail(b, "%llu of the others were taken", (unsigned long long)taken);
    if (letters && memmem(letter.p, letter.len, "the-poison", 10) == NULL)
        fail(b, "another record is the dead letter");
    bed_destroy(b);
}

int main(void)
{
    sc_log_setup(SC_LOG_ERROR + 1, SC_LOG_LOGFMT);
    idle_lives();
    long_outage();
    broken_start();
    poison(3, 0, 0);
    poison(7, 1, JOURNAL_PARTS); /* one a partition that had records */
    poisoned_source(3, 0);
    poisoned_source(9, 1);
    puts("7 passed");
    return 0;
}
