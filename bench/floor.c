/* The floor of `stagecoach simulate`: the reference job (reference/journey.yaml) written by hand for
 * this one journey and for the very lines that `bench_clicks lines` writes. What the engine does in
 * general is done here as one would for this alone: keys at known places, a struct a customer, texts
 * ready made. Done as the engine does it: every id is remembered (duplicates), customers are
 * pseudonyms (HMAC), windows roll, caps hold, each effect is a line of JSON. The output is the same to
 * the byte, but for the summary.
 *
 *     bench_floor FILE >effects
 */
#include "base/hash.h"
#include "base/hmac.h"
#include "base/siphash.h"
#include "base/time.h"
#include "cli/key.h"
#include "core/event.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WEEK_DAYS 8 /* today and the seven days before it, as a ring */
#define CAP 3
#define DAY SC_DAY_MS

struct customer {
    uint8_t tag[16]; /* SipHash of the device: no raw value is kept */
    uint8_t node[16];
    int64_t entered_ms, sent_ms[CAP];
    int64_t day;
    uint32_t views[WEEK_DAYS], orders, sent;
    int64_t cents;
    uint8_t stage; /* 0, 1, 2, 4; used: */
    bool used;
};

struct floor {
    struct customer *customers;
    uint64_t *ids;
    uint64_t customers_cap, ids_cap, duplicates;
    struct sc_hmac *hmac;
    char *out, *at;
};

#define OUT_BYTES (256u << 10)
#define LINE_MAX_BYTES 1024

static char *put(char *to, const char *p, size_t n)
{
    memcpy(to, p, n);
    return to + n;
}
#define PUT(to, literal) put((to), (literal), sizeof(literal) - 1)

static char *put_hex(char *to, const uint8_t bytes[16])
{
    static const char digit[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        *to++ = digit[bytes[i] >> 4];
        *to++ = digit[bytes[i] & 15];
    }
    return to;
}

static char *put_number(char *to, int64_t n)
{
    char text[20], *p = text + sizeof(text);
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    return put(to, p, (size_t)(text + sizeof(text) - p));
}

static char *put_cents(char *to, int64_t cents)
{
    to = put_number(to, cents / 100);
    if (cents % 100 == 0)
        return to;
    *to++ = '.';
    *to++ = (char)('0' + cents / 10 % 10);
    if (cents % 10)
        *to++ = (char)('0' + cents % 10);
    return to;
}

/* ---- the line, whose keys stand in one order */

struct line {
    struct sc_str name, id, at, device;
    int64_t cents;
};

/* The text after `key`, whose length is known, up to the next quote. */
static const char *field(const char *p, size_t key, struct sc_str *out)
{
    const char *from = p + key, *to = memchr(from, '"', 128);
    if (to == NULL)
        abort();
    *out = (struct sc_str){from, (size_t)(to - from)};
    return to + 1;
}
#define FIELD(p, key, out) field((p), sizeof(key) - 1, (out))

static const char *read_line(const char *p, struct line *ln)
{
    struct sc_str source;
    p = FIELD(p, "{\"event\":\"", &ln->name);
    p = FIELD(p, ",\"id\":\"", &ln->id);
    p = FIELD(p, ",\"occurred_at\":\"", &ln->at);
    p = FIELD(p, ",\"source\":\"", &source);
    p = FIELD(p, ",\"identifiers\":{\"device_id\":\"", &ln->device);
    p += sizeof("},\"properties\":{") - 1;
    ln->cents = 0;
    if (*p == '"') { /* "value" or "total" */
        p += sizeof("\"value\":") - 1;
        int digits = -1;
        for (; *p != '}'; p++) {
            if (*p == '.')
                digits = 0;
            else {
                ln->cents = ln->cents * 10 + (*p - '0');
                digits += digits >= 0;
            }
        }
        for (digits = digits < 0 ? 0 : digits; digits < 2; digits++)
            ln->cents *= 10;
    }
    return p + sizeof("}}\n") - 1;
}

/* ---- customers and ids */

static bool is_copy(struct floor *f, const struct line *ln)
{
    uint64_t h = sc_event_id_hash(SC_STR("clicks"), ln->id);
    uint64_t at = h & (f->ids_cap - 1);
    for (; f->ids[at]; at = (at + 1) & (f->ids_cap - 1))
        if (f->ids[at] == h)
            return true;
    f->ids[at] = h;
    return false;
}

static struct customer *customer_of(struct floor *f, struct sc_str device)
{
    static const uint8_t key[SC_SIPHASH_KEY_BYTES] = {1};
    uint8_t tag[16], mac[32];
    uint64_t at;
    sc_siphash_128(device, key, tag);
    memcpy(&at, tag, sizeof(at));
    for (at &= f->customers_cap - 1; f->customers[at].used; at = (at + 1) & (f->customers_cap - 1))
        if (memcmp(f->customers[at].tag, tag, sizeof(tag)) == 0)
            return &f->customers[at];
    struct customer *c = &f->customers[at];
    const struct sc_str parts[] = {SC_STR("device_id"), SC_STR("\0"), device};
    sc_hmac_sign(f->hmac, parts, 3, mac);
    memcpy(c->tag, tag, sizeof(tag));
    c->node[0] = 0xf1;
    memcpy(c->node + 1, mac, 15);
    c->used = true;
    c->entered_ms = INT64_MIN;
    return c;
}

/* ---- the journey */

static char *begin(struct floor *f, const struct customer *c, const struct line *ln,
                   const char *type, char stage, const char *rule)
{
    if (f->at + LINE_MAX_BYTES > f->out + OUT_BYTES) {
        fwrite(f->out, 1, (size_t)(f->at - f->out), stdout);
        f->at = f->out;
    }
    char *to = PUT(f->at, "{\"type\":\"");
    to = put(to, type, strlen(type));
    to = PUT(to, "\",\"at\":\"");
    to = put(to, ln->at.p, ln->at.len);
    to = PUT(to, "\",\"event_at\":\"");
    to = put(to, ln->at.p, ln->at.len);
    to = PUT(to, "\",\"customer\":\"");
    to = put_hex(to, c->node);
    to = PUT(to, "\",\"stage\":\"stage_");
    *to++ = stage;
    to = PUT(to, "\",\"rule\":\"");
    to = put(to, rule, strlen(rule));
    to = PUT(to, "\",\"events\":[\"");
    to = put(to, ln->id.p, ln->id.len);
    return PUT(to, "\"]");
}

static void enter(struct floor *f, struct customer *c, const struct line *ln, int64_t now,
                  uint8_t stage, uint32_t views)
{
    static const char *const rules[] = {"stage_0", "stage_1", "stage_2", NULL, "stage_4"};
    char *to = begin(f, c, ln, "transition", (char)('0' + stage), rules[stage]);
    to = PUT(to, ",\"from\":\"stage_");
    *to++ = (char)('0' + c->stage);
    to = PUT(to, "\",\"to\":\"stage_");
    *to++ = (char)('0' + stage);
    to = PUT(to, "\",\"cause\":\"rule\",\"back\":false,\"in_stage_ms\":");
    to = put_number(to, now - c->entered_ms);
    if (stage == 1) {
        to = PUT(to, ",\"facts\":{\"views_week\":");
        to = put_number(to, views);
        *to++ = '}';
    } else if (stage == 4) {
        to = PUT(to, ",\"facts\":{\"orders\":");
        to = put_number(to, c->orders);
        to = PUT(to, ",\"revenue\":");
        to = put_cents(to, c->cents);
        *to++ = '}';
    }
    f->at = PUT(to, "}\n");
    c->stage = stage;
    c->entered_ms = now;
}

static void trigger_id(const struct customer *c, const struct line *ln, uint8_t out[16])
{
    uint8_t text[40];
    uint32_t journey = sc_hash_name(SC_STR("reference")), name = sc_hash_name(SC_STR("velocity"));
    uint64_t start = sc_event_id_hash(SC_STR("clicks"), ln->id), key = sc_hash_xxh3(NULL, 0, 0);
    memcpy(text, &journey, 4);
    memcpy(text + 4, &name, 4);
    memcpy(text + 8, c->node, 16);
    memcpy(text + 24, &start, 8);
    memcpy(text + 32, &key, 8);
    sc_hash_xxh3_128(text, sizeof(text), out);
}

static void velocity(struct floor *f, struct customer *c, const struct line *ln, int64_t now,
                     uint32_t views)
{
    uint8_t id[16];
    bool capped = c->sent >= CAP && c->sent_ms[c->sent % CAP] > now - DAY;
    trigger_id(c, ln, id);
    char *to = begin(f, c, ln, capped ? "suppressed" : "trigger", (char)('0' + c->stage), "velocity");
    to = PUT(to, ",\"id\":\"");
    to = put_hex(to, id);
    if (capped)
        to = PUT(to, "\",\"priority\":50,\"reason\":\"CAP_REACHED\",\"gates\":["
                     "{\"gate\":\"AMBIGUOUS_IDENTITY\",\"passed\":true,\"text\":\"certain\"},"
                     "{\"gate\":\"NO_CHANNEL\",\"passed\":true,\"text\":\"1 offered\"},"
                     "{\"gate\":\"CAP_REACHED\",\"passed\":false,"
                     "\"text\":\"sms: sms 3 per 1d: 3 sent\"}]");
    else
        to = PUT(to, "\",\"channel\":\"sms\",\"priority\":50");
    to = PUT(to, ",\"facts\":{\"views_week\":");
    to = put_number(to, views);
    f->at = PUT(to, "}}\n");
    if (!capped)
        c->sent_ms[c->sent++ % CAP] = now;
}

static uint32_t count_view(struct customer *c, int64_t now)
{
    int64_t day = now / DAY;
    uint32_t sum = 0;
    for (; c->day < day; c->day++)
        c->views[(c->day + 1) % WEEK_DAYS] = 0;
    c->views[day % WEEK_DAYS]++;
    for (int i = 0; i < WEEK_DAYS; i++)
        sum += c->views[i];
    return sum;
}

static void step(struct floor *f, struct customer *c, const struct line *ln)
{
    int64_t now;
    if (!sc_time_parse(ln->at, NULL, &now, NULL))
        abort();
    if (c->entered_ms == INT64_MIN) {
        c->entered_ms = now;
        c->day = now / DAY;
    }
    if (ln->name.len == 14) { /* product_viewed */
        uint32_t views = count_view(c, now);
        if (c->stage == 0 && views >= 3)
            enter(f, c, ln, now, 1, views);
        if (views >= 5)
            velocity(f, c, ln, now, views);
    } else if (ln->name.len == 15) { /* order_completed */
        c->orders++;
        c->cents += ln->cents;
        if (c->stage != 4 && (c->orders >= 3 || c->cents > 50000))
            enter(f, c, ln, now, 4, 0);
        else if (c->stage < 2)
            enter(f, c, ln, now, 2, 0);
    }
}

int main(int argc, char **argv)
{
    struct stat st;
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0 || fstat(fd, &st) < 0) {
        fprintf(stderr, "usage: bench_floor FILE >effects\n");
        return 64;
    }
    const char *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return 66;
    uint64_t cap = 1 << 16; /* lines are longer than 128 bytes: half full at most */
    while (cap < (uint64_t)st.st_size / 64)
        cap *= 2;
    struct floor f = {.customers_cap = cap, .ids_cap = cap};
    f.customers = calloc(f.customers_cap, sizeof(*f.customers));
    f.ids = calloc(f.ids_cap, sizeof(*f.ids));
    f.out = f.at = malloc(OUT_BYTES);
    f.hmac = sc_hmac_create(SC_STR(SC_KEY_DEVELOPMENT));
    if (f.customers == NULL || f.ids == NULL || f.out == NULL)
        return 71;
    for (const char *end = p + st.st_size; p < end;) {
        struct line ln;
        p = read_line(p, &ln);
        if (is_copy(&f, &ln))
            f.duplicates++;
        else
            step(&f, customer_of(&f, ln.device), &ln);
    }
    fwrite(f.out, 1, (size_t)(f.at - f.out), stdout);
    sc_hmac_destroy(f.hmac);
    free(f.customers);
    free(f.ids);
    free(f.out);
    return 0;
}
