/* Outbox: the messages of a transaction, kept back until it ends or they are many.
 *
 * Given to librdkafka one by one, as they come, they cost a request a partition to register it with
 * the transaction, and 2.0.2's main thread spins for a millisecond behind each such request (its
 * timer is under a millisecond, its wait counts whole ones). Given in one burst they cost one or
 * two, and go out in few, large batches. Payloads are copied once, into the outbox: librdkafka
 * borrows them until it has reported their delivery. */
#ifndef SC_KAFKA_OUTBOX_H
#define SC_KAFKA_OUTBOX_H

#include "base/arena.h"
#include "engine/port.h"
#include <librdkafka/rdkafka.h>

#define SC_OUTBOX_BYTES (16u << 20) /* more is sent at once: the client need not hold all of it */

struct sc_outbox_item {
    uint16_t topic;
    int32_t partition;         /* -1: by the key */
    struct sc_str key, value;  /* in the arena */
    int64_t timestamp_ms;
    rd_kafka_headers_t *headers; /* ours until sent; NULL: none */
    int64_t *mark;             /* takes the offset; NULL: nobody asks */
};

struct sc_outbox {
    struct sc_arena ar;
    struct sc_outbox_item *items; /* not sent yet */
    uint32_t n, cap;
    size_t bytes;              /* of these */
};

void sc_outbox_init(struct sc_outbox *ob);
void sc_outbox_fini(struct sc_outbox *ob);
/* Copies. */
void sc_outbox_add(struct sc_outbox *ob, const struct sc_out *out, int64_t *mark);
/* What is kept back was taken by the client: its payloads stay. */
void sc_outbox_sent(struct sc_outbox *ob);
/* Forget everything: only when the client borrows nothing any more. */
void sc_outbox_clear(struct sc_outbox *ob);

#endif
