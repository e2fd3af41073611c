/* An operator's word to the running system: records of the journal, in the form that the owners of
 * customers take, written in one transaction beside every worker. Who asked for it and why goes
 * with them, to the audit topic. What is found out beforehand is read, without a group.
 *
 * A command decides nothing: the owner of each node does, when it takes the record. So it may be
 * written while `stagecoach run` is down, or decides otherwise meanwhile. Source: docs/adr/0017. */
#ifndef SC_CLI_OPERATOR_H
#define SC_CLI_OPERATOR_H

#include "cli/args.h"
#include "cli/live.h"

struct sc_operator {
    const char *name;      /* of the command, for messages */
    /* options */
    const char *config, *by, *why;
    bool dry_run;
    int64_t wait_ms;       /* 0: not waited for */
    /* work */
    struct sc_live lv;
    struct sc_arena ar; /* what is to be written, until close */
    SC_VEC(struct sc_record) records;
};

/* Options that every such command has, for the end of its table. */
#define SC_OPERATOR_ARGS(op)                                                                       \
    {"config", 'c', SC_ARG_STR, &(op).config, "FILE", "settings (default: stagecoach.yaml)"},      \
        {"dry-run", 'n', SC_ARG_FLAG, &(op).dry_run, NULL, "say what would be done, write nothing"}, \
        {"by", 0, SC_ARG_STR, &(op).by, "NAME",                                                    \
         "who asks for it, for the audit topic (default: user@host)"},                             \
        {"why", 0, SC_ARG_STR, &(op).why, "TEXT",                                                  \
         "why, for the audit topic; no personal data: it is kept"},                                \
        {"wait", 0, SC_ARG_DURATION, &(op).wait_ms, "DURATION",                                    \
         "until `stagecoach run` has done it, at most so long (default: not)"}

/* Settings are loaded; behind the words of the command line, the journal is looked at. 0, or an
 * exit code with the reason printed. Zero-initialised but for name and options is valid for close. */
int sc_operator_open(struct sc_operator *op);
int sc_operator_look(struct sc_operator *op);
void sc_operator_close(struct sc_operator *op);

/* Can the word be one? Asked before open. False: said. */
bool sc_operator_is_node(const struct sc_operator *op, const char *word);
/* The node that a word names: 32 hex digits, or NAMESPACE=VALUE. This and the next: 0, or an exit
 * code with the reason printed; *st lives until finish. */
int sc_operator_node(struct sc_operator *op, const char *word, struct sc_node_id *node);
/* The state that stands for *node, which becomes its root's. *st NULL: nothing is stored. */
int sc_operator_state(struct sc_operator *op, struct sc_node_id *node, struct sc_state **st);
/* "email 2f…" */
void sc_operator_print_node(const struct sc_operator *op, const struct sc_node_id *node);

/* Valid until the next add. */
struct sc_record *sc_operator_add(struct sc_operator *op, enum sc_record_kind kind,
                                  const struct sc_node_id *to);
/* Write what was added (unless it is a dry run), and wait as asked until `done`: between two looks
 * lv.ar is emptied. */
int sc_operator_finish(struct sc_operator *op, bool (*done)(void *arg), void *arg);

#endif
