/* The tree between parser and compiler. Private to this folder.
 *
 * The parser makes it (macros are loops already), the checker resolves names in place: an IDENT,
 * SELECT or CALL becomes the kind that says what it means. Nothing here outlives compilation, but
 * for the trees of named expressions, which are compiled again where the name stands. */
#ifndef SC_CORE_RULE_AST_H
#define SC_CORE_RULE_AST_H

#include "core/rule/rule.h"

#define SC_RULE_TEXT_MAX (16u * 1024)
#define SC_RULE_DEPTH_MAX 64   /* nesting that the parser follows */
#define SC_RULE_HEIGHT_MAX 200 /* height of the tree: `a + b + c …` grows it without nesting */
#define SC_RULE_RECENT_MAX 64  /* largest n of recent() */

/* Where an expression stands, and where its findings go. */
struct rule_src {
    struct sc_str text;
    struct sc_mark mark;
    struct sc_arena *ar;
    struct sc_diag *dg;
};

#define RULE_ERROR(src, code, off, len, ...)                                                       \
    sc_diag_add((src)->dg, SC_ERROR, (code), sc_mark_at((src)->mark, (off), (len)), __VA_ARGS__)

enum token_kind {
    TOK_END, TOK_ERROR, TOK_CONST, TOK_IDENT, TOK_QUOTED,
    TOK_LPAREN, TOK_RPAREN, TOK_LBRACKET, TOK_RBRACKET, TOK_LBRACE, TOK_RBRACE,
    TOK_COMMA, TOK_COLON, TOK_DOT, TOK_QUESTION,
    TOK_PLUS, TOK_MINUS, TOK_STAR, TOK_SLASH, TOK_PERCENT, TOK_NOT,
    TOK_EQ, TOK_NE, TOK_LT, TOK_LE, TOK_GT, TOK_GE, TOK_AND, TOK_OR, TOK_IN
};

struct token {
    enum token_kind kind;
    uint32_t off, len;
    struct sc_str text;    /* IDENT, QUOTED: the name; CONST: as written */
    struct sc_value value; /* CONST */
};

struct lexer {
    const struct rule_src *src;
    uint32_t at;
    bool after_minus; /* a number read now may be INT64_MIN's */
    char *scratch;    /* a string under way: as long as the text, made when first needed */
};

/* The next token; TOK_ERROR after a finding was made. */
struct token rule_lex(struct lexer *lx);

/* What a checked node's value may be: t == SC_T_ABSENT is "any" (CEL's dyn). */
struct rule_ty {
    uint8_t t, el; /* el: of LIST and MAP values */
};

enum node_kind {
    /* as parsed */
    N_CONST, N_IDENT, N_LIST, N_MAP, N_SELECT, N_INDEX, N_CALL, N_UNARY, N_BINARY, N_AND, N_OR,
    N_COND, N_LOOP, N_LET,
    /* as resolved */
    N_LOCAL,       /* local */
    N_VAR,         /* a: index of the binding (free-standing expressions) */
    N_EVENT_FIELD, /* a: enum event_field */
    N_PROP,        /* a: event index, or -1 and slots by event; test: has() */
    N_ATTR,        /* a: enum sc_attr */
    N_FACT,        /* a: fact index */
    N_NAMED,       /* kid[0]: another expression's tree, named */
    N_OPEN,        /* a: case index */
    N_RECENT,      /* a: event index or -1, b: n */
    N_FN,          /* a: first row of the function's overloads */
    N_ERROR        /* a: enum sc_value_err: an undeclared name, free-standing */
};

enum event_field { EVENT_NAME, EVENT_ID, EVENT_OCCURRED_AT, EVENT_SOURCE };

enum loop_kind {
    LOOP_ALL, LOOP_EXISTS, LOOP_EXISTS_ONE, LOOP_FILTER, LOOP_MAP, LOOP_MAP_VALUES,
    LOOP_MAP_ENTRIES, LOOP_OPT_MAP, LOOP_OPT_FLAT_MAP
};

/* A variable of a macro. */
struct local {
    struct sc_str name;
    struct local *up; /* the scope outside, while checking */
    struct rule_ty type;
    uint16_t reg;     /* while compiling */
};

struct node {
    uint8_t kind;      /* enum node_kind */
    uint8_t op;        /* UNARY, BINARY: enum rule_op; LOOP: enum loop_kind */
    uint16_t height;
    bool method;       /* CALL: kid[0] is the receiver */
    bool test;         /* SELECT, PROP: has() */
    bool optional;     /* SELECT, INDEX: `.?`, `[?` */
    bool element_optional; /* stands as `?x` in a list, or as a key `?k:` in a map */
    bool absolute;     /* IDENT: written with a leading dot */
    struct rule_ty type;
    uint32_t off, len;           /* the whole sub-expression */
    uint32_t name_off, name_len; /* of the name, for carets */
    struct sc_str name;          /* IDENT, SELECT, CALL; CONST: the literal as written */
    struct sc_str label;         /* an argument by name (where:) */
    uint32_t label_off, label_len;
    struct node **kid;           /* LOOP: range, predicate or NULL, result or NULL (entries: 2) */
    uint32_t n;
    struct sc_value value;       /* CONST */
    struct local *v1, *v2;       /* LOOP, LET, LOCAL */
    int32_t a;
    uint32_t b;
    const int16_t *slots;        /* PROP of several events */
};

/* The tree of src->text, or NULL with a finding. */
struct node *rule_parse(const struct rule_src *src);

#endif
