/* Any text as journey.yaml over a fixed taxonomy: findings or a journey, and a rendering of them. */
#include "core/journey/journey.h"

#include <stdlib.h>

static const char taxonomy[] =
    "taxonomy: t\nversion: 1.0.0\nnamespaces: { email: { priority: 1 } }\nevents:\n"
    "  order_completed: { properties: { total: { type: decimal, required: true }, cart_id: { type: "
    "string } } }\n"
    "  cart_updated: { properties: { cart_id: { type: string, required: true } }, aliases: [ { name: "
    "cart, until: 2.0.0 } ] }\n  first_use: {}\n"
    "cases: { support_case: { opens: [cart_updated], closes: [cart_updated], key: cart_id } }\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sc_arena ar;
    struct sc_diag dg;
    struct sc_taxonomy tx;
    struct sc_journey jo;
    struct sc_buf out = {0};
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
    const struct sc_node *dictionary =
        sc_node_parse(SC_STR("t"), SC_STR(taxonomy), NULL, NULL, &ar, &dg);
    if (dictionary == NULL || !sc_taxonomy_load(&tx, dictionary, &ar, &dg))
        abort();
    struct sc_str text = {sc_arena_dup(&ar, data, n), n};
    const struct sc_node *doc = sc_node_parse(SC_STR("j"), text, NULL, NULL, &ar, &dg);
    if (doc != NULL) {
        uint32_t before = dg.errors; /* findings of the parser are there, and the tree is unsound */
        if (sc_journey_load(&jo, &tx, doc, &ar, &dg) != (dg.errors == before && !doc->unsound))
            abort();
        sc_journey_fini(&jo);
    }
    sc_diag_render(&dg, SC_DIAG_TEXT, false, &out);
    sc_buf_fini(&out);
    sc_taxonomy_fini(&tx);
    sc_arena_fini(&ar);
    return 0;
}
