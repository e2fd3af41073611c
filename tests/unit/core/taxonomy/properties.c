/* Whatever a codec delivers, intake gives an event that keeps its promises or a reason: 30,000
 * records with values of every type in every slot. */
#include "fixture.h"

#include <criterion/criterion.h>

static const char wide[] =
    "taxonomy: wide\n"
    "version: 1.0.0\n"
    "namespaces: { a: { unique: true }, b: { normalize: e164 }, c: { normalize: email } }\n"
    "events:\n"
    "  e:\n"
    "    properties:\n"
    "      text: { type: string, required: true }\n"
    "      size: { type: \"enum [S, M]\" }\n"
    "      n: { type: int, min: -5, max: 5 }\n"
    "      price: { type: decimal, scale: 2, min: 0 }\n"
    "      ratio: { type: double }\n"
    "      ok: { type: bool }\n"
    "      at: { type: timestamp }\n"
    "      took: { type: duration }\n"
    "      raw: { type: bytes }\n"
    "      nums: { type: list(int), max: 9 }\n"
    "      names: { type: map(string) }\n"
    "      items: { type: int }\n"
    "      best: { type: decimal }\n"
    "sources:\n"
    "  s:\n"
    "    topic: s\n"
    "    format: avro\n"
    "    event: $.event\n"
    "    id: $.id\n"
    "    occurred_at: { path: $.when, unit: us }\n"
    "    sent_at: $.sent\n"
    "    received_at: $.received\n"
    "    zone: America/New_York\n"
    "    identifiers: { a: $.a, b: $.b, c: $.c }\n"
    "    properties:\n"
    "      e: { items: count($.lines), best: 'max($.lines[*])', took: { path: $.took, unit: ns } "
    "}\n";

static struct fixture fx;
static uint64_t seed = 0x2545f4914f6cdd1d;

static uint32_t below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % n;
}

static struct sc_value random_value(int depth)
{
    static const int64_t ints[] = {0, 1, -3, 7, INT64_MAX, INT64_MIN, INT64_C(1772445600000000)};
    static const char *const texts[] = {"",
                                        "e",
                                        "S",
                                        "5",
                                        "0.25",
                                        "null",
                                        "aGk=",
                                        "1h30m",
                                        "+47 22 33 44 55",
                                        "A@b.no",
                                        "2026-03-08T02:30:00"};
    static const double doubles[] = {0.0, -0.5, 1e300, 1.0 / 0.0, 5.0};
    struct sc_value *many;
    uint32_t n = below(4);
    switch (below(depth > 0 ? 11 : 13)) {
    case 0:
        return (struct sc_value){.type = SC_T_NULL};
    case 1:
        return sc_bool(below(2));
    case 2:
        return sc_int(ints[below(sizeof(ints) / sizeof(ints[0]))]);
    case 3:
        return sc_double(doubles[below(5)]);
    case 4:
        return decimal((int64_t)below(2000) - 1000, (uint8_t)below(5));
    case 5:
        return sc_timestamp(ints[below(4)]);
    case 6:
        return sc_duration(ints[below(4)]);
    case 7:
        return (struct sc_value){.type = SC_T_BYTES, .len = 1, .s = "x"};
    case 8:
        return sc_absent();
    case 9:
    case 10:
        return text(texts[below(sizeof(texts) / sizeof(texts[0]))]);
    default:
        many = SC_NEW_N(&fx.ar, struct sc_value, 2 * n);
        for (uint32_t i = 0; i < 2 * n; i++)
            many[i] = random_value(depth + 1);
        if (below(2))
            return (struct sc_value){.type = SC_T_LIST, .len = 2 * n, .list = many};
        for (uint32_t i = 0; i < n; i++)
            many[2 * i] = text("k");
        return (struct sc_value){.type = SC_T_MAP, .len = n, .map = many};
    }
}

/* Half of the places that end most records are good, so that the others are reached. */
static void random_record(void)
{
    fixture_record(&fx, below(2) ? "s" : NULL);
    bool mapped = fx.source != &fx.tx.canonical;
    for (uint32_t i = 0; i < fx.source->projection.n; i++)
        fx.slots[i] = below(12) ? sc_absent() : random_value(0);
    if (below(8)) {
        fixture_put(&fx, "$.event", text("e"));
        fixture_put(&fx, "$.id", text("1"));
        fixture_put(&fx, mapped ? "$.when" : "$.occurred_at", text("2026-03-02T10:00:00Z"));
        fixture_put(&fx, mapped ? "$.text" : "$.properties.text", text("t"));
    }
    fx.meta.timestamp_ms = below(2) ? INT64_MIN : INT64_C(1772445600000);
}

static void check_value(const struct sc_property *p, struct sc_value v)
{
    cr_assert_eq(v.type, p->type);
    if (p->type == SC_T_DECIMAL)
        cr_assert_eq(v.scale, p->scale);
    if (p->has_min && p->type != SC_T_LIST)
        cr_assert_geq(sc_value_cmp(v, p->min), 0);
    for (uint32_t i = 0; p->type == SC_T_LIST && i < v.len; i++) {
        cr_assert_eq(v.list[i].type, p->element);
        cr_assert_leq(v.list[i].i, p->max.i);
    }
    for (uint32_t i = 0; p->type == SC_T_MAP && i < v.len; i++) {
        cr_assert_eq(v.map[2 * i].type, SC_T_STRING);
        cr_assert_eq(v.map[2 * i + 1].type, p->element);
    }
    if (p->enums.n > 0)
        cr_assert(sc_str_eqz(sc_value_str(v), "S") || sc_str_eqz(sc_value_str(v), "M"));
}

static void check_event(void)
{
    const struct sc_event_type *et = &fx.tx.events[fx.ev.type];
    char formatted[32];
    cr_assert_eq(fx.ev.n_props, et->n_props);
    for (uint32_t i = 0; i < et->n_props; i++) {
        if (fx.ev.props[i].type == SC_T_ABSENT)
            cr_assert_not(et->props[i].required);
        else
            check_value(&et->props[i], fx.ev.props[i]);
    }
    for (uint32_t i = 1; i < fx.ev.n_ids; i++)
        cr_assert_lt(sc_node_cmp(&fx.ev.ids[i - 1].node, &fx.ev.ids[i].node), 0);
    cr_assert_gt(fx.ev.id.len, 0);
    cr_assert_geq(sc_time_format(fx.ev.occurred_ms, formatted), 20);
    uint32_t content = fx.ev.content_hash;
    cr_assert_eq(fixture_intake(&fx), SC_DROP_NONE);
    cr_assert_eq(fx.ev.content_hash, content, "the same record is the same content");
}

Test(intake_properties, an_event_or_a_reason)
{
    unsigned taken = 0, refused = 0;
    fixture_init(&fx, wide);
    for (int i = 0; i < 30000; i++) {
        random_record();
        enum sc_drop drop = fixture_intake(&fx);
        cr_assert_eq(fx.fault.drop, drop);
        if (drop == SC_DROP_NONE) {
            check_event();
            taken++;
        } else {
            cr_assert(sc_drop_dead_letter(drop));
            cr_assert_gt(strlen(fx.fault.text), 0);
            cr_assert_gt(fx.fault.path.len, 0);
            refused++;
        }
    }
    cr_expect_gt(taken, 1000);
    cr_expect_gt(refused, 1000);
    fixture_fini(&fx);
}
