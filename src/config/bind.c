/* The binder: walks a mapping by its table. What a table lets through the caller may trust. */
#include "config/bind.h"
#include "base/assert.h"
#include "config/bind_scalar.h"

#define KNOWN_MAX 12 /* keys listed when none is near */

struct binder {
    struct sc_arena *ar;
    struct sc_diag *dg;
};

static void bind_table(struct binder *b, const struct sc_table *table, const struct sc_node *node,
                       void *out);

static bool is_absent(const struct sc_node *n)
{
    return n == NULL || n->kind == SC_NODE_NULL;
}

static void bind_strs(struct binder *b, const struct sc_field *field, struct sc_node *n,
                      struct sc_strs *to)
{
    struct sc_node **items = n->kind == SC_NODE_SEQ ? n->items : &n;
    uint32_t count = n->kind == SC_NODE_SEQ ? n->n : 1;
    *to = (struct sc_strs){SC_NEW_N(b->ar, struct sc_str, count),
                           SC_NEW_N(b->ar, struct sc_node *, count), 0};
    for (uint32_t i = 0; i < count; ++i) {
        if (items[i]->kind != SC_NODE_SCALAR) {
            enum sc_field_kind wanted = n->kind == SC_NODE_SEQ ? SC_F_STR : SC_F_STRS;
            sc_bind_expected(field, items[i], sc_kind_info(wanted)->expected, b->dg);
            continue;
        }
        to->v[to->n] = items[i]->text;
        to->at[to->n++] = items[i];
    }
}

/* How one (or each `item` of a list) is written, by the keys that must be there, else by its first. */
static void show(struct binder *b, struct sc_finding *f, const struct sc_table *table, bool item)
{
    struct sc_buf out = {.ar = b->ar};
    sc_buf_addz(&out, item ? "each item is written `- " : "it is written { ");
    size_t begin = out.len;
    for (const struct sc_field *key = table->fields; key->key != NULL; ++key)
        if (key->required && (!item || out.len == begin))
            sc_buf_addf(&out, "%s%s: ...", out.len > begin ? ", " : "", key->key);
    if (out.len == begin)
        sc_buf_addf(&out, "%s: ...", table->fields->key);
    sc_buf_addz(&out, item ? "`" : " }");
    f->hint = sc_buf_view(&out);
}

/* A list, or a map whose keys go to the key field. */
static void bind_elements(struct binder *b, const struct sc_field *field, const struct sc_node *n,
                          struct sc_list *to)
{
    const struct sc_table *table = field->table;
    bool is_map = field->kind == SC_F_MAP;
    if (n->kind != (is_map ? SC_NODE_MAP : SC_NODE_SEQ)) {
        struct sc_finding *f =
            sc_bind_expected(field, n, sc_kind_info(field->kind)->expected, b->dg);
        if (!is_map)
            show(b, f, table, true);
        return;
    }
    to->n = n->n;
    to->v = sc_arena_zalloc(b->ar, table->size * n->n);
    for (uint32_t i = 0; i < n->n; ++i) {
        char *element = (char *)to->v + table->size * i;
        bind_table(b, table, is_map ? n->pairs[i].value : n->items[i], element);
        if (is_map && table->key_field != SIZE_MAX)
            *(struct sc_str *)(void *)(element + table->key_field) = n->pairs[i].key->text;
    }
}

static void bind_value(struct binder *b, const struct sc_field *field, struct sc_node *n, void *to)
{
    if (n->faulty)
        return;
    switch (field->kind) {
    case SC_F_STRS:
        bind_strs(b, field, n, to);
        return;
    case SC_F_STRUCT:
        bind_table(b, field->table, n, to);
        return;
    case SC_F_LIST:
    case SC_F_MAP:
        bind_elements(b, field, n, to);
        return;
    case SC_F_NODE:
        *(struct sc_node **)to = n;
        return;
    case SC_F_STR:
    case SC_F_BOOL:
    case SC_F_INT:
    case SC_F_DOUBLE:
    case SC_F_DURATION:
    case SC_F_BYTES:
    case SC_F_PERCENT:
    case SC_F_ENUM:
    case SC_F_NAME:
        sc_bind_scalar(field, n, to, b->dg);
        return;
    }
    SC_UNREACHABLE("field kind");
}

struct sc_node *sc_bind_default_node(const struct sc_field *field, struct sc_arena *ar)
{
    struct sc_str def = sc_str_from(field->def);
    if (def.len == 0 || (def.p[0] != '[' && def.p[0] != '{')) {
        struct sc_node *n = SC_NEW(ar, struct sc_node);
        n->kind = SC_NODE_SCALAR;
        n->text = def;
        return n;
    }
    struct sc_diag dg;
    sc_diag_init(&dg, ar);
    struct sc_node *n = sc_node_parse(SC_STR("default"), def, NULL, NULL, ar, &dg);
    SC_ASSERT(n != NULL && dg.errors == 0);
    return n;
}

/* A table with a default that does not bind is a bug. */
static void bind_default(struct binder *b, const struct sc_field *field, void *to)
{
    struct sc_diag dg;
    sc_diag_init(&dg, b->ar);
    struct binder quiet = {b->ar, &dg};
    if (field->def != NULL)
        bind_value(&quiet, field, sc_bind_default_node(field, b->ar), to);
    else if (field->kind == SC_F_STRUCT)
        bind_table(&quiet, field->table, NULL, to);
    SC_ASSERT(dg.errors == 0);
}

/* The article and a blank; none before a plural ("settings"). */
static const char *article(const char *noun)
{
    size_t len = strlen(noun);
    if (len > 1 && noun[len - 1] == 's' && noun[len - 2] != 'a')
        return "";
    return len > 0 && strchr("aeiouAEIOU", noun[0]) != NULL ? "an " : "a ";
}

/* `key:` with nothing behind it: more likely forgotten than meant. Of a list or a mapping it says
 * that there are none. */
static bool needs_value(const struct sc_field *field)
{
    return field->required ||
           (field->kind != SC_F_LIST && field->kind != SC_F_MAP && field->kind != SC_F_NODE);
}

static void bind_field(struct binder *b, const struct sc_table *table, const struct sc_field *field,
                       const struct sc_node *map, char *out)
{
    struct sc_node *n = map ? sc_node_get(map, field->key) : NULL;
    bool kept = n != NULL && field->kind == SC_F_NODE && !field->required;
    if (is_absent(n) && !kept) {
        bind_default(b, field, out + field->offset);
        struct sc_finding *f = NULL;
        if (n != NULL ? needs_value(field) && !n->faulty : field->required && map != NULL)
            f = sc_diag_add(b->dg, SC_ERROR, "missing-key", n ? n->mark : map->mark,
                            n ? "'%s' has no value in %s%s" : "missing key '%s' in %s%s",
                            field->key, article(table->name), table->name);
        if (f && !field->required)
            f->hint = SC_STR("leave the key out, or say it");
        return;
    }
    if (field->node_offset != 0)
        *(struct sc_node **)(void *)(out + field->node_offset) = n;
    if (field->def != NULL) /* so that a fault leaves the default, not zero */
        bind_default(b, field, out + field->offset);
    bind_value(b, field, n, out + field->offset);
}

/* Text with operators or brackets: the rest of an expression that YAML cut at a comma or colon. */
static bool is_expression_tail(const struct sc_node *key)
{
    if (key->quoted)
        return false;
    for (size_t i = 0; i < key->text.len; ++i)
        if (key->text.p[i] != '\0' && strchr("()[]<>=!&|+*/%?\"'", key->text.p[i]) != NULL)
            return true;
    return false;
}

static struct sc_str known_keys(const struct sc_table *table, struct sc_arena *ar)
{
    struct sc_buf list = {0};
    sc_buf_addz(&list, "known here:");
    for (int i = 0; table->fields[i].key != NULL; ++i) {
        if (i == KNOWN_MAX) {
            sc_buf_addz(&list, ", ...");
            break;
        }
        sc_buf_addf(&list, "%s %s", i ? "," : "", table->fields[i].key);
    }
    struct sc_str text = sc_str_dup(ar, sc_buf_view(&list));
    sc_buf_fini(&list);
    return text;
}

static void report_unknown(struct binder *b, const struct sc_table *table,
                           const struct sc_node *map, uint32_t at)
{
    const struct sc_node *key = map->pairs[at].key;
    SC_VEC(struct sc_str) names = {0};
    for (const struct sc_field *f = table->fields; f->key != NULL; ++f)
        SC_VEC_PUSH(b->ar, &names, sc_str_from(f->key));
    struct sc_finding *f =
        sc_diag_add(b->dg, SC_ERROR, "unknown-key", key->mark, "unknown key '%.*s' in %s%s",
                    SC_STR_FMT(key->text), article(table->name), table->name);
    if (at > 0 && is_expression_tail(key)) {
        f->hint = sc_str_printf(b->ar,
                                "if it belongs to the value of '%.*s', put that in quotes: a plain "
                                "value ends at ', ' and ': '",
                                SC_STR_FMT(map->pairs[at - 1].key->text));
        return;
    }
    sc_diag_suggest(b->dg, f, key->text, names.v, names.n);
    if (f->hint.len == 0)
        f->hint = known_keys(table, b->ar);
}

static bool has_field(const struct sc_table *table, struct sc_str key)
{
    for (const struct sc_field *f = table->fields; f->key != NULL; ++f)
        if (sc_str_eqz(key, f->key))
            return true;
    return false;
}

static void bind_table(struct binder *b, const struct sc_table *table, const struct sc_node *node,
                       void *out)
{
    SC_ASSERT(table->size != 0 && table->fields != NULL);
    memset(out, 0, table->size);
    if (node != NULL && node->faulty)
        node = NULL;
    if (!is_absent(node) && node->kind != SC_NODE_MAP) {
        const struct sc_field as = {.key = table->name, .kind = SC_F_STRUCT};
        show(b, sc_bind_expected(&as, node, sc_kind_info(SC_F_STRUCT)->expected, b->dg), table,
             false);
        node = NULL;
    }
    if (table->self_node != SIZE_MAX)
        *(const struct sc_node **)(void *)((char *)out + table->self_node) = node;
    for (const struct sc_field *f = table->fields; f->key != NULL; ++f)
        bind_field(b, table, f, node, out);
    for (uint32_t i = 0; !table->open && !is_absent(node) && i < node->n; ++i)
        if (!has_field(table, node->pairs[i].key->text))
            report_unknown(b, table, node, i);
}

void sc_bind(const struct sc_table *table, const struct sc_node *node, void *out,
             struct sc_arena *ar, struct sc_diag *dg)
{
    struct binder b = {ar, dg};
    bind_table(&b, table, node, out);
}
