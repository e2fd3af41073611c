/* JSON writer: commas from one bit a depth, escapes by runs of plain bytes. */
#include "base/jsonw.h"
#include "base/assert.h"
#include "base/time.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 64

void sc_jsonw_init(struct sc_jsonw *w, struct sc_buf *out)
{
    *w = (struct sc_jsonw){.out = out};
}

/* What stands before a value or key: a comma if it is not the first of its container. */
static void before(struct sc_jsonw *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->depth == 0)
        return;
    uint64_t bit = UINT64_C(1) << (w->depth - 1);
    if (w->comma & bit)
        sc_buf_char(w->out, ',');
    w->comma |= bit;
}

static void nest(struct sc_jsonw *w, char open)
{
    before(w);
    SC_ASSERT(w->depth < DEPTH_MAX);
    w->comma &= ~(UINT64_C(1) << w->depth++);
    sc_buf_char(w->out, open);
}

static void unnest(struct sc_jsonw *w, char close)
{
    SC_ASSERT(w->depth > 0 && !w->after_key);
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

#define ONES (UINT64_MAX / 255)

/* Eight bytes with no control, quote, backslash, nor more than ASCII among them. */
static bool all_plain(uint64_t v)
{
    uint64_t quote = v ^ ONES * '"', back = v ^ ONES * '\\';
    return ((v | (v - ONES * 0x20) | (quote - ONES) | (back - ONES)) & ONES << 7) == 0;
}

/* Eight bytes at a time, the last of them filled up with blanks: up to the first group that is not
 * plain. */
static size_t skip_plain(struct sc_str s, size_t i)
{
    uint64_t v;
    for (; i + sizeof(v) <= s.len; i += sizeof(v)) {
        memcpy(&v, s.p + i, sizeof(v));
        if (!all_plain(v))
            return i;
    }
    v = ONES * ' ';
    if (i < s.len)
        memcpy(&v, s.p + i, s.len - i);
    return all_plain(v) ? s.len : i;
}

/* `s` as it is in quotes, and what comes behind its last byte. */
static void quoted(struct sc_buf *out, struct sc_str s, const char *end)
{
    size_t n = strlen(end);
    if (out->cap - out->len < s.len + 1 + n)
        sc_buf_reserve(out, s.len + 1 + n);
    char *p = out->p + out->len;
    *p = '"';
    if (s.len) /* else perhaps NULL */
        memcpy(p + 1, s.p, s.len);
    memcpy(p + 1 + s.len, end, n);
    out->len += s.len + 1 + n;
}

static void string(struct sc_buf *out, struct sc_str s)
{
    if (skip_plain(s, 0) == s.len) { /* nearly every one */
        quoted(out, s, "\"");
        return;
    }
    sc_buf_char(out, '"');
    size_t run = 0; /* start of bytes not yet copied */
    for (size_t i = 0; i < s.len;) {
        i = skip_plain(s, i);
        if (i == s.len)
            break;
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
    sc_buf_char(out, '"');
}

void sc_jsonw_key(struct sc_jsonw *w, struct sc_str key)
{
    SC_ASSERT(w->depth > 0 && !w->after_key);
    before(w);
    string(w->out, key);
    sc_buf_char(w->out, ':');
    w->after_key = true;
}

void sc_jsonw_keyz(struct sc_jsonw *w, const char *key)
{
    SC_ASSERT(w->depth > 0 && !w->after_key);
    before(w);
    quoted(w->out, sc_str_from(key), "\":");
    w->after_key = true;
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
    before(w);
    char text[32];
    sc_buf_char(w->out, '"');
    sc_buf_add(w->out, text, sc_time_format(ms, text));
    sc_buf_char(w->out, '"');
}

void sc_jsonw_raw(struct sc_jsonw *w, struct sc_str json)
{
    SC_ASSERT(json.len != 0);
    before(w);
    sc_buf_str(w->out, json);
}
