/* Which events a rule can hold for, and which properties are known to be present where.
 *
 * From the shape `event.name == "x"`, `in [...]`, `!=`, and, or, not, `?:`, and from the properties
 * read. It answers with a set that may be too large, never too small. A property is looked up in
 * the events of the place where it is read, so `event.name == "a" && event.x > 1` needs `x` in `a`
 * alone; the order of the two sides does not matter, as in CEL an error beside a false is absorbed.
 * Cost: the tree's size times its height, at load. */
#include "core/rule/check.h"

#include "base/assert.h"
#include "base/hash.h"

void event_set_all(struct event_set *s, uint32_t n_events)
{
    SC_ASSERT(n_events <= SC_EVENTS_MAX);
    memset(s, 0, sizeof(*s));
    for (uint32_t e = 0; e < n_events; e++)
        s->w[e / 64] |= UINT64_C(1) << (e % 64);
}

uint32_t event_set_count(const struct event_set *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < SC_EVENTS_MAX / 64; i++)
        n += (uint32_t)__builtin_popcountll(s->w[i]);
    return n;
}

static void set_or(struct event_set *s, const struct event_set *by)
{
    for (uint32_t i = 0; i < SC_EVENTS_MAX / 64; i++)
        s->w[i] |= by->w[i];
}

/* Those literals of `n` (a string or a list of strings) that name events; false: it is neither. */
static bool literal_events(const struct checker *ck, const struct node *n, struct event_set *out)
{
    memset(out, 0, sizeof(*out));
    uint32_t count = n->kind == N_LIST ? n->n : 1;
    if (n->kind != N_LIST && n->kind != N_CONST)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct node *lit = n->kind == N_LIST ? n->kid[i] : n;
        if (lit->kind != N_CONST || lit->value.type != SC_T_STRING)
            return false;
        int e = sc_taxonomy_event(ck->sp->tx, sc_value_str(lit->value));
        if (e >= 0)
            out->w[e / 64] |= UINT64_C(1) << (e % 64);
    }
    return true;
}

static void flow_compare(const struct checker *ck, const struct node *n, bool truth,
                         struct event_set *out)
{
    const struct node *a = n->kid[0], *b = n->kid[1];
    struct event_set named;
    bool known = (n->op == OP_EQ || n->op == OP_NE || n->op == OP_IN) &&
                 ((rule_is_event_name(a) && literal_events(ck, b, &named)) ||
                  (n->op != OP_IN && rule_is_event_name(b) && literal_events(ck, a, &named)));
    event_set_all(out, ck->sp->tx->n_events);
    if (!known)
        return;
    if (truth == (n->op != OP_NE)) {
        *out = named;
    } else {
        for (uint32_t i = 0; i < SC_EVENTS_MAX / 64; i++)
            out->w[i] &= ~named.w[i];
    }
}

/* Leave out the events that lack a property whose absence makes `n` an error. */
static void flow_reads(const struct checker *ck, const struct node *n, struct event_set *out)
{
    bool strict = n->kind == N_BINARY || n->kind == N_UNARY || n->kind == N_FN ||
                  n->kind == N_INDEX || (n->kind == N_SELECT && !n->test);
    if (n->kind == N_PROP && n->slots && !n->optional)
        for (uint32_t e = 0; e < ck->sp->tx->n_events; e++)
            if (n->slots[e] < 0)
                out->w[e / 64] &= ~(UINT64_C(1) << (e % 64));
    for (uint32_t i = 0; strict && i < n->n; i++)
        flow_reads(ck, n->kid[i], out);
}

void rule_flow(const struct checker *ck, const struct node *n, bool truth, struct event_set *out)
{
    SC_ASSERT(n->height <= SC_RULE_HEIGHT_MAX);
    SC_ASSERT(ck->sp->tx != NULL);
    struct event_set other;
    if (n->kind == N_AND || n->kind == N_OR) {
        rule_flow(ck, n->kid[0], truth, out);
        rule_flow(ck, n->kid[1], truth, &other);
        if ((n->kind == N_AND) == truth)
            event_set_and(out, &other);
        else
            set_or(out, &other);
    } else if (n->kind == N_UNARY && n->op == OP_NOT) {
        rule_flow(ck, n->kid[0], !truth, out);
    } else if (n->kind == N_COND) {
        rule_flow(ck, n->kid[0], true, out);
        rule_flow(ck, n->kid[1], truth, &other);
        event_set_and(out, &other);
        rule_flow(ck, n->kid[2], truth, &other);
        set_or(out, &other);
    } else if (n->kind == N_BINARY) {
        flow_compare(ck, n, truth, out);
    } else if (n->kind == N_CONST && n->value.type == SC_T_BOOL && (n->value.i == 1) != truth) {
        memset(out, 0, sizeof(*out));
    } else {
        event_set_all(out, ck->sp->tx->n_events);
    }
    bool reads = n->kind == N_PROP && n->test ? truth : n->kind != N_AND && n->kind != N_OR;
    if (ck->resolved && reads && n->kind != N_COND && n->op != OP_NOT)
        flow_reads(ck, n, out);
}

static bool is_event_select(const struct node *n)
{
    return n->kind == N_PROP || (n->kind == N_SELECT && n->kid[0]->kind == N_IDENT &&
                                 sc_str_eqz(n->kid[0]->name, "event"));
}

void rule_flow_guards(struct checker *ck, const struct node *n, bool truth)
{
    SC_ASSERT(n->height <= SC_RULE_HEIGHT_MAX);
    if (n->kind == N_UNARY && n->op == OP_NOT) {
        rule_flow_guards(ck, n->kid[0], !truth);
    } else if ((n->kind == N_AND && truth) || (n->kind == N_OR && !truth)) {
        rule_flow_guards(ck, n->kid[0], truth);
        rule_flow_guards(ck, n->kid[1], truth);
    } else if (truth && is_event_select(n) && n->test) {
        struct guard *g = SC_NEW(ck->src.ar, struct guard);
        g->hash = sc_hash_name(n->name);
        g->up = ck->guards;
        ck->guards = g;
    }
}
