/* Which paths a source is read at: pay once. A property that no rule, no trigger, no role and no
 * check reads costs nothing, not even its decoding. */
#include "base/assert.h"
#include "core/taxonomy/load.h"

struct projecting {
    struct sc_arena *ar;
    SC_VEC(struct sc_want) wants;
    struct sc_map slots; /* the path's steps as text -> uint16_t */
    bool full;
};

/* One spelling a path: $.a["b"] is $.a.b. Lengths keep names with dots apart. */
static struct sc_str path_key(const struct sc_path *path, struct sc_arena *ar)
{
    struct sc_str key = SC_STR_NULL;
    for (uint32_t i = 0; i < path->n; i++) {
        const struct sc_step *s = &path->steps[i];
        switch (s->kind) {
        case SC_STEP_FIELD:
            key = sc_str_printf(ar, "%.*s.%zu:%.*s", SC_STR_FMT(key), s->name.len,
                                SC_STR_FMT(s->name));
            break;
        case SC_STEP_ALL:
            key = sc_str_printf(ar, "%.*s*", SC_STR_FMT(key));
            break;
        case SC_STEP_INDEX:
            key = sc_str_printf(ar, "%.*s[%u", SC_STR_FMT(key), s->index);
            break;
        }
    }
    SC_ASSERT(key.len > 0);
    return key;
}

/* Give `m` the slot of its path, a new one when nobody asked before. */
static void want(struct projecting *pr, struct sc_mapping *m, bool text)
{
    m->slot = SC_SLOT_NONE;
    if (m->op == SC_MAP_CONST || m->path.n == 0)
        return;
    /* A path that is read as a number and as text stands twice: the one form would not do for both. */
    struct sc_str key = sc_str_printf(pr->ar, "%.*s%s", SC_STR_FMT(path_key(&m->path, pr->ar)),
                                      text ? "\n" : "");
    uint16_t *slot = sc_map_get(&pr->slots, key);
    if (slot == NULL) {
        if (pr->wants.n == SC_WANTS_MAX) {
            pr->full = true;
            return;
        }
        slot = SC_NEW(pr->ar, uint16_t);
        *slot = (uint16_t)pr->wants.n;
        struct sc_want want = {.op = m->op, .path = m->path, .text = text};
        SC_VEC_PUSH(pr->ar, &pr->wants, want);
        sc_map_put(&pr->slots, key, slot);
    }
    struct sc_want *w = &pr->wants.v[*slot];
    if (w->op == SC_MAP_COUNT) /* who only counts needs no values: but then all must */
        w->op = m->op;
    m->slot = *slot;
}

/* A typed format cannot hold what its schema does not allow; JSON can, so there a property has to
 * be looked at to be checked. */
static bool is_read(const struct sc_property *p, uint32_t event, uint32_t prop,
                    const struct sc_wanted *wanted)
{
    if (wanted == NULL || p->engine_reads)
        return true;
    if (p->required || p->has_min || p->has_max || p->enums.n > 0)
        return true;
    return wanted->bits[event][prop / 64] >> (prop % 64) & 1;
}

bool sc_tx_project_source(const struct sc_taxonomy *tx, struct sc_source *source,
                          const struct sc_wanted *wanted, struct sc_arena *ar)
{
    struct projecting pr = {.ar = ar};
    sc_map_init(&pr.slots, ar);
    want(&pr, &source->event, false);
    want(&pr, &source->named, false);
    want(&pr, &source->id, false);
    want(&pr, &source->occurred_at, false);
    want(&pr, &source->sent_at, false);
    want(&pr, &source->received_at, false);
    for (uint32_t i = 0; i < source->n_idents; i++)
        want(&pr, &source->idents[i].map, false);
    for (uint32_t e = 0; e < tx->n_events; e++) {
        struct sc_source_event *se = &source->events[e];
        for (uint32_t i = 0; i < se->n; i++) {
            const struct sc_property *p = &tx->events[e].props[se->props[i].prop];
            se->props[i].map.slot = SC_SLOT_NONE;
            if (source->format == SC_FORMAT_JSON || is_read(p, e, se->props[i].prop, wanted))
                want(&pr, &se->props[i].map, p->type == SC_T_DECIMAL || p->element == SC_T_DECIMAL);
        }
    }
    SC_ASSERT(pr.wants.n <= SC_WANTS_MAX);
    source->projection = (struct sc_projection){pr.wants.v, pr.wants.n};
    return !pr.full;
}

void sc_taxonomy_project(struct sc_taxonomy *tx, const struct sc_wanted *wanted,
                         struct sc_arena *ar)
{
    SC_ASSERT(tx != NULL && ar != NULL);
    bool fits = sc_tx_project_source(tx, &tx->canonical, wanted, ar);
    for (uint32_t i = 0; i < tx->n_sources; i++)
        fits = sc_tx_project_source(tx, &tx->sources[i], wanted, ar) && fits;
    SC_ASSERT(fits); /* the load tried it with everything wanted */
}
