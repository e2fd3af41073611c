/* Against a real registry: tests/e2e/registry.sh registers schemas as clients in the wild do and
 * names their ids here. Without it these tests have nothing to ask and are skipped. */
#include "registry/registry.h"

#include "base/arena.h"
#include "codec/decoder.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct sc_arena arena;
static struct sc_registry *rs;

static void teardown(void)
{
    sc_registry_destroy(rs);
    sc_arena_fini(&arena);
}
TestSuite(real, .fini = teardown, .timeout = 60);

static void open_real(void)
{
    char why[SC_REGISTRY_WHY] = "";
    sc_arena_init(&arena);
    if (getenv("REAL_AVRO_ID") == NULL)
        cr_skip_test("tests/e2e/registry.sh runs this");
    struct sc_registry_options options = {.url = sc_str_from(getenv("STAGECOACH_REGISTRY"))};
    cr_assert_eq(sc_registry_create(&options, &rs, why), SC_ERR_OK, "%s", why);
}

static uint32_t id_of(const char *variable)
{
    const char *z = getenv(variable);
    cr_assert(z && *z, "%s is not set", variable);
    return (uint32_t)strtoul(z, NULL, 10);
}

/* The value of `$.f` (or `$.f.g`) in a body, with the schema of an id. */
static struct sc_value read_with(const char *variable, struct sc_str body, const char *f,
                                 const char *g)
{
    struct sc_step steps[2] = {{.name = sc_str_from(f)}, {.name = sc_str_from(g)}};
    struct sc_want want = {.path = {.steps = steps, .n = g ? 2 : 1}};
    struct sc_projection projection = {&want, 1};
    static const struct sc_message_at at = {0};
    struct sc_schema_text schema;
    struct sc_value v;
    struct sc_fault fault = {0};
    struct sc_str why = SC_STR_NULL;
    enum sc_err e = sc_registry_schema(rs, id_of(variable), &arena, &schema);
    cr_assert_eq(e, SC_ERR_OK, "%s", sc_err_text(e));
    struct sc_schema_source source = {schema.text, schema.refs, schema.n_refs};
    const struct sc_decoder *d = sc_decoder_for((enum sc_format)schema.type, &source, &at,
                                                &projection, &arena, &why);
    cr_assert(d, "%.*s", SC_STR_FMT(why));
    cr_assert_eq(sc_decode(d, body, &arena, &v, &fault), SC_DROP_NONE, "%s", fault.text);
    return v;
}

Test(real, avro)
{
    open_real();
    struct sc_value v = read_with("REAL_AVRO_ID", SC_STR("\x02" "a\x0e"), "n", NULL);
    cr_expect_eq(v.i, 7);
}

Test(real, avro_with_a_reference)
{
    open_real();
    struct sc_value v = read_with("REAL_AVRO_REF_ID", SC_STR("\x02" "a\x0e"), "inner", "n");
    cr_expect_eq(v.i, 7);
}

Test(real, protobuf_text_with_an_import)
{
    open_real();
    struct sc_value v = read_with("REAL_PROTO_ID", SC_STR("\x0a\x02\x08\x07"), "inner", "n");
    cr_expect_eq(v.i, 7);
}

Test(real, protobuf_as_a_descriptor_in_base64)
{
    open_real();
    struct sc_value v = read_with("REAL_BASE64_ID", SC_STR("\x08\x07"), "n", NULL);
    cr_expect_eq(v.i, 7);
}

Test(real, an_id_that_nobody_has)
{
    struct sc_schema_text schema;
    open_real();
    cr_expect_eq(sc_registry_schema(rs, 2000000000, &arena, &schema), SC_ERR_NOT_FOUND);
}

Test(real, what_is_registered_comes_back)
{
    struct sc_schema_text schema = {.type = SC_FORMAT_PROTOBUF,
                                    .text = SC_STR("syntax = \"proto3\";\nmessage A { int64 n = 1; }\n")};
    struct sc_schema_text back;
    uint32_t id = 0, again = 0, latest = 0;
    open_real();
    struct sc_str subject = sc_str_printf(&arena, "%s.ours", getenv("REAL_RUN"));
    cr_assert_eq(sc_registry_register(rs, subject, &schema, &id), SC_ERR_OK);
    cr_assert_eq(sc_registry_register(rs, subject, &schema, &again), SC_ERR_OK);
    cr_expect_eq(id, again);
    cr_assert_eq(sc_registry_latest(rs, subject, &arena, &back, &latest), SC_ERR_OK);
    cr_expect_eq(latest, id);
    cr_expect_eq(back.type, SC_FORMAT_PROTOBUF);
    schema.text = SC_STR("message {");
    enum sc_err e = sc_registry_register(rs, subject, &schema, &id);
    cr_expect(e == SC_ERR_INVALID || e == SC_ERR_CONFLICT, "%s", sc_err_name(e));
}
