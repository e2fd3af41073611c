/* stagecoach taxonomy diff: what a new version of the dictionary means for those who send and those
 * who read. Names decide: an event is renamed when its old name is an alias of the new one. */
#include "base/assert.h"
#include "cli/taxonomy_cmd.h"

#include <stdarg.h>
#include <stdio.h>

struct diff {
    struct sc_buf breaking, others; /* lines */
    uint32_t n_breaking, n_others;
};

enum weight { OTHER, BREAKING };

/* One change, a line: "breaking  order_completed.total: type decimal, was int". */
static void note(struct diff *df, enum weight weight, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void note(struct diff *df, enum weight weight, const char *fmt, ...)
{
    bool breaks = weight == BREAKING;
    struct sc_buf *out = breaks ? &df->breaking : &df->others;
    sc_buf_addf(out, "%-9s ", breaks ? "breaking" : "allowed");
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    SC_ASSERT(n >= 0);
    sc_buf_reserve(out, (size_t)n + 1);
    vsnprintf(out->p + out->len, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(args);
    out->len += (size_t)n;
    sc_buf_char(out, '\n');
    df->n_breaking += breaks;
    df->n_others += !breaks;
}

/* What is compared: an event, or a property of it. */
struct place {
    struct sc_str event, property; /* property empty: the event */
};

/* A text that became another one: nothing when it did not. */
static void note_text(struct diff *df, enum weight weight, struct place at, const char *what,
                      const struct sc_str was_is[2])
{
    if (sc_str_eq(was_is[0], was_is[1]))
        return;
    note(df, weight, "%.*s%s%.*s: %s '%.*s', was '%.*s'", SC_STR_FMT(at.event),
         at.property.len ? "." : "", (int)at.property.len, at.property.len ? at.property.p : "",
         what, SC_STR_FMT(was_is[1]), SC_STR_FMT(was_is[0]));
}

/* ---- properties */

static bool has_text(const struct sc_strs *list, struct sc_str text)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (sc_str_eq(list->v[i], text))
            return true;
    return false;
}

static void diff_enum(struct diff *df, struct place at, const struct sc_property *old,
                      const struct sc_property *new)
{
    if (old->enums.n == 0 || new->enums.n == 0)
        return; /* another type: said already */
    for (uint32_t i = 0; i < old->enums.n; i++)
        if (!has_text(&new->enums, old->enums.v[i]))
            note(df, BREAKING, "%.*s.%.*s: value '%.*s' removed", SC_STR_FMT(at.event),
                 SC_STR_FMT(at.property), SC_STR_FMT(old->enums.v[i]));
    for (uint32_t i = 0; i < new->enums.n; i++)
        if (!has_text(&old->enums, new->enums.v[i]))
            note(df, OTHER, "%.*s.%.*s: value '%.*s' added", SC_STR_FMT(at.event),
                 SC_STR_FMT(at.property), SC_STR_FMT(new->enums.v[i]));
}

/* `tighter` is the sign of new against old that shuts values out: 1 for min, -1 for max. */
static void diff_bound(struct diff *df, struct place at, const char *which, int tighter,
                       const struct sc_value *old, const struct sc_value *new)
{
    if (old == NULL && new == NULL)
        return;
    int order = old == NULL ? tighter : new == NULL ? -tighter : sc_value_cmp(*new, *old);
    if (order == 0 || order == 2)
        return; /* not of one type: said already */
    note(df, order * tighter > 0 ? BREAKING : OTHER, "%.*s.%.*s: %s %s", SC_STR_FMT(at.event),
         SC_STR_FMT(at.property), which, order * tighter > 0 ? "tightened" : "loosened");
}

static void diff_type(struct diff *df, struct place at, const struct sc_property *old,
                      const struct sc_property *new)
{
    char was[32], is[32];
    sc_property_type_text(old, was);
    sc_property_type_text(new, is);
    if (strcmp(was, is) != 0)
        note(df, BREAKING, "%.*s.%.*s: type %s, was %s", SC_STR_FMT(at.event),
             SC_STR_FMT(at.property), is, was);
    else if (new->scale != old->scale)
        note(df, new->scale < old->scale ? BREAKING : OTHER, "%.*s.%.*s: scale %d, was %d",
             SC_STR_FMT(at.event), SC_STR_FMT(at.property), new->scale, old->scale);
}

static void diff_property(struct diff *df, struct place at, const struct sc_property *old,
                          const struct sc_property *new)
{
    diff_type(df, at, old, new);
    diff_enum(df, at, old, new);
    diff_bound(df, at, "min", 1, old->has_min ? &old->min : NULL, new->has_min ? &new->min : NULL);
    diff_bound(df, at, "max", -1, old->has_max ? &old->max : NULL,
               new->has_max ? &new->max : NULL);
    if (old->required != new->required)
        note(df, new->required ? BREAKING : OTHER, "%.*s.%.*s: %s", SC_STR_FMT(at.event),
             SC_STR_FMT(at.property), new->required ? "required now" : "optional now");
    if (old->pii != new->pii)
        note(df, OTHER, "%.*s.%.*s: %s", SC_STR_FMT(at.event), SC_STR_FMT(at.property),
             new->pii ? "personal now" : "no longer personal");
    note_text(df, BREAKING, at, "unit", (struct sc_str[]){old->unit, new->unit});
    note_text(df, OTHER, at, "owner", (struct sc_str[]){old->owner, new->owner});
}

static void diff_properties(struct diff *df, const struct sc_event_type *old,
                            const struct sc_event_type *new)
{
    for (uint32_t i = 0; i < old->n_props; i++) {
        struct place at = {new->name, old->props[i].name};
        int p = sc_event_type_prop(new, at.property);
        if (p < 0)
            note(df, BREAKING, "%.*s.%.*s: removed", SC_STR_FMT(at.event),
                 SC_STR_FMT(at.property));
        else
            diff_property(df, at, &old->props[i], &new->props[p]);
    }
    for (uint32_t i = 0; i < new->n_props; i++) {
        const struct sc_property *p = &new->props[i];
        if (sc_event_type_prop(old, p->name) < 0)
            note(df, p->required ? BREAKING : OTHER, "%.*s.%.*s: added%s", SC_STR_FMT(new->name),
                 SC_STR_FMT(p->name), p->required ? ", required" : "");
    }
}

/* ---- events */

static struct sc_str value_name(const struct sc_event_type *et)
{
    return et->value < 0 ? SC_STR_NULL : et->props[et->value].name;
}

static void diff_event(struct diff *df, const struct sc_event_type *old,
                       const struct sc_event_type *new)
{
    struct place at = {new->name, SC_STR_NULL};
    if (!sc_str_eq(old->name, new->name))
        note(df, OTHER, "%.*s: renamed, was '%.*s', which is still accepted",
             SC_STR_FMT(new->name), SC_STR_FMT(old->name));
    const struct sc_str roles[] = {sc_str_from(sc_role_name((enum sc_role)old->role)),
                                   sc_str_from(sc_role_name((enum sc_role)new->role))};
    note_text(df, BREAKING, at, "role", roles);
    note_text(df, BREAKING, at, "value", (struct sc_str[]){value_name(old), value_name(new)});
    note_text(df, OTHER, at, "stage", (struct sc_str[]){old->stage, new->stage});
    note_text(df, OTHER, at, "channel", (struct sc_str[]){old->channel, new->channel});
    note_text(df, OTHER, at, "owner", (struct sc_str[]){old->owner, new->owner});
    diff_properties(df, old, new);
}

/* Names that `old` took and `new` does not. */
static void diff_aliases(struct diff *df, const struct sc_event_type *old,
                         const struct sc_taxonomy *new)
{
    for (uint32_t i = 0; i < old->n_aliases; i++) {
        const struct sc_alias *al = &old->aliases[i];
        if (sc_taxonomy_event(new, al->name) < 0)
            note(df, BREAKING, "%.*s: the name '%.*s' is no longer accepted", SC_STR_FMT(old->name),
                 SC_STR_FMT(al->name));
    }
}

static void diff_events(struct diff *df, const struct sc_taxonomy *old,
                        const struct sc_taxonomy *new)
{
    for (uint32_t i = 0; i < old->n_events; i++) {
        int e = sc_taxonomy_event(new, old->events[i].name);
        if (e < 0)
            note(df, BREAKING, "%.*s: removed", SC_STR_FMT(old->events[i].name));
        else
            diff_event(df, &old->events[i], &new->events[e]);
        diff_aliases(df, &old->events[i], new);
    }
    for (uint32_t i = 0; i < new->n_events; i++) {
        const struct sc_event_type *et = &new->events[i];
        bool known = sc_taxonomy_event(old, et->name) >= 0;
        for (uint32_t a = 0; a < et->n_aliases; a++)
            known |= sc_taxonomy_event(old, et->aliases[a].name) >= 0;
        if (!known)
            note(df, OTHER, "%.*s: added", SC_STR_FMT(et->name));
    }
}

/* ---- identifiers */

/* Rank and spelling make the ids of customers, limits say who is joined to whom. */
static void diff_namespaces(struct diff *df, const struct sc_taxonomy *old,
                            const struct sc_taxonomy *new)
{
    for (uint32_t i = 0; i < old->n_namespaces; i++) {
        const struct sc_namespace *was = &old->namespaces[i];
        int n = sc_taxonomy_namespace(new, was->name);
        const struct sc_namespace *is = n < 0 ? NULL : &new->namespaces[n];
        if (is == NULL)
            note(df, BREAKING, "identifier %.*s: removed", SC_STR_FMT(was->name));
        else if (is->unique != was->unique)
            note(df, BREAKING, "identifier %.*s: %s", SC_STR_FMT(was->name),
                 is->unique ? "unique now" : "no longer unique");
        else if (is->normalize != was->normalize)
            note(df, BREAKING, "identifier %.*s: normalised otherwise", SC_STR_FMT(was->name));
        else if (is->rank != was->rank)
            note(df, BREAKING, "identifier %.*s: %d. in strength, was %d.", SC_STR_FMT(was->name),
                 is->rank, was->rank);
        else if (is->limit != was->limit || is->within_ms != was->within_ms)
            note(df, OTHER, "identifier %.*s: another limit", SC_STR_FMT(was->name));
    }
    for (uint32_t i = 0; i < new->n_namespaces; i++)
        if (sc_taxonomy_namespace(old, new->namespaces[i].name) < 0)
            note(df, OTHER, "identifier %.*s: added", SC_STR_FMT(new->namespaces[i].name));
}

/* ---- cases */

/* The same events, by name, in any order. */
static bool same_events(const struct sc_taxonomy *old, const uint16_t *was, uint32_t n_was,
                        const struct sc_taxonomy *new, const uint16_t *is, uint32_t n_is)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < n_was; i++) {
        int e = sc_taxonomy_event(new, old->events[was[i]].name);
        for (uint32_t j = 0; j < n_is; j++)
            found += e == (int)is[j];
    }
    return found == n_was && n_was == n_is;
}

static void diff_cases(struct diff *df, const struct sc_taxonomy *old,
                       const struct sc_taxonomy *new)
{
    for (uint32_t i = 0; i < old->n_cases; i++) {
        const struct sc_case *was = &old->cases[i];
        int c = sc_taxonomy_case(new, was->name);
        const struct sc_case *is = c < 0 ? NULL : &new->cases[c];
        if (is == NULL)
            note(df, BREAKING, "case %.*s: removed", SC_STR_FMT(was->name));
        else if (!sc_str_eq(was->key, is->key) ||
                 !same_events(old, was->opens, was->n_opens, new, is->opens, is->n_opens) ||
                 !same_events(old, was->closes, was->n_closes, new, is->closes, is->n_closes))
            note(df, BREAKING, "case %.*s: opened, closed or told apart otherwise",
                 SC_STR_FMT(was->name));
    }
    for (uint32_t i = 0; i < new->n_cases; i++)
        if (sc_taxonomy_case(old, new->cases[i].name) < 0)
            note(df, OTHER, "case %.*s: added", SC_STR_FMT(new->cases[i].name));
}

/* ---- the whole */

/* Versions are MAJOR.MINOR.PATCH: the loader saw to it. */
static int64_t major_of(struct sc_str version)
{
    int64_t major = -1;
    const char *dot = memchr(version.p, '.', version.len);
    SC_ASSERT(dot != NULL);
    bool ok = sc_str_int((struct sc_str){version.p, (size_t)(dot - version.p)}, &major);
    SC_ASSERT(ok && major >= 0);
    return major;
}

bool sc_taxonomy_diff(const struct sc_taxonomy *old, const struct sc_taxonomy *new,
                      struct sc_buf *out)
{
    struct diff df = {0};
    diff_namespaces(&df, old, new);
    diff_events(&df, old, new);
    diff_cases(&df, old, new);
    sc_buf_str(out, sc_buf_view(&df.breaking));
    sc_buf_str(out, sc_buf_view(&df.others));
    sc_buf_addf(out, "%.*s to %.*s: %u breaking, %u allowed\n", SC_STR_FMT(old->version),
                SC_STR_FMT(new->version), df.n_breaking, df.n_others);
    bool allowed = df.n_breaking == 0 || major_of(new->version) > major_of(old->version);
    if (!allowed)
        sc_buf_addf(out, "breaking changes need version %lld.0.0\n",
                    (long long)major_of(old->version) + 1);
    sc_buf_fini(&df.breaking);
    sc_buf_fini(&df.others);
    return allowed;
}
