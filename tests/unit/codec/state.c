/* The stored form: versions, alias and erased, a stage that is gone, the hard limit. Round trips of
 * random customers: tests/prop/state.c. */
#include "../../lib/states.h"
#include "codec/state_form.h"
#include "core/journey/load.h"

#include <criterion/criterion.h>

static struct shop sh;

static void setup(void)
{
    shop_init(&sh, states_journey);
}

static void teardown(void)
{
    shop_fini(&sh);
}

TestSuite(state, .init = setup, .fini = teardown);

static struct sc_state *back(const struct sc_state *st)
{
    return sc_state_decode(&sh.jo, st->node, shop_bytes(&sh, st), &sh.ar);
}

Test(state, one_never_seen_is_a_dozen_bytes)
{
    struct sc_state *st = sc_state_new(&sh.jo, shop_node(1, 1), &sh.ar);
    cr_assert_leq(shop_bytes(&sh, st).len, 12);
    struct sc_state *got = back(st);
    cr_assert(got->kind == SC_STATE_ROOT && got->stored && got->place[0].stage_ms == SC_NEVER);
    cr_assert(got->members.n == 1 && sc_node_eq(&got->members.v[0].node, &st->node));
    cr_assert(got->due_ms == SC_NO_DUE && got->erased_ms == SC_NEVER && got->place[0].lapsed_from == -1);
}

Test(state, a_newer_version_is_refused)
{
    struct sc_str a = shop_bytes(&sh, sc_state_new(&sh.jo, shop_node(1, 1), &sh.ar));
    char *newer = sc_arena_dup(&sh.ar, a.p, a.len);
    struct sc_state_peek peek;
    newer[0]++;
    struct sc_str in = {newer, a.len};
    cr_assert_null(sc_state_decode(&sh.jo, shop_node(1, 1), in, &sh.ar));
    cr_assert_not(sc_state_peek(in, &peek));
    cr_assert_null(sc_state_decode(&sh.jo, shop_node(1, 1), SC_STR_NULL, &sh.ar));
}

/* The head of a form as an earlier release wrote it; its sections follow. */
static struct sc_pen begin_old(struct sc_buf *old, uint8_t version, uint64_t sections,
                               int64_t base_ms)
{
    struct sc_pen w;
    sc_pen_open(&w, old);
    sc_pen_room(&w, 100);
    sc_pen_u8(&w, version);
    sc_pen_u8(&w, SC_STATE_ROOT);
    sc_pen_u64(&w, (uint64_t)SC_NO_DUE);
    sc_pen_var(&w, sections);
    sc_pen_int(&w, base_ms);
    return w;
}

/* Version 3: an id was the 64 bits of its hash, 32 of its content's, and seconds since the epoch. */
Test(state, wide_ids_are_read)
{
    struct sc_buf old = {.ar = &sh.ar};
    struct sc_pen w = begin_old(&old, SC_STATE_WIDE_SEEN, SC_SEC_BIT(SEEN), 0);
    sc_pen_var(&w, 2);
    sc_pen_u64(&w, UINT64_C(0x1122334455667788));
    sc_pen_u32(&w, 7);
    sc_pen_u32(&w, 1772445600);
    sc_pen_u64(&w, 9);
    sc_pen_u32(&w, 8);
    sc_pen_u32(&w, 1772445600 + 3600);
    sc_pen_close(&w);
    struct sc_state *st = sc_state_decode(&sh.jo, shop_node(1, 1), sc_buf_view(&old), &sh.ar);
    cr_assert_not_null(st);
    cr_assert_eq(st->seen.n, 2);
    const struct sc_seen *v = st->seen.v;
    cr_assert(v[0].id_low == 0x55667788 && v[0].id_high == 0x3344 && v[0].content == 7);
    cr_assert(v[0].age == 1800 && v[1].age == 0 && v[1].id_low == 9);
    cr_assert_eq(st->seen_last, (1772445600 + 3600) / 2);
    uint32_t evicted = 0;
    cr_assert_eq(sc_dedupe(st, UINT64_C(0x1122334455667788), 7, 0, &evicted), SC_DEDUPE_COPY);
    cr_assert_eq(back(st)->seen.n, 2, "and written as it is now");
}

/* Version 4: the ids stood behind the facts, and times counted from the newest event. */
Test(state, dedupe_in_its_order_is_read)
{
    struct sc_buf old = {.ar = &sh.ar};
    struct sc_pen w = begin_old(&old, SC_STATE_SEEN_BEHIND,
                                SC_SEC_BIT(LIFE) | SC_SEC_BIT(FATIGUE) | SC_SEC_BIT(SEEN), SHOP_START);
    sc_pen_var(&w, 1);
    sc_pen_ms(&w, SHOP_START, SHOP_START);
    sc_pen_ms(&w, SHOP_START, SHOP_START);
    sc_pen_raw(&w, &(double){2.5}, sizeof(double));
    sc_pen_ms(&w, SHOP_START, SHOP_START - SC_HOUR_MS);
    sc_pen_var(&w, 1);
    sc_pen_u32(&w, 77);
    sc_pen_raw(&w, &(struct sc_seen){.id_low = 5, .content = 6}, sizeof(struct sc_seen));
    sc_pen_close(&w);
    struct sc_state *st = sc_state_open(&sh.jo, shop_node(1, 1), sc_buf_view(&old), &sh.ar);
    cr_assert(st && sc_state_is_whole(st));
    cr_assert(st->seen.n == 1 && st->seen.v->id_low == 5 && st->seen_last == 77);
    st = back(st);
    cr_assert(st->n_events == 1 && st->last_ms == SHOP_START && st->seen.v->content == 6);
    cr_assert(st->fatigue == 2.5 && st->fatigue_ms == SHOP_START - SC_HOUR_MS);
}

Test(state, alias_and_erased_are_told_without_reading_all)
{
    struct sc_state *st = sc_state_new(&sh.jo, shop_node(1, 2), &sh.ar);
    struct sc_state_peek peek;
    st->kind = SC_STATE_ALIAS;
    st->parent = shop_node(1, 1);
    st->gen = 70000;
    cr_assert(sc_state_peek(shop_bytes(&sh, st), &peek) && peek.kind == SC_STATE_ALIAS);
    cr_assert(sc_node_eq(&peek.parent, &st->parent));
    cr_assert(back(st)->gen == 70000 && sc_node_eq(&back(st)->parent, &st->parent));
    st->kind = SC_STATE_ERASED;
    st->erased_ms = SHOP_START;
    cr_assert_eq(back(st)->erased_ms, SHOP_START);
}

Test(state, everything_of_members_and_word)
{
    struct sc_state *st = sc_state_new(&sh.jo, shop_node(1, 1), &sh.ar);
    SC_VEC_PUSH(&sh.ar, &st->members,
                ((struct sc_member){shop_node(2, 1), 3, shop_node(2, 1), shop_node(1, 1),
                                    SHOP_START, SC_STR("e1")}));
    SC_VEC_PUSH(&sh.ar, &st->members,
                ((struct sc_member){shop_node(3, 1), 0, shop_node(2, 1), shop_node(2, 1), SC_NEVER,
                                    SC_STR_NULL}));
    SC_VEC_PUSH(&sh.ar, &st->must_not, shop_node(2, 5));
    SC_VEC_PUSH(&sh.ar, &st->former, shop_node(2, 1));
    SC_VEC_PUSH(&sh.ar, &st->held_out, SC_STR("cart-2026"));
    st->merges = 1;
    st->ambiguous = st->fatigue_paused = true;
    st->timezone = (struct sc_pref){SC_STR("Europe/Oslo"), 0, SHOP_START};
    st->frequency = (struct sc_pref){SC_STR_NULL, 2, SHOP_START - 5};
    st->snooze_at_ms = SHOP_START;
    st->snooze_until_ms = INT64_MAX - 5; /* customers may say anything */
    st->inbound_ms[1] = SHOP_START - 9;
    st->fatigue = 4.5;
    st->fatigue_ms = SHOP_START;
    struct sc_state *got = back(st);
    cr_assert(got->members.n == 3 && got->members.v[1].gen == 3);
    cr_assert(sc_node_none(&got->members.v[0].group));
    for (int i = 1; i < 3; i++)
        cr_assert(sc_node_eq(&got->members.v[i].group, &st->former.v[0]));
    for (int i = 0; i < 3; i++)
        cr_assert(sc_node_eq(&got->members.v[i].through, &st->members.v[i].through));
    cr_assert(sc_str_eqz(got->members.v[1].evidence, "e1"));
    cr_assert_eq(got->members.v[1].linked_ms, SHOP_START);
    cr_assert(got->must_not.n == 1 && got->former.n == 1 && got->merges == 1);
    cr_assert(got->held_out.n == 1 && sc_str_eqz(got->held_out.v[0], "cart-2026"));
    cr_assert(got->ambiguous && got->fatigue_paused && got->fatigue == 4.5);
    cr_assert(sc_str_eqz(got->timezone.text, "Europe/Oslo") && got->frequency.number == 2);
    cr_assert(got->channel.at_ms == SC_NEVER && got->inbound_ms[1] == SHOP_START - 9);
    cr_assert_gt(got->snooze_until_ms, SHOP_START + 1000 * 365 * SC_DAY_MS);
}

Test(state, a_stage_that_is_gone_leads_to_the_nearest_earlier)
{
    struct sc_state *st = sc_state_new(&sh.jo, shop_node(1, 1), &sh.ar);
    st->place[0].stage_ms = SHOP_START;
    st->place[0].stage = st->place[0].furthest = 3; /* loyal */
    struct sc_str a = shop_bytes(&sh, st);
    uint32_t hash = sh.jo.stages[3].hash;
    for (int s = 2; s <= 3; s++)
        sh.jo.stages[s].hash ^= 0x55555555; /* buyer and loyal have gone */
    struct sc_state *got = sc_state_decode(&sh.jo, st->node, a, &sh.ar);
    cr_assert_eq(got->place[0].stage, 1, "looking");
    cr_assert_eq(got->place[0].stage_unknown, hash);
    cr_assert_eq(got->place[0].stage_ms, SHOP_START);
    struct sc_state *again = back(got);
    cr_assert(again->place[0].stage == 1 && again->place[0].stage_unknown == hash,
              "until the step says so");
    got->place[0].stage_unknown = 0;
    cr_assert_eq(back(got)->place[0].stage_unknown, 0);
}

/* A track that the reader's journey has not is kept as bytes, and is where it was once it is back;
 * a state from before it had any begins it anew. */
Test(state, a_track_that_is_gone_comes_back)
{
    struct sc_state *st = sc_state_new(&sh.jo, shop_node(1, 1), &sh.ar);
    cr_assert(sh.jo.n_tracks == 2 && sh.jo.tracks[1].first == 6);
    st->n_events = 1;
    st->first_ms = st->last_ms = SHOP_START;
    struct sc_str before = shop_bytes(&sh, st);
    struct sc_place place = {.stage = 8, .stage_ms = SHOP_START - 5, .lapsed_from = 7,
                             .lapsed_from_ms = SHOP_START - 9, .furthest = 7, .lapse_void = 8,
                             .lapse_void_ms = SHOP_START - 7};
    st->place[1] = place;
    struct sc_str a = shop_bytes(&sh, st);
    sh.jo.n_tracks = 1;
    struct sc_state *got = sc_state_decode(&sh.jo, st->node, a, &sh.ar);
    cr_assert(got && got->foreign.n == 1);
    struct sc_str b = shop_bytes(&sh, got);
    sh.jo.n_tracks = 2;
    got = sc_state_decode(&sh.jo, st->node, b, &sh.ar);
    cr_assert(got && got->foreign.n == 0);
    struct sc_place *pl = &got->place[1];
    cr_assert(pl->stage == 8 && pl->stage_ms == SHOP_START - 5 && pl->furthest == 7);
    cr_assert(pl->lapsed_from == 7 && pl->lapsed_from_ms == SHOP_START - 9);
    cr_assert(pl->lapse_void == 8 && pl->lapse_void_ms == SHOP_START - 7);
    got = sc_state_decode(&sh.jo, st->node, before, &sh.ar);
    cr_assert(got->place[1].stage == 6 && got->place[1].stage_ms == SC_NEVER);
}

#define CARE "  care: { stages: [ { name: calm }, { name: troubled, when: 'event.name == \"opened\"' } ] }\n"
#define CLUB "  club: { stages: [ { name: guest }, { name: member, when: 'event.name == \"order\"' } ] }\n"
#define MAIN "stages: [ { name: new }, { name: buyer, when: 'event.name == \"order\"' } ]\n"

/* What the customer of journey `was` is in when `is` reads it, and again when `was` does. */
static void moved(const char *was, const char *stage, const char *is)
{
    struct shop shops[2];
    char yaml[2][1000];
    for (int i = 0; i < 2; i++) {
        snprintf(yaml[i], sizeof(yaml[i]), "journey: shop\ntaxonomy: taxonomy.yaml\n%s", i ? is : was);
        shop_init(&shops[i], yaml[i]);
    }
    int s = sc_journey_stage(&shops[0].jo, sc_hash_name(sc_str_from(stage)));
    struct sc_state *st = sc_state_new(&shops[0].jo, shop_node(1, 1), &shops[0].ar);
    st->n_events = 1;
    st->first_ms = st->last_ms = SHOP_START;
    struct sc_place *pl = &st->place[shops[0].jo.stages[s].track];
    *pl = (struct sc_place){.stage = (int16_t)s, .stage_ms = SHOP_START - 5, .lapsed_from = -1,
                            .furthest = (int16_t)s, .lapse_void = -1};
    struct sc_str bytes = shop_bytes(&shops[0], st);
    struct sc_state *there = sc_state_decode(&shops[1].jo, st->node, bytes, &shops[1].ar);
    int t = sc_journey_stage(&shops[1].jo, sc_hash_name(sc_str_from(stage)));
    for (uint32_t track = 0; track < shops[1].jo.n_tracks; track++)
        cr_expect(t == there->place[track].stage
                      ? there->place[track].stage_ms == SHOP_START - 5
                      : there->place[track].stage_ms == SC_NEVER && !there->place[track].stage_unknown,
                  "%s, track %u\n%s", stage, track, is);
    cr_expect(t < 0 || there->place[shops[1].jo.stages[t].track].stage == t, "%s\n%s", stage, is);
    bytes = shop_bytes(&shops[1], there);
    struct sc_state *again = sc_state_decode(&shops[0].jo, st->node, bytes, &shops[0].ar);
    pl = &again->place[shops[0].jo.stages[s].track];
    cr_expect(pl->stage == s && pl->stage_ms == SHOP_START - 5, "back: %s\n%s", stage, was);
    shop_fini(&shops[1]);
    shop_fini(&shops[0]);
}

/* Which track is the main one may change: positions go by the track's name. */
Test(state, a_place_stays_with_its_track_whichever_is_the_main_one)
{
    moved("tracks:\n" CARE, "troubled", MAIN "tracks:\n" CARE);
    moved("tracks:\n" CARE CLUB, "troubled", "tracks:\n" CLUB CARE);
    moved("tracks:\n" CARE CLUB, "member", MAIN "tracks:\n" CLUB);
    moved(MAIN "tracks:\n" CARE, "buyer", "tracks:\n" CARE);
    moved(MAIN "tracks:\n" CARE, "troubled", "tracks:\n" CARE);
    moved(MAIN "tracks:\n" CARE, "buyer", MAIN);
    moved(MAIN, "buyer", MAIN "tracks:\n" CARE);
}

/* Before, the main track's place stood without its name. */
Test(state, a_place_without_a_name_is_that_of_the_main_track)
{
    struct sc_state *st = sc_state_new(&sh.jo, shop_node(1, 1), &sh.ar);
    st->place[0].stage = st->place[0].furthest = 2;
    st->place[0].stage_ms = SHOP_START;
    sh.jo.n_tracks = 1;
    struct sc_str bytes = shop_bytes(&sh, st);
    sh.jo.n_tracks = 2;
    sh.jo.tracks[0].hash ^= 1;
    struct sc_state *got = sc_state_decode(&sh.jo, st->node, bytes, &sh.ar);
    cr_expect(got->place[0].stage == 2 && got->place[0].stage_ms == SHOP_START);
}

/* A journey that was deployed, taken back and deployed again: `quiet` is a lapse in one version, and
 * a stage with a rule of its own in the other. */
#define QUIET(how)                                                                                 \
    "journey: shop\ntaxonomy: taxonomy.yaml\n"                                                     \
    "stages:\n"                                                                                    \
    "  - { name: new, initial: true }\n"                                                           \
    "  - { name: buyer, when: 'event.name == \"order\"' }\n"                                       \
    "  - { name: quiet, " how " }\n"
#define LAPSES QUIET("from: [buyer], after: '5d without [order]'")
#define RULES QUIET("when: 'event.name == \"viewed\"'")

static void occurs(struct shop *at, struct sc_state *st, const char *event, int64_t ms,
                   struct sc_effects *fx)
{
    struct chance c = {(uint64_t)ms};
    int type = sc_taxonomy_event(&at->tx, sc_str_from(event));
    shop_step(at, st, shop_event(at, type, ms, &c), &ms, fx);
}

static struct sc_state *handed(struct shop *from, struct sc_state *st, struct shop *to)
{
    return sc_state_decode(&to->jo, st->node, shop_bytes(from, st), &to->ar);
}

Test(state, a_lapse_that_comes_back_finds_its_customer_gone_on)
{
    struct shop lapses, rules;
    struct sc_effects fx;
    shop_init(&lapses, LAPSES);
    shop_init(&rules, RULES);
    sc_effects_init(&fx, &sh.ar);
    struct sc_state *st = sc_state_new(&lapses.jo, shop_node(1, 2), &lapses.ar);
    occurs(&lapses, st, "order", SHOP_START, &fx);
    cr_assert_eq(st->timers.n, 1);
    st = handed(&lapses, st, &rules);
    occurs(&rules, st, "viewed", SHOP_START + 1000, &fx);
    cr_assert_eq(st->place[0].stage, 2);
    st = handed(&rules, st, &lapses);
    sc_effects_clear(&fx);
    occurs(&lapses, st, "cart", SHOP_START + 6 * SC_DAY_MS, &fx);
    cr_expect_eq(st->place[0].stage, 2);
    cr_expect_eq(st->place[0].stage_ms, SHOP_START + 1000);
    cr_expect_eq(fx.items.n, 0, "it is in that stage already");
    shop_fini(&rules);
    shop_fini(&lapses);
}

Test(state, a_stage_that_became_a_lapse_merges)
{
    struct shop lapses, rules;
    struct sc_effects fx;
    shop_init(&lapses, LAPSES);
    shop_init(&rules, RULES);
    sc_effects_init(&fx, &sh.ar);
    struct sc_state *st[2];
    for (int i = 0; i < 2; i++) {
        st[i] = sc_state_new(&rules.jo, shop_node((uint8_t)(1 + i), 1), &rules.ar);
        occurs(&rules, st[i], "viewed", SHOP_START + i * 1000, &fx);
        st[i] = handed(&rules, st[i], &lapses);
        cr_assert_eq(st[i]->place[0].stage, 2);
    }
    sc_state_merge(&lapses.jo, st[0], st[1]);
    cr_expect_neq(st[0]->place[0].stage_ms, SC_NEVER);
    cr_expect_not_null(handed(&lapses, st[0], &lapses));
    shop_fini(&rules);
    shop_fini(&lapses);
}

/* The journey has it by another name, and then by its own again. */
static void rename_trigger(uint32_t t)
{
    sh.jo.triggers[t].hash ^= 1;
    sc_journey_index(&sh.jo, &sh.ar);
}

Test(state, messages_of_a_trigger_that_is_gone_still_count)
{
    struct sc_state *st = sc_state_new(&sh.jo, shop_node(1, 1), &sh.ar);
    struct sc_sent sent = {.at_ms = SHOP_START, .trigger = 1, .channel = 1, .counts = true};
    SC_VEC_PUSH(&sh.ar, &st->sent, sent);
    struct sc_str a = shop_bytes(&sh, st);
    uint32_t hash = sh.jo.triggers[1].hash;
    rename_trigger(1);
    struct sc_state *got = sc_state_decode(&sh.jo, st->node, a, &sh.ar);
    cr_assert(got->sent.n == 1 && got->sent.v[0].trigger == SC_TRIGGER_GONE);
    cr_assert(got->sent.v[0].gone == hash && got->sent.v[0].counts);
    struct sc_str b = shop_bytes(&sh, got);
    rename_trigger(1);
    got = sc_state_decode(&sh.jo, st->node, b, &sh.ar);
    cr_assert_eq(got->sent.v[0].trigger, 1, "and belong to it when it is back");
}

/* What a touchpoint or a fact keeps is shown to rules, which take texts to be UTF-8. */
Test(state, texts_are_utf8)
{
    struct sc_state *st = sc_state_new(&sh.jo, shop_node(1, 1), &sh.ar);
    struct chance c = {3};
    struct sc_event *ev = shop_event(&sh, sc_taxonomy_event(&sh.tx, SC_STR("order")), SHOP_START, &c);
    struct sc_value *props = SC_NEW_N(&sh.ar, struct sc_value, ev->n_props);
    struct sc_value tag = sc_string(SC_STR("caf\xc3\xa9"));
    props[2] = (struct sc_value){.type = SC_T_LIST, .len = 1, .list = &tag};
    ev->props = props;
    sc_fact_apply(&sh.jo, st, shop_fact(&sh, "first_tags"), ev);
    struct sc_str bytes = shop_bytes(&sh, st);
    struct sc_state *got = sc_state_decode(&sh.jo, st->node, bytes, &sh.ar);
    cr_assert(got && sc_facts_read(got));
    char *cut = memmem(bytes.p, bytes.len, "caf\xc3\xa9", 5);
    cr_assert_not_null(cut);
    cut[4] = 'e';
    got = sc_state_decode(&sh.jo, st->node, bytes, &sh.ar);
    cr_expect(got == NULL || !sc_facts_read(got));
    st = sc_state_new(&sh.jo, shop_node(1, 1), &sh.ar);
    st->language = (struct sc_pref){SC_STR("n\xc3"), 0, SHOP_START};
    cr_expect_null(back(st), "a preference");
    st->language.text = SC_STR("nb");
    cr_expect_not_null(back(st));
    ev->id = SC_STR("\xf0");
    sc_ring_add(&sh.jo, st, ev);
    cr_expect_null(back(st), "a touchpoint's id");
}

Test(state, past_the_hard_limit_the_least_needed_goes)
{
    struct chance c = {1};
    struct sc_state *st = shop_play(&sh, shop_node(1, 1), shop_events(&sh, 30, SC_DAY_MS, &c), 30);
    char *text = memset(sc_arena_alloc(&sh.ar, 1000), 'x', 1000);
    for (uint8_t i = 0; i < 250; i++)
        SC_VEC_PUSH(&sh.ar, &st->members, ((struct sc_member){.node = shop_node(2, i),
                                                              .linked_ms = SHOP_START,
                                                              .evidence = {text, 1000}}));
    for (uint32_t i = 0; i < SC_DEDUPE_MAX - 100; i++)
        SC_VEC_PUSH(&sh.ar, &st->seen, ((struct sc_seen){.id_low = i, .content = i}));
    struct sc_timer tm = {.kind = SC_TIMER_DEFERRED, .start_ms = SHOP_START, .due_ms = SHOP_START,
                          .expires_ms = SC_NO_DUE, .events = &(struct sc_str){text, 1000},
                          .n_events = 1, .context = {text, 1000}};
    for (int i = 0; i < 450; i++)
        SC_VEC_PUSH(&sh.ar, &st->timers, tm);
    struct sc_buf out = {0};
    cr_assert_not(sc_state_encode(&sh.jo, st, &out));
    cr_assert_leq(out.len, SC_STATE_HARD_BYTES);
    struct sc_state *got = sc_state_decode(&sh.jo, st->node, sc_buf_view(&out), &sh.ar);
    cr_assert_eq(got->seen.n, SC_DEDUPE_MIN);
    cr_assert_eq(got->seen.v[SC_DEDUPE_MIN - 1].id_low, SC_DEDUPE_MAX - 101, "the newest stay");
    cr_assert_eq(got->timers.n, st->timers.n);
    cr_assert_eq(got->n_events, st->n_events);
    sc_buf_fini(&out);
}

Test(state, twenty_events_and_eight_facts_take_few_bytes)
{
    static const char small[] =
        "journey: shop\ntaxonomy: taxonomy.yaml\n"
        "facts:\n  a: count(\"viewed\", \"7d\")\n  b: count(\"order\")\n"
        "  c: sum(\"order\", \"total\")\n"
        "  d: max(\"order\", \"total\")\n  e: since(\"order\")\n  f: seen(\"cart\", \"24h\")\n"
        "  g: distinct(\"viewed\", \"product\")\n  h: last(\"order\", \"total\")\n"
        "stages: [ { name: here, initial: true } ]\n";
    struct shop less;
    struct chance c = {1};
    shop_init(&less, small);
    struct sc_event **evs = shop_events(&less, 20, SC_DAY_MS, &c);
    struct sc_str a = shop_bytes(&less, shop_play(&less, shop_node(1, 1), evs, 20));
    cr_assert_leq(a.len, 580, "%zu bytes", a.len);
    shop_fini(&less);
}
