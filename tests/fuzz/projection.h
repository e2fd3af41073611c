/* For the fuzz targets of decoders: a projection from paths written as "$.a.b[*].c", one a line of
 * an array ended by NULL. Of a `?` before a path the op is COUNT. */
#ifndef SC_FUZZ_PROJECTION_H
#define SC_FUZZ_PROJECTION_H

#include "base/arena.h"
#include "base/assert.h"
#include "base/vec.h"
#include "codec/decoder.h"

static inline void projection_path(struct sc_arena *ar, const char *p, struct sc_path *out)
{
    SC_VEC(struct sc_step) steps = {0};
    out->text = sc_str_from(p);
    for (p++; *p;) {
        struct sc_step *s = SC_VEC_ADD(ar, &steps);
        bool field = *p++ == '.';
        size_t n = strcspn(p, field ? ".[" : "]");
        s->kind = field ? SC_STEP_FIELD : *p == '*' ? SC_STEP_ALL : SC_STEP_INDEX;
        s->name = (struct sc_str){p, field ? n : 0};
        s->index = s->kind == SC_STEP_INDEX ? (uint32_t)(*p - '0') : 0;
        p += field ? n : n + 1;
    }
    out->steps = steps.v;
    out->n = steps.n;
}

static inline struct sc_projection projection(struct sc_arena *ar, const char *const *paths)
{
    SC_VEC(struct sc_want) wants = {0};
    for (; *paths; paths++) {
        struct sc_want *w = SC_VEC_ADD(ar, &wants);
        w->op = **paths == '?' ? SC_MAP_COUNT : SC_MAP_PATH;
        projection_path(ar, *paths + (**paths == '?'), &w->path);
    }
    return (struct sc_projection){wants.v, wants.n};
}

/* Decode; the invariants that hold for any body. */
static inline void projection_decode(const struct sc_decoder *d, const uint8_t *data, size_t size,
                                     uint32_t n, struct sc_arena *ar)
{
    struct sc_value slots[16];
    struct sc_fault fault = {0};
    SC_ASSERT(n <= 16);
    enum sc_drop drop = sc_decode(d, (struct sc_str){(const char *)data, size}, ar, slots, &fault);
    SC_ASSERT((drop == SC_DROP_NONE) == (fault.drop == SC_DROP_NONE));
    for (uint32_t i = 0; drop == SC_DROP_NONE && i < n; i++)
        SC_ASSERT(slots[i].type <= SC_T_MAP && slots[i].type != SC_T_NULL);
}

#endif
