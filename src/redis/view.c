/* See redis.h. Every flush is a chain of scripts: each checks the stamp it expects and the chunk
 * before it, writes absolute values, and the last one moves the stamp. A late, repeated or zombie
 * copy finds another stamp and does nothing. Model: final.pml in the design. */
#include "redis/redis.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/time.h"
#include "core/journey/state.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define BUCKETS_A_PARTITION 1024u
#define CHUNK_ITEMS 256u
#define CHUNK_BYTES (1u << 20)
#define ITEM_BYTES 64u /* of an item beside its state, on the wire */
#define DOWN_MS 1000       /* no new try to connect for so long after a failure */
#define FLUSH_STALL_MS 10000 /* a flush without any answer: the connection is given up */
#define UNSENT_KEEP_BYTES (32u << 20)

static const char flush_script[] =
    "local s = redis.call('HMGET', KEYS[1], 'i', 'v', 'o', 'f', 'c')\n"
    "if s[1] ~= ARGV[1] or s[2] ~= ARGV[2] or s[3] ~= ARGV[3] then return 'CONFLICT' end\n"
    "local chunk = tonumber(ARGV[5])\n"
    "if chunk > 1 and (s[4] ~= ARGV[4] or tonumber(s[5]) ~= chunk - 1) then return 'CONFLICT' end\n"
    "local i = 7\n"
    "while ARGV[i] ~= '' do\n"
    "  local n = tonumber(ARGV[i + 1])\n"
    "  redis.call('HSET', ARGV[i], unpack(ARGV, i + 2, i + 1 + 2 * n))\n"
    "  i = i + 2 + 2 * n\n"
    "end\n"
    "local n = tonumber(ARGV[i + 1])\n"
    "i = i + 2\n"
    "if n > 0 then redis.call('ZADD', KEYS[2], unpack(ARGV, i, i - 1 + 2 * n)) end\n"
    "i = i + 2 * n\n"
    "if ARGV[i] then redis.call('ZREM', KEYS[2], unpack(ARGV, i)) end\n"
    "if ARGV[6] ~= '' then redis.call('HSET', KEYS[1], 'o', ARGV[6], 'f', '', 'c', '0')\n"
    "else redis.call('HSET', KEYS[1], 'f', ARGV[4], 'c', ARGV[5]) end\n"
    "return 'OK'\n";

static const char reset_script[] =
    "local s = redis.call('HMGET', KEYS[1], 'i', 'v', 'o')\n"
    "local same = (not s[1] and ARGV[1] == '0') or\n"
    "  (s[1] == ARGV[1] and s[2] == ARGV[2] and s[3] == ARGV[3])\n"
    "if not same then return 'CONFLICT' end\n"
    "redis.call('HSET', KEYS[1], 'i', ARGV[4], 'v', ARGV[5], 'o', ARGV[6], 'f', '', 'c', '0')\n"
    "return 'OK'\n";

struct flight { /* a flush on the wire */
    uint32_t partition;
    uint32_t replies; /* still to come */
    enum sc_err how;
};

struct redis_view {
    struct sc_view base;
    struct sc_redis_config cfg;
    redisContext *rd, *wr;
    char flush_sha[41], reset_sha[41];
    int64_t down_until_ms;
    struct flight *flights; /* in order of sending */
    uint32_t n_flights, cap_flights;
    struct sc_buf unsent; /* flushes in their wire form. hiredis's own buffer grows by 1 MiB, copied
                             each time, and starts anew with each flush: 4 % of the worker's time */
    size_t sent;          /* of `unsent` */
    uint64_t flush_id;
    int64_t heard_ms;
    struct sc_redis_args args;
    struct sc_buf command; /* for the reading connection */
    struct sc_arena ar; /* one call's */
};

static struct redis_view *view_of(struct sc_view *vw)
{
    return (struct redis_view *)vw;
}

/* ---- connections */

static bool load_script(redisContext *c, const char *script, char sha[41])
{
    redisReply *r = redisCommand(c, "SCRIPT LOAD %s", script);
    bool fine = r && r->type == REDIS_REPLY_STRING && r->len == 40;
    if (fine)
        memcpy(sha, r->str, 41);
    freeReplyObject(r);
    return fine;
}

static redisContext *open_one(struct redis_view *v)
{
    struct sc_buf why = {0};
    enum sc_err e;
    int64_t now_ms = sc_time_mono_ms();
    if (now_ms < v->down_until_ms)
        return NULL;
    redisContext *c = sc_redis_connect(&v->cfg, &e, &why);
    if (c && (!load_script(c, flush_script, v->flush_sha) ||
              !load_script(c, reset_script, v->reset_sha))) {
        sc_buf_addz(&why, "scripts cannot be loaded");
        redisFree(c);
        c = NULL;
    }
    if (c == NULL) {
        sc_buf_char(&why, '\0');
        sc_log(SC_LOG_WARN, "redis", "not reachable", "why", why.p, NULL);
        v->down_until_ms = now_ms + DOWN_MS;
    }
    sc_buf_fini(&why);
    return c;
}

static bool open_read(struct redis_view *v)
{
    if (v->rd == NULL)
        v->rd = open_one(v);
    return v->rd != NULL;
}

static bool open_write(struct redis_view *v)
{
    if (v->wr)
        return true;
    v->wr = open_one(v);
    if (v->wr == NULL)
        return false;
    fcntl(v->wr->fd, F_SETFL, fcntl(v->wr->fd, F_GETFL) | O_NONBLOCK);
    v->wr->flags &= ~REDIS_BLOCK;
    return true;
}

static enum sc_err drop_read(struct redis_view *v)
{
    sc_log(SC_LOG_WARN, "redis", "connection lost", "why", v->rd->errstr, NULL);
    redisFree(v->rd);
    v->rd = NULL;
    return SC_ERR_UNAVAILABLE;
}

/* Every flush on the wire failed with its connection. */
static void drop_write(struct redis_view *v, const char *why)
{
    sc_log(SC_LOG_WARN, "redis", "flush connection lost", "why", why, NULL);
    redisFree(v->wr);
    v->wr = NULL;
    v->unsent.len = v->sent = 0;
    for (uint32_t i = 0; i < v->n_flights; i++) {
        v->flights[i].replies = 0;
        v->flights[i].how = SC_ERR_UNAVAILABLE;
    }
}

/* ---- keys and arguments */

static struct sc_str key(struct redis_view *v, uint32_t partition, const char *rest, ...)
    __attribute__((format(printf, 3, 4)));

static struct sc_str key(struct redis_view *v, uint32_t partition, const char *rest, ...)
{
    char tail[64];
    va_list ap;
    va_start(ap, rest);
    vsnprintf(tail, sizeof(tail), rest, ap);
    va_end(ap);
    return sc_str_printf(&v->ar, "%.*s{p%u}:%s", SC_STR_FMT(v->cfg.prefix), partition, tail);
}

static uint32_t bucket_of(const struct sc_node_id *node)
{
    return (uint32_t)(node->b[14] << 8 | node->b[15]) % BUCKETS_A_PARTITION;
}

static struct sc_str bucket_key(struct redis_view *v, uint32_t partition, uint64_t view,
                                const struct sc_node_id *node)
{
    return key(v, partition, "s:%" PRIx64 ":%u", view, bucket_of(node));
}

static void arg(struct redis_view *v, struct sc_str s)
{
    sc_redis_arg(&v->args, s.p, s.len);
}

static void argz(struct redis_view *v, const char *z)
{
    sc_redis_arg(&v->args, z, strlen(z));
}

/* Room for one argument, digits by hand: a flush has too many for printf. */
static struct sc_buf buffer(struct redis_view *v, size_t cap)
{
    return (struct sc_buf){.p = sc_arena_alloc_align(&v->ar, cap, 1), .cap = cap, .ar = &v->ar};
}

static void arg_i64(struct redis_view *v, int64_t n)
{
    struct sc_buf text = buffer(v, 20);
    sc_buf_int(&text, n);
    arg(v, sc_buf_view(&text));
}

static void arg_stamp(struct redis_view *v, const struct sc_stamp *s)
{
    arg(v, sc_str_printf(&v->ar, "%" PRIu64, s->incarnation));
    arg(v, sc_str_printf(&v->ar, "%" PRIx64, s->view));
    arg_i64(v, s->offset);
}

static void call_start(struct redis_view *v)
{
    sc_arena_reset(&v->ar, 16u << 20);
    sc_redis_args_clear(&v->args);
}

/* To what the reading connection sends next. */
static void ask(struct redis_view *v)
{
    v->command.len = 0;
    sc_redis_args_write(&v->args, &v->command);
    redisAppendFormattedCommand(v->rd, v->command.p, v->command.len);
    sc_redis_args_clear(&v->args);
}

/* ---- reading */

static void take_stamp(const redisReply *r, struct sc_stamp *stamp)
{
    *stamp = (struct sc_stamp){.offset = -1};
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 3 || r->element[0]->str == NULL ||
        r->element[1]->str == NULL || r->element[2]->str == NULL)
        return;
    stamp->incarnation = strtoull(r->element[0]->str, NULL, 10);
    stamp->view = strtoull(r->element[1]->str, NULL, 16);
    stamp->offset = strtoll(r->element[2]->str, NULL, 10);
}

static enum sc_err read_stamp(struct redis_view *v, uint32_t partition, struct sc_stamp *stamp)
{
    struct sc_str k = key(v, partition, "stamp");
    redisReply *r = redisCommand(v->rd, "HMGET %b i v o", k.p, k.len);
    if (r == NULL)
        return drop_read(v);
    take_stamp(r, stamp);
    bool fine = r->type == REDIS_REPLY_ARRAY;
    freeReplyObject(r);
    return fine ? SC_ERR_OK : SC_ERR_UNAVAILABLE;
}

/* One reply of the reading connection. NULL: the connection is gone. */
static redisReply *next_reply(struct redis_view *v)
{
    redisReply *r = NULL;
    if (redisGetReply(v->rd, (void **)(uintptr_t)&r) != REDIS_OK)
        drop_read(v);
    return r;
}

/* States by one HGET each, pipelined behind the stamp that named the view, and the stamp again
 * behind them: it is what the caller judges by, for a server emptied in between answers "none". */
static enum sc_err read_states(struct redis_view *v, uint32_t partition, struct sc_stamp *stamp,
                               struct sc_view_item *items, uint32_t n)
{
    struct sc_str k = key(v, partition, "stamp");
    redisReply *r;
    for (uint32_t i = 0; i < n; i++) {
        argz(v, "HGET");
        arg(v, bucket_key(v, partition, stamp->view, &items[i].node));
        sc_redis_arg(&v->args, items[i].node.b, sizeof(items[i].node.b));
        ask(v);
    }
    redisAppendCommand(v->rd, "HMGET %b i v o", k.p, k.len);
    for (uint32_t i = 0; i < n; i++) {
        if ((r = next_reply(v)) == NULL)
            return SC_ERR_UNAVAILABLE;
        items[i].state = r->type == REDIS_REPLY_STRING
                             ? sc_str_dup(&v->ar, (struct sc_str){r->str, r->len})
                             : SC_STR_NULL;
        bool fine = r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_NIL;
        freeReplyObject(r);
        if (!fine)
            return drop_read(v);
    }
    if ((r = next_reply(v)) == NULL)
        return SC_ERR_UNAVAILABLE;
    bool fine = r->type == REDIS_REPLY_ARRAY;
    take_stamp(r, stamp);
    freeReplyObject(r);
    return fine ? SC_ERR_OK : drop_read(v);
}

static enum sc_err view_read(struct sc_view *vw, uint32_t partition, struct sc_stamp *stamp,
                             struct sc_view_item *items, uint32_t n)
{
    struct redis_view *v = view_of(vw);
    call_start(v);
    if (!open_read(v))
        return SC_ERR_UNAVAILABLE;
    enum sc_err e = read_stamp(v, partition, stamp);
    return e == SC_ERR_OK && n ? read_states(v, partition, stamp, items, n) : e;
}

static enum sc_err view_timers(struct sc_view *vw, uint32_t partition, uint64_t view,
                               void (*fn)(void *arg, const struct sc_node_id *node,
                                          int64_t due_ms),
                               void *fn_arg)
{
    struct redis_view *v = view_of(vw);
    call_start(v);
    if (!open_read(v))
        return SC_ERR_UNAVAILABLE;
    struct sc_str k = key(v, partition, "t:%" PRIx64, view);
    char cursor[32] = "0";
    do {
        redisReply *r = redisCommand(v->rd, "ZSCAN %b %s COUNT 1000", k.p, k.len, cursor);
        if (r == NULL)
            return drop_read(v);
        if (r->type != REDIS_REPLY_ARRAY || r->elements != 2) {
            freeReplyObject(r);
            return SC_ERR_UNAVAILABLE;
        }
        snprintf(cursor, sizeof(cursor), "%s", r->element[0]->str);
        const redisReply *list = r->element[1];
        for (size_t i = 0; i + 1 < list->elements; i += 2) {
            struct sc_node_id node;
            if (list->element[i]->len != sizeof(node.b))
                continue;
            memcpy(node.b, list->element[i]->str, sizeof(node.b));
            fn(fn_arg, &node, (int64_t)strtod(list->element[i + 1]->str, NULL));
        }
        freeReplyObject(r);
    } while (strcmp(cursor, "0") != 0);
    return SC_ERR_OK;
}

/* ---- writing */

/* A copy in order of buckets: one HSET writes all of a bucket's. */
static struct sc_view_item *by_bucket(struct redis_view *v, const struct sc_view_item *items,
                                      uint32_t n)
{
    struct sc_view_item *out = sc_arena_alloc(&v->ar, ((size_t)n + 1) * sizeof(*out));
    uint32_t *at = SC_NEW_N(&v->ar, uint32_t, BUCKETS_A_PARTITION + 1);
    for (uint32_t i = 0; i < n; i++)
        at[bucket_of(&items[i].node) + 1]++;
    for (uint32_t b = 0; b < BUCKETS_A_PARTITION; b++)
        at[b + 1] += at[b];
    for (uint32_t i = 0; i < n; i++)
        out[at[bucket_of(&items[i].node)]++] = items[i];
    SC_ASSERT(n == 0 || at[BUCKETS_A_PARTITION - 1] == n);
    return out;
}

/* How many items the next chunk takes. */
static uint32_t chunk_size(const struct sc_view_item *items, uint32_t n)
{
    size_t bytes = 0;
    uint32_t k = 0;
    while (k < n && k < CHUNK_ITEMS && (k == 0 || bytes + items[k].state.len <= CHUNK_BYTES))
        bytes += items[k++].state.len;
    return k;
}

/* About what a flush of these takes in its wire form: its buffer is not to double on the way. */
static size_t wire_bytes(const struct sc_view_item *items, uint32_t n)
{
    size_t bytes = CHUNK_BYTES; /* what no item has, and the text around it */
    for (uint32_t i = 0; i < n; i++)
        bytes += items[i].state.len + ITEM_BYTES;
    return bytes;
}

/* `stem`: a bucket's key without its number, made once a flush. */
static struct sc_str numbered(struct redis_view *v, struct sc_str stem, uint32_t number)
{
    struct sc_buf text = buffer(v, stem.len + 10);
    sc_buf_str(&text, stem);
    sc_buf_uint(&text, number);
    return sc_buf_view(&text);
}

static void args_states(struct redis_view *v, struct sc_str stem, const struct sc_view_item *items,
                        uint32_t n)
{
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i;
        while (end < n && bucket_of(&items[end].node) == bucket_of(&items[i].node))
            end++;
        arg(v, numbered(v, stem, bucket_of(&items[i].node)));
        arg_i64(v, end - i);
        for (; i < end; i++) {
            sc_redis_arg(&v->args, items[i].node.b, sizeof(items[i].node.b));
            arg(v, items[i].state.p ? items[i].state : SC_STR(""));
        }
    }
    argz(v, "");
}

static void args_timers(struct redis_view *v, const struct sc_view_item *items, uint32_t n)
{
    int64_t due = 0;
    for (uint32_t i = 0; i < n; i++)
        due += items[i].due_ms != SC_NO_DUE;
    arg_i64(v, due);
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].due_ms == SC_NO_DUE)
            continue;
        arg_i64(v, items[i].due_ms);
        sc_redis_arg(&v->args, items[i].node.b, sizeof(items[i].node.b));
    }
    for (uint32_t i = 0; i < n; i++)
        if (items[i].due_ms == SC_NO_DUE && items[i].listed)
            sc_redis_arg(&v->args, items[i].node.b, sizeof(items[i].node.b));
}

/* Room is for what waits, not for what went: with several partitions it may never be all. What waits
 * is moved once it is the smaller part, so a byte moves once at most, on average. */
static void drop_sent(struct redis_view *v)
{
    SC_ASSERT(v->sent <= v->unsent.len);
    if (v->sent < v->unsent.len / 2)
        return;
    v->unsent.len -= v->sent;
    if (v->sent && v->unsent.len)
        memmove(v->unsent.p, v->unsent.p + v->sent, v->unsent.len);
    v->sent = 0;
}

/* As much as the socket takes. False: the connection is gone. */
static bool send_some(struct redis_view *v)
{
    SC_ASSERT(v->sent <= v->unsent.len);
    while (v->sent < v->unsent.len) {
        ssize_t n = send(v->wr->fd, v->unsent.p + v->sent, v->unsent.len - v->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        v->sent += (size_t)n;
    }
    v->unsent.len = v->sent = 0;
    if (v->unsent.cap > UNSENT_KEEP_BYTES)
        sc_buf_fini(&v->unsent);
    return true;
}

/* Send what waits and read what has come. False: the connection is gone. */
static bool pump(struct redis_view *v)
{
    if (!send_some(v))
        return drop_write(v, strerror(errno)), false;
    if (redisBufferRead(v->wr) != REDIS_OK)
        return drop_write(v, v->wr->errstr), false;
    return true;
}

static void take_off(struct redis_view *v, uint32_t partition, uint32_t replies)
{
    if (v->n_flights == v->cap_flights) {
        v->cap_flights = v->cap_flights ? v->cap_flights * 2 : 16;
        v->flights = sc_realloc(v->flights, v->cap_flights * sizeof(*v->flights));
    }
    v->flights[v->n_flights++] = (struct flight){partition, replies, SC_ERR_OK};
}

static enum sc_err view_flush(struct sc_view *vw, uint32_t partition, struct sc_stamp seen,
                              struct sc_stamp to, const struct sc_view_item *given, uint32_t n)
{
    struct redis_view *v = view_of(vw);
    call_start(v);
    if (!open_write(v))
        return SC_ERR_UNAVAILABLE;
    drop_sent(v);
    const struct sc_view_item *items = by_bucket(v, given, n);
    sc_buf_reserve(&v->unsent, wire_bytes(given, n));
    struct sc_str stamp = key(v, partition, "stamp");
    struct sc_str timers = key(v, partition, "t:%" PRIx64, to.view);
    struct sc_str stem = key(v, partition, "s:%" PRIx64 ":", to.view);
    struct sc_str id = sc_str_printf(&v->ar, "%" PRIx64 ".%" PRIx64, to.view, ++v->flush_id);
    uint32_t chunks = 0;
    for (uint32_t i = 0; i < n || chunks == 0;) {
        uint32_t k = chunk_size(items + i, n - i);
        argz(v, "EVALSHA");
        argz(v, v->flush_sha);
        argz(v, "2");
        arg(v, stamp);
        arg(v, timers);
        arg_stamp(v, &seen);
        arg(v, id);
        arg_i64(v, ++chunks);
        if (i + k == n)
            arg_i64(v, to.offset);
        else
            argz(v, "");
        args_states(v, stem, items + i, k);
        args_timers(v, items + i, k);
        sc_redis_args_write(&v->args, &v->unsent);
        sc_redis_args_clear(&v->args);
        send_some(v); /* while it is at hand; that the connection is gone is found below */
        i += k;
    }
    if (v->n_flights == 0)
        v->heard_ms = sc_time_mono_ms();
    take_off(v, partition, chunks);
    pump(v);
    return SC_ERR_OK;
}

/* One reply of the first flight. False: none has come yet. */
static bool take_reply(struct redis_view *v, struct flight *f)
{
    redisReply *r = NULL;
    if (redisGetReplyFromReader(v->wr, (void **)(uintptr_t)&r) != REDIS_OK) {
        drop_write(v, v->wr->errstr);
        return true;
    }
    if (r == NULL)
        return false;
    v->heard_ms = sc_time_mono_ms();
    f->replies--;
    if (r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS) {
        if (strcmp(r->str, "OK") != 0 && f->how == SC_ERR_OK)
            f->how = SC_ERR_CONFLICT;
    } else {
        /* NOSCRIPT, OOM, READONLY, LOADING …: nothing was written; connect anew and try again */
        sc_log(SC_LOG_WARN, "redis", "a flush was refused", "why",
               r->type == REDIS_REPLY_ERROR ? r->str : "unexpected reply", NULL);
        f->how = SC_ERR_UNAVAILABLE;
        freeReplyObject(r);
        drop_write(v, "refused");
        v->down_until_ms = sc_time_mono_ms() + DOWN_MS;
        return true;
    }
    freeReplyObject(r);
    return true;
}

static void land(struct redis_view *v, uint32_t *partition, enum sc_err *how)
{
    *partition = v->flights[0].partition;
    *how = v->flights[0].how;
    memmove(v->flights, v->flights + 1, --v->n_flights * sizeof(*v->flights));
}

static void wait_io(struct redis_view *v, int timeout_ms)
{
    struct pollfd p = {.fd = v->wr->fd, .events = POLLIN};
    if (v->unsent.len)
        p.events |= POLLOUT;
    poll(&p, 1, timeout_ms);
}

static enum sc_err view_collect(struct sc_view *vw, int timeout_ms, uint32_t *partition,
                                enum sc_err *how)
{
    struct redis_view *v = view_of(vw);
    int64_t until = sc_time_mono_ms() + timeout_ms;
    *partition = UINT32_MAX;
    *how = SC_ERR_OK;
    if (v->n_flights == 0) {
        if (timeout_ms > 0)
            poll(NULL, 0, timeout_ms);
        return SC_ERR_OK;
    }
    for (;;) {
        while (v->wr && v->flights[0].replies && take_reply(v, &v->flights[0]))
            ;
        if (v->flights[0].replies == 0) {
            land(v, partition, how);
            return SC_ERR_OK;
        }
        int64_t now_ms = sc_time_mono_ms();
        if (now_ms - v->heard_ms > FLUSH_STALL_MS) {
            drop_write(v, "no answer in time");
            continue;
        }
        if (!pump(v) || take_reply(v, &v->flights[0]))
            continue;
        if (now_ms >= until)
            return SC_ERR_TIMEOUT;
        wait_io(v, (int)(until - now_ms));
    }
}

/* Nobody reads a view that was given up: its keys go, in the background of the server. */
static void forget_view(struct redis_view *v, uint32_t partition, uint64_t view)
{
    argz(v, "UNLINK");
    arg(v, key(v, partition, "t:%" PRIx64, view));
    for (uint32_t b = 0; b < BUCKETS_A_PARTITION; b++)
        arg(v, key(v, partition, "s:%" PRIx64 ":%u", view, b));
    redisReply *r = redisCommandArgv(v->rd, v->args.n, v->args.v, v->args.len);
    sc_redis_args_clear(&v->args);
    if (r == NULL)
        drop_read(v);
    freeReplyObject(r);
}

static enum sc_err view_reset(struct sc_view *vw, uint32_t partition, struct sc_stamp seen,
                              struct sc_stamp to)
{
    struct redis_view *v = view_of(vw);
    call_start(v);
    if (!open_read(v))
        return SC_ERR_UNAVAILABLE;
    argz(v, "EVALSHA");
    argz(v, v->reset_sha);
    argz(v, "1");
    arg(v, key(v, partition, "stamp"));
    arg_stamp(v, &seen);
    arg_stamp(v, &to);
    redisReply *r = redisCommandArgv(v->rd, v->args.n, v->args.v, v->args.len);
    sc_redis_args_clear(&v->args);
    if (r == NULL)
        return drop_read(v);
    bool text = r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS;
    enum sc_err e = !text ? SC_ERR_UNAVAILABLE
                    : strcmp(r->str, "OK") == 0 ? SC_ERR_OK : SC_ERR_CONFLICT;
    freeReplyObject(r);
    if (!text)
        drop_read(v);
    else if (e == SC_ERR_OK && seen.view)
        forget_view(v, partition, seen.view);
    return e;
}

/* ---- hints: any slot, best effort */

static struct sc_str hint_key(struct redis_view *v, const struct sc_node_id *node)
{
    size_t n = v->cfg.prefix.len;
    char *k = sc_arena_alloc(&v->ar, n + 2 + sizeof(node->b));
    memcpy(k, v->cfg.prefix.p, n);
    memcpy(k + n, "h:", 2);
    memcpy(k + n + 2, node->b, sizeof(node->b));
    return (struct sc_str){k, n + 2 + sizeof(node->b)};
}

static enum sc_err view_hints(struct sc_view *vw, const struct sc_node_id *nodes,
                              struct sc_node_id *parents, uint32_t n)
{
    struct redis_view *v = view_of(vw);
    call_start(v);
    memset(parents, 0, n * sizeof(*parents));
    if (!open_read(v))
        return SC_ERR_UNAVAILABLE;
    argz(v, "MGET");
    for (uint32_t i = 0; i < n; i++)
        arg(v, hint_key(v, &nodes[i]));
    redisReply *r = redisCommandArgv(v->rd, v->args.n, v->args.v, v->args.len);
    sc_redis_args_clear(&v->args);
    if (r == NULL)
        return drop_read(v);
    bool fine = r->type == REDIS_REPLY_ARRAY && r->elements == n;
    for (uint32_t i = 0; fine && i < n; i++)
        if (r->element[i]->type == REDIS_REPLY_STRING &&
            r->element[i]->len == sizeof(parents[i].b))
            memcpy(parents[i].b, r->element[i]->str, sizeof(parents[i].b));
    freeReplyObject(r);
    return fine ? SC_ERR_OK : SC_ERR_UNAVAILABLE;
}

static void view_hint(struct sc_view *vw, const struct sc_node_id *pairs, uint32_t n)
{
    struct redis_view *v = view_of(vw);
    call_start(v);
    if (!open_read(v))
        return;
    for (uint32_t i = 0; i < n; i++) {
        bool none = sc_node_none(&pairs[2 * i + 1]);
        argz(v, none ? "DEL" : "SET");
        arg(v, hint_key(v, &pairs[2 * i]));
        if (!none)
            sc_redis_arg(&v->args, pairs[2 * i + 1].b, sizeof(pairs[2 * i + 1].b));
        ask(v);
    }
    for (uint32_t i = 0; i < n; i++) {
        redisReply *r;
        if (redisGetReply(v->rd, (void **)(uintptr_t)&r) != REDIS_OK) {
            drop_read(v);
            return;
        }
        freeReplyObject(r);
    }
}

static void view_close(struct sc_view *vw)
{
    struct redis_view *v = view_of(vw);
    if (v->rd)
        redisFree(v->rd);
    if (v->wr)
        redisFree(v->wr);
    sc_redis_args_fini(&v->args);
    sc_buf_fini(&v->unsent);
    sc_buf_fini(&v->command);
    sc_arena_fini(&v->ar);
    free(v->flights);
    free(v);
}

static const struct sc_view_ops ops = {
    .read = view_read,
    .flush = view_flush,
    .collect = view_collect,
    .reset = view_reset,
    .timers = view_timers,
    .hints = view_hints,
    .hint = view_hint,
    .close = view_close,
};

struct sc_view *sc_redis_view_create(const struct sc_redis_config *cfg)
{
    struct redis_view *v = sc_calloc(1, sizeof(*v));
    v->base.ops = &ops;
    v->cfg = *cfg;
    sc_arena_init(&v->ar);
    return &v->base;
}
