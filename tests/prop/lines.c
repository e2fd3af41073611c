/* Plain lines are read past the decoder (cli/canonical_plain.c): of every line, right or spoilt, what
 * that reader makes is what decoder and intake make, and what it does not make they may. */
#include "../lib/states.h"
#include "cli/canonical_plain.h"
#include "codec/decoder.h"

#define ROUNDS 60000

static const char taxonomy[] =
    "taxonomy: lines\n"
    "version: 1.0.0\n"
    "namespaces:\n"
    "  account_id: { priority: 1, unique: true }\n"
    "  phone: { priority: 2, normalize: e164 }\n"
    "  email: { priority: 3, normalize: email }\n"
    "  a_namespace_with_a_long_name: { priority: 4 }\n"
    "events:\n"
    "  viewed:\n"
    "    aliases: [ { name: seen, until: 2.0.0 } ]\n"
    "    properties: { total: { type: double } }\n" /* decimal in the other: one path, two readings */
    "  paid_with_something_long:\n"
    "    properties:\n"
    "      total: { type: decimal, scale: 2, required: true, min: 0 }\n"
    "      items: { type: int, max: 100 }\n"
    "      score: { type: double }\n"
    "      kind: { type: enum, values: [a, bb] }\n"
    "      gift: { type: bool }\n"
    "      delivered_at_the_latest: { type: timestamp }\n"
    "      tags: { type: list(string) }\n"
    "sources:\n"
    "  web: { topic: web, format: json }\n";

/* Words lines are made of: after most of them a reader has to decide something. */
static const char *const keys[] = {
    "\"event\"", "\"id\"", "\"occurred_at\"", "\"source\"", "\"identifiers\"", "\"properties\"", "\"other\"",
    "\"account_id\"", "\"phone\"", "\"email\"", "\"a_namespace_with_a_long_name\"", "\"total\"", "\"items\"",
    "\"score\"", "\"kind\"", "\"gift\"", "\"delivered_at_the_latest\"", "\"tags\"", "\"unknown\""};
static const char *const values[] = {
    "\"viewed\"", "\"seen\"", "\"paid_with_something_long\"", "\"nothing\"", "\"e1\"", "\"\"", "\"a\"", "\"bb\"",
    "\"2026-01-01T00:00:00.011Z\"", "\"2026-01-01T10:00:00+02:00\"", "\"0000-01-01T00:00:00Z\"", "\"web\"", "\"pos\"", "12",
    "12.50", "12.501", "-1", "1e3", "1e-30", "12345678901234567890", "101", "true", "false", "null", "\"+4712345678\"", "\" A@b.no \"", "\"guest\"",
    "[\"x\"]", "{}", "\"\\u0041\"", "\"\xc3\xa5\"", "\"1767225600000\"", "1767225600000"};
#define PICK(c, list) (list)[chance_below((c), sizeof(list) / sizeof((list)[0]))]

static void add(struct sc_buf *b, struct chance *c, const char *text)
{
    sc_buf_addz(b, text);
    if (chance_below(c, 600) == 0)
        sc_buf_char(b, ' ');
}

static const char *event_value(struct chance *c)
{
    return values[chance_below(c, 20) ? chance_below(c, 3) : chance_below(c, 30)];
}

/* A likely value of a likely key. */
static const char *likely(struct chance *c, const char *key)
{
    static const struct {
        const char *key, *values[3];
    } v[] = {{"\"id\"", {"\"e1\"", "\"e2\"", "\"a-longer-id-of-an-event\""}},
             {"\"occurred_at\"", {"\"2026-01-01T00:00:00.011Z\"", "\"2026-01-01T10:00:00+02:00\"", "\"2026-01-02T00:00:00Z\""}},
             {"\"source\"", {"\"web\"", "\"pos\"", "\"web\""}},
             {"\"account_id\"", {"\"a1\"", "\"unknown\"", "\"A 1\""}},
             {"\"a_namespace_with_a_long_name\"", {"\"x\"", "\"0\"", "\"x\""}},
             {"\"phone\"", {"\"+4712345678\"", "\"0047 123 45 678\"", "\"guest\""}},
             {"\"email\"", {"\"a@b.no\"", "\" A@b.no \"", "\"test@test.com\""}},
             {"\"total\"", {"12.50", "\"12.5\"", "7"}},
             {"\"items\"", {"12", "12.0", "\"12\""}},
             {"\"score\"", {"1.5", "2", "12.501"}},
             {"\"kind\"", {"\"a\"", "\"bb\"", "\"a\""}},
             {"\"gift\"", {"true", "false", "true"}},
             {"\"delivered_at_the_latest\"", {"\"2026-01-01T00:00:00Z\"", "1767225600000", "\"2026-01-01T00:00:00.5Z\""}}};
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        if (strcmp(v[i].key, key) == 0 && chance_below(c, 12))
            return v[i].values[chance_below(c, 3)];
    return PICK(c, values);
}

static void object(struct sc_buf *b, struct chance *c, size_t first, size_t n)
{
    size_t members = (size_t)chance_below(c, (int64_t)n);
    add(b, c, "{");
    for (size_t i = 0; i < members; i++) {
        const char *key = chance_below(c, 30) ? keys[first + (i + (chance_below(c, 12) == 0)) % n] : PICK(c, keys);
        add(b, c, i ? "," : "");
        add(b, c, key);
        add(b, c, chance_below(c, 2) ? ":" : ": ");
        add(b, c, likely(c, key));
    }
    add(b, c, "}");
}

static void line(struct sc_buf *b, struct chance *c)
{
    bool spaces = chance_below(c, 2), empty = false;
    b->len = 0;
    add(b, c, "{");
    for (size_t i = 0; i < 6; i++) {
        size_t k = chance_below(c, 25) ? i : (size_t)chance_below(c, 7);
        if (chance_below(c, 30) == 0)
            continue;
        add(b, c, i ? spaces ? ", " : "," : "");
        add(b, c, keys[k]);
        add(b, c, spaces ? ": " : ":");
        if (k == 4)
            object(b, c, 7, 4);
        else if (k == 5)
            object(b, c, 11, empty ? 1 : 7);
        else if (k == 0) {
            const char *event = event_value(c);
            empty = event != values[2] && chance_below(c, 8); /* it has no properties */
            add(b, c, event);
        } else
            add(b, c, likely(c, keys[k]));
    }
    add(b, c, "}");
    if (chance_below(c, 30) == 0)
        b->p[chance_below(c, (int64_t)b->len)] = (char)chance_below(c, 256);
    if (chance_below(c, 40) == 0)
        b->len = (size_t)chance_below(c, (int64_t)b->len);
}

static bool same_values(const struct sc_event *a, const struct sc_event *b)
{
    for (uint32_t i = 0; i < a->n_props; i++)
        if (a->props[i].type != b->props[i].type || (sc_is_value(a->props[i]) && !sc_value_eq(a->props[i], b->props[i])))
            return false;
    return true;
}

static bool same_ids(const struct sc_event *a, const struct sc_event *b)
{
    bool same = a->n_ids == b->n_ids && a->ids_demoted == b->ids_demoted;
    for (uint32_t i = 0; same && i < a->n_ids; i++)
        same = sc_node_eq(&a->ids[i].node, &b->ids[i].node) && a->ids[i].ns == b->ids[i].ns &&
               sc_str_eq(a->ids[i].value, b->ids[i].value);
    return same;
}

static bool same_events(const struct sc_event *a, const struct sc_event *b)
{
    return a->type == b->type && a->source == b->source && a->deprecated == b->deprecated &&
           a->clamped == b->clamped && sc_str_eq(a->source_name, b->source_name) &&
           sc_str_eq(a->id, b->id) && a->id_hash == b->id_hash &&
           a->content_hash == b->content_hash && a->occurred_ms == b->occurred_ms &&
           a->claimed_ms == b->claimed_ms && sc_str_eq(a->phone_zone, b->phone_zone) &&
           a->n_props == b->n_props && a->origin.offset == b->origin.offset &&
           same_ids(a, b) && same_values(a, b);
}

struct readers {
    struct sc_taxonomy tx;
    struct sc_pseudonyms *ps;
    struct sc_plain *plain;
    const struct sc_decoder *decoder;
    struct sc_value *slots;
    struct sc_arena ar; /* a line's */
    uint32_t read, plainly;
};

static void check(struct readers *r, struct sc_str text)
{
    struct sc_event fast, slow;
    struct sc_fault fault;
    struct sc_record_meta meta = {.timestamp_ms = INT64_MIN, .origin = {SC_STR("f"), -1, 7}};
    /* on the heap and not a byte longer, so that reading past the end is found */
    char *copy = sc_malloc(text.len);
    memcpy(copy, text.p, text.len);
    struct sc_str own = {copy, text.len};
    sc_arena_reset(&r->ar, 1 << 20);
    bool plainly = sc_plain_read(r->plain, own, &meta, &r->ar, &fast);
    if (plainly)
        sc_intake_end(&r->tx, r->ps, &r->ar, &fast);
    enum sc_drop drop = sc_decode(r->decoder, own, &r->ar, r->slots, &fault);
    if (drop == SC_DROP_NONE)
        drop = sc_intake(&r->tx, &r->tx.canonical, r->slots, &meta, r->ps, &r->ar, &slow, &fault);
    r->read += drop == SC_DROP_NONE;
    r->plainly += plainly;
    if (plainly && (drop != SC_DROP_NONE || !same_events(&fast, &slow))) {
        fprintf(stderr, "another event than the decoder's (%s):\n%.*s\n", sc_drop_text(drop), SC_STR_FMT(text));
        abort();
    }
    free(copy);
}

int main(void)
{
    struct chance c = {20261127};
    struct sc_arena load;
    struct sc_diag dg;
    struct sc_buf b = {0};
    struct readers r = {0};
    sc_arena_init(&load);
    sc_arena_init(&r.ar);
    sc_diag_init(&dg, &load);
    struct sc_node *doc = sc_node_parse(SC_STR("t.yaml"), sc_str_from(taxonomy), NULL, NULL, &load, &dg);
    if (doc == NULL || !sc_taxonomy_load(&r.tx, doc, &load, &dg)) {
        sc_diag_render(&dg, SC_DIAG_TEXT, false, &b);
        fprintf(stderr, "%.*s", SC_STR_FMT(sc_buf_view(&b)));
        return 1;
    }
    r.ps = sc_pseudonyms_create(&r.tx, SC_STR("key"), 0, 1024);
    r.plain = sc_plain_create(&r.tx, r.ps, &load);
    r.decoder = sc_json_decoder(&r.tx.canonical.projection, &load);
    r.slots = SC_NEW_N(&load, struct sc_value, r.tx.canonical.projection.n + 1);
    if (r.plain == NULL)
        return 77;
    for (int i = 0; i < ROUNDS; i++) {
        line(&b, &c);
        check(&r, sc_buf_view(&b));
    }
    printf("%d lines, %u events, %u of them plainly\n", ROUNDS, r.read, r.plainly);
    fflush(stdout);
    SC_ASSERT(r.plainly > ROUNDS / 20);
    sc_pseudonyms_destroy(r.ps);
    sc_taxonomy_fini(&r.tx);
    sc_buf_fini(&b);
    sc_arena_fini(&r.ar);
    sc_arena_fini(&load);
    return 0;
}
