/* Events as the three sources would send them: Confluent's wire format, schemas from
 * schemas/sources.
 *
 * Avro goes through Avro C's generic values, Protobuf through protoc-c's code, JSON through
 * jansson: libraries that Stagecoach's own decoders do not use, so the demo is a check of those
 * too. */
#include "play.h"

#include "base/assert.h"

#include <arpa/inet.h>
#include <avro.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pos.pb-c.h"

#define FRAME_BYTES 5
#define VALUE_BYTES (256 * 1024) /* the longest basket takes 8 KB */
#define LINES_MAX 1024

struct play_encoder {
    int32_t ids[PLAY_SOURCES];
    avro_schema_t schema;
    avro_value_iface_t *iface;
    avro_value_t value;
    char out[VALUE_BYTES];
};

static const struct {
    const char *file, *type;
} schemas[PLAY_SOURCES] = {
    [PLAY_WEB] = {"clickstream.avsc", "AVRO"},
    [PLAY_POS] = {"pos.proto", "PROTOBUF"},
    [PLAY_SUPPORT] = {"support.schema.json", "JSON"},
};

static char *read_file(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "stagecoach-play: cannot read %s: %s\n", path, strerror(errno));
        return NULL;
    }
    char *text = sc_calloc(1, VALUE_BYTES);
    size_t got = fread(text, 1, VALUE_BYTES - 1, file);
    fclose(file);
    if (got == VALUE_BYTES - 1) {
        fprintf(stderr, "stagecoach-play: %s is too large for a schema\n", path);
        free(text);
        return NULL;
    }
    return text;
}

static bool avro_open(struct play_encoder *en, const char *schema)
{
    if (avro_schema_from_json_length(schema, strlen(schema), &en->schema)) {
        fprintf(stderr, "stagecoach-play: clickstream.avsc: %s\n", avro_strerror());
        return false;
    }
    en->iface = avro_generic_class_from_schema(en->schema);
    return en->iface && avro_generic_value_new(en->iface, &en->value) == 0;
}

struct play_encoder *play_encoder_create(const char *registry, const char *dir,
                                         const char *const topics[PLAY_SOURCES])
{
    struct play_encoder *en = sc_calloc(1, sizeof(*en));
    for (int i = 0; i < PLAY_SOURCES; i++) {
        char subject[300];
        snprintf(subject, sizeof(subject), "%s-value", topics[i]);
        char *schema = read_file(dir, schemas[i].file);
        bool ok = schema && (i != PLAY_WEB || avro_open(en, schema));
        en->ids[i] = ok ? play_registry_register(registry, subject, schemas[i].type, schema) : -1;
        free(schema);
        if (en->ids[i] < 0) {
            play_encoder_destroy(en);
            return NULL;
        }
    }
    return en;
}

void play_encoder_destroy(struct play_encoder *en)
{
    if (en->iface) {
        avro_value_decref(&en->value);
        avro_value_iface_decref(en->iface);
    }
    if (en->schema)
        avro_schema_decref(en->schema);
    free(en);
}

/* Avro C answers with an errno; with a schema and values of ours any failure is a bug. */
static void must(int rc)
{
    SC_ASSERT(rc == 0);
}

static avro_value_t field(avro_value_t *record, const char *name)
{
    avro_value_t value = {0};
    must(avro_value_get_by_name(record, name, &value, NULL));
    return value;
}

static void put_string(avro_value_t *record, const char *name, const char *text)
{
    avro_value_t value = field(record, name);
    must(avro_value_set_string(&value, text));
}

/* The part of a union of null and something: the null if `present` is false. */
static avro_value_t branch(avro_value_t *record, const char *name, bool present)
{
    avro_value_t all = field(record, name), one;
    must(avro_value_set_branch(&all, present, &one));
    if (!present)
        must(avro_value_set_null(&one));
    return one;
}

/* A decimal of scale 2: the unscaled number in two's complement, big endian. */
static void put_decimal(avro_value_t *record, const char *name, int64_t cents)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)cents >> (56 - 8 * i));
    avro_value_t value = field(record, name);
    must(avro_value_set_bytes(&value, bytes, sizeof(bytes)));
}

static void put_enum(avro_value_t *record, const char *name, const char *symbol)
{
    avro_value_t value = field(record, name);
    int at = avro_schema_enum_get_by_name(avro_value_get_schema(&value), symbol);
    must(avro_value_set_enum(&value, at));
}

static void put_items(avro_value_t *record, const struct play_event *ev)
{
    avro_value_t items = field(record, "items"), item;
    for (size_t i = 0; i < ev->item_count; i++) {
        must(avro_value_append(&items, &item, NULL));
        put_string(&item, "sku", ev->items[i].sku);
        put_string(&item, "category", ev->items[i].group);
        put_decimal(&item, "price", ev->items[i].cents);
    }
}

static void put_who(avro_value_t *root, const struct play_event *ev)
{
    avro_value_t device = branch(root, "device", ev->device != NULL);
    if (ev->device) {
        put_string(&device, "id", ev->device);
        put_enum(&device, "platform", ev->mobile ? "MOBILE" : "WEB");
    }
    avro_value_t user = branch(root, "user", ev->email != NULL);
    if (ev->email)
        put_string(&user, "email", ev->email);
}

static void put_parts(avro_value_t *root, const struct play_event *ev)
{
    avro_value_t part = branch(root, "cart", ev->cart);
    if (ev->cart) {
        put_string(&part, "id", ev->session);
        put_decimal(&part, "value", ev->cents);
    }
    part = branch(root, "order", ev->order != NULL);
    if (ev->order) {
        put_string(&part, "id", ev->order);
        put_decimal(&part, "total", ev->cents);
    }
    part = branch(root, "campaign", ev->campaign != NULL);
    if (ev->campaign) {
        put_string(&part, "id", ev->campaign);
        put_enum(&part, "type", ev->campaign_type);
    }
    part = branch(root, "consent", ev->consent != NULL);
    if (ev->consent) {
        put_string(&part, "purpose", ev->consent);
        avro_value_t granted = field(&part, "granted");
        must(avro_value_set_boolean(&granted, ev->granted));
    }
    part = branch(root, "rating", ev->rating > 0);
    if (ev->rating > 0)
        must(avro_value_set_int(&part, ev->rating));
}

static size_t encode_web(struct play_encoder *en, const struct play_event *ev, char *out,
                         size_t room)
{
    avro_value_t *root = &en->value;
    must(avro_value_reset(root));
    put_string(root, "event_id", ev->id);
    put_string(root, "event_name", ev->name);
    avro_value_t at = field(root, "client_ts");
    must(avro_value_set_long(&at, ev->at_ms));
    put_who(root, ev);
    avro_value_t page = branch(root, "page", ev->page != NULL);
    if (ev->page)
        must(avro_value_set_string(&page, ev->page));
    put_items(root, ev);
    put_parts(root, ev);
    if (ev->session) {
        avro_value_t attributes = field(root, "attributes"), value;
        must(avro_value_add(&attributes, "session", &value, NULL, NULL));
        must(avro_value_set_string(&value, ev->session));
    }
    avro_writer_t writer = avro_writer_memory(out, (int64_t)room);
    must(avro_value_write(writer, root));
    size_t bytes = (size_t)avro_writer_tell(writer);
    avro_writer_free(writer);
    return bytes;
}

/* protobuf-c's fields are not const, but packing only reads them. */
static char *text(const char *s)
{
    return s ? (char *)(uintptr_t)s : (char *)(uintptr_t) "";
}

static size_t encode_pos(const struct play_event *ev, char *out, size_t room)
{
    Shop__Receipt__Line lines[LINES_MAX], *pointers[LINES_MAX];
    SC_ASSERT(ev->item_count <= LINES_MAX);
    for (size_t i = 0; i < ev->item_count; i++) {
        shop__receipt__line__init(&lines[i]);
        lines[i].product = text(ev->items[i].sku);
        lines[i].department = text(ev->items[i].group);
        lines[i].quantity = ev->items[i].quantity;
        lines[i].cents = ev->items[i].cents;
        lines[i].discount_cents = ev->items[i].discount_cents;
        pointers[i] = &lines[i];
    }
    Shop__Receipt__Coupon coupon;
    shop__receipt__coupon__init(&coupon);
    coupon.upc = text(ev->coupon);
    coupon.campaign = text(ev->campaign);
    Shop__Receipt receipt;
    shop__receipt__init(&receipt);
    receipt.kind = (Shop__Receipt__Kind)ev->kind;
    receipt.receipt_no = text(ev->id);
    receipt.at = ev->at_ms / 1000;
    receipt.store = text(ev->store);
    receipt.card = text(ev->card);
    receipt.email = text(ev->email);
    receipt.n_lines = ev->item_count;
    receipt.lines = pointers;
    receipt.total_cents = ev->cents > 0 ? ev->cents : 0;
    receipt.coupon = ev->coupon ? &coupon : NULL;
    SC_ASSERT(1 + shop__receipt__get_packed_size(&receipt) <= room);
    out[0] = 0; /* message index [0]: the first message of the file, in its short spelling */
    return 1 + shop__receipt__pack(&receipt, (uint8_t *)out + 1);
}

static size_t encode_support(const struct play_event *ev, char *out, size_t room)
{
    char at[PLAY_TIME_BYTES];
    /* `s*`: left out when NULL. */
    json_t *root = json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:s, s:i}, s:{s:s*, s:s*}}", "id",
                             ev->id, "type", ev->name, "at", play_time(ev->at_ms, at), "case", "id",
                             ev->case_id, "topic", ev->topic, "channel", ev->channel, "contacts",
                             ev->contacts, "customer", "phone", ev->phone, "card", ev->card);
    SC_ASSERT(root);
    if (ev->rating > 0)
        json_object_set_new(root, "satisfaction", json_integer(ev->rating));
    size_t bytes = json_dumpb(root, out, room, JSON_COMPACT);
    json_decref(root);
    SC_ASSERT(bytes <= room);
    return bytes;
}

const void *play_encode(struct play_encoder *en, const struct play_event *ev, size_t *bytes)
{
    uint32_t id = htonl((uint32_t)en->ids[ev->source]);
    char *body = en->out + FRAME_BYTES;
    size_t room = sizeof(en->out) - FRAME_BYTES;
    en->out[0] = 0;
    memcpy(en->out + 1, &id, sizeof(id));
    switch (ev->source) {
    case PLAY_WEB:
        *bytes = FRAME_BYTES + encode_web(en, ev, body, room);
        break;
    case PLAY_POS:
        *bytes = FRAME_BYTES + encode_pos(ev, body, room);
        break;
    case PLAY_SUPPORT:
        *bytes = FRAME_BYTES + encode_support(ev, body, room);
        break;
    case PLAY_SOURCES:
        SC_ASSERT(false);
    }
    return en->out;
}
