/* Decoders: the plan for each writer's schema met, compiled once. Keyed by source, schema id and
 * Protobuf message index. Bounded: a topic whose writers make up ids without end is refused past
 * SC_DECODERS_MAX. Thread: one worker's. */
#ifndef SC_ENGINE_DECODERS_H
#define SC_ENGINE_DECODERS_H

#include "engine/worker.h"

#define SC_DECODERS_MAX 10000u

struct sc_decoders;

/* `files`: text of each source's local schema file, by source index (NULL text: framed). */
struct sc_decoders *sc_decoders_create(struct sc_worker *w, const struct sc_str *files);
void sc_decoders_destroy(struct sc_decoders *dc);
/* The decoder of one record and the body behind its framing. `drop` says when the record cannot be
 * read (fault filled in). UNAVAILABLE, AUTH …: the registry does not answer: wait. */
struct sc_decoding {
    const struct sc_decoder *decoder;
    struct sc_str body;
    enum sc_drop drop;
    struct sc_fault fault; /* when drop is not NONE */
};
enum sc_err sc_decoders_get(struct sc_decoders *dc, const struct sc_source *src,
                            struct sc_str value, struct sc_decoding *out);

#endif
