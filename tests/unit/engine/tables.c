/* The journey worker's tables: cache, due, overlay. */
#include "base/arena.h"
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

Test(cache, dirt_is_counted)
{
    struct sc_cache c;
    struct sc_node_id a = node_of(1, 5), b = node_of(2, 5);
    sc_cache_init(&c);
    sc_cache_put(&c, &a, SC_STR("abc"), 7);
    sc_cache_put(&c, &b, SC_STR("de"), 0);
    cr_assert(c.dirty_n == 1 && c.dirty_bytes == 3);
    sc_cache_put(&c, &a, SC_STR("abcdef"), 8);
    cr_assert(c.dirty_n == 1 && c.dirty_bytes == 6);
    sc_cache_clean(&c, sc_cache_get(&c, &a));
    cr_assert(c.dirty_n == 0 && c.dirty_bytes == 0);
    sc_cache_put(&c, &b, SC_STR_NULL, 9);
    cr_assert(c.dirty_n == 1 && c.dirty_bytes == 0, "a state that went is written too");
    sc_cache_remove(&c, &b);
    cr_assert(c.dirty_n == 0 && c.n == 1);
    sc_cache_fini(&c);
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
            sc_overlay_add(&ov, &sts[i], i % 3);
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
