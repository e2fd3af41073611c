/* See event.h. */
#include "core/event.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"

uint64_t sc_event_id_hash(struct sc_str source, struct sc_str id)
{
    /* The source's hash as seed stands for "source, 0x00, id": no concatenation, no clash of
     * ("a", "bc") with ("ab", "c"). 0 marks a free slot in tables. */
    uint64_t h = sc_hash_xxh3(id.p, id.len, sc_hash_xxh3(source.p, source.len, 0));
    return h ? h : 1;
}

void sc_event_rename(struct sc_event *ev, struct sc_arena *ar)
{
    SC_ASSERT(ev->duplicate_of.len == 0);
    SC_ASSERT(ev->id.len > 0);
    ev->duplicate_of = ev->id;
    ev->id = sc_str_printf(ar, "%.*s#%08x", SC_STR_FMT(ev->id), ev->content_hash);
    ev->id_hash = sc_event_id_hash(ev->source_name, ev->id);
}
