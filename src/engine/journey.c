/* The journey worker: applies the journal to customers, exactly once.
 *
 * One loop: poll, take, commit when the interval has passed, flush to Redis behind. What a
 * transaction touches lives in its overlay and arena; a commit moves it to the cache, any doubt
 * drops it and acquires the partitions anew (takeover.c). Source: reliability.md "A transaction". */
#include "engine/journey_priv.h"

#include "base/assert.h"
#include "base/log.h"
#include "engine/flush.h"
#include "engine/takeover.h"
#include <stdlib.h>

#define POLL_MS 50
#define POLL_FLUSHING_MS 2 /* a flush goes on with each turn: question, answer, values */
#define RETRY_MS 500   /* between tries while Redis is too far behind */
#define HELD_MS 5000   /* something is there and is not handed out: looked into after so long */
#define DRAIN_MS 10000 /* the last flush may take so long */

static void own(struct sc_jworker *j)
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

/* The lag while nothing is assigned to be read: the client does not know, the broker does. */
static int64_t lag_asked(const struct sc_jworker *j)
{
    int64_t low, high, stable, sum = 0;
    for (uint32_t i = 0; i < j->n_parts; i++) {
        const struct sc_part *p = j->parts[i];
        if (p->status == SC_PART_ACTIVE &&
            j->w->log->ops->watermarks(j->w->log, 0, (int32_t)p->index, &low, &high, &stable) ==
                SC_ERR_OK && stable > p->next)
            sum += stable - p->next;
    }
    return sum;
}

static void report(struct sc_jworker *j)
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
        if (p->status == SC_PART_ACTIVE && p->dirty_mono_ms && mono_ms - p->dirty_mono_ms > oldest)
            oldest = mono_ms - p->dirty_mono_ms;
    }
    atomic_store(&s->customers, customers);
    atomic_store(&s->dirty, dirty);
    atomic_store(&s->stopped, stopped);
    atomic_store(&s->partitions, j->n_parts);
    atomic_store(&s->watermark_ms, j->n_parts ? watermark : SC_NEVER);
    atomic_store(&s->flush_lag_ms, oldest);
    atomic_store(&s->lag, j->still ? lag_asked(j) : j->w->log->ops->lag(j->w->log));
    atomic_store(&s->ready, !j->doubt && stopped == 0);
}

/* Make what is owned ready to go on. False: not yet. */
static bool settle(struct sc_jworker *j)
{
    if (!j->doubt)
        return true;
    sc_jworker_clear(j);
    sc_flush_settle(j->w, j->parts, j->n_parts);
    own(j);
    atomic_store(&j->w->status.why, "partitions are being acquired");
    enum sc_err e = sc_takeover(j->w, j->parts, j->n_parts, &j->ar);
    sc_jworker_clear(j);
    if (e != SC_ERR_OK) {
        sc_logf(SC_LOG_WARN, "journey", "partitions not acquired yet: %s", sc_err_text(e));
        /* A server that is away is waited for; an abort is only tried again. */
        return sc_jworker_wait(j, sc_err_retriable(e) ? sc_err_text(e) : NULL), false;
    }
    j->doubt = j->still = false;
    if (atomic_load(&j->w->status.progress_ms) == 0)
        sc_worker_moves(j->w); /* from here on it must */
    atomic_store(&j->w->status.why, NULL);
    if (j->n_parts)
        sc_logf(SC_LOG_INFO, "journey", "worker %u owns %u partitions", j->w->index, j->n_parts);
    return true;
}

static int poll_timeout(const struct sc_jworker *j)
{
    int most = POLL_MS;
    for (uint32_t i = 0; i < j->n_parts; i++)
        if (j->parts[i]->flushing)
            most = POLL_FLUSHING_MS;
    return j->open ? sc_pace_wait(&j->pace, j->w->clock.mono_ms(j->w->clock.arg), most) : most;
}

/* Redis is too far behind: read nothing until it is not. The consumer is polled meanwhile, with
 * nothing assigned to be read, so that the membership stays. */
static void hold_still(struct sc_jworker *j)
{
    struct sc_poll_result res;
    if (j->open && !sc_jworker_commit(j))
        return;
    atomic_store(&j->w->status.why, "Redis is too far behind: reading has stopped");
    j->still = true;
    enum sc_err e = sc_takeover_positions(j->w, j->parts, j->n_parts, true, &j->ar);
    while (e == SC_ERR_OK && !*j->w->stop && sc_flush_stalled(j->w, j->parts, j->n_parts)) {
        report(j);
        e = j->w->log->ops->poll(j->w->log, RETRY_MS, &res);
        if (e == SC_ERR_OK && res.what == SC_POLL_REBALANCED)
            e = SC_ERR_FENCED;
        if (e == SC_ERR_OK && !sc_jworker_flush(j, 0))
            return;
    }
    if (e == SC_ERR_OK)
        e = sc_takeover_positions(j->w, j->parts, j->n_parts, false, &j->ar);
    if (e != SC_ERR_OK)
        sc_jworker_doubt(j, e);
    j->still = false;
    atomic_store(&j->w->status.why, NULL);
}

/* The first partition that has something which was not handed out; NULL: there is nothing to do. */
static const struct sc_part *first_behind(const struct sc_jworker *j)
{
    for (uint32_t i = 0; i < j->n_parts; i++)
        if (j->parts[i]->status == SC_PART_ACTIVE &&
            !j->w->log->ops->at_end(j->w->log, 0, (int32_t)j->parts[i]->index))
            return j->parts[i];
    return NULL;
}

/* What keeps from reading on where `p` is behind. NULL: nothing that is known. */
static const char *held_by(const struct sc_jworker *j, const struct sc_part *p)
{
    int64_t low, high, stable;
    if (j->w->log->ops->watermarks(j->w->log, 0, (int32_t)p->index, &low, &high, &stable) !=
        SC_ERR_OK)
        return SC_WAITS_FOR_KAFKA;
    return high > stable ? "an open transaction of another writer holds the journal back" : NULL;
}

/* Nothing was read: there is nothing; or the broker is away, or an open transaction holds it back,
 * which is said, and whose end is waited for; or it is a case for the watchdog. */
static void watch_journal(struct sc_jworker *j, bool nothing)
{
    int64_t mono_ms = j->w->clock.mono_ms(j->w->clock.arg);
    const struct sc_part *behind = nothing ? first_behind(j) : NULL;
    if (nothing && behind == NULL)
        sc_worker_moves(j->w);
    if (behind == NULL) {
        if (j->held)
            atomic_store(&j->w->status.why, NULL);
        j->held = false;
        j->behind_ms = 0;
        return;
    }
    if (j->behind_ms == 0)
        j->behind_ms = mono_ms;
    if (mono_ms - j->behind_ms < HELD_MS)
        return;
    j->behind_ms = mono_ms; /* looked at again after as long */
    const char *why = held_by(j, behind);
    j->held = why != NULL;
    atomic_store(&j->w->status.why, why);
}

static void turn(struct sc_jworker *j)
{
    struct sc_poll_result res;
    enum sc_err e = j->w->log->ops->poll(j->w->log, poll_timeout(j), &res);
    if (e != SC_ERR_OK || res.what == SC_POLL_REBALANCED) {
        sc_jworker_doubt(j, e != SC_ERR_OK ? e : SC_ERR_FENCED);
        return;
    }
    watch_journal(j, res.what == SC_POLL_NOTHING && !j->open);
    if (res.what == SC_POLL_MESSAGES) {
        sc_jworker_take(j, res.msgs, res.n);
        j->w->log->ops->release(j->w->log);
    }
    int64_t mono_ms = j->w->clock.mono_ms(j->w->clock.arg);
    bool quiet = res.what == SC_POLL_NOTHING && sc_pace_free(&j->pace, mono_ms);
    if (!j->doubt && j->open && (quiet || sc_jworker_commit_due(j, mono_ms)))
        sc_jworker_commit(j);
    if (!j->doubt && sc_jworker_flush(j, 0) && sc_flush_stalled(j->w, j->parts, j->n_parts))
        hold_still(j);
}

/* Stop requested: finish the transaction in hand, bring Redis up to date, leave. */
static void drain(struct sc_jworker *j)
{
    if (j->open && !j->doubt)
        sc_jworker_commit(j);
    int64_t until = j->w->clock.mono_ms(j->w->clock.arg) + DRAIN_MS;
    while (j->w->view && !j->doubt && !sc_flush_done(j->parts, j->n_parts) &&
           j->w->clock.mono_ms(j->w->clock.arg) < until)
        if (!sc_flush_tick(j->w, j->parts, j->n_parts, true, 100))
            break;
    if (!j->open && !j->doubt)
        sc_takeover_leave(j->w, j->parts, j->n_parts, &j->ar);
    if (j->open)
        j->w->log->ops->abort(j->w->log);
    j->w->log->ops->close(j->w->log);
}

static void fini(struct sc_jworker *j)
{
    for (uint32_t i = 0; i < j->n_parts; i++)
        sc_part_destroy(j->parts[i]);
    for (uint32_t p = 0; p < j->w->cfg->partitions; p++)
        sc_frame_fini(&j->frames[p]);
    free(j->frames);
    free(j->parts);
    free(j->by_index);
    free(j->items);
    sc_buf_fini(&j->record);
    sc_buf_fini(&j->pb.value);
    sc_overlay_fini(&j->ov);
    sc_arena_fini(&j->ar);
    sc_arena_fini(&j->group);
}

int sc_journey_worker(struct sc_worker *w)
{
    struct sc_jworker j = {.w = w, .jo = w->cfg->jo, .doubt = true,
                           .pace = {.interval_ms = w->cfg->commit_interval_ms}};
    sc_arena_init(&j.ar);
    sc_arena_init(&j.group);
    sc_overlay_init(&j.ov);
    j.by_index = sc_calloc(w->cfg->partitions, sizeof(*j.by_index));
    j.frames = sc_calloc(w->cfg->partitions, sizeof(*j.frames));
    j.items = sc_calloc(SC_GROUP_ITEMS + SC_FRAME_RECORDS, sizeof(*j.items));
    j.pb = (struct sc_publisher){.w = w, .ar = &j.group};
    sc_jworker_clear(&j);
    while (!*w->stop) {
        if (settle(&j))
            turn(&j);
        report(&j);
    }
    drain(&j);
    fini(&j);
    return 0;
}
