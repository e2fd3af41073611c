/* A takeover from the state log: what it keeps of it in memory. */
#include "../../lib/states.h"
#include "engine/takeover.h"

#include <criterion/criterion.h>

#define SEALS 20000
#define SOURCE_PARTITIONS 24

static const struct sc_meta meta = {.incarnation = 5, .seq = SEALS, .seal = SEALS - 1, .writer = "w"};

static enum sc_err committed(struct sc_log *lg, struct sc_tp *parts, uint32_t n, int timeout_ms,
                             struct sc_arena *ar)
{
    (void)lg, (void)timeout_ms;
    char *text = sc_arena_alloc(ar, SC_META_MAX);
    cr_assert_eq(n, 1);
    parts[0].offset = SEALS;
    parts[0].metadata = (struct sc_str){text, sc_meta_format(&meta, text)};
    return SC_ERR_OK;
}

static enum sc_err ends(struct sc_log *lg, uint16_t topic, int32_t partition, int64_t *low,
                        int64_t *high, int64_t *stable)
{
    (void)lg, (void)topic, (void)partition;
    *low = 0;
    *high = *stable = SEALS;
    return SC_ERR_OK;
}

/* Seals of transactions that touched nobody. */
static enum sc_err replay(struct sc_log *lg, uint16_t topic, int32_t partition, int64_t from,
                          int64_t until, bool (*fn)(void *arg, const struct sc_msg *m), void *arg)
{
    (void)lg, (void)topic, (void)partition;
    struct sc_progress progress[SOURCE_PARTITIONS];
    int64_t heard_ms[SOURCE_PARTITIONS] = {0};
    struct sc_buf buf = {0};
    for (int32_t i = 0; i < SOURCE_PARTITIONS; i++)
        progress[i] = (struct sc_progress){.source = 1, .partition = i, .ms = 1};
    for (int64_t at = from; at <= until; at++) {
        struct sc_seal_writer w;
        struct sc_seal s = {.incarnation = meta.incarnation, .seq = (uint64_t)at + 1, .next = at + 1,
                            .partitions = 1, .progress = progress, .heard_ms = heard_ms,
                            .n_progress = SOURCE_PARTITIONS};
        sc_seal_start(&w, &buf);
        struct sc_msg m = {.offset = at, .value = sc_seal_close(&w, &s)};
        if (!fn(arg, &m))
            break;
    }
    sc_buf_fini(&buf);
    return SC_ERR_OK;
}

static enum sc_err begin(struct sc_log *lg)
{
    (void)lg;
    return SC_ERR_OK;
}

static enum sc_err commit(struct sc_log *lg, const struct sc_tp *offsets, uint32_t n)
{
    (void)lg, (void)offsets, (void)n;
    return SC_ERR_OK;
}

static enum sc_err rewind_to(struct sc_log *lg, const struct sc_tp *parts, uint32_t n)
{
    (void)lg, (void)parts, (void)n;
    return SC_ERR_OK;
}

static int64_t no_time(void *arg)
{
    (void)arg;
    return 0;
}

/* When Redis is lost all of the log is read, several seals a second for as long as it goes back. */
Test(takeover, memory_does_not_grow_with_the_log)
{
    static const struct sc_log_ops ops = {
        .committed = committed, .out_watermarks = ends, .watermarks = ends, .replay = replay,
        .begin = begin, .commit = commit, .rewind = rewind_to};
    struct shop sh;
    shop_init(&sh, states_journey);
    struct sc_log log = {.ops = &ops};
    const struct sc_engine_config cfg = {.jo = &sh.jo, .partitions = 1};
    struct sc_worker w = {.role = "journey", .cfg = &cfg, .log = &log, .clock = {.mono_ms = no_time},
                          .writer = "w"};
    struct sc_part *parts[1] = {sc_part_create(0)};
    struct sc_arena ar;
    sc_arena_init(&ar);
    cr_assert_eq(sc_takeover(&w, parts, 1, &ar), SC_ERR_OK);
    cr_assert_eq(parts[0]->status, SC_PART_ACTIVE, "%s", parts[0]->why);
    cr_expect_eq(parts[0]->seq, SEALS);
    cr_expect_eq(parts[0]->ear.hearing.n, SOURCE_PARTITIONS, "the last one's is kept");
    cr_expect_lt(ar.held, 1u << 20);
    sc_arena_fini(&ar);
    sc_part_destroy(parts[0]);
    shop_fini(&sh);
}
