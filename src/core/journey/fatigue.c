/* Fatigue: points that decay with a half-life, exact at any time from (value, time) (semantics 29).
 *
 * Points of an event that comes out of order are aged to the value's time first, so the sum does
 * not depend on the order of arrival. */
#include "core/journey/run.h"

#include "base/assert.h"
#include <math.h>

static double decayed(const struct sc_journey *jo, double value, int64_t age_ms)
{
    SC_ASSERT(jo->guard.half_life_ms > 0);
    SC_ASSERT(value >= 0);
    return age_ms <= 0 ? value : value * exp2(-(double)age_ms / (double)jo->guard.half_life_ms);
}

double sc_fatigue_at(const struct sc_journey *jo, const struct sc_state *st, int64_t at_ms)
{
    if (st->fatigue <= 0)
        return 0;
    return decayed(jo, st->fatigue, at_ms - st->fatigue_ms);
}

void sc_fatigue_add(const struct sc_journey *jo, struct sc_state *st, double points, int64_t at_ms)
{
    if (!jo->guard.fatigue || points <= 0)
        return;
    if (st->fatigue <= 0) {
        st->fatigue = points;
        st->fatigue_ms = at_ms;
    } else if (at_ms >= st->fatigue_ms) {
        sc_fatigue_paused(jo, st, at_ms); /* it may have recovered before these came */
        st->fatigue = decayed(jo, st->fatigue, at_ms - st->fatigue_ms) + points;
        st->fatigue_ms = at_ms;
    } else {
        st->fatigue += decayed(jo, points, st->fatigue_ms - at_ms);
    }
    sc_fatigue_paused(jo, st, st->fatigue_ms);
}

bool sc_fatigue_paused(const struct sc_journey *jo, struct sc_state *st, int64_t at_ms)
{
    SC_ASSERT(jo->guard.fatigue);
    SC_ASSERT(jo->guard.resume_at <= jo->guard.pause_at);
    double value = sc_fatigue_at(jo, st, at_ms);
    if (value >= jo->guard.pause_at)
        st->fatigue_paused = true;
    else if (value < jo->guard.resume_at)
        st->fatigue_paused = false;
    return st->fatigue_paused;
}
