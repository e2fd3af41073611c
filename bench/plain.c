/* The reference job (reference/journey.yaml) as C is written when nobody counts: a message a poll,
 * Avro C's generic values, a GET and a SET in Redis an event, a loop over all rules, a message
 * produced an event, one thread. It does less than Stagecoach: no transactions, so a crash loses or
 * repeats; customers go by their raw device id; no ids seen are remembered; what it produces of an
 * event is not read again. Its transitions and triggers must be as many.
 *
 *     bench_plain BROKERS TOPIC EVENTS REDIS RUN SCHEMA
 *     # prints: ns of CPU an event, transitions, triggers
 *
 * RUN begins the names of its keys and of its topics: RUN.events, RUN.transitions, RUN.triggers.
 * The first quarter warms up and does not count. */
#include "base/assert.h"

#include <avro.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define PARTITIONS 4
#define FRAME_BYTES 5 /* magic and schema id */
#define DAY_MS INT64_C(86400000)
#define WEEK_DAYS 8 /* today and the seven days before it, as a ring */
#define CAP 3
#define SCHEMA_MAX 8192

/* Positions in reference/click.avsc. */
enum { AT_ID = 0, AT_NAME = 1, AT_TIME = 2, AT_DEVICE = 8, AT_CART = 12 };
enum { AT_DEVICE_ID = 0, AT_CART_VALUE = 1 };

struct click { /* borrows from the decoded value */
    const char *id, *name, *device;
    int64_t ms, cents;
};

struct customer { /* as it lies in Redis */
    int64_t entered_ms, sent_ms[CAP], day, cents;
    uint32_t views[WEEK_DAYS], views_week, orders, sent, stage;
};

struct plain {
    rd_kafka_t *consumer, *producer;
    redisContext *redis;
    avro_value_iface_t *iface;
    avro_value_t value;
    const char *run;
    char events[128], transitions[128], triggers[128];
    long n_transitions, n_triggers, failed;
};

static _Noreturn void quit(const char *why)
{
    fprintf(stderr, "bench_plain: %s\n", why);
    exit(EXIT_FAILURE);
}

static double cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* ---- clients */

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
    struct plain *pl = arg;
    (void)rk;
    pl->failed += m->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_t *client(struct plain *pl, rd_kafka_type_t type, const char *const *pairs)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; pairs[i]; i += 2)
        if (rd_kafka_conf_set(conf, pairs[i], pairs[i + 1], why, sizeof(why)) != RD_KAFKA_CONF_OK)
            quit(why);
    if (type == RD_KAFKA_PRODUCER)
        rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, pl);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why));
    if (rk == NULL)
        quit(why);
    return rk;
}

static void open_kafka(struct plain *pl, const char *brokers, const char *topic)
{
    const char *const reads[] = {"bootstrap.servers", brokers,          "group.id", pl->run,
                                 "isolation.level",   "read_committed", NULL};
    const char *const writes[] = {
        "bootstrap.servers", brokers, "linger.ms", "20", "queue.buffering.max.messages",
        "1000000",           NULL};
    pl->consumer = client(pl, RD_KAFKA_CONSUMER, reads);
    pl->producer = client(pl, RD_KAFKA_PRODUCER, writes);
    rd_kafka_poll_set_consumer(pl->consumer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int32_t p = 0; p < PARTITIONS; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = 0;
    rd_kafka_assign(pl->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    snprintf(pl->events, sizeof(pl->events), "%s.events", pl->run);
    snprintf(pl->transitions, sizeof(pl->transitions), "%s.transitions", pl->run);
    snprintf(pl->triggers, sizeof(pl->triggers), "%s.triggers", pl->run);
}

static void open_redis(struct plain *pl, const char *address)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= sizeof(host))
        quit("REDIS is host:port");
    snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
    pl->redis = redisConnect(host, atoi(colon + 1));
    if (pl->redis == NULL || pl->redis->err)
        quit("no Redis");
}

static void open_avro(struct plain *pl, const char *path)
{
    char text[SCHEMA_MAX];
    avro_schema_t schema;
    FILE *f = fopen(path, "re");
    if (f == NULL)
        quit("no schema");
    size_t n = fread(text, 1, sizeof(text), f);
    fclose(f);
    if (avro_schema_from_json_length(text, n, &schema) != 0)
        quit(avro_strerror());
    pl->iface = avro_generic_class_from_schema(schema);
    avro_generic_value_new(pl->iface, &pl->value);
    avro_schema_decref(schema);
}

/* ---- the event */

static const char *text_at(const avro_value_t *record, size_t at)
{
    avro_value_t field;
    const char *text;
    size_t size;
    SC_ASSERT(avro_value_get_by_index(record, at, &field, NULL) == 0);
    SC_ASSERT(avro_value_get_string(&field, &text, &size) == 0);
    return text;
}

static int64_t cents_of(const avro_value_t *record)
{
    avro_value_t cart, inner, value;
    int branch = 0;
    double d = 0;
    avro_value_get_by_index(record, AT_CART, &cart, NULL);
    avro_value_get_discriminant(&cart, &branch);
    if (branch == 0)
        return 0;
    avro_value_get_current_branch(&cart, &inner);
    avro_value_get_by_index(&inner, AT_CART_VALUE, &value, NULL);
    avro_value_get_double(&value, &d);
    return llround(d * 100);
}

static void decode(struct plain *pl, const rd_kafka_message_t *m, struct click *ck)
{
    avro_value_t field;
    SC_ASSERT(m->len > FRAME_BYTES);
    avro_reader_t reader =
        avro_reader_memory((const char *)m->payload + FRAME_BYTES, (int64_t)m->len - FRAME_BYTES);
    avro_value_reset(&pl->value);
    if (avro_value_read(reader, &pl->value) != 0)
        quit(avro_strerror());
    avro_reader_free(reader);
    ck->id = text_at(&pl->value, AT_ID);
    ck->name = text_at(&pl->value, AT_NAME);
    avro_value_get_by_index(&pl->value, AT_TIME, &field, NULL);
    avro_value_get_long(&field, &ck->ms);
    avro_value_get_by_index(&pl->value, AT_DEVICE, &field, NULL);
    ck->device = text_at(&field, AT_DEVICE_ID);
    ck->cents = cents_of(&pl->value);
}

/* ---- the customer */

static void load(struct plain *pl, const struct click *ck, struct customer *c)
{
    redisReply *r = redisCommand(pl->redis, "GET %s:%s", pl->run, ck->device);
    if (r == NULL || r->type == REDIS_REPLY_ERROR)
        quit("Redis does not answer");
    if (r->type == REDIS_REPLY_STRING && r->len == sizeof(*c))
        memcpy(c, r->str, sizeof(*c));
    else
        *c = (struct customer){.entered_ms = ck->ms, .day = ck->ms / DAY_MS};
    freeReplyObject(r);
}

static void store(struct plain *pl, const struct click *ck, const struct customer *c)
{
    redisReply *r = redisCommand(pl->redis, "SET %s:%s %b", pl->run, ck->device, c, sizeof(*c));
    if (r == NULL || r->type == REDIS_REPLY_ERROR)
        quit("Redis does not answer");
    freeReplyObject(r);
}

static void count(struct customer *c, const struct click *ck)
{
    if (strcmp(ck->name, "order_completed") == 0) {
        c->orders++;
        c->cents += ck->cents;
    }
    for (; c->day < ck->ms / DAY_MS; c->day++)
        c->views[(c->day + 1) % WEEK_DAYS] = 0;
    if (strcmp(ck->name, "product_viewed") == 0)
        c->views[c->day % WEEK_DAYS]++;
    c->views_week = 0;
    for (int i = 0; i < WEEK_DAYS; i++)
        c->views_week += c->views[i];
}

/* ---- the rules: all are asked, each event */

static bool viewed_thrice(const struct customer *c, const struct click *ck)
{
    return strcmp(ck->name, "product_viewed") == 0 && c->views_week >= 3;
}

static bool ordered(const struct customer *c, const struct click *ck)
{
    (void)c;
    return strcmp(ck->name, "order_completed") == 0;
}

static bool is_loyal(const struct customer *c, const struct click *ck)
{
    return ordered(c, ck) && (c->orders >= 3 || c->cents > 50000);
}

static bool browses(const struct customer *c, const struct click *ck)
{
    return strcmp(ck->name, "product_viewed") == 0 && c->views_week >= 5;
}

static const struct rule {
    const char *name;
    uint32_t stage; /* 0: a trigger */
    bool (*when)(const struct customer *, const struct click *);
} rules[] = {{"stage_1", 1, viewed_thrice},
             {"stage_2", 2, ordered},
             {"stage_4", 4, is_loyal},
             {"velocity", 0, browses}};

static void produce(struct plain *pl, const char *topic, const char *device, const char *text)
{
    rd_kafka_resp_err_t e;
    while ((e = rd_kafka_producev(pl->producer, RD_KAFKA_V_TOPIC(topic),
                                  RD_KAFKA_V_KEY((char *)(uintptr_t)device, strlen(device)),
                                  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                  RD_KAFKA_V_VALUE((char *)(uintptr_t)text, strlen(text)),
                                  RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(pl->producer, 10);
    if (e)
        quit(rd_kafka_err2str(e));
    rd_kafka_poll(pl->producer, 0);
}

static void enter(struct plain *pl, struct customer *c, const struct click *ck, uint32_t stage)
{
    char text[512];
    snprintf(text, sizeof(text),
             "{\"customer\":\"%s\",\"event\":\"%s\",\"at\":%" PRId64 ",\"from\":\"stage_%u\","
             "\"to\":\"stage_%u\",\"in_stage_ms\":%" PRId64 "}",
             ck->device, ck->id, ck->ms, c->stage, stage, ck->ms - c->entered_ms);
    produce(pl, pl->transitions, ck->device, text);
    c->stage = stage;
    c->entered_ms = ck->ms;
    pl->n_transitions++;
}

static void fire(struct plain *pl, struct customer *c, const struct click *ck, const char *name)
{
    char text[512];
    if (c->sent >= CAP && c->sent_ms[c->sent % CAP] > ck->ms - DAY_MS)
        return;
    c->sent_ms[c->sent++ % CAP] = ck->ms;
    snprintf(text, sizeof(text),
             "{\"customer\":\"%s\",\"event\":\"%s\",\"at\":%" PRId64 ",\"trigger\":\"%s\","
             "\"channel\":\"sms\",\"stage\":\"stage_%u\",\"views_week\":%u}",
             ck->device, ck->id, ck->ms, name, c->stage, c->views_week);
    produce(pl, pl->triggers, ck->device, text);
    pl->n_triggers++;
}

static void apply(struct plain *pl, struct customer *c, const struct click *ck)
{
    uint32_t stage = c->stage;
    const size_t n = sizeof(rules) / sizeof(rules[0]);
    count(c, ck);
    for (size_t i = 0; i < n; i++)
        if (rules[i].stage > stage && rules[i].when(c, ck))
            stage = rules[i].stage;
    if (stage != c->stage)
        enter(pl, c, ck, stage);
    for (size_t i = 0; i < n; i++)
        if (rules[i].stage == 0 && rules[i].when(c, ck))
            fire(pl, c, ck, rules[i].name);
}

static void one(struct plain *pl, const rd_kafka_message_t *m)
{
    struct click ck;
    struct customer c;
    char text[512];
    decode(pl, m, &ck);
    load(pl, &ck, &c);
    apply(pl, &c, &ck);
    store(pl, &ck, &c);
    snprintf(text, sizeof(text),
             "{\"customer\":\"%s\",\"event\":\"%s\",\"id\":\"%s\",\"at\":%" PRId64
             ",\"value\":%" PRId64 ".%02" PRId64 ",\"stage\":\"stage_%u\"}",
             ck.device, ck.name, ck.id, ck.ms, ck.cents / 100, ck.cents % 100, c.stage);
    produce(pl, pl->events, ck.device, text);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fputs("usage: bench_plain BROKERS TOPIC EVENTS REDIS RUN SCHEMA\n", stderr);
        return 64;
    }
    struct plain pl = {.run = argv[5]};
    long events = atol(argv[3]), seen = 0;
    double warm_s = 0;
    open_avro(&pl, argv[6]);
    open_redis(&pl, argv[4]);
    open_kafka(&pl, argv[1], argv[2]);
    while (seen < events) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(pl.consumer, 100);
        if (m == NULL)
            continue;
        if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            one(&pl, m);
            if (++seen == events / 4)
                warm_s = cpu_s();
        }
        rd_kafka_message_destroy(m);
    }
    rd_kafka_flush(pl.producer, 60000);
    double took_s = cpu_s() - warm_s;
    if (pl.failed || rd_kafka_outq_len(pl.producer))
        quit("messages were not delivered");
    printf("%.0f %ld %ld\n", 1e9 * took_s / (double)(events - events / 4), pl.n_transitions,
           pl.n_triggers);
    rd_kafka_consumer_close(pl.consumer);
    rd_kafka_destroy(pl.consumer);
    rd_kafka_destroy(pl.producer);
    redisFree(pl.redis);
    avro_value_decref(&pl.value);
    avro_value_iface_decref(pl.iface);
    return EXIT_SUCCESS;
}
