/* See metric.h. */
#include "core/analytics/metric.h"

#include "base/assert.h"
#include "base/time.h"

static const struct sc_metric_info infos[SC_METRIC_COUNT] = {
#define SC_METRIC_INFO(id, name, window, a, b, c, sum, text)                                       \
    [SC_METRIC_##id] = {name, SC_WINDOW_##window, {SC_KEY_##a, SC_KEY_##b, SC_KEY_##c},            \
                        SC_SUM_##sum, text},
    SC_METRIC_TABLE(SC_METRIC_INFO)
#undef SC_METRIC_INFO
};

const struct sc_metric_info *sc_metric_info(enum sc_metric m)
{
    SC_ASSERT(m < SC_METRIC_COUNT);
    return &infos[m];
}

const char *sc_key_name(enum sc_key_kind kind)
{
    static const char *const names[SC_KEY_COUNT] = {
        [SC_KEY_STAGE] = "stage", [SC_KEY_FROM] = "from", [SC_KEY_TO] = "to",
        [SC_KEY_CAUSE] = "cause", [SC_KEY_MILESTONE] = "milestone", [SC_KEY_TRIGGER] = "trigger",
        [SC_KEY_CHANNEL] = "channel", [SC_KEY_OUTCOME] = "outcome", [SC_KEY_REASON] = "reason",
        [SC_KEY_CAP] = "cap", [SC_KEY_EVENT] = "event", [SC_KEY_MEDIUM] = "channel",
        [SC_KEY_NEXT_MEDIUM] = "next_channel", [SC_KEY_CASE] = "case", [SC_KEY_LIFE] = "life",
        [SC_KEY_TARGET] = "target", [SC_KEY_GROUP] = "group", [SC_KEY_ANSWER] = "answer",
        [SC_KEY_BUCKET] = "at_least_ms", [SC_KEY_WEEKS] = "weeks",
        [SC_KEY_FREQUENCY] = "frequency",
    };
    SC_ASSERT(kind > SC_KEY_NONE && kind < SC_KEY_COUNT);
    return names[kind];
}

const char *sc_sum_name(enum sc_sum_unit unit)
{
    switch (unit) {
    case SC_SUM_NONE:
        return NULL;
    case SC_SUM_MS:
        return "ms";
    case SC_SUM_POINTS:
        return "points";
    case SC_SUM_VALUE:
        return "value";
    case SC_SUM_DAYS:
        return "days";
    case SC_SUM_CASES:
        return "contacts";
    }
    SC_UNREACHABLE("unit of a sum");
}

static int64_t floor_to(int64_t v, int64_t step)
{
    int64_t rest = v % step;
    return v - (rest < 0 ? rest + step : rest);
}

int64_t sc_window_length(enum sc_window window)
{
    return window == SC_WINDOW_WEEK ? 7 * SC_DAY_MS : SC_DAY_MS;
}

int64_t sc_window_start(enum sc_window window, int64_t ms)
{
    SC_ASSERT(ms > INT64_MIN + 8 * SC_DAY_MS && ms < INT64_MAX - 8 * SC_DAY_MS);
    if (window == SC_WINDOW_DAY)
        return floor_to(ms, SC_DAY_MS);
    const int64_t monday_ms = 4 * SC_DAY_MS; /* 1970-01-05 */
    return floor_to(ms - monday_ms, 7 * SC_DAY_MS) + monday_ms;
}

int32_t sc_bucket_of(int64_t ms)
{
    if (ms < 4)
        return ms < 0 ? 0 : (int32_t)ms;
    int octave = 63 - __builtin_clzll((uint64_t)ms); /* >= 2 */
    int32_t quarter = (int32_t)((uint64_t)ms >> (octave - 2) & 3);
    int32_t bucket = (octave - 1) * 4 + quarter;
    return bucket < SC_BUCKETS_MAX ? bucket : SC_BUCKETS_MAX - 1;
}

int64_t sc_bucket_ms(int32_t bucket)
{
    SC_ASSERT(bucket >= 0 && bucket < SC_BUCKETS_MAX);
    if (bucket < 4)
        return bucket;
    return (int64_t)(4 + bucket % 4) << (bucket / 4 - 1);
}
