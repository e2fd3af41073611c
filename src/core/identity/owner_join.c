/* The winner's side: a STATE is absorbed once for each generation of its node, or returned.
 *
 * Refused are: a second identifier of a unique namespace, more of a namespace than its limit within
 * its window, ceilings (100 merges, 1,000 identifiers), a root that is ambiguous, and a pair that
 * was parted before. The first three are violations, said once; the rest is silent, since it was
 * said when it came to be. Source: semantics 1, 2, 5, 6, 7. */
#include "core/identity/owner.h"

#include "base/assert.h"
#include "core/analytics/history.h"

/* A node that was a root so often stays where it came, however it did: no fault may part and join
 * it for ever. */
#define GEN_CALM 256u

/* Any two that cannot be one person? */
static bool unique_conflict(const struct sc_owner *ow)
{
    const struct sc_state *into = ow->st, *from = ow->rec->state;
    for (uint32_t i = 0; i < from->members.n; i++)
        if (sc_owner_has_rival(ow->jo, into, &from->members.v[i].node))
            return true;
    return false;
}

/* Members of one namespace that count at `at_ms`: the root's own always, others linked within. */
static int64_t counted(const struct sc_state *st, uint8_t first_byte, int64_t within_ms,
                       int64_t at_ms)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < st->members.n; i++) {
        const struct sc_member *m = &st->members.v[i];
        bool recent = within_ms == 0 || m->linked_ms == SC_NEVER ||
                      (m->linked_ms > at_ms - within_ms && m->linked_ms < at_ms + within_ms);
        n += m->node.b[0] == first_byte && recent;
    }
    return n;
}

static bool over_limit(const struct sc_owner *ow, int64_t at_ms)
{
    const struct sc_state *into = ow->st, *from = ow->rec->state;
    SC_ASSERT(into != from);
    for (uint32_t i = 0; i < from->members.n; i++) {
        const struct sc_node_id *node = &from->members.v[i].node;
        const struct sc_namespace *ns = sc_owner_namespace(ow->jo, node);
        if (ns->unique || ns->limit <= 0)
            continue;
        int64_t n = counted(into, node->b[0], ns->within_ms, at_ms) +
                    counted(from, node->b[0], ns->within_ms, at_ms);
        if (n > ns->limit)
            return true;
    }
    return false;
}

static bool parted_before(const struct sc_state *a, const struct sc_state *b)
{
    for (uint32_t i = 0; i < b->members.n; i++)
        if (sc_owner_refuses(a, &b->members.v[i].node))
            return true;
    for (uint32_t i = 0; i < a->members.n; i++)
        if (sc_owner_refuses(b, &a->members.v[i].node))
            return true;
    return false;
}

static enum sc_violation judge(const struct sc_owner *ow, int64_t at_ms)
{
    const struct sc_state *into = ow->st, *from = ow->rec->state;
    SC_ASSERT(into->kind == SC_STATE_ROOT);
    if (unique_conflict(ow))
        return SC_VIOLATION_UNIQUE;
    if (into->ambiguous || from->ambiguous)
        return SC_VIOLATION_AMBIGUOUS;
    if (parted_before(into, from))
        return SC_VIOLATION_MUST_NOT;
    if (over_limit(ow, at_ms))
        return SC_VIOLATION_LIMIT;
    if (into->former.n + from->former.n + (from->n_events > 0) > SC_MERGES_MAX)
        return SC_VIOLATION_MERGES;
    if (into->members.n + from->members.n > SC_MEMBERS_MAX)
        return SC_VIOLATION_IDENTIFIERS;
    return SC_VIOLATION_NONE;
}

/* ---- refuse */

static void send_back(struct sc_owner *ow, enum sc_violation violation)
{
    struct sc_record *rec = sc_owner_send(ow, SC_REC_RETURN, &ow->rec->node);
    rec->node = ow->rec->node;
    rec->gen = ow->rec->gen;
    rec->state = ow->rec->state;
    rec->other = ow->st->node;
    rec->link = ow->rec->link;
    rec->violation = (uint8_t)violation;
    ow->fx->counts.sent_back++;
}

static void refuse(struct sc_owner *ow, enum sc_violation violation)
{
    SC_ASSERT(violation != SC_VIOLATION_NONE);
    send_back(ow, violation);
    sc_owner_forbid(ow->st, &ow->rec->node); /* what comes through it goes back too */
    if (violation == SC_VIOLATION_AMBIGUOUS || violation == SC_VIOLATION_MUST_NOT)
        ow->fx->counts.links_refused++;
    else
        sc_owner_violation(ow, &ow->rec->link, violation);
    const struct sc_state *from = ow->rec->state;
    for (uint32_t i = 0; i < from->members.n; i++) /* who came before it, for it */
        if (sc_owner_member(ow->st, &from->members.v[i].node) == NULL)
            sc_owner_let_go(ow, &from->members.v[i].node);
}

/* ---- give back */

/* Does the pair that brings it not stand? Its own identifier has left it since; or the other one
 * came here only by somebody it brings, so that they are here for each other and for nobody else. */
static bool unfounded(const struct sc_owner *ow)
{
    const struct sc_state *st = ow->st, *from = ow->rec->state;
    const struct sc_link *link = &ow->rec->link;
    if (sc_node_none(&link->strong) || ow->rec->gen >= GEN_CALM)
        return false;
    const struct sc_member *by = sc_owner_member(from, &link->weak);
    struct sc_node_id at = by ? link->strong : link->weak;
    by = by ? by : sc_owner_member(from, &link->strong);
    const struct sc_member *by_here = by ? sc_owner_member(st, &by->node) : NULL;
    if (by_here && by_here->gen > by->gen)
        return true;
    for (uint32_t i = 0; i <= st->members.n; i++) {
        const struct sc_member *here = sc_owner_member(st, &at);
        const struct sc_member *brought = sc_owner_member(from, &at);
        if (brought && (here == NULL || here->gen < brought->gen))
            return true;
        if (here == NULL || sc_node_eq(&at, &st->node) || sc_node_none(&here->through))
            return false;
        at = here->through;
    }
    return false;
}

/* It goes, with whoever was here by it, and all join again by what they came with. */
static void give_back(struct sc_owner *ow)
{
    const struct sc_state *from = ow->rec->state;
    send_back(ow, SC_VIOLATION_NONE);
    for (uint32_t i = 0; i < from->members.n; i++) {
        const struct sc_member *m = &from->members.v[i], *here = sc_owner_member(ow->st, &m->node);
        if (here && here->gen >= m->gen)
            continue;
        sc_owner_drop(ow->st, &m->node);
        sc_owner_let_go(ow, &m->node);
    }
    SC_ASSERT(!sc_node_none(&ow->rec->link.strong));
    sc_owner_link(ow, &ow->rec->link.strong, &ow->rec->link.weak);
}

/* The loser's members came through its root; now they come through the pair that joined the two. So
 * the way from that pair's identifier to the old root turns round; but one that is here with the
 * customer's own node needs no other. Where one on it is no member, the root came through that. */
static void turn_way(struct sc_owner *ow)
{
    struct sc_state *st = ow->st;
    const struct sc_state *from = ow->rec->state;
    const struct sc_link *link = &ow->rec->link;
    bool weak = sc_owner_member(from, &link->weak) != NULL;
    struct sc_node_id at = weak ? link->weak : link->strong;
    struct sc_node_id through = weak ? link->strong : link->weak;
    const struct sc_member *was = sc_owner_member(from, &at);
    for (uint32_t i = 0; was && i < from->members.n; i++) {
        struct sc_member *m = sc_owner_member(st, &at);
        if (m && !sc_node_eq(&m->through, &st->node))
            m->through = through;
        through = at;
        at = was->through;
        was = sc_owner_member(from, &at);
    }
    struct sc_member *root = sc_owner_member(st, &ow->rec->node);
    if (root && sc_node_none(&root->through) && !sc_node_none(&at))
        root->through = at;
}

/* ---- questions */

static void ask(struct sc_owner *ow, const struct sc_node_id *node, uint32_t gen,
                const struct sc_node_id *asker)
{
    SC_ASSERT(!sc_node_none(asker));
    struct sc_record *rec = sc_owner_send(ow, SC_REC_ASK, node);
    rec->node = *node;
    rec->gen = gen;
    rec->other = *asker;
}

/* A state that did not come straight may have been overtaken by a LEAVE of its node, or of one that
 * had come through it: ask them. */
static void ask_if_still(struct sc_owner *ow)
{
    const struct sc_state *from = ow->rec->state;
    SC_ASSERT(ow->st->kind != SC_STATE_ERASED);
    for (uint32_t i = 0; ow->rec->hops > 0 && i < from->members.n; i++)
        if (!sc_node_eq(&from->members.v[i].node, &ow->st->node))
            ask(ow, &from->members.v[i].node, from->members.v[i].gen, &ow->st->node);
}

/* Of `brought` some may have come through one that is no member: its state may be on its way here,
 * or an old hint led here, and then they go where that one is. */
static void ask_for_missing(struct sc_owner *ow, const struct sc_state *brought)
{
    const struct sc_state *st = ow->st;
    SC_ASSERT(st->kind == SC_STATE_ROOT);
    for (uint32_t i = 0; i < brought->members.n; i++) {
        const struct sc_member *m = sc_owner_member(st, &brought->members.v[i].node);
        if (m && !sc_node_none(&m->through) && !sc_owner_member(st, &m->through))
            ask(ow, &m->through, SC_GEN_ANY, &st->node);
    }
}

/* ---- absorb */

static void add_former(struct sc_state *st, const struct sc_node_id *node)
{
    uint32_t at = 0;
    while (at < st->former.n && sc_node_cmp(&st->former.v[at], node) < 0)
        at++;
    if (at < st->former.n && sc_node_eq(&st->former.v[at], node))
        return;
    SC_VEC_PUSH(st->ar, &st->former, *node);
    memmove(&st->former.v[at + 1], &st->former.v[at],
            (st->former.n - 1 - at) * sizeof(*st->former.v));
    st->former.v[at] = *node;
}

static void add_held_out(struct sc_state *st, struct sc_str experiment)
{
    for (uint32_t i = 0; i < st->held_out.n; i++)
        if (sc_str_eq(st->held_out.v[i], experiment))
            return;
    SC_VEC_PUSH(st->ar, &st->held_out, experiment);
}

/* Held out if either was: the loser's holdouts were drawn for its own id (semantics 7). */
static void keep_holdouts(struct sc_owner *ow)
{
    for (uint32_t i = 0; i < ow->jo->n_experiments; i++) {
        const struct sc_experiment *ex = &ow->jo->experiments[i];
        if (sc_experiment_holds_out(ex, &ow->rec->node))
            add_held_out(ow->st, ex->name);
    }
}

static void say(struct sc_owner *ow, bool customer)
{
    struct sc_effect *fx =
        sc_owner_audit(ow, customer ? SC_ID_MERGE : SC_ID_ATTACH, &ow->rec->node);
    sc_owner_caused(ow, fx, &ow->rec->link);
    if (!customer)
        return;
    fx->type = SC_FX_MERGED;
    sc_owner_tell_former(ow, fx);
    sc_owner_tell_members(ow, fx);
}

/* The loser as the winner remembers it: who came with a customer is of that one's group for good. */
static const struct sc_state *with_groups(struct sc_owner *ow)
{
    const struct sc_state *from = ow->rec->state;
    if (from->n_events == 0 || sc_node_eq(&ow->rec->node, &ow->st->node))
        return from;
    struct sc_state *st = sc_arena_alloc(ow->st->ar, sizeof(*st));
    *st = *from;
    memset(&st->members, 0, sizeof(st->members));
    for (uint32_t i = 0; i < from->members.n; i++) {
        struct sc_member m = from->members.v[i];
        if (sc_node_none(&m.group))
            m.group = ow->rec->node;
        SC_VEC_PUSH(ow->st->ar, &st->members, m);
    }
    SC_ASSERT(st->members.n == from->members.n);
    return st;
}

/* Two lives become one; what was counted for two is counted for one. */
static void join_history(struct sc_owner *ow)
{
    sc_history_count(ow->jo, ow->st, -1, ow->fx);
    sc_history_count(ow->jo, ow->rec->state, -1, ow->fx);
    sc_state_merge(ow->jo, ow->st, with_groups(ow));
    sc_history_count(ow->jo, ow->st, 1, ow->fx);
    sc_history_settle(ow->jo, ow->st->history);
}

static void absorb(struct sc_owner *ow, int64_t at_ms)
{
    struct sc_state *st = ow->st;
    struct sc_merged before = {.ev = ow->rec->ev};
    memcpy(before.place, st->place, ow->jo->n_tracks * sizeof(*st->place));
    const struct sc_record *rec = ow->rec;
    bool customer = rec->state->n_events > 0;
    bool history = customer || rec->state->waiting.n > 0;
    join_history(ow);
    struct sc_member *member = sc_owner_member(st, &rec->node);
    if (member == NULL)
        member = SC_VEC_ADD(st->ar, &st->members);
    *member = (struct sc_member){.node = rec->node, .gen = rec->gen, .group = member->group,
                                 .through = member->through, .linked_ms = at_ms};
    if (rec->ev)
        member->evidence = sc_str_dup(st->ar, rec->ev->id);
    turn_way(ow);
    if (customer) {
        add_former(st, &rec->node);
        keep_holdouts(ow);
    }
    st->merges = st->former.n;
    st->dirty = true;
    ow->fx->counts.large_customers +=
        st->former.n > SC_MERGES_MAX / 2 || st->members.n > SC_MEMBERS_MAX / 2;
    ask_if_still(ow);
    say(ow, customer);
    if (history)
        sc_step_merged(ow->jo, st, &before, &ow->in->now, ow->fx);
    ask_for_missing(ow, rec->state);
}

/* Who had been with it is known here, and by whom they came: one that is not a member any more has
 * left since. */
static void drop_newcomers(struct sc_state *st, const struct sc_state *before)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < st->members.n; i++) {
        struct sc_member m = st->members.v[i];
        const struct sc_member *was = sc_owner_member(before, &m.node);
        if (was == NULL)
            continue;
        m.through = was->through;
        st->members.v[n++] = m;
    }
    SC_ASSERT(n == before->members.n);
    st->members.n = n;
}

/* A member already, come along with a split, or a root that parted while its state was under way:
 * what it had done is this customer's. Each state is sent once, so it is added once. */
static void take_history(struct sc_owner *ow)
{
    struct sc_state *st = ow->st, was = *st;
    const struct sc_record *rec = ow->rec;
    memset(&was.members, 0, sizeof(was.members));
    for (uint32_t i = 0; i < st->members.n; i++)
        SC_VEC_PUSH(st->ar, &was.members, st->members.v[i]);
    struct sc_merged before = {.ev = rec->ev};
    memcpy(before.place, st->place, ow->jo->n_tracks * sizeof(*st->place));
    struct sc_member self = *sc_owner_member(st, &st->node);
    bool ambiguous = st->ambiguous;
    bool customer = rec->state->n_events > 0 && !sc_node_eq(&rec->node, &st->node);
    join_history(ow);
    drop_newcomers(st, &was);
    *sc_owner_member(st, &st->node) = self;
    st->ambiguous = ambiguous;
    if (customer) {
        add_former(st, &rec->node);
        keep_holdouts(ow);
    }
    st->merges = st->former.n;
    st->dirty = true;
    if (customer)
        say(ow, true); /* it had a line of its own until now */
    if (rec->state->n_events > 0)
        sc_step_merged(ow->jo, st, &before, &ow->in->now, ow->fx);
}

static bool is_member(const struct sc_owner *ow)
{
    const struct sc_member *member = sc_owner_member(ow->st, &ow->rec->node);
    return member && member->gen >= ow->rec->gen;
}

/* Who came through this alias. */
static void remember(struct sc_owner *ow)
{
    struct sc_state *st = ow->st;
    const struct sc_state *from = with_groups(ow);
    for (uint32_t i = 0; i < from->members.n; i++) {
        const struct sc_member *m = &from->members.v[i];
        struct sc_member *known = sc_owner_member(st, &m->node);
        if (known == NULL && st->members.n < SC_MEMBERS_MAX)
            known = SC_VEC_ADD(st->ar, &st->members);
        if (known && known->gen <= m->gen) /* a state that wandered may be of an older one */
            *known = *m;
    }
    turn_way(ow);
    st->dirty = true;
}

/* An alias passes it on. */
static void pass_on(struct sc_owner *ow)
{
    if (ow->rec->hops >= SC_HOPS_LOST) {
        send_back(ow, SC_VIOLATION_HOPS);
        sc_owner_audit(ow, SC_ID_VIOLATION, &ow->rec->node)->violation = SC_VIOLATION_HOPS;
        return;
    }
    if (!is_member(ow))
        remember(ow);
    ask_if_still(ow);
    sc_owner_forward(ow, ow->rec);
}

/* The winner was forgotten: so is whoever had joined it by then. */
static void forget_too(struct sc_owner *ow)
{
    struct sc_record *rec = sc_owner_send(ow, SC_REC_ERASE, &ow->rec->node);
    rec->erase_ms = ow->st->erased_ms;
    rec->has_via = true;
    rec->via = ow->st->node;
}

void sc_owner_state(struct sc_owner *ow)
{
    SC_ASSERT(ow->rec->state != NULL);
    SC_ASSERT(!sc_node_eq(&ow->st->node, &ow->rec->node));
    int64_t at_ms = ow->rec->ev ? ow->rec->ev->occurred_ms : ow->rec->state->last_ms;
    if (ow->st->kind == SC_STATE_ALIAS) {
        pass_on(ow);
        return;
    }
    if (ow->st->kind == SC_STATE_ERASED) {
        if (at_ms <= ow->st->erased_ms) {
            forget_too(ow);
            return;
        }
        sc_owner_reset(ow);
    }
    if (is_member(ow)) {
        take_history(ow);
        return;
    }
    if (ow->rec->has_via && !sc_owner_admits(ow, ow->rec, &ow->rec->node)) {
        sc_owner_send_back(ow, ow->rec, &ow->rec->node);
        return;
    }
    if (unfounded(ow)) {
        give_back(ow);
        return;
    }
    enum sc_violation violation = judge(ow, at_ms);
    if (violation != SC_VIOLATION_NONE)
        refuse(ow, violation);
    else
        absorb(ow, at_ms);
}

/* Who left while the state was away was heard of here, and is gone from the alias's list. */
static void forget_those_who_left(struct sc_owner *ow, const struct sc_state *alias)
{
    struct sc_state *st = ow->st;
    SC_ASSERT(st->members.n <= SC_MEMBERS_MAX);
    struct sc_node_id *gone = SC_NEW_N(ow->fx->ar, struct sc_node_id, st->members.n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < st->members.n; i++)
        if (sc_owner_member(alias, &st->members.v[i].node) == NULL)
            gone[n++] = st->members.v[i].node;
    for (uint32_t i = 0; i < n; i++) {
        sc_owner_drop(st, &gone[i]);
        sc_owner_let_go(ow, &gone[i]);
    }
}

/* Whoever was passed on since the state went away belongs to it: those above forget them, and the
 * one whose state comes back has them, unless they went elsewhere meanwhile. They say so
 * themselves. A rival of its own is a customer by itself, and so is one too many. */
static void keep_passed_on(struct sc_owner *ow, const struct sc_state *alias)
{
    struct sc_state *st = ow->st;
    SC_ASSERT(st->kind == SC_STATE_ROOT && alias->kind == SC_STATE_ALIAS);
    bool parent_refused = sc_node_eq(&alias->parent, &ow->rec->other);
    for (uint32_t i = 0; i < alias->members.n; i++) {
        const struct sc_member *m = &alias->members.v[i];
        bool came_back = sc_owner_member(st, &m->node);
        if (parent_refused && came_back)
            continue;
        if (sc_node_eq(&m->node, &st->node)) {
            struct sc_record *leave = sc_owner_send(ow, SC_REC_LEAVE, &alias->parent);
            leave->node = m->node;
            leave->gen = m->gen;
            leave->let_go = true; /* with whoever came through it there */
            continue;
        }
        ask(ow, &m->node, SC_GEN_ANY, &alias->parent);
        if (came_back)
            continue;
        ask(ow, &m->node, SC_GEN_ANY, &st->node);
        if (st->members.n == SC_MEMBERS_MAX || sc_owner_has_rival(ow->jo, st, &m->node))
            sc_owner_send(ow, SC_REC_SPLIT, &m->node)->node = m->node;
        else
            SC_VEC_PUSH(st->ar, &st->members, *m);
    }
}

void sc_owner_return(struct sc_owner *ow)
{
    struct sc_state *st = ow->st;
    const struct sc_record *rec = ow->rec;
    SC_ASSERT(rec->state != NULL);
    bool own = sc_node_eq(&rec->node, &st->node) && st->gen == rec->gen;
    if (st->kind == SC_STATE_ROOT) {
        take_history(ow); /* split off while its state was away */
        return;
    }
    if (st->kind == SC_STATE_ERASED)
        return;
    if (!own) { /* split off, and joined another since */
        sc_owner_forward(ow, rec);
        return;
    }
    struct sc_state old = *st;
    *st = *rec->state; /* of this batch, as the record says */
    st->node = old.node;
    st->ar = old.ar;
    st->stored = old.stored;
    st->kind = SC_STATE_ROOT;
    st->erased_ms = old.erased_ms;
    st->gen = rec->gen + 1;
    st->dirty = true;
    struct sc_member *self = sc_owner_member(st, &st->node);
    SC_ASSERT(self != NULL);
    self->gen = st->gen;
    forget_those_who_left(ow, &old);
    keep_passed_on(ow, &old);
    ask_for_missing(ow, st);
    if (rec->violation != SC_VIOLATION_NONE)
        sc_owner_forbid(st, &rec->other);
    sc_owner_hint(ow, &st->node, &st->node);
    sc_owner_audit(ow, SC_ID_RETURN, &st->node)->violation = rec->violation;
}
