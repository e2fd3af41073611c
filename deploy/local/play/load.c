/* stagecoach-play load: send the year, at any speed, and on request watch what comes of it. */
#include "play.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPICS_MAX 32
#define REPORT_MS 5000  /* a line of progress */
#define TWICE_EVERY 500 /* with --faults: sent again, as an at-least-once producer would */
#define SPOIL_EVERY 4000

static const char usage[] =
    "usage: stagecoach-play load [OPTION...]\n"
    "\n"
    "Plays one year of a shop into three topics, in order of time, with the time of the event\n"
    "as the record's: web and mail events as Avro, receipts as Protobuf, support cases as JSON.\n"
    "Receipts, mailings, coupons and clicks are real, the rest is made up:\n"
    "deploy/local/demo.d/README.md.\n"
    "\n"
    "  --brokers HOST:PORT   (STAGECOACH_KAFKA)\n"
    "  --registry URL        schema registry (STAGECOACH_REGISTRY)\n"
    "  --data DIR            the year (deploy/local/demo.d)\n"
    "  --schemas DIR         (schemas/sources)\n"
    "  --topics WEB,POS,SUPPORT  (shop.clickstream,shop.pos,shop.support)\n"
    "  --speed N             seconds of the year a second; 525600 plays it in a minute; 0, the\n"
    "                        default, as fast as the broker takes it\n"
    "  --limit N             only the first N events\n"
    "  --faults              every 500th record is sent twice, after every 4000th a torn copy\n"
    "  --watch TOPIC,...     print what comes out of these topics meanwhile, at most --rate N\n"
    "                        lines a second (8), and to the end: until nothing came for\n"
    "                        --idle N seconds (5)\n";

struct options {
    const char *brokers, *registry, *data, *schemas;
    char *topics[TOPICS_MAX]; /* of the sources */
    char *watch[TOPICS_MAX];  /* a NULL ends it */
    double speed;
    size_t limit;
    int rate, idle_s;
    bool faults;
};

struct loader {
    rd_kafka_t *rk;
    struct play_encoder *en;
    struct play_watch *wa; /* NULL: not asked for */
    size_t sent, twice, torn, failed;
};

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *msg, void *opaque)
{
    (void)rk;
    struct loader *lo = opaque;
    if (msg->err && lo->failed++ == 0)
        fprintf(stderr, "stagecoach-play: a record was not taken: %s\n",
                rd_kafka_err2str(msg->err));
}

static rd_kafka_t *producer_create(const char *brokers, struct loader *lo)
{
    static const char *const settings[][2] = {{"enable.idempotence", "true"},
                                              {"linger.ms", "5"},
                                              {"compression.type", "lz4"},
                                              {"partitioner", "murmur2_random"}};
    char why[512];
    rd_kafka_conf_t *conf = play_kafka_conf(brokers);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof(why));
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, lo);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!rk) {
        fprintf(stderr, "stagecoach-play: %s\n", why);
        rd_kafka_conf_destroy(conf);
    }
    return rk;
}

static const char *key_of(const struct play_event *ev)
{
    if (ev->source == PLAY_WEB)
        return ev->device ? ev->device : ev->email;
    return ev->source == PLAY_POS ? ev->card : ev->case_id;
}

static void send_value(struct loader *lo, const char *topic, const struct play_event *ev,
                       const void *value, size_t bytes)
{
    const char *key = key_of(ev);
    /* The array and not the V_ macros, which are no C17; librdkafka only reads what it is given. */
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key, key ? strlen(key) : 0}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, bytes}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = ev->at_ms},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    rd_kafka_error_t *error;
    while ((error = rd_kafka_produceva(lo->rk, parts, sizeof(parts) / sizeof(parts[0])))) {
        bool full = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        if (!full && lo->failed == 0)
            fprintf(stderr, "stagecoach-play: %s\n", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        if (!full || play_interrupted) {
            lo->failed++;
            return;
        }
        rd_kafka_poll(lo->rk, 100);
    }
    lo->sent++;
}

static void send_event(struct loader *lo, const struct options *op, const struct play_event *ev,
                       size_t n)
{
    size_t bytes;
    const void *value = play_encode(lo->en, ev, &bytes);
    const char *topic = op->topics[ev->source];
    send_value(lo, topic, ev, value, bytes);
    if (op->faults && n % TWICE_EVERY == TWICE_EVERY - 1) {
        send_value(lo, topic, ev, value, bytes);
        lo->twice++;
    }
    if (op->faults && n % SPOIL_EVERY == SPOIL_EVERY - 1) {
        send_value(lo, topic, ev, value, bytes - bytes / 4);
        lo->torn++;
    }
}

static void report(const struct play_event *ev, size_t n, size_t count)
{
    char at[PLAY_TIME_BYTES];
    fprintf(stderr, "-- %.10s: %zu of %zu events played\n", play_time(ev->at_ms, at), n, count);
}

/* Send all events, each when it is due. */
static void send_all(struct loader *lo, const struct options *op, const struct play *pl,
                     size_t count)
{
    int64_t start_ms = play_now_ms(), said_ms = start_ms;
    for (size_t i = 0; i < count && !play_interrupted; i++) {
        const struct play_event *ev = &pl->events[i];
        int64_t due_ms = start_ms;
        if (op->speed > 0)
            due_ms += (int64_t)((double)(ev->at_ms - pl->events[0].at_ms) / op->speed);
        for (int64_t now_ms = play_now_ms(); now_ms < due_ms && !play_interrupted;
             now_ms = play_now_ms()) {
            int wait_ms = due_ms - now_ms < 20 ? (int)(due_ms - now_ms) : 20;
            rd_kafka_poll(lo->rk, 0);
            if (lo->wa)
                play_watch_poll(lo->wa, wait_ms);
            else
                rd_kafka_poll(lo->rk, wait_ms);
        }
        send_event(lo, op, ev, i);
        rd_kafka_poll(lo->rk, 0);
        if (lo->wa && i % 64 == 0)
            play_watch_poll(lo->wa, 0);
        if (play_now_ms() - said_ms >= REPORT_MS) {
            said_ms = play_now_ms();
            report(ev, i + 1, count);
        }
    }
}

/* What is still on its way through: until nothing has come for a while. */
static void watch_out(struct loader *lo, int idle_s)
{
    int64_t last_ms = play_now_ms();
    while (!play_interrupted && play_now_ms() - last_ms < idle_s * 1000)
        if (play_watch_poll(lo->wa, 100))
            last_ms = play_now_ms();
}

static int load(const struct options *op, struct play *pl)
{
    struct loader lo = {0};
    int status = 69;
    size_t count = op->limit && op->limit < pl->count ? op->limit : pl->count;
    lo.en = play_encoder_create(op->registry, op->schemas, (const char *const *)op->topics);
    lo.rk = lo.en ? producer_create(op->brokers, &lo) : NULL;
    if (lo.rk && op->watch[0])
        lo.wa = play_watch_create(op->brokers, op->watch, op->rate, true);
    if (lo.rk && (lo.wa || !op->watch[0])) {
        send_all(&lo, op, pl, count);
        while (rd_kafka_flush(lo.rk, 1000) == RD_KAFKA_RESP_ERR__TIMED_OUT && !play_interrupted)
            fprintf(stderr, "-- waiting for the broker to take %d records\n",
                    rd_kafka_outq_len(lo.rk));
        if (lo.wa) {
            watch_out(&lo, op->idle_s);
            play_watch_summary(lo.wa);
        }
        printf("played: %zu records", lo.sent);
        if (op->faults)
            printf(", of them on purpose %zu sent twice and %zu torn", lo.twice, lo.torn);
        printf("\n");
        status = lo.failed ? 69 : 0;
    }
    if (lo.wa)
        play_watch_destroy(lo.wa);
    if (lo.rk) {
        rd_kafka_purge(lo.rk, RD_KAFKA_PURGE_F_QUEUE);
        rd_kafka_destroy(lo.rk);
    }
    if (lo.en)
        play_encoder_destroy(lo.en);
    return status;
}

/* Split at commas; false if there are too many. */
static bool split(char *text, char *words[TOPICS_MAX])
{
    int n = 0;
    memset(words, 0, TOPICS_MAX * sizeof(*words));
    while (text && n < TOPICS_MAX - 1)
        words[n++] = strsep(&text, ",");
    return !text;
}

/* 0: go on; else leave with this status, less one. */
static int parse(int argc, char **argv, struct options *op)
{
    static const struct option options[] = {{"brokers", required_argument, NULL, 'b'},
                                            {"registry", required_argument, NULL, 'g'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"schemas", required_argument, NULL, 's'},
                                            {"topics", required_argument, NULL, 't'},
                                            {"speed", required_argument, NULL, 'x'},
                                            {"limit", required_argument, NULL, 'n'},
                                            {"faults", no_argument, NULL, 'f'},
                                            {"watch", required_argument, NULL, 'w'},
                                            {"rate", required_argument, NULL, 'r'},
                                            {"idle", required_argument, NULL, 'i'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    bool ok = true;
    for (int c; ok && (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'b':
            op->brokers = optarg;
            break;
        case 'g':
            op->registry = optarg;
            break;
        case 'd':
            op->data = optarg;
            break;
        case 's':
            op->schemas = optarg;
            break;
        case 't':
            ok = split(optarg, op->topics) && op->topics[2] && !op->topics[3];
            break;
        case 'x':
            op->speed = atof(optarg);
            break;
        case 'n':
            op->limit = strtoul(optarg, NULL, 10);
            break;
        case 'f':
            op->faults = true;
            break;
        case 'w':
            ok = split(optarg, op->watch);
            break;
        case 'r':
            op->rate = atoi(optarg);
            break;
        case 'i':
            op->idle_s = atoi(optarg);
            break;
        case 'h':
            fputs(usage, stdout);
            return 1;
        default:
            ok = false;
        }
    }
    if (ok && optind == argc && op->brokers && op->registry)
        return 0;
    fputs(usage, stderr);
    return 65;
}

int play_main_load(int argc, char **argv)
{
    static char topics[] = "shop.clickstream,shop.pos,shop.support";
    struct options op = {.brokers = getenv("STAGECOACH_KAFKA"),
                         .registry = getenv("STAGECOACH_REGISTRY"),
                         .data = "deploy/local/demo.d",
                         .schemas = "schemas/sources",
                         .rate = 8,
                         .idle_s = 5};
    split(topics, op.topics);
    int leave = parse(argc, argv, &op);
    if (leave)
        return leave - 1;
    struct play *pl = play_create(op.data);
    if (!pl)
        return 66;
    int status = load(&op, pl);
    play_destroy(pl);
    return status;
}
