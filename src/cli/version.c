/* stagecoach version: ours and the libraries' that matter for bug reports. */
#include "cli/args.h"
#include "cli/cli.h"

#include <stdio.h>

int sc_cmd_version(int argc, char **argv)
{
    static const struct sc_arg args[] = {{0}};
    static const struct sc_command cmd = {"version", "Print the version.", args, 0, 0};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    printf("stagecoach %s\n", SC_VERSION);
    return SC_EXIT_OK;
}
