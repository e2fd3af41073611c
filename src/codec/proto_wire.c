/* Passing over Protobuf fields (proto_wire.h). */
#include "codec/proto_wire.h"

#include "base/assert.h"

static enum sc_drop skip_n(const uint8_t **p, const uint8_t *end, size_t n)
{
    if ((size_t)(end - *p) < n)
        return SC_DROP_TRUNCATED;
    *p += n;
    return SC_DROP_NONE;
}

static enum sc_drop skip_group(const uint8_t **p, const uint8_t *end, uint32_t number,
                               unsigned depth)
{
    struct sc_wire_tag tag;
    if (depth >= SC_DECODE_DEPTH)
        return SC_DROP_DEPTH;
    for (;;) {
        enum sc_drop drop = sc_wire_tag(p, end, &tag);
        if (drop != SC_DROP_NONE)
            return drop;
        if (tag.wire == SC_WIRE_END)
            return tag.number == number ? SC_DROP_NONE : SC_DROP_MALFORMED;
        drop = sc_wire_skip(p, end, tag, depth + 1);
        if (drop != SC_DROP_NONE)
            return drop;
    }
}

enum sc_drop sc_wire_skip_any(const uint8_t **p, const uint8_t *end, struct sc_wire_tag tag,
                              unsigned depth)
{
    SC_ASSERT(*p <= end && depth <= SC_DECODE_DEPTH);
    switch (tag.wire) {
    case SC_WIRE_VARINT:
    case SC_WIRE_LEN: return sc_wire_skip(p, end, tag, depth);
    case SC_WIRE_64: return skip_n(p, end, 8);
    case SC_WIRE_GROUP: return skip_group(p, end, tag.number, depth);
    case SC_WIRE_32: return skip_n(p, end, 4);
    default: return SC_DROP_MALFORMED; /* an end without a group, or a type that does not exist */
    }
}
