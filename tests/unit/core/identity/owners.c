/* See owners.h. */
#include "owners.h"

#include <criterion/criterion.h>

static const char taxonomy_text[] =
    "taxonomy: t\n"
    "version: 1.0.0\n"
    "namespaces:\n"
    "  account_id: { priority: 1, unique: true }\n"
    "  email: { priority: 2, limit: 2 }\n"
    "  phone: { priority: 3, limit: 2, within: 30d }\n"
    "  tablet: { priority: 8, ambiguous: last_authenticated }\n"
    "  device_id: { priority: 9, limit: 20 }\n"
    "events:\n"
    "  seen: {}\n"
    "  bought: { role: purchase }\n"
    "  forget: { role: forget }\n";
static const char journey_text[] =
    "journey: j\n"
    "taxonomy: t.yaml\n"
    "stages:\n"
    "  - { name: new, initial: true }\n"
    "  - { name: loyal, when: 'count(\"bought\") >= 2' }\n"
    "milestones: { second: 'count(\"bought\") >= 2' }\n"
    "triggers:\n"
    "  - { name: edge, when: 'count(\"bought\") >= 2', channels: [sms] }\n"
    "  - { name: quiet, start: 'event.name == \"seen\"', after: '1h without [bought]', channels: [sms] }\n"
    "channels: { sms: {} }\n";

static const uint8_t ranks[NODES] = {1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 5};

void owners_init(struct owners *w)
{
    memset(w, 0, sizeof(*w));
    sc_arena_init(&w->ar);
    sc_diag_init(&w->dg, &w->ar);
    struct sc_node *doc = sc_node_parse(SC_STR("t.yaml"), sc_str_from(taxonomy_text), NULL, NULL,
                                        &w->ar, &w->dg);
    cr_assert(doc && sc_taxonomy_load(&w->tx, doc, &w->ar, &w->dg));
    doc = sc_node_parse(SC_STR("j.yaml"), sc_str_from(journey_text), NULL, NULL, &w->ar, &w->dg);
    bool ok = doc && sc_journey_load(&w->jo, &w->tx, doc, &w->ar, &w->dg);
    struct sc_buf out = {.ar = &w->ar};
    sc_diag_render(&w->dg, SC_DIAG_TEXT, false, &out);
    cr_assert(ok, "%.*s", SC_STR_FMT(sc_buf_view(&out)));
    sc_effects_init(&w->fx, &w->ar);
    for (int i = 0; i < NODES; i++) {
        w->nodes[i].b[0] = (uint8_t)(0xf0 | ranks[i]);
        w->nodes[i].b[1] = (uint8_t)i;
        w->st[i] = sc_state_new(&w->jo, w->nodes[i], &w->ar);
    }
}

void owners_fini(struct owners *w)
{
    sc_journey_fini(&w->jo);
    sc_taxonomy_fini(&w->tx);
    sc_arena_fini(&w->ar);
}

void owners_settle(struct owners *w)
{
    struct sc_effects fx;
    sc_effects_init(&fx, &w->ar);
    for (uint32_t i = 0; i < w->queue.n; i++) {
        cr_assert_lt(i, 200, "the queue never empties");
        struct sc_record rec = w->queue.v[i];
        struct sc_input in = {.kind = SC_IN_RECORD, .rec = &rec,
                              .now = {.watermark_ms = SC_NEVER, .event_clock = true}};
        sc_journey_step(&w->jo, w->st[rec.to.b[1]], &in, &fx);
        for (uint32_t k = 0; k < fx.records.n; k++)
            SC_VEC_PUSH(&w->ar, &w->queue, fx.records.v[k]);
        for (uint32_t k = 0; k < fx.items.n; k++)
            SC_VEC_PUSH(&w->ar, &w->fx.items, fx.items.v[k]);
        for (uint32_t k = 0; k < fx.gone.n; k++)
            SC_VEC_PUSH(&w->ar, &w->fx.gone, fx.gone.v[k]);
        for (uint32_t k = 0; k < fx.hints.n; k++)
            SC_VEC_PUSH(&w->ar, &w->fx.hints, fx.hints.v[k]);
        w->fx.counts.links_refused += fx.counts.links_refused;
        w->fx.counts.large_customers += fx.counts.large_customers;
        w->fx.counts.reorder_early += fx.counts.reorder_early;
        sc_effects_clear(&fx);
    }
    w->queue.n = 0;
}

void owners_event(struct owners *w, const char *name, int64_t day, int x, int y)
{
    struct sc_event *ev = SC_NEW(&w->ar, struct sc_event);
    ev->type = (uint16_t)sc_taxonomy_event(&w->tx, sc_str_from(name));
    ev->source = SC_SOURCE_NONE;
    ev->id = sc_str_printf(&w->ar, "e%d", ++w->n_events);
    ev->id_hash = sc_event_id_hash(SC_STR_NULL, ev->id);
    ev->occurred_ms = ev->claimed_ms = day * SC_DAY_MS;
    ev->ids[ev->n_ids++].node = w->nodes[x];
    if (y >= 0)
        ev->ids[ev->n_ids++].node = w->nodes[y];
    struct sc_node_id roots[2] = {w->nodes[x], w->nodes[w->believed ? x : y >= 0 ? y : x]};
    sc_route(ev, roots, SC_VEC_ADD(&w->ar, &w->queue));
    owners_settle(w);
}

int owners_count(const struct owners *w, enum sc_effect_type type, int action)
{
    int n = 0;
    for (uint32_t i = 0; i < w->fx.items.n; i++)
        n += w->fx.items.v[i].type == type && (action < 0 || w->fx.items.v[i].action == action);
    return n;
}

bool owners_alias(const struct owners *w, int node, int parent)
{
    return w->st[node]->kind == SC_STATE_ALIAS && w->st[node]->parent.b[1] == parent;
}

void owners_step(struct owners *w, struct sc_record rec, struct sc_effects *fx)
{
    struct sc_input in = {.kind = SC_IN_RECORD, .rec = &rec, .now = {.event_clock = true}};
    sc_effects_init(fx, &w->ar);
    sc_journey_step(&w->jo, w->st[rec.to.b[1]], &in, fx);
}

const struct sc_record *owners_sent(const struct sc_effects *fx, enum sc_record_kind kind)
{
    for (uint32_t i = 0; i < fx->records.n; i++)
        if (fx->records.v[i].kind == kind)
            return &fx->records.v[i];
    return NULL;
}
