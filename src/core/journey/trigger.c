/* Triggers: occurrences, edges, silences, exits (semantics 14, 22, 23, 25).
 *
 * One event, in this order: exits act on what waits, defers or was sent; starts become occurrences;
 * then exits and starts are remembered (breaks.c), so that an event that is both does not end
 * itself. A silence is [start, start + after): a start or exit inside it ends it, whether it comes
 * before the deadline (timer moved or taken out) or after the message went (withdrawn). */
#include "core/journey/run.h"

#include "base/assert.h"
#include "base/hash.h"

#define CONTEXT_BYTES_MAX (32u << 10)

/* A trigger's key as this event gives it. */
struct key {
    uint64_t hash; /* 0: the trigger has none */
    struct sc_str text;
    bool found;    /* the event has one */
};

/* The hash of a text that is too long to stand in states and messages, in hex. */
static struct sc_str long_key(struct sc_arena *ar, struct sc_str text)
{
    uint8_t hash[16];
    struct sc_buf out = {.ar = ar};
    SC_ASSERT(text.len > SC_EVENT_ID_BYTES_MAX);
    sc_hash_xxh3_128(text.p, text.len, hash);
    for (size_t i = 0; i < sizeof(hash); i++)
        sc_buf_addf(&out, "%02x", hash[i]);
    return sc_buf_view(&out);
}

static struct key key_of(struct sc_run *rn, const struct sc_trigger *tr)
{
    struct key key = {0};
    if (tr->key == NULL)
        return key;
    struct sc_value v = sc_rule_eval(tr->key, &rn->cx);
    key.found = sc_is_value(v);
    if (v.type == SC_T_STRING) {
        key.text = sc_value_str(v);
    } else if (key.found) {
        struct sc_buf out = {.ar = rn->fx->ar};
        struct sc_jsonw w;
        sc_jsonw_init(&w, &out);
        sc_value_json(v, &w);
        key.text = sc_buf_view(&out);
    }
    if (key.text.len > SC_EVENT_ID_BYTES_MAX)
        key.text = long_key(rn->fx->ar, key.text);
    key.hash = sc_hash_xxh3(key.text.p, key.text.len, 1); /* no key is a key of its own */
    key.hash += key.hash == 0;
    return key;
}

/* ---- re-entry */

struct sc_occurrence *sc_occurrence_of(struct sc_state *st, uint16_t trigger)
{
    for (uint32_t i = 0; i < st->occurrences.n; i++)
        if (st->occurrences.v[i].trigger == trigger)
            return &st->occurrences.v[i];
    return NULL;
}

bool sc_trigger_may_enter(const struct sc_run *rn, uint16_t t)
{
    const struct sc_occurrence *oc = sc_occurrence_of(rn->st, t);
    if (oc == NULL || !oc->fired)
        return true;
    switch ((enum sc_reentry)rn->jo->triggers[t].reentry) {
    case SC_REENTRY_ALWAYS:
        return true;
    case SC_REENTRY_ONCE:
        return false;
    case SC_REENTRY_AFTER_EXIT:
        return oc->exited_since;
    }
    SC_UNREACHABLE("re-entry");
}

/* ---- occurrences */

static struct sc_str context_of(struct sc_run *rn, const struct sc_trigger *tr)
{
    if (tr->n_context == 0)
        return SC_STR_NULL;
    struct sc_buf out = {.ar = rn->st->ar};
    struct sc_jsonw w;
    sc_jsonw_init(&w, &out);
    sc_jsonw_obj(&w);
    for (uint32_t i = 0; i < tr->n_context; i++) {
        sc_jsonw_key(&w, tr->context[i].name);
        sc_value_json(sc_rule_eval(tr->context[i].prog, &rn->cx), &w);
    }
    sc_jsonw_obj_end(&w);
    bool fits = out.len <= CONTEXT_BYTES_MAX;
    rn->fx->counts.contexts_cut += !fits;
    return fits ? sc_buf_view(&out) : SC_STR_NULL;
}

static struct sc_timer occurrence(struct sc_run *rn, uint16_t t, const struct key *key)
{
    const struct sc_trigger *tr = &rn->jo->triggers[t];
    struct sc_arena *ar = rn->st->ar;
    struct sc_timer tm = {.kind = SC_TIMER_SILENCE, .rule = t, .start_ms = rn->at_ms,
                          .due_ms = rn->at_ms + tr->after_ms, .key_hash = key->hash,
                          .start_id = rn->ev->id_hash, .n_events = 1};
    tm.key = sc_str_dup(ar, key->text);
    tm.events = SC_NEW(ar, struct sc_str);
    tm.events[0] = sc_str_dup(ar, rn->ev->id);
    tm.source = sc_str_dup(ar, rn->ev->source_name);
    tm.context = context_of(rn, tr);
    tm.expires_ms = tr->expires_ms > 0 ? tm.due_ms + tr->expires_ms : SC_NO_DUE;
    tm.traceparent = sc_str_dup(ar, rn->ev->traceparent);
    sc_trigger_id(rn->jo, t, &rn->st->node, tm.start_id, key->text, tm.id);
    return tm;
}

/* ---- exits and restarts */

/* An exit of this event, to remember once starts are done. */
struct ended {
    uint16_t trigger;
    bool starts; /* the event is a start of it too */
    uint64_t key_hash;
};

static bool same(const struct sc_timer *tm, uint16_t t, uint64_t key_hash)
{
    return tm->rule == t && (key_hash == 0 || tm->key_hash == key_hash) &&
           (tm->kind == SC_TIMER_SILENCE || tm->kind == SC_TIMER_DEFERRED ||
            tm->kind == SC_TIMER_RIVAL || tm->kind == SC_TIMER_SENT);
}

/* Take one timer out: a silence without a word, what fired with a record. What was neither sent nor
 * promised has not made the trigger one that fired. */
static void end_timer(struct sc_run *rn, uint32_t at, struct sc_str by)
{
    struct sc_timer tm = rn->st->timers.v[at];
    sc_timer_drop(rn->st, at);
    sc_trace(rn->fx, "timer", rn->jo->triggers[tm.rule].name, "ended", "started %s",
             sc_trace_time(rn->fx->ar, tm.start_ms));
    if (tm.kind == SC_TIMER_SILENCE)
        return;
    if (tm.kind == SC_TIMER_SENT &&
        (rn->decision_ms >= tm.expires_ms || tm.due_ms <= sc_timer_settled_ms(rn)))
        return; /* too late to take back */
    struct sc_occurrence *oc = sc_occurrence_of(rn->st, tm.rule);
    if (oc && (tm.kind == SC_TIMER_SENT || tm.promised))
        oc->fired = false;
    sc_guard_cancel(rn, &tm, by);
}

/* Until when an exit takes it out: the deadline, the release, the end of its window. */
static int64_t open_until(const struct sc_run *rn, const struct sc_timer *tm)
{
    return tm->kind == SC_TIMER_RIVAL ? sc_rival_end(rn, tm) : tm->due_ms;
}

/* End what began in [from_ms, to_ms] and is open at the event's time. */
static void end_begun(struct sc_run *rn, const struct ended *ex, int64_t from_ms, int64_t to_ms)
{
    SC_ASSERT(to_ms <= rn->at_ms);
    for (uint32_t i = rn->st->timers.n; i-- > 0;) {
        const struct sc_timer *tm = &rn->st->timers.v[i];
        if (same(tm, ex->trigger, ex->key_hash) && tm->start_ms >= from_ms &&
            tm->start_ms <= to_ms && rn->at_ms < open_until(rn, tm))
            end_timer(rn, i, rn->ev->id);
    }
}

/* An exit at the event's time: what it falls into is over. What began at its own instant is when
 * the event turns out to be no start too (sc_trigger_event). */
static void exit_at(struct sc_run *rn, const struct ended *ex)
{
    bool waits = rn->jo->triggers[ex->trigger].after_ms > 0;
    end_begun(rn, ex, SC_NEVER, rn->at_ms - waits);
    struct sc_occurrence *oc = sc_occurrence_of(rn->st, ex->trigger);
    if (oc)
        oc->exited_since = true;
}

static int64_t deadline(const struct sc_run *rn, const struct sc_timer *tm)
{
    return tm->start_ms + rn->jo->triggers[tm->rule].after_ms;
}

/* Of starts of one trigger and key at one instant the latest alone is an occurrence. */
static bool outdone(const struct sc_state *st, const struct sc_timer *start)
{
    SC_ASSERT(start->n_events > 0);
    for (uint32_t i = 0; i < st->timers.n; i++) {
        const struct sc_timer *tm = &st->timers.v[i];
        if (same(tm, start->rule, start->key_hash) && tm->key_hash == start->key_hash &&
            tm->start_ms == start->start_ms && sc_timer_order_starts(start, tm) < 0)
            return true;
    }
    return false;
}

/* A later start inside a silence: that one was none. */
static void restart_at(struct sc_run *rn, const struct sc_timer *start)
{
    for (uint32_t i = rn->st->timers.n; i-- > 0;) {
        const struct sc_timer *tm = &rn->st->timers.v[i];
        if (!same(tm, start->rule, start->key_hash) || start->start_ms >= deadline(rn, tm))
            continue;
        if (sc_timer_order_starts(tm, start) < 0)
            end_timer(rn, i, rn->ev->id);
    }
}

static void remember(struct sc_run *rn, uint16_t t, uint64_t key_hash, bool exit)
{
    struct sc_break b = {.kind = SC_TIMER_SILENCE, .rule = t, .key_hash = key_hash,
                         .first_ms = rn->at_ms, .last_ms = rn->at_ms, .exit_last = exit};
    sc_breaks_add(rn->st, &b, rn->jo->triggers[t].after_ms);
}

/* ---- starts */

/* Does a silence of the same trigger and key stand before this one in the list? */
static bool repeats(const struct sc_state *st, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (st->timers.v[i].kind == SC_TIMER_SILENCE &&
            st->timers.v[i].rule == st->timers.v[at].rule &&
            st->timers.v[i].key_hash == st->timers.v[at].key_hash)
            return true;
    return false;
}

/* Over the bounds the oldest is given up, and said. Index of it, or -1. */
static int over_bounds(const struct sc_state *st, const struct sc_timer *start)
{
    uint32_t ripe = 0, keys = 0;
    int oldest_ripe = -1, oldest = -1;
    for (uint32_t i = 0; i < st->timers.n; i++) {
        const struct sc_timer *tm = &st->timers.v[i];
        if (tm->kind != SC_TIMER_SILENCE || tm->rule != start->rule)
            continue;
        keys += !repeats(st, i);
        if (oldest < 0 || tm->start_ms < st->timers.v[oldest].start_ms)
            oldest = (int)i;
        if (tm->key_hash != start->key_hash)
            continue;
        ripe++;
        if (oldest_ripe < 0 || tm->start_ms < st->timers.v[oldest_ripe].start_ms)
            oldest_ripe = (int)i;
    }
    if (ripe > 0)
        return ripe > SC_RIPE_MAX ? oldest_ripe : -1;
    return keys >= SC_KEYS_OPEN_MAX ? oldest : -1;
}

static void arm(struct sc_run *rn, const struct sc_timer *start)
{
    const struct sc_trigger *tr = &rn->jo->triggers[start->rule];
    struct sc_break at = {.kind = SC_TIMER_SILENCE, .rule = start->rule,
                          .key_hash = start->key_hash, .first_ms = start->start_ms,
                          .last_ms = start->start_ms};
    bool ended = sc_breaks_end(rn->st, &at, tr->after_ms) || outdone(rn->st, start);
    restart_at(rn, start);
    remember(rn, start->rule, start->key_hash, false);
    if (ended) {
        sc_trace(rn->fx, "timer", tr->name, "no silence", "a later event is known");
        return;
    }
    int over = over_bounds(rn->st, start);
    if (over >= 0) {
        struct sc_timer given_up = rn->st->timers.v[over];
        sc_timer_drop(rn->st, (uint32_t)over);
        rn->fx->counts.keys_evicted++;
        sc_guard_suppress(rn, &given_up, SC_REASON_EXPIRED,
                          "too many open: the oldest is given up");
    }
    sc_timer_add(rn->st, start);
    sc_trace(rn->fx, "timer", tr->name, NULL, "due %s",
             sc_trace_time(rn->fx->ar, start->due_ms));
}

/* False: `unless` holds, so the event is no start. One that may not enter again is. */
static bool start(struct sc_run *rn, uint16_t t)
{
    const struct sc_trigger *tr = &rn->jo->triggers[t];
    if (tr->unless && sc_trace_holds(rn, "unless", tr->unless))
        return false;
    if (!sc_trigger_may_enter(rn, t)) {
        sc_trace(rn->fx, "rule", tr->name, "not again", "fired before");
        return true;
    }
    struct key key = key_of(rn, tr);
    struct sc_timer tm = occurrence(rn, t, &key);
    if (tr->after_ms > 0)
        arm(rn, &tm);
    else
        SC_VEC_PUSH(rn->fx->ar, &rn->due, tm);
    return true;
}

/* ---- one event */

static bool names_event(struct sc_run *rn, const struct sc_trigger *tr)
{
    for (uint32_t i = 0; i < tr->n_without; i++)
        if (tr->without[i].event == rn->ev->type &&
            (tr->without[i].where == NULL || sc_rule_holds(tr->without[i].where, &rn->cx)))
            return true;
    return false;
}

/* An event that is exit and start at once (`order … after 28d without order`) restarts the
 * silence: it ends those before it, never its own, nor those of starts at the same instant (the
 * greatest is the one: `outdone`), also when a merge asks again. */
static bool restarted(const struct sc_run *rn, uint16_t t, uint64_t key_hash)
{
    for (uint32_t i = 0; i < rn->st->timers.n; i++) {
        const struct sc_timer *tm = &rn->st->timers.v[i];
        if (tm->kind == SC_TIMER_SILENCE && tm->rule == t && tm->key_hash == key_hash &&
            tm->start_ms == rn->at_ms && tm->start_id == rn->ev->id_hash)
            return true;
    }
    return false;
}

static void exits(struct sc_run *rn, struct ended *out, uint32_t *n)
{
    const struct sc_event_index *ix = &rn->jo->by_event[rn->ev->type];
    for (uint32_t i = 0; i < ix->n_exits; i++) {
        const struct sc_trigger *tr = &rn->jo->triggers[ix->exits[i]];
        if (!names_event(rn, tr))
            continue;
        struct key key = key_of(rn, tr);
        out[*n] = (struct ended){ix->exits[i], false, key.hash};
        exit_at(rn, &out[(*n)++]);
    }
    for (uint32_t i = 0; i < ix->n_unless; i++) {
        const struct sc_trigger *tr = &rn->jo->triggers[ix->unless[i]];
        if (!sc_trace_holds(rn, "unless", tr->unless))
            continue;
        struct key key = key_of(rn, tr); /* without a key of its own it is said of all */
        out[*n] = (struct ended){ix->unless[i], false, key.found ? key.hash : 0};
        exit_at(rn, &out[(*n)++]);
    }
}

static void starts_too(struct ended *ended, uint32_t n, uint16_t t)
{
    for (uint32_t i = 0; i < n; i++)
        ended[i].starts |= ended[i].trigger == t;
}

/* Starts are done: an exit that is none ends what began with it; what it was is remembered. */
static void exit_ends(struct sc_run *rn, const struct ended *ex)
{
    if (rn->jo->triggers[ex->trigger].after_ms == 0 || restarted(rn, ex->trigger, ex->key_hash))
        return;
    if (!ex->starts)
        end_begun(rn, ex, rn->at_ms, rn->at_ms);
    remember(rn, ex->trigger, ex->key_hash, !ex->starts);
}

static struct sc_picked starts_of(struct sc_run *rn)
{
    const struct sc_event_index *ix = &rn->jo->by_event[rn->ev->type];
    return sc_pick(ix->starts, ix->n_starts, &ix->starts_by, rn->ev, rn->fx->ar);
}

struct sc_edges sc_trigger_before(struct sc_run *rn)
{
    SC_ASSERT(rn->ev);
    const struct sc_event_index *ix = &rn->jo->by_event[rn->ev->type];
    struct sc_edges edges = {
        sc_pick(ix->edges, ix->n_edges, &ix->edges_by, rn->ev, rn->fx->ar), NULL};
    if (edges.tried.n == 0)
        return edges;
    edges.held = SC_NEW_N(rn->fx->ar, uint64_t, edges.tried.n / 64 + 1);
    for (uint32_t i = 0; i < edges.tried.n; i++)
        if (sc_rule_holds(rn->jo->triggers[edges.tried.v[i]].start, &rn->cx))
            edges.held[i / 64] |= UINT64_C(1) << (i % 64);
    return edges;
}

void sc_trigger_event(struct sc_run *rn, const struct sc_edges *edges)
{
    SC_ASSERT(rn->ev);
    const struct sc_event_index *ix = &rn->jo->by_event[rn->ev->type];
    SC_ASSERT(edges->tried.n == 0 || edges->held != NULL);
    struct ended *ended = NULL;
    uint32_t n_ended = 0;
    if (ix->n_exits + ix->n_unless > 0) {
        ended = SC_NEW_N(rn->fx->ar, struct ended, ix->n_exits + ix->n_unless);
        exits(rn, ended, &n_ended);
    }
    struct sc_picked starts = starts_of(rn);
    for (uint32_t i = 0; i < starts.n; i++)
        if (sc_trace_holds(rn, "rule", rn->jo->triggers[starts.v[i]].start) &&
            start(rn, starts.v[i]))
            starts_too(ended, n_ended, starts.v[i]);
    for (uint32_t i = 0; i < edges->tried.n; i++) {
        uint16_t t = edges->tried.v[i];
        if (!(edges->held[i / 64] >> (i % 64) & 1) &&
            sc_trace_holds(rn, "rule", rn->jo->triggers[t].start) && start(rn, t))
            starts_too(ended, n_ended, t);
    }
    for (uint32_t i = 0; i < n_ended; i++)
        exit_ends(rn, &ended[i]);
}

void sc_trigger_late(struct sc_run *rn)
{
    SC_ASSERT(rn->ev);
    struct sc_picked starts = starts_of(rn);
    for (uint32_t i = 0; i < starts.n; i++) {
        const struct sc_trigger *tr = &rn->jo->triggers[starts.v[i]];
        if (!sc_trace_holds(rn, "rule", tr->start))
            continue;
        struct key key = key_of(rn, tr);
        struct sc_timer tm = occurrence(rn, starts.v[i], &key);
        SC_ASSERT(rn->now->watermark_ms != SC_NEVER);
        char behind[64];
        size_t n = sc_duration_format(rn->now->watermark_ms - rn->at_ms, behind);
        sc_guard_suppress(rn, &tm, SC_REASON_LATE,
                          sc_arena_printf(rn->fx->ar, "%.*s behind the watermark", (int)n, behind));
    }
}

/* ---- time and merges */

void sc_trigger_silence(struct sc_run *rn, const struct sc_timer *tm)
{
    SC_ASSERT(rn->ev == NULL);
    SC_ASSERT(tm->kind == SC_TIMER_SILENCE);
    const struct sc_trigger *tr = &rn->jo->triggers[tm->rule];
    if (tr->unless && sc_trace_holds(rn, "unless", tr->unless))
        return;
    if (sc_trigger_may_enter(rn, tm->rule))
        SC_VEC_PUSH(rn->fx->ar, &rn->due, *tm);
}

/* Silence still, when both sides' starts and exits are one customer's? */
static bool merged_away(struct sc_run *rn, const struct sc_timer *tm)
{
    const struct sc_trigger *tr = &rn->jo->triggers[tm->rule];
    if (tm->kind == SC_TIMER_LAPSE || tm->kind == SC_TIMER_OVERDUE ||
        tm->kind == SC_TIMER_MOMENT || tr->after_ms == 0)
        return false;
    struct sc_break at = {.kind = SC_TIMER_SILENCE, .rule = tm->rule, .key_hash = tm->key_hash,
                          .first_ms = tm->start_ms, .last_ms = tm->start_ms};
    return sc_breaks_end(rn->st, &at, tr->after_ms) || outdone(rn->st, tm);
}

void sc_trigger_merged(struct sc_run *rn)
{
    struct sc_str by = rn->n_events > 0 ? rn->events[0] : SC_STR_NULL;
    SC_ASSERT(rn->due.n == 0);
    for (uint32_t i = rn->st->timers.n; i-- > 0;)
        if (merged_away(rn, &rn->st->timers.v[i]))
            end_timer(rn, i, by);
    SC_ASSERT(rn->st->timers.n == 0 || rn->st->timers.v != NULL);
}
