/* Which wanted paths a schema has. */
#include "codec/decoder.h"

#include <criterion/criterion.h>

static const char avro[] =
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\"},"
    "{\"name\":\"user\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"U\",\"fields\":["
    "{\"name\":\"mail\",\"type\":\"string\"}]}]},"
    "{\"name\":\"lines\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"L\","
    "\"fields\":[{\"name\":\"sku\",\"type\":\"string\"}]}}},"
    "{\"name\":\"tags\",\"type\":{\"type\":\"map\",\"values\":\"string\"}}]}";
static const char proto[] =
    "syntax = \"proto3\"; message Other { string x = 1; }"
    "message R { string id = 1; User user = 2; repeated Line lines = 3; map<string, string> tags = 4;"
    " message User { string mail = 1; } message Line { string sku = 1; } }";

#define FIELD(n) {SC_STEP_FIELD, {n, sizeof(n) - 1}, 0}
#define ALL {SC_STEP_ALL, {NULL, 0}, 0}
#define INDEX {SC_STEP_INDEX, {NULL, 0}, 1}
static const struct {
    const char *text;
    struct sc_step steps[4];
    uint32_t n;
    enum sc_map_op op;
    bool has;
} cases[] = {
    {"$.id", {FIELD("id")}, 1, SC_MAP_PATH, true},
    {"$.idd", {FIELD("idd")}, 1, SC_MAP_PATH, false},
    {"$.id.x", {FIELD("id"), FIELD("x")}, 2, SC_MAP_PATH, false},
    {"$.user", {FIELD("user")}, 1, SC_MAP_PATH, true},
    {"$.user.mail", {FIELD("user"), FIELD("mail")}, 2, SC_MAP_PATH, true},
    {"$.user.phone", {FIELD("user"), FIELD("phone")}, 2, SC_MAP_PATH, false},
    {"$.lines[*].sku", {FIELD("lines"), ALL, FIELD("sku")}, 3, SC_MAP_PATH, true},
    {"$.lines[1].sku", {FIELD("lines"), INDEX, FIELD("sku")}, 3, SC_MAP_PATH, true},
    {"$.lines[*].price", {FIELD("lines"), ALL, FIELD("price")}, 3, SC_MAP_PATH, false},
    {"count($.lines[*])", {FIELD("lines"), ALL}, 2, SC_MAP_COUNT, true},
    {"$.tags.colour", {FIELD("tags"), FIELD("colour")}, 2, SC_MAP_PATH, true},
    {"$.tags.colour.x", {FIELD("tags"), FIELD("colour"), FIELD("x")}, 3, SC_MAP_PATH, false},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static void expect_paths(enum sc_format format, const char *schema, struct sc_str message)
{
    struct sc_arena ar;
    struct sc_str why = SC_STR_NULL;
    struct sc_want wants[CASES];
    struct sc_step steps[CASES][4];
    bool has[CASES];
    sc_arena_init(&ar);
    memset(wants, 0, sizeof(wants));
    for (size_t i = 0; i < CASES; i++) {
        memcpy(steps[i], cases[i].steps, sizeof(steps[i]));
        wants[i] = (struct sc_want){.op = cases[i].op, .path = {steps[i], cases[i].n,
                                                               sc_str_from(cases[i].text)}};
    }
    const struct sc_projection want = {wants, CASES};
    const struct sc_schema_source text = {.text = sc_str_from(schema)};
    const struct sc_message_at at = {.message = message};
    cr_assert(sc_schema_paths(format, &text, &at, &want, has, &ar, &why), "%.*s", (int)why.len,
              why.p);
    for (size_t i = 0; i < CASES; i++)
        cr_expect_eq(has[i], cases[i].has, "%s", cases[i].text);
    sc_arena_fini(&ar);
}

Test(paths, avro)
{
    expect_paths(SC_FORMAT_AVRO, avro, SC_STR_NULL);
}

Test(paths, protobuf)
{
    expect_paths(SC_FORMAT_PROTOBUF, proto, SC_STR("R"));
}

Test(paths, a_schema_that_cannot_be_used)
{
    struct sc_arena ar;
    struct sc_str why = SC_STR_NULL;
    bool has[1];
    const struct sc_projection none = {NULL, 0};
    const struct sc_schema_source bad = {.text = SC_STR("{")}, good = {.text = SC_STR(proto)};
    const struct sc_message_at at = {.message = SC_STR("Nobody")};
    sc_arena_init(&ar);
    cr_expect_not(sc_schema_paths(SC_FORMAT_AVRO, &bad, &at, &none, has, &ar, &why));
    cr_expect(why.len > 0);
    cr_expect_not(sc_schema_paths(SC_FORMAT_PROTOBUF, &good, &at, &none, has, &ar, &why));
    cr_expect(sc_str_eq(why, SC_STR("the schema has no message `Nobody`")));
    sc_arena_fini(&ar);
}
