/* Host: the workers of one process, each on its thread, with the admin listener and the watchdog. */
#ifndef SC_CLI_HOST_H
#define SC_CLI_HOST_H

#include "cli/setup.h"

struct sc_host {
    const struct sc_setup *setup;
    uint32_t resolve, journey; /* how many of each */
    struct sc_schemas *schemas; /* NULL: no registry */
    /* What a worker runs on, made on its own thread. NULL: the reason is logged. */
    struct sc_log *(*log)(struct sc_host *h, struct sc_worker *w);
    struct sc_view *(*view)(struct sc_host *h, struct sc_worker *w);
    void *arg;
    _Atomic bool stop;
    struct sc_worker **workers;
    struct sc_watch *watches; /* of each */
    uint32_t n;
};

/* SIGTERM and SIGINT set host->stop; a second one ends the process at once. */
void sc_host_signals(struct sc_host *h);
/* Run until stopped or a worker fails. `each` (may be NULL) is called a few times a second.
 * Returns an exit code. */
int sc_host_run(struct sc_host *h, void (*each)(struct sc_host *h));

#endif
