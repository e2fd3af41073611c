/* Implementations behind the function table, by file. Private to this folder. */
#ifndef SC_CORE_RULE_FN_H
#define SC_CORE_RULE_FN_H

#include "core/rule/prog.h"

/* The text of a value as string() gives it; CONVERSION where there is none. */
struct sc_value rule_to_string(struct run *run, struct sc_value v);
/* A new string of `n` bytes in the run's arena; spends. NULL when the budget is gone. */
char *rule_new_string(struct run *run, uint64_t n);
static inline struct sc_value rule_string_at(const char *p, size_t n)
{
    return sc_string((struct sc_str){p, n});
}
/* Go's and RFC 3339's text of times. */
size_t rule_time_text(struct sc_value t, char out[48]);
size_t rule_duration_text(struct sc_value d, char out[48]);
size_t rule_double_text(double d, char out[40]);
const char *rule_type_text(int64_t type);

/* X(implementation) by file: declared here, named in the table of functions.c. */
#define RULE_FN_CONVERT(X)                                                                         \
    X(to_bool) X(to_int) X(to_uint) X(to_double) X(to_text) X(to_bytes) X(to_timestamp)            \
    X(to_duration) X(to_dyn) X(type_of)
#define RULE_FN_STRING(X)                                                                          \
    X(size) X(contains) X(starts_with) X(ends_with) X(matches) X(char_at) X(index_of)              \
    X(last_index_of) X(join) X(lower) X(upper) X(replace) X(split) X(substring) X(trim)            \
    X(reverse) X(format) X(quote) X(base64_encode) X(base64_decode)
#define RULE_FN_TIME(X)                                                                            \
    X(year) X(month) X(day_of_month) X(date) X(day_of_week) X(day_of_year) X(hours) X(minutes)     \
    X(seconds) X(millis) X(span_hours) X(span_minutes) X(span_seconds) X(span_millis)
#define RULE_FN_MATH(X)                                                                            \
    X(greatest) X(least) X(ceil) X(floor) X(round) X(trunc) X(abs) X(sign) X(sqrt) X(is_nan)       \
    X(is_inf) X(is_finite) X(bit_and) X(bit_or) X(bit_xor) X(bit_not) X(shift_left)                \
    X(shift_right)
#define RULE_FN_OPTIONAL(X)                                                                        \
    X(opt_of) X(opt_of_non_zero) X(opt_none) X(opt_has) X(opt_value) X(opt_or) X(opt_or_value)     \
    X(opt_unwrap) X(opt_first) X(opt_last)

#define X(name)                                                                                    \
    struct sc_value rule_fn_##name(struct run *run, const struct sc_value *a, uint32_t n);
RULE_FN_CONVERT(X)
RULE_FN_STRING(X)
RULE_FN_TIME(X)
RULE_FN_MATH(X)
RULE_FN_OPTIONAL(X)
#undef X

#endif
