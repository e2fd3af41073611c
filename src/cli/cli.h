/* The subcommands, one file each, and the exit codes they share (sysexits). */
#ifndef SC_CLI_CLI_H
#define SC_CLI_CLI_H

enum {
    SC_EXIT_OK = 0,
    SC_EXIT_FINDINGS = 1,      /* the command ran and found what it was asked to look for */
    SC_EXIT_USAGE = 64,        /* the command line */
    SC_EXIT_DATA = 65,         /* input data */
    SC_EXIT_NOINPUT = 66,      /* a file cannot be read */
    SC_EXIT_UNAVAILABLE = 69,  /* a server */
    SC_EXIT_SOFTWARE = 70,     /* a bug */
    SC_EXIT_IO = 74,           /* writing failed */
    SC_EXIT_CONFIG = 78        /* one of the three files */
};

/* argv[0] is the subcommand's name. Each returns an exit code. */
int sc_cmd_run(int argc, char **argv);
int sc_cmd_dev(int argc, char **argv);
int sc_cmd_simulate(int argc, char **argv);
int sc_cmd_check(int argc, char **argv);
int sc_cmd_test(int argc, char **argv);
int sc_cmd_taxonomy(int argc, char **argv);
int sc_cmd_explain(int argc, char **argv);
int sc_cmd_identity(int argc, char **argv);
int sc_cmd_forget(int argc, char **argv);
int sc_cmd_tap(int argc, char **argv);
int sc_cmd_dlq(int argc, char **argv);
int sc_cmd_docs(int argc, char **argv);
int sc_cmd_expr(int argc, char **argv);
int sc_cmd_version(int argc, char **argv);

/* Dispatch: argv[0] is the program. */
int sc_cli_main(int argc, char **argv);

#endif
