/* Readiness and metrics as text. Names: stagecoach_<what>_total for counters, plain for gauges. */
#include "admin/admin.h"

#include "base/time.h"
#include "core/journey/state.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

bool sc_admin_ready(struct sc_worker *const *workers, uint32_t n, bool verbose,
                    struct sc_buf *out)
{
    bool ready = true;
    for (uint32_t i = 0; i < n; i++) {
        const struct sc_worker *w = workers[i];
        const char *why = sc_worker_why(w, sc_time_mono_ms());
        bool mine = atomic_load(&w->status.ready) && why == NULL;
        ready = ready && mine;
        if (!verbose)
            continue;
        sc_buf_addf(out, "[%c] %s %u: ", mine ? '+' : '-', w->role, w->index);
        sc_buf_addf(out, "%" PRId64 " partitions, %" PRId64 " stopped, lag %" PRId64,
                    atomic_load(&w->status.partitions), atomic_load(&w->status.stopped),
                    atomic_load(&w->status.lag));
        sc_buf_addf(out, "%s%s\n", why ? ", waiting: " : "", why ? why : "");
    }
    sc_buf_addz(out, ready ? "ok\n" : "not ready\n");
    return ready;
}

static void head(struct sc_buf *out, const char *name, const char *help, const char *type)
{
    sc_buf_addf(out, "# HELP stagecoach_%s %s\n# TYPE stagecoach_%s %s\n", name, help, name, type);
}

static void counter_rows(struct sc_worker *const *workers, uint32_t n, const char *name,
                         const char *help, size_t offset, struct sc_buf *out)
{
    char full[80];
    snprintf(full, sizeof(full), "%s_total", name);
    head(out, full, help, "counter");
    for (uint32_t i = 0; i < n; i++) {
        const char *base = (const char *)&workers[i]->counters + offset;
        uint64_t value = atomic_load_explicit((const _Atomic uint64_t *)(const void *)base,
                                              memory_order_relaxed);
        sc_buf_addf(out, "stagecoach_%s{role=\"%s\",worker=\"%u\"} %" PRIu64 "\n", full,
                    workers[i]->role, workers[i]->index, value);
    }
}

/* One label's values summed over the workers; rows that are 0 stay, so that rates start at 0. */
static void label_rows(struct sc_worker *const *workers, uint32_t n, const char *name,
                       const char *label, const char *const *values, size_t count, size_t offset,
                       struct sc_buf *out)
{
    for (size_t k = 0; k < count; k++) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i < n; i++) {
            const char *base = (const char *)&workers[i]->counters + offset;
            sum += atomic_load_explicit((const _Atomic uint64_t *)(const void *)base + k,
                                        memory_order_relaxed);
        }
        sc_buf_addf(out, "stagecoach_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, values[k], sum);
    }
}

static void gauge_rows(struct sc_worker *const *workers, uint32_t n, struct sc_buf *out)
{
    static const struct {
        const char *name, *help;
        size_t offset;
    } gauges[] = {
        {"lag_records", "records behind the end of the log", offsetof(struct sc_worker_status, lag)},
        {"flush_lag_ms", "age of the oldest state not in Redis yet",
         offsetof(struct sc_worker_status, flush_lag_ms)},
        {"partitions", "partitions owned", offsetof(struct sc_worker_status, partitions)},
        {"partitions_stopped", "partitions that need the operator",
         offsetof(struct sc_worker_status, stopped)},
        {"states_cached", "customers' states in memory",
         offsetof(struct sc_worker_status, customers)},
        {"states_dirty", "states not in Redis yet", offsetof(struct sc_worker_status, dirty)},
    };
    for (size_t g = 0; g < sizeof(gauges) / sizeof(gauges[0]); g++) {
        head(out, gauges[g].name, gauges[g].help, "gauge");
        for (uint32_t i = 0; i < n; i++) {
            const char *base = (const char *)&workers[i]->status + gauges[g].offset;
            int64_t value = atomic_load_explicit((const _Atomic int64_t *)(const void *)base,
                                                 memory_order_relaxed);
            sc_buf_addf(out, "stagecoach_%s{role=\"%s\",worker=\"%u\"} %" PRId64 "\n",
                        gauges[g].name, workers[i]->role, workers[i]->index, value);
        }
    }
    head(out, "watermark_seconds", "event time up to which everything was heard", "gauge");
    for (uint32_t i = 0; i < n; i++) {
        int64_t ms = atomic_load(&workers[i]->status.watermark_ms);
        if (ms != SC_NEVER && ms != SC_NO_DUE)
            sc_buf_addf(out, "stagecoach_watermark_seconds{role=\"%s\",worker=\"%u\"} %.3f\n",
                        workers[i]->role, workers[i]->index, (double)ms / 1000.0);
    }
}

void sc_admin_metrics(struct sc_worker *const *workers, uint32_t n, struct sc_buf *out)
{
#define SC_COUNTER_ROWS(name, help)                                                                \
    counter_rows(workers, n, #name, help, offsetof(struct sc_counters, name), out);
    SC_COUNTER_TABLE(SC_COUNTER_ROWS)
#undef SC_COUNTER_ROWS
    const char *drops[SC_DROP_COUNT], *reasons[SC_REASON_COUNT], *channels[SC_CHANNELS_MAX];
    for (int d = 0; d < SC_DROP_COUNT; d++)
        drops[d] = sc_drop_label((enum sc_drop)d);
    for (int r = 0; r < SC_REASON_COUNT; r++)
        reasons[r] = sc_reason_name((enum sc_reason)r);
    head(out, "drops_total", "records dropped or dead-lettered, by reason", "counter");
    label_rows(workers, n, "drops_total", "reason", drops + 1, SC_DROP_COUNT - 1,
               offsetof(struct sc_counters, drops) + sizeof(uint64_t), out);
    head(out, "suppressed_by_reason_total", "trigger messages not sent, by reason", "counter");
    label_rows(workers, n, "suppressed_by_reason_total", "reason", reasons + 1,
               SC_REASON_COUNT - 1, offsetof(struct sc_counters, reasons) + sizeof(uint64_t), out);
    if (n) {
        const struct sc_journey *jo = workers[0]->cfg->jo;
        for (uint32_t c = 0; c < jo->n_channels; c++)
            channels[c] = jo->channels[c].name.p; /* names are NUL-terminated by the loader */
        head(out, "triggers_by_channel_total", "trigger messages sent, by channel", "counter");
        label_rows(workers, n, "triggers_by_channel_total", "channel", channels, jo->n_channels,
                   offsetof(struct sc_counters, channels), out);
        const char **triggers = sc_calloc(jo->n_triggers + 1, sizeof(*triggers));
        for (uint32_t t = 0; t < jo->n_triggers; t++)
            triggers[t] = jo->triggers[t].name.p;
        head(out, "late_by_trigger_total", "late events that a trigger named", "counter");
        label_rows(workers, n, "late_by_trigger_total", "trigger", triggers, jo->n_triggers,
                   offsetof(struct sc_counters, late), out);
        free(triggers);
    }
    gauge_rows(workers, n, out);
}
