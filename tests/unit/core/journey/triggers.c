/* Triggers: occurrences, edges, silences, exits, re-entry (semantics 14, 18, 22, 23, 25). */
#include "play.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define STAGE "stages: [ { name: here, initial: true } ]\n"
#define CART                                                                                       \
    STAGE "triggers:\n"                                                                            \
          "  - name: cart\n"                                                                       \
          "    start: 'event.name == \"cart_updated\" && event.value >= 20.0'\n"                   \
          "    after: 1h without [order_completed where event.total > 0.0, cart_emptied]\n"        \
          "    channels: [sms]\n"

Test(triggers, silence_fires_once_at_its_deadline)
{
    PLAY(CART, "03-02 10:00 cart_updated value=40\n03-02 12:00\n03-05 12:00\n",
         "03-02 11:00 trigger cart sms\n");
    PLAY(CART, "03-02 10:00 cart_updated value=40\n03-02 10:59\n", "");
    PLAY(CART, "03-02 10:00 cart_updated value=19\n03-02 12:00\n", "");
}

Test(triggers, a_start_moves_the_silence)
{
    PLAY(CART, "03-02 10:00 cart_updated value=40\n03-02 10:50 cart_updated value=30\n03-02 12:00\n",
         "03-02 11:50 trigger cart sms\n");
}

Test(triggers, an_exit_ends_it_and_only_as_written)
{
    PLAY(CART, "03-02 10:00 cart_updated value=40\n03-02 10:50 cart_emptied\n03-02 12:00\n", "");
    PLAY(CART, "03-02 10:00 cart_updated value=40\n03-02 10:50 order_completed total=0\n03-02 12:00\n",
         "03-02 11:00 trigger cart sms\n");
}

Test(triggers, an_event_at_the_deadline_is_outside)
{
    PLAY(CART, "03-02 10:00 cart_updated value=40\n03-02 11:00 cart_emptied\n",
         "03-02 11:00 trigger cart sms\n");
}

Test(triggers, a_ripe_timer_stays)
{
    struct play pl;
    play_init(&pl, CART);
    pl.hold_time = true; /* the deadline is behind the exit, and nobody has fired it yet */
    const char *got = play_script(&pl, "03-02 10:00 cart_updated value=40\n"
                                       "03-02 11:30 cart_emptied\n"
                                       "03-02 11:40 cart_updated value=50\n"
                                       "03-02 12:00\n");
    cr_expect_str_eq(got, "03-02 11:00 trigger cart sms\n");
    cr_expect_str_eq(play_script(&pl, "03-02 13:00\n"), "03-02 12:40 trigger cart sms\n");
    play_fini(&pl);
}

Test(triggers, order_of_arrival_does_not_matter)
{
    PLAY(CART, "03-02 10:30 cart_emptied\n03-02 10:00 cart_updated value=40\n03-02 12:00\n", "");
    PLAY(CART, "03-02 10:30 cart_updated value=40\n03-02 10:00 cart_updated value=50\n03-02 12:00\n",
         "03-02 11:30 trigger cart sms\n");
    PLAY(CART, "03-02 11:00 cart_emptied\n03-02 10:00 cart_updated value=40\n03-02 12:00\n",
         "03-02 11:00 trigger cart sms\n");
    PLAY(CART, "03-02 10:00 cart_emptied\n03-02 10:00 cart_updated value=40\n03-02 12:00\n", "");
}

Test(triggers, keys_are_apart)
{
    static const char keyed[] = CART "    key: event.cart_id\n";
    PLAY(keyed,
         "03-02 10:00 cart_updated cart_id=a value=40\n"
         "03-02 10:10 cart_updated cart_id=b value=40\n"
         "03-02 10:20 cart_emptied cart_id=b\n"
         "03-02 13:00\n",
         "03-02 11:00 trigger cart sms\n");
    PLAY(keyed,
         "03-02 10:00 cart_updated cart_id=a value=40\n"
         "03-02 10:20 cart_emptied cart_id=b\n"
         "03-02 10:30 cart_updated cart_id=b value=40\n"
         "03-02 13:00\n",
         "03-02 11:00 trigger cart sms\n03-02 11:30 trigger cart sms\n");
}

Test(triggers, at_most_25_keys_are_open)
{
    struct play pl;
    play_init(&pl, CART "    key: event.cart_id\n");
    for (int i = 0; i < 26; i++) {
        struct sc_str text = sc_str_printf(&pl.ar, "03-02 10:%02d cart_updated cart_id=c%d value=40",
                                           i, i);
        play_script(&pl, text.p);
    }
    cr_expect_eq(pl.counts.keys_evicted, 1);
    cr_expect_str_eq(play_filter(&pl, SC_FX_SUPPRESSED), "03-02 10:25 suppressed cart EXPIRED\n");
    cr_expect(sc_str_eqz(pl.fx.items.v[0].key, "c0"), "the oldest goes");
    play_fini(&pl);
}

/* A key is whatever the source sends. Of a long one a hash stands in state and message. */
Test(triggers, a_long_key_is_a_key_still)
{
    struct play pl;
    play_init(&pl, CART "    key: event.cart_id\n");
    char *key = memset(sc_arena_alloc(&pl.ar, 100001), 'x', 100000);
    key[100000] = '\0';
    play_script(&pl, sc_arena_printf(&pl.ar, "03-02 10:00 cart_updated cart_id=%s value=40", key));
    key[99999] = 'y';
    play_script(&pl, sc_arena_printf(&pl.ar, "03-02 10:01 cart_updated cart_id=%s value=40\n"
                                             "03-02 10:02 cart_emptied cart_id=%s\n"
                                             "03-02 11:30", key, key));
    cr_expect_str_eq(play_filter(&pl, SC_FX_TRIGGER), "03-02 11:00 trigger cart sms\n");
    cr_assert_eq(pl.fx.items.n, 1);
    cr_expect_eq(pl.fx.items.v[0].key.len, 32u, "%.*s", SC_STR_FMT(pl.fx.items.v[0].key));
    key[SC_EVENT_ID_BYTES_MAX] = '\0';
    play_script(&pl, sc_arena_printf(&pl.ar, "03-03 10:00 cart_updated cart_id=%s value=40\n"
                                             "03-03 11:30", key));
    cr_expect(sc_str_eqz(pl.fx.items.v[1].key, key), "as it is, up to the bound");
    play_fini(&pl);
}

Test(triggers, a_wrong_one_is_withdrawn_with_its_id)
{
    struct play pl;
    play_init(&pl, CART "    expires: 2h\n");
    play_script(&pl, "03-02 10:00 cart_updated value=40\n03-02 11:10\n");
    cr_assert_eq(pl.fx.items.n, 1);
    const char *got = play_script(&pl, "03-02 10:30 cart_emptied\n03-02 10:40 cart_emptied\n");
    cr_expect_str_eq(got, "03-02 11:10 cancelled cart\n");
    cr_expect_arr_eq(pl.fx.items.v[1].id, pl.fx.items.v[0].id, 16);
    cr_expect_eq(pl.fx.items.v[1].n_events, 2);
    play_fini(&pl);

    PLAY(CART "    expires: 2h\n", /* too late to take back */
         "03-02 10:00 cart_updated value=40\n03-02 13:00\n03-02 10:30 cart_emptied\n",
         "03-02 11:00 trigger cart sms\n");
    PLAY(CART, /* outside the silence */
         "03-02 10:00 cart_updated value=40\n03-02 13:00\n03-02 11:00 cart_emptied\n",
         "03-02 11:00 trigger cart sms\n");
}

Test(triggers, a_later_start_that_comes_late_withdraws_too)
{
    PLAY(CART, "03-02 10:00 cart_updated value=40\n03-02 11:10\n03-02 10:30 cart_updated value=30\n"
               "03-02 12:00\n",
         "03-02 11:00 trigger cart sms\n03-02 11:10 cancelled cart\n03-02 11:30 trigger cart sms\n");
}

Test(triggers, late_events_say_so_and_fire_nothing)
{
    PLAY(CART, "03-02 10:00 first_use\n03-01 09:59 cart_updated value=40\n"
               "03-01 09:59 cart_updated value=10\n03-02 12:00\n",
         "03-02 10:00 suppressed cart LATE\n");
    PLAY(CART, "03-02 10:00 first_use\n03-01 10:00 cart_updated value=40\n03-02 12:00\n",
         "03-01 11:00 trigger cart sms\n");
}

Test(triggers, twenty_eight_days)
{
    static const char winback[] =
        STAGE "triggers:\n"
              "  - { name: winback, start: 'event.name == \"order_completed\"',\n"
              "      after: '28d without [order_completed]', channels: [email] }\n";
    PLAY(winback, "03-02 10:00 order_completed total=5\n03-20 08:30 order_completed total=5\n"
                  "04-17 08:29\n04-17 08:31\n06-01 00:00\n",
         "04-17 08:30 trigger winback email\n");
    PLAY(winback, "03-02 10:00 order_completed total=5\n03-30 10:00 order_completed total=5\n",
         "03-30 10:00 trigger winback email\n");
}

Test(triggers, an_edge_fires_when_it_becomes_true)
{
    static const char third[] =
        STAGE "triggers:\n"
              "  - { name: third, when: 'count(\"order_completed\", \"2d\") >= 3', channels: [email] }\n";
    PLAY(third,
         "03-02 10:00 order_completed total=1\n03-02 11:00 order_completed total=1\n"
         "03-02 12:00 order_completed total=1\n03-02 13:00 order_completed total=1\n"
         "03-10 10:00 order_completed total=1\n03-10 11:00 order_completed total=1\n"
         "03-10 12:00 order_completed total=1\n",
         "03-02 12:00 trigger third email\n03-10 12:00 trigger third email\n");
}

/* What comes far behind a window's newest event is in no window any more, but its own. */
#define BEHIND(when)                                                                               \
    "facts:\n"                                                                                     \
    "  n: count(\"product_viewed\", \"1h\")\n"                                                     \
    "  ids: distinct(\"product_viewed\", \"product_id\", \"1h\")\n"                                \
    "  paid: sum(\"order_completed\", \"total\", \"1h\")\n"                                        \
    "  today: count(\"product_viewed\", \"calendar day UTC\")\n" STAGE                             \
    "triggers: [ { name: t, channels: [sms], when: '" when "' } ]\n"

Test(triggers, an_event_behind_a_window_counts_in_its_own)
{
    static const char views[] = "03-02 15:00 product_viewed product_id=x\n"
                                "03-02 15:30 first_use\n"
                                "03-02 10:00 product_viewed product_id=x\n";
    static const char orders[] = "03-02 15:00 order_completed total=9\n"
                                 "03-02 15:30 first_use\n"
                                 "03-02 10:00 order_completed total=7\n";
    static const char fires[] = "03-02 15:30 trigger t sms\n";
    static const char twice[] = "03-02 15:00 trigger t sms\n03-02 15:30 trigger t sms\n";
#define VIEWED "event.name == \"product_viewed\" && "
    PLAY(BEHIND(VIEWED "n >= 1"), views, twice);
    PLAY(BEHIND(VIEWED "n == 0"), views, "");
    PLAY(BEHIND(VIEWED "n == 1 && ids == 1"), views, twice);
    PLAY(BEHIND("paid == 7.0"), orders, fires); /* an edge: 0 without it */
    PLAY(BEHIND("event.name == \"order_completed\" && paid == 7.0"), orders, fires);
    /* the value was seen later too, inside the hour */
    PLAY(BEHIND(VIEWED "ids == 1"),
         "03-02 15:00 product_viewed product_id=x\n03-02 14:30 product_viewed product_id=x\n",
         "03-02 15:00 trigger t sms\n03-02 15:00 trigger t sms\n");
    /* also one that is late, and none of them any longer than its step */
    PLAY(BEHIND(VIEWED "n >= 1 && ids >= 1 && today == 1"),
         "03-04 15:00 product_viewed product_id=x\n03-02 10:00 product_viewed product_id=x\n"
         "03-02 10:30 first_use\n",
         "03-04 15:00 trigger t sms\n03-04 15:00 suppressed t LATE\n");
    PLAY(BEHIND("event.name == \"first_use\" && n >= 1"),
         "03-02 15:00 product_viewed\n03-02 10:00 product_viewed\n03-02 10:30 first_use\n", "");
}

Test(triggers, unless_ends_at_once)
{
    static const char unless[] = CART "    unless: 'event.name == \"unsubscribed\"'\n";
    PLAY(unless, "03-02 10:00 cart_updated value=40\n03-02 10:30 unsubscribed\n03-02 12:00\n", "");
    static const char sum[] = CART "    unless: 'sum(\"order_completed\", \"total\") > 100.0'\n";
    PLAY(sum, "03-02 09:00 order_completed total=200\n03-02 10:00 cart_updated value=40\n03-02 12:00\n",
         "");
}

Test(triggers, unless_goes_by_key)
{
    static const char keyed[] =
        STAGE "triggers:\n"
              "  - name: cart\n"
              "    start: event.name == \"cart_updated\"\n"
              "    after: 1h\n"
              "    unless: event.name == \"product_viewed\" || event.name == \"order_completed\"\n"
              "    key: event.cart_id\n"
              "    channels: [sms]\n";
    PLAY(keyed,
         "03-02 10:00 cart_updated cart_id=a value=40\n"
         "03-02 10:00 order_completed cart_id=b total=0\n"
         "03-02 10:10 order_completed cart_id=b total=0\n"
         "03-02 10:20 cart_updated cart_id=b value=40\n"
         "03-02 10:30 order_completed cart_id=b total=0\n"
         "03-02 13:00\n",
         "03-02 11:00 trigger cart sms\n");
    /* what has no key of its own ends them all */
    PLAY(keyed,
         "03-02 10:00 cart_updated cart_id=a value=40\n"
         "03-02 10:10 product_viewed product_id=p\n"
         "03-02 10:20 cart_updated cart_id=b value=40\n"
         "03-02 10:30 order_completed total=0\n"
         "03-02 13:00\n",
         "");
}

Test(triggers, reentry)
{
    static const char script[] = "03-02 10:00 cart_updated value=40\n03-03 10:00 cart_updated value=40\n"
                                 "03-04 10:00 cart_emptied\n03-05 10:00 cart_updated value=40\n"
                                 "03-06 10:00\n";
    PLAY(CART "    reentry: once\n", script, "03-02 11:00 trigger cart sms\n");
    PLAY(CART "    reentry: after exit\n", script,
         "03-02 11:00 trigger cart sms\n03-05 11:00 trigger cart sms\n");
    PLAY(CART, script,
         "03-02 11:00 trigger cart sms\n03-03 11:00 trigger cart sms\n03-05 11:00 trigger cart sms\n");
}

Test(triggers, the_id_is_the_occurrence_s)
{
    struct play a, b;
    play_init(&a, CART "    key: event.cart_id\n");
    play_init(&b, CART "    key: event.cart_id\n");
    play_script(&a, "03-02 10:00 cart_updated id=x cart_id=a value=40\n03-02 12:00\n");
    play_script(&b, "03-02 09:00 first_use\n03-02 10:00 cart_updated id=x cart_id=a value=40\n"
                    "03-02 15:00\n03-02 16:00 cart_updated id=x2 cart_id=a value=40\n03-02 18:00\n");
    cr_assert_eq(a.fx.items.n, 1);
    cr_assert_eq(b.fx.items.n, 2);
    cr_expect_arr_eq(a.fx.items.v[0].id, b.fx.items.v[0].id, 16);
    cr_expect_arr_neq(a.fx.items.v[0].id, b.fx.items.v[1].id, 16);
    play_fini(&a);
    play_fini(&b);
}

Test(triggers, context_is_what_the_start_saw)
{
    struct play pl;
    play_init(&pl, CART "    context: { cart: event.cart_id, n: 'count(\"cart_updated\")' }\n");
    play_script(&pl, "03-02 10:00 cart_updated cart_id=a value=40\n"
                     "03-02 10:10 cart_updated cart_id=b value=10\n03-02 12:00\n");
    cr_assert_eq(pl.fx.items.n, 1);
    struct sc_str context = pl.fx.items.v[0].context;
    cr_expect(sc_str_eqz(context, "{\"cart\":\"a\",\"n\":1}"), "%.*s", SC_STR_FMT(context));
    play_fini(&pl);
}

Test(triggers, a_context_over_32_kib_is_left_out_and_counted)
{
    for (size_t over = 0; over < 2; over++) {
        struct play pl;
        play_init(&pl, CART "    context: { cart: event.cart_id }\n");
        size_t len = 32768 - strlen("{\"cart\":\"\"}") + over;
        char *script = sc_arena_alloc(&pl.ar, len + 100);
        int n = sprintf(script, "03-02 10:00 cart_updated value=40 cart_id=");
        memset(script + n, 'a', len);
        strcpy(script + n + len, "\n03-02 12:00\n");
        play_script(&pl, script);
        cr_assert_eq(pl.fx.items.n, 1, "the message itself goes out");
        cr_expect_eq(pl.fx.items.v[0].context.len, over ? 0 : 32768);
        cr_expect_eq(pl.counts.contexts_cut, over);
        play_fini(&pl);
    }
}
