/* One event as the engine sees it: decoded, validated, its identifiers turned into nodes.
 *
 * Everything borrowed lives as long as the batch it came with. Properties stand in slots: slot i is
 * property i of the event's declaration in the taxonomy, ABSENT when the record has none. */
#ifndef SC_CORE_EVENT_H
#define SC_CORE_EVENT_H

#include "core/value.h"

/* A pseudonym with its rank: 1 byte (high 4 bits key version, newest smallest; low 4 bits rank of
 * the namespace, 1..15) + the first 15 bytes of HMAC-SHA-256(key, namespace 0x00 value).
 * Ordered bytewise: the smallest node of a set names the customer. Source: reliability.md,
 * Identity. */
struct sc_node_id {
    uint8_t b[16];
};

static inline int sc_node_cmp(const struct sc_node_id *a, const struct sc_node_id *b)
{
    return memcmp(a->b, b->b, 16);
}
static inline bool sc_node_eq(const struct sc_node_id *a, const struct sc_node_id *b)
{
    return memcmp(a->b, b->b, 16) == 0;
}
static inline bool sc_node_none(const struct sc_node_id *a)
{
    return a->b[0] == 0; /* rank 0 is never given */
}
static inline uint8_t sc_node_rank(const struct sc_node_id *a)
{
    return a->b[0] & 0x0f;
}

#define SC_EVENT_ID_BYTES_MAX 1024   /* longer ids, source names and identifiers are bad input */
#define SC_IDENTIFIER_BYTES_MAX 1024
#define SC_EVENT_PROPS_BYTES_MAX (256u << 10) /* properties that take more are bad input: a frame, and what a
                                                 state keeps of them, must fit a Kafka record */
#define SC_IDENTIFIERS_MAX 16 /* identifiers an event may carry; the weakest past it are demoted */

/* An identifier of an event: value normalised; blocked ones never get here. */
struct sc_identifier {
    uint8_t ns;          /* index into taxonomy->namespaces */
    struct sc_str value; /* normalised raw value: never leaves resolve, except by --reveal */
    struct sc_node_id node;
};

/* Where the record stood: for provenance, dead letters, explain. */
struct sc_origin {
    struct sc_str topic; /* or file name */
    int32_t partition;   /* -1: a file */
    int64_t offset;      /* or line number */
};

struct sc_event {
    uint16_t type;       /* index into taxonomy->events */
    uint16_t source;     /* index into taxonomy->sources, or SC_SOURCE_NONE (canonical, unknown) */
    bool deprecated;     /* came by an alias */
    bool clamped;        /* occurred_at was over 23 h in the future */
    struct sc_str source_name;
    struct sc_str id;
    uint64_t id_hash;      /* XXH3 of source name, 0x00, id */
    uint32_t content_hash; /* of type, claimed time, nodes and slots: tells a copy from a clash,
                              whatever the format and however often it was sent again */
    int64_t occurred_ms;   /* event time, skew taken out */
    int64_t claimed_ms;    /* occurred_at as the record has it, skew and future kept */
    uint32_t n_ids;
    uint32_t ids_begun;        /* the first so many have no node and no order yet (intake.h) */
    uint32_t ids_demoted;      /* identifiers past the maximum, left out */
    struct sc_str phone_zone;  /* IANA zone of the strongest phone's country, or empty: may travel,
                                  the number may not */
    const struct sc_value *props; /* one a declared property */
    uint32_t n_props;
    struct sc_origin origin;
    struct sc_str traceparent; /* W3C trace context, may be empty */
    struct sc_str duplicate_of; /* set by the engine: same id, other content */
    struct sc_identifier ids[SC_IDENTIFIERS_MAX]; /* sorted: smallest node first, no repeats; last,
                                                     since only n_ids of them are ever set */
};

#define SC_SOURCE_NONE UINT16_MAX

/* Give an event that shares its id with another of other content an id of its own, `<id>#<content
 * in hex>`, and say whose copy it is not: duplicate_of (semantics 16). Text from `ar`. */
void sc_event_rename(struct sc_event *ev, struct sc_arena *ar);
/* Hash of source name, 0x00, id: the key of dedupe and of trigger ids. */
uint64_t sc_event_id_hash(struct sc_str source, struct sc_str id);

#endif
