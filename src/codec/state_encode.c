/* Writing a state: one pass, each section straight into the buffer. Layout: state_form.h,
 * docs/formats.md.
 *
 * Past the hard limit the state is written again with less: first the ids of dedupe beyond 64,
 * then touchpoints, then exact windows beyond 64 events, then what evidence and contexts are only
 * good for reading. Consents, ledger, totals, timers and waiting events never go. Cost: about 100
 * ns for a state of 300 bytes. */
#include "codec/state_form.h"

#include "base/hash.h"

#include "codec/journal.h"

struct writer {
    struct sc_pen w;
    const struct sc_journey *jo;
    const struct sc_state *st;
    int64_t base_ms;
    uint32_t n_facts, n_milestones; /* that stand */
    unsigned less; /* how much is left out: 0 nothing */
};

enum { LESS_SEEN = 1, LESS_RING, LESS_WINDOWS, LESS_TEXT, LESS_MOST = LESS_TEXT };

static void put_node(struct sc_pen *w, const struct sc_node_id *n)
{
    sc_pen_raw(w, n->b, sizeof(n->b));
}

/* ---- identity */

static bool plain_self(const struct sc_state *st)
{
    const struct sc_member *m = st->members.v;
    return st->members.n == 1 && sc_node_eq(&m->node, &st->node) && m->gen == 0 &&
           sc_node_none(&m->group) && sc_node_none(&m->through) && m->linked_ms == SC_NEVER &&
           m->evidence.len == 0;
}

static void put_members(struct writer *e)
{
    const struct sc_state *st = e->st;
    SC_ASSERT(st->members.n <= SC_MEMBERS_MAX + 1);
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, st->members.n);
    for (uint32_t i = 0; i < st->members.n; i++) {
        const struct sc_member *m = &st->members.v[i];
        bool self = sc_node_eq(&m->node, &st->node);
        bool own = sc_node_eq(&m->group, &m->node);
        bool group = !own && !sc_node_none(&m->group);
        bool by_root = sc_node_eq(&m->through, &st->node);
        bool by = !by_root && !sc_node_none(&m->through);
        sc_pen_room(&e->w, 1 + 3 * sizeof(m->node) + 2 * SC_VARINT_BYTES);
        sc_pen_u8(&e->w, (uint8_t)((self ? SC_MEMBER_SELF : 0) | (own ? SC_MEMBER_CUSTOMER : 0) |
                                   (group ? SC_MEMBER_GROUP : 0) |
                                   (by_root ? SC_MEMBER_BY_ROOT : 0) | (by ? SC_MEMBER_BY : 0)));
        if (!self)
            put_node(&e->w, &m->node);
        if (group)
            put_node(&e->w, &m->group);
        if (by)
            put_node(&e->w, &m->through);
        sc_pen_var(&e->w, m->gen);
        sc_pen_ms(&e->w, e->base_ms, m->linked_ms);
        sc_pen_str(&e->w, e->less >= LESS_TEXT ? SC_STR_NULL : m->evidence);
    }
}

static void put_nodes(struct writer *e, const struct sc_node_id *v, uint32_t n)
{
    sc_pen_room(&e->w, SC_VARINT_BYTES + sizeof(*v) * (size_t)n);
    sc_pen_var(&e->w, n);
    sc_pen_raw(&e->w, v, sizeof(*v) * (size_t)n);
}

/* Room is made. */
static void put_life(struct writer *e)
{
    sc_pen_var(&e->w, e->st->n_events);
    sc_pen_ms(&e->w, e->base_ms, e->st->first_ms);
    sc_pen_ms(&e->w, e->base_ms, e->st->last_ms);
}

/* ---- stage */

/* The stage by hash, and the low halves of the hashes before it in its track: where it is gone, the
 * nearest earlier one is found by them. */
static void put_stage(struct writer *e, uint32_t track)
{
    const struct sc_place *pl = &e->st->place[track];
    uint32_t first = e->jo->tracks[track].first;
    SC_ASSERT(pl->stage >= 0 && (uint32_t)pl->stage < e->jo->n_stages);
    uint32_t n = (uint32_t)pl->stage - first + (pl->stage_unknown != 0);
    sc_pen_room(&e->w, 4 + SC_VARINT_BYTES + 2 * SC_STAGES_MAX);
    sc_pen_u32(&e->w, pl->stage_unknown ? pl->stage_unknown : e->jo->stages[pl->stage].hash);
    sc_pen_var(&e->w, n);
    for (uint32_t i = first; i < first + n; i++) {
        uint16_t low = (uint16_t)e->jo->stages[i].hash;
        sc_pen_raw(&e->w, &low, sizeof(low));
    }
}

static void put_stage_ref(struct writer *e, int16_t stage)
{
    SC_ASSERT(stage >= 0 && (uint32_t)stage < e->jo->n_stages);
    sc_pen_room(&e->w, 4);
    sc_pen_u32(&e->w, e->jo->stages[stage].hash);
}

static void put_stage_at(struct writer *e, int16_t stage, int64_t ms)
{
    put_stage_ref(e, stage);
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_ms(&e->w, e->base_ms, ms);
}

/* Which parts of a place stand: SC_PLACE_*; 0: nobody has moved there yet. */
static uint8_t place_bits(const struct writer *e, uint32_t track)
{
    const struct sc_place *pl = &e->st->place[track];
    uint16_t initial = e->jo->tracks[track].initial;
    unsigned bits = pl->stage_ms != SC_NEVER ? SC_PLACE_SINCE : 0;
    bits |= pl->stage != initial || pl->stage_unknown ? SC_PLACE_STAGE : 0;
    bits |= pl->lapsed_from >= 0 ? SC_PLACE_LAPSE : 0;
    bits |= pl->lapse_void >= 0 ? SC_PLACE_VOID : 0;
    bits |= pl->furthest != initial ? SC_PLACE_FURTHEST : 0;
    return (uint8_t)bits;
}

/* Where `stages:` are all there is, the place has sections of its own, and no name. */
static uint32_t first_named(const struct sc_journey *jo)
{
    return jo->n_tracks == 1 && jo->tracks[0].name.len == 0;
}

static uint32_t track_count(const struct writer *e) /* that stand in TRACKS */
{
    uint32_t n = 0;
    for (uint32_t t = first_named(e->jo); t < e->jo->n_tracks; t++)
        n += place_bits(e, t) != 0;
    return n;
}

static void put_place(struct writer *e, uint32_t track, uint8_t bits)
{
    const struct sc_place *pl = &e->st->place[track];
    sc_pen_room(&e->w, 1 + SC_VARINT_BYTES);
    sc_pen_u8(&e->w, bits);
    if (bits & SC_PLACE_SINCE)
        sc_pen_ms(&e->w, e->base_ms, pl->stage_ms);
    if (bits & SC_PLACE_STAGE)
        put_stage(e, track);
    if (bits & SC_PLACE_LAPSE)
        put_stage_at(e, pl->lapsed_from, pl->lapsed_from_ms);
    if (bits & SC_PLACE_VOID)
        put_stage_at(e, pl->lapse_void, pl->lapse_void_ms);
    if (bits & SC_PLACE_FURTHEST)
        put_stage_ref(e, pl->furthest);
}

static void put_tracks(struct writer *e)
{
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, track_count(e));
    for (uint32_t t = first_named(e->jo); t < e->jo->n_tracks; t++) {
        uint8_t bits = place_bits(e, t);
        if (bits == 0)
            continue;
        sc_pen_room(&e->w, 4);
        sc_pen_u32(&e->w, e->jo->tracks[t].hash);
        put_place(e, t, bits);
    }
}

/* ---- facts, milestones */

static bool fact_stands(const struct sc_fact_held *held)
{
    return held->unread || !sc_fact_empty(&held->fs);
}

static uint32_t fact_count(const struct writer *e)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->st->facts.n; i++)
        n += fact_stands(&e->st->facts.v[i]);
    return n;
}

/* The body's length stands before it: one byte is kept free, more are made when it is long. */
static void put_fact(struct writer *e, const struct sc_fact_held *held)
{
    const struct sc_fact_plan *plan = &e->jo->plans[held->fact];
    sc_pen_room(&e->w, 5);
    sc_pen_u32(&e->w, plan->hash);
    if (held->unread) {
        sc_fact_put_body(&e->w, plan, held->body, e->st->unread->base_ms, e->base_ms);
        return;
    }
    size_t at = (size_t)(e->w.p - (uint8_t *)e->w.out->p);
    sc_pen_u8(&e->w, 0);
    sc_fact_put(&e->w, plan, &held->fs, e->base_ms,
                e->less >= LESS_WINDOWS ? SC_WINDOW_EXACT : SC_WINDOW_EXACT_MAX);
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    uint8_t *head = (uint8_t *)e->w.out->p + at, length[SC_VARINT_BYTES];
    size_t bytes = (size_t)(e->w.p - head - 1);
    struct sc_pen aside = {NULL, length, length + sizeof(length)};
    sc_pen_var(&aside, bytes);
    size_t n = (size_t)(aside.p - length);
    if (n > 1)
        memmove(head + n, head + 1, bytes);
    memcpy(head, length, n);
    e->w.p += n - 1;
    SC_ASSERT(e->w.p <= e->w.end);
}

static void put_facts(struct writer *e)
{
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, e->n_facts);
    for (uint32_t i = 0; i < e->st->facts.n; i++)
        if (fact_stands(&e->st->facts.v[i]))
            put_fact(e, &e->st->facts.v[i]);
}

static bool milestone_stands(const struct writer *e, uint32_t m)
{
    return e->st->milestones[m] != SC_NEVER || e->st->ladders[m].n > 0;
}

static uint32_t milestone_count(const struct writer *e)
{
    uint32_t n = 0;
    for (uint32_t m = 0; m < e->jo->n_milestones; m++)
        n += milestone_stands(e, m);
    return n;
}

/* A ladder stands with the fact it counts: of another one its times would be wrong. */
static void put_milestones(struct writer *e)
{
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, e->n_milestones);
    for (uint32_t m = 0; m < e->jo->n_milestones; m++) {
        if (!milestone_stands(e, m))
            continue;
        const struct sc_milestone *ms = &e->jo->milestones[m];
        uint32_t n = e->st->ladders[m].n;
        SC_ASSERT(n == 0 || ms->ladder_fact >= 0);
        sc_pen_room(&e->w, 8 + (n + 2) * (size_t)SC_VARINT_BYTES);
        sc_pen_u32(&e->w, ms->hash);
        sc_pen_ms(&e->w, e->base_ms, e->st->milestones[m]);
        sc_pen_var(&e->w, n);
        if (n)
            sc_pen_u32(&e->w, e->jo->plans[ms->ladder_fact].hash);
        for (uint32_t i = 0; i < n; i++)
            sc_pen_ms(&e->w, e->base_ms, e->st->ladders[m].v[i]);
    }
}

/* ---- timers and what goes with them */

static uint32_t rule_hash(const struct writer *e, uint8_t kind, uint16_t rule)
{
    bool stage = kind == SC_TIMER_LAPSE || kind == SC_TIMER_OVERDUE;
    SC_ASSERT(rule < (stage ? e->jo->n_stages : e->jo->n_triggers));
    return stage ? e->jo->stages[rule].hash : e->jo->triggers[rule].hash;
}

static uint8_t timer_bits(const struct writer *e, const struct sc_timer *tm)
{
    static const uint8_t none[16];
    unsigned bits = tm->key_hash || tm->key.len ? SC_TM_KEY : 0;
    bits |= tm->context.len && e->less < LESS_TEXT ? SC_TM_CONTEXT : 0;
    bits |= tm->traceparent.len ? SC_TM_TRACE : 0;
    bits |= memcmp(tm->id, none, sizeof(none)) ? SC_TM_ID : 0;
    bits |= tm->expires_ms != SC_NO_DUE ? SC_TM_EXPIRES : 0;
    bits |= tm->start_id ? SC_TM_START_ID : 0;
    bits |= tm->source.len ? SC_TM_SOURCE : 0;
    bits |= tm->promised && tm->kind == SC_TIMER_RIVAL ? SC_TM_PROMISED : 0;
    return (uint8_t)bits;
}

static void put_timer(struct writer *e, const struct sc_timer *tm)
{
    struct sc_pen *w = &e->w;
    uint8_t bits = timer_bits(e, tm);
    SC_ASSERT(tm->kind <= SC_TIMER_MOMENT);
    sc_pen_room(w, 6 + 16 + 8 + 8 + 4 * SC_VARINT_BYTES);
    sc_pen_u8(w, tm->kind);
    sc_pen_u32(w, rule_hash(e, tm->kind, tm->rule));
    sc_pen_u8(w, bits);
    sc_pen_ms(w, e->base_ms, tm->start_ms);
    sc_pen_ms(w, tm->start_ms, tm->due_ms);
    if (bits & SC_TM_ID)
        sc_pen_raw(w, tm->id, sizeof(tm->id));
    if (bits & SC_TM_START_ID)
        sc_pen_u64(w, tm->start_id);
    if (bits & SC_TM_SOURCE)
        sc_pen_str(w, tm->source);
    if (bits & SC_TM_EXPIRES)
        sc_pen_ms(w, tm->start_ms, tm->expires_ms);
    if (bits & SC_TM_KEY) {
        sc_pen_u64(w, tm->key_hash);
        sc_pen_str(w, tm->key);
    }
    if (bits & SC_TM_CONTEXT)
        sc_pen_str(w, tm->context);
    if (bits & SC_TM_TRACE)
        sc_pen_str(w, tm->traceparent);
    sc_pen_var(w, tm->n_events);
    for (uint32_t i = 0; i < tm->n_events; i++)
        sc_pen_str(w, tm->events[i]);
}

static void put_timers(struct writer *e)
{
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, e->st->timers.n);
    for (uint32_t i = 0; i < e->st->timers.n; i++)
        put_timer(e, &e->st->timers.v[i]);
}

static void put_breaks(struct writer *e)
{
    SC_ASSERT(e->st->breaks.n <= SC_BREAKS_MAX);
    sc_pen_room(&e->w, SC_VARINT_BYTES + e->st->breaks.n * (14 + 2 * (size_t)SC_VARINT_BYTES));
    sc_pen_var(&e->w, e->st->breaks.n);
    for (uint32_t i = 0; i < e->st->breaks.n; i++) {
        const struct sc_break *b = &e->st->breaks.v[i];
        sc_pen_u8(&e->w, (uint8_t)(b->kind | b->exit_last << 3 | (b->key_hash != 0) << 4));
        sc_pen_u32(&e->w, rule_hash(e, b->kind, b->rule));
        sc_pen_ms(&e->w, e->base_ms, b->last_ms);
        sc_pen_var(&e->w, (uint64_t)(b->last_ms - b->first_ms));
        if (b->key_hash)
            sc_pen_u64(&e->w, b->key_hash);
    }
}

static void put_sent(struct writer *e)
{
    const struct sc_state *st = e->st;
    sc_pen_room(&e->w, SC_VARINT_BYTES + st->sent.n * (25 + (size_t)SC_VARINT_BYTES));
    sc_pen_var(&e->w, st->sent.n);
    for (uint32_t i = 0; i < st->sent.n; i++) {
        const struct sc_sent *s = &st->sent.v[i];
        SC_ASSERT(s->channel < e->jo->n_channels);
        sc_pen_u8(&e->w, (uint8_t)((s->counts ? SC_SENT_COUNTS : 0) |
                                   (s->marketing ? SC_SENT_MARKETING : 0) |
                                   (s->key_hash ? SC_SENT_KEY : 0)));
        sc_pen_u32(&e->w, s->trigger == SC_TRIGGER_GONE ? s->gone
                                                        : e->jo->triggers[s->trigger].hash);
        sc_pen_u32(&e->w, e->jo->channels[s->channel].hash);
        sc_pen_ms(&e->w, e->base_ms, s->at_ms);
        sc_pen_u64(&e->w, s->id);
        if (s->key_hash)
            sc_pen_u64(&e->w, s->key_hash);
    }
}

static void put_occurrences(struct writer *e)
{
    sc_pen_room(&e->w, SC_VARINT_BYTES + 5 * (size_t)e->st->occurrences.n);
    sc_pen_var(&e->w, e->st->occurrences.n);
    for (uint32_t i = 0; i < e->st->occurrences.n; i++) {
        const struct sc_occurrence *oc = &e->st->occurrences.v[i];
        SC_ASSERT(oc->trigger < e->jo->n_triggers);
        sc_pen_u32(&e->w, e->jo->triggers[oc->trigger].hash);
        sc_pen_u8(&e->w, (uint8_t)(oc->fired | oc->exited_since << 1));
    }
}

/* ---- the customer's word */

static void put_consents(struct writer *e)
{
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, e->st->consents.n);
    for (uint32_t i = 0; i < e->st->consents.n; i++) {
        const struct sc_consent *c = &e->st->consents.v[i];
        sc_pen_room(&e->w, 1 + SC_VARINT_BYTES);
        sc_pen_u8(&e->w, c->granted);
        sc_pen_ms(&e->w, e->base_ms, c->at_ms);
        sc_pen_str(&e->w, c->purpose);
        sc_pen_str(&e->w, c->source);
        sc_pen_str(&e->w, c->evidence);
    }
}

static void put_prefs(struct writer *e)
{
    const struct sc_state *st = e->st;
    const struct sc_pref *prefs[] = {&st->channel, &st->timezone, &st->language, &st->frequency};
    unsigned bits = 0;
    for (unsigned i = 0; i < 4; i++)
        bits |= (unsigned)(prefs[i]->at_ms != SC_NEVER) << i;
    sc_pen_room(&e->w, 1);
    sc_pen_u8(&e->w, (uint8_t)bits);
    for (unsigned i = 0; i < 4; i++) {
        if (prefs[i]->at_ms == SC_NEVER)
            continue;
        sc_pen_room(&e->w, 2 * SC_VARINT_BYTES);
        sc_pen_ms(&e->w, e->base_ms, prefs[i]->at_ms);
        sc_pen_int(&e->w, prefs[i]->number);
        sc_pen_str(&e->w, prefs[i]->text);
    }
    SC_ASSERT(bits != 0);
}

static bool has_prefs(const struct sc_state *st)
{
    return st->channel.at_ms != SC_NEVER || st->timezone.at_ms != SC_NEVER ||
           st->language.at_ms != SC_NEVER || st->frequency.at_ms != SC_NEVER;
}

static uint32_t inbound_count(const struct writer *e)
{
    uint32_t n = 0;
    for (uint32_t c = 0; c < e->jo->n_channels; c++)
        n += e->st->inbound_ms[c] != SC_NEVER;
    return n;
}

static void put_inbound(struct writer *e)
{
    SC_ASSERT(e->jo->n_channels <= SC_CHANNELS_MAX);
    sc_pen_room(&e->w, SC_VARINT_BYTES + e->jo->n_channels * (4 + (size_t)SC_VARINT_BYTES));
    sc_pen_var(&e->w, inbound_count(e));
    for (uint32_t c = 0; c < e->jo->n_channels; c++) {
        if (e->st->inbound_ms[c] == SC_NEVER)
            continue;
        sc_pen_u32(&e->w, e->jo->channels[c].hash);
        sc_pen_ms(&e->w, e->base_ms, e->st->inbound_ms[c]);
    }
}

static void put_strs(struct writer *e, const struct sc_str *v, uint32_t n)
{
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, n);
    for (uint32_t i = 0; i < n; i++)
        sc_pen_str(&e->w, v[i]);
}

/* ---- touchpoints, dedupe, cases */

/* Source names repeat: each stands once, later ones refer back. */
static void put_source(struct writer *e, struct sc_str *known, uint32_t *n, struct sc_str s)
{
    uint32_t i = 0;
    while (i < *n && !sc_str_eq(known[i], s))
        i++;
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, i);
    if (i < *n)
        return;
    sc_pen_str(&e->w, s);
    if (*n < SC_RING_SOURCES)
        known[(*n)++] = s;
}

static void put_touch_props(struct writer *e, const struct sc_touch *t)
{
    const struct sc_event_type *et = &e->jo->tx->events[t->type];
    uint32_t n = 0;
    for (uint32_t i = 0; i < et->n_props; i++)
        n += sc_is_value(t->props[i]);
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, n);
    for (uint32_t i = 0; i < et->n_props; i++) {
        if (!sc_is_value(t->props[i]))
            continue;
        sc_pen_room(&e->w, 4);
        sc_pen_u32(&e->w, et->props[i].hash);
        sc_pen_value(&e->w, t->props[i]);
    }
}

static void put_ring(struct writer *e)
{
    struct sc_str known[SC_RING_SOURCES];
    uint32_t n_known = 0;
    SC_ASSERT(e->st->ring.n <= SC_RING_MAX);
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, e->st->ring.n);
    for (uint32_t i = 0; i < e->st->ring.n; i++) {
        const struct sc_touch *t = &e->st->ring.v[i];
        sc_pen_room(&e->w, 4 + 2 * SC_VARINT_BYTES);
        sc_pen_u32(&e->w, e->jo->tx->events[t->type].hash);
        sc_pen_var(&e->w, t->type);
        sc_pen_ms(&e->w, e->base_ms, t->ms);
        put_source(e, known, &n_known, t->source);
        sc_pen_str(&e->w, t->id);
        put_touch_props(e, t);
    }
}

/* As they are: they are many. Before them when the newest came, from which their ages count. */
static void put_seen(struct writer *e)
{
    uint32_t all = e->st->seen.n, n = e->less && all > SC_DEDUPE_MIN ? SC_DEDUPE_MIN : all;
    SC_ASSERT(all <= SC_DEDUPE_MAX);
    sc_pen_room(&e->w, SC_VARINT_BYTES + 4 + n * sizeof(struct sc_seen));
    sc_pen_var(&e->w, n);
    sc_pen_u32(&e->w, e->st->seen_last);
    sc_pen_raw(&e->w, e->st->seen.v + (all - n), n * sizeof(struct sc_seen));
}

static void put_cases(struct writer *e)
{
    SC_ASSERT(e->st->cases.n <= SC_CASES_MAX);
    sc_pen_room(&e->w, SC_VARINT_BYTES + e->st->cases.n * (12 + 2 * (size_t)SC_VARINT_BYTES));
    sc_pen_var(&e->w, e->st->cases.n);
    for (uint32_t i = 0; i < e->st->cases.n; i++) {
        const struct sc_open_case *c = &e->st->cases.v[i];
        sc_pen_u32(&e->w, sc_hash_name(e->jo->tx->cases[c->kind].name));
        sc_pen_u64(&e->w, c->key_hash);
        sc_pen_ms(&e->w, e->base_ms, c->opened_ms);
        sc_pen_ms(&e->w, e->base_ms, c->closed_ms);
    }
}

static void put_waiting(struct writer *e)
{
    SC_ASSERT(e->st->waiting.n <= SC_WAITING_MAX);
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, e->st->waiting.n);
    struct sc_buf one = {.ar = e->st->ar};
    for (uint32_t i = 0; i < e->st->waiting.n; i++) {
        struct sc_record rec = {.kind = SC_REC_EVENT, .to = e->st->node, .home = e->st->node,
                                .ev = e->st->waiting.v[i].ev};
        one.len = 0;
        sc_record_encode(e->jo->tx, &rec, &one);
        sc_pen_str(&e->w, sc_buf_view(&one));
    }
}

static void put_foreign(struct writer *e)
{
    sc_pen_room(&e->w, SC_VARINT_BYTES);
    sc_pen_var(&e->w, e->st->foreign.n);
    for (uint32_t i = 0; i < e->st->foreign.n; i++) {
        const struct sc_foreign *f = &e->st->foreign.v[i];
        sc_pen_room(&e->w, 5 + SC_VARINT_BYTES);
        sc_pen_u8(&e->w, f->section);
        sc_pen_u32(&e->w, f->hash);
        sc_pen_int(&e->w, f->base_ms);
        sc_pen_str(&e->w, f->bytes);
    }
}

/* ---- the whole */

/* Bit s: section s stands. */
#define STANDS(section, condition) | (uint64_t)((condition) != 0) << SC_SEC_##section

static uint64_t front_of(const struct writer *e)
{
    const struct sc_state *st = e->st;
    uint8_t main = first_named(e->jo) ? place_bits(e, 0) : 0;
    return 0
        STANDS(GEN, st->gen)
        STANDS(ERASED, st->erased_ms != SC_NEVER)
        STANDS(MEMBERS, !plain_self(st))
        STANDS(MUST_NOT, st->must_not.n)
        STANDS(FORMER, st->former.n | st->merges)
        STANDS(LIFE, st->n_events)
        STANDS(STAGE_SINCE, main & SC_PLACE_SINCE)
        STANDS(STAGE, main & SC_PLACE_STAGE)
        STANDS(LAPSE, main & SC_PLACE_LAPSE)
        STANDS(LAPSE_VOID, main & SC_PLACE_VOID)
        STANDS(FURTHEST, main & SC_PLACE_FURTHEST)
        STANDS(SEEN, st->seen.n);
}

static uint64_t rest_of(const struct writer *e)
{
    const struct sc_state *st = e->st;
    return 0
        STANDS(FACTS, e->n_facts)
        STANDS(MILESTONES, e->n_milestones)
        STANDS(TIMERS, st->timers.n)
        STANDS(BREAKS, st->breaks.n)
        STANDS(SENT, st->sent.n)
        STANDS(CONSENTS, st->consents.n)
        STANDS(PREFS, has_prefs(st))
        STANDS(SNOOZE, st->snooze_at_ms != SC_NEVER)
        STANDS(ZONE, st->phone_zone.len)
        STANDS(FATIGUE, st->fatigue_ms != SC_NEVER)
        STANDS(RING, st->ring.n && e->less < LESS_RING)
        STANDS(CASES, st->cases.n)
        STANDS(OCCURRENCES, st->occurrences.n)
        STANDS(INBOUND, inbound_count(e))
        STANDS(HELD_OUT, st->held_out.n)
        STANDS(WAITING, st->waiting.n)
        STANDS(FOREIGN, st->foreign.n)
        STANDS(HISTORY, st->history)
        STANDS(TRACKS, track_count(e));
}
#undef STANDS

static void put_section(struct writer *e, enum sc_state_section sec)
{
    const struct sc_state *st = e->st;
    sc_pen_room(&e->w, 3 * SC_VARINT_BYTES);
    switch (sec) {
    case SC_SEC_GEN: sc_pen_var(&e->w, st->gen); return;
    case SC_SEC_ERASED: sc_pen_ms(&e->w, e->base_ms, st->erased_ms); return;
    case SC_SEC_MEMBERS: put_members(e); return;
    case SC_SEC_MUST_NOT: put_nodes(e, st->must_not.v, st->must_not.n); return;
    case SC_SEC_FORMER:
        sc_pen_var(&e->w, st->merges);
        put_nodes(e, st->former.v, st->former.n);
        return;
    case SC_SEC_TRACKS: put_tracks(e); return;
    case SC_SEC_FACTS: put_facts(e); return;
    case SC_SEC_MILESTONES: put_milestones(e); return;
    case SC_SEC_TIMERS: put_timers(e); return;
    case SC_SEC_BREAKS: put_breaks(e); return;
    case SC_SEC_SENT: put_sent(e); return;
    case SC_SEC_CONSENTS: put_consents(e); return;
    case SC_SEC_PREFS: put_prefs(e); return;
    case SC_SEC_SNOOZE:
        sc_pen_ms(&e->w, e->base_ms, st->snooze_at_ms);
        sc_pen_ms(&e->w, e->base_ms, st->snooze_until_ms);
        return;
    case SC_SEC_ZONE: sc_pen_str(&e->w, st->phone_zone); return;
    case SC_SEC_FATIGUE:
        sc_pen_raw(&e->w, &st->fatigue, sizeof(st->fatigue));
        sc_pen_ms(&e->w, e->base_ms, st->fatigue_ms);
        return;
    case SC_SEC_RING: put_ring(e); return;
    case SC_SEC_CASES: put_cases(e); return;
    case SC_SEC_OCCURRENCES: put_occurrences(e); return;
    case SC_SEC_INBOUND: put_inbound(e); return;
    case SC_SEC_HELD_OUT: put_strs(e, st->held_out.v, st->held_out.n); return;
    case SC_SEC_WAITING: put_waiting(e); return;
    case SC_SEC_FOREIGN: put_foreign(e); return;
    case SC_SEC_HISTORY: sc_history_put(&e->w, e->jo, st->history, e->base_ms); return;
    case SC_SEC_LIFE: case SC_SEC_STAGE_SINCE: case SC_SEC_STAGE: case SC_SEC_LAPSE:
    case SC_SEC_LAPSE_VOID: case SC_SEC_FURTHEST: case SC_SEC_SEEN: /* put_front */
    case SC_SEC_COUNT: break;
    }
    SC_UNREACHABLE("state section");
}

static void put_sections(struct writer *e, uint64_t sections)
{
    for (; sections; sections &= sections - 1)
        put_section(e, (enum sc_state_section)__builtin_ctzll(sections));
}

/* The main place, but for STAGE_SINCE, which nearly all have. */
static void put_place_parts(struct writer *e, uint64_t front)
{
    const struct sc_place *pl = &e->st->place[0];
    if (front & SC_SEC_BIT(STAGE))
        put_stage(e, 0);
    if (front & SC_SEC_BIT(LAPSE))
        put_stage_at(e, pl->lapsed_from, pl->lapsed_from_ms);
    if (front & SC_SEC_BIT(LAPSE_VOID))
        put_stage_at(e, pl->lapse_void, pl->lapse_void_ms);
    if (front & SC_SEC_BIT(FURTHEST))
        put_stage_ref(e, pl->furthest);
}

static void put_front(struct writer *e, uint64_t front)
{
    put_sections(e, front & SC_SECTIONS_IDENTITY);
    sc_pen_room(&e->w, 4 * SC_VARINT_BYTES);
    if (front & SC_SEC_BIT(LIFE))
        put_life(e);
    if (front & SC_SEC_BIT(STAGE_SINCE))
        sc_pen_ms(&e->w, e->base_ms, e->st->place[0].stage_ms);
    put_place_parts(e, front);
    if (front & SC_SEC_BIT(SEEN))
        put_seen(e);
}

static void put_state(struct writer *e)
{
    const struct sc_state *st = e->st;
    SC_ASSERT(st->kind <= SC_STATE_ERASED);
    const bool whole = sc_state_is_whole(st);
    uint64_t front = front_of(e), rest = whole ? rest_of(e) : st->unread->sections;
    sc_pen_room(&e->w, 10 + sizeof(st->parent) + 2 * SC_VARINT_BYTES);
    sc_pen_u8(&e->w, SC_STATE_VERSION);
    sc_pen_u8(&e->w, (uint8_t)(st->kind | (st->ambiguous ? SC_STATE_AMBIGUOUS : 0) |
                               (st->fatigue_paused ? SC_STATE_PAUSED : 0)));
    sc_pen_u64(&e->w, (uint64_t)st->due_ms);
    if (st->kind == SC_STATE_ALIAS)
        put_node(&e->w, &st->parent);
    sc_pen_var(&e->w, front | rest);
    sc_pen_int(&e->w, e->base_ms);
    put_front(e, front);
    if (whole) {
        put_sections(e, rest);
    } else {
        sc_pen_room(&e->w, st->unread->behind.len);
        sc_pen_raw(&e->w, st->unread->behind.p, st->unread->behind.len);
    }
    SC_ASSERT(e->w.p <= e->w.end);
}

/* Of what is unread nothing is counted: it is written as it stands. */
static void count_rest(struct writer *e)
{
    if (!sc_state_is_whole(e->st))
        return;
    e->n_facts = fact_count(e);
    e->n_milestones = milestone_count(e);
}

bool sc_state_encode(const struct sc_journey *jo, const struct sc_state *st, struct sc_buf *out)
{
    SC_ASSERT(st->milestones != NULL && st->ladders != NULL);
    struct writer e = {.jo = jo, .st = st, .base_ms = sc_state_base(st->n_events, st->last_ms)};
    if (!sc_state_is_whole(st) && st->unread->base_ms != e.base_ms)
        sc_state_whole(st);
    count_rest(&e);
    size_t from = out->len;
    for (;; e.less++) {
        if (e.less == LESS_RING) { /* what is to lose some has to be read */
            sc_state_whole(st);
            count_rest(&e);
        } else if (e.less == LESS_WINDOWS) {
            sc_facts_read(st);
            count_rest(&e);
        }
        out->len = from;
        sc_pen_open(&e.w, out);
        put_state(&e);
        sc_pen_close(&e.w);
        if (out->len - from <= SC_STATE_HARD_BYTES || e.less == LESS_MOST)
            return e.less == 0;
    }
}
