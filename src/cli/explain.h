/* The subjects of `stagecoach explain`, one file each. argv[0] is the subject; they return the exit
 * codes of cli.h. */
#ifndef SC_CLI_EXPLAIN_H
#define SC_CLI_EXPLAIN_H

#include <stdbool.h>

/* A customer's timeline, from files of events. */
int sc_explain_customer(int argc, char **argv);
/* The same of the running system; `identifier` (NS=VALUE) or `id`. */
int sc_explain_running(const char *settings, const char *identifier, const char *id, bool reveal);
/* One source record: what it is, and what became of it. */
int sc_explain_event(int argc, char **argv);
/* What a trigger, stage, milestone, persona or fact reads, and when it can act. */
int sc_explain_rule(int argc, char **argv);
/* Why a record was dropped, or a message suppressed, and what to do. */
int sc_explain_code(int argc, char **argv);

#endif
