/* See part.h. */
#include "engine/part.h"

#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct sc_part *sc_part_create(uint32_t index)
{
    struct sc_part *p = sc_calloc(1, sizeof(*p));
    p->index = index;
    sc_tries_init(&p->tries);
    sc_hearing_init(&p->ear.hearing);
    sc_hearing_init(&p->kept.hearing);
    sc_part_forget(p);
    return p;
}

void sc_part_forget(struct sc_part *p)
{
    p->status = SC_PART_ACQUIRING;
    p->why[0] = '\0';
    p->incarnation = p->seq = 0;
    p->committed = p->next = p->seal = -1;
    p->tries.n = 0;
    sc_hearing_fini(&p->ear.hearing);
    sc_hearing_fini(&p->kept.hearing);
    p->ear.writers.n = p->kept.writers.n = 0;
    p->heard = false;
    sc_cache_clear(&p->cache);
    sc_due_clear(&p->due);
    p->complete = false;
    p->stamp = (struct sc_stamp){0};
    p->flushing = false;
    p->in_flush.n = 0;
    p->dirty_mono_ms = 0;
    p->touched = false;
}

void sc_part_destroy(struct sc_part *p)
{
    sc_part_forget(p);
    sc_cache_fini(&p->cache);
    sc_due_fini(&p->due);
    sc_nodes_fini(&p->in_flush);
    free(p);
}

void sc_part_stop(struct sc_part *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->why, sizeof(p->why), fmt, ap);
    va_end(ap);
    p->status = SC_PART_STOPPED;
    sc_logf(SC_LOG_ERROR, "journey", "partition %u stopped: %s", p->index, p->why);
}

static void ear_copy(struct sc_ear *to, const struct sc_ear *from)
{
    sc_hearing_copy(&to->hearing, &from->hearing);
    memcpy(to->writers.v, from->writers.v, from->writers.n * sizeof(from->writers.v[0]));
    to->writers.n = from->writers.n;
}

void sc_part_keep(struct sc_part *p)
{
    if (p->heard)
        ear_copy(&p->kept, &p->ear);
    p->heard = false;
}

void sc_part_drop(struct sc_part *p)
{
    if (p->heard)
        ear_copy(&p->ear, &p->kept);
    p->heard = false;
}
