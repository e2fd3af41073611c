/* The broker in memory: what transactions, groups and kills look like from outside. */
#include "sim/broker.h"

#include <criterion/criterion.h>
#include <stdio.h>

static int64_t now_ms = 1000;

static int64_t clock_ms(void *arg)
{
    (void)arg;
    return now_ms;
}

static void sleep_ms(void *arg, int ms)
{
    (void)arg;
    now_ms += ms;
}

static struct sc_out_topics outs;
static const char *const inputs[] = {"in"};

static struct sc_broker *broker(uint64_t keep)
{
    struct sc_broker *b = sc_broker_create((struct sc_clock){clock_ms, clock_ms, NULL}, keep);
    sc_broker_sleeps(b, sleep_ms, NULL);
    sc_broker_topic(b, "in", 4);
    sc_broker_topic(b, "out", 1);
    outs.v[0] = (struct sc_out_topic){.name = SC_STR("out"), .on = true};
    outs.n = 1;
    return b;
}

static struct sc_log *join(struct sc_broker *b, const char *writer)
{
    struct sc_broker_log_config cfg = {"g", writer, inputs, 1, &outs};
    return sc_broker_log_create(b, &cfg);
}

/* Until the group is calm: everything owned is read from `from` on. Returns what is owned. */
static uint32_t settle(struct sc_log *lg, int64_t from)
{
    struct sc_poll_result res;
    const struct sc_tp *owned;
    struct sc_tp at[8];
    cr_assert_eq(lg->ops->poll(lg, 0, &res), SC_ERR_OK);
    cr_assert_eq(res.what, SC_POLL_REBALANCED);
    uint32_t n = lg->ops->assigned(lg, &owned);
    for (uint32_t i = 0; i < n; i++) {
        at[i] = owned[i];
        at[i].offset = from;
    }
    cr_assert_eq(lg->ops->rewind(lg, at, n), SC_ERR_OK);
    return n;
}

static void put(struct sc_log *lg, const char *text)
{
    struct sc_out out = {.partition = 0, .value = sc_str_from(text)};
    cr_assert_eq(lg->ops->produce(lg, &out), SC_ERR_OK);
}

static enum sc_err commit(struct sc_log *lg, int64_t offset)
{
    const struct sc_tp *owned;
    lg->ops->assigned(lg, &owned);
    struct sc_tp tp = {owned[0].topic, owned[0].partition, offset, SC_STR("meta")};
    return lg->ops->commit(lg, &tp, 1);
}

static bool gather(void *arg, const struct sc_msg *m)
{
    char *seen = arg;
    strncat(seen, m->value.p, m->value.len);
    return true;
}

static const char *seen(struct sc_broker *b)
{
    static char text[256];
    text[0] = '\0';
    sc_broker_read(b, "out", 0, 0, gather, text);
    return text;
}

Test(broker, a_transaction_is_seen_whole_or_not_at_all)
{
    struct sc_broker *b = broker(100);
    struct sc_log *lg = join(b, "w1");
    cr_assert_eq(settle(lg, 0), 4);
    cr_assert_eq(lg->ops->begin(lg), SC_ERR_OK);
    put(lg, "a");
    put(lg, "b");
    cr_assert_str_eq(seen(b), "");
    cr_assert_eq(commit(lg, 3), SC_ERR_OK);
    cr_assert_str_eq(seen(b), "ab");
    cr_assert_eq(lg->ops->begin(lg), SC_ERR_OK);
    put(lg, "x");
    lg->ops->abort(lg);
    cr_assert_eq(lg->ops->begin(lg), SC_ERR_OK);
    put(lg, "c");
    cr_assert_eq(commit(lg, 5), SC_ERR_OK);
    cr_assert_str_eq(seen(b), "abc");
    lg->ops->close(lg);
    sc_broker_destroy(b);
}

Test(broker, what_is_open_holds_readers_until_its_writer_is_fenced)
{
    struct sc_broker *b = broker(100);
    struct sc_log *one = join(b, "w1"), *two = join(b, "w2");
    settle(one, 0);
    cr_assert_eq(settle(two, 0), 2);
    int64_t low, high, stable;
    cr_assert_eq(one->ops->begin(one), SC_ERR_OK);
    put(one, "lost");
    cr_assert_eq(two->ops->begin(two), SC_ERR_OK);
    put(two, "kept");
    cr_assert_eq(commit(two, 1), SC_ERR_OK);
    sc_broker_log_kill(one);
    cr_assert_str_eq(seen(b), "");
    two->ops->out_watermarks(two, 0, 0, &low, &high, &stable);
    cr_assert(low == 0 && high == 2 && stable == 0);
    cr_assert_not(two->ops->member_alive(two, SC_STR("w1")));
    cr_assert_eq(settle(two, 0), 4, "its partitions went over");
    cr_assert_eq(two->ops->fence(two, SC_STR("w1")), SC_ERR_OK);
    cr_assert_str_eq(seen(b), "kept");
    struct sc_poll_result res;
    cr_assert_eq(one->ops->poll(one, 0, &res), SC_ERR_FATAL, "the dead do nothing");
    cr_assert_eq(one->ops->begin(one), SC_ERR_FATAL);
    one->ops->close(one);
    two->ops->close(two);
    sc_broker_destroy(b);
}

Test(broker, a_transaction_left_open_times_out)
{
    struct sc_broker *b = broker(100);
    struct sc_log *one = join(b, "w1"), *two = join(b, "w2");
    settle(one, 0);
    settle(two, 0);
    cr_assert_eq(one->ops->begin(one), SC_ERR_OK);
    put(one, "lost");
    now_ms += 20001;
    struct sc_poll_result res;
    two->ops->poll(two, 0, &res);
    cr_assert_eq(commit(one, 1), SC_ERR_FENCED);
    cr_assert_str_eq(seen(b), "");
    one->ops->close(one);
    two->ops->close(two);
    sc_broker_destroy(b);
}

Test(broker, a_stale_member_cannot_commit)
{
    struct sc_broker *b = broker(100);
    struct sc_log *one = join(b, "w1");
    settle(one, 0);
    cr_assert_eq(one->ops->begin(one), SC_ERR_OK);
    put(one, "x");
    struct sc_log *two = join(b, "w2");
    cr_assert_eq(commit(one, 9), SC_ERR_FENCED);
    cr_assert_str_eq(seen(b), "");
    struct sc_tp tp = {0, 0, 0, SC_STR_NULL};
    struct sc_arena ar;
    sc_arena_init(&ar);
    cr_assert_eq(two->ops->committed(two, &tp, 1, 0, &ar), SC_ERR_OK);
    cr_assert_eq(tp.offset, -1);
    sc_arena_fini(&ar);
    one->ops->close(one);
    two->ops->close(two);
    sc_broker_destroy(b);
}

Test(broker, offsets_come_back_with_their_metadata)
{
    struct sc_broker *b = broker(100);
    struct sc_log *lg = join(b, "w1");
    struct sc_arena ar;
    sc_arena_init(&ar);
    settle(lg, 0);
    cr_assert_eq(lg->ops->begin(lg), SC_ERR_OK);
    cr_assert_eq(commit(lg, 7), SC_ERR_OK);
    struct sc_tp tp = {0, 0, 0, SC_STR_NULL};
    cr_assert_eq(lg->ops->committed(lg, &tp, 1, 0, &ar), SC_ERR_OK);
    cr_assert_eq(tp.offset, 7);
    cr_assert(sc_str_eqz(tp.metadata, "meta"));
    sc_arena_fini(&ar);
    lg->ops->close(lg);
    sc_broker_destroy(b);
}

Test(broker, keeps_what_is_not_read_yet_and_what_is_in_hand)
{
    struct sc_broker *b = broker(10);
    struct sc_log *lg = join(b, "w1");
    settle(lg, 0);
    struct sc_poll_result res;
    char text[16];
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof(text), "%d", i);
        sc_broker_write(b, "in", &(struct sc_out){.partition = 0, .value = sc_str_from(text)});
    }
    cr_assert_eq(lg->ops->poll(lg, 0, &res), SC_ERR_OK);
    cr_assert_eq(res.n, 50);
    for (int i = 0; i < 50; i++)
        sc_broker_write(b, "in", &(struct sc_out){.partition = 0, .value = SC_STR("more")});
    cr_assert(sc_str_eqz(res.msgs[0].value, "0") && sc_str_eqz(res.msgs[49].value, "49"));
    lg->ops->release(lg);
    cr_assert_eq(lg->ops->poll(lg, 0, &res), SC_ERR_OK);
    lg->ops->release(lg);
    sc_broker_write(b, "in", &(struct sc_out){.partition = 0, .value = SC_STR("last")});
    int64_t low, high, stable;
    lg->ops->watermarks(lg, 0, 0, &low, &high, &stable);
    cr_assert_eq(high, 101);
    cr_assert_eq(low, 90, "the rest is gone");
    lg->ops->close(lg);
    sc_broker_destroy(b);
}

Test(broker, at_end_and_lag)
{
    struct sc_broker *b = broker(100);
    struct sc_log *lg = join(b, "w1");
    settle(lg, 0);
    cr_assert(lg->ops->at_end(lg, 0, 2));
    sc_broker_write(b, "in", &(struct sc_out){.partition = 2, .value = SC_STR("x")});
    cr_assert_not(lg->ops->at_end(lg, 0, 2));
    cr_assert_eq(lg->ops->lag(lg), 1);
    int64_t before = now_ms;
    struct sc_poll_result res;
    cr_assert_eq(lg->ops->poll(lg, 50, &res), SC_ERR_OK);
    cr_assert(res.what == SC_POLL_MESSAGES && res.n == 1 && now_ms == before);
    lg->ops->release(lg);
    cr_assert(lg->ops->at_end(lg, 0, 2));
    cr_assert_eq(lg->ops->poll(lg, 50, &res), SC_ERR_OK);
    cr_assert(res.what == SC_POLL_NOTHING && now_ms >= before + 50);
    lg->ops->close(lg);
    sc_broker_destroy(b);
}
