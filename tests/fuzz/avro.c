/* Avro bodies of one schema that has everything, against a fixed set of paths. */
#include "projection.h"

static const char schema[] =
    "{\"type\":\"record\",\"name\":\"T\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",\"long\",\"T\"]},"
    "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"I\","
    "\"fields\":[{\"name\":\"x\",\"type\":\"string\"},{\"name\":\"y\",\"type\":[\"null\",\"double\"]}]}}},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"I\"}}},"
    "{\"name\":\"d\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":30,\"scale\":5}},"
    "{\"name\":\"t\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"X\",\"Y\"]}},"
    "{\"name\":\"n\",\"type\":{\"type\":\"array\",\"items\":\"null\"}},"
    "{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"f\",\"type\":\"float\"}]}";
static const char *const some[] = {"$.a", "$.a.t", "$.l[*].x", "?$.l", "$.l[1].y", "$.m.k[*].x",
                                   "$.d", "$.t", "$.e", "$.b", NULL};
static const char *const whole[] = {"$", "?$.n", "$.a.a.l", NULL};
static const char *const none[] = {NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const *const sets[] = {some, whole, none};
    static const struct sc_decoder *plans[3];
    static struct sc_arena kept;
    struct sc_schema_source source = {.text = SC_STR(schema)};
    for (int i = 0; i < 3; i++) {
        struct sc_arena ar;
        struct sc_str why;
        sc_arena_init(&ar);
        struct sc_projection want = projection(&ar, sets[i]);
        if (plans[i] == NULL) {
            want = projection(&kept, sets[i]);
            plans[i] = sc_avro_decoder(&source, &want, &kept, &why);
        }
        SC_ASSERT(plans[i] != NULL);
        projection_decode(plans[i], data, size, want.n, &ar);
        sc_arena_fini(&ar);
    }
    return 0;
}
