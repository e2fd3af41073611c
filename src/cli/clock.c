/* See clock.h. */
#include "cli/clock.h"

#include "base/time.h"

static int64_t now_ms(void *arg)
{
    (void)arg;
    return sc_time_now_ms();
}

static int64_t mono_ms(void *arg)
{
    (void)arg;
    return sc_time_mono_ms();
}

const struct sc_clock sc_clock_system = {now_ms, mono_ms, NULL};
