/* What each event type can touch, so that a step's cost follows what rules read, not how many rules
 * there are.
 *
 * Facts, occurrences and edges that ask for one value of a text property stand by that value
 * (pick.c), the others in plain lists.
 *
 * A list may name too many, never too few: every rule is evaluated before it counts. What each list
 * must hold follows from when the rule can change:
 *   starts      occurrences hold for the events that the compiler says
 *   edges       fire by what one event changes: the facts it feeds, the cases it opens or closes.
 *               An edge that reads anything else of the customer is tried after each event
 *   unless      like starts when it reads `event`, like edges when not, but that windows also
 *               change by time
 *   stages      over facts alone: every event, since leaving a stage makes another one's rule count
 *               (at most 64 stages, so the list stays short)
 *   milestones  every event: time moves what they read, and late events do, which try none
 * An event that stands in none of them, and says nothing of the customer himself, is not asked for:
 * of it a step counts that it was there (step.c). */
#include "core/journey/facts.h"
#include "core/journey/load.h"
#include "base/assert.h"

#include <stdlib.h>

enum list {
    LIST_FACTS, LIST_STARTS, LIST_EDGES, LIST_EXITS, LIST_UNLESS, LIST_STAGES, LIST_LAPSES,
    LIST_MILESTONES, LIST_CASES_OPEN, LIST_CASES_CLOSE, LIST_COUNT
};

/* Lists that have a part found by a value. */
enum { KEYED_FACTS, KEYED_STARTS, KEYED_EDGES, KEYED_COUNT };

struct ids { /* a list of one event, while it grows */
    uint16_t *v;
    uint32_t n, cap;
};

struct keyed { /* one of these, while it grows */
    struct sc_keyed *v;
    uint32_t n, cap;
    uint64_t props[SC_PROPERTIES_MAX / 64];
};

struct indexer {
    struct sc_journey *jo;
    struct sc_arena *ar;
    uint32_t n_events;
    struct ids *lists; /* LIST_COUNT an event */
    struct keyed *keyed; /* KEYED_COUNT an event */
};

static void put(struct indexer *ix, enum list list, uint32_t event, uint32_t element)
{
    SC_ASSERT(event < ix->n_events);
    SC_ASSERT(element <= UINT16_MAX);
    struct ids *ids = &ix->lists[event * LIST_COUNT + (uint32_t)list];
    if (ids->n > 0 && ids->v[ids->n - 1] == element) /* elements come ascending */
        return;
    SC_VEC_PUSH(ix->ar, ids, (uint16_t)element);
}

/* Under one event, found by the value of one property. */
static void put_keyed(struct indexer *ix, uint32_t keyed, uint32_t event,
                      const struct sc_rule_info *match, uint32_t element)
{
    SC_ASSERT(event < ix->n_events && match->match_prop >= 0);
    struct keyed *ky = &ix->keyed[event * KEYED_COUNT + keyed];
    uint16_t prop = (uint16_t)match->match_prop;
    struct sc_keyed one = {sc_keyed_of(prop, match->match_hash), (uint16_t)element};
    ky->props[prop / 64] |= UINT64_C(1) << (prop % 64);
    SC_VEC_PUSH(ix->ar, ky, one);
}

static void put_all(struct indexer *ix, enum list list, uint32_t element)
{
    for (uint32_t e = 0; e < ix->n_events; ++e)
        put(ix, list, e, element);
}

/* Under every event for which a rule that reads `event` can hold. */
static void put_occurrence(struct indexer *ix, enum list list, const struct sc_rule_info *info,
                           uint32_t element)
{
    if (info->events == NULL)
        put_all(ix, list, element);
    for (uint32_t i = 0; info->events != NULL && i < info->n_events; ++i)
        put(ix, list, info->events[i], element);
}

/* What an event must have to feed the fact; NULL: nothing that an index knows. */
static const struct sc_rule_info *match_of(const struct sc_fact *fact)
{
    const struct sc_rule_info *where = fact->where == NULL ? NULL : sc_rule_info(fact->where);
    return where != NULL && where->match_prop >= 0 ? where : NULL;
}

/* Under every event that can change what a rule over the customer alone says: an edge by the value
 * that its fact asks for. */
static void put_edge(struct indexer *ix, enum list list, const struct sc_rule_info *info,
                     uint32_t element)
{
    if (info->reads_more)
        put_all(ix, list, element);
    for (uint32_t i = 0; !info->reads_more && i < info->n_facts; ++i) {
        const struct sc_fact *fact = &ix->jo->facts[info->facts[i]];
        if (list == LIST_EDGES && match_of(fact))
            put_keyed(ix, KEYED_EDGES, fact->event, match_of(fact), element);
        else
            put(ix, list, fact->event, element);
    }
}

static void put_exits(struct indexer *ix, enum list list, const struct sc_exit *exits, uint32_t n,
                      uint32_t element)
{
    for (uint32_t i = 0; i < n; ++i)
        put(ix, list, exits[i].event, element);
}

/* Whether time alone can change the rule's result. */
static bool ages(const struct sc_journey *jo, const struct sc_rule_info *info)
{
    bool yes = info->reads_more;
    for (uint32_t i = 0; i < info->n_facts; ++i) {
        const struct sc_fact *fact = &jo->facts[info->facts[i]];
        yes = yes || fact->window_ms > 0 || fact->kind == SC_FACT_SINCE;
    }
    return yes;
}

static void put_unless(struct indexer *ix, const struct sc_rule_info *unless, uint32_t trigger)
{
    if (ages(ix->jo, unless))
        put_all(ix, LIST_UNLESS, trigger);
    else
        put_edge(ix, LIST_UNLESS, unless, trigger);
}

static void index_triggers(struct indexer *ix)
{
    for (uint32_t i = 0; i < ix->jo->n_triggers; ++i) {
        const struct sc_trigger *tr = &ix->jo->triggers[i];
        if (tr->edge)
            put_edge(ix, LIST_EDGES, sc_rule_info(tr->start), i);
        else if (sc_rule_info(tr->start)->match_prop >= 0)
            put_keyed(ix, KEYED_STARTS, sc_rule_info(tr->start)->events[0],
                      sc_rule_info(tr->start), i);
        else
            put_occurrence(ix, LIST_STARTS, sc_rule_info(tr->start), i);
        put_exits(ix, LIST_EXITS, tr->without, tr->n_without, i);
        const struct sc_rule_info *unless = tr->unless == NULL ? NULL : sc_rule_info(tr->unless);
        if (unless != NULL && unless->reads_event)
            put_occurrence(ix, LIST_UNLESS, unless, i);
        else if (unless != NULL)
            put_unless(ix, unless, i);
    }
}

static void index_stages(struct indexer *ix)
{
    for (uint32_t i = 0; i < ix->jo->n_stages; ++i) {
        const struct sc_stage *st = &ix->jo->stages[i];
        const struct sc_rule_info *info = st->when == NULL ? NULL : sc_rule_info(st->when);
        if (info != NULL && info->reads_event)
            put_occurrence(ix, LIST_STAGES, info, i);
        else if (info != NULL)
            put_all(ix, LIST_STAGES, i);
        put_exits(ix, LIST_LAPSES, st->without, st->n_without, i);
    }
}

static void index_milestones(struct indexer *ix)
{
    for (uint32_t i = 0; i < ix->jo->n_milestones; ++i) {
        if (ix->jo->milestones[i].when) /* else overdue: by time alone */
            put_all(ix, LIST_MILESTONES, i);
    }
}

static void index_cases(struct indexer *ix)
{
    const struct sc_taxonomy *tx = ix->jo->tx;
    for (uint32_t i = 0; i < tx->n_cases; ++i) {
        for (uint32_t e = 0; e < tx->cases[i].n_opens; ++e)
            put(ix, LIST_CASES_OPEN, tx->cases[i].opens[e], i);
        for (uint32_t e = 0; e < tx->cases[i].n_closes; ++e)
            put(ix, LIST_CASES_CLOSE, tx->cases[i].closes[e], i);
    }
}

static double event_points(const struct sc_guardrails *g, uint32_t event)
{
    double points = 0;
    for (uint32_t i = 0; i < g->n_adds; ++i) {
        if (g->adds[i].event == (int32_t)event)
            points += g->adds[i].points;
    }
    return points;
}

static int keyed_order(const void *a, const void *b)
{
    const struct sc_keyed *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->element < y->element ? -1 : x->element > y->element;
}

static struct sc_by_value take_keyed(const struct indexer *ix, uint32_t event, uint32_t keyed)
{
    struct keyed *ky = &ix->keyed[event * KEYED_COUNT + keyed];
    struct sc_by_value by = {.v = ky->v, .n = ky->n};
    if (ky->n == 0)
        return by;
    qsort(ky->v, ky->n, sizeof(*ky->v), keyed_order);
    by.props = SC_NEW_N(ix->ar, uint16_t, SC_PROPERTIES_MAX);
    for (uint32_t p = 0; p < SC_PROPERTIES_MAX; ++p)
        if (ky->props[p / 64] >> (p % 64) & 1)
            by.props[by.n_props++] = (uint16_t)p;
    SC_ASSERT(by.n_props > 0);
    return by;
}

static void take_lists(const struct indexer *ix, uint32_t event, struct sc_event_index *out)
{
    struct ids *l = &ix->lists[event * LIST_COUNT];
    *out = (struct sc_event_index){
        .facts_by = take_keyed(ix, event, KEYED_FACTS),
        .starts_by = take_keyed(ix, event, KEYED_STARTS),
        .edges_by = take_keyed(ix, event, KEYED_EDGES),
        .facts = l[LIST_FACTS].v, .n_facts = l[LIST_FACTS].n,
        .starts = l[LIST_STARTS].v, .n_starts = l[LIST_STARTS].n,
        .edges = l[LIST_EDGES].v, .n_edges = l[LIST_EDGES].n,
        .exits = l[LIST_EXITS].v, .n_exits = l[LIST_EXITS].n,
        .unless = l[LIST_UNLESS].v, .n_unless = l[LIST_UNLESS].n,
        .stages = l[LIST_STAGES].v, .n_stages = l[LIST_STAGES].n,
        .lapses = l[LIST_LAPSES].v, .n_lapses = l[LIST_LAPSES].n,
        .milestones = l[LIST_MILESTONES].v, .n_milestones = l[LIST_MILESTONES].n,
        .cases_open = l[LIST_CASES_OPEN].v, .n_cases_open = l[LIST_CASES_OPEN].n,
        .cases_close = l[LIST_CASES_CLOSE].v, .n_cases_close = l[LIST_CASES_CLOSE].n};
}

/* Another track is begun by whatever comes first. */
static bool asked_for(const struct indexer *ix, uint32_t event)
{
    const struct sc_event_index *by = &ix->jo->by_event[event];
    int32_t role = ix->jo->tx->events[event].role;
    bool asked = ix->jo->n_tracks > 1 || by->ring || by->fatigue != 0 ||
                 (role != SC_ROLE_NONE && role != SC_ROLE_PURCHASE);
    for (uint32_t list = 0; list < LIST_COUNT; ++list)
        asked |= ix->lists[event * LIST_COUNT + list].n > 0;
    for (uint32_t keyed = 0; keyed < KEYED_COUNT; ++keyed)
        asked |= ix->keyed[event * KEYED_COUNT + keyed].n > 0;
    return asked;
}

/* How long the ledger keeps what was sent: the longest cap or cooldown, and the week of a stated
 * frequency; with the longest of months, and a day for zones and for decisions of the event clock,
 * which may lie up to a day apart (semantics 8b, 11). */
static int64_t ledger_keep(const struct sc_journey *jo)
{
    int64_t keep = 0;
    for (uint32_t e = 0; e < jo->tx->n_events; ++e) {
        if (jo->tx->events[e].role == SC_ROLE_PREFERENCE)
            keep = 7 * SC_DAY_MS;
    }
    static const int64_t days[] = {0, 1, 7, 31};
    for (uint32_t i = 0; i < jo->guard.n_caps; ++i) {
        const struct sc_cap *cap = &jo->guard.caps[i];
        int64_t per = cap->calendar == SC_ROLLING ? cap->per_ms
                                                  : (days[cap->calendar] + 1) * SC_DAY_MS;
        keep = per > keep ? per : keep;
    }
    for (uint32_t i = 0; i < jo->n_triggers; ++i) {
        if (jo->triggers[i].cooldown_ms > keep)
            keep = jo->triggers[i].cooldown_ms;
    }
    return keep + SC_DAY_MS;
}

/* ---- by hash */

static int by_hash(const void *a, const void *b)
{
    const struct sc_code *x = a, *y = b;
    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : (int)x->element - (int)y->element;
}

/* Of `n` elements of `each` bytes, the first of which has its hash at `hash`. */
static struct sc_code *codes(uint32_t n, const uint32_t *hash, size_t each, struct sc_arena *ar)
{
    struct sc_code *v = SC_NEW_N(ar, struct sc_code, n + 1);
    SC_ASSERT(n <= UINT16_MAX);
    for (uint32_t i = 0; i < n; i++)
        v[i] = (struct sc_code){*(const uint32_t *)(const void *)((const char *)hash + i * each),
                                (uint16_t)i};
    qsort(v, n, sizeof(*v), by_hash);
    return v;
}

static int find(const struct sc_code *codes, uint32_t n, uint32_t hash)
{
    uint32_t from = 0, end = n;
    while (from < end) {
        uint32_t half = from + (end - from) / 2;
        if (codes[half].hash < hash)
            from = half + 1;
        else
            end = half;
    }
    return from < n && codes[from].hash == hash ? codes[from].element : -1;
}

int sc_journey_fact(const struct sc_journey *jo, uint32_t hash)
{
    return find(jo->fact_codes, jo->n_facts, hash);
}

int sc_journey_trigger(const struct sc_journey *jo, uint32_t hash)
{
    return find(jo->trigger_codes, jo->n_triggers, hash);
}

void sc_journey_index(struct sc_journey *jo, struct sc_arena *ar)
{
    SC_ASSERT(jo->tx == jo->scope.tx);
    uint32_t n = jo->tx->n_events;
    struct indexer ix = {.jo = jo, .ar = ar, .n_events = n};
    ix.lists = SC_NEW_N(ar, struct ids, (size_t)n * LIST_COUNT + 1);
    ix.keyed = SC_NEW_N(ar, struct keyed, (size_t)n * KEYED_COUNT + 1);
    for (uint32_t i = 0; i < jo->n_facts; ++i) {
        const struct sc_fact *fact = &jo->facts[i];
        if (match_of(fact))
            put_keyed(&ix, KEYED_FACTS, fact->event, match_of(fact), i);
        else
            put(&ix, LIST_FACTS, fact->event, i);
    }
    index_triggers(&ix);
    index_stages(&ix);
    index_milestones(&ix);
    index_cases(&ix);
    jo->by_event = SC_NEW_N(ar, struct sc_event_index, n + 1);
    for (uint32_t e = 0; e < n; ++e) {
        take_lists(&ix, e, &jo->by_event[e]);
        jo->by_event[e].fatigue = event_points(&jo->guard, e);
        jo->by_event[e].ring = jo->scope.ring_reads[e] != 0;
        /* recent() hands touchpoints on whole: what they say is read */
        for (uint32_t i = 0; jo->by_event[e].ring && i < jo->tx->events[e].n_props; ++i)
            jo->scope.read[e][i / 64] |= UINT64_C(1) << (i % 64);
        jo->by_event[e].asked = asked_for(&ix, e);
    }
    jo->plans = sc_fact_plans(jo, ar);
    jo->fact_codes = codes(jo->n_facts, &jo->plans->hash, sizeof(*jo->plans), ar);
    jo->trigger_codes = codes(jo->n_triggers, &jo->triggers->hash, sizeof(*jo->triggers), ar);
    jo->wanted.bits = jo->scope.read;
    jo->ring_max = jo->scope.recent_max;
    jo->ledger_keep_ms = ledger_keep(jo);
}
