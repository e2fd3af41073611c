/* Tokens to a tree: recursive descent for nesting, precedence climbing for operators.
 *
 * Macros are expanded here, as CEL says: a call `e.all(x, p)` is a loop before anyone looks at
 * names. Nesting is bounded (the parser's own recursion), and so is the height of the tree, since
 * the passes behind follow it. Source: cel-spec doc/langdef.md, Grammar and Macros. */
#include "core/rule/ast.h"

#include "base/assert.h"
#include "core/rule/prog.h"

struct parser {
    const struct rule_src *src;
    struct lexer lx;
    struct token tok; /* not yet taken */
    uint32_t depth;
    struct sc_str last; /* the token taken last */
    uint32_t end;       /* of that */
};

static struct node *parse_expr(struct parser *p);

static void advance(struct parser *p)
{
    p->end = p->tok.off + p->tok.len;
    p->last = p->tok.text;
    p->tok = rule_lex(&p->lx);
    p->lx.after_minus = false;
}

static struct node *fail_at(struct parser *p, uint32_t off, uint32_t len, const char *what)
{
    RULE_ERROR(p->src, "expr-syntax", off, len ? len : 1, "%s", what);
    return NULL;
}

/* What words and operators of other languages are here. */
static struct sc_str other_spelling(struct sc_str last, struct sc_str word)
{
    static const char *const table[][2] = {
        {"and", "write '&&'"}, {"AND", "write '&&'"}, {"or", "write '||'"}, {"OR", "write '||'"},
        {"not", "write '!'"}, {"is", "write '=='"}, {"then", "write 'condition ? a : b'"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (sc_str_eqz(word, table[i][0]) || sc_str_eqz(last, table[i][0]))
            return sc_str_from(table[i][1]);
    if (sc_str_eqz(last, "<") && sc_str_eqz(word, ">"))
        return SC_STR("write '!='");
    if (sc_str_eqz(last, "?") && sc_str_eqz(word, "?"))
        return SC_STR("a default is written event.?x.orValue(0)");
    bool number = last.len > 0 && last.p[0] >= '0' && last.p[0] <= '9';
    if (number && sc_str_eqz(word, ","))
        return SC_STR("a number's point is '.'");
    return SC_STR_NULL;
}

/* The token not taken is not what is wanted here. The lexer has spoken for itself. */
static struct node *unexpected(struct parser *p, const char *wanted)
{
    if (p->tok.kind == TOK_ERROR)
        return NULL;
    if (p->tok.kind == TOK_END)
        RULE_ERROR(p->src, "expr-syntax", p->end ? p->end - 1 : 0, 1,
                   "the expression ends where %s is expected", wanted);
    else
        RULE_ERROR(p->src, "expr-syntax", p->tok.off, p->tok.len, "expected %s, found '%.*s'",
                   wanted, SC_STR_FMT(p->tok.text))
            ->hint = other_spelling(p->last, p->tok.text);
    return NULL;
}

static bool take(struct parser *p, enum token_kind kind, const char *wanted)
{
    if (p->tok.kind != kind)
        return unexpected(p, wanted) != NULL;
    advance(p);
    return true;
}

static struct node *node_new(struct parser *p, enum node_kind kind, uint32_t off)
{
    struct node *n = SC_NEW(p->src->ar, struct node);
    n->kind = (uint8_t)kind;
    n->off = off;
    n->a = -1;
    return n;
}

/* Give `n` its children (NULL ones are allowed) and its width; NULL when the tree is too high. */
static struct node *node_close(struct parser *p, struct node *n, struct node **kid, uint32_t count)
{
    n->kid = kid;
    n->n = count;
    n->len = p->end - n->off;
    uint16_t height = 0;
    for (uint32_t i = 0; i < count; i++)
        if (kid[i] && kid[i]->height > height)
            height = kid[i]->height;
    n->height = (uint16_t)(height + 1);
    if (n->height > SC_RULE_HEIGHT_MAX)
        return fail_at(p, n->off, 1, "this expression is too long: name parts of it as facts");
    return n;
}

static struct node **kids(struct parser *p, uint32_t n, struct node *const *from)
{
    struct node **k = SC_NEW_N(p->src->ar, struct node *, n + 1);
    for (uint32_t i = 0; i < n; i++)
        k[i] = from[i];
    return k;
}

static struct node *close2(struct parser *p, struct node *n, struct node *a, struct node *b)
{
    return node_close(p, n, kids(p, b ? 2 : 1, (struct node *[]){a, b}), b ? 2 : 1);
}

/* ---- Macros */

struct macro {
    const char *name;
    uint8_t loop; /* enum loop_kind */
    uint8_t vars, args; /* variables; arguments in all */
    bool predicate;     /* the first argument behind the variables decides */
};

static const struct macro macros[] = {
    {"all", LOOP_ALL, 1, 2, true},
    {"exists", LOOP_EXISTS, 1, 2, true},
    {"exists_one", LOOP_EXISTS_ONE, 1, 2, true},
    {"existsOne", LOOP_EXISTS_ONE, 1, 2, true},
    {"filter", LOOP_FILTER, 1, 2, true},
    {"map", LOOP_MAP, 1, 2, false},
    {"map", LOOP_MAP, 1, 3, true},
    {"all", LOOP_ALL, 2, 3, true},
    {"exists", LOOP_EXISTS, 2, 3, true},
    {"exists_one", LOOP_EXISTS_ONE, 2, 3, true},
    {"existsOne", LOOP_EXISTS_ONE, 2, 3, true},
    {"transformList", LOOP_MAP, 2, 3, false},
    {"transformList", LOOP_MAP, 2, 4, true},
    {"transformMap", LOOP_MAP_VALUES, 2, 3, false},
    {"transformMap", LOOP_MAP_VALUES, 2, 4, true},
    {"transformMapEntry", LOOP_MAP_ENTRIES, 2, 3, false},
    {"transformMapEntry", LOOP_MAP_ENTRIES, 2, 4, true},
};

static struct local *macro_variable(struct parser *p, const struct node *arg)
{
    if (arg->kind != N_IDENT || arg->absolute) {
        fail_at(p, arg->off, arg->len, "a macro wants a plain name for its variable here");
        return NULL;
    }
    struct local *l = SC_NEW(p->src->ar, struct local);
    l->name = arg->name;
    return l;
}

static struct node *expand_loop(struct parser *p, struct node *call, const struct macro *m)
{
    struct node **arg = call->kid + 1;
    call->kind = N_LOOP;
    call->op = m->loop;
    call->v1 = macro_variable(p, arg[0]);
    call->v2 = m->vars == 2 ? macro_variable(p, arg[1]) : NULL;
    if (call->v1 == NULL || (m->vars == 2 && call->v2 == NULL))
        return NULL;
    if (call->v2 && sc_str_eq(call->v1->name, call->v2->name))
        return fail_at(p, arg[1]->off, arg[1]->len, "the two variables have the same name");
    struct node *pred = m->predicate ? arg[m->vars] : NULL;
    struct node *last = m->args > m->vars + (m->predicate ? 1 : 0) ? arg[m->args - 1] : NULL;
    struct node *both[4] = {call->kid[0], pred, last, NULL};
    if (m->loop != LOOP_MAP_ENTRIES)
        return node_close(p, call, kids(p, 3, both), 3);
    if (last == NULL || last->kind != N_MAP || last->n != 2)
        return fail_at(p, call->name_off, call->name_len, "transformMapEntry makes {key: value}");
    both[2] = last->kid[0];
    both[3] = last->kid[1];
    return node_close(p, call, kids(p, 4, both), 4);
}

static struct node *let_new(struct parser *p, const struct node *at, struct local *v,
                            struct node *const both[2])
{
    struct node *n = node_new(p, N_LET, at->off);
    n->v1 = v;
    n = node_close(p, n, kids(p, 2, both), 2);
    if (n)
        n->len = at->len;
    return n;
}

/* cel.block([a, b, …], e): each element is a variable of those behind it and of e. */
static struct node *expand_block(struct parser *p, struct node *call)
{
    struct node *list = call->kid[1], *body = call->kid[2];
    if (list->kind != N_LIST)
        return fail_at(p, list->off, list->len, "cel.block wants a list here");
    for (uint32_t i = list->n; i > 0 && body; i--) {
        struct local *v = SC_NEW(p->src->ar, struct local);
        v->name = sc_str_printf(p->src->ar, "@index%u", i - 1);
        body = let_new(p, call, v, (struct node *[]){list->kid[i - 1], body});
    }
    return body;
}

/* cel.index(n), cel.iterVar(n, m): names that compilers of CEL give to variables. */
static struct node *expand_name(struct parser *p, struct node *call, const char *prefix)
{
    struct sc_str name = sc_str_from(prefix);
    for (uint32_t i = 1; i < call->n; i++) {
        if (call->kid[i]->kind != N_CONST || call->kid[i]->value.type != SC_T_INT)
            return fail_at(p, call->kid[i]->off, call->kid[i]->len, "an int literal is wanted");
        name = sc_str_printf(p->src->ar, "%.*s%s%lld", SC_STR_FMT(name), i > 1 ? ":" : "",
                             (long long)call->kid[i]->value.i);
    }
    struct node *n = node_new(p, N_IDENT, call->off);
    n->name = name;
    n->name_off = call->off;
    n->name_len = call->len;
    return node_close(p, n, NULL, 0);
}

static struct node *expand_cel(struct parser *p, struct node *call)
{
    if (sc_str_eqz(call->name, "bind") && call->n == 4) {
        struct local *v = macro_variable(p, call->kid[1]);
        return v ? let_new(p, call, v, call->kid + 2) : NULL;
    }
    if (sc_str_eqz(call->name, "block") && call->n == 3)
        return expand_block(p, call);
    if (sc_str_eqz(call->name, "index") && call->n == 2)
        return expand_name(p, call, "@index");
    if (sc_str_eqz(call->name, "iterVar") && call->n == 3)
        return expand_name(p, call, "@it");
    return call;
}

/* o.optMap(x, e), o.optFlatMap(x, e) are loops over none or one. */
static struct node *expand_method(struct parser *p, struct node *call)
{
    SC_ASSERT(call->method && call->n > 0);
    if (call->kid[0]->kind == N_IDENT && sc_str_eqz(call->kid[0]->name, "cel"))
        return expand_cel(p, call);
    bool flat = sc_str_eqz(call->name, "optFlatMap");
    if ((flat || sc_str_eqz(call->name, "optMap")) && call->n == 3) {
        call->kind = N_LOOP;
        call->op = flat ? LOOP_OPT_FLAT_MAP : LOOP_OPT_MAP;
        call->v1 = macro_variable(p, call->kid[1]);
        struct node *k[3] = {call->kid[0], NULL, call->kid[2]};
        return call->v1 ? node_close(p, call, kids(p, 3, k), 3) : NULL;
    }
    for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
        if (sc_str_eqz(call->name, macros[i].name) && call->n == (uint32_t)macros[i].args + 1)
            return expand_loop(p, call, &macros[i]);
    return call;
}

static struct node *expand_has(struct parser *p, struct node *call)
{
    struct node *sel = call->n == 1 ? call->kid[0] : NULL;
    if (sel == NULL || sel->kind != N_SELECT || sel->test)
        return fail_at(p, call->off, call->len, "has() wants a field, as in has(event.price)");
    sel->test = true;
    sel->off = call->off;
    sel->len = call->len;
    return sel;
}

/* ---- Primary expressions */

typedef bool element_fn(struct parser *p, struct node **out);

/* Elements up to `close`, which is taken; a comma may stand behind the last. */
static bool parse_elements(struct parser *p, enum token_kind close, struct node *into,
                           element_fn *element)
{
    SC_VEC(struct node *) v = {0};
    uint32_t each = close == TOK_RBRACE ? 2 : 1;
    while (p->tok.kind != close) {
        struct node *e[2] = {0};
        if (!element(p, e))
            return false;
        for (uint32_t i = 0; i < each; i++)
            SC_VEC_PUSH(p->src->ar, &v, e[i]);
        if (p->tok.kind != TOK_COMMA)
            break;
        advance(p);
        if (close == TOK_RPAREN && p->tok.kind == close)
            return unexpected(p, "an argument") != NULL;
    }
    if (!take(p, close, close == TOK_RPAREN ? "',' or ')'"
                        : close == TOK_RBRACE ? "',' or '}'" : "',' or ']'"))
        return false;
    return node_close(p, into, v.v, v.n) != NULL;
}

static bool take_optional(struct parser *p)
{
    bool optional = p->tok.kind == TOK_QUESTION;
    if (optional)
        advance(p);
    return optional;
}

static bool list_element(struct parser *p, struct node **out)
{
    bool optional = take_optional(p);
    out[0] = parse_expr(p);
    if (out[0])
        out[0]->element_optional = optional;
    return out[0] != NULL;
}

static bool map_element(struct parser *p, struct node **out)
{
    if (!list_element(p, out) || !take(p, TOK_COLON, "':'"))
        return false;
    out[1] = parse_expr(p);
    return out[1] != NULL;
}

/* An argument: an expression, or `name: expression`. */
static bool argument(struct parser *p, struct node **out)
{
    out[0] = parse_expr(p);
    if (out[0] == NULL || p->tok.kind != TOK_COLON || out[0]->kind != N_IDENT)
        return out[0] != NULL;
    struct sc_str label = out[0]->name;
    uint32_t off = out[0]->off, len = out[0]->len;
    advance(p);
    out[0] = parse_expr(p);
    if (out[0] == NULL)
        return false;
    out[0]->label = label;
    out[0]->label_off = off;
    out[0]->label_len = len;
    return true;
}

/* Behind `name(`; `receiver` of a method, else NULL. */
static struct node *parse_call(struct parser *p, struct node *name, struct node *receiver)
{
    struct node *call = node_new(p, N_CALL, receiver ? receiver->off : name->off);
    call->name = name->name;
    call->name_off = name->name_off;
    call->name_len = name->name_len;
    call->absolute = name->absolute;
    call->method = receiver != NULL;
    if (!parse_elements(p, TOK_RPAREN, call, argument))
        return NULL;
    if (receiver) {
        struct node **with = SC_NEW_N(p->src->ar, struct node *, call->n + 1);
        with[0] = receiver;
        for (uint32_t i = 0; i < call->n; i++)
            with[i + 1] = call->kid[i];
        call = node_close(p, call, with, call->n + 1);
        return call ? expand_method(p, call) : NULL;
    }
    return sc_str_eqz(call->name, "has") && !call->absolute ? expand_has(p, call) : call;
}

static bool reserved(struct sc_str name)
{
    static const char *const words[] = {
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
        "loop", "package", "namespace", "return", "var", "void", "while",
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (sc_str_eqz(name, words[i]))
            return true;
    return false;
}

static struct node *parse_name(struct parser *p)
{
    uint32_t off = p->tok.off;
    bool absolute = p->tok.kind == TOK_DOT;
    if (absolute)
        advance(p);
    if (p->tok.kind != TOK_IDENT)
        return unexpected(p, "a name");
    struct node *n = node_new(p, N_IDENT, off);
    n->absolute = absolute;
    n->name = p->tok.text;
    n->name_off = p->tok.off;
    n->name_len = p->tok.len;
    if (reserved(n->name))
        return fail_at(p, p->tok.off, p->tok.len, "this word is reserved in CEL");
    advance(p);
    if (p->tok.kind == TOK_LPAREN) {
        advance(p);
        return parse_call(p, n, NULL);
    }
    return node_close(p, n, NULL, 0);
}

static struct node *parse_parens(struct parser *p)
{
    uint32_t off = p->tok.off;
    advance(p);
    struct node *n = parse_expr(p);
    if (n == NULL || !take(p, TOK_RPAREN, "')'"))
        return NULL;
    n->off = off; /* a node's text can be read again by itself */
    n->len = p->end - off;
    return n;
}

static struct node *parse_primary(struct parser *p)
{
    struct node *n = node_new(p, N_CONST, p->tok.off);
    switch (p->tok.kind) {
    case TOK_CONST:
        n->value = p->tok.value;
        n->name = p->tok.text;
        advance(p);
        return node_close(p, n, NULL, 0);
    case TOK_LPAREN:
        return parse_parens(p);
    case TOK_LBRACKET:
        n->kind = N_LIST;
        advance(p);
        return parse_elements(p, TOK_RBRACKET, n, list_element) ? n : NULL;
    case TOK_LBRACE:
        n->kind = N_MAP;
        advance(p);
        return parse_elements(p, TOK_RBRACE, n, map_element) ? n : NULL;
    case TOK_IDENT: case TOK_DOT:
        return parse_name(p);
    case TOK_END: case TOK_ERROR: case TOK_QUOTED: case TOK_RPAREN: case TOK_RBRACKET:
    case TOK_RBRACE: case TOK_COMMA: case TOK_COLON: case TOK_QUESTION: case TOK_PLUS:
    case TOK_MINUS: case TOK_STAR: case TOK_SLASH: case TOK_PERCENT: case TOK_NOT: case TOK_EQ:
    case TOK_NE: case TOK_LT: case TOK_LE: case TOK_GT: case TOK_GE: case TOK_AND: case TOK_OR:
    case TOK_IN:
        break;
    }
    return unexpected(p, "a value");
}

/* ---- Members: a.b, a.?b, a.b(c), a[b], a[?b] */

static struct node *parse_select(struct parser *p, struct node *of)
{
    advance(p);
    struct node *n = node_new(p, N_SELECT, of->off);
    n->optional = take_optional(p);
    if (p->tok.kind != TOK_IDENT && p->tok.kind != TOK_QUOTED)
        return unexpected(p, "a field name");
    bool quoted = p->tok.kind == TOK_QUOTED;
    n->name = p->tok.text;
    n->name_off = p->tok.off;
    n->name_len = p->tok.len;
    advance(p);
    if (p->tok.kind == TOK_LPAREN && !quoted && !n->optional) {
        advance(p);
        return parse_call(p, n, of);
    }
    return close2(p, n, of, NULL);
}

static struct node *parse_index(struct parser *p, struct node *of)
{
    advance(p);
    struct node *n = node_new(p, N_INDEX, of->off);
    n->optional = take_optional(p);
    struct node *index = parse_expr(p);
    if (index == NULL || !take(p, TOK_RBRACKET, "']'"))
        return NULL;
    return close2(p, n, of, index);
}

static struct node *parse_member(struct parser *p)
{
    struct node *n = parse_primary(p);
    while (n) {
        if (p->tok.kind == TOK_DOT)
            n = parse_select(p, n);
        else if (p->tok.kind == TOK_LBRACKET)
            n = parse_index(p, n);
        else if (p->tok.kind == TOK_LBRACE && (n->kind == N_IDENT || n->kind == N_SELECT))
            return fail_at(p, n->off, p->tok.off + 1 - n->off,
                           "messages (Type{field: value}) are outside this subset of CEL");
        else
            return n;
    }
    return NULL;
}

/* ---- Operators */

static struct node *unary(struct parser *p, enum rule_op op, uint32_t off, struct node *of)
{
    struct node *n = node_new(p, N_UNARY, off);
    n->op = (uint8_t)op;
    n->name_off = off;
    n->name_len = 1;
    return close2(p, n, of, NULL);
}

/* `!!x`, `--x`, `-1`: one kind of sign repeated, then a member. */
static struct node *parse_unary(struct parser *p)
{
    enum token_kind sign = p->tok.kind;
    if (sign != TOK_NOT && sign != TOK_MINUS)
        return parse_member(p);
    uint32_t off = p->tok.off;
    if (++p->depth > SC_RULE_DEPTH_MAX)
        return fail_at(p, off, 1, "the expression is nested too deep");
    p->lx.after_minus = sign == TOK_MINUS;
    advance(p);
    struct node *n = NULL;
    bool number = sign == TOK_MINUS && p->tok.kind == TOK_CONST &&
                  (p->tok.value.type == SC_T_INT || p->tok.value.type == SC_T_DOUBLE ||
                   p->tok.value.type == SC_T_DURATION);
    if (number)
        p->tok.text = (struct sc_str){p->src->text.p + off, p->tok.off + p->tok.len - off};
    n = p->tok.kind == sign ? parse_unary(p) : parse_member(p);
    p->depth--;
    if (n && number && n->kind == N_CONST)
        n->off = off, n->len = p->end - off;
    if (n == NULL || number)
        return n;
    return unary(p, sign == TOK_NOT ? OP_NOT : OP_NEG, off, n);
}

/* Binding strength, 0: not a binary operator. */
static int strength(enum token_kind kind, uint8_t *node, uint8_t *op)
{
    static const struct {
        uint8_t token, strength, node, op;
    } table[] = {
        {TOK_OR, 1, N_OR, 0}, {TOK_AND, 2, N_AND, 0}, {TOK_EQ, 3, N_BINARY, OP_EQ},
        {TOK_NE, 3, N_BINARY, OP_NE}, {TOK_LT, 3, N_BINARY, OP_LT}, {TOK_LE, 3, N_BINARY, OP_LE},
        {TOK_GT, 3, N_BINARY, OP_GT}, {TOK_GE, 3, N_BINARY, OP_GE}, {TOK_IN, 3, N_BINARY, OP_IN},
        {TOK_PLUS, 4, N_BINARY, OP_ADD}, {TOK_MINUS, 4, N_BINARY, OP_SUB},
        {TOK_STAR, 5, N_BINARY, OP_MUL}, {TOK_SLASH, 5, N_BINARY, OP_DIV},
        {TOK_PERCENT, 5, N_BINARY, OP_MOD},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].token == kind) {
            *node = table[i].node;
            *op = table[i].op;
            return table[i].strength;
        }
    }
    return 0;
}

/* Operators at least as strong as `least`, left to right. Recursion: at most five levels. */
static struct node *parse_binary(struct parser *p, int least)
{
    struct node *left = parse_unary(p);
    while (left) {
        uint8_t kind, op;
        int s = strength(p->tok.kind, &kind, &op);
        if (s == 0 || s < least)
            return left;
        struct node *n = node_new(p, kind, left->off);
        n->op = op;
        n->name_off = p->tok.off;
        n->name_len = p->tok.len;
        advance(p);
        struct node *right = parse_binary(p, s + 1);
        left = right ? close2(p, n, left, right) : NULL;
    }
    return NULL;
}

static struct node *parse_condition(struct parser *p)
{
    struct node *test = parse_binary(p, 1);
    if (test == NULL || p->tok.kind != TOK_QUESTION)
        return test;
    struct node *n = node_new(p, N_COND, test->off);
    n->name_off = p->tok.off;
    n->name_len = 1;
    advance(p);
    struct node *yes = parse_binary(p, 1);
    if (yes == NULL || !take(p, TOK_COLON, "':'"))
        return NULL;
    struct node *no = parse_expr(p);
    return no ? node_close(p, n, kids(p, 3, (struct node *[]){test, yes, no}), 3) : NULL;
}

static struct node *parse_expr(struct parser *p)
{
    if (++p->depth > SC_RULE_DEPTH_MAX)
        return fail_at(p, p->tok.off, p->tok.len, "the expression is nested too deep");
    struct node *n = parse_condition(p);
    p->depth--;
    return n;
}

struct node *rule_parse(const struct rule_src *src)
{
    SC_ASSERT(src->text.p != NULL || src->text.len == 0);
    struct parser p = {.src = src, .lx = {.src = src}};
    if (src->text.len > SC_RULE_TEXT_MAX)
        return fail_at(&p, 0, 1, "the expression is longer than 16 KiB");
    advance(&p);
    if (p.tok.kind == TOK_END)
        return fail_at(&p, 0, 1, "the expression is empty");
    struct node *n = parse_expr(&p);
    if (n && p.tok.kind != TOK_END)
        return unexpected(&p, "an operator or the end");
    return n;
}
