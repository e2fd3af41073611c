/* Service: contacts, answers and cases as a short list in order of time; what is measured of one
 * depends on its neighbours on the same topic, so each has written beside it what was counted for
 * it, and a new neighbour or a merge looks again, and takes back what is so no more. One that
 * leaves the list tells those it was a neighbour of (past): they do not change their minds.
 *
 * A contact is a first one when none on its topic came in the 7 days before it, and resolved when
 * none follows within 7 days. It waits until the next answer on its topic (or one that names none),
 * unless an earlier one waits already. A case is handled from its opening to its closing, which go
 * by its kind and key, whatever the contact's topic. Contacts that name no topic are on one. Cost:
 * quadratic in the list, which is 64 long at most. */
#include "core/analytics/service.h"

#include "base/assert.h"
#include "base/time.h"
#include "core/journey/unite.h"

#define RESOLVED_MS (7 * SC_DAY_MS)
#define SWITCH_MS SC_DAY_MS

static const struct sc_measured *measured(const struct sc_journey *jo, const struct sc_service *t)
{
    SC_ASSERT(t->event < jo->tx->n_events);
    return &jo->analytics->by_event[t->event];
}

static bool is(const struct sc_journey *jo, const struct sc_service *t, unsigned what)
{
    return measured(jo, t)->is & what;
}

/* ---- what was counted */

static void count_touch(const struct sc_journey *jo, const struct sc_service *t, int sign,
                        struct sc_effects *fx)
{
    int16_t medium = measured(jo, t)->medium;
    if (t->first)
        sc_analytics_put(fx, (struct sc_cell){SC_METRIC_FIRST_CONTACT, {t->event, medium}, t->ms,
                                              sign, (sc_sum)sign * t->repeated});
    if (t->next >= 0)
        sc_analytics_put(fx, (struct sc_cell){SC_METRIC_SWITCH, {medium, t->next}, t->ms, sign, 0});
    if (t->waited_ms >= 0)
        sc_analytics_put(fx, (struct sc_cell){SC_METRIC_WAITING, {medium,
                         sc_bucket_of(t->waited_ms)}, t->ms, sign, (sc_sum)sign * t->waited_ms});
    if (t->handled_ms >= 0)
        sc_analytics_put(fx, (struct sc_cell){SC_METRIC_HANDLING, {measured(jo, t)->case_kind,
                         t->opened, sc_bucket_of(t->handled_ms)}, t->ms, sign,
                         (sc_sum)sign * t->handled_ms});
}

void sc_service_count(const struct sc_journey *jo, const struct sc_history *h, int sign,
                      struct sc_effects *fx)
{
    for (uint32_t i = 0; i < h->touches.n; i++)
        count_touch(jo, &h->touches.v[i], sign, fx);
}

/* ---- what is to be counted */

static bool on_topic(const struct sc_journey *jo, const struct sc_service *t,
                     const struct sc_service *of)
{
    return t->topic == of->topic || (t->topic == 0 && is(jo, t, SC_IS_ANSWER));
}

static bool same_case(const struct sc_journey *jo, const struct sc_service *a,
                      const struct sc_service *b)
{
    return a->of_case != 0 && a->of_case == b->of_case &&
           measured(jo, a)->case_kind == measured(jo, b)->case_kind;
}

/* The nearest touch before or after the i-th (step -1, 1) that is `what` on its topic; -1: none. */
static int32_t neighbour(const struct sc_journey *jo, const struct sc_history *h, uint32_t i,
                         int step, unsigned what)
{
    SC_ASSERT(i < h->touches.n);
    for (int32_t k = (int32_t)i + step; k >= 0 && k < (int32_t)h->touches.n; k += step) {
        const struct sc_service *t = &h->touches.v[k];
        if (on_topic(jo, t, &h->touches.v[i]) && is(jo, t, what))
            return k;
    }
    return -1;
}

static void look_contact(const struct sc_journey *jo, struct sc_history *h, uint32_t i)
{
    struct sc_service *v = h->touches.v, *t = &v[i];
    int32_t before = neighbour(jo, h, i, -1, SC_IS_CONTACT);
    int32_t after = neighbour(jo, h, i, 1, SC_IS_CONTACT);
    int32_t answered = neighbour(jo, h, i, -1, SC_IS_CONTACT | SC_IS_ANSWER);
    int32_t answer = neighbour(jo, h, i, 1, SC_IS_ANSWER);
    t->first = !(t->past & SC_PAST_CONTACT) &&
               (before < 0 || t->ms - v[before].ms >= RESOLVED_MS);
    t->repeated = t->first && after >= 0 && v[after].ms - t->ms < RESOLVED_MS;
    int16_t from = measured(jo, t)->medium;
    int16_t to = after >= 0 ? measured(jo, &v[after])->medium : (int16_t)-1;
    if (after >= 0 && v[after].ms - t->ms < SWITCH_MS && from >= 0 && to >= 0 && to != from)
        t->next = to;
    bool waits = answered < 0 ? !(t->past & SC_PAST_WAITING) : is(jo, &v[answered], SC_IS_ANSWER);
    if (waits && answer >= 0)
        t->waited_ms = v[answer].ms - t->ms;
}

static void look_closing(const struct sc_journey *jo, struct sc_history *h, uint32_t i,
                         const struct sc_service *was)
{
    struct sc_service *v = h->touches.v, *t = &v[i];
    int32_t k = (int32_t)i - 1;
    while (k >= 0 && !same_case(jo, &v[k], t))
        k--;
    if (k < 0 && t->past & SC_PAST_OPENING) {
        t->opened = was->opened;
        t->handled_ms = was->handled_ms;
    } else if (k >= 0 && is(jo, &v[k], SC_IS_OPENING)) {
        t->opened = measured(jo, &v[k])->medium;
        t->handled_ms = t->ms - v[k].ms;
        SC_ASSERT(t->handled_ms >= 0);
    }
}

static bool counts_same(const struct sc_service *a, const struct sc_service *b)
{
    return a->first == b->first && a->repeated == b->repeated && a->next == b->next &&
           a->opened == b->opened && a->waited_ms == b->waited_ms && a->handled_ms == b->handled_ms;
}

/* What is to be counted for each, by its neighbours now; the change goes to `fx` (NULL: nobody
 * counts). */
static void look(const struct sc_journey *jo, struct sc_history *h, struct sc_effects *fx)
{
    for (uint32_t i = 0; i < h->touches.n; i++) {
        struct sc_service *t = &h->touches.v[i];
        const struct sc_service was = *t;
        t->first = t->repeated = false;
        t->next = t->opened = -1;
        t->waited_ms = t->handled_ms = -1;
        if (is(jo, t, SC_IS_CONTACT))
            look_contact(jo, h, i);
        if (is(jo, t, SC_IS_CLOSING))
            look_closing(jo, h, i, &was);
        if (fx == NULL || counts_same(&was, t))
            continue;
        count_touch(jo, &was, -1, fx);
        count_touch(jo, t, 1, fx);
    }
}

/* ---- one touch more */

static int order_touches(const void *a, const void *b)
{
    const struct sc_service *x = a, *y = b;
    if (x->ms != y->ms)
        return x->ms < y->ms ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* The first of the list tells the next on its topic, and its case's closing, what they would not
 * know any more without it. */
static void tell(const struct sc_journey *jo, struct sc_history *h)
{
    const struct sc_service *gone = &h->touches.v[0];
    bool contact = is(jo, gone, SC_IS_CONTACT);
    bool waiting = contact && !is(jo, gone, SC_IS_ANSWER);
    bool opening = is(jo, gone, SC_IS_OPENING);
    h->touches.v[1].past |= SC_PAST_MORE;
    for (uint32_t i = 1; i < h->touches.n && (contact || opening); i++) {
        struct sc_service *t = &h->touches.v[i];
        if (opening && same_case(jo, t, gone)) {
            t->past |= is(jo, t, SC_IS_CLOSING) ? SC_PAST_OPENING : 0;
            opening = false;
        }
        if (!contact || !on_topic(jo, t, gone))
            continue;
        if (is(jo, t, SC_IS_CONTACT)) {
            t->past |= waiting ? SC_PAST_WAITING : 0;
            t->past |= t->ms - gone->ms < RESOLVED_MS ? SC_PAST_CONTACT : 0;
            contact = false;
        }
        waiting = waiting && !is(jo, t, SC_IS_ANSWER);
    }
}

/* The newest stay; of the others what was counted stands. */
void sc_service_settle(const struct sc_journey *jo, struct sc_history *h)
{
    while (h->touches.n > SC_TOUCHES_MAX) {
        tell(jo, h);
        h->touches.v++;
        h->touches.n--;
        h->touches.cap = h->touches.n;
    }
}

/* Of the property's value, 0: it has none. */
static uint64_t hash_of(const struct sc_run *rn, int prop)
{
    if (prop < 0 || !sc_is_value(rn->ev->props[prop]))
        return 0;
    uint64_t hash = sc_value_hash(rn->ev->props[prop]);
    return hash ? hash : 1;
}

static uint64_t case_of(const struct sc_run *rn, const struct sc_measured *me)
{
    if (!(me->is & (SC_IS_OPENING | SC_IS_CLOSING)) || me->case_kind < 0)
        return 0;
    const struct sc_case *sc = &rn->jo->tx->cases[me->case_kind];
    return hash_of(rn, sc_event_type_prop(&rn->jo->tx->events[rn->ev->type], sc->key));
}

void sc_service_event(struct sc_run *rn, const struct sc_measured *me)
{
    struct sc_history *h = rn->st->history;
    struct sc_service touch = {.ms = rn->at_ms, .id = rn->ev->id_hash,
                               .topic = hash_of(rn, me->topic), .of_case = case_of(rn, me),
                               .event = rn->ev->type, .next = -1, .opened = -1, .waited_ms = -1,
                               .handled_ms = -1};
    SC_ASSERT(h != NULL);
    const struct sc_service *oldest = h->touches.v;
    if (h->touches.n == SC_TOUCHES_MAX && oldest->past & SC_PAST_MORE &&
        order_touches(&touch, oldest) < 0)
        return; /* those around it are settled */
    h->touches.v = sc_unite(&(struct sc_unite){rn->st->ar, sizeof(touch), order_touches, NULL},
                            h->touches.v, &h->touches.n, &touch, 1);
    look(rn->jo, h, rn->fx);
    sc_service_settle(rn->jo, h);
}

void sc_service_merge(const struct sc_journey *jo, struct sc_history *into,
                      const struct sc_history *from, struct sc_arena *ar)
{
    SC_UNITE(ar, &into->touches, &from->touches, order_touches, NULL);
    look(jo, into, NULL);
}
