/* Hearing: what one journal partition has heard of the sources' progress, and the watermark that
 * follows. Source: semantics 12; reliability.md "Time". */
#ifndef SC_ENGINE_HEARING_H
#define SC_ENGINE_HEARING_H

#include "codec/seal.h"

struct sc_hearing {
    struct sc_progress *progress; /* sorted by (source, partition) */
    int64_t *heard_ms;            /* append time of each one's last heartbeat */
    uint32_t n, cap;
    struct sc_source_parts *parts; /* by source of the taxonomy */
    uint32_t n_parts;
    int64_t last_ms;              /* append time of the last heartbeat heard */
    int64_t woke_ms;              /* append time at which a silent partition last began to flow */
    int64_t watermark_ms;         /* never goes back; SC_NEVER: not every partition was heard */
};

#define SC_IDLE_HOLDS_MS 5000 /* "idle" is believed for so long after it was said */
/* With `clock: event` silence is believed again only so long after a silent partition began to
 * flow: a replay starts everywhere at once, and the first to be heard must not make the others late
 * (docs/adr/0009). */
#define SC_WAKE_HOLDS_MS 5000

void sc_hearing_init(struct sc_hearing *h);
void sc_hearing_fini(struct sc_hearing *h);
/* Forget, then take what a seal says. */
void sc_hearing_restore(struct sc_hearing *h, const struct sc_seal *seal);
/* Forget, then hear what `from` has heard. */
void sc_hearing_copy(struct sc_hearing *h, const struct sc_hearing *from);
void sc_hearing_take(struct sc_hearing *h, const struct sc_heartbeat *hb, int64_t append_ms);
/* Move the watermark. `event_clock`: idle partitions do not hold, and do not move, time. */
int64_t sc_hearing_watermark(struct sc_hearing *h, const struct sc_taxonomy *tx, bool event_clock);

#endif
