/* Protobuf's wire format: tags, lengths, and passing over fields.
 * Source: protobuf.dev, "Encoding". */
#ifndef SC_CODEC_PROTO_WIRE_H
#define SC_CODEC_PROTO_WIRE_H

#include "codec/proto_schema.h"
#include "codec/varint.h"

struct sc_wire_tag {
    uint32_t number;
    uint32_t wire; /* enum sc_proto_wire, or 6, 7 (not in use) */
};

static inline enum sc_drop sc_wire_tag(const uint8_t **p, const uint8_t *end,
                                       struct sc_wire_tag *out)
{
    uint64_t u = 0;
    enum sc_drop drop = sc_varint(p, end, &u);
    *out = (struct sc_wire_tag){(uint32_t)(u >> 3), (uint32_t)(u & 7)};
    if (drop != SC_DROP_NONE)
        return drop;
    return u >> 3 == 0 || u > UINT32_MAX ? SC_DROP_MALFORMED : SC_DROP_NONE;
}

/* A length and that many bytes. */
static inline enum sc_drop sc_wire_bytes(const uint8_t **p, const uint8_t *end, struct sc_str *out)
{
    uint64_t n;
    enum sc_drop drop = sc_varint(p, end, &n);
    if (drop != SC_DROP_NONE)
        return drop;
    if ((uint64_t)(end - *p) < n)
        return SC_DROP_TRUNCATED;
    *out = (struct sc_str){(const char *)*p, (size_t)n};
    *p += n;
    return SC_DROP_NONE;
}

/* Past the value behind a tag; groups are walked, at most SC_DECODE_DEPTH deep. */
enum sc_drop sc_wire_skip_any(const uint8_t **p, const uint8_t *end, struct sc_wire_tag tag,
                              unsigned depth);
static inline enum sc_drop sc_wire_skip(const uint8_t **p, const uint8_t *end,
                                        struct sc_wire_tag tag, unsigned depth)
{
    struct sc_str bytes;
    uint64_t u;
    if (tag.wire == SC_WIRE_LEN)
        return sc_wire_bytes(p, end, &bytes);
    return tag.wire == SC_WIRE_VARINT ? sc_varint(p, end, &u)
                                      : sc_wire_skip_any(p, end, tag, depth);
}

#endif
