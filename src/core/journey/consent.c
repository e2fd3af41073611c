/* The customer's own word: consents, preferences, snooze, inbound messages (zero-party data).
 *
 * Each is kept by the event time of what was said, the latest wins, so that arrival order and
 * merges cannot change it. At the same instant withdrawal beats grant, and of two preferences the
 * larger text stands. Nothing is said for a time that has yet to come: a consent's own `at` may lie
 * before its event, never behind it, else no withdrawal could follow for years. */
#include "core/journey/run.h"

#include "base/assert.h"

static struct sc_value field(const struct sc_run *rn, enum sc_role_field f)
{
    int16_t prop = rn->jo->tx->events[rn->ev->type].role_field[f];
    SC_ASSERT(prop < (int32_t)rn->ev->n_props);
    return prop < 0 ? sc_absent() : rn->ev->props[prop];
}

/* Of a text that is longer than an id nothing is kept: states stay small, whatever sources send. */
static bool fits(struct sc_value v)
{
    return v.type == SC_T_STRING && v.len <= SC_EVENT_ID_BYTES_MAX;
}

static struct sc_str text_field(const struct sc_run *rn, enum sc_role_field f)
{
    struct sc_value v = field(rn, f);
    return fits(v) ? sc_value_str(v) : SC_STR_NULL;
}

/* ---- consents */

/* Over the bound a grant goes first, the oldest: without it the answer is no, which is safe. */
static struct sc_consent *room(struct sc_state *st)
{
    if (st->consents.n < SC_CONSENTS_MAX)
        return SC_VEC_ADD(st->ar, &st->consents);
    struct sc_consent *worst = &st->consents.v[0];
    for (uint32_t i = 1; i < st->consents.n; i++) {
        struct sc_consent *c = &st->consents.v[i];
        if (c->granted != worst->granted ? c->granted : c->at_ms < worst->at_ms)
            worst = c;
    }
    return worst;
}

static struct sc_consent *consent_find(const struct sc_state *st, struct sc_str purpose)
{
    for (uint32_t i = 0; i < st->consents.n; i++)
        if (sc_str_eq(st->consents.v[i].purpose, purpose))
            return &st->consents.v[i];
    return NULL;
}

static void consent(struct sc_run *rn)
{
    struct sc_state *st = rn->st;
    struct sc_str purpose = text_field(rn, SC_RF_PURPOSE);
    struct sc_value granted = field(rn, SC_RF_GRANTED), at = field(rn, SC_RF_AT);
    if (purpose.len == 0 || granted.type != SC_T_BOOL)
        return; /* says nothing */
    int64_t at_ms = rn->ev->occurred_ms;
    if (at.type == SC_T_TIMESTAMP && at.i < at_ms)
        at_ms = at.i;
    struct sc_consent *c = consent_find(st, purpose);
    if (c && (c->at_ms > at_ms || (c->at_ms == at_ms && !c->granted)))
        return;
    if (c == NULL)
        c = room(st);
    *c = (struct sc_consent){.purpose = sc_str_dup(st->ar, purpose), .granted = granted.i != 0,
                             .at_ms = at_ms, .source = sc_str_dup(st->ar, rn->ev->source_name),
                             .evidence = text_field(rn, SC_RF_EVIDENCE)};
    c->evidence = sc_str_dup(st->ar, c->evidence.len > 0 ? c->evidence : rn->ev->id);
}

enum sc_consent_status sc_consent_of(const struct sc_state *st, struct sc_str purpose)
{
    SC_ASSERT(purpose.len > 0);
    SC_ASSERT(st->consents.n <= SC_CONSENTS_MAX);
    const struct sc_consent *own = consent_find(st, purpose);
    const struct sc_consent *all = consent_find(st, SC_STR("*"));
    if (all && !all->granted && (own == NULL || own->at_ms <= all->at_ms))
        return SC_CONSENT_WITHDRAWN;
    if (own == NULL)
        return SC_CONSENT_UNKNOWN;
    return own->granted ? SC_CONSENT_GRANTED : SC_CONSENT_WITHDRAWN;
}

bool sc_consent_closes(const struct sc_state *st, struct sc_str channel)
{
    SC_ASSERT(channel.len > 0);
    const struct sc_consent *own = consent_find(st, channel);
    return own && !own->granted;
}

/* ---- preferences, snooze, inbound */

static void prefer(struct sc_run *rn, struct sc_pref *pref, enum sc_role_field f)
{
    struct sc_value v = field(rn, f);
    bool number = v.type == SC_T_INT, text = fits(v);
    int64_t at_ms = rn->ev->occurred_ms;
    if ((!number && !text) || pref->at_ms > at_ms)
        return;
    if (pref->at_ms == at_ms && (number ? pref->number >= v.i
                                        : sc_str_cmp(pref->text, sc_value_str(v)) >= 0))
        return;
    pref->at_ms = at_ms;
    pref->number = number ? v.i : 0;
    pref->text = text ? sc_str_dup(rn->st->ar, sc_value_str(v)) : SC_STR_NULL;
}

static void preference(struct sc_run *rn)
{
    prefer(rn, &rn->st->channel, SC_RF_CHANNEL);
    prefer(rn, &rn->st->timezone, SC_RF_TIMEZONE);
    prefer(rn, &rn->st->frequency, SC_RF_FREQUENCY);
    prefer(rn, &rn->st->language, SC_RF_LANGUAGE);
}

static void snooze(struct sc_run *rn)
{
    struct sc_state *st = rn->st;
    struct sc_value until = field(rn, SC_RF_UNTIL);
    int64_t at_ms = rn->ev->occurred_ms;
    if (until.type != SC_T_TIMESTAMP || st->snooze_at_ms > at_ms)
        return;
    if (st->snooze_at_ms == at_ms && st->snooze_until_ms >= until.i)
        return;
    st->snooze_at_ms = at_ms;
    st->snooze_until_ms = until.i;
}

static void inbound(struct sc_run *rn)
{
    const struct sc_journey *jo = rn->jo;
    struct sc_str name = text_field(rn, SC_RF_CHANNEL);
    if (name.len == 0)
        name = jo->tx->events[rn->ev->type].channel;
    for (uint32_t c = 0; c < jo->n_channels; c++)
        if (sc_str_eq(jo->channels[c].name, name) &&
            rn->st->inbound_ms[c] < rn->ev->occurred_ms)
            rn->st->inbound_ms[c] = rn->ev->occurred_ms;
}

void sc_consent_event(struct sc_run *rn)
{
    SC_ASSERT(rn->ev);
    struct sc_str zone = rn->ev->phone_zone, *known = &rn->st->phone_zone;
    if (zone.len > 0 && (known->len == 0 || sc_str_cmp(zone, *known) < 0))
        *known = sc_str_dup(rn->st->ar, zone); /* phones of two countries: one, always the same */
    switch ((enum sc_role)rn->jo->tx->events[rn->ev->type].role) {
    case SC_ROLE_CONSENT:
        consent(rn);
        return;
    case SC_ROLE_PREFERENCE:
        preference(rn);
        return;
    case SC_ROLE_SNOOZE:
        snooze(rn);
        return;
    case SC_ROLE_INBOUND:
        inbound(rn);
        return;
    case SC_ROLE_NONE:
    case SC_ROLE_PURCHASE:
    case SC_ROLE_FORGET:
        return;
    }
    SC_UNREACHABLE("role");
}
