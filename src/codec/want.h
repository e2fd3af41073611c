/* The wanted paths of a projection as a tree, and where the values found on it go.
 *
 * One node a step: a decoder walks record and tree side by side, and what has no node is skipped.
 * A node's sinks say which slots take the value that stands there. Shared by all formats; read-only
 * once built. */
#ifndef SC_CODEC_WANT_H
#define SC_CODEC_WANT_H

#include "base/arena.h"
#include "codec/decoder.h"

#include <endian.h>
#include <string.h>

#define SC_LIST_MAX 65536u

enum sc_sink_mode {
    SC_SINK_SET,    /* the slot is the value */
    SC_SINK_APPEND, /* the slot is the list of all values met */
    SC_SINK_COUNT   /* the same, but only their number matters: `true` for each */
};

struct sc_sink {
    uint16_t slot;
    uint16_t list; /* APPEND, COUNT: which of the record's lists */
    uint8_t mode;  /* enum sc_sink_mode */
    bool spread;   /* an aggregate whose path ends here: an array here gives its elements instead,
                      through the sink that the `[*]` child has for the same slot */
    bool text;     /* sc_want.text */
};

/* A name of up to 15 bytes without a NUL in it, padded with NULs: two names are the same when their
 * words are. Of any other name only where its hash starts, and never equal to words of a short one. */
struct sc_want_words {
    uint64_t low, high;
};

struct sc_want_node {
    enum sc_step_kind kind;
    struct sc_str name;  /* FIELD */
    struct sc_want_words words;
    uint32_t index;      /* INDEX */
    uint32_t id;         /* 0 .. n_nodes-1, root 0 */
    struct sc_str path;  /* "$.user.account": for faults */
    bool implied;        /* a `[*]` that no path writes: spread sinks alone made it */
    struct sc_sink *sinks;
    uint32_t n_sinks;
    int32_t only_slot;   /* the slot, when all that is wanted is one value set; else -1 */
    struct sc_want_node *child, *next; /* FIELD and INDEX children; siblings */
    struct sc_want_node *all;          /* the `[*]` child or NULL */
    const struct sc_want_node **table; /* FIELD children by hash of the name */
    uint32_t mask;                     /* table size - 1 */
    uint64_t likely;                   /* bit sc_want_bit of each FIELD child */
    uint32_t n_fields, n_indices;
};

struct sc_want_tree {
    struct sc_want_node *root;
    uint32_t n_nodes, n_slots, n_lists;
    uint16_t *list_slot; /* the slot a list ends in */
};

/* Everything lives in `ar`; texts borrow from the projection. */
const struct sc_want_tree *sc_want_build(const struct sc_projection *want, struct sc_arena *ar);
/* The FIELD child of that name, or NULL. */
const struct sc_want_node *sc_want_field(const struct sc_want_node *n, struct sc_str name);
static inline uint32_t sc_want_hash(struct sc_want_words w)
{
    return (uint32_t)(((w.low + (w.high << 3)) * UINT64_C(0x9E3779B97F4A7C15)) >> 40);
}
/* A first look at a name, by its first byte (any, of an empty one) and its length: nearly all that
 * nobody wants have a bit that no wanted one has. */
static inline unsigned sc_want_bit(unsigned char first, size_t len)
{
    return (unsigned)(first + 8 * len) & 63;
}
/* The same by the words of a short name. `n` has fields. */
static inline const struct sc_want_node *sc_want_short(const struct sc_want_node *n,
                                                       struct sc_want_words name)
{
    uint32_t at = sc_want_hash(name) & n->mask;
    for (const struct sc_want_node *c; (c = n->table[at]) != NULL; at = (at + 1) & n->mask)
        if (c->words.low == name.low && c->words.high == name.high)
            return c;
    return NULL;
}

/* Does a value that is an array (`array`) or anything else have to be built whole here? Counting
 * needs no value. */
bool sc_want_whole(const struct sc_want_node *n, bool array);

/* One record being decoded: slots, the lists that grow, and the fault. */
struct sc_items {
    struct sc_value *v;
    uint32_t n, cap;
};
struct sc_take {
    const struct sc_want_tree *tree;
    struct sc_arena *ar;
    struct sc_value *slots;
    struct sc_items *lists;
    struct sc_fault *fault;
};

/* Hand `v` to the sinks of `n`; for an `array`, to those that are not spread. False when a list is
 * full. */
bool sc_take_put_all(struct sc_take *t, const struct sc_want_node *n, struct sc_value v,
                     bool array);
static inline bool sc_take_put(struct sc_take *t, const struct sc_want_node *n, struct sc_value v,
                               bool array)
{
    if (n->only_slot < 0)
        return sc_take_put_all(t, n, v, array);
    t->slots[n->only_slot] = v.type == SC_T_NULL ? sc_absent() : v;
    return true;
}
/* Every slot to ABSENT, which is 0. */
static inline void sc_slots_clear(struct sc_value *slots, const struct sc_want_tree *tree)
{
    memset(slots, 0, sizeof(*slots) * tree->n_slots);
}
/* A whole value into its slot, by three stores. */
static inline void sc_slot_set(struct sc_value *slot, enum sc_type type, uint32_t len, uint64_t u)
{
    slot->type = (uint8_t)type;
    slot->scale = 0;
    slot->flags = 0;
    slot->len = len;
    slot->u = u;
}
static inline void sc_slot_text(struct sc_value *slot, struct sc_str s)
{
    slot->type = SC_T_STRING;
    slot->scale = 0;
    slot->flags = 0;
    slot->len = (uint32_t)s.len;
    slot->s = s.p;
}
/* The eight bytes at body[*at], which moves behind them. False: they are not all before `n`. */
static inline bool sc_slot_double(const uint8_t *body, size_t *at, size_t n, struct sc_value *out)
{
    uint64_t u;
    if (*at + sizeof(u) > n)
        return false;
    memcpy(&u, body + *at, sizeof(u));
    sc_slot_set(out, SC_T_DOUBLE, 0, le64toh(u));
    *at += sizeof(u);
    return true;
}
bool sc_take_sink(struct sc_take *t, const struct sc_sink *sink, struct sc_value v);
/* For a record of `tree`; slots are not touched. */
static inline struct sc_take sc_take_start(const struct sc_want_tree *tree, struct sc_arena *ar,
                                           struct sc_value *slots, struct sc_fault *fault)
{
    struct sc_take t = {.tree = tree, .ar = ar, .slots = slots, .fault = fault};
    if (tree->n_lists)
        t.lists = SC_NEW_N(ar, struct sc_items, tree->n_lists);
    return t;
}
/* The lists into their slots. */
void sc_take_finish(struct sc_take *t);
/* Append in the arena; false past SC_LIST_MAX values. */
bool sc_items_add(struct sc_items *l, struct sc_arena *ar, struct sc_value v);

/* Key, value pairs of a map that a record spells: later ones win over earlier ones with the same
 * key (`*twice` then true). The order of the first ones stays. Cost: n on average. */
struct sc_value sc_map_value(struct sc_items *pairs, struct sc_arena *ar, bool *twice);

/* Fill the fault in and yield its reason. `path` may be empty. */
enum sc_drop sc_fault_set(struct sc_fault *fault, enum sc_drop drop, struct sc_str path,
                          const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* What every decoder begins with; sc_decode goes through it. `decode` sets all slots. */
struct sc_decoder {
    enum sc_drop (*decode)(const struct sc_decoder *d, struct sc_str body, struct sc_arena *ar,
                           struct sc_value *slots, struct sc_fault *fault);
    const struct sc_want_tree *tree;
};

#endif
