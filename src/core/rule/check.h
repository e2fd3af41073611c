/* The checker's state, shared by the passes that resolve names. Private to this folder. */
#ifndef SC_CORE_RULE_CHECK_H
#define SC_CORE_RULE_CHECK_H

#include "core/rule/prog.h"

/* A property known to be present here: has() stands before. */
struct guard {
    uint32_t hash; /* of the property's name */
    const struct guard *up;
};

struct checker {
    struct rule_src src;
    struct sc_scope *sp;
    struct sc_rule_opts opts;
    const struct node *root;    /* the whole expression */
    struct local *locals;       /* innermost first */
    const struct event_set *can; /* events under which this place matters; NULL: free-standing */
    const struct guard *guards;
    SC_VEC(uint16_t) facts;
    bool reads_event, reads_facts;
    bool resolved; /* the whole tree is: flow may look at the properties it reads */
    bool broken;             /* what stands here is wrong by a finding of elsewhere */
    uint32_t inlined;        /* size of the named expressions that stand here by name, */
    uint32_t inlined_height; /* and the greatest of their heights */
};

/* Free-standing CEL: no taxonomy, every type is found at run time. */
static inline bool check_free(const struct checker *ck)
{
    return ck->sp->tx == NULL;
}

#define CHECK_ERROR(ck, code, off, len, ...)                                                       \
    RULE_ERROR(&(ck)->src, (code), (off), (len), __VA_ARGS__)

void rule_check(struct checker *ck, struct node *n);

/* ---- Names (names.c) */

void rule_resolve_ident(struct checker *ck, struct node *n);
/* True when `n`, a SELECT, was resolved as a whole: an event's field, an attribute, a variable. */
bool rule_resolve_select(struct checker *ck, struct node *n);
/* The event a string literal names, -1 after a finding. */
int32_t rule_resolve_event(struct checker *ck, const struct node *literal);
/* "a.b.c" of a chain of plain names that starts with no local; empty when it is none. */
struct sc_str rule_dotted(struct checker *ck, const struct node *n);
bool rule_is_event_name(const struct node *n);
/* Literals compared with an event's name, a stage or an enum property must be one of its values. */
void rule_check_literal(struct checker *ck, const struct node *of, const struct node *literal);

/* ---- Which events matter where (flow.c) */

/* The events for which `n` may come out as `truth`: never too few. Of a resolved tree, those that
 * lack a property which `n` cannot do without are left out too. */
void rule_flow(const struct checker *ck, const struct node *n, bool truth, struct event_set *out);
/* Put the properties that are present when `n` is `truth` on top of ck->guards. */
void rule_flow_guards(struct checker *ck, const struct node *n, bool truth);
void event_set_all(struct event_set *s, uint32_t n_events);
static inline bool event_set_has(const struct event_set *s, uint32_t event)
{
    return s->w[event / 64] >> (event % 64) & 1;
}
static inline void event_set_and(struct event_set *s, const struct event_set *by)
{
    for (uint32_t i = 0; i < SC_EVENTS_MAX / 64; i++)
        s->w[i] &= by->w[i];
}
uint32_t event_set_count(const struct event_set *s);

#endif
