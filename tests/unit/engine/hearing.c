/* Semantics 12: what a journal partition makes of the sources' heartbeats. */
#include "core/journey/state.h"
#include "engine/hearing.h"

#include <criterion/criterion.h>

#define IDLE_AFTER 60000

static struct sc_source sources[] = {{.hash = 7, .idle_after_ms = IDLE_AFTER},
                                     {.hash = 3, .idle_after_ms = IDLE_AFTER}};
static const struct sc_taxonomy tx = {.sources = sources, .n_sources = 2};
static const struct sc_source_parts parts[] = {{7, 2}, {3, 1}};

static void say(struct sc_hearing *h, int64_t append_ms, struct sc_progress pr)
{
    struct sc_heartbeat hb = {.progress = &pr, .n = 1, .parts = parts, .n_parts = 2};
    sc_hearing_take(h, &hb, append_ms);
}

static void say_all(struct sc_hearing *h, int64_t append_ms, int64_t a, int64_t b, int64_t c)
{
    say(h, append_ms, (struct sc_progress){7, 0, a, false, false});
    say(h, append_ms, (struct sc_progress){7, 1, b, false, false});
    say(h, append_ms, (struct sc_progress){3, 0, c, false, false});
}

Test(hearing, no_watermark_until_every_partition_of_every_source_was_heard)
{
    struct sc_hearing h;
    sc_hearing_init(&h);
    cr_assert_eq(sc_hearing_watermark(&h, &tx, false), SC_NEVER);
    say(&h, 1000, (struct sc_progress){7, 0, 500, false, false});
    say(&h, 1000, (struct sc_progress){3, 0, 400, false, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, false), SC_NEVER, "7/1 is silent");
    say(&h, 1000, (struct sc_progress){7, 1, SC_NEVER, false, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, false), SC_NEVER, "7/1 lags and has read nothing");
    say(&h, 1001, (struct sc_progress){7, 1, 450, false, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, false), 400);
    sc_hearing_fini(&h);
}

Test(hearing, the_least_progress_and_never_back)
{
    struct sc_hearing h;
    sc_hearing_init(&h);
    say_all(&h, 1000, 500, 450, 400);
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 400);
    say_all(&h, 1500, 900, 700, 800);
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 700);
    /* another owner of 7/1 starts without memory of its progress */
    say(&h, 2000, (struct sc_progress){7, 1, SC_NEVER, false, false});
    say(&h, 2000, (struct sc_progress){7, 0, 950, false, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 700);
    say_all(&h, 2500, 950, 960, 970);
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 950);
    sc_hearing_fini(&h);
}

Test(hearing, idle_moves_time_by_the_journals_clock_and_lets_go_of_it_by_events)
{
    for (int event_clock = 0; event_clock < 2; event_clock++) {
        struct sc_hearing h;
        sc_hearing_init(&h);
        int64_t now = 10000000;
        say_all(&h, now - SC_WAKE_HOLDS_MS, now, now, 1000);
        say_all(&h, now, now, now, 1000);
        say(&h, now, (struct sc_progress){3, 0, 1000, true, false});
        int64_t expect = event_clock ? now : now - IDLE_AFTER;
        cr_assert_eq(sc_hearing_watermark(&h, &tx, event_clock), expect);
        sc_hearing_fini(&h);
    }
}

Test(hearing, all_idle_time_stands_by_events)
{
    struct sc_hearing h;
    sc_hearing_init(&h);
    say_all(&h, 1000, 500, 600, 700);
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 500);
    for (int32_t p = 0; p < 2; p++)
        say(&h, 1100, (struct sc_progress){7, p, 500 + 100 * p, true, false});
    say(&h, 1100, (struct sc_progress){3, 0, 700, true, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 500);
    sc_hearing_fini(&h);
}

Test(hearing, a_partition_without_any_record_is_idle_at_once)
{
    struct sc_hearing h;
    sc_hearing_init(&h);
    say_all(&h, 1000, 500, 600, SC_NEVER);
    say(&h, 1000, (struct sc_progress){3, 0, SC_NEVER, false, true});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, false), 1000 - IDLE_AFTER);
    sc_hearing_fini(&h);
}

/* A replay starts everywhere at once: the first to be heard must not make the others late. */
Test(hearing, by_events_what_is_idle_holds_until_those_that_woke_have_flowed_for_a_while)
{
    struct sc_hearing h;
    sc_hearing_init(&h);
    say_all(&h, 1000, 500, 600, 100);
    say(&h, 1000, (struct sc_progress){3, 0, 100, true, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 100);
    say(&h, 999 + SC_WAKE_HOLDS_MS, (struct sc_progress){7, 0, 580, false, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 100);
    say(&h, 1000 + SC_WAKE_HOLDS_MS, (struct sc_progress){3, 0, 100, true, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 580);
    sc_hearing_fini(&h);
}

Test(hearing, idle_is_believed_for_five_seconds)
{
    struct sc_hearing h;
    sc_hearing_init(&h);
    say_all(&h, 1000, 500, 600, 100);
    say(&h, 1000, (struct sc_progress){3, 0, 100, true, false});
    /* nobody owns 3/0 any more: the others go on */
    say(&h, 1000 + SC_IDLE_HOLDS_MS, (struct sc_progress){7, 0, 550, false, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 550);
    say(&h, 1001 + SC_IDLE_HOLDS_MS, (struct sc_progress){7, 0, 580, false, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 550, "3/0 holds time until heard again");
    say(&h, 1002 + SC_IDLE_HOLDS_MS, (struct sc_progress){3, 0, 100, true, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 580);
    sc_hearing_fini(&h);
}

Test(hearing, a_source_that_grows_holds_until_its_new_partition_is_heard)
{
    struct sc_hearing h;
    sc_hearing_init(&h);
    say_all(&h, 1000, 500, 600, 700);
    struct sc_source_parts more[] = {{7, 3}};
    struct sc_progress pr = {7, 0, 650, false, false};
    struct sc_heartbeat hb = {.progress = &pr, .n = 1, .parts = more, .n_parts = 1};
    sc_hearing_take(&h, &hb, 1100);
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), SC_NEVER);
    struct sc_progress fresh = {7, 2, 640, false, false};
    hb.progress = &fresh;
    sc_hearing_take(&h, &hb, 1200);
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 600);
    sc_hearing_fini(&h);
}

Test(hearing, a_seal_brings_it_back_with_the_watermark)
{
    struct sc_hearing h, copy;
    sc_hearing_init(&h);
    sc_hearing_init(&copy);
    say_all(&h, 1000, 500, 600, 100);
    say(&h, 6000, (struct sc_progress){3, 0, 100, true, false});
    cr_assert_eq(sc_hearing_watermark(&h, &tx, true), 500);
    say(&h, 12000, (struct sc_progress){7, 0, 500, false, false}); /* 3/0 is believed no more */
    struct sc_seal seal = {.progress = h.progress, .heard_ms = h.heard_ms, .n_progress = h.n,
                           .parts = h.parts, .n_parts = h.n_parts,
                           .watermark_ms = h.watermark_ms, .woke_ms = h.woke_ms};
    sc_hearing_restore(&copy, &seal);
    cr_assert_eq(copy.watermark_ms, 500, "the vector alone would say 100");
    cr_assert_eq(copy.last_ms, 12000);
    cr_assert_eq(copy.woke_ms, 1000);
    say(&h, 12100, (struct sc_progress){3, 0, 800, false, false});
    say(&copy, 12100, (struct sc_progress){3, 0, 800, false, false});
    cr_assert_eq(sc_hearing_watermark(&copy, &tx, true), sc_hearing_watermark(&h, &tx, true));
    sc_hearing_copy(&copy, &h);
    cr_assert(copy.n == h.n && copy.last_ms == h.last_ms && copy.watermark_ms == h.watermark_ms);
    sc_hearing_fini(&h);
    sc_hearing_fini(&copy);
}
