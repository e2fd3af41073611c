/* The journey worker's tables: cache, due, overlay. */
#include "../../lib/states.h"

#include "base/arena.h"
#include "base/prefetch.h"
#include "engine/cache.h"
#include "engine/due.h"
#include "engine/overlay.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Nodes that crowd into few slots: the last eight bytes are the hash. */
static struct sc_node_id node_of(uint32_t i, uint32_t crowd)
{
    struct sc_node_id n = {{0xf1}};
    uint64_t h = i % crowd;
    memcpy(n.b + 4, &i, sizeof(i));
    memcpy(n.b + 8, &h, sizeof(h));
    return n;
}

/* What a cache must hold, told by an array: entry i has version v[i] (0: none). */
static void check_cache(const struct sc_cache *c, const uint32_t *v, uint32_t n, uint32_t crowd)
{
    uint64_t held = 0, bytes = 0, at = 0, walked = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct sc_node_id node = node_of(i, crowd);
        const struct sc_cache_slot *s = sc_cache_get(c, &node);
        cr_assert_eq(s != NULL, v[i] != 0, "entry %u", i);
        if (s == NULL)
            continue;
        held++;
        bytes += s->len;
        cr_assert(s->bytes == NULL ? v[i] == 1 : s->len == v[i] && s->bytes[0] == (char)v[i]);
    }
    while (sc_cache_next(c, &at))
        walked++;
    cr_assert_eq(c->n, held);
    cr_assert_eq(walked, held);
    cr_assert_eq(c->bytes, bytes);
}

Test(cache, holds_what_was_put_and_not_removed)
{
    enum { N = 300 };
    struct sc_cache c;
    uint32_t v[N] = {0};
    char bytes[256];
    sc_cache_init(&c);
    srand(1);
    for (int round = 0; round < 6000; round++) {
        uint32_t i = (uint32_t)rand() % N, len = 1 + (uint32_t)rand() % 200;
        struct sc_node_id node = node_of(i, 23);
        memset(bytes, (int)len, len);
        if (rand() % 3 == 0) {
            sc_cache_remove(&c, &node);
            v[i] = 0;
        } else {
            sc_cache_put(&c, &node, len == 1 ? SC_STR_NULL : (struct sc_str){bytes, len}, 0);
            v[i] = len;
        }
        if (round % 500 == 0)
            check_cache(&c, v, N, 23);
    }
    check_cache(&c, v, N, 23);
    sc_cache_fini(&c);
    cr_assert_eq(c.n, 0);
}

Test(cache, dirt_is_counted_and_listed)
{
    struct sc_cache c;
    struct sc_nodes taken = {0};
    struct sc_node_id a = node_of(1, 5), b = node_of(2, 5);
    sc_cache_init(&c);
    sc_cache_put(&c, &a, SC_STR("abc"), 7);
    sc_cache_put(&c, &b, SC_STR("de"), 0);
    cr_assert(c.dirty_n == 1 && c.dirty_bytes == 3);
    sc_cache_put(&c, &a, SC_STR("abcdef"), 8);
    cr_assert(c.dirty_n == 1 && c.dirty_bytes == 6);
    sc_cache_take_dirty(&c, &taken);
    cr_assert(taken.n == 1 && sc_node_eq(&taken.v[0], &a), "once, however often it was written");
    cr_assert_eq(c.dirty_n, 1, "until it is given back");
    sc_cache_give_back(&c, &taken, 8);
    cr_assert(c.dirty_n == 0 && c.dirty_bytes == 0);
    sc_cache_put(&c, &b, SC_STR_NULL, 9);
    cr_assert(c.dirty_n == 1 && c.dirty_bytes == 0, "a state that went is written too");
    sc_cache_remove(&c, &b);
    cr_assert(c.dirty_n == 0 && c.n == 1);
    sc_cache_take_dirty(&c, &taken);
    cr_assert_eq(taken.n, 1, "listed, though it is gone");
    sc_cache_give_back(&c, &taken, 9);
    cr_assert_eq(c.dirty_n, 0);
    sc_cache_fini(&c);
    sc_nodes_fini(&taken);
}

Test(cache, what_is_written_again_during_a_flush_is_listed_again)
{
    struct sc_cache c;
    struct sc_nodes taken = {0};
    struct sc_node_id a = node_of(1, 5), b = node_of(2, 5);
    sc_cache_init(&c);
    sc_cache_put(&c, &a, SC_STR("a1"), 1);
    sc_cache_put(&c, &b, SC_STR("b1"), 1);
    sc_cache_take_dirty(&c, &taken);
    cr_assert_eq(taken.n, 2);
    sc_cache_put(&c, &b, SC_STR("b2"), 2);
    sc_cache_give_back(&c, &taken, 1); /* round 1 is written */
    cr_assert_eq(c.dirty_n, 1);
    sc_cache_take_dirty(&c, &taken);
    cr_assert(taken.n == 1 && sc_node_eq(&taken.v[0], &b));
    sc_cache_give_back(&c, &taken, 0); /* that one failed */
    sc_cache_take_dirty(&c, &taken);
    cr_assert(taken.n == 1 && sc_node_eq(&taken.v[0], &b));
    sc_cache_give_back(&c, &taken, 2);
    cr_assert_eq(c.dirty_n, 0);
    sc_cache_take_dirty(&c, &taken);
    cr_assert_eq(taken.n, 0);
    sc_cache_fini(&c);
    sc_nodes_fini(&taken);
}

static bool is_even(void *arg, const struct sc_due_item *item)
{
    (void)arg;
    return item->ms % 2 == 0;
}

Test(due, a_sweep_leaves_each_that_is_wanted_once)
{
    struct sc_due d;
    sc_due_init(&d);
    for (uint32_t i = 0; i < 3000; i++) {
        struct sc_node_id node = node_of(i % 500, 7);
        sc_due_push(&d, (int64_t)(i * 7919 % 500), &node);
    }
    cr_assert(sc_due_swollen(&d));
    sc_due_keep(&d, is_even, NULL);
    cr_assert_not(sc_due_swollen(&d));
    struct sc_due_item before = {.ms = -1};
    uint32_t n = 0;
    for (; sc_due_first(&d); n++) {
        struct sc_due_item at = sc_due_pop(&d);
        cr_assert(at.ms % 2 == 0);
        cr_assert(before.ms < at.ms ||
                  (before.ms == at.ms && sc_node_cmp(&before.node, &at.node) < 0));
        before = at;
    }
    cr_expect_eq(n, 250);
    sc_due_fini(&d);
}

Test(due, earliest_first_then_by_node)
{
    enum { N = 500 };
    struct sc_due d;
    sc_due_init(&d);
    cr_assert_null(sc_due_first(&d));
    srand(2);
    for (uint32_t i = 0; i < N; i++) {
        struct sc_node_id node = node_of((uint32_t)rand() % N, 7);
        sc_due_push(&d, rand() % 50, &node);
    }
    struct sc_due_item before = sc_due_pop(&d);
    for (uint32_t i = 1; i < N; i++) {
        struct sc_due_item it = *sc_due_first(&d), popped = sc_due_pop(&d);
        cr_assert(it.ms == popped.ms && sc_node_eq(&it.node, &popped.node));
        cr_assert(before.ms < it.ms ||
                  (before.ms == it.ms && sc_node_cmp(&before.node, &it.node) <= 0));
        before = it;
    }
    cr_assert_null(sc_due_first(&d));
    sc_due_fini(&d);
}

Test(overlay, finds_what_a_transaction_touched_and_forgets_it)
{
    enum { N = 2000 };
    struct sc_overlay ov;
    struct sc_state *sts = sc_calloc(N, sizeof(*sts));
    sc_overlay_init(&ov);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < N; i++) {
            sts[i].node = node_of(i, 41);
            sts[i].due_ms = i;
            cr_assert_null(sc_overlay_get(&ov, &sts[i].node));
            sc_overlay_open(&ov, &sts[i], i % 3);
        }
        for (uint32_t i = 0; i < N; i++) {
            const struct sc_overlay_item *it = sc_overlay_get(&ov, &sts[i].node);
            cr_assert(it && it->st == &sts[i] && it->part == i % 3 && it->due_ms == i);
            cr_assert_eq(it, &ov.items[i], "in order of first touch");
        }
        sc_overlay_clear(&ov);
        cr_assert_null(sc_overlay_get(&ov, &sts[0].node));
    }
    sc_overlay_fini(&ov);
    free(sts);
}

/* A changed state stands by its bytes from one group to the next; one only read does not. */
Test(overlay, a_group_leaves_stored_forms)
{
    static struct shop sh;
    struct sc_overlay ov;
    struct sc_arena txn, group;
    struct chance c = {5};
    shop_init(&sh, states_journey);
    sc_overlay_init(&ov);
    sc_arena_init(&txn);
    sc_arena_init(&group);
    struct sc_state *changed = shop_play(&sh, shop_node(1, 1), shop_events(&sh, 9, SC_DAY_MS, &c), 9);
    struct sc_state *read = sc_state_new(&sh.jo, shop_node(1, 2), &group);
    int64_t due_ms = changed->due_ms;
    changed->due_ms = SC_NO_DUE; /* as it was read */
    sc_overlay_open(&ov, changed, 0);
    changed->due_ms = due_ms;
    sc_overlay_open(&ov, read, 2);
    struct sc_str bytes = shop_bytes(&sh, changed);
    size_t took = sc_overlay_close(&ov, &sh.jo, &txn);
    cr_assert(took >= bytes.len && took < bytes.len + SC_CACHE_LINE, "%zu for %zu", took, bytes.len);
    const struct sc_overlay_item *it = sc_overlay_get(&ov, &changed->node);
    cr_assert(it->st == NULL && sc_str_eq(it->stored, bytes));
    cr_assert(it->due_ms == SC_NO_DUE && it->next_due_ms == due_ms);
    cr_assert_null(sc_overlay_get(&ov, &read->node)->stored.p);
    sc_arena_reset(&group, 0);

    struct sc_state *again = sc_state_decode(&sh.jo, it->node, it->stored, &group);
    sc_overlay_open(&ov, again, 0);
    again->dirty = true;
    again->n_events++;
    cr_assert_eq(sc_overlay_get(&ov, &changed->node)->st, again);
    const char *place = it->stored.p;
    again->facts.n = 0; /* less than there was: over what stood there */
    cr_assert_eq(sc_overlay_close(&ov, &sh.jo, &txn), 0);
    it = sc_overlay_get(&ov, &changed->node);
    cr_assert_eq(it->stored.p, place);
    cr_assert(!sc_str_eq(it->stored, bytes), "the later group's");
    again = sc_state_decode(&sh.jo, it->node, it->stored, &group);
    cr_assert_eq(again->n_events, 10);

    sc_overlay_open(&ov, again, 0);
    again->dirty = true;
    again->phone_zone = sc_str_printf(&group, "%500d", 7); /* more than it has room for */
    cr_assert_gt(sc_overlay_close(&ov, &sh.jo, &txn), 500);
    it = sc_overlay_get(&ov, &changed->node);
    cr_assert_neq(it->stored.p, place);
    again = sc_state_decode(&sh.jo, it->node, it->stored, &group);
    cr_assert_eq(again->phone_zone.len, 500);
    sc_overlay_fini(&ov);
    sc_arena_fini(&txn);
    sc_arena_fini(&group);
    shop_fini(&sh);
}

Test(overlay, goes_by_partition_in_order_of_first_touch)
{
    enum { N = 100, PARTS = 4 };
    struct sc_overlay ov;
    struct sc_arena ar;
    struct sc_state sts[N] = {0};
    uint32_t from[PARTS + 1], seen = 0;
    sc_overlay_init(&ov);
    sc_arena_init(&ar);
    for (uint32_t i = 0; i < N; i++) {
        sts[i].node = node_of(i, 41);
        sc_overlay_open(&ov, &sts[i], i % 7 % 3); /* partition 3 has none */
    }
    sc_overlay_close(&ov, NULL, &ar); /* nothing has changed */
    const uint32_t *order = sc_overlay_by_part(&ov, from, PARTS, &ar);
    for (uint32_t p = 0; p < PARTS; p++)
        for (uint32_t k = from[p]; k < from[p + 1]; k++, seen++) {
            cr_assert_eq(ov.items[order[k]].part, p);
            cr_assert(k == from[p] || order[k - 1] < order[k]);
        }
    cr_assert_eq(seen, N);
    cr_assert_eq(from[PARTS - 1], from[PARTS]);
    sc_overlay_fini(&ov);
    sc_arena_fini(&ar);
}
