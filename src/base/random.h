/* Numbers that nobody can guess and no other process has: names of lives, incarnations, views.
 * Thread: any. */
#ifndef SC_BASE_RANDOM_H
#define SC_BASE_RANDOM_H

#include <stdint.h>

/* Never 0. From the kernel; should that fail, from the clock. */
uint64_t sc_random_id(void);

#endif
