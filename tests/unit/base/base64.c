/* The vectors of RFC 4648, 10, both ways; the other alphabet, and what is none. */
#include "base/base64.h"

#include <criterion/criterion.h>

static bool decodes(const char *text, bool either, const char *to)
{
    char out[64];
    size_t n;
    return sc_base64_decode(sc_str_from(text), either, out, &n) &&
           sc_str_eqz((struct sc_str){out, n}, to);
}

Test(base64, vectors)
{
    static const char *const rows[][3] = {
        {"", "", ""}, {"f", "Zg==", "Zg"}, {"fo", "Zm8=", "Zm8"}, {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"}, {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"}, {"\xfb\xff\xfe", "+//+", "+//+"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[64];
        struct sc_str bytes = sc_str_from(rows[i][0]);
        sc_base64_encode(bytes, out);
        cr_expect(sc_str_eqz((struct sc_str){out, sc_base64_chars(bytes.len)}, rows[i][1]), "%s",
                  rows[i][1]);
        cr_expect(decodes(rows[i][1], false, rows[i][0]), "%s", rows[i][1]);
        cr_expect(decodes(rows[i][2], false, rows[i][0]), "%s", rows[i][2]);
    }
    cr_expect(decodes("-__-", true, "\xfb\xff\xfe"));
    cr_expect(decodes("+_/-", true, "\xfb\xff\xfe"));
}

Test(base64, what_is_none)
{
    static const char *const none[] = {"Z", "=", "Zg=", "Zg===", "Z===", "Zm9v*A==", "Zg== ", "Zm=v",
                                       "Zm9vY", "-__-", "syntax = \"proto3\";"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        char out[64];
        size_t n;
        cr_expect_not(sc_base64_decode(sc_str_from(none[i]), false, out, &n), "%s", none[i]);
    }
}
