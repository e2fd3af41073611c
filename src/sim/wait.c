/* See wait.h. Taking a customer's oldest out scans the heap: rare, and bounded by its span. */
#include "sim/wait.h"

#include "base/assert.h"
#include "codec/journal.h"
#include "core/journey/state.h"
#include <stdlib.h>

void sc_wait_init(struct sc_wait *wt)
{
    memset(wt, 0, sizeof(*wt));
}

void sc_wait_fini(struct sc_wait *wt)
{
    for (uint64_t i = 0; i < wt->n; i++)
        free(wt->heap[i]);
    free(wt->heap);
    free(wt->counts);
    sc_wait_init(wt);
}

static struct sc_wait_count *count_slot(const struct sc_wait *wt, const struct sc_node_id *node)
{
    uint64_t h;
    memcpy(&h, node->b + 8, sizeof(h));
    for (uint64_t i = h & (wt->cap_counts - 1);; i = (i + 1) & (wt->cap_counts - 1)) {
        struct sc_wait_count *c = &wt->counts[i];
        if (sc_node_none(&c->node) || sc_node_eq(&c->node, node))
            return c;
    }
}

/* Make room; counts that fell to 0 are left behind. */
static void counts_grow(struct sc_wait *wt)
{
    struct sc_wait old = *wt;
    uint64_t live = 0;
    for (uint64_t i = 0; i < old.cap_counts; i++)
        live += old.counts[i].n > 0;
    wt->cap_counts = 64;
    while (wt->cap_counts < live * 4)
        wt->cap_counts *= 2;
    wt->counts = sc_calloc(wt->cap_counts, sizeof(*wt->counts));
    wt->n_counts = live;
    for (uint64_t i = 0; i < old.cap_counts; i++)
        if (old.counts[i].n > 0)
            *count_slot(wt, &old.counts[i].node) = old.counts[i];
    free(old.counts);
}

static struct sc_wait_count *count_of(struct sc_wait *wt, const struct sc_node_id *node)
{
    if ((wt->n_counts + 1) * 2 > wt->cap_counts)
        counts_grow(wt);
    struct sc_wait_count *c = count_slot(wt, node);
    if (sc_node_none(&c->node)) {
        c->node = *node;
        wt->n_counts++;
    }
    return c;
}

static bool before(const struct sc_wait_item *a, const struct sc_wait_item *b)
{
    if (a->ms != b->ms)
        return a->ms < b->ms;
    int d = sc_str_cmp(a->source, b->source);
    return d ? d < 0 : sc_str_cmp(a->id, b->id) < 0;
}

static void sift_up(struct sc_wait *wt, uint64_t at, struct sc_wait_item *item)
{
    while (at > 0 && before(item, wt->heap[(at - 1) / 2])) {
        wt->heap[at] = wt->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    wt->heap[at] = item;
}

static void sift_down(struct sc_wait *wt, uint64_t at, struct sc_wait_item *item)
{
    for (;;) {
        uint64_t kid = 2 * at + 1;
        if (kid >= wt->n)
            break;
        if (kid + 1 < wt->n && before(wt->heap[kid + 1], wt->heap[kid]))
            kid++;
        if (!before(wt->heap[kid], item))
            break;
        wt->heap[at] = wt->heap[kid];
        at = kid;
    }
    wt->heap[at] = item;
}

/* A copy of `s` at *at, which moves behind it. */
static struct sc_str put(char **at, struct sc_str s)
{
    struct sc_str to = {*at, s.len};
    if (s.len)
        memcpy(*at, s.p, s.len);
    *at += s.len;
    return to;
}

static struct sc_wait_item *item_create(const struct sc_taxonomy *tx, const struct sc_event *ev)
{
    struct sc_record rec = {.kind = SC_REC_EVENT, .ev = ev, .to = ev->ids[0].node,
                            .home = ev->ids[0].node};
    struct sc_buf bytes = {0};
    sc_record_encode(tx, &rec, &bytes);
    struct sc_wait_item *item = sc_malloc(sizeof(struct sc_wait_item) + ev->source_name.len +
                                          ev->id.len + bytes.len);
    char *at = (char *)(item + 1);
    item->ms = ev->occurred_ms;
    item->node = ev->ids[0].node;
    item->source = put(&at, ev->source_name);
    item->id = put(&at, ev->id);
    item->record = put(&at, sc_buf_view(&bytes));
    sc_buf_fini(&bytes);
    return item;
}

void sc_wait_add(struct sc_wait *wt, const struct sc_taxonomy *tx, const struct sc_event *ev)
{
    SC_ASSERT(ev->n_ids > 0);
    if (wt->n == wt->cap) {
        wt->cap = wt->cap ? wt->cap * 2 : 256;
        wt->heap = sc_realloc(wt->heap, wt->cap * sizeof(*wt->heap));
    }
    sift_up(wt, wt->n++, item_create(tx, ev));
    count_of(wt, &ev->ids[0].node)->n++;
}

const struct sc_wait_item *sc_wait_first(const struct sc_wait *wt)
{
    return wt->n ? wt->heap[0] : NULL;
}

static struct sc_wait_item *take(struct sc_wait *wt, uint64_t at)
{
    SC_ASSERT(at < wt->n);
    struct sc_wait_item *item = wt->heap[at], *last = wt->heap[--wt->n];
    if (at < wt->n) {
        if (at > 0 && before(last, wt->heap[(at - 1) / 2]))
            sift_up(wt, at, last);
        else
            sift_down(wt, at, last);
    }
    struct sc_wait_count *c = count_of(wt, &item->node);
    SC_ASSERT(c->n > 0);
    c->n--;
    return item;
}

struct sc_wait_item *sc_wait_pop(struct sc_wait *wt)
{
    return take(wt, 0);
}

struct sc_wait_item *sc_wait_over(struct sc_wait *wt, const struct sc_node_id *node)
{
    if (count_of(wt, node)->n <= SC_WAITING_MAX)
        return NULL;
    uint64_t oldest = UINT64_MAX;
    for (uint64_t i = 0; i < wt->n; i++)
        if (sc_node_eq(&wt->heap[i]->node, node) &&
            (oldest == UINT64_MAX || before(wt->heap[i], wt->heap[oldest])))
            oldest = i;
    return take(wt, oldest);
}
