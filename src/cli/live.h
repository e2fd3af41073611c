/* The running system, looked at and not touched: states from Redis and the state log, records of
 * outbound topics and the journal, read_committed and without a group. One thread. */
#ifndef SC_CLI_LIVE_H
#define SC_CLI_LIVE_H

#include "cli/setup.h"
#include "codec/decoder.h"
#include "codec/journal.h"
#include "core/journey/state.h"

struct sc_live {
    const char *name;     /* of the command, for messages; NULL: explain */
    struct sc_project project;
    struct sc_setup su;
    struct sc_pseudonyms *ps;
    struct sc_view *view;
    struct sc_arena ar;   /* what is found, until fini */
    struct sc_arena line; /* one record */
    bool unread;          /* a state could not be read: that there is none is not known */
};

/* Zero-initialised is valid for fini. 0, or an exit code with the reason printed. */
int sc_live_init(struct sc_live *lv, const char *settings);
void sc_live_fini(struct sc_live *lv);

/* A node's own state, of the newest seal; an alias has one too. NULL: nothing is stored of it, or
 * lv->unread. *why: what could not be read. In lv->ar, as what follows. */
struct sc_state *sc_live_node(struct sc_live *lv, const struct sc_node_id *node,
                              struct sc_buf *why);
/* Where its records stand now: through aliases to its customer's state, whose node is in *node. */
struct sc_state *sc_live_state(struct sc_live *lv, struct sc_node_id *node, struct sc_buf *why);

/* Every message of a range; fn false: stop. OK, or what ended it, said on stderr. */
typedef bool sc_live_message_fn(void *arg, const struct sc_msg *m, const struct sc_header *hs,
                                uint32_t n_headers);
enum sc_err sc_live_read(struct sc_live *lv, const struct sc_kafka_range *range,
                         sc_live_message_fn *fn, void *arg);

/* Fields of an outbound record, by enum: ABSENT where the kind or the record has none. Times are
 * TIMESTAMP, lists LIST, gates and facts LIST or MAP. */
enum sc_live_field {
    SC_LV_TYPE, SC_LV_AT, SC_LV_CUSTOMER, SC_LV_RULE, SC_LV_EVENTS, SC_LV_ID, SC_LV_CHANNEL,
    SC_LV_MESSAGE, SC_LV_REASON, SC_LV_UNTIL, SC_LV_GATES, SC_LV_FROM, SC_LV_TO, SC_LV_CAUSE,
    SC_LV_ACTION, SC_LV_VIOLATION, SC_LV_STRONG, SC_LV_WEAK, SC_LV_NODE, SC_LV_COUNT
};
typedef bool sc_live_effect_fn(void *arg, const struct sc_value *fields);
/* Every record of the outbound topics that are on (customers and dead letters aside), a topic after
 * the other, in any of the three formats. `key` tells which keys are looked at (NULL: all). Values
 * live until the call returns. */
enum sc_err sc_live_effects(struct sc_live *lv, bool (*key)(void *arg, struct sc_str key),
                            sc_live_effect_fn *fn, void *arg);
/* Its decision time, whatever the format; SC_NEVER when it has none. */
int64_t sc_live_at(const struct sc_value *fields);
/* One effect as lines of a story: "[2026-03-02 10:00] sent cart_abandoned …". */
void sc_live_effect_text(const struct sc_value *fields, struct sc_buf *out);
/* An event's name and properties; personal ones only if `reveal`. */
void sc_live_event_text(const struct sc_taxonomy *tx, const struct sc_event *ev, bool reveal,
                        struct sc_buf *out);

#endif
