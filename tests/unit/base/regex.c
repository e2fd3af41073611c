/* Regular expressions: what matches, what is refused, that cost is bounded. */
#include "base/regex.h"
#include "base/arena.h"
#include "base/time.h"

#include <criterion/criterion.h>

static int found(const char *pattern, struct sc_str text)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_str err = SC_STR_NULL;
    struct sc_regex *re = sc_regex_create(sc_str_from(pattern), &ar, &err);
    cr_assert_not_null(re, "%s: %.*s", pattern, SC_STR_FMT(err));
    int rc = sc_regex_search(re, text);
    sc_regex_destroy(re);
    sc_arena_fini(&ar);
    return rc;
}

Test(regex, matches)
{
    static const struct {
        const char *pattern, *text;
        int want;
    } cases[] = {
        {"b+", "abbc", 1},          {"^b", "abc", 0},
        {"c$", "abc", 1},           {"c$", "abc\n", 0}, /* $ is the end of the text, as in RE2 */
        {"", "anything", 1},        {"(?i)SHOP", "my shop", 1},
        {"(?i:A)b", "aB", 0},       {"(?P<year>[0-9]{4})-(?<m>\\d\\d)", "on 2026-03", 1},
        {"^\\p{Lu}\\w*$", "Aü", 0}, /* \w is ASCII, as in RE2 */
        {"^\\p{Lu}.+$", "Ünal", 1}, {"^.$", "é", 1},
        {"[]a]+", "]", 1},          {"[^]]", "]", 0},
        {"[[:alpha:]]+", "12a", 1}, {"\\Q(?=\\E", "x(?=y", 1},
        {"a{,3}b", "a{,3}b", 1},    {"x{2}?", "xx", 1},
        {"a\\+b", "a+b", 1},        {"[(?=]", "=", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i)
        cr_assert_eq(found(cases[i].pattern, sc_str_from(cases[i].text)), cases[i].want, "%s on %s",
                     cases[i].pattern, cases[i].text);
}

Test(regex, refuses_what_re2_refuses)
{
    static const char *const patterns[] = {
        "(?=a)",     "(?!a)",  "(?<=a)", "(?<!a)",  "(?>a)",    "(?R)",
        "(?1)",      "(?&n)",  "(?P>n)", "(?P=n)",  "(?C)",     "(?|a)",
        "(?(1)a|b)", "(a)\\1", "\\g1",   "\\k<n>",  "a\\K",     "\\R",
        "\\X",       "\\G",    "\\C",    "a++",     "a*+",      "a?+",
        "a{2}+",     "(*UTF)", "(*F)",   "a{1001}", "(?#note)", "(?x)a",
        "[a\\1]",    "(",      "[",      "a**",     "*a",       "(?P<n>a)\\k{n}",
        "(?^)a",     "(?",     "(?P",    "\\",
    };
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); ++i) {
        struct sc_arena ar;
        sc_arena_init(&ar);
        struct sc_str err = SC_STR_NULL;
        cr_assert_null(sc_regex_create(sc_str_from(patterns[i]), &ar, &err), "%s", patterns[i]);
        cr_assert_gt(err.len, 0, "%s", patterns[i]);
        sc_arena_fini(&ar);
    }
}

Test(regex, refuses_long_and_deep_patterns)
{
    static char text[5001];
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_str err;
    memset(text, 'a', 5000);
    cr_assert_null(sc_regex_create((struct sc_str){text, 5000}, &ar, &err));
    memset(text, '(', 100);
    memset(text + 100, ')', 100);
    cr_assert_null(sc_regex_create((struct sc_str){text, 200}, &ar, &err));
    sc_arena_fini(&ar);
}

Test(regex, hostile_input_hits_the_limit_soon)
{
    static char text[20000];
    memset(text, 'a', sizeof(text));
    int64_t from = sc_time_mono_ms();
    cr_assert_eq(found("^(a|aa)+[bc]$", (struct sc_str){text, 2000}), -1);
    cr_assert_lt(sc_time_mono_ms() - from, 5000, "bounded, also under sanitizers");
}

Test(regex, long_backtracking_uses_the_heap_and_still_answers)
{
    static char text[20000];
    memset(text, 'a', sizeof(text));
    cr_assert_eq(found("^(a|b)*$", (struct sc_str){text, sizeof(text)}), 1);
}

Test(regex, bytes_that_are_not_utf8_never_match_a_character)
{
    cr_assert_eq(found("^.$", SC_STR("\xFF")), 0);
    cr_assert_eq(found("a.c", SC_STR("\xFF abc")), 1, "around them all is as usual");
    cr_assert_eq(found("a", SC_STR_NULL), 0);
}
