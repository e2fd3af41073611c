/* Records at random as codecs deliver them: values for the slots of any source, most of them of the
 * type that is asked for, some of any type, so that intake's every way out is met. */
#ifndef SC_TEST_SLOTS_H
#define SC_TEST_SLOTS_H

#include "core/taxonomy/intake.h"

static inline uint32_t slots_below(uint64_t *random, uint64_t n)
{
    uint64_t z = (*random += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) % n);
}

static inline struct sc_value slots_value(uint64_t *random, uint8_t type)
{
    static const int64_t ints[] = {0, 1, -3, 7, 12345, INT64_MAX, INT64_MIN, 1772445600000};
    static const double doubles[] = {0.0, -0.5, 1e300, 5.0, 1.0 / 3.0};
    static const char *const texts[] = {"", "a", "email", "true", "5", "0.25", "aGk=", "1h30m",
                                        "+47 22 33 44 55", "A@b.no", "2026-03-08T02:30:00Z"};
    int64_t i = ints[slots_below(random, sizeof(ints) / sizeof(ints[0]))];
    switch (type) {
    case SC_T_BOOL:
        return sc_bool(i & 1);
    case SC_T_INT:
        return sc_int(i);
    case SC_T_DOUBLE:
        return sc_double(doubles[slots_below(random, 5)]);
    case SC_T_DECIMAL:
        return sc_decimal((struct sc_decimal){(int64_t)slots_below(random, 2000) - 1000,
                                              (uint8_t)slots_below(random, 5)});
    case SC_T_TIMESTAMP:
        return sc_timestamp(1772445600000 + (int64_t)slots_below(random, 200 * 86400000u));
    case SC_T_DURATION:
        return sc_duration(i);
    case SC_T_NULL:
        return (struct sc_value){.type = SC_T_NULL};
    case SC_T_STRING:
        return sc_string(sc_str_from(texts[slots_below(random, sizeof(texts) / sizeof(texts[0]))]));
    default:
        return sc_absent();
    }
}

/* A list or map of `element`s. */
static inline struct sc_value slots_many(uint64_t *random, uint8_t type, uint8_t element,
                                         struct sc_arena *ar)
{
    uint32_t n = slots_below(random, 4), stride = type == SC_T_MAP ? 2 : 1;
    struct sc_value *v = SC_NEW_N(ar, struct sc_value, 2 * (size_t)n + 1);
    for (uint32_t i = 0; i < stride * n; i++)
        v[i] = slots_value(random, stride == 2 && i % 2 == 0 ? SC_T_STRING : element);
    return (struct sc_value){.type = type, .len = n, .list = v};
}

static inline void slots_properties(const struct sc_taxonomy *tx, const struct sc_source *src,
                                    uint64_t *random, struct sc_arena *ar, struct sc_value *slots)
{
    for (uint32_t e = 0; e < tx->n_events; e++) {
        for (uint32_t i = 0; i < src->events[e].n; i++) {
            const struct sc_mapping *m = &src->events[e].props[i].map;
            const struct sc_property *p = &tx->events[e].props[src->events[e].props[i].prop];
            if (m->slot == SC_SLOT_NONE || slots_below(random, 8) == 0)
                continue;
            uint8_t type = p->type == SC_T_LIST || p->type == SC_T_MAP ? p->element : p->type;
            if (slots_below(random, 8) == 0)
                type = (uint8_t)slots_below(random, SC_T_STRING + 1);
            slots[m->slot] = p->enums.n > 0 ? sc_string(p->enums.v[0]) : slots_value(random, type);
            if (type != p->type || m->op != SC_MAP_PATH)
                slots[m->slot] =
                    slots_many(random, p->type == SC_T_MAP ? SC_T_MAP : SC_T_LIST, type, ar);
        }
    }
}

static inline void slots_put(struct sc_value *slots, const struct sc_mapping *m, struct sc_value v)
{
    if (m->op != SC_MAP_CONST && m->slot != SC_SLOT_NONE)
        slots[m->slot] = v;
}

/* One record of `src`: src->projection.n values in `ar`. */
static inline struct sc_value *slots_record(const struct sc_taxonomy *tx,
                                            const struct sc_source *src, uint64_t *random,
                                            struct sc_arena *ar)
{
    struct sc_value *slots = SC_NEW_N(ar, struct sc_value, src->projection.n + 1);
    slots_properties(tx, src, random, ar, slots);
    for (uint32_t i = 0; i < src->n_idents; i++)
        if (slots_below(random, 2))
            slots_put(slots, &src->idents[i].map, slots_value(random, SC_T_STRING));
    slots_put(slots, &src->id, sc_int(slots_below(random, 1000)));
    if (src->canonical)
        slots_put(slots, &src->id, slots_value(random, SC_T_STRING));
    slots_put(slots, &src->occurred_at, slots_value(random, SC_T_TIMESTAMP));
    if (tx->n_events > 0)
        slots_put(slots, &src->event,
                  sc_string(tx->events[slots_below(random, tx->n_events)].name));
    return slots;
}

#endif
