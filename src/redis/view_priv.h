/* Private to the view on Redis: what its two files share. view.c reads, resets, hints; view_flush.c
 * brings Redis up to date. */
#ifndef SC_REDIS_VIEW_PRIV_H
#define SC_REDIS_VIEW_PRIV_H

#include "base/arena.h"
#include "redis/redis.h"

#include <string.h>

#define SC_REDIS_BUCKETS 1024u /* a partition */
#define SC_REDIS_DOWN_MS 1000  /* no new try to connect for so long after a failure */
#define SC_REDIS_KEEP_BYTES (16u << 20) /* of the arena, from call to call */

struct flight { /* a flush on the way */
    uint32_t partition;
    uint32_t chunks; /* still to be written */
    enum sc_err how;
};

/* One transaction of a flush, as it stands in `wire`: the question, then what is written when the
 * answer is right. */
struct chunk {
    size_t ask, write;    /* bytes */
    uint32_t commands;    /* of what is written, EXEC not counted */
    uint32_t number;      /* in its flush, from 1 */
    struct sc_stamp seen; /* the answer that is right */
    uint64_t flush_id;
};

enum phase { /* of the first chunk */
    SC_CHUNK_WAITS,     /* nothing of it was sent */
    SC_CHUNK_ASKED,
    SC_CHUNK_WRITTEN,
    SC_CHUNK_DISCARDED  /* the answer was another */
};

/* A worker's view. Thread: the worker's alone. */
struct redis_view {
    struct sc_view base;
    struct sc_redis_config cfg;
    redisContext *rd, *wr;
    char reset_sha[41];
    int64_t down_until_ms;
    struct flight *flights; /* in order of sending */
    uint32_t n_flights, cap_flights;
    struct chunk *chunks;   /* of these, in the same order */
    uint32_t n_chunks, cap_chunks;
    enum phase phase;
    uint32_t replies;       /* that the first chunk still waits for */
    bool right;             /* so far, of its answers */
    bool ahead;             /* the second was asked too, behind what the first writes */
    struct sc_buf wire;   /* chunks. hiredis's own buffer grows by 1 MiB, copied each time, and starts
                             anew with each flush: 4 % of the worker's time */
    size_t sent, may;     /* of `wire`: gone; may go */
    uint64_t flush_id;
    int64_t heard_ms;
    struct sc_redis_args args;
    struct sc_buf command; /* for the reading connection */
    struct sc_arena ar; /* one call's */
};

static inline struct redis_view *sc_redis_view(struct sc_view *vw)
{
    return (struct redis_view *)vw;
}

/* A new connection; NULL: none now. */
redisContext *sc_redis_open(struct redis_view *v);
/* A key of one partition, in the arena. */
struct sc_str sc_redis_key(struct redis_view *v, uint32_t partition, const char *rest, ...)
    __attribute__((format(printf, 3, 4)));

/* Nothing of the call before is looked at any more. */
static inline void sc_redis_call_start(struct redis_view *v)
{
    sc_arena_reset(&v->ar, SC_REDIS_KEEP_BYTES);
    sc_redis_args_clear(&v->args);
}

static inline uint32_t sc_redis_bucket(const struct sc_node_id *node)
{
    return (uint32_t)(node->b[14] << 8 | node->b[15]) % SC_REDIS_BUCKETS;
}

static inline void sc_redis_arg_str(struct redis_view *v, struct sc_str s)
{
    sc_redis_arg(&v->args, s.p, s.len);
}

static inline void sc_redis_argz(struct redis_view *v, const char *z)
{
    sc_redis_arg(&v->args, z, strlen(z));
}

/* Room for one argument's text: a flush has too many numbers for printf. */
static inline struct sc_buf sc_redis_buffer(struct redis_view *v, size_t cap)
{
    return (struct sc_buf){.p = sc_arena_alloc_align(&v->ar, cap, 1), .cap = cap, .ar = &v->ar};
}

static inline void sc_redis_arg_i64(struct redis_view *v, int64_t n)
{
    struct sc_buf text = sc_redis_buffer(v, 20);
    sc_buf_int(&text, n);
    sc_redis_arg_str(v, sc_buf_view(&text));
}

/* view_flush.c: the port's flush and collect (engine/port.h); what they hold is given back by fini. */
enum sc_err sc_redis_flush(struct sc_view *vw, uint32_t partition, struct sc_stamp seen,
                           struct sc_stamp to, const struct sc_view_item *items, uint32_t n);
enum sc_err sc_redis_collect(struct sc_view *vw, int timeout_ms, uint32_t *partition,
                             enum sc_err *how);
void sc_redis_flush_fini(struct redis_view *v);

#endif
