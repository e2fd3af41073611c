/* stagecoach check: the user's files, all faults at once; with --connect the servers that the
 * settings name too. With --verbose also what each rule costs at worst and how far windows may be
 * off. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/connect.h"
#include "cli/files.h"
#include "cli/schemas.h"
#include "cli/test_suite.h"

#include "base/log.h"
#include "base/time.h"
#include "core/journey/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct check {
    struct sc_project project;
    struct sc_buf out;
    enum sc_diag_format format;
    bool strict, verbose, connect;
    struct sc_words cases; /* files of cases */
};

/* ---- --verbose */

static void cost_line(struct check *ck, const char *what, struct sc_str name,
                      const struct sc_prog *prog)
{
    if (prog != NULL)
        sc_buf_addf(&ck->out, "  %-10s %-32.*s %7u steps\n", what, SC_STR_FMT(name),
                    sc_rule_info(prog)->cost);
}

static void print_costs(struct check *ck, const struct sc_journey *jo)
{
    sc_buf_addf(&ck->out, "\nrules of journey %.*s, steps at worst:\n", SC_STR_FMT(jo->name));
    for (uint32_t i = 0; i < jo->n_stages; ++i)
        cost_line(ck, "stage", jo->stages[i].name, jo->stages[i].when);
    for (uint32_t i = 0; i < jo->n_personas; ++i)
        cost_line(ck, "persona", jo->personas[i].name, jo->personas[i].prog);
    for (uint32_t i = 0; i < jo->n_milestones; ++i)
        cost_line(ck, "milestone", jo->milestones[i].name, jo->milestones[i].when);
    for (uint32_t i = 0; i < jo->n_triggers; ++i) {
        const struct sc_trigger *tr = &jo->triggers[i];
        cost_line(ck, "trigger", tr->name, tr->start);
        cost_line(ck, " unless", tr->name, tr->unless);
        cost_line(ck, " key", tr->name, tr->key);
        for (uint32_t c = 0; c < tr->n_context; ++c)
            cost_line(ck, " context", tr->context[c].name, tr->context[c].prog);
    }
}

/* A window in buckets counts whole ones: its edge is sharp to one bucket. */
static void print_windows(struct check *ck, const struct sc_journey *jo)
{
    sc_buf_addf(&ck->out, "\nfacts of journey %.*s:\n", SC_STR_FMT(jo->name));
    for (uint32_t i = 0; i < jo->n_facts; ++i) {
        const struct sc_fact *fact = &jo->facts[i];
        sc_buf_addf(&ck->out, "  %-60.*s ", SC_STR_FMT(fact->text));
        char error[64];
        size_t n = sc_duration_format((fact->window_ms + SC_BUCKETS - 1) / SC_BUCKETS, error);
        if (fact->window_ms == 0)
            sc_buf_addz(&ck->out, "exact\n");
        else if (fact->exact)
            sc_buf_addf(&ck->out, "exact to %d events, then its edge is off by %.*s at most\n",
                        SC_WINDOW_EXACT_MAX, (int)n, error);
        else
            sc_buf_addf(&ck->out, "exact to %d events, then its edge is off by %.*s at most\n",
                        SC_WINDOW_EXACT, (int)n, error);
    }
}

static void print_verbose(struct check *ck)
{
    for (uint32_t i = 0; i < ck->project.files.n; ++i) {
        const struct sc_project_file *file = ck->project.files.v[i];
        if (file->kind != SC_FILE_JOURNEY || !file->ok)
            continue;
        print_costs(ck, file->journey);
        print_windows(ck, file->journey);
    }
}

/* ---- the command */

static void print_summary(struct check *ck)
{
    const struct sc_project *pr = &ck->project;
    uint32_t errors = pr->dg.errors, warnings = pr->dg.warnings;
    sc_buf_addf(&ck->out, "%u file%s: %u error%s, %u warning%s\n", pr->files.n,
                pr->files.n == 1 ? "" : "s", errors, errors == 1 ? "" : "s", warnings,
                warnings == 1 ? "" : "s");
}

/* The cases of each journey; files of cases belong to the one journey there is. */
static int check_cases(struct check *ck)
{
    struct sc_project *pr = &ck->project;
    const struct sc_project_file *only = NULL;
    uint32_t journeys = 0;
    for (uint32_t i = 0; i < pr->files.n; ++i) {
        const struct sc_project_file *file = pr->files.v[i];
        if (file->kind != SC_FILE_JOURNEY)
            continue;
        journeys++;
        only = file;
        if (!file->ok || file->journey->tests == NULL || ck->cases.n)
            continue;
        struct sc_test_suite suite;
        sc_test_suite_init(&suite, pr, file->journey, &pr->dg);
        sc_test_suite_fini(&suite);
    }
    if (ck->cases.n == 0)
        return SC_EXIT_OK;
    if (journeys != 1) {
        fprintf(stderr, "stagecoach check: files of cases need one journey beside them, there %s "
                        "%u\n", journeys == 1 ? "is" : "are", journeys);
        return SC_EXIT_USAGE;
    }
    if (!only->ok)
        return SC_EXIT_OK; /* said already */
    struct sc_test_suite suite;
    int rc = SC_EXIT_OK;
    sc_test_suite_init(&suite, pr, only->journey, &pr->dg);
    for (int i = 0; i < ck->cases.n; ++i) {
        if (sc_test_suite_add(&suite, pr, ck->cases.v[i]))
            continue;
        fprintf(stderr, "stagecoach check: cannot read %s: %s\n", ck->cases.v[i],
                strerror(errno));
        rc = SC_EXIT_NOINPUT;
    }
    sc_test_suite_fini(&suite);
    return rc;
}

/* The servers of each settings file that has no errors of its own. */
static int check_servers(struct check *ck)
{
    struct sc_project *pr = &ck->project;
    int rc = SC_EXIT_OK;
    bool any = false;
    sc_log_setup(SC_LOG_ERROR, SC_LOG_LOGFMT);
    for (uint32_t i = 0; rc == SC_EXIT_OK && i < pr->files.n; ++i) {
        const struct sc_project_file *file = pr->files.v[i];
        any = any || file->kind == SC_FILE_SETTINGS;
        if (file->kind != SC_FILE_SETTINGS || !file->ok)
            continue;
        struct sc_setup *su = SC_NEW(&pr->ar, struct sc_setup);
        sc_project_use(pr, file);
        rc = sc_setup(su, pr);
        if (rc == SC_EXIT_OK)
            sc_connect_check(su, &pr->dg);
        sc_setup_fini(su);
    }
    if (any)
        return rc;
    fprintf(stderr, "stagecoach check: --connect: none of these files is a settings file\n");
    return SC_EXIT_USAGE;
}

/* The files that settings name, else journeys, else taxonomies: where relative paths begin. */
static void check_named(struct check *ck)
{
    static const enum sc_file_kind kinds[] = {SC_FILE_SETTINGS, SC_FILE_JOURNEY, SC_FILE_TAXONOMY};
    struct sc_project *pr = &ck->project;
    bool any = false;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && !any; ++k) {
        for (uint32_t i = 0; i < pr->files.n; ++i) {
            struct sc_project_file *file = pr->files.v[i];
            if (file->kind != kinds[k])
                continue;
            any = true;
            uint32_t errors = pr->dg.errors;
            sc_files_check(file, ck->connect ? SC_ERROR : SC_NOTE, &pr->ar, &pr->dg);
            if (file->ok)
                sc_schemas_check(pr, file);
            file->ok = file->ok && pr->dg.errors == errors;
        }
    }
}

static int check_files(struct check *ck, const struct sc_words *paths)
{
    struct sc_project *pr = &ck->project;
    int rc = SC_EXIT_OK;
    ck->cases.v = sc_calloc((size_t)paths->n, sizeof(char *));
    for (int i = 0; i < paths->n; ++i) {
        bool trace = sc_test_suite_is_trace(paths->v[i]);
        const struct sc_project_file *file = trace ? NULL : sc_project_add(pr, paths->v[i]);
        if (trace || (file && file->kind == SC_FILE_TESTS))
            ck->cases.v[ck->cases.n++] = paths->v[i];
        if (trace || file)
            continue;
        fprintf(stderr, "stagecoach check: cannot read %s: %s\n", paths->v[i], strerror(errno));
        rc = SC_EXIT_NOINPUT;
    }
    for (uint32_t i = 0; i < pr->files.n; ++i) {
        const struct sc_project_file *file = pr->files.v[i];
        if (file->kind == SC_FILE_TAXONOMY && file->ok)
            sc_taxonomy_check_examples(file->taxonomy, &pr->ar, &pr->dg);
    }
    check_named(ck);
    int cases = check_cases(ck);
    rc = rc == SC_EXIT_OK ? cases : rc;
    if (pr->files.n == 0 && ck->format == SC_DIAG_TEXT)
        return rc; /* the other forms are whole also when there is nothing in them */
    if (ck->connect && rc == SC_EXIT_OK)
        rc = check_servers(ck);
    sc_diag_render(&pr->dg, ck->format, isatty(STDOUT_FILENO) != 0, &ck->out);
    if (ck->format == SC_DIAG_TEXT && ck->verbose)
        print_verbose(ck);
    if (ck->format == SC_DIAG_TEXT && (rc == SC_EXIT_OK || pr->dg.errors))
        print_summary(ck); /* not "0 errors" where something else went wrong */
    if (ck->out.len > 0)
        fwrite(ck->out.p, 1, ck->out.len, stdout);
    if (rc != SC_EXIT_OK)
        return rc;
    return pr->dg.errors > 0 || (ck->strict && pr->dg.warnings > 0) ? SC_EXIT_FINDINGS
                                                                    : SC_EXIT_OK;
}

static bool format_of(const char *name, enum sc_diag_format *out)
{
    static const char *const names[] = {"text", "json", "sarif", "github"};
    for (int i = 0; i < 4; ++i) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum sc_diag_format)i;
            return true;
        }
    }
    return false;
}

int sc_cmd_check(int argc, char **argv)
{
    struct check ck = {.format = SC_DIAG_TEXT};
    const char *format = "text";
    const struct sc_arg args[] = {
        {"output", 'o', SC_ARG_STR, &format, "FORMAT", "text, json, sarif or github"},
        {"connect", 0, SC_ARG_FLAG, &ck.connect, NULL,
         "also the servers of a settings file: brokers, topics, Redis, schemas"},
        {"strict", 0, SC_ARG_FLAG, &ck.strict, NULL, "warnings fail too"},
        {"verbose", 'v', SC_ARG_FLAG, &ck.verbose, NULL,
         "also costs of rules and errors of windows"},
        {0},
    };
    static const char about[] =
        "Checks taxonomies, journeys (with their `tests:`), settings and files of cases, told apart\n"
        "by their top keys; a journey's taxonomy and a settings file's journey are checked with it.\n"
        "Exit 0: no errors, 1: errors, 66: a file cannot be read.";
    const struct sc_command cmd = {"check FILE… [options]", about, args, 1, -1};
    struct sc_words paths;
    int rc = sc_args_parse(&cmd, argc, argv, &paths);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    if (!format_of(format, &ck.format)) {
        fprintf(stderr, "stagecoach check: --output: expected text, json, sarif or github, found "
                        "'%s'\n", format);
        return SC_EXIT_USAGE;
    }
    rc = check_files(&ck, &paths);
    sc_project_fini(&ck.project);
    sc_buf_fini(&ck.out);
    free(ck.cases.v);
    return rc;
}
