/* YAML trees: shapes, marks, limits, interpolation. */
#include "config/node.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct sc_arena ar;
static struct sc_diag dg;

static const char *env(void *arg, const char *name)
{
    (void)arg;
    if (strcmp(name, "PORT") == 0)
        return "8080";
    if (strcmp(name, "DOLLAR") == 0)
        return "${PORT}";
    return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static void setup(void)
{
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
}

static void teardown(void)
{
    sc_arena_fini(&ar);
}

TestSuite(node, .init = setup, .fini = teardown);

static struct sc_node *parse(struct sc_str text)
{
    return sc_node_parse(SC_STR("t.yaml"), text, env, NULL, &ar, &dg);
}

static struct sc_node *good(const char *text)
{
    struct sc_node *n = parse(sc_str_from(text));
    struct sc_str fault = dg.items.n ? dg.items.v[0].text : SC_STR("");
    cr_assert(n != NULL && dg.errors == 0, "%s: %.*s", text, SC_STR_FMT(fault));
    return n;
}

static struct sc_str text_of(const struct sc_node *map, const char *key)
{
    struct sc_node *n = sc_node_get(map, key);
    cr_assert(n != NULL && n->kind == SC_NODE_SCALAR, "%s", key);
    return n->text;
}

/* What the mark of map[key] points at. */
static struct sc_str marked(const struct sc_node *map, const char *key)
{
    struct sc_mark m = sc_node_get(map, key)->mark;
    struct sc_str line = sc_source_line(m.file, m.line);
    cr_assert(m.column >= 1 && m.column - 1 + m.len <= line.len, "%s: column %u len %u", key,
              m.column, m.len);
    return (struct sc_str){line.p + m.column - 1, m.len};
}

#define CHECK_STR(s, want) cr_assert(sc_str_eqz((s), (want)), "'%.*s'", SC_STR_FMT(s))

static void one_finding(const char *code, uint32_t line, uint32_t column)
{
    cr_assert_eq(dg.errors, 1, "%u errors", dg.errors);
    const struct sc_finding *f = &dg.items.v[0];
    cr_assert_str_eq(f->code, code);
    cr_assert(f->mark.line == line && f->mark.column == column, "%u:%u %.*s", f->mark.line,
              f->mark.column, SC_STR_FMT(f->text));
}

Test(node, kinds)
{
    struct sc_node *n = good("a: 1\nb: 'x'\nc: [1, two]\nd: {e: f}\ng:\nh: ~\ni: null\nj: ''\n");
    cr_assert_eq(n->n, 8);
    cr_assert_eq(sc_node_get(n, "a")->kind, SC_NODE_SCALAR);
    cr_assert_not(sc_node_get(n, "a")->quoted);
    cr_assert(sc_node_get(n, "b")->quoted);
    cr_assert_eq(sc_node_get(n, "c")->n, 2);
    cr_assert_eq(sc_node_get(n, "d")->kind, SC_NODE_MAP);
    cr_assert_eq(sc_node_get(n, "g")->kind, SC_NODE_NULL);
    cr_assert_eq(sc_node_get(n, "h")->kind, SC_NODE_NULL);
    cr_assert_eq(sc_node_get(n, "i")->kind, SC_NODE_NULL);
    cr_assert_eq(sc_node_get(n, "j")->kind, SC_NODE_SCALAR);
    cr_assert_null(sc_node_get(n, "k"));
    cr_assert_null(sc_node_get(sc_node_get(n, "c"), "a"));
}

Test(node, json_is_yaml)
{
    struct sc_node *n = good("{\"a\": [true, 1.5e3, \"x\\u00e9\\n\"], \"b\": null}");
    struct sc_node *a = sc_node_get(n, "a");
    bool b;
    cr_assert(sc_node_bool(a->items[0], &b) && b);
    cr_assert(sc_node_is_number(a->items[1]));
    CHECK_STR(a->items[2]->text, "x\u00e9\n");
}

Test(node, plain_scalars_as_core_types)
{
    static const struct {
        const char *text;
        bool number, integer, boolean;
    } cases[] = {
        {"1", true, true, false},
        {"-12", true, true, false},
        {"+1", true, true, false},
        {"1.5", true, false, false},
        {".5", true, false, false},
        {"1.", true, false, false},
        {"1e9", true, false, false},
        {"1e", false, false, false},
        {".", false, false, false},
        {"1_000", false, false, false},
        {"0x10", false, false, false},
        {"12:30", false, false, false},
        {"true", false, false, true},
        {"True", false, false, false},
        {"yes", false, false, false},
        {"'1'", false, false, false},
        {"'true'", false, false, false},
        {"!!str 1", false, false, false},
        {"99999999999999999999", true, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        struct sc_node *n = good(cases[i].text);
        int64_t v;
        bool b;
        cr_assert_eq(sc_node_is_number(n), cases[i].number, "%s", cases[i].text);
        cr_assert_eq(sc_node_int(n, &v), cases[i].integer, "%s", cases[i].text);
        cr_assert_eq(sc_node_bool(n, &b), cases[i].boolean, "%s", cases[i].text);
    }
}

Test(node, marks_are_the_content)
{
    struct sc_node *n = good("plain: a b\n"
                             "single: 'x y'\n"
                             "double:   \"é\"\n"
                             "日本: 1\n"
                             "flow: {é: é, last: here}\n"
                             "anchored: &a one\n"
                             "tagged: !!str two # three\n"
                             "block: |\n"
                             "\n"
                             "    first\n"
                             "    second\n"
                             "folded: first\n"
                             "  second\n");
    CHECK_STR(marked(n, "plain"), "a b");
    CHECK_STR(marked(n, "single"), "x y");
    CHECK_STR(marked(n, "double"), "é");
    CHECK_STR(marked(n, "日本"), "1");
    CHECK_STR(marked(sc_node_get(n, "flow"), "last"), "here");
    CHECK_STR(marked(n, "anchored"), "one");
    CHECK_STR(marked(n, "tagged"), "two");
    CHECK_STR(marked(n, "block"), "first");
    CHECK_STR(marked(n, "folded"), "first");
}

/* The mark of each byte of a scalar is the place of that byte. */
static void offsets_fit(struct sc_node *n)
{
    for (uint32_t i = 0; i < n->text.len; ++i) {
        if (n->text.p[i] == '\n' || n->text.p[i] == ' ')
            continue;
        struct sc_mark m = sc_mark_at(n->mark, i, 1);
        struct sc_str line = sc_source_line(m.file, m.line);
        cr_assert(m.column <= line.len && line.p[m.column - 1] == n->text.p[i], "%u: %u:%u", i,
                  m.line, m.column);
    }
}

Test(node, marks_inside_scalars_cross_lines)
{
    struct sc_node *n = good("a: abc def\n"
                             "b: |\n"
                             "   xy\n"
                             "     zu\n"
                             "   v\n"
                             "c: >-\n"
                             "  klm\n"
                             "  nop\n"
                             "d: rst uvw\n"
                             "    xyz\n"
                             "e: 'abc\n"
                             "  def'\n");
    for (uint32_t i = 0; i < n->n; ++i)
        offsets_fit(n->pairs[i].value);
}

Test(node, a_byte_order_mark_is_no_column)
{
    struct sc_node *n = good("\xEF\xBB\xBF"
                             "a: b");
    cr_assert_eq(sc_node_get(n, "a")->mark.column, 4);
}

Test(node, long_one_line_documents_are_linear)
{
    struct sc_buf b = {0};
    sc_buf_addz(&b, "[0");
    for (int i = 1; i < 100000; ++i)
        sc_buf_addf(&b, ",%d", i);
    sc_buf_addz(&b, "]");
    struct sc_node *n = parse(sc_buf_view(&b));
    cr_assert(n != NULL && n->n == 100000);
    struct sc_mark m = n->items[99999]->mark;
    cr_assert_eq(m.column, b.len - 5);
    sc_buf_fini(&b);
}

Test(node, interpolates_values_not_keys)
{
    struct sc_node *n = good("${PORT}: 1\n"
                             "port: ${PORT}\n"
                             "url: 'http://h:${PORT}/x'\n"
                             "def: ${NOPE:-a b}\n"
                             "empty: ${EMPTY:-x}\n"
                             "kept: ${EMPTY}\n"
                             "none: ${NOPE:-}\n"
                             "dollar: 5$$\n"
                             "escaped: $${PORT}\n"
                             "path: $.a.b\n"
                             "end: cost in $\n"
                             "once: ${DOLLAR}\n"
                             "list: [\"${PORT}\", 2]\n");
    cr_assert_not_null(sc_node_get(n, "${PORT}"));
    CHECK_STR(text_of(n, "port"), "8080");
    int64_t v;
    cr_assert(sc_node_int(sc_node_get(n, "port"), &v), "plain stays plain");
    CHECK_STR(text_of(n, "url"), "http://h:8080/x");
    CHECK_STR(text_of(n, "def"), "a b");
    CHECK_STR(text_of(n, "empty"), "x");
    CHECK_STR(text_of(n, "kept"), "");
    CHECK_STR(text_of(n, "none"), "");
    CHECK_STR(text_of(n, "dollar"), "5$");
    CHECK_STR(text_of(n, "escaped"), "${PORT}");
    CHECK_STR(text_of(n, "path"), "$.a.b");
    CHECK_STR(text_of(n, "end"), "cost in $");
    CHECK_STR(text_of(n, "once"), "${PORT}");
    CHECK_STR(sc_node_get(n, "list")->items[0]->text, "8080");
}

Test(node, unset_variables_are_all_reported_and_the_tree_goes_on)
{
    struct sc_node *n = parse(SC_STR("a: x${NOPE}y${NADA}\nb: 'é${ALSO'\nc: ok\n"));
    cr_assert_not_null(n);
    cr_assert_eq(dg.errors, 3);
    cr_assert_str_eq(dg.items.v[0].code, "unset-variable");
    cr_assert(dg.items.v[0].mark.column == 5 && dg.items.v[0].mark.len == 7);
    cr_assert_eq(dg.items.v[1].mark.column, 13);
    cr_assert_str_eq(dg.items.v[2].code, "interpolation");
    cr_assert_eq(dg.items.v[2].mark.column, 7);
    cr_assert(sc_node_get(n, "a")->faulty && sc_node_get(n, "b")->faulty);
    cr_assert_not(sc_node_get(n, "c")->faulty);
}

Test(node, duplicate_keys_name_the_first)
{
    struct sc_node *n = parse(SC_STR("a: 1\nb: 2\n'a': 3\n"));
    one_finding("duplicate-key", 3, 2);
    cr_assert_eq(dg.items.v[0].decl.line, 1);
    cr_assert(n->n == 2 && sc_str_eqz(text_of(n, "a"), "1"), "the first is kept");
}

Test(node, duplicate_keys_in_large_maps)
{
    struct sc_buf b = {0};
    for (int i = 0; i < 3000; ++i)
        sc_buf_addf(&b, "k%d: 1\n", i);
    sc_buf_addz(&b, "k17: 2\n");
    struct sc_node *n = parse(sc_buf_view(&b));
    one_finding("duplicate-key", 3001, 1);
    cr_assert_eq(dg.items.v[0].decl.line, 18);
    cr_assert_eq(n->n, 3000);
    sc_buf_fini(&b);
}

Test(node, aliases_share)
{
    struct sc_node *n = good("a: &x {k: v}\nb: *x\nc: [*x, *x]\n");
    cr_assert_eq(sc_node_get(n, "a"), sc_node_get(n, "b"));
    cr_assert_eq(sc_node_get(n, "c")->items[1], sc_node_get(n, "a"));
}

Test(node, billion_laughs_are_refused)
{
    struct sc_buf b = {0};
    sc_buf_addz(&b, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; ++i) {
        sc_buf_addf(&b, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; ++j)
            sc_buf_addf(&b, "%s*a%d", j ? ", " : "", i - 1);
        sc_buf_addz(&b, "]\n");
    }
    cr_assert_null(parse(sc_buf_view(&b)));
    cr_assert_str_eq(dg.items.v[0].code, "yaml-limit");
    sc_buf_fini(&b);
}

Test(node, aliases_cannot_dig_deeper)
{
    struct sc_buf b = {0};
    sc_buf_addz(&b, "a: &a ");
    for (int i = 0; i < 40; ++i)
        sc_buf_char(&b, '[');
    for (int i = 0; i < 40; ++i)
        sc_buf_char(&b, ']');
    sc_buf_addz(&b, "\nb: ");
    for (int i = 0; i < 30; ++i)
        sc_buf_char(&b, '[');
    sc_buf_addz(&b, "*a");
    for (int i = 0; i < 30; ++i)
        sc_buf_char(&b, ']');
    cr_assert_null(parse(sc_buf_view(&b)));
    cr_assert_str_eq(dg.items.v[0].code, "yaml-limit");
    sc_buf_fini(&b);
}

static bool nested(int levels)
{
    struct sc_buf b = {0};
    for (int i = 0; i < levels; ++i)
        sc_buf_char(&b, '[');
    for (int i = 0; i < levels; ++i)
        sc_buf_char(&b, ']');
    bool ok = parse(sc_buf_view(&b)) != NULL;
    sc_buf_fini(&b);
    return ok;
}

Test(node, depth)
{
    cr_assert(nested(64));
    cr_assert_not(nested(65));
    one_finding("yaml-limit", 1, 65);
    cr_assert_not(nested(100000), "libyaml is not asked to go deeper either");
}

Test(node, size)
{
    size_t n = ((size_t)16 << 20) + 1;
    char *text = malloc(n);
    memset(text, '#', n);
    cr_assert_not_null(parse((struct sc_str){text, n - 1}));
    cr_assert_null(parse((struct sc_str){text, n}));
    one_finding("yaml-limit", 1, 1);
    for (size_t i = 0; i + 1 < n; i += 2)
        memcpy(text + i, "-\n", 2);
    cr_assert_null(parse((struct sc_str){text, n - 1}), "over a million nodes");
    free(text);
}

Test(node, empty_documents)
{
    cr_assert_eq(good("")->kind, SC_NODE_NULL);
    cr_assert_eq(good("# nothing\n")->kind, SC_NODE_NULL);
    cr_assert_eq(good("---\n...\n")->kind, SC_NODE_NULL);
}

Test(node, refusals_have_a_place)
{
    static const struct {
        const char *text, *code;
        uint32_t line, column;
    } cases[] = {
        {"a: 1\n---\nb: 2\n", "yaml", 2, 1}, {"a: !ruby/object x\n", "yaml-tag", 1, 17},
        {"a: *nope\n", "yaml", 1, 4},        {"a: &a [*a]\n", "yaml", 1, 8},
        {"[a]: b\n", "yaml", 1, 1},          {"? {a: b}\n: c\n", "yaml", 1, 3},
        {"a:\n\tb: 1\n", "yaml", 2, 1},      {"a: b: c\n", "yaml", 1, 5},
        {"a: [1, 2\nb: 3\n", "yaml", 2, 2},  {"a: 1\n  b: 2\n", "yaml", 2, 4},
        {"a: \"x\n", "yaml", 2, 1},          {"é: %x\n", "yaml", 1, 5},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        sc_diag_init(&dg, &ar);
        parse(sc_str_from(cases[i].text));
        cr_assert_geq(dg.errors, 1, "%s", cases[i].text);
        one_finding(cases[i].code, cases[i].line, cases[i].column);
    }
}

static void hint_is(const char *text, const char *hint)
{
    sc_diag_init(&dg, &ar);
    cr_assert_null(parse(sc_str_from(text)));
    CHECK_STR(dg.items.v[0].hint, hint);
}

Test(node, common_mistakes_get_advice)
{
    hint_is("a:\n\tb: 1\n", "indent with spaces: YAML forbids tabs there");
    hint_is("a: b: c\n", "put a value that has ': ' in it in quotes");
    hint_is("a: {b: ${X}}\n", "inside { } and [ ] a value with ${...} must be in quotes");
    hint_is("a: 1\nb\n", "a key needs ': ' behind it");
    hint_is("a:\n    b: 1\n  c: 2\n", "is this line indented as its neighbours are?");
}

Test(node, bytes_that_are_not_utf8_are_refused)
{
    cr_assert_null(parse(SC_STR("a: \xFF\n")));
    cr_assert_eq(dg.errors, 1);
    sc_diag_init(&dg, &ar);
    cr_assert_null(parse(SC_STR("\xFF\xFE"
                                "a\0")),
                   "UTF-16");
    sc_diag_init(&dg, &ar);
    cr_assert_null(parse(SC_STR("a: \0\n")));
    cr_assert_eq(dg.errors, 1);
}

Test(node, other_line_ends_keep_places)
{
    struct sc_node *n = good("a: 1\r\nb: 2\rc: 3\r\n");
    cr_assert_eq(sc_node_get(n, "b")->mark.line, 2);
    cr_assert_eq(sc_node_get(n, "c")->mark.line, 3);
    CHECK_STR(marked(n, "c"), "3");
}
