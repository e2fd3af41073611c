/* See taxonomy_page.h. */
#include "cli/taxonomy_page.h"

#include "base/assert.h"

#include <ctype.h>

/* Colours follow the reader's light or dark setting; wide tables scroll in themselves. */
static const char style[] =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;margin:.5rem 0}"
    "th,td{border:1px solid #8888;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "th{background:#8882}pre{background:#8882;padding:.6rem;overflow-x:auto}"
    "h3{margin-top:2.5rem;border-top:1px solid #8888;padding-top:1rem}";

static void html_escape(struct sc_buf *out, struct sc_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (c == '&')
            sc_buf_addz(out, "&amp;");
        else if (c == '<')
            sc_buf_addz(out, "&lt;");
        else if (c == '>')
            sc_buf_addz(out, "&gt;");
        else if (c == '"')
            sc_buf_addz(out, "&quot;");
        else
            sc_buf_char(out, c);
    }
}

static bool is_word(struct sc_str s, size_t at)
{
    return at < s.len && (isalnum((unsigned char)s.p[at]) || s.p[at] == '_');
}

/* What Markdown would read as its own (`_` not inside a word); a line break would end a row. */
static void markdown_escape(struct sc_buf *out, struct sc_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool inside = c == '_' && i > 0 && is_word(s, i - 1) && is_word(s, i + 1);
        if (c != '\0' && strchr("\\`*_[]<>|", c) && !inside)
            sc_buf_char(out, '\\');
        sc_buf_char(out, c == '\n' || c == '\r' ? ' ' : c);
    }
}

static void put(struct sc_page *pg, struct sc_str s)
{
    if (pg->html)
        html_escape(pg->out, s);
    else
        markdown_escape(pg->out, s);
}

void sc_page_begin(struct sc_page *pg, struct sc_str title)
{
    if (!pg->html) {
        sc_buf_addz(pg->out, "# ");
        put(pg, title);
        sc_buf_addz(pg->out, "\n");
        return;
    }
    sc_buf_addz(pg->out, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    put(pg, title);
    sc_buf_addf(pg->out, "</title>\n<style>%s</style>\n<h1>", style);
    put(pg, title);
    sc_buf_addz(pg->out, "</h1>\n");
}

void sc_page_end(struct sc_page *pg)
{
    if (pg->html)
        sc_buf_addz(pg->out, "</html>\n");
}

void sc_page_heading(struct sc_page *pg, int level, struct sc_str text, struct sc_str id)
{
    SC_ASSERT(level == 2 || level == 3);
    if (pg->html)
        sc_buf_addf(pg->out, "<h%d", level);
    else
        sc_buf_addf(pg->out, "\n%.*s ", level, "###");
    if (pg->html && id.len > 0) {
        sc_buf_addz(pg->out, " id=\"");
        put(pg, id);
        sc_buf_addz(pg->out, "\"");
    }
    if (pg->html)
        sc_buf_char(pg->out, '>');
    put(pg, text);
    if (pg->html)
        sc_buf_addf(pg->out, "</h%d>", level);
    sc_buf_char(pg->out, '\n');
}

void sc_page_text(struct sc_page *pg, struct sc_str text)
{
    sc_buf_addz(pg->out, pg->html ? "<p>" : "\n");
    put(pg, text);
    sc_buf_addz(pg->out, pg->html ? "</p>\n" : "\n");
}

void sc_page_code(struct sc_page *pg, struct sc_str text)
{
    sc_buf_addz(pg->out, pg->html ? "<pre>" : "\n```yaml\n");
    if (pg->html)
        html_escape(pg->out, text);
    else
        sc_buf_str(pg->out, text);
    sc_buf_addz(pg->out, pg->html ? "</pre>\n" : "```\n");
}

/* ---- tables */

static void put_link(struct sc_page *pg, struct sc_str id)
{
    sc_buf_addz(pg->out, pg->html ? "<a href=\"#" : "[");
    put(pg, id);
    sc_buf_addz(pg->out, pg->html ? "\">" : "](#");
    if (pg->html)
        put(pg, id);
    else
        sc_buf_str(pg->out, id);
    sc_buf_addz(pg->out, pg->html ? "</a>" : ")");
}

void sc_page_table(struct sc_page *pg, const char *const *head, uint32_t n)
{
    sc_buf_addz(pg->out, pg->html ? "<div class=\"wide\"><table>\n<tr>" : "\n|");
    for (uint32_t i = 0; i < n; i++)
        sc_buf_addf(pg->out, pg->html ? "<th>%s</th>" : " %s |", head[i]);
    sc_buf_addz(pg->out, pg->html ? "</tr>\n" : "\n|");
    for (uint32_t i = 0; !pg->html && i < n; i++)
        sc_buf_addz(pg->out, "---|");
    if (!pg->html)
        sc_buf_char(pg->out, '\n');
}

void sc_page_row(struct sc_page *pg, const struct sc_str *cells, uint32_t n, bool linked)
{
    sc_buf_addz(pg->out, pg->html ? "<tr>" : "|");
    for (uint32_t i = 0; i < n; i++) {
        sc_buf_addz(pg->out, pg->html ? "<td>" : " ");
        if (linked && i == 0)
            put_link(pg, cells[i]);
        else
            put(pg, cells[i]);
        sc_buf_addz(pg->out, pg->html ? "</td>" : " |");
    }
    sc_buf_addz(pg->out, pg->html ? "</tr>\n" : "\n");
}

void sc_page_table_end(struct sc_page *pg)
{
    if (pg->html)
        sc_buf_addz(pg->out, "</table></div>\n");
}
