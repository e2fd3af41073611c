/* Any bytes as a TZif file: what is taken answers for the years 0 to 9999, and a local time leads
 * back to itself or past a gap. */
#include "base/assert.h"
#include "base/time.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sc_tz *tz = sc_tz_read(SC_STR("fuzz"), (struct sc_str){(const char *)data, size});
    if (tz == NULL)
        return 0;
    for (int64_t ms = INT64_C(-62167219200000); ms < INT64_C(253402300800000);
         ms += INT64_C(777777777777)) {
        int64_t utc = sc_tz_from_local(tz, ms);
        int64_t offset = sc_tz_offset_ms(tz, ms);
        SC_ASSERT(offset >= -26 * SC_HOUR_MS && offset <= 26 * SC_HOUR_MS);
        SC_ASSERT(sc_tz_to_local(tz, utc) >= ms);
    }
    sc_tz_destroy(tz);
    return 0;
}
