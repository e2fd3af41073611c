/* See outbound_row.h. */
#include "codec/outbound_row.h"

#include "base/assert.h"
#include "core/identity/identity.h"
#include "core/journey/state.h"
#include <jansson.h>
#include <stdlib.h>

#define COMMON                                                                                     \
    {"type", SC_OBT_STR, false, "What it is."},                                                    \
        {"at", SC_OBT_TIME, false, "Decision time."},                                              \
        {"event_at", SC_OBT_TIME, false, "Event time of what caused it."},                         \
        {"customer", SC_OBT_STR, false, "The customer's id."},                                     \
        {"stage", SC_OBT_STR, true, "The customer's stage when it was decided."},                  \
        {"rule", SC_OBT_STR, true, "Trigger, milestone, stage entered; namespaces that joined."},  \
        {"events", SC_OBT_STRS, false, "Ids of the events behind it."},                            \
        {"facts", SC_OBT_MAP, false, "Facts the rule saw, as JSON text by name."},                 \
        {"traceparent", SC_OBT_STR, true, "W3C trace context of the event."}
#define N_COMMON 9u

#define MESSAGE                                                                                    \
    {"id", SC_OBT_STR, false, "The occurrence's id: the same after any replay."},                  \
        {"channel", SC_OBT_STR, true, "The channel."},                                             \
        {"template_only", SC_OBT_BOOL, true, "Outside the channel's free-form window."},           \
        {"message", SC_OBT_STR, true, "The message to be sent."},                                  \
        {"purpose", SC_OBT_STRS, false, "Purposes the consent was asked for."},                    \
        {"priority", SC_OBT_INT, false, "0 to 100."},                                              \
        {"key", SC_OBT_STR, true, "The occurrence's key."},                                        \
        {"reason", SC_OBT_STR, true, "Why it was not sent."},                                      \
        {"until", SC_OBT_TIME, true, "Deferred to."},                                              \
        {"expires", SC_OBT_TIME, true, "Worth nothing after it."},                                 \
        {"context", SC_OBT_STR, true, "What the rule saw, a JSON object."},                        \
        {"gates", SC_OBT_MAP, false, "Each gate: passed or stopped, with its figures."},          \
        {"experiment", SC_OBT_STR, true, "The experiment that decides over it."},                  \
        {"arm", SC_OBT_STR, true, "The customer's arm in it; holdout: it gets nothing."}

static const struct sc_ob_field message_fields[] = {COMMON, MESSAGE};
static const struct sc_ob_field transition_fields[] = {
    COMMON,
    {"from", SC_OBT_STR, true, "Stage left."},
    {"to", SC_OBT_STR, true, "Stage entered."},
    {"cause", SC_OBT_STR, true, "rule, lapse, merge or config."},
    {"back", SC_OBT_BOOL, true, "It went back in the order of stages."},
    {"in_stage_ms", SC_OBT_INT, true, "Time in the stage left, milliseconds."},
    {"arms", SC_OBT_MAP, false, "The customer's arm in each experiment."},
    {"track", SC_OBT_STR, true, "The track the stages are of, where it has a name."},
};
static const struct sc_ob_field identity_fields[] = {
    COMMON,
    {"action", SC_OBT_STR, false, "attach, merge, return, split, violation or erase."},
    {"violation", SC_OBT_STR, true, "The rule that refused."},
    {"node", SC_OBT_STR, false, "The node it is about."},
    {"strong", SC_OBT_STR, true, "The stronger identifier of the pair."},
    {"weak", SC_OBT_STR, true, "The weaker one."},
    {"former_ids", SC_OBT_STRS, false, "Every id the customer ever had."},
    {"by", SC_OBT_STR, true, "Who asked for it, where a command did."},
    {"why", SC_OBT_STR, true, "In what words."},
    {"groups", SC_OBT_LISTS, false, "A merge: identifiers by the customer they came with."},
};
static const struct sc_ob_field customer_fields[] = {
    {"id", SC_OBT_STR, false, "The customer's id."},
    {"former_ids", SC_OBT_STRS, false, "Every id it ever had, absorbed customers' too."},
    {"members", SC_OBT_LISTS, false, "Identifiers' nodes by namespace."},
    {"stage", SC_OBT_STR, false, "The stage it is in."},
    {"milestones", SC_OBT_MAP, false, "When each was reached, RFC 3339."},
    {"facts", SC_OBT_MAP, false, "Facts as JSON text by name."},
    {"tracks", SC_OBT_MAP, false, "The stage in each track that has a name."},
    {"clv", SC_OBT_MAP, false, "Of a buyer, where analytics are on: frequency, recency and T in days, repeat_value."},
};

static const struct sc_ob_field analytics_fields[] = {
    {"type", SC_OBT_STR, false, "analytics."},
    {"metric", SC_OBT_STR, false, "What is measured."},
    {"window_start", SC_OBT_TIME, false, "The window: from here on."},
    {"window_end", SC_OBT_TIME, false, "Up to here, this instant not in it."},
    {"key", SC_OBT_MAP, false, "Stage, channel, trigger, …: text by name."},
    {"count", SC_OBT_INT, false, "What is added to the cell; negative: taken back."},
    {"sum", SC_OBT_NUMBER, true, "The same of what the metric adds up, exact."},
    {"unit", SC_OBT_STR, true, "Of the sum."},
};

#define TABLE(title, what, list) {title, what, list, sizeof(list) / sizeof(list[0])}
static const struct sc_ob_table tables[SC_OB_COUNT] = {
    [SC_OB_TRIGGER] = TABLE("Trigger", "A message to be sent, or withdrawn.", message_fields),
    [SC_OB_SUPPRESSED] = TABLE("Suppressed", "A message not sent, and why.", message_fields),
    [SC_OB_TRANSITION] = TABLE("Transition", "A stage entered, or a milestone reached.",
                               transition_fields),
    [SC_OB_IDENTITY] = TABLE("Identity", "What was joined, refused, split or erased.",
                             identity_fields),
    [SC_OB_CUSTOMER] = TABLE("Customer", "A customer's last state.", customer_fields),
    [SC_OB_ANALYTICS] = TABLE("Analytics", "What a transaction adds to one cell: sum them up.",
                              analytics_fields),
};

const struct sc_ob_table *sc_ob_table(enum sc_outbound kind)
{
    SC_ASSERT(kind < SC_OB_COUNT);
    return &tables[kind];
}

/* ---- cells */

static struct sc_ob_cell str_cell(struct sc_str s)
{
    return (struct sc_ob_cell){.set = s.len > 0, .str = s};
}

static struct sc_ob_cell strz_cell(const char *z)
{
    return str_cell(sc_str_from(z));
}

static struct sc_ob_cell time_cell(int64_t ms, bool set)
{
    return (struct sc_ob_cell){.set = set, .i = ms};
}

static struct sc_ob_cell int_cell(int64_t i)
{
    return (struct sc_ob_cell){.set = true, .i = i};
}

static struct sc_ob_cell strs_cell(const struct sc_str *v, uint32_t n)
{
    return (struct sc_ob_cell){.set = true, .list = v, .n = n};
}

static struct sc_str hex(const uint8_t b[16], struct sc_arena *ar)
{
    struct sc_node_id node;
    char *text = sc_arena_alloc(ar, 32);
    memcpy(node.b, b, 16);
    sc_node_hex(&node, text);
    return (struct sc_str){text, 32};
}

static struct sc_str json_text(struct sc_value v, struct sc_arena *ar)
{
    struct sc_buf b = {0};
    struct sc_jsonw w;
    sc_jsonw_init(&w, &b);
    sc_value_json(v, &w);
    struct sc_str text = sc_str_dup(ar, sc_buf_view(&b));
    sc_buf_fini(&b);
    return text;
}

static struct sc_ob_cell facts_cell(const struct sc_effect *fx, struct sc_arena *ar)
{
    struct sc_ob_pair *pairs = SC_NEW_N(ar, struct sc_ob_pair, fx->n_facts + 1);
    for (uint32_t i = 0; i < fx->n_facts; i++) {
        pairs[i].name = fx->fact_names[i];
        pairs[i].value = json_text(fx->fact_values[i], ar);
    }
    return (struct sc_ob_cell){.set = true, .pairs = pairs, .n = fx->n_facts};
}

static struct sc_ob_cell gates_cell(const struct sc_effect *fx, struct sc_arena *ar)
{
    struct sc_ob_pair *pairs = SC_NEW_N(ar, struct sc_ob_pair, fx->n_gates + 1);
    for (uint32_t i = 0; i < fx->n_gates; i++) {
        pairs[i].name = sc_str_from(sc_reason_name(fx->gates[i].gate));
        pairs[i].value = sc_str_printf(ar, "%s%s%.*s", fx->gates[i].passed ? "passed" : "stopped",
                                       fx->gates[i].text.len ? ": " : "",
                                       SC_STR_FMT(fx->gates[i].text));
    }
    return (struct sc_ob_cell){.set = true, .pairs = pairs, .n = fx->n_gates};
}

static void common_cells(const struct sc_journey *jo, const struct sc_effect *fx,
                         struct sc_arena *ar, struct sc_ob_cell *out)
{
    out[0] = strz_cell(sc_effect_type_name((enum sc_effect_type)fx->type));
    out[1] = time_cell(fx->at_ms, true);
    out[2] = time_cell(fx->event_ms, true);
    out[3] = str_cell(hex(fx->customer.b, ar));
    out[4] = str_cell(fx->stage >= 0 ? jo->stages[fx->stage].name : SC_STR_NULL);
    out[5] = str_cell(fx->rule);
    out[6] = strs_cell(fx->events, fx->n_events);
    out[7] = facts_cell(fx, ar);
    out[8] = str_cell(fx->traceparent);
}

static void message_cells(const struct sc_journey *jo, const struct sc_effect *fx,
                          struct sc_arena *ar, struct sc_ob_cell *out)
{
    const struct sc_trigger *tr = &jo->triggers[fx->trigger];
    const struct sc_channel *ch = fx->channel >= 0 ? &jo->channels[fx->channel] : NULL;
    out[0] = str_cell(hex(fx->id, ar));
    out[1] = str_cell(ch ? ch->name : SC_STR_NULL);
    out[2] = (struct sc_ob_cell){.set = ch && ch->window_ms > 0, .i = fx->template_only};
    out[3] = str_cell(sc_effect_message(jo, fx));
    out[4] = strs_cell(tr->purposes.v, tr->purposes.n);
    out[5] = int_cell(tr->priority);
    out[6] = str_cell(fx->key);
    out[7] = fx->reason != SC_REASON_NONE ? strz_cell(sc_reason_name(fx->reason))
                                          : str_cell(SC_STR_NULL);
    out[8] = time_cell(fx->until_ms, fx->type == SC_FX_DEFERRED);
    out[9] = time_cell(fx->expires_ms, fx->expires_ms != SC_NO_DUE);
    out[10] = str_cell(fx->context);
    out[11] = gates_cell(fx, ar);
    if (fx->experiment < 0)
        return;
    const struct sc_experiment *ex = &jo->experiments[fx->experiment];
    out[12] = str_cell(ex->name);
    out[13] = str_cell(sc_experiment_arm_name(ex, fx->arm));
}

static struct sc_ob_cell arms_cell(const struct sc_journey *jo, const struct sc_effect *fx,
                                   struct sc_arena *ar)
{
    uint32_t n = fx->arms ? jo->n_experiments : 0;
    struct sc_ob_pair *pairs = SC_NEW_N(ar, struct sc_ob_pair, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        pairs[i].name = jo->experiments[i].name;
        pairs[i].value = sc_experiment_arm_name(&jo->experiments[i], fx->arms[i]);
    }
    return (struct sc_ob_cell){.set = true, .pairs = pairs, .n = n};
}

static void transition_cells(const struct sc_journey *jo, const struct sc_effect *fx,
                             struct sc_arena *ar, struct sc_ob_cell *out)
{
    out[5] = arms_cell(jo, fx, ar);
    if (fx->type != SC_FX_TRANSITION)
        return; /* a milestone has none of the rest */
    out[0] = str_cell(fx->from >= 0 ? jo->stages[fx->from].name : SC_STR_NULL);
    out[1] = str_cell(jo->stages[fx->to].name);
    out[2] = strz_cell(sc_cause_name((enum sc_cause)fx->cause));
    out[3] = int_cell(fx->back);
    out[4] = int_cell(fx->in_stage_ms);
    out[6] = str_cell(jo->tracks[jo->stages[fx->to].track].name);
}

static struct sc_ob_pair group_pair(const struct sc_effect *fx, const struct sc_node_id *id,
                                    const struct sc_node_id *group, struct sc_arena *ar)
{
    struct sc_str *list = SC_NEW_N(ar, struct sc_str, fx->n_members + 1);
    struct sc_ob_pair pair = {.name = hex(id->b, ar), .list = list};
    for (uint32_t i = 0; i < fx->n_members; i++)
        if (sc_node_eq(&fx->members[i].group, group))
            list[pair.n++] = hex(fx->members[i].node.b, ar);
    return pair;
}

static struct sc_ob_cell groups_cell(const struct sc_effect *fx, struct sc_arena *ar)
{
    struct sc_ob_pair *pairs = SC_NEW_N(ar, struct sc_ob_pair, fx->n_former + 2);
    struct sc_ob_cell cell = {.set = true, .pairs = pairs};
    if (fx->n_members == 0)
        return cell;
    pairs[cell.n++] = group_pair(fx, &fx->customer, &(struct sc_node_id){0}, ar);
    for (uint32_t i = 0; i < fx->n_former; i++)
        pairs[cell.n++] = group_pair(fx, &fx->former[i], &fx->former[i], ar);
    return cell;
}

static void identity_cells(const struct sc_effect *fx, struct sc_arena *ar,
                           struct sc_ob_cell *out)
{
    bool linked = !sc_node_none(&fx->link.strong);
    struct sc_str *former = SC_NEW_N(ar, struct sc_str, fx->n_former + 1);
    for (uint32_t i = 0; i < fx->n_former; i++)
        former[i] = hex(fx->former[i].b, ar);
    out[0] = strz_cell(sc_identity_action_name((enum sc_identity_action)fx->action));
    out[1] = fx->violation ? strz_cell(sc_violation_name((enum sc_violation)fx->violation))
                           : str_cell(SC_STR_NULL);
    out[2] = str_cell(hex(fx->node.b, ar));
    out[3] = str_cell(linked ? hex(fx->link.strong.b, ar) : SC_STR_NULL);
    out[4] = str_cell(linked ? hex(fx->link.weak.b, ar) : SC_STR_NULL);
    out[5] = strs_cell(former, fx->n_former);
    out[6] = str_cell(fx->by);
    out[7] = str_cell(fx->why);
    out[8] = groups_cell(fx, ar);
}

void sc_ob_row(const struct sc_journey *jo, const struct sc_effect *fx, struct sc_arena *ar,
               struct sc_ob_cell out[SC_OB_FIELDS_MAX])
{
    memset(out, 0, sizeof(*out) * SC_OB_FIELDS_MAX);
    common_cells(jo, fx, ar, out);
    switch (sc_outbound_kind(fx)) {
    case SC_OB_TRIGGER:
    case SC_OB_SUPPRESSED:
        message_cells(jo, fx, ar, out + N_COMMON);
        break;
    case SC_OB_TRANSITION:
        transition_cells(jo, fx, ar, out + N_COMMON);
        break;
    case SC_OB_IDENTITY:
        identity_cells(fx, ar, out + N_COMMON);
        break;
    case SC_OB_CUSTOMER:
    case SC_OB_ANALYTICS:
    case SC_OB_COUNT:
        SC_UNREACHABLE("no effect's kind");
    }
}

static struct sc_ob_cell keys_cell(const struct sc_journey *jo, const struct sc_cell *cell,
                                   struct sc_arena *ar)
{
    const struct sc_metric_info *mi = sc_metric_info((enum sc_metric)cell->metric);
    struct sc_ob_pair *pairs = SC_NEW_N(ar, struct sc_ob_pair, SC_KEYS_MAX);
    uint32_t n = 0;
    for (int k = 0; k < SC_KEYS_MAX && mi->keys[k] != SC_KEY_NONE; k++) {
        struct sc_str text = sc_key_text(jo, mi->keys[k], cell->keys[k], ar);
        if (text.len)
            pairs[n++] = (struct sc_ob_pair){.name = sc_str_from(sc_key_name(mi->keys[k])),
                                             .value = text};
    }
    return (struct sc_ob_cell){.set = true, .pairs = pairs, .n = n};
}

void sc_ob_cell_row(const struct sc_journey *jo, const struct sc_cell *cell, struct sc_arena *ar,
                    struct sc_ob_cell out[SC_OB_FIELDS_MAX])
{
    const struct sc_metric_info *mi = sc_metric_info((enum sc_metric)cell->metric);
    bool adds = mi->sum != SC_SUM_NONE;
    memset(out, 0, sizeof(*out) * SC_OB_FIELDS_MAX);
    out[0] = strz_cell("analytics");
    out[1] = strz_cell(mi->name);
    out[2] = time_cell(cell->start_ms, true);
    out[3] = time_cell(cell->start_ms + sc_window_length(mi->window), true);
    out[4] = keys_cell(jo, cell, ar);
    out[5] = int_cell(cell->count);
    out[6] = str_cell(adds ? sc_sum_text(jo, cell, ar) : SC_STR_NULL);
    out[7] = str_cell(adds ? sc_str_from(sc_sum_name(mi->sum)) : SC_STR_NULL);
}

/* ---- customers: from their JSON line, off the hot path */

static struct sc_str dup_json(const json_t *v, struct sc_arena *ar)
{
    if (json_is_string(v))
        return sc_str_dup(ar, (struct sc_str){json_string_value(v), json_string_length(v)});
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17));
    struct sc_str s = sc_str_dup(ar, sc_str_from(text));
    free(text);
    return s;
}

static struct sc_ob_cell list_cell(const json_t *v, struct sc_arena *ar)
{
    size_t n = json_array_size(v);
    struct sc_str *list = SC_NEW_N(ar, struct sc_str, n + 1);
    for (size_t i = 0; i < n; i++)
        list[i] = dup_json(json_array_get(v, i), ar);
    return strs_cell(list, (uint32_t)n);
}

static struct sc_ob_cell object_cell(json_t *v, struct sc_arena *ar)
{
    struct sc_ob_pair *pairs = SC_NEW_N(ar, struct sc_ob_pair, json_object_size(v) + 1);
    struct sc_ob_cell cell = {.set = true, .pairs = pairs};
    const char *name;
    json_t *value;
    json_object_foreach(v, name, value)
    {
        struct sc_ob_pair *p = &pairs[cell.n++];
        p->name = sc_str_dup(ar, sc_str_from(name));
        if (json_is_array(value)) {
            struct sc_ob_cell list = list_cell(value, ar);
            p->list = list.list;
            p->n = list.n;
        } else {
            p->value = dup_json(value, ar);
        }
    }
    return cell;
}

bool sc_ob_customer_row(struct sc_str line, struct sc_arena *ar,
                        struct sc_ob_cell out[SC_OB_FIELDS_MAX])
{
    const struct sc_ob_table *t = sc_ob_table(SC_OB_CUSTOMER);
    json_t *doc = json_loadb(line.p, line.len, 0, NULL);
    memset(out, 0, sizeof(*out) * SC_OB_FIELDS_MAX);
    for (uint32_t i = 0; doc && i < t->n; i++) {
        json_t *v = json_object_get(doc, t->fields[i].name);
        if (json_is_array(v))
            out[i] = list_cell(v, ar);
        else if (json_is_object(v))
            out[i] = object_cell(v, ar);
        else if (v)
            out[i] = str_cell(dup_json(v, ar));
    }
    bool fine = doc != NULL;
    json_decref(doc);
    return fine;
}
