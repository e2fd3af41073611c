/* stagecoach taxonomy: the dictionary as a page for people, and what a new version of it breaks. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/project.h"
#include "cli/taxonomy_cmd.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static int load(struct sc_project *pr, const char *path, struct sc_project_file **out)
{
    struct sc_project_file *file = *out = sc_project_add(pr, path);
    if (file == NULL) {
        fprintf(stderr, "stagecoach: %s: %s\n", path, strerror(errno));
        return SC_EXIT_NOINPUT;
    }
    if (file->ok && file->taxonomy != NULL)
        return SC_EXIT_OK;
    if (file->kind == SC_FILE_TESTS) {
        fprintf(stderr, "stagecoach: %s is a %s: it has no taxonomy\n", path,
                sc_file_kind_name(file->kind));
        return SC_EXIT_CONFIG;
    }
    struct sc_buf said = {0};
    sc_diag_render(&pr->dg, SC_DIAG_TEXT, isatty(STDERR_FILENO) != 0, &said);
    fwrite(said.p, 1, said.len, stderr);
    sc_buf_fini(&said);
    return SC_EXIT_CONFIG;
}

static void print(struct sc_buf *out)
{
    fwrite(out->p, 1, out->len, stdout);
    sc_buf_fini(out);
}

/* ---- docs */

/* Every file's journey, read against the first one's taxonomy. */
static int write_docs(struct sc_project *pr, const struct sc_words *paths, bool html)
{
    const struct sc_taxonomy *tx = NULL;
    struct sc_uses *us = NULL;
    uint32_t journeys = 0;
    for (int i = 0; i < paths->n; i++) {
        struct sc_project_file *file;
        int rc = load(pr, paths->v[i], &file);
        if (rc)
            return rc;
        if (tx != NULL && file->taxonomy != tx) {
            fprintf(stderr, "stagecoach: %s is about another taxonomy than %s\n", paths->v[i],
                    paths->v[0]);
            return SC_EXIT_CONFIG;
        }
        tx = file->taxonomy;
        journeys += file->journey != NULL;
    }
    for (uint32_t i = 0; i < pr->files.n; i++) {
        const struct sc_project_file *file = pr->files.v[i];
        if (file->kind != SC_FILE_JOURNEY || file->journey == NULL)
            continue;
        us = us ? us : sc_uses_create(tx, &pr->ar);
        sc_uses_add(us, file->journey, journeys > 1);
    }
    struct sc_buf out = {0};
    sc_taxonomy_docs(tx, us, html, &pr->ar, &out);
    print(&out);
    return SC_EXIT_OK;
}

static int docs(int argc, char **argv)
{
    const char *format = "md";
    const struct sc_arg args[] = {
        {"output", 'o', SC_ARG_STR, &format, "FORMAT", "md or html (one file, needs no network)"},
        {0},
    };
    static const char about[] =
        "Writes the dictionary for people: events with owners, stages, properties, examples,\n"
        "deprecated names. Given journeys, also which of their rules read what.";
    const struct sc_command cmd = {"taxonomy docs TAXONOMY|JOURNEY… [options]", about, args, 1, -1};
    struct sc_words paths;
    int rc = sc_args_parse(&cmd, argc, argv, &paths);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    bool html = strcmp(format, "html") == 0;
    if (!html && strcmp(format, "md") != 0) {
        fprintf(stderr, "stagecoach: --output: expected md or html, found '%s'\n", format);
        return SC_EXIT_USAGE;
    }
    struct sc_project pr = {0};
    rc = write_docs(&pr, &paths, html);
    sc_project_fini(&pr);
    return rc;
}

/* ---- asyncapi */

static int asyncapi(int argc, char **argv)
{
    static const struct sc_arg args[] = {{0}};
    static const char about[] =
        "Writes the topics as an AsyncAPI 3.0 document (JSON): of a taxonomy its sources, of a\n"
        "journey the channels' topics too, of settings all that is published.";
    static const struct sc_command cmd = {"taxonomy asyncapi TAXONOMY|JOURNEY|SETTINGS", about,
                                          args, 1, 1};
    struct sc_words paths;
    int rc = sc_args_parse(&cmd, argc, argv, &paths);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    struct sc_project pr = {0};
    struct sc_project_file *file;
    rc = load(&pr, paths.v[0], &file);
    if (rc == SC_EXIT_OK) {
        struct sc_buf out = {0};
        sc_taxonomy_asyncapi(file->taxonomy, file->journey, file->settings, &pr.ar, &out);
        print(&out);
    }
    sc_project_fini(&pr);
    return rc;
}

/* ---- diff */

static int compare(struct sc_project *old, struct sc_project *new, const struct sc_words *paths)
{
    struct sc_project_file *was, *is;
    int rc = load(old, paths->v[0], &was);
    if (rc == SC_EXIT_OK)
        rc = load(new, paths->v[1], &is);
    if (rc)
        return rc;
    struct sc_buf out = {0};
    bool allowed = sc_taxonomy_diff(was->taxonomy, is->taxonomy, &out);
    print(&out);
    return allowed ? SC_EXIT_OK : SC_EXIT_FINDINGS;
}

static int diff(int argc, char **argv)
{
    static const struct sc_arg args[] = {{0}};
    static const char about[] =
        "Compares two versions of a dictionary. A change breaks when records that were valid no\n"
        "longer are, when readers meet what they do not expect, or when customers get other ids.\n"
        "Exit 1: something breaks, and the major version is not a later one.";
    static const struct sc_command cmd = {"taxonomy diff OLD NEW", about, args, 2, 2};
    struct sc_words paths;
    int rc = sc_args_parse(&cmd, argc, argv, &paths);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    struct sc_project old = {0}, new = {0};
    rc = compare(&old, &new, &paths);
    sc_project_fini(&old);
    sc_project_fini(&new);
    return rc;
}

int sc_cmd_taxonomy(int argc, char **argv)
{
    static const struct sc_subject subjects[] = {
        {"docs", docs, "docs TAXONOMY|JOURNEY… [-o md|html]"},
        {"asyncapi", asyncapi, "asyncapi TAXONOMY|JOURNEY|SETTINGS"},
        {"diff", diff, "diff OLD NEW"},
        {0},
    };
    return sc_subjects_run("taxonomy", subjects, argc, argv);
}
