/* What a case expects against what came of it. Only what is written is compared; a list is compared
 * whole and in order. Values of effects are those of their JSON records, so a case may name any
 * field that a consumer of the topic sees. */
#ifndef SC_CLI_TEST_MATCH_H
#define SC_CLI_TEST_MATCH_H

#include "cli/test_case.h"

struct sc_test_seen {
    SC_VEC(struct sc_value) lists[SC_TEST_LISTS]; /* maps: effects as their JSON */
    struct sc_str stage, persona; /* of the first event's customer, at the end; may be empty */
    struct sc_value facts, tracks; /* maps, as in the customer line */
    uint64_t customers;
    struct sc_str trace;          /* as it is printed */
};

struct sc_test_miss {
    const char *what;    /* "triggers" */
    struct sc_str expected, seen; /* one or more lines */
    struct sc_mark mark;
};
struct sc_test_misses {
    SC_VEC(struct sc_test_miss) v;
};

/* Append what differs. Texts from `ar`. */
void sc_test_match(const struct sc_test_case *tc, const struct sc_test_seen *seen,
                   struct sc_arena *ar, struct sc_test_misses *out);
/* The value under a map's key; ABSENT when there is none. */
struct sc_value sc_test_get(struct sc_value map, const char *key);

#endif
