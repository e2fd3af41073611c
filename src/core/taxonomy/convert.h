/* Values of the wire to values of a declared type. Private to core/taxonomy. */
#ifndef SC_CORE_TAXONOMY_CONVERT_H
#define SC_CORE_TAXONOMY_CONVERT_H

#include "core/taxonomy/taxonomy.h"

/* Times the engine can hold and print: years 1 to 9999. */
#define SC_TIME_MIN_MS INT64_C(-62135596800000)
#define SC_TIME_MAX_MS INT64_C(253402300799999)

/* How one value is to be read. */
struct sc_conversion {
    uint8_t type;  /* enum sc_type wanted, a scalar */
    uint8_t scale; /* DECIMAL */
    int32_t shift; /* DECIMAL, DOUBLE: value = number * 10^shift */
    int32_t unit;  /* enum sc_unit of an integer time or duration */
    const struct sc_tz *zone;
};

/* Convert `v` in place: SC_DROP_NONE, WRONG_TYPE, DECIMAL_DIGITS or OUT_OF_RANGE. */
enum sc_drop sc_convert(const struct sc_conversion *c, struct sc_arena *ar, struct sc_value *v);

/* An aggregate (count … any) over a list's values, each converted; nulls are left out. */
enum sc_drop sc_aggregate(enum sc_map_op op, const struct sc_conversion *c, struct sc_arena *ar,
                          struct sc_value *v);

#endif
