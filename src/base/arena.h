/* Arena: memory for one batch, one load or one document, freed all at once.
 *
 * Blocks grow geometrically and are kept by sc_arena_reset, so a steady batch allocates nothing
 * after its first rounds. Allocation never returns NULL: no memory is an abort (the log rebuilds
 * everything, a half-applied batch must not go on). Thread: one at a time. */
#ifndef SC_BASE_ARENA_H
#define SC_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct sc_arena_block;

struct sc_arena {
    struct sc_arena_block *head; /* block in use */
    struct sc_arena_block *spare; /* blocks kept by a reset */
    char *at, *end;              /* free part of head */
    size_t used;                 /* bytes handed out since the last reset */
};

/* An arena on the caller's memory; takes no block until first used. */
void sc_arena_init(struct sc_arena *ar);
/* Give every block back to the heap. */
void sc_arena_fini(struct sc_arena *ar);
/* Forget all allocations, keep the blocks (all but those past `keep_bytes` in total). */
void sc_arena_reset(struct sc_arena *ar, size_t keep_bytes);

/* The slow path of sc_arena_alloc: a new block. */
void *sc_arena_alloc_slow(struct sc_arena *ar, size_t bytes, size_t align);

/* `bytes` of uninitialised memory, aligned to `align` (a power of two). Lives until reset/fini. */
static inline void *sc_arena_alloc_align(struct sc_arena *ar, size_t bytes, size_t align)
{
    uintptr_t at = ((uintptr_t)ar->at + (align - 1)) & ~(uintptr_t)(align - 1);
    if (ar->at == NULL || at + bytes > (uintptr_t)ar->end)
        return sc_arena_alloc_slow(ar, bytes, align);
    ar->used += bytes;
    ar->at = (char *)(at + bytes);
    return (char *)at;
}

static inline void *sc_arena_alloc(struct sc_arena *ar, size_t bytes)
{
    return sc_arena_alloc_align(ar, bytes, 16);
}

/* The same, zeroed. */
void *sc_arena_zalloc(struct sc_arena *ar, size_t bytes);
/* A copy of `n` bytes, with a NUL behind it. */
char *sc_arena_dup(struct sc_arena *ar, const void *p, size_t n);
/* printf into the arena; NUL-terminated. */
char *sc_arena_printf(struct sc_arena *ar, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define SC_NEW(ar, type) ((type *)sc_arena_zalloc((ar), sizeof(type)))
#define SC_NEW_N(ar, type, n) ((type *)sc_arena_zalloc((ar), sizeof(type) * (size_t)(n)))

/* Heap allocation for what outlives arenas (tables, caches): aborts when there is no memory. */
void *sc_malloc(size_t bytes);
void *sc_calloc(size_t n, size_t bytes);
void *sc_realloc(void *p, size_t bytes);

#endif
