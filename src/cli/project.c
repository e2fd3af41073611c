/* See project.h. */
#include "cli/project.h"

#include "base/assert.h"
#include "cli/agree.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/zones.h"
#include "kafka/kafka.h"
#include "redis/conn.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_BYTES_MAX (16u << 20)

static void begin(struct sc_project *pr)
{
    if (pr->zones != NULL)
        return;
    sc_arena_init(&pr->ar);
    sc_diag_init(&pr->dg, &pr->ar);
    pr->zones = sc_zones_create();
}

void sc_project_fini(struct sc_project *pr)
{
    if (pr->zones == NULL)
        return;
    for (uint32_t i = 0; i < pr->files.n; ++i) {
        struct sc_project_file *file = pr->files.v[i];
        if (file->kind == SC_FILE_JOURNEY && file->journey != NULL)
            sc_journey_fini(file->journey);
        if (file->kind == SC_FILE_TAXONOMY && file->taxonomy != NULL)
            sc_taxonomy_fini(file->taxonomy);
    }
    sc_zones_destroy(pr->zones);
    sc_arena_fini(&pr->ar);
    *pr = (struct sc_project){0};
}

/* ---- files */

/* The whole file, NUL behind it. False: errno says why. */
static bool read_file(const char *path, struct sc_arena *ar, struct sc_str *out)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return false;
    struct sc_buf buf = {0};
    size_t got = 1;
    while (got > 0 && buf.len <= FILE_BYTES_MAX) {
        sc_buf_reserve(&buf, 64u << 10);
        got = fread(buf.p + buf.len, 1, buf.cap - buf.len, f);
        buf.len += got;
    }
    int failed = ferror(f) ? errno : buf.len > FILE_BYTES_MAX ? EFBIG : 0;
    fclose(f);
    *out = sc_str_dup(ar, sc_buf_view(&buf));
    sc_buf_fini(&buf);
    errno = failed;
    return failed == 0;
}

static const char *environment(void *arg, const char *name)
{
    (void)arg;
    return getenv(name);
}

/* `name` as written in the file at `from`: relative to its folder. */
static const char *beside(struct sc_arena *ar, struct sc_str from, struct sc_str name)
{
    size_t folder = from.len;
    while (folder > 0 && from.p[folder - 1] != '/')
        --folder;
    if (name.len > 0 && name.p[0] == '/')
        folder = 0;
    return sc_arena_printf(ar, "%.*s%.*s", (int)folder, from.p, SC_STR_FMT(name));
}

const char *sc_project_beside(const struct sc_project_file *file, struct sc_str path,
                              struct sc_arena *ar)
{
    const char *slash = memrchr(file->real.p, '/', file->real.len);
    if (path.len == 0 || path.p[0] == '/' || slash == NULL)
        return sc_str_dup(ar, path).p;
    return sc_arena_printf(ar, "%.*s/%.*s", (int)(slash - file->real.p), file->real.p,
                           SC_STR_FMT(path));
}

const char *sc_file_kind_name(enum sc_file_kind kind)
{
    switch (kind) {
    case SC_FILE_UNKNOWN:
        return "unknown file";
    case SC_FILE_TAXONOMY:
        return "taxonomy";
    case SC_FILE_JOURNEY:
        return "journey";
    case SC_FILE_SETTINGS:
        return "settings file";
    case SC_FILE_TESTS:
        return "file of cases";
    }
    SC_UNREACHABLE("file kind");
}

/* Top keys that files of one kind alone have: one that is misspelt does not make it another kind.
 * A journey names its taxonomy, settings name their journey: the order of questions matters. */
static enum sc_file_kind kind_of(const struct sc_node *doc)
{
    static const struct {
        const char *key;
        enum sc_file_kind kind;
    } keys[] = {
        {"kafka", SC_FILE_SETTINGS},    {"redis", SC_FILE_SETTINGS},
        {"registry", SC_FILE_SETTINGS}, {"workers", SC_FILE_SETTINGS},
        {"journey", SC_FILE_JOURNEY},   {"triggers", SC_FILE_JOURNEY},
        {"stages", SC_FILE_JOURNEY},    {"tracks", SC_FILE_JOURNEY},
        {"taxonomy", SC_FILE_TAXONOMY}, {"events", SC_FILE_TAXONOMY},
        {"tests", SC_FILE_TESTS},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); ++i)
        if (sc_node_get(doc, keys[i].key) != NULL)
            return keys[i].kind;
    return SC_FILE_UNKNOWN;
}

/* ---- compiling, by kind */

static struct sc_project_file *add(struct sc_project *pr, const char *path);

/* The file that `from` names under `key`, which must be of `kind`; NULL with a finding. */
static struct sc_project_file *follow(struct sc_project *pr, const struct sc_project_file *from,
                                      const struct sc_node *doc, const char *key,
                                      struct sc_str name, enum sc_file_kind kind)
{
    const struct sc_node *at = sc_node_get(doc, key);
    struct sc_mark mark = at != NULL ? at->mark : doc->mark;
    if (at != NULL && at->faulty)
        return NULL;
    const char *path = beside(&pr->ar, from->path, name);
    struct sc_project_file *file = add(pr, path);
    if (file == NULL) {
        sc_diag_add(&pr->dg, SC_ERROR, "no-file", mark, "cannot read the %s '%s': %s",
                    sc_file_kind_name(kind), path, strerror(errno));
        return NULL;
    }
    if (file->kind == kind)
        return file;
    if (file->kind != SC_FILE_UNKNOWN)
        sc_diag_add(&pr->dg, SC_ERROR, "wrong-file", mark, "'%s' is a %s, not a %s", path,
                    sc_file_kind_name(file->kind), sc_file_kind_name(kind));
    return NULL;
}

static bool text_under(const struct sc_node *doc, const char *key, struct sc_str *out)
{
    const struct sc_node *n = sc_node_get(doc, key);
    if (n != NULL && n->kind == SC_NODE_SCALAR)
        *out = n->text;
    return n == NULL || n->kind == SC_NODE_SCALAR;
}

static void load_taxonomy(struct sc_project *pr, struct sc_project_file *file,
                          const struct sc_node *doc)
{
    file->taxonomy = SC_NEW(&pr->ar, struct sc_taxonomy);
    file->ok = sc_taxonomy_load(file->taxonomy, doc, &pr->ar, &pr->dg);
}

static void load_journey(struct sc_project *pr, struct sc_project_file *file,
                         const struct sc_node *doc)
{
    struct sc_str name = SC_STR("taxonomy.yaml");
    if (!text_under(doc, "taxonomy", &name))
        name = SC_STR_NULL; /* the journey's own table says it */
    const struct sc_project_file *tx =
        follow(pr, file, doc, "taxonomy", name, SC_FILE_TAXONOMY);
    if (tx == NULL || tx->taxonomy == NULL)
        return;
    file->taxonomy = tx->taxonomy;
    file->journey = SC_NEW(&pr->ar, struct sc_journey);
    bool ok = sc_journey_load(file->journey, tx->taxonomy, doc, &pr->ar, &pr->dg);
    file->journey->zone = sc_zones_find;
    file->journey->zone_arg = pr->zones;
    file->ok = ok && tx->ok;
}

static void load_settings(struct sc_project *pr, struct sc_project_file *file,
                          const struct sc_node *doc)
{
    file->settings = SC_NEW(&pr->ar, struct sc_settings);
    uint32_t errors = pr->dg.errors;
    bool ok = sc_settings_load(file->settings, doc, &pr->ar, &pr->dg);
    sc_files_place(file, &pr->ar);
    sc_kafka_check_properties(&file->settings->kafka, &pr->dg);
    sc_redis_check_build(&file->settings->redis,
                         sc_settings_mark(file->settings, "redis", "address"), &pr->dg);
    ok = ok && pr->dg.errors == errors;
    const struct sc_project_file *journey =
        follow(pr, file, doc, "journey", file->settings->journey, SC_FILE_JOURNEY);
    if (journey == NULL)
        return;
    file->journey = journey->journey;
    file->taxonomy = journey->taxonomy;
    errors = pr->dg.errors;
    if (journey->journey != NULL)
        sc_agree_check(file->settings, journey->journey, journey->taxonomy, &pr->dg);
    file->ok = ok && journey->ok && pr->dg.errors == errors;
}

static void compile(struct sc_project *pr, struct sc_project_file *file, const struct sc_node *doc)
{
    file->kind = kind_of(doc);
    switch (file->kind) {
    case SC_FILE_TAXONOMY:
        load_taxonomy(pr, file, doc);
        return;
    case SC_FILE_JOURNEY:
        load_journey(pr, file, doc);
        return;
    case SC_FILE_SETTINGS:
        load_settings(pr, file, doc);
        return;
    case SC_FILE_UNKNOWN:
        sc_diag_add(&pr->dg, SC_ERROR, "unknown-file", doc->mark, "%s",
                    doc->kind == SC_NODE_NULL
                        ? "the file is empty"
                        : "this is neither a taxonomy, a journey nor settings: a top key "
                          "`taxonomy`, `journey` or `kafka` says which");
        return;
    case SC_FILE_TESTS: /* the command says of which journey */
        return;
    }
    SC_UNREACHABLE("file kind");
}

static struct sc_project_file *find_real(const struct sc_project *pr, const char *real)
{
    for (uint32_t i = 0; i < pr->files.n; ++i) {
        if (sc_str_eqz(pr->files.v[i]->real, real))
            return pr->files.v[i];
    }
    return NULL;
}

/* A file that names itself, or one that is being loaded, is found again as UNKNOWN and not ok. */
static struct sc_project_file *add(struct sc_project *pr, const char *path)
{
    char real[PATH_MAX];
    if (realpath(path, real) == NULL)
        return NULL;
    struct sc_project_file *known = find_real(pr, real);
    if (known != NULL)
        return known;
    struct sc_str text;
    if (!read_file(path, &pr->ar, &text))
        return NULL;
    struct sc_project_file *file = SC_NEW(&pr->ar, struct sc_project_file);
    file->path = sc_str_dup(&pr->ar, sc_str_from(path));
    file->real = sc_str_dup(&pr->ar, sc_str_from(real));
    SC_VEC_PUSH(&pr->ar, &pr->files, file);
    file->doc = sc_node_parse(file->path, text, environment, NULL, &pr->ar, &pr->dg);
    if (file->doc != NULL)
        compile(pr, file, file->doc);
    return file;
}

struct sc_project_file *sc_project_add(struct sc_project *pr, const char *path)
{
    begin(pr);
    return add(pr, path);
}

bool sc_project_text(struct sc_project *pr, const char *path, struct sc_str *out)
{
    begin(pr);
    return read_file(path, &pr->ar, out);
}

struct sc_node *sc_project_read(struct sc_project *pr, const char *path, struct sc_diag *dg)
{
    char real[PATH_MAX];
    const struct sc_project_file *known = realpath(path, real) ? find_real(pr, real) : NULL;
    if (known != NULL && known->doc != NULL)
        return known->doc;
    struct sc_str text, name = sc_str_dup(&pr->ar, sc_str_from(path));
    if (!read_file(path, &pr->ar, &text))
        return NULL;
    struct sc_node *doc = sc_node_parse(name, text, environment, NULL, &pr->ar, dg);
    errno = 0;
    return doc;
}

/* ---- for commands */

/* Errors and warnings, not the notes of `check`. */
static void print_findings(struct sc_project *pr)
{
    struct sc_diag shown = pr->dg;
    shown.items.v = SC_NEW_N(&pr->ar, struct sc_finding, pr->dg.items.n + 1);
    shown.items.n = 0;
    for (uint32_t i = 0; i < pr->dg.items.n; ++i) {
        if (pr->dg.items.v[i].severity != SC_NOTE)
            shown.items.v[shown.items.n++] = pr->dg.items.v[i];
    }
    struct sc_buf out = {0};
    sc_diag_render(&shown, SC_DIAG_TEXT, isatty(STDERR_FILENO) != 0, &out);
    if (out.len > 0)
        fwrite(out.p, 1, out.len, stderr);
    sc_buf_fini(&out);
}

void sc_project_use(struct sc_project *pr, const struct sc_project_file *file)
{
    SC_ASSERT(file->ok && file->journey != NULL);
    pr->file = file;
    pr->taxonomy = file->taxonomy;
    pr->journey = file->journey;
    pr->settings = file->settings;
    sc_taxonomy_project(pr->taxonomy, &pr->journey->wanted, &pr->ar);
}

static const struct sc_project_file *find(struct sc_project *pr, const char *path)
{
    const struct sc_project_file *file = sc_project_add(pr, path);
    if (file == NULL)
        fprintf(stderr, "stagecoach: cannot read %s: %s%s\n", path, strerror(errno),
                strcmp(path, SC_SETTINGS_DEFAULT) == 0 ? "; --config FILE names another" : "");
    else
        print_findings(pr);
    return file;
}

static int use(struct sc_project *pr, const char *path, const struct sc_project_file *file,
               enum sc_file_kind kind)
{
    if (file->kind != kind && file->kind != SC_FILE_UNKNOWN)
        fprintf(stderr, "stagecoach: %s is a %s, expected a %s\n", path,
                sc_file_kind_name(file->kind), sc_file_kind_name(kind));
    if (file->kind != kind || !file->ok)
        return SC_EXIT_CONFIG;
    sc_project_use(pr, file);
    return SC_EXIT_OK;
}

int sc_project_load_journey(struct sc_project *pr, const char *path)
{
    const struct sc_project_file *file = find(pr, path);
    return file ? use(pr, path, file, SC_FILE_JOURNEY) : SC_EXIT_NOINPUT;
}

int sc_project_load_settings(struct sc_project *pr, const char *path)
{
    const struct sc_project_file *file = find(pr, path);
    return file ? use(pr, path, file, SC_FILE_SETTINGS) : SC_EXIT_NOINPUT;
}

int sc_project_load_either(struct sc_project *pr, const char *path)
{
    const struct sc_project_file *file = find(pr, path);
    enum sc_file_kind kind =
        file && file->kind == SC_FILE_SETTINGS ? SC_FILE_SETTINGS : SC_FILE_JOURNEY;
    return file ? use(pr, path, file, kind) : SC_EXIT_NOINPUT;
}
