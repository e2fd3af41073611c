/* The Kafka log's insides, shared by log.c (consumer side), txn.c (producer side) and restore.c. */
#ifndef SC_KAFKA_LOG_PRIV_H
#define SC_KAFKA_LOG_PRIV_H

#include "kafka/ahead.h"
#include "kafka/conf.h"
#include "kafka/outbox.h"
#include "kafka/signal.h"

#define SC_MARKS_MAX 4096u

struct sc_owned { /* a partition owned, and what was heard of it */
    int32_t partition;
    uint16_t topic;
    bool eof;
    int64_t position; /* next offset to be handed out; -1 unknown */
    struct sc_ahead ahead;
};

struct kafka_log {
    struct sc_log base;
    struct sc_kafka_log_config cfg;
    rd_kafka_t *consumer, *producer;
    rd_kafka_t *side; /* read_uncommitted, no subscription: old offsets, high watermarks */
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *out[SC_OUT_MAX];
    int32_t out_partitions[SC_OUT_MAX]; /* as of the producer's start; 0: not known */
    int32_t in_partitions[SC_SOURCES_MAX];
    int64_t partitions_ms; /* when they were last asked for */
    rd_kafka_message_t *batch[SC_BATCH_MAX];
    struct sc_msg msgs[SC_BATCH_MAX];
    uint32_t n;
    size_t mean_bytes; /* of the values of the last batch */
    struct sc_owned *owned;
    struct sc_tp *tps; /* the same, as handed out */
    uint32_t n_owned;
    struct sc_owned *last;      /* of the message looked at last: they come in runs */
    const rd_kafka_topic_t *last_topic;
    bool rebalanced;
    bool dead; /* the consumer had a fatal error: it hands nothing out any more */
    bool away; /* it has lost all brokers */
    int64_t asked_ms; /* when they were last asked since */
    /* transaction */
    rd_kafka_consumer_group_metadata_t *member;
    struct sc_taint taint;
    bool open;
    struct sc_outbox box;
    uint64_t sent, delivered;
    bool undelivered; /* a message of this transaction was refused */
    int64_t marks[SC_MARKS_MAX];
    uint32_t n_marks;
};

static inline struct kafka_log *sc_kafka_log(struct sc_log *lg)
{
    return (struct kafka_log *)lg;
}

/* log.c */
bool sc_kafka_consumer_open(struct kafka_log *k);
void sc_kafka_consumer_close(struct kafka_log *k);
/* Keep the membership through something long that ends in a rewind: what is read is let go. */
void sc_kafka_stay(struct kafka_log *k);
struct sc_owned *sc_kafka_owned(struct kafka_log *k, const char *topic, int32_t partition);
/* Nobody answers, or somebody does again: stated as what the worker waits for, unless that is another
 * thing. */
void sc_kafka_away(struct kafka_log *k, bool away);
/* txn.c: a producer that has done init_transactions. Waits for a broker until *stop. */
enum sc_err sc_kafka_producer_open(struct kafka_log *k);
void sc_kafka_producer_close(struct kafka_log *k);
/* Both clients anew, after a fatal error: forget everything. */
void sc_kafka_renew(struct kafka_log *k);

enum sc_err sc_kafka_begin(struct sc_log *lg);
enum sc_err sc_kafka_produce(struct sc_log *lg, const struct sc_out *out);
enum sc_err sc_kafka_produce_marked(struct sc_log *lg, const struct sc_out *out, uint32_t *mark);
int64_t sc_kafka_mark_offset(struct sc_log *lg, uint32_t mark);
enum sc_err sc_kafka_flush(struct sc_log *lg);
enum sc_err sc_kafka_commit(struct sc_log *lg, const struct sc_tp *offsets, uint32_t n);
void sc_kafka_abort(struct sc_log *lg);
enum sc_err sc_kafka_fence(struct sc_log *lg, struct sc_str writer);
/* restore.c */
enum sc_err sc_kafka_replay(struct sc_log *lg, uint16_t topic, int32_t partition, int64_t from,
                            int64_t until, bool (*fn)(void *arg, const struct sc_msg *m),
                            void *arg);
enum sc_err sc_kafka_ends(struct kafka_log *k, const char *topic, int32_t partition, int64_t *low,
                          int64_t *high, int64_t *stable);

#endif
