/* The stored form: decode(encode(s)) gives the same bytes for any customer, also when it was opened
 * and only some of it was read; any damage is either refused or gives a state that can be
 * written again, and a journey that changed keeps what it does not know until one that does reads
 * it. */
#include "../lib/states.h"
#include <inttypes.h>

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

static uint32_t unread(const struct sc_state *st)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < st->facts.n; i++)
        n += st->facts.v[i].unread;
    return n;
}

struct left { /* unread by a step: facts of a state that was read, all behind the front */
    uint64_t facts, behind;
};

/* As the journey has it, but that every event is asked for: none passes by. */
static struct sc_event_index *all_asked_for(struct shop *sh)
{
    struct sc_event_index *all = SC_NEW_N(&sh->ar, struct sc_event_index, sh->tx.n_events);
    for (uint32_t e = 0; e < sh->tx.n_events; e++) {
        all[e] = sh->jo.by_event[e];
        all[e].asked = true;
    }
    return all;
}

/* Opened for each event and put down after it, as `run` does, a customer is stored as he is when
 * he stays open all the time, and every rule is tried. Adds up what no step asked for. */
static void check_opened(struct shop *sh, struct chance *c, struct left *left)
{
    uint32_t n = (uint32_t)chance_below(c, 120) + 1;
    struct sc_event **evs = shop_events(sh, n, 12 * SC_DAY_MS, c);
    if (chance_below(c, 2))
        qsort(evs, n, sizeof(struct sc_event *), shop_by_time);
    struct sc_state *whole = sc_state_new(&sh->jo, shop_node(1, 1), &sh->ar);
    struct sc_str stored = shop_bytes(sh, whole);
    struct sc_event_index *own = sh->jo.by_event, *all = all_asked_for(sh);
    struct sc_effects fx;
    sc_effects_init(&fx, &sh->ar);
    int64_t now = SHOP_START - SC_DAY_MS, later = now;
    for (uint32_t i = 0; i < n; i++) {
        struct sc_state *opened = sc_state_open(&sh->jo, whole->node, stored, &sh->ar);
        SC_ASSERT(opened != NULL);
        uint32_t before = fx.items.n;
        sh->jo.by_event = all;
        shop_step(sh, whole, evs[i], &now, &fx);
        uint32_t effects = fx.items.n;
        sh->jo.by_event = own;
        shop_step(sh, opened, evs[i], &later, &fx);
        SC_ASSERT(sc_facts_sound(opened) && fx.items.n - effects == effects - before);
        left->facts += unread(opened);
        left->behind += !sc_state_is_whole(opened);
        stored = shop_bytes(sh, opened);
        SC_ASSERT(sc_str_eq(stored, shop_bytes(sh, whole)));
    }
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
        struct sc_state *opened =
            sc_state_open(&sh->jo, st->node, (struct sc_str){hurt, len}, &sh->ar);
        if (opened) { /* written somewhere else in time, whatever the facts are */
            opened->last_ms += chance_below(c, 2 * SC_STATE_BASE_MS);
            shop_bytes(sh, opened);
        }
        SC_ASSERT((opened && sc_facts_read(opened)) == (back != NULL));
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
    there->last_ms += SC_STATE_BASE_MS;
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

/* All rules name their events: the others, most of them, are not asked for. */
static const char by_name[] =
    "journey: shop\n"
    "taxonomy: taxonomy.yaml\n"
    "facts:\n"
    "  orders: count(\"order\")\n"
    "  spent_week: sum(\"order\", \"total\", \"7d\")\n"
    "  first_tags: first(\"order\", \"tags\")\n"
    "stages:\n"
    "  - { name: new, initial: true }\n"
    "  - { name: buyer, when: 'event.name == \"order\"' }\n"
    "  - { name: loyal, when: 'event.name == \"order\" && orders >= 3' }\n"
    "triggers:\n"
    "  - { name: thanks, when: 'event.name == \"order\"', channels: [sms], cooldown: 6h }\n"
    "  - name: how\n"
    "    start: 'event.name == \"closed\"'\n"
    "    after: 6h without [opened]\n"
    "    channels: [sms]\n"
    "channels:\n"
    "  sms: { topic: triggers.sms }\n"
    "guardrails:\n"
    "  caps: [ { channels: \"*\", max: 3, per: 24h } ]\n";

static void check_by_name(struct chance *c, struct left *left)
{
    struct shop sh;
    shop_init(&sh, by_name);
    sh.jo.analyse = false;
    for (int k = 0; k < 10; k++)
        check_opened(&sh, c, left);
    shop_fini(&sh);
}

int main(void)
{
    struct shop sh, less;
    struct chance c = {1};
    size_t bytes = 0;
    struct left left = {0}, named = {0};
    for (int i = 0; i < CUSTOMERS; i += 20) {
        shop_init(&sh, states_journey);
        for (int k = 0; k < 20; k++)
            check_round_trip(&sh, &c, &bytes);
        for (int k = 0; k < 5; k++)
            check_opened(&sh, &c, &left);
        check_by_name(&c, &named);
        check_damage(&sh, &c);
        shop_init(&less, smaller);
        for (int k = 0; k < 5; k++)
            check_other_journey(&sh, &less, &c);
        shop_fini(&less);
        shop_fini(&sh);
    }
    printf("%d customers, %zu bytes each; %" PRIu64 " facts left unread; %" PRIu64 " states left "
           "but for their front\n", CUSTOMERS, bytes / CUSTOMERS, left.facts, named.behind);
    SC_ASSERT(left.facts > CUSTOMERS && left.behind == 0 && named.behind > CUSTOMERS);
    return 0;
}
