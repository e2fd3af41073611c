/* The guard: what may be sent now (semantics 26 to 34).
 *
 * Every gate that applies is evaluated and reported; the first that fails, in the order of
 * SC_REASON_TABLE, is the reason. Service messages pass all of them but expiry, cooldown, holdout,
 * withdrawal of their own purpose, and the channel's stage. A channel is the first of the trigger's
 * that its stages, a stated channel preference and the caps allow: a preference for a channel the
 * trigger offers restricts it to that one, for any other it changes nothing; a withdrawn consent
 * named like the channel closes it.
 *
 * Arbitration (30): among the occurrences of one instant, or those that waited for each other
 * (rivals.c), the one of highest priority that would go, now or deferred, takes the moment; ties go
 * by order of declaration. Service neither takes it nor loses it. */
#include "core/journey/run.h"

#include "base/assert.h"
#include "base/hash.h"

#define DEFER_MAX_MS (7 * SC_DAY_MS)

/* One cap's word on one channel. */
struct capped {
    int64_t used; /* slots taken */
    enum sc_cap_word word;
    bool asked;
};

/* One decision in the making. */
struct decision {
    struct sc_run *rn;
    const struct sc_timer *tm;
    const struct sc_trigger *tr;
    bool marketing;
    int persona;   /* index, -1 none; asked once channels go by it */
    bool persona_known;
    int8_t channel;
    bool quiet;
    int64_t until_ms; /* quiet: when it may go; SC_NO_DUE: never by waiting */
    enum sc_reason reason;
    bool told; /* gates are put into words */
    struct capped *caps; /* by cap and channel; NULL: none was asked yet */
    SC_VEC(struct sc_gate) gates;
};

static void gate_weigh(struct decision *de, enum sc_reason reason, bool passed)
{
    SC_ASSERT(reason > SC_REASON_NONE && reason < SC_REASON_COUNT);
    if (!passed && (de->reason == SC_REASON_NONE || reason < de->reason))
        de->reason = reason;
}

/* One gate in words that live as long as the effects. */
static void gate_tell(struct decision *de, enum sc_reason reason, bool passed, struct sc_str words)
{
    SC_ASSERT(de->told);
    gate_weigh(de, reason, passed);
    SC_VEC_PUSH(de->rn->fx->ar, &de->gates, ((struct sc_gate){reason, passed, words, -1, -1}));
    sc_trace(de->rn->fx, "gate", sc_str_from(sc_reason_name(reason)), passed ? "passed" : "stopped",
             "%.*s", SC_STR_FMT(words));
}

static void gate_tellf(struct decision *de, enum sc_reason reason, bool passed, const char *fmt,
                       ...) __attribute__((format(printf, 4, 5)));

static void gate_tellf(struct decision *de, enum sc_reason reason, bool passed, const char *fmt,
                       ...)
{
    va_list args;
    va_start(args, fmt);
    size_t len;
    const char *text = sc_arena_vprintf(de->rn->fx->ar, &len, fmt, args);
    va_end(args);
    gate_tell(de, reason, passed, (struct sc_str){text, len});
}

/* One gate. The words are not even evaluated when nobody reads them. */
#define gate(de, reason, passed, ...)                                                              \
    ((de)->told ? gate_tellf((de), (reason), (passed), __VA_ARGS__)                                \
                : gate_weigh((de), (reason), (passed)))

/* One whose words stand already. */
static void gate_plain(struct decision *de, enum sc_reason reason, bool passed, const char *words)
{
    if (de->told)
        gate_tell(de, reason, passed, sc_str_from(words));
    else
        gate_weigh(de, reason, passed);
}

static const char *span(struct sc_arena *ar, int64_t ms)
{
    char text[64];
    size_t n = sc_duration_format(ms, text);
    return sc_arena_printf(ar, "%.*s", (int)n, text);
}

/* ---- the gates, in their order */

static void gate_expired(struct decision *de)
{
    if (de->tm->expires_ms != SC_NO_DUE)
        gate(de, SC_REASON_EXPIRED, de->rn->decision_ms <= de->tm->expires_ms, "until %s",
             sc_trace_time(de->rn->fx->ar, de->tm->expires_ms));
}

static void gate_cooldown(struct decision *de)
{
    if (de->tr->cooldown_ms == 0)
        return;
    struct sc_arena *ar = de->rn->fx->ar;
    int64_t since = sc_cap_since(de->rn->st, de->tm->rule, de->tm->key_hash, de->rn->decision_ms);
    if (since == SC_NO_DUE)
        gate_plain(de, SC_REASON_COOLDOWN, true, "never sent");
    else
        gate(de, SC_REASON_COOLDOWN, since >= de->tr->cooldown_ms, "sent %s ago, cooldown %s",
             span(ar, since), span(ar, de->tr->cooldown_ms));
}

/* Silent arms are told as held out: both get nothing, so that lift can be measured. */
static void gate_holdout(struct decision *de)
{
    const struct sc_journey *jo = de->rn->jo;
    int16_t arm, at = sc_experiment_of(jo, de->tr, de->rn->st, &arm);
    if (at < 0)
        return;
    const struct sc_experiment *ex = &jo->experiments[at];
    struct sc_str name = sc_experiment_arm_name(ex, arm);
    bool silent = arm >= 0 && de->tr->variants[arm].silent;
    gate(de, SC_REASON_HOLDOUT, arm != SC_ARM_HELD_OUT && !silent,
         "experiment %.*s: %.*s%s, %d of 10000 held out", SC_STR_FMT(ex->name), SC_STR_FMT(name),
         silent ? " sends nothing" : "", ex->holdout_bp);
}

static void gate_consent(struct decision *de)
{
    static const char *const words[] = {"unknown", "granted", "withdrawn"};
    for (uint32_t i = 0; i < de->tr->purposes.n; i++) {
        enum sc_consent_status status = sc_consent_of(de->rn->st, de->tr->purposes.v[i]);
        bool passed = de->marketing ? status == SC_CONSENT_GRANTED : status != SC_CONSENT_WITHDRAWN;
        gate(de, SC_REASON_CONSENT, passed, "%.*s: %s", SC_STR_FMT(de->tr->purposes.v[i]),
             words[status]);
    }
}

static void gate_holds(struct decision *de)
{
    struct sc_run *rn = de->rn;
    const struct sc_guardrails *g = &rn->jo->guard;
    if (rn->st->snooze_at_ms != SC_NEVER)
        gate(de, SC_REASON_SNOOZED, rn->decision_ms >= rn->st->snooze_until_ms, "until %s",
             sc_trace_time(rn->fx->ar, rn->st->snooze_until_ms));
    if (g->hold_ambiguous)
        gate_plain(de, SC_REASON_AMBIGUOUS_IDENTITY, !rn->st->ambiguous,
                   rn->st->ambiguous ? "ambiguous" : "certain");
    for (uint32_t i = 0; i < g->n_hold_while; i++)
        gate(de, SC_REASON_HOLD, !sc_rule_holds(g->hold_while[i], &rn->cx), "%.*s",
             SC_STR_FMT(sc_rule_text(g->hold_while[i])));
    if (g->fatigue)
        gate(de, SC_REASON_FATIGUE, !sc_fatigue_paused(rn->jo, rn->st, rn->decision_ms),
             "%.2f, pauses at %g, resumes below %g",
             sc_fatigue_at(rn->jo, rn->st, rn->decision_ms), g->pause_at, g->resume_at);
}

/* ---- the channel */

static bool prefers(const struct decision *de, uint8_t c)
{
    const struct sc_journey *jo = de->rn->jo;
    struct sc_str wanted = de->rn->st->channel.text;
    if (!de->marketing || wanted.len == 0 || sc_str_eq(jo->channels[c].name, wanted))
        return true;
    for (uint32_t i = 0; i < de->tr->n_channels; i++)
        if (sc_str_eq(jo->channels[de->tr->channels[i]].name, wanted))
            return false; /* the trigger offers what the customer asked for */
    return true;
}

static bool suits_persona(struct decision *de, const struct sc_channel *channel)
{
    if (channel->personas == UINT64_MAX)
        return true;
    if (!de->persona_known)
        de->persona = sc_persona_of(&de->rn->cx);
    de->persona_known = true;
    SC_ASSERT(de->persona < SC_PERSONAS_MAX);
    return de->persona >= 0 && channel->personas >> de->persona & 1;
}

/* What closes the channel to this customer, NULL: nothing. */
static const char *closed_by(struct decision *de, uint8_t c)
{
    const struct sc_channel *channel = &de->rn->jo->channels[c];
    if (!(channel->stages & sc_state_stages(de->rn->jo, de->rn->st)))
        return "stage";
    if (!suits_persona(de, channel))
        return "persona";
    if (!prefers(de, c))
        return "preference";
    return de->marketing && sc_consent_closes(de->rn->st, channel->name) ? "consent" : NULL;
}

/* What the cap says of the channel. Asked up to four times a decision, it counts once. */
static struct capped capped(struct decision *de, uint32_t cap, uint8_t c)
{
    const struct sc_journey *jo = de->rn->jo;
    SC_ASSERT(cap < jo->guard.n_caps && c < jo->n_channels);
    if (de->caps == NULL)
        de->caps = SC_NEW_N(de->rn->fx->ar, struct capped, jo->guard.n_caps * jo->n_channels);
    struct capped *known = &de->caps[cap * jo->n_channels + c];
    if (!known->asked)
        known->word = sc_cap_ask(de->rn, &jo->guard.caps[cap], de->tm->rule, c, &known->used);
    known->asked = true;
    return *known;
}

static bool caps_allow(struct decision *de, uint8_t c)
{
    bool allowed = true;
    for (uint32_t i = 0; i < de->rn->jo->guard.n_caps && !de->tr->ignores_caps && allowed; i++)
        allowed = capped(de, i, c).word != SC_CAP_REFUSES;
    return allowed;
}

/* The words that most suppressed messages carry: put together without printf. */
static struct sc_str cap_words(struct decision *de, uint8_t c, const struct sc_cap *cap,
                               int64_t used)
{
    struct sc_buf words = {.ar = de->rn->fx->ar};
    sc_buf_str(&words, de->rn->jo->channels[c].name);
    sc_buf_addz(&words, ": ");
    sc_buf_str(&words, cap->text);
    sc_buf_addz(&words, ": ");
    sc_buf_int(&words, used);
    sc_buf_addz(&words, " sent");
    return sc_buf_view(&words);
}

/* What the caps say of one channel, one gate each that is about this message. */
static void report_caps(struct decision *de, uint8_t c)
{
    struct sc_run *rn = de->rn;
    for (uint32_t i = 0; i < rn->jo->guard.n_caps && !de->tr->ignores_caps; i++) {
        const struct sc_cap *cap = &rn->jo->guard.caps[i];
        struct capped says = capped(de, i, c);
        bool allows = says.word == SC_CAP_ALLOWS;
        if (says.word == SC_CAP_SILENT)
            continue;
        if (!de->told) {
            gate_weigh(de, SC_REASON_CAP_REACHED, allows);
            continue;
        }
        gate_tell(de, SC_REASON_CAP_REACHED, allows, cap_words(de, c, cap, says.used));
        de->gates.v[de->gates.n - 1].cap = (int16_t)i;
        de->gates.v[de->gates.n - 1].channel = (int8_t)c;
    }
}

/* The first open channel whose caps allow it; those passed over are told with what closed them. */
static void gate_channel(struct decision *de)
{
    struct sc_arena *ar = de->rn->fx->ar;
    const struct sc_channel *channels = de->rn->jo->channels;
    uint32_t open = 0; /* bit c */
    struct sc_buf words = {.ar = ar};
    if (de->told) {
        sc_buf_uint(&words, de->tr->n_channels);
        sc_buf_addz(&words, " offered");
    }
    for (uint32_t i = 0; i < de->tr->n_channels && de->channel < 0; i++) {
        uint8_t c = de->tr->channels[i];
        SC_ASSERT(c < de->rn->jo->n_channels);
        const char *by = closed_by(de, c);
        if (by == NULL)
            open |= UINT32_C(1) << c;
        else if (de->told)
            sc_buf_addf(&words, ", %.*s closed by %s", SC_STR_FMT(channels[c].name), by);
        if (by == NULL && caps_allow(de, c))
            de->channel = (int8_t)c;
    }
    if (de->told)
        gate_tell(de, SC_REASON_NO_CHANNEL, open != 0, sc_buf_view(&words));
    else
        gate_weigh(de, SC_REASON_NO_CHANNEL, open != 0);
    if (de->channel >= 0)
        open = UINT32_C(1) << de->channel;
    for (uint32_t i = 0; i < de->tr->n_channels; i++)
        if (open >> de->tr->channels[i] & 1)
            report_caps(de, de->tr->channels[i]);
}

static void gate_frequency(struct decision *de)
{
    int64_t used;
    bool passed = sc_cap_frequency(de->rn, &used);
    if (de->rn->st->frequency.at_ms != SC_NEVER)
        gate(de, SC_REASON_CAP_REACHED, passed, "asked for %lld per 7d: %lld sent",
             (long long)de->rn->st->frequency.number, (long long)used);
}

static void gate_quiet(struct decision *de)
{
    struct sc_run *rn = de->rn;
    const struct sc_guardrails *g = &rn->jo->guard;
    const struct sc_tz *tz;
    if (!g->quiet)
        return;
    if (!sc_zone_of(rn->jo, rn->st, g->quiet_zone, &tz)) {
        gate(de, SC_REASON_QUIET_HOURS, false, "zone unknown");
        return;
    }
    de->quiet = sc_quiet_until(tz, g, rn->decision_ms, &de->until_ms);
    if (!de->quiet)
        gate(de, SC_REASON_QUIET_HOURS, true, "day");
    else
        gate(de, SC_REASON_QUIET_HOURS, false, "until %s",
             sc_trace_time(rn->fx->ar, de->until_ms));
}

static void evaluate(struct decision *de, bool taken)
{
    SC_ASSERT(de->reason == SC_REASON_NONE && de->channel < 0);
    gate_expired(de);
    gate_cooldown(de);
    gate_holdout(de);
    gate_consent(de);
    if (de->marketing)
        gate_holds(de);
    gate_channel(de);
    if (!de->marketing)
        return;
    gate_frequency(de);
    if (de->rn->jo->guard.arbitration_ms >= 0)
        gate(de, SC_REASON_LOWER_PRIORITY, !taken, "priority %lld", (long long)de->tr->priority);
    gate_quiet(de);
}

/* Words are made where somebody reads them: in a trace, or of what does not go; a message that goes
 * carries none, and many more go than do not. Gates may be asked twice: they change nothing. */
static void weigh(struct decision *de, bool taken)
{
    de->told = de->rn->fx->trace != NULL;
    const struct decision before = *de;
    evaluate(de, taken);
    if (de->reason == SC_REASON_NONE || de->told)
        return;
    enum sc_reason reason = de->reason;
    struct capped *caps = de->caps;
    *de = before;
    de->caps = caps;
    de->told = true;
    evaluate(de, taken);
    SC_ASSERT(de->reason == reason);
}

/* ---- what comes of it */

static struct sc_effect *message(struct sc_run *rn, enum sc_effect_type type,
                                 const struct sc_timer *tm)
{
    SC_ASSERT(tm->rule < rn->jo->n_triggers);
    struct sc_effect *fx = sc_effect_add(rn, type, rn->jo->triggers[tm->rule].name);
    fx->trigger = (int16_t)tm->rule;
    fx->events = tm->events;
    fx->n_events = tm->n_events;
    memcpy(fx->id, tm->id, sizeof(fx->id));
    fx->key = tm->key;
    fx->expires_ms = tm->expires_ms;
    fx->traceparent = tm->traceparent;
    fx->experiment = sc_experiment_of(rn->jo, &rn->jo->triggers[tm->rule], rn->st, &fx->arm);
    return fx;
}

static void reasoned(struct sc_effect *fx, const struct decision *de)
{
    fx->reason = de->reason;
    fx->gates = de->gates.v;
    fx->n_gates = de->gates.n;
    sc_effect_facts(de->rn, fx, de->tr->start);
    sc_trace(de->rn->fx, "guard", de->tr->name, sc_reason_name(de->reason), "%s",
             fx->type == SC_FX_DEFERRED ? "deferred" : "suppressed");
}

void sc_guard_suppress(struct sc_run *rn, const struct sc_timer *tm, enum sc_reason reason,
                       const char *why)
{
    SC_ASSERT(why != NULL);
    struct decision de = {.rn = rn, .tm = tm, .tr = &rn->jo->triggers[tm->rule], .channel = -1,
                          .told = true};
    gate(&de, reason, false, "%s", why);
    reasoned(message(rn, SC_FX_SUPPRESSED, tm), &de);
}

/* The channel a message went out by: its withdrawal follows it. -1: it never went out. */
static int8_t channel_of(const struct sc_state *st, const struct sc_timer *tm)
{
    uint64_t id;
    memcpy(&id, tm->id, sizeof(id));
    for (uint32_t i = st->sent.n; tm->kind == SC_TIMER_SENT && i-- > 0;)
        if (st->sent.v[i].id == id)
            return (int8_t)st->sent.v[i].channel;
    return -1;
}

void sc_guard_cancel(struct sc_run *rn, const struct sc_timer *tm, struct sc_str by)
{
    SC_ASSERT(tm->kind == SC_TIMER_DEFERRED || tm->kind == SC_TIMER_SENT ||
              tm->kind == SC_TIMER_RIVAL);
    struct sc_effect *fx = message(rn, SC_FX_CANCELLED, tm);
    struct sc_str *ids = SC_NEW_N(rn->fx->ar, struct sc_str, tm->n_events + 1);
    for (uint32_t i = 0; i < tm->n_events; i++)
        ids[i] = tm->events[i];
    ids[tm->n_events] = by;
    fx->events = ids;
    fx->n_events = tm->n_events + (by.len > 0);
    fx->channel = channel_of(rn->st, tm);
}

static void fired(struct sc_run *rn, uint16_t trigger)
{
    struct sc_occurrence *oc = sc_occurrence_of(rn->st, trigger);
    if (oc == NULL) {
        oc = SC_VEC_ADD(rn->st->ar, &rn->st->occurrences);
        oc->trigger = trigger;
    }
    oc->fired = true;
    oc->exited_since = false;
}

static void tire(struct sc_run *rn, uint16_t trigger)
{
    const struct sc_guardrails *g = &rn->jo->guard;
    for (uint32_t i = 0; i < g->n_adds; i++)
        if (g->adds[i].trigger == -2 || g->adds[i].trigger == trigger)
            sc_fatigue_add(rn->jo, rn->st, g->adds[i].points, rn->decision_ms);
}

static void send(struct decision *de)
{
    struct sc_run *rn = de->rn;
    SC_ASSERT(de->channel >= 0 && de->reason == SC_REASON_NONE);
    const struct sc_channel *channel = &rn->jo->channels[de->channel];
    struct sc_effect *fx = message(rn, SC_FX_TRIGGER, de->tm);
    fx->channel = de->channel;
    fx->context = de->tm->context;
    fx->template_only = channel->window_ms > 0 &&
                        (rn->st->inbound_ms[de->channel] == SC_NEVER ||
                         rn->decision_ms - rn->st->inbound_ms[de->channel] >= channel->window_ms);
    sc_effect_facts(rn, fx, de->tr->start);
    sc_trace(rn->fx, "guard", de->tr->name, "sent", "by %.*s", SC_STR_FMT(channel->name));

    struct sc_sent sent = {.at_ms = rn->decision_ms, .trigger = de->tm->rule,
                           .channel = (uint8_t)de->channel, .counts = de->tr->counts_toward_caps,
                           .marketing = de->marketing, .key_hash = de->tm->key_hash};
    memcpy(&sent.id, de->tm->id, sizeof(sent.id));
    sc_cap_take(rn, &sent);
    tire(rn, de->tm->rule);
    fired(rn, de->tm->rule);
    if (de->tr->after_ms == 0)
        return;
    struct sc_timer kept = *de->tm; /* it may still turn out wrong (semantics 25) */
    kept.kind = SC_TIMER_SENT;
    kept.due_ms = kept.start_ms + de->tr->after_ms;
    kept.context = SC_STR_NULL;
    sc_timer_add(rn->st, &kept);
}

static void defer(struct decision *de)
{
    struct sc_run *rn = de->rn;
    SC_ASSERT(de->quiet && de->until_ms > rn->decision_ms);
    struct sc_timer held = *de->tm;
    held.kind = SC_TIMER_DEFERRED;
    held.due_ms = de->until_ms;
    held.promised = true;
    sc_timer_add(rn->st, &held);
    fired(rn, held.rule);
    struct sc_effect *fx = message(rn, SC_FX_DEFERRED, de->tm);
    fx->until_ms = de->until_ms;
    reasoned(fx, de);
}

/* May quiet hours alone be waited for? Not past 7 days after it was due. */
static bool waits(struct decision *de)
{
    if (de->reason != SC_REASON_QUIET_HOURS || !de->quiet || de->rn->jo->guard.quiet_suppress)
        return false;
    if (!de->tm->promised ||
        de->until_ms <= de->tm->start_ms + de->tr->after_ms + DEFER_MAX_MS)
        return true;
    gate(de, SC_REASON_EXPIRED, false, "deferred for 7 days");
    return false;
}

/* True when the moment is taken: it went, or will. */
static bool decide(struct sc_run *rn, const struct sc_timer *tm, bool taken)
{
    const struct sc_trigger *tr = &rn->jo->triggers[tm->rule];
    struct decision de = {.rn = rn, .tm = tm, .tr = tr, .marketing = !tr->service, .channel = -1,
                          .until_ms = SC_NO_DUE};
    weigh(&de, taken);
    if (de.reason == SC_REASON_NONE) {
        send(&de);
    } else if (waits(&de)) {
        defer(&de);
    } else {
        reasoned(message(rn, SC_FX_SUPPRESSED, tm), &de);
        return false;
    }
    return de.marketing;
}

/* Highest priority first. The list is short. */
static void sort_by_priority(struct sc_run *rn)
{
    for (uint32_t i = 1; i < rn->due.n; i++) {
        struct sc_timer tm = rn->due.v[i];
        uint32_t at = i;
        while (at > 0 && sc_rival_outranks(rn->jo, &tm, &rn->due.v[at - 1])) {
            rn->due.v[at] = rn->due.v[at - 1];
            at--;
        }
        rn->due.v[at] = tm;
    }
}

void sc_guard_decide(struct sc_run *rn)
{
    SC_ASSERT(rn->decision_ms != SC_NEVER || rn->due.n == 0);
    bool taken = false;
    if (rn->jo->guard.arbitration_ms >= 0)
        sort_by_priority(rn);
    for (uint32_t i = 0; i < rn->due.n; i++) {
        const struct sc_timer *tm = &rn->due.v[i];
        if (sc_rival_waits(rn, tm)) {
            sc_rival_add(rn, tm);
        } else if (decide(rn, tm, taken || sc_rival_lost(rn, tm))) {
            taken = true;
            sc_rival_won(rn, tm->rule);
        }
    }
    rn->due.n = 0;
}
