/* From slots to an event: semantics 2, 3, 11, 39, and every reason intake gives. */
#include "fixture.h"
#include "core/taxonomy/convert.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char shop[] =
    "taxonomy: shop\n"
    "version: 1.0.0\n"
    "namespaces:\n"
    "  account: { priority: 1, unique: true }\n"
    "  email: { priority: 2, normalize: email }\n"
    "  phone: { priority: 3, normalize: e164 }\n"
    "events:\n"
    "  order:\n"
    "    aliases: [ { name: old_order } ]\n"
    "    properties:\n"
    "      total: { type: decimal, scale: 2, required: true, min: 0, max: 1000 }\n"
    "      status: { type: \"enum [new, paid]\" }\n"
    "      items: { type: int }\n"
    "      cents: { type: decimal, scale: 2 }\n"
    "      paid_at: { type: timestamp }\n"
    "      tags: { type: list(string) }\n"
    "  ping: {}\n"
    "sources:\n"
    "  web:\n"
    "    topic: web\n"
    "    format: json\n"
    "    event: $.name\n"
    "    id: $.id\n"
    "    occurred_at: $.at\n"
    "    sent_at: $.sent\n"
    "    received_at: $.received\n"
    "    identifiers: { account: $.account, email: $.emails, phone: $.phone }\n"
    "    events: { Order Completed: order }\n"
    "    properties:\n"
    "      order:\n"
    "        items: count($.lines)\n"
    "        cents: { path: \"sum($.lines[*].cents)\", scale: -2 }\n"
    "        paid_at: { path: $.paid, unit: s }\n"
    "  quiet: { topic: quiet, format: json, unknown: ignore }\n"
    "  local:\n"
    "    topic: local\n"
    "    format: json\n"
    "    event: ping\n"
    "    id: $.id\n"
    "    occurred_at: { path: $.at, unit: s }\n"
    "    identifiers: { account: $.account }\n"
    "    zone: Europe/Oslo\n";

#define NOON INT64_C(1772445600000) /* 2026-03-02T10:00:00Z */

static struct fixture fx;
static void setup(void)
{
    fixture_init(&fx, shop);
}
static void teardown(void)
{
    fixture_fini(&fx);
}
TestSuite(intake, .init = setup, .fini = teardown);

/* A good record of `web`; tests then spoil one place. */
static void good(void)
{
    fixture_record(&fx, "web");
    fixture_put(&fx, "$.name", text("order"));
    fixture_put(&fx, "$.id", text("e-1"));
    fixture_put(&fx, "$.at", sc_int(NOON));
    fixture_put(&fx, "$.total", text("12.50"));
}

static void good_canonical(void)
{
    fixture_record(&fx, NULL);
    fixture_put(&fx, "$.event", text("order"));
    fixture_put(&fx, "$.id", text("e-1"));
    fixture_put(&fx, "$.occurred_at", text("2026-03-02T10:00:00Z"));
    fixture_put(&fx, "$.properties.total", decimal(125, 1));
}

Test(intake, a_good_record)
{
    good();
    fixture_put(&fx, "$.account", text(" A-7 "));
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE, "%s", fx.fault.text);
    cr_expect_eq(fx.ev.type, sc_taxonomy_event(&fx.tx, SC_STR("order")));
    cr_expect_eq(fx.ev.source, sc_taxonomy_source(&fx.tx, SC_STR("web")));
    cr_expect(sc_str_eqz(fx.ev.source_name, "web"));
    cr_expect_eq(fx.ev.occurred_ms, NOON);
    cr_expect_eq(fx.ev.id_hash, sc_event_id_hash(SC_STR("web"), SC_STR("e-1")));
    cr_assert_eq(fx.ev.n_ids, 1);
    cr_expect(sc_str_eqz(fx.ev.ids[0].value, "A-7"));
    cr_expect_eq(fixture_prop(&fx, "total").i, 1250);
    cr_expect_eq(fixture_prop(&fx, "total").scale, 2);
    cr_expect_eq(fixture_prop(&fx, "status").type, SC_T_ABSENT);
    cr_expect_eq(fixture_prop(&fx, "items").i, 0, "no lines are none");
}

/* The codec gives what an unsigned field holds past an int as it is. */
Test(intake, ids_are_integers_of_any_size)
{
    struct sc_value most = {.type = SC_T_UINT, .u = UINT64_MAX};
    good();
    fixture_put(&fx, "$.id", most);
    fixture_put(&fx, "$.account", most);
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE, "%s", fx.fault.text);
    cr_expect(sc_str_eqz(fx.ev.id, "18446744073709551615"));
    cr_assert_eq(fx.ev.n_ids, 1);
    cr_expect(sc_str_eqz(fx.ev.ids[0].value, "18446744073709551615"));
    fixture_put(&fx, "$.id", sc_double(1.5));
    cr_expect_eq(fixture_intake(&fx), SC_DROP_NO_ID);
    good_canonical();
    fixture_put(&fx, "$.id", most);
    cr_expect_eq(fixture_intake(&fx), SC_DROP_NO_ID, "text, of ours");
}

/* ---- Every reason, one line each: what is put where, and what comes of it */

struct spoil {
    const char *path;
    struct sc_value value;
    enum sc_drop drop;
    const char *fault_path;
};

static void spoil_all(const struct spoil *cases, size_t n, void (*record)(void))
{
    for (size_t i = 0; i < n; i++) {
        record();
        fixture_put(&fx, cases[i].path, cases[i].value);
        enum sc_drop drop = fixture_intake(&fx);
        cr_expect_eq(drop, cases[i].drop, "case %zu: %s (%s)", i, sc_drop_label(drop),
                     fx.fault.text);
        cr_expect_eq(fx.fault.drop, drop);
        cr_expect(sc_str_eqz(fx.fault.path, cases[i].fault_path), "case %zu: path %.*s", i,
                  SC_STR_FMT(fx.fault.path));
        cr_expect_gt(strlen(fx.fault.text), 0);
    }
}
#define SPOIL(record, ...)                                                                         \
    do {                                                                                           \
        struct spoil cases[] = {__VA_ARGS__};                                                      \
        spoil_all(cases, sizeof(cases) / sizeof(cases[0]), record);                                \
    } while (0)

Test(intake, reasons_of_a_mapped_record)
{
    char long_text[1026];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    struct sc_value bad_list = LIST(&fx.ar, text("a@b.no"), sc_double(1.5));
    SPOIL(good, {"$.name", sc_absent(), SC_DROP_NO_EVENT, "$.name"},
          {"$.name", sc_int(3), SC_DROP_NO_EVENT, "$.name"},
          {"$.name", text("checkout"), SC_DROP_UNKNOWN_EVENT, "$.name"},
          {"$.at", sc_absent(), SC_DROP_NO_TIME, "$.at"},
          {"$.at", text("yesterday"), SC_DROP_NO_TIME, "$.at"},
          {"$.at", text("2026-03-02T10:00:00"), SC_DROP_NO_TIME, "$.at"},
          {"$.at", sc_double(1.5), SC_DROP_NO_TIME, "$.at"},
          {"$.at", sc_int(INT64_MAX), SC_DROP_NO_TIME, "$.at"},
          {"$.at", sc_bool(true), SC_DROP_NO_TIME, "$.at"},
          {"$.sent", text("later"), SC_DROP_NO_TIME, "$.sent"},
          {"$.id", sc_absent(), SC_DROP_NO_ID, "$.id"}, {"$.id", text(""), SC_DROP_NO_ID, "$.id"},
          {"$.id", sc_double(1.0), SC_DROP_NO_ID, "$.id"},
          {"$.id", text(long_text), SC_DROP_SIZE, "$.id"},
          {"$.account", sc_double(7.0), SC_DROP_BAD_IDENTIFIER, "$.account"},
          {"$.account", sc_bool(true), SC_DROP_BAD_IDENTIFIER, "$.account"},
          {"$.account", text(long_text), SC_DROP_BAD_IDENTIFIER, "$.account"},
          {"$.emails", bad_list, SC_DROP_BAD_IDENTIFIER, "$.emails"},
          {"$.total", sc_absent(), SC_DROP_MISSING_PROPERTY, "$.total"},
          {"$.total", text("cheap"), SC_DROP_WRONG_TYPE, "$.total"},
          {"$.total", sc_bool(true), SC_DROP_WRONG_TYPE, "$.total"},
          {"$.total", text("1.005"), SC_DROP_DECIMAL_DIGITS, "$.total"},
          {"$.total", sc_int(INT64_MAX), SC_DROP_DECIMAL_DIGITS, "$.total"},
          {"$.total", text("-0.01"), SC_DROP_OUT_OF_RANGE, "$.total"},
          {"$.total", text("1000.01"), SC_DROP_OUT_OF_RANGE, "$.total"},
          {"$.status", text("void"), SC_DROP_NOT_IN_ENUM, "$.status"},
          {"$.status", sc_int(1), SC_DROP_WRONG_TYPE, "$.status"},
          {"$.tags", text("one"), SC_DROP_WRONG_TYPE, "$.tags"});
}

/* What is taken must fit a frame, a state and a message. */
Test(intake, properties_that_take_too_much_are_refused)
{
    static char bytes[SC_EVENT_PROPS_BYTES_MAX];
    memset(bytes, 'x', sizeof(bytes));
    struct sc_value most = sc_string((struct sc_str){bytes, sizeof(bytes) - 2 * sizeof(most)});
    good();
    fixture_put(&fx, "$.tags", LIST(&fx.ar, most));
    cr_expect_eq(fixture_intake(&fx), SC_DROP_NONE, "%s", fx.fault.text);
    most.len++;
    good();
    fixture_put(&fx, "$.tags", LIST(&fx.ar, most));
    cr_expect_eq(fixture_intake(&fx), SC_DROP_SIZE);
    cr_expect(sc_str_eqz(fx.fault.path, "$.tags"));
    cr_expect_str_eq(fx.fault.text, "up to here its properties take 262145 bytes, at most 262144 are taken");
}

Test(intake, reasons_of_a_canonical_line)
{
    SPOIL(good_canonical, {"$.id", sc_int(7), SC_DROP_NO_ID, "$.id"},
          {"$.source", sc_int(7), SC_DROP_UNKNOWN_SOURCE, "$.source"},
          {"$.identifiers.account", sc_int(7), SC_DROP_BAD_IDENTIFIER, "$.identifiers.account"},
          {"$.identifiers.account", LIST(&fx.ar, sc_int(7)), SC_DROP_BAD_IDENTIFIER,
           "$.identifiers.account"},
          {"$.properties.total", sc_absent(), SC_DROP_MISSING_PROPERTY, "$.properties.total"});
}

Test(intake, unknown_events_by_policy)
{
    fixture_record(&fx, "quiet");
    fixture_put(&fx, "$.event", text("checkout"));
    cr_expect_eq(fixture_intake(&fx), SC_DROP_IGNORED_EVENT);
    cr_expect_not(sc_drop_dead_letter(SC_DROP_IGNORED_EVENT));
}

Test(intake, faults_do_not_tell_values)
{
    good();
    fixture_put(&fx, "$.total", text("secret"));
    fixture_intake(&fx);
    cr_expect_null(strstr(fx.fault.text, "secret"), "%s", fx.fault.text);
    cr_expect_str_eq(fx.fault.text, "total is decimal; this string is none");
    good();
    fixture_put(&fx, "$.status", text("secret"));
    fixture_intake(&fx);
    cr_expect_str_eq(fx.fault.text, "status is none of new, paid");
    good();
    fixture_put(&fx, "$.at", text("2026-03-02 10:00"));
    fixture_intake(&fx);
    cr_expect_str_eq(fx.fault.text, "this string is no time as 2026-03-02T10:00:00Z");
}

Test(intake, an_unknown_event_is_named_when_it_looks_like_a_name)
{
    static const struct {
        const char *name, *text;
    } rows[] = {{"Checkout Started", "'Checkout Started' is not in the taxonomy"},
                {"ada@example.org", "the event is not in the taxonomy"},
                {"4722334455", "the event is not in the taxonomy"},
                {"", "the event is not in the taxonomy"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        good();
        fixture_put(&fx, "$.name", text(rows[i].name));
        cr_expect_eq(fixture_intake(&fx), SC_DROP_UNKNOWN_EVENT);
        cr_expect_str_eq(fx.fault.text, rows[i].text);
    }
}

/* ---- Names */

Test(intake, names_aliases_and_renames)
{
    good();
    fixture_put(&fx, "$.name", text("old_order"));
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE);
    cr_expect(fx.ev.deprecated);
    good();
    fixture_put(&fx, "$.name", text("Order Completed"));
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE);
    cr_expect_not(fx.ev.deprecated);
    cr_expect_eq(fx.ev.type, sc_taxonomy_event(&fx.tx, SC_STR("order")));
}

Test(intake, canonical_sources_may_be_any)
{
    good_canonical();
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE, "%s", fx.fault.text);
    cr_expect_eq(fx.ev.source, SC_SOURCE_NONE);
    cr_expect_eq(fx.ev.source_name.len, 0);
    good_canonical();
    fixture_put(&fx, "$.source", text("web"));
    fixture_intake(&fx);
    cr_expect_eq(fx.ev.source, sc_taxonomy_source(&fx.tx, SC_STR("web")));
    good_canonical();
    fixture_put(&fx, "$.source", text("elsewhere"));
    cr_expect_eq(fixture_intake(&fx), SC_DROP_NONE);
    cr_expect_eq(fx.ev.source, SC_SOURCE_NONE);
    cr_expect(sc_str_eqz(fx.ev.source_name, "elsewhere"));
}

/* ---- Time */

Test(intake, spellings_of_one_time)
{
    const struct sc_value same[] = {sc_int(NOON), text("2026-03-02T10:00:00Z"),
                                    text("2026-03-02T11:00:00+01:00"), sc_timestamp(NOON),
                                    decimal(NOON * 10, 1)};
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        good();
        fixture_put(&fx, "$.at", same[i]);
        cr_expect_eq(fixture_intake(&fx), SC_DROP_NONE, "%zu: %s", i, fx.fault.text);
        cr_expect_eq(fx.ev.occurred_ms, NOON, "%zu", i);
    }
}

Test(intake, units_and_zones)
{
    fixture_record(&fx, "local");
    fixture_put(&fx, "$.id", sc_int(42));
    fixture_put(&fx, "$.at", sc_int(NOON / 1000));
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE, "%s", fx.fault.text);
    cr_expect_eq(fx.ev.occurred_ms, NOON);
    cr_expect(sc_str_eqz(fx.ev.id, "42"), "a typed integer is an id by its digits");
    fixture_put(&fx, "$.at", text("2026-03-02T11:00:00"));
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE, "%s", fx.fault.text);
    cr_expect_eq(fx.ev.occurred_ms, NOON, "Oslo is an hour ahead in March");
}

Test(intake, skew_is_taken_out)
{
    good(); /* the client's clock is an hour fast; it sent 5 s after the fact */
    fixture_put(&fx, "$.at", sc_int(NOON + SC_HOUR_MS));
    fixture_put(&fx, "$.sent", sc_int(NOON + SC_HOUR_MS + 5000));
    fixture_put(&fx, "$.received", sc_int(NOON + 5000));
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE);
    cr_expect_eq(fx.ev.occurred_ms, NOON);
    cr_expect_eq(fx.ev.claimed_ms, NOON + SC_HOUR_MS);
    fixture_put(&fx, "$.received", sc_absent());
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE);
    cr_expect_eq(fx.ev.occurred_ms, NOON + SC_HOUR_MS, "one side alone says nothing");
}

Test(intake, the_future_is_clamped)
{
    static const struct {
        int64_t ahead_ms;
        bool clamped;
    } cases[] = {{23 * SC_HOUR_MS, false}, {23 * SC_HOUR_MS + 1, true}, {-SC_DAY_MS, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        good();
        fx.meta.timestamp_ms = NOON;
        fixture_put(&fx, "$.at", sc_int(NOON + cases[i].ahead_ms));
        cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE);
        cr_expect_eq(fx.ev.clamped, cases[i].clamped, "%zu", i);
        cr_expect_eq(fx.ev.occurred_ms, cases[i].clamped ? NOON : NOON + cases[i].ahead_ms);
        cr_expect_eq(fx.ev.claimed_ms, NOON + cases[i].ahead_ms, "the original is kept");
    }
    good();
    fixture_put(&fx, "$.at", sc_int(NOON + 10 * SC_DAY_MS));
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE);
    cr_expect_not(fx.ev.clamped, "a file has no clock to doubt it by");
}

/* -1 is Kafka's "none"; a producer may also send any other number. */
Test(intake, a_stamp_that_is_no_time_is_none)
{
    static const int64_t stamps[] = {-1, INT64_MIN, INT64_MAX, SC_TIME_MAX_MS + 1};
    for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
        good();
        fx.meta.timestamp_ms = stamps[i];
        cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE, "%zu", i);
        cr_expect_not(fx.ev.clamped, "%zu", i);
        cr_expect_eq(fx.ev.occurred_ms, NOON, "%zu", i);
    }
}

/* ---- Identifiers */

Test(intake, identifiers_of_all_spellings)
{
    good();
    fixture_put(&fx, "$.account", sc_int(7));
    fixture_put(&fx, "$.emails",
                LIST(&fx.ar, text("Ada@Example.org"), text(" ada@example.org"), text("b@c.no")));
    fixture_put(&fx, "$.phone", text("0047 22 33 44 55"));
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE, "%s", fx.fault.text);
    cr_assert_eq(fx.ev.n_ids, 4, "account, two mails, phone; the repeat is one");
    for (uint32_t i = 1; i < fx.ev.n_ids; i++)
        cr_expect_lt(sc_node_cmp(&fx.ev.ids[i - 1].node, &fx.ev.ids[i].node), 0);
    cr_expect(sc_str_eqz(fx.ev.ids[0].value, "7"));
    cr_expect(sc_str_eqz(fx.ev.ids[3].value, "+4722334455"));
    cr_expect(sc_str_eqz(fx.ev.phone_zone, "Europe/Oslo"));
}

Test(intake, absent_null_and_blocked_identifiers_join_nobody)
{
    good();
    fixture_put(&fx, "$.account", text("NULL"));
    fixture_put(&fx, "$.emails", LIST(&fx.ar, text(""), (struct sc_value){.type = SC_T_NULL}));
    fixture_put(&fx, "$.phone", (struct sc_value){.type = SC_T_NULL});
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE, "%s", fx.fault.text);
    cr_expect_eq(fx.ev.n_ids, 0);
    cr_expect_eq(fx.ev.phone_zone.len, 0);
}

Test(intake, too_many_identifiers_demote_the_weakest)
{
    struct sc_value many[20];
    char mail[20][32];
    for (int i = 0; i < 20; i++) {
        snprintf(mail[i], sizeof(mail[i]), "a%d@b.no", i);
        many[i] = text(mail[i]);
    }
    good();
    fixture_put(&fx, "$.emails", list(&fx.ar, many, 20));
    fixture_put(&fx, "$.account", text("A-1"));
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE);
    cr_expect_eq(fx.ev.n_ids, SC_IDENTIFIERS_MAX);
    cr_expect_eq(fx.ev.ids_demoted, 5);
    cr_expect(sc_str_eqz(fx.ev.ids[0].value, "A-1"), "the strongest stays");
}

/* ---- Properties */

Test(intake, aggregates_are_exact_and_share_a_shift)
{
    good();
    fixture_put(&fx, "$.lines[*].cents", LIST(&fx.ar, sc_int(1999), text("1"), decimal(5000, 1)));
    fixture_put(&fx, "$.paid", sc_int(NOON / 1000));
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE, "%s", fx.fault.text);
    cr_expect_eq(fixture_prop(&fx, "cents").i, 2500, "19.99 + 0.01 + 5.00");
    cr_expect_eq(fixture_prop(&fx, "paid_at").i, NOON);
}

Test(intake, count_is_of_the_arrays_values)
{
    good();
    int order = fx.ev.type = (uint16_t)sc_taxonomy_event(&fx.tx, SC_STR("order"));
    const struct sc_mapping *count = &fx.source->events[order].props[2].map;
    cr_assert_eq(count->op, SC_MAP_COUNT);
    fx.slots[count->slot] = LIST(&fx.ar, sc_int(1), sc_int(2), sc_int(3));
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE, "%s", fx.fault.text);
    cr_expect_eq(fixture_prop(&fx, "items").type, SC_T_INT);
    cr_expect_eq(fixture_prop(&fx, "items").i, 3);
}

/* ---- Content */

Test(intake, content_agrees_over_formats_and_retries)
{
    good();
    fixture_put(&fx, "$.account", text("A-1"));
    fixture_intake(&fx);
    uint32_t base = fx.ev.content_hash;
    good_canonical(); /* the total as JSON number with another scale, the time as text */
    fixture_put(&fx, "$.identifiers.account", text("A-1 "));
    fixture_put(&fx, "$.properties.items", sc_int(0));
    fixture_put(&fx, "$.properties.cents", sc_int(0));
    fixture_intake(&fx);
    cr_expect_eq(fx.ev.content_hash, base, "formats");
    good();
    fixture_put(&fx, "$.account", text("A-1"));
    fixture_put(&fx, "$.sent", sc_int(NOON + 9000));
    fixture_put(&fx, "$.received", sc_int(NOON + 9500));
    fixture_intake(&fx);
    cr_expect_neq(fx.ev.occurred_ms, NOON);
    cr_expect_eq(fx.ev.content_hash, base, "a retry has another skew");
}

Test(intake, content_differs_by_each_part)
{
    good();
    fixture_intake(&fx);
    uint32_t base = fx.ev.content_hash;
    const struct spoil other[] = {{"$.total", text("12.51"), 0, NULL},
                                  {"$.status", text("paid"), 0, NULL},
                                  {"$.account", text("A-2"), 0, NULL},
                                  {"$.at", sc_int(NOON + 1), 0, NULL}};
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        good();
        fixture_put(&fx, other[i].path, other[i].value);
        cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE, "%s", fx.fault.text);
        cr_expect_neq(fx.ev.content_hash, base, "%s", other[i].path);
    }
}
