/* Avro's values (avro_read.h): primitives, logical types, and whole records, arrays and maps.
 *
 * Lengths are checked before they are used, recursion ends at SC_DECODE_DEPTH, and values that take
 * no bytes (null, empty records) are counted, since the record's length does not bound them. */
#include "codec/avro_read.h"
#include "codec/decimal_bytes.h"
#include "codec/utf8.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/time.h"

bool sc_avro_fail(struct sc_avro_cursor *c, enum sc_drop drop, const char *what)
{
    SC_ASSERT(drop != SC_DROP_NONE);
    c->drop = drop;
    c->what = what;
    return false;
}

bool sc_avro_long(struct sc_avro_cursor *c, int64_t *out)
{
    uint64_t u;
    enum sc_drop drop = sc_varint(&c->p, c->end, &u);
    if (drop != SC_DROP_NONE)
        return sc_avro_fail(c, drop, drop == SC_DROP_TRUNCATED ? "ends in a number"
                                                               : "a number of over 64 bits");
    *out = sc_zigzag(u);
    return true;
}

static bool take(struct sc_avro_cursor *c, size_t n, const uint8_t **out)
{
    if ((size_t)(c->end - c->p) < n)
        return sc_avro_fail(c, SC_DROP_TRUNCATED, "ends in a value");
    *out = c->p;
    c->p += n;
    return true;
}

bool sc_avro_bytes(struct sc_avro_cursor *c, struct sc_str *out)
{
    int64_t n;
    const uint8_t *p;
    if (!sc_avro_long(c, &n))
        return false;
    if (n < 0)
        return sc_avro_fail(c, SC_DROP_MALFORMED, "a negative length");
    if (!take(c, (size_t)n, &p))
        return false;
    *out = (struct sc_str){(const char *)p, (size_t)n};
    return true;
}

bool sc_avro_branch(struct sc_avro_cursor *c, uint32_t n, uint32_t *branch)
{
    int64_t i;
    if (!sc_avro_long(c, &i))
        return false;
    if (i < 0 || i >= n)
        return sc_avro_fail(c, SC_DROP_MALFORMED, "a branch that the union does not have");
    *branch = (uint32_t)i;
    return true;
}

bool sc_avro_empty(struct sc_avro_cursor *c)
{
    if (c->empty_left == 0)
        return sc_avro_fail(c, SC_DROP_SIZE, "too many values of no bytes");
    c->empty_left--;
    return true;
}

/* The head of the next block; an empty one ends the array. */
static bool block_start(struct sc_avro_cursor *c, struct sc_avro_blocks *b)
{
    int64_t bytes;
    if (b->block_end && b->block_end != c->p)
        return sc_avro_fail(c, SC_DROP_MALFORMED, "a block is not as long as it says");
    b->block_end = NULL;
    b->last = NULL;
    if (!sc_avro_long(c, &b->left))
        return false;
    if (b->left >= 0)
        return true;
    if (b->left == INT64_MIN || !sc_avro_long(c, &bytes))
        return c->drop ? false : sc_avro_fail(c, SC_DROP_MALFORMED, "a block of no size");
    b->left = -b->left;
    if (bytes < 0)
        return sc_avro_fail(c, SC_DROP_MALFORMED, "a negative length");
    if (bytes > c->end - c->p)
        return sc_avro_fail(c, SC_DROP_TRUNCATED, "ends in a block");
    b->block_end = c->p + bytes;
    return true;
}

int sc_avro_next(struct sc_avro_cursor *c, struct sc_avro_blocks *b, bool skip)
{
    if (b->last == c->p && !sc_avro_empty(c))
        return -1;
    while (b->left == 0) {
        if (!block_start(c, b))
            return -1;
        if (b->left == 0)
            return 0;
        if (skip && b->block_end) {
            c->p = b->block_end;
            b->left = 0;
        }
    }
    b->last = c->p;
    b->left--;
    return 1;
}

static struct sc_value instant(enum sc_type type, int64_t count, int64_t per_ms)
{
    int64_t rest = count % per_ms;
    if (rest < 0)
        rest += per_ms;
    int64_t ns = rest * (1000000 / per_ms);
    return (struct sc_value){.type = (uint8_t)type, .i = (count - rest) / per_ms,
                             .len = (uint32_t)ns};
}

/* What a count means by its logical type. Near INT64_MIN `count - rest` may pass the end: those
 * instants (292,000 years off) are refused. */
static bool logical(struct sc_avro_cursor *c, enum sc_avro_logical how, int64_t count,
                    struct sc_value *out)
{
    if (how != SC_AVRO_PLAIN && count < INT64_MIN + 1000000)
        return sc_avro_fail(c, SC_DROP_MALFORMED, "a time out of range");
    switch (how) {
    case SC_AVRO_DATE: *out = sc_timestamp(count * SC_DAY_MS); return true;
    case SC_AVRO_TIME_MS: *out = sc_duration(count); return true;
    case SC_AVRO_TIME_US: *out = instant(SC_T_DURATION, count, 1000); return true;
    case SC_AVRO_TIMESTAMP_MS: *out = sc_timestamp(count); return true;
    case SC_AVRO_TIMESTAMP_US: *out = instant(SC_T_TIMESTAMP, count, 1000); return true;
    case SC_AVRO_TIMESTAMP_NS: *out = instant(SC_T_TIMESTAMP, count, 1000000); return true;
    case SC_AVRO_PLAIN:
    case SC_AVRO_DECIMAL:
    case SC_AVRO_UUID: *out = sc_int(count); return true;
    }
    SC_UNREACHABLE("avro logical type");
}

static bool byte_string(struct sc_avro_cursor *c, const struct sc_avro_type *t,
                        struct sc_value *out)
{
    struct sc_str b = {NULL, t->size};
    const uint8_t *p = NULL;
    if (t->kind == SC_AVRO_FIXED ? !take(c, t->size, &p) : !sc_avro_bytes(c, &b))
        return false;
    if (p)
        b.p = (const char *)p;
    if (t->logical == SC_AVRO_DECIMAL)
        return sc_decimal_bytes(b, t->scale, c->take->ar, out) ||
               sc_avro_fail(c, SC_DROP_SIZE, "a decimal of more than 38 digits");
    *out = sc_string(b);
    out->type = SC_T_BYTES;
    if (t->logical == SC_AVRO_UUID)
        *out = sc_string(sc_str_printf(
            c->take->ar,
            "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", p[0], p[1],
            p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13], p[14],
            p[15]));
    return true;
}

static bool text(struct sc_avro_cursor *c, struct sc_value *out)
{
    struct sc_str s;
    if (!sc_avro_bytes(c, &s))
        return false;
    *out = sc_string(s);
    return sc_utf8_ok(s) || sc_avro_fail(c, SC_DROP_UTF8, "text that is not UTF-8");
}

static bool real(struct sc_avro_cursor *c, bool single, struct sc_value *out)
{
    const uint8_t *p;
    uint64_t u = 0;
    if (!take(c, single ? 4 : 8, &p))
        return false;
    for (unsigned i = 0; i < (single ? 4u : 8u); i++)
        u |= (uint64_t)p[i] << (8 * i);
    uint32_t half = (uint32_t)u;
    float f;
    double d;
    memcpy(&f, &half, sizeof(f));
    memcpy(&d, &u, sizeof(d));
    *out = sc_double(single ? (double)f : d);
    return true;
}

static bool integer(struct sc_avro_cursor *c, const struct sc_avro_type *t, struct sc_value *out)
{
    int64_t i;
    if (!sc_avro_long(c, &i))
        return false;
    if (t->kind == SC_AVRO_INT && i != (int32_t)i)
        return sc_avro_fail(c, SC_DROP_MALFORMED, "an int of over 32 bits");
    if (t->logical != SC_AVRO_PLAIN)
        return logical(c, t->logical, i, out);
    *out = sc_int(i);
    return true;
}

static bool boolean(struct sc_avro_cursor *c, struct sc_value *out)
{
    const uint8_t *p;
    if (!take(c, 1, &p))
        return false;
    *out = sc_bool(*p == 1);
    return *p <= 1 || sc_avro_fail(c, SC_DROP_MALFORMED, "a boolean that is neither 0 nor 1");
}

static bool symbol(struct sc_avro_cursor *c, const struct sc_avro_type *t, struct sc_value *out)
{
    int64_t i;
    if (!sc_avro_long(c, &i))
        return false;
    if (i < 0 || i >= t->n)
        return sc_avro_fail(c, SC_DROP_MALFORMED, "a symbol that the enum does not have");
    *out = sc_string(t->symbols[i]);
    return true;
}

static bool add(struct sc_avro_cursor *c, struct sc_items *l, struct sc_value v)
{
    return sc_items_add(l, c->take->ar, v) ||
           sc_avro_fail(c, SC_DROP_SIZE, "a list or map is too long");
}

static bool container(struct sc_avro_cursor *c, const struct sc_avro_type *t, unsigned depth,
                      struct sc_value *out)
{
    struct sc_items items = {0};
    struct sc_avro_blocks blocks = {0};
    struct sc_value v;
    bool map = t->kind == SC_AVRO_MAP, twice;
    int next;
    while ((next = sc_avro_next(c, &blocks, false)) == 1) {
        if (map && (!text(c, &v) || !add(c, &items, v)))
            return false;
        if (!sc_avro_value(c, t->item, depth + 1, &v) || !add(c, &items, v))
            return false;
    }
    if (next < 0)
        return false;
    *out = map ? sc_map_value(&items, c->take->ar, &twice)
               : (struct sc_value){.type = SC_T_LIST, .len = items.n, .list = items.v};
    return true;
}

static bool record(struct sc_avro_cursor *c, const struct sc_avro_type *t, unsigned depth,
                   struct sc_value *out)
{
    struct sc_value *v = SC_NEW_N(c->take->ar, struct sc_value, 2 * (size_t)t->n);
    const uint8_t *start = c->p;
    for (uint32_t i = 0; i < t->n; i++) {
        v[2 * i] = sc_string(t->fields[i].name);
        if (!sc_avro_value(c, t->fields[i].type, depth + 1, &v[2 * i + 1]))
            return false;
    }
    *out = (struct sc_value){.type = SC_T_MAP, .len = t->n, .map = v};
    return c->p != start || sc_avro_empty(c);
}

bool sc_avro_value(struct sc_avro_cursor *c, const struct sc_avro_type *t, unsigned depth,
                   struct sc_value *out)
{
    uint32_t branch;
    if (depth > SC_DECODE_DEPTH)
        return sc_avro_fail(c, SC_DROP_DEPTH, "nested too deep");
    switch (t->kind) {
    case SC_AVRO_NULL:
        *out = (struct sc_value){.type = SC_T_NULL};
        return sc_avro_empty(c);
    case SC_AVRO_BOOLEAN: return boolean(c, out);
    case SC_AVRO_INT:
    case SC_AVRO_LONG: return integer(c, t, out);
    case SC_AVRO_FLOAT: return real(c, true, out);
    case SC_AVRO_DOUBLE: return real(c, false, out);
    case SC_AVRO_BYTES:
    case SC_AVRO_FIXED: return byte_string(c, t, out);
    case SC_AVRO_STRING: return text(c, out);
    case SC_AVRO_ENUM: return symbol(c, t, out);
    case SC_AVRO_RECORD: return record(c, t, depth, out);
    case SC_AVRO_ARRAY:
    case SC_AVRO_MAP: return container(c, t, depth, out);
    case SC_AVRO_UNION:
        return sc_avro_branch(c, t->n, &branch) &&
               sc_avro_value(c, t->fields[branch].type, depth, out);
    }
    SC_UNREACHABLE("avro kind");
}
