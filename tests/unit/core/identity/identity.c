/* Normalising, blocking, nodes: semantics 2, 3, 10c, 28. */
#include "base/arena.h"
#include "base/hash.h"
#include "core/identity/identity.h"

#include <criterion/criterion.h>
#include <openssl/hmac.h>
#include <stdio.h>

static struct sc_arena ar;
static void setup(void)
{
    sc_arena_init(&ar);
}
static void teardown(void)
{
    sc_arena_fini(&ar);
}
TestSuite(identity, .init = setup, .fini = teardown);

/* ---- Normalising */

Test(identity, normalises)
{
    static const struct {
        enum sc_normalize how;
        const char *raw, *value;
    } rows[] = {{SC_NORM_NONE, " A ", " A "},
                {SC_NORM_TRIM, "\t A b\n", "A b"},
                {SC_NORM_LOWER, " AbC ", "abc"},
                {SC_NORM_EMAIL, " Ada.L+x@GMail.com ", "ada.l+x@gmail.com"},
                {SC_NORM_EMAIL, "No Mail", "no mail"},
                {SC_NORM_LOWER, "\xc3\x86", "\xc3\x86"},
                {SC_NORM_E164, "+47 22 33 44 55", "+4722334455"},
                {SC_NORM_E164, "0047-22.33/44 55", "+4722334455"},
                {SC_NORM_E164, "(+47) 22334455", "+4722334455"},
                {SC_NORM_E164, "+44 (0)20 7946 0958", "+442079460958"},
                {SC_NORM_E164, "020 7946 0958", "02079460958"},
                {SC_NORM_E164, "(0)20 7946 0958", "02079460958"},
                {SC_NORM_E164, "22334455", "22334455"},
                {SC_NORM_E164, "no phone", ""},
                {SC_NORM_E164, "+", ""},
                {SC_NORM_E164, "+47\xc2\xa0""22\xe2\x80\x93""33 44 55", "+4722334455"},
                {SC_NORM_E164, "bob1@x.no", ""},
                {SC_NORM_E164, "22334455 x5", ""},
                {SC_NORM_E164, "+47 22+33", ""},
                {SC_NORM_E164, "123456789012345", "123456789012345"},
                {SC_NORM_E164, "1234567890123456", ""}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sc_str v = sc_normalize(rows[i].how, sc_str_from(rows[i].raw), &ar);
        cr_expect(sc_str_eqz(v, rows[i].value), "'%s' gave '%.*s'", rows[i].raw, SC_STR_FMT(v));
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* What a client may send, over an alphabet of all that the normalisers look at. */
static struct sc_str random_text(uint64_t *seed)
{
    static const char alphabet[] = " \tAaZz09+-().@00\xc3\x86";
    size_t n = next_random(seed) % 24;
    char *p = sc_arena_alloc_align(&ar, n + 1, 1);
    for (size_t i = 0; i < n; i++)
        p[i] = alphabet[next_random(seed) % (sizeof(alphabet) - 1)];
    return (struct sc_str){p, n};
}

Test(identity, normalising_twice_changes_nothing)
{
    uint64_t seed = 0x9e3779b97f4a7c15;
    for (int i = 0; i < 20000; i++) {
        struct sc_str raw = random_text(&seed);
        for (int how = SC_NORM_TRIM; how <= SC_NORM_NONE; how++) {
            struct sc_str once = sc_normalize((enum sc_normalize)how, raw, &ar);
            /* "000047…": what is left of a national prefix may look like one again */
            if (how == SC_NORM_E164 && sc_str_starts(once, SC_STR("00")))
                continue;
            struct sc_str twice = sc_normalize((enum sc_normalize)how, once, &ar);
            cr_assert(sc_str_eq(once, twice), "%d of '%.*s': '%.*s', '%.*s'", how, SC_STR_FMT(raw),
                      SC_STR_FMT(once), SC_STR_FMT(twice));
            cr_assert_leq(once.len, raw.len + 1);
        }
        sc_arena_reset(&ar, 1 << 20);
    }
}

/* ---- Blocking */

static struct sc_namespace space(const char *blocked, const char *allow)
{
    struct sc_namespace ns = {.name = SC_STR("n"), .rank = 1};
    struct sc_str *v = SC_NEW_N(&ar, struct sc_str, 2);
    v[0] = sc_str_from(blocked);
    v[1] = sc_str_from(allow);
    ns.blocked_add = (struct sc_strs){&v[0], NULL, blocked != NULL};
    ns.allow = (struct sc_strs){&v[1], NULL, allow != NULL};
    sc_blocked_init(&ns, &ar);
    return ns;
}

static bool is_blocked(const struct sc_namespace *ns, const char *value)
{
    return sc_identifier_blocked(ns, sc_str_from(value));
}

Test(identity, placeholders_are_blocked_in_any_case)
{
    static const char *const placeholders[] = {
        "", "  ", "0", "-", "0000-0000", "00000000-0000-0000-0000-000000000000", "-1", "null",
        "NIL", " None ", "Undefined", "NaN", "unknown", "Anonymous", "guest", "N/A", "TRUE",
        "false", "[object Object]", "Test@Test.com", "distinct_id", "ID"};
    struct sc_namespace ns = space(NULL, NULL);
    for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++)
        cr_expect(is_blocked(&ns, placeholders[i]), "'%s'", placeholders[i]);
    static const char *const people[] = {"1", "a", "nullable", "guest1", "0a", "--1", "ann@x.no"};
    for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++)
        cr_expect_not(is_blocked(&ns, people[i]), "'%s'", people[i]);
}

Test(identity, lists_are_the_users_to_change)
{
    struct sc_namespace ns = space("Walk-In", "0");
    cr_expect(is_blocked(&ns, "walk-in "));
    cr_expect_not(is_blocked(&ns, "0"), "allowed by name");
    cr_expect(is_blocked(&ns, "00"), "no other zero is");
    ns = space(NULL, " Guest");
    cr_expect_not(is_blocked(&ns, "GUEST"));
    cr_expect(is_blocked(&ns, "null"));
}

/* ---- Nodes */

static struct sc_taxonomy taxonomy(void)
{
    struct sc_taxonomy tx = {.n_namespaces = 2};
    tx.namespaces = SC_NEW_N(&ar, struct sc_namespace, 2);
    tx.namespaces[0] = space(NULL, NULL);
    tx.namespaces[0].name = SC_STR("email");
    tx.namespaces[0].normalize = SC_NORM_EMAIL;
    tx.namespaces[1] = space(NULL, NULL);
    tx.namespaces[1].name = SC_STR("phone");
    tx.namespaces[1].rank = 2;
    tx.namespaces[1].normalize = SC_NORM_E164;
    return tx;
}

Test(identity, a_node_is_rank_and_hmac)
{
    struct sc_taxonomy tx = taxonomy();
    struct sc_pseudonyms *ps = sc_pseudonyms_create(&tx, SC_STR("secret"), 3, 16);
    struct sc_identifier id;
    cr_assert_eq(sc_identify(ps, 0, SC_STR(" Ada@x.no"), &ar, &id), SC_IDENT_OK);
    unsigned char mac[32];
    static const unsigned char text[] = "email\0ada@x.no";
    HMAC(EVP_sha256(), "secret", 6, text, sizeof(text) - 1, mac, NULL);
    cr_expect_eq(id.node.b[0], (15 - 3) << 4 | 1, "the newest key is the smallest");
    cr_expect_arr_eq(id.node.b + 1, mac, 15);
    cr_expect_eq(sc_node_rank(&id.node), 1);
    struct sc_node_id phone = sc_pseudonym(ps, 1, SC_STR("ada@x.no"));
    cr_expect_not(sc_node_eq(&id.node, &phone), "namespaces are apart");
    sc_pseudonyms_destroy(ps);
}

Test(identity, hidden_placeholders_and_long_values)
{
    struct sc_taxonomy tx = taxonomy();
    struct sc_pseudonyms *ps = sc_pseudonyms_create(&tx, SC_STR("k"), 0, 0);
    struct sc_identifier id;
    cr_expect_eq(sc_identify(ps, 1, SC_STR("+00 00"), &ar, &id), SC_IDENT_BLOCKED);
    cr_expect_eq(sc_identify(ps, 1, SC_STR("ask him"), &ar, &id), SC_IDENT_BLOCKED);
    cr_expect_eq(sc_identify(ps, 0, SC_STR(" "), &ar, &id), SC_IDENT_BLOCKED);
    struct sc_str big = {sc_arena_zalloc(&ar, 1025), 1025};
    cr_expect_eq(sc_identify(ps, 0, big, &ar, &id), SC_IDENT_TOO_LONG);
    sc_pseudonyms_destroy(ps);
}

/* A cache of two entries, three values in turn, and one large enough: all must agree. */
Test(identity, the_cache_changes_nothing)
{
    struct sc_taxonomy tx = taxonomy();
    struct sc_pseudonyms *small = sc_pseudonyms_create(&tx, SC_STR("k"), 0, 2);
    struct sc_pseudonyms *large = sc_pseudonyms_create(&tx, SC_STR("k"), 0, 4096);
    for (int i = 0; i < 2000; i++) {
        struct sc_str value = sc_str_printf(&ar, "user%d", i * i % 37);
        uint8_t ns = (uint8_t)(i % 2);
        struct sc_node_id a = sc_pseudonym(small, ns, value), b = sc_pseudonym(large, ns, value);
        struct sc_pseudonyms *fresh = sc_pseudonyms_create(&tx, SC_STR("k"), 0, 0);
        struct sc_node_id c = sc_pseudonym(fresh, ns, value);
        sc_pseudonyms_destroy(fresh);
        cr_assert(sc_node_eq(&a, &b) && sc_node_eq(&a, &c), "%.*s", SC_STR_FMT(value));
    }
    sc_pseudonyms_destroy(small);
    sc_pseudonyms_destroy(large);
}

Test(identity, hex_and_back)
{
    struct sc_node_id node = {{0xf1, 0, 0xab}}, back;
    char hex[32];
    sc_node_hex(&node, hex);
    cr_expect(sc_str_eqz((struct sc_str){hex, 32}, "f100ab00000000000000000000000000"));
    cr_assert(sc_node_parse_hex((struct sc_str){hex, 32}, &back));
    cr_expect(sc_node_eq(&node, &back));
    static const char *const wrong[] = {"", "f1", "F100ab00000000000000000000000000",
                                        "f100ab0000000000000000000000000g",
                                        "f000ab00000000000000000000000000",
                                        "f100ab000000000000000000000000000"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_expect_not(sc_node_parse_hex(sc_str_from(wrong[i]), &back), "%s", wrong[i]);
}

Test(identity, partition_is_xxh64)
{
    struct sc_node_id node = {{0xf1, 1, 2, 3}};
    cr_expect_eq(sc_node_partition(&node, 24), sc_hash_xxh64(node.b, 16) % 24);
    cr_expect_eq(sc_node_partition(&node, 1), 0);
}

Test(identity, adding_keeps_order_without_repeats)
{
    uint64_t seed = 7;
    for (int round = 0; round < 200; round++) {
        struct sc_event ev = {0};
        struct sc_node_id least = {{0xff}};
        for (int i = 0; i < 40; i++) {
            struct sc_identifier id = {.node = {{0xf1, (uint8_t)(next_random(&seed) % 30)}}};
            least = sc_node_cmp(&id.node, &least) < 0 ? id.node : least;
            sc_identifiers_add(&ev, &id);
        }
        cr_assert_leq(ev.n_ids, SC_IDENTIFIERS_MAX);
        cr_assert(sc_node_eq(&ev.ids[0].node, &least), "the strongest is never lost");
        for (uint32_t i = 1; i < ev.n_ids; i++)
            cr_assert_lt(sc_node_cmp(&ev.ids[i - 1].node, &ev.ids[i].node), 0);
    }
}

/* Begun and ended together, however many, is as one after the other. */
Test(identity, two_steps_are_one)
{
    struct sc_taxonomy tx = taxonomy();
    struct sc_pseudonyms *ps = sc_pseudonyms_create(&tx, SC_STR("k"), 0, 64);
    uint64_t seed = 11;
    for (uint32_t n = 0; n <= 3 * SC_IDENTIFIERS_MAX; n++) {
        struct sc_event at_once = {0}, in_two = {0};
        for (uint32_t i = 0; i < n; i++) {
            struct sc_identifier whole, begun;
            int who = (int)(next_random(&seed) % 24);
            uint8_t ns = who & 1;
            struct sc_str raw = sc_str_printf(&ar, ns ? "+479100%04d" : "a%d@x.no", who);
            cr_assert_eq(sc_identify(ps, ns, raw, &ar, &whole), SC_IDENT_OK);
            cr_assert_eq(sc_identify_begin(ps, ns, raw, &ar, &begun), SC_IDENT_OK);
            sc_identifiers_add(&at_once, &whole);
            sc_identifiers_begin(ps, &in_two, &begun);
        }
        sc_identifiers_end(ps, &in_two);
        cr_assert_eq(in_two.ids_begun, 0);
        cr_assert_eq(in_two.n_ids, at_once.n_ids);
        cr_assert_eq(in_two.ids_demoted > 0, at_once.ids_demoted > 0);
        for (uint32_t i = 0; i < at_once.n_ids; i++)
            cr_assert(sc_node_eq(&in_two.ids[i].node, &at_once.ids[i].node), "%u of %u", i, n);
    }
    sc_pseudonyms_destroy(ps);
}

/* ---- Phones */

Test(identity, zones_of_phones)
{
    static const struct {
        const char *phone, *zone;
    } rows[] = {{"+4722334455", "Europe/Oslo"}, {"+442079460958", "Europe/London"},
                {"+819012345678", "Asia/Tokyo"}, {"+12425551234", "America/Nassau"},
                {"+12125551234", ""},            {"+61412345678", ""},
                {"+74951234567", ""},            {"+34912345678", ""},
                {"22334455", ""},                {"", ""},
                {"+", ""},                       {"+4", ""},
                {"+999123", ""}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sc_str zone = sc_phone_zone(sc_str_from(rows[i].phone));
        cr_expect(sc_str_eqz(zone, rows[i].zone), "%s: %.*s", rows[i].phone, SC_STR_FMT(zone));
    }
}

Test(identity, every_zone_of_a_phone_exists)
{
    unsigned countries = 0;
    for (int prefix = 1; prefix <= 9999; prefix++) {
        struct sc_str zone = sc_phone_zone(sc_str_printf(&ar, "+%d", prefix));
        struct sc_str shorter = sc_phone_zone(sc_str_printf(&ar, "+%d", prefix / 10));
        if (zone.len == 0 || shorter.len > 0)
            continue;
        struct sc_tz *tz = sc_tz_load(zone);
        cr_expect_not_null(tz, "+%d: %.*s", prefix, SC_STR_FMT(zone));
        countries++;
        if (tz != NULL)
            sc_tz_destroy(tz);
    }
    cr_expect_eq(countries, 210, "a prefix out of order is never found");
}
