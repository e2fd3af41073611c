/* See ahead.h. */
#include "kafka/ahead.h"

#include <stddef.h>

/* Measured: bench/README.md. */
#define AHEAD_MESSAGES "5000"
#define AHEAD_KBYTES "1024"
/* Of all partitions of a broker in one answer: its default, which the client would lower to
 * AHEAD_KBYTES. One partition can fill that, and the client always names it first. */
#define ANSWER_BYTES "52428800"
/* Of one partition. Of a MiB, as it would be, an answer takes a little more than a power of two, and of
 * that the allocator a quarter more. */
#define PARTITION_BYTES "1000000"
#define HALF_MESSAGES 2500u
#define HALF_BYTES (512u << 10)
#define BACKOFF_SINCE 0x02020000 /* the client that has fetch.queue.backoff.ms */

bool sc_ahead_conf(rd_kafka_conf_t *conf)
{
    static const char *const pairs[][2] = {{"queued.min.messages", AHEAD_MESSAGES},
                                           {"queued.max.messages.kbytes", AHEAD_KBYTES},
                                           {"fetch.max.bytes", ANSWER_BYTES},
                                           {"fetch.message.max.bytes", PARTITION_BYTES},
                                           {"fetch.queue.backoff.ms", "5"}};
    size_t n = rd_kafka_version() >= BACKOFF_SINCE ? 5 : 4;
    bool fine = true;
    for (size_t i = 0; i < n; i++)
        fine &= rd_kafka_conf_set(conf, pairs[i][0], pairs[i][1], NULL, 0) == RD_KAFKA_CONF_OK;
    return fine;
}

/* Once the queues of all of a broker's partitions are full, its thread sleeps for up to a second,
 * whatever is taken out meanwhile; any request wakes it. So its broker is asked for the end of the
 * partition, and the answer is not waited for. */
static void wake(rd_kafka_t *rk, const char *topic, int32_t partition)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_offsets_for_times(rk, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
}

void sc_ahead_took(struct sc_ahead *a, rd_kafka_t *rk, const rd_kafka_message_t *m)
{
    a->messages++;
    a->bytes += m->len;
    if (a->messages < HALF_MESSAGES && a->bytes < HALF_BYTES)
        return;
    *a = (struct sc_ahead){0};
    if (rd_kafka_version() < BACKOFF_SINCE)
        wake(rk, rd_kafka_topic_name(m->rkt), m->partition);
}
