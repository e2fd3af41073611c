/* A topic from a time on to the end it has at the start: for back-tests. No group, nothing is
 * committed; read_committed, as `run` reads.
 *
 * Each partition has a queue of its own, and the next message is the oldest of their heads by the
 * record's time, so the order is the same whenever it is read, and no partition runs ahead of
 * another. */
#include "kafka/ahead.h"
#include "kafka/conf.h"
#include "kafka/ends.h"

#include <stdlib.h>

#define ASK_TIMEOUT_MS 10000

struct part {
    rd_kafka_queue_t *queue; /* NULL: nothing in the range */
    rd_kafka_message_t *head;
    struct sc_ahead ahead;
    int64_t end;
    bool done;
};

struct sc_kafka_replay {
    rd_kafka_t *rk;
    rd_kafka_message_t *given; /* what the caller has */
    struct part *parts;
    int32_t n;
    int64_t read, all; /* offsets of the range: how far it is */
};

static bool count_partitions(struct sc_kafka_replay *rp, const char *topic, struct sc_buf *why)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rp->rk, topic, NULL);
    rd_kafka_resp_err_t e = rd_kafka_metadata(rp->rk, 0, rkt, &md, ASK_TIMEOUT_MS);
    rd_kafka_topic_destroy(rkt);
    if (e) {
        sc_buf_addf(why, "no broker answers: %s", rd_kafka_err2str(e));
        return false;
    }
    rp->n = md->topic_cnt ? md->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(md);
    if (rp->n == 0)
        sc_buf_addf(why, "there is no topic %s", topic);
    rp->parts = sc_calloc((size_t)rp->n + 1, sizeof(*rp->parts));
    return rp->n > 0;
}

/* Where each partition begins, by time, and ends, now. Those that have nothing are left out. */
static bool find_ranges(struct sc_kafka_replay *rp, const char *topic, int64_t from_ms,
                        rd_kafka_topic_partition_list_t *list, struct sc_buf *why)
{
    for (int32_t p = 0; p < rp->n; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = from_ms;
    rd_kafka_resp_err_t e = rd_kafka_offsets_for_times(rp->rk, list, ASK_TIMEOUT_MS);
    for (int32_t p = rp->n - 1; p >= 0 && e == RD_KAFKA_RESP_ERR_NO_ERROR; p--) {
        int64_t from = list->elems[p].offset;
        struct part *part = &rp->parts[p];
        if ((e = list->elems[p].err) == RD_KAFKA_RESP_ERR_NO_ERROR)
            e = sc_kafka_offset_at(rp->rk, topic, p, RD_KAFKA_OFFSET_END, ASK_TIMEOUT_MS,
                                   &part->end);
        if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        part->done = from < 0 || from >= part->end; /* none at or after the time */
        if (part->done)
            rd_kafka_topic_partition_list_del_by_idx(list, p);
        else
            rp->all += part->end - from;
    }
    if (e)
        sc_buf_addf(why, "topic %s: %s", topic, rd_kafka_err2str(e));
    return e == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool start(struct sc_kafka_replay *rp, const char *topic, int64_t from_ms,
                  struct sc_buf *why)
{
    if (!count_partitions(rp, topic, why))
        return false;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(rp->n);
    bool fine = find_ranges(rp, topic, from_ms, list, why);
    /* Before the assignment: what is fetched until a queue is its own goes to the consumer's. */
    for (int32_t p = 0; fine && p < rp->n; p++) {
        if (rp->parts[p].done)
            continue;
        rp->parts[p].queue = rd_kafka_queue_get_partition(rp->rk, topic, p);
        rd_kafka_queue_forward(rp->parts[p].queue, NULL);
    }
    rd_kafka_resp_err_t e = fine ? rd_kafka_assign(rp->rk, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    if (e)
        sc_buf_addf(why, "topic %s: %s", topic, rd_kafka_err2str(e));
    return fine && e == RD_KAFKA_RESP_ERR_NO_ERROR;
}

struct sc_kafka_replay *sc_kafka_replay_create(const struct sc_kafka_config *cfg,
                                               const char *topic, int64_t from_ms,
                                               struct sc_buf *why)
{
    static const struct sc_conf_pair pairs[] = {
        {"group.id", "stagecoach-replay"}, {"isolation.level", "read_committed"},
        {"enable.auto.commit", "false"}, {"enable.partition.eof", "true"},
        {"fetch.wait.max.ms", "50"}, {"auto.offset.reset", "error"}, {NULL, NULL}};
    struct sc_kafka_replay *rp = sc_calloc(1, sizeof(*rp));
    rp->rk = sc_kafka_handle(false, sc_kafka_conf(cfg, false, pairs));
    if (rp->rk == NULL)
        sc_buf_addz(why, SC_KAFKA_REFUSED);
    else if (start(rp, topic, from_ms, why))
        return rp;
    sc_kafka_replay_destroy(rp);
    return NULL;
}

/* The partition's next message into `head`, or its end. */
static enum sc_err fill(struct sc_kafka_replay *rp, struct part *part, int timeout_ms)
{
    rd_kafka_message_t *m = rd_kafka_consume_queue(part->queue, timeout_ms);
    if (m == NULL)
        return SC_ERR_TIMEOUT;
    if (!m->err)
        sc_ahead_took(&part->ahead, rp->rk, m);
    bool over = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || (!m->err && m->offset >= part->end);
    if (!m->err && !over) {
        part->head = m;
        rp->read++;
        return SC_ERR_OK;
    }
    part->done = over;
    rd_kafka_message_destroy(m);
    return over ? SC_ERR_OK : SC_ERR_UNAVAILABLE;
}

static bool older(const rd_kafka_message_t *a, const rd_kafka_message_t *b)
{
    int64_t x = rd_kafka_message_timestamp(a, NULL), y = rd_kafka_message_timestamp(b, NULL);
    return x != y ? x < y : a->partition < b->partition;
}

enum sc_err sc_kafka_replay_next(struct sc_kafka_replay *rp, int timeout_ms, struct sc_msg *out)
{
    struct part *first = NULL;
    if (rp->given)
        rd_kafka_message_destroy(rp->given);
    rp->given = NULL;
    for (int32_t p = 0; p < rp->n; p++) {
        struct part *part = &rp->parts[p];
        if (!part->done && part->head == NULL) {
            enum sc_err e = fill(rp, part, timeout_ms);
            if (e != SC_ERR_OK)
                return e;
        }
        if (part->head && (first == NULL || older(part->head, first->head)))
            first = part;
    }
    if (first == NULL)
        return SC_ERR_NOT_FOUND;
    rd_kafka_message_t *m = rp->given = first->head;
    first->head = NULL;
    *out = (struct sc_msg){.partition = m->partition, .offset = m->offset,
                           .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
                           .key = {m->key, m->key_len}, .value = {m->payload, m->len}, .raw = m};
    return SC_ERR_OK;
}

void sc_kafka_replay_progress(const struct sc_kafka_replay *rp, uint64_t *at, uint64_t *size)
{
    *at = (uint64_t)rp->read;
    *size = (uint64_t)rp->all;
}

void sc_kafka_replay_destroy(struct sc_kafka_replay *rp)
{
    if (rp == NULL)
        return;
    if (rp->given)
        rd_kafka_message_destroy(rp->given);
    for (int32_t p = 0; p < rp->n; p++) {
        if (rp->parts[p].head)
            rd_kafka_message_destroy(rp->parts[p].head);
        if (rp->parts[p].queue)
            rd_kafka_queue_destroy(rp->parts[p].queue);
    }
    if (rp->rk) {
        rd_kafka_consumer_close(rp->rk);
        rd_kafka_destroy(rp->rk);
    }
    free(rp->parts);
    free(rp);
}
