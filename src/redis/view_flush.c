/* See redis.h. Every flush is a chain of transactions, a chunk each: the stamp is watched, read and
 * compared with the one expected and the chunk before; only when the answer is right do absolute
 * values follow, and the last chunk moves the stamp. Whoever else touches the stamp in between makes
 * EXEC do nothing, so a late, repeated or zombie copy does nothing. Plain commands cost Redis half
 * of what the same in a script does (docs/adr/0018). Model: final.pml in the design. */
#include "redis/view_priv.h"

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

#define CHUNK_ITEMS 1024u /* Redis serves nobody else while it writes one: about 2 ms */
#define CHUNK_BYTES (1u << 20)
#define ITEM_BYTES 64u /* of an item beside its state, on the wire */
#define FLUSH_STALL_MS 10000 /* a flush without any answer: the connection is given up */
#define WIRE_KEEP_BYTES (32u << 20)
#define ASK_REPLIES 3u /* WATCH, HMGET, MULTI */

static const char *const stamp_fields[] = {"i", "v", "o", "f", "c"}; /* redis.h */
#define STAMP_FIELDS (sizeof(stamp_fields) / sizeof(stamp_fields[0]))

/* ---- the connection */

static bool open_write(struct redis_view *v)
{
    if (v->wr)
        return true;
    v->wr = sc_redis_open(v);
    if (v->wr == NULL)
        return false;
    fcntl(v->wr->fd, F_SETFL, fcntl(v->wr->fd, F_GETFL) | O_NONBLOCK);
    v->wr->flags &= ~REDIS_BLOCK;
    return true;
}

/* Every flush on the wire failed with its connection. */
static void drop_write(struct redis_view *v, const char *why)
{
    sc_log(SC_LOG_WARN, "redis", "flush connection lost", "why", why, NULL);
    redisFree(v->wr);
    v->wr = NULL;
    v->wire.len = v->sent = v->may = 0;
    v->n_chunks = 0;
    v->phase = SC_CHUNK_WAITS;
    v->ahead = false;
    for (uint32_t i = 0; i < v->n_flights; i++) {
        v->flights[i].chunks = 0;
        v->flights[i].how = SC_ERR_UNAVAILABLE;
    }
}

/* ---- putting a flush together */

/* A copy in order of buckets: one HSET writes all of a bucket's. */
static struct sc_view_item *by_bucket(struct redis_view *v, const struct sc_view_item *items,
                                      uint32_t n)
{
    struct sc_view_item *out = sc_arena_alloc(&v->ar, ((size_t)n + 1) * sizeof(*out));
    uint32_t *at = SC_NEW_N(&v->ar, uint32_t, SC_REDIS_BUCKETS + 1);
    for (uint32_t i = 0; i < n; i++)
        at[sc_redis_bucket(&items[i].node) + 1]++;
    for (uint32_t b = 0; b < SC_REDIS_BUCKETS; b++)
        at[b + 1] += at[b];
    for (uint32_t i = 0; i < n; i++)
        out[at[sc_redis_bucket(&items[i].node)]++] = items[i];
    SC_ASSERT(n == 0 || at[SC_REDIS_BUCKETS - 1] == n);
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
    struct sc_buf text = sc_redis_buffer(v, stem.len + 10);
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
        uint32_t bucket = sc_redis_bucket(&items[i].node);
        sc_redis_argz(v, "HSET");
        sc_redis_arg_str(v, numbered(v, stem, bucket));
        for (; i < n && sc_redis_bucket(&items[i].node) == bucket; i++) {
            sc_redis_arg(&v->args, items[i].node.b, sizeof(items[i].node.b));
            sc_redis_arg_str(v, items[i].state.p ? items[i].state : SC_STR(""));
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
        sc_redis_argz(v, due ? "ZADD" : "ZREM");
        sc_redis_arg_str(v, timers);
        int words = v->args.n;
        for (uint32_t i = 0; i < n; i++) {
            if ((items[i].due_ms != SC_NO_DUE) != due || (!due && !items[i].listed))
                continue;
            if (due)
                sc_redis_arg_i64(v, items[i].due_ms);
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
    sc_redis_argz(v, "WATCH");
    sc_redis_arg_str(v, pl->stamp);
    put_command(v);
    sc_redis_argz(v, "HMGET");
    sc_redis_arg_str(v, pl->stamp);
    for (uint32_t i = 0; i < STAMP_FIELDS; i++)
        sc_redis_argz(v, stamp_fields[i]);
    put_command(v);
    sc_redis_argz(v, "MULTI");
    put_command(v);
}

/* The stamp moves with the last chunk; the others leave their mark for the next one. */
static void put_stamp(struct redis_view *v, const struct plan *pl, uint32_t number, bool last)
{
    sc_redis_argz(v, "HSET");
    sc_redis_arg_str(v, pl->stamp);
    if (last) {
        sc_redis_argz(v, "o");
        sc_redis_arg_i64(v, pl->to.offset);
    }
    sc_redis_argz(v, "f");
    sc_redis_arg_str(v, last ? SC_STR("") : pl->id);
    sc_redis_argz(v, "c");
    sc_redis_arg_i64(v, last ? 0 : number);
    put_command(v);
    sc_redis_argz(v, "EXEC");
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
    v->phase = SC_CHUNK_ASKED;
    v->replies = ASK_REPLIES;
    v->right = true;
    v->ahead = false;
}

static void pop_chunk(struct redis_view *v)
{
    v->flights[0].chunks--;
    memmove(v->chunks, v->chunks + 1, --v->n_chunks * sizeof(*v->chunks));
    v->phase = SC_CHUNK_WAITS;
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
    v->phase = SC_CHUNK_WRITTEN;
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
    v->phase = SC_CHUNK_DISCARDED;
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
    if (r->elements != STAMP_FIELDS)
        return false;
    for (size_t i = 0; i < r->elements; i++)
        if (r->element[i]->str == NULL)
            return false;
    sc_arena_reset(&v->ar, SC_REDIS_KEEP_BYTES);
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
    case SC_CHUNK_WAITS:
        return false;
    case SC_CHUNK_ASKED:
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
    case SC_CHUNK_WRITTEN:
        if (v->replies > 0)
            return is_text(r, "QUEUED");
        if (r->type == REDIS_REPLY_NIL)
            f->how = SC_ERR_CONFLICT;
        else if (!executed(r))
            return false;
        pop_chunk(v);
        return true;
    case SC_CHUNK_DISCARDED:
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
    v->down_until_ms = sc_time_mono_ms() + SC_REDIS_DOWN_MS;
}

/* Move the first chunks on as far as replies have come. False: the connection is gone. */
static bool pump(struct redis_view *v)
{
    for (;;) {
        if (v->phase == SC_CHUNK_WAITS)
            ask_next(v);
        if (!send_some(v))
            return drop_write(v, strerror(errno)), false;
        if (v->phase == SC_CHUNK_WAITS || v->flights[0].chunks == 0)
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

enum sc_err sc_redis_flush(struct sc_view *vw, uint32_t partition, struct sc_stamp seen,
                           struct sc_stamp to, const struct sc_view_item *given, uint32_t n)
{
    struct redis_view *v = sc_redis_view(vw);
    sc_redis_call_start(v);
    if (!open_write(v))
        return SC_ERR_UNAVAILABLE;
    drop_sent(v);
    const struct sc_view_item *items = by_bucket(v, given, n);
    size_t bytes = wire_bytes(given, n);
    if (v->wire.len == 0 && v->wire.cap < bytes)
        sc_buf_fini(&v->wire); /* so much, not twice what it was */
    sc_buf_reserve(&v->wire, bytes);
    struct plan pl = {.seen = seen, .to = to,
                      .stamp = sc_redis_key(v, partition, "stamp"),
                      .timers = sc_redis_key(v, partition, "t:%" PRIx64, to.view),
                      .stem = sc_redis_key(v, partition, "s:%" PRIx64 ":", to.view),
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

enum sc_err sc_redis_collect(struct sc_view *vw, int timeout_ms, uint32_t *partition,
                             enum sc_err *how)
{
    struct redis_view *v = sc_redis_view(vw);
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

void sc_redis_flush_fini(struct redis_view *v)
{
    if (v->wr)
        redisFree(v->wr);
    sc_buf_fini(&v->wire);
    free(v->chunks);
    free(v->flights);
}
