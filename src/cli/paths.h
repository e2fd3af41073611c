/* The files of one command line, looked at before any work: what is read is there, what is written
 * has a place, is not what is read, and is not two outputs' file; what can be read but once
 * (standard input, a pipe) is named once. */
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
/* 0, or an exit code with the reason on standard error: 64 two of them clash, 66 one cannot be read,
 * 74 one cannot be written. Cost: a few system calls each, and n² comparisons. */
int sc_paths_look(const struct sc_paths *ps, const char *command);

#endif
