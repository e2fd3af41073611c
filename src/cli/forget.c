/* stagecoach forget: ERASE to a customer, whichever of its identifiers is named. Its owner erases
 * the state of every identifier and keeps ERASED(t) with each: what happened up to t and comes
 * again is dropped, what happens later starts a new customer. Source: semantics 35. */
#include "cli/cli.h"
#include "cli/operator.h"
#include "cli/who.h"

#include "base/time.h"
#include <inttypes.h>
#include <stdio.h>

struct forget {
    struct sc_operator op;
    const char *identifier;
    int64_t until_ms; /* SC_NEVER: now */
    struct sc_node_id node;
};

static void print_customer(const struct forget *fg, const struct sc_state *st)
{
    printf("customer ");
    sc_operator_print_node(&fg->op, &st->node);
    printf(": %" PRIu64 " events", st->n_events);
    if (st->n_events > 0) {
        char from[32], to[32];
        printf(" of %.*s to %.*s", (int)sc_time_format(st->first_ms, from), from,
               (int)sc_time_format(st->last_ms, to), to);
    }
    printf("\n");
    for (uint32_t i = 0; i < st->members.n; i++) {
        printf("  forgets ");
        sc_operator_print_node(&fg->op, &st->members.v[i].node);
        printf("\n");
    }
}

/* ERASED(t) stays with the node itself, also when it has joined another customer since. */
static bool is_done(void *arg)
{
    struct forget *fg = arg;
    struct sc_buf why = {0};
    fg->op.lv.unread = false;
    const struct sc_state *st = sc_live_node(&fg->op.lv, &fg->node, &why);
    sc_buf_fini(&why);
    return st && st->erased_ms != SC_NEVER && st->erased_ms >= fg->until_ms;
}

static int forget(struct forget *fg, const char *word)
{
    struct sc_state *st = NULL;
    char when[32];
    int rc = sc_operator_node(&fg->op, word, &fg->node);
    struct sc_node_id root = fg->node;
    if (rc == SC_EXIT_OK)
        rc = sc_operator_look(&fg->op);
    if (rc == SC_EXIT_OK)
        rc = sc_operator_state(&fg->op, &root, &st);
    if (rc != SC_EXIT_OK)
        return rc;
    if (st == NULL)
        printf("nothing is stored of this customer: what may still come of it is kept out\n");
    else if (st->kind == SC_STATE_ERASED)
        printf("this customer was forgotten already: up to %.*s\n",
               (int)sc_time_format(st->erased_ms, when), when);
    else
        print_customer(fg, st);
    printf("what happened up to %.*s is dropped when it comes again, what happens later starts a new "
           "customer\n", (int)sc_time_format(fg->until_ms, when), when);
    sc_operator_add(&fg->op, SC_REC_ERASE, &fg->node)->erase_ms = fg->until_ms;
    return sc_operator_finish(&fg->op, is_done, fg);
}

int sc_cmd_forget(int argc, char **argv)
{
    struct forget fg = {.op = {.name = "forget"}, .until_ms = SC_NEVER};
    const struct sc_arg args[] = {
        {"identifier", 'i', SC_ARG_STR, &fg.identifier, "NS=VALUE",
         "the customer this identifier belongs to"},
        {"until", 0, SC_ARG_TIME, &fg.until_ms, "TIME",
         "forget what happened up to TIME (default: now)"},
        SC_OPERATOR_ARGS(fg.op),
        {0},
    };
    static const char about[] =
        "Forgets a customer: the state, timers and waiting messages of all its identifiers; its line\n"
        "on the customers topic is withdrawn, a receipt goes to the audit topic. What plain topics\n"
        "have of it (sources, dead letters, outbound) goes by their retention.";
    const struct sc_command cmd = {"forget CUSTOMER | --identifier NS=VALUE [options]", about, args,
                                   0, 1};
    struct sc_words words;
    int64_t now_ms = sc_time_now_ms();
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    if ((words.n == 1) == (fg.identifier != NULL)) {
        fprintf(stderr, "stagecoach forget: expected one of CUSTOMER and --identifier NS=VALUE\n"
                        "usage: stagecoach %s\n", cmd.usage);
        return SC_EXIT_USAGE;
    }
    const char *word = fg.identifier ? fg.identifier : words.v[0];
    if (fg.identifier ? !sc_who_ok("forget", word, NULL) : !sc_operator_is_node(&fg.op, word))
        return SC_EXIT_USAGE;
    if (fg.until_ms == SC_NEVER)
        fg.until_ms = now_ms;
    if (fg.until_ms > now_ms) {
        fprintf(stderr, "stagecoach forget: --until is to come: the customer would stay away till "
                "then\n");
        return SC_EXIT_USAGE;
    }
    rc = sc_operator_open(&fg.op);
    if (rc == SC_EXIT_OK)
        rc = forget(&fg, word);
    sc_operator_close(&fg.op);
    return rc;
}
