/* JSON bodies against a fixed set of paths. */
#include "projection.h"

static const char *const paths[] = {"$", "$.a", "$.a.b", "$.a.c[0]", "$.l[*].x", "?$.l", "$.l[1]",
                                    "$.d[*][*]", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_projection want = projection(&ar, paths);
    projection_decode(sc_json_decoder(&want, &ar), data, size, want.n, &ar);
    sc_arena_fini(&ar);
    return 0;
}
