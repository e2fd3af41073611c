/* See random.h. */
#include "base/random.h"

#include "base/time.h"
#include <sys/random.h>

uint64_t sc_random_id(void)
{
    uint64_t id = 0;
    while (id == 0)
        if (getrandom(&id, sizeof(id), 0) != sizeof(id))
            id = (uint64_t)sc_time_now_ms();
    return id;
}
