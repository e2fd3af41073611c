/* Any bytes as a number, a time, a duration: what is taken must format and read back the same. */
#include "base/assert.h"
#include "base/decimal.h"
#include "base/time.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sc_str s = {(const char *)data, size};
    char text[64];
    for (uint8_t scale = 0; scale <= SC_DECIMAL_DIGITS; scale += 3) {
        struct sc_decimal d, back;
        if (sc_decimal_parse(s, scale, &d) != SC_DECIMAL_OK)
            continue;
        struct sc_str shown = {text, sc_decimal_format(d, text)};
        SC_ASSERT(sc_decimal_parse(shown, scale, &back) == SC_DECIMAL_OK && back.units == d.units);
    }
    int64_t ms, again;
    if (sc_time_parse(s, NULL, &ms, NULL)) {
        struct sc_str shown = {text, sc_time_format(ms, text)};
        bool in_range = ms >= INT64_C(-62167219200000) && ms < INT64_C(253402300800000);
        SC_ASSERT(!in_range || (sc_time_parse(shown, NULL, &again, NULL) && again == ms));
    }
    if (sc_duration_parse(s, &ms)) {
        struct sc_str shown = {text, sc_duration_format(ms, text)};
        SC_ASSERT(sc_duration_parse(shown, &again) && again == ms);
    }
    return 0;
}
