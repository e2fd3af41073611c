/* The user's files, read and compiled, for every subcommand. A file names the next: settings their
 * journey, a journey its taxonomy; each is read once, whatever names it.
 *
 * Everything lives in the project's arena until sc_project_fini; then read-only, any thread. */
#ifndef SC_CLI_PROJECT_H
#define SC_CLI_PROJECT_H

#include "config/settings.h"
#include "core/journey/journey.h"

#define SC_SETTINGS_DEFAULT "stagecoach.yaml" /* where --config is not given */

enum sc_file_kind {
    SC_FILE_UNKNOWN, SC_FILE_TAXONOMY, SC_FILE_JOURNEY, SC_FILE_SETTINGS,
    SC_FILE_TESTS /* cases alone: what they say depends on the journey */
};

struct sc_project_file {
    struct sc_str path;  /* as the user would name it */
    struct sc_str real;  /* absolute, links followed */
    enum sc_file_kind kind;
    bool ok;             /* read and compiled without errors */
    struct sc_node *doc; /* NULL: not read as YAML (a finding) */
    struct sc_taxonomy *taxonomy; /* TAXONOMY, JOURNEY (its own), SETTINGS (its journey's) */
    struct sc_journey *journey;   /* JOURNEY, SETTINGS */
    struct sc_settings *settings; /* SETTINGS */
};

/* Zero-initialised is valid: fini may be called on it, and the loaders begin with it. */
struct sc_project {
    struct sc_arena ar;
    struct sc_diag dg;
    SC_VEC(struct sc_project_file *) files; /* in the order first named */
    struct sc_zones *zones;
    /* what the loaders below were asked for */
    const struct sc_project_file *file;
    struct sc_taxonomy *taxonomy;
    struct sc_journey *journey;
    struct sc_settings *settings;
};

void sc_project_fini(struct sc_project *pr);

/* Load a journey and its taxonomy (projected for it), ready to step; or settings and both. Errors
 * and warnings are printed to stderr. SC_EXIT_OK, SC_EXIT_NOINPUT or SC_EXIT_CONFIG. */
int sc_project_load_journey(struct sc_project *pr, const char *path);
int sc_project_load_settings(struct sc_project *pr, const char *path);
/* A journey, or settings that name one: of a journey alone pr->settings is NULL. */
int sc_project_load_either(struct sc_project *pr, const char *path);

/* Load a file of any of the three kinds, told by its top keys; findings go to pr->dg, nothing is
 * printed. NULL when the file named cannot be read: errno says why. */
struct sc_project_file *sc_project_add(struct sc_project *pr, const char *path);

/* Make a journey or settings file, loaded without errors, the one the project is about: taxonomy
 * projected, ready to step. */
void sc_project_use(struct sc_project *pr, const struct sc_project_file *file);

/* Read a YAML file of no kind in particular; findings go to `dg`. One that was added is not read
 * again. NULL: it cannot be read (errno), or has no tree (errno 0, a finding). */
struct sc_node *sc_project_read(struct sc_project *pr, const char *path, struct sc_diag *dg);

/* A file's bytes, NUL behind them, in the project's arena. False: errno says why. */
bool sc_project_text(struct sc_project *pr, const char *path, struct sc_str *out);

/* A path that `file` names: a relative one stands beside it. In `ar`, ended by 0. */
const char *sc_project_beside(const struct sc_project_file *file, struct sc_str path,
                              struct sc_arena *ar);

const char *sc_file_kind_name(enum sc_file_kind kind);

#endif
