/* Flushes to Redis: how many are under way at once. */
#include "engine/flush.h"

#include <criterion/criterion.h>

#define PARTS 4u
#define STATE_BYTES (64u << 10)
#define STATES 12u /* three quarters of a MiB a partition */

/* A view that writes nothing: flushes end, in their order, when they are told to. */
struct slow_view {
    struct sc_view base;
    uint32_t started[PARTS], n; /* partitions, in the order their flushes were started */
    uint32_t ended, taken;      /* of these: how many have ended, and were collected */
};

static enum sc_err flush(struct sc_view *vw, uint32_t partition, struct sc_stamp seen,
                         struct sc_stamp to, const struct sc_view_item *items, uint32_t n)
{
    struct slow_view *v = (struct slow_view *)vw;
    (void)seen, (void)to, (void)items;
    cr_assert_lt(v->n, PARTS);
    cr_expect_eq(n, STATES);
    v->started[v->n++] = partition;
    return SC_ERR_OK;
}

static enum sc_err collect(struct sc_view *vw, int timeout_ms, uint32_t *partition,
                           enum sc_err *how)
{
    struct slow_view *v = (struct slow_view *)vw;
    (void)timeout_ms;
    *partition = UINT32_MAX;
    *how = SC_ERR_OK;
    if (v->taken == v->n)
        return SC_ERR_OK;
    if (v->taken == v->ended)
        return SC_ERR_TIMEOUT;
    *partition = v->started[v->taken++];
    return SC_ERR_OK;
}

static const struct sc_view_ops ops = {.flush = flush, .collect = collect};

static int64_t an_hour(void *arg)
{
    (void)arg;
    return 3600000;
}

static struct sc_part *dirty_part(uint32_t index)
{
    static char bytes[STATE_BYTES]; /* no state of ours: it has no due time */
    struct sc_part *p = sc_part_create(index);
    p->status = SC_PART_ACTIVE;
    p->commits = 1;
    p->flushed_mono_ms = (int64_t)(PARTS - index); /* the last one waits longest */
    for (uint32_t i = 0; i < STATES; i++) {
        struct sc_node_id node = {.b = {1, [8] = (uint8_t)i, [15] = (uint8_t)index}};
        sc_cache_put(&p->cache, &node, (struct sc_str){bytes, sizeof(bytes)}, p->commits);
    }
    return p;
}

/* Each is a copy of what it writes, so that all at once would be as much memory again as is dirty. */
Test(flush, no_other_is_started_while_a_mib_is_under_way)
{
    struct slow_view v = {.base.ops = &ops};
    const struct sc_engine_config cfg = {.flush_interval_ms = 1000};
    struct sc_worker w = {.role = "journey", .cfg = &cfg, .view = &v.base,
                          .clock = {.mono_ms = an_hour}};
    struct sc_part *parts[PARTS];
    for (uint32_t i = 0; i < PARTS; i++)
        parts[i] = dirty_part(i);

    static const uint32_t want[PARTS + 1] = {2, 3, 4, 4, 4}; /* started, once so many have ended */
    for (v.ended = 0; v.ended <= PARTS; v.ended++) {
        for (int turns = 0; turns < 3; turns++)
            cr_expect(sc_flush_tick(&w, parts, PARTS, false, 0));
        cr_expect_eq(v.n, want[v.ended], "%u after %u ended", v.n, v.ended);
    }
    for (uint32_t i = 0; i < PARTS; i++)
        cr_expect_eq(v.started[i], PARTS - 1 - i, "who waits longest goes first");
    cr_expect(sc_flush_done(parts, PARTS));
    for (uint32_t i = 0; i < PARTS; i++)
        sc_part_destroy(parts[i]);
}
