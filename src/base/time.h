/* Civil time: RFC 3339, durations, time zones. Instants are int64 milliseconds since 1970-01-01Z,
 * durations int64 milliseconds. Zone arithmetic wants instants two days off int64's ends.
 * Nothing here reads a clock except sc_time_now_ms and sc_time_mono_ms (never in core). */
#ifndef SC_BASE_TIME_H
#define SC_BASE_TIME_H

#include "base/str.h"

#define SC_SECOND_MS INT64_C(1000)
#define SC_MINUTE_MS (60 * SC_SECOND_MS)
#define SC_HOUR_MS (60 * SC_MINUTE_MS)
#define SC_DAY_MS (24 * SC_HOUR_MS)

struct sc_civil {
    int32_t year;
    uint8_t month, day;           /* 1..12, 1..31 */
    uint8_t hour, minute, second; /* second 0..59; a leap second 60 is read as 59.999 */
    uint32_t nanos;               /* 0..999,999,999 */
};

/* Proleptic Gregorian day number of a date (1970-01-01 = 0), and back. */
int64_t sc_civil_days(int32_t year, unsigned month, unsigned day);
void sc_civil_from_ms(int64_t ms, struct sc_civil *out);
int64_t sc_civil_to_ms(const struct sc_civil *c);
/* 0 = Monday … 6 = Sunday of the UTC day. */
unsigned sc_civil_weekday(int64_t ms);

struct sc_tz;

/* RFC 3339 text. Without an offset only with `zone` (not NULL), read as local time there.
 * A date alone ("2026-03-02") is midnight, and has no offset either. `sub_ns` (may be NULL) gets
 * nanoseconds below the millisecond. False when it is not a time. */
bool sc_time_parse(struct sc_str s, const struct sc_tz *zone, int64_t *ms, uint32_t *sub_ns);
/* "2026-03-02T10:00:00Z", with ".123" when the milliseconds are not 0: bytes written, no NUL. */
size_t sc_time_format(int64_t ms, char out[32]);
/* "30m", "24h", "1h30m", "90d", "1.5s", "250ms", "-1h"; units d h m s ms, each at most once and
 * larger ones first; a day is 24 hours; "0" too. False on anything else, on fractions of a
 * millisecond and on overflow. */
bool sc_duration_parse(struct sc_str s, int64_t *ms);
/* Largest exact units first: "1h30m", "7d", "0s". */
size_t sc_duration_format(int64_t ms, char out[64]);
/* Wall clock. Not for core. */
int64_t sc_time_now_ms(void);
/* Monotonic clock, milliseconds. Not for core. */
int64_t sc_time_mono_ms(void);

/* A zone of tzdata (RFC 8536 TZif read from /usr/share/zoneinfo or $TZDIR, with the footer's rule
 * for times past the table), "UTC", or a fixed offset "+02:00". Loaded once, then read-only. */
/* NULL when there is no such zone; names are checked (no "..", no absolute path). */
struct sc_tz *sc_tz_load(struct sc_str name);
/* The same from the bytes of a TZif file (borrowed for the call). NULL when they are damaged. */
struct sc_tz *sc_tz_read(struct sc_str name, struct sc_str tzif);
void sc_tz_destroy(struct sc_tz *tz);
struct sc_str sc_tz_name(const struct sc_tz *tz);
/* Offset of local time from UTC at an instant, in milliseconds (east positive). */
int64_t sc_tz_offset_ms(const struct sc_tz *tz, int64_t utc_ms);
/* Local civil milliseconds ("as if UTC") of an instant. */
int64_t sc_tz_to_local(const struct sc_tz *tz, int64_t utc_ms);
/* The instant of a local civil time. In a gap: the first instant after it; twice: the first. */
int64_t sc_tz_from_local(const struct sc_tz *tz, int64_t local_ms);

#endif
