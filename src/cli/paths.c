/* See paths.h. Files are compared by device and inode, so that ./a and a are one file. */
#include "cli/paths.h"

#include "base/str.h"
#include "cli/cli.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void sc_paths_add(struct sc_paths *ps, const char *option, const char *path, bool written)
{
    if (path == NULL)
        return;
    struct sc_file_use *p = SC_VEC_ADD(ps->ar, &ps->v);
    *p = (struct sc_file_use){option, path, written};
}

static bool is_stream(const struct sc_file_use *p)
{
    return strcmp(p->path, "-") == 0;
}

/* What is behind a path; st_nlink is 0 where there is nothing yet. */
static struct stat look(const struct sc_file_use *p)
{
    struct stat st;
    int rc = is_stream(p) ? fstat(p->written ? STDOUT_FILENO : STDIN_FILENO, &st)
                          : stat(p->path, &st);
    return rc == 0 ? st : (struct stat){0};
}

static bool clash(const struct sc_file_use *a, const struct stat *as, const struct sc_file_use *b,
                  const struct stat *bs)
{
    if (is_stream(a) && is_stream(b))
        return a->written == b->written;
    if (as->st_nlink == 0 || bs->st_nlink == 0)
        return a->written && b->written && strcmp(a->path, b->path) == 0;
    if (as->st_dev != bs->st_dev || as->st_ino != bs->st_ino)
        return false;
    return a->written || b->written ? S_ISREG(as->st_mode) : S_ISFIFO(as->st_mode);
}

static void say(const struct sc_file_use *a, const struct sc_file_use *b, const char *command)
{
    const char *what = a->written != b->written ? "would be written over what is read"
                       : a->written             ? "cannot take both"
                                                : "can be read but once";
    const struct sc_file_use *p = b->written ? b : a;
    const char *name = !is_stream(p) ? p->path : p->written ? "standard output" : "standard input";
    fprintf(stderr, "stagecoach %s: %s and %s: %s %s\n", command, a->option, b->option, name, what);
}

/* errno of reading or writing it: 0 when nothing is known to be in the way. */
static int in_the_way(const struct sc_file_use *p, const struct stat *st, struct sc_arena *ar)
{
    if (is_stream(p))
        return 0;
    if (S_ISDIR(st->st_mode))
        return EISDIR;
    if (!p->written || st->st_nlink > 0)
        return access(p->path, p->written ? W_OK : R_OK) ? errno : 0;
    const char *slash = strrchr(p->path, '/'); /* a new file: its folder must be there */
    size_t n = slash ? (size_t)(slash - p->path) + 1 : 0;
    const char *folder = n ? sc_str_dup(ar, (struct sc_str){p->path, n}).p : ".";
    return access(folder, W_OK | X_OK) ? errno : 0;
}

int sc_paths_look(const struct sc_paths *ps, const char *command)
{
    struct stat *st = SC_NEW_N(ps->ar, struct stat, ps->v.n + 1);
    for (uint32_t i = 0; i < ps->v.n; i++) {
        st[i] = look(&ps->v.v[i]);
        for (uint32_t k = 0; k < i; k++) {
            if (!clash(&ps->v.v[k], &st[k], &ps->v.v[i], &st[i]))
                continue;
            say(&ps->v.v[k], &ps->v.v[i], command);
            return SC_EXIT_USAGE;
        }
    }
    for (uint32_t i = 0; i < ps->v.n; i++) {
        const struct sc_file_use *p = &ps->v.v[i];
        int failed = in_the_way(p, &st[i], ps->ar);
        if (failed == 0)
            continue;
        bool named = p->option[0] == '-'; /* else the path is the argument itself */
        fprintf(stderr, "stagecoach %s: %s%s%s: %s\n", command, named ? p->option : "",
                named ? ": " : "", p->path, strerror(failed));
        return p->written ? SC_EXIT_IO : SC_EXIT_NOINPUT;
    }
    return SC_EXIT_OK;
}
