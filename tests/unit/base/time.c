/* Civil time, RFC 3339, durations. */
#include "base/time.h"

#include <criterion/criterion.h>
#include <time.h>

Test(time, civil_agrees_with_libc)
{
    for (int64_t day = -800000; day < 3000000; day += 13) {
        int64_t ms = day * SC_DAY_MS + (day & 0xFFFF) * 1237;
        struct sc_civil c;
        sc_civil_from_ms(ms, &c);
        time_t t = (time_t)(ms >= 0 || ms % 1000 == 0 ? ms / 1000 : ms / 1000 - 1);
        struct tm tm;
        gmtime_r(&t, &tm);
        cr_assert(c.year == tm.tm_year + 1900 && c.month == tm.tm_mon + 1 && c.day == tm.tm_mday);
        cr_assert(c.hour == tm.tm_hour && c.minute == tm.tm_min && c.second == tm.tm_sec);
        cr_assert_eq(sc_civil_to_ms(&c), ms);
        cr_assert_eq(sc_civil_weekday(ms), (unsigned)(tm.tm_wday + 6) % 7);
    }
    cr_assert_eq(sc_civil_days(1970, 1, 1), 0);
    cr_assert_eq(sc_civil_days(0, 3, 1), -719468);
}

Test(time, parses_rfc3339)
{
    static const struct {
        const char *text;
        int64_t ms;
        uint32_t sub_ns;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, 0},
        {"2026-03-02T10:00:00Z", INT64_C(1772445600000), 0},
        {"2026-03-02t10:00:00.5z", INT64_C(1772445600500), 0},
        {"2026-03-02 10:00:00+02:00", INT64_C(1772438400000), 0},
        {"2026-03-02T10:00:00-00:30", INT64_C(1772447400000), 0},
        {"2026-03-02T10:00:00.123456789Z", INT64_C(1772445600123), 456789},
        {"2026-03-02T10:00:00.1234567899999Z", INT64_C(1772445600123), 456789},
        {"1969-12-31T23:59:59.9995Z", -1, 500000},
        {"2016-12-31T23:59:60Z", INT64_C(1483228799999), 0},
        {"2017-01-01T00:59:60.5+01:00", INT64_C(1483228799999), 0},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000), 0},
        {"0000-01-01T00:00:00Z", INT64_C(-62167219200000), 0},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999), 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        int64_t ms;
        uint32_t sub_ns;
        cr_assert(sc_time_parse(sc_str_from(cases[i].text), NULL, &ms, &sub_ns), "%s",
                  cases[i].text);
        cr_assert_eq(ms, cases[i].ms, "%s: %lld", cases[i].text, (long long)ms);
        cr_assert_eq(sub_ns, cases[i].sub_ns, "%s: %u", cases[i].text, sub_ns);
    }
}

Test(time, refuses_the_rest)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-03-02",          /* no offset, no zone */
        "2026-03-02T10:00:00", /* the same */
        "2026-03-02T10:00Z",
        "2026-3-2T10:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T10:60:00Z",
        "2026-03-02T10:00:61Z",
        "2026-03-02T10:00:60Z", /* no leap second inside an hour */
        "2026-03-02T10:00:00.Z",
        "2026-03-02T10:00:00,5Z",
        "2026-03-02T10:00:00+2:00",
        "2026-03-02T10:00:00+24:00",
        "2026-03-02T10:00:00+02:60",
        "2026-03-02T10:00:00+0200",
        "2026-03-02T10:00:00Zx",
        "2026-03-02T10:00:00Z ",
        " 2026-03-02T10:00:00Z",
        "-026-03-02T10:00:00Z",
        "2026-03-02X10:00:00Z",
        "1772445600000",
    };
    int64_t ms;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); ++i)
        cr_assert_not(sc_time_parse(sc_str_from(texts[i]), NULL, &ms, NULL), "%s", texts[i]);
}

Test(time, a_zone_stands_in_for_a_missing_offset)
{
    struct sc_tz *tz = sc_tz_load(SC_STR("+02:00"));
    int64_t ms;
    cr_assert(sc_time_parse(SC_STR("2026-03-02T10:00:00"), tz, &ms, NULL));
    cr_assert_eq(ms, INT64_C(1772438400000));
    cr_assert(sc_time_parse(SC_STR("2026-03-02"), tz, &ms, NULL));
    cr_assert_eq(ms, INT64_C(1772402400000));
    cr_assert(sc_time_parse(SC_STR("2026-03-02T10:00:00Z"), tz, &ms, NULL));
    cr_assert_eq(ms, INT64_C(1772445600000), "an offset wins over the zone");
    sc_tz_destroy(tz);
}

Test(time, text_round_trips)
{
    for (int64_t ms = INT64_C(-62167219200000); ms < INT64_C(253402300799999);
         ms += INT64_C(7919000000123)) {
        char text[32];
        size_t n = sc_time_format(ms, text);
        int64_t back;
        uint32_t sub;
        cr_assert(sc_time_parse((struct sc_str){text, n}, NULL, &back, &sub), "%.*s", (int)n, text);
        cr_assert(back == ms && sub == 0);
    }
    char text[32];
    cr_assert_leq(sc_time_format(INT64_MIN, text), 32);
    cr_assert_leq(sc_time_format(INT64_MAX, text), 32);
}

/* yyyy-mm-ddThh:mm:ss.mmmZ is read by eights, the same instant with +00:00 is not: they agree on any
 * text, also when one character of it is another. */
Test(time, common_form_equals_the_careful_way)
{
    static const char others[] = "0123456789-:.TtZ /;@";
    for (int64_t at = INT64_C(-62167219200000); at < INT64_C(253402300799999);
         at += INT64_C(79190000001237)) {
        char text[32], plain[32];
        sc_time_format(at - at % 1000 + 1 + at / 1000 % 999 * (at > 0), text);
        for (size_t i = 0; i < 23 * (sizeof(others) - 1); ++i) {
            memcpy(plain, text, 23);
            plain[i % 23] = others[i / 23];
            plain[23] = 'Z';
            int64_t ms = -1, careful_ms = -1;
            bool ok = sc_time_parse((struct sc_str){plain, 24}, NULL, &ms, NULL);
            memcpy(plain + 23, "+00:00", 6);
            bool careful = sc_time_parse((struct sc_str){plain, 29}, NULL, &careful_ms, NULL);
            cr_assert(ok == careful && (!ok || ms == careful_ms), "%.23s", plain);
        }
    }
}

Test(duration, parse)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"0", 0},
        {"0s", 0},
        {"30m", 30 * SC_MINUTE_MS},
        {"24h", SC_DAY_MS},
        {"1h30m", 90 * SC_MINUTE_MS},
        {"90d", 90 * SC_DAY_MS},
        {"1.5s", 1500},
        {"250ms", 250},
        {"0.001s", 1},
        {"1d2h3m4s5ms", SC_DAY_MS + 2 * SC_HOUR_MS + 3 * SC_MINUTE_MS + 4005},
        {"1m500ms", 60500},
        {"-1h", -SC_HOUR_MS},
        {"106751991167d", INT64_C(106751991167) * SC_DAY_MS},
    };
    static const char *const bad[] = {
        "",
        "-",
        "1",
        "30",
        "m",
        "1.m",
        ".5s",
        "1.5",
        "0.5ms",
        "1 h",
        "1h ",
        "1m1h",
        "1s1s",
        "1w",
        "1H",
        "1hm",
        "1..5s",
        "1e3s",
        "+1s",
        "1h-1m",
        "106751991168d",
        "999999999999999999d",
        "9999999999999999999s",
        "--1s",
    };
    int64_t ms;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); ++i) {
        cr_assert(sc_duration_parse(sc_str_from(good[i].text), &ms), "%s", good[i].text);
        cr_assert_eq(ms, good[i].ms, "%s: %lld", good[i].text, (long long)ms);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i)
        cr_assert_not(sc_duration_parse(sc_str_from(bad[i]), &ms), "%s", bad[i]);
}

static void duration_is(int64_t ms, const char *want)
{
    char text[65];
    text[sc_duration_format(ms, text)] = '\0';
    cr_assert_str_eq(text, want);
    int64_t back;
    if (ms != INT64_MIN)
        cr_assert(sc_duration_parse(sc_str_from(text), &back) && back == ms, "%s", text);
}

Test(duration, format_is_largest_units_first_and_reads_back)
{
    duration_is(0, "0s");
    duration_is(90 * SC_MINUTE_MS, "1h30m");
    duration_is(7 * SC_DAY_MS, "7d");
    duration_is(1500, "1s500ms");
    duration_is(-SC_DAY_MS - 1, "-1d1ms");
    duration_is(INT64_MAX, "106751991167d7h12m55s807ms");
    duration_is(INT64_MIN, "-106751991167d7h12m55s808ms");
}
