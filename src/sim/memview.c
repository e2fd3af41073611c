/* See memview.h. A flush lands when it is collected, so that a test can lose or delay it. */
#include "sim/memview.h"

#include "base/arena.h"
#include "codec/state.h"
#include "engine/cache.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct store { /* one partition */
    struct sc_stamp stamp;
    struct sc_cache states;
};

struct sc_memview {
    pthread_mutex_t lock;
    struct store *stores;
    uint32_t n;
    struct sc_cache hints; /* node -> 16 bytes of its parent */
    bool down, mute;
    sc_sim_sleep *sleep;
    void *sleep_arg;
};

struct flight {
    uint32_t partition;
    struct sc_stamp seen, to;
    struct sc_view_item *items;
    uint32_t n;
    struct flight *next;
};

struct port {
    struct sc_view base;
    struct sc_memview *mv;
    struct flight *flights, **last;
    struct sc_arena ar;
    _Atomic bool dead;
};

static struct port *port_of(struct sc_view *vw)
{
    return (struct port *)vw;
}

static bool down(const struct port *p)
{
    return p->mv->down || p->dead;
}

static void nap(const struct sc_memview *mv, int ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};
    if (mv->sleep)
        mv->sleep(mv->sleep_arg, ms);
    else
        nanosleep(&ts, NULL);
}

static bool same(const struct sc_stamp *a, const struct sc_stamp *b)
{
    return a->incarnation == b->incarnation && a->view == b->view && a->offset == b->offset;
}

static enum sc_err mem_read(struct sc_view *vw, uint32_t partition, struct sc_stamp *stamp,
                            struct sc_view_item *items, uint32_t n)
{
    struct port *p = port_of(vw);
    sc_arena_reset(&p->ar, 1u << 20);
    pthread_mutex_lock(&p->mv->lock);
    bool lost = down(p);
    const struct store *s = &p->mv->stores[partition];
    *stamp = s->stamp;
    for (uint32_t i = 0; !lost && i < n; i++) {
        const struct sc_cache_slot *slot = sc_cache_get(&s->states, &items[i].node);
        items[i].state = slot ? sc_str_dup(&p->ar, sc_cache_state(slot)) : SC_STR_NULL;
    }
    pthread_mutex_unlock(&p->mv->lock);
    return lost ? SC_ERR_UNAVAILABLE : SC_ERR_OK;
}

static enum sc_err mem_flush(struct sc_view *vw, uint32_t partition, struct sc_stamp seen,
                             struct sc_stamp to, const struct sc_view_item *items, uint32_t n)
{
    struct port *p = port_of(vw);
    size_t bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        bytes += items[i].state.len;
    struct flight *f = sc_malloc(sizeof(*f) + n * sizeof(*items) + bytes);
    *f = (struct flight){partition, seen, to, (struct sc_view_item *)(f + 1), n, NULL};
    char *at = (char *)(f->items + n);
    for (uint32_t i = 0; i < n; i++) {
        f->items[i] = items[i];
        if (items[i].state.len)
            memcpy(at, items[i].state.p, items[i].state.len);
        if (items[i].state.p)
            f->items[i].state.p = at;
        at += items[i].state.len;
    }
    *p->last = f;
    p->last = &f->next;
    return SC_ERR_OK;
}

static enum sc_err land(struct port *p, const struct flight *f)
{
    struct store *s = &p->mv->stores[f->partition];
    if (down(p))
        return SC_ERR_UNAVAILABLE;
    if (!same(&s->stamp, &f->seen))
        return SC_ERR_CONFLICT;
    for (uint32_t i = 0; i < f->n; i++)
        sc_cache_put(&s->states, &f->items[i].node, f->items[i].state, 0);
    s->stamp = f->to;
    return p->mv->mute ? SC_ERR_UNAVAILABLE : SC_ERR_OK;
}

static enum sc_err mem_collect(struct sc_view *vw, int timeout_ms, uint32_t *partition,
                               enum sc_err *how)
{
    struct port *p = port_of(vw);
    struct flight *f = p->flights;
    *partition = UINT32_MAX;
    *how = SC_ERR_OK;
    if (timeout_ms > 0 && (f == NULL || down(p)))
        nap(p->mv, timeout_ms);
    if (f == NULL)
        return SC_ERR_OK;
    pthread_mutex_lock(&p->mv->lock);
    *how = land(p, f);
    pthread_mutex_unlock(&p->mv->lock);
    *partition = f->partition;
    p->flights = f->next;
    if (p->flights == NULL)
        p->last = &p->flights;
    free(f);
    return SC_ERR_OK;
}

static enum sc_err mem_reset(struct sc_view *vw, uint32_t partition, struct sc_stamp seen,
                             struct sc_stamp to)
{
    struct port *p = port_of(vw);
    enum sc_err e = SC_ERR_OK;
    pthread_mutex_lock(&p->mv->lock);
    struct store *s = &p->mv->stores[partition];
    if (down(p))
        e = SC_ERR_UNAVAILABLE;
    else if (!same(&s->stamp, &seen))
        e = SC_ERR_CONFLICT;
    if (e == SC_ERR_OK) {
        sc_cache_clear(&s->states);
        s->stamp = to;
    }
    pthread_mutex_unlock(&p->mv->lock);
    return e;
}

static enum sc_err mem_timers(struct sc_view *vw, uint32_t partition, uint64_t view,
                              void (*fn)(void *arg, const struct sc_node_id *node,
                                         int64_t due_ms),
                              void *arg)
{
    struct port *p = port_of(vw);
    struct sc_cache_slot *slot;
    struct sc_state_peek peek;
    pthread_mutex_lock(&p->mv->lock);
    bool lost = down(p);
    const struct store *s = &p->mv->stores[partition];
    for (uint64_t at = 0; !lost && s->stamp.view == view &&
                          (slot = sc_cache_next(&s->states, &at)) != NULL;)
        if (slot->bytes && sc_state_peek(sc_cache_state(slot), &peek) && peek.due_ms != SC_NO_DUE)
            fn(arg, &slot->node, peek.due_ms);
    pthread_mutex_unlock(&p->mv->lock);
    return lost ? SC_ERR_UNAVAILABLE : SC_ERR_OK;
}

static enum sc_err mem_hints(struct sc_view *vw, const struct sc_node_id *nodes,
                             struct sc_node_id *parents, uint32_t n)
{
    struct port *p = port_of(vw);
    memset(parents, 0, n * sizeof(*parents));
    pthread_mutex_lock(&p->mv->lock);
    bool lost = down(p);
    for (uint32_t i = 0; !lost && i < n; i++) {
        const struct sc_cache_slot *slot = sc_cache_get(&p->mv->hints, &nodes[i]);
        if (slot)
            memcpy(parents[i].b, slot->bytes, sizeof(parents[i].b));
    }
    pthread_mutex_unlock(&p->mv->lock);
    return lost ? SC_ERR_UNAVAILABLE : SC_ERR_OK;
}

static void mem_hint(struct sc_view *vw, const struct sc_node_id *pairs, uint32_t n)
{
    struct port *p = port_of(vw);
    pthread_mutex_lock(&p->mv->lock);
    for (uint32_t i = 0; !down(p) && i < n; i++) {
        const struct sc_node_id *child = &pairs[2 * i], *parent = &pairs[2 * i + 1];
        if (sc_node_none(parent))
            sc_cache_remove(&p->mv->hints, child);
        else
            sc_cache_put(&p->mv->hints, child,
                         (struct sc_str){(const char *)parent->b, sizeof(parent->b)}, 0);
    }
    pthread_mutex_unlock(&p->mv->lock);
}

static void mem_close(struct sc_view *vw)
{
    struct port *p = port_of(vw);
    while (p->flights) {
        struct flight *f = p->flights;
        p->flights = f->next;
        free(f);
    }
    sc_arena_fini(&p->ar);
    free(p);
}

static const struct sc_view_ops ops = {
    .read = mem_read,
    .flush = mem_flush,
    .collect = mem_collect,
    .reset = mem_reset,
    .timers = mem_timers,
    .hints = mem_hints,
    .hint = mem_hint,
    .close = mem_close,
};

struct sc_view *sc_memview_open(struct sc_memview *mv)
{
    struct port *p = sc_calloc(1, sizeof(*p));
    p->base.ops = &ops;
    p->mv = mv;
    p->last = &p->flights;
    sc_arena_init(&p->ar);
    return &p->base;
}

struct sc_memview *sc_memview_create(uint32_t partitions)
{
    struct sc_memview *mv = sc_calloc(1, sizeof(*mv));
    pthread_mutex_init(&mv->lock, NULL);
    mv->n = partitions;
    mv->stores = sc_calloc(partitions, sizeof(*mv->stores));
    return mv;
}

static void clear(struct sc_memview *mv)
{
    for (uint32_t i = 0; i < mv->n; i++) {
        sc_cache_clear(&mv->stores[i].states);
        mv->stores[i].stamp = (struct sc_stamp){0};
    }
    sc_cache_clear(&mv->hints);
}

void sc_memview_destroy(struct sc_memview *mv)
{
    clear(mv);
    pthread_mutex_destroy(&mv->lock);
    free(mv->stores);
    free(mv);
}

void sc_memview_sleeps(struct sc_memview *mv, sc_sim_sleep *sleep, void *arg)
{
    mv->sleep = sleep;
    mv->sleep_arg = arg;
}

void sc_memview_down(struct sc_memview *mv, bool is_down)
{
    pthread_mutex_lock(&mv->lock);
    mv->down = is_down;
    pthread_mutex_unlock(&mv->lock);
}

void sc_memview_mute(struct sc_memview *mv, bool mute)
{
    pthread_mutex_lock(&mv->lock);
    mv->mute = mute;
    pthread_mutex_unlock(&mv->lock);
}

void sc_memview_kill(struct sc_view *vw)
{
    port_of(vw)->dead = true;
}

void sc_memview_wipe(struct sc_memview *mv)
{
    pthread_mutex_lock(&mv->lock);
    clear(mv);
    pthread_mutex_unlock(&mv->lock);
}
