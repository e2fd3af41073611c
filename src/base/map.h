/* Name map: byte string -> pointer, for tables built at load (names, schema ids, headers).
 * Open addressing over XXH3; keys and slots live in the arena given; no removal.
 * Not for tables that hostile input fills: those are bounded by their owner. Thread: one writer. */
#ifndef SC_BASE_MAP_H
#define SC_BASE_MAP_H

#include "base/str.h"

struct sc_map_slot;

struct sc_map {
    struct sc_arena *ar;
    struct sc_map_slot *slots;
    uint32_t n, cap;
};

void sc_map_init(struct sc_map *m, struct sc_arena *ar);
/* The value under `key`, or NULL. */
void *sc_map_get(const struct sc_map *m, struct sc_str key);
/* Put `value` (not NULL) under `key` (copied): returns the former value, or NULL. */
void *sc_map_put(struct sc_map *m, struct sc_str key, void *value);

#endif
