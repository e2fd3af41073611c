/* The resolve worker's transaction: frames for journal partitions, heartbeats, trailers, offsets.
 *
 * Source: reliability.md "A transaction", "Time"; docs/adr/0007, 0012. */
#include "engine/resolve_priv.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/random.h"
#include "codec/seal.h"
#include "core/identity/identity.h"
#include <stdlib.h>

#define ERROR_RATE_LEAST 100u /* records a minute before the rate counts */

/* ---- transactions */

void sc_resolve_clear(struct sc_resolve *r)
{
    sc_arena_reset(&r->ar, SC_RESOLVE_KEEP_BYTES);
    sc_arena_reset(&r->batch, SC_RESOLVE_KEEP_BYTES);
    for (uint32_t p = 0; p < r->w->cfg->partitions; p++) {
        sc_frame_start(&r->frames[p], r->projection);
        r->records[p] = 0;
    }
    for (uint32_t i = 0; i < r->n_in; i++) {
        r->in[i].touched = false;
        r->in[i].next_txn = r->in[i].next;
    }
    r->open = r->beat = false;
    r->written = 0;
    sc_worker_uncounted(r->w);
}

void sc_resolve_doubt(struct sc_resolve *r, enum sc_err why)
{
    if (r->open) {
        r->w->log->ops->abort(r->w->log);
        sc_count(&r->w->counters.aborts, 1);
        sc_logf(SC_LOG_WARN, "resolve", "transaction dropped: %s", sc_err_text(why));
    }
    /* Whether the journal has it is not known: the next transaction is not counted behind it, and
     * its links are not believed. */
    r->boot = sc_random_id();
    memset(r->k, 0, r->w->cfg->partitions * sizeof(*r->k));
    sc_hints_forget(&r->hints);
    sc_resolve_clear(r);
    r->doubt = true;
}

bool sc_resolve_begin(struct sc_resolve *r)
{
    if (r->open)
        return true;
    enum sc_err e = r->w->log->ops->begin(r->w->log);
    if (e != SC_ERR_OK)
        return sc_resolve_doubt(r, e), false;
    r->open = true;
    r->pace.opened_ms = sc_resolve_mono(r);
    return true;
}

/* ---- frames */

static bool send_frame(struct sc_resolve *r, uint32_t to)
{
    struct sc_out out = {.topic = SC_OUT_JOURNAL, .partition = (int32_t)to,
                         .value = sc_frame_finish(&r->frames[to])};
    sc_count(&r->w->txn.frames, 1);
    r->written += out.value.len;
    bool fine = r->w->log->ops->produce(r->w->log, &out) == SC_ERR_OK;
    sc_frame_start(&r->frames[to], r->projection);
    return fine;
}

static bool room(struct sc_resolve *r, uint32_t to)
{
    return r->frames[to].n == 0 || !sc_frame_full(&r->frames[to], 0) || send_frame(r, to);
}

bool sc_resolve_send(struct sc_resolve *r, const struct sc_record *rec)
{
    uint32_t to = sc_node_partition(&rec->to, r->w->cfg->partitions);
    if (!room(r, to))
        return false;
    sc_frame_record(&r->frames[to], r->jo, rec);
    r->records[to]++;
    return true;
}

/* ---- heartbeats */

static struct sc_progress progress_of(const struct sc_resolve *r, const struct sc_intake *in,
                                      int64_t mono_ms)
{
    const struct sc_source *src = &r->jo->tx->sources[in->topic];
    bool ended = in->ended_ms && mono_ms - in->ended_ms >= src->idle_after_ms;
    return (struct sc_progress){
        .source = src->hash,
        .partition = in->partition,
        .ms = in->progress_ms == SC_NEVER ? SC_NEVER : in->progress_ms - src->disorder_ms,
        .idle = ended,
        .empty = in->ended_ms && !in->any,
    };
}

bool sc_resolve_beat(struct sc_resolve *r)
{
    const struct sc_taxonomy *tx = r->jo->tx;
    int64_t mono_ms = sc_resolve_mono(r);
    struct sc_progress *pr = SC_NEW_N(&r->ar, struct sc_progress, r->n_in + 1);
    struct sc_source_parts *sp = SC_NEW_N(&r->ar, struct sc_source_parts, tx->n_sources + 1);
    for (uint32_t i = 0; i < r->n_in; i++)
        pr[i] = progress_of(r, &r->in[i], mono_ms);
    struct sc_heartbeat hb = {.progress = pr, .n = r->n_in, .parts = sp};
    for (uint32_t s = 0; s < tx->n_sources; s++) {
        int32_t n = r->w->log->ops->partitions(r->w->log, (uint16_t)s);
        if (n > 0)
            sp[hb.n_parts++] = (struct sc_source_parts){tx->sources[s].hash, n};
    }
    for (uint32_t to = 0; to < r->w->cfg->partitions; to++) {
        if (r->frames[to].n && !send_frame(r, to))
            return false;
        sc_frame_heartbeat(&r->frames[to], &hb);
        if (!send_frame(r, to))
            return false;
    }
    r->beat = true;
    r->beat_ms = mono_ms;
    return true;
}

/* ---- commit */

/* Every partition this transaction writes to gets a trailer: the reader finds gaps by it. */
static bool write_trailers(struct sc_resolve *r)
{
    for (uint32_t to = 0; to < r->w->cfg->partitions; to++) {
        if (r->records[to] == 0 && !r->beat)
            continue;
        struct sc_trailer tr = {r->boot, r->k[to] + 1, r->records[to]};
        if (!room(r, to))
            return false;
        sc_frame_trailer(&r->frames[to], &tr);
        if (!send_frame(r, to))
            return false;
    }
    return true;
}

/* Too many bad records in a minute are no longer bad records but a bad deployment. Those of a
 * transaction that was dropped are read again: they count once. */
static void watch_rate(struct sc_resolve *r)
{
    int64_t mono_ms = sc_resolve_mono(r);
    int64_t minute = mono_ms / SC_MINUTE_MS;
    if (minute != r->minute_ms) {
        r->minute_ms = minute;
        r->minute_records = r->minute_faults = 0;
    }
    r->minute_records += r->w->txn.records;
    r->minute_faults += r->w->txn.dead_letters;
    int32_t most = r->w->cfg->max_error_bp;
    if (most > 0 && r->minute_records >= ERROR_RATE_LEAST &&
        r->minute_faults * 10000 > r->minute_records * (uint64_t)most)
        r->failed = true;
}

static void committed(struct sc_resolve *r)
{
    for (uint32_t to = 0; to < r->w->cfg->partitions; to++)
        r->k[to] += r->records[to] || r->beat;
    for (uint32_t i = 0; i < r->n_in; i++) {
        struct sc_intake *in = &r->in[i];
        if (in->touched)
            sc_tries_passed(&in->tries, in->next_txn);
        if (in->touched || r->beat)
            in->committed = in->next_txn;
        in->next = in->next_txn;
    }
    sc_count(&r->w->counters.transactions, 1);
    watch_rate(r);
    sc_worker_counted(r->w);
}

/* Offset metadata: who commits, how often the record there was tried, and how far time has come by
 * those before it: the next owner reads none of them, and a heartbeat may not have said it. */
static struct sc_str metadata(struct sc_resolve *r, const struct sc_intake *in, uint32_t tries)
{
    struct sc_meta meta = {.incarnation = (uint64_t)in->began_ms, .seal = -1,
                           .config_hash = r->jo->config_hash, .tries = tries};
    if (in->progress_ms != SC_NEVER)
        meta.seq = (uint64_t)in->progress_ms;
    char *text = sc_arena_alloc(&r->ar, SC_META_MAX);
    memcpy(meta.writer, r->w->writer, sizeof(meta.writer));
    return (struct sc_str){text, sc_meta_format(&meta, text)};
}

bool sc_resolve_commit(struct sc_resolve *r)
{
    struct sc_tp *tps = SC_NEW_N(&r->ar, struct sc_tp, r->n_in + 1);
    uint32_t n = 0;
    int64_t began_ms = sc_resolve_mono(r);
    /* A heartbeat speaks for all partitions, so its transaction is fenced by the offsets of all. */
    for (uint32_t i = 0; i < r->n_in; i++) {
        const struct sc_intake *in = &r->in[i];
        uint32_t tries = in->touched ? sc_tries_after(&in->tries, in->next_txn)
                                     : sc_tries_now(&in->tries, in->committed);
        if (in->touched || r->beat)
            tps[n++] = (struct sc_tp){in->topic, in->partition, in->next_txn,
                                      metadata(r, in, tries)};
    }
    enum sc_err e = write_trailers(r) ? r->w->log->ops->flush(r->w->log) : SC_ERR_ABORT;
    if (e == SC_ERR_OK)
        e = r->w->log->ops->commit(r->w->log, tps, n);
    if (e != SC_ERR_OK)
        return sc_resolve_doubt(r, e), false;
    committed(r);
    r->pace.last_ms = began_ms;
    sc_resolve_clear(r);
    sc_worker_moves(r->w);
    return true;
}

enum sc_err sc_resolve_claim(struct sc_resolve *r, struct sc_intake *const *ins, uint32_t n)
{
    struct sc_tp *tps = SC_NEW_N(&r->ar, struct sc_tp, n + 1);
    for (uint32_t i = 0; i < n; i++)
        tps[i] = (struct sc_tp){ins[i]->topic, ins[i]->partition, ins[i]->committed,
                                metadata(r, ins[i],
                                         sc_tries_now(&ins[i]->tries, ins[i]->committed))};
    SC_ASSERT(!r->open);
    enum sc_err e = r->w->log->ops->begin(r->w->log);
    if (e != SC_ERR_OK)
        return e;
    for (uint32_t i = 0; i < n; i++) /* before the outcome, which may be lost: one try a life */
        ins[i]->tries.claimed = ins[i]->committed;
    return r->w->log->ops->commit(r->w->log, tps, n);
}
