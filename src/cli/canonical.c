/* See canonical.h. The same projection, decoder and intake as a source's records; plain lines, which
 * nearly all are, past them (canonical_plain.c). */
#include "cli/canonical.h"

#include "core/journey/state.h"

#define KEEP_BYTES (1u << 20)

void sc_canonical_init(struct sc_canonical *cn, const struct sc_taxonomy *tx,
                       struct sc_pseudonyms *ps, struct sc_arena *load, struct sc_arena *line)
{
    *cn = (struct sc_canonical){.tx = tx, .ps = ps, .ar = line, .path = "-"};
    cn->decoder = sc_json_decoder(&tx->canonical.projection, load);
    cn->plain = sc_plain_create(tx, ps, load);
    cn->slots = SC_NEW_N(load, struct sc_value, tx->canonical.projection.n + 1);
}

enum sc_drop sc_canonical_begin(struct sc_canonical *cn, struct sc_str line, uint64_t number,
                                struct sc_arena *ar, struct sc_event *ev, struct sc_fault *fault)
{
    struct sc_record_meta meta = {
        .timestamp_ms = SC_NEVER,
        .origin = {sc_str_from(cn->path), -1, (int64_t)number},
    };
    fault->path = SC_STR_NULL;
    fault->text[0] = '\0';
    if (cn->plain && sc_plain_read(cn->plain, line, &meta, ar, ev))
        return SC_DROP_NONE;
    enum sc_drop drop = sc_decode(cn->decoder, line, ar, cn->slots, fault);
    if (drop != SC_DROP_NONE)
        return drop;
    return sc_intake_begin(cn->tx, &cn->tx->canonical, cn->slots, &meta, cn->ps, ar, ev, fault);
}

void sc_canonical_end(struct sc_canonical *cn, struct sc_arena *ar, struct sc_event *ev)
{
    sc_intake_end(cn->tx, cn->ps, ar, ev);
}

enum sc_drop sc_canonical_read(struct sc_canonical *cn, struct sc_str line, uint64_t number,
                               struct sc_event *ev, struct sc_fault *fault)
{
    sc_arena_reset(cn->ar, KEEP_BYTES);
    enum sc_drop drop = sc_canonical_begin(cn, line, number, cn->ar, ev, fault);
    if (drop == SC_DROP_NONE)
        sc_canonical_end(cn, cn->ar, ev);
    return drop;
}
