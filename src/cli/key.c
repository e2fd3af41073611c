/* See key.h. */
#include "cli/key.h"

#include "cli/cli.h"
#include "cli/project.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY_MAX 4096u

int sc_key_load(const char *path, struct sc_arena *ar, struct sc_str *key)
{
    if (path == NULL)
        path = getenv("STAGECOACH_IDENTITY_KEY_FILE");
    if (path == NULL || *path == '\0') {
        *key = SC_STR(SC_KEY_DEVELOPMENT);
        return SC_EXIT_OK;
    }
    FILE *f = fopen(path, "rbe");
    if (f == NULL) {
        fprintf(stderr, "stagecoach: identity key %s: %s%s\n", path, strerror(errno),
                errno == ENOENT ? "; a new one: openssl rand -hex 32 >FILE" : "");
        return SC_EXIT_NOINPUT;
    }
    char *bytes = sc_arena_alloc(ar, KEY_MAX + 1);
    errno = 0;
    size_t n = fread(bytes, 1, KEY_MAX + 1, f);
    int failed = ferror(f) ? errno : 0;
    fclose(f);
    if (failed) {
        fprintf(stderr, "stagecoach: identity key %s: %s\n", path, strerror(failed));
        return SC_EXIT_NOINPUT;
    }
    if (n > 0 && bytes[n - 1] == '\n')
        n--;
    if (n > 0 && bytes[n - 1] == '\r')
        n--;
    if (n < SC_KEY_MIN || n > KEY_MAX) {
        fprintf(stderr, "stagecoach: identity key %s: must have %d to %u bytes\n", path, SC_KEY_MIN,
                KEY_MAX);
        return SC_EXIT_CONFIG;
    }
    *key = (struct sc_str){bytes, n};
    return SC_EXIT_OK;
}

void sc_secret_settle(struct sc_secret *secret, const struct sc_project_file *file,
                      struct sc_arena *ar)
{
    const struct sc_settings *st = file->settings;
    if (secret->file == NULL && st && st->identity.key_file.len)
        secret->file = sc_project_beside(file, st->identity.key_file, ar);
    if (secret->version < 0)
        secret->version = st ? st->identity.key_version : 0;
}
