/* What is gone from a topic before it was read is never passed over in silence: its partition stops,
 * the others go on, and on the operator's word (`adopt`) it goes on with what is left. The real
 * workers, on the broker in memory. The same for a journal frame that cannot be read, and for a
 * state. And where a first start begins. */
#include "../lib/engine_bed.h"

#include "base/hash.h"
#include "codec/seal.h"
#include "engine/part.h"

static struct life *life_of(struct bed *b, bool resolve)
{
    for (uint32_t i = 0; i < LIVES; i++)
        if (b->lives[i].task && b->lives[i].resolve == resolve)
            return &b->lives[i];
    abort();
}

static struct bed *begin(void)
{
    struct bed *b = bed_create(4);
    b->faults = false;
    start(b, true);
    start(b, false);
    for (uint32_t i = 0; i < EVENTS / 2; i++)
        write_event(b, &b->events[i]);
    sched_sleep(&b->s, 3000);
    return b;
}

static void rest_of_it(struct bed *b)
{
    for (uint32_t i = EVENTS / 2; i < EVENTS; i++)
        write_event(b, &b->events[i]);
    sched_sleep(&b->s, 3000);
}

static bool pass(void *arg, const struct sc_msg *m)
{
    (void)arg, (void)m;
    return true;
}

static int64_t end_of(struct bed *b, const char *topic, int32_t partition)
{
    return sc_broker_read(b->broker, topic, partition, 0, pass, NULL);
}

static void expect_stopped(struct bed *b, bool resolve, int64_t stopped)
{
    struct life *l = life_of(b, resolve);
    sched_sleep(&b->s, 3000);
    if (l->w.status.stopped != stopped || l->w.status.ready == (stopped > 0))
        fail(b, "%s: %lld partitions stopped, expected %lld; ready %d", l->w.role,
             (long long)l->w.status.stopped, (long long)stopped, l->w.status.ready);
}

/* Stopped, whatever is tried; then the word is given, and all of the rest is done. */
static void stop_and_adopt(struct bed *b, bool resolve)
{
    start(b, resolve);
    expect_stopped(b, resolve, 1);
    int64_t all = resolve ? SOURCES * SOURCE_PARTS : JOURNAL_PARTS;
    if (life_of(b, resolve)->w.status.partitions != all)
        fail(b, "the others are not owned");
    if (life_of(b, resolve)->w.counters.transactions == 0)
        fail(b, "the others do not go on");
    end(b, life_of(b, resolve), false);
    start(b, resolve);
    expect_stopped(b, resolve, 1);
    end(b, life_of(b, resolve), true);
    b->cfg.adopt = true;
    start(b, resolve);
    expect_stopped(b, resolve, 0);
    end(b, life_of(b, resolve), false);
    b->cfg.adopt = false;
    start(b, resolve);
    write_ticks(b);
    come_to_rest(b);
    end_all(b);
    bed_destroy(b);
}

static void source(void)
{
    struct bed *b = begin();
    end(b, life_of(b, true), false);
    rest_of_it(b);
    sc_broker_delete(b->broker, "web", 1, end_of(b, "web", 1));
    stop_and_adopt(b, true);
}

static void journal(void)
{
    struct bed *b = begin();
    end(b, life_of(b, false), false);
    rest_of_it(b);
    sc_broker_delete(b->broker, "journal", 1, end_of(b, "journal", 1));
    stop_and_adopt(b, false);
}

/* Nothing is committed yet, and the journal's first records are gone. */
static void journal_never_read(void)
{
    struct bed *b = bed_create(4);
    b->faults = false;
    start(b, true);
    rest_of_it(b);
    sc_broker_delete(b->broker, "journal", 0, 1);
    stop_and_adopt(b, false);
}

/* It happens to one that runs, behind its back: it has not read on for Redis was away. */
static void while_it_runs(void)
{
    struct bed *b = begin();
    sc_memview_wipe(b->view);
    sc_memview_down(b->view, true);
    rest_of_it(b);
    int64_t last = end_of(b, "journal", 2);
    sc_memview_down(b->view, false);
    sc_broker_delete(b->broker, "journal", 2, last);
    expect_stopped(b, false, 1);
    end_all(b);
    bed_destroy(b);
}

/* ---- a journal that is not what resolve wrote */

static bool keep_frame(void *arg, const struct sc_msg *m)
{
    struct sc_buf *frame = arg;
    frame->len = 0;
    sc_buf_add(frame, m->value.p, m->value.len);
    return true;
}

/* The last frame of a partition, its sum right, but one record more announced than it has. */
static void damage(struct bed *b, int32_t partition, struct sc_buf *frame)
{
    uint16_t records;
    sc_broker_read(b->broker, "journal", partition, 0, keep_frame, frame);
    memcpy(&records, frame->p + 10, sizeof(records));
    records++;
    memcpy(frame->p + 10, &records, sizeof(records));
    uint32_t sum = sc_hash_crc32c(frame->p + 8, frame->len - 8);
    memcpy(frame->p + 4, &sum, sizeof(sum));
}

/* A frame that is whole, of more records than any release of ours puts into one. */
static void crowd(struct sc_buf *frame)
{
    struct sc_frame_writer w = {0};
    sc_frame_start(&w, 0);
    for (uint64_t k = 1; k <= 1200; k++)
        sc_frame_trailer(&w, &(struct sc_trailer){.boot = 7, .k = k});
    struct sc_str whole = sc_frame_finish(&w);
    sc_buf_add(frame, whole.p, whole.len);
    sc_frame_fini(&w);
}

static int64_t committed_at(struct bed *b, int32_t partition)
{
    static const char *const journal[] = {"journal"};
    struct sc_broker_log_config cfg = {"journey", "probe", journal, 1, &b->cfg.topics};
    struct sc_log *lg = sc_broker_log_create(b->broker, &cfg);
    struct sc_tp tp = {.partition = partition};
    lg->ops->committed(lg, &tp, 1, 0, &b->ar);
    lg->ops->close(lg);
    return tp.offset;
}

/* Everything before the bad one is applied, it is not passed, and the others go on. */
enum bad { NO_FRAME, ONE_ANNOUNCED_TOO_MANY, TOO_MANY };
static void bad_frame(enum bad bad)
{
    struct bed *b = begin();
    struct sc_buf frame = {0};
    if (bad == NO_FRAME)
        sc_buf_addz(&frame, "no frame at all");
    else if (bad == TOO_MANY)
        crowd(&frame);
    else
        damage(b, 1, &frame);
    end(b, life_of(b, false), false);
    for (uint32_t i = EVENTS / 2; i < EVENTS * 3 / 4; i++)
        write_event(b, &b->events[i]);
    sched_sleep(&b->s, 3000);
    int64_t at = end_of(b, "journal", 1), other = committed_at(b, 0);
    struct sc_out out = {.partition = 1, .value = sc_buf_view(&frame)};
    sc_broker_write(b->broker, "journal", &out);
    for (uint32_t i = EVENTS * 3 / 4; i < EVENTS; i++)
        write_event(b, &b->events[i]);
    sched_sleep(&b->s, 3000);
    start(b, false);
    expect_stopped(b, false, 1);
    end(b, life_of(b, false), false);
    int64_t next = committed_at(b, 1);
    if (next != at)
        fail(b, "partition 1 stands at %lld, the bad frame at %lld", (long long)next,
             (long long)at);
    if (committed_at(b, 0) <= other)
        fail(b, "partition 0 stands at %lld", (long long)other);
    end(b, life_of(b, true), false);
    sc_buf_fini(&frame);
    bed_destroy(b);
}

static void say(struct bed *b, struct sc_frame_writer *w, uint64_t boot, uint64_t k)
{
    const struct sc_trailer tr = {.boot = boot, .k = k};
    sc_frame_start(w, 0);
    sc_frame_trailer(w, &tr);
    struct sc_out out = {.partition = 1, .value = sc_frame_finish(w)};
    sc_broker_write(b->broker, "journal", &out);
}

/* Each doubt of a resolve worker makes another writer of it; those that go on are still followed. */
static void gap_after_many_writers(void)
{
    struct bed *b = begin();
    struct sc_frame_writer w = {0};
    end(b, life_of(b, true), false);
    for (uint64_t i = 1; i <= 2 * SC_WRITERS_MAX; i++) {
        if (i > SC_WRITERS_MAX)
            say(b, &w, 1, i);
        say(b, &w, 1000 + i, 1);
    }
    expect_stopped(b, false, 0);
    say(b, &w, 1, 2 * SC_WRITERS_MAX + 2);
    expect_stopped(b, false, 1);
    end_all(b);
    sc_frame_fini(&w);
    bed_destroy(b);
}

/* A stopped partition is flushed no more; what it has not written yet is no reason to hold the others
 * back, not after `flush.stall` either. */
static void stopped_beside_others(void)
{
    struct bed *b = begin();
    struct sc_out out = {.partition = 1, .value = SC_STR("no frame at all")};
    end(b, life_of(b, false), false);
    for (uint32_t i = EVENTS / 2; i < EVENTS * 3 / 4; i++)
        write_event(b, &b->events[i]);
    sched_sleep(&b->s, 3000);
    sc_broker_write(b->broker, "journal", &out); /* behind events that it has to commit first */
    start(b, false);
    expect_stopped(b, false, 1);
    sched_sleep(&b->s, 10000);
    for (uint32_t i = EVENTS * 3 / 4; i < EVENTS; i++)
        write_event(b, &b->events[i]);
    sched_sleep(&b->s, 10000);
    const struct sc_worker_status *s = &life_of(b, false)->w.status;
    if (s->why)
        fail(b, "beside a stopped partition it waits: %s", s->why);
    if (s->flush_lag_ms)
        fail(b, "what will not be flushed is said to be late");
    end_all(b);
    bed_destroy(b);
}

/* ---- a state that is not what journey wrote */

/* A record of this broker is its memory, and the test's to change. */
static char *memory(const char *p)
{
    return (char *)(uintptr_t)p;
}

/* Every fact of every state of a record, its sum right again. */
static bool damage_facts(void *arg, const struct sc_msg *m)
{
    struct bed *b = arg;
    struct sc_seal_reader r;
    struct sc_image im;
    if (!sc_seal_open(&r, m->value, &b->ar))
        fail(b, "no state frame");
    while (sc_seal_next(&r, &im) == 1) {
        struct sc_state *st = im.state.p == NULL ? NULL
            : sc_state_open(b->project.journey, im.node, im.state, &b->ar);
        if (st)
            sc_state_whole(st);
        for (uint32_t i = 0; st && i < st->facts.n; i++)
            memset(memory(st->facts.v[i].body.p), 0xff, st->facts.v[i].body.len);
    }
    uint32_t sum = sc_hash_crc32c(m->value.p + 8, m->value.len - 8);
    memcpy(memory(m->value.p) + 4, &sum, sizeof(sum));
    return true;
}

/* Found when an event asks for the fact: what was to be decided by it is not, and nothing passed. */
static void damaged_facts(void)
{
    struct bed *b = begin();
    end(b, life_of(b, false), false);
    sc_broker_read(b->broker, "state", 1, 0, damage_facts, b);
    sc_memview_wipe(b->view); /* so that states come from there */
    int64_t at = committed_at(b, 1), other = committed_at(b, 0);
    rest_of_it(b);
    start(b, false);
    expect_stopped(b, false, 1);
    end(b, life_of(b, false), false);
    if (committed_at(b, 1) != at || committed_at(b, 0) <= other)
        fail(b, "partition 1 stands at %lld, it was at %lld; 0 at %lld, it was at %lld",
             (long long)committed_at(b, 1), (long long)at, (long long)committed_at(b, 0),
             (long long)other);
    end(b, life_of(b, true), false);
    bed_destroy(b);
}

/* `start: latest` holds for every partition of a source at the very first start. */
static void first_start_at_the_end(void)
{
    struct bed *b = bed_create(4);
    b->faults = false;
    for (uint32_t s = 0; s < SOURCES; s++)
        b->project.taxonomy->sources[s].start = SC_START_LATEST;
    rest_of_it(b);
    start(b, true);
    sched_sleep(&b->s, 3000);
    if (life_of(b, true)->w.counters.records)
        fail(b, "records from before the first start were read");
    end(b, life_of(b, true), false);
    bed_destroy(b);
}

/* And a partition that was added since is read from its first record, whoever comes to own it: here
 * its owner has no other of this source. */
static void added_partition(void)
{
    struct bed *b = bed_create(4);
    b->faults = false;
    for (uint32_t s = 0; s < SOURCES; s++)
        b->project.taxonomy->sources[s].start = SC_START_LATEST;
    start(b, true);
    sched_sleep(&b->s, 3000);
    sc_broker_topic(b->broker, "web", SOURCE_PARTS + 1);
    for (uint32_t i = 0; i < 10; i++) {
        struct sc_out out = {.partition = SOURCE_PARTS, .value = b->events[i].line,
                             .timestamp_ms = b->s.ms};
        sc_broker_write(b->broker, "web", &out);
    }
    start(b, true);
    start(b, true);
    sched_sleep(&b->s, 5000);
    uint64_t records = 0;
    for (uint32_t i = 0; i < LIVES; i++)
        records += b->lives[i].task ? b->lives[i].w.counters.records : 0;
    if (records != 10)
        fail(b, "%llu of 10 records of an added partition were read", (unsigned long long)records);
    end_all(b);
    bed_destroy(b);
}

/* Resolve is of a newer taxonomy: its new events are left out and counted, the rest goes on. */
static void newer_taxonomy(void)
{
    struct bed *b = begin();
    struct sc_event_type *et = &b->project.taxonomy->events[0];
    struct sc_frame_writer w = {0};
    struct sc_event ev = {.source = SC_SOURCE_NONE, .id = SC_STR("new"), .occurred_ms = START_MS,
                          .n_ids = 1, .ids[0].node = {{0xf1, 7}}};
    const struct sc_record rec = {.kind = SC_REC_EVENT, .to = ev.ids[0].node, .ev = &ev};
    sc_frame_start(&w, 0);
    et->hash ^= 1; /* as it is called over there */
    sc_frame_record(&w, b->project.journey, &rec);
    sc_frame_record(&w, b->project.journey, &rec);
    et->hash ^= 1;
    struct sc_out out = {.partition = (int32_t)sc_node_partition(&rec.to, JOURNAL_PARTS),
                         .value = sc_frame_finish(&w)};
    sc_broker_write(b->broker, "journal", &out);
    rest_of_it(b);
    write_ticks(b);
    come_to_rest(b);
    uint64_t unknown = life_of(b, false)->w.counters.unknown_events;
    if (unknown != 2)
        fail(b, "%llu events of a newer taxonomy are counted", (unsigned long long)unknown);
    end_all(b);
    sc_frame_fini(&w);
    bed_destroy(b);
}

int main(void)
{
    sc_log_setup(SC_LOG_ERROR + 1, SC_LOG_LOGFMT);
    source();
    journal();
    journal_never_read();
    while_it_runs();
    bad_frame(NO_FRAME);
    bad_frame(ONE_ANNOUNCED_TOO_MANY);
    bad_frame(TOO_MANY);
    damaged_facts();
    gap_after_many_writers();
    stopped_beside_others();
    first_start_at_the_end();
    added_partition();
    newer_taxonomy();
    puts("13 passed");
    return 0;
}
