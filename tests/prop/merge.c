/* Merges: any order of merging three customers gives the same bytes; the events of one person split
 * over two customers and merged give what one customer with all of them has; events in any order of
 * arrival give the same facts. */
#include "../lib/states.h"
#include "core/analytics/history.h"

#define ROUNDS 300

static struct sc_state *merged(struct shop *sh, const struct sc_state *a, const struct sc_state *b)
{
    bool swap = sc_node_cmp(&b->node, &a->node) < 0;
    struct sc_state *into = shop_copy(sh, swap ? b : a);
    sc_state_merge(&sh->jo, into, shop_copy(sh, swap ? a : b));
    sc_history_settle(&sh->jo, into->history);
    return into;
}

static void same(struct shop *sh, const struct sc_state *a, const struct sc_state *b,
                 const char *law)
{
    if (sc_str_eq(shop_bytes(sh, a), shop_bytes(sh, b)))
        return;
    fprintf(stderr, "not the same: %s\n", law);
    for (int i = 0; i < 2; i++) {
        struct sc_buf out = {0};
        sc_state_customer_json(&sh->jo, i ? b : a, SHOP_START + 12 * SC_DAY_MS, NULL, NULL, &out);
        fprintf(stderr, "%.*s\n", SC_STR_FMT(sc_buf_view(&out)));
        sc_buf_fini(&out);
    }
    abort();
}

/* A sum that decays rounds: its laws hold up to the last bits. */
static double take_fatigue(struct sc_state *st)
{
    double f = st->fatigue;
    st->fatigue = 0;
    return f;
}

static void check_order(struct shop *sh, struct chance *c)
{
    struct sc_state *s[3];
    for (int i = 0; i < 3; i++) {
        uint32_t n = 1 + (uint32_t)chance_below(c, chance_below(c, 8) ? 30 : 200);
        struct sc_event **evs = shop_events(sh, n, 12 * SC_DAY_MS, c);
        if (chance_below(c, 2))
            qsort(evs, n, sizeof(struct sc_event *), shop_by_time);
        s[i] = shop_play(sh, shop_node((uint8_t)(1 + i % 2), (uint8_t)(i + 1)), evs, n);
    }
    struct sc_state *all[4] = {merged(sh, merged(sh, s[0], s[1]), s[2]),
                               merged(sh, s[0], merged(sh, s[1], s[2])),
                               merged(sh, merged(sh, s[2], s[0]), s[1]),
                               merged(sh, s[1], merged(sh, s[2], s[0]))};
    double first = take_fatigue(all[0]);
    for (int i = 1; i < 4; i++) {
        double f = take_fatigue(all[i]);
        SC_ASSERT(f - first < 1e-9 && first - f < 1e-9);
        same(sh, all[0], all[i], "any order of merging three");
    }
    SC_ASSERT(all[0]->former.n == 2 && all[0]->members.n == 3 && all[0]->merges == 2);
    SC_ASSERT(all[0]->n_events == s[0]->n_events + s[1]->n_events + s[2]->n_events);
}

/* Only what does not depend on when an event came, in one order. */
static struct sc_state *essence(struct shop *sh, const struct sc_state *st)
{
    struct sc_state *nobody = sc_state_new(&sh->jo, st->node, &sh->ar);
    struct sc_state *copy = shop_copy(sh, st);
    copy->node.b[15] = 0xff; /* not the same, so that it can be merged */
    sc_state_merge(&sh->jo, nobody, copy);
    struct sc_state *out = sc_state_new(&sh->jo, st->node, &sh->ar);
    out->facts = nobody->facts;
    out->first_ms = nobody->first_ms;
    out->last_ms = nobody->last_ms;
    out->n_events = nobody->n_events;
    out->ring.v = nobody->ring.v;
    out->ring.n = nobody->ring.n;
    out->consents.v = nobody->consents.v;
    out->consents.n = nobody->consents.n;
    out->channel = nobody->channel;
    out->frequency = nobody->frequency;
    out->snooze_at_ms = nobody->snooze_at_ms;
    out->snooze_until_ms = nobody->snooze_until_ms;
    out->cases.v = nobody->cases.v;
    out->cases.n = nobody->cases.n;
    out->inbound_ms = nobody->inbound_ms;
    out->ladders = nobody->ladders;
    for (uint32_t m = 0; m < sh->jo.n_milestones; m++)
        if (sh->jo.milestones[m].ladder_fact >= 0)
            out->milestones[m] = nobody->milestones[m];
    return out;
}

/* All within lateness of each other, so that none comes late. */
static void check_split(struct shop *sh, struct chance *c)
{
    uint32_t n = 2 + (uint32_t)chance_below(c, chance_below(c, 4) ? 40 : 300);
    struct sc_event **evs = shop_events(sh, n, 23 * SC_HOUR_MS, c);
    struct sc_node_id x = shop_node(1, 1), y = shop_node(1, 2);
    struct sc_state *one = shop_play(sh, x, evs, n);
    uint32_t cut = 1 + (uint32_t)chance_below(c, n - 1);
    shop_shuffle(evs, n, c);
    struct sc_state *parts = merged(sh, shop_play(sh, x, evs, cut),
                                    shop_play(sh, y, evs + cut, n - cut));
    struct sc_effects fx;
    sc_effects_init(&fx, &sh->ar);
    struct sc_moment now = {.watermark_ms = parts->last_ms, .event_clock = true};
    struct sc_merged before = {.ev = NULL};
    memcpy(before.place, parts->place, sh->jo.n_tracks * sizeof(*parts->place));
    sc_step_merged(&sh->jo, parts, &before, &now, &fx);
    same(sh, essence(sh, one), essence(sh, parts), "split and merged, any order of arrival");
    struct sc_state *again = shop_play(sh, x, evs, n);
    same(sh, essence(sh, one), essence(sh, again), "any order of arrival");
}

/* Consents by hand: the latest, withdrawal at a tie, whoever is merged into whom. */
static void check_consents(struct shop *sh)
{
    struct sc_state *a = sc_state_new(&sh->jo, shop_node(1, 1), &sh->ar);
    struct sc_state *b = sc_state_new(&sh->jo, shop_node(1, 2), &sh->ar);
    struct sc_consent yes = {SC_STR("marketing"), true, 1000, SC_STR("web"), SC_STR("e1")};
    struct sc_consent no = {SC_STR("marketing"), false, 1000, SC_STR("pos"), SC_STR("e2")};
    struct sc_consent research = {SC_STR("research"), true, 5, SC_STR("web"), SC_STR("e3")};
    SC_VEC_PUSH(&sh->ar, &a->consents, yes);
    SC_VEC_PUSH(&sh->ar, &b->consents, no);
    SC_VEC_PUSH(&sh->ar, &b->consents, research);
    struct sc_state *m = merged(sh, a, b);
    SC_ASSERT(m->consents.n == 2 && !m->consents.v[0].granted && m->consents.v[1].granted);
    a->consents.v[0].at_ms = 1001;
    m = merged(sh, a, b);
    SC_ASSERT(m->consents.v[0].granted && m->consents.v[0].at_ms == 1001);
}

/* A lapse counts only while the merged facts meet its silence. */
static void check_lapse(struct shop *sh, int64_t other_order_ms, const char *stage,
                        int64_t since_ms)
{
    struct chance c = {7};
    int order = sc_taxonomy_event(&sh->tx, SC_STR("order"));
    int cart = sc_taxonomy_event(&sh->tx, SC_STR("cart"));
    struct sc_event *mine[] = {shop_event(sh, order, SHOP_START, &c),
                               shop_event(sh, cart, SHOP_START + 6 * SC_DAY_MS, &c)};
    struct sc_event *other[] = {shop_event(sh, order, other_order_ms, &c)};
    struct sc_state *a = shop_play(sh, shop_node(1, 1), mine, 2);
    struct sc_state *b = shop_play(sh, shop_node(1, 2), other, 1);
    SC_ASSERT(sc_str_eqz(sh->jo.stages[a->place[0].stage].name, "lapsed"));
    struct sc_state *m = merged(sh, a, b);
    SC_ASSERT(sc_str_eqz(sh->jo.stages[m->place[0].stage].name, stage));
    SC_ASSERT(m->place[0].stage_ms == since_ms);
}

int main(void)
{
    struct shop sh;
    struct chance c = {2};
    for (int i = 0; i < ROUNDS; i += 10) {
        shop_init(&sh, states_journey);
        for (int k = 0; k < 10; k++) {
            check_order(&sh, &c);
            check_split(&sh, &c);
        }
        shop_fini(&sh);
    }
    shop_init(&sh, states_journey);
    check_consents(&sh);
    check_lapse(&sh, SHOP_START - SC_DAY_MS, "lapsed", SHOP_START + 5 * SC_DAY_MS);
    check_lapse(&sh, SHOP_START + SC_HOUR_MS, "lapsed",
                SHOP_START + SC_HOUR_MS + 5 * SC_DAY_MS); /* still silent since: later */
    check_lapse(&sh, SHOP_START + 2 * SC_DAY_MS, "buyer", SHOP_START);
    shop_fini(&sh);
    printf("%d rounds\n", ROUNDS);
    return 0;
}
