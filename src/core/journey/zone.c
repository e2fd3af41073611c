/* A customer's time zone: stated, else of the phone's country, else what the journey says; and the
 * days, weeks and months of a zone. */
#include "core/journey/run.h"

#include "base/assert.h"

static const struct sc_tz *lookup(const struct sc_journey *jo, struct sc_str name)
{
    return name.len > 0 && jo->zone ? jo->zone(jo->zone_arg, name) : NULL;
}

bool sc_zone_of(const struct sc_journey *jo, const struct sc_state *st, struct sc_zone_ref ref,
                const struct sc_tz **tz)
{
    SC_ASSERT(tz != NULL);
    SC_ASSERT(!ref.customer || ref.fixed == NULL);
    *tz = ref.fixed;
    if (!ref.customer)
        return true;
    *tz = lookup(jo, st->timezone.text);
    if (*tz == NULL)
        *tz = lookup(jo, st->phone_zone);
    if (*tz == NULL)
        *tz = jo->guard.otherwise;
    return *tz != NULL;
}

/* Weeks start on Monday. A midnight that does not exist is the next instant that does, one that
 * comes twice the first (sc_tz_from_local). */
int64_t sc_calendar_start(int32_t calendar, const struct sc_tz *tz, int64_t ms)
{
    int64_t local = tz ? sc_tz_to_local(tz, ms) : ms;
    struct sc_civil c;
    sc_civil_from_ms(local, &c);
    SC_ASSERT(calendar > SC_ROLLING && calendar <= SC_CAL_MONTH);
    int64_t day = sc_civil_days(c.year, c.month, calendar == SC_CAL_MONTH ? 1 : c.day);
    if (calendar == SC_CAL_WEEK)
        day -= sc_civil_weekday(local);
    int64_t start = day * SC_DAY_MS;
    return tz ? sc_tz_from_local(tz, start) : start;
}
