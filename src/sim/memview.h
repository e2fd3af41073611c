/* Memory view: the view port without Redis, for `dev` and for fault tests: stamps, states, timers,
 * hints, with the same compare-and-set. Shared by the workers of a process under one lock. */
#ifndef SC_SIM_MEMVIEW_H
#define SC_SIM_MEMVIEW_H

#include "engine/port.h"
#include "sim/broker.h"

struct sc_memview;

struct sc_memview *sc_memview_create(uint32_t partitions);
void sc_memview_destroy(struct sc_memview *mv);
/* One worker's port on it. */
struct sc_view *sc_memview_open(struct sc_memview *mv);
/* Set before the first port is opened; see broker.h. */
void sc_memview_sleeps(struct sc_memview *mv, sc_sim_sleep *sleep, void *arg);
/* Faults: unreachable; what is flushed lands but the answer is lost; everything gone (a failover to
 * an empty replica); this port's worker was killed: what it has under way is lost. */
void sc_memview_down(struct sc_memview *mv, bool is_down);
void sc_memview_mute(struct sc_memview *mv, bool mute);
void sc_memview_wipe(struct sc_memview *mv);
void sc_memview_kill(struct sc_view *vw);

#endif
