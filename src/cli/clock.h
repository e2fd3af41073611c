/* The engine's clock (engine/port.h), as this machine has it. Thread: any. */
#ifndef SC_CLI_CLOCK_H
#define SC_CLI_CLOCK_H

#include "engine/port.h"

extern const struct sc_clock sc_clock_system;

#endif
