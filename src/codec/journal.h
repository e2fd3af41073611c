/* Journal frames: the records that one batch has for one partition, up to 128 records or 32 KiB in
 * one Kafka message. Flat, little-endian, versioned, CRC-32C; layout in docs/formats.md.
 *
 * Events and properties go by 32-bit name hashes, values carry a type tag, a frame the hash of the
 * projection its events were decoded for. A property that the writer looked for and did not find
 * stands as absent; one outside its projection does not stand, and reads as SC_VE_UNKNOWN; one
 * whose hash the reader does not know is skipped.
 *
 * An event that the reader's taxonomy has not (resolve is deployed first) has type
 * SC_EVENT_UNKNOWN: as evidence it serves, with links before it the record is a LINK, else the
 * record is left out and counted. Properties travel with EVENT records alone. */
#ifndef SC_CODEC_JOURNAL_H
#define SC_CODEC_JOURNAL_H

#include "core/journey/record.h"
#include "core/journey/journey.h"
#include "core/taxonomy/taxonomy.h"

#define SC_EVENT_UNKNOWN UINT16_MAX
#define SC_FRAME_RECORDS 128
#define SC_FRAME_BYTES (32u << 10)

/* Progress of source partitions, in HEARTBEAT records. */
struct sc_progress {
    uint32_t source;      /* hash of the source's name */
    int32_t partition;
    int64_t ms;           /* SC_NEVER: nothing seen yet; */
    bool idle;            /* read to its end for idle_after */
    bool empty;           /* never had a record */
};
struct sc_source_parts {
    uint32_t source;
    int32_t partitions;
};
struct sc_heartbeat {
    const struct sc_progress *progress;
    uint32_t n;
    const struct sc_source_parts *parts;
    uint32_t n_parts;
};
struct sc_trailer {
    uint64_t boot; /* id of the writer's life */
    uint64_t k;    /* counts that writer's transactions to this partition, from 1 */
    uint32_t records;
};

/* Writer: one frame under construction. */
struct sc_frame_writer {
    struct sc_buf buf;
    uint32_t n;
    uint64_t projection;
    struct { /* where its last event came from; texts by their place in `buf` */
        bool any;
        uint16_t source;
        int32_t partition;
        size_t name_at, name_len, topic_at, topic_len;
    } before;
};
void sc_frame_start(struct sc_frame_writer *w, uint64_t projection_hash);
void sc_frame_fini(struct sc_frame_writer *w);
/* True when `more` bytes or one record more would pass the frame's limits. */
bool sc_frame_full(const struct sc_frame_writer *w, size_t more);
/* Any kind but HEARTBEAT and TRAILER; `jo` for the states of STATE and RETURN. */
void sc_frame_record(struct sc_frame_writer *w, const struct sc_journey *jo,
                     const struct sc_record *rec);
void sc_frame_heartbeat(struct sc_frame_writer *w, const struct sc_heartbeat *hb);
void sc_frame_trailer(struct sc_frame_writer *w, const struct sc_trailer *tr);
/* Close: count, length, checksum. The bytes stay the writer's until the next start. */
struct sc_str sc_frame_finish(struct sc_frame_writer *w);

/* Reader: iterate over a frame's records; what it yields borrows from the frame and the arena, the
 * states of STATE and RETURN from the arena alone. */
struct sc_frame_item {
    uint8_t kind; /* enum sc_record_kind */
    struct sc_record rec;
    struct sc_event event; /* what rec.ev points to */
    struct sc_heartbeat heartbeat;
    struct sc_trailer trailer;
};
struct sc_frame_reader {
    struct sc_str in;
    uint8_t version;
    size_t at;
    uint32_t left;
    uint64_t projection;
    uint32_t unknown; /* events of a newer taxonomy so far: left out, but for their links */
    struct { /* where the last event came from */
        bool any;
        uint16_t source;
        int32_t partition;
        struct sc_str name, topic;
    } before;
    const struct sc_journey *jo;
    struct sc_arena *ar;
};
/* False: not a frame, wrong checksum, or a version that is newer or too old. */
bool sc_frame_open(struct sc_frame_reader *r, const struct sc_journey *jo, struct sc_str frame,
                   struct sc_arena *ar);
/* 1: an item; 0: the end; -1: damaged (cannot happen after a good checksum but for a bug). */
int sc_frame_next(struct sc_frame_reader *r, struct sc_frame_item *out);
/* Hash of what is decoded: events' and wanted properties' names. */
uint64_t sc_projection_hash(const struct sc_taxonomy *tx, const struct sc_wanted *wanted);
/* One record alone, without checksum and without a state in it: events that wait, in a state or in
 * `simulate`. Decoding fails on anything else. */
void sc_record_encode(const struct sc_taxonomy *tx, const struct sc_record *rec,
                      struct sc_buf *out);
bool sc_record_decode(const struct sc_taxonomy *tx, struct sc_str in, struct sc_arena *ar,
                      struct sc_frame_item *out);

#endif
