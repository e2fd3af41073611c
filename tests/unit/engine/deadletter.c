/* A dead letter keeps the record as it was, as far as one fits a broker's default of 1 MiB. */
#include "engine/deadletter.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define MIB (1u << 20)

/* A log that shows one record's headers, and keeps what is produced until the test has looked. */
struct one {
    struct sc_log base;
    struct sc_header headers[2];
    struct sc_out got;
};

static uint32_t headers(struct sc_log *lg, const struct sc_msg *m, struct sc_header *out, uint32_t max)
{
    (void)m;
    cr_assert(max >= 2);
    memcpy(out, ((struct one *)lg)->headers, sizeof(((struct one *)lg)->headers));
    return 2;
}

static enum sc_err produce(struct sc_log *lg, const struct sc_out *out)
{
    ((struct one *)lg)->got = *out;
    return SC_ERR_OK;
}

static const char *header(const struct sc_out *out, const char *name)
{
    for (uint32_t i = 0; i < out->n_headers; i++)
        if (sc_str_eqz(out->headers[i].name, name))
            return out->headers[i].value.p;
    return NULL;
}

static size_t all_bytes(const struct sc_out *out)
{
    size_t all = out->key.len + out->value.len;
    for (uint32_t i = 0; i < out->n_headers; i++)
        all += out->headers[i].name.len + out->headers[i].value.len;
    return all;
}

/* Its value, key and two headers have so many bytes; are they as they were, and is it said if not? */
static void letter(size_t value, size_t key, size_t each_header, const char *said)
{
    static const struct sc_log_ops ops = {.headers = headers, .produce = produce};
    static char bytes[2 * MIB];
    struct one log = {.base.ops = &ops,
                      .headers = {{SC_STR("a"), {bytes, each_header}}, {SC_STR("b"), {bytes, each_header}}}};
    struct sc_worker *w = calloc(1, sizeof(*w));
    struct sc_arena ar;
    struct sc_msg m = {.value = {bytes, value}, .key = {bytes, key}};
    sc_arena_init(&ar);
    w->log = &log.base;
    cr_assert_eq(sc_dead_letter(w, SC_STR("clicks"), &m, SC_DROP_UTF8, NULL, &ar), SC_ERR_OK);
    const char *cut = header(&log.got, "stagecoach.truncated");
    cr_expect_lt(all_bytes(&log.got), MIB - 4096);
    cr_expect_eq(cut != NULL, said != NULL);
    if (cut && said)
        cr_expect_str_eq(cut, said);
    if (said == NULL)
        cr_expect(log.got.value.len == value && log.got.key.len == key && header(&log.got, "b"));
    cr_expect_eq(w->txn.dead_letters, 1);
    sc_arena_fini(&ar);
    free(w);
}

Test(deadletter, is_whole_where_it_fits)
{
    letter(100, 10, 20, NULL);
    letter(800000, 10000, 10000, NULL);
}

Test(deadletter, a_value_too_large_is_cut)
{
    letter(2 * MIB, 10, 20, "2097152");
    letter(890000, 10, 120000, "890000");
}

Test(deadletter, so_are_keys_and_headers_that_are_too_large_alone)
{
    letter(10, 2 * MIB, 20, "10");
    letter(10, 20, MIB, "10");
}
