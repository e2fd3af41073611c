/* Stagecoach: customer journeys as a stream. See docs/architecture.md. */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdlib.h>

/* A standard stream that the caller closed is taken: else the next file that is opened would be
 * it, and get what is meant for it. Opened the other way round, so that using it fails. */
static void take_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            abort();
}

int main(int argc, char **argv)
{
    take_standard_streams();
    return sc_cli_main(argc, argv);
}
