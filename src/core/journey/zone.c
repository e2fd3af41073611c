/* A customer's time zone: stated, else of the phone's country, else what the journey says. */
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
