/* Reading what is already there: ends of partitions, the state log from an offset on.
 *
 * The end of a restore is the consumer's position past the last offset wanted: the last stable
 * offset may lag behind a marker, and end-of-partition may come below it (reliability.md). */
#include "kafka/ends.h"
#include "kafka/log_priv.h"

#include "base/log.h"
#include "base/time.h"

#define QUERY_TIMEOUT_MS 5000
#define REPLAY_STALL_MS 30000 /* no message and no progress for so long: give up, acquire anew */
#define SAY_EVERY_MS 2000

enum sc_err sc_kafka_ends(struct kafka_log *k, const char *topic, int32_t partition, int64_t *low,
                          int64_t *high, int64_t *stable)
{
    /* The side handle reads what is not committed too, the consumer does not. */
    rd_kafka_resp_err_t e = sc_kafka_offset_at(k->side, topic, partition, RD_KAFKA_OFFSET_BEGINNING,
                                               QUERY_TIMEOUT_MS, low);
    if (!e)
        e = sc_kafka_offset_at(k->side, topic, partition, RD_KAFKA_OFFSET_END, QUERY_TIMEOUT_MS,
                               high);
    if (!e)
        e = sc_kafka_offset_at(k->consumer, topic, partition, RD_KAFKA_OFFSET_END,
                               QUERY_TIMEOUT_MS, stable);
    if (!e)
        return SC_ERR_OK;
    sc_log(SC_LOG_WARN, "kafka", "the ends of a partition cannot be asked", "topic", topic, "why",
           rd_kafka_err2str(e), NULL);
    return e == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || e == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
               ? SC_ERR_NOT_FOUND
               : SC_ERR_UNAVAILABLE;
}

static int64_t position_of(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    return rd_kafka_position(rk, list) ? -1 : list->elems[0].offset;
}

struct replay {
    struct kafka_log *k;
    rd_kafka_t *rk;
    rd_kafka_topic_partition_list_t *list;
    int64_t until, last; /* last: offset handed out last */
    struct sc_ahead ahead;
    bool (*fn)(void *arg, const struct sc_msg *m);
    void *arg;
};

/* One message. False: fn wants no more. */
static bool hand_out(struct replay *r, const rd_kafka_message_t *m)
{
    struct sc_msg msg = {.partition = m->partition, .offset = m->offset,
                         .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
                         .key = {m->key, m->key_len}, .value = {m->payload, m->len}};
    r->last = m->offset;
    sc_ahead_took(&r->ahead, r->rk, m);
    return r->fn(r->arg, &msg);
}

static enum sc_err run(struct replay *r, const char *topic)
{
    int64_t heard_ms = sc_time_mono_ms(), said_ms = heard_ms;
    while (r->last < r->until && position_of(r->rk, r->list) <= r->until) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(r->rk, 50);
        int64_t now_ms = sc_time_mono_ms();
        if (m && m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            heard_ms = now_ms;
            bool more = hand_out(r, m);
            rd_kafka_message_destroy(m);
            if (!more)
                return SC_ERR_OK;
        } else if (m) {
            bool fatal = m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
            rd_kafka_message_destroy(m);
            if (fatal)
                return SC_ERR_TORN;
        }
        if (now_ms - heard_ms > REPLAY_STALL_MS)
            return SC_ERR_TIMEOUT;
        if (now_ms - said_ms > SAY_EVERY_MS) {
            sc_kafka_stay(r->k);
            if (r->k->rebalanced)
                return SC_ERR_FENCED; /* what is restored may be another's: the next poll says */
            sc_logf(SC_LOG_INFO, "kafka", "restoring %s: at %lld of %lld", topic,
                    (long long)r->last, (long long)r->until);
            said_ms = now_ms;
        }
    }
    return SC_ERR_OK;
}

enum sc_err sc_kafka_replay(struct sc_log *lg, uint16_t topic, int32_t partition, int64_t from,
                            int64_t until, bool (*fn)(void *arg, const struct sc_msg *m),
                            void *arg)
{
    struct kafka_log *k = sc_kafka_log(lg);
    static const struct sc_conf_pair pairs[] = {
        {"group.id", "stagecoach-restore"}, /* never joined: the client wants one */
        {"isolation.level", "read_committed"},
        {"auto.offset.reset", "error"},
        {"fetch.wait.max.ms", "10"},
        {NULL, NULL},
    };
    rd_kafka_t *rk = sc_kafka_handle(false, sc_kafka_conf(k->cfg.kafka, false, pairs));
    if (rk == NULL)
        return SC_ERR_CONFIG;
    const char *name = k->cfg.outputs->v[topic].name.p;
    struct replay r = {.k = k, .rk = rk, .until = until, .last = -1, .fn = fn, .arg = arg};
    r.list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(r.list, name, partition)->offset = from < 0 ? 0 : from;
    rd_kafka_assign(rk, r.list);
    rd_kafka_poll_set_consumer(rk);
    enum sc_err e = run(&r, name);
    rd_kafka_topic_partition_list_destroy(r.list);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return e;
}
