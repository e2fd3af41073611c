/* Silence triggers do not depend on the order of arrival (semantics 13, 14).
 *
 * Random starts and exits of two carts within lateness arrive in random orders, with time standing at
 * random places between; the triggers sent, less those withdrawn, must be the silences that a plain
 * reading of the definition finds: a start at s with no later start in (s, s + after) and no exit in
 * [s, s + after). With `reorder` every order must give equal bytes. Half of the rounds have equal
 * instants, where the greatest id is the latest start; half have starts that are exits too, which end
 * what began before them. */
#include "../lib/load.h"
#include "core/journey/step.h"
#include <stdlib.h>

#define EVENTS 24
#define AFTER_MS (60 * SC_MINUTE_MS)
#define SPAN_MIN 600 /* all within ten hours */

static const char taxonomy_text[] =
    "taxonomy: t\n"
    "version: 1.0.0\n"
    "namespaces: { device_id: { priority: 1 } }\n"
    "events:\n"
    "  started: { properties: { cart: { type: string, required: true } } }\n"
    "  ended: { properties: { cart: { type: string, required: true } } }\n";
#define JOURNEY(exits)                                                                             \
    "journey: j\n"                                                                                 \
    "taxonomy: t.yaml\n"                                                                           \
    "stages: [ { name: here, initial: true } ]\n"                                                  \
    "triggers:\n"                                                                                  \
    "  - { name: left, start: 'event.name == \"started\"', after: '60m without [" exits "]',\n"    \
    "      key: event.cart, channels: [sms] }\n"                                                   \
    "channels: { sms: {} }\n"
static const char *const journey_texts[2] = {JOURNEY("ended"), JOURNEY("ended, started")};

struct mark {
    int64_t ms;
    int cart;
    bool exit;
};

static struct sc_taxonomy txs[2];
static struct sc_journey jos[2], *jo;
static uint64_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

static void make(struct mark *marks, bool ties)
{
    for (int i = 0; i < EVENTS; i++) {
        int64_t min = ties ? (int64_t)below(SPAN_MIN / 15) * 15 : below(SPAN_MIN);
        marks[i] = (struct mark){min * SC_MINUTE_MS + (ties ? 0 : i), (int)below(2),
                                 below(3) == 0};
    }
}

/* Does `k` end the silence that begins with `i`? Ids are numbers of one length. */
static bool ends(const struct mark *marks, int k, int i)
{
    if (marks[k].cart != marks[i].cart || marks[k].ms < marks[i].ms ||
        marks[k].ms >= marks[i].ms + AFTER_MS)
        return false;
    return marks[k].ms > marks[i].ms || marks[k].exit || k > i;
}

static uint64_t expected(const struct mark *marks, int *n)
{
    uint64_t silences = 0;
    *n = 0;
    for (int i = 0; i < EVENTS; i++) {
        bool silent = !marks[i].exit;
        for (int k = 0; k < EVENTS && silent; k++)
            silent = !ends(marks, k, i);
        if (silent) {
            silences |= UINT64_C(1) << i;
            ++*n;
        }
    }
    return silences;
}

static void fill(struct sc_arena *ar, const struct mark *marks, int i, struct sc_event *ev)
{
    static const struct sc_value carts[] = {{.type = SC_T_STRING, .len = 1, .s = "a"},
                                            {.type = SC_T_STRING, .len = 1, .s = "b"}};
    *ev = (struct sc_event){.type = marks[i].exit, .source = SC_SOURCE_NONE,
                            .source_name = SC_STR("t"), .id = sc_str_printf(ar, "%02d", i),
                            .occurred_ms = marks[i].ms, .n_ids = 1, .n_props = 1,
                            .props = &carts[marks[i].cart]};
    ev->claimed_ms = ev->occurred_ms;
    ev->id_hash = sc_event_id_hash(ev->source_name, ev->id);
    ev->ids[0].node.b[0] = 0xf1;
}

static void collect(const struct sc_effects *fx, uint64_t *sent, struct sc_buf *text)
{
    for (uint32_t i = 0; i < fx->items.n; i++) {
        const struct sc_effect *item = &fx->items.v[i];
        uint64_t bit = UINT64_C(1) << atoi(item->events[0].p);
        SC_ASSERT(item->type == SC_FX_TRIGGER || item->type == SC_FX_CANCELLED);
        SC_ASSERT(((*sent & bit) != 0) == (item->type == SC_FX_CANCELLED)); /* once each */
        *sent ^= bit;
        sc_effect_json(jo, item, text);
        sc_buf_char(text, '\n');
    }
}

static uint64_t play(const struct mark *marks, const int *order, bool jumps, struct sc_buf *text)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    struct sc_node_id node = {{0xf1}};
    struct sc_state *st = sc_state_new(jo, node, &ar);
    struct sc_effects fx;
    sc_effects_init(&fx, &ar);
    struct sc_moment now = {.watermark_ms = SC_NEVER, .event_clock = true};
    uint64_t sent = 0;
    for (int i = 0; i <= EVENTS; i++) {
        int64_t to_ms = i == EVENTS ? 100 * SC_HOUR_MS : jumps ? marks[order[i]].ms : SC_NEVER;
        if (to_ms > now.watermark_ms && (i == EVENTS || below(2) == 0)) {
            now.watermark_ms = now.append_ms = to_ms;
            struct sc_input in = {.kind = SC_IN_TIMERS, .now = now, .timers_max = 1000};
            sc_journey_step(jo, st, &in, &fx);
        }
        if (i < EVENTS) {
            struct sc_event ev;
            struct sc_record rec;
            fill(&ar, marks, order[i], &ev);
            sc_route(&ev, &node, &rec);
            struct sc_input in = {.kind = SC_IN_RECORD, .now = now, .rec = &rec};
            sc_journey_step(jo, st, &in, &fx);
        }
        collect(&fx, &sent, text);
        sc_effects_clear(&fx);
    }
    sc_arena_fini(&ar);
    return sent;
}

static void shuffle(int *order)
{
    for (int i = 0; i < EVENTS; i++)
        order[i] = i;
    for (int i = EVENTS - 1; i > 0; i--) {
        int k = (int)below((uint32_t)i + 1), was = order[i];
        order[i] = order[k];
        order[k] = was;
    }
}

static void check(uint64_t round)
{
    struct mark marks[EVENTS];
    int order[EVENTS], n;
    seed = round;
    jo = &jos[round / 2 % 2];
    make(marks, round % 2 == 0);
    uint64_t silences = expected(marks, &n);
    struct sc_buf text = {0}, first = {0};
    for (int i = 0; i < 8; i++) {
        shuffle(order);
        jo->reorder_ms = 0;
        uint64_t sent = play(marks, order, i % 2, &text);
        if (sent != silences) {
            fprintf(stderr, "silence: round %llu: %llx, not %llx\n%.*s", (unsigned long long)round,
                    (unsigned long long)sent, (unsigned long long)silences,
                    SC_STR_FMT(sc_buf_view(&text)));
            exit(1);
        }
        text.len = 0;
        jo->reorder_ms = 11 * SC_HOUR_MS;
        sent = play(marks, order, i % 2, i ? &text : &first);
        SC_ASSERT(sent == silences);
        SC_ASSERT(i == 0 || sc_str_eq(sc_buf_view(&text), sc_buf_view(&first)));
        text.len = 0;
    }
    sc_buf_fini(&text);
    sc_buf_fini(&first);
}

int main(int argc, char **argv)
{
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 300;
    struct sc_arena ar;
    sc_arena_init(&ar);
    for (int i = 0; i < 2; i++)
        load_texts(taxonomy_text, journey_texts[i], &txs[i], &jos[i], &ar);
    for (uint64_t round = 1; round <= rounds; round++)
        check(round);
    printf("silence: %llu rounds of 16 orders\n", (unsigned long long)rounds);
    for (int i = 0; i < 2; i++) {
        sc_journey_fini(&jos[i]);
        sc_taxonomy_fini(&txs[i]);
    }
    sc_arena_fini(&ar);
    return 0;
}
