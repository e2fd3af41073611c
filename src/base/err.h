/* The outside world's errors: one table with the text and whether the same call may succeed later.
 * Bad input is not here (core/drop.h), bugs assert. */
#ifndef SC_BASE_ERR_H
#define SC_BASE_ERR_H

#include <stdbool.h>

/* X(NAME, label, retriable, text) */
#define SC_ERR_TABLE(X)                                                                            \
    X(OK, "ok", false, "ok")                                                                       \
    X(NOT_FOUND, "not_found", false, "not found")                                                  \
    X(UNAVAILABLE, "unavailable", true, "server not reachable")                                    \
    X(TIMEOUT, "timeout", true, "no answer in time")                                               \
    X(AUTH, "auth", false, "login refused")                                                        \
    X(CONFIG, "config", false, "server settings do not fit")                                       \
    X(CONFLICT, "conflict", false, "somebody else changed it first")                               \
    X(ABORT, "abort", false, "the transaction must be aborted")                                    \
    X(FENCED, "fenced", false, "another worker took over")                                         \
    X(FATAL, "fatal", false, "the client cannot go on")                                            \
    X(TORN, "torn", false, "the state log and its offsets do not agree")                           \
    X(TOO_LARGE, "too_large", false, "over the size limit")                                        \
    X(CORRUPT, "corrupt", false, "bytes are not what they should be")                              \
    X(VERSION, "version", false, "version not supported")                                          \
    X(INVALID, "invalid", false, "request is not valid")                                           \
    X(IO, "io", true, "input or output failed")                                                    \
    X(INTERRUPTED, "interrupted", true, "interrupted")

enum sc_err {
#define SC_ERR_ENUM(name, label, retry, text) SC_ERR_##name,
    SC_ERR_TABLE(SC_ERR_ENUM)
#undef SC_ERR_ENUM
        SC_ERR_COUNT
};

/* Lower-case metric label ("not_found"), a sentence part, and the retry fact. Thread: any. */
const char *sc_err_name(enum sc_err e);
const char *sc_err_text(enum sc_err e);
bool sc_err_retriable(enum sc_err e);

#endif
