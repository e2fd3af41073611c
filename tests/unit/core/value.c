/* Values: order across types, hash, copies, JSON; the drop table. */
#include "core/value.h"
#include "base/arena.h"
#include "core/drop.h"

#include <criterion/criterion.h>
#include <math.h>

static struct sc_value uint_of(uint64_t u)
{
    return (struct sc_value){.type = SC_T_UINT, .u = u};
}

static struct sc_value dec(int64_t units, uint8_t scale)
{
    return sc_decimal((struct sc_decimal){units, scale});
}

static struct sc_value str(const char *z)
{
    return sc_string(sc_str_from(z));
}

static struct sc_value list_of(const struct sc_value *v, uint32_t n)
{
    return (struct sc_value){.type = SC_T_LIST, .len = n, .list = v};
}

static struct sc_value map_of(const struct sc_value *v, uint32_t pairs)
{
    return (struct sc_value){.type = SC_T_MAP, .len = pairs, .map = v};
}

/* Ascending; equal ones side by side in one group. */
Test(value, numbers_compare_by_exact_value)
{
    const struct {
        struct sc_value v;
        int rank;
    } line[] = {
        {sc_double(-INFINITY), 0},
        {sc_double(-9223372036854777856.0), 1},
        {sc_int(INT64_MIN), 2},
        {sc_double(-9223372036854775808.0), 2},
        {dec(-15, 1), 3},
        {sc_double(-1.5), 3},
        {sc_int(-1), 4},
        {sc_double(-0.0), 5},
        {uint_of(0), 5},
        {dec(0, 4), 5},
        {dec(1, 1), 6},
        {sc_double(0.1), 7}, /* a little more than the decimal 0.1 */
        {sc_int(1), 8},
        {uint_of(1), 8},
        {sc_double(1.0), 8},
        {dec(100, 2), 8},
        {sc_double(9007199254740992.0), 9},
        {sc_int(INT64_C(9007199254740993)), 10}, /* 2^53 + 1 is no double */
        {sc_int(INT64_MAX), 11},
        {sc_double(9223372036854775808.0), 12},
        {uint_of(UINT64_C(9223372036854775808)), 12},
        {uint_of(UINT64_MAX), 13},
        {sc_double(18446744073709551616.0), 14},
        {sc_double(INFINITY), 15},
    };
    enum { N = sizeof(line) / sizeof(line[0]) };
    for (size_t i = 0; i < N; ++i) {
        for (size_t j = 0; j < N; ++j) {
            int want = (line[i].rank > line[j].rank) - (line[i].rank < line[j].rank);
            cr_assert_eq(sc_value_cmp(line[i].v, line[j].v), want, "%zu %zu", i, j);
            bool same_hash = sc_value_hash(line[i].v) == sc_value_hash(line[j].v);
            cr_assert_eq(same_hash,
                         want == 0 || (line[i].rank >= 6 && line[j].rank <= 7 &&
                                       line[i].rank <= 7 && line[j].rank >= 6),
                         "%zu %zu: equal numbers hash alike, a decimal fraction as its double", i,
                         j);
        }
        cr_assert_eq(sc_value_cmp(line[i].v, sc_double(NAN)), 2);
        cr_assert_eq(sc_value_cmp(sc_double(NAN), line[i].v), 2);
    }
}

Test(value, one_of_each_type)
{
    const struct sc_value all[] = {
        sc_absent(),
        {.type = SC_T_NULL},
        sc_bool(true),
        sc_int(1),
        str("1"),
        {.type = SC_T_BYTES, .len = 1, .s = "1"},
        sc_timestamp(1),
        sc_duration(1),
        list_of(NULL, 0),
        map_of(NULL, 0),
        {.type = SC_T_TYPE, .i = 1},
    };
    enum { N = sizeof(all) / sizeof(all[0]) };
    for (size_t i = 0; i < N; ++i)
        for (size_t j = 0; j < N; ++j) {
            cr_assert_eq(sc_value_cmp(all[i], all[j]), i == j ? 0 : 2, "%zu %zu", i, j);
            cr_assert_eq(sc_value_hash(all[i]) == sc_value_hash(all[j]), i == j, "%zu %zu", i, j);
        }
    cr_assert_eq(sc_value_cmp(sc_error(SC_VE_INDEX), sc_error(SC_VE_INDEX)), 2);
    cr_assert(!sc_is_value(sc_absent()) && !sc_is_value(sc_error(SC_VE_LIMIT)) &&
              sc_is_value(sc_int(0)));
}

Test(value, order_within_types)
{
    struct sc_value later = sc_timestamp(5);
    later.len = 1; /* a nanosecond */
    cr_assert_eq(sc_value_cmp(str("a"), str("ab")), -1);
    cr_assert_eq(sc_value_cmp(str("b"), str("ab")), 1);
    cr_assert_eq(sc_value_cmp(sc_bool(false), sc_bool(true)), -1);
    cr_assert_eq(sc_value_cmp(later, sc_timestamp(5)), 1);
    cr_assert_eq(sc_value_cmp(later, sc_timestamp(6)), -1);
    cr_assert_neq(sc_value_hash(later), sc_value_hash(sc_timestamp(5)));
}

Test(value, lists_and_maps_are_equal_or_not)
{
    struct sc_value a[] = {sc_int(1), str("x")}, b[] = {sc_double(1), str("x")};
    struct sc_value c[] = {str("x"), sc_int(1)};
    cr_assert(sc_value_eq(list_of(a, 2), list_of(b, 2)));
    cr_assert_eq(sc_value_hash(list_of(a, 2)), sc_value_hash(list_of(b, 2)));
    cr_assert_eq(sc_value_cmp(list_of(a, 2), list_of(c, 2)), 2);
    cr_assert_neq(sc_value_hash(list_of(a, 2)), sc_value_hash(list_of(c, 2)));
    cr_assert_not(sc_value_eq(list_of(a, 2), list_of(a, 1)));

    struct sc_value m[] = {str("k"), sc_int(1), str("l"), sc_int(2)};
    struct sc_value turned[] = {str("l"), sc_int(2), str("k"), sc_int(1)};
    struct sc_value other[] = {str("k"), sc_int(2), str("l"), sc_int(1)};
    cr_assert(sc_value_eq(map_of(m, 2), map_of(turned, 2)));
    cr_assert_eq(sc_value_hash(map_of(m, 2)), sc_value_hash(map_of(turned, 2)));
    cr_assert_not(sc_value_eq(map_of(m, 2), map_of(other, 2)));
    cr_assert_neq(sc_value_hash(map_of(m, 2)), sc_value_hash(map_of(other, 2)));
}

/* Distinct counts keep these in states: a change would count every value anew. */
Test(value, hashes_are_pinned)
{
    cr_assert_eq(sc_value_hash(sc_int(42)), UINT64_C(0x5F1874A8856EA365));
    cr_assert_eq(sc_value_hash(str("abc")), UINT64_C(0xC098C3086BCCEFA0));
    cr_assert_eq(sc_value_hash(sc_double(0.5)), UINT64_C(0x0F6AF76E5C004450));
}

static char *json(struct sc_value v)
{
    static char text[1024];
    struct sc_buf out = {0};
    struct sc_jsonw w;
    sc_jsonw_init(&w, &out);
    sc_value_json(v, &w);
    sc_buf_char(&out, '\0');
    strcpy(text, out.p);
    sc_buf_fini(&out);
    return text;
}

static struct sc_value with_ns(struct sc_value v, uint32_t ns)
{
    v.len = ns;
    return v;
}

static struct sc_value bytes(const char *s, uint32_t n)
{
    return (struct sc_value){.type = SC_T_BYTES, .len = n, .s = s};
}

Test(value, json)
{
    cr_assert_str_eq(json(sc_absent()), "null");
    cr_assert_str_eq(json(sc_error(SC_VE_LIMIT)), "null");
    cr_assert_str_eq(json(sc_bool(true)), "true");
    cr_assert_str_eq(json(uint_of(UINT64_MAX)), "18446744073709551615");
    cr_assert_str_eq(json(dec(INT64_C(123456789012345678), 4)), "12345678901234.5678");
    cr_assert_str_eq(json(str("a\"b")), "\"a\\\"b\"");
    cr_assert_str_eq(json(bytes("", 0)), "\"\"");
    cr_assert_str_eq(json(bytes("f", 1)), "\"Zg==\"");
    cr_assert_str_eq(json(bytes("fo", 2)), "\"Zm8=\"");
    cr_assert_str_eq(json(bytes("foobar\xff\xfe\xfd", 9)), "\"Zm9vYmFy//79\"");
    cr_assert_str_eq(json(sc_timestamp(0)), "\"1970-01-01T00:00:00Z\"");
    cr_assert_str_eq(json(with_ns(sc_timestamp(0), 5)), "\"1970-01-01T00:00:00.000000005Z\"");
    cr_assert_str_eq(json(with_ns(sc_timestamp(-1), 500000)), "\"1969-12-31T23:59:59.999500000Z\"");
    cr_assert_str_eq(json(sc_duration(5400000)), "\"1h30m\"");
    cr_assert_str_eq(json(with_ns(sc_duration(1500), 250000)), "\"1s500.25ms\"");
    cr_assert_str_eq(json(with_ns(sc_duration(-1), 500000)), "\"-0.5ms\"");
    cr_assert_str_eq(json((struct sc_value){.type = SC_T_TYPE, .i = SC_T_LIST}), "\"list\"");
    struct sc_value pairs[] = {str("a"),      sc_int(1),
                               sc_int(-2),    sc_double(0.1),
                               sc_bool(true), list_of((struct sc_value[]){{.type = SC_T_NULL}}, 1)};
    cr_assert_str_eq(json(map_of(pairs, 3)), "{\"a\":1,\"-2\":0.1,\"true\":[null]}");
}

Test(value, copies_are_deep)
{
    char text[] = "abc";
    struct sc_value inner[] = {str(text), bytes(text, 2)};
    struct sc_value pairs[] = {str("k"), list_of(inner, 2)};
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_value copy = sc_value_dup(&ar, map_of(pairs, 1));
    memset(text, 'x', 3);
    memset(inner, 0, sizeof(inner));
    cr_assert_str_eq(json(copy), "{\"k\":[\"abc\",\"YWI=\"]}");
    memset(pairs, 0, sizeof(pairs));
    cr_assert_str_eq(json(copy), "{\"k\":[\"abc\",\"YWI=\"]}");
    sc_arena_fini(&ar);
}

Test(value, names)
{
    for (int t = SC_T_ABSENT; t <= SC_T_ERROR; ++t)
        cr_assert_gt(strlen(sc_type_name((enum sc_type)t)), 0);
    for (int e = SC_VE_NO_VALUE; e <= SC_VE_UNKNOWN; ++e)
        cr_assert_gt(strlen(sc_value_err_text((enum sc_value_err)e)), 0);
    cr_assert_str_eq(sc_type_name(SC_T_DECIMAL), "decimal");
}

Test(drop, the_table_is_whole)
{
    for (int d = 0; d < SC_DROP_COUNT; ++d) {
        const char *label = sc_drop_label((enum sc_drop)d);
        for (const char *p = label; *p; ++p)
            cr_assert((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_', "%s",
                      label);
        for (int other = 0; other < d; ++other)
            cr_assert_str_neq(label, sc_drop_label((enum sc_drop)other));
        cr_assert(d == SC_DROP_NONE || strlen(sc_drop_text((enum sc_drop)d)) > 0);
        cr_assert_gt(strlen(sc_drop_stage((enum sc_drop)d)), 0);
    }
    cr_assert_not(sc_drop_dead_letter(SC_DROP_NONE));
    cr_assert_not(sc_drop_dead_letter(SC_DROP_DUPLICATE));
    cr_assert(sc_drop_dead_letter(SC_DROP_UTF8));
    cr_assert_str_eq(sc_drop_stage(SC_DROP_UTF8), "VALUE_CONVERTER");
}
