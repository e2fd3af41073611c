/* One scalar of a known kind: from text to the caller's field, or a finding that says what was
 * expected. */
#include "config/bind_scalar.h"
#include "base/assert.h"
#include "base/decimal.h"
#include "base/time.h"

#include <stdlib.h>

#define TOPIC_NAME_MAX 249
#define FOUND_MAX 60 /* bytes of a wrong value repeated in a message */

static const struct sc_kind_info kinds[] = {
    [SC_F_STR] = {"text", "text", "string", NULL},
    [SC_F_BOOL] = {"true or false", "true, false", "boolean", NULL},
    [SC_F_INT] = {"a whole number", "integer", "integer", NULL},
    [SC_F_DOUBLE] = {"a number", "number", "number", NULL},
    [SC_F_DURATION] = {"a duration like 30m", "duration", "string",
                       "^-?(0|(?=[0-9])([0-9]+(\\.[0-9]+)?d)?([0-9]+(\\.[0-9]+)?h)?"
                       "([0-9]+(\\.[0-9]+)?m)?([0-9]+(\\.[0-9]+)?s)?([0-9]+(\\.[0-9]+)?ms)?)$"},
    [SC_F_BYTES] = {"a size like 64KiB", "size", "string", "^[0-9]+(B|KB|MB|GB|KiB|MiB|GiB)?$"},
    [SC_F_PERCENT] = {"a percentage like 10%", "percentage", "string",
                      "^(100(\\.0{1,2})?|[0-9]{1,2}(\\.[0-9]{1,2})?)%$"},
    [SC_F_ENUM] = {"one of its words", "word", NULL, NULL},
    [SC_F_NAME] = {"a name (letters, digits and _, no digit first)", "name", "string",
                   "^[A-Za-z_][A-Za-z0-9_]*$"},
    [SC_F_STRS] = {"a text or a list of texts", "list of texts", NULL, NULL},
    [SC_F_STRUCT] = {"a mapping", "mapping", "object", NULL},
    [SC_F_LIST] = {"a list", "list", "array", NULL},
    [SC_F_MAP] = {"a mapping", "mapping", "object", NULL},
    [SC_F_NODE] = {"a value", "value", NULL, NULL},
};

const struct sc_kind_info *sc_kind_info(enum sc_field_kind kind)
{
    SC_ASSERT((size_t)kind < sizeof(kinds) / sizeof(kinds[0]));
    return &kinds[kind];
}

static struct sc_str found_text(const struct sc_node *n, struct sc_arena *ar)
{
    switch (n->kind) {
    case SC_NODE_NULL:
        return SC_STR("nothing");
    case SC_NODE_SEQ:
        return SC_STR("a list");
    case SC_NODE_MAP:
        return SC_STR("a mapping");
    case SC_NODE_SCALAR:
        break;
    }
    bool cut = n->text.len > FOUND_MAX;
    int shown = cut ? FOUND_MAX : (int)n->text.len;
    return sc_str_printf(ar, "'%.*s'%s", shown, n->text.p, cut ? "..." : "");
}

struct sc_finding *sc_bind_expected(const struct sc_field *field, const struct sc_node *n,
                                    const char *expected, struct sc_diag *dg)
{
    struct sc_str found = found_text(n, dg->ar);
    return sc_diag_add(dg, SC_ERROR, "wrong-kind", n->mark, "'%s': expected %s, found %.*s",
                       field->key, expected, SC_STR_FMT(found));
}

/* "64KiB" and kin. */
static bool bytes_parse(struct sc_str s, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t factor;
    } units[] = {
        {"", 1},
        {"B", 1},
        {"KB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"KiB", INT64_C(1) << 10},
        {"MiB", INT64_C(1) << 20},
        {"GiB", INT64_C(1) << 30},
    };
    size_t n = 0;
    while (n < s.len && s.p[n] >= '0' && s.p[n] <= '9')
        ++n;
    int64_t count;
    if (!sc_str_int((struct sc_str){s.p, n}, &count))
        return false;
    struct sc_str unit = sc_str_trim((struct sc_str){s.p + n, s.len - n});
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); ++i)
        if (sc_str_eqz(unit, units[i].name))
            return !__builtin_mul_overflow(count, units[i].factor, out);
    return false;
}

static bool percent_parse(struct sc_str s, int32_t *basis_points)
{
    struct sc_decimal d;
    if (!sc_str_ends(s, SC_STR("%")))
        return false;
    if (sc_decimal_parse((struct sc_str){s.p, s.len - 1}, 2, &d) != SC_DECIMAL_OK || d.units < 0 ||
        d.units > 10000)
        return false;
    *basis_points = (int32_t)d.units;
    return true;
}

static bool is_name(struct sc_str s)
{
    for (size_t i = 0; i < s.len; ++i) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.len != 0;
}

struct sc_str sc_bind_bound(enum sc_field_kind kind, int64_t value, struct sc_arena *ar)
{
    char text[64];
    if (kind == SC_F_DURATION)
        return sc_str_dup(ar, (struct sc_str){text, sc_duration_format(value, text)});
    if (kind == SC_F_BYTES && value != 0 && value % 1024 == 0) {
        bool mib = value % (1 << 20) == 0;
        return sc_str_printf(ar, "%lld%s", (long long)(mib ? value >> 20 : value >> 10),
                             mib ? "MiB" : "KiB");
    }
    return sc_str_printf(ar, "%lld", (long long)value);
}

/* Durations and sizes are not negative unless the table says so. */
static bool range_ok(const struct sc_field *field, const struct sc_node *n, int64_t v,
                     struct sc_diag *dg)
{
    bool bounded = field->max > field->min;
    if (bounded ? v >= field->min && v <= field->max : field->kind == SC_F_INT || v >= 0)
        return true;
    struct sc_finding *f =
        sc_diag_add(dg, SC_ERROR, "out-of-range", n->mark, "'%s': %.*s is out of range", field->key,
                    SC_STR_FMT(n->text));
    struct sc_str min = sc_bind_bound(field->kind, field->min, dg->ar);
    struct sc_str max = sc_bind_bound(field->kind, field->max, dg->ar);
    f->hint = !bounded ? SC_STR("it cannot be negative")
                       : sc_str_printf(dg->ar, "it must be between %.*s and %.*s", SC_STR_FMT(min),
                                       SC_STR_FMT(max));
    return false;
}

static bool integer(const struct sc_field *field, const struct sc_node *n, int64_t *to,
                    struct sc_diag *dg)
{
    int64_t v;
    bool ok = field->kind == SC_F_INT        ? sc_node_int(n, &v)
              : field->kind == SC_F_DURATION ? sc_duration_parse(n->text, &v)
                                             : bytes_parse(n->text, &v);
    if (!ok) {
        struct sc_finding *f = sc_bind_expected(field, n, sc_kind_info(field->kind)->expected, dg);
        if (field->kind == SC_F_DURATION && sc_str_int(n->text, &v))
            f->hint = sc_str_printf(dg->ar, "a unit is missing: %.*ss, %.*sm, %.*sh or %.*sd?",
                                    SC_STR_FMT(n->text), SC_STR_FMT(n->text), SC_STR_FMT(n->text),
                                    SC_STR_FMT(n->text));
        else if (field->kind == SC_F_INT && n->quoted && sc_str_int(n->text, &v))
            f->hint = SC_STR("leave out the quotes");
        return false;
    }
    if (!range_ok(field, n, v, dg))
        return false;
    *to = v;
    return true;
}

static bool boolean(const struct sc_field *field, const struct sc_node *n, bool *to,
                    struct sc_diag *dg)
{
    if (sc_node_bool(n, to))
        return true;
    struct sc_finding *f = sc_bind_expected(field, n, sc_kind_info(SC_F_BOOL)->expected, dg);
    if (n->quoted)
        f->hint = SC_STR("leave out the quotes");
    return false;
}

static bool word(const struct sc_field *field, const struct sc_node *n, int32_t *to,
                 struct sc_diag *dg)
{
    SC_ASSERT(field->names != NULL);
    SC_VEC(struct sc_str) names = {0};
    struct sc_buf list = {0};
    sc_buf_addz(&list, "one of");
    for (int32_t i = 0; field->names[i] != NULL; ++i) {
        if (sc_str_eqz(n->text, field->names[i])) {
            sc_buf_fini(&list);
            *to = i;
            return true;
        }
        SC_VEC_PUSH(dg->ar, &names, sc_str_from(field->names[i]));
        sc_buf_addf(&list, "%s %s", i ? "," : "", field->names[i]);
    }
    sc_buf_char(&list, '\0');
    struct sc_finding *f = sc_bind_expected(field, n, list.p, dg);
    sc_diag_suggest(dg, f, n->text, names.v, names.n);
    sc_buf_fini(&list);
    return false;
}

static bool expect(bool ok, const struct sc_field *field, const struct sc_node *n,
                   struct sc_diag *dg)
{
    if (!ok)
        sc_bind_expected(field, n, sc_kind_info(field->kind)->expected, dg);
    return ok;
}

bool sc_bind_scalar(const struct sc_field *field, const struct sc_node *n, void *to,
                    struct sc_diag *dg)
{
    if (n->kind != SC_NODE_SCALAR)
        return expect(false, field, n, dg);
    switch (field->kind) {
    case SC_F_STR:
        *(struct sc_str *)to = n->text;
        return true;
    case SC_F_NAME:
        if (!expect(is_name(n->text), field, n, dg))
            return false;
        *(struct sc_str *)to = n->text;
        return true;
    case SC_F_BOOL:
        return boolean(field, n, to, dg);
    case SC_F_INT:
    case SC_F_DURATION:
    case SC_F_BYTES:
        return integer(field, n, to, dg);
    case SC_F_DOUBLE:
        if (!expect(sc_node_is_number(n), field, n, dg))
            return false;
        *(double *)to = strtod(n->text.p, NULL); /* texts of nodes end in a NUL */
        return true;
    case SC_F_PERCENT:
        return expect(percent_parse(n->text, to), field, n, dg);
    case SC_F_ENUM:
        return word(field, n, to, dg);
    case SC_F_STRS:
    case SC_F_STRUCT:
    case SC_F_LIST:
    case SC_F_MAP:
    case SC_F_NODE:
        break;
    }
    SC_UNREACHABLE("not a scalar kind");
}

bool sc_bind_topic(struct sc_str name, struct sc_mark mark, struct sc_diag *dg)
{
    bool ok = name.len > 0 && name.len <= TOPIC_NAME_MAX && !sc_str_eqz(name, ".") &&
              !sc_str_eqz(name, "..");
    for (size_t i = 0; i < name.len; ++i) {
        char c = name.p[i];
        ok = ok && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '_' || c == '-');
    }
    if (!ok)
        sc_diag_add(dg, SC_ERROR, "bad-topic", mark,
                    "'%.*s' is no name for a Kafka topic: letters, digits, '.', '_', '-'",
                    SC_STR_FMT(name));
    return ok;
}
