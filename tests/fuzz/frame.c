/* A journal frame of any bytes; behind the checksum too, by record. */
#include "../lib/states.h"
#include "codec/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct shop sh;
    static struct sc_arena ar;
    static struct sc_frame_item item;
    if (sh.jo.tx == NULL) {
        shop_init(&sh, states_journey);
        sc_arena_init(&ar);
    }
    struct sc_str in = {(const char *)data, size};
    struct sc_frame_reader r;
    if (sc_frame_open(&r, &sh.jo, in, &ar))
        while (sc_frame_next(&r, &item) == 1)
            ;
    if (sc_record_decode(&sh.tx, in, &ar, &item) &&
        (item.kind != SC_REC_EVENT || item.event.type != SC_EVENT_UNKNOWN)) {
        struct sc_buf a = {.ar = &ar}, b = {.ar = &ar};
        sc_record_encode(&sh.tx, &item.rec, &a);
        SC_ASSERT(sc_record_decode(&sh.tx, sc_buf_view(&a), &ar, &item));
        sc_record_encode(&sh.tx, &item.rec, &b);
        SC_ASSERT(sc_str_eq(sc_buf_view(&a), sc_buf_view(&b)));
    }
    r = (struct sc_frame_reader){.in = in, .left = 64, .jo = &sh.jo, .ar = &ar};
    while (sc_frame_next(&r, &item) == 1) /* the checksum taken for good */
        ;
    sc_arena_reset(&ar, 1 << 20);
    return 0;
}
