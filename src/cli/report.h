/* The back-test report: one HTML page that needs no network, with its figures in it as JSON
 * (src/cli/report.html). Deterministic: the same input gives the same bytes. */
#ifndef SC_CLI_REPORT_H
#define SC_CLI_REPORT_H

#include "core/analytics/cube.h"

struct sc_report {
    const struct sc_journey *jo;
    const struct sc_cube *cube;
    const char *const *files;
    int n_files;
    struct sc_str summary; /* the summary line, JSON */
};

/* Write it beside `path` and move it there, so that a reader sees a whole page or the old one; to
 * "-" (standard output) and to what is no plain file, straight.
 * False: not written, said on standard error. */
bool sc_report_write(const struct sc_report *rp, const char *path);

#endif
