/* See explain_story.h. */
#include "cli/explain_story.h"

#include "base/assert.h"
#include "core/identity/identity.h"

#define INDENT 10       /* the columns of core/journey/trace.c */
#define WHAT_WIDTH 33
#define DETAIL_WIDTH 18

struct story {
    const struct sc_journey *jo;
    sc_reveal_fn *reveal;
    void *reveal_arg;
    struct sc_buf *out;
};

static void pad(struct sc_buf *out, size_t from, size_t width)
{
    while (out->len - from < width)
        sc_buf_char(out, ' ');
}

/* `email:ann@example.org`, or `email:1f0c22ab`. */
static void put_node(const struct story *s, const struct sc_node_id *node)
{
    uint8_t rank = sc_node_rank(node);
    char hex[32];
    SC_ASSERT(rank >= 1 && rank <= s->jo->tx->n_namespaces);
    sc_node_hex(node, hex);
    struct sc_str raw = s->reveal ? s->reveal(s->reveal_arg, node) : SC_STR_NULL;
    sc_buf_addf(s->out, "%.*s:", SC_STR_FMT(s->jo->tx->namespaces[rank - 1].name));
    sc_buf_str(s->out, raw.len > 0 ? raw : (struct sc_str){hex + 2, 8});
}

static void put_identity(const struct story *s, const struct sc_effect *fx)
{
    bool linked = !sc_node_none(&fx->link.strong);
    size_t at = s->out->len;
    sc_buf_addz(s->out, "  link    ");
    put_node(s, linked ? &fx->link.strong : &fx->customer);
    if (linked || !sc_node_eq(&fx->node, &fx->customer)) {
        sc_buf_addz(s->out, " ~ ");
        put_node(s, linked ? &fx->link.weak : &fx->node);
    }
    pad(s->out, at, INDENT + WHAT_WIDTH);
    sc_buf_char(s->out, ' ');
    at = s->out->len;
    for (uint32_t i = 0; i < fx->n_events; ++i)
        sc_buf_addf(s->out, "%s%.*s", i ? "," : "by event ", SC_STR_FMT(fx->events[i]));
    pad(s->out, at, DETAIL_WIDTH);
    sc_buf_addf(s->out, " -> %s", sc_identity_action_name((enum sc_identity_action)fx->action));
    if (fx->violation != SC_VIOLATION_NONE)
        sc_buf_addf(s->out, ": %s", sc_violation_name((enum sc_violation)fx->violation));
    sc_buf_char(s->out, '\n');
}

void sc_story_effect(const struct sc_journey *jo, const struct sc_effect *fx, sc_reveal_fn *reveal,
                     void *reveal_arg, struct sc_buf *out)
{
    const struct story s = {jo, reveal, reveal_arg, out};
    SC_ASSERT(jo != NULL && out != NULL);
    switch ((enum sc_effect_type)fx->type) {
    case SC_FX_MERGED:
    case SC_FX_IDENTITY:
        put_identity(&s, fx);
        return;
    case SC_FX_CANCELLED:
        sc_buf_addf(out, "  guard   %-33.*s %-18s -> cancelled\n", SC_STR_FMT(fx->rule), "");
        return;
    case SC_FX_TRIGGER:
    case SC_FX_SUPPRESSED:
    case SC_FX_DEFERRED:
    case SC_FX_TRANSITION:
    case SC_FX_MILESTONE:
        return; /* the trace has them */
    }
    SC_UNREACHABLE("effect type");
}

/* ---- a customer as it stands */

static void customer_node(const struct story *s, const struct sc_member *member)
{
    char hex[32], when[32];
    struct sc_str raw = s->reveal ? s->reveal(s->reveal_arg, &member->node) : SC_STR_NULL;
    const struct sc_namespace *ns = &s->jo->tx->namespaces[sc_node_rank(&member->node) - 1];
    sc_node_hex(&member->node, hex);
    sc_buf_addf(s->out, "  %-12.*s ", SC_STR_FMT(ns->name));
    sc_buf_str(s->out, raw.len ? raw : (struct sc_str){hex, 32});
    if (member->evidence.len > 0)
        sc_buf_addf(s->out, "  by event %.*s, %.*s", SC_STR_FMT(member->evidence),
                    (int)sc_time_format(member->linked_ms, when), when);
    sc_buf_char(s->out, '\n');
}

static struct sc_str timer_name(const struct sc_journey *jo, const struct sc_timer *tm)
{
    bool stage = tm->kind == SC_TIMER_LAPSE || tm->kind == SC_TIMER_OVERDUE;
    return stage ? jo->stages[tm->rule].name : jo->triggers[tm->rule].name;
}

/* What can still happen without another event. */
static void customer_waiting(const struct story *s, const struct sc_state *st)
{
    static const char *const kinds[] = {[SC_TIMER_SILENCE] = "trigger", [SC_TIMER_LAPSE] = "lapse",
                                        [SC_TIMER_OVERDUE] = "target of",
                                        [SC_TIMER_DEFERRED] = "deferred",
                                        [SC_TIMER_RIVAL] = "for rivals",
                                        [SC_TIMER_SENT] = "", [SC_TIMER_MOMENT] = ""};
    for (uint32_t i = 0; i < st->timers.n; ++i) {
        const struct sc_timer *tm = &st->timers.v[i];
        char due[32];
        if (sc_timer_wakes(tm))
            sc_buf_addf(s->out, "waiting: %s %.*s, due %.*s\n", kinds[tm->kind],
                        SC_STR_FMT(timer_name(s->jo, tm)), (int)sc_time_format(tm->due_ms, due),
                        due);
    }
}

void sc_story_customer(const struct sc_journey *jo, const struct sc_state *st, sc_reveal_fn *reveal,
                       void *reveal_arg, struct sc_buf *out)
{
    const struct story s = {jo, reveal, reveal_arg, out};
    char hex[32], since[32];
    SC_ASSERT(jo != NULL && st != NULL);
    sc_node_hex(&st->node, hex);
    sc_buf_addf(out, "customer %.32s: %llu events", hex, (unsigned long long)st->n_events);
    for (uint32_t t = 0; t < jo->n_tracks; ++t)
        if (st->place[t].stage_ms != SC_NEVER)
            sc_buf_addf(out, ", in stage %.*s since %.*s",
                        SC_STR_FMT(jo->stages[st->place[t].stage].name),
                        (int)sc_time_format(st->place[t].stage_ms, since), since);
    sc_buf_char(out, '\n');
    for (uint32_t i = 0; i < st->members.n; ++i)
        customer_node(&s, &st->members.v[i]);
    customer_waiting(&s, st);
}
