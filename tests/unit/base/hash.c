/* Hashes and HMAC against published vectors. */
#include "base/hash.h"
#include "base/hmac.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* Apache Kafka, UtilsTest.testMurmur2. */
Test(hash, murmur2_is_kafkas)
{
    static const struct {
        const char *key;
        int32_t hash;
    } vectors[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); ++i) {
        struct sc_str key = sc_str_from(vectors[i].key);
        cr_assert_eq(sc_hash_murmur2(key.p, key.len), vectors[i].hash, "%s", key.p);
        int32_t positive = vectors[i].hash & 0x7fffffff;
        cr_assert_eq(sc_hash_java_partition(key, 12), positive % 12);
    }
}

/* RFC 3720 B.4. */
Test(hash, crc32c)
{
    uint8_t b[32];
    memset(b, 0, 32);
    cr_assert_eq(sc_hash_crc32c(b, 32), 0x8A9136AA);
    memset(b, 0xFF, 32);
    cr_assert_eq(sc_hash_crc32c(b, 32), 0x62A8AB43);
    for (int i = 0; i < 32; ++i)
        b[i] = (uint8_t)i;
    cr_assert_eq(sc_hash_crc32c(b, 32), 0x46DD794E);
    cr_assert_eq(sc_hash_crc32c("123456789", 9), 0xE3069283);
    cr_assert_eq(sc_hash_crc32c("", 0), 0);
}

Test(hash, crc32c_is_the_same_without_the_instruction)
{
    uint8_t b[8000];
    for (size_t i = 0; i < sizeof(b); ++i)
        b[i] = (uint8_t)(i * 37 + i / 7);
    for (size_t at = 0; at < 9; ++at)
        for (size_t n = 0; n + at < sizeof(b); n += n < 290 ? 1 : 131) /* many are summed three runs at a time */
            cr_assert_eq(sc_hash_crc32c(b + at, n), sc_hash_crc32c_portable(b + at, n));
}

/* xxHash's own published values: these are formats, a change would lose customers' partitions. */
Test(hash, xxhash_is_pinned)
{
    cr_assert_eq(sc_hash_xxh64("", 0), UINT64_C(0xEF46DB3751D8E999));
    cr_assert_eq(sc_hash_xxh64("abc", 3), UINT64_C(0x44BC2CF5AD770999));
    cr_assert_eq(sc_hash_xxh3("", 0, 0), UINT64_C(0x2D06800538D394C2));
    cr_assert_neq(sc_hash_xxh3("abc", 3, 1), sc_hash_xxh3("abc", 3, 0));
    cr_assert_eq(sc_hash_name(SC_STR("abc")), (uint32_t)sc_hash_xxh3("abc", 3, 0));
    uint8_t out[16];
    static const uint8_t empty[16] = {0x99, 0xAA, 0x06, 0xD3, 0x01, 0x47, 0x98, 0xD8,
                                      0x60, 0x01, 0xC3, 0x24, 0x46, 0x8D, 0x49, 0x7F};
    sc_hash_xxh3_128("", 0, out);
    cr_assert_arr_eq(out, empty, 16);
}

static void mac_is(struct sc_str key, struct sc_str text, const char *hex)
{
    struct sc_hmac *h = sc_hmac_create(key);
    for (int round = 0; round < 2; ++round) { /* the kept states survive use */
        struct sc_str parts[3] = {{text.p, text.len / 3}, SC_STR_NULL, {0}};
        parts[2] = (struct sc_str){text.p + parts[0].len, text.len - parts[0].len};
        uint8_t mac[32];
        char got[65];
        sc_hmac_sign(h, parts, 3, mac);
        for (size_t i = 0; i < 32; ++i)
            snprintf(got + 2 * i, 3, "%02x", mac[i]);
        cr_assert_str_eq(got, hex);
    }
    sc_hmac_destroy(h);
}

/* RFC 4231. */
Test(hmac, vectors)
{
    char key[131];
    memset(key, 0x0b, 20);
    mac_is((struct sc_str){key, 20}, SC_STR("Hi There"),
           "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    mac_is(SC_STR("Jefe"), SC_STR("what do ya want for nothing?"),
           "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    mac_is((struct sc_str){key, 131},
           SC_STR("Test Using Larger Than Block-Size Key - Hash Key First"),
           "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
