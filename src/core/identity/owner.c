/* The owner of a node: links, and the way of an event to its customer.
 *
 * A link is decided by the larger of its two roots: it becomes an alias and sends its whole state
 * to the smaller, or refuses. At an alias the link is re-keyed to the parent: the larger of the
 * pair only ever falls, so every link ends. An event travels behind its links and behind the states
 * they move, since the owner that decides a link sends the state first and the event after it (one
 * partition to another keeps order).
 *
 * Hints may be stale, so an event is applied only where its smallest identifier is a member, or by
 * an alias with the generation that this root absorbed; elsewhere it is sent on to the node itself,
 * which knows better. Source: reliability.md "Identity"; docs/adr/0002; tests/prop/identity.c. */
#include "core/identity/owner.h"

#include "base/assert.h"

struct sc_record *sc_owner_send(struct sc_owner *ow, enum sc_record_kind kind,
                                const struct sc_node_id *to)
{
    SC_ASSERT(!sc_node_none(to));
    struct sc_record *rec = SC_VEC_ADD(ow->fx->ar, &ow->fx->records);
    rec->kind = (uint8_t)kind;
    rec->to = *to;
    rec->ev = ow->rec->ev;
    rec->by = ow->rec->by;
    rec->why = ow->rec->why;
    return rec;
}

struct sc_link sc_owner_pair(const struct sc_node_id *x, const struct sc_node_id *y)
{
    SC_ASSERT(!sc_node_eq(x, y));
    const struct sc_node_id strong = sc_node_cmp(x, y) < 0 ? *x : *y;
    const struct sc_node_id weak = sc_node_cmp(x, y) < 0 ? *y : *x;
    return (struct sc_link){strong, weak, strong, weak};
}

void sc_owner_link(struct sc_owner *ow, const struct sc_node_id *x, const struct sc_node_id *y)
{
    const struct sc_link pair = sc_owner_pair(x, y);
    struct sc_record *link = sc_owner_send(ow, SC_REC_LINK, &pair.weak);
    link->home = pair.strong;
    link->links[0] = pair;
    link->n_links = 1;
}

static struct sc_record *pass(struct sc_owner *ow, const struct sc_record *rec,
                              const struct sc_node_id *to)
{
    SC_ASSERT(!sc_node_none(to));
    struct sc_record *out = SC_VEC_ADD(ow->fx->ar, &ow->fx->records);
    *out = *rec;
    out->to = *to;
    return out;
}

static void count_hop(struct sc_record *rec)
{
    rec->hops = (uint8_t)(rec->hops < UINT8_MAX ? rec->hops + 1 : UINT8_MAX);
    SC_ASSERT(rec->hops > 0);
}

void sc_owner_forward(struct sc_owner *ow, const struct sc_record *rec)
{
    const struct sc_state *st = ow->st;
    SC_ASSERT(st->kind == SC_STATE_ALIAS);
    struct sc_record *out = pass(ow, rec, &st->parent);
    count_hop(out);
    if (!out->has_via) { /* the first alias is kept: all nodes of a set are its root's members */
        out->has_via = true;
        out->via = st->node;
        out->via_gen = st->gen;
        out->home = st->parent;
    }
    ow->fx->counts.forwarded++;
}

bool sc_owner_admits(const struct sc_owner *ow, const struct sc_record *rec,
                     const struct sc_node_id *node)
{
    const struct sc_state *st = ow->st;
    SC_ASSERT(st->kind == SC_STATE_ROOT);
    const struct sc_node_id *entry = rec->has_via ? &rec->via : node;
    if (sc_node_eq(entry, &st->node))
        return true;
    const struct sc_member *member = sc_owner_member(ow->st, entry);
    if (member && (!rec->has_via || member->gen >= rec->via_gen))
        return true;
    /* Straight from an alias of this very node, which it did not refuse: the alias's state is on
     * its way back here from a parent that this node has no more. */
    return rec->has_via && sc_node_eq(&rec->home, &st->node) && !sc_owner_refuses(st, entry);
}

void sc_owner_send_back(struct sc_owner *ow, const struct sc_record *rec,
                        const struct sc_node_id *node)
{
    const struct sc_node_id entry = rec->has_via ? rec->via : *node;
    SC_ASSERT(!sc_node_eq(&entry, &ow->st->node));
    struct sc_record *out = pass(ow, rec, &entry);
    count_hop(out);
    out->has_via = false;
    out->home = entry;
    ow->fx->counts.sent_back++;
}

static int64_t event_time(const struct sc_owner *ow)
{
    if (ow->rec->ev)
        return ow->rec->ev->occurred_ms;
    int64_t watermark_ms = ow->in->now.watermark_ms;
    return watermark_ms != SC_NEVER ? watermark_ms : ow->in->now.append_ms;
}

struct sc_effect *sc_owner_audit(struct sc_owner *ow, enum sc_identity_action action,
                                 const struct sc_node_id *node)
{
    SC_ASSERT(!sc_node_none(node));
    struct sc_effect *fx = SC_VEC_ADD(ow->fx->ar, &ow->fx->items);
    *fx = (struct sc_effect){.type = SC_FX_IDENTITY, .trigger = -1, .channel = -1, .from = -1,
                             .to = -1, .stage = -1, .expires_ms = SC_NO_DUE};
    fx->action = (uint8_t)action;
    fx->event_ms = event_time(ow);
    fx->at_ms = sc_decision_ms(&ow->in->now, fx->event_ms);
    fx->customer = ow->st->node;
    fx->node = *node;
    fx->by = ow->rec->by;
    fx->why = ow->rec->why;
    fx->events = ow->rec->ev ? &ow->rec->ev->id : NULL;
    fx->n_events = ow->rec->ev ? 1 : 0;
    return fx;
}

static const void *copied(struct sc_owner *ow, const void *list, size_t bytes)
{
    void *to = sc_arena_alloc(ow->fx->ar, bytes);
    if (bytes)
        memcpy(to, list, bytes);
    return to;
}

void sc_owner_tell_former(struct sc_owner *ow, struct sc_effect *fx)
{
    fx->n_former = ow->st->former.n;
    fx->former = copied(ow, ow->st->former.v, fx->n_former * sizeof(*fx->former));
}

void sc_owner_tell_members(struct sc_owner *ow, struct sc_effect *fx)
{
    fx->n_members = ow->st->members.n;
    fx->members = copied(ow, ow->st->members.v, fx->n_members * sizeof(*fx->members));
}

void sc_owner_caused(struct sc_owner *ow, struct sc_effect *fx, const struct sc_link *link)
{
    fx->link = *link;
    if (sc_node_none(&link->strong))
        return; /* by a command */
    SC_ASSERT(!sc_node_none(&link->weak));
    fx->rule = sc_str_printf(ow->fx->ar, "%.*s + %.*s",
                             SC_STR_FMT(sc_owner_namespace(ow->jo, &link->strong)->name),
                             SC_STR_FMT(sc_owner_namespace(ow->jo, &link->weak)->name));
}

void sc_owner_hint(struct sc_owner *ow, const struct sc_node_id *child,
                   const struct sc_node_id *parent)
{
    SC_ASSERT(sc_node_cmp(parent, child) <= 0);
    SC_VEC_PUSH(ow->fx->ar, &ow->fx->hints, *child);
    SC_VEC_PUSH(ow->fx->ar, &ow->fx->hints, *parent);
}

struct sc_member *sc_owner_member(const struct sc_state *st, const struct sc_node_id *node)
{
    SC_ASSERT(st->members.n <= SC_MEMBERS_MAX);
    for (uint32_t i = 0; i < st->members.n; i++)
        if (sc_node_eq(&st->members.v[i].node, node))
            return &st->members.v[i];
    return NULL;
}

void sc_owner_reset(struct sc_owner *ow)
{
    struct sc_state *st = ow->st, old = *st;
    SC_ASSERT(!sc_node_none(&st->node));
    *st = *sc_state_new(ow->jo, old.node, old.ar);
    st->stored = old.stored;
    st->gen = old.gen;
    st->erased_ms = old.erased_ms;
    st->dirty = true;
}

bool sc_owner_refuses(const struct sc_state *st, const struct sc_node_id *node)
{
    SC_ASSERT(st->must_not.n == 0 || st->must_not.v != NULL);
    for (uint32_t i = 0; i < st->must_not.n; i++)
        if (sc_node_eq(&st->must_not.v[i], node))
            return true;
    return false;
}

void sc_owner_forbid(struct sc_state *st, const struct sc_node_id *node)
{
    SC_ASSERT(!sc_node_eq(&st->node, node));
    if (sc_owner_refuses(st, node))
        return;
    if (st->must_not.n == SC_MEMBERS_MAX) { /* the oldest is tried again: at worst refused again */
        memmove(st->must_not.v, st->must_not.v + 1, --st->must_not.n * sizeof(*st->must_not.v));
    }
    SC_VEC_PUSH(st->ar, &st->must_not, *node);
    st->dirty = true;
}

const struct sc_namespace *sc_owner_namespace(const struct sc_journey *jo,
                                              const struct sc_node_id *node)
{
    uint8_t rank = sc_node_rank(node);
    SC_ASSERT(rank >= 1 && rank <= jo->tx->n_namespaces);
    return &jo->tx->namespaces[rank - 1];
}

bool sc_owner_has_rival(const struct sc_journey *jo, const struct sc_state *st,
                        const struct sc_node_id *node)
{
    SC_ASSERT(st->members.n <= SC_MEMBERS_MAX);
    if (!sc_owner_namespace(jo, node)->unique)
        return false;
    for (uint32_t i = 0; i < st->members.n; i++) {
        const struct sc_node_id *other = &st->members.v[i].node;
        if (other->b[0] == node->b[0] && !sc_node_eq(other, node))
            return true;
    }
    return false;
}

void sc_owner_violation(struct sc_owner *ow, const struct sc_link *link,
                        enum sc_violation violation)
{
    SC_ASSERT(violation != SC_VIOLATION_NONE);
    if (sc_owner_namespace(ow->jo, &link->weak)->unique) {
        struct sc_effect *fx = sc_owner_audit(ow, SC_ID_VIOLATION, &link->weak);
        fx->violation = (uint8_t)violation;
        sc_owner_caused(ow, fx, link);
        return;
    }
    struct sc_record *split = sc_owner_send(ow, SC_REC_SPLIT, &link->weak);
    split->node = link->weak;
    split->ambiguous = true;
    split->violation = (uint8_t)violation;
    split->link = *link;
}

/* ---- links */

/* The root `n` of a pair became, or is, an alias: its parent stands for it from here on. */
static void rename_root(struct sc_record *rec, const struct sc_node_id *n,
                        const struct sc_node_id *parent)
{
    SC_ASSERT(sc_node_cmp(parent, n) < 0);
    for (uint32_t i = 0; i < rec->n_links; i++) {
        if (sc_node_eq(&rec->links[i].a, n))
            rec->links[i].a = *parent;
        if (sc_node_eq(&rec->links[i].b, n))
            rec->links[i].b = *parent;
    }
}

/* Which of an event's identifiers it is; SC_IDENTIFIERS_MAX: none. */
static uint32_t index_of(const struct sc_event *ev, const struct sc_node_id *node)
{
    uint32_t i = 0;
    while (i < ev->n_ids && !sc_node_eq(&ev->ids[i].node, node))
        i++;
    return i < ev->n_ids ? i : SC_IDENTIFIERS_MAX;
}

static void drop_link(struct sc_record *rec)
{
    SC_ASSERT(rec->n_links > 0);
    if (rec->kind == SC_REC_EVENT)
        rec->decided |= (uint16_t)(1u << index_of(rec->ev, &rec->links[0].weak));
    rec->n_links--;
    memmove(rec->links, rec->links + 1, rec->n_links * sizeof(*rec->links));
}

/* Does this root refuse the other, by what it knows? Silent: said before, or nothing to say. */
static bool refused(struct sc_owner *ow, const struct sc_link *link, const struct sc_node_id *other)
{
    struct sc_state *st = ow->st;
    if (sc_owner_has_rival(ow->jo, st, other)) {
        bool weak_unique = sc_owner_namespace(ow->jo, &link->weak)->unique;
        if (!weak_unique || !sc_owner_refuses(st, other))
            sc_owner_violation(ow, link, SC_VIOLATION_UNIQUE);
        if (weak_unique)
            sc_owner_forbid(st, other); /* said once for this pair */
        return true;
    }
    if (!st->ambiguous && !sc_owner_refuses(st, other))
        return false;
    ow->fx->counts.links_refused++;
    return true;
}

/* This root becomes an alias of `other`, its whole state goes there. */
static void yield_to(struct sc_owner *ow, const struct sc_link *link,
                     const struct sc_node_id *other)
{
    struct sc_state *st = ow->st;
    SC_ASSERT(st->kind == SC_STATE_ROOT && sc_node_cmp(other, &st->node) < 0);
    struct sc_state *moved = sc_arena_alloc(ow->fx->ar, sizeof(*moved));
    *moved = *st;
    moved->erased_ms = SC_NEVER; /* what was forgotten of this node is its own to keep */
    struct sc_record *rec = sc_owner_send(ow, SC_REC_STATE, other);
    rec->node = st->node;
    rec->gen = st->gen;
    rec->state = moved;
    rec->link = *link;
    if (moved->n_events > 0) /* said here, where its line is written: no other can come later */
        SC_VEC_PUSH(ow->fx->ar, &ow->fx->gone, st->node);
    sc_owner_reset(ow);
    st->kind = SC_STATE_ALIAS;
    st->parent = *other;
    memset(&st->members, 0, sizeof(st->members));
    for (uint32_t i = 0; i < moved->members.n; i++)
        SC_VEC_PUSH(st->ar, &st->members, moved->members.v[i]);
    sc_owner_hint(ow, &st->node, other);
}

static bool forgotten(const struct sc_owner *ow)
{
    return ow->st->erased_ms != SC_NEVER && event_time(ow) <= ow->st->erased_ms;
}

static void revive(struct sc_owner *ow)
{
    SC_ASSERT(ow->st->kind == SC_STATE_ERASED && !forgotten(ow));
    sc_owner_reset(ow); /* a new customer, behind ERASED(t) */
}

/* Is it a member, and everybody it came through? Else one of them is under way, or has left. */
static bool firmly_here(const struct sc_state *st, const struct sc_node_id *node)
{
    const struct sc_member *m = sc_owner_member(st, node);
    for (uint32_t i = 0; m && i < st->members.n; i++) {
        if (sc_node_none(&m->through) || sc_node_eq(&m->node, &st->node))
            return true;
        m = sc_owner_member(st, &m->through);
    }
    return m != NULL;
}

/* This root is the larger of the pair: by it, or by a member. */
static void decide_at_root(struct sc_owner *ow, struct sc_record *rec,
                           const struct sc_node_id *other)
{
    struct sc_link *link = &rec->links[0];
    bool a_here = sc_node_eq(&link->a, &ow->st->node);
    const struct sc_node_id *own = a_here ? &link->strong : &link->weak;
    const struct sc_node_id *far = a_here ? &link->weak : &link->strong;
    if (!firmly_here(ow->st, own) && rec->hops < SC_HOPS_MAX) {
        *(a_here ? &link->a : &link->b) = *own; /* it knows better where it is, or will soon */
        count_hop(rec);
        return;
    }
    if (!sc_owner_member(ow->st, far) && !refused(ow, link, other)) {
        yield_to(ow, link, other);
        rename_root(rec, &ow->st->node, other);
    }
    drop_link(rec);
}

/* Decide what is this node's to decide. False: the record goes to another owner first. */
static bool decide_links(struct sc_owner *ow, struct sc_record *rec)
{
    struct sc_state *st = ow->st;
    while (rec->n_links > 0) {
        struct sc_link *link = &rec->links[0];
        bool a_larger = sc_node_cmp(&link->a, &link->b) > 0;
        const struct sc_node_id larger = a_larger ? link->a : link->b;
        const struct sc_node_id other = a_larger ? link->b : link->a;
        if (sc_node_eq(&larger, &other)) {
            drop_link(rec);
            continue;
        }
        if (!sc_node_eq(&larger, &st->node))
            return false;
        if (st->kind == SC_STATE_ALIAS) {
            sc_owner_hint(ow, &st->node, &st->parent);
            rename_root(rec, &st->node, &st->parent);
            continue;
        }
        if (forgotten(ow)) {
            drop_link(rec);
            continue;
        }
        if (st->kind == SC_STATE_ERASED)
            revive(ow);
        decide_at_root(ow, rec, &other);
    }
    return true;
}

/* ---- the event itself */

/* A hint led to an alias that has not seen the node yet: the node's state is still on its way
 * here, and a copy of what it remembers must not come before it. */
static bool overtakes(const struct sc_owner *ow, const struct sc_record *rec,
                      const struct sc_node_id *own)
{
    SC_ASSERT(ow->st->kind == SC_STATE_ALIAS);
    return !rec->has_via && !sc_node_eq(own, &ow->st->node) && !sc_owner_member(ow->st, own) &&
           rec->hops < SC_HOPS_LOST;
}

/* At home, links decided: apply here, or send on. */
static bool at_home(struct sc_owner *ow, struct sc_record *rec)
{
    struct sc_state *st = ow->st;
    SC_ASSERT(rec->n_links == 0 && rec->kind == SC_REC_EVENT);
    if (forgotten(ow)) {
        ow->fx->counts.erased++;
        return false;
    }
    const struct sc_node_id *own = &rec->ev->ids[0].node;
    if (st->kind == SC_STATE_ALIAS) {
        if (overtakes(ow, rec, own))
            sc_owner_send_back(ow, rec, own);
        else
            sc_owner_forward(ow, rec);
        return false;
    }
    if (st->kind == SC_STATE_ERASED)
        revive(ow);
    if (sc_owner_admits(ow, rec, own))
        return true;
    if (rec->hops >= SC_HOPS_LOST) { /* cannot be, and must not go round for ever: it stays here */
        sc_owner_audit(ow, SC_ID_VIOLATION, own)->violation = SC_VIOLATION_HOPS;
        return true;
    }
    sc_owner_send_back(ow, rec, own);
    return false;
}

/* Did the event come, or go, with a link for this one? */
static bool was_linked(const struct sc_record *rec, uint32_t i)
{
    bool linked = rec->decided >> i & 1;
    for (uint32_t k = 0; k < rec->n_links && !linked; k++)
        linked = sc_node_eq(&rec->links[k].weak, &rec->ev->ids[i].node);
    return linked;
}

/* Whoever is seen together with the customer's own identifier needs no other between them. One that
 * is no member and came without a link was believed to be one: the link is made up for. */
static void note_ways(struct sc_owner *ow)
{
    struct sc_state *st = ow->st;
    const struct sc_event *ev = ow->rec->ev;
    SC_ASSERT(ev->n_ids > 0);
    bool own = sc_node_eq(&ev->ids[0].node, &st->node);
    for (uint32_t i = 1; i < ev->n_ids; i++) {
        struct sc_member *m = sc_owner_member(st, &ev->ids[i].node);
        if (m == NULL && !was_linked(ow->rec, i) && !sc_owner_refuses(st, &ev->ids[i].node))
            sc_owner_link(ow, &ev->ids[0].node, &ev->ids[i].node);
        if (m == NULL || !own || sc_node_eq(&m->through, &st->node))
            continue;
        m->through = st->node;
        st->dirty = true;
    }
}

/* Nearly all events: no links, at their root, by the right door. */
static bool plainly_home(const struct sc_owner *ow)
{
    const struct sc_record *rec = ow->rec;
    return rec->kind == SC_REC_EVENT && rec->n_links == 0 && ow->st->kind == SC_STATE_ROOT &&
           (rec->has_via || sc_node_eq(&rec->home, &ow->st->node)) && !forgotten(ow) &&
           sc_owner_admits(ow, rec, &rec->ev->ids[0].node);
}

/* True: the event is to be applied here. */
static bool settle_event(struct sc_owner *ow)
{
    if (plainly_home(ow))
        return true; /* and no copy of the record */
    struct sc_record rec = *ow->rec;
    SC_ASSERT(rec.n_links <= SC_LINKS_MAX);
    bool decided = decide_links(ow, &rec);
    struct sc_node_id next = sc_record_next(&rec);
    if (decided && rec.kind == SC_REC_LINK)
        return false;
    bool here = rec.has_via || sc_node_eq(&next, &ow->st->node);
    if (!decided || !here) {
        pass(ow, &rec, &next);
        return false;
    }
    return at_home(ow, &rec);
}

static bool handle_event(struct sc_owner *ow)
{
    if (!settle_event(ow))
        return false;
    SC_ASSERT(ow->st->kind == SC_STATE_ROOT);
    note_ways(ow);
    return true;
}

bool sc_owner_handle(const struct sc_journey *jo, struct sc_state *st, const struct sc_input *in,
                     struct sc_effects *fx)
{
    SC_ASSERT(in->kind == SC_IN_RECORD && in->rec != NULL);
    SC_ASSERT(sc_node_eq(&in->rec->to, &st->node));
    struct sc_owner ow = {.jo = jo, .st = st, .in = in, .rec = in->rec, .fx = fx};
    switch ((enum sc_record_kind)in->rec->kind) {
    case SC_REC_EVENT:
    case SC_REC_LINK:
        return handle_event(&ow);
    case SC_REC_STATE:
        sc_owner_state(&ow);
        return false;
    case SC_REC_RETURN:
        sc_owner_return(&ow);
        return false;
    case SC_REC_SPLIT:
        sc_owner_split(&ow);
        return false;
    case SC_REC_LEAVE:
        sc_owner_leave(&ow);
        return false;
    case SC_REC_ASK:
        sc_owner_ask(&ow);
        return false;
    case SC_REC_ERASE:
        sc_owner_erase_record(&ow);
        return false;
    case SC_REC_HEARTBEAT:
    case SC_REC_TRAILER:
        break;
    }
    SC_UNREACHABLE("records of the engine never reach a customer");
}
