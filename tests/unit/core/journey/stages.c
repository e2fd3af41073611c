/* Stages, lapses, targets, milestones (semantics 13, 21, 23b). */
#include "play.h"

#include <criterion/criterion.h>

#define STAGES                                                                                     \
    "stages:\n"                                                                                    \
    "  - { name: awareness, initial: true }\n"                                                     \
    "  - { name: consideration, when: 'count(\"product_viewed\") >= 2', target: 3d }\n"            \
    "  - { name: purchase, when: 'event.name == \"order_completed\"' }\n"                          \
    "  - { name: loyalty, when: 'count(\"order_completed\") >= 3' }\n"                             \
    "  - { name: lapsed, from: [purchase, loyalty], after: '90d without [order_completed]' }\n"

Test(stages, at_most_one_an_event_the_furthest)
{
    PLAY(STAGES,
         "03-02 10:00 product_viewed\n03-02 11:00 product_viewed\n"
         "03-02 12:00 order_completed\n03-02 13:00 order_completed\n03-02 14:00 order_completed\n",
         "03-02 11:00 transition consideration awareness>consideration rule\n"
         "03-02 12:00 transition purchase consideration>purchase rule\n"
         "03-02 14:00 transition loyalty purchase>loyalty rule\n");
    PLAY(STAGES, "03-02 10:00 order_completed\n03-02 11:00 product_viewed\n03-02 12:00 product_viewed\n",
         "03-02 10:00 transition purchase awareness>purchase rule\n");
}

Test(stages, time_in_the_stage_left_and_facts_seen)
{
    struct play pl;
    play_init(&pl, STAGES);
    play_script(&pl, "03-02 10:00 first_use\n03-02 11:30 product_viewed\n03-02 12:00 product_viewed\n");
    cr_assert_eq(pl.fx.items.n, 1);
    const struct sc_effect *fx = &pl.fx.items.v[0];
    cr_expect_eq(fx->in_stage_ms, 2 * SC_HOUR_MS);
    cr_expect_eq(fx->back, false);
    cr_assert_eq(fx->n_facts, 1);
    cr_expect(sc_value_eq(fx->fact_values[0], sc_int(2)));
    cr_assert_eq(fx->n_events, 1);
    cr_expect(sc_str_eqz(fx->events[0], "e3"));
    play_fini(&pl);
}

Test(stages, a_lapse_after_silence_and_the_way_back)
{
    PLAY(STAGES, "03-02 10:00 order_completed\n04-02 10:00 order_completed\n07-10 00:00\n"
                 "07-11 10:00 product_viewed\n07-12 10:00 order_completed\n",
         "03-02 10:00 transition purchase awareness>purchase rule\n"
         "07-01 10:00 transition lapsed purchase>lapsed lapse\n"
         "07-12 10:00 transition loyalty lapsed>loyalty rule\n");
}

Test(stages, a_lapse_goes_by_event_time)
{
    struct play pl;
    play_init(&pl, STAGES);
    play_script(&pl, "03-02 10:00 order_completed\n03-02 09:00 order_completed\n05-31 10:00\n");
    cr_expect_str_eq(play_filter(&pl, SC_FX_TRANSITION),
                     "03-02 10:00 transition purchase awareness>purchase rule\n"
                     "05-31 10:00 transition lapsed purchase>lapsed lapse\n");
    cr_expect(pl.fx.items.v[1].back);
    play_fini(&pl);
}

Test(stages, going_back_needs_from)
{
    static const char back[] = "stages:\n"
                               "  - { name: a, initial: true }\n"
                               "  - { name: b, when: 'event.name == \"first_use\"', from: [a, c] }\n"
                               "  - { name: c, when: 'event.name == \"app_crashed\"' }\n";
    struct play pl;
    play_init(&pl, back);
    const char *got = play_script(&pl, "03-02 10:00 app_crashed\n03-02 11:00 first_use\n"
                                       "03-02 12:00 first_use\n");
    cr_expect_str_eq(got, "03-02 10:00 transition c a>c rule\n03-02 11:00 transition b c>b rule\n");
    cr_expect(!pl.fx.items.v[0].back && pl.fx.items.v[1].back);
    play_fini(&pl);
}

Test(stages, a_target_that_passes_is_a_milestone)
{
    PLAY(STAGES, "03-02 10:00 product_viewed\n03-02 11:00 product_viewed\n03-10 00:00\n",
         "03-02 11:00 transition consideration awareness>consideration rule\n"
         "03-05 11:00 milestone overdue:consideration\n");
    PLAY(STAGES, "03-02 10:00 product_viewed\n03-02 11:00 product_viewed\n"
                 "03-03 10:00 order_completed\n03-10 00:00\n",
         "03-02 11:00 transition consideration awareness>consideration rule\n"
         "03-03 10:00 transition purchase consideration>purchase rule\n");
}

Test(stages, a_stage_the_journey_dropped_is_left_by_its_change)
{
    struct play pl;
    play_init(&pl, STAGES);
    play_script(&pl, "03-02 10:00 order_completed\n");
    pl.st->place[0].stage_unknown = 12345; /* as read from a state that an older journey wrote */
    play_script(&pl, "03-02 12:00 first_use\n03-02 13:00 first_use\n");
    cr_assert_eq(pl.fx.items.n, 2, "said once");
    const struct sc_effect *fx = &pl.fx.items.v[1];
    cr_expect_eq(fx->cause, SC_CAUSE_CONFIG);
    cr_expect_eq(fx->from, -1);
    cr_expect_eq(fx->in_stage_ms, 2 * SC_HOUR_MS);
    struct sc_buf out = {.ar = &pl.ar};
    sc_effect_json(&pl.jo, fx, &out);
    sc_buf_char(&out, '\0');
    cr_expect(strstr(out.p, "\"to\":\"purchase\",\"cause\":\"config\"") != NULL, "%s", out.p);
    play_fini(&pl);
}

#define MILESTONES                                                                                 \
    "stages: [ { name: here, initial: true } ]\n"                                                  \
    "milestones:\n"                                                                                \
    "  second: 'count(\"order_completed\") >= 2'\n"                                                \
    "  spent: 'sum(\"order_completed\", \"total\") >= 100.0'\n"

Test(stages, a_milestone_is_reached_once)
{
    PLAY(MILESTONES, "03-02 10:00 order_completed total=60\n03-02 11:00 order_completed total=60\n"
                     "03-02 12:00 order_completed total=60\n",
         "03-02 11:00 milestone second\n03-02 11:00 milestone spent\n");
}

Test(stages, its_time_is_corrected_by_an_earlier_event)
{
    struct play pl;
    play_init(&pl, MILESTONES);
    const char *got = play_script(&pl, "03-02 10:00 order_completed total=1\n"
                                       "03-02 12:00 order_completed total=1\n"
                                       "03-02 09:00 order_completed total=1\n");
    cr_expect_str_eq(got, "03-02 12:00 milestone second\n");
    cr_expect_eq(pl.st->milestones[0], play_time(SC_STR("03-02 10:00")));
    play_fini(&pl);
    PLAY(MILESTONES, "03-02 12:00 order_completed total=1\n03-02 10:00 order_completed total=1\n",
         "03-02 12:00 milestone second\n");
    PLAY(MILESTONES, "03-02 12:00 order_completed total=1\n03-02 13:00 first_use\n"
                     "03-02 10:00 order_completed total=1\n",
         "03-02 13:00 milestone second of 03-02 12:00\n");
}

Test(stages, late_events_move_facts_alone)
{
    struct play late;
    play_init(&late, STAGES "milestones: { second: 'count(\"product_viewed\") >= 2' }\n");
    const char *got = play_script(&late, "03-02 10:00 first_use\n02-20 10:00 product_viewed\n"
                                         "02-20 11:00 product_viewed\n");
    cr_expect_str_eq(got, "");
    cr_expect_eq(late.counts.late, 2);
    cr_expect_eq(late.st->n_events, 3);
    cr_expect_eq(late.st->first_ms, play_time(SC_STR("02-20 10:00")));
    cr_expect_str_eq(play_script(&late, "03-02 11:00 product_viewed\n"),
                     "03-02 11:00 transition consideration awareness>consideration rule\n"
                     "03-02 11:00 milestone second\n");
    play_fini(&late);
}
