/* See redis.h. What is read of the view, its resets, and hints; flushes: view_flush.c. */
#include "redis/view_priv.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/time.h"
#include "core/journey/state.h"
#include <inttypes.h>
#include <stdlib.h>

static const char reset_script[] =
    "local s = redis.call('HMGET', KEYS[1], 'i', 'v', 'o')\n"
    "local same = (not s[1] and ARGV[1] == '0') or\n"
    "  (s[1] == ARGV[1] and s[2] == ARGV[2] and s[3] == ARGV[3])\n"
    "if not same then return 'CONFLICT' end\n"
    "redis.call('HSET', KEYS[1], 'i', ARGV[4], 'v', ARGV[5], 'o', ARGV[6], 'f', '', 'c', '0')\n"
    "return 'OK'\n";

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

redisContext *sc_redis_open(struct redis_view *v)
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
        v->down_until_ms = now_ms + SC_REDIS_DOWN_MS;
    }
    sc_buf_fini(&why);
    return c;
}

static bool open_read(struct redis_view *v)
{
    if (v->rd == NULL)
        v->rd = sc_redis_open(v);
    return v->rd != NULL;
}

static enum sc_err drop_read(struct redis_view *v)
{
    sc_log(SC_LOG_WARN, "redis", "connection lost", "why", v->rd->errstr, NULL);
    redisFree(v->rd);
    v->rd = NULL;
    return SC_ERR_UNAVAILABLE;
}

/* ---- keys and arguments */

struct sc_str sc_redis_key(struct redis_view *v, uint32_t partition, const char *rest, ...)
{
    char tail[64];
    va_list ap;
    va_start(ap, rest);
    vsnprintf(tail, sizeof(tail), rest, ap);
    va_end(ap);
    return sc_str_printf(&v->ar, "%.*s{p%u}:%s", SC_STR_FMT(v->cfg.prefix), partition, tail);
}

static struct sc_str bucket_key(struct redis_view *v, uint32_t partition, uint64_t view,
                                const struct sc_node_id *node)
{
    return sc_redis_key(v, partition, "s:%" PRIx64 ":%u", view, sc_redis_bucket(node));
}

static void arg_stamp(struct redis_view *v, const struct sc_stamp *s)
{
    sc_redis_arg_str(v, sc_str_printf(&v->ar, "%" PRIu64, s->incarnation));
    sc_redis_arg_str(v, sc_str_printf(&v->ar, "%" PRIx64, s->view));
    sc_redis_arg_i64(v, s->offset);
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
    struct sc_str k = sc_redis_key(v, partition, "stamp");
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
    struct sc_str k = sc_redis_key(v, partition, "stamp");
    redisReply *r;
    for (uint32_t i = 0; i < n; i++) {
        sc_redis_argz(v, "HGET");
        sc_redis_arg_str(v, bucket_key(v, partition, stamp->view, &items[i].node));
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
    struct redis_view *v = sc_redis_view(vw);
    sc_redis_call_start(v);
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
    struct redis_view *v = sc_redis_view(vw);
    sc_redis_call_start(v);
    if (!open_read(v))
        return SC_ERR_UNAVAILABLE;
    struct sc_str k = sc_redis_key(v, partition, "t:%" PRIx64, view);
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

/* Nobody reads a view that was given up: its keys go, in the background of the server. */
static void forget_view(struct redis_view *v, uint32_t partition, uint64_t view)
{
    sc_redis_argz(v, "UNLINK");
    sc_redis_arg_str(v, sc_redis_key(v, partition, "t:%" PRIx64, view));
    for (uint32_t b = 0; b < SC_REDIS_BUCKETS; b++)
        sc_redis_arg_str(v, sc_redis_key(v, partition, "s:%" PRIx64 ":%u", view, b));
    redisReply *r = redisCommandArgv(v->rd, v->args.n, v->args.v, v->args.len);
    sc_redis_args_clear(&v->args);
    if (r == NULL)
        drop_read(v);
    freeReplyObject(r);
}

static enum sc_err view_reset(struct sc_view *vw, uint32_t partition, struct sc_stamp seen,
                              struct sc_stamp to)
{
    struct redis_view *v = sc_redis_view(vw);
    sc_redis_call_start(v);
    if (!open_read(v))
        return SC_ERR_UNAVAILABLE;
    sc_redis_argz(v, "EVALSHA");
    sc_redis_argz(v, v->reset_sha);
    sc_redis_argz(v, "1");
    sc_redis_arg_str(v, sc_redis_key(v, partition, "stamp"));
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
    struct redis_view *v = sc_redis_view(vw);
    sc_redis_call_start(v);
    memset(parents, 0, n * sizeof(*parents));
    if (!open_read(v))
        return SC_ERR_UNAVAILABLE;
    sc_redis_argz(v, "MGET");
    for (uint32_t i = 0; i < n; i++)
        sc_redis_arg_str(v, hint_key(v, &nodes[i]));
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
    struct redis_view *v = sc_redis_view(vw);
    sc_redis_call_start(v);
    if (!open_read(v))
        return;
    for (uint32_t i = 0; i < n; i++) {
        bool none = sc_node_none(&pairs[2 * i + 1]);
        sc_redis_argz(v, none ? "DEL" : "SET");
        sc_redis_arg_str(v, hint_key(v, &pairs[2 * i]));
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
    struct redis_view *v = sc_redis_view(vw);
    if (v->rd)
        redisFree(v->rd);
    sc_redis_flush_fini(v);
    sc_redis_args_fini(&v->args);
    sc_buf_fini(&v->command);
    sc_arena_fini(&v->ar);
    free(v);
}

static const struct sc_view_ops ops = {
    .read = view_read,
    .flush = sc_redis_flush,
    .collect = sc_redis_collect,
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
