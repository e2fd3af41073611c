/* Log lines: built whole in a buffer, written with one write(2), so lines of threads never mix. */
#include "base/log.h"
#include "base/jsonw.h"
#include "base/time.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static atomic_int least_level = SC_LOG_INFO;
static atomic_int line_format = SC_LOG_LOGFMT;

void sc_log_setup(enum sc_log_level least, enum sc_log_format format)
{
    atomic_store_explicit(&least_level, (int)least, memory_order_relaxed);
    atomic_store_explicit(&line_format, (int)format, memory_order_relaxed);
}

bool sc_log_on(enum sc_log_level level)
{
    return (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

/* A line in the making; `json` picks the form. */
struct line {
    struct sc_buf buf;
    struct sc_jsonw w;
    bool json;
};

static bool is_bare(struct sc_str s)
{
    for (size_t i = 0; i < s.len; ++i) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F)
            return false;
    }
    return s.len != 0 && sc_str_utf8_ok(s);
}

static void line_pair(struct line *ln, const char *key, struct sc_str value)
{
    if (ln->json) {
        sc_jsonw_keyz(&ln->w, key);
        sc_jsonw_str(&ln->w, value);
        return;
    }
    if (ln->buf.len != 0)
        sc_buf_char(&ln->buf, ' ');
    sc_buf_addz(&ln->buf, key);
    sc_buf_char(&ln->buf, '=');
    if (is_bare(value)) {
        sc_buf_str(&ln->buf, value);
    } else { /* logfmt quotes as JSON does */
        struct sc_jsonw w;
        sc_jsonw_init(&w, &ln->buf);
        sc_jsonw_str(&w, value);
    }
}

static void line_begin(struct line *ln, enum sc_log_level level, const char *area, const char *msg)
{
    int format = atomic_load_explicit(&line_format, memory_order_relaxed);
    *ln = (struct line){.json = format == SC_LOG_JSON};
    sc_jsonw_init(&ln->w, &ln->buf);
    if (ln->json)
        sc_jsonw_obj(&ln->w);
    char ts[32];
    size_t n = sc_time_format(sc_time_now_ms(), ts);
    line_pair(ln, "level", sc_str_from(level_names[level]));
    line_pair(ln, "ts", (struct sc_str){ts, n});
    line_pair(ln, "area", sc_str_from(area));
    line_pair(ln, "msg", sc_str_from(msg));
}

static void line_end(struct line *ln)
{
    if (ln->json)
        sc_jsonw_obj_end(&ln->w);
    sc_buf_char(&ln->buf, '\n');
    ssize_t written = write(STDERR_FILENO, ln->buf.p, ln->buf.len);
    (void)written; /* there is nowhere to tell that stderr is gone */
    sc_buf_fini(&ln->buf);
}

void sc_log(enum sc_log_level level, const char *area, const char *msg, ...)
{
    if (!sc_log_on(level))
        return;
    struct line ln;
    line_begin(&ln, level, area, msg);
    va_list args;
    va_start(args, msg);
    for (const char *key; (key = va_arg(args, const char *)) != NULL;) {
        const char *value = va_arg(args, const char *);
        line_pair(&ln, key, sc_str_from(value));
    }
    va_end(args);
    line_end(&ln);
}

void sc_logf(enum sc_log_level level, const char *area, const char *fmt, ...)
{
    if (!sc_log_on(level))
        return;
    char msg[1024]; /* longer messages are cut */
    va_list args;
    va_start(args, fmt);
    vsnprintf(msg, sizeof(msg), fmt, args);
    va_end(args);
    struct line ln;
    line_begin(&ln, level, area, msg);
    line_end(&ln);
}
