/* Avro schemas, and behind the first NUL a body that is read with them. */
#include "projection.h"

static const char *const some[] = {"$.a", "$.a.b", "$.l[*].x", "?$.l", "$.l[1]", "$.m.k", NULL};
static const char *const whole[] = {"$", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    size_t n = nul ? (size_t)(nul - data) : size;
    struct sc_schema_source source = {.text = {(const char *)data, n}};
    for (int i = 0; i < 2; i++) {
        struct sc_arena ar;
        struct sc_str why = SC_STR_NULL;
        sc_arena_init(&ar);
        struct sc_projection want = projection(&ar, i ? whole : some);
        const struct sc_decoder *d = sc_avro_decoder(&source, &want, &ar, &why);
        SC_ASSERT((d != NULL) == (why.len == 0));
        if (d && nul)
            projection_decode(d, nul + 1, size - n - 1, want.n, &ar);
        sc_arena_fini(&ar);
    }
    return 0;
}
