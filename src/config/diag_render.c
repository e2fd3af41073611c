/* Findings in file and line order, and their forms for machines: JSON, SARIF 2.1.0, GitHub. */
#include "config/diag_render.h"
#include "base/assert.h"
#include "base/jsonw.h"

#include <stdlib.h>

const char *sc_severity_name(enum sc_severity severity)
{
    switch (severity) {
    case SC_NOTE:
        return "note";
    case SC_WARNING:
        return "warning";
    case SC_ERROR:
        return "error";
    }
    SC_UNREACHABLE("severity");
}

/* By file name, line, column; then in the order they were made (their addresses). */
static int by_place(const void *left, const void *right)
{
    const struct sc_finding *a = *(const struct sc_finding *const *)left,
                            *b = *(const struct sc_finding *const *)right;
    struct sc_str none = SC_STR_NULL;
    int c = sc_str_cmp(a->mark.file ? a->mark.file->name : none,
                       b->mark.file ? b->mark.file->name : none);
    if (c != 0)
        return c;
    if (a->mark.line != b->mark.line)
        return a->mark.line < b->mark.line ? -1 : 1;
    if (a->mark.column != b->mark.column)
        return a->mark.column < b->mark.column ? -1 : 1;
    return (a > b) - (a < b);
}

static void json_place(struct sc_jsonw *w, struct sc_mark mark)
{
    if (mark.file == NULL)
        return;
    sc_jsonw_keyz(w, "file");
    sc_jsonw_str(w, mark.file->name);
    sc_jsonw_keyz(w, "line");
    sc_jsonw_uint(w, mark.line);
    sc_jsonw_keyz(w, "column");
    sc_jsonw_uint(w, mark.column);
    sc_jsonw_keyz(w, "length");
    sc_jsonw_uint(w, mark.len);
}

static void json_finding(struct sc_jsonw *w, const struct sc_finding *f)
{
    sc_jsonw_obj(w);
    sc_jsonw_keyz(w, "severity");
    sc_jsonw_strz(w, sc_severity_name(f->severity));
    sc_jsonw_keyz(w, "code");
    sc_jsonw_strz(w, f->code);
    json_place(w, f->mark);
    sc_jsonw_keyz(w, "message");
    sc_jsonw_str(w, f->text);
    if (f->hint.len != 0) {
        sc_jsonw_keyz(w, "hint");
        sc_jsonw_str(w, f->hint);
    }
    if (f->decl.file != NULL) {
        sc_jsonw_keyz(w, "declared");
        sc_jsonw_obj(w);
        json_place(w, f->decl);
        sc_jsonw_obj_end(w);
    }
    sc_jsonw_obj_end(w);
}

/* One array, one finding a line. */
static void render_json(const struct sc_diag *dg, const struct sc_finding *const *sorted,
                        struct sc_buf *out)
{
    sc_buf_addz(out, "[");
    for (uint32_t i = 0; i < dg->items.n; ++i) {
        sc_buf_addz(out, i ? ",\n" : "\n");
        struct sc_jsonw w;
        sc_jsonw_init(&w, out);
        json_finding(&w, sorted[i]);
    }
    sc_buf_addz(out, dg->items.n ? "\n]\n" : "]\n");
}

/* A file name as a relative URI reference (RFC 3986). */
static void sarif_uri(struct sc_jsonw *w, struct sc_str name)
{
    struct sc_buf uri = {0};
    for (size_t i = 0; i < name.len; ++i) {
        char c = name.p[i];
        bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c != '\0' && strchr("-._~/", c) != NULL);
        if (safe)
            sc_buf_char(&uri, c);
        else
            sc_buf_addf(&uri, "%%%02X", (unsigned char)c);
    }
    sc_jsonw_str(w, sc_buf_view(&uri));
    sc_buf_fini(&uri);
}

/* Our byte column as a code point column, 1-based. */
static uint32_t point_column(struct sc_mark mark, uint32_t column)
{
    struct sc_str line = sc_source_line(mark.file, mark.line);
    uint32_t points = 1;
    for (size_t i = 0; i < column - 1 && i < line.len; ++i)
        points += ((unsigned char)line.p[i] & 0xC0) != 0x80;
    return points;
}

static void sarif_location(struct sc_jsonw *w, struct sc_mark mark)
{
    sc_jsonw_obj(w);
    sc_jsonw_keyz(w, "physicalLocation");
    sc_jsonw_obj(w);
    sc_jsonw_keyz(w, "artifactLocation");
    sc_jsonw_obj(w);
    sc_jsonw_keyz(w, "uri");
    sarif_uri(w, mark.file->name);
    sc_jsonw_obj_end(w);
    sc_jsonw_keyz(w, "region");
    sc_jsonw_obj(w);
    sc_jsonw_keyz(w, "startLine");
    sc_jsonw_uint(w, mark.line);
    sc_jsonw_keyz(w, "startColumn");
    sc_jsonw_uint(w, point_column(mark, mark.column));
    sc_jsonw_keyz(w, "endColumn");
    sc_jsonw_uint(w, point_column(mark, mark.column + (mark.len ? mark.len : 1)));
    sc_jsonw_obj_end(w);
    sc_jsonw_obj_end(w);
    sc_jsonw_obj_end(w);
}

static void sarif_locations(struct sc_jsonw *w, const char *key, struct sc_mark mark)
{
    if (mark.file == NULL)
        return;
    sc_jsonw_keyz(w, key);
    sc_jsonw_arr(w);
    sarif_location(w, mark);
    sc_jsonw_arr_end(w);
}

static void sarif_result(struct sc_jsonw *w, const struct sc_finding *f)
{
    struct sc_buf text = {0};
    sc_buf_str(&text, f->text);
    if (f->hint.len != 0)
        sc_buf_addf(&text, "; %.*s", SC_STR_FMT(f->hint));
    sc_jsonw_obj(w);
    sc_jsonw_keyz(w, "ruleId");
    sc_jsonw_strz(w, f->code);
    sc_jsonw_keyz(w, "level");
    sc_jsonw_strz(w, sc_severity_name(f->severity)); /* SARIF has the same three words */
    sc_jsonw_keyz(w, "message");
    sc_jsonw_obj(w);
    sc_jsonw_keyz(w, "text");
    sc_jsonw_str(w, sc_buf_view(&text));
    sc_jsonw_obj_end(w);
    sarif_locations(w, "locations", f->mark);
    sarif_locations(w, "relatedLocations", f->decl);
    sc_jsonw_obj_end(w);
    sc_buf_fini(&text);
}

static void sarif_tool(struct sc_jsonw *w)
{
    sc_jsonw_keyz(w, "tool");
    sc_jsonw_obj(w);
    sc_jsonw_keyz(w, "driver");
    sc_jsonw_obj(w);
    sc_jsonw_keyz(w, "name");
    sc_jsonw_strz(w, "stagecoach");
    sc_jsonw_keyz(w, "version");
    sc_jsonw_strz(w, SC_VERSION);
    sc_jsonw_obj_end(w);
    sc_jsonw_obj_end(w);
}

static void render_sarif(const struct sc_diag *dg, const struct sc_finding *const *sorted,
                         struct sc_buf *out)
{
    struct sc_jsonw w;
    sc_jsonw_init(&w, out);
    sc_jsonw_obj(&w);
    sc_jsonw_keyz(&w, "$schema");
    sc_jsonw_strz(&w, "https://json.schemastore.org/sarif-2.1.0.json");
    sc_jsonw_keyz(&w, "version");
    sc_jsonw_strz(&w, "2.1.0");
    sc_jsonw_keyz(&w, "runs");
    sc_jsonw_arr(&w);
    sc_jsonw_obj(&w);
    sarif_tool(&w);
    sc_jsonw_keyz(&w, "columnKind");
    sc_jsonw_strz(&w, "unicodeCodePoints");
    sc_jsonw_keyz(&w, "results");
    sc_jsonw_arr(&w);
    for (uint32_t i = 0; i < dg->items.n; ++i)
        sarif_result(&w, sorted[i]);
    sc_jsonw_arr_end(&w);
    sc_jsonw_obj_end(&w);
    sc_jsonw_arr_end(&w);
    sc_jsonw_obj_end(&w);
    sc_buf_char(out, '\n');
}

/* Text of a workflow command; `also` are further bytes to escape (properties end at these). */
static void github_text(struct sc_buf *out, struct sc_str s, const char *also)
{
    for (size_t i = 0; i < s.len; ++i) {
        char c = s.p[i];
        if (c != '\0' && (strchr("%\r\n", c) != NULL || strchr(also, c) != NULL))
            sc_buf_addf(out, "%%%02X", (unsigned char)c);
        else
            sc_buf_char(out, c);
    }
}

static void render_github(const struct sc_diag *dg, const struct sc_finding *const *sorted,
                          struct sc_buf *out)
{
    for (uint32_t i = 0; i < dg->items.n; ++i) {
        const struct sc_finding *f = sorted[i];
        sc_buf_addf(out, "::%s ",
                    f->severity == SC_NOTE ? "notice" : sc_severity_name(f->severity));
        if (f->mark.file != NULL) {
            sc_buf_addz(out, "file=");
            github_text(out, f->mark.file->name, ":,");
            sc_buf_addf(out, ",line=%u,col=%u,", f->mark.line, f->mark.column);
        }
        sc_buf_addf(out, "title=%s::", f->code);
        github_text(out, f->text, "");
        if (f->hint.len != 0) {
            sc_buf_addz(out, "; ");
            github_text(out, f->hint, "");
        }
        sc_buf_char(out, '\n');
    }
}

void sc_diag_render(const struct sc_diag *dg, enum sc_diag_format format, bool colour,
                    struct sc_buf *out)
{
    const struct sc_finding **sorted = sc_calloc(dg->items.n, sizeof(struct sc_finding *));
    for (uint32_t i = 0; i < dg->items.n; ++i)
        sorted[i] = &dg->items.v[i];
    qsort(sorted, dg->items.n, sizeof(struct sc_finding *), by_place);
    switch (format) {
    case SC_DIAG_TEXT:
        sc_diag_render_text(dg, sorted, colour, out);
        break;
    case SC_DIAG_JSON:
        render_json(dg, sorted, out);
        break;
    case SC_DIAG_SARIF:
        render_sarif(dg, sorted, out);
        break;
    case SC_DIAG_GITHUB:
        render_github(dg, sorted, out);
        break;
    }
    free(sorted);
}
