/* stagecoach explain customer: its timeline, from files. The journey is played twice over the same
 * input: once to learn who the customer is at the end and which nodes became it, then with a trace
 * of what happens at those. So the events of absorbed customers are told too, as they were then,
 * and the heap stays that of `simulate`. */
#include "cli/args.h"
#include "cli/canonical.h"
#include "cli/cli.h"
#include "cli/explain.h"
#include "cli/explain_story.h"
#include "cli/key.h"
#include "cli/project.h"
#include "cli/who.h"
#include "sim/world.h"

#include <errno.h>
#include <stdio.h>

struct explain {
    /* options */
    struct sc_words files;
    const char *identifier, *key_file;
    bool reveal;
    int64_t until_ms;
    /* work */
    struct sc_project project;
    const struct sc_journey *jo;
    struct sc_pseudonyms *ps;
    struct sc_canonical reader;
    struct sc_world *world;
    struct sc_arena line;
    struct sc_map nodes;  /* the customer's: node -> its raw value, empty while unknown */
    struct sc_buf out;
    uint64_t invalid;
};

/* ---- who */

static struct sc_str node_key(const struct sc_node_id *node)
{
    return (struct sc_str){(const char *)node->b, sizeof(node->b)};
}

static bool is_theirs(void *arg, const struct sc_node_id *node)
{
    struct explain *ex = arg;
    return sc_map_get(&ex->nodes, node_key(node)) != NULL;
}

static void add_node(struct explain *ex, const struct sc_node_id *node)
{
    if (!is_theirs(ex, node))
        sc_map_put(&ex->nodes, node_key(node), SC_NEW(&ex->project.ar, struct sc_str));
}

static struct sc_str reveal(void *arg, const struct sc_node_id *node)
{
    struct explain *ex = arg;
    const struct sc_str *raw = sc_map_get(&ex->nodes, node_key(node));
    return ex->reveal && raw ? *raw : SC_STR_NULL;
}

static void remember_raw(struct explain *ex, const struct sc_event *ev)
{
    for (uint32_t i = 0; i < ev->n_ids; ++i) {
        struct sc_str *raw = sc_map_get(&ex->nodes, node_key(&ev->ids[i].node));
        if (raw != NULL && raw->len == 0)
            *raw = sc_str_dup(&ex->project.ar, ev->ids[i].value);
    }
}

/* ---- playing the files */

static int read_file(struct explain *ex, const char *path)
{
    struct sc_lines *ls = sc_lines_open(path);
    if (ls == NULL) {
        fprintf(stderr, "stagecoach: %s: %s\n", path, strerror(errno));
        return SC_EXIT_NOINPUT;
    }
    struct sc_str line;
    uint64_t number;
    enum sc_line got;
    ex->reader.path = path;
    while ((got = sc_lines_next(ls, &line, &number)) != SC_LINE_END && got != SC_LINE_ERROR) {
        struct sc_event ev;
        struct sc_fault fault;
        if (got == SC_LINE_OK && sc_str_trim(line).len == 0)
            continue;
        if (got == SC_LINE_TOO_LONG ||
            sc_canonical_read(&ex->reader, line, number, &ev, &fault) != SC_DROP_NONE) {
            ex->invalid++;
            continue;
        }
        remember_raw(ex, &ev);
        sc_world_event(ex->world, &ev);
    }
    return sc_lines_end(ls, path, got);
}

static int play(struct explain *ex, const struct sc_world_opts *opts)
{
    int rc = SC_EXIT_OK;
    ex->world = sc_world_create(ex->jo, opts);
    ex->invalid = 0;
    for (int i = 0; i < ex->files.n && rc == SC_EXIT_OK; ++i)
        rc = read_file(ex, ex->files.v[i]);
    sc_world_end(ex->world);
    if (ex->until_ms != SC_NEVER)
        sc_world_until(ex->world, ex->until_ms);
    return rc;
}

/* ---- what is printed */

static void on_line(void *arg, struct sc_str line)
{
    (void)arg;
    printf("%.*s\n", SC_STR_FMT(line));
}

static void on_effect(void *arg, const struct sc_effect *fx)
{
    struct explain *ex = arg;
    if (!is_theirs(ex, &fx->customer))
        return;
    ex->out.len = 0;
    sc_story_effect(ex->jo, fx, reveal, ex, &ex->out);
    if (ex->out.len) /* some have nothing to tell */
        fwrite(ex->out.p, 1, ex->out.len, stdout);
}

/* ---- the command */

/* First play: the customer's nodes. */
static int find(struct explain *ex, struct sc_node_id node)
{
    const struct sc_world_opts opts = {.reorder_ms = ex->jo->reorder_ms};
    int rc = play(ex, &opts);
    if (rc == SC_EXIT_OK) {
        const struct sc_state *st = sc_world_state(ex->world, node);
        if (st->n_events == 0) {
            fprintf(stderr, "stagecoach explain: these files have no event of this customer%s\n",
                    st->kind == SC_STATE_ERASED ? ": it was forgotten" : "");
            rc = SC_EXIT_FINDINGS;
        }
        add_node(ex, &st->node);
        for (uint32_t i = 0; i < st->members.n; ++i)
            add_node(ex, &st->members.v[i].node);
    }
    sc_world_destroy(ex->world);
    return rc;
}

static int tell(struct explain *ex, struct sc_node_id node)
{
    const struct sc_world_opts opts = {.reorder_ms = ex->jo->reorder_ms, .effect = on_effect,
                                       .line = on_line, .traced = is_theirs,
                                       .reveal = ex->reveal, .arg = ex};
    int rc = play(ex, &opts);
    if (rc == SC_EXIT_OK) {
        const struct sc_state *st = sc_world_state(ex->world, node);
        ex->out.len = 0;
        sc_story_customer(ex->jo, st, reveal, ex, &ex->out);
        printf("\n%.*s", (int)ex->out.len, ex->out.p);
    }
    sc_world_destroy(ex->world);
    fflush(stdout);
    if (ex->invalid > 0)
        fprintf(stderr, "stagecoach explain: %llu invalid lines are left out; `simulate` names "
                        "them\n", (unsigned long long)ex->invalid);
    return rc;
}

static int explain(struct explain *ex, const char *id, const char *journey)
{
    struct sc_node_id node;
    struct sc_str key;
    struct sc_secret secret = {ex->key_file, -1};
    int rc = sc_project_load_either(&ex->project, journey);
    if (rc)
        return rc;
    sc_secret_settle(&secret, ex->project.file, &ex->project.ar);
    if ((rc = sc_key_load(secret.file, &ex->project.ar, &key)) != SC_EXIT_OK)
        return rc;
    ex->jo = ex->project.journey;
    ex->ps = sc_pseudonyms_create(ex->jo->tx, key, (uint8_t)secret.version, 1u << 16);
    sc_canonical_init(&ex->reader, ex->jo->tx, ex->ps, &ex->project.ar, &ex->line);
    sc_map_init(&ex->nodes, &ex->project.ar);
    bool known = sc_who("explain", ex->ps, ex->jo->tx, ex->identifier, id, &node);
    rc = known ? find(ex, node) : SC_EXIT_USAGE;
    if (rc == SC_EXIT_OK)
        rc = tell(ex, node);
    sc_pseudonyms_destroy(ex->ps);
    return rc;
}

static bool reads_stdin(const struct sc_words *files)
{
    for (int i = 0; i < files->n; ++i)
        if (strcmp(files->v[i], "-") == 0)
            return true;
    return false;
}

static int from_files(struct explain *ex, const struct sc_words *words)
{
    sc_arena_init(&ex->line);
    int rc = explain(ex, words->v[0], words->v[words->n - 1]);
    sc_project_fini(&ex->project);
    sc_buf_fini(&ex->out);
    sc_arena_fini(&ex->line);
    return rc;
}

/* What the table of options cannot say; NULL: it fits. */
static const char *misfit(const struct explain *ex, bool live, int words)
{
    int named = ex->identifier ? 0 : 1; /* the word that is the customer's id */
    if (live && ex->files.n > 0)
        return "--events or --config: files, or the running system";
    if (!live && ex->files.n == 0)
        return "--events FILE… (or --config SETTINGS, for the running system) is missing";
    if (words == named + (live ? 0 : 1))
        return reads_stdin(&ex->files) ? "files are read twice, standard input cannot be" : NULL;
    return live ? "expected the customer's ID, or --identifier NS=VALUE"
                : "expected the customer's ID, or --identifier NS=VALUE, and then the JOURNEY";
}

int sc_explain_customer(int argc, char **argv)
{
    struct explain ex = {.until_ms = SC_NEVER};
    const char *config = NULL;
    const struct sc_arg args[] = {
        {"events", 'e', SC_ARG_MANY, &ex.files, "FILE…", "canonical events, JSON lines; .gz"},
        {"config", 'c', SC_ARG_STR, &config, "FILE", "settings: ask the running system instead"},
        {"identifier", 'i', SC_ARG_STR, &ex.identifier, "NS=VALUE", "the customer this identifier belongs to"},
        {"until", 0, SC_ARG_TIME, &ex.until_ms, "TIME", "move time on to TIME at the end"},
        {"reveal", 0, SC_ARG_FLAG, &ex.reveal, NULL, "identifiers and personal properties as they are"},
        {"key-file", 0, SC_ARG_STR, &ex.key_file, "FILE", "secret of the pseudonyms, as for simulate"},
        {0},
    };
    static const char about[] =
        "Tells a customer's story. From files of events: each event, link, rule with the values it\n"
        "saw, gate and decision. From the running system (--config), changing nothing in it: the\n"
        "events of the journal, what was decided and published, what the rules saw (the journal\n"
        "played again), and the state as it is stored.\n"
        "Properties marked `pii` are hidden unless --reveal.";
    const struct sc_command cmd = {
        "explain customer ID|--identifier NS=VALUE JOURNEY|SETTINGS --events FILE… | "
        "--config SETTINGS", about, args, 0, 2};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    bool live = config != NULL;
    const char *why = misfit(&ex, live, words.n);
    if (why) {
        fprintf(stderr, "stagecoach explain: %s\nusage: stagecoach %s\n", why, cmd.usage);
        return SC_EXIT_USAGE;
    }
    if (!sc_who_ok("explain", ex.identifier, words.n ? words.v[0] : NULL))
        return SC_EXIT_USAGE;
    return live ? sc_explain_running(config, ex.identifier, words.n ? words.v[0] : NULL, ex.reveal)
                : from_files(&ex, &words);
}
