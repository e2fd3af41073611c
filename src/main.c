/* Stagecoach: customer journeys as a stream. See docs/architecture.md. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return sc_cli_main(argc, argv);
}
