/* stagecoach test: the cases of a journey, each played on a world of its own with a virtual clock.
 * The engine is that of `run` and `simulate`; only time is the case's. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/paths.h"
#include "cli/explain_story.h"
#include "cli/test_match.h"
#include "cli/test_report.h"
#include "cli/test_suite.h"
#include "cli/watch.h"
#include "sim/world.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define KEEP_BYTES (8u << 20)

struct test {
    /* options */
    const char *junit_path;
    bool coverage, quiet, verbose, watch;
    /* work */
    struct sc_project project;
    const struct sc_journey *jo;
    const struct sc_decoder *whole; /* JSON text to one value */
    struct sc_diag dg;
    struct sc_test_suite suite;
    struct sc_test_coverage reached;
    struct sc_test_result *results;
    struct sc_arena one;        /* a case's */
    struct sc_buf trace, out;   /* of a case; what is printed of it */
    struct sc_test_seen seen;
    uint32_t failed;
};

/* ---- what a case shows */

static struct sc_value parse(struct test *t, struct sc_str json)
{
    struct sc_fault fault;
    struct sc_value v = sc_absent();
    enum sc_drop drop = sc_decode(t->whole, sc_str_dup(&t->one, json), &t->one, &v, &fault);
    return drop == SC_DROP_NONE ? v : sc_absent();
}

static void on_effect(void *arg, const struct sc_effect *fx)
{
    struct test *t = arg;
    struct sc_buf json = {.ar = &t->one};
    sc_story_effect(t->jo, fx, NULL, NULL, &t->trace);
    sc_test_coverage_add(&t->reached, fx);
    for (int list = 0; list < SC_TEST_LISTS; ++list) {
        if (sc_test_lists[list].type != fx->type)
            continue;
        sc_effect_json(t->jo, fx, &json);
        SC_VEC_PUSH(&t->one, &t->seen.lists[list], parse(t, sc_buf_view(&json)));
    }
}

static void on_line(void *arg, struct sc_str line)
{
    struct test *t = arg;
    sc_buf_str(&t->trace, line);
    sc_buf_char(&t->trace, '\n');
}

static void look_at_customer(struct test *t, struct sc_world *w, struct sc_node_id node)
{
    const struct sc_state *st = sc_world_state(w, node);
    if (st->kind != SC_STATE_ROOT || st->n_events == 0)
        return; /* forgotten */
    int64_t now_ms = sc_world_now(w) > st->last_ms ? sc_world_now(w) : st->last_ms;
    struct sc_rule_ctx cx;
    struct sc_buf json = {.ar = &t->one};
    sc_rule_bind(&cx, t->jo, st, NULL, now_ms, &t->one);
    struct sc_value persona = cx.host->attr(&cx, SC_ATTR_PERSONA);
    t->seen.persona = persona.type == SC_T_STRING ? sc_value_str(persona) : SC_STR_NULL;
    t->seen.stage = t->jo->stages[st->place[0].stage].name;
    t->reached.stages |= sc_state_stages(t->jo, st);
    sc_state_customer_json(t->jo, st, now_ms, NULL, NULL, &json);
    struct sc_value line = parse(t, sc_buf_view(&json));
    t->seen.facts = sc_test_get(line, "facts");
    t->seen.tracks = sc_test_get(line, "tracks");
}

static void play(struct test *t, const struct sc_test_case *tc)
{
    struct sc_world_opts opts = {.reorder_ms = t->jo->reorder_ms, .effect = on_effect,
                                 .line = on_line, .arg = t};
    struct sc_world *w = sc_world_create(t->jo, &opts);
    struct sc_node_id first = {{0}};
    memset(&t->seen, 0, sizeof(t->seen));
    t->trace.len = 0;
    for (uint32_t i = 0; i < tc->n_entries; ++i) {
        struct sc_event ev;
        struct sc_fault fault;
        if (tc->entries[i].line.len == 0) {
            sc_world_progress(w, tc->entries[i].at_ms);
            continue;
        }
        sc_canonical_read(&t->suite.reader, tc->entries[i].line, i + 1, &ev, &fault);
        if (sc_node_none(&first) && ev.n_ids > 0)
            first = ev.ids[0].node;
        sc_world_event(w, &ev);
    }
    sc_world_end(w);
    t->seen.customers = sc_world_counts(w).customers;
    if (!sc_node_none(&first))
        look_at_customer(t, w, first);
    sc_world_destroy(w);
}

/* ---- what is printed */

static void put_lines(struct sc_buf *out, const char *indent, struct sc_str text)
{
    while (text.len > 0) {
        const char *end = memchr(text.p, '\n', text.len);
        size_t n = end ? (size_t)(end - text.p) : text.len;
        sc_buf_addf(out, "%s%.*s\n", indent, (int)n, text.p);
        text = (struct sc_str){text.p + n + (end != NULL), text.len - n - (end != NULL)};
    }
}

static void put_trace(struct test *t)
{
    sc_buf_addz(&t->out, "  trace\n");
    put_lines(&t->out, "    ", sc_buf_view(&t->trace));
}

static void put_failure(struct test *t, const struct sc_test_misses *misses)
{
    for (uint32_t i = 0; i < misses->v.n; ++i) {
        const struct sc_test_miss *miss = &misses->v.v[i];
        sc_buf_addf(&t->out, "  %.*s:%u: %s\n    expected\n", SC_STR_FMT(miss->mark.file->name),
                    miss->mark.line, miss->what);
        put_lines(&t->out, "      ", miss->expected);
        sc_buf_addz(&t->out, "    seen\n");
        put_lines(&t->out, "      ", miss->seen);
    }
    put_trace(t);
}

static void run_case(struct test *t, uint32_t number)
{
    const struct sc_test_case *tc = &t->suite.cases.v.v[number];
    struct sc_test_result *result = &t->results[number];
    struct sc_test_misses misses = {0};
    int64_t started_ms = sc_time_mono_ms();
    sc_arena_reset(&t->one, KEEP_BYTES);
    play(t, tc);
    t->seen.trace = sc_buf_view(&t->trace);
    sc_test_match(tc, &t->seen, &t->one, &misses);
    *result = (struct sc_test_result){.tc = tc, .took_ms = sc_time_mono_ms() - started_ms};
    t->out.len = 0;
    bool ok = misses.v.n == 0;
    t->failed += !ok;
    if (!ok)
        put_failure(t, &misses);
    else if (t->verbose)
        put_trace(t);
    if (!ok)
        result->failure = sc_str_dup(&t->project.ar, sc_buf_view(&t->out));
    if (t->quiet)
        return;
    printf("%s %.*s (%.*s:%u)\n", ok ? "ok    " : "not ok", SC_STR_FMT(tc->name),
           SC_STR_FMT(tc->mark.file->name), tc->mark.line);
    if (t->out.len)
        fwrite(t->out.p, 1, t->out.len, stdout);
}

static int write_junit(struct test *t)
{
    FILE *f = fopen(t->junit_path, "we");
    t->out.len = 0;
    sc_test_junit(t->jo, t->results, t->suite.cases.v.n, &t->out);
    bool ok = f != NULL && fwrite(t->out.p, 1, t->out.len, f) == t->out.len;
    ok = f != NULL && fclose(f) == 0 && ok;
    if (!ok)
        fprintf(stderr, "stagecoach: %s: %s\n", t->junit_path, strerror(errno));
    return ok ? SC_EXIT_OK : SC_EXIT_IO;
}

static int run_cases(struct test *t)
{
    uint32_t n = t->suite.cases.v.n;
    t->results = SC_NEW_N(&t->project.ar, struct sc_test_result, n + 1);
    for (uint32_t i = 0; i < n; ++i)
        run_case(t, i);
    if (t->coverage) {
        t->out.len = 0;
        sc_test_coverage_print(&t->reached, &t->out);
        fwrite(t->out.p, 1, t->out.len, stdout);
    }
    printf("%u passed, %u failed\n", n - t->failed, t->failed);
    if (n == 0)
        fprintf(stderr, "stagecoach test: no cases: they stand under `tests:` of the journey, or in "
                "files named after it\n");
    int rc = t->junit_path ? write_junit(t) : SC_EXIT_OK;
    return rc ? rc : t->failed > 0 ? SC_EXIT_FINDINGS : SC_EXIT_OK;
}

/* ---- loading */

static int load_cases(struct test *t, const struct sc_words *words)
{
    int rc = SC_EXIT_OK;
    sc_test_suite_init(&t->suite, &t->project, t->jo, &t->dg);
    for (int i = 1; i < words->n && rc == SC_EXIT_OK; ++i) {
        if (sc_test_suite_add(&t->suite, &t->project, words->v[i]))
            continue;
        fprintf(stderr, "stagecoach test: cannot read %s: %s\n", words->v[i], strerror(errno));
        rc = SC_EXIT_NOINPUT;
    }
    if (rc == SC_EXIT_OK && t->dg.items.n > 0) {
        sc_diag_render(&t->dg, SC_DIAG_TEXT, isatty(STDERR_FILENO) != 0, &t->out);
        fwrite(t->out.p, 1, t->out.len, stderr);
    }
    return rc == SC_EXIT_OK && t->dg.errors > 0 ? SC_EXIT_CONFIG : rc;
}

static int test(struct test *t, const struct sc_words *words)
{
    struct sc_want everything = {.op = SC_MAP_PATH, .path = {.text = SC_STR("$")}};
    const struct sc_projection all = {&everything, 1};
    int rc = sc_project_load_journey(&t->project, words->v[0]);
    if (rc)
        return rc;
    struct sc_arena *ar = &t->project.ar;
    t->jo = t->project.journey;
    t->whole = sc_json_decoder(&all, ar);
    sc_diag_init(&t->dg, ar);
    sc_test_coverage_init(&t->reached, t->jo, ar);
    rc = load_cases(t, words);
    if (rc == SC_EXIT_OK)
        rc = run_cases(t);
    sc_test_suite_fini(&t->suite);
    return rc;
}

/* The files that were read, to be watched, are the words and what those name. */
static void watch_files(struct sc_watch *wt, const struct test *t, const struct sc_words *words)
{
    bool fine = true;
    for (int i = 0; i < words->n; ++i)
        fine = sc_watch_add(wt, words->v[i]) && fine;
    for (uint32_t i = 0; i < t->project.files.n; ++i)
        fine = sc_watch_add(wt, t->project.files.v[i]->path.p) && fine;
    if (!fine)
        fprintf(stderr, "stagecoach test: --watch: some files cannot be watched: %s\n",
                strerror(errno));
}

static int once(struct test *t, const struct sc_words *words, struct sc_watch *wt)
{
    struct test run = {.junit_path = t->junit_path, .coverage = t->coverage, .quiet = t->quiet,
                       .verbose = t->verbose};
    sc_arena_init(&run.one);
    int rc = test(&run, words);
    if (wt)
        watch_files(wt, &run, words);
    fflush(stdout);
    sc_project_fini(&run.project);
    sc_buf_fini(&run.trace);
    sc_buf_fini(&run.out);
    sc_arena_fini(&run.one);
    return rc;
}

/* Again at each change, until the terminal says stop. */
static int watch(struct test *t, const struct sc_words *words)
{
    struct sc_watch wt;
    struct sc_str changed;
    sc_watch_init(&wt);
    for (int i = 0; i < words->n; ++i)
        sc_watch_add(&wt, words->v[i]); /* a change while the first run goes on counts */
    do {
        int rc = once(t, words, &wt);
        printf("-- %s; waiting for a change\n", rc ? "not all is well" : "all is well");
        fflush(stdout);
        changed = sc_watch_wait(&wt);
        if (changed.len)
            printf("-- %.*s changed\n", SC_STR_FMT(changed));
    } while (changed.len);
    sc_watch_fini(&wt);
    return SC_EXIT_OK;
}

/* The results are not written over what is played. */
static int look_at_files(const struct test *t, const struct sc_words *words)
{
    struct sc_arena ar;
    struct sc_paths ps = {.ar = &ar};
    sc_arena_init(&ar);
    for (int i = 0; i < words->n; i++)
        sc_paths_add(&ps, i ? "FILE" : "JOURNEY", words->v[i], false);
    sc_paths_add(&ps, "--junit", t->junit_path, true);
    int rc = sc_paths_look(&ps, "test");
    sc_arena_fini(&ar);
    return rc;
}

int sc_cmd_test(int argc, char **argv)
{
    struct test t = {0};
    const struct sc_arg args[] = {
        {"coverage", 0, SC_ARG_FLAG, &t.coverage, NULL,
         "stages, transitions, triggers and gates that were reached"},
        {"junit", 0, SC_ARG_STR, &t.junit_path, "FILE", "results as JUnit XML too"},
        {"quiet", 'q', SC_ARG_FLAG, &t.quiet, NULL, "the summary alone"},
        {"watch", 'w', SC_ARG_FLAG, &t.watch, NULL, "again whenever one of the files changes"},
        {"verbose", 'v', SC_ARG_FLAG, &t.verbose, NULL, "the trace of each case, also of passed ones"},
        {0},
    };
    static const char about[] =
        "Plays the cases under `tests:` of a journey, and of further files (YAML, or .trace: plain\n"
        "text), on a virtual clock and compares what is expected. A case that fails shows what the\n"
        "rules saw. Exit 0: all passed, 1: some failed, 78: a file has a fault.";
    const struct sc_command cmd = {"test JOURNEY [FILE…] [options]", about, args, 1, -1};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    rc = look_at_files(&t, &words);
    if (rc)
        return rc;
    return t.watch ? watch(&t, &words) : once(&t, &words, NULL);
}
