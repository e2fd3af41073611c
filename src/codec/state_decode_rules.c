/* Reading what goes by the journey's facts, stages, triggers and milestones.
 *
 * A journey that has not changed finds each fact at the place it looks first. Of one that has:
 * facts, timers, milestones and occurrences it does not know are kept as bytes (FOREIGN), and
 * come back to life when it knows them; breaks and channels it does not know are let go, messages
 * of a trigger that has gone still count. */
#include "codec/state_read.h"

/* Keep what this journey does not know, up to a bound. */
static void keep_foreign(struct sc_state_reader *d, enum sc_state_section sec, uint32_t hash,
                         const uint8_t *from)
{
    struct sc_state *st = d->st;
    struct sc_foreign f = {(uint8_t)sec, hash, d->base_ms,
                           {(const char *)from, (size_t)(d->r.p - from)}};
    size_t bytes = f.bytes.len;
    for (uint32_t i = 0; i < st->foreign.n; i++)
        bytes += st->foreign.v[i].bytes.len;
    if (d->r.bad || bytes > SC_FOREIGN_BYTES_MAX)
        return;
    SC_VEC_PUSH(st->ar, &st->foreign, f);
}

/* ---- stage */

static int stage_by_hash(const struct sc_journey *jo, uint32_t hash)
{
    SC_ASSERT(jo->n_stages <= SC_STAGES_MAX);
    for (uint32_t s = 0; s < jo->n_stages; s++)
        if (jo->stages[s].hash == hash)
            return (int)s;
    return -1;
}

/* A stage of that track, -1: none. */
static int take_stage_ref(struct sc_state_reader *d, uint32_t track)
{
    int s = stage_by_hash(d->jo, sc_scan_u32(&d->r));
    return s >= 0 && d->jo->stages[s].track == track ? s : -1;
}

/* The nearest earlier stage of the track that is still there, else the initial one. */
static int nearest_earlier(const struct sc_journey *jo, uint32_t track, const uint8_t *trail,
                           uint32_t n)
{
    const struct sc_track *tk = &jo->tracks[track];
    SC_ASSERT(n <= SC_STAGES_MAX);
    while (n-- > 0) {
        uint16_t low;
        memcpy(&low, trail + 2 * (size_t)n, sizeof(low));
        for (uint32_t s = tk->first; s < (uint32_t)tk->first + tk->n; s++)
            if ((uint16_t)jo->stages[s].hash == low && jo->stages[s].after_ms == 0)
                return (int)s;
    }
    return tk->initial;
}

static void take_stage(struct sc_state_reader *d, uint32_t track)
{
    uint32_t hash = sc_scan_u32(&d->r);
    uint32_t n = sc_scan_count(&d->r, SC_STAGES_MAX, 2);
    const uint8_t *trail = d->r.p;
    d->r.p += 2 * (size_t)n;
    int s = stage_by_hash(d->jo, hash);
    if (s < 0 || d->jo->stages[s].track != track) {
        s = nearest_earlier(d->jo, track, trail, n);
        d->st->place[track].stage_unknown = hash;
    }
    d->st->place[track].stage = (int16_t)s;
}

static void take_lapse(struct sc_state_reader *d, uint32_t track)
{
    struct sc_place *pl = &d->st->place[track];
    int s = take_stage_ref(d, track);
    pl->lapsed_from = (int16_t)(s < 0 ? d->jo->tracks[track].initial : s);
    pl->lapsed_from_ms = sc_scan_ms(&d->r, d->base_ms);
}

static void take_lapse_void(struct sc_state_reader *d, uint32_t track)
{
    int s = take_stage_ref(d, track);
    int64_t ms = sc_scan_ms(&d->r, d->base_ms);
    if (s < 0 || d->jo->stages[s].after_ms == 0)
        return;
    d->st->place[track].lapse_void = (int16_t)s;
    d->st->place[track].lapse_void_ms = ms;
}

static void take_furthest(struct sc_state_reader *d, uint32_t track)
{
    int s = take_stage_ref(d, track);
    int now = d->st->place[track].stage; /* it comes after the stage */
    bool lapse = d->jo->stages[now].after_ms > 0;
    d->st->place[track].furthest =
        (int16_t)(s >= 0 ? s : lapse ? d->jo->tracks[track].initial : now);
}

static void take_place(struct sc_state_reader *d, uint32_t track)
{
    uint8_t bits = sc_scan_u8(&d->r);
    if (bits == 0 || bits >= SC_PLACE_FURTHEST << 1)
        sc_scan_fail(&d->r);
    if (bits & SC_PLACE_SINCE)
        d->st->place[track].stage_ms = sc_state_take_ms(d);
    if (bits & SC_PLACE_STAGE)
        take_stage(d, track);
    if (bits & SC_PLACE_LAPSE)
        take_lapse(d, track);
    if (bits & SC_PLACE_VOID)
        take_lapse_void(d, track);
    if (bits & SC_PLACE_FURTHEST)
        take_furthest(d, track);
}

/* Over a place of a track that this journey has not: to be kept as bytes. */
static void skip_place(struct sc_scan *r)
{
    uint8_t bits = sc_scan_u8(r);
    if (bits == 0 || bits >= SC_PLACE_FURTHEST << 1)
        sc_scan_fail(r);
    if (bits & SC_PLACE_SINCE)
        sc_scan_ms(r, 0);
    if (bits & SC_PLACE_STAGE) {
        sc_scan_u32(r);
        r->p += 2 * (size_t)sc_scan_count(r, SC_STAGES_MAX, 2);
    }
    for (unsigned part = SC_PLACE_LAPSE; part <= SC_PLACE_VOID; part <<= 1) {
        if (!(bits & part))
            continue;
        sc_scan_u32(r);
        sc_scan_ms(r, 0);
    }
    if (bits & SC_PLACE_FURTHEST)
        sc_scan_u32(r);
}

static int track_by_hash(const struct sc_journey *jo, uint32_t hash)
{
    SC_ASSERT(jo->n_tracks <= SC_TRACKS_MAX);
    for (uint32_t t = 0; t < jo->n_tracks; t++)
        if (jo->tracks[t].hash == hash)
            return (int)t;
    return -1;
}

static void take_track(struct sc_state_reader *d)
{
    uint32_t hash = sc_scan_u32(&d->r);
    const uint8_t *from = d->r.p;
    int track = track_by_hash(d->jo, hash);
    if (track >= 0) {
        take_place(d, (uint32_t)track);
        return;
    }
    skip_place(&d->r);
    keep_foreign(d, SC_SEC_TRACKS, hash, from);
}

/* ---- facts, milestones */

/* They stand in order of index, so that of a few facts it is mostly the one at *at. */
static int fact_by_hash(const struct sc_journey *jo, uint32_t hash, uint32_t *at)
{
    if (*at < jo->n_facts && jo->plans[*at].hash == hash)
        return (int)(*at)++;
    int fact = sc_journey_fact(jo, hash);
    if (fact >= 0)
        *at = (uint32_t)fact + 1;
    return fact;
}

/* A fact's body; false: damaged. */
static bool read_body(struct sc_scan *body, const struct sc_fact_plan *plan,
                      struct sc_fact_state *fs, int64_t base_ms)
{
    sc_fact_take(body, plan, fs, base_ms);
    return !body->bad && body->p == body->end;
}

void sc_state_read_fact(struct sc_unread *u, struct sc_arena *ar, struct sc_fact_held *held)
{
    struct sc_scan body = sc_scan_from(held->body, ar);
    held->unread = false;
    held->fs = (struct sc_fact_state){0};
    if (read_body(&body, &u->jo->plans[held->fact], &held->fs, u->base_ms))
        return;
    held->fs = (struct sc_fact_state){0};
    u->bad = true;
}

static void leave_fact(struct sc_state_reader *d, int fact, struct sc_str body)
{
    struct sc_fact_held *held = sc_fact_place(d->st, (uint32_t)fact);
    if (held->unread) {
        sc_scan_fail(&d->r); /* twice */
        return;
    }
    held->unread = true;
    held->body = body;
}

static void take_facts(struct sc_state_reader *d)
{
    struct sc_state *st = d->st;
    uint32_t n = sc_scan_count(&d->r, UINT16_MAX, 5), at = 0;
    sc_facts_room(st, (n < d->jo->n_facts ? n : d->jo->n_facts) + 1);
    for (uint32_t i = 0; i < n && !d->r.bad; i++) {
        uint32_t hash = sc_scan_u32(&d->r);
        struct sc_str body = sc_scan_str(&d->r);
        if (body.len == 0)
            sc_scan_fail(&d->r);
        int fact = d->r.bad ? -1 : fact_by_hash(d->jo, hash, &at);
        if (fact >= 0)
            leave_fact(d, fact, body);
        else
            keep_foreign(d, SC_SEC_FACTS, hash, (const uint8_t *)body.p);
    }
}

static int milestone_by_hash(const struct sc_journey *jo, uint32_t hash)
{
    SC_ASSERT(jo->n_milestones <= SC_MILESTONES_MAX);
    for (uint32_t m = 0; m < jo->n_milestones; m++)
        if (jo->milestones[m].hash == hash)
            return (int)m;
    return -1;
}

struct ladder {
    uint32_t n, fact;
    int64_t v[64];
};

static void read_milestone(struct sc_state_reader *d, uint32_t m, int64_t reached,
                           const struct ladder *la)
{
    const struct sc_milestone *ms = &d->jo->milestones[m];
    d->st->milestones[m] = reached;
    if (la->n == 0 || ms->ladder_fact < 0 ||
        d->jo->plans[ms->ladder_fact].hash != la->fact)
        return;
    uint32_t n = la->n < ms->ladder_n ? la->n : ms->ladder_n;
    int64_t *v = sc_arena_alloc(d->st->ar, sizeof(*v) * (n + 1));
    memcpy(v, la->v, sizeof(*v) * n);
    d->st->ladders[m].v = v;
    d->st->ladders[m].n = n;
    SC_ASSERT(n <= ms->ladder_n);
}

static void take_milestone(struct sc_state_reader *d)
{
    struct ladder la = {0};
    uint32_t hash = sc_scan_u32(&d->r);
    const uint8_t *from = d->r.p;
    int64_t reached = sc_scan_ms(&d->r, d->base_ms);
    la.n = sc_scan_count(&d->r, 64, 1);
    la.fact = la.n ? sc_scan_u32(&d->r) : 0;
    for (uint32_t i = 0; i < la.n; i++) {
        la.v[i] = sc_state_take_ms(d);
        if (i > 0 && la.v[i] < la.v[i - 1])
            sc_scan_fail(&d->r);
    }
    int m = milestone_by_hash(d->jo, hash);
    if (m < 0)
        keep_foreign(d, SC_SEC_MILESTONES, hash, from);
    else if (!d->r.bad)
        read_milestone(d, (uint32_t)m, reached, &la);
}

/* ---- timers and what goes with them */

static void read_timer(struct sc_state_reader *d, struct sc_timer *tm, uint8_t bits)
{
    struct sc_scan *r = &d->r;
    tm->start_ms = sc_state_take_ms(d);
    tm->due_ms = sc_scan_ms(r, tm->start_ms);
    tm->expires_ms = SC_NO_DUE;
    if (bits & SC_TM_ID)
        sc_scan_raw(r, tm->id, sizeof(tm->id));
    if (bits & SC_TM_START_ID)
        tm->start_id = sc_scan_u64(r);
    if (bits & SC_TM_SOURCE)
        tm->source = sc_scan_str(r);
    if (bits & SC_TM_EXPIRES)
        tm->expires_ms = sc_scan_ms(r, tm->start_ms);
    if (bits & SC_TM_KEY) {
        tm->key_hash = sc_scan_u64(r);
        tm->key = sc_scan_str(r);
    }
    if (bits & SC_TM_CONTEXT)
        tm->context = sc_scan_str(r);
    if (bits & SC_TM_TRACE)
        tm->traceparent = sc_scan_str(r);
    tm->n_events = sc_scan_count(r, UINT16_MAX, 1);
    tm->events = sc_arena_alloc(r->ar, sizeof(*tm->events) * (tm->n_events + 1));
    for (uint32_t i = 0; i < tm->n_events; i++)
        tm->events[i] = sc_scan_str(r);
    if (tm->due_ms == SC_NO_DUE || tm->due_ms < tm->start_ms)
        sc_scan_fail(r);
}

static bool of_stage(uint8_t kind)
{
    return kind == SC_TIMER_LAPSE || kind == SC_TIMER_OVERDUE;
}

/* The rule's index, -1: not in this journey, or it waits for nothing any more. */
static int timer_rule(const struct sc_journey *jo, uint8_t kind, uint32_t hash)
{
    if (!of_stage(kind))
        return sc_journey_trigger(jo, hash);
    int s = stage_by_hash(jo, hash);
    bool lapse = s >= 0 && jo->stages[s].after_ms > 0;
    return kind == SC_TIMER_LAPSE && !lapse ? -1 : s;
}

static void take_timer(struct sc_state_reader *d)
{
    struct sc_timer tm = {.kind = sc_scan_u8(&d->r)};
    uint32_t hash = sc_scan_u32(&d->r);
    const uint8_t *from = d->r.p;
    uint8_t bits = sc_scan_u8(&d->r);
    if (tm.kind > SC_TIMER_MOMENT || (bits & SC_TM_PROMISED && tm.kind != SC_TIMER_RIVAL))
        sc_scan_fail(&d->r);
    tm.promised = bits & SC_TM_PROMISED || tm.kind == SC_TIMER_DEFERRED;
    read_timer(d, &tm, bits);
    if (d->r.bad)
        return;
    int rule = timer_rule(d->jo, tm.kind, hash);
    if (rule < 0) { /* the kind goes before the rest, as it stood */
        keep_foreign(d, SC_SEC_TIMERS, hash, from - 5);
        return;
    }
    tm.rule = (uint16_t)rule;
    SC_VEC_PUSH(d->st->ar, &d->st->timers, tm);
}

static int break_cmp(const struct sc_break *a, const struct sc_break *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->rule != b->rule)
        return a->rule < b->rule ? -1 : 1;
    if (a->key_hash != b->key_hash)
        return a->key_hash < b->key_hash ? -1 : 1;
    return a->first_ms < b->first_ms ? -1 : a->first_ms > b->first_ms;
}

/* Rules may have changed places since: in order again. */
static void add_break(struct sc_state *st, const struct sc_break *b)
{
    SC_VEC_PUSH(st->ar, &st->breaks, *b);
    uint32_t at = st->breaks.n - 1;
    for (; at > 0 && break_cmp(&st->breaks.v[at - 1], b) > 0; at--)
        st->breaks.v[at] = st->breaks.v[at - 1];
    st->breaks.v[at] = *b;
    SC_ASSERT(st->breaks.n <= SC_BREAKS_MAX);
}

static void take_breaks(struct sc_state_reader *d)
{
    uint32_t n = sc_scan_count(&d->r, SC_BREAKS_MAX, 7);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t head = sc_scan_u8(&d->r);
        struct sc_break b = {.kind = head & 7, .exit_last = head >> 3 & 1};
        uint32_t hash = sc_scan_u32(&d->r);
        b.last_ms = sc_state_take_ms(d);
        uint64_t run = sc_scan_var(&d->r);
        b.key_hash = head >> 4 & 1 ? sc_scan_u64(&d->r) : 0;
        if (run >= (uint64_t)SC_MS_LIMIT || head >> 5 || b.kind > SC_TIMER_LAPSE)
            sc_scan_fail(&d->r);
        if (d->r.bad)
            return;
        b.first_ms = b.last_ms - (int64_t)run;
        int rule = timer_rule(d->jo, b.kind, hash);
        b.rule = (uint16_t)rule;
        if (rule >= 0)
            add_break(d->st, &b);
    }
}

static void take_sent(struct sc_state_reader *d)
{
    uint32_t n = sc_scan_count(&d->r, UINT32_MAX, 18);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t bits = sc_scan_u8(&d->r);
        struct sc_sent s = {.counts = bits & SC_SENT_COUNTS, .marketing = bits & SC_SENT_MARKETING};
        s.gone = sc_scan_u32(&d->r);
        int trigger = sc_journey_trigger(d->jo, s.gone);
        int channel = sc_state_channel(d->jo, sc_scan_u32(&d->r));
        s.at_ms = sc_state_take_ms(d);
        s.id = sc_scan_u64(&d->r);
        s.key_hash = bits & SC_SENT_KEY ? sc_scan_u64(&d->r) : 0;
        if (bits > (SC_SENT_COUNTS | SC_SENT_MARKETING | SC_SENT_KEY))
            sc_scan_fail(&d->r);
        if (d->r.bad)
            return;
        if (channel < 0)
            continue; /* no cap can speak of it */
        s.trigger = trigger < 0 ? SC_TRIGGER_GONE : (uint16_t)trigger;
        s.gone = trigger < 0 ? s.gone : 0;
        s.channel = (uint8_t)channel;
        SC_VEC_PUSH(d->st->ar, &d->st->sent, s);
    }
}

static void take_occurrence(struct sc_state_reader *d)
{
    uint32_t hash = sc_scan_u32(&d->r);
    const uint8_t *from = d->r.p;
    uint8_t bits = sc_scan_u8(&d->r);
    int trigger = sc_journey_trigger(d->jo, hash);
    if (bits > 3)
        sc_scan_fail(&d->r);
    if (d->r.bad)
        return;
    if (trigger < 0)
        keep_foreign(d, SC_SEC_OCCURRENCES, hash, from);
    else
        SC_VEC_PUSH(d->st->ar, &d->st->occurrences,
                    ((struct sc_occurrence){(uint16_t)trigger, bits & 1, bits >> 1}));
}

/* ---- what another journey left: known again, or kept on */

static bool known_again(const struct sc_state_reader *d, const struct sc_foreign *f, uint8_t kind)
{
    uint32_t at = 0;
    switch (f->section) {
    case SC_SEC_FACTS: {
        int fact = fact_by_hash(d->jo, f->hash, &at);
        const struct sc_fact_state *fs = fact < 0 ? NULL : sc_fact_held(d->st, (uint32_t)fact);
        return fact >= 0 && (fs == NULL || sc_fact_empty(fs));
    }
    case SC_SEC_MILESTONES: {
        int m = milestone_by_hash(d->jo, f->hash);
        return m >= 0 && d->st->milestones[m] == SC_NEVER && d->st->ladders[m].n == 0;
    }
    case SC_SEC_TIMERS:
        return timer_rule(d->jo, kind, f->hash) >= 0;
    case SC_SEC_OCCURRENCES: {
        int trigger = sc_journey_trigger(d->jo, f->hash);
        for (uint32_t i = 0; i < d->st->occurrences.n; i++)
            if (d->st->occurrences.v[i].trigger == trigger)
                return false;
        return trigger >= 0;
    }
    case SC_SEC_TRACKS: {
        int track = track_by_hash(d->jo, f->hash);
        return track >= 0 && d->st->place[track].stage_ms == SC_NEVER;
    }
    default: /* a byte of the input */
        return false;
    }
}

/* Read it as its section would have been, hash first where the bytes lack it. */
static void revive(struct sc_state_reader *d, const struct sc_foreign *f)
{
    struct sc_state_reader part = {.r = sc_scan_from(f->bytes, d->st->ar), .jo = d->jo, .st = d->st,
                          .base_ms = f->base_ms};
    uint32_t at = 0;
    if (f->section == SC_SEC_FACTS) {
        int fact = fact_by_hash(d->jo, f->hash, &at);
        if (!read_body(&part.r, &d->jo->plans[fact], sc_fact_hold(d->st, (uint32_t)fact),
                       f->base_ms))
            sc_scan_fail(&part.r);
    } else if (f->section == SC_SEC_TIMERS) {
        take_timer(&part);
    } else if (f->section == SC_SEC_TRACKS) {
        take_place(&part, (uint32_t)track_by_hash(d->jo, f->hash));
    } else {
        char *whole = sc_arena_alloc(d->st->ar, f->bytes.len + sizeof(f->hash));
        memcpy(whole, &f->hash, sizeof(f->hash));
        memcpy(whole + sizeof(f->hash), f->bytes.p, f->bytes.len);
        part.r = sc_scan_from((struct sc_str){whole, f->bytes.len + sizeof(f->hash)}, d->st->ar);
        if (f->section == SC_SEC_MILESTONES)
            take_milestone(&part);
        else
            take_occurrence(&part);
    }
    if (part.r.bad || part.r.p != part.r.end)
        sc_scan_fail(&d->r);
}

static void take_foreign(struct sc_state_reader *d)
{
    uint32_t n = sc_scan_count(&d->r, SC_FOREIGN_BYTES_MAX, 7);
    for (uint32_t i = 0; i < n && !d->r.bad; i++) {
        struct sc_foreign f = {.section = sc_scan_u8(&d->r)};
        f.hash = sc_scan_u32(&d->r);
        f.base_ms = sc_scan_int(&d->r);
        f.bytes = sc_scan_str(&d->r);
        if (f.base_ms <= -SC_MS_LIMIT || f.base_ms >= SC_MS_LIMIT || f.bytes.len == 0)
            sc_scan_fail(&d->r);
        if (d->r.bad)
            return;
        if (known_again(d, &f, (uint8_t)f.bytes.p[0])) {
            revive(d, &f);
            continue;
        }
        int64_t base_ms = d->base_ms;
        const uint8_t *end = d->r.p;
        d->base_ms = f.base_ms;
        d->r.p = (const uint8_t *)f.bytes.p + f.bytes.len;
        keep_foreign(d, (enum sc_state_section)f.section, f.hash, (const uint8_t *)f.bytes.p);
        d->base_ms = base_ms;
        d->r.p = d->r.bad ? d->r.end : end;
    }
}

/* ---- the whole */

static void each(struct sc_state_reader *d, uint32_t least, void (*take)(struct sc_state_reader *d))
{
    uint32_t n = sc_scan_count(&d->r, UINT32_MAX, least);
    for (uint32_t i = 0; i < n && !d->r.bad; i++)
        take(d);
}

void sc_state_take_rules(struct sc_state_reader *d, enum sc_state_section sec)
{
    switch ((int)sec) {
    case SC_SEC_STAGE: take_stage(d, 0); return;
    case SC_SEC_LAPSE: take_lapse(d, 0); return;
    case SC_SEC_LAPSE_VOID: take_lapse_void(d, 0); return;
    case SC_SEC_FURTHEST: take_furthest(d, 0); return;
    case SC_SEC_TRACKS: each(d, 6, take_track); return;
    case SC_SEC_FACTS: take_facts(d); return;
    case SC_SEC_MILESTONES: each(d, 6, take_milestone); return;
    case SC_SEC_TIMERS: each(d, 9, take_timer); return;
    case SC_SEC_BREAKS: take_breaks(d); return;
    case SC_SEC_SENT: take_sent(d); return;
    case SC_SEC_OCCURRENCES: each(d, 5, take_occurrence); return;
    case SC_SEC_FOREIGN: take_foreign(d); return;
    }
    SC_UNREACHABLE("not a section of rules");
}
