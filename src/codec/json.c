/* JSON in: a projecting parser, strict RFC 8259.
 *
 * One recursive descent walks the text with the tree of wanted paths beside it; where there is no
 * node, values are checked and skipped. Nesting is bounded by SC_DECODE_DEPTH, so is the recursion.
 * A key that is wanted and comes twice in one object is refused (MALFORMED): which of the two the
 * writer meant cannot be known. Keys nobody wants are not compared. A byte order mark is refused.
 *
 * Functions take where something starts and return what is behind it, NULL once a fault is set: the
 * place stays in a register. Each kind of token has a plain form that is read inline (json_scan.h),
 * and one way for all the rest of them.
 * Cost: one pass; a second one over values that are wanted whole and in parts. */
#include "codec/json_scan.h"
#include "codec/want.h"

#include "base/arena.h"
#include "base/assert.h"

struct json {
    const char *end, *begin;
    struct sc_take *take;
    uint32_t *seen; /* by node id: the last object (its number) that had this key */
    uint32_t objects;
    bool blamed;    /* the fault has its path */
    enum sc_drop drop;
};

static const char *value(struct json *j, const char *p, const struct sc_want_node *w,
                         unsigned depth);
static const char *object(struct json *j, const char *p, const struct sc_want_node *w,
                          unsigned depth);
static const char *array(struct json *j, const char *p, const struct sc_want_node *w,
                         unsigned depth);
static const char *whole(struct json *j, const char *p, unsigned depth, struct sc_value *out);

static const char *fail(struct json *j, const char *p, enum sc_drop drop, const char *what)
{
    j->drop = sc_fault_set(j->take->fault, drop, SC_STR_NULL, "%s, at byte %zu of %zu", what,
                           (size_t)(p - j->begin), (size_t)(j->end - j->begin));
    return NULL;
}

/* Behind a fault below `w`, or at it: the innermost node is the first to say so. */
static void blame(struct json *j, const struct sc_want_node *w)
{
    if (!j->blamed)
        j->take->fault->path = w->path;
    j->blamed = true;
}

/* Something else than `what` stands here, or nothing any more. */
static const char *unexpected(struct json *j, const char *p, const char *what)
{
    return fail(j, p, p == j->end ? SC_DROP_TRUNCATED : SC_DROP_MALFORMED, what);
}

static const char *skip_far(const struct json *j, const char *p)
{
    while (p < j->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* Behind white space. */
static inline const char *skip(const struct json *j, const char *p)
{
    return p < j->end && *p > ' ' ? p : skip_far(j, p);
}

/* `c`, and something right behind it: as most often. Not of an empty document. */
static inline bool is_plain(const struct json *j, const char *p, char c)
{
    return p < j->end - 1 && *p == c && p[1] > ' ';
}

/* Behind `c` and white space; NULL when another character stands here. */
static inline const char *skip_char(const struct json *j, const char *p, char c)
{
    if (is_plain(j, p, c))
        return p + 1;
    p = skip_far(j, p);
    return p < j->end && *p == c ? skip_far(j, p + 1) : NULL;
}

/* What stands at `p`; 0 at the end (NUL is in no JSON). */
static inline char peek(const struct json *j, const char *p)
{
    return p < j->end ? *p : '\0';
}

static const char *odd_string(struct json *j, const char *p, struct sc_str *out)
{
    struct sc_json_string s;
    enum sc_drop drop = sc_json_scan_string(&p, j->end, &s);
    if (drop != SC_DROP_NONE)
        return fail(j, p, drop, "in a string");
    *out = sc_json_string_text(s, j->take->ar);
    return p;
}

/* Behind the opening quote: the text meant. */
static inline const char *string(struct json *j, const char *p, struct sc_str *out)
{
    const char *quote = sc_json_plain_string(p, j->begin, j->end);
    if (quote == NULL)
        return odd_string(j, p, out);
    *out = (struct sc_str){p, (size_t)(quote - p)};
    return quote + 1;
}

static const char *skip_odd_string(struct json *j, const char *p)
{
    struct sc_json_string s;
    enum sc_drop drop = sc_json_scan_string(&p, j->end, &s);
    return drop == SC_DROP_NONE ? p : fail(j, p, drop, "in a string");
}

/* A string nobody wants: not even its escapes are undone. */
static inline const char *skip_string(struct json *j, const char *p)
{
    const char *quote = sc_json_plain_string(p, j->begin, j->end);
    return quote ? quote + 1 : skip_odd_string(j, p);
}

static const char *no_colon(struct json *j, const char *p)
{
    return unexpected(j, skip_far(j, p), "a colon is expected");
}

/* Behind a key's closing quote: what is behind the colon and its white space. */
static inline const char *colon(struct json *j, const char *p)
{
    const char *behind = skip_char(j, p, ':');
    return behind ? behind : no_colon(j, p);
}

/* A key with more to it than plain ones have. */
static const char *odd_key(struct json *j, const char *p, const struct sc_want_node *w,
                           const struct sc_want_node **child)
{
    struct sc_str name;
    if (peek(j, p) != '"')
        return unexpected(j, p, "a key in quotes is expected");
    p = string(j, p + 1, &name);
    if (p != NULL && w && w->n_fields)
        *child = sc_want_field(w, name);
    return p ? colon(j, p) : NULL;
}

/* A plain key, a colon and something right behind it: where that stands, and the node below `w`;
 * NULL when any of them is not as usual. */
static inline const char *plain_key(const struct json *j, const char *p,
                                    const struct sc_want_node *w,
                                    const struct sc_want_node **child)
{
    const char *quote;
    *child = NULL;
    if (j->end - p < 20 || *p != '"' || (quote = sc_json_plain_key(p + 1)) == NULL)
        return NULL;
    if (quote[1] != ':' || quote[2] <= ' ')
        return NULL;
    size_t n = (size_t)(quote - p) - 1;
    if (w && w->likely >> sc_want_bit((unsigned char)p[1], n) & 1)
        *child = sc_want_short(w, sc_json_key_words(p + 1, n));
    return quote + 2;
}

/* A key: where its value stands. */
static inline const char *key(struct json *j, const char *p, const struct sc_want_node *w,
                              const struct sc_want_node **child)
{
    const char *behind = plain_key(j, p, w, child);
    return behind ? behind : odd_key(j, p, w, child);
}

/* No comma behind an element: behind `close`, or a fault. */
static const char *last(struct json *j, const char *p, char close)
{
    p = skip_far(j, p);
    if (peek(j, p) == close)
        return p + 1;
    return unexpected(j, p, close == '}' ? "a comma or } is expected" : "a comma or ] is expected");
}

static const char *odd_literal(struct json *j, const char *p)
{
    static const char *const words[] = {"true", "false", "null"};
    size_t left = (size_t)(j->end - p);
    for (unsigned i = 0; i < 3; i++)
        if (left > 0 && left < strlen(words[i]) && memcmp(p, words[i], left) == 0)
            return fail(j, p, SC_DROP_TRUNCATED, "in a literal");
    return unexpected(j, p, "a value is expected");
}

static inline const char *literal(struct json *j, const char *p, struct sc_value *out)
{
    size_t left = (size_t)(j->end - p);
    if (left >= 4 && memcmp(p, "null", 4) == 0) {
        *out = (struct sc_value){.type = SC_T_NULL};
        return p + 4;
    }
    if (left >= 4 && memcmp(p, "true", 4) == 0) {
        *out = sc_bool(true);
        return p + 4;
    }
    if (left >= 5 && memcmp(p, "false", 5) == 0) {
        *out = sc_bool(false);
        return p + 5;
    }
    return odd_literal(j, p);
}

/* Anything but objects, arrays and numbers. */
static inline const char *simple(struct json *j, const char *p, struct sc_value *out)
{
    struct sc_str s = SC_STR_NULL;
    if (peek(j, p) != '"')
        return literal(j, p, out);
    p = string(j, p + 1, &s);
    if (p != NULL)
        *out = sc_string(s);
    return p;
}

static inline bool starts_number(char c)
{
    return c == '-' || (unsigned char)(c - '0') <= 9;
}

static const char *odd_number(struct json *j, const char *p, struct sc_json_number *n)
{
    enum sc_drop drop = sc_json_scan_number(&p, j->end, n);
    return drop == SC_DROP_NONE ? p : fail(j, p, drop, "in a number");
}

static bool number_value(struct json *j, const char *p, const struct sc_json_number *n, bool text,
                         struct sc_value *out)
{
    return sc_json_number_value(n, text, j->take->ar, out) ||
           fail(j, p, SC_DROP_MALFORMED, "a number beyond a double");
}

static bool put(struct json *j, const char *p, const struct sc_want_node *w, struct sc_value v,
                bool array)
{
    return sc_take_put(j->take, w, v, array) || fail(j, p, SC_DROP_SIZE, "a list is too long");
}

static const char *put_odd_number(struct json *j, const char *p, const struct sc_want_node *w)
{
    struct sc_json_number n;
    p = odd_number(j, p, &n);
    for (uint32_t i = 0; p && i < w->n_sinks; i++) {
        struct sc_value v;
        if (!number_value(j, p, &n, w->sinks[i].text, &v))
            return NULL;
        if (!sc_take_sink(j->take, &w->sinks[i], v))
            return fail(j, p, SC_DROP_SIZE, "a list is too long");
    }
    return p;
}

static const char *put_simple(struct json *j, const char *p, const struct sc_want_node *w)
{
    struct sc_json_plain n;
    struct sc_value v;
    if (starts_number(peek(j, p))) {
        const char *behind = sc_json_plain_number(p, j->end, &n);
        if (behind == NULL)
            return put_odd_number(j, p, w);
        v = sc_json_plain_value(n);
        p = behind;
    } else {
        p = simple(j, p, &v);
    }
    return p && put(j, p, w, v, false) ? p : NULL;
}

static const char *skip_odd_number(struct json *j, const char *p)
{
    struct sc_json_number n;
    return odd_number(j, p, &n);
}

static inline const char *skip_number(struct json *j, const char *p)
{
    struct sc_json_plain plain;
    const char *behind = sc_json_plain_number(p, j->end, &plain);
    return behind ? behind : skip_odd_number(j, p);
}

static const char *skip_other(struct json *j, const char *p, unsigned depth)
{
    struct sc_value v;
    char c = peek(j, p);
    if (c == '{')
        return object(j, p, NULL, depth);
    return c == '[' ? array(j, p, NULL, depth) : literal(j, p, &v);
}

/* What nobody wants. */
static inline const char *skip_value(struct json *j, const char *p, unsigned depth)
{
    char c = peek(j, p);
    if (c == '"')
        return skip_string(j, p + 1);
    return starts_number(c) ? skip_number(j, p) : skip_other(j, p, depth);
}

static inline const char *open(struct json *j, const char *p, unsigned depth)
{
    return depth < SC_DECODE_DEPTH ? skip(j, p + 1) : fail(j, p, SC_DROP_DEPTH, "nested too deep");
}

/* The value of a key, below the node for it. */
static inline const char *member(struct json *j, const char *p, const struct sc_want_node *w,
                                 uint32_t object_number, unsigned depth)
{
    const char *quote = NULL, *behind;
    if (j->seen[w->id] != object_number && peek(j, p) == '"' && w->only_slot >= 0)
        quote = sc_json_plain_string(p + 1, j->begin, j->end);
    if (quote) {
        sc_slot_text(&j->take->slots[w->only_slot],
                     (struct sc_str){p + 1, (size_t)(quote - p) - 1});
        behind = quote + 1;
    } else if (j->seen[w->id] == object_number) {
        behind = fail(j, p, SC_DROP_MALFORMED, "the key is there twice");
    } else if (peek(j, p) == '{' && w->n_sinks == 0) {
        behind = object(j, p, w, depth);
    } else {
        behind = value(j, p, w, depth);
    }
    j->seen[w->id] = object_number;
    if (behind == NULL)
        blame(j, w);
    return behind;
}

static const char *object(struct json *j, const char *p, const struct sc_want_node *w,
                          unsigned depth)
{
    const struct sc_want_node *child;
    p = open(j, p, depth);
    if (p == NULL || peek(j, p) == '}')
        return p ? p + 1 : NULL;
    uint32_t number = ++j->objects;
    for (;;) {
        p = key(j, p, w, &child);
        if (p == NULL)
            return NULL;
        p = child ? member(j, p, child, number, depth + 1) : skip_value(j, p, depth + 1);
        if (p == NULL)
            return NULL;
        if (!is_plain(j, p, ',') && peek(j, p) == '}')
            return p + 1;
        const char *next = skip_char(j, p, ',');
        if (next == NULL)
            return last(j, p, '}');
        p = next;
    }
}

static const struct sc_want_node *index_child(const struct sc_want_node *w, uint32_t index)
{
    for (const struct sc_want_node *c = w->child; c; c = c->next)
        if (c->kind == SC_STEP_INDEX && c->index == index)
            return c;
    return NULL;
}

/* One element; twice over it when it is wanted by its index and by `[*]`. */
static const char *element(struct json *j, const char *p, const struct sc_want_node *w,
                           uint32_t index, unsigned depth)
{
    const struct sc_want_node *one = w && w->n_indices ? index_child(w, index) : NULL;
    const struct sc_want_node *all = w ? w->all : NULL;
    const char *behind = NULL;
    if (one)
        behind = value(j, p, one, depth);
    if (one && (behind == NULL || all == NULL))
        return behind;
    return value(j, p, all, depth);
}

static const char *array(struct json *j, const char *p, const struct sc_want_node *w,
                         unsigned depth)
{
    p = open(j, p, depth);
    if (p == NULL || peek(j, p) == ']')
        return p ? p + 1 : NULL;
    const char *next = p;
    for (uint32_t i = 0; next != NULL; i++, next = skip_char(j, p, ',')) {
        p = element(j, next, w, i, depth + 1);
        if (p == NULL)
            return NULL;
    }
    return last(j, p, ']');
}

/* An object or array somebody wants: whole, in parts, or both. */
static const char *compound(struct json *j, const char *p, const struct sc_want_node *w,
                            bool is_array, unsigned depth)
{
    struct sc_value v = sc_bool(true);
    const char *behind = p;
    bool build = sc_want_whole(w, is_array);
    if (build && (behind = whole(j, p, depth, &v)) == NULL)
        return NULL;
    if (!put(j, behind, w, v, is_array))
        return NULL;
    if (build && !w->child && !w->all)
        return behind;
    return is_array ? array(j, p, w, depth) : object(j, p, w, depth);
}

static const char *value(struct json *j, const char *p, const struct sc_want_node *w,
                         unsigned depth)
{
    char c = peek(j, p);
    if (w == NULL)
        return skip_value(j, p, depth);
    if (c != '{' && c != '[')
        return w->n_sinks ? put_simple(j, p, w) : skip_value(j, p, depth);
    if (w->n_sinks)
        return compound(j, p, w, c == '[', depth);
    return c == '[' ? array(j, p, w, depth) : object(j, p, w, depth);
}

static bool add(struct json *j, const char *p, struct sc_items *l, struct sc_value v)
{
    return sc_items_add(l, j->take->ar, v) ||
           fail(j, p, SC_DROP_SIZE, "a list or map is too long");
}

static const char *whole_pair(struct json *j, const char *p, unsigned depth,
                              struct sc_items *pairs)
{
    struct sc_str name;
    struct sc_value v;
    if (peek(j, p) != '"')
        return unexpected(j, p, "a key in quotes is expected");
    if ((p = string(j, p + 1, &name)) == NULL || (p = colon(j, p)) == NULL ||
        (p = whole(j, p, depth, &v)) == NULL)
        return NULL;
    return add(j, p, pairs, sc_string(name)) && add(j, p, pairs, v) ? p : NULL;
}

static const char *whole_object(struct json *j, const char *p, unsigned depth,
                                struct sc_value *out)
{
    struct sc_items pairs = {0};
    bool twice;
    p = open(j, p, depth);
    if (p == NULL)
        return NULL;
    const char *next = peek(j, p) == '}' ? NULL : p;
    for (; next != NULL; next = skip_char(j, p, ',')) {
        p = whole_pair(j, next, depth + 1, &pairs);
        if (p == NULL)
            return NULL;
    }
    p = last(j, p, '}');
    if (p == NULL)
        return NULL;
    *out = sc_map_value(&pairs, j->take->ar, &twice);
    return twice ? fail(j, p, SC_DROP_MALFORMED, "a key is there twice") : p;
}

static const char *whole_array(struct json *j, const char *p, unsigned depth, struct sc_value *out)
{
    struct sc_items items = {0};
    struct sc_value v;
    p = open(j, p, depth);
    if (p == NULL)
        return NULL;
    const char *next = peek(j, p) == ']' ? NULL : p;
    for (; next != NULL; next = skip_char(j, p, ',')) {
        p = whole(j, next, depth + 1, &v);
        if (p == NULL || !add(j, p, &items, v))
            return NULL;
    }
    *out = (struct sc_value){.type = SC_T_LIST, .len = items.n, .list = items.v};
    return last(j, p, ']');
}

static const char *whole(struct json *j, const char *p, unsigned depth, struct sc_value *out)
{
    struct sc_json_plain plain;
    struct sc_json_number n;
    char c = peek(j, p);
    if (c == '{')
        return whole_object(j, p, depth, out);
    if (c == '[')
        return whole_array(j, p, depth, out);
    if (!starts_number(c))
        return simple(j, p, out);
    const char *behind = sc_json_plain_number(p, j->end, &plain);
    if (behind) {
        *out = sc_json_plain_value(plain);
        return behind;
    }
    p = odd_number(j, p, &n);
    return p && number_value(j, p, &n, false, out) ? p : NULL;
}

static enum sc_drop json_decode(const struct sc_decoder *d, struct sc_str body,
                                struct sc_arena *ar, struct sc_value *slots,
                                struct sc_fault *fault)
{
    struct sc_take take = sc_take_start(d->tree, ar, slots, fault);
    struct json j = {.begin = body.p, .end = body.p + body.len, .take = &take};
    sc_slots_clear(slots, d->tree);
    j.seen = SC_NEW_N(ar, uint32_t, d->tree->n_nodes);
    const char *p = value(&j, skip(&j, body.p), d->tree->root, 0);
    if (p != NULL && (p = skip_far(&j, p)) != j.end)
        fail(&j, p, SC_DROP_TRAILING, "something follows the document");
    if (j.drop != SC_DROP_NONE)
        blame(&j, d->tree->root);
    else
        sc_take_finish(&take);
    return j.drop;
}

const struct sc_decoder *sc_json_decoder(const struct sc_projection *want, struct sc_arena *ar)
{
    struct sc_decoder *d = SC_NEW(ar, struct sc_decoder);
    SC_ASSERT(want != NULL);
    *d = (struct sc_decoder){.decode = json_decode, .tree = sc_want_build(want, ar)};
    return d;
}
