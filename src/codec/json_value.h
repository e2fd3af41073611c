/* A whole JSON document as a value, read as a record's value is: objects are maps in the order
 * written, numbers INT, DECIMAL or DOUBLE as decoder.h has it. For people's own input. */
#ifndef SC_CODEC_JSON_VALUE_H
#define SC_CODEC_JSON_VALUE_H

#include "base/arena.h"
#include "core/value.h"

/* False: no JSON document, or with a name twice in an object; the reason, in `ar`, is in *why.
 * A document that is null is ABSENT. *out may borrow from `text`. */
bool sc_json_value(struct sc_str text, struct sc_arena *ar, struct sc_value *out,
                   struct sc_str *why);

#endif
