/* The loader: bind by the tables, then resolve what the tables cannot say, in one order:
 * version, namespaces, events, cases, sources, slots. Every fault is found before it ends. */
#include "core/taxonomy/load.h"
#include "base/assert.h"
#include "base/hash.h"

#include <stdlib.h>

struct sc_node *sc_tx_key(struct sc_node *map, struct sc_str name)
{
    SC_ASSERT(map != NULL);
    for (uint32_t i = 0; map->kind == SC_NODE_MAP && i < map->n; i++)
        if (sc_str_eq(map->pairs[i].key->text, name))
            return map->pairs[i].key;
    return map;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_name(struct sc_str s)
{
    if (s.len == 0 || (s.p[0] >= '0' && s.p[0] <= '9'))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '_')
            return false;
    return true;
}

bool sc_tx_check_name(struct sc_tx_load *ld, const char *what, struct sc_str name,
                      struct sc_node *at)
{
    SC_ASSERT(at != NULL);
    if (is_name(name))
        return true;
    SC_TX_ERROR(ld, "bad-name", at->mark, "%s is named by letters, digits and _, no digit first",
                what);
    return false;
}

static int hashed_order(const void *a, const void *b)
{
    const struct sc_tx_hashed *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return sc_str_cmp(x->name, y->name);
}

void sc_tx_check_hashes(struct sc_tx_load *ld, const char *what, struct sc_tx_hashed *names,
                        uint32_t n)
{
    SC_ASSERT(names != NULL || n == 0);
    if (n > 0)
        qsort(names, n, sizeof(*names), hashed_order);
    for (uint32_t i = 1; i < n; i++)
        if (names[i].hash == names[i - 1].hash)
            SC_TX_ERROR(ld, "hash-collision", names[i].at->mark,
                        "the %s '%.*s' and '%.*s' have the same 32-bit hash: rename one", what,
                        SC_STR_FMT(names[i].name), SC_STR_FMT(names[i - 1].name))
                ->decl = names[i - 1].at->mark;
}

struct sc_finding *sc_tx_unknown_event(struct sc_tx_load *ld, struct sc_str name,
                                       const struct sc_node *at)
{
    const struct sc_taxonomy *tx = ld->tx;
    SC_ASSERT(at != NULL);
    struct sc_str *names = SC_NEW_N(ld->ar, struct sc_str, tx->n_events);
    for (uint32_t i = 0; i < tx->n_events; i++)
        names[i] = tx->events[i].name;
    struct sc_finding *f =
        SC_TX_ERROR(ld, "unknown-event", at->mark, "there is no event '%.*s'", SC_STR_FMT(name));
    sc_diag_suggest(ld->dg, f, name, names, tx->n_events);
    return f;
}

int sc_tx_event_ref(struct sc_tx_load *ld, struct sc_str name, struct sc_node *at)
{
    int index = sc_taxonomy_event(ld->tx, name);
    SC_ASSERT(at != NULL);
    if (index < 0)
        sc_tx_unknown_event(ld, name, at);
    return index;
}

int sc_tx_property_ref(struct sc_tx_load *ld, const struct sc_event_type *et, struct sc_str name,
                       struct sc_node *at)
{
    SC_ASSERT(at != NULL);
    int index = sc_event_type_prop(et, name);
    if (index >= 0)
        return index;
    struct sc_str *names = SC_NEW_N(ld->ar, struct sc_str, et->n_props);
    for (uint32_t i = 0; i < et->n_props; i++)
        names[i] = et->props[i].name;
    struct sc_finding *f =
        SC_TX_ERROR(ld, "unknown-property", at->mark, "event '%.*s' has no property '%.*s'",
                    SC_STR_FMT(et->name), SC_STR_FMT(name));
    sc_diag_suggest(ld->dg, f, name, names, et->n_props);
    f->decl = et->at->mark;
    return -1;
}

/* ---- Version */

/* A number of the three: digits, no leading zero. Advances `s`. */
static bool semver_number(struct sc_str *s, int64_t *out)
{
    size_t n = 0;
    while (n < s->len && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    if (n == 0)
        return false;
    struct sc_str digits = {s->p, n};
    *s = (struct sc_str){s->p + n, s->len - n};
    return (n == 1 || digits.p[0] != '0') && sc_str_int(digits, out);
}

static bool semver_parse(struct sc_str s, int64_t number[3])
{
    for (int i = 0; i < 3; i++) {
        if (i > 0) {
            if (s.len == 0 || s.p[0] != '.')
                return false;
            s = (struct sc_str){s.p + 1, s.len - 1};
        }
        if (!semver_number(&s, &number[i]))
            return false;
    }
    if (s.len == 0)
        return true;
    if (s.len == 1 || (s.p[0] != '-' && s.p[0] != '+'))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '.' && s.p[i] != '+')
            return false;
    return true;
}

bool sc_tx_semver_ok(struct sc_str version)
{
    int64_t number[3];
    SC_ASSERT(version.p != NULL || version.len == 0);
    return semver_parse(version, number);
}

int sc_tx_semver_cmp(struct sc_str a, struct sc_str b)
{
    int64_t x[3] = {0}, y[3] = {0};
    bool ok = semver_parse(a, x) && semver_parse(b, y);
    SC_ASSERT(ok);
    for (int i = 0; i < 3; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

/* ---- Namespaces */

static bool is_device(struct sc_str name)
{
    return sc_str_eqz(name, "device_id") || sc_str_eqz(name, "device") ||
           sc_str_eqz(name, "cookie") || sc_str_eqz(name, "cookie_id") ||
           sc_str_eqz(name, "anonymous_id");
}

static void load_namespace(struct sc_tx_load *ld, struct sc_tx_namespace_doc *doc)
{
    struct sc_namespace *ns = &doc->ns;
    ns->at = sc_tx_key(ld->doc->namespaces_at, ns->name);
    sc_tx_check_name(ld, "a namespace", ns->name, ns->at);
    if (ns->unique && doc->limit_at != NULL && ns->limit != 1)
        SC_TX_ERROR(ld, "bad-limit", doc->limit_at->mark,
                    "a unique namespace has limit 1; drop `limit` or `unique`");
    if (ns->unique && doc->within_at != NULL)
        SC_TX_ERROR(ld, "bad-limit", doc->within_at->mark,
                    "a unique identifier is the only one ever: `within` means nothing here");
    if (ns->unique)
        ns->limit = 1;
    else if (doc->within_at == NULL && is_device(ns->name))
        ns->within_ms = 30 * SC_DAY_MS;
    for (uint32_t i = 0; i < ns->allow.n; i++)
        if (sc_str_trim(ns->allow.v[i]).len == 0)
            SC_TX_ERROR(ld, "bad-allow", ns->allow.at[i]->mark,
                        "an empty identifier can never be allowed");
    sc_blocked_init(ns, ld->ar);
}

static int rank_order(const void *a, const void *b)
{
    const struct sc_namespace *x = a, *y = b;
    if (x->unique != y->unique)
        return x->unique ? -1 : 1;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return sc_str_cmp(x->name, y->name);
}

static void load_namespaces(struct sc_tx_load *ld)
{
    const struct sc_tx_doc *doc = ld->doc;
    struct sc_tx_namespace_doc *docs = doc->namespaces.v;
    if (doc->namespaces_at == NULL || doc->namespaces_at->kind != SC_NODE_MAP)
        return;
    uint32_t n = doc->namespaces.n;
    if (n == 0) {
        SC_TX_ERROR(ld, "no-namespace", doc->namespaces_at->mark,
                    "a taxonomy has a namespace at least: what people are known by");
        return;
    }
    if (n > SC_NAMESPACES_MAX) {
        sc_tx_over(ld, sc_tx_key(doc->namespaces_at, docs[SC_NAMESPACES_MAX].ns.name), n,
                   SC_NAMESPACES_MAX, "namespaces");
        n = SC_NAMESPACES_MAX;
    }
    struct sc_taxonomy *tx = ld->tx;
    struct sc_tx_hashed names[SC_NAMESPACES_MAX];
    tx->n_namespaces = n;
    tx->namespaces = SC_NEW_N(ld->ar, struct sc_namespace, tx->n_namespaces);
    for (uint32_t i = 0; i < tx->n_namespaces; i++) {
        load_namespace(ld, &docs[i]);
        tx->namespaces[i] = docs[i].ns;
    }
    qsort(tx->namespaces, tx->n_namespaces, sizeof(*tx->namespaces), rank_order);
    for (uint32_t i = 0; i < tx->n_namespaces; i++) {
        struct sc_namespace *ns = &tx->namespaces[i];
        ns->rank = (uint8_t)(i + 1);
        names[i] = (struct sc_tx_hashed){sc_hash_name(ns->name), ns->name, ns->at};
    }
    sc_tx_check_hashes(ld, "namespaces", names, tx->n_namespaces);
}

/* ---- Cases */

/* The events of one side; each must have the key. */
static uint16_t *load_case_events(struct sc_tx_load *ld, const struct sc_tx_case_doc *doc,
                                  const struct sc_strs *names, uint32_t *n)
{
    uint16_t *events = SC_NEW_N(ld->ar, uint16_t, names->n);
    for (uint32_t i = 0; i < names->n; i++) {
        int event = sc_tx_event_ref(ld, names->v[i], names->at[i]);
        if (event < 0)
            continue;
        events[(*n)++] = (uint16_t)event;
        if (!sc_tx_is_text(doc->key_at))
            continue;
        struct sc_event_type *et = &ld->tx->events[event];
        int prop = sc_tx_property_ref(ld, et, doc->c.key, doc->key_at);
        if (prop >= 0)
            et->props[prop].engine_reads = true;
    }
    return events;
}

static void load_cases(struct sc_tx_load *ld)
{
    struct sc_taxonomy *tx = ld->tx;
    struct sc_tx_case_doc *docs = ld->doc->cases.v;
    tx->n_cases = ld->doc->cases.n;
    if (tx->n_cases > SC_CASE_KINDS_MAX) {
        sc_tx_over(ld, sc_tx_key(ld->doc->cases_at, docs[SC_CASE_KINDS_MAX].c.name), tx->n_cases,
                   SC_CASE_KINDS_MAX, "cases");
        tx->n_cases = SC_CASE_KINDS_MAX;
    }
    tx->cases = SC_NEW_N(ld->ar, struct sc_case, tx->n_cases);
    struct sc_tx_hashed *names = SC_NEW_N(ld->ar, struct sc_tx_hashed, tx->n_cases);
    for (uint32_t i = 0; i < tx->n_cases; i++) {
        struct sc_case *c = &docs[i].c;
        c->at = sc_tx_key(ld->doc->cases_at, c->name);
        sc_tx_check_name(ld, "a case", c->name, c->at);
        if (docs[i].opens.v != NULL && docs[i].opens.n == 0)
            SC_TX_ERROR(ld, "bad-case", c->at->mark, "nothing opens this case");
        c->opens = load_case_events(ld, &docs[i], &docs[i].opens, &c->n_opens);
        c->closes = load_case_events(ld, &docs[i], &docs[i].closes, &c->n_closes);
        tx->cases[i] = *c;
        names[i] = (struct sc_tx_hashed){sc_hash_name(c->name), c->name, c->at};
    }
    sc_tx_check_hashes(ld, "cases", names, tx->n_cases);
}

/* Everything wanted is the most a journey can ask for. */
static void check_projections(struct sc_tx_load *ld)
{
    struct sc_taxonomy *tx = ld->tx;
    if (!sc_tx_project_source(tx, &tx->canonical, NULL, ld->ar))
        SC_TX_ERROR(ld, "too-many", ld->doc->events_at->mark,
                    "the events have more than %d distinct property names", SC_WANTS_MAX);
    for (uint32_t i = 0; i < tx->n_sources; i++)
        if (!sc_tx_project_source(tx, &tx->sources[i], NULL, ld->ar))
            SC_TX_ERROR(ld, "too-many", tx->sources[i].at->mark,
                        "a source is read at no more than %d distinct paths", SC_WANTS_MAX);
}

bool sc_taxonomy_load(struct sc_taxonomy *tx, const struct sc_node *doc, struct sc_arena *ar,
                      struct sc_diag *dg)
{
    SC_ASSERT(tx != NULL && doc != NULL);
    uint32_t errors = dg->errors;
    struct sc_tx_doc *bound = SC_NEW(ar, struct sc_tx_doc);
    *tx = (struct sc_taxonomy){.file = doc->mark.file};
    sc_bind(&sc_taxonomy_table, doc, bound, ar, dg);
    struct sc_tx_load ld = {tx, bound, ar, dg};
    tx->name = bound->name;
    tx->version = bound->version;
    if (sc_tx_is_text(bound->version_at) && !sc_tx_semver_ok(bound->version))
        SC_TX_ERROR(&ld, "bad-version", bound->version_at->mark,
                    "a version has three numbers: 1.0.0");
    load_namespaces(&ld);
    sc_tx_load_events(&ld);
    load_cases(&ld);
    sc_tx_load_sources(&ld);
    if (dg->errors == errors && !doc->unsound)
        check_projections(&ld);
    return dg->errors == errors && !doc->unsound;
}
