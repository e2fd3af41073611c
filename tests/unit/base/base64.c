/* The vectors of RFC 4648, 10, and what is none. */
#include "base/base64.h"

#include <criterion/criterion.h>

static struct sc_arena ar;

static void setup(void)
{
    sc_arena_init(&ar);
}

static void teardown(void)
{
    sc_arena_fini(&ar);
}

Test(base64, vectors, .init = setup, .fini = teardown)
{
    static const char *const rows[][2] = {{"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"},
                                          {" Zm9vYg==\n", "foob"}, {"Zm9vYmFy", "foobar"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect(sc_str_eqz(sc_base64_decode(sc_str_from(rows[i][0]), &ar), rows[i][1]), "%s",
                  rows[i][0]);
    static const char *const none[] = {"", "Zg", "Zg=", "Zm9v*A==", "syntax = \"proto3\";"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        cr_expect_null(sc_base64_decode(sc_str_from(none[i]), &ar).p, "%s", none[i]);
}
