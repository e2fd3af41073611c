/* stagecoach simulate: a journey over files of canonical events, no server. Input is read line by
 * line, effects are written as they come, customers at the end. */
#include "cli/against.h"
#include "cli/args.h"
#include "cli/canonical.h"
#include "cli/cli.h"
#include "cli/key.h"
#include "cli/paths.h"
#include "cli/project.h"
#include "cli/progress.h"
#include "cli/raw.h"
#include "cli/report.h"
#include "sim/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRESS_EVERY 65536u
#define LATE_SHARE 20u /* one in so many late events is said */
#define LIMIT 20 /* differences that are named */
#define GROUP 64u             /* events read before they are played, */
#define KEEP_BYTES (1u << 20) /* and bytes of them */
#define AHEAD 2u              /* a customer is asked for so many events before */
#define PSEUDONYMS (1u << 18) /* kept in memory: 8 MiB */

struct group { /* events that were read and are to be played */
    struct sc_arena ar; /* their lines, and what they borrow */
    uint32_t n;
    struct sc_event ev[GROUP];
};

struct simulate {
    /* options */
    struct sc_words files;
    struct sc_groups sources; /* of each its name, then files */
    const char *effects_path, *customers_path, *analytics_path, *report_path, *key_file;
    bool reveal, quiet;
    const char *against_path;
    bool exit_code;
    int64_t limit;
    int64_t reorder_ms, disorder_ms, until_ms, max_invalid;
    /* work */
    struct sc_project project;
    struct sc_against *against; /* NULL: no comparison */
    enum sc_against_side side;
    struct sc_pseudonyms *ps;
    struct sc_canonical reader;
    struct sc_world *world;
    struct group group;
    struct sc_arena names, cells;
    struct sc_map raw;     /* node -> raw value, for --reveal */
    FILE *effects, *customers, *analytics;
    struct sc_cube cube;
    struct sc_buf out;
    uint64_t lines, invalid;
    struct sc_progress progress;
};

static void write_line(FILE *to, struct sc_str line)
{
    fwrite(line.p, 1, line.len, to);
    fputc('\n', to);
}

static void on_effect(void *arg, const struct sc_effect *fx)
{
    struct simulate *sm = arg;
    if (sm->against)
        sc_against_effect(sm->against, sm->project.journey, fx);
    if (fx->type == SC_FX_MERGED || fx->type == SC_FX_IDENTITY)
        return; /* the identity topic's: the customers file has the result */
    sm->out.len = 0;
    sc_effect_json(sm->project.journey, fx, &sm->out);
    sc_buf_char(&sm->out, '\n');
    fwrite_unlocked(sm->out.p, 1, sm->out.len, sm->effects);
}

static void on_delta(void *arg, const struct sc_cell *delta)
{
    struct simulate *sm = arg;
    sc_cube_add(&sm->cube, delta);
}

static void on_customer(void *arg, struct sc_str line)
{
    write_line(arg, line);
}

static struct sc_str node_key(const struct sc_node_id *node)
{
    return (struct sc_str){(const char *)node->b, sizeof(node->b)};
}

static struct sc_str reveal(void *arg, const struct sc_node_id *node)
{
    struct simulate *sm = arg;
    const struct sc_str *raw = sc_map_get(&sm->raw, node_key(node));
    return raw ? *raw : SC_STR_NULL;
}

static void remember_raw(struct simulate *sm, const struct sc_event *ev)
{
    for (uint32_t i = 0; i < ev->n_ids; i++) {
        if (sc_map_get(&sm->raw, node_key(&ev->ids[i].node)))
            continue;
        struct sc_str *raw = SC_NEW(&sm->names, struct sc_str);
        *raw = sc_str_dup(&sm->names, ev->ids[i].value);
        sc_map_put(&sm->raw, node_key(&ev->ids[i].node), raw);
    }
}

static void on_invalid(struct simulate *sm, const char *where, uint64_t number, const char *why,
                       const struct sc_fault *f)
{
    sm->invalid++;
    if (sm->side == SC_AGAINST_OLD)
        return; /* said of the new one */
    sc_progress_end(&sm->progress);
    fprintf(stderr, "%s:%llu: invalid: %s", where, (unsigned long long)number, why);
    if (f && f->path.len)
        fprintf(stderr, " (%.*s)", SC_STR_FMT(f->path));
    if (f && f->text[0] && strcmp(f->text, why) != 0)
        fprintf(stderr, ": %s", f->text);
    fputc('\n', stderr);
}

static void progress(struct simulate *sm, const char *name, uint64_t at, uint64_t size)
{
    sc_progress_show(&sm->progress, &(struct sc_progress_point){name, sm->lines, at, size});
}

/* The events that were read, one step after the other for all of them, so that each step's code and
 * what it asks memory for are there when they are wanted. */
static void play_group(struct simulate *sm)
{
    struct group *g = &sm->group;
    for (uint32_t i = 0; i < g->n; i++) {
        sc_canonical_end(&sm->reader, &g->ar, &g->ev[i]);
        if (sm->reveal)
            remember_raw(sm, &g->ev[i]);
        sc_world_expect(sm->world, &g->ev[i], SC_AHEAD_PLACES);
    }
    for (uint32_t i = 0; i < g->n && i < AHEAD; i++)
        sc_world_expect(sm->world, &g->ev[i], SC_AHEAD_CUSTOMER);
    for (uint32_t i = 0; i < g->n; i++) {
        if (i + AHEAD < g->n)
            sc_world_expect(sm->world, &g->ev[i + AHEAD], SC_AHEAD_CUSTOMER);
        sc_world_event(sm->world, &g->ev[i]);
    }
    g->n = 0;
    sc_arena_reset(&g->ar, KEEP_BYTES);
}

static void read_line(struct simulate *sm, struct sc_str line, uint64_t number)
{
    struct group *g = &sm->group;
    struct sc_fault fault;
    if (line.len == 0 || (line.p[0] <= ' ' && sc_str_trim(line).len == 0))
        return;
    line = sc_str_dup(&g->ar, line);
    enum sc_drop drop =
        sc_canonical_begin(&sm->reader, line, number, &g->ar, &g->ev[g->n], &fault);
    if (drop != SC_DROP_NONE)
        on_invalid(sm, sm->reader.path, number, sc_drop_text(drop), &fault);
    else
        g->n++;
    if (g->n == GROUP || g->ar.used > KEEP_BYTES)
        play_group(sm);
}

static int read_file(struct simulate *sm, const char *path)
{
    struct sc_lines *ls = sc_lines_open(path);
    if (ls == NULL) {
        fprintf(stderr, "stagecoach: %s: %s\n", path, strerror(errno));
        return SC_EXIT_NOINPUT;
    }
    sm->reader.path = path;
    struct sc_str line;
    uint64_t number;
    enum sc_line got;
    while ((got = sc_lines_next(ls, &line, &number)) != SC_LINE_END && got != SC_LINE_ERROR) {
        if (got == SC_LINE_TOO_LONG)
            on_invalid(sm, path, number, "the line is longer than 1 MiB", NULL);
        else
            read_line(sm, line, number);
        if (++sm->lines % PROGRESS_EVERY == 0)
            progress(sm, path, sc_lines_at(ls), sc_lines_size(ls));
    }
    play_group(sm);
    return sc_lines_end(ls, path, got);
}

/* A record of a source as it is on its topic. */
static void on_raw(void *arg, const struct sc_raw_record *rec)
{
    struct simulate *sm = arg;
    if (rec->too_long)
        on_invalid(sm, rec->where, rec->number, "the record is longer than 1 MiB", NULL);
    else if (sc_drop_dead_letter(rec->drop)) /* not what the source's `unknown` passes over */
        on_invalid(sm, rec->where, rec->number, sc_drop_text(rec->drop), rec->fault);
    if (rec->event) {
        if (sm->reveal)
            remember_raw(sm, rec->event);
        sc_world_event(sm->world, rec->event);
    }
    sm->lines++;
    progress(sm, rec->where, rec->at, rec->size);
}

/* Canonical files one after the other, as they come; then raw records, one stream in order of time. */
static int read_all(struct simulate *sm)
{
    struct sc_raw raw = {&sm->project, sm->ps, on_raw, sm};
    struct sc_raw_input *inputs =
        SC_NEW_N(&sm->names, struct sc_raw_input, sm->files.n + sm->sources.n + 1);
    struct sc_str topic;
    int64_t from_ms;
    uint32_t n = 0;
    int rc = SC_EXIT_OK;
    for (int i = 0; i < sm->files.n && rc == SC_EXIT_OK; i++) {
        if (sc_raw_is_topic(sm->files.v[i], &topic, &from_ms))
            rc = sc_raw_topic(&sm->project, topic, from_ms, &inputs[n++]);
        else
            rc = read_file(sm, sm->files.v[i]);
    }
    for (int i = 0; i < sm->sources.n && rc == SC_EXIT_OK; i++)
        rc = sc_raw_files(&sm->project, &sm->sources.v[i], &inputs[n++]);
    if (rc == SC_EXIT_OK && n > 0)
        rc = sc_raw_read(&raw, inputs, n);
    sc_progress_end(&sm->progress);
    return rc;
}

static void write_summary(struct simulate *sm)
{
    struct sc_world_counts c = sc_world_counts(sm->world);
    struct sc_jsonw js;
    sm->out.len = 0;
    sc_jsonw_init(&js, &sm->out);
    sc_jsonw_obj(&js);
    sc_jsonw_keyz(&js, "type");
    sc_jsonw_strz(&js, "summary");
    const struct {
        const char *key;
        uint64_t n;
    } counts[] = {{"events", c.events},       {"customers", c.customers},
                  {"duplicates", c.duplicates}, {"invalid", sm->invalid},
                  {"anonymous", c.anonymous}, {"late", c.late},
                  {"merges", c.merges},       {"reorder_early", c.reorder_early}};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        sc_jsonw_keyz(&js, counts[i].key);
        sc_jsonw_uint(&js, counts[i].n);
    }
    sc_jsonw_obj_end(&js);
    write_line(sm->effects, sc_buf_view(&sm->out));
}

/* One event in twenty and more: hardly a fact about the customers. */
static void say_late(const struct simulate *sm)
{
    struct sc_world_counts c = sc_world_counts(sm->world);
    if (sm->quiet || sm->side == SC_AGAINST_OLD || c.late * LATE_SHARE < c.events || c.late == 0)
        return;
    fprintf(stderr, "stagecoach: %llu of %llu events are later than `lateness` allows: they move "
            "facts, and fire nothing; %s\n", (unsigned long long)c.late, (unsigned long long)c.events,
            sm->files.n > 1 ? "files are read one after the other: merge them by occurred_at first"
                            : "sort them by occurred_at, or let --reorder do it");
}

static void write_analytics(struct simulate *sm)
{
    uint32_t n;
    const struct sc_cell *cells = sc_cube_cells(&sm->cube, &sm->cells, &n);
    for (uint32_t i = 0; i < n; i++) {
        sm->out.len = 0;
        sc_cell_json(sm->project.journey, &cells[i], &sm->cells, &sm->out);
        write_line(sm->analytics, sc_buf_view(&sm->out));
    }
}

/* sm->out holds the summary line. */
static bool write_report(struct simulate *sm)
{
    int most = sm->files.n;
    for (int s = 0; s < sm->sources.n; s++)
        most += sm->sources.v[s].n;
    const char **inputs = SC_NEW_N(&sm->names, const char *, most + 1);
    struct sc_report rp = {.jo = sm->project.journey, .cube = &sm->cube, .files = inputs,
                           .summary = sc_buf_view(&sm->out)};
    for (int i = 0; i < sm->files.n; i++)
        inputs[rp.n_files++] = sm->files.v[i];
    for (int s = 0; s < sm->sources.n; s++) {
        const struct sc_words *source = &sm->sources.v[s];
        for (int i = 1; i < source->n; i++) /* the first word is the source's name */
            inputs[rp.n_files++] =
                sc_arena_printf(&sm->names, "%s (%s)", source->v[i], source->v[0]);
    }
    return sc_report_write(&rp, sm->report_path);
}

static int open_output(const char *path, FILE **out)
{
    *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (*out == NULL) {
        fprintf(stderr, "stagecoach: %s: %s\n", path, strerror(errno));
        return SC_EXIT_IO;
    }
    setvbuf(*out, NULL, _IOFBF, 1 << 20);
    return SC_EXIT_OK;
}

static int close_output(const char *path, FILE *out)
{
    bool failed = fflush(out) != 0 || ferror(out);
    if (out != stdout)
        failed |= fclose(out) != 0;
    if (failed)
        fprintf(stderr, "stagecoach: %s: writing failed: %s\n",
                out == stdout ? "standard output" : path, strerror(errno));
    return failed ? SC_EXIT_IO : SC_EXIT_OK;
}

/* On to --until, which is no end of the input. */
static void move_time(struct simulate *sm)
{
    if (sm->until_ms < sc_world_now(sm->world) && sm->side == SC_AGAINST_NEW && !sm->quiet)
        fprintf(stderr, "stagecoach: --until lies before the last event: it moves time on, and "
                "leaves no event out\n");
    sc_world_until(sm->world, sm->until_ms);
}

/* The wrong file, or another form of one, is not a quiet day. */
static int nothing_valid(const struct simulate *sm)
{
    if (sm->side == SC_AGAINST_OLD)
        return SC_EXIT_OK; /* the other dictionary has these events */
    fprintf(stderr, "stagecoach: none of %llu %s\n", (unsigned long long)sm->invalid,
            sm->files.n ? "lines is an event: a file has JSON lines, one object a line "
                          "(`jq -c '.[]' FILE` of a list), and names of the taxonomy"
                        : "records is an event: compare them with the source's `format` and paths");
    return SC_EXIT_DATA;
}

static int play(struct simulate *sm)
{
    int rc = read_all(sm);
    if (rc)
        return rc;
    sc_world_end(sm->world);
    if (sm->until_ms != SC_NEVER)
        move_time(sm);
    write_summary(sm);
    say_late(sm);
    if (sm->invalid > 0 && sc_world_counts(sm->world).events == 0)
        return nothing_valid(sm);
    if (sm->report_path && !write_report(sm))
        return SC_EXIT_IO;
    if (sm->customers)
        sc_world_customers(sm->world, sm->reveal ? reveal : NULL, sm, on_customer, sm->customers);
    if (sm->analytics)
        write_analytics(sm);
    return sm->max_invalid >= 0 && sm->invalid > (uint64_t)sm->max_invalid ? SC_EXIT_FINDINGS
                                                                          : SC_EXIT_OK;
}

static int open_outputs(struct simulate *sm)
{
    int rc = open_output(sm->effects_path, &sm->effects);
    if (rc == SC_EXIT_OK && sm->customers_path)
        rc = open_output(sm->customers_path, &sm->customers);
    if (rc == SC_EXIT_OK && sm->analytics_path)
        rc = open_output(sm->analytics_path, &sm->analytics);
    return rc;
}

static int close_outputs(struct simulate *sm, int rc)
{
    if (sm->effects) {
        int closed = close_output(sm->effects_path, sm->effects);
        rc = rc ? rc : closed;
    }
    if (sm->customers) {
        int closed = close_output(sm->customers_path, sm->customers);
        rc = rc ? rc : closed;
    }
    if (sm->analytics) {
        int closed = close_output(sm->analytics_path, sm->analytics);
        rc = rc ? rc : closed;
    }
    return rc;
}

static int simulate_journey(struct simulate *sm, const char *journey_path)
{
    int rc = sc_project_load_either(&sm->project, journey_path);
    if (rc)
        return rc;
    struct sc_str key;
    struct sc_secret secret = {sm->key_file, -1};
    sc_secret_settle(&secret, sm->project.file, &sm->names);
    rc = sc_key_load(secret.file, &sm->names, &key);
    if (rc == SC_EXIT_OK)
        rc = open_outputs(sm);
    if (rc)
        return rc;
    if (sm->against)
        sc_against_begin(sm->against, sm->side, sm->project.journey);
    const struct sc_journey *jo = sm->project.journey;
    sm->ps = sc_pseudonyms_create(jo->tx, key, (uint8_t)secret.version, PSEUDONYMS);
    sc_canonical_init(&sm->reader, jo->tx, sm->ps, &sm->names, &sm->group.ar);
    sc_map_init(&sm->raw, &sm->names);
    sm->project.journey->analyse = sm->analytics_path || sm->report_path;
    sc_cube_init(&sm->cube, &sm->cells);
    struct sc_world_opts opts = {
        .disorder_ms = sm->disorder_ms,
        .reorder_ms = sm->reorder_ms == SC_NEVER ? jo->reorder_ms : sm->reorder_ms,
        .effect = on_effect,
        .delta = on_delta,
        .arg = sm,
    };
    sm->world = sc_world_create(jo, &opts);
    sc_progress_start(&sm->progress, sm->quiet);
    rc = play(sm);
    sc_world_destroy(sm->world);
    sc_pseudonyms_destroy(sm->ps);
    return close_outputs(sm, rc);
}

static int simulate(struct simulate *sm, const char *journey_path)
{
    sc_arena_init(&sm->names);
    sc_arena_init(&sm->cells);
    int rc = simulate_journey(sm, journey_path);
    sc_project_fini(&sm->project);
    sc_buf_fini(&sm->out);
    sc_arena_fini(&sm->group.ar);
    sc_arena_fini(&sm->names);
    sc_arena_fini(&sm->cells);
    return rc;
}

/* Has the other journey a fault? Said before the first is played, which may take minutes. */
static int check_against(const char *path)
{
    struct sc_project project = {0};
    int rc = sc_project_load_either(&project, path);
    sc_project_fini(&project);
    return rc;
}

/* The same input by either journey, one after the other. */
static int compare(struct simulate *sm, const char *journey_path)
{
    struct simulate old = *sm;
    sm->against = old.against = sc_against_create();
    old.side = SC_AGAINST_OLD;
    old.effects_path = "/dev/null";
    old.customers_path = old.analytics_path = old.report_path = NULL;
    old.max_invalid = -1;
    int rc = check_against(sm->against_path);
    if (rc == SC_EXIT_OK)
        rc = simulate(sm, journey_path);
    if (rc == SC_EXIT_OK)
        rc = simulate(&old, sm->against_path);
    if (rc == SC_EXIT_OK) {
        struct sc_buf report = {0};
        if (old.invalid != sm->invalid)
            fprintf(stderr, "stagecoach: %s: %llu lines are invalid to its taxonomy\n",
                    sm->against_path, (unsigned long long)old.invalid);
        bool differ = sc_against_report(sm->against, (uint64_t)sm->limit, &report);
        fwrite(report.p, 1, report.len, stdout);
        sc_buf_fini(&report);
        rc = differ && sm->exit_code ? SC_EXIT_FINDINGS : SC_EXIT_OK;
    }
    sc_against_destroy(sm->against);
    return rc;
}

/* Standard input can be read once, a topic may have grown; a comparison needs its events twice. */
static bool reads_once(const struct sc_words *files)
{
    struct sc_str topic;
    int64_t from_ms;
    for (int i = 0; i < files->n; i++)
        if (strcmp(files->v[i], "-") == 0 || sc_raw_is_topic(files->v[i], &topic, &from_ms))
            return true;
    return false;
}

/* Before anything is read: each file is there or has a place, and nothing that is read is written
 * over. */
static int look_at_files(const struct simulate *sm, const char *journey_path)
{
    struct sc_arena ar;
    struct sc_paths ps = {.ar = &ar};
    struct sc_str topic;
    int64_t from_ms;
    sc_arena_init(&ar);
    sc_paths_add(&ps, "JOURNEY", journey_path, false);
    sc_paths_add(&ps, "--against", sm->against_path, false);
    sc_paths_add(&ps, "--key-file", sm->key_file, false);
    for (int i = 0; i < sm->files.n; i++)
        if (!sc_raw_is_topic(sm->files.v[i], &topic, &from_ms))
            sc_paths_add(&ps, "--events", sm->files.v[i], false);
    for (int s = 0; s < sm->sources.n; s++)
        for (int i = 1; i < sm->sources.v[s].n; i++) /* the first word is the source's name */
            sc_paths_add(&ps, "--source", sm->sources.v[s].v[i], false);
    sc_paths_add(&ps, "--effects", sm->effects_path, true);
    sc_paths_add(&ps, "--customers", sm->customers_path, true);
    sc_paths_add(&ps, "--analytics", sm->analytics_path, true);
    sc_paths_add(&ps, "--report", sm->report_path, true);
    int rc = sc_paths_look(&ps, "simulate");
    sc_arena_fini(&ar);
    return rc;
}

/* TOPIC@TIME is meant, and the time is none. */
static const char *wrong_time(const struct sc_words *files)
{
    struct sc_str topic;
    int64_t from_ms;
    for (int i = 0; i < files->n; i++) {
        const char *at = strrchr(files->v[i], '@');
        if (at && access(files->v[i], F_OK) != 0 &&
            !sc_raw_is_topic(files->v[i], &topic, &from_ms))
            return files->v[i];
    }
    return NULL;
}

/* What the table of options cannot say. False: said on standard error. */
static bool options_fit(const struct simulate *sm)
{
    bool once = reads_once(&sm->files);
    const char *why = NULL;
    for (int s = 0; s < sm->sources.n; s++) {
        once |= reads_once(&sm->sources.v[s]);
        if (sm->sources.v[s].n == 1)
            why = "--source NAME FILE…: the files are missing";
    }
    if (sm->files.n + sm->sources.n == 0)
        why = "--events FILE… or --source NAME FILE… is missing";
    else if (sm->against_path && once)
        why = "--against reads the events twice: not from - or a topic";
    else if (sm->against_path == NULL && (sm->exit_code || sm->limit >= 0))
        why = "--exit-code and --limit belong to --against OLD";
    const char *wrong = wrong_time(&sm->files);
    if (why)
        fprintf(stderr, "stagecoach simulate: %s\n", why);
    else if (wrong)
        fprintf(stderr, "stagecoach simulate: --events: '%s' is no file; a topic is read from a "
                "time on, as shop.events@2026-03-02T10:00:00Z\n", wrong);
    return why == NULL && wrong == NULL;
}

int sc_cmd_simulate(int argc, char **argv)
{
    struct simulate sm = {.limit = -1, .reorder_ms = SC_NEVER, .until_ms = SC_NEVER,
                          .max_invalid = -1};
    const struct sc_arg args[] = {
        {"events", 'e', SC_ARG_MANY, &sm.files, "FILE…", "canonical events, JSON lines; .gz; - is standard input; or TOPIC@TIME"},
        {"source", 0, SC_ARG_GROUPS, &sm.sources, "NAME FILE…", "raw records of that source: JSON lines, or each behind its length; may be given again"},
        {"effects", 0, SC_ARG_STR, &sm.effects_path, "FILE", "where effects go (default -: standard output)"},
        {"customers", 0, SC_ARG_STR, &sm.customers_path, "FILE", "write every customer at the end"},
        {"analytics", 0, SC_ARG_STR, &sm.analytics_path, "FILE", "write what is measured, by day and key, at the end"},
        {"report", 0, SC_ARG_STR, &sm.report_path, "FILE", "write the back-test as one HTML page"},
        {"reveal", 0, SC_ARG_FLAG, &sm.reveal, NULL, "identifiers in customers as they are, not pseudonyms"},
        {"reorder", 0, SC_ARG_DURATION, &sm.reorder_ms, "D", "put events within D in order first (default: the journey's)"},
        {"disorder", 0, SC_ARG_DURATION, &sm.disorder_ms, "D", "hold the watermark back by D (default 0)"},
        {"until", 0, SC_ARG_TIME, &sm.until_ms, "TIME", "move time on to TIME at the end"},
        {"max-invalid", 0, SC_ARG_INT, &sm.max_invalid, "N", "exit 1 when more than N lines are invalid"},
        {"key-file", 0, SC_ARG_STR, &sm.key_file, "FILE", "secret of the pseudonyms (default: the settings', else $STAGECOACH_IDENTITY_KEY_FILE, else a development key)"},
        {"against", 0, SC_ARG_STR, &sm.against_path, "OLD", "compare: whom another journey would send what; effects only to --effects"},
        {"limit", 0, SC_ARG_INT, &sm.limit, "N", "with --against: name at most N differences (default 20)"},
        {"exit-code", 0, SC_ARG_FLAG, &sm.exit_code, NULL, "with --against: exit 1 when anything differs"},
        {"quiet", 'q', SC_ARG_FLAG, &sm.quiet, NULL, "no progress"},
        {0},
    };
    static const char about[] =
        "Runs a journey over files of events with the same engine as `run`. Effects come out as JSON\n"
        "lines, the summary last; invalid lines are named on standard error and reading goes on.";
    const struct sc_command cmd = {"simulate JOURNEY|SETTINGS --events FILE… [options]", about, args, 1, 1};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    if (!options_fit(&sm))
        return SC_EXIT_USAGE;
    if (sm.effects_path == NULL)
        sm.effects_path = sm.against_path ? "/dev/null" : "-";
    if (sm.limit < 0)
        sm.limit = LIMIT;
    rc = look_at_files(&sm, words.v[0]);
    if (rc)
        return rc;
    return sm.against_path ? compare(&sm, words.v[0]) : simulate(&sm, words.v[0]);
}
