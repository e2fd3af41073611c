/* Outbound records: effects as JSON, Avro or Protobuf, with CloudEvents headers in binary mode.
 *
 * The fields are those of semantics 40-41, the same in every format; schemas under
 * schemas/outbound/, registered at start. Format and fields: docs/formats.md. */
#ifndef SC_CODEC_OUTBOUND_H
#define SC_CODEC_OUTBOUND_H

#include "codec/header.h"
#include "core/analytics/cube.h"
#include "core/journey/effects.h"

/* The kinds of outbound records, each with a schema of its own. */
enum sc_outbound {
    SC_OB_TRIGGER,    /* triggers.<channel>: trigger and cancelled */
    SC_OB_SUPPRESSED, /* suppressed and deferred; cancelled ones that had no channel yet */
    SC_OB_TRANSITION, /* transitions and milestones */
    SC_OB_IDENTITY,   /* merged, and the audit of links */
    SC_OB_CUSTOMER,   /* the customers topic */
    SC_OB_ANALYTICS,  /* the analytics topic: cells to be added up */
    SC_OB_COUNT
};
enum sc_outbound sc_outbound_kind(const struct sc_effect *fx);
/* The schema's text in a format (SC_FORMAT_JSON: a JSON Schema): what is registered. Static. */
struct sc_str sc_outbound_schema(enum sc_outbound kind, int32_t format);

/* Append the value: framed with the registry's id when `schema_id` is not 0 (Protobuf with its
 * message index), bare otherwise. */
void sc_outbound_effect(const struct sc_journey *jo, const struct sc_effect *fx, int32_t format,
                        uint32_t schema_id, struct sc_buf *out);
/* The same for a customer line (made by sc_state_customer_json). */
void sc_outbound_customer(struct sc_str line, int32_t format, uint32_t schema_id,
                          struct sc_buf *out);

/* The same for a cell of analytics: what a transaction adds to it. */
void sc_outbound_cell(const struct sc_journey *jo, const struct sc_cell *cell, int32_t format,
                      uint32_t schema_id, struct sc_buf *out);
/* "metric/window start/keys": the message's key, so that a cell keeps its partition. */
struct sc_str sc_outbound_cell_key(const struct sc_journey *jo, const struct sc_cell *cell,
                                   struct sc_arena *ar);

/* CloudEvents 1.0 binary-mode headers of an effect: ce_specversion ce_id ce_source ce_type ce_time
 * ce_subject content-type. `ce_source` is /stagecoach/<journey>; effects without an id of their own
 * (transitions, merges) get a hash of what they say. Values from `ar`. Returns how many. */
#define SC_CE_HEADERS_MAX 7u
uint32_t sc_outbound_headers(const struct sc_journey *jo, const struct sc_effect *fx,
                             int32_t format, struct sc_arena *ar,
                             struct sc_header out[SC_CE_HEADERS_MAX]);
/* Of a cell: ce_id is `id`, ce_subject the metric, ce_time the window's start. */
uint32_t sc_outbound_cell_headers(const struct sc_journey *jo, const struct sc_cell *cell,
                                  int32_t format, const uint8_t id[16], struct sc_arena *ar,
                                  struct sc_header out[SC_CE_HEADERS_MAX]);
#endif
