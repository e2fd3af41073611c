/* See takeover.h. */
#include "engine/takeover.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "codec/state.h"
#include "engine/place.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define COMMITTED_TIMEOUT_MS 5000
#define STAMP_TRIES 2
#define RECORD_KEEP_BYTES (1u << 20)

/* ---- steps 2: the committed offset and its metadata */

/* A dead owner's open transaction holds everybody up for its timeout: fence it, if it is dead. */
static bool fence_writer(struct sc_worker *w, struct sc_str writer)
{
    if (writer.len == 0 || sc_str_eqz(writer, w->writer))
        return false;
    if (w->log->ops->member_alive(w->log, writer))
        return false;
    sc_logf(SC_LOG_WARN, w->role, "fencing %.*s: it left a transaction open", SC_STR_FMT(writer));
    return w->log->ops->fence(w->log, writer) == SC_ERR_OK;
}

static void fence_pending(struct sc_worker *w, const struct sc_tp *tp, struct sc_arena *ar)
{
    struct sc_str text;
    struct sc_meta meta;
    if (w->log->ops->last_metadata(w->log, tp, ar, &text) == SC_ERR_OK &&
        sc_meta_parse(text, &meta))
        fence_writer(w, sc_str_from(meta.writer));
}

static enum sc_err ask_committed(struct sc_worker *w, struct sc_tp *tps, uint32_t n,
                                 struct sc_arena *ar)
{
    enum sc_err e = w->log->ops->committed(w->log, tps, n, COMMITTED_TIMEOUT_MS, ar);
    if (e != SC_ERR_TIMEOUT)
        return e;
    for (uint32_t i = 0; i < n; i++)
        if (tps[i].offset == -2)
            fence_pending(w, &tps[i], ar);
    return w->log->ops->committed(w->log, tps, n, COMMITTED_TIMEOUT_MS, ar);
}

/* ---- steps 4 to 6: stamp, restore, the seal at m */

struct restore {
    struct sc_worker *w;
    struct sc_part *p;
    struct sc_arena each[2]; /* of the record in hand, and of the last seal: not of all that are read */
    unsigned at;        /* which is the seal's */
    int64_t until;      /* m */
    bool proof_only;    /* the view is up to date: only the seal at m is looked at */
    bool seal_seen, torn;
    uint32_t chunks;    /* records of the frame being read */
    uint64_t images;
    struct sc_seal seal;
};

static bool open_record(struct restore *r, struct sc_seal_reader *rd, struct sc_str value)
{
    struct sc_arena *ar = &r->each[r->at ^ 1U];
    sc_arena_reset(ar, RECORD_KEEP_BYTES);
    return sc_seal_open(rd, value, ar);
}

static void keep_seal(struct restore *r, const struct sc_seal_reader *rd)
{
    r->seal = rd->seal;
    r->at ^= 1U;
}

static void restore_fini(struct restore *r)
{
    sc_arena_fini(&r->each[0]);
    sc_arena_fini(&r->each[1]);
}

static void restore_image(struct restore *r, const struct sc_image *im)
{
    struct sc_part *p = r->p;
    sc_cache_put(&p->cache, &im->node, im->state, r->w->view ? p->commits : 0);
    if (im->due_ms != SC_NO_DUE)
        sc_due_push(&p->due, im->due_ms, &im->node);
}

static bool restore_record(void *arg, const struct sc_msg *m)
{
    struct restore *r = arg;
    struct sc_seal_reader rd;
    struct sc_image im;
    if (m->offset > r->until)
        return false;
    if (!open_record(r, &rd, m->value) || (!r->proof_only && rd.chunk != r->chunks)) {
        r->torn = true;
        return false;
    }
    if (r->proof_only) {
        r->seal_seen = rd.is_seal && m->offset == r->until;
        keep_seal(r, &rd);
        return false;
    }
    while (sc_seal_next(&rd, &im) > 0) {
        restore_image(r, &im);
        r->images++;
    }
    r->chunks++;
    if (!rd.is_seal)
        return true;
    r->torn = rd.seal.count != r->images || (r->seal_seen && rd.seal.seq != r->seal.seq + 1);
    r->seal_seen = m->offset == r->until;
    keep_seal(r, &rd);
    r->chunks = 0;
    r->images = 0;
    return !r->torn;
}

/* A stamp that cannot be ours: ahead of m, of another incarnation, or before the kept log. */
static bool stamp_fits(const struct sc_part *p, const struct sc_stamp *st, int64_t low)
{
    return st->incarnation == p->incarnation && st->offset <= p->seal && st->offset + 1 >= low;
}

static enum sc_err read_stamp(struct sc_worker *w, struct sc_part *p, int64_t low)
{
    struct sc_view *vw = w->view;
    for (int i = 0; i < STAMP_TRIES; i++) {
        enum sc_err e = vw->ops->read(vw, p->index, &p->stamp, NULL, 0);
        if (e != SC_ERR_OK)
            return e;
        if (stamp_fits(p, &p->stamp, low))
            return SC_ERR_OK;
    }
    struct sc_stamp fresh = {p->incarnation, sc_random_id(), low - 1};
    sc_logf(SC_LOG_WARN, w->role, "partition %u: Redis holds another history: rebuilding its view",
            p->index);
    enum sc_err e = vw->ops->reset(vw, p->index, p->stamp, fresh);
    if (e == SC_ERR_OK)
        p->stamp = fresh;
    return e;
}

static void load_timer(void *arg, const struct sc_node_id *node, int64_t due_ms)
{
    struct sc_part *p = arg;
    sc_due_push(&p->due, due_ms, node);
}

static bool seal_agrees(struct sc_worker *w, struct sc_part *p, const struct restore *r)
{
    if (r->torn || !r->seal_seen)
        sc_part_stop(p, "the state log is torn at offset %" PRId64 ": restore the topic, or start "
                     "with --adopt to take the last whole seal for the truth", p->seal);
    else if (r->seal.seq != p->seq || r->seal.next != p->committed ||
             r->seal.incarnation != p->incarnation)
        sc_part_stop(p, "the seal at offset %" PRId64 " is not the one the offsets name", p->seal);
    else if (r->seal.partitions != w->cfg->partitions)
        sc_part_stop(p, "the journal had %u partitions when this state was written, not %u: set "
                     "journal.partitions back", r->seal.partitions, w->cfg->partitions);
    else if (r->seal.ranks_hash != w->cfg->ranks_hash)
        sc_part_stop(p, "the namespaces' order has changed since this state was written: put "
                     "unique, priority and the names of namespaces back");
    else
        return true;
    return false;
}

static enum sc_err restore(struct sc_worker *w, struct sc_part *p)
{
    struct sc_log *lg = w->log;
    int64_t low, high, stable, from;
    enum sc_err e = lg->ops->out_watermarks(lg, SC_OUT_STATE, (int32_t)p->index, &low, &high,
                                            &stable);
    if (e != SC_ERR_OK)
        return e;
    if (p->seal < low || p->seal >= high) {
        sc_part_stop(p, "the state log has no offset %" PRId64 ", the last seal: it has %" PRId64
                     " to %" PRId64 "; restore the topic, or delete the group's offsets and start "
                     "once with --adopt to take the last seal that is left for the truth", p->seal,
                     low, high);
        return SC_ERR_OK;
    }
    if (w->view)
        e = read_stamp(w, p, low);
    if (e != SC_ERR_OK)
        return e;
    from = w->view ? p->stamp.offset + 1 : low;
    struct restore r = {.w = w, .p = p, .until = p->seal};
    /* The seal itself is read even when the view is up to date: it is the proof (step 6). */
    r.proof_only = from > p->seal;
    if (r.proof_only)
        from = p->seal;
    p->commits = 1;
    e = lg->ops->replay(lg, SC_OUT_STATE, (int32_t)p->index, from, p->seal, restore_record, &r);
    if (e != SC_ERR_OK || !seal_agrees(w, p, &r))
        return restore_fini(&r), e;
    p->complete = !r.proof_only && from <= low && low == 0;
    p->dirty_mono_ms = p->cache.dirty_n ? w->clock.mono_ms(w->clock.arg) : 0;
    sc_hearing_restore(&p->ear.hearing, &r.seal);
    restore_fini(&r);
    p->heard = true;
    sc_part_keep(p);
    if (w->view && !p->complete)
        e = w->view->ops->timers(w->view, p->index, p->stamp.view, load_timer, p);
    if (e == SC_ERR_OK)
        p->status = SC_PART_ACTIVE;
    return e;
}

/* ---- step 2, nothing committed: only where nothing ever was */

static enum sc_err begin_history(struct sc_worker *w, struct sc_part *p)
{
    struct sc_log *lg = w->log;
    int64_t low, high, stable;
    enum sc_err e = lg->ops->out_watermarks(lg, SC_OUT_STATE, (int32_t)p->index, &low, &high,
                                            &stable);
    if (e == SC_ERR_OK && w->view)
        e = w->view->ops->read(w->view, p->index, &p->stamp, NULL, 0);
    if (e != SC_ERR_OK)
        return e;
    /* A view that holds nothing yet is of a start that was broken off before its first commit. */
    bool view_used = p->stamp.incarnation != 0 && p->stamp.offset >= 0;
    if (high > 0 || view_used) {
        sc_part_stop(p, "no offset is committed but %s: the group's offsets were lost or reset; "
                     "start once with --adopt to take the last seal for the truth",
                     high > 0 ? "the state log is not empty" : "Redis holds states of it");
        return SC_ERR_OK;
    }
    p->incarnation = sc_random_id();
    p->committed = p->next = 0; /* the journal's first record: if it is gone, check_place finds out */
    p->seal = -1;
    p->complete = true;
    p->commits = 1;
    struct sc_stamp fresh = {p->incarnation, sc_random_id(), -1};
    if (w->view)
        e = w->view->ops->reset(w->view, p->index, p->stamp, fresh);
    p->stamp = fresh;
    if (e == SC_ERR_OK)
        p->status = SC_PART_ACTIVE;
    return e;
}

/* Operator's word: the last whole seal of the log is the truth. */
static bool find_last_seal(void *arg, const struct sc_msg *m)
{
    struct restore *r = arg;
    struct sc_seal_reader rd;
    if (!open_record(r, &rd, m->value) || !rd.is_seal)
        return true;
    r->seal_seen = true;
    keep_seal(r, &rd);
    r->p->incarnation = rd.seal.incarnation;
    r->p->seq = rd.seal.seq;
    r->p->committed = r->p->next = rd.seal.next;
    r->p->seal = m->offset;
    return true;
}

static enum sc_err adopt(struct sc_worker *w, struct sc_part *p)
{
    int64_t low, high, stable;
    enum sc_err e = w->log->ops->out_watermarks(w->log, SC_OUT_STATE, (int32_t)p->index, &low,
                                                &high, &stable);
    if (e != SC_ERR_OK)
        return e;
    struct restore r = {.w = w, .p = p, .until = high};
    if (high > low)
        e = w->log->ops->replay(w->log, SC_OUT_STATE, (int32_t)p->index, low, high - 1,
                                find_last_seal, &r);
    restore_fini(&r);
    if (e != SC_ERR_OK)
        return e;
    if (!r.seal_seen)
        return begin_history(w, p);
    sc_logf(SC_LOG_WARN, w->role, "partition %u: adopted seal %" PRIu64 " at offset %" PRId64,
            p->index, p->seq, p->seal);
    return restore(w, p);
}

/* ---- one partition */

/* Step 3: what this owner has is what was committed. */
static bool holds(const struct sc_part *p, const struct sc_meta *meta, int64_t committed)
{
    return p->status == SC_PART_ACTIVE && p->incarnation == meta->incarnation &&
           p->seq == meta->seq && p->committed == committed;
}

/* A writer that died in a transaction holds the log's readers up for its timeout. */
static enum sc_err unblock(struct sc_worker *w, struct sc_part *p, const struct sc_meta *meta)
{
    int64_t low, high, stable;
    enum sc_err e = w->log->ops->out_watermarks(w->log, SC_OUT_STATE, (int32_t)p->index, &low,
                                                &high, &stable);
    if (e == SC_ERR_OK && high > stable)
        fence_writer(w, sc_str_from(meta->writer));
    return e;
}

/* How often this place was tried before (tries.h). */
static enum sc_err count_try(struct sc_worker *w, struct sc_part *p, const struct sc_meta *meta,
                             int64_t committed)
{
    int64_t low, high = INT64_MAX, stable;
    enum sc_err e = SC_ERR_OK;
    if (sc_tries_found(&p->tries, meta->tries, committed))
        e = w->log->ops->watermarks(w->log, 0, (int32_t)p->index, &low, &high, &stable);
    if (e == SC_ERR_OK)
        sc_tries_end(&p->tries, committed, high);
    return e;
}

static enum sc_err acquire(struct sc_worker *w, struct sc_part *p, const struct sc_tp *tp)
{
    struct sc_meta meta;
    if (tp->offset < 0) {
        sc_count(&w->counters.acquisitions, 1);
        sc_part_forget(p);
        return w->cfg->adopt ? adopt(w, p) : begin_history(w, p);
    }
    if (!sc_meta_parse(tp->metadata, &meta)) {
        sc_part_forget(p);
        sc_part_stop(p, "the committed offset carries no metadata of ours: something else commits "
                     "in this group");
        return SC_ERR_OK;
    }
    enum sc_err e = unblock(w, p, &meta);
    if (e == SC_ERR_OK)
        e = count_try(w, p, &meta, tp->offset);
    if (e != SC_ERR_OK || holds(p, &meta, tp->offset))
        return e;
    sc_count(&w->counters.acquisitions, 1);
    uint32_t tries = p->tries.n;
    sc_part_forget(p);
    p->incarnation = meta.incarnation;
    p->seq = meta.seq;
    p->committed = p->next = tp->offset;
    p->seal = meta.seal;
    p->tries.n = tries;
    if (p->seal < 0) { /* began, but never sealed anything */
        p->commits = 1;
        p->complete = true;
        p->status = SC_PART_ACTIVE;
        return w->view ? read_stamp(w, p, 0) : SC_ERR_OK;
    }
    return restore(w, p);
}

/* ---- step 7: where to read on must be there */

static enum sc_err check_place(struct sc_worker *w, struct sc_part *p)
{
    char why[SC_PLACE_WHY];
    struct sc_tp tp = {.topic = 0, .partition = (int32_t)p->index, .offset = p->next};
    enum sc_err e = sc_place_check(w, w->cfg->topics.v[SC_OUT_JOURNAL].name, &tp, why);
    if (e == SC_ERR_OK && why[0])
        sc_part_stop(p, "%s", why);
    else if (e == SC_ERR_OK)
        p->next = tp.offset;
    return e;
}

/* ---- step 8: commit C again in our name */

static enum sc_err claim(struct sc_worker *w, struct sc_part **parts, uint32_t n,
                         struct sc_arena *ar)
{
    struct sc_tp *tps = SC_NEW_N(ar, struct sc_tp, n + 1);
    uint32_t active = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (parts[i]->status != SC_PART_ACTIVE)
            continue;
        struct sc_meta meta = {.incarnation = parts[i]->incarnation, .seq = parts[i]->seq,
                               .seal = parts[i]->seal,
                               .tries = sc_tries_now(&parts[i]->tries, parts[i]->committed),
                               .config_hash = w->cfg->jo->config_hash};
        memcpy(meta.writer, w->writer, sizeof(meta.writer));
        char *text = sc_arena_alloc(ar, SC_META_MAX);
        size_t len = sc_meta_format(&meta, text);
        tps[active++] =
            (struct sc_tp){0, (int32_t)parts[i]->index, parts[i]->committed, {text, len}};
    }
    if (active == 0)
        return SC_ERR_OK;
    enum sc_err e = w->log->ops->begin(w->log);
    if (e != SC_ERR_OK)
        return e;
    for (uint32_t i = 0; i < n; i++) /* before the outcome, which may be lost: one try a life */
        parts[i]->tries.claimed = parts[i]->committed;
    return w->log->ops->commit(w->log, tps, active);
}

enum sc_err sc_takeover_positions(struct sc_worker *w, struct sc_part **parts, uint32_t n,
                                  bool pause, struct sc_arena *ar)
{
    struct sc_tp *tps = SC_NEW_N(ar, struct sc_tp, n + 1);
    for (uint32_t i = 0; i < n; i++)
        tps[i] = (struct sc_tp){.topic = 0, .partition = (int32_t)parts[i]->index,
                                .offset = parts[i]->status == SC_PART_ACTIVE && !pause
                                              ? parts[i]->next : -1};
    return w->log->ops->rewind(w->log, tps, n);
}

enum sc_err sc_takeover_attempt(struct sc_worker *w, struct sc_part *p, struct sc_arena *ar)
{
    SC_ASSERT(p->status == SC_PART_ACTIVE && sc_tries_careful(&p->tries));
    p->tries.attempted = p->committed;
    return claim(w, &p, 1, ar);
}

void sc_takeover_leave(struct sc_worker *w, struct sc_part *const *parts, uint32_t n,
                       struct sc_arena *ar)
{
    struct sc_part **left = SC_NEW_N(ar, struct sc_part *, n + 1);
    uint32_t tried = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (parts[i]->status != SC_PART_ACTIVE || parts[i]->tries.n == 0)
            continue;
        parts[i]->tries.n = 0;
        left[tried++] = parts[i];
    }
    if (tried)
        claim(w, left, tried, ar);
}

enum sc_err sc_takeover(struct sc_worker *w, struct sc_part **parts, uint32_t n,
                        struct sc_arena *ar)
{
    if (n == 0)
        return SC_ERR_OK;
    struct sc_tp *tps = SC_NEW_N(ar, struct sc_tp, n);
    for (uint32_t i = 0; i < n; i++)
        tps[i] = (struct sc_tp){.topic = 0, .partition = (int32_t)parts[i]->index, .offset = -1};
    enum sc_err e = ask_committed(w, tps, n, ar);
    for (uint32_t i = 0; e == SC_ERR_OK && i < n; i++) {
        if (parts[i]->status != SC_PART_STOPPED)
            e = acquire(w, parts[i], &tps[i]);
        if (e == SC_ERR_OK && parts[i]->status == SC_PART_ACTIVE)
            e = check_place(w, parts[i]);
    }
    if (e == SC_ERR_OK)
        e = claim(w, parts, n, ar);
    return e == SC_ERR_OK ? sc_takeover_positions(w, parts, n, false, ar) : e;
}
