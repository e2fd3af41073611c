/* Logs: one line a call, logfmt or JSON, to stderr, without personal data.
 *
 *   sc_log(SC_LOG_WARN, "redis", "not reachable, waiting", "addr", addr, "tries", "3", NULL);
 *   level=warn ts=2026-03-02T10:00:00.123Z area=redis msg="not reachable, waiting" addr=… tries=3
 *
 * Thread: any; a line is written with one write(2). Core never logs. */
#ifndef SC_BASE_LOG_H
#define SC_BASE_LOG_H

#include <stdbool.h>

enum sc_log_level { SC_LOG_DEBUG, SC_LOG_INFO, SC_LOG_WARN, SC_LOG_ERROR };
enum sc_log_format { SC_LOG_LOGFMT, SC_LOG_JSON };

void sc_log_setup(enum sc_log_level least, enum sc_log_format format);
bool sc_log_on(enum sc_log_level level);
/* `...`: key, value pairs of const char *, ended by a NULL key. */
void sc_log(enum sc_log_level level, const char *area, const char *msg, ...)
    __attribute__((sentinel));
/* The message by printf. */
void sc_logf(enum sc_log_level level, const char *area, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
