/* What broker.c (topics, transactions) and member.c (groups, the log port) share. All of it under
 * the broker's lock. */
#ifndef SC_SIM_BROKER_PRIV_H
#define SC_SIM_BROKER_PRIV_H

#include "sim/broker.h"

#include <pthread.h>

#define WRITER_MAX 64u

enum txn_status { TXN_OPEN, TXN_COMMITTED, TXN_ABORTED };

struct txn {
    enum txn_status status;
    char writer[WRITER_MAX];
    int64_t opened_ms;
    uint64_t refs;    /* its messages, and the member that has it in hand */
    struct txn *next; /* of those that are open */
};

struct message {
    int64_t offset, timestamp_ms;
    struct sc_str key, value;
    const struct sc_header *headers;
    uint32_t n_headers;
    struct txn *txn; /* NULL: outside any */
    uint32_t pins;   /* batches that hold it */
};

struct partition {
    struct message **v; /* v[i] has offset base + i */
    int64_t base;
    int64_t stable; /* nothing before it is open any more */
    uint64_t n, cap;
};

struct topic {
    char *name;
    struct partition *parts;
    int32_t n;
};

struct offset { /* committed */
    char *group;
    const struct topic *topic;
    int32_t partition;
    int64_t offset;
    char metadata[128];
    struct offset *next;
};

struct member {
    struct sc_log base;
    struct sc_broker *b;
    struct sc_broker_log_config cfg;
    char group[WRITER_MAX], writer[WRITER_MAX];
    struct topic **inputs;
    struct sc_tp *owned;  /* offset: position; -1 paused */
    uint32_t n_owned;
    bool rebalanced;
    _Atomic bool dead;
    uint64_t generation, known, txn_generation; /* known: as of its last poll */
    struct txn *txn;
    struct message *marks[4096];
    uint32_t n_marks;
    struct sc_msg msgs[SC_BATCH_MAX];
    uint32_t n_msgs; /* pinned until released */
    struct member *next;
};

struct sc_broker {
    pthread_mutex_t lock;
    struct sc_clock clock;
    uint64_t keep;
    struct topic **topics;
    uint32_t n_topics;
    struct offset *offsets;
    struct member *members;
    struct txn *open;
    uint64_t generation;
    sc_broker_fault *fault;
    sc_sim_sleep *sleep;
    void *fault_arg, *sleep_arg;
};

/* NULL: there is none. */
struct topic *sc_broker_find(struct sc_broker *b, const char *name);
/* Append one message; `txn` NULL: seen at once. Lives until trimmed. */
struct message *sc_broker_put(struct sc_broker *b, struct topic *t, const struct sc_out *out,
                              struct txn *txn);
/* The last stable offset: the first message of an open transaction, or the end. */
int64_t sc_broker_stable(struct partition *p);
struct sc_msg sc_broker_msg(struct message *m, uint16_t topic, int32_t partition);
/* NULL: nothing is committed, and none was to be made. */
struct offset *sc_broker_offset(struct sc_broker *b, const char *group, const struct topic *t,
                                int32_t partition, bool make);

static inline bool sc_broker_visible(const struct message *m)
{
    return m->txn == NULL || m->txn->status == TXN_COMMITTED;
}

void sc_txn_unref(struct txn *t);
/* Nothing when it has ended already. */
void sc_txn_end(struct sc_broker *b, struct txn *t, enum txn_status status);
/* Abort what is open of a writer whose id is used again (NULL: nobody's), and what has been open
 * for too long. */
void sc_txn_abort_open(struct sc_broker *b, const char *writer);

#endif
