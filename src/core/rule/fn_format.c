/* "…".format([…]): C's printf as CEL has it. Source: cel-spec doc/extensions/strings.md.
 *
 * The text grows in a heap buffer and is copied into the arena at the end; every piece spends from
 * the budget, so its size is bounded. */
#include "core/rule/fn.h"

#include "base/assert.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PRECISION_MAX 100

struct format {
    struct run *run;
    struct sc_buf out;
    int precision; /* -1: none given */
};

static bool value_text(struct format *f, struct sc_value v, struct sc_buf *out, unsigned depth);

static int by_text(const void *pa, const void *pb)
{
    const struct sc_str *a = pa, *b = pb;
    return sc_str_cmp(a[0], b[0]);
}

/* {key: value, …}, sorted by the keys' text. */
static bool map_text(struct format *f, struct sc_value v, struct sc_buf *out, unsigned depth)
{
    struct sc_str *texts = sc_arena_alloc(f->run->ar, (2 * (size_t)v.len + 1) * sizeof(*texts));
    for (uint32_t i = 0; i < 2 * v.len; i++) {
        struct sc_buf b = {0};
        bool ok = value_text(f, v.map[i], &b, depth + 1);
        texts[i] = sc_str_dup(f->run->ar, sc_buf_view(&b));
        sc_buf_fini(&b);
        if (!ok)
            return false;
    }
    qsort(texts, v.len, 2 * sizeof(*texts), by_text);
    for (uint32_t i = 0; i < v.len; i++)
        sc_buf_addf(out, "%s%.*s: %.*s", i ? ", " : "", SC_STR_FMT(texts[2 * i]),
                    SC_STR_FMT(texts[2 * i + 1]));
    return true;
}

/* Runs of bytes that are no UTF-8 become one U+FFFD. */
static void bytes_text(struct sc_str s, struct sc_buf *out)
{
    bool bad = false;
    for (size_t i = 0; i < s.len;) {
        size_t len = 0;
        for (size_t k = 1; k <= 4 && k <= s.len - i && len == 0; k++)
            if (sc_str_utf8_ok((struct sc_str){s.p + i, k}))
                len = k;
        if (len)
            sc_buf_add(out, s.p + i, len);
        else if (!bad)
            sc_buf_addz(out, "\xef\xbf\xbd");
        bad = len == 0;
        i += len ? len : 1;
    }
}

/* %s */
static bool value_text(struct format *f, struct sc_value v, struct sc_buf *out, unsigned depth)
{
    uint32_t steps = v.type == SC_T_STRING || v.type == SC_T_BYTES ? 1 + v.len / 16 : 1;
    if (depth > SC_RULE_VALUE_DEPTH || rule_is_optional(v) || !rule_spend(f->run, steps))
        return false;
    if (v.type == SC_T_BYTES) {
        bytes_text(sc_value_str(v), out);
        return true;
    }
    if (v.type != SC_T_LIST && v.type != SC_T_MAP) {
        struct sc_value s = rule_to_string(f->run, v);
        if (s.type == SC_T_STRING)
            sc_buf_str(out, sc_value_str(s));
        return s.type == SC_T_STRING;
    }
    bool ok = true;
    sc_buf_addz(out, v.type == SC_T_LIST ? "[" : "{");
    if (v.type == SC_T_MAP)
        ok = map_text(f, v, out, depth);
    for (uint32_t i = 0; v.type == SC_T_LIST && i < v.len && ok; i++) {
        sc_buf_addz(out, i ? ", " : "");
        ok = value_text(f, v.list[i], out, depth + 1);
    }
    sc_buf_addz(out, v.type == SC_T_LIST ? "]" : "}");
    return ok;
}

/* An int or a uint as sign and magnitude. */
static bool magnitude(struct sc_value v, bool *negative, uint64_t *u)
{
    *negative = v.type == SC_T_INT && v.i < 0;
    *u = *negative ? 0 - v.u : v.u;
    return v.type == SC_T_INT || v.type == SC_T_UINT;
}

/* %b %o %x %X of whole numbers: 1, 3 or 4 bits a digit. */
static bool digits_text(struct format *f, struct sc_value v, unsigned bits, bool upper)
{
    char text[72], *p = text + sizeof(text);
    bool negative;
    uint64_t u;
    if (!magnitude(v, &negative, &u))
        return false;
    do {
        *--p = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[u & ((1u << bits) - 1)];
        u >>= bits;
    } while (u);
    if (negative)
        *--p = '-';
    sc_buf_add(&f->out, p, (size_t)(text + sizeof(text) - p));
    return true;
}

static bool hex_text(struct format *f, struct sc_value v, bool upper)
{
    if (v.type != SC_T_STRING && v.type != SC_T_BYTES)
        return digits_text(f, v, 4, upper);
    for (uint32_t i = 0; i < v.len; i++) {
        char two[3];
        snprintf(two, sizeof(two), upper ? "%02X" : "%02x", (unsigned char)v.s[i]);
        sc_buf_add(&f->out, two, 2);
    }
    return true;
}

/* %f %e */
static bool real_text(struct format *f, struct sc_value v, char conversion)
{
    char text[512], plain[40];
    int precision = f->precision < 0 ? 6 : f->precision;
    struct sc_value d = v.type == SC_T_STRING ? v : rule_fn_to_double(f->run, &v, 1);
    if (d.type != SC_T_DOUBLE)
        return false;
    if (!isfinite(d.d)) {
        sc_buf_add(&f->out, plain, rule_double_text(d.d, plain));
        return true;
    }
    int n = conversion == 'f' ? snprintf(text, sizeof(text), "%.*f", precision, d.d)
                              : snprintf(text, sizeof(text), "%.*e", precision, d.d);
    SC_ASSERT(n > 0 && n < (int)sizeof(text));
    sc_buf_add(&f->out, text, (size_t)n);
    return true;
}

static bool is_number(struct sc_value v)
{
    return v.type == SC_T_INT || v.type == SC_T_UINT || v.type == SC_T_DOUBLE ||
           v.type == SC_T_DECIMAL;
}

static bool convert(struct format *f, char conversion, struct sc_value v)
{
    bool boolean = v.type == SC_T_BOOL;
    switch (conversion) {
    case 's': return value_text(f, v, &f->out, 0);
    case 'd': return is_number(v) && value_text(f, v, &f->out, 0);
    case 'f': case 'e': return is_number(v) && real_text(f, v, conversion);
    case 'x': case 'X': return hex_text(f, v, conversion == 'X');
    case 'o': return digits_text(f, v, 3, false);
    case 'b': return digits_text(f, boolean ? sc_int(v.i) : v, 1, false);
    default: return false;
    }
}

/* ".12" at *i; false when it is too large or has no digits. */
static bool take_precision(struct format *f, struct sc_str s, size_t *i)
{
    f->precision = -1;
    if (*i >= s.len || s.p[*i] != '.')
        return true;
    f->precision = 0;
    size_t from = ++*i;
    for (; *i < s.len && s.p[*i] >= '0' && s.p[*i] <= '9'; ++*i) {
        f->precision = f->precision * 10 + (s.p[*i] - '0');
        if (f->precision > PRECISION_MAX)
            return false;
    }
    return *i > from;
}

static enum sc_value_err format_all(struct format *f, struct sc_str s, struct sc_value args)
{
    uint32_t used = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] != '%') {
            sc_buf_char(&f->out, s.p[i]);
            continue;
        }
        if (++i < s.len && s.p[i] == '%') {
            sc_buf_char(&f->out, '%');
            continue;
        }
        if (!take_precision(f, s, &i) || i >= s.len)
            return SC_VE_CONVERSION;
        if (used == args.len)
            return SC_VE_INDEX;
        if (!convert(f, s.p[i], args.list[used++]))
            return f->run->budget ? SC_VE_CONVERSION : SC_VE_LIMIT;
        if (!rule_spend(f->run, 1))
            return SC_VE_LIMIT;
    }
    return SC_VE_NO_VALUE;
}

struct sc_value rule_fn_format(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct format f = {.run = run};
    SC_ASSERT(n == 2 && a[1].type == SC_T_LIST);
    enum sc_value_err err = format_all(&f, sc_value_str(a[0]), a[1]);
    char *out = rule_new_string(run, f.out.len);
    struct sc_value v = sc_error(err);
    if (err == SC_VE_NO_VALUE)
        v = sc_error(SC_VE_LIMIT);
    if (err == SC_VE_NO_VALUE && out) {
        memcpy(out, f.out.p ? f.out.p : "", f.out.len);
        v = rule_string_at(out, f.out.len);
    }
    sc_buf_fini(&f.out);
    return v;
}
