/* stagecoach identity split, identity unlink: identifiers leave a customer, with those that came
 * through them, and never join it again.
 *
 * SPLIT to each; for `split` then LINKs, so that they are one customer of their own. A LINK stands
 * behind the SPLIT of its larger node in that one's partition, and the STATE that follows behind
 * the SPLIT of the other: partitions keep order. Source: semantics 8; core/identity/owner_part.c. */
#include "cli/cli.h"
#include "cli/identity.h"
#include "cli/operator.h"

#include "core/identity/identity.h"
#include <inttypes.h>
#include <stdio.h>

struct leaving {
    const char *word;     /* as it was named */
    struct sc_node_id node;
    bool along;           /* it came through another that is named, and goes along with that */
};

struct split {
    struct sc_operator op;
    bool together;        /* one new customer, not one each */
    struct sc_node_id customer;
    struct leaving *v;
    uint32_t n;
};

static bool is_named(const struct split *sp, const struct sc_node_id *node)
{
    for (uint32_t i = 0; i < sp->n; i++)
        if (sc_node_eq(&sp->v[i].node, node))
            return true;
    return false;
}

/* The way up to its root; on it, is there another that is named? */
static int look_up(struct split *sp, struct leaving *lv, struct sc_node_id *root)
{
    struct sc_buf why = {0};
    *root = lv->node;
    for (int hops = 0; hops < SC_HOPS_MAX; hops++) {
        const struct sc_state *st = sc_live_node(&sp->op.lv, root, &why);
        if (st == NULL || st->kind != SC_STATE_ALIAS)
            break;
        *root = st->parent;
        lv->along |= is_named(sp, root) && !sc_node_eq(root, &sp->customer);
    }
    if (sp->op.lv.unread)
        fprintf(stderr, "stagecoach %s: %.*s\n", sp->op.name, (int)why.len, why.p);
    sc_buf_fini(&why);
    return sp->op.lv.unread ? SC_EXIT_UNAVAILABLE : SC_EXIT_OK;
}

static int check_one(struct split *sp, struct leaving *lv)
{
    struct sc_node_id root;
    if (sc_node_eq(&lv->node, &sp->customer)) {
        fprintf(stderr, "stagecoach %s: %s names the customer itself: name those that are to leave "
                "it\n", sp->op.name, lv->word);
        return SC_EXIT_DATA;
    }
    int rc = look_up(sp, lv, &root);
    if (rc == SC_EXIT_OK && !sc_node_eq(&root, &sp->customer)) {
        fprintf(stderr, "stagecoach %s: %s is not of this customer\n", sp->op.name,
                lv->word);
        rc = SC_EXIT_DATA;
    }
    return rc;
}

static const struct sc_member *member_of(const struct sc_state *st, const struct sc_node_id *node)
{
    for (uint32_t i = 0; i < st->members.n; i++)
        if (sc_node_eq(&st->members.v[i].node, node))
            return &st->members.v[i];
    return NULL;
}

static void print_plan(const struct split *sp, const struct sc_state *st)
{
    printf("customer ");
    sc_operator_print_node(&sp->op, &sp->customer);
    printf(": %" PRIu64 " events stay with it\n", st->n_events);
    for (uint32_t i = 0; i < sp->n; i++) {
        const struct sc_member *m = member_of(st, &sp->v[i].node);
        printf("  leaves  ");
        sc_operator_print_node(&sp->op, &sp->v[i].node);
        if (m && m->evidence.len)
            printf(", joined by event %.*s", SC_STR_FMT(m->evidence));
        printf(sp->v[i].along ? ", along with another named\n" : "\n");
    }
    if (sp->n > 1)
        printf(sp->together ? "they become one customer\n" : "each becomes a customer\n");
}

static void add_records(struct split *sp)
{
    const struct sc_node_id *first = NULL; /* the smallest: their customer */
    for (uint32_t i = 0; i < sp->n; i++) {
        const struct leaving *lv = &sp->v[i];
        if (sp->together && lv->along)
            continue;
        sc_operator_add(&sp->op, SC_REC_SPLIT, &lv->node)->node = lv->node;
        if (first == NULL || sc_node_cmp(&lv->node, first) < 0)
            first = &lv->node;
    }
    for (uint32_t i = 0; sp->together && i < sp->n; i++) {
        const struct leaving *lv = &sp->v[i];
        if (lv->along || sc_node_eq(&lv->node, first))
            continue;
        struct sc_record *link = sc_operator_add(&sp->op, SC_REC_LINK, &lv->node);
        link->home = *first;
        link->links[link->n_links++] = (struct sc_link){*first, lv->node, *first, lv->node};
    }
}

/* All have left whoever the customer is by now, which knows it too; of a split, they are one. */
static bool is_done(void *arg)
{
    struct split *sp = arg;
    struct sc_buf why = {0};
    struct sc_node_id left = sp->customer, one = {{0}};
    sp->op.lv.unread = false;
    const struct sc_state *st = sc_live_state(&sp->op.lv, &left, &why);
    bool done = st != NULL;
    for (uint32_t i = 0; done && i < sp->n; i++) {
        struct sc_node_id root = sp->v[i].node;
        done = member_of(st, &root) == NULL && sc_live_state(&sp->op.lv, &root, &why) &&
               !sc_node_eq(&root, &left) &&
               (!sp->together || i == 0 || sc_node_eq(&root, &one));
        one = root;
    }
    sc_buf_fini(&why);
    return done;
}

static int split(struct split *sp, const struct sc_words *words)
{
    struct sc_state *st = NULL;
    int rc = sc_operator_node(&sp->op, words->v[0], &sp->customer);
    sp->v = SC_NEW_N(&sp->op.ar, struct leaving, (size_t)words->n);
    for (int i = 1; rc == SC_EXIT_OK && i < words->n; i++) {
        struct leaving lv = {.word = words->v[i]};
        rc = sc_operator_node(&sp->op, words->v[i], &lv.node);
        if (rc == SC_EXIT_OK && !is_named(sp, &lv.node))
            sp->v[sp->n++] = lv;
    }
    if (rc == SC_EXIT_OK)
        rc = sc_operator_look(&sp->op);
    if (rc == SC_EXIT_OK)
        rc = sc_operator_state(&sp->op, &sp->customer, &st);
    if (rc == SC_EXIT_OK && (st == NULL || st->kind == SC_STATE_ERASED)) {
        fprintf(stderr, "stagecoach %s: %s\n", sp->op.name,
                st ? "this customer was forgotten" : "nothing is stored of this customer");
        rc = SC_EXIT_FINDINGS;
    }
    for (uint32_t i = 0; rc == SC_EXIT_OK && i < sp->n; i++)
        rc = check_one(sp, &sp->v[i]);
    if (rc != SC_EXIT_OK)
        return rc;
    print_plan(sp, st);
    add_records(sp);
    return sc_operator_finish(&sp->op, is_done, sp);
}

static int run(struct split *sp, const struct sc_arg *args, const char *usage, const char *about,
               int argc, char **argv)
{
    const struct sc_command cmd = {usage, about, args, 2, -1};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    for (int i = 0; i < words.n; i++)
        if (!sc_operator_is_node(&sp->op, words.v[i]))
            return SC_EXIT_USAGE;
    rc = sc_operator_open(&sp->op);
    if (rc == SC_EXIT_OK)
        rc = split(sp, &words);
    sc_operator_close(&sp->op);
    return rc;
}

int sc_identity_split(int argc, char **argv)
{
    struct split sp = {.op = {.name = "identity split"}, .together = true};
    const struct sc_arg args[] = {SC_OPERATOR_ARGS(sp.op), {0}};
    return run(&sp, args, "identity split CUSTOMER NODE… [options]",
               "The identifiers named leave the customer and are one customer of their own, with those\n"
               "that came through them; the two never join again. A NODE (and the CUSTOMER) is 32 hex\n"
               "digits or NAMESPACE=VALUE. What happened before stays with the customer it was counted\n"
               "for; the journal and the audit topic say by which identifier each event came.",
               argc, argv);
}

int sc_identity_unlink(int argc, char **argv)
{
    struct split sp = {.op = {.name = "identity unlink"}};
    const struct sc_arg args[] = {SC_OPERATOR_ARGS(sp.op), {0}};
    return run(&sp, args, "identity unlink CUSTOMER NODE… [options]",
               "Each identifier named leaves the customer and goes its own way, with those that came\n"
               "through it; it never joins that customer again. A NODE (and the CUSTOMER) is 32 hex\n"
               "digits or NAMESPACE=VALUE. What happened before stays with the customer.",
               argc, argv);
}
