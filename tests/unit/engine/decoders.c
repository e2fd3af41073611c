/* Which plan reads a record, and what is said where none can; the registry is a small table. */
#include "engine/decoders.h"

#include "base/log.h"
#include "core/taxonomy/taxonomy.h"

#include <criterion/criterion.h>

enum { GOOD = 8, OTHER_FORMAT = 9, BROKEN = 10, UNKNOWN = 11, AWAY = 12 };

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
        [GOOD] = "{\"type\":\"record\",\"name\":\"R\",\"fields\":["
                 "{\"name\":\"id\",\"type\":\"string\"}]}",
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

/* One framed Avro record of `schema`, holding the text "a". */
static struct sc_decoding decoded(struct sc_decoders *dc, const struct sc_source *src,
                                  uint8_t schema, enum sc_err expected)
{
    char value[] = {0, 0, 0, 0, (char)schema, 2, 'a'};
    struct sc_decoding d = {0};
    cr_assert_eq(sc_decoders_get(dc, src, (struct sc_str){value, sizeof(value)}, &d), expected);
    return d;
}

Test(decoders, what_cannot_be_read_is_said_by_its_code)
{
    static const struct sc_schemas_ops ops = {.get = get};
    struct sc_schemas schemas = {&ops};
    struct sc_taxonomy tx = {0};
    struct sc_source src = {.name = SC_STR("web"), .format = SC_FORMAT_AVRO, .framed = true};
    struct sc_journey jo = {.tx = &tx};
    struct sc_engine_config cfg = {.jo = &jo};
    static struct sc_worker w;
    struct sc_str none = SC_STR_NULL;
    tx.sources = &src;
    tx.n_sources = 1;
    w.cfg = &cfg;
    w.schemas = &schemas;
    w.clock = (struct sc_clock){mono_ms, mono_ms, NULL};
    sc_log_setup(SC_LOG_ERROR + 1, SC_LOG_LOGFMT);
    struct sc_decoders *dc = sc_decoders_create(&w, &none);
    cr_expect_eq(decoded(dc, &src, GOOD, SC_ERR_OK).drop, SC_DROP_NONE);
    cr_expect_eq(decoded(dc, &src, OTHER_FORMAT, SC_ERR_OK).drop, SC_DROP_SCHEMA_UNUSABLE);
    cr_expect_eq(decoded(dc, &src, BROKEN, SC_ERR_OK).drop, SC_DROP_SCHEMA_UNUSABLE);
    cr_expect_eq(decoded(dc, &src, UNKNOWN, SC_ERR_OK).drop, SC_DROP_SCHEMA_UNKNOWN);
    int before = asked;
    decoded(dc, &src, UNKNOWN, SC_ERR_OK);
    decoded(dc, &src, BROKEN, SC_ERR_OK);
    cr_expect_eq(asked, before, "what is known is not asked for again");
    now_ms += 30000;
    decoded(dc, &src, UNKNOWN, SC_ERR_OK);
    cr_expect_eq(asked, before + 1, "an unknown id is, after a while");
    decoded(dc, &src, AWAY, SC_ERR_UNAVAILABLE);
    sc_decoders_destroy(dc);
}
