/* Slots to event, in the order a record is questioned: which event, when, which one, whose, what.
 *
 * One loop over one table of mappings serves every format: nothing here knows what the bytes were.
 * Faults name the place and the types, never the value: it may be personal. Cost: a map look-up for
 * the name, a pseudonym an identifier, a conversion a property; no allocation but the event's own
 * slots. */
#include "core/taxonomy/intake.h"
#include "base/assert.h"
#include "base/hash.h"
#include "core/taxonomy/convert.h"
#include "core/taxonomy/load.h"

#include <stdarg.h>
#include <stdio.h>

#define FUTURE_MAX_MS (23 * SC_HOUR_MS) /* semantics 11 */

struct intake {
    const struct sc_taxonomy *tx;
    const struct sc_source *source;
    const struct sc_value *slots;
    const struct sc_record_meta *meta;
    struct sc_pseudonyms *ps;
    struct sc_arena *ar;
    struct sc_event *ev;
    struct sc_fault *fault;
};

static enum sc_drop fail(struct intake *in, enum sc_drop drop, struct sc_str path, const char *fmt,
                         ...) __attribute__((format(printf, 4, 5)));
static enum sc_drop fail(struct intake *in, enum sc_drop drop, struct sc_str path, const char *fmt,
                         ...)
{
    va_list args;
    va_start(args, fmt);
    in->fault->drop = drop;
    in->fault->path = path;
    vsnprintf(in->fault->text, sizeof(in->fault->text), fmt, args);
    va_end(args);
    return drop;
}

/* The value a mapping yields, `first` taken; absent when null or not read. */
static struct sc_value take(const struct intake *in, const struct sc_mapping *m)
{
    if (m->op == SC_MAP_CONST)
        return m->constant;
    if (m->slot == SC_SLOT_NONE)
        return sc_absent();
    SC_ASSERT(m->slot < in->source->projection.n);
    struct sc_value v = in->slots[m->slot];
    if (m->op == SC_MAP_FIRST && v.type == SC_T_LIST)
        v = v.len > 0 ? v.list[0] : sc_absent();
    return sc_is_value(v) ? v : sc_absent();
}

/* ---- Which event */

/* The name helps whoever reads the dead letter, so it is told, unless it looks like anything but a
 * name: a wrong path may have led to an address. */
static enum sc_drop unknown_event(struct intake *in, struct sc_str name)
{
    bool ignore = in->source->unknown == SC_UNKNOWN_IGNORE;
    enum sc_drop drop = ignore ? SC_DROP_IGNORED_EVENT : SC_DROP_UNKNOWN_EVENT;
    bool plain = name.len > 0 && name.len <= 64;
    for (size_t i = 0; i < name.len && plain; i++) {
        char c = name.p[i];
        plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ' ' ||
                c == '.' || c == ':' || c == '/' || c == '-';
    }
    if (!plain)
        return fail(in, drop, in->source->event.path.text, "%s", sc_drop_text(drop));
    return fail(in, drop, in->source->event.path.text, "'%.*s' is not in the taxonomy",
                SC_STR_FMT(name));
}

static enum sc_drop take_event(struct intake *in)
{
    struct sc_value v = take(in, &in->source->event);
    struct sc_str path = in->source->event.path.text;
    if (v.type == SC_T_ABSENT)
        return fail(in, SC_DROP_NO_EVENT, path, "the event's name is missing");
    if (v.type != SC_T_STRING)
        return fail(in, SC_DROP_NO_EVENT, path, "the event's name is %s, not text",
                    sc_type_name((enum sc_type)v.type));
    const struct sc_event_ref *ref = sc_map_get(&in->source->renames, sc_value_str(v));
    if (ref == NULL)
        ref = sc_map_get(&in->tx->event_by_name, sc_value_str(v));
    if (ref == NULL)
        return unknown_event(in, sc_value_str(v));
    SC_ASSERT(ref->index < in->tx->n_events);
    in->ev->type = ref->index;
    in->ev->deprecated = ref->deprecated;
    return SC_DROP_NONE;
}

/* A canonical line may name any source, or none. */
static enum sc_drop take_source(struct intake *in)
{
    struct sc_value v = take(in, &in->source->named);
    in->ev->source = SC_SOURCE_NONE;
    if (v.type == SC_T_ABSENT)
        return SC_DROP_NONE;
    if (v.type != SC_T_STRING)
        return fail(in, SC_DROP_UNKNOWN_SOURCE, in->source->named.path.text,
                    "the source's name is %s, not text", sc_type_name((enum sc_type)v.type));
    if (v.len > SC_EVENT_ID_BYTES_MAX)
        return fail(in, SC_DROP_SIZE, in->source->named.path.text,
                    "the source's name has %u bytes, at most %d are taken", v.len,
                    SC_EVENT_ID_BYTES_MAX);
    in->ev->source_name = sc_value_str(v);
    int index = in->source == &in->tx->canonical ? sc_taxonomy_source(in->tx, in->ev->source_name)
                                                 : (int)(in->source - in->tx->sources);
    if (index >= 0)
        in->ev->source = (uint16_t)index;
    return SC_DROP_NONE;
}

/* ---- When */

static enum sc_drop take_time(struct intake *in, const struct sc_mapping *m, bool *given,
                              int64_t *ms)
{
    struct sc_value v = take(in, m);
    *given = v.type != SC_T_ABSENT;
    *ms = v.i;
    if (!*given || (v.type == SC_T_TIMESTAMP && v.i >= SC_TIME_MIN_MS && v.i <= SC_TIME_MAX_MS))
        return SC_DROP_NONE; /* none, or as it is to be */
    const struct sc_conversion time = {
        .type = SC_T_TIMESTAMP, .unit = m->unit, .zone = in->source->zone};
    const char *was = sc_type_name((enum sc_type)v.type);
    enum sc_drop drop = sc_convert(&time, in->ar, &v);
    *ms = v.i;
    if (drop == SC_DROP_NONE)
        return drop;
    return fail(in, SC_DROP_NO_TIME, m->path.text, "this %s is no time%s", was,
                drop == SC_DROP_OUT_OF_RANGE ? ": outside the years 1 to 9999"
                : v.type == SC_T_STRING      ? " as 2026-03-02T10:00:00Z"
                                             : "");
}

/* Skew out, then the future clamped (semantics 11). The reference is the collector's clock where
 * the record has it, else Kafka's; a file has neither, and is believed. A producer may stamp what
 * it likes: what is no time is no stamp. */
static enum sc_drop take_times(struct intake *in)
{
    const struct sc_source *s = in->source;
    struct sc_event *ev = in->ev;
    int64_t sent_ms = 0, received_ms = 0;
    bool occurred, sent = false, received = false;
    enum sc_drop drop = take_time(in, &s->occurred_at, &occurred, &ev->claimed_ms);
    if (drop == SC_DROP_NONE && !occurred)
        return fail(in, SC_DROP_NO_TIME, s->occurred_at.path.text, "occurred_at is missing");
    if (drop == SC_DROP_NONE && s->has_sent_received)
        drop = take_time(in, &s->sent_at, &sent, &sent_ms);
    if (drop == SC_DROP_NONE && s->has_sent_received)
        drop = take_time(in, &s->received_at, &received, &received_ms);
    if (drop != SC_DROP_NONE)
        return drop;
    bool stamped = in->meta->timestamp_ms >= 0 && in->meta->timestamp_ms <= SC_TIME_MAX_MS;
    ev->occurred_ms = ev->claimed_ms;
    if (sent && received)
        ev->occurred_ms = received_ms - (sent_ms - ev->claimed_ms);
    int64_t now_ms = received ? received_ms : in->meta->timestamp_ms;
    if ((received || stamped) && ev->occurred_ms > now_ms + FUTURE_MAX_MS) {
        ev->occurred_ms = now_ms;
        ev->clamped = true;
    }
    if (ev->occurred_ms < SC_TIME_MIN_MS || ev->occurred_ms > SC_TIME_MAX_MS)
        return fail(in, SC_DROP_NO_TIME, s->occurred_at.path.text,
                    "the time is outside the years 1 to 9999 once the clock's skew is out");
    return SC_DROP_NONE;
}

/* ---- Which one */

/* Text, or an integer as its digits where a schema gave it its type. */
static bool as_text(const struct intake *in, const struct sc_value *v, struct sc_str *out)
{
    if (v->type == SC_T_STRING)
        *out = sc_value_str(*v);
    else if (v->type == SC_T_INT && !in->source->canonical)
        *out = sc_str_printf(in->ar, "%lld", (long long)v->i);
    else if (v->type == SC_T_UINT && !in->source->canonical)
        *out = sc_str_printf(in->ar, "%llu", (unsigned long long)v->u);
    else
        return false;
    return true;
}

static enum sc_drop take_id(struct intake *in)
{
    struct sc_value v = take(in, &in->source->id);
    struct sc_str path = in->source->id.path.text;
    if (v.type == SC_T_ABSENT)
        return fail(in, SC_DROP_NO_ID, path, "the event's id is missing");
    if (!as_text(in, &v, &in->ev->id))
        return fail(in, SC_DROP_NO_ID, path, "the event's id is %s, not text",
                    sc_type_name((enum sc_type)v.type));
    if (in->ev->id.len == 0)
        return fail(in, SC_DROP_NO_ID, path, "the event's id is empty");
    if (in->ev->id.len > SC_EVENT_ID_BYTES_MAX)
        return fail(in, SC_DROP_SIZE, path, "the event's id has %zu bytes, at most %d are taken",
                    in->ev->id.len, SC_EVENT_ID_BYTES_MAX);
    in->ev->id_hash = sc_event_id_hash(in->ev->source_name, in->ev->id);
    return SC_DROP_NONE;
}

/* ---- Whose */

static enum sc_drop take_identifier(struct intake *in, const struct sc_source_ident *si,
                                    const struct sc_value *v)
{
    struct sc_str raw;
    struct sc_identifier id;
    if (!sc_is_value(*v))
        return SC_DROP_NONE;
    if (!as_text(in, v, &raw))
        return fail(in, SC_DROP_BAD_IDENTIFIER, si->map.path.text, "an identifier is %s, not text",
                    sc_type_name((enum sc_type)v->type));
    switch (sc_identify_begin(in->ps, si->ns, raw, in->ar, &id)) {
    case SC_IDENT_OK:
        sc_identifiers_begin(in->ps, in->ev, &id);
        return SC_DROP_NONE;
    case SC_IDENT_BLOCKED:
        return SC_DROP_NONE;
    case SC_IDENT_TOO_LONG:
        return fail(in, SC_DROP_BAD_IDENTIFIER, si->map.path.text,
                    "an identifier has %zu bytes, at most %d are taken", raw.len,
                    SC_IDENTIFIER_BYTES_MAX);
    }
    SC_UNREACHABLE("result of identifying");
}

static enum sc_drop take_identifiers(struct intake *in)
{
    for (uint32_t i = 0; i < in->source->n_idents; i++) {
        const struct sc_source_ident *si = &in->source->idents[i];
        SC_ASSERT(si->ns < in->tx->n_namespaces);
        struct sc_value v = take(in, &si->map);
        bool list = v.type == SC_T_LIST;
        const struct sc_value *values = list ? v.list : &v;
        for (uint32_t j = 0; j < (list ? v.len : 1); j++) {
            enum sc_drop drop = take_identifier(in, si, &values[j]);
            if (drop != SC_DROP_NONE)
                return drop;
        }
    }
    return SC_DROP_NONE;
}

/* ---- What: properties */

/* Bounds and enum of one converted value. */
static enum sc_drop check(const struct sc_property *p, const struct sc_value *v)
{
    if (p->has_min && sc_value_cmp(*v, p->min) < 0)
        return SC_DROP_OUT_OF_RANGE;
    if (p->has_max && sc_value_cmp(*v, p->max) > 0)
        return SC_DROP_OUT_OF_RANGE;
    for (uint32_t i = 0; i < p->enums.n; i++)
        if (sc_str_eq(p->enums.v[i], sc_value_str(*v)))
            return SC_DROP_NONE;
    return p->enums.n > 0 ? SC_DROP_NOT_IN_ENUM : SC_DROP_NONE;
}

/* A list's values (stride 1) or a map's keys and values (stride 2): converted and checked into a
 * new array, nulls left out. */
static enum sc_drop convert_all(const struct sc_property *p, const struct sc_conversion *c,
                                struct sc_arena *ar, struct sc_value *v)
{
    uint32_t stride = p->type == SC_T_MAP ? 2 : 1, n = 0;
    struct sc_value *out = SC_NEW_N(ar, struct sc_value, (size_t)stride * v->len);
    for (uint32_t i = 0; i < v->len; i++) {
        const struct sc_value *from = &v->list[stride * i];
        struct sc_value x = from[stride - 1];
        if (!sc_is_value(x))
            continue;
        enum sc_drop drop = sc_convert(c, ar, &x);
        if (drop == SC_DROP_NONE)
            drop = check(p, &x);
        if (drop != SC_DROP_NONE)
            return drop;
        if (stride == 2 && from[0].type != SC_T_STRING)
            return SC_DROP_WRONG_TYPE;
        out[stride * n] = from[0];
        out[stride * n + stride - 1] = x;
        n++;
    }
    *v = (struct sc_value){.type = p->type, .len = n, .list = out};
    return SC_DROP_NONE;
}

enum sc_drop sc_intake_property(const struct sc_property *p, const struct sc_mapping *map,
                                const struct sc_tz *zone, struct sc_arena *ar, struct sc_value *v)
{
    bool many = p->type == SC_T_LIST || p->type == SC_T_MAP;
    bool aggregate = map != NULL && map->op != SC_MAP_PATH && map->op != SC_MAP_CONST;
    struct sc_conversion c = {.type = many ? p->element : p->type, .scale = p->scale, .zone = zone};
    SC_ASSERT(v != NULL && c.type != SC_T_ABSENT);
    if (map != NULL) {
        c.shift = map->scale;
        c.unit = map->unit;
    }
    if (!aggregate && !sc_is_value(*v)) {
        *v = sc_absent();
        return SC_DROP_NONE;
    }
    if (many && !aggregate)
        return v->type == p->type ? convert_all(p, &c, ar, v) : SC_DROP_WRONG_TYPE;
    SC_ASSERT(!many); /* aggregates into lists are load errors */
    enum sc_drop drop = aggregate ? sc_aggregate(map->op, &c, ar, v) : sc_convert(&c, ar, v);
    if (drop != SC_DROP_NONE || v->type == SC_T_ABSENT)
        return drop;
    return check(p, v);
}

static enum sc_drop property_fault(struct intake *in, const struct sc_property *p,
                                   const struct sc_mapping *m, enum sc_drop drop, uint8_t was)
{
    char type[32];
    struct sc_str path = m->path.n > 0 ? m->path.text : p->name;
    sc_property_type_text(p, type);
    if (drop == SC_DROP_WRONG_TYPE)
        return fail(in, drop, path, "%.*s is %s; this %s is none", SC_STR_FMT(p->name), type,
                    sc_type_name((enum sc_type)was));
    if (drop != SC_DROP_NOT_IN_ENUM)
        return fail(in, drop, path, "%.*s (%s)", SC_STR_FMT(p->name), type);
    char values[sizeof(in->fault->text) / 2]; /* a long list ends with a comma */
    size_t n = 0;
    for (uint32_t i = 0; i < p->enums.n && n < sizeof(values); i++)
        n += (size_t)snprintf(values + n, sizeof(values) - n, "%s%.*s", i ? ", " : "",
                              SC_STR_FMT(p->enums.v[i]));
    return fail(in, drop, path, "%.*s is none of %s", SC_STR_FMT(p->name), values);
}

static enum sc_drop take_properties(struct intake *in)
{
    const struct sc_event_type *et = &in->tx->events[in->ev->type];
    const struct sc_source_event *se = &in->source->events[in->ev->type];
    struct sc_value *props = SC_NEW_N(in->ar, struct sc_value, et->n_props);
    size_t bytes = 0;
    SC_ASSERT(se->n == et->n_props); /* this event can come from this source */
    for (uint32_t i = 0; i < se->n; i++) {
        const struct sc_mapping *m = &se->props[i].map;
        const struct sc_property *p = &et->props[se->props[i].prop];
        struct sc_value v = sc_absent();
        if (m->op == SC_MAP_CONST)
            v = m->constant; /* converted at load */
        else if (m->slot != SC_SLOT_NONE)
            v = in->slots[m->slot];
        uint8_t was = v.type;
        enum sc_drop drop = SC_DROP_NONE;
        if (m->op != SC_MAP_CONST && m->slot != SC_SLOT_NONE)
            drop = sc_intake_property(p, m, in->source->zone, in->ar, &v);
        if (drop == SC_DROP_NONE && p->required && v.type == SC_T_ABSENT)
            drop = SC_DROP_MISSING_PROPERTY;
        if (drop != SC_DROP_NONE)
            return property_fault(in, p, m, drop, was);
        if (v.type >= SC_T_STRING && (bytes += sc_value_bytes(v)) > SC_EVENT_PROPS_BYTES_MAX)
            return fail(in, SC_DROP_SIZE, m->path.n > 0 ? m->path.text : p->name,
                        "up to here its properties take %zu bytes, at most %u are taken", bytes,
                        SC_EVENT_PROPS_BYTES_MAX);
        props[se->props[i].prop] = v;
    }
    in->ev->props = props;
    in->ev->n_props = et->n_props;
    return SC_DROP_NONE;
}

/* ---- What follows from it */

/* The strongest phone that says where it lives: identifiers are in order of strength. */
static void find_phone_zone(const struct sc_taxonomy *tx, struct sc_event *ev)
{
    for (uint32_t i = 0; i < ev->n_ids && ev->phone_zone.len == 0; i++)
        if (tx->namespaces[ev->ids[i].ns].normalize == SC_NORM_E164)
            ev->phone_zone = sc_phone_zone(ev->ids[i].value);
}

/* A copy or a clash: hashed after conversion, so that formats agree, and with the claimed time, so
 * that a client's retry (another sent_at, another skew) is a copy. */
static void hash_content(const struct sc_event_type *et, struct sc_arena *ar, struct sc_event *ev)
{
    size_t most = 2 + 2 * ev->n_ids + 2 * ev->n_props, n = 0;
    uint64_t *parts = sc_arena_alloc(ar, sizeof(*parts) * most);
    parts[n++] = et->hash;
    parts[n++] = (uint64_t)ev->claimed_ms;
    for (uint32_t i = 0; i < ev->n_ids; i++, n += 2)
        memcpy(&parts[n], ev->ids[i].node.b, sizeof(ev->ids[i].node.b));
    for (uint32_t i = 0; i < ev->n_props; i++) {
        if (ev->props[i].type == SC_T_ABSENT)
            continue;
        parts[n++] = et->props[i].hash;
        parts[n++] = sc_value_hash(ev->props[i]);
    }
    ev->content_hash = (uint32_t)sc_hash_xxh3(parts, n * sizeof(*parts), 0);
}

void sc_intake_end(const struct sc_taxonomy *tx, struct sc_pseudonyms *ps, struct sc_arena *ar,
                   struct sc_event *ev)
{
    SC_ASSERT(ev->type < tx->n_events);
    SC_ASSERT(ev->n_props == 0 || ev->props != NULL);
    sc_identifiers_end(ps, ev);
    find_phone_zone(tx, ev);
    hash_content(&tx->events[ev->type], ar, ev);
}

enum sc_drop sc_intake_begin(const struct sc_taxonomy *tx, const struct sc_source *source,
                             const struct sc_value *slots, const struct sc_record_meta *meta,
                             struct sc_pseudonyms *ps, struct sc_arena *ar, struct sc_event *ev,
                             struct sc_fault *fault)
{
    SC_ASSERT(source == &tx->canonical ||
              (source >= tx->sources && source < tx->sources + tx->n_sources));
    SC_ASSERT(ev != NULL && fault != NULL);
    struct intake in = {tx, source, slots, meta, ps, ar, ev, fault};
    memset(ev, 0, offsetof(struct sc_event, ids)); /* most of an event, and only n_ids are set */
    fault->drop = SC_DROP_NONE;
    fault->path = SC_STR_NULL;
    fault->text[0] = '\0';
    ev->origin = meta->origin;
    ev->traceparent = meta->traceparent;
    enum sc_drop drop = take_event(&in);
    if (drop == SC_DROP_NONE)
        drop = take_source(&in);
    if (drop == SC_DROP_NONE)
        drop = take_times(&in);
    if (drop == SC_DROP_NONE)
        drop = take_id(&in);
    if (drop == SC_DROP_NONE)
        drop = take_identifiers(&in);
    if (drop == SC_DROP_NONE)
        drop = take_properties(&in);
    return drop;
}

enum sc_drop sc_intake(const struct sc_taxonomy *tx, const struct sc_source *source,
                       const struct sc_value *slots, const struct sc_record_meta *meta,
                       struct sc_pseudonyms *ps, struct sc_arena *ar, struct sc_event *ev,
                       struct sc_fault *fault)
{
    enum sc_drop drop = sc_intake_begin(tx, source, slots, meta, ps, ar, ev, fault);
    if (drop == SC_DROP_NONE)
        sc_intake_end(tx, ps, ar, ev);
    return drop;
}
