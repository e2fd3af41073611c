#include "wants.h"

#include "base/arena.h"
#include "codec/proto_schema.h"

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
TestSuite(proto, .init = setup, .fini = teardown);

static const struct sc_decoder *decoder(struct sc_schema_source source, const char *message,
                                        const char *paths, struct sc_str *why)
{
    struct sc_projection want = wants(&arena, paths);
    *why = SC_STR_NULL;
    const struct sc_proto_files *files = sc_proto_parse(&source, &arena, why);
    return files ? sc_proto_decoder(files, sc_str_from(message), NULL, 0, &want, &arena, why)
                 : NULL;
}

static const char *read_proto(const char *schema, const char *paths, const char *hex)
{
    struct sc_str why;
    struct sc_schema_source source = {.text = sc_str_from(schema)};
    const struct sc_decoder *d = decoder(source, "M", paths, &why);
    return d ? decode_text(d, from_hex(&arena, hex), &arena)
             : sc_str_printf(&arena, "refused: %.*s", SC_STR_FMT(why)).p;
}

struct proto_case {
    const char *schema, *paths, *hex, *expect;
};

static void check(const struct proto_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = read_proto(cases[i].schema, cases[i].paths, cases[i].hex);
        cr_expect_str_eq(got, cases[i].expect, "case %zu, %s of %s: %s, not %s", i, cases[i].paths,
                         cases[i].hex, got, cases[i].expect);
    }
}
#define CHECK(cases) check(cases, sizeof(cases) / sizeof(*(cases)))

#define P3(body) "syntax = \"proto3\"; message M { " body " }"
#define P2(body) "syntax = \"proto2\"; message M { " body " }"

Test(proto, scalars)
{
    static const struct proto_case cases[] = {
        {P3("int32 a = 1;"), "$.a", "08 07", "7"},
        {P3("int32 a = 1;"), "$.a", "08 ffffffffffffffffff01", "-1"},
        {P3("int64 a = 1;"), "$.a", "08 ffffffffffffffffff01", "-1"},
        {P3("uint32 a = 1;"), "$.a", "08 ffffffff0f", "4294967295"},
        {P3("uint64 a = 1;"), "$.a", "08 ffffffffffffffffff01", "18446744073709551615u"},
        {P3("fixed64 a = 1;"), "$.a", "09 0000000000000080", "9223372036854775808u"},
        {P3("repeated uint64 a = 1;"), "$.a[*]", "08 ffffffffffffffffff01 08 01",
         "[18446744073709551615u,1]"},
        {P3("uint64 a = 1;"), "$.a", "08 ffffffffffffffff7f", "9223372036854775807"},
        {P3("sint32 a = 1;"), "$.a", "08 03", "-2"},
        {P3("sint64 a = 1;"), "$.a", "08 ffffffffffffffffff01", "-9223372036854775808"},
        {P3("fixed32 a = 1;"), "$.a", "0d ffffffff", "4294967295"},
        {P3("sfixed32 a = 1;"), "$.a", "0d ffffffff", "-1"},
        {P3("fixed64 a = 1;"), "$.a", "09 0100000000000000", "1"},
        {P3("sfixed64 a = 1;"), "$.a", "09 ffffffffffffffff", "-1"},
        {P3("float a = 1;"), "$.a", "0d 0000c03f", "1.5f"},
        {P3("double a = 1;"), "$.a", "09 000000000000f83f", "1.5f"},
        {P3("bool a = 1;"), "$.a", "08 02", "true"},
        {P3("string a = 1;"), "$.a", "0a 02 6869", "\"hi\""},
        {P3("bytes a = 1;"), "$.a", "0a 02 00ff", "bytes:00ff"},
        {P3("enum E { X = 0; Y = 5; } E a = 1;"), "$.a", "08 05", "\"Y\""},
        {P3("enum E { X = 0; Y = 5; } E a = 1;"), "$.a", "08 06", "6"},
        {P3("int32 a = 300;"), "$.a", "e012 07", "7"},
        {P3("int32 a = 1; int32 b = 536870911;"), "$.b", "f8ffffff0f 07", "7"},
    };
    CHECK(cases);
}

Test(proto, presence)
{
    static const struct proto_case cases[] = {
        {P3("int32 a = 1; string b = 2; bool c = 3; double d = 4; bytes e = 5;"),
         "$.a $.b $.c $.d $.e", "", "0 \"\" false 0f bytes:"},
        {P3("enum E { X = 0; } E a = 1; optional int32 b = 2; oneof o { int32 c = 3; }"),
         "$.a $.b $.c", "", "\"X\" absent absent"},
        {P3("optional int32 b = 2; oneof o { int32 c = 3; }"), "$.b $.c", "1000 1800", "0 0"},
        {P2("optional int32 a = 1; required string b = 2;"), "$.a $.b", "", "absent absent"},
        {P3("message S { int32 x = 1; } S s = 1;"), "$.s.x $.s", "", "absent absent"},
        {P3("message S { int32 x = 1; } S s = 1;"), "$.s.x $.s", "0a 00", "0 {\"x\":0}"},
        {P3("message S { int32 x = 1; } repeated S s = 1;"), "$.s[*].x $.s[1].x", "0a00 0a02 0805",
         "[0,5] 5"},
        {P3("message S { repeated int32 x = 1; } S s = 1;"), "$.s.x $.s.x[*]", "", "absent []"},
        {P3("message S { repeated int32 x = 1; } S s = 1;"), "$.s.x $.s.x[*]", "0a00", "[] []"},
        {P3("int32 a = 1;"), "$.nothing", "", "absent"},
    };
    CHECK(cases);
}

Test(proto, the_last_one_wins)
{
    static const struct proto_case cases[] = {
        {P3("int32 a = 1;"), "$.a", "0801 0802", "2"},
        {P3("message S { int32 x = 1; int32 y = 2; } S s = 1;"), "$.s.x $.s.y $.s",
         "0a02 0801 0a02 1002", "1 2 {\"x\":1,\"y\":2}"},
        {P3("oneof o { int32 a = 1; string b = 2; int32 z = 9; }"), "$.a $.b", "0801 1201 78",
         "absent \"x\""},
        {P3("oneof o { int32 a = 1; string b = 2; int32 z = 9; }"), "$.a $.b", "1201 78 4801",
         "absent absent"},
        {P3("oneof o { int32 a = 1; string b = 2; int32 z = 9; }"), "$",
         "1201 78 4801", "{\"z\":1}"},
        {P3("message S { repeated int32 x = 1; int32 y = 2; } oneof o { S s = 1; int32 b = 2; }"),
         "$.s.x[*] $.s.y $.b", "0a02 0801 1001 0a04 0802 1003", "[2] 3 absent"},
        {P3("message T { repeated int32 x = 1; } message S { oneof o { T t = 1; int32 b = 2; } }"
            "repeated S s = 1;"),
         "$.s[*].t.x[*] $.s[*].b", "0a04 0a02 0801 0a08 0a02 0802 1003 2a00 0a02 1004", "[1] [3,4]"},
        {P3("map<string, int32> m = 1;"), "$.m.k $.m", "0a05 0a016b 1001 0a05 0a016b 1002",
         "2 {\"k\":2}"},
    };
    CHECK(cases);
}

Test(proto, repeated_fields)
{
    static const struct proto_case cases[] = {
        {P3("repeated int32 a = 1;"), "$.a $.a[*] $.a[1] sum($.a) count($.a)", "0a03 010203",
         "[1,2,3] [1,2,3] 2 [1,2,3] [true,true,true]"},
        {P3("repeated int32 a = 1;"), "$.a", "0801 0a02 0203 0804", "[1,2,3,4]"},
        {P2("repeated int32 a = 1;"), "$.a", "0801 0802", "[1,2]"},
        {P3("repeated string a = 1;"), "$.a $.a[0] $.a[2]", "0a0161 0a0162",
         "[\"a\",\"b\"] \"a\" absent"},
        {P3("repeated fixed32 a = 1;"), "$.a", "0a08 01000000 02000000", "[1,2]"},
        {P3("repeated fixed32 a = 1;"), "$.a", "0a05 01000000 02", "!truncated $.a"},
        {P3("message L { string sku = 1; int64 c = 2; } repeated L l = 4; int32 z = 5;"),
         "$.l[*].c sum($.l[*].c) count($.l) $.l[1].sku first($.l)",
         "2205 0a0161 1005 2802 2205 0a0162 1006",
         "[5,6] [5,6] [true,true] \"b\" [{\"sku\":\"a\",\"c\":5},{\"sku\":\"b\",\"c\":6}]"},
        {P3("message T { repeated int32 v = 1; } message L { T t = 1; } repeated L l = 1;"),
         "$.l[*].t.v[*] $.l[*].t.v count($.l[*].t.v)", "0a06 0a04 0a02 0102 0a04 0a02 0803",
         "[1,2,3] [[1,2],[3]] [true,true,true]"},
        {P3("message T { repeated int32 v = 1; } message L { T t = 1; } repeated L l = 1;"),
         "$.l[0].t.v $.l[1].t.v[*]", "0a06 0a04 0a02 0102 0a04 0a02 0803", "[1,2] [3]"},
    };
    CHECK(cases);
}

Test(proto, maps)
{
    static const struct proto_case cases[] = {
        {P3("map<string, int32> m = 1;"), "$.m $.m.a $.m.z", "0a05 0a0161 1007 0a03 0a0162",
         "{\"a\":7,\"b\":0} 7 absent"},
        {P3("map<int32, string> m = 1;"), "$.m $.m.7", "0a05 0807 120178", "{\"7\":\"x\"} \"x\""},
        {P3("map<uint64, bool> m = 1;"), "$.m", "0a0d 08ffffffffffffffffff01 1001",
         "{\"18446744073709551615\":true}"},
        {P3("map<bool, sint32> m = 1;"), "$.m", "0a04 0801 1001", "{\"true\":-1}"},
        {P3("message S { int32 x = 1; } map<string, S> m = 1;"), "$.m.a.x $.m $.m.b.x",
         "0a07 0a0161 1202 0805 0a03 0a0162", "5 {\"a\":{\"x\":5},\"b\":{\"x\":0}} 0"},
        {P3("map<string, int32> m = 1;"), "$.m", "", "{}"},
    };
    CHECK(cases);
}

Test(proto, well_known_types)
{
#define WKT(type) "syntax = \"proto3\"; import \"google/protobuf/x.proto\"; message M { " type " a = 1; }"
    static const struct proto_case cases[] = {
        {WKT("google.protobuf.Timestamp"), "$.a", "0a06 0801 10c0843d", "time:1001+0"},
        {WKT("google.protobuf.Timestamp"), "$.a $.a.seconds", "0a06 0801 10c1843d", "time:1001+1 1"},
        {WKT("google.protobuf.Timestamp"), "$.a", "0a0b 08ffffffffffffffffff01", "time:-1000+0"},
        {WKT("google.protobuf.Timestamp"), "$.a", "0a00", "time:0+0"},
        {WKT("google.protobuf.Timestamp"), "$.a", "", "absent"},
        {WKT("google.protobuf.Timestamp"), "$.a", "0a06 1080a8d6b907", "!malformed $.a"},
        {WKT("google.protobuf.Timestamp"), "$.a", "0a0a 08ffffffffffffffff7f", "!malformed $.a"},
        {WKT("google.protobuf.Duration"), "$.a", "0a0b 10ffffffffffffffffff01",
         "duration:-1+999999"},
        {WKT("google.protobuf.StringValue"), "$.a", "0a00", "\"\""},
        {WKT("google.protobuf.StringValue"), "$.a", "0a03 0a0178", "\"x\""},
        {WKT("google.protobuf.Int64Value"), "$.a $.a.value", "0a02 0805", "5 5"},
        {WKT("google.protobuf.BoolValue"), "$.a", "", "absent"},
        {WKT("repeated google.protobuf.DoubleValue"), "$.a $.a[*].value",
         "0a09 09000000000000f83f 0a00", "[1.5f,0f] [1.5f,0f]"},
        {WKT("confluent.type.Decimal"), "$.a", "0a06 0a0204d2 1802", "12.34d"},
        {WKT("google.protobuf.Struct"), "$.a.fields.k.number_value",
         "0a10 0a0e 0a016b 1209 11000000000000f83f", "1.5f"},
    };
    CHECK(cases);
}

Test(proto, unknown_fields_and_groups_are_passed_over)
{
    static const struct proto_case cases[] = {
        {P3("int32 a = 9;"), "$.a",
         "0801 110000000000000000 1a020000 25 00000000 2b 0801 33 34 2c 4807", "7"},
        {P3("int32 a = 9;"), "$.a", "4a02 6869 4807", "7"},     /* another wire type is unknown */
        {P2("optional group G = 1 { optional int32 x = 1; } optional int32 a = 2;"), "$.a",
         "0b 0805 0c 1007", "7"},
        {P2("optional group G = 1 { optional int32 x = 1; }"), "$.g.x", "",
         "refused: $.g: is a group, which paths cannot enter"},
        {P3("Missing m = 1; int32 a = 2;"), "$.a", "0a00 1007", "7"},
        {P3("Missing m = 1; int32 a = 2;"), "$.m", "",
         "refused: $.m: is of a type that neither the schema nor its references define"},
    };
    CHECK(cases);
}

Test(proto, paths_that_cannot_be_held)
{
    static const char schema[] = P3("message S { int32 x = 1; } repeated S l = 1; S s = 2;"
                                    "map<string, int32> m = 3; int32 a = 4; repeated int32 r = 5;");
    static const struct proto_case cases[] = {
        {schema, "$.l.x", "", "refused: $.l: is repeated in the writer's schema: [*] takes a field "
                              "of all its elements"},
        {schema, "$.s[*]", "", "refused: $.s: is not repeated in the writer's schema"},
        {schema, "$.m[0]", "", "refused: $.m: is not repeated in the writer's schema"},
        {schema, "$.a.b", "", "refused: $.a: has no fields in the writer's schema"},
        {schema, "$.r[*].x", "", "refused: $.r[*]: has no fields in the writer's schema"},
        {schema, "$.r[0].x", "", "refused: $.r[0]: has no fields in the writer's schema"},
        {schema, "$.m.k.x", "", "refused: $.m.k: has no fields in the writer's schema"},
        {schema, "$[*]", "", "refused: $: is not repeated in the writer's schema"},
    };
    CHECK(cases);
}

Test(proto, damaged_records)
{
    static const struct proto_case cases[] = {
        {P3("string a = 1; int32 b = 2;"), "$.a", "0a", "!truncated $.a"},
        {P3("string a = 1; int32 b = 2;"), "$.a", "0a 05 6869", "!truncated $.a"},
        {P3("string a = 1; int32 b = 2;"), "$.a", "10", "!truncated $"},
        {P3("string a = 1; int32 b = 2;"), "$.b", "10 ff", "!truncated $.b"},
        {P3("string a = 1; int32 b = 2;"), "$.a", "80", "!truncated $"},
        {P3("string a = 1; int32 b = 2;"), "$.a", "00 00", "!malformed $"},
        {P3("string a = 1; int32 b = 2;"), "$.a", "8080808010 00", "!malformed $"},
        {P3("string a = 1; int32 b = 2;"), "$.a", "1f 00", "!malformed $"},
        {P3("string a = 1; int32 b = 2;"), "$.a", "1c", "!malformed $"},
        {P3("string a = 1; int32 b = 2;"), "$.a", "1b 24", "!malformed $"},
        {P3("string a = 1; int32 b = 2;"), "$.a", "1b", "!truncated $"},
        {P3("string a = 1; int32 b = 2;"), "$.b", "10 ffffffffffffffffff02", "!malformed $.b"},
        {P3("string a = 1; int32 b = 2;"), "$.a", "0a 02 c328", "!utf8 $.a"},
        {P3("string a = 1; int32 b = 2;"), "$.b", "0a 02 c328", "0"},
        {P3("string a = 1; int32 b = 2;"), "$.a", "0a ffffffffffffffff7f", "!truncated $.a"},
        {P3("M m = 1; int32 b = 2;"), "$.m.m.b", "0a04 0a02 10", "!truncated $.m"},
        {P3("M m = 1; int32 b = 2;"), "$.m.m.b", "0a04 0a02 10ff", "!truncated $.m.m.b"},
    };
    CHECK(cases);
}

/* A field that goes on behind the end of its message, inside of the record or up to its end. */
Test(proto, fields_that_pass_their_message)
{
    static const char schema[] =
        P3("string a = 1; int64 b = 2; M m = 3; double c = 4; bool d = 5; fixed32 e = 6; bytes f = 7;");
    static const struct proto_case cases[] = {
        {schema, "$.m.a", "1a03 0a0561 61616161", "!truncated $.m"},
        {schema, "$.m.a", "1a03 0a0361 6161 0a0f616161616161616161616161616161", "!truncated $.m"},
        {schema, "$.m.a", "1a04 0a102020 2020202020202020202020202020", "!truncated $.m"},
        {schema, "$.m.a", "1a04 0a03c3bc 61", "!truncated $.m.a"},
        {schema, "$.m.b", "1a02 1080 01", "!truncated $.m.b"},
        {schema, "$.m.b", "1a02 1080 8080808080808001 1000", "!truncated $.m.b"},
        {schema, "$.m.b $.b", "1a02 1080 80808001 2100000000000000001000", "!truncated $.m"},
        {schema, "$.m.d", "1a02 2880 01", "!truncated $.m.d"},
        {schema, "$.m.c", "1a08 2100000000000000 00", "!truncated $.m"},
        {schema, "$.m.b", "1a08 2100000000000000 00", "!truncated $.m"},
        {schema, "$.m.b", "1a04 35000000 00", "!truncated $.m"},
        {schema, "$.m.b", "1a03 3a0200 00", "!truncated $.m"},
        {schema, "$.m.b", "1a03 3a8001 00", "!truncated $.m"},
        {schema, "$.m.b", "1a03 288080 01", "!truncated $.m"},
        {schema, "$.m.m.b", "1a04 1a031000 10", "!truncated $.m.m"},
        {schema, "$.m.m.b $.m.b", "1a06 1a021007 1009 1a021008", "7 8"},
        {schema, "$.m.m.b $.m.b", "1a04 1a021007 1a04 1a001008", "7 8"},
    };
    CHECK(cases);
}

#define FAR P3("string a = 1; int32 b = 20; string c = 300; M m = 21; oneof o { M n = 22; bool p = 4; }")

/* Tags of two bytes and more, wanted or not, and values that are not as short as most. */
Test(proto, tags_of_every_length)
{
    static const struct proto_case cases[] = {
        {FAR, "$.a $.b $.c", "0a0161 a00107 e2120162", "\"a\" 7 \"b\""},
        {FAR, "$.b", "e2120162 0a0161 a001ac02 aa0100", "300"},
        {FAR, "$.a", "e2120162 a001ac02 aa01020a00 0a0161", "\"a\""},
        {FAR, "$.b", "a001 8080808080808080ff01", "0"},
        {FAR, "$.m.b $.m.m.a", "aa0109 a00107 aa01030a0161", "7 \"a\""},
        {FAR, "$.a", "8a00 0161", "\"a\""},             /* field 1 in two bytes */
        {FAR, "$.b", "a08100 07", "7"},                  /* field 20 in three */
        {FAR, "$.a", "fa7f0178 c0ff7f07 0a0161", "\"a\""}, /* fields of no schema */
        {FAR, "$.a", "0a0161 a001", "!truncated $"},
        {FAR, "$.b", "0a0161 a001", "!truncated $.b"},
        {FAR, "$.a", "0a0161 e2120562", "!truncated $"},
        {FAR, "$.m.a", "aa01080a0161", "!truncated $.m"},
        {FAR, "$.m.a", "aa01030a0561", "!truncated $.m.a"},
        {FAR, "$.m.a", "aa0103a00180", "!truncated $.m"},
        {FAR, "$.n.a $.n.b $.p", "b20106 0a0161a00107 2001", "absent absent true"},
        {FAR, "$.n.a $.n.b $.p", "2001 b201020a00", "\"\" 0 absent"},
        {FAR, "$.m.a $.m.m.b", "", "absent absent"},
        {FAR, "$.m.a $.m.m.b", "aa0100", "\"\" absent"},
    };
    CHECK(cases);
}

/* Lengths of one byte have a way of their own; what is skipped is no less looked at for its end. */
Test(proto, texts_of_every_length)
{
    static const char schema[] = "syntax = \"proto3\"; message M { string a = 1; string b = 2; M m = 3; }";
    static const unsigned lengths[] = {0, 1, 7, 126, 127, 128, 300};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        unsigned n = lengths[i];
        struct sc_buf hex = {.ar = &arena};
        for (unsigned tag = 0x12; tag; tag = tag == 0x12 ? 0x0a : 0) { /* b, then a */
            sc_buf_addf(&hex, "%02x %02x ", tag, n < 128 ? n : (n & 127) | 128);
            if (n >= 128)
                sc_buf_addf(&hex, "%02x ", n >> 7);
            for (unsigned k = 0; k < n; k++)
                sc_buf_addf(&hex, "%02x ", 'a' + k % 26);
        }
        struct sc_str text = sc_str_dup(&arena, sc_buf_view(&hex));
        char *want = sc_arena_printf(&arena, "\"%*s\"", (int)n, "");
        for (unsigned k = 0; k < n; k++)
            want[1 + k] = (char)('a' + k % 26);
        cr_expect_str_eq(read_proto(schema, "$.a", text.p), want, "%u bytes", n);
        ((char *)(uintptr_t)text.p)[text.len - 3] = '\0';
        cr_expect_eq(strncmp(read_proto(schema, "$.a", text.p), "!truncated", 10), 0, "%u bytes", n);
    }
    cr_expect_str_eq(read_proto(schema, "$.m.m.a", "1a 05 1a 03 0a 02 61"), "!truncated $.m.m.a");
    cr_expect_str_eq(read_proto(schema, "$.m.m.a", "1a 06 1a 04 0a 02 61 ff"), "!utf8 $.m.m.a");
}

/* What stands in a wanted text, up to its last byte and no further, at any length and nearness to the
 * record's end. */
Test(proto, what_is_no_text_is_found_at_every_length)
{
    static const unsigned behind[] = {0, 1, 13, 14, 15, 40};
    struct sc_str why;
    struct sc_schema_source source = {.text = SC_STR(P3("string a = 1; bytes b = 2;"))};
    const struct sc_decoder *d = decoder(source, "M", "$.a", &why);
    for (unsigned n = 2; n < 150; n++)
        for (size_t k = 0; k < sizeof(behind) / sizeof(behind[0]); k++) {
            struct sc_buf b = {.ar = &arena};
            sc_buf_char(&b, 0x0a);
            sc_buf_char(&b, (char)(n < 128 ? n : 128 | (n & 127)));
            if (n >= 128)
                sc_buf_char(&b, (char)(n >> 7));
            size_t text = b.len;
            for (unsigned i = 0; i < n; i++)
                sc_buf_char(&b, 'a');
            sc_buf_char(&b, 0x12);
            sc_buf_char(&b, (char)behind[k]);
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

Test(proto, depth_is_bounded)
{
    char bytes[300];
    size_t at = sizeof(bytes);
    for (size_t n = 0; at >= 4 && n < 110; n = sizeof(bytes) - at) { /* one byte lengths */
        bytes[--at] = (char)n;
        bytes[--at] = 0x0a;
    }
    struct sc_str why, body = {bytes + at, sizeof(bytes) - at};
    struct sc_schema_source source = {.text = SC_STR(P3("M m = 1; int32 b = 2;"))};
    const struct sc_decoder *d = decoder(source, "M", "$", &why);
    cr_assert(d);
    cr_expect_eq(strncmp(decode_text(d, body, &arena), "{\"m\":{", 6), 0);
    char groups[130];
    memset(groups, 0x0b, sizeof(groups));
    d = decoder(source, "M", "$.b", &why);
    cr_expect_str_eq(decode_text(d, (struct sc_str){groups, sizeof(groups)}, &arena), "!depth $");
}

Test(proto, a_message_nested_too_deep_is_refused)
{
    struct sc_buf b = {0}, next = {0};
    for (int i = 0; i < 80; i++) { /* outwards: tag, length as a two byte varint, what was there */
        next.len = 0;
        sc_buf_char(&next, 0x0a);
        sc_buf_char(&next, (char)(0x80 | (b.len & 0x7f)));
        sc_buf_char(&next, (char)(b.len >> 7));
        sc_buf_add(&next, b.p, b.len);
        b.len = 0;
        sc_buf_add(&b, next.p, next.len);
    }
    struct sc_str why;
    struct sc_schema_source source = {.text = SC_STR(P3("M m = 1; int32 b = 2;"))};
    const struct sc_decoder *d = decoder(source, "M", "$", &why);
    cr_expect_str_eq(decode_text(d, sc_buf_view(&b), &arena), "!depth $");
    d = decoder(source, "M", "$.m.b", &why);
    cr_expect_str_eq(decode_text(d, sc_buf_view(&b), &arena), "0");
    sc_buf_fini(&b);
    sc_buf_fini(&next);
}

static const char shop[] =
    "// a comment\nsyntax = 'proto3';\n/* block */ package shop.v1;\n"
    "import public \"other.proto\";\noption java_package = \"x\";\n"
    "option (my.opt) = { a: 1; b { c: \"}\" } };\n"
    "enum Kind { option allow_alias = true; KIND_NONE = 0 [deprecated = true]; B = 0x10; reserved 5; }\n"
    "extend google.protobuf.FieldOptions { string note = 50000; }\n"
    "message Receipt {\n"
    "  option (o).x = 1; reserved 2, 4 to 6; reserved \"old\"; extensions 100 to max;\n"
    "  string message = 1 [(note) = \"a ] b\", json_name = \"m\"];\n"
    "  map<string, Line> by_name = 3;\n"
    "  message Line { Kind kind = 1; .shop.v1.Receipt.Line up = 2; message Deep { int32 d = 1; } }\n"
    "  message Second { int32 optional = 1; }\n"
    "  oneof pay { option x = 1; Line.Deep card = 7; bytes cash = 8; }\n"
    "  v1.Kind kind = 9; other.Thing thing = 10;;\n"
    "}\n"
    "service S { rpc Get (Receipt) returns (stream Receipt) { option x = {}; } }\n"
    "message Refund { Receipt.Second s = 1; }\n";

Test(proto, text_is_parsed_as_protoc_does)
{
    static const struct sc_schema_ref refs[] = {
        {{"other.proto", 11}, SC_STR("syntax=\"proto2\"; package other; message Thing { required "
                                     "int32 t = 1 [default = 5]; }")}};
    struct sc_schema_source source = {.text = SC_STR(shop), .refs = refs, .n_refs = 1};
    struct sc_str why;
    const struct sc_decoder *d = decoder(
        source, "shop.v1.Receipt",
        "$.message $.by_name.x.kind $.card.d $.kind $.thing.t", &why);
    cr_assert(d, "%.*s", SC_STR_FMT(why));
    cr_expect_str_eq(decode_text(d, from_hex(&arena, "0a016d 1a07 0a0178 1202 0810 3a02 0804 4810"
                                                     "5202 0806"), &arena),
                     "\"m\" \"B\" 4 \"B\" 6");
}

static const char *indexed(const uint32_t *index, uint32_t n, const char *path, const char *hex)
{
    struct sc_schema_source source = {.text = SC_STR(shop)};
    struct sc_projection want = wants(&arena, path);
    struct sc_str why;
    const struct sc_proto_files *files = sc_proto_parse(&source, &arena, &why);
    cr_assert(files, "%.*s", SC_STR_FMT(why));
    const struct sc_decoder *d = sc_proto_decoder(files, SC_STR_NULL, index, n, &want, &arena, &why);
    return d ? decode_text(d, from_hex(&arena, hex), &arena) : sc_str_dup(&arena, why).p;
}

Test(proto, messages_by_index_count_map_entries_as_protoc_does)
{
    cr_expect_str_eq(indexed((uint32_t[]){0}, 1, "$.message", "0a016d"), "\"m\"");
    cr_expect_str_eq(indexed((uint32_t[]){1}, 1, "$.s.optional", "0a02 0807"), "7");
    cr_expect_str_eq(indexed((uint32_t[]){0, 0}, 2, "$.key", "0a016d"), "\"m\"");
    cr_expect_str_eq(indexed((uint32_t[]){0, 1}, 2, "$.kind", "0810"), "\"B\"");
    cr_expect_str_eq(indexed((uint32_t[]){0, 1, 0}, 3, "$.d", "0807"), "7");
    cr_expect_str_eq(indexed((uint32_t[]){0, 2}, 2, "$.optional", "0807"), "7");
    cr_expect_str_eq(indexed((uint32_t[]){2}, 1, "$.x", ""), "the schema has no message at this index");
    cr_expect_str_eq(indexed((uint32_t[]){0, 3}, 2, "$.x", ""), "the schema has no message at this index");
    cr_expect_str_eq(indexed((uint32_t[]){0, 2, 0}, 3, "$.x", ""), "the schema has no message at this index");
}

Test(proto, schemas_that_are_none)
{
    static const struct {
        const char *schema, *why;
    } cases[] = {
        {"message", "line 1: a name is expected, at the end of the text"},
        {"message M {", "at the end of the text"},
        {"message M { int32 }", "line 1: a name is expected, at `}`"},
        {"message M {\n int32 a\n = x; }", "line 3: a number is expected, at `x`"},
        {"message M { int32 a = 0; }", "a field's number is outside 1 .. 536870911"},
        {"message M { int32 a = 536870912; }", "a field's number is outside"},
        {"message M { int32 a = 99999999999999999999; }", "a number that is not understood"},
        {"message M { int32 a = 1; int64 b = 1; }", "`M` has two fields of number 1"},
        {"message M {} message M {}", "`M` is defined twice"},
        {"message M { message E {} enum E { A = 0; } }", "`M.E` is defined twice"},
        {"syntax = \"proto4\";", "neither proto2 nor proto3"},
        {"edition = \"2023\";", "editions are not supported"},
        {"message M { string a = 1 [x = \"", "a string does not end"},
        {"message M { map<Foo, int32> m = 1; }", "a map's key is no integer"},
        {"hello", "no statement of a .proto file"},
        {"message M { int32 a = 1 }", "`;` is expected"},
        {"/* message", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sc_str why;
        struct sc_schema_source source = {.text = sc_str_from(cases[i].schema)};
        cr_assert_null(decoder(source, "M", "$.a", &why), "%s", cases[i].schema);
        cr_expect(strstr(sc_str_dup(&arena, why).p, cases[i].why), "%s: %.*s", cases[i].schema,
                  SC_STR_FMT(why));
    }
    struct sc_buf deep = {0};
    struct sc_str why;
    for (int i = 0; i < 100; i++)
        sc_buf_addz(&deep, "message M{");
    struct sc_schema_source source = {.text = sc_buf_view(&deep)};
    cr_assert_null(decoder(source, "M", "$.a", &why));
    cr_expect(strstr(why.p, "nested too deep"));
    sc_buf_fini(&deep);
}

/* protoc as the oracle: it writes descriptors and encodes records from text. */

static const char *run(const char *command)
{
    struct sc_buf out = {0};
    char piece[4096];
    FILE *f = popen(command, "r");
    cr_assert(f);
    for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
        sc_buf_add(&out, piece, n);
    cr_assert_eq(pclose(f), 0, "%s", command);
    char *copy = sc_arena_dup(&arena, out.p ? out.p : "", out.len);
    sc_buf_fini(&out);
    return copy;
}

static bool have_protoc(void)
{
    return system("command -v protoc >/dev/null 2>&1") == 0;
}

static void write_file(const char *path, struct sc_str text)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f);
    cr_assert_eq(fwrite(text.p, 1, text.len, f), text.len);
    fclose(f);
}

static struct sc_str read_file(const char *path)
{
    struct sc_buf b = {0};
    char piece[4096];
    FILE *f = fopen(path, "rb");
    cr_assert(f, "%s", path);
    for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
        sc_buf_add(&b, piece, n);
    fclose(f);
    struct sc_str s = {sc_arena_dup(&arena, b.p ? b.p : "", b.len), b.len};
    sc_buf_fini(&b);
    return s;
}

static const char everything[] =
    "syntax = \"proto3\";\npackage t;\n"
    "enum Color { RED = 0; GREEN = 1; BLUE = 7; }\n"
    "message Leaf { int32 i = 1; string s = 2; optional double d = 3; repeated sint64 z = 4; }\n"
    "message All {\n"
    "  double f1 = 1; float f2 = 2; int32 f3 = 3; int64 f4 = 4; uint32 f5 = 5; uint64 f6 = 6;\n"
    "  sint32 f7 = 7; sint64 f8 = 8; fixed32 f9 = 9; fixed64 f10 = 10; sfixed32 f11 = 11;\n"
    "  sfixed64 f12 = 12; bool f13 = 13; string f14 = 14; bytes f15 = 15; Color f16 = 16;\n"
    "  Leaf f17 = 300; repeated int32 f18 = 18; repeated string f19 = 19; repeated Leaf f20 = 20;\n"
    "  map<string, int32> f21 = 21; map<int32, Leaf> f22 = 22; oneof o { string f23 = 23; Leaf f24 = 24; }\n"
    "  optional int32 f25 = 25; repeated Color f26 = 26; repeated fixed64 f27 = 27 [packed = false];\n"
    "}\n";

struct text {
    struct rng r;
    struct sc_buf proto; /* protobuf's text format */
    struct sc_buf want;  /* what the whole message is to read as */
    bool first;
};

static void want_key(struct text *t, const char *name)
{
    sc_buf_addf(&t->want, "%s\"%s\":", t->first ? "" : ",", name);
    t->first = false;
}

static int32_t small(struct text *t)
{
    return (int32_t)(rng_next(&t->r) >> 32) >> rng_below(&t->r, 32);
}

static void leaf_body(struct text *t)
{
    int32_t i = rng_below(&t->r, 2) ? small(t) : 0;
    unsigned s = rng_below(&t->r, 3), z = rng_below(&t->r, 3);
    sc_buf_addf(&t->proto, "{ i: %d s: \"%s\" ", i, s ? "h\xC3\xA9" : "");
    sc_buf_addf(&t->want, "{\"i\":%d,\"s\":\"%s\"", i, s ? "h\xC3\xA9" : "");
    if (rng_below(&t->r, 2)) {
        sc_buf_addf(&t->proto, "d: %d.5 ", i);
        sc_buf_addf(&t->want, ",\"d\":%d.5f", i);
    }
    for (unsigned k = 0; k < z; k++) {
        sc_buf_addf(&t->proto, "z: %d ", i / 2 - (int)k);
        sc_buf_addf(&t->want, "%s%d", k ? "," : ",\"z\":[", i / 2 - (int)k);
    }
    sc_buf_addz(&t->want, z ? "]}" : "}");
    sc_buf_addz(&t->proto, "} ");
}

static void integers(struct text *t)
{
    static const char *const names[] = {"f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12"};
    for (int i = 0; i < 10; i++) {
        bool no_sign = i == 2 || i == 3 || i == 6 || i == 7;
        int64_t v = rng_below(&t->r, 4) ? small(t) : 0;
        v = no_sign && v < 0 ? -(v + 1) : v;
        if (v)
            sc_buf_addf(&t->proto, "%s: %lld ", names[i], (long long)v);
        want_key(t, names[i]);
        sc_buf_addf(&t->want, "%lld", (long long)v);
    }
}

static void list_of(struct text *t, const char *name, unsigned kind)
{
    static const char *const colors[] = {"RED", "GREEN", "BLUE"};
    unsigned n = rng_below(&t->r, 4);
    for (unsigned i = 0; i < n; i++) {
        if (i == 0)
            want_key(t, name);
        sc_buf_addz(&t->want, i ? "," : "[");
        int32_t v = small(t);
        sc_buf_addf(&t->proto, "%s: ", name);
        if (kind == 0) {
            sc_buf_addf(&t->proto, "%d ", v);
            sc_buf_addf(&t->want, "%d", v);
        } else if (kind == 1) {
            sc_buf_addf(&t->proto, "\"s%d\" ", v);
            sc_buf_addf(&t->want, "\"s%d\"", v);
        } else if (kind == 2) {
            leaf_body(t);
        } else if (kind == 3) {
            sc_buf_addf(&t->proto, "%s ", colors[i]);
            sc_buf_addf(&t->want, "\"%s\"", colors[i]);
        } else {
            sc_buf_addf(&t->proto, "%u ", (unsigned)v & 0x7fffffff);
            sc_buf_addf(&t->want, "%u", (unsigned)v & 0x7fffffff);
        }
    }
    if (n)
        sc_buf_addz(&t->want, "]");
}

static void scalars_around(struct text *t)
{
    int32_t v = small(t) / 4;
    sc_buf_addf(&t->proto, "f1: %d.25 f2: %d.5 f13: true f14: \"x\\\"y\" f15: \"\\000\\377\" f16: BLUE ",
                v, v % 1000);
    want_key(t, "f1");
    sc_buf_addf(&t->want, "%d.25f,\"f2\":%d.5f", v, v % 1000);
}

static void message(struct text *t)
{
    t->proto.len = t->want.len = 0;
    t->first = true;
    sc_buf_addz(&t->want, "{");
    scalars_around(t);
    integers(t);
    sc_buf_addz(&t->want, ",\"f13\":true,\"f14\":\"x\"y\",\"f15\":bytes:00ff,\"f16\":\"BLUE\"");
    if (rng_below(&t->r, 2)) {
        sc_buf_addz(&t->proto, "f17: ");
        want_key(t, "f17");
        leaf_body(t);
    }
    list_of(t, "f18", 0);
    list_of(t, "f19", 1);
    list_of(t, "f20", 2);
    if (rng_below(&t->r, 2)) {
        sc_buf_addz(&t->proto, "f21: { key: \"k\" value: 3 } f22: { key: -7 value: ");
        want_key(t, "f21");
        sc_buf_addz(&t->want, "{\"k\":3},\"f22\":{\"-7\":");
        leaf_body(t);
        sc_buf_addz(&t->want, "}");
        sc_buf_addz(&t->proto, "} ");
    }
    if (rng_below(&t->r, 2)) {
        sc_buf_addz(&t->proto, "f24: ");
        want_key(t, "f24");
        leaf_body(t);
    }
    if (rng_below(&t->r, 2)) {
        sc_buf_addz(&t->proto, "f25: 0 ");
        want_key(t, "f25");
        sc_buf_addz(&t->want, "0");
    }
    list_of(t, "f26", 3);
    list_of(t, "f27", 4);
    sc_buf_addz(&t->want, "}");
}

Test(proto, equals_protoc_on_random_messages, .timeout = 120)
{
    if (!have_protoc())
        cr_skip_test("protoc is not installed");
    char dir[] = "/tmp/sc-proto-XXXXXX";
    cr_assert(mkdtemp(dir));
    struct text t = {.r = {99}};
    struct sc_str why;
    write_file(sc_arena_printf(&arena, "%s/t.proto", dir), SC_STR(everything));
    run(sc_arena_printf(&arena, "protoc -I%s --include_imports -o %s/t.desc t.proto", dir, dir));
    struct sc_schema_source text = {.text = SC_STR(everything)};
    struct sc_schema_source set = {.text = read_file(sc_arena_printf(&arena, "%s/t.desc", dir))};
    const struct sc_decoder *from_text = decoder(text, "t.All", "$", &why);
    cr_assert(from_text, "%.*s", SC_STR_FMT(why));
    const struct sc_decoder *from_set = decoder(set, "t.All", "$", &why);
    cr_assert(from_set, "%.*s", SC_STR_FMT(why));
    const struct sc_decoder *paths = decoder(text, "t.All", "$.f17.i $.f20[*].s $.f21.k $.f4", &why);
    for (int round = 0; round < 60; round++) {
        message(&t);
        write_file(sc_arena_printf(&arena, "%s/m.txt", dir), sc_buf_view(&t.proto));
        run(sc_arena_printf(&arena, "protoc -I%s --encode=t.All t.proto <%s/m.txt >%s/m.bin", dir,
                            dir, dir));
        struct sc_str body = read_file(sc_arena_printf(&arena, "%s/m.bin", dir));
        const char *want = sc_str_dup(&arena, sc_buf_view(&t.want)).p;
        cr_assert_str_eq(decode_text(from_text, body, &arena), want);
        cr_assert_str_eq(decode_text(from_set, body, &arena), want);
        cr_assert_neq(decode_text(paths, body, &arena)[0], '!');
    }
    run(sc_arena_printf(&arena, "rm -r %s", dir));
    sc_buf_fini(&t.proto);
    sc_buf_fini(&t.want);
}

/* The Python client registers base64 of a FileDescriptorProto: the one in a set of one file. */
Test(proto, descriptors_in_base64)
{
    if (!have_protoc())
        cr_skip_test("protoc is not installed");
    char dir[] = "/tmp/sc-proto-XXXXXX";
    cr_assert(mkdtemp(dir));
    write_file(sc_arena_printf(&arena, "%s/t.proto", dir), SC_STR(everything));
    run(sc_arena_printf(&arena, "protoc -I%s -o %s/t.desc t.proto", dir, dir));
    struct sc_str set = read_file(sc_arena_printf(&arena, "%s/t.desc", dir));
    size_t head = 1; /* tag, length as a varint, then the file */
    while ((unsigned char)set.p[head++] & 0x80)
        ;
    write_file(sc_arena_printf(&arena, "%s/f", dir), (struct sc_str){set.p + head, set.len - head});
    struct sc_schema_source source = {
        .text = sc_str_from(run(sc_arena_printf(&arena, "base64 -w0 %s/f", dir)))};
    struct sc_str why;
    const struct sc_decoder *d = decoder(source, "t.All", "$.f16 $.f21.k $.f24.d $.f25 $.f3", &why);
    cr_assert(d, "%.*s", SC_STR_FMT(why));
    cr_expect_str_eq(decode_text(d, from_hex(&arena, "800107 aa0105 0a016b 1003"), &arena),
                     "\"BLUE\" 3 absent absent 0");
    set.len -= 3;
    source.text = set;
    cr_assert_null(decoder(source, "t.All", "$.f16", &why));
    cr_expect_str_eq(why.p, "the descriptor is damaged");
    run(sc_arena_printf(&arena, "rm -r %s", dir));
}
