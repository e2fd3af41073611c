/* Time: two clocks, timers, waiting for order, dedupe, forgetting (semantics 8b, 13, 16, 35). */
#include "play.h"

#include "core/journey/run.h"
#include <criterion/criterion.h>

#define HERE "stages: [ { name: here, initial: true } ]\n"
#define PING HERE "triggers: [ { name: ping, when: 'event.name == \"first_use\"', channels: [sms] } ]\n"
#define CART                                                                                       \
    HERE "triggers:\n"                                                                             \
         "  - { name: cart, start: 'event.name == \"cart_updated\"',\n"                              \
         "      after: '1h without [cart_emptied]', channels: [sms] }\n"

Test(moments, decision_of_an_event)
{
    struct sc_moment event = {.watermark_ms = 100, .append_ms = 500, .event_clock = true};
    cr_expect_eq(sc_decision_ms(&event, 90), 100);
    cr_expect_eq(sc_decision_ms(&event, 110), 110);
    event.watermark_ms = SC_NEVER;
    cr_expect_eq(sc_decision_ms(&event, 90), 90);
    event.event_clock = false;
    cr_expect_eq(sc_decision_ms(&event, 90), 500);
}

Test(moments, decision_of_a_timer_and_its_tag)
{
    struct sc_moment now = {.watermark_ms = 0, .append_ms = 1000 + 5 * SC_MINUTE_MS};
    bool tagged;
    cr_expect_eq(sc_decision_timer_ms(&now, 1000, &tagged), 1000);
    cr_expect(!tagged);
    cr_expect_eq(sc_decision_timer_ms(&now, 999, &tagged), now.append_ms);
    cr_expect(tagged);
    now.event_clock = true;
    cr_expect_eq(sc_decision_timer_ms(&now, 999, &tagged), 999);
    cr_expect(!tagged);
}

Test(moments, a_timer_handled_late_says_so_and_may_expire)
{
    struct play pl;
    play_init(&pl, CART);
    pl.journal_clock = true;
    play_script(&pl, "03-02 10:00 cart_updated\n03-02 11:30\n");
    cr_assert_eq(pl.fx.items.n, 1);
    cr_expect(pl.fx.items.v[0].tagged_late);
    cr_expect_eq(pl.fx.items.v[0].at_ms, play_time(SC_STR("03-02 11:30")));
    play_fini(&pl);
}

Test(moments, no_watermark_no_timer)
{
    struct play pl;
    play_init(&pl, CART);
    pl.hold_time = true;
    play_script(&pl, "03-02 10:00 cart_updated\n");
    cr_expect_eq(pl.st->due_ms, play_time(SC_STR("03-02 11:00")));
    struct sc_input in = {.kind = SC_IN_TIMERS, .timers_max = 10,
                          .now = {.watermark_ms = SC_NEVER, .event_clock = true}};
    struct sc_effects fx;
    sc_effects_init(&fx, &pl.ar);
    sc_journey_step(&pl.jo, pl.st, &in, &fx);
    cr_expect_eq(fx.items.n, 0);
    play_fini(&pl);
}

Test(moments, at_most_so_many_timers_a_call)
{
    struct play pl;
    play_init(&pl, CART);
    pl.hold_time = true;
    play_script(&pl, "03-02 10:00 cart_updated\n03-02 12:00 cart_updated\n03-02 14:00 cart_updated\n");
    struct sc_input in = {.kind = SC_IN_TIMERS, .timers_max = 2,
                          .now = {.watermark_ms = play_time(SC_STR("03-02 20:00")),
                                  .event_clock = true}};
    struct sc_effects fx;
    sc_effects_init(&fx, &pl.ar);
    sc_journey_step(&pl.jo, pl.st, &in, &fx);
    cr_expect_eq(fx.items.n, 2);
    cr_expect_eq(pl.st->due_ms, play_time(SC_STR("03-02 15:00")));
    sc_journey_step(&pl.jo, pl.st, &in, &fx);
    cr_expect_eq(fx.items.n, 3);
    cr_expect_eq(pl.st->due_ms, SC_NO_DUE);
    play_fini(&pl);
}

Test(moments, copies_are_dropped_clashes_kept_under_a_new_id)
{
    struct play pl;
    play_init(&pl, HERE "facts: { n: 'count(\"product_viewed\")' }\nmilestones: { third: 'n >= 3' }\n");
    play_script(&pl, "03-02 10:00 product_viewed id=a product_id=x\n"
                     "03-02 10:01 product_viewed id=a product_id=x\n"
                     "03-02 10:02 product_viewed id=a product_id=y\n"
                     "03-02 10:03 product_viewed id=a product_id=y\n"
                     "03-02 10:04 product_viewed id=b product_id=x\n");
    cr_expect_eq(pl.counts.duplicates, 2);
    cr_expect_eq(pl.counts.clashes, 1);
    cr_expect_eq(pl.counts.applied, 3);
    cr_assert_eq(pl.fx.items.n, 1);
    play_fini(&pl);
}

#define REORDER CART "reorder: 10m\n"

Test(moments, waiting_events_take_their_order)
{
    /* The same by any order of arrival within ten minutes. */
    static const char *const scripts[] = {
        "03-02 10:00 cart_updated id=a\n03-02 10:05 cart_emptied id=b\n03-02 10:08 cart_updated id=c\n",
        "03-02 10:08 cart_updated id=c\n03-02 10:05 cart_emptied id=b\n03-02 10:00 cart_updated id=a\n",
        "03-02 10:05 cart_emptied id=b\n03-02 10:00 cart_updated id=a\n03-02 10:08 cart_updated id=c\n",
    };
    for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
        struct play pl;
        play_init(&pl, REORDER);
        play_script(&pl, scripts[i]);
        cr_expect_eq(pl.st->waiting.n, 3);
        cr_expect_eq(pl.st->n_events, 0);
        cr_expect_str_eq(play_script(&pl, "03-02 10:18\n"), "");
        cr_expect_eq(pl.st->n_events, 3);
        cr_expect_str_eq(play_script(&pl, "03-02 11:17\n"), "", "timers wait as long");
        cr_expect_str_eq(play_script(&pl, "03-02 11:18\n"), "03-02 11:08 trigger cart sms\n");
        play_fini(&pl);
    }
}

Test(moments, a_timer_before_an_event_of_the_same_instant)
{
    struct play pl;
    play_init(&pl, REORDER);
    play_script(&pl, "03-02 10:00 cart_updated\n03-02 11:00 cart_emptied\n03-02 10:59 product_viewed\n");
    cr_expect_str_eq(play_script(&pl, "03-02 12:00\n"), "03-02 11:00 trigger cart sms\n");
    play_fini(&pl);
}

Test(moments, too_many_waiting_let_the_oldest_through)
{
    struct play pl;
    play_init(&pl, REORDER);
    pl.hold_time = true;
    for (int i = 0; i < SC_WAITING_MAX + 3; i++) {
        struct sc_str text = sc_str_printf(&pl.ar, "03-02 10:00:%02d first_use id=x%d", i % 60, i);
        play_script(&pl, text.p);
    }
    cr_expect_eq(pl.counts.reorder_early, 3);
    cr_expect_eq(pl.st->waiting.n, SC_WAITING_MAX);
    cr_expect_eq(pl.st->n_events, 3);
    play_fini(&pl);
}

Test(moments, too_much_waiting_lets_the_oldest_through)
{
    struct play pl;
    play_init(&pl, REORDER);
    pl.hold_time = true;
    char *id = sc_arena_alloc(&pl.ar, 100001);
    memset(id, 'c', 100000);
    id[100000] = '\0';
    for (int i = 0; i < 8; i++) {
        struct sc_str text = sc_str_printf(&pl.ar, "03-02 10:0%d cart_updated id=x%d cart_id=%s", i, i, id);
        play_script(&pl, text.p);
    }
    cr_expect_eq(pl.counts.reorder_early, 3, "%u", (unsigned)pl.counts.reorder_early);
    cr_expect_eq(pl.st->waiting.n, 5);
    cr_expect_eq(pl.st->n_events, 3);
    play_fini(&pl);
}

Test(moments, the_caller_may_have_put_them_in_order)
{
    struct play pl;
    play_init(&pl, PING "reorder: 10m\n");
    struct sc_event *ev = play_event(&pl, "first_use", 1000, "");
    struct sc_record rec;
    sc_route(ev, &pl.st->node, &rec);
    struct sc_input in = {.kind = SC_IN_RECORD, .rec = &rec,
                          .now = {.watermark_ms = 1000, .event_clock = true, .ordered = true}};
    struct sc_effects fx;
    sc_effects_init(&fx, &pl.ar);
    sc_journey_step(&pl.jo, pl.st, &in, &fx);
    cr_expect_eq(fx.items.n, 1);
    play_fini(&pl);
}

Test(moments, forgotten_is_forgotten)
{
    struct play pl;
    play_init(&pl, CART);
    play_script(&pl, "03-02 10:00 cart_updated\n03-02 10:30 forgotten\n03-02 12:00\n");
    cr_expect_eq(pl.st->kind, SC_STATE_ERASED);
    cr_expect_eq(pl.st->n_events, 0);
    cr_expect_eq(pl.st->timers.n, 0);
    cr_assert_eq(pl.fx.items.n, 1);
    cr_expect_eq(pl.fx.items.v[0].action, SC_ID_ERASE);
    play_script(&pl, "03-02 10:00 cart_updated\n03-02 10:30 first_use\n"); /* a replay */
    cr_expect_eq(pl.counts.erased, 2);
    cr_expect_eq(pl.st->kind, SC_STATE_ERASED);
    play_script(&pl, "03-02 12:30 first_use\n");
    cr_expect_eq(pl.st->kind, SC_STATE_ROOT);
    cr_expect_eq(pl.st->n_events, 1);
    play_script(&pl, "03-02 10:10 cart_updated\n");
    cr_expect_eq(pl.counts.erased, 3, "the new customer stands behind the erasure");
    play_fini(&pl);
}

Test(moments, what_waits_with_a_later_time_outlives_forgetting)
{
    struct play pl;
    play_init(&pl, REORDER);
    play_script(&pl, "03-02 10:00 first_use\n03-02 10:02 forgotten\n03-02 10:04 cart_updated\n"
                     "03-02 10:13\n");
    cr_expect_eq(pl.st->kind, SC_STATE_ROOT);
    cr_expect_eq(pl.st->waiting.n, 1);
    cr_expect_str_eq(play_script(&pl, "03-02 12:00\n"), "03-02 11:04 trigger cart sms\n");
    cr_expect_eq(pl.st->n_events, 1);
    cr_expect_eq(pl.st->erased_ms, play_time(SC_STR("03-02 10:02")));
    play_fini(&pl);
}

Test(moments, runs_of_breaks)
{
    static const struct { int64_t marks[6]; uint32_t n, runs; int64_t start; bool ended; } cases[] = {
        {{100}, 1, 1, 90, false},           /* 10 after: outside [90, 100) */
        {{99}, 1, 1, 90, true},
        {{89}, 1, 1, 90, false},
        {{90}, 1, 1, 90, true},             /* an exit at the start's own instant */
        {{95, 80}, 2, 2, 84, false},
        {{95, 80}, 2, 2, 86, true},
        {{80, 89, 98}, 3, 1, 85, true},
        {{80, 89, 98}, 3, 1, 97, true},
        {{80, 89, 98}, 3, 1, 99, false},
        {{80, 98, 89}, 3, 1, 70, false},
        {{80, 98, 89}, 3, 1, 71, true},
        {{0, 10, 20, 30, 15, 5}, 6, 2, 25, true},
    };
    struct play pl;
    play_init(&pl, CART);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        pl.st->breaks.n = 0;
        for (uint32_t k = 0; k < cases[i].n; k++) {
            int64_t ms = cases[i].marks[k];
            sc_breaks_add(pl.st, &(struct sc_break){SC_TIMER_SILENCE, 0, 0, ms, ms, true}, 10);
        }
        cr_expect_eq(pl.st->breaks.n, cases[i].runs, "case %zu: %u runs", i, pl.st->breaks.n);
        struct sc_break start = {SC_TIMER_SILENCE, 0, 0, cases[i].start, cases[i].start, false};
        cr_expect_eq(sc_breaks_end(pl.st, &start, 10), cases[i].ended, "case %zu", i);
    }
    int64_t after_ms = pl.jo.triggers[0].after_ms;
    sc_breaks_forget(&pl.jo, pl.st, 30 + after_ms);
    cr_expect_eq(pl.st->breaks.n, 1, "it ends whoever started up to `after` before it");
    sc_breaks_forget(&pl.jo, pl.st, 31 + after_ms);
    cr_expect_eq(pl.st->breaks.n, 0);
    for (int64_t i = 0; i < SC_BREAKS_MAX + 5; i++)
        sc_breaks_add(pl.st, &(struct sc_break){SC_TIMER_SILENCE, 0, 0, 100 * i, 100 * i, true}, 10);
    cr_expect_eq(pl.st->breaks.n, SC_BREAKS_MAX);
    cr_expect_eq(pl.st->breaks.v[0].first_ms, 500, "the oldest go");
    play_fini(&pl);
}

Test(moments, effects_as_json)
{
    struct play pl;
    play_init(&pl, HERE "triggers:\n"
                        "  - name: cart\n"
                        "    start: 'event.name == \"cart_updated\" && count(\"cart_updated\") >= 1'\n"
                        "    after: 1h without [cart_emptied]\n"
                        "    key: event.cart_id\n"
                        "    message: m1\n"
                        "    priority: 70\n"
                        "    purpose: service\n"
                        "    expires: 2h\n"
                        "    channels: [sms]\n"
                        "    context: { cart: event.cart_id }\n");
    play_script(&pl, "03-02 10:00 cart_updated cart_id=a\n03-02 12:00\n");
    cr_assert_eq(pl.fx.items.n, 1);
    memset(pl.fx.items.v[0].id, 0xab, 16);
    struct sc_buf out = {.ar = &pl.ar};
    sc_effect_json(&pl.jo, &pl.fx.items.v[0], &out);
    sc_buf_char(&out, '\0');
    cr_expect_str_eq(out.p,
                     "{\"type\":\"trigger\",\"at\":\"2026-03-02T11:00:00Z\","
                     "\"event_at\":\"2026-03-02T11:00:00Z\","
                     "\"customer\":\"f1010000000000000000000000000000\",\"stage\":\"here\","
                     "\"rule\":\"cart\",\"events\":[\"e1\"],"
                     "\"id\":\"abababababababababababababababab\",\"channel\":\"sms\","
                     "\"message\":\"m1\",\"purpose\":[\"service\"],\"priority\":70,\"key\":\"a\","
                     "\"expires\":\"2026-03-02T13:00:00Z\",\"context\":{\"cart\":\"a\"},"
                     "\"facts\":{\"count(\\\"cart_updated\\\")\":1}}");
    play_fini(&pl);
}

Test(moments, a_trace_a_reader_can_follow)
{
    struct play pl;
    struct sc_trace trace = {0};
    play_init(&pl, CART);
    pl.trace = &trace;
    play_script(&pl, "03-02 10:00 cart_updated cart_id=a value=80\n03-02 11:00\n");
    struct sc_buf out = {.ar = &pl.ar};
    for (uint32_t i = 0; i < trace.lines.n; i++)
        sc_buf_addf(&out, "%.*s\n", SC_STR_FMT(trace.lines.v[i]));
    sc_buf_char(&out, '\0');
    cr_expect_str_eq(out.p,
                     "[2026-03-02 10:00] cart_updated cart_id=\"a\" value=80\n"
                     "  rule    event.name == \"cart_updated\"                         -> match\n"
                     "  timer   cart                              due 2026-03-02 11:00\n"
                     "[2026-03-02 11:00] timer cart\n"
                     "  gate    AMBIGUOUS_IDENTITY                certain            -> passed\n"
                     "  gate    NO_CHANNEL                        1 offered          -> passed\n"
                     "  guard   cart                              by sms             -> sent\n");
    play_fini(&pl);
}

Test(moments, reasons_and_violations_have_names)
{
    for (int r = 0; r < SC_REASON_COUNT; r++) {
        cr_expect(strlen(sc_reason_name((enum sc_reason)r)) > 0);
        cr_expect((strlen(sc_reason_text((enum sc_reason)r)) > 0) == (r != SC_REASON_NONE));
    }
    cr_expect_str_eq(sc_reason_name(SC_REASON_QUIET_HOURS), "QUIET_HOURS");
    for (int v = SC_VIOLATION_NONE; v <= SC_VIOLATION_HOPS; v++)
        cr_expect(strlen(sc_violation_name((enum sc_violation)v)) > 0);
    cr_expect_str_eq(sc_violation_name(SC_VIOLATION_MUST_NOT), "must_not");
}
