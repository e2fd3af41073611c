/* Raw identifier to normalised value, and the placeholders that join nobody.
 *
 * Normalising must never join two people: where a rule is somebody's policy rather than the
 * identifier's own grammar (a mail host's dots, a country's trunk prefix) it is left alone.
 * Letters fold in ASCII only: Unicode's folding changes with its version, and a node must not. */
#include "base/arena.h"
#include "base/assert.h"
#include "core/identity/identity.h"

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static struct sc_str lower(struct sc_str s, struct sc_arena *ar)
{
    size_t capital = 0;
    while (capital < s.len && ascii_lower(s.p[capital]) == s.p[capital])
        capital++;
    if (capital == s.len)
        return s;
    char *out = sc_arena_dup(ar, s.p, s.len);
    for (size_t i = capital; i < s.len; i++)
        out[i] = ascii_lower(out[i]);
    return (struct sc_str){out, s.len};
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of what people put between digits: ASCII's signs, the no-break space, and Unicode's general
 * punctuation (dashes, thin spaces, direction marks). 0: something else stands there. */
static size_t separator(struct sc_str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    if (c != '\0' && strchr(" \t\r\n()-./", c) != NULL)
        return 1;
    if (c == 0xC2 && i + 1 < s.len && (unsigned char)s.p[i + 1] == 0xA0)
        return 2;
    return c == 0xE2 && i + 2 < s.len && (unsigned char)s.p[i + 1] == 0x80 ? 3 : 0;
}

/* "+44 (0)20 …": the trunk 0 that is dialled only at home. */
static bool is_trunk_zero(struct sc_str s, size_t i)
{
    return i > 0 && i + 1 < s.len && s.p[i - 1] == '(' && s.p[i] == '0' && s.p[i + 1] == ')';
}

#define PHONE_DIGITS_MAX 15 /* E.164 */

/* Empty when the text is no phone number: taking the digits of "bob1@x.no" would join him with
 * everybody else whose text has a 1 in it. */
static struct sc_str e164(struct sc_str s, struct sc_arena *ar)
{
    char *out = sc_arena_alloc_align(ar, s.len + 1, 1);
    size_t n = 0, step;
    bool plus = false;
    for (size_t i = 0; i < s.len; i += step) {
        step = 1;
        if (is_digit(s.p[i])) {
            if (!plus || n == 0 || !is_trunk_zero(s, i))
                out[1 + n++] = s.p[i];
        } else if (s.p[i] == '+' && n == 0 && !plus) {
            plus = true;
        } else {
            step = separator(s, i);
        }
        if (!plus && n == 2 && out[1] == '0' && out[2] == '0') {
            plus = true; /* 0047… is +47… */
            n = 0;
        }
        if (step == 0 || n > PHONE_DIGITS_MAX)
            return SC_STR("");
    }
    SC_ASSERT(n <= s.len);
    out[0] = '+';
    bool international = plus && n > 0;
    return (struct sc_str){international ? out : out + 1, n + international};
}

struct sc_str sc_normalize(enum sc_normalize how, struct sc_str raw, struct sc_arena *ar)
{
    SC_ASSERT(raw.p != NULL || raw.len == 0);
    switch (how) {
    case SC_NORM_TRIM:
        return sc_str_trim(raw);
    case SC_NORM_LOWER:
    case SC_NORM_EMAIL:
        return lower(sc_str_trim(raw), ar);
    case SC_NORM_E164:
        return e164(raw, ar);
    case SC_NORM_NONE:
        return raw;
    }
    SC_UNREACHABLE("normalisation");
}

/* ^[0-]*$: empty, a zeroed id or UUID. */
static bool all_zeros(struct sc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] != '0' && s.p[i] != '-')
            return false;
    return true;
}

static const char *const built_in[] = {"-1",
                                       "null",
                                       "nil",
                                       "none",
                                       "undefined",
                                       "nan",
                                       "unknown",
                                       "anonymous",
                                       "guest",
                                       "n/a",
                                       "true",
                                       "false",
                                       "[object object]",
                                       "test@test.com",
                                       "distinct_id",
                                       "id"};
#define N_BUILT_IN (sizeof(built_in) / sizeof(built_in[0]))

static bool listed(const struct sc_strs *list, struct sc_str folded, struct sc_arena *ar)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (sc_str_eq(lower(sc_str_trim(list->v[i]), ar), folded))
            return true;
    return false;
}

static uint64_t length_bit(size_t len)
{
    return UINT64_C(1) << (len < 63 ? len : 63);
}

static void block(struct sc_namespace *ns, struct sc_str word, struct sc_arena *ar)
{
    if (listed(&ns->allow, word, ar))
        return;
    sc_map_put(&ns->blocked, word, ns);
    ns->blocked_lengths |= length_bit(word.len);
}

void sc_blocked_init(struct sc_namespace *ns, struct sc_arena *ar)
{
    SC_ASSERT(ns != NULL && ar != NULL);
    sc_map_init(&ns->blocked, ar);
    for (size_t i = 0; i < N_BUILT_IN; i++)
        block(ns, sc_str_from(built_in[i]), ar);
    for (uint32_t i = 0; i < ns->blocked_add.n; i++)
        block(ns, lower(sc_str_trim(ns->blocked_add.v[i]), ar), ar);
    for (uint32_t i = 0; i < ns->allow.n; i++) {
        ns->allow.v[i] = lower(sc_str_trim(ns->allow.v[i]), ar);
        ns->allow_zeros = ns->allow_zeros || all_zeros(ns->allow.v[i]);
    }
}

bool sc_identifier_blocked(const struct sc_namespace *ns, struct sc_str value)
{
    SC_ASSERT(value.len <= SC_IDENTIFIER_BYTES_MAX);
    char folded[SC_IDENTIFIER_BYTES_MAX];
    struct sc_str s = sc_str_trim(value);
    if (s.len == 0)
        return true;
    if (!all_zeros(s)) {
        if ((ns->blocked_lengths & length_bit(s.len)) == 0)
            return false; /* most of them, without a look at their letters */
        for (size_t i = 0; i < s.len; i++)
            folded[i] = ascii_lower(s.p[i]);
        return sc_map_get(&ns->blocked, (struct sc_str){folded, s.len}) != NULL;
    }
    for (uint32_t i = 0; ns->allow_zeros && i < ns->allow.n; i++)
        if (sc_str_eq(ns->allow.v[i], s))
            return false;
    return true;
}
