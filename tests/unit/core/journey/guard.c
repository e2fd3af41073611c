/* The guard: caps, cooldown, consent, quiet hours, fatigue, channels (semantics 22 to 34). */
#include "play.h"

#include "core/journey/run.h"
#include <criterion/criterion.h>

#define HERE "stages: [ { name: here, initial: true } ]\n"
#define PING                                                                                       \
    HERE "triggers:\n"                                                                             \
         "  - { name: ping, when: 'event.name == \"first_use\"', channels: [sms, email]"

Test(guard, cooldown_counts_from_the_last_sent)
{
    PLAY(PING ", cooldown: 2h }\n",
         "03-02 10:00 first_use\n03-02 11:00 first_use\n03-02 11:59 first_use\n03-02 12:00 first_use\n",
         "03-02 10:00 trigger ping sms\n03-02 11:00 suppressed ping COOLDOWN\n"
         "03-02 11:59 suppressed ping COOLDOWN\n03-02 12:00 trigger ping sms\n");
}

Test(guard, cooldown_goes_by_key)
{
    static const char keyed[] =
        HERE "triggers:\n"
             "  - { name: ping, when: 'event.name == \"cart_updated\"', key: event.cart_id,\n"
             "      channels: [sms], cooldown: 2h }\n";
    PLAY(keyed, "03-02 10:00 cart_updated cart_id=a\n03-02 10:30 cart_updated cart_id=b\n"
                "03-02 11:00 cart_updated cart_id=a\n",
         "03-02 10:00 trigger ping sms\n03-02 10:30 trigger ping sms\n"
         "03-02 11:00 suppressed ping COOLDOWN\n");
}

Test(guard, rolling_caps_choose_the_next_channel)
{
    PLAY(PING " }\nguardrails: { caps: [ { channels: [sms], max: 1, per: 1d },\n"
              "                          { channels: '*', max: 3, per: 2d } ] }\n",
         "03-02 10:00 first_use\n03-02 11:00 first_use\n03-02 12:00 first_use\n03-02 13:00 first_use\n"
         "03-04 09:59 first_use\n03-04 10:00 first_use\n",
         "03-02 10:00 trigger ping sms\n03-02 11:00 trigger ping email\n"
         "03-02 12:00 trigger ping email\n03-02 13:00 suppressed ping CAP_REACHED\n"
         "03-04 09:59 suppressed ping CAP_REACHED\n03-04 10:00 trigger ping sms\n");
}

/* A slot taken at a later time counts too: no window with both may exceed the cap. */
Test(guard, rolling_caps_see_later_slots)
{
    static const struct { int64_t sent[4]; uint32_t n; int64_t at, used; } cases[] = {
        {{0}, 0, 100, 0},           {{100}, 1, 100, 1},       {{91}, 1, 100, 1},
        {{90}, 1, 100, 0},          {{109}, 1, 100, 1},       {{110}, 1, 100, 0},
        {{95, 104}, 2, 100, 2},     {{91, 101}, 2, 100, 1},   {{92, 101}, 2, 100, 2},
        {{91, 92, 100, 109}, 4, 100, 3}, {{80, 85, 120, 125}, 4, 100, 0},
    };
    struct play pl;
    play_init(&pl, PING " }\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        pl.st->sent.n = 0;
        for (uint32_t k = 0; k < cases[i].n; k++)
            SC_VEC_PUSH(&pl.ar, &pl.st->sent,
                        ((struct sc_sent){.at_ms = cases[i].sent[k], .counts = true}));
        struct sc_cap cap = {.channels = UINT32_MAX, .stages = UINT64_MAX,
                             .tags = UINT64_MAX, .max = 2, .per_ms = 10};
        struct sc_run rn = {.jo = &pl.jo, .st = pl.st, .decision_ms = cases[i].at};
        int64_t used;
        bool allowed = sc_cap_ask(&rn, &cap, 0, 0, &used) == SC_CAP_ALLOWS;
        cr_expect_eq(used, cases[i].used, "case %zu: %lld", i, (long long)used);
        cr_expect_eq(allowed, cases[i].used < 2);
    }
    play_fini(&pl);
}

Test(guard, calendar_caps_in_the_customer_s_zone)
{
    PLAY(PING " }\nguardrails:\n"
              "  caps: [ { channels: '*', max: 1, calendar: day, timezone: customer } ]\n",
         "03-02 09:00 preferred timezone=America/New_York\n"
         "03-03 03:00 first_use\n03-03 04:59 first_use\n03-03 05:00 first_use\n", /* midnight there */
         "03-03 03:00 trigger ping sms\n03-03 04:59 suppressed ping CAP_REACHED\n"
         "03-03 05:00 trigger ping sms\n");
    PLAY(PING " }\nguardrails: { caps: [ { channels: '*', max: 1, calendar: week } ] }\n",
         "03-02 00:00 first_use\n03-08 23:59 first_use\n03-09 00:00 first_use\n", /* Mondays */
         "03-02 00:00 trigger ping sms\n03-08 23:59 suppressed ping CAP_REACHED\n"
         "03-09 00:00 trigger ping sms\n");
    PLAY(PING " }\nguardrails: { caps: [ { channels: '*', max: 1, calendar: month } ] }\n",
         "03-01 00:00 first_use\n03-31 23:59 first_use\n04-01 00:00 first_use\n",
         "03-01 00:00 trigger ping sms\n03-31 23:59 suppressed ping CAP_REACHED\n"
         "04-01 00:00 trigger ping sms\n");
}

Test(guard, flags_of_caps)
{
    PLAY(HERE "triggers:\n"
              "  - { name: free, when: 'event.name == \"first_use\"', channels: [sms],\n"
              "      ignores_caps: true, counts_toward_caps: true }\n"
              "  - { name: quiet, when: 'event.name == \"app_crashed\"', channels: [sms],\n"
              "      counts_toward_caps: false }\n"
              "guardrails: { caps: [ { channels: '*', max: 1, per: 1d } ] }\n",
         "03-02 10:00 app_crashed\n03-02 11:00 first_use\n03-02 12:00 first_use\n03-02 13:00 app_crashed\n",
         "03-02 10:00 trigger quiet sms\n03-02 11:00 trigger free sms\n"
         "03-02 12:00 trigger free sms\n03-02 13:00 suppressed quiet CAP_REACHED\n");
}

Test(guard, the_customer_s_own_frequency)
{
    PLAY(PING " }\n",
         "03-02 09:00 preferred frequency=2\n03-02 10:00 first_use\n03-03 10:00 first_use\n"
         "03-09 09:59 first_use\n03-09 10:00 first_use\n",
         "03-02 10:00 trigger ping sms\n03-03 10:00 trigger ping sms\n"
         "03-09 09:59 suppressed ping CAP_REACHED\n03-09 10:00 trigger ping sms\n");
}

Test(guard, consent_by_event_time)
{
    static const char marketing[] = PING ", purpose: marketing }\n";
    PLAY(marketing, "03-02 10:00 first_use\n03-02 11:00 consented purpose=marketing granted=true\n"
                    "03-02 12:00 first_use\n03-02 13:00 consented purpose=marketing granted=false\n"
                    "03-02 14:00 first_use\n",
         "03-02 10:00 suppressed ping CONSENT\n03-02 12:00 trigger ping sms\n"
         "03-02 14:00 suppressed ping CONSENT\n");
    PLAY(marketing, /* an older word that comes later changes nothing; at a tie withdrawal stands */
         "03-02 11:00 consented purpose=marketing granted=false\n"
         "03-02 10:00 consented purpose=marketing granted=true\n"
         "03-02 11:00 consented purpose=marketing granted=true\n03-02 12:00 first_use\n",
         "03-02 12:00 suppressed ping CONSENT\n");
    PLAY(marketing, /* withdrawn for everything, then granted anew */
         "03-02 10:00 consented purpose=marketing granted=true\n"
         "03-02 11:00 consented purpose=* granted=false\n03-02 12:00 first_use\n"
         "03-02 13:00 consented purpose=marketing granted=true\n03-02 14:00 first_use\n",
         "03-02 12:00 suppressed ping CONSENT\n03-02 14:00 trigger ping sms\n");
    PLAY(PING ", purpose: [marketing, profiling] }\n",
         "03-02 10:00 consented purpose=marketing granted=true\n03-02 12:00 first_use\n",
         "03-02 12:00 suppressed ping CONSENT\n");
    PLAY(marketing, /* what it says of a time to come cannot be: a withdrawal after it counts */
         "03-02 10:00 consented purpose=marketing granted=true at=2031-01-01T00:00:00Z\n"
         "03-02 10:30 first_use\n03-02 11:00 consented purpose=marketing granted=false\n"
         "03-02 12:00 first_use\n",
         "03-02 10:30 trigger ping sms\n03-02 12:00 suppressed ping CONSENT\n");
    PLAY(marketing, /* but of an earlier one */
         "03-02 11:00 consented purpose=marketing granted=false\n"
         "03-02 12:00 consented purpose=marketing granted=true at=2026-03-02T10:00:00Z\n"
         "03-02 13:00 first_use\n",
         "03-02 13:00 suppressed ping CONSENT\n");
}

/* A state has to be written and read whatever a source sends. */
Test(guard, words_that_are_too_long_are_not_taken)
{
    struct play pl;
    play_init(&pl, PING " }\n");
    char *most = memset(sc_arena_alloc(&pl.ar, SC_EVENT_ID_BYTES_MAX + 2), 'x',
                        SC_EVENT_ID_BYTES_MAX);
    for (int more = 0; more < 2; more++) {
        size_t n = SC_EVENT_ID_BYTES_MAX + (size_t)more;
        most[n - 1] = 'x';
        most[n] = '\0';
        play_script(&pl, sc_arena_printf(&pl.ar, "03-02 10:0%d consented purpose=%s granted=true",
                                         more, most));
        cr_expect_eq(pl.st->consents.n, 1);
        play_script(&pl, sc_arena_printf(&pl.ar, "03-02 10:1%d preferred channel=%s timezone=%s",
                                         more, most, most));
        cr_expect_eq(pl.st->channel.text.len, (size_t)SC_EVENT_ID_BYTES_MAX);
        cr_expect_eq(pl.st->timezone.text.len, (size_t)SC_EVENT_ID_BYTES_MAX);
    }
    play_script(&pl, sc_arena_printf(&pl.ar, "03-02 10:20 consented purpose=a granted=true "
                                             "evidence=%s id=e", most));
    cr_expect(sc_str_eqz(pl.st->consents.v[1].evidence, "e"), "the event says it as well");
    play_fini(&pl);
}

Test(guard, consents_are_bounded_and_a_withdrawal_is_kept)
{
    struct play pl;
    play_init(&pl, PING " }\n");
    play_script(&pl, "03-02 09:00 consented purpose=first granted=false\n");
    for (int i = 0; i < SC_CONSENTS_MAX + 3; i++) {
        struct sc_str text = sc_str_printf(&pl.ar, "03-02 10:%02d consented purpose=p%d granted=true",
                                           i % 60, i);
        play_script(&pl, text.p);
    }
    cr_expect_eq(pl.st->consents.n, SC_CONSENTS_MAX);
    cr_expect_eq(sc_consent_of(pl.st, SC_STR("first")), SC_CONSENT_WITHDRAWN);
    cr_expect_eq(sc_consent_of(pl.st, SC_STR("p66")), SC_CONSENT_GRANTED);
    cr_expect_eq(sc_consent_of(pl.st, SC_STR("p0")), SC_CONSENT_UNKNOWN, "the oldest grant went");
    play_fini(&pl);
}

Test(guard, service_passes_all_but_its_own_withdrawal)
{
    static const char service[] = PING ", purpose: service }\n"
                                       "guardrails:\n"
                                       "  caps: [ { channels: '*', max: 1, per: 1d } ]\n"
                                       "  quiet_hours: { from: '00:00', to: '23:59', timezone: UTC }\n"
                                       "  hold_while: [ 'open(\"support_case\")' ]\n";
    PLAY(service, "03-02 09:00 case_opened case_id=1\n03-02 10:00 first_use\n03-02 11:00 first_use\n"
                  "03-02 12:00 consented purpose=service granted=false\n03-02 13:00 first_use\n",
         "03-02 10:00 trigger ping sms\n03-02 11:00 trigger ping sms\n"
         "03-02 13:00 suppressed ping CONSENT\n");
}

Test(guard, snooze_hold_and_ambiguity)
{
    PLAY(PING " }\n",
         "03-02 09:00 snoozed until=2026-03-02T12:00:00Z\n03-02 11:59 first_use\n03-02 12:00 first_use\n",
         "03-02 11:59 suppressed ping SNOOZED\n03-02 12:00 trigger ping sms\n");
    PLAY(PING " }\nguardrails: { hold_while: [ 'open(\"support_case\")' ] }\n",
         "03-02 09:00 case_opened case_id=1\n03-02 10:00 first_use\n03-02 11:00 case_closed case_id=1\n"
         "03-02 12:00 first_use\n",
         "03-02 10:00 suppressed ping HOLD\n03-02 12:00 trigger ping sms\n");
    struct play pl;
    play_init(&pl, PING " }\nguardrails: { ambiguous: hold }\n");
    pl.st->ambiguous = true;
    cr_expect_str_eq(play_script(&pl, "03-02 10:00 first_use\n"),
                     "03-02 10:00 suppressed ping AMBIGUOUS_IDENTITY\n");
    play_fini(&pl);
}

Test(guard, channels_by_stage_preference_and_consent)
{
    static const char staged[] =
        "stages:\n"
        "  - { name: a, initial: true }\n"
        "  - { name: b, when: 'event.name == \"order_completed\"' }\n"
        "triggers:\n"
        "  - { name: ping, when: 'event.name == \"first_use\"', channels: [sms, email] }\n"
        "channels: { sms: { stages: [b] }, email: {} }\n";
    PLAY(staged, "03-02 10:00 first_use\n03-02 11:00 order_completed\n03-02 12:00 first_use\n"
                 "03-02 13:00 preferred channel=email\n03-02 14:00 first_use\n"
                 "03-02 15:00 preferred channel=whatsapp\n03-02 16:00 first_use\n"
                 "03-02 17:00 consented purpose=sms granted=false\n03-02 18:00 first_use\n",
         "03-02 10:00 trigger ping email\n03-02 11:00 transition b a>b rule\n"
         "03-02 12:00 trigger ping sms\n03-02 14:00 trigger ping email\n"
         "03-02 16:00 trigger ping sms\n03-02 18:00 trigger ping email\n");
    PLAY("stages: [ { name: a, initial: true }, { name: b, when: 'event.name == \"order_completed\"' } ]\n"
         "triggers: [ { name: ping, when: 'event.name == \"first_use\"', channels: [sms] } ]\n"
         "channels: { sms: { stages: [b] } }\n",
         "03-02 10:00 first_use\n", "03-02 10:00 suppressed ping NO_CHANNEL\n");
}

Test(guard, whatsapp_says_when_only_a_template_is_allowed)
{
    struct play pl;
    play_init(&pl, HERE "triggers: [ { name: ping, when: 'event.name == \"first_use\"',\n"
                        "  channels: [whatsapp] } ]\nchannels: { whatsapp: {} }\n");
    play_script(&pl, "03-02 09:00 first_use\n03-02 10:00 messaged\n03-03 09:59 first_use\n"
                     "03-03 10:00 first_use\n");
    cr_assert_eq(pl.fx.items.n, 3);
    cr_expect(pl.fx.items.v[0].template_only);
    cr_expect(!pl.fx.items.v[1].template_only);
    cr_expect(pl.fx.items.v[2].template_only);
    play_fini(&pl);
}

#define NIGHT                                                                                      \
    " }\nguardrails: { quiet_hours: { from: '21:00', to: '09:00', timezone: customer.timezone,\n"  \
    "    otherwise: Europe/Oslo, then: defer } }\n"

Test(guard, quiet_hours_defer_to_the_morning)
{
    PLAY(PING NIGHT, "03-02 19:59 first_use\n03-02 20:00 first_use\n03-03 07:59 first_use\n03-03 09:00\n",
         "03-02 19:59 trigger ping sms\n"
         "03-02 20:00 deferred ping QUIET_HOURS until 03-03 08:00\n"
         "03-03 07:59 deferred ping QUIET_HOURS until 03-03 08:00\n"
         "03-03 08:00 trigger ping sms\n03-03 08:00 trigger ping sms\n");
}

Test(guard, quiet_hours_across_daylight_saving)
{
    /* 2026-03-29 01:00Z: Oslo goes from +1 to +2; 2026-10-25 01:00Z: back. */
    PLAY(PING NIGHT, "03-28 21:00 first_use\n03-29 06:59\n03-29 07:00\n",
         "03-28 21:00 deferred ping QUIET_HOURS until 03-29 07:00\n03-29 07:00 trigger ping sms\n");
    PLAY(PING NIGHT, "10-24 21:00 first_use\n10-25 09:00\n",
         "10-24 21:00 deferred ping QUIET_HOURS until 10-25 08:00\n10-25 08:00 trigger ping sms\n");
    /* An end that does not exist is the next instant that does; one that comes twice, the first. */
    PLAY(PING " }\nguardrails: { quiet_hours: { from: '21:00', to: '02:30', timezone: Europe/Oslo } }\n",
         "03-28 23:00 first_use\n03-29 02:00\n10-24 23:00 first_use\n10-25 00:45 first_use\n10-25 02:00\n",
         "03-28 23:00 deferred ping QUIET_HOURS until 03-29 01:00\n03-29 01:00 trigger ping sms\n"
         "10-24 23:00 deferred ping QUIET_HOURS until 10-25 00:30\n10-25 00:30 trigger ping sms\n"
         "10-25 00:45 trigger ping sms\n");
}

Test(guard, the_zone_chain)
{
    PLAY(PING NIGHT, "03-02 10:00 preferred timezone=Asia/Tokyo\n03-02 12:00 first_use\n03-03 00:00\n",
         "03-02 12:00 deferred ping QUIET_HOURS until 03-03 00:00\n03-03 00:00 trigger ping sms\n");
    PLAY(PING NIGHT, "03-02 10:00 preferred timezone=Not/AZone\n03-02 12:00 first_use\n",
         "03-02 12:00 trigger ping sms\n");
    PLAY(PING " }\nguardrails: { quiet_hours: { from: '21:00', to: '09:00', timezone: customer } }\n",
         "03-02 12:00 first_use\n03-05 12:00\n", "03-02 12:00 suppressed ping QUIET_HOURS\n");
}

Test(guard, release_checks_again)
{
    PLAY(PING ", purpose: marketing" NIGHT,
         "03-02 10:00 consented purpose=marketing granted=true\n03-02 22:00 first_use\n"
         "03-02 23:00 consented purpose=marketing granted=false\n03-03 10:00\n",
         "03-02 22:00 deferred ping QUIET_HOURS until 03-03 08:00\n"
         "03-03 08:00 suppressed ping CONSENT\n");
    PLAY(PING ", expires: 6h" NIGHT, "03-02 22:00 first_use\n03-03 10:00\n",
         "03-02 22:00 deferred ping QUIET_HOURS until 03-03 08:00\n"
         "03-03 08:00 suppressed ping EXPIRED\n");
    PLAY(PING ", expires: 10h" NIGHT, "03-02 22:00 first_use\n03-03 10:00\n",
         "03-02 22:00 deferred ping QUIET_HOURS until 03-03 08:00\n"
         "03-03 08:00 trigger ping sms\n");
    PLAY(PING ", unless: 'event.name == \"unsubscribed\"'" NIGHT,
         "03-02 22:00 first_use\n03-02 23:00 unsubscribed\n03-03 10:00\n",
         "03-02 22:00 deferred ping QUIET_HOURS until 03-03 08:00\n03-02 23:00 cancelled ping\n");
}

Test(guard, nothing_is_deferred_for_more_than_7_days)
{
    struct play pl;
    play_init(&pl, PING NIGHT);
    play_script(&pl, "03-02 22:00 first_use\n");
    cr_assert_eq(pl.st->timers.n, 1);
    /* Released at night, as when the zone has changed: it waits on, within its week. */
    pl.st->timers.v[0].due_ms = play_time(SC_STR("03-05 22:00"));
    cr_expect_str_eq(play_script(&pl, "03-05 22:00\n"),
                     "03-05 22:00 deferred ping QUIET_HOURS until 03-06 08:00\n");
    pl.st->timers.v[0].due_ms = play_time(SC_STR("03-09 21:59"));
    cr_expect_str_eq(play_script(&pl, "03-09 21:59\n"),
                     "03-09 21:59 suppressed ping EXPIRED\n");
    cr_expect_eq(pl.st->timers.n, 0);
    play_fini(&pl);
}

Test(guard, a_deferred_message_keeps_its_id)
{
    struct play pl;
    play_init(&pl, PING NIGHT);
    play_script(&pl, "03-02 22:00 first_use\n03-03 10:00\n");
    cr_assert_eq(pl.fx.items.n, 2);
    cr_expect_arr_eq(pl.fx.items.v[0].id, pl.fx.items.v[1].id, 16);
    play_fini(&pl);
}

Test(guard, what_is_sent_alone_has_the_context)
{
    struct play pl;
    play_init(&pl, PING ", context: { name: event.name }" NIGHT);
    play_script(&pl, "03-02 22:00 first_use\n03-03 10:00\n");
    cr_assert_eq(pl.fx.items.n, 2);
    cr_expect_eq(pl.fx.items.v[0].context.len, 0);
    cr_expect(sc_str_eqz(pl.fx.items.v[1].context, "{\"name\":\"first_use\"}"));
    play_fini(&pl);
}

Test(guard, fatigue_pauses_and_resumes)
{
    PLAY(PING " }\nguardrails: { fatigue: { half_life: 1d, add: { app_crashed: 2.0 }, pause_at: 4.0,\n"
              "    resume_at: 2.0 } }\n",
         "03-02 10:00 app_crashed\n03-02 10:00 first_use\n03-02 10:00 app_crashed\n"
         "03-02 10:00 first_use\n03-03 10:00 first_use\n03-03 10:01 first_use\n",
         "03-02 10:00 trigger ping sms\n03-02 10:00 suppressed ping FATIGUE\n"
         "03-03 10:00 suppressed ping FATIGUE\n03-03 10:01 trigger ping sms\n");
    PLAY(PING " }\nguardrails: { fatigue: { half_life: 1d, add: { 'trigger:*': 1.0 }, pause_at: 2.0,\n"
              "    resume_at: 2.0 } }\n",
         "03-02 10:00 first_use\n03-02 10:00 first_use\n03-02 10:00 first_use\n03-03 10:00 first_use\n",
         "03-02 10:00 trigger ping sms\n03-02 10:00 trigger ping sms\n"
         "03-02 10:00 suppressed ping FATIGUE\n03-03 10:00 trigger ping sms\n");
}

Test(guard, fatigue_does_not_depend_on_the_order)
{
    struct play pl;
    play_init(&pl, PING " }\nguardrails: { fatigue: { half_life: 1d, add: { app_crashed: 2.0 },\n"
                        "    pause_at: 40.0, resume_at: 20.0 } }\n");
    play_script(&pl, "03-02 10:00 app_crashed\n03-01 10:00 app_crashed\n");
    cr_expect_float_eq(sc_fatigue_at(&pl.jo, pl.st, play_time(SC_STR("03-03 10:00"))), 1.5, 1e-12);
    play_fini(&pl);
}

Test(guard, arbitration_lets_the_highest_go)
{
    static const char rivals[] =
        HERE "triggers:\n"
             "  - { name: low, when: 'event.name == \"first_use\"', channels: [sms], priority: 10 }\n"
             "  - { name: high, when: 'event.name == \"first_use\"', channels: [sms], priority: 90,\n"
             "      cooldown: 1h }\n"
             "  - { name: service, when: 'event.name == \"first_use\"', channels: [sms],\n"
             "      purpose: service, priority: 0 }\n";
    PLAY(rivals, "03-02 10:00 first_use\n",
         "03-02 10:00 trigger low sms\n03-02 10:00 trigger high sms\n03-02 10:00 trigger service sms\n");
    struct play pl;
    play_init(&pl, rivals);
    pl.jo.guard.arbitration_ms = 0;
    cr_expect_str_eq(play_script(&pl, "03-02 10:00 first_use\n03-02 10:30 first_use\n"),
                     "03-02 10:00 trigger high sms\n"
                     "03-02 10:00 suppressed low LOWER_PRIORITY\n"
                     "03-02 10:00 trigger service sms\n"
                     "03-02 10:30 suppressed high COOLDOWN\n"
                     "03-02 10:30 trigger low sms\n"
                     "03-02 10:30 trigger service sms\n");
    play_fini(&pl);
}

/* Each channel passed over is told with what closed it. */
Test(guard, the_channel_goes_by_stage_persona_preference_and_consent)
{
    struct play pl;
    play_init(&pl,
              "stages: [ { name: a }, { name: b, when: 'event.name == \"app_crashed\"' } ]\n"
              "personas: { buyer: 'seen(\"order_completed\")' }\n"
              "channels: { sms: { stages: [b] }, push: { personas: [buyer] }, email: {}, post: {} }\n"
              "triggers:\n"
              "  - { name: t, when: 'event.name == \"first_use\"', channels: [sms, push, email, post] }\n");
    cr_expect_str_eq(play_script(&pl, "03-02 10:00 consented purpose=email granted=false\n"
                                      "03-02 10:01 first_use\n"),
                     "03-02 10:01 trigger t post\n");
    cr_assert_geq(pl.fx.items.n, 1u);
    const struct sc_effect *fx = &pl.fx.items.v[0];
    cr_expect_eq(fx->n_gates, 0u, "gates are told of what is not sent");
    cr_expect_str_eq(play_script(&pl, "03-02 10:02 order_completed total=1\n03-02 10:03 first_use\n"
                                      "03-02 10:04 app_crashed\n03-02 10:05 first_use\n"
                                      "03-02 10:06 preferred channel=email\n03-02 10:07 first_use\n"),
                     "03-02 10:03 trigger t push\n03-02 10:04 transition b a>b rule\n"
                     "03-02 10:05 trigger t sms\n03-02 10:07 suppressed t NO_CHANNEL\n");
    fx = &pl.fx.items.v[pl.fx.items.n - 1];
    for (uint32_t i = 0; i < fx->n_gates; i++)
        if (fx->gates[i].gate == SC_REASON_NO_CHANNEL)
            cr_expect(sc_str_eqz(fx->gates[i].text,
                                 "4 offered, sms closed by preference, push closed by preference, "
                                 "email closed by consent, post closed by preference"),
                      "%.*s", SC_STR_FMT(fx->gates[i].text));
    play_fini(&pl);
}

Test(guard, caps_by_tag_count_their_own)
{
    PLAY(HERE "triggers:\n"
              "  - { name: a, when: 'event.name == \"first_use\"', channels: [sms], tags: [promo, x] }\n"
              "  - { name: b, when: 'event.name == \"app_crashed\"', channels: [sms], tags: promo }\n"
              "  - { name: c, when: 'event.name == \"unsubscribed\"', channels: [sms] }\n"
              "guardrails: { caps: [ { tags: [promo], max: 1, per: 1h } ] }\n",
         "03-02 10:00 unsubscribed\n03-02 10:01 first_use\n03-02 10:02 app_crashed\n"
         "03-02 10:03 unsubscribed\n03-02 11:01 app_crashed\n",
         "03-02 10:00 trigger c sms\n03-02 10:01 trigger a sms\n03-02 10:02 suppressed b CAP_REACHED\n"
         "03-02 10:03 trigger c sms\n03-02 11:01 trigger b sms\n");
}

Test(guard, a_cap_about_other_messages_is_no_gate)
{
    struct play pl;
    play_init(&pl, "channels: { sms: {}, email: {} }\ntriggers:\n"
                   "  - { name: t, when: 'event.name == \"first_use\"', channels: [sms], "
                   "cooldown: 1h }\n"
                   "  - { name: u, when: 'event.name == \"app_crashed\"', channels: [email], "
                   "tags: promo }\n"
                   "guardrails: { caps: [ { channels: [email], max: 1, per: 1d }, "
                   "{ tags: [promo], max: 1, per: 1d }, { channels: '*', max: 9, per: 1d } ] }\n");
    play_script(&pl, "03-02 10:00 first_use\n03-02 10:30 first_use\n");
    cr_assert_eq(pl.fx.items.n, 2);
    const struct sc_effect *fx = &pl.fx.items.v[1];
    uint32_t caps = 0;
    for (uint32_t i = 0; i < fx->n_gates; i++) {
        if (fx->gates[i].gate != SC_REASON_CAP_REACHED)
            continue;
        caps++;
        cr_expect_eq(fx->gates[i].cap, 2, "%.*s", SC_STR_FMT(fx->gates[i].text));
    }
    cr_expect_eq(caps, 1u);
    play_fini(&pl);
}

Test(guard, every_gate_is_reported_and_the_first_wins)
{
    struct play pl;
    play_init(&pl, PING ", purpose: marketing, cooldown: 1h }\n"
                        "guardrails: { caps: [ { channels: '*', max: 1, per: 1d } ] }\n");
    play_script(&pl, "03-02 09:00 consented purpose=marketing granted=true\n03-02 10:00 first_use\n"
                     "03-02 10:10 consented purpose=marketing granted=false\n03-02 10:30 first_use\n");
    cr_assert_eq(pl.fx.items.n, 2);
    const struct sc_effect *fx = &pl.fx.items.v[1];
    cr_expect_eq(fx->reason, SC_REASON_COOLDOWN);
    uint32_t failed = 0;
    for (uint32_t i = 0; i < fx->n_gates; i++)
        failed |= fx->gates[i].passed ? 0 : 1u << fx->gates[i].gate;
    cr_expect_eq(failed, 1u << SC_REASON_COOLDOWN | 1u << SC_REASON_CONSENT |
                             1u << SC_REASON_CAP_REACHED);
    play_fini(&pl);
}
