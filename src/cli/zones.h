/* Time zones of customers by IANA name, loaded when first asked for (struct sc_journey's `zone`).
 * Names come from events: wrong ones are remembered too, up to a bound. Thread: any. */
#ifndef SC_CLI_ZONES_H
#define SC_CLI_ZONES_H

#include "base/str.h"

struct sc_tz;
struct sc_zones;

struct sc_zones *sc_zones_create(void);
void sc_zones_destroy(struct sc_zones *z);
/* `arg` is a struct sc_zones. NULL: there is no such zone. Lives until sc_zones_destroy. */
const struct sc_tz *sc_zones_find(void *arg, struct sc_str name);

#endif
