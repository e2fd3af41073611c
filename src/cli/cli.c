/* The list of subcommands. */
#include "cli/cli.h"

#include "cli/args.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Without a text: not listed. */
static const struct sc_subject subcommands[] = {
    {"run", sc_cmd_run, "process the sources, on real servers"},
    {"dev", sc_cmd_dev, "try a journey out with made-up events, without any server"},
    {"simulate", sc_cmd_simulate, "run a journey over files of events, without any server"},
    {"check", sc_cmd_check, "find the faults in taxonomy, journey and settings files"},
    {"test", sc_cmd_test, "play the cases of a journey on a virtual clock"},
    {"explain", sc_cmd_explain, "why a customer got what it got; what a rule reads, what a code means"},
    {"tap", sc_cmd_tap, "print a topic, also the journal, as JSON lines"},
    {"dlq", sc_cmd_dlq, "send dead letters to their source topics again"},
    {"taxonomy", sc_cmd_taxonomy, "the dictionary as a page, and what a new version breaks"},
    {"identity", sc_cmd_identity, "the node of an identifier; take identifiers off a customer"},
    {"forget", sc_cmd_forget, "forget a customer"},
    {"expr", sc_cmd_expr, "evaluate an expression"},
    {"docs", sc_cmd_docs, NULL},
    {"version", sc_cmd_version, "print the version"},
    {0},
};

static void usage(FILE *to)
{
    fprintf(to, "usage: stagecoach COMMAND [options]\n\n");
    for (const struct sc_subject *s = subcommands; s->name; s++)
        if (s->usage)
            fprintf(to, "  %-10s %s\n", s->name, s->usage);
    fprintf(to, "\n`stagecoach COMMAND --help` says more.\n");
}

/* Standard output is a pipe that nobody reads any more. */
static bool reader_left(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/* What was printed is part of what was asked for: a full disk is no success. A reader that went
 * away (`| head`) has what it wanted. */
static int end(int rc)
{
    bool before = ferror(stdout) != 0; /* why, is forgotten */
    bool now = fflush(stdout) != 0;
    const char *why = now ? strerror(errno) : "earlier output is lost";
    if ((!before && !now) || reader_left() || (rc != SC_EXIT_OK && rc != SC_EXIT_FINDINGS))
        return rc; /* all is well, or what was wrong before is said */
    fprintf(stderr, "stagecoach: standard output: writing failed: %s\n", why);
    return SC_EXIT_IO;
}

static int dispatch(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    if (name == NULL) {
        usage(stderr);
        return SC_EXIT_USAGE;
    }
    bool help = strcmp(name, "help") == 0;
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (help && argc == 2)) {
        usage(stdout);
        return SC_EXIT_OK;
    }
    if (help) { /* `help explain rule` is `explain rule --help` */
        memmove(argv + 1, argv + 2, (size_t)(argc - 2) * sizeof(*argv));
        static char word[] = "--help";
        argv[argc - 1] = word;
        name = argv[1];
    }
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (const struct sc_subject *s = subcommands; s->name; s++)
        if (strcmp(name, s->name) == 0)
            return s->run(argc - 1, argv + 1);
    fprintf(stderr, "stagecoach: there is no command '%s'", name);
    sc_subject_suggest(subcommands, name);
    fputc('\n', stderr);
    usage(stderr);
    return SC_EXIT_USAGE;
}

int sc_cli_main(int argc, char **argv)
{
    return end(dispatch(argc, argv));
}
