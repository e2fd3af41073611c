/* stagecoach-play events: the year as canonical events (JSON lines), what `stagecoach simulate`
 * reads.
 *
 * This says in C what demo.d/taxonomy.yaml says in mappings. The two ways to the same customers,
 * this one without a server and the one through three formats and Kafka, check each other. */
#include "play.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: stagecoach-play events [--data DIR] [--limit N]\n"
    "\n"
    "Prints the year that `load` plays as canonical events, one a line, in order of time:\n"
    "\n"
    "    stagecoach-play events | stagecoach simulate deploy/local/demo.d/journey.yaml --events "
    "-\n";

static void put_text(json_t *to, const char *name, const char *text)
{
    if (text)
        json_object_set_new(to, name, json_string(text));
}

static void put_int(json_t *to, const char *name, int64_t value)
{
    json_object_set_new(to, name, json_integer(value));
}

/* Money as text: exact, where a JSON number would go through a double. */
static void put_cents(json_t *to, const char *name, int64_t cents)
{
    char text[32];
    snprintf(text, sizeof(text), "%s%lld.%02lld", cents < 0 ? "-" : "",
             llabs((long long)cents) / 100, llabs((long long)cents) % 100);
    put_text(to, name, text);
}

static void put_items(json_t *to, const struct play_event *ev)
{
    int64_t highest = 0, discount = 0;
    for (size_t i = 0; i < ev->item_count; i++) {
        highest = ev->items[i].cents > highest ? ev->items[i].cents : highest;
        discount += ev->items[i].discount_cents;
    }
    put_int(to, "items", (int64_t)ev->item_count);
    put_int(to, "shown", (int64_t)ev->item_count);
    if (ev->source == PLAY_POS)
        put_cents(to, "discount", discount);
    if (ev->source == PLAY_WEB && ev->item_count > 0) {
        put_text(to, "product_id", ev->items[0].sku);
        put_text(to, "category", ev->items[0].group);
        put_cents(to, "price", highest);
    }
}

/* Every part that the event has: which of them an event is read for, the taxonomy says. */
static json_t *properties(const struct play_event *ev)
{
    json_t *to = json_object();
    put_text(to, "page", ev->page);
    put_text(to, "store", ev->store);
    put_text(to, "coupon", ev->coupon);
    put_text(to, "campaign_id", ev->campaign);
    put_text(to, "campaign_type", ev->campaign_type);
    put_text(to, "case_id", ev->case_id);
    put_text(to, "topic", ev->topic);
    put_text(to, "contact", ev->channel);
    if (ev->contacts > 0)
        put_int(to, "contacts", ev->contacts);
    if (ev->rating > 0)
        put_int(to, ev->source == PLAY_SUPPORT ? "satisfaction" : "rating", ev->rating);
    if (ev->consent) {
        put_text(to, "purpose", ev->consent);
        json_object_set_new(to, "granted", json_boolean(ev->granted));
    }
    if (ev->cart) {
        put_text(to, "cart_id", ev->session);
        put_cents(to, "value", ev->cents);
    } else if (ev->cents >= 0) {
        put_cents(to, "total", ev->cents);
    }
    put_items(to, ev);
    return to;
}

static json_t *canonical(const struct play_event *ev)
{
    static const char *const sources[] = {
        [PLAY_WEB] = "clickstream", [PLAY_POS] = "pos", [PLAY_SUPPORT] = "support"};
    char at[PLAY_TIME_BYTES];
    json_t *line = json_object(), *ids = json_object();
    put_text(line, "event", ev->name);
    put_text(line, "id", ev->id);
    put_text(line, "occurred_at", play_time(ev->at_ms, at));
    put_text(line, "source", sources[ev->source]);
    put_text(ids, "loyalty_id", ev->card);
    put_text(ids, "email", ev->email);
    put_text(ids, "phone", ev->phone);
    put_text(ids, "device_id", ev->device);
    json_object_set_new(line, "identifiers", ids);
    json_object_set_new(line, "properties", properties(ev));
    return line;
}

int play_main_events(int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"limit", required_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *data = "deploy/local/demo.d";
    size_t limit = SIZE_MAX;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'd') {
            data = optarg;
        } else if (c == 'n') {
            limit = strtoul(optarg, NULL, 10);
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 64;
        }
    }
    struct play *pl = play_create(data);
    if (!pl)
        return 66;
    bool ok = true;
    for (size_t i = 0; ok && i < pl->count && i < limit && !play_interrupted; i++) {
        json_t *line = canonical(&pl->events[i]);
        ok = json_dumpf(line, stdout, JSON_COMPACT) == 0 && putchar('\n') == '\n';
        json_decref(line);
    }
    ok = fflush(stdout) == 0 && ok;
    play_destroy(pl);
    return ok ? 0 : 74;
}
