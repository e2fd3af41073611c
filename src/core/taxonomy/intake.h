/* Intake: the values a codec took from a record become a validated event.
 *
 * Pure and shared by every format: codecs fill one slot a wanted path, intake finds the event,
 * reads time, id and identifiers, converts and checks the properties.
 *
 * Conversions, by the property's type (null is absent everywhere):
 *   string     text
 *   bool       bool
 *   int        int; decimal without fraction (JSON's 40.0); text that is such a number.
 *              A binary double is none, even 40.0: that is a wrong schema, not a spelling
 *   decimal    int, decimal, text that is a number: exact, more digits than `scale` are invalid;
 *              double: rounded half-even to `scale`
 *   double     double, int, decimal; not text; NaN and infinities are invalid
 *   timestamp  timestamp; int in the mapping's unit (milliseconds); RFC 3339 text
 *   duration   duration; int in the mapping's unit (milliseconds); text as 1h30m
 *   bytes      bytes; text that is base64
 *   list, map  of the element type, each value by the lines above, nulls left out
 *
 * Aggregates convert each value first, so a sum of decimals is exact. `count` and `sum` of no
 * values are 0 (a Protobuf record cannot tell an empty array from none), `any` is false; `min`,
 * `max` and `first` are absent. */
#ifndef SC_CORE_INTAKE_H
#define SC_CORE_INTAKE_H

#include "core/identity/identity.h"
#include "core/taxonomy/taxonomy.h"

/* What a record is besides its payload. */
struct sc_record_meta {
    int64_t timestamp_ms; /* the record's Kafka timestamp; negative: none (files) */
    struct sc_origin origin;
    struct sc_str traceparent;
};

struct sc_fault {
    enum sc_drop drop;
    struct sc_str path; /* property, identifier or path at fault; may be empty */
    char text[160];     /* detail for humans, without the value's content when it may be personal */
};

/* Fill `ev` from `slots` (source->projection.n of them, ABSENT where the record has none).
 * Returns SC_DROP_NONE, or the reason with the fault filled in. An event without identifiers is
 * fine here (ev->n_ids == 0). Storage from `ar`, strings borrow from the slots. */
enum sc_drop sc_intake(const struct sc_taxonomy *tx, const struct sc_source *source,
                       const struct sc_value *slots, const struct sc_record_meta *meta,
                       struct sc_pseudonyms *ps, struct sc_arena *ar, struct sc_event *ev,
                       struct sc_fault *fault);

/* The same in two steps, so that the memory of many events' nodes is on its way at once: after the
 * first an event's identifiers have no nodes, what follows from those is not known, and `n_ids` may
 * still sink, but not to 0. */
enum sc_drop sc_intake_begin(const struct sc_taxonomy *tx, const struct sc_source *source,
                             const struct sc_value *slots, const struct sc_record_meta *meta,
                             struct sc_pseudonyms *ps, struct sc_arena *ar, struct sc_event *ev,
                             struct sc_fault *fault);
void sc_intake_end(const struct sc_taxonomy *tx, struct sc_pseudonyms *ps, struct sc_arena *ar,
                   struct sc_event *ev);

/* Check one property's value against its declaration, aggregating and converting it in place.
 * `map` says op, shift and unit (NULL: a plain canonical value); absent and null are fine here. */
enum sc_drop sc_intake_property(const struct sc_property *p, const struct sc_mapping *map,
                                const struct sc_tz *zone, struct sc_arena *ar, struct sc_value *v);

#endif
