/* See zones.h. tzdata has some 600 names, and offsets (`+02:00`) some thousands: a few megabytes at
 * worst. Unknown names past the bound cost an open(2) each time. */
#include "cli/zones.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/map.h"
#include "base/time.h"
#include "base/vec.h"

#include <pthread.h>
#include <stdlib.h>

#define UNKNOWN_MAX 4096

struct entry {
    struct sc_tz *tz; /* NULL: no such zone */
};

struct sc_zones {
    pthread_mutex_t lock;
    struct sc_arena ar;
    struct sc_map by_name; /* -> struct entry */
    SC_VEC(struct sc_tz *) loaded;
    uint32_t unknown;
};

struct sc_zones *sc_zones_create(void)
{
    struct sc_zones *z = sc_calloc(1, sizeof(*z));
    pthread_mutex_init(&z->lock, NULL);
    sc_arena_init(&z->ar);
    sc_map_init(&z->by_name, &z->ar);
    return z;
}

void sc_zones_destroy(struct sc_zones *z)
{
    if (z == NULL)
        return;
    for (uint32_t i = 0; i < z->loaded.n; ++i)
        sc_tz_destroy(z->loaded.v[i]);
    sc_arena_fini(&z->ar);
    pthread_mutex_destroy(&z->lock);
    free(z);
}

static struct sc_tz *find_locked(struct sc_zones *z, struct sc_str name)
{
    const struct entry *known = sc_map_get(&z->by_name, name);
    if (known != NULL)
        return known->tz;
    struct sc_tz *tz = sc_tz_load(name);
    if (tz == NULL && z->unknown++ >= UNKNOWN_MAX)
        return NULL;
    struct entry *entry = SC_NEW(&z->ar, struct entry);
    entry->tz = tz;
    sc_map_put(&z->by_name, name, entry);
    if (tz != NULL)
        SC_VEC_PUSH(&z->ar, &z->loaded, tz);
    return tz;
}

const struct sc_tz *sc_zones_find(void *arg, struct sc_str name)
{
    struct sc_zones *z = arg;
    SC_ASSERT(z != NULL);
    pthread_mutex_lock(&z->lock);
    const struct sc_tz *tz = find_locked(z, name);
    pthread_mutex_unlock(&z->lock);
    return tz;
}
