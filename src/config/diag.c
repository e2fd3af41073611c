/* Findings as they are collected: sources and their lines, marks, suggestions. */
#include "config/diag.h"
#include "base/assert.h"

#include <stdarg.h>

#define KEPT_MAX 1000

/* Bytes of the line end at text[at]; 0 when there is none. libyaml breaks lines at all of these,
 * and its line numbers are ours. */
static size_t break_len(struct sc_str text, size_t at)
{
    const unsigned char *p = (const unsigned char *)text.p + at;
    size_t left = text.len - at;
    if (*p == '\n')
        return 1;
    if (*p == '\r')
        return left > 1 && p[1] == '\n' ? 2 : 1;
    if (left > 1 && p[0] == 0xC2 && p[1] == 0x85)
        return 2;
    return left > 2 && p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9) ? 3 : 0;
}

/* The end of the line that begins at `at`. */
static size_t line_end(struct sc_str text, size_t at)
{
    while (at < text.len && break_len(text, at) == 0)
        ++at;
    return at;
}

/* Where the line after that begins; false when it was the last. */
static bool line_next(struct sc_str text, size_t *at)
{
    size_t end = line_end(text, *at);
    if (end == text.len)
        return false;
    *at = end + break_len(text, end);
    return true;
}

void sc_source_init(struct sc_source_text *file, struct sc_str name, struct sc_str text,
                    struct sc_arena *ar)
{
    SC_ASSERT(text.len < UINT32_MAX);
    uint32_t lines = 1;
    for (size_t at = 0; line_next(text, &at);)
        ++lines;
    uint32_t *line_at = SC_NEW_N(ar, uint32_t, lines);
    size_t at = 0;
    for (uint32_t i = 1; line_next(text, &at); ++i)
        line_at[i] = (uint32_t)at;
    *file = (struct sc_source_text){name, text, line_at, lines};
}

struct sc_str sc_source_line(const struct sc_source_text *file, uint32_t line)
{
    SC_ASSERT(line > 0);
    size_t at = 0;
    if (file->line_at != NULL) {
        if (line > file->lines)
            return SC_STR("");
        at = file->line_at[line - 1];
    } else {
        for (uint32_t i = 1; i < line; ++i)
            if (!line_next(file->text, &at))
                return SC_STR("");
    }
    return (struct sc_str){file->text.p + at, line_end(file->text, at) - at};
}

struct sc_mark sc_mark_at(struct sc_mark base, uint32_t offset, uint32_t len)
{
    struct sc_mark m = base;
    m.len = len;
    if (m.file != NULL && m.file->line_at != NULL && m.line <= m.file->lines) {
        struct sc_str text = m.file->text;
        size_t at = m.file->line_at[m.line - 1] + (size_t)(m.column - 1);
        for (; offset > 0 && at < text.len; --offset) {
            size_t n = break_len(text, at);
            at += n ? n : 1;
            ++m.column;
            if (n == 0)
                continue;
            uint32_t skip = 0; /* a line end is one byte of the scalar, the indent behind it none */
            for (; at < text.len && text.p[at] == ' ' && (m.indent == 0 || skip < m.indent); ++at)
                ++skip;
            ++m.line;
            m.column = skip + 1;
        }
    }
    m.column += offset;
    return m;
}

void sc_diag_init(struct sc_diag *dg, struct sc_arena *ar)
{
    *dg = (struct sc_diag){.ar = ar};
}

struct sc_finding *sc_diag_add(struct sc_diag *dg, enum sc_severity severity, const char *code,
                               struct sc_mark mark, const char *fmt, ...)
{
    SC_ASSERT(code != NULL && (mark.file == NULL || mark.line > 0));
    dg->errors += severity == SC_ERROR;
    dg->warnings += severity == SC_WARNING;
    struct sc_finding *f = &dg->spill;
    if (dg->items.n < KEPT_MAX)
        f = SC_VEC_ADD(dg->ar, &dg->items);
    *f = (struct sc_finding){.severity = severity, .code = code, .mark = mark};
    va_list args;
    va_start(args, fmt);
    if (f != &dg->spill)
        f->text.p = sc_arena_vprintf(dg->ar, &f->text.len, fmt, args);
    va_end(args);
    return f;
}

void sc_over_add(struct sc_over *over, struct sc_mark mark)
{
    if (over->n++ == 0)
        over->first = mark;
}

void sc_diag_over(struct sc_diag *dg, const struct sc_over *over, const char *whose, uint32_t most,
                  const char *what)
{
    if (over->n == 1)
        sc_diag_add(dg, SC_ERROR, "too-many", over->first,
                    "%s at most %u %s: this one is too many", whose, most, what);
    else if (over->n > 1)
        sc_diag_add(dg, SC_ERROR, "too-many", over->first,
                    "%s at most %u %s: this one and %u more are too many", whose, most, what,
                    over->n - 1);
}

void sc_diag_suggest(struct sc_diag *dg, struct sc_finding *f, struct sc_str seen,
                     const struct sc_str *names, uint32_t n)
{
    size_t third = seen.len / 3;
    unsigned max = third > 2 ? (unsigned)(third < 16 ? third : 16) : 2;
    const struct sc_str *best = NULL;
    for (uint32_t i = 0; i < n; ++i) {
        if (!sc_str_eq(seen, names[i]))
            continue;
        f->hint = SC_STR("there is one of this name, but not here");
        return;
    }
    for (uint32_t i = 0; i < n; ++i) {
        unsigned d = sc_str_distance(seen, names[i], max);
        if (d <= max && d * 2 <= seen.len) { /* half of the letters may differ at most */
            best = &names[i];
            max = d == 0 ? 0 : d - 1; /* the first of the nearest */
        }
    }
    if (best != NULL)
        f->hint = sc_str_printf(dg->ar, "did you mean '%.*s'?", SC_STR_FMT(*best));
}
