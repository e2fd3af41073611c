/* The journey worker's transaction: begin, commit, or doubt.
 *
 * A commit writes frames for other owners, then a partition's new states and its seal, then
 * offsets; only when it is known to stand does what it touched become what is cached. Any doubt
 * drops all of it. Source: reliability.md "A transaction". */
#include "engine/journey_priv.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/prefetch.h"
#include "codec/state.h"
#include "engine/flush.h"

#define RETRY_MS 500 /* between tries while a server is down */
#define TXN_KEEP_BYTES (64u << 20)
#define GROUP_KEEP_BYTES (8u << 20)

void sc_jworker_clear_group(struct sc_jworker *j)
{
    SC_ASSERT(j->ov.n_open == 0);
    sc_arena_reset(&j->group, GROUP_KEEP_BYTES);
    sc_effects_init(&j->fx, &j->group);
    j->n_items = 0;
}

void sc_jworker_clear(struct sc_jworker *j)
{
    sc_overlay_clear(&j->ov);
    sc_jworker_clear_group(j);
    sc_worker_uncounted(j->w);
    sc_arena_reset(&j->ar, TXN_KEEP_BYTES);
    sc_cube_init(&j->cube, &j->ar);
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
    j->open = false;
    j->written = 0;
    j->timers = 0;
}

void sc_jworker_doubt(struct sc_jworker *j, enum sc_err why)
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
    sc_jworker_clear(j);
    j->doubt = true;
}

bool sc_jworker_begin(struct sc_jworker *j)
{
    if (j->open)
        return true;
    enum sc_err e = j->w->log->ops->begin(j->w->log);
    if (e != SC_ERR_OK) {
        sc_jworker_doubt(j, e);
        return false;
    }
    j->open = true;
    j->pace.opened_ms = j->w->clock.mono_ms(j->w->clock.arg);
    return true;
}

void sc_jworker_wait(struct sc_jworker *j, const char *why)
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

/* ---- commit */

/* What a transaction touched, by partition. */
struct touched {
    const uint32_t *order; /* indices of the overlay's items */
    uint32_t *from;        /* P + 1: those of partition p stand in [from[p], from[p + 1]) */
    uint32_t *at;          /* P: the first whose image is not written yet */
    struct sc_seal_writer *seals; /* P: of their frames, all on the worker's one record */
};

/* The customer's line, once a transaction. */
static bool write_customer(struct sc_jworker *j, struct sc_part *p,
                           const struct sc_overlay_item *it)
{
    if (!j->w->cfg->topics.v[SC_OUT_CUSTOMERS].on)
        return true;
    const struct sc_state *st = sc_state_decode(j->jo, it->node, it->stored, &j->group);
    SC_ASSERT(st != NULL); /* we encoded it ourselves */
    enum sc_err e = sc_publish_customer(&j->pb, st, p->ear.hearing.watermark_ms);
    sc_jworker_clear_group(j);
    return e == SC_ERR_OK;
}

static bool write_chunk(struct sc_jworker *j, const struct sc_part *p, const struct touched *to)
{
    struct sc_out out = {.topic = SC_OUT_STATE, .partition = (int32_t)p->index,
                         .value = sc_seal_chunk(&to->seals[p->index])};
    sc_count(&j->w->txn.state_bytes, out.value.len);
    return j->w->log->ops->produce(j->w->log, &out) == SC_ERR_OK;
}

static bool write_seal(struct sc_jworker *j, struct sc_part *p, const struct touched *to)
{
    const struct sc_engine_config *cfg = j->w->cfg;
    const struct sc_hearing *h = &p->ear.hearing;
    struct sc_seal s = {
        .incarnation = p->incarnation, .seq = p->seq + 1, .next = p->next_txn,
        .config_hash = j->jo->config_hash, .ranks_hash = cfg->ranks_hash,
        .partitions = cfg->partitions, .watermark_ms = h->watermark_ms, .woke_ms = h->woke_ms,
        .progress = h->progress, .heard_ms = h->heard_ms, .n_progress = h->n, .parts = h->parts,
        .n_parts = h->n_parts,
    };
    struct sc_out out = {.topic = SC_OUT_STATE, .partition = (int32_t)p->index,
                         .value = sc_seal_close(&to->seals[p->index], &s)};
    sc_count(&j->w->txn.state_bytes, out.value.len);
    return j->w->log->ops->produce_marked(j->w->log, &out, &p->mark) == SC_ERR_OK;
}

/* One record of a partition's frame. 1: more follow; 0: it was the seal; -1: it was refused. */
static int write_record(struct sc_jworker *j, struct sc_part *p, const struct touched *to)
{
    const struct sc_overlay_item *items = j->ov.items;
    struct sc_seal_writer *w = &to->seals[p->index];
    uint32_t *at = &to->at[p->index], end = to->from[p->index + 1];
    for (; *at < end; ++*at) {
        const struct sc_overlay_item *it = &items[to->order[*at]];
        if (*at + SC_CACHE_NEAR < end) {
            struct sc_str near = items[to->order[*at + SC_CACHE_NEAR]].stored;
            sc_prefetch(near.p, near.len, SC_STATE_LINES);
        }
        if (it->stored.p == NULL)
            continue;
        struct sc_image im = {it->node, it->stored, it->next_due_ms};
        if (im.state.len > SC_STATE_MOST_BYTES) { /* would be refused each time that it is tried */
            sc_part_stop(p, "a customer's state has %zu bytes, at most %u go into the state log: the "
                         "journey keeps too much of long texts", im.state.len, SC_STATE_MOST_BYTES);
            return -1;
        }
        if (!sc_seal_fits(w, &im))
            return write_chunk(j, p, to) ? 1 : -1;
        sc_count(&j->w->txn.states_over_soft, im.state.len > SC_STATE_SOFT_BYTES);
        sc_count(&j->w->txn.states_cut, it->cut);
        sc_seal_image(w, &im);
        if (!write_customer(j, p, it))
            return -1;
    }
    return write_seal(j, p, to) ? 0 : -1;
}

/* The frames of all partitions, a record of each in turn: what the log sends out at once is then
 * shared out between them. */
static bool write_states(struct sc_jworker *j, const struct touched *to)
{
    struct sc_part **left = SC_NEW_N(&j->ar, struct sc_part *, j->n_parts + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < j->n_parts; i++) {
        if (!j->parts[i]->touched)
            continue;
        left[n++] = j->parts[i];
        sc_seal_start(&to->seals[j->parts[i]->index], &j->record);
    }
    while (n > 0) {
        uint32_t more = 0;
        for (uint32_t i = 0; i < n; i++) {
            int got = write_record(j, left[i], to);
            if (got < 0)
                return false;
            if (got > 0)
                left[more++] = left[i];
        }
        n = more;
    }
    return true;
}

static bool write_frames(struct sc_jworker *j)
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

/* What the transaction adds to analytics, a record a cell. */
static bool write_cells(struct sc_jworker *j)
{
    uint32_t n, at = 0;
    const struct sc_cell *cells = sc_cube_cells(&j->cube, &j->ar, &n);
    while (n > 0 && at < j->n_parts && !j->parts[at]->touched)
        at++;
    SC_ASSERT(n == 0 || at < j->n_parts); /* a step has touched one */
    for (uint32_t i = 0; i < n; i++) {
        const struct sc_part *p = j->parts[at];
        struct sc_commit_name name = {p->incarnation, p->seq + 1, p->index};
        if (sc_publish_cell(&j->pb, &cells[i], &name) != SC_ERR_OK)
            return false;
    }
    return true;
}

static struct sc_tp offset_of(struct sc_jworker *j, struct sc_part *p)
{
    struct sc_meta meta = {.incarnation = p->incarnation, .seq = p->seq + 1,
                           .seal = j->w->log->ops->mark_offset(j->w->log, p->mark),
                           .config_hash = j->jo->config_hash,
                           .tries = sc_tries_after(&p->tries, p->next_txn)};
    memcpy(meta.writer, j->w->writer, sizeof(meta.writer));
    char *text = sc_arena_alloc(&j->ar, SC_META_MAX);
    size_t len = sc_meta_format(&meta, text);
    SC_ASSERT(meta.seal >= 0);
    return (struct sc_tp){0, (int32_t)p->index, p->next_txn, {text, len}};
}

/* What was touched of one partition is what is known of it. */
static void keep_states(struct sc_jworker *j, struct sc_part *p, const struct touched *to)
{
    const struct sc_overlay_item *items = j->ov.items;
    uint32_t end = to->from[p->index + 1];
    for (uint32_t k = to->from[p->index]; k < end; k++) {
        const struct sc_overlay_item *it = &items[to->order[k]];
        if (k + SC_CACHE_FAR < end)
            sc_cache_prefetch(&p->cache, &items[to->order[k + SC_CACHE_FAR]].node);
        if (k + SC_CACHE_NEAR < end) {
            const struct sc_overlay_item *near = &items[to->order[k + SC_CACHE_NEAR]];
            sc_cache_prefetch_state(&p->cache, &near->node);
            sc_prefetch(near->stored.p, near->stored.len, SC_STATE_LINES);
        }
        if (it->stored.p == NULL)
            continue;
        sc_cache_put(&p->cache, &it->node, it->stored, j->w->view ? p->commits : 0);
        if (it->next_due_ms != SC_NO_DUE && it->next_due_ms != it->due_ms)
            sc_due_push(&p->due, it->next_due_ms, &it->node);
    }
}

/* The transaction is in the log: what it touched becomes what is known. */
static void committed(struct sc_jworker *j, const struct touched *to)
{
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
        sc_tries_passed(&p->tries, p->next);
        p->seal = j->w->log->ops->mark_offset(j->w->log, p->mark);
        keep_states(j, p, to);
        if (p->cache.dirty_n && p->dirty_mono_ms == 0)
            p->dirty_mono_ms = mono_ms;
    }
    if (j->hints.n && j->w->view)
        j->w->view->ops->hint(j->w->view, j->hints.v, j->hints.n / 2);
}

/* Is the customer's due time still this one? Of one that is not in memory it is not known. */
static bool is_current(void *arg, const struct sc_due_item *item)
{
    const struct sc_part *p = arg;
    struct sc_state_peek peek;
    const struct sc_cache_slot *slot = sc_cache_get(&p->cache, &item->node);
    if (slot == NULL)
        return !p->complete;
    if (slot->bytes == NULL)
        return false;
    return !sc_state_peek(sc_cache_state(slot), &peek) || peek.due_ms == item->ms;
}

/* Before customers leave the memory, by which it is known what is stale. */
static void sweep_due(struct sc_jworker *j)
{
    for (uint32_t i = 0; i < j->n_parts; i++)
        if (sc_due_swollen(&j->parts[i]->due))
            sc_due_keep(&j->parts[i]->due, is_current, j->parts[i]);
}

/* Keep the states in memory under their bound. Between transactions only: what is open borrows from
 * the cache. Without a view there is nowhere to read them from again. */
static void trim(struct sc_jworker *j)
{
    uint64_t each = j->n_parts ? j->w->cfg->cache_max_bytes / j->n_parts : 0;
    for (uint32_t i = 0; j->w->view && i < j->n_parts; i++) {
        struct sc_part *p = j->parts[i];
        if (p->cache.bytes > each && sc_cache_evict(&p->cache, each - each / 8) > 0)
            p->complete = false;
    }
}

bool sc_jworker_commit(struct sc_jworker *j)
{
    struct sc_tp *tps = SC_NEW_N(&j->ar, struct sc_tp, j->n_parts + 1);
    uint32_t n = 0, partitions = j->w->cfg->partitions;
    int64_t began_ms = j->w->clock.mono_ms(j->w->clock.arg);
    struct touched to = {.from = SC_NEW_N(&j->ar, uint32_t, partitions + 1)};
    to.order = sc_overlay_by_part(&j->ov, to.from, partitions, &j->ar);
    to.at = SC_NEW_N(&j->ar, uint32_t, partitions);
    memcpy(to.at, to.from, partitions * sizeof(*to.at));
    to.seals = SC_NEW_N(&j->ar, struct sc_seal_writer, partitions);
    bool fine = write_frames(j) && write_cells(j) && write_states(j, &to);
    enum sc_err e = fine ? j->w->log->ops->flush(j->w->log) : SC_ERR_ABORT;
    for (uint32_t i = 0; e == SC_ERR_OK && i < j->n_parts; i++)
        if (j->parts[i]->touched)
            tps[n++] = offset_of(j, j->parts[i]);
    if (e == SC_ERR_OK && n > 0)
        e = j->w->log->ops->commit(j->w->log, tps, n);
    else if (e == SC_ERR_OK) /* heartbeats alone: nothing to say yet */
        j->w->log->ops->abort(j->w->log);
    if (e != SC_ERR_OK)
        return sc_jworker_doubt(j, e), false;
    committed(j, &to);
    sc_worker_counted(j->w);
    sc_count(&j->w->counters.transactions, n > 0);
    if (n > 0)
        j->pace.last_ms = began_ms;
    sc_jworker_clear(j);
    sc_worker_moves(j->w);
    sweep_due(j);
    trim(j);
    return true;
}

bool sc_jworker_commit_due(const struct sc_jworker *j, int64_t mono_ms)
{
    return j->open && (sc_pace_over(&j->pace, mono_ms) ||
                       j->written >= j->w->cfg->txn_max_bytes ||
                       j->timers >= j->w->cfg->timers_max);
}

bool sc_jworker_flush(struct sc_jworker *j, int timeout_ms)
{
    return sc_flush_tick(j->w, j->parts, j->n_parts, false, timeout_ms) ||
           (sc_jworker_doubt(j, SC_ERR_CONFLICT), false);
}
