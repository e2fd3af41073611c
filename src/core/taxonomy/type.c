/* The text of a type: `decimal`, `list(string)`, `enum [a, b]`, `map(enum [a, b])`. */
#include "base/assert.h"
#include "core/taxonomy/load.h"

#include <stdio.h>

static const enum sc_type scalar_types[] = {SC_T_STRING, SC_T_INT,       SC_T_DECIMAL,  SC_T_DOUBLE,
                                            SC_T_BOOL,   SC_T_TIMESTAMP, SC_T_DURATION, SC_T_BYTES};
#define N_SCALARS (sizeof(scalar_types) / sizeof(scalar_types[0]))

/* Part of a type's text, with its place in the node for carets. */
struct type_reader {
    struct sc_tx_load *ld;
    struct sc_tx_property_doc *pd;
    struct sc_str text;
};

static struct sc_mark mark_of(const struct type_reader *r, struct sc_str part)
{
    SC_ASSERT(part.p >= r->text.p && part.p + part.len <= r->text.p + r->text.len);
    return sc_mark_at(r->pd->type_at->mark, (uint32_t)(part.p - r->text.p), (uint32_t)part.len);
}

static void unknown_type(struct type_reader *r, struct sc_str name)
{
    struct sc_str names[N_SCALARS + 3];
    for (size_t i = 0; i < N_SCALARS; i++)
        names[i] = sc_str_from(sc_type_name(scalar_types[i]));
    names[N_SCALARS] = SC_STR("enum");
    names[N_SCALARS + 1] = SC_STR("list(string)");
    names[N_SCALARS + 2] = SC_STR("map(string)");
    struct sc_finding *f =
        SC_TX_ERROR(r->ld, "bad-type", mark_of(r, name), "'%.*s' is no type", SC_STR_FMT(name));
    sc_diag_suggest(r->ld->dg, f, name, names, N_SCALARS + 3);
    if (f->hint.len == 0)
        f->hint = SC_STR("there are string, int, decimal, double, bool, timestamp, duration, bytes, "
                         "enum [a, b], and list(T) or map(T) of one of the first eight");
}

static bool add_enum(struct type_reader *r, struct sc_str value, struct sc_mark mark)
{
    struct sc_strs *enums = &r->pd->p.enums;
    for (uint32_t i = 0; i < enums->n; i++)
        if (sc_str_eq(enums->v[i], value)) {
            SC_TX_ERROR(r->ld, "duplicate-name", mark, "'%.*s' stands twice in this enum",
                        SC_STR_FMT(value));
            return false;
        }
    if (value.len == 0) {
        SC_TX_ERROR(r->ld, "bad-type", mark, "an enum's value cannot be empty");
        return false;
    }
    enums->v[enums->n++] = value;
    return true;
}

/* ` [a, b]` behind `enum`, or the `values` key. */
static bool parse_enum(struct type_reader *r, struct sc_str rest)
{
    const struct sc_strs *values = &r->pd->values;
    struct sc_str list = sc_str_trim(rest);
    if (list.len == 0 && values->n > 0) {
        r->pd->p.enums.v = SC_NEW_N(r->ld->ar, struct sc_str, values->n);
        bool ok = true;
        for (uint32_t i = 0; i < values->n; i++)
            ok = add_enum(r, values->v[i], values->at[i]->mark) && ok;
        return ok;
    }
    if (list.len < 2 || list.p[0] != '[' || list.p[list.len - 1] != ']' || values->n > 0) {
        SC_TX_ERROR(r->ld, "bad-type", r->pd->type_at->mark,
                    "an enum lists its values once: `enum [a, b]`, or `values: [a, b]` beside it");
        return false;
    }
    const char *at = list.p + 1, *end = list.p + list.len - 1;
    r->pd->p.enums.v = SC_NEW_N(r->ld->ar, struct sc_str, list.len);
    bool ok = true;
    while (at <= end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        struct sc_str value = sc_str_trim((struct sc_str){at, (size_t)(stop - at)});
        ok = add_enum(r, value, mark_of(r, value.len ? value : (struct sc_str){at, 1})) && ok;
        at = stop + 1;
    }
    return ok;
}

static bool parse_scalar(struct type_reader *r, struct sc_str name, uint8_t *out)
{
    for (size_t i = 0; i < N_SCALARS; i++)
        if (sc_str_eqz(name, sc_type_name(scalar_types[i]))) {
            *out = (uint8_t)scalar_types[i];
            return true;
        }
    struct sc_str word = SC_STR("enum");
    if (sc_str_starts(name, word) &&
        (name.len == word.len || name.p[word.len] == ' ' || name.p[word.len] == '[')) {
        *out = SC_T_STRING;
        return parse_enum(r, (struct sc_str){name.p + word.len, name.len - word.len});
    }
    unknown_type(r, name);
    return false;
}

/* `list(…)` or `map(…)`: the text inside. */
static bool container(struct sc_str text, struct sc_str open, struct sc_str *inside)
{
    if (!sc_str_starts(text, open) || text.p[text.len - 1] != ')')
        return false;
    *inside = sc_str_trim((struct sc_str){text.p + open.len, text.len - open.len - 1});
    return true;
}

bool sc_tx_type(struct sc_tx_load *ld, struct sc_tx_property_doc *pd)
{
    SC_ASSERT(pd->type_at != NULL && pd->p.type == SC_T_ABSENT);
    struct type_reader r = {ld, pd, pd->type};
    struct sc_str text = sc_str_trim(pd->type), inside;
    bool ok;
    if (container(text, SC_STR("list("), &inside)) {
        pd->p.type = SC_T_LIST;
        ok = parse_scalar(&r, inside, &pd->p.element);
    } else if (container(text, SC_STR("map("), &inside)) {
        pd->p.type = SC_T_MAP;
        ok = parse_scalar(&r, inside, &pd->p.element);
    } else {
        ok = parse_scalar(&r, text, &pd->p.type);
    }
    if (!ok)
        pd->p.type = SC_T_ABSENT; /* none, not half of one: nothing is read by it */
    if (ok && pd->values_at != NULL && pd->p.enums.n == 0) {
        SC_TX_ERROR(ld, "bad-type", pd->values_at->mark, "`values` are for a type that is enum");
        ok = false;
    }
    return ok;
}

const char *sc_property_type_text(const struct sc_property *p, char out[32])
{
    bool scalar = p->type != SC_T_LIST && p->type != SC_T_MAP;
    enum sc_type type = (enum sc_type)(scalar ? p->type : p->element);
    const char *name = p->enums.n > 0 ? "enum" : sc_type_name(type);
    SC_ASSERT(strlen(name) < 20);
    if (scalar)
        snprintf(out, 32, "%s", name);
    else
        snprintf(out, 32, "%s(%s)", p->type == SC_T_LIST ? "list" : "map", name);
    return out;
}
