/* Quiet hours: [from, to) of local days, as instants of the day they start on (semantics 28).
 *
 * Instants rather than the wall clock's reading, so that a night with a change of daylight saving
 * starts once and ends once: a `to` that does not exist is the next instant that does, one that
 * comes twice is the first (sc_tz_from_local). */
#include "core/journey/run.h"

#include "base/assert.h"

static int64_t instant(const struct sc_tz *tz, int64_t local_ms)
{
    return tz ? sc_tz_from_local(tz, local_ms) : local_ms;
}

bool sc_quiet_until(const struct sc_tz *tz, const struct sc_guardrails *g, int64_t at_ms,
                    int64_t *until_ms)
{
    SC_ASSERT(g->quiet);
    SC_ASSERT(g->quiet_from_min >= 0 && g->quiet_to_min >= 0);
    int64_t local = tz ? sc_tz_to_local(tz, at_ms) : at_ms;
    int64_t in_day = local % SC_DAY_MS;
    int64_t today = local - (in_day < 0 ? in_day + SC_DAY_MS : in_day);
    int64_t wrap = g->quiet_to_min <= g->quiet_from_min ? SC_DAY_MS : 0;
    for (int64_t day = today - SC_DAY_MS; day <= today; day += SC_DAY_MS) {
        int64_t start = instant(tz, day + g->quiet_from_min * SC_MINUTE_MS);
        int64_t end = instant(tz, day + wrap + g->quiet_to_min * SC_MINUTE_MS);
        if (start <= at_ms && at_ms < end) {
            *until_ms = end;
            return true;
        }
    }
    return false;
}
