#include "wants.h"

#include "base/arena.h"

#include <criterion/criterion.h>

static struct sc_arena arena;

static void setup(void)
{
    sc_arena_init(&arena);
}
static void teardown(void)
{
    sc_arena_fini(&arena);
}
TestSuite(wire, .init = setup, .fini = teardown);

Test(wire, reads_what_real_clients_write)
{
    uint32_t id = 0;
    struct sc_str body;
    struct sc_str in = from_hex(&arena, "00 00000007 d8040441");
    cr_assert_eq(sc_wire_read(in, &id, &body), SC_DROP_NONE);
    cr_expect_eq(id, 7);
    cr_expect_eq(body.p, in.p + 5);
    cr_expect_eq(body.len, 4);
    cr_assert_eq(sc_wire_read(from_hex(&arena, "00 fedcba98"), &id, &body), SC_DROP_NONE);
    cr_expect_eq(id, 0xfedcba98u);
    cr_expect_eq(body.len, 0);
}

Test(wire, refuses_other_frames)
{
    uint32_t id;
    struct sc_str body;
    cr_expect_eq(sc_wire_read(SC_STR_NULL, &id, &body), SC_DROP_FRAME_TRUNCATED);
    cr_expect_eq(sc_wire_read(from_hex(&arena, "00000007"), &id, &body), SC_DROP_FRAME_TRUNCATED);
    cr_expect_eq(sc_wire_read(from_hex(&arena, "0100000007"), &id, &body), SC_DROP_FRAME_MAGIC);
    cr_expect_eq(sc_wire_read(SC_STR("{\"a\":1}"), &id, &body), SC_DROP_FRAME_MAGIC);
}

static const char *index_text(const char *hex)
{
    uint32_t index[SC_DECODE_DEPTH], n;
    struct sc_str body = from_hex(&arena, hex);
    enum sc_drop drop = sc_wire_index(&body, index, &n);
    if (drop != SC_DROP_NONE) {
        cr_expect_eq(drop, SC_DROP_FRAME_INDEX);
        return "refused";
    }
    struct sc_str text = SC_STR("");
    for (uint32_t i = 0; i < n; i++)
        text = sc_str_printf(&arena, "%.*s%u ", SC_STR_FMT(text), index[i]);
    return sc_str_printf(&arena, "%.*s| %zu", SC_STR_FMT(text), body.len).p;
}

Test(wire, reads_message_indices_in_both_spellings)
{
    cr_expect_str_eq(index_text("00 0807"), "0 | 2");
    cr_expect_str_eq(index_text("0200 0807"), "0 | 2");
    cr_expect_str_eq(index_text("040000 0809"), "0 0 | 2");
    cr_expect_str_eq(index_text("0202 080b"), "1 | 2");
    cr_expect_str_eq(index_text("06 02 00 80 02"), "1 0 128 | 0");
}

Test(wire, refuses_damaged_indices)
{
    cr_expect_str_eq(index_text(""), "refused");
    cr_expect_str_eq(index_text("02"), "refused");       /* an entry is missing */
    cr_expect_str_eq(index_text("01"), "refused");       /* -1 entries */
    cr_expect_str_eq(index_text("0201"), "refused");     /* entry -1 */
    cr_expect_str_eq(index_text("80"), "refused");       /* half a varint */
    cr_expect_str_eq(index_text("82010000"), "refused"); /* 65 entries */
    cr_expect_str_eq(index_text("ffffffffffffffffff01"), "refused");
    cr_expect_str_eq(index_text("02feffffff1f"), "refused"); /* past an int32 */
}

Test(wire, writes_what_it_reads)
{
    struct sc_buf b = {0};
    uint32_t id;
    struct sc_str body;
    sc_wire_write(&b, 0x01020304);
    sc_buf_addz(&b, "{}");
    cr_assert_eq(sc_wire_read(sc_buf_view(&b), &id, &body), SC_DROP_NONE);
    cr_expect_eq(id, 0x01020304u);
    cr_expect_str_eq(body.p ? sc_str_dup(&arena, body).p : "", "{}");
    sc_buf_fini(&b);
}
