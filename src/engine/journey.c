/* The journey worker: applies the journal to customers, exactly once.
 *
 * One loop: poll, take, commit when the interval has passed, flush to Redis behind. What a
 * transaction touches lives in its overlay and arena; a commit moves it to the cache, any doubt
 * drops it and acquires the partitions anew (takeover.c). Records for other customers leave through
 * the journal, never by a shortcut. Source: reliability.md "A transaction". */
#include "engine/worker.h"

#include "base/assert.h"
#include "base/log.h"
#include "codec/state.h"
#include "core/identity/identity.h"
#include "core/journey/step.h"
#include "engine/deadletter.h"
#include "engine/flush.h"
#include "engine/overlay.h"
#include "engine/part.h"
#include "engine/publish.h"
#include "engine/takeover.h"
#include <inttypes.h>
#include <stdlib.h>

#define GROUP_ITEMS 1024u       /* records decoded, and looked up, together */
#define IDLE_SEAL_MS 5000       /* a partition that saw only heartbeats is sealed so often */
#define RETRY_MS 500            /* between tries while a server is down */
#define DRAIN_MS 10000          /* the last flush may take so long */
#define TXN_KEEP_BYTES (64u << 20)

struct item {
    struct sc_frame_item *it;
    struct sc_part *p;
    uint32_t msg; /* index in the batch */
};

struct journey {
    struct sc_worker *w;
    const struct sc_journey *jo;
    struct sc_part **parts;     /* owned */
    uint32_t n_parts;
    struct sc_part **by_index;  /* P entries: owned ones, else NULL */
    struct sc_arena ar;         /* the transaction's */
    struct sc_overlay ov;
    struct sc_effects fx;
    struct sc_publisher pb;
    struct sc_frame_writer *frames; /* P: records for other owners */
    struct sc_seal_writer seal;
    struct sc_buf stored;       /* encoded states of this transaction */
    struct item *items;
    uint32_t n_items;
    SC_VEC(struct sc_due_item) woken; /* taken from the heaps: given back by an abort */
    SC_VEC(uint32_t) woken_part;
    SC_VEC(struct sc_node_id) hints;
    bool open, doubt;
    int64_t opened_ms;
    uint64_t written;           /* bytes produced in this transaction */
    uint32_t timers;            /* fired in this transaction */
};

/* ---- transactions: begin, doubt */

static void txn_clear(struct journey *j)
{
    sc_overlay_clear(&j->ov);
    sc_arena_reset(&j->ar, TXN_KEEP_BYTES);
    sc_effects_init(&j->fx, &j->ar);
    memset(&j->woken, 0, sizeof(j->woken));
    memset(&j->woken_part, 0, sizeof(j->woken_part));
    memset(&j->hints, 0, sizeof(j->hints));
    for (uint32_t p = 0; p < j->w->cfg->partitions; p++)
        sc_frame_start(&j->frames[p], 0);
    for (uint32_t i = 0; i < j->n_parts; i++) {
        sc_part_drop(j->parts[i]); /* what a commit did not keep */
        j->parts[i]->touched = false;
        j->parts[i]->next_txn = j->parts[i]->next;
    }
    j->stored.len = 0;
    j->open = false;
    j->written = 0;
    j->timers = 0;
}

/* Forget the transaction; positions and states are asked for again. */
static void doubt(struct journey *j, enum sc_err why)
{
    if (j->open)
        j->w->log->ops->abort(j->w->log);
    for (uint32_t i = 0; i < j->woken.n; i++) {
        struct sc_part *p = j->by_index[j->woken_part.v[i]];
        if (p)
            sc_due_push(&p->due, j->woken.v[i].ms, &j->woken.v[i].node);
    }
    if (j->open) {
        sc_count(&j->w->counters.aborts, 1);
        sc_logf(SC_LOG_WARN, "journey", "transaction dropped: %s", sc_err_text(why));
    }
    txn_clear(j);
    j->doubt = true;
}

static bool txn_open(struct journey *j)
{
    if (j->open)
        return true;
    enum sc_err e = j->w->log->ops->begin(j->w->log);
    if (e != SC_ERR_OK) {
        doubt(j, e);
        return false;
    }
    j->open = true;
    j->opened_ms = j->w->clock.mono_ms(j->w->clock.arg);
    return true;
}

static void wait_and_say(struct journey *j, const char *why)
{
    struct sc_poll_result res;
    atomic_store(&j->w->status.why, why);
    /* Polling keeps the membership; the batch in hand, and what it brings, is read again. */
    j->w->log->ops->release(j->w->log);
    if (j->w->log->ops->poll(j->w->log, RETRY_MS, &res) == SC_ERR_OK &&
        res.what == SC_POLL_MESSAGES)
        j->w->log->ops->release(j->w->log);
    j->doubt = true;
}

/* ---- states */

static struct sc_state *open_state(struct journey *j, struct sc_part *p,
                                   const struct sc_node_id *node)
{
    struct sc_overlay_item *item = sc_overlay_get(&j->ov, node);
    if (item)
        return item->st;
    const struct sc_cache_slot *slot = sc_cache_get(&p->cache, node);
    struct sc_state *st = NULL;
    if (slot && slot->bytes)
        st = sc_state_decode(j->jo, *node, sc_cache_state(slot), &j->ar);
    else if (slot || p->complete)
        st = sc_state_new(j->jo, *node, &j->ar);
    if (st == NULL) {
        sc_part_stop(p, "a customer's stored state cannot be read: it was written by a newer "
                     "release, or it is damaged");
        return NULL;
    }
    sc_overlay_add(&j->ov, st, p->index);
    return st;
}

/* Ask Redis for `n` nodes of one partition. Its answer counts only while its stamp is not behind
 * what this owner has flushed. */
static bool load(struct journey *j, struct sc_part *p, struct sc_view_item *items, uint32_t n)
{
    struct sc_stamp stamp;
    struct sc_view *vw = j->w->view;
    enum sc_err e = vw->ops->read(vw, p->index, &stamp, items, n);
    if (e != SC_ERR_OK) {
        doubt(j, e);
        wait_and_say(j, "Redis does not answer: states cannot be read");
        return false;
    }
    if (stamp.incarnation != p->stamp.incarnation || stamp.view != p->stamp.view ||
        stamp.offset < p->stamp.offset) {
        sc_logf(SC_LOG_WARN, "journey", "partition %u: Redis went back: restoring from the log",
                p->index);
        doubt(j, SC_ERR_CONFLICT);
        sc_part_forget(p);
        return false;
    }
    for (uint32_t i = 0; i < n; i++)
        if (sc_cache_get(&p->cache, &items[i].node) == NULL)
            sc_cache_put(&p->cache, &items[i].node, items[i].state, 0);
    sc_count(&j->w->counters.state_reads, n);
    return true;
}

/* Nodes to be looked up, gathered for one partition after the other. */
struct misses {
    struct sc_view_item *v;
    uint32_t n;
};

static void miss(struct journey *j, struct misses *ms, struct sc_part *p,
                 const struct sc_node_id *node)
{
    if (!p->complete && sc_cache_get(&p->cache, node) == NULL &&
        sc_overlay_get(&j->ov, node) == NULL)
        ms->v[ms->n++] = (struct sc_view_item){.node = *node};
}

static bool load_group(struct journey *j)
{
    struct misses ms = {SC_NEW_N(&j->ar, struct sc_view_item, j->n_items + 1), 0};
    for (uint32_t i = 0; i < j->n_parts; i++) {
        struct sc_part *p = j->parts[i];
        ms.n = 0;
        for (uint32_t k = 0; !p->complete && k < j->n_items; k++)
            if (j->items[k].p == p && j->items[k].it->kind < SC_REC_HEARTBEAT)
                miss(j, &ms, p, &j->items[k].it->rec.to);
        if (ms.n && !load(j, p, ms.v, ms.n))
            return false;
    }
    return true;
}

/* ---- effects */

static bool send_record(struct journey *j, const struct sc_record *rec)
{
    uint32_t to = sc_node_partition(&rec->to, j->w->cfg->partitions);
    struct sc_frame_writer *f = &j->frames[to];
    if (f->n && sc_frame_full(f, 0)) {
        struct sc_out out = {.topic = SC_OUT_JOURNAL, .partition = (int32_t)to,
                             .value = sc_frame_finish(f)};
        if (j->w->log->ops->produce(j->w->log, &out) != SC_ERR_OK)
            return false;
        j->written += out.value.len;
        sc_frame_start(f, 0);
    }
    sc_frame_record(f, j->jo, rec);
    return true;
}

/* What a step gave goes out. False: a produce failed, the transaction is in doubt. */
static bool collect(struct journey *j, const struct sc_moment *now)
{
    struct sc_effects *fx = &j->fx;
    bool fine = true;
    for (uint32_t i = 0; fine && i < fx->items.n; i++)
        fine = sc_publish_effect(&j->pb, &fx->items.v[i]) == SC_ERR_OK;
    for (uint32_t i = 0; fine && i < fx->gone.n; i++)
        fine = sc_publish_gone(&j->pb, &fx->gone.v[i]) == SC_ERR_OK;
    for (uint32_t i = 0; fine && i < fx->records.n; i++) {
        fx->records.v[i].has_heard = true;
        fx->records.v[i].heard_ms = now->watermark_ms;
        fine = send_record(j, &fx->records.v[i]);
    }
    for (uint32_t i = 0; i < fx->hints.n; i++)
        SC_VEC_PUSH(&j->ar, &j->hints, fx->hints.v[i]);
    sc_publish_counts(&j->pb, &fx->counts);
    sc_effects_clear(fx);
    if (!fine)
        doubt(j, SC_ERR_ABORT);
    return fine;
}

static struct sc_moment moment(const struct journey *j, const struct sc_part *p, int64_t append_ms)
{
    return (struct sc_moment){.watermark_ms = p->ear.hearing.watermark_ms, .append_ms = append_ms,
                              .event_clock = j->w->cfg->event_clock};
}

static bool step(struct journey *j, struct sc_part *p, const struct sc_input *in,
                 const struct sc_node_id *node)
{
    struct sc_state *st = open_state(j, p, node);
    if (st == NULL)
        return doubt(j, SC_ERR_CORRUPT), false;
    sc_journey_step(j->jo, st, in, &j->fx);
    p->touched = true;
    return collect(j, &in->now);
}

/* ---- timers */

static bool any_ripe(const struct journey *j, const struct sc_part *p)
{
    const struct sc_due_item *first = sc_due_first(&p->due);
    int64_t watermark_ms = p->ear.hearing.watermark_ms;
    return watermark_ms != SC_NEVER && first && first->ms <= watermark_ms - j->jo->reorder_ms;
}

/* Take what is ripe off the heap, at most as many as this transaction may still fire. */
static struct misses take_ripe(struct journey *j, struct sc_part *p)
{
    uint32_t room = j->w->cfg->timers_max - j->timers;
    struct misses ripe = {SC_NEW_N(&j->ar, struct sc_view_item, room + 1), 0};
    while (ripe.n < room && any_ripe(j, p)) {
        struct sc_due_item due = sc_due_pop(&p->due);
        SC_VEC_PUSH(&j->ar, &j->woken, due);
        SC_VEC_PUSH(&j->ar, &j->woken_part, p->index);
        ripe.v[ripe.n++] = (struct sc_view_item){.node = due.node, .due_ms = due.ms};
    }
    return ripe;
}

/* Fire some of what the watermark has made ripe. False: in doubt. */
static bool fire_some(struct journey *j, struct sc_part *p, int64_t append_ms)
{
    struct misses ripe = take_ripe(j, p);
    struct misses ms = {SC_NEW_N(&j->ar, struct sc_view_item, ripe.n + 1), 0};
    for (uint32_t i = 0; i < ripe.n; i++)
        miss(j, &ms, p, &ripe.v[i].node);
    if (ms.n && !load(j, p, ms.v, ms.n))
        return false;
    struct sc_input in = {.kind = SC_IN_TIMERS, .now = moment(j, p, append_ms),
                          .timers_max = j->w->cfg->timers_max};
    for (uint32_t i = 0; i < ripe.n; i++) {
        struct sc_state *st = open_state(j, p, &ripe.v[i].node);
        if (st == NULL)
            return doubt(j, SC_ERR_CORRUPT), false;
        if (st->due_ms != ripe.v[i].due_ms)
            continue; /* moved since: another entry wakes it */
        sc_overlay_get(&j->ov, &st->node)->due_ms = SC_NO_DUE; /* its entry is used up */
        if (!step(j, p, &in, &st->node))
            return false;
        j->timers++;
    }
    return true;
}

/* Fire what the watermark has made ripe. 1: all of it; 0: some is left for the next transaction;
 * -1: in doubt. */
static int fire(struct journey *j, struct sc_part *p, int64_t append_ms)
{
    while (any_ripe(j, p)) {
        if (j->timers >= j->w->cfg->timers_max)
            return 0;
        if (!fire_some(j, p, append_ms))
            return -1;
    }
    return 1;
}

/* ---- one message */

static bool trailer(struct journey *j, struct sc_part *p, const struct sc_trailer *tr)
{
    struct sc_writers *ws = &p->ear.writers;
    p->heard = true;
    for (uint32_t i = 0; i < ws->n; i++) {
        if (ws->v[i].boot != tr->boot)
            continue;
        if (tr->k != ws->v[i].k + 1) {
            sc_count(&j->w->counters.journal_gaps, 1);
            sc_part_stop(p, "the journal lost transactions of a resolve worker: %" PRIu64
                         " follows %" PRIu64 "; restore the topic before going on", tr->k,
                         ws->v[i].k);
            return doubt(j, SC_ERR_CORRUPT), false;
        }
        ws->v[i].k = tr->k;
        return true;
    }
    uint32_t at = ws->n < SC_WRITERS_MAX ? ws->n++ : 0;
    ws->v[at].boot = tr->boot;
    ws->v[at].k = tr->k;
    return true;
}

/* 1: taken; 0: its timers are not all fired: to be taken again; -1: in doubt. */
static int take_item(struct journey *j, const struct item *item, const struct sc_msg *m)
{
    struct sc_frame_item *it = item->it;
    struct sc_part *p = item->p;
    if (it->kind == SC_REC_TRAILER)
        return trailer(j, p, &it->trailer) ? 1 : -1;
    if (it->kind == SC_REC_HEARTBEAT) {
        p->heard = true;
        sc_hearing_take(&p->ear.hearing, &it->heartbeat, m->timestamp_ms);
        sc_hearing_watermark(&p->ear.hearing, j->jo->tx, j->w->cfg->event_clock);
        return fire(j, p, m->timestamp_ms);
    }
    struct sc_input in = {.kind = SC_IN_RECORD, .now = moment(j, p, m->timestamp_ms),
                          .rec = &it->rec};
    if (it->rec.has_heard) /* as if it had been handled at its first door */
        in.now.watermark_ms = it->rec.heard_ms;
    return step(j, p, &in, &it->rec.to) ? 1 : -1;
}

static bool poison(struct journey *j, struct sc_part *p, const struct sc_msg *m)
{
    sc_logf(SC_LOG_ERROR, "journey", "partition %u: offset %" PRId64 " ended the process three "
            "times: dead letter", p->index, m->offset);
    p->touched = true;
    if (sc_dead_letter(j->w, j->w->cfg->topics.v[SC_OUT_JOURNAL].name, m, SC_DROP_POISON, NULL,
                       &j->ar) == SC_ERR_OK)
        return true;
    return doubt(j, SC_ERR_ABORT), false;
}

/* The partition of a message that is still to be taken, else NULL. */
static struct sc_part *wanted_by(const struct journey *j, const struct sc_msg *m)
{
    struct sc_part *p = j->by_index[m->partition];
    return p && p->status == SC_PART_ACTIVE && m->offset >= p->next_txn ? p : NULL;
}

/* Unpack messages from `from` on until a group is full. Returns the first one left. */
static uint32_t unpack(struct journey *j, const struct sc_msg *msgs, uint32_t from, uint32_t n)
{
    j->n_items = 0;
    for (uint32_t i = from; i < n; i++) {
        struct sc_part *p = wanted_by(j, &msgs[i]);
        struct sc_frame_reader rd;
        if (p == NULL)
            continue;
        bool careful = p->tries >= SC_TRIES_CAREFUL;
        if (j->n_items && (careful || j->n_items + SC_FRAME_RECORDS + 2 > GROUP_ITEMS))
            return i;
        if (p->tries >= SC_TRIES_POISON)
            return i + 1; /* poison, alone, and not even looked at */
        if (!sc_frame_open(&rd, j->jo, msgs[i].value, &j->ar)) {
            sc_part_stop(p, "journal offset %" PRId64 " is no frame of ours, or of a newer "
                         "release", msgs[i].offset);
            continue;
        }
        for (;;) {
            struct sc_frame_item *it = sc_arena_alloc(&j->ar, sizeof(*it));
            if (sc_frame_next(&rd, it) != 1)
                break;
            SC_ASSERT(j->n_items < GROUP_ITEMS + SC_FRAME_RECORDS);
            j->items[j->n_items++] = (struct item){it, p, i};
        }
        if (careful)
            return i + 1;
    }
    return n;
}

enum taken { TAKEN, TAKE_AGAIN, TAKE_DOUBT };

/* Apply messages [from, to), whose records are in j->items. *done: the first not applied whole. */
static enum taken apply(struct journey *j, const struct sc_msg *msgs, uint32_t from, uint32_t to,
                        uint32_t *done)
{
    uint32_t k = 0;
    for (uint32_t i = from; i < to; i++) {
        struct sc_part *p = wanted_by(j, &msgs[i]);
        *done = i;
        if (p == NULL)
            continue;
        if (p->tries >= SC_TRIES_POISON) {
            if (!poison(j, p, &msgs[i]))
                return TAKE_DOUBT;
            p->tries = 0; /* only this one */
        }
        for (; k < j->n_items && j->items[k].msg == i; k++) {
            int took = take_item(j, &j->items[k], &msgs[i]);
            if (took != 1)
                return took < 0 ? TAKE_DOUBT : TAKE_AGAIN;
        }
        p->next_txn = msgs[i].offset + 1;
        /* With care each message counts, also one that changes nothing. */
        p->touched |= p->tries >= SC_TRIES_CAREFUL ||
                      msgs[i].timestamp_ms - p->sealed_ms >= IDLE_SEAL_MS;
        if (p->touched)
            p->sealed_ms = msgs[i].timestamp_ms;
        j->written += msgs[i].value.len;
    }
    *done = to;
    return TAKEN;
}

/* ---- commit */

static bool write_images(struct journey *j, struct sc_part *p)
{
    for (uint32_t i = 0; i < j->ov.n; i++) {
        struct sc_state *st = j->ov.items[i].st;
        if (j->ov.items[i].part != p->index || !st->dirty)
            continue;
        size_t at = j->stored.len;
        sc_state_encode(j->jo, st, &j->stored);
        size_t len = j->ov.items[i].stored_bytes = j->stored.len - at;
        sc_count(&j->w->counters.states_over_soft, len > SC_STATE_SOFT_BYTES);
        struct sc_image im = {st->node, {j->stored.p + at, len}, st->due_ms};
        if (!sc_seal_fits(&j->seal, &im)) {
            struct sc_out out = {.topic = SC_OUT_STATE, .partition = (int32_t)p->index,
                                 .value = sc_seal_chunk(&j->seal)};
            sc_count(&j->w->counters.state_bytes, out.value.len);
            if (j->w->log->ops->produce(j->w->log, &out) != SC_ERR_OK)
                return false;
        }
        sc_seal_image(&j->seal, &im);
        if (sc_publish_customer(&j->pb, st, p->ear.hearing.watermark_ms) != SC_ERR_OK)
            return false;
    }
    return true;
}

static bool write_seal(struct journey *j, struct sc_part *p)
{
    const struct sc_engine_config *cfg = j->w->cfg;
    const struct sc_hearing *h = &p->ear.hearing;
    sc_seal_start(&j->seal);
    if (!write_images(j, p))
        return false;
    struct sc_seal s = {
        .incarnation = p->incarnation, .seq = p->seq + 1, .next = p->next_txn,
        .config_hash = j->jo->config_hash, .ranks_hash = cfg->ranks_hash,
        .partitions = cfg->partitions, .watermark_ms = h->watermark_ms, .woke_ms = h->woke_ms,
        .progress = h->progress, .heard_ms = h->heard_ms, .n_progress = h->n, .parts = h->parts,
        .n_parts = h->n_parts,
    };
    struct sc_out out = {.topic = SC_OUT_STATE, .partition = (int32_t)p->index,
                         .value = sc_seal_close(&j->seal, &s)};
    sc_count(&j->w->counters.state_bytes, out.value.len);
    return j->w->log->ops->produce_marked(j->w->log, &out, &p->mark) == SC_ERR_OK;
}

static bool write_frames(struct journey *j)
{
    for (uint32_t to = 0; to < j->w->cfg->partitions; to++) {
        if (j->frames[to].n == 0)
            continue;
        struct sc_out out = {.topic = SC_OUT_JOURNAL, .partition = (int32_t)to,
                             .value = sc_frame_finish(&j->frames[to])};
        if (j->w->log->ops->produce(j->w->log, &out) != SC_ERR_OK)
            return false;
    }
    return true;
}

static struct sc_tp offset_of(struct journey *j, struct sc_part *p)
{
    struct sc_meta meta = {.incarnation = p->incarnation, .seq = p->seq + 1,
                           .seal = j->w->log->ops->mark_offset(j->w->log, p->mark),
                           .config_hash = j->jo->config_hash};
    memcpy(meta.writer, j->w->writer, sizeof(meta.writer));
    char *text = sc_arena_alloc(&j->ar, SC_META_MAX);
    size_t len = sc_meta_format(&meta, text);
    SC_ASSERT(meta.seal >= 0);
    return (struct sc_tp){0, (int32_t)p->index, p->next_txn, {text, len}};
}

/* The transaction is in the log: what it touched becomes what is known. */
static void committed(struct journey *j)
{
    size_t at = 0;
    int64_t mono_ms = j->w->clock.mono_ms(j->w->clock.arg);
    for (uint32_t i = 0; i < j->n_parts; i++) {
        struct sc_part *p = j->parts[i];
        p->next = p->next_txn;
        sc_part_keep(p);
        if (!p->touched)
            continue;
        p->seq++;
        p->commits++;
        p->committed = p->next;
        p->tries = 0;
        p->seal = j->w->log->ops->mark_offset(j->w->log, p->mark);
        /* in the order write_images encoded them */
        for (uint32_t k = 0; k < j->ov.n; k++) {
            const struct sc_overlay_item *item = &j->ov.items[k];
            if (item->part != p->index || !item->st->dirty)
                continue;
            size_t len = item->stored_bytes;
            sc_cache_put(&p->cache, &item->st->node, (struct sc_str){j->stored.p + at, len},
                         p->commits);
            at += len;
            if (item->st->due_ms != SC_NO_DUE && item->st->due_ms != item->due_ms)
                sc_due_push(&p->due, item->st->due_ms, &item->st->node);
        }
        if (p->cache.dirty_n && p->dirty_mono_ms == 0)
            p->dirty_mono_ms = mono_ms;
    }
    if (j->hints.n && j->w->view)
        j->w->view->ops->hint(j->w->view, j->hints.v, j->hints.n / 2);
}

/* Keep the states in memory under their bound. Between transactions only: what is open borrows from
 * the cache. Without a view there is nowhere to read them from again. */
static void trim(struct journey *j)
{
    uint64_t each = j->n_parts ? j->w->cfg->cache_max_bytes / j->n_parts : 0;
    for (uint32_t i = 0; j->w->view && i < j->n_parts; i++) {
        struct sc_part *p = j->parts[i];
        if (p->cache.bytes > each && sc_cache_evict(&p->cache, each - each / 8) > 0)
            p->complete = false;
    }
}

static bool commit(struct journey *j)
{
    struct sc_tp *tps = SC_NEW_N(&j->ar, struct sc_tp, j->n_parts + 1);
    uint32_t n = 0;
    bool fine = write_frames(j);
    for (uint32_t i = 0; fine && i < j->n_parts; i++)
        if (j->parts[i]->touched)
            fine = write_seal(j, j->parts[i]);
    enum sc_err e = fine ? j->w->log->ops->flush(j->w->log) : SC_ERR_ABORT;
    for (uint32_t i = 0; e == SC_ERR_OK && i < j->n_parts; i++)
        if (j->parts[i]->touched)
            tps[n++] = offset_of(j, j->parts[i]);
    if (e == SC_ERR_OK && n > 0)
        e = j->w->log->ops->commit(j->w->log, tps, n);
    else if (e == SC_ERR_OK) /* heartbeats alone: nothing to say yet */
        j->w->log->ops->abort(j->w->log);
    if (e != SC_ERR_OK)
        return doubt(j, e), false;
    committed(j);
    sc_count(&j->w->counters.transactions, n > 0);
    txn_clear(j);
    trim(j);
    return true;
}

static bool commit_due(const struct journey *j, int64_t mono_ms)
{
    return j->open && (mono_ms - j->opened_ms >= j->w->cfg->commit_interval_ms ||
                       j->written >= j->w->cfg->txn_max_bytes || j->timers >= j->w->cfg->timers_max);
}

/* ---- the loop */

/* Before a message is taken with care: what is open ends, and the attempt is written down. */
static bool attempt(struct journey *j, struct sc_part *p)
{
    if (j->open && !commit(j))
        return false;
    enum sc_err e = sc_takeover_attempt(j->w, p, &j->ar);
    return e == SC_ERR_OK || (doubt(j, e), false);
}

static bool take_batch(struct journey *j, const struct sc_msg *msgs, uint32_t n)
{
    for (uint32_t at = 0; at < n;) {
        struct sc_part *p = wanted_by(j, &msgs[at]);
        if (p == NULL) {
            at++;
            continue;
        }
        bool careful = p->tries >= SC_TRIES_CAREFUL;
        if (careful && p->tries < SC_TRIES_POISON && !attempt(j, p))
            return false;
        if (!txn_open(j))
            return false;
        uint32_t to = unpack(j, msgs, at, n);
        if (!load_group(j))
            return false;
        enum taken took = apply(j, msgs, at, to, &at);
        if (took == TAKE_DOUBT)
            return false;
        careful |= took == TAKE_AGAIN;
        if ((careful || commit_due(j, j->w->clock.mono_ms(j->w->clock.arg))) && !commit(j))
            return false;
    }
    return true;
}

static void own(struct journey *j)
{
    const struct sc_tp *tps;
    uint32_t n = j->w->log->ops->assigned(j->w->log, &tps);
    struct sc_part **next = sc_calloc(n + 1, sizeof(*next));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t index = (uint32_t)tps[i].partition;
        SC_ASSERT(index < j->w->cfg->partitions);
        next[i] = j->by_index[index] ? j->by_index[index] : sc_part_create(index);
        j->by_index[index] = NULL;
    }
    for (uint32_t p = 0; p < j->w->cfg->partitions; p++)
        if (j->by_index[p]) {
            sc_part_destroy(j->by_index[p]);
            j->by_index[p] = NULL;
        }
    free(j->parts);
    j->parts = next;
    j->n_parts = n;
    for (uint32_t i = 0; i < n; i++)
        j->by_index[next[i]->index] = next[i];
}

static void report(struct journey *j)
{
    struct sc_worker_status *s = &j->w->status;
    int64_t customers = 0, dirty = 0, stopped = 0, watermark = INT64_MAX, oldest = 0;
    int64_t mono_ms = j->w->clock.mono_ms(j->w->clock.arg);
    for (uint32_t i = 0; i < j->n_parts; i++) {
        const struct sc_part *p = j->parts[i];
        customers += (int64_t)p->cache.n;
        dirty += (int64_t)p->cache.dirty_n;
        stopped += p->status == SC_PART_STOPPED;
        if (p->ear.hearing.watermark_ms < watermark)
            watermark = p->ear.hearing.watermark_ms;
        if (p->dirty_mono_ms && mono_ms - p->dirty_mono_ms > oldest)
            oldest = mono_ms - p->dirty_mono_ms;
    }
    atomic_store(&s->customers, customers);
    atomic_store(&s->dirty, dirty);
    atomic_store(&s->stopped, stopped);
    atomic_store(&s->partitions, j->n_parts);
    atomic_store(&s->watermark_ms, j->n_parts ? watermark : SC_NEVER);
    atomic_store(&s->flush_lag_ms, oldest);
    atomic_store(&s->lag, j->w->log->ops->lag(j->w->log));
    atomic_store(&s->progress_ms, mono_ms);
    atomic_store(&s->ready, !j->doubt && stopped == 0);
}

/* Make what is owned ready to go on. False: not yet. */
static bool settle(struct journey *j)
{
    if (!j->doubt)
        return true;
    txn_clear(j);
    sc_flush_settle(j->w, j->parts, j->n_parts);
    own(j);
    enum sc_err e = sc_takeover(j->w, j->parts, j->n_parts, &j->ar);
    txn_clear(j);
    if (e != SC_ERR_OK) {
        sc_logf(SC_LOG_WARN, "journey", "partitions not acquired yet: %s", sc_err_text(e));
        return wait_and_say(j, sc_err_text(e)), false;
    }
    j->doubt = false;
    atomic_store(&j->w->status.why, NULL);
    if (j->n_parts)
        sc_logf(SC_LOG_INFO, "journey", "worker %u owns %u partitions", j->w->index, j->n_parts);
    return true;
}

static int poll_timeout(const struct journey *j)
{
    if (!j->open)
        return 50;
    int64_t left = j->opened_ms + j->w->cfg->commit_interval_ms -
                   j->w->clock.mono_ms(j->w->clock.arg);
    return left < 0 ? 0 : left > 50 ? 50 : (int)left;
}

static bool flush(struct journey *j, int timeout_ms)
{
    return sc_flush_tick(j->w, j->parts, j->n_parts, false, timeout_ms) ||
           (doubt(j, SC_ERR_CONFLICT), false);
}

static void turn(struct journey *j)
{
    struct sc_poll_result res;
    enum sc_err e = j->w->log->ops->poll(j->w->log, poll_timeout(j), &res);
    if (e != SC_ERR_OK || res.what == SC_POLL_REBALANCED) {
        doubt(j, e != SC_ERR_OK ? e : SC_ERR_FENCED);
        return;
    }
    if (res.what == SC_POLL_MESSAGES) {
        take_batch(j, res.msgs, res.n);
        j->w->log->ops->release(j->w->log);
    }
    if (!j->doubt && commit_due(j, j->w->clock.mono_ms(j->w->clock.arg)))
        commit(j);
    if (!flush(j, 0) || !sc_flush_stalled(j->w, j->parts, j->n_parts))
        return;
    do {
        atomic_store(&j->w->status.why, "Redis is too far behind: reading has stopped");
        if ((j->open && !commit(j)) || !flush(j, RETRY_MS))
            return;
        report(j);
    } while (!*j->w->stop && sc_flush_stalled(j->w, j->parts, j->n_parts));
    atomic_store(&j->w->status.why, NULL);
}

/* Stop requested: finish the transaction in hand, bring Redis up to date, leave. */
static void drain(struct journey *j)
{
    if (j->open && !j->doubt)
        commit(j);
    int64_t until = j->w->clock.mono_ms(j->w->clock.arg) + DRAIN_MS;
    while (j->w->view && !j->doubt && !sc_flush_done(j->parts, j->n_parts) &&
           j->w->clock.mono_ms(j->w->clock.arg) < until)
        if (!sc_flush_tick(j->w, j->parts, j->n_parts, true, 100))
            break;
    if (j->open)
        j->w->log->ops->abort(j->w->log);
    j->w->log->ops->close(j->w->log);
}

static void fini(struct journey *j)
{
    for (uint32_t i = 0; i < j->n_parts; i++)
        sc_part_destroy(j->parts[i]);
    for (uint32_t p = 0; p < j->w->cfg->partitions; p++)
        sc_frame_fini(&j->frames[p]);
    free(j->frames);
    free(j->parts);
    free(j->by_index);
    free(j->items);
    sc_seal_fini(&j->seal);
    sc_buf_fini(&j->stored);
    sc_buf_fini(&j->pb.value);
    sc_overlay_fini(&j->ov);
    sc_arena_fini(&j->ar);
}

int sc_journey_worker(struct sc_worker *w)
{
    struct journey j = {.w = w, .jo = w->cfg->jo, .doubt = true};
    sc_arena_init(&j.ar);
    sc_overlay_init(&j.ov);
    j.by_index = sc_calloc(w->cfg->partitions, sizeof(*j.by_index));
    j.frames = sc_calloc(w->cfg->partitions, sizeof(*j.frames));
    j.items = sc_calloc(GROUP_ITEMS + SC_FRAME_RECORDS, sizeof(*j.items));
    j.pb = (struct sc_publisher){.w = w, .ar = &j.ar};
    txn_clear(&j);
    while (!*w->stop) {
        if (settle(&j))
            turn(&j);
        report(&j);
    }
    drain(&j);
    fini(&j);
    return 0;
}
