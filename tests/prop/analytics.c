/* Analytics: what was counted of customers, taken back and counted anew on the way (events out of
 * order, identities that join late), is in the end what the customers' histories say; and one person
 * who was several until a link came is counted as one who was known from the start. */
#include "../lib/states.h"
#include "core/analytics/cube.h"
#include "core/analytics/history.h"
#include "sim/world.h"

#define ROUNDS 150
#define PEOPLE 4
#define DEVICES 4 /* below what one customer may have */

/* Of customers, so corrected. The rest is of events and stands. */
static bool of_customers(enum sc_metric m)
{
    switch (m) {
    case SC_METRIC_CUSTOMERS: case SC_METRIC_ACTIVE: case SC_METRIC_RETENTION:
    case SC_METRIC_REACHED: case SC_METRIC_TIME_TO_VALUE: case SC_METRIC_FIRST_CONTACT:
    case SC_METRIC_SWITCH: case SC_METRIC_WAITING: case SC_METRIC_HANDLING: case SC_METRIC_BUYERS:
    case SC_METRIC_REPEAT_VALUE:
        return true;
    default:
        return false;
    }
}

static void add(void *cube, const struct sc_cell *delta)
{
    if (of_customers((enum sc_metric)delta->metric))
        sc_cube_add(cube, delta);
}

static struct sc_str text(struct shop *sh, const struct sc_cube *cube, bool stages)
{
    struct sc_buf out = {.ar = &sh->ar};
    uint32_t n;
    const struct sc_cell *cells = sc_cube_cells(cube, &sh->ar, &n);
    for (uint32_t i = 0; i < n; i++) {
        enum sc_metric m = (enum sc_metric)cells[i].metric;
        if (!stages && (m == SC_METRIC_REACHED || m == SC_METRIC_TIME_TO_VALUE))
            continue;
        sc_cell_json(&sh->jo, &cells[i], &sh->ar, &out);
        sc_buf_char(&out, '\n');
    }
    return sc_buf_view(&out);
}

static void same(struct sc_str a, struct sc_str b, const char *law)
{
    if (sc_str_eq(a, b))
        return;
    fprintf(stderr, "%s:\n%.*s---\n%.*s", law, SC_STR_FMT(a), SC_STR_FMT(b));
    abort();
}

static struct sc_node_id device(int person, int64_t which)
{
    return shop_node(3, (uint8_t)(1 + person * DEVICES + which));
}

static struct sc_node_id email(int person)
{
    return shop_node(2, (uint8_t)(1 + person));
}

static void identify(struct sc_event *ev, struct sc_node_id a, const struct sc_node_id *b)
{
    ev->n_ids = b ? 2 : 1;
    ev->ids[0] = (struct sc_identifier){.ns = (uint8_t)(sc_node_rank(&a) - 1), .node = a};
    if (b)
        ev->ids[1] = (struct sc_identifier){.ns = (uint8_t)(sc_node_rank(b) - 1), .node = *b};
}

/* Everything through a world; what came out, and what its customers say at the end. */
struct outcome {
    struct sc_cube told, held;
};

static void play(struct shop *sh, struct sc_event **evs, uint32_t n, struct outcome *out)
{
    sc_cube_init(&out->told, &sh->ar);
    sc_cube_init(&out->held, &sh->ar);
    struct sc_world_opts opts = {.delta = add, .arg = &out->told};
    struct sc_world *w = sc_world_create(&sh->jo, &opts);
    for (uint32_t i = 0; i < n; i++)
        sc_world_event(w, evs[i]);
    sc_world_end(w);
    struct sc_effects fx;
    sc_effects_init(&fx, &sh->ar);
    for (int p = 0; p < PEOPLE; p++) {
        for (int d = -1; d < DEVICES; d++) {
            struct sc_node_id node = d < 0 ? email(p) : device(p, d);
            const struct sc_state *st = sc_world_state(w, node);
            if (sc_node_eq(&st->node, &node) && st->n_events > 0)
                sc_history_count(&sh->jo, st, 1, &fx);
        }
    }
    for (uint32_t i = 0; i < fx.deltas.n; i++)
        add(&out->held, &fx.deltas.v[i]);
    sc_world_destroy(w);
}

static void check(struct chance *c)
{
    struct shop sh;
    shop_init(&sh, states_journey);
    uint32_t n = 10 + (uint32_t)chance_below(c, 120);
    struct sc_event **evs = shop_events(&sh, n + PEOPLE * DEVICES, 60 * SC_DAY_MS, c);
    struct outcome known, joined;
    if (chance_below(c, 2))
        qsort(evs, n, sizeof(struct sc_event *), shop_by_time);
    int person[512];
    int64_t which[512];
    for (uint32_t i = 0; i < n; i++) {
        person[i] = (int)chance_below(c, PEOPLE);
        which[i] = chance_below(c, DEVICES);
        identify(evs[i], email(person[i]), NULL);
    }
    for (uint32_t k = 0; k < PEOPLE * DEVICES; k++) { /* at the end each device is somebody's */
        struct sc_node_id node = device((int)k / DEVICES, k % DEVICES), own = email((int)k / DEVICES);
        evs[n + k] = shop_event(&sh, 0, SHOP_START + 61 * SC_DAY_MS + k, c);
        identify(evs[n + k], own, &node);
    }
    play(&sh, evs, n + PEOPLE * DEVICES, &known);
    same(text(&sh, &known.told, true), text(&sh, &known.held, true), "told and held, known");
    for (uint32_t i = 0; i < n; i++) {
        struct sc_node_id own = device(person[i], which[i]), mail = email(person[i]);
        bool linked = chance_below(c, 10) == 0;
        identify(evs[i], linked ? mail : own, linked ? &own : NULL);
    }
    play(&sh, evs, n + PEOPLE * DEVICES, &joined);
    same(text(&sh, &joined.told, true), text(&sh, &joined.held, true), "told and held, joined");
    same(text(&sh, &known.told, false), text(&sh, &joined.told, false), "known and joined");
    SC_ASSERT(known.told.n > 10);
    shop_fini(&sh);
}

int main(void)
{
    struct chance c = {20261125};
    for (int round = 0; round < ROUNDS; round++)
        check(&c);
    printf("%d rounds\n", ROUNDS);
    return 0;
}
