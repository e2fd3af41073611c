/* See watch.h. */
#include "cli/watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#define QUIET_MS 60 /* an editor writes in several steps */
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)

void sc_watch_init(struct sc_watch *wt)
{
    *wt = (struct sc_watch){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    sc_arena_init(&wt->ar);
}

void sc_watch_fini(struct sc_watch *wt)
{
    if (wt->fd >= 0)
        close(wt->fd);
    sc_arena_fini(&wt->ar);
}

bool sc_watch_add(struct sc_watch *wt, const char *path)
{
    struct sc_str s = sc_str_from(path);
    const char *slash = memrchr(s.p, '/', s.len);
    struct sc_str name = slash ? sc_str_from(slash + 1) : s;
    const char *folder =
        slash ? sc_arena_printf(&wt->ar, "%.*s", slash == s.p ? 1 : (int)(slash - s.p), s.p) : ".";
    int id = wt->fd >= 0 ? inotify_add_watch(wt->fd, folder, EVENTS) : -1;
    if (id < 0)
        return false;
    for (uint32_t i = 0; i < wt->files.n; ++i)
        if (wt->files.v[i].folder == id && sc_str_eq(wt->files.v[i].name, name))
            return true;
    SC_VEC_PUSH(&wt->ar, &wt->files, ((struct sc_watched){id, sc_str_dup(&wt->ar, name)}));
    return true;
}

static struct sc_str watched(const struct sc_watch *wt, const struct inotify_event *ev)
{
    for (uint32_t i = 0; i < wt->files.n; ++i)
        if (wt->files.v[i].folder == ev->wd && ev->len &&
            sc_str_eqz(wt->files.v[i].name, ev->name))
            return wt->files.v[i].name;
    return SC_STR_NULL;
}

/* What is there to be read: the last of the watched files in it. */
static struct sc_str drain(struct sc_watch *wt)
{
    _Alignas(struct inotify_event) char buf[4096];
    struct sc_str name = SC_STR_NULL;
    ssize_t n;
    while ((n = read(wt->fd, buf, sizeof(buf))) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *ev = (const void *)(buf + at);
            struct sc_str one = watched(wt, ev);
            name = one.len ? one : name;
            at += (ssize_t)(sizeof(*ev) + ev->len);
        }
    return name;
}

struct sc_str sc_watch_wait(struct sc_watch *wt)
{
    struct pollfd pf = {.fd = wt->fd, .events = POLLIN};
    struct sc_str name = SC_STR_NULL;
    for (;;) {
        int n = poll(&pf, 1, name.len ? QUIET_MS : -1);
        if (n < 0)
            return SC_STR_NULL;
        if (n == 0)
            return name;
        struct sc_str one = drain(wt);
        name = one.len ? one : name;
    }
}
