/* See host.h. */
#include "cli/host.h"

#include "admin/admin.h"
#include "base/log.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/clock.h"
#include "core/identity/identity.h"
#include "core/journey/state.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 100
#define LEAVE_S 15          /* after a stop, until a worker that hangs is left behind */
#define WATCHDOG_MS 120000 /* no progress and no stated wait: over two transaction timeouts */
#define PSEUDONYM_CACHE (1u << 18) /* 8 MiB */

static struct sc_host *signalled; /* signals are the process's own */

static void on_signal(int number)
{
    if (signalled == NULL || atomic_exchange(&signalled->stop, true))
        _exit(128 + number);
}

void sc_host_signals(struct sc_host *h)
{
    struct sigaction sa = {.sa_handler = on_signal}, was;
    signalled = h;
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGHUP, NULL, &was); /* its terminal is gone; under nohup that is nothing */
    if (was.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

struct thread {
    struct sc_host *host;
    struct sc_worker *w;
    pthread_t id;
    bool started;
    _Atomic int rc;
};

static void *run_worker(void *arg)
{
    struct thread *t = arg;
    struct sc_host *h = t->host;
    struct sc_worker *w = t->w;
    bool resolve = strcmp(w->role, "resolve") == 0;
    w->view = h->view(h, w);
    w->log = h->log(h, w);
    if (w->log == NULL) {
        t->rc = h->stop ? SC_EXIT_OK : SC_EXIT_UNAVAILABLE;
    } else if (resolve) {
        const struct sc_setup *su = h->setup;
        struct sc_pseudonyms *ps =
            sc_pseudonyms_create(su->project->taxonomy, su->identity_key,
                                 (uint8_t)su->project->settings->identity.key_version,
                                 PSEUDONYM_CACHE);
        t->rc = sc_resolve_worker(w, ps, su->schema_files);
        sc_pseudonyms_destroy(ps);
    } else {
        t->rc = sc_journey_worker(w);
    }
    if (w->view)
        w->view->ops->close(w->view);
    if (t->rc)
        atomic_store(&h->stop, true); /* one failed: the others leave in order */
    return NULL;
}

/* Named as in the logs, so that a profiler or top -H tells them apart. */
static void start(struct thread *t)
{
    char name[16]; /* what the kernel keeps */
    snprintf(name, sizeof(name), "%.9s-%u", t->w->role, t->w->index % 1000);
    int e = pthread_create(&t->id, NULL, run_worker, t);
    t->started = e == 0;
    if (t->started) {
        pthread_setname_np(t->id, name);
        return;
    }
    sc_logf(SC_LOG_ERROR, t->w->role, "worker %u has no thread: %s; raise the limits of processes and "
            "memory", t->w->index, strerror(e));
    t->rc = SC_EXIT_SOFTWARE;
    atomic_store(&t->host->stop, true);
}

static struct sc_worker *worker_create(struct sc_host *h, bool resolve, uint32_t index)
{
    struct sc_worker *w = sc_calloc(1, sizeof(*w));
    w->role = resolve ? "resolve" : "journey";
    w->index = index;
    w->cfg = &h->setup->engine;
    w->schemas = h->schemas;
    w->clock = sc_clock_system;
    w->stop = &h->stop;
    sc_setup_writer(h->setup, resolve ? 'r' : 'j', index, w->writer);
    atomic_store(&w->status.watermark_ms, SC_NEVER);
    atomic_store(&w->status.why, "starting");
    return w;
}

static void watch(struct sc_host *h)
{
    int64_t now_ms = sc_time_mono_ms();
    for (uint32_t i = 0; i < h->n; i++) {
        const struct sc_worker *w = h->workers[i];
        if (!sc_worker_stands(&h->watches[i], w, now_ms, WATCHDOG_MS))
            continue;
        sc_logf(SC_LOG_ERROR, w->role, "worker %u has not moved for %d s: ending the process, the "
                "next one restores from the log", w->index, WATCHDOG_MS / 1000);
        _exit(SC_EXIT_SOFTWARE);
    }
}

static void wait_workers(struct sc_host *h, void (*each)(struct sc_host *h))
{
    while (!h->stop) {
        struct timespec tick = {0, TICK_MS * 1000000L};
        nanosleep(&tick, NULL);
        if (each)
            each(h);
        watch(h);
    }
}

/* A worker that a server keeps from leaving is left behind: the log restores what it had. */
static void join(struct thread *t, int64_t until_s, const struct thread *all, uint32_t n)
{
    struct timespec until = {until_s, 0};
    if (pthread_timedjoin_np(t->id, NULL, &until) == 0)
        return;
    sc_logf(SC_LOG_WARN, t->w->role, "worker %u cannot leave in order, a server does not answer: "
            "ending without; the next start restores from the log", t->w->index);
    int rc = SC_EXIT_OK;
    for (uint32_t i = 0; i < n && rc == SC_EXIT_OK; i++)
        rc = all[i].rc; /* why it stops, if a worker failed */
    _exit(rc);
}

int sc_host_run(struct sc_host *h, void (*each)(struct sc_host *h))
{
    const struct sc_settings *st = h->setup->project->settings;
    struct sc_admin *admin = NULL;
    int rc = SC_EXIT_OK;
    h->n = h->resolve + h->journey;
    h->workers = sc_calloc(h->n + 1, sizeof(struct sc_worker *));
    h->watches = sc_calloc(h->n + 1, sizeof(*h->watches));
    struct thread *threads = sc_calloc(h->n + 1, sizeof(*threads));
    for (uint32_t i = 0; i < h->n; i++) {
        bool resolve = i < h->resolve;
        h->workers[i] = worker_create(h, resolve, resolve ? i : i - h->resolve);
        threads[i] = (struct thread){.host = h, .w = h->workers[i]};
    }
    if (st->admin.listen.len) {
        admin = sc_admin_start(st->admin.listen, h->setup->admin_token, h->workers, h->n);
        rc = admin ? SC_EXIT_OK : SC_EXIT_CONFIG;
    }
    for (uint32_t i = 0; rc == SC_EXIT_OK && i < h->n; i++)
        start(&threads[i]);
    if (rc == SC_EXIT_OK)
        wait_workers(h, each);
    int64_t until_s = sc_time_now_ms() / 1000 + LEAVE_S;
    for (uint32_t i = 0; i < h->n; i++) {
        if (threads[i].started)
            join(&threads[i], until_s, threads, h->n);
        rc = rc ? rc : threads[i].rc;
    }
    if (each)
        each(h);
    sc_admin_stop(admin);
    for (uint32_t i = 0; i < h->n; i++)
        free(h->workers[i]);
    free(h->workers);
    free(h->watches);
    free(threads);
    return rc;
}
