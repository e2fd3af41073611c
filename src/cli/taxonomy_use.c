/* See taxonomy_use.h.
 *
 * The compiler notes in its scope what an expression reads, for all of a journey together. Here
 * each rule is compiled alone, with notes of its own, over the events it was found to hold for. */
#include "cli/taxonomy_use.h"

#include "base/assert.h"

struct readers {
    SC_VEC(struct sc_str) names;
};

struct sc_uses {
    struct sc_arena *ar;
    const struct sc_taxonomy *tx;
    struct readers *events; /* by event */
    struct readers **props; /* by event, by property */
    /* of the journey under way */
    struct sc_journey *jo;
    struct sc_str who;      /* its rule under way */
    bool prefix;
    struct sc_diag dg;      /* what was said at load is not said again */
};

struct sc_uses *sc_uses_create(const struct sc_taxonomy *tx, struct sc_arena *ar)
{
    struct sc_uses *us = SC_NEW(ar, struct sc_uses);
    us->ar = ar;
    us->tx = tx;
    us->events = SC_NEW_N(ar, struct readers, tx->n_events + 1);
    us->props = SC_NEW_N(ar, struct readers *, tx->n_events + 1);
    for (uint32_t e = 0; e < tx->n_events; e++)
        us->props[e] = SC_NEW_N(ar, struct readers, tx->events[e].n_props + 1);
    return us;
}

/* The rule under way reads it; its readings come one after another. */
static void add_reader(struct sc_uses *us, struct readers *rd)
{
    uint32_t n = rd->names.n;
    if (n == 0 || rd->names.v[n - 1].p != us->who.p)
        SC_VEC_PUSH(us->ar, &rd->names, us->who);
}

static void reads_property(struct sc_uses *us, uint32_t event, uint32_t prop)
{
    SC_ASSERT(prop < us->tx->events[event].n_props);
    add_reader(us, &us->events[event]);
    add_reader(us, &us->props[event][prop]);
}

/* ---- one expression */

/* recent("*", n) takes whatever comes: nobody reads those events by name. */
static void reads_touchpoints(struct sc_uses *us, const uint32_t *ring)
{
    uint32_t n = 0;
    for (uint32_t e = 0; e < us->tx->n_events; e++)
        n += ring[e] != 0;
    for (uint32_t e = 0; n < us->tx->n_events && e < us->tx->n_events; e++)
        if (ring[e])
            add_reader(us, &us->events[e]);
}

/* Properties that stand in the text itself. */
static void reads_text(struct sc_uses *us, const struct sc_prog *prog)
{
    const struct sc_rule_info *info = sc_rule_info(prog);
    const struct sc_rule_opts opts = {.use = SC_USE_VALUE, .only_event = -1,
                                      .events = info->events, .n_events = info->n_events};
    struct sc_scope *sp = &us->jo->scope;
    struct sc_scope kept = *sp;
    sp->dg = &us->dg;
    sp->read = sc_arena_zalloc(us->ar, (us->tx->n_events + 1) * sizeof(*sp->read));
    sp->ring_reads = SC_NEW_N(us->ar, uint32_t, us->tx->n_events + 1);
    sc_rule_compile(sp, sc_rule_text(prog), (struct sc_mark){0}, opts);
    for (uint32_t e = 0; e < us->tx->n_events; e++)
        for (uint32_t p = 0; p < us->tx->events[e].n_props; p++)
            if (sp->read[e][p / 64] >> (p % 64) & 1)
                reads_property(us, e, p);
    reads_touchpoints(us, sp->ring_reads);
    sp->dg = kept.dg;
    sp->read = kept.read;
    sp->ring_reads = kept.ring_reads;
}

static void reads_rule(struct sc_uses *us, const struct sc_prog *prog)
{
    if (prog == NULL)
        return;
    const struct sc_rule_info *info = sc_rule_info(prog);
    for (uint32_t i = 0; info->events != NULL && i < info->n_events; i++)
        add_reader(us, &us->events[info->events[i]]);
    reads_text(us, prog);
    for (uint32_t i = 0; i < info->n_facts; i++) {
        const struct sc_fact *fact = &us->jo->facts[info->facts[i]];
        add_reader(us, &us->events[fact->event]);
        if (fact->prop >= 0)
            reads_property(us, fact->event, (uint32_t)fact->prop);
        if (fact->where != NULL)
            reads_text(us, fact->where);
    }
}

static void reads_exits(struct sc_uses *us, const struct sc_exit *exits, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        add_reader(us, &us->events[exits[i].event]);
        if (exits[i].where != NULL)
            reads_text(us, exits[i].where);
    }
}

/* ---- a journey */

/* "trigger cart_abandoned" reads what follows. */
static void rule_is(struct sc_uses *us, const char *what, struct sc_str name)
{
    struct sc_buf who = {.ar = us->ar};
    if (us->prefix)
        sc_buf_addf(&who, "%.*s: ", SC_STR_FMT(us->jo->name));
    sc_buf_addz(&who, what);
    sc_buf_str(&who, name);
    us->who = sc_buf_view(&who);
}

static void add_triggers(struct sc_uses *us)
{
    for (uint32_t i = 0; i < us->jo->n_triggers; i++) {
        const struct sc_trigger *tr = &us->jo->triggers[i];
        rule_is(us, "trigger ", tr->name);
        reads_rule(us, tr->start);
        reads_rule(us, tr->unless);
        reads_rule(us, tr->key);
        reads_exits(us, tr->without, tr->n_without);
        for (uint32_t c = 0; c < tr->n_context; c++)
            reads_rule(us, tr->context[c].prog);
    }
}

static void add_guardrails(struct sc_uses *us)
{
    const struct sc_guardrails *g = &us->jo->guard;
    rule_is(us, "guardrail ", SC_STR("hold_while"));
    for (uint32_t i = 0; i < g->n_hold_while; i++)
        reads_rule(us, g->hold_while[i]);
    rule_is(us, "guardrail ", SC_STR("fatigue"));
    for (uint32_t i = 0; i < g->n_adds; i++)
        if (g->adds[i].event >= 0)
            add_reader(us, &us->events[g->adds[i].event]);
}

void sc_uses_add(struct sc_uses *us, struct sc_journey *jo, bool prefix)
{
    SC_ASSERT(jo->tx == us->tx);
    us->jo = jo;
    us->prefix = prefix;
    sc_diag_init(&us->dg, us->ar);
    for (uint32_t i = 0; i < jo->n_named; i++) {
        rule_is(us, "fact ", jo->named[i].name);
        reads_rule(us, jo->named[i].prog);
    }
    for (uint32_t i = 0; i < jo->n_stages; i++) {
        rule_is(us, "stage ", jo->stages[i].name);
        reads_rule(us, jo->stages[i].when);
        reads_exits(us, jo->stages[i].without, jo->stages[i].n_without);
    }
    for (uint32_t i = 0; i < jo->n_personas; i++) {
        rule_is(us, "persona ", jo->personas[i].name);
        reads_rule(us, jo->personas[i].prog);
    }
    for (uint32_t i = 0; i < jo->n_milestones; i++) {
        rule_is(us, "milestone ", jo->milestones[i].name);
        reads_rule(us, jo->milestones[i].when);
    }
    add_triggers(us);
    add_guardrails(us);
}

struct sc_str sc_uses_text(const struct sc_uses *us, uint32_t event, int prop)
{
    SC_ASSERT(event < us->tx->n_events);
    const struct readers *rd = prop < 0 ? &us->events[event] : &us->props[event][prop];
    struct sc_buf out = {.ar = us->ar};
    for (uint32_t i = 0; i < rd->names.n; i++)
        sc_buf_addf(&out, "%s%.*s", i ? ", " : "", SC_STR_FMT(rd->names.v[i]));
    return sc_buf_view(&out);
}
