/* Assertions that stay on in production: a broken invariant ends the process, and the restart
 * rebuilds from the log, which is always safer than going on with a state nobody understands. */
#ifndef SC_BASE_ASSERT_H
#define SC_BASE_ASSERT_H

/* Print `what`, file and line to stderr, then abort(). Never returns. Thread: any. */
_Noreturn void sc_assert_fail(const char *what, const char *file, int line);

#define SC_ASSERT(cond)                                                                            \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            sc_assert_fail(#cond, __FILE__, __LINE__);                                             \
    } while (0)

#define SC_UNREACHABLE(what) sc_assert_fail("unreachable: " what, __FILE__, __LINE__)

#endif
