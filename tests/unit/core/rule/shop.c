#include "shop.h"

#include <criterion/criterion.h>

static const char taxonomy[] =
    "taxonomy: shop\n"
    "version: 1.0.0\n"
    "namespaces: { account_id: { priority: 1, unique: true } }\n"
    "events:\n"
    "  product_viewed:\n"
    "    properties:\n"
    "      product_id: { type: string, required: true }\n"
    "      price: { type: decimal }\n"
    "    aliases: [ { name: view_item, until: 2.0.0 } ]\n"
    "  cart_updated:\n"
    "    properties:\n"
    "      cart_id: { type: string, required: true }\n"
    "      value: { type: decimal, required: true }\n"
    "      items: { type: list(string), required: true }\n"
    "      weight: { type: double }\n"
    "  order_completed:\n"
    "    role: purchase\n"
    "    value: total\n"
    "    properties:\n"
    "      cart_id: { type: string }\n"
    "      total: { type: decimal, required: true }\n"
    "      discount: { type: decimal }\n"
    "      lines: { type: int, required: true }\n"
    "      channel: { type: 'enum [web, app, shop]', required: true }\n"
    "      shipped_at: { type: timestamp }\n"
    "  review_posted:\n"
    "    properties:\n"
    "      rating: { type: int, required: true }\n"
    "      value: { type: string }\n"
    "      extra: { type: map(string) }\n"
    "  case_opened: { properties: { case_id: { type: string, required: true } } }\n"
    "  case_closed: { properties: { case_id: { type: string, required: true } } }\n"
    "cases:\n"
    "  support_case: { opens: [case_opened], closes: [case_closed], key: case_id }\n";

/* ---- The host */

static struct shop *shop_of(const struct sc_rule_ctx *cx)
{
    return cx->arg;
}

static struct sc_value host_fact(const struct sc_rule_ctx *cx, uint32_t fact)
{
    cr_assert_lt(fact, 64u);
    return shop_of(cx)->facts[fact];
}

static struct sc_value host_open(const struct sc_rule_ctx *cx, uint32_t index)
{
    (void)cx;
    return sc_bool(index == 0);
}

static struct sc_value host_recent(const struct sc_rule_ctx *cx, int32_t event, uint32_t n)
{
    (void)event;
    cr_assert_geq(n, 1u);
    return shop_of(cx)->recent;
}

static struct sc_value host_attr(const struct sc_rule_ctx *cx, enum sc_attr attr)
{
    (void)cx;
    return attr == SC_ATTR_TIMEZONE ? shop_text("Europe/Oslo")
           : attr == SC_ATTR_STAGE  ? shop_text("purchase")
           : attr == (enum sc_attr)(SC_ATTR_TRACK + 1) ? shop_text("calm")
                                                       : shop_text("");
}

static const struct sc_rule_host host = {
    .fact = host_fact, .open = host_open, .recent = host_recent, .attr = host_attr,
};

/* ---- The shop */

static void assert_no_findings(struct shop *sh)
{
    struct sc_buf out = {0};
    sc_diag_render(&sh->dg, SC_DIAG_TEXT, false, &out);
    cr_assert_eq(sh->dg.errors, 0u, "%.*s", SC_STR_FMT(sc_buf_view(&out)));
    sc_buf_fini(&out);
}

void shop_open(struct shop *sh)
{
    static const struct sc_str stages[] = {{"awareness", 9}, {"purchase", 8}, {"loyalty", 7}};
    static const struct sc_str support[] = {{"calm", 4}, {"troubled", 8}};
    static const struct sc_scope_track tracks[] = {{{0}, stages, 3}, {{"support", 7}, support, 2}};
    memset(sh, 0, sizeof(*sh));
    sc_arena_init(&sh->ar);
    sc_diag_init(&sh->dg, &sh->ar);
    struct sc_node *doc = sc_node_parse(SC_STR("taxonomy.yaml"), sc_str_from(taxonomy), NULL, NULL,
                                        &sh->ar, &sh->dg);
    bool ok = doc && sc_taxonomy_load(&sh->tx, doc, &sh->ar, &sh->dg);
    assert_no_findings(sh);
    cr_assert(ok);
    sc_scope_init(&sh->sp, &sh->tx, &sh->ar, &sh->dg);
    sh->sp.tracks = tracks;
    sh->sp.n_tracks = 2;
    sh->cx = (struct sc_rule_ctx){.tx = &sh->tx, .host = &host, .arg = sh, .ar = &sh->ar};
    for (uint32_t i = 0; i < 64; i++)
        sh->facts[i] = sc_absent();
    sh->recent = sc_absent();
}

void shop_close(struct shop *sh)
{
    sc_scope_fini(&sh->sp);
    sc_taxonomy_fini(&sh->tx);
    sc_arena_fini(&sh->ar);
}

const struct sc_prog *shop_compile(struct shop *sh, const char *text, struct sc_rule_opts opts)
{
    sc_diag_init(&sh->dg, &sh->ar);
    sh->file = SC_NEW(&sh->ar, struct sc_source_text);
    sc_source_init(sh->file, SC_STR("j.yaml"), sc_str_from(text), &sh->ar);
    struct sc_mark mark = {.file = sh->file, .line = 1, .column = 1};
    return sc_rule_compile(&sh->sp, sc_str_from(text), mark, opts);
}

const struct sc_prog *shop_rule(struct shop *sh, const char *text)
{
    const struct sc_prog *p = shop_compile(
        sh, text, (struct sc_rule_opts){.use = SC_USE_RULE, .only_event = -1});
    assert_no_findings(sh);
    return p;
}

const struct sc_prog *shop_value(struct shop *sh, const char *text)
{
    const struct sc_prog *p = shop_compile(
        sh, text, (struct sc_rule_opts){.use = SC_USE_VALUE, .only_event = -1});
    assert_no_findings(sh);
    return p;
}

void shop_event(struct shop *sh, const char *name)
{
    int type = sc_taxonomy_event(&sh->tx, sc_str_from(name));
    cr_assert_geq(type, 0, "no event %s", name);
    memset(sh->props, 0, sizeof(sh->props));
    sh->ev = (struct sc_event){.type = (uint16_t)type, .id = SC_STR("e-1"),
                               .source_name = SC_STR("web"), .occurred_ms = 1772445600000,
                               .props = sh->props, .n_props = sh->tx.events[type].n_props};
    sh->cx.ev = &sh->ev;
}

void shop_set(struct shop *sh, const char *prop, struct sc_value v)
{
    int p = sc_event_type_prop(&sh->tx.events[sh->ev.type], sc_str_from(prop));
    cr_assert_geq(p, 0, "no property %s", prop);
    sh->props[p] = v;
}

const char *shop_json(struct shop *sh, struct sc_value v)
{
    if (v.type == SC_T_ERROR)
        return sc_arena_printf(&sh->ar, "error: %s", sc_value_err_text((enum sc_value_err)v.i));
    struct sc_buf b = {0};
    struct sc_jsonw w;
    sc_jsonw_init(&w, &b);
    sc_value_json(v, &w);
    char *text = sc_arena_dup(&sh->ar, b.p, b.len);
    sc_buf_fini(&b);
    return text;
}

const char *shop_eval(struct shop *sh, const char *text)
{
    return shop_json(sh, sc_rule_eval(shop_value(sh, text), &sh->cx));
}

uint32_t shop_fact(struct shop *sh, const char *text)
{
    for (uint32_t i = 0; i < sh->sp.facts.n; i++)
        if (sc_str_eqz(sh->sp.facts.v[i].text, text))
            return i;
    cr_assert_fail("no fact %s among %u, the first is %.*s", text, sh->sp.facts.n,
                   SC_STR_FMT(sh->sp.facts.n ? sh->sp.facts.v[0].text : SC_STR("none")));
    return 0;
}

struct sc_value shop_text(const char *z)
{
    return sc_string(sc_str_from(z));
}
