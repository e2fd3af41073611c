/* Decoders against the libraries they replace, on one click event (bench/click.proto and the same in
 * Avro and JSON): 22 leaf fields, 8 wanted, and every contender leaves those as the same eight values:
 * texts with their lengths, numbers, absent. Contenders alternate; what counts is the ratio in a round,
 * printed as median and range over the rounds.
 *
 *     build/release/bench/bench_decode [ROUNDS]                 # default 15
 *     build/release/bench/bench_decode --only NAME [EVENTS]     # one contender, for callgrind:
 *     valgrind --tool=callgrind --callgrind-out-file=/dev/null build/release/bench/bench_decode --only avro
 */
#include "codec/want.h"

#include "base/arena.h"
#include "base/assert.h"

#include <avro.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#ifdef HAVE_PROTOBUF_C
#include "click.pb-c.h"
#endif
#ifdef HAVE_CJSON
#include <cjson/cJSON.h>
#endif

#define VARIANTS 64
#define SLICE_EVENTS 20000
#define ROUNDS_MAX 101

#define OPTIONAL(name) "{\"name\":\"" name "\",\"type\":[\"null\",\"string\"]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":\"" type "\"}"
static const char avro_schema[] =
    "{\"type\":\"record\",\"name\":\"Click\",\"fields\":["
    FIELD("event_name", "string") "," FIELD("event_id", "string") ","
    "{\"name\":\"client_ts\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}},"
    "{\"name\":\"device\",\"type\":{\"type\":\"record\",\"name\":\"Device\",\"fields\":["
    FIELD("id", "string") "," FIELD("os", "string") "," FIELD("width", "int") ","
    FIELD("height", "int") "]}},"
    "{\"name\":\"user\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"User\",\"fields\":["
    OPTIONAL("account") "," FIELD("logged_in", "boolean") "]}]},"
    "{\"name\":\"item\",\"type\":{\"type\":\"record\",\"name\":\"Item\",\"fields\":["
    FIELD("sku", "string") "," FIELD("price", "double") "," FIELD("quantity", "int") ","
    FIELD("category", "string") "]}},"
    FIELD("url", "string") "," OPTIONAL("referrer") "," FIELD("session", "string") ","
    FIELD("language", "string") "," FIELD("country", "string") "," FIELD("sequence", "long") ","
    FIELD("scroll", "int") "," FIELD("consent", "boolean") "," OPTIONAL("campaign") "]}";

static const char proto_schema[] =
    "syntax = \"proto3\"; package bench; message Click {"
    " message Device { string id = 1; string os = 2; int32 width = 3; int32 height = 4; }"
    " message User { string account = 1; bool logged_in = 2; }"
    " message Item { string sku = 1; double price = 2; int32 quantity = 3; string category = 4; }"
    " string event_name = 1; string event_id = 2; int64 client_ts = 3; Device device = 4;"
    " User user = 5; Item item = 6; string url = 7; string referrer = 8; string session = 9;"
    " string language = 10; string country = 11; int64 sequence = 12; int32 scroll = 13;"
    " bool consent = 14; string campaign = 15; }";

/* event, id, time, two identifiers, three properties */
static const char *const wanted[8][2] = {{"event_name"}, {"event_id"}, {"client_ts"},
                                         {"device", "id"}, {"user", "account"}, {"item", "sku"},
                                         {"item", "price"}, {"session"}};

struct bench {
    struct sc_arena ar, batch;
    struct sc_str avro[VARIANTS], proto[VARIANTS], json[VARIANTS];
    const struct sc_decoder *avro_plan, *proto_plan, *json_plan;
    avro_schema_t schema;
    avro_value_iface_t *iface;
    avro_value_t value;
    size_t avro_at[8][2]; /* positions of the wanted fields: names are not looked up an event */
    struct sc_value slots[8]; /* what the contender read out of the event */
    struct sc_fault fault;
};

static struct bench b;

/* ---- the events */

static const char *variant_text(unsigned i, unsigned field)
{
    static const char *const names[] = {"view_item", "add_to_cart", "begin_checkout", "search"};
    static const char *const pages[] = {"/c/garden", "/p/4711", "/", "/search"};
    switch (field) {
    case 0: return names[i % 4];
    case 1: return sc_arena_printf(&b.ar, "%08x-1c2d-4e5f-8a9b-%012x", i * 2654435761u, i * 40503u);
    case 2: return sc_arena_printf(&b.ar, "d-%08x", i * 2246822519u);
    case 3: return i % 2 ? "Android 14" : "iOS 17.4";
    case 4: return sc_arena_printf(&b.ar, "acc-%06u", i * 7919u);
    case 5: return sc_arena_printf(&b.ar, "sku-%05u", i * 31u);
    case 6: return i % 3 ? "garden/tools" : "home";
    case 7: return sc_arena_printf(&b.ar, "https://shop.example%s?page=%u", pages[i % 4], i);
    case 8: return "https://search.example/?q=shears";
    case 9: return sc_arena_printf(&b.ar, "s-%08x%04x", i * 3266489917u, i);
    case 10: return "de-DE";
    default: return "DE";
    }
}

/* NULL: null. */
static void set_text(avro_value_t *record, const char *name, const char *text)
{
    avro_value_t field, branch = {0};
    avro_value_get_by_name(record, name, &field, NULL);
    if (avro_value_get_type(&field) == AVRO_UNION) {
        avro_value_set_branch(&field, text != NULL, &branch);
        field = branch;
    }
    if (text)
        avro_value_set_string(&field, text);
}

static void set_number(avro_value_t *record, const char *name, double number)
{
    avro_value_t field;
    avro_value_get_by_name(record, name, &field, NULL);
    switch (avro_value_get_type(&field)) {
    case AVRO_INT32: avro_value_set_int(&field, (int32_t)number); break;
    case AVRO_INT64: avro_value_set_long(&field, (int64_t)number); break;
    case AVRO_BOOLEAN: avro_value_set_boolean(&field, number != 0); break;
    default: avro_value_set_double(&field, number); break;
    }
}

static void fill(unsigned i)
{
    static const char *const texts[] = {"event_name", "event_id"};
    avro_value_t device, user, item;
    avro_value_reset(&b.value);
    for (unsigned k = 0; k < 2; k++)
        set_text(&b.value, texts[k], variant_text(i, k));
    set_number(&b.value, "client_ts", 1772445600000.0 + i * 977);
    avro_value_get_by_name(&b.value, "device", &device, NULL);
    set_text(&device, "id", variant_text(i, 2));
    set_text(&device, "os", variant_text(i, 3));
    set_number(&device, "width", 390);
    set_number(&device, "height", 844);
    avro_value_get_by_name(&b.value, "user", &item, NULL);
    avro_value_set_branch(&item, i % 4 != 0, &user);
    if (i % 4 != 0) {
        set_text(&user, "account", variant_text(i, 4));
        set_number(&user, "logged_in", 1);
    }
    avro_value_get_by_name(&b.value, "item", &item, NULL);
    set_text(&item, "sku", variant_text(i, 5));
    set_number(&item, "price", 9.5 + i);
    set_number(&item, "quantity", 1 + i % 3);
    set_text(&item, "category", variant_text(i, 6));
    set_text(&b.value, "url", variant_text(i, 7));
    set_text(&b.value, "referrer", i % 2 ? variant_text(i, 8) : NULL);
    set_text(&b.value, "campaign", NULL);
    set_text(&b.value, "session", variant_text(i, 9));
    set_text(&b.value, "language", variant_text(i, 10));
    set_text(&b.value, "country", variant_text(i, 11));
    set_number(&b.value, "sequence", 100 + i);
    set_number(&b.value, "scroll", i);
    set_number(&b.value, "consent", 1);
}

static void make_avro(unsigned i)
{
    char bytes[1024];
    fill(i);
    avro_writer_t writer = avro_writer_memory(bytes, sizeof(bytes));
    SC_ASSERT(avro_value_write(writer, &b.value) == 0);
    b.avro[i] = sc_str_dup(&b.ar, (struct sc_str){bytes, (size_t)avro_writer_tell(writer)});
    avro_writer_free(writer);
}

static void make_json(unsigned i)
{
    bool user = i % 4 != 0, referrer = i % 2;
    b.json[i] = sc_str_printf(
        &b.ar,
        "{\"event_name\":\"%s\",\"event_id\":\"%s\",\"client_ts\":%llu,\"device\":{\"id\":\"%s\","
        "\"os\":\"%s\",\"width\":390,\"height\":844},\"user\":%s%s%s,\"item\":{\"sku\":\"%s\","
        "\"price\":%.2f,\"quantity\":%u,\"category\":\"%s\"},\"url\":\"%s\",\"referrer\":%s%s%s,"
        "\"session\":\"%s\",\"language\":\"de-DE\",\"country\":\"DE\",\"sequence\":%u,\"scroll\":%u,"
        "\"consent\":true,\"campaign\":null}",
        variant_text(i, 0), variant_text(i, 1), 1772445600000ull + i * 977, variant_text(i, 2),
        variant_text(i, 3), user ? "{\"account\":\"" : "null", user ? variant_text(i, 4) : "",
        user ? "\",\"logged_in\":true}" : "", variant_text(i, 5), 9.5 + i, 1 + i % 3,
        variant_text(i, 6), variant_text(i, 7), referrer ? "\"" : "null",
        referrer ? variant_text(i, 8) : "", referrer ? "\"" : "", variant_text(i, 9), 100 + i, i);
}

#ifdef HAVE_PROTOBUF_C
static char *text_of(unsigned i, unsigned field)
{
    const char *z = variant_text(i, field);
    return sc_arena_dup(&b.ar, z, strlen(z));
}

static void make_proto(unsigned i)
{
    Bench__Click__Device device;
    Bench__Click__User user;
    Bench__Click__Item item;
    Bench__Click click;
    uint8_t bytes[1024];
    bench__click__device__init(&device);
    bench__click__user__init(&user);
    bench__click__item__init(&item);
    bench__click__init(&click);
    device.id = text_of(i, 2);
    device.os = text_of(i, 3);
    device.width = 390;
    device.height = 844;
    user.account = text_of(i, 4);
    user.logged_in = 1;
    item.sku = text_of(i, 5);
    item.price = 9.5 + i;
    item.quantity = 1 + (int32_t)i % 3;
    item.category = text_of(i, 6);
    click.event_name = text_of(i, 0);
    click.event_id = text_of(i, 1);
    click.client_ts = 1772445600000 + i * 977;
    click.device = &device;
    click.user = i % 4 ? &user : NULL;
    click.item = &item;
    click.url = text_of(i, 7);
    if (i % 2)
        click.referrer = text_of(i, 8);
    click.session = text_of(i, 9);
    click.language = text_of(i, 10);
    click.country = text_of(i, 11);
    click.sequence = 100 + i;
    click.scroll = (int32_t)i;
    click.consent = 1;
    size_t n = bench__click__pack(&click, bytes);
    b.proto[i] = sc_str_dup(&b.ar, (struct sc_str){(const char *)bytes, n});
}
#endif

static struct sc_projection projection(void)
{
    struct sc_want *w = SC_NEW_N(&b.ar, struct sc_want, 8);
    for (unsigned i = 0; i < 8; i++) {
        w[i].path.n = wanted[i][1] ? 2 : 1;
        w[i].path.steps = SC_NEW_N(&b.ar, struct sc_step, 2);
        for (unsigned k = 0; k < w[i].path.n; k++)
            w[i].path.steps[k].name = sc_str_from(wanted[i][k]);
    }
    return (struct sc_projection){w, 8};
}

/* For Avro C: an optional record is a union's second branch. */
static void find_positions(void)
{
    for (unsigned k = 0; k < 8; k++) {
        avro_schema_t s = b.schema;
        for (unsigned i = 0; i < 2 && wanted[k][i]; i++) {
            if (is_avro_union(s))
                s = avro_schema_union_branch(s, 1);
            b.avro_at[k][i] = (size_t)avro_schema_record_field_get_index(s, wanted[k][i]);
            s = avro_schema_record_field_get(s, wanted[k][i]);
        }
    }
}

static void set_up(void)
{
    struct sc_projection want = projection();
    struct sc_schema_source source = {.text = SC_STR(avro_schema)};
    struct sc_str why;
    b.avro_plan = sc_avro_decoder(&source, &want, &b.ar, &why);
    source.text = SC_STR(proto_schema);
    const struct sc_proto_files *files = sc_proto_parse(&source, &b.ar, &why);
    SC_ASSERT(b.avro_plan != NULL && files != NULL);
    b.proto_plan = sc_proto_decoder(files, SC_STR_NULL, NULL, 0, &want, &b.ar, &why);
    b.json_plan = sc_json_decoder(&want, &b.ar);
    SC_ASSERT(avro_schema_from_json_length(avro_schema, strlen(avro_schema), &b.schema) == 0);
    b.iface = avro_generic_class_from_schema(b.schema);
    avro_generic_value_new(b.iface, &b.value);
    find_positions();
    for (unsigned i = 0; i < VARIANTS; i++) {
        make_avro(i);
        make_json(i);
#ifdef HAVE_PROTOBUF_C
        make_proto(i);
#endif
    }
}

/* ---- the contenders: one event each, its 8 values read out */

static struct sc_value text(const char *p, size_t len)
{
    return sc_string((struct sc_str){p, len});
}

static void ours(const struct sc_decoder *d, struct sc_str body, unsigned i)
{
    if (i % 64 == 0)
        sc_arena_reset(&b.batch, 1 << 20);
    enum sc_drop drop = sc_decode(d, body, &b.batch, b.slots, &b.fault);
    SC_ASSERT(drop == SC_DROP_NONE);
}

static void avro_ours(unsigned i)
{
    ours(b.avro_plan, b.avro[i % VARIANTS], i);
}

static void proto_ours(unsigned i)
{
    ours(b.proto_plan, b.proto[i % VARIANTS], i);
}

static void json_ours(unsigned i)
{
    ours(b.json_plan, b.json[i % VARIANTS], i);
}

static struct sc_value avro_c_value(avro_value_t *v)
{
    const char *p = "";
    size_t len = 1;
    int64_t i = 0;
    double d = 0;
    switch (avro_value_get_type(v)) {
    case AVRO_STRING:
        avro_value_get_string(v, &p, &len);
        return text(p, len - 1); /* it counts the NUL */
    case AVRO_INT64: avro_value_get_long(v, &i); return sc_timestamp(i);
    case AVRO_DOUBLE: avro_value_get_double(v, &d); return sc_double(d);
    default: return sc_absent();
    }
}

static void avro_c(unsigned i)
{
    struct sc_str body = b.avro[i % VARIANTS];
    avro_reader_t reader = avro_reader_memory(body.p, (int64_t)body.len);
    SC_ASSERT(avro_value_read(reader, &b.value) == 0);
    avro_reader_free(reader);
    for (unsigned k = 0; k < 8; k++) {
        avro_value_t v = b.value, part;
        for (unsigned s = 0; s < 2 && wanted[k][s] && avro_value_get_type(&v) == AVRO_RECORD; s++) {
            avro_value_get_by_index(&v, b.avro_at[k][s], &part, NULL);
            v = part;
            if (avro_value_get_type(&v) == AVRO_UNION) {
                avro_value_get_current_branch(&v, &part);
                v = part;
            }
        }
        b.slots[k] = avro_c_value(&v);
    }
}

#ifdef HAVE_PROTOBUF_C
static void protobuf_c(unsigned i)
{
    struct sc_str body = b.proto[i % VARIANTS];
    Bench__Click *click =
        bench__click__unpack(NULL, body.len, (const uint8_t *)(const void *)body.p);
    SC_ASSERT(click != NULL);
    const Bench__Click__Device *device = click->device;
    const Bench__Click__User *user = click->user;
    const Bench__Click__Item *item = click->item;
    b.slots[0] = text(click->event_name, strlen(click->event_name));
    b.slots[1] = text(click->event_id, strlen(click->event_id));
    b.slots[2] = sc_int(click->client_ts);
    b.slots[3] = device ? text(device->id, strlen(device->id)) : sc_absent();
    b.slots[4] = user ? text(user->account, strlen(user->account)) : sc_absent();
    b.slots[5] = item ? text(item->sku, strlen(item->sku)) : sc_absent();
    b.slots[6] = item ? sc_double(item->price) : sc_absent();
    b.slots[7] = text(click->session, strlen(click->session));
    bench__click__free_unpacked(click, NULL);
}
#endif

static struct sc_value jansson_value(const json_t *v)
{
    if (json_is_string(v))
        return text(json_string_value(v), json_string_length(v));
    if (json_is_integer(v))
        return sc_int(json_integer_value(v));
    return json_is_real(v) ? sc_double(json_real_value(v)) : sc_absent();
}

static void jansson(unsigned i)
{
    struct sc_str body = b.json[i % VARIANTS];
    json_t *js = json_loadb(body.p, body.len, 0, NULL);
    SC_ASSERT(js != NULL);
    for (unsigned k = 0; k < 8; k++) {
        const json_t *v = json_object_get(js, wanted[k][0]);
        b.slots[k] = jansson_value(wanted[k][1] ? json_object_get(v, wanted[k][1]) : v);
    }
    json_decref(js);
}

#ifdef HAVE_CJSON
static struct sc_value cjson_value(const cJSON *v)
{
    if (cJSON_IsString(v))
        return text(v->valuestring, strlen(v->valuestring));
    return cJSON_IsNumber(v) ? sc_double(v->valuedouble) : sc_absent();
}

static void cjson(unsigned i)
{
    struct sc_str body = b.json[i % VARIANTS];
    cJSON *js = cJSON_ParseWithLength(body.p, body.len);
    SC_ASSERT(js != NULL);
    for (unsigned k = 0; k < 8; k++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(js, wanted[k][0]);
        b.slots[k] = cjson_value(
            v && wanted[k][1] ? cJSON_GetObjectItemCaseSensitive(v, wanted[k][1]) : v);
    }
    cJSON_Delete(js);
}
#endif

static const struct contender {
    const char *name, *against; /* against: whose ratio is printed */
    void (*run)(unsigned i);
} contenders[] = {
    {"avro", NULL, avro_ours},
    {"avro-c", "avro", avro_c},
    {"protobuf", NULL, proto_ours},
#ifdef HAVE_PROTOBUF_C
    {"protobuf-c", "protobuf", protobuf_c},
#endif
    {"json", NULL, json_ours},
    {"jansson", "json", jansson},
#ifdef HAVE_CJSON
    {"cjson", "json", cjson},
#endif
};
#define CONTENDERS (sizeof(contenders) / sizeof(*contenders))

/* ---- measuring */

static double number(struct sc_value v)
{
    double unit = 1;
    for (unsigned i = 0; v.type == SC_T_DECIMAL && i < v.scale; i++)
        unit *= 10;
    return v.type == SC_T_DOUBLE ? v.d : (double)v.i / unit;
}

static bool same(struct sc_value a, struct sc_value other)
{
    if (sc_is_value(a) != sc_is_value(other) || !sc_is_value(a))
        return sc_is_value(a) == sc_is_value(other);
    if (a.type == SC_T_STRING)
        return other.type == SC_T_STRING && sc_str_eq(sc_value_str(a), sc_value_str(other));
    return number(a) == number(other);
}

/* A contender leaves the same as the one it is compared with. */
static void check_same(void)
{
    struct sc_value expect[8];
    for (size_t c = 0, base = 0; c < CONTENDERS; c++) {
        if (contenders[c].against == NULL)
            base = c;
        for (unsigned i = 0; i < VARIANTS; i++) {
            contenders[base].run(i);
            memcpy(expect, b.slots, sizeof(expect));
            contenders[c].run(i);
            for (unsigned k = 0; k < 8; k++)
                SC_ASSERT(same(b.slots[k], expect[k]));
        }
    }
}

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double slice(const struct contender *c)
{
    double start = cpu_ns();
    for (unsigned i = 0; i < SLICE_EVENTS; i++)
        c->run(i);
    return (cpu_ns() - start) / SLICE_EVENTS;
}

static int by_size(const void *x, const void *y)
{
    double p = *(const double *)x, q = *(const double *)y;
    return p < q ? -1 : p > q;
}

static void print(const char *what, const char *unit, double *v, unsigned n)
{
    qsort(v, n, sizeof(*v), by_size);
    printf("%-28s %8.1f %s   (%.1f .. %.1f)\n", what, v[n / 2], unit, v[0], v[n - 1]);
}

static void compare(unsigned rounds)
{
    static double ns[CONTENDERS][ROUNDS_MAX], ratio[ROUNDS_MAX];
    for (unsigned r = 0; r < rounds; r++)
        for (size_t c = 0; c < CONTENDERS; c++)
            ns[c][r] = slice(&contenders[c]);
    for (size_t c = 0; c < CONTENDERS; c++) {
        char what[64];
        size_t base = 0;
        while (contenders[c].against && strcmp(contenders[base].name, contenders[c].against) != 0)
            base++;
        for (unsigned r = 0; contenders[c].against && r < rounds; r++)
            ratio[r] = ns[c][r] / ns[base][r];
        if (contenders[c].against) {
            snprintf(what, sizeof(what), "%s / %s", contenders[c].name, contenders[c].against);
            print(what, "times", ratio, rounds);
        }
    }
    for (size_t c = 0; c < CONTENDERS; c++)
        print(contenders[c].name, "ns an event", ns[c], rounds);
}

static int run_one(const char *name, unsigned events)
{
    for (size_t c = 0; c < CONTENDERS; c++) {
        if (strcmp(contenders[c].name, name) != 0)
            continue;
        for (unsigned i = 0; i < events; i++)
            contenders[c].run(i);
        printf("%s: %u events\n", name, events);
        return 0;
    }
    fprintf(stderr, "no contender is called %s\n", name);
    return 64;
}

int main(int argc, char **argv)
{
    sc_arena_init(&b.ar);
    sc_arena_init(&b.batch);
    set_up();
    if (argc >= 3 && strcmp(argv[1], "--only") == 0)
        return run_one(argv[2], argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 100000);
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 15;
    printf("%zu, %zu, %zu bytes an event: avro, protobuf, json\n", b.avro[1].len, b.proto[1].len,
           b.json[1].len);
    check_same();
    compare(rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds);
    return 0;
}
