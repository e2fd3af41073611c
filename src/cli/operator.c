/* See operator.h. */
#include "cli/operator.h"

#include "base/time.h"
#include "cli/cli.h"
#include "cli/who.h"
#include "core/identity/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BY_MAX 128u
#define WHY_MAX 1024u
#define LOOK_MS 500
#define LOOK_KEEP (1u << 20)

/* ---- who and why */

static bool is_line(const char *option, const char *text, size_t max)
{
    struct sc_str s = sc_str_from(text);
    bool fine = s.len <= max && sc_str_utf8_ok(s);
    for (size_t i = 0; fine && i < s.len; i++)
        fine = (unsigned char)s.p[i] >= 0x20;
    if (!fine)
        fprintf(stderr, "stagecoach: --%s: expected one line of UTF-8, %zu bytes at most\n", option,
                max);
    return fine;
}

static const char *user_at_host(struct sc_arena *ar)
{
    static const char *const names[] = {"SUDO_USER", "USER", "LOGNAME"};
    char host[65] = "localhost";
    const char *user = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && (user == NULL || !*user); i++)
        user = getenv(names[i]);
    gethostname(host, sizeof(host) - 1);
    return user && *user ? sc_arena_printf(ar, "%.60s@%.60s", user, host)
                         : sc_arena_printf(ar, "uid %u@%.60s", (unsigned)getuid(), host);
}

/* ---- the journal */

/* It is there and has as many partitions as the settings say: a record elsewhere finds nobody. */
int sc_operator_look(struct sc_operator *op)
{
    struct sc_diag dg;
    struct sc_buf text = {0};
    const struct sc_setup *su = &op->lv.su;
    struct sc_topic_need need = su->needs[0];
    SC_ASSERT(strcmp(need.name, su->engine.topics.v[SC_OUT_JOURNAL].name.p) == 0);
    need.create = false;
    sc_diag_init(&dg, &op->lv.ar);
    sc_kafka_check(&su->kafka, &(struct sc_kafka_needs){&need, 1, NULL}, &dg);
    if (dg.errors) {
        sc_diag_render(&dg, SC_DIAG_TEXT, isatty(STDERR_FILENO), &text);
        fprintf(stderr, "%.*s", (int)text.len, text.p);
    }
    sc_buf_fini(&text);
    if (dg.errors == 0)
        return SC_EXIT_OK;
    const char *code = dg.items.v[0].code;
    bool away = strcmp(code, "no-broker") == 0 || strcmp(code, "login") == 0;
    return away ? SC_EXIT_UNAVAILABLE : SC_EXIT_CONFIG;
}

int sc_operator_open(struct sc_operator *op)
{
    op->lv.name = op->name;
    sc_arena_init(&op->ar);
    if ((op->by && !is_line("by", op->by, BY_MAX)) ||
        (op->why && !is_line("why", op->why, WHY_MAX)))
        return SC_EXIT_USAGE;
    if (op->wait_ms < 0) {
        fprintf(stderr, "stagecoach %s: --wait: expected a duration of 0 or more\n", op->name);
        return SC_EXIT_USAGE;
    }
    int rc = sc_live_init(&op->lv, op->config ? op->config : SC_SETTINGS_DEFAULT);
    if (rc == SC_EXIT_OK && op->by == NULL)
        op->by = user_at_host(&op->ar);
    return rc;
}

void sc_operator_close(struct sc_operator *op)
{
    sc_live_fini(&op->lv);
    sc_arena_fini(&op->ar);
}

/* ---- customers */

bool sc_operator_is_node(const struct sc_operator *op, const char *word)
{
    return sc_who_ok(op->name, strchr(word, '=') ? word : NULL, word);
}

int sc_operator_node(struct sc_operator *op, const char *word, struct sc_node_id *node)
{
    bool named = strchr(word, '=') != NULL;
    return sc_who(op->name, op->lv.ps, op->lv.project.taxonomy, named ? word : NULL, word, node)
               ? SC_EXIT_OK
               : SC_EXIT_USAGE;
}

int sc_operator_state(struct sc_operator *op, struct sc_node_id *node, struct sc_state **st)
{
    struct sc_buf why = {0};
    *st = sc_live_state(&op->lv, node, &why);
    if (why.len)
        fprintf(stderr, "stagecoach %s: %.*s\n", op->name, (int)why.len, why.p);
    sc_buf_fini(&why);
    return *st == NULL && op->lv.unread ? SC_EXIT_UNAVAILABLE : SC_EXIT_OK;
}

void sc_operator_print_node(const struct sc_operator *op, const struct sc_node_id *node)
{
    const struct sc_taxonomy *tx = op->lv.project.taxonomy;
    uint8_t rank = sc_node_rank(node);
    char hex[32];
    sc_node_hex(node, hex);
    struct sc_str ns = rank >= 1 && rank <= tx->n_namespaces ? tx->namespaces[rank - 1].name
                                                             : SC_STR("?");
    printf("%.*s %.32s", SC_STR_FMT(ns), hex);
}

/* ---- writing */

struct sc_record *sc_operator_add(struct sc_operator *op, enum sc_record_kind kind,
                                  const struct sc_node_id *to)
{
    struct sc_record *rec = SC_VEC_ADD(&op->ar, &op->records);
    *rec = (struct sc_record){.kind = (uint8_t)kind, .to = *to, .by = sc_str_from(op->by)};
    rec->why = op->why ? sc_str_from(op->why) : SC_STR_NULL;
    return rec;
}

/* One frame a partition: records of one node keep their order. False: said. */
static bool put(struct sc_operator *op, struct sc_kafka_sender *to, uint32_t partition)
{
    const struct sc_setup *su = &op->lv.su;
    struct sc_frame_writer w = {0};
    bool fine = true;
    sc_frame_start(&w, 0);
    for (uint32_t i = 0; i < op->records.n; i++)
        if (sc_node_partition(&op->records.v[i].to, su->engine.partitions) == partition)
            sc_frame_record(&w, op->lv.project.journey, &op->records.v[i]);
    if (w.n) {
        struct sc_out out = {.partition = (int32_t)partition, .value = sc_frame_finish(&w)};
        fine = sc_kafka_sender_put(to, su->engine.topics.v[SC_OUT_JOURNAL].name.p, &out);
    }
    sc_frame_fini(&w);
    return fine;
}

static int write_all(struct sc_operator *op)
{
    char id[64];
    const struct sc_setup *su = &op->lv.su;
    SC_ASSERT(op->records.n > 0);
    snprintf(id, sizeof(id), "%.50s-command", su->resolve_group);
    struct sc_kafka_sender *to = sc_kafka_sender_create(&su->kafka, id);
    bool fine = to != NULL;
    for (uint32_t p = 0; fine && p < su->engine.partitions; p++)
        fine = put(op, to, p);
    bool asked = fine;
    fine = fine && sc_kafka_sender_commit(to, NULL);
    if (to)
        sc_kafka_sender_destroy(to);
    if (!fine) {
        fprintf(stderr, asked ? "stagecoach %s: it is not known to be written: look with --dry-run, "
                                "then try again\n"
                              : "stagecoach %s: nothing was written: try again\n", op->name);
        return SC_EXIT_UNAVAILABLE;
    }
    const struct sc_out_topic *audit = &su->engine.topics.v[SC_OUT_IDENTITY];
    printf("written to %s by %s", su->engine.topics.v[SC_OUT_JOURNAL].name.p, op->by);
    printf(audit->on ? "; what it comes to is published on %s\n" : "\n", audit->name.p);
    return SC_EXIT_OK;
}

static int wait_for(struct sc_operator *op, bool (*done)(void *arg), void *arg)
{
    int64_t until_ms = sc_time_mono_ms() + op->wait_ms;
    fflush(stdout);
    while (!done(arg)) {
        if (sc_time_mono_ms() >= until_ms) {
            fprintf(stderr, "stagecoach %s: not done yet: the record waits in the journal for "
                    "`stagecoach run`\n", op->name);
            return SC_EXIT_UNAVAILABLE;
        }
        struct timespec pause = {0, LOOK_MS * 1000000L};
        nanosleep(&pause, NULL);
        sc_arena_reset(&op->lv.ar, LOOK_KEEP);
    }
    printf("done\n");
    return SC_EXIT_OK;
}

int sc_operator_finish(struct sc_operator *op, bool (*done)(void *arg), void *arg)
{
    if (op->dry_run) {
        printf("nothing was written: --dry-run\n");
        return SC_EXIT_OK;
    }
    int rc = write_all(op);
    return rc == SC_EXIT_OK && op->wait_ms ? wait_for(op, done, arg) : rc;
}
