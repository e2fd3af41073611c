/* See place.h. */
#include "engine/place.h"

#include "base/assert.h"
#include "base/log.h"
#include <inttypes.h>
#include <stdio.h>

enum sc_err sc_place_check(struct sc_worker *w, struct sc_str topic, struct sc_tp *tp,
                           char why[SC_PLACE_WHY])
{
    int64_t low, high, stable;
    SC_ASSERT(tp->offset >= 0);
    why[0] = '\0';
    enum sc_err e = w->log->ops->watermarks(w->log, tp->topic, tp->partition, &low, &high, &stable);
    if (e != SC_ERR_OK || (tp->offset >= low && tp->offset <= high))
        return e;
    if (w->cfg->adopt) {
        sc_logf(SC_LOG_WARN, w->role, "topic %.*s, partition %d: offset %" PRId64 " is gone: going "
                "on at %" PRId64 ", the first that is left", SC_STR_FMT(topic), tp->partition,
                tp->offset, low);
        tp->offset = low;
        return SC_ERR_OK;
    }
    snprintf(why, SC_PLACE_WHY, "offset %" PRId64 " of topic %.*s is to be read next, but it has "
             "%" PRId64 " to %" PRId64 ": records were deleted before they were read, or the topic "
             "was made anew; restore them, or start once with --adopt to go on at the first that "
             "is left", tp->offset, SC_STR_FMT(topic), low, high);
    tp->offset = -1;
    return SC_ERR_OK;
}
