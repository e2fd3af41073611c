/* The view in memory: compare-and-set, states, timers, hints, faults. */
#include "sim/memview.h"

#include <criterion/criterion.h>

static const struct sc_node_id node = {{0xf1, 1}}, other = {{0xf1, 2}};
static const struct sc_stamp none = {0}, first = {5, 6, -1}, second = {5, 6, 10};

static enum sc_err flush(struct sc_view *vw, struct sc_stamp seen, struct sc_stamp to,
                         struct sc_str state)
{
    struct sc_view_item item = {.node = node, .state = state, .due_ms = 7};
    uint32_t partition;
    enum sc_err how;
    cr_assert_eq(vw->ops->flush(vw, 1, seen, to, &item, 1), SC_ERR_OK);
    cr_assert_eq(vw->ops->collect(vw, 0, &partition, &how), SC_ERR_OK);
    cr_assert_eq(partition, 1);
    return how;
}

static struct sc_str read_state(struct sc_view *vw, struct sc_stamp *stamp)
{
    struct sc_view_item items[] = {{.node = other}, {.node = node}};
    cr_assert_eq(vw->ops->read(vw, 1, stamp, items, 2), SC_ERR_OK);
    cr_assert_null(items[0].state.p);
    return items[1].state;
}

Test(memview, a_flush_lands_only_on_the_stamp_that_was_seen)
{
    struct sc_memview *mv = sc_memview_create(2);
    struct sc_view *a = sc_memview_open(mv), *b = sc_memview_open(mv);
    struct sc_stamp stamp;
    cr_assert_eq(a->ops->reset(a, 1, first, second), SC_ERR_CONFLICT);
    cr_assert_eq(a->ops->reset(a, 1, none, first), SC_ERR_OK);
    cr_assert_eq(flush(a, first, second, SC_STR("one")), SC_ERR_OK);
    cr_assert_eq(flush(b, first, (struct sc_stamp){5, 6, 99}, SC_STR("late")), SC_ERR_CONFLICT);
    cr_assert(sc_str_eqz(read_state(b, &stamp), "one"));
    cr_assert_eq(stamp.offset, 10);
    cr_assert_eq(b->ops->reset(b, 1, second, (struct sc_stamp){5, 7, -1}), SC_ERR_OK);
    cr_assert_null(read_state(a, &stamp).p, "a new view is empty");
    cr_assert_eq(flush(a, second, (struct sc_stamp){5, 6, 11}, SC_STR("x")), SC_ERR_CONFLICT);
    a->ops->close(a);
    b->ops->close(b);
    sc_memview_destroy(mv);
}

Test(memview, faults)
{
    struct sc_memview *mv = sc_memview_create(2);
    struct sc_view *a = sc_memview_open(mv), *b = sc_memview_open(mv);
    struct sc_stamp stamp;
    cr_assert_eq(a->ops->reset(a, 1, none, first), SC_ERR_OK);
    sc_memview_mute(mv, true);
    cr_assert_eq(flush(a, first, second, SC_STR("one")), SC_ERR_UNAVAILABLE);
    sc_memview_mute(mv, false);
    cr_assert(sc_str_eqz(read_state(a, &stamp), "one"), "it landed all the same");
    sc_memview_down(mv, true);
    cr_assert_eq(flush(a, second, first, SC_STR("two")), SC_ERR_UNAVAILABLE);
    cr_assert_eq(a->ops->read(a, 1, &stamp, NULL, 0), SC_ERR_UNAVAILABLE);
    sc_memview_down(mv, false);
    cr_assert(sc_str_eqz(read_state(a, &stamp), "one"));
    sc_memview_kill(a);
    cr_assert_eq(flush(a, second, first, SC_STR("two")), SC_ERR_UNAVAILABLE);
    cr_assert(sc_str_eqz(read_state(b, &stamp), "one"), "the other lives");
    sc_memview_wipe(mv);
    cr_assert_null(read_state(b, &stamp).p);
    cr_assert_eq(stamp.incarnation, 0);
    a->ops->close(a);
    b->ops->close(b);
    sc_memview_destroy(mv);
}

Test(memview, hints)
{
    struct sc_memview *mv = sc_memview_create(1);
    struct sc_view *vw = sc_memview_open(mv);
    struct sc_node_id pairs[] = {other, node}, away[] = {other, {{0}}}, got[2], asked[] = {node, other};
    vw->ops->hint(vw, pairs, 1);
    cr_assert_eq(vw->ops->hints(vw, asked, got, 2), SC_ERR_OK);
    cr_assert(sc_node_none(&got[0]) && sc_node_eq(&got[1], &node));
    vw->ops->hint(vw, away, 1);
    cr_assert_eq(vw->ops->hints(vw, asked, got, 2), SC_ERR_OK);
    cr_assert(sc_node_none(&got[1]));
    vw->ops->close(vw);
    sc_memview_destroy(mv);
}
