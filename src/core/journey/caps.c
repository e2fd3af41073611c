/* The ledger of sent messages: caps, the customer's own frequency, cooldowns (semantics 23c, 26).
 *
 * Exact: the ledger holds each slot taken, also at times later than the one asked about (a timer of
 * yesterday is decided after an event of today), and a message passes only if no window that
 * contains it would then hold more than `max`. Cost: linear in the slots of one window. */
#include "core/journey/run.h"

#include "base/assert.h"

#define SENT_MAX 4096u
#define FREQUENCY_MS (7 * SC_DAY_MS)

/* Which slots a window counts. */
struct counted {
    const struct sc_journey *jo;
    uint32_t channels;
    uint64_t tags;
    bool marketing_only;
};

/* Of a trigger that has gone nobody knows the tags: its messages count where all do. */
static bool tagged(const struct sc_journey *jo, uint64_t tags, uint16_t trigger)
{
    SC_ASSERT(trigger == SC_TRIGGER_GONE || trigger < jo->n_triggers);
    if (tags == UINT64_MAX)
        return true;
    return trigger != SC_TRIGGER_GONE && (jo->triggers[trigger].tags & tags) != 0;
}

static bool counts(const struct counted *which, const struct sc_sent *s)
{
    if (which->marketing_only)
        return s->marketing;
    return s->counts && which->channels >> s->channel & 1 &&
           tagged(which->jo, which->tags, s->trigger);
}

/* The most slots in any window of `per_ms` that contains `at_ms`, without the message itself. */
static int64_t fullest_rolling(const struct sc_state *st, const struct counted *which,
                               int64_t per_ms, int64_t at_ms)
{
    SC_ASSERT(per_ms > 0);
    const struct sc_sent *v = st->sent.v;
    uint32_t first = 0, end;
    while (first < st->sent.n && at_ms - v[first].at_ms >= per_ms)
        first++;
    int64_t most = 0, n = 0;
    for (uint32_t i = end = first;; i++) {
        /* Windows that begin at a slot up to the message, and the one that begins at it. */
        bool last = i == st->sent.n || v[i].at_ms > at_ms;
        int64_t begin = last ? at_ms : v[i].at_ms;
        for (; end < st->sent.n && v[end].at_ms - begin < per_ms; end++)
            n += counts(which, &v[end]);
        if (n > most)
            most = n;
        if (last)
            return most;
        n -= counts(which, &v[i]);
    }
}

static int64_t in_calendar(const struct sc_run *rn, const struct sc_cap *cap,
                           const struct counted *which, int64_t at_ms)
{
    const struct sc_tz *tz;
    if (!sc_zone_of(rn->jo, rn->st, cap->zone, &tz))
        tz = NULL; /* the default zone is UTC */
    int64_t period = sc_calendar_start(cap->calendar, tz, at_ms);
    int64_t n = 0;
    for (uint32_t i = 0; i < rn->st->sent.n; i++)
        n += counts(which, &rn->st->sent.v[i]) &&
             sc_calendar_start(cap->calendar, tz, rn->st->sent.v[i].at_ms) == period;
    return n;
}

enum sc_cap_word sc_cap_ask(const struct sc_run *rn, const struct sc_cap *cap, uint16_t trigger,
                            uint8_t channel, int64_t *used)
{
    SC_ASSERT(channel < SC_CHANNELS_MAX);
    *used = 0;
    if (!(cap->channels >> channel & 1) ||
        !(cap->stages & sc_state_stages(rn->jo, rn->st)) ||
        !tagged(rn->jo, cap->tags, trigger))
        return SC_CAP_SILENT;
    struct counted which = {.jo = rn->jo, .channels = cap->channels, .tags = cap->tags};
    *used = cap->calendar == SC_ROLLING
                ? fullest_rolling(rn->st, &which, cap->per_ms, rn->decision_ms)
                : in_calendar(rn, cap, &which, rn->decision_ms);
    return *used < cap->max ? SC_CAP_ALLOWS : SC_CAP_REFUSES;
}

bool sc_cap_frequency(const struct sc_run *rn, int64_t *used)
{
    const struct sc_pref *frequency = &rn->st->frequency;
    SC_ASSERT(used != NULL);
    *used = 0;
    if (frequency->at_ms == SC_NEVER)
        return true;
    struct counted which = {.marketing_only = true};
    *used = fullest_rolling(rn->st, &which, FREQUENCY_MS, rn->decision_ms);
    return *used < frequency->number;
}

/* Slots older than any window are forgotten, counted from the newest. */
static void forget(struct sc_run *rn)
{
    struct sc_state *st = rn->st;
    SC_ASSERT(st->sent.n > 0);
    int64_t before_ms = st->sent.v[st->sent.n - 1].at_ms - rn->jo->ledger_keep_ms -
                        rn->jo->lateness_ms;
    uint32_t old = 0;
    while (old < st->sent.n - 1 &&
           (st->sent.v[old].at_ms < before_ms || st->sent.n - old > SENT_MAX))
        old++;
    st->sent.n -= old;
    memmove(st->sent.v, st->sent.v + old, st->sent.n * sizeof(*st->sent.v));
}

void sc_cap_take(struct sc_run *rn, const struct sc_sent *sent)
{
    struct sc_state *st = rn->st;
    SC_VEC_PUSH(st->ar, &st->sent, *sent);
    uint32_t at = st->sent.n - 1;
    while (at > 0 && st->sent.v[at - 1].at_ms > sent->at_ms) {
        st->sent.v[at] = st->sent.v[at - 1];
        at--;
    }
    st->sent.v[at] = *sent;
    forget(rn);
    SC_ASSERT(st->sent.n <= SENT_MAX);
}

int64_t sc_cap_since(const struct sc_state *st, uint16_t trigger, uint64_t key_hash, int64_t at_ms)
{
    int64_t nearest = SC_NO_DUE;
    for (uint32_t i = 0; i < st->sent.n; i++) {
        const struct sc_sent *s = &st->sent.v[i];
        int64_t away = s->at_ms > at_ms ? s->at_ms - at_ms : at_ms - s->at_ms;
        if (s->trigger == trigger && s->key_hash == key_hash && away < nearest)
            nearest = away;
    }
    SC_ASSERT(nearest >= 0);
    return nearest;
}
