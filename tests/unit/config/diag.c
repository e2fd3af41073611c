/* Findings: order, bounds, suggestions, and the four forms they are printed in. */
#include "config/diag.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct sc_arena ar;
static struct sc_diag dg;
static struct sc_source_text file;

static void setup(void)
{
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
}

static void teardown(void)
{
    sc_arena_fini(&ar);
}

TestSuite(diag, .init = setup, .fini = teardown);

static struct sc_finding *add(const char *text, uint32_t line, uint32_t column, uint32_t len)
{
    if (file.text.p == NULL)
        sc_source_init(&file, SC_STR("my shop.yaml"), sc_str_from(text), &ar);
    struct sc_mark m = {.file = &file, .line = line, .column = column, .len = len};
    return sc_diag_add(&dg, SC_ERROR, "unknown-key", m, "unknown key '%s'", "x");
}

static void prints(enum sc_diag_format format, const char *want)
{
    struct sc_buf out = {0};
    sc_diag_render(&dg, format, false, &out);
    sc_buf_char(&out, '\0');
    cr_assert_str_eq(out.p, want);
    sc_buf_fini(&out);
}

Test(diag, text_has_line_and_caret)
{
    struct sc_finding *f = add("a:\n    email: { prioritty: 2 }\n", 2, 14, 9);
    struct sc_str names[] = {SC_STR("when"), SC_STR("priority"), SC_STR("weight")};
    sc_diag_suggest(&dg, f, SC_STR("prioritty"), names, 3);
    f->decl = (struct sc_mark){.file = &file, .line = 1, .column = 1, .len = 1};
    prints(SC_DIAG_TEXT, "my shop.yaml:2:14: error: unknown key 'x'; did you mean 'priority'?\n"
                         "   2 |     email: { prioritty: 2 }\n"
                         "     |              ^~~~~~~~~\n"
                         "my shop.yaml:1:1: note: see here\n"
                         "   1 | a:\n"
                         "     | ^\n");
}

Test(diag, carets_stand_right_after_tabs_wide_and_combined_characters)
{
    add("\ta\tkey: 日本é e\u0301x\n", 1, 9, 6);
    add("", 1, 21, 1);
    prints(SC_DIAG_TEXT, "my shop.yaml:1:9: error: unknown key 'x'\n"
                         "   1 |     a   key: 日本é e\u0301x\n"
                         "     |              ^~~~\n"
                         "my shop.yaml:1:21: error: unknown key 'x'\n"
                         "   1 |     a   key: 日本é e\u0301x\n"
                         "     |                     ^\n");
}

Test(diag, a_file_cannot_drive_the_terminal)
{
    add("a: \033[31m\xFF\xC2\x9B\n", 1, 4, 1);
    prints(SC_DIAG_TEXT, "my shop.yaml:1:4: error: unknown key 'x'\n"
                         "   1 | a: ?[31m??\n"
                         "     |    ^\n");
}

Test(diag, long_lines_are_cut_around_the_place)
{
    char text[5001];
    memset(text, 'a', 5000);
    text[5000] = '\0';
    text[2999] = 'X';
    add(text, 1, 3000, 1);
    struct sc_buf out = {0};
    sc_diag_render(&dg, SC_DIAG_TEXT, false, &out);
    sc_buf_char(&out, '\0');
    cr_assert_lt(out.len, 500);
    const char *x = strchr(out.p, 'X'), *caret = strchr(out.p, '^');
    const char *line = strchr(out.p, '\n') + 1, *below = strchr(line, '\n') + 1;
    cr_assert_eq(x - line, caret - below, "%s", out.p);
    cr_assert_not_null(strstr(line, "| ...aa"));
    sc_buf_fini(&out);
}

Test(diag, places_past_the_text_do_no_harm)
{
    add("a\n", 1, 99, 5);
    add("", 99, 1, 1);
    prints(SC_DIAG_TEXT, "my shop.yaml:1:99: error: unknown key 'x'\n"
                         "   1 | a\n"
                         "     |  ^\n"
                         "my shop.yaml:99:1: error: unknown key 'x'\n"
                         "  99 | \n"
                         "     | ^\n");
}

Test(diag, sorted_by_file_line_and_column)
{
    static struct sc_source_text other = {.name = {"a.yaml", 6}, .text = {"x\ny\n", 4}};
    add("1\n2\n3\n", 3, 1, 1);
    add("", 1, 1, 1);
    sc_diag_add(&dg, SC_WARNING, "w", (struct sc_mark){.file = &other, .line = 2, .column = 1},
                "w");
    sc_diag_add(&dg, SC_NOTE, "n", (struct sc_mark){.file = NULL}, "no place");
    cr_assert(dg.errors == 2 && dg.warnings == 1);
    prints(SC_DIAG_GITHUB,
           "::notice title=n::no place\n"
           "::warning file=a.yaml,line=2,col=1,title=w::w\n"
           "::error file=my shop.yaml,line=1,col=1,title=unknown-key::unknown key 'x'\n"
           "::error file=my shop.yaml,line=3,col=1,title=unknown-key::unknown key 'x'\n");
}

Test(diag, github_escapes)
{
    static struct sc_source_text other = {.name = {"a,b:c%.yaml", 11}, .text = {"x", 1}};
    sc_diag_add(&dg, SC_ERROR, "e", (struct sc_mark){.file = &other, .line = 1, .column = 1},
                "100%%: a,\nb")
        ->hint = SC_STR("c\r");
    prints(SC_DIAG_GITHUB,
           "::error file=a%2Cb%3Ac%25.yaml,line=1,col=1,title=e::100%25: a,%0Ab; c%0D\n");
}

Test(diag, json_is_one_array_one_finding_a_line)
{
    prints(SC_DIAG_JSON, "[]\n");
    add("a\n", 1, 1, 1)->hint = SC_STR("h\"");
    sc_diag_add(&dg, SC_NOTE, "n", (struct sc_mark){.file = NULL}, "no place");
    prints(SC_DIAG_JSON,
           "[\n"
           "{\"severity\":\"note\",\"code\":\"n\",\"message\":\"no place\"},\n"
           "{\"severity\":\"error\",\"code\":\"unknown-key\",\"file\":\"my shop.yaml\",\"line\":1,"
           "\"column\":1,\"length\":1,\"message\":\"unknown key 'x'\",\"hint\":\"h\\\"\"}\n"
           "]\n");
}

Test(diag, sarif_counts_columns_in_characters)
{
    struct sc_finding *f = add("日: x\n", 1, 6, 1);
    f->decl = f->mark;
    prints(SC_DIAG_SARIF,
           "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\","
           "\"runs\":[{\"tool\":{\"driver\":{\"name\":\"stagecoach\",\"version\":\"" SC_VERSION
           "\"}},\"columnKind\":\"unicodeCodePoints\",\"results\":[{\"ruleId\":\"unknown-key\","
           "\"level\":\"error\",\"message\":{\"text\":\"unknown key 'x'\"},\"locations\":["
           "{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"my%20shop.yaml\"},\"region\":"
           "{\"startLine\":1,\"startColumn\":4,\"endColumn\":5}}}],\"relatedLocations\":["
           "{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"my%20shop.yaml\"},\"region\":"
           "{\"startLine\":1,\"startColumn\":4,\"endColumn\":5}}}]}]}]}\n");
}

Test(diag, colours_only_when_asked)
{
    add("a\n", 1, 1, 1);
    struct sc_buf out = {0};
    sc_diag_render(&dg, SC_DIAG_TEXT, true, &out);
    sc_buf_char(&out, '\0');
    cr_assert_not_null(strstr(out.p, "\033[1;31merror:\033[0m"));
    sc_buf_fini(&out);
}

Test(diag, a_thousand_are_kept_all_are_counted)
{
    for (int i = 0; i < 1500; ++i)
        add("a\n", 1, 1, 1)->hint = SC_STR("h");
    cr_assert(dg.items.n == 1000 && dg.errors == 1500);
    struct sc_buf out = {0};
    sc_diag_render(&dg, SC_DIAG_TEXT, false, &out);
    sc_buf_char(&out, '\0');
    cr_assert_not_null(strstr(out.p, "\n... 1500 errors and 0 warnings in all\n"));
    sc_buf_fini(&out);
}

static struct sc_str suggestion(const char *seen)
{
    struct sc_str names[] = {SC_STR("on"), SC_STR("event"), SC_STR("events"),
                             SC_STR("ignores_caps")};
    struct sc_finding *f = add("a", 1, 1, 1);
    sc_diag_suggest(&dg, f, sc_str_from(seen), names, 4);
    return f->hint;
}

Test(diag, suggests_what_is_near)
{
    cr_assert(sc_str_eqz(suggestion("evnt"), "did you mean 'event'?"));
    cr_assert(sc_str_eqz(suggestion("evetns"), "did you mean 'events'?"));
    cr_assert(sc_str_eqz(suggestion("ignore_cap"), "did you mean 'ignores_caps'?"));
    cr_assert_eq(suggestion("foo").len, 0, "half of it would have to change");
    cr_assert_eq(suggestion("priority").len, 0);
}

Test(diag, lines_without_an_index_are_found_too)
{
    struct sc_source_text bare = {.text = SC_STR("a\r\nb\n\u2028d")};
    sc_source_init(&file, SC_STR("x"), bare.text, &ar);
    cr_assert_eq(file.lines, 4);
    static const char *const want[] = {"a", "b", "", "d", ""};
    for (uint32_t line = 1; line <= 5; ++line) {
        cr_assert(sc_str_eqz(sc_source_line(&bare, line), want[line - 1]), "line %u", line);
        cr_assert(sc_str_eqz(sc_source_line(&file, line), want[line - 1]), "line %u", line);
    }
}
