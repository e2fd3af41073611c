/* State frames: what one transaction did to one partition, in `stagecoach.state`.
 *
 * The write-ahead log of states. Each transaction writes one frame a partition it touches: chunks
 * of post-images while they do not fit one record, then the seal, which holds the rest and closes
 * the frame. The seal says where the partition stands: sequence, next journal offset, what time it
 * has heard of. Uncompressed, CRC-32C over each record. Layout: docs/formats.md; protocol:
 * reliability.md "Objects". */
#ifndef SC_CODEC_SEAL_H
#define SC_CODEC_SEAL_H

#include "codec/journal.h"

#define SC_SEAL_CHUNK_BYTES (128u << 10) /* a record's size: it is summed and copied while in the second cache */

/* What is said in a seal. */
struct sc_seal {
    uint64_t incarnation;  /* of this partition's log; 0 is never used */
    uint64_t seq;          /* 1, 2, 3 … */
    int64_t next;          /* C: the journal offset to go on at */
    uint64_t config_hash;
    uint32_t partitions;   /* P: another P is refused */
    uint64_t ranks_hash;   /* of the namespaces' names in rank order: a change is refused */
    int64_t watermark_ms;  /* never goes back, though the vector below may: SC_NEVER, none yet */
    int64_t woke_ms;       /* engine/hearing.h */
    const struct sc_progress *progress; /* the whole vector heard */
    const int64_t *heard_ms;            /* append time of each one's heartbeat */
    uint32_t n_progress;
    const struct sc_source_parts *parts;
    uint32_t n_parts;
    uint64_t count;        /* post-images in the whole frame */
};

/* A post-image: state.p == NULL: the node has none any more. */
struct sc_image {
    struct sc_node_id node;
    struct sc_str state;
    int64_t due_ms;
};

/* Writer: add images; whenever full, take a chunk; at the end, the seal. */
struct sc_seal_writer {
    struct sc_buf *buf; /* the caller's; may serve several, while one of them has a record begun */
    uint32_t n;      /* images in this record */
    uint64_t total;  /* images in the frame */
    uint32_t chunks; /* records before */
};
void sc_seal_start(struct sc_seal_writer *w, struct sc_buf *buf);
/* True when the image still fits this record. An image alone always fits. */
bool sc_seal_fits(const struct sc_seal_writer *w, const struct sc_image *im);
void sc_seal_image(struct sc_seal_writer *w, const struct sc_image *im);
/* Close this record as a chunk; bytes are the buffer's until the next image of any writer on it. */
struct sc_str sc_seal_chunk(struct sc_seal_writer *w);
/* Close the frame. `seal->count` is filled in. */
struct sc_str sc_seal_close(struct sc_seal_writer *w, struct sc_seal *seal);

/* Reader. */
struct sc_seal_reader {
    struct sc_str in;
    size_t at;
    uint32_t left;
    bool is_seal;
    uint32_t chunk;    /* number of this record in its frame, from 0 */
    struct sc_seal seal; /* when is_seal */
};
/* False: damaged or of a newer version. Arrays of the seal come from ar. */
bool sc_seal_open(struct sc_seal_reader *r, struct sc_str record, struct sc_arena *ar);
/* 1: an image (borrowed); 0: the end; -1: damaged. */
int sc_seal_next(struct sc_seal_reader *r, struct sc_image *im);

/* Offset metadata of both groups: ASCII, under 128 bytes, checked. The resolve group has no seals
 * (seal -1): its `incarnation` is when the source was first read, in ms, 0: not said; its `seq` the
 * partition's progress in ms, 0: none yet. */
struct sc_meta {
    uint64_t incarnation, seq;
    int64_t seal;          /* m: offset of the seal in stagecoach.state */
    char writer[33];       /* ordinal and role of its transactional.id: [A-Za-z0-9._-] */
    uint64_t config_hash;
    uint32_t tries;
};
#define SC_META_MAX 128
size_t sc_meta_format(const struct sc_meta *m, char out[SC_META_MAX]);
bool sc_meta_parse(struct sc_str s, struct sc_meta *out);

#endif
