/* Ask for memory that will be read soon, so that the wait for it overlaps other work.
 * Thread: any. Only a hint: any address is allowed, nothing is read. Cost: an instruction a line. */
#ifndef SC_BASE_PREFETCH_H
#define SC_BASE_PREFETCH_H

#include <stddef.h>

#define SC_CACHE_LINE 64u

/* The lines that hold p[0 .. bytes), at most `most` of them. */
static inline void sc_prefetch(const void *p, size_t bytes, unsigned most)
{
    size_t all = most * (size_t)SC_CACHE_LINE;
    const char *end = (const char *)p + (bytes < all ? bytes : all);
    for (const char *at = p; at < end; at += SC_CACHE_LINE)
        __builtin_prefetch(at);
}

#endif
