/* One customer played through a journey, as text in and text out: what the tests of the step share.
 *
 * Script, one line each, times of 2026 in UTC:
 *   03-02 10:00 cart_updated cart_id=a value=40     an event; time moves on to it first
 *   03-02 12:00                                     time moves on: timers fire
 * An event whose time lies before an earlier line's comes late: time stands. `id=` names it, else
 * it is e<line>, counted from 1.
 *
 * Effects, one line each: when it was decided, type, rule, and what tells one from another:
 *   03-02 11:00 trigger cart_abandoned sms
 *   03-02 10:00 transition purchase awareness>purchase rule
 *   03-02 11:00 suppressed cart_abandoned CONSENT */
#ifndef SC_TEST_JOURNEY_PLAY_H
#define SC_TEST_JOURNEY_PLAY_H

#include "core/journey/step.h"

struct play {
    struct sc_arena ar;
    struct sc_diag dg;
    struct sc_taxonomy tx;
    struct sc_journey jo;
    struct sc_state *st;
    struct sc_effects fx;     /* of all lines, in order */
    struct sc_step_counts counts;
    struct sc_trace *trace;   /* set before play_script to trace */
    int64_t watermark_ms, start_ms;
    bool hold_time;           /* events do not move the watermark */
    bool journal_clock;       /* clock: journal; append time = the watermark */
    uint32_t line;
    uint32_t seen;            /* effects printed already */
};

/* A journey for the shop of play.c's taxonomy: `yaml` without its first two lines. */
void play_init(struct play *pl, const char *yaml);
void play_fini(struct play *pl);
/* Run the script; gives the effects it caused, borrowed until play_fini. */
const char *play_script(struct play *pl, const char *script);
/* Effects of `type` alone. */
const char *play_filter(struct play *pl, enum sc_effect_type type);
int64_t play_time(struct sc_str text);
struct sc_event *play_event(struct play *pl, const char *name, int64_t ms, const char *props);

/* Assert that the script gives these effects, with both texts on failure. */
#define PLAY(yaml, script, expected) play_expect((yaml), (script), (expected), __LINE__)
void play_expect(const char *yaml, const char *script, const char *expected, int line);

#endif
