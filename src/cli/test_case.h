/* The cases of `stagecoach test`, as they stand in YAML: what happens, and what is expected.
 *
 * An event becomes a line of canonical JSON, read by the same reader as the files of `simulate`: a
 * case cannot be given what a file could not. Everything lives in the arena given to the loader.
 * Language: docs/testing.md. */
#ifndef SC_CLI_TEST_CASE_H
#define SC_CLI_TEST_CASE_H

#include "cli/canonical.h"
#include "core/journey/effects.h"

enum sc_test_list {
    SC_TEST_TRIGGERS, SC_TEST_SUPPRESSED, SC_TEST_DEFERRED, SC_TEST_CANCELLED,
    SC_TEST_TRANSITIONS, SC_TEST_MILESTONES, SC_TEST_LISTS
};

/* A list of effects that a case may name, and the key under which an item names its rule. */
struct sc_test_list_info {
    const char *key;   /* "triggers" */
    const char *rule;  /* "trigger": what an item that is text alone means */
    enum sc_effect_type type;
};
extern const struct sc_test_list_info sc_test_lists[SC_TEST_LISTS];
/* The field of an effect's JSON that `key` of an item of this list means; NULL: none. */
const char *sc_test_field(enum sc_test_list list, struct sc_str key);

struct sc_test_entry {
    int64_t at_ms;
    struct sc_str line;       /* canonical JSON; empty: only time passes */
    const struct sc_node *at;
};

struct sc_test_expect { /* NULL, -1: not written, so not checked */
    struct sc_str stage, persona;
    struct sc_node *stage_at, *persona_at, *customers_at;
    int64_t customers;
    struct sc_node *lists[SC_TEST_LISTS]; /* seq: of text or maps */
    struct sc_node *facts;                /* map */
    struct sc_node *trace;                /* seq of lines (test_trace.h) */
    struct sc_node *tracks;               /* map: stages by track */
};

struct sc_test_case {
    struct sc_str name;
    int64_t start_ms;
    struct sc_test_entry *entries;
    uint32_t n_entries;
    struct sc_test_expect expect;
    struct sc_mark mark; /* of its name */
};

struct sc_test_cases {
    const struct sc_journey *jo;
    struct sc_canonical *reader;
    struct sc_arena *ar;
    struct sc_diag *dg;
    SC_VEC(struct sc_test_case) v;
};

/* Add the cases of a `tests:` list; faults go to ts->dg. */
void sc_test_cases_add(struct sc_test_cases *ts, const struct sc_node *list);
/* The journey's table with `tests:` as it is read here: for the reference and the schema. */
struct sc_table sc_test_journey_table(struct sc_arena *ar);
/* "+20m", "-1h" from the case's start, or RFC 3339. */
bool sc_test_time(struct sc_str text, int64_t start_ms, int64_t *ms);

#endif
