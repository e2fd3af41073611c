/* Private to the resolve worker: what its three files share.
 *
 * resolve.c turns the loop and takes records through their stages; resolve_commit.c is the
 * transaction: frames, heartbeats, commit, or doubt; resolve_own.c is how a source partition comes to
 * be owned. */
#ifndef SC_ENGINE_RESOLVE_PRIV_H
#define SC_ENGINE_RESOLVE_PRIV_H

#include "codec/journal.h"
#include "core/journey/state.h"
#include "engine/hints.h"
#include "engine/pace.h"
#include "engine/tries.h"
#include "engine/worker.h"

struct sc_decoders;

#define SC_RESOLVE_KEEP_BYTES (8u << 20) /* of an arena that is reset */

/* One source partition owned. */
struct sc_intake {
    uint16_t topic;       /* source index */
    int32_t partition;
    int64_t committed;    /* C */
    int64_t next;         /* offset to go on at: C, or what the operator let be skipped */
    int64_t next_txn;     /* after the transaction in hand */
    int64_t began_ms;     /* when the source was first read; 0: by a release that did not say */
    int64_t progress_ms;  /* largest occurred_at, each at most its record's timestamp */
    int64_t ended_ms;     /* monotonic: read to the end since; 0: not at the end */
    bool any;             /* it has, or had, a record */
    bool touched;
    bool stopped;         /* its place is gone: paused, and its progress holds time */
    struct sc_tries tries; /* of the record at C */
};

struct sc_resolve {
    struct sc_worker *w;
    const struct sc_journey *jo;
    struct sc_pseudonyms *ps;
    struct sc_decoders *decoders;
    struct sc_hints hints;
    struct sc_intake *in;
    uint32_t n_in, in_last;
    struct sc_arena ar;             /* the transaction's */
    struct sc_arena batch;          /* of the records between decode and route */
    struct sc_frame_writer *frames; /* P */
    uint32_t *records;              /* P: in this transaction, for the trailers */
    uint64_t *k;                    /* P: this life's transactions to each partition */
    uint64_t boot, projection;
    bool open, doubt, beat;
    enum sc_err no_schema;          /* why a record's schema is not to be had; OK: none is missing */
    struct sc_pace pace;
    int64_t beat_ms;
    uint64_t written;
    uint64_t minute_records, minute_faults;
    int64_t minute_ms;
    bool failed;                    /* max_error_rate passed: end with the reason */
};

static inline int64_t sc_resolve_mono(const struct sc_resolve *r)
{
    return r->w->clock.mono_ms(r->w->clock.arg);
}

/* Begin a transaction unless one is open. False: in doubt. */
bool sc_resolve_begin(struct sc_resolve *r);
/* Commit what is open. False: in doubt. */
bool sc_resolve_commit(struct sc_resolve *r);
/* Forget the transaction; positions are asked for again. */
void sc_resolve_doubt(struct sc_resolve *r, enum sc_err why);
/* The transaction has ended, either way: empty its frames and arena. */
void sc_resolve_clear(struct sc_resolve *r);
/* A record into the frame of its partition. False: not produced. */
bool sc_resolve_send(struct sc_resolve *r, const struct sc_record *rec);
/* Say to every journal partition how far the owned source partitions have come. In a frame of its
 * own: an owner that cannot fire all it makes ripe in one transaction takes it again. */
bool sc_resolve_beat(struct sc_resolve *r);
/* Commit C of partitions again, with how often it was tried; no transaction is open. */
enum sc_err sc_resolve_claim(struct sc_resolve *r, struct sc_intake *const *ins, uint32_t n);
/* Take over what is assigned: where each partition is read on, how often it was tried there. OK:
 * positions are set. */
enum sc_err sc_resolve_own(struct sc_resolve *r);

#endif
