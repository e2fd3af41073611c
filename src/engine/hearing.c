/* See hearing.h. */
#include "engine/hearing.h"

#include "base/assert.h"
#include "core/journey/state.h"
#include <stdlib.h>

void sc_hearing_init(struct sc_hearing *h)
{
    memset(h, 0, sizeof(*h));
    h->last_ms = h->watermark_ms = SC_NEVER;
}

void sc_hearing_fini(struct sc_hearing *h)
{
    free(h->progress);
    free(h->heard_ms);
    free(h->parts);
    sc_hearing_init(h);
}

/* Where (source, partition) stands, or would. */
static uint32_t find(const struct sc_hearing *h, uint32_t source, int32_t partition)
{
    uint32_t from = 0, to = h->n;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        const struct sc_progress *p = &h->progress[mid];
        if (p->source < source || (p->source == source && p->partition < partition))
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static bool is_at(const struct sc_hearing *h, uint32_t at, uint32_t source, int32_t partition)
{
    return at < h->n && h->progress[at].source == source && h->progress[at].partition == partition;
}

static void hear(struct sc_hearing *h, const struct sc_progress *pr, int64_t append_ms)
{
    uint32_t at = find(h, pr->source, pr->partition);
    bool known = is_at(h, at, pr->source, pr->partition);
    bool silent = !known || h->progress[at].idle || h->progress[at].empty ||
                  h->progress[at].ms == SC_NEVER;
    if (silent && !pr->idle && !pr->empty && pr->ms != SC_NEVER)
        h->woke_ms = append_ms;
    if (!known) {
        if (h->n == h->cap) {
            h->cap = h->cap ? h->cap * 2 : 16;
            h->progress = sc_realloc(h->progress, h->cap * sizeof(*h->progress));
            h->heard_ms = sc_realloc(h->heard_ms, h->cap * sizeof(*h->heard_ms));
        }
        memmove(h->progress + at + 1, h->progress + at, (h->n - at) * sizeof(*h->progress));
        memmove(h->heard_ms + at + 1, h->heard_ms + at, (h->n - at) * sizeof(*h->heard_ms));
        h->progress[at] = *pr;
        h->n++;
    } else {
        /* Another owner may remember less: offsets that were reset carry no progress. */
        int64_t before = h->progress[at].ms;
        h->progress[at] = *pr;
        if (before > pr->ms)
            h->progress[at].ms = before;
    }
    h->heard_ms[at] = append_ms;
}

static void hear_parts(struct sc_hearing *h, const struct sc_source_parts *sp)
{
    for (uint32_t i = 0; i < h->n_parts; i++)
        if (h->parts[i].source == sp->source) {
            h->parts[i] = *sp;
            return;
        }
    h->parts = sc_realloc(h->parts, (h->n_parts + 1) * sizeof(*h->parts));
    h->parts[h->n_parts++] = *sp;
}

void sc_hearing_take(struct sc_hearing *h, const struct sc_heartbeat *hb, int64_t append_ms)
{
    for (uint32_t i = 0; i < hb->n; i++)
        hear(h, &hb->progress[i], append_ms);
    for (uint32_t i = 0; i < hb->n_parts; i++)
        hear_parts(h, &hb->parts[i]);
    if (append_ms > h->last_ms)
        h->last_ms = append_ms;
}

void sc_hearing_restore(struct sc_hearing *h, const struct sc_seal *seal)
{
    sc_hearing_fini(h);
    for (uint32_t i = 0; i < seal->n_progress; i++) {
        hear(h, &seal->progress[i], seal->heard_ms[i]);
        if (seal->heard_ms[i] > h->last_ms)
            h->last_ms = seal->heard_ms[i];
    }
    for (uint32_t i = 0; i < seal->n_parts; i++)
        hear_parts(h, &seal->parts[i]);
    h->watermark_ms = seal->watermark_ms;
    h->woke_ms = seal->woke_ms;
}

void sc_hearing_copy(struct sc_hearing *h, const struct sc_hearing *from)
{
    struct sc_seal all = {.progress = from->progress, .heard_ms = from->heard_ms,
                          .n_progress = from->n, .parts = from->parts, .n_parts = from->n_parts,
                          .watermark_ms = from->watermark_ms, .woke_ms = from->woke_ms};
    SC_ASSERT(h != from);
    sc_hearing_restore(h, &all);
    h->last_ms = from->last_ms;
}

static int32_t partitions_of(const struct sc_hearing *h, uint32_t source)
{
    for (uint32_t i = 0; i < h->n_parts; i++)
        if (h->parts[i].source == source)
            return h->parts[i].partitions;
    return -1;
}

/* What one partition says of time: SC_NEVER: it holds everything; INT64_MAX: it does not hold. */
static int64_t says(const struct sc_hearing *h, uint32_t at, int64_t idle_after_ms,
                    bool event_clock)
{
    const struct sc_progress *p = &h->progress[at];
    bool believed = (p->idle || p->empty) && h->last_ms - h->heard_ms[at] <= SC_IDLE_HOLDS_MS;
    if (!believed)
        return p->ms;
    if (event_clock)
        return h->last_ms - h->woke_ms >= SC_WAKE_HOLDS_MS ? INT64_MAX : p->ms;
    int64_t idle_ms = h->heard_ms[at] - idle_after_ms;
    return idle_ms > p->ms ? idle_ms : p->ms;
}

int64_t sc_hearing_watermark(struct sc_hearing *h, const struct sc_taxonomy *tx, bool event_clock)
{
    int64_t least = INT64_MAX;
    for (uint32_t s = 0; s < tx->n_sources; s++) {
        const struct sc_source *src = &tx->sources[s];
        int32_t n = partitions_of(h, src->hash);
        if (n < 0)
            return h->watermark_ms;
        for (int32_t p = 0; p < n; p++) {
            uint32_t at = find(h, src->hash, p);
            if (!is_at(h, at, src->hash, p))
                return h->watermark_ms;
            int64_t ms = says(h, at, src->idle_after_ms, event_clock);
            least = ms < least ? ms : least;
        }
    }
    if (least != INT64_MAX && least > h->watermark_ms)
        h->watermark_ms = least;
    return h->watermark_ms;
}
