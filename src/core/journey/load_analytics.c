/* Analytics: which events are measured how. What follows from the taxonomy needs no word here:
 * purchases by their role, handling by cases; contacts are, unless said, the events that open a
 * case and those of the role `inbound`. */
#include "core/journey/load.h"

#include "base/assert.h"
#include "core/analytics/plan.h"

#define AT(type, field) offsetof(struct type, field)

static const struct sc_field touch_fields[] = {
    {.key = "topic", .kind = SC_F_STR, .offset = AT(doc_touch, topic),
     .node_offset = AT(doc_touch, topic_at),
     .doc = "The property that says what it is about. A case's key unless set."},
    {0}};
static const struct sc_table touch_table = {
    .name = "touch", .doc = "An event, by name.", .size = sizeof(struct doc_touch),
    .fields = touch_fields, .key_field = AT(doc_touch, event), .self_node = AT(doc_touch, at)};

#define SCORE_FIELDS                                                                               \
    {.key = "event", .kind = SC_F_STR, .offset = AT(doc_score, event), .required = true,           \
     .node_offset = AT(doc_score, event_at), .doc = "The event that carries the answer."},         \
        {.key = "score", .kind = SC_F_STR, .offset = AT(doc_score, score), .required = true,       \
         .node_offset = AT(doc_score, score_at), .doc = "Its property with the points, an int."}
static const struct sc_field score_fields[] = {SCORE_FIELDS, {0}};
static const struct sc_field csat_fields[] = {
    SCORE_FIELDS,
    {.key = "satisfied", .kind = SC_F_INT, .offset = AT(doc_score, satisfied), .def = "4",
     .min = 0, .max = 1000, .doc = "From so many points on somebody is satisfied."},
    {0}};
static const struct sc_table score_table = {
    .name = "score", .doc = "Answers to a question.", .size = sizeof(struct doc_score),
    .fields = score_fields, .key_field = SIZE_MAX, .self_node = SIZE_MAX};
static const struct sc_table csat_table = {
    .name = "csat", .doc = "Answers to a question, some of them satisfied.",
    .size = sizeof(struct doc_score), .fields = csat_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

static const struct sc_field analytics_fields[] = {
    {.key = "contacts", .kind = SC_F_MAP, .offset = AT(doc_analytics, contacts),
     .table = &touch_table,
     .doc = "Events by which customers turn to you. Unless set: those that open a case, and those "
            "of the role `inbound`."},
    {.key = "answers", .kind = SC_F_MAP, .offset = AT(doc_analytics, answers),
     .table = &touch_table, .doc = "Events by which you answer: waiting ends."},
    {.key = "escalations", .kind = SC_F_STRS, .offset = AT(doc_analytics, escalations),
     .doc = "Events that hand a case on."},
    {.key = "nps", .kind = SC_F_STRUCT, .offset = AT(doc_analytics, nps), .table = &score_table,
     .doc = "Net promoter score: 0 to 10."},
    {.key = "csat", .kind = SC_F_STRUCT, .offset = AT(doc_analytics, csat), .table = &csat_table,
     .doc = "Customer satisfaction."},
    {.key = "ces", .kind = SC_F_STRUCT, .offset = AT(doc_analytics, ces), .table = &score_table,
     .doc = "Customer effort score."},
    {0}};
const struct sc_table load_analytics_table = {
    .name = "analytics", .doc = "Which events are measured how.",
    .size = sizeof(struct doc_analytics), .fields = analytics_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

/* A property of the event, read from now on; -1: not written, or an error. */
static int16_t property(struct load *ld, int event, struct sc_str name, const struct sc_node *at,
                        bool number)
{
    if (event < 0 || !load_given(at))
        return -1;
    const struct sc_event_type *et = &ld->tx->events[event];
    struct sc_str *names = SC_NEW_N(ld->ar, struct sc_str, et->n_props + 1);
    for (uint32_t p = 0; p < et->n_props; p++)
        names[p] = et->props[p].name;
    int p = load_ref(ld, name, at->mark, "property", names, et->n_props);
    if (p < 0)
        return -1;
    if (number && et->props[p].type != SC_T_INT) {
        sc_diag_add(ld->dg, SC_ERROR, "wrong-type", at->mark, "'%.*s' is %s, points are int",
                    SC_STR_FMT(name), sc_type_name((enum sc_type)et->props[p].type));
        return -1;
    }
    ld->sp->read[event][p / 64] |= UINT64_C(1) << (p % 64);
    return (int16_t)p;
}

static void touches(struct load *ld, struct sc_measured *by_event, const struct sc_list *list,
                    uint16_t is)
{
    const struct doc_touch *doc = list->v;
    for (uint32_t i = 0; i < list->n; i++) {
        int event = load_event(ld, doc[i].event, load_mark(doc[i].at));
        int16_t topic = property(ld, event, doc[i].topic, doc[i].topic_at, false);
        if (event < 0)
            continue;
        by_event[event].is |= is;
        if (topic >= 0)
            by_event[event].topic = topic;
    }
}

static int16_t score(struct load *ld, struct sc_measured *by_event, const struct doc_score *doc,
                     uint16_t is, int *event)
{
    *event = load_given(doc->event_at) ? load_event(ld, doc->event, doc->event_at->mark) : -1;
    int16_t prop = property(ld, *event, doc->score, doc->score_at, true);
    if (prop >= 0)
        by_event[*event].is |= is;
    return prop;
}

static void scores(struct load *ld, struct sc_measured *by_event)
{
    const struct doc_analytics *doc = &ld->doc->analytics;
    int event;
    int16_t prop = score(ld, by_event, &doc->nps, SC_IS_NPS, &event);
    if (prop >= 0)
        by_event[event].nps = prop;
    prop = score(ld, by_event, &doc->csat, SC_IS_CSAT, &event);
    if (prop >= 0)
        by_event[event].csat = prop;
    prop = score(ld, by_event, &doc->ces, SC_IS_CES, &event);
    if (prop >= 0)
        by_event[event].ces = prop;
}

static void cases(struct load *ld, struct sc_measured *by_event)
{
    for (uint32_t c = 0; c < ld->tx->n_cases; c++) {
        const struct sc_case *sc = &ld->tx->cases[c];
        for (uint32_t i = 0; i < sc->n_opens + sc->n_closes; i++) {
            bool opens = i < sc->n_opens;
            uint16_t event = opens ? sc->opens[i] : sc->closes[i - sc->n_opens];
            struct sc_measured *me = &by_event[event];
            if (me->case_kind >= 0)
                continue; /* an event of several cases is handled as one of the first */
            me->case_kind = (int16_t)c;
            me->topic = (int16_t)sc_event_type_prop(&ld->tx->events[event], sc->key);
            me->is |= opens ? SC_IS_OPENING : SC_IS_CLOSING;
            if (opens && ld->doc->analytics.contacts.n == 0)
                me->is |= SC_IS_CONTACT;
        }
    }
}

/* Distinct channels of the taxonomy's events. */
static void media(struct load *ld, struct sc_analytics_plan *plan)
{
    plan->media = SC_NEW_N(ld->ar, struct sc_str, ld->tx->n_events + 1);
    for (uint32_t e = 0; e < ld->tx->n_events; e++) {
        struct sc_str name = ld->tx->events[e].channel;
        uint32_t m = 0;
        while (m < plan->n_media && !sc_str_eq(plan->media[m], name))
            m++;
        if (name.len > 0 && m == plan->n_media)
            plan->media[plan->n_media++] = name;
        plan->by_event[e].medium = (int16_t)(name.len > 0 ? (int)m : -1);
    }
}

/* Sums of money are kept at the finest scale of what is summed; a double's at the default one. */
static void purchases(struct load *ld, struct sc_analytics_plan *plan)
{
    for (uint32_t e = 0; e < ld->tx->n_events; e++) {
        const struct sc_event_type *et = &ld->tx->events[e];
        if (et->role != SC_ROLE_PURCHASE)
            continue;
        plan->by_event[e].is |= SC_IS_PURCHASE;
        if (et->value < 0)
            continue;
        const struct sc_property *p = &et->props[et->value];
        uint8_t scale = p->type == SC_T_DECIMAL  ? p->scale
                        : p->type == SC_T_DOUBLE ? SC_DECIMAL_SCALE_DEFAULT
                                                 : 0;
        plan->value_scale = scale > plan->value_scale ? scale : plan->value_scale;
    }
}

void load_analytics(struct load *ld)
{
    const struct doc_analytics *doc = &ld->doc->analytics;
    struct sc_analytics_plan *plan = SC_NEW(ld->ar, struct sc_analytics_plan);
    uint32_t n = ld->tx->n_events;
    SC_ASSERT(n <= SC_EVENTS_MAX);
    plan->by_event = SC_NEW_N(ld->ar, struct sc_measured, n + 1);
    plan->satisfied = doc->csat.satisfied;
    for (uint32_t e = 0; e < n; e++) {
        plan->by_event[e] = (struct sc_measured){.topic = -1, .case_kind = -1, .nps = -1,
                                                 .csat = -1, .ces = -1};
        if (ld->tx->events[e].role == SC_ROLE_INBOUND && doc->contacts.n == 0)
            plan->by_event[e].is |= SC_IS_CONTACT;
    }
    media(ld, plan);
    purchases(ld, plan);
    cases(ld, plan->by_event);
    touches(ld, plan->by_event, &doc->contacts, SC_IS_CONTACT);
    touches(ld, plan->by_event, &doc->answers, SC_IS_ANSWER);
    for (uint32_t i = 0; i < doc->escalations.n; i++) {
        int event = load_event(ld, doc->escalations.v[i], doc->escalations.at[i]->mark);
        if (event >= 0)
            plan->by_event[event].is |= SC_IS_ESCALATION;
    }
    scores(ld, plan->by_event);
    ld->jo->analytics = plan;
}
