/* See redis.h. Every flush is a chain of transactions, a chunk each: the stamp is watched, read and
 * compared with the one expected and the chunk before; only when the answer is right do absolute
 * values follow, and the last chunk moves the stamp. Whoever else touches the stamp in between makes
 * EXEC do nothing, so a late, repeated or zombie copy does nothing. Plain commands cost Redis half
 * of what the same in a script does (docs/adr/0014). Model: final.pml in the design. */
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
#define CHUNK_ITEMS 1024u /* Redis serves nobody else while it writes one: about 2 ms */
#define CHUNK_BYTES (1u << 20)
#define ITEM_BYTES 64u /* of an item beside its state, on the wire */
#define DOWN_MS 1000       /* no new try to connect for so long after a failure */
#define FLUSH_STALL_MS 10000 /* a flush without any answer: the connection is given up */
#define WIRE_KEEP_BYTES (32u << 20)
#define ARENA_KEEP_BYTES (16u << 20)

static const char reset_script[] =
    "local s = redis.call('HMGET', KEYS[1], 'i', 'v', 'o')\n"
    "local same = (not s[1] and ARGV[1] == '0') or\n"
    "  (s[1] == ARGV[1] and s[2] == ARGV[2] and s[3] == ARGV[3])\n"
    "if not same then return 'CONFLICT' end\n"
    "redis.call('HSET', KEYS[1], 'i', ARGV[4], 'v', ARGV[5], 'o', ARGV[6], 'f', '', 'c', '0')\n"
    "return 'OK'\n";

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

#define ASK_REPLIES 3u /* WATCH, HMGET, MULTI */

enum phase { /* of the first chunk */
    WAITS,     /* nothing of it was sent */
    ASKED,
    WRITTEN,
    DISCARDED  /* the answer was another */
};

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
    if (c && !load_script(c, reset_script, v->reset_sha)) {
        sc_buf_addz(&why, "a script cannot be loaded");
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
    v->wire.len = v->sent = v->may = 0;
    v->n_chunks = 0;
    v->phase = WAITS;
    v->ahead = false;
    for (uint32_t i = 0; i < v->n_flights; i++) {
        v->flights[i].chunks = 0;
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
    sc_arena_reset(&v->ar, ARENA_KEEP_BYTES);
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

/* What is in v->args goes behind the wire. */
static void put_command(struct redis_view *v)
{
    sc_redis_args_write(&v->args, &v->wire);
    sc_redis_args_clear(&v->args);
}

/* One HSET a bucket. Returns how many. */
static uint32_t put_states(struct redis_view *v, struct sc_str stem,
                           const struct sc_view_item *items, uint32_t n)
{
    uint32_t commands = 0;
    for (uint32_t i = 0; i < n; commands++) {
        uint32_t bucket = bucket_of(&items[i].node);
        argz(v, "HSET");
        arg(v, numbered(v, stem, bucket));
        for (; i < n && bucket_of(&items[i].node) == bucket; i++) {
            sc_redis_arg(&v->args, items[i].node.b, sizeof(items[i].node.b));
            arg(v, items[i].state.p ? items[i].state : SC_STR(""));
        }
        put_command(v);
    }
    return commands;
}

/* Those that are due at some time, and those that no longer are. Returns how many commands. */
static uint32_t put_timers(struct redis_view *v, struct sc_str timers,
                           const struct sc_view_item *items, uint32_t n)
{
    uint32_t commands = 0;
    for (int due = 1; due >= 0; due--) {
        argz(v, due ? "ZADD" : "ZREM");
        arg(v, timers);
        int words = v->args.n;
        for (uint32_t i = 0; i < n; i++) {
            if ((items[i].due_ms != SC_NO_DUE) != due || (!due && !items[i].listed))
                continue;
            if (due)
                arg_i64(v, items[i].due_ms);
            sc_redis_arg(&v->args, items[i].node.b, sizeof(items[i].node.b));
        }
        if (v->args.n > words) {
            put_command(v);
            commands++;
        }
        sc_redis_args_clear(&v->args);
    }
    return commands;
}

/* A flush that is being put together. */
struct plan {
    uint32_t partition;
    struct sc_stamp seen, to;
    struct sc_str stamp, timers, stem; /* keys; a bucket's without its number */
    struct sc_str id;
};

static struct sc_str id_text(struct redis_view *v, uint64_t view, uint64_t flush_id)
{
    return sc_str_printf(&v->ar, "%" PRIx64 ".%" PRIx64, view, flush_id);
}

static void put_question(struct redis_view *v, const struct plan *pl)
{
    argz(v, "WATCH");
    arg(v, pl->stamp);
    put_command(v);
    argz(v, "HMGET");
    arg(v, pl->stamp);
    for (const char *field = "i\0v\0o\0f\0c\0"; *field; field += 2)
        argz(v, field);
    put_command(v);
    argz(v, "MULTI");
    put_command(v);
}

/* The stamp moves with the last chunk; the others leave their mark for the next one. */
static void put_stamp(struct redis_view *v, const struct plan *pl, uint32_t number, bool last)
{
    argz(v, "HSET");
    arg(v, pl->stamp);
    if (last) {
        argz(v, "o");
        arg_i64(v, pl->to.offset);
    }
    argz(v, "f");
    arg(v, last ? SC_STR("") : pl->id);
    argz(v, "c");
    arg_i64(v, last ? 0 : number);
    put_command(v);
    argz(v, "EXEC");
    put_command(v);
}

static void put_chunk(struct redis_view *v, const struct plan *pl, uint32_t number,
                      const struct sc_view_item *items, uint32_t n, bool last)
{
    if (v->n_chunks == v->cap_chunks) {
        v->cap_chunks = v->cap_chunks ? v->cap_chunks * 2 : 64;
        v->chunks = sc_realloc(v->chunks, v->cap_chunks * sizeof(*v->chunks));
    }
    size_t from = v->wire.len;
    put_question(v, pl);
    size_t asked = v->wire.len;
    uint32_t commands = put_states(v, pl->stem, items, n);
    commands += put_timers(v, pl->timers, items, n);
    put_stamp(v, pl, number, last);
    v->chunks[v->n_chunks++] =
        (struct chunk){.ask = asked - from, .write = v->wire.len - asked,
                       .commands = commands + 1, .number = number, .seen = pl->seen,
                       .flush_id = v->flush_id};
}

/* Room is for what waits, not for what went: with several partitions it may never be all. What waits
 * is moved once it is the smaller part, so a byte moves once at most, on average. */
static void drop_sent(struct redis_view *v)
{
    SC_ASSERT(v->sent <= v->may && v->may <= v->wire.len);
    if (v->sent < v->wire.len / 2)
        return;
    v->wire.len -= v->sent;
    v->may -= v->sent;
    if (v->sent && v->wire.len)
        memmove(v->wire.p, v->wire.p + v->sent, v->wire.len);
    v->sent = 0;
}

/* As much as the socket takes of what may go. False: the connection is gone. */
static bool send_some(struct redis_view *v)
{
    SC_ASSERT(v->sent <= v->may);
    while (v->sent < v->may) {
        ssize_t n = send(v->wr->fd, v->wire.p + v->sent, v->may - v->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        v->sent += (size_t)n;
    }
    return true;
}

/* ---- a chunk's way: asked, answered, written */

/* The question of the first chunk is on the way. */
static void asked(struct redis_view *v)
{
    v->phase = ASKED;
    v->replies = ASK_REPLIES;
    v->right = true;
    v->ahead = false;
}

static void pop_chunk(struct redis_view *v)
{
    v->flights[0].chunks--;
    memmove(v->chunks, v->chunks + 1, --v->n_chunks * sizeof(*v->chunks));
    v->phase = WAITS;
    if (v->ahead)
        asked(v);
    if (v->n_chunks)
        return;
    SC_ASSERT(v->sent == v->wire.len);
    v->wire.len = v->sent = v->may = 0;
    if (v->wire.cap > WIRE_KEEP_BYTES)
        sc_buf_fini(&v->wire);
}

/* The first chunk's question; those of a flush that has failed are passed over. */
static void ask_next(struct redis_view *v)
{
    SC_ASSERT(v->sent == v->may);
    while (v->n_chunks && v->flights[0].chunks && v->flights[0].how != SC_ERR_OK) {
        v->sent = v->may += v->chunks[0].ask + v->chunks[0].write;
        pop_chunk(v);
    }
    if (v->n_chunks == 0 || v->flights[0].chunks == 0)
        return; /* what has ended lands first */
    v->may += v->chunks[0].ask;
    asked(v);
}

/* The answer was right: the values go, and behind them the next question. */
static void write_values(struct redis_view *v)
{
    v->may += v->chunks[0].write;
    v->phase = WRITTEN;
    v->replies = v->chunks[0].commands + 1;
    v->ahead = v->n_chunks > 1;
    if (v->ahead)
        v->may += v->chunks[1].ask;
}

/* Instead of all that would have been written. */
static void discard(struct redis_view *v)
{
    static const char command[] = "*1\r\n$7\r\nDISCARD\r\n";
    const size_t len = sizeof(command) - 1;
    SC_ASSERT(v->sent == v->may && v->chunks[0].write >= len);
    v->may += v->chunks[0].write;
    v->sent = v->may - len;
    memcpy(v->wire.p + v->sent, command, len);
    v->phase = DISCARDED;
    v->replies = 1;
}

static bool is_text(const redisReply *r, const char *text)
{
    return (r->type == REDIS_REPLY_STATUS || r->type == REDIS_REPLY_STRING) &&
           strcmp(r->str, text) == 0;
}

/* Is the stamp what this chunk expects, and the chunk before it the last that was written? */
static bool agrees(struct redis_view *v, const redisReply *r)
{
    const struct chunk *c = &v->chunks[0];
    if (r->elements != 5)
        return false;
    for (size_t i = 0; i < r->elements; i++)
        if (r->element[i]->str == NULL)
            return false;
    sc_arena_reset(&v->ar, ARENA_KEEP_BYTES);
    struct sc_str id = id_text(v, c->seen.view, c->flush_id);
    return strtoull(r->element[0]->str, NULL, 10) == c->seen.incarnation &&
           strtoull(r->element[1]->str, NULL, 16) == c->seen.view &&
           strtoll(r->element[2]->str, NULL, 10) == c->seen.offset &&
           (c->number == 1 ||
            (sc_str_eq((struct sc_str){r->element[3]->str, r->element[3]->len}, id) &&
             strtoull(r->element[4]->str, NULL, 10) == c->number - 1));
}

/* What EXEC gave: a reply a command, none of them an error. Nothing: somebody touched the stamp. */
static bool executed(const redisReply *r)
{
    bool fine = r->type == REDIS_REPLY_ARRAY;
    for (size_t i = 0; fine && i < r->elements; i++)
        fine = r->element[i]->type != REDIS_REPLY_ERROR;
    return fine;
}

/* Take one reply of the first chunk. False: it is none that belongs here, or an error. */
static bool take_reply(struct redis_view *v, const redisReply *r)
{
    struct flight *f = &v->flights[0];
    v->replies--;
    switch (v->phase) {
    case WAITS:
        return false;
    case ASKED:
        if (v->replies == 1) {
            v->right = r->type == REDIS_REPLY_ARRAY && agrees(v, r);
            return r->type == REDIS_REPLY_ARRAY;
        }
        if (!is_text(r, "OK"))
            return false;
        if (v->replies > 0)
            return true;
        if (v->right && f->how == SC_ERR_OK)
            write_values(v);
        else
            discard(v);
        return true;
    case WRITTEN:
        if (v->replies > 0)
            return is_text(r, "QUEUED");
        if (r->type == REDIS_REPLY_NIL)
            f->how = SC_ERR_CONFLICT;
        else if (!executed(r))
            return false;
        pop_chunk(v);
        return true;
    case DISCARDED:
        f->how = SC_ERR_CONFLICT;
        pop_chunk(v);
        return is_text(r, "OK");
    }
    SC_UNREACHABLE("phase of a chunk");
}

/* OOM, READONLY, LOADING, BUSY …: connect anew and try again. */
static void refused(struct redis_view *v, const redisReply *r)
{
    const redisReply *why = r;
    for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++)
        if (r->element[i]->type == REDIS_REPLY_ERROR)
            why = r->element[i];
    sc_log(SC_LOG_WARN, "redis", "a flush was refused", "why",
           why->type == REDIS_REPLY_ERROR ? why->str : "unexpected reply", NULL);
    drop_write(v, "refused");
    v->down_until_ms = sc_time_mono_ms() + DOWN_MS;
}

/* Move the first chunks on as far as replies have come. False: the connection is gone. */
static bool pump(struct redis_view *v)
{
    for (;;) {
        if (v->phase == WAITS)
            ask_next(v);
        if (!send_some(v))
            return drop_write(v, strerror(errno)), false;
        if (v->phase == WAITS || v->flights[0].chunks == 0)
            return true; /* nothing is on the way; or what has ended lands first */
        redisReply *r = NULL;
        if (redisGetReplyFromReader(v->wr, (void **)(uintptr_t)&r) != REDIS_OK)
            return drop_write(v, v->wr->errstr), false;
        if (r == NULL)
            return true;
        v->heard_ms = sc_time_mono_ms();
        bool fine = take_reply(v, r);
        if (!fine)
            refused(v, r);
        freeReplyObject(r);
        if (!fine)
            return false;
    }
}

/* The same, with what has come since. */
static bool listen_and_pump(struct redis_view *v)
{
    if (redisBufferRead(v->wr) != REDIS_OK)
        return drop_write(v, v->wr->errstr), false;
    return pump(v);
}

static void take_off(struct redis_view *v, uint32_t partition, uint32_t chunks)
{
    if (v->n_flights == v->cap_flights) {
        v->cap_flights = v->cap_flights ? v->cap_flights * 2 : 16;
        v->flights = sc_realloc(v->flights, v->cap_flights * sizeof(*v->flights));
    }
    v->flights[v->n_flights++] = (struct flight){partition, chunks, SC_ERR_OK};
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
    sc_buf_reserve(&v->wire, wire_bytes(given, n));
    struct plan pl = {.partition = partition, .seen = seen, .to = to,
                      .stamp = key(v, partition, "stamp"),
                      .timers = key(v, partition, "t:%" PRIx64, to.view),
                      .stem = key(v, partition, "s:%" PRIx64 ":", to.view),
                      .id = id_text(v, to.view, ++v->flush_id)};
    SC_ASSERT(seen.view == to.view);
    uint32_t chunks = 0;
    for (uint32_t i = 0; i < n || chunks == 0;) {
        uint32_t k = chunk_size(items + i, n - i);
        put_chunk(v, &pl, ++chunks, items + i, k, i + k == n);
        i += k;
    }
    if (v->n_flights == 0)
        v->heard_ms = sc_time_mono_ms();
    take_off(v, partition, chunks);
    pump(v);
    return SC_ERR_OK;
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
    if (v->sent < v->may)
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
        if (v->flights[0].chunks == 0) {
            land(v, partition, how);
            return SC_ERR_OK;
        }
        int64_t now_ms = sc_time_mono_ms();
        if (now_ms - v->heard_ms > FLUSH_STALL_MS) {
            drop_write(v, "no answer in time");
            continue;
        }
        if (!listen_and_pump(v) || v->flights[0].chunks == 0)
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
    sc_buf_fini(&v->wire);
    free(v->chunks);
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
