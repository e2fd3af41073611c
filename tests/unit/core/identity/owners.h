/* Owners of a few nodes and what goes between them: what the tests of identity share. */
#ifndef SC_TEST_IDENTITY_OWNERS_H
#define SC_TEST_IDENTITY_OWNERS_H

#include "core/identity/identity.h"
#include "core/journey/run.h"

enum { A = 0, B, E1, E2, E3, P1, P2, P3, T, D1, D2, NODES };
struct owners {
    struct sc_arena ar;
    struct sc_diag dg;
    struct sc_taxonomy tx;
    struct sc_journey jo;
    struct sc_node_id nodes[NODES];
    struct sc_state *st[NODES];
    struct sc_effects fx; /* all of it */
    SC_VEC(struct sc_record) queue;
    int n_events;
    bool believed; /* by resolve: that the two of an event are one already */
};

void owners_init(struct owners *w);
void owners_fini(struct owners *w);
/* Handle what is in the queue, and what follows from it. */
void owners_settle(struct owners *w);
/* An event with identifiers x and y (y may be -1), routed without hints (or by a wrong one), to
 * the end. */
void owners_event(struct owners *w, const char *name, int64_t day, int x, int y);
/* Effects of a type, and of an action (-1: any). */
int owners_count(const struct owners *w, enum sc_effect_type type, int action);
bool owners_alias(const struct owners *w, int node, int parent);
/* One record at its owner; what follows from it is in `fx`, and handled by nobody. */
void owners_step(struct owners *w, struct sc_record rec, struct sc_effects *fx);
/* The first of a kind that was sent; NULL: none. */
const struct sc_record *owners_sent(const struct sc_effects *fx, enum sc_record_kind kind);

#endif
