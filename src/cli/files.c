/* See files.h. */
#include "cli/files.h"

#include "cli/key.h"

#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 4096
#define SCHEMA_MAX (4 << 20)
#define ANY_MAX (16 << 20)

static const struct named {
    const char *section, *part, *key; /* part NULL: the key stands in the section */
    size_t offset;                    /* of the path in struct sc_settings */
    int64_t min, max;                 /* bytes */
} files[] = {
#define AT(member) offsetof(struct sc_settings, member)
    {"kafka", "tls", "ca_file", AT(kafka.tls.ca_file), 1, ANY_MAX},
    {"kafka", "tls", "cert_file", AT(kafka.tls.cert_file), 1, ANY_MAX},
    {"kafka", "tls", "key_file", AT(kafka.tls.key_file), 1, ANY_MAX},
    {"kafka", "sasl", "password_file", AT(kafka.sasl.password_file), 1, SECRET_MAX},
    {"redis", NULL, "password_file", AT(redis.password_file), 1, SECRET_MAX},
    {"redis", "tls", "ca_file", AT(redis.tls.ca_file), 1, ANY_MAX},
    {"redis", "tls", "cert_file", AT(redis.tls.cert_file), 1, ANY_MAX},
    {"redis", "tls", "key_file", AT(redis.tls.key_file), 1, ANY_MAX},
    {"registry", NULL, "password_file", AT(registry.password_file), 1, SECRET_MAX},
    {"registry", NULL, "ca_file", AT(registry.ca_file), 1, ANY_MAX},
    {"admin", NULL, "token_file", AT(admin.token_file), 1, SECRET_MAX},
    {"identity", NULL, "key_file", AT(identity.key_file), SC_KEY_MIN, SECRET_MAX},
#undef AT
};
#define FILES (sizeof(files) / sizeof(files[0]))

static struct sc_str *path_of(struct sc_settings *st, const struct named *f)
{
    return (struct sc_str *)(void *)((char *)st + f->offset);
}

void sc_files_place(const struct sc_project_file *file, struct sc_arena *ar)
{
    for (size_t i = 0; i < FILES; i++) {
        struct sc_str *path = path_of(file->settings, &files[i]);
        if (path->len > 0)
            *path = sc_str_from(sc_project_beside(file, *path, ar));
    }
}

static const struct sc_node *node_of(const struct sc_settings *st, const struct named *f)
{
    const struct sc_node *in = sc_node_get(st->at, f->section);
    if (in && f->part)
        in = sc_node_get(in, f->part);
    return in ? sc_node_get(in, f->key) : NULL;
}

/* Why it cannot be used; NULL: it can. */
static const char *fault(const char *path, int64_t min, int64_t max, struct sc_arena *ar)
{
    struct stat st;
    if (access(path, R_OK) != 0 || stat(path, &st) != 0)
        return strerror(errno);
    if (S_ISDIR(st.st_mode))
        return strerror(EISDIR);
    if (!S_ISREG(st.st_mode))
        return NULL;
    if (st.st_size == 0)
        return "it is empty";
    if (st.st_size < min || st.st_size > max)
        return sc_arena_printf(ar, "it must have %lld to %lld bytes", (long long)min,
                               (long long)max);
    return NULL;
}

static void check_settings(const struct sc_project_file *file, enum sc_severity absent,
                           struct sc_arena *ar, struct sc_diag *dg)
{
    for (size_t i = 0; i < FILES; i++) {
        const struct named *f = &files[i];
        struct sc_str path = *path_of(file->settings, f);
        const struct sc_node *at = node_of(file->settings, f);
        const char *why = path.len ? fault(path.p, f->min, f->max, ar) : NULL;
        if (why == NULL || at == NULL)
            continue;
        bool is_absent = access(path.p, F_OK) != 0;
        struct sc_finding *found =
            sc_diag_add(dg, is_absent ? absent : SC_ERROR, "no-file", at->mark, "cannot use the file '%.*s': %s",
                        SC_STR_FMT(at->text), why);
        if (strcmp(f->section, "identity") == 0)
            found->hint = SC_STR("a new one: openssl rand -hex 32 >FILE");
        else if (at->text.len > 0 && at->text.p[0] != '/')
            found->hint = SC_STR("a relative path begins at the settings file");
    }
}

void sc_files_check(const struct sc_project_file *file, enum sc_severity absent,
                    struct sc_arena *ar, struct sc_diag *dg)
{
    const struct sc_taxonomy *tx = file->taxonomy;
    if (file->settings && file->settings->at)
        check_settings(file, absent, ar, dg);
    for (uint32_t i = 0; tx && i < tx->n_sources; i++) {
        const struct sc_source *src = &tx->sources[i];
        const char *why = src->schema_file.len
                              ? fault(sc_project_beside(file, src->schema_file, ar), 1, SCHEMA_MAX, ar)
                              : NULL;
        if (why)
            sc_diag_add(dg, SC_ERROR, "no-file", src->schema_at->mark,
                        "cannot use the schema file '%.*s': %s", SC_STR_FMT(src->schema_file), why);
    }
}
