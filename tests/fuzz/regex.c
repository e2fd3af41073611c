/* Pattern up to the first newline, text behind it: compiled or refused with a reason, then searched
 * within its limits. */
#include "base/regex.h"
#include "base/arena.h"
#include "base/assert.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t n = end ? (size_t)(end - data) : size;
    struct sc_str pattern = {(const char *)data, n};
    struct sc_str text = {(const char *)data + n, size - n};
    struct sc_str err = SC_STR_NULL;
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_regex *re = sc_regex_create(pattern, &ar, &err);
    SC_ASSERT(re != NULL || err.len > 0);
    if (re != NULL) {
        int rc = sc_regex_search(re, text);
        SC_ASSERT(rc >= -1 && rc <= 1);
    }
    sc_regex_destroy(re);
    sc_arena_fini(&ar);
    return 0;
}
