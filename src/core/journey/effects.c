/* Effects as data: what all types share, names of reasons, ids of triggers. */
#include "core/journey/run.h"

#include "base/assert.h"
#include "base/hash.h"

void sc_effects_init(struct sc_effects *fx, struct sc_arena *ar)
{
    *fx = (struct sc_effects){.ar = ar};
}

void sc_effects_clear(struct sc_effects *fx)
{
    SC_ASSERT(fx->ar != NULL);
    *fx = (struct sc_effects){.ar = fx->ar, .trace = fx->trace};
}

const char *sc_reason_name(enum sc_reason r)
{
    static const char *const names[] = {
#define SC_REASON_NAME(name, text) [SC_REASON_##name] = #name,
        SC_REASON_TABLE(SC_REASON_NAME)
#undef SC_REASON_NAME
    };
    SC_ASSERT(r < SC_REASON_COUNT);
    return names[r];
}

const char *sc_reason_text(enum sc_reason r)
{
    static const char *const texts[] = {
#define SC_REASON_TEXT(name, text) [SC_REASON_##name] = text,
        SC_REASON_TABLE(SC_REASON_TEXT)
#undef SC_REASON_TEXT
    };
    SC_ASSERT(r < SC_REASON_COUNT);
    return texts[r];
}

const char *sc_cause_name(enum sc_cause cause)
{
    switch (cause) {
    case SC_CAUSE_RULE:
        return "rule";
    case SC_CAUSE_LAPSE:
        return "lapse";
    case SC_CAUSE_MERGE:
        return "merge";
    case SC_CAUSE_CONFIG:
        return "config";
    }
    SC_UNREACHABLE("cause of a transition");
}

const char *sc_violation_name(enum sc_violation v)
{
    switch (v) {
    case SC_VIOLATION_NONE:
        return "none";
    case SC_VIOLATION_UNIQUE:
        return "unique";
    case SC_VIOLATION_LIMIT:
        return "limit";
    case SC_VIOLATION_AMBIGUOUS:
        return "ambiguous";
    case SC_VIOLATION_MERGES:
        return "merges";
    case SC_VIOLATION_IDENTIFIERS:
        return "identifiers";
    case SC_VIOLATION_MUST_NOT:
        return "must_not";
    case SC_VIOLATION_HOPS:
        return "hops";
    }
    SC_UNREACHABLE("violation");
}

static void put(uint8_t *to, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

void sc_trigger_id(const struct sc_journey *jo, uint16_t trigger, const struct sc_node_id *customer,
                   uint64_t start_id, struct sc_str key, uint8_t out[16])
{
    SC_ASSERT(trigger < jo->n_triggers);
    SC_ASSERT(!sc_node_none(customer));
    uint8_t text[40]; /* little-endian, so that the id is the same on every machine */
    put(text, jo->hash, 4);
    put(text + 4, jo->triggers[trigger].hash, 4);
    memcpy(text + 8, customer->b, 16);
    put(text + 24, start_id, 8);
    put(text + 32, sc_hash_xxh3(key.p, key.len, key.len > 0), 8);
    sc_hash_xxh3_128(text, sizeof(text), out);
}

struct sc_effect *sc_effect_add(struct sc_run *rn, enum sc_effect_type type, struct sc_str rule)
{
    SC_ASSERT(rn->at_ms != SC_NEVER);
    struct sc_effect *fx = SC_VEC_ADD(rn->fx->ar, &rn->fx->items);
    fx->type = (uint8_t)type;
    fx->at_ms = rn->decision_ms;
    fx->event_ms = rn->at_ms;
    fx->customer = rn->st->node;
    fx->rule = rule;
    fx->trigger = fx->from = fx->to = -1;
    fx->channel = -1;
    fx->experiment = -1;
    fx->arm = SC_ARM_NONE;
    fx->events = rn->events;
    fx->n_events = rn->n_events;
    fx->expires_ms = SC_NO_DUE;
    fx->stage = rn->st->place[0].stage;
    fx->tagged_late = rn->tagged_late;
    return fx;
}

void sc_effect_facts(struct sc_run *rn, struct sc_effect *fx, const struct sc_prog *prog)
{
    const struct sc_rule_info *info = sc_rule_info(prog);
    SC_ASSERT(info->n_facts == 0 || info->facts != NULL);
    struct sc_str *names = SC_NEW_N(rn->fx->ar, struct sc_str, info->n_facts + 1);
    struct sc_value *values = SC_NEW_N(rn->fx->ar, struct sc_value, info->n_facts + 1);
    for (uint32_t i = 0; i < info->n_facts; i++) {
        const struct sc_fact *fact = &rn->jo->facts[info->facts[i]];
        names[i] = fact->name.len > 0 ? fact->name : fact->text;
        values[i] = sc_value_dup(rn->fx->ar,
                                 sc_fact_read(rn->jo, rn->st, info->facts[i], rn->at_ms));
    }
    fx->fact_names = names;
    fx->fact_values = values;
    fx->n_facts = info->n_facts;
}
