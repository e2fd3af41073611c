/* What loads and is hardly meant: warnings; and notes on what a rule can promise. Only a journey
 * without errors gets here. */
#include "core/journey/load.h"
#include "base/assert.h"

#include <stdarg.h>

static struct sc_finding *warn(struct load *ld, const char *code, const struct sc_node *at,
                               const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static struct sc_finding *warn(struct load *ld, const char *code, const struct sc_node *at,
                               const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    size_t len;
    const char *text = sc_arena_vprintf(ld->ar, &len, fmt, args);
    va_end(args);
    return sc_diag_add(ld->dg, SC_WARNING, code, load_mark(at), "%.*s", (int)len, text);
}

/* ---- constant conditions */

static bool never_holds(const struct load *ld, const struct sc_prog *prog)
{
    struct sc_rule_ctx cx = {.tx = ld->tx, .ar = ld->ar};
    return prog != NULL && sc_rule_info(prog)->constant && !sc_rule_holds(prog, &cx);
}

static void lint_constant(struct load *ld, const struct sc_prog *prog, const struct sc_node *at,
                          const char *what)
{
    if (prog == NULL || !sc_rule_info(prog)->constant)
        return;
    warn(ld, "constant-rule", at, "this %s %s holds: it reads neither event nor facts", what,
         never_holds(ld, prog) ? "never" : "always");
}

/* `event.name == "a" && event.name == "b"` */
static bool no_event_meets(const struct sc_prog *prog)
{
    const struct sc_rule_info *info = prog == NULL ? NULL : sc_rule_info(prog);
    return info != NULL && info->reads_event && info->events != NULL && info->n_events == 0;
}

static void lint_events_met(struct load *ld, const struct sc_prog *prog, const struct sc_node *at)
{
    if (no_event_meets(prog))
        warn(ld, "never-holds", at, "this rule never holds: no event meets it");
}

/* A merge adds two customers' counts: 1 and 2 give 3, and `== 2` never held. */
static void lint_equal(struct load *ld, const struct sc_prog *prog, const struct sc_node *at)
{
    if (prog == NULL || !sc_rule_info(prog)->equals_count)
        return;
    struct sc_finding *f = warn(ld, "equals-count", at,
                                "`==` on a count: a merge of two customers can step over it");
    f->hint = SC_STR("write `>=`");
}

/* ---- stages nobody can enter */

static uint64_t entered_from(const struct sc_journey *jo, uint32_t s, uint64_t lapses)
{
    const struct sc_stage *st = &jo->stages[s];
    uint64_t own = jo->tracks[st->track].stages;
    return st->has_from ? st->from : (((UINT64_C(1) << s) - 1) | lapses) & own;
}

/* Stages that some customer may be in, as bits. */
static uint64_t reachable_stages(const struct load *ld)
{
    const struct sc_journey *jo = ld->jo;
    uint64_t reached = 0, lapses = 0, before = 0;
    for (uint32_t t = 0; t < jo->n_tracks; ++t)
        reached |= UINT64_C(1) << jo->tracks[t].initial;
    for (uint32_t s = 0; s < jo->n_stages; ++s) {
        if (jo->stages[s].after_ms > 0)
            lapses |= UINT64_C(1) << s;
    }
    while (reached != before) { /* grows by a bit each time: at most 64 rounds */
        before = reached;
        for (uint32_t s = 0; s < jo->n_stages; ++s) {
            const struct sc_stage *st = &jo->stages[s];
            bool way = st->after_ms > 0 || (st->when != NULL && !never_holds(ld, st->when) &&
                                            !no_event_meets(st->when));
            uint64_t from = entered_from(jo, s, lapses) & ~(UINT64_C(1) << s);
            if (way && (from & reached) != 0)
                reached |= UINT64_C(1) << s;
        }
    }
    return reached;
}

static void lint_stages(struct load *ld, uint64_t reached)
{
    const struct sc_journey *jo = ld->jo;
    for (uint32_t s = 0; s < jo->n_stages; ++s) {
        const struct sc_stage *st = &jo->stages[s];
        const struct sc_node *when_at = st->at == NULL ? NULL : sc_node_get(st->at, "when");
        lint_constant(ld, st->when, when_at, "rule");
        lint_events_met(ld, st->when, when_at);
        lint_equal(ld, st->when, when_at);
        if (!(reached >> s & 1))
            warn(ld, "dead-stage", st->at, "nobody can enter stage '%.*s'%s", SC_STR_FMT(st->name),
                 st->when == NULL && st->after_ms == 0
                     ? ": it has neither `when` nor `after`, and is not initial"
                     : "");
    }
}

/* ---- triggers */

static bool has_role(const struct sc_taxonomy *tx, enum sc_role role)
{
    for (uint32_t e = 0; e < tx->n_events; ++e) {
        if (tx->events[e].role == (int32_t)role)
            return true;
    }
    return false;
}

static void lint_channels(struct load *ld, const struct sc_trigger *tr, uint64_t reached)
{
    uint64_t stages = 0;
    for (uint32_t i = 0; i < tr->n_channels; ++i)
        stages |= ld->jo->channels[tr->channels[i]].stages;
    if ((stages & reached) == 0)
        warn(ld, "no-channel", tr->at,
             "no channel can carry trigger '%.*s': none is allowed in a stage anybody is in",
             SC_STR_FMT(tr->name));
}

static bool is_property(const struct sc_taxonomy *tx, struct sc_str name)
{
    bool is = false;
    for (uint32_t e = 0; e < tx->n_events && !is; ++e)
        is = sc_event_type_prop(&tx->events[e], name) >= 0;
    return is;
}

/* `key: event.x`: an exit without x has no key, and so ends no wait. Not of keys that are more than
 * a property: a default is a key too. */
static void lint_key(struct load *ld, const struct doc_trigger *doc, const struct sc_trigger *tr)
{
    struct sc_str text = sc_str_trim(doc->key), prefix = SC_STR("event.");
    if (tr->key == NULL || !sc_str_starts(text, prefix))
        return;
    struct sc_str name = {text.p + prefix.len, text.len - prefix.len};
    if (!is_property(ld->tx, name))
        return;
    const struct sc_rule_info *start = sc_rule_info(tr->start);
    for (uint32_t i = 0; start->events != NULL && i < start->n_events; ++i) {
        const struct sc_event_type *et = &ld->tx->events[start->events[i]];
        if (sc_event_type_prop(et, name) < 0)
            warn(ld, "start-without-key", doc->key_at,
                 "event '%.*s' has no property '%.*s': it never starts this trigger",
                 SC_STR_FMT(et->name), SC_STR_FMT(name))
                ->decl = load_mark(et->at);
    }
    for (uint32_t i = 0; i < tr->n_without; ++i) {
        const struct sc_event_type *et = &ld->tx->events[tr->without[i].event];
        if (sc_event_type_prop(et, name) >= 0)
            continue;
        struct sc_finding *f =
            warn(ld, "exit-without-key", doc->after_at,
                 "event '%.*s' has no property '%.*s': it never ends this wait",
                 SC_STR_FMT(et->name), SC_STR_FMT(name));
        f->decl = load_mark(et->at);
    }
}

/* A customer of whom the stage alone is known. */
struct placed {
    struct sc_str stage;
    bool asked_more;
};

static struct sc_value placed_attr(const struct sc_rule_ctx *cx, enum sc_attr attr)
{
    struct placed *pl = cx->arg;
    pl->asked_more |= attr != SC_ATTR_STAGE;
    return sc_string(pl->stage);
}

static struct sc_value placed_case(const struct sc_rule_ctx *cx, uint32_t index)
{
    (void)index;
    ((struct placed *)cx->arg)->asked_more = true;
    return sc_bool(false);
}

static struct sc_value placed_recent(const struct sc_rule_ctx *cx, int32_t event, uint32_t n)
{
    (void)event;
    return placed_case(cx, n);
}

/* `customer.stage == "asleep"`: an edge is seen at an event (semantics 23), and into a stage that
 * is entered by silence no event leads. */
static void lint_lapse_edge(struct load *ld, const struct sc_trigger *tr, const struct sc_node *at)
{
    static const struct sc_rule_host host = {.fact = placed_case, .open = placed_case,
                                             .recent = placed_recent, .attr = placed_attr};
    const struct sc_stage *lapse = NULL;
    if (!tr->edge || sc_rule_info(tr->start)->constant)
        return;
    for (uint32_t s = 0; s < ld->jo->n_stages; ++s) {
        const struct sc_stage *st = &ld->jo->stages[s];
        struct placed pl = {st->name, false};
        struct sc_rule_ctx cx = {.tx = ld->tx, .ar = ld->ar, .host = &host, .arg = &pl};
        bool holds = st->track == 0 && sc_rule_holds(tr->start, &cx);
        if (pl.asked_more || (holds && st->after_ms == 0))
            return;
        lapse = holds ? st : lapse;
    }
    if (lapse != NULL)
        warn(ld, "never-fires", at,
             "trigger '%.*s' never fires: `when` is asked at events, and stage '%.*s' is entered "
             "by silence; write `start` and `after`, as the stage has it",
             SC_STR_FMT(tr->name), SC_STR_FMT(lapse->name));
}

static void lint_trigger(struct load *ld, const struct doc_trigger *doc,
                         const struct sc_trigger *tr, uint64_t reached)
{
    const struct sc_node *start_at = doc->when_at != NULL ? doc->when_at : doc->start_at;
    lint_constant(ld, tr->start, start_at, "rule");
    if (tr->edge)
        lint_equal(ld, tr->start, start_at);
    lint_lapse_edge(ld, tr, start_at);
    lint_events_met(ld, tr->start, start_at);
    lint_constant(ld, tr->unless, doc->unless_at, "`unless`");
    lint_events_met(ld, tr->unless, doc->unless_at);
    if (tr->reentry == SC_REENTRY_AFTER_EXIT && tr->n_without == 0 && tr->unless == NULL)
        warn(ld, "no-exit", sc_node_get(tr->at, "reentry"),
             "trigger '%.*s' has no exit, neither `without` nor `unless`: `after exit` is as "
             "`once`",
             SC_STR_FMT(tr->name));
    if (!tr->service && tr->expires_ms > 0 && tr->expires_ms < ld->jo->guard.arbitration_ms)
        warn(ld, "expires-waiting", sc_node_get(tr->at, "expires"),
             "trigger '%.*s' expires while it waits for rivals (`arbitration`): alone it is never "
             "sent", SC_STR_FMT(tr->name));
    lint_channels(ld, tr, reached);
    lint_key(ld, doc, tr);
    if (tr->purposes.n > 0 && !tr->service && !has_role(ld->tx, SC_ROLE_CONSENT))
        warn(ld, "no-consent-event", tr->purposes.at[0],
             "no event of the taxonomy has `role: consent`: nobody can consent to '%.*s', and "
             "nothing will be sent", SC_STR_FMT(tr->purposes.v[0]));
}

/* ---- milestones, events, the whole */

static void lint_milestones(struct load *ld)
{
    for (uint32_t i = 0; i < ld->jo->n_milestones; ++i) {
        const struct sc_milestone *ms = &ld->jo->milestones[i];
        if (ms->overdue)
            continue;
        lint_constant(ld, ms->when, ms->at, "milestone");
        lint_equal(ld, ms->when, ms->at);
        if (ms->ladder_fact < 0)
            sc_diag_add(ld->dg, SC_NOTE, "milestone-time", load_mark(ms->at),
                        "the time of milestone '%.*s' is when it was seen to hold: events that come "
                        "late do not correct it (they do for seen(e), and count(e) >= n to n = 64)",
                        SC_STR_FMT(ms->name));
    }
}

/* Whether some source may send the event: one that reads the name from the record may send all. */
static bool can_come(const struct sc_taxonomy *tx, const struct sc_event_type *et)
{
    for (uint32_t i = 0; i < tx->n_sources; ++i) {
        const struct sc_source *so = &tx->sources[i];
        if (so->event.op != SC_MAP_CONST || sc_str_eq(sc_value_str(so->event.constant), et->name))
            return true;
    }
    return tx->n_sources == 0; /* a dictionary for files alone */
}

static void lint_events(struct load *ld)
{
    for (uint32_t e = 0; e < ld->tx->n_events; ++e) {
        const struct sc_event_type *et = &ld->tx->events[e];
        if (!can_come(ld->tx, et))
            warn(ld, "unsent-event", et->at, "no source sends event '%.*s'", SC_STR_FMT(et->name));
    }
}

void load_lint(struct load *ld)
{
    SC_ASSERT(ld->jo->by_event != NULL);
    uint64_t reached = reachable_stages(ld);
    SC_ASSERT(reached >> ld->jo->tracks[0].initial & 1);
    lint_stages(ld, reached);
    const struct doc_trigger *doc = ld->doc->triggers.v;
    for (uint32_t i = 0; i < ld->jo->n_triggers; ++i)
        lint_trigger(ld, &doc[i], &ld->jo->triggers[i], reached);
    for (uint32_t i = 0; i < ld->jo->n_personas; ++i)
        lint_constant(ld, ld->jo->personas[i].prog, ld->jo->personas[i].at, "persona");
    for (uint32_t i = 0; i < ld->jo->guard.n_hold_while; ++i)
        lint_constant(ld, ld->jo->guard.hold_while[i], ld->doc->guard.hold_while.at[i], "hold");
    lint_milestones(ld);
    lint_events(ld);
}
