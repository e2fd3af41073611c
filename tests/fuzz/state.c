/* A stored state of any bytes: refused, or read, written again, read again, and used. */
#include "../lib/states.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct shop sh;
    static struct sc_arena ar;
    if (sh.jo.tx == NULL) {
        shop_init(&sh, states_journey);
        sc_arena_init(&ar);
    }
    struct sc_str in = {(const char *)data, size};
    struct sc_node_id node = shop_node(1, 2);
    struct sc_state *st = sc_state_decode(&sh.jo, node, in, &ar);
    struct sc_state_peek peek;
    SC_ASSERT(st == NULL || sc_state_peek(in, &peek));
    struct sc_state *opened = sc_state_open(&sh.jo, node, in, &ar);
    if (opened && opened->last_ms < SHOP_START) { /* what is unread, from another base */
        struct sc_buf moved = {.ar = &ar};
        opened->last_ms += SC_STATE_BASE_MS;
        sc_state_encode(&sh.jo, opened, &moved);
    }
    SC_ASSERT((opened && sc_facts_read(opened)) == (st != NULL));
    if (st) {
        struct sc_buf a = {.ar = &ar}, b = {.ar = &ar}, line = {.ar = &ar};
        bool all = sc_state_encode(&sh.jo, st, &a);
        struct sc_state *again = sc_state_decode(&sh.jo, node, sc_buf_view(&a), &ar);
        SC_ASSERT(again != NULL);
        sc_state_encode(&sh.jo, again, &b);
        SC_ASSERT(!all || sc_str_eq(sc_buf_view(&a), sc_buf_view(&b)));
        if (st->kind == SC_STATE_ROOT)
            sc_state_customer_json(&sh.jo, st, SHOP_START, NULL, NULL, &line);
        sc_state_merge(&sh.jo, sc_state_new(&sh.jo, shop_node(1, 1), &ar), again);
    }
    sc_arena_reset(&ar, 1 << 20);
    return 0;
}
