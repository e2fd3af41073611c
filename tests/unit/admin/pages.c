/* What an operator reads: rows by label, readiness with its reason. */
#include "admin/admin.h"

#include <criterion/criterion.h>

static bool has(const struct sc_buf *page, const char *text)
{
    return memmem(page->p, page->len, text, strlen(text)) != NULL;
}

Test(pages, late_events_are_counted_by_trigger)
{
    static struct sc_worker w = {.role = "journey"};
    struct sc_trigger triggers[] = {{.name = SC_STR("first")}, {.name = SC_STR("second")}};
    struct sc_journey jo = {.triggers = triggers, .n_triggers = 2};
    struct sc_engine_config cfg = {.jo = &jo};
    struct sc_worker *workers[] = {&w};
    struct sc_buf page = {0};
    w.cfg = &cfg;
    w.counters.late[1] = 7;
    sc_admin_metrics(workers, 1, &page);
    cr_expect(has(&page, "stagecoach_late_by_trigger_total{trigger=\"first\"} 0\n"));
    cr_expect(has(&page, "stagecoach_late_by_trigger_total{trigger=\"second\"} 7\n"));
    sc_buf_fini(&page);
}

Test(pages, a_stated_wait_is_not_ready)
{
    static struct sc_worker w = {.role = "journey"};
    struct sc_worker *workers[] = {&w};
    struct sc_buf page = {0};
    w.status.ready = 1;
    cr_expect(sc_admin_ready(workers, 1, true, &page));
    w.status.why = "Redis does not answer";
    cr_expect_not(sc_admin_ready(workers, 1, true, &page));
    cr_expect(has(&page, "waiting: Redis does not answer"));
    sc_buf_fini(&page);
}
