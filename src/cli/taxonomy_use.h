/* Who reads which event and property: rules of journeys, by name ("trigger cart_abandoned"). For
 * the dictionary, so that who changes a property knows whom to ask. */
#ifndef SC_CLI_TAXONOMY_USE_H
#define SC_CLI_TAXONOMY_USE_H

#include "core/journey/journey.h"

struct sc_uses;
/* For journeys over `tx`; everything lives in `ar`. */
struct sc_uses *sc_uses_create(const struct sc_taxonomy *tx, struct sc_arena *ar);
/* Add a journey's readers. `prefix`: name it before each, for dictionaries that several share. Its
 * rules are compiled once more: load time, and a journey that is not stepped any more. */
void sc_uses_add(struct sc_uses *us, struct sc_journey *jo, bool prefix);
/* "stage loyalty, trigger win_back", in the file's order; empty: nobody. `prop` -1: the event. */
struct sc_str sc_uses_text(const struct sc_uses *us, uint32_t event, int prop);

#endif
