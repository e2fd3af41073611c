/* See json_value.h. */
#include "codec/json_value.h"

#include "codec/decoder.h"

bool sc_json_value(struct sc_str text, struct sc_arena *ar, struct sc_value *out,
                   struct sc_str *why)
{
    struct sc_want whole = {.op = SC_MAP_PATH};
    const struct sc_projection want = {.wants = &whole, .n = 1};
    struct sc_fault fault;
    if (sc_decode(sc_json_decoder(&want, ar), text, ar, out, &fault) == SC_DROP_NONE)
        return true;
    *why = sc_str_dup(ar, sc_str_from(fault.text));
    return false;
}
