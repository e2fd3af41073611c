/* The owner, record by record: what prop/identity.c cannot see (semantics 1, 2, 5, 6, 7, 10b, 35). */
#include "owners.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(owner, attach_then_merge_says_all_former_ids)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, D1);
    cr_expect(owners_alias(&w, D1, A));
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_ATTACH), 1);
    cr_expect_eq(owners_count(&w, SC_FX_MERGED, -1), 0);
    cr_expect_eq(w.fx.gone.n, 0);
    owners_event(&w, "seen", 2, E1, -1);
    owners_event(&w, "seen", 3, P1, -1);
    owners_event(&w, "seen", 4, E1, P1);
    owners_event(&w, "seen", 5, A, E1);
    cr_expect_eq(owners_count(&w, SC_FX_MERGED, -1), 2);
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
    owners_fini(&w);
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
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, E1, D1); /* a customer of two */
    owners_event(&w, "seen", 1, P1, D2); /* another */
    owners_event(&w, "seen", 2, E1, P1); /* the first takes the second in */
    owners_event(&w, "seen", 3, A, T);
    owners_event(&w, "seen", 4, A, E1);  /* and is taken in itself */
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
    owners_fini(&w);
}

Test(owner, a_second_account_on_a_device_is_a_switch)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, D1);
    owners_event(&w, "seen", 2, B, D1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT);
    cr_expect(w.st[D1]->ambiguous);
    cr_expect_eq(w.st[D1]->gen, 1);
    cr_expect_eq(w.st[A]->n_events, 1);
    cr_expect_eq(w.st[B]->n_events, 1);
    cr_expect_eq(w.st[A]->members.n, 1, "the account let the device go");
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 1);
    for (int i = 0; i < 5; i++) {
        owners_event(&w, "seen", 3, A, D1);
        owners_event(&w, "seen", 3, B, D1);
    }
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 1, "said once");
    cr_expect_eq(w.fx.counts.links_refused, 10);
    owners_event(&w, "seen", 4, D1, -1);
    cr_expect_eq(w.st[D1]->n_events, 1, "its own anonymous customer");
    owners_fini(&w);
}

Test(owner, a_device_may_follow_the_last_who_logged_in)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, T);
    owners_event(&w, "seen", 2, B, T);
    cr_expect(owners_alias(&w, T, B));
    cr_expect(!w.st[T]->ambiguous && !w.st[B]->ambiguous);
    owners_event(&w, "seen", 3, T, -1);
    cr_expect_eq(w.st[A]->n_events, 1);
    cr_expect_eq(w.st[B]->n_events, 2);
    cr_expect_eq(w.st[A]->members.n, 1);
    cr_expect_eq(w.st[B]->members.n, 2);
    owners_fini(&w);
}

/* An address turns out to be two people's: whoever joined through it alone is nobody's again. */
Test(owner, who_came_through_what_two_share_leaves_with_it)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, E1);
    owners_event(&w, "seen", 1, A, P1);
    owners_event(&w, "seen", 2, E1, D1);
    owners_event(&w, "seen", 2, D1, D2); /* these two are one person's, whoever that is */
    owners_event(&w, "seen", 2, E1, P1); /* known of A by itself */
    owners_event(&w, "seen", 2, E1, P2);
    owners_event(&w, "seen", 3, A, P2); /* and so is this one, since then */
    owners_event(&w, "seen", 4, B, E1);
    cr_expect(w.st[E1]->kind == SC_STATE_ROOT && w.st[E1]->ambiguous);
    cr_expect_eq(w.st[E1]->members.n, 1);
    cr_expect_eq(w.st[A]->members.n, 3);
    cr_expect(owners_alias(&w, P1, A) && owners_alias(&w, P2, A));
    cr_expect(w.st[D1]->kind == SC_STATE_ROOT && !w.st[D1]->ambiguous);
    cr_expect(owners_alias(&w, D2, D1));
    cr_expect_eq(w.st[D1]->members.n, 2);
    owners_event(&w, "seen", 5, D2, -1);
    cr_expect_eq(w.st[A]->n_events, 7, "what was done stays");
    cr_expect_eq(w.st[D1]->n_events, 1);
    owners_event(&w, "seen", 6, B, D2);
    cr_expect(owners_alias(&w, D1, B), "free to join who it is");
    cr_expect_eq(w.st[B]->members.n, 3);
    owners_fini(&w);
}

/* The same where they had joined the address before it joined the account. */
Test(owner, who_was_with_what_two_share_leaves_with_it)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, E1, D1);
    owners_event(&w, "seen", 1, P1, D2);
    owners_event(&w, "seen", 2, E1, P1);
    owners_event(&w, "seen", 3, A, D2); /* it is through D2 that the address is A's */
    owners_event(&w, "seen", 4, B, E1);
    cr_expect_eq(w.st[A]->members.n, 3);
    cr_expect(w.st[E1]->ambiguous && w.st[E1]->members.n == 1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT);
    cr_expect_eq(w.st[P1]->kind, SC_STATE_ALIAS);
    owners_event(&w, "seen", 5, A, D1);
    owners_event(&w, "seen", 6, P1, -1);
    cr_expect_eq(w.st[A]->members.n, 4);
    cr_expect_eq(w.st[A]->n_events, 6);
    owners_fini(&w);
}

/* Resolve believed a link that was refused, or parted since: the events that came without it join. */
Test(owner, a_link_that_was_only_believed_is_made_up_for)
{
    struct owners w;
    owners_init(&w);
    w.believed = true;
    owners_event(&w, "seen", 1, A, E1);
    cr_expect(owners_alias(&w, E1, A));
    cr_expect_eq(w.st[A]->members.n, 2);
    owners_event(&w, "seen", 2, A, E1);
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_ATTACH), 1);
    owners_event(&w, "seen", 3, B, E1);
    cr_expect(w.st[E1]->kind == SC_STATE_ROOT && w.st[E1]->ambiguous, "two people's");
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 1);
    owners_event(&w, "seen", 4, A, E1);
    cr_expect_eq(w.st[A]->members.n, 1);
    cr_expect_eq(w.st[A]->n_events, 3);
    cr_expect_eq(w.st[B]->n_events, 1);
    owners_fini(&w);
}

Test(owner, limits_return_what_is_too_much)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, E1);
    owners_event(&w, "seen", 2, A, E2);
    owners_event(&w, "bought", 3, E3, -1);
    owners_event(&w, "seen", 4, A, E3);
    cr_expect_eq(w.st[E3]->kind, SC_STATE_ROOT);
    cr_expect_eq(w.st[E3]->n_events, 1, "its state came back");
    cr_expect_eq(w.st[A]->n_events, 3);
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_RETURN), 1);
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 1);
    owners_event(&w, "seen", 5, A, E3);
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 1);
    owners_fini(&w);
}

Test(owner, limits_within_a_window)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, P1);
    owners_event(&w, "seen", 2, A, P2);
    owners_event(&w, "seen", 31, A, P3); /* P1 was linked 30 days ago */
    cr_expect(owners_alias(&w, P3, A));
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 0);
    owners_fini(&w);
    owners_init(&w);
    owners_event(&w, "seen", 1, A, P1);
    owners_event(&w, "seen", 2, A, P2);
    owners_event(&w, "seen", 30, A, P3);
    cr_expect_eq(w.st[P3]->kind, SC_STATE_ROOT);
    owners_fini(&w);
}

Test(owner, rules_are_tried_once_over_the_merged_facts)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "bought", 1, A, -1);
    owners_event(&w, "bought", 2, D1, -1);
    owners_event(&w, "seen", 3, A, D1);
    cr_assert_eq(owners_count(&w, SC_FX_TRANSITION, -1), 1);
    cr_expect_eq(owners_count(&w, SC_FX_MILESTONE, -1), 1);
    cr_expect_eq(owners_count(&w, SC_FX_TRIGGER, -1), 0, "an edge does not fire by a merge");
    for (uint32_t i = 0; i < w.fx.items.n; i++) {
        const struct sc_effect *fx = &w.fx.items.v[i];
        if (fx->type == SC_FX_TRANSITION) {
            cr_expect_eq(fx->cause, SC_CAUSE_MERGE);
            cr_expect_eq(fx->event_ms, 3 * SC_DAY_MS);
        }
        if (fx->type == SC_FX_MILESTONE)
            cr_expect_eq(fx->event_ms, 2 * SC_DAY_MS, "the second of both sides' times");
    }
    owners_event(&w, "bought", 4, A, -1);
    cr_expect_eq(owners_count(&w, SC_FX_TRIGGER, -1), 0, "and counts as fired");
    owners_fini(&w);
}

Test(owner, a_stage_taken_over_is_a_transition)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "bought", 1, D1, -1);
    owners_event(&w, "bought", 2, D1, -1);
    owners_event(&w, "seen", 3, A, -1);
    owners_event(&w, "seen", 5, A, D1);
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
    owners_event(&w, "seen", 6, A, D2);
    cr_expect_eq(owners_count(&w, SC_FX_TRANSITION, -1), 2, "who brings no stage moves nobody");
    owners_fini(&w);
}

/* Members or former ids that nobody met here, linked long ago. */
static void crowd(struct owners *w, uint32_t former, uint32_t members)
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
        struct owners w;
        owners_init(&w);
        owners_event(&w, "seen", 1, A, -1);
        owners_event(&w, "seen", 2, E1, -1);
        crowd(&w, rows[i].former, rows[i].members);
        owners_event(&w, "seen", 3, A, E1);
        bool refused = rows[i].violation != SC_VIOLATION_NONE;
        cr_expect_eq(w.st[E1]->kind, refused ? SC_STATE_ROOT : SC_STATE_ALIAS, "row %zu", i);
        cr_expect_eq(w.st[A]->n_events, refused ? 2 : 3, "row %zu", i);
        cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), refused, "row %zu", i);
        for (uint32_t k = 0; k < w.fx.items.n; k++)
            if (w.fx.items.v[k].action == SC_ID_VIOLATION)
                cr_expect_eq(w.fx.items.v[k].violation, rows[i].violation, "row %zu", i);
        cr_expect_eq((int)w.fx.counts.large_customers, rows[i].large, "row %zu", i);
        owners_fini(&w);
    }
}

/* Two who waited for their turn become one: still at most 256 wait. */
Test(owner, a_merge_keeps_the_bound_of_what_waits)
{
    struct owners w;
    owners_init(&w);
    w.jo.reorder_ms = 100 * SC_DAY_MS;
    for (int i = 0; i < 200; i++) {
        owners_event(&w, "seen", 1, A, -1);
        owners_event(&w, "bought", 1, D1, -1);
    }
    cr_assert_eq(w.st[A]->waiting.n, 200);
    owners_event(&w, "seen", 2, A, D1);
    cr_expect(owners_alias(&w, D1, A));
    cr_expect_eq(w.st[A]->waiting.n, SC_WAITING_MAX);
    cr_expect_eq(w.st[A]->n_events, 401 - SC_WAITING_MAX);
    cr_expect_eq(w.fx.counts.reorder_early, 401 - SC_WAITING_MAX);
    owners_fini(&w);
}

Test(owner, held_out_if_either_was)
{
    struct owners w;
    owners_init(&w);
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
    owners_event(&w, "seen", 1, loser, -1);
    owners_event(&w, "bought", 2, A, loser);
    owners_event(&w, "bought", 3, A, -1);
    cr_expect_eq(owners_count(&w, SC_FX_TRIGGER, -1), 0);
    cr_expect_eq(owners_count(&w, SC_FX_SUPPRESSED, -1), 1);
    for (uint32_t i = 0; i < w.fx.items.n; i++)
        if (w.fx.items.v[i].type == SC_FX_SUPPRESSED)
            cr_expect_eq(w.fx.items.v[i].reason, SC_REASON_HOLDOUT);
    owners_fini(&w);
}

Test(owner, silences_of_both_sides_are_one_customer_s)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, D1, -1);
    cr_assert_eq(w.st[D1]->timers.n, 1);
    owners_event(&w, "bought", 1, A, -1); /* the same instant: inside the silence */
    owners_event(&w, "bought", 2, A, D1);
    uint32_t silences = 0;
    for (uint32_t i = 0; i < w.st[A]->timers.n; i++)
        silences += w.st[A]->timers.v[i].kind == SC_TIMER_SILENCE;
    cr_expect_eq(silences, 0);
    owners_fini(&w);
}

Test(owner, a_command_splits_and_they_stay_apart)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, D1);
    owners_event(&w, "seen", 1, D1, D2);
    struct sc_record *split = SC_VEC_ADD(&w.ar, &w.queue);
    *split = (struct sc_record){.kind = SC_REC_SPLIT, .to = w.nodes[D1], .node = w.nodes[D1]};
    owners_settle(&w);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT);
    cr_expect(!w.st[D1]->ambiguous);
    cr_expect_eq(w.st[D1]->members.n, 2, "with who had come through it");
    cr_expect_eq(w.st[A]->members.n, 1);
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_VIOLATION), 0);
    owners_event(&w, "seen", 2, D2, -1);
    cr_expect_eq(w.st[D1]->n_events, 1);
    owners_event(&w, "seen", 3, A, D1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT, "not linked again");
    owners_fini(&w);
}

static struct sc_record *command(struct owners *w, enum sc_record_kind kind, int node)
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
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, E1, D1);
    owners_event(&w, "seen", 2, A, T);
    owners_event(&w, "seen", 3, A, P1);
    owners_event(&w, "seen", 4, A, E1);
    const struct sc_effect said = w.fx.items.v[w.fx.items.n - 1];
    cr_assert_eq(said.type, SC_FX_MERGED);
    cr_assert_str_eq(group(&said, -1), "0,5,8");
    command(&w, SC_REC_SPLIT, P1);
    owners_settle(&w);
    cr_assert_eq(w.st[A]->members.n, 4);
    cr_expect_str_eq(group(&said, -1), "0,5,8");
    cr_expect_str_eq(group(&said, E1), "2,9");
    owners_fini(&w);
}

/* `identity split A E1 P1`: both leave, become one customer, and never go back. */
Test(owner, who_is_split_off_together_stays_together)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, E1);
    owners_event(&w, "seen", 1, A, P1);
    owners_event(&w, "seen", 1, P1, D1); /* goes along */
    command(&w, SC_REC_SPLIT, E1);
    command(&w, SC_REC_SPLIT, P1);
    struct sc_record *link = command(&w, SC_REC_LINK, P1);
    link->home = w.nodes[E1];
    link->links[link->n_links++] = (struct sc_link){w.nodes[E1], w.nodes[P1], w.nodes[E1],
                                                    w.nodes[P1]};
    uint32_t before = w.fx.items.n;
    owners_settle(&w);
    cr_expect_eq(w.st[E1]->kind, SC_STATE_ROOT);
    cr_expect(owners_alias(&w, P1, E1));
    cr_expect_eq(w.st[E1]->members.n, 3);
    cr_expect_eq(w.st[A]->members.n, 1);
    for (uint32_t i = before; i < w.fx.items.n; i++) {
        cr_expect(sc_str_eqz(w.fx.items.v[i].by, "ada"), "said of item %u", i);
        cr_expect(sc_str_eqz(w.fx.items.v[i].why, "two people"));
        cr_expect_eq(w.fx.items.v[i].violation, SC_VIOLATION_NONE);
    }
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_SPLIT), 5, "three that left A, two that parted");
    for (int day = 2; day < 5; day++) {
        owners_event(&w, "seen", day, A, P1);
        owners_event(&w, "seen", day, A, E1);
        owners_event(&w, "seen", day, E1, D1);
    }
    cr_expect_eq(w.st[E1]->kind, SC_STATE_ROOT, "never again");
    cr_expect_eq(w.st[A]->members.n, 1);
    cr_expect_eq(w.st[A]->n_events, 9);
    cr_expect_eq(w.st[E1]->n_events, 3);
    owners_event(&w, "seen", 6, A, D2);
    const struct sc_effect *attach = &w.fx.items.v[w.fx.items.n - 1];
    cr_expect(attach->action == SC_ID_ATTACH && attach->by.len == 0, "events are nobody's word");
    owners_fini(&w);
}

/* Under `reorder` all that somebody did may wait still; a command brings no event along. */
Test(owner, whoever_only_waits_is_split_off_together)
{
    struct owners w;
    owners_init(&w);
    w.jo.reorder_ms = SC_HOUR_MS;
    owners_event(&w, "seen", 1, E1, -1);
    owners_event(&w, "seen", 2, P1, -1);
    cr_assert(w.st[P1]->waiting.n == 1 && w.st[P1]->n_events == 0);
    struct sc_record *link = command(&w, SC_REC_LINK, P1);
    link->home = w.nodes[E1];
    link->links[link->n_links++] = (struct sc_link){w.nodes[E1], w.nodes[P1], w.nodes[E1],
                                                    w.nodes[P1]};
    owners_settle(&w);
    cr_expect(owners_alias(&w, P1, E1));
    cr_expect_eq(w.st[E1]->waiting.n, 2);
    owners_fini(&w);
}

Test(owner, forgetting_reaches_every_member)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, D1);
    owners_event(&w, "seen", 2, E1, D1);
    owners_event(&w, "forget", 3, A, -1);
    static const int all[] = {A, E1, D1};
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(w.st[all[i]]->kind, SC_STATE_ERASED);
        cr_expect_eq(w.st[all[i]]->erased_ms, 3 * SC_DAY_MS);
    }
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_ERASE), 1, "one receipt");
    cr_expect_eq(w.fx.gone.v[w.fx.gone.n - 1].b[1], A);
    owners_event(&w, "seen", 2, D1, -1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ERASED);
    owners_event(&w, "seen", 4, D1, -1);
    cr_expect_eq(w.st[D1]->n_events, 1);
    cr_expect_eq(w.st[A]->n_events, 0, "a new customer");
    owners_fini(&w);
}

Test(owner, a_command_to_forget_finds_the_root)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, A, D1);
    struct sc_record *erase = SC_VEC_ADD(&w.ar, &w.queue);
    *erase = (struct sc_record){.kind = SC_REC_ERASE, .to = w.nodes[D1],
                                .erase_ms = 9 * SC_DAY_MS, .by = SC_STR("ada")};
    owners_settle(&w);
    const struct sc_effect *receipt = &w.fx.items.v[w.fx.items.n - 1];
    cr_expect(receipt->action == SC_ID_ERASE && sc_str_eqz(receipt->by, "ada"));
    cr_expect_eq(w.fx.gone.v[w.fx.gone.n - 1].b[1], A, "its customer line is withdrawn");
    cr_expect_eq(w.st[A]->kind, SC_STATE_ERASED);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ERASED);
    cr_expect_eq(owners_count(&w, SC_FX_IDENTITY, SC_ID_ERASE), 1);
    owners_fini(&w);
}

/* A generation that began anew would be taken for one that was absorbed long ago. */
Test(owner, generations_are_not_used_up)
{
    struct owners w;
    owners_init(&w);
    owners_event(&w, "seen", 1, D1, -1);
    w.st[D1]->gen = w.st[D1]->members.v[0].gen = UINT16_MAX;
    owners_event(&w, "seen", 2, A, D1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ALIAS);
    owners_event(&w, "seen", 3, B, D1);
    cr_expect_eq(w.st[D1]->kind, SC_STATE_ROOT);
    cr_expect_eq(w.st[D1]->gen, UINT16_MAX + 1u);
    cr_expect_eq(w.st[A]->members.n, 1, "the account let the device go");
    owners_fini(&w);
}

Test(owner, routes)
{
    struct owners w;
    owners_init(&w);
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
    owners_fini(&w);
}
