/* See explain_replay.h. */
#include "cli/explain_replay.h"

#include "base/assert.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>

struct sc_replayed {
    struct sc_replay_place at;
    struct sc_str record;
};

static int order(const struct sc_replay_place *a, const struct sc_replay_place *b)
{
    if (a->append_ms != b->append_ms)
        return a->append_ms < b->append_ms ? -1 : 1;
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

struct sc_replayed *sc_replay_add(struct sc_replay *rp, struct sc_replayed *known,
                                  const struct sc_record *rec, const struct sc_replay_place *at)
{
    SC_ASSERT(rec->kind == SC_REC_EVENT && rec->ev != NULL);
    if (known != NULL) { /* it counts where it came first, whichever partition is read first */
        if (order(at, &known->at) < 0)
            known->at = *at;
        return known;
    }
    struct sc_buf out = {.ar = rp->ar};
    sc_record_encode(rp->jo->tx, rec, &out);
    struct sc_replayed *re = SC_NEW(rp->ar, struct sc_replayed);
    *re = (struct sc_replayed){*at, sc_buf_view(&out)};
    SC_VEC_PUSH(rp->ar, &rp->events, re);
    return re;
}

static int by_place(const void *a, const void *b)
{
    const struct sc_replayed *x = *(struct sc_replayed *const *)a;
    const struct sc_replayed *y = *(struct sc_replayed *const *)b;
    return order(&x->at, &y->at);
}

static bool of_decision(struct sc_str line)
{
    return sc_str_starts(line, SC_STR("  gate ")) || sc_str_starts(line, SC_STR("  guard "));
}

static void print_line(void *arg, struct sc_str line)
{
    (void)arg;
    if (!of_decision(line))
        printf("%.*s\n", SC_STR_FMT(line));
}

static uint64_t play(struct sc_replay *rp, struct sc_node_id node, int64_t until_ms)
{
    const struct sc_world_opts opts = {.reorder_ms = rp->jo->reorder_ms, .line = print_line,
                                       .reveal = rp->reveal};
    struct sc_world *world = sc_world_create(rp->jo, &opts);
    struct sc_arena ar;
    sc_arena_init(&ar);
    for (uint32_t i = 0; i < rp->events.n; i++) {
        struct sc_frame_item item;
        sc_arena_reset(&ar, 1u << 20);
        bool ok = sc_record_decode(rp->jo->tx, rp->events.v[i]->record, &ar, &item);
        SC_ASSERT(ok); /* we encoded it ourselves */
        sc_world_event(world, &item.event);
    }
    sc_world_end(world);
    sc_world_until(world, until_ms);
    uint64_t n = sc_world_state(world, node)->n_events;
    sc_arena_fini(&ar);
    sc_world_destroy(world);
    return n;
}

void sc_replay_print(struct sc_replay *rp, const struct sc_state *st, int64_t until_ms)
{
    if (rp->events.n == 0) {
        printf("\nwhat the rules saw is not known: the journal has none of its events any more\n");
        return;
    }
    qsort(rp->events.v, rp->events.n, sizeof(*rp->events.v), by_place);
    printf("\nwhat the rules saw, played again from the journal:\n");
    uint64_t n = play(rp, st->node, until_ms);
    if (n != st->n_events)
        printf("of the %llu events the customer has, the journal told %llu: facts began there, so "
               "rules may have seen more\n",
               (unsigned long long)st->n_events, (unsigned long long)n);
}
