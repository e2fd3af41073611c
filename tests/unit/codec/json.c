#include "wants.h"

#include "base/arena.h"
#include "codec/json_scan.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct sc_arena arena;

static void setup(void)
{
    sc_arena_init(&arena);
}
static void teardown(void)
{
    sc_arena_fini(&arena);
}
TestSuite(json, .init = setup, .fini = teardown);

static const char *read_json(const char *paths, const char *text)
{
    struct sc_projection want = wants(&arena, paths);
    return decode_text(sc_json_decoder(&want, &arena), sc_str_from(text), &arena);
}

struct json_case {
    const char *paths, *text, *expect;
};

static void check(const struct json_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cr_expect_str_eq(read_json(cases[i].paths, cases[i].text), cases[i].expect,
                         "%s of %s: %s, not %s", cases[i].paths, cases[i].text,
                         read_json(cases[i].paths, cases[i].text), cases[i].expect);
}
#define CHECK(cases) check(cases, sizeof(cases) / sizeof(*(cases)))

Test(json, paths)
{
    static const struct json_case cases[] = {
        {"$.a", "{\"a\":1}", "1"},
        {"$.a $.b", " { \"b\" : true ,\"x\":[1,{}], \"a\" : null } ", "absent true"},
        {"$.a.b.c $.a.d", "{\"a\":{\"b\":{\"c\":\"x\",\"e\":[]},\"d\":false}}", "\"x\" false"},
        {"$.a.b", "{\"a\":[{\"b\":1}]}", "absent"},
        {"$.a", "{}", "absent"},
        {"$.a[1] $.a[3]", "{\"a\":[1,2,3]}", "2 absent"},
        {"$.a[*].x $.a[*].y", "{\"a\":[{\"x\":1,\"y\":2},{\"y\":3},{\"x\":null},7]}", "[1] [2,3]"},
        {"$.a[0].x $.a[*].x", "{\"a\":[{\"x\":1},{\"x\":2}]}", "1 [1,2]"},
        {"$.a[*][*]", "{\"a\":[[1,2],[],[3]]}", "[1,2,3]"},
        {"$.a $.a.b", "{\"a\":{\"b\":5}}", "{\"b\":5} 5"},
        {"$.a", "{\"a\":[1,[null,{\"b\":\"c\"}]]}", "[1,[null,{\"b\":\"c\"}]]"},
        {"$.\xC3\xA9", "{\"\xC3\xA9\":1}", "1"},
        {"$.ab", "{\"\\u0061b\":1}", "1"},
        {"$", "{\"a\":1}", "{\"a\":1}"},
        {"$.x", "[1,2]", "absent"},
        {"$.x", "17", "absent"},
    };
    CHECK(cases);
}

Test(json, aggregates_take_the_elements_of_an_array)
{
    static const struct json_case cases[] = {
        {"count($.a)", "{\"a\":[{\"x\":1},null,[],\"s\"]}", "[true,true,true]"},
        {"count($.a[*])", "{\"a\":[{\"x\":1},null,[],\"s\"]}", "[true,true,true]"},
        {"count($.a)", "{\"a\":{\"x\":1}}", "[true]"},
        {"count($.a)", "{\"a\":null}", "[]"},
        {"count($.a)", "{}", "[]"},
        {"sum($.a) $.a", "{\"a\":[1,2.5]}", "[1,2.5d] [1,2.5d]"},
        {"sum($.a[*].p) max($.a[*].p) count($.a)", "{\"a\":[{\"p\":1},{\"p\":2}]}",
         "[1,2] [1,2] [true,true]"},
        {"first($.a[*].t)", "{\"a\":[{\"t\":[1,2]},{\"t\":[3]},{\"t\":4}]}", "[1,2,3,4]"},
        {"sum($.a)", "{\"a\":5}", "[5]"},
        {"any($.a)", "{\"a\":[[1],[2]]}", "[[1],[2]]"},
    };
    CHECK(cases);
}

Test(json, numbers_are_exact)
{
    static const struct json_case cases[] = {
        {"$.n", "{\"n\":0}", "0"},
        {"$.n", "{\"n\":-0}", "0"},
        {"$.n", "{\"n\":9223372036854775807}", "9223372036854775807"},
        {"$.n", "{\"n\":-9223372036854775808}", "-9223372036854775808"},
        {"$.n", "{\"n\":9223372036854775808}", "9223372036854775808u"},
        {"$.n", "{\"n\":18446744073709551615}", "18446744073709551615u"},
        {"$.n", "{\"n\":18446744073709551616}", "1.8446744073709552e+19f"},
        {"$.n", "{\"n\":-9223372036854775809}", "-9.2233720368547758e+18f"},
        {"$.n", "{\"n\":9223372036854775808.5}", "9.2233720368547758e+18f"},
        {"text($.n)", "{\"n\":9223372036854775808}", "\"9223372036854775808\""},
        {"$.n", "{\"n\":1.0}", "1"},
        {"$.n", "{\"n\":1e3}", "1000"},
        {"$.n", "{\"n\":12e-1}", "1.2d"},
        {"$.n", "{\"n\":0.10}", "0.1d"},
        {"$.n", "{\"n\":-0.000000000000000001}", "-0.000000000000000001d"},
        {"$.n", "{\"n\":1234567890.12345678}", "1234567890.12345678d"},
        {"$.n", "{\"n\":1.50000000000000000000000000000}", "1.5d"},
        {"$.n", "{\"n\":123456789012345678}", "123456789012345678"},
        {"$.n", "{\"n\":-1234567890123456.7}", "-1234567890123456.7d"},
        {"$.n", "{\"n\":12345678901234567.8}", "12345678901234567.8d"},
        {"$.n", "{\"n\":123456789012345678.9}", "1.2345678901234568e+17f"},
        {"$.n", "{\"n\":-0.0}", "0"},
        {"$.n", "{\"n\":00.5}", "!malformed $.n"},
        {"$.n", "{\"n\":5.}", "!malformed $.n"},
        {"$.n", "{\"n\":100000000000000000000000e-22}", "10"},
        {"$.n", "{\"n\":0.1234567890123456789}", "0.12345678901234568f"},
        {"text($.n)", "{\"n\":0.1234567890123456789}", "\"0.1234567890123456789\""},
        {"$.n", "{\"n\":0e999999999999999999}", "0"},
        {"$.n", "{\"n\":1E-400}", "0f"},
        {"$.n", "{\"n\":1e400}", "!malformed $.n"},
        {"$.x", "{\"n\":1e400}", "absent"},
    };
    CHECK(cases);
}

Test(json, strings)
{
    static const struct json_case cases[] = {
        {"$.s", "{\"s\":\"\"}", "\"\""},
        {"$.s", "{\"s\":\"a longer text without any escapes in it\"}",
         "\"a longer text without any escapes in it\""},
        {"$.s", "{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\"\\/\b\f\n\r\t\""},
        {"$.s", "{\"s\":\"\\u00e9\\u20AC\\ud83d\\ude00\"}", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        {"$.s", "{\"s\":\"x\\ud83d\"}", "!utf8 $.s"},
        {"$.s", "{\"s\":\"\\ude00\"}", "!utf8 $.s"},
        {"$.s", "{\"s\":\"\\ud83d\\u0041\"}", "!utf8 $.s"},
        {"$.s", "{\"s\":\"\\u12g4\"}", "!malformed $.s"},
        {"$.s", "{\"s\":\"\\x\"}", "!malformed $.s"},
        {"$.s", "{\"s\":\"tab\there\"}", "!malformed $.s"},
        {"$.s", "{\"s\":\"seventeen bytes..\n\"}", "!malformed $.s"},
        {"$.s", "{\"s\":\"bad \xC3( utf8\"}", "!utf8 $.s"},
        {"$.x", "{\"s\":\"bad \xED\xA0\x80 surrogate\"}", "!utf8 $"},
        {"$.x", "{\"bad\xFF\":1}", "!utf8 $"},
        {"$.s", "{\"s\":\"thirty-one bytes and then an \xC3\xA9\"}",
         "\"thirty-one bytes and then an \xC3\xA9\""},
    };
    CHECK(cases);
}

Test(json, faults_name_reason_and_path)
{
    static const struct json_case cases[] = {
        {"$.a", "", "!truncated $"},
        {"$.a", "{", "!truncated $"},
        {"$.a.b", "{\"a\":{\"b\":", "!truncated $.a.b"},
        {"$.a.b", "{\"a\":{\"b\":tru", "!truncated $.a.b"},
        {"$.a.b", "{\"a\":{\"b\":trux", "!malformed $.a.b"},
        {"$.a", "{\"a\":-}", "!malformed $.a"},
        {"$.a", "{\"a\":01}", "!malformed $.a"},
        {"$.a", "{\"a\":1.}", "!malformed $.a"},
        {"$.a", "{\"a\":.5}", "!malformed $.a"},
        {"$.a", "{\"a\":1e}", "!malformed $.a"},
        {"$.a", "{\"a\":+1}", "!malformed $.a"},
        {"$.a", "{\"a\":1", "!truncated $"},
        {"$.a", "{\"a\":\"x", "!truncated $.a"},
        {"$.a", "{\"a\":1,}", "!malformed $"},
        {"$.a", "{\"a\":[1,]}", "!malformed $.a"},
        {"$.a", "{a:1}", "!malformed $"},
        {"$.a", "{'a':1}", "!malformed $"},
        {"$.a", "{\"a\" 1}", "!malformed $"},
        {"$.a", "{\"a\":1} x", "!trailing $"},
        {"$.a", "{\"a\":1}{}", "!trailing $"},
        {"$.a", "\xEF\xBB\xBF{\"a\":1}", "!malformed $"},
        {"$.a", "{\"a\":NaN}", "!malformed $.a"},
        {"$.a", "// no\n{}", "!malformed $"},
        {"$.a", "{\"a\":1,\"a\":2}", "!malformed $.a"},
        {"$.a.b", "{\"a\":{\"b\":1},\"a\":{}}", "!malformed $.a"},
        {"$.a", "{\"a\":{\"k\":1,\"k\":2}}", "!malformed $.a"},
        {"$.a", "{\"x\":1,\"x\":2}", "absent"},
        {"$.a[*].b", "{\"a\":[{\"b\":1},{\"b\":2,\"b\":3}]}", "!malformed $.a[*].b"},
    };
    CHECK(cases);
}

Test(json, nul_bytes_are_no_white_space)
{
    struct sc_projection want = wants(&arena, "$.a");
    const struct sc_decoder *d = sc_json_decoder(&want, &arena);
    cr_expect_str_eq(decode_text(d, SC_STR("{\"a\":1}\0"), &arena), "!trailing $");
    cr_expect_str_eq(decode_text(d, SC_STR("{\0}"), &arena), "!malformed $");
    cr_expect_str_eq(decode_text(d, SC_STR("{\"a\":\0}"), &arena), "!malformed $.a");
}

static const char *nested(unsigned levels, bool closed)
{
    char *text = sc_arena_alloc(&arena, 2 * levels + 1);
    memset(text, '[', levels);
    memset(text + levels, ']', levels);
    text[closed ? 2 * levels : levels] = '\0';
    return text;
}

Test(json, depth_is_bounded_wanted_or_not)
{
    cr_expect_str_eq(read_json("$.a", nested(SC_DECODE_DEPTH, true)), "absent");
    cr_expect_str_eq(read_json("$.a", nested(SC_DECODE_DEPTH + 1, true)), "!depth $");
    cr_expect_str_eq(read_json("$", nested(SC_DECODE_DEPTH + 1, true)), "!depth $");
    cr_expect_str_eq(read_json("$", nested(100000, false)), "!depth $");
}

Test(json, lists_are_bounded)
{
    struct sc_buf b = {0};
    sc_buf_addz(&b, "{\"a\":[0");
    for (int i = 1; i < 65536; i++)
        sc_buf_addz(&b, ",0");
    size_t at_bound = b.len;
    sc_buf_add(&b, "]}", 3);
    cr_expect_eq(strncmp(read_json("$.a[*]", b.p), "[0,0", 4), 0);
    b.len = at_bound;
    sc_buf_add(&b, ",0]}", 5);
    cr_expect_str_eq(read_json("$.a[*]", b.p), "!size $.a");
    cr_expect_str_eq(read_json("$.a", b.p), "!size $.a");
    cr_expect_str_eq(read_json("$.a[65536]", b.p), "0");
    sc_buf_fini(&b);
}

/* Short names are compared as two words, long ones as text; a key may be the document's last thing but
 * for its value. */
Test(json, keys_of_every_length)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    for (int n = 1; n <= 26; n++) {
        const char *path = sc_arena_printf(&arena, "$.%.*s", n, letters);
        const char *text = sc_arena_printf(&arena, "{\"%.*s\":1,\"%.*s\":2,\"%.*s_\":3}", n - 1,
                                           letters, n, letters, n, letters);
        cr_expect_str_eq(read_json(path, text), "2", "%s of %s", path, text);
        text = sc_arena_printf(&arena, "{\"%.*s\":\"\"}", n, letters);
        cr_expect_str_eq(read_json(path, text), "\"\"", "%s of %s", path, text);
        text = sc_arena_printf(&arena, "{\"%.*s\\u0000\":1}", n, letters);
        cr_expect_str_eq(read_json(path, text), "absent", "%s of %s", path, text);
    }
}

Test(json, every_prefix_of_a_document_is_refused)
{
    static const char text[] = "{\"a\":{\"b\":[1,-2.5e3,\"x\\u00e9\\n\"],\"c\":null},\"d\":false}";
    struct sc_projection want = wants(&arena, "$.a.b[*] $.d");
    const struct sc_decoder *d = sc_json_decoder(&want, &arena);
    cr_expect_str_eq(decode_text(d, SC_STR(text), &arena),
                     "[1,-2500,\"x\xC3\xA9\n\"] false");
    for (size_t n = 0; n < sizeof(text) - 1; n++)
        cr_expect_eq(strncmp(decode_text(d, (struct sc_str){text, n}, &arena), "!truncated", 10), 0,
                     "prefix of %zu bytes", n);
}

/* Where less than 16 or 24 bytes are left another way is taken: white space behind the document, or
 * between its tokens, must change nothing. */
static void check_room(const char *value)
{
    const char *packed = sc_arena_printf(&arena, "{\"b\":%s,\"a\":%s}", value, value);
    const char *spaced =
        sc_arena_printf(&arena, " { \"b\" : %s , \"a\" : %s } ", value, value);
    const char *got = read_json("$.a", packed);
    for (int room = 0; room < 33; room++) {
        const char *text = sc_arena_printf(&arena, "%s%*s", packed, room, "");
        cr_expect_str_eq(read_json("$.a", text), got, "%s with %d bytes behind", packed, room);
        text = sc_arena_printf(&arena, "%s%*s", spaced, room, "");
        cr_expect_str_eq(read_json("$.a", text), got, "%s with %d bytes behind", text, room);
        text = sc_arena_printf(&arena, "{\"a\":[%s%*s]}", value, room, "");
        const char *list = read_json("$.a", text), *alone = sc_arena_printf(&arena, "[%s]", got);
        cr_expect(*got == '!' ? strncmp(list, got, strcspn(got, " ")) == 0
                              : strcmp(list, alone) == 0, "%s: %s, not %s", text, list, got);
    }
}

Test(json, plain_and_odd_ways_agree)
{
    static const char *const values[] = {
        "0", "-0", "1", "-1", "12345678", "123456789", "99999999999999", "999999999999999",
        "-999999999999999", "1234567890123456", "123456789012345678901", "0.5", "-0.50", "1.10",
        "12.3400", "12345678.123456", "123456.12345678", "1234567.12345678", "0.000000000001",
        "1.00000000000000", "100.000", "1e5", "1.5e3", "1E-2", "01", "-", "-01", "1.", ".5", "1.e1",
        "1.x", "12a", "+1", "--1", "tru", "true", "false", "null", "nul", "falsy", "\"\"", "\"a\\n\"",
        "\"\\u00e9\"", "\"\x01\"", "\"\xff\"", "\"0123456789abcdef\"", "\"0123456789abcdef0\""};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
        if (strcmp(values[i], "null") != 0) /* of a list nulls are kept, alone absent */
            check_room(values[i]);
    for (int at = 0; at < 40; at++) {
        check_room(sc_arena_printf(&arena, "\"%.*s\xC3\xA9\"", at,
                                   "0123456789012345678901234567890123456789"));
        check_room(sc_arena_printf(&arena, "\"%.*s\\\"\"", at,
                                   "0123456789012345678901234567890123456789"));
    }
}

/* Against jansson: random documents, random paths of them. */

static json_t *random_json(struct rng *r, unsigned depth)
{
    static const char *const texts[] = {"", "a", "caf\xC3\xA9", "quote \" and \\ slash", "\n\t\x01",
                                        "\xF0\x9F\x98\x80 emoji in a somewhat longer text"};
    static const char *const keys[] = {"a", "b", "c", "long_key_name", "k\xC3\xA9y", "q\"uote"};
    json_t *v;
    switch (rng_below(r, depth ? 8 : 6)) {
    case 0: return json_null();
    case 1: return json_boolean(rng_below(r, 2));
    case 2: return json_integer((json_int_t)(rng_next(r) >> rng_below(r, 64)));
    case 3: return json_integer(-(json_int_t)rng_below(r, 100000));
    case 4: return json_real(ldexp((double)(int64_t)rng_next(r), (int)rng_below(r, 200) - 140));
    case 5: return json_string(texts[rng_below(r, 6)]);
    case 6:
        v = json_object();
        for (unsigned i = rng_below(r, 6); i > 0; i--)
            json_object_set_new(v, keys[rng_below(r, 6)], random_json(r, depth - 1));
        return v;
    default:
        v = json_array();
        for (unsigned i = rng_below(r, 5); i > 0; i--)
            json_array_append_new(v, random_json(r, depth - 1));
        return v;
    }
}

static double as_double(struct sc_value v)
{
    if (v.type == SC_T_INT)
        return (double)v.i;
    if (v.type == SC_T_UINT)
        return (double)v.u;
    char digits[32] = {0};
    if (v.type != SC_T_DECIMAL)
        return v.d;
    sc_decimal_format(sc_value_decimal(v), digits);
    return strtod(digits, NULL);
}

static bool same(struct sc_value v, const json_t *o)
{
    switch (o ? json_typeof(o) : JSON_NULL) {
    case JSON_NULL: return v.type == SC_T_NULL || v.type == SC_T_ABSENT;
    case JSON_TRUE: return v.type == SC_T_BOOL && v.i == 1;
    case JSON_FALSE: return v.type == SC_T_BOOL && v.i == 0;
    case JSON_INTEGER: return v.type == SC_T_INT && v.i == json_integer_value(o);
    case JSON_REAL: return as_double(v) == json_real_value(o);
    case JSON_STRING:
        return v.type == SC_T_STRING &&
               sc_str_eq(sc_value_str(v),
                         (struct sc_str){json_string_value(o), json_string_length(o)});
    case JSON_ARRAY:
        if (v.type != SC_T_LIST || v.len != json_array_size(o))
            return false;
        for (uint32_t i = 0; i < v.len; i++)
            if (!same(v.list[i], json_array_get(o, i)))
                return false;
        return true;
    case JSON_OBJECT:
        if (v.type != SC_T_MAP || v.len != json_object_size(o))
            return false;
        for (uint32_t i = 0; i < v.len; i++)
            if (!same(v.map[2 * i + 1],
                      json_object_getn(o, v.map[2 * i].s, v.map[2 * i].len)))
                return false;
        return true;
    }
    return false;
}

Test(json, equals_jansson_on_random_documents)
{
    struct rng r = {20260302};
    struct sc_projection want = wants(&arena, "$ $.a $.b.c $.c[1] $.long_key_name.a");
    const struct sc_decoder *d = sc_json_decoder(&want, &arena);
    for (int round = 0; round < 4000; round++) {
        json_t *doc = random_json(&r, 6);
        char *text = json_dumps(doc, JSON_ENCODE_ANY | (round % 2 ? JSON_INDENT(2) : JSON_COMPACT) |
                                         (round % 3 ? JSON_ENSURE_ASCII : 0));
        struct sc_value slots[5];
        struct sc_fault fault = {0};
        struct sc_arena ar;
        sc_arena_init(&ar);
        cr_assert_eq(sc_decode(d, sc_str_from(text), &ar, slots, &fault), SC_DROP_NONE, "%s: %s",
                     fault.text, text);
        json_t *b = json_object_get(doc, "b"), *c = json_object_get(doc, "c");
        json_t *expect[5] = {doc, json_object_get(doc, "a"), json_object_get(b, "c"),
                             json_array_get(c, 1),
                             json_object_get(json_object_get(doc, "long_key_name"), "a")};
        for (int i = 0; i < 5; i++)
            cr_assert(same(slots[i], expect[i]), "path %d of %s: %s", i, text,
                      value_text(&ar, slots[i]));
        sc_arena_fini(&ar);
        free(text);
        json_decref(doc);
    }
}

/* A mutated document is accepted by both or by neither (jansson keeps the last of two keys, and
 * takes neither NUL in keys nor numbers past its types). */
Test(json, accepts_what_jansson_accepts)
{
    struct rng r = {7};
    struct sc_projection want = wants(&arena, "$.zzz");
    const struct sc_decoder *d = sc_json_decoder(&want, &arena);
    static const char spoil[] = "{}[]\",:\\0aeu-.1 \x80\xC3\n";
    unsigned accepted = 0, refused = 0;
    for (int round = 0; round < 20000; round++) {
        json_t *doc = random_json(&r, 4);
        char *text = json_dumps(doc, JSON_ENCODE_ANY);
        size_t n = strlen(text);
        for (unsigned i = rng_below(&r, 3); i > 0; i--)
            text[rng_below(&r, (unsigned)n)] = spoil[rng_below(&r, sizeof(spoil) - 1)];
        json_error_t error;
        json_t *oracle = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
        enum json_error_code code = oracle ? json_error_unknown : json_error_code(&error);
        struct sc_value slot;
        struct sc_fault fault = {0};
        enum sc_drop drop = sc_decode(d, (struct sc_str){text, n}, &arena, &slot, &fault);
        if (oracle || (code != json_error_numeric_overflow && code != json_error_null_byte_in_key))
            cr_assert_eq(drop == SC_DROP_NONE, oracle != NULL, "%s / %s: %.*s", fault.text,
                         error.text, (int)n, text);
        *(drop == SC_DROP_NONE ? &accepted : &refused) += 1;
        json_decref(oracle);
        json_decref(doc);
        free(text);
        sc_arena_reset(&arena, 1 << 20);
        want = wants(&arena, "$.zzz");
        d = sc_json_decoder(&want, &arena);
    }
    cr_assert(accepted > 1000 && refused > 1000, "%u accepted, %u refused", accepted, refused);
}
