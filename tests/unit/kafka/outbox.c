/* The outbox: order within a place, what is left, and headers through their packed form. */
#include "kafka/outbox.h"

#include <criterion/criterion.h>

static struct sc_out out_to(uint16_t topic, int32_t partition, const char *value)
{
    return (struct sc_out){.topic = topic, .partition = partition, .value = sc_str_from(value)};
}

/* Take the first away, as the client would. */
static struct sc_str take(struct sc_outbox *ob, struct sc_outbox_place *pl)
{
    cr_assert_not_null(pl->first);
    struct sc_str value = pl->first->value;
    sc_outbox_prefetch(pl);
    sc_outbox_given(ob, pl);
    return value;
}

Test(outbox, each_place_keeps_its_order)
{
    struct sc_outbox ob;
    sc_outbox_init(&ob);
    static const struct { uint16_t topic; int32_t partition; const char *value; } in[] = {
        {0, 3, "a"}, {1, -1, "b"}, {0, 3, "c"}, {0, 700, "d"}, {1, -1, "e"}, {0, 3, "f"}, {0, 0, "g"},
    };
    size_t each = 0;
    for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
        const struct sc_out out = out_to(in[i].topic, in[i].partition, in[i].value);
        each = sc_outbox_bytes(&out);
        sc_outbox_add(&ob, &out, NULL);
    }
    cr_assert_eq(ob.n_places, 4);
    cr_expect_eq(ob.bytes, 7 * each);
    cr_expect_eq(sc_outbox_place(&ob, 0, 3)->bytes, 3 * each);
    cr_expect_eq(sc_outbox_place(&ob, 1, -7), &ob.places[1], "no partition is the key's");
    static const char *const want[] = {"acf", "be", "d", "g"};
    for (uint32_t i = 0; i < ob.n_places; i++) {
        for (const char *at = want[i]; *at; at++)
            cr_expect_eq(*take(&ob, &ob.places[i]).p, *at);
        cr_expect_null(ob.places[i].first);
        cr_expect_eq(ob.places[i].bytes, 0);
    }
    cr_expect_eq(ob.bytes, 0);

    /* After a transaction its places stand, empty. */
    const struct sc_out again = out_to(0, 700, "h");
    sc_outbox_add(&ob, &again, NULL);
    cr_expect_eq(ob.n_places, 4);
    cr_expect_not_null(ob.places[2].first);
    sc_outbox_clear(&ob);
    cr_expect_null(ob.places[2].first);
    cr_expect_eq(ob.places[2].bytes, 0);
    cr_expect_eq(ob.bytes, 0);
    sc_outbox_fini(&ob);
}

Test(outbox, headers_are_what_they_were)
{
    struct sc_outbox ob;
    sc_outbox_init(&ob);
    const struct sc_header in[] = {
        {SC_STR("ce_id"), SC_STR("1")}, {SC_STR("none"), SC_STR_NULL}, {SC_STR("empty"), SC_STR("")},
        {SC_STR("bytes"), {"a\0b", 3}}, {SC_STR("ce_id"), SC_STR("again")},
    };
    struct sc_out out = out_to(2, -1, "v");
    sc_outbox_add(&ob, &out, NULL);
    cr_expect_null(sc_outbox_headers(ob.places[0].first));
    size_t bare = ob.places[0].bytes;
    take(&ob, &ob.places[0]);

    out.headers = in;
    out.n_headers = sizeof(in) / sizeof(in[0]);
    sc_outbox_add(&ob, &out, NULL);
    cr_expect_gt(ob.places[0].bytes, bare);
    rd_kafka_headers_t *hs = sc_outbox_headers(ob.places[0].first);
    cr_assert_eq(rd_kafka_header_cnt(hs), out.n_headers);
    for (uint32_t i = 0; i < out.n_headers; i++) {
        const char *name;
        const void *value;
        size_t n;
        cr_assert_eq(rd_kafka_header_get_all(hs, i, &name, &value, &n),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
        cr_expect(sc_str_eqz(in[i].name, name));
        cr_expect_eq(value == NULL, in[i].value.p == NULL);
        cr_expect(value == NULL || sc_str_eq((struct sc_str){value, n}, in[i].value));
    }
    rd_kafka_headers_destroy(hs);
    sc_outbox_fini(&ob);
}
