/* The registry's wire format: magic byte 0, schema id, and Protobuf's message index.
 * Source: Confluent, "Wire format"; both spellings as real clients write them (docs/formats.md). */
#include "codec/decoder.h"

enum sc_drop sc_wire_read(struct sc_str in, uint32_t *schema_id, struct sc_str *body)
{
    if (in.len < 5)
        return SC_DROP_FRAME_TRUNCATED;
    if (in.p[0] != 0)
        return SC_DROP_FRAME_MAGIC;
    const unsigned char *b = (const unsigned char *)in.p;
    *schema_id = (uint32_t)b[1] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 8 | b[4];
    *body = (struct sc_str){in.p + 5, in.len - 5};
    return SC_DROP_NONE;
}

/* A zigzag varint that is 0 or more and fits an index. */
static bool read_index(struct sc_str *body, uint32_t *out)
{
    uint64_t u = 0;
    for (unsigned i = 0; i < 5 && i < body->len; i++) {
        unsigned char c = (unsigned char)body->p[i];
        u |= (uint64_t)(c & 0x7F) << (7 * i);
        if (c & 0x80)
            continue;
        *body = (struct sc_str){body->p + i + 1, body->len - i - 1};
        *out = (uint32_t)(u >> 1);
        return (u & 1) == 0 && u >> 1 <= INT32_MAX;
    }
    return false;
}

enum sc_drop sc_wire_index(struct sc_str *body, uint32_t index[SC_DECODE_DEPTH], uint32_t *n)
{
    struct sc_str at = *body;
    if (!read_index(&at, n) || *n > SC_DECODE_DEPTH)
        return SC_DROP_FRAME_INDEX;
    for (uint32_t i = 0; i < *n; i++)
        if (!read_index(&at, &index[i]))
            return SC_DROP_FRAME_INDEX;
    if (*n == 0) { /* the one byte 00 stands for [0] */
        index[0] = 0;
        *n = 1;
    }
    *body = at;
    return SC_DROP_NONE;
}

void sc_wire_write(struct sc_buf *out, uint32_t schema_id)
{
    const unsigned char head[5] = {0, (unsigned char)(schema_id >> 24),
                                   (unsigned char)(schema_id >> 16),
                                   (unsigned char)(schema_id >> 8), (unsigned char)schema_id};
    sc_buf_add(out, head, sizeof(head));
}
