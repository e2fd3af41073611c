/* See test_case.h. Three steps a case: bind its keys, write its events as lines and read each once
 * for its faults, check that what is expected names things the journey has (test_expect.c). */
#include "cli/test_load.h"

#include "cli/node_json.h"

#include "base/assert.h"

bool sc_test_time(struct sc_str text, int64_t start_ms, int64_t *ms)
{
    int64_t offset_ms;
    bool sign = text.len > 1 && (text.p[0] == '+' || text.p[0] == '-');
    if (!sign)
        return sc_time_parse(text, NULL, ms, NULL);
    struct sc_str span = {text.p + (text.p[0] == '+'), text.len - (text.p[0] == '+')};
    if ((text.p[0] == '+' && text.p[1] == '-') || !sc_duration_parse(span, &offset_ms))
        return false;
    return !__builtin_add_overflow(start_ms, offset_ms, ms);
}

/* ---- keys */

struct doc_entry { /* `at` for what is not text by itself: which keys are there, and where */
    struct sc_str at, id, source;
    struct sc_node *at_at, *id_at, *source_at, *identifiers;
    const struct sc_node *node;
};

struct doc_case {
    struct sc_str name, start;
    struct sc_node *name_at, *start_at, *identifiers, *expect_at;
    struct sc_list entries;
    struct sc_test_expect expect;
};

#define AT(type, member) offsetof(struct type, member)
#define OBJECT "{\"type\":\"object\"}"
#define EFFECTS(name, which, what)                                                                 \
    {.key = name, .kind = SC_F_NODE, .offset = AT(sc_test_expect, lists[which]),                   \
     .schema = "{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"object\"]}}",                \
     .doc = what " All of them, in order, each by its name or by fields; `[]` is none."}

static const struct sc_field expect_fields[] = {
    {.key = "stage", .kind = SC_F_STR, .offset = AT(sc_test_expect, stage),
     .node_offset = AT(sc_test_expect, stage_at),
     .doc = "The stage of the first event's customer at the end."},
    {.key = "persona", .kind = SC_F_STR, .offset = AT(sc_test_expect, persona),
     .node_offset = AT(sc_test_expect, persona_at), .doc = "Its persona; `\"\"` is none."},
    {.key = "customers", .kind = SC_F_INT, .offset = AT(sc_test_expect, customers),
     .node_offset = AT(sc_test_expect, customers_at), .min = 0, .max = 1000000,
     .doc = "How many customers there are at the end."},
    EFFECTS("triggers", SC_TEST_TRIGGERS, "Messages sent."),
    EFFECTS("suppressed", SC_TEST_SUPPRESSED, "Messages not sent."),
    EFFECTS("deferred", SC_TEST_DEFERRED, "Messages put off."),
    EFFECTS("cancelled", SC_TEST_CANCELLED, "Messages withdrawn."),
    EFFECTS("transitions", SC_TEST_TRANSITIONS, "Stages entered."),
    EFFECTS("milestones", SC_TEST_MILESTONES, "Milestones reached."),
    {.key = "facts", .kind = SC_F_NODE, .offset = AT(sc_test_expect, facts), .schema = OBJECT,
     .doc = "Values at the end, by a fact's name, or by its text where it has none."},
    {.key = "trace", .kind = SC_F_NODE, .offset = AT(sc_test_expect, trace),
     .schema = "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
     .doc = "Lines of the trace, in order; what stands between them is free."},
    {.key = "tracks", .kind = SC_F_NODE, .offset = AT(sc_test_expect, tracks), .schema = OBJECT,
     .doc = "The stage at the end in each track that is named."},
    {0}};
static const struct sc_table expect_table = {
    .name = "expectation", .doc = "What must come of a case. What is not written is not compared.",
    .size = sizeof(struct sc_test_expect), .fields = expect_fields,
    .key_field = SIZE_MAX, .self_node = SIZE_MAX};

static const struct sc_field entry_fields[] = {
    {.key = "at", .kind = SC_F_STR, .offset = AT(doc_entry, at),
     .node_offset = AT(doc_entry, at_at), .required = true,
     .doc = "When, from the start (`\"+20m\"`, `\"-1d\"`) or RFC 3339."},
    {.key = "id", .kind = SC_F_STR, .offset = AT(doc_entry, id),
     .node_offset = AT(doc_entry, id_at),
     .doc = "The event's id; its number in the list unless said."},
    {.key = "source", .kind = SC_F_STR, .offset = AT(doc_entry, source),
     .node_offset = AT(doc_entry, source_at), .doc = "The event's source; `test` unless said."},
    {.key = "identifiers", .kind = SC_F_NODE, .offset = AT(doc_entry, identifiers),
     .schema = OBJECT, .doc = "In place of the case's."},
    {0}};
static const struct sc_table entry_table = { /* open: any other key is the event's name */
    .name = "entry",
    .doc = "An event, by its name and its properties: `order_completed: { total: 40 }`; none: time "
           "moves on.",
    .size = sizeof(struct doc_entry), .fields = entry_fields, .key_field = SIZE_MAX,
    .self_node = AT(doc_entry, node), .open = true};

static const struct sc_field case_fields[] = {
    {.key = "name", .kind = SC_F_STR, .offset = AT(doc_case, name),
     .node_offset = AT(doc_case, name_at), .required = true, .doc = "What is promised."},
    {.key = "start", .kind = SC_F_STR, .offset = AT(doc_case, start),
     .node_offset = AT(doc_case, start_at), .def = "2026-03-02T10:00:00Z",
     .doc = "When it begins, RFC 3339."},
    {.key = "identifiers", .kind = SC_F_NODE, .offset = AT(doc_case, identifiers),
     .schema = OBJECT, .doc = "Whose events they are, by namespace; `{}` is nobody. One test "
                              "customer unless said."},
    {.key = "events", .kind = SC_F_LIST, .offset = AT(doc_case, entries), .table = &entry_table,
     .required = true, .doc = "What happens, in order of arrival."},
    {.key = "expect", .kind = SC_F_STRUCT, .offset = AT(doc_case, expect),
     .node_offset = AT(doc_case, expect_at), .required = true, .table = &expect_table,
     .doc = "What must come of it."},
    {0}};
static const struct sc_table case_table = {
    .name = "test case", .doc = "What happens to a customer, and what is expected ([testing.md]"
                                "(testing.md)).",
    .size = sizeof(struct doc_case), .fields = case_fields,
    .key_field = SIZE_MAX, .self_node = SIZE_MAX};

struct sc_table sc_test_journey_table(struct sc_arena *ar)
{
    struct sc_table table = sc_journey_table;
    uint32_t n = 0;
    while (table.fields[n].key != NULL)
        ++n;
    struct sc_field *fields = SC_NEW_N(ar, struct sc_field, n + 1);
    for (uint32_t i = 0; i < n; ++i) {
        fields[i] = table.fields[i];
        if (strcmp(fields[i].key, "tests") != 0)
            continue;
        fields[i].kind = SC_F_LIST;
        fields[i].table = &case_table;
    }
    table.fields = fields;
    return table;
}

/* ---- events */

/* Whoever no case names: the strongest namespace's test customer. */
static void put_test_customer(const struct sc_taxonomy *tx, struct sc_jsonw *w)
{
    if (tx->n_namespaces == 0)
        return;
    sc_jsonw_key(w, tx->namespaces[0].name);
    bool phone = tx->namespaces[0].normalize == SC_NORM_E164;
    sc_jsonw_strz(w, phone ? "+12025550100" : "test-customer");
}

/* Identifiers are text: `0017` without quotes is what it looks like. */
static void put_identifier(struct sc_jsonw *w, const struct sc_node *value)
{
    if (value->kind == SC_NODE_SCALAR) {
        sc_jsonw_str(w, value->text);
        return;
    }
    sc_jsonw_arr(w);
    for (uint32_t i = 0; i < value->n; ++i)
        sc_jsonw_str(w, value->items[i]->text);
    sc_jsonw_arr_end(w);
}

static bool identifier_ok(const struct sc_node *value)
{
    bool ok = value->kind == SC_NODE_SCALAR || value->kind == SC_NODE_SEQ;
    for (uint32_t i = 0; value->kind == SC_NODE_SEQ && i < value->n; ++i)
        ok = ok && value->items[i]->kind == SC_NODE_SCALAR;
    return ok;
}

static void check_identifiers(struct sc_test_load *ld, const struct sc_node *map)
{
    const struct sc_taxonomy *tx = ld->ts->jo->tx;
    if (map->kind != SC_NODE_MAP) {
        test_wrong(ld, map, "identifiers are a mapping of namespace and value; {} is nobody");
        return;
    }
    struct sc_str names[SC_NAMESPACES_MAX];
    for (uint32_t i = 0; i < tx->n_namespaces; ++i)
        names[i] = tx->namespaces[i].name;
    for (uint32_t i = 0; i < map->n; ++i) {
        const struct sc_node *key = map->pairs[i].key;
        if (sc_taxonomy_namespace(tx, key->text) < 0)
            sc_diag_suggest(ld->ts->dg,
                            test_wrong(ld, key, "the taxonomy has no such namespace"), key->text,
                            names, tx->n_namespaces);
        else if (!identifier_ok(map->pairs[i].value))
            test_wrong(ld, map->pairs[i].value, "an identifier is text, or a list of texts");
    }
}

static void put_identifiers(struct sc_test_load *ld, struct sc_jsonw *w, const struct sc_node *own)
{
    const struct sc_node *map = own ? own : ld->identifiers;
    sc_jsonw_keyz(w, "identifiers");
    sc_jsonw_obj(w);
    if (map == NULL)
        put_test_customer(ld->ts->jo->tx, w);
    for (uint32_t i = 0; map && map->kind == SC_NODE_MAP && i < map->n; ++i) {
        if (!identifier_ok(map->pairs[i].value))
            continue;
        sc_jsonw_key(w, map->pairs[i].key->text);
        put_identifier(w, map->pairs[i].value);
    }
    sc_jsonw_obj_end(w);
}

/* Times among the properties may count from the start too. */
static void put_property(struct sc_test_load *ld, struct sc_jsonw *w, const struct sc_property *p,
                         const struct sc_node *value)
{
    int64_t ms;
    if (p->type == SC_T_TIMESTAMP && value->kind == SC_NODE_SCALAR &&
        sc_test_time(value->text, ld->tc->start_ms, &ms))
        sc_jsonw_time(w, ms);
    else
        sc_node_json(w, value);
}

static void put_properties(struct sc_test_load *ld, struct sc_jsonw *w,
                           const struct sc_event_type *et, const struct sc_node *map)
{
    sc_jsonw_keyz(w, "properties");
    sc_jsonw_obj(w);
    struct sc_str *names = SC_NEW_N(ld->ts->ar, struct sc_str, et->n_props + 1);
    for (uint32_t i = 0; i < et->n_props; ++i)
        names[i] = et->props[i].name;
    for (uint32_t i = 0; map->kind == SC_NODE_MAP && i < map->n; ++i) {
        const struct sc_node *key = map->pairs[i].key;
        int prop = sc_event_type_prop(et, key->text);
        if (prop < 0) {
            struct sc_finding *f = test_wrong(ld, key, "the event has no such property");
            f->decl = et->at->mark;
            sc_diag_suggest(ld->ts->dg, f, key->text, names, et->n_props);
            continue;
        }
        sc_jsonw_key(w, key->text);
        put_property(ld, w, &et->props[prop], map->pairs[i].value);
    }
    sc_jsonw_obj_end(w);
}

/* Where the reader's fault stands: `$.properties.total`, an identifier, else the event. */
static struct sc_mark fault_mark(const struct sc_fault *fault, const struct sc_node *event,
                                 const struct sc_node *props)
{
    for (uint32_t i = 0; props->kind == SC_NODE_MAP && i < props->n; ++i) {
        struct sc_str name = props->pairs[i].key->text;
        if (sc_str_ends(fault->path, name) && fault->path.len > name.len &&
            fault->path.p[fault->path.len - name.len - 1] == '.')
            return props->pairs[i].value->mark;
    }
    return event->mark;
}

static void read_once(struct sc_test_load *ld, struct sc_str line, const struct sc_node *name,
                      const struct sc_node *props)
{
    struct sc_event ev;
    struct sc_fault fault;
    enum sc_drop drop = sc_canonical_read(ld->ts->reader, line, 1, &ev, &fault);
    if (drop == SC_DROP_NONE)
        return;
    size_t n = strlen(fault.text);
    bool named = n > 0 && fault.text[n - 1] == ')'; /* "total (decimal)": what, not why */
    sc_diag_add(ld->ts->dg, SC_ERROR, sc_drop_label(drop), fault_mark(&fault, name, props),
                "%s%s%s", fault.text, named ? ": " : "", n == 0 || named ? sc_drop_text(drop) : "");
}

/* An entry's event: the one key that is none of the entry's own. */
struct happening {
    const struct sc_node *name, *props; /* NULL: time moves on */
    const struct sc_event_type *type;
};

static void put_line(struct sc_test_load *ld, const struct doc_entry *doc,
                     const struct happening *what, uint32_t number, struct sc_test_entry *entry)
{
    struct sc_buf out = {.ar = ld->ts->ar};
    struct sc_jsonw w;
    uint32_t errors = ld->ts->dg->errors;
    sc_jsonw_init(&w, &out);
    sc_jsonw_obj(&w);
    sc_jsonw_keyz(&w, "event");
    sc_jsonw_str(&w, what->name->text);
    sc_jsonw_keyz(&w, "id");
    sc_jsonw_str(&w, doc->id_at ? doc->id : sc_str_printf(ld->ts->ar, "%u", number));
    sc_jsonw_keyz(&w, "occurred_at");
    sc_jsonw_time(&w, entry->at_ms);
    sc_jsonw_keyz(&w, "source");
    sc_jsonw_str(&w, doc->source_at ? doc->source : SC_STR("test"));
    put_identifiers(ld, &w, doc->identifiers);
    put_properties(ld, &w, what->type, what->props);
    sc_jsonw_obj_end(&w);
    entry->line = sc_buf_view(&out);
    if (ld->ts->dg->errors == errors)
        read_once(ld, entry->line, what->name, what->props);
}

static bool is_own_key(struct sc_str key)
{
    for (const struct sc_field *f = entry_fields; f->key != NULL; ++f)
        if (sc_str_eqz(key, f->key))
            return true;
    return false;
}

static void unknown_key(struct sc_test_load *ld, const struct sc_node *key)
{
    const struct sc_taxonomy *tx = ld->ts->jo->tx;
    SC_VEC(struct sc_str) names = {0};
    for (const struct sc_field *f = entry_fields; f->key != NULL; ++f)
        SC_VEC_PUSH(ld->ts->ar, &names, sc_str_from(f->key));
    for (uint32_t i = 0; i < tx->n_events; ++i)
        SC_VEC_PUSH(ld->ts->ar, &names, tx->events[i].name);
    sc_diag_suggest(ld->ts->dg, test_wrong(ld, key, "the taxonomy has no such event"), key->text,
                    names.v, names.n);
}

static bool find_event(struct sc_test_load *ld, const struct sc_node *map, struct happening *what)
{
    bool ok = true;
    *what = (struct happening){0};
    for (uint32_t i = 0; i < map->n; ++i) {
        const struct sc_node_pair *pair = &map->pairs[i];
        if (is_own_key(pair->key->text))
            continue;
        int type = sc_taxonomy_event(ld->ts->jo->tx, pair->key->text);
        if (type < 0)
            unknown_key(ld, pair->key);
        else if (what->name != NULL)
            test_wrong(ld, pair->key,
                       "an entry has one event: the next one is an entry of its own");
        else
            *what = (struct happening){pair->key, pair->value, &ld->ts->jo->tx->events[type]};
        ok = ok && what->name == pair->key;
    }
    return ok;
}

static void load_entry(struct sc_test_load *ld, const struct doc_entry *doc, uint32_t number)
{
    struct sc_test_entry *entry = &ld->tc->entries[number - 1];
    struct happening what;
    entry->at = doc->node;
    if (doc->node == NULL || doc->node->kind != SC_NODE_MAP ||
        !find_event(ld, doc->node, &what) || doc->at_at == NULL ||
        doc->at_at->kind != SC_NODE_SCALAR)
        return; /* said */
    if (!sc_test_time(doc->at, ld->tc->start_ms, &entry->at_ms)) {
        test_wrong(ld, doc->at_at, "`at` is a time from the start (\"+20m\", \"-1h\") or RFC 3339");
        return;
    }
    if (doc->identifiers)
        check_identifiers(ld, doc->identifiers);
    if (what.name == NULL)
        return;
    if (what.props->kind != SC_NODE_MAP && what.props->kind != SC_NODE_NULL)
        test_wrong(ld, what.props, "an event's properties are a mapping");
    else
        put_line(ld, doc, &what, number, entry);
}

static void load_events(struct sc_test_load *ld, const struct sc_list *list)
{
    const struct doc_entry *docs = list->v;
    ld->tc->n_entries = list->n;
    ld->tc->entries = SC_NEW_N(ld->ts->ar, struct sc_test_entry, list->n + 1);
    for (uint32_t i = 0; i < list->n; ++i)
        load_entry(ld, &docs[i], i + 1);
}

static void load_case(struct sc_test_cases *ts, const struct sc_node *node)
{
    struct doc_case doc;
    uint32_t errors = ts->dg->errors;
    sc_bind(&case_table, node, &doc, ts->ar, ts->dg);
    if (node->kind != SC_NODE_MAP)
        return;
    struct sc_test_case *tc = SC_VEC_ADD(ts->ar, &ts->v);
    struct sc_test_load ld = {.ts = ts, .tc = tc, .identifiers = doc.identifiers};
    tc->name = doc.name;
    tc->mark = doc.name_at ? doc.name_at->mark : node->mark;
    tc->expect = doc.expect;
    if (!sc_time_parse(doc.start, NULL, &tc->start_ms, NULL) && ts->dg->errors == errors)
        test_wrong(&ld, doc.start_at, "`start` is a time, RFC 3339: 2026-03-02T10:00:00Z");
    if (doc.expect_at != NULL && doc.expect_at->kind == SC_NODE_MAP && doc.expect_at->n == 0)
        test_wrong(&ld, doc.expect_at, "a case that expects nothing cannot fail");
    if (doc.identifiers)
        check_identifiers(&ld, doc.identifiers);
    load_events(&ld, &doc.entries);
    sc_test_expect_check(&ld);
}

void sc_test_cases_add(struct sc_test_cases *ts, const struct sc_node *list)
{
    SC_ASSERT(ts != NULL && list != NULL);
    if (list->kind != SC_NODE_SEQ) {
        sc_diag_add(ts->dg, SC_ERROR, "bad-test", list->mark, "tests are a list of cases");
        return;
    }
    for (uint32_t i = 0; i < list->n; ++i)
        load_case(ts, list->items[i]);
}
