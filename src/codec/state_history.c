/* What analytics remember, in the stored form: core/analytics/history.h. Days and weeks as
 * distances from the one before; stages, events and channels by hash, so that those of another
 * journey version are dropped. */
#include "codec/state_form.h"

#include "base/arena.h"
#include "base/hash.h"
#include "core/analytics/plan.h"

#define WEEK_LIMIT SC_HISTORY_WEEKS
#define RUN_LIMIT (2 * WEEK_LIMIT) /* weeks in one run: as many as there may be */
#define VALUE_LIMIT ((sc_sum)1 << 100)

enum { TOUCH_FIRST = 1, TOUCH_REPEATED = 2, TOUCH_NEXT = 4, TOUCH_OPENED = 8, TOUCH_WAITED = 16,
       TOUCH_HANDLED = 32, TOUCH_CASE = 64, /* its case's key is not its topic */
       TOUCH_PAST = 128 };
/* Of the scale's byte: what stands too. */
#define SCALE_FIRST 0x80u /* the value of the first settled day */
#define SCALE_WEEK 0x40u  /* the newest settled week */

/* ---- writing */

static void put_reached(struct sc_pen *w, const struct sc_journey *jo, const struct sc_history *h,
                        int64_t base_ms)
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < jo->n_stages; s++)
        n += h->reached[s] != SC_NEVER;
    sc_pen_room(w, (n + 1) * (4 + (size_t)SC_VARINT_BYTES));
    sc_pen_var(w, n);
    for (uint32_t s = 0; s < jo->n_stages; s++) {
        if (h->reached[s] == SC_NEVER)
            continue;
        sc_pen_u32(w, jo->stages[s].hash);
        sc_pen_ms(w, base_ms, h->reached[s]);
    }
}

static void put_days(struct sc_pen *w, const struct sc_history *h)
{
    sc_pen_room(w, (2 + 2 * (size_t)h->weeks.n) * SC_VARINT_BYTES);
    if (h->settled_week != INT32_MIN)
        sc_pen_int(w, h->settled_week);
    sc_pen_var(w, h->weeks.n);
    for (uint32_t i = 0; i < h->weeks.n; i++) {
        sc_pen_int(w, h->weeks.v[i].first);
        sc_pen_var(w, (uint64_t)(h->weeks.v[i].last - h->weeks.v[i].first));
    }
    sc_pen_room(w, 3 * SC_VARINT_BYTES);
    sc_pen_var(w, (uint64_t)h->settled_days);
    if (h->settled_days) {
        sc_pen_int(w, h->first_day);
        sc_pen_int128(w, h->settled_value);
        sc_pen_int128(w, h->first_value);
    }
    sc_pen_room(w, SC_VARINT_BYTES);
    sc_pen_var(w, h->purchases.n);
    int64_t day = 0;
    for (uint32_t i = 0; i < h->purchases.n; i++) {
        sc_pen_room(w, SC_VARINT_BYTES);
        sc_pen_int(w, h->purchases.v[i].day - day);
        day = h->purchases.v[i].day;
        sc_pen_int128(w, h->purchases.v[i].value);
    }
}

static uint32_t medium_hash(const struct sc_journey *jo, int16_t medium)
{
    SC_ASSERT(medium >= 0 && (uint32_t)medium < jo->analytics->n_media);
    return sc_hash_name(jo->analytics->media[medium]);
}

static bool is_of_case(const struct sc_journey *jo, uint16_t event)
{
    return jo->analytics->by_event[event].is & (SC_IS_OPENING | SC_IS_CLOSING);
}

static bool has_other_case(const struct sc_journey *jo, const struct sc_service *t)
{
    return is_of_case(jo, t->event) && t->of_case != t->topic;
}

static void put_touch(struct sc_pen *w, const struct sc_journey *jo, const struct sc_service *t,
                      int64_t base_ms)
{
    unsigned bits = t->first | (unsigned)t->repeated << 1;
    bits |= (t->next >= 0 ? TOUCH_NEXT : 0) | (t->opened >= 0 ? TOUCH_OPENED : 0);
    bits |= (t->waited_ms >= 0 ? TOUCH_WAITED : 0) | (t->handled_ms >= 0 ? TOUCH_HANDLED : 0);
    bits |= (has_other_case(jo, t) ? TOUCH_CASE : 0) | (t->past ? TOUCH_PAST : 0);
    sc_pen_room(w, 38 + 4 * SC_VARINT_BYTES);
    sc_pen_u8(w, (uint8_t)bits);
    sc_pen_u32(w, jo->tx->events[t->event].hash);
    sc_pen_var(w, t->event);
    sc_pen_ms(w, base_ms, t->ms);
    sc_pen_u64(w, t->id);
    sc_pen_u64(w, t->topic);
    if (t->next >= 0)
        sc_pen_u32(w, medium_hash(jo, t->next));
    if (t->opened >= 0)
        sc_pen_u32(w, medium_hash(jo, t->opened));
    if (t->waited_ms >= 0)
        sc_pen_var(w, (uint64_t)t->waited_ms);
    if (t->handled_ms >= 0)
        sc_pen_var(w, (uint64_t)t->handled_ms);
    if (bits & TOUCH_CASE)
        sc_pen_u64(w, t->of_case);
    if (bits & TOUCH_PAST)
        sc_pen_u8(w, t->past);
}

void sc_history_put(struct sc_pen *w, const struct sc_journey *jo, const struct sc_history *h,
                    int64_t base_ms)
{
    SC_ASSERT(h->weeks.n <= SC_RUNS_MAX && h->purchases.n <= SC_PURCHASE_DAYS_MAX);
    SC_ASSERT(h->touches.n <= SC_TOUCHES_MAX);
    sc_pen_room(w, 1 + SC_VARINT_BYTES);
    sc_pen_u8(w, (uint8_t)(jo->analytics->value_scale | (h->settled_days ? SCALE_FIRST : 0) |
                           (h->settled_week != INT32_MIN ? SCALE_WEEK : 0)));
    sc_pen_ms(w, base_ms, h->first_ms);
    put_reached(w, jo, h, base_ms);
    put_days(w, h);
    sc_pen_room(w, SC_VARINT_BYTES);
    sc_pen_var(w, h->touches.n);
    for (uint32_t i = 0; i < h->touches.n; i++)
        put_touch(w, jo, &h->touches.v[i], base_ms);
}

/* ---- reading */

static int64_t take_ms(struct sc_scan *r, int64_t base_ms)
{
    int64_t ms = sc_scan_ms(r, base_ms);
    if (ms == SC_NEVER || ms == SC_NO_DUE)
        sc_scan_fail(r);
    return r->bad ? 0 : ms;
}

/* A number from least to most; outside the whole is unreadable. */
static int64_t take_within(struct sc_scan *r, int64_t least, int64_t most)
{
    int64_t v = sc_scan_int(r);
    if (v < least || v > most)
        sc_scan_fail(r);
    return r->bad ? 0 : v;
}

/* Money at the scale it was written with, at the one of this journey. */
static sc_sum take_value(struct sc_scan *r, uint8_t was, uint8_t is)
{
    sc_sum v = sc_scan_int128(r);
    if (v > VALUE_LIMIT || v < -VALUE_LIMIT || was > SC_DECIMAL_DIGITS)
        sc_scan_fail(r);
    for (; was < is && v < VALUE_LIMIT && v > -VALUE_LIMIT; was++)
        v *= 10;
    for (; was > is; was--)
        v /= 10;
    return r->bad ? 0 : v;
}

static void take_reached(struct sc_scan *r, const struct sc_journey *jo, struct sc_history *h,
                         int64_t base_ms)
{
    uint32_t n = sc_scan_count(r, SC_STAGES_MAX, 5);
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        int stage = sc_journey_stage(jo, sc_scan_u32(r));
        int64_t ms = take_ms(r, base_ms);
        if (stage >= 0)
            h->reached[stage] = ms;
    }
}

static void take_weeks(struct sc_scan *r, struct sc_history *h)
{
    uint32_t n = sc_scan_count(r, SC_RUNS_MAX, 2);
    int64_t least = -WEEK_LIMIT;
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        struct sc_weeks run = {.first = (int32_t)take_within(r, least, WEEK_LIMIT)};
        run.last = run.first + (int32_t)sc_scan_count(r, RUN_LIMIT, 0);
        if (run.last > WEEK_LIMIT)
            sc_scan_fail(r);
        least = (int64_t)run.last + 2;
        if (!r->bad)
            SC_VEC_PUSH(r->ar, &h->weeks, run);
    }
}

static void take_purchases(struct sc_scan *r, struct sc_history *h, uint8_t scale, uint8_t is)
{
    bool first_too = scale & SCALE_FIRST;
    uint8_t was = (uint8_t)(scale & ~(SCALE_FIRST | SCALE_WEEK));
    h->settled_days = (int32_t)sc_scan_count(r, INT32_MAX / 2, 0);
    int64_t least = -7 * WEEK_LIMIT, most = 7 * WEEK_LIMIT, day = 0;
    if (h->settled_days) {
        h->first_day = (int32_t)take_within(r, least, most);
        h->settled_value = take_value(r, was, is);
        if (first_too) /* before, it was not in the sum of all either */
            h->first_value = take_value(r, was, is);
        least = h->first_day;
    }
    uint32_t n = sc_scan_count(r, SC_PURCHASE_DAYS_MAX, 2);
    if (h->settled_days && n == 0)
        sc_scan_fail(r);
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        day += take_within(r, least - day, most - day);
        struct sc_purchase_day p = {(int32_t)day, take_value(r, was, is)};
        least = day + 1;
        SC_VEC_PUSH(r->ar, &h->purchases, p);
    }
}

static int16_t take_medium(struct sc_scan *r, const struct sc_journey *jo)
{
    uint32_t hash = sc_scan_u32(r);
    for (uint32_t m = 0; m < jo->analytics->n_media; m++)
        if (sc_hash_name(jo->analytics->media[m]) == hash)
            return (int16_t)m;
    return -1;
}

static void take_touch(struct sc_scan *r, const struct sc_journey *jo, struct sc_history *h,
                       int64_t base_ms)
{
    uint8_t bits = sc_scan_u8(r);
    uint32_t hash = sc_scan_u32(r);
    int event = sc_flat_event(jo->tx, hash, sc_scan_var(r));
    struct sc_service t = {.first = bits & TOUCH_FIRST, .repeated = bits & TOUCH_REPEATED,
                           .next = -1, .opened = -1, .waited_ms = -1, .handled_ms = -1};
    t.ms = take_ms(r, base_ms);
    t.id = sc_scan_u64(r);
    t.topic = sc_scan_u64(r);
    if (bits & TOUCH_NEXT)
        t.next = take_medium(r, jo);
    if (bits & TOUCH_OPENED)
        t.opened = take_medium(r, jo);
    if (bits & TOUCH_WAITED)
        t.waited_ms = (int64_t)(sc_scan_var(r) & (SC_MS_LIMIT - 1));
    if (bits & TOUCH_HANDLED)
        t.handled_ms = (int64_t)(sc_scan_var(r) & (SC_MS_LIMIT - 1));
    uint32_t n = h->touches.n;
    uint64_t of_case = bits & TOUCH_CASE ? sc_scan_u64(r) : t.topic;
    t.past = bits & TOUCH_PAST ? sc_scan_u8(r) : 0;
    if (t.past > SC_PAST_ALL || (bits & TOUCH_PAST && t.past == 0) ||
        (n && t.ms < h->touches.v[n - 1].ms))
        sc_scan_fail(r);
    if (event < 0 || r->bad)
        return;
    t.event = (uint16_t)event;
    t.of_case = is_of_case(jo, t.event) ? of_case : 0;
    SC_VEC_PUSH(r->ar, &h->touches, t);
}

struct sc_history *sc_history_take(struct sc_scan *r, const struct sc_journey *jo, int64_t base_ms)
{
    struct sc_history *h = sc_history_new(jo, r->ar);
    uint8_t scale = sc_scan_u8(r);
    h->first_ms = sc_scan_ms(r, base_ms);
    take_reached(r, jo, h, base_ms);
    if (scale & SCALE_WEEK)
        h->settled_week = (int32_t)take_within(r, -WEEK_LIMIT, WEEK_LIMIT);
    take_weeks(r, h);
    if (h->first_ms == SC_NO_DUE || (h->first_ms != SC_NEVER && h->weeks.n &&
                                     h->weeks.v[0].first < sc_history_week(h->first_ms)))
        sc_scan_fail(r);
    take_purchases(r, h, scale, jo->analytics->value_scale);
    uint32_t n = sc_scan_count(r, SC_TOUCHES_MAX, 23);
    for (uint32_t i = 0; i < n && !r->bad; i++)
        take_touch(r, jo, h, base_ms);
    return h;
}
