/* `check --connect`: the servers that the settings name, as they are now. */
#ifndef SC_CLI_CONNECT_H
#define SC_CLI_CONNECT_H

#include "cli/setup.h"

/* Everything that would keep a start from working, or its results from being right, at the setting
 * that wants it otherwise: brokers, topics, Redis, the registry, the schemas of the sources.
 * Changes nothing anywhere. */
void sc_connect_check(struct sc_setup *su, struct sc_diag *dg);

#endif
