/* The admin listener: /livez, /readyz (?verbose), /metrics (Prometheus text). Reads the workers'
 * counters, changes nothing. */
#ifndef SC_ADMIN_ADMIN_H
#define SC_ADMIN_ADMIN_H

#include "engine/worker.h"

struct sc_admin;

/* Listen on "host:port". `token`: bearer token asked for /metrics and verbose readiness; empty:
 * none. Workers outlive the listener. NULL with the reason logged. */
struct sc_admin *sc_admin_start(struct sc_str listen, struct sc_str token,
                                struct sc_worker *const *workers, uint32_t n);
void sc_admin_stop(struct sc_admin *ad);

/* The pages, for the listener and for tests. */
bool sc_admin_ready(struct sc_worker *const *workers, uint32_t n, bool verbose,
                    struct sc_buf *out);
void sc_admin_metrics(struct sc_worker *const *workers, uint32_t n, struct sc_buf *out);

#endif
