/* Two customers become one: the laws of semantics 7.
 *
 * Each part of a state is a join of what both sides know: unions of sets, sums over disjoint
 * events, least and latest of times. So any order of merges gives the same bytes, and what
 * depends on both histories (is a lapse still one?) is decided anew from joined parts, of which
 * none is thrown away before. Absorbing twice is prevented by the owner (members' generations):
 * sums are not idempotent. Rules are not tried here (10b), and timers that the merged breaks end
 * are taken out by sc_step_merged.
 *
 * Strings and values are shared with `from`: both live as long as the batch. Cost: linear. */
#include "core/analytics/history.h"
#include "core/journey/ring.h"
#include "core/journey/run.h"
#include "core/journey/unite.h"

#include "base/assert.h"

static int64_t earlier(int64_t a, int64_t b) /* SC_NEVER: none */
{
    if (a == SC_NEVER || b == SC_NEVER)
        return a == SC_NEVER ? b : a;
    return a < b ? a : b;
}
static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b; /* SC_NEVER is the least */
}
static int by(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}
static int by_hash(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* ---- identity */

static int order_members(const void *a, const void *b)
{
    const struct sc_member *x = a, *y = b;
    return sc_node_cmp(&x->node, &y->node);
}

static bool smaller(const struct sc_node_id *a, const struct sc_node_id *b)
{
    return !sc_node_none(a) && (sc_node_none(b) || sc_node_cmp(a, b) < 0);
}

/* The same node on both sides: the later generation, the earlier link, the smaller group and way. */
static void join_members(void *a, const void *b)
{
    struct sc_member *into = a;
    const struct sc_member *from = b;
    int c = into->linked_ms == SC_NEVER || from->linked_ms == SC_NEVER
                ? (into->linked_ms == SC_NEVER) - (from->linked_ms == SC_NEVER)
                : by(into->linked_ms, from->linked_ms);
    if (c > 0 || (c == 0 && sc_str_cmp(from->evidence, into->evidence) < 0)) {
        into->linked_ms = from->linked_ms;
        into->evidence = from->evidence;
    }
    into->gen = from->gen > into->gen ? from->gen : into->gen;
    if (smaller(&from->group, &into->group))
        into->group = from->group;
    if (smaller(&from->through, &into->through))
        into->through = from->through;
}

static int order_nodes(const void *a, const void *b)
{
    return sc_node_cmp(a, b);
}

static void merge_identity(struct sc_state *into, const struct sc_state *from)
{
    SC_UNITE(into->ar, &into->members, &from->members, order_members, join_members);
    SC_UNITE(into->ar, &into->must_not, &from->must_not, order_nodes, NULL);
    if (into->must_not.n > SC_MEMBERS_MAX)
        into->must_not.n = SC_MEMBERS_MAX; /* the weakest are tried again, at worst refused again */
    SC_UNITE(into->ar, &into->former, &from->former, order_nodes, NULL);
    if (from->n_events > 0 && !sc_node_eq(&into->node, &from->node)) {
        struct sc_node_id own = from->node;
        into->former.v = sc_unite(&(struct sc_unite){into->ar, sizeof(own), order_nodes, NULL},
                                  into->former.v, &into->former.n, &own, 1);
        into->former.cap = into->former.n;
    }
    into->merges = into->former.n;
    into->ambiguous |= from->ambiguous;
    into->erased_ms = later(into->erased_ms, from->erased_ms);
}

/* ---- stage */

/* What a side brings: the stage it ranks by, and a lapse as it was entered, be it undone or moved
 * by an earlier merge. */
struct side {
    int ranked, lapse; /* lapse -1: none */
    int64_t ranked_ms, lapse_ms;
};

static struct side side_of(const struct sc_journey *jo, const struct sc_place *pl)
{
    SC_ASSERT(pl->stage_ms != SC_NEVER);
    struct side s = {pl->stage, pl->lapse_void, pl->stage_ms, pl->lapse_void_ms};
    if (!sc_stage_is_lapse(jo, pl->stage))
        return s;
    s.ranked = pl->lapsed_from >= 0 ? pl->lapsed_from
                                     : jo->tracks[jo->stages[pl->stage].track].initial;
    /* it was no lapse when it was entered, by another journey: from nowhere, since then */
    s.ranked_ms = pl->lapsed_from >= 0 ? pl->lapsed_from_ms : pl->stage_ms;
    if (s.lapse < 0) { /* else it was moved: as it was entered */
        s.lapse = pl->stage;
        s.lapse_ms = pl->stage_ms;
    }
    return s;
}

static struct side join_sides(struct side a, struct side b)
{
    struct side s = a.ranked >= b.ranked ? a : b;
    if (a.ranked == b.ranked)
        s.ranked_ms = earlier(a.ranked_ms, b.ranked_ms);
    bool first = by(a.lapse_ms, b.lapse_ms) > 0 || (a.lapse_ms == b.lapse_ms && a.lapse > b.lapse);
    s.lapse = first ? a.lapse : b.lapse;
    s.lapse_ms = first ? a.lapse_ms : b.lapse_ms;
    return s;
}

static bool leads(const struct sc_stage *lapse, int from)
{
    return !lapse->has_from || lapse->from >> from & 1;
}

/* When the merged customer lapsed: later when the other side broke the silence, SC_NO_DUE when that
 * is not over yet. */
static int64_t lapsed_at(const struct sc_journey *jo, const struct sc_state *st,
                         const struct side *s)
{
    const struct sc_stage *lapse = &jo->stages[s->lapse];
    SC_ASSERT(lapse->after_ms > 0);
    int64_t broken = sc_breaks_last(st, SC_TIMER_LAPSE, (uint16_t)s->lapse, 0);
    int64_t at_ms = s->lapse_ms;
    if (broken != SC_NEVER && broken > at_ms - lapse->after_ms)
        at_ms = broken + lapse->after_ms;
    return at_ms <= later(st->last_ms, s->lapse_ms) ? at_ms : SC_NO_DUE;
}

/* The lapse kept does not lead out of the stage: the first that does and whose silence is over, as
 * its timer would find; -1: none. */
static int other_lapse(const struct sc_journey *jo, const struct sc_state *st,
                       const struct side *s, int64_t *at_ms)
{
    const struct sc_track *tk = &jo->tracks[jo->stages[s->ranked].track];
    int found = -1;
    *at_ms = SC_NO_DUE;
    SC_ASSERT(s->ranked_ms != SC_NEVER);
    for (int l = (int)tk->first; l < (int)(tk->first + tk->n); l++) {
        const struct sc_stage *lapse = &jo->stages[l];
        if (lapse->after_ms == 0 || !leads(lapse, s->ranked))
            continue;
        int64_t broken = sc_breaks_last(st, SC_TIMER_LAPSE, (uint16_t)l, 0);
        int64_t over_ms = later(broken, s->ranked_ms) + lapse->after_ms;
        if (over_ms > later(st->last_ms, s->lapse_ms) || over_ms >= *at_ms)
            continue;
        found = l;
        *at_ms = over_ms;
    }
    return found;
}

/* The furthest by order, unless the merged facts still meet a lapse's silence. A side that is in no
 * stage, as a new identifier, changes nothing. Breaks and last_ms are merged before. */
static void merge_place(const struct sc_journey *jo, struct sc_state *st, struct sc_place *into,
                        const struct sc_place *from)
{
    if (from->stage_ms == SC_NEVER)
        return;
    if (into->stage_ms == SC_NEVER) {
        *into = *from;
        return;
    }
    struct side s = join_sides(side_of(jo, into), side_of(jo, from));
    into->furthest = into->furthest > from->furthest ? into->furthest : from->furthest;
    if (from->stage_unknown > into->stage_unknown)
        into->stage_unknown = from->stage_unknown;
    SC_ASSERT(s.ranked >= 0 && (uint32_t)s.ranked < jo->n_stages);
    int64_t at_ms = SC_NO_DUE;
    int lapse = s.lapse;
    if (lapse >= 0 && leads(&jo->stages[lapse], s.ranked))
        at_ms = lapsed_at(jo, st, &s);
    else if (lapse >= 0)
        lapse = other_lapse(jo, st, &s, &at_ms);
    bool lapsed = at_ms != SC_NO_DUE;
    into->stage = (int16_t)(lapsed ? lapse : s.ranked);
    into->stage_ms = lapsed ? at_ms : s.ranked_ms;
    into->lapsed_from = (int16_t)(lapsed ? s.ranked : -1);
    into->lapsed_from_ms = lapsed ? s.ranked_ms : SC_NEVER;
    bool as_entered = s.lapse < 0 || (lapse == s.lapse && at_ms == s.lapse_ms);
    into->lapse_void = (int16_t)(as_entered ? -1 : s.lapse);
    into->lapse_void_ms = as_entered ? SC_NEVER : s.lapse_ms;
}

static void merge_places(const struct sc_journey *jo, struct sc_state *into,
                         const struct sc_state *from)
{
    SC_ASSERT(jo->n_tracks <= SC_TRACKS_MAX);
    for (uint32_t t = 0; t < jo->n_tracks; t++)
        merge_place(jo, into, &into->place[t], &from->place[t]);
}

/* ---- milestones */

static int order_times(const void *a, const void *b)
{
    return by(*(const int64_t *)a, *(const int64_t *)b);
}

/* The n smallest times of both sides; equal times are two events. */
static void merge_ladder(const struct sc_journey *jo, struct sc_state *into,
                         const struct sc_state *from, uint32_t m)
{
    uint32_t a = into->ladders[m].n, b = from->ladders[m].n, max = jo->milestones[m].ladder_n;
    if (b == 0)
        return;
    SC_ASSERT(a <= max && b <= max);
    int64_t *v = sc_arena_alloc(into->ar, sizeof(*v) * ((size_t)a + b));
    if (a)
        memcpy(v, into->ladders[m].v, sizeof(*v) * a);
    memcpy(v + a, from->ladders[m].v, sizeof(*v) * b);
    sc_sort(into->ar, v, a + b, sizeof(*v), order_times);
    into->ladders[m].v = v;
    into->ladders[m].n = a + b < max ? a + b : max;
}

/* The earlier time stands; where both sides' times are known, the one at which the sum was
 * reached. */
static void merge_milestones(const struct sc_journey *jo, struct sc_state *into,
                             const struct sc_state *from)
{
    SC_ASSERT(jo->n_milestones <= SC_MILESTONES_MAX);
    for (uint32_t m = 0; m < jo->n_milestones; m++) {
        merge_ladder(jo, into, from, m);
        int64_t *reached = &into->milestones[m];
        *reached = earlier(*reached, from->milestones[m]);
        uint32_t n = jo->milestones[m].ladder_n;
        bool full = jo->milestones[m].ladder_fact >= 0 && into->ladders[m].n == n;
        if (*reached != SC_NEVER && full)
            *reached = earlier(*reached, into->ladders[m].v[n - 1]);
    }
}

/* ---- timers, ledger, occurrences */

static int order_timers(const void *a, const void *b)
{
    const struct sc_timer *x = a, *y = b;
    int c = by(x->kind, y->kind);
    c = c ? c : by(x->rule, y->rule);
    c = c ? c : by_hash(x->key_hash, y->key_hash);
    c = c ? c : by(x->start_ms, y->start_ms);
    return c ? c : by_hash(x->start_id, y->start_id);
}

static void join_timers(void *a, const void *b)
{
    struct sc_timer *into = a;
    const struct sc_timer *from = b;
    int c = by(into->due_ms, from->due_ms);
    if (c > 0 || (c == 0 && memcmp(into->id, from->id, sizeof(into->id)) > 0))
        *into = *from;
}

static int order_sent_ids(const void *a, const void *b)
{
    return by_hash(((const struct sc_sent *)a)->id, ((const struct sc_sent *)b)->id);
}
static int order_sent(const void *a, const void *b)
{
    int c = by(((const struct sc_sent *)a)->at_ms, ((const struct sc_sent *)b)->at_ms);
    return c ? c : order_sent_ids(a, b);
}
static void join_sent(void *a, const void *b)
{
    if (((const struct sc_sent *)b)->at_ms < ((struct sc_sent *)a)->at_ms)
        *(struct sc_sent *)a = *(const struct sc_sent *)b;
}

static int order_occurrences(const void *a, const void *b)
{
    return by(((const struct sc_occurrence *)a)->trigger,
              ((const struct sc_occurrence *)b)->trigger);
}

/* Fired counts if either side had; an exit since only if no firing is without one. */
static void join_occurrences(void *a, const void *b)
{
    struct sc_occurrence *into = a;
    const struct sc_occurrence *from = b;
    bool held = (into->fired && !into->exited_since) || (from->fired && !from->exited_since);
    into->exited_since = !held && (into->exited_since || from->exited_since);
    into->fired |= from->fired;
}

/* ---- the customer's word */

static int order_consents(const void *a, const void *b)
{
    return sc_str_cmp(((const struct sc_consent *)a)->purpose,
                      ((const struct sc_consent *)b)->purpose);
}

/* The latest; withdrawal beats grant at the same time. */
static void join_consents(void *a, const void *b)
{
    struct sc_consent *into = a;
    const struct sc_consent *from = b;
    int c = by(into->at_ms, from->at_ms);
    c = c ? c : by(from->granted, into->granted);
    c = c ? c : sc_str_cmp(into->source, from->source);
    c = c ? c : sc_str_cmp(into->evidence, from->evidence);
    if (c < 0)
        *into = *from;
}

/* Over the bound grants go first, the oldest (as in consent.c): without one the answer is no. */
static void bound_consents(struct sc_state *st)
{
    while (st->consents.n > SC_CONSENTS_MAX) {
        uint32_t worst = 0;
        for (uint32_t i = 1; i < st->consents.n; i++) {
            const struct sc_consent *c = &st->consents.v[i], *w = &st->consents.v[worst];
            if (c->granted != w->granted ? c->granted : c->at_ms < w->at_ms)
                worst = i;
        }
        st->consents.n--;
        memmove(&st->consents.v[worst], &st->consents.v[worst + 1],
                (st->consents.n - worst) * sizeof(*st->consents.v));
    }
}

static void merge_pref(struct sc_pref *into, const struct sc_pref *from)
{
    int c = by(into->at_ms, from->at_ms);
    c = c ? c : by(into->number, from->number);
    c = c ? c : sc_str_cmp(into->text, from->text);
    if (c < 0)
        *into = *from;
}

static int order_texts(const void *a, const void *b)
{
    return sc_str_cmp(*(const struct sc_str *)a, *(const struct sc_str *)b);
}

static void merge_word(const struct sc_journey *jo, struct sc_state *into,
                       const struct sc_state *from)
{
    SC_UNITE(into->ar, &into->consents, &from->consents, order_consents, join_consents);
    bound_consents(into);
    merge_pref(&into->channel, &from->channel);
    merge_pref(&into->timezone, &from->timezone);
    merge_pref(&into->language, &from->language);
    merge_pref(&into->frequency, &from->frequency);
    int c = by(into->snooze_at_ms, from->snooze_at_ms);
    c = c ? c : by(into->snooze_until_ms, from->snooze_until_ms);
    if (c < 0) {
        into->snooze_at_ms = from->snooze_at_ms;
        into->snooze_until_ms = from->snooze_until_ms;
    }
    if (from->phone_zone.len > 0 &&
        (into->phone_zone.len == 0 || sc_str_cmp(from->phone_zone, into->phone_zone) < 0))
        into->phone_zone = from->phone_zone;
    for (uint32_t ch = 0; ch < jo->n_channels; ch++)
        into->inbound_ms[ch] = later(into->inbound_ms[ch], from->inbound_ms[ch]);
    SC_UNITE(into->ar, &into->held_out, &from->held_out, order_texts, NULL);
}

/* The sum, aged to the later time. Paused if either was: whether the sum pauses is asked when it
 * matters, at a time that does not depend on the order of merges. */
static void merge_fatigue(const struct sc_journey *jo, struct sc_state *into,
                          const struct sc_state *from)
{
    into->fatigue_paused |= from->fatigue_paused;
    if (from->fatigue_ms == SC_NEVER)
        return;
    int64_t at_ms = later(into->fatigue_ms, from->fatigue_ms);
    into->fatigue = jo->guard.fatigue
                        ? sc_fatigue_at(jo, into, at_ms) + sc_fatigue_at(jo, from, at_ms)
                        : into->fatigue + from->fatigue;
    into->fatigue_ms = at_ms;
    SC_ASSERT(into->fatigue >= 0);
}

/* ---- touchpoints, dedupe, cases, waiting */

static int order_touches(const void *a, const void *b)
{
    return sc_touch_cmp(a, b);
}

static void merge_ring(const struct sc_journey *jo, struct sc_state *into,
                       const struct sc_state *from)
{
    SC_UNITE(into->ar, &into->ring, &from->ring, order_touches, NULL);
    uint32_t over = into->ring.n > jo->ring_max ? into->ring.n - jo->ring_max : 0;
    into->ring.v += over;
    into->ring.n -= over;
    into->ring.cap -= over;
    SC_ASSERT(into->ring.n <= SC_RING_MAX);
}

static int order_seen_ids(const void *a, const void *b)
{
    const struct sc_seen *x = a, *y = b;
    int c = by_hash(x->id_high, y->id_high);
    c = c ? c : by_hash(x->id_low, y->id_low);
    return c ? c : by_hash(x->content, y->content);
}
static int order_seen(const void *a, const void *b)
{
    int c = by(((const struct sc_seen *)b)->age, ((const struct sc_seen *)a)->age);
    return c ? c : order_seen_ids(a, b);
}
static void join_seen(void *a, const void *b)
{
    struct sc_seen *into = a;
    const struct sc_seen *from = b;
    into->age = from->age < into->age ? from->age : into->age;
}

/* Both lists, bounded as one (dedupe.c), by the newest arrival. */
static void merge_seen(struct sc_state *into, const struct sc_state *from)
{
    uint32_t last = into->seen_last > from->seen_last ? into->seen_last : from->seen_last;
    SC_VEC(struct sc_seen) other = {0};
    for (uint32_t i = 0; i < from->seen.n; i++)
        SC_VEC_PUSH(into->ar, &other, from->seen.v[i]);
    sc_seen_age(other.v, other.n, last - from->seen_last);
    sc_seen_age(into->seen.v, into->seen.n, last - into->seen_last);
    into->seen_last = last;
    SC_UNITE(into->ar, &into->seen, &other, order_seen_ids, join_seen);
    sc_sort(into->ar, into->seen.v, into->seen.n, sizeof(*into->seen.v), order_seen);
    uint32_t n = into->seen.n, old = n > SC_DEDUPE_MAX ? n - SC_DEDUPE_MAX : 0;
    while (n - old > SC_DEDUPE_MIN && into->seen.v[old].age > SC_SEEN_STEPS_KEPT)
        old++;
    into->seen.v += old;
    into->seen.n = into->seen.cap = n - old;
    SC_ASSERT(into->seen.n <= SC_DEDUPE_MAX);
}

static int order_cases(const void *a, const void *b)
{
    const struct sc_open_case *x = a, *y = b;
    int c = by(x->kind, y->kind);
    return c ? c : by_hash(x->key_hash, y->key_hash);
}
static void join_cases(void *a, const void *b)
{
    struct sc_open_case *into = a;
    const struct sc_open_case *from = b;
    into->opened_ms = later(into->opened_ms, from->opened_ms);
    into->closed_ms = later(into->closed_ms, from->closed_ms);
}

/* Over the bound closed ones go first, the oldest. */
static void bound_cases(struct sc_state *st)
{
    while (st->cases.n > SC_CASES_MAX) {
        uint32_t worst = 0;
        for (uint32_t i = 1; i < st->cases.n; i++) {
            const struct sc_open_case *c = &st->cases.v[i], *w = &st->cases.v[worst];
            bool closed = c->closed_ms >= c->opened_ms, worst_closed = w->closed_ms >= w->opened_ms;
            if (closed != worst_closed ? closed
                                       : later(c->opened_ms, c->closed_ms) <
                                             later(w->opened_ms, w->closed_ms))
                worst = i;
        }
        st->cases.n--;
        memmove(&st->cases.v[worst], &st->cases.v[worst + 1],
                (st->cases.n - worst) * sizeof(*st->cases.v));
    }
}

static int order_waiting(const void *a, const void *b)
{
    const struct sc_waiting *x = a, *y = b;
    int c = by(x->ms, y->ms);
    c = c ? c : sc_str_cmp(x->source, y->source);
    return c ? c : sc_str_cmp(x->id, y->id);
}

static int order_foreign(const void *a, const void *b)
{
    const struct sc_foreign *x = a, *y = b;
    int c = by(x->section, y->section);
    c = c ? c : by_hash(x->hash, y->hash);
    c = c ? c : by(x->base_ms, y->base_ms);
    return c ? c : sc_str_cmp(x->bytes, y->bytes);
}

static void merge_foreign(struct sc_state *into, const struct sc_state *from)
{
    SC_UNITE(into->ar, &into->foreign, &from->foreign, order_foreign, NULL);
    size_t bytes = 0;
    uint32_t n = 0;
    while (n < into->foreign.n &&
           (bytes += into->foreign.v[n].bytes.len) <= SC_FOREIGN_BYTES_MAX)
        n++;
    into->foreign.n = n;
}

/* ---- the whole */

static void merge_life(struct sc_state *into, const struct sc_state *from)
{
    into->first_ms = earlier(into->first_ms, from->first_ms);
    into->last_ms = later(into->last_ms, from->last_ms);
    SC_ASSERT(into->n_events <= UINT64_MAX - from->n_events);
    into->n_events += from->n_events;
}

void sc_state_merge(const struct sc_journey *jo, struct sc_state *into, const struct sc_state *from)
{
    SC_ASSERT(into != from && into->kind == SC_STATE_ROOT);
    SC_ASSERT(sc_node_cmp(&into->node, &from->node) <= 0); /* =: a root's own that came back */
    merge_identity(into, from); /* before their events are counted together */
    sc_history_merge(jo, into, from); /* so too */
    merge_life(into, from);
    sc_facts_merge(jo, into, from);
    merge_milestones(jo, into, from);
    sc_breaks_merge(jo, into, from);
    merge_places(jo, into, from);
    SC_UNITE(into->ar, &into->timers, &from->timers, order_timers, join_timers);
    SC_UNITE(into->ar, &into->sent, &from->sent, order_sent_ids, join_sent);
    sc_sort(into->ar, into->sent.v, into->sent.n, sizeof(*into->sent.v), order_sent);
    SC_UNITE(into->ar, &into->occurrences, &from->occurrences, order_occurrences,
             join_occurrences);
    merge_word(jo, into, from);
    merge_fatigue(jo, into, from);
    merge_ring(jo, into, from);
    merge_seen(into, from);
    SC_UNITE(into->ar, &into->cases, &from->cases, order_cases, join_cases);
    bound_cases(into);
    SC_UNITE(into->ar, &into->waiting, &from->waiting, order_waiting, NULL);
    merge_foreign(into, from);
    into->dirty = true;
    sc_state_due(jo, into);
}
