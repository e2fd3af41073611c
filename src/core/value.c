/* Values: order, equality, hash, copy, JSON.
 *
 * Numbers compare by exact value whatever their types, so 1 == 1.0 == 1.00m, and a double never
 * rounds an integer to make them equal. The hash follows: a whole number hashes as its integer,
 * any other as its nearest double. Recursion is bounded by the depth decoders let through. */
#include "core/value.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/time.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>

__extension__ typedef __int128 i128;

#define DEPTH_MAX 32
#define UNORDERED 2
#define TWO_63 9223372036854775808.0
#define TWO_64 18446744073709551616.0

_Static_assert(sizeof(struct sc_value) == 16, "values are passed in two registers");

const char *sc_type_name(enum sc_type t)
{
    static const char *const names[] = {
        [SC_T_ABSENT] = "absent",     [SC_T_NULL] = "null",
        [SC_T_BOOL] = "bool",         [SC_T_INT] = "int",
        [SC_T_UINT] = "uint",         [SC_T_DOUBLE] = "double",
        [SC_T_DECIMAL] = "decimal",   [SC_T_STRING] = "string",
        [SC_T_BYTES] = "bytes",       [SC_T_TIMESTAMP] = "timestamp",
        [SC_T_DURATION] = "duration", [SC_T_LIST] = "list",
        [SC_T_MAP] = "map",           [SC_T_TYPE] = "type",
        [SC_T_ERROR] = "error",
    };
    SC_ASSERT((size_t)t < sizeof(names) / sizeof(names[0]));
    return names[t];
}

const char *sc_value_err_text(enum sc_value_err e)
{
    static const char *const texts[] = {
        [SC_VE_NO_VALUE] = "no value",
        [SC_VE_OVERFLOW] = "the result is out of range",
        [SC_VE_DIV_ZERO] = "division by zero",
        [SC_VE_NO_KEY] = "no such key",
        [SC_VE_INDEX] = "index out of bounds",
        [SC_VE_NO_OVERLOAD] = "the operator does not take these types",
        [SC_VE_CONVERSION] = "the value cannot be converted",
        [SC_VE_LIMIT] = "a limit was reached",
        [SC_VE_UNKNOWN] = "not among the properties kept",
    };
    SC_ASSERT((size_t)e < sizeof(texts) / sizeof(texts[0]));
    return texts[e];
}

/* --- Order --- */

static int order(i128 a, i128 b)
{
    return (a > b) - (a < b);
}

static bool is_number(uint8_t type)
{
    return type == SC_T_INT || type == SC_T_UINT || type == SC_T_DOUBLE || type == SC_T_DECIMAL;
}

static i128 integer_of(struct sc_value v)
{
    SC_ASSERT(v.type == SC_T_INT || v.type == SC_T_UINT);
    return v.type == SC_T_INT ? (i128)v.i : (i128)v.u;
}

static int cmp_integer_double(i128 a, double b)
{
    if (isnan(b))
        return UNORDERED;
    if (b >= TWO_64)
        return -1;
    if (b < -TWO_63)
        return 1;
    double whole = trunc(b);
    int c = order(a, (i128)whole);
    return c ? c : (whole > b) - (whole < b);
}

static int cmp_decimal_integer(struct sc_decimal a, i128 b)
{
    if (b > INT64_MAX) /* past every decimal */
        return -1;
    return sc_decimal_cmp_int(a, (int64_t)b);
}

static int flip(int c)
{
    return c == UNORDERED ? c : -c;
}

static int cmp_numbers(struct sc_value a, struct sc_value b)
{
    SC_ASSERT(is_number(a.type) && is_number(b.type));
    if (a.type == SC_T_DOUBLE && b.type == SC_T_DOUBLE)
        return isunordered(a.d, b.d) ? UNORDERED : (a.d > b.d) - (a.d < b.d);
    if (a.type == SC_T_DOUBLE)
        return flip(cmp_numbers(b, a));
    if (a.type == SC_T_DECIMAL) {
        struct sc_decimal d = sc_value_decimal(a);
        if (b.type == SC_T_DECIMAL)
            return sc_decimal_cmp(d, sc_value_decimal(b));
        if (b.type == SC_T_DOUBLE)
            return sc_decimal_cmp_double(d, b.d);
        return cmp_decimal_integer(d, integer_of(b));
    }
    if (b.type == SC_T_DECIMAL)
        return flip(cmp_numbers(b, a));
    if (b.type == SC_T_DOUBLE)
        return cmp_integer_double(integer_of(a), b.d);
    return order(integer_of(a), integer_of(b));
}

static bool eq_at(struct sc_value a, struct sc_value b, unsigned depth);

static bool eq_lists(struct sc_value a, struct sc_value b, unsigned depth)
{
    if (a.len != b.len)
        return false;
    for (uint32_t i = 0; i < a.len; ++i)
        if (!eq_at(a.list[i], b.list[i], depth + 1))
            return false;
    return true;
}

/* Whether `map` has this pair; looked for from `hint` on, where it stands in a map of the same
 * origin. */
static bool map_has(struct sc_value map, const struct sc_value *pair, uint32_t hint, unsigned depth)
{
    for (uint32_t n = 0; n < map.len; ++n) {
        const struct sc_value *other = &map.map[2 * (size_t)((hint + n) % map.len)];
        if (eq_at(pair[0], other[0], depth + 1))
            return eq_at(pair[1], other[1], depth + 1);
    }
    return false;
}

static bool eq_maps(struct sc_value a, struct sc_value b, unsigned depth)
{
    if (a.len != b.len)
        return false;
    for (uint32_t i = 0; i < a.len; ++i)
        if (!map_has(b, &a.map[2 * (size_t)i], i, depth))
            return false;
    return true;
}

static int cmp_at(struct sc_value a, struct sc_value b, unsigned depth)
{
    SC_ASSERT(depth <= DEPTH_MAX);
    if (is_number(a.type) && is_number(b.type))
        return cmp_numbers(a, b);
    if (a.type != b.type)
        return UNORDERED;
    switch ((enum sc_type)a.type) {
    case SC_T_ABSENT:
    case SC_T_NULL:
        return 0;
    case SC_T_BOOL:
    case SC_T_TYPE:
        return order(a.i, b.i);
    case SC_T_STRING:
    case SC_T_BYTES:
        return order(sc_str_cmp(sc_value_str(a), sc_value_str(b)), 0);
    case SC_T_TIMESTAMP:
    case SC_T_DURATION:
        return a.i != b.i ? order(a.i, b.i) : order(a.len, b.len);
    case SC_T_LIST:
        return eq_lists(a, b, depth) ? 0 : UNORDERED;
    case SC_T_MAP:
        return eq_maps(a, b, depth) ? 0 : UNORDERED;
    case SC_T_ERROR:
        return UNORDERED;
    case SC_T_INT:
    case SC_T_UINT:
    case SC_T_DOUBLE:
    case SC_T_DECIMAL:
        break;
    }
    SC_UNREACHABLE("value type");
}

static bool eq_at(struct sc_value a, struct sc_value b, unsigned depth)
{
    return cmp_at(a, b, depth) == 0;
}

int sc_value_cmp(struct sc_value a, struct sc_value b)
{
    return cmp_at(a, b, 1);
}

bool sc_value_eq(struct sc_value a, struct sc_value b)
{
    return cmp_at(a, b, 1) == 0;
}

/* --- Hash --- */

/* Kinds of hashed content, part of every hash: never renumber (states keep distinct hashes). */
enum hash_kind {
    HASH_INTEGER = 1,
    HASH_FRACTION = 2,
    HASH_STRING = 3,
    HASH_BYTES = 4,
    HASH_TIMESTAMP = 5,
    HASH_DURATION = 6,
    HASH_LIST = 7,
    HASH_MAP = 8,
    HASH_OTHER = 9
};

static uint64_t hash_words(enum hash_kind kind, uint64_t a, uint64_t b)
{
    uint64_t words[2] = {htole64(a), htole64(b)};
    return sc_hash_xxh3(words, sizeof(words), (uint64_t)kind);
}

static uint64_t hash_double(double d)
{
    if (d == trunc(d) && d >= -TWO_63 && d < TWO_64) {
        i128 whole = (i128)d;
        return hash_words(HASH_INTEGER, (uint64_t)whole, whole < 0);
    }
    uint64_t bits;
    memcpy(&bits, &d, sizeof(bits));
    return hash_words(HASH_FRACTION, bits, 0);
}

static uint64_t hash_decimal(struct sc_decimal d)
{
    struct sc_decimal whole;
    if (sc_decimal_rescale(d, 0, &whole) == SC_DECIMAL_OK)
        return hash_words(HASH_INTEGER, (uint64_t)whole.units, whole.units < 0);
    return hash_double(sc_decimal_double(d));
}

static uint64_t hash_at(struct sc_value v, unsigned depth)
{
    SC_ASSERT(depth <= DEPTH_MAX);
    uint64_t sum = 0;
    switch ((enum sc_type)v.type) {
    case SC_T_INT:
        return hash_words(HASH_INTEGER, v.u, v.i < 0);
    case SC_T_UINT:
        return hash_words(HASH_INTEGER, v.u, 0);
    case SC_T_DOUBLE:
        return hash_double(v.d);
    case SC_T_DECIMAL:
        return hash_decimal(sc_value_decimal(v));
    case SC_T_STRING:
        return sc_hash_xxh3(v.s, v.len, HASH_STRING);
    case SC_T_BYTES:
        return sc_hash_xxh3(v.s, v.len, HASH_BYTES);
    case SC_T_TIMESTAMP:
        return hash_words(HASH_TIMESTAMP, v.u, v.len);
    case SC_T_DURATION:
        return hash_words(HASH_DURATION, v.u, v.len);
    case SC_T_LIST:
        for (uint32_t i = 0; i < v.len; ++i)
            sum = hash_words(HASH_LIST, sum, hash_at(v.list[i], depth + 1));
        return hash_words(HASH_LIST, sum, v.len);
    case SC_T_MAP: /* a sum: the order of pairs means nothing */
        for (size_t i = 0; i < v.len; ++i)
            sum += hash_words(HASH_MAP, hash_at(v.map[2 * i], depth + 1),
                              hash_at(v.map[2 * i + 1], depth + 1));
        return hash_words(HASH_MAP, sum, v.len);
    case SC_T_ABSENT:
    case SC_T_NULL:
        return hash_words(HASH_OTHER, v.type, 0);
    case SC_T_BOOL:
    case SC_T_TYPE:
    case SC_T_ERROR:
        return hash_words(HASH_OTHER, v.type, v.u);
    }
    SC_UNREACHABLE("value type");
}

uint64_t sc_value_hash(struct sc_value v)
{
    return hash_at(v, 1);
}

/* --- Copy --- */

static struct sc_value dup_at(struct sc_arena *ar, struct sc_value v, unsigned depth)
{
    SC_ASSERT(depth <= DEPTH_MAX);
    if (v.type == SC_T_STRING || v.type == SC_T_BYTES)
        v.s = sc_arena_dup(ar, v.s, v.len);
    if (v.type != SC_T_LIST && v.type != SC_T_MAP)
        return v;
    size_t n = v.type == SC_T_MAP ? 2 * (size_t)v.len : v.len;
    struct sc_value *to = sc_arena_alloc(ar, n * sizeof(*to));
    for (size_t i = 0; i < n; ++i)
        to[i] = dup_at(ar, v.list[i], depth + 1);
    v.list = to;
    return v;
}

size_t sc_value_bytes(struct sc_value v)
{
    if (v.type == SC_T_STRING || v.type == SC_T_BYTES)
        return sizeof(v) + v.len;
    size_t n = v.type == SC_T_LIST ? v.len : v.type == SC_T_MAP ? 2 * (size_t)v.len : 0;
    size_t bytes = sizeof(v);
    for (size_t i = 0; i < n; i++)
        bytes += sc_value_bytes(v.list[i]);
    return bytes;
}

struct sc_value sc_value_dup(struct sc_arena *ar, struct sc_value v)
{
    return dup_at(ar, v, 1);
}

/* --- JSON --- */

static void json_text(struct sc_jsonw *w, const char *text, int n)
{
    SC_ASSERT(n > 0);
    sc_jsonw_str(w, (struct sc_str){text, (size_t)n});
}

static void json_timestamp(struct sc_jsonw *w, struct sc_value v)
{
    if (v.len == 0) {
        sc_jsonw_time(w, v.i);
        return;
    }
    char text[64];
    int n = (int)sc_time_format(v.i, text) - 1; /* without the Z */
    bool whole = v.i % 1000 == 0;               /* then there is no fraction yet */
    n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%06uZ", whole ? ".000" : "", v.len);
    json_text(w, text, n);
}

/* "1h30m"; below a millisecond "1s0.25ms". */
static void json_duration(struct sc_jsonw *w, struct sc_value v)
{
    char text[128];
    if (v.len == 0) {
        json_text(w, text, (int)sc_duration_format(v.i, text));
        return;
    }
    i128 ns = (i128)v.i * 1000000 + v.len;
    i128 size = ns < 0 ? -ns : ns;
    int64_t ms = (int64_t)(size / 1000000);
    int n = 0;
    if (ns < 0)
        text[n++] = '-';
    if (ms >= 1000)
        n += (int)sc_duration_format(ms - ms % 1000, text + n);
    struct sc_decimal rest = {(int64_t)(size - (i128)(ms - ms % 1000) * 1000000), 6};
    n += (int)sc_decimal_format(rest, text + n);
    text[n++] = 'm';
    text[n++] = 's';
    json_text(w, text, n);
}

static void json_base64(struct sc_jsonw *w, struct sc_str bytes)
{
    struct sc_buf text = {.ar = w->out->ar};
    size_t chars = sc_base64_chars(bytes.len);
    sc_buf_char(&text, '"');
    sc_buf_reserve(&text, chars);
    sc_base64_encode(bytes, text.p + 1);
    text.len += chars;
    sc_buf_char(&text, '"');
    sc_jsonw_raw(w, sc_buf_view(&text));
    sc_buf_fini(&text);
}

/* Keys are what Avro, Protobuf and expressions allow: text, integers, booleans. */
static void json_key(struct sc_jsonw *w, struct sc_value key)
{
    char text[32];
    if (key.type == SC_T_STRING) {
        sc_jsonw_key(w, sc_value_str(key));
        return;
    }
    if (key.type == SC_T_BOOL) {
        sc_jsonw_keyz(w, key.i ? "true" : "false");
        return;
    }
    SC_ASSERT(key.type == SC_T_INT || key.type == SC_T_UINT);
    int n = key.type == SC_T_INT ? snprintf(text, sizeof(text), "%lld", (long long)key.i)
                                 : snprintf(text, sizeof(text), "%llu", (unsigned long long)key.u);
    sc_jsonw_key(w, (struct sc_str){text, (size_t)n});
}

static void json_at(struct sc_value v, struct sc_jsonw *w, unsigned depth);

static void json_nested(struct sc_value v, struct sc_jsonw *w, unsigned depth)
{
    if (v.type == SC_T_LIST) {
        sc_jsonw_arr(w);
        for (uint32_t i = 0; i < v.len; ++i)
            json_at(v.list[i], w, depth + 1);
        sc_jsonw_arr_end(w);
        return;
    }
    SC_ASSERT(v.type == SC_T_MAP);
    sc_jsonw_obj(w);
    for (size_t i = 0; i < v.len; ++i) {
        json_key(w, v.map[2 * i]);
        json_at(v.map[2 * i + 1], w, depth + 1);
    }
    sc_jsonw_obj_end(w);
}

static void json_at(struct sc_value v, struct sc_jsonw *w, unsigned depth)
{
    SC_ASSERT(depth <= DEPTH_MAX);
    switch ((enum sc_type)v.type) {
    case SC_T_ABSENT:
    case SC_T_NULL:
    case SC_T_ERROR:
        sc_jsonw_null(w);
        return;
    case SC_T_BOOL:
        sc_jsonw_bool(w, v.i != 0);
        return;
    case SC_T_INT:
        sc_jsonw_int(w, v.i);
        return;
    case SC_T_UINT:
        sc_jsonw_uint(w, v.u);
        return;
    case SC_T_DOUBLE:
        sc_jsonw_double(w, v.d);
        return;
    case SC_T_DECIMAL:
        sc_jsonw_decimal(w, sc_value_decimal(v));
        return;
    case SC_T_STRING:
        sc_jsonw_str(w, sc_value_str(v));
        return;
    case SC_T_BYTES:
        json_base64(w, sc_value_str(v));
        return;
    case SC_T_TIMESTAMP:
        json_timestamp(w, v);
        return;
    case SC_T_DURATION:
        json_duration(w, v);
        return;
    case SC_T_LIST:
    case SC_T_MAP:
        json_nested(v, w, depth);
        return;
    case SC_T_TYPE:
        sc_jsonw_strz(w, sc_type_name((enum sc_type)v.i));
        return;
    }
    SC_UNREACHABLE("value type");
}

void sc_value_json(struct sc_value v, struct sc_jsonw *w)
{
    json_at(v, w, 1);
}
