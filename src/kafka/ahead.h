/* Reading ahead: little, so that a message is still in a cache when it is looked at and its memory is
 * used again soon; and in time, which takes a request to the broker now and then (docs/adr/0019).
 * Thread: the consumer's. */
#ifndef SC_KAFKA_AHEAD_H
#define SC_KAFKA_AHEAD_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

/* What was taken of a partition since its broker was asked something. Zeroed: nothing. */
struct sc_ahead {
    uint32_t messages;
    uint64_t bytes;
};

/* Set how much a consumer reads ahead, of all its partitions together. False: the client refuses it. */
bool sc_ahead_conf(rd_kafka_conf_t *conf);
/* A message of the partition was taken: once half of what may be ahead was, its fetcher is woken. Does
 * not wait. */
void sc_ahead_took(struct sc_ahead *a, rd_kafka_t *rk, const rd_kafka_message_t *m);

#endif
