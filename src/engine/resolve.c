/* The resolve worker: records of the source topics in, journal frames out.
 *
 * A batch goes through the stages in their order, a group at a time: decode and validate, look up who
 * it is, route. All that a group needs lives in its own arena, small enough for the second cache.
 * Nothing is decided about identity here (core/identity/owner.c does, in the journal), so a wrong
 * or missing hint costs a hop and no more. Heartbeats say how far each source partition has come.
 * Source: reliability.md "Identity", "Time"; semantics 9-12. */
#include "engine/worker.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/prefetch.h"
#include "codec/journal.h"
#include "codec/seal.h"
#include "core/identity/identity.h"
#include "core/journey/step.h"
#include "engine/deadletter.h"
#include "engine/decoders.h"
#include "engine/hints.h"
#include "engine/place.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define HEARTBEAT_MS 500
#define RETRY_MS 500
#define COMMITTED_TIMEOUT_MS 5000
#define TXN_KEEP_BYTES (8u << 20)
#define GROUP_KEEP_BYTES (8u << 20)
#define GROUP 256u /* records that share a look-up in Redis */
#define AHEAD 3u   /* records whose memory is on its way: another core unpacked them */
#define LINES 4u   /* of each */
#define ERROR_RATE_LEAST 100u /* records a minute before the rate counts */
#define HEADERS_MAX 64u

/* One source partition owned. */
struct intake {
    uint16_t topic;       /* source index */
    int32_t partition;
    int64_t next;         /* offset to go on at, as committed */
    int64_t next_txn;     /* after the transaction in hand */
    int64_t progress_ms;  /* largest occurred_at, each at most its record's timestamp */
    int64_t ended_ms;     /* monotonic: read to the end since; 0: not at the end */
    bool any;             /* it has, or had, a record */
    bool touched;
    bool stopped;         /* its place is gone: paused, and its progress holds time */
};

struct resolve {
    struct sc_worker *w;
    const struct sc_journey *jo;
    struct sc_pseudonyms *ps;
    struct sc_decoders *decoders;
    struct sc_hints hints;
    struct intake *in;
    uint32_t n_in, in_last;
    struct sc_arena ar;             /* the transaction's */
    struct sc_arena group;          /* of the records between decode and route */
    struct sc_frame_writer *frames; /* P */
    uint32_t *records;              /* P: in this transaction, for the trailers */
    uint64_t *k;                    /* P: this life's transactions to each partition */
    uint64_t boot, projection;
    bool open, doubt, beat;
    int64_t opened_ms, beat_ms;
    uint64_t written;
    uint64_t minute_records, minute_faults;
    int64_t minute_ms;
    bool failed;                    /* max_error_rate passed: end with the reason */
};

static int64_t mono(const struct resolve *r)
{
    return r->w->clock.mono_ms(r->w->clock.arg);
}

/* ---- transactions */

static uint64_t random_id(void)
{
    uint64_t id = 0;
    while (id == 0)
        if (getrandom(&id, sizeof(id), 0) != sizeof(id))
            id = (uint64_t)sc_time_now_ms();
    return id;
}

static void txn_clear(struct resolve *r)
{
    sc_arena_reset(&r->ar, TXN_KEEP_BYTES);
    sc_arena_reset(&r->group, GROUP_KEEP_BYTES);
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
}

static void doubt(struct resolve *r, enum sc_err why)
{
    if (r->open) {
        r->w->log->ops->abort(r->w->log);
        sc_count(&r->w->counters.aborts, 1);
        sc_logf(SC_LOG_WARN, "resolve", "transaction dropped: %s", sc_err_text(why));
    }
    /* Whether the journal has it is not known: the next transaction is not counted behind it, and
     * its links are not believed. */
    r->boot = random_id();
    memset(r->k, 0, r->w->cfg->partitions * sizeof(*r->k));
    sc_hints_forget(&r->hints);
    txn_clear(r);
    r->doubt = true;
}

static bool txn_open(struct resolve *r)
{
    if (r->open)
        return true;
    enum sc_err e = r->w->log->ops->begin(r->w->log);
    if (e != SC_ERR_OK)
        return doubt(r, e), false;
    r->open = true;
    r->opened_ms = mono(r);
    return true;
}

static void wait_and_say(struct resolve *r, const char *why)
{
    struct sc_poll_result res;
    atomic_store(&r->w->status.why, why);
    r->w->log->ops->release(r->w->log); /* the batch in hand is read again after the takeover */
    if (r->w->log->ops->poll(r->w->log, RETRY_MS, &res) == SC_ERR_OK &&
        res.what == SC_POLL_MESSAGES)
        r->w->log->ops->release(r->w->log);
    r->doubt = true;
}

/* ---- frames */

static bool send_frame(struct resolve *r, uint32_t to)
{
    struct sc_out out = {.topic = SC_OUT_JOURNAL, .partition = (int32_t)to,
                         .value = sc_frame_finish(&r->frames[to])};
    sc_count(&r->w->counters.frames, 1);
    r->written += out.value.len;
    bool fine = r->w->log->ops->produce(r->w->log, &out) == SC_ERR_OK;
    sc_frame_start(&r->frames[to], r->projection);
    return fine;
}

static bool room(struct resolve *r, uint32_t to)
{
    return r->frames[to].n == 0 || !sc_frame_full(&r->frames[to], 0) || send_frame(r, to);
}

static bool send_record(struct resolve *r, const struct sc_record *rec)
{
    uint32_t to = sc_node_partition(&rec->to, r->w->cfg->partitions);
    if (!room(r, to))
        return false;
    sc_frame_record(&r->frames[to], r->jo, rec);
    r->records[to]++;
    return true;
}

/* ---- heartbeats */

static struct sc_progress progress_of(const struct resolve *r, const struct intake *in,
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

/* Say to every journal partition how far the owned source partitions have come. In a frame of its
 * own: an owner that cannot fire all it makes ripe in one transaction takes it again. */
static bool heartbeat(struct resolve *r)
{
    const struct sc_taxonomy *tx = r->jo->tx;
    int64_t mono_ms = mono(r);
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

static bool beat_due(const struct resolve *r)
{
    return r->n_in > 0 && mono(r) - r->beat_ms >= HEARTBEAT_MS;
}

/* ---- commit */

/* Every partition this transaction writes to gets a trailer: the reader finds gaps by it. */
static bool write_trailers(struct resolve *r)
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

static void committed(struct resolve *r)
{
    for (uint32_t to = 0; to < r->w->cfg->partitions; to++)
        r->k[to] += r->records[to] || r->beat;
    for (uint32_t i = 0; i < r->n_in; i++)
        r->in[i].next = r->in[i].next_txn;
    sc_count(&r->w->counters.transactions, 1);
}

static bool commit(struct resolve *r)
{
    struct sc_tp *tps = SC_NEW_N(&r->ar, struct sc_tp, r->n_in + 1);
    struct sc_meta meta = {.config_hash = r->jo->config_hash, .seal = -1};
    char *text = sc_arena_alloc(&r->ar, SC_META_MAX);
    memcpy(meta.writer, r->w->writer, sizeof(meta.writer));
    struct sc_str metadata = {text, sc_meta_format(&meta, text)};
    uint32_t n = 0;
    /* A heartbeat speaks for all partitions, so its transaction is fenced by the offsets of all. */
    for (uint32_t i = 0; i < r->n_in; i++)
        if (r->in[i].touched || r->beat)
            tps[n++] = (struct sc_tp){r->in[i].topic, r->in[i].partition, r->in[i].next_txn,
                                      metadata};
    enum sc_err e = write_trailers(r) ? r->w->log->ops->flush(r->w->log) : SC_ERR_ABORT;
    if (e == SC_ERR_OK)
        e = r->w->log->ops->commit(r->w->log, tps, n);
    if (e != SC_ERR_OK)
        return doubt(r, e), false;
    committed(r);
    txn_clear(r);
    sc_worker_moves(r->w);
    return true;
}

static bool commit_due(const struct resolve *r)
{
    return r->open && (mono(r) - r->opened_ms >= r->w->cfg->commit_interval_ms ||
                       r->written >= r->w->cfg->txn_max_bytes);
}

/* ---- stage 1: decode and validate */

static struct intake *intake_of(struct resolve *r, const struct sc_msg *m)
{
    for (uint32_t i = 0; i < r->n_in; i++) {
        uint32_t at = (r->in_last + i) % r->n_in; /* messages come in runs of one partition */
        if (r->in[at].topic == m->topic && r->in[at].partition == m->partition)
            return &r->in[r->in_last = at];
    }
    return NULL;
}

static struct sc_str traceparent_of(struct resolve *r, const struct sc_msg *m)
{
    struct sc_header hs[HEADERS_MAX];
    uint32_t n = r->w->log->ops->headers(r->w->log, m, hs, HEADERS_MAX);
    for (uint32_t i = 0; i < n; i++)
        if (sc_str_eqz(hs[i].name, "traceparent"))
            return sc_str_dup(&r->group, hs[i].value);
    return SC_STR_NULL;
}

/* Too many bad records in a minute are no longer bad records but a bad deployment. */
static void watch_rate(struct resolve *r, int64_t mono_ms, uint64_t records, uint64_t faults)
{
    int64_t minute = mono_ms / SC_MINUTE_MS;
    if (minute != r->minute_ms) {
        r->minute_ms = minute;
        r->minute_records = r->minute_faults = 0;
    }
    r->minute_records += records;
    r->minute_faults += faults;
    int32_t most = r->w->cfg->max_error_bp;
    if (most > 0 && r->minute_records >= ERROR_RATE_LEAST &&
        r->minute_faults * 10000 > r->minute_records * (uint64_t)most)
        r->failed = true;
}

/* The event of a record, or NULL: a dead letter, a counted drop, or (r->doubt) a server to wait
 * for. */
static struct sc_event *decode(struct resolve *r, const struct sc_source *src,
                               const struct sc_msg *m, uint64_t *faults)
{
    struct sc_decoding d;
    struct sc_event *ev = sc_arena_alloc(&r->group, sizeof(*ev));
    enum sc_err e = sc_decoders_get(r->decoders, src, m->value, &d);
    if (e != SC_ERR_OK) {
        doubt(r, e);
        wait_and_say(r, "the schema registry does not answer");
        return NULL;
    }
    if (d.drop == SC_DROP_NONE) {
        struct sc_value *slots =
            sc_arena_alloc(&r->group, sizeof(*slots) * (src->projection.n + 1));
        d.drop = sc_decode(d.decoder, d.body, &r->group, slots, &d.fault);
        struct sc_record_meta meta = {
            .timestamp_ms = m->timestamp_ms,
            .origin = {src->topic, m->partition, m->offset},
            .traceparent = traceparent_of(r, m),
        };
        if (d.drop == SC_DROP_NONE)
            d.drop = sc_intake(r->jo->tx, src, slots, &meta, r->ps, &r->group, ev, &d.fault);
    }
    if (d.drop == SC_DROP_NONE)
        return ev;
    *faults += sc_drop_dead_letter(d.drop);
    if (!sc_drop_dead_letter(d.drop))
        sc_count(&r->w->counters.drops[d.drop], 1);
    else if (sc_dead_letter(r->w, src->topic, m, d.drop, &d.fault, &r->group) != SC_ERR_OK)
        doubt(r, SC_ERR_ABORT);
    return NULL;
}

static void move_time(struct intake *in, const struct sc_event *ev, const struct sc_msg *m)
{
    int64_t ms = ev->occurred_ms;
    if (m->timestamp_ms >= 0 && m->timestamp_ms < ms)
        ms = m->timestamp_ms; /* a wrong clock cannot leap time */
    if (ms > in->progress_ms)
        in->progress_ms = ms;
}

/* Events with an identifier, in order. UINT32_MAX: in doubt. */
static uint32_t decode_group(struct resolve *r, const struct sc_msg *msgs, uint32_t n,
                             int64_t mono_ms, struct sc_event **evs)
{
    struct sc_counters *c = &r->w->counters;
    uint64_t records = 0, bytes = 0, faults = 0, anonymous = 0;
    uint32_t out = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            sc_prefetch(msgs[i + AHEAD].value.p, msgs[i + AHEAD].value.len, LINES);
        struct intake *in = intake_of(r, &msgs[i]);
        if (in == NULL || msgs[i].offset < in->next_txn)
            continue;
        struct sc_event *ev = decode(r, &r->jo->tx->sources[msgs[i].topic], &msgs[i], &faults);
        if (r->doubt)
            return UINT32_MAX;
        in->next_txn = msgs[i].offset + 1;
        in->any = in->touched = true;
        in->ended_ms = 0;
        records++;
        bytes += msgs[i].value.len;
        if (ev == NULL)
            continue;
        move_time(in, ev, &msgs[i]);
        sc_count(&c->deprecated_events, ev->deprecated);
        sc_count(&c->clamped_events, ev->clamped);
        anonymous += ev->n_ids == 0;
        if (ev->n_ids)
            evs[out++] = ev;
    }
    sc_count(&c->records, records);
    sc_count(&c->record_bytes, bytes);
    sc_count(&c->anonymous_events, anonymous);
    sc_count(&c->drops[SC_DROP_ANONYMOUS], anonymous);
    watch_rate(r, mono_ms, records, faults);
    return out;
}

/* ---- stages 2 and 3: who is it, and where does it go */

static bool route_group(struct resolve *r, struct sc_event **evs, uint32_t n, int64_t mono_ms)
{
    sc_roots *roots = sc_arena_alloc(&r->group, sizeof(*roots) * (n + 1));
    sc_hints_roots(&r->hints, evs, roots, n, mono_ms, &r->group);
    struct sc_record *rec = SC_NEW(&r->group, struct sc_record);
    for (uint32_t i = 0; i < n; i++) {
        sc_route(evs[i], roots[i], rec);
        if (!send_record(r, rec))
            return doubt(r, SC_ERR_ABORT), false;
        /* What is being linked is believed linked: the next event needs no link. */
        for (uint32_t k = 0; k < rec->n_links; k++) {
            const struct sc_link *ln = &rec->links[k];
            bool a_wins = sc_node_cmp(&ln->a, &ln->b) < 0;
            sc_hints_believe(&r->hints, a_wins ? &ln->b : &ln->a, a_wins ? &ln->a : &ln->b,
                             mono_ms);
        }
    }
    sc_count(&r->w->counters.events, n);
    return true;
}

static bool take_batch(struct resolve *r, const struct sc_msg *msgs, uint32_t n)
{
    if (!txn_open(r))
        return false;
    for (uint32_t at = 0; at < n; at += GROUP) {
        uint32_t records = n - at < GROUP ? n - at : GROUP;
        int64_t mono_ms = mono(r);
        struct sc_event *evs[GROUP];
        uint32_t events = decode_group(r, msgs + at, records, mono_ms, evs);
        if (events == UINT32_MAX || !route_group(r, evs, events, mono_ms))
            return false;
        sc_arena_reset(&r->group, GROUP_KEEP_BYTES);
    }
    return true;
}

/* ---- owning partitions */

static enum sc_err first_offset(struct resolve *r, const struct sc_tp *tp, bool topic_known,
                                int64_t *offset)
{
    struct sc_log *lg = r->w->log;
    const struct sc_source *src = &r->jo->tx->sources[tp->topic];
    int64_t low, high, stable;
    enum sc_err e = lg->ops->watermarks(lg, tp->topic, tp->partition, &low, &high, &stable);
    if (e != SC_ERR_OK)
        return e;
    *offset = low;
    if (topic_known || src->start == SC_START_EARLIEST)
        return SC_ERR_OK;
    if (src->start == SC_START_TIME)
        return lg->ops->offset_at(lg, tp->topic, tp->partition, src->start_ms, offset);
    *offset = high;
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
static bool journal_held(const struct resolve *r)
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
static void fence_dead(struct resolve *r, struct sc_str metadata, bool pending)
{
    struct sc_log *lg = r->w->log;
    struct sc_meta meta;
    if (!sc_meta_parse(metadata, &meta) || strcmp(meta.writer, r->w->writer) == 0 ||
        lg->ops->member_alive(lg, sc_str_from(meta.writer)) || !(pending || journal_held(r)))
        return;
    sc_logf(SC_LOG_WARN, "resolve", "fencing %s: it left a transaction open", meta.writer);
    lg->ops->fence(lg, sc_str_from(meta.writer));
}

static enum sc_err ask_committed(struct resolve *r, struct sc_tp *tps, uint32_t n)
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

/* Where this partition is to be read on; -1 in tp: its place is gone. */
static enum sc_err own(struct resolve *r, struct sc_tp *tp, bool topic_known, struct intake *in)
{
    const struct sc_source *src = &r->jo->tx->sources[tp->topic];
    char why[SC_PLACE_WHY] = "";
    bool fresh = tp->offset < 0;
    enum sc_err e = fresh ? first_offset(r, tp, topic_known, &tp->offset) : SC_ERR_OK;
    int64_t committed = tp->offset;
    if (e == SC_ERR_OK && !fresh)
        e = sc_place_check(r->w, src->topic, tp, why);
    if (e != SC_ERR_OK)
        return e;
    if (why[0])
        sc_logf(SC_LOG_ERROR, "resolve", "source %.*s, partition %d stopped: %s",
                SC_STR_FMT(src->name), tp->partition, why);
    int64_t next = why[0] ? committed : tp->offset;
    *in = (struct intake){.topic = tp->topic, .partition = tp->partition, .next = next,
                          .next_txn = next, .progress_ms = SC_NEVER, .any = !fresh || next > 0,
                          .stopped = why[0] != '\0'};
    return SC_ERR_OK;
}

static enum sc_err take_over(struct resolve *r)
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
    free(r->in);
    r->in = sc_calloc(n + 1, sizeof(*r->in));
    r->n_in = n;
    for (uint32_t i = 0; e == SC_ERR_OK && i < n; i++)
        e = own(r, &tps[i], any_committed(asked, n, tps[i].topic), &r->in[i]);
    return e == SC_ERR_OK && n ? lg->ops->rewind(lg, tps, n) : e;
}

/* ---- the loop */

static bool settle(struct resolve *r)
{
    if (!r->doubt)
        return true;
    r->n_in = 0;
    txn_clear(r);
    atomic_store(&r->w->status.why, "partitions are being acquired");
    enum sc_err e = take_over(r);
    if (e != SC_ERR_OK) {
        sc_logf(SC_LOG_WARN, "resolve", "partitions not acquired yet: %s", sc_err_text(e));
        wait_and_say(r, sc_err_retriable(e) ? sc_err_text(e) : NULL); /* else: only tried again */
        return false;
    }
    txn_clear(r);
    r->doubt = false;
    if (atomic_load(&r->w->status.progress_ms) == 0)
        sc_worker_moves(r->w); /* from here on it must */
    atomic_store(&r->w->status.why, NULL);
    if (r->n_in)
        sc_logf(SC_LOG_INFO, "resolve", "worker %u owns %u source partitions", r->w->index,
                r->n_in);
    return true;
}

static void watch_ends(struct resolve *r)
{
    int64_t mono_ms = mono(r);
    for (uint32_t i = 0; i < r->n_in; i++) {
        struct intake *in = &r->in[i];
        bool end = r->w->log->ops->at_end(r->w->log, in->topic, in->partition);
        if (!end)
            in->ended_ms = 0;
        else if (in->ended_ms == 0)
            in->ended_ms = mono_ms;
    }
}

static int poll_timeout(const struct resolve *r)
{
    if (!r->open)
        return 50;
    int64_t left = r->opened_ms + r->w->cfg->commit_interval_ms - mono(r);
    return left < 0 ? 0 : left > 50 ? 50 : (int)left;
}

static void turn(struct resolve *r)
{
    struct sc_poll_result res;
    enum sc_err e = r->w->log->ops->poll(r->w->log, poll_timeout(r), &res);
    if (e != SC_ERR_OK || res.what == SC_POLL_REBALANCED) {
        doubt(r, e != SC_ERR_OK ? e : SC_ERR_FENCED);
        return;
    }
    if (res.what == SC_POLL_NOTHING && !r->open)
        sc_worker_moves(r->w);
    if (res.what == SC_POLL_MESSAGES) {
        atomic_store(&r->w->status.lag, r->w->log->ops->lag(r->w->log) + res.n);
        bool fine = take_batch(r, res.msgs, res.n);
        r->w->log->ops->release(r->w->log);
        if (!fine)
            return;
    }
    if (beat_due(r)) {
        watch_ends(r);
        if (!txn_open(r))
            return;
        if (!heartbeat(r)) {
            doubt(r, SC_ERR_ABORT);
            return;
        }
    }
    if (commit_due(r))
        commit(r);
}

static void report(struct resolve *r)
{
    struct sc_worker_status *s = &r->w->status;
    int64_t least = INT64_MAX, stopped = 0;
    for (uint32_t i = 0; i < r->n_in; i++) {
        if (r->in[i].progress_ms < least)
            least = r->in[i].progress_ms;
        stopped += r->in[i].stopped;
    }
    atomic_store(&s->partitions, r->n_in);
    atomic_store(&s->watermark_ms, r->n_in ? least : SC_NEVER);
    atomic_store(&s->lag, r->w->log->ops->lag(r->w->log));
    atomic_store(&s->stopped, stopped);
    atomic_store(&s->ready, !r->doubt && stopped == 0);
}

static void fini(struct resolve *r)
{
    if (r->open && !r->doubt)
        commit(r);
    if (r->open)
        r->w->log->ops->abort(r->w->log);
    r->w->log->ops->close(r->w->log);
    for (uint32_t p = 0; p < r->w->cfg->partitions; p++)
        sc_frame_fini(&r->frames[p]);
    free(r->frames);
    free(r->records);
    free(r->k);
    free(r->in);
    sc_decoders_destroy(r->decoders);
    sc_hints_fini(&r->hints);
    sc_arena_fini(&r->ar);
    sc_arena_fini(&r->group);
}

int sc_resolve_worker(struct sc_worker *w, struct sc_pseudonyms *ps,
                      const struct sc_str *schema_files)
{
    struct resolve r = {.w = w, .jo = w->cfg->jo, .ps = ps, .doubt = true, .boot = random_id()};
    uint32_t p = w->cfg->partitions;
    sc_arena_init(&r.ar);
    sc_arena_init(&r.group);
    sc_hints_init(&r.hints, w, w->cfg->hints);
    r.decoders = sc_decoders_create(w, schema_files);
    r.projection = sc_projection_hash(r.jo->tx, &r.jo->wanted);
    r.frames = sc_calloc(p, sizeof(*r.frames));
    r.records = sc_calloc(p, sizeof(*r.records));
    r.k = sc_calloc(p, sizeof(*r.k));
    txn_clear(&r);
    while (!*w->stop && !r.failed) {
        if (settle(&r))
            turn(&r);
        report(&r);
    }
    if (r.failed)
        sc_logf(SC_LOG_ERROR, "resolve", "%" PRIu64 " of %" PRIu64 " records of this minute are "
                "dead letters: over max_error_rate; look at the dead letters' headers, then start "
                "again", r.minute_faults, r.minute_records);
    fini(&r);
    return r.failed ? 65 : 0;
}
