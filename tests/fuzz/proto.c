/* Protobuf bodies of one schema that has everything, against a fixed set of paths. */
#include "projection.h"

static const char schema[] =
    "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\";"
    "enum E { X = 0; Y = 1; }"
    "message I { string x = 1; double y = 2; repeated sint64 z = 3; I in = 4; }"
    "message T { int64 a = 1; I i = 2; repeated I l = 3; map<string, I> m = 4;"
    " map<int32, bool> k = 5; oneof o { I p = 6; string q = 7; bytes r = 8; }"
    " google.protobuf.Timestamp t = 9; repeated E e = 10; repeated fixed32 f = 11;"
    " optional uint64 u = 300; google.protobuf.StringValue w = 12; confluent.type.Decimal d = 13; }";
static const char *const some[] = {"$.a", "$.i.x", "$.l[*].z[*]", "?$.l", "$.l[1].y", "$.m.k.x",
                                   "$.k.1", "$.p.z", "$.q", "$.t", "$.e", "$.f[2]", "$.u",
                                   "$.l[*].in", "$.p.in.z[*]", "$.d", NULL};
static const char *const whole[] = {"$", "$.i.in.in.x", "$.w", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sc_message_at top = {.message = {"T", 1}};
    static const struct sc_decoder *plans[2];
    static struct sc_arena kept;
    struct sc_schema_source source = {.text = SC_STR(schema)};
    for (int i = 0; i < 2; i++) {
        struct sc_arena ar;
        struct sc_str why;
        sc_arena_init(&ar);
        struct sc_projection want = projection(&ar, i ? whole : some);
        if (plans[i] == NULL) {
            want = projection(&kept, i ? whole : some);
            plans[i] = sc_decoder_for(SC_FORMAT_PROTOBUF, &source, &top, &want, &kept, &why);
        }
        SC_ASSERT(plans[i] != NULL);
        projection_decode(plans[i], data, size, want.n, &ar);
        sc_arena_fini(&ar);
    }
    return 0;
}
