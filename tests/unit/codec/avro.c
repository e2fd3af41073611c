#include "wants.h"

#include "base/arena.h"
#include "codec/want.h"

#include <avro.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct sc_arena arena;

static void setup(void)
{
    sc_arena_init(&arena);
}
static void teardown(void)
{
    sc_arena_fini(&arena);
}
TestSuite(avro, .init = setup, .fini = teardown);

static const struct sc_decoder *decoder(const char *schema, const char *paths, struct sc_str *why)
{
    struct sc_schema_source source = {.text = sc_str_from(schema)};
    struct sc_projection want = wants(&arena, paths);
    *why = SC_STR_NULL;
    return sc_avro_decoder(&source, &want, &arena, why);
}

static const char *read_avro(const char *schema, const char *paths, const char *hex)
{
    struct sc_str why;
    const struct sc_decoder *d = decoder(schema, paths, &why);
    return d ? decode_text(d, from_hex(&arena, hex), &arena)
             : sc_str_printf(&arena, "refused: %.*s", SC_STR_FMT(why)).p;
}

struct avro_case {
    const char *schema, *paths, *hex, *expect;
};

static void check(const struct avro_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = read_avro(cases[i].schema, cases[i].paths, cases[i].hex);
        cr_expect_str_eq(got, cases[i].expect, "%s of %s: %s, not %s", cases[i].paths,
                         cases[i].schema, got, cases[i].expect);
    }
}
#define CHECK(cases) check(cases, sizeof(cases) / sizeof(*(cases)))

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"

Test(avro, primitives)
{
    static const struct avro_case cases[] = {
        {RECORD(FIELD("a", "\"int\"")), "$.a", "02", "1"},
        {RECORD(FIELD("a", "\"int\"")), "$.a", "ffffffff0f", "-2147483648"},
        {RECORD(FIELD("a", "\"int\"")), "$.a", "8080808010", "!malformed $.a"},
        {RECORD(FIELD("a", "\"long\"")), "$.a", "ffffffffffffffffff01", "-9223372036854775808"},
        {RECORD(FIELD("a", "\"long\"")), "$.a", "ffffffffffffffffff02", "!malformed $.a"},
        {RECORD(FIELD("a", "\"long\"")), "$.a", "ffffffffffffffffffff01", "!malformed $.a"},
        {RECORD(FIELD("a", "\"float\"")), "$.a", "0000c03f", "1.5f"},
        {RECORD(FIELD("a", "\"double\"")), "$.a", "000000000000f83f", "1.5f"},
        {RECORD(FIELD("a", "\"boolean\"")), "$.a", "01", "true"},
        {RECORD(FIELD("a", "\"boolean\"")), "$.a", "02", "!malformed $.a"},
        {RECORD(FIELD("a", "\"string\"")), "$.a", "04 6869", "\"hi\""},
        {RECORD(FIELD("a", "\"string\"")), "$.a", "04 c328", "!utf8 $.a"},
        {RECORD(FIELD("a", "\"string\"")), "$.a", "03 6869", "!malformed $.a"},
        {RECORD(FIELD("a", "\"bytes\"")), "$.a", "04 00ff", "bytes:00ff"},
        {RECORD(FIELD("a", "\"null\"")), "$.a", "", "absent"},
        {RECORD(FIELD("a", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}")), "$.a", "abcd",
         "bytes:abcd"},
        {RECORD(FIELD("a", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"X\",\"Y\"]}")), "$.a",
         "02", "\"Y\""},
        {RECORD(FIELD("a", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"X\",\"Y\"]}")), "$.a",
         "04", "!malformed $.a"},
        {"\"string\"", "$", "04 6869", "\"hi\""},
        {"\"long\"", "$.a", "02", "refused: $: has no fields in the writer's schema"},
    };
    CHECK(cases);
}

#define A_THEN(type) RECORD(FIELD("a", "\"string\"") "," FIELD("b", type) "," FIELD("c", "\"int\""))
#define MAP(type) "{\"type\":\"map\",\"values\":\"" type "\"}"
#define ARRAY(type) "{\"type\":\"array\",\"items\":\"" type "\"}"
#define X16 "61616161616161616161616161616161"
#define X64 X16 X16 X16 X16

/* What nobody wants is passed over by its length alone, whatever it is and wherever the record ends. */
Test(avro, skips)
{
    static const struct avro_case cases[] = {
        {A_THEN("[\"null\",\"string\"]"), "$.c", "0261 00 02", "1"},
        {A_THEN("[\"null\",\"string\"]"), "$.c", "0261 02 046263 02", "1"},
        {A_THEN("[\"null\",\"string\"]"), "$.c", "0261 02 8001" X64 "02", "1"},
        {A_THEN("[\"null\",\"string\"]"), "$.c", "0261 04 02", "!malformed $.b"},
        {A_THEN("[\"null\",\"string\"]"), "$.c", "0261 02 03 02", "!malformed $.b"},
        {A_THEN("[\"null\",\"string\"]"), "$.a", "0261 02 0462", "!truncated $.b"},
        {A_THEN("[\"null\",\"string\"]"), "$.a", "0261 02", "!truncated $.b"},
        {A_THEN("[\"string\",\"null\"]"), "$.c", "0261 02 02", "1"},
        {A_THEN("[\"string\",\"null\"]"), "$.c", "0261 00 0262 02", "1"},
        {A_THEN("[\"null\",\"long\",\"double\"]"), "$.c", "0261 02 ffffffffffffffffff01 02", "1"},
        {A_THEN("[\"null\",\"long\",\"double\"]"), "$.c", "0261 04 000000000000f83f 02", "1"},
        {A_THEN("[\"null\",\"long\",\"double\"]"), "$.a", "0261 04 000000000000f8", "!truncated $.b"},
        {A_THEN("\"string\""), "$.c", "8001" X64 "8002" X64 X64 "02", "1"},
        {A_THEN("\"string\""), "$.c", "8001" X64 "808001" X64 "02", "!truncated $.b"},
        {A_THEN("\"string\""), "$.c", "0261 03 6202", "!malformed $.b"},
        {A_THEN("\"string\""), "$.c", "0261 8102 6202", "!malformed $.b"},
        {A_THEN("\"string\""), "$.c", "0261 feffffffffffffff7f 6202", "!truncated $.b"},
        {A_THEN(MAP("string")), "$.c", "0261 04 0278 0479 79 0262 0263 00 02", "1"},
        {A_THEN(MAP("string")), "$.c", "0261 02 0278 0279 02 0278 8001" X64 "00 02", "1"},
        {A_THEN(MAP("string")), "$.c", "0261 02 0278 04790002", "!truncated $.b"},
        {A_THEN(MAP("string")), "$.c", "0261 03 0e 0278 0479 79 0262 0263 00 02", "!malformed $.b"},
        {A_THEN(MAP("string")), "$.c", "0261 03 12 0278 0479 79 0262 0263 00 02", "1"},
        {A_THEN(MAP("null")), "$.c", "0261 04 0278 0279 00 02", "1"},
        {A_THEN(MAP("null")), "$.c", "0261 feffffffffffffffff01 0278 0279", "!truncated $.b"},
        {A_THEN(ARRAY("long")), "$.c", "0261 04 02 80808001 00 02", "1"},
        {A_THEN(ARRAY("long")), "$.c", "0261 04 02", "!truncated $.b[*]"},
        {A_THEN(ARRAY("double")), "$.c", "0261 02 0000000000000000 00 02", "1"},
        {A_THEN(ARRAY("null")), "$.c", "0261 80808080808080 01 00 02", "!size $.b"},
        {A_THEN("\"double\""), "$.a", "0261 000000000000f8", "!truncated $.b"},
        {A_THEN("\"int\""), "$.c", "0261 b60c 8406", "386"},
        {A_THEN("\"long\""), "$.a", "0261 80808080808001 02", "\"a\""},
        {A_THEN("\"long\""), "$.a", "0261 ffffffffffffffffffff01 02", "!malformed $.b"},
        {A_THEN("\"null\""), "$.a", "8001" X64 "02", "\"" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
    };
    CHECK(cases);
}

/* Numbers that nobody wants, one behind the other, and what of a fixed size follows them. */
Test(avro, skips_of_numbers_in_a_row)
{
    static const char numbers[] =
        RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"long\"") "," FIELD("c", "\"boolean\"") ","
               FIELD("d", "\"long\"") "," FIELD("e", "\"long\"") "," FIELD("f", "\"string\""));
    static const struct avro_case cases[] = {
        {numbers, "$.f", "02 04 01 02 04 0278", "\"x\""},
        {numbers, "$.f", "8001 808001 01 800180010278", "\"x\""},
        {numbers, "$.f", "80808001 80808001 00 80808080808001 02 0278", "\"x\""},
        {numbers, "$.f", "80808001 8080808001 00 80808080808001 80808080808001 0278", "\"x\""},
        {numbers, "$.f", "02 ffffffffffffffffff01 00 ffffffffffffffffff01 02 0278", "\"x\""},
        {numbers, "$.f", "02 04 ff 02 04 0278", "\"x\""},
        {numbers, "$.f", "02 04 80 8001 04 0278", "\"x\""},
        {numbers, "$.f", "02 04 01 02 04", "!truncated $.f"},
        {numbers, "$.f", "02 04 01 02", "!truncated $.d"},
        {numbers, "$.f", "80808001 80808001 01 0280", "!truncated $.d"},
        {numbers, "$.f", "80808001 80808001 01 80", "!truncated $.d"},
        {numbers, "$.f", "80808001 80808001 01", "!truncated $.d"},
        {numbers, "$.f", "80808001 80808001", "!truncated $.a"},
        {numbers, "$.f", "80808001 808080", "!truncated $.a"},
        {numbers, "$.f", "02 ffffffffffffffffffff01 00 02 04 0278", "!malformed $.a"},
    };
    CHECK(cases);
}

/* What stands in a wanted text, up to its last byte and no further, at any length and nearness to the
 * record's end. */
Test(avro, texts_of_every_length)
{
    static const char schema[] = RECORD(FIELD("a", "\"string\"") "," FIELD("b", "\"bytes\""));
    static const unsigned behind[] = {0, 1, 14, 15, 16, 40};
    struct sc_str why;
    const struct sc_decoder *d = decoder(schema, "$.a", &why);
    for (unsigned n = 2; n < 8300; n += n < 150 ? 1 : 4061)
        for (size_t k = 0; k < sizeof(behind) / sizeof(behind[0]); k++) {
            struct sc_buf b = {.ar = &arena};
            for (unsigned u = 2 * n; u || b.len == 0; u >>= 7)
                sc_buf_char(&b, (char)((u & 127) | (u > 127 ? 128 : 0)));
            size_t text = b.len;
            for (unsigned i = 0; i < n; i++)
                sc_buf_char(&b, 'a');
            sc_buf_char(&b, (char)(2 * behind[k]));
            for (unsigned i = 0; i < behind[k]; i++)
                sc_buf_char(&b, (char)0xff);
            const char *plain = decode_text(d, sc_buf_view(&b), &arena);
            cr_expect(strlen(plain) == n + 2 && strspn(plain + 1, "a") == n, "%u, %s", n, plain);
            memcpy(b.p + text + n - 2, "\xc3\xbc", 2);
            const char *other = decode_text(d, sc_buf_view(&b), &arena);
            cr_expect_str_eq(other + n - 1, "\xc3\xbc\"", "%u, %s", n, other);
            memcpy(b.p + text + n - 2, "a\xff", 2);
            cr_expect_str_eq(decode_text(d, sc_buf_view(&b), &arena), "!utf8 $.a", "%u", n);
            struct sc_str cut = {b.p, text + n - 1};
            cr_expect_str_eq(decode_text(d, cut, &arena), "!truncated $.a", "%u", n);
        }
}

#define LOGICAL(type, name) RECORD(FIELD("a", "{\"type\":\"" type "\",\"logicalType\":\"" name "\"}"))
#define DECIMAL(scale)                                                                             \
    RECORD(FIELD("a", "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":40,"          \
                      "\"scale\":" scale "}"))

Test(avro, logical_types)
{
    static const struct avro_case cases[] = {
        {LOGICAL("int", "date"), "$.a", "02", "time:86400000+0"},
        {LOGICAL("int", "time-millis"), "$.a", "02", "duration:1+0"},
        {LOGICAL("long", "time-micros"), "$.a", "ae16", "duration:1+431000"},
        {LOGICAL("long", "timestamp-millis"), "$.a", "01", "time:-1+0"},
        {LOGICAL("long", "timestamp-micros"), "$.a", "01", "time:-1+999000"},
        {LOGICAL("long", "timestamp-nanos"), "$.a", "82897a", "time:1+1"},
        {LOGICAL("long", "local-timestamp-millis"), "$.a", "02", "time:1+0"},
        {LOGICAL("long", "timestamp-micros"), "$.a", "ffffffffffffffffff01", "!malformed $.a"},
        {LOGICAL("long", "of-my-own"), "$.a", "02", "1"},
        {LOGICAL("string", "date"), "$.a", "02 61", "\"a\""},
        {LOGICAL("string", "uuid"), "$.a", "02 61", "\"a\""},
        {RECORD(FIELD("a", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":16,"
                           "\"logicalType\":\"uuid\"}")),
         "$.a", "00112233445566778899aabbccddeeff", "\"00112233-4455-6677-8899-aabbccddeeff\""},
        {RECORD(FIELD("a", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":12,"
                           "\"logicalType\":\"duration\"}")),
         "$.a", "000000000000000000000001", "bytes:000000000000000000000001"},
        {RECORD(FIELD("a", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":3,"
                           "\"logicalType\":\"decimal\",\"precision\":4,\"scale\":2}")),
         "$.a", "ffff38", "-2d"},
    };
    CHECK(cases);
}

Test(avro, decimals_keep_every_digit)
{
    static const struct avro_case cases[] = {
        {DECIMAL("2"), "$.a", "04 04d2", "12.34d"},
        {DECIMAL("2"), "$.a", "00", "0d"},
        {DECIMAL("0"), "$.a", "02 ff", "-1d"},
        {DECIMAL("2"), "$.a", "10 0de0b6b3a763ffff", "9999999999999999.99d"},
        {DECIMAL("2"), "$.a", "10 0de0b6b3a7640001", "\"10000000000000000.01\""},
        {DECIMAL("2"), "$.a", "10 f21f494c589bffff", "\"-10000000000000000.01\""},
        {DECIMAL("20"), "$.a", "10 0de0b6b3a7640000", "0.01d"},
        {DECIMAL("20"), "$.a", "02 05", "\"0.00000000000000000005\""},
        {DECIMAL("2"), "$.a", "28 00000000000000000000000000000000000004d2", "12.34d"},
        {DECIMAL("2"), "$.a", "22 fffffffffffffffffffffffffffffffb2e", "-12.34d"},
        {DECIMAL("2"), "$.a", "22 fffffffffffffffffffffffffffffffb", "!truncated $.a"},
        {DECIMAL("2"), "$.a", "22 fffffffffffffffffffffffffffffffffb", "-0.05d"},
        {DECIMAL("2"), "$.a", "22 0100000000000000000000000000000000", "!size $.a"},
        {DECIMAL("0"), "$.a", "20 80000000000000000000000000000000",
         "\"-170141183460469231731687303715884105728\""},
    };
    CHECK(cases);
}

#define ITEM RECORD(FIELD("sku", "\"string\"") "," FIELD("n", "\"int\""))
#define NESTED                                                                                     \
    "{\"type\":\"record\",\"name\":\"Top\",\"fields\":["                                           \
    "{\"name\":\"id\",\"type\":\"long\"},"                                                         \
    "{\"name\":\"opt\",\"type\":[\"null\",\"string\"]},"                                           \
    "{\"name\":\"items\",\"type\":{\"type\":\"array\",\"items\":" ITEM "}},"                       \
    "{\"name\":\"tags\",\"type\":{\"type\":\"map\",\"values\":\"int\"}},"                          \
    "{\"name\":\"last\",\"type\":[\"null\",\"R\",\"int\"]}]}"
#define NESTED_HEX "0e 02 0478 79 04 0261 02 0262 04 00 02 026b 0a 00 02 0263 06"

Test(avro, nested_values)
{
    static const struct avro_case cases[] = {
        {NESTED, "$.id $.opt", NESTED_HEX, "7 \"xy\""},
        {NESTED, "$.items[*].sku $.items[*].n", NESTED_HEX, "[\"a\",\"b\"] [1,2]"},
        {NESTED, "$.items[1].sku $.items[*].n $.items[7].sku", NESTED_HEX, "\"b\" [1,2] absent"},
        {NESTED, "$.items[0].sku", NESTED_HEX, "\"a\""},
        {NESTED, "count($.items) $.items[*].n", NESTED_HEX, "[true,true] [1,2]"},
        {NESTED, "count($.items)", NESTED_HEX, "[true,true]"},
        {NESTED, "first($.items)", NESTED_HEX,
         "[{\"sku\":\"a\",\"n\":1},{\"sku\":\"b\",\"n\":2}]"},
        {NESTED, "$.items $.items[*].n", NESTED_HEX,
         "[{\"sku\":\"a\",\"n\":1},{\"sku\":\"b\",\"n\":2}] [1,2]"},
        {NESTED, "$.tags.k $.tags.z", NESTED_HEX, "5 absent"},
        {NESTED, "$.tags $.tags.k", NESTED_HEX, "{\"k\":5} 5"},
        {NESTED, "$.last.sku $.last.n", NESTED_HEX, "\"c\" 3"},
        {NESTED, "$.last.n $.last count($.last)", NESTED_HEX, "3 {\"sku\":\"c\",\"n\":3} [true]"},
        {NESTED, "$.last.n", "0e 00 00 00 00", "absent"},
        {NESTED, "$.last $.last.n", "0e 00 00 00 04 0a", "5 absent"},
        {NESTED, "$.last.n", "0e 00 00 00 06", "!malformed $.last"},
        {NESTED, "$.missing $.items[*].missing $.opt", "0e 00 00 00 00", "absent [] absent"},
        {NESTED, "$.opt.x", "", "refused: $.opt: has no fields in the writer's schema"},
        {NESTED, "$.items.sku", "",
         "refused: $.items: is an array in the writer's schema: [*] takes a field of all its "
         "elements"},
        {NESTED, "$.id[*]", "", "refused: $.id: is no array in the writer's schema"},
        {NESTED, "$.tags[0]", "", "refused: $.tags: is no array in the writer's schema"},
        {NESTED, "$.last[*]", "", "refused: $.last: is no array in the writer's schema"},
    };
    CHECK(cases);
}

Test(avro, blocks_with_sizes_are_read_and_jumped_over)
{
    static const char two_blocks[] = "0e 00 01 06 0261 02 02 0262 04 00 03 0c 026b 0a 0278 01 00 00";
    static const struct avro_case cases[] = {
        {NESTED, "$.items[*].n", "0e 00 01 06 0261 02 02 0262 04 00 00 00", "[1,2]"},
        {NESTED, "$.items[1].n", "0e 00 01 06 0261 02 02 0262 04 00 00 00", "2"},
        {NESTED, "$.tags.x $.tags.k", two_blocks, "-1 5"},
        {NESTED, "$.id", two_blocks, "7"},
        {NESTED, "$.items[*].n", "0e 00 01 08 0261 02 00 00 00", "!malformed $.items"},
        {NESTED, "$.id", "0e 00 01 7f 0261 02 00 00 00", "!malformed $.items"},
        {NESTED, "$.id", "0e 00 01 7e 0261 02 00 00 00", "!truncated $.items"},
        {NESTED, "$.id", "0e 00 ffffffffffffffffff01 02 00 00 00", "!malformed $.items"},
        {NESTED, "$.id", "0e 00 feffffffffffffffff01 00", "!truncated R.n"},
    };
    CHECK(cases);
}

#define TREE                                                                                       \
    "{\"type\":\"record\",\"name\":\"Node\",\"namespace\":\"t\",\"fields\":["                      \
    "{\"name\":\"v\",\"type\":\"int\"},"                                                           \
    "{\"name\":\"next\",\"type\":[\"null\",\"Node\"]},"                                            \
    "{\"name\":\"kids\",\"type\":{\"type\":\"array\",\"items\":\"t.Node\"}}]}"

Test(avro, recursive_records)
{
    static const char hex[] = "02 02 04 00 00 02 06 00 00 00";
    static const struct avro_case cases[] = {
        {TREE, "$.v $.next.v $.next.next.v", "02 02 04 00 00 00", "1 2 absent"},
        {TREE, "$.v $.next.v $.kids[*].v", hex, "1 2 [3]"},
        {TREE, "$.next", hex, "{\"v\":2,\"next\":null,\"kids\":[]}"},
        {TREE, "$.v", hex, "1"},
    };
    CHECK(cases);
    struct sc_buf deep = {0};
    for (int i = 0; i < 200; i++)
        sc_buf_addz(&deep, "02 02 ");
    sc_buf_add(&deep, "", 1);
    cr_expect_str_eq(read_avro(TREE, "$.v", deep.p), "!depth t.Node.next");
    cr_expect_str_eq(read_avro(TREE, "$", deep.p), "!depth $");
    sc_buf_fini(&deep);
}

Test(avro, values_without_bytes_are_bounded)
{
    static const char nulls[] = RECORD(FIELD("a", "{\"type\":\"array\",\"items\":\"null\"}"));
    static const char bomb[] =
        "{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"a\",\"type\":"
        "{\"type\":\"record\",\"name\":\"B\",\"fields\":[{\"name\":\"x\",\"type\":\"null\"}]}},"
        "{\"name\":\"b\",\"type\":{\"type\":\"array\",\"items\":\"B\"}}]}";
    static const struct avro_case cases[] = {
        {nulls, "$.x", "0a 00", "absent"},
        {nulls, "count($.a)", "0a 00", "[]"},
        {nulls, "$.x", "feffffffffffffffff01 00", "!size $.a"},
        {nulls, "$.a", "feffffffffffffffff01 00", "!size $.a"},
        {bomb, "$.x", "feffffffffffffffff01 00", "!size $.b"},
    };
    CHECK(cases);
}

Test(avro, unions_of_records_and_names_in_namespaces)
{
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"x.y.Top\",\"fields\":[{\"name\":\"u\",\"type\":["
        "{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"v\",\"type\":\"string\"}]},"
        "{\"type\":\"record\",\"name\":\"B\",\"namespace\":\"z\",\"fields\":["
        "{\"name\":\"pad\",\"type\":\"double\"},{\"name\":\"v\",\"type\":{\"type\":\"record\","
        "\"name\":\"C\",\"fields\":[{\"name\":\"w\",\"type\":\"x.y.A\"}]}}]}]},"
        "{\"name\":\"again\",\"type\":\"z.C\"},{\"name\":\"a\",\"type\":\"A\"}]}";
    static const struct avro_case cases[] = {
        {schema, "$.u.v $.u.v.w.v $.a.v", "00 0261 0262 0263", "\"a\" absent \"c\""},
        {schema, "$.u.v $.u.v.w.v $.a.v", "02 0000000000000000 0261 0262 0263",
         "{\"w\":{\"v\":\"a\"}} \"a\" \"c\""},
        {schema, "$.again.w.v", "00 0261 0262 0263", "\"b\""},
    };
    CHECK(cases);
}

Test(avro, references_of_the_registry)
{
    static const struct sc_schema_ref refs[] = {
        {{"ref.Inner", 9}, SC_STR("{\"type\":\"record\",\"name\":\"Inner\",\"namespace\":\"ref\","
                                  "\"fields\":[{\"name\":\"deep\",\"type\":\"ref.Leaf\"}]}")},
        {{"ref.Leaf", 8}, SC_STR("{\"type\":\"fixed\",\"name\":\"Leaf\",\"namespace\":\"ref\","
                                 "\"size\":1}")},
    };
    struct sc_schema_source source = {
        .text = SC_STR(RECORD(FIELD("a", "\"ref.Inner\"") "," FIELD("b", "\"ref.Inner\""))),
        .refs = refs,
        .n_refs = 2};
    struct sc_projection want = wants(&arena, "$.b.deep");
    struct sc_str why;
    const struct sc_decoder *d = sc_avro_decoder(&source, &want, &arena, &why);
    cr_assert(d, "%.*s", SC_STR_FMT(why));
    cr_expect_str_eq(decode_text(d, from_hex(&arena, "01 02"), &arena), "bytes:02");
    source.n_refs = 1;
    cr_assert_null(sc_avro_decoder(&source, &want, &arena, &why));
    cr_expect_str_eq(why.p, "the schema names a type that it does not define: `ref.Leaf`");
}

Test(avro, schemas_that_are_none)
{
    static const struct {
        const char *schema, *why;
    } cases[] = {
        {"", "the schema is no JSON"},
        {"{", "the schema is no JSON"},
        {"17", "a type is missing in the schema"},
        {"{}", "a type is missing in the schema"},
        {"\"Foo\"", "names a type that it does not define: `Foo`"},
        {"{\"type\":\"record\",\"fields\":[]}", "has no name"},
        {"{\"type\":\"record\",\"name\":\"R\"}", "a record has no list of fields: `R`"},
        {RECORD("7"), "a field has no name in the record: `R`"},
        {RECORD("{\"name\":\"a\"}"), "a type is missing in the schema"},
        {RECORD(FIELD("a", "\"int\"") "," FIELD("a", "\"int\"")), "a field is there twice: `a`"},
        {RECORD(FIELD("a", "{\"type\":\"fixed\",\"name\":\"R\",\"size\":1}")),
         "a type is defined twice: `R`"},
        {RECORD(FIELD("a", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}")), "no size: `F`"},
        {RECORD(FIELD("a", "{\"type\":\"enum\",\"name\":\"E\"}")), "no list of symbols: `E`"},
        {RECORD(FIELD("a", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[1]}")), "no text"},
        {RECORD(FIELD("a", "[\"int\",[\"null\"]]")), "a union holds a union"},
        {RECORD(FIELD("a", "{\"type\":\"array\"}")), "a type is missing in the schema"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sc_str why;
        cr_assert_null(decoder(cases[i].schema, "$.a", &why), "%s", cases[i].schema);
        cr_expect(strstr(sc_str_dup(&arena, why).p, cases[i].why), "%s: %.*s", cases[i].schema,
                  SC_STR_FMT(why));
    }
    struct sc_buf deep = {0};
    struct sc_str why;
    for (int i = 0; i < 500; i++)
        sc_buf_addz(&deep, "{\"type\":\"array\",\"items\":");
    sc_buf_addz(&deep, "\"int\"");
    for (int i = 0; i < 500; i++)
        sc_buf_addz(&deep, "}");
    sc_buf_add(&deep, "", 1);
    cr_assert_null(decoder(deep.p, "$.a", &why));
    cr_expect_str_eq(why.p, "the schema is nested too deep");
    sc_buf_fini(&deep);
}

/* Against Avro C: random schemas, random values, random paths. */

struct random_schema {
    struct rng r;
    struct sc_buf text;
    unsigned names;
};

static void random_type(struct random_schema *s, unsigned depth, bool in_union)
{
    static const char *const plain[] = {"\"null\"", "\"boolean\"", "\"int\"", "\"long\"",
                                        "\"float\"", "\"double\"", "\"bytes\"", "\"string\""};
    unsigned n, kind = rng_below(&s->r, depth ? 14 : 10);
    if (kind == 13 && in_union)
        kind = 10;
    if (kind < 8) {
        sc_buf_addz(&s->text, plain[kind]);
    } else if (kind == 8) {
        sc_buf_addf(&s->text, "{\"type\":\"fixed\",\"name\":\"N%u\",\"size\":%u}", s->names++,
                    rng_below(&s->r, 5) + 1);
    } else if (kind == 9) {
        sc_buf_addf(&s->text, "{\"type\":\"enum\",\"name\":\"N%u\",\"symbols\":[\"A\",\"B\"]}",
                    s->names++);
    } else if (kind == 10) {
        n = rng_below(&s->r, 6);
        sc_buf_addf(&s->text, "{\"type\":\"record\",\"name\":\"N%u\",\"fields\":[", s->names++);
        for (unsigned i = 0; i <= n; i++) {
            sc_buf_addf(&s->text, "%s{\"name\":\"f%u\",\"type\":", i ? "," : "", i);
            random_type(s, depth - 1, false);
            sc_buf_addz(&s->text, "}");
        }
        sc_buf_addz(&s->text, "]}");
    } else if (kind == 11 || kind == 12) {
        sc_buf_addz(&s->text, kind == 11 ? "{\"type\":\"array\",\"items\":"
                                         : "{\"type\":\"map\",\"values\":");
        random_type(s, depth - 1, false);
        sc_buf_addz(&s->text, "}");
    } else { /* branches of different kinds, as a union must have them */
        sc_buf_addz(&s->text, "[\"null\",\"long\",");
        sc_buf_addf(&s->text, "{\"type\":\"record\",\"name\":\"N%u\",\"fields\":[{\"name\":\"f0\","
                              "\"type\":", s->names++);
        random_type(s, depth - 1, false);
        sc_buf_addz(&s->text, "}]}]");
    }
}

static void random_value(struct rng *r, avro_value_t *v)
{
    static const char *const texts[] = {"", "x", "caf\xC3\xA9", "a longer text of some more bytes"};
    char bytes[8] = {0};
    avro_value_t part;
    size_t n = 0;
    avro_schema_t schema = avro_value_get_schema(v);
    switch (avro_value_get_type(v)) {
    case AVRO_NULL: avro_value_set_null(v); break;
    case AVRO_BOOLEAN: avro_value_set_boolean(v, (int)rng_below(r, 2)); break;
    case AVRO_INT32: avro_value_set_int(v, (int32_t)rng_next(r) >> rng_below(r, 32)); break;
    case AVRO_INT64: avro_value_set_long(v, (int64_t)rng_next(r) >> rng_below(r, 64)); break;
    case AVRO_FLOAT: avro_value_set_float(v, (float)rng_below(r, 1000) / 8); break;
    case AVRO_DOUBLE: avro_value_set_double(v, (double)(int64_t)rng_next(r) / 1e6); break;
    case AVRO_BYTES: avro_value_set_bytes(v, bytes, rng_below(r, 8)); break;
    case AVRO_STRING: avro_value_set_string(v, texts[rng_below(r, 4)]); break;
    case AVRO_FIXED: avro_value_set_fixed(v, bytes, (size_t)avro_schema_fixed_size(schema)); break;
    case AVRO_ENUM: avro_value_set_enum(v, (int)rng_below(r, 2)); break;
    case AVRO_RECORD:
        avro_value_get_size(v, &n);
        for (size_t i = 0; i < n; i++) {
            avro_value_get_by_index(v, i, &part, NULL);
            random_value(r, &part);
        }
        break;
    case AVRO_ARRAY:
        for (unsigned i = rng_below(r, 4); i > 0; i--) {
            avro_value_append(v, &part, NULL);
            random_value(r, &part);
        }
        break;
    case AVRO_MAP:
        for (unsigned i = rng_below(r, 4); i > 0; i--) {
            avro_value_add(v, i == 1 ? "f0" : i == 2 ? "f1" : "other", &part, NULL, NULL);
            random_value(r, &part);
        }
        break;
    case AVRO_UNION:
        avro_value_set_branch(v, (int)rng_below(r, (unsigned)avro_schema_union_size(schema)),
                              &part);
        random_value(r, &part);
        break;
    default: cr_assert_fail("no such type is generated");
    }
}

static bool same(struct sc_value v, const avro_value_t *o)
{
    avro_value_t part;
    size_t n = 0;
    const char *text = NULL;
    const void *data = NULL;
    int b = 0;
    int32_t i = 0;
    int64_t l = 0;
    float f = 0;
    double d = 0;
    switch (avro_value_get_type(o)) {
    case AVRO_NULL: return v.type == SC_T_NULL || v.type == SC_T_ABSENT;
    case AVRO_BOOLEAN: avro_value_get_boolean(o, &b); return v.type == SC_T_BOOL && v.i == b;
    case AVRO_INT32: avro_value_get_int(o, &i); return v.type == SC_T_INT && v.i == i;
    case AVRO_INT64: avro_value_get_long(o, &l); return v.type == SC_T_INT && v.i == l;
    case AVRO_FLOAT: avro_value_get_float(o, &f); return v.type == SC_T_DOUBLE && v.d == (double)f;
    case AVRO_DOUBLE: avro_value_get_double(o, &d); return v.type == SC_T_DOUBLE && v.d == d;
    case AVRO_ENUM:
        avro_value_get_enum(o, &b);
        return v.type == SC_T_STRING &&
               sc_str_eqz(sc_value_str(v), avro_schema_enum_get(avro_value_get_schema(o), b));
    case AVRO_STRING:
        avro_value_get_string(o, &text, &n);
        return v.type == SC_T_STRING && sc_str_eqz(sc_value_str(v), text);
    case AVRO_BYTES:
    case AVRO_FIXED:
        if (avro_value_get_type(o) == AVRO_BYTES)
            avro_value_get_bytes(o, &data, &n);
        else
            avro_value_get_fixed(o, &data, &n);
        return v.type == SC_T_BYTES && v.len == n && memcmp(v.s, data, n) == 0;
    case AVRO_RECORD:
    case AVRO_MAP:
    case AVRO_ARRAY:
        avro_value_get_size(o, &n);
        if (v.type != (avro_value_get_type(o) == AVRO_ARRAY ? SC_T_LIST : SC_T_MAP) || v.len != n)
            return false;
        for (size_t k = 0; k < n; k++) {
            avro_value_get_by_index(o, k, &part, &text);
            if (v.type == SC_T_MAP && !sc_str_eqz(sc_value_str(v.map[2 * k]), text))
                return false;
            if (!same(v.type == SC_T_MAP ? v.map[2 * k + 1] : v.list[k], &part))
                return false;
        }
        return true;
    case AVRO_UNION: avro_value_get_current_branch(o, &part); return same(v, &part);
    default: return false;
    }
}

/* What `path` means on the whole value: the expectation for the paths taken one by one. */
static void walk(struct sc_value v, const struct sc_path *path, uint32_t step, struct sc_items *out)
{
    if (step == path->n) {
        out->v[out->n++] = v;
        return;
    }
    const struct sc_step *s = &path->steps[step];
    for (uint32_t i = 0; v.type == SC_T_MAP && i < v.len; i++)
        if (s->kind == SC_STEP_FIELD && sc_str_eq(sc_value_str(v.map[2 * i]), s->name))
            walk(v.map[2 * i + 1], path, step + 1, out);
    for (uint32_t i = 0; v.type == SC_T_LIST && i < v.len; i++)
        if (s->kind == SC_STEP_ALL || (s->kind == SC_STEP_INDEX && s->index == i))
            walk(v.list[i], path, step + 1, out);
}

static struct sc_value expected(struct sc_value whole, const struct sc_want *w)
{
    struct sc_items met = {.v = SC_NEW_N(&arena, struct sc_value, 4096)};
    bool many = false;
    walk(whole, &w->path, 0, &met);
    for (uint32_t i = 0; i < w->path.n; i++)
        many = many || w->path.steps[i].kind == SC_STEP_ALL;
    if (!many)
        return met.n && met.v[0].type != SC_T_NULL ? met.v[0] : sc_absent();
    uint32_t kept = 0;
    for (uint32_t i = 0; i < met.n; i++)
        if (met.v[i].type != SC_T_NULL)
            met.v[kept++] = met.v[i];
    return (struct sc_value){.type = SC_T_LIST, .len = kept, .list = met.v};
}

static const char *random_path(struct rng *r)
{
    struct sc_str s = SC_STR("$");
    static const char *const steps[] = {".f0", ".f1", ".f2", ".f3", "[*]", "[0]", "[1]"};
    for (unsigned n = rng_below(r, 4); n > 0; n--)
        s = sc_str_printf(&arena, "%.*s%s", SC_STR_FMT(s), steps[rng_below(r, 7)]);
    return s.p;
}

/* One random record: the whole against Avro C, single paths against the whole, every prefix
 * refused. Returns how many of the paths the schema could take. */
static unsigned one_record(struct random_schema *s, avro_schema_t schema)
{
    char bytes[16384];
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    avro_value_t value;
    avro_generic_value_new(iface, &value);
    random_value(&s->r, &value);
    avro_writer_t writer = avro_writer_memory(bytes, sizeof(bytes));
    struct sc_fault fault = {0};
    struct sc_value whole, slot;
    struct sc_str why;
    unsigned taken = 0;
    if (avro_value_write(writer, &value) == 0) {
        struct sc_str body = {bytes, (size_t)avro_writer_tell(writer)};
        const struct sc_decoder *d = decoder(s->text.p, "$", &why);
        cr_assert(d, "%.*s: %s", SC_STR_FMT(why), s->text.p);
        cr_assert_eq(sc_decode(d, body, &arena, &whole, &fault), SC_DROP_NONE, "%s", fault.text);
        cr_assert(same(whole, &value), "%s: %s", s->text.p, value_text(&arena, whole));
        const struct sc_decoder *none = decoder(s->text.p, "", &why);
        for (size_t n = 0; n < body.len; n++) {
            struct sc_str part = {bytes, n};
            cr_assert_eq(sc_decode(d, part, &arena, &slot, &fault), SC_DROP_TRUNCATED);
            cr_assert_eq(sc_decode(none, part, &arena, &slot, &fault), SC_DROP_TRUNCATED);
        }
        for (int i = 0; i < 8; i++) {
            struct sc_projection want = wants(&arena, random_path(&s->r));
            struct sc_schema_source source = {.text = sc_str_from(s->text.p)};
            d = sc_avro_decoder(&source, &want, &arena, &why);
            if (d == NULL)
                continue;
            taken++;
            const char *got = decode_text(d, body, &arena);
            const char *expect = value_text(&arena, expected(whole, &want.wants[0]));
            cr_assert_str_eq(got, strcmp(expect, "null") ? expect : "absent", "%.*s of %s: %s, not %s",
                             SC_STR_FMT(want.wants[0].path.text), s->text.p, got, expect);
        }
    }
    avro_writer_free(writer);
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    return taken;
}

Test(avro, equals_avro_c_on_random_schemas, .timeout = 120)
{
    struct random_schema s = {.r = {42}};
    unsigned taken = 0;
    for (int round = 0; round < 400; round++) {
        avro_schema_t schema;
        s.text.len = 0;
        s.names = 0;
        random_type(&s, 4, false);
        sc_buf_add(&s.text, "", 1);
        cr_assert_eq(avro_schema_from_json_length(s.text.p, s.text.len - 1, &schema), 0, "%s: %s",
                     avro_strerror(), s.text.p);
        taken += one_record(&s, schema);
        avro_schema_decref(schema);
        sc_arena_reset(&arena, 1 << 22);
    }
    sc_buf_fini(&s.text);
    cr_expect_gt(taken, 300u, "%u paths taken", taken);
}

/* Files that others wrote, where they lie beside the checkout: Avro C reads them, and each record
 * written again reads the same here. */
static unsigned public_file(const char *path)
{
    avro_file_reader_t file;
    struct sc_buf text = {0};
    char schema_text[8192], bytes[8192];
    unsigned records = 0;
    cr_assert_eq(avro_file_reader(path, &file), 0, "%s: %s", path, avro_strerror());
    avro_schema_t schema = avro_file_reader_get_writer_schema(file);
    avro_writer_t out = avro_writer_memory(schema_text, sizeof(schema_text));
    cr_assert_eq(avro_schema_to_json(schema, out), 0);
    sc_buf_add(&text, schema_text, (size_t)avro_writer_tell(out));
    sc_buf_char(&text, '\0');
    avro_writer_free(out);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    avro_value_t value;
    avro_generic_value_new(iface, &value);
    struct sc_str why;
    const struct sc_decoder *d = decoder(text.p, "$", &why);
    cr_assert(d, "%s: %.*s", path, SC_STR_FMT(why));
    for (; avro_file_reader_read_value(file, &value) == 0; records++) {
        struct sc_value whole;
        struct sc_fault fault = {0};
        out = avro_writer_memory(bytes, sizeof(bytes));
        cr_assert_eq(avro_value_write(out, &value), 0);
        struct sc_str body = {bytes, (size_t)avro_writer_tell(out)};
        cr_assert_eq(sc_decode(d, body, &arena, &whole, &fault), SC_DROP_NONE, "%s", fault.text);
        cr_assert(same(whole, &value), "%s: %s", path, value_text(&arena, whole));
        avro_writer_free(out);
    }
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    avro_file_reader_close(file);
    sc_buf_fini(&text);
    return records;
}

Test(avro, reads_what_others_wrote)
{
    static const char *const files[] = {"weather.avro", "schemas/simple/data.avro",
                                        "schemas/withUnion/data.avro"};
    const char *root = SC_TEST_DIR "/../../shared/data/avro/share/test/data";
    if (access(root, R_OK) != 0)
        cr_skip_test("no public Avro files beside the checkout");
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        const char *path = sc_arena_printf(&arena, "%s/%s", root, files[i]);
        cr_expect_gt(public_file(path), 0u, "%s holds no record", path);
    }
}
