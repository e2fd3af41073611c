/* Nodes that go their own way again: split off, left, forgotten.
 *
 * SPLIT makes a node a root of the next generation, so that whatever is still under way for the old
 * one is recognised. It takes along the members that had come through it; what they had done stays
 * with the customer, which is what provenance is for. */
#include "core/identity/owner.h"

#include "base/assert.h"

static void send_leave(struct sc_owner *ow, const struct sc_node_id *parent,
                       const struct sc_member *member)
{
    struct sc_record *leave = sc_owner_send(ow, SC_REC_LEAVE, parent);
    leave->node = member->node;
    leave->gen = member->gen;
    leave->ambiguous = ow->rec->ambiguous;
    leave->violation = ow->rec->violation;
}

static void audit_split(struct sc_owner *ow, enum sc_identity_action action)
{
    struct sc_effect *fx = sc_owner_audit(ow, action, &ow->st->node);
    fx->violation = ow->rec->violation;
    sc_owner_caused(ow, fx, &ow->rec->link);
}

/* A device that follows whoever logged in last (`ambiguous: last_authenticated`). */
static bool follows_last(const struct sc_owner *ow)
{
    return ow->rec->violation == SC_VIOLATION_UNIQUE &&
           sc_owner_namespace(ow->jo, &ow->st->node)->ambiguous == SC_AMBIGUOUS_LAST_AUTHENTICATED;
}

static void follow_last(struct sc_owner *ow)
{
    struct sc_record *link = sc_owner_send(ow, SC_REC_LINK, &ow->st->node);
    const struct sc_link *refused = &ow->rec->link;
    link->home = refused->strong;
    link->links[0] = (struct sc_link){refused->strong, refused->weak, refused->strong,
                                      ow->st->node};
    link->n_links = 1;
}

/* An alias becomes a root again, with those who came through it. */
static void part(struct sc_owner *ow, bool ambiguous)
{
    struct sc_state *st = ow->st, old = *ow->st;
    SC_ASSERT(old.kind == SC_STATE_ALIAS);
    sc_owner_reset(ow);
    st->gen = old.gen + 1;
    st->ambiguous = ambiguous;
    memset(&st->members, 0, sizeof(st->members));
    for (uint32_t i = 0; i < old.members.n; i++) {
        struct sc_member m = old.members.v[i];
        bool self = sc_node_eq(&m.node, &st->node);
        if (self)
            m.gen = old.gen;
        send_leave(ow, &old.parent, &m);
        if (self)
            m.gen = st->gen;
        SC_VEC_PUSH(st->ar, &st->members, m);
    }
    SC_ASSERT(sc_owner_member(st, &st->node) != NULL);
    if (!ambiguous)
        sc_owner_forbid(st, &old.parent);
    sc_owner_hint(ow, &st->node, &st->node);
}

void sc_owner_split(struct sc_owner *ow)
{
    struct sc_state *st = ow->st;
    SC_ASSERT(sc_node_eq(&ow->rec->node, &st->node));
    bool refusal = ow->rec->violation != SC_VIOLATION_NONE;
    bool follow = refusal && follows_last(ow);
    switch ((enum sc_state_kind)st->kind) {
    case SC_STATE_ALIAS:
        part(ow, ow->rec->ambiguous && !follow);
        if (follow) {
            memset(&st->must_not, 0, sizeof(st->must_not));
            follow_last(ow);
        }
        audit_split(ow, refusal ? SC_ID_VIOLATION : SC_ID_SPLIT);
        return;
    case SC_STATE_ROOT:
        if (!ow->rec->ambiguous || st->ambiguous || follow)
            return; /* said before, or its own already */
        st->ambiguous = true;
        st->dirty = true;
        audit_split(ow, SC_ID_VIOLATION);
        return;
    case SC_STATE_ERASED:
        return;
    }
    SC_UNREACHABLE("state kind");
}

/* A customer asks whether this node, whose state of an older generation it has taken in, is still
 * its own. It is while it is that generation's alias; else it goes, with those it took along. */
static void answer(struct sc_owner *ow)
{
    const struct sc_state *st = ow->st;
    const struct sc_record *ask = ow->rec;
    SC_ASSERT(!sc_node_none(&ask->other));
    if (st->kind == SC_STATE_ALIAS && st->gen == ask->gen)
        return;
    for (uint32_t i = 0; i < st->members.n; i++) {
        struct sc_member m = st->members.v[i];
        bool self = sc_node_eq(&m.node, &st->node);
        if (!self && st->kind != SC_STATE_ROOT)
            continue; /* they may have joined that customer anew, with this node */
        if (self)
            m.gen = ask->gen;
        send_leave(ow, &ask->other, &m);
        ow->fx->records.v[ow->fx->records.n - 1].ambiguous = st->ambiguous;
    }
}

void sc_owner_leave(struct sc_owner *ow)
{
    struct sc_state *st = ow->st;
    const struct sc_record *rec = ow->rec;
    if (sc_node_eq(&rec->node, &st->node)) {
        answer(ow);
        return;
    }
    struct sc_member *member = sc_owner_member(st, &rec->node);
    bool here = member && member->gen <= rec->gen;
    if (here) {
        *member = st->members.v[--st->members.n];
        st->dirty = true;
    }
    if (st->kind == SC_STATE_ALIAS) {
        sc_owner_forward(ow, rec);
        return;
    }
    if (st->kind != SC_STATE_ROOT)
        return;
    if (!here && rec->has_via && !sc_owner_admits(ow, rec, &rec->node))
        sc_owner_send_back(ow, rec, &rec->node); /* its state went the same way */
    if (!here)
        return;
    if (!rec->ambiguous)
        sc_owner_forbid(st, &rec->node);
    sc_owner_audit(ow, SC_ID_SPLIT, &rec->node)->violation = rec->violation;
}

/* ---- forgetting */

static void erase_here(struct sc_owner *ow, int64_t erase_ms)
{
    struct sc_state *st = ow->st, old = *ow->st;
    sc_owner_reset(ow);
    st->erased_ms = erase_ms > old.erased_ms ? erase_ms : old.erased_ms;
    st->gen = old.gen + 1; /* what is under way for the old one finds nobody */
    for (uint32_t i = 0; i < old.waiting.n; i++)
        if (old.waiting.v[i].ms > st->erased_ms)
            SC_VEC_PUSH(st->ar, &st->waiting, old.waiting.v[i]);
    /* Who waits with something later is a new customer already, behind ERASED(t). */
    st->kind = st->waiting.n > 0 ? SC_STATE_ROOT : SC_STATE_ERASED;
    struct sc_member *self = sc_owner_member(st, &st->node);
    SC_ASSERT(self != NULL);
    self->gen = st->gen;
    sc_owner_hint(ow, &st->node, &st->node);
}

static void erase(struct sc_owner *ow, int64_t erase_ms)
{
    struct sc_state *st = ow->st;
    SC_ASSERT(erase_ms != SC_NEVER);
    for (uint32_t i = 0; i < st->members.n; i++) {
        if (sc_node_eq(&st->members.v[i].node, &st->node))
            continue;
        struct sc_record *rec = sc_owner_send(ow, SC_REC_ERASE, &st->members.v[i].node);
        rec->erase_ms = erase_ms;
        rec->has_via = true;
        rec->via = st->node;
    }
    if (st->kind == SC_STATE_ROOT) {
        struct sc_effect *fx = sc_owner_audit(ow, SC_ID_ERASE, &st->node); /* the receipt */
        fx->former = st->former.v;
        fx->n_former = st->former.n;
        if (st->n_events > 0)
            SC_VEC_PUSH(ow->fx->ar, &ow->fx->gone, st->node);
    }
    erase_here(ow, erase_ms);
}

void sc_owner_erase_record(struct sc_owner *ow)
{
    struct sc_state *st = ow->st;
    /* A root tells its members, which are larger; a command comes up through aliases. */
    bool from_root = ow->rec->has_via && sc_node_cmp(&ow->rec->via, &st->node) < 0;
    if (st->kind == SC_STATE_ALIAS && !from_root)
        sc_owner_forward(ow, ow->rec); /* a command named a member: its root decides */
    else if (st->kind != SC_STATE_ERASED || ow->rec->erase_ms > st->erased_ms)
        erase(ow, ow->rec->erase_ms);
}

void sc_owner_erase(const struct sc_journey *jo, struct sc_state *st, const struct sc_event *ev,
                    const struct sc_moment *now, int64_t erase_ms, struct sc_effects *fx)
{
    SC_ASSERT(st->kind == SC_STATE_ROOT && ev != NULL);
    struct sc_record rec = {.kind = SC_REC_ERASE, .to = st->node, .ev = ev, .erase_ms = erase_ms};
    struct sc_input in = {.kind = SC_IN_RECORD, .now = *now, .rec = &rec};
    struct sc_owner ow = {.jo = jo, .st = st, .in = &in, .rec = &rec, .fx = fx};
    erase(&ow, erase_ms);
}
