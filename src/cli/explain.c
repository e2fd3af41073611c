/* stagecoach explain: why something is as it is. */
#include "cli/explain.h"

#include "cli/cli.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct subject {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
} subjects[] = {
    {"customer", sc_explain_customer,
     "customer ID|--identifier NS=VALUE JOURNEY --events FILE… | --config SETTINGS"},
    {"event", sc_explain_event, "event TOPIC:PARTITION:OFFSET [--config SETTINGS]"},
    {"rule", sc_explain_rule, "rule NAME JOURNEY"},
    {"code", sc_explain_code, "code CODE"},
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static void usage(FILE *to)
{
    for (size_t i = 0; i < SUBJECTS; ++i)
        fprintf(to, "%s stagecoach explain %s\n", i ? "      " : "usage:", subjects[i].usage);
}

int sc_cmd_explain(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < SUBJECTS; ++i)
        if (strcmp(name, subjects[i].name) == 0)
            return subjects[i].run(argc - 1, argv + 1);
    bool help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    usage(help ? stdout : stderr);
    return help ? SC_EXIT_OK : SC_EXIT_USAGE;
}
