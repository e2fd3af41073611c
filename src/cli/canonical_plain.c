/* Canonical lines as programs write them, straight to events.
 *
 * Nearly every line of a file is plain: ASCII without escapes, each key once and known (but for
 * one), `event` before `properties`, at most one space behind a colon or a comma, values of one
 * piece. Such a line needs no slots and no second look at a value: each is converted where it
 * stands, and keys are not read where the same bytes stand as in the line before. All else, and
 * every line with anything wrong in it, is left to the decoder and intake, which know all of JSON
 * and say what is wrong: this reader never refuses, so the two cannot say different things of one
 * line (tests/prop/lines.c). Cost: about 2,100 instructions a line of 190 bytes, half of theirs; a
 * third of that is the pseudonym's. */
#include "cli/canonical_plain.h"

#include "base/assert.h"
#include "base/time.h"
#include "core/taxonomy/convert.h"
#include "codec/json_scan.h"

#define LINE_MIN 16u /* what json_scan.h asks for, and more than `{}` */
/* A longer one may hold more than an event may: intake counts. A value takes at least a byte of it. */
#define LINE_MAX (SC_EVENT_PROPS_BYTES_MAX / sizeof(struct sc_value))
#define LEAD_MAX 40u

/* A name of one of the tables below, as it is met. */
struct name {
    struct sc_want_words words; /* up to 15 bytes */
    struct sc_str text;         /* any; p NULL when the words say it all */
};

/* What stood between one value of an object and the next, `,"id": `, and whose that one was. */
struct lead {
    uint32_t which;
    uint32_t len; /* 0: not known yet */
    char bytes[LEAD_MAX];
};

/* The names an object may have, n of them, and what stood before each when it was last met: by the
 * one before it, behind the opening brace [n], behind a name that is nobody's [n + 1]. */
struct keys {
    struct name *names;
    struct lead *leads;
    uint32_t n;
};

enum place { EVENT, ID, OCCURRED_AT, SOURCE, IDENTIFIERS, PROPERTIES, PLACES };
#define NEEDED (1u << EVENT | 1u << ID | 1u << OCCURRED_AT)

struct event_name { /* by its words; ref NULL: free */
    struct sc_want_words words;
    const struct sc_event_ref *ref;
};

struct sc_plain {
    const struct sc_taxonomy *tx;
    struct sc_pseudonyms *ps;
    struct keys places, namespaces;
    struct keys *props;         /* by event */
    struct event_name *events;  /* short ones; the rest is in the taxonomy's map */
    uint32_t events_mask;
    uint16_t source;            /* the line before had this one */
    struct sc_str source_name;
};

struct line {
    struct sc_plain *pl;
    const char *p, *begin, *end;
    struct sc_arena *ar;
    struct sc_event *ev;
    struct sc_value *props;
    uint32_t places, namespaces; /* seen: bits */
    bool stranger;               /* of the properties: one is nobody's */
};

/* ---- names */

static struct name name_of(struct sc_str text)
{
    struct name n = {.text = text};
    char bytes[16] = {0};
    if (text.len < sizeof(bytes) && memchr(text.p, '\0', text.len) == NULL) {
        memcpy(bytes, text.p, text.len);
        n.text = SC_STR_NULL;
    }
    memcpy(&n.words, bytes, sizeof(n.words));
    return n;
}

static inline bool same(const struct name *a, const struct name *b)
{
    return a->words.low == b->words.low && a->words.high == b->words.high &&
           (a->text.p == NULL ? b->text.p == NULL
                              : b->text.p != NULL && sc_str_eq(a->text, b->text));
}

static struct keys keys_of(uint32_t n, struct sc_arena *load)
{
    return (struct keys){SC_NEW_N(load, struct name, n + 1), SC_NEW_N(load, struct lead, n + 2), n};
}

static void put_event(struct sc_plain *pl, struct sc_str name)
{
    struct name n = name_of(name);
    if (n.text.p)
        return;
    uint32_t at = sc_want_hash(n.words) & pl->events_mask;
    while (pl->events[at].ref)
        at = (at + 1) & pl->events_mask;
    pl->events[at] = (struct event_name){n.words, sc_map_get(&pl->tx->event_by_name, name)};
    SC_ASSERT(pl->events[at].ref != NULL);
}

static const struct sc_event_ref *find_event(const struct sc_plain *pl, const struct name *n)
{
    if (n->text.p)
        return sc_map_get(&pl->tx->event_by_name, n->text);
    for (uint32_t at = sc_want_hash(n->words) & pl->events_mask;; at = (at + 1) & pl->events_mask) {
        const struct event_name *e = &pl->events[at];
        if (e->ref == NULL ||
            (e->words.low == n->words.low && e->words.high == n->words.high))
            return e->ref;
    }
}

static void name_events(struct sc_plain *pl, struct sc_arena *load)
{
    const struct sc_taxonomy *tx = pl->tx;
    uint32_t n = 0, cap = 16;
    for (uint32_t e = 0; e < tx->n_events; e++)
        n += 1 + tx->events[e].n_aliases;
    while (cap < 2 * n)
        cap *= 2;
    pl->events = SC_NEW_N(load, struct event_name, cap);
    pl->events_mask = cap - 1;
    pl->props = SC_NEW_N(load, struct keys, tx->n_events + 1);
    for (uint32_t e = 0; e < tx->n_events; e++) {
        const struct sc_event_type *et = &tx->events[e];
        put_event(pl, et->name);
        for (uint32_t i = 0; i < et->n_aliases; i++)
            put_event(pl, et->aliases[i].name);
        pl->props[e] = keys_of(et->n_props, load);
        for (uint32_t i = 0; i < et->n_props; i++)
            pl->props[e].names[i] = name_of(et->props[i].name);
    }
}

struct sc_plain *sc_plain_create(const struct sc_taxonomy *tx, struct sc_pseudonyms *ps,
                                 struct sc_arena *load)
{
    static const char *const places[PLACES] = {"event", "id", "occurred_at", "source",
                                               "identifiers", "properties"};
#ifndef __SSE2__
    return NULL; /* strings are not plain then (json_scan.h) */
#endif
    SC_ASSERT(tx->canonical.canonical && !tx->canonical.has_sent_received);
    SC_ASSERT(tx->canonical.n_idents == tx->n_namespaces && tx->canonical.renames.n == 0);
    struct sc_plain *pl = SC_NEW(load, struct sc_plain);
    pl->tx = tx;
    pl->ps = ps;
    pl->source = SC_SOURCE_NONE;
    pl->places = keys_of(PLACES, load);
    for (int i = 0; i < PLACES; i++)
        pl->places.names[i] = name_of(sc_str_from(places[i]));
    pl->namespaces = keys_of(tx->n_namespaces, load);
    for (uint32_t i = 0; i < tx->n_namespaces; i++)
        pl->namespaces.names[i] = name_of(tx->namespaces[i].name);
    name_events(pl, load);
    return pl;
}

/* ---- pieces; each false where it is not plain */

static inline bool at(const struct line *ln, char c)
{
    return ln->p < ln->end && *ln->p == c;
}

/* `c` and at most a space behind it. */
static inline bool pass(struct line *ln, char c)
{
    if (!at(ln, c))
        return false;
    ln->p++;
    ln->p += at(ln, ' ');
    return true;
}

static inline bool text(struct line *ln, struct sc_str *out)
{
    const char *from = ln->p + 1;
    const char *quote = at(ln, '"') ? sc_json_plain_string(from, ln->begin, ln->end) : NULL;
    if (quote == NULL)
        return false;
    *out = (struct sc_str){from, (size_t)(quote - from)};
    ln->p = quote + 1;
    return true;
}

static inline bool name(struct line *ln, struct name *out)
{
    struct sc_str s;
    const char *from = ln->p + 1;
    const char *quote = at(ln, '"') && ln->end - from >= 16 ? sc_json_plain_key(from) : NULL;
    if (quote != NULL) {
        *out = (struct name){sc_json_key_words(from, (size_t)(quote - from)), SC_STR_NULL};
        ln->p = quote + 1;
        return true;
    }
    if (!text(ln, &s))
        return false;
    *out = name_of(s);
    return true;
}

/* The next member where it is not as in the line before; remembers how it is. */
static bool learn(struct line *ln, struct keys *ks, uint32_t *which)
{
    struct lead *lead = &ks->leads[*which];
    const char *from = ln->p;
    struct name n;
    if (!pass(ln, *which == ks->n ? '{' : ',') || !name(ln, &n) || !pass(ln, ':'))
        return false;
    for (*which = 0; *which < ks->n && !same(&ks->names[*which], &n);)
        ++*which;
    if (*which == ks->n)
        ++*which; /* nobody's */
    size_t len = (size_t)(ln->p - from);
    if (len <= LEAD_MAX) {
        lead->which = *which;
        lead->len = (uint32_t)len;
        memcpy(lead->bytes, from, len);
    }
    return true;
}

/* As memcmp(a, b, n) == 0, inline for what most leads are. */
static inline bool equal(const char *a, const char *b, size_t n)
{
    uint64_t a8, b8, c8, d8;
    if (n < sizeof(a8) || n > 2 * sizeof(a8))
        return memcmp(a, b, n) == 0;
    memcpy(&a8, a, sizeof(a8));
    memcpy(&b8, b, sizeof(b8));
    memcpy(&c8, a + n - sizeof(c8), sizeof(c8)); /* the two may overlap */
    memcpy(&d8, b + n - sizeof(d8), sizeof(d8));
    return ((a8 ^ b8) | (c8 ^ d8)) == 0;
}

/* Behind the next member's colon. `which`: the member before, and then this one. */
static inline bool member(struct line *ln, struct keys *ks, uint32_t *which)
{
    const struct lead *lead = &ks->leads[*which];
    if (lead->len == 0 || (size_t)(ln->end - ln->p) <= lead->len ||
        !equal(ln->p, lead->bytes, lead->len) || ln->p[lead->len] == ' ')
        return learn(ln, ks, which);
    ln->p += lead->len;
    *which = lead->which;
    return true;
}

static inline bool empty(struct line *ln)
{
    bool is = ln->end - ln->p >= 2 && ln->p[0] == '{' && ln->p[1] == '}';
    ln->p += is ? 2 : 0;
    return is;
}

static inline bool closes(struct line *ln)
{
    bool is = at(ln, '}');
    ln->p += is;
    return is;
}

/* An object's members, one or more, and its end. `take` has the value of the name that is given. */
static inline bool members(struct line *ln, struct keys *ks,
                           bool (*take)(struct line *ln, uint32_t which))
{
    uint32_t which = ks->n;
    do {
        if (!member(ln, ks, &which) || !take(ln, which))
            return false;
    } while (at(ln, ','));
    return closes(ln);
}

static inline bool mark(uint32_t *seen, uint32_t bit)
{
    bool twice = *seen >> bit & 1;
    *seen |= 1u << bit;
    return !twice;
}

/* ---- places */

static bool take_event(struct line *ln)
{
    struct name n;
    const struct sc_event_ref *ref = name(ln, &n) ? find_event(ln->pl, &n) : NULL;
    if (ref == NULL)
        return false;
    const struct sc_event_type *et = &ln->pl->tx->events[ref->index];
    ln->ev->type = ref->index;
    ln->ev->deprecated = ref->deprecated;
    ln->props = SC_NEW_N(ln->ar, struct sc_value, et->n_props);
    ln->ev->props = ln->props;
    ln->ev->n_props = et->n_props;
    return true;
}

static bool take_id(struct line *ln)
{
    return text(ln, &ln->ev->id) && ln->ev->id.len > 0 && ln->ev->id.len <= SC_EVENT_ID_BYTES_MAX;
}

static bool take_time(struct line *ln)
{
    struct sc_str s;
    int64_t ms;
    if (!text(ln, &s) || !sc_time_parse(s, ln->pl->tx->canonical.zone, &ms, NULL) ||
        ms < SC_TIME_MIN_MS || ms > SC_TIME_MAX_MS)
        return false;
    ln->ev->claimed_ms = ln->ev->occurred_ms = ms;
    return true;
}

static bool take_source(struct line *ln)
{
    struct sc_plain *pl = ln->pl;
    if (!text(ln, &ln->ev->source_name) || ln->ev->source_name.len > SC_EVENT_ID_BYTES_MAX)
        return false;
    if (!sc_str_eq(ln->ev->source_name, pl->source_name)) {
        int index = sc_taxonomy_source(pl->tx, ln->ev->source_name);
        pl->source = index < 0 ? SC_SOURCE_NONE : (uint16_t)index;
        /* kept from line to line, so it is the taxonomy's text or none */
        pl->source_name = index < 0 ? SC_STR_NULL : pl->tx->sources[index].name;
    }
    ln->ev->source = pl->source;
    return true;
}

static bool take_identifier(struct line *ln, uint32_t ns)
{
    const struct sc_plain *pl = ln->pl;
    struct sc_str raw;
    struct sc_identifier id;
    if (!text(ln, &raw))
        return false;
    if (ns >= pl->namespaces.n)
        return true; /* nobody's: not even looked at */
    if (!mark(&ln->namespaces, ns))
        return false;
    switch (sc_identify_begin(pl->ps, (uint8_t)ns, raw, ln->ar, &id)) {
    case SC_IDENT_OK:
        sc_identifiers_begin(pl->ps, ln->ev, &id);
        return true;
    case SC_IDENT_BLOCKED:
        return true;
    case SC_IDENT_TOO_LONG:
        return false;
    }
    SC_UNREACHABLE("result of identifying");
}

static bool take_identifiers(struct line *ln)
{
    return empty(ln) || members(ln, &ln->pl->namespaces, take_identifier);
}

/* `exact`: of a number that is none of ours its text is wanted. */
static bool number(struct line *ln, bool exact, struct sc_value *out)
{
    struct sc_json_plain plain;
    struct sc_json_number n;
    const char *behind = sc_json_plain_number(ln->p, ln->end, &plain);
    if (behind != NULL) {
        ln->p = behind;
        *out = sc_json_plain_value(plain);
        return true;
    }
    return sc_json_scan_number(&ln->p, ln->end, &n) == SC_DROP_NONE &&
           sc_json_number_value(&n, exact, ln->ar, out);
}

/* Text, a number, true or false: what most properties are. */
static bool value(struct line *ln, bool exact, struct sc_value *out)
{
    struct sc_str s;
    if (at(ln, '"')) {
        if (!text(ln, &s))
            return false;
        *out = sc_string(s);
        return true;
    }
    size_t left = (size_t)(ln->end - ln->p);
    if (left > 4 && memcmp(ln->p, "true", 4) == 0) {
        ln->p += 4;
        *out = sc_bool(true);
        return true;
    }
    if (left > 5 && memcmp(ln->p, "false", 5) == 0) {
        ln->p += 5;
        *out = sc_bool(false);
        return true;
    }
    bool is_number = left > 0 && (*ln->p == '-' || (unsigned char)(*ln->p - '0') <= 9);
    return is_number && number(ln, exact, out);
}

static bool take_property(struct line *ln, uint32_t i)
{
    const struct sc_event_type *et = &ln->pl->tx->events[ln->ev->type];
    const struct sc_source *canonical = &ln->pl->tx->canonical;
    struct sc_value v;
    if (!value(ln, i < et->n_props && et->props[i].type == SC_T_DECIMAL, &v))
        return false;
    if (i >= et->n_props) { /* two might be one twice, and another event's: refused then */
        bool first = !ln->stranger;
        ln->stranger = true;
        return first;
    }
    if (ln->props[i].type != SC_T_ABSENT) /* twice: a value that is taken is never absent */
        return false;
    ln->props[i] = v;
    return sc_intake_property(&et->props[i], &canonical->events[ln->ev->type].props[i].map,
                              canonical->zone, ln->ar, &ln->props[i]) == SC_DROP_NONE;
}

static bool take_properties(struct line *ln)
{
    if (!(ln->places >> EVENT & 1))
        return false; /* not known yet whose */
    return empty(ln) || members(ln, &ln->pl->props[ln->ev->type], take_property);
}

static bool take_place(struct line *ln, uint32_t place)
{
    if (place >= PLACES || !mark(&ln->places, place))
        return false;
    switch ((enum place)place) {
    case EVENT: return take_event(ln);
    case ID: return take_id(ln);
    case OCCURRED_AT: return take_time(ln);
    case SOURCE: return take_source(ln);
    case IDENTIFIERS: return take_identifiers(ln);
    case PROPERTIES: return take_properties(ln);
    case PLACES: break;
    }
    SC_UNREACHABLE("place of a canonical line");
}

/* ---- the line */

/* Is all that the event needs there? */
static bool required(const struct sc_event_type *et, const struct sc_value *props)
{
    for (uint32_t i = 0; i < et->n_props; i++)
        if (et->props[i].required && props[i].type == SC_T_ABSENT)
            return false;
    return true;
}

bool sc_plain_read(struct sc_plain *pl, struct sc_str line, const struct sc_record_meta *meta,
                   struct sc_arena *ar, struct sc_event *ev)
{
    struct line ln = {pl, line.p, line.p, line.p + line.len, ar, ev, NULL, 0, 0, false};
    SC_ASSERT(meta->timestamp_ms == INT64_MIN); /* a file: its times are believed */
    if (line.len < LINE_MIN || line.len > LINE_MAX)
        return false;
    memset(ev, 0, offsetof(struct sc_event, ids));
    ev->origin = meta->origin;
    ev->source = SC_SOURCE_NONE;
    if (!members(&ln, &pl->places, take_place) || ln.p != ln.end || (ln.places & NEEDED) != NEEDED ||
        !required(&pl->tx->events[ev->type], ev->props))
        return false;
    ev->id_hash = sc_event_id_hash(ev->source_name, ev->id);
    return true;
}
