/* Regular expressions in RE2's subset over PCRE2: no back-references, no look-around, match limits
 * set, so hostile input costs bounded time. */
#ifndef SC_BASE_REGEX_H
#define SC_BASE_REGEX_H

#include "base/str.h"

struct sc_regex;

/* NULL and a message in `err` (arena) when the pattern is wrong or outside the subset. */
struct sc_regex *sc_regex_create(struct sc_str pattern, struct sc_arena *ar, struct sc_str *err);
void sc_regex_destroy(struct sc_regex *re);
/* 1: found anywhere in `s`; 0: not; -1: limit exceeded. Thread: any (match data is per call). */
int sc_regex_search(const struct sc_regex *re, struct sc_str s);

#endif
