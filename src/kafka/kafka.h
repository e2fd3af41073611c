/* Kafka: the log port on librdkafka, and what is checked and made before a start.
 *
 * 2.0.2 is the floor; what differs above it is gated by rd_kafka_version(). Source: reliability.md
 * "What a real broker showed", "Settings". */
#ifndef SC_KAFKA_KAFKA_H
#define SC_KAFKA_KAFKA_H

#include "config/settings.h"
#include "engine/worker.h"

/* How to reach the cluster. Secrets are read from their files by the caller. */
struct sc_kafka_config {
    const struct sc_kafka_settings *settings;
    struct sc_str password; /* SASL; empty: none */
};

/* Are there such properties, and may they have these values? Findings to `dg`; asks no broker. */
void sc_kafka_check_properties(const struct sc_kafka_settings *s, struct sc_diag *dg);

/* One worker's log. */
struct sc_kafka_log_config {
    const struct sc_kafka_config *kafka;
    const char *group;            /* consumer group */
    const char *writer;           /* transactional.id, group.instance.id and client.id: <= 32 */
    const char *const *inputs;    /* topics subscribed; index = sc_msg.topic */
    uint32_t n_inputs;
    const struct sc_out_topics *outputs;
    _Atomic bool *stop;           /* ends waits for a broker */
    struct sc_worker_status *status; /* its worker's: not ready, and why, while both clients wait */
};

/* Connects when it can: a broker that is down is waited for and said. NULL only when the settings
 * are refused by the client: the reason is logged. */
struct sc_log *sc_kafka_log_create(const struct sc_kafka_log_config *cfg);

/* As whom a role works: what it may do at the brokers is asked in these names. */
enum sc_kafka_role { SC_KAFKA_RESOLVE, SC_KAFKA_JOURNEY, SC_KAFKA_ROLES };
struct sc_kafka_login {
    const char *group;    /* NULL: the role is not run, its rights are not asked */
    char writer[33];      /* transactional.id of its first worker */
    struct sc_mark mark;  /* the setting that names both */
};

/* What a topic must be like; made when missing if `create`. */
struct sc_topic_need {
    const char *name;
    int32_t partitions;   /* exact when > 0 and `exact`, else for creation */
    bool exact, create;
    int16_t replication;  /* -1: the broker's default */
    const char *const *config; /* name, value pairs for creation and to be checked, NULL-ended */
    const char *what;     /* "the journal": for messages */
    struct sc_mark mark, partitions_mark; /* the settings that say so */
    unsigned readers, writers; /* roles that do: 1 << enum sc_kafka_role */
};
struct sc_kafka_needs {
    const struct sc_topic_need *topics;
    uint32_t n;
    const struct sc_kafka_login *logins; /* by role; NULL: rights are not asked */
};
/* One look at brokers, topics and rights: findings to `dg`, also when nobody answers. Makes and
 * changes nothing. */
void sc_kafka_check(const struct sc_kafka_config *cfg, const struct sc_kafka_needs *needs,
                    struct sc_diag *dg);
/* Check as above (and make) topics and their settings. Waits for a broker that is down, saying so,
 * until *stop. OK, UNAVAILABLE (stopped), AUTH, CONFIG: the reason with what to do is logged. */
enum sc_err sc_kafka_prepare(const struct sc_kafka_config *cfg, const struct sc_kafka_needs *needs,
                             _Atomic bool *stop);

/* For people: read a topic, read_committed, without a group. */
struct sc_kafka_range {
    const char *topic;
    int32_t partition; /* -1: all */
    int64_t from;      /* an offset of that partition, or one of: */
    const bool *only;  /* by partition, false: left out; NULL: all (with partition -1) */
    uint32_t n_only;
    const char *group; /* NULL, or: go on where this group's offsets stand, `from` where it has none */
};
#define SC_FROM_START (-2)
#define SC_FROM_END (-1)
struct sc_kafka_tap;
/* NULL with a sentence in `why`. An offset that the topic has not: the first `next` is INVALID. */
struct sc_kafka_tap *sc_kafka_tap_create(const struct sc_kafka_config *cfg,
                                         const struct sc_kafka_range *range, struct sc_buf *why);
/* The next message, borrowed until the next call. NOT_FOUND: all ends were reached; TIMEOUT;
 * INVALID: an offset that is not there; UNAVAILABLE. */
enum sc_err sc_kafka_tap_next(struct sc_kafka_tap *tp, int timeout_ms, struct sc_msg *out,
                              struct sc_header *headers, uint32_t *n_headers, uint32_t max);
/* Offsets left out, since the group's stand behind them. */
int64_t sc_kafka_tap_passed(const struct sc_kafka_tap *tp);
void sc_kafka_tap_destroy(struct sc_kafka_tap *tp);

/* For commands that write: one transaction after the other, under an id of their own. NULL, false:
 * the reason is logged. A commit that failed is not known to be one: it may be there after all. */
struct sc_kafka_sender;
struct sc_kafka_sender *sc_kafka_sender_create(const struct sc_kafka_config *cfg, const char *id);
bool sc_kafka_sender_put(struct sc_kafka_sender *s, const char *topic, const struct sc_out *out);
/* How far a group is with a topic: the next offset by partition, -1 where nothing was read. */
struct sc_kafka_place {
    const char *group, *topic;
    const int64_t *next;
    uint32_t n;
};
/* `place` becomes the group's in the same transaction; NULL: none. */
bool sc_kafka_sender_commit(struct sc_kafka_sender *s, const struct sc_kafka_place *place);
void sc_kafka_sender_destroy(struct sc_kafka_sender *s);

/* For back-tests: a topic from the first record at or after `from_ms` to its end at the start, all
 * partitions as one stream in order of the records' times; read_committed, without a group. */
struct sc_kafka_replay;
/* NULL with a sentence in `why`. */
struct sc_kafka_replay *sc_kafka_replay_create(const struct sc_kafka_config *cfg,
                                               const char *topic, int64_t from_ms,
                                               struct sc_buf *why);
/* The next message, borrowed until the next call. NOT_FOUND: the end; TIMEOUT: nothing came yet;
 * UNAVAILABLE. */
enum sc_err sc_kafka_replay_next(struct sc_kafka_replay *rp, int timeout_ms, struct sc_msg *out);
/* Records read, and about how many there are. */
void sc_kafka_replay_progress(const struct sc_kafka_replay *rp, uint64_t *at, uint64_t *size);
void sc_kafka_replay_destroy(struct sc_kafka_replay *rp);

#endif
