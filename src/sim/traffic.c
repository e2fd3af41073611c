/* See traffic.h. */
#include "sim/traffic.h"

#include "base/assert.h"
#include "base/jsonw.h"
#include <stdio.h>

#define LIST_MAX 3u
#define TRIES 64

static uint32_t below(struct sc_traffic *tr, uint32_t n)
{
    uint64_t z = (tr->random += 0x9e3779b97f4a7c15u); /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    SC_ASSERT(n > 0);
    return (uint32_t)((z ^ z >> 31) % n);
}

/* ---- identifiers */

static void put_identifier(struct sc_traffic *tr, struct sc_jsonw *js,
                           const struct sc_namespace *ns, uint32_t person)
{
    char text[128];
    if (ns->normalize == SC_NORM_EMAIL)
        snprintf(text, sizeof(text), "person%u@example.org", person);
    else if (ns->normalize == SC_NORM_E164)
        snprintf(text, sizeof(text), "+47900%05u", person);
    else /* two of those that are many to one */
        snprintf(text, sizeof(text), "%.*s-%u%s", SC_STR_FMT(ns->name), person,
                 ns->unique || below(tr, 4) ? "" : "b");
    sc_jsonw_key(js, ns->name);
    sc_jsonw_strz(js, text);
}

/* One for sure, of what the source knows people by, others now and then. */
static void put_identifiers(struct sc_traffic *tr, struct sc_jsonw *js,
                            const struct sc_source *src, uint32_t person)
{
    sc_jsonw_keyz(js, "identifiers");
    sc_jsonw_obj(js);
    uint32_t sure = src->n_idents ? below(tr, src->n_idents) : 0;
    for (uint32_t i = 0; i < src->n_idents; i++)
        if (i == sure || below(tr, 5) == 0)
            put_identifier(tr, js, &tr->tx->namespaces[src->idents[i].ns], person);
    sc_jsonw_obj_end(js);
}

/* ---- properties */

/* min and max in units of 10^-scale; a span of 100 where there is none. */
static int64_t between(struct sc_traffic *tr, const struct sc_property *pr, uint8_t scale)
{
    struct sc_decimal min = {0, scale}, max;
    int64_t one = 1;
    for (uint8_t i = 0; i < scale; i++)
        one *= 10;
    if (pr->has_min && pr->min.type == SC_T_DECIMAL)
        sc_decimal_rescale((struct sc_decimal){pr->min.i, pr->min.scale}, scale, &min);
    else if (pr->has_min)
        min.units = pr->min.type == SC_T_DOUBLE ? (int64_t)pr->min.d * one : pr->min.i * one;
    max = (struct sc_decimal){min.units + 100 * one, scale};
    if (pr->has_max && pr->max.type == SC_T_DECIMAL)
        sc_decimal_rescale((struct sc_decimal){pr->max.i, pr->max.scale}, scale, &max);
    else if (pr->has_max)
        max.units = pr->max.type == SC_T_DOUBLE ? (int64_t)pr->max.d * one : pr->max.i * one;
    if (max.units <= min.units)
        return max.units;
    int64_t span = max.units - min.units;
    return min.units + below(tr, span < INT32_MAX ? (uint32_t)span + 1 : INT32_MAX);
}

static void put_text(struct sc_traffic *tr, struct sc_jsonw *js, const struct sc_property *pr,
                     uint32_t person)
{
    char text[128];
    if (pr->enums.n) {
        sc_jsonw_str(js, pr->enums.v[below(tr, pr->enums.n)]);
        return;
    }
    snprintf(text, sizeof(text), "%.*s-%u-%u", SC_STR_FMT(pr->name), person, below(tr, 2));
    sc_jsonw_strz(js, text);
}

static void put_scalar(struct sc_traffic *tr, struct sc_jsonw *js, const struct sc_property *pr,
                       uint32_t person, int64_t now_ms)
{
    enum sc_type type = pr->type == SC_T_LIST || pr->type == SC_T_MAP ? pr->element : pr->type;
    uint8_t cents = type == SC_T_DECIMAL && pr->scale < 2 ? pr->scale : 2;
    if (type == SC_T_BOOL)
        sc_jsonw_bool(js, below(tr, 5) > 0);
    else if (type == SC_T_INT)
        sc_jsonw_int(js, between(tr, pr, 0));
    else if (type == SC_T_DECIMAL || type == SC_T_DOUBLE)
        sc_jsonw_decimal(js, (struct sc_decimal){between(tr, pr, cents), cents});
    else if (type == SC_T_TIMESTAMP)
        sc_jsonw_time(js, now_ms);
    else if (type == SC_T_DURATION)
        sc_jsonw_strz(js, below(tr, 2) ? "5m" : "30s");
    else if (type == SC_T_BYTES)
        sc_jsonw_strz(js, "AAEC");
    else
        put_text(tr, js, pr, person);
}

/* A value that an example of the taxonomy's has, now and then. */
static bool put_example(struct sc_traffic *tr, struct sc_jsonw *js, const struct sc_event_type *et,
                        const struct sc_property *pr)
{
    if (pr->type != SC_T_STRING || et->examples == NULL || et->examples->n == 0 || below(tr, 2))
        return false;
    const struct sc_node *example = et->examples->items[below(tr, et->examples->n)];
    for (uint32_t i = 0; example->kind == SC_NODE_MAP && i < example->n; i++) {
        const struct sc_node *value = example->pairs[i].value;
        if (sc_str_eq(example->pairs[i].key->text, pr->name) && value->kind == SC_NODE_SCALAR) {
            sc_jsonw_str(js, value->text);
            return true;
        }
    }
    return false;
}

static void put_value(struct sc_traffic *tr, struct sc_jsonw *js, const struct sc_property *pr,
                      uint32_t person, int64_t now_ms)
{
    if (pr->type == SC_T_LIST) {
        sc_jsonw_arr(js);
        for (uint32_t n = 1 + below(tr, LIST_MAX); n > 0; n--)
            put_scalar(tr, js, pr, person, now_ms);
        sc_jsonw_arr_end(js);
    } else if (pr->type == SC_T_MAP) {
        sc_jsonw_obj(js);
        sc_jsonw_keyz(js, "key");
        put_scalar(tr, js, pr, person, now_ms);
        sc_jsonw_obj_end(js);
    } else {
        put_scalar(tr, js, pr, person, now_ms);
    }
}

/* What a role reads has a meaning that its type does not say. True: written, or left out. */
static bool put_role_field(struct sc_jsonw *js, const struct sc_event_type *et, int16_t prop)
{
    static const struct {
        enum sc_role_field field;
        const char *value; /* NULL: left out */
    } known[] = {{SC_RF_PURPOSE, "marketing"}, {SC_RF_TIMEZONE, "Europe/Oslo"},
                 {SC_RF_LANGUAGE, "en"},       {SC_RF_CHANNEL, NULL},
                 {SC_RF_AT, NULL},             {SC_RF_FREQUENCY, NULL}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (et->role_field[known[i].field] != prop)
            continue;
        if (known[i].value) {
            sc_jsonw_key(js, et->props[prop].name);
            sc_jsonw_strz(js, known[i].value);
        }
        return true;
    }
    return false;
}

static void put_properties(struct sc_traffic *tr, struct sc_jsonw *js,
                           const struct sc_event_type *et, uint32_t person, int64_t now_ms)
{
    sc_jsonw_keyz(js, "properties");
    sc_jsonw_obj(js);
    for (uint32_t i = 0; i < et->n_props; i++) {
        const struct sc_property *pr = &et->props[i];
        if (et->role != SC_ROLE_NONE && put_role_field(js, et, (int16_t)i))
            continue;
        if (!pr->required && !pr->engine_reads && below(tr, 6) == 0)
            continue;
        sc_jsonw_key(js, pr->name);
        if (!put_example(tr, js, et, pr))
            put_value(tr, js, pr, person, now_ms);
    }
    sc_jsonw_obj_end(js);
}

/* ---- the event */

/* People who forget or silence themselves at random would leave nothing to see. */
static bool plausible(const struct sc_traffic *tr, uint32_t source, uint32_t event)
{
    int32_t role = tr->tx->events[event].role;
    return tr->tx->sources[source].events[event].n > 0 && role != SC_ROLE_FORGET &&
           role != SC_ROLE_SNOOZE;
}

static bool choose(struct sc_traffic *tr, uint32_t *source, uint32_t *event)
{
    for (int i = 0; i < TRIES && tr->tx->n_sources && tr->tx->n_events; i++) {
        *source = below(tr, tr->tx->n_sources);
        uint32_t from = below(tr, tr->tx->n_events);
        for (uint32_t k = 0; k < tr->tx->n_events; k++) {
            *event = (from + k) % tr->tx->n_events;
            if (plausible(tr, *source, *event))
                return true;
        }
    }
    return false;
}

bool sc_traffic_event(struct sc_traffic *tr, int64_t now_ms, uint32_t *source,
                      struct sc_buf *line)
{
    uint32_t event, person = below(tr, tr->people);
    char id[32];
    if (!choose(tr, source, &event))
        return false;
    const struct sc_source *src = &tr->tx->sources[*source];
    const struct sc_event_type *et = &tr->tx->events[event];
    struct sc_jsonw js;
    line->len = 0;
    sc_jsonw_init(&js, line);
    sc_jsonw_obj(&js);
    sc_jsonw_keyz(&js, "event");
    sc_jsonw_str(&js, et->name);
    sc_jsonw_keyz(&js, "id");
    snprintf(id, sizeof(id), "dev-%llu", (unsigned long long)++tr->made);
    sc_jsonw_strz(&js, id);
    sc_jsonw_keyz(&js, "occurred_at");
    sc_jsonw_time(&js, now_ms);
    sc_jsonw_keyz(&js, "source");
    sc_jsonw_str(&js, src->name);
    put_identifiers(tr, &js, src, person);
    put_properties(tr, &js, et, person, now_ms);
    sc_jsonw_obj_end(&js);
    return true;
}
