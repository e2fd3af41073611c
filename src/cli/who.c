/* See who.h. */
#include "cli/who.h"

#include "base/assert.h"
#include <stdio.h>
#include <string.h>

static bool from_id(const char *command, const char *id, struct sc_node_id *node)
{
    if (sc_node_parse_hex(sc_str_from(id), node))
        return true;
    /* `identity` takes either as the word itself */
    const char *option = strncmp(command, "identity ", 9) == 0 ? "" : "--identifier ";
    fprintf(stderr, "stagecoach %s: a customer's id has 32 hex digits, '%s' is none; "
            "%sNAMESPACE=VALUE finds one by an identifier\n", command, id, option);
    return false;
}

bool sc_who_ok(const char *command, const char *identifier, const char *id)
{
    struct sc_node_id node;
    if (identifier == NULL)
        return from_id(command, id, &node);
    const char *eq = strchr(identifier, '=');
    if (eq && eq > identifier && eq[1])
        return true;
    fprintf(stderr, "stagecoach %s: expected NAMESPACE=VALUE (email=ann@example.org), found '%s'\n",
            command, identifier);
    return false;
}

bool sc_who(const char *command, struct sc_pseudonyms *ps, const struct sc_taxonomy *tx,
            const char *identifier, const char *id, struct sc_node_id *node)
{
    if (identifier == NULL)
        return from_id(command, id, node);
    const char *eq = strchr(identifier, '=');
    SC_ASSERT(eq != NULL);
    int ns = sc_taxonomy_namespace(tx, (struct sc_str){identifier, (size_t)(eq - identifier)});
    if (ns < 0) {
        fprintf(stderr, "stagecoach %s: expected NAMESPACE=VALUE with one of", command);
        for (uint32_t i = 0; i < tx->n_namespaces; i++)
            fprintf(stderr, " %.*s", SC_STR_FMT(tx->namespaces[i].name));
        fprintf(stderr, ", found '%s'\n", identifier);
        return false;
    }
    struct sc_arena ar;
    struct sc_identifier found;
    sc_arena_init(&ar);
    bool fine = sc_identify(ps, (uint8_t)ns, sc_str_from(eq + 1), &ar, &found) == SC_IDENT_OK;
    if (fine)
        *node = found.node;
    else
        fprintf(stderr, "stagecoach %s: '%s' is blocked: it joins nobody\n", command,
                eq + 1);
    sc_arena_fini(&ar);
    return fine;
}
