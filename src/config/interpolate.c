/* Interpolation of environment variables, one left-to-right pass: what a variable holds is never
 * interpolated again. */
#include "config/interpolate.h"

static bool name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

/* `s` begins with "${": the bytes up to and with "}", its name and default. False when malformed.
 */
static bool reference_split(struct sc_str s, size_t *len, struct sc_str *name, struct sc_str *def)
{
    size_t at = 2;
    while (at < s.len && name_char(s.p[at], at == 2))
        ++at;
    *name = (struct sc_str){s.p + 2, at - 2};
    *def = SC_STR_NULL;
    if (name->len == 0 || at == s.len)
        return false;
    if (s.len - at >= 2 && s.p[at] == ':' && s.p[at + 1] == '-') {
        at += 2;
        const char *end = memchr(s.p + at, '}', s.len - at);
        if (end == NULL)
            return false;
        *def = (struct sc_str){s.p + at, (size_t)(end - s.p) - at};
        at += def->len;
    }
    *len = at + 1;
    return s.p[at] == '}';
}

/* Append what the reference at text[at] stands for; bytes read, 0 with a finding. */
static size_t reference_add(const struct sc_interpolate *in, struct sc_mark mark,
                            struct sc_str text, size_t at, struct sc_buf *out)
{
    struct sc_str s = {text.p + at, text.len - at};
    size_t len;
    struct sc_str name, def;
    if (!reference_split(s, &len, &name, &def)) {
        struct sc_finding *f =
            sc_diag_add(in->dg, SC_ERROR, "interpolation", sc_mark_at(mark, (uint32_t)at, 2),
                        "expected ${NAME} or ${NAME:-default}");
        f->hint = SC_STR("write $$ for a dollar sign");
        return 0;
    }
    const char *value = in->env ? in->env(in->arg, sc_arena_dup(in->ar, name.p, name.len)) : NULL;
    if (def.p != NULL && (value == NULL || value[0] == '\0')) {
        sc_buf_str(out, def);
    } else if (value != NULL) {
        sc_buf_addz(out, value);
    } else {
        struct sc_finding *f = sc_diag_add(
            in->dg, SC_ERROR, "unset-variable", sc_mark_at(mark, (uint32_t)at, (uint32_t)len),
            "environment variable '%.*s' is not set", SC_STR_FMT(name));
        f->hint = sc_str_printf(in->ar, "set it, or write ${%.*s:-default}", SC_STR_FMT(name));
        return 0;
    }
    return len;
}

bool sc_interpolate(const struct sc_interpolate *in, struct sc_mark mark, struct sc_str *text)
{
    struct sc_str s = *text;
    if (s.len == 0 || memchr(s.p, '$', s.len) == NULL)
        return true;
    struct sc_buf out = {0};
    bool ok = true;
    for (size_t i = 0; i < s.len;) {
        char after = i + 1 < s.len ? s.p[i + 1] : '\0';
        if (s.p[i] != '$' || (after != '$' && after != '{')) {
            sc_buf_char(&out, s.p[i++]);
            continue;
        }
        if (after == '$') {
            sc_buf_char(&out, '$');
            i += 2;
            continue;
        }
        size_t used = reference_add(in, mark, s, i, &out);
        ok = ok && used != 0;
        i += used ? used : 2;
    }
    *text = sc_str_dup(in->ar, sc_buf_view(&out));
    sc_buf_fini(&out);
    return ok;
}
