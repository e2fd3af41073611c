/* Outbox: the messages of a transaction, kept back until it ends or they fill a request.
 *
 * Given to librdkafka one by one, as they come, they cost a request a partition to register it with
 * the transaction, and 2.0.2's main thread spins for a millisecond beside each such request (its
 * timer is under a millisecond, its wait counts whole ones). Given in a burst they cost one, and go
 * out in few, large batches.
 *
 * They are kept by place, which is a partition, or a topic whose partitions the key decides, so
 * that as much can be given at once as one request of each partition holds (txn.c says why). Copied
 * once, into the outbox: librdkafka borrows keys and payloads until it has reported their delivery;
 * its own headers are made when a message is given, to be near when it reads them. Thread: the
 * worker's. */
#ifndef SC_KAFKA_OUTBOX_H
#define SC_KAFKA_OUTBOX_H

#include "base/arena.h"
#include "engine/port.h"
#include "engine/topics.h"
#include <librdkafka/rdkafka.h>

struct sc_outbox_item {
    struct sc_outbox_item *next; /* of the same place */
    struct sc_str key, value;    /* in the arena */
    struct sc_str headers;       /* packed; see sc_outbox_headers */
    int64_t timestamp_ms;
    int64_t *mark;               /* takes the offset; NULL: nobody asks */
    size_t bytes;                /* see sc_outbox_bytes */
};

struct sc_outbox_place {
    uint16_t topic;
    int32_t partition; /* -1: by the key */
    struct sc_outbox_item *first, *last; /* not given yet */
    size_t bytes;                        /* of these, about as they take in a request */
};

struct sc_outbox {
    struct sc_arena ar;
    struct sc_outbox_place *places; /* in order of their first message ever */
    uint32_t n_places, cap_places;
    struct {
        uint32_t *place; /* by partition + 1: index + 1; 0: none yet */
        uint32_t n;
    } at[SC_OUT_MAX];
    size_t bytes; /* of all places */
};

void sc_outbox_init(struct sc_outbox *ob);
void sc_outbox_fini(struct sc_outbox *ob);
/* Where such a message is kept. Valid until the next call. */
struct sc_outbox_place *sc_outbox_place(struct sc_outbox *ob, uint16_t topic, int32_t partition);
/* Copies. */
void sc_outbox_add(struct sc_outbox *ob, const struct sc_out *out, int64_t *mark);
/* What a message takes in a request, about, and no less. */
size_t sc_outbox_bytes(const struct sc_out *out);
/* Its headers as the client wants them, the caller's; NULL: it has none. */
rd_kafka_headers_t *sc_outbox_headers(const struct sc_outbox_item *it);
/* Have what the next two of `place` are made of on its way: it was written a transaction ago. */
void sc_outbox_prefetch(const struct sc_outbox_place *place);
/* The first of `place` was taken by the client: it is forgotten, its key and value stay. */
void sc_outbox_given(struct sc_outbox *ob, struct sc_outbox_place *place);
/* Forget everything: only when the client borrows nothing any more. */
void sc_outbox_clear(struct sc_outbox *ob);

#endif
