/* Bytes of our own formats: what is too long to inline. See flat.h. */
#include "codec/flat.h"

#include "base/arena.h"

void sc_pen_grow(struct sc_pen *w, size_t bytes)
{
    SC_ASSERT(w->out != NULL && w->p >= (uint8_t *)w->out->p);
    sc_pen_close(w);
    sc_buf_reserve(w->out, bytes + SC_PEN_SLACK);
    sc_pen_open(w, w->out);
    SC_ASSERT((size_t)(w->end - w->p) >= bytes);
}

void sc_pen_int128(struct sc_pen *w, sc_flat_int128 v)
{
    __extension__ typedef unsigned __int128 u128;
    u128 u = (u128)v << 1 ^ (u128)(v >> 127);
    sc_pen_room(w, 20 + SC_PEN_SLACK);
    if (u >> 56 == 0) { /* nearly all sums: the same bytes, faster */
        sc_pen_var(w, (uint64_t)u);
        return;
    }
    for (; u >= 0x80; u >>= 7)
        *w->p++ = (uint8_t)(u | 0x80);
    *w->p++ = (uint8_t)u;
    SC_ASSERT(w->p <= w->end);
}

sc_flat_int128 sc_scan_int128(struct sc_scan *r)
{
    __extension__ typedef unsigned __int128 u128;
    u128 u = 0;
    uint64_t head;
    if (sc_scan_left(r) >= sizeof(head)) {
        memcpy(&head, r->p, sizeof(head));
        if (~le64toh(head) & UINT64_C(0x8080808080808080))
            return sc_scan_int(r);
    }
    for (unsigned shift = 0; shift < 128; shift += 7) {
        uint8_t c = sc_scan_u8(r);
        if (shift == 126 && c > 3)
            break;
        u |= (u128)(c & 0x7F) << shift;
        if (c < 0x80)
            return (sc_flat_int128)(u >> 1) ^ -(sc_flat_int128)(u & 1);
    }
    sc_scan_fail(r);
    return 0;
}

uint64_t sc_scan_var_slow(struct sc_scan *r)
{
    uint64_t u = 0;
    if (sc_varint(&r->p, r->end, &u) != SC_DROP_NONE)
        sc_scan_fail(r);
    return u;
}

/* ---- values: a tag, then what the type needs */

static void put_value(struct sc_pen *w, struct sc_value v, unsigned depth)
{
    SC_ASSERT(depth <= SC_FLAT_DEPTH);
    sc_pen_room(w, 2 + 2 * SC_VARINT_BYTES);
    sc_pen_u8(w, v.type);
    switch ((enum sc_type)v.type) {
    case SC_T_BOOL:
        sc_pen_u8(w, v.i != 0);
        return;
    case SC_T_INT:
        sc_pen_int(w, v.i);
        return;
    case SC_T_UINT:
        sc_pen_var(w, v.u);
        return;
    case SC_T_DOUBLE:
        sc_pen_u64(w, v.u);
        return;
    case SC_T_DECIMAL:
        sc_pen_u8(w, v.scale);
        sc_pen_int(w, v.i);
        return;
    case SC_T_STRING:
    case SC_T_BYTES:
        sc_pen_str(w, sc_value_str(v));
        return;
    case SC_T_TIMESTAMP:
    case SC_T_DURATION:
        sc_pen_int(w, v.i);
        sc_pen_var(w, v.len);
        return;
    case SC_T_LIST:
    case SC_T_MAP:
        sc_pen_var(w, v.len);
        for (size_t i = 0; i < (size_t)v.len * (v.type == SC_T_MAP ? 2 : 1); i++)
            put_value(w, v.list[i], depth + 1);
        return;
    case SC_T_ABSENT:
    case SC_T_NULL:
        return;
    case SC_T_TYPE:
    case SC_T_ERROR:
        break;
    }
    SC_UNREACHABLE("a value of expressions alone");
}

void sc_pen_value(struct sc_pen *w, struct sc_value v)
{
    put_value(w, v, 0);
    SC_ASSERT(w->p <= w->end);
}

static struct sc_value take_value(struct sc_scan *r, unsigned depth);

static void take_items(struct sc_scan *r, struct sc_value *v, unsigned depth)
{
    SC_ASSERT(v->type == SC_T_LIST || v->type == SC_T_MAP);
    size_t each = v->type == SC_T_MAP ? 2 : 1;
    v->len = depth < SC_FLAT_DEPTH ? sc_scan_count(r, UINT32_MAX / 2, each) : 0;
    if (depth == SC_FLAT_DEPTH)
        sc_scan_fail(r);
    struct sc_value *items = sc_arena_alloc(r->ar, sizeof(*items) * each * v->len + 1);
    for (size_t i = 0; i < each * v->len; i++)
        items[i] = take_value(r, depth + 1);
    v->list = items;
}

static struct sc_value take_value(struct sc_scan *r, unsigned depth)
{
    SC_ASSERT(depth <= SC_FLAT_DEPTH);
    struct sc_value v = {.type = sc_scan_u8(r)};
    switch (v.type) {
    case SC_T_BOOL:
        v.i = sc_scan_u8(r) & 1;
        break;
    case SC_T_INT:
        v.i = sc_scan_int(r);
        break;
    case SC_T_UINT:
        v.u = sc_scan_var(r);
        break;
    case SC_T_DOUBLE:
        v.u = sc_scan_u64(r);
        break;
    case SC_T_DECIMAL:
        v.scale = sc_scan_u8(r);
        v.i = sc_scan_int(r);
        if (v.scale > SC_DECIMAL_DIGITS || v.i >= INT64_C(1000000000000000000) ||
            v.i <= -INT64_C(1000000000000000000))
            sc_scan_fail(r);
        break;
    case SC_T_STRING:
    case SC_T_BYTES: {
        struct sc_str s = v.type == SC_T_STRING ? sc_scan_text(r) : sc_scan_str(r);
        if (s.len > UINT32_MAX)
            sc_scan_fail(r);
        v.s = s.p;
        v.len = (uint32_t)s.len;
        break;
    }
    case SC_T_TIMESTAMP:
    case SC_T_DURATION:
        v.i = sc_scan_int(r);
        v.len = sc_scan_count(r, 999999, 0);
        break;
    case SC_T_LIST:
    case SC_T_MAP:
        take_items(r, &v, depth);
        break;
    case SC_T_ABSENT:
    case SC_T_NULL:
        break;
    default: /* a byte of the input, not one of the enum */
        sc_scan_fail(r);
    }
    return r->bad ? sc_absent() : v;
}

struct sc_value sc_scan_value(struct sc_scan *r)
{
    SC_ASSERT(r->ar != NULL);
    return take_value(r, 0);
}

/* ---- names by hash */

int sc_flat_event(const struct sc_taxonomy *tx, uint32_t hash, uint64_t hint)
{
    SC_ASSERT(tx->n_events <= SC_EVENTS_MAX);
    if (hint < tx->n_events && tx->events[hint].hash == hash)
        return (int)hint;
    for (uint32_t e = 0; e < tx->n_events; e++)
        if (tx->events[e].hash == hash)
            return (int)e;
    return -1;
}

int sc_flat_prop(const struct sc_event_type *et, uint32_t hash, uint32_t *at)
{
    SC_ASSERT(et->n_props <= SC_PROPERTIES_MAX);
    for (uint32_t i = 0; i < et->n_props; i++) {
        uint32_t slot = *at + i < et->n_props ? *at + i : *at + i - et->n_props;
        if (et->props[slot].hash == hash) {
            *at = slot + 1;
            return (int)slot;
        }
    }
    return -1;
}
