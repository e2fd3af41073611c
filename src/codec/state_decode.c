/* Reading a state back: the customer's own; see state_decode_rules.c for what goes by the journey.
 *
 * Safe on any bytes: every count is bounded by what could follow and by the state's own limits,
 * every name is looked up, and what does not fit makes the whole unreadable. Cost: see
 * docs/formats.md. */
#include "codec/state_read.h"

#include "base/hash.h"
#include "codec/journal.h"

static struct sc_node_id take_node(struct sc_scan *r)
{
    struct sc_node_id n;
    sc_scan_raw(r, n.b, sizeof(n.b));
    return n;
}

/* ---- identity */

static void take_members(struct sc_state_reader *d)
{
    struct sc_state *st = d->st;
    st->members.n = 0;
    uint32_t n = sc_scan_count(&d->r, SC_MEMBERS_MAX + 1, 4);
    for (uint32_t i = 0; i < n && !d->r.bad; i++) {
        struct sc_member m = {.node = st->node};
        uint8_t bits = sc_scan_u8(&d->r);
        if (!(bits & SC_MEMBER_SELF))
            m.node = take_node(&d->r);
        if (bits & SC_MEMBER_GROUP)
            m.group = take_node(&d->r);
        else if (bits & SC_MEMBER_CUSTOMER)
            m.group = m.node;
        if (bits & SC_MEMBER_BY)
            m.through = take_node(&d->r);
        else if (bits & SC_MEMBER_BY_ROOT)
            m.through = st->node;
        m.gen = sc_scan_count(&d->r, UINT32_MAX, 0);
        m.linked_ms = sc_scan_ms(&d->r, d->base_ms);
        m.evidence = sc_scan_str(&d->r);
        bool both = ((bits & SC_MEMBER_GROUP) && (bits & SC_MEMBER_CUSTOMER)) ||
                    ((bits & SC_MEMBER_BY) && (bits & SC_MEMBER_BY_ROOT));
        if (bits > SC_MEMBER_ALL || both || sc_node_none(&m.node))
            sc_scan_fail(&d->r);
        SC_VEC_PUSH(st->ar, &st->members, m);
    }
}

static struct sc_node_id *take_nodes(struct sc_state_reader *d, uint32_t max, uint32_t *n)
{
    *n = sc_scan_count(&d->r, max, sizeof(struct sc_node_id));
    struct sc_node_id *v = sc_arena_alloc(d->st->ar, sizeof(*v) * (*n + 1));
    sc_scan_raw(&d->r, v, sizeof(*v) * *n);
    SC_ASSERT(*n <= max);
    return v;
}

static void take_must_not(struct sc_state_reader *d)
{
    struct sc_state *st = d->st;
    st->must_not.v = take_nodes(d, SC_MEMBERS_MAX, &st->must_not.n);
    st->must_not.cap = st->must_not.n;
}

static void take_former(struct sc_state_reader *d)
{
    struct sc_state *st = d->st;
    st->merges = sc_scan_count(&d->r, UINT16_MAX, 0);
    st->former.v = take_nodes(d, SC_MEMBERS_MAX, &st->former.n);
    st->former.cap = st->former.n;
}

static void take_life(struct sc_state_reader *d)
{
    struct sc_state *st = d->st;
    st->n_events = sc_scan_var(&d->r);
    st->first_ms = sc_state_take_ms(d);
    st->last_ms = sc_state_take_ms(d);
    if (st->n_events == 0 || st->first_ms > st->last_ms)
        sc_scan_fail(&d->r);
}

/* ---- the customer's word */

static void take_consents(struct sc_state_reader *d)
{
    uint32_t n = sc_scan_count(&d->r, SC_CONSENTS_MAX, 5);
    for (uint32_t i = 0; i < n && !d->r.bad; i++) {
        struct sc_consent c = {.granted = sc_scan_u8(&d->r) & 1};
        c.at_ms = sc_state_take_ms(d);
        c.purpose = sc_scan_str(&d->r);
        c.source = sc_scan_str(&d->r);
        c.evidence = sc_scan_str(&d->r);
        SC_VEC_PUSH(d->st->ar, &d->st->consents, c);
    }
}

static void take_prefs(struct sc_state_reader *d)
{
    struct sc_state *st = d->st;
    struct sc_pref *prefs[] = {&st->channel, &st->timezone, &st->language, &st->frequency};
    uint8_t bits = sc_scan_u8(&d->r);
    if (bits == 0 || bits > 15)
        sc_scan_fail(&d->r);
    for (unsigned i = 0; i < 4; i++) {
        if (!(bits >> i & 1))
            continue;
        prefs[i]->at_ms = sc_state_take_ms(d);
        prefs[i]->number = sc_scan_int(&d->r);
        prefs[i]->text = sc_scan_text(&d->r);
    }
}

static void take_inbound(struct sc_state_reader *d)
{
    uint32_t n = sc_scan_count(&d->r, SC_CHANNELS_MAX, 5);
    for (uint32_t i = 0; i < n; i++) {
        int channel = sc_state_channel(d->jo, sc_scan_u32(&d->r));
        int64_t ms = sc_state_take_ms(d);
        if (channel >= 0)
            d->st->inbound_ms[channel] = ms;
    }
}

static void take_held_out(struct sc_state_reader *d)
{
    uint32_t n = sc_scan_count(&d->r, SC_TRIGGERS_MAX, 1);
    for (uint32_t i = 0; i < n && !d->r.bad; i++)
        SC_VEC_PUSH(d->st->ar, &d->st->held_out, sc_scan_str(&d->r));
}

/* ---- touchpoints, dedupe, cases */

static struct sc_str take_source(struct sc_scan *r, struct sc_str *known, uint32_t *n)
{
    uint64_t i = sc_scan_var(r);
    if (i < *n)
        return known[i];
    if (i > *n)
        sc_scan_fail(r);
    struct sc_str s = sc_scan_text(r);
    if (*n < SC_RING_SOURCES)
        known[(*n)++] = s;
    return s;
}

static void take_touch_props(struct sc_scan *r, const struct sc_event_type *et,
                             struct sc_touch *t)
{
    uint32_t n = sc_scan_count(r, SC_PROPERTIES_MAX, 5), at = 0;
    t->props = SC_NEW_N(r->ar, struct sc_value, (et ? et->n_props : 0) + 1);
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        uint32_t hash = sc_scan_u32(r);
        struct sc_value v = sc_scan_value(r);
        int slot = et ? sc_flat_prop(et, hash, &at) : -1;
        if (slot >= 0 && sc_is_value(v))
            t->props[slot] = v;
    }
}

static void take_ring(struct sc_state_reader *d)
{
    struct sc_str known[SC_RING_SOURCES];
    uint32_t n_known = 0, n = sc_scan_count(&d->r, SC_RING_MAX, 9);
    for (uint32_t i = 0; i < n && !d->r.bad; i++) {
        struct sc_touch t = {0};
        uint32_t hash = sc_scan_u32(&d->r);
        int type = sc_flat_event(d->jo->tx, hash, sc_scan_var(&d->r));
        t.ms = sc_state_take_ms(d);
        t.source = take_source(&d->r, known, &n_known);
        t.id = sc_scan_text(&d->r);
        take_touch_props(&d->r, type < 0 ? NULL : &d->jo->tx->events[type], &t);
        if (type < 0)
            continue;
        t.type = (uint16_t)type;
        SC_VEC_PUSH(d->st->ar, &d->st->ring, t);
    }
    if (d->st->ring.n > d->jo->ring_max) { /* the newest stay */
        uint32_t over = d->st->ring.n - d->jo->ring_max;
        d->st->ring.v += over;
        d->st->ring.n = d->st->ring.cap = d->jo->ring_max;
    }
}

/* SC_STATE_WIDE_SEEN: u64 hash, u32 content, u32 seconds, in order of arrival. */
static void take_wide_seen(struct sc_state_reader *d)
{
    uint32_t n = sc_scan_count(&d->r, SC_DEDUPE_MAX, 16), evicted = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t id_hash = sc_scan_u64(&d->r);
        uint32_t content = sc_scan_u32(&d->r);
        int64_t at_s = sc_scan_u32(&d->r);
        sc_dedupe(d->st, id_hash, content, at_s * SC_SECOND_MS, &evicted);
    }
}

static void take_seen(struct sc_state_reader *d)
{
    struct sc_state *st = d->st;
    if (d->version == SC_STATE_WIDE_SEEN) {
        take_wide_seen(d);
        return;
    }
    uint32_t n = sc_scan_count(&d->r, SC_DEDUPE_MAX, sizeof(struct sc_seen));
    st->seen_last = sc_scan_u32(&d->r);
    st->seen.cap = n + 8;
    st->seen.v = sc_arena_alloc(st->ar, sizeof(*st->seen.v) * st->seen.cap);
    sc_scan_raw(&d->r, st->seen.v, n * sizeof(struct sc_seen));
    st->seen.n = n;
}

static int case_by_hash(const struct sc_taxonomy *tx, uint32_t hash)
{
    for (uint32_t c = 0; c < tx->n_cases; c++)
        if (sc_hash_name(tx->cases[c].name) == hash)
            return (int)c;
    return -1;
}

static void take_cases(struct sc_state_reader *d)
{
    uint32_t n = sc_scan_count(&d->r, SC_CASES_MAX, 14);
    for (uint32_t i = 0; i < n && !d->r.bad; i++) {
        int kind = case_by_hash(d->jo->tx, sc_scan_u32(&d->r));
        struct sc_open_case c = {.key_hash = sc_scan_u64(&d->r)};
        c.opened_ms = sc_scan_ms(&d->r, d->base_ms);
        c.closed_ms = sc_scan_ms(&d->r, d->base_ms);
        c.kind = (uint16_t)kind;
        if (kind >= 0)
            SC_VEC_PUSH(d->st->ar, &d->st->cases, c);
    }
}

static void take_waiting(struct sc_state_reader *d)
{
    uint32_t n = sc_scan_count(&d->r, UINT16_MAX, 2);
    for (uint32_t i = 0; i < n && !d->r.bad; i++) {
        struct sc_str bytes = sc_scan_str(&d->r);
        struct sc_frame_item *item = sc_arena_alloc(d->st->ar, sizeof(*item));
        if (d->r.bad || !sc_record_decode(d->jo->tx, bytes, d->st->ar, item) ||
            item->kind != SC_REC_EVENT) {
            sc_scan_fail(&d->r);
            return;
        }
        struct sc_event *ev = &item->event;
        if (ev->type == SC_EVENT_UNKNOWN)
            continue;
        struct sc_waiting w = {ev->occurred_ms, ev->source_name, ev->id, ev};
        SC_VEC_PUSH(d->st->ar, &d->st->waiting, w);
    }
}

/* ---- the whole */

static void take_section(struct sc_state_reader *d, enum sc_state_section sec)
{
    struct sc_state *st = d->st;
    switch (sec) {
    case SC_SEC_GEN: st->gen = sc_scan_count(&d->r, UINT32_MAX, 0); return;
    case SC_SEC_ERASED: st->erased_ms = sc_state_take_ms(d); return;
    case SC_SEC_MEMBERS: take_members(d); return;
    case SC_SEC_MUST_NOT: take_must_not(d); return;
    case SC_SEC_FORMER: take_former(d); return;
    case SC_SEC_LIFE: take_life(d); return;
    case SC_SEC_STAGE_SINCE: st->place[0].stage_ms = sc_state_take_ms(d); return;
    case SC_SEC_CONSENTS: take_consents(d); return;
    case SC_SEC_PREFS: take_prefs(d); return;
    case SC_SEC_SNOOZE:
        st->snooze_at_ms = sc_state_take_ms(d);
        st->snooze_until_ms = sc_state_take_ms(d);
        return;
    case SC_SEC_ZONE: st->phone_zone = sc_scan_text(&d->r); return;
    case SC_SEC_FATIGUE:
        sc_scan_raw(&d->r, &st->fatigue, sizeof(st->fatigue));
        st->fatigue_ms = sc_state_take_ms(d);
        if (!(st->fatigue >= 0)) /* nor NaN */
            sc_scan_fail(&d->r);
        return;
    case SC_SEC_RING: take_ring(d); return;
    case SC_SEC_SEEN: take_seen(d); return;
    case SC_SEC_CASES: take_cases(d); return;
    case SC_SEC_INBOUND: take_inbound(d); return;
    case SC_SEC_HELD_OUT: take_held_out(d); return;
    case SC_SEC_WAITING: take_waiting(d); return;
    case SC_SEC_HISTORY: st->history = sc_history_take(&d->r, d->jo, d->base_ms); return;
    case SC_SEC_STAGE: case SC_SEC_LAPSE: case SC_SEC_LAPSE_VOID: case SC_SEC_FURTHEST:
    case SC_SEC_FACTS: case SC_SEC_MILESTONES: case SC_SEC_TIMERS: case SC_SEC_BREAKS:
    case SC_SEC_SENT: case SC_SEC_OCCURRENCES: case SC_SEC_FOREIGN:
    case SC_SEC_TRACKS:
        sc_state_take_rules(d, sec);
        return;
    case SC_SEC_COUNT: break;
    }
    SC_UNREACHABLE("state section");
}

static void take_sections(struct sc_state_reader *d, uint64_t sections)
{
    for (; sections && !d->r.bad; sections &= sections - 1)
        take_section(d, (enum sc_state_section)__builtin_ctzll(sections));
}

/* Straight on: nearly all states have life, the time of their stage, and ids seen. */
static void take_front(struct sc_state_reader *d, uint64_t sections)
{
    if (sections & SC_SECTIONS_IDENTITY)
        take_sections(d, sections & SC_SECTIONS_IDENTITY);
    if (sections & SC_SEC_BIT(LIFE))
        take_life(d);
    if (sections & SC_SEC_BIT(STAGE_SINCE))
        d->st->place[0].stage_ms = sc_state_take_ms(d);
    if (sections & SC_SECTIONS_PLACE)
        take_sections(d, sections & SC_SECTIONS_PLACE);
    if (sections & SC_SEC_BIT(SEEN))
        take_seen(d);
}

static void read_rest(struct sc_unread *u)
{
    struct sc_state_reader d = {.r = sc_scan_from(u->behind, u->st->ar), .jo = u->jo, .st = u->st,
                                .base_ms = u->base_ms, .version = SC_STATE_VERSION};
    u->behind = SC_STR_NULL;
    take_sections(&d, u->sections);
    u->bad |= d.r.bad || d.r.p != d.r.end;
}

static void leave_unread(struct sc_state_reader *d)
{
    struct sc_unread *u = sc_arena_alloc(d->st->ar, sizeof(*u));
    *u = (struct sc_unread){.fact = sc_state_read_fact, .rest = read_rest, .st = d->st,
                            .jo = d->jo, .base_ms = d->base_ms};
    d->st->unread = u;
}

/* What is left to read, and stands there for `sections`; maybe for none. */
static void leave_behind(struct sc_state_reader *d, uint64_t sections)
{
    struct sc_unread *u = d->st->unread;
    if (d->r.bad)
        return;
    u->behind = (struct sc_str){(const char *)d->r.p, sc_scan_left(&d->r)};
    u->sections = sections;
    u->timed = sections & SC_SECTIONS_TIMED;
    if (sections)
        d->r.p = d->r.end;
}

static bool take_head(struct sc_scan *r, struct sc_state_peek *out, uint8_t *version, uint8_t *bits)
{
    *version = sc_scan_u8(r);
    *bits = sc_scan_u8(r);
    *out = (struct sc_state_peek){.kind = *bits & SC_STATE_KIND,
                                  .due_ms = (int64_t)sc_scan_u64(r)};
    bool known = *version <= SC_STATE_VERSION && *version >= SC_STATE_WIDE_SEEN;
    if (!known || *bits > SC_STATE_FLAGS || out->kind > SC_STATE_ERASED)
        return false;
    if (out->kind == SC_STATE_ALIAS)
        out->parent = take_node(r);
    return !r->bad;
}

bool sc_state_peek(struct sc_str in, struct sc_state_peek *out)
{
    SC_ASSERT(in.len == 0 || in.p != NULL);
    uint8_t version, bits;
    struct sc_scan r = sc_scan_from(in, NULL);
    return take_head(&r, out, &version, &bits);
}

struct sc_state *sc_state_open(const struct sc_journey *jo, struct sc_node_id node,
                               struct sc_str in, struct sc_arena *ar)
{
    SC_ASSERT(in.len == 0 || in.p != NULL);
    struct sc_state_peek head;
    uint8_t bits;
    struct sc_state_reader d = {.r = sc_scan_from(in, ar), .jo = jo};
    if (!take_head(&d.r, &head, &d.version, &bits))
        return NULL;
    d.st = sc_state_new(jo, node, ar);
    d.st->stored = true;
    d.st->kind = head.kind;
    d.st->parent = head.parent;
    d.st->due_ms = head.due_ms;
    d.st->ambiguous = bits & SC_STATE_AMBIGUOUS;
    d.st->fatigue_paused = bits & SC_STATE_PAUSED;
    uint64_t sections = sc_scan_var(&d.r);
    d.base_ms = sc_scan_int(&d.r);
    if (sections >> SC_SEC_COUNT || d.base_ms <= -SC_MS_LIMIT || d.base_ms >= SC_MS_LIMIT)
        return NULL;
    leave_unread(&d);
    if (d.version < SC_STATE_VERSION) {
        take_sections(&d, sections);
    } else {
        take_front(&d, sections);
        leave_behind(&d, sections & ~SC_SECTIONS_FRONT);
    }
    return d.r.bad || d.r.p != d.r.end ? NULL : d.st;
}

struct sc_state *sc_state_decode(const struct sc_journey *jo, struct sc_node_id node,
                                 struct sc_str in, struct sc_arena *ar)
{
    struct sc_state *st = sc_state_open(jo, node, in, ar);
    return st && sc_facts_read(st) ? st : NULL;
}
