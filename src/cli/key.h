/* The secret of the pseudonyms, from a file; never from a command line or a plain variable. */
#ifndef SC_CLI_KEY_H
#define SC_CLI_KEY_H

#include "base/arena.h"
#include "base/str.h"

struct sc_project_file;

/* Read `path`, or the file $STAGECOACH_IDENTITY_KEY_FILE names, into `ar`; one trailing line end is
 * not part of the key. With neither: the development key, which is public: good for files and for
 * trying out, refused by `run` against servers. 0, or an exit code with the message printed. */
int sc_key_load(const char *path, struct sc_arena *ar, struct sc_str *key);

/* Which secret: as a command line says, NULL and -1 where it does not. */
struct sc_secret {
    const char *file;
    int64_t version;
};
/* Fill in what `run` with the settings `file` would use; nothing but version 0 where it is no
 * settings file. */
void sc_secret_settle(struct sc_secret *secret, const struct sc_project_file *file,
                      struct sc_arena *ar);
#define SC_KEY_MIN 16 /* bytes */
#define SC_KEY_DEVELOPMENT "stagecoach development key: not a secret"

#endif
