/* How a source partition comes to be owned: dead writers fenced, its place found, how often that was
 * tried written down. The only way out of every doubt. Source: reliability.md "Acquire a partition". */
#include "engine/resolve_priv.h"

#include "base/log.h"
#include "codec/seal.h"
#include "engine/place.h"
#include <stdlib.h>

#define COMMITTED_TIMEOUT_MS 5000

/* When a source was first read, by what the owners of its partitions have committed, whoever they
 * are; 0: never. A release before this one did not write it down: long ago. */
static enum sc_err first_read(struct sc_resolve *r, uint16_t topic, int64_t *ms)
{
    struct sc_log *lg = r->w->log;
    int32_t n = lg->ops->partitions(lg, topic);
    struct sc_tp *all = SC_NEW_N(&r->ar, struct sc_tp, (size_t)(n > 0 ? n : 0) + 1);
    for (int32_t p = 0; p < n; p++)
        all[p] = (struct sc_tp){.topic = topic, .partition = p, .offset = -1};
    *ms = 0;
    if (n <= 0)
        return SC_ERR_UNAVAILABLE;
    enum sc_err e = lg->ops->committed(lg, all, (uint32_t)n, COMMITTED_TIMEOUT_MS, &r->ar);
    for (int32_t p = 0; e == SC_ERR_OK && p < n; p++) {
        struct sc_meta meta;
        if (all[p].offset < 0)
            continue;
        bool said = sc_meta_parse(all[p].metadata, &meta) && meta.incarnation > 0;
        int64_t then = said ? (int64_t)meta.incarnation : 1;
        if (*ms == 0 || then < *ms)
            *ms = then;
    }
    return e;
}

/* Where to begin with a partition that nobody has read. `latest` is the end at the very first start:
 * of a partition that was added since, or that another worker has just not come to, that is its
 * first record after that start. */
static enum sc_err first_offset(struct sc_resolve *r, const struct sc_tp *tp, bool topic_known,
                                int64_t *offset, int64_t *began_ms)
{
    struct sc_log *lg = r->w->log;
    const struct sc_source *src = &r->jo->tx->sources[tp->topic];
    int64_t low, high, stable;
    enum sc_err e = lg->ops->watermarks(lg, tp->topic, tp->partition, &low, &high, &stable);
    if (e == SC_ERR_OK && src->start == SC_START_LATEST)
        e = first_read(r, tp->topic, began_ms);
    if (e != SC_ERR_OK)
        return e;
    if (src->start == SC_START_LATEST && *began_ms > 0)
        return lg->ops->offset_at(lg, tp->topic, tp->partition, *began_ms, offset);
    *began_ms = r->w->clock.now_ms(r->w->clock.arg);
    if (src->start == SC_START_TIME && !topic_known)
        return lg->ops->offset_at(lg, tp->topic, tp->partition, src->start_ms, offset);
    *offset = src->start == SC_START_LATEST ? high : low;
    return SC_ERR_OK;
}

static bool any_committed(const struct sc_tp *tps, uint32_t n, uint16_t topic)
{
    for (uint32_t i = 0; i < n; i++)
        if (tps[i].topic == topic && tps[i].offset >= 0)
            return true;
    return false;
}

/* Some journal partition cannot be read to its end: a transaction is open in it. */
static bool journal_held(const struct sc_resolve *r)
{
    const struct sc_log_ops *ops = r->w->log->ops;
    for (uint32_t p = 0; p < r->w->cfg->partitions; p++) {
        int64_t low, high, stable;
        if (ops->out_watermarks(r->w->log, SC_OUT_JOURNAL, (int32_t)p, &low, &high, &stable) ==
                SC_ERR_OK && high > stable)
            return true;
    }
    return false;
}

/* A dead worker's open transaction keeps the journal from being read: fence it, if it is dead. */
static void fence_dead(struct sc_resolve *r, struct sc_str metadata, bool pending)
{
    struct sc_log *lg = r->w->log;
    struct sc_meta meta;
    if (!sc_meta_parse(metadata, &meta) || strcmp(meta.writer, r->w->writer) == 0 ||
        lg->ops->member_alive(lg, sc_str_from(meta.writer)) || !(pending || journal_held(r)))
        return;
    sc_logf(SC_LOG_WARN, "resolve", "fencing %s: it left a transaction open", meta.writer);
    lg->ops->fence(lg, sc_str_from(meta.writer));
}

static enum sc_err ask_committed(struct sc_resolve *r, struct sc_tp *tps, uint32_t n)
{
    struct sc_log *lg = r->w->log;
    enum sc_err e = lg->ops->committed(lg, tps, n, COMMITTED_TIMEOUT_MS, &r->ar);
    for (uint32_t i = 0; e == SC_ERR_TIMEOUT && i < n; i++) {
        struct sc_str text;
        if (tps[i].offset == -2 && lg->ops->last_metadata(lg, &tps[i], &r->ar, &text) == SC_ERR_OK)
            fence_dead(r, text, true);
    }
    if (e == SC_ERR_TIMEOUT)
        e = lg->ops->committed(lg, tps, n, COMMITTED_TIMEOUT_MS, &r->ar);
    for (uint32_t i = 0; e == SC_ERR_OK && i < n; i++)
        fence_dead(r, tps[i].metadata, false);
    return e;
}

/* How often this place was tried before (tries.h). */
static enum sc_err count_try(struct sc_resolve *r, const struct sc_tp *tp,
                             const struct sc_meta *meta, struct sc_tries *tries)
{
    int64_t low, high = INT64_MAX, stable;
    enum sc_err e = SC_ERR_OK;
    if (sc_tries_found(tries, meta->tries, tp->offset))
        e = r->w->log->ops->watermarks(r->w->log, tp->topic, tp->partition, &low, &high, &stable);
    if (e == SC_ERR_OK)
        sc_tries_end(tries, tp->offset, high);
    return e;
}

/* What this life knew of a partition, if it owned it before. */
static struct sc_tries tries_of(const struct sc_resolve *r, const struct sc_tp *tp)
{
    struct sc_tries none;
    sc_tries_init(&none);
    for (uint32_t i = 0; i < r->n_in; i++)
        if (r->in[i].topic == tp->topic && r->in[i].partition == tp->partition)
            return r->in[i].tries;
    return none;
}

/* Where this partition is to be read on; -1 in tp: its place is gone. */
static enum sc_err own(struct sc_resolve *r, struct sc_tp *tp, bool topic_known, struct sc_intake *in)
{
    const struct sc_source *src = &r->jo->tx->sources[tp->topic];
    char why[SC_PLACE_WHY] = "";
    bool fresh = tp->offset < 0;
    struct sc_tries tries = in->tries;
    struct sc_meta meta;
    if (!sc_meta_parse(tp->metadata, &meta))
        meta = (struct sc_meta){0}; /* nobody's, or somebody else's */
    int64_t began_ms = (int64_t)meta.incarnation;
    enum sc_err e = fresh ? first_offset(r, tp, topic_known, &tp->offset, &began_ms) : SC_ERR_OK;
    int64_t committed = tp->offset;
    if (e == SC_ERR_OK)
        e = count_try(r, tp, &meta, &tries);
    if (e == SC_ERR_OK && !fresh)
        e = sc_place_check(r->w, src->topic, tp, why);
    if (e != SC_ERR_OK)
        return e;
    if (why[0])
        sc_logf(SC_LOG_ERROR, "resolve", "source %.*s, partition %d stopped: %s",
                SC_STR_FMT(src->name), tp->partition, why);
    int64_t next = why[0] ? committed : tp->offset;
    *in = (struct sc_intake){.topic = tp->topic, .partition = tp->partition, .committed = committed,
                          .next = next, .next_txn = next, .began_ms = began_ms,
                          .progress_ms = meta.seq ? (int64_t)meta.seq : SC_NEVER,
                          .any = !fresh || next > 0, .stopped = why[0] != '\0', .tries = tries};
    return SC_ERR_OK;
}

/* Step 8 of reliability.md "Acquire a partition": what was counted is written down. */
static enum sc_err claim_all(struct sc_resolve *r)
{
    struct sc_intake **ins = SC_NEW_N(&r->ar, struct sc_intake *, r->n_in + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_in; i++)
        if (!r->in[i].stopped)
            ins[n++] = &r->in[i];
    return n ? sc_resolve_claim(r, ins, n) : SC_ERR_OK;
}

enum sc_err sc_resolve_own(struct sc_resolve *r)
{
    struct sc_log *lg = r->w->log;
    const struct sc_tp *owned;
    uint32_t n = lg->ops->assigned(lg, &owned);
    struct sc_tp *tps = SC_NEW_N(&r->ar, struct sc_tp, n + 1);
    struct sc_tp *asked = SC_NEW_N(&r->ar, struct sc_tp, n + 1); /* as committed */
    enum sc_err e = SC_ERR_OK;
    if (n) {
        memcpy(tps, owned, n * sizeof(*tps));
        e = ask_committed(r, tps, n);
    }
    memcpy(asked, tps, n * sizeof(*tps));
    struct sc_intake *in = sc_calloc(n + 1, sizeof(*in));
    for (uint32_t i = 0; i < n; i++)
        in[i] = (struct sc_intake){.topic = tps[i].topic, .partition = tps[i].partition,
                                .tries = tries_of(r, &tps[i])};
    free(r->in);
    r->in = in;
    r->n_in = n;
    for (uint32_t i = 0; e == SC_ERR_OK && i < n; i++)
        e = own(r, &tps[i], any_committed(asked, n, tps[i].topic), &r->in[i]);
    if (e == SC_ERR_OK)
        e = claim_all(r);
    return e == SC_ERR_OK && n ? lg->ops->rewind(lg, tps, n) : e;
}
