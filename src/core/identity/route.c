/* Where an event goes: to the root of its own smallest node, behind the links it carries.
 *
 * Resolve only knows hints, which may be stale; whoever gets a record decides by its own state and
 * sends on what is not its (owner.c). So a wrong hint costs a hop, never an answer. */
#include "core/journey/step.h"

#include "base/assert.h"
#include <stddef.h>

static bool linked(const struct sc_record *rec, const struct sc_node_id *root)
{
    for (uint32_t i = 0; i < rec->n_links; i++)
        if (sc_node_eq(&rec->links[i].b, root))
            return true;
    return false;
}

void sc_route(const struct sc_event *ev, const struct sc_node_id *roots, struct sc_record *rec)
{
    SC_ASSERT(ev->n_ids >= 1 && ev->n_ids <= SC_IDENTIFIERS_MAX);
    const size_t links = offsetof(struct sc_record, links);
    const size_t behind = offsetof(struct sc_record, n_links);
    memset(rec, 0, links); /* the links, most of its bytes, are written where there are any */
    memset((char *)rec + behind, 0, sizeof(*rec) - behind);
    rec->kind = SC_REC_EVENT;
    rec->ev = ev;
    rec->home = roots[0];
    for (uint32_t i = 1; i < ev->n_ids; i++) {
        SC_ASSERT(sc_node_cmp(&ev->ids[i - 1].node, &ev->ids[i].node) < 0);
        if (sc_node_eq(&roots[i], &rec->home) || linked(rec, &roots[i]))
            continue;
        rec->links[rec->n_links++] = (struct sc_link){
            .strong = ev->ids[0].node, .weak = ev->ids[i].node, .a = rec->home, .b = roots[i]};
    }
    rec->to = sc_record_next(rec);
}

struct sc_node_id sc_record_next(const struct sc_record *rec)
{
    SC_ASSERT(rec->kind == SC_REC_EVENT || rec->kind == SC_REC_LINK);
    if (rec->n_links == 0)
        return rec->home;
    const struct sc_link *link = &rec->links[0];
    SC_ASSERT(rec->n_links <= SC_LINKS_MAX);
    return sc_node_cmp(&link->a, &link->b) > 0 ? link->a : link->b;
}
