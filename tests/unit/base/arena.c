/* Arena, buffers, assertions. */
#include "base/arena.h"
#include "base/assert.h"
#include "base/vec.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

Test(arena, aligns_and_counts)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    for (size_t align = 1; align <= 64; align *= 2) {
        sc_arena_alloc_align(&ar, 1, 1);
        char *p = sc_arena_alloc_align(&ar, 3, align);
        cr_assert_eq((uintptr_t)p % align, 0);
        memset(p, 'x', 3);
    }
    cr_assert_eq(ar.used, 7 * 4);
    sc_arena_fini(&ar);
}

Test(arena, zalloc_is_zero_after_a_reset_of_dirty_memory)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    memset(sc_arena_alloc(&ar, 1000), 0xAB, 1000);
    sc_arena_reset(&ar, SIZE_MAX);
    unsigned char *p = sc_arena_zalloc(&ar, 1000);
    for (int i = 0; i < 1000; ++i)
        cr_assert_eq(p[i], 0);
    sc_arena_fini(&ar);
}

static unsigned blocks(const struct sc_arena *ar)
{
    unsigned n = 0;
    for (struct sc_arena_block *const *b = &ar->spare; *b != NULL;) {
        ++n;
        b = (struct sc_arena_block *const *)(const void *)*b; /* `next` is the first member */
    }
    return n;
}

Test(arena, a_steady_batch_takes_no_new_blocks)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    unsigned before = 0;
    size_t held = 0;
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < 1000; ++i)
            memset(sc_arena_alloc(&ar, 500), round, 500);
        memset(sc_arena_alloc(&ar, 3 << 20), round, 3 << 20); /* a block of its own */
        sc_arena_reset(&ar, SIZE_MAX);
        cr_assert(round < 1 || blocks(&ar) == before, "round %d: %u blocks, %u before", round,
                  blocks(&ar), before);
        before = blocks(&ar);
        cr_assert_geq(ar.held, ar.used);
        cr_assert(round < 1 || ar.held == held, "round %d: %zu bytes, %zu before", round, ar.held, held);
        held = ar.held;
    }
    sc_arena_reset(&ar, held - 1);
    cr_assert(ar.held > 0 && ar.held < held, "%zu bytes are kept of %zu", ar.held, held);
    sc_arena_reset(&ar, 0);
    cr_assert_null(ar.spare);
    cr_assert_eq(ar.held, 0);
    sc_arena_fini(&ar);
}

Test(arena, a_large_request_leaves_the_head_in_use)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    char *a = sc_arena_alloc(&ar, 16);
    memset(sc_arena_alloc(&ar, 1 << 20), 1, 1 << 20);
    char *b = sc_arena_alloc(&ar, 16);
    cr_assert(b > a && b - a < 1024, "both in the first block");
    sc_arena_fini(&ar);
}

Test(arena, the_newest_grows_where_it_stands)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    char *a = sc_arena_alloc(&ar, 32);
    cr_expect(sc_arena_extend(&ar, a, 32, 64));
    memset(a, 1, 64);
    char *b = sc_arena_alloc(&ar, 16);
    cr_expect(b >= a + 64);
    cr_expect(!sc_arena_extend(&ar, a, 64, 128), "another stands behind it");
    cr_expect(!sc_arena_extend(&ar, b, 16, 1 << 20), "more than its block has");
    cr_expect(!sc_arena_extend(&ar, NULL, 0, 16));
    memset(b, 2, 16);
    cr_expect_eq(a[63], 1);
    cr_expect_eq(ar.used, 80);
    sc_arena_fini(&ar);
}

Test(arena, writes_stay_apart)
{
    enum { N = 3000 };
    static char *p[N];
    struct sc_arena ar;
    sc_arena_init(&ar);
    for (size_t i = 0; i < N; ++i) {
        p[i] = sc_arena_alloc_align(&ar, i, 1);
        memset(p[i], (int)(i & 127), i);
    }
    for (size_t i = 0; i < N; ++i)
        for (size_t j = 0; j < i; ++j)
            cr_assert_eq(p[i][j], (char)(i & 127));
    sc_arena_fini(&ar);
}

#if SC_ARENA_REDZONE
Test(arena, overrun_is_caught, .exit_code = 1)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    volatile char *p = sc_arena_alloc(&ar, 8);
    sc_arena_alloc(&ar, 8);
    p[8] = 1;
    sc_arena_fini(&ar);
}

Test(arena, use_after_reset_is_caught, .exit_code = 1)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    volatile char *p = sc_arena_alloc(&ar, 8);
    sc_arena_reset(&ar, SIZE_MAX);
    p[0] = 1;
    sc_arena_fini(&ar);
}
#endif

Test(arena, printf_and_dup)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    cr_assert_str_eq(sc_arena_printf(&ar, "%d-%s", 7, "x"), "7-x");
    cr_assert_str_eq(sc_arena_dup(&ar, "abc", 2), "ab");
    cr_assert_str_eq(sc_arena_dup(&ar, NULL, 0), "");
    sc_arena_fini(&ar);
}

Test(heap, strndup_copies_and_ends)
{
    char text[] = "broker";
    char *copy = sc_strndup(text, 4);
    text[0] = 'x';
    cr_assert_str_eq(copy, "brok");
    free(copy);
    copy = sc_strndup(text, 0);
    cr_assert_str_eq(copy, "");
    free(copy);
}

Test(vec, grows_and_zeroes)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    SC_VEC(int) v = {0};
    for (int i = 0; i < 1000; ++i) {
        cr_assert_eq(*SC_VEC_ADD(&ar, &v), 0);
        v.v[i] = i;
    }
    cr_assert_eq(v.n, 1000);
    for (int i = 0; i < 1000; ++i)
        cr_assert_eq(v.v[i], i);
    sc_arena_fini(&ar);
}

Test(assertion, ends_the_process, .signal = SIGABRT)
{
    SC_ASSERT(1 + 1 == 3);
}

Test(arena, lines_begin_at_a_cache_line)
{
    for (size_t bytes = 1; bytes < 1000; bytes += 111) {
        char *p = sc_malloc_lines(bytes);
        cr_assert_eq((uintptr_t)p % 64, 0);
        memset(p, 1, bytes);
        free(p);
    }
}
