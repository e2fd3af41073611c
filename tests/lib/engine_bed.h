/* Real workers on the broker and the view in memory, on a clock that they share: what the property
 * tests of the engine play with. All is drawn from one seed: events, turns, faults. */
#ifndef SC_TEST_ENGINE_BED_H
#define SC_TEST_ENGINE_BED_H

#include "sched.h"

#include "base/log.h"
#include "base/time.h"
#include "cli/canonical.h"
#include "cli/project.h"
#include "codec/seal.h"
#include "codec/state.h"
#include "core/identity/identity.h"
#include "engine/cache.h"
#include "engine/worker.h"
#include "sim/broker.h"
#include "sim/memview.h"
#include "core/analytics/cube.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>

#define BUDGET_MS 60000
#define JOURNAL_PARTS 3u
#define SOURCE_PARTS 2
#define SOURCES 2u
#define LIVES 6
#define EVENTS 240u
#define START_MS INT64_C(1772323200000) /* 2026-03-01 */
#define REORDER_MS INT64_C(7200000)
#define REST_MS 180000 /* so long, after the last fault, may it take to come to rest */

struct lines {
    SC_VEC(struct sc_str) v;
};

struct bed;
struct life { /* one worker's */
    struct bed *bed;
    struct sc_worker w;
    struct sched_task *task;
    _Atomic bool stop;
    bool resolve;
    int rc;
};

struct event {
    int64_t ms;
    struct sc_str line;
    uint32_t source;
    bool twice;
};

struct bed {
    uint64_t seed;
    bool ordered;       /* even seeds */
    bool by_name;       /* every fourth: a journey of which most events pass by */
    bool faults;
    bool deadly;        /* a journey worker that has applied something dies before its commit */
    struct sched s;
    struct sc_arena ar, line;
    struct sc_project project;
    struct sc_engine_config cfg;
    struct sc_broker *broker;
    struct sc_memview *view;
    struct life lives[LIVES];
    struct event events[EVENTS];
    uint32_t broken;    /* so many commits of journey workers fail at first */
    int64_t end_ms;     /* the last event's time: the sources' ticks */
    int64_t killed_ms[2]; /* when the last journey, the last resolve worker was killed */
    uint64_t made;      /* workers so far */
    uint64_t gaps, triggers;
    /* what simulate says */
    struct lines customers, effects;
    struct sc_cube cells; /* what simulate measured */
    int64_t world_ms;
    /* what the logs say */
    struct sc_cache states[JOURNAL_PARTS];
    struct sc_seal seals[JOURNAL_PARTS];
    int64_t seal_at[JOURNAL_PARTS];
    struct lines run_customers, run_effects;
};

static inline void fail(const struct bed *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));
static inline void fail(const struct bed *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "seed %llu: ", (unsigned long long)b->seed);
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\nagain: prop_engine %llu\n", (unsigned long long)b->seed);
    va_end(ap);
    exit(1);
}

static inline uint32_t below(struct bed *b, uint32_t n)
{
    return sched_below(&b->s, n);
}

/* ---- events */

static inline const char *identifiers(struct bed *b, uint32_t person)
{
    char device[48], email[48], account[48];
    if (b->ordered)
        return sc_arena_printf(&b->ar, "{\"%s\":\"p%u@x.org\"}",
                               person % 2 ? "email" : "account_id", person);
    uint32_t which = below(b, 10);
    snprintf(device, sizeof(device), "\"device_id\":\"d%u-%u\"", person, below(b, 3));
    snprintf(email, sizeof(email), "\"email\":\"p%u-%u@x.org\"", person, below(b, 2));
    snprintf(account, sizeof(account), "\"account_id\":\"a%u\"", person);
    static const struct { bool device, email, account; } forms[10] = {
        {1, 0, 0}, {1, 0, 0}, {1, 0, 0}, {1, 0, 0}, {1, 1, 0},
        {1, 1, 0}, {0, 1, 0}, {0, 1, 1}, {0, 0, 1}, {1, 0, 1},
    };
    bool first = forms[which].device && (forms[which].email || forms[which].account);
    bool second = forms[which].email && forms[which].account;
    char *out = sc_arena_printf(&b->ar, "{%s%s%s%s%s}", forms[which].device ? device : "",
                                first ? "," : "", forms[which].email ? email : "",
                                second ? "," : "", forms[which].account ? account : "");
    return out;
}

static inline const char *what(struct bed *b, uint32_t person)
{
    uint32_t cart = below(b, 3), cents = below(b, 100), euros = 5 + below(b, 90);
    switch (below(b, 7)) {
    case 0:
    case 1:
        return sc_arena_printf(&b->ar, "\"event\":\"viewed\",\"properties\":{\"price\":"
                               "\"%u.%02u\"}", euros, cents);
    case 2:
    case 3:
        return sc_arena_printf(&b->ar, "\"event\":\"cart\",\"properties\":{\"value\":\"%u.%02u\","
                               "\"cart_id\":\"c%u-%u\"}", euros, cents, person, cart);
    case 4:
        return sc_arena_printf(&b->ar, "\"event\":\"ordered\",\"properties\":{\"total\":"
                               "\"%u.%02u\",\"cart_id\":\"c%u-%u\"}", euros, cents, person, cart);
    case 5:
        return sc_arena_printf(&b->ar, "\"event\":\"reviewed\",\"properties\":{\"rating\":%u}",
                               1 + cart);
    default:
        return sc_arena_printf(&b->ar, "\"event\":\"consented\",\"properties\":{\"purpose\":"
                               "\"marketing\",\"granted\":%s}", cart ? "true" : "false");
    }
}

static inline struct sc_str line_of(struct bed *b, uint32_t i, int64_t ms, uint32_t source,
                             const char *about, const char *ids)
{
    char at[32];
    at[sc_time_format(ms, at)] = '\0';
    return sc_str_printf(&b->ar, "{\"id\":\"e%u\",\"occurred_at\":\"%s\",\"source\":\"%s\",%s,"
                         "\"identifiers\":%s}", i, at, source ? "pos" : "web", about, ids);
}

static inline void make_events(struct bed *b)
{
    uint32_t people = 3 + below(b, 12);
    int64_t ms = START_MS;
    for (uint32_t i = 0; i < EVENTS; i++) {
        ms += 1000 + (int64_t)below(b, 20) * 37123 + (below(b, 12) == 0 ? 17000000 : 0);
        uint32_t person = below(b, people), source = below(b, SOURCES);
        const char *about = what(b, person);
        b->events[i] = (struct event){
            ms, line_of(b, i, ms, source, about, identifiers(b, person)), source,
            below(b, 12) == 0};
    }
    b->end_ms = ms + 20 * INT64_C(86400000);
}

/* ---- simulate */

static inline void push(struct bed *b, struct lines *to, struct sc_str line)
{
    SC_VEC_PUSH(&b->ar, &to->v, sc_str_dup(&b->ar, line));
}

static inline bool is_audit(struct sc_str line)
{
    return sc_str_starts(line, SC_STR("{\"type\":\"merged\"")) ||
           sc_str_starts(line, SC_STR("{\"type\":\"identity\""));
}

static inline void on_effect(void *arg, const struct sc_effect *fx)
{
    struct bed *b = arg;
    struct sc_buf line = {0};
    sc_effect_json(b->project.journey, fx, &line);
    if (fx->type != SC_FX_MERGED && fx->type != SC_FX_IDENTITY)
        push(b, &b->effects, sc_buf_view(&line));
    sc_buf_fini(&line);
}

static inline void on_customer(void *arg, struct sc_str line)
{
    struct bed *b = arg;
    push(b, &b->customers, line);
}

static inline void on_delta(void *arg, const struct sc_cell *delta)
{
    sc_cube_add(&((struct bed *)arg)->cells, delta);
}

static inline void world_line(struct bed *b, struct sc_canonical *cn, struct sc_world *w,
                       struct sc_str line)
{
    struct sc_event ev;
    struct sc_fault fault;
    if (sc_canonical_read(cn, line, 1, &ev, &fault) != SC_DROP_NONE)
        fail(b, "not a canonical event: %.*s: %s", SC_STR_FMT(line), fault.text);
    sc_world_event(w, &ev);
}

static inline void simulate(struct bed *b)
{
    const struct sc_journey *jo = b->project.journey;
    struct sc_pseudonyms *ps = sc_pseudonyms_create(jo->tx, SC_STR("key"), 0, 1024);
    struct sc_canonical cn;
    struct sc_world_opts opts = {.reorder_ms = jo->reorder_ms, .effect = on_effect, .delta = on_delta,
                                 .arg = b};
    sc_cube_init(&b->cells, &b->ar);
    struct sc_world *w = sc_world_create(jo, &opts);
    sc_canonical_init(&cn, jo->tx, ps, &b->ar, &b->line);
    for (uint32_t i = 0; i < EVENTS; i++) {
        world_line(b, &cn, w, b->events[i].line);
        if (b->events[i].twice)
            world_line(b, &cn, w, b->events[i].line);
    }
    world_line(b, &cn, w, line_of(b, EVENTS, b->end_ms, 0, "\"event\":\"tick\"", "{}"));
    sc_world_end(w);
    b->world_ms = sc_world_now(w);
    sc_world_customers(w, NULL, NULL, on_customer, b);
    sc_world_destroy(w);
    sc_pseudonyms_destroy(ps);
}

/* ---- workers */

static inline int64_t clock_ms(void *arg)
{
    return ((struct bed *)arg)->s.ms;
}

static inline void nap(void *arg, int ms)
{
    sched_sleep(&((struct bed *)arg)->s, ms);
}

/* Asked before each call of a worker to the broker: somebody else may run first. */
static inline enum sc_err meet(void *arg, const char *writer, enum sc_broker_call call)
{
    struct bed *b = arg;
    sched_sleep(&b->s, 0);
    for (uint32_t i = 0; b->deadly && call == SC_CALL_FLUSH && i < LIVES; i++)
        if (b->lives[i].task && !b->lives[i].resolve && !b->lives[i].stop &&
            strcmp(b->lives[i].w.writer, writer) == 0) {
            sc_broker_log_kill(b->lives[i].w.log);
            sc_memview_kill(b->lives[i].w.view);
            b->lives[i].stop = true;
        }
    if (b->broken && call == SC_CALL_COMMIT && writer[0] == 'j') {
        b->broken--;
        return SC_ERR_ABORT;
    }
    if (!b->faults)
        return SC_ERR_OK;
    switch (call) {
    case SC_CALL_POLL:
        return below(b, 400) == 0 ? SC_ERR_UNAVAILABLE : SC_ERR_OK;
    case SC_CALL_BEGIN:
        return below(b, 100) == 0 ? SC_ERR_FENCED : SC_ERR_OK;
    case SC_CALL_PRODUCE:
        return below(b, 600) == 0 ? SC_ERR_ABORT : SC_ERR_OK;
    case SC_CALL_FLUSH:
        return below(b, 60) == 0 ? SC_ERR_ABORT : SC_ERR_OK;
    case SC_CALL_COMMIT:
        return below(b, 40) == 0 ? SC_ERR_ABORT : SC_ERR_OK;
    case SC_CALL_COMMITTED:
        return below(b, 40) == 0 ? SC_ERR_FATAL : SC_ERR_OK;
    case SC_CALL_ENDS:
        return SC_ERR_OK;
    }
    abort();
}

static inline void live(void *arg)
{
    struct life *l = arg;
    struct bed *b = l->bed;
    if (l->resolve) {
        static const struct sc_str none[SOURCES];
        struct sc_pseudonyms *ps =
            sc_pseudonyms_create(b->project.taxonomy, SC_STR("key"), 0, 1024);
        l->rc = sc_resolve_worker(&l->w, ps, none);
        sc_pseudonyms_destroy(ps);
    } else {
        l->rc = sc_journey_worker(&l->w);
    }
    l->w.view->ops->close(l->w.view);
}

static inline uint32_t count_lives(const struct bed *b, bool resolve)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < LIVES; i++)
        n += b->lives[i].task && b->lives[i].resolve == resolve;
    return n;
}

static inline void start(struct bed *b, bool resolve)
{
    static const char *const sources[] = {"web", "pos"}, *const journal[] = {"journal"};
    bool room = count_lives(b, resolve) < LIVES - 1; /* the other role must be able to live */
    for (uint32_t i = 0; room && i < LIVES; i++) {
        struct life *l = &b->lives[i];
        if (l->task)
            continue;
        memset(l, 0, sizeof(*l));
        l->bed = b;
        l->resolve = resolve;
        l->w = (struct sc_worker){.role = resolve ? "resolve" : "journey", .index = i,
                                  .cfg = &b->cfg, .clock = {clock_ms, clock_ms, b},
                                  .stop = &l->stop};
        /* sometimes under the id of one that lived before */
        snprintf(l->w.writer, sizeof(l->w.writer), "%s-%u-%llu", resolve ? "r" : "j", i,
                 (unsigned long long)(b->made++ / 3));
        struct sc_broker_log_config cfg = {resolve ? "resolve" : "journey", l->w.writer,
                                           resolve ? sources : journal, resolve ? SOURCES : 1,
                                           &b->cfg.topics};
        l->w.view = sc_memview_open(b->view);
        l->w.log = sc_broker_log_create(b->broker, &cfg);
        l->task = sched_start(&b->s, live, l);
        return;
    }
}

static inline void end(struct bed *b, struct life *l, bool kill)
{
    if (kill && !l->stop) {
        sc_broker_log_kill(l->w.log);
        sc_memview_kill(l->w.view);
    }
    l->stop = true;
    sched_join(&b->s, l->task);
    l->task = NULL;
    b->gaps += l->w.counters.journal_gaps;
    if (l->rc != 0)
        fail(b, "%s ended with %d", l->w.writer, l->rc);
}

static inline void end_all(struct bed *b)
{
    for (uint32_t i = 0; i < LIVES; i++)
        if (b->lives[i].task)
            end(b, &b->lives[i], false);
}

/* ---- what goes wrong */

static inline void trouble(struct bed *b)
{
    struct life *l = &b->lives[below(b, LIVES)];
    switch (below(b, 10)) {
    case 0:
    case 1: /* kills without progress between may end as poison, by design (tries.h) */
        if (l->task && b->s.ms - b->killed_ms[l->resolve] > 3000) {
            b->killed_ms[l->resolve] = b->s.ms;
            end(b, l, true);
        }
        break;
    case 2:
        if (l->task)
            end(b, l, false);
        break;
    case 3:
        start(b, true);
        break;
    case 4:
        start(b, false);
        break;
    case 5:
        sc_memview_down(b->view, true);
        break;
    case 6:
        sc_memview_mute(b->view, true);
        break;
    case 7:
        sc_memview_wipe(b->view);
        break;
    default:
        sc_memview_down(b->view, false);
        sc_memview_mute(b->view, false);
    }
}

static inline void peace(struct bed *b)
{
    b->faults = false;
    sc_memview_down(b->view, false);
    sc_memview_mute(b->view, false);
    if (count_lives(b, true) == 0)
        start(b, true);
    if (count_lives(b, false) == 0)
        start(b, false);
}

/* ---- the play */

static inline void write_event(struct bed *b, const struct event *ev)
{
    struct sc_out out = {.partition = (int32_t)below(b, SOURCE_PARTS), .value = ev->line,
                         .timestamp_ms = ev->ms};
    sc_broker_write(b->broker, ev->source ? "pos" : "web", &out);
}

static inline void write_ticks(struct bed *b)
{
    for (uint32_t s = 0; s < SOURCES; s++)
        for (int32_t p = 0; p < SOURCE_PARTS; p++) {
            uint32_t id = EVENTS + 1 + s * SOURCE_PARTS + (uint32_t)p;
            struct sc_out out = {.partition = p, .timestamp_ms = b->end_ms};
            out.value = line_of(b, id, b->end_ms, s, "\"event\":\"tick\"", "{}");
            sc_broker_write(b->broker, s ? "pos" : "web", &out);
        }
}

static inline bool at_rest(const struct bed *b)
{
    for (uint32_t i = 0; i < LIVES; i++) {
        const struct sc_worker_status *st = &b->lives[i].w.status;
        if (b->lives[i].task == NULL)
            continue;
        if (st->lag != 0 || !st->ready || st->stopped != 0)
            return false;
        if (!b->lives[i].resolve && st->partitions > 0 && st->watermark_ms != b->end_ms)
            return false;
    }
    return true;
}

static inline void come_to_rest(struct bed *b)
{
    int64_t until = b->s.ms + REST_MS;
    for (int calm = 0; calm < 20; calm = at_rest(b) ? calm + 1 : 0) {
        if (b->s.ms > until)
            fail(b, "it does not come to rest"); /* I14 */
        sched_sleep(&b->s, 300);
    }
    sched_sleep(&b->s, 21000); /* what the dead left open on outbound topics times out */
}

static inline void play(struct bed *b)
{
    bool faults = b->faults;
    start(b, true);
    start(b, false);
    for (uint32_t i = 0; i < EVENTS;) {
        for (uint32_t n = 1 + below(b, 20); n > 0 && i < EVENTS; n--, i++) {
            write_event(b, &b->events[i]);
            if (b->events[i].twice)
                write_event(b, &b->events[i]);
        }
        sched_sleep(&b->s, below(b, 600));
        if (faults)
            trouble(b);
    }
    peace(b);
    write_ticks(b);
    come_to_rest(b);
    end_all(b);
    if (b->gaps)
        fail(b, "%llu gaps", (unsigned long long)b->gaps);
}

/* ---- one bed */

static inline void topic(struct bed *b, uint32_t index, const char *name, int32_t partitions)
{
    b->cfg.topics.v[index] =
        (struct sc_out_topic){.name = sc_str_from(name), .on = true, .format = SC_FORMAT_JSON};
    if (index >= b->cfg.topics.n)
        b->cfg.topics.n = index + 1;
    sc_broker_topic(b->broker, name, partitions);
}

static inline void configure(struct bed *b)
{
    struct sc_journey *jo = b->project.journey;
    jo->reorder_ms = b->ordered ? REORDER_MS : 0;
    jo->analyse = !b->by_name;
    b->cfg = (struct sc_engine_config){
        .jo = jo, .partitions = JOURNAL_PARTS, .ranks_hash = 7, .commit_interval_ms = 20,
        .flush_interval_ms = 200, .dirty_max_bytes = 1u << 20, .dirty_max_ms = 2000,
        .cache_max_bytes = 1u << 20, .txn_max_bytes = 1u << 16, .hints = 64, .timers_max = 5,
        .event_clock = true};
    topic(b, SC_OUT_JOURNAL, "journal", JOURNAL_PARTS);
    topic(b, SC_OUT_STATE, "state", JOURNAL_PARTS);
    topic(b, SC_OUT_TRANSITIONS, "transitions", 2);
    topic(b, SC_OUT_SUPPRESSED, "suppressed", 2);
    topic(b, SC_OUT_IDENTITY, "identity", 2);
    topic(b, SC_OUT_CUSTOMERS, "customers", 2);
    topic(b, SC_OUT_ANALYTICS, "analytics", 2);
    topic(b, SC_OUT_DEAD_LETTERS, "dead-letters", 1);
    for (uint32_t c = 0; c < jo->n_channels; c++)
        topic(b, SC_OUT_TRIGGERS + c, jo->channels[c].topic.p, 2);
    sc_broker_topic(b->broker, "web", SOURCE_PARTS);
    sc_broker_topic(b->broker, "pos", SOURCE_PARTS);
}

/* Everything of one seed but the play. */
static inline struct bed *bed_create(uint64_t seed)
{
    struct bed *b = sc_calloc(1, sizeof(*b));
    b->seed = seed;
    b->faults = seed % 4 != 0;
    b->ordered = seed % 2 == 0;
    b->by_name = seed % 4 == 3;
    sched_init(&b->s, seed * 2654435761u + 1, START_MS + 100 * INT64_C(86400000));
    sc_arena_init(&b->ar);
    sc_arena_init(&b->line);
    if (sc_project_load_journey(&b->project, b->by_name ? SC_TEST_DIR "/prop/engine/by_name.yaml"
                                                        : SC_TEST_DIR "/prop/engine/journey.yaml"))
        fail(b, "the journey does not load");
    b->broker = sc_broker_create((struct sc_clock){clock_ms, clock_ms, b}, 1u << 20);
    b->view = sc_memview_create(JOURNAL_PARTS);
    sc_broker_sleeps(b->broker, nap, b);
    sc_memview_sleeps(b->view, nap, b);
    sc_broker_faults(b->broker, meet, b);
    configure(b);
    make_events(b);
    return b;
}

static inline void bed_destroy(struct bed *b)
{
    for (uint32_t p = 0; p < JOURNAL_PARTS; p++)
        sc_cache_fini(&b->states[p]);
    sc_broker_destroy(b->broker);
    sc_memview_destroy(b->view);
    sc_project_fini(&b->project);
    sc_arena_fini(&b->ar);
    sc_arena_fini(&b->line);
    sched_fini(&b->s);
    free(b);
}

#endif
