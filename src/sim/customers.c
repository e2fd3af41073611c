/* See customers.h. Open addressing by the last bytes of the node, which is a MAC (engine/cache.h). */
#include "sim/customers.h"

#include "base/assert.h"
#include "base/prefetch.h"
#include "engine/cache.h"
#include <stdlib.h>

#define CAP_MIN 64u
#define ROOM_SPARE 384u     /* behind a new state: its first windows, timers, slots */
#define OUTGROWN_MIN 16384u /* less is never opened anew */
#define HEAD_LINES 2u       /* of a customer in the working form, fetched ahead */
#define WORKING_LINES 12u   /* and of its state */

/* ---- rooms: all are of one size, so they come from slabs and go back to a list */

#define SLAB_ROOMS_MIN 16u
#define SLAB_ROOMS_MAX 1024u

struct sc_customers_slab {
    struct sc_customers_slab *next; /* older, smaller */
    uint32_t n, used;               /* rooms */
    _Alignas(SC_CACHE_LINE) char rooms[];
};

static size_t room_bytes(const struct sc_customers *cs)
{
    return sizeof(struct sc_customer) + cs->room;
}

static struct sc_customer *take_room(struct sc_customers *cs)
{
    struct sc_customer *c = cs->free;
    if (c != NULL) {
        cs->free = c->next;
        return c;
    }
    struct sc_customers_slab *slab = cs->slabs;
    if (slab == NULL || slab->used == slab->n) {
        uint32_t n = slab == NULL ? SLAB_ROOMS_MIN : slab->n * 2;
        n = n < SLAB_ROOMS_MAX ? n : SLAB_ROOMS_MAX;
        slab = sc_malloc_lines(sizeof(*slab) + n * room_bytes(cs));
        *slab = (struct sc_customers_slab){.next = cs->slabs, .n = n};
        cs->slabs = slab;
    }
    return (struct sc_customer *)(void *)(slab->rooms + slab->used++ * room_bytes(cs));
}

static void give_room(struct sc_customers *cs, struct sc_customer *c)
{
    c->next = cs->free;
    cs->free = c;
}

/* ---- the table */

/* Where a look-up begins. */
static uint64_t home_of(const struct sc_customers *cs, const struct sc_node_id *node)
{
    uint64_t at;
    memcpy(&at, node->b + 8, sizeof(at));
    return at & (cs->cap - 1);
}

static struct sc_customers_slot *probe(const struct sc_customers *cs,
                                       const struct sc_node_id *node)
{
    for (uint64_t at = home_of(cs, node);; at = (at + 1) & (cs->cap - 1)) {
        struct sc_customers_slot *s = &cs->slots[at];
        if (sc_node_eq(&s->node, node) || sc_node_none(&s->node))
            return s;
    }
}

static void grow(struct sc_customers *cs)
{
    struct sc_customers bigger = *cs;
    bigger.cap = cs->cap ? cs->cap * 2 : CAP_MIN;
    bigger.slots = sc_calloc_table(bigger.cap, sizeof(*bigger.slots));
    for (uint64_t i = 0; i < cs->cap; i++)
        if (!sc_node_none(&cs->slots[i].node))
            *probe(&bigger, &cs->slots[i].node) = cs->slots[i];
    free(cs->slots);
    *cs = bigger;
}

static struct sc_customers_slot *slot_for(struct sc_customers *cs, const struct sc_node_id *node)
{
    SC_ASSERT(!sc_node_none(node));
    if ((cs->n + 1) * 4 > cs->cap * 3)
        grow(cs);
    struct sc_customers_slot *s = probe(cs, node);
    if (sc_node_none(&s->node)) {
        s->node = *node;
        cs->n++;
    }
    return s;
}

/* ---- from one form to the other */

/* The working form from the stored one, or new. */
static void decode(const struct sc_customers *cs, struct sc_customer *c, struct sc_node_id node)
{
    struct sc_str bytes = {c->bytes, c->len};
    sc_arena_init_on(&c->ar, c->room, cs->room);
    c->st = c->bytes ? sc_state_decode(cs->jo, node, bytes, &c->ar)
                     : sc_state_new(cs->jo, node, &c->ar);
    SC_ASSERT(c->st != NULL); /* we encoded it ourselves */
    c->due_ms = c->st->due_ms;
    c->counts = sc_customer_counts(c->st);
    c->opened = c->ar.used;
    c->changed = false;
}

/* What a customer takes, once it has grown or shrunk. */
static void weigh(struct sc_customers *cs, struct sc_customer *c)
{
    size_t held = sizeof(*c) + cs->room + c->ar.held + c->len;
    SC_ASSERT(cs->held >= c->held);
    cs->held += held - c->held;
    c->held = held;
}

/* Its stored form is `bytes`, and no state borrows from the old one any more. */
static void replace(struct sc_customer *c, struct sc_str bytes)
{
    SC_ASSERT(bytes.len <= UINT32_MAX);
    char *copy = sc_malloc(bytes.len);
    memcpy(copy, bytes.p, bytes.len);
    free(c->bytes);
    c->bytes = copy;
    c->len = (uint32_t)bytes.len;
}

static struct sc_customer *work(struct sc_customers *cs, struct sc_customers_slot *s)
{
    struct sc_customer *c = take_room(cs);
    memset(c, 0, sizeof(*c));
    c->bytes = s->bytes;
    c->len = s->len;
    decode(cs, c, s->node);
    weigh(cs, c);
    if (cs->last)
        cs->last->next = c;
    else
        cs->first = c;
    cs->last = c;
    s->working = c;
    s->is_working = true;
    return c;
}

/* Out of the working form; `c` is in no list. */
static void put_away(struct sc_customers *cs, struct sc_customer *c)
{
    struct sc_customers_slot *s = probe(cs, &c->st->node);
    SC_ASSERT(s->is_working && s->working == c);
    if (c->changed || c->bytes == NULL) {
        cs->form.len = 0;
        sc_state_encode(cs->jo, c->st, &cs->form);
        replace(c, sc_buf_view(&cs->form));
    }
    s->bytes = c->bytes;
    s->len = c->len;
    s->is_working = false;
    cs->held -= c->held;
    sc_arena_fini(&c->ar);
    give_room(cs, c);
}

/* Those whose turn has come and who were not asked for since the last one, until the rest is within
 * the bound. */
static void put_away_over(struct sc_customers *cs)
{
    while (cs->held > cs->most && cs->first != NULL) {
        struct sc_customer *c = cs->first;
        cs->first = c->next;
        c->next = NULL;
        if (cs->first == NULL)
            cs->last = NULL;
        if (!c->asked) {
            put_away(cs, c);
            continue;
        }
        c->asked = false;
        if (cs->last)
            cs->last->next = c;
        else
            cs->first = c;
        cs->last = c;
    }
}

/* ---- to callers */

void sc_customers_init(struct sc_customers *cs, const struct sc_journey *jo, size_t most_bytes)
{
    static const struct sc_node_id any = {.b = {1}};
    struct sc_arena ar;
    *cs = (struct sc_customers){.jo = jo, .most = most_bytes};
    sc_arena_init(&ar);
    sc_state_new(jo, any, &ar);
    size_t lines = (sizeof(struct sc_customer) + ar.used + ROOM_SPARE) / SC_CACHE_LINE + 1;
    cs->room = lines * SC_CACHE_LINE - sizeof(struct sc_customer);
    sc_arena_fini(&ar);
}

void sc_customers_fini(struct sc_customers *cs)
{
    for (uint64_t i = 0; i < cs->cap; i++) {
        struct sc_customers_slot *s = &cs->slots[i];
        if (!s->is_working) {
            free(s->bytes);
            continue;
        }
        sc_arena_fini(&s->working->ar);
        free(s->working->bytes);
    }
    while (cs->slabs != NULL) {
        struct sc_customers_slab *slab = cs->slabs;
        cs->slabs = slab->next;
        free(slab);
    }
    free(cs->slots);
    sc_buf_fini(&cs->form);
    memset(cs, 0, sizeof(*cs));
}

void sc_customers_prefetch(const struct sc_customers *cs, const struct sc_node_id *node)
{
    if (cs->cap)
        sc_prefetch(&cs->slots[home_of(cs, node)], sizeof(*cs->slots), 1);
}

void sc_customers_prefetch_state(const struct sc_customers *cs, const struct sc_node_id *node)
{
    const struct sc_customers_slot *s = cs->cap ? probe(cs, node) : NULL;
    if (s == NULL || sc_node_none(&s->node))
        return;
    if (s->is_working) { /* the state stands first in its room */
        sc_prefetch(s->working, sizeof(*s->working), HEAD_LINES);
        sc_prefetch(s->working->room + SC_STATE_SELDOM, cs->room - SC_STATE_SELDOM, WORKING_LINES);
    } else {
        sc_prefetch(s->bytes, s->len, SC_STATE_LINES);
    }
}

struct sc_customer *sc_customers_open(struct sc_customers *cs, const struct sc_node_id *node)
{
    struct sc_customers_slot *s = slot_for(cs, node);
    struct sc_customer *c = s->is_working ? s->working : work(cs, s);
    c->asked = true;
    return c;
}

/* What they share lives in the arena of one of them or behind it: all are encoded before any is
 * opened anew. */
static void open_anew(struct sc_customers *cs, struct sc_customer *const *v, uint32_t n)
{
    cs->form.len = 0;
    for (uint32_t i = 0; i < n; i++) {
        size_t from = cs->form.len;
        sc_state_encode(cs->jo, v[i]->st, &cs->form);
        v[i]->len = (uint32_t)(cs->form.len - from);
    }
    size_t from = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct sc_node_id node = v[i]->st->node;
        struct sc_str bytes = {cs->form.p + from, v[i]->len};
        sc_arena_fini(&v[i]->ar);
        replace(v[i], bytes);
        decode(cs, v[i], node);
        weigh(cs, v[i]);
        from += bytes.len;
    }
}

static bool outgrown(const struct sc_customer *c)
{
    if (c->changed && c->ar.used + c->len > SC_STATE_HARD_BYTES)
        return true; /* what `run` would leave out at each commit goes here too */
    return c->ar.used > OUTGROWN_MIN && c->ar.used / 2 > c->opened;
}

void sc_customers_close(struct sc_customers *cs, struct sc_customer *const *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        v[i]->changed |= v[i]->st->dirty;
        v[i]->st->dirty = false;
    }
    if (n > 1 || (n == 1 && outgrown(v[0])))
        open_anew(cs, v, n);
    else if (n == 1)
        weigh(cs, v[0]);
    put_away_over(cs);
}

bool sc_customers_peek(const struct sc_customers *cs, const struct sc_node_id *node,
                       struct sc_state_peek *out)
{
    const struct sc_customers_slot *s = cs->cap ? probe(cs, node) : NULL;
    if (s == NULL || sc_node_none(&s->node))
        return false;
    if (!s->is_working)
        return sc_state_peek((struct sc_str){s->bytes, s->len}, out);
    const struct sc_state *st = s->working->st;
    *out = (struct sc_state_peek){.kind = st->kind, .parent = st->parent, .due_ms = st->due_ms};
    return true;
}

static int by_node(const void *a, const void *b)
{
    return sc_node_cmp(a, b);
}

struct sc_node_id *sc_customers_nodes(const struct sc_customers *cs, uint64_t *n)
{
    struct sc_node_id *nodes = sc_malloc((cs->n + 1) * sizeof(*nodes));
    *n = 0;
    for (uint64_t i = 0; i < cs->cap; i++)
        if (!sc_node_none(&cs->slots[i].node))
            nodes[(*n)++] = cs->slots[i].node;
    SC_ASSERT(*n == cs->n);
    qsort(nodes, *n, sizeof(*nodes), by_node);
    return nodes;
}
