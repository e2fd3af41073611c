/* stagecoach test: the cases of a journey, each played on a world of its own with a virtual clock.
 * The engine is that of `run` and `simulate`; only time is the case's. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/explain_story.h"
#include "cli/key.h"
#include "cli/project.h"
#include "cli/test_match.h"
#include "cli/test_report.h"
#include "sim/world.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define KEEP_BYTES (8u << 20)

struct test {
    /* options */
    const char *junit_path;
    bool coverage, quiet, verbose;
    /* work */
    struct sc_project project;
    const struct sc_journey *jo;
    struct sc_pseudonyms *ps;
    struct sc_canonical reader;
    const struct sc_decoder *whole; /* JSON text to one value */
    struct sc_diag dg;
    struct sc_test_cases cases;
    struct sc_test_coverage reached;
    struct sc_test_result *results;
    struct sc_arena line, one;  /* a line's, a case's */
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
    t->seen.stage = t->jo->stages[st->stage].name;
    t->reached.stages |= UINT64_C(1) << st->stage;
    sc_state_customer_json(t->jo, st, now_ms, NULL, NULL, &json);
    t->seen.facts = sc_test_get(parse(t, sc_buf_view(&json)), "facts");
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
        sc_canonical_read(&t->reader, tc->entries[i].line, i + 1, &ev, &fault);
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
    const struct sc_test_case *tc = &t->cases.v.v[number];
    struct sc_test_result *result = &t->results[number];
    struct sc_test_misses misses = {0};
    int64_t started_ms = sc_time_mono_ms();
    sc_arena_reset(&t->one, KEEP_BYTES);
    play(t, tc);
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
    sc_test_junit(t->jo, t->results, t->cases.v.n, &t->out);
    bool ok = f != NULL && fwrite(t->out.p, 1, t->out.len, f) == t->out.len;
    ok = f != NULL && fclose(f) == 0 && ok;
    if (!ok)
        fprintf(stderr, "stagecoach: %s: %s\n", t->junit_path, strerror(errno));
    return ok ? SC_EXIT_OK : SC_EXIT_IO;
}

static int run_cases(struct test *t)
{
    uint32_t n = t->cases.v.n;
    t->results = SC_NEW_N(&t->project.ar, struct sc_test_result, n + 1);
    for (uint32_t i = 0; i < n; ++i)
        run_case(t, i);
    if (t->coverage) {
        t->out.len = 0;
        sc_test_coverage_print(&t->reached, &t->out);
        fwrite(t->out.p, 1, t->out.len, stdout);
    }
    printf("%u passed, %u failed\n", n - t->failed, t->failed);
    int rc = t->junit_path ? write_junit(t) : SC_EXIT_OK;
    return rc ? rc : t->failed > 0 ? SC_EXIT_FINDINGS : SC_EXIT_OK;
}

/* ---- loading */

/* A file of cases alone: `tests:` and nothing else. */
static int add_file(struct test *t, const char *path)
{
    const struct sc_node *doc = sc_project_read(&t->project, path, &t->dg);
    if (doc == NULL && errno != 0) {
        fprintf(stderr, "stagecoach test: cannot read %s: %s\n", path, strerror(errno));
        return SC_EXIT_NOINPUT;
    }
    const struct sc_node *list = doc ? sc_node_get(doc, "tests") : NULL;
    if (doc != NULL && list == NULL)
        sc_diag_add(&t->dg, SC_ERROR, "bad-test", doc->mark,
                    "a file of cases has the key `tests` with a list");
    for (uint32_t i = 0; doc && doc->kind == SC_NODE_MAP && i < doc->n; ++i)
        if (!sc_str_eqz(doc->pairs[i].key->text, "tests"))
            sc_diag_add(&t->dg, SC_ERROR, "unknown-key", doc->pairs[i].key->mark,
                        "a file of cases has no key but `tests`");
    if (list != NULL)
        sc_test_cases_add(&t->cases, list);
    return SC_EXIT_OK;
}

static int add_cases(struct test *t, const struct sc_words *words)
{
    int rc = SC_EXIT_OK;
    if (t->jo->tests != NULL)
        sc_test_cases_add(&t->cases, t->jo->tests);
    for (int i = 1; i < words->n && rc == SC_EXIT_OK; ++i)
        rc = add_file(t, words->v[i]);
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
    sc_taxonomy_project(t->jo->tx, NULL, ar); /* faults in what no rule reads are faults too */
    t->ps = sc_pseudonyms_create(t->jo->tx, SC_STR(SC_KEY_DEVELOPMENT), 0, 1u << 10);
    sc_canonical_init(&t->reader, t->jo->tx, t->ps, ar, &t->line);
    t->whole = sc_json_decoder(&all, ar);
    sc_diag_init(&t->dg, ar);
    t->cases = (struct sc_test_cases){.jo = t->jo, .reader = &t->reader, .ar = ar, .dg = &t->dg};
    sc_test_coverage_init(&t->reached, t->jo, ar);
    rc = add_cases(t, words);
    if (rc == SC_EXIT_OK)
        rc = run_cases(t);
    sc_pseudonyms_destroy(t->ps);
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
        {"verbose", 'v', SC_ARG_FLAG, &t.verbose, NULL, "the trace of each case, also of passed ones"},
        {0},
    };
    static const char about[] =
        "Plays the cases under `tests:` of a journey, and of further files, on a virtual clock and\n"
        "compares what is expected. A case that fails shows what the rules saw. Exit 0: all passed,\n"
        "1: some failed, 78: a file has a fault.";
    const struct sc_command cmd = {"test JOURNEY [FILE…] [options]", about, args, 1, -1};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    sc_arena_init(&t.line);
    sc_arena_init(&t.one);
    rc = test(&t, &words);
    sc_project_fini(&t.project);
    sc_buf_fini(&t.trace);
    sc_buf_fini(&t.out);
    sc_arena_fini(&t.line);
    sc_arena_fini(&t.one);
    return rc;
}
