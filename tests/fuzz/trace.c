/* Any bytes as a plain-text trace: a list of cases or findings, and both can be printed. */
#include "cli/test_trace.h"
#include "base/assert.h"

#include <stdint.h>

static void walk(const struct sc_node *n, unsigned depth)
{
    SC_ASSERT(depth < 80);
    for (uint32_t i = 0; i < n->n; ++i)
        walk(n->kind == SC_NODE_SEQ ? n->items[i] : n->pairs[i].value, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sc_arena ar;
    struct sc_diag dg;
    struct sc_buf out = {0};
    struct sc_taxonomy tx = {0};
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
    sc_map_init(&tx.event_by_name, &ar);
    struct sc_str text = sc_str_dup(&ar, (struct sc_str){(const char *)data, size});
    const struct sc_node *cases = sc_test_trace_parse(&tx, SC_STR("f.trace"), text, &ar, &dg);
    walk(cases, 0);
    sc_diag_render(&dg, SC_DIAG_TEXT, false, &out);
    sc_buf_fini(&out);
    sc_arena_fini(&ar);
    return 0;
}
