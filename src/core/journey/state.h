/* One customer's record, in the form the step works on.
 *
 * The stored form (codec/state.h) is what caches, state frames and Redis hold; this one lives in
 * the arena of one transaction: decoded on first touch, encoded once at its end. So an abort is
 * dropping the arena, and a customer costs its bytes and no more. Everything is bounded. */
#ifndef SC_CORE_STATE_H
#define SC_CORE_STATE_H

#include "core/event.h"
#include "core/journey/journey.h"

#include <stddef.h>

#define SC_NEVER INT64_MIN      /* no such time */
#define SC_NO_DUE INT64_MAX     /* nothing to wake up for */

#define SC_MEMBERS_MAX 1000
#define SC_MERGES_MAX 100
#define SC_WINDOW_EXACT 64      /* entries before a window goes to buckets */
#define SC_WINDOW_EXACT_MAX 4096
#define SC_BUCKETS 64
#define SC_DISTINCT_EXACT 256
#define SC_DEDUPE_MIN 64
#define SC_DEDUPE_MAX 4096
#define SC_DEDUPE_KEEP_MS SC_DAY_MS
#define SC_SEEN_STEP_MS (2 * SC_SECOND_MS) /* of arrivals: 36 hours in 16 bits */
#define SC_SEEN_STEPS_KEPT (SC_DEDUPE_KEEP_MS / SC_SEEN_STEP_MS)
#define SC_RING_MAX 64
#define SC_KEYS_OPEN_MAX 25
#define SC_RIPE_MAX 8
#define SC_WAITING_MAX 256
#define SC_WAITING_BYTES_MAX (512u << 10) /* half of what a state may take */
#define SC_CASES_MAX 64
#define SC_CONSENTS_MAX 64

struct sc_history;

enum sc_state_kind {
    SC_STATE_ROOT,  /* a customer (also one never seen: nothing stored) */
    SC_STATE_ALIAS, /* merged into parent: records here are forwarded */
    SC_STATE_ERASED /* forgotten: events up to erased_ms are dropped */
};

/* ---- facts */

__extension__ typedef __int128 sc_int128;

/* One number of a property as a signed integer whose order is the number's: units of a decimal at
 * the property's scale, milliseconds of a time, a double's bits folded (facts.c). */
struct sc_win_entry { /* windows: an event. distinct: a value's hash and its latest time */
    int64_t ms;
    int64_t raw;
};
/* What an aggregate adds up. Sums of doubles are in fixed point, 2^-64, so that no order of arrival
 * or of merges changes them. */
struct sc_fact_acc {
    sc_int128 v;   /* sum, least or largest; first, last, since: a time */
    int64_t n;     /* how many */
    bool overflow; /* a double past 2^63 came in */
};
struct sc_win_bucket { /* the events of [index * width, (index + 1) * width) */
    struct sc_fact_acc acc;
    int64_t index, last_ms;
};
struct sc_fact_edge { /* first, last: by (ms, source, id) */
    int64_t ms;
    struct sc_str source, id;
    struct sc_value v;
};
/* Which parts are in use follows from the fact's kind (facts.h); all zero: nothing yet. */
struct sc_fact_state {
    struct sc_fact_acc acc;       /* no window; distinct: v is the newest time, n whether any */
    struct sc_win_entry *entries; /* window: ascending by (ms, raw), the newest 64 or 4,096.
                                     distinct: ascending by hash */
    union {
        struct sc_win_bucket *buckets; /* window: what is older, ascending by index */
        uint64_t *sketch;              /* distinct past SC_DISTINCT_EXACT: ascending (distinct.c) */
        struct sc_fact_edge *edge;     /* first, last of a property */
    };
    uint32_t n_entries, cap_entries;
    uint32_t n_more, cap_more;
};

/* One fact of a customer: of a thousand that rules name a customer has had a handful. Those of a
 * stored state stay as they are stored until something asks: an event touches few of them. */
struct sc_fact_held {
    uint32_t fact; /* index in jo->facts */
    bool unread;   /* `body` stands, not `fs` */
    union {
        struct sc_fact_state fs;
        struct sc_str body; /* stored form, borrowed */
    };
};
/* What of a stored state is not read yet, and how it is: set by whoever reads stored forms
 * (codec/state_decode.c). In front stands what every event looks at: who the customer is, his life
 * and place, the ids seen. What is behind is left as it is stored until a step asks for it, and
 * then each fact of it until that is asked for. In the state's arena; `behind` is borrowed from the
 * stored form, which must outlive the state. */
struct sc_unread {
    void (*fact)(struct sc_unread *u, struct sc_arena *ar, struct sc_fact_held *held);
    void (*rest)(struct sc_unread *u);
    struct sc_state *st;
    const struct sc_journey *jo;
    int64_t base_ms;      /* what the times in it count from */
    struct sc_str behind; /* p == NULL: it is read, but for facts */
    uint64_t sections;    /* what stands in `behind`, in the reader's own terms */
    bool timed;           /* with something that any step must look at: timers, events that wait */
    bool bad;             /* damaged, and counts as nothing: the state must not be written */
};

/* ---- identity */

struct sc_member { /* a node of the set, the customer's own included */
    struct sc_node_id node;
    uint32_t gen;         /* generation absorbed */
    struct sc_node_id group; /* the absorbed customer it came with; none: it is of this one */
    struct sc_node_id through; /* the identifier it came in one event with; none: the first one */
    int64_t linked_ms;    /* event time of the link (limits within) */
    struct sc_str evidence; /* id of the event that linked it */
};

/* ---- journey */

struct sc_timer {
    uint8_t kind;         /* enum sc_timer_kind */
    uint16_t rule;        /* trigger or stage index */
    int64_t start_ms;     /* event time of the (latest) start */
    int64_t due_ms;       /* deadline in event time; deferred: the release; rival: when it fired,
                             and `arbitration`; sent: the deadline of the silence */
    uint64_t key_hash;    /* 0: no key */
    struct sc_str key;    /* text of the key */
    uint64_t start_id;    /* id_hash of the start event */
    struct sc_str source; /* of the start event; with its id, the last of `events`: ties */
    struct sc_str *events; /* ids of the events behind it, the start last */
    uint32_t n_events;
    struct sc_str context; /* JSON object as snapshot by the start; also deferred messages */
    uint8_t id[16];        /* silence, deferred, rival, sent: the occurrence's trigger id, fixed by
                              the start and kept through merges */
    bool promised;         /* deferred, or a rival that was: its deferral is published */
    int64_t expires_ms;    /* the last instant it may go; SC_NO_DUE: never */
    struct sc_str traceparent;
};
enum sc_timer_kind {
    SC_TIMER_SILENCE,  /* a trigger's wait */
    SC_TIMER_LAPSE,    /* a stage's silence */
    SC_TIMER_OVERDUE,  /* a stage's target */
    SC_TIMER_DEFERRED, /* a message held by quiet hours */
    SC_TIMER_SENT,     /* a sent trigger that may still be withdrawn until it expires */
    SC_TIMER_RIVAL,    /* a message that waits for its rivals (rivals.c) */
    SC_TIMER_MOMENT    /* what fired in [start_ms, due_ms) has lost to `rule` */
};
/* Sent ones and moments stand for what was; they wake nobody. */
static inline bool sc_timer_wakes(const struct sc_timer *tm)
{
    return tm->kind != SC_TIMER_SENT && tm->kind != SC_TIMER_MOMENT;
}

#define SC_TRIGGER_GONE UINT16_MAX /* a trigger this journey has not: its messages still count */
struct sc_sent { /* the cap ledger: one message sent */
    int64_t at_ms;
    uint16_t trigger;
    uint32_t gone;       /* SC_TRIGGER_GONE: the hash of its name */
    uint8_t channel;
    bool counts;         /* toward caps */
    bool marketing;
    uint64_t key_hash;   /* cooldown a key */
    uint64_t id;         /* first 8 bytes of the trigger id: union in merges */
};

struct sc_consent {
    struct sc_str purpose;
    bool granted;
    int64_t at_ms;       /* the latest by event time wins; withdrawal beats grant at a tie */
    struct sc_str source, evidence;
};

struct sc_pref { /* a stated preference: the latest by time wins */
    struct sc_str text;
    int64_t number;
    int64_t at_ms;
};

struct sc_touch { /* a recent touchpoint */
    uint16_t type;
    int64_t ms;
    struct sc_str id, source;
    struct sc_value *props; /* those the journey reads, one a declared property */
};

struct sc_seen { /* dedupe: an id that came, as it stands in the stored form too */
    uint32_t id_low; /* of its hash, of which 48 bits are kept (dedupe.c) */
    uint32_t content;
    uint16_t id_high;
    uint16_t age;    /* SC_SEEN_STEP_MS before the newest arrival; UINT16_MAX: or longer */
};

struct sc_open_case {
    uint16_t kind;       /* case index */
    uint64_t key_hash;
    int64_t opened_ms, closed_ms; /* the latest of each; open when opened > closed */
};

struct sc_occurrence { /* what re-entry must know of a trigger */
    uint16_t trigger;
    bool fired, exited_since;
};

struct sc_waiting { /* reorder: an event that waits for its turn; its links are decided */
    int64_t ms;
    struct sc_str source, id;
    struct sc_event *ev;  /* a deep copy in the state's arena; the stored form encodes it */
};

/* A run of events that broke or restarted one silence: each less than `after` behind the one
 * before, so its ends alone say whether a start that arrives out of order is still a silence.
 * Union and coalescing of runs is what a merge does (breaks.c). */
struct sc_break {
    uint8_t kind;        /* enum sc_timer_kind: SILENCE (rule: trigger), LAPSE (rule: stage) */
    uint16_t rule;
    uint64_t key_hash;   /* 0: no key, or all keys */
    int64_t first_ms, last_ms;
    bool exit_last;      /* an exit stands at last_ms (else a start: ends only earlier ones) */
};
#define SC_BREAKS_MAX 128 /* the oldest is given up */

/* What the stored form holds of a rule, fact or event this journey has not. Opaque here. */
struct sc_foreign {
    uint8_t section; /* codec/state.c */
    uint32_t hash;   /* of its name and definition */
    int64_t base_ms; /* what the times in it count from */
    struct sc_str bytes;
};
#define SC_FOREIGN_BYTES_MAX 4096u

/* Where a customer stands in one track. Stages are indices into jo->stages. */
struct sc_place {
    int16_t stage;
    int64_t stage_ms;           /* since when (event time) */
    int16_t lapsed_from;        /* stage left by a lapse, -1 */
    int64_t lapsed_from_ms;     /* since when it had been in that one */
    int16_t furthest;           /* furthest ranked stage ever entered */
    int16_t lapse_void;         /* a lapse that a merge undid or moved, -1: later merges weigh it
                                   as it was entered, so that their order cannot matter */
    int64_t lapse_void_ms;      /* when it was entered */
    uint32_t stage_unknown;     /* hash of the stage stored, which this journey has no more; `stage`
                                   is the nearest earlier (semantics 21). 0: none. The step says so
                                   by a transition with cause `config`, and clears it */
};

/* What few steps look at stands first: what most do, and what stands behind a state that was just
 * opened (its place, its facts), are then neighbours in memory. */
struct sc_state {
    struct sc_node_id parent; /* ALIAS */
    int64_t erased_ms;        /* ERASED(t), kept when a new customer starts behind it */
    SC_VEC(struct sc_node_id) must_not; /* never link these two again */
    SC_VEC(struct sc_node_id) former;   /* ids of absorbed customers, in order of node */
    uint32_t merges;
    bool fatigue_paused;
    SC_VEC(struct sc_consent) consents;
    struct sc_pref channel, timezone, language, frequency;
    struct sc_str phone_zone;
    int64_t snooze_until_ms, snooze_at_ms;
    double fatigue;
    int64_t fatigue_ms;
    SC_VEC(struct sc_open_case) cases;
    SC_VEC(struct sc_str) held_out;    /* experiments an absorbed side was held out of */
    SC_VEC(struct sc_foreign) foreign; /* facts and rules of another journey version, as stored, so
                                          that a release back still reads them; ascending */
    SC_VEC(struct sc_seen) seen;       /* in order of arrival */
    uint32_t seen_last;                /* the newest one's, SC_SEEN_STEP_MS since the epoch */

    uint32_t gen;            /* one more each time it becomes a root again, or is erased */
    struct sc_node_id node;
    struct sc_arena *ar;     /* where its parts live */
    uint8_t kind;            /* enum sc_state_kind */
    bool stored;             /* was read from the store (false: never seen) */
    bool dirty;              /* must be written */
    bool ambiguous;
    SC_VEC(struct sc_member) members;
    uint64_t n_events;
    int64_t first_ms, last_ms;  /* event time of the first and last event */
    int64_t due_ms;          /* earliest timer, deferral or waiting event: SC_NO_DUE when none */
    SC_VEC(struct sc_fact_held) facts; /* ascending by fact; what is not here has nothing yet */
    struct sc_unread *unread;          /* NULL: all of them are read, and all else */
    const struct sc_event *behind;     /* in its step alone, once its facts are applied: an event
                                          older than others, which windows may have forgotten the
                                          time of; it counts all the same (facts.c). NULL: none */
    SC_VEC(struct sc_timer) timers;    /* no order. A merge is the union by (kind, rule, key_hash,
                                          start_ms, start_id); sc_step_merged takes out what the
                                          merged breaks end */
    SC_VEC(struct sc_break) breaks;    /* ascending by (kind, rule, key_hash, first_ms) */
    SC_VEC(struct sc_sent) sent;       /* ascending by at */
    SC_VEC(struct sc_touch) ring;      /* ascending by time */
    SC_VEC(struct sc_occurrence) occurrences;
    SC_VEC(struct sc_waiting) waiting; /* ascending by (ms, source, id) */
    struct sc_history *history; /* core/analytics; NULL: none */
    int64_t *inbound_ms;        /* one a channel: the last inbound message, SC_NEVER */
    int64_t *milestones;        /* one a milestone: when reached, SC_NEVER */
    struct { int64_t *v; uint32_t n; } *ladders; /* one a milestone: its n smallest times */
    struct sc_place *place;     /* one a track of the journey, the main one first */
};
/* Bytes in front of what most steps look at. */
#define SC_STATE_SELDOM offsetof(struct sc_state, gen)

#define SC_STATE_BASE_MS (INT64_C(1) << 27) /* 37 hours */
/* What the times of a stored state count from. It seldom moves, so that what an event does not touch
 * stands as it stood. */
static inline int64_t sc_state_base(uint64_t n_events, int64_t last_ms)
{
    return n_events ? last_ms & ~(SC_STATE_BASE_MS - 1) : 0;
}
/* Is all of it read, but for facts? */
static inline bool sc_state_is_whole(const struct sc_state *st)
{
    return st->unread == NULL || st->unread->behind.p == NULL;
}
/* Read what is behind the front. */
static inline void sc_state_whole(const struct sc_state *st)
{
    if (!sc_state_is_whole(st))
        st->unread->rest(st->unread);
}

/* Where everybody begins in track `t`. */
struct sc_place sc_place_new(const struct sc_journey *jo, uint32_t t);
/* The stages the customer is in, one a track, as bits. */
uint64_t sc_state_stages(const struct sc_journey *jo, const struct sc_state *st);
/* What every new customer begins as, once the journey is loaded whole; in `ar`, the journey's. */
void sc_state_prepare(struct sc_journey *jo, struct sc_arena *ar);
/* A customer never seen: root, initial stage, members { node }. */
struct sc_state *sc_state_new(const struct sc_journey *jo, struct sc_node_id node,
                              struct sc_arena *ar);
/* Recompute due_ms: the earliest time of a timer that wakes, or of a waiting event. TIMERS has
 * something to do once due_ms <= watermark - jo->reorder_ms (less nothing when the caller puts
 * events in order itself). */
void sc_state_due(const struct sc_journey *jo, struct sc_state *st);

/* ---- facts.c: apply one event, read aged to `now_ms`, merge */
/* What is held of a fact, NULL: nothing yet. Reads it when it is unread, as all of these do. */
const struct sc_fact_state *sc_fact_held(const struct sc_state *st, uint32_t fact);
/* The same, begun when there is nothing yet. Valid until another is begun. */
struct sc_fact_state *sc_fact_hold(struct sc_state *st, uint32_t fact);
/* Room for `n` of them. */
void sc_facts_room(struct sc_state *st, uint32_t n);
/* Where a fact stands, read or not, begun when there is nothing yet; valid as long. */
struct sc_fact_held *sc_fact_place(struct sc_state *st, uint32_t fact);
/* Read all that is unread, facts and all else. False: something is or was damaged. */
bool sc_facts_read(const struct sc_state *st);
/* Is what was read so far sound? */
static inline bool sc_facts_sound(const struct sc_state *st)
{
    return st->unread == NULL || !st->unread->bad;
}
void sc_fact_apply(const struct sc_journey *jo, struct sc_state *st, uint32_t fact,
                   const struct sc_event *ev);
struct sc_value sc_fact_read(const struct sc_journey *jo, const struct sc_state *st, uint32_t fact,
                             int64_t now_ms);
void sc_facts_merge(const struct sc_journey *jo, struct sc_state *into,
                    const struct sc_state *from);

/* ---- breaks.c: what is remembered of starts and exits, for those that come out of order */
/* One start or exit at `b` (first_ms == last_ms). Runs less than `after_ms` apart become one. */
void sc_breaks_add(struct sc_state *st, const struct sc_break *b, int64_t after_ms);
/* Does a later start, or an exit at or after it, end the silence [start_ms, start_ms + after)? */
bool sc_breaks_end(const struct sc_state *st, const struct sc_break *start, int64_t after_ms);
/* The last break of a lapse: SC_NEVER when none. */
int64_t sc_breaks_last(const struct sc_state *st, uint8_t kind, uint16_t rule, uint64_t key_hash);
/* Forget runs that can end no silence whose deadline is `before_ms` or later. */
void sc_breaks_forget(const struct sc_journey *jo, struct sc_state *st, int64_t before_ms);
/* The union of both sides' runs (merge.c). */
void sc_breaks_merge(const struct sc_journey *jo, struct sc_state *into,
                     const struct sc_state *from);

/* ---- dedupe.c */
enum sc_dedupe { SC_DEDUPE_NEW, SC_DEDUPE_COPY, SC_DEDUPE_CLASH };
/* Look the event up and remember it. `arrival_ms`: the journal's append time. */
enum sc_dedupe sc_dedupe(struct sc_state *st, uint64_t id_hash, uint32_t content,
                         int64_t arrival_ms, uint32_t *evicted);
/* The newest arrival is so many steps later: all of them are as much older. */
void sc_seen_age(struct sc_seen *v, uint32_t n, uint32_t steps);

/* ---- ring.c: the most recent touchpoints, whatever the order of arrival */
void sc_ring_add(const struct sc_journey *jo, struct sc_state *st, const struct sc_event *ev);

/* ---- merge.c: the laws of semantics 7. Commutative, associative, idempotent. Members, former ids
 * and must-not are merged here too; rules are not tried (step does, 10b). */
void sc_state_merge(const struct sc_journey *jo, struct sc_state *into,
                    const struct sc_state *from);

/* Everything about the customer as the `--customers` line of semantics 41 (and the `customers`
 * topic), facts aged to `now_ms`. `reveal` may give the raw value of a node; NULL: pseudonyms. */
typedef struct sc_str sc_reveal_fn(void *arg, const struct sc_node_id *node);
void sc_state_customer_json(const struct sc_journey *jo, const struct sc_state *st, int64_t now_ms,
                            sc_reveal_fn *reveal, void *reveal_arg, struct sc_buf *out);

#endif
