/* Accessors of timestamps, in UTC or a zone, and of durations. A zone is a tzdata name made ready
 * at load, or a fixed offset ("+02:00", "02:00", "-02:30"); names found at run time come from the
 * host. Source: cel-spec doc/langdef.md, getFullYear and the others. */
#include "core/rule/fn.h"

#include "base/assert.h"
#include "base/time.h"

/* [+-]hh:mm as milliseconds. */
static bool fixed_offset(struct sc_str s, int64_t *ms)
{
    bool sign = s.len == 6 && (s.p[0] == '+' || s.p[0] == '-');
    const char *p = s.p + (sign ? 1 : 0);
    if (s.len != (sign ? 6u : 5u) || p[2] != ':')
        return false;
    for (int i = 0; i < 5; i++)
        if (i != 2 && (p[i] < '0' || p[i] > '9'))
            return false;
    int64_t minutes = ((p[0] - '0') * 10 + (p[1] - '0')) * 60 + (p[3] - '0') * 10 + (p[4] - '0');
    *ms = (s.p[0] == '-' ? -minutes : minutes) * SC_MINUTE_MS;
    return true;
}

/* Civil time of a[0] in the zone a[1], or in UTC. */
static bool civil(struct run *run, const struct sc_value *a, uint32_t n, struct sc_civil *c)
{
    int64_t ms = a[0].i, offset;
    SC_ASSERT(a[0].type == SC_T_TIMESTAMP);
    if (n == 2) {
        struct sc_str name = sc_value_str(a[1]);
        const struct sc_tz *tz = run->prep ? run->prep->zone : NULL;
        const struct sc_rule_host *host = run->cx->host;
        if (tz == NULL && fixed_offset(name, &offset))
            ms += offset;
        else if (tz == NULL && host && host->zone)
            tz = host->zone(run->cx, name);
        if (tz)
            ms = sc_tz_to_local(tz, ms);
        else if (!fixed_offset(name, &offset) && !sc_str_eqz(name, "UTC"))
            return false;
    }
    sc_civil_from_ms(ms, c);
    return true;
}

static int64_t days(const struct sc_civil *c)
{
    return sc_civil_days(c->year, c->month, c->day);
}

#define CIVIL_FIELD(name, value)                                                                   \
    struct sc_value rule_fn_##name(struct run *run, const struct sc_value *a, uint32_t n)          \
    {                                                                                              \
        struct sc_civil c;                                                                         \
        return civil(run, a, n, &c) ? sc_int(value) : sc_error(SC_VE_CONVERSION);                  \
    }

CIVIL_FIELD(year, c.year)
CIVIL_FIELD(month, c.month - 1)
CIVIL_FIELD(day_of_month, c.day - 1)
CIVIL_FIELD(date, c.day)
CIVIL_FIELD(day_of_week, ((days(&c) + 4) % 7 + 7) % 7)
CIVIL_FIELD(day_of_year, days(&c) - sc_civil_days(c.year, 1, 1))
CIVIL_FIELD(hours, c.hour)
CIVIL_FIELD(minutes, c.minute)
CIVIL_FIELD(seconds, c.second)
CIVIL_FIELD(millis, (int64_t)(c.nanos / 1000000))

/* Whole units of a duration, towards zero (its milliseconds are the floor). */
static struct sc_value span(const struct sc_value *a, int64_t unit_ms)
{
    SC_ASSERT(a->type == SC_T_DURATION && unit_ms > 0);
    int64_t ms = a->i + (a->i < 0 && a->len > 0);
    return sc_int(ms / unit_ms);
}

#define SPAN_FIELD(name, unit_ms)                                                                  \
    struct sc_value rule_fn_##name(struct run *run, const struct sc_value *a, uint32_t n)          \
    {                                                                                              \
        (void)run;                                                                                 \
        SC_ASSERT(n == 1);                                                                         \
        return span(a, unit_ms);                                                                   \
    }

SPAN_FIELD(span_hours, SC_HOUR_MS)
SPAN_FIELD(span_minutes, SC_MINUTE_MS)
SPAN_FIELD(span_seconds, SC_SECOND_MS)

struct sc_value rule_fn_span_millis(struct run *run, const struct sc_value *a, uint32_t n)
{
    (void)run;
    SC_ASSERT(n == 1);
    return sc_int(span(a, 1).i % 1000);
}
