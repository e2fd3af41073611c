/* See test_trace.h. Lines become the tree that YAML would have been, so that one loader names every
 * fault, whichever way a case is written. */
#include "cli/test_trace.h"

#include "base/assert.h"
#include <stdio.h>

struct trace_parse {
    const struct sc_taxonomy *tx;
    const struct sc_source_text *file;
    struct sc_arena *ar;
    struct sc_diag *dg;
    struct sc_node *cases, *events, *lines; /* the list; of the case in hand */
    struct sc_node *tc;
    uint32_t number;                        /* of the line */
    const char *line;                       /* where it begins */
};

/* ---- building nodes */

static struct sc_node *node_at(struct trace_parse *tp, enum sc_node_kind kind, struct sc_str text)
{
    struct sc_node *n = SC_NEW(tp->ar, struct sc_node);
    uint32_t column = text.p >= tp->line ? (uint32_t)(text.p - tp->line) + 1 : 1;
    *n = (struct sc_node){.kind = kind, .text = text,
                          .mark = {tp->file, tp->number, column, (uint32_t)text.len, 0}};
    return n;
}

static struct sc_node *word_node(struct trace_parse *tp, const char *word)
{
    struct sc_node *n = node_at(tp, SC_NODE_SCALAR, (struct sc_str){tp->line, 0});
    n->text = sc_str_from(word);
    return n;
}

static void item_add(struct trace_parse *tp, struct sc_node *seq, struct sc_node *item)
{
    if ((seq->n & (seq->n - 1)) == 0) { /* full at each power of two */
        struct sc_node **more = SC_NEW_N(tp->ar, struct sc_node *, seq->n ? 2 * seq->n : 1);
        if (seq->n)
            memcpy(more, seq->items, seq->n * sizeof(*more));
        seq->items = more;
    }
    seq->items[seq->n++] = item;
}

static void pair_add(struct trace_parse *tp, struct sc_node *map, struct sc_node *key,
                     struct sc_node *value)
{
    if ((map->n & (map->n - 1)) == 0) {
        struct sc_node_pair *more =
            SC_NEW_N(tp->ar, struct sc_node_pair, map->n ? 2 * map->n : 1);
        if (map->n)
            memcpy(more, map->pairs, map->n * sizeof(*more));
        map->pairs = more;
    }
    map->pairs[map->n++] = (struct sc_node_pair){key, value};
}

/* ---- words */

static struct sc_str skip_blanks(struct sc_str s)
{
    while (s.len && (*s.p == ' ' || *s.p == '\t'))
        s = (struct sc_str){s.p + 1, s.len - 1};
    return s;
}

/* The next word of `rest`, quotes and brackets kept together. */
static struct sc_str next_word(struct sc_str *rest)
{
    struct sc_str s = skip_blanks(*rest);
    size_t n = 0, depth = 0;
    bool quoted = false;
    for (; n < s.len; ++n) {
        char c = s.p[n];
        if (quoted && c == '\\' && n + 1 < s.len)
            ++n;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{'))
            ++depth;
        else if (!quoted && (c == ']' || c == '}') && depth > 0)
            --depth;
        else if (!quoted && depth == 0 && (c == ' ' || c == '\t'))
            break;
    }
    *rest = (struct sc_str){s.p + n, s.len - n};
    return (struct sc_str){s.p, n};
}

static const char *no_variables(void *arg, const char *name)
{
    (void)arg, (void)name;
    return NULL;
}

/* A value as YAML takes it: quoted text, lists and maps in its flow style, else a plain scalar. */
static struct sc_node *value_node(struct trace_parse *tp, struct sc_str text)
{
    struct sc_node *plain = node_at(tp, SC_NODE_SCALAR, text), *n = NULL;
    struct sc_diag faults; /* a value that is none stays text: the loader says what it is not */
    sc_diag_init(&faults, tp->ar);
    if (text.len && strchr("\"[{'", text.p[0]) != NULL)
        n = sc_node_parse(tp->file->name, sc_str_dup(tp->ar, text), no_variables, NULL, tp->ar,
                          &faults);
    if (n == NULL || faults.errors)
        return plain;
    n->mark = plain->mark;
    return n;
}

/* `name=value` into a map. */
static bool assignment(struct trace_parse *tp, struct sc_str word, struct sc_node *map)
{
    const char *eq = memchr(word.p, '=', word.len);
    size_t n = eq ? (size_t)(eq - word.p) : 0;
    if (n == 0) {
        sc_diag_add(tp->dg, SC_ERROR, "bad-test", node_at(tp, SC_NODE_SCALAR, word)->mark,
                    "expected name=value for a property, @namespace=value for an identifier");
        return false;
    }
    pair_add(tp, map, node_at(tp, SC_NODE_SCALAR, (struct sc_str){word.p, n}),
             value_node(tp, (struct sc_str){eq + 1, word.len - n - 1}));
    return true;
}

/* `@email=…` words, the others to `props` (NULL: there may be none). NULL: no identifier. */
static struct sc_node *assignments(struct trace_parse *tp, struct sc_str rest,
                                   struct sc_node *props)
{
    struct sc_node *ids = NULL;
    for (struct sc_str word = next_word(&rest); word.len; word = next_word(&rest)) {
        if (word.p[0] == '@') {
            ids = ids ? ids : node_at(tp, SC_NODE_MAP, word);
            assignment(tp, (struct sc_str){word.p + 1, word.len - 1}, ids);
        } else if (props) {
            assignment(tp, word, props);
        } else {
            sc_diag_add(tp->dg, SC_ERROR, "bad-test", node_at(tp, SC_NODE_SCALAR, word)->mark,
                        "expected @namespace=value");
        }
    }
    return ids;
}

/* ---- lines */

static void case_begin(struct trace_parse *tp, struct sc_str name)
{
    struct sc_node *expect = node_at(tp, SC_NODE_MAP, name);
    tp->tc = node_at(tp, SC_NODE_MAP, name);
    tp->events = node_at(tp, SC_NODE_SEQ, name);
    tp->lines = node_at(tp, SC_NODE_SEQ, name);
    pair_add(tp, tp->tc, word_node(tp, "name"), node_at(tp, SC_NODE_SCALAR, name));
    pair_add(tp, tp->tc, word_node(tp, "events"), tp->events);
    pair_add(tp, expect, word_node(tp, "trace"), tp->lines);
    pair_add(tp, tp->tc, word_node(tp, "expect"), expect);
    item_add(tp, tp->cases, tp->tc);
}

static void who(struct trace_parse *tp, struct sc_str rest)
{
    struct sc_node *ids = assignments(tp, rest, NULL);
    pair_add(tp, tp->tc, word_node(tp, "identifiers"),
             ids ? ids : node_at(tp, SC_NODE_MAP, rest));
}

/* "2026-03-02 10:20", to the minute or second, as RFC 3339; anything else stays what it is. */
static struct sc_str time_text(struct sc_str s, char out[24])
{
    if ((s.len != 16 && s.len != 19) || s.p[10] != ' ')
        return s;
    int n = snprintf(out, 24, "%.10sT%.*s%sZ", s.p, (int)s.len - 11, s.p + 11,
                     s.len == 16 ? ":00" : "");
    return (struct sc_str){out, (size_t)n};
}

bool sc_test_trace_time(struct sc_str line, int64_t start_ms, int64_t *ms, struct sc_str *rest)
{
    char text[24];
    const char *end = line.len && line.p[0] == '[' ? memchr(line.p, ']', line.len) : NULL;
    if (end == NULL)
        return false;
    struct sc_str inner = {line.p + 1, (size_t)(end - line.p) - 1};
    *rest = skip_blanks((struct sc_str){end + 1, line.len - inner.len - 2});
    return sc_test_time(time_text(inner, text), start_ms, ms);
}

/* "[time] event name=value …": an entry of the case, and a line of what is expected. */
static void instant(struct trace_parse *tp, struct sc_str line)
{
    char text[24];
    const char *end = memchr(line.p, ']', line.len);
    if (end == NULL) {
        sc_diag_add(tp->dg, SC_ERROR, "bad-test", node_at(tp, SC_NODE_SCALAR, line)->mark,
                    "the time has no end: [+20m] or [2026-03-02 10:20]");
        return;
    }
    struct sc_node *entry = node_at(tp, SC_NODE_MAP, line);
    struct sc_node *at =
        node_at(tp, SC_NODE_SCALAR, (struct sc_str){line.p + 1, (size_t)(end - line.p) - 1});
    struct sc_str rest = {end + 1, line.len - (size_t)(end - line.p) - 1};
    struct sc_str name = next_word(&rest);
    at->text = sc_str_dup(tp->ar, time_text(at->text, text));
    pair_add(tp, entry, word_node(tp, "at"), at);
    bool timer = sc_str_eqz(name, "timer") || sc_str_eqz(name, "merge");
    if (name.len && (!timer || sc_taxonomy_event(tp->tx, name) >= 0)) {
        struct sc_node *props = node_at(tp, SC_NODE_MAP, name);
        struct sc_node *ids = assignments(tp, rest, props);
        if (ids)
            pair_add(tp, entry, word_node(tp, "identifiers"), ids);
        pair_add(tp, entry, node_at(tp, SC_NODE_SCALAR, name), props);
    }
    item_add(tp, tp->events, entry);
    if (name.len)
        item_add(tp, tp->lines, node_at(tp, SC_NODE_SCALAR, line));
}

static void one_line(struct trace_parse *tp, struct sc_str name, struct sc_str line)
{
    struct sc_str rest = line;
    bool indented = line.p[0] == ' ' || line.p[0] == '\t';
    struct sc_str word = next_word(&rest);
    if (word.len == 0 || word.p[0] == '#')
        return;
    bool begins = !indented && sc_str_eqz(word, "case");
    if (begins)
        case_begin(tp, skip_blanks(rest));
    else if (tp->tc == NULL)
        case_begin(tp, name);
    if (begins)
        return;
    if (indented && tp->lines->n)
        item_add(tp, tp->lines, node_at(tp, SC_NODE_SCALAR, sc_str_trim(line)));
    else if (!indented && line.p[0] == '[')
        instant(tp, line);
    else if (!indented && sc_str_eqz(word, "who"))
        who(tp, rest);
    else
        sc_diag_add(tp->dg, SC_ERROR, "bad-test", node_at(tp, SC_NODE_SCALAR, word)->mark,
                    "a line is `case NAME`, `who @namespace=value`, `[time] event name=value`, or, "
                    "indented below an instant, what must happen there");
}

struct sc_node *sc_test_trace_parse(const struct sc_taxonomy *tx, struct sc_str name,
                                    struct sc_str text, struct sc_arena *ar, struct sc_diag *dg)
{
    struct sc_source_text *file = SC_NEW(ar, struct sc_source_text);
    struct trace_parse tp = {.tx = tx, .file = file, .ar = ar, .dg = dg, .line = text.p};
    SC_ASSERT(tx != NULL && dg != NULL);
    sc_source_init(file, name, text, ar);
    tp.cases = node_at(&tp, SC_NODE_SEQ, (struct sc_str){text.p, 0});
    tp.cases->mark.line = tp.cases->mark.column = 1;
    for (tp.number = 1; tp.number <= file->lines; ++tp.number) {
        struct sc_str line = sc_source_line(file, tp.number);
        tp.line = line.p;
        if (line.len)
            one_line(&tp, name, line);
    }
    return tp.cases;
}
