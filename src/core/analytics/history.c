/* See history.h. Weeks, stages, milestones and purchases: totals follow from what is remembered, so
 * taking back is counting with the other sign. Touches (service.c) write down what was counted for
 * each. Cost of an event that changes nothing of it: a few compares. */
#include "core/analytics/service.h"

#include "base/assert.h"
#include "base/time.h"
#include "core/journey/unite.h"

#define MONDAY_MS (4 * SC_DAY_MS) /* 1970-01-05 */
#define WEEK_MS (7 * SC_DAY_MS)

void sc_analytics_put(struct sc_effects *fx, struct sc_cell cell)
{
    SC_ASSERT(cell.metric < SC_METRIC_COUNT);
    cell.start_ms = sc_window_start(sc_metric_info((enum sc_metric)cell.metric)->window,
                                    cell.start_ms);
    SC_VEC_PUSH(fx->ar, &fx->deltas, cell);
}

/* ---- weeks: lifecycle, retention */

int32_t sc_history_week(int64_t ms)
{
    return (int32_t)((sc_window_start(SC_WINDOW_WEEK, ms) - MONDAY_MS) / WEEK_MS);
}

static int64_t week_ms(int32_t week)
{
    return week * WEEK_MS + MONDAY_MS;
}

enum { LIFE_NEW, LIFE_RETURNING, LIFE_RESURRECTED };

static void count_week(const struct sc_history *h, int32_t week, bool begins, int sign,
                       struct sc_effects *fx)
{
    bool known = h->first_ms != SC_NEVER;
    int32_t cohort = known ? sc_history_week(h->first_ms) : week;
    int32_t life = known && week == cohort ? LIFE_NEW : begins ? LIFE_RESURRECTED : LIFE_RETURNING;
    SC_ASSERT(week >= cohort);
    sc_analytics_put(fx, (struct sc_cell){SC_METRIC_ACTIVE, {life}, week_ms(week), sign, 0});
    if (known)
        sc_analytics_put(fx, (struct sc_cell){SC_METRIC_RETENTION, {week - cohort},
                                              week_ms(cohort), sign, 0});
}

static void count_weeks(const struct sc_history *h, int sign, struct sc_effects *fx)
{
    for (uint32_t i = 0; i < h->weeks.n; i++) {
        const struct sc_weeks *run = &h->weeks.v[i];
        SC_ASSERT(run->first <= run->last);
        for (int32_t week = run->first; week <= run->last; week++)
            count_week(h, week, week == run->first, sign, fx);
    }
}

static int order_weeks(const void *a, const void *b)
{
    const struct sc_weeks *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void join_runs(void *into, const void *from)
{
    struct sc_weeks *run = into;
    const struct sc_weeks *other = from;
    run->last = other->last > run->last ? other->last : run->last;
}

/* Runs that touch become one. */
static void join_weeks(struct sc_history *h)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->weeks.n; i++) {
        const struct sc_weeks run = h->weeks.v[i];
        if (n > 0 && run.first <= h->weeks.v[n - 1].last + 1) {
            if (run.last > h->weeks.v[n - 1].last)
                h->weeks.v[n - 1].last = run.last;
        } else {
            h->weeks.v[n++] = run;
        }
    }
    h->weeks.n = h->weeks.cap = n;
}

/* Over the bound the oldest stand as they were counted. */
static void settle_weeks(struct sc_history *h)
{
    uint32_t over = h->weeks.n > SC_RUNS_MAX ? h->weeks.n - SC_RUNS_MAX : 0;
    if (over && h->weeks.v[over - 1].last > h->settled_week)
        h->settled_week = h->weeks.v[over - 1].last;
    h->weeks.v += over;
    h->weeks.n = h->weeks.cap = h->weeks.n - over;
}

static bool active_in(const struct sc_history *h, int32_t week)
{
    for (uint32_t i = h->weeks.n; i-- > 0;)
        if (h->weeks.v[i].first <= week && week <= h->weeks.v[i].last)
            return true;
    return false;
}

/* A week more changes itself, and of the others the next alone: that one begins no run any more. */
static void add_week(struct sc_run *rn, struct sc_history *h, int32_t week)
{
    if (week <= h->settled_week)
        return; /* counted, or the weeks around it are settled */
    struct sc_weeks run = {week, week};
    bool begins = !active_in(h, week - 1) && week - 1 != h->settled_week;
    if (active_in(h, week + 1)) {
        count_week(h, week + 1, true, -1, rn->fx);
        count_week(h, week + 1, false, 1, rn->fx);
    }
    h->weeks.v = sc_unite(&(struct sc_unite){rn->st->ar, sizeof(run), order_weeks, NULL},
                          h->weeks.v, &h->weeks.n, &run, 1);
    join_weeks(h);
    count_week(h, week, begins, 1, rn->fx);
    settle_weeks(h);
}

/* ---- life: the first event, milestones since then */

static void count_milestone(const struct sc_history *h, uint32_t m, int64_t ms, int sign,
                            struct sc_effects *fx)
{
    if (ms == SC_NEVER || h->first_ms == SC_NEVER)
        return;
    int64_t took_ms = ms > h->first_ms ? ms - h->first_ms : 0;
    sc_analytics_put(fx, (struct sc_cell){SC_METRIC_TIME_TO_VALUE, {(int32_t)m,
                     sc_bucket_of(took_ms)}, ms, sign, (sc_sum)sign * took_ms});
}

static void count_life(const struct sc_journey *jo, const struct sc_state *st, int sign,
                       struct sc_effects *fx)
{
    const struct sc_history *h = st->history;
    if (h->first_ms == SC_NEVER)
        return;
    sc_analytics_put(fx, (struct sc_cell){SC_METRIC_CUSTOMERS, {0}, h->first_ms, sign, 0});
    for (uint32_t m = 0; m < jo->n_milestones; m++)
        if (!jo->milestones[m].overdue)
            count_milestone(h, m, st->milestones[m], sign, fx);
}

void sc_history_milestone(const struct sc_journey *jo, struct sc_state *st, uint32_t m,
                          int64_t was_ms, int64_t ms, struct sc_effects *fx)
{
    SC_ASSERT(m < jo->n_milestones);
    if (!jo->analyse)
        return;
    if (jo->milestones[m].overdue) { /* this moment's alone, also of one who has no history */
        sc_analytics_put(fx, (struct sc_cell){SC_METRIC_TARGET, {jo->milestones[m].stage,
                         SC_TARGET_OVERDUE}, ms, 1, 0});
        return;
    }
    if (st->history == NULL)
        return;
    count_milestone(st->history, m, was_ms, -1, fx);
    count_milestone(st->history, m, ms, 1, fx);
}

/* ---- the funnel */

static void count_reached(const struct sc_journey *jo, const struct sc_history *h, int sign,
                          struct sc_effects *fx)
{
    for (uint32_t s = 0; s < jo->n_stages; s++)
        if (h->reached[s] != SC_NEVER)
            sc_analytics_put(fx, (struct sc_cell){SC_METRIC_REACHED, {(int32_t)s}, h->reached[s],
                                                  sign, 0});
}

void sc_history_reached(const struct sc_journey *jo, struct sc_state *st, int stage, int64_t ms,
                        struct sc_effects *fx)
{
    SC_ASSERT(stage >= 0 && (uint32_t)stage < jo->n_stages);
    if (!jo->analyse || st->history == NULL)
        return;
    int64_t *reached = &st->history->reached[stage];
    if (*reached != SC_NEVER && *reached <= ms)
        return;
    if (*reached != SC_NEVER)
        sc_analytics_put(fx, (struct sc_cell){SC_METRIC_REACHED, {stage}, *reached, -1, 0});
    sc_analytics_put(fx, (struct sc_cell){SC_METRIC_REACHED, {stage}, ms, 1, 0});
    *reached = ms;
}

/* ---- purchases: frequency, recency, value of those who came back */

bool sc_history_clv(const struct sc_history *h, struct sc_clv *clv)
{
    uint32_t n = h->purchases.n;
    if (n == 0)
        return false;
    const struct sc_purchase_day *v = h->purchases.v;
    *clv = (struct sc_clv){.frequency = h->settled_days + (int32_t)n - 1,
                           .first_day = h->settled_days ? h->first_day : v[0].day};
    clv->recency_days = v[n - 1].day - clv->first_day;
    clv->repeat_value = h->settled_value - (h->settled_days ? h->first_value : v[0].value);
    for (uint32_t i = 0; i < n; i++)
        clv->repeat_value += v[i].value;
    SC_ASSERT(clv->frequency >= 0 && clv->recency_days >= 0);
    return true;
}

static void count_purchases(const struct sc_history *h, int sign, struct sc_effects *fx)
{
    struct sc_clv clv;
    if (!sc_history_clv(h, &clv))
        return;
    int64_t first_ms = clv.first_day * SC_DAY_MS;
    sc_analytics_put(fx, (struct sc_cell){SC_METRIC_BUYERS, {clv.frequency}, first_ms, sign,
                     (sc_sum)sign * clv.recency_days});
    sc_analytics_put(fx, (struct sc_cell){SC_METRIC_REPEAT_VALUE, {clv.frequency}, first_ms, sign,
                     sign * clv.repeat_value});
}

static int order_days(const void *a, const void *b)
{
    const struct sc_purchase_day *x = a, *y = b;
    return x->day < y->day ? -1 : x->day > y->day;
}

static void join_days(void *into, const void *from)
{
    ((struct sc_purchase_day *)into)->value += ((const struct sc_purchase_day *)from)->value;
}

/* The settled days of both: their number, value and first one say all that is asked of them. */
static void settle_with(struct sc_history *h, int32_t days, struct sc_purchase_day first,
                        sc_sum value)
{
    if (days == 0)
        return;
    if (h->settled_days == 0 || first.day < h->first_day) {
        h->first_day = first.day;
        h->first_value = first.value;
    } else if (first.day == h->first_day) {
        h->first_value += first.value;
    }
    h->settled_days += days;
    h->settled_value += value;
}

static void settle_days(struct sc_history *h)
{
    uint32_t n = h->purchases.n, over = n > SC_PURCHASE_DAYS_MAX ? n - SC_PURCHASE_DAYS_MAX : 0;
    for (uint32_t i = 0; i < over; i++)
        settle_with(h, 1, h->purchases.v[i], h->purchases.v[i].value);
    h->purchases.v += over;
    h->purchases.n = h->purchases.cap = n - over;
}

static void add_purchase(struct sc_run *rn, struct sc_history *h, sc_sum value)
{
    struct sc_purchase_day today = {
        (int32_t)(sc_window_start(SC_WINDOW_DAY, rn->at_ms) / SC_DAY_MS), value};
    if (h->settled_days && today.day < h->purchases.v[0].day)
        return; /* the days around it are settled */
    count_purchases(h, -1, rn->fx);
    h->purchases.v = sc_unite(
        &(struct sc_unite){rn->st->ar, sizeof(today), order_days, join_days}, h->purchases.v,
        &h->purchases.n, &today, 1);
    h->purchases.cap = h->purchases.n;
    settle_days(h);
    count_purchases(h, 1, rn->fx);
}

/* ---- one event */

struct sc_history *sc_history_new(const struct sc_journey *jo, struct sc_arena *ar)
{
    struct sc_history *h = SC_NEW(ar, struct sc_history);
    h->first_ms = SC_NEVER;
    h->settled_week = INT32_MIN;
    h->reached = sc_arena_alloc(ar, sizeof(*h->reached) * (jo->n_stages + 1));
    for (uint32_t s = 0; s < jo->n_stages; s++)
        h->reached[s] = SC_NEVER;
    return h;
}

/* The money of an event in units of the plan's scale; nothing said: 0. */
static sc_sum value_of(const struct sc_run *rn)
{
    int16_t prop = rn->jo->tx->events[rn->ev->type].value;
    uint8_t scale = rn->jo->analytics->value_scale;
    struct sc_value v = prop < 0 ? sc_absent() : rn->ev->props[prop];
    struct sc_decimal d = {0, 0};
    if (v.type == SC_T_INT)
        d.units = v.i;
    else if (v.type == SC_T_DECIMAL)
        d = sc_value_decimal(v);
    else if (v.type != SC_T_DOUBLE || sc_decimal_from_double(v.d, scale, &d) != SC_DECIMAL_OK)
        return 0;
    sc_sum units = d.units;
    for (uint8_t s = d.scale; s < scale; s++)
        units *= 10;
    for (uint8_t s = d.scale; s > scale; s--) /* read by a newer dictionary */
        units /= 10;
    return units;
}

static void points(struct sc_run *rn, enum sc_metric metric, int16_t prop)
{
    struct sc_value v = prop < 0 ? sc_absent() : rn->ev->props[prop];
    struct sc_cell cell = {(uint8_t)metric, {rn->st->place[0].stage, SC_KEY_UNKNOWN}, rn->at_ms, 1, 0};
    if (v.type != SC_T_INT)
        return;
    cell.sum = v.i;
    if (metric == SC_METRIC_NPS)
        cell.keys[1] = v.i >= 9 ? 2 : v.i >= 7 ? 1 : 0;
    else if (metric == SC_METRIC_CSAT)
        cell.keys[1] = v.i >= rn->jo->analytics->satisfied;
    else
        cell.keys[1] = 0;
    sc_analytics_put(rn->fx, cell);
}

/* What is the event's own. */
static void count_event(struct sc_run *rn, const struct sc_measured *me)
{
    int32_t event = rn->ev->type;
    if (me->is & SC_IS_CONTACT)
        sc_analytics_put(rn->fx, (struct sc_cell){SC_METRIC_CONTACT, {event, me->medium},
                                                  rn->at_ms, 1, 0});
    if (me->is & SC_IS_ESCALATION)
        sc_analytics_put(rn->fx, (struct sc_cell){SC_METRIC_ESCALATION, {event, me->medium},
                                                  rn->at_ms, 1, 0});
    if (me->is & SC_IS_PURCHASE)
        sc_analytics_put(rn->fx, (struct sc_cell){SC_METRIC_PURCHASE, {event, rn->st->place[0].stage},
                                                  rn->at_ms, 1, value_of(rn)});
    if (me->is & SC_IS_NPS)
        points(rn, SC_METRIC_NPS, me->nps);
    if (me->is & SC_IS_CSAT)
        points(rn, SC_METRIC_CSAT, me->csat);
    if (me->is & SC_IS_CES)
        points(rn, SC_METRIC_CES, me->ces);
}

/* The customer's first event, or one that is older than the first known. */
static void begin(struct sc_run *rn, struct sc_history *h)
{
    bool other_cohort = h->first_ms == SC_NEVER ||
                        sc_history_week(h->first_ms) != sc_history_week(rn->at_ms);
    count_life(rn->jo, rn->st, -1, rn->fx);
    if (other_cohort)
        count_weeks(h, -1, rn->fx);
    h->first_ms = rn->at_ms;
    if (other_cohort)
        count_weeks(h, 1, rn->fx);
    count_life(rn->jo, rn->st, 1, rn->fx);
}

void sc_history_event(struct sc_run *rn)
{
    struct sc_state *st = rn->st;
    const int64_t limit_ms = SC_HISTORY_WEEKS * WEEK_MS;
    if (!rn->jo->analyse || rn->at_ms > limit_ms || rn->at_ms < -limit_ms)
        return;
    SC_ASSERT(rn->ev != NULL && st->n_events > 0);
    const struct sc_measured *me = &rn->jo->analytics->by_event[rn->ev->type];
    bool first = st->history == NULL && st->n_events == 1;
    if (st->history == NULL)
        st->history = sc_history_new(rn->jo, st->ar);
    struct sc_history *h = st->history;
    if (first || (h->first_ms != SC_NEVER && rn->at_ms < h->first_ms))
        begin(rn, h);
    int32_t week = sc_history_week(rn->at_ms);
    if (!active_in(h, week))
        add_week(rn, h, week);
    count_event(rn, me);
    if (me->is & SC_IS_PURCHASE)
        add_purchase(rn, h, value_of(rn));
    if (me->is & SC_IS_TOUCH)
        sc_service_event(rn, me);
}

/* ---- merges */

void sc_history_count(const struct sc_journey *jo, const struct sc_state *st, int sign,
                      struct sc_effects *fx)
{
    SC_ASSERT(sign == 1 || sign == -1);
    if (!jo->analyse || st->history == NULL)
        return;
    count_life(jo, st, sign, fx);
    count_weeks(st->history, sign, fx);
    count_reached(jo, st->history, sign, fx);
    count_purchases(st->history, sign, fx);
    sc_service_count(jo, st->history, sign, fx);
}

/* Somebody who was there before it was measured is no new customer, whoever joins it. */
static int64_t first_of(const struct sc_state *st)
{
    if (st->n_events == 0)
        return SC_NO_DUE;
    return st->history ? st->history->first_ms : SC_NEVER;
}

void sc_history_merge(const struct sc_journey *jo, struct sc_state *into,
                      const struct sc_state *from)
{
    if (into->history == NULL && from->history == NULL)
        return;
    struct sc_arena *ar = into->ar;
    int64_t a = first_of(into), b = first_of(from), first_ms = a < b ? a : b;
    struct sc_history *h = into->history ? into->history : sc_history_new(jo, ar);
    struct sc_history *other = from->history ? from->history : sc_history_new(jo, ar);
    into->history = h;
    h->first_ms = first_ms == SC_NO_DUE ? SC_NEVER : first_ms;
    for (uint32_t s = 0; s < jo->n_stages; s++)
        if (h->reached[s] == SC_NEVER ||
            (other->reached[s] != SC_NEVER && other->reached[s] < h->reached[s]))
            h->reached[s] = other->reached[s];
    SC_UNITE(ar, &h->weeks, &other->weeks, order_weeks, join_runs);
    join_weeks(h);
    if (other->settled_week > h->settled_week)
        h->settled_week = other->settled_week;
    settle_with(h, other->settled_days,
                (struct sc_purchase_day){other->first_day, other->first_value},
                other->settled_value);
    SC_UNITE(ar, &h->purchases, &other->purchases, order_days, join_days);
    settle_days(h);
    sc_service_merge(jo, h, other, ar);
}

void sc_history_settle(const struct sc_journey *jo, struct sc_history *h)
{
    if (h == NULL)
        return;
    settle_weeks(h);
    sc_service_settle(jo, h);
    SC_ASSERT(h->purchases.n <= SC_PURCHASE_DAYS_MAX);
}
