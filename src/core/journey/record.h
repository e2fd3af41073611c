/* What the journal carries: everything that happens to a customer, in one order. Each record is
 * handled by the owner of node `to` (its partition). Wire form: codec/journal.h, docs/formats.md.
 *
 * An event that joins identifiers rides behind its links: it goes to the owner that decides the
 * link first, follows the loser's STATE to the winner, and so is applied to the merged customer,
 * in `run` as in `simulate` (docs/adr/0002). */
#ifndef SC_CORE_RECORD_H
#define SC_CORE_RECORD_H

#include "core/event.h"

enum sc_record_kind {
    SC_REC_EVENT,     /* an event, with links still to decide in front of it */
    SC_REC_LINK,      /* links alone: from commands, key rotation */
    SC_REC_STATE,     /* the loser's whole record for the winner */
    SC_REC_RETURN,    /* the winner refused: the loser is a root again */
    SC_REC_SPLIT,     /* the node becomes a root again; ambiguous when by a refusal */
    SC_REC_LEAVE,     /* to the former parent, or to who asked: this member went */
    SC_REC_ERASE,     /* forget: to the root, then to every member */
    SC_REC_ASK,       /* to the node itself, for `other`: is it still of generation `gen`, or (any)
                         where is it? */
    SC_REC_HEARTBEAT, /* progress of source partitions: the engine's, never the step's */
    SC_REC_TRAILER    /* the engine's */
};

/* A pair of an event's nodes to be joined. `a`, `b`: what is known of their roots. */
struct sc_link {
    struct sc_node_id strong, weak; /* the event's own nodes: strong < weak */
    struct sc_node_id a, b;
};

struct sc_state;

#define SC_LINKS_MAX SC_IDENTIFIERS_MAX
#define SC_HOPS_MAX 16

struct sc_record {
    uint8_t kind; /* enum sc_record_kind */
    struct sc_node_id to;
    uint8_t hops;
    /* A record that travels keeps the watermark of its first door: hops take time, and time must
     * not make an event late, or move its decision. Stamped and used by the engine. */
    bool has_heard;
    int64_t heard_ms;
    bool has_via;             /* forwarded by an alias: apply only if that generation is here */
    struct sc_node_id via;
    uint32_t via_gen;
    /* EVENT, and evidence for LINK, STATE, RETURN, SPLIT, LEAVE, ERASE (ids, time; no props) */
    const struct sc_event *ev;
    struct sc_node_id home;   /* EVENT, LINK: where the event belongs once its links are decided */
    struct sc_link links[SC_LINKS_MAX];
    uint32_t n_links;
    uint16_t decided;         /* EVENT: those of its identifiers that a link was decided for, as
                                 bits: who of them is no member was refused */
    /* STATE, RETURN, SPLIT, LEAVE, ASK */
    struct sc_node_id node;   /* loser; the node split off */
    uint32_t gen;
    struct sc_node_id other;  /* RETURN: the winner that refused. ASK: who asks. LEAVE: the customer
                                 that has it now, where another told so */
    struct sc_link link;      /* STATE, RETURN: the link that caused it */
    bool ambiguous;           /* SPLIT, LEAVE: by a refusal */
    bool let_go;              /* SPLIT, LEAVE: because of another it came through, while of
                                 generation `gen`, or given back; it may join again */
    uint8_t violation;        /* SPLIT, LEAVE, RETURN: enum sc_violation */
    const struct sc_state *state; /* STATE, RETURN: working form, borrowed from the batch; the
                                     journal's codec writes it in the stored form */
    int64_t erase_ms;         /* ERASE: forget up to */
    struct sc_str by, why;    /* of a command, and of all that follows from it: who asked for it, in
                                 what words; empty: nobody did */
};

/* Why identifiers were not joined: published as records on the identity topic. */
enum sc_violation {
    SC_VIOLATION_NONE,
    SC_VIOLATION_UNIQUE,     /* both sides have one of a unique namespace */
    SC_VIOLATION_LIMIT,      /* more identifiers of a namespace than allowed */
    SC_VIOLATION_AMBIGUOUS,  /* one side is ambiguous */
    SC_VIOLATION_MERGES,     /* 100 merges */
    SC_VIOLATION_IDENTIFIERS,/* 1,000 identifiers */
    SC_VIOLATION_MUST_NOT,   /* split before, or returned */
    SC_VIOLATION_HOPS        /* a chain of aliases over 16 */
};
const char *sc_violation_name(enum sc_violation v);

#endif
