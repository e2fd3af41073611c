/* Any text as every identifier and every type of property: what clients send ends up here. */
#include "base/arena.h"
#include "base/assert.h"
#include "core/taxonomy/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t types[] = {SC_T_STRING, SC_T_INT,       SC_T_DECIMAL,  SC_T_DOUBLE,
                                    SC_T_BOOL,   SC_T_TIMESTAMP, SC_T_DURATION, SC_T_BYTES};
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_str text = {(const char *)data, size};
    for (size_t i = 0; i < sizeof(types); i++) {
        struct sc_property p = {.name = SC_STR("p"), .type = types[i], .scale = 2};
        struct sc_value v = sc_string(text);
        enum sc_drop drop = sc_intake_property(&p, NULL, NULL, &ar, &v);
        SC_ASSERT(drop != SC_DROP_NONE || v.type == p.type);
    }
    struct sc_namespace ns = {.name = SC_STR("n"), .rank = 1};
    sc_blocked_init(&ns, &ar);
    struct sc_taxonomy tx = {.namespaces = &ns, .n_namespaces = 1};
    struct sc_pseudonyms *ps = sc_pseudonyms_create(&tx, SC_STR("key"), 0, 4);
    for (ns.normalize = SC_NORM_TRIM; ns.normalize <= SC_NORM_NONE; ns.normalize++) {
        struct sc_identifier id;
        if (sc_identify(ps, 0, text, &ar, &id) == SC_IDENT_OK && ns.normalize == SC_NORM_E164)
            sc_phone_zone(id.value);
    }
    sc_pseudonyms_destroy(ps);
    sc_arena_fini(&ar);
    return 0;
}
