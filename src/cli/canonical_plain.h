/* Canonical lines as programs write them, straight to events: see canonical_plain.c. */
#ifndef SC_CLI_CANONICAL_PLAIN_H
#define SC_CLI_CANONICAL_PLAIN_H

#include "core/taxonomy/intake.h"

struct sc_plain;

/* NULL where nothing is to be had: no SSE2. Lives in `load`. */
struct sc_plain *sc_plain_create(const struct sc_taxonomy *tx, struct sc_pseudonyms *ps,
                                 struct sc_arena *load);
/* Fill `ev` as decoder and sc_intake_begin would; sc_intake_end is to follow. False: the line is not
 * plain, or not right, and `ev` is nobody's: they say what it is. Storage from `ar`, texts borrow from
 * the line. Learns from line to line how they are written. Thread: one. */
bool sc_plain_read(struct sc_plain *pl, struct sc_str line, const struct sc_record_meta *meta,
                   struct sc_arena *ar, struct sc_event *ev);

#endif
