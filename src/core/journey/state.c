/* A customer never seen, and when one must be looked at again. */
#include "core/journey/state.h"

#include "base/assert.h"

struct sc_place sc_place_new(const struct sc_journey *jo, uint32_t t)
{
    SC_ASSERT(t < jo->n_tracks);
    int16_t initial = (int16_t)jo->tracks[t].initial;
    SC_ASSERT(initial < SC_STAGES_MAX);
    return (struct sc_place){.stage = initial, .furthest = initial, .stage_ms = SC_NEVER,
                             .lapsed_from = -1, .lapsed_from_ms = SC_NEVER,
                             .lapse_void = -1, .lapse_void_ms = SC_NEVER};
}

uint64_t sc_state_stages(const struct sc_journey *jo, const struct sc_state *st)
{
    uint64_t bits = 0;
    for (uint32_t t = 0; t < jo->n_tracks; t++) {
        SC_ASSERT(st->place[t].stage >= 0 && (uint32_t)st->place[t].stage < jo->n_stages);
        bits |= UINT64_C(1) << st->place[t].stage;
    }
    return bits;
}

#define FACTS_FIRST 4u /* there is room for so many from the start */

/* A new customer is one piece of memory, copied from a blank one: so many are opened. */
struct whole {
    struct sc_state st;
    struct sc_member self;
    char rest[]; /* places, times of channels, milestones, ladders; behind them room for facts */
};

/* Of what is copied. */
static size_t whole_bytes(const struct sc_journey *jo)
{
    const struct sc_state *st = NULL;
    size_t bytes = sizeof(struct whole) + jo->n_tracks * sizeof(*st->place) +
                   jo->n_channels * sizeof(*st->inbound_ms) +
                   jo->n_milestones * (sizeof(*st->milestones) + sizeof(*st->ladders));
    const size_t step = _Alignof(struct sc_fact_held);
    return (bytes + step - 1) / step * step;
}

static uint32_t first_facts(const struct sc_journey *jo)
{
    return jo->n_facts < FACTS_FIRST ? jo->n_facts : FACTS_FIRST;
}

static struct whole *whole_new(const struct sc_journey *jo, struct sc_arena *ar)
{
    return sc_arena_alloc(ar, whole_bytes(jo) + first_facts(jo) * sizeof(struct sc_fact_held));
}

static struct sc_state *lay_out(const struct sc_journey *jo, struct whole *w)
{
    struct sc_state *st = &w->st;
    st->place = (struct sc_place *)(void *)w->rest;
    st->inbound_ms = (int64_t *)(void *)(st->place + jo->n_tracks);
    st->milestones = st->inbound_ms + jo->n_channels;
    st->ladders = (void *)(st->milestones + jo->n_milestones);
    st->facts.v = (void *)((char *)w + whole_bytes(jo));
    st->members.v = &w->self;
    return st;
}

void sc_state_prepare(struct sc_journey *jo, struct sc_arena *ar)
{
    SC_ASSERT(jo->n_tracks >= 1 && jo->n_tracks <= SC_TRACKS_MAX);
    struct whole *w = whole_new(jo, ar);
    memset(w, 0, whole_bytes(jo));
    struct sc_state *st = lay_out(jo, w);
    st->kind = SC_STATE_ROOT;
    st->facts.cap = first_facts(jo);
    st->erased_ms = st->first_ms = st->last_ms = SC_NEVER;
    for (uint32_t t = 0; t < jo->n_tracks; t++)
        st->place[t] = sc_place_new(jo, t);
    st->channel.at_ms = st->timezone.at_ms = SC_NEVER;
    st->language.at_ms = st->frequency.at_ms = SC_NEVER;
    st->snooze_at_ms = st->snooze_until_ms = st->fatigue_ms = SC_NEVER;
    for (uint32_t m = 0; m < jo->n_milestones; m++)
        st->milestones[m] = SC_NEVER;
    for (uint32_t c = 0; c < jo->n_channels; c++)
        st->inbound_ms[c] = SC_NEVER;
    w->self.linked_ms = SC_NEVER;
    st->members.n = st->members.cap = 1;
    st->due_ms = SC_NO_DUE;
    jo->blank = st;
}

struct sc_state *sc_state_new(const struct sc_journey *jo, struct sc_node_id node,
                              struct sc_arena *ar)
{
    SC_ASSERT(!sc_node_none(&node));
    SC_ASSERT(jo->blank != NULL);
    struct whole *w = whole_new(jo, ar);
    memcpy(w, jo->blank, whole_bytes(jo));
    struct sc_state *st = lay_out(jo, w);
    st->node = w->self.node = node;
    st->ar = ar;
    return st;
}

void sc_state_due(const struct sc_journey *jo, struct sc_state *st)
{
    SC_ASSERT(jo->reorder_ms >= 0);
    SC_ASSERT(st->waiting.n == 0 || st->waiting.v[0].ev != NULL);
    st->due_ms = st->waiting.n ? st->waiting.v[0].ms : SC_NO_DUE;
    for (uint32_t i = 0; i < st->timers.n; i++) {
        const struct sc_timer *tm = &st->timers.v[i];
        if (sc_timer_wakes(tm) && tm->due_ms < st->due_ms)
            st->due_ms = tm->due_ms;
    }
}
