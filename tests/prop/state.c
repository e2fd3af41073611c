/* The stored form: decode(encode(s)) gives the same bytes for any customer, any damage is either
 * refused or gives a state that can be written again, and a journey that changed keeps what it does
 * not know until one that does reads it. */
#include "../lib/states.h"

#define CUSTOMERS 400

static void check_round_trip(struct shop *sh, struct chance *c, size_t *bytes)
{
    uint32_t n = (uint32_t)chance_below(c, chance_below(c, 10) ? 40 : 400);
    struct sc_event **evs = shop_events(sh, n, 12 * SC_DAY_MS, c);
    if (chance_below(c, 2))
        qsort(evs, n, sizeof(struct sc_event *), shop_by_time);
    struct sc_state *st = shop_play(sh, shop_node(1, 1), evs, n);
    struct sc_str a = shop_bytes(sh, st);
    struct sc_state *back = sc_state_decode(&sh->jo, st->node, a, &sh->ar);
    SC_ASSERT(back != NULL);
    SC_ASSERT(sc_str_eq(a, shop_bytes(sh, back)));
    SC_ASSERT(back->n_events == st->n_events && back->place[0].stage == st->place[0].stage);
    for (uint32_t f = 0; f < sh->jo.n_facts; f++) {
        struct sc_value was = sc_fact_read(&sh->jo, st, f, SHOP_START + 12 * SC_DAY_MS);
        struct sc_value is = sc_fact_read(&sh->jo, back, f, SHOP_START + 12 * SC_DAY_MS);
        SC_ASSERT(was.type == is.type && (was.type == SC_T_ERROR ? was.i == is.i
                                                                 : sc_value_eq(was, is)));
    }
    struct sc_state_peek peek;
    SC_ASSERT(sc_state_peek(a, &peek) && peek.due_ms == st->due_ms && peek.kind == st->kind);
    *bytes += a.len;
}

static void check_damage(struct shop *sh, struct chance *c)
{
    struct sc_event **evs = shop_events(sh, 60, 5 * SC_DAY_MS, c);
    struct sc_state *st = shop_play(sh, shop_node(1, 1), evs, 60);
    struct sc_str a = shop_bytes(sh, st);
    for (int i = 0; i < 300; i++) {
        size_t len = chance_below(c, 3) ? a.len : (size_t)chance_below(c, (int64_t)a.len);
        char *hurt = malloc(len + 1); /* exactly sized: reads past it are found */
        SC_ASSERT(hurt != NULL);
        memcpy(hurt, a.p, len);
        for (int64_t k = chance_below(c, 4); k >= 0 && len > 0; k--)
            hurt[chance_below(c, (int64_t)len)] = (char)chance_next(c);
        struct sc_state *back =
            sc_state_decode(&sh->jo, st->node, (struct sc_str){hurt, len}, &sh->ar);
        SC_ASSERT(len == a.len || back == NULL);
        if (back)
            shop_bytes(sh, back);
        free(hurt);
    }
}

/* Without some facts, a milestone, a trigger and a stage; then with them again. */
static void check_other_journey(struct shop *full, struct shop *less, struct chance *c)
{
    struct sc_event **evs = shop_events(full, 30, 4 * SC_DAY_MS, c);
    struct sc_state *st = shop_play(full, shop_node(1, 1), evs, 30);
    struct sc_str a = shop_bytes(full, st);
    struct sc_state *there = sc_state_decode(&less->jo, st->node, a, &less->ar);
    SC_ASSERT(there != NULL && there->foreign.n > 0);
    uint32_t orders = shop_fact(less, "orders"), was = shop_fact(full, "orders");
    SC_ASSERT(sc_value_eq(sc_fact_read(&less->jo, there, orders, SHOP_START),
                          sc_fact_read(&full->jo, st, was, SHOP_START)));
    there->n_events++; /* it lives on: another base for its times */
    there->last_ms += SC_HOUR_MS;
    struct sc_buf out = {.ar = &full->ar};
    sc_state_encode(&less->jo, there, &out);
    struct sc_state *home = sc_state_decode(&full->jo, st->node, sc_buf_view(&out), &full->ar);
    SC_ASSERT(home != NULL && home->foreign.n == 0);
    for (uint32_t f = 0; f < full->jo.n_facts; f++) {
        struct sc_value x = sc_fact_read(&full->jo, st, f, st->last_ms);
        struct sc_value y = sc_fact_read(&full->jo, home, f, st->last_ms);
        SC_ASSERT(x.type == y.type && (x.type == SC_T_ERROR || sc_value_eq(x, y)));
    }
    for (uint32_t m = 0; m < full->jo.n_milestones; m++)
        SC_ASSERT(home->milestones[m] == st->milestones[m]);
    SC_ASSERT(home->timers.n + 2 >= st->timers.n); /* of stages: they follow the stage */
}

static const char smaller[] =
    "journey: shop\n"
    "taxonomy: taxonomy.yaml\n"
    "facts: { orders: count(\"order\"), fresh: count(\"cart\") }\n"
    "stages:\n"
    "  - { name: new, initial: true }\n"
    "  - { name: buyer, when: 'orders >= 1' }\n"
    "channels:\n"
    "  sms: { topic: triggers.sms }\n"
    "  email: { topic: triggers.email }\n";

int main(void)
{
    struct shop sh, less;
    struct chance c = {1};
    size_t bytes = 0;
    for (int i = 0; i < CUSTOMERS; i += 20) {
        shop_init(&sh, states_journey);
        for (int k = 0; k < 20; k++)
            check_round_trip(&sh, &c, &bytes);
        check_damage(&sh, &c);
        shop_init(&less, smaller);
        for (int k = 0; k < 5; k++)
            check_other_journey(&sh, &less, &c);
        shop_fini(&less);
        shop_fini(&sh);
    }
    printf("%d customers, %zu bytes each\n", CUSTOMERS, bytes / CUSTOMERS);
    return 0;
}
