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
