/* Regular expressions: a scan that lets only RE2's syntax through, then PCRE2's interpreter.
 *
 * The interpreter, not the JIT: its match limit counts the same steps on every machine, so a
 * pattern that hits the limit does so wherever the log is replayed. Match data comes from a scratch
 * block on the stack and only past that from the heap. Cost: bounded by MATCH_STEPS. */
#include "base/regex.h"
#include "base/arena.h"
#include "base/assert.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#define PATTERN_MAX 4096
#define REPEAT_MAX 1000 /* RE2's */
#define NEST_MAX 64
#define MATCH_STEPS 200000
#define MATCH_HEAP_KIB 16384
#define SCRATCH_BYTES (64u << 10)

struct sc_regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

/* --- The subset --- */

struct scan {
    const char *p, *end;
    const char *fault; /* what is outside the subset, NULL so far */
};

static bool scan_is(const struct scan *sc, char c)
{
    return sc->p < sc->end && *sc->p == c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* After a backslash. */
static void scan_escape(struct scan *sc)
{
    if (sc->p == sc->end)
        return; /* PCRE2 tells */
    char c = *sc->p++;
    if (c >= '1' && c <= '9')
        sc->fault = "back-references are not supported";
    else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        if (memchr("AabBdDfnpPrsStQExwWz", c, 20) == NULL)
            sc->fault = "this escape is not supported";
    }
    if (c != 'Q')
        return;
    while (sc->p < sc->end && !(sc->p[0] == '\\' && sc->end - sc->p > 1 && sc->p[1] == 'E'))
        ++sc->p;
    sc->p += sc->end - sc->p >= 2 ? 2 : 0;
}

/* After a '['. */
static void scan_class(struct scan *sc)
{
    sc->p += scan_is(sc, '^');
    sc->p += scan_is(sc, ']'); /* a literal one when first */
    while (sc->p < sc->end && *sc->p != ']' && sc->fault == NULL) {
        char c = *sc->p++;
        if (c == '\\') {
            scan_escape(sc);
        } else if (c == '[' && scan_is(sc, ':')) { /* [:alpha:] */
            const char *close = memchr(sc->p, ']', (size_t)(sc->end - sc->p));
            if (close != NULL && close[-1] == ':')
                sc->p = close + 1;
        }
    }
    sc->p += sc->p < sc->end;
}

/* After a '(': of "(?" only (?:, (?P<name>, (?<name>, (?flags) and (?flags: are RE2's. */
static void scan_group(struct scan *sc)
{
    if (scan_is(sc, '*'))
        sc->fault = "verbs are not supported";
    if (!scan_is(sc, '?'))
        return;
    ++sc->p;
    const char *p = sc->p;
    if (scan_is(sc, 'P'))
        ++p;
    if (p < sc->end && *p == '<') {
        bool name = p + 1 < sc->end && p[1] != '=' && p[1] != '!';
        sc->fault = name ? NULL : "look-around is not supported";
        return;
    }
    while (p < sc->end && memchr("imsU-", *p, 5) != NULL)
        ++p;
    if (p == sc->end || (*p != ':' && *p != ')'))
        sc->fault = "look-around, atomic groups, recursion and conditions are not supported";
}

/* At '*', '+', '?' or '{': the quantifier with its lazy mark. */
static void scan_quantifier(struct scan *sc)
{
    if (*sc->p++ == '{') {
        const char *p = sc->p;
        while (p < sc->end && (is_digit(*p) || *p == ',')) {
            unsigned n = 0;
            for (; p < sc->end && is_digit(*p); ++p)
                n = n > REPEAT_MAX ? n : n * 10 + (unsigned)(*p - '0');
            if (n > REPEAT_MAX)
                sc->fault = "a repeat count is over 1000";
            p += p < sc->end && *p == ',';
        }
        if (p == sc->p || p == sc->end || *p != '}')
            return; /* a literal brace */
        sc->p = p + 1;
    }
    if (scan_is(sc, '+'))
        sc->fault = "possessive quantifiers are not supported";
    sc->p += scan_is(sc, '?');
}

static const char *subset_fault(struct sc_str pattern)
{
    struct scan sc = {pattern.p, pattern.p + pattern.len, NULL};
    if (pattern.len > PATTERN_MAX)
        return "the pattern is longer than 4096 bytes";
    while (sc.p < sc.end && sc.fault == NULL) {
        switch (*sc.p) {
        case '\\':
            ++sc.p;
            scan_escape(&sc);
            break;
        case '[':
            ++sc.p;
            scan_class(&sc);
            break;
        case '(':
            ++sc.p;
            scan_group(&sc);
            break;
        case '*':
        case '+':
        case '?':
        case '{':
            scan_quantifier(&sc);
            break;
        default:
            ++sc.p;
        }
    }
    return sc.fault;
}

/* --- Compile and match --- */

static pcre2_code *compile(struct sc_str pattern, struct sc_arena *ar, struct sc_str *err)
{
    pcre2_compile_context *cc = pcre2_compile_context_create(NULL);
    SC_ASSERT(cc != NULL);
    pcre2_set_parens_nest_limit(cc, NEST_MAX);
    int code;
    PCRE2_SIZE offset;
    uint32_t options =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
    PCRE2_SPTR text = (PCRE2_SPTR)(pattern.len ? pattern.p : "");
    pcre2_code *re = pcre2_compile(text, pattern.len, options, &code, &offset, cc);
    pcre2_compile_context_free(cc);
    if (re == NULL) {
        char message[160] = "";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof(message));
        *err = sc_str_printf(ar, "%s (at byte %zu)", message, offset);
    }
    return re;
}

struct sc_regex *sc_regex_create(struct sc_str pattern, struct sc_arena *ar, struct sc_str *err)
{
    const char *fault = subset_fault(pattern);
    if (fault != NULL) {
        *err = sc_str_from(fault);
        return NULL;
    }
    pcre2_code *code = compile(pattern, ar, err);
    if (code == NULL)
        return NULL;
    struct sc_regex *re = sc_malloc(sizeof(*re));
    re->code = code;
    re->limits = pcre2_match_context_create(NULL);
    SC_ASSERT(re->limits != NULL);
    pcre2_set_match_limit(re->limits, MATCH_STEPS);
    pcre2_set_heap_limit(re->limits, MATCH_HEAP_KIB);
    return re;
}

void sc_regex_destroy(struct sc_regex *re)
{
    if (re == NULL)
        return;
    pcre2_code_free(re->code);
    pcre2_match_context_free(re->limits);
    free(re);
}

struct scratch {
    size_t used;
    _Alignas(16) char mem[SCRATCH_BYTES];
};

static void *scratch_alloc(size_t bytes, void *arg)
{
    struct scratch *sc = arg;
    size_t whole = (bytes + 15) & ~(size_t)15;
    if (whole < bytes || whole > SCRATCH_BYTES - sc->used)
        return malloc(bytes);
    sc->used += whole;
    return sc->mem + sc->used - whole;
}

static void scratch_free(void *p, void *arg)
{
    struct scratch *sc = arg;
    if ((uintptr_t)p - (uintptr_t)sc->mem >= SCRATCH_BYTES)
        free(p);
}

int sc_regex_search(const struct sc_regex *re, struct sc_str s)
{
    struct scratch scratch;
    scratch.used = 0;
    pcre2_general_context *gc = pcre2_general_context_create(scratch_alloc, scratch_free, &scratch);
    SC_ASSERT(gc != NULL);
    pcre2_match_data *md = pcre2_match_data_create(1, gc);
    SC_ASSERT(md != NULL);
    PCRE2_SPTR text = (PCRE2_SPTR)(s.len ? s.p : "");
    int rc = pcre2_match(re->code, text, s.len, 0, 0, md, re->limits);
    pcre2_match_data_free(md);
    pcre2_general_context_free(gc);
    return rc >= 0 ? 1 : rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}
