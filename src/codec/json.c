/* JSON in: a projecting parser, strict RFC 8259.
 *
 * One recursive descent walks the text with the tree of wanted paths beside it; where there is no
 * node, values are checked and skipped. Nesting is bounded by SC_DECODE_DEPTH, so is the recursion.
 * A key that is wanted and comes twice in one object is refused (MALFORMED): which of the two the
 * writer meant cannot be known. Keys nobody wants are not compared. A byte order mark is refused.
 * Cost: one pass; a second one over values that are wanted whole and in parts. */
#include "codec/json_scan.h"
#include "codec/want.h"

#include "base/arena.h"
#include "base/assert.h"

struct json {
    const char *p, *end, *begin;
    struct sc_take *take;
    uint32_t *seen; /* by node id: the last object (its number) that had this key */
    uint32_t objects;
    const struct sc_want_node *at; /* innermost node, for faults */
    enum sc_drop drop;
};

static bool value(struct json *j, const struct sc_want_node *w, unsigned depth);
static bool whole(struct json *j, unsigned depth, struct sc_value *out);

static bool fail(struct json *j, enum sc_drop drop, const char *what)
{
    j->drop = sc_fault_set(j->take->fault, drop, j->at->path, "%s, at byte %zu of %zu", what,
                           (size_t)(j->p - j->begin), (size_t)(j->end - j->begin));
    return false;
}

/* Something else than `what` stands here, or nothing any more. */
static bool unexpected(struct json *j, const char *what)
{
    return fail(j, j->p == j->end ? SC_DROP_TRUNCATED : SC_DROP_MALFORMED, what);
}

static char peek_far(struct json *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\r' || *j->p == '\t'))
        j->p++;
    return j->p < j->end ? *j->p : '\0';
}

/* The next character that is no white space, not consumed; 0 at the end (NUL is in no JSON). */
static inline char peek(struct json *j)
{
    return j->p < j->end && *j->p > ' ' ? *j->p : peek_far(j);
}

/* `c` is next, and consumed. */
static inline bool next_is(struct json *j, char c)
{
    bool is = peek(j) == c;
    j->p += is;
    return is;
}

static bool odd_string(struct json *j, struct sc_str *out)
{
    struct sc_json_string s;
    enum sc_drop drop = sc_json_scan_string(&j->p, j->end, &s);
    if (drop != SC_DROP_NONE)
        return fail(j, drop, "in a string");
    *out = sc_json_string_text(s, j->take->ar);
    return true;
}

/* Behind the opening quote: the text meant. */
static inline bool string(struct json *j, struct sc_str *out)
{
    return sc_json_plain_string(&j->p, j->end, out) || odd_string(j, out);
}

/* "key": of an object, the text of the key. */
static inline bool key(struct json *j, struct sc_str *out)
{
    if (!next_is(j, '"'))
        return unexpected(j, "a key in quotes is expected");
    if (!string(j, out))
        return false;
    return next_is(j, ':') || unexpected(j, "a colon is expected");
}

/* Behind an element: 1 another follows, 0 `close` was there, -1 neither. */
static inline int more(struct json *j, char close)
{
    if (next_is(j, ','))
        return 1;
    if (next_is(j, close))
        return 0;
    unexpected(j, close == '}' ? "a comma or } is expected" : "a comma or ] is expected");
    return -1;
}

static bool literal(struct json *j, const char *word, struct sc_value v, struct sc_value *out)
{
    size_t n = strlen(word), left = (size_t)(j->end - j->p);
    if (memcmp(j->p, word, n < left ? n : left) != 0)
        return fail(j, SC_DROP_MALFORMED, "no JSON value");
    if (left < n)
        return fail(j, SC_DROP_TRUNCATED, "in a literal");
    j->p += n;
    *out = v;
    return true;
}

static bool number(struct json *j, struct sc_json_number *n)
{
    enum sc_drop drop = sc_json_scan_number(&j->p, j->end, n);
    return drop == SC_DROP_NONE || fail(j, drop, "in a number");
}

static bool number_value(struct json *j, const struct sc_json_number *n, bool text,
                         struct sc_value *out)
{
    return sc_json_number_value(n, text, j->take->ar, out) ||
           fail(j, SC_DROP_MALFORMED, "a number beyond a double");
}

/* Anything but objects, arrays and numbers. */
static bool simple(struct json *j, struct sc_value *out)
{
    struct sc_str s;
    switch (peek(j)) {
    case '"':
        j->p++;
        if (!string(j, &s))
            return false;
        *out = sc_string(s);
        return true;
    case 't': return literal(j, "true", sc_bool(true), out);
    case 'f': return literal(j, "false", sc_bool(false), out);
    case 'n': return literal(j, "null", (struct sc_value){.type = SC_T_NULL}, out);
    default: return unexpected(j, "a value is expected");
    }
}

static inline bool starts_number(char c)
{
    return c == '-' || (unsigned char)(c - '0') <= 9;
}

static bool put(struct json *j, const struct sc_want_node *w, struct sc_value v, bool array)
{
    return sc_take_put(j->take, w, v, array) || fail(j, SC_DROP_SIZE, "a list is too long");
}

static bool put_number(struct json *j, const struct sc_want_node *w)
{
    struct sc_json_number n;
    int64_t plain;
    if (sc_json_plain_int(&j->p, j->end, &plain))
        return put(j, w, sc_int(plain), false);
    if (!number(j, &n))
        return false;
    for (uint32_t i = 0; i < w->n_sinks; i++) {
        struct sc_value v;
        if (!number_value(j, &n, w->sinks[i].text, &v))
            return false;
        if (!sc_take_sink(j->take, &w->sinks[i], v))
            return fail(j, SC_DROP_SIZE, "a list is too long");
    }
    return true;
}

static bool skip_simple(struct json *j)
{
    struct sc_json_number n;
    struct sc_json_string s;
    struct sc_str text;
    struct sc_value v;
    int64_t plain;
    char c = peek(j);
    if (starts_number(c))
        return sc_json_plain_int(&j->p, j->end, &plain) || number(j, &n);
    if (c != '"')
        return simple(j, &v);
    j->p++;
    if (sc_json_plain_string(&j->p, j->end, &text))
        return true;
    enum sc_drop drop = sc_json_scan_string(&j->p, j->end, &s);
    return drop == SC_DROP_NONE || fail(j, drop, "in a string");
}

static bool open(struct json *j, unsigned depth)
{
    if (depth >= SC_DECODE_DEPTH)
        return fail(j, SC_DROP_DEPTH, "nested too deep");
    j->p++;
    return true;
}

/* The value of a key, below the node for it. */
static bool member(struct json *j, const struct sc_want_node *w, uint32_t object, unsigned depth)
{
    const struct sc_want_node *above = j->at;
    j->at = w;
    if (j->seen[w->id] == object)
        return fail(j, SC_DROP_MALFORMED, "the key is there twice");
    j->seen[w->id] = object;
    if (!value(j, w, depth))
        return false;
    j->at = above;
    return true;
}

static bool object(struct json *j, const struct sc_want_node *w, unsigned depth)
{
    if (!open(j, depth))
        return false;
    if (next_is(j, '}'))
        return true;
    uint32_t number_of = ++j->objects;
    int go = 1;
    while (go == 1) {
        struct sc_str name;
        if (!key(j, &name))
            return false;
        const struct sc_want_node *child = w && w->n_fields ? sc_want_field(w, name) : NULL;
        if (child ? !member(j, child, number_of, depth + 1) : !value(j, NULL, depth + 1))
            return false;
        go = more(j, '}');
    }
    return go == 0;
}

static const struct sc_want_node *index_child(const struct sc_want_node *w, uint32_t index)
{
    for (const struct sc_want_node *c = w->child; c; c = c->next)
        if (c->kind == SC_STEP_INDEX && c->index == index)
            return c;
    return NULL;
}

/* One element; twice over it when it is wanted by its index and by `[*]`. */
static bool element(struct json *j, const struct sc_want_node *w, uint32_t index, unsigned depth)
{
    const struct sc_want_node *one = w && w->n_indices ? index_child(w, index) : NULL;
    const struct sc_want_node *all = w ? w->all : NULL;
    const char *start = j->p;
    if (one && !value(j, one, depth))
        return false;
    if (one && all)
        j->p = start;
    return (one && !all) || value(j, all, depth);
}

static bool array(struct json *j, const struct sc_want_node *w, unsigned depth)
{
    if (!open(j, depth))
        return false;
    if (next_is(j, ']'))
        return true;
    int go = 1;
    for (uint32_t i = 0; go == 1; i++) {
        if (!element(j, w, i, depth + 1))
            return false;
        go = more(j, ']');
    }
    return go == 0;
}

/* An object or array somebody wants: whole, in parts, or both. */
static bool compound(struct json *j, const struct sc_want_node *w, bool is_array, unsigned depth)
{
    const char *start = j->p;
    struct sc_value v = sc_bool(true);
    bool build = sc_want_whole(w, is_array);
    if (build && !whole(j, depth, &v))
        return false;
    if (!put(j, w, v, is_array))
        return false;
    if (build && !w->child && !w->all)
        return true;
    j->p = start;
    return is_array ? array(j, w, depth) : object(j, w, depth);
}

static bool value(struct json *j, const struct sc_want_node *w, unsigned depth)
{
    char c = peek(j);
    if (c == '{' || c == '[') {
        if (w && w->n_sinks)
            return compound(j, w, c == '[', depth);
        return c == '[' ? array(j, w, depth) : object(j, w, depth);
    }
    if (w == NULL || w->n_sinks == 0)
        return skip_simple(j);
    if (starts_number(c))
        return put_number(j, w);
    struct sc_value v;
    return simple(j, &v) && put(j, w, v, false);
}

static bool add(struct json *j, struct sc_items *l, struct sc_value v)
{
    return sc_items_add(l, j->take->ar, v) || fail(j, SC_DROP_SIZE, "a list or map is too long");
}

static bool whole_object(struct json *j, unsigned depth, struct sc_value *out)
{
    struct sc_items pairs = {0};
    if (!open(j, depth))
        return false;
    int go = next_is(j, '}') ? 0 : 1;
    while (go == 1) {
        struct sc_str name;
        struct sc_value v;
        if (!key(j, &name) || !whole(j, depth + 1, &v))
            return false;
        if (!add(j, &pairs, sc_string(name)) || !add(j, &pairs, v))
            return false;
        go = more(j, '}');
    }
    bool twice = false;
    if (go == 0)
        *out = sc_map_value(&pairs, j->take->ar, &twice);
    if (twice)
        return fail(j, SC_DROP_MALFORMED, "a key is there twice");
    return go == 0;
}

static bool whole_array(struct json *j, unsigned depth, struct sc_value *out)
{
    struct sc_items items = {0};
    if (!open(j, depth))
        return false;
    int go = next_is(j, ']') ? 0 : 1;
    while (go == 1) {
        struct sc_value v;
        if (!whole(j, depth + 1, &v) || !add(j, &items, v))
            return false;
        go = more(j, ']');
    }
    *out = (struct sc_value){.type = SC_T_LIST, .len = items.n, .list = items.v};
    return go == 0;
}

static bool whole(struct json *j, unsigned depth, struct sc_value *out)
{
    struct sc_json_number n;
    char c = peek(j);
    if (c == '{')
        return whole_object(j, depth, out);
    if (c == '[')
        return whole_array(j, depth, out);
    if (starts_number(c))
        return number(j, &n) && number_value(j, &n, false, out);
    return simple(j, out);
}

static enum sc_drop json_decode(const struct sc_decoder *d, struct sc_str body,
                                struct sc_take *take)
{
    struct json j = {.p = body.p, .begin = body.p, .end = body.p + body.len, .take = take,
                     .at = d->tree->root};
    j.seen = SC_NEW_N(take->ar, uint32_t, d->tree->n_nodes);
    if (!value(&j, d->tree->root, 0))
        return j.drop;
    peek(&j);
    if (j.p != j.end)
        fail(&j, SC_DROP_TRAILING, "something follows the document");
    return j.drop;
}

const struct sc_decoder *sc_json_decoder(const struct sc_projection *want, struct sc_arena *ar)
{
    struct sc_decoder *d = SC_NEW(ar, struct sc_decoder);
    SC_ASSERT(want != NULL);
    *d = (struct sc_decoder){.decode = json_decode, .tree = sc_want_build(want, ar)};
    return d;
}
