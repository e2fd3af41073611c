/* Civil time, RFC 3339 and durations: plain arithmetic on the proleptic Gregorian calendar. */
#include "base/time.h"
#include "base/assert.h"

#include <endian.h>
#include <stdio.h>
#include <time.h>

__extension__ typedef __int128 i128;

#define DAYS_400Y 146097    /* days in 400 Gregorian years */
#define DAYS_TO_1970 719468 /* from 0000-03-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t floor_mod(int64_t a, int64_t b)
{
    return a % b + (a % b < 0 ? b : 0);
}

/* Years begin in March here, so that the leap day is the last day of a year and the days before
 * month m (0 = March) are (153 m + 2) / 5. */
int64_t sc_civil_days(int32_t year, unsigned month, unsigned day)
{
    SC_ASSERT(month >= 1 && month <= 12 && day >= 1 && day <= 31);
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t y_of_era = y - era * 400;
    int64_t d_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t d_of_era = y_of_era * 365 + y_of_era / 4 - y_of_era / 100 + d_of_year;
    return era * DAYS_400Y + d_of_era - DAYS_TO_1970;
}

void sc_civil_from_ms(int64_t ms, struct sc_civil *out)
{
    int64_t days = floor_div(ms, SC_DAY_MS);
    uint32_t rest = (uint32_t)floor_mod(ms, SC_DAY_MS);
    int64_t z = days + DAYS_TO_1970;
    int64_t era = floor_div(z, DAYS_400Y);
    uint32_t d_of_era = (uint32_t)(z - era * DAYS_400Y);
    uint32_t y_of_era =
        (d_of_era - d_of_era / 1460 + d_of_era / 36524 - d_of_era / (DAYS_400Y - 1)) / 365;
    uint32_t d_of_year = d_of_era - (365 * y_of_era + y_of_era / 4 - y_of_era / 100);
    uint32_t m = (5 * d_of_year + 2) / 153;
    *out = (struct sc_civil){
        .month = (uint8_t)(m < 10 ? m + 3 : m - 9),
        .day = (uint8_t)(d_of_year - (153 * m + 2) / 5 + 1),
        .hour = (uint8_t)(rest / 3600000),
        .minute = (uint8_t)(rest / 60000 % 60),
        .second = (uint8_t)(rest / 1000 % 60),
        .nanos = rest % 1000 * 1000000,
    };
    out->year = (int32_t)(era * 400) + (int32_t)y_of_era + (out->month <= 2);
}

int64_t sc_civil_to_ms(const struct sc_civil *c)
{
    SC_ASSERT(c->hour < 24 && c->minute < 60 && c->second < 60);
    return sc_civil_days(c->year, c->month, c->day) * SC_DAY_MS + c->hour * SC_HOUR_MS +
           c->minute * SC_MINUTE_MS + c->second * SC_SECOND_MS + c->nanos / 1000000;
}

unsigned sc_civil_weekday(int64_t ms)
{
    return (unsigned)floor_mod(floor_div(ms, SC_DAY_MS) + 3, 7); /* 1970-01-01 was a Thursday */
}

/* A cursor over text; a failed step leaves `ok` false and stays so. */
struct cursor {
    const char *p, *end;
    bool ok;
};

static unsigned take_digits(struct cursor *c, int n)
{
    unsigned v = 0;
    for (int i = 0; i < n; ++i, ++c->p) {
        if (c->p == c->end || *c->p < '0' || *c->p > '9') {
            c->ok = false;
            return 0;
        }
        v = v * 10 + (unsigned)(*c->p - '0');
    }
    return v;
}

static bool take(struct cursor *c, char want)
{
    if (!c->ok || c->p == c->end || *c->p != want)
        return false;
    ++c->p;
    return true;
}

static void must(struct cursor *c, char want)
{
    c->ok = take(c, want);
}

static bool date_ok(const struct sc_civil *v)
{
    static const uint8_t length[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (v->month < 1 || v->month > 12 || v->day < 1)
        return false;
    bool leap = v->year % 4 == 0 && (v->year % 100 != 0 || v->year % 400 == 0);
    return v->day <= length[v->month - 1] + (v->month == 2 && leap);
}

static uint32_t take_fraction(struct cursor *c)
{
    static const uint32_t scale[10] = {1000000000, 100000000, 10000000, 1000000, 100000,
                                       10000,      1000,      100,      10,      1};
    uint32_t nanos = take_digits(c, 1);
    int digits = 1;
    for (; c->ok && c->p < c->end && *c->p >= '0' && *c->p <= '9'; ++c->p)
        if (digits < 9) {
            nanos = nanos * 10 + (uint32_t)(*c->p - '0');
            digits++;
        }
    return nanos * scale[digits];
}

/* Two digits at a place; `bad` gets bits when one is none. */
static inline unsigned pair(const char *p, unsigned *bad)
{
    unsigned tens = (unsigned)p[0] - '0', ones = (unsigned)p[1] - '0';
    *bad |= (tens > 9) | (ones > 9);
    return tens * 10 + ones;
}

#define DATE_LEN 10 /* yyyy-mm-dd */
#define TIME_LEN 19 /* and Thh:mm:ss behind it */

static bool take_date(struct cursor *c, struct sc_civil *v)
{
    const char *p = c->p;
    unsigned bad = 0;
    if (c->end - p < DATE_LEN)
        return false;
    v->year = (int32_t)(pair(p, &bad) * 100 + pair(p + 2, &bad));
    v->month = (uint8_t)pair(p + 5, &bad);
    v->day = (uint8_t)pair(p + 8, &bad);
    c->p += DATE_LEN;
    return !bad && p[4] == '-' && p[7] == '-' && date_ok(v);
}

/* Thh:mm:ss[.fraction]. True in `leap` for second 60, kept as 59.999. */
static bool take_clock(struct cursor *c, struct sc_civil *v, bool *leap)
{
    const char *p = c->p;
    unsigned bad = 0;
    if (c->end - p < TIME_LEN - DATE_LEN)
        return false;
    v->hour = (uint8_t)pair(p + 1, &bad);
    v->minute = (uint8_t)pair(p + 4, &bad);
    v->second = (uint8_t)pair(p + 7, &bad);
    c->p += TIME_LEN - DATE_LEN;
    if (bad || (*p != 'T' && *p != 't' && *p != ' ') || p[3] != ':' || p[6] != ':')
        return false;
    if (take(c, '.'))
        v->nanos = take_fraction(c);
    *leap = v->second == 60;
    if (*leap) {
        v->second = 59;
        v->nanos = 999000000;
    }
    return c->ok && v->hour < 24 && v->minute < 60 && v->second < 60;
}

/* "Z" or an offset, in milliseconds. */
static int64_t take_offset(struct cursor *c)
{
    if (take(c, 'Z') || take(c, 'z'))
        return 0;
    int sign = take(c, '-') ? -1 : 1;
    if (sign > 0)
        must(c, '+');
    unsigned hours = take_digits(c, 2);
    must(c, ':');
    unsigned minutes = take_digits(c, 2);
    c->ok = c->ok && hours < 24 && minutes < 60;
    return sign * (hours * SC_HOUR_MS + minutes * SC_MINUTE_MS);
}

static inline uint64_t load8(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return le64toh(v);
}

/* Eight characters that look like `shape`, where a 0 is any digit: their digits in its place, all
 * else zero. Bits in *bad when they do not. */
static inline uint64_t digits_of(uint64_t text, uint64_t shape, uint64_t *bad)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t zero = shape ^ ones * '0';                        /* 0 where a digit is */
    uint64_t other = (zero | (zero + ones * 0x7f)) & ones * 0x80; /* 0x80 where none is */
    uint64_t digit = (ones * 0x80 ^ other) / 0x80 * 0x0f;      /* 0x0f where one is */
    uint64_t v = text ^ shape;                                 /* digits 0..9 and zeros, when right */
    *bad |= (v & ~digit) | ((v + ones * 6) & ones * 0x10);
    return v;
}

/* The common form, yyyy-mm-ddThh:mm:ss.mmmZ, eight characters at a time. False for all else, and
 * for a leap second: those are read with care. */
static bool parse_common(struct sc_str s, int64_t *ms)
{
    uint64_t bad = 0;
    if (s.len != 24)
        return false;
    uint64_t year = digits_of(load8(s.p), 0x2d30302d30303030, &bad);         /* "0000-00-" */
    uint64_t day = digits_of(load8(s.p + 8), 0x30303a3030543030, &bad);      /* "00T00:00" */
    uint64_t second = digits_of(load8(s.p + 16), 0x5a3030302e30303a, &bad);  /* ":00.000Z" */
    if (bad)
        return false;
    uint64_t years = year * 10 + (year >> 8), days = day * 10 + (day >> 8); /* pairs, at their tens */
    uint64_t seconds = second * 10 + (second >> 8);
    struct sc_civil v = {
        .year = (int32_t)((years & 0xff) * 100 + (years >> 16 & 0xff)),
        .month = years >> 40 & 0xff,
        .day = days & 0xff,
        .hour = days >> 24 & 0xff,
        .minute = days >> 48 & 0xff,
        .second = seconds >> 8 & 0xff,
        .nanos = (uint32_t)((seconds >> 32 & 0xff) * 10 + (second >> 48 & 0xff)) * 1000000,
    };
    if (!date_ok(&v) || v.hour > 23 || v.minute > 59 || v.second > 59)
        return false;
    *ms = sc_civil_to_ms(&v);
    return true;
}

bool sc_time_parse(struct sc_str s, const struct sc_tz *zone, int64_t *ms, uint32_t *sub_ns)
{
    if (parse_common(s, ms)) {
        if (sub_ns != NULL)
            *sub_ns = 0;
        return true;
    }
    struct cursor c = {s.p, s.p + s.len, true};
    struct sc_civil v = {0};
    bool leap = false;
    if (!take_date(&c, &v) || (c.p < c.end && !take_clock(&c, &v, &leap)))
        return false;
    bool local = c.p == c.end;
    int64_t offset = local ? 0 : take_offset(&c);
    if (!c.ok || c.p != c.end || (local && zone == NULL))
        return false;
    int64_t at = sc_civil_to_ms(&v) - offset;
    if (local)
        at = sc_tz_from_local(zone, at);
    if (leap && floor_mod(at, SC_HOUR_MS) < SC_HOUR_MS - SC_SECOND_MS)
        return false; /* a leap second ends an hour of UTC */
    *ms = at;
    if (sub_ns != NULL)
        *sub_ns = v.nanos % 1000000;
    return true;
}

static inline char *put_pair(char *to, unsigned value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233"
                                "34353637383940414243444546474849505152535455565758596061626364656667"
                                "6869707172737475767778798081828384858687888990919293949596979899";
    memcpy(to, pairs + 2 * (size_t)value, 2);
    return to + 2;
}

/* A sign, and two digits. */
static inline char *put_part(char *to, char sign, unsigned value)
{
    *to = sign;
    return put_pair(to + 1, value);
}

size_t sc_time_format(int64_t ms, char out[32])
{
    struct sc_civil v;
    sc_civil_from_ms(ms, &v);
    char *at = out;
    if (v.year >= 0 && v.year <= 9999) {
        at = put_pair(at, (unsigned)v.year / 100);
        at = put_pair(at, (unsigned)v.year % 100);
    } else { /* only what is not a time of ours */
        at += snprintf(out, 16, "%04d", v.year);
    }
    at = put_part(at, '-', v.month);
    at = put_part(at, '-', v.day);
    at = put_part(at, 'T', v.hour);
    at = put_part(at, ':', v.minute);
    at = put_part(at, ':', v.second);
    if (v.nanos != 0) {
        unsigned thousandths = v.nanos / 1000000;
        at = put_part(at, '.', thousandths / 10);
        *at++ = (char)('0' + thousandths % 10);
    }
    *at++ = 'Z';
    SC_ASSERT(at - out <= 32);
    return (size_t)(at - out);
}

/* Units from large to small; a duration's text must follow this order. */
static const struct {
    char name[3];
    int64_t ms;
} duration_units[] = {
    {"d", SC_DAY_MS}, {"h", SC_HOUR_MS}, {"m", SC_MINUTE_MS}, {"s", SC_SECOND_MS}, {"ms", 1},
};
#define UNIT_COUNT (sizeof(duration_units) / sizeof(duration_units[0]))

/* "12" or "1.25" as value * 10^digits; at most 18 digits. */
static bool take_number(struct cursor *c, int64_t *value, int64_t *divisor)
{
    int digits = 0;
    bool point = false;
    *value = 0;
    *divisor = 1;
    for (; c->p < c->end; ++c->p) {
        if (*c->p == '.' && !point && digits > 0) {
            point = true;
            continue;
        }
        if (*c->p < '0' || *c->p > '9')
            break;
        if (++digits > 18)
            return false;
        *value = *value * 10 + (*c->p - '0');
        *divisor *= point ? 10 : 1;
    }
    return digits > 0 && c->p[-1] != '.';
}

static bool unit_at(struct cursor *c, size_t *unit)
{
    const char *from = c->p;
    while (c->p < c->end && *c->p >= 'a' && *c->p <= 'z')
        ++c->p;
    struct sc_str name = {from, (size_t)(c->p - from)};
    for (; *unit < UNIT_COUNT; ++*unit)
        if (sc_str_eqz(name, duration_units[*unit].name))
            return true;
    return false;
}

bool sc_duration_parse(struct sc_str s, int64_t *ms)
{
    struct cursor c = {s.p, s.p + s.len, true};
    bool negative = take(&c, '-');
    if (c.end - c.p == 1 && *c.p == '0') {
        *ms = 0;
        return true;
    }
    i128 sum = 0;
    size_t unit = 0; /* the first unit still allowed */
    do {
        int64_t value, divisor;
        if (!take_number(&c, &value, &divisor) || !unit_at(&c, &unit))
            return false;
        i128 part = (i128)value * duration_units[unit++].ms;
        if (part % divisor != 0)
            return false; /* finer than a millisecond */
        sum += part / divisor;
    } while (c.p < c.end);
    if (sum > INT64_MAX)
        return false;
    *ms = negative ? -(int64_t)sum : (int64_t)sum;
    return true;
}

size_t sc_duration_format(int64_t ms, char out[64])
{
    uint64_t left = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
    int n = 0;
    if (ms < 0)
        out[n++] = '-';
    for (size_t i = 0; i < UNIT_COUNT; ++i) {
        uint64_t count = left / (uint64_t)duration_units[i].ms;
        left -= count * (uint64_t)duration_units[i].ms;
        if (count != 0)
            n += snprintf(out + n, 64 - (size_t)n, "%llu%s", (unsigned long long)count,
                          duration_units[i].name);
    }
    if (n == 0)
        n = snprintf(out, 64, "0s");
    SC_ASSERT(n > 0 && n < 64);
    return (size_t)n;
}

int64_t sc_time_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * SC_SECOND_MS + t.tv_nsec / 1000000;
}

int64_t sc_time_mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SC_SECOND_MS + t.tv_nsec / 1000000;
}
