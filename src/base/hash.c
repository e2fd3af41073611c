/* Hashes: xxHash compiled in for speed, CRC-32C by instruction or table, Kafka's murmur2. */
#include "base/hash.h"
#include "base/assert.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

uint64_t sc_hash_xxh64(const void *p, size_t n)
{
    return XXH64(p, n, 0);
}

uint64_t sc_hash_xxh3(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

void sc_hash_xxh3_128(const void *p, size_t n, uint8_t out[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(p, n));
    memcpy(out, canonical.digest, 16);
}

uint32_t sc_hash_name(struct sc_str name)
{
    return (uint32_t)XXH3_64bits(name.p, name.len);
}

/* A nibble at a time: 64 bytes of table serve the machines without the instruction. */
static uint32_t crc32c_table(uint32_t crc, const unsigned char *p, size_t n)
{
    static const uint32_t nibble[16] = {
        0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3,
        0x61C69362, 0x7198540D, 0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
        0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
    };
    for (; n != 0; ++p, --n) {
        crc ^= *p;
        crc = (crc >> 4) ^ nibble[crc & 15];
        crc = (crc >> 4) ^ nibble[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
/* The instruction takes three cycles and can begin one in each: three runs of LANE bytes side by
 * side, then the first two are moved over what follows them. Moving a sum over n bytes is a
 * multiplication by x^8n; the instruction itself gives the other 33 powers and the remainder. */
#define LANE 512u
#define X_LANE 0xDD7E3B0Cu /* x^(8 * LANE - 33) modulo the polynomial, bits reversed */
#define X_TWO_LANES 0x170076FAu

#define INSTRUCTIONS __attribute__((target("sse4.2,pclmul")))

INSTRUCTIONS static inline uint64_t eight(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

INSTRUCTIONS static inline uint64_t moved(uint64_t crc, uint32_t x)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)crc),
                                           _mm_cvtsi64_si128((int64_t)x), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

INSTRUCTIONS static uint32_t crc32c_sse42(uint32_t crc, const unsigned char *p, size_t n)
{
    uint64_t a = crc;
    for (; n >= 3 * LANE; p += 3 * LANE, n -= 3 * LANE) {
        uint64_t b = 0, c = 0;
        for (size_t i = 0; i < LANE; i += 8) {
            a = _mm_crc32_u64(a, eight(p + i));
            b = _mm_crc32_u64(b, eight(p + LANE + i));
            c = _mm_crc32_u64(c, eight(p + 2 * LANE + i));
        }
        a = moved(a, X_TWO_LANES) ^ moved(b, X_LANE) ^ c;
    }
    for (; n >= 8; p += 8, n -= 8)
        a = _mm_crc32_u64(a, eight(p));
    crc = (uint32_t)a;
    for (; n != 0; ++p, --n)
        crc = _mm_crc32_u8(crc, *p);
    return crc;
}
#elif defined(__aarch64__)
__attribute__((target("+crc"))) static uint32_t crc32c_arm(uint32_t crc, const unsigned char *p,
                                                           size_t n)
{
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t eight;
        memcpy(&eight, p, sizeof(eight));
        crc = __crc32cd(crc, eight);
    }
    for (; n != 0; ++p, --n)
        crc = __crc32cb(crc, *p);
    return crc;
}
#endif

uint32_t sc_hash_crc32c_portable(const void *p, size_t n)
{
    return ~crc32c_table(UINT32_MAX, p, n);
}

uint32_t sc_hash_crc32c(const void *p, size_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"))
        return ~crc32c_sse42(UINT32_MAX, p, n);
#elif defined(__aarch64__)
    if (getauxval(AT_HWCAP) & HWCAP_CRC32)
        return ~crc32c_arm(UINT32_MAX, p, n);
#endif
    return sc_hash_crc32c_portable(p, n);
}

int32_t sc_hash_murmur2(const void *data, size_t n)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *p = data;
    uint32_t h = 0x9747b28c ^ (uint32_t)n;
    size_t left = n;
    for (; left >= 4; p += 4, left -= 4) {
        uint32_t k =
            (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        k *= m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    if (left == 3)
        h ^= (uint32_t)p[2] << 16;
    if (left >= 2)
        h ^= (uint32_t)p[1] << 8;
    if (left >= 1)
        h = (h ^ p[0]) * m;
    h = (h ^ h >> 13) * m;
    h ^= h >> 15;
    return (int32_t)h;
}

int32_t sc_hash_java_partition(struct sc_str key, int32_t partitions)
{
    SC_ASSERT(partitions > 0 && key.p != NULL);
    return (sc_hash_murmur2(key.p, key.len) & INT32_MAX) % partitions;
}
