/* Findings for people: place, text, hint, the source line and carets under it. */
#include "config/diag_render.h"
#include "base/assert.h"

#define TAB_WIDTH 4
#define SHOWN_MAX 160   /* bytes of a source line */
#define SHOWN_BEFORE 60 /* of these at least before the place, when it is far to the right */

struct style {
    const char *error, *warning, *note, *bold, *caret, *reset;
};

static const struct style plain = {"", "", "", "", "", ""};
static const struct style coloured = {"\033[1;31m", "\033[1;35m", "\033[1;36m",
                                      "\033[1m",    "\033[1;32m", "\033[0m"};

static const char *severity_style(const struct style *st, enum sc_severity severity)
{
    switch (severity) {
    case SC_NOTE:
        return st->note;
    case SC_WARNING:
        return st->warning;
    case SC_ERROR:
        return st->error;
    }
    SC_UNREACHABLE("severity");
}

static uint32_t code_point(const unsigned char *p, size_t n)
{
    uint32_t c = n == 1 ? p[0] : p[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; ++i)
        c = c << 6 | (p[i] & 0x3Fu);
    return c;
}

/* Columns of a character on a terminal: good for Latin, CJK and emoji, approximate for the rest. */
static unsigned width(uint32_t c)
{
    if ((c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200F) || (c >= 0xFE00 && c <= 0xFE0F))
        return 0;
    bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
                (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
                (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
    return wide ? 2 : 1;
}

/* Append `s` as it is safe to show: tabs as spaces, control characters and bad bytes as '?', so
 * that a file cannot drive the terminal. Returns the column reached. */
static unsigned show(struct sc_buf *out, struct sc_str s, unsigned column)
{
    for (size_t i = 0; i < s.len;) {
        size_t n = sc_str_utf8_next(s, i);
        unsigned char c = (unsigned char)s.p[i];
        uint32_t point = n ? code_point((const unsigned char *)s.p + i, n) : 0;
        if (c == '\t') {
            do
                sc_buf_char(out, ' ');
            while (++column % TAB_WIDTH != 0);
        } else if (point < 0x20 || (point >= 0x7F && point < 0xA0)) {
            sc_buf_char(out, '?');
            ++column;
        } else {
            sc_buf_add(out, s.p + i, n);
            column += width(point);
        }
        i += n ? n : 1;
    }
    return column;
}

/* The part of `line` around byte `at` to show; begins and ends between characters. */
static struct sc_str window(struct sc_str line, size_t at, size_t *from)
{
    size_t first = at > SHOWN_MAX - SHOWN_BEFORE ? at - SHOWN_BEFORE : 0;
    size_t end = line.len - first > SHOWN_MAX ? first + SHOWN_MAX : line.len;
    while (first > 0 && first < line.len && ((unsigned char)line.p[first] & 0xC0) == 0x80)
        --first;
    while (end < line.len && ((unsigned char)line.p[end] & 0xC0) == 0x80)
        ++end;
    *from = first;
    return (struct sc_str){line.p + first, end - first};
}

static void snippet(const struct style *st, struct sc_mark mark, struct sc_buf *out)
{
    struct sc_str line = sc_source_line(mark.file, mark.line);
    size_t at = mark.column - 1 < line.len ? mark.column - 1 : line.len;
    size_t first;
    struct sc_str shown = window(line, at, &first);
    at -= first;
    size_t len = mark.len < shown.len - at ? mark.len : shown.len - at;
    while (at + len < shown.len && ((unsigned char)shown.p[at + len] & 0xC0) == 0x80)
        ++len; /* a character is shown whole */
    sc_buf_addf(out, "%4u | %s", mark.line, first > 0 ? "..." : "");
    unsigned indent = first > 0 ? 3 : 0;
    unsigned caret = show(out, (struct sc_str){shown.p, at}, indent);
    unsigned end = show(out, (struct sc_str){shown.p + at, len}, caret);
    show(out, (struct sc_str){shown.p + at + len, shown.len - at - len}, end);
    sc_buf_addf(out, "%s\n     | ", first + shown.len < line.len ? "..." : "");
    for (unsigned i = 0; i < caret; ++i)
        sc_buf_char(out, ' ');
    sc_buf_addf(out, "%s^", st->caret);
    for (unsigned i = caret + 1; i < end; ++i)
        sc_buf_char(out, '~');
    sc_buf_addf(out, "%s\n", st->reset);
}

static void place(const struct style *st, struct sc_mark mark, struct sc_buf *out)
{
    if (mark.file == NULL)
        return;
    sc_buf_addz(out, st->bold);
    show(out, mark.file->name, 0);
    sc_buf_addf(out, ":%u:%u:%s ", mark.line, mark.column, st->reset);
}

static void finding(const struct style *st, const struct sc_finding *f, struct sc_buf *out)
{
    place(st, f->mark, out);
    sc_buf_addf(out, "%s%s:%s ", severity_style(st, f->severity), sc_severity_name(f->severity),
                st->reset);
    show(out, f->text, 0);
    if (f->hint.len != 0) {
        sc_buf_addz(out, "; ");
        show(out, f->hint, 0);
    }
    sc_buf_char(out, '\n');
    if (f->mark.file != NULL)
        snippet(st, f->mark, out);
    if (f->decl.file == NULL)
        return;
    place(st, f->decl, out);
    sc_buf_addf(out, "%snote:%s see here\n", st->note, st->reset);
    snippet(st, f->decl, out);
}

void sc_diag_render_text(const struct sc_diag *dg, const struct sc_finding *const *sorted,
                         bool colour, struct sc_buf *out)
{
    for (uint32_t i = 0; i < dg->items.n; ++i)
        finding(colour ? &coloured : &plain, sorted[i], out);
    if (dg->errors + dg->warnings > dg->items.n)
        sc_buf_addf(out, "... %u errors and %u warnings in all\n", dg->errors, dg->warnings);
}
