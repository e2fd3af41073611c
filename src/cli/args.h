/* Command lines by table: one `struct sc_arg` an option parses it and is its line in --help.
 * `--name value`, `--name=value`, `-n value`; many-valued options take words up to the next option;
 * `--` ends options. Numbers, durations and times are checked here, with the option's name; a value
 * is not empty, and an option of one value is given once. A table has at most 64 options. */
#ifndef SC_CLI_ARGS_H
#define SC_CLI_ARGS_H

#include "base/str.h"

enum sc_arg_kind {
    SC_ARG_FLAG,     /* bool */
    SC_ARG_STR,      /* const char * */
    SC_ARG_MANY,     /* struct sc_words */
    SC_ARG_GROUPS,   /* struct sc_groups: as MANY, any number of times */
    SC_ARG_INT,      /* int64_t, >= 0 */
    SC_ARG_DURATION, /* int64_t milliseconds, >= 0 */
    SC_ARG_TIME      /* int64_t milliseconds since the epoch */
};

struct sc_words {
    char **v;
    int n;
};
#define SC_GROUPS_MAX 32
struct sc_groups {
    struct sc_words v[SC_GROUPS_MAX];
    int n;
};

struct sc_arg {
    const char *name;  /* without dashes; NULL ends the table */
    char letter;       /* 0: none */
    enum sc_arg_kind kind;
    void *to;
    const char *value; /* "FILE" in --help */
    const char *help;
};

struct sc_command {
    const char *usage; /* "simulate JOURNEY --events FILE… [options]" */
    const char *about; /* a paragraph */
    const struct sc_arg *args;
    int words_min, words_max; /* positional words; max -1: any */
};

/* One of the things a command does, by its first word. */
struct sc_subject {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage; /* "node NAMESPACE=VALUE… [options]"; in the list of all commands: what for */
};

/* Run the subject that argv[1] names, of a table that ends with {0}; `command` is the word before it.
 * --help prints their usages, as does a word that is none of them, behind the message: exit 64. */
int sc_subjects_run(const char *command, const struct sc_subject *subjects, int argc, char **argv);
/* The nearest to what was written of the names that are tried: for "did you mean". */
struct sc_near {
    struct sc_str seen, name; /* p == NULL: none is near */
    unsigned max;
};
struct sc_near sc_near_to(struct sc_str seen);
void sc_near_try(struct sc_near *nr, struct sc_str name);
/* "; did you mean 'x'?" to stderr, `before` in front of the name. False: none is near, nothing said. */
bool sc_near_say(const struct sc_near *nr, const char *before);

/* The same of a command's subjects. */
void sc_subject_suggest(const struct sc_subject *subjects, const char *word);

/* Parse argv[1..]. Positional words go to `words` (argv is reordered). Returns 0 to go on; a
 * negative number when the command is done (--help was printed): exit 0; else an exit code (64),
 * with the message printed. */
int sc_args_parse(const struct sc_command *cmd, int argc, char **argv, struct sc_words *words);

#endif
