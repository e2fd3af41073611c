/* Windows and distinct counts against a program that keeps everything: exact to 64 events, past
 * that no further off than the documented bound; the same bytes for every order of arrival. */
#include "../lib/states.h"

#define ROUNDS 400
#define EVENTS_MAX 3000

static const char journey[] =
    "journey: shop\n"
    "taxonomy: taxonomy.yaml\n"
    "facts:\n"
    "  n: count(\"cart\", \"1h\")\n"
    "  n_exact: { value: 'count(\"cart\", \"1h\")', exact: true }\n"
    "  total: sum(\"cart\", \"value\", \"1h\")\n"
    "  least: min(\"cart\", \"value\", \"1h\")\n"
    "  most: max(\"cart\", \"value\", \"1h\")\n"
    "  any: seen(\"cart\", \"1h\")\n"
    "  ids: distinct(\"cart\", \"cart_id\", \"1h\")\n"
    "  ids_ever: distinct(\"cart\", \"cart_id\")\n"
    "stages: [ { name: here, initial: true } ]\n";

#define WIDTH_MS (SC_HOUR_MS / 64)

struct truth {
    int64_t n, total, least, most, ids;
};

static struct truth count(struct sc_event **evs, uint32_t n, int64_t now, int64_t window)
{
    struct truth t = {.least = INT64_MAX, .most = INT64_MIN};
    for (uint32_t i = 0; i < n; i++) {
        if (evs[i]->occurred_ms <= now - window || evs[i]->occurred_ms > now)
            continue;
        int64_t v = evs[i]->props[1].i;
        t.n++;
        t.total += v;
        t.least = v < t.least ? v : t.least;
        t.most = v > t.most ? v : t.most;
    }
    return t;
}

static int64_t different(struct sc_event **evs, uint32_t n, int64_t now, int64_t window)
{
    static bool seen[1 << 20];
    int64_t found = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = evs[i]->content_hash;
        bool in = evs[i]->occurred_ms > now - window && evs[i]->occurred_ms <= now;
        found += in && !seen[k];
        seen[k] |= in;
    }
    for (uint32_t i = 0; i < n; i++)
        seen[evs[i]->content_hash] = false;
    return found;
}

/* A cart event; content_hash holds the number behind cart_id, for different(). */
static struct sc_event *cart(struct shop *sh, struct chance *c, int64_t ms, int64_t ids)
{
    struct sc_event *ev = shop_event(sh, 1, ms, c);
    struct sc_value *props = SC_NEW_N(&sh->ar, struct sc_value, 2);
    ev->content_hash = (uint32_t)chance_below(c, ids);
    props[0] = sc_string(sc_str_printf(&sh->ar, "c%u", ev->content_hash));
    props[1] = sc_decimal((struct sc_decimal){chance_below(c, 100000) - 20000, 2});
    ev->props = props;
    return ev;
}

static struct sc_value read(struct shop *sh, const struct sc_state *st, const char *fact,
                            int64_t now)
{
    return sc_fact_read(&sh->jo, st, shop_fact(sh, fact), now);
}

static void check_exact(struct shop *sh, const struct sc_state *st, const char *fact,
                        struct truth t, int64_t now)
{
    SC_ASSERT(read(sh, st, fact, now).i == t.n);
}

/* Between the window and the window longer by one bucket. */
static void check_bound(struct shop *sh, const struct sc_state *st, struct sc_event **evs,
                        uint32_t n, int64_t now)
{
    struct truth in = count(evs, n, now, SC_HOUR_MS);
    struct truth more = count(evs, n, now, SC_HOUR_MS + WIDTH_MS + 1);
    struct sc_value got = read(sh, st, "n", now);
    SC_ASSERT(got.i >= in.n && got.i <= more.n);
    check_exact(sh, st, "n_exact", in, now); /* no more than 4,096 here */
    SC_ASSERT(read(sh, st, "any", now).i == (in.n > 0));
    struct sc_value least = read(sh, st, "least", now), most = read(sh, st, "most", now);
    if (in.n == 0)
        return;
    SC_ASSERT(least.i <= in.least && least.i >= more.least);
    SC_ASSERT(most.i >= in.most && most.i <= more.most);
    if (in.n > 64)
        return;
    SC_ASSERT(got.i == in.n || more.n > 64);
    if (more.n > 64)
        return;
    SC_ASSERT(read(sh, st, "total", now).i == in.total);
    SC_ASSERT(least.i == in.least && most.i == in.most);
}

static void check_ids(struct shop *sh, const struct sc_state *st, struct sc_event **evs, uint32_t n,
                      int64_t now)
{
    int64_t in = different(evs, n, now, SC_HOUR_MS), ever = different(evs, n, now, SC_DAY_MS * 90);
    struct sc_value got = read(sh, st, "ids", now), all = read(sh, st, "ids_ever", now);
    SC_ASSERT((all.flags & SC_VF_ESTIMATE) == (ever > 256 ? SC_VF_ESTIMATE : 0));
    SC_ASSERT(ever > 256 ? llabs(all.i - ever) * 100 <= 7 * ever : all.i == ever);
    if (!(got.flags & SC_VF_ESTIMATE)) {
        SC_ASSERT(got.i == in);
        return;
    }
    int64_t more = different(evs, n, now, SC_HOUR_MS + WIDTH_MS + 1); /* and 4 sigma */
    SC_ASSERT(got.i * 100 >= 93 * in - 300 && got.i * 100 <= 107 * more + 300);
}

static struct sc_state *apply(struct shop *sh, struct sc_event **evs, uint32_t n)
{
    struct sc_state *st = sc_state_new(&sh->jo, shop_node(1, 1), &sh->ar);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t f = 0; f < sh->jo.n_facts; f++)
            sc_fact_apply(&sh->jo, st, f, evs[i]);
    return st;
}

/* In its own step each event counts in its own window, however far behind it comes; and nothing
 * counts that is not there. */
static void check_behind(struct shop *sh, struct sc_event **evs, uint32_t n)
{
    struct sc_state *st = sc_state_new(&sh->jo, shop_node(1, 1), &sh->ar);
    int64_t newest = INT64_MIN;
    for (uint32_t i = 0; i < n && i < SC_WINDOW_EXACT; i++) {
        int64_t now = evs[i]->occurred_ms, own = evs[i]->props[1].i;
        newest = now > newest ? now : newest;
        st->behind = NULL;
        for (uint32_t f = 0; f < sh->jo.n_facts; f++)
            sc_fact_apply(&sh->jo, st, f, evs[i]);
        st->behind = now < newest ? evs[i] : NULL;
        struct truth in = count(evs, i + 1, now, SC_HOUR_MS);
        int64_t seen = read(sh, st, "n", now).i, ids = read(sh, st, "ids", now).i;
        SC_ASSERT(seen >= 1 && seen <= in.n && read(sh, st, "n_exact", now).i == seen);
        SC_ASSERT(read(sh, st, "any", now).i == 1);
        SC_ASSERT(seen < in.n || read(sh, st, "total", now).i == in.total);
        SC_ASSERT(seen > 1 || read(sh, st, "total", now).i == own);
        int64_t least = read(sh, st, "least", now).i, most = read(sh, st, "most", now).i;
        SC_ASSERT(least >= in.least && least <= own && most <= in.most && most >= own);
        SC_ASSERT(ids >= 1 && ids <= different(evs, i + 1, now, SC_HOUR_MS));
    }
}

static void check(struct shop *sh, struct chance *c)
{
    uint32_t n = 1 + (uint32_t)chance_below(c, chance_below(c, 4) ? 120 : EVENTS_MAX);
    int64_t span = 1 + chance_below(c, chance_below(c, 2) ? SC_HOUR_MS : 20 * SC_HOUR_MS);
    int64_t ids = 1 + chance_below(c, chance_below(c, 2) ? 30 : 5000);
    struct sc_event **evs = SC_NEW_N(&sh->ar, struct sc_event *, n);
    int64_t newest = 0;
    for (uint32_t i = 0; i < n; i++) {
        evs[i] = cart(sh, c, SHOP_START + chance_below(c, span), ids);
        newest = evs[i]->occurred_ms > newest ? evs[i]->occurred_ms : newest;
    }
    check_behind(sh, evs, n);
    struct sc_state *st = apply(sh, evs, n);
    for (int i = 0; i < 20; i++) {
        int64_t now = newest + (i ? chance_below(c, SC_HOUR_MS + SC_MINUTE_MS) : 0);
        check_bound(sh, st, evs, n, now);
        check_ids(sh, st, evs, n, now);
    }
    struct sc_str a = shop_bytes(sh, st);
    shop_shuffle(evs, n, c);
    if (ids <= 256) /* a sketch remembers when it began */
        SC_ASSERT(sc_str_eq(a, shop_bytes(sh, apply(sh, evs, n))));
}

/* In the past of its newest event, while nothing there was forgotten: by its own time too. */
static void check_past(struct shop *sh, struct chance *c)
{
    struct sc_event *evs[40];
    for (uint32_t i = 0; i < 40; i++)
        evs[i] = cart(sh, c, SHOP_START + chance_below(c, SC_HOUR_MS), 5);
    struct sc_state *st = apply(sh, evs, 40);
    for (int i = 0; i < 50; i++) {
        int64_t now = SHOP_START + chance_below(c, SC_HOUR_MS);
        check_exact(sh, st, "n", count(evs, 40, now, SC_HOUR_MS), now);
    }
}

/* The estimate over many different values: within 2 % on average. */
static void check_estimate(struct shop *sh)
{
    struct chance c = {99};
    double off = 0;
    int trials = 30;
    for (int t = 0; t < trials; t++) {
        struct sc_event **evs = SC_NEW_N(&sh->ar, struct sc_event *, EVENTS_MAX);
        for (uint32_t i = 0; i < EVENTS_MAX; i++)
            evs[i] = cart(sh, &c, SHOP_START + (int64_t)i * 1000, 1 << 19);
        struct sc_state *st = apply(sh, evs, EVENTS_MAX);
        int64_t now = SHOP_START + (EVENTS_MAX - 1) * INT64_C(1000);
        int64_t truth = different(evs, EVENTS_MAX, now, SC_HOUR_MS);
        double d = ((double)read(sh, st, "ids", now).i - (double)truth) / (double)truth;
        off += d < 0 ? -d : d;
    }
    printf("distinct past 256: %.2f %% off on average\n", 100 * off / trials);
    SC_ASSERT(off / trials < 0.02);
}

int main(void)
{
    struct shop sh;
    struct chance c = {3};
    for (int i = 0; i < ROUNDS; i += 10) {
        shop_init(&sh, journey);
        for (int k = 0; k < 10; k++)
            check(&sh, &c);
        check_past(&sh, &c);
        shop_fini(&sh);
    }
    shop_init(&sh, journey);
    check_estimate(&sh);
    shop_fini(&sh);
    printf("%d rounds\n", ROUNDS);
    return 0;
}
