/* Text to tokens: CEL's lexis plus duration literals (`30m`, `24h`, `1h30m`).
 *
 * On demand, one token at a time; literals are decoded here, so that a bad escape has its caret on
 * the very escape. Source: cel-spec doc/langdef.md, Syntax. Cost: linear in the text. */
#include "core/rule/ast.h"

#include "base/assert.h"
#include "base/time.h"
#include <errno.h>
#include <stdlib.h>

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(int c)
{
    return is_name_start(c) || is_digit(c);
}

static int hex_digit(int c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte `ahead` of the reading place, -1 at the end. */
static int peek(const struct lexer *lx, uint32_t ahead)
{
    size_t at = (size_t)lx->at + ahead;
    return at < lx->src->text.len ? (unsigned char)lx->src->text.p[at] : -1;
}

static void skip_blank(struct lexer *lx)
{
    for (;;) {
        int c = peek(lx, 0);
        if (c == '/' && peek(lx, 1) == '/') {
            while (peek(lx, 0) != -1 && peek(lx, 0) != '\n')
                lx->at++;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            lx->at++;
        } else {
            return;
        }
    }
}

static struct token fail(const struct lexer *lx, uint32_t off, const char *what)
{
    RULE_ERROR(lx->src, "expr-syntax", off, lx->at > off ? lx->at - off : 1, "%s", what);
    return (struct token){.kind = TOK_ERROR, .off = off};
}

static struct token finish(const struct lexer *lx, enum token_kind kind, uint32_t off)
{
    SC_ASSERT(lx->at >= off);
    return (struct token){.kind = kind, .off = off, .len = lx->at - off,
                          .text = {lx->src->text.p + off, lx->at - off}};
}

static struct token finish_value(const struct lexer *lx, uint32_t off, struct sc_value value)
{
    struct token t = finish(lx, TOK_CONST, off);
    t.value = value;
    return t;
}

/* ---- Numbers */

static struct token lex_integer(struct lexer *lx, uint32_t off, uint32_t digits, int base)
{
    uint64_t u = 0;
    bool over = false;
    for (uint32_t i = digits; i < lx->at; i++) {
        uint64_t d = (uint64_t)hex_digit((unsigned char)lx->src->text.p[i]);
        over |= __builtin_mul_overflow(u, (uint64_t)base, &u) || __builtin_add_overflow(u, d, &u);
    }
    if (peek(lx, 0) == 'u' || peek(lx, 0) == 'U') {
        lx->at++;
        if (over)
            return fail(lx, off, "unsigned integer is larger than 18446744073709551615");
        return finish_value(lx, off, (struct sc_value){.type = SC_T_UINT, .u = u});
    }
    uint64_t most = (uint64_t)INT64_MAX + (lx->after_minus ? 1 : 0);
    if (over || u > most)
        return fail(lx, off, "integer is out of range (64 bits)");
    return finish_value(lx, off, sc_int(lx->after_minus ? (int64_t)(0 - u) : (int64_t)u));
}

static struct token lex_double(struct lexer *lx, uint32_t off)
{
    char *z = sc_arena_dup(lx->src->ar, lx->src->text.p + off, lx->at - off);
    double d = strtod(z, NULL);
    return finish_value(lx, off, sc_double(lx->after_minus ? -d : d));
}

static struct token lex_duration(struct lexer *lx, uint32_t off)
{
    while (is_name(peek(lx, 0)) || (peek(lx, 0) == '.' && is_digit(peek(lx, 1))))
        lx->at++;
    struct sc_str text = {lx->src->text.p + off, lx->at - off};
    int64_t ms;
    if (!sc_duration_parse(text, &ms))
        return fail(lx, off, "not a number or a duration (units d h m s ms, as in 1h30m)");
    return finish_value(lx, off, sc_duration(lx->after_minus ? -ms : ms));
}

static struct token lex_number(struct lexer *lx)
{
    uint32_t off = lx->at;
    if (peek(lx, 0) == '0' && (peek(lx, 1) | 0x20) == 'x' && hex_digit(peek(lx, 2)) >= 0) {
        lx->at += 2;
        while (hex_digit(peek(lx, 0)) >= 0)
            lx->at++;
        struct token t = lex_integer(lx, off, off + 2, 16);
        return is_name(peek(lx, 0)) ? fail(lx, off, "not a number") : t;
    }
    bool real = false;
    while (is_digit(peek(lx, 0)))
        lx->at++;
    if (peek(lx, 0) == '.' && is_digit(peek(lx, 1))) {
        real = true;
        lx->at++;
        while (is_digit(peek(lx, 0)))
            lx->at++;
    }
    uint32_t sign = peek(lx, 1) == '+' || peek(lx, 1) == '-' ? 2 : 1;
    if ((peek(lx, 0) | 0x20) == 'e' && is_digit(peek(lx, sign))) {
        real = true;
        lx->at += sign;
        while (is_digit(peek(lx, 0)))
            lx->at++;
    }
    int next = peek(lx, 0);
    if (is_name(next) && !(!real && (next == 'u' || next == 'U') && !is_name(peek(lx, 1))))
        return lex_duration(lx, off);
    return real ? lex_double(lx, off) : lex_integer(lx, off, off, 10);
}

/* ---- Strings */

struct quoted {
    char quote;
    bool triple, raw, bytes;
    char *out; /* the lexer's scratch: no escape is longer than its source */
    uint32_t n;
};

static void put_utf8(struct quoted *q, uint32_t c)
{
    SC_ASSERT(c <= 0x10ffff);
    if (c < 0x80) {
        q->out[q->n++] = (char)c;
    } else if (c < 0x800) {
        q->out[q->n++] = (char)(0xc0 | c >> 6);
        q->out[q->n++] = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        q->out[q->n++] = (char)(0xe0 | c >> 12);
        q->out[q->n++] = (char)(0x80 | (c >> 6 & 0x3f));
        q->out[q->n++] = (char)(0x80 | (c & 0x3f));
    } else {
        q->out[q->n++] = (char)(0xf0 | c >> 18);
        q->out[q->n++] = (char)(0x80 | (c >> 12 & 0x3f));
        q->out[q->n++] = (char)(0x80 | (c >> 6 & 0x3f));
        q->out[q->n++] = (char)(0x80 | (c & 0x3f));
    }
}

/* `digits` digits in `base` (8, 16) at the reading place. */
static bool read_digits(struct lexer *lx, uint32_t digits, int base, uint32_t *out)
{
    uint32_t u = 0;
    for (uint32_t i = 0; i < digits; i++) {
        int d = hex_digit(peek(lx, 0));
        if (d < 0 || d >= base)
            return false;
        u = u * (uint32_t)base + (uint32_t)d;
        lx->at++;
    }
    *out = u;
    return true;
}

/* Behind the backslash. */
static bool lex_escape(struct lexer *lx, struct quoted *q)
{
    static const char from[] = "abfnrtv\\?\"'`", to[] = "\a\b\f\n\r\t\v\\?\"'`";
    int c = peek(lx, 0);
    if (c < 0)
        return false;
    const char *simple = c ? strchr(from, c) : NULL;
    if (simple) {
        lx->at++;
        q->out[q->n++] = to[simple - from];
        return true;
    }
    uint32_t u = 0;
    bool ok = false, unicode = c == 'u' || c == 'U';
    if (c == 'x' || c == 'X' || unicode) {
        lx->at++;
        ok = read_digits(lx, c == 'u' ? 4 : c == 'U' ? 8 : 2, 16, &u);
    } else if (c >= '0' && c <= '3') {
        ok = read_digits(lx, 3, 8, &u);
    }
    if (!ok || u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff) || (unicode && q->bytes))
        return false;
    if (q->bytes)
        q->out[q->n++] = (char)u;
    else
        put_utf8(q, u);
    return true;
}

static bool at_close(const struct lexer *lx, const struct quoted *q)
{
    return peek(lx, 0) == q->quote &&
           (!q->triple || (peek(lx, 1) == q->quote && peek(lx, 2) == q->quote));
}

static struct token lex_string(struct lexer *lx, uint32_t off, bool raw, bool bytes)
{
    struct quoted q = {.quote = (char)peek(lx, 0), .raw = raw, .bytes = bytes};
    q.triple = peek(lx, 1) == q.quote && peek(lx, 2) == q.quote;
    if (lx->scratch == NULL)
        lx->scratch = sc_arena_alloc(lx->src->ar, lx->src->text.len + 1);
    q.out = lx->scratch;
    lx->at += q.triple ? 3 : 1;
    while (!at_close(lx, &q)) {
        int c = peek(lx, 0);
        uint32_t here = lx->at;
        if (c < 0 || (!q.triple && (c == '\n' || c == '\r'))) {
            lx->at = off + 1;
            return fail(lx, off, "this string has no end");
        }
        lx->at++;
        if (c != '\\' || q.raw)
            q.out[q.n++] = (char)c;
        else if (!lex_escape(lx, &q))
            return fail(lx, here, "not an escape sequence of CEL");
    }
    lx->at += q.triple ? 3 : 1;
    struct sc_value v = sc_string((struct sc_str){sc_arena_dup(lx->src->ar, q.out, q.n), q.n});
    if (bytes)
        v.type = SC_T_BYTES;
    else if (!sc_str_utf8_ok(sc_value_str(v)))
        return fail(lx, off, "this string is not UTF-8");
    return finish_value(lx, off, v);
}

/* ---- Names and punctuation */

static struct token lex_name(struct lexer *lx)
{
    uint32_t off = lx->at;
    int c = peek(lx, 0) | 0x20, second = peek(lx, 1) | 0x20;
    uint32_t prefix = c == 'b' && second == 'r' ? 2 : c == 'b' || c == 'r' ? 1 : 0;
    if (prefix > 0 && (peek(lx, prefix) == '"' || peek(lx, prefix) == '\'')) {
        lx->at += prefix;
        return lex_string(lx, off, prefix == 2 || c == 'r', c == 'b');
    }
    while (is_name(peek(lx, 0)))
        lx->at++;
    struct token t = finish(lx, TOK_IDENT, off);
    if (sc_str_eqz(t.text, "in"))
        t.kind = TOK_IN;
    if (sc_str_eqz(t.text, "true") || sc_str_eqz(t.text, "false"))
        return finish_value(lx, off, sc_bool(t.len == 4));
    if (sc_str_eqz(t.text, "null"))
        return finish_value(lx, off, (struct sc_value){.type = SC_T_NULL});
    return t;
}

static struct token lex_quoted(struct lexer *lx)
{
    uint32_t off = lx->at++;
    while (peek(lx, 0) != '`') {
        int c = peek(lx, 0);
        if (!is_name(c) && c != '.' && c != '-' && c != '/' && c != ' ')
            return fail(lx, off, "a name in backticks has letters, digits and _ . - / only");
        lx->at++;
    }
    lx->at++;
    struct token t = finish(lx, TOK_QUOTED, off);
    t.text = (struct sc_str){t.text.p + 1, t.text.len - 2};
    return t.text.len ? t : fail(lx, off, "an empty name");
}

static struct token lex_punct(struct lexer *lx)
{
    static const struct {
        char text[3];
        enum token_kind kind;
    } table[] = { /* longer spellings first */
        {"==", TOK_EQ}, {"!=", TOK_NE}, {"<=", TOK_LE}, {">=", TOK_GE}, {"&&", TOK_AND},
        {"||", TOK_OR}, {"(", TOK_LPAREN}, {")", TOK_RPAREN}, {"[", TOK_LBRACKET},
        {"]", TOK_RBRACKET}, {"{", TOK_LBRACE}, {"}", TOK_RBRACE}, {",", TOK_COMMA},
        {":", TOK_COLON}, {".", TOK_DOT}, {"?", TOK_QUESTION}, {"+", TOK_PLUS}, {"-", TOK_MINUS},
        {"*", TOK_STAR}, {"/", TOK_SLASH}, {"%", TOK_PERCENT}, {"!", TOK_NOT}, {"<", TOK_LT},
        {">", TOK_GT},
    };
    uint32_t off = lx->at;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t n = strlen(table[i].text);
        if (peek(lx, 0) == table[i].text[0] && (n == 1 || peek(lx, 1) == table[i].text[1])) {
            lx->at += (uint32_t)n;
            return finish(lx, table[i].kind, off);
        }
    }
    int c = peek(lx, 0);
    lx->at++;
    if (c == '=')
        return fail(lx, off, "'=' is not an operator: write '=='");
    if (c == '&' || c == '|')
        return fail(lx, off, c == '&' ? "write '&&'" : "write '||'");
    return fail(lx, off, "this character has no meaning here");
}

struct token rule_lex(struct lexer *lx)
{
    skip_blank(lx);
    int c = peek(lx, 0);
    SC_ASSERT(lx->at <= lx->src->text.len);
    if (c < 0)
        return finish(lx, TOK_END, lx->at);
    if (is_digit(c) || (c == '.' && is_digit(peek(lx, 1))))
        return lex_number(lx);
    if (c == '"' || c == '\'')
        return lex_string(lx, lx->at, false, false);
    if (c == '`')
        return lex_quoted(lx);
    return is_name_start(c) ? lex_name(lx) : lex_punct(lx);
}
