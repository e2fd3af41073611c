/* The owner, record by record: what prop/identity.c cannot see (semantics 1, 2, 5, 6, 7, 10b, 35). */
#include "core/identity/identity.h"
#include "core/journey/run.h"

#include <criterion/criterion.h>
#include <stdio.h>

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

enum { A = 0, B, E1, E2, E3, P1, P2, P3, T, D1, D2, NODES };
static const uint8_t ranks[NODES] = {1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 5};

struct world {
    struct sc_arena ar;
    struct sc_diag dg;
    struct sc_taxonomy tx;
    struct sc_journey jo;
    struct sc_node_id nodes[NODES];
    struct sc_state *st[NODES];
    struct sc_effects fx; /* all of it */
    SC_VEC(struct sc_record) queue;
    int n_events;
    bool believed; /* by resolve: that the two of an event are one already */
};

static void setup(struct world *w)
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

static void teardown(struct world *w)
{
    sc_journey_fini(&w->jo);
    sc_taxonomy_fini(&w->tx);
    sc_arena_fini(&w->ar);
}

static void settle(struct world *w)
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

/* An event with identifiers x and y (y may be -1), routed without hints (or by a wrong one), to
 * the end. */
static void event(struct world *w, const char *name, int64_t day, int x, int y)
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
    settle(w);
}

static int count(const struct world *w, enum sc_effect_type type, int action)
{
    int n = 0;
    for (uint32_t i = 0; i < w->fx.items.n; i++)
        n += w->fx.items.v[i].type == type && (action < 0 || w->fx.items.v[i].action == action);
    return n;
}

static bool alias_of(const struct world *w, int node, int parent)
{
    return w->st[node]->kind == SC_STATE_ALIAS && w->st[node]->parent.b[1] == parent;
}

Test(owner, attach_then_merge_says_all_former_ids)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, D1);
    cr_expect(alias_of(&w, D1, A));
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_ATTACH), 1);
    cr_expect_eq(count(&w, SC_FX_MERGED, -1), 0);
    cr_expect_eq(w.fx.gone.n, 0);
    event(&w, "seen", 2, E1, -1);
    event(&w, "seen", 3, P1, -1);
    event(&w, "seen", 4, E1, P1);
    event(&w, "seen", 5, A, E1);
    cr_expect_eq(count(&w, SC_FX_MERGED, -1), 2);
    const struct sc_effect *last = NULL;
    for (uint32_t i = 0; i < w.fx.items.n; i++)
        if (w.fx.items.v[i].type == SC_FX_MERGED)
            last = &w.fx.items.v[i];
    cr_assert_eq(last->n_former, 2);
    cr_expect_eq(last->former[0].b[1], E1);
    cr_expect_eq(last->former[1].b[1], P1);
    cr_expect_eq(last->customer.b[1], A);
    cr_expect(sc_str_eqz(last->rule, "account_id + email"));
    cr_expect(sc_str_eqz(last->events[0], "e5"));
    cr_expect_eq(w.st[A]->n_events, 5);
    cr_expect_eq(w.st[A]->members.n, 4);
    cr_expect_eq(w.fx.gone.n, 2);
    teardown(&w);
}

/* The nodes of one group of a merge, as text "0,9". */
static const char *group(const struct sc_effect *fx, int of)
{
    static char text[64];
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < fx->n_members; i++) {
        const struct sc_member *m = &fx->members[i];
        if (sc_node_none(&m->group) ? of < 0 : of == m->group.b[1])
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d", n ? "," : "", m->node.b[1]);
    }
    return text;
}

Test(owner, a_merge_says_who_came_with_whom)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, E1, D1); /* a customer of two */
    event(&w, "seen", 1, P1, D2); /* another */
    event(&w, "seen", 2, E1, P1); /* the first takes the second in */
    event(&w, "seen", 3, A, T);
    event(&w, "seen", 4, A, E1);  /* and is taken in itself */
    const struct sc_effect *last = NULL;
    for (uint32_t i = 0; i < w.fx.items.n; i++)
        if (w.fx.items.v[i].type == SC_FX_MERGED)
            last = &w.fx.items.v[i];
    cr_assert(last && last->n_members == 6 && last->n_former == 2);
    cr_expect_str_eq(group(last, -1), "0,8");
    cr_expect_str_eq(group(last, E1), "2,9");
    cr_expect_str_eq(group(last, P1), "5,10");
    struct sc_buf json = {.ar = &w.ar};
    sc_effect_json(&w.jo, last, &json);
    const char *groups = strstr(sc_str_printf(&w.ar, "%.*s", (int)json.len, json.p).p, "\"groups\"");
    static const char start[] = "\"groups\":{\"f1000000000000000000000000000000\":[\"f1000000000";
    cr_assert_not_null(groups);
    cr_expect_eq(strncmp(groups, start, sizeof(start) - 1), 0, "%s", groups);
    teardown(&w);
}

Test(owner, a_second_account_on_a_device_is_a_switch)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, D1);
    event(&w, "seen", 2, B, D1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT);
    cr_expect(w.st[D1]->ambiguous);
    cr_expect_eq(w.st[D1]->gen, 1);
    cr_expect_eq(w.st[A]->n_events, 1);
    cr_expect_eq(w.st[B]->n_events, 1);
    cr_expect_eq(w.st[A]->members.n, 1, "the account let the device go");
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 1);
    for (int i = 0; i < 5; i++) {
        event(&w, "seen", 3, A, D1);
        event(&w, "seen", 3, B, D1);
    }
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 1, "said once");
    cr_expect_eq(w.fx.counts.links_refused, 10);
    event(&w, "seen", 4, D1, -1);
    cr_expect_eq(w.st[D1]->n_events, 1, "its own anonymous customer");
    teardown(&w);
}

Test(owner, a_device_may_follow_the_last_who_logged_in)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, T);
    event(&w, "seen", 2, B, T);
    cr_expect(alias_of(&w, T, B));
    cr_expect(!w.st[T]->ambiguous && !w.st[B]->ambiguous);
    event(&w, "seen", 3, T, -1);
    cr_expect_eq(w.st[A]->n_events, 1);
    cr_expect_eq(w.st[B]->n_events, 2);
    cr_expect_eq(w.st[A]->members.n, 1);
    cr_expect_eq(w.st[B]->members.n, 2);
    teardown(&w);
}

/* An address turns out to be two people's: whoever joined through it alone is nobody's again. */
Test(owner, who_came_through_what_two_share_leaves_with_it)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, E1);
    event(&w, "seen", 1, A, P1);
    event(&w, "seen", 2, E1, D1);
    event(&w, "seen", 2, D1, D2); /* these two are one person's, whoever that is */
    event(&w, "seen", 2, E1, P1); /* known of A by itself */
    event(&w, "seen", 2, E1, P2);
    event(&w, "seen", 3, A, P2); /* and so is this one, since then */
    event(&w, "seen", 4, B, E1);
    cr_expect(w.st[E1]->kind == SC_STATE_ROOT && w.st[E1]->ambiguous);
    cr_expect_eq(w.st[E1]->members.n, 1);
    cr_expect_eq(w.st[A]->members.n, 3);
    cr_expect(alias_of(&w, P1, A) && alias_of(&w, P2, A));
    cr_expect(w.st[D1]->kind == SC_STATE_ROOT && !w.st[D1]->ambiguous);
    cr_expect(alias_of(&w, D2, D1));
    cr_expect_eq(w.st[D1]->members.n, 2);
    event(&w, "seen", 5, D2, -1);
    cr_expect_eq(w.st[A]->n_events, 7, "what was done stays");
    cr_expect_eq(w.st[D1]->n_events, 1);
    event(&w, "seen", 6, B, D2);
    cr_expect(alias_of(&w, D1, B), "free to join who it is");
    cr_expect_eq(w.st[B]->members.n, 3);
    teardown(&w);
}

/* The same where they had joined the address before it joined the account. */
Test(owner, who_was_with_what_two_share_leaves_with_it)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, E1, D1);
    event(&w, "seen", 1, P1, D2);
    event(&w, "seen", 2, E1, P1);
    event(&w, "seen", 3, A, D2); /* it is through D2 that the address is A's */
    event(&w, "seen", 4, B, E1);
    cr_expect_eq(w.st[A]->members.n, 3);
    cr_expect(w.st[E1]->ambiguous && w.st[E1]->members.n == 1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT);
    cr_expect_eq(w.st[P1]->kind, SC_STATE_ALIAS);
    event(&w, "seen", 5, A, D1);
    event(&w, "seen", 6, P1, -1);
    cr_expect_eq(w.st[A]->members.n, 4);
    cr_expect_eq(w.st[A]->n_events, 6);
    teardown(&w);
}

/* Resolve believed a link that was refused, or parted since: the events that came without it join. */
Test(owner, a_link_that_was_only_believed_is_made_up_for)
{
    struct world w;
    setup(&w);
    w.believed = true;
    event(&w, "seen", 1, A, E1);
    cr_expect(alias_of(&w, E1, A));
    cr_expect_eq(w.st[A]->members.n, 2);
    event(&w, "seen", 2, A, E1);
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_ATTACH), 1);
    event(&w, "seen", 3, B, E1);
    cr_expect(w.st[E1]->kind == SC_STATE_ROOT && w.st[E1]->ambiguous, "two people's");
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 1);
    event(&w, "seen", 4, A, E1);
    cr_expect_eq(w.st[A]->members.n, 1);
    cr_expect_eq(w.st[A]->n_events, 3);
    cr_expect_eq(w.st[B]->n_events, 1);
    teardown(&w);
}

Test(owner, limits_return_what_is_too_much)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, E1);
    event(&w, "seen", 2, A, E2);
    event(&w, "bought", 3, E3, -1);
    event(&w, "seen", 4, A, E3);
    cr_expect_eq(w.st[E3]->kind, SC_STATE_ROOT);
    cr_expect_eq(w.st[E3]->n_events, 1, "its state came back");
    cr_expect_eq(w.st[A]->n_events, 3);
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_RETURN), 1);
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 1);
    event(&w, "seen", 5, A, E3);
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 1);
    teardown(&w);
}

Test(owner, limits_within_a_window)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, P1);
    event(&w, "seen", 2, A, P2);
    event(&w, "seen", 31, A, P3); /* P1 was linked 30 days ago */
    cr_expect(alias_of(&w, P3, A));
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 0);
    teardown(&w);
    setup(&w);
    event(&w, "seen", 1, A, P1);
    event(&w, "seen", 2, A, P2);
    event(&w, "seen", 30, A, P3);
    cr_expect_eq(w.st[P3]->kind, SC_STATE_ROOT);
    teardown(&w);
}

Test(owner, rules_are_tried_once_over_the_merged_facts)
{
    struct world w;
    setup(&w);
    event(&w, "bought", 1, A, -1);
    event(&w, "bought", 2, D1, -1);
    event(&w, "seen", 3, A, D1);
    cr_assert_eq(count(&w, SC_FX_TRANSITION, -1), 1);
    cr_expect_eq(count(&w, SC_FX_MILESTONE, -1), 1);
    cr_expect_eq(count(&w, SC_FX_TRIGGER, -1), 0, "an edge does not fire by a merge");
    for (uint32_t i = 0; i < w.fx.items.n; i++) {
        const struct sc_effect *fx = &w.fx.items.v[i];
        if (fx->type == SC_FX_TRANSITION) {
            cr_expect_eq(fx->cause, SC_CAUSE_MERGE);
            cr_expect_eq(fx->event_ms, 3 * SC_DAY_MS);
        }
        if (fx->type == SC_FX_MILESTONE)
            cr_expect_eq(fx->event_ms, 2 * SC_DAY_MS, "the second of both sides' times");
    }
    event(&w, "bought", 4, A, -1);
    cr_expect_eq(count(&w, SC_FX_TRIGGER, -1), 0, "and counts as fired");
    teardown(&w);
}

Test(owner, a_stage_taken_over_is_a_transition)
{
    struct world w;
    setup(&w);
    event(&w, "bought", 1, D1, -1);
    event(&w, "bought", 2, D1, -1);
    event(&w, "seen", 3, A, -1);
    event(&w, "seen", 5, A, D1);
    cr_assert_eq(w.st[A]->place[0].stage, 1);
    const struct sc_effect *moved = NULL;
    for (uint32_t i = 0; i < w.fx.items.n; i++)
        if (w.fx.items.v[i].type == SC_FX_TRANSITION && w.fx.items.v[i].customer.b[1] == A) {
            cr_expect_null(moved, "once");
            moved = &w.fx.items.v[i];
        }
    cr_assert_not_null(moved);
    cr_expect(moved->from == 0 && moved->to == 1 && !moved->back);
    cr_expect_eq(moved->cause, SC_CAUSE_MERGE);
    cr_expect_eq(moved->in_stage_ms, 2 * SC_DAY_MS);
    cr_expect_eq(moved->n_events, 1);
    event(&w, "seen", 6, A, D2);
    cr_expect_eq(count(&w, SC_FX_TRANSITION, -1), 2, "who brings no stage moves nobody");
    teardown(&w);
}

/* Members or former ids that nobody met here, linked long ago. */
static void crowd(struct world *w, uint32_t former, uint32_t members)
{
    struct sc_state *st = w->st[A];
    for (uint32_t i = 0; i < former || i < members; i++) {
        struct sc_node_id node = {{0xf3, 0xee, (uint8_t)(i >> 8), (uint8_t)i}};
        struct sc_member m = {.node = node, .linked_ms = -400 * SC_DAY_MS};
        if (i < former)
            SC_VEC_PUSH(&w->ar, &st->former, node);
        if (i < members)
            SC_VEC_PUSH(&w->ar, &st->members, m);
    }
}

/* Past a ceiling events still resolve, nothing links, and it is said; from half of it on it warns. */
Test(owner, ceilings_of_merges_and_identifiers)
{
    struct { uint32_t former, members; int violation, large; } rows[] = {
        {SC_MERGES_MAX, 0, SC_VIOLATION_MERGES, 0},
        {SC_MERGES_MAX - 1, 0, SC_VIOLATION_NONE, 1},
        {0, SC_MEMBERS_MAX - 1, SC_VIOLATION_IDENTIFIERS, 0},
        {0, SC_MEMBERS_MAX - 2, SC_VIOLATION_NONE, 1},
        {SC_MERGES_MAX / 2, 0, SC_VIOLATION_NONE, 1},
        {SC_MERGES_MAX / 2 - 1, SC_MEMBERS_MAX / 2 - 2, SC_VIOLATION_NONE, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w;
        setup(&w);
        event(&w, "seen", 1, A, -1);
        event(&w, "seen", 2, E1, -1);
        crowd(&w, rows[i].former, rows[i].members);
        event(&w, "seen", 3, A, E1);
        bool refused = rows[i].violation != SC_VIOLATION_NONE;
        cr_expect_eq(w.st[E1]->kind, refused ? SC_STATE_ROOT : SC_STATE_ALIAS, "row %zu", i);
        cr_expect_eq(w.st[A]->n_events, refused ? 2 : 3, "row %zu", i);
        cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), refused, "row %zu", i);
        for (uint32_t k = 0; k < w.fx.items.n; k++)
            if (w.fx.items.v[k].action == SC_ID_VIOLATION)
                cr_expect_eq(w.fx.items.v[k].violation, rows[i].violation, "row %zu", i);
        cr_expect_eq((int)w.fx.counts.large_customers, rows[i].large, "row %zu", i);
        teardown(&w);
    }
}

/* Two who waited for their turn become one: still at most 256 wait. */
Test(owner, a_merge_keeps_the_bound_of_what_waits)
{
    struct world w;
    setup(&w);
    w.jo.reorder_ms = 100 * SC_DAY_MS;
    for (int i = 0; i < 200; i++) {
        event(&w, "seen", 1, A, -1);
        event(&w, "bought", 1, D1, -1);
    }
    cr_assert_eq(w.st[A]->waiting.n, 200);
    event(&w, "seen", 2, A, D1);
    cr_expect(alias_of(&w, D1, A));
    cr_expect_eq(w.st[A]->waiting.n, SC_WAITING_MAX);
    cr_expect_eq(w.st[A]->n_events, 401 - SC_WAITING_MAX);
    cr_expect_eq(w.fx.counts.reorder_early, 401 - SC_WAITING_MAX);
    teardown(&w);
}

Test(owner, held_out_if_either_was)
{
    struct world w;
    setup(&w);
    struct sc_trigger *edge = &w.jo.triggers[0];
    struct sc_experiment x = {.name = SC_STR("x")};
    edge->experiment = 0;
    w.jo.experiments = &x;
    w.jo.n_experiments = 1;
    int loser = -1;
    for (x.holdout_bp = 1; x.holdout_bp < 10000 && loser < 0; x.holdout_bp++)
        for (int i = E1; i < NODES && loser < 0; i++)
            if (sc_experiment_holds_out(&x, &w.nodes[i]) &&
                !sc_experiment_holds_out(&x, &w.nodes[A]))
                loser = i;
    x.holdout_bp--;
    cr_assert_geq(loser, 0);
    event(&w, "seen", 1, loser, -1);
    event(&w, "bought", 2, A, loser);
    event(&w, "bought", 3, A, -1);
    cr_expect_eq(count(&w, SC_FX_TRIGGER, -1), 0);
    cr_expect_eq(count(&w, SC_FX_SUPPRESSED, -1), 1);
    for (uint32_t i = 0; i < w.fx.items.n; i++)
        if (w.fx.items.v[i].type == SC_FX_SUPPRESSED)
            cr_expect_eq(w.fx.items.v[i].reason, SC_REASON_HOLDOUT);
    teardown(&w);
}

Test(owner, silences_of_both_sides_are_one_customer_s)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, D1, -1);
    cr_assert_eq(w.st[D1]->timers.n, 1);
    event(&w, "bought", 1, A, -1); /* the same instant: inside the silence */
    event(&w, "bought", 2, A, D1);
    uint32_t silences = 0;
    for (uint32_t i = 0; i < w.st[A]->timers.n; i++)
        silences += w.st[A]->timers.v[i].kind == SC_TIMER_SILENCE;
    cr_expect_eq(silences, 0);
    teardown(&w);
}

Test(owner, a_command_splits_and_they_stay_apart)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, D1);
    event(&w, "seen", 1, D1, D2);
    struct sc_record *split = SC_VEC_ADD(&w.ar, &w.queue);
    *split = (struct sc_record){.kind = SC_REC_SPLIT, .to = w.nodes[D1], .node = w.nodes[D1]};
    settle(&w);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT);
    cr_expect(!w.st[D1]->ambiguous);
    cr_expect_eq(w.st[D1]->members.n, 2, "with who had come through it");
    cr_expect_eq(w.st[A]->members.n, 1);
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 0);
    event(&w, "seen", 2, D2, -1);
    cr_expect_eq(w.st[D1]->n_events, 1);
    event(&w, "seen", 3, A, D1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT, "not linked again");
    teardown(&w);
}

static struct sc_record *command(struct world *w, enum sc_record_kind kind, int node)
{
    struct sc_record *rec = SC_VEC_ADD(&w->ar, &w->queue);
    *rec = (struct sc_record){.kind = (uint8_t)kind, .to = w->nodes[node],
                              .by = SC_STR("ada"), .why = SC_STR("two people")};
    if (kind == SC_REC_SPLIT)
        rec->node = w->nodes[node];
    return rec;
}

/* An effect is read when the steps after it were taken too: it holds nothing that they change. */
Test(owner, what_a_merge_said_stands_whatever_comes_after)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, E1, D1);
    event(&w, "seen", 2, A, T);
    event(&w, "seen", 3, A, P1);
    event(&w, "seen", 4, A, E1);
    const struct sc_effect said = w.fx.items.v[w.fx.items.n - 1];
    cr_assert_eq(said.type, SC_FX_MERGED);
    cr_assert_str_eq(group(&said, -1), "0,5,8");
    command(&w, SC_REC_SPLIT, P1);
    settle(&w);
    cr_assert_eq(w.st[A]->members.n, 4);
    cr_expect_str_eq(group(&said, -1), "0,5,8");
    cr_expect_str_eq(group(&said, E1), "2,9");
    teardown(&w);
}

/* `identity split A E1 P1`: both leave, become one customer, and never go back. */
Test(owner, who_is_split_off_together_stays_together)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, E1);
    event(&w, "seen", 1, A, P1);
    event(&w, "seen", 1, P1, D1); /* goes along */
    command(&w, SC_REC_SPLIT, E1);
    command(&w, SC_REC_SPLIT, P1);
    struct sc_record *link = command(&w, SC_REC_LINK, P1);
    link->home = w.nodes[E1];
    link->links[link->n_links++] = (struct sc_link){w.nodes[E1], w.nodes[P1], w.nodes[E1],
                                                    w.nodes[P1]};
    uint32_t before = w.fx.items.n;
    settle(&w);
    cr_expect_eq(w.st[E1]->kind, SC_STATE_ROOT);
    cr_expect(alias_of(&w, P1, E1));
    cr_expect_eq(w.st[E1]->members.n, 3);
    cr_expect_eq(w.st[A]->members.n, 1);
    for (uint32_t i = before; i < w.fx.items.n; i++) {
        cr_expect(sc_str_eqz(w.fx.items.v[i].by, "ada"), "said of item %u", i);
        cr_expect(sc_str_eqz(w.fx.items.v[i].why, "two people"));
        cr_expect_eq(w.fx.items.v[i].violation, SC_VIOLATION_NONE);
    }
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_SPLIT), 5, "three that left A, two that parted");
    for (int day = 2; day < 5; day++) {
        event(&w, "seen", day, A, P1);
        event(&w, "seen", day, A, E1);
        event(&w, "seen", day, E1, D1);
    }
    cr_expect_eq(w.st[E1]->kind, SC_STATE_ROOT, "never again");
    cr_expect_eq(w.st[A]->members.n, 1);
    cr_expect_eq(w.st[A]->n_events, 9);
    cr_expect_eq(w.st[E1]->n_events, 3);
    event(&w, "seen", 6, A, D2);
    const struct sc_effect *attach = &w.fx.items.v[w.fx.items.n - 1];
    cr_expect(attach->action == SC_ID_ATTACH && attach->by.len == 0, "events are nobody's word");
    teardown(&w);
}

/* Whoever is a member already, since it came along with a split, and whose state arrives only then. */
Test(owner, a_state_that_comes_after_its_node_ends_the_customer_it_was)
{
    struct world w, elsewhere;
    setup(&w);
    setup(&elsewhere);
    elsewhere.n_events = 50;
    event(&w, "seen", 1, E1, D1);
    event(&elsewhere, "seen", 2, D1, -1);
    cr_assert_eq(elsewhere.st[D1]->n_events, 1);
    struct sc_record *state = SC_VEC_ADD(&w.ar, &w.queue);
    *state = (struct sc_record){.kind = SC_REC_STATE, .to = w.nodes[E1], .node = w.nodes[D1],
                                .state = elsewhere.st[D1]};
    settle(&w);
    cr_expect_eq(w.st[E1]->n_events, 2);
    cr_expect_eq(w.st[E1]->members.n, 2);
    cr_expect_eq(w.fx.gone.n, 0, "its line was withdrawn where its state was sent");
    cr_assert_eq(w.st[E1]->former.n, 1, "its id is remembered");
    cr_expect_eq(w.st[E1]->former.v[0].b[1], D1);
    cr_expect_eq(count(&w, SC_FX_MERGED, -1), 1);
    teardown(&elsewhere);
    teardown(&w);
}

/* Only its own owner speaks of a customer's line: another's word could come behind a newer one. */
Test(owner, a_line_is_withdrawn_where_it_is_written)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, D1, -1);
    struct sc_effects fx;
    sc_effects_init(&fx, &w.ar);
    struct sc_record *link = SC_VEC_ADD(&w.ar, &w.queue);
    *link = (struct sc_record){.kind = SC_REC_LINK, .to = w.nodes[D1], .home = w.nodes[A]};
    link->links[link->n_links++] = (struct sc_link){w.nodes[A], w.nodes[D1], w.nodes[A],
                                                    w.nodes[D1]};
    struct sc_input in = {.kind = SC_IN_RECORD, .rec = link, .now = {.event_clock = true}};
    sc_journey_step(&w.jo, w.st[D1], &in, &fx);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ALIAS);
    cr_assert_eq(fx.gone.n, 1);
    cr_expect_eq(fx.gone.v[0].b[1], D1);
    teardown(&w);
}

Test(owner, forgetting_reaches_every_member)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, D1);
    event(&w, "seen", 2, E1, D1);
    event(&w, "forget", 3, A, -1);
    static const int all[] = {A, E1, D1};
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(w.st[all[i]]->kind, SC_STATE_ERASED);
        cr_expect_eq(w.st[all[i]]->erased_ms, 3 * SC_DAY_MS);
    }
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_ERASE), 1, "one receipt");
    cr_expect_eq(w.fx.gone.v[w.fx.gone.n - 1].b[1], A);
    event(&w, "seen", 2, D1, -1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ERASED);
    event(&w, "seen", 4, D1, -1);
    cr_expect_eq(w.st[D1]->n_events, 1);
    cr_expect_eq(w.st[A]->n_events, 0, "a new customer");
    teardown(&w);
}

Test(owner, a_command_to_forget_finds_the_root)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, D1);
    struct sc_record *erase = SC_VEC_ADD(&w.ar, &w.queue);
    *erase = (struct sc_record){.kind = SC_REC_ERASE, .to = w.nodes[D1],
                                .erase_ms = 9 * SC_DAY_MS, .by = SC_STR("ada")};
    settle(&w);
    const struct sc_effect *receipt = &w.fx.items.v[w.fx.items.n - 1];
    cr_expect(receipt->action == SC_ID_ERASE && sc_str_eqz(receipt->by, "ada"));
    cr_expect_eq(w.fx.gone.v[w.fx.gone.n - 1].b[1], A, "its customer line is withdrawn");
    cr_expect_eq(w.st[A]->kind, SC_STATE_ERASED);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ERASED);
    cr_expect_eq(count(&w, SC_FX_IDENTITY, SC_ID_ERASE), 1);
    teardown(&w);
}

Test(owner, a_stale_hint_costs_a_hop)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, D1);
    event(&w, "seen", 2, B, D1); /* D1 is its own now */
    struct sc_event *ev = SC_NEW(&w.ar, struct sc_event);
    *ev = (struct sc_event){.type = 0, .id = SC_STR("x"), .id_hash = 77, .n_ids = 1,
                            .occurred_ms = 3 * SC_DAY_MS};
    ev->ids[0].node = w.nodes[D1];
    sc_route(ev, &w.nodes[A], SC_VEC_ADD(&w.ar, &w.queue)); /* as if it were A's still */
    settle(&w);
    cr_expect_eq(w.st[A]->n_events, 1);
    cr_expect_eq(w.st[D1]->n_events, 1);
    teardown(&w);
}

/* An alias that has not seen D1 yet: D1's state, and what it has counted, may still be on its way. */
Test(owner, a_hint_never_overtakes_a_state)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, A, E1);
    cr_assert(alias_of(&w, E1, A));
    struct sc_event *ev = SC_NEW(&w.ar, struct sc_event);
    *ev = (struct sc_event){.type = 0, .id = SC_STR("x"), .id_hash = 77, .n_ids = 1,
                            .occurred_ms = 3 * SC_DAY_MS};
    ev->ids[0].node = w.nodes[D1];
    sc_route(ev, &w.nodes[E1], SC_VEC_ADD(&w.ar, &w.queue));
    settle(&w);
    cr_expect_eq(w.st[A]->n_events, 1);
    cr_expect_eq(w.st[D1]->n_events, 1);
    teardown(&w);
}

/* A state that wandered past its node's LEAVE: the customer asks, and the node goes again. */
Test(owner, who_left_before_its_state_came_is_no_member)
{
    struct world w, elsewhere;
    setup(&w);
    setup(&elsewhere);
    event(&w, "seen", 1, A, -1);
    elsewhere.n_events = 50;
    event(&elsewhere, "seen", 2, D1, -1);
    w.st[D1]->gen = 1; /* a root again */
    struct sc_record *state = SC_VEC_ADD(&w.ar, &w.queue);
    *state = (struct sc_record){.kind = SC_REC_STATE, .to = w.nodes[A], .node = w.nodes[D1],
                                .hops = 2, .state = elsewhere.st[D1]};
    settle(&w);
    cr_expect_eq(w.st[A]->members.n, 1);
    cr_expect_eq(w.st[A]->n_events, 2, "what it had done stays");
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT);
    teardown(&elsewhere);
    teardown(&w);
}

/* One record at its owner; what follows from it is in `fx`, and handled by nobody. */
static void step(struct world *w, struct sc_record rec, struct sc_effects *fx)
{
    struct sc_input in = {.kind = SC_IN_RECORD, .rec = &rec, .now = {.event_clock = true}};
    sc_effects_init(fx, &w->ar);
    sc_journey_step(&w->jo, w->st[rec.to.b[1]], &in, fx);
}

static const struct sc_record *sent(const struct sc_effects *fx, enum sc_record_kind kind)
{
    for (uint32_t i = 0; i < fx->records.n; i++)
        if (fx->records.v[i].kind == kind)
            return &fx->records.v[i];
    return NULL;
}

Test(owner, who_left_while_the_state_was_away_is_not_back_with_it)
{
    struct world w;
    struct sc_effects fx;
    setup(&w);
    event(&w, "seen", 1, E1, D1);
    struct sc_record link = {.kind = SC_REC_LINK, .to = w.nodes[E1], .home = w.nodes[A], .n_links = 1};
    link.links[0] = (struct sc_link){w.nodes[A], w.nodes[E1], w.nodes[A], w.nodes[E1]};
    step(&w, link, &fx);
    const struct sc_record *moved = sent(&fx, SC_REC_STATE);
    cr_assert(moved && moved->state->members.n == 2);
    struct sc_record back = {.kind = SC_REC_RETURN, .to = w.nodes[E1], .node = w.nodes[E1],
                             .other = w.nodes[A], .state = moved->state,
                             .violation = SC_VIOLATION_LIMIT};
    step(&w, (struct sc_record){.kind = SC_REC_LEAVE, .to = w.nodes[E1], .node = w.nodes[D1],
                                .ambiguous = true}, &fx);
    step(&w, back, &fx);
    cr_expect_eq(w.st[E1]->kind, SC_STATE_ROOT);
    cr_expect_eq(w.st[E1]->members.n, 1);
    teardown(&w);
}

/* What an owner is told of another's member may be old: the two customers have become one since. */
Test(owner, hearsay_of_ones_own_is_void)
{
    struct world w;
    struct sc_effects fx;
    setup(&w);
    event(&w, "seen", 1, A, E1);
    struct sc_record leave = {.kind = SC_REC_LEAVE, .to = w.nodes[A], .node = w.nodes[E1],
                              .other = w.nodes[A], .let_go = true};
    step(&w, leave, &fx);
    cr_expect_eq(w.st[A]->members.n, 2);
    leave.other = w.nodes[E2];
    step(&w, leave, &fx);
    cr_expect_eq(w.st[A]->members.n, 1, "it is with a stranger");
    teardown(&w);
}

/* E1 came by D1, which is no member, and now D1 comes by E1: they are here for each other alone. */
Test(owner, nobody_is_here_for_himself)
{
    struct world w;
    struct sc_effects fx;
    setup(&w);
    event(&w, "seen", 1, A, E1);
    for (uint32_t i = 0; i < w.st[A]->members.n; i++)
        if (w.st[A]->members.v[i].node.b[1] == E1)
            w.st[A]->members.v[i].through = w.nodes[D1];
    struct sc_record state = {.kind = SC_REC_STATE, .to = w.nodes[A], .node = w.nodes[D1],
                              .state = w.st[D1]};
    state.link = (struct sc_link){w.nodes[E1], w.nodes[D1], w.nodes[A], w.nodes[D1]};
    step(&w, state, &fx);
    cr_expect_eq(w.st[A]->members.n, 1);
    const struct sc_record *back = sent(&fx, SC_REC_RETURN), *split = sent(&fx, SC_REC_SPLIT);
    cr_assert(back && back->to.b[1] == D1 && back->violation == SC_VIOLATION_NONE);
    cr_assert(split && split->to.b[1] == E1 && split->let_go);
    cr_expect(sent(&fx, SC_REC_LINK), "and they are linked anew");
    cr_expect_eq(w.st[A]->must_not.n, 0, "nobody remembers it");
    teardown(&w);
}

/* A generation that began anew would be taken for one that was absorbed long ago. */
Test(owner, generations_are_not_used_up)
{
    struct world w;
    setup(&w);
    event(&w, "seen", 1, D1, -1);
    w.st[D1]->gen = w.st[D1]->members.v[0].gen = UINT16_MAX;
    event(&w, "seen", 2, A, D1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ALIAS);
    event(&w, "seen", 3, B, D1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT);
    cr_expect_eq(w.st[D1]->gen, UINT16_MAX + 1u);
    cr_expect_eq(w.st[A]->members.n, 1, "the account let the device go");
    teardown(&w);
}

Test(owner, routes)
{
    struct world w;
    setup(&w);
    struct sc_event *ev = SC_NEW(&w.ar, struct sc_event);
    ev->n_ids = 3;
    ev->ids[0].node = w.nodes[E1];
    ev->ids[1].node = w.nodes[P1];
    ev->ids[2].node = w.nodes[D1];
    struct sc_node_id roots[3] = {w.nodes[E1], w.nodes[A], w.nodes[A]};
    struct sc_record rec;
    sc_route(ev, roots, &rec);
    cr_expect_eq(rec.n_links, 1, "one link for each other root");
    cr_expect(sc_node_eq(&rec.home, &w.nodes[E1]));
    cr_expect(sc_node_eq(&rec.to, &w.nodes[E1]), "the larger root decides");
    roots[1] = roots[2] = w.nodes[E1];
    sc_route(ev, roots, &rec);
    cr_expect_eq(rec.n_links, 0);
    teardown(&w);
}
