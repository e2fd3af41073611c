/* See flush.h. */
#include "engine/flush.h"

#include "base/log.h"
#include "base/prefetch.h"
#include "codec/state.h"

#define SETTLE_MS 30000 /* a port gives up earlier on a flush that does not end */
#define SETTLE_STEP_MS 100
/* So much under way, and no other flush is started: each is a copy of what it writes. */
#define UNDER_WAY_BYTES (1u << 20)
#define LOOK_MS 60000 /* a partition that flushes nothing looks at its stamp so often */

static int64_t due_of(struct sc_str state)
{
    struct sc_state_peek peek;
    return state.p && sc_state_peek(state, &peek) ? peek.due_ms : SC_NO_DUE;
}

/* Everything dirty, as of the last commit; its nodes to p->in_flush. */
static struct sc_view_item *gather(struct sc_part *p, struct sc_arena *ar)
{
    struct sc_nodes *nodes = &p->in_flush;
    /* All that the view's index holds was loaded into the heap, or came from it. */
    bool listed = sc_due_used(&p->due);
    sc_cache_take_dirty(&p->cache, nodes);
    struct sc_view_item *items = sc_arena_alloc(ar, sizeof(*items) * (nodes->n + 1));
    uint64_t n = 0;
    for (uint64_t i = 0; i < nodes->n; i++) {
        if (i + SC_CACHE_FAR < nodes->n)
            sc_cache_prefetch(&p->cache, &nodes->v[i + SC_CACHE_FAR]);
        const struct sc_cache_slot *s = sc_cache_get(&p->cache, &nodes->v[i]);
        if (s == NULL || s->dirty == 0)
            continue;
        nodes->v[n] = s->node;
        items[n++] = (struct sc_view_item){s->node, sc_cache_state(s), SC_NO_DUE, listed};
    }
    nodes->n = n;
    for (uint64_t i = 0; i < n; i++) {
        if (i + SC_CACHE_NEAR < n)
            sc_prefetch(items[i + SC_CACHE_NEAR].state.p, 1, 1);
        items[i].due_ms = due_of(items[i].state);
    }
    return items;
}

static void start(struct sc_worker *w, struct sc_part *p, int64_t mono_ms)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    p->flush_bytes = p->cache.dirty_bytes;
    struct sc_view_item *items = gather(p, &ar);
    p->flush_to = (struct sc_stamp){p->incarnation, p->stamp.view, p->seal};
    p->flush_commits = p->commits;
    p->flushed_mono_ms = mono_ms;
    enum sc_err e = w->view->ops->flush(w->view, p->index, p->stamp, p->flush_to, items,
                                        (uint32_t)p->in_flush.n);
    p->flushing = e == SC_ERR_OK;
    if (!p->flushing)
        sc_cache_give_back(&p->cache, &p->in_flush, 0);
    sc_arena_fini(&ar);
}

/* What was written is clean, unless a later commit touched it again. */
static void finish(struct sc_worker *w, struct sc_part *p)
{
    sc_count(&w->counters.state_writes, p->in_flush.n);
    sc_cache_give_back(&p->cache, &p->in_flush, p->flush_commits);
    p->stamp = p->flush_to;
    p->dirty_mono_ms = p->cache.dirty_n ? p->flushed_mono_ms : 0;
}

static struct sc_part *part_by_index(struct sc_part **parts, uint32_t n, uint32_t index)
{
    for (uint32_t i = 0; i < n; i++)
        if (parts[i]->index == index)
            return parts[i];
    return NULL;
}

/* One flush has ended. False: a conflict. */
static bool take_in(struct sc_worker *w, struct sc_part *p, enum sc_err how)
{
    if (p == NULL || !p->flushing)
        return true;
    p->flushing = false;
    if (how == SC_ERR_OK)
        finish(w, p);
    else
        sc_cache_give_back(&p->cache, &p->in_flush, 0);
    if (how != SC_ERR_CONFLICT)
        return true;
    sc_logf(SC_LOG_WARN, w->role, "partition %u: the stamp in Redis is not ours: acquiring anew",
            p->index);
    sc_part_forget(p);
    return false;
}

/* Returns false on a conflict. */
static bool collect(struct sc_worker *w, struct sc_part **parts, uint32_t n, int timeout_ms)
{
    bool fine = true;
    uint32_t index;
    enum sc_err how;
    while (w->view->ops->collect(w->view, timeout_ms, &index, &how) == SC_ERR_OK &&
           index != UINT32_MAX)
        fine &= take_in(w, part_by_index(parts, n, index), how);
    return fine;
}

void sc_flush_settle(struct sc_worker *w, struct sc_part **parts, uint32_t n)
{
    if (w->view == NULL)
        return;
    int64_t until = w->clock.mono_ms(w->clock.arg) + SETTLE_MS;
    enum sc_err e = SC_ERR_OK;
    do {
        uint32_t index;
        enum sc_err how;
        e = w->view->ops->collect(w->view, e == SC_ERR_OK ? 0 : SETTLE_STEP_MS, &index, &how);
        if (e == SC_ERR_OK && index == UINT32_MAX)
            return;
        if (e == SC_ERR_OK)
            take_in(w, part_by_index(parts, n, index), how);
    } while (w->clock.mono_ms(w->clock.arg) < until);
}

/* A view that was wiped, or went back, is found by the next flush; a quiet partition has none for
 * long. False: the view is not what this owner left. */
static bool look(struct sc_worker *w, struct sc_part *p, int64_t mono_ms)
{
    struct sc_stamp is;
    p->looked_mono_ms = mono_ms;
    if (w->view->ops->read(w->view, p->index, &is, NULL, 0) != SC_ERR_OK ||
        (is.incarnation == p->stamp.incarnation && is.view == p->stamp.view &&
         is.offset >= p->stamp.offset))
        return true; /* a Redis that is away is found by who needs it */
    sc_logf(SC_LOG_WARN, w->role, "partition %u: the view in Redis is gone or went back: acquiring "
            "anew", p->index);
    sc_part_forget(p);
    return false;
}

static uint64_t under_way(struct sc_part *const *parts, uint32_t n)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        bytes += parts[i]->flushing ? parts[i]->flush_bytes : 0;
    return bytes;
}

/* Of those whose flush is due the one that waits longest, NULL: none. */
static struct sc_part *most_due(struct sc_part **parts, uint32_t n, int64_t since_ms)
{
    struct sc_part *most = NULL;
    for (uint32_t i = 0; i < n; i++) {
        struct sc_part *p = parts[i];
        bool due = p->status == SC_PART_ACTIVE && !p->flushing && p->cache.dirty_n &&
                   p->flushed_mono_ms <= since_ms;
        if (due && (most == NULL || p->flushed_mono_ms < most->flushed_mono_ms))
            most = p;
    }
    return most;
}

bool sc_flush_tick(struct sc_worker *w, struct sc_part **parts, uint32_t n, bool all,
                   int timeout_ms)
{
    if (w->view == NULL)
        return true;
    bool fine = collect(w, parts, n, timeout_ms), looked = false;
    int64_t mono_ms = w->clock.mono_ms(w->clock.arg);
    int64_t since_ms = all ? INT64_MAX : mono_ms - w->cfg->flush_interval_ms;
    for (uint32_t i = 0; i < n; i++) {
        struct sc_part *p = most_due(parts, n, since_ms);
        if (p == NULL || under_way(parts, n) >= UNDER_WAY_BYTES)
            break;
        start(w, p, mono_ms);
    }
    for (uint32_t i = 0; i < n && !looked; i++) { /* one a tick: each is a round trip */
        struct sc_part *p = parts[i];
        looked = p->status == SC_PART_ACTIVE && !p->flushing && p->cache.dirty_n == 0 &&
                 mono_ms - p->flushed_mono_ms > LOOK_MS && mono_ms - p->looked_mono_ms > LOOK_MS;
        if (looked)
            fine &= look(w, p, mono_ms);
    }
    return fine;
}

bool sc_flush_stalled(const struct sc_worker *w, struct sc_part *const *parts, uint32_t n)
{
    uint64_t bytes = 0;
    int64_t oldest = 0;
    for (uint32_t i = 0; w->view && i < n; i++) {
        if (parts[i]->status != SC_PART_ACTIVE)
            continue; /* a stopped one is flushed no more, and holds nobody up */
        bytes += parts[i]->cache.dirty_bytes;
        int64_t since = parts[i]->dirty_mono_ms;
        if (since && (oldest == 0 || since < oldest))
            oldest = since;
    }
    return bytes > w->cfg->dirty_max_bytes ||
           (oldest && w->clock.mono_ms(w->clock.arg) - oldest > w->cfg->dirty_max_ms);
}

bool sc_flush_done(struct sc_part *const *parts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (parts[i]->status == SC_PART_ACTIVE && parts[i]->cache.dirty_n)
            return false;
    return true;
}
