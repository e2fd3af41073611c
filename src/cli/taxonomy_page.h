/* A page of headings, paragraphs, tables and code, written as Markdown or as one HTML file that
 * needs nothing from a network. Text is escaped here; callers give it as it is. Thread: one. */
#ifndef SC_CLI_TAXONOMY_PAGE_H
#define SC_CLI_TAXONOMY_PAGE_H

#include "base/str.h"

struct sc_page {
    struct sc_buf *out;
    bool html;
};

void sc_page_begin(struct sc_page *pg, struct sc_str title);
void sc_page_end(struct sc_page *pg);
/* Level 2 or 3; `id` names its anchor, empty: none. */
void sc_page_heading(struct sc_page *pg, int level, struct sc_str text, struct sc_str id);
void sc_page_text(struct sc_page *pg, struct sc_str text);
void sc_page_code(struct sc_page *pg, struct sc_str text);

/* A table: its head, rows of as many cells, its end. `linked`: the first cell is the id of a
 * heading, and leads there. */
void sc_page_table(struct sc_page *pg, const char *const *head, uint32_t n);
void sc_page_row(struct sc_page *pg, const struct sc_str *cells, uint32_t n, bool linked);
void sc_page_table_end(struct sc_page *pg);

#endif
