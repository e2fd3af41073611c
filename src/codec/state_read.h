/* Between the two files that read states: state_decode.c what is the customer's own,
 * state_decode_rules.c what goes by facts, stages, triggers and milestones of the journey. */
#ifndef SC_CODEC_STATE_READ_H
#define SC_CODEC_STATE_READ_H

#include "codec/state_form.h"

#include "base/arena.h"

struct sc_state_reader {
    struct sc_scan r;
    const struct sc_journey *jo;
    struct sc_state *st;
    int64_t base_ms;
    uint8_t version;
};

/* A time that must be one. */
static inline int64_t sc_state_take_ms(struct sc_state_reader *d)
{
    int64_t ms = sc_scan_ms(&d->r, d->base_ms);
    if (ms == SC_NEVER || ms == SC_NO_DUE)
        sc_scan_fail(&d->r);
    return ms;
}
/* Index of the channel, -1: not in this journey. */
static inline int sc_state_channel(const struct sc_journey *jo, uint32_t hash)
{
    SC_ASSERT(jo->n_channels <= SC_CHANNELS_MAX);
    for (uint32_t c = 0; c < jo->n_channels; c++)
        if (jo->channels[c].hash == hash)
            return (int)c;
    return -1;
}

/* A fact that was left: as struct sc_unread asks for it. */
void sc_state_read_fact(struct sc_unread *u, struct sc_arena *ar, struct sc_fact_held *held);
/* One section that belongs to the journey's rules. */
void sc_state_take_rules(struct sc_state_reader *d, enum sc_state_section sec);

#endif
