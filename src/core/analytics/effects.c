/* What the effects of a step add to analytics: stages and messages (semantics 37). */
#include "core/analytics/service.h"

#include "base/assert.h"

static void transition(const struct sc_journey *jo, struct sc_state *st, const struct sc_effect *e,
                       struct sc_effects *fx)
{
    SC_ASSERT(e->to >= 0 && (uint32_t)e->to < jo->n_stages);
    int32_t from = e->from >= 0 ? e->from : SC_KEY_UNKNOWN;
    sc_analytics_put(fx, (struct sc_cell){SC_METRIC_TRANSITION, {from, e->to, e->cause},
                                          e->event_ms, 1, 0});
    sc_history_reached(jo, st, e->to, e->event_ms, fx);
    if (from < 0)
        return;
    sc_analytics_put(fx, (struct sc_cell){SC_METRIC_IN_STAGE, {from, sc_bucket_of(e->in_stage_ms)},
                                          e->event_ms, 1, e->in_stage_ms});
    int64_t target_ms = jo->stages[from].target_ms;
    if (target_ms > 0 && !e->back)
        sc_analytics_put(fx, (struct sc_cell){SC_METRIC_TARGET, {from, e->in_stage_ms > target_ms
                         ? SC_TARGET_AFTER : SC_TARGET_WITHIN}, e->event_ms, 1, 0});
}

enum { SENT, DEFERRED, CANCELLED, WITHDRAWN };

static void message(const struct sc_effect *e, int32_t outcome, struct sc_effects *fx)
{
    SC_ASSERT(e->trigger >= 0);
    sc_analytics_put(fx, (struct sc_cell){SC_METRIC_MESSAGE, {e->trigger, e->channel, outcome},
                                          e->at_ms, 1, 0});
}

static void suppressed(const struct sc_effect *e, struct sc_effects *fx)
{
    sc_analytics_put(fx, (struct sc_cell){SC_METRIC_SUPPRESSED, {e->trigger, (int32_t)e->reason},
                                          e->at_ms, 1, 0});
    for (uint32_t i = 0; i < e->n_gates && e->reason == SC_REASON_CAP_REACHED; i++)
        if (!e->gates[i].passed && e->gates[i].cap >= 0)
            sc_analytics_put(fx, (struct sc_cell){SC_METRIC_CAPPED, {e->gates[i].cap,
                             e->gates[i].channel}, e->at_ms, 1, 0});
}

static void deferral(const struct sc_effect *e, struct sc_effects *fx)
{
    int64_t wait_ms = e->until_ms - e->at_ms;
    SC_ASSERT(wait_ms >= 0);
    sc_analytics_put(fx, (struct sc_cell){SC_METRIC_DEFERRAL, {e->trigger, sc_bucket_of(wait_ms)},
                                          e->at_ms, 1, wait_ms});
}

void sc_analytics_effects(const struct sc_journey *jo, struct sc_state *st, uint32_t from,
                          struct sc_effects *fx)
{
    SC_ASSERT(from <= fx->items.n);
    for (uint32_t i = from; jo->analyse && i < fx->items.n; i++) {
        const struct sc_effect *e = &fx->items.v[i];
        switch ((enum sc_effect_type)e->type) {
        case SC_FX_TRIGGER:
            message(e, SENT, fx);
            break;
        case SC_FX_DEFERRED:
            message(e, DEFERRED, fx);
            deferral(e, fx);
            break;
        case SC_FX_CANCELLED:
            message(e, e->channel >= 0 ? WITHDRAWN : CANCELLED, fx);
            break;
        case SC_FX_SUPPRESSED:
            suppressed(e, fx);
            break;
        case SC_FX_TRANSITION:
            if (!e->joined)
                transition(jo, st, e, fx);
            break;
        case SC_FX_MILESTONE: /* sc_history_milestone: its time may still be corrected */
        case SC_FX_MERGED:
        case SC_FX_IDENTITY:
            break;
        }
    }
}
