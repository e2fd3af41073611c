/* Experiments: the draws and what they change (semantics 32). */
#include "core/journey/run.h"
#include "play.h"
#include <criterion/criterion.h>

#define ARMS_TRIGGER                                                                               \
    "channels: { sms: {} }\n"                                                                      \
    "triggers:\n"                                                                                  \
    "  - name: t\n    when: event.name == \"first_use\"\n    channels: [sms]\n    message: own\n"  \
    "    experiment:\n      name: x\n      holdout: 20%\n      arms:\n"

static struct sc_node_id person(uint32_t i)
{
    return (struct sc_node_id){{0xf1, (uint8_t)i, (uint8_t)(i >> 8)}};
}

Test(experiment, holdout_is_a_stable_share)
{
    struct sc_experiment ex = {.name = SC_STR("x"), .holdout_bp = 1000}, wider = ex;
    wider.holdout_bp = 2000;
    int out = 0, moved = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        struct sc_node_id node = person(i);
        bool held = sc_experiment_holds_out(&ex, &node);
        out += held;
        moved += held && !sc_experiment_holds_out(&wider, &node);
    }
    cr_expect(out > 850 && out < 1150, "%d of 10000", out);
    cr_expect_eq(moved, 0, "a wider share keeps who was in it");
}

/* Weights 1:1:2, then 2:1:1 of the same 4: cuts at 25, 50 and at 50, 75 of 100. */
Test(experiment, a_weight_moves_only_the_difference)
{
    struct sc_arm before[] = {{SC_STR("a"), 2500}, {SC_STR("b"), 5000}, {SC_STR("c"), 10000}};
    struct sc_arm after[] = {{SC_STR("a"), 5000}, {SC_STR("b"), 7500}, {SC_STR("c"), 10000}};
    struct sc_experiment ex = {.name = SC_STR("x"), .arms = before, .n_arms = 3}, now = ex, held;
    now.arms = after;
    held = ex;
    held.holdout_bp = 5000;
    int n[3][3] = {{0}}, other = 0, out = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        struct sc_state st = {.node = person(i)};
        int was = sc_experiment_arm(&ex, &st), is = sc_experiment_arm(&now, &st);
        int kept = sc_experiment_arm(&held, &st);
        cr_assert(was >= 0 && is >= 0);
        n[was][is]++;
        out += kept == SC_ARM_HELD_OUT;
        other += kept != SC_ARM_HELD_OUT && kept != was;
    }
    cr_expect(n[0][0] > 2250 && n[0][0] < 2750, "%d", n[0][0]);
    cr_expect(n[0][1] == 0 && n[0][2] == 0 && n[1][1] == 0 && n[1][2] == 0 && n[2][0] == 0);
    cr_expect(n[1][0] > 2250 && n[2][1] > 2250 && n[2][2] > 2250);
    cr_expect(out > 4700 && out < 5300, "%d", out);
    cr_expect_eq(other, 0, "a holdout moves nobody from arm to arm");
}

static const struct sc_effect *one(struct play *pl, const char *script)
{
    uint32_t n = pl->fx.items.n;
    play_script(pl, script);
    cr_assert_eq(pl->fx.items.n, n + 1);
    return &pl->fx.items.v[n];
}

/* An arm's message, the trigger's where it has none, nothing where it is silent; a holdout kept
 * from an absorbed customer goes before all. */
Test(experiment, an_arm_alters_or_omits_the_message)
{
    struct play pl;
    play_init(&pl, ARMS_TRIGGER "        - { name: a, message: other }\n"
                                "        - { name: b, weight: 0 }\n"
                                "        - { name: c, weight: 0, send: false }\n");
    struct sc_experiment *ex = &pl.jo.experiments[0];
    cr_assert(pl.jo.n_experiments == 1 && ex->holdout_bp == 2000 && ex->n_arms == 3);
    cr_expect(ex->arms[0].until == 10000 && ex->arms[2].until == 10000);
    ex->holdout_bp = 0;
    const struct sc_effect *fx = one(&pl, "03-02 10:00 first_use\n");
    cr_expect(fx->experiment == 0 && fx->arm == 0);
    cr_expect(sc_str_eqz(sc_effect_message(&pl.jo, fx), "other"));
    ex->arms[0].until = 0;
    fx = one(&pl, "03-02 10:01 first_use\n");
    cr_expect_eq(fx->arm, 1);
    cr_expect(sc_str_eqz(sc_effect_message(&pl.jo, fx), "own"));
    ex->arms[1].until = 0;
    fx = one(&pl, "03-02 10:02 first_use\n");
    cr_expect(fx->type == SC_FX_SUPPRESSED && fx->reason == SC_REASON_HOLDOUT && fx->arm == 2);
    ex->arms[0].until = 10000;
    SC_VEC_PUSH(&pl.ar, &pl.st->held_out, SC_STR("x"));
    fx = one(&pl, "03-02 10:03 first_use\n");
    cr_expect(fx->reason == SC_REASON_HOLDOUT && fx->arm == SC_ARM_HELD_OUT);
    play_fini(&pl);
}

/* The global holdout holds back all but service messages; transitions say every arm. */
Test(experiment, the_global_holdout)
{
    struct play pl;
    play_init(&pl, "holdout: 100%\n"
                   "stages: [ { name: a }, { name: b, when: 'event.name == \"first_use\"' } ]\n"
                   "channels: { sms: {} }\n"
                   "triggers:\n"
                   "  - { name: t, when: 'event.name == \"first_use\"', channels: [sms],\n"
                   "      experiment: { name: x, arms: [ { name: a } ] } }\n"
                   "  - { name: s, when: 'event.name == \"first_use\"', channels: [sms],\n"
                   "      purpose: service }\n");
    cr_expect_str_eq(play_script(&pl, "03-02 10:00 first_use\n"),
                     "03-02 10:00 transition b a>b rule\n03-02 10:00 suppressed t HOLDOUT\n"
                     "03-02 10:00 trigger s sms\n");
    const struct sc_effect *moved = &pl.fx.items.v[0], *held = &pl.fx.items.v[1];
    cr_expect_eq(held->experiment, pl.jo.holdout);
    cr_expect_eq(pl.fx.items.v[2].experiment, -1);
    cr_assert_not_null(moved->arms);
    cr_expect(moved->arms[0] == SC_ARM_HELD_OUT && moved->arms[1] == 0);
    struct sc_buf out = {.ar = &pl.ar};
    sc_effect_json(&pl.jo, moved, &out);
    sc_buf_char(&out, '\0');
    cr_expect(strstr(out.p, "\"arms\":{\"holdout\":\"holdout\",\"x\":\"a\"}"), "%s", out.p);
    play_fini(&pl);
}
