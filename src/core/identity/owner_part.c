/* Nodes that go their own way again: split off, left, forgotten.
 *
 * SPLIT makes a node a root of the next generation, so that whatever is still under way for the old
 * one is recognised. By a command it takes along the members that had come through it. By a refusal
 * it keeps nobody, since it is no one person's any more: the customer lets go whoever came through
 * it alone, and takes back those of its aliases that it knows another way. What they had done stays
 * with the customer, which is what provenance is for. */
#include "core/identity/owner.h"

#include "base/assert.h"

static struct sc_record *send_leave(struct sc_owner *ow, const struct sc_node_id *parent,
                                    const struct sc_member *member)
{
    struct sc_record *leave = sc_owner_send(ow, SC_REC_LEAVE, parent);
    leave->node = member->node;
    leave->gen = member->gen;
    leave->ambiguous = ow->rec->ambiguous;
    leave->let_go = ow->rec->let_go;
    return leave;
}

/* A member that came through one that parts goes as well: nothing else says whose it is. */
static void send_away(struct sc_owner *ow, const struct sc_member *member)
{
    SC_ASSERT(!sc_node_eq(&member->node, &ow->st->node));
    struct sc_record *split = sc_owner_send(ow, SC_REC_SPLIT, &member->node);
    split->node = member->node;
    split->gen = member->gen;
    split->violation = ow->rec->violation;
    split->let_go = true;
    if (!sc_node_none(&member->through))
        split->link = sc_owner_pair(&member->node, &member->through);
}

/* What it came with it joins again, wherever both are by then. */
static void link_again(struct sc_owner *ow, const struct sc_member *member)
{
    if (!sc_node_none(&member->through))
        sc_owner_link(ow, &member->node, &member->through);
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

/* An alias becomes a root again. Those who came through it go along, or go away too: the customer
 * hears of the node itself first, and so knows which of them it has another way. */
static void part(struct sc_owner *ow, bool ambiguous)
{
    struct sc_state *st = ow->st, old = *ow->st;
    SC_ASSERT(old.kind == SC_STATE_ALIAS);
    bool by_command = !ow->rec->ambiguous && !ow->rec->let_go;
    sc_owner_reset(ow);
    st->gen = old.gen + 1;
    st->ambiguous = ambiguous;
    struct sc_member self = *sc_owner_member(&old, &st->node);
    self.gen = old.gen;
    send_leave(ow, &old.parent, &self)->violation = ow->rec->violation;
    self.gen = st->gen;
    st->members.n = 0;
    SC_VEC_PUSH(st->ar, &st->members, self);
    for (uint32_t i = 0; i < old.members.n; i++) {
        const struct sc_member *m = &old.members.v[i];
        if (sc_node_eq(&m->node, &st->node))
            continue;
        if (!by_command) {
            struct sc_record *leave = send_leave(ow, &old.parent, m);
            leave->ambiguous = false;
            leave->let_go = true;
            send_away(ow, m);
            continue;
        }
        send_leave(ow, &old.parent, m)->other = st->node;
        SC_VEC_PUSH(st->ar, &st->members, *m);
    }
    if (by_command)
        sc_owner_forbid(st, &old.parent);
    sc_owner_hint(ow, &st->node, &st->node);
}

void sc_owner_split(struct sc_owner *ow)
{
    struct sc_state *st = ow->st;
    SC_ASSERT(sc_node_eq(&ow->rec->node, &st->node));
    bool refusal = ow->rec->ambiguous;
    bool follow = refusal && follows_last(ow);
    switch ((enum sc_state_kind)st->kind) {
    case SC_STATE_ALIAS:
        if (ow->rec->let_go && st->gen != ow->rec->gen)
            return; /* it went already, and is with somebody else */
        part(ow, refusal && !follow);
        if (follow)
            sc_owner_link(ow, &ow->rec->link.strong, &st->node);
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
        struct sc_record *leave = send_leave(ow, &ask->other, &m);
        if (!self)
            leave->other = st->node;
        leave->ambiguous = st->ambiguous;
        leave->let_go = true; /* whoever was parted by a command remembers it himself */
    }
}

/* Somebody came to the customer `other` through this node, and it was not there: it comes behind the
 * node's own state. Where that one ended elsewhere, that customer is told. Who answers must have the
 * node, and the alias that the question came by last: else one of their states is still on its way,
 * or was refused, and it goes again from the node on. */
static void tell_where(struct sc_owner *ow)
{
    const struct sc_state *st = ow->st;
    const struct sc_record *ask = ow->rec;
    SC_ASSERT(ask->gen == SC_GEN_ANY);
    struct sc_record on = *ask;
    on.has_via = false;
    if (st->kind == SC_STATE_ALIAS) {
        sc_owner_forward(ow, &on);
        return;
    }
    const struct sc_member *member = sc_owner_member(st, &ask->node);
    const struct sc_member *last = ask->has_via ? sc_owner_member(st, &ask->via) : NULL;
    bool settled = !ask->has_via || (member && last && last->gen >= ask->via_gen);
    if (!settled && ask->hops < SC_HOPS_LOST) {
        sc_owner_send_back(ow, &on, &ask->node);
        return;
    }
    if (sc_node_eq(&st->node, &ask->other) || sc_owner_member(st, &ask->other))
        return; /* it is the same customer, by now */
    const struct sc_member none = {.node = ask->node};
    struct sc_record *leave = send_leave(ow, &ask->other, member ? member : &none);
    leave->other = st->node;
    leave->ambiguous = st->ambiguous;
    leave->let_go = true;
}

void sc_owner_ask(struct sc_owner *ow)
{
    SC_ASSERT(!sc_node_none(&ow->rec->other));
    if (ow->rec->gen == SC_GEN_ANY)
        tell_where(ow);
    else
        answer(ow);
}

/* ---- those who came through one that is gone */

static bool has_followers(const struct sc_state *st, const struct sc_node_id *gone)
{
    for (uint32_t i = 0; i < st->members.n; i++)
        if (sc_node_eq(&st->members.v[i].through, gone))
            return true;
    return false;
}

/* Those who came through `gone`, and through them, nearest first. */
static uint32_t followers(const struct sc_owner *ow, const struct sc_node_id *gone,
                          struct sc_member *out)
{
    const struct sc_state *st = ow->st;
    uint32_t n = 0, asked = 0;
    const struct sc_node_id *at = gone;
    for (;;) {
        for (uint32_t i = 0; i < st->members.n && n < st->members.n; i++) {
            const struct sc_member *m = &st->members.v[i];
            if (sc_node_eq(&m->through, at) && !sc_node_eq(&m->node, &st->node))
                out[n++] = *m;
        }
        if (asked == n)
            return n;
        at = &out[asked++].node;
    }
}

void sc_owner_drop(struct sc_state *st, const struct sc_node_id *node)
{
    struct sc_member *member = sc_owner_member(st, node);
    if (member == NULL)
        return;
    SC_ASSERT(st->members.n > 0);
    *member = st->members.v[--st->members.n];
    st->dirty = true;
}

void sc_owner_let_go(struct sc_owner *ow, const struct sc_node_id *gone)
{
    struct sc_state *st = ow->st;
    SC_ASSERT(sc_owner_member(st, gone) == NULL);
    if (!has_followers(st, gone))
        return; /* nearly always */
    struct sc_member *out = SC_NEW_N(ow->fx->ar, struct sc_member, st->members.n + 1);
    uint32_t n = followers(ow, gone, out);
    for (uint32_t i = 0; i < n; i++) {
        send_away(ow, &out[i]);
        if (!ow->rec->ambiguous || !sc_node_eq(&out[i].through, gone))
            link_again(ow, &out[i]); /* behind both of their SPLITs */
        sc_owner_drop(st, &out[i].node);
        sc_owner_audit(ow, SC_ID_SPLIT, &out[i].node)->violation = ow->rec->violation;
    }
}

/* Has the one it is said to be with become the same customer since? Itself: it came back. */
static bool with_us(const struct sc_state *st, const struct sc_record *leave)
{
    SC_ASSERT(leave->kind == SC_REC_LEAVE);
    if (sc_node_none(&leave->other))
        return false;
    const struct sc_member *m = sc_owner_member(st, &leave->other);
    return m && (!sc_node_eq(&leave->other, &leave->node) || m->gen >= leave->gen);
}

void sc_owner_leave(struct sc_owner *ow)
{
    struct sc_state *st = ow->st;
    const struct sc_record *rec = ow->rec;
    if (with_us(st, rec))
        return;
    const struct sc_member *member = sc_owner_member(st, &rec->node);
    bool here = member && member->gen <= rec->gen;
    const struct sc_member was = here ? *member : (struct sc_member){0};
    if (here)
        sc_owner_drop(st, &rec->node);
    if (st->kind == SC_STATE_ALIAS) {
        sc_owner_forward(ow, rec);
        return;
    }
    if (st->kind != SC_STATE_ROOT)
        return;
    if (!here && rec->has_via && rec->hops < SC_HOPS_LOST &&
        !sc_owner_admits(ow, rec, &rec->node))
        sc_owner_send_back(ow, rec, &rec->node); /* its state went the same way */
    if (here && !rec->ambiguous && !rec->let_go)
        sc_owner_forbid(st, &rec->node);
    if (here)
        sc_owner_audit(ow, SC_ID_SPLIT, &rec->node)->violation = rec->violation;
    if ((here || member == NULL) && (rec->ambiguous || rec->let_go))
        sc_owner_let_go(ow, &rec->node);
    if (here && rec->let_go)
        link_again(ow, &was);
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
        sc_owner_tell_former(ow, fx);
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
