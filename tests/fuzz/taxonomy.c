/* Any YAML: a taxonomy or findings, never a crash; what loads can be projected and its examples
 * run. */
#include "base/arena.h"
#include "core/taxonomy/taxonomy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sc_arena ar;
    struct sc_diag dg;
    struct sc_taxonomy tx = {0};
    struct sc_buf out = {0};
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
    struct sc_str text = {(const char *)data, size};
    struct sc_node *doc = sc_node_parse(SC_STR("fuzz"), text, NULL, NULL, &ar, &dg);
    if (doc != NULL && sc_taxonomy_load(&tx, doc, &ar, &dg))
        sc_taxonomy_check_examples(&tx, &ar, &dg);
    sc_diag_render(&dg, SC_DIAG_TEXT, false, &out);
    sc_buf_fini(&out);
    sc_taxonomy_fini(&tx);
    sc_arena_fini(&ar);
    return 0;
}
