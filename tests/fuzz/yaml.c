/* Any bytes as a YAML file: a tree or findings, and both can be printed in every form. */
#include "config/node.h"
#include "base/assert.h"

#include <stdint.h>

static const char *env(void *arg, const char *name)
{
    (void)arg;
    return name[0] == 'A' ? "value" : NULL;
}

static void walk(const struct sc_node *n, unsigned depth)
{
    SC_ASSERT(depth < 64 && n->mark.line > 0 && n->mark.column > 0);
    for (uint32_t i = 0; i < n->n; ++i)
        walk(n->kind == SC_NODE_SEQ ? n->items[i] : n->pairs[i].value, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sc_arena ar;
    struct sc_diag dg;
    struct sc_buf out = {0};
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
    struct sc_str text = {(const char *)data, size};
    struct sc_node *n = sc_node_parse(SC_STR("f.yaml"), text, env, NULL, &ar, &dg);
    SC_ASSERT(n != NULL || dg.errors > 0);
    if (n != NULL)
        walk(n, 0);
    for (int form = SC_DIAG_TEXT; form <= SC_DIAG_GITHUB; ++form)
        sc_diag_render(&dg, (enum sc_diag_format)form, true, &out);
    sc_buf_fini(&out);
    sc_arena_fini(&ar);
    return 0;
}
