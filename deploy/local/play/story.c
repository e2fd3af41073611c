/* What the originals lack, made up from hashes of their ids and said so in demo.d/README.md.
 *
 * Identity: most mailed households sign up for the newsletter by email first and get a loyalty card
 * weeks later, at a till that asks for the address: two customers become one. Others give the
 * address with the card. The rest are only a card.
 *
 * Devices: each visit of the web shop is played ten times, four weeks apart, on new devices. Two in
 * three sign in after a while, a checkout asks for the address, the others stay anonymous.
 *
 * Consent to marketing is given with the sign-up, now and then taken back. Support cases follow
 * some purchases, by phone, chat or email, some handed over; so do reviews. */
#include "play.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS (60 * 1000LL)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define YEAR_START_MS 1483228800000LL /* 2017-01-01T00:00:00Z */
#define VISIT_COPIES 10
#define VISIT_APART_MS (28 * DAY_MS)

/* Draws of one subject: each use has a purpose, so that one answer says nothing about another. */
static uint64_t draw(const char *subject, const char *purpose)
{
    uint64_t h = 14695981039346656037ULL; /* FNV-1a, then a finalizer (splitmix64) */
    for (const char *p = subject; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    for (const char *p = purpose; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
    return h ^ (h >> 31);
}

static bool chance(const char *subject, const char *purpose, unsigned percent)
{
    return draw(subject, purpose) % 100 < percent;
}

static int64_t between(const char *subject, const char *purpose, int64_t from_ms, int64_t to_ms)
{
    return from_ms + (int64_t)(draw(subject, purpose) % (uint64_t)(to_ms - from_ms));
}

static struct play_event *web(struct play *pl, int64_t at_ms, const char *name, const char *subject)
{
    struct play_event *ev = play_event_add(pl, PLAY_WEB, at_ms, name);
    ev->id = sc_arena_printf(&pl->ar, "%s-%s", name, subject);
    return ev;
}

/* In ids of events, which everybody passes on as they come: never the card's number itself. */
static const char *alias(struct play *pl, const struct play_household *hh)
{
    return sc_arena_printf(&pl->ar, "%016" PRIx64, draw(hh->card, "alias"));
}

static void consent(struct play *pl, const struct play_household *hh, int64_t at_ms, bool granted)
{
    struct play_event *ev =
        web(pl, at_ms, "consent_set",
            granted ? alias(pl, hh) : sc_arena_printf(&pl->ar, "%s-no", alias(pl, hh)));
    ev->email = hh->email;
    ev->consent = "marketing";
    ev->granted = granted;
}

static void card_handed_out(struct play *pl, const struct play_household *hh, int64_t at_ms)
{
    struct play_event *ev = play_event_add(pl, PLAY_POS, at_ms, "card_registered");
    ev->kind = PLAY_CARD;
    ev->id = sc_arena_printf(&pl->ar, "card-%s", alias(pl, hh));
    ev->card = hh->card;
    ev->email = hh->email;
}

/* How a household's address and card come together, and what it lets us send. */
static void sign_up(struct play *pl, const struct play_household *hh)
{
    int64_t joined_ms;
    if (hh->mailed && chance(hh->card, "newsletter first", 60)) {
        joined_ms = between(hh->card, "newsletter", YEAR_START_MS, YEAR_START_MS + 45 * DAY_MS);
        web(pl, joined_ms, "newsletter_joined", alias(pl, hh))->email = hh->email;
        if (hh->first_ms)
            card_handed_out(pl, hh,
                            hh->first_ms + between(hh->card, "card", 20 * DAY_MS, 200 * DAY_MS));
    } else if (hh->first_ms && (hh->mailed || chance(hh->card, "gives address", 30))) {
        joined_ms = hh->first_ms + 2 * MINUTE_MS;
        card_handed_out(pl, hh, joined_ms);
    } else {
        return;
    }
    if (chance(hh->card, "consents", 85)) {
        consent(pl, hh, joined_ms + MINUTE_MS, true);
        if (chance(hh->card, "withdraws", 8))
            consent(pl, hh, joined_ms + between(hh->card, "withdrawal", 60 * DAY_MS, 240 * DAY_MS),
                    false);
    }
}

static struct play_event *support(struct play *pl, const struct play_event *sale, int64_t at_ms,
                                  const char *name, int contacts)
{
    static const char *const topics[] = {"wrong price", "damaged goods", "missing points",
                                         "invoice"};
    static const char *const channels[] = {"phone", "chat", "email"};
    struct play_event *ev = play_event_add(pl, PLAY_SUPPORT, at_ms, name);
    ev->id = sc_arena_printf(&pl->ar, "%s-%s-%d", name, sale->id, contacts);
    ev->case_id = sc_arena_printf(&pl->ar, "C-%s", sale->id);
    ev->topic = topics[draw(sale->id, "topic") % 4];
    ev->channel = channels[(draw(sale->id, "channel") + (uint64_t)contacts) % 3];
    ev->contacts = contacts;
    ev->phone = sale->household->phone;
    /* The first call comes without a card; whoever takes it asks for the number later. */
    ev->card = contacts > 1 ? sale->card : NULL;
    return ev;
}

/* A case after a purchase: opened, contacted again or not, handed over or not, closed. */
static void support_case(struct play *pl, const struct play_event *sale)
{
    int64_t at_ms = sale->at_ms + between(sale->id, "case", HOUR_MS, 48 * HOUR_MS);
    int contacts = 1;
    support(pl, sale, at_ms, "case_opened", contacts);
    if (chance(sale->id, "comes back", 40)) {
        at_ms += between(sale->id, "second contact", 2 * HOUR_MS, 20 * HOUR_MS);
        support(pl, sale, at_ms, "case_contact", ++contacts);
    }
    if (chance(sale->id, "escalates", contacts > 1 ? 50 : 10)) {
        at_ms += between(sale->id, "escalation", 10 * MINUTE_MS, 3 * HOUR_MS);
        support(pl, sale, at_ms, "case_escalated", ++contacts);
    }
    at_ms += between(sale->id, "closing", HOUR_MS, 72 * HOUR_MS);
    struct play_event *closed = support(pl, sale, at_ms, "case_closed", ++contacts);
    if (chance(sale->id, "answers survey", 50))
        closed->rating = contacts > 3 ? 2 : 3 + (int)(draw(sale->id, "satisfaction") % 3);
}

static void review(struct play *pl, const struct play_event *sale)
{
    struct play_event *ev =
        web(pl, sale->at_ms + between(sale->id, "review", 7 * DAY_MS, 12 * DAY_MS), "review_posted",
            sale->id);
    ev->email = sale->household->email;
    ev->rating = 2 + (int)(draw(sale->id, "stars") % 4);
}

static const char *web_name(const struct play_click *cl)
{
    static const char *const names[][2] = {
        {"product_view", "product_viewed"}, {"list_view", "list_viewed"},
        {"list_click", "list_clicked"},     {"add_to_cart", "cart_updated"},
        {"checkout_step", "checkout_step"}, {"transaction", "order_completed"},
        {"promo_view", "promo_viewed"},     {"promo_click", "promo_clicked"},
        {"refund", "order_refunded"},
    };
    if (strcmp(cl->action, "remove_from_cart") == 0)
        return cl->cart_cents > 0 ? "cart_updated" : "cart_emptied";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(cl->action, names[i][0]) == 0)
            return names[i][1];
    return "page_viewed"; /* half of the tracker's rows name no action, only a page */
}

static struct play_event *visit_event(struct play *pl, const struct play_click *cl, int copy,
                                      const char *owner)
{
    struct play_event *ev =
        play_event_add(pl, PLAY_WEB, cl->at_ms - copy * VISIT_APART_MS, web_name(cl));
    ev->id = sc_arena_printf(&pl->ar, "%s-%d", cl->id, copy);
    if (cl->device)
        ev->device = sc_arena_printf(&pl->ar, "%s-%d", cl->device, copy);
    ev->session = sc_arena_printf(&pl->ar, "%s-%d", cl->session, copy);
    ev->page = cl->page;
    ev->mobile = !cl->device;
    ev->items = cl->items;
    ev->item_count = cl->item_count;
    ev->cart = cl->cart_cents >= 0;
    ev->cents = ev->cart ? cl->cart_cents : cl->order_cents;
    if (cl->order) {
        ev->order = sc_arena_printf(&pl->ar, "%s-%d", cl->order, copy);
        ev->email = cl->device ? owner : NULL;
    }
    return ev;
}

/* The visits of all devices, one round of them. Devices are few: the first click of one is found by
 * looking back. */
static void visits(struct play *pl, int copy, const struct play_household *const *owners, size_t n)
{
    for (size_t i = 0; i < pl->click_count; i++) {
        const struct play_click *cl = &pl->clicks[i];
        const char *who = cl->device ? sc_arena_printf(&pl->ar, "%s-%d", cl->device, copy) : "";
        const char *owner = owners[draw(who, "owner") % n]->email;
        size_t earlier = 0;
        for (size_t j = 0; j < i; j++)
            earlier +=
                cl->device && pl->clicks[j].device && strcmp(pl->clicks[j].device, cl->device) == 0;
        struct play_event *ev = visit_event(pl, cl, copy, owner);
        int64_t at_ms = ev->at_ms;
        if (cl->device && earlier == 2 + draw(who, "patience") % 4 && chance(who, "signs in", 65)) {
            struct play_event *in = web(pl, at_ms + 400, "signed_in", who);
            in->device = who;
            in->email = owner;
        }
    }
}

static int by_time(const void *a, const void *b)
{
    const struct play_event *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void play_story_tell(struct play *pl)
{
    static const struct play_household *owners[PLAY_HOUSEHOLDS];
    size_t owner_count = 0, real = pl->count;
    for (size_t i = 0; i < PLAY_HOUSEHOLDS; i++) {
        const struct play_household *hh = &pl->households[i];
        if (!hh->card)
            continue;
        sign_up(pl, hh);
        if (hh->mailed)
            owners[owner_count++] = hh;
    }
    for (size_t i = 0; i < real; i++) {
        const struct play_event sale = pl->events[i]; /* a copy: the table grows below */
        if (sale.source != PLAY_POS || sale.kind != PLAY_SALE)
            continue;
        if (draw(sale.id, "has a case") % 80 == 0)
            support_case(pl, &sale);
        if (sale.cents >= 1500 && chance(sale.id, "writes a review", 15))
            review(pl, &sale);
    }
    for (int copy = 0; copy < VISIT_COPIES && owner_count > 0; copy++)
        visits(pl, copy, owners, owner_count);
    qsort(pl->events, pl->count, sizeof(*pl->events), by_time);
}
