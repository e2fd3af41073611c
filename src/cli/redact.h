/* A source's record for people's eyes: what the taxonomy maps to an identifier, or to a property
 * marked pii, is hidden, and so are fields of their names elsewhere. Other fields are shown: the
 * taxonomy cannot say what is in them. */
#ifndef SC_CLI_REDACT_H
#define SC_CLI_REDACT_H

#include "core/taxonomy/taxonomy.h"

/* `value`, JSON framed or bare, written as one JSON value. Properties of all events are hidden: a
 * dead letter's event may not be known. False, and nothing is written: it is no JSON. */
bool sc_redact_json(const struct sc_source *src, const struct sc_taxonomy *tx, struct sc_str value,
                    struct sc_arena *ar, struct sc_jsonw *w);

#endif
