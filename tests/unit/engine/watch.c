/* The watchdog's question of a worker, and what it says that it waits for (engine/worker.h). */
#include "engine/worker.h"

#include <criterion/criterion.h>

#define MOST_MS 120000
#define LOOK_MS 100

static struct sc_worker w;
static struct sc_watch watchdog;
static int64_t now_ms = 1000;

/* Looked at for so long: does it stand at the end? */
static bool stands(int64_t ms)
{
    bool stood = false;
    for (int64_t until_ms = now_ms + ms; now_ms < until_ms;)
        stood = sc_worker_stands(&watchdog, &w, now_ms += LOOK_MS, MOST_MS);
    return stood;
}

Test(watch, a_worker_that_has_not_begun_does_not_stand)
{
    cr_expect_not(stands(2 * MOST_MS));
}

Test(watch, one_that_does_not_move_stands)
{
    w.status.progress_ms = now_ms;
    cr_expect_not(stands(MOST_MS));
    cr_expect(stands(LOOK_MS));
    w.status.progress_ms = now_ms;
    cr_expect_not(stands(MOST_MS));
}

Test(watch, a_stated_wait_does_not_count)
{
    w.status.progress_ms = now_ms;
    cr_expect_not(stands(MOST_MS / 2));
    w.status.why = "somebody is away";
    cr_expect_not(stands(3 * MOST_MS));
    w.status.why = NULL;
    cr_expect_not(stands(MOST_MS / 2));
    cr_expect(stands(LOOK_MS));
}

Test(watch, a_call_that_takes_long_is_a_wait_for_ten_minutes)
{
    w.status.progress_ms = w.status.asking_ms = now_ms;
    cr_expect_null(sc_worker_why(&w, now_ms + SC_ASKING_LONG_MS - 1));
    cr_expect_str_eq(sc_worker_why(&w, now_ms + SC_ASKING_LONG_MS), "Kafka does not answer");
    cr_expect_not(stands(SC_ASKING_MOST_MS));
    cr_expect(stands(MOST_MS), "it is never ended");
    cr_expect_not_null(sc_worker_why(&w, now_ms), "and it is still said");
    w.status.asking_ms = 0;
    cr_expect_null(sc_worker_why(&w, now_ms));
}
