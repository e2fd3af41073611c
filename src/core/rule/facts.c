/* Aggregates over the customer's events: which fact a call means, and its one canonical text.
 *
 * The text is the fact's identity: `count( 'x' , 168h )` and `count("x", "7d")` are one fact with
 * one place in the state. Also open() and recent(). Cost: load time only. */
#include "core/rule/check.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/time.h"

struct aggregate {
    const char *name;
    enum sc_fact_kind kind;
    uint8_t prop;   /* 0: takes no property, 1: may, 2: must */
    bool window;
    const char *usage, *value, *doc;
};

static const struct aggregate aggregates[] = {
    {"count", SC_FACT_COUNT, 0, true, "count(event[, window])", "int", "how many of the event"},
    {"sum", SC_FACT_SUM, 2, true, "sum(event, property[, window])", "the property's type",
     "exact for int and decimal; 0 when there is none"},
    {"min", SC_FACT_MIN, 2, true, "min(event, property[, window])", "the property's type",
     "an error when there is none"},
    {"max", SC_FACT_MAX, 2, true, "max(event, property[, window])", "the property's type",
     "an error when there is none"},
    {"avg", SC_FACT_AVG, 2, true, "avg(event, property[, window])", "double",
     "an error when there is none"},
    {"distinct", SC_FACT_DISTINCT, 2, true, "distinct(event, property[, window])", "int",
     "different values; exact to 256, then an estimate within 2 %, printed with ~"},
    {"first", SC_FACT_FIRST, 1, false, "first(event[, property])",
     "the property's type, or timestamp", "by event time; an error before any"},
    {"last", SC_FACT_LAST, 1, false, "last(event[, property])",
     "the property's type, or timestamp", "by event time; an error before any"},
    {"seen", SC_FACT_SEEN, 0, true, "seen(event[, window])", "bool", "whether there was any"},
    {"since", SC_FACT_SINCE, 0, false, "since(event)", "duration",
     "time since the last; an error before any"},
};

#define AGGREGATES (sizeof(aggregates) / sizeof(aggregates[0]))

/* A call while it is taken apart. */
struct parts {
    struct node *call;
    const struct aggregate *ag;
    const struct node *event, *prop, *window;
    struct sc_str zone; /* of a calendar window, as written; may be empty */
    struct node *where;
    struct sc_fact fact;
};

static bool wrong(struct checker *ck, const struct node *at, const char *what)
{
    CHECK_ERROR(ck, "expr-argument", at->off, at->len, "%s", what);
    return false;
}

static bool is_string(const struct node *n)
{
    return n->kind == N_CONST && n->value.type == SC_T_STRING;
}

/* A duration literal, or text that is one. */
static bool is_window(const struct node *n, int64_t *ms)
{
    if (n->kind == N_CONST && n->value.type == SC_T_DURATION) {
        *ms = n->value.i;
        return true;
    }
    return is_string(n) && sc_duration_parse(sc_value_str(n->value), ms);
}

#define CALENDAR "calendar"

static const struct {
    const char *name;
    int64_t most_ms; /* the longest there is: clocks go back by an hour, seldom by two */
} calendars[] = {[SC_CAL_DAY] = {"day", 26 * SC_HOUR_MS},
                 [SC_CAL_WEEK] = {"week", 7 * SC_DAY_MS + 2 * SC_HOUR_MS},
                 [SC_CAL_MONTH] = {"month", 31 * SC_DAY_MS + 2 * SC_HOUR_MS}};

static struct sc_str take_word(struct sc_str *s)
{
    size_t n = 0;
    *s = sc_str_trim(*s);
    while (n < s->len && s->p[n] != ' ')
        n++;
    struct sc_str word = {s->p, n};
    *s = sc_str_trim((struct sc_str){s->p + n, s->len - n});
    return word;
}

/* `calendar day`, `calendar week UTC`, `calendar month Europe/Oslo`: the customer's zone unless one
 * is named. */
static bool take_calendar(struct checker *ck, struct parts *p, const struct node *arg)
{
    struct sc_str rest = sc_value_str(arg->value);
    SC_ASSERT(p->fact.calendar == SC_ROLLING);
    take_word(&rest);
    struct sc_str period = take_word(&rest);
    for (int32_t c = SC_CAL_DAY; c <= SC_CAL_MONTH; c++)
        if (sc_str_eqz(period, calendars[c].name))
            p->fact.calendar = c;
    if (p->fact.calendar == SC_ROLLING)
        return wrong(ck, arg, "a calendar window is \"calendar day\", week or month, and may "
                              "name a zone: \"calendar day Europe/Oslo\"");
    p->fact.window_ms = calendars[p->fact.calendar].most_ms;
    p->fact.zone.customer = rest.len == 0;
    p->zone = rest;
    if (rest.len == 0 || sc_str_eqz(rest, "UTC"))
        return true;
    struct sc_tz *tz = sc_tz_load(rest);
    if (tz == NULL)
        return wrong(ck, arg, "there is no such time zone; they are named as in tzdata: "
                              "Europe/Oslo, UTC");
    p->fact.zone.fixed = tz;
    SC_VEC_PUSH(ck->sp->ar, &ck->sp->zones, tz);
    return true;
}

static bool is_calendar(const struct node *arg)
{
    if (!is_string(arg))
        return false;
    struct sc_str text = sc_str_trim(sc_value_str(arg->value));
    size_t word = sizeof(CALENDAR) - 1;
    return sc_str_starts(text, SC_STR(CALENDAR)) && (text.len == word || text.p[word] == ' ');
}

static bool take_named(struct checker *ck, struct parts *p, struct node *arg)
{
    if (sc_str_eqz(arg->label, "where") && p->where == NULL) {
        p->where = arg;
        return true;
    }
    if (sc_str_eqz(arg->label, "exact") && arg->kind == N_CONST && arg->value.type == SC_T_BOOL) {
        p->fact.exact = arg->value.i != 0;
        return true;
    }
    CHECK_ERROR(ck, "expr-argument", arg->label_off, arg->label_len,
                "'%.*s:' is no argument of %s(); there are where: and exact: true",
                SC_STR_FMT(arg->label), p->ag->name);
    return false;
}

/* Sort the arguments by what they can be: event, property, window. */
static bool take_arguments(struct checker *ck, struct parts *p)
{
    int64_t ms = 0;
    for (uint32_t i = 0; i < p->call->n; i++) {
        struct node *arg = p->call->kid[i];
        if (arg->label.len) {
            if (!take_named(ck, p, arg))
                return false;
        } else if (p->event == NULL) {
            if (!is_string(arg))
                return wrong(ck, arg, "an event's name in quotes is expected here");
            p->event = arg;
        } else if (p->prop == NULL && p->window == NULL && p->ag->prop && is_string(arg)) {
            p->prop = arg;
        } else if (p->window == NULL && p->ag->window) {
            p->window = arg;
            if (is_calendar(arg)) {
                if (!take_calendar(ck, p, arg))
                    return false;
                continue;
            }
            if (!is_window(arg, &ms) || ms <= 0)
                return wrong(ck, arg, "a window is a duration, as in \"7d\" or 24h, or "
                                      "\"calendar day\", week or month");
            p->fact.window_ms = ms;
        } else {
            return wrong(ck, arg, sc_arena_printf(ck->src.ar, "one argument too many: %s",
                                                  p->ag->usage));
        }
    }
    if (p->event == NULL || (p->ag->prop == 2 && p->prop == NULL))
        return wrong(ck, p->call, sc_arena_printf(ck->src.ar, "an argument is missing: %s",
                                                  p->ag->usage));
    return true;
}

static bool prop_fits(enum sc_fact_kind kind, uint8_t type)
{
    bool number = type == SC_T_INT || type == SC_T_DOUBLE || type == SC_T_DECIMAL;
    bool ordered = number || type == SC_T_TIMESTAMP || type == SC_T_DURATION;
    switch (kind) {
    case SC_FACT_SUM: case SC_FACT_AVG:
        return number;
    case SC_FACT_MIN: case SC_FACT_MAX:
        return ordered;
    case SC_FACT_DISTINCT:
        return type != SC_T_LIST && type != SC_T_MAP;
    case SC_FACT_COUNT: case SC_FACT_FIRST: case SC_FACT_LAST: case SC_FACT_SEEN:
    case SC_FACT_SINCE:
        break;
    }
    return true;
}

static bool take_property(struct checker *ck, struct parts *p)
{
    const struct sc_event_type *et = &ck->sp->tx->events[p->fact.event];
    struct sc_str name = sc_value_str(p->prop->value);
    int at = sc_event_type_prop(et, name);
    if (at < 0) {
        struct sc_str *names = SC_NEW_N(ck->src.ar, struct sc_str, et->n_props + 1);
        for (uint32_t i = 0; i < et->n_props; i++)
            names[i] = et->props[i].name;
        struct sc_finding *f = CHECK_ERROR(
            ck, "unknown-property", p->prop->off, p->prop->len,
            "event '%.*s' has no property '%.*s'", SC_STR_FMT(et->name), SC_STR_FMT(name));
        f->decl = et->at ? et->at->mark : (struct sc_mark){0};
        sc_diag_suggest(ck->src.dg, f, name, names, et->n_props);
        return false;
    }
    const struct sc_property *prop = &et->props[at];
    if (!prop_fits(p->ag->kind, prop->type)) {
        CHECK_ERROR(ck, "expr-type", p->prop->off, p->prop->len, "%s() does not take %s",
                    p->ag->name, sc_type_name((enum sc_type)prop->type))
            ->decl = prop->at ? prop->at->mark : (struct sc_mark){0};
        return false;
    }
    p->fact.prop = (int16_t)at;
    ck->sp->read[p->fact.event][at / 64] |= UINT64_C(1) << (at % 64);
    return true;
}

/* ---- Canonical text */

/* Whether tokens `a` and `b` stand apart: names, values and binary operators do. */
static bool spaced(const struct token *a, const struct token *b, bool sign)
{
    if (a->kind == TOK_LPAREN || a->kind == TOK_LBRACKET || a->kind == TOK_LBRACE ||
        a->kind == TOK_DOT || a->kind == TOK_NOT || sign)
        return false;
    if (b->kind == TOK_RPAREN || b->kind == TOK_RBRACKET || b->kind == TOK_RBRACE ||
        b->kind == TOK_DOT || b->kind == TOK_COMMA || b->kind == TOK_COLON)
        return false;
    bool callable = a->kind == TOK_IDENT || a->kind == TOK_RPAREN || a->kind == TOK_RBRACKET;
    return !(callable && (b->kind == TOK_LPAREN || b->kind == TOK_LBRACKET));
}

static void text_token(struct sc_buf *out, const struct token *t)
{
    if (t->kind != TOK_CONST || t->value.type != SC_T_STRING) {
        sc_buf_str(out, t->kind == TOK_CONST || t->kind == TOK_IDENT || t->len ? t->text
                                                                              : SC_STR_NULL);
        return;
    }
    struct sc_jsonw w; /* JSON's quotes and escapes are CEL's too */
    sc_jsonw_init(&w, out);
    sc_jsonw_str(&w, sc_value_str(t->value));
}

/* The tokens of a sub-expression, spaced one way, strings in double quotes. */
static void canonical_text(struct checker *ck, const struct node *n, struct sc_buf *out)
{
    struct rule_src part = ck->src;
    struct token before = {.kind = TOK_LPAREN};
    bool sign = false;
    part.text = (struct sc_str){ck->src.text.p + n->off, n->len};
    struct lexer lx = {.src = &part};
    for (struct token t = rule_lex(&lx); t.kind != TOK_END; t = rule_lex(&lx)) {
        SC_ASSERT(t.kind != TOK_ERROR);
        if (spaced(&before, &t, sign))
            sc_buf_char(out, ' ');
        text_token(out, &t);
        bool operand = before.kind == TOK_CONST || before.kind == TOK_IDENT ||
                       before.kind == TOK_QUOTED || before.kind == TOK_RPAREN ||
                       before.kind == TOK_RBRACKET || before.kind == TOK_RBRACE;
        sign = t.kind == TOK_MINUS && !operand;
        before = t;
    }
}

static struct sc_str fact_text(struct checker *ck, const struct parts *p)
{
    const struct sc_event_type *et = &ck->sp->tx->events[p->fact.event];
    struct sc_buf b = {0};
    sc_buf_addf(&b, "%s(\"%.*s\"", p->ag->name, SC_STR_FMT(et->name));
    if (p->fact.prop >= 0)
        sc_buf_addf(&b, ", \"%.*s\"", SC_STR_FMT(et->props[p->fact.prop].name));
    if (p->fact.calendar != SC_ROLLING) {
        sc_buf_addf(&b, ", \"" CALENDAR " %s%s%.*s\"", calendars[p->fact.calendar].name,
                    p->zone.len ? " " : "", SC_STR_FMT(p->zone));
    } else if (p->fact.window_ms) {
        char window[64];
        size_t n = sc_duration_format(p->fact.window_ms, window);
        sc_buf_addf(&b, ", \"%.*s\"", (int)n, window);
    }
    if (p->where) {
        sc_buf_addz(&b, ", where: ");
        canonical_text(ck, p->where, &b);
    }
    sc_buf_addz(&b, p->fact.exact ? ") exact" : ")");
    struct sc_str text = sc_str_dup(ck->src.ar, sc_buf_view(&b));
    sc_buf_fini(&b);
    return text;
}

/* ---- Interning */

static bool compile_where(struct checker *ck, struct parts *p)
{
    const struct node *w = p->where;
    struct sc_rule_opts opts = {.use = SC_USE_WHERE, .only_event = p->fact.event};
    struct sc_str text = {ck->src.text.p + w->off, w->len};
    p->fact.where = sc_rule_compile(ck->sp, text, sc_mark_at(ck->src.mark, w->off, w->len), opts);
    return p->fact.where != NULL;
}

/* The index of the fact; -1 after a finding, or when it is past the limit. */
static int32_t intern(struct checker *ck, struct parts *p)
{
    struct sc_scope *sp = ck->sp;
    p->fact.exact = (p->fact.exact || sp->exact) && p->fact.window_ms > 0;
    p->fact.text = fact_text(ck, p);
    p->fact.key = sc_hash_name(p->fact.text);
    p->fact.mark = sc_mark_at(ck->src.mark, p->call->off, p->call->len);
    struct sc_str key = {(const char *)&p->fact.key, sizeof(p->fact.key)};
    uintptr_t at = (uintptr_t)sc_map_get(&sp->fact_by_key, key);
    SC_ASSERT(at <= sp->facts.n);
    if (at && sc_str_eq(sp->facts.v[at - 1].text, p->fact.text))
        return (int32_t)at - 1;
    if (at) {
        CHECK_ERROR(ck, "fact-key", p->call->off, p->call->len,
                    "this aggregate and %.*s have the same key: change a window or a name",
                    SC_STR_FMT(sp->facts.v[at - 1].text));
        return -1;
    }
    if (sp->facts.n == SC_FACTS_MAX) {
        if (sc_map_put(&sp->fact_past, p->fact.text, sp) == NULL) /* each is counted once */
            sc_over_add(&sp->facts_over, p->fact.mark);
        ck->broken = true;
        return -1;
    }
    if (p->where && !compile_where(ck, p))
        return -1;
    SC_VEC_PUSH(sp->ar, &sp->facts, p->fact);
    sc_map_put(&sp->fact_by_key, key, (void *)(uintptr_t)sp->facts.n);
    return (int32_t)sp->facts.n - 1;
}

static struct rule_ty fact_type(const struct checker *ck, const struct sc_fact *fact)
{
    const struct sc_event_type *et = &ck->sp->tx->events[fact->event];
    switch (fact->kind) {
    case SC_FACT_COUNT: case SC_FACT_DISTINCT:
        return (struct rule_ty){SC_T_INT, 0};
    case SC_FACT_AVG:
        return (struct rule_ty){SC_T_DOUBLE, 0};
    case SC_FACT_SEEN:
        return (struct rule_ty){SC_T_BOOL, 0};
    case SC_FACT_SINCE:
        return (struct rule_ty){SC_T_DURATION, 0};
    case SC_FACT_SUM: case SC_FACT_MIN: case SC_FACT_MAX: case SC_FACT_FIRST: case SC_FACT_LAST:
        break;
    }
    if (fact->prop < 0)
        return (struct rule_ty){SC_T_TIMESTAMP, 0};
    return (struct rule_ty){et->props[fact->prop].type, et->props[fact->prop].element};
}

static void resolve_aggregate(struct checker *ck, struct node *call, const struct aggregate *ag)
{
    struct parts p = {.call = call, .ag = ag, .fact = {.kind = ag->kind, .prop = -1}};
    call->kind = N_FACT;
    if (!take_arguments(ck, &p))
        return;
    int32_t event = rule_resolve_event(ck, p.event);
    if (event < 0)
        return;
    p.fact.event = (uint16_t)event;
    if (p.prop && !take_property(ck, &p))
        return;
    call->a = intern(ck, &p);
    if (call->a < 0)
        return;
    call->type = fact_type(ck, &p.fact);
    SC_VEC_PUSH(ck->src.ar, &ck->facts, (uint16_t)call->a);
}

/* ---- open() and recent() */

static void resolve_open(struct checker *ck, struct node *call)
{
    const struct sc_taxonomy *tx = ck->sp->tx;
    call->kind = N_OPEN;
    call->type.t = SC_T_BOOL;
    if (call->n != 1 || !is_string(call->kid[0])) {
        wrong(ck, call, "open() wants the name of a case in quotes");
        return;
    }
    struct sc_str name = sc_value_str(call->kid[0]->value);
    call->a = sc_taxonomy_case(tx, name);
    if (call->a >= 0)
        return;
    struct sc_str *names = SC_NEW_N(ck->src.ar, struct sc_str, tx->n_cases + 1);
    for (uint32_t i = 0; i < tx->n_cases; i++)
        names[i] = tx->cases[i].name;
    struct sc_finding *f = CHECK_ERROR(ck, "unknown-case", call->kid[0]->off, call->kid[0]->len,
                                       "no case '%.*s' in the taxonomy", SC_STR_FMT(name));
    sc_diag_suggest(ck->src.dg, f, name, names, tx->n_cases);
}

static void resolve_recent(struct checker *ck, struct node *call)
{
    struct sc_scope *sp = ck->sp;
    call->kind = N_RECENT;
    call->type = (struct rule_ty){SC_T_LIST, SC_T_MAP};
    const struct node *count = call->n == 2 ? call->kid[1] : NULL;
    if (count == NULL || !is_string(call->kid[0]) || count->kind != N_CONST ||
        count->value.type != SC_T_INT || count->value.i < 1 ||
        count->value.i > SC_RULE_RECENT_MAX) {
        wrong(ck, call, "recent() wants an event's name or \"*\", and a number from 1 to 64");
        return;
    }
    call->b = (uint32_t)count->value.i;
    bool any = sc_str_eqz(sc_value_str(call->kid[0]->value), "*");
    call->a = any ? -1 : rule_resolve_event(ck, call->kid[0]);
    sp->recent_used = true;
    if (call->b > sp->recent_max)
        sp->recent_max = call->b;
    for (uint32_t e = 0; e < sp->tx->n_events; e++)
        if (any || (int32_t)e == call->a)
            sp->ring_reads[e] = 1;
}

bool rule_fact_resolve(struct checker *ck, struct node *call)
{
    SC_ASSERT(call->kind == N_CALL && !call->method);
    bool open = sc_str_eqz(call->name, "open"), recent = sc_str_eqz(call->name, "recent");
    const struct aggregate *ag = NULL;
    for (size_t i = 0; i < AGGREGATES && ag == NULL; i++)
        if (sc_str_eqz(call->name, aggregates[i].name))
            ag = &aggregates[i];
    if (!open && !recent && ag == NULL)
        return false;
    ck->reads_facts = true;
    if (ck->opts.use == SC_USE_WHERE)
        CHECK_ERROR(ck, "where-scope", call->off, call->len, "where: may read 'event' alone");
    if (open)
        resolve_open(ck, call);
    else if (recent)
        resolve_recent(ck, call);
    else
        resolve_aggregate(ck, call, ag);
    return true;
}

uint32_t rule_fact_names(struct sc_str *names, uint32_t room)
{
    uint32_t n = 0;
    for (size_t i = 0; i < AGGREGATES && n < room; i++)
        names[n++] = sc_str_from(aggregates[i].name);
    if (n + 2 <= room) {
        names[n++] = SC_STR("open");
        names[n++] = SC_STR("recent");
    }
    return n;
}

void rule_fact_reference(struct sc_buf *out)
{
    sc_buf_addz(out, "| aggregate | value | notes |\n|---|---|---|\n");
    for (size_t i = 0; i < AGGREGATES; i++)
        sc_buf_addf(out, "| `%s` | %s | %s |\n", aggregates[i].usage, aggregates[i].value,
                    aggregates[i].doc);
    sc_buf_addz(out, "| `open(case)` | bool | whether the customer has such a case open |\n"
                     "| `recent(event or \"*\", n)` | list of maps | newest first, n up to 64 |\n");
}
