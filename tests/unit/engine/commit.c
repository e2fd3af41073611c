/* The journey worker's commit: in what order it writes. */
#include "../../lib/states.h"
#include "engine/journey_priv.h"

#include <criterion/criterion.h>

#define PARTS 2u
#define STATES 6u /* a partition: two in a record, the last two with the seal */
#define STATE_BYTES (60u << 10)
#define MOST 16u

/* A log that notes whose record came. */
struct noting_log {
    struct sc_log base;
    int32_t partition[MOST];
    uint32_t n;
};

static enum sc_err produce(struct sc_log *lg, const struct sc_out *out)
{
    struct noting_log *log = (struct noting_log *)lg;
    cr_assert(log->n < MOST && out->topic == SC_OUT_STATE);
    log->partition[log->n++] = out->partition;
    return SC_ERR_OK;
}

static enum sc_err produce_marked(struct sc_log *lg, const struct sc_out *out, uint32_t *mark)
{
    *mark = 0;
    return produce(lg, out);
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
    cr_expect_eq(n, PARTS);
    return SC_ERR_OK;
}

static const struct sc_log_ops ops = {.produce = produce, .produce_marked = produce_marked,
                                      .flush = flush, .mark_offset = mark_offset,
                                      .commit = commit};

static int64_t no_time(void *arg)
{
    (void)arg;
    return 0;
}

/* A customer whose state is changed already. */
static void touch(struct sc_jworker *j, struct shop *sh, uint32_t part, uint32_t number)
{
    static char bytes[STATE_BYTES];
    struct sc_node_id node = {.b = {0xf1, [8] = (uint8_t)number, [15] = (uint8_t)part}};
    struct sc_state *st = sc_state_new(&sh->jo, node, &j->group);
    sc_overlay_open(&j->ov, st, part);
    sc_overlay_close(&j->ov, &sh->jo, &j->ar);
    sc_overlay_get(&j->ov, &node)->stored = (struct sc_str){bytes, sizeof(bytes)};
}

/* What the log sends at once is of all partitions then (docs/adr/0021). */
Test(commit, partitions_take_turns_with_their_frames)
{
    struct shop sh;
    shop_init(&sh, states_journey);
    struct noting_log log = {.base.ops = &ops};
    const struct sc_engine_config cfg = {.jo = &sh.jo, .partitions = PARTS};
    struct sc_worker w = {.role = "journey", .cfg = &cfg, .log = &log.base,
                          .clock = {.mono_ms = no_time}};
    struct sc_part *parts[PARTS] = {sc_part_create(0), sc_part_create(1)};
    struct sc_frame_writer frames[PARTS] = {0};
    struct sc_jworker j = {.w = &w, .jo = &sh.jo, .parts = parts, .n_parts = PARTS,
                           .by_index = parts, .frames = frames, .open = true};
    sc_overlay_init(&j.ov);
    for (uint32_t i = 0; i < STATES; i++)
        for (uint32_t p = 0; p < PARTS; p++)
            touch(&j, &sh, p, i);
    parts[0]->touched = parts[1]->touched = true;

    cr_assert(sc_jworker_commit(&j));
    static const int32_t want[] = {0, 1, 0, 1, 0, 1};
    cr_assert_eq(log.n, sizeof(want) / sizeof(want[0]));
    cr_assert_arr_eq(log.partition, want, sizeof(want));
    for (uint32_t p = 0; p < PARTS; p++) {
        cr_expect_eq(parts[p]->cache.n, STATES);
        sc_part_destroy(parts[p]);
        sc_frame_fini(&frames[p]);
    }
    sc_overlay_fini(&j.ov);
    sc_buf_fini(&j.record);
    sc_arena_fini(&j.group);
    sc_arena_fini(&j.ar);
    shop_fini(&sh);
}
