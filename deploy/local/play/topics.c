/* stagecoach-play topics: create topics that are not there yet. */
#include "play.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPICS_MAX 64
#define WAIT_MS 30000

static const char usage[] =
    "usage: stagecoach-play topics --brokers HOST:PORT TOPIC[:PARTITIONS]... [CONFIG=VALUE...]\n"
    "\n"
    "Creates the topics (one partition unless said), each with the given settings of a topic. One "
    "that\n"
    "exists is left as it is.\n";

/* `name:partitions`; NULL: said on stderr. */
static rd_kafka_NewTopic_t *parse_topic(char *word)
{
    char why[512];
    long partitions = 1;
    char *colon = strrchr(word, ':');
    if (colon) {
        char *end;
        *colon = '\0';
        partitions = strtol(colon + 1, &end, 10);
        if (*end || partitions < 1 || partitions > 10000) {
            fprintf(stderr, "stagecoach-play: %s: `%s` is no number of partitions\n", word,
                    colon + 1);
            return NULL;
        }
    }
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(word, (int)partitions, -1, why, sizeof(why));
    if (!topic)
        fprintf(stderr, "stagecoach-play: %s: %s\n", word, why);
    return topic;
}

/* Topics and settings from the words. Returns how many topics, or -1: said on stderr. */
static int parse_words(char **words, int n, rd_kafka_NewTopic_t *topics[TOPICS_MAX])
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (strchr(words[i], '='))
            continue;
        if (count == TOPICS_MAX || !(topics[count] = parse_topic(words[i])))
            return -1;
        count++;
    }
    for (int i = 0; i < n; i++) {
        char *value = strchr(words[i], '=');
        if (!value)
            continue;
        *value++ = '\0';
        for (int t = 0; t < count; t++)
            rd_kafka_NewTopic_set_config(topics[t], words[i], value);
    }
    return count;
}

/* Exit status of the finished request. */
static int report(rd_kafka_event_t *event)
{
    size_t n = 0;
    if (rd_kafka_event_error(event)) {
        fprintf(stderr, "stagecoach-play: cannot create topics: %s\n",
                rd_kafka_event_error_string(event));
        return 69;
    }
    int status = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);
        if (!err || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        fprintf(stderr, "stagecoach-play: %s: %s\n", rd_kafka_topic_result_name(results[i]),
                rd_kafka_topic_result_error_string(results[i]));
        status = 69;
    }
    return status;
}

static int create(const char *brokers, rd_kafka_NewTopic_t **topics, size_t count)
{
    char why[512];
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, play_kafka_conf(brokers), why, sizeof(why));
    if (!rk) {
        fprintf(stderr, "stagecoach-play: %s\n", why);
        return 70;
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, WAIT_MS, NULL, 0);
    rd_kafka_AdminOptions_set_operation_timeout(options, WAIT_MS, NULL, 0);
    rd_kafka_CreateTopics(rk, topics, count, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 2 * WAIT_MS);
    int status = 69;
    if (event) {
        status = report(event);
        rd_kafka_event_destroy(event);
    } else {
        fprintf(stderr, "stagecoach-play: %s does not answer\n", brokers);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
    return status;
}

int play_main_topics(int argc, char **argv)
{
    static const struct option options[] = {
        {"brokers", required_argument, NULL, 'b'}, {"help", no_argument, NULL, 'h'}, {0}};
    const char *brokers = getenv("STAGECOACH_KAFKA");
    for (int c; (c = getopt_long(argc, argv, "b:h", options, NULL)) != -1;) {
        if (c == 'b') {
            brokers = optarg;
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 64;
        }
    }
    rd_kafka_NewTopic_t *topics[TOPICS_MAX] = {NULL};
    int count = brokers ? parse_words(argv + optind, argc - optind, topics) : -1;
    int status = 64;
    if (count > 0)
        status = create(brokers, topics, (size_t)count);
    else
        fputs(usage, stderr);
    for (int i = 0; i < TOPICS_MAX && topics[i]; i++)
        rd_kafka_NewTopic_destroy(topics[i]);
    return status;
}
