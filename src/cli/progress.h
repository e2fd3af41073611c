/* How far a command is, on a terminal: one line of standard error, drawn over itself, gone at the
 * end. Where that is no terminal, nothing. */
#ifndef SC_CLI_PROGRESS_H
#define SC_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sc_progress {
    bool on, drawn;
    int64_t started_ms, drawn_ms;
};

struct sc_progress_point {
    const char *name;  /* of what is read */
    uint64_t events;
    uint64_t at, size; /* of it, in its own units; size 0: unknown */
};

void sc_progress_start(struct sc_progress *pr, bool quiet);
/* Draws at most ten times a second: cheap to call. */
void sc_progress_show(struct sc_progress *pr, const struct sc_progress_point *pt);
void sc_progress_end(struct sc_progress *pr);
/* The line after `elapsed_ms`, at most 100 bytes and a NUL. */
#define SC_PROGRESS_MAX 128u
void sc_progress_text(const struct sc_progress_point *pt, int64_t elapsed_ms,
                      char out[SC_PROGRESS_MAX]);

#endif
