/* Metrics, windows, buckets, cubes: numbers by hand. */
#include "core/analytics/cube.h"

#include "base/time.h"
#include "core/analytics/plan.h"
#include "core/journey/effects.h"
#include <criterion/criterion.h>

Test(analytics, windows_are_days_and_weeks_from_monday)
{
    const int64_t monday = INT64_C(1772409600000); /* 2026-03-02 */
    cr_assert_eq(sc_window_start(SC_WINDOW_DAY, monday), monday);
    cr_assert_eq(sc_window_start(SC_WINDOW_DAY, monday - 1), monday - SC_DAY_MS);
    cr_assert_eq(sc_window_start(SC_WINDOW_WEEK, monday + 6 * SC_DAY_MS), monday);
    cr_assert_eq(sc_window_start(SC_WINDOW_WEEK, monday + 7 * SC_DAY_MS), monday + 7 * SC_DAY_MS);
    cr_assert_eq(sc_window_start(SC_WINDOW_WEEK, -1), -3 * SC_DAY_MS, "1969-12-29");
    cr_assert_eq(sc_window_start(SC_WINDOW_DAY, -1), -SC_DAY_MS);
}

Test(analytics, buckets_hold_what_is_at_least_theirs_within_a_quarter)
{
    cr_assert_eq(sc_bucket_of(-5), 0);
    for (int64_t ms = 0; ms < 4000000000; ms = ms * 33 / 32 + 1) {
        int32_t b = sc_bucket_of(ms);
        int64_t least = sc_bucket_ms(b), next = sc_bucket_ms(b + 1);
        cr_assert(least <= ms && ms < next, "%lld in [%lld, %lld)", (long long)ms,
                  (long long)least, (long long)next);
        cr_assert(least < 8 || next - least <= least / 4);
    }
    cr_assert_eq(sc_bucket_of(INT64_MAX), SC_BUCKETS_MAX - 1);
}

Test(analytics, cubes_add_take_back_and_sort)
{
    struct sc_arena ar;
    struct sc_cube cube;
    sc_arena_init(&ar);
    sc_cube_init(&cube, &ar);
    for (int32_t i = 0; i < 5000; i++) {
        struct sc_cell c = {SC_METRIC_REACHED, {4999 - i}, i % 7 * SC_DAY_MS, 1, 2};
        sc_cube_add(&cube, &c);
        sc_cube_add(&cube, &c);
    }
    for (int32_t i = 0; i < 4998; i++) {
        struct sc_cell c = {SC_METRIC_REACHED, {4999 - i}, i % 7 * SC_DAY_MS, -2, -4};
        sc_cube_add(&cube, &c);
    }
    uint32_t n;
    const struct sc_cell *cells = sc_cube_cells(&cube, &ar, &n);
    cr_assert_eq(n, 2, "what came to nothing is not there");
    cr_assert_eq(cells[0].start_ms, 0);
    cr_assert_eq(cells[1].start_ms, SC_DAY_MS);
    cr_assert(cells[0].keys[0] == 1 && cells[0].count == 2 && cells[0].sum == 4);
    sc_arena_fini(&ar);
}

Test(analytics, sums_are_exact_text)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_analytics_plan plan = {.value_scale = 4};
    struct sc_journey jo = {.analytics = &plan};
    const struct {
        enum sc_metric metric;
        sc_sum sum;
        const char *text;
    } rows[] = {
        {SC_METRIC_PURCHASE, 0, "0"},        {SC_METRIC_PURCHASE, 551000, "55.1"},
        {SC_METRIC_PURCHASE, -1, "-0.0001"}, {SC_METRIC_PURCHASE, 10000, "1"},
        {SC_METRIC_PURCHASE, 10203, "1.0203"},
        {SC_METRIC_PURCHASE, (sc_sum)1000000000000000000 * 1000000, "100000000000000000000"},
        {SC_METRIC_IN_STAGE, 1200000, "1200000"}, {SC_METRIC_IN_STAGE, 0, "0"},
        {SC_METRIC_BUYERS, -12, "-12"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sc_cell c = {.metric = (uint8_t)rows[i].metric, .sum = rows[i].sum};
        struct sc_str text = sc_sum_text(&jo, &c, &ar);
        cr_assert(sc_str_eqz(text, rows[i].text), "%.*s, not %s", SC_STR_FMT(text), rows[i].text);
    }
    sc_arena_fini(&ar);
}

Test(analytics, every_metric_is_described)
{
    for (int m = 0; m < SC_METRIC_COUNT; m++) {
        const struct sc_metric_info *mi = sc_metric_info((enum sc_metric)m);
        cr_assert(mi->name[0] && mi->text[0]);
        for (int k = 0; k < SC_KEYS_MAX && mi->keys[k] != SC_KEY_NONE; k++)
            for (int other = 0; other < k; other++)
                cr_assert_str_neq(sc_key_name(mi->keys[k]), sc_key_name(mi->keys[other]),
                                  "%s: a key twice", mi->name);
        cr_assert_eq(mi->sum == SC_SUM_NONE, sc_sum_name(mi->sum) == NULL);
    }
}
