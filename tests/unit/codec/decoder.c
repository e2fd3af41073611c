#include "wants.h"

#include "base/arena.h"

#include <criterion/criterion.h>

/* The same event in three formats reads the same through the one door. */
Test(decoder, formats_agree)
{
    static const char avro[] = "{\"type\":\"record\",\"name\":\"E\",\"fields\":["
                               "{\"name\":\"id\",\"type\":\"string\"},"
                               "{\"name\":\"n\",\"type\":[\"null\",\"long\"]},"
                               "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"int\"}}]}";
    static const char proto[] = "message Other {} message E { optional string id = 1;"
                                " optional int64 n = 2; repeated int32 l = 3; }";
    static const uint32_t second = 1;
    static const struct sc_message_at by_name = {.message = {"E", 1}};
    static const struct sc_message_at by_index = {.index = &second, .n_index = 1};
    static const struct {
        enum sc_format format;
        const char *schema;
        const struct sc_message_at *at;
        const char *hex;
    } cases[] = {
        {SC_FORMAT_AVRO, avro, &by_name, "0261 020e 04020400"},
        {SC_FORMAT_PROTOBUF, proto, &by_name, "0a0161 1007 1a020102"},
        {SC_FORMAT_PROTOBUF, proto, &by_index, "0a0161 1007 1a020102"},
        {SC_FORMAT_JSON, "", &by_name, "7b226964223a2261222c226e223a372c226c223a5b312c325d7d"},
    };
    struct sc_arena ar;
    struct sc_str why;
    sc_arena_init(&ar);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sc_schema_source schema = {.text = sc_str_from(cases[i].schema)};
        struct sc_projection want = wants(&ar, "$.id $.n $.l count($.l) $.none");
        const struct sc_decoder *d =
            sc_decoder_for(cases[i].format, &schema, cases[i].at, &want, &ar, &why);
        cr_assert(d, "case %zu: %.*s", i, SC_STR_FMT(why));
        cr_expect_str_eq(decode_text(d, from_hex(&ar, cases[i].hex), &ar),
                         "\"a\" 7 [1,2] [true,true] absent", "case %zu", i);
    }
    sc_arena_fini(&ar);
}

Test(decoder, schemas_of_the_wrong_format_are_refused)
{
    static const struct sc_message_at at = {.message = {"E", 1}};
    struct sc_arena ar;
    struct sc_str why = SC_STR_NULL;
    sc_arena_init(&ar);
    struct sc_projection want = wants(&ar, "$.id");
    struct sc_schema_source schema = {.text = SC_STR("syntax = \"proto3\"; message E {}")};
    cr_expect_null(sc_decoder_for(SC_FORMAT_AVRO, &schema, &at, &want, &ar, &why));
    cr_expect_gt(why.len, 0u);
    schema.text = SC_STR("{\"type\":\"record\"}");
    cr_expect_null(sc_decoder_for(SC_FORMAT_PROTOBUF, &schema, &at, &want, &ar, &why));
    cr_expect_str_eq(sc_str_dup(&ar, why).p, "line 1: no statement of a .proto file, at `{`");
    sc_arena_fini(&ar);
}
