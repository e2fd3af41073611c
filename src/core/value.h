/* One value of a property, a fact or an expression: 16 bytes, passed by value.
 *
 * Strings, lists and maps borrow from the record, the state or the batch arena. ABSENT (no such
 * value) and NULL differ only for writers: a null identifier or property counts as absent. */
#ifndef SC_CORE_VALUE_H
#define SC_CORE_VALUE_H

#include "base/decimal.h"
#include "base/jsonw.h"
#include "base/str.h"

enum sc_type {
    SC_T_ABSENT,
    SC_T_NULL,
    SC_T_BOOL,      /* i: 0, 1 */
    SC_T_INT,       /* i */
    SC_T_UINT,      /* u (expressions only) */
    SC_T_DOUBLE,    /* d */
    SC_T_DECIMAL,   /* i units of 10^-scale */
    SC_T_STRING,    /* s, len bytes of UTF-8 */
    SC_T_BYTES,     /* s, len */
    SC_T_TIMESTAMP, /* i ms since the epoch (floor), len: nanoseconds below (0..999,999) */
    SC_T_DURATION,  /* i ms (floor), len: nanoseconds below */
    SC_T_LIST,      /* list: len values */
    SC_T_MAP,       /* map: 2*len values, key then value */
    SC_T_TYPE,      /* i: an enum sc_type (expressions only) */
    SC_T_ERROR      /* i: enum sc_value_err (expressions only) */
};

enum sc_value_err {
    SC_VE_NO_VALUE,      /* an absent property, a fact before any event */
    SC_VE_OVERFLOW,
    SC_VE_DIV_ZERO,
    SC_VE_NO_KEY,
    SC_VE_INDEX,
    SC_VE_NO_OVERLOAD,
    SC_VE_CONVERSION,
    SC_VE_LIMIT,         /* too deep, too long, regex limit */
    SC_VE_UNKNOWN        /* outside the frame's projection */
};

struct sc_value {
    uint8_t type;  /* enum sc_type */
    uint8_t scale; /* DECIMAL */
    uint16_t flags; /* SC_VF_* */
    uint32_t len;
    union {
        int64_t i;
        uint64_t u;
        double d;
        const char *s;
        const struct sc_value *list;
        const struct sc_value *map;
    };
};

#define SC_VF_ESTIMATE 1u /* an estimate (distinct past 256): printed with ~ */

static inline struct sc_value sc_absent(void)
{
    return (struct sc_value){.type = SC_T_ABSENT};
}
static inline struct sc_value sc_bool(bool b)
{
    return (struct sc_value){.type = SC_T_BOOL, .i = b};
}
static inline struct sc_value sc_int(int64_t i)
{
    return (struct sc_value){.type = SC_T_INT, .i = i};
}
static inline struct sc_value sc_double(double d)
{
    return (struct sc_value){.type = SC_T_DOUBLE, .d = d};
}
static inline struct sc_value sc_string(struct sc_str s)
{
    return (struct sc_value){.type = SC_T_STRING, .len = (uint32_t)s.len, .s = s.p};
}
static inline struct sc_value sc_decimal(struct sc_decimal d)
{
    return (struct sc_value){.type = SC_T_DECIMAL, .scale = d.scale, .i = d.units};
}
static inline struct sc_value sc_timestamp(int64_t ms)
{
    return (struct sc_value){.type = SC_T_TIMESTAMP, .i = ms};
}
static inline struct sc_value sc_duration(int64_t ms)
{
    return (struct sc_value){.type = SC_T_DURATION, .i = ms};
}
static inline struct sc_value sc_error(enum sc_value_err e)
{
    return (struct sc_value){.type = SC_T_ERROR, .i = (int64_t)e};
}
static inline bool sc_is_value(struct sc_value v)
{
    return v.type != SC_T_ABSENT && v.type != SC_T_NULL && v.type != SC_T_ERROR;
}
static inline struct sc_str sc_value_str(struct sc_value v)
{
    return (struct sc_str){v.s, v.len};
}
static inline struct sc_decimal sc_value_decimal(struct sc_value v)
{
    return (struct sc_decimal){v.i, v.scale};
}

const char *sc_type_name(enum sc_type t);             /* "string", "decimal", … */
const char *sc_value_err_text(enum sc_value_err e);   /* "no such key", … */
/* Total order within one type, numbers compared by exact value across types: <0, 0, >0; 2 when the
 * two cannot be compared. Lists and maps: equality only (0 or 2). */
int sc_value_cmp(struct sc_value a, struct sc_value b);
bool sc_value_eq(struct sc_value a, struct sc_value b);
/* 64-bit hash that agrees with sc_value_eq inside one type (distinct counts, content hashes). */
uint64_t sc_value_hash(struct sc_value v);
/* Deep copy of strings, lists, maps into the arena. Depth at most 32 (asserted). */
struct sc_value sc_value_dup(struct sc_arena *ar, struct sc_value v);
/* Bytes it takes in memory, texts and all that is in it too. */
size_t sc_value_bytes(struct sc_value v);
/* As one JSON value: decimal as number with exact digits, timestamp RFC 3339, duration "1h30m",
 * bytes base64, absent and error as null. */
void sc_value_json(struct sc_value v, struct sc_jsonw *w);

#endif
