/* How far a Kafka Streams job is, and what it has spent: by what its group has committed, since the
 * job itself counts only what comes out at its end, when it has read far ahead of that.
 *
 *     bench_progress BROKERS TOPIC EVENTS PID
 *
 * An event is half done when it is read, and half when it is taken from the topic that the job
 * repartitions by, as `run-reference` counts those of Stagecoach. Prints three lines: ns of CPU spent
 * and events done at the first sample at which a quarter is done; the same of half; and how many had
 * been read when a quarter had come out. The job is the next to make such a topic; of that topic's
 * offsets some are the markers of its transactions (under 4 in 100), not records.
 */
#include <librdkafka/rdkafka.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX "-by-customer-repartition" /* a topic's name is the group's and this */
#define WAIT_MS 5000
#define SAMPLE_US 100000

static const char *broker_list;
static pid_t job;

static _Noreturn void end(const char *why, const char *what)
{
    fprintf(stderr, "bench_progress: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Joins nothing: it asks for offsets in the group's name. */
static rd_kafka_t *member_of(const char *group)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", broker_list, why, sizeof(why)) ||
        rd_kafka_conf_set(conf, "group.id", group, why, sizeof(why)))
        end(why, "configuration");
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (rk == NULL)
        end(why, "client");
    return rk;
}

static const struct rd_kafka_metadata *topics(rd_kafka_t *rk)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 1, NULL, &md, WAIT_MS);
    if (err)
        end(rd_kafka_err2str(err), "topics");
    return md;
}

static bool repartitions(const char *topic)
{
    size_t n = strlen(topic), s = strlen(SUFFIX);
    return n > s && strcmp(topic + n - s, SUFFIX) == 0;
}

static bool is_in(const struct rd_kafka_metadata *md, const char *topic)
{
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, topic) == 0)
            return true;
    return false;
}

/* The name of a topic that was not there before; the caller frees it. */
static char *next_topic(rd_kafka_t *rk)
{
    const struct rd_kafka_metadata *before = topics(rk);
    char *found = NULL;
    while (found == NULL) {
        usleep(SAMPLE_US);
        if (kill(job, 0) != 0)
            end("it ended, and had made no topic to repartition by", "the job");
        const struct rd_kafka_metadata *md = topics(rk);
        for (int i = 0; i < md->topic_cnt && found == NULL; i++)
            if (repartitions(md->topics[i].topic) && !is_in(before, md->topics[i].topic))
                found = strdup(md->topics[i].topic);
        rd_kafka_metadata_destroy(md);
    }
    rd_kafka_metadata_destroy(before);
    return found;
}

static rd_kafka_topic_partition_list_t *partitions_of(rd_kafka_t *rk, const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    const struct rd_kafka_metadata *md = topics(rk);
    for (int i = 0; i < md->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *t = &md->topics[i];
        for (int p = 0; strcmp(t->topic, topic) == 0 && p < t->partition_cnt; p++)
            rd_kafka_topic_partition_list_add(list, topic, t->partitions[p].id);
    }
    rd_kafka_metadata_destroy(md);
    return list;
}

/* What the group has committed of the partitions in `list`; NAN: not to be had, the group is joining. */
static double committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    double sum = 0;
    if (rd_kafka_committed(rk, list, WAIT_MS))
        return NAN;
    for (int i = 0; i < list->cnt; i++)
        sum += list->elems[i].offset > 0 ? (double)list->elems[i].offset : 0;
    return sum;
}

static double spent_ns(void)
{
    char path[64];
    unsigned long user, kernel;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)job);
    FILE *f = fopen(path, "r");
    if (f == NULL || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                            &user, &kernel) != 2)
        end("it ended before half was done", "the job");
    fclose(f);
    return (double)(user + kernel) * 1e9 / (double)sysconf(_SC_CLK_TCK);
}

struct sample {
    double spent, done;
};

static void watch(rd_kafka_t *rk, const char *source, const char *between, double events)
{
    rd_kafka_topic_partition_list_t *in = partitions_of(rk, source);
    rd_kafka_topic_partition_list_t *out = partitions_of(rk, between);
    struct sample at[3]; /* a quarter, half; the one that is awaited */
    double read_then = -1;
    for (int n = 0; n < 2 || read_then < 0;) {
        usleep(SAMPLE_US);
        double spent = spent_ns(), read = committed(rk, in), came_out = committed(rk, out);
        if (isnan(read) || isnan(came_out))
            continue;
        if (read_then < 0 && came_out >= events / 4)
            read_then = read;
        at[n] = (struct sample){spent, (read + came_out) / 2};
        if (n < 2 && at[n].done >= events * (n + 1) / 4)
            n++;
    }
    for (int n = 0; n < 2; n++)
        printf("%.0f %.0f\n", at[n].spent, at[n].done);
    printf("%.0f\n", read_then);
    rd_kafka_topic_partition_list_destroy(in);
    rd_kafka_topic_partition_list_destroy(out);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: bench_progress BROKERS TOPIC EVENTS PID\n", stderr);
        return 64;
    }
    broker_list = argv[1];
    job = (pid_t)atol(argv[4]);
    rd_kafka_t *any = member_of("bench.progress");
    char *topic = next_topic(any);
    char *group = strndup(topic, strlen(topic) - strlen(SUFFIX));
    rd_kafka_t *rk = member_of(group);
    watch(rk, argv[2], topic, atof(argv[3]));
    rd_kafka_destroy(rk);
    rd_kafka_destroy(any);
    free(group);
    free(topic);
    return EXIT_SUCCESS;
}
