/* Strings and byte buffers. */
#include "base/str.h"
#include "base/arena.h"
#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DISTANCE_MAX_LEN 64

int sc_str_cmp(struct sc_str a, struct sc_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct sc_str sc_str_trim(struct sc_str s)
{
    while (s.len && is_space(s.p[0])) {
        ++s.p;
        --s.len;
    }
    while (s.len && is_space(s.p[s.len - 1]))
        --s.len;
    return s;
}

struct sc_str sc_str_dup(struct sc_arena *ar, struct sc_str s)
{
    return (struct sc_str){sc_arena_dup(ar, s.p, s.len), s.len};
}

struct sc_str sc_str_printf(struct sc_arena *ar, const char *fmt, ...)
{
    struct sc_str s;
    va_list args;
    va_start(args, fmt);
    s.p = sc_arena_vprintf(ar, &s.len, fmt, args);
    va_end(args);
    return s;
}

bool sc_str_int(struct sc_str s, int64_t *out)
{
    bool negative = s.len && s.p[0] == '-';
    size_t i = s.len && (s.p[0] == '-' || s.p[0] == '+');
    if (i == s.len)
        return false;
    int64_t v = 0; /* built negative: INT64_MIN has no positive */
    for (; i < s.len; ++i) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, s.p[i] - '0', &v))
            return false;
    }
    if (!negative && v == INT64_MIN)
        return false;
    *out = negative ? v : -v;
    return true;
}

/* Length of the well-formed sequence at s[i], 0 if there is none (Unicode 15, table 3-7). */
static size_t utf8_len(const unsigned char *s, size_t left)
{
    unsigned char c = s[0];
    if (c < 0x80)
        return 1;
    if (c < 0xC2 || c > 0xF4)
        return 0;
    size_t n = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (left < n)
        return 0;
    unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < n; ++i)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

size_t sc_str_utf8_next(struct sc_str s, size_t at)
{
    SC_ASSERT(at < s.len);
    return utf8_len((const unsigned char *)s.p + at, s.len - at);
}

bool sc_str_utf8_ok(struct sc_str s)
{
    size_t i = 0;
    while (i < s.len) {
        uint64_t eight;
        if (s.len - i >= 8) { /* ASCII, eight bytes at a time */
            memcpy(&eight, s.p + i, 8);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += 8;
                continue;
            }
        }
        size_t n = sc_str_utf8_next(s, i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Optimal string alignment: insert, delete, replace, and swap of neighbours cost 1 each. Three rows
 * of the table are enough. */
unsigned sc_str_distance(struct sc_str a, struct sc_str b, unsigned max)
{
    if (a.len > DISTANCE_MAX_LEN || b.len > DISTANCE_MAX_LEN)
        return max + 1;
    unsigned rows[3][DISTANCE_MAX_LEN + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b.len; ++j)
        last[j] = j;
    for (unsigned i = 1; i <= a.len; ++i) {
        row[0] = i;
        for (unsigned j = 1; j <= b.len; ++j) {
            unsigned change = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            row[j] = min3(last[j] + 1, row[j - 1] + 1, change);
            bool swapped = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
            if (swapped && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b.len] > max ? max + 1 : last[b.len];
}

void sc_buf_fini(struct sc_buf *b)
{
    if (b->ar == NULL)
        free(b->p);
    *b = (struct sc_buf){0};
}

void sc_buf_reserve(struct sc_buf *b, size_t more)
{
    SC_ASSERT(more <= SIZE_MAX / 4 && b->len <= b->cap);
    if (b->cap - b->len >= more)
        return;
    size_t cap = b->cap ? b->cap * 2 : 256;
    if (cap < b->len + more)
        cap = b->len + more;
    if (b->ar) {
        char *to = sc_arena_alloc_align(b->ar, cap, 1);
        if (b->len)
            memcpy(to, b->p, b->len);
        b->p = to;
    } else {
        b->p = sc_realloc(b->p, cap);
    }
    b->cap = cap;
}

void sc_buf_addz(struct sc_buf *b, const char *z)
{
    sc_buf_add(b, z, strlen(z));
}

void sc_buf_addf(struct sc_buf *b, const char *fmt, ...)
{
    va_list args, again;
    sc_buf_reserve(b, 64); /* most texts fit, and are formatted once */
    size_t room = b->cap - b->len;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(b->p + b->len, room, fmt, args);
    va_end(args);
    SC_ASSERT(n >= 0);
    if ((size_t)n >= room) {
        sc_buf_reserve(b, (size_t)n + 1); /* room for vsnprintf's NUL, which is not counted */
        vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    b->len += (size_t)n;
}

void sc_buf_uint(struct sc_buf *b, uint64_t u)
{
    char text[20], *at = text + sizeof(text);
    do
        *--at = (char)('0' + u % 10);
    while (u /= 10);
    sc_buf_add(b, at, (size_t)(text + sizeof(text) - at));
}

void sc_buf_int(struct sc_buf *b, int64_t i)
{
    if (i < 0)
        sc_buf_char(b, '-');
    sc_buf_uint(b, i < 0 ? -(uint64_t)i : (uint64_t)i);
}
