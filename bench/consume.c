/* Bare consume: what it costs to read a topic with librdkafka's batch queue and look at a byte of each
 * record, the measure that all pipelines are held against. As anybody would write it: nothing of
 * Stagecoach, the C library's allocator. The first quarter warms up and does not count.
 *
 *     bench_consume BROKERS TOPIC EVENTS      # prints: ns of CPU an event
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define PARTITIONS 4
#define BATCH 1000

static double cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static rd_kafka_t *consumer(const char *brokers)
{
    const char *const pairs[] = {"bootstrap.servers", brokers, "group.id", "bare",
                                 "enable.auto.commit", "false", "isolation.level", "read_committed",
                                 "queued.min.messages", "1000000",
                                 "fetch.message.max.bytes", "10485760",
                                 "fetch.max.bytes", "104857600",
                                 "receive.message.max.bytes", "120000000", NULL};
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; pairs[i]; i += 2)
        if (rd_kafka_conf_set(conf, pairs[i], pairs[i + 1], why, sizeof(why)) != RD_KAFKA_CONF_OK)
            return fprintf(stderr, "bench_consume: %s\n", why), NULL;
    return rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
}

static volatile char last_byte;

/* Records in one batch; what is no record counts for nothing. */
static long take(rd_kafka_queue_t *q)
{
    static rd_kafka_message_t *batch[BATCH];
    long records = 0;
    ssize_t n = rd_kafka_consume_batch_queue(q, 50, batch, BATCH);
    for (ssize_t i = 0; i < n; i++) {
        if (batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            records++;
            if (batch[i]->len > 0)
                last_byte = ((const char *)batch[i]->payload)[batch[i]->len - 1];
        }
        rd_kafka_message_destroy(batch[i]);
    }
    return records;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: bench_consume BROKERS TOPIC EVENTS\n", stderr);
        return 64;
    }
    long events = atol(argv[3]), seen = 0, warm = 0;
    double warm_s = 0;
    rd_kafka_t *rk = consumer(argv[1]);
    if (rk == NULL)
        return EXIT_FAILURE;
    rd_kafka_poll_set_consumer(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int p = 0; p < PARTITIONS; p++)
        rd_kafka_topic_partition_list_add(list, argv[2], p)->offset = 0;
    rd_kafka_assign(rk, list);
    rd_kafka_queue_t *q = rd_kafka_queue_get_consumer(rk);
    while (seen < events) {
        seen += take(q);
        if (warm == 0 && seen >= events / 4) {
            warm = seen;
            warm_s = cpu_s();
        }
    }
    printf("%.0f\n", 1e9 * (cpu_s() - warm_s) / (double)(seen - warm));
    rd_kafka_queue_destroy(q);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return EXIT_SUCCESS;
}
