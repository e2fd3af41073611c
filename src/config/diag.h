/* Findings about what a user wrote: all of them, at once, with place, source line and caret.
 *
 *   shop.yaml:12:11: error: unknown key 'prioritty' in a namespace; did you mean 'priority'?
 *     12 |     email: { prioritty: 2 }
 *        |              ^~~~~~~~~
 *
 * Nothing is printed while reading; the command prints the list (text, JSON, SARIF, GitHub). */
#ifndef SC_CONFIG_DIAG_H
#define SC_CONFIG_DIAG_H

#include "base/arena.h"
#include "base/str.h"
#include "base/vec.h"

/* A source file held for carets. Lines end where YAML's do: LF, CR, CR LF, NEL, LS, PS. */
struct sc_source_text {
    struct sc_str name;      /* as the user named it */
    struct sc_str text;      /* under 4 GiB */
    const uint32_t *line_at; /* where each line begins; NULL: sc_source_line looks for it */
    uint32_t lines;
};

/* A place: 1-based line and column (columns count bytes), `len` bytes wide (0: unknown). */
struct sc_mark {
    const struct sc_source_text *file; /* NULL: no place */
    uint32_t line, column, len;
    uint32_t indent; /* of a block scalar (| or >): bytes before each line's content; else 0 */
};

/* Fill `file` with its index of lines (arena). Name and text are borrowed. */
void sc_source_init(struct sc_source_text *file, struct sc_str name, struct sc_str text,
                    struct sc_arena *ar);
/* The text of a 1-based line without its end; empty past the last one. */
struct sc_str sc_source_line(const struct sc_source_text *file, uint32_t line);

enum sc_severity { SC_NOTE, SC_WARNING, SC_ERROR };

struct sc_finding {
    enum sc_severity severity;
    const char *code;    /* stable id, e.g. "unknown-key": static string */
    struct sc_mark mark;
    struct sc_str text;
    struct sc_str hint;  /* may be empty: suggestion */
    struct sc_mark decl; /* the declaration meant, if any (file != NULL) */
};

struct sc_diag {
    struct sc_arena *ar;
    SC_VEC(struct sc_finding) items;
    uint32_t errors, warnings;
    struct sc_finding spill; /* what sc_diag_add hands out past the bound */
};

void sc_diag_init(struct sc_diag *dg, struct sc_arena *ar);
/* Add a finding; returns it, so that hint and decl can be set (at once: the next call moves them).
 * At most 1,000 are kept (errors and warnings go on counting). */
struct sc_finding *sc_diag_add(struct sc_diag *dg, enum sc_severity severity, const char *code,
                               struct sc_mark mark, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* What is past a limit: the first of it, and how many. Empty to begin with. */
struct sc_over {
    struct sc_mark first;
    uint32_t n;
};
void sc_over_add(struct sc_over *over, struct sc_mark mark);
/* One finding of it all, none when there is nothing: "a journey has at most 64 stages: this one and
 * 2 more are too many" is whose, most, what. */
void sc_diag_over(struct sc_diag *dg, const struct sc_over *over, const char *whose, uint32_t most,
                  const char *what);

/* "did you mean 'x'?" as hint when one of `names` is near (edit distance <= 2, or <= len/3). */
void sc_diag_suggest(struct sc_diag *dg, struct sc_finding *f, struct sc_str seen,
                     const struct sc_str *names, uint32_t n);
/* A mark `offset` bytes into the text of a scalar node's mark (for carets inside expressions), also
 * over the lines of a block or a folded scalar. Escapes and interpolation shift it. */
struct sc_mark sc_mark_at(struct sc_mark base, uint32_t offset, uint32_t len);

enum sc_diag_format { SC_DIAG_TEXT, SC_DIAG_JSON, SC_DIAG_SARIF, SC_DIAG_GITHUB };
/* Render all findings, in file and line order. Colour only for text. */
void sc_diag_render(const struct sc_diag *dg, enum sc_diag_format format, bool colour,
                    struct sc_buf *out);

#endif
