/* What converts to what: a row a claim of intake.h, in the spelling of a JSON value where one
 * exists. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <math.h>

struct row {
    const char *what;
    uint8_t type, scale;
    int32_t shift, unit;
    struct sc_value in;
    enum sc_drop drop;
    struct sc_value out;
};

static struct sc_value timed(int64_t ms, uint32_t sub_ns)
{
    struct sc_value v = sc_timestamp(ms);
    v.len = sub_ns;
    return v;
}

/* 2^63 and `more`: what an unsigned field holds, and no int does. */
static struct sc_value past_int(uint64_t more)
{
    return (struct sc_value){.type = SC_T_UINT, .u = (UINT64_C(1) << 63) + more};
}

static void run(const struct row *rows, size_t n)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        struct sc_property p = {.name = SC_STR("p"), .type = r->type, .scale = r->scale};
        struct sc_mapping map = {.op = SC_MAP_PATH, .scale = r->shift, .unit = r->unit};
        struct sc_value v = r->in;
        enum sc_drop drop = sc_intake_property(&p, &map, NULL, &ar, &v);
        cr_expect_eq(drop, r->drop, "%s: %s", r->what, sc_drop_label(drop));
        if (drop != SC_DROP_NONE || r->drop != SC_DROP_NONE)
            continue;
        cr_expect_eq(v.type, r->out.type, "%s: %s", r->what, sc_type_name((enum sc_type)v.type));
        cr_expect(sc_value_eq(v, r->out), "%s: %lld", r->what, (long long)v.i);
        cr_expect_eq(v.scale, r->out.scale, "%s", r->what);
    }
    sc_arena_fini(&ar);
}
#define ROWS(...)                                                                                  \
    do {                                                                                           \
        const struct row rows[] = {__VA_ARGS__};                                                   \
        run(rows, sizeof(rows) / sizeof(rows[0]));                                                 \
    } while (0)
#define OK SC_DROP_NONE
#define WRONG SC_DROP_WRONG_TYPE
#define DIGITS SC_DROP_DECIMAL_DIGITS
#define RANGE SC_DROP_OUT_OF_RANGE
#define NOTHING                                                                                    \
    {                                                                                              \
        0                                                                                          \
    }

Test(convert, ints)
{
    ROWS({"40", SC_T_INT, 0, 0, 0, sc_int(40), OK, sc_int(40)},
         {"40.0", SC_T_INT, 0, 0, 0, decimal(400, 1), OK, sc_int(40)},
         {"40.5", SC_T_INT, 0, 0, 0, decimal(405, 1), WRONG, NOTHING},
         {"\"40\"", SC_T_INT, 0, 0, 0, text("40"), OK, sc_int(40)},
         {"\"40.0\"", SC_T_INT, 0, 0, 0, text("40.0"), OK, sc_int(40)},
         {"\"9223372036854775807\"", SC_T_INT, 0, 0, 0, text("9223372036854775807"), OK,
          sc_int(INT64_MAX)},
         {"\"9223372036854775808\"", SC_T_INT, 0, 0, 0, text("9223372036854775808"), WRONG, NOTHING},
         {"\"\"", SC_T_INT, 0, 0, 0, text(""), WRONG, NOTHING},
         {"\"4x\"", SC_T_INT, 0, 0, 0, text("4x"), WRONG, NOTHING},
         {"double 40", SC_T_INT, 0, 0, 0, sc_double(40.0), WRONG, NOTHING},
         {"2^63", SC_T_INT, 0, 0, 0, past_int(0), WRONG, NOTHING},
         {"true", SC_T_INT, 0, 0, 0, sc_bool(true), WRONG, NOTHING},
         {"null", SC_T_INT, 0, 0, 0, (struct sc_value){.type = SC_T_NULL}, OK, sc_absent()});
}

Test(convert, decimals)
{
    ROWS({"40", SC_T_DECIMAL, 4, 0, 0, sc_int(40), OK, decimal(400000, 4)},
         {"0.1", SC_T_DECIMAL, 4, 0, 0, decimal(1, 1), OK, decimal(1000, 4)},
         {"\"0.1\"", SC_T_DECIMAL, 4, 0, 0, text("0.1"), OK, decimal(1000, 4)},
         {"\"1e2\"", SC_T_DECIMAL, 4, 0, 0, text("1e2"), OK, decimal(1000000, 4)},
         {"0.12345", SC_T_DECIMAL, 4, 0, 0, decimal(12345, 5), DIGITS, NOTHING},
         {"0.12340", SC_T_DECIMAL, 4, 0, 0, decimal(12340, 5), OK, decimal(1234, 4)},
         {"10^15 at 4", SC_T_DECIMAL, 4, 0, 0, sc_int(INT64_C(1000000000000000)), DIGITS, NOTHING},
         {"2^63", SC_T_DECIMAL, 0, 0, 0, past_int(0), DIGITS, NOTHING},
         {"double 0.1", SC_T_DECIMAL, 4, 0, 0, sc_double(0.1), OK, decimal(1000, 4)},
         {"double half even", SC_T_DECIMAL, 1, 0, 0, sc_double(0.25), OK, decimal(2, 1)},
         {"NaN", SC_T_DECIMAL, 4, 0, 0, sc_double(NAN), WRONG, NOTHING},
         {"\"cheap\"", SC_T_DECIMAL, 4, 0, 0, text("cheap"), WRONG, NOTHING},
         {"1999 cents", SC_T_DECIMAL, 4, -2, 0, sc_int(1999), OK, decimal(199900, 4)},
         {"\"1999\" cents", SC_T_DECIMAL, 2, -2, 0, text("1999"), OK, decimal(1999, 2)},
         {"19.5 cents at 2", SC_T_DECIMAL, 2, -2, 0, decimal(195, 1), DIGITS, NOTHING},
         {"3 thousands", SC_T_DECIMAL, 2, 3, 0, sc_int(3), OK, decimal(300000, 2)});
}

Test(convert, doubles_bools_and_text)
{
    ROWS({"1.5", SC_T_DOUBLE, 0, 0, 0, decimal(15, 1), OK, sc_double(1.5)},
         {"7", SC_T_DOUBLE, 0, 0, 0, sc_int(7), OK, sc_double(7.0)},
         {"2^63 and more", SC_T_DOUBLE, 0, 0, 0, past_int(2048), OK, sc_double(0x1.0000000000001p63)},
         {"\"7\"", SC_T_DOUBLE, 0, 0, 0, text("7"), WRONG, NOTHING},
         {"cents", SC_T_DOUBLE, 0, -2, 0, sc_int(1999), OK, sc_double(19.99)},
         {"infinity", SC_T_DOUBLE, 0, 0, 0, sc_double(INFINITY), WRONG, NOTHING},
         {"too large", SC_T_DOUBLE, 0, 18, 0, sc_double(1e300), RANGE, NOTHING},
         {"true", SC_T_BOOL, 0, 0, 0, sc_bool(true), OK, sc_bool(true)},
         {"\"true\"", SC_T_BOOL, 0, 0, 0, text("true"), WRONG, NOTHING},
         {"1 as bool", SC_T_BOOL, 0, 0, 0, sc_int(1), WRONG, NOTHING},
         {"5 as text", SC_T_STRING, 0, 0, 0, sc_int(5), WRONG, NOTHING},
         {"text", SC_T_STRING, 0, 0, 0, text("a"), OK, text("a")});
}

Test(convert, times_and_durations)
{
    ROWS({"ms", SC_T_TIMESTAMP, 0, 0, 0, sc_int(1500), OK, sc_timestamp(1500)},
         {"s", SC_T_TIMESTAMP, 0, 0, SC_UNIT_S, sc_int(2), OK, sc_timestamp(2000)},
         {"us", SC_T_TIMESTAMP, 0, 0, SC_UNIT_US, sc_int(1500001), OK, timed(1500, 1000)},
         {"ns before 1970", SC_T_TIMESTAMP, 0, 0, SC_UNIT_NS, sc_int(-1), OK, timed(-1, 999999)},
         {"s too large", SC_T_TIMESTAMP, 0, 0, SC_UNIT_S, sc_int(INT64_MAX), WRONG, NOTHING},
         {"year 10000", SC_T_TIMESTAMP, 0, 0, 0, sc_int(INT64_C(253402300800000)), RANGE, NOTHING},
         {"a logical type knows its unit", SC_T_TIMESTAMP, 0, 0, SC_UNIT_S, sc_timestamp(5), OK,
          sc_timestamp(5)},
         {"text", SC_T_TIMESTAMP, 0, 0, 0, text("1970-01-01T00:00:01Z"), OK, sc_timestamp(1000)},
         {"a number as text", SC_T_TIMESTAMP, 0, 0, 0, text("1500"), WRONG, NOTHING},
         {"90m", SC_T_DURATION, 0, 0, 0, text("90m"), OK, sc_duration(5400000)},
         {"90 s", SC_T_DURATION, 0, 0, SC_UNIT_S, sc_int(90), OK, sc_duration(90000)},
         {"ISO", SC_T_DURATION, 0, 0, 0, text("PT1H"), WRONG, NOTHING},
         {"double", SC_T_DURATION, 0, 0, 0, sc_double(1.0), WRONG, NOTHING});
}

Test(convert, bytes_from_base64)
{
    const struct sc_value hi = {.type = SC_T_BYTES, .len = 2, .s = "hi"};
    const struct sc_value hey = {.type = SC_T_BYTES, .len = 3, .s = "hey"};
    const struct sc_value h = {.type = SC_T_BYTES, .len = 1, .s = "h"};
    ROWS({"bytes", SC_T_BYTES, 0, 0, 0, hi, OK, hi},
         {"padded", SC_T_BYTES, 0, 0, 0, text("aGk="), OK, hi},
         {"twice", SC_T_BYTES, 0, 0, 0, text("aA=="), OK, h},
         {"unpadded", SC_T_BYTES, 0, 0, 0, text("aGk"), OK, hi},
         {"whole", SC_T_BYTES, 0, 0, 0, text("aGV5"), OK, hey},
         {"no digit", SC_T_BYTES, 0, 0, 0, text("a*=="), WRONG, NOTHING},
         {"five", SC_T_BYTES, 0, 0, 0, text("aGk=="), WRONG, NOTHING},
         {"number", SC_T_BYTES, 0, 0, 0, sc_int(1), WRONG, NOTHING});
}

static enum sc_drop aggregate(struct sc_arena *ar, enum sc_map_op op, uint8_t type,
                              struct sc_value *v)
{
    struct sc_property p = {.name = SC_STR("p"), .type = type, .scale = 2};
    struct sc_mapping map = {.op = op};
    return sc_intake_property(&p, &map, NULL, ar, v);
}

Test(convert, aggregates)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_value prices = LIST(&ar, decimal(1, 1), text("0.2"), sc_int(3));
    struct sc_value none = LIST(&ar, sc_absent());
    struct sc_value flags = LIST(&ar, sc_bool(false), sc_bool(true));
    const struct {
        enum sc_map_op op;
        uint8_t type;
        struct sc_value in, out;
    } cases[] = {
        {SC_MAP_SUM, SC_T_DECIMAL, prices, decimal(330, 2)},
        {SC_MAP_MIN, SC_T_DECIMAL, prices, decimal(10, 2)},
        {SC_MAP_MAX, SC_T_DECIMAL, prices, decimal(300, 2)},
        {SC_MAP_FIRST, SC_T_DECIMAL, prices, decimal(10, 2)},
        {SC_MAP_COUNT, SC_T_INT, prices, sc_int(3)},
        {SC_MAP_COUNT, SC_T_DECIMAL, prices, decimal(300, 2)},
        {SC_MAP_SUM, SC_T_DECIMAL, none, decimal(0, 2)},
        {SC_MAP_SUM, SC_T_INT, sc_absent(), sc_int(0)},
        {SC_MAP_COUNT, SC_T_INT, sc_absent(), sc_int(0)},
        {SC_MAP_COUNT, SC_T_INT, none, sc_int(0)},
        {SC_MAP_MAX, SC_T_DECIMAL, none, sc_absent()},
        {SC_MAP_FIRST, SC_T_DECIMAL, none, sc_absent()},
        {SC_MAP_ANY, SC_T_BOOL, flags, sc_bool(true)},
        {SC_MAP_ANY, SC_T_BOOL, none, sc_bool(false)},
        {SC_MAP_SUM, SC_T_INT, sc_int(5), sc_int(5)},
        {SC_MAP_SUM, SC_T_DURATION, LIST(&ar, text("1h"), sc_int(1)), sc_duration(3600001)},
        {SC_MAP_MAX, SC_T_STRING, LIST(&ar, text("a"), text("c"), text("b")), text("c")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sc_value v = cases[i].in;
        cr_expect_eq(aggregate(&ar, cases[i].op, cases[i].type, &v), OK, "%zu", i);
        cr_expect_eq(v.type, cases[i].out.type, "%zu: %s", i, sc_type_name((enum sc_type)v.type));
        cr_expect(v.type == SC_T_ABSENT || sc_value_eq(v, cases[i].out), "%zu", i);
        cr_expect_eq(v.scale, cases[i].out.scale, "%zu", i);
    }
    struct sc_value full = LIST(&ar, sc_int(INT64_MAX), sc_int(1));
    cr_expect_eq(aggregate(&ar, SC_MAP_SUM, SC_T_INT, &full), RANGE);
    struct sc_value odd = LIST(&ar, text("1"), text("x"));
    cr_expect_eq(aggregate(&ar, SC_MAP_SUM, SC_T_DECIMAL, &odd), WRONG);
    cr_expect_eq(aggregate(&ar, SC_MAP_ANY, SC_T_BOOL, &odd), WRONG);
    sc_arena_fini(&ar);
}

Test(convert, lists_and_maps_check_each_value)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_str sizes[] = {SC_STR("S"), SC_STR("M")};
    struct sc_property nums = {.name = SC_STR("n"), .type = SC_T_LIST, .element = SC_T_INT,
                               .has_max = true, .max = sc_int(9)};
    struct sc_property en = {.name = SC_STR("e"), .type = SC_T_MAP, .element = SC_T_STRING,
                             .enums = {sizes, NULL, 2}};
    struct sc_value null = {.type = SC_T_NULL};
    struct sc_value v = LIST(&ar, sc_int(1), null, text("2"));
    cr_expect_eq(sc_intake_property(&nums, NULL, NULL, &ar, &v), OK);
    cr_expect_eq(v.len, 2, "null is absent");
    cr_expect_eq(v.list[1].i, 2);
    v = LIST(&ar, sc_int(1), sc_int(10));
    cr_expect_eq(sc_intake_property(&nums, NULL, NULL, &ar, &v), RANGE);
    v = LIST(&ar, sc_double(1.0));
    cr_expect_eq(sc_intake_property(&nums, NULL, NULL, &ar, &v), WRONG);
    struct sc_value kv[] = {text("shirt"), text("M"), text("hat"), null};
    v = (struct sc_value){.type = SC_T_MAP, .len = 2, .map = kv};
    cr_expect_eq(sc_intake_property(&en, NULL, NULL, &ar, &v), OK);
    cr_expect_eq(v.type, SC_T_MAP);
    cr_expect_eq(v.len, 1);
    kv[3] = text("XL");
    v = (struct sc_value){.type = SC_T_MAP, .len = 2, .map = kv};
    cr_expect_eq(sc_intake_property(&en, NULL, NULL, &ar, &v), SC_DROP_NOT_IN_ENUM);
    sc_arena_fini(&ar);
}
