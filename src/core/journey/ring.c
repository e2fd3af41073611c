/* Recent touchpoints for recent(): the newest jo->ring_max by (time, source, id), each with the
 * properties the journey reads. Arrival order does not matter. Cost: a few compares when in
 * order. */
#include "core/journey/ring.h"

#include "base/assert.h"

int sc_touch_cmp(const struct sc_touch *a, const struct sc_touch *b)
{
    if (a->ms != b->ms)
        return a->ms < b->ms ? -1 : 1;
    int c = sc_str_cmp(a->source, b->source);
    return c ? c : sc_str_cmp(a->id, b->id);
}

bool sc_ring_reads(const struct sc_journey *jo, uint16_t event, uint32_t prop)
{
    SC_ASSERT(event < jo->tx->n_events && prop < SC_PROPERTIES_MAX);
    return jo->wanted.bits == NULL || (jo->wanted.bits[event][prop / 64] >> (prop % 64) & 1);
}

static struct sc_value *keep_props(const struct sc_journey *jo, struct sc_arena *ar,
                                   const struct sc_event *ev)
{
    SC_ASSERT(ev->n_props <= SC_PROPERTIES_MAX);
    struct sc_value *props = SC_NEW_N(ar, struct sc_value, ev->n_props + 1);
    for (uint32_t i = 0; i < ev->n_props; i++)
        if (sc_is_value(ev->props[i]) && sc_ring_reads(jo, ev->type, i))
            props[i] = sc_value_dup(ar, ev->props[i]);
    return props;
}

bool sc_ring_insert(struct sc_state *st, uint32_t max, const struct sc_touch *touch)
{
    SC_ASSERT(max <= SC_RING_MAX);
    uint32_t at = st->ring.n;
    while (at > 0 && sc_touch_cmp(&st->ring.v[at - 1], touch) > 0)
        at--;
    if ((at == 0 && st->ring.n >= max) || max == 0)
        return false;
    if (at > 0 && sc_touch_cmp(&st->ring.v[at - 1], touch) == 0)
        return false;
    if (st->ring.n >= max) { /* the oldest goes, the others close up */
        at--;
        memmove(st->ring.v, st->ring.v + 1, at * sizeof(*touch));
    } else {
        SC_VEC_PUSH(st->ar, &st->ring, *touch);
        memmove(&st->ring.v[at + 1], &st->ring.v[at], (st->ring.n - 1 - at) * sizeof(*touch));
    }
    st->ring.v[at] = *touch;
    return true;
}

void sc_ring_add(const struct sc_journey *jo, struct sc_state *st, const struct sc_event *ev)
{
    SC_ASSERT(st->ring.n <= SC_RING_MAX);
    SC_ASSERT(ev->type < jo->tx->n_events);
    struct sc_touch touch = {ev->type, ev->occurred_ms, ev->id, ev->source_name, NULL};
    if (st->ring.n >= jo->ring_max &&
        (st->ring.n == 0 || sc_touch_cmp(&touch, &st->ring.v[0]) < 0))
        return;
    touch.id = sc_str_dup(st->ar, ev->id);
    touch.source = sc_str_dup(st->ar, ev->source_name);
    touch.props = keep_props(jo, st->ar, ev);
    sc_ring_insert(st, jo->ring_max, &touch);
}
