/* What a step counted becomes the worker's counters, by reason. */
#include "engine/publish.h"

#include <criterion/criterion.h>

Test(publish, what_a_step_left_out_is_counted_by_reason)
{
    static struct sc_worker w;
    struct sc_publisher pb = {.w = &w};
    struct sc_step_counts n = {.duplicates = 2, .erased = 3, .contexts_cut = 4,
                               .large_customers = 5, .late = 6};
    sc_publish_counts(&pb, &n);
    cr_expect_eq(w.txn.drops[SC_DROP_DUPLICATE], 2);
    cr_expect_eq(w.txn.drops[SC_DROP_ERASED], 3);
    cr_expect_eq(w.txn.erased_events, 3);
    cr_expect_eq(w.txn.contexts_cut, 4);
    cr_expect_eq(w.txn.large_customers, 5);
    cr_expect_eq(w.txn.late_events, 6);
    sc_publish_counts(&pb, &n);
    cr_expect_eq(w.txn.drops[SC_DROP_ERASED], 6, "they add up");
}
