/* Service: contacts, answers and cases as a short list in order of time; what is measured of one
 * depends on its neighbours on the same topic, so each has written beside it what was counted for
 * it, and a new neighbour or a merge takes that back and looks again.
 *
 * A contact is a first one when none on its topic came in the 7 days before it, and resolved when
 * none follows within 7 days. It waits until the next answer on its topic (or one that names none),
 * unless an earlier one waits already. A case is handled from its opening to its closing. Contacts
 * that name no topic are on one. Cost: quadratic in the list, which is 64 long at most. */
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
    SC_ASSERT(h->touches.n <= SC_TOUCHES_MAX + 1);
    for (uint32_t i = 0; i < h->touches.n; i++)
        count_touch(jo, &h->touches.v[i], sign, fx);
}

/* ---- what is to be counted */

/* The nearest touch before or after the i-th (step -1, 1) that is `what` on its topic; -1: none. */
static int32_t neighbour(const struct sc_journey *jo, const struct sc_history *h, uint32_t i,
                         int step, unsigned what)
{
    SC_ASSERT(i < h->touches.n);
    for (int32_t k = (int32_t)i + step; k >= 0 && k < (int32_t)h->touches.n; k += step) {
        const struct sc_service *t = &h->touches.v[k];
        bool on_topic = t->topic == h->touches.v[i].topic ||
                        (t->topic == 0 && is(jo, t, SC_IS_ANSWER));
        if (on_topic && is(jo, t, what))
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
    t->first = before < 0 || t->ms - v[before].ms >= RESOLVED_MS;
    t->repeated = t->first && after >= 0 && v[after].ms - t->ms < RESOLVED_MS;
    int16_t from = measured(jo, t)->medium;
    int16_t to = after >= 0 ? measured(jo, &v[after])->medium : (int16_t)-1;
    if (after >= 0 && v[after].ms - t->ms < SWITCH_MS && from >= 0 && to >= 0 && to != from)
        t->next = to;
    bool waits = answered < 0 || is(jo, &v[answered], SC_IS_ANSWER);
    if (waits && answer >= 0)
        t->waited_ms = v[answer].ms - t->ms;
}

static void look_closing(const struct sc_journey *jo, struct sc_history *h, uint32_t i)
{
    struct sc_service *v = h->touches.v, *t = &v[i];
    int32_t opening = neighbour(jo, h, i, -1, SC_IS_OPENING | SC_IS_CLOSING);
    if (opening < 0 || !is(jo, &v[opening], SC_IS_OPENING) ||
        measured(jo, &v[opening])->case_kind != measured(jo, t)->case_kind)
        return;
    t->opened = measured(jo, &v[opening])->medium;
    t->handled_ms = t->ms - v[opening].ms;
    SC_ASSERT(t->handled_ms >= 0);
}

static void look(const struct sc_journey *jo, struct sc_history *h)
{
    for (uint32_t i = 0; i < h->touches.n; i++) {
        struct sc_service *t = &h->touches.v[i];
        t->first = t->repeated = false;
        t->next = t->opened = -1;
        t->waited_ms = t->handled_ms = -1;
        if (is(jo, t, SC_IS_CONTACT))
            look_contact(jo, h, i);
        if (is(jo, t, SC_IS_CLOSING))
            look_closing(jo, h, i);
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

/* The newest stay; of the others what was counted stands. */
static void settle(struct sc_history *h)
{
    uint32_t n = h->touches.n, over = n > SC_TOUCHES_MAX ? n - SC_TOUCHES_MAX : 0;
    h->touches.v += over;
    h->touches.n = h->touches.cap = n - over;
}

static uint64_t topic_of(const struct sc_run *rn, const struct sc_measured *me)
{
    if (me->topic < 0 || !sc_is_value(rn->ev->props[me->topic]))
        return 0;
    uint64_t hash = sc_value_hash(rn->ev->props[me->topic]);
    return hash ? hash : 1;
}

void sc_service_event(struct sc_run *rn, const struct sc_measured *me)
{
    struct sc_history *h = rn->st->history;
    struct sc_service touch = {.ms = rn->at_ms, .id = rn->ev->id_hash, .topic = topic_of(rn, me),
                               .event = rn->ev->type, .next = -1, .opened = -1, .waited_ms = -1,
                               .handled_ms = -1};
    SC_ASSERT(h != NULL);
    sc_service_count(rn->jo, h, -1, rn->fx);
    h->touches.v = sc_unite(&(struct sc_unite){rn->st->ar, sizeof(touch), order_touches, NULL},
                            h->touches.v, &h->touches.n, &touch, 1);
    look(rn->jo, h);
    sc_service_count(rn->jo, h, 1, rn->fx);
    settle(h);
}

void sc_service_merge(const struct sc_journey *jo, struct sc_history *into,
                      const struct sc_history *from, struct sc_arena *ar)
{
    SC_UNITE(ar, &into->touches, &from->touches, order_touches, NULL);
    settle(into);
    look(jo, into);
}
