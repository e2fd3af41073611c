/* The stored form of a state, between its writer and its reader. Layout: docs/formats.md.
 *
 *   version, kind and flags, due_ms [parent] | sections (bits) | base_ms | the sections, in order
 *
 * A section stands only when it holds something; in front those that every event looks at, so that
 * the others may be left as they are (struct sc_unread). Times are written as distances from
 * base_ms, the customer's newest event rounded down (sc_state_base). Whatever belongs to a fact,
 * stage, trigger or milestone stands by hash; of what the reader's journey has not, facts, timers,
 * milestones and occurrences are kept as bytes with the base they count from (FOREIGN). */
#ifndef SC_CODEC_STATE_FORM_H
#define SC_CODEC_STATE_FORM_H

#include "codec/flat.h"
#include "codec/state.h"
#include "core/analytics/history.h"
#include "core/journey/facts.h"

#define SC_STATE_VERSION 5
#define SC_STATE_SEEN_BEHIND 4 /* the version before: SEEN stood in its order */
#define SC_STATE_WIDE_SEEN 3   /* before that: ids with 64 bits of their hash, and a time each */
#define SC_STATE_KIND 0x03u /* second byte */
#define SC_STATE_AMBIGUOUS 0x04u
#define SC_STATE_PAUSED 0x08u
#define SC_STATE_FLAGS 0x0fu

/* Sections in the order they stand, but that SEEN is the last of the front. */
enum sc_state_section {
    SC_SEC_GEN, SC_SEC_ERASED, SC_SEC_MEMBERS, SC_SEC_MUST_NOT, SC_SEC_FORMER, SC_SEC_LIFE,
    SC_SEC_STAGE_SINCE, SC_SEC_STAGE, SC_SEC_LAPSE, SC_SEC_LAPSE_VOID, SC_SEC_FURTHEST,
    SC_SEC_FACTS, SC_SEC_MILESTONES, SC_SEC_TIMERS, SC_SEC_BREAKS, SC_SEC_SENT, SC_SEC_CONSENTS,
    SC_SEC_PREFS, SC_SEC_SNOOZE, SC_SEC_ZONE, SC_SEC_FATIGUE, SC_SEC_RING, SC_SEC_SEEN,
    SC_SEC_CASES, SC_SEC_OCCURRENCES, SC_SEC_INBOUND, SC_SEC_HELD_OUT, SC_SEC_WAITING,
    SC_SEC_FOREIGN, SC_SEC_HISTORY, SC_SEC_TRACKS, SC_SEC_COUNT
};
#define SC_SEC_BIT(section) (UINT64_C(1) << SC_SEC_##section)
#define SC_SECTIONS_IDENTITY (SC_SEC_BIT(LIFE) - 1)
#define SC_SECTIONS_PLACE \
    (SC_SEC_BIT(STAGE) | SC_SEC_BIT(LAPSE) | SC_SEC_BIT(LAPSE_VOID) | SC_SEC_BIT(FURTHEST))
#define SC_SECTIONS_FRONT (SC_SEC_BIT(FACTS) - 1 + SC_SEC_BIT(SEEN))
#define SC_SECTIONS_TIMED \
    (SC_SEC_BIT(TIMERS) | SC_SEC_BIT(BREAKS) | SC_SEC_BIT(WAITING) | SC_SEC_BIT(TRACKS))

/* Bits of a timer's second byte. */
enum {
    SC_TM_KEY = 1, SC_TM_CONTEXT = 2, SC_TM_TRACE = 4, SC_TM_ID = 8, SC_TM_EXPIRES = 16,
    SC_TM_START_ID = 32, SC_TM_SOURCE = 64, SC_TM_PROMISED = 128 /* a rival alone */
};
/* Bits of a sent message. */
enum { SC_SENT_COUNTS = 1, SC_SENT_MARKETING = 2, SC_SENT_KEY = 4 };
/* Bits of a member: it is the customer's own node; its group is itself; its group stands. */
enum {
    SC_MEMBER_SELF = 1,
    SC_MEMBER_CUSTOMER = 2,
    SC_MEMBER_GROUP = 4,
    SC_MEMBER_BY_ROOT = 8, /* it came through the state's own node */
    SC_MEMBER_BY = 16,     /* or through another, which stands */
    SC_MEMBER_ALL = 31
};

/* Bits of a place: which parts stand. STAGE_SINCE to FURTHEST are that of the main track where
 * `stages:` are all there is (and were always, before); else each stands in TRACKS, by its track's
 * name, so that another one may become the main track. */
enum { SC_PLACE_SINCE = 1, SC_PLACE_STAGE = 2, SC_PLACE_LAPSE = 4, SC_PLACE_VOID = 8,
       SC_PLACE_FURTHEST = 16 };

#define SC_RING_SOURCES 64u /* source names that touchpoints may refer back to */

/* Stands as it is in memory: u32 hash, u32 content, u16 more of the hash, u16 age. */
_Static_assert(sizeof(struct sc_seen) == 12, "no padding");

/* state_facts.c: one fact's body, self-contained but for the base. */
void sc_fact_put(struct sc_pen *w, const struct sc_fact_plan *plan,
                 const struct sc_fact_state *fs, int64_t base_ms, uint32_t entries_max);
void sc_fact_take(struct sc_scan *r, const struct sc_fact_plan *plan, struct sc_fact_state *fs,
                  int64_t base_ms);
bool sc_fact_empty(const struct sc_fact_state *fs);
/* A body as it stands, its length before it, and its times counted from `base_ms` instead of
 * `from_ms`. Of a damaged one the bytes stay. */
void sc_fact_put_body(struct sc_pen *w, const struct sc_fact_plan *plan, struct sc_str body,
                      int64_t from_ms, int64_t base_ms);

/* state_history.c: what analytics remember. */
void sc_history_put(struct sc_pen *w, const struct sc_journey *jo, const struct sc_history *h,
                    int64_t base_ms);
struct sc_history *sc_history_take(struct sc_scan *r, const struct sc_journey *jo,
                                   int64_t base_ms);

#endif
