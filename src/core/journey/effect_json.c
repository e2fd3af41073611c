/* An effect as one JSON object. Field order is fixed; a field without a value is left out:
 *
 *   type at event_at customer stage rule events
 *   trigger, suppressed, deferred, cancelled: id channel template_only message purpose priority key
 *     reason until expires context gates experiment arm
 *   transition: from to track cause back in_stage_ms; milestone too: arms
 *   merged, identity: action violation node strong weak by why former_ids groups
 *   facts late_timer traceparent
 *
 * Times are RFC 3339 in UTC, customers, nodes and ids 32 hex digits. Source: semantics 40. */
#include "core/journey/run.h"

#include "base/assert.h"
#include "base/time.h"
#include "core/identity/identity.h"

#define LINE_BYTES 1024u

const char *sc_effect_type_name(enum sc_effect_type type)
{
    switch (type) {
    case SC_FX_TRIGGER:
        return "trigger";
    case SC_FX_SUPPRESSED:
        return "suppressed";
    case SC_FX_DEFERRED:
        return "deferred";
    case SC_FX_CANCELLED:
        return "cancelled";
    case SC_FX_TRANSITION:
        return "transition";
    case SC_FX_MILESTONE:
        return "milestone";
    case SC_FX_MERGED:
        return "merged";
    case SC_FX_IDENTITY:
        return "identity";
    }
    SC_UNREACHABLE("effect type");
}

const char *sc_identity_action_name(enum sc_identity_action action)
{
    switch (action) {
    case SC_ID_ATTACH:
        return "attach";
    case SC_ID_MERGE:
        return "merge";
    case SC_ID_RETURN:
        return "return";
    case SC_ID_SPLIT:
        return "split";
    case SC_ID_VIOLATION:
        return "violation";
    case SC_ID_ERASE:
        return "erase";
    }
    SC_UNREACHABLE("identity action");
}

/* Text of our own as it stands, several pieces of JSON at once: what most lines are made of. */
#define put_text(w, literal) sc_buf_add((w)->out, "" literal "", sizeof(literal) - 1)

static inline void put_word(struct sc_jsonw *w, const char *z)
{
    sc_buf_add(w->out, z, strlen(z));
}

static inline void key_hex(struct sc_jsonw *w, const char *key, const uint8_t bytes[16])
{
    sc_jsonw_keyz(w, key);
    sc_jsonw_hex(w, bytes);
}

static inline void key_str(struct sc_jsonw *w, const char *key, struct sc_str s)
{
    if (s.len == 0)
        return;
    sc_jsonw_keyz(w, key);
    sc_jsonw_str(w, s);
}

static inline void key_time(struct sc_jsonw *w, const char *key, int64_t ms)
{
    sc_jsonw_keyz(w, key);
    sc_jsonw_time(w, ms);
}

/* When it was decided, and when it happened: most often the same, and put into words once. */
static void put_times(struct sc_jsonw *w, const struct sc_effect *fx)
{
    char at[32], event_at[32];
    size_t n = sc_time_format(fx->at_ms, at), m = n;
    const char *happened = at;
    if (fx->event_ms != fx->at_ms) {
        m = sc_time_format(fx->event_ms, event_at);
        happened = event_at;
    }
    put_text(w, ",\"at\":\"");
    sc_buf_add(w->out, at, n);
    put_text(w, "\",\"event_at\":\"");
    sc_buf_add(w->out, happened, m);
    put_text(w, "\"");
}

static void put_strs(struct sc_jsonw *w, const char *key, const struct sc_str *v, uint32_t n)
{
    sc_jsonw_keyz(w, key);
    sc_jsonw_arr(w);
    for (uint32_t i = 0; i < n; i++)
        sc_jsonw_str(w, v[i]);
    sc_jsonw_arr_end(w);
}

static void put_gates(struct sc_jsonw *w, const struct sc_effect *fx)
{
    sc_jsonw_keyz(w, "gates");
    sc_jsonw_arr(w);
    for (uint32_t i = 0; i < fx->n_gates; i++) {
        const struct sc_gate *gate = &fx->gates[i];
        if (i > 0)
            put_text(w, ",");
        put_text(w, "{\"gate\":\"");
        put_word(w, sc_reason_name(gate->gate));
        if (gate->passed)
            put_text(w, "\",\"passed\":true");
        else
            put_text(w, "\",\"passed\":false");
        key_str(w, "text", gate->text);
        put_text(w, "}");
    }
    sc_jsonw_arr_end(w);
}

static void put_message(const struct sc_journey *jo, struct sc_jsonw *w,
                        const struct sc_effect *fx)
{
    SC_ASSERT(fx->trigger >= 0 && (uint32_t)fx->trigger < jo->n_triggers);
    const struct sc_trigger *tr = &jo->triggers[fx->trigger];
    key_hex(w, "id", fx->id);
    if (fx->channel >= 0)
        key_str(w, "channel", jo->channels[fx->channel].name);
    if (fx->channel >= 0 && jo->channels[fx->channel].window_ms > 0) {
        sc_jsonw_keyz(w, "template_only");
        sc_jsonw_bool(w, fx->template_only);
    }
    key_str(w, "message", sc_effect_message(jo, fx));
    if (tr->purposes.n > 0)
        put_strs(w, "purpose", tr->purposes.v, tr->purposes.n);
    sc_jsonw_keyz(w, "priority");
    sc_jsonw_int(w, tr->priority);
    key_str(w, "key", fx->key);
    if (fx->reason != SC_REASON_NONE) {
        sc_jsonw_keyz(w, "reason");
        sc_jsonw_word(w, sc_reason_name(fx->reason));
    }
    if (fx->type == SC_FX_DEFERRED)
        key_time(w, "until", fx->until_ms);
    if (fx->expires_ms != SC_NO_DUE)
        key_time(w, "expires", fx->expires_ms);
    if (fx->context.len > 0) {
        sc_jsonw_keyz(w, "context");
        sc_jsonw_raw(w, fx->context);
    }
    if (fx->n_gates > 0)
        put_gates(w, fx);
    if (fx->experiment < 0)
        return;
    const struct sc_experiment *ex = &jo->experiments[fx->experiment];
    key_str(w, "experiment", ex->name);
    key_str(w, "arm", sc_experiment_arm_name(ex, fx->arm));
}

static void put_arms(const struct sc_journey *jo, struct sc_jsonw *w, const struct sc_effect *fx)
{
    if (fx->arms == NULL)
        return;
    SC_ASSERT(jo->n_experiments > 0);
    sc_jsonw_keyz(w, "arms");
    sc_jsonw_obj(w);
    for (uint32_t i = 0; i < jo->n_experiments; i++) {
        sc_jsonw_key(w, jo->experiments[i].name);
        sc_jsonw_str(w, sc_experiment_arm_name(&jo->experiments[i], fx->arms[i]));
    }
    sc_jsonw_obj_end(w);
}

static void put_transition(const struct sc_journey *jo, struct sc_jsonw *w,
                           const struct sc_effect *fx)
{
    SC_ASSERT(fx->to >= 0 && (uint32_t)fx->to < jo->n_stages);
    if (fx->from >= 0) /* else a stage that this journey has no more */
        key_str(w, "from", jo->stages[fx->from].name);
    key_str(w, "to", jo->stages[fx->to].name);
    key_str(w, "track", jo->tracks[jo->stages[fx->to].track].name);
    sc_jsonw_keyz(w, "cause");
    sc_jsonw_word(w, sc_cause_name((enum sc_cause)fx->cause));
    sc_jsonw_keyz(w, "back");
    sc_jsonw_bool(w, fx->back);
    sc_jsonw_keyz(w, "in_stage_ms");
    sc_jsonw_int(w, fx->in_stage_ms);
}

/* Who came with whom: the customer's own identifiers, then those of each it absorbed. */
static void put_group(struct sc_jsonw *w, const struct sc_effect *fx, const struct sc_node_id *id,
                      const struct sc_node_id *group)
{
    char hex[32];
    sc_node_hex(id, hex);
    sc_jsonw_key(w, (struct sc_str){hex, sizeof(hex)});
    sc_jsonw_arr(w);
    for (uint32_t i = 0; i < fx->n_members; i++)
        if (sc_node_eq(&fx->members[i].group, group))
            sc_jsonw_hex(w, fx->members[i].node.b);
    sc_jsonw_arr_end(w);
}

static void put_groups(struct sc_jsonw *w, const struct sc_effect *fx)
{
    if (fx->n_members == 0)
        return;
    SC_ASSERT(fx->members != NULL);
    sc_jsonw_keyz(w, "groups");
    sc_jsonw_obj(w);
    put_group(w, fx, &fx->customer, &(struct sc_node_id){0});
    for (uint32_t i = 0; i < fx->n_former; i++)
        put_group(w, fx, &fx->former[i], &fx->former[i]);
    sc_jsonw_obj_end(w);
}

static void put_identity(struct sc_jsonw *w, const struct sc_effect *fx)
{
    sc_jsonw_keyz(w, "action");
    sc_jsonw_word(w, sc_identity_action_name(fx->action));
    if (fx->violation != SC_VIOLATION_NONE) {
        sc_jsonw_keyz(w, "violation");
        sc_jsonw_word(w, sc_violation_name(fx->violation));
    }
    key_hex(w, "node", fx->node.b);
    if (!sc_node_none(&fx->link.strong)) {
        key_hex(w, "strong", fx->link.strong.b);
        key_hex(w, "weak", fx->link.weak.b);
    }
    key_str(w, "by", fx->by);
    key_str(w, "why", fx->why);
    if (fx->n_former == 0)
        return;
    sc_jsonw_keyz(w, "former_ids");
    sc_jsonw_arr(w);
    for (uint32_t i = 0; i < fx->n_former; i++)
        sc_jsonw_hex(w, fx->former[i].b);
    sc_jsonw_arr_end(w);
    put_groups(w, fx);
}

static void put_rest(struct sc_jsonw *w, const struct sc_effect *fx)
{
    if (fx->n_facts > 0) {
        sc_jsonw_keyz(w, "facts");
        sc_jsonw_obj(w);
        for (uint32_t i = 0; i < fx->n_facts; i++) {
            sc_jsonw_key(w, fx->fact_names[i]);
            sc_value_json(fx->fact_values[i], w);
        }
        sc_jsonw_obj_end(w);
    }
    if (fx->tagged_late) {
        sc_jsonw_keyz(w, "late_timer");
        sc_jsonw_bool(w, true);
    }
    key_str(w, "traceparent", fx->traceparent);
}

void sc_effect_json(const struct sc_journey *jo, const struct sc_effect *fx, struct sc_buf *out)
{
    struct sc_jsonw w;
    sc_jsonw_init(&w, out);
    sc_buf_reserve(out, LINE_BYTES); /* most fit, and grow no more */
    sc_jsonw_obj(&w);
    put_text(&w, "\"type\":\"");
    put_word(&w, sc_effect_type_name(fx->type));
    put_text(&w, "\"");
    put_times(&w, fx);
    key_hex(&w, "customer", fx->customer.b);
    if (fx->stage >= 0)
        key_str(&w, "stage", jo->stages[fx->stage].name);
    key_str(&w, "rule", fx->rule);
    put_strs(&w, "events", fx->events, fx->n_events);
    switch ((enum sc_effect_type)fx->type) {
    case SC_FX_TRIGGER:
    case SC_FX_SUPPRESSED:
    case SC_FX_DEFERRED:
    case SC_FX_CANCELLED:
        put_message(jo, &w, fx);
        break;
    case SC_FX_TRANSITION:
        put_transition(jo, &w, fx);
        put_arms(jo, &w, fx);
        break;
    case SC_FX_MILESTONE:
        put_arms(jo, &w, fx);
        break;
    case SC_FX_MERGED:
    case SC_FX_IDENTITY:
        put_identity(&w, fx);
        break;
    }
    put_rest(&w, fx);
    sc_jsonw_obj_end(&w);
}
