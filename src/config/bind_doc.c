/* The same tables as documents: a Markdown reference and a JSON Schema (draft 2020-12).
 *
 * Both list every table reachable from the root once, in the order first met. In the schema each is
 * a $defs entry, so tables may refer to themselves. Editors check the text before interpolation:
 * a text with `${` is let through where a number, a word or a duration stands. */
#include "base/assert.h"
#include "base/jsonw.h"
#include "config/bind_scalar.h"

#include <stdio.h>
#include <stdlib.h>

#define TABLES_MAX 256
#define INTERPOLATED "\\$\\{"

struct tables {
    const struct sc_table *v[TABLES_MAX];
    uint32_t n;
};

static uint32_t table_index(const struct tables *all, const struct sc_table *table)
{
    uint32_t i = 0;
    while (i < all->n && all->v[i] != table)
        ++i;
    return i;
}

/* Breadth first, so that a page reads from the whole to the parts. */
static void tables_collect(struct tables *all, const struct sc_table *root)
{
    all->v[0] = root;
    all->n = 1;
    for (uint32_t i = 0; i < all->n; ++i) {
        for (const struct sc_field *f = all->v[i]->fields; f->key != NULL; ++f) {
            if (f->table == NULL || table_index(all, f->table) < all->n)
                continue;
            SC_ASSERT(all->n < TABLES_MAX);
            all->v[all->n++] = f->table;
        }
    }
}

/* Name of a table, made unique and fit for a URI: "step", "step_2", "data_source". */
static struct sc_str table_label(const struct tables *all, const struct sc_table *table,
                                 char out[80])
{
    unsigned same = 1;
    for (uint32_t i = 0; all->v[i] != table; ++i)
        same += strcmp(all->v[i]->name, table->name) == 0;
    int n = same == 1 ? snprintf(out, 80, "%s", table->name)
                      : snprintf(out, 80, "%s_%u", table->name, same);
    SC_ASSERT(n > 0 && n < 80);
    for (int i = 0; i < n; ++i)
        out[i] = out[i] == ' ' ? '_' : out[i];
    return (struct sc_str){out, (size_t)n};
}

/* --- Markdown --- */

/* A table cell: pipes and line ends would break the row. */
static void cell(struct sc_buf *out, const char *text)
{
    for (; *text != '\0'; ++text) {
        if (*text == '|')
            sc_buf_addz(out, "\\|");
        else
            sc_buf_char(out, *text == '\n' ? ' ' : *text);
    }
}

/* Markdown's anchor of a heading: lower case. */
static void anchor(struct sc_buf *out, struct sc_str heading)
{
    for (size_t i = 0; i < heading.len; ++i) {
        char c = heading.p[i];
        bool upper = c >= 'A' && c <= 'Z';
        sc_buf_char(out, upper ? (char)(c + ('a' - 'A')) : c);
    }
}

static void reference_type(const struct tables *all, const struct sc_field *f, struct sc_buf *out)
{
    if (f->table != NULL) {
        char name[80];
        struct sc_str label = table_label(all, f->table, name);
        sc_buf_addz(out, f->kind == SC_F_LIST ? "list of " : f->kind == SC_F_MAP ? "map of " : "");
        sc_buf_addf(out, "[%.*s](#", SC_STR_FMT(label));
        anchor(out, label);
        sc_buf_char(out, ')');
    } else if (f->kind == SC_F_ENUM) {
        for (int i = 0; f->names[i] != NULL; ++i)
            sc_buf_addf(out, "%s`%s`", i ? ", " : "", f->names[i]);
    } else {
        sc_buf_addz(out, sc_kind_info(f->kind)->label);
    }
}

static void reference_range(const struct sc_field *f, struct sc_arena *ar, struct sc_buf *out)
{
    if (f->max <= f->min)
        return;
    struct sc_str min = sc_bind_bound(f->kind, f->min, ar),
                  max = sc_bind_bound(f->kind, f->max, ar);
    if (f->max == INT64_MAX)
        sc_buf_addf(out, ", from %.*s", SC_STR_FMT(min));
    else
        sc_buf_addf(out, ", %.*s to %.*s", SC_STR_FMT(min), SC_STR_FMT(max));
}

static void reference_field(const struct tables *all, const struct sc_field *f, struct sc_arena *ar,
                            struct sc_buf *out)
{
    sc_buf_addf(out, "| `%s` | ", f->key);
    reference_type(all, f, out);
    reference_range(f, ar, out);
    sc_buf_addz(out, " | ");
    if (f->required)
        sc_buf_addz(out, "required");
    else if (f->def != NULL) {
        sc_buf_char(out, '`');
        cell(out, f->def);
        sc_buf_char(out, '`');
    }
    sc_buf_addz(out, " | ");
    cell(out, f->doc ? f->doc : "");
    sc_buf_addz(out, " |\n");
}

void sc_bind_reference(const struct sc_table *table, struct sc_buf *out)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct tables all;
    tables_collect(&all, table);
    for (uint32_t i = 0; i < all.n; ++i) {
        const struct sc_table *t = all.v[i];
        char name[80];
        struct sc_str label = table_label(&all, t, name);
        sc_buf_addf(out, "%s## %.*s\n\n", i ? "\n" : "", SC_STR_FMT(label));
        if (t->doc != NULL)
            sc_buf_addf(out, "%s\n\n", t->doc);
        sc_buf_addz(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
        for (const struct sc_field *f = t->fields; f->key != NULL; ++f)
            reference_field(&all, f, &ar, out);
        if (t->open)
            sc_buf_addz(out, "\nOther keys are allowed.\n");
    }
    sc_arena_fini(&ar);
}

/* --- JSON Schema --- */

static void schema_pair(struct sc_jsonw *w, const char *key, const char *value)
{
    sc_jsonw_keyz(w, key);
    sc_jsonw_strz(w, value);
}

static void schema_ref(struct sc_jsonw *w, const struct tables *all, const struct sc_table *table)
{
    char name[80], ref[96];
    struct sc_str label = table_label(all, table, name);
    snprintf(ref, sizeof(ref), "#/$defs/%.*s", SC_STR_FMT(label));
    sc_jsonw_obj(w);
    schema_pair(w, "$ref", ref);
    sc_jsonw_obj_end(w);
}

/* A type of its own in an anyOf, with a pattern or without. */
static void schema_alternative(struct sc_jsonw *w, const char *type, const char *pattern)
{
    sc_jsonw_obj(w);
    schema_pair(w, "type", type);
    if (pattern != NULL)
        schema_pair(w, "pattern", pattern);
    sc_jsonw_obj_end(w);
}

/* A plain YAML scalar of any look, where text is expected. */
static void schema_text_types(struct sc_jsonw *w)
{
    sc_jsonw_keyz(w, "type");
    sc_jsonw_arr(w);
    sc_jsonw_strz(w, "string");
    sc_jsonw_strz(w, "number");
    sc_jsonw_strz(w, "boolean");
    sc_jsonw_arr_end(w);
}

static void schema_container(struct sc_jsonw *w, const struct tables *all, const struct sc_field *f)
{
    sc_jsonw_obj(w);
    schema_pair(w, "type", sc_kind_info(f->kind)->type);
    sc_jsonw_keyz(w, f->kind == SC_F_LIST ? "items" : "additionalProperties");
    schema_ref(w, all, f->table);
    sc_jsonw_obj_end(w);
}

static void schema_strs(struct sc_jsonw *w)
{
    sc_jsonw_obj(w);
    schema_text_types(w);
    sc_jsonw_obj_end(w);
    sc_jsonw_obj(w);
    schema_pair(w, "type", "array");
    sc_jsonw_keyz(w, "items");
    sc_jsonw_obj(w);
    schema_text_types(w);
    sc_jsonw_obj_end(w);
    sc_jsonw_obj_end(w);
}

static void schema_scalar(struct sc_jsonw *w, const struct sc_field *f)
{
    const struct sc_kind_info *info = sc_kind_info(f->kind);
    sc_jsonw_obj(w);
    if (f->kind == SC_F_ENUM) {
        sc_jsonw_keyz(w, "enum");
        sc_jsonw_arr(w);
        for (int i = 0; f->names[i] != NULL; ++i)
            sc_jsonw_strz(w, f->names[i]);
        sc_jsonw_arr_end(w);
    } else {
        schema_pair(w, "type", info->type);
    }
    if (info->pattern != NULL)
        schema_pair(w, "pattern", info->pattern);
    if (f->kind == SC_F_INT && f->max > f->min) {
        sc_jsonw_keyz(w, "minimum");
        sc_jsonw_int(w, f->min);
        sc_jsonw_keyz(w, "maximum");
        sc_jsonw_int(w, f->max);
    }
    sc_jsonw_obj_end(w);
    if (f->kind == SC_F_BYTES || f->kind == SC_F_DURATION) { /* 512, and the bare 0 */
        sc_jsonw_obj(w);
        schema_pair(w, "type", "integer");
        sc_jsonw_keyz(w, "minimum");
        sc_jsonw_int(w, 0);
        if (f->kind == SC_F_DURATION) {
            sc_jsonw_keyz(w, "maximum");
            sc_jsonw_int(w, 0);
        }
        sc_jsonw_obj_end(w);
    }
    schema_alternative(w, "string", INTERPOLATED);
}

static void schema_alternatives(struct sc_jsonw *w, const struct tables *all,
                                const struct sc_field *f)
{
    switch (f->kind) {
    case SC_F_STRUCT:
        schema_ref(w, all, f->table);
        return;
    case SC_F_LIST:
    case SC_F_MAP:
        schema_container(w, all, f);
        return;
    case SC_F_STRS:
        schema_strs(w);
        return;
    case SC_F_STR:
        sc_jsonw_obj(w);
        schema_text_types(w);
        sc_jsonw_obj_end(w);
        return;
    case SC_F_NODE:
        sc_jsonw_raw(w, sc_str_from(f->schema));
        return;
    case SC_F_BOOL:
    case SC_F_INT:
    case SC_F_DOUBLE:
    case SC_F_DURATION:
    case SC_F_BYTES:
    case SC_F_PERCENT:
    case SC_F_ENUM:
    case SC_F_NAME:
        schema_scalar(w, f);
        return;
    }
    SC_UNREACHABLE("field kind");
}

/* A node as JSON. Plain scalars that look like numbers or booleans are such unless `text`. */
static void schema_value(struct sc_jsonw *w, const struct sc_node *n, bool text)
{
    bool yes;
    if (n->kind == SC_NODE_NULL) {
        sc_jsonw_null(w);
    } else if (n->kind == SC_NODE_SEQ) {
        sc_jsonw_arr(w);
        for (uint32_t i = 0; i < n->n; ++i)
            schema_value(w, n->items[i], text);
        sc_jsonw_arr_end(w);
    } else if (n->kind == SC_NODE_MAP) {
        sc_jsonw_obj(w);
        for (uint32_t i = 0; i < n->n; ++i) {
            sc_jsonw_key(w, n->pairs[i].key->text);
            schema_value(w, n->pairs[i].value, text);
        }
        sc_jsonw_obj_end(w);
    } else if (!text && sc_node_bool(n, &yes)) {
        sc_jsonw_bool(w, yes);
    } else if (!text && sc_node_is_number(n)) {
        sc_jsonw_double(w, strtod(n->text.p, NULL));
    } else {
        sc_jsonw_str(w, n->text);
    }
}

static bool is_textual(enum sc_field_kind kind)
{
    return kind != SC_F_BOOL && kind != SC_F_INT && kind != SC_F_DOUBLE && kind != SC_F_NODE;
}

static void schema_field(struct sc_jsonw *w, const struct tables *all, const struct sc_field *f,
                         struct sc_arena *ar)
{
    sc_jsonw_keyz(w, f->key);
    sc_jsonw_obj(w);
    if (f->doc != NULL)
        schema_pair(w, "description", f->doc);
    if (f->def != NULL) {
        sc_jsonw_keyz(w, "default");
        schema_value(w, sc_bind_default_node(f, ar), is_textual(f->kind));
    }
    if (f->kind != SC_F_NODE || f->schema != NULL) {
        sc_jsonw_keyz(w, "anyOf");
        sc_jsonw_arr(w);
        schema_alternatives(w, all, f);
        if (!f->required) /* `key:` without a value counts as not written */
            schema_alternative(w, "null", NULL);
        sc_jsonw_arr_end(w);
    }
    sc_jsonw_obj_end(w);
}

static bool has_required(const struct sc_table *t)
{
    for (const struct sc_field *f = t->fields; f->key != NULL; ++f)
        if (f->required)
            return true;
    return false;
}

static void schema_table(struct sc_jsonw *w, const struct tables *all, const struct sc_table *t,
                         struct sc_arena *ar)
{
    schema_pair(w, "title", t->name);
    if (t->doc != NULL)
        schema_pair(w, "description", t->doc);
    sc_jsonw_keyz(w, "type"); /* an element without any key may be left empty */
    if (has_required(t)) {
        sc_jsonw_strz(w, "object");
    } else {
        sc_jsonw_arr(w);
        sc_jsonw_strz(w, "object");
        sc_jsonw_strz(w, "null");
        sc_jsonw_arr_end(w);
    }
    sc_jsonw_keyz(w, "additionalProperties");
    sc_jsonw_bool(w, t->open);
    sc_jsonw_keyz(w, "properties");
    sc_jsonw_obj(w);
    for (const struct sc_field *f = t->fields; f->key != NULL; ++f)
        schema_field(w, all, f, ar);
    sc_jsonw_obj_end(w);
    if (!has_required(t))
        return;
    sc_jsonw_keyz(w, "required");
    sc_jsonw_arr(w);
    for (const struct sc_field *f = t->fields; f->key != NULL; ++f)
        if (f->required)
            sc_jsonw_strz(w, f->key);
    sc_jsonw_arr_end(w);
}

void sc_bind_json_schema(const struct sc_table *table, const char *id, struct sc_buf *out)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct tables all;
    tables_collect(&all, table);
    struct sc_jsonw w;
    sc_jsonw_init(&w, out);
    sc_jsonw_obj(&w);
    schema_pair(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    schema_pair(&w, "$id", id);
    char name[80], ref[96];
    struct sc_str root = table_label(&all, table, name);
    snprintf(ref, sizeof(ref), "#/$defs/%.*s", SC_STR_FMT(root));
    schema_pair(&w, "$ref", ref);
    sc_jsonw_keyz(&w, "$defs");
    sc_jsonw_obj(&w);
    for (uint32_t i = 0; i < all.n; ++i) {
        sc_jsonw_key(&w, table_label(&all, all.v[i], name));
        sc_jsonw_obj(&w);
        schema_table(&w, &all, all.v[i], &ar);
        sc_jsonw_obj_end(&w);
    }
    sc_jsonw_obj_end(&w);
    sc_jsonw_obj_end(&w);
    sc_buf_char(out, '\n');
    sc_arena_fini(&ar);
}
