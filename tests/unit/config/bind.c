/* The binder: what each kind takes, how faults read, and the documents made from the tables. */
#include "config/bind.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct cap {
    struct sc_str channel; /* the key */
    int64_t per, max, size;
    double weight;
    int32_t mode, share;
    bool on;
    struct sc_str label, name;
    struct sc_strs tags;
    struct sc_node *when, *per_node, *self;
};

struct step {
    int64_t after;
    struct sc_list then; /* of steps */
};

struct settings {
    int64_t port;
    struct sc_str title;
};

struct journey {
    struct sc_str name;
    struct sc_list caps, steps;
    struct settings settings;
};

#define AT(type, member) offsetof(struct type, member)

static const char *const modes[] = {"rolling", "calendar", NULL};

static const struct sc_field cap_fields[] = {
    {.key = "per",
     .kind = SC_F_DURATION,
     .offset = AT(cap, per),
     .required = true,
     .node_offset = AT(cap, per_node),
     .doc = "Length | of the window."},
    {.key = "max", .kind = SC_F_INT, .offset = AT(cap, max), .min = 1, .max = 100, .def = "4"},
    {.key = "size",
     .kind = SC_F_BYTES,
     .offset = AT(cap, size),
     .min = 1024,
     .max = 1 << 20,
     .def = "64KiB"},
    {.key = "weight", .kind = SC_F_DOUBLE, .offset = AT(cap, weight), .def = "0.5"},
    {.key = "mode", .kind = SC_F_ENUM, .offset = AT(cap, mode), .names = modes, .def = "calendar"},
    {.key = "share", .kind = SC_F_PERCENT, .offset = AT(cap, share), .def = "0.5%"},
    {.key = "on", .kind = SC_F_BOOL, .offset = AT(cap, on), .def = "true"},
    {.key = "label", .kind = SC_F_STR, .offset = AT(cap, label)},
    {.key = "name", .kind = SC_F_NAME, .offset = AT(cap, name)},
    {.key = "tags", .kind = SC_F_STRS, .offset = AT(cap, tags), .def = "[a, b]"},
    {.key = "when", .kind = SC_F_NODE, .offset = AT(cap, when), .schema = "{\"type\":\"string\"}"},
    {0},
};
static const struct sc_table cap_table = {.name = "cap",
                                          .doc = "How often.",
                                          .size = sizeof(struct cap),
                                          .fields = cap_fields,
                                          .key_field = AT(cap, channel),
                                          .self_node = AT(cap, self)};

static const struct sc_table step_table;
static const struct sc_field step_fields[] = {
    {.key = "after", .kind = SC_F_DURATION, .offset = AT(step, after)},
    {.key = "then", .kind = SC_F_LIST, .offset = AT(step, then), .table = &step_table},
    {0},
};
static const struct sc_table step_table = {.name = "step",
                                           .size = sizeof(struct step),
                                           .fields = step_fields,
                                           .key_field = SIZE_MAX,
                                           .self_node = SIZE_MAX};

static const struct sc_field settings_fields[] = {
    {.key = "port", .kind = SC_F_INT, .offset = AT(settings, port), .def = "8080"},
    {.key = "title", .kind = SC_F_STR, .offset = AT(settings, title), .required = true},
    {0},
};
static const struct sc_table settings_table = {.name = "settings",
                                               .size = sizeof(struct settings),
                                               .fields = settings_fields,
                                               .key_field = SIZE_MAX,
                                               .self_node = SIZE_MAX,
                                               .open = true};

static const struct sc_field journey_fields[] = {
    {.key = "name", .kind = SC_F_NAME, .offset = AT(journey, name)},
    {.key = "caps", .kind = SC_F_MAP, .offset = AT(journey, caps), .table = &cap_table},
    {.key = "steps", .kind = SC_F_LIST, .offset = AT(journey, steps), .table = &step_table},
    {.key = "settings",
     .kind = SC_F_STRUCT,
     .offset = AT(journey, settings),
     .table = &settings_table},
    {0},
};
static const struct sc_table journey_table = {.name = "journey",
                                              .doc = "A journey.",
                                              .size = sizeof(struct journey),
                                              .fields = journey_fields,
                                              .key_field = SIZE_MAX,
                                              .self_node = SIZE_MAX};

static struct sc_arena ar;
static struct sc_diag dg;
static struct journey jo;

static void setup(void)
{
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
}

static void teardown(void)
{
    sc_arena_fini(&ar);
}

TestSuite(bind, .init = setup, .fini = teardown);

static void bind(const char *text)
{
    sc_diag_init(&dg, &ar);
    struct sc_node *n = sc_node_parse(SC_STR("t.yaml"), sc_str_from(text), NULL, NULL, &ar, &dg);
    cr_assert_not_null(n);
    sc_bind(&journey_table, n, &jo, &ar, &dg);
}

static const struct cap *bind_cap(const char *body)
{
    bind(sc_arena_printf(&ar, "caps: { sms: { per: 1d, %s } }", body));
    cr_assert_eq(jo.caps.n, 1);
    return jo.caps.v;
}

Test(bind, defaults)
{
    const struct cap *c = bind_cap("");
    cr_assert_eq(dg.errors, 0);
    cr_assert(sc_str_eqz(c->channel, "sms") && c->per == 86400000 && c->max == 4);
    cr_assert(c->size == 65536 && c->weight == 0.5 && c->mode == 1 && c->share == 50 && c->on);
    cr_assert(c->tags.n == 2 && sc_str_eqz(c->tags.v[1], "b"));
    cr_assert(c->label.p == NULL && c->when == NULL);
    cr_assert(c->self->kind == SC_NODE_MAP && sc_str_eqz(c->per_node->text, "1d"));
    sc_bind(&journey_table, NULL, &jo, &ar, &dg);
    cr_assert(jo.caps.n == 0 && jo.settings.port == 8080);
    cr_assert_eq(dg.errors, 0, "defaults alone require nothing");
}

Test(bind, a_key_without_a_value_is_an_error)
{
    const struct cap *c = bind_cap("max: , mode: ~, tags: null, when:");
    cr_assert_eq(dg.errors, 3);
    cr_assert_str_eq(dg.items.v[1].text.p, "'mode' has no value in a cap");
    cr_assert(c->max == 4 && c->mode == 1 && c->tags.n == 2, "the defaults stand");
    cr_assert_eq(c->when->kind, SC_NODE_NULL, "free values are the loader's to judge");
}

Test(bind, values)
{
    const struct cap *c =
        bind_cap("max: 100, size: 2KiB, weight: 1e1, mode: rolling, share: 100%, "
                 "on: false, label: 12, name: _a1, tags: [x, 'y z', 3], when: [1]");
    cr_assert_eq(dg.errors, 0);
    cr_assert(c->max == 100 && c->size == 2048 && c->weight == 10 && c->mode == 0);
    cr_assert(c->share == 10000 && !c->on && sc_str_eqz(c->label, "12"));
    cr_assert(sc_str_eqz(c->name, "_a1") && c->tags.n == 3 && sc_str_eqz(c->tags.v[1], "y z"));
    cr_assert(c->tags.at[2]->mark.len == 1 && c->when->kind == SC_NODE_SEQ);
    c = bind_cap("tags: one");
    cr_assert(c->tags.n == 1 && sc_str_eqz(c->tags.v[0], "one"));
}

Test(bind, nested_lists_and_open_tables)
{
    bind("steps:\n- after: 1h\n  then: [{after: 5m}, {}]\n- then: []\n"
         "settings: {title: x, anything: [1]}\n");
    cr_assert_eq(dg.errors, 0);
    const struct step *s = jo.steps.v;
    cr_assert(jo.steps.n == 2 && s[0].then.n == 2 && s[1].then.n == 0);
    cr_assert_eq(((const struct step *)s[0].then.v)[0].after, 300000);
    cr_assert(sc_str_eqz(jo.settings.title, "x") && jo.settings.port == 8080);
}

/* Exactly one finding, reading so. */
static void one(const char *code, const char *text, const char *hint)
{
    cr_assert_eq(dg.items.n, 1, "%u findings, first %.*s", dg.items.n,
                 dg.items.n ? (int)dg.items.v[0].text.len : 0,
                 dg.items.n ? dg.items.v[0].text.p : "");
    const struct sc_finding *f = &dg.items.v[0];
    cr_assert_str_eq(f->code, code);
    cr_assert(sc_str_eqz(f->text, text), "%.*s", SC_STR_FMT(f->text));
    cr_assert(sc_str_eqz(f->hint, hint), "%.*s", SC_STR_FMT(f->hint));
}

Test(bind, wrong_values_say_what_was_expected)
{
    static const struct {
        const char *body, *code, *text, *hint;
    } cases[] = {
        {"max: x", "wrong-kind", "'max': expected a whole number, found 'x'", ""},
        {"max: '5'", "wrong-kind", "'max': expected a whole number, found '5'",
         "leave out the quotes"},
        {"max: 1.5", "wrong-kind", "'max': expected a whole number, found '1.5'", ""},
        {"max: 101", "out-of-range", "'max': 101 is out of range", "it must be between 1 and 100"},
        {"size: 1", "out-of-range", "'size': 1 is out of range",
         "it must be between 1KiB and 1MiB"},
        {"size: 1.5KiB", "wrong-kind", "'size': expected a size like 64KiB, found '1.5KiB'", ""},
        {"size: 9999999999GiB", "wrong-kind",
         "'size': expected a size like 64KiB, found '9999999999GiB'", ""},
        {"weight: .nan", "wrong-kind", "'weight': expected a number, found '.nan'", ""},
        {"mode: calender", "wrong-kind",
         "'mode': expected one of rolling, calendar, found 'calender'", "did you mean 'calendar'?"},
        {"share: 12", "wrong-kind", "'share': expected a percentage like 10%, found '12'", ""},
        {"share: 100.01%", "wrong-kind", "'share': expected a percentage like 10%, found '100.01%'",
         ""},
        {"share: -1%", "wrong-kind", "'share': expected a percentage like 10%, found '-1%'", ""},
        {"on: yes", "wrong-kind", "'on': expected true or false, found 'yes'", ""},
        {"label: [x]", "wrong-kind", "'label': expected text, found a list", ""},
        {"name: 1a", "wrong-kind",
         "'name': expected a name (letters, digits and _, no digit first), found '1a'", ""},
        {"tags: {a: b}", "wrong-kind",
         "'tags': expected a text or a list of texts, found a mapping", ""},
        {"tags: [a, ~]", "wrong-kind", "'tags': expected text, found nothing", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        const struct cap *c = bind_cap(cases[i].body);
        one(cases[i].code, cases[i].text, cases[i].hint);
        cr_assert(c->max == 4 && c->size == 65536 && c->mode == 1 && c->share == 50 && c->on,
                  "%s: a fault leaves the default", cases[i].body);
    }
}

Test(bind, durations)
{
    bind("caps: { sms: { per: 30 } }");
    one("wrong-kind", "'per': expected a duration like 30m, found '30'",
        "a unit is missing: 30s, 30m, 30h or 30d?");
    bind("caps: { sms: { per: abc } }");
    one("wrong-kind", "'per': expected a duration like 30m, found 'abc'", "");
    bind("caps: { sms: { per: -1h } }");
    one("out-of-range", "'per': -1h is out of range", "it cannot be negative");
}

Test(bind, shapes)
{
    bind("[1]");
    one("wrong-kind", "'journey': expected a mapping, found a list",
        "it is written { name: ... }");
    bind("caps: [a]");
    one("wrong-kind", "'caps': expected a mapping, found a list", "");
    bind("steps: {a: b}");
    one("wrong-kind", "'steps': expected a list, found a mapping",
        "each item is written `- after: ...`");
    bind("steps: [x]");
    one("wrong-kind", "'step': expected a mapping, found 'x'", "it is written { after: ... }");
    bind("caps: { sms: 4h }");
    one("wrong-kind", "'cap': expected a mapping, found '4h'", "it is written { per: ... }");
}

Test(bind, missing_keys)
{
    bind("caps:\n  sms: {max: 2}\n");
    one("missing-key", "missing key 'per' in a cap", "");
    cr_assert(dg.items.v[0].mark.line == 2 && dg.items.v[0].mark.column == 8);
    bind("caps:\n  sms:\n");
    one("missing-key", "missing key 'per' in a cap", "");
    bind("caps: {sms: {per: }}");
    one("missing-key", "'per' has no value in a cap", "");
    bind("settings: {}");
    one("missing-key", "missing key 'title' in settings", "");
}

Test(bind, unknown_keys)
{
    bind_cap("labl: x");
    one("unknown-key", "unknown key 'labl' in a cap", "did you mean 'label'?");
    bind("steps: [{zzzzzz: 1}]");
    one("unknown-key", "unknown key 'zzzzzz' in a step", "known here: after, then");
}

Test(bind, a_cut_expression_gets_the_advice_to_quote_it)
{
    bind("caps: { sms: { per: 1d, when: count(order, 7d) > 3 } }");
    one("unknown-key", "unknown key '7d) > 3' in a cap",
        "if it belongs to the value of 'when', put that in quotes: a plain value ends at ', ' and "
        "': '");
}

Test(bind, all_faults_at_once_and_none_twice)
{
    bind("caps: { a: { per: '${NOPE}', max: x, foo: 1 }, b: { per: 1d, per: 2d } }\nnam: y\n");
    cr_assert_eq(dg.errors, 5);
}

static bool has(const struct sc_buf *out, const char *part)
{
    return memmem(out->p, out->len, part, strlen(part)) != NULL;
}

Test(bind, reference)
{
    struct sc_buf out = {0};
    sc_bind_reference(&journey_table, &out);
    static const char *const parts[] = {
        "## journey\n\nA journey.\n\n| key | value | default | meaning |\n",
        "| `caps` | map of [cap](#cap) |  |  |\n",
        "| `per` | duration | required | Length \\| of the window. |\n",
        "| `max` | integer, 1 to 100 | `4` |  |\n",
        "| `size` | size, 1KiB to 1MiB | `64KiB` |  |\n",
        "| `mode` | `rolling`, `calendar` | `calendar` |  |\n",
        "| `then` | list of [step](#step) |  |  |\n",
        "Other keys are allowed.\n",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); ++i)
        cr_assert(has(&out, parts[i]), "%s", parts[i]);
    sc_buf_fini(&out);
}

Test(bind, json_schema)
{
    struct sc_buf out = {0};
    sc_bind_json_schema(&journey_table, "https://example.org/journey.json", &out);
    static const char *const parts[] = {
        "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
        "\"$id\":\"https://example.org/journey.json\",\"$ref\":\"#/$defs/journey\",",
        "\"max\":{\"default\":4,\"anyOf\":[{\"type\":\"integer\",\"minimum\":1,\"maximum\":100},"
        "{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{\"},{\"type\":\"null\"}]}",
        "\"mode\":{\"default\":\"calendar\",\"anyOf\":[{\"enum\":[\"rolling\",\"calendar\"]},",
        "\"tags\":{\"default\":[\"a\",\"b\"],",
        "\"when\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}",
        "\"required\":[\"per\"]",
        "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/cap\"}}",
        "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/step\"}}",
        "\"title\":\"settings\",\"type\":\"object\",\"additionalProperties\":true,",
        "\"title\":\"step\",\"type\":[\"object\",\"null\"],\"additionalProperties\":false,",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); ++i)
        cr_assert(has(&out, parts[i]), "%s", parts[i]);
    struct sc_node *n = sc_node_parse(SC_STR("s"), sc_buf_view(&out), NULL, NULL, &ar, &dg);
    cr_assert_not_null(n, "the schema is JSON");
    cr_assert_eq(sc_node_get(n, "$defs")->n, 4);
    sc_buf_fini(&out);
}
