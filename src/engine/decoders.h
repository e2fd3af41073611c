/* From the bytes of a source's record to its event: the one way for all who read sources.
 *
 * A plan for each writer's schema met, compiled once, keyed by source, schema id and Protobuf
 * message index; with it the codec fills the slots, from which intake makes the event. Bounded: a topic whose writers make up ids without end is refused past
 * SC_DECODERS_MAX. Thread: one worker's. */
#ifndef SC_ENGINE_DECODERS_H
#define SC_ENGINE_DECODERS_H

#include "core/taxonomy/intake.h"
#include "engine/worker.h"

#define SC_DECODERS_MAX 10000u

struct sc_decoders;

/* `files`: text of each source's local schema file, by source index (NULL text: framed). */
struct sc_decoders *sc_decoders_create(struct sc_worker *w, const struct sc_str *files);
void sc_decoders_destroy(struct sc_decoders *dc);

/* One record of a source, and what its event is made with. */
struct sc_decoders_in {
    const struct sc_source *source; /* of the worker's taxonomy */
    struct sc_str value;            /* with its framing; borrowed by the event */
    struct sc_record_meta meta;
    struct sc_pseudonyms *ps;
    struct sc_arena *ar;            /* of the event */
};
/* Fill `ev`, its intake begun: sc_intake_end is the caller's, so that many events' identifiers can
 * be asked for at once. `drop` says when the record is no event (`fault` filled in). Anything but
 * OK: the registry does not answer (UNAVAILABLE, AUTH …), and nothing is known of the record. */
enum sc_err sc_decoders_event(struct sc_decoders *dc, const struct sc_decoders_in *in,
                              struct sc_event *ev, enum sc_drop *drop, struct sc_fault *fault);

#endif
