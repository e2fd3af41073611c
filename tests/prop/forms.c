/* A customer says the same in either form: worlds that hold every customer as the step works on it,
 * none, or some, give the same effects, analytics and customers, byte by byte. Events are gone once
 * they were applied, so that whatever a state still borrowed of them would show. */
#include "../lib/states.h"
#include "codec/journal.h"
#include "core/analytics/cube.h"
#include "sim/world.h"

#define ROUNDS 60
#define NODES 12

struct said {
    const struct shop *sh;
    struct sc_buf lines;
    struct sc_cube cube;
};

static void effect(void *arg, const struct sc_effect *fx)
{
    struct said *sd = arg;
    sc_effect_json(&sd->sh->jo, fx, &sd->lines);
    sc_buf_char(&sd->lines, '\n');
}

static void delta(void *arg, const struct sc_cell *cell)
{
    sc_cube_add(&((struct said *)arg)->cube, cell);
}

static void customer(void *arg, struct sc_str line)
{
    struct said *sd = arg;
    sc_buf_str(&sd->lines, line);
    sc_buf_char(&sd->lines, '\n');
}

static void cells(struct shop *sh, struct said *sd)
{
    uint32_t n;
    const struct sc_cell *v = sc_cube_cells(&sd->cube, &sh->ar, &n);
    for (uint32_t i = 0; i < n; i++) {
        sc_cell_json(&sh->jo, &v[i], &sh->ar, &sd->lines);
        sc_buf_char(&sd->lines, '\n');
    }
}

/* A copy of the event that lives no longer than this call. */
static void hand_over(struct shop *sh, struct sc_world *w, const struct sc_event *ev)
{
    struct sc_arena ar;
    struct sc_buf form = {0};
    struct sc_frame_item item;
    struct sc_record rec = {.kind = SC_REC_EVENT, .to = ev->ids[0].node, .home = ev->ids[0].node,
                            .ev = ev};
    sc_arena_init(&ar);
    sc_record_encode(&sh->tx, &rec, &form);
    bool read = sc_record_decode(&sh->tx, sc_buf_view(&form), &ar, &item);
    SC_ASSERT(read);
    sc_world_event(w, &item.event);
    memset(form.p, 0xA5, form.len);
    sc_buf_fini(&form);
    sc_arena_fini(&ar);
}

static void play(struct shop *sh, struct sc_event **evs, uint32_t n, size_t working_bytes,
                 struct said *sd)
{
    *sd = (struct said){.sh = sh};
    sc_cube_init(&sd->cube, &sh->ar);
    struct sc_world_opts opts = {.effect = effect, .delta = delta, .arg = sd,
                                 .working_bytes = working_bytes};
    struct sc_world *w = sc_world_create(&sh->jo, &opts);
    for (uint32_t i = 0; i < n; i++)
        hand_over(sh, w, evs[i]);
    sc_world_end(w);
    sc_world_until(w, SHOP_START + 90 * SC_DAY_MS);
    sc_world_customers(w, NULL, NULL, customer, sd);
    cells(sh, sd);
    struct sc_world_counts c = sc_world_counts(w);
    sc_buf_addf(&sd->lines, "%llu events of %llu customers, %llu merges\n",
                (unsigned long long)c.events, (unsigned long long)c.customers,
                (unsigned long long)c.merges);
    sc_world_destroy(w);
}

static void check(struct chance *c)
{
    struct shop sh;
    struct said all, other;
    shop_init(&sh, states_journey);
    uint32_t n = 20 + (uint32_t)chance_below(c, chance_below(c, 8) ? 300 : 3000);
    struct sc_event **evs = shop_events(&sh, n, 20 * SC_DAY_MS, c);
    if (chance_below(c, 3))
        qsort(evs, n, sizeof(struct sc_event *), shop_by_time);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t first = (uint8_t)(1 + chance_below(c, NODES)), second = (uint8_t)(1 + chance_below(c, NODES));
        evs[i]->ids[0] = (struct sc_identifier){.ns = 1, .node = shop_node(2, first)};
        evs[i]->ids[1] = (struct sc_identifier){.ns = 2, .node = shop_node(3, second)};
        evs[i]->n_ids = chance_below(c, 30) ? 1 : 2;
    }
    play(&sh, evs, n, 0, &all);
    const size_t bounds[] = {1, 16384, 65536};
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        play(&sh, evs, n, bounds[i], &other);
        if (!sc_str_eq(sc_buf_view(&all.lines), sc_buf_view(&other.lines))) {
            fprintf(stderr, "all working:\n%.*s--- %zu bytes of them:\n%.*s",
                    SC_STR_FMT(sc_buf_view(&all.lines)), bounds[i],
                    SC_STR_FMT(sc_buf_view(&other.lines)));
            abort();
        }
        sc_buf_fini(&other.lines);
    }
    sc_buf_fini(&all.lines);
    shop_fini(&sh);
}

int main(void)
{
    struct chance c = {20261126};
    for (int i = 0; i < ROUNDS; i++)
        check(&c);
    printf("%d rounds\n", ROUNDS);
    return 0;
}
