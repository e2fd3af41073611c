/* JSON's lexical level: strings and numbers, checked against RFC 8259.
 *
 * Strings are scanned 16 bytes at a time where SSE2 is there (every x86-64), else 8 by 8. The scan
 * never reads past `end`. */
#ifndef SC_CODEC_JSON_SCAN_H
#define SC_CODEC_JSON_SCAN_H

#include "core/drop.h"
#include "core/value.h"

struct sc_json_string {
    struct sc_str raw; /* between the quotes, as written */
    bool escaped;
};

/* `*p` stands behind the opening quote, and then behind the closing one. */
enum sc_drop sc_json_scan_string(const char **p, const char *end, struct sc_json_string *out);
/* The text meant: `raw` itself, or unescaped in the arena. Of a scanned string only. */
struct sc_str sc_json_string_text(struct sc_json_string s, struct sc_arena *ar);

struct sc_json_number {
    struct sc_str text;
    uint64_t digits;  /* up to 19 significant ones */
    int32_t exponent; /* value = digits * 10^exponent, when exact */
    bool negative, exact;
};

/* `*p` stands at the first character, and then behind the last. */
enum sc_drop sc_json_scan_number(const char **p, const char *end, struct sc_json_number *out);
/* INT when integral and in int64, else DECIMAL when it fits 18 digits exactly, else DOUBLE, or with
 * `text` STRING (the number's own text). False: beyond a double. */
bool sc_json_number_value(const struct sc_json_number *n, bool text, struct sc_arena *ar,
                          struct sc_value *out);

#endif
