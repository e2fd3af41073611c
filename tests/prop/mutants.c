/* No file of a user ends the process, and no record that meets it: mutants of every YAML file there
 * is among the cases and the examples are checked, tested and simulated, and what is accepted gets
 * records of each of its sources, each in a process of its own. A mutant may be refused; one that
 * an assertion or a sanitizer ends is a bug. And `check` keeps its word: what it passes, `simulate`
 * loads.
 *
 * A mutant is its file's tree with one to four changes: a node becomes one of any file, a key
 * another's, a pair goes or comes twice, a scalar is cut, spliced or hostile. So most of it still
 * means something, and loading goes far after the first finding, where a plain fuzzer never comes.
 *
 *   prop_mutants [FIRST [COUNT]]   the seeds; a failure's files stay, with what was said of them */
#include "../lib/slots.h"
#include "base/assert.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/project.h"
#include "codec/journal.h"
#include "codec/state.h"
#include "sim/world.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT 1000 /* under a minute with the sanitizers */
#define RECORDS 100
#define SECONDS_MAX 20

struct file {
    const char *path;
    const struct file *taxonomy; /* of a journey, where it is one of these files */
    bool cases;                  /* of a journey, and nothing else */
    struct sc_str text, events;  /* events: the file's path beside it, where there is one */
};

struct bed {
    struct sc_arena ar;
    SC_VEC(struct file) files;
    SC_VEC(const struct sc_node *) nodes; /* of all files: what mutants are grafted from */
    SC_VEC(struct sc_str) keys;
    struct reached *reached;
    char folder[64];
};

/* Written by the children: that a test reaches what it is for. */
struct reached {
    uint64_t journeys, events;
};

struct mutant {
    struct bed *bed;
    struct sc_arena ar;
    uint64_t random;
    SC_VEC(struct sc_node *) nodes;
    SC_VEC(struct sc_node_pair *) pairs;
    struct sc_buf text;
};

static uint32_t below(struct mutant *mu, uint64_t n)
{
    return slots_below(&mu->random, n);
}

/* ---- the files */

static struct sc_str read_file(const char *path, struct sc_arena *ar)
{
    struct sc_buf buf = {.ar = ar};
    FILE *f = fopen(path, "rb");
    for (int c; f != NULL && (c = getc(f)) != EOF;)
        sc_buf_char(&buf, (char)c);
    if (f != NULL)
        fclose(f);
    return sc_buf_view(&buf);
}

static const char *beside(struct bed *bed, const char *path, struct sc_str name)
{
    int folder = (int)(strrchr(path, '/') - path) + 1;
    return sc_str_printf(&bed->ar, "%.*s%.*s", folder, path, SC_STR_FMT(name)).p;
}

static struct sc_node *parse(struct sc_str text, struct sc_arena *ar)
{
    struct sc_diag dg;
    sc_diag_init(&dg, ar);
    return sc_node_parse(SC_STR("mutant"), text, NULL, NULL, ar, &dg);
}

static void gather(struct bed *bed, const struct sc_node *n)
{
    SC_VEC_PUSH(&bed->ar, &bed->nodes, n);
    for (uint32_t i = 0; i < n->n; i++) {
        if (n->kind == SC_NODE_MAP)
            SC_VEC_PUSH(&bed->ar, &bed->keys, n->pairs[i].key->text);
        gather(bed, n->kind == SC_NODE_MAP ? n->pairs[i].value : n->items[i]);
    }
}

static void find_taxonomy(struct bed *bed, struct file *f)
{
    const struct sc_node *doc = parse(f->text, &bed->ar), *at;
    f->cases = doc != NULL && doc->n == 1 && sc_node_get(doc, "tests") != NULL;
    if (doc == NULL || sc_node_get(doc, "journey") == NULL)
        return;
    at = sc_node_get(doc, "taxonomy");
    const char *path = beside(bed, f->path, at != NULL ? at->text : SC_STR("taxonomy.yaml"));
    char *real = realpath(path, NULL);
    for (uint32_t i = 0; real != NULL && i < bed->files.n; i++) {
        if (strcmp(bed->files.v[i].path, real) == 0)
            f->taxonomy = &bed->files.v[i];
    }
    free(real);
}

static void read_files(struct bed *bed, const char *pattern)
{
    glob_t found;
    SC_ASSERT(glob(pattern, 0, NULL, &found) == 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *real = realpath(found.gl_pathv[i], NULL);
        struct file f = {.path = sc_str_dup(&bed->ar, sc_str_from(real)).p};
        free(real);
        f.text = read_file(f.path, &bed->ar);
        const char *events = beside(bed, f.path, SC_STR("events.jsonl"));
        if (access(events, R_OK) == 0)
            f.events = sc_str_from(events);
        SC_VEC_PUSH(&bed->ar, &bed->files, f);
        const struct sc_node *doc = parse(f.text, &bed->ar);
        if (doc != NULL)
            gather(bed, doc);
    }
    globfree(&found);
}

static void bed_init(struct bed *bed)
{
    sc_arena_init(&bed->ar);
    read_files(bed, SC_TEST_DIR "/cases/*/*.yaml");
    read_files(bed, SC_TEST_DIR "/cases/*/*/*.yaml");
    read_files(bed, SC_TEST_DIR "/../schemas/examples/*/*.yaml");
    for (uint32_t i = 0; i < bed->files.n; i++)
        find_taxonomy(bed, &bed->files.v[i]);
    snprintf(bed->folder, sizeof(bed->folder), "/tmp/mutants.XXXXXX");
    SC_ASSERT(mkdtemp(bed->folder) != NULL);
    bed->reached = mmap(NULL, sizeof(*bed->reached), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SC_ASSERT(bed->reached != MAP_FAILED);
}

/* ---- a mutant */

static void walk(struct mutant *mu, struct sc_node *n)
{
    SC_VEC_PUSH(&mu->ar, &mu->nodes, n);
    for (uint32_t i = 0; i < n->n; i++) {
        if (n->kind == SC_NODE_MAP)
            SC_VEC_PUSH(&mu->ar, &mu->pairs, &n->pairs[i]);
        walk(mu, n->kind == SC_NODE_MAP ? n->pairs[i].value : n->items[i]);
    }
}

static struct sc_str hostile(struct mutant *mu)
{
    static const char *const texts[] = {
        "", " ", "0", "-1", "1", "64", "65", "4294967296", "9223372036854775807",
        "-9223372036854775808", "1e400", ".nan", "true", "null", "~", "$", "$.", "$.a[*].b[*]",
        "$.a[0]", "$..a", "$['a']", "0s", "106751991167d", "1ms", "-1h", "100%", "100.01%", "0%",
        "list(int)", "map(string)", "list(list(int))", "decimal", "bytes", "enum", "timestamp",
        "event", "event.name", "customer", "customer.stage", "event.x", "count()", "x", "*",
        "count(\"a\", \"1s\") > 0", "now()", "1/0 > 0", "\"", "(", "1 +", "[] == []", "{}", "a.b",
        "1d without [a]", "0d without []", "without", "a where true", "first, second", "\x01",
        "\xc3\xa9", "__", "order_completed", "utc", "customer", "month", "day", "service", "json",
        "avro", "proto", "9999-12-31T23:59:59.999Z", "0000-00-00", "24:00", "23:59", "00:00"};
    return sc_str_from(texts[below(mu, sizeof(texts) / sizeof(texts[0]))]);
}

static struct sc_str any_scalar(struct mutant *mu)
{
    const struct bed *bed = mu->bed;
    for (int i = 0; i < 16; i++) {
        const struct sc_node *n = bed->nodes.v[below(mu, bed->nodes.n)];
        if (n->kind == SC_NODE_SCALAR)
            return n->text;
    }
    return hostile(mu);
}

/* Head of one, tail of the other: expressions, paths and types stay nearly so. */
static struct sc_str cross(struct mutant *mu, struct sc_str a, struct sc_str b)
{
    size_t head = below(mu, a.len + 1), from = below(mu, b.len + 1);
    return sc_str_printf(&mu->ar, "%.*s%.*s", (int)head, a.p, (int)(b.len - from), b.p + from);
}

static void change_node(struct mutant *mu, struct sc_node *n)
{
    struct sc_node was = *n;
    switch (below(mu, 8)) {
    case 0:
    case 1:
        *n = *mu->bed->nodes.v[below(mu, mu->bed->nodes.n)];
        return;
    case 2:
        *n = (struct sc_node){.kind = SC_NODE_SCALAR, .text = hostile(mu), .quoted = below(mu, 2)};
        return;
    case 3:
        *n = (struct sc_node){.kind = SC_NODE_SCALAR, .text = any_scalar(mu)};
        return;
    case 4: /* one of a list */
        *n = (struct sc_node){.kind = SC_NODE_SEQ, .n = 1};
        n->items = SC_NEW(&mu->ar, struct sc_node *);
        n->items[0] = SC_NEW(&mu->ar, struct sc_node);
        *n->items[0] = was;
        return;
    case 5:
        n->kind = n->n ? n->kind : SC_NODE_NULL;
        n->n = n->n ? n->n - 1 : 0;
        return;
    default:
        if (n->kind == SC_NODE_SCALAR)
            n->text = below(mu, 2) ? cross(mu, n->text, any_scalar(mu))
                                   : cross(mu, n->text, n->text);
    }
}

static void change_pair(struct mutant *mu, struct sc_node_pair *pair)
{
    const struct sc_node_pair *other = mu->pairs.v[below(mu, mu->pairs.n)];
    struct sc_str key = mu->bed->keys.v[below(mu, mu->bed->keys.n)];
    switch (below(mu, 4)) {
    case 0:
        key = other->key->text;
        break;
    case 1:
        key = cross(mu, pair->key->text, key);
        break;
    case 2:
        key = hostile(mu);
    }
    pair->key = SC_NEW(&mu->ar, struct sc_node);
    *pair->key = (struct sc_node){.kind = SC_NODE_SCALAR, .text = key};
}

/* A pair more in a map, or an item in a list: its own once more, or that of another file. */
static void grow(struct mutant *mu, struct sc_node *n)
{
    const struct sc_node *from = mu->bed->nodes.v[below(mu, mu->bed->nodes.n)];
    if (below(mu, 2) || from->kind != n->kind || from->n == 0)
        from = n;
    if (n->n == 0)
        return;
    uint32_t which = below(mu, from->n);
    struct sc_node *wider = SC_NEW(&mu->ar, struct sc_node);
    *wider = *n;
    wider->n++;
    if (n->kind == SC_NODE_MAP) {
        wider->pairs = SC_NEW_N(&mu->ar, struct sc_node_pair, n->n + 1);
        memcpy(wider->pairs, n->pairs, n->n * sizeof(*n->pairs));
        wider->pairs[n->n] = from->pairs[which];
        if (from == n)
            change_pair(mu, &wider->pairs[n->n]);
    } else {
        wider->items = SC_NEW_N(&mu->ar, struct sc_node *, n->n + 1);
        memcpy(wider->items, n->items, n->n * sizeof(struct sc_node *));
        wider->items[n->n] = from->items[which];
    }
    *n = *wider;
}

/* Flow style, a line an element, so that marks differ. What is not plain for sure is quoted. */
static void render(struct mutant *mu, const struct sc_node *n)
{
    struct sc_buf *out = &mu->text;
    if (n->kind == SC_NODE_NULL) {
        sc_buf_addz(out, "null");
    } else if (n->kind == SC_NODE_SCALAR) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_.$%+";
        bool bare = !n->quoted && n->text.len > 0 && n->text.p[0] != '%';
        for (size_t i = 0; bare && i < n->text.len; i++)
            bare = n->text.p[i] != '\0' && strchr(plain, n->text.p[i]) != NULL;
        sc_buf_addz(out, bare ? "" : "\"");
        for (size_t i = 0; i < n->text.len; i++) {
            char c = n->text.p[i];
            if ((unsigned char)c < ' ')
                sc_buf_addf(out, "\\x%02x", (unsigned)c);
            else
                sc_buf_addf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
        }
        sc_buf_addz(out, bare ? "" : "\"");
    } else {
        sc_buf_char(out, n->kind == SC_NODE_MAP ? '{' : '[');
        for (uint32_t i = 0; i < n->n && out->len < (1u << 20); i++) {
            sc_buf_addz(out, i ? ",\n " : " ");
            if (n->kind == SC_NODE_MAP) {
                render(mu, n->pairs[i].key);
                sc_buf_addz(out, ": ");
            }
            render(mu, n->kind == SC_NODE_MAP ? n->pairs[i].value : n->items[i]);
        }
        sc_buf_char(out, n->kind == SC_NODE_MAP ? '}' : ']');
    }
}

static void write_text(struct mutant *mu, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", mu->bed->folder, name);
    FILE *f = fopen(path, "wb");
    SC_ASSERT(f != NULL && fwrite(mu->text.p, 1, mu->text.len, f) == mu->text.len);
    fclose(f);
}

/* `changes` of the file's tree, as `name` in the folder; a journey names its taxonomy there. */
static void write_mutant(struct mutant *mu, const struct file *f, const char *name,
                         uint32_t changes)
{
    struct sc_node *doc = parse(f->text, &mu->ar);
    mu->nodes.n = mu->pairs.n = 0;
    mu->text.len = 0;
    struct sc_node *tx = doc != NULL && f->taxonomy != NULL ? sc_node_get(doc, "taxonomy") : NULL;
    if (tx != NULL)
        tx->text = SC_STR("taxonomy.yaml");
    if (doc != NULL)
        walk(mu, doc);
    for (uint32_t i = 0; doc != NULL && i < changes; i++) {
        struct sc_node *n = mu->nodes.v[below(mu, mu->nodes.n)];
        if (below(mu, 4) == 0 && mu->pairs.n > 0)
            change_pair(mu, mu->pairs.v[below(mu, mu->pairs.n)]);
        else if (below(mu, 3) == 0 && (n->kind == SC_NODE_MAP || n->kind == SC_NODE_SEQ))
            grow(mu, n);
        else
            change_node(mu, n);
    }
    if (doc != NULL)
        render(mu, doc);
    else
        sc_buf_str(&mu->text, f->text);
    if (below(mu, 16) == 0)
        mu->text.len = below(mu, mu->text.len + 1);
    write_text(mu, name);
}

/* ---- what is done with it */

#define SHOP SC_TEST_DIR "/cases/test/shop.yaml"
#define RUN(cmd, ...)                                                                              \
    cmd((int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__, NULL})

static int play(const struct file *f)
{
    if (f->cases)
        return RUN(sc_cmd_test, "test", SHOP, "file.yaml", "--coverage") == SC_EXIT_SOFTWARE;
    if (f->taxonomy == NULL) {
        RUN(sc_cmd_check, "check", "-v", "file.yaml");
        RUN(sc_cmd_taxonomy, "taxonomy", "docs", "file.yaml");
        return RUN(sc_cmd_taxonomy, "taxonomy", "asyncapi", "file.yaml") == SC_EXIT_SOFTWARE;
    }
    int checked = RUN(sc_cmd_check, "check", "-v", "file.yaml");
    const char *events = f->events.len > 0 ? f->events.p : "/dev/null";
    int played = RUN(sc_cmd_simulate, "simulate", "file.yaml", "--quiet", "--effects", "effects",
                     "--customers", "customers", "--events", (char *)(uintptr_t)events);
    RUN(sc_cmd_test, "test", "file.yaml");
    RUN(sc_cmd_taxonomy, "taxonomy", "docs", "-o", "html", "file.yaml");
    return checked == SC_EXIT_OK && played == SC_EXIT_CONFIG ? 3 : 0;
}

struct player {
    struct sc_project pr;
    struct sc_pseudonyms *ps;
    struct sc_world *w; /* NULL: a taxonomy alone */
    struct sc_node_id last; /* of whom an event was */
    struct reached *reached;
};

/* Through intake, the journal's form, and the step, into states in their stored form. */
static void play_record(struct player *pl, const struct sc_source *src, uint64_t *random)
{
    const struct sc_taxonomy *tx = pl->pr.taxonomy;
    struct sc_arena ar;
    struct sc_event ev;
    struct sc_fault fault;
    struct sc_frame_item item;
    struct sc_buf form = {0};
    sc_arena_init(&ar);
    struct sc_record_meta meta = {.timestamp_ms = slots_below(random, 2) ? -1 : INT64_MAX,
                                  .origin = {src->topic, 0, 7}};
    struct sc_value *slots = slots_record(tx, src, random, &ar);
    if (sc_intake(tx, src, slots, &meta, pl->ps, &ar, &ev, &fault) == SC_DROP_NONE &&
        ev.n_ids > 0) {
        struct sc_record rec = {.kind = SC_REC_EVENT, .to = ev.ids[0].node,
                                .home = ev.ids[0].node, .ev = &ev};
        sc_record_encode(tx, &rec, &form);
        SC_ASSERT(sc_record_decode(tx, sc_buf_view(&form), &ar, &item));
        pl->last = ev.ids[0].node;
        if (pl->w != NULL)
            sc_world_event(pl->w, &item.event);
        pl->reached->events++;
    }
    sc_buf_fini(&form);
    sc_arena_fini(&ar);
}

static void effect(void *arg, const struct sc_effect *fx)
{
    struct sc_buf line = {0};
    sc_effect_json(arg, fx, &line);
    sc_buf_fini(&line);
}

static void customer(void *arg, struct sc_str line)
{
    SC_ASSERT(arg == NULL && line.len > 0);
}

static struct sc_world *world(struct mutant *mu, struct sc_journey *jo)
{
    struct sc_world_opts opts = {.effect = effect, .arg = jo,
                                 .working_bytes = 1 + below(mu, 2) * 100000};
    jo->analyse = true;
    return sc_world_create(jo, &opts);
}

/* A changed journey reads old states: what one wrote another reads, and can write again. */
static void change_journey(const struct sc_journey *from, const struct sc_state *st,
                           const struct sc_journey *to)
{
    struct sc_arena ar;
    struct sc_buf old = {0}, new = {0};
    sc_arena_init(&ar);
    if (sc_state_encode(from, st, &old)) {
        const struct sc_state *there = sc_state_decode(to, st->node, sc_buf_view(&old), &ar);
        SC_ASSERT(there != NULL);
        if (sc_state_encode(to, there, &new))
            SC_ASSERT(sc_state_decode(from, st->node, sc_buf_view(&new), &ar) != NULL);
    }
    sc_buf_fini(&old);
    sc_buf_fini(&new);
    sc_arena_fini(&ar);
}

static void play_records(struct mutant *mu, const struct file *f)
{
    struct player pl = {.reached = mu->bed->reached};
    const struct sc_project_file *file = sc_project_add(&pl.pr, "file.yaml");
    if (file != NULL && file->ok && file->taxonomy != NULL) {
        struct sc_taxonomy *tx = pl.pr.taxonomy = file->taxonomy;
        pl.ps = sc_pseudonyms_create(tx, SC_STR("key"), 0, 64);
        if (file->journey != NULL) {
            sc_project_use(&pl.pr, file);
            pl.w = world(mu, file->journey);
            pl.reached->journeys++;
        }
        for (uint32_t i = 0; i < RECORDS; i++) {
            uint32_t which = below(mu, tx->n_sources + 1);
            const struct sc_source *src =
                which == tx->n_sources ? &tx->canonical : &tx->sources[which];
            play_record(&pl, src, &mu->random);
        }
        if (pl.w != NULL) {
            struct sc_project old = {0};
            const struct sc_project_file *was = sc_project_add(&old, f->path);
            sc_world_end(pl.w);
            if (was != NULL && was->ok && !sc_node_none(&pl.last))
                change_journey(file->journey, sc_world_state(pl.w, pl.last), was->journey);
            sc_project_fini(&old);
            sc_world_until(pl.w, sc_world_now(pl.w) + 400 * SC_DAY_MS);
            sc_world_customers(pl.w, NULL, NULL, customer, NULL);
            sc_world_destroy(pl.w);
        }
        sc_pseudonyms_destroy(pl.ps);
    }
    sc_project_fini(&pl.pr);
}

static void child(struct bed *bed, uint64_t seed)
{
    struct mutant mu = {.bed = bed, .random = seed};
    sc_arena_init(&mu.ar);
    const struct file *f = &bed->files.v[below(&mu, bed->files.n)];
    SC_ASSERT(chdir(bed->folder) == 0);
    int said = open("said", O_CREAT | O_TRUNC | O_WRONLY, 0600);
    dup2(said, STDOUT_FILENO);
    dup2(said, STDERR_FILENO);
    alarm(SECONDS_MAX);
    fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, f->path);
    uint32_t both = f->taxonomy != NULL ? below(&mu, 4) : 0;
    write_mutant(&mu, f, "file.yaml", both == 1 ? 0 : 1 + below(&mu, 4) * below(&mu, 2));
    if (f->taxonomy != NULL)
        write_mutant(&mu, f->taxonomy, "taxonomy.yaml", both < 2 ? both * (1 + below(&mu, 3)) : 0);
    int failed = play(f);
    fflush(stdout);
    play_records(&mu, f);
    _exit(failed);
}

/* What is left of a failure: the folder, under its seed's name. */
static void keep(struct bed *bed, uint64_t seed, int status)
{
    char to[96];
    snprintf(to, sizeof(to), "%s.%llu", bed->folder, (unsigned long long)seed);
    printf("seed %llu: status %#x, kept in %s\n", (unsigned long long)seed, (unsigned)status, to);
    fflush(stdout);
    SC_ASSERT(rename(bed->folder, to) == 0 && mkdir(bed->folder, 0700) == 0);
}

static void bed_fini(struct bed *bed)
{
    static const char *const names[] = {"file.yaml", "taxonomy.yaml", "said", "effects",
                                        "customers"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", bed->folder, names[i]);
        unlink(path);
    }
    rmdir(bed->folder);
    munmap(bed->reached, sizeof(*bed->reached));
    sc_arena_fini(&bed->ar);
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : COUNT, failed = 0;
    struct bed bed = {0};
    bed_init(&bed);
    for (uint64_t seed = first; seed < first + count; seed++) {
        int status = 0;
        pid_t pid = fork();
        SC_ASSERT(pid >= 0);
        if (pid == 0)
            child(&bed, seed);
        SC_ASSERT(waitpid(pid, &status, 0) == pid);
        if (status == 0)
            continue;
        failed++;
        keep(&bed, seed, status);
    }
    printf("%llu mutants of %u files, %llu journeys played with %llu events, %llu failed\n",
           (unsigned long long)count, bed.files.n, (unsigned long long)bed.reached->journeys,
           (unsigned long long)bed.reached->events, (unsigned long long)failed);
    bool reached = bed.reached->events > 0;
    bed_fini(&bed);
    return failed > 0 || !reached;
}
