/* The one table of functions: it type-checks calls, runs them, and is the reference.
 *
 * A call is settled by the first overload that takes the arguments' run-time types; overloads of a
 * name stand together. Cost of a call: the overloads of that name, a few bytes each. */
#include "core/rule/fn.h"

#include "base/assert.h"

const struct rule_fn rule_functions[] = {
    {"size", FN_BOTH, "s", 'i', 0, rule_fn_size, "characters of a string, bytes, elements, keys"},
    {"size", FN_BOTH, "y", 'i', 0, rule_fn_size, ""},
    {"size", FN_BOTH, "l", 'i', 0, rule_fn_size, ""},
    {"size", FN_BOTH, "m", 'i', 0, rule_fn_size, ""},
    /* strings */
    {"contains", FN_METHOD, "ss", 'b', 0, rule_fn_contains, "whether the text is in it"},
    {"startsWith", FN_METHOD, "ss", 'b', 0, rule_fn_starts_with, "whether it starts with the text"},
    {"endsWith", FN_METHOD, "ss", 'b', 0, rule_fn_ends_with, "whether it ends with the text"},
    {"matches", FN_BOTH, "ss", 'b', 'r', rule_fn_matches,
     "whether the RE2 pattern is found anywhere; in rules the pattern is a literal"},
    {"charAt", FN_METHOD, "si", 's', 0, rule_fn_char_at, "the character at a place, from 0"},
    {"indexOf", FN_METHOD, "ss", 'i', 0, rule_fn_index_of,
     "place of the first such text (from a place on), or -1"},
    {"indexOf", FN_METHOD, "ssi", 'i', 0, rule_fn_index_of, ""},
    {"lastIndexOf", FN_METHOD, "ss", 'i', 0, rule_fn_last_index_of,
     "place of the last such text (at a place or before), or -1"},
    {"lastIndexOf", FN_METHOD, "ssi", 'i', 0, rule_fn_last_index_of, ""},
    {"join", FN_METHOD, "l", 's', 0, rule_fn_join, "strings of a list as one"},
    {"join", FN_METHOD, "ls", 's', 0, rule_fn_join, ""},
    {"lowerAscii", FN_METHOD, "s", 's', 0, rule_fn_lower, "A-Z as a-z"},
    {"upperAscii", FN_METHOD, "s", 's', 0, rule_fn_upper, "a-z as A-Z"},
    {"replace", FN_METHOD, "sss", 's', 0, rule_fn_replace,
     "each such text by another (at most so often)"},
    {"replace", FN_METHOD, "sssi", 's', 0, rule_fn_replace, ""},
    {"split", FN_METHOD, "ss", 'S', 0, rule_fn_split, "the parts between (at most so many)"},
    {"split", FN_METHOD, "ssi", 'S', 0, rule_fn_split, ""},
    {"substring", FN_METHOD, "si", 's', 0, rule_fn_substring,
     "from a place on, or from one up to another"},
    {"substring", FN_METHOD, "sii", 's', 0, rule_fn_substring, ""},
    {"trim", FN_METHOD, "s", 's', 0, rule_fn_trim, "without white space around it"},
    {"reverse", FN_METHOD, "s", 's', 0, rule_fn_reverse, "its characters backwards"},
    {"format", FN_METHOD, "sl", 's', 0, rule_fn_format, "`%s %d %f %e %x %X %o %b %%` filled in"},
    {"strings.quote", FN_GLOBAL, "s", 's', 0, rule_fn_quote, "as a literal in double quotes"},
    {"base64.encode", FN_GLOBAL, "y", 's', 0, rule_fn_base64_encode, "bytes as base64"},
    {"base64.decode", FN_GLOBAL, "s", 'y', 0, rule_fn_base64_decode, "base64 as bytes"},
    /* conversions */
    {"bool", FN_GLOBAL, "b", 'b', 0, rule_fn_to_bool, "`true`, `t`, `1`; `false`, `f`, `0`"},
    {"bool", FN_GLOBAL, "s", 'b', 0, rule_fn_to_bool, ""},
    {"int", FN_GLOBAL, "n", 'i', 0, rule_fn_to_int,
     "towards zero; of a timestamp: seconds since 1970; out of range is an error"},
    {"int", FN_GLOBAL, "s", 'i', 0, rule_fn_to_int, ""},
    {"int", FN_GLOBAL, "t", 'i', 0, rule_fn_to_int, ""},
    {"uint", FN_GLOBAL, "n", 'u', 0, rule_fn_to_uint, "towards zero; below zero is an error"},
    {"uint", FN_GLOBAL, "s", 'u', 0, rule_fn_to_uint, ""},
    {"double", FN_GLOBAL, "n", 'd', 0, rule_fn_to_double, "nearest double"},
    {"double", FN_GLOBAL, "s", 'd', 0, rule_fn_to_double, ""},
    {"string", FN_GLOBAL, "n", 's', 0, rule_fn_to_text, "its text; times as RFC 3339, `90s`"},
    {"string", FN_GLOBAL, "s", 's', 0, rule_fn_to_text, ""},
    {"string", FN_GLOBAL, "b", 's', 0, rule_fn_to_text, ""},
    {"string", FN_GLOBAL, "y", 's', 0, rule_fn_to_text, ""},
    {"string", FN_GLOBAL, "t", 's', 0, rule_fn_to_text, ""},
    {"string", FN_GLOBAL, "r", 's', 0, rule_fn_to_text, ""},
    {"bytes", FN_GLOBAL, "s", 'y', 0, rule_fn_to_bytes, "its UTF-8"},
    {"bytes", FN_GLOBAL, "y", 'y', 0, rule_fn_to_bytes, ""},
    {"timestamp", FN_GLOBAL, "s", 't', 0, rule_fn_to_timestamp, "of RFC 3339, or seconds"},
    {"timestamp", FN_GLOBAL, "i", 't', 0, rule_fn_to_timestamp, ""},
    {"timestamp", FN_GLOBAL, "t", 't', 0, rule_fn_to_timestamp, ""},
    {"duration", FN_GLOBAL, "s", 'r', 0, rule_fn_to_duration, "of `1h30m`, `-1.5s`, `7d`"},
    {"duration", FN_GLOBAL, "r", 'r', 0, rule_fn_to_duration, ""},
    {"dyn", FN_GLOBAL, "a", 'a', 0, rule_fn_to_dyn, "itself, of no type at load"},
    {"type", FN_GLOBAL, "a", 'T', 0, rule_fn_type_of, "its type"},
    /* times */
    {"getFullYear", FN_METHOD, "t", 'i', 0, rule_fn_year, "of the time, in UTC or a zone"},
    {"getFullYear", FN_METHOD, "ts", 'i', 'z', rule_fn_year, ""},
    {"getMonth", FN_METHOD, "t", 'i', 0, rule_fn_month, "from 0"},
    {"getMonth", FN_METHOD, "ts", 'i', 'z', rule_fn_month, ""},
    {"getDayOfMonth", FN_METHOD, "t", 'i', 0, rule_fn_day_of_month, "from 0"},
    {"getDayOfMonth", FN_METHOD, "ts", 'i', 'z', rule_fn_day_of_month, ""},
    {"getDate", FN_METHOD, "t", 'i', 0, rule_fn_date, "day of the month, from 1"},
    {"getDate", FN_METHOD, "ts", 'i', 'z', rule_fn_date, ""},
    {"getDayOfWeek", FN_METHOD, "t", 'i', 0, rule_fn_day_of_week, "from 0, a Sunday"},
    {"getDayOfWeek", FN_METHOD, "ts", 'i', 'z', rule_fn_day_of_week, ""},
    {"getDayOfYear", FN_METHOD, "t", 'i', 0, rule_fn_day_of_year, "from 0"},
    {"getDayOfYear", FN_METHOD, "ts", 'i', 'z', rule_fn_day_of_year, ""},
    {"getHours", FN_METHOD, "t", 'i', 0, rule_fn_hours, "of a time; all of a duration"},
    {"getHours", FN_METHOD, "ts", 'i', 'z', rule_fn_hours, ""},
    {"getHours", FN_METHOD, "r", 'i', 0, rule_fn_span_hours, ""},
    {"getMinutes", FN_METHOD, "t", 'i', 0, rule_fn_minutes, "of a time; all of a duration"},
    {"getMinutes", FN_METHOD, "ts", 'i', 'z', rule_fn_minutes, ""},
    {"getMinutes", FN_METHOD, "r", 'i', 0, rule_fn_span_minutes, ""},
    {"getSeconds", FN_METHOD, "t", 'i', 0, rule_fn_seconds, "of a time; all of a duration"},
    {"getSeconds", FN_METHOD, "ts", 'i', 'z', rule_fn_seconds, ""},
    {"getSeconds", FN_METHOD, "r", 'i', 0, rule_fn_span_seconds, ""},
    {"getMilliseconds", FN_METHOD, "t", 'i', 0, rule_fn_millis, "those below the second"},
    {"getMilliseconds", FN_METHOD, "ts", 'i', 'z', rule_fn_millis, ""},
    {"getMilliseconds", FN_METHOD, "r", 'i', 0, rule_fn_span_millis, ""},
    /* numbers */
    {"math.greatest", FN_GLOBAL, "n+", 'a', 0, rule_fn_greatest, "the largest, also of a list"},
    {"math.greatest", FN_GLOBAL, "l", 'a', 0, rule_fn_greatest, ""},
    {"math.least", FN_GLOBAL, "n+", 'a', 0, rule_fn_least, "the smallest, also of a list"},
    {"math.least", FN_GLOBAL, "l", 'a', 0, rule_fn_least, ""},
    {"math.ceil", FN_GLOBAL, "d", 'd', 0, rule_fn_ceil, "up to a whole number"},
    {"math.floor", FN_GLOBAL, "d", 'd', 0, rule_fn_floor, "down to a whole number"},
    {"math.round", FN_GLOBAL, "d", 'd', 0, rule_fn_round, "to the nearest, halves away from zero"},
    {"math.trunc", FN_GLOBAL, "d", 'd', 0, rule_fn_trunc, "towards zero"},
    {"math.abs", FN_GLOBAL, "n", '0', 0, rule_fn_abs, "without its sign"},
    {"math.sign", FN_GLOBAL, "n", '0', 0, rule_fn_sign, "-1, 0 or 1"},
    {"math.sqrt", FN_GLOBAL, "n", 'd', 0, rule_fn_sqrt, "square root"},
    {"math.isNaN", FN_GLOBAL, "d", 'b', 0, rule_fn_is_nan, "no number"},
    {"math.isInf", FN_GLOBAL, "d", 'b', 0, rule_fn_is_inf, "infinite"},
    {"math.isFinite", FN_GLOBAL, "d", 'b', 0, rule_fn_is_finite, "neither"},
    {"math.bitAnd", FN_GLOBAL, "ii", 'i', 0, rule_fn_bit_and, "bitwise"},
    {"math.bitAnd", FN_GLOBAL, "uu", 'u', 0, rule_fn_bit_and, ""},
    {"math.bitOr", FN_GLOBAL, "ii", 'i', 0, rule_fn_bit_or, "bitwise"},
    {"math.bitOr", FN_GLOBAL, "uu", 'u', 0, rule_fn_bit_or, ""},
    {"math.bitXor", FN_GLOBAL, "ii", 'i', 0, rule_fn_bit_xor, "bitwise"},
    {"math.bitXor", FN_GLOBAL, "uu", 'u', 0, rule_fn_bit_xor, ""},
    {"math.bitNot", FN_GLOBAL, "i", 'i', 0, rule_fn_bit_not, "bitwise"},
    {"math.bitNot", FN_GLOBAL, "u", 'u', 0, rule_fn_bit_not, ""},
    {"math.bitShiftLeft", FN_GLOBAL, "ii", 'i', 0, rule_fn_shift_left, "0 past 63"},
    {"math.bitShiftLeft", FN_GLOBAL, "ui", 'u', 0, rule_fn_shift_left, ""},
    {"math.bitShiftRight", FN_GLOBAL, "ii", 'i', 0, rule_fn_shift_right, "zeros come in"},
    {"math.bitShiftRight", FN_GLOBAL, "ui", 'u', 0, rule_fn_shift_right, ""},
    /* optionals */
    {"optional.of", FN_GLOBAL, "a", 'o', 0, rule_fn_opt_of, "an optional that holds the value"},
    {"optional.ofNonZeroValue", FN_GLOBAL, "a", 'o', 0, rule_fn_opt_of_non_zero,
     "none for zero, \"\", false, null, empty"},
    {"optional.unwrap", FN_GLOBAL, "l", 'l', 0, rule_fn_opt_unwrap, "what those of a list hold"},
    {"unwrapOpt", FN_METHOD, "l", 'l', 0, rule_fn_opt_unwrap, "what those of a list hold"},
    {"first", FN_METHOD, "l", 'o', 0, rule_fn_opt_first, "first element of a list, as an optional"},
    {"last", FN_METHOD, "l", 'o', 0, rule_fn_opt_last, "last element of a list, as an optional"},
    {"optional.none", FN_GLOBAL, "", 'o', 0, rule_fn_opt_none, "an optional that holds nothing"},
    {"hasValue", FN_METHOD, "o", 'b', 0, rule_fn_opt_has, "whether it holds one"},
    {"value", FN_METHOD, "o", 'a', 0, rule_fn_opt_value, "what it holds; none is an error"},
    {"or", FN_METHOD, "oo", 'o', 0, rule_fn_opt_or, "itself, or the other when it is none"},
    {"orValue", FN_METHOD, "oa", 'a', 0, rule_fn_opt_or_value, "what it holds, or the default"},
};

#define ROWS ((int32_t)(sizeof(rule_functions) / sizeof(rule_functions[0])))

/* ---- Looking up */

bool rule_fn_same(int32_t first, int32_t row)
{
    SC_ASSERT(first >= 0 && first < ROWS);
    return row < ROWS && strcmp(rule_functions[first].name, rule_functions[row].name) == 0;
}

int32_t rule_fn_find(struct sc_str name, enum fn_form form)
{
    for (int32_t i = 0; i < ROWS; i++)
        if ((rule_functions[i].form & form) && sc_str_eqz(name, rule_functions[i].name))
            return i;
    return -1;
}

void rule_fn_suggest(struct sc_diag *dg, struct sc_finding *f, struct sc_str seen)
{
    static const char *const macros[] = {"has", "all", "exists", "exists_one", "filter", "map"};
    struct sc_str names[sizeof(rule_functions) / sizeof(rule_functions[0]) + 24];
    uint32_t n = rule_fact_names(names, 12);
    for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
        names[n++] = sc_str_from(macros[i]);
    for (int32_t i = 0; i < ROWS; i++)
        if (i == 0 || !rule_fn_same(i - 1, i))
            names[n++] = sc_str_from(rule_functions[i].name);
    sc_diag_suggest(dg, f, seen, names, n);
}

/* ---- Types */

/* By its letter in the function table. */
struct letter {
    uint8_t type, element;
    const char *name;
};
static const struct letter letters[128] = {
    ['b'] = {SC_T_BOOL, 0, "bool"}, ['i'] = {SC_T_INT, 0, "int"}, ['u'] = {SC_T_UINT, 0, "uint"},
    ['d'] = {SC_T_DOUBLE, 0, "double"}, ['c'] = {SC_T_DECIMAL, 0, "decimal"},
    ['n'] = {0, 0, "number"}, ['s'] = {SC_T_STRING, 0, "string"}, ['y'] = {SC_T_BYTES, 0, "bytes"},
    ['t'] = {SC_T_TIMESTAMP, 0, "timestamp"}, ['r'] = {SC_T_DURATION, 0, "duration"},
    ['l'] = {SC_T_LIST, 0, "list"}, ['m'] = {SC_T_MAP, 0, "map"}, ['o'] = {0, 0, "optional"},
    ['T'] = {SC_T_TYPE, 0, "type"}, ['a'] = {0, 0, "any"},
    ['S'] = {SC_T_LIST, SC_T_STRING, "list(string)"}, ['0'] = {0, 0, "the same"},
};

static const struct letter *letter_of(char letter)
{
    const struct letter *l = &letters[letter & 127];
    SC_ASSERT(l->name != NULL);
    return l;
}

struct rule_ty rule_fn_type(char letter)
{
    const struct letter *l = letter_of(letter);
    return (struct rule_ty){l->type, l->element};
}

/* Which types a letter stands for, as bits; the topmost is an optional, which is a list as well. */
#define BIT(type) (UINT32_C(1) << (type))
#define OPTIONAL_BIT BIT(31)
static const uint32_t letter_bits[128] = {
    ['b'] = BIT(SC_T_BOOL), ['i'] = BIT(SC_T_INT), ['u'] = BIT(SC_T_UINT), ['d'] = BIT(SC_T_DOUBLE),
    ['c'] = BIT(SC_T_DECIMAL),
    ['n'] = BIT(SC_T_INT) | BIT(SC_T_UINT) | BIT(SC_T_DOUBLE) | BIT(SC_T_DECIMAL),
    ['s'] = BIT(SC_T_STRING), ['y'] = BIT(SC_T_BYTES), ['t'] = BIT(SC_T_TIMESTAMP),
    ['r'] = BIT(SC_T_DURATION), ['l'] = BIT(SC_T_LIST), ['m'] = BIT(SC_T_MAP), ['o'] = OPTIONAL_BIT,
    ['T'] = BIT(SC_T_TYPE), ['S'] = BIT(SC_T_LIST), ['a'] = UINT32_MAX,
};

static inline bool letter_takes(char letter, uint32_t bit)
{
    return letter_bits[letter & 127] & bit;
}

bool rule_fn_fits(const struct rule_fn *fn, const struct rule_ty *ty, uint32_t n)
{
    const char *want = fn->args;
    for (uint32_t i = 0; i < n; i++) {
        if (*want == '\0' || *want == '+')
            return false;
        if (ty[i].t != SC_T_ABSENT && !letter_takes(*want, BIT(ty[i].t)))
            return false;
        if (want[1] != '+')
            want++;
    }
    return *want == '\0' || (want[1] == '+' && n > 0);
}

static bool takes(const struct rule_fn *fn, const struct sc_value *a, uint32_t n)
{
    const char *want = fn->args;
    for (uint32_t i = 0; i < n; i++) {
        if (!letter_takes(*want, rule_is_optional(a[i]) ? OPTIONAL_BIT : BIT(a[i].type)))
            return false; /* nor does the end of the letters take any */
        if (want[1] != '+')
            want++;
    }
    return *want == '\0' || (want[1] == '+' && n > 0);
}

struct sc_value rule_fn_call(struct run *run, uint32_t row, const struct sc_value *a, uint32_t n)
{
    int32_t first = (int32_t)row;
    SC_ASSERT(first < ROWS);
    for (int32_t i = first; i == first || rule_fn_same(first, i); i++)
        if (takes(&rule_functions[i], a, n))
            return rule_functions[i].impl(run, a, n);
    return sc_error(SC_VE_NO_OVERLOAD);
}

/* ---- The table of the reference */

static void signature(const struct rule_fn *fn, struct sc_buf *out)
{
    const char *p = fn->args;
    if (fn->form == FN_METHOD)
        sc_buf_addf(out, "%s.", letter_of(*p++)->name);
    sc_buf_addf(out, "%s(", fn->name);
    for (bool first = true; *p; p++, first = false) {
        if (*p == '+')
            sc_buf_addz(out, ", …");
        else
            sc_buf_addf(out, "%s%s", first ? "" : ", ", letter_of(*p)->name);
    }
    sc_buf_addz(out, ")");
}

const char *rule_fn_usage(int32_t row, struct sc_arena *ar)
{
    struct sc_buf b = {0};
    signature(&rule_functions[row], &b);
    for (int32_t i = row + 1; rule_fn_same(row, i); i++) {
        sc_buf_addz(&b, ", ");
        signature(&rule_functions[i], &b);
    }
    char *text = sc_arena_dup(ar, b.p, b.len);
    sc_buf_fini(&b);
    return text;
}

void rule_fn_reference(struct sc_buf *out)
{
    sc_buf_addz(out, "| function | value | what it is |\n|---|---|---|\n");
    for (int32_t row = 0; row < ROWS; row++) {
        const struct rule_fn *fn = &rule_functions[row];
        if (row > 0 && rule_fn_same(row - 1, row))
            continue;
        sc_buf_addz(out, "| ");
        for (int32_t i = row; rule_fn_same(row, i); i++) {
            sc_buf_addz(out, i == row ? "`" : " `");
            signature(&rule_functions[i], out);
            sc_buf_addz(out, "`");
        }
        sc_buf_addf(out, " | %s | %s |\n", letter_of(fn->ret)->name, fn->doc);
    }
}
