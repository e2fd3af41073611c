/* stagecoach taxonomy docs: the dictionary for people. One walk for both forms: taxonomy_page.h
 * knows Markdown from HTML. */
#include "base/assert.h"
#include "cli/taxonomy_cmd.h"
#include "cli/taxonomy_page.h"

struct docs {
    const struct sc_taxonomy *tx;
    const struct sc_uses *us;
    struct sc_page page;
    struct sc_arena *ar;
};

const char *sc_role_name(enum sc_role role)
{
    switch (role) {
    case SC_ROLE_NONE:
        return "none";
    case SC_ROLE_PURCHASE:
        return "purchase";
    case SC_ROLE_CONSENT:
        return "consent";
    case SC_ROLE_PREFERENCE:
        return "preference";
    case SC_ROLE_SNOOZE:
        return "snooze";
    case SC_ROLE_FORGET:
        return "forget";
    case SC_ROLE_INBOUND:
        return "inbound";
    }
    SC_UNREACHABLE("role");
}

/* ---- the head */

static void write_namespaces(struct docs *dc)
{
    static const char *const head[] = {"identifier", "priority", "one a customer", "at most",
                                       "within"};
    sc_page_heading(&dc->page, 2, SC_STR("Identifiers"), SC_STR_NULL);
    sc_page_text(&dc->page, SC_STR("Strongest first: the strongest one known names the customer."));
    sc_page_table(&dc->page, head, 5);
    for (uint32_t i = 0; i < dc->tx->n_namespaces; i++) {
        const struct sc_namespace *ns = &dc->tx->namespaces[i];
        char within[64];
        size_t n = sc_duration_format(ns->within_ms, within);
        const struct sc_str cells[] = {
            ns->name, sc_str_printf(dc->ar, "%lld", (long long)ns->priority),
            ns->unique ? SC_STR("yes") : SC_STR_NULL,
            sc_str_printf(dc->ar, "%lld", (long long)ns->limit),
            ns->within_ms > 0 ? sc_str_printf(dc->ar, "%.*s", (int)n, within) : SC_STR("ever")};
        sc_page_row(&dc->page, cells, 5, false);
    }
    sc_page_table_end(&dc->page);
}

static void write_index(struct docs *dc)
{
    static const char *const head[] = {"event", "owner", "stage", "channel", "meaning"};
    sc_page_heading(&dc->page, 2, SC_STR("Events"), SC_STR_NULL);
    sc_page_table(&dc->page, head, 5);
    for (uint32_t e = 0; e < dc->tx->n_events; e++) {
        const struct sc_event_type *et = &dc->tx->events[e];
        const struct sc_str cells[] = {et->name, et->owner, et->stage, et->channel, et->describes};
        sc_page_row(&dc->page, cells, 5, true);
    }
    sc_page_table_end(&dc->page);
}

/* ---- an event */

/* "label: text", as a paragraph of its own; nothing when there is no text. */
static void fact_line(struct docs *dc, const char *label, struct sc_str text)
{
    if (text.len > 0)
        sc_page_text(&dc->page, sc_str_printf(dc->ar, "%s: %.*s", label, SC_STR_FMT(text)));
}

/* "Owner: finance. Stage: purchase." */
static void write_tags(struct docs *dc, const struct sc_event_type *et)
{
    const struct {
        const char *label;
        struct sc_str text;
    } tags[] = {{"Owner", et->owner}, {"Stage", et->stage}, {"Channel", et->channel}};
    struct sc_buf out = {.ar = dc->ar};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (tags[i].text.len > 0)
            sc_buf_addf(&out, "%s%s: %.*s.", out.len ? " " : "", tags[i].label,
                        SC_STR_FMT(tags[i].text));
    if (out.len > 0)
        sc_page_text(&dc->page, sc_buf_view(&out));
}

static struct sc_str role_text(struct docs *dc, const struct sc_event_type *et)
{
    if (et->role == SC_ROLE_NONE && et->value < 0)
        return SC_STR_NULL;
    const char *role = et->role == SC_ROLE_NONE ? "" : sc_role_name((enum sc_role)et->role);
    if (et->value < 0)
        return sc_str_from(role);
    return sc_str_printf(dc->ar, "%s%sits money is %.*s", role, role[0] ? ", " : "",
                         SC_STR_FMT(et->props[et->value].name));
}

static bool among(const uint16_t *events, uint32_t n, uint32_t event)
{
    for (uint32_t i = 0; i < n; i++)
        if (events[i] == event)
            return true;
    return false;
}

static struct sc_str cases_text(struct docs *dc, uint32_t event)
{
    struct sc_buf out = {.ar = dc->ar};
    for (uint32_t i = 0; i < dc->tx->n_cases; i++) {
        const struct sc_case *cs = &dc->tx->cases[i];
        if (among(cs->opens, cs->n_opens, event))
            sc_buf_addf(&out, "%sopens %.*s", out.len ? ", " : "", SC_STR_FMT(cs->name));
        if (among(cs->closes, cs->n_closes, event))
            sc_buf_addf(&out, "%scloses %.*s", out.len ? ", " : "", SC_STR_FMT(cs->name));
    }
    return sc_buf_view(&out);
}

static struct sc_str aliases_text(struct docs *dc, const struct sc_event_type *et)
{
    struct sc_buf out = {.ar = dc->ar};
    for (uint32_t i = 0; i < et->n_aliases; i++) {
        const struct sc_alias *al = &et->aliases[i];
        sc_buf_addf(&out, "%s%.*s", i ? ", " : "", SC_STR_FMT(al->name));
        if (al->until.len > 0)
            sc_buf_addf(&out, " (until %.*s)", SC_STR_FMT(al->until));
    }
    return sc_buf_view(&out);
}

/* ---- its properties */

static struct sc_str value_text(struct docs *dc, struct sc_value v)
{
    struct sc_buf out = {.ar = dc->ar};
    struct sc_jsonw js;
    sc_jsonw_init(&js, &out);
    sc_value_json(v, &js);
    return sc_buf_view(&out);
}

static struct sc_str allowed_text(struct docs *dc, const struct sc_property *p)
{
    struct sc_buf out = {.ar = dc->ar};
    for (uint32_t i = 0; i < p->enums.n; i++)
        sc_buf_addf(&out, "%s%.*s", i ? ", " : "", SC_STR_FMT(p->enums.v[i]));
    struct sc_str min = value_text(dc, p->min), max = value_text(dc, p->max);
    if (p->has_min && p->has_max)
        sc_buf_addf(&out, "%.*s to %.*s", SC_STR_FMT(min), SC_STR_FMT(max));
    else if (p->has_min)
        sc_buf_addf(&out, "at least %.*s", SC_STR_FMT(min));
    else if (p->has_max)
        sc_buf_addf(&out, "at most %.*s", SC_STR_FMT(max));
    return sc_buf_view(&out);
}

static struct sc_str readers_text(struct docs *dc, uint32_t event, uint32_t prop)
{
    struct sc_str rules = dc->us ? sc_uses_text(dc->us, event, (int)prop) : SC_STR_NULL;
    if (!dc->tx->events[event].props[prop].engine_reads)
        return rules;
    return sc_str_printf(dc->ar, "the engine%s%.*s", rules.len ? ", " : "", SC_STR_FMT(rules));
}

static void write_properties(struct docs *dc, uint32_t event)
{
    static const char *const head[] = {"property", "type",  "required", "allowed",
                                       "personal", "owner", "meaning",  "read by"};
    const struct sc_event_type *et = &dc->tx->events[event];
    if (et->n_props == 0)
        return;
    sc_page_table(&dc->page, head, 8);
    for (uint32_t i = 0; i < et->n_props; i++) {
        const struct sc_property *p = &et->props[i];
        char type[32];
        const struct sc_str cells[] = {
            p->name,
            sc_str_printf(dc->ar, "%s%s%.*s", sc_property_type_text(p, type),
                          p->unit.len ? " " : "", SC_STR_FMT(p->unit)),
            p->required ? SC_STR("yes") : SC_STR_NULL,
            allowed_text(dc, p),
            p->pii ? SC_STR("yes") : SC_STR_NULL,
            p->owner,
            p->describes,
            readers_text(dc, event, i)};
        sc_page_row(&dc->page, cells, 8, false);
    }
    sc_page_table_end(&dc->page);
}

/* ---- its examples */

/* As YAML would have it in one line. Recursion: the depth of a document, 64 at most. */
static void node_text(const struct sc_node *n, struct sc_buf *out)
{
    switch (n->kind) {
    case SC_NODE_NULL:
        sc_buf_addz(out, "null");
        return;
    case SC_NODE_SCALAR:
        if (n->quoted) {
            struct sc_jsonw js;
            sc_jsonw_init(&js, out);
            sc_jsonw_str(&js, n->text);
        } else {
            sc_buf_str(out, n->text);
        }
        return;
    case SC_NODE_SEQ:
        for (uint32_t i = 0; i < n->n; i++) {
            sc_buf_addz(out, i ? ", " : "[");
            node_text(n->items[i], out);
        }
        sc_buf_addz(out, n->n ? "]" : "[]");
        return;
    case SC_NODE_MAP:
        for (uint32_t i = 0; i < n->n; i++) {
            sc_buf_addf(out, "%s%.*s: ", i ? ", " : "{ ", SC_STR_FMT(n->pairs[i].key->text));
            node_text(n->pairs[i].value, out);
        }
        sc_buf_addz(out, n->n ? " }" : "{}");
        return;
    }
    SC_UNREACHABLE("node kind");
}

static void write_examples(struct docs *dc, const char *label, const struct sc_node *list)
{
    if (list == NULL || list->n == 0)
        return;
    struct sc_buf out = {.ar = dc->ar};
    for (uint32_t i = 0; i < list->n; i++) {
        node_text(list->items[i], &out);
        sc_buf_char(&out, '\n');
    }
    sc_page_text(&dc->page, sc_str_from(label));
    sc_page_code(&dc->page, sc_buf_view(&out));
}

static void write_event(struct docs *dc, uint32_t event)
{
    const struct sc_event_type *et = &dc->tx->events[event];
    sc_page_heading(&dc->page, 3, et->name, et->name);
    if (et->describes.len > 0)
        sc_page_text(&dc->page, et->describes);
    write_tags(dc, et);
    fact_line(dc, "Role", role_text(dc, et));
    fact_line(dc, "Case", cases_text(dc, event));
    fact_line(dc, "Deprecated names", aliases_text(dc, et));
    if (dc->us) {
        struct sc_str users = sc_uses_text(dc->us, event, -1);
        fact_line(dc, "Read by", users.len ? users : SC_STR("no rule"));
    }
    write_properties(dc, event);
    write_examples(dc, "Valid:", et->examples);
    write_examples(dc, "Not valid:", et->anti_examples);
}

void sc_taxonomy_docs(const struct sc_taxonomy *tx, const struct sc_uses *us, bool html,
                      struct sc_arena *ar, struct sc_buf *out)
{
    struct docs dc = {.tx = tx, .us = us, .page = {.out = out, .html = html}, .ar = ar};
    sc_page_begin(&dc.page, sc_str_printf(ar, "%.*s %.*s: what happens", SC_STR_FMT(tx->name),
                                          SC_STR_FMT(tx->version)));
    write_namespaces(&dc);
    write_index(&dc);
    for (uint32_t e = 0; e < tx->n_events; e++)
        write_event(&dc, e);
    sc_page_end(&dc.page);
}
