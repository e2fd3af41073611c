/* The journey worker applies messages, a group at a time: unpack it, load its customers in one round
 * trip, open them, step each record, publish what the steps decided. Each is done for the whole group
 * before the next, so that its code is fetched once.
 *
 * A state is opened once a group, into the overlay, and put down at its end; all that a group needs
 * lives in its own arena. Records for other customers leave through the journal, never by a
 * shortcut. Source: reliability.md "A transaction". */
#include "engine/journey_priv.h"

#include "base/assert.h"
#include "base/log.h"
#include "codec/state.h"
#include "core/identity/identity.h"
#include "engine/deadletter.h"
#include "engine/takeover.h"
#include <inttypes.h>

#define FEW_ITEMS 128u    /* a group whose customers are at hand: small enough for the second cache */
#define IDLE_SEAL_MS 5000 /* a partition that saw only heartbeats is sealed so often */

/* ---- states */

static struct sc_state *read_state(struct sc_jworker *j, struct sc_part *p,
                                   const struct sc_node_id *node,
                                   const struct sc_overlay_item *item)
{
    if (item && item->stored.p)
        return sc_state_open(j->jo, *node, item->stored, &j->group);
    const struct sc_cache_slot *slot = sc_cache_get(&p->cache, node);
    if (slot && slot->bytes)
        return sc_state_open(j->jo, *node, sc_cache_state(slot), &j->group);
    return slot || p->complete ? sc_state_new(j->jo, *node, &j->group) : NULL;
}

static void unreadable(struct sc_part *p)
{
    sc_part_stop(p, "a customer's stored state cannot be read: it was written by a newer release, or "
                 "it is damaged");
}

static struct sc_state *open_state(struct sc_jworker *j, struct sc_part *p,
                                   const struct sc_node_id *node)
{
    const struct sc_overlay_item *item = sc_overlay_get(&j->ov, node);
    if (item && item->st)
        return item->st;
    struct sc_state *st = read_state(j, p, node, item);
    if (st == NULL) {
        unreadable(p);
        return NULL;
    }
    sc_overlay_open(&j->ov, st, p->index);
    return st;
}

/* Ask Redis for `n` nodes of one partition. Its answer counts only while its stamp is not behind
 * what this owner has flushed. */
static bool load(struct sc_jworker *j, struct sc_part *p, struct sc_view_item *items, uint32_t n)
{
    struct sc_stamp stamp;
    struct sc_view *vw = j->w->view;
    enum sc_err e = vw->ops->read(vw, p->index, &stamp, items, n);
    if (e != SC_ERR_OK) {
        sc_jworker_doubt(j, e);
        sc_jworker_wait(j, "Redis does not answer: states cannot be read");
        return false;
    }
    if (stamp.incarnation != p->stamp.incarnation || stamp.view != p->stamp.view ||
        stamp.offset < p->stamp.offset) {
        sc_logf(SC_LOG_WARN, "journey", "partition %u: Redis went back: restoring from the log",
                p->index);
        sc_jworker_doubt(j, SC_ERR_CONFLICT);
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

static void miss(struct sc_jworker *j, struct misses *ms, struct sc_part *p,
                 const struct sc_node_id *node)
{
    if (!p->complete && sc_cache_get(&p->cache, node) == NULL &&
        sc_overlay_get(&j->ov, node) == NULL)
        ms->v[ms->n++] = (struct sc_view_item){.node = *node};
}

static bool load_group(struct sc_jworker *j)
{
    struct misses ms = {SC_NEW_N(&j->group, struct sc_view_item, j->n_items + 1), 0};
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

static bool send_record(struct sc_jworker *j, const struct sc_record *rec)
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

/* What a step has for other customers goes out at once: it may speak of a state that is worked on.
 * False: a produce failed, the transaction is in doubt. */
static bool send_records(struct sc_jworker *j, const struct sc_moment *now)
{
    struct sc_effects *fx = &j->fx;
    bool fine = true;
    for (uint32_t i = 0; fine && i < fx->records.n; i++) {
        fx->records.v[i].has_heard = true;
        fx->records.v[i].heard_ms = now->watermark_ms;
        fine = send_record(j, &fx->records.v[i]);
    }
    fx->records.n = 0;
    if (!fine)
        sc_jworker_doubt(j, SC_ERR_ABORT);
    return fine;
}

/* What the group's steps decided goes out, one after the other, so that the code for it is fetched
 * once. False: in doubt. */
static bool publish(struct sc_jworker *j)
{
    struct sc_effects *fx = &j->fx;
    bool fine = true;
    for (uint32_t i = 0; fine && i < fx->items.n; i++)
        fine = sc_publish_effect(&j->pb, &fx->items.v[i]) == SC_ERR_OK;
    for (uint32_t i = 0; fine && i < fx->gone.n; i++)
        fine = sc_publish_gone(&j->pb, &fx->gone.v[i]) == SC_ERR_OK;
    for (uint32_t i = 0; i < fx->deltas.n; i++)
        sc_cube_add(&j->cube, &fx->deltas.v[i]);
    for (uint32_t i = 0; i < fx->hints.n; i++)
        SC_VEC_PUSH(&j->ar, &j->hints, fx->hints.v[i]);
    sc_publish_counts(&j->pb, &fx->counts);
    if (!fine)
        sc_jworker_doubt(j, SC_ERR_ABORT);
    return fine;
}

static struct sc_moment moment(const struct sc_jworker *j, const struct sc_part *p,
                               int64_t append_ms)
{
    return (struct sc_moment){.watermark_ms = p->ear.hearing.watermark_ms, .append_ms = append_ms,
                              .event_clock = j->w->cfg->event_clock};
}

static bool step(struct sc_jworker *j, struct sc_part *p, const struct sc_input *in,
                 struct sc_state *st)
{
    sc_journey_step(j->jo, st, in, &j->fx);
    p->touched = true;
    if (!sc_facts_sound(st)) {
        unreadable(p);
        return sc_jworker_doubt(j, SC_ERR_CORRUPT), false;
    }
    return send_records(j, &in->now);
}

/* ---- timers */

static bool any_ripe(const struct sc_jworker *j, const struct sc_part *p)
{
    const struct sc_due_item *first = sc_due_first(&p->due);
    int64_t watermark_ms = p->ear.hearing.watermark_ms;
    return watermark_ms != SC_NEVER && first && first->ms <= watermark_ms - j->jo->reorder_ms;
}

/* Take what is ripe off the heap, at most as many as this transaction may still fire. */
static struct misses take_ripe(struct sc_jworker *j, struct sc_part *p)
{
    uint32_t room = j->w->cfg->timers_max - j->timers;
    struct misses ripe = {SC_NEW_N(&j->group, struct sc_view_item, room + 1), 0};
    while (ripe.n < room && any_ripe(j, p)) {
        struct sc_due_item due = sc_due_pop(&p->due);
        SC_VEC_PUSH(&j->ar, &j->woken, due);
        SC_VEC_PUSH(&j->ar, &j->woken_part, p->index);
        ripe.v[ripe.n++] = (struct sc_view_item){.node = due.node, .due_ms = due.ms};
    }
    return ripe;
}

/* Fire some of what the watermark has made ripe. False: in doubt. */
static bool fire_some(struct sc_jworker *j, struct sc_part *p, int64_t append_ms)
{
    struct misses ripe = take_ripe(j, p);
    struct misses ms = {SC_NEW_N(&j->group, struct sc_view_item, ripe.n + 1), 0};
    for (uint32_t i = 0; i < ripe.n; i++)
        miss(j, &ms, p, &ripe.v[i].node);
    if (ms.n && !load(j, p, ms.v, ms.n))
        return false;
    struct sc_input in = {.kind = SC_IN_TIMERS, .now = moment(j, p, append_ms),
                          .timers_max = j->w->cfg->timers_max};
    for (uint32_t i = 0; i < ripe.n; i++) {
        struct sc_state *st = open_state(j, p, &ripe.v[i].node);
        if (st == NULL)
            return sc_jworker_doubt(j, SC_ERR_CORRUPT), false;
        struct sc_overlay_item *item = sc_overlay_get(&j->ov, &st->node);
        if (item->due_ms == ripe.v[i].due_ms)
            item->due_ms = SC_NO_DUE; /* its entry is used up, also if it moves back there */
        if (st->due_ms != ripe.v[i].due_ms)
            continue; /* moved since: another entry wakes it */
        if (!step(j, p, &in, st))
            return false;
        j->timers++;
    }
    return true;
}

/* Fire what the watermark has made ripe. 1: all of it; 0: some is left for the next transaction;
 * -1: in doubt. */
static int fire(struct sc_jworker *j, struct sc_part *p, int64_t append_ms)
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

static bool trailer(struct sc_jworker *j, struct sc_part *p, const struct sc_trailer *tr)
{
    struct sc_writers *ws = &p->ear.writers;
    uint32_t at = 0;
    p->heard = true;
    while (at < ws->n && ws->v[at].boot != tr->boot)
        at++;
    if (at < ws->n && tr->k != ws->v[at].k + 1) {
        sc_count(&j->w->counters.journal_gaps, 1);
        sc_part_stop(p, "the journal lost transactions of a resolve worker: %" PRIu64
                     " follows %" PRIu64 "; restore the topic before going on", tr->k,
                     ws->v[at].k);
        return sc_jworker_doubt(j, SC_ERR_CORRUPT), false;
    }
    if (at == SC_WRITERS_MAX)
        at = 0; /* who has been silent for longest is forgotten: a writer's every doubt makes a new one */
    if (at < ws->n) {
        ws->n--;
        memmove(&ws->v[at], &ws->v[at + 1], (ws->n - at) * sizeof(ws->v[0]));
    }
    ws->v[ws->n].boot = tr->boot;
    ws->v[ws->n++].k = tr->k;
    return true;
}

/* 1: taken; 0: its timers are not all fired: to be taken again; -1: in doubt. */
static int take_item(struct sc_jworker *j, const struct sc_jitem *item, const struct sc_msg *m)
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
    return step(j, p, &in, item->st) ? 1 : -1;
}

static bool poison(struct sc_jworker *j, struct sc_part *p, const struct sc_msg *m)
{
    sc_logf(SC_LOG_ERROR, "journey", "partition %u: offset %" PRId64 " ended the process three "
            "times: dead letter", p->index, m->offset);
    p->touched = true;
    if (sc_dead_letter(j->w, j->w->cfg->topics.v[SC_OUT_JOURNAL].name, m, SC_DROP_POISON, NULL,
                       &j->ar) == SC_ERR_OK)
        return true;
    return sc_jworker_doubt(j, SC_ERR_ABORT), false;
}

/* The partition of a message that is still to be taken, else NULL. */
static struct sc_part *wanted_by(const struct sc_jworker *j, const struct sc_msg *m)
{
    struct sc_part *p = j->by_index[m->partition];
    return p && p->status == SC_PART_ACTIVE && m->offset >= p->next_txn ? p : NULL;
}

/* A large group shares one round trip to Redis; where there is none to make, a small one is faster. */
static uint32_t group_items(const struct sc_jworker *j)
{
    for (uint32_t i = 0; i < j->n_parts; i++)
        if (!j->parts[i]->complete)
            return SC_GROUP_ITEMS;
    return FEW_ITEMS;
}

/* Resolve is of a newer taxonomy, or journey of an older one: counted, and said once a minute. */
static void leave_out(struct sc_jworker *j, uint32_t unknown)
{
    int64_t mono_ms = j->w->clock.mono_ms(j->w->clock.arg);
    sc_count(&j->w->txn.unknown_events, unknown);
    if (j->unknown_ms && mono_ms - j->unknown_ms < SC_MINUTE_MS)
        return;
    j->unknown_ms = mono_ms;
    sc_logf(SC_LOG_WARN, "journey", "events that this taxonomy has not come through the journal: %"
            PRIu64 " were left out; start journey with the taxonomy that resolve has",
            atomic_load(&j->w->counters.unknown_events) + atomic_load(&j->w->txn.unknown_events));
}

/* The records of one message, behind those of the group so far. False: it is not a whole frame, and
 * none of it is taken. */
static bool unpack_frame(struct sc_jworker *j, struct sc_part *p, const struct sc_msg *m,
                         uint32_t index)
{
    struct sc_frame_reader rd;
    uint32_t before = j->n_items;
    int got = -1;
    if (!sc_frame_open(&rd, j->jo, m->value, &j->group))
        return false;
    do {
        struct sc_frame_item *it = sc_arena_alloc(&j->group, sizeof(*it));
        got = sc_frame_next(&rd, it);
        if (got == 1 && j->n_items == SC_GROUP_ITEMS + SC_FRAME_RECORDS)
            got = -1; /* more than any release of ours puts in a frame */
        if (got == 1) {
            j->items[j->n_items++] = (struct sc_jitem){it, p, NULL, index};
        }
    } while (got == 1);
    if (got < 0)
        j->n_items = before;
    if (rd.unknown)
        leave_out(j, rd.unknown);
    return got == 0;
}

/* Unpack messages from `from` on until a group is full, or before one that is no whole frame.
 * Returns the first one left: `from` itself, with no items, is no frame. */
static uint32_t unpack(struct sc_jworker *j, const struct sc_msg *msgs, uint32_t from, uint32_t n)
{
    const uint32_t most = group_items(j);
    const struct sc_part *first = wanted_by(j, &msgs[from]);
    SC_ASSERT(first != NULL);
    const bool step = sc_tries_careful(&first->tries);
    j->n_items = 0;
    for (uint32_t i = from; i < n; i++) {
        struct sc_part *p = wanted_by(j, &msgs[i]);
        if (p == NULL)
            continue;
        bool joins = step ? p == first && sc_tries_together(&p->tries, p->committed, msgs[i].offset)
                          : !sc_tries_careful(&p->tries);
        if (i > from && (!joins || (j->n_items && j->n_items + SC_FRAME_RECORDS + 2 > most)))
            return i;
        if (p->tries.n >= SC_TRIES_POISON)
            return i + 1; /* poison, alone, and not even looked at */
        if (!unpack_frame(j, p, &msgs[i], i))
            return i;
    }
    return n;
}

/* ---- opening what a group is about */

static const struct sc_jitem *record_at(const struct sc_jworker *j, uint32_t k)
{
    return k < j->n_items && j->items[k].it->kind < SC_REC_HEARTBEAT ? &j->items[k] : NULL;
}

/* While record `k` is looked at, the states of later ones are on their way. */
static void look_ahead(const struct sc_jworker *j, uint32_t k)
{
    const struct sc_jitem *far = record_at(j, k + SC_CACHE_FAR);
    const struct sc_jitem *mid = record_at(j, k + SC_CACHE_MID);
    const struct sc_jitem *near = record_at(j, k + SC_CACHE_NEAR);
    if (far) {
        sc_overlay_prefetch(&j->ov, &far->it->rec.to);
        sc_cache_prefetch(&far->p->cache, &far->it->rec.to);
    }
    if (mid)
        sc_overlay_prefetch_item(&j->ov, &mid->it->rec.to);
    if (near && !sc_overlay_prefetch_stored(&j->ov, &near->it->rec.to))
        sc_cache_prefetch_state(&near->p->cache, &near->it->rec.to);
}

/* Open the states that the group's records are for. False: in doubt. */
static bool open_group(struct sc_jworker *j)
{
    for (uint32_t k = 0; k < j->n_items; k++) {
        struct sc_jitem *item = &j->items[k];
        look_ahead(j, k);
        if (item->it->kind >= SC_REC_HEARTBEAT)
            continue;
        item->st = open_state(j, item->p, &item->it->rec.to);
        if (item->st == NULL)
            return sc_jworker_doubt(j, SC_ERR_CORRUPT), false;
    }
    return true;
}

/* ---- applying it */

enum taken { TAKEN, TAKE_AGAIN, TAKE_DOUBT };

/* Apply messages [from, to), whose records are in j->items. *done: the first not applied whole. */
static enum taken apply(struct sc_jworker *j, const struct sc_msg *msgs, uint32_t from, uint32_t to,
                        uint32_t *done)
{
    uint32_t k = 0;
    for (uint32_t i = from; i < to; i++) {
        struct sc_part *p = wanted_by(j, &msgs[i]);
        *done = i;
        if (p == NULL)
            continue;
        if (p->tries.n >= SC_TRIES_POISON) {
            if (!poison(j, p, &msgs[i]))
                return TAKE_DOUBT;
            p->tries.n = 0; /* only this one */
        }
        for (; k < j->n_items && j->items[k].msg == i; k++) {
            int took = take_item(j, &j->items[k], &msgs[i]);
            if (took != 1)
                return took < 0 ? TAKE_DOUBT : TAKE_AGAIN;
        }
        p->next_txn = msgs[i].offset + 1;
        /* With care each message counts, also one that changes nothing. */
        p->touched |= sc_tries_careful(&p->tries) ||
                      msgs[i].timestamp_ms - p->sealed_ms >= IDLE_SEAL_MS;
        if (p->touched)
            p->sealed_ms = msgs[i].timestamp_ms;
        j->written += msgs[i].value.len;
    }
    *done = to;
    return TAKEN;
}

/* ---- a batch */

/* Before a message is taken with care: what is open ends, and the attempt is written down. */
static bool attempt(struct sc_jworker *j, struct sc_part *p)
{
    if (j->open && !sc_jworker_commit(j))
        return false;
    if (p->tries.attempted == p->committed)
        return true;
    enum sc_err e = sc_takeover_attempt(j->w, p, &j->ar);
    return e == SC_ERR_OK || (sc_jworker_doubt(j, e), false);
}

/* The journal cannot be read on here, and nothing of it may be skipped: what is before it is
 * committed, and the partition, paused by the takeover that follows, waits for the operator. */
static bool stop_at(struct sc_jworker *j, struct sc_part *p, const struct sc_msg *m)
{
    if (!sc_jworker_commit(j))
        return false;
    sc_part_stop(p, "journal offset %" PRId64 " is no frame of ours, or damaged, or of a newer "
                 "release: somebody else writes to the journal, or this release is older than the "
                 "one that wrote it", m->offset);
    return sc_jworker_doubt(j, SC_ERR_CORRUPT), false;
}

/* False: in doubt. */
static bool close_group(struct sc_jworker *j)
{
    if (!publish(j))
        return false;
    j->written += sc_overlay_close(&j->ov, j->jo, &j->ar);
    sc_jworker_clear_group(j);
    return true;
}

bool sc_jworker_take(struct sc_jworker *j, const struct sc_msg *msgs, uint32_t n)
{
    for (uint32_t at = 0; at < n;) {
        struct sc_part *p = wanted_by(j, &msgs[at]);
        if (p == NULL) {
            at++;
            continue;
        }
        bool careful = sc_tries_careful(&p->tries);
        if (careful && p->tries.n < SC_TRIES_POISON && !attempt(j, p))
            return false;
        if (!sc_jworker_begin(j))
            return false;
        /* What is in hand is not done yet. */
        atomic_store(&j->w->status.lag, j->w->log->ops->lag(j->w->log) + (n - at));
        uint32_t to = unpack(j, msgs, at, n);
        if (to == at)
            return stop_at(j, p, &msgs[at]);
        if (!load_group(j) || !open_group(j))
            return false;
        enum taken took = apply(j, msgs, at, to, &at);
        if (took == TAKE_DOUBT || !close_group(j))
            return false;
        careful |= took == TAKE_AGAIN;
        if ((careful || sc_jworker_commit_due(j, j->w->clock.mono_ms(j->w->clock.arg))) &&
            !sc_jworker_commit(j))
            return false;
        /* A poll may bring seconds of work: Redis is not to wait for its end. */
        if (!sc_jworker_flush(j, 0))
            return false;
    }
    return true;
}
