/* One journal partition in its owner's hands: its place in the logs, its customers, its time. */
#ifndef SC_ENGINE_PART_H
#define SC_ENGINE_PART_H

#include "codec/seal.h"
#include "engine/cache.h"
#include "engine/due.h"
#include "engine/hearing.h"
#include "engine/port.h"
#include "engine/tries.h"

enum sc_part_status {
    SC_PART_ACQUIRING, /* not read yet */
    SC_PART_ACTIVE,
    SC_PART_STOPPED    /* torn, or in need of the operator: not read, `why` says what to do */
};

#define SC_WRITERS_MAX 256 /* resolve writers whose trailers are followed */

struct sc_writers { /* who was heard last stands last */
    struct { uint64_t boot, k; } v[SC_WRITERS_MAX];
    uint32_t n;
};

/* What a partition hears beside its customers' records. */
struct sc_ear {
    struct sc_hearing hearing;
    struct sc_writers writers;
};

struct sc_part {
    uint32_t index;
    enum sc_part_status status;
    char why[384];
    /* as committed */
    uint64_t incarnation, seq;
    int64_t committed;  /* C: next journal offset */
    int64_t next;       /* where to read on: past C only by heartbeats that changed nothing */
    int64_t seal;       /* m: offset of the last seal, -1 none */
    struct sc_tries tries; /* of the record at C */
    /* time and the resolve writers' trailers: as of the transaction in hand, as of the last commit */
    struct sc_ear ear, kept;
    bool heard;         /* the two differ */
    /* customers */
    struct sc_cache cache;
    bool complete;      /* every customer of the partition is in the cache: a miss is "none" */
    struct sc_due due;
    /* the view */
    struct sc_stamp stamp;     /* what this owner saw or wrote last */
    bool flushing;
    uint32_t commits;          /* counts commits: the `dirty` mark of what each wrote */
    uint32_t flush_commits;    /* `commits` when the flush in flight was started */
    struct sc_stamp flush_to;
    struct sc_nodes in_flush;  /* what it writes */
    uint64_t flush_bytes;      /* of states in it */
    int64_t flushed_mono_ms;   /* when the last flush was started */
    int64_t looked_mono_ms;    /* when its stamp was last looked at without a flush */
    int64_t dirty_mono_ms;     /* since when something is dirty; 0: nothing is */
    /* the transaction in hand */
    bool touched;       /* must be sealed by this transaction */
    int64_t next_txn;   /* C after it */
    int64_t sealed_ms;  /* append time of the last sealing (idle seals every 5 s) */
    uint32_t mark;      /* of its seal, to learn the offset */
};

struct sc_part *sc_part_create(uint32_t index);
void sc_part_destroy(struct sc_part *p);
/* Forget all but the index: the way out of every doubt. */
void sc_part_forget(struct sc_part *p);
/* Stop it with a reason (also logged). */
void sc_part_stop(struct sc_part *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The transaction in hand was committed, or dropped: what it heard stays, or was not heard. */
void sc_part_keep(struct sc_part *p);
void sc_part_drop(struct sc_part *p);

#endif
