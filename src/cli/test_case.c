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

struct doc_case {
    struct sc_str name, start;
    struct sc_node *name_at, *start_at, *identifiers, *events, *expect_at;
    struct sc_test_expect expect;
};

#define AT(type, member) offsetof(struct type, member)
#define LIST(which) AT(sc_test_expect, lists[which])

static const struct sc_field expect_fields[] = {
    {.key = "stage", .kind = SC_F_STR, .offset = AT(sc_test_expect, stage),
     .node_offset = AT(sc_test_expect, stage_at)},
    {.key = "persona", .kind = SC_F_STR, .offset = AT(sc_test_expect, persona),
     .node_offset = AT(sc_test_expect, persona_at)},
    {.key = "customers", .kind = SC_F_INT, .offset = AT(sc_test_expect, customers),
     .node_offset = AT(sc_test_expect, customers_at), .min = 0, .max = 1000000},
    {.key = "triggers", .kind = SC_F_NODE, .offset = LIST(SC_TEST_TRIGGERS)},
    {.key = "suppressed", .kind = SC_F_NODE, .offset = LIST(SC_TEST_SUPPRESSED)},
    {.key = "deferred", .kind = SC_F_NODE, .offset = LIST(SC_TEST_DEFERRED)},
    {.key = "cancelled", .kind = SC_F_NODE, .offset = LIST(SC_TEST_CANCELLED)},
    {.key = "transitions", .kind = SC_F_NODE, .offset = LIST(SC_TEST_TRANSITIONS)},
    {.key = "milestones", .kind = SC_F_NODE, .offset = LIST(SC_TEST_MILESTONES)},
    {.key = "facts", .kind = SC_F_NODE, .offset = AT(sc_test_expect, facts)},
    {.key = "trace", .kind = SC_F_NODE, .offset = AT(sc_test_expect, trace)},
    {.key = "tracks", .kind = SC_F_NODE, .offset = AT(sc_test_expect, tracks)},
    {0}};
static const struct sc_table expect_table = {
    .name = "expectation", .size = sizeof(struct sc_test_expect), .fields = expect_fields,
    .key_field = SIZE_MAX, .self_node = SIZE_MAX};

static const struct sc_field case_fields[] = {
    {.key = "name", .kind = SC_F_STR, .offset = AT(doc_case, name),
     .node_offset = AT(doc_case, name_at), .required = true},
    {.key = "start", .kind = SC_F_STR, .offset = AT(doc_case, start),
     .node_offset = AT(doc_case, start_at), .def = "2026-03-02T10:00:00Z"},
    {.key = "identifiers", .kind = SC_F_NODE, .offset = AT(doc_case, identifiers)},
    {.key = "events", .kind = SC_F_NODE, .offset = AT(doc_case, events), .required = true},
    {.key = "expect", .kind = SC_F_STRUCT, .offset = AT(doc_case, expect),
     .node_offset = AT(doc_case, expect_at), .required = true, .table = &expect_table},
    {0}};
static const struct sc_table case_table = {
    .name = "test case", .size = sizeof(struct doc_case), .fields = case_fields,
    .key_field = SIZE_MAX, .self_node = SIZE_MAX};

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
    sc_diag_add(ld->ts->dg, SC_ERROR, sc_drop_label(drop), fault_mark(&fault, name, props), "%s",
                fault.text[0] ? fault.text : sc_drop_text(drop));
}

struct entry_doc {
    const struct sc_node *at, *id, *source, *identifiers;
    const struct sc_node *name, *props; /* the event's; NULL: time moves on */
    const struct sc_event_type *type;
};

static void put_line(struct sc_test_load *ld, const struct entry_doc *doc, uint32_t number,
                     struct sc_test_entry *entry)
{
    struct sc_buf out = {.ar = ld->ts->ar};
    struct sc_jsonw w;
    uint32_t errors = ld->ts->dg->errors;
    sc_jsonw_init(&w, &out);
    sc_jsonw_obj(&w);
    sc_jsonw_keyz(&w, "event");
    sc_jsonw_str(&w, doc->name->text);
    sc_jsonw_keyz(&w, "id");
    sc_jsonw_str(&w, doc->id ? doc->id->text : sc_str_printf(ld->ts->ar, "%u", number));
    sc_jsonw_keyz(&w, "occurred_at");
    sc_jsonw_time(&w, entry->at_ms);
    sc_jsonw_keyz(&w, "source");
    sc_jsonw_str(&w, doc->source ? doc->source->text : SC_STR("test"));
    put_identifiers(ld, &w, doc->identifiers);
    put_properties(ld, &w, doc->type, doc->props);
    sc_jsonw_obj_end(&w);
    entry->line = sc_buf_view(&out);
    if (ld->ts->dg->errors == errors)
        read_once(ld, entry->line, doc->name, doc->props);
}

static const char *const entry_words[] = {"at", "id", "source", "identifiers"};
#define ENTRY_WORDS (sizeof(entry_words) / sizeof(entry_words[0]))

static void unknown_key(struct sc_test_load *ld, const struct sc_node *key)
{
    const struct sc_taxonomy *tx = ld->ts->jo->tx;
    struct sc_str *names = SC_NEW_N(ld->ts->ar, struct sc_str, ENTRY_WORDS + tx->n_events);
    for (uint32_t i = 0; i < ENTRY_WORDS; ++i)
        names[i] = sc_str_from(entry_words[i]);
    for (uint32_t i = 0; i < tx->n_events; ++i)
        names[ENTRY_WORDS + i] = tx->events[i].name;
    sc_diag_suggest(ld->ts->dg, test_wrong(ld, key, "the taxonomy has no such event"), key->text,
                    names, (uint32_t)ENTRY_WORDS + tx->n_events);
}

static bool entry_event(struct sc_test_load *ld, const struct sc_node_pair *pair,
                        struct entry_doc *doc)
{
    int type = sc_taxonomy_event(ld->ts->jo->tx, pair->key->text);
    if (type < 0) {
        unknown_key(ld, pair->key);
    } else if (doc->name != NULL) {
        test_wrong(ld, pair->key, "an entry has one event: the next one is an entry of its own");
    } else {
        doc->name = pair->key;
        doc->props = pair->value;
        doc->type = &ld->ts->jo->tx->events[type];
        return true;
    }
    return false;
}

/* Sort the keys of an entry; what is none of ours is the event. */
static bool entry_keys(struct sc_test_load *ld, const struct sc_node *map, struct entry_doc *doc)
{
    const struct sc_node **const to[ENTRY_WORDS] = {&doc->at, &doc->id, &doc->source,
                                                    &doc->identifiers};
    bool ok = true;
    *doc = (struct entry_doc){0};
    for (uint32_t i = 0; i < map->n; ++i) {
        const struct sc_node *value = map->pairs[i].value;
        uint32_t w = 0;
        while (w < ENTRY_WORDS && !sc_str_eqz(map->pairs[i].key->text, entry_words[w]))
            ++w;
        if (w == ENTRY_WORDS) {
            ok = entry_event(ld, &map->pairs[i], doc) && ok;
        } else if (to[w] != &doc->identifiers && value->kind != SC_NODE_SCALAR) {
            test_wrong(ld, value, "text belongs here");
            ok = false;
        } else {
            *to[w] = value;
        }
    }
    return ok;
}

static void load_entry(struct sc_test_load *ld, const struct sc_node *node, uint32_t number)
{
    struct sc_test_entry *entry = &ld->tc->entries[number - 1];
    struct entry_doc doc;
    entry->at = node;
    if (node->kind != SC_NODE_MAP) {
        test_wrong(ld, node,
                   "an entry is a mapping: { at: \"+20m\", order_completed: { total: 40 } }");
        return;
    }
    if (!entry_keys(ld, node, &doc))
        return;
    if (doc.at == NULL || !sc_test_time(doc.at->text, ld->tc->start_ms, &entry->at_ms)) {
        test_wrong(ld, doc.at ? doc.at : node,
                   doc.at ? "`at` is a time from the start (\"+20m\", \"-1h\") or RFC 3339"
                          : "an entry says when it is: at: \"+20m\"");
        return;
    }
    if (doc.identifiers)
        check_identifiers(ld, doc.identifiers);
    if (doc.name == NULL)
        return;
    if (doc.props->kind != SC_NODE_MAP && doc.props->kind != SC_NODE_NULL)
        test_wrong(ld, doc.props, "an event's properties are a mapping");
    else
        put_line(ld, &doc, number, entry);
}

static void load_events(struct sc_test_load *ld, const struct sc_node *list)
{
    if (list == NULL)
        return;
    if (list->kind != SC_NODE_SEQ) {
        test_wrong(ld, list, "events are a list");
        return;
    }
    ld->tc->n_entries = list->n;
    ld->tc->entries = SC_NEW_N(ld->ts->ar, struct sc_test_entry, list->n + 1);
    for (uint32_t i = 0; i < list->n; ++i)
        load_entry(ld, list->items[i], i + 1);
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
    load_events(&ld, doc.events);
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
