/* The one way into every decoder (decoder.h). */
#include "codec/want.h"

#include "base/assert.h"

enum sc_drop sc_decode(const struct sc_decoder *d, struct sc_str body, struct sc_arena *ar,
                       struct sc_value *slots, struct sc_fault *fault)
{
    SC_ASSERT(d != NULL && (body.p != NULL || body.len == 0));
    struct sc_take take;
    sc_take_start(&take, d->tree, ar, slots, fault);
    if (body.p == NULL)
        body.p = "";
    enum sc_drop drop = d->decode(d, body, &take);
    if (drop == SC_DROP_NONE)
        sc_take_finish(&take);
    else
        SC_ASSERT(fault->drop == drop);
    return drop;
}
