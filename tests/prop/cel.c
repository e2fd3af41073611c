/* Conformance: the cases of cel-spec (tests/simple, as JSON lines) that need no protobuf messages.
 *
 *   prop_cel [cases.jsonl.gz] [-v]
 *
 * Each case is evaluated by sc_rule_eval_text. It passes with the value or the error expected, it
 * is refused when the text does not compile or names a function this subset lacks, and everything
 * else is wrong: one wrong value fails the run, and so does passing fewer than we once did. Exit 77
 * without the file, which is not part of this repository (docs/expressions.md says where from). */
#include "base/arena.h"
#include "core/rule/rule.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define LINE_MAX_BYTES (1 << 20)
#define PASSED_LEAST 483 /* of the cases at hand */

struct totals {
    unsigned passed, refused, wrong, skipped;
    bool verbose;
};

/* ---- JSON as the suite writes values */

static struct sc_str text_of(struct sc_arena *ar, const json_t *j)
{
    return sc_str_dup(ar, (struct sc_str){json_string_value(j), json_string_length(j)});
}

static struct sc_value base64(struct sc_arena *ar, const json_t *j)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct sc_str s = text_of(ar, j);
    char *out = sc_arena_alloc(ar, s.len + 1);
    uint32_t n = 0, bits = 0, u = 0;
    for (size_t i = 0; i < s.len && s.p[i] != '='; i++) {
        u = u << 6 | (uint32_t)(strchr(digits, s.p[i]) - digits);
        bits += 6;
        if (bits >= 8)
            out[n++] = (char)(u >> (bits -= 8) & 0xff);
    }
    return (struct sc_value){.type = SC_T_BYTES, .s = out, .len = n};
}

static double number_of(const json_t *j)
{
    if (json_is_string(j)) /* NaN, Infinity, -Infinity */
        return strtod(json_string_value(j), NULL);
    return json_number_value(j);
}

static struct sc_value value_of(struct sc_arena *ar, const json_t *j);

/* google.protobuf.Value and its kin as plain JSON: numbers are doubles. */
static struct sc_value plain(struct sc_arena *ar, const json_t *j, bool whole)
{
    if (json_is_boolean(j))
        return sc_bool(json_is_true(j));
    if (json_is_number(j))
        return whole ? sc_int((int64_t)json_number_value(j)) : sc_double(json_number_value(j));
    if (json_is_string(j))
        return sc_string(text_of(ar, j));
    size_t n = json_is_array(j) ? json_array_size(j) : json_object_size(j);
    struct sc_value *v = sc_arena_alloc(ar, (2 * n + 1) * sizeof(*v)), out = {.list = v};
    out.len = (uint32_t)n;
    if (json_is_array(j)) {
        out.type = SC_T_LIST;
        for (size_t i = 0; i < n; i++)
            v[i] = plain(ar, json_array_get(j, i), false);
        return out;
    }
    if (!json_is_object(j))
        return (struct sc_value){.type = SC_T_NULL};
    const char *key;
    json_t *el;
    out.type = SC_T_MAP;
    json_object_foreach((json_t *)(uintptr_t)j, key, el) {
        *v++ = sc_string(sc_str_dup(ar, sc_str_from(key)));
        *v++ = plain(ar, el, false);
    }
    return out;
}

static struct sc_value object_of(struct sc_arena *ar, const json_t *j)
{
    const char *type = json_string_value(json_object_get(j, "@type"));
    type = type ? strrchr(type, '.') + 1 : "";
    const json_t *value = json_object_get(j, "value");
    struct sc_rule_text in = {.expr = SC_STR("x")};
    struct sc_diag dg;
    struct sc_value v = sc_absent();
    sc_diag_init(&dg, ar);
    if (strcmp(type, "Duration") == 0 || strcmp(type, "Timestamp") == 0) {
        in.expr = sc_str_printf(ar, "%s('%s')", *type == 'D' ? "duration" : "timestamp",
                                json_string_value(value));
        sc_rule_eval_text(&in, ar, &dg, &v);
        return v;
    }
    return plain(ar, value, strncmp(type, "Int", 3) == 0);
}

static struct sc_value entries_of(struct sc_arena *ar, const json_t *j, bool map)
{
    const json_t *all = json_object_get(j, map ? "entries" : "values");
    size_t n = json_array_size(all);
    struct sc_value *v = sc_arena_alloc(ar, (2 * n + 1) * sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        const json_t *el = json_array_get(all, i);
        v[map ? 2 * i : i] = value_of(ar, map ? json_object_get(el, "key") : el);
        if (map)
            v[2 * i + 1] = value_of(ar, json_object_get(el, "value"));
    }
    return (struct sc_value){.type = map ? SC_T_MAP : SC_T_LIST, .len = (uint32_t)n, .list = v};
}

static int64_t type_of(const char *name)
{
    static const struct {
        const char *name;
        enum sc_type type;
    } types[] = {
        {"bool", SC_T_BOOL}, {"int", SC_T_INT}, {"uint", SC_T_UINT}, {"double", SC_T_DOUBLE},
        {"string", SC_T_STRING}, {"bytes", SC_T_BYTES}, {"list", SC_T_LIST}, {"map", SC_T_MAP},
        {"null_type", SC_T_NULL}, {"type", SC_T_TYPE},
        {"google.protobuf.Timestamp", SC_T_TIMESTAMP},
        {"google.protobuf.Duration", SC_T_DURATION}, {"optional_type", SC_T_ABSENT},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    return -1;
}

static struct sc_value value_of(struct sc_arena *ar, const json_t *j)
{
    const char *kind = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)j));
    const json_t *v = json_object_get(j, kind);
    if (strcmp(kind, "int64_value") == 0)
        return sc_int(strtoll(json_string_value(v), NULL, 10));
    if (strcmp(kind, "uint64_value") == 0)
        return (struct sc_value){.type = SC_T_UINT, .u = strtoull(json_string_value(v), NULL, 10)};
    if (strcmp(kind, "double_value") == 0)
        return sc_double(number_of(v));
    if (strcmp(kind, "bool_value") == 0)
        return sc_bool(json_is_true(v));
    if (strcmp(kind, "string_value") == 0)
        return sc_string(text_of(ar, v));
    if (strcmp(kind, "bytes_value") == 0)
        return base64(ar, v);
    if (strcmp(kind, "list_value") == 0 || strcmp(kind, "map_value") == 0)
        return entries_of(ar, v, *kind == 'm');
    if (strcmp(kind, "type_value") == 0)
        return (struct sc_value){.type = SC_T_TYPE, .i = type_of(json_string_value(v))};
    if (strcmp(kind, "enum_value") == 0)
        return sc_int(json_integer_value(json_object_get(v, "value")));
    if (strcmp(kind, "object_value") == 0)
        return object_of(ar, v);
    return (struct sc_value){.type = SC_T_NULL};
}

/* ---- Comparing */

/* The conversion of the suite to JSON left \u and \U escapes of a few values as they were: read
 * them here. Other backslashes stay. */
static struct sc_str unescape(struct sc_arena *ar, struct sc_str s)
{
    char *out = sc_arena_alloc(ar, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len;) {
        size_t width = s.p[i] != '\\' || i + 1 == s.len ? 0
                       : s.p[i + 1] == 'u' ? 6 : s.p[i + 1] == 'U' ? 10 : 0;
        if (width == 0 || i + width > s.len) {
            out[n++] = s.p[i++];
            continue;
        }
        struct sc_rule_text in = {.expr = sc_str_printf(ar, "'%.*s'", (int)width, s.p + i)};
        struct sc_diag dg;
        struct sc_value v = sc_absent();
        sc_diag_init(&dg, ar);
        if (!sc_rule_eval_text(&in, ar, &dg, &v) || v.type != SC_T_STRING)
            return s;
        memcpy(out + n, v.s, v.len);
        n += v.len;
        i += width;
    }
    return (struct sc_str){out, n};
}

static bool same(struct sc_value a, struct sc_value b)
{
    if (a.type != b.type)
        return false;
    switch ((enum sc_type)a.type) {
    case SC_T_DOUBLE:
        return (isnan(a.d) && isnan(b.d)) || a.d == b.d;
    case SC_T_STRING: case SC_T_BYTES:
        return sc_str_eq(sc_value_str(a), sc_value_str(b));
    case SC_T_LIST:
        for (uint32_t i = 0; a.len == b.len && i < a.len; i++)
            if (!same(a.list[i], b.list[i]))
                return false;
        return a.len == b.len;
    case SC_T_MAP:
        for (uint32_t i = 0; a.len == b.len && i < a.len; i++) {
            uint32_t k = 0;
            while (k < b.len && !same(a.map[2 * i], b.map[2 * k]))
                k++;
            if (k == b.len || !same(a.map[2 * i + 1], b.map[2 * k + 1]))
                return false;
        }
        return a.len == b.len;
    case SC_T_NULL: case SC_T_ABSENT:
        return true;
    case SC_T_TIMESTAMP: case SC_T_DURATION:
        return a.i == b.i && a.len == b.len;
    case SC_T_BOOL: case SC_T_INT: case SC_T_UINT: case SC_T_DECIMAL: case SC_T_TYPE:
    case SC_T_ERROR:
        break;
    }
    return a.i == b.i;
}

static bool expected(struct sc_arena *ar, const json_t *c, struct sc_value got)
{
    if (json_object_get(c, "eval_error"))
        return got.type == SC_T_ERROR;
    const json_t *value = json_object_get(c, "value");
    if (value == NULL)
        return same(got, sc_bool(true));
    struct sc_value want = value_of(ar, value);
    if (want.type == SC_T_STRING && !same(got, want))
        want = sc_string(unescape(ar, sc_value_str(want)));
    return same(got, want);
}

/* ---- Running */

static uint32_t bind(struct sc_arena *ar, const json_t *c, struct sc_rule_binding **out)
{
    json_t *all = json_object_get(c, "bindings"), *b;
    const char *name;
    uint32_t n = 0;
    *out = SC_NEW_N(ar, struct sc_rule_binding, json_object_size(all) + 1);
    json_object_foreach(all, name, b) {
        (*out)[n].name = sc_str_dup(ar, sc_str_from(name));
        (*out)[n++].value = value_of(ar, json_object_get(b, "value"));
    }
    return n;
}

static bool names_unknown_function(const struct sc_diag *dg)
{
    for (uint32_t i = 0; i < dg->items.n; i++)
        if (strcmp(dg->items.v[i].code, "unknown-function") == 0)
            return true;
    return false;
}

/* A case whose text and value do not belong together (an escape was lost on the way to JSON). */
static bool broken(const json_t *c)
{
    return strcmp(json_string_value(json_object_get(c, "section")), "bytes_literals") == 0 &&
           strcmp(json_string_value(json_object_get(c, "name")),
                  "triple_double_quoted_unescaped_punctuation") == 0;
}

static void run_case(struct totals *t, struct sc_arena *ar, const json_t *c)
{
    if (json_is_true(json_object_get(c, "needs_proto_messages")) ||
        json_is_true(json_object_get(c, "check_only")) || broken(c)) {
        t->skipped++;
        return;
    }
    struct sc_rule_binding *vars;
    struct sc_rule_text in = {.expr = text_of(ar, json_object_get(c, "expr"))};
    if (json_object_get(c, "container"))
        in.container = text_of(ar, json_object_get(c, "container"));
    in.n_vars = bind(ar, c, &vars);
    in.vars = vars;
    struct sc_diag dg;
    struct sc_value got = sc_absent();
    sc_diag_init(&dg, ar);
    bool compiled = sc_rule_eval_text(&in, ar, &dg, &got);
    bool pass = compiled && expected(ar, c, got);
    bool refused = !compiled || (got.type == SC_T_ERROR && names_unknown_function(&dg));
    *(pass ? &t->passed : refused ? &t->refused : &t->wrong) += 1;
    if (pass || !t->verbose)
        return;
    struct sc_buf b = {0};
    struct sc_jsonw w;
    sc_jsonw_init(&w, &b);
    sc_value_json(got, &w);
    printf("%s %s/%s: %.*s\n   got %s %.*s\n", refused ? "refused" : "WRONG",
           json_string_value(json_object_get(c, "file")),
           json_string_value(json_object_get(c, "name")), SC_STR_FMT(in.expr),
           sc_type_name((enum sc_type)got.type), SC_STR_FMT(sc_buf_view(&b)));
    for (uint32_t i = 0; i < dg.items.n; i++)
        printf("   %.*s\n", SC_STR_FMT(dg.items.v[i].text));
    sc_buf_fini(&b);
}

int main(int argc, char **argv)
{
    const char *path = SC_TEST_DIR "/../../shared/data/cel/cases.jsonl.gz";
    struct totals t = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0)
            t.verbose = true;
        else
            path = argv[i];
    }
    gzFile in = gzopen(path, "rb");
    if (in == NULL) {
        printf("skipped: no %s\n", path);
        return 77;
    }
    char *line = sc_malloc(LINE_MAX_BYTES);
    struct sc_arena ar;
    sc_arena_init(&ar);
    while (gzgets(in, line, LINE_MAX_BYTES)) {
        json_t *c = json_loads(line, JSON_ALLOW_NUL, NULL);
        if (c)
            run_case(&t, &ar, c);
        json_decref(c);
        sc_arena_reset(&ar, 1 << 20);
    }
    gzclose(in);
    sc_arena_fini(&ar);
    free(line);
    printf("passed %u, refused %u, wrong %u, skipped %u\n", t.passed, t.refused, t.wrong,
           t.skipped);
    return t.wrong == 0 && t.passed >= PASSED_LEAST ? 0 : 1;
}
