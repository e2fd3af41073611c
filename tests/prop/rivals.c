/* Arbitration over a span does not depend on the order of arrival, nor on that of merges (semantics
 * 30, 7).
 *
 * Random messages of one person, split over three customers, come in random orders while time
 * stands; the customers are merged in random orders, between being written and read. Then time
 * moves on. What is sent and what has lost must be what a plain reading of the definition finds: the
 * first opens a window [t, t + span), the highest of it goes, the next one after opens another. */
#include "../lib/states.h"

#define EVENTS 12
#define SPAN_MS (60 * SC_SECOND_MS)
#define PEOPLE 3

static const char taxonomy_text[] =
    "taxonomy: t\n"
    "version: 1.0.0\n"
    "namespaces: { email: { priority: 1 }, device_id: { priority: 2 } }\n"
    "events: { a: {}, b: {}, c: {}, d: {} }\n";
static const char journey_text[] =
    "journey: j\n"
    "taxonomy: t.yaml\n"
    "triggers:\n"
    "  - { name: ta, when: 'event.name == \"a\"', channels: [sms], priority: 20 }\n"
    "  - { name: tb, when: 'event.name == \"b\"', channels: [sms], priority: 80 }\n"
    "  - { name: tc, when: 'event.name == \"c\"', channels: [sms], priority: 50 }\n"
    "  - { name: td, start: 'event.name == \"d\"', after: '30s without [d]', channels: [sms],\n"
    "      priority: 50 }\n"
    "channels: { sms: {} }\n"
    "guardrails: { arbitration: 60s }\n";

struct mark {
    int64_t fires_ms;
    int type;
};

static struct sc_taxonomy tx;
static struct sc_journey jo;

static bool goes_before(const struct mark *a, const struct mark *b)
{
    static const int priority[] = {20, 80, 50, 50};
    if (priority[a->type] != priority[b->type])
        return priority[a->type] > priority[b->type];
    return a->type != b->type ? a->type < b->type : a->fires_ms < b->fires_ms;
}

/* Times apart, and one `d` alone: another would take its silence from it. In order of time. */
static void make(struct mark *marks, struct chance *c)
{
    int64_t ms = SHOP_START;
    for (int i = 0; i < EVENTS; i++) {
        ms += 1 + chance_below(c, 45 * SC_SECOND_MS);
        if (chance_below(c, 6) == 0) /* to the millisecond at the end of a window */
            ms = (i ? marks[i - 1].fires_ms : ms) + SPAN_MS;
        marks[i] = (struct mark){ms, i == EVENTS / 2 ? 3 : (int)chance_below(c, 3)};
    }
}

static uint32_t expected(const struct mark *marks)
{
    uint32_t sent = 0;
    for (int i = 0; i < EVENTS;) {
        int first = i, best = i;
        for (; i < EVENTS && marks[i].fires_ms - marks[first].fires_ms < SPAN_MS; i++)
            if (goes_before(&marks[i], &marks[best]))
                best = i;
        sent |= 1u << best;
    }
    return sent;
}

static void arrive(struct sc_arena *ar, struct sc_state *st, const struct mark *marks, int i)
{
    struct sc_effects fx;
    struct sc_event ev = {.type = (uint16_t)marks[i].type, .source = SC_SOURCE_NONE,
                          .source_name = SC_STR("t"), .id = sc_str_printf(ar, "%d", i),
                          .occurred_ms = marks[i].fires_ms, .n_ids = 1};
    ev.occurred_ms -= marks[i].type == 3 ? 30 * SC_SECOND_MS : 0;
    ev.claimed_ms = ev.occurred_ms;
    ev.id_hash = sc_event_id_hash(ev.source_name, ev.id);
    ev.ids[0].node = st->node;
    struct sc_record rec;
    sc_route(&ev, &st->node, &rec);
    struct sc_input in = {.kind = SC_IN_RECORD, .rec = &rec,
                          .now = {.watermark_ms = SHOP_START - SC_MINUTE_MS, .event_clock = true}};
    sc_effects_init(&fx, ar);
    sc_journey_step(&jo, st, &in, &fx);
    SC_ASSERT(fx.items.n == 0);
}

static struct sc_state *stored(struct sc_arena *ar, const struct sc_state *st)
{
    struct sc_buf out = {.ar = ar};
    SC_ASSERT(sc_state_encode(&jo, st, &out));
    struct sc_state *again = sc_state_decode(&jo, st->node, sc_buf_view(&out), ar);
    SC_ASSERT(again != NULL);
    return again;
}

static struct sc_state *merged(struct sc_arena *ar, struct sc_state *a, struct sc_state *b)
{
    bool swap = sc_node_cmp(&b->node, &a->node) < 0;
    struct sc_state *into = stored(ar, swap ? b : a);
    sc_state_merge(&jo, into, stored(ar, swap ? a : b));
    return into;
}

static uint32_t sent_of(struct sc_arena *ar, struct sc_state *st, bool jumps)
{
    struct sc_effects fx;
    sc_effects_init(&fx, ar);
    uint32_t sent = 0, lost = 0;
    int64_t end_ms = SHOP_START + SC_HOUR_MS;
    for (int64_t ms = SHOP_START; ms <= end_ms; ms += jumps ? SC_HOUR_MS : 7 * SC_SECOND_MS) {
        struct sc_input in = {.kind = SC_IN_TIMERS, .timers_max = 1000,
                              .now = {.watermark_ms = ms, .append_ms = ms, .event_clock = true}};
        sc_journey_step(&jo, st, &in, &fx);
        st = stored(ar, st);
    }
    for (uint32_t i = 0; i < fx.items.n; i++) {
        const struct sc_effect *item = &fx.items.v[i];
        uint32_t bit = 1u << atoi(item->events[0].p);
        SC_ASSERT(item->type == SC_FX_TRIGGER || item->reason == SC_REASON_LOWER_PRIORITY);
        SC_ASSERT(!((sent | lost) & bit));
        *(item->type == SC_FX_TRIGGER ? &sent : &lost) |= bit;
    }
    SC_ASSERT((sent | lost) == (1u << EVENTS) - 1);
    return sent;
}

static void check(uint64_t round)
{
    struct chance c = {round};
    struct mark marks[EVENTS];
    make(marks, &c);
    uint32_t want = expected(marks);
    for (int times = 0; times < 8; times++) {
        struct sc_arena ar;
        sc_arena_init(&ar);
        struct sc_state *st[PEOPLE];
        for (uint8_t p = 0; p < PEOPLE; p++)
            st[p] = sc_state_new(&jo, (struct sc_node_id){{(uint8_t)(1 + p % 2), p}}, &ar);
        for (int i = 0, left = (1 << EVENTS) - 1; left; i = (int)chance_below(&c, EVENTS)) {
            if (left >> i & 1)
                arrive(&ar, st[chance_below(&c, PEOPLE)], marks, i);
            left &= ~(1 << i);
        }
        int first = (int)chance_below(&c, PEOPLE), next = (first + 1) % PEOPLE;
        struct sc_state *two = merged(&ar, st[first], st[next]);
        struct sc_state *one = merged(&ar, two, st[(next + 1) % PEOPLE]);
        uint32_t sent = sent_of(&ar, one, times % 2);
        if (sent != want) {
            fprintf(stderr, "round %llu: sent %x, not %x\n", (unsigned long long)round, sent, want);
            exit(1);
        }
        sc_arena_fini(&ar);
    }
}

int main(int argc, char **argv)
{
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 60;
    struct sc_arena ar;
    sc_arena_init(&ar);
    load_texts(taxonomy_text, journey_text, &tx, &jo, &ar);
    for (uint64_t round = 1; round <= rounds; round++)
        check(round);
    printf("rivals: %llu rounds of 8 orders\n", (unsigned long long)rounds);
    sc_journey_fini(&jo);
    sc_taxonomy_fini(&tx);
    sc_arena_fini(&ar);
    return 0;
}
