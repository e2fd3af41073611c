/* A taxonomy from text, and records for it slot by slot: what the tests of this folder share. */
#ifndef SC_TEST_TAXONOMY_FIXTURE_H
#define SC_TEST_TAXONOMY_FIXTURE_H

#include "base/arena.h"
#include "core/taxonomy/intake.h"

struct fixture {
    struct sc_arena ar;
    struct sc_diag dg;
    struct sc_taxonomy tx;
    struct sc_pseudonyms *ps;
    /* one record */
    const struct sc_source *source;
    struct sc_value *slots;
    struct sc_record_meta meta;
    struct sc_event ev;
    struct sc_fault fault;
};

/* Load `yaml`, which must be without faults; pseudonyms under the key "key". */
void fixture_init(struct fixture *fx, const char *yaml);
void fixture_fini(struct fixture *fx);
/* Begin a record of a source (NULL: canonical) with every slot absent and no Kafka timestamp. */
void fixture_record(struct fixture *fx, const char *source);
/* Put a value into the slot of a path; asserts that somebody wants it. */
void fixture_put(struct fixture *fx, const char *path, struct sc_value v);
bool fixture_wants(const struct sc_source *source, const char *path);
enum sc_drop fixture_intake(struct fixture *fx);
/* The value of a property of the event taken in. */
struct sc_value fixture_prop(const struct fixture *fx, const char *name);

/* Values, short: static, so that other tests of the executable may have theirs. */
static inline struct sc_value text(const char *z)
{
    return sc_string(sc_str_from(z));
}

static inline struct sc_value decimal(int64_t units, uint8_t scale)
{
    return sc_decimal((struct sc_decimal){units, scale});
}

static inline struct sc_value list(struct sc_arena *ar, const struct sc_value *v, uint32_t n)
{
    struct sc_value *copy = SC_NEW_N(ar, struct sc_value, n);
    memcpy(copy, v, n * sizeof(*v));
    return (struct sc_value){.type = SC_T_LIST, .len = n, .list = copy};
}
#define LIST(ar, ...)                                                                              \
    list((ar), (struct sc_value[]){__VA_ARGS__},                                                   \
         sizeof((struct sc_value[]){__VA_ARGS__}) / sizeof(struct sc_value))

#endif
