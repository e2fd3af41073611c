/* Ids seen: (source, id) hash with the content hash, over a whole input. 16 bytes an id. */
#ifndef SC_SIM_IDSET_H
#define SC_SIM_IDSET_H

#include "core/journey/state.h"

struct sc_idset {
    struct sc_idset_slot {
        uint64_t id;
        uint32_t content;
        uint32_t used;
    } *slots;
    uint64_t n, cap;
};

void sc_idset_fini(struct sc_idset *s);
/* Have what a look-up will read on its way. */
void sc_idset_prefetch(const struct sc_idset *s, uint64_t id_hash);
/* Look up and remember. CLASH: the id is known with other content only. */
enum sc_dedupe sc_idset_add(struct sc_idset *s, uint64_t id_hash, uint32_t content);

#endif
