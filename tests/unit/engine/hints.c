/* What resolve believes of roots, over a view that is a small table. */
#include "core/identity/identity.h"
#include "engine/hints.h"

#include <criterion/criterion.h>

static struct sc_namespace namespaces[] = {{.rank = 1, .unique = true}, {.rank = 2}};
static struct sc_taxonomy tx = {.namespaces = namespaces, .n_namespaces = 2};
static struct sc_journey jo = {.tx = &tx};
static struct sc_engine_config cfg = {.jo = &jo};

struct table {
    struct sc_view base;
    struct sc_node_id child[8], parent[8];
    uint32_t n, asked, trips;
    bool down;
};

static enum sc_err table_hints(struct sc_view *vw, const struct sc_node_id *nodes,
                               struct sc_node_id *parents, uint32_t n)
{
    struct table *t = (struct table *)vw;
    memset(parents, 0, n * sizeof(*parents));
    t->trips++;
    t->asked += n;
    if (t->down)
        return SC_ERR_UNAVAILABLE;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < t->n; k++)
            if (sc_node_eq(&t->child[k], &nodes[i]))
                parents[i] = t->parent[k];
    return SC_ERR_OK;
}
static const struct sc_view_ops table_ops = {.hints = table_hints};

struct bed {
    struct table view;
    struct sc_worker w;
    struct sc_hints h;
    struct sc_arena ar;
};

static void bed_init(struct bed *b)
{
    memset(b, 0, sizeof(*b));
    b->view.base.ops = &table_ops;
    b->w.cfg = &cfg;
    b->w.view = &b->view.base;
    sc_arena_init(&b->ar);
    sc_hints_init(&b->h, &b->w, 16);
}

static void bed_fini(struct bed *b)
{
    sc_hints_fini(&b->h);
    sc_arena_fini(&b->ar);
}

static struct sc_node_id node(uint8_t rank, uint8_t name)
{
    return (struct sc_node_id){{(uint8_t)(0xf0 | rank), name, 0, 0, 0, 0, 0, 0, name}};
}

static void put(struct bed *b, struct sc_node_id child, struct sc_node_id parent)
{
    b->view.child[b->view.n] = child;
    b->view.parent[b->view.n++] = parent;
}

static struct sc_node_id root(struct bed *b, struct sc_node_id of, int64_t mono_ms)
{
    sc_roots roots[1];
    struct sc_event ev = {.n_ids = 1}, *evs[] = {&ev};
    ev.ids[0].node = of;
    ev.ids[0].ns = (uint8_t)(sc_node_rank(&of) - 1);
    sc_hints_roots(&b->h, evs, roots, 1, mono_ms, &b->ar);
    return roots[0][0];
}

static void expect(struct sc_node_id a, struct sc_node_id b)
{
    cr_assert(sc_node_eq(&a, &b), "%x %u, expected %x %u", a.b[0], a.b[1], b.b[0], b.b[1]);
}

Test(hints, a_chain_is_followed_and_remembered)
{
    struct bed b;
    bed_init(&b);
    put(&b, node(2, 9), node(2, 5));
    put(&b, node(2, 5), node(1, 1));
    expect(root(&b, node(2, 9), 1000), node(1, 1));
    uint32_t trips = b.view.trips;
    expect(root(&b, node(2, 9), 2000), node(1, 1));
    cr_assert_eq(b.view.trips, trips, "asked once");
    root(&b, node(2, 9), 1000 + SC_HINT_LIFE_MS);
    cr_assert_gt(b.view.trips, trips, "asked again after its life");
    bed_fini(&b);
}

Test(hints, one_round_trip_a_level_for_a_batch)
{
    struct bed b;
    bed_init(&b);
    put(&b, node(2, 8), node(1, 1));
    sc_roots roots[2];
    struct sc_event one = {.n_ids = 2}, two = {.n_ids = 1}, *evs[] = {&one, &two};
    one.ids[0] = (struct sc_identifier){.ns = 0, .node = node(1, 3)};
    one.ids[1] = (struct sc_identifier){.ns = 1, .node = node(2, 8)};
    two.ids[0] = (struct sc_identifier){.ns = 1, .node = node(2, 6)};
    sc_hints_roots(&b.h, evs, roots, 2, 0, &b.ar);
    cr_assert_eq(b.view.trips, 2);
    cr_assert_eq(b.view.asked, 4, "three nodes, then the one parent");
    expect(roots[0][0], node(1, 3));
    expect(roots[0][1], node(1, 1));
    expect(roots[1][0], node(2, 6));
    bed_fini(&b);
}

Test(hints, a_unique_identifier_alone_needs_no_look_up)
{
    struct bed b;
    bed_init(&b);
    expect(root(&b, node(1, 4), 0), node(1, 4));
    cr_assert_eq(b.view.trips, 0);
    bed_fini(&b);
}

Test(hints, what_cannot_be_a_decision_is_no_hint)
{
    struct bed b;
    bed_init(&b);
    put(&b, node(2, 1), node(2, 2)); /* larger: would go round */
    put(&b, node(2, 2), node(2, 1));
    put(&b, node(2, 7), node(2, 7)); /* a root again */
    expect(root(&b, node(2, 1), 0), node(2, 1));
    expect(root(&b, node(2, 7), 0), node(2, 7));
    bed_fini(&b);
}

Test(hints, without_redis_every_node_is_its_own_root_and_it_is_left_alone_for_a_while)
{
    struct bed b;
    bed_init(&b);
    put(&b, node(2, 9), node(1, 1));
    b.view.down = true;
    expect(root(&b, node(2, 9), 5000), node(2, 9));
    expect(root(&b, node(2, 9), 5500), node(2, 9));
    cr_assert_eq(b.view.trips, 1);
    cr_assert_eq(b.w.counters.hint_failures, 2);
    b.view.down = false;
    expect(root(&b, node(2, 9), 6000), node(1, 1));
    bed_fini(&b);
}

Test(hints, what_was_believed_of_a_dropped_transaction_is_forgotten)
{
    struct bed b;
    bed_init(&b);
    struct sc_node_id child = node(2, 9), parent = node(1, 1);
    sc_hints_believe(&b.h, &child, &parent, 0);
    expect(root(&b, child, 10), parent);
    sc_hints_forget(&b.h);
    expect(root(&b, child, 20), child);
    bed_fini(&b);
}

/* Node number `i` of many: its last bytes are as a MAC's. */
static struct sc_node_id one_of(uint64_t i)
{
    struct sc_node_id n = node(2, 1);
    uint64_t mac = (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    mac ^= mac >> 29;
    memcpy(n.b + 8, &mac, sizeof(mac));
    return n;
}

Test(hints, the_cache_grows_with_the_nodes_up_to_its_bound)
{
    const uint32_t n = 12000, few = n / 10;
    for (uint32_t entries = 1u << 12; entries <= 1u << 16; entries *= 16) {
        struct bed b;
        bed_init(&b);
        sc_hints_fini(&b.h);
        sc_hints_init(&b.h, &b.w, entries);
        struct sc_node_id parent = node(1, 1);
        for (uint32_t i = 0; i < n; i++) {
            struct sc_node_id child = one_of(i);
            sc_hints_believe(&b.h, &child, &parent, 0);
        }
        for (uint32_t i = 0; i < n; i++)
            root(&b, one_of(i), 10);
        cr_assert_leq(b.h.cap, entries);
        if (entries > n)
            cr_assert_lt(b.view.asked, few, "%u of %u were not remembered", b.view.asked, n);
        else
            cr_assert_gt(b.view.asked, n / 4, "a bound that holds more than it has room for");
        bed_fini(&b);
    }
}
