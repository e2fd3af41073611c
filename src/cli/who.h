/* Who is meant on a command line: a customer's id, or one of its identifiers. */
#ifndef SC_CLI_WHO_H
#define SC_CLI_WHO_H

#include "core/identity/identity.h"

/* Has the word (as for sc_who) a form that can be meant? Asked before anything is loaded. */
bool sc_who_ok(const char *command, const char *identifier, const char *id);

/* The node that `identifier` (email=ann@example.org) or, when NULL, `id` (32 hex digits) names.
 * False: the message, of `command`, is printed. */
bool sc_who(const char *command, struct sc_pseudonyms *ps, const struct sc_taxonomy *tx,
            const char *identifier, const char *id, struct sc_node_id *node);

#endif
