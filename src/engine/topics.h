/* The topics the engine writes: fixed ones, then one a channel. An index everywhere. */
#ifndef SC_ENGINE_TOPICS_H
#define SC_ENGINE_TOPICS_H

#include "base/str.h"
#include "core/journey/journey.h"

enum sc_out_index {
    SC_OUT_JOURNAL,
    SC_OUT_STATE,
    SC_OUT_TRANSITIONS,
    SC_OUT_SUPPRESSED,    /* also deferred and cancelled ones of no channel */
    SC_OUT_IDENTITY,
    SC_OUT_CUSTOMERS,     /* compacted */
    SC_OUT_ANALYTICS,     /* cells to be added up */
    SC_OUT_DEAD_LETTERS,
    SC_OUT_TRIGGERS       /* + channel index */
};
#define SC_OUT_MAX (SC_OUT_TRIGGERS + SC_CHANNELS_MAX)

struct sc_out_topic {
    struct sc_str name;  /* NUL-terminated */
    bool on;
    int32_t format;      /* enum sc_format */
    uint32_t schema_id;  /* registry id of its schema; 0: none registered */
};

struct sc_out_topics {
    struct sc_out_topic v[SC_OUT_MAX];
    uint32_t n;
};

#endif
