/* YAML to a tree: libyaml's events, read by recursive descent (depth is bounded).
 *
 * An alias shares the node of its anchor, so the tree costs no more than its text; what it would
 * cost a walker is counted, and refused past ALIAS_NODES. libyaml counts columns in characters, we
 * in bytes: places are converted on the way, each from the last one, so a file of one long line
 * stays linear. */
#include "config/node.h"
#include "base/assert.h"
#include "base/map.h"
#include "config/interpolate.h"

#include <yaml.h>

#define DEPTH_MAX 64
#define NODES_MAX 1000000
#define ALIAS_NODES 10000
#define TEXT_MAX ((size_t)16 << 20)
#define LINEAR_KEYS 16 /* maps up to this size are searched for duplicates by comparing */

/* What a subtree means to a walker: nodes with aliases expanded, and levels. */
struct extent {
    uint32_t nodes, levels;
};

struct anchor {
    struct sc_node *node;
    struct extent extent;
};

struct parse {
    yaml_parser_t yaml;
    yaml_event_t ev; /* the current event */
    struct sc_source_text *file;
    struct sc_interpolate env;
    struct sc_arena *ar;
    struct sc_diag *dg;
    struct sc_map anchors;
    uint32_t nodes;       /* in the text */
    uint32_t alias_nodes; /* by aliases */
    struct {
        size_t line, chars; /* 0-based, as libyaml counts */
        size_t bytes;
    } last; /* the last place converted */
};

/* --- Places --- */

/* The text from the start of a 0-based line on. Its end is not looked for: that would make one long
 * line quadratic. */
static struct sc_str text_from(const struct sc_source_text *file, size_t line)
{
    size_t at = line < file->lines ? file->line_at[line] : file->text.len;
    return (struct sc_str){file->text.p + at, file->text.len - at};
}

/* Byte column (0-based) of a character column. */
static size_t byte_column(struct parse *ps, yaml_mark_t at)
{
    struct sc_str line = text_from(ps->file, at.line);
    if (at.line != ps->last.line || at.column < ps->last.chars) {
        ps->last.line = at.line;
        ps->last.chars = ps->last.bytes = 0;
    }
    while (ps->last.chars < at.column && ps->last.bytes < line.len) {
        do
            ++ps->last.bytes;
        while (ps->last.bytes < line.len && ((unsigned char)line.p[ps->last.bytes] & 0xC0) == 0x80);
        ++ps->last.chars;
    }
    return ps->last.bytes;
}

static struct sc_mark mark_at(struct parse *ps, yaml_mark_t at)
{
    struct sc_mark m = {.file = ps->file, .line = (uint32_t)at.line + 1};
    m.column = (uint32_t)byte_column(ps, at) + 1;
    return m;
}

/* From start to end, or to the end of the first line. */
static struct sc_mark mark_range(struct parse *ps, yaml_mark_t start, yaml_mark_t end)
{
    struct sc_mark m = mark_at(ps, start);
    size_t to =
        end.line == start.line ? mark_at(ps, end).column - 1 : sc_source_line(ps->file, m.line).len;
    m.len = to >= m.column ? (uint32_t)to - (m.column - 1) : 0;
    return m;
}

static struct sc_mark event_mark(struct parse *ps)
{
    return mark_range(ps, ps->ev.start_mark, ps->ev.end_mark);
}

/* Step over an anchor or a tag that stands before a scalar on the same line. */
static void skip_properties(struct sc_mark *m)
{
    struct sc_str line = text_from(m->file, m->line - 1);
    size_t at = m->column - 1, end = at + m->len;
    while (at < end && (line.p[at] == '&' || line.p[at] == '!')) {
        while (at < end && line.p[at] != ' ' && line.p[at] != '\t')
            ++at;
        while (at < end && (line.p[at] == ' ' || line.p[at] == '\t'))
            ++at;
    }
    m->column = (uint32_t)at + 1;
    m->len = (uint32_t)(end - at);
}

/* The content of a block scalar: the first line below its `|` or `>` that has any. */
static struct sc_mark block_mark(struct sc_mark m, uint32_t last_line)
{
    SC_ASSERT(m.line > 0);
    for (uint32_t line = m.line + 1; line <= last_line; ++line) {
        struct sc_str text = sc_source_line(m.file, line);
        uint32_t indent = 0;
        while (indent < text.len && text.p[indent] == ' ')
            ++indent;
        if (indent < text.len)
            return (struct sc_mark){m.file, line, indent + 1, (uint32_t)text.len - indent, indent};
    }
    return m;
}

static struct sc_mark scalar_mark(struct parse *ps)
{
    struct sc_mark m = event_mark(ps);
    if (ps->ev.data.scalar.anchor != NULL || ps->ev.data.scalar.tag != NULL)
        skip_properties(&m);
    yaml_scalar_style_t style = ps->ev.data.scalar.style;
    bool block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
    if (block && ps->ev.data.scalar.length > 0)
        return block_mark(m, (uint32_t)ps->ev.end_mark.line + 1);
    if (block || style == YAML_PLAIN_SCALAR_STYLE || m.len < 2)
        return m;
    ++m.column; /* inside the quotes */
    m.len -= ps->ev.end_mark.line == ps->ev.start_mark.line ? 2 : 1;
    return m;
}

/* --- Events --- */

static const char *problem_hint(struct sc_mark m, const char *problem)
{
    struct sc_str line = sc_source_line(m.file, m.line);
    if (m.column <= line.len && line.p[m.column - 1] == '\t')
        return "indent with spaces: YAML forbids tabs there";
    if (strstr(problem, "mapping values are not allowed") != NULL)
        return memmem(line.p, m.column - 1, ": ", 2) != NULL
                   ? "put a value that has ': ' in it in quotes"
                   : "this line goes on with the value above it: indent it as its neighbours are, "
                     "or put that value in quotes";
    if (strstr(problem, "',' or") != NULL && memmem(line.p, line.len, "${", 2) != NULL)
        return "inside { } and [ ] a value with ${...} must be in quotes";
    if (strstr(problem, "expected ',' or") != NULL)
        return "between { } or [ ], a value with commas, quotes or brackets in it, as "
               "expressions have, stands in quotes: '...'";
    if (strstr(problem, "could not find expected ':'") != NULL)
        return "a key needs ': ' behind it";
    if (strstr(problem, "expected key") != NULL || strstr(problem, "block end") != NULL ||
        strstr(problem, "'-' indicator") != NULL)
        return "is this line indented as its neighbours are?";
    return "";
}

/* The place of a byte of the text. */
static struct sc_mark mark_of_byte(const struct sc_source_text *file, size_t at)
{
    SC_ASSERT(file->lines > 0);
    uint32_t low = 0, high = file->lines; /* the line begins at or before it; high: behind it */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (file->line_at[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return (struct sc_mark){.file = file, .line = low + 1,
                            .column = (uint32_t)(at - file->line_at[low]) + 1};
}

static void report_problem(struct parse *ps)
{
    const yaml_parser_t *y = &ps->yaml;
    SC_ASSERT(y->error != YAML_MEMORY_ERROR);
    if (y->error == YAML_READER_ERROR) {
        bool text = strstr(y->problem, "control characters") != NULL;
        sc_diag_add(ps->dg, SC_ERROR, "yaml", mark_of_byte(ps->file, y->problem_offset), "%s: %s",
                    y->problem, text ? "remove it" : "the file must be UTF-8 text");
        return;
    }
    struct sc_mark mark = mark_at(ps, y->problem_mark);
    struct sc_finding *f = sc_diag_add(ps->dg, SC_ERROR, "yaml", mark, "%s%s%s", y->problem,
                                       y->context ? " " : "", y->context ? y->context : "");
    f->hint = sc_str_from(problem_hint(mark, y->problem));
    if (y->context != NULL && y->context_mark.index < y->problem_mark.index)
        f->decl = mark_at(ps, y->context_mark);
}

/* The next event into ps->ev; false with a finding when the text is not YAML. */
static bool next(struct parse *ps)
{
    yaml_event_delete(&ps->ev);
    if (yaml_parser_parse(&ps->yaml, &ps->ev))
        return true;
    report_problem(ps);
    return false;
}

static struct sc_node *limit(struct parse *ps, const char *what)
{
    sc_diag_add(ps->dg, SC_ERROR, "yaml-limit", event_mark(ps), "%s", what);
    return NULL;
}

/* --- Nodes --- */

static bool tag_ok(struct sc_str tag)
{
    static const char *const core[] = {"str", "int", "float", "bool", "null", "map", "seq"};
    struct sc_str prefix = SC_STR("tag:yaml.org,2002:");
    if (tag.len == 0 || sc_str_eqz(tag, "!"))
        return true;
    if (!sc_str_starts(tag, prefix))
        return false;
    struct sc_str name = {tag.p + prefix.len, tag.len - prefix.len};
    for (size_t i = 0; i < sizeof(core) / sizeof(core[0]); ++i)
        if (sc_str_eqz(name, core[i]))
            return true;
    return false;
}

static struct sc_node *node_new(struct parse *ps, enum sc_node_kind kind, struct sc_mark mark,
                                const yaml_char_t *tag)
{
    struct sc_node *n = SC_NEW(ps->ar, struct sc_node);
    n->kind = kind;
    n->mark = mark;
    struct sc_str name = sc_str_from((const char *)tag);
    n->faulty = !tag_ok(name);
    if (n->faulty)
        sc_diag_add(ps->dg, SC_ERROR, "yaml-tag", n->mark, "tag '%.*s' is not supported",
                    SC_STR_FMT(name));
    return n;
}

static bool is_null(struct sc_str s)
{
    return s.len == 0 || sc_str_eqz(s, "~") || sc_str_eqz(s, "null") || sc_str_eqz(s, "Null") ||
           sc_str_eqz(s, "NULL");
}

static bool tag_is_str(const yaml_char_t *tag)
{
    const char *z = (const char *)tag;
    return z != NULL && (strcmp(z, "!") == 0 || strcmp(z, "tag:yaml.org,2002:str") == 0);
}

static struct sc_node *scalar_read(struct parse *ps, bool is_key)
{
    const yaml_char_t *tag = ps->ev.data.scalar.tag;
    struct sc_node *n = node_new(ps, SC_NODE_SCALAR, scalar_mark(ps), tag);
    n->quoted = ps->ev.data.scalar.style != YAML_PLAIN_SCALAR_STYLE || tag_is_str(tag);
    struct sc_str text = {(const char *)ps->ev.data.scalar.value, ps->ev.data.scalar.length};
    n->text = sc_str_dup(ps->ar, text);
    if (is_key)
        return n;
    if (!n->quoted && is_null(text))
        n->kind = SC_NODE_NULL;
    else if (!sc_interpolate(&ps->env, n->mark, &n->text))
        n->faulty = true;
    return n;
}

static struct sc_node *node_read(struct parse *ps, unsigned depth, struct extent *ext);

static struct sc_node *seq_read(struct parse *ps, unsigned depth, struct extent *ext)
{
    struct sc_node *n = node_new(ps, SC_NODE_SEQ, event_mark(ps), ps->ev.data.sequence_start.tag);
    SC_VEC(struct sc_node *) items = {0};
    while (next(ps)) {
        if (ps->ev.type == YAML_SEQUENCE_END_EVENT) {
            n->items = items.v;
            n->n = items.n;
            return n;
        }
        struct sc_node *item = node_read(ps, depth + 1, ext);
        if (item == NULL)
            return NULL;
        SC_VEC_PUSH(ps->ar, &items, item);
    }
    return NULL;
}

/* Drop pairs whose key stands before already, with a finding at the second. */
static void refuse_duplicates(struct parse *ps, struct sc_node *map)
{
    struct sc_map seen;
    sc_map_init(&seen, ps->ar);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < map->n; ++i) {
        struct sc_node *key = map->pairs[i].key, *first = NULL;
        if (map->n > LINEAR_KEYS)
            first = sc_map_get(&seen, key->text);
        for (uint32_t j = 0; map->n <= LINEAR_KEYS && j < kept && first == NULL; ++j)
            if (sc_str_eq(map->pairs[j].key->text, key->text))
                first = map->pairs[j].key;
        if (first != NULL) {
            sc_diag_add(ps->dg, SC_ERROR, "duplicate-key", key->mark,
                        "key '%.*s' stands here twice", SC_STR_FMT(key->text))
                ->decl = first->mark;
            continue;
        }
        if (map->n > LINEAR_KEYS)
            sc_map_put(&seen, key->text, key);
        map->pairs[kept++] = map->pairs[i];
    }
    map->n = kept;
}

static struct sc_node *key_read(struct parse *ps)
{
    if (ps->ev.type == YAML_SCALAR_EVENT)
        return scalar_read(ps, true);
    sc_diag_add(ps->dg, SC_ERROR, "yaml", event_mark(ps), "a key must be plain or quoted text");
    return NULL;
}

static struct sc_node *map_read(struct parse *ps, unsigned depth, struct extent *ext)
{
    struct sc_node *n = node_new(ps, SC_NODE_MAP, event_mark(ps), ps->ev.data.mapping_start.tag);
    SC_VEC(struct sc_node_pair) pairs = {0};
    while (next(ps)) {
        if (ps->ev.type == YAML_MAPPING_END_EVENT) {
            n->pairs = pairs.v;
            n->n = pairs.n;
            refuse_duplicates(ps, n);
            return n;
        }
        struct sc_node *key = key_read(ps);
        struct sc_node *value = key && next(ps) ? node_read(ps, depth + 1, ext) : NULL;
        if (value == NULL)
            return NULL;
        SC_VEC_PUSH(ps->ar, &pairs, ((struct sc_node_pair){key, value}));
    }
    return NULL;
}

static struct sc_node *alias_read(struct parse *ps, unsigned depth, struct extent *ext)
{
    struct sc_str name = sc_str_from((const char *)ps->ev.data.alias.anchor);
    const struct anchor *to = sc_map_get(&ps->anchors, name);
    if (to == NULL) {
        sc_diag_add(ps->dg, SC_ERROR, "yaml", event_mark(ps),
                    "no anchor '&%.*s' ends before this alias", SC_STR_FMT(name));
        return NULL;
    }
    ps->alias_nodes += to->extent.nodes;
    if (ps->alias_nodes > ALIAS_NODES)
        return limit(ps, "aliases expand to more than 10000 nodes");
    if (depth + to->extent.levels > DEPTH_MAX)
        return limit(ps, "nested deeper than 64 levels");
    *ext = to->extent;
    return to->node;
}

/* The name of the anchor the current event sets, copied: the event will be gone. */
static struct sc_str event_anchor(const struct parse *ps)
{
    const yaml_char_t *z = NULL;
    if (ps->ev.type == YAML_SCALAR_EVENT)
        z = ps->ev.data.scalar.anchor;
    else if (ps->ev.type == YAML_SEQUENCE_START_EVENT)
        z = ps->ev.data.sequence_start.anchor;
    else if (ps->ev.type == YAML_MAPPING_START_EVENT)
        z = ps->ev.data.mapping_start.anchor;
    return z ? sc_str_dup(ps->ar, sc_str_from((const char *)z)) : SC_STR_NULL;
}

static struct sc_node *event_read(struct parse *ps, unsigned depth, struct extent *ext)
{
    if (ps->ev.type == YAML_ALIAS_EVENT)
        return alias_read(ps, depth, ext);
    if (ps->ev.type == YAML_SEQUENCE_START_EVENT)
        return seq_read(ps, depth, ext);
    if (ps->ev.type == YAML_MAPPING_START_EVENT)
        return map_read(ps, depth, ext);
    SC_ASSERT(ps->ev.type == YAML_SCALAR_EVENT);
    return scalar_read(ps, false);
}

/* The node whose first event is the current one; what a walker meets in it is added to *outer. */
static struct sc_node *node_read(struct parse *ps, unsigned depth, struct extent *outer)
{
    if (depth >= DEPTH_MAX)
        return limit(ps, "nested deeper than 64 levels");
    if (++ps->nodes > NODES_MAX)
        return limit(ps, "more than 1000000 nodes");
    struct sc_str anchor = event_anchor(ps);
    struct extent ext = {1, 1};
    struct sc_node *n = event_read(ps, depth, &ext);
    if (n == NULL)
        return NULL;
    if (anchor.p != NULL) { /* only now: an alias inside its own node finds nothing */
        struct anchor *a = SC_NEW(ps->ar, struct anchor);
        *a = (struct anchor){n, ext};
        sc_map_put(&ps->anchors, anchor, a);
    }
    outer->nodes += ext.nodes;
    if (ext.levels + 1 > outer->levels)
        outer->levels = ext.levels + 1;
    return n;
}

/* Stream start, one document or none, stream end. */
static struct sc_node *document_read(struct parse *ps)
{
    if (!next(ps) || !next(ps)) /* stream start and what follows */
        return NULL;
    if (ps->ev.type == YAML_STREAM_END_EVENT)
        return node_new(ps, SC_NODE_NULL, event_mark(ps), NULL);
    struct extent whole = {0, 0};
    struct sc_node *root = next(ps) ? node_read(ps, 0, &whole) : NULL;
    if (root == NULL || !next(ps) || !next(ps)) /* document end and what follows */
        return NULL;
    if (ps->ev.type == YAML_STREAM_END_EVENT)
        return root;
    sc_diag_add(ps->dg, SC_ERROR, "yaml", event_mark(ps), "more than one document in a file");
    return NULL;
}

struct sc_node *sc_node_parse(struct sc_str name, struct sc_str text, sc_env_fn *env, void *env_arg,
                              struct sc_arena *ar, struct sc_diag *dg)
{
    if (sc_str_starts(text, SC_STR("\xEF\xBB\xBF"))) /* a byte order mark is no column */
        text = (struct sc_str){text.p + 3, text.len - 3};
    struct sc_source_text *file = SC_NEW(ar, struct sc_source_text);
    if (text.len > TEXT_MAX) {
        *file = (struct sc_source_text){.name = name};
        struct sc_mark top = {.file = file, .line = 1, .column = 1};
        sc_diag_add(dg, SC_ERROR, "yaml-limit", top, "the file is over 16 MiB");
        return NULL;
    }
    sc_source_init(file, name, text, ar);
    struct parse ps = {.file = file, .env = {env, env_arg, ar, dg}, .ar = ar, .dg = dg};
    uint32_t errors = dg->errors;
    sc_map_init(&ps.anchors, ar);
    SC_ASSERT(yaml_parser_initialize(&ps.yaml));
    yaml_parser_set_encoding(&ps.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&ps.yaml, (const unsigned char *)(text.len ? text.p : ""),
                                 text.len);
    struct sc_node *root = document_read(&ps);
    yaml_event_delete(&ps.ev);
    yaml_parser_delete(&ps.yaml);
    if (root != NULL)
        root->unsound = dg->errors != errors;
    return root;
}

struct sc_node *sc_node_get(const struct sc_node *map, const char *key)
{
    SC_ASSERT(map != NULL && key != NULL);
    for (uint32_t i = 0; map->kind == SC_NODE_MAP && i < map->n; ++i)
        if (sc_str_eqz(map->pairs[i].key->text, key))
            return map->pairs[i].value;
    return NULL;
}

static bool is_plain(const struct sc_node *n)
{
    return n->kind == SC_NODE_SCALAR && !n->quoted;
}

bool sc_node_bool(const struct sc_node *n, bool *out)
{
    bool yes = sc_str_eqz(n->text, "true");
    if (!is_plain(n) || (!yes && !sc_str_eqz(n->text, "false")))
        return false;
    *out = yes;
    return true;
}

bool sc_node_int(const struct sc_node *n, int64_t *out)
{
    return is_plain(n) && sc_str_int(n->text, out);
}

static size_t digits(struct sc_str s, size_t *at)
{
    size_t from = *at;
    while (*at < s.len && s.p[*at] >= '0' && s.p[*at] <= '9')
        ++*at;
    return *at - from;
}

/* YAML 1.2 core: [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
bool sc_node_is_number(const struct sc_node *n)
{
    struct sc_str s = n->text;
    if (!is_plain(n) || s.len == 0)
        return false;
    size_t at = s.p[0] == '-' || s.p[0] == '+';
    size_t before = digits(s, &at), after = 0;
    if (at < s.len && s.p[at] == '.') {
        ++at;
        after = digits(s, &at);
    }
    if (before + after == 0)
        return false;
    if (at < s.len && (s.p[at] == 'e' || s.p[at] == 'E')) {
        ++at;
        at += at < s.len && (s.p[at] == '-' || s.p[at] == '+');
        if (digits(s, &at) == 0)
            return false;
    }
    return at == s.len;
}
