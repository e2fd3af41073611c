/* The journey worker's commit: in what order it writes, what it counts and keeps. */
#include "../../lib/states.h"
#include "base/time.h"
#include "codec/state_form.h"
#include "engine/journey_priv.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define PARTS 2u
#define STATES 6u /* a partition: two in a record, the last two with the seal */
#define STATE_BYTES (60u << 10)
#define MOST 16u

/* A log that notes whose record came, or takes none. */
struct noting_log {
    struct sc_log base;
    int32_t partition[MOST];
    uint32_t n, aborts;
    bool refuses;
};

static enum sc_err produce(struct sc_log *lg, const struct sc_out *out)
{
    struct noting_log *log = (struct noting_log *)lg;
    if (log->refuses)
        return SC_ERR_ABORT;
    cr_assert(out->topic == SC_OUT_STATE);
    log->partition[log->n++ % MOST] = out->partition;
    return SC_ERR_OK;
}

static enum sc_err produce_marked(struct sc_log *lg, const struct sc_out *out, uint32_t *mark)
{
    *mark = 0;
    return produce(lg, out);
}

static void abort_it(struct sc_log *lg)
{
    ((struct noting_log *)lg)->aborts++;
}

static enum sc_err flush(struct sc_log *lg)
{
    (void)lg;
    return SC_ERR_OK;
}

static int64_t mark_offset(struct sc_log *lg, uint32_t mark)
{
    (void)lg;
    return mark + 1;
}

static enum sc_err commit(struct sc_log *lg, const struct sc_tp *offsets, uint32_t n)
{
    (void)lg, (void)offsets;
    cr_expect_leq(n, PARTS);
    return SC_ERR_OK;
}

static const struct sc_log_ops ops = {.produce = produce, .produce_marked = produce_marked,
                                      .flush = flush, .mark_offset = mark_offset,
                                      .commit = commit, .abort = abort_it};

static int64_t no_time(void *arg)
{
    (void)arg;
    return 0;
}

/* A journey worker with two partitions, and no more of it than a commit needs. */
struct bed {
    struct shop sh;
    struct noting_log log;
    struct sc_engine_config cfg;
    struct sc_worker w;
    struct sc_part *parts[PARTS];
    struct sc_frame_writer frames[PARTS];
    struct sc_jworker j;
};

static void bed_init(struct bed *b)
{
    *b = (struct bed){.log.base.ops = &ops, .parts = {sc_part_create(0), sc_part_create(1)}};
    shop_init(&b->sh, states_journey);
    b->cfg = (struct sc_engine_config){.jo = &b->sh.jo, .partitions = PARTS};
    b->w = (struct sc_worker){.role = "journey", .cfg = &b->cfg, .log = &b->log.base,
                              .clock = {.mono_ms = no_time}};
    b->j = (struct sc_jworker){.w = &b->w, .jo = &b->sh.jo, .parts = b->parts, .n_parts = PARTS,
                               .by_index = b->parts, .frames = b->frames};
    for (uint32_t p = 0; p < PARTS; p++)
        b->parts[p]->status = SC_PART_ACTIVE;
    sc_overlay_init(&b->j.ov);
    sc_jworker_clear(&b->j);
}

static void bed_fini(struct bed *b)
{
    for (uint32_t p = 0; p < PARTS; p++) {
        sc_part_destroy(b->parts[p]);
        sc_frame_fini(&b->frames[p]);
    }
    sc_overlay_fini(&b->j.ov);
    sc_buf_fini(&b->j.record);
    sc_arena_fini(&b->j.group);
    sc_arena_fini(&b->j.ar);
    shop_fini(&b->sh);
}

/* A customer whose state is changed already: it has these bytes now, and is due then. */
static void touch(struct bed *b, uint32_t part, uint32_t number, struct sc_str bytes, int64_t due_ms)
{
    struct sc_node_id node = {.b = {0xf1, [8] = (uint8_t)number, [15] = (uint8_t)part}};
    struct sc_state *st = sc_state_new(&b->sh.jo, node, &b->j.group);
    sc_overlay_open(&b->j.ov, st, part);
    sc_overlay_close(&b->j.ov, &b->sh.jo, &b->j.ar);
    struct sc_overlay_item *it = sc_overlay_get(&b->j.ov, &node);
    it->stored = bytes;
    it->next_due_ms = due_ms;
    b->parts[part]->touched = true;
    b->j.open = true;
}

/* What the log sends at once is of all partitions then (docs/adr/0021). */
Test(commit, partitions_take_turns_with_their_frames)
{
    static const char bytes[STATE_BYTES];
    struct bed b;
    bed_init(&b);
    for (uint32_t i = 0; i < STATES; i++)
        for (uint32_t p = 0; p < PARTS; p++)
            touch(&b, p, i, (struct sc_str){bytes, sizeof(bytes)}, SC_NO_DUE);

    cr_assert(sc_jworker_commit(&b.j));
    static const int32_t want[] = {0, 1, 0, 1, 0, 1};
    cr_assert_eq(b.log.n, sizeof(want) / sizeof(want[0]));
    cr_assert_arr_eq(b.log.partition, want, sizeof(want));
    for (uint32_t p = 0; p < PARTS; p++)
        cr_expect_eq(b.parts[p]->cache.n, STATES);
    bed_fini(&b);
}

Test(commit, what_a_dropped_transaction_did_is_not_counted)
{
    static const char bytes[200];
    struct bed b;
    bed_init(&b);
    for (int tries = 0; tries < 3; tries++) {
        b.log.refuses = tries < 2;
        touch(&b, 0, 1, (struct sc_str){bytes, sizeof(bytes)}, SC_NO_DUE);
        sc_count(&b.w.txn.applied, 5); /* as publishing does */
        cr_assert_eq(sc_jworker_commit(&b.j), tries == 2);
    }
    cr_expect_eq(b.w.counters.applied, 5);
    cr_expect_eq(b.w.counters.aborts, 2);
    cr_expect_eq(b.w.counters.transactions, 1);
    cr_expect_gt(b.w.counters.state_bytes, sizeof(bytes));
    cr_expect_lt(b.w.counters.state_bytes, 2 * sizeof(bytes));
    bed_fini(&b);
}

/* It would be refused each time, and the others wait behind it for ever. */
Test(commit, a_state_that_no_record_takes_stops_its_partition_alone)
{
    struct bed b;
    struct sc_str most = {calloc(1, SC_STATE_MOST_BYTES + 1), SC_STATE_MOST_BYTES};
    bed_init(&b);
    touch(&b, 0, 1, most, SC_NO_DUE);
    cr_assert(sc_jworker_commit(&b.j));

    most.len++;
    touch(&b, 0, 1, most, SC_NO_DUE);
    touch(&b, 1, 1, (struct sc_str){most.p, 200}, SC_NO_DUE);
    cr_assert_not(sc_jworker_commit(&b.j));
    cr_expect_eq(b.log.aborts, 1);
    cr_expect_eq(b.parts[0]->status, SC_PART_STOPPED);
    cr_expect(strstr(b.parts[0]->why, "2031617 bytes"), "%s", b.parts[0]->why);
    cr_expect_eq(b.parts[1]->status, SC_PART_ACTIVE);
    bed_fini(&b);
    free((void *)(uintptr_t)most.p);
}

/* Each visit moves a timer of 90 days: what it was before is not kept until then. */
Test(commit, due_times_that_have_moved_are_swept)
{
    static char bytes[200] = {SC_STATE_VERSION};
    struct bed b;
    bed_init(&b);
    for (int i = 0; i < 20000; i++) {
        int64_t due_ms = 90 * SC_DAY_MS + i;
        memcpy(bytes + 2, &due_ms, sizeof(due_ms)); /* where a peek finds it */
        touch(&b, 0, 1, (struct sc_str){bytes, sizeof(bytes)}, due_ms);
        cr_assert(sc_jworker_commit(&b.j));
    }
    cr_expect_lt(b.parts[0]->due.n, 4096u);
    bool there = false;
    for (uint64_t i = 0; i < b.parts[0]->due.n; i++)
        there |= b.parts[0]->due.v[i].ms == 90 * SC_DAY_MS + 19999;
    cr_expect(there);
    bed_fini(&b);
}
