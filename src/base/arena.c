/* Arena blocks, and the heap helpers that abort instead of returning NULL.
 *
 * Blocks in use hang on `head` (newest, that is largest, first), blocks kept by a reset on `spare`.
 * A request that would waste most of a block gets a block of its own behind the head, so the head's
 * free part stays in use. Cost: O(1) an allocation but for a walk over the few spare blocks when
 * the head is full. */
#include "base/arena.h"
#include "base/assert.h"
#include "base/prefetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What jemalloc, where it is linked, is told: two arenas, since what one thread takes another gives
 * back, and each arena keeps its own (a third less memory than with eight); freed pages are kept for
 * half a minute, large blocks too, and huge pages are asked for. A page given back is faulted in
 * again at the next batch, and states lie all over the heap, so that most reads of one would miss the
 * page tables' cache. Measured: bench/README.md. MALLOC_CONF in the environment comes after it. */
extern const char *malloc_conf;
const char *malloc_conf = "narenas:2,oversize_threshold:0,dirty_decay_ms:30000,muzzy_decay_ms:30000,"
                          "thp:always,metadata_thp:auto";

#define BLOCK_MIN ((size_t)64 << 10)
#define BLOCK_MAX ((size_t)8 << 20)

struct sc_arena_block {
    struct sc_arena_block *next;
    size_t size; /* bytes of data */
    _Alignas(16) char data[];
};

void *sc_malloc(size_t bytes)
{
    void *p = malloc(bytes ? bytes : 1);
    if (p == NULL)
        sc_assert_fail("out of memory", __FILE__, __LINE__);
    return p;
}

void *sc_malloc_lines(size_t bytes)
{
    const size_t line = SC_CACHE_LINE;
    SC_ASSERT(bytes <= SIZE_MAX - line);
    void *p = aligned_alloc(line, (bytes + line - 1) & ~(line - 1));
    if (p == NULL)
        sc_assert_fail("out of memory", __FILE__, __LINE__);
    return p;
}

void *sc_calloc(size_t n, size_t bytes)
{
    void *p = calloc(n ? n : 1, bytes ? bytes : 1);
    if (p == NULL)
        sc_assert_fail("out of memory", __FILE__, __LINE__);
    return p;
}

void *sc_calloc_table(size_t n, size_t bytes)
{
    const uintptr_t huge = (uintptr_t)2 << 20;
    char *p = sc_calloc(n, bytes);
    uintptr_t from = ((uintptr_t)p + huge - 1) & ~(huge - 1), to = (uintptr_t)p + n * bytes;
    if (to > from && to - from >= huge)
        madvise((void *)from, to - from, MADV_HUGEPAGE); /* advice: refused is no error */
    return p;
}

void *sc_realloc(void *old, size_t bytes)
{
    void *p = realloc(old, bytes ? bytes : 1);
    if (p == NULL)
        sc_assert_fail("out of memory", __FILE__, __LINE__);
    return p;
}

char *sc_strndup(const char *from, size_t n)
{
    SC_ASSERT(from != NULL && n < SIZE_MAX);
    char *p = sc_malloc(n + 1);
    memcpy(p, from, n);
    p[n] = '\0';
    return p;
}

void sc_arena_init(struct sc_arena *ar)
{
    *ar = (struct sc_arena){0};
}

void sc_arena_init_on(struct sc_arena *ar, void *memory, size_t bytes)
{
    SC_ASSERT(((uintptr_t)memory & 15) == 0);
    SC_ASSERT(bytes > 0);
    SC_ARENA_POISON(memory, bytes);
    *ar = (struct sc_arena){.at = memory, .end = (char *)memory + bytes, .first = bytes / 2};
}

static void block_free(struct sc_arena_block *b)
{
    SC_ARENA_UNPOISON(b->data, b->size);
    free(b);
}

static void list_free(struct sc_arena_block *b)
{
    while (b != NULL) {
        struct sc_arena_block *next = b->next;
        block_free(b);
        b = next;
    }
}

void sc_arena_fini(struct sc_arena *ar)
{
    list_free(ar->head);
    list_free(ar->spare);
    *ar = (struct sc_arena){0};
}

/* Move the blocks of `list` to the front of `to` while their sum stays within *keep; free others.
 */
static void list_keep(struct sc_arena_block *list, struct sc_arena_block **to, size_t *keep)
{
    while (list != NULL) {
        struct sc_arena_block *b = list;
        list = b->next;
        if (b->size > *keep) {
            block_free(b);
            continue;
        }
        *keep -= b->size;
        SC_ARENA_POISON(b->data, b->size);
        b->next = *to;
        *to = b;
    }
}

void sc_arena_reset(struct sc_arena *ar, size_t keep_bytes)
{
    struct sc_arena_block *only = ar->head;
    if (only && !only->next && !ar->spare && only->size <= keep_bytes) { /* a steady small batch */
        SC_ARENA_POISON(only->data, only->size);
        ar->at = only->data;
        ar->end = only->data + only->size;
        ar->used = 0;
        return;
    }
    struct sc_arena_block *kept = NULL;
    size_t left = keep_bytes;
    list_keep(ar->head, &kept, &left);
    list_keep(ar->spare, &kept, &left);
    *ar = (struct sc_arena){.spare = kept, .held = keep_bytes - left};
}

/* The smallest spare block with room for `need` bytes, or a new one. Best fit: otherwise small
 * requests would use up the large blocks, and every batch would take new ones. A new one is a power
 * of two with its header: of a little more the allocator takes a quarter more. */
static struct sc_arena_block *block_take(struct sc_arena *ar, size_t need)
{
    struct sc_arena_block **best = NULL;
    for (struct sc_arena_block **at = &ar->spare; *at != NULL; at = &(*at)->next)
        if ((*at)->size >= need && (best == NULL || (*at)->size < (*best)->size))
            best = at;
    if (best != NULL) {
        struct sc_arena_block *spare = *best;
        *best = spare->next;
        return spare;
    }
    const size_t header = sizeof(struct sc_arena_block);
    size_t size = ar->head ? (ar->head->size + header) * 2 : ar->first ? ar->first : BLOCK_MIN;
    size = size > BLOCK_MAX ? BLOCK_MAX : size;
    size = need > size / 4 ? need : size - header;
    SC_ASSERT(size <= SIZE_MAX - header);
    struct sc_arena_block *b = sc_malloc(header + size);
    b->size = size;
    ar->held += size;
    SC_ARENA_POISON(b->data, size);
    return b;
}

void *sc_arena_alloc_slow(struct sc_arena *ar, size_t bytes, size_t align)
{
    SC_ASSERT(align != 0 && (align & (align - 1)) == 0);
    SC_ASSERT(bytes <= SIZE_MAX / 4 && align <= BLOCK_MIN);
    struct sc_arena_block *b = block_take(ar, bytes + align + SC_ARENA_REDZONE);
    size_t left_now = (size_t)(ar->end - ar->at);
    if (ar->head != NULL && b->size - bytes < left_now) { /* its own block, behind the head */
        b->next = ar->head->next;
        ar->head->next = b;
        char *p = b->data + ((size_t) - (uintptr_t)b->data & (align - 1));
        SC_ARENA_UNPOISON(p, bytes);
        ar->used += bytes;
        return p;
    }
    b->next = ar->head;
    ar->head = b;
    ar->at = b->data;
    ar->end = b->data + b->size;
    return sc_arena_alloc_align(ar, bytes, align);
}

char *sc_arena_dup(struct sc_arena *ar, const void *p, size_t n)
{
    char *to = sc_arena_alloc_align(ar, n + 1, 1);
    if (n != 0)
        memcpy(to, p, n);
    to[n] = '\0';
    return to;
}

char *sc_arena_vprintf(struct sc_arena *ar, size_t *len, const char *fmt, va_list args)
{
    char text[128]; /* most fit, and are formatted once */
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    SC_ASSERT(n >= 0);
    *len = (size_t)n;
    char *to = sc_arena_alloc_align(ar, *len + 1, 1);
    if (*len < sizeof(text))
        memcpy(to, text, *len + 1);
    else
        vsnprintf(to, *len + 1, fmt, again);
    va_end(again);
    return to;
}

char *sc_arena_printf(struct sc_arena *ar, const char *fmt, ...)
{
    size_t len;
    va_list args;
    va_start(args, fmt);
    char *to = sc_arena_vprintf(ar, &len, fmt, args);
    va_end(args);
    return to;
}
