/* Guardrails: caps, quiet hours, fatigue, holds. */
#include "core/journey/load.h"
#include "base/assert.h"

#include <math.h>
#include <stdlib.h>

#define TRIGGER_PREFIX "trigger:"

/* `customer` (or `customer.timezone`), `UTC`, or a zone. */
static struct sc_zone_ref zone_ref(struct load *ld, struct sc_str name, const struct sc_node *at)
{
    if (sc_str_eqz(name, "customer") || sc_str_eqz(name, "customer.timezone"))
        return (struct sc_zone_ref){.customer = true};
    if (name.len == 0 || sc_str_eqz(name, "UTC"))
        return (struct sc_zone_ref){0};
    return (struct sc_zone_ref){.fixed = load_zone(ld, name, at)};
}

/* ---- caps */

static uint32_t cap_channels(struct load *ld, const struct sc_strs *names)
{
    if (names->n == 0 || (names->n == 1 && sc_str_eqz(names->v[0], "*")))
        return UINT32_MAX;
    const struct sc_journey *jo = ld->jo;
    struct sc_str all[SC_CHANNELS_MAX];
    for (uint32_t i = 0; i < jo->n_channels; ++i)
        all[i] = jo->channels[i].name;
    uint32_t bits = 0;
    for (uint32_t i = 0; i < names->n; ++i) {
        int c = load_ref(ld, names->v[i], names->at[i]->mark, "channel", all, jo->n_channels);
        if (c >= 0)
            bits |= UINT32_C(1) << c;
    }
    return bits;
}

static uint64_t cap_tags(struct load *ld, const struct sc_strs *names)
{
    uint64_t bits = names->n == 0 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < names->n; ++i) {
        int t = load_ref(ld, names->v[i], names->at[i]->mark, "trigger with tag", ld->jo->tags,
                         ld->jo->n_tags);
        if (t >= 0)
            bits |= UINT64_C(1) << t;
    }
    return bits;
}

static void add_names(struct sc_buf *b, const struct sc_strs *names)
{
    for (uint32_t i = 0; i < names->n; ++i)
        sc_buf_addf(b, "%s%.*s", i > 0 ? "+" : "", SC_STR_FMT(names->v[i]));
}

/* As gates print it: "sms 4 per 30d", "all 1 a calendar day in purchase". */
static struct sc_str cap_text(struct load *ld, const struct doc_cap *doc, const struct sc_cap *cap)
{
    static const char *const calendars[] = {"", "day", "week", "month"};
    struct sc_buf b = {0};
    if (cap->channels == UINT32_MAX)
        sc_buf_addz(&b, "all");
    else
        add_names(&b, &doc->channels);
    sc_buf_addf(&b, " %lld ", (long long)cap->max);
    char per[64];
    if (cap->calendar != SC_ROLLING)
        sc_buf_addf(&b, "a calendar %s", calendars[cap->calendar]);
    else
        sc_buf_addf(&b, "per %.*s", (int)sc_duration_format(cap->per_ms, per), per);
    if (doc->tags.n > 0) {
        sc_buf_addz(&b, " of ");
        add_names(&b, &doc->tags);
    }
    if (cap->stages != UINT64_MAX) {
        sc_buf_addz(&b, " in ");
        add_names(&b, &doc->stages);
    }
    struct sc_str text = sc_str_dup(ld->ar, sc_buf_view(&b));
    sc_buf_fini(&b);
    return text;
}

static void cap_load(struct load *ld, const struct doc_cap *doc, struct sc_cap *cap)
{
    *cap = (struct sc_cap){.max = doc->max, .per_ms = doc->per_ms, .at = doc->at};
    if ((doc->per_at != NULL) == (doc->calendar_at != NULL))
        sc_diag_add(ld->dg, SC_ERROR, "bad-cap", load_mark(doc->at),
                    "a cap has either `per` (rolling) or `calendar`");
    if (doc->calendar_at != NULL)
        cap->calendar = doc->calendar + SC_CAL_DAY;
    else if (doc->timezone_at != NULL)
        sc_diag_add(ld->dg, SC_ERROR, "bad-cap", doc->timezone_at->mark,
                    "`timezone` goes with `calendar`; a rolling window has none");
    cap->channels = cap_channels(ld, &doc->channels);
    cap->stages = load_stages(ld, &doc->stages, doc->stages_at);
    cap->tags = cap_tags(ld, &doc->tags);
    cap->zone = zone_ref(ld, doc->timezone, doc->timezone_at);
    cap->text = cap_text(ld, doc, cap);
}

static void caps_load(struct load *ld)
{
    struct sc_guardrails *g = &ld->jo->guard;
    const struct doc_cap *doc = ld->doc->guard.caps.v;
    uint32_t n = ld->doc->guard.caps.n;
    if (n > SC_CAPS_MAX) {
        load_over(ld, doc[SC_CAPS_MAX].at, n, SC_CAPS_MAX, "caps");
        n = SC_CAPS_MAX;
    }
    g->caps = SC_NEW_N(ld->ar, struct sc_cap, n + 1);
    g->n_caps = n;
    for (uint32_t i = 0; i < n; ++i)
        cap_load(ld, &doc[i], &g->caps[i]);
}

/* ---- quiet hours */

static bool two_digits(struct sc_str s, size_t at, int32_t below, int32_t *out)
{
    char a = s.p[at], b = s.p[at + 1];
    if (a < '0' || a > '9' || b < '0' || b > '9')
        return false;
    *out = (a - '0') * 10 + (b - '0');
    return *out < below;
}

/* "21:00" as minutes of the day. */
static int32_t day_minute(struct load *ld, struct sc_str s, const struct sc_node *at)
{
    int32_t hour, minute;
    if (s.len == 5 && s.p[2] == ':' && two_digits(s, 0, 24, &hour) &&
        two_digits(s, 3, 60, &minute))
        return hour * 60 + minute;
    if (!load_given(at))
        return 0;
    struct sc_finding *f = sc_diag_add(ld->dg, SC_ERROR, "bad-time", at->mark,
                                       "'%.*s' is no time of day", SC_STR_FMT(s));
    f->hint = SC_STR("write hours and minutes, \"09:00\", 00:00 to 23:59");
    return 0;
}

static void quiet_load(struct load *ld)
{
    const struct doc_quiet *doc = &ld->doc->guard.quiet;
    struct sc_guardrails *g = &ld->jo->guard;
    if (ld->doc->guard.quiet_at == NULL || doc->from_at == NULL || doc->to_at == NULL)
        return;
    g->quiet = true;
    g->quiet_from_min = day_minute(ld, doc->from, doc->from_at);
    g->quiet_to_min = day_minute(ld, doc->to, doc->to_at);
    g->quiet_suppress = doc->then == 1;
    if (doc->from.len > 0 && sc_str_eq(doc->from, doc->to))
        sc_diag_add(ld->dg, SC_ERROR, "bad-time", doc->to_at->mark,
                    "quiet hours end when they start");
    g->quiet_zone = zone_ref(ld, doc->timezone, doc->timezone_at);
    if (doc->otherwise_at != NULL)
        g->otherwise = load_zone(ld, doc->otherwise, doc->otherwise_at);
    if (doc->otherwise_at != NULL && !g->quiet_zone.customer)
        sc_diag_add(ld->dg, SC_WARNING, "no-effect", doc->otherwise_at->mark,
                    "`otherwise` has no effect: the zone is the same for all customers");
}

/* ---- fatigue */

static bool read_points(const struct sc_node *value, double *out)
{
    if (value->kind != SC_NODE_SCALAR || !sc_node_is_number(value))
        return false;
    char *end;
    *out = strtod(value->text.p, &end); /* NUL-terminated by the parser */
    return end == value->text.p + value->text.len && isfinite(*out) && *out >= 0;
}

static bool fatigue_subject(struct load *ld, const struct sc_node *key, struct sc_fatigue_add *add)
{
    struct sc_str name = key->text;
    add->event = add->trigger = -1;
    if (sc_str_eqz(name, TRIGGER_PREFIX "*")) {
        add->trigger = -2;
        return true;
    }
    if (!sc_str_starts(name, SC_STR(TRIGGER_PREFIX))) {
        add->event = load_event(ld, name, key->mark);
        return add->event >= 0;
    }
    uint32_t skip = sizeof(TRIGGER_PREFIX) - 1;
    const struct sc_journey *jo = ld->jo;
    struct sc_str *names = SC_NEW_N(ld->ar, struct sc_str, jo->n_triggers + 1);
    for (uint32_t i = 0; i < jo->n_triggers; ++i)
        names[i] = jo->triggers[i].name;
    struct sc_str trigger = {name.p + skip, name.len - skip};
    add->trigger = load_ref(ld, trigger, sc_mark_at(key->mark, skip, (uint32_t)trigger.len),
                            "trigger", names, jo->n_triggers);
    return add->trigger >= 0;
}

static void fatigue_load(struct load *ld)
{
    const struct doc_fatigue *doc = &ld->doc->guard.fatigue;
    struct sc_guardrails *g = &ld->jo->guard;
    if (ld->doc->guard.fatigue_at == NULL || doc->add == NULL)
        return;
    if (doc->add->kind != SC_NODE_MAP) {
        sc_diag_add(ld->dg, SC_ERROR, "wrong-kind", doc->add->mark,
                    "`add` is a mapping of events and triggers to points");
        return;
    }
    g->fatigue = true;
    g->half_life_ms = doc->half_life_ms;
    g->pause_at = doc->pause_at;
    g->resume_at = doc->resume_at;
    if (doc->pause_node != NULL && doc->resume_node != NULL && doc->resume_at > doc->pause_at)
        sc_diag_add(ld->dg, SC_ERROR, "bad-fatigue", doc->resume_node->mark,
                    "`resume_at` is above `pause_at`: it would pause and resume at once");
    g->adds = SC_NEW_N(ld->ar, struct sc_fatigue_add, doc->add->n + 1);
    for (uint32_t i = 0; i < doc->add->n; ++i) {
        const struct sc_node_pair *pair = &doc->add->pairs[i];
        struct sc_fatigue_add add;
        if (!read_points(pair->value, &add.points))
            sc_diag_add(ld->dg, SC_ERROR, "bad-fatigue", pair->value->mark,
                        "points are a number, 0 or more");
        else if (fatigue_subject(ld, pair->key, &add))
            g->adds[g->n_adds++] = add;
    }
}

/* ---- holds */

static void holds_load(struct load *ld)
{
    const struct sc_strs *doc = &ld->doc->guard.hold_while;
    struct sc_guardrails *g = &ld->jo->guard;
    struct sc_rule_opts opts = {.use = SC_USE_RULE, .only_event = -1, .no_event = true};
    g->hold_while = SC_NEW_N(ld->ar, const struct sc_prog *, doc->n + 1);
    for (uint32_t i = 0; i < doc->n; ++i) {
        const struct sc_prog *prog =
            sc_rule_compile(ld->sp, doc->v[i], doc->at[i]->mark, opts);
        if (prog != NULL)
            g->hold_while[g->n_hold_while++] = prog;
    }
}

void load_guardrails(struct load *ld)
{
    struct sc_guardrails *g = &ld->jo->guard;
    const struct doc_guardrails *doc = &ld->doc->guard;
    g->hold_ambiguous = doc->ambiguous == 0;
    g->arbitration_ms = doc->arbitration_at != NULL ? doc->arbitration_ms : -1;
    caps_load(ld);
    quiet_load(ld);
    fatigue_load(ld);
    holds_load(ld);
    SC_ASSERT(g->n_caps <= SC_CAPS_MAX);
}
