/* Events that wait for their turn (semantics 13, `reorder`): ascending by (time, source, id), at
 * most SC_WAITING_MAX of SC_WAITING_BYTES_MAX; each a deep copy, since it outlives its batch. */
#include "core/journey/run.h"

#include "base/assert.h"

static int order(const struct sc_waiting *a, const struct sc_waiting *b)
{
    if (a->ms != b->ms)
        return a->ms < b->ms ? -1 : 1;
    int c = sc_str_cmp(a->source, b->source);
    return c ? c : sc_str_cmp(a->id, b->id);
}

static struct sc_event *keep(struct sc_arena *ar, const struct sc_event *ev)
{
    SC_ASSERT(ev->n_props == 0 || ev->props != NULL);
    struct sc_event *copy = sc_arena_alloc(ar, sizeof(*copy));
    *copy = *ev;
    copy->source_name = sc_str_dup(ar, ev->source_name);
    copy->id = sc_str_dup(ar, ev->id);
    copy->phone_zone = sc_str_dup(ar, ev->phone_zone);
    copy->origin.topic = sc_str_dup(ar, ev->origin.topic);
    copy->traceparent = sc_str_dup(ar, ev->traceparent);
    copy->duplicate_of = sc_str_dup(ar, ev->duplicate_of);
    for (uint32_t i = 0; i < copy->n_ids; i++)
        copy->ids[i].value = SC_STR_NULL; /* raw values stay where they were read */
    struct sc_value *props = SC_NEW_N(ar, struct sc_value, ev->n_props + 1);
    for (uint32_t i = 0; i < ev->n_props; i++)
        props[i] = sc_value_dup(ar, ev->props[i]);
    copy->props = props;
    return copy;
}

static const struct sc_event *take_first(struct sc_state *st)
{
    SC_ASSERT(st->waiting.n > 0);
    const struct sc_event *ev = st->waiting.v[0].ev;
    st->waiting.n--;
    memmove(st->waiting.v, st->waiting.v + 1, st->waiting.n * sizeof(*st->waiting.v));
    return ev;
}

static size_t bytes_of(const struct sc_event *ev)
{
    size_t bytes = ev->id.len + ev->source_name.len + ev->traceparent.len;
    for (uint32_t i = 0; i < ev->n_props; i++)
        bytes += sc_value_bytes(ev->props[i]);
    return bytes;
}

bool sc_reorder_over(const struct sc_state *st)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < st->waiting.n; i++)
        bytes += bytes_of(st->waiting.v[i].ev);
    return st->waiting.n > SC_WAITING_MAX || bytes > SC_WAITING_BYTES_MAX;
}

void sc_reorder_wait(struct sc_state *st, const struct sc_event *ev)
{
    SC_ASSERT(st->kind == SC_STATE_ROOT);
    struct sc_event *copy = keep(st->ar, ev);
    struct sc_waiting w = {copy->occurred_ms, copy->source_name, copy->id, copy};
    SC_VEC_PUSH(st->ar, &st->waiting, w);
    uint32_t at = st->waiting.n - 1;
    while (at > 0 && order(&st->waiting.v[at - 1], &w) > 0) {
        st->waiting.v[at] = st->waiting.v[at - 1];
        at--;
    }
    st->waiting.v[at] = w;
}

const struct sc_event *sc_reorder_take(struct sc_state *st, int64_t limit_ms)
{
    if (st->waiting.n == 0 || st->waiting.v[0].ms > limit_ms)
        return NULL;
    SC_ASSERT(st->waiting.v[0].ev != NULL);
    return take_first(st);
}
