/* Arena: memory for one batch, one load or one document, freed all at once.
 *
 * Blocks grow geometrically and are kept by sc_arena_reset, so a steady batch allocates nothing
 * after its first rounds. Allocation never returns NULL: no memory is an abort (the log rebuilds
 * everything, a half-applied batch must not go on). Thread: one at a time. */
#ifndef SC_BASE_ARENA_H
#define SC_BASE_ARENA_H

#include "base/assert.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Under AddressSanitizer free parts of blocks are poisoned and allocations are kept apart by a red
 * zone, so overruns and uses after a reset are found as on the heap. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SC_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(SC_ASAN)
#include <sanitizer/asan_interface.h>
#define SC_ARENA_REDZONE 16
#define SC_ARENA_UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#define SC_ARENA_POISON(p, n) __asan_poison_memory_region((p), (n))
#else
#define SC_ARENA_REDZONE 0
#define SC_ARENA_UNPOISON(p, n) ((void)0)
#define SC_ARENA_POISON(p, n) ((void)0)
#endif

struct sc_arena_block;

struct sc_arena {
    struct sc_arena_block *head;  /* block in use */
    struct sc_arena_block *spare; /* blocks kept by a reset */
    char *at, *end;               /* free part of head */
    size_t used;                  /* bytes handed out since the last reset */
    size_t held;                  /* bytes of all blocks; memory of the caller's is none */
    size_t first;                 /* of the first block; 0: 64 KiB */
};

/* An arena on the caller's memory; takes no block until first used. */
void sc_arena_init(struct sc_arena *ar);
/* An arena that begins on memory of the caller's, aligned to 16, and goes on with blocks from half
 * its size up: for many that are small. The memory must outlive it; it is finished, never reset.
 * Memory from the heap: it is not to be read but through the arena, nor after fini. */
void sc_arena_init_on(struct sc_arena *ar, void *memory, size_t bytes);
/* Give every block back to the heap. */
void sc_arena_fini(struct sc_arena *ar);
/* Forget all allocations, keep the blocks (all but those past `keep_bytes` in total). */
void sc_arena_reset(struct sc_arena *ar, size_t keep_bytes);

/* The slow path of sc_arena_alloc: a new block. */
void *sc_arena_alloc_slow(struct sc_arena *ar, size_t bytes, size_t align);

/* `bytes` of uninitialised memory, aligned to `align` (a power of two). Lives until reset/fini. */
static inline void *sc_arena_alloc_align(struct sc_arena *ar, size_t bytes, size_t align)
{
    size_t skip = (size_t) - (uintptr_t)ar->at & (align - 1);
    size_t left = (size_t)(ar->end - ar->at), zone = SC_ARENA_REDZONE;
    if (skip > left || bytes >= left - skip) /* >=: nor NULL for 0 bytes */
        return sc_arena_alloc_slow(ar, bytes, align);
    char *p = ar->at + skip;
    left -= skip + bytes;
    ar->used += bytes;
    ar->at = p + bytes + (left < zone ? left : zone);
    SC_ARENA_UNPOISON(p, bytes);
    return p;
}

static inline void *sc_arena_alloc(struct sc_arena *ar, size_t bytes)
{
    return sc_arena_alloc_align(ar, bytes, 16);
}

/* Make the newest allocation, `p` of `old` bytes, one of `bytes` where it stands. False: it is not
 * the newest, or there is no room behind it, and nothing was done. */
static inline bool sc_arena_extend(struct sc_arena *ar, const void *p, size_t old, size_t bytes)
{
    SC_ASSERT(bytes >= old);
    if (old == 0)
        return false;
    size_t more = bytes - old;
    const char *behind = (const char *)p + old;
    if (behind + SC_ARENA_REDZONE != ar->at || more >= (size_t)(ar->end - ar->at))
        return false;
    SC_ARENA_UNPOISON(behind, more);
    ar->used += more;
    ar->at += more;
    return true;
}

/* A list of `held` bytes, `used` of them in use, becomes one of `bytes`: where it stands, or copied. */
static inline void *sc_arena_grow(struct sc_arena *ar, void *p, size_t used, size_t held,
                                  size_t bytes)
{
    if (sc_arena_extend(ar, p, held, bytes))
        return p;
    void *to = sc_arena_alloc(ar, bytes);
    return used ? memcpy(to, p, used) : to;
}

/* The same as sc_arena_alloc, zeroed. */
static inline void *sc_arena_zalloc(struct sc_arena *ar, size_t bytes)
{
    return memset(sc_arena_alloc(ar, bytes), 0, bytes);
}
/* A copy of `n` bytes, with a NUL behind it. */
char *sc_arena_dup(struct sc_arena *ar, const void *p, size_t n);
/* printf into the arena; NUL-terminated. */
char *sc_arena_printf(struct sc_arena *ar, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
char *sc_arena_vprintf(struct sc_arena *ar, size_t *len, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

#define SC_NEW(ar, type) ((type *)sc_arena_zalloc((ar), sizeof(type)))
#define SC_NEW_N(ar, type, n) ((type *)sc_arena_zalloc((ar), sizeof(type) * (size_t)(n)))

/* Heap allocation for what outlives arenas (tables, caches): aborts when there is no memory. */
void *sc_malloc(size_t bytes);
/* The same, from the start of a cache line to the end of one. Given back by free. */
void *sc_malloc_lines(size_t bytes);
void *sc_calloc(size_t n, size_t bytes);
/* The same for a large table that is hit at random: in huge pages where the system gives them, so
 * that a miss of the caches is not a miss of the address table too. Given back by free. */
void *sc_calloc_table(size_t n, size_t bytes);
void *sc_realloc(void *p, size_t bytes);
/* A copy of `n` bytes, with a NUL behind it. */
char *sc_strndup(const char *p, size_t n);

#endif
