/* Time zones against libc: for each zone a child process with TZ set compares instants around every
 * transition from 1880 to 2120. */
#include "base/time.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FROM INT64_C(-2840140800) /* 1880 */
#define TO INT64_C(4733510400)    /* 2120 */

static const char *const zones[] = {
    "Africa/Cairo",        "Africa/Casablanca", "Africa/Johannesburg", "Africa/Lagos",
    "America/Caracas",     "America/Chicago",   "America/Halifax",     "America/Los_Angeles",
    "America/New_York",    "America/Nuuk",      "America/Santiago",    "America/Sao_Paulo",
    "America/St_Johns",    "Antarctica/Troll",  "Asia/Dhaka",          "Asia/Gaza",
    "Asia/Jerusalem",      "Asia/Kathmandu",    "Asia/Kolkata",        "Asia/Pyongyang",
    "Asia/Shanghai",       "Asia/Tehran",       "Asia/Tokyo",          "Australia/Adelaide",
    "Australia/Lord_Howe", "Australia/Sydney",  "Europe/Amsterdam",    "Europe/Berlin",
    "Europe/Dublin",       "Europe/Istanbul",   "Europe/London",       "Europe/Moscow",
    "Pacific/Apia",        "Pacific/Auckland",  "Pacific/Chatham",     "Pacific/Kiritimati",
    "Etc/GMT+5",           "EST5EDT",
};

static int64_t libc_offset(int64_t t)
{
    time_t at = (time_t)t;
    struct tm tm;
    localtime_r(&at, &tm);
    return (int64_t)tm.tm_gmtoff * SC_SECOND_MS;
}

/* The properties of one instant. */
static bool instant_ok(const struct sc_tz *tz, int64_t t)
{
    int64_t offset = sc_tz_offset_ms(tz, t * 1000);
    if (offset != libc_offset(t))
        return false;
    int64_t local = sc_tz_to_local(tz, t * 1000 + 7);
    int64_t back = sc_tz_from_local(tz, local);
    /* back has this local time too, and is the first that has */
    return local == t * 1000 + 7 + offset && back <= t * 1000 + 7 &&
           sc_tz_to_local(tz, back) == local;
}

/* The local times around a transition at t: in a gap the answer is t itself. */
static bool transition_ok(const struct sc_tz *tz, int64_t t)
{
    int64_t before = sc_tz_offset_ms(tz, t * 1000 - 1), after = sc_tz_offset_ms(tz, t * 1000);
    if (after > before) { /* gap */
        return sc_tz_from_local(tz, t * 1000 + before) == t * 1000 &&
               sc_tz_from_local(tz, t * 1000 + after - 1) == t * 1000 &&
               sc_tz_from_local(tz, t * 1000 + after) == t * 1000;
    }
    /* twice: the first of both */
    return sc_tz_from_local(tz, t * 1000 + after) == t * 1000 + after - before &&
           sc_tz_from_local(tz, t * 1000 + before - 1) == t * 1000 - 1;
}

/* 0: all is as libc says; 1: not; 2: no such zone; 3: fewer transitions than a zone must have. */
static int zone_check(const char *name)
{
    struct sc_tz *tz = sc_tz_load(sc_str_from(name));
    if (tz == NULL)
        return 2;
    setenv("TZ", name, 1);
    tzset();
    int bad = 0, transitions = 0;
    for (int64_t day = FROM; day < TO && !bad; day += 86400) {
        bad = !instant_ok(tz, day);
        int64_t low = day, high = day + 86400;
        if (libc_offset(low) == libc_offset(high))
            continue;
        while (high - low > 1) { /* the transition of this day, by bisection */
            int64_t mid = low + (high - low) / 2;
            if (libc_offset(mid) == libc_offset(low))
                low = mid;
            else
                high = mid;
        }
        ++transitions;
        for (int64_t t = high - 2; t <= high + 1; ++t)
            bad = bad || !instant_ok(tz, t);
        bad = bad || !transition_ok(tz, high);
        if (bad)
            fprintf(stderr, "%s at %lld\n", name, (long long)high);
    }
    sc_tz_destroy(tz);
    return bad ? 1 : transitions == 0 && strcmp(name, "Etc/GMT+5") != 0 ? 3 : 0;
}

Test(tz, agrees_with_libc)
{
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0)
        cr_skip_test("no tzdata");
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); ++i) {
        char path[64];
        snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zones[i]);
        if (strchr(zones[i], '/') == NULL && access(path, R_OK) != 0)
            continue; /* an old name: Debian 13 has those in a package of their own */
        pid_t pid = fork();
        if (pid == 0)
            _exit(zone_check(zones[i]));
        int status;
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %d", zones[i],
                  WEXITSTATUS(status));
    }
}

Test(tz, fixed_offsets_and_utc)
{
    struct sc_tz *tz = sc_tz_load(SC_STR("-03:30"));
    cr_assert_eq(sc_tz_offset_ms(tz, 0), -(3 * SC_HOUR_MS + 30 * SC_MINUTE_MS));
    cr_assert(sc_str_eqz(sc_tz_name(tz), "-03:30"));
    sc_tz_destroy(tz);
    tz = sc_tz_load(SC_STR("UTC"));
    cr_assert_eq(sc_tz_offset_ms(tz, INT64_C(1772445600000)), 0);
    cr_assert_eq(sc_tz_from_local(tz, INT64_C(-1772445600001)), INT64_C(-1772445600001));
    sc_tz_destroy(tz);
}

Test(tz, refuses_strange_names)
{
    static const char *const names[] = {
        "",
        "/etc/passwd",
        "../../etc/passwd",
        "Europe/../Europe/Berlin",
        "Europe/Nowhere",
        "Europe",
        "+24:00",
        "+2:00",
        "02:00",
        "+02:60",
        "Europe/Berlin\n",
        ".",
        "zone.tab",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i)
        cr_assert_null(sc_tz_load(sc_str_from(names[i])), "%s", names[i]);
    char longer[80];
    memset(longer, 'a', sizeof(longer));
    cr_assert_null(sc_tz_load((struct sc_str){longer, sizeof(longer)}));
}

/* A TZif file without transitions whose footer is `rule`. */
static struct sc_tz *footer(const char *rule)
{
    static char file[512];
    memset(file, 0, sizeof(file));
    size_t n = 0;
    for (int block = 0; block < 2; ++block) {
        memcpy(file + n, "TZif2", 5);
        file[n + 39] = 1; /* one type */
        file[n + 43] = 4; /* four bytes of names */
        n += 44 + 6 + 4;
    }
    n += (size_t)snprintf(file + n, sizeof(file) - n, "\n%s\n", rule);
    return sc_tz_read(SC_STR("test"), (struct sc_str){file, n});
}

static int64_t hours_at(const char *rule, const char *utc)
{
    struct sc_tz *tz = footer(rule);
    cr_assert_not_null(tz, "%s", rule);
    int64_t ms;
    cr_assert(sc_time_parse(sc_str_from(utc), NULL, &ms, NULL));
    int64_t hours = sc_tz_offset_ms(tz, ms) / SC_HOUR_MS;
    sc_tz_destroy(tz);
    return hours;
}

Test(tz, footer_rules)
{
    cr_assert_eq(hours_at("CET-1CEST,M3.5.0,M10.5.0/3", "2500-03-28T00:59:59Z"), 1);
    cr_assert_eq(hours_at("CET-1CEST,M3.5.0,M10.5.0/3", "2500-03-28T01:00:00Z"), 2);
    cr_assert_eq(hours_at("<+03>-3", "2030-01-01T00:00:00Z"), 3);
    cr_assert_eq(hours_at("AEST-10AEDT,M10.1.0,M4.1.0/3", "2030-01-01T00:00:00Z"), 11);
    cr_assert_eq(hours_at("EST5EDT,0/0,J365/25", "2030-01-01T05:00:00Z"), -4, "all year");
    cr_assert_eq(hours_at("EST5EDT,0/0,J365/25", "2032-12-31T23:59:59Z"), -4);
    cr_assert_eq(hours_at("AAA0BBB-4,J60,J61", "2028-03-01T03:00:00Z"), 4, "J60 is March 1 always");
    cr_assert_eq(hours_at("AAA0BBB-4,59,60", "2028-02-29T03:00:00Z"), 4, "59 is February 29");
    cr_assert_eq(hours_at("", "2028-02-29T03:00:00Z"), 0);
}

/* The end of a year's daylight time behind the start of the next year's; both a week before theirs. */
Test(tz, changes_outside_of_their_year)
{
    const char *behind = "EST2EDT4,0/1,J365/25", *before = "AAA0BBB-4,J1/-160,J1/-100";
    cr_assert_eq(hours_at(behind, "2030-01-01T02:00:00Z"), -2);
    cr_assert_eq(hours_at(behind, "2030-01-01T03:00:00Z"), -4);
    cr_assert_eq(hours_at(behind, "2030-01-01T05:00:00Z"), -2);
    cr_assert_eq(hours_at(before, "2029-12-25T07:59:59Z"), 0);
    cr_assert_eq(hours_at(before, "2029-12-25T08:00:00Z"), 4);
    cr_assert_eq(hours_at(before, "2029-12-31T12:00:00Z"), 0);
}

Test(tz, refuses_damaged_footers)
{
    static const char *const rules[] = {
        "CET",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-25",
        "C-1",
        "<+03-3",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,J0,J5",
        "CET-1CEST,M3.5.0,M10.5.0x",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1,",
        "CET-99999999999999999999",
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); ++i)
        cr_assert_null(footer(rules[i]), "%s", rules[i]);
}
