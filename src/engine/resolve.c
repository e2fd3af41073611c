/* The resolve worker: records of the source topics in, journal frames out.
 *
 * A batch goes through the stages in their order, each for all of it before the next: decode and
 * validate, look up who it is, route. So it costs one round trip to Redis, whatever is not known.
 * Nothing is decided about identity here (core/identity/owner.c does, in the journal), so a wrong
 * or missing hint costs a hop and no more. Heartbeats say how far each source partition has come.
 * Source: reliability.md "Identity", "Time"; semantics 9-12. */
#include "engine/resolve_priv.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/prefetch.h"
#include "core/identity/identity.h"
#include "core/journey/step.h"
#include "engine/deadletter.h"
#include "engine/decoders.h"
#include <inttypes.h>
#include <stdlib.h>

#define POLL_MS 50
#define HEARTBEAT_MS 500
#define RETRY_MS 500
#define REGISTRY_RETRY_MS 2000 /* each try is a takeover */
#define AHEAD 3u   /* records whose memory is on its way: another core unpacked them */
#define LINES 4u   /* of each */
#define TRACEPARENT_MAX 256u /* W3C's has 55 bytes, and may grow */

/* Polling keeps the membership; nothing is read meanwhile, and the batch in hand is read again after
 * the takeover. */
static void wait_and_say(struct sc_resolve *r, const char *why, int ms)
{
    struct sc_log *lg = r->w->log;
    struct sc_poll_result res;
    const struct sc_tp *owned;
    uint32_t n = lg->ops->assigned(lg, &owned);
    struct sc_tp *none = SC_NEW_N(&r->ar, struct sc_tp, n + 1);
    for (uint32_t i = 0; i < n; i++)
        none[i] = (struct sc_tp){.topic = owned[i].topic, .partition = owned[i].partition, .offset = -1};
    atomic_store(&r->w->status.why, why);
    lg->ops->release(lg);
    if (n)
        lg->ops->rewind(lg, none, n);
    if (lg->ops->poll(lg, ms, &res) == SC_ERR_OK && res.what == SC_POLL_MESSAGES)
        lg->ops->release(lg);
    r->doubt = true;
}

/* ---- stage 1: decode and validate */

static struct sc_intake *intake_of(struct sc_resolve *r, const struct sc_msg *m)
{
    for (uint32_t i = 0; i < r->n_in; i++) {
        uint32_t at = (r->in_last + i) % r->n_in; /* messages come in runs of one partition */
        if (r->in[at].topic == m->topic && r->in[at].partition == m->partition)
            return &r->in[r->in_last = at];
    }
    return NULL;
}

/* W3C's: version, trace, parent and flags in hex, and what a later version appends. It goes into
 * results as text and is kept in timers, so what is none is left out. */
static bool is_traceparent(struct sc_str s)
{
    static const char form[] = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
    size_t n = sizeof(form) - 1;
    if (s.len < n || s.len > TRACEPARENT_MAX || (s.len > n && s.p[n] != '-'))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (i >= n ? c < '!' || c > '~' : form[i] == 'x' ? !hex : c != '-')
            return false;
    }
    return true;
}

static struct sc_str traceparent_of(struct sc_resolve *r, const struct sc_msg *m)
{
    struct sc_str value = r->w->log->ops->header(r->w->log, m, SC_STR("traceparent"));
    return is_traceparent(value) ? sc_str_dup(&r->batch, value) : SC_STR_NULL;
}

/* The event of a record, or NULL: a dead letter, a counted drop, in doubt, or (r->no_schema) the
 * registry has to be waited for. */
static struct sc_event *decode(struct sc_resolve *r, const struct sc_source *src,
                               const struct sc_msg *m)
{
    struct sc_fault fault;
    enum sc_drop drop;
    struct sc_event *ev = sc_arena_alloc(&r->batch, sizeof(*ev));
    const struct sc_decoders_in in = {
        .source = src, .value = m->value, .ps = r->ps, .ar = &r->batch,
        .meta = {.timestamp_ms = m->timestamp_ms,
                 .origin = {src->topic, m->partition, m->offset},
                 .traceparent = traceparent_of(r, m)},
    };
    enum sc_err e = sc_decoders_event(r->decoders, &in, ev, &drop, &fault);
    if (e != SC_ERR_OK) {
        r->no_schema = e;
        return NULL;
    }
    if (drop == SC_DROP_NONE)
        return ev;
    if (!sc_drop_dead_letter(drop))
        sc_count(&r->w->txn.drops[drop], 1);
    else if (sc_dead_letter(r->w, src->topic, m, drop, &fault, &r->batch) != SC_ERR_OK)
        sc_resolve_doubt(r, SC_ERR_ABORT);
    return NULL;
}

static void move_time(struct sc_intake *in, const struct sc_event *ev, const struct sc_msg *m)
{
    int64_t ms = ev->occurred_ms;
    if (m->timestamp_ms >= 0 && m->timestamp_ms < ms)
        ms = m->timestamp_ms; /* a wrong clock cannot leap time */
    if (ms > in->progress_ms)
        in->progress_ms = ms;
}

/* Events with an identifier, in order, their intake begun. UINT32_MAX: in doubt. */
static uint32_t decode_all(struct sc_resolve *r, const struct sc_msg *msgs, uint32_t n,
                           struct sc_event **evs)
{
    struct sc_counters *c = &r->w->txn;
    uint64_t records = 0, bytes = 0, anonymous = 0;
    uint32_t out = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            sc_prefetch(msgs[i + AHEAD].value.p, msgs[i + AHEAD].value.len, LINES);
        struct sc_intake *in = intake_of(r, &msgs[i]);
        if (in == NULL || msgs[i].offset < in->next_txn)
            continue;
        struct sc_event *ev = decode(r, &r->jo->tx->sources[msgs[i].topic], &msgs[i]);
        if (r->doubt)
            return UINT32_MAX;
        if (r->no_schema != SC_ERR_OK)
            break;
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
    return out;
}

/* ---- stages 2 and 3: who is it, and where does it go */

/* What is being linked is believed linked: the next event needs no link. Two of a unique namespace
 * will not be. */
static void believe(struct sc_resolve *r, const struct sc_link *link, int64_t mono_ms)
{
    bool a_wins = sc_node_cmp(&link->a, &link->b) < 0;
    SC_ASSERT(!sc_node_eq(&link->a, &link->b));
    uint8_t rank = sc_node_rank(&link->a);
    if (link->a.b[0] == link->b.b[0] && r->jo->tx->namespaces[rank - 1].unique)
        return;
    sc_hints_believe(&r->hints, a_wins ? &link->b : &link->a, a_wins ? &link->a : &link->b,
                     mono_ms);
}

static bool route_all(struct sc_resolve *r, struct sc_event **evs, uint32_t n, int64_t mono_ms)
{
    sc_roots *roots = sc_arena_alloc(&r->batch, sizeof(*roots) * (n + 1));
    for (uint32_t i = 0; i < n; i++)
        sc_intake_end(r->jo->tx, r->ps, &r->batch, evs[i]);
    sc_hints_roots(&r->hints, evs, roots, n, mono_ms, &r->batch);
    struct sc_record *rec = SC_NEW(&r->batch, struct sc_record);
    for (uint32_t i = 0; i < n; i++) {
        sc_route(evs[i], roots[i], rec);
        if (!sc_resolve_send(r, rec))
            return sc_resolve_doubt(r, SC_ERR_ABORT), false;
        for (uint32_t k = 0; k < rec->n_links; k++)
            believe(r, &rec->links[k], mono_ms);
    }
    sc_count(&r->w->txn.events, n);
    return true;
}

/* What came before the record whose schema is not to be had stands, so that other sources go on. */
static void await_schema(struct sc_resolve *r)
{
    enum sc_err e = r->no_schema;
    r->no_schema = SC_ERR_OK;
    if (r->w->txn.records == 0)
        sc_resolve_doubt(r, e);
    else if (!sc_resolve_commit(r))
        return;
    wait_and_say(r, "the schema registry does not answer", REGISTRY_RETRY_MS);
}

static bool take_some(struct sc_resolve *r, const struct sc_msg *msgs, uint32_t n)
{
    SC_ASSERT(n <= SC_BATCH_MAX);
    if (!sc_resolve_begin(r))
        return false;
    int64_t mono_ms = sc_resolve_mono(r);
    struct sc_event *evs[SC_BATCH_MAX];
    uint32_t events = decode_all(r, msgs, n, evs);
    if (events == UINT32_MAX || !route_all(r, evs, events, mono_ms))
        return false;
    sc_arena_reset(&r->batch, SC_RESOLVE_KEEP_BYTES);
    if (r->no_schema != SC_ERR_OK)
        return await_schema(r), false;
    return true;
}

/* ---- with care (tries.h) */

static bool attempt(struct sc_resolve *r, struct sc_intake *in)
{
    if (in->tries.attempted == in->committed)
        return true;
    in->tries.attempted = in->committed;
    enum sc_err e = sc_resolve_claim(r, &in, 1);
    return e == SC_ERR_OK || (sc_resolve_doubt(r, e), false);
}

static bool poison(struct sc_resolve *r, struct sc_intake *in, const struct sc_msg *m)
{
    struct sc_str topic = r->jo->tx->sources[in->topic].topic;
    sc_logf(SC_LOG_ERROR, "resolve", "%.*s, partition %d: offset %" PRId64 " ended the process three "
            "times: dead letter", SC_STR_FMT(topic), m->partition, m->offset);
    if (!sc_resolve_begin(r))
        return false;
    if (sc_dead_letter(r->w, topic, m, SC_DROP_POISON, NULL, &r->ar) != SC_ERR_OK)
        return sc_resolve_doubt(r, SC_ERR_ABORT), false;
    in->next_txn = m->offset + 1;
    in->any = in->touched = true;
    in->tries.n = 0; /* only this one */
    return true;
}

static bool is_careful(struct sc_resolve *r, const struct sc_msg *m)
{
    const struct sc_intake *in = intake_of(r, m);
    return in && sc_tries_careful(&in->tries) && m->offset >= in->next_txn;
}

/* One step of the first message's partition, in a transaction of its own. Returns how many it had,
 * 0: in doubt. */
static uint32_t take_step(struct sc_resolve *r, const struct sc_msg *msgs, uint32_t n)
{
    struct sc_intake *in = intake_of(r, msgs);
    uint32_t k = 1;
    if (r->open && !sc_resolve_commit(r))
        return 0;
    if (in->tries.n >= SC_TRIES_POISON)
        return poison(r, in, msgs) && sc_resolve_commit(r);
    while (k < n && msgs[k].topic == msgs->topic && msgs[k].partition == msgs->partition &&
           sc_tries_together(&in->tries, in->committed, msgs[k].offset))
        k++;
    return attempt(r, in) && take_some(r, msgs, k) && sc_resolve_commit(r) ? k : 0;
}

static bool take_batch(struct sc_resolve *r, const struct sc_msg *msgs, uint32_t n)
{
    for (uint32_t at = 0; at < n && !*r->w->stop;) {
        uint32_t k = 0;
        while (at + k < n && !is_careful(r, &msgs[at + k]))
            k++;
        if (k > 0 && !take_some(r, &msgs[at], k))
            return false;
        if (k == 0)
            k = take_step(r, &msgs[at], n - at);
        if (k == 0)
            return false;
        at += k;
    }
    return true;
}

/* ---- the loop */

static bool beat_due(const struct sc_resolve *r)
{
    return r->n_in > 0 && sc_resolve_mono(r) - r->beat_ms >= HEARTBEAT_MS;
}

static bool commit_due(const struct sc_resolve *r)
{
    return r->open && (sc_pace_over(&r->pace, sc_resolve_mono(r)) ||
                       r->written >= r->w->cfg->txn_max_bytes);
}

static bool settle(struct sc_resolve *r)
{
    if (!r->doubt)
        return true;
    sc_resolve_clear(r);
    if (atomic_load(&r->w->status.why) == NULL)
        atomic_store(&r->w->status.why, "partitions are being acquired");
    enum sc_err e = sc_resolve_own(r);
    if (e != SC_ERR_OK) {
        sc_logf(SC_LOG_WARN, "resolve", "partitions not acquired yet: %s", sc_err_text(e));
        /* A server that is away is waited for; an abort is only tried again. */
        wait_and_say(r, sc_err_retriable(e) ? sc_err_text(e) : NULL, RETRY_MS);
        return false;
    }
    sc_resolve_clear(r);
    r->doubt = false;
    if (atomic_load(&r->w->status.progress_ms) == 0)
        sc_worker_moves(r->w); /* from here on it must */
    atomic_store(&r->w->status.why, NULL);
    if (r->n_in)
        sc_logf(SC_LOG_INFO, "resolve", "worker %u owns %u source partitions", r->w->index,
                r->n_in);
    return true;
}

static void watch_ends(struct sc_resolve *r)
{
    int64_t mono_ms = sc_resolve_mono(r);
    for (uint32_t i = 0; i < r->n_in; i++) {
        struct sc_intake *in = &r->in[i];
        bool end = r->w->log->ops->at_end(r->w->log, in->topic, in->partition);
        if (!end)
            in->ended_ms = 0;
        else if (in->ended_ms == 0)
            in->ended_ms = mono_ms;
    }
}

static int poll_timeout(const struct sc_resolve *r)
{
    return r->open ? sc_pace_wait(&r->pace, sc_resolve_mono(r), POLL_MS) : POLL_MS;
}

static void turn(struct sc_resolve *r)
{
    struct sc_poll_result res;
    enum sc_err e = r->w->log->ops->poll(r->w->log, poll_timeout(r), &res);
    if (e != SC_ERR_OK || res.what == SC_POLL_REBALANCED) {
        sc_resolve_doubt(r, e != SC_ERR_OK ? e : SC_ERR_FENCED);
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
        if (!sc_resolve_begin(r))
            return;
        if (!sc_resolve_beat(r)) {
            sc_resolve_doubt(r, SC_ERR_ABORT);
            return;
        }
    }
    bool quiet = res.what == SC_POLL_NOTHING && sc_pace_free(&r->pace, sc_resolve_mono(r));
    if (r->open && (quiet || commit_due(r)))
        sc_resolve_commit(r);
}

static void report(struct sc_resolve *r)
{
    struct sc_worker_status *s = &r->w->status;
    int64_t least = INT64_MAX, stopped = 0;
    for (uint32_t i = 0; i < r->n_in; i++) {
        if (r->in[i].progress_ms < least)
            least = r->in[i].progress_ms;
        stopped += r->in[i].stopped;
    }
    atomic_store(&s->partitions, r->doubt ? 0 : r->n_in);
    atomic_store(&s->watermark_ms, r->n_in ? least : SC_NEVER);
    atomic_store(&s->lag, r->w->log->ops->lag(r->w->log));
    atomic_store(&s->stopped, stopped);
    atomic_store(&s->ready, !r->doubt && stopped == 0);
}

/* Who leaves of its own accord did not die of a record. If it cannot be written down, it counts. */
static void leave(struct sc_resolve *r)
{
    struct sc_intake **ins = SC_NEW_N(&r->ar, struct sc_intake *, r->n_in + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_in; i++) {
        if (r->in[i].stopped || r->in[i].tries.n == 0)
            continue;
        r->in[i].tries.n = 0;
        ins[n++] = &r->in[i];
    }
    if (n)
        sc_resolve_claim(r, ins, n);
}

static void fini(struct sc_resolve *r)
{
    if (r->open && !r->doubt)
        sc_resolve_commit(r);
    if (!r->open && !r->doubt)
        leave(r);
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
    sc_arena_fini(&r->batch);
}

int sc_resolve_worker(struct sc_worker *w, struct sc_pseudonyms *ps,
                      const struct sc_str *schema_files)
{
    struct sc_resolve r = {.w = w, .jo = w->cfg->jo, .ps = ps,
                           .pace = {.interval_ms = w->cfg->commit_interval_ms}};
    uint32_t p = w->cfg->partitions;
    sc_arena_init(&r.ar);
    sc_arena_init(&r.batch);
    sc_hints_init(&r.hints, w, w->cfg->hints);
    r.decoders = sc_decoders_create(w, schema_files);
    r.projection = sc_projection_hash(r.jo->tx, &r.jo->wanted);
    r.frames = sc_calloc(p, sizeof(*r.frames));
    r.records = sc_calloc(p, sizeof(*r.records));
    r.k = sc_calloc(p, sizeof(*r.k));
    sc_resolve_doubt(&r, SC_ERR_OK); /* a life begins as one goes on after a doubt */
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
