/* Strings: places are counted in characters (code points), as CEL does. Source: cel-spec
 * doc/langdef.md and doc/extensions/strings.md. Cost: linear, but for lastIndexOf, and spent from the
 * budget. */
#include "core/rule/fn.h"

#include "base/assert.h"
#include "base/base64.h"

static struct sc_str str(struct sc_value v)
{
    return v.len ? sc_value_str(v) : SC_STR("");
}

static struct sc_value limit(void)
{
    return sc_error(SC_VE_LIMIT);
}

/* ---- UTF-8: strings are well-formed here */

static size_t char_len(char first)
{
    unsigned char c = (unsigned char)first;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static int64_t count_chars(struct sc_str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

/* Byte offset of character `at`; s.len for the end; false outside. */
static bool byte_at(struct sc_str s, int64_t at, size_t *out)
{
    size_t i = 0;
    if (at < 0)
        return false;
    for (; at > 0 && i < s.len; at--)
        i += char_len(s.p[i]);
    *out = i;
    return at == 0;
}

static const char *find(struct sc_str s, struct sc_str what)
{
    if (what.len == 0)
        return s.p;
    return memmem(s.p, s.len, what.p, what.len);
}

/* ---- Questions */

struct sc_value rule_fn_size(struct run *run, const struct sc_value *a, uint32_t n)
{
    SC_ASSERT(n == 1);
    if (a->type != SC_T_STRING)
        return sc_int(a->len);
    return rule_spend(run, a->len / 16) ? sc_int(count_chars(str(*a))) : limit();
}

struct sc_value rule_fn_contains(struct run *run, const struct sc_value *a, uint32_t n)
{
    SC_ASSERT(n == 2);
    if (!rule_spend(run, a->len / 16))
        return limit();
    return sc_bool(find(str(a[0]), str(a[1])) != NULL);
}

struct sc_value rule_fn_starts_with(struct run *run, const struct sc_value *a, uint32_t n)
{
    (void)run;
    SC_ASSERT(n == 2);
    return sc_bool(sc_str_starts(str(a[0]), str(a[1])));
}

struct sc_value rule_fn_ends_with(struct run *run, const struct sc_value *a, uint32_t n)
{
    (void)run;
    SC_ASSERT(n == 2);
    return sc_bool(sc_str_ends(str(a[0]), str(a[1])));
}

/* A pattern that was no literal is compiled here (free-standing expressions alone have those). */
struct sc_value rule_fn_matches(struct run *run, const struct sc_value *a, uint32_t n)
{
    const struct sc_regex *ready = run->prep ? run->prep->regex : NULL;
    struct sc_regex *own = NULL;
    struct sc_str err;
    SC_ASSERT(n == 2);
    if (!rule_spend(run, ready ? 20 : 1000))
        return limit();
    if (ready == NULL)
        ready = own = sc_regex_create(str(a[1]), run->ar, &err);
    if (ready == NULL)
        return sc_error(SC_VE_CONVERSION);
    int found = sc_regex_search(ready, str(a[0]));
    if (own)
        sc_regex_destroy(own);
    return found < 0 ? limit() : sc_bool(found);
}

struct sc_value rule_fn_char_at(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_str s = str(a[0]);
    size_t at;
    SC_ASSERT(n == 2);
    if (!rule_spend(run, s.len / 16))
        return limit();
    if (!byte_at(s, a[1].i, &at))
        return sc_error(SC_VE_INDEX);
    return rule_string_at(s.p + at, at < s.len ? char_len(s.p[at]) : 0);
}

struct sc_value rule_fn_index_of(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_str s = str(a[0]);
    size_t from = 0;
    if (!rule_spend(run, s.len / 8))
        return limit();
    if (n == 3 && !byte_at(s, a[2].i, &from))
        return sc_error(SC_VE_INDEX);
    SC_ASSERT(from <= s.len);
    const char *at = find((struct sc_str){s.p + from, s.len - from}, str(a[1]));
    return sc_int(at ? count_chars((struct sc_str){s.p, (size_t)(at - s.p)}) : -1);
}

struct sc_value rule_fn_last_index_of(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_str s = str(a[0]), what = str(a[1]);
    size_t from = s.len;
    /* compared at each place: no library looks backwards in linear time */
    if (!rule_spend(run, s.len / 8 + s.len / 64 * (what.len / 64)))
        return limit();
    if (n == 3 && !byte_at(s, a[2].i, &from))
        return sc_error(SC_VE_INDEX);
    SC_ASSERT(from <= s.len);
    if (what.len > s.len)
        return sc_int(-1);
    size_t at = from < s.len - what.len ? from : s.len - what.len;
    for (size_t i = at + 1; i > 0; i--)
        if (memcmp(s.p + i - 1, what.p, what.len) == 0)
            return sc_int(count_chars((struct sc_str){s.p, i - 1}));
    return sc_int(-1);
}

/* ---- New strings */

static struct sc_value map_bytes(struct run *run, struct sc_str s, char from, char to)
{
    char *out = rule_new_string(run, s.len);
    if (out == NULL)
        return limit();
    for (size_t i = 0; i < s.len; i++) {
        bool in = s.p[i] >= from && s.p[i] <= from + 25;
        out[i] = in ? (char)(s.p[i] - from + to) : s.p[i];
    }
    return rule_string_at(out, s.len);
}

struct sc_value rule_fn_lower(struct run *run, const struct sc_value *a, uint32_t n)
{
    SC_ASSERT(n == 1);
    return map_bytes(run, str(*a), 'A', 'a');
}

struct sc_value rule_fn_upper(struct run *run, const struct sc_value *a, uint32_t n)
{
    SC_ASSERT(n == 1);
    return map_bytes(run, str(*a), 'a', 'A');
}

struct sc_value rule_fn_join(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_str sep = n == 2 ? str(a[1]) : SC_STR("");
    uint64_t bytes = 0, at = 0;
    SC_ASSERT(a->type == SC_T_LIST);
    for (uint32_t i = 0; i < a->len; i++) {
        if (a->list[i].type != SC_T_STRING)
            return sc_error(SC_VE_NO_OVERLOAD);
        bytes += a->list[i].len + (i ? sep.len : 0);
    }
    char *out = rule_new_string(run, bytes + a->len);
    if (out == NULL)
        return limit();
    for (uint32_t i = 0; i < a->len; i++) {
        struct sc_str part = str(a->list[i]);
        memcpy(out + at, sep.p, i ? sep.len : 0);
        at += i ? sep.len : 0;
        memcpy(out + at, part.p, part.len);
        at += part.len;
    }
    return rule_string_at(out, (size_t)at);
}

struct sc_value rule_fn_substring(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_str s = str(a[0]);
    size_t from, to = s.len;
    if (!rule_spend(run, s.len / 16))
        return limit();
    if (!byte_at(s, a[1].i, &from) || (n == 3 && !byte_at(s, a[2].i, &to)) || from > to)
        return sc_error(SC_VE_INDEX);
    SC_ASSERT(to <= s.len);
    return rule_string_at(s.p + from, to - from);
}

struct sc_value rule_fn_reverse(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_str s = str(*a);
    char *out = rule_new_string(run, s.len);
    SC_ASSERT(n == 1);
    if (out == NULL)
        return limit();
    for (size_t i = 0; i < s.len;) {
        size_t len = char_len(s.p[i]);
        len = len > s.len - i ? s.len - i : len;
        memcpy(out + s.len - i - len, s.p + i, len);
        i += len;
    }
    return rule_string_at(out, s.len);
}

/* Code point at `p`, its length in `len`. */
static uint32_t code_point(const char *p, size_t left, size_t *len)
{
    unsigned char c = (unsigned char)*p;
    *len = char_len(*p) > left ? left : char_len(*p);
    uint32_t u = *len == 1 ? c : *len == 2 ? c & 0x1fu : *len == 3 ? c & 0x0fu : c & 0x07u;
    for (size_t i = 1; i < *len; i++)
        u = u << 6 | ((unsigned char)p[i] & 0x3fu);
    return u;
}

/* Unicode's White_Space. */
static bool is_space(uint32_t u)
{
    return (u >= 9 && u <= 13) || u == 0x20 || u == 0x85 || u == 0xa0 || u == 0x1680 ||
           (u >= 0x2000 && u <= 0x200a) || u == 0x2028 || u == 0x2029 || u == 0x202f ||
           u == 0x205f || u == 0x3000;
}

struct sc_value rule_fn_trim(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_str s = str(*a);
    size_t from = 0, to = 0, len;
    bool text = false;
    SC_ASSERT(n == 1);
    if (!rule_spend(run, s.len / 16))
        return limit();
    for (size_t i = 0; i < s.len; i += len) {
        bool space = is_space(code_point(s.p + i, s.len - i, &len));
        if (!space) {
            from = text ? from : i;
            to = i + len;
            text = true;
        }
    }
    return rule_string_at(s.p + from, to - from);
}

static uint64_t put(char *out, uint64_t at, struct sc_str part)
{
    if (out && part.len > 0)
        memcpy(out + at, part.p, part.len);
    return at + part.len;
}

static struct sc_str behind(struct sc_str s, size_t n)
{
    SC_ASSERT(n <= s.len);
    return (struct sc_str){s.p + n, s.len - n};
}

/* Put `with` for at most `most` finds of `what`; an empty `what` is found before each character and
 * at the end. `out` NULL: only count bytes. */
static uint64_t replace_into(struct sc_str s, const struct sc_str both[2], int64_t most, char *out)
{
    struct sc_str what = both[0], with = both[1];
    uint64_t at = 0;
    for (const char *hit; most != 0 && (hit = find(s, what)) != NULL; most--) {
        size_t before = (size_t)(hit - s.p);
        at = put(out, at, (struct sc_str){s.p, before});
        at = put(out, at, with);
        s = behind(s, before + what.len);
        if (what.len > 0)
            continue;
        if (s.len == 0)
            break;
        size_t len = char_len(*s.p) > s.len ? s.len : char_len(*s.p);
        at = put(out, at, (struct sc_str){s.p, len});
        s = behind(s, len);
    }
    return put(out, at, s);
}

struct sc_value rule_fn_replace(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_str s = str(a[0]), both[2] = {str(a[1]), str(a[2])};
    int64_t most = n == 4 ? a[3].i : -1;
    SC_ASSERT(n == 3 || n == 4);
    if (!rule_spend(run, s.len / 8))
        return limit();
    uint64_t bytes = replace_into(s, both, most, NULL);
    char *out = rule_new_string(run, bytes);
    if (out == NULL)
        return limit();
    replace_into(s, both, most, out);
    return rule_string_at(out, (size_t)bytes);
}

struct sc_value rule_fn_split(struct run *run, const struct sc_value *a, uint32_t n)
{
    struct sc_str s = str(a[0]), sep = str(a[1]);
    int64_t most = n == 3 ? a[2].i : -1;
    uint64_t room = (uint64_t)s.len + 1;
    uint32_t parts = 0;
    SC_ASSERT(n == 2 || n == 3);
    if (most >= 0 && (uint64_t)most < room)
        room = (uint64_t)most;
    if (!rule_spend(run, room + s.len / 16))
        return limit();
    struct sc_value *v = sc_arena_alloc(run->ar, (size_t)(room + 1) * sizeof(*v));
    size_t from = 0;
    while (room > 0 && (sep.len || from < s.len)) {
        struct sc_str rest = {s.p + from, s.len - from};
        const char *at = sep.len ? find(rest, sep) : rest.p + char_len(*rest.p);
        bool last = at == NULL || parts + 1 == room || (sep.len == 0 && at == s.p + s.len);
        size_t len = last ? rest.len : (size_t)(at - rest.p);
        v[parts++] = rule_string_at(rest.p, len);
        if (last)
            break;
        from += len + sep.len;
    }
    return rule_list(v, parts);
}

struct sc_value rule_fn_quote(struct run *run, const struct sc_value *a, uint32_t n)
{
    static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
    struct sc_str s = str(*a);
    char *out = rule_new_string(run, 2 * (uint64_t)s.len + 2);
    size_t at = 0;
    SC_ASSERT(n == 1);
    if (out == NULL)
        return limit();
    out[at++] = '"';
    for (size_t i = 0; i < s.len; i++) {
        const char *esc = s.p[i] ? strchr(from, s.p[i]) : NULL;
        if (esc)
            out[at++] = '\\';
        out[at++] = esc ? to[esc - from] : s.p[i];
    }
    out[at++] = '"';
    return rule_string_at(out, at);
}

/* ---- base64 (RFC 4648, with padding; decoding also takes it without) */

struct sc_value rule_fn_base64_encode(struct run *run, const struct sc_value *a, uint32_t n)
{
    size_t chars = sc_base64_chars(a->len);
    char *out = rule_new_string(run, chars);
    SC_ASSERT(n == 1);
    if (out == NULL)
        return limit();
    sc_base64_encode(str(*a), out);
    return rule_string_at(out, chars);
}

struct sc_value rule_fn_base64_decode(struct run *run, const struct sc_value *a, uint32_t n)
{
    char *out = rule_new_string(run, a->len);
    size_t bytes;
    SC_ASSERT(n == 1);
    if (out == NULL)
        return limit();
    if (!sc_base64_decode(str(*a), false, out, &bytes))
        return sc_error(SC_VE_CONVERSION);
    struct sc_value v = rule_string_at(out, bytes);
    v.type = SC_T_BYTES;
    return v;
}
