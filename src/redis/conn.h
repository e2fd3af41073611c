/* One connection to Redis: address, login, replies checked. Single node, or the master that
 * Sentinel names. Thread: its worker's. */
#ifndef SC_REDIS_CONN_H
#define SC_REDIS_CONN_H

#include "base/err.h"
#include "config/settings.h"
#include <hiredis/hiredis.h>

struct sc_redis_config {
    const struct sc_redis_settings *settings;
    struct sc_str password; /* empty: none; read from its file by the caller */
    struct sc_str prefix;   /* of every key: "sc:<group>:" */
    struct sc_mark mark;    /* the setting that names the server */
};

/* Connect and log in; blocking with a short timeout. NULL: *why says what is wrong (logged once a
 * while by the caller), *e what it is. */
redisContext *sc_redis_connect(const struct sc_redis_config *cfg, enum sc_err *e,
                               struct sc_buf *why);
/* What no server can make good: TLS, a cluster. `mark`: where the address stands. */
void sc_redis_check_build(const struct sc_redis_settings *s, struct sc_mark mark,
                          struct sc_diag *dg);
/* One look: reachable, login right, a master, never evicting; findings to `dg`. */
void sc_redis_check(const struct sc_redis_config *cfg, struct sc_diag *dg);
/* The same at a start: reachable, login right, a master, never evicting. OK, or the reason logged.
 * Waits for a server that is down until *stop. */
enum sc_err sc_redis_prepare(const struct sc_redis_config *cfg, _Atomic bool *stop);

/* A command as argument vectors; binary safe. Grows, reused. */
struct sc_redis_args {
    const char **v;
    size_t *len;
    int n, cap;
    size_t bytes; /* of all of them */
};
void sc_redis_args_fini(struct sc_redis_args *a);
static inline void sc_redis_args_clear(struct sc_redis_args *a)
{
    a->n = 0;
    a->bytes = 0;
}
/* Borrows `p` until the command was written. */
void sc_redis_arg(struct sc_redis_args *a, const void *p, size_t len);
/* The command in its wire form, behind what `out` holds. hiredis's own way makes a string of each
 * argument, grown three times. */
void sc_redis_args_write(const struct sc_redis_args *a, struct sc_buf *out);

#endif
