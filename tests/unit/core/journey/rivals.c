/* Arbitration over a span of time (semantics 30). What random orders and merges make of it: prop/rivals.c. */
#include "play.h"

#include "core/journey/run.h"
#include <criterion/criterion.h>

#define RIVALS                                                                                     \
    "stages: [ { name: here, initial: true } ]\n"                                                  \
    "triggers:\n"                                                                                  \
    "  - { name: low, when: 'event.name == \"first_use\"', channels: [sms], priority: 10 }\n"      \
    "  - { name: high, when: 'event.name == \"app_crashed\"', channels: [sms], priority: 90,\n"    \
    "      unless: 'event.name == \"unsubscribed\"' }\n"                                           \
    "  - { name: left, start: 'event.name == \"cart_updated\"', after: '1h without [cart_emptied]',\n" \
    "      channels: [sms], priority: 50 }\n"                                                      \
    "  - { name: service, when: 'event.name == \"first_use\"', channels: [sms], purpose: service }\n"
#define MINUTE "guardrails: { arbitration: 60s }\n"

Test(rivals, the_highest_goes_when_the_window_ends)
{
    PLAY(RIVALS MINUTE,
         "03-02 10:00:00 first_use\n03-02 10:00:40 app_crashed\n03-02 10:00:59\n03-02 10:05\n",
         "03-02 10:00 trigger service sms\n03-02 10:01 trigger high sms\n"
         "03-02 10:01 suppressed low LOWER_PRIORITY\n");
}

Test(rivals, a_window_is_half_open_from_the_first)
{
    PLAY(RIVALS MINUTE, "03-02 10:00 first_use\n03-02 10:01 app_crashed\n03-02 10:05\n",
         "03-02 10:00 trigger service sms\n03-02 10:01 trigger low sms\n"
         "03-02 10:02 trigger high sms\n");
    PLAY(RIVALS MINUTE, /* a silence at the end of the window is not in it */
         "03-02 09:01 cart_updated value=1\n03-02 10:00 app_crashed\n03-02 10:05\n",
         "03-02 10:01 trigger high sms\n03-02 10:02 trigger left sms\n");
    PLAY(RIVALS MINUTE,
         "03-02 09:00:30 cart_updated value=1\n03-02 10:00 app_crashed\n03-02 10:05\n",
         "03-02 10:01 trigger high sms\n03-02 10:01 suppressed left LOWER_PRIORITY\n");
}

/* Gates are asked at the end: one that cannot go takes no moment. */
Test(rivals, one_that_cannot_go_takes_no_moment)
{
    PLAY(RIVALS MINUTE,
         "03-02 10:00 first_use\n03-02 10:00:10 app_crashed\n"
         "03-02 10:00:20 consented purpose=sms granted=false\n03-02 10:05\n",
         "03-02 10:00 trigger service sms\n03-02 10:01 suppressed high NO_CHANNEL\n"
         "03-02 10:01 suppressed low NO_CHANNEL\n");
    PLAY("stages: [ { name: here, initial: true } ]\n"
         "triggers:\n"
         "  - { name: low, when: 'event.name == \"first_use\"', channels: [sms], priority: 10 }\n"
         "  - { name: high, when: 'event.name == \"first_use\"', channels: [sms], priority: 90,\n"
         "      purpose: marketing }\n" MINUTE,
         "03-02 10:00 first_use\n03-02 10:05\n",
         "03-02 10:01 suppressed high CONSENT\n03-02 10:01 trigger low sms\n");
}

Test(rivals, an_exit_ends_the_wait_until_the_window_does)
{
    PLAY(RIVALS MINUTE, "03-02 10:00 app_crashed\n03-02 10:00:30 unsubscribed\n03-02 10:05\n",
         "03-02 10:00:30 cancelled high\n");
    PLAY(RIVALS MINUTE,
         "03-02 09:00 cart_updated value=1\n03-02 10:00:30 cart_emptied\n03-02 10:05\n",
         "03-02 10:00:30 cancelled left\n");
    struct play pl; /* known before time is there: high, in low's window, was weighed at 10:01 */
    play_init(&pl, RIVALS MINUTE);
    play_script(&pl, "03-02 09:59\n");
    pl.hold_time = true;
    cr_expect_str_eq(play_script(&pl, "03-02 10:00 first_use\n03-02 10:00:30 app_crashed\n"
                                      "03-02 10:01:10 unsubscribed\n03-02 10:05\n"),
                     "03-02 10:00 trigger service sms\n03-02 10:01 trigger high sms\n"
                     "03-02 10:01 suppressed low LOWER_PRIORITY\n");
    play_fini(&pl);
}

/* A deferral takes the moment; the release fires anew. */
Test(rivals, a_release_competes_too)
{
    PLAY(RIVALS "guardrails: { arbitration: 60s, quiet_hours: { from: '21:00', to: '09:00',\n"
                "    timezone: UTC } }\n",
         "03-02 22:00 app_crashed\n03-02 22:00:10 first_use\n03-03 08:00:20 cart_updated value=1\n"
         "03-03 09:05\n",
         "03-02 22:00:10 trigger service sms\n03-02 22:01 deferred high QUIET_HOURS until 03-03 09:00\n"
         "03-02 22:01 suppressed low LOWER_PRIORITY\n03-03 09:01 trigger high sms\n"
         "03-03 09:01 suppressed left LOWER_PRIORITY\n");
}

/* The cart was left in a window that is over: its moment was taken. An event behind the watermark
 * fires now. */
Test(rivals, what_comes_to_light_too_late_has_lost)
{
    struct play pl;
    play_init(&pl, RIVALS MINUTE);
    cr_expect_str_eq(play_script(&pl, "03-02 10:00 app_crashed\n03-02 10:02\n"),
                     "03-02 10:01 trigger high sms\n");
    cr_expect_str_eq(play_script(&pl, "03-02 09:00:59 cart_updated value=1\n03-02 10:05\n"),
                     "03-02 10:00:59 suppressed left LOWER_PRIORITY\n");
    cr_expect_str_eq(play_script(&pl, "03-02 09:01 cart_updated value=1 cart_id=b\n03-02 10:06\n"),
                     "03-02 10:02 trigger left sms\n");
    cr_expect_str_eq(play_script(&pl, "03-02 10:00:30 app_crashed\n03-02 10:06:59\n"), "");
    cr_expect_str_eq(play_script(&pl, "03-02 10:07\n"), "03-02 10:07 trigger high sms\n");
    cr_expect_eq(pl.st->timers.n, 4u, "three moments and a sent one are remembered");
    play_script(&pl, "03-04 12:00\n03-04 12:01 product_viewed\n");
    cr_expect_eq(pl.st->timers.n, 0u, "past lateness nothing is");
    play_fini(&pl);
}

Test(rivals, once_is_once_though_two_wait)
{
    struct play pl;
    play_init(&pl, "stages: [ { name: here, initial: true } ]\n"
                   "triggers:\n"
                   "  - { name: once, when: 'event.name == \"first_use\"', channels: [sms],\n"
                   "      reentry: once }\n" MINUTE);
    play_script(&pl, "03-02 09:59\n");
    pl.hold_time = true;
    cr_expect_str_eq(play_script(&pl, "03-02 10:00 first_use\n03-02 10:01:30 first_use\n"
                                      "03-02 10:05\n"),
                     "03-02 10:01 trigger once sms\n");
    play_fini(&pl);
}

/* What an exit takes back before it was weighed has not fired; the one that was sent has. */
Test(rivals, once_is_once_though_the_second_is_taken_back)
{
    struct play pl;
    play_init(&pl, "stages: [ { name: here, initial: true } ]\n"
                   "triggers:\n"
                   "  - { name: once, when: 'event.name == \"first_use\"', channels: [sms],\n"
                   "      reentry: once, unless: 'event.name == \"unsubscribed\"' }\n" MINUTE);
    play_script(&pl, "03-02 09:59\n");
    pl.hold_time = true;
    play_script(&pl, "03-02 10:00 first_use\n03-02 10:01:30 first_use\n");
    pl.hold_time = false;
    cr_expect_str_eq(play_script(&pl, "03-02 10:01:31\n03-02 10:01:40 unsubscribed\n"
                                      "03-02 10:10 first_use\n03-02 10:20\n"),
                     "03-02 10:01 trigger once sms\n03-02 10:01:40 cancelled once\n");
    play_fini(&pl);
}

/* The journey has no arbitration any more: what still waits goes when it was to, each by itself. */
Test(rivals, what_waits_outlives_arbitration)
{
    struct play pl;
    play_init(&pl, RIVALS MINUTE);
    play_script(&pl, "03-02 09:00:20 cart_updated value=1\n03-02 10:00 first_use\n"
                     "03-02 10:00:10 app_crashed\n03-02 10:00:30\n");
    cr_expect_eq(pl.st->timers.n, 3u);
    pl.jo.guard.arbitration_ms = -1;
    cr_expect_str_eq(play_script(&pl, "03-02 10:00:40 unsubscribed\n03-02 10:05\n"),
                     "03-02 10:00:40 cancelled high\n03-02 10:01 trigger low sms\n"
                     "03-02 10:01:20 trigger left sms\n");
    play_fini(&pl);
}

/* Those of lowest priority are given up, and said. */
Test(rivals, at_most_64_wait)
{
    struct sc_buf yaml = {0};
    sc_buf_addz(&yaml, "stages: [ { name: here, initial: true } ]\ntriggers:\n");
    for (int i = 0; i < 70; i++)
        sc_buf_addf(&yaml, "  - { name: t%02d, when: 'event.name == \"first_use\"', channels: [sms],"
                           " priority: %d }\n", i, i);
    sc_buf_addz(&yaml, MINUTE);
    sc_buf_char(&yaml, '\0');
    struct play pl;
    play_init(&pl, yaml.p);
    cr_expect_str_eq(play_script(&pl, "03-02 10:00 first_use\n"),
                     "03-02 10:00 suppressed t00 LOWER_PRIORITY\n"
                     "03-02 10:00 suppressed t01 LOWER_PRIORITY\n"
                     "03-02 10:00 suppressed t02 LOWER_PRIORITY\n"
                     "03-02 10:00 suppressed t03 LOWER_PRIORITY\n"
                     "03-02 10:00 suppressed t04 LOWER_PRIORITY\n"
                     "03-02 10:00 suppressed t05 LOWER_PRIORITY\n");
    cr_expect_eq(pl.st->timers.n, 64u);
    play_script(&pl, "03-02 10:01\n");
    cr_expect_str_eq(play_filter(&pl, SC_FX_TRIGGER), "03-02 10:01 trigger t69 sms\n");
    play_fini(&pl);
    sc_buf_fini(&yaml);
}
