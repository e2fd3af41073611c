/* stagecoach explain rule: a trigger, stage, milestone, persona or fact as the engine understood
 * it: its text, the events by which it can act, the facts it reads, what it costs at worst. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/explain.h"
#include "cli/project.h"

#include "base/time.h"
#include <stdio.h>

struct explain {
    const struct sc_journey *jo;
    struct sc_str name;
    struct sc_buf out;
};

/* ---- parts of rules */

static void put_duration(struct explain *ex, const char *label, int64_t ms)
{
    char text[64];
    if (ms > 0)
        sc_buf_addf(&ex->out, "  %-10s %.*s\n", label, (int)sc_duration_format(ms, text), text);
}

static void put_name(struct explain *ex, const char *before, struct sc_str name)
{
    sc_buf_addz(&ex->out, before);
    sc_buf_str(&ex->out, name);
}

static void put_reads(struct explain *ex, const struct sc_rule_info *info)
{
    const struct sc_journey *jo = ex->jo;
    sc_buf_addf(&ex->out, "  %-10s ", "");
    if (info->constant)
        sc_buf_addz(&ex->out, "always the same; ");
    if (info->events == NULL && info->reads_event)
        sc_buf_addz(&ex->out, "any event; ");
    for (uint32_t i = 0; info->events && i < info->n_events; ++i)
        put_name(ex, i ? ", " : "by ", jo->tx->events[info->events[i]].name);
    if (info->events && info->n_events > 0)
        sc_buf_addz(&ex->out, "; ");
    for (uint32_t i = 0; i < info->n_facts; ++i)
        put_name(ex, i ? ", " : "reads ", jo->facts[info->facts[i]].text);
    if (info->n_facts > 0)
        sc_buf_addz(&ex->out, "; ");
    if (info->reads_more)
        sc_buf_addz(&ex->out, "reads the customer; ");
    sc_buf_addf(&ex->out, "at most %u steps\n", info->cost);
}

static void put_rule(struct explain *ex, const char *label, const struct sc_prog *prog)
{
    if (prog == NULL)
        return;
    sc_buf_addf(&ex->out, "  %-10s %.*s\n", label, SC_STR_FMT(sc_rule_text(prog)));
    put_reads(ex, sc_rule_info(prog));
}

static void put_silence(struct explain *ex, int64_t after_ms, const struct sc_exit *without,
                        uint32_t n)
{
    char text[64];
    if (after_ms == 0)
        return;
    sc_buf_addf(&ex->out, "  %-10s %.*s", "after", (int)sc_duration_format(after_ms, text), text);
    for (uint32_t i = 0; i < n; ++i) {
        put_name(ex, i ? ", " : " without ", ex->jo->tx->events[without[i].event].name);
        if (without[i].where)
            put_name(ex, " where ", sc_rule_text(without[i].where));
    }
    sc_buf_char(&ex->out, '\n');
}

static void put_stages(struct explain *ex, uint64_t stages)
{
    bool any = false;
    for (uint32_t s = 0; s < ex->jo->n_stages; ++s) {
        if (!(stages >> s & 1))
            continue;
        put_name(ex, any ? ", " : "", ex->jo->stages[s].name);
        any = true;
    }
}

static void put_head(struct explain *ex, const char *kind, struct sc_str name,
                     const struct sc_node *at)
{
    sc_buf_addf(&ex->out, "%s %.*s", kind, SC_STR_FMT(name));
    if (at != NULL && at->mark.file != NULL)
        sc_buf_addf(&ex->out, " (%.*s:%u)", SC_STR_FMT(at->mark.file->name), at->mark.line);
    sc_buf_char(&ex->out, '\n');
}

/* ---- one of each kind */

static void put_personas(struct explain *ex, uint64_t personas)
{
    const char *before = " (for ";
    for (uint32_t p = 0; p < ex->jo->n_personas; ++p) {
        if (!(personas >> p & 1))
            continue;
        put_name(ex, before, ex->jo->personas[p].name);
        before = ", ";
    }
    sc_buf_char(&ex->out, ')');
}

static void put_tags(struct explain *ex, const struct sc_trigger *tr)
{
    const char *before = "  tags       ";
    for (uint32_t t = 0; t < ex->jo->n_tags; ++t) {
        if (!(tr->tags >> t & 1))
            continue;
        put_name(ex, before, ex->jo->tags[t]);
        before = ", ";
    }
    sc_buf_addz(&ex->out, tr->tags ? "\n" : "");
}

static void put_channels(struct explain *ex, const struct sc_trigger *tr)
{
    sc_buf_addf(&ex->out, "  %-10s ", "channels");
    for (uint32_t i = 0; i < tr->n_channels; ++i) {
        const struct sc_channel *channel = &ex->jo->channels[tr->channels[i]];
        put_name(ex, i ? ", " : "", channel->name);
        if (channel->stages != UINT64_MAX) {
            sc_buf_addz(&ex->out, " (in ");
            put_stages(ex, channel->stages);
            sc_buf_char(&ex->out, ')');
        }
        if (channel->personas != UINT64_MAX)
            put_personas(ex, channel->personas);
    }
    sc_buf_char(&ex->out, '\n');
}

static void put_experiment(struct explain *ex, const struct sc_trigger *tr)
{
    const struct sc_experiment *xp = &ex->jo->experiments[tr->experiment];
    uint32_t from = 0;
    sc_buf_addf(&ex->out, "  %-10s %.*s: %d of 10000 held out\n", "experiment",
                SC_STR_FMT(xp->name), xp->holdout_bp);
    for (uint32_t a = 0; a < xp->n_arms; ++a) {
        const struct sc_variant *va = &tr->variants[a];
        struct sc_str message = va->message.len > 0 ? va->message : tr->message;
        sc_buf_addf(&ex->out, "  %-10s %.*s, %u of 10000: %.*s\n", "  arm",
                    SC_STR_FMT(xp->arms[a].name), xp->arms[a].until - from,
                    SC_STR_FMT(va->silent ? SC_STR("nothing is sent") : message));
        from = xp->arms[a].until;
    }
}

static void put_trigger(struct explain *ex, const struct sc_trigger *tr)
{
    static const char *const reentry[] = {[SC_REENTRY_ALWAYS] = "always",
                                          [SC_REENTRY_ONCE] = "once",
                                          [SC_REENTRY_AFTER_EXIT] = "after exit"};
    put_head(ex, "trigger", tr->name, tr->at);
    put_rule(ex, tr->after_ms > 0 ? "start" : "when", tr->start);
    sc_buf_addf(&ex->out, "  %-10s %s\n", "fires",
                tr->edge ? "when it becomes true: false just before the event, true just after"
                         : "for each event that meets it");
    put_silence(ex, tr->after_ms, tr->without, tr->n_without);
    put_rule(ex, "unless", tr->unless);
    put_rule(ex, "key", tr->key);
    put_channels(ex, tr);
    put_tags(ex, tr);
    for (uint32_t i = 0; i < tr->purposes.n; ++i)
        put_name(ex, i ? ", " : "  purpose    ", tr->purposes.v[i]);
    sc_buf_addz(&ex->out, tr->purposes.n > 0 ? "\n" : "");
    for (uint32_t i = 0; i < tr->n_context; ++i) {
        sc_buf_addf(&ex->out, "  %-10s %.*s:\n", "context", SC_STR_FMT(tr->context[i].name));
        put_rule(ex, "", tr->context[i].prog);
    }
    put_duration(ex, "cooldown", tr->cooldown_ms);
    put_duration(ex, "expires", tr->expires_ms);
    sc_buf_addf(&ex->out, "  %-10s %s\n  %-10s %lld\n", "again", reentry[tr->reentry], "priority",
                (long long)tr->priority);
    if (tr->experiment >= 0)
        put_experiment(ex, tr);
    if (tr->service)
        sc_buf_addz(&ex->out, "  passes marketing guardrails: purpose service\n");
}

static void put_stage(struct explain *ex, const struct sc_stage *stage)
{
    put_head(ex, "stage", stage->name, stage->at);
    if (stage->initial)
        sc_buf_addz(&ex->out, "  where everybody begins\n");
    put_rule(ex, "when", stage->when);
    put_silence(ex, stage->after_ms, stage->without, stage->n_without);
    if (stage->has_from) {
        sc_buf_addf(&ex->out, "  %-10s ", "from");
        put_stages(ex, stage->from);
        sc_buf_char(&ex->out, '\n');
    } else if (stage->when) {
        sc_buf_addf(&ex->out, "  %-10s all stages before it, and lapses\n", "from");
    }
    put_duration(ex, "target", stage->target_ms);
}

/* Who would act otherwise if the fact were another. */
static void put_readers(struct explain *ex, const struct sc_prog *prog, const char *kind,
                        struct sc_str name, uint32_t fact)
{
    const struct sc_rule_info *info = prog ? sc_rule_info(prog) : NULL;
    for (uint32_t i = 0; info && i < info->n_facts; ++i)
        if (info->facts[i] == fact)
            sc_buf_addf(&ex->out, "  %-10s %s %.*s\n", "read by", kind, SC_STR_FMT(name));
}

static void put_fact_readers(struct explain *ex, uint32_t fact)
{
    const struct sc_journey *jo = ex->jo;
    for (uint32_t i = 0; i < jo->n_stages; ++i)
        put_readers(ex, jo->stages[i].when, "stage", jo->stages[i].name, fact);
    for (uint32_t i = 0; i < jo->n_personas; ++i)
        put_readers(ex, jo->personas[i].prog, "persona", jo->personas[i].name, fact);
    for (uint32_t i = 0; i < jo->n_milestones; ++i)
        put_readers(ex, jo->milestones[i].when, "milestone", jo->milestones[i].name, fact);
    for (uint32_t i = 0; i < jo->n_triggers; ++i) {
        put_readers(ex, jo->triggers[i].start, "trigger", jo->triggers[i].name, fact);
        put_readers(ex, jo->triggers[i].unless, "unless of", jo->triggers[i].name, fact);
    }
}

static void put_fact(struct explain *ex, const struct sc_named_expr *named)
{
    sc_buf_addf(&ex->out, "fact %.*s: %s\n", SC_STR_FMT(named->name),
                sc_type_name((enum sc_type)named->type));
    put_rule(ex, "value", named->prog);
    const struct sc_rule_info *info = sc_rule_info(named->prog);
    for (uint32_t i = 0; i < info->n_facts; ++i)
        put_fact_readers(ex, info->facts[i]);
}

/* ---- the command */

static void put_all(struct explain *ex)
{
    const struct sc_journey *jo = ex->jo;
    for (uint32_t i = 0; i < jo->n_triggers; ++i)
        if (sc_str_eq(jo->triggers[i].name, ex->name))
            put_trigger(ex, &jo->triggers[i]);
    for (uint32_t i = 0; i < jo->n_stages; ++i)
        if (sc_str_eq(jo->stages[i].name, ex->name))
            put_stage(ex, &jo->stages[i]);
    for (uint32_t i = 0; i < jo->n_milestones; ++i) {
        if (!sc_str_eq(jo->milestones[i].name, ex->name))
            continue;
        put_head(ex, "milestone", jo->milestones[i].name, jo->milestones[i].at);
        put_rule(ex, "when", jo->milestones[i].when);
    }
    for (uint32_t i = 0; i < jo->n_personas; ++i) {
        if (!sc_str_eq(jo->personas[i].name, ex->name))
            continue;
        put_head(ex, "persona", jo->personas[i].name, jo->personas[i].at);
        put_rule(ex, "when", jo->personas[i].prog);
    }
    for (uint32_t i = 0; i < jo->n_named; ++i)
        if (sc_str_eq(jo->named[i].name, ex->name))
            put_fact(ex, &jo->named[i]);
}

/* Every name that can be asked for. */
static void each_name(const struct sc_journey *jo, void (*fn)(void *arg, struct sc_str name),
                      void *arg)
{
    for (uint32_t i = 0; i < jo->n_triggers; ++i)
        fn(arg, jo->triggers[i].name);
    for (uint32_t i = 0; i < jo->n_stages; ++i)
        fn(arg, jo->stages[i].name);
    for (uint32_t i = 0; i < jo->n_milestones; ++i)
        fn(arg, jo->milestones[i].name);
    for (uint32_t i = 0; i < jo->n_personas; ++i)
        fn(arg, jo->personas[i].name);
    for (uint32_t i = 0; i < jo->n_named; ++i)
        fn(arg, jo->named[i].name);
}

static void try_name(void *near, struct sc_str name)
{
    sc_near_try(near, name);
}

static void list_name(void *arg, struct sc_str name)
{
    (void)arg;
    fprintf(stderr, " %.*s", SC_STR_FMT(name));
}

static int unknown_rule(const struct explain *ex)
{
    struct sc_near near = sc_near_to(ex->name);
    each_name(ex->jo, try_name, &near);
    fprintf(stderr, "stagecoach explain: the journey has no rule '%.*s'", SC_STR_FMT(ex->name));
    if (!sc_near_say(&near, "")) {
        fprintf(stderr, "; it has");
        each_name(ex->jo, list_name, NULL);
    }
    fputc('\n', stderr);
    return SC_EXIT_FINDINGS;
}

int sc_explain_rule(int argc, char **argv)
{
    const struct sc_arg args[] = {{0}};
    static const char about[] =
        "What a trigger, stage, milestone, persona or fact reads, by which events it can act, and\n"
        "what it costs at worst.";
    const struct sc_command cmd = {"explain rule NAME JOURNEY", about, args, 2, 2};
    struct sc_project project = {0};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    rc = sc_project_load_journey(&project, words.v[1]);
    if (rc == SC_EXIT_OK) {
        struct explain ex = {.jo = project.journey, .name = sc_str_from(words.v[0])};
        put_all(&ex);
        if (ex.out.len == 0)
            rc = unknown_rule(&ex);
        fwrite(ex.out.len ? ex.out.p : "", 1, ex.out.len, stdout);
        sc_buf_fini(&ex.out);
    }
    sc_project_fini(&project);
    return rc;
}
