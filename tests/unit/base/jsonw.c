/* The JSON writer and the log lines that use it. */
#include "base/jsonw.h"
#include "base/log.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define WRITES(want, ...)                                                                          \
    do {                                                                                           \
        struct sc_buf out = {0};                                                                   \
        struct sc_jsonw w;                                                                         \
        sc_jsonw_init(&w, &out);                                                                   \
        __VA_ARGS__;                                                                               \
        sc_buf_char(&out, '\0');                                                                   \
        cr_assert_str_eq(out.p, want);                                                             \
        sc_buf_fini(&out);                                                                         \
    } while (0)

Test(jsonw, nests_with_commas)
{
    WRITES("{\"a\":[1,[],{}],\"b\":{\"c\":null,\"d\":true},\"e\":\"x\"}", {
        sc_jsonw_obj(&w);
        sc_jsonw_keyz(&w, "a");
        sc_jsonw_arr(&w);
        sc_jsonw_int(&w, 1);
        sc_jsonw_arr(&w);
        sc_jsonw_arr_end(&w);
        sc_jsonw_obj(&w);
        sc_jsonw_obj_end(&w);
        sc_jsonw_arr_end(&w);
        sc_jsonw_keyz(&w, "b");
        sc_jsonw_obj(&w);
        sc_jsonw_keyz(&w, "c");
        sc_jsonw_null(&w);
        sc_jsonw_keyz(&w, "d");
        sc_jsonw_bool(&w, true);
        sc_jsonw_obj_end(&w);
        sc_jsonw_keyz(&w, "e");
        sc_jsonw_strz(&w, "x");
        sc_jsonw_obj_end(&w);
    });
}

Test(jsonw, escapes)
{
    WRITES("\"\\\"\\\\\\b\\t\\n\\f\\r\\u0001\\u001f/\x7f\"",
           sc_jsonw_strz(&w, "\"\\\b\t\n\f\r\x01\x1f/\x7f"));
    WRITES("\"a\\u0000b\"", sc_jsonw_str(&w, SC_STR("a\0b")));
    WRITES("\"é日😀\"", sc_jsonw_strz(&w, "é日😀"));
    WRITES("\"a\uFFFD\uFFFDb\uFFFD\"", sc_jsonw_strz(&w, "a\xC0\x80"
                                                         "b\xE2"));
}

/* Strings are copied by eights, fours and the rest of them: an escape at every place of each. */
Test(jsonw, escapes_at_every_place)
{
    for (size_t n = 1; n <= 20; ++n) {
        for (size_t at = 0; at < n; ++at) {
            char text[20], want[32] = "\"";
            memset(text, 'x', n);
            text[at] = '\n';
            memset(want + 1, 'x', n + 1);
            memcpy(want + 1 + at, "\\n", 2);
            memcpy(want + n + 2, "\"", 2);
            WRITES(want, sc_jsonw_str(&w, (struct sc_str){text, n}));
        }
    }
}

Test(jsonw, numbers_and_times)
{
    WRITES("-9223372036854775808", sc_jsonw_int(&w, INT64_MIN));
    WRITES("18446744073709551615", sc_jsonw_uint(&w, UINT64_MAX));
    WRITES("0.1", sc_jsonw_double(&w, 0.1));
    WRITES("0.30000000000000004", sc_jsonw_double(&w, 0.1 + 0.2));
    WRITES("4.94065645841247e-324", sc_jsonw_double(&w, 5e-324));
    WRITES("null", sc_jsonw_double(&w, NAN));
    WRITES("null", sc_jsonw_double(&w, -INFINITY));
    WRITES("[\"NaN\",\"Infinity\",\"-Infinity\",1]", {
        w.words = true;
        sc_jsonw_arr(&w);
        sc_jsonw_double(&w, NAN);
        sc_jsonw_double(&w, INFINITY);
        sc_jsonw_double(&w, -INFINITY);
        sc_jsonw_double(&w, 1);
        sc_jsonw_arr_end(&w);
    });
    WRITES("12.5", sc_jsonw_decimal(&w, (struct sc_decimal){125000, 4}));
    WRITES("\"2026-03-02T10:00:00.120Z\"", sc_jsonw_time(&w, INT64_C(1772445600120)));
    WRITES("\"000102030405060708090a0b0c0dfeff\"",
           sc_jsonw_hex(&w, (const uint8_t *)"\0\1\2\3\4\5\6\7\10\11\12\13\14\15\376\377"));
    WRITES("[{},1]", {
        sc_jsonw_arr(&w);
        sc_jsonw_raw(&w, SC_STR("{}"));
        sc_jsonw_int(&w, 1);
        sc_jsonw_arr_end(&w);
    });
}

Test(jsonw, doubles_read_back_the_same)
{
    uint64_t x = 1;
    for (int i = 0; i < 100000; ++i) {
        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double d;
        memcpy(&d, &x, sizeof(d));
        if (!isfinite(d))
            continue;
        struct sc_buf out = {0};
        struct sc_jsonw w;
        sc_jsonw_init(&w, &out);
        sc_jsonw_double(&w, d);
        sc_buf_char(&out, '\0');
        cr_assert_eq(strtod(out.p, NULL), d, "%s", out.p);
        sc_buf_fini(&out);
    }
}

Test(jsonw, takes_64_levels)
{
    struct sc_buf out = {0};
    struct sc_jsonw w;
    sc_jsonw_init(&w, &out);
    for (int i = 0; i < 64; ++i)
        sc_jsonw_arr(&w);
    for (int i = 0; i < 64; ++i)
        sc_jsonw_arr_end(&w);
    cr_assert_eq(out.len, 128);
    sc_buf_fini(&out);
}

Test(jsonw, asserts_at_65_levels, .signal = SIGABRT)
{
    struct sc_buf out = {0};
    struct sc_jsonw w;
    sc_jsonw_init(&w, &out);
    for (int i = 0; i < 65; ++i)
        sc_jsonw_arr(&w);
}

/* What a log call writes to stderr, without its time. */
static char *logged(void (*call)(void))
{
    static char line[4096];
    int fd[2], keep = dup(STDERR_FILENO);
    cr_assert_eq(pipe(fd), 0);
    dup2(fd[1], STDERR_FILENO);
    call();
    dup2(keep, STDERR_FILENO);
    close(fd[1]);
    ssize_t n = read(fd[0], line, sizeof(line) - 1);
    close(fd[0]);
    close(keep);
    line[n < 0 ? 0 : n] = '\0';
    char *from = strstr(line, "T"), *z = strchr(line, 'Z');
    if (from != NULL && z != NULL) /* the time differs: keep its date's place only */
        memmove(strstr(line, "20"), z, strlen(z) + 1);
    return line;
}

static void log_words(void)
{
    sc_log(SC_LOG_WARN, "redis", "not reachable, waiting", "addr", "127.0.0.1:6379", "a", "", "b",
           "x=\"1\"\n", "c", "\xFF", NULL);
}

static void log_formatted(void)
{
    sc_logf(SC_LOG_ERROR, "kafka", "lag %d", 7);
}

static void log_quiet(void)
{
    sc_log(SC_LOG_DEBUG, "x", "y", NULL);
}

Test(log, logfmt)
{
    cr_assert_str_eq(logged(log_words),
                     "level=warn ts=Z area=redis msg=\"not reachable, waiting\" "
                     "addr=127.0.0.1:6379 a=\"\" b=\"x=\\\"1\\\"\\n\" c=\"\uFFFD\"\n");
    cr_assert_str_eq(logged(log_formatted), "level=error ts=Z area=kafka msg=\"lag 7\"\n");
    cr_assert_str_eq(logged(log_quiet), "");
}

Test(log, json)
{
    sc_log_setup(SC_LOG_DEBUG, SC_LOG_JSON);
    cr_assert(sc_log_on(SC_LOG_DEBUG));
    cr_assert_str_eq(logged(log_formatted),
                     "{\"level\":\"error\",\"ts\":\"Z\",\"area\":\"kafka\",\"msg\":\"lag 7\"}\n");
    cr_assert_str_neq(logged(log_quiet), "");
}
