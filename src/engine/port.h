/* Ports: all that the engine needs of the outside world. kafka/, redis/, registry/ implement them
 * on real servers, sim/ in memory with the same transactions. One instance a worker, used by that
 * worker's thread alone, except where said.
 *
 * Nothing here decides: an implementation reports what happened (enum sc_err, with the retry fact),
 * the engine chooses. The one table that maps the client's signals to actions is kafka/signal.c. */
#ifndef SC_ENGINE_PORT_H
#define SC_ENGINE_PORT_H

#include "base/err.h"
#include "base/str.h"
#include "core/event.h"
#include "codec/decoder.h"
#include "codec/header.h"
#include <stdint.h>

/* ---- the log: one group consumer and one transactional producer */

/* A message read. Borrowed until the batch is released. */
struct sc_msg {
    uint16_t topic;        /* index into the topics subscribed */
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;  /* the record's Kafka timestamp; -1 none */
    struct sc_str key, value; /* p == NULL: absent */
    void *raw;             /* the implementation's own, for headers */
};

#define SC_BATCH_MAX 2048

enum sc_poll {
    SC_POLL_NOTHING,   /* the time passed */
    SC_POLL_MESSAGES,  /* n messages */
    SC_POLL_REBALANCED /* the assignment changed, or a position is gone: ask `assigned`; open work
                        * must be dropped */
};
struct sc_poll_result {
    enum sc_poll what;
    struct sc_msg *msgs;
    uint32_t n;
};

struct sc_tp { /* a partition with what is said about it */
    uint16_t topic;
    int32_t partition;
    int64_t offset;        /* -1: none */
    struct sc_str metadata; /* ASCII, < 128 B; empty: none */
};

/* A message to be written. Copied by produce unless said. */
struct sc_out {
    uint16_t topic;         /* index into the output topics */
    int32_t partition;      /* explicit, or -1: by murmur2 of the key as Java's default partitioner */
    struct sc_str key, value; /* p == NULL: absent (a tombstone) */
    int64_t timestamp_ms;   /* 0: now */
    const struct sc_header *headers;
    uint32_t n_headers;
};

struct sc_log;
struct sc_log_ops {
    /* Read up to SC_BATCH_MAX messages, waiting at most timeout_ms for the first. Positions follow
     * `rewind`. Retriable errors are waited for inside and said in the log. */
    enum sc_err (*poll)(struct sc_log *lg, int timeout_ms, struct sc_poll_result *out);
    /* Give the last batch back, if there is one in hand. */
    void (*release)(struct sc_log *lg);
    /* Headers of a message of the batch in hand: how many were written to `out`. */
    uint32_t (*headers)(struct sc_log *lg, const struct sc_msg *m, struct sc_header *out,
                        uint32_t max);
    /* The value of the first of that name, borrowed as the message; p == NULL: there is none. For
     * most records, which have no headers, much less work than looking for them. */
    struct sc_str (*header)(struct sc_log *lg, const struct sc_msg *m, struct sc_str name);
    /* What this member owns now: count, *out borrowed until the next poll. */
    uint32_t (*assigned)(struct sc_log *lg, const struct sc_tp **out);
    /* Committed offset and metadata of each (require_stable: waits for pending transactions, at
     * most timeout_ms: TIMEOUT names the partitions still pending by offset -2). */
    enum sc_err (*committed)(struct sc_log *lg, struct sc_tp *parts, uint32_t n, int timeout_ms,
                             struct sc_arena *ar);
    /* The offset metadata of a partition as last committed, pending transactions passed over:
     * names the writer that may have left one open. Empty: none. */
    enum sc_err (*last_metadata)(struct sc_log *lg, const struct sc_tp *part, struct sc_arena *ar,
                                 struct sc_str *metadata);
    /* Set positions of ALL owned partitions (assign anew at these offsets): the only way to seek.
     * offset -1: paused, nothing is read of it. */
    enum sc_err (*rewind)(struct sc_log *lg, const struct sc_tp *parts, uint32_t n);
    /* Low and high watermark and last stable offset of a partition, asked of the broker. */
    enum sc_err (*watermarks)(struct sc_log *lg, uint16_t topic, int32_t partition, int64_t *low,
                              int64_t *high, int64_t *stable);
    /* First offset whose timestamp is at or after `ms` (the end when there is none). */
    enum sc_err (*offset_at)(struct sc_log *lg, uint16_t topic, int32_t partition, int64_t ms,
                             int64_t *offset);
    /* True when everything of the partition up to its end has been read (lag 0 as last heard). */
    bool (*at_end)(struct sc_log *lg, uint16_t topic, int32_t partition);
    int32_t (*partitions)(struct sc_log *lg, uint16_t topic); /* of a subscribed topic */
    int64_t (*lag)(struct sc_log *lg); /* records behind the ends of all owned partitions */

    /* One transaction at a time. `begin` takes the group metadata once and checks it (generation
     * >= 0, member id not empty): FENCED when it is not a membership. */
    enum sc_err (*begin)(struct sc_log *lg);
    /* Kept until the flush; where many are, they may be flushed here. ABORT: one was refused. */
    enum sc_err (*produce)(struct sc_log *lg, const struct sc_out *out);
    /* Wait until everything produced is acknowledged (own bound). ABORT: something was not. */
    enum sc_err (*flush)(struct sc_log *lg);
    /* Offsets with metadata for every partition given, then commit. Flushed before.
     * OK: committed. ABORT: nothing is; abort was done. FENCED, FATAL: the clients were destroyed
     * and made anew; the outcome is not known: acquire anew. */
    enum sc_err (*commit)(struct sc_log *lg, const struct sc_tp *offsets, uint32_t n);
    void (*abort)(struct sc_log *lg);
    /* Like produce, and remember the offset the broker gives it: read it after a flush. */
    enum sc_err (*produce_marked)(struct sc_log *lg, const struct sc_out *out, uint32_t *mark);
    int64_t (*mark_offset)(struct sc_log *lg, uint32_t mark);

    /* Restore: read `topic` (an output topic) of one partition from `from` on, read_committed,
     * until the position is past `until`. `fn` gets every message; false stops. */
    enum sc_err (*replay)(struct sc_log *lg, uint16_t topic, int32_t partition, int64_t from,
                          int64_t until, bool (*fn)(void *arg, const struct sc_msg *m), void *arg);
    /* Watermarks of an output topic's partition. */
    enum sc_err (*out_watermarks)(struct sc_log *lg, uint16_t topic, int32_t partition,
                                  int64_t *low, int64_t *high, int64_t *stable);
    /* Fence a dead writer: init_transactions with its id on a throw-away producer. False members:
     * only when `writer` is not in the group now. */
    enum sc_err (*fence)(struct sc_log *lg, struct sc_str writer);
    bool (*member_alive)(struct sc_log *lg, struct sc_str writer);

    /* Leave the group at once and close both clients. */
    void (*close)(struct sc_log *lg);
};
struct sc_log {
    const struct sc_log_ops *ops;
};

/* ---- the view: states, timers and hints in Redis */

/* Where a partition's view stands. */
struct sc_stamp {
    uint64_t incarnation; /* of the state log: 0 = there is no stamp */
    uint64_t view;
    int64_t offset;       /* in stagecoach.state: everything up to it is in the view */
};

struct sc_view_item { /* one customer */
    struct sc_node_id node;
    struct sc_str state; /* to read: p == NULL when there is none; to write: p == NULL deletes */
    int64_t due_ms;      /* timer index; SC_NO_DUE: none */
    bool listed;         /* to write, without a due time: it may stand in the timer index */
};

struct sc_view;
struct sc_view_ops {
    /* Stamp and states of one partition in one round trip. UNAVAILABLE: no Redis now. */
    enum sc_err (*read)(struct sc_view *vw, uint32_t partition, struct sc_stamp *stamp,
                        struct sc_view_item *items, uint32_t n);
    /* Start an asynchronous flush: if the stamp is still `seen`, write the items and move the
     * stamp to `to` with the last chunk. Items are copied. One flush a partition at a time. */
    enum sc_err (*flush)(struct sc_view *vw, uint32_t partition, struct sc_stamp seen,
                         struct sc_stamp to, const struct sc_view_item *items, uint32_t n);
    /* Collect: OK with *partition = UINT32_MAX when no flush is in flight; OK with the next one
     * that ended: *partition and its own
     * result in *how (OK, CONFLICT: the stamp was another, UNAVAILABLE). TIMEOUT: none ended yet. */
    enum sc_err (*collect)(struct sc_view *vw, int timeout_ms, uint32_t *partition,
                           enum sc_err *how);
    /* Compare-and-set a new, empty view. */
    enum sc_err (*reset)(struct sc_view *vw, uint32_t partition, struct sc_stamp seen,
                         struct sc_stamp to);
    /* Every (node, due) of the partition's timer index. */
    enum sc_err (*timers)(struct sc_view *vw, uint32_t partition, uint64_t view,
                          void (*fn)(void *arg, const struct sc_node_id *node, int64_t due_ms),
                          void *arg);
    /* Hints: parents of `n` nodes in one round trip (zeroed: none). */
    enum sc_err (*hints)(struct sc_view *vw, const struct sc_node_id *nodes,
                         struct sc_node_id *parents, uint32_t n);
    /* Pairs child, parent: pipelined, best effort. Parent zero: delete. */
    void (*hint)(struct sc_view *vw, const struct sc_node_id *pairs, uint32_t n);
    void (*close)(struct sc_view *vw);
};
struct sc_view {
    const struct sc_view_ops *ops;
};

/* ---- the registry: shared by the workers of a process */

struct sc_schema_text {
    int32_t type; /* enum sc_format */
    struct sc_str text;
    const struct sc_schema_ref *refs;
    uint32_t n_refs;
};
struct sc_schemas;
struct sc_schemas_ops {
    /* Schema of an id: cached for ever. NOT_FOUND: cached briefly. Thread: any. */
    enum sc_err (*get)(struct sc_schemas *rs, uint32_t id, struct sc_arena *ar,
                       struct sc_schema_text *out);
    enum sc_err (*put)(struct sc_schemas *rs, struct sc_str subject, int32_t type,
                       struct sc_str text, uint32_t *id);
};
struct sc_schemas {
    const struct sc_schemas_ops *ops;
};

/* ---- clock: wall and monotonic milliseconds; asked once a batch */
struct sc_clock {
    int64_t (*now_ms)(void *arg);
    int64_t (*mono_ms)(void *arg);
    void *arg;
};

#endif
