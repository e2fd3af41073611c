/* A YAML (or JSON: a subset) document as a tree with marks, from libyaml.
 *
 * Refused: duplicate keys, more than one document, tags other than the core ones, aliases that
 * expand past 10,000 nodes, depth over 64, files over 16 MiB or 1,000,000 nodes. `${VAR}` and
 * `${VAR:-default}` are interpolated in scalar values after parsing (`$$` is a literal `$`); an
 * unset variable without default is an error at its place. `$.path` is left alone. */
#ifndef SC_CONFIG_NODE_H
#define SC_CONFIG_NODE_H

#include "config/diag.h"

enum sc_node_kind { SC_NODE_NULL, SC_NODE_SCALAR, SC_NODE_SEQ, SC_NODE_MAP };

struct sc_node_pair;

struct sc_node {
    enum sc_node_kind kind;
    bool quoted;         /* scalar: '…', "…", | or > : never a number, bool or null */
    bool faulty;         /* a finding was made about it already: binders say no more */
    bool unsound;        /* of the root: findings were made while the file was parsed */
    struct sc_mark mark; /* first byte of the content: inside the quotes, so carets fit */
    struct sc_str text;  /* scalar after interpolation */
    struct sc_node **items;      /* seq */
    struct sc_node_pair *pairs;  /* map, in the order written */
    uint32_t n;                  /* items or pairs */
};

struct sc_node_pair {
    struct sc_node *key; /* scalar */
    struct sc_node *value;
};

/* Looks up environment variables; NULL value = unset. Injected so that parsing stays pure. */
typedef const char *sc_env_fn(void *arg, const char *name);

/* Parse `text` (borrowed, as `name`; must outlive the tree) as file `name`. NULL with one finding
 * when there is no tree: syntax (at libyaml's place), limits. Duplicate keys (the first is kept),
 * foreign tags and unset variables are findings too, but the tree is there, so that one run finds
 * every other fault: the root is `unsound`, and what is loaded from it must not be used. An empty
 * document is a SC_NODE_NULL. */
struct sc_node *sc_node_parse(struct sc_str name, struct sc_str text, sc_env_fn *env, void *env_arg,
                              struct sc_arena *ar, struct sc_diag *dg);
/* Value under key, or NULL. */
struct sc_node *sc_node_get(const struct sc_node *map, const char *key);
/* Plain scalars only: false when it is not one. `true/false` only (YAML 1.2 core). */
bool sc_node_bool(const struct sc_node *n, bool *out);
bool sc_node_int(const struct sc_node *n, int64_t *out);
bool sc_node_is_number(const struct sc_node *n);

#endif
