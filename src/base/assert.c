/* The end of the process on a broken invariant: a line on stderr, then SIGABRT. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void sc_assert_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    fflush(stderr);
    abort();
}
