/* JSON writer: commas from the last byte written, strings copied by eights while they are plain. */
#include "base/jsonw.h"
#include "base/assert.h"
#include "base/time.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 64

void sc_jsonw_init(struct sc_jsonw *w, struct sc_buf *out)
{
    *w = (struct sc_jsonw){.out = out};
}

/* What stands before a value: a comma unless it is the first of its container, or behind a key. */
static inline void before(struct sc_jsonw *w)
{
    if (w->depth == 0)
        return;
    char last = w->out->p[w->out->len - 1];
    if (last != '{' && last != '[' && last != ':')
        sc_buf_char(w->out, ',');
}

static void nest(struct sc_jsonw *w, char open)
{
    before(w);
    SC_ASSERT(w->depth < DEPTH_MAX);
    w->depth++;
    sc_buf_char(w->out, open);
}

static void unnest(struct sc_jsonw *w, char close)
{
    SC_ASSERT(w->depth > 0 && w->out->p[w->out->len - 1] != ':');
    --w->depth;
    sc_buf_char(w->out, close);
}

void sc_jsonw_obj(struct sc_jsonw *w)
{
    nest(w, '{');
}

void sc_jsonw_obj_end(struct sc_jsonw *w)
{
    unnest(w, '}');
}

void sc_jsonw_arr(struct sc_jsonw *w)
{
    nest(w, '[');
}

void sc_jsonw_arr_end(struct sc_jsonw *w)
{
    unnest(w, ']');
}

static void escape(struct sc_buf *out, unsigned char c)
{
    static const char short_form[] = "b\bt\tn\nf\fr\r\"\"\\\\";
    for (size_t i = 0; i < sizeof(short_form) - 1; i += 2) {
        if ((unsigned char)short_form[i + 1] == c) {
            sc_buf_add(out, (char[]){'\\', short_form[i]}, 2);
            return;
        }
    }
    sc_buf_addf(out, "\\u%04x", c);
}

/* Whether eight bytes are ASCII without controls, quotes and backslashes. */
static inline bool plain8(uint64_t v)
{
    const uint64_t ones = UINT64_MAX / 255, high = ones << 7;
    uint64_t quote = v ^ ones * '"', back = v ^ ones * '\\';
    return ((v | (v - ones * 0x20) | (quote - ones) | (back - ones)) & high) == 0;
}

/* Copy plain bytes, at least those before the first group of eight with another one in it. Returns
 * how many; `to` has room for all. */
static inline size_t copy_plain(char *to, struct sc_str s)
{
    uint64_t v;
    uint32_t first, last;
    size_t i = 0, rest;
    for (; i + sizeof(v) <= s.len; i += sizeof(v)) {
        memcpy(&v, s.p + i, sizeof(v));
        memcpy(to + i, &v, sizeof(v));
        if (!plain8(v))
            return i;
    }
    rest = s.len - i;
    if (rest >= sizeof(first)) { /* the two halves may overlap */
        memcpy(&first, s.p + i, sizeof(first));
        memcpy(&last, s.p + s.len - sizeof(last), sizeof(last));
        memcpy(to + i, &first, sizeof(first));
        memcpy(to + s.len - sizeof(last), &last, sizeof(last));
        return plain8((uint64_t)last << 32 | first) ? s.len : i;
    }
    if (rest == 0)
        return i;
    size_t middle = i + rest / 2, end = s.len - 1; /* as before, of one to three bytes */
    to[i] = s.p[i];
    to[middle] = s.p[middle];
    to[end] = s.p[end];
    v = UINT64_C(0x2020202020000000) | (unsigned char)s.p[i] |
        (uint64_t)(unsigned char)s.p[middle] << 8 | (uint64_t)(unsigned char)s.p[end] << 16;
    return plain8(v) ? s.len : i;
}

/* The rest of a string, from `i` where something is not plain, or may be. */
static void string_rest(struct sc_buf *out, struct sc_str s, size_t i)
{
    size_t run = i; /* start of bytes not yet copied */
    while (i < s.len) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = c < 0x80 ? 1 : sc_str_utf8_next(s, i);
        if (n != 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += n;
            continue;
        }
        sc_buf_add(out, s.p + run, i - run);
        if (n == 0)
            sc_buf_addz(out, "\xEF\xBF\xBD");
        else
            escape(out, c);
        run = ++i;
    }
    sc_buf_add(out, s.p + run, s.len - run);
}

static void string(struct sc_buf *out, struct sc_str s)
{
    if (out->cap - out->len < s.len + 2)
        sc_buf_reserve(out, s.len + 2);
    char *to = out->p + out->len;
    *to++ = '"';
    size_t n = s.len ? copy_plain(to, s) : 0;
    out->len += 1 + n;
    if (n == s.len) {
        to[n] = '"';
        out->len++;
        return;
    }
    string_rest(out, s, n);
    sc_buf_char(out, '"');
}

void sc_jsonw_key(struct sc_jsonw *w, struct sc_str key)
{
    SC_ASSERT(w->depth > 0 && w->out->p[w->out->len - 1] != ':');
    before(w);
    string(w->out, key);
    sc_buf_char(w->out, ':');
}

void sc_jsonw_str(struct sc_jsonw *w, struct sc_str s)
{
    before(w);
    string(w->out, s);
}

void sc_jsonw_strz(struct sc_jsonw *w, const char *z)
{
    sc_jsonw_str(w, sc_str_from(z));
}

void sc_jsonw_word(struct sc_jsonw *w, const char *z)
{
    struct sc_buf *out = w->out;
    size_t n = strlen(z);
    before(w);
    if (out->cap - out->len < n + 2)
        sc_buf_reserve(out, n + 2);
    char *to = out->p + out->len;
    *to = '"';
    memcpy(to + 1, z, n);
    to[n + 1] = '"';
    out->len += n + 2;
}

void sc_jsonw_int(struct sc_jsonw *w, int64_t i)
{
    before(w);
    sc_buf_int(w->out, i);
}

void sc_jsonw_uint(struct sc_jsonw *w, uint64_t u)
{
    before(w);
    sc_buf_uint(w->out, u);
}

void sc_jsonw_double(struct sc_jsonw *w, double d)
{
    if (!isfinite(d)) {
        if (w->words)
            sc_jsonw_word(w, isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
        else
            sc_jsonw_null(w);
        return;
    }
    before(w);
    char text[32];
    for (int digits = 15; digits <= 17; ++digits) { /* 17 always read back the same */
        snprintf(text, sizeof(text), "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    sc_buf_addz(w->out, text);
}

void sc_jsonw_decimal(struct sc_jsonw *w, struct sc_decimal d)
{
    before(w);
    char text[24];
    sc_buf_add(w->out, text, sc_decimal_format(d, text));
}

/* Four bytes as eight digits: each half of a byte in a byte of its own, all at once. */
static inline uint64_t hex8(const uint8_t bytes[4])
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t v = bytes[0] | (uint64_t)bytes[1] << 16 | (uint64_t)bytes[2] << 32 |
                 (uint64_t)bytes[3] << 48;
    v = (v >> 4 | v << 8) & ones * 0x0f; /* the high half first */
    uint64_t letter = (v + ones * 6) >> 4 & ones;
    return htole64(v + ones * '0' + letter * ('a' - '0' - 10));
}

void sc_jsonw_hex(struct sc_jsonw *w, const uint8_t bytes[16])
{
    before(w);
    if (w->out->cap - w->out->len < 34)
        sc_buf_reserve(w->out, 34);
    char *to = w->out->p + w->out->len;
    *to++ = '"';
    for (size_t i = 0; i < 16; i += 4, to += 8) {
        uint64_t digits = hex8(bytes + i);
        memcpy(to, &digits, sizeof(digits));
    }
    *to = '"';
    w->out->len += 34;
}

void sc_jsonw_bool(struct sc_jsonw *w, bool b)
{
    before(w);
    sc_buf_addz(w->out, b ? "true" : "false");
}

void sc_jsonw_null(struct sc_jsonw *w)
{
    before(w);
    sc_buf_addz(w->out, "null");
}

void sc_jsonw_time(struct sc_jsonw *w, int64_t ms)
{
    char text[34] = "\"";
    size_t n = 1 + sc_time_format(ms, text + 1);
    before(w);
    text[n++] = '"';
    sc_buf_add(w->out, text, n);
}

void sc_jsonw_raw(struct sc_jsonw *w, struct sc_str json)
{
    SC_ASSERT(json.len != 0);
    before(w);
    sc_buf_str(w->out, json);
}
