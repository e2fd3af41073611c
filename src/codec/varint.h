/* Base-128 varints, as Avro and Protobuf write them: least significant group first. */
#ifndef SC_CODEC_VARINT_H
#define SC_CODEC_VARINT_H

#include "core/drop.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>
/* One instruction for what takes three steps, where the processor that is built for has it and is
 * fast at it. AMD's before Zen 3 are not (their microcode takes it bit by bit), and x86-64-v3 may
 * mean one of them. */
#if defined(__BMI2__) && (defined(__AVX512F__) || defined(__znver3__))
#define SC_VARINT_PDEP
#include <immintrin.h>
#endif

/* Eight groups of seven bits, least first, as the low bits of eight bytes, and back. */
static inline uint64_t sc_varint_spread(uint64_t v)
{
#ifdef SC_VARINT_PDEP
    return _pdep_u64(v, UINT64_C(0x7f7f7f7f7f7f7f7f));
#else
    v = (v & UINT64_C(0x0fffffff)) | (v & UINT64_C(0xfffffff0000000)) << 4;
    v = (v & UINT64_C(0x00003fff00003fff)) | (v & UINT64_C(0x0fffc0000fffc000)) << 2;
    return (v & UINT64_C(0x007f007f007f007f)) | (v & UINT64_C(0x3f803f803f803f80)) << 1;
#endif
}
static inline uint64_t sc_varint_gather(uint64_t v)
{
#ifdef SC_VARINT_PDEP
    return _pext_u64(v, UINT64_C(0x7f7f7f7f7f7f7f7f));
#else
    v = (v & UINT64_C(0x007f007f007f007f)) | (v & UINT64_C(0x7f007f007f007f00)) >> 1;
    v = (v & UINT64_C(0x00003fff00003fff)) | (v & UINT64_C(0x3fff00003fff0000)) >> 2;
    return (v & UINT64_C(0x0fffffff)) | (v & UINT64_C(0x0fffffff00000000)) >> 4;
#endif
}

/* The number that starts at `p`, where eight bytes are there to read: how many bytes it has, or 0
 * when they are more than eight; *out is then as it was. No loop. */
static inline unsigned sc_varint_eight(const uint8_t *p, uint64_t *out)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    v = le64toh(v);
    uint64_t ends = ~v & UINT64_C(0x8080808080808080);
    if (ends == 0)
        return 0;
    *out = sc_varint_gather(v & (ends ^ (ends - 1))); /* up to the last group's topmost bit */
    return (unsigned)__builtin_ctzll(ends) / 8 + 1;
}

/* Of the eight bytes at body[at] those that end a number, by their topmost bits. Bytes behind `n`
 * end one; of fewer than eight in all, none does. */
static inline uint64_t sc_varint_ends(const uint8_t *body, size_t at, size_t n)
{
    uint64_t v = UINT64_MAX;
    if (at + sizeof(v) <= n)
        memcpy(&v, body + at, sizeof(v));
    else if (n >= sizeof(v)) {
        memcpy(&v, body + n - sizeof(v), sizeof(v));
        v = htole64(le64toh(v) >> 8 * (sizeof(v) - (n - at)));
    }
    return ~le64toh(v) & UINT64_C(0x8080808080808080);
}

/* The number at body[*at], which moves behind it; there is a byte. False: it is longer than eight,
 * or too near the end `n` to be read at once; *at is then as it was. */
static inline bool sc_varint_plain(const uint8_t *body, size_t *at, size_t n, uint64_t *out)
{
    *out = body[*at];
    if (*out < 0x80) {
        ++*at;
        return true;
    }
    unsigned bytes;
    if (*at + 8 > n || (bytes = sc_varint_eight(body + *at, out)) == 0)
        return false;
    *at += bytes;
    return true;
}

/* Those of more than a byte, and the ones cut short. */
enum sc_drop sc_varint_long(const uint8_t **p, const uint8_t *end, uint64_t *out);

/* At most 10 bytes at *p, which moves behind them; zigzag is not undone. TRUNCATED, or MALFORMED
 * past 64 bits; *out and *p are then as they were. Inlined for the one byte that most have. */
static inline enum sc_drop sc_varint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    if (*p < end && **p < 0x80) {
        *out = *(*p)++;
        return SC_DROP_NONE;
    }
    return sc_varint_long(p, end, out);
}

static inline int64_t sc_zigzag(uint64_t u)
{
    return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}

#endif
