/* The subjects of `stagecoach identity` that change customers. argv[0] is the subject; they return
 * the exit codes of cli.h. */
#ifndef SC_CLI_IDENTITY_H
#define SC_CLI_IDENTITY_H

/* Identifiers leave a customer: to be one of their own, or each alone. */
int sc_identity_split(int argc, char **argv);
int sc_identity_unlink(int argc, char **argv);

#endif
