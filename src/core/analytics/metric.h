/* What is measured: one table of metrics, each with its keys, window and unit. Publishing, the
 * report and docs/analytics.md follow this table. A cell is one number of one metric, by window and
 * key; deltas are cells too: whoever reads them adds them up, in any order.
 *
 * Keys are small numbers (a stage's index, a channel's, a bucket), so a cell is flat and a cube of
 * them is bounded by the windows in the data times what the configuration names, whatever the
 * number of customers. Definitions: semantics 37-38. */
#ifndef SC_CORE_ANALYTICS_METRIC_H
#define SC_CORE_ANALYTICS_METRIC_H

#include "base/str.h"

#include <stdint.h>

__extension__ typedef __int128 sc_sum; /* exact: milliseconds, points, units of money */

enum sc_key_kind {
    SC_KEY_NONE,
    SC_KEY_STAGE, SC_KEY_FROM, SC_KEY_TO, SC_KEY_CAUSE, SC_KEY_MILESTONE, SC_KEY_TRIGGER,
    SC_KEY_CHANNEL, SC_KEY_OUTCOME, SC_KEY_REASON, SC_KEY_CAP, SC_KEY_EVENT, SC_KEY_MEDIUM,
    SC_KEY_NEXT_MEDIUM, SC_KEY_CASE, SC_KEY_LIFE, SC_KEY_TARGET, SC_KEY_GROUP, SC_KEY_ANSWER,
    SC_KEY_BUCKET,    /* milliseconds, at least: sc_bucket_ms */
    SC_KEY_WEEKS, SC_KEY_FREQUENCY, /* the number itself */
    SC_KEY_COUNT
};
#define SC_KEYS_MAX 3

enum sc_window { SC_WINDOW_DAY, SC_WINDOW_WEEK /* from Monday */ };
enum sc_sum_unit { SC_SUM_NONE, SC_SUM_MS, SC_SUM_POINTS, SC_SUM_VALUE, SC_SUM_DAYS, SC_SUM_CASES };

/* name, window, keys, unit of the sum, what one counts */
#define SC_METRIC_TABLE(X)                                                                         \
    X(CUSTOMERS, "customers", DAY, NONE, NONE, NONE, NONE,                                         \
      "customers, by the day of their first event")                                                \
    X(ACTIVE, "active", WEEK, LIFE, NONE, NONE, NONE,                                              \
      "customers with an event in the week: new, returning (also in the week before), resurrected")\
    X(RETENTION, "retention", WEEK, WEEKS, NONE, NONE, NONE,                                       \
      "customers whose first week it was, active so many weeks later")                             \
    X(REACHED, "reached", DAY, STAGE, NONE, NONE, NONE,                                            \
      "customers who entered the stage for the first time: the funnel")                            \
    X(TRANSITION, "transition", DAY, FROM, TO, CAUSE, NONE, "changes of stage")                    \
    X(IN_STAGE, "in_stage", DAY, STAGE, BUCKET, NONE, MS,                                          \
      "stages left, by the time spent in them; sum: milliseconds")                                 \
    X(TARGET, "target", DAY, STAGE, TARGET, NONE, NONE,                                            \
      "stages with a target left within or after it, and customers who became overdue")            \
    X(TIME_TO_VALUE, "time_to_value", DAY, MILESTONE, BUCKET, NONE, MS,                            \
      "milestones reached, by the time since the customer's first event; sum: milliseconds")       \
    X(MESSAGE, "message", DAY, TRIGGER, CHANNEL, OUTCOME, NONE,                                    \
      "messages sent, deferred, withdrawn")                                                        \
    X(SUPPRESSED, "suppressed", DAY, TRIGGER, REASON, NONE, NONE, "messages not sent, by reason")  \
    X(CAPPED, "capped", DAY, CAP, CHANNEL, NONE, NONE, "messages that a cap stopped on a channel") \
    X(DEFERRAL, "deferral", DAY, TRIGGER, BUCKET, NONE, MS,                                        \
      "messages deferred, by how long they wait; sum: milliseconds")                               \
    X(CONTACT, "contact", DAY, EVENT, MEDIUM, NONE, NONE, "contacts made by customers")            \
    X(FIRST_CONTACT, "first_contact", DAY, EVENT, MEDIUM, NONE, CASES,                             \
      "contacts with none on the topic in the 7 days before; sum: those with another within 7 days")\
    X(SWITCH, "switch", DAY, MEDIUM, NEXT_MEDIUM, NONE, NONE,                                      \
      "contacts followed by one on the same topic by another channel within 24 h")                 \
    X(WAITING, "waiting", DAY, MEDIUM, BUCKET, NONE, MS,                                           \
      "contacts answered, by the time until the answer; sum: milliseconds")                        \
    X(HANDLING, "handling", DAY, CASE, MEDIUM, BUCKET, MS,                                         \
      "cases closed, by the time since they were opened; sum: milliseconds")                       \
    X(ESCALATION, "escalation", DAY, EVENT, MEDIUM, NONE, NONE, "escalations")                     \
    X(NPS, "nps", DAY, STAGE, GROUP, NONE, POINTS,                                                 \
      "answers: promoter (9, 10), passive (7, 8), detractor; sum: points")                         \
    X(CSAT, "csat", DAY, STAGE, ANSWER, NONE, POINTS,                                              \
      "answers, satisfied or not; sum: points")                                                    \
    X(CES, "ces", DAY, STAGE, NONE, NONE, POINTS, "answers; sum: points")                          \
    X(PURCHASE, "purchase", DAY, EVENT, STAGE, NONE, VALUE, "purchases; sum: their value")         \
    X(BUYERS, "buyers", DAY, FREQUENCY, NONE, NONE, DAYS,                                          \
      "customers by their first purchase day and frequency; sum: recency, days")                   \
    X(REPEAT_VALUE, "repeat_value", DAY, FREQUENCY, NONE, NONE, VALUE,                             \
      "the same customers; sum: value of the days after their first")

enum sc_metric {
#define SC_METRIC_ENUM(name, ...) SC_METRIC_##name,
    SC_METRIC_TABLE(SC_METRIC_ENUM)
#undef SC_METRIC_ENUM
        SC_METRIC_COUNT
};

struct sc_metric_info {
    const char *name;
    enum sc_window window;
    enum sc_key_kind keys[SC_KEYS_MAX];
    enum sc_sum_unit sum;
    const char *text;
};
const struct sc_metric_info *sc_metric_info(enum sc_metric m);
/* "stage", "from", "at_least_ms", …: how a key is called in records. */
const char *sc_key_name(enum sc_key_kind kind);
/* "ms", "points", …; NULL: the metric has no sum. */
const char *sc_sum_name(enum sc_sum_unit unit);

#define SC_KEY_UNKNOWN (-1) /* not known, or of nobody: left out of the record */

struct sc_cell {
    uint8_t metric;  /* enum sc_metric */
    int32_t keys[SC_KEYS_MAX];
    int64_t start_ms; /* of the window */
    int64_t count;
    sc_sum sum;
};

/* Start of the window that holds the instant; the window's length. */
int64_t sc_window_start(enum sc_window window, int64_t ms);
int64_t sc_window_length(enum sc_window window);

/* Times by bucket: four to each doubling, so a quantile read from them is within 12.5 %. Negative
 * spans count as 0. */
#define SC_BUCKETS_MAX 172
int32_t sc_bucket_of(int64_t ms);
int64_t sc_bucket_ms(int32_t bucket); /* its least */

#endif
