/* Waiting until a file changes (inotify). Folders are watched, since editors put a new file in the
 * old one's place. One thread. */
#ifndef SC_CLI_WATCH_H
#define SC_CLI_WATCH_H

#include "base/arena.h"
#include "base/str.h"
#include "base/vec.h"

struct sc_watch {
    int fd; /* -1: it cannot be (errno) */
    struct sc_arena ar;
    SC_VEC(struct sc_watched {
        int folder;
        struct sc_str name; /* in its folder */
    }) files;
};

void sc_watch_init(struct sc_watch *wt);
void sc_watch_fini(struct sc_watch *wt);
/* From now on; a file twice is once. False: errno says why its folder cannot be watched. */
bool sc_watch_add(struct sc_watch *wt, const char *path);
/* Until one of them is written, made anew or taken away, and then is quiet for a moment. Its name,
 * for people (lives until fini); empty: the wait broke off. */
struct sc_str sc_watch_wait(struct sc_watch *wt);

#endif
