/* Records that cross: a state that wanders, a question, an old hint, hearsay (docs/adr/0002). */
#include "owners.h"

#include <criterion/criterion.h>

/* An event of D1 alone, as a hint sends it. */
static void event_by_hint(struct owners *w, int root)
{
    struct sc_event *ev = SC_NEW(&w->ar, struct sc_event);
    *ev = (struct sc_event){.type = 0, .id = SC_STR("x"), .id_hash = 77, .n_ids = 1,
                            .occurred_ms = 3 * SC_DAY_MS};
    ev->ids[0].node = w->nodes[D1];
    sc_route(ev, &w->nodes[root], SC_VEC_ADD(&w->ar, &w->queue));
    owners_settle(w);
}

/* Whoever is a member already, since it came along with a split, and whose state arrives only then. */
Test(owner, a_state_that_comes_after_its_node_ends_the_customer_it_was)
{
    struct owners w, elsewhere;
    owners_init(&w);
    owners_init(&elsewhere);
    elsewhere.n_events = 50;
    owners_event(&w, "seen", 1, E1, D1);
    owners_event(&elsewhere, "seen", 2, D1, -1);
    cr_assert_eq(elsewhere.st[D1]->n_events, 1);
    struct sc_record *state = SC_VEC_ADD(&w.ar, &w.queue);
    *state = (struct sc_record){.kind = SC_REC_STATE, .to = w.nodes[E1], .node = w.nodes[D1],
                                .state = elsewhere.st[D1]};
    owners_settle(&w);
    cr_expect_eq(w.st[E1]->n_events, 2);
    cr_expect_eq(w.st[E1]->members.n, 2);
    cr_expect_eq(w.fx.gone.n, 0, "its line was withdrawn where its state was sent");
    cr_assert_eq(w.st[E1]->former.n, 1, "its id is remembered");
    cr_expect_eq(w.st[E1]->former.v[0].b[1], D1);
    cr_expect_eq(owners_count(&w, SC_FX_MERGED, -1), 1);
    owners_fini(&elsewhere);
    owners_fini(&w);
}

/* Only its own owner speaks of a customer's line: another's word could come behind a newer one. */
Test(owner, a_line_is_withdrawn_where_it_is_written)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, D1, -1);
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
    owners_fini(&w);
}

Test(owner, a_stale_hint_costs_a_hop)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, D1);
    owners_event(&w, "seen", 2, B, D1); /* D1 is its own now */
    event_by_hint(&w, A); /* as if it were A's still */
    cr_expect_eq(w.st[A]->n_events, 1);
    cr_expect_eq(w.st[D1]->n_events, 1);
    owners_fini(&w);
}

/* An alias that has not seen D1 yet: D1's state, and what it has counted, may still be on its way. */
Test(owner, a_hint_never_overtakes_a_state)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, E1);
    cr_assert(owners_alias(&w, E1, A));
    event_by_hint(&w, E1);
    cr_expect_eq(w.st[A]->n_events, 1);
    cr_expect_eq(w.st[D1]->n_events, 1);
    owners_fini(&w);
}

/* A state that wandered past its node's LEAVE: the customer asks, and the node goes again. */
Test(owner, who_left_before_its_state_came_is_no_member)
{
    struct owners w, elsewhere;
    owners_init(&w);
    owners_init(&elsewhere);
    owners_event(&w, "seen", 1, A, -1);
    elsewhere.n_events = 50;
    owners_event(&elsewhere, "seen", 2, D1, -1);
    w.st[D1]->gen = 1; /* a root again */
    struct sc_record *state = SC_VEC_ADD(&w.ar, &w.queue);
    *state = (struct sc_record){.kind = SC_REC_STATE, .to = w.nodes[A], .node = w.nodes[D1],
                                .hops = 2, .state = elsewhere.st[D1]};
    owners_settle(&w);
    cr_expect_eq(w.st[A]->members.n, 1);
    cr_expect_eq(w.st[A]->n_events, 2, "what it had done stays");
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT);
    owners_fini(&elsewhere);
    owners_fini(&w);
}

Test(owner, who_left_while_the_state_was_away_is_not_back_with_it)
{
    struct owners w;
    struct sc_effects fx;
    owners_init(&w);
    owners_event(&w, "seen", 1, E1, D1);
    struct sc_record link = {.kind = SC_REC_LINK, .to = w.nodes[E1], .home = w.nodes[A],
                             .n_links = 1};
    link.links[0] = (struct sc_link){w.nodes[A], w.nodes[E1], w.nodes[A], w.nodes[E1]};
    owners_step(&w, link, &fx);
    const struct sc_record *moved = owners_sent(&fx, SC_REC_STATE);
    cr_assert(moved && moved->state->members.n == 2);
    struct sc_record back = {.kind = SC_REC_RETURN, .to = w.nodes[E1], .node = w.nodes[E1],
                             .other = w.nodes[A], .state = moved->state,
                             .violation = SC_VIOLATION_LIMIT};
    owners_step(&w, (struct sc_record){.kind = SC_REC_LEAVE, .to = w.nodes[E1], .node = w.nodes[D1],
                                .ambiguous = true}, &fx);
    owners_step(&w, back, &fx);
    cr_expect_eq(w.st[E1]->kind, SC_STATE_ROOT);
    cr_expect_eq(w.st[E1]->members.n, 1);
    owners_fini(&w);
}

Test(owner, who_answers_where_one_is_has_it_and_its_way)
{
    struct owners w;
    struct sc_effects fx;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, D1);
    struct sc_record ask = {.kind = SC_REC_ASK, .to = w.nodes[A], .node = w.nodes[D1],
                            .gen = UINT32_MAX, .other = w.nodes[E2], .has_via = true,
                            .via = w.nodes[E1]};
    owners_step(&w, ask, &fx);
    const struct sc_record *again = owners_sent(&fx, SC_REC_ASK);
    cr_assert(again && again->to.b[1] == D1 && !again->has_via, "E1's state is not here");
    cr_expect_null(owners_sent(&fx, SC_REC_LEAVE));
    ask.via = w.nodes[D1];
    owners_step(&w, ask, &fx);
    const struct sc_record *leave = owners_sent(&fx, SC_REC_LEAVE);
    cr_assert(leave && leave->to.b[1] == E2 && leave->other.b[1] == A && leave->let_go);
    ask.other = w.nodes[A];
    owners_step(&w, ask, &fx);
    cr_expect_eq(fx.records.n, 0, "who asks has it");
    owners_fini(&w);
}

/* What an owner is told of another's member may be old: the two customers have become one since. */
Test(owner, hearsay_of_ones_own_is_void)
{
    struct owners w;
    struct sc_effects fx;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, E1);
    struct sc_record leave = {.kind = SC_REC_LEAVE, .to = w.nodes[A], .node = w.nodes[E1],
                              .other = w.nodes[A], .let_go = true};
    owners_step(&w, leave, &fx);
    cr_expect_eq(w.st[A]->members.n, 2);
    leave.other = w.nodes[E2];
    owners_step(&w, leave, &fx);
    cr_expect_eq(w.st[A]->members.n, 1, "it is with a stranger");
    owners_fini(&w);
}

/* E1 came by D1, which is no member, and now D1 comes by E1: they are here for each other alone. */
Test(owner, nobody_is_here_for_himself)
{
    struct owners w;
    struct sc_effects fx;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, E1);
    for (uint32_t i = 0; i < w.st[A]->members.n; i++)
        if (w.st[A]->members.v[i].node.b[1] == E1)
            w.st[A]->members.v[i].through = w.nodes[D1];
    struct sc_record state = {.kind = SC_REC_STATE, .to = w.nodes[A], .node = w.nodes[D1],
                              .state = w.st[D1]};
    state.link = (struct sc_link){w.nodes[E1], w.nodes[D1], w.nodes[A], w.nodes[D1]};
    owners_step(&w, state, &fx);
    cr_expect_eq(w.st[A]->members.n, 1);
    const struct sc_record *back = owners_sent(&fx, SC_REC_RETURN);
    const struct sc_record *split = owners_sent(&fx, SC_REC_SPLIT);
    cr_assert(back && back->to.b[1] == D1 && back->violation == SC_VIOLATION_NONE);
    cr_assert(split && split->to.b[1] == E1 && split->let_go);
    cr_expect(owners_sent(&fx, SC_REC_LINK), "and they are linked anew");
    cr_expect_eq(w.st[A]->must_not.n, 0, "nobody remembers it");
    owners_fini(&w);
}
