/* Which plan reads a record, and what is said where none can; the registry is a small table. */
#include "engine/decoders.h"

#include "base/log.h"

#include "../../lib/load.h"

#include <criterion/criterion.h>

enum { GOOD = 8, OTHER_FORMAT, BROKEN, UNKNOWN, AWAY, NO_TIME, LONGER };

#define RECORD(name, type)                                                                         \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"" name "\",\"type\":\"" type "\"}"
#define AND(name, type) ",{\"name\":\"" name "\",\"type\":\"" type "\"}"
#define END "]}"

static int asked;
static int64_t now_ms = 1000;

static int64_t mono_ms(void *arg)
{
    (void)arg;
    return now_ms;
}

static enum sc_err get(struct sc_schemas *rs, uint32_t id, struct sc_arena *ar,
                       struct sc_schema_text *out)
{
    static const char *const texts[] = {
        [GOOD] = RECORD("id", "string") AND("at", "long") END,
        [NO_TIME] = RECORD("id", "string") AND("length", "long") END,
        [LONGER] = RECORD("id", "string") AND("at", "long") AND("more", "long") END,
        [OTHER_FORMAT] = "syntax = \"proto3\"; message R { string id = 1; }",
        [BROKEN] = "{\"type\":\"record\"",
    };
    (void)rs, (void)ar;
    asked++;
    if (id == UNKNOWN || id == AWAY)
        return id == AWAY ? SC_ERR_UNAVAILABLE : SC_ERR_NOT_FOUND;
    out->type = id == OTHER_FORMAT ? SC_FORMAT_PROTOBUF : SC_FORMAT_AVRO;
    out->text = sc_str_from(texts[id]);
    return SC_ERR_OK;
}

static const char taxonomy[] =
    "taxonomy: shop\n"
    "version: 1.0.0\n"
    "namespaces: { account_id: { priority: 1, unique: true } }\n"
    "events: { seen: {} }\n"
    "sources:\n"
    "  web: { topic: t, format: avro, event: seen, id: $.id, occurred_at: $.at,\n"
    "         identifiers: { account_id: $.id } }\n";

static struct sc_arena arena;
static struct sc_taxonomy tx;
static struct sc_journey jo;
static struct sc_pseudonyms *ps;
static struct sc_decoders *dc;
static struct sc_event event;
static struct sc_fault fault;

/* One framed record of `schema`, holding the text "a" and the time 1 ms; the event borrows from it. */
static enum sc_drop read_of(uint8_t schema, enum sc_err expected)
{
    static char value[] = {0, 0, 0, 0, 0, 2, 'a', 2};
    value[4] = (char)schema;
    const struct sc_decoders_in in = {
        .source = &tx.sources[0], .value = {value, sizeof(value)}, .ps = ps, .ar = &arena,
        .meta = {.timestamp_ms = 5, .origin = {SC_STR("t"), 3, 7}}};
    enum sc_drop drop;
    cr_assert_eq(sc_decoders_event(dc, &in, &event, &drop, &fault), expected);
    return drop;
}

Test(decoders, a_record_is_an_event_or_says_by_its_code_why_not)
{
    static const struct sc_schemas_ops ops = {.get = get};
    struct sc_schemas schemas = {&ops};
    struct sc_engine_config cfg = {.jo = &jo};
    static struct sc_worker w;
    struct sc_str none = SC_STR_NULL;
    sc_arena_init(&arena);
    load_texts(taxonomy, "journey: shop\n", &tx, &jo, &arena);
    ps = sc_pseudonyms_create(&tx, SC_STR("a key of thirty-two bytes or more"), 0, 16);
    w.cfg = &cfg;
    w.schemas = &schemas;
    w.clock = (struct sc_clock){mono_ms, mono_ms, NULL};
    sc_log_setup(SC_LOG_ERROR + 1, SC_LOG_LOGFMT);
    dc = sc_decoders_create(&w, &none);
    cr_assert_eq(read_of(GOOD, SC_ERR_OK), SC_DROP_NONE, "%s", fault.text);
    cr_expect(sc_str_eqz(event.id, "a") && event.occurred_ms == 1 && event.origin.offset == 7);
    cr_expect_eq(event.n_ids, 1);
    cr_expect_eq(read_of(NO_TIME, SC_ERR_OK), SC_DROP_NO_TIME);
    cr_expect_eq(read_of(LONGER, SC_ERR_OK), SC_DROP_TRUNCATED);
    cr_expect_eq(read_of(OTHER_FORMAT, SC_ERR_OK), SC_DROP_SCHEMA_UNUSABLE);
    cr_expect_eq(read_of(BROKEN, SC_ERR_OK), SC_DROP_SCHEMA_UNUSABLE);
    cr_expect_neq(fault.text[0], '\0', "it says what is wrong with the schema");
    cr_expect_eq(read_of(UNKNOWN, SC_ERR_OK), SC_DROP_SCHEMA_UNKNOWN);
    cr_expect_eq(fault.text[0], '\0', "of the record before nothing is left");
    int before = asked;
    read_of(UNKNOWN, SC_ERR_OK);
    read_of(BROKEN, SC_ERR_OK);
    cr_expect_eq(asked, before, "what is known is not asked for again");
    now_ms += 30000;
    read_of(UNKNOWN, SC_ERR_OK);
    cr_expect_eq(asked, before + 1, "an unknown id is, after a while");
    read_of(AWAY, SC_ERR_UNAVAILABLE);
    sc_decoders_destroy(dc);
    sc_pseudonyms_destroy(ps);
    sc_journey_fini(&jo);
    sc_taxonomy_fini(&tx);
    sc_arena_fini(&arena);
}
