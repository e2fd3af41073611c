/* See outbound.h. JSON is core's own form (effect_json.c, customer.c); Avro and Protobuf are rows. */
#include "codec/outbound.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/time.h"
#include "codec/decoder.h"
#include "codec/outbound_row.h"
#include "core/identity/identity.h"
#include <pthread.h>

enum sc_outbound sc_outbound_kind(const struct sc_effect *fx)
{
    switch ((enum sc_effect_type)fx->type) {
    case SC_FX_TRIGGER:
        return SC_OB_TRIGGER;
    case SC_FX_CANCELLED: /* follows the message it withdraws; one never sent had no channel */
        return fx->channel >= 0 ? SC_OB_TRIGGER : SC_OB_SUPPRESSED;
    case SC_FX_SUPPRESSED:
    case SC_FX_DEFERRED:
        return SC_OB_SUPPRESSED;
    case SC_FX_TRANSITION:
    case SC_FX_MILESTONE:
        return SC_OB_TRANSITION;
    case SC_FX_MERGED:
    case SC_FX_IDENTITY:
        return SC_OB_IDENTITY;
    }
    SC_UNREACHABLE("effect type");
}

/* ---- schemas, made once from the tables */

static struct sc_buf schemas[SC_OB_COUNT][3];
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make_schemas(void)
{
    for (unsigned k = 0; k < SC_OB_COUNT; k++) {
        const struct sc_ob_table *t = sc_ob_table((enum sc_outbound)k);
        sc_ob_avro_schema(t, &schemas[k][SC_FORMAT_AVRO]);
        sc_ob_proto_schema(t, &schemas[k][SC_FORMAT_PROTOBUF]);
        sc_ob_json_schema(t, &schemas[k][SC_FORMAT_JSON]);
    }
}

struct sc_str sc_outbound_schema(enum sc_outbound kind, int32_t format)
{
    SC_ASSERT(kind < SC_OB_COUNT && format >= 0 && format <= SC_FORMAT_JSON);
    pthread_once(&made, make_schemas);
    return sc_buf_view(&schemas[kind][format]);
}

/* ---- values */

/* The registry's framing; Protobuf's message index of the first message is one byte 0. */
static void frame(int32_t format, uint32_t schema_id, struct sc_buf *out)
{
    if (schema_id == 0)
        return;
    sc_wire_write(out, schema_id);
    if (format == SC_FORMAT_PROTOBUF)
        sc_buf_char(out, 0);
}

static void write_row(enum sc_outbound kind, int32_t format, const struct sc_ob_cell *cells,
                      struct sc_buf *out)
{
    if (format == SC_FORMAT_AVRO)
        sc_ob_avro_write(sc_ob_table(kind), cells, out);
    else
        sc_ob_proto_write(sc_ob_table(kind), cells, out);
}

void sc_outbound_effect(const struct sc_journey *jo, const struct sc_effect *fx, int32_t format,
                        uint32_t schema_id, struct sc_buf *out)
{
    frame(format, schema_id, out);
    if (format == SC_FORMAT_JSON) {
        sc_effect_json(jo, fx, out);
        return;
    }
    struct sc_ob_cell cells[SC_OB_FIELDS_MAX];
    struct sc_arena ar;
    sc_arena_init(&ar);
    sc_ob_row(jo, fx, &ar, cells);
    write_row(sc_outbound_kind(fx), format, cells, out);
    sc_arena_fini(&ar);
}

void sc_outbound_customer(struct sc_str line, int32_t format, uint32_t schema_id,
                          struct sc_buf *out)
{
    frame(format, schema_id, out);
    if (format == SC_FORMAT_JSON) {
        sc_buf_str(out, line);
        return;
    }
    struct sc_ob_cell cells[SC_OB_FIELDS_MAX];
    struct sc_arena ar;
    sc_arena_init(&ar);
    bool fine = sc_ob_customer_row(line, &ar, cells);
    SC_ASSERT(fine); /* we wrote it ourselves */
    write_row(SC_OB_CUSTOMER, format, cells, out);
    sc_arena_fini(&ar);
}

void sc_outbound_cell(const struct sc_journey *jo, const struct sc_cell *cell, int32_t format,
                      uint32_t schema_id, struct sc_buf *out)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    frame(format, schema_id, out);
    if (format == SC_FORMAT_JSON) {
        sc_cell_json(jo, cell, &ar, out);
    } else {
        struct sc_ob_cell cells[SC_OB_FIELDS_MAX];
        sc_ob_cell_row(jo, cell, &ar, cells);
        write_row(SC_OB_ANALYTICS, format, cells, out);
    }
    sc_arena_fini(&ar);
}

struct sc_str sc_outbound_cell_key(const struct sc_journey *jo, const struct sc_cell *cell,
                                   struct sc_arena *ar)
{
    const struct sc_metric_info *mi = sc_metric_info((enum sc_metric)cell->metric);
    char time[32];
    struct sc_str key = sc_str_printf(ar, "%s/%.*s", mi->name,
                                      (int)sc_time_format(cell->start_ms, time), time);
    for (int k = 0; k < SC_KEYS_MAX && mi->keys[k] != SC_KEY_NONE; k++) {
        struct sc_str text = sc_key_text(jo, mi->keys[k], cell->keys[k], ar);
        key = sc_str_printf(ar, "%.*s/%.*s", SC_STR_FMT(key), SC_STR_FMT(text));
    }
    return key;
}

/* ---- CloudEvents headers */

static bool has_id(const struct sc_effect *fx)
{
    return fx->type == SC_FX_TRIGGER || fx->type == SC_FX_SUPPRESSED ||
           fx->type == SC_FX_DEFERRED || fx->type == SC_FX_CANCELLED;
}

/* What makes a transition or an audit record the same record when it is written again. */
static struct sc_node_id id_of(const struct sc_effect *fx)
{
    struct sc_node_id id;
    memcpy(id.b, fx->id, sizeof(id.b));
    if (has_id(fx))
        return id;
    struct {
        struct sc_node_id customer, node;
        int64_t at_ms, event_ms;
        uint64_t rule, events;
        int32_t type, from, to, action;
    } what;
    memset(&what, 0, sizeof(what));
    what.customer = fx->customer;
    what.node = fx->node;
    what.at_ms = fx->at_ms;
    what.event_ms = fx->event_ms;
    what.rule = sc_hash_xxh3(fx->rule.p, fx->rule.len, 0);
    for (uint32_t i = 0; i < fx->n_events; i++)
        what.events = sc_hash_xxh3(fx->events[i].p, fx->events[i].len, what.events);
    what.type = fx->type;
    what.from = fx->from;
    what.to = fx->to;
    what.action = fx->action;
    sc_hash_xxh3_128(&what, sizeof(what), id.b);
    return id;
}

static struct sc_str hex_of(const struct sc_node_id *id, struct sc_arena *ar)
{
    char *text = sc_arena_alloc(ar, 32);
    sc_node_hex(id, text);
    return (struct sc_str){text, 32};
}

static struct sc_str joined(struct sc_arena *ar, struct sc_str a, struct sc_str b)
{
    char *text = sc_arena_alloc_align(ar, a.len + b.len, 1);
    memcpy(text, a.p, a.len);
    memcpy(text + a.len, b.p, b.len);
    return (struct sc_str){text, a.len + b.len};
}

static struct sc_str content_type(int32_t format)
{
    if (format == SC_FORMAT_AVRO)
        return SC_STR("application/avro");
    return format == SC_FORMAT_JSON ? SC_STR("application/json") : SC_STR("application/protobuf");
}

/* What every record says of itself. */
struct said {
    struct sc_node_id id;
    const char *type;
    int64_t time_ms;
    struct sc_str subject;
    int32_t format;
};

static uint32_t put_headers(const struct sc_journey *jo, const struct said *sd,
                            struct sc_arena *ar, struct sc_header out[SC_CE_HEADERS_MAX])
{
    char *time = sc_arena_alloc(ar, 32);
    uint32_t n = 0;
    out[n++] = (struct sc_header){SC_STR("ce_specversion"), SC_STR("1.0")};
    out[n++] = (struct sc_header){SC_STR("ce_id"), hex_of(&sd->id, ar)};
    out[n++] = (struct sc_header){
        SC_STR("ce_source"), joined(ar, SC_STR("/stagecoach/"), jo->name)};
    out[n++] = (struct sc_header){
        SC_STR("ce_type"), joined(ar, SC_STR("stagecoach."), sc_str_from(sd->type))};
    out[n++] = (struct sc_header){SC_STR("ce_time"), {time, sc_time_format(sd->time_ms, time)}};
    out[n++] = (struct sc_header){SC_STR("ce_subject"), sd->subject};
    out[n++] = (struct sc_header){SC_STR("content-type"), content_type(sd->format)};
    return n;
}

uint32_t sc_outbound_cell_headers(const struct sc_journey *jo, const struct sc_cell *cell,
                                  int32_t format, const uint8_t id[16], struct sc_arena *ar,
                                  struct sc_header out[SC_CE_HEADERS_MAX])
{
    const struct sc_metric_info *mi = sc_metric_info((enum sc_metric)cell->metric);
    struct said sd = {.type = "analytics", .time_ms = cell->start_ms, .format = format,
                      .subject = sc_str_from(mi->name)};
    memcpy(sd.id.b, id, sizeof(sd.id.b));
    return put_headers(jo, &sd, ar, out);
}

uint32_t sc_outbound_headers(const struct sc_journey *jo, const struct sc_effect *fx,
                             int32_t format, struct sc_arena *ar,
                             struct sc_header out[SC_CE_HEADERS_MAX])
{
    struct said sd = {.id = id_of(fx), .type = sc_effect_type_name(fx->type),
                      .time_ms = fx->at_ms, .subject = hex_of(&fx->customer, ar),
                      .format = format};
    return put_headers(jo, &sd, ar, out);
}
