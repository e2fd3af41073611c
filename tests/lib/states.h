/* Customers at random, for the tests of states, merges and frames: one shop with every kind of
 * fact, random events for it, states made by stepping through them. Static: each test has its
 * own. */
#ifndef SC_TEST_STATES_H
#define SC_TEST_STATES_H

#include "load.h"
#include "base/hash.h"
#include "codec/state.h"
#include "core/journey/step.h"
#include <stdlib.h>

static const char states_taxonomy[] =
    "taxonomy: shop\n"
    "version: 1.0.0\n"
    "namespaces:\n"
    "  account_id: { priority: 1, unique: true }\n"
    "  email: { priority: 2 }\n"
    "  device_id: { priority: 9 }\n"
    "events:\n"
    "  viewed: { properties: { product: { type: string }, score: { type: double } } }\n"
    "  cart:\n"
    "    properties:\n"
    "      cart_id: { type: string }\n"
    "      value: { type: decimal, scale: 2, required: true }\n"
    "  order:\n"
    "    role: purchase\n"
    "    value: total\n"
    "    properties:\n"
    "      total: { type: decimal, scale: 2 }\n"
    "      items: { type: int }\n"
    "      tags: { type: list(string) }\n"
    "      paid: { type: timestamp }\n"
    "  opened: { channel: phone, properties: { case_id: { type: string, required: true } } }\n"
    "  closed: { properties: { case_id: { type: string, required: true } } }\n"
    "  consented:\n"
    "    role: consent\n"
    "    properties:\n"
    "      purpose: { type: string, required: true }\n"
    "      granted: { type: bool, required: true }\n"
    "  preferred:\n"
    "    role: preference\n"
    "    properties: { channel: { type: string }, frequency: { type: int } }\n"
    "  snoozed: { role: snooze, properties: { until: { type: timestamp, required: true } } }\n"
    "  messaged: { role: inbound, channel: sms }\n"
    "cases:\n"
    "  support: { opens: [opened], closes: [closed], key: case_id }\n";

static const char states_journey[] =
    "journey: shop\n"
    "taxonomy: taxonomy.yaml\n"
    "facts:\n"
    "  orders: count(\"order\")\n"
    "  spent: sum(\"order\", \"total\")\n"
    "  spent_week: sum(\"order\", \"total\", \"7d\")\n"
    "  least: min(\"order\", \"total\")\n"
    "  most_day: max(\"order\", \"total\", \"24h\")\n"
    "  mean: avg(\"order\", \"items\", \"30d\")\n"
    "  scores: sum(\"viewed\", \"score\")\n"
    "  products: distinct(\"viewed\", \"product\")\n"
    "  products_day: distinct(\"viewed\", \"product\", \"24h\")\n"
    "  first_tags: first(\"order\", \"tags\")\n"
    "  last_total: last(\"order\", \"total\")\n"
    "  last_paid: max(\"order\", \"paid\")\n"
    "  views_hour: count(\"viewed\", \"1h\")\n"
    "  exactly: { value: 'count(\"viewed\", \"2d\")', exact: true }\n"
    "  since_order: since(\"order\")\n"
    "  began: first(\"viewed\")\n"
    "  seen_day: seen(\"cart\", \"24h\")\n"
    "  big: 'count(\"order\", where: has(event.total) && event.total > 50.0)'\n"
    "stages:\n"
    "  - { name: new, initial: true }\n"
    "  - { name: looking, when: 'event.name == \"viewed\" && views_hour >= 2', target: 3d }\n"
    "  - { name: buyer, when: 'event.name == \"order\"' }\n"
    "  - { name: loyal, when: 'orders >= 4' }\n"
    "  - { name: lapsed, from: [buyer, loyal], after: '5d without [order]' }\n"
    "  - { name: drowsy, from: [looking], after: '2d without [viewed, cart]' }\n"
    "tracks:\n"
    "  care:\n"
    "    stages:\n"
    "      - { name: calm }\n"
    "      - { name: troubled, when: 'event.name == \"opened\"', target: 1d }\n"
    "      - { name: settled, from: [troubled], after: '2d without [opened]' }\n"
    "milestones:\n"
    "  first_order: orders >= 1\n"
    "  third_order: orders >= 3\n"
    "  rich: spent > 300.0\n"
    "triggers:\n"
    "  - name: left\n"
    "    start: 'event.name == \"cart\" && event.value >= 10.0'\n"
    "    after: 1h without [order]\n"
    "    key: event.cart_id\n"
    "    purpose: marketing\n"
    "    channels: [email]\n"
    "    context: { cart: event.cart_id, seen: 'recent(\"*\", 12)' }\n"
    "    cooldown: 2h\n"
    "    expires: 6h\n"
    "  - name: back\n"
    "    when: 'orders == 2'\n"
    "    channels: [sms]\n"
    "    purpose: service\n"
    "channels:\n"
    "  sms: { topic: triggers.sms }\n"
    "  email: { topic: triggers.email }\n"
    "guardrails:\n"
    "  arbitration: 30s\n"
    "  caps: [ { channels: \"*\", max: 3, per: 24h } ]\n"
    "  fatigue: { half_life: 48h, add: { opened: 4.0 }, pause_at: 5.0, resume_at: 3.0 }\n"
    "  hold_while: [ 'open(\"support\")' ]\n"
    "analytics:\n"
    "  answers: { closed: {}, preferred: {} }\n";

/* ---- chance */

struct chance {
    uint64_t s;
};
static inline uint64_t chance_next(struct chance *c)
{
    uint64_t z = c->s += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}
/* 0 .. n-1 */
static inline int64_t chance_below(struct chance *c, int64_t n)
{
    return (int64_t)(chance_next(c) % (uint64_t)n);
}

/* ---- the shop */

struct shop {
    struct sc_arena ar;
    struct sc_taxonomy tx;
    struct sc_journey jo;
};

static inline void shop_init(struct shop *sh, const char *journey)
{
    memset(sh, 0, sizeof(*sh));
    sc_arena_init(&sh->ar);
    load_texts(states_taxonomy, journey, &sh->tx, &sh->jo, &sh->ar);
    sh->jo.analyse = true; /* so that what it remembers is stored and merged too */
}

static inline void shop_fini(struct shop *sh)
{
    sc_journey_fini(&sh->jo);
    sc_taxonomy_fini(&sh->tx);
    sc_arena_fini(&sh->ar);
}

static inline uint32_t shop_fact(const struct shop *sh, const char *name)
{
    for (uint32_t i = 0; i < sh->jo.n_facts; i++)
        if (sc_str_eqz(sh->jo.facts[i].name, name) || sc_str_eqz(sh->jo.facts[i].text, name))
            return i;
    sc_assert_fail(name, __FILE__, __LINE__);
}

/* ---- events */

#define SHOP_START INT64_C(1772445600000) /* 2026-03-02 10:00 */

static inline struct sc_value shop_value(struct shop *sh, const struct sc_property *p,
                                         struct chance *c)
{
    if (!p->required && chance_below(c, 8) == 0)
        return sc_absent();
    switch (p->type) {
    case SC_T_STRING:
        return sc_string(sc_str_printf(&sh->ar, "%.*s-%d", SC_STR_FMT(p->name),
                                       (int)chance_below(c, 12)));
    case SC_T_DECIMAL:
        return sc_decimal((struct sc_decimal){chance_below(c, 12000) - 1000, p->scale});
    case SC_T_INT:
        return sc_int(chance_below(c, 40) - 5);
    case SC_T_DOUBLE:
        return sc_double((double)chance_below(c, 1000000) / 7e3 - 20);
    case SC_T_BOOL:
        return sc_bool(chance_below(c, 2));
    case SC_T_TIMESTAMP:
        return sc_timestamp(SHOP_START + chance_below(c, 20 * SC_DAY_MS));
    default:
        break;
    }
    struct sc_value *items = SC_NEW_N(&sh->ar, struct sc_value, 3);
    for (int i = 0; i < 3; i++)
        items[i] = sc_string(SC_STR("tag"));
    return (struct sc_value){.type = SC_T_LIST, .len = (uint32_t)chance_below(c, 4), .list = items};
}

static inline struct sc_event *shop_event(struct shop *sh, int type, int64_t ms, struct chance *c)
{
    struct sc_event *ev = SC_NEW(&sh->ar, struct sc_event);
    const struct sc_event_type *et = &sh->tx.events[type];
    struct sc_value *props = SC_NEW_N(&sh->ar, struct sc_value, et->n_props + 1);
    for (uint32_t i = 0; i < et->n_props; i++)
        props[i] = shop_value(sh, &et->props[i], c);
    *ev = (struct sc_event){.type = (uint16_t)type, .source = SC_SOURCE_NONE,
                            .source_name = chance_below(c, 2) ? SC_STR("web") : SC_STR("pos"),
                            .occurred_ms = ms, .claimed_ms = ms,
                            .props = props, .n_props = et->n_props, .n_ids = 1};
    ev->origin = (struct sc_origin){SC_STR("events"), 3, chance_below(c, 100000)};
    ev->id = sc_str_printf(&sh->ar, "e%llx", (unsigned long long)chance_next(c));
    ev->id_hash = sc_event_id_hash(ev->source_name, ev->id);
    ev->content_hash = (uint32_t)chance_next(c);
    return ev;
}

/* `n` events of any type over `span_ms`, in no order. */
static inline struct sc_event **shop_events(struct shop *sh, uint32_t n, int64_t span_ms,
                                            struct chance *c)
{
    struct sc_event **evs = SC_NEW_N(&sh->ar, struct sc_event *, n + 1);
    for (uint32_t i = 0; i < n; i++) { /* viewed, cart, order more often than the rest */
        int64_t ms = SHOP_START + chance_below(c, span_ms); /* drawn first by every compiler */
        int64_t type = chance_below(c, chance_below(c, 3) ? 3 : sh->tx.n_events);
        evs[i] = shop_event(sh, (int)type, ms, c);
    }
    return evs;
}

static inline void shop_shuffle(struct sc_event **evs, uint32_t n, struct chance *c)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t k = (uint32_t)chance_below(c, i);
        struct sc_event *ev = evs[i - 1];
        evs[i - 1] = evs[k];
        evs[k] = ev;
    }
}

static inline int shop_by_time(const void *a, const void *b)
{
    int64_t x = (*(struct sc_event *const *)a)->occurred_ms;
    int64_t y = (*(struct sc_event *const *)b)->occurred_ms;
    return x < y ? -1 : x > y;
}

/* ---- states */

static inline struct sc_node_id shop_node(uint8_t rank, uint8_t n)
{
    return (struct sc_node_id){{(uint8_t)(0xf0 | rank), n, 7, 7, 7}};
}

/* One more event for the customer, at *now or later, once the timers before it have fired. */
static inline void shop_step(struct shop *sh, struct sc_state *st, struct sc_event *ev,
                             int64_t *now, struct sc_effects *fx)
{
    *now = ev->occurred_ms > *now ? ev->occurred_ms : *now;
    struct sc_moment at = {.watermark_ms = *now, .append_ms = *now, .event_clock = true};
    struct sc_input timers = {.kind = SC_IN_TIMERS, .now = at, .timers_max = 1000};
    sc_journey_step(&sh->jo, st, &timers, fx);
    ev->ids[0].node = st->node;
    struct sc_record rec = {.kind = SC_REC_EVENT, .to = st->node, .home = st->node, .ev = ev};
    struct sc_input in = {.kind = SC_IN_RECORD, .now = at, .rec = &rec};
    sc_journey_step(&sh->jo, st, &in, fx);
}

/* The customer after the events in the order given, timers fired as time goes on. */
static inline struct sc_state *shop_play(struct shop *sh, struct sc_node_id node,
                                         struct sc_event **evs, uint32_t n)
{
    struct sc_state *st = sc_state_new(&sh->jo, node, &sh->ar);
    struct sc_effects fx;
    sc_effects_init(&fx, &sh->ar);
    int64_t now = SHOP_START - SC_DAY_MS;
    for (uint32_t i = 0; i < n; i++)
        shop_step(sh, st, evs[i], &now, &fx);
    return st;
}

static inline struct sc_str shop_bytes(struct shop *sh, const struct sc_state *st)
{
    struct sc_buf out = {.ar = &sh->ar};
    bool all = sc_state_encode(&sh->jo, st, &out);
    SC_ASSERT(all);
    return sc_buf_view(&out);
}

/* A copy that shares nothing. */
static inline struct sc_state *shop_copy(struct shop *sh, const struct sc_state *st)
{
    struct sc_state *copy = sc_state_decode(&sh->jo, st->node, shop_bytes(sh, st), &sh->ar);
    SC_ASSERT(copy != NULL);
    return copy;
}

#endif
