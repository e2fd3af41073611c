#include "play.h"

#include "base/hash.h"
#include "core/identity/identity.h"
#include <criterion/criterion.h>
#include <stdio.h>

static const char taxonomy[] =
    "taxonomy: shop\n"
    "version: 1.0.0\n"
    "namespaces:\n"
    "  account_id: { priority: 1, unique: true }\n"
    "  email: { priority: 2 }\n"
    "  device_id: { priority: 9 }\n"
    "events:\n"
    "  product_viewed: { properties: { product_id: { type: string } } }\n"
    "  cart_updated:\n"
    "    properties:\n"
    "      cart_id: { type: string }\n"
    "      value: { type: decimal, required: true }\n"
    "  cart_emptied: { properties: { cart_id: { type: string } } }\n"
    "  order_completed:\n"
    "    role: purchase\n"
    "    value: total\n"
    "    properties:\n"
    "      cart_id: { type: string }\n"
    "      total: { type: decimal, required: true }\n"
    "  first_use: {}\n"
    "  review_posted: { properties: { rating: { type: int } } }\n"
    "  app_crashed: {}\n"
    "  unsubscribed: {}\n"
    "  case_opened: { properties: { case_id: { type: string, required: true } } }\n"
    "  case_closed: { properties: { case_id: { type: string, required: true } } }\n"
    "  consented:\n"
    "    role: consent\n"
    "    properties:\n"
    "      purpose: { type: string, required: true }\n"
    "      granted: { type: bool, required: true }\n"
    "      at: { type: timestamp }\n"
    "      evidence: { type: string }\n"
    "  preferred:\n"
    "    role: preference\n"
    "    properties:\n"
    "      channel: { type: string }\n"
    "      timezone: { type: string }\n"
    "      frequency: { type: int }\n"
    "  snoozed: { role: snooze, properties: { until: { type: timestamp, required: true } } }\n"
    "  messaged: { role: inbound, channel: whatsapp }\n"
    "  forgotten: { role: forget }\n"
    "cases:\n"
    "  support_case: { opens: [case_opened], closes: [case_closed], key: case_id }\n";

/* Zones are loaded once and kept: what a caller of the step does. */
static const struct sc_tz *zone(void *arg, struct sc_str name)
{
    static struct { struct sc_str name; struct sc_tz *tz; } known[8];
    (void)arg;
    for (int i = 0; i < 8; i++) {
        if (known[i].tz == NULL) {
            known[i].tz = sc_tz_load(name);
            known[i].name = known[i].tz ? sc_tz_name(known[i].tz) : SC_STR_NULL;
            return known[i].tz;
        }
        if (sc_str_eq(known[i].name, name))
            return known[i].tz;
    }
    return NULL;
}

static struct sc_node *parse(struct play *pl, const char *name, struct sc_str text)
{
    struct sc_node *doc = sc_node_parse(sc_str_from(name), text, NULL, NULL, &pl->ar, &pl->dg);
    cr_assert(doc != NULL, "%s does not parse", name);
    return doc;
}

void play_init(struct play *pl, const char *yaml)
{
    memset(pl, 0, sizeof(*pl));
    sc_arena_init(&pl->ar);
    sc_diag_init(&pl->dg, &pl->ar);
    bool ok = sc_taxonomy_load(&pl->tx, parse(pl, "taxonomy.yaml", sc_str_from(taxonomy)), &pl->ar,
                               &pl->dg);
    struct sc_str text = sc_str_printf(&pl->ar, "journey: test\ntaxonomy: taxonomy.yaml\n%s", yaml);
    ok = ok && sc_journey_load(&pl->jo, &pl->tx, parse(pl, "journey.yaml", text), &pl->ar, &pl->dg);
    struct sc_buf out = {0};
    sc_diag_render(&pl->dg, SC_DIAG_TEXT, false, &out);
    cr_assert(ok, "%.*s", SC_STR_FMT(sc_buf_view(&out)));
    sc_buf_fini(&out);
    pl->jo.zone = zone;
    struct sc_node_id node = {{0xf1, 1}};
    pl->st = sc_state_new(&pl->jo, node, &pl->ar);
    sc_effects_init(&pl->fx, &pl->ar);
    pl->watermark_ms = SC_NEVER;
}

void play_fini(struct play *pl)
{
    sc_journey_fini(&pl->jo);
    sc_taxonomy_fini(&pl->tx);
    sc_arena_fini(&pl->ar);
}

int64_t play_time(struct sc_str text)
{
    char full[64];
    int n = snprintf(full, sizeof(full), "2026-%.5sT%.*sZ", text.p, (int)text.len - 6, text.p + 6);
    if (text.len == 11)
        n = snprintf(full, sizeof(full), "2026-%.5sT%.5s:00Z", text.p, text.p + 6);
    int64_t ms;
    cr_assert(sc_time_parse((struct sc_str){full, (size_t)n}, NULL, &ms, NULL), "no time: %s", full);
    return ms;
}

/* The next word of `s`, taken off it. */
static struct sc_str word(struct sc_str *s)
{
    *s = sc_str_trim(*s);
    size_t n = 0;
    while (n < s->len && s->p[n] != ' ')
        n++;
    struct sc_str w = {s->p, n};
    *s = (struct sc_str){s->p + n, s->len - n};
    return w;
}

static struct sc_value value_of(const struct sc_property *p, struct sc_str text)
{
    int64_t i;
    struct sc_decimal d;
    switch (p->type) {
    case SC_T_INT:
        cr_assert(sc_str_int(text, &i));
        return sc_int(i);
    case SC_T_DECIMAL:
        cr_assert_eq(sc_decimal_parse(text, p->scale, &d), SC_DECIMAL_OK);
        return sc_decimal(d);
    case SC_T_BOOL:
        return sc_bool(sc_str_eqz(text, "true"));
    case SC_T_TIMESTAMP:
        cr_assert(sc_time_parse(text, NULL, &i, NULL));
        return sc_timestamp(i);
    default:
        return sc_string(text);
    }
}

struct sc_event *play_event(struct play *pl, const char *name, int64_t ms, const char *props)
{
    struct sc_event *ev = SC_NEW(&pl->ar, struct sc_event);
    int type = sc_taxonomy_event(&pl->tx, sc_str_from(name));
    cr_assert_geq(type, 0, "no event %s", name);
    const struct sc_event_type *et = &pl->tx.events[type];
    ev->type = (uint16_t)type;
    ev->source = SC_SOURCE_NONE;
    ev->source_name = SC_STR("test");
    ev->id = sc_str_printf(&pl->ar, "e%u", pl->line);
    ev->occurred_ms = ev->claimed_ms = ms;
    struct sc_value *slots = SC_NEW_N(&pl->ar, struct sc_value, et->n_props + 1);
    struct sc_str rest = sc_str_from(props), pair;
    ev->content_hash = (uint32_t)sc_hash_xxh3(rest.p, rest.len, (uint64_t)type);
    while ((pair = word(&rest)).len > 0) {
        const char *eq = memchr(pair.p, '=', pair.len);
        cr_assert(eq != NULL, "no value in %.*s", SC_STR_FMT(pair));
        struct sc_str key = {pair.p, (size_t)(eq - pair.p)};
        struct sc_str text = {eq + 1, pair.len - key.len - 1};
        if (sc_str_eqz(key, "id")) {
            ev->id = sc_str_dup(&pl->ar, text);
            continue;
        }
        int prop = sc_event_type_prop(et, key);
        cr_assert_geq(prop, 0, "no property %.*s", SC_STR_FMT(key));
        slots[prop] = value_of(&et->props[prop], sc_str_dup(&pl->ar, text));
    }
    ev->props = slots;
    ev->n_props = et->n_props;
    ev->id_hash = sc_event_id_hash(ev->source_name, ev->id);
    ev->ids[0].node = pl->st->node;
    ev->n_ids = 1;
    return ev;
}

static void step(struct play *pl, struct sc_input *in)
{
    struct sc_effects fx;
    sc_effects_init(&fx, &pl->ar);
    fx.trace = pl->trace;
    in->now = (struct sc_moment){.watermark_ms = pl->watermark_ms, .append_ms = pl->watermark_ms,
                                 .event_clock = !pl->journal_clock};
    sc_journey_step(&pl->jo, pl->st, in, &fx);
    for (uint32_t i = 0; i < fx.items.n; i++)
        SC_VEC_PUSH(&pl->ar, &pl->fx.items, fx.items.v[i]);
    cr_assert_eq(fx.records.n, 0);
    uint64_t *sum = (uint64_t *)&pl->counts, *add = (uint64_t *)&fx.counts;
    for (size_t i = 0; i < sizeof(pl->counts) / sizeof(uint64_t); i++)
        sum[i] += add[i];
}

static void move_to(struct play *pl, int64_t ms)
{
    if (ms <= pl->watermark_ms)
        return;
    pl->watermark_ms = ms;
    struct sc_input in = {.kind = SC_IN_TIMERS, .timers_max = 1000};
    step(pl, &in);
}

static void line(struct play *pl, struct sc_str text)
{
    struct sc_str rest = sc_str_trim(text);
    if (rest.len == 0)
        return;
    pl->line++;
    struct sc_str day = word(&rest), clock = word(&rest);
    int64_t ms = play_time((struct sc_str){day.p, (size_t)(clock.p + clock.len - day.p)});
    struct sc_str name = word(&rest);
    if (!pl->hold_time || name.len == 0)
        move_to(pl, ms);
    if (name.len == 0)
        return;
    const char *event = sc_str_dup(&pl->ar, name).p;
    struct sc_event *ev = play_event(pl, event, ms, sc_str_dup(&pl->ar, rest).p);
    struct sc_record rec;
    sc_route(ev, &pl->st->node, &rec);
    struct sc_input in = {.kind = SC_IN_RECORD, .rec = &rec};
    step(pl, &in);
}

static void add_time(struct sc_buf *out, int64_t ms)
{
    char full[32];
    sc_time_format(ms, full);
    sc_buf_add(out, full + 5, 5);
    sc_buf_char(out, ' ');
    sc_buf_add(out, full + 11, full[17] == '0' && full[18] == '0' ? 5 : 8);
}

static void add_effect(struct play *pl, struct sc_buf *out, const struct sc_effect *fx)
{
    static const char *const types[] = {"trigger",    "suppressed", "deferred", "cancelled",
                                        "transition", "milestone",  "merged",   "identity"};
    add_time(out, fx->at_ms);
    sc_buf_addf(out, " %s %.*s", types[fx->type], SC_STR_FMT(fx->rule));
    if (fx->type == SC_FX_TRIGGER)
        sc_buf_addf(out, " %.*s", SC_STR_FMT(pl->jo.channels[fx->channel].name));
    if (fx->type == SC_FX_SUPPRESSED || fx->type == SC_FX_DEFERRED)
        sc_buf_addf(out, " %s", sc_reason_name(fx->reason));
    if (fx->type == SC_FX_DEFERRED) {
        sc_buf_addz(out, " until ");
        add_time(out, fx->until_ms);
    }
    if (fx->type == SC_FX_TRANSITION)
        sc_buf_addf(out, " %.*s>%.*s %s",
                    SC_STR_FMT(fx->from < 0 ? SC_STR("?") : pl->jo.stages[fx->from].name),
                    SC_STR_FMT(pl->jo.stages[fx->to].name),
                    sc_cause_name((enum sc_cause)fx->cause));
    if (fx->type == SC_FX_MILESTONE && fx->event_ms != fx->at_ms) {
        sc_buf_addz(out, " of ");
        add_time(out, fx->event_ms);
    }
    sc_buf_char(out, '\n');
}

const char *play_script(struct play *pl, const char *script)
{
    struct sc_str rest = sc_str_from(script);
    while (rest.len > 0) {
        const char *end = memchr(rest.p, '\n', rest.len);
        size_t n = end ? (size_t)(end - rest.p) : rest.len;
        line(pl, (struct sc_str){rest.p, n});
        rest = (struct sc_str){rest.p + n + (end != NULL), rest.len - n - (end != NULL)};
    }
    struct sc_buf out = {.ar = &pl->ar};
    for (; pl->seen < pl->fx.items.n; pl->seen++)
        add_effect(pl, &out, &pl->fx.items.v[pl->seen]);
    sc_buf_char(&out, '\0');
    return out.p;
}

const char *play_filter(struct play *pl, enum sc_effect_type type)
{
    struct sc_buf out = {.ar = &pl->ar};
    for (uint32_t i = 0; i < pl->fx.items.n; i++)
        if (pl->fx.items.v[i].type == type)
            add_effect(pl, &out, &pl->fx.items.v[i]);
    sc_buf_char(&out, '\0');
    return out.p;
}

void play_expect(const char *yaml, const char *script, const char *expected, int at)
{
    struct play pl;
    play_init(&pl, yaml);
    const char *got = play_script(&pl, script);
    cr_expect(strcmp(got, expected) == 0, "line %d:\n%s--- expected\n%s--- got\n%s", at, script,
              expected, got);
    play_fini(&pl);
}
