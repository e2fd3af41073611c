/* The mapping language: how a value comes out of a record.
 *
 *   $.user.account   $.lines[0].sku   $.attributes["x y"]   $.lines[*].sku      paths
 *   count($.lines)   sum min max first any($.lines[*].discount)                 aggregates
 *   { path: $.total_cents, scale: -2, unit: s }                                 with shift or unit
 *   order_completed  9.5  true                                                  constants
 *
 * A path is parsed by hand, byte by byte, so that the caret stands under the byte at fault. */
#include "base/assert.h"
#include "core/taxonomy/load.h"

struct path_reader {
    struct sc_tx_load *ld;
    const struct sc_node *node; /* the scalar the text is part of */
    struct sc_str text;         /* all of the node's text */
    size_t at, end;             /* the path is text[.., end) */
    SC_VEC(struct sc_step) steps;
};

static bool path_error(struct path_reader *r, size_t at, const char *what)
{
    uint32_t len = at < r->end ? 1 : 0;
    SC_TX_ERROR(r->ld, "bad-path", sc_mark_at(r->node->mark, (uint32_t)at, len), "%s", what);
    return false;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || (unsigned char)c >= 0x80;
}

static struct sc_str slice(const struct path_reader *r, size_t from)
{
    return (struct sc_str){r->text.p + from, r->at - from};
}

/* At the byte behind the dot. */
static bool read_field(struct path_reader *r)
{
    size_t from = r->at;
    while (r->at < r->end && is_name_byte(r->text.p[r->at]))
        r->at++;
    if (r->at == from)
        return path_error(r, from,
                          "a field's name belongs behind the dot; names with other "
                          "characters are written [\"…\"]");
    SC_VEC_PUSH(r->ld->ar, &r->steps,
                ((struct sc_step){.kind = SC_STEP_FIELD, .name = slice(r, from)}));
    return true;
}

/* At the quote. */
static bool read_key(struct path_reader *r)
{
    char quote = r->text.p[r->at++];
    size_t from = r->at;
    while (r->at < r->end && r->text.p[r->at] != quote)
        r->at++;
    if (r->at == r->end)
        return path_error(r, from - 1, "this quote is never closed");
    if (r->at == from)
        return path_error(r, from - 1, "a field's name cannot be empty");
    SC_VEC_PUSH(r->ld->ar, &r->steps,
                ((struct sc_step){.kind = SC_STEP_FIELD, .name = slice(r, from)}));
    r->at++;
    return true;
}

static bool read_index(struct path_reader *r)
{
    size_t from = r->at;
    int64_t index;
    while (r->at < r->end && r->text.p[r->at] >= '0' && r->text.p[r->at] <= '9')
        r->at++;
    if (r->at == from || !sc_str_int(slice(r, from), &index) || index > INT32_MAX)
        return path_error(r, from, "in [ ] stands *, an index, or a quoted name");
    SC_VEC_PUSH(r->ld->ar, &r->steps,
                ((struct sc_step){.kind = SC_STEP_INDEX, .index = (uint32_t)index}));
    return true;
}

/* At the byte behind the bracket. */
static bool read_bracket(struct path_reader *r)
{
    if (r->at == r->end)
        return path_error(r, r->at - 1, "this bracket is never closed");
    char c = r->text.p[r->at];
    bool ok = true;
    if (c == '*') {
        SC_VEC_PUSH(r->ld->ar, &r->steps, ((struct sc_step){.kind = SC_STEP_ALL}));
        r->at++;
    } else if (c == '"' || c == '\'') {
        ok = read_key(r);
    } else {
        ok = read_index(r);
    }
    if (!ok)
        return false;
    if (r->at == r->end || r->text.p[r->at] != ']')
        return path_error(r, r->at, "a ] is missing here");
    r->at++;
    return true;
}

/* The path text[from, to) of a scalar. */
static bool parse_path(struct sc_tx_load *ld, const struct sc_node *node, size_t from, size_t to,
                       struct sc_path *out)
{
    struct path_reader r = {.ld = ld, .node = node, .text = node->text, .at = from + 1, .end = to};
    SC_ASSERT(from < to && to <= node->text.len);
    SC_ASSERT(node->text.p[from] == '$');
    while (r.at < r.end) {
        char c = r.text.p[r.at++];
        if (r.steps.n == SC_PATH_STEPS_MAX)
            return path_error(&r, r.at - 1, "a path has at most 16 steps");
        if (c != '.' && c != '[')
            return path_error(&r, r.at - 1, "a path goes on with .name or [ ]");
        if (!(c == '.' ? read_field(&r) : read_bracket(&r)))
            return false;
    }
    if (r.steps.n == 0)
        return path_error(&r, from, "a path names a field: $.name");
    *out = (struct sc_path){r.steps.v, r.steps.n, {node->text.p + from, to - from}};
    return true;
}

bool sc_tx_path_is_list(const struct sc_path *path)
{
    SC_ASSERT(path->n > 0 && path->n <= SC_PATH_STEPS_MAX);
    for (uint32_t i = 0; i < path->n; i++)
        if (path->steps[i].kind == SC_STEP_ALL)
            return true;
    return false;
}

static const struct {
    const char *name;
    enum sc_map_op op;
} aggregates[] = {{"count", SC_MAP_COUNT}, {"sum", SC_MAP_SUM},     {"min", SC_MAP_MIN},
                  {"max", SC_MAP_MAX},     {"first", SC_MAP_FIRST}, {"any", SC_MAP_ANY}};
#define N_AGGREGATES (sizeof(aggregates) / sizeof(aggregates[0]))

/* `name(`…: the aggregate and where its argument starts; PATH when the text is none. */
static enum sc_map_op aggregate_of(struct sc_str text, size_t *argument)
{
    for (size_t i = 0; i < N_AGGREGATES; i++) {
        struct sc_str name = sc_str_from(aggregates[i].name);
        if (!sc_str_starts(text, name) || text.len == name.len || text.p[name.len] != '(')
            continue;
        *argument = name.len + 1;
        return aggregates[i].op;
    }
    return SC_MAP_PATH;
}

/* An aggregate runs over an array's values: one whose path has no [*] means the array it names. */
static bool parse_aggregate(struct sc_tx_load *ld, const struct sc_node *node, size_t from,
                            struct sc_mapping *out)
{
    struct sc_str text = node->text;
    size_t to = text.len;
    while (to > from && text.p[to - 1] == ' ')
        to--;
    if (to == from || text.p[to - 1] != ')') {
        SC_TX_ERROR(ld, "bad-path", sc_mark_at(node->mark, (uint32_t)to, 0), "a ) is missing here");
        return false;
    }
    to--;
    while (from < to && text.p[from] == ' ')
        from++;
    while (to > from && text.p[to - 1] == ' ')
        to--;
    if (from == to || text.p[from] != '$') {
        SC_TX_ERROR(ld, "bad-path", sc_mark_at(node->mark, (uint32_t)from, from < to),
                    "an aggregate takes a path: $.lines[*].price");
        return false;
    }
    if (!parse_path(ld, node, from, to, &out->path))
        return false;
    if (sc_tx_path_is_list(&out->path))
        return true;
    struct sc_step *steps = SC_NEW_N(ld->ar, struct sc_step, out->path.n + 1);
    memcpy(steps, out->path.steps, out->path.n * sizeof(*steps));
    steps[out->path.n].kind = SC_STEP_ALL;
    out->path.steps = steps;
    out->path.n++;
    return true;
}

static bool parse_scalar(struct sc_tx_load *ld, struct sc_node *node, struct sc_mapping *out)
{
    size_t argument = 0;
    if (node->text.len > 0 && node->text.p[0] == '$')
        return parse_path(ld, node, 0, node->text.len, &out->path);
    out->op = aggregate_of(node->text, &argument);
    if (out->op != SC_MAP_PATH)
        return parse_aggregate(ld, node, argument, out);
    out->op = SC_MAP_CONST;
    out->constant = sc_tx_literal(node, ld->ar);
    return true;
}

struct mapping_doc {
    struct sc_node *path;
    int32_t unit; /* enum sc_unit less one: the default is not to be written */
    struct sc_node *unit_at;
    int64_t scale;
    struct sc_node *self;
};

static const char *const unit_names[] = {"s", "ms", "us", "ns", NULL};
static const struct sc_field mapping_fields[] = {
    {.key = "path",
     .kind = SC_F_NODE,
     .offset = offsetof(struct mapping_doc, path),
     .required = true,
     .doc = "A path, or an aggregate over one."},
    {.key = "unit",
     .kind = SC_F_ENUM,
     .offset = offsetof(struct mapping_doc, unit),
     .node_offset = offsetof(struct mapping_doc, unit_at),
     .names = unit_names,
     .doc = "Unit of an integer time or duration."},
    {.key = "scale",
     .kind = SC_F_INT,
     .offset = offsetof(struct mapping_doc, scale),
     .min = -18,
     .max = 18,
     .def = "0",
     .doc = "Value = number * 10^scale: -2 reads cents."},
    {.key = NULL}};
static const struct sc_table mapping_table = {.name = "mapping",
                                              .doc = "A path with unit or shift.",
                                              .size = sizeof(struct mapping_doc),
                                              .fields = mapping_fields,
                                              .key_field = SIZE_MAX,
                                              .self_node = SIZE_MAX};

bool sc_tx_mapping(struct sc_tx_load *ld, struct sc_node *node, struct sc_mapping *out)
{
    SC_ASSERT(node != NULL && out != NULL);
    *out = (struct sc_mapping){.slot = SC_SLOT_NONE, .at = node};
    if (node->kind == SC_NODE_SCALAR)
        return parse_scalar(ld, node, out);
    if (node->kind != SC_NODE_MAP) {
        SC_TX_ERROR(ld, "bad-mapping", node->mark,
                    "a mapping is a path ($.name), a constant, or { path, unit, scale }");
        return false;
    }
    uint32_t errors = ld->dg->errors;
    struct mapping_doc doc = {0};
    sc_bind(&mapping_table, node, &doc, ld->ar, ld->dg);
    if (ld->dg->errors > errors || doc.path == NULL) /* a faulty one was said before */
        return false;
    if (doc.path->kind != SC_NODE_SCALAR) {
        SC_TX_ERROR(ld, "bad-mapping", doc.path->mark, "`path` is a path or an aggregate over one");
        return false;
    }
    if (!parse_scalar(ld, doc.path, out))
        return false;
    if (out->op == SC_MAP_CONST) {
        SC_TX_ERROR(ld, "bad-mapping", doc.path->mark,
                    "`path` starts with `$`; a constant is written without { }");
        return false;
    }
    out->unit = doc.unit_at ? doc.unit + 1 : SC_UNIT_DEFAULT;
    out->scale = (int32_t)doc.scale;
    return true;
}

struct sc_mapping sc_tx_default_mapping(struct sc_arena *ar, struct sc_str a, struct sc_str b)
{
    SC_ASSERT(ar != NULL);
    uint32_t n = b.len > 0 ? 2 : 1;
    struct sc_step *steps = SC_NEW_N(ar, struct sc_step, n);
    steps[0] = (struct sc_step){.kind = SC_STEP_FIELD, .name = a};
    if (n == 2)
        steps[1] = (struct sc_step){.kind = SC_STEP_FIELD, .name = b};
    struct sc_str text = n == 1 ? sc_str_printf(ar, "$.%.*s", SC_STR_FMT(a))
                                : sc_str_printf(ar, "$.%.*s.%.*s", SC_STR_FMT(a), SC_STR_FMT(b));
    return (struct sc_mapping){.op = SC_MAP_PATH, .path = {steps, n, text}, .slot = SC_SLOT_NONE};
}
