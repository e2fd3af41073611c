/* Protobuf schemas (text, base64, descriptor sets): two bytes of length, the schema, then a body
 * that is read with its first message. */
#include "projection.h"

static const char *const some[] = {"$.a", "$.a.b", "$.l[*].x", "?$.l", "$.l[1]", "$.m.k", NULL};
static const char *const whole[] = {"$", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = size < 2 ? 0 : (size_t)data[0] << 8 | data[1];
    if (size < 2 + n)
        return 0;
    struct sc_schema_source source = {.text = {(const char *)data + 2, n}};
    for (int i = 0; i < 2; i++) {
        struct sc_arena ar;
        struct sc_str why = SC_STR_NULL;
        sc_arena_init(&ar);
        struct sc_projection want = projection(&ar, i ? whole : some);
        const struct sc_proto_files *files = sc_proto_parse(&source, &ar, &why);
        SC_ASSERT((files != NULL) == (why.len == 0));
        const struct sc_decoder *d =
            files ? sc_proto_decoder(files, SC_STR_NULL, NULL, 0, &want, &ar, &why) : NULL;
        if (d)
            projection_decode(d, data + 2 + n, size - 2 - n, want.n, &ar);
        sc_arena_fini(&ar);
    }
    return 0;
}
