/* What a good taxonomy compiles to. */
#include "base/hash.h"
#include "core/taxonomy/load.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const char retail[] =
    "taxonomy: retail\n"
    "version: 3.1.0\n"
    "namespaces:\n"
    "  device_id:  { priority: 9, limit: 20, within: 90d }\n"
    "  cookie: {}\n"
    "  phone:      { priority: 3, normalize: e164, limit: 3 }\n"
    "  email:      { priority: 2, normalize: email }\n"
    "  account_id: { priority: 5, unique: true }\n"
    "  crm_id:     { priority: 5, unique: true }\n"
    "events:\n"
    "  product_viewed:\n"
    "    properties:\n"
    "      product_id: { type: string, required: true }\n"
    "      price: { type: decimal, unit: EUR, min: 0 }\n"
    "      shelf: { type: enum, values: [top, low] }\n"
    "      tags: { type: list(string) }\n"
    "    aliases: [ { name: view_item, until: 4.0.0 } ]\n"
    "  order_completed:\n"
    "    role: purchase\n"
    "    value: total\n"
    "    properties:\n"
    "      total: { type: decimal, scale: 2, required: true }\n"
    "      items: { type: int }\n"
    "      discount: { type: decimal }\n"
    "      gift: { type: bool }\n"
    "      note: { type: string }\n"
    "  case_opened: { properties: { case_id: { type: string } } }\n"
    "  case_closed: { properties: { case_id: { type: string } } }\n"
    "  consent_given:\n"
    "    role: consent\n"
    "    roles: { purpose: $topic }\n"
    "    properties: { topic: { type: string }, granted: { type: bool } }\n"
    "cases:\n"
    "  support_case: { opens: [case_opened], closes: [case_closed], key: case_id }\n"
    "sources:\n"
    "  clickstream:\n"
    "    topic: shop.clickstream\n"
    "    format: avro\n"
    "    event: $.event_name\n"
    "    occurred_at: $.client_ts\n"
    "    id: $.event_id\n"
    "    identifiers: { device_id: $.device.id, account_id: $.user.account }\n"
    "    events: { item_seen: product_viewed }\n"
    "    properties: { product_viewed: { product_id: $.item.sku, price: $.item.price } }\n"
    "  pos:\n"
    "    topic: shop.pos\n"
    "    format: protobuf\n"
    "    message: shop.Receipt\n"
    "    schema: receipt.proto\n"
    "    event: order_completed\n"
    "    occurred_at: { path: $.at, unit: s }\n"
    "    id: $.receipt_no\n"
    "    identifiers: { account_id: $.card }\n"
    "    disorder: 1m\n"
    "    start: 2026-01-01T00:00:00Z\n"
    "    zone: Europe/Oslo\n"
    "    properties:\n"
    "      order_completed:\n"
    "        total: { path: $.total_cents, scale: -2 }\n"
    "        items: count($.lines)\n"
    "        discount: sum($.lines[*].discount)\n"
    "        gift: any( $.lines[*][\"is gift\"] )\n"
    "        note: \"till\"\n"
    "  plain: { topic: shop.events, format: json, unknown: ignore, start: latest }\n";

static struct fixture fx;
static void setup(void)
{
    fixture_init(&fx, retail);
}
static void teardown(void)
{
    fixture_fini(&fx);
}
TestSuite(taxonomy_load, .init = setup, .fini = teardown);

Test(taxonomy_load, ranks_unique_first_then_priority_then_name)
{
    const char *order[] = {"account_id", "crm_id", "email", "phone", "device_id", "cookie"};
    cr_assert_eq(fx.tx.n_namespaces, 6);
    for (uint32_t i = 0; i < 6; i++) {
        cr_expect(sc_str_eqz(fx.tx.namespaces[i].name, order[i]), "%u is %.*s", i,
                  SC_STR_FMT(fx.tx.namespaces[i].name));
        cr_expect_eq(fx.tx.namespaces[i].rank, i + 1);
    }
}

Test(taxonomy_load, limits_by_default_and_as_written)
{
    static const struct {
        const char *name;
        int64_t limit, within_ms;
    } wanted[] = {{"account_id", 1, 0},
                  {"email", 5, 0},
                  {"phone", 3, 0},
                  {"cookie", 5, 30 * SC_DAY_MS},
                  {"device_id", 20, 90 * SC_DAY_MS}};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        int ns = sc_taxonomy_namespace(&fx.tx, sc_str_from(wanted[i].name));
        cr_assert_geq(ns, 0);
        cr_expect_eq(fx.tx.namespaces[ns].limit, wanted[i].limit, "%s", wanted[i].name);
        cr_expect_eq(fx.tx.namespaces[ns].within_ms, wanted[i].within_ms, "%s", wanted[i].name);
    }
}

Test(taxonomy_load, events_by_name_and_alias)
{
    int viewed = sc_taxonomy_event(&fx.tx, SC_STR("product_viewed"));
    cr_assert_geq(viewed, 0);
    cr_expect_eq(sc_taxonomy_event(&fx.tx, SC_STR("view_item")), viewed);
    cr_expect_eq(sc_taxonomy_event(&fx.tx, SC_STR("item_seen")), -1);
    const struct sc_event_type *et = &fx.tx.events[viewed];
    cr_expect_eq(et->hash, sc_hash_name(SC_STR("product_viewed")));
    cr_expect_eq(et->props[0].required, true);
    cr_expect_eq(et->props[1].type, SC_T_DECIMAL);
    cr_expect_eq(et->props[1].scale, 4);
    cr_expect(et->props[1].has_min && !et->props[1].has_max);
    cr_expect_eq(et->props[2].type, SC_T_STRING);
    cr_expect_eq(et->props[2].enums.n, 2);
    cr_expect_eq(et->props[3].type, SC_T_LIST);
    cr_expect_eq(et->props[3].element, SC_T_STRING);
}

Test(taxonomy_load, roles_values_and_cases)
{
    const struct sc_event_type *order =
        &fx.tx.events[sc_taxonomy_event(&fx.tx, SC_STR("order_completed"))];
    cr_expect_eq(order->role, SC_ROLE_PURCHASE);
    cr_expect_eq(order->value, 0);
    const struct sc_event_type *consent =
        &fx.tx.events[sc_taxonomy_event(&fx.tx, SC_STR("consent_given"))];
    cr_expect_eq(consent->role_field[SC_RF_PURPOSE], 0);
    cr_expect_eq(consent->role_field[SC_RF_GRANTED], 1);
    cr_expect_eq(consent->role_field[SC_RF_AT], -1);
    int c = sc_taxonomy_case(&fx.tx, SC_STR("support_case"));
    cr_assert_geq(c, 0);
    cr_expect_eq(fx.tx.cases[c].n_opens, 1);
    cr_expect_eq(fx.tx.cases[c].closes[0], sc_taxonomy_event(&fx.tx, SC_STR("case_closed")));
}

Test(taxonomy_load, a_role_alone_declares_its_properties)
{
    static const struct {
        const char *event, *props;
        bool required;
    } rows[] = {{"{ role: preference }", "channel timezone frequency language", false},
                {"{ role: consent }", "purpose granted", true},
                {"{ role: snooze }", "until", true},
                {"{ role: inbound }", "channel", false},
                {"{ role: inbound, channel: sms }", "", false},
                {"{ role: forget }", "", false},
                {"{ role: purchase }", "", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture one;
        struct sc_str yaml = sc_str_printf(&fx.ar,
                                           "taxonomy: t\nversion: 1.0.0\nnamespaces: { a: {} }\n"
                                           "events: { e: %s }\n",
                                           rows[i].event);
        struct sc_str names = SC_STR_NULL;
        fixture_init(&one, yaml.p);
        const struct sc_event_type *et = &one.tx.events[0];
        for (uint32_t p = 0; p < et->n_props; p++) {
            names = sc_str_printf(&fx.ar, "%.*s%s%.*s", SC_STR_FMT(names), p ? " " : "",
                                  SC_STR_FMT(et->props[p].name));
            cr_expect_eq(et->props[p].required, rows[i].required, "%s", rows[i].event);
            cr_expect(et->props[p].engine_reads, "%s", rows[i].event);
        }
        cr_expect(sc_str_eqz(names, rows[i].props), "%s: %.*s", rows[i].event, SC_STR_FMT(names));
        fixture_fini(&one);
    }
}

Test(taxonomy_load, sources)
{
    const struct sc_source *pos = &fx.tx.sources[sc_taxonomy_source(&fx.tx, SC_STR("pos"))];
    cr_expect_eq(pos->format, SC_FORMAT_PROTOBUF);
    cr_expect_eq(pos->framed, false);
    cr_expect_eq(pos->disorder_ms, SC_MINUTE_MS);
    cr_expect_eq(pos->idle_after_ms, SC_MINUTE_MS);
    cr_expect_eq(pos->start, SC_START_TIME);
    cr_expect_eq(pos->start_ms, INT64_C(1767225600000));
    cr_expect_eq(pos->occurred_at.unit, SC_UNIT_S);
    cr_expect(sc_str_eqz(sc_tz_name(pos->zone), "Europe/Oslo"));
    const struct sc_source *plain = &fx.tx.sources[sc_taxonomy_source(&fx.tx, SC_STR("plain"))];
    cr_expect(plain->canonical && plain->framed);
    cr_expect_eq(plain->unknown, SC_UNKNOWN_IGNORE);
    cr_expect_eq(plain->start, SC_START_LATEST);
    cr_expect_eq(plain->disorder_ms, 10 * SC_SECOND_MS);
    cr_expect_eq(plain->n_idents, 6);
    cr_expect(fixture_wants(plain, "$.identifiers.email"));
    cr_expect(fixture_wants(plain, "$.properties.product_id"));
    cr_expect_not(fixture_wants(plain, "$.source"), "a source of its own has its own name");
    cr_expect(fixture_wants(&fx.tx.canonical, "$.source"));
}

Test(taxonomy_load, paths_step_by_step)
{
    const struct sc_source *pos = &fx.tx.sources[sc_taxonomy_source(&fx.tx, SC_STR("pos"))];
    int order = sc_taxonomy_event(&fx.tx, SC_STR("order_completed"));
    const struct sc_source_prop *props = pos->events[order].props;
    cr_assert_eq(pos->events[order].n, 5);
    cr_expect_eq(props[0].map.scale, -2);
    cr_expect_eq(props[1].map.op, SC_MAP_COUNT);
    cr_expect_eq(props[1].map.path.n, 2, "count($.lines) counts $.lines[*]");
    cr_expect_eq(props[1].map.path.steps[1].kind, SC_STEP_ALL);
    cr_expect_eq(props[2].map.op, SC_MAP_SUM);
    cr_expect_eq(props[2].map.path.n, 3);
    cr_expect(sc_str_eqz(props[2].map.path.steps[2].name, "discount"));
    cr_expect_eq(props[3].map.op, SC_MAP_ANY);
    cr_expect(sc_str_eqz(props[3].map.path.steps[2].name, "is gift"));
    cr_expect_eq(props[4].map.op, SC_MAP_CONST);
    cr_expect_eq(pos->events[sc_taxonomy_event(&fx.tx, SC_STR("case_opened"))].n, 0,
                 "a constant event is the only one");
}

Test(taxonomy_load, a_property_without_mapping_is_read_by_its_name)
{
    const struct sc_source *click =
        &fx.tx.sources[sc_taxonomy_source(&fx.tx, SC_STR("clickstream"))];
    cr_expect(fixture_wants(click, "$.item.sku"));
    cr_expect_not(fixture_wants(click, "$.product_id"));
    cr_expect(fixture_wants(click, "$.shelf"));
    cr_expect(fixture_wants(click, "$.case_id"));
}

Test(taxonomy_load, equal_paths_share_a_slot)
{
    const struct sc_source *click =
        &fx.tx.sources[sc_taxonomy_source(&fx.tx, SC_STR("clickstream"))];
    unsigned seen = 0;
    for (uint32_t i = 0; i < click->projection.n; i++)
        seen += sc_str_eqz(click->projection.wants[i].path.text, "$.case_id");
    cr_expect_eq(seen, 1, "two events read case_id");
}

/* A codec need not keep the values of a want that only counts. */
Test(taxonomy_load, a_count_that_shares_its_path_wants_the_values)
{
    static const char *const orders[] = {"{ n: count($.l), first: 'first($.l[*])' }",
                                         "{ first: 'first($.l[*])', n: count($.l) }",
                                         "{ n: count($.l) }"};
    for (int i = 0; i < 3; i++) {
        struct fixture one;
        struct sc_str yaml = sc_str_printf(
            &fx.ar,
            "taxonomy: t\nversion: 1.0.0\nnamespaces: { a: {} }\n"
            "events: { e: { properties: { n: { type: int }, first: { type: string } } } }\n"
            "sources: { s: { topic: s, format: json, event: e, id: $.id, occurred_at: $.at,\n"
            "  identifiers: { a: $.a }, properties: { e: %s } } }\n",
            orders[i]);
        fixture_init(&one, yaml.p);
        enum sc_map_op op = SC_MAP_PATH;
        unsigned found = 0;
        for (uint32_t w = 0; w < one.tx.sources[0].projection.n; w++) {
            const struct sc_want *want = &one.tx.sources[0].projection.wants[w];
            if (!sc_str_starts(want->path.text, SC_STR("$.l")))
                continue;
            op = want->op;
            found++;
        }
        cr_expect_eq(found, 1, "one slot");
        cr_expect_eq(op, i < 2 ? SC_MAP_FIRST : SC_MAP_COUNT, "%s", orders[i]);
        fixture_fini(&one);
    }
}

Test(taxonomy_load, what_nobody_reads_is_not_decoded)
{
    uint64_t bits[SC_EVENTS_MAX][SC_PROPERTIES_MAX / 64] = {{0}};
    struct sc_wanted wanted = {bits};
    struct sc_source *click = &fx.tx.sources[sc_taxonomy_source(&fx.tx, SC_STR("clickstream"))];
    int viewed = sc_taxonomy_event(&fx.tx, SC_STR("product_viewed"));
    sc_taxonomy_project(&fx.tx, &wanted, &fx.ar);
    cr_expect(fixture_wants(click, "$.item.sku"), "required: checked, so read");
    cr_expect(fixture_wants(click, "$.item.price"), "bounds");
    cr_expect(fixture_wants(click, "$.shelf"), "enum");
    cr_expect(fixture_wants(click, "$.case_id"), "key of a case");
    cr_expect(fixture_wants(click, "$.topic"), "read by the role");
    cr_expect_not(fixture_wants(click, "$.tags"));
    cr_expect_eq(click->events[viewed].props[3].map.slot, SC_SLOT_NONE);
    bits[viewed][0] = 1u << 3;
    sc_taxonomy_project(&fx.tx, &wanted, &fx.ar);
    cr_expect(fixture_wants(click, "$.tags"));
    cr_expect_neq(click->events[viewed].props[3].map.slot, SC_SLOT_NONE);
}

/* Two names with one hash are found here by birthday, so the test holds for any hash. */
static void colliding(char a[16], char b[16])
{
    enum { N = 1 << 20 };
    uint32_t *seen = sc_calloc(N, sizeof(*seen)); /* hash -> number + 1, by its low bits */
    for (uint32_t i = 0;; i++) {
        snprintf(a, 16, "n%u", i);
        uint32_t hash = sc_hash_name(sc_str_from(a));
        uint32_t other = seen[hash % N];
        snprintf(b, 16, "n%u", other - 1);
        if (other != 0 && sc_hash_name(sc_str_from(b)) == hash)
            break;
        seen[hash % N] = i + 1;
    }
    free(seen);
}

Test(taxonomy_load, hash_collisions_are_refused)
{
    char a[16], b[16];
    colliding(a, b);
    const struct sc_str events[] = {
        sc_str_printf(&fx.ar, "{ %s: {}, %s: {} }", a, b),
        sc_str_printf(&fx.ar, "{ e: { properties: { %s: { type: int }, %s: { type: int } } } }", a,
                      b)};
    for (size_t i = 0; i < 2; i++) {
        struct sc_str yaml = sc_str_printf(
            &fx.ar, "taxonomy: t\nversion: 1.0.0\nnamespaces: { a: {} }\nevents: %.*s\n",
            SC_STR_FMT(events[i]));
        struct sc_diag dg;
        struct sc_taxonomy tx;
        sc_diag_init(&dg, &fx.ar);
        struct sc_node *doc = sc_node_parse(SC_STR("t"), yaml, NULL, NULL, &fx.ar, &dg);
        cr_expect_not(sc_taxonomy_load(&tx, doc, &fx.ar, &dg), "%s", events[i].p);
        cr_assert_eq(dg.items.n, 1);
        cr_expect_str_eq(dg.items.v[0].code, "hash-collision");
    }
}

/* As many as are allowed, and one more. */
Test(taxonomy_load, bounds)
{
    static const struct {
        const char *begin, *key, *value;
        int most;
    } cases[] = {
        {"events:\n", "  e", ": {}\n", SC_EVENTS_MAX},
        {"events:\n  e:\n    properties:\n", "      p", ": { type: int }\n", SC_PROPERTIES_MAX},
        {"events: { e: { properties: { k: { type: string } } } }\ncases:\n", "  c",
         ": { opens: [e], closes: [e], key: k }\n", SC_CASE_KINDS_MAX},
        {"events: { e: {} }\nsources:\n", "  s", NULL, SC_SOURCES_MAX},
    };
    static const char *const said[] = {
        "a taxonomy has at most 4096 events: this one", "an event has at most 256 properties: this one",
        "a taxonomy has at most 1024 cases: this one", "a taxonomy has at most 256 sources: this one"};
    for (size_t c = 0; c < 3 * sizeof(cases) / sizeof(cases[0]); c++) {
        int over = (int)(c % 3);
        uint32_t line = 4; /* of the first past the limit */
        struct sc_buf yaml = {.ar = &fx.ar}, expected = {.ar = &fx.ar};
        struct sc_diag dg;
        struct sc_taxonomy tx;
        sc_buf_addf(&yaml, "taxonomy: t\nversion: 1.0.0\nnamespaces: { a: {} }\n%s",
                    cases[c / 3].begin);
        for (const char *at = cases[c / 3].begin; *at; at++)
            line += *at == '\n';
        for (int i = 0; i < cases[c / 3].most + over; i++)
            if (cases[c / 3].value)
                sc_buf_addf(&yaml, "%s%d%s", cases[c / 3].key, i, cases[c / 3].value);
            else
                sc_buf_addf(&yaml, "%s%d: { topic: t%d, format: json }\n", cases[c / 3].key, i, i);
        sc_diag_init(&dg, &fx.ar);
        struct sc_node *doc =
            sc_node_parse(SC_STR("t"), sc_buf_view(&yaml), NULL, NULL, &fx.ar, &dg);
        cr_assert_eq(sc_taxonomy_load(&tx, doc, &fx.ar, &dg), !over, "%zu", c);
        cr_assert_eq(dg.errors, over > 0, "%zu", c);
        sc_buf_addf(&expected, "%s%s", said[c / 3],
                    over == 1 ? " is too many" : " and 1 more are too many");
        if (over) {
            cr_expect_str_eq(dg.items.v[0].code, "too-many");
            cr_expect(sc_str_eq(dg.items.v[0].text, sc_buf_view(&expected)), "%.*s",
                      SC_STR_FMT(dg.items.v[0].text));
            cr_expect_eq(dg.items.v[0].mark.line, line + (uint32_t)cases[c / 3].most);
        }
        sc_taxonomy_fini(&tx);
    }
}

Test(taxonomy_load, versions)
{
    static const char *const good[] = {"0.0.0", "1.2.3", "10.20.30-rc.1", "1.0.0+build-7"};
    static const char *const bad[] = {"",       "1",      "1.2",    "1.2.3.4", "v1.2.3", "01.2.3",
                                      "1.-2.3", "1.2.3-", "1.2.3 ", "a.b.c",   "1.2.3-ä"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_expect(sc_tx_semver_ok(sc_str_from(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_expect_not(sc_tx_semver_ok(sc_str_from(bad[i])), "%s", bad[i]);
    cr_expect_lt(sc_tx_semver_cmp(SC_STR("1.9.0"), SC_STR("1.10.0")), 0);
    cr_expect_gt(sc_tx_semver_cmp(SC_STR("2.0.0"), SC_STR("1.99.99")), 0);
    cr_expect_eq(sc_tx_semver_cmp(SC_STR("2.0.0-a"), SC_STR("2.0.0")), 0);
}

/* The fragments that the tables carry as text must make one JSON document with the rest. */
Test(taxonomy_load, the_json_schema_is_json)
{
    struct sc_buf out = {0};
    struct sc_diag dg;
    sc_diag_init(&dg, &fx.ar);
    sc_bind_json_schema(&sc_taxonomy_table, "taxonomy.schema.json", &out);
    const struct sc_node *schema =
        sc_node_parse(SC_STR("schema"), sc_buf_view(&out), NULL, NULL, &fx.ar, &dg);
    cr_assert_not_null(schema);
    cr_expect_eq(dg.errors, 0);
    struct sc_str text = sc_buf_view(&out);
    for (const struct sc_field *f = sc_taxonomy_table.fields; f->key != NULL; f++) {
        struct sc_str key = sc_str_printf(&fx.ar, "\"%s\":{", f->key);
        cr_expect_not_null(memmem(text.p, text.len, key.p, key.len), "%s", f->key);
    }
    sc_buf_fini(&out);
}
