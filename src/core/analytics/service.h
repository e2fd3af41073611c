/* Between the files of analytics; private to this folder and to the stored form. */
#ifndef SC_CORE_ANALYTICS_SERVICE_H
#define SC_CORE_ANALYTICS_SERVICE_H

#include "core/analytics/history.h"
#include "core/analytics/plan.h"
#include "core/journey/run.h"

enum { SC_TARGET_WITHIN, SC_TARGET_AFTER, SC_TARGET_OVERDUE };

/* A delta; `start_ms` is any instant of its window. */
void sc_analytics_put(struct sc_effects *fx, struct sc_cell cell);

/* service.c: a touch is remembered, and what follows from it for those around it. */
void sc_service_event(struct sc_run *rn, const struct sc_measured *me);
void sc_service_count(const struct sc_journey *jo, const struct sc_history *h, int sign,
                      struct sc_effects *fx);
void sc_service_merge(const struct sc_journey *jo, struct sc_history *into,
                      const struct sc_history *from, struct sc_arena *ar);
/* Over the bound the oldest leave: what they counted stands, and they tell those that stay
 * (`past`). Until then, after a merge, the list may be longer. */
void sc_service_settle(const struct sc_journey *jo, struct sc_history *h);

#endif
