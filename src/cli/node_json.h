/* A YAML tree as JSON: examples of a taxonomy, properties of a test's events. */
#ifndef SC_CLI_NODE_JSON_H
#define SC_CLI_NODE_JSON_H

#include "base/jsonw.h"
#include "config/node.h"

/* Depth is the YAML parser's, bounded there. */
void sc_node_json(struct sc_jsonw *w, const struct sc_node *node);

#endif
