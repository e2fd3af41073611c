#include "fixture.h"

#include <criterion/criterion.h>

void fixture_init(struct fixture *fx, const char *yaml)
{
    memset(fx, 0, sizeof(*fx));
    sc_arena_init(&fx->ar);
    sc_diag_init(&fx->dg, &fx->ar);
    struct sc_node *doc =
        sc_node_parse(SC_STR("t.yaml"), sc_str_from(yaml), NULL, NULL, &fx->ar, &fx->dg);
    bool ok = doc != NULL && sc_taxonomy_load(&fx->tx, doc, &fx->ar, &fx->dg);
    struct sc_buf out = {0};
    sc_diag_render(&fx->dg, SC_DIAG_TEXT, false, &out);
    cr_assert(ok, "%.*s", SC_STR_FMT(sc_buf_view(&out)));
    sc_buf_fini(&out);
    fx->ps = sc_pseudonyms_create(&fx->tx, SC_STR("key"), 0, 64);
}

void fixture_fini(struct fixture *fx)
{
    sc_pseudonyms_destroy(fx->ps);
    sc_taxonomy_fini(&fx->tx);
    sc_arena_fini(&fx->ar);
}

void fixture_record(struct fixture *fx, const char *source)
{
    int index = source != NULL ? sc_taxonomy_source(&fx->tx, sc_str_from(source)) : 0;
    cr_assert_geq(index, 0, "no source %s", source);
    fx->source = source != NULL ? &fx->tx.sources[index] : &fx->tx.canonical;
    fx->slots = SC_NEW_N(&fx->ar, struct sc_value, fx->source->projection.n);
    fx->meta = (struct sc_record_meta){.timestamp_ms = INT64_MIN};
}

static int slot_of(const struct sc_source *source, const char *path)
{
    for (uint32_t i = 0; i < source->projection.n; i++)
        if (sc_str_eqz(source->projection.wants[i].path.text, path))
            return (int)i;
    return -1;
}

bool fixture_wants(const struct sc_source *source, const char *path)
{
    return slot_of(source, path) >= 0;
}

void fixture_put(struct fixture *fx, const char *path, struct sc_value v)
{
    int slot = slot_of(fx->source, path);
    cr_assert_geq(slot, 0, "nobody wants %s", path);
    fx->slots[slot] = v;
}

enum sc_drop fixture_intake(struct fixture *fx)
{
    return sc_intake(&fx->tx, fx->source, fx->slots, &fx->meta, fx->ps, &fx->ar, &fx->ev,
                     &fx->fault);
}

struct sc_value fixture_prop(const struct fixture *fx, const char *name)
{
    int prop = sc_event_type_prop(&fx->tx.events[fx->ev.type], sc_str_from(name));
    cr_assert_geq(prop, 0, "no property %s", name);
    return fx->ev.props[prop];
}
