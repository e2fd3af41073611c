/* End-to-end latency of `run`: sends events at an even rate and reads the messages that follow, as a
 * sender would (read_committed). An event's id is the time at which it was handed to the client.
 *
 *     bench_ticks BROKERS SOURCE OUT RATE SECONDS   # one line: how many, quantiles in milliseconds
 *
 * The first twenty seconds are sent and not counted: a broker just started compiles itself, and makes
 * the very sender wait for as much as two. */
#include "base/assert.h"
#include "base/time.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTITIONS 4
#define CUSTOMERS 100000u
#define WARM_S 20
#define PATIENCE_MS 15000 /* for the last messages */

struct seen { /* the reader's */
    rd_kafka_t *rk;
    int64_t from_us;   /* events before that do not count */
    double *ms;        /* a latency a counted event, at most `all` */
    size_t all;
    _Atomic size_t n;
    _Atomic bool stop;
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *const *pairs)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; pairs[i]; i += 2)
        if (rd_kafka_conf_set(conf, pairs[i], pairs[i + 1], why, sizeof(why)) != RD_KAFKA_CONF_OK) {
            fprintf(stderr, "bench_ticks: %s\n", why);
            exit(EXIT_FAILURE);
        }
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why));
    if (rk == NULL) {
        fprintf(stderr, "bench_ticks: %s\n", why);
        exit(EXIT_FAILURE);
    }
    return rk;
}

/* ---- reading */

/* `"events":["<id>"]` of a trigger. */
static void take(struct seen *s, const rd_kafka_message_t *m)
{
    static const char mark[] = "\"events\":[\"";
    const char *at = memmem(m->payload, m->len, mark, sizeof(mark) - 1);
    SC_ASSERT(at != NULL);
    int64_t sent_us = strtoll(at + sizeof(mark) - 1, NULL, 10);
    if (sent_us < s->from_us || s->n == s->all)
        return;
    s->ms[s->n] = (double)(now_us() - sent_us) / 1000;
    s->n++;
}

static void *read_all(void *arg)
{
    struct seen *s = arg;
    while (!s->stop) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(s->rk, 20);
        if (m && m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            take(s, m);
        if (m)
            rd_kafka_message_destroy(m);
    }
    return NULL;
}

/* From what comes now on: assigned, and positioned before the first is sent. */
static void open_reader(struct seen *s, const char *brokers, const char *topic)
{
    const char *const pairs[] = {"bootstrap.servers", brokers, "group.id", "ticks",
                                 "enable.auto.commit", "false", "isolation.level", "read_committed",
                                 "fetch.wait.max.ms", "10", NULL};
    s->rk = client(RD_KAFKA_CONSUMER, pairs);
    rd_kafka_poll_set_consumer(s->rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int32_t p = 0; p < PARTITIONS; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = 0; /* the run's own topic */
    rd_kafka_assign(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- sending */

static void send_one(rd_kafka_t *rk, const char *topic, uint64_t n)
{
    char text[256], at[32];
    int64_t us = now_us();
    uint32_t who = (uint32_t)(n * UINT64_C(2654435761) % CUSTOMERS);
    sc_time_format(sc_time_now_ms(), at);
    int len = snprintf(text, sizeof(text),
                       "{\"id\":\"%" PRId64 ".%" PRIu64 "\",\"at\":\"%s\",\"who\":\"c%u\"}", us, n,
                       at, who);
    rd_kafka_resp_err_t e = rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION((int32_t)(who % PARTITIONS)),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(text, (size_t)len),
        RD_KAFKA_V_END);
    if (e) {
        fprintf(stderr, "bench_ticks: %s\n", rd_kafka_err2str(e));
        exit(EXIT_FAILURE);
    }
}

/* Every millisecond what is due by then. Returns how many. */
static uint64_t send_all(rd_kafka_t *rk, const char *topic, int64_t rate, int64_t seconds)
{
    int64_t began = now_us(), end = began + seconds * 1000000, now;
    uint64_t n = 0;
    while ((now = now_us()) < end) {
        for (uint64_t due = (uint64_t)((now - began) * rate / 1000000); n < due; n++)
            send_one(rk, topic, n);
        rd_kafka_poll(rk, 0);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return n;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("usage: bench_ticks BROKERS SOURCE OUT RATE SECONDS\n", stderr);
        return 64;
    }
    int64_t rate = atoll(argv[4]), seconds = atoll(argv[5]);
    struct seen s = {.all = (size_t)(rate * (seconds + 1))};
    s.ms = calloc(s.all, sizeof(*s.ms));
    SC_ASSERT(rate > 0 && seconds > 0 && s.ms != NULL);
    open_reader(&s, argv[1], argv[3]);
    const char *const pairs[] = {"bootstrap.servers", argv[1], "linger.ms", "1", "acks", "all",
                                 /* a broker just started stands for seconds */
                                 "queue.buffering.max.messages", "1000000", NULL};
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, pairs);
    s.from_us = now_us() + WARM_S * INT64_C(1000000);
    pthread_t reader;
    SC_ASSERT(pthread_create(&reader, NULL, read_all, &s) == 0);
    uint64_t warm = (uint64_t)(rate * WARM_S), sent = send_all(rk, argv[2], rate, WARM_S + seconds);
    bool fine = rd_kafka_flush(rk, 10000) == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int64_t waited = 0; s.n + warm < sent && waited < PATIENCE_MS; waited += 100)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    s.stop = true;
    pthread_join(reader, NULL);
    size_t n = s.n;
    qsort(s.ms, n, sizeof(*s.ms), by_size);
    /* One at the edge may count or not. */
    fine = fine && n > 0 && n + warm + (size_t)rate / 20 >= sent;
    if (n > 0)
        printf("%zu messages: p50 %.0f, p95 %.0f, p99 %.0f, most %.0f ms\n", n, s.ms[n / 2],
               s.ms[n * 95 / 100], s.ms[n * 99 / 100], s.ms[n - 1]);
    if (!fine)
        fprintf(stderr, "bench_ticks: %" PRIu64 " events were sent, %zu of their messages came\n",
                sent - warm, n);
    rd_kafka_destroy(rk);
    rd_kafka_consumer_close(s.rk);
    rd_kafka_destroy(s.rk);
    free(s.ms);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
