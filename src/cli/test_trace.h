/* Cases as plain text, in the form that `explain` and a failing case print, so that what was seen
 * once can be kept as what must be seen again:
 *
 *   # a comment
 *   case a cart that is left is worth a reminder
 *   who @email=ada@example.org
 *   [+0m] consent_set purpose=marketing granted=true
 *   [2026-03-02 10:01] cart_updated value=40 @device_id=d-1
 *   [+61m] timer cart_abandoned
 *     guard   cart_abandoned   by email   -> sent
 *
 * A line that begins with a time and an event of the taxonomy happens; any other moves time on to
 * there. What is indented must be among the lines of that instant, in that order; spaces do not
 * count. Decisions about messages (`guard`) are compared whole: one that is not written fails. */
#ifndef SC_CLI_TEST_TRACE_H
#define SC_CLI_TEST_TRACE_H

#include "cli/test_case.h"
#include "cli/test_match.h"

/* The cases of a text as the list that `tests:` would be, with marks into it; faults go to `dg`.
 * `name` is a case's without a `case` line. Everything lives in `ar`. */
struct sc_node *sc_test_trace_parse(const struct sc_taxonomy *tx, struct sc_str name,
                                    struct sc_str text, struct sc_arena *ar, struct sc_diag *dg);
/* The lines of `expect: { trace: … }` against the trace seen. */
void sc_test_trace_match(const struct sc_test_case *tc, struct sc_str trace, struct sc_arena *ar,
                         struct sc_test_misses *out);
/* "[+20m]", "[2026-03-02 10:20]", "[2026-03-02 10:20:05]" at the start of a line; `rest` is what
 * stands behind it. */
bool sc_test_trace_time(struct sc_str line, int64_t start_ms, int64_t *ms, struct sc_str *rest);

#endif
