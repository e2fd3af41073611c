/* YAML scalars and trees as canonical property values: what examples, bounds and constants are. */
#include "base/assert.h"
#include "core/taxonomy/load.h"

#include <stdlib.h>

/* The number's own digits: int, else the smallest decimal scale that holds all of them. */
static struct sc_value number(struct sc_str text, struct sc_arena *ar)
{
    int64_t i;
    struct sc_decimal d;
    if (sc_str_int(text, &i))
        return sc_int(i);
    for (uint8_t scale = 0; scale <= SC_DECIMAL_DIGITS; scale++)
        if (sc_decimal_parse(text, scale, &d) == SC_DECIMAL_OK)
            return sc_decimal(d);
    return sc_double(strtod(sc_str_dup(ar, text).p, NULL));
}

static struct sc_value scalar(const struct sc_node *node, struct sc_arena *ar)
{
    bool b;
    if (node->quoted)
        return sc_string(node->text);
    if (sc_node_bool(node, &b))
        return sc_bool(b);
    return sc_node_is_number(node) ? number(node->text, ar) : sc_string(node->text);
}

/* Depth is the YAML tree's own, bounded by its parser. */
struct sc_value sc_tx_literal(const struct sc_node *node, struct sc_arena *ar)
{
    SC_ASSERT(node != NULL && ar != NULL);
    struct sc_value v = {.len = node->n};
    struct sc_value *items;
    switch (node->kind) {
    case SC_NODE_NULL:
        return (struct sc_value){.type = SC_T_NULL};
    case SC_NODE_SCALAR:
        return scalar(node, ar);
    case SC_NODE_SEQ:
        items = SC_NEW_N(ar, struct sc_value, node->n);
        for (uint32_t i = 0; i < node->n; i++)
            items[i] = sc_tx_literal(node->items[i], ar);
        v.type = SC_T_LIST;
        v.list = items;
        return v;
    case SC_NODE_MAP:
        items = SC_NEW_N(ar, struct sc_value, 2 * node->n);
        for (uint32_t i = 0; i < node->n; i++) {
            items[2 * i] = sc_string(node->pairs[i].key->text);
            items[2 * i + 1] = sc_tx_literal(node->pairs[i].value, ar);
        }
        v.type = SC_T_MAP;
        v.map = items;
        return v;
    }
    SC_UNREACHABLE("node kind");
}
