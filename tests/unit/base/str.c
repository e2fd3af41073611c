/* Strings, buffers, the name map, the error table. */
#include "base/str.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(str, order_is_bytewise_and_shorter_first)
{
    cr_assert_lt(sc_str_cmp(SC_STR("ab"), SC_STR("abc")), 0);
    cr_assert_gt(sc_str_cmp(SC_STR("b"), SC_STR("abc")), 0);
    cr_assert_gt(sc_str_cmp(SC_STR("\xff"), SC_STR("a")), 0);
    cr_assert_eq(sc_str_cmp(SC_STR_NULL, SC_STR("")), 0);
}

Test(str, affixes_and_trim)
{
    cr_assert(sc_str_starts(SC_STR("abc"), SC_STR("ab")));
    cr_assert_not(sc_str_starts(SC_STR("a"), SC_STR("ab")));
    cr_assert(sc_str_ends(SC_STR("abc"), SC_STR("bc")));
    cr_assert(sc_str_ends(SC_STR("abc"), SC_STR("")));
    cr_assert_not(sc_str_ends(SC_STR("bc"), SC_STR("abc")));
    cr_assert(sc_str_eqz(sc_str_trim(SC_STR(" \t a b\r\n")), "a b"));
    cr_assert_eq(sc_str_trim(SC_STR("  ")).len, 0);
}

Test(str, integers)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"+12", true, 12},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x1", false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        int64_t v = 0;
        bool ok = sc_str_int(sc_str_from(cases[i].text), &v);
        cr_assert_eq(ok, cases[i].ok, "'%s'", cases[i].text);
        cr_assert(!ok || v == cases[i].value, "'%s'", cases[i].text);
    }
}

Test(str, utf8)
{
    static const char *const good[] = {
        "",
        "ascii only, long enough for words",
        "\u00e9",
        "\u0800",
        "\ud7ff\ue000",
        "\U00010000",
        "\U0010ffff",
        "12345678\u00e9",
    };
    static const char *const bad[] = {
        "\x80",     /* a continuation alone */
        "\xC0\x80", /* overlong */
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xF0\x8F\xBF\xBF",
        "\xED\xA0\x80",     /* a surrogate */
        "\xF4\x90\x80\x80", /* over U+10FFFF */
        "\xF5\x80\x80\x80",
        "\xC3",
        "\xE2\x82",
        "\xF0\x9F\x98",
        "12345678\xFF",
        "a\xC3 b",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); ++i)
        cr_assert(sc_str_utf8_ok(sc_str_from(good[i])), "good %zu", i);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i)
        cr_assert_not(sc_str_utf8_ok(sc_str_from(bad[i])), "bad %zu", i);
}

/* Every code point, encoded by the definition, is well formed, but for surrogates. */
Test(str, utf8_takes_all_scalar_values)
{
    for (uint32_t c = 0x80; c <= 0x10FFFF; ++c) {
        char b[4];
        size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (size_t i = n - 1; i > 0; --i)
            b[i] = (char)(0x80 | ((c >> (6 * (n - 1 - i))) & 0x3F));
        b[0] = (char)((0xF00u >> n) | (c >> (6 * (n - 1))));
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        cr_assert_eq(sc_str_utf8_ok((struct sc_str){b, n}), !surrogate, "U+%04X", c);
    }
}

Test(str, distance)
{
    cr_assert_eq(sc_str_distance(SC_STR("kitten"), SC_STR("sitting"), 5), 3);
    cr_assert_eq(sc_str_distance(SC_STR("prioritty"), SC_STR("priority"), 2), 1);
    cr_assert_eq(sc_str_distance(SC_STR("evnet"), SC_STR("event"), 2), 1, "a swap is one step");
    cr_assert_eq(sc_str_distance(SC_STR(""), SC_STR("abc"), 5), 3);
    cr_assert_eq(sc_str_distance(SC_STR("abc"), SC_STR("xyz"), 2), 3, "capped at max + 1");
    char longer[65];
    memset(longer, 'a', sizeof(longer));
    cr_assert_eq(sc_str_distance((struct sc_str){longer, 65}, (struct sc_str){longer, 65}, 2), 3);
}

Test(buf, grows)
{
    struct sc_buf b = {0};
    for (int i = 0; i < 10000; ++i)
        sc_buf_addf(&b, "%04d", i);
    cr_assert_eq(b.len, 40000);
    cr_assert(sc_str_eqz((struct sc_str){b.p + 4 * 1234, 4}, "1234"));
    sc_buf_add(&b, NULL, 0);
    cr_assert_eq(b.len, 40000);
    sc_buf_fini(&b);
    cr_assert_null(b.p);
}

Test(map, keeps_all_and_replaces)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_map m;
    sc_map_init(&m, &ar);
    static int values[5000];
    cr_assert_null(sc_map_get(&m, SC_STR("k1")));
    for (int i = 0; i < 5000; ++i) {
        char key[16];
        int n = snprintf(key, sizeof(key), "k%d", i);
        cr_assert_null(sc_map_put(&m, (struct sc_str){key, (size_t)n}, &values[i]));
    }
    cr_assert_eq(m.n, 5000);
    for (int i = 0; i < 5000; ++i) {
        struct sc_str key = sc_str_printf(&ar, "k%d", i);
        cr_assert_eq(sc_map_get(&m, key), &values[i]);
    }
    cr_assert_null(sc_map_get(&m, SC_STR("k5000")));
    cr_assert_eq(sc_map_put(&m, SC_STR("k7"), &values[0]), &values[7]);
    cr_assert_eq(sc_map_get(&m, SC_STR("k7")), &values[0]);
    cr_assert_eq(m.n, 5000);
    sc_arena_fini(&ar);
}

Test(err, the_table_is_whole)
{
    for (int e = 0; e < SC_ERR_COUNT; ++e) {
        const char *name = sc_err_name((enum sc_err)e);
        cr_assert(name[0] != '\0' && sc_err_text((enum sc_err)e)[0] != '\0');
        for (const char *p = name; *p; ++p)
            cr_assert((*p >= 'a' && *p <= 'z') || *p == '_', "'%s' is no metric label", name);
        for (int other = 0; other < e; ++other)
            cr_assert_str_neq(name, sc_err_name((enum sc_err)other));
    }
    cr_assert(sc_err_retriable(SC_ERR_UNAVAILABLE));
    cr_assert(sc_err_retriable(SC_ERR_TIMEOUT));
    cr_assert_not(sc_err_retriable(SC_ERR_FENCED));
    cr_assert_not(sc_err_retriable(SC_ERR_FATAL));
    cr_assert_str_eq(sc_err_name(SC_ERR_NOT_FOUND), "not_found");
}
