/* Dead letters: the record as it was, and why it could not be taken. Key, value, headers and
 * timestamp are kept; the reason stands in headers (Kafka Connect's names and two of ours). */
#ifndef SC_ENGINE_DEADLETTER_H
#define SC_ENGINE_DEADLETTER_H

#include "engine/worker.h"

#define SC_DEAD_LETTER_MAX (900u << 10) /* key, headers and value; of a larger record the value is cut */
#define SC_DEAD_LETTER_CUT (64u << 10)  /* to this, and the key where headers and key alone are too large */

enum sc_err sc_dead_letter(struct sc_worker *w, struct sc_str topic, const struct sc_msg *m,
                           enum sc_drop drop, const struct sc_fault *fault, struct sc_arena *ar);

#endif
