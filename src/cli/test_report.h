/* What the cases reached of a journey, and their results as JUnit XML. */
#ifndef SC_CLI_TEST_REPORT_H
#define SC_CLI_TEST_REPORT_H

#include "cli/test_case.h"

/* All zero but `jo` and `triggers`: nothing reached. */
struct sc_test_coverage {
    const struct sc_journey *jo;
    uint64_t stages;                /* bit s: somebody was in it */
    uint64_t moves[SC_STAGES_MAX];  /* [to]: bit from */
    bool *triggers;                 /* sent, one a trigger */
    uint32_t gates;                 /* bit r: stopped a message */
};

void sc_test_coverage_init(struct sc_test_coverage *cv, const struct sc_journey *jo,
                           struct sc_arena *ar);
void sc_test_coverage_add(struct sc_test_coverage *cv, const struct sc_effect *fx);
/* Four lines: reached of how many, and which not. */
void sc_test_coverage_print(const struct sc_test_coverage *cv, struct sc_buf *out);

struct sc_test_result {
    const struct sc_test_case *tc;
    struct sc_str failure; /* empty: passed */
    int64_t took_ms;
};
void sc_test_junit(const struct sc_journey *jo, const struct sc_test_result *results, uint32_t n,
                   struct sc_buf *out);

#endif
