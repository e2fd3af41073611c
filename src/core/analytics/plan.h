/* Which events are measured how: the journey's `analytics:` section, compiled, and what follows
 * from the taxonomy's roles and cases. Loaded once (core/journey/load_analytics.c), then
 * read-only. */
#ifndef SC_CORE_ANALYTICS_PLAN_H
#define SC_CORE_ANALYTICS_PLAN_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { /* what an event is, bits */
    SC_IS_CONTACT = 1, SC_IS_ANSWER = 2, SC_IS_OPENING = 4, SC_IS_CLOSING = 8,
    SC_IS_ESCALATION = 16, SC_IS_PURCHASE = 32, SC_IS_NPS = 64, SC_IS_CSAT = 128, SC_IS_CES = 256
};
#define SC_IS_TOUCH (SC_IS_CONTACT | SC_IS_ANSWER | SC_IS_OPENING | SC_IS_CLOSING)

struct sc_measured { /* one an event type */
    uint16_t is;
    int16_t medium;      /* the taxonomy's channel of the event: index, -1 none */
    int16_t topic;       /* property that says what a contact is about, -1 none */
    int16_t case_kind;   /* case that it opens or closes, -1 none */
    int16_t nps, csat, ces; /* property with the points, -1 none */
};

struct sc_analytics_plan {
    struct sc_measured *by_event;
    struct sc_str *media; /* distinct channels of the taxonomy's events */
    uint32_t n_media;
    int64_t satisfied;    /* csat: from so many points on */
    uint8_t value_scale;  /* of sums of value */
};

#endif
