/* What expressions ask of a customer: facts aged to the moment, open cases, recent touchpoints, the
 * customer as it stands. */
#include "core/journey/run.h"

#include "base/assert.h"

struct sc_rule_env {
    const struct sc_journey *jo;
    const struct sc_state *st;
    bool naming; /* a persona is being looked for: it is none yet to its own rule */
};

static struct sc_rule_env *env_of(const struct sc_rule_ctx *cx)
{
    SC_ASSERT(cx->arg != NULL);
    return cx->arg;
}

static struct sc_value fact(const struct sc_rule_ctx *cx, uint32_t index)
{
    const struct sc_rule_env *env = env_of(cx);
    return sc_fact_read(env->jo, env->st, index, cx->now_ms);
}

static struct sc_value open_case(const struct sc_rule_ctx *cx, uint32_t kind)
{
    const struct sc_state *st = env_of(cx)->st;
    SC_ASSERT(st->cases.n <= SC_CASES_MAX);
    for (uint32_t i = 0; i < st->cases.n; i++)
        if (st->cases.v[i].kind == kind && st->cases.v[i].opened_ms > st->cases.v[i].closed_ms)
            return sc_bool(true);
    return sc_bool(false);
}

/* ---- recent(): each touchpoint as a canonical event (semantics 39) without its identifiers */

static struct sc_value pair_map(struct sc_arena *ar, const struct sc_value *pairs, uint32_t n)
{
    struct sc_value *own = sc_arena_alloc(ar, sizeof(*own) * (2 * (size_t)n + 1));
    memcpy(own, pairs, sizeof(*own) * 2 * (size_t)n);
    return (struct sc_value){.type = SC_T_MAP, .len = n, .map = own};
}

static struct sc_value touch_props(const struct sc_event_type *et, const struct sc_touch *t,
                                   struct sc_arena *ar)
{
    struct sc_value pairs[2 * SC_PROPERTIES_MAX];
    uint32_t n = 0;
    SC_ASSERT(et->n_props <= SC_PROPERTIES_MAX);
    for (uint32_t i = 0; i < et->n_props; i++) {
        if (!sc_is_value(t->props[i]))
            continue;
        pairs[2 * n] = sc_string(et->props[i].name);
        pairs[2 * n++ + 1] = t->props[i];
    }
    return pair_map(ar, pairs, n);
}

static struct sc_value touch_map(const struct sc_event_type *et, const struct sc_touch *t,
                                 struct sc_arena *ar)
{
    const struct sc_value pairs[] = {
        sc_string(SC_STR("event")), sc_string(et->name),
        sc_string(SC_STR("id")), sc_string(t->id),
        sc_string(SC_STR("occurred_at")), sc_timestamp(t->ms),
        sc_string(SC_STR("source")), sc_string(t->source),
        sc_string(SC_STR("properties")), touch_props(et, t, ar),
        sc_string(SC_STR("channel")), sc_string(et->channel),
    };
    return pair_map(ar, pairs, et->channel.len ? 6 : 5); /* the channel is the taxonomy's word */
}

static struct sc_value recent(const struct sc_rule_ctx *cx, int32_t event, uint32_t n)
{
    const struct sc_rule_env *env = env_of(cx);
    const struct sc_state *st = env->st;
    SC_ASSERT(st->ring.n <= SC_RING_MAX);
    struct sc_value *list = sc_arena_alloc(cx->ar, sizeof(*list) * (SC_RING_MAX + 1));
    uint32_t found = 0;
    for (uint32_t i = st->ring.n; i-- > 0 && found < n;) {
        const struct sc_touch *t = &st->ring.v[i];
        if ((event < 0 || t->type == event) && t->ms <= cx->now_ms)
            list[found++] = touch_map(&env->jo->tx->events[t->type], t, cx->ar);
    }
    return (struct sc_value){.type = SC_T_LIST, .len = found, .list = list};
}

/* ---- customer.x */

int sc_persona_of(const struct sc_rule_ctx *cx)
{
    struct sc_rule_env *env = env_of(cx);
    int found = -1;
    bool nested = env->naming;
    SC_ASSERT(cx->host != NULL);
    env->naming = true;
    for (uint32_t i = 0; i < env->jo->n_personas && !nested && found < 0; i++)
        if (sc_rule_holds(env->jo->personas[i].prog, cx))
            found = (int)i;
    env->naming = nested;
    return found;
}

static struct sc_value text(struct sc_str s)
{
    return sc_string(s.len ? s : SC_STR(""));
}

static struct sc_value persona(const struct sc_rule_ctx *cx)
{
    int p = sc_persona_of(cx);
    return text(p < 0 ? SC_STR_NULL : env_of(cx)->jo->personas[p].name);
}

static struct sc_value attr(const struct sc_rule_ctx *cx, enum sc_attr which)
{
    const struct sc_rule_env *env = env_of(cx);
    const struct sc_state *st = env->st;
    if (which >= SC_ATTR_TRACK) {
        uint32_t track = (uint32_t)(which - SC_ATTR_TRACK);
        SC_ASSERT(track < env->jo->n_tracks);
        return text(env->jo->stages[st->place[track].stage].name);
    }
    switch (which) {
    case SC_ATTR_STAGE:
        SC_ASSERT((uint32_t)st->place[0].stage < env->jo->n_stages);
        return text(env->jo->stages[st->place[0].stage].name);
    case SC_ATTR_PERSONA:
        return persona(cx);
    case SC_ATTR_TIMEZONE:
        return text(st->timezone.text.len ? st->timezone.text : st->phone_zone);
    case SC_ATTR_LANGUAGE:
        return text(st->language.text);
    case SC_ATTR_CHANNEL:
        return text(st->channel.text);
    case SC_ATTR_TRACK:
        break;
    }
    SC_UNREACHABLE("customer attribute");
}

static const struct sc_tz *zone(const struct sc_rule_ctx *cx, struct sc_str name)
{
    const struct sc_journey *jo = env_of(cx)->jo;
    SC_ASSERT(name.len == 0 || name.p != NULL);
    return jo->zone ? jo->zone(jo->zone_arg, name) : NULL;
}

void sc_rule_bind(struct sc_rule_ctx *cx, const struct sc_journey *jo, const struct sc_state *st,
                  const struct sc_event *ev, int64_t now_ms, struct sc_arena *ar)
{
    static const struct sc_rule_host host = {fact, open_case, recent, attr, zone};
    SC_ASSERT(jo != NULL && st != NULL && ar != NULL);
    SC_ASSERT(now_ms != SC_NEVER);
    struct sc_rule_env *env = sc_arena_alloc(ar, sizeof(*env));
    *env = (struct sc_rule_env){.jo = jo, .st = st};
    *cx = (struct sc_rule_ctx){.tx = jo->tx, .ev = ev, .now_ms = now_ms, .host = &host,
                               .arg = env, .ar = ar};
}
