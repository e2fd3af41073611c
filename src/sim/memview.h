/* Memory view: the view port without Redis, for `dev` and for fault tests: stamps, states, timers,
 * hints, with the same compare-and-set. Shared by the workers of a process under one lock. */
#ifndef SC_SIM_MEMVIEW_H
#define SC_SIM_MEMVIEW_H

#include "engine/port.h"

struct sc_memview;

struct sc_memview *sc_memview_create(uint32_t partitions);
void sc_memview_destroy(struct sc_memview *mv);
/* One worker's port on it. */
struct sc_view *sc_memview_open(struct sc_memview *mv);
/* Faults: unreachable from now on; everything gone (a failover to an empty replica). */
void sc_memview_down(struct sc_memview *mv, bool down);
void sc_memview_wipe(struct sc_memview *mv);

#endif
