/* Click events for the reference job (bench/reference): the same ones, in the same order, as the
 * generator of the peers it is compared with, which draws from Java's SplittableRandom of seed 42.
 *
 *     bench_clicks kafka BROKERS TOPIC SCHEMA_ID EVENTS CUSTOMERS   # Avro, framed, four partitions
 *     bench_clicks lines EVENTS CUSTOMERS                           # canonical events, to stdout
 *     bench_clicks frames EVENTS CUSTOMERS                          # the same Avro, for bench_workers
 *
 * With --zipf as the last argument customer k comes as often as 1 / k; the peers' generator has them
 * all alike.
 */
#include "base/arena.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/bytes.h"

#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTITIONS 4
#define FIRST_MS INT64_C(1767225600000) /* 2026-01-01 */

struct click {
    int64_t n, ms, received_ms;
    uint32_t customer;
    const char *name;
    char id[64];
    uint32_t app, version, url, page_ms, sku, quantity;
    bool has_version, has_os, has_model, has_user, has_referrer, has_item, has_cart, has_utm;
    double price, value;
};

/* ---- SplittableRandom, as its documentation describes it */

static uint64_t seed = 42;

static int32_t draw(void)
{
    uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 33)) * UINT64_C(0x62A9D9ED799705F5);
    return (int32_t)(uint32_t)(((z ^ (z >> 28)) * UINT64_C(0xCB24D0A5C88C35B3)) >> 32);
}

/* In [0, bound), without a bias. */
static uint32_t below(uint32_t bound)
{
    uint32_t most = bound - 1, u = (uint32_t)draw();
    if ((bound & most) == 0)
        return u & most;
    uint32_t r;
    for (u >>= 1; u + most - (r = u % bound) > INT32_MAX; u = (uint32_t)draw() >> 1)
        continue;
    return r;
}

static bool coin(void)
{
    return draw() < 0;
}

/* ---- events */

/* Zipf's law with exponent 1: sums of 1/k, NULL: all customers alike. */
static double *harmonic;

static void be_skewed(uint32_t customers)
{
    harmonic = sc_malloc(customers * sizeof(*harmonic));
    for (uint32_t k = 0; k < customers; k++)
        harmonic[k] = (k ? harmonic[k - 1] : 0) + 1.0 / (k + 1);
}

static uint32_t draw_customer(uint32_t customers)
{
    if (harmonic == NULL)
        return below(customers);
    double at = (uint32_t)draw() / 4294967296.0 * harmonic[customers - 1];
    uint32_t low = 0;
    for (uint32_t high = customers - 1; low < high;) {
        uint32_t mid = low + (high - low) / 2;
        if (harmonic[mid] <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static void next(struct click *c, uint32_t customers)
{
    static const char *const names[] = {
        "page_viewed",  "product_viewed",  "product_viewed", "product_viewed", "search",
        "cart_updated", "order_completed", "page_viewed",    "page_viewed",    "product_viewed"};
    c->ms += below(20);
    c->customer = draw_customer(customers);
    c->name = names[below(10)];
    if (strcmp(c->name, "order_completed") == 0 && below(3) != 0)
        c->name = "page_viewed";
    uint32_t a = below(65536), b = below(4096), d = below(4096);
    snprintf(c->id, sizeof(c->id), "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)c->n, a, b, d,
             (unsigned long long)c->n);
    c->received_ms = c->ms + below(2000);
    c->app = below(3);
    c->has_version = !coin();
    if (c->has_version)
        c->version = below(40);
    c->has_os = coin();
    c->has_model = coin();
    c->has_user = below(4) == 0;
    c->url = below(100000);
    c->has_referrer = coin();
    c->page_ms = below(3000);
    c->has_item = starts(c->name, "product") || starts(c->name, "order");
    if (c->has_item) {
        c->sku = below(100000);
        c->price = (100 + below(19900)) / 100.0;
        c->quantity = 1 + below(3);
    }
    c->has_cart = starts(c->name, "cart") || starts(c->name, "order");
    if (c->has_cart)
        c->value = (100 + below(29900)) / 100.0;
    c->has_utm = below(3) == 0;
    c->n++;
}

/* ---- Avro, field by field of reference/click.avsc */

static void put_long(struct sc_buf *b, int64_t v)
{
    uint64_t u = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    for (; u >= 0x80; u >>= 7)
        sc_put_u8(b, (uint8_t)(u | 0x80));
    sc_put_u8(b, (uint8_t)u);
}

static void put_text(struct sc_buf *b, const char *z)
{
    put_long(b, (int64_t)strlen(z));
    sc_buf_addz(b, z);
}

static void put_fmt(struct sc_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put_fmt(struct sc_buf *b, const char *fmt, ...)
{
    char text[64];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    put_text(b, text);
}

/* A ["null", "string"]. */
static void put_maybe(struct sc_buf *b, bool there, const char *z)
{
    put_long(b, there);
    if (there)
        put_text(b, z);
}

static void put_double(struct sc_buf *b, double d)
{
    sc_put(b, &d, sizeof(d));
}

static void put_rest(struct sc_buf *b, const struct click *c)
{
    put_fmt(b, "https://shop.example.com/p/%u?ref=home", c->url);
    put_maybe(b, c->has_referrer, "https://www.example.org/search?q=shoes");
    put_long(b, c->page_ms);
    put_long(b, c->has_item);
    if (c->has_item) {
        put_fmt(b, "SKU-%u", c->sku);
        put_double(b, c->price);
        put_long(b, c->quantity);
    }
    put_long(b, c->has_cart);
    if (c->has_cart) {
        put_fmt(b, "c%u", c->customer);
        put_double(b, c->value);
    }
    if (c->has_utm) {
        put_long(b, 2);
        put_text(b, "utm_source");
        put_text(b, "newsletter");
        put_text(b, "utm_campaign");
        put_text(b, "spring");
    }
    put_long(b, 0);
}

static void put_click(struct sc_buf *b, const struct click *c, uint32_t schema_id)
{
    const char frame[] = {0, (char)(schema_id >> 24), (char)(schema_id >> 16),
                          (char)(schema_id >> 8), (char)schema_id};
    sc_put(b, frame, sizeof(frame));
    put_text(b, c->id);
    put_text(b, c->name);
    put_long(b, c->ms);
    put_long(b, c->received_ms);
    put_long(b, c->app);
    put_long(b, c->has_version);
    if (c->has_version)
        put_fmt(b, "7.1.%u", c->version);
    put_fmt(b, "s%llx", (unsigned long long)(c->customer * INT64_C(31) + c->ms / 1800000));
    put_long(b, (c->n - 1) & 1023);
    put_fmt(b, "d-%010u", c->customer);
    put_maybe(b, c->has_os, "iOS 18.2");
    put_maybe(b, c->has_model, "iPhone15,3");
    put_long(b, c->has_user);
    if (c->has_user) {
        put_long(b, 1);
        put_fmt(b, "a-%08u", c->customer);
        put_long(b, 0);
    }
    put_rest(b, c);
}

/* ---- to Kafka, to stdout */

static rd_kafka_t *producer(const char *brokers)
{
    const char *const pairs[] = {"bootstrap.servers", brokers, "linger.ms", "20",
                                 "batch.size", "500000", "compression.type", "lz4",
                                 "queue.buffering.max.messages", "200000", NULL};
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; pairs[i]; i += 2)
        if (rd_kafka_conf_set(conf, pairs[i], pairs[i + 1], why, sizeof(why)) != RD_KAFKA_CONF_OK)
            return fprintf(stderr, "bench_clicks: %s\n", why), NULL;
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
}

static int32_t partition_of(const struct click *c)
{
    return (int32_t)(c->customer * INT64_C(2654435761) % PARTITIONS);
}

static int to_kafka(char **argv, int64_t events, uint32_t customers)
{
    rd_kafka_t *rk = producer(argv[2]);
    if (rk == NULL)
        return EXIT_FAILURE;
    uint32_t id = (uint32_t)strtoul(argv[4], NULL, 10);
    struct sc_buf b = {0};
    struct click c = {.ms = FIRST_MS};
    while (c.n < events) {
        next(&c, customers);
        b.len = 0;
        put_click(&b, &c, id);
        int32_t to = partition_of(&c);
        rd_kafka_resp_err_t e;
        while ((e = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(argv[3]), RD_KAFKA_V_PARTITION(to),
                                      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                      RD_KAFKA_V_VALUE(b.p, b.len), RD_KAFKA_V_TIMESTAMP(c.ms),
                                      RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(rk, 100);
        if (e)
            return fprintf(stderr, "bench_clicks: %s\n", rd_kafka_err2str(e)), EXIT_FAILURE;
    }
    bool all = rd_kafka_flush(rk, 60000) == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_destroy(rk);
    sc_buf_fini(&b);
    return all ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int to_lines(int64_t events, uint32_t customers)
{
    struct click c = {.ms = FIRST_MS};
    while (c.n < events) {
        char at[32];
        next(&c, customers);
        int n = (int)sc_time_format(c.ms, at);
        printf("{\"event\":\"%s\",\"id\":\"%s\",\"occurred_at\":\"%.*s\",\"source\":\"clicks\","
               "\"identifiers\":{\"device_id\":\"d-%010u\"},\"properties\":{",
               c.name, c.id, n, at, c.customer);
        if (c.has_cart)
            printf("\"%s\":%.2f", c.has_item ? "total" : "value", c.value);
        puts("}}");
    }
    return EXIT_SUCCESS;
}

/* Each with its time, partition and length before it. */
static int to_frames(int64_t events, uint32_t customers)
{
    struct sc_buf b = {0};
    struct click c = {.ms = FIRST_MS};
    while (c.n < events) {
        next(&c, customers);
        b.len = 0;
        put_click(&b, &c, 1);
        struct {
            int64_t ms;
            int32_t partition;
            uint32_t len;
        } head = {c.ms, partition_of(&c), (uint32_t)b.len};
        fwrite(&head, sizeof(head), 1, stdout);
        fwrite(b.p, 1, b.len, stdout);
    }
    sc_buf_fini(&b);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    bool skewed = argc > 1 && strcmp(argv[argc - 1], "--zipf") == 0;
    argc -= skewed;
    uint32_t customers = argc > 3 ? (uint32_t)atol(argv[argc - 1]) : 0;
    if (skewed && customers)
        be_skewed(customers);
    if (argc == 7 && strcmp(argv[1], "kafka") == 0)
        return to_kafka(argv, atoll(argv[5]), customers);
    if (argc == 4 && strcmp(argv[1], "lines") == 0)
        return to_lines(atoll(argv[2]), customers);
    if (argc == 4 && strcmp(argv[1], "frames") == 0)
        return to_frames(atoll(argv[2]), customers);
    fputs("usage: bench_clicks kafka BROKERS TOPIC SCHEMA_ID EVENTS CUSTOMERS [--zipf]\n"
          "       bench_clicks lines EVENTS CUSTOMERS [--zipf]\n"
          "       bench_clicks frames EVENTS CUSTOMERS [--zipf]\n", stderr);
    return 64;
}
