/* The files of one command line: what is written must not be what is read, two outputs not one
 * file, and what can be read but once (standard input, a pipe) is named once. */
#ifndef SC_CLI_PATHS_H
#define SC_CLI_PATHS_H

#include "base/vec.h"
#include <stdbool.h>

struct sc_file_use {
    const char *option; /* as messages name it: "--effects" */
    const char *path;   /* "-": standard input or output */
    bool written;
};

struct sc_paths {
    struct sc_arena *ar;
    SC_VEC(struct sc_file_use) v;
};

/* Texts are borrowed. A NULL path (an option that was not given) is none. */
void sc_paths_add(struct sc_paths *ps, const char *option, const char *path, bool written);
/* False: two of them clash; said on standard error. Cost: a stat each, and n² comparisons. */
bool sc_paths_apart(const struct sc_paths *ps, const char *command);

#endif
