/* See world.h. One input at a time: open the customers it touches, step until the queue is empty,
 * close them (remember when to wake). */
#include "sim/world.h"

#include "base/assert.h"
#include "base/hash.h"
#include "codec/journal.h"
#include "engine/due.h"
#include "sim/customers.h"
#include "sim/idset.h"
#include "sim/wait.h"
#include <stdlib.h>

#define KEEP_BYTES (8u << 20)
#define WORKING_BYTES ((size_t)256 << 20)
/* Records one input may cause: links, states and forwards of one event, or an erasure. */
#define QUEUE_MAX 100000u

struct sc_world {
    const struct sc_journey *jo;
    struct sc_world_opts opts;
    struct sc_customers customers;
    struct sc_due due;
    struct sc_idset ids;
    struct sc_wait wait;
    struct sc_arena ar;        /* one input's */
    struct sc_arena arrival;   /* what an arriving event got of its own */
    struct sc_arena lists;     /* open and queue: as long as the longest they were */
    struct sc_effects fx;
    struct sc_trace trace;     /* the step's */
    SC_VEC(struct sc_customer *) open;
    SC_VEC(const struct sc_record *) queue;
    int64_t watermark_ms;      /* of arrivals */
    int64_t now_ms;            /* how far events and timers have been applied */
    struct sc_world_counts counts;
};

struct sc_world *sc_world_create(const struct sc_journey *jo, const struct sc_world_opts *opts)
{
    struct sc_world *w = sc_calloc(1, sizeof(*w));
    w->jo = jo;
    w->opts = *opts;
    sc_customers_init(&w->customers, jo, opts->working_bytes ? opts->working_bytes : WORKING_BYTES);
    sc_due_init(&w->due);
    sc_wait_init(&w->wait);
    sc_arena_init(&w->ar);
    sc_arena_init(&w->arrival);
    sc_arena_init(&w->lists);
    sc_effects_init(&w->fx, &w->ar);
    w->watermark_ms = w->now_ms = SC_NEVER;
    return w;
}

void sc_world_destroy(struct sc_world *w)
{
    sc_customers_fini(&w->customers);
    sc_due_fini(&w->due);
    sc_idset_fini(&w->ids);
    sc_wait_fini(&w->wait);
    sc_arena_fini(&w->ar);
    sc_arena_fini(&w->arrival);
    sc_arena_fini(&w->lists);
    free(w);
}

/* ---- one input: open, step, close */

static bool is_current(void *arg, const struct sc_due_item *item)
{
    const struct sc_world *w = arg;
    struct sc_state_peek peek;
    return sc_customers_peek(&w->customers, &item->node, &peek) && peek.due_ms == item->ms;
}

static void close_customers(struct sc_world *w)
{
    for (uint32_t i = 0; i < w->open.n; i++) {
        struct sc_customer *c = w->open.v[i];
        const struct sc_state *st = c->st;
        if (!st->dirty)
            continue;
        w->counts.customers += (uint64_t)sc_customer_counts(st) - c->counts;
        c->counts = sc_customer_counts(st);
        if (st->due_ms != SC_NO_DUE && st->due_ms != c->due_ms)
            sc_due_push(&w->due, st->due_ms, &st->node);
        c->due_ms = st->due_ms;
    }
    sc_customers_close(&w->customers, w->open.v, w->open.n);
    w->open.n = 0;
    if (sc_due_swollen(&w->due))
        sc_due_keep(&w->due, is_current, w);
}

static void input_start(struct sc_world *w)
{
    if (w->open.n > 0)
        close_customers(w); /* one that was only looked at */
    SC_ASSERT(w->fx.items.n == 0 && w->fx.records.n == 0);
    w->queue.n = 0;
    sc_arena_reset(&w->ar, KEEP_BYTES);
}

static struct sc_state *open_state(struct sc_world *w, const struct sc_node_id *node)
{
    for (uint32_t i = 0; i < w->open.n; i++)
        if (sc_node_eq(&w->open.v[i]->st->node, node))
            return w->open.v[i]->st;
    struct sc_customer *c = sc_customers_open(&w->customers, node);
    SC_VEC_PUSH(&w->lists, &w->open, c);
    return c->st;
}

static void trace(struct sc_world *w, const struct sc_node_id *customer)
{
    bool traced = w->opts.line != NULL &&
                  (w->opts.traced == NULL || w->opts.traced(w->opts.arg, customer));
    w->trace = (struct sc_trace){.reveal = w->opts.reveal};
    w->fx.trace = traced ? &w->trace : NULL;
}

static void collect(struct sc_world *w)
{
    for (uint32_t i = 0; i < w->trace.lines.n; i++)
        w->opts.line(w->opts.arg, w->trace.lines.v[i]);
    for (uint32_t i = 0; i < w->fx.items.n; i++) {
        w->counts.merges += w->fx.items.v[i].type == SC_FX_MERGED;
        if (w->opts.effect)
            w->opts.effect(w->opts.arg, &w->fx.items.v[i]);
    }
    for (uint32_t i = 0; i < w->fx.records.n; i++) {
        struct sc_record *rec = sc_arena_alloc(&w->ar, sizeof(*rec));
        *rec = w->fx.records.v[i];
        SC_VEC_PUSH(&w->lists, &w->queue, rec);
    }
    for (uint32_t i = 0; w->opts.delta && i < w->fx.deltas.n; i++)
        w->opts.delta(w->opts.arg, &w->fx.deltas.v[i]);
    w->counts.late += w->fx.counts.late;
    sc_effects_clear(&w->fx);
}

static void step(struct sc_world *w, const struct sc_input *in, const struct sc_node_id *node)
{
    trace(w, node);
    sc_journey_step(w->jo, open_state(w, node), in, &w->fx);
    collect(w);
}

/* Empty the journal: every record to its owner, until none is left. */
static void settle(struct sc_world *w, const struct sc_moment *now)
{
    for (uint32_t i = 0; i < w->queue.n; i++) {
        SC_ASSERT(i < QUEUE_MAX);
        struct sc_input in = {.kind = SC_IN_RECORD, .now = *now, .rec = w->queue.v[i]};
        step(w, &in, &in.rec->to);
    }
    close_customers(w);
}

static struct sc_moment moment(int64_t watermark_ms)
{
    return (struct sc_moment){.watermark_ms = watermark_ms, .append_ms = watermark_ms,
                              .event_clock = true, .deduped = true, .ordered = true};
}

/* ---- time */

static void wake(struct sc_world *w, struct sc_due_item item)
{
    struct sc_state_peek peek;
    if (!sc_customers_peek(&w->customers, &item.node, &peek) || peek.due_ms != item.ms)
        return; /* moved since: another entry wakes it */
    if (item.ms > w->now_ms)
        w->now_ms = item.ms;
    input_start(w);
    struct sc_input in = {.kind = SC_IN_TIMERS, .now = moment(w->now_ms), .timers_max = UINT32_MAX};
    step(w, &in, &item.node);
    settle(w, &in.now);
    bool seen = sc_customers_peek(&w->customers, &item.node, &peek);
    SC_ASSERT(seen && (peek.due_ms != item.ms || peek.kind != SC_STATE_ROOT));
}

static void wake_until(struct sc_world *w, int64_t ms)
{
    const struct sc_due_item *first;
    while ((first = sc_due_first(&w->due)) != NULL && first->ms <= ms)
        wake(w, sc_due_pop(&w->due));
}

/* ---- events */

static struct sc_node_id root_of(const struct sc_world *w, struct sc_node_id node)
{
    for (int hops = 0; hops <= SC_HOPS_MAX; hops++) {
        struct sc_state_peek peek;
        if (!sc_customers_peek(&w->customers, &node, &peek) || peek.kind != SC_STATE_ALIAS)
            break;
        node = peek.parent;
    }
    return node;
}

static void apply(struct sc_world *w, const struct sc_event *ev, int64_t watermark_ms)
{
    struct sc_node_id roots[SC_IDENTIFIERS_MAX];
    for (uint32_t i = 0; i < ev->n_ids; i++)
        roots[i] = root_of(w, ev->ids[i].node);
    struct sc_record *rec = sc_arena_alloc(&w->ar, sizeof(*rec));
    sc_route(ev, roots, rec);
    SC_VEC_PUSH(&w->lists, &w->queue, rec);
    struct sc_moment now = moment(watermark_ms);
    settle(w, &now);
}

/* Let one waiting event through; time has come to its own. */
static void let_through(struct sc_world *w, struct sc_wait_item *item)
{
    if (item->ms > w->now_ms)
        w->now_ms = item->ms;
    input_start(w);
    struct sc_frame_item decoded;
    bool ok = sc_record_decode(w->jo->tx, item->record, &w->ar, &decoded);
    SC_ASSERT(ok);
    apply(w, &decoded.event, w->now_ms);
    free(item);
}

/* Timers and waiting events up to `ms`, in one order of time; a timer before an event of the same
 * instant. */
static void advance(struct sc_world *w, int64_t ms)
{
    const struct sc_wait_item *first;
    while ((first = sc_wait_first(&w->wait)) != NULL && first->ms <= ms) {
        wake_until(w, first->ms);
        let_through(w, sc_wait_pop(&w->wait));
    }
    wake_until(w, ms);
    if (ms > w->now_ms)
        w->now_ms = ms;
}

/* Copies out (NULL), clashes under a new id. */
static const struct sc_event *dedupe(struct sc_world *w, const struct sc_event *ev)
{
    struct sc_event *renamed;
    switch (sc_idset_add(&w->ids, ev->id_hash, ev->content_hash)) {
    case SC_DEDUPE_COPY:
        w->counts.duplicates++;
        return NULL;
    case SC_DEDUPE_CLASH:
        sc_arena_reset(&w->arrival, KEEP_BYTES);
        renamed = sc_arena_alloc(&w->arrival, sizeof(*renamed));
        *renamed = *ev;
        sc_event_rename(renamed, &w->arrival);
        ev = renamed;
        break;
    case SC_DEDUPE_NEW:
        break;
    }
    w->counts.events++;
    return ev;
}

void sc_world_expect(const struct sc_world *w, const struct sc_event *ev, enum sc_world_ahead what)
{
    if (what == SC_AHEAD_PLACES)
        sc_idset_prefetch(&w->ids, ev->id_hash);
    for (uint32_t i = 0; i < ev->n_ids; i++) {
        if (what == SC_AHEAD_PLACES)
            sc_customers_prefetch(&w->customers, &ev->ids[i].node);
        else
            sc_customers_prefetch_state(&w->customers, &ev->ids[i].node);
    }
}

void sc_world_event(struct sc_world *w, const struct sc_event *arrived)
{
    const struct sc_event *ev = dedupe(w, arrived);
    if (ev == NULL)
        return;
    if (ev->occurred_ms - w->opts.disorder_ms > w->watermark_ms)
        w->watermark_ms = ev->occurred_ms - w->opts.disorder_ms;
    int64_t reorder = w->opts.reorder_ms;
    int64_t bound_ms = w->jo->lateness_ms > reorder ? w->jo->lateness_ms : reorder;
    bool late = w->watermark_ms - ev->occurred_ms > bound_ms;
    if (ev->n_ids == 0)
        w->counts.anonymous++;
    else if (reorder > 0 && !late)
        sc_wait_add(&w->wait, w->jo->tx, ev);
    advance(w, w->watermark_ms - reorder);
    if (ev->n_ids == 0)
        return;
    if (reorder == 0 || late) {
        input_start(w);
        apply(w, ev, reorder == 0 ? w->now_ms : w->watermark_ms);
        return;
    }
    struct sc_wait_item *over = sc_wait_over(&w->wait, &ev->ids[0].node);
    if (over) {
        w->counts.reorder_early++;
        let_through(w, over);
    }
}

void sc_world_progress(struct sc_world *w, int64_t ms)
{
    if (ms > w->watermark_ms)
        w->watermark_ms = ms;
    advance(w, w->watermark_ms - w->opts.reorder_ms);
}

void sc_world_end(struct sc_world *w)
{
    if (w->watermark_ms == SC_NEVER)
        return;
    const struct sc_wait_item *first;
    while ((first = sc_wait_first(&w->wait)) != NULL)
        advance(w, first->ms);
    advance(w, w->watermark_ms);
}

void sc_world_until(struct sc_world *w, int64_t ms)
{
    SC_ASSERT(sc_wait_first(&w->wait) == NULL);
    if (ms > w->watermark_ms)
        w->watermark_ms = ms;
    advance(w, w->watermark_ms);
}

int64_t sc_world_now(const struct sc_world *w)
{
    return w->now_ms;
}

/* ---- results */

const struct sc_state *sc_world_state(struct sc_world *w, struct sc_node_id node)
{
    input_start(w);
    node = root_of(w, node);
    return open_state(w, &node);
}

struct sc_world_counts sc_world_counts(const struct sc_world *w)
{
    return w->counts;
}

void sc_world_customers(struct sc_world *w, sc_reveal_fn *reveal, void *reveal_arg,
                        void (*fn)(void *arg, struct sc_str line), void *arg)
{
    uint64_t n;
    struct sc_node_id *nodes = sc_customers_nodes(&w->customers, &n);
    struct sc_buf line = {0};
    for (uint64_t i = 0; i < n; i++) {
        input_start(w);
        const struct sc_state *st = open_state(w, &nodes[i]);
        if (!sc_customer_counts(st))
            continue;
        line.len = 0;
        int64_t now = st->last_ms > w->now_ms ? st->last_ms : w->now_ms;
        sc_state_customer_json(w->jo, st, now, reveal, reveal_arg, &line);
        fn(arg, sc_buf_view(&line));
    }
    sc_buf_fini(&line);
    free(nodes);
}
