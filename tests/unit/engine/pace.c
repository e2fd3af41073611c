/* When a transaction ends: engine/pace.h. */
#include "engine/pace.h"

#include <criterion/criterion.h>

Test(pace, what_comes_after_a_pause_waits_for_nothing_but_more)
{
    const struct sc_pace p = {.interval_ms = 100, .opened_ms = 5000, .last_ms = 1000};
    cr_expect(sc_pace_free(&p, 5000) && !sc_pace_over(&p, 5000));
    cr_expect_eq(sc_pace_wait(&p, 5000, 50), SC_PACE_QUIET_MS);
    const struct sc_pace first = {.interval_ms = 100, .opened_ms = 5000};
    cr_expect(sc_pace_free(&first, 5000), "nor does what comes first");
}

Test(pace, there_is_one_transaction_an_interval_however_little_comes)
{
    const struct sc_pace p = {.interval_ms = 100, .opened_ms = 1040, .last_ms = 1000};
    for (int64_t ms = 1040; ms < 1100; ms++) {
        cr_expect_not(sc_pace_free(&p, ms));
        cr_expect_eq(sc_pace_wait(&p, ms, 1000),
                     1100 - ms > SC_PACE_QUIET_MS ? 1100 - ms : SC_PACE_QUIET_MS);
    }
    cr_expect(sc_pace_free(&p, 1100));
}

Test(pace, what_never_pauses_is_committed_after_an_interval)
{
    const struct sc_pace p = {.interval_ms = 100, .opened_ms = 1040, .last_ms = 1000};
    cr_expect_not(sc_pace_over(&p, 1139));
    cr_expect_eq(sc_pace_wait(&p, 1138, 50), 2, "no poll waits past the end");
    cr_expect(sc_pace_over(&p, 1140));
    cr_expect_eq(sc_pace_wait(&p, 1200, 50), 0);
    cr_expect_eq(sc_pace_wait(&p, 1040, 3), 3, "nor longer than it is told");
}
