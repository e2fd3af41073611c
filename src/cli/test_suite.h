/* The cases of a journey, from its own `tests:` and from files: what `test` plays and `check`
 * reads. */
#ifndef SC_CLI_TEST_SUITE_H
#define SC_CLI_TEST_SUITE_H

#include "cli/project.h"
#include "cli/test_case.h"

struct sc_test_suite {
    const struct sc_journey *jo;
    struct sc_pseudonyms *ps;
    struct sc_canonical reader;
    struct sc_arena line; /* a line's */
    struct sc_test_cases cases;
};

/* Cases and their faults live in the project (`dg` is its own, or one of its arena). The taxonomy
 * is projected whole: faults in what no rule reads are faults too. */
void sc_test_suite_init(struct sc_test_suite *su, struct sc_project *pr,
                        const struct sc_journey *jo, struct sc_diag *dg);
void sc_test_suite_fini(struct sc_test_suite *su);
/* A file of cases: `tests:` and nothing else, or (.trace) plain text. False: errno says why it
 * cannot be read. */
bool sc_test_suite_add(struct sc_test_suite *su, struct sc_project *pr, const char *path);
/* By its name. */
bool sc_test_suite_is_trace(const char *path);

#endif
