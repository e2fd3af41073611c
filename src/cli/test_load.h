/* Between the files that load cases; private to test_*.c. */
#ifndef SC_CLI_TEST_LOAD_H
#define SC_CLI_TEST_LOAD_H

#include "cli/test_case.h"

/* One case being loaded. */
struct sc_test_load {
    struct sc_test_cases *ts;
    struct sc_test_case *tc;
    const struct sc_node *identifiers; /* of the case; NULL: the test customer's */
};

/* An error at a node; returned as sc_diag_add does. */
static inline struct sc_finding *test_wrong(struct sc_test_load *ld, const struct sc_node *at,
                                            const char *text)
{
    return sc_diag_add(ld->ts->dg, SC_ERROR, "bad-test", at->mark, "%s", text);
}

/* test_expect.c: are all names in tc->expect the journey's? */
void sc_test_expect_check(struct sc_test_load *ld);

#endif
