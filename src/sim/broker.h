/* Broker: Kafka's guarantees in memory, for `dev` and for fault tests: partitions, transactions
 * that are seen whole or not at all, groups with committed offsets and metadata, fencing of stale
 * members. One process; thread-safe by one lock.
 *
 * What it does not have: networks, replicas, retention by time. A partition keeps at least its last
 * `keep` messages, and what a member has still to read. A transaction open for over 20 s is
 * aborted, as on a real broker. */
#ifndef SC_SIM_BROKER_H
#define SC_SIM_BROKER_H

#include "engine/port.h"
#include "engine/topics.h"

struct sc_broker;

/* A fault to be met by one call, asked before it acts. SC_ERR_OK: none. */
enum sc_broker_call { SC_CALL_POLL, SC_CALL_BEGIN, SC_CALL_PRODUCE, SC_CALL_FLUSH, SC_CALL_COMMIT,
                      SC_CALL_COMMITTED, /* after it acted: the outcome is lost */
                      SC_CALL_ENDS /* watermarks of an input */ };
typedef enum sc_err sc_broker_fault(void *arg, const char *writer, enum sc_broker_call call);

/* How a call waits: at most `ms` milliseconds. Unset: by sleeping. A test with a clock of its own
 * runs somebody else meanwhile. Set before the first member joins. */
typedef void sc_sim_sleep(void *arg, int ms);

struct sc_broker *sc_broker_create(struct sc_clock clock, uint64_t keep);
void sc_broker_destroy(struct sc_broker *b);
void sc_broker_faults(struct sc_broker *b, sc_broker_fault *fault, void *arg);
void sc_broker_sleeps(struct sc_broker *b, sc_sim_sleep *sleep, void *arg);
/* Make a topic, or give one that is there more partitions. */
void sc_broker_topic(struct sc_broker *b, const char *name, int32_t partitions);
/* Write one message outside any transaction (sources). partition -1: by murmur2 of the key. */
void sc_broker_write(struct sc_broker *b, const char *topic, const struct sc_out *out);
/* Read what is committed of a topic's partition from `from` on; false stops. Returns the offset to
 * go on at. The broker is locked while `fn` runs. */
int64_t sc_broker_read(struct sc_broker *b, const char *topic, int32_t partition, int64_t from,
                       bool (*fn)(void *arg, const struct sc_msg *m), void *arg);
int32_t sc_broker_partitions(struct sc_broker *b, const char *topic);
/* As DeleteRecords: what lies before `before` is gone. A member whose place is gone with it is told
 * by a rebalance: it has to ask where to go on. Nothing there may be open or in somebody's hands. */
void sc_broker_delete(struct sc_broker *b, const char *topic, int32_t partition, int64_t before);

/* One worker's log. Joining rebalances the group; so do close and kill. */
struct sc_broker_log_config {
    const char *group, *writer;
    const char *const *inputs;
    uint32_t n_inputs;
    const struct sc_out_topics *outputs;
};
struct sc_log *sc_broker_log_create(struct sc_broker *b, const struct sc_broker_log_config *cfg);
/* As kill -9: the member is gone, its open transaction stays open until its id is used again. Its
 * worker, which cannot be killed alone, meets SC_ERR_FATAL from here on and changes nothing; its
 * close gives the memory back. Thread: any. */
void sc_broker_log_kill(struct sc_log *lg);

#endif
