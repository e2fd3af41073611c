/* Protobuf's values (proto_read.h).
 *
 * Whole messages: the last of a singular scalar wins, the pieces of a singular message are joined
 * (which is how Protobuf defines their merge), a oneof keeps its last member, unknown fields are
 * passed over. Repeated fields and maps without values and unset fields are left out, scalars
 * without presence are their zero. */
#include "codec/proto_read.h"
#include "codec/decimal_bytes.h"
#include "codec/proto_plan.h"

#include "base/arena.h"
#include "base/assert.h"

bool sc_proto_bad(struct sc_proto_cursor *c, const uint8_t *at, enum sc_drop drop,
                  const char *what)
{
    SC_ASSERT(drop != SC_DROP_NONE);
    c->failed_at = at;
    c->drop = drop;
    c->what = what;
    return false;
}

bool sc_proto_damaged(struct sc_proto_cursor *c, const uint8_t *at, enum sc_drop drop)
{
    return sc_proto_bad(c, at, drop, drop == SC_DROP_TRUNCATED ? "ends in a value"
                        : drop == SC_DROP_DEPTH ? "nested too deep" : "a damaged tag or number");
}

static bool little_endian(struct sc_proto_cursor *c, unsigned n, const uint8_t **p,
                          const uint8_t *end, uint64_t *out)
{
    *out = 0;
    if ((size_t)(end - *p) < n)
        return sc_proto_checked(c, *p, SC_DROP_TRUNCATED);
    for (unsigned i = 0; i < n; i++)
        *out |= (uint64_t)(*p)[i] << (8 * i);
    *p += n;
    return true;
}

static struct sc_value from_float(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof(f));
    return sc_double((double)f);
}

static struct sc_value from_double(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof(d));
    return sc_double(d);
}

static struct sc_value from_unsigned(uint64_t u)
{
    struct sc_value v = {.type = u <= INT64_MAX ? SC_T_INT : SC_T_UINT, .u = u};
    return v;
}

static struct sc_value from_enum(const struct sc_proto_enum *e, int32_t number)
{
    const struct sc_str *name = sc_proto_enum_name(e, number);
    return name ? sc_string(*name) : sc_int(number);
}

bool sc_proto_scalar(struct sc_proto_cursor *c, const struct sc_proto_field *f, const uint8_t **p,
                     const uint8_t *end, struct sc_value *out)
{
    struct sc_str bytes;
    uint64_t u = 0;
    bool ok = true;
    switch (sc_proto_wire_of(f->kind)) {
    case SC_WIRE_LEN:
        return sc_proto_checked(c, *p, sc_wire_bytes(p, end, &bytes)) &&
               sc_proto_text(c, f, bytes, out);
    case SC_WIRE_64: ok = little_endian(c, 8, p, end, &u); break;
    case SC_WIRE_32: ok = little_endian(c, 4, p, end, &u); break;
    case SC_WIRE_VARINT:
    case SC_WIRE_GROUP:
    case SC_WIRE_END: ok = sc_proto_checked(c, *p, sc_varint(p, end, &u)); break;
    }
    switch (f->kind) {
    case SC_PROTO_DOUBLE: *out = from_double(u); return ok;
    case SC_PROTO_FLOAT: *out = from_float((uint32_t)u); return ok;
    case SC_PROTO_INT64:
    case SC_PROTO_SFIXED64: *out = sc_int((int64_t)u); return ok;
    case SC_PROTO_UINT64:
    case SC_PROTO_FIXED64: *out = from_unsigned(u); return ok;
    case SC_PROTO_INT32:
    case SC_PROTO_SFIXED32: *out = sc_int((int32_t)u); return ok;
    case SC_PROTO_UINT32:
    case SC_PROTO_FIXED32: *out = sc_int((uint32_t)u); return ok;
    case SC_PROTO_BOOL: *out = sc_bool(u != 0); return ok;
    case SC_PROTO_ENUM: *out = from_enum(f->enumeration, (int32_t)u); return ok;
    case SC_PROTO_SINT32: *out = sc_int((int32_t)sc_zigzag((uint32_t)u)); return ok;
    case SC_PROTO_SINT64: *out = sc_int(sc_zigzag(u)); return ok;
    case SC_PROTO_STRING:
    case SC_PROTO_BYTES:
    case SC_PROTO_MESSAGE:
    case SC_PROTO_GROUP:
    case SC_PROTO_UNRESOLVED: break;
    }
    SC_UNREACHABLE("no scalar kind");
}

struct sc_str sc_proto_join(const struct sc_items *chunks, struct sc_arena *ar)
{
    size_t n = 0, at = 0;
    if (chunks->n == 1)
        return sc_value_str(chunks->v[0]);
    for (uint32_t i = 0; i < chunks->n; i++)
        n += chunks->v[i].len;
    char *all = sc_arena_alloc_align(ar, n + 1, 1);
    for (uint32_t i = 0; i < chunks->n; i++) {
        memcpy(all + at, chunks->v[i].s, chunks->v[i].len);
        at += chunks->v[i].len;
    }
    return (struct sc_str){all, n};
}

static bool add(struct sc_proto_cursor *c, const uint8_t *at, struct sc_items *l, struct sc_value v)
{
    return sc_items_add(l, c->take->ar, v) ||
           sc_proto_bad(c, at, SC_DROP_SIZE, "a list or map is too long");
}

/* A map's key as text, whatever it is. */
static bool map_key(struct sc_proto_cursor *c, const struct sc_proto_field *f, const uint8_t **p,
                    const uint8_t *end, struct sc_value *out)
{
    struct sc_arena *ar = c->take->ar;
    uint64_t u;
    if (f->kind == SC_PROTO_UINT64 || f->kind == SC_PROTO_FIXED64) {
        if (f->kind == SC_PROTO_UINT64 ? !sc_proto_checked(c, *p, sc_varint(p, end, &u))
                                       : !little_endian(c, 8, p, end, &u))
            return false;
        *out = sc_string(sc_str_printf(ar, "%llu", (unsigned long long)u));
        return true;
    }
    if (!sc_proto_scalar(c, f, p, end, out))
        return false;
    if (out->type == SC_T_BOOL)
        *out = sc_string(out->i ? SC_STR("true") : SC_STR("false"));
    else if (out->type == SC_T_INT)
        *out = sc_string(sc_str_printf(ar, "%lld", (long long)out->i));
    return true;
}

static struct sc_value key_zero(const struct sc_proto_field *f)
{
    return f->kind == SC_PROTO_STRING ? sc_string(SC_STR(""))
           : f->kind == SC_PROTO_BOOL ? sc_string(SC_STR("false")) : sc_string(SC_STR("0"));
}

bool sc_proto_map_entry(struct sc_proto_cursor *c, const struct sc_proto_field *f,
                        struct sc_str bytes, struct sc_value *key, struct sc_value *value)
{
    const struct sc_proto_field *kf = sc_proto_field_by_number(f->message, 1);
    const struct sc_proto_field *vf = sc_proto_field_by_number(f->message, 2);
    const uint8_t *p = (const uint8_t *)bytes.p, *end = p + bytes.len;
    struct sc_items pieces = {0};
    struct sc_wire_tag tag;
    struct sc_str piece;
    bool message = vf->kind == SC_PROTO_MESSAGE;
    *key = key_zero(kf);
    *value = sc_proto_zero(vf);
    while (p < end) {
        bool ok;
        if (!sc_proto_checked(c, p, sc_wire_tag(&p, end, &tag)))
            return false;
        if (tag.number == 1 && tag.wire == (uint32_t)sc_proto_wire_of(kf->kind))
            ok = map_key(c, kf, &p, end, key);
        else if (tag.number != 2 || tag.wire != (uint32_t)sc_proto_wire_of(vf->kind) ||
                 vf->kind == SC_PROTO_UNRESOLVED)
            ok = sc_proto_checked(c, p, sc_wire_skip(&p, end, tag, 0));
        else if (message)
            ok = sc_proto_checked(c, p, sc_wire_bytes(&p, end, &piece)) &&
                 add(c, p, &pieces, sc_string(piece));
        else
            ok = sc_proto_scalar(c, vf, &p, end, value);
        if (!ok)
            return false;
    }
    if (message)
        *value = sc_string(sc_proto_join(&pieces, c->take->ar));
    return true;
}

static void forget_others(const struct sc_proto_message *m, uint32_t own, struct sc_items *parts)
{
    for (uint32_t i = 0; i < m->fields.n; i++)
        if (i != own && m->fields.v[i].oneof == m->fields.v[own].oneof)
            parts[i].n = 0;
}

bool sc_proto_map_whole(struct sc_proto_cursor *c, const struct sc_proto_field *f, unsigned depth,
                        struct sc_value *value)
{
    const struct sc_proto_field *vf = sc_proto_field_by_number(f->message, 2);
    return vf->kind != SC_PROTO_MESSAGE ||
           sc_proto_whole(c, vf->message, sc_value_str(*value), depth + 1, value);
}

/* One occurrence of a length-delimited part. */
static bool part_bytes(struct sc_proto_cursor *c, const struct sc_proto_field *f,
                       const uint8_t **p, const uint8_t *end, unsigned depth, struct sc_items *to)
{
    struct sc_str bytes;
    struct sc_value v, key;
    if (!sc_proto_checked(c, *p, sc_wire_bytes(p, end, &bytes)))
        return false;
    const uint8_t *at = (const uint8_t *)bytes.p;
    if (f->kind == SC_PROTO_MESSAGE && !f->repeated)
        return add(c, at, to, sc_string(bytes));
    if (f->map)
        return sc_proto_map_entry(c, f, bytes, &key, &v) &&
               sc_proto_map_whole(c, f, depth, &v) && add(c, at, to, key) && add(c, at, to, v);
    if (f->kind == SC_PROTO_MESSAGE)
        return sc_proto_whole(c, f->message, bytes, depth + 1, &v) && add(c, at, to, v);
    for (const uint8_t *stop = at + bytes.len; at < stop;) /* packed */
        if (!sc_proto_scalar(c, f, &at, stop, &v) || !add(c, at, to, v))
            return false;
    return true;
}

/* One field of a message: into the values of its place. */
static bool part(struct sc_proto_cursor *c, const struct sc_proto_message *m,
                 const struct sc_proto_field *f, struct sc_wire_tag tag, const uint8_t **p,
                 const uint8_t *end, unsigned depth, struct sc_items *parts)
{
    uint32_t own = (uint32_t)(f - m->fields.v);
    struct sc_value v;
    if (f->oneof >= 0)
        forget_others(m, own, parts);
    if (tag.wire == SC_WIRE_LEN && (f->kind == SC_PROTO_MESSAGE || sc_proto_packable(f)))
        return part_bytes(c, f, p, end, depth, &parts[own]);
    if (!sc_proto_scalar(c, f, p, end, &v))
        return false;
    if (!f->repeated)
        parts[own].n = 0;
    return add(c, *p, &parts[own], v);
}

/* Values as they came, by place of the field in the message. */
static bool collect(struct sc_proto_cursor *c, const struct sc_proto_message *m, struct sc_str bytes,
                    unsigned depth, struct sc_items *parts)
{
    const uint8_t *p = (const uint8_t *)bytes.p, *end = p + bytes.len;
    struct sc_wire_tag tag;
    if (depth >= SC_DECODE_DEPTH)
        return sc_proto_bad(c, p, SC_DROP_DEPTH, "nested too deep");
    while (p < end) {
        if (!sc_proto_checked(c, p, sc_wire_tag(&p, end, &tag)))
            return false;
        const struct sc_proto_field *f = sc_proto_field_by_number(m, tag.number);
        bool known = f && f->kind != SC_PROTO_UNRESOLVED && f->kind != SC_PROTO_GROUP &&
                     (tag.wire == (uint32_t)sc_proto_wire_of(f->kind) ||
                      (tag.wire == SC_WIRE_LEN && sc_proto_packable(f)));
        if (known ? !part(c, m, f, tag, &p, end, depth, parts)
                  : !sc_proto_checked(c, p, sc_wire_skip(&p, end, tag, 0)))
            return false;
    }
    return true;
}

/* What a field is after all its occurrences; ABSENT when unset. */
static bool settle(struct sc_proto_cursor *c, const struct sc_proto_field *f, struct sc_items *got,
                   unsigned depth, struct sc_value *out)
{
    bool twice;
    *out = sc_absent();
    if (got->n == 0)
        *out = f->repeated || f->presence ? sc_absent() : sc_proto_zero(f);
    else if (f->map)
        *out = sc_map_value(got, c->take->ar, &twice);
    else if (f->repeated)
        *out = (struct sc_value){.type = SC_T_LIST, .len = got->n, .list = got->v};
    else if (f->kind == SC_PROTO_MESSAGE)
        return sc_proto_whole(c, f->message, sc_proto_join(got, c->take->ar), depth + 1, out);
    else
        *out = got->v[0];
    return true;
}

static struct sc_value integer_of(const struct sc_items *got)
{
    return got->n ? got->v[0] : sc_int(0);
}

/* seconds = 1, nanos = 2. */
static bool time_value(struct sc_proto_cursor *c, bool duration, const struct sc_items *got,
                       struct sc_value *out)
{
    int64_t seconds = integer_of(&got[0]).i, nanos = integer_of(&got[1]).i;
    bool nanos_ok = nanos < 1000000000 && nanos > (duration ? -1000000000 : -1);
    if (!nanos_ok || seconds > INT64_MAX / 1000 - 1 || seconds < INT64_MIN / 1000 + 1)
        return sc_proto_bad(c, c->end, SC_DROP_MALFORMED, "a time out of range");
    int64_t rest = nanos % 1000000, ms = nanos / 1000000;
    if (rest < 0) {
        rest += 1000000;
        ms--;
    }
    *out = (struct sc_value){.type = duration ? SC_T_DURATION : SC_T_TIMESTAMP,
                             .i = seconds * 1000 + ms, .len = (uint32_t)rest};
    return true;
}

static bool known_value(struct sc_proto_cursor *c, const struct sc_proto_message *m,
                        struct sc_items *got, unsigned depth, struct sc_value *out)
{
    switch (m->known) {
    case SC_KNOWN_TIMESTAMP: return time_value(c, false, got, out);
    case SC_KNOWN_DURATION: return time_value(c, true, got, out);
    case SC_KNOWN_WRAPPER: return settle(c, &m->fields.v[0], &got[0], depth, out);
    case SC_KNOWN_DECIMAL: {
        int64_t scale = integer_of(&got[2]).i;
        struct sc_str units = got[0].n ? sc_value_str(got[0].v[0]) : SC_STR_NULL;
        return (scale >= 0 && scale <= SC_DECIMAL_BYTES_SCALE &&
                sc_decimal_bytes(units, (uint32_t)scale, c->take->ar, out)) ||
               sc_proto_bad(c, c->end, SC_DROP_SIZE, "a decimal out of range");
    }
    case SC_KNOWN_NONE: break;
    }
    SC_UNREACHABLE("no well-known type");
}

bool sc_proto_whole(struct sc_proto_cursor *c, const struct sc_proto_message *m,
                    struct sc_str bytes, unsigned depth, struct sc_value *out)
{
    struct sc_items pairs = {0};
    const uint8_t *at = (const uint8_t *)bytes.p;
    if (m->fields.n > c->fields_left)
        return sc_proto_bad(c, at, SC_DROP_SIZE, "too many whole messages");
    c->fields_left -= m->fields.n;
    struct sc_items *parts = SC_NEW_N(c->take->ar, struct sc_items, m->fields.n);
    if (!collect(c, m, bytes, depth, parts))
        return false;
    if (m->known != SC_KNOWN_NONE)
        return known_value(c, m, parts, depth, out);
    for (uint32_t i = 0; i < m->fields.n; i++) {
        struct sc_value v;
        if (!settle(c, &m->fields.v[i], &parts[i], depth, &v))
            return false;
        if (v.type == SC_T_ABSENT)
            continue;
        if (!add(c, at, &pairs, sc_string(m->fields.v[i].name)) || !add(c, at, &pairs, v))
            return false;
    }
    *out = (struct sc_value){.type = SC_T_MAP, .len = pairs.n / 2, .map = pairs.v};
    return true;
}

