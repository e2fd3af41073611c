/* A whole JSON document as a value, as the rule language has it: an object is a map in the order
 * written, integers stay exact. For people's own input; records are read by plan (json.c). */
#ifndef SC_CODEC_JSON_VALUE_H
#define SC_CODEC_JSON_VALUE_H

#include "core/value.h"

/* False: not one JSON document without repeated names; the reason, in `ar`, is in *why. */
bool sc_json_value(struct sc_str text, struct sc_arena *ar, struct sc_value *out,
                   struct sc_str *why);

#endif
