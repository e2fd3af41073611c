/* See node_json.h. */
#include "cli/node_json.h"

#include "base/assert.h"
#include <string.h>

/* YAML's numbers that are JSON's too; `.5`, `1.`, `+3` and `007` go as text, which the reader takes
 * for a number, or says what it is not. */
static bool is_json_number(const struct sc_node *node)
{
    struct sc_str s = node->text;
    if (!sc_node_is_number(node))
        return false;
    size_t first = s.p[0] == '-';
    if (s.p[first] < '0' || s.p[first] > '9')
        return false;
    bool zero = s.p[first] == '0' && first + 1 < s.len && s.p[first + 1] >= '0' &&
                s.p[first + 1] <= '9';
    const char *point = memchr(s.p, '.', s.len);
    bool bare = point != NULL && (point + 1 == s.p + s.len || point[1] < '0' || point[1] > '9');
    return !zero && !bare;
}

/* A YAML tree as JSON. Depth is the YAML parser's, bounded there. */
void sc_node_json(struct sc_jsonw *w, const struct sc_node *node)
{
    bool b;
    switch (node->kind) {
    case SC_NODE_NULL:
        sc_jsonw_null(w);
        return;
    case SC_NODE_SCALAR:
        if (sc_node_bool(node, &b))
            sc_jsonw_bool(w, b);
        else if (is_json_number(node))
            sc_jsonw_raw(w, node->text);
        else
            sc_jsonw_str(w, node->text);
        return;
    case SC_NODE_SEQ:
        sc_jsonw_arr(w);
        for (uint32_t i = 0; i < node->n; ++i)
            sc_node_json(w, node->items[i]);
        sc_jsonw_arr_end(w);
        return;
    case SC_NODE_MAP:
        sc_jsonw_obj(w);
        for (uint32_t i = 0; i < node->n; ++i) {
            sc_jsonw_key(w, node->pairs[i].key->text);
            sc_node_json(w, node->pairs[i].value);
        }
        sc_jsonw_obj_end(w);
        return;
    }
    SC_UNREACHABLE("node kind");
}
