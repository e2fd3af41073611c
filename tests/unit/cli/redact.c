/* What of a source's record is shown. */
#include "cli/redact.h"

#include <criterion/criterion.h>

static struct sc_arena ar;
static struct sc_taxonomy tx;

static const char taxonomy[] =
    "taxonomy: t\nversion: 1.0.0\n"
    "namespaces: { email: {}, other: {} }\n"
    "events:\n"
    "  opened: { properties: { note: { type: string, pii: true }, topic: { type: string } } }\n"
    "  bought:\n"
    "    properties:\n"
    "      names: { type: list(string), pii: true }\n"
    "      who: { type: map(string), pii: true }\n"
    "      last: { type: string, pii: true }\n"
    "sources:\n"
    "  care:\n"
    "    topic: care\n"
    "    format: json\n"
    "    event: $.kind\n"
    "    id: $.id\n"
    "    occurred_at: $.at\n"
    "    identifiers: { email: $.mail, other: '$.others[*].mail' }\n"
    "    properties:\n"
    "      opened: { note: '$[\"the note\"]', topic: $.topic }\n"
    "      bought: { names: '$.lines[*].name', who: $.who, last: '$.tail[0]' }\n"
    "  plain: { topic: plain, format: json }\n";

static void setup(void)
{
    struct sc_diag dg;
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
    const struct sc_node *doc =
        sc_node_parse(SC_STR("t"), SC_STR(taxonomy), NULL, NULL, &ar, &dg);
    cr_assert(sc_taxonomy_load(&tx, doc, &ar, &dg), "%.*s", SC_STR_FMT(dg.items.v[0].text));
}

static void teardown(void)
{
    sc_taxonomy_fini(&tx);
    sc_arena_fini(&ar);
}

TestSuite(redact, .init = setup, .fini = teardown);

static void expect(const char *source, struct sc_str value, const char *shown)
{
    struct sc_buf out = {0};
    struct sc_jsonw w;
    sc_jsonw_init(&w, &out);
    int s = sc_taxonomy_source(&tx, sc_str_from(source));
    cr_assert_geq(s, 0);
    bool json = sc_redact_json(&tx.sources[s], &tx, value, &ar, &w);
    cr_expect_eq(json, shown != NULL, "%.*s", SC_STR_FMT(value));
    cr_expect(sc_str_eqz(sc_buf_view(&out), shown ? shown : ""), "%.*s: %.*s", SC_STR_FMT(value),
              (int)out.len, out.p);
    sc_buf_fini(&out);
}

Test(redact, places_of_a_mapped_source)
{
    expect("care",
           SC_STR("{\"kind\":\"opened\",\"mail\":\"a@b.no\",\"the note\":\"x\",\"topic\":\"y\"}"),
           "{\"kind\":\"opened\",\"mail\":\"<identifier>\","
           "\"the note\":\"<pii>\",\"topic\":\"y\"}");
    expect("care",
           SC_STR("{\"others\":[{\"mail\":\"a\",\"n\":1},{\"mail\":null}],\"m\\u0061il\":[\"b\"]}"),
           "{\"others\":[{\"mail\":\"<identifier>\",\"n\":1},"
           "{\"mail\":null}],\"mail\":\"<identifier>\"}");
    expect("care",
           SC_STR("{\"lines\":[{\"name\":\"n\",\"q\":2.5}],\"who\":{\"a\":\"b\"},\"tail\":[1,2]}"),
           "{\"lines\":[{\"name\":\"<pii>\",\"q\":2.5}],\"who\":\"<pii>\",\"tail\":[\"<pii>\",2]}");
    expect("care", SC_STR("{\"noted\":\"of no property\",\"x\":{\"mail\":\"elsewhere\"}}"),
           "{\"noted\":\"of no property\",\"x\":{\"mail\":\"elsewhere\"}}");
}

Test(redact, names_in_other_places)
{
    expect("care", SC_STR("{\"x\":[{\"email\":[\"a\"]}],\"note\":\"b\",\"topic\":\"c\"}"),
           "{\"x\":[{\"email\":\"<identifier>\"}],\"note\":\"<pii>\",\"topic\":\"c\"}");
}

Test(redact, the_canonical_layout)
{
    expect("plain",
           SC_STR("{\"identifiers\":{\"email\":\"a\"},"
                  "\"properties\":{\"note\":\"x\",\"topic\":\"y\"}}"),
           "{\"identifiers\":{\"email\":\"<identifier>\"},"
           "\"properties\":{\"note\":\"<pii>\",\"topic\":\"y\"}}");
}

Test(redact, as_deep_as_it_is_read)
{
    struct sc_buf deep = {0}, out = {0};
    struct sc_jsonw w;
    for (int i = 0; i < 63; i++)
        sc_buf_addz(&deep, "{\"a\":");
    sc_buf_addz(&deep, "\"secret\"");
    for (int i = 0; i < 63; i++)
        sc_buf_addz(&deep, "}");
    sc_jsonw_init(&w, &out);
    sc_jsonw_obj(&w);
    sc_jsonw_keyz(&w, "value");
    cr_expect(sc_redact_json(&tx.sources[0], &tx, sc_buf_view(&deep), &ar, &w));
    sc_jsonw_obj_end(&w);
    sc_buf_char(&out, '\0');
    cr_expect(strstr(out.p, "<deeper>") && !strstr(out.p, "secret"), "%s", out.p);
    sc_buf_fini(&deep);
    sc_buf_fini(&out);
}

Test(redact, framed_or_not_at_all)
{
    static const char framed[] = "\0\0\0\0\7{\"mail\":\"a\"}";
    expect("care", (struct sc_str){framed, sizeof(framed) - 1}, "{\"mail\":\"<identifier>\"}");
    expect("care", (struct sc_str){framed, 4}, NULL);
    expect("care", SC_STR("{\"mail\":\"a@b.no\""), NULL);
    expect("care", SC_STR("a@b.no"), NULL);
    expect("care", SC_STR(""), NULL);
}
