/* Name map: linear probing, at most 3/4 full, doubled into the arena. */
#include "base/map.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"

struct sc_map_slot {
    struct sc_str key;
    uint64_t hash;
    void *value; /* NULL: free */
};

void sc_map_init(struct sc_map *m, struct sc_arena *ar)
{
    *m = (struct sc_map){.ar = ar};
}

/* The slot of `key`, or the free one where it would go. */
static struct sc_map_slot *slot_find(const struct sc_map *m, struct sc_str key, uint64_t hash)
{
    SC_ASSERT(m->n < m->cap);
    uint32_t i = (uint32_t)hash & (m->cap - 1);
    for (;;) { /* ends: there is always a free slot */
        struct sc_map_slot *slot = &m->slots[i];
        if (slot->value == NULL || (slot->hash == hash && sc_str_eq(slot->key, key)))
            return slot;
        i = (i + 1) & (m->cap - 1);
    }
}

void *sc_map_get(const struct sc_map *m, struct sc_str key)
{
    if (m->n == 0)
        return NULL;
    return slot_find(m, key, sc_hash_xxh3(key.p, key.len, 0))->value;
}

static void map_grow(struct sc_map *m)
{
    SC_ASSERT(m->cap <= UINT32_MAX / 4);
    struct sc_map_slot *old = m->slots;
    uint32_t old_cap = m->cap;
    m->cap = old_cap ? old_cap * 2 : 16;
    m->slots = SC_NEW_N(m->ar, struct sc_map_slot, m->cap);
    for (uint32_t i = 0; i < old_cap; ++i)
        if (old[i].value != NULL)
            *slot_find(m, old[i].key, old[i].hash) = old[i];
}

void *sc_map_put(struct sc_map *m, struct sc_str key, void *value)
{
    SC_ASSERT(value != NULL);
    if ((uint64_t)m->n * 4 >= (uint64_t)m->cap * 3)
        map_grow(m);
    uint64_t hash = sc_hash_xxh3(key.p, key.len, 0);
    struct sc_map_slot *slot = slot_find(m, key, hash);
    void *former = slot->value;
    if (former == NULL) {
        *slot = (struct sc_map_slot){.key = sc_str_dup(m->ar, key), .hash = hash};
        ++m->n;
    }
    slot->value = value;
    return former;
}
