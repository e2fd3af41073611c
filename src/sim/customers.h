/* Customers: node -> state, for one simulated world, in two forms.
 *
 * The stored form (codec/state.h) holds a customer in its few hundred bytes; the form the step works
 * on costs ten times that, and a decoding and an encoding each time. A customer that is asked for
 * again stays in the working form: what a run over millions of events touches most is decoded once.
 * Both forms say the same, so which one a customer is in never shows. The working ones are bounded
 * in bytes; over the bound those not asked for the longest are put away, in turn, each with a
 * second chance.
 *
 * A working state lives in an arena of its own and borrows from the stored form behind it. Nothing is
 * shared between two: states that met in one input (a merge) are stored and opened anew, and so is
 * one whose arena holds mostly what it has outgrown. Thread: one. */
#ifndef SC_SIM_CUSTOMERS_H
#define SC_SIM_CUSTOMERS_H

#include "codec/state.h"

struct sc_customer {        /* one in the working form */
    struct sc_state *st;
    int64_t due_ms;         /* as the caller left them: when it is to be woken, */
    bool counts;            /* and whether it counts */
    bool changed;           /* the stored form is behind */
    bool asked;             /* since its last turn */
    uint32_t len;           /* of its stored form */
    char *bytes;            /* its stored form; NULL: never had one */
    size_t held, opened;    /* bytes it takes; bytes of the arena in use once it was opened */
    struct sc_arena ar;
    struct sc_customer *next; /* in order of their turns; of rooms that are free */
    _Alignas(16) char room[]; /* the arena's first */
};

/* Is it somebody? A root that has events. */
static inline bool sc_customer_counts(const struct sc_state *st)
{
    return st->kind == SC_STATE_ROOT && st->n_events > 0;
}

struct sc_customers_slot {
    struct sc_node_id node; /* zeroed: free */
    union {
        struct sc_customer *working;
        char *bytes;
    };
    uint32_t len; /* of bytes */
    bool is_working;
};

struct sc_customers_slab;

struct sc_customers {
    const struct sc_journey *jo;
    struct sc_customers_slot *slots;
    uint64_t cap, n;
    size_t room;        /* what a new customer's arena begins with */
    struct sc_customers_slab *slabs; /* where customers are, many in a piece of memory */
    struct sc_customer *free;        /* rooms of those put away */
    size_t held, most;  /* by all that are working */
    struct sc_customer *first, *last; /* the next turn is the first's */
    struct sc_buf form; /* what is being stored */
};

/* At most `most_bytes` of working states, and those in use. */
void sc_customers_init(struct sc_customers *cs, const struct sc_journey *jo, size_t most_bytes);
void sc_customers_fini(struct sc_customers *cs);
/* Have what opening `node` will read on its way: first its slot; some look-ups later, through that,
 * the customer. */
void sc_customers_prefetch(const struct sc_customers *cs, const struct sc_node_id *node);
void sc_customers_prefetch_state(const struct sc_customers *cs, const struct sc_node_id *node);
/* The customer of `node` in the working form, one never seen if need be. Stays where it is until
 * sc_customers_close. */
struct sc_customer *sc_customers_open(struct sc_customers *cs, const struct sc_node_id *node);
/* An input is done with these: all that were opened since the last close, each once. */
void sc_customers_close(struct sc_customers *cs, struct sc_customer *const *v, uint32_t n);
/* Look without opening. False: never seen. */
bool sc_customers_peek(const struct sc_customers *cs, const struct sc_node_id *node,
                       struct sc_state_peek *out);
/* Every node, ascending; to be freed. */
struct sc_node_id *sc_customers_nodes(const struct sc_customers *cs, uint64_t *n);

#endif
