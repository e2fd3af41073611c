/* See conn.h. hiredis 0.14 has no TLS: asked for, it is refused with the reason. */
#include "redis/conn.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/prefetch.h"
#include "base/time.h"
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#define CONNECT_MS 2000
#define ANSWER_MS 5000
#define RETRY_MS 1000
#define ARGS_AHEAD 16 /* arguments whose memory is on its way: states lie all over the heap */
#define ARG_LINES 8u  /* of each */

static struct timeval millis(int ms)
{
    return (struct timeval){ms / 1000, (ms % 1000) * 1000};
}

void sc_redis_args_fini(struct sc_redis_args *a)
{
    free(a->v);
    free(a->len);
    *a = (struct sc_redis_args){0};
}

void sc_redis_arg(struct sc_redis_args *a, const void *p, size_t len)
{
    if (a->n == a->cap) {
        a->cap = a->cap ? a->cap * 2 : 64;
        a->v = sc_realloc(a->v, (size_t)a->cap * sizeof(*a->v));
        a->len = sc_realloc(a->len, (size_t)a->cap * sizeof(*a->len));
    }
    a->v[a->n] = p;
    a->len[a->n++] = len;
    a->bytes += len;
}

/* "*3\r\n" before all, "$3\r\n" before each, "\r\n" behind it. */
static char *put_head(char *p, char mark, size_t n)
{
    char digits[24];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    *p++ = mark;
    memcpy(p, digits + at, sizeof(digits) - at);
    p += sizeof(digits) - at;
    *p++ = '\r';
    *p++ = '\n';
    return p;
}

void sc_redis_args_write(const struct sc_redis_args *a, struct sc_buf *out)
{
    const size_t around = 28; /* a head and an end at most */
    sc_buf_reserve(out, a->bytes + ((size_t)a->n + 1) * around);
    char *p = put_head(out->p + out->len, '*', (size_t)a->n);
    for (int i = 0; i < a->n; i++) {
        if (i + ARGS_AHEAD < a->n)
            sc_prefetch(a->v[i + ARGS_AHEAD], a->len[i + ARGS_AHEAD], ARG_LINES);
        p = put_head(p, '$', a->len[i]);
        if (a->len[i])
            memcpy(p, a->v[i], a->len[i]);
        p += a->len[i];
        *p++ = '\r';
        *p++ = '\n';
    }
    out->len = (size_t)(p - out->p);
    SC_ASSERT(out->len <= out->cap);
}

/* Host and port of "host:port", "redis://host:port", or a Unix socket's path. */
static redisContext *dial(struct sc_str address, struct sc_buf *why)
{
    char host[256];
    int port = 6379;
    if (sc_str_starts(address, SC_STR("redis://")))
        address = (struct sc_str){address.p + 8, address.len - 8};
    const char *colon = memrchr(address.p, ':', address.len);
    size_t n = colon ? (size_t)(colon - address.p) : address.len;
    if (n == 0 || n >= sizeof(host)) {
        sc_buf_addf(why, "'%.*s' is no address", SC_STR_FMT(address));
        return NULL;
    }
    memcpy(host, address.p, n);
    host[n] = '\0';
    if (host[0] == '/')
        return redisConnectUnixWithTimeout(host, millis(CONNECT_MS));
    if (colon) {
        int64_t number;
        struct sc_str text = {colon + 1, address.len - n - 1};
        if (!sc_str_int(text, &number) || number < 1 || number > 65535) {
            sc_buf_addf(why, "'%.*s' is no port", SC_STR_FMT(text));
            return NULL;
        }
        port = (int)number;
    }
    return redisConnectWithTimeout(host, port, millis(CONNECT_MS));
}

static redisContext *connected(redisContext *c, struct sc_buf *why)
{
    if (c && c->err == 0) {
        redisSetTimeout(c, millis(ANSWER_MS));
        return c;
    }
    if (c) {
        sc_buf_addz(why, c->errstr);
        redisFree(c);
    }
    return NULL;
}

/* The master's address by the first sentinel that answers. */
static redisContext *dial_sentinel(const struct sc_redis_settings *s, struct sc_buf *why)
{
    for (uint32_t i = 0; i < s->sentinel.addresses.n; i++) {
        redisContext *c = connected(dial(s->sentinel.addresses.v[i], why), why);
        if (c == NULL)
            continue;
        redisReply *r = redisCommand(c, "SENTINEL get-master-addr-by-name %b",
                                     s->sentinel.master.p, s->sentinel.master.len);
        struct sc_buf address = {0};
        if (r && r->type == REDIS_REPLY_ARRAY && r->elements == 2)
            sc_buf_addf(&address, "%s:%s", r->element[0]->str, r->element[1]->str);
        else
            sc_buf_addf(why, "no sentinel knows a master '%.*s'", SC_STR_FMT(s->sentinel.master));
        freeReplyObject(r);
        redisFree(c);
        if (address.len) {
            c = dial(sc_buf_view(&address), why);
            sc_buf_fini(&address);
            return c;
        }
    }
    return NULL;
}

/* A status reply to a command of `argc` words. */
static bool said_ok(redisContext *c, int argc, const char **argv, const size_t *len,
                    struct sc_buf *why)
{
    redisReply *r = redisCommandArgv(c, argc, argv, len);
    bool fine = r && r->type == REDIS_REPLY_STATUS;
    if (r && r->type == REDIS_REPLY_ERROR)
        sc_buf_add(why, r->str, r->len);
    else if (r == NULL)
        sc_buf_addz(why, c->errstr);
    freeReplyObject(r);
    return fine;
}

static bool login(redisContext *c, const struct sc_redis_config *cfg, struct sc_buf *why)
{
    if (cfg->password.len == 0)
        return true;
    struct sc_str user = cfg->settings->username;
    const char *argv[3] = {"AUTH", user.p, cfg->password.p};
    size_t len[3] = {4, user.len, cfg->password.len};
    if (user.len)
        return said_ok(c, 3, argv, len, why);
    argv[1] = cfg->password.p;
    len[1] = cfg->password.len;
    return said_ok(c, 2, argv, len, why);
}

static bool choose(redisContext *c, int64_t database, struct sc_buf *why)
{
    char number[24];
    if (database == 0)
        return true;
    int n = snprintf(number, sizeof(number), "%lld", (long long)database);
    const char *argv[2] = {"SELECT", number};
    size_t len[2] = {6, (size_t)n};
    return said_ok(c, 2, argv, len, why);
}

redisContext *sc_redis_connect(const struct sc_redis_config *cfg, enum sc_err *e,
                               struct sc_buf *why)
{
    const struct sc_redis_settings *s = cfg->settings;
    *e = SC_ERR_UNAVAILABLE;
    redisContext *c = connected(s->sentinel.at ? dial_sentinel(s, why) : dial(s->address, why),
                                why);
    if (c == NULL)
        return NULL;
    if (login(c, cfg, why) && choose(c, s->database, why)) {
        *e = SC_ERR_OK;
        return c;
    }
    *e = why->len >= 7 && memcmp(why->p, "LOADING", 7) == 0 ? SC_ERR_UNAVAILABLE : SC_ERR_AUTH;
    redisFree(c);
    return NULL;
}

/* ---- at a start */

static bool info_is(const char *info, const char *key, const char *value)
{
    const char *at = info ? strstr(info, key) : NULL;
    return at && strncmp(at + strlen(key), value, strlen(value)) == 0;
}

/* What is wrong with a server that took the login. UNAVAILABLE, with the reason in `why`: it has
 * gone. */
static enum sc_err check_server(redisContext *c, const struct sc_redis_config *cfg,
                                struct sc_diag *dg, struct sc_buf *why)
{
    redisReply *r = redisCommand(c, "INFO");
    if (r == NULL) {
        sc_buf_addf(why, "the connection closed: %s", c->errstr);
        return SC_ERR_UNAVAILABLE;
    }
    if (r->type != REDIS_REPLY_STRING)
        sc_diag_add(dg, SC_ERROR, "redis-rights", cfg->mark,
                    "INFO refused: check redis.username, redis.password_file, and what that user "
                    "may do (%s)", r->type == REDIS_REPLY_ERROR ? r->str : "?");
    if (r->type == REDIS_REPLY_STRING) {
        if (!info_is(r->str, "\nmaxmemory:", "0\r") &&
            !info_is(r->str, "\nmaxmemory_policy:", "noeviction"))
            sc_diag_add(dg, SC_ERROR, "redis-evicts", cfg->mark,
                        "this server evicts keys when its memory is full: states would be lost; "
                        "set maxmemory-policy noeviction");
        if (!info_is(r->str, "\nrole:", "master"))
            sc_diag_add(dg, SC_ERROR, "redis-replica", cfg->mark,
                        "this server is a replica: name the master, or Sentinel");
        if (info_is(r->str, "\ncluster_enabled:", "1"))
            sc_diag_add(dg, SC_ERROR, "redis-cluster", cfg->mark,
                        "this server is a node of a cluster, which is not built yet: name one "
                        "server or Sentinel");
    }
    freeReplyObject(r);
    return SC_ERR_OK;
}

void sc_redis_check_build(const struct sc_redis_settings *s, struct sc_mark mark,
                          struct sc_diag *dg)
{
    if (s->tls.on || sc_str_starts(s->address, SC_STR("rediss://")))
        sc_diag_add(dg, SC_ERROR, "redis-tls", s->tls.at ? s->tls.at->mark : mark,
                    "redis.tls: this build's hiredis has no TLS (it came with 1.0): use a build "
                    "for Debian 13, or a TLS proxy beside the process");
    if (s->cluster.n)
        sc_diag_add(dg, SC_ERROR, "redis-cluster", s->cluster.at[0]->mark,
                    "redis.cluster: not built yet: name one server or Sentinel");
}

/* One look. UNAVAILABLE with the reason in `why`: nobody answers, nothing was added. */
static enum sc_err look(const struct sc_redis_config *cfg, struct sc_diag *dg, struct sc_buf *why)
{
    uint32_t errors = dg->errors;
    enum sc_err e;
    if (dg->errors > errors)
        return SC_ERR_CONFIG;
    redisContext *c = sc_redis_connect(cfg, &e, why);
    if (e == SC_ERR_AUTH)
        sc_diag_add(dg, SC_ERROR, "login", cfg->mark, "login refused: check redis.username and its "
                    "password file (%.*s)", SC_STR_FMT(sc_buf_view(why)));
    if (c) {
        e = check_server(c, cfg, dg, why);
        redisFree(c);
    }
    return c && dg->errors > errors ? SC_ERR_CONFIG : e;
}

void sc_redis_check(const struct sc_redis_config *cfg, struct sc_diag *dg)
{
    struct sc_buf why = {0};
    if (look(cfg, dg, &why) == SC_ERR_UNAVAILABLE)
        sc_diag_add(dg, SC_ERROR, "no-redis", cfg->mark, "Redis does not answer: %.*s",
                    SC_STR_FMT(sc_buf_view(&why)))
            ->hint = SC_STR("check redis.address");
    sc_buf_fini(&why);
}

enum sc_err sc_redis_prepare(const struct sc_redis_config *cfg, _Atomic bool *stop)
{
    struct sc_buf why = {0};
    struct sc_arena ar;
    struct sc_diag dg;
    enum sc_err e = SC_ERR_UNAVAILABLE;
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
    while (!*stop) {
        why.len = 0;
        e = look(cfg, &dg, &why);
        if (e != SC_ERR_UNAVAILABLE)
            break;
        sc_buf_char(&why, '\0');
        sc_log(SC_LOG_WARN, "redis", "not reachable: waiting; check redis.address if this goes on",
               "why", why.p, NULL);
        struct timespec pause = {RETRY_MS / 1000, 0};
        nanosleep(&pause, NULL);
    }
    for (uint32_t i = 0; i < dg.items.n; i++)
        sc_logf(SC_LOG_ERROR, "redis", "%.*s", SC_STR_FMT(dg.items.v[i].text));
    sc_buf_fini(&why);
    sc_arena_fini(&ar);
    return e;
}
