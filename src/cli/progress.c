/* See progress.h. */
#include "cli/progress.h"

#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EVERY_MS 100
#define BAR 24

void sc_progress_start(struct sc_progress *pr, bool quiet)
{
    *pr = (struct sc_progress){.on = !quiet && isatty(STDERR_FILENO),
                               .started_ms = sc_time_mono_ms()};
    pr->drawn_ms = pr->started_ms; /* what is over at once shows nothing */
}

/* The last part of a path, cut. */
static const char *short_name(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

void sc_progress_text(const struct sc_progress_point *pt, int64_t elapsed_ms,
                      char out[SC_PROGRESS_MAX])
{
    double seconds = (double)(elapsed_ms > 0 ? elapsed_ms : 1) / 1000.0;
    char bar[BAR + 1], left[24] = "";
    double share = pt->size ? (double)pt->at / (double)pt->size : 0;
    share = share > 1 ? 1 : share;
    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)(share * BAR));
    bar[BAR] = '\0';
    if (share > 0.01 && share < 1)
        snprintf(left, sizeof(left), ", %.0f s left", seconds * (1 - share) / share);
    if (pt->size)
        snprintf(out, SC_PROGRESS_MAX, "%.24s [%s] %3.0f %% %llu events, %.0f/s%s",
                 short_name(pt->name), bar, 100 * share, (unsigned long long)pt->events,
                 (double)pt->events / seconds, left);
    else
        snprintf(out, SC_PROGRESS_MAX, "%.24s %llu events, %.0f/s", short_name(pt->name),
                 (unsigned long long)pt->events, (double)pt->events / seconds);
}

void sc_progress_show(struct sc_progress *pr, const struct sc_progress_point *pt)
{
    char text[SC_PROGRESS_MAX];
    if (!pr->on)
        return;
    int64_t now_ms = sc_time_mono_ms();
    if (now_ms - pr->drawn_ms < EVERY_MS)
        return;
    pr->drawn_ms = now_ms;
    pr->drawn = true;
    sc_progress_text(pt, now_ms - pr->started_ms, text);
    fprintf(stderr, "\r%s\033[K", text);
}

void sc_progress_end(struct sc_progress *pr)
{
    if (pr->drawn)
        fputs("\r\033[K", stderr);
    pr->drawn = false;
}
