/* Channels and triggers.
 *
 * A channel that only a trigger names is one with defaults (its topic is `triggers.<name>`), and a
 * warning: it may be a typo. */
#include "core/journey/load.h"
#include "base/assert.h"
#include "base/hash.h"

#define WHATSAPP "whatsapp"
#define WHATSAPP_WINDOW_MS SC_DAY_MS /* semantics 31: Meta's customer service window */
#define SERVICE "service"

/* ---- channels */

static uint64_t channel_personas(struct load *ld, const struct sc_strs *names)
{
    const struct sc_journey *jo = ld->jo;
    struct sc_str all[SC_PERSONAS_MAX];
    for (uint32_t i = 0; i < jo->n_personas; ++i)
        all[i] = jo->personas[i].name;
    uint64_t bits = names->n == 0 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < names->n; ++i) {
        int p = load_ref(ld, names->v[i], names->at[i]->mark, "persona", all, jo->n_personas);
        if (p >= 0)
            bits |= UINT64_C(1) << p;
    }
    return bits;
}

static uint8_t channel_add(struct load *ld, const struct doc_channel *doc)
{
    struct sc_channel *ch = SC_VEC_ADD(ld->ar, &ld->channels);
    *ch = (struct sc_channel){.name = doc->name, .topic = doc->topic,
                              .hash = sc_hash_name(doc->name), .format = doc->format,
                              .window_ms = doc->window_ms, .at = doc->at};
    if (ch->topic.len == 0)
        ch->topic = sc_str_printf(ld->ar, "triggers.%.*s", SC_STR_FMT(doc->name));
    sc_bind_topic(ch->topic, load_mark(doc->at), ld->dg);
    ch->stages = load_stages(ld, &doc->stages, doc->stages_at);
    if (doc->window_at == NULL && sc_str_eqz(doc->name, WHATSAPP))
        ch->window_ms = WHATSAPP_WINDOW_MS;
    ch->personas = channel_personas(ld, &doc->personas);
    ld->jo->channels = ld->channels.v;
    ld->jo->n_channels = ld->channels.n;
    return (uint8_t)(ld->channels.n - 1);
}

void load_channels(struct load *ld)
{
    const struct doc_channel *doc = ld->doc->channels.v;
    for (uint32_t i = 0; i < ld->doc->channels.n; ++i) {
        if (i >= SC_CHANNELS_MAX) {
            load_past(ld, &ld->channels_past, doc[i].name, load_mark(doc[i].at));
            continue;
        }
        load_name_ok(ld, doc[i].name, load_mark(doc[i].at), "channel");
        channel_add(ld, &doc[i]);
    }
}

static int channel_find(const struct load *ld, struct sc_str name)
{
    for (uint32_t i = 0; i < ld->channels.n; ++i) {
        if (sc_str_eq(ld->channels.v[i].name, name))
            return (int)i;
    }
    return -1;
}

/* The channel a trigger names, made with defaults when nobody declared it; -1 with an error. */
static int channel_of(struct load *ld, struct sc_str name, struct sc_node *at)
{
    int found = channel_find(ld, name);
    if (found >= 0)
        return found;
    if (!load_name_ok(ld, name, at->mark, "channel"))
        return -1;
    if (ld->channels.n == SC_CHANNELS_MAX) {
        load_past(ld, &ld->channels_past, name, at->mark);
        return -1;
    }
    struct sc_finding *f = sc_diag_add(
        ld->dg, SC_WARNING, "undeclared-channel", at->mark,
        "channel '%.*s' is not declared: its triggers go to topic triggers.%.*s as JSON",
        SC_STR_FMT(name), SC_STR_FMT(name));
    struct sc_str *names = SC_NEW_N(ld->ar, struct sc_str, ld->channels.n + 1);
    for (uint32_t i = 0; i < ld->channels.n; ++i)
        names[i] = ld->channels.v[i].name;
    sc_diag_suggest(ld->dg, f, name, names, ld->channels.n);
    struct doc_channel doc = {.name = name, .format = SC_FORMAT_JSON, .at = at};
    return channel_add(ld, &doc);
}

static void trigger_channels(struct load *ld, const struct doc_trigger *doc, struct sc_trigger *tr)
{
    tr->channels = SC_NEW_N(ld->ar, uint8_t, doc->channels.n + 1);
    uint32_t seen = 0; /* bit c */
    for (uint32_t i = 0; i < doc->channels.n; ++i) {
        struct sc_node *at = doc->channels.at[i];
        int c = channel_of(ld, doc->channels.v[i], at);
        if (c < 0)
            continue;
        if (seen & (UINT32_C(1) << c))
            sc_diag_add(ld->dg, SC_ERROR, "duplicate-name", at->mark,
                        "channel '%.*s' stands twice in the list",
                        SC_STR_FMT(doc->channels.v[i]));
        seen |= UINT32_C(1) << c;
        tr->channels[tr->n_channels++] = (uint8_t)c;
    }
    if (doc->channels.n == 0 && doc->channels.v != NULL)
        sc_diag_add(ld->dg, SC_ERROR, "no-channel", load_mark(doc->at),
                    "trigger '%.*s' names no channel", SC_STR_FMT(doc->name));
}

/* ---- what makes it fire */

static void trigger_wait(struct load *ld, const struct doc_trigger *doc, struct sc_trigger *tr)
{
    if (doc->after_at == NULL) {
        sc_diag_add(ld->dg, SC_ERROR, "start-without-after", doc->start_at->mark,
                    "trigger '%.*s' has `start` and no `after`: write `when` to fire at once",
                    SC_STR_FMT(doc->name));
        return;
    }
    struct load_silence silence;
    if (!load_silence(ld, doc->after, doc->after_at, &silence))
        return;
    tr->after_ms = silence.after_ms;
    tr->without = silence.without;
    tr->n_without = silence.n_without;
}

static void trigger_start(struct load *ld, const struct doc_trigger *doc, struct sc_trigger *tr)
{
    if (doc->when_at == NULL && doc->start_at == NULL) {
        sc_diag_add(ld->dg, SC_ERROR, "no-start", load_mark(doc->at),
                    "trigger '%.*s' has neither `when` nor `start`", SC_STR_FMT(doc->name));
        return;
    }
    if (doc->when_at != NULL && doc->start_at != NULL)
        sc_diag_add(ld->dg, SC_ERROR, "two-ways", doc->start_at->mark,
                    "trigger '%.*s' has `when` and `start`: one of them", SC_STR_FMT(doc->name));
    else if (doc->when_at != NULL && doc->after_at != NULL)
        sc_diag_add(ld->dg, SC_ERROR, "two-ways", doc->after_at->mark,
                    "`after` goes with `start`; `when` fires at once");
    if (doc->when_at != NULL)
        tr->start = load_rule(ld, doc->when, doc->when_at);
    if (doc->start_at != NULL) {
        tr->start = load_rule(ld, doc->start, doc->start_at);
        trigger_wait(ld, doc, tr);
    }
    tr->edge = tr->start != NULL && !sc_rule_info(tr->start)->reads_event;
}

/* The events of the start and of the exits, `without` and `unless`: a key is read of all of them.
 * NULL: any event. An `unless` over facts alone is no event's. */
static const uint16_t *key_events(struct load *ld, const struct sc_trigger *tr, uint32_t *n)
{
    static const struct sc_rule_info none;
    const struct sc_rule_info *start = sc_rule_info(tr->start), *unless = &none;
    bool read = tr->unless != NULL && sc_rule_info(tr->unless)->reads_event;
    if (read)
        unless = sc_rule_info(tr->unless);
    *n = 0;
    if (start->events == NULL || (read && unless->events == NULL))
        return NULL;
    uint16_t *events =
        SC_NEW_N(ld->ar, uint16_t, start->n_events + unless->n_events + tr->n_without + 1);
    for (uint32_t i = 0; i < start->n_events; ++i)
        events[(*n)++] = start->events[i];
    for (uint32_t i = 0; i < unless->n_events; ++i)
        events[(*n)++] = unless->events[i];
    for (uint32_t i = 0; i < tr->n_without; ++i)
        events[(*n)++] = tr->without[i].event;
    return events;
}

static void trigger_key(struct load *ld, const struct doc_trigger *doc, struct sc_trigger *tr)
{
    if (!load_given(doc->key_at) || tr->start == NULL)
        return;
    struct sc_rule_opts opts = {.use = SC_USE_VALUE, .only_event = -1, .may_be_absent = true};
    opts.events = key_events(ld, tr, &opts.n_events);
    tr->key = sc_rule_compile(ld->sp, doc->key, doc->key_at->mark, opts);
    if (tr->key == NULL)
        return;
    const struct sc_rule_info *info = sc_rule_info(tr->key);
    if (info->type == SC_T_LIST || info->type == SC_T_MAP || info->type == SC_T_BOOL)
        sc_diag_add(ld->dg, SC_ERROR, "bad-key", doc->key_at->mark,
                    "a key is text or a number, this is a %s", sc_type_name(info->type));
    if (!info->reads_event || tr->edge)
        sc_diag_add(ld->dg, SC_ERROR, "bad-key", doc->key_at->mark,
                    tr->edge ? "a rule over facts alone has no event to take a key from"
                             : "a key reads `event`");
}

static void trigger_purpose(struct load *ld, const struct doc_trigger *doc, struct sc_trigger *tr)
{
    tr->purposes = doc->purpose;
    for (uint32_t i = 0; i < doc->purpose.n; ++i) {
        if (sc_str_trim(doc->purpose.v[i]).len == 0)
            sc_diag_add(ld->dg, SC_ERROR, "bad-purpose", doc->purpose.at[i]->mark,
                        "a purpose has a name; leave `purpose` out when no consent is needed");
        if (!sc_str_eqz(doc->purpose.v[i], SERVICE))
            continue;
        tr->service = true;
        if (doc->purpose.n > 1)
            sc_diag_add(ld->dg, SC_ERROR, "mixed-purpose", doc->purpose.at[i]->mark,
                        "a service message has no other purpose: make two triggers");
    }
    tr->ignores_caps = doc->ignores_caps_at != NULL ? doc->ignores_caps : tr->service;
    tr->counts_toward_caps =
        doc->counts_toward_caps_at != NULL ? doc->counts_toward_caps : !tr->service;
}

static void trigger_tags(struct load *ld, const struct doc_trigger *doc, struct sc_trigger *tr)
{
    for (uint32_t i = 0; i < doc->tags.n; ++i) {
        struct sc_str name = doc->tags.v[i];
        uint32_t t = 0;
        while (t < ld->tags.n && !sc_str_eq(ld->tags.v[t], name))
            ++t;
        if (t == SC_TAGS_MAX) {
            load_past(ld, &ld->tags_past, name, doc->tags.at[i]->mark);
            continue;
        }
        if (t == ld->tags.n)
            SC_VEC_PUSH(ld->ar, &ld->tags, name);
        tr->tags |= UINT64_C(1) << t;
    }
}

static void trigger_load(struct load *ld, const struct doc_trigger *doc, struct sc_trigger *tr)
{
    *tr = (struct sc_trigger){.name = doc->name, .hash = sc_hash_name(doc->name),
                              .message = doc->message, .cooldown_ms = doc->cooldown_ms,
                              .expires_ms = doc->expires_ms, .priority = doc->priority,
                              .reentry = doc->reentry, .experiment = -1, .at = doc->at};
    trigger_tags(ld, doc, tr);
    trigger_start(ld, doc, tr);
    if (doc->unless_at != NULL)
        tr->unless = load_rule(ld, doc->unless, doc->unless_at);
    if (doc->key_at != NULL)
        trigger_key(ld, doc, tr);
    trigger_purpose(ld, doc, tr);
    trigger_channels(ld, doc, tr);
    load_experiment(ld, doc, tr);
    struct sc_rule_opts opts = {.use = SC_USE_VALUE, .only_event = -1, .no_event = tr->edge,
                                .may_be_absent = true};
    if (tr->start != NULL) {
        opts.events = sc_rule_info(tr->start)->events;
        opts.n_events = sc_rule_info(tr->start)->n_events;
    }
    tr->context = load_named(ld, doc->context, "value of the context", opts, &tr->n_context);
}

void load_triggers(struct load *ld)
{
    struct sc_journey *jo = ld->jo;
    const struct doc_trigger *doc = ld->doc->triggers.v;
    uint32_t n = ld->doc->triggers.n;
    if (n > SC_TRIGGERS_MAX) {
        load_over(ld, doc[SC_TRIGGERS_MAX].at, n, SC_TRIGGERS_MAX, "triggers");
        n = SC_TRIGGERS_MAX;
    }
    jo->triggers = SC_NEW_N(ld->ar, struct sc_trigger, n + 1);
    jo->n_triggers = n;
    for (uint32_t i = 0; i < n; ++i)
        trigger_load(ld, &doc[i], &jo->triggers[i]);
    jo->tags = ld->tags.v;
    jo->n_tags = ld->tags.n;
    SC_ASSERT(jo->n_channels <= SC_CHANNELS_MAX);
    SC_ASSERT(jo->n_tags <= SC_TAGS_MAX);
}
