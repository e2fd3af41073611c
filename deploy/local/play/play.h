/* stagecoach-play: a shop's year, for the demo and for trying things out.
 *
 * The path of an event: data.c reads the real rows (demo.d/README.md), story.c adds what the
 * originals lack (who owns a device, sign-ups, consents, support cases), all of it is sorted by
 * time, encode.c makes Confluent-framed Avro, Protobuf and JSON of it, load.c sends it;
 * events.c writes the same events as canonical lines instead. watch.c reads what comes out.
 *
 * Invariant: the same files give the same events, to the byte, on every machine: what the story
 * adds is drawn from hashes of ids, never from a clock or a random number. One thread; a year is
 * some 50,000 events and 40 MB. */
#ifndef PLAY_H
#define PLAY_H

#include "base/arena.h"

#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum play_source { PLAY_WEB, PLAY_POS, PLAY_SUPPORT, PLAY_SOURCES };

enum play_kind { PLAY_SALE = 1, PLAY_COUPON, PLAY_CARD }; /* Receipt.Kind of pos.proto */

/* A line of a receipt, or a product on a page. */
struct play_item {
    const char *sku, *group; /* group: department or category */
    uint32_t quantity;
    int64_t cents, discount_cents;
};

struct play_household;

/* One event of one source. A part that it does not have is NULL, 0 or, of `cents`, negative. */
struct play_event {
    int64_t at_ms; /* when it happened: also the Kafka timestamp */
    enum play_source source;
    enum play_kind kind;   /* PLAY_POS */
    const char *name, *id; /* id is unique within its source */
    const char *email, *device, *card, *phone;
    const char *page, *session, *order, *store, *coupon;
    const char *campaign, *campaign_type;
    const char *consent; /* purpose; see `granted` */
    const char *case_id, *topic, *channel;
    const struct play_household *household; /* whose receipt it is */
    const struct play_item *items;
    size_t item_count;
    int64_t cents; /* cart's value or order's total */
    int rating, contacts;
    bool cart, granted, mobile;
    uint32_t seq; /* order of creation: ties of time are broken the same way everywhere */
};

/* A household of the receipts or mailings. */
struct play_household {
    const char *email, *card, *phone; /* NULL: no such household */
    int64_t first_ms;                 /* first receipt; 0: none */
    bool mailed;
};

#define PLAY_HOUSEHOLDS 4096 /* ids are below; the originals end at 2,500 */

/* A row of the web shop's tracker, before the story says whose device it was. */
struct play_click {
    int64_t at_ms;
    const char *id, *device, *session, *action, *page, *order;
    int64_t cart_cents, order_cents; /* negative: none */
    const struct play_item *items;
    size_t item_count;
};

struct play {
    struct sc_arena ar; /* owns every string and array below */
    struct play_event *events;
    size_t count, room;
    struct play_household households[PLAY_HOUSEHOLDS];
    struct play_click *clicks;
    size_t click_count;
};

/* A new event, all parts absent; valid until the next one is added. */
struct play_event *play_event_add(struct play *pl, enum play_source source, int64_t at_ms,
                                  const char *name);

/* data.c: read the four files of `dir` into households, clicks, events. False: said on stderr. */
bool play_data_read(struct play *pl, const char *dir);

/* A year, read and told; NULL: said on stderr. */
struct play *play_create(const char *dir);
void play_destroy(struct play *pl);

/* story.c: add what the originals lack, then sort all events by time. */
void play_story_tell(struct play *pl);

/* encode.c: schemas are read from `dir` and registered under `<topic>-value`. */
struct play_encoder;
struct play_encoder *play_encoder_create(const char *registry, const char *dir,
                                         const char *const topics[PLAY_SOURCES]);
void play_encoder_destroy(struct play_encoder *en);
/* The framed value of an event; valid until the next call. */
const void *play_encode(struct play_encoder *en, const struct play_event *ev, size_t *bytes);

/* registry.c: register a schema, or find it registered. Returns its id, or -1: said on stderr. */
int play_registry_register(const char *base, const char *subject, const char *type,
                           const char *schema);

/* watch.c: print what comes out of `topics` (a NULL at the end), at most `rate` lines a second;
 * count all of it. With `at_end` what is there already is passed over. NULL: said on stderr. */
struct play_watch;
struct play_watch *play_watch_create(const char *brokers, char *const *topics, int rate,
                                     bool at_end);
/* Take what has come, waiting at most `wait_ms` for it. False: nothing came. */
bool play_watch_poll(struct play_watch *wa, int wait_ms);
void play_watch_summary(const struct play_watch *wa);
void play_watch_destroy(struct play_watch *wa);

/* main.c: an instant as RFC 3339 in UTC, with milliseconds where there are any. */
#define PLAY_TIME_BYTES 32
const char *play_time(int64_t at_ms, char out[PLAY_TIME_BYTES]);

/* The subcommands; argv[0] is the subcommand's name. Each returns the exit status. */
int play_main_load(int argc, char **argv);
int play_main_watch(int argc, char **argv);
int play_main_topics(int argc, char **argv);
int play_main_events(int argc, char **argv);

/* main.c: shared by the subcommands. */
/* Set by SIGINT and SIGTERM: finish and leave. */
extern volatile sig_atomic_t play_interrupted;
/* A configuration with the brokers set; never NULL (a wrong value ends the program with 64). */
rd_kafka_conf_t *play_kafka_conf(const char *brokers);
/* Milliseconds of a clock that never goes back. */
int64_t play_now_ms(void);

#endif
