/* What names mean: the event's fields and properties, the customer, named facts, CEL's types, and
 * the variables of free-standing expressions. Each is resolved in place; a wrong one gets a finding
 * on the very name, with the declaration meant and a near name. Cost: load time only. */
#include "core/rule/check.h"

#include "base/assert.h"
#include "base/hash.h"

static const char *const event_fields[] = {"name", "id", "occurred_at", "source"};
static const char *const attrs[] = {"stage", "persona", "timezone", "language", "channel"};

#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))

static int32_t index_of(struct sc_str name, const char *const *of, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (sc_str_eqz(name, of[i]))
            return (int32_t)i;
    return -1;
}

static struct local *find_local(const struct checker *ck, struct sc_str name)
{
    for (struct local *l = ck->locals; l; l = l->up)
        if (sc_str_eq(l->name, name))
            return l;
    return NULL;
}

static void suggest_event(struct checker *ck, struct sc_finding *f, struct sc_str seen)
{
    const struct sc_taxonomy *tx = ck->sp->tx;
    struct sc_str *names = SC_NEW_N(ck->src.ar, struct sc_str, tx->n_events + 1);
    for (uint32_t i = 0; i < tx->n_events; i++)
        names[i] = tx->events[i].name;
    sc_diag_suggest(ck->src.dg, f, seen, names, tx->n_events);
}

static struct sc_mark node_mark(const struct sc_node *at)
{
    return at ? at->mark : (struct sc_mark){0};
}

int32_t rule_resolve_event(struct checker *ck, const struct node *lit)
{
    const struct sc_taxonomy *tx = ck->sp->tx;
    SC_ASSERT(tx != NULL);
    struct sc_str name = sc_value_str(lit->value);
    struct sc_event_ref *ref = sc_map_get(&tx->event_by_name, name);
    if (ref == NULL) {
        struct sc_finding *f = CHECK_ERROR(ck, "unknown-event", lit->off, lit->len,
                                           "no event '%.*s' in the taxonomy", SC_STR_FMT(name));
        suggest_event(ck, f, name);
        const char *dot = memchr(name.p, '.', name.len);
        struct sc_str event = {name.p, dot ? (size_t)(dot - name.p) : 0};
        if (dot && sc_map_get(&tx->event_by_name, event) != NULL)
            f->hint = sc_str_printf(ck->src.ar, "the property is an argument of its own: "
                                    "\"%.*s\", \"%.*s\"", SC_STR_FMT(event),
                                    (int)(name.len - event.len - 1), dot + 1);
        return -1;
    }
    SC_ASSERT(ref->index < tx->n_events);
    const struct sc_event_type *et = &tx->events[ref->index];
    if (ref->deprecated) {
        struct sc_finding *f = sc_diag_add(
            ck->src.dg, SC_WARNING, "deprecated-event",
            sc_mark_at(ck->src.mark, lit->off, lit->len),
            "'%.*s' is a deprecated name of event '%.*s'", SC_STR_FMT(name), SC_STR_FMT(et->name));
        f->decl = node_mark(et->at);
    }
    return ref->index;
}

bool rule_is_event_name(const struct node *n)
{
    if (n->kind == N_EVENT_FIELD)
        return n->a == EVENT_NAME;
    return n->kind == N_SELECT && n->kid[0]->kind == N_IDENT && !n->test && !n->optional &&
           sc_str_eqz(n->kid[0]->name, "event") && sc_str_eqz(n->name, "name");
}

/* The track that an attribute is the stage of; NULL: of none. */
static const struct sc_scope_track *stages_of(const struct checker *ck, int32_t attr)
{
    int32_t track = attr == SC_ATTR_STAGE ? 0 : attr - SC_ATTR_TRACK;
    return track >= 0 && (uint32_t)track < ck->sp->n_tracks ? &ck->sp->tracks[track] : NULL;
}

void rule_check_literal(struct checker *ck, const struct node *of, const struct node *lit)
{
    if (lit->kind != N_CONST || lit->value.type != SC_T_STRING)
        return;
    struct sc_str seen = sc_value_str(lit->value);
    if (rule_is_event_name(of)) {
        rule_resolve_event(ck, lit);
        return;
    }
    const struct sc_str *names = NULL;
    uint32_t n = 0;
    const char *what = "stage";
    if (of->kind == N_ATTR && stages_of(ck, of->a)) {
        names = stages_of(ck, of->a)->stages;
        n = stages_of(ck, of->a)->n_stages;
    } else if (of->kind == N_PROP && of->a >= 0) {
        const struct sc_property *p = &ck->sp->tx->events[of->a].props[of->b];
        names = p->enums.v;
        n = p->enums.n;
        what = "value of this property";
    }
    for (uint32_t i = 0; i < n; i++)
        if (sc_str_eq(names[i], seen))
            return;
    if (n == 0)
        return;
    struct sc_finding *f = CHECK_ERROR(ck, "unknown-value", lit->off, lit->len,
                                       "'%.*s' is no %s", SC_STR_FMT(seen), what);
    sc_diag_suggest(ck->src.dg, f, seen, names, n);
}

/* ---- event.x */

static void unknown_property(struct checker *ck, const struct node *n)
{
    const struct sc_taxonomy *tx = ck->sp->tx;
    SC_VEC(struct sc_str) names = {0};
    uint32_t events = event_set_count(ck->can), only = 0;
    for (uint32_t e = 0; e < tx->n_events; e++) {
        if (!event_set_has(ck->can, e))
            continue;
        only = e;
        for (uint32_t i = 0; i < tx->events[e].n_props && names.n < 1024; i++)
            SC_VEC_PUSH(ck->src.ar, &names, tx->events[e].props[i].name);
    }
    for (uint32_t i = 0; i < COUNT(event_fields); i++)
        SC_VEC_PUSH(ck->src.ar, &names, sc_str_from(event_fields[i]));
    struct sc_finding *f;
    if (events == 1)
        f = CHECK_ERROR(ck, "unknown-property", n->name_off, n->name_len,
                        "event '%.*s' has no property '%.*s'", SC_STR_FMT(tx->events[only].name),
                        SC_STR_FMT(n->name));
    else
        f = CHECK_ERROR(ck, "unknown-property", n->name_off, n->name_len,
                        "none of the %u events this place can see has a property '%.*s'", events,
                        SC_STR_FMT(n->name));
    if (events == 1)
        f->decl = node_mark(tx->events[only].at);
    sc_diag_suggest(ck->src.dg, f, n->name, names.v, names.n);
}

static bool guarded(const struct checker *ck, uint32_t hash)
{
    for (const struct guard *g = ck->guards; g; g = g->up)
        if (g->hash == hash)
            return true;
    return false;
}

/* Reading an optional property that nobody made sure of: at run time it could be an error value, so
 * it is one at load (as in VRL, where every fallible expression is handled). */
static void optional_read(struct checker *ck, const struct node *n, uint32_t event)
{
    const struct sc_event_type *et = &ck->sp->tx->events[event];
    int p = sc_event_type_prop(et, n->name);
    SC_ASSERT(p >= 0);
    struct sc_finding *f =
        CHECK_ERROR(ck, "optional-read", n->off, n->len,
                    "'%.*s' is optional in event '%.*s': it may be missing here",
                    SC_STR_FMT(n->name), SC_STR_FMT(et->name));
    f->hint = sc_str_printf(ck->src.ar, "write has(event.%.*s) && … before it, or a default: "
                            "event.?%.*s.orValue(…); or make it `required: true`",
                            SC_STR_FMT(n->name), SC_STR_FMT(n->name));
    f->decl = node_mark(et->props[p].at);
}

/* The property in every event of `can` that has it; false when none has, or the types differ. */
static bool collect_property(struct checker *ck, struct node *n, const struct event_set *can,
                             int32_t *optional_in)
{
    const struct sc_taxonomy *tx = ck->sp->tx;
    int16_t *slots = SC_NEW_N(ck->src.ar, int16_t, tx->n_events + 1);
    uint32_t found = 0, first = 0;
    for (uint32_t e = 0; e < tx->n_events; e++) {
        int p = event_set_has(can, e) ? sc_event_type_prop(&tx->events[e], n->name) : -1;
        slots[e] = (int16_t)p;
        if (p < 0)
            continue;
        const struct sc_property *prop = &tx->events[e].props[p];
        if (found++ == 0) {
            first = e;
            n->b = (uint32_t)p;
            n->type = (struct rule_ty){prop->type, prop->element};
        } else if (prop->type != n->type.t || prop->element != n->type.el) {
            CHECK_ERROR(ck, "property-types", n->name_off, n->name_len,
                        "'%.*s' is %s in event '%.*s' but %s in '%.*s': name the event first",
                        SC_STR_FMT(n->name), sc_type_name(n->type.t),
                        SC_STR_FMT(tx->events[first].name), sc_type_name(prop->type),
                        SC_STR_FMT(tx->events[e].name))
                ->decl = node_mark(prop->at);
            return true;
        }
        ck->sp->read[e][p / 64] |= UINT64_C(1) << (p % 64);
        if (!prop->required)
            *optional_in = (int32_t)e;
    }
    n->a = found == 1 ? (int32_t)first : -1;
    n->slots = slots;
    return found > 0;
}

static void resolve_property(struct checker *ck, struct node *n)
{
    struct event_set all;
    int32_t optional_in = -1;
    event_set_all(&all, ck->sp->tx->n_events);
    const struct event_set *can = event_set_count(ck->can) ? ck->can : &all;
    n->kind = N_PROP;
    if (!collect_property(ck, n, can, &optional_in)) {
        unknown_property(ck, n);
        return;
    }
    bool sure = n->test || n->optional || guarded(ck, sc_hash_name(n->name)) ||
                (ck->opts.may_be_absent && n == ck->root);
    if (optional_in >= 0 && !sure)
        optional_read(ck, n, (uint32_t)optional_in);
    if (n->test)
        n->type = (struct rule_ty){SC_T_BOOL, 0};
    else if (n->optional)
        n->type = (struct rule_ty){0, 0};
}

static void resolve_event_select(struct checker *ck, struct node *n)
{
    ck->reads_event = true;
    if (ck->opts.no_event) {
        CHECK_ERROR(ck, "no-event", n->off, n->len,
                    "'event' cannot be read here: this holds for the customer, not for one event")
            ->hint = SC_STR("ask of events: seen(\"event\"), last(\"event\", \"property\")");
        n->kind = N_ERROR;
        n->a = SC_VE_NO_VALUE;
        return;
    }
    int32_t field = index_of(n->name, event_fields, COUNT(event_fields));
    if (field < 0) {
        resolve_property(ck, n);
        return;
    }
    n->kind = N_EVENT_FIELD;
    n->a = field;
    n->type.t = n->test ? SC_T_BOOL : field == EVENT_OCCURRED_AT ? SC_T_TIMESTAMP : SC_T_STRING;
}

static int32_t attr_of(const struct checker *ck, struct sc_str name)
{
    for (uint32_t t = 0; t < ck->sp->n_tracks; t++)
        if (sc_str_eq(ck->sp->tracks[t].name, name))
            return SC_ATTR_TRACK + (int32_t)t;
    return index_of(name, attrs, COUNT(attrs));
}

static void resolve_customer(struct checker *ck, struct node *n)
{
    int32_t attr = attr_of(ck, n->name);
    if (ck->opts.use == SC_USE_WHERE)
        CHECK_ERROR(ck, "where-scope", n->off, n->len, "where: may read 'event' alone");
    ck->reads_facts = true;
    n->kind = N_ATTR;
    n->a = attr;
    n->type.t = n->test ? SC_T_BOOL : SC_T_STRING;
    if (attr >= 0)
        return;
    SC_VEC(struct sc_str) names = {0};
    for (uint32_t i = 0; i < COUNT(attrs); i++)
        SC_VEC_PUSH(ck->src.ar, &names, sc_str_from(attrs[i]));
    for (uint32_t t = 0; t < ck->sp->n_tracks; t++)
        SC_VEC_PUSH(ck->src.ar, &names, ck->sp->tracks[t].name);
    struct sc_finding *f = CHECK_ERROR(ck, "unknown-name", n->name_off, n->name_len,
                                       "nothing is known as customer.%.*s", SC_STR_FMT(n->name));
    sc_diag_suggest(ck->src.dg, f, n->name, names.v, names.n);
}

/* ---- Bare names */

static bool resolve_named(struct checker *ck, struct node *n)
{
    uintptr_t at = (uintptr_t)sc_map_get(&ck->sp->name_by_text, n->name);
    SC_ASSERT(at <= ck->sp->names.n);
    if (at == 0)
        return false;
    const struct sc_named_expr *ne = &ck->sp->names.v[at - 1];
    if (ne->prog == NULL) {
        ck->broken = true;
        n->kind = N_ERROR;
        n->a = SC_VE_NO_VALUE;
        return true;
    }
    if (ck->opts.use == SC_USE_WHERE)
        CHECK_ERROR(ck, "where-scope", n->off, n->len, "where: may read 'event' alone");
    for (uint32_t f = 0; f < ne->prog->info.n_facts; f++)
        SC_VEC_PUSH(ck->src.ar, &ck->facts, ne->prog->info.facts[f]);
    ck->reads_facts = true;
    n->kind = ne->prog->bare_fact >= 0 ? N_FACT : N_NAMED;
    n->a = ne->prog->bare_fact;
    n->type = (struct rule_ty){ne->type, ne->element};
    n->kid = SC_NEW_N(ck->src.ar, struct node *, 1);
    n->kid[0] = ne->prog->tree;
    n->n = 1;
    ck->inlined += ne->prog->size;
    if (ne->prog->height > ck->inlined_height)
        ck->inlined_height = ne->prog->height;
    if (ck->inlined > SC_RULE_SIZE_MAX)
        CHECK_ERROR(ck, "expr-too-large", n->off, n->len,
                    "the names used here stand for too large an expression");
    return true;
}

static bool resolve_type_name(struct node *n, struct sc_str name)
{
    static const struct {
        const char *name;
        uint8_t type;
    } types[] = {
        {"bool", SC_T_BOOL}, {"int", SC_T_INT}, {"uint", SC_T_UINT}, {"double", SC_T_DOUBLE},
        {"decimal", SC_T_DECIMAL}, {"string", SC_T_STRING}, {"bytes", SC_T_BYTES},
        {"list", SC_T_LIST}, {"map", SC_T_MAP}, {"null_type", SC_T_NULL}, {"type", SC_T_TYPE},
        {"google.protobuf.Timestamp", SC_T_TIMESTAMP},
        {"google.protobuf.Duration", SC_T_DURATION}, {"optional_type", RULE_T_OPTIONAL},
    };
    for (uint32_t i = 0; i < COUNT(types); i++) {
        if (sc_str_eqz(name, types[i].name)) {
            n->kind = N_CONST;
            n->value = (struct sc_value){.type = SC_T_TYPE, .i = types[i].type};
            n->type.t = SC_T_TYPE;
            return true;
        }
    }
    return false;
}

/* A binding of that name, in the container first: for "a.b" and "x" a.b.x, a.x, x. */
static int32_t find_binding(const struct checker *ck, struct sc_str name, bool absolute)
{
    struct sc_str in = absolute ? SC_STR_NULL : ck->sp->container;
    for (;;) {
        for (uint32_t i = 0; i < ck->sp->n_vars; i++) {
            struct sc_str v = ck->sp->vars[i].name;
            size_t prefix = in.len ? in.len + 1 : 0;
            if (v.len == prefix + name.len &&
                (in.len == 0 || (memcmp(v.p, in.p, in.len) == 0 && v.p[in.len] == '.')) &&
                memcmp(v.p + prefix, name.p, name.len) == 0)
                return (int32_t)i;
        }
        if (in.len == 0)
            return -1;
        while (in.len > 0 && in.p[in.len - 1] != '.')
            in.len--;
        in.len -= in.len > 0;
    }
}

/* A bare name that means something with `event.` before it, or in quotes. Empty: neither. */
static struct sc_str meant(struct checker *ck, struct sc_str name)
{
    const struct sc_taxonomy *tx = ck->sp->tx;
    if (tx && sc_taxonomy_event(tx, name) >= 0)
        return sc_str_printf(ck->src.ar, "an event's name stands in quotes: \"%.*s\"",
                             SC_STR_FMT(name));
    for (uint32_t e = 0; tx && e < tx->n_events; e++)
        if (sc_event_type_prop(&tx->events[e], name) >= 0)
            return sc_str_printf(ck->src.ar, "a property is written event.%.*s", SC_STR_FMT(name));
    return SC_STR_NULL;
}

static void unknown_name(struct checker *ck, struct node *n)
{
    SC_VEC(struct sc_str) names = {0};
    for (uint32_t i = 0; i < ck->sp->names.n; i++)
        SC_VEC_PUSH(ck->src.ar, &names, ck->sp->names.v[i].name);
    for (uint32_t i = 0; i < ck->sp->n_vars; i++)
        SC_VEC_PUSH(ck->src.ar, &names, ck->sp->vars[i].name);
    for (const struct local *l = ck->locals; l; l = l->up)
        SC_VEC_PUSH(ck->src.ar, &names, l->name);
    SC_VEC_PUSH(ck->src.ar, &names, SC_STR("event"));
    SC_VEC_PUSH(ck->src.ar, &names, SC_STR("customer"));
    struct sc_finding *f =
        sc_diag_add(ck->src.dg, check_free(ck) ? SC_WARNING : SC_ERROR, "unknown-name",
                    sc_mark_at(ck->src.mark, n->name_off, n->name_len),
                    "nothing is named '%.*s' here", SC_STR_FMT(n->name));
    f->hint = meant(ck, n->name);
    if (f->hint.len == 0)
        sc_diag_suggest(ck->src.dg, f, n->name, names.v, names.n - (check_free(ck) ? 2 : 0));
    if (f->hint.len == 0 && !check_free(ck))
        f->hint = sc_str_printf(ck->src.ar, "a text has quotes of its own: '\"%.*s\"'",
                                SC_STR_FMT(n->name));
    n->kind = N_ERROR;
    n->a = SC_VE_NO_VALUE;
}

void rule_resolve_ident(struct checker *ck, struct node *n)
{
    SC_ASSERT(n->kind == N_IDENT);
    struct local *l = n->absolute ? NULL : find_local(ck, n->name);
    if (l) {
        n->kind = N_LOCAL;
        n->v1 = l;
        n->type = l->type;
        return;
    }
    int32_t var = check_free(ck) ? find_binding(ck, n->name, n->absolute) : -1;
    if (var >= 0) {
        n->kind = N_VAR;
        n->a = var;
        return;
    }
    if (resolve_named(ck, n) || resolve_type_name(n, n->name))
        return;
    bool whole = sc_str_eqz(n->name, "event") || sc_str_eqz(n->name, "customer");
    if (!check_free(ck) && whole) {
        CHECK_ERROR(ck, "expr-type", n->off, n->len, "name one of its fields, as in %.*s.%s",
                    SC_STR_FMT(n->name), n->name.p[0] == 'e' ? "name" : "stage");
        return;
    }
    unknown_name(ck, n);
}

struct sc_str rule_dotted(struct checker *ck, const struct node *n)
{
    if (n->kind == N_IDENT)
        return !n->absolute && find_local(ck, n->name) ? SC_STR_NULL : n->name;
    if (n->kind != N_SELECT || n->test || n->optional)
        return SC_STR_NULL;
    struct sc_str left = rule_dotted(ck, n->kid[0]);
    return left.len ? sc_str_printf(ck->src.ar, "%.*s.%.*s", SC_STR_FMT(left), SC_STR_FMT(n->name))
                    : left;
}

static bool root_absolute(const struct node *n)
{
    while (n->kind == N_SELECT)
        n = n->kid[0];
    return n->absolute;
}

bool rule_resolve_select(struct checker *ck, struct node *n)
{
    SC_ASSERT(n->kind == N_SELECT);
    if (check_free(ck)) {
        struct sc_str dotted = rule_dotted(ck, n);
        int32_t var = dotted.len ? find_binding(ck, dotted, root_absolute(n)) : -1;
        if (var >= 0) {
            n->kind = N_VAR;
            n->a = var;
        }
        return var >= 0 || (dotted.len && resolve_type_name(n, dotted));
    }
    const struct node *of = n->kid[0];
    if (of->kind != N_IDENT || find_local(ck, of->name))
        return false;
    if (sc_str_eqz(of->name, "event"))
        resolve_event_select(ck, n);
    else if (sc_str_eqz(of->name, "customer"))
        resolve_customer(ck, n);
    else
        return false;
    return true;
}
