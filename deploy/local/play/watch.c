/* stagecoach-play watch: what comes out, as lines for people, and counted.
 *
 * Nothing of a topic's meaning is built in: a JSON record with a `type` is an effect
 * (its fields: what `simulate` prints), one without is a table's row, whose newest value by key
 * stands. */
#include "play.h"

#include "base/map.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 160

struct count {
    const char *topic, *what; /* of `what`: all that is said of one topic in the summary */
    size_t n;
    struct count *next; /* in order of appearance */
};

struct row {
    bool live;
};

struct play_watch {
    rd_kafka_t *rk;
    struct sc_arena ar;
    struct sc_map counts, rows; /* "topic/what" -> count; "topic/key" -> row */
    struct count *first, **last;
    int rate, left; /* lines a second, and left of this one */
    int64_t second_ms;
};

static rd_kafka_topic_partition_list_t *partitions_of(rd_kafka_t *rk, char *const *topics,
                                                      bool at_end)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(8);
    for (; *topics; topics++) {
        const struct rd_kafka_metadata *md = NULL;
        rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, *topics, NULL);
        rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 0, topic, &md, 10000);
        if (!err && md->topic_cnt == 1)
            err = md->topics[0].err;
        for (int i = 0; !err && i < md->topics[0].partition_cnt; i++)
            rd_kafka_topic_partition_list_add(all, *topics, i)->offset =
                at_end ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
        if (md)
            rd_kafka_metadata_destroy(md);
        rd_kafka_topic_destroy(topic);
        if (err) {
            fprintf(stderr, "stagecoach-play: topic %s: %s\n", *topics, rd_kafka_err2str(err));
            rd_kafka_topic_partition_list_destroy(all);
            return NULL;
        }
    }
    return all;
}

struct play_watch *play_watch_create(const char *brokers, char *const *topics, int rate,
                                     bool at_end)
{
    static const char *const settings[][2] = {{"group.id", "stagecoach-play-watch"},
                                              {"enable.auto.commit", "false"},
                                              {"isolation.level", "read_committed"},
                                              {"fetch.wait.max.ms", "50"}};
    char why[512];
    rd_kafka_conf_t *conf = play_kafka_conf(brokers);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof(why));
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!rk) {
        fprintf(stderr, "stagecoach-play: %s\n", why);
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_poll_set_consumer(rk);
    rd_kafka_topic_partition_list_t *all = partitions_of(rk, topics, at_end);
    if (!all) {
        rd_kafka_destroy(rk);
        return NULL;
    }
    rd_kafka_assign(rk, all);
    rd_kafka_topic_partition_list_destroy(all);
    struct play_watch *wa = sc_calloc(1, sizeof(*wa));
    wa->rk = rk;
    wa->rate = rate;
    wa->last = &wa->first;
    sc_arena_init(&wa->ar);
    sc_map_init(&wa->counts, &wa->ar);
    sc_map_init(&wa->rows, &wa->ar);
    return wa;
}

static size_t *counter(struct play_watch *wa, const char *topic, const char *what)
{
    char name[512];
    snprintf(name, sizeof(name), "%s/%s", topic, what);
    struct sc_str key = sc_str_from(name);
    struct count *co = sc_map_get(&wa->counts, key);
    if (!co) {
        co = SC_NEW(&wa->ar, struct count);
        co->topic = sc_arena_dup(&wa->ar, topic, strlen(topic));
        co->what = sc_arena_dup(&wa->ar, what, strlen(what));
        *wa->last = co;
        wa->last = &co->next;
        sc_map_put(&wa->counts, key, co);
    }
    return &co->n;
}

/* A table's row: it stands until a record without a value takes it away. */
static void set_row(struct play_watch *wa, const char *topic, const rd_kafka_message_t *msg)
{
    char name[512];
    snprintf(name, sizeof(name), "%s/%.*s", topic, (int)msg->key_len, (const char *)msg->key);
    struct sc_str key = sc_str_from(name);
    struct row *row = sc_map_get(&wa->rows, key);
    if (!row) {
        row = SC_NEW(&wa->ar, struct row);
        sc_map_put(&wa->rows, key, row);
    }
    bool live = msg->len > 0;
    size_t *rows = counter(wa, topic, "live");
    if (live && !row->live)
        (*rows)++;
    if (!live && row->live)
        (*rows)--;
    row->live = live;
}

static const char *string_of(const json_t *record, const char *name)
{
    const char *s = json_string_value(json_object_get(record, name));
    return s ? s : "";
}

/* What an effect is counted by, beside its type. */
static const char *detail_of(const json_t *record)
{
    static const char *const names[] = {"reason", "channel", "to", "rule"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (json_object_get(record, names[i]))
            return string_of(record, names[i]);
    return "";
}

static void print_effect(struct play_watch *wa, const json_t *record, const char *type)
{
    char line[LINE_BYTES], at[17] = "";
    int64_t now_ms = play_now_ms();
    if (now_ms - wa->second_ms >= 1000) {
        wa->second_ms = now_ms;
        wa->left = wa->rate;
    }
    if (wa->left <= 0)
        return;
    wa->left--;
    snprintf(at, sizeof(at), "%s", string_of(record, "at"));
    if (at[0])
        at[10] = ' ';
    const char *customer = string_of(record, "customer");
    if (strcmp(type, "transition") == 0)
        snprintf(line, sizeof(line), "%s -> %s", string_of(record, "from"),
                 string_of(record, "to"));
    else
        snprintf(line, sizeof(line), "%s %s%s", string_of(record, "rule"),
                 string_of(record, "channel"), string_of(record, "reason"));
    printf("%-16s  %.10s  %-10s  %s\n", at, customer, type, line);
    fflush(stdout);
}

/* The code of a dead letter, or NULL. */
static const char *error_code(const rd_kafka_message_t *msg, char *code, size_t room)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t bytes;
    if (rd_kafka_message_headers(msg, &headers) ||
        rd_kafka_header_get_last(headers, "stagecoach.error.code", &value, &bytes))
        return NULL;
    snprintf(code, room, "%.*s", (int)bytes, (const char *)value);
    return code;
}

static void take(struct play_watch *wa, const rd_kafka_message_t *msg)
{
    char code[128], what[256];
    const char *topic = rd_kafka_topic_name(msg->rkt);
    if (error_code(msg, code, sizeof(code))) {
        (*counter(wa, topic, code))++;
        return;
    }
    json_t *record = json_loadb(msg->payload ? msg->payload : "", msg->len, 0, NULL);
    const char *type = string_of(record, "type");
    if (*type) {
        const char *detail = detail_of(record);
        snprintf(what, sizeof(what), "%s%s%s", type, *detail ? " " : "", detail);
        (*counter(wa, topic, what))++;
        print_effect(wa, record, type);
    } else if (msg->key) {
        set_row(wa, topic, msg);
    } else {
        (*counter(wa, topic, "other"))++;
    }
    json_decref(record);
}

bool play_watch_poll(struct play_watch *wa, int wait_ms)
{
    bool any = false;
    for (rd_kafka_message_t *msg; (msg = rd_kafka_consumer_poll(wa->rk, any ? 0 : wait_ms));
         rd_kafka_message_destroy(msg)) {
        if (!msg->err) {
            any = true;
            take(wa, msg);
        }
        if (play_interrupted) {
            rd_kafka_message_destroy(msg);
            break;
        }
    }
    return any;
}

void play_watch_summary(const struct play_watch *wa)
{
    for (const struct count *co = wa->first; co; co = co->next) {
        bool told = false;
        for (const struct count *earlier = wa->first; earlier != co; earlier = earlier->next)
            told |= strcmp(earlier->topic, co->topic) == 0;
        if (told)
            continue;
        printf("%s\n", co->topic);
        for (const struct count *one = co; one; one = one->next)
            if (strcmp(one->topic, co->topic) == 0)
                printf("%10zu  %s\n", one->n, one->what);
    }
}

void play_watch_destroy(struct play_watch *wa)
{
    rd_kafka_consumer_close(wa->rk);
    rd_kafka_destroy(wa->rk);
    sc_arena_fini(&wa->ar);
    free(wa);
}

static const char usage[] =
    "usage: stagecoach-play watch [--brokers HOST:PORT] [--rate N] [--idle N] TOPIC...\n"
    "\n"
    "Prints what is in the topics and what comes, committed records only, at most N lines a second "
    "(8),\n"
    "until SIGINT or until nothing came for --idle N seconds; then a summary of all of it.\n";

int play_main_watch(int argc, char **argv)
{
    static const struct option options[] = {{"brokers", required_argument, NULL, 'b'},
                                            {"rate", required_argument, NULL, 'r'},
                                            {"idle", required_argument, NULL, 'i'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *brokers = getenv("STAGECOACH_KAFKA");
    int rate = 8, idle_s = 0;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'b') {
            brokers = optarg;
        } else if (c == 'r') {
            rate = atoi(optarg);
        } else if (c == 'i') {
            idle_s = atoi(optarg);
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 64;
        }
    }
    if (!brokers || optind == argc) {
        fputs(usage, stderr);
        return 64;
    }
    struct play_watch *wa = play_watch_create(brokers, argv + optind, rate, false);
    if (!wa)
        return 69;
    for (int64_t last_ms = play_now_ms();
         !play_interrupted && (!idle_s || play_now_ms() - last_ms < idle_s * 1000);)
        if (play_watch_poll(wa, 100))
            last_ms = play_now_ms();
    play_watch_summary(wa);
    play_watch_destroy(wa);
    return 0;
}
