/* test_spoil send BROKERS TOPIC avro|protobuf|json SCHEMA_ID|bare GOOD BAD
 * test_spoil check BROKERS TOPIC DEAD_LETTERS
 *
 * `send` writes GOOD orders as tests/lib/orders/ has them, and among them BAD records of each kind of
 * fault (BIG of the oversized); a record's header `want` names the code its dead letter must have.
 * It prints how many bad ones there are, and the cents of the good ones.
 * `check` reads both topics: each record with a `want` must be among the dead letters once, with that
 * code, its own key, value, headers and time, and where it came from; no other record may be. */
#include "base/arena.h"
#include "base/hash.h"
#include "kafka/conf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BIG 3
#define BIG_BYTES (950u << 10)
#define CUSTOMERS 2000
#define START_MS INT64_C(1767225600000) /* 2026-01-01 */
#define PARTITIONS_MAX 16
#define HEADERS_MAX 32u
#define POLL_MS 500
#define SILENCES_MAX 60

enum format { AVRO, PROTOBUF, JSON, FORMATS };
static const char *const format_names[FORMATS] = {"avro", "protobuf", "json"};

enum kind {
    GOOD, EMPTY, SHORT, MAGIC, UNKNOWN_ID, TORN, TRAILING, NO_EVENT, UNKNOWN_EVENT, NO_TIME, NO_ID,
    MISSING, WRONG_TYPE, RANGE, UTF8, LENGTH, OVERSIZED, KINDS
};

/* What each kind must be called, by format; NULL: the format has no such fault. */
static const char *const wants[KINDS][FORMATS] = {
    [GOOD] = {"", "", ""},
    [EMPTY] = {"empty_value", "empty_value", "empty_value"},
    [SHORT] = {"frame_truncated", "frame_truncated", "frame_truncated"},
    [MAGIC] = {"frame_magic", "frame_magic", NULL},
    [UNKNOWN_ID] = {"schema_unknown", "schema_unknown", NULL},
    [TORN] = {"truncated", "truncated", "truncated"},
    [TRAILING] = {"trailing", NULL, "trailing"},
    [NO_EVENT] = {"no_event", "no_event", "no_event"},
    [UNKNOWN_EVENT] = {"unknown_event", "unknown_event", "unknown_event"},
    [NO_TIME] = {"no_time", "no_time", "no_time"},
    [NO_ID] = {"no_id", "no_id", "no_id"},
    [MISSING] = {"missing_property", "missing_property", "missing_property"},
    [WRONG_TYPE] = {"wrong_type", "wrong_type", "wrong_type"},
    [RANGE] = {"out_of_range", "out_of_range", "out_of_range"},
    [UTF8] = {"utf8", "utf8", "utf8"},
    [LENGTH] = {"truncated", "truncated", NULL},
    [OVERSIZED] = {"unknown_event", "unknown_event", "unknown_event"},
};

/* ---- records */

struct order { /* a NULL is left out */
    const char *name, *id, *who, *total;
    bool no_time;
    int64_t at_ms;
    size_t note; /* bytes */
    bool length; /* of the note: a lie */
};

static void put_varint(struct sc_buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        sc_buf_char(b, (char)(v | 0x80));
    sc_buf_char(b, (char)v);
}

static void put_note(struct sc_buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sc_buf_char(b, 'n');
}

static void avro_text(struct sc_buf *b, const char *z)
{
    put_varint(b, z ? 2 : 0); /* branch 1 of a union with null */
    if (z == NULL)
        return;
    put_varint(b, strlen(z) * 2);
    sc_buf_addz(b, z);
}

static void avro(struct sc_buf *b, const struct order *o)
{
    avro_text(b, o->name);
    avro_text(b, o->id);
    put_varint(b, o->no_time ? 0 : 2);
    if (!o->no_time)
        put_varint(b, (uint64_t)o->at_ms * 2);
    avro_text(b, o->who);
    avro_text(b, o->total);
    put_varint(b, o->length ? UINT64_C(1) << 40 : o->note * 2);
    put_note(b, o->note);
}

static void proto_text(struct sc_buf *b, unsigned field, const char *z)
{
    if (z == NULL)
        return;
    put_varint(b, field << 3 | 2);
    put_varint(b, strlen(z));
    sc_buf_addz(b, z);
}

static void protobuf(struct sc_buf *b, const struct order *o)
{
    proto_text(b, 1, o->name);
    proto_text(b, 2, o->id);
    if (!o->no_time) {
        put_varint(b, 3 << 3);
        put_varint(b, (uint64_t)o->at_ms);
    }
    proto_text(b, 4, o->who);
    proto_text(b, 5, o->total);
    put_varint(b, 6 << 3 | 2);
    put_varint(b, o->length ? UINT64_C(1) << 24 : o->note);
    put_note(b, o->note);
}

static void json_text(struct sc_buf *b, const char *name, const char *z)
{
    if (z)
        sc_buf_addf(b, "\"%s\":\"%s\",", name, z);
}

static void json(struct sc_buf *b, const struct order *o)
{
    sc_buf_char(b, '{');
    json_text(b, "name", o->name);
    json_text(b, "id", o->id);
    if (!o->no_time)
        sc_buf_addf(b, "\"at\":%" PRId64 ",", o->at_ms);
    json_text(b, "who", o->who);
    json_text(b, "total", o->total);
    sc_buf_addz(b, "\"note\":\"");
    put_note(b, o->note);
    sc_buf_addz(b, "\"}");
}

/* What is wrong with the fields of this kind. */
static void spoil_fields(struct order *o, enum kind kind)
{
    o->name = kind == NO_EVENT ? NULL : kind == UNKNOWN_EVENT || kind == OVERSIZED ? "ordre" : o->name;
    o->no_time = kind == NO_TIME;
    o->id = kind == NO_ID ? NULL : o->id;
    o->total = kind == MISSING ? NULL : kind == WRONG_TYPE ? "twelve" : kind == RANGE ? "-1" : o->total;
    o->who = kind == UTF8 ? "c\xff\xfe" : o->who;
    o->note = kind == OVERSIZED ? BIG_BYTES : 20;
    o->length = kind == LENGTH;
}

static void frame(struct sc_buf *b, enum format format, uint32_t id, enum kind kind)
{
    id = kind == UNKNOWN_ID ? 99999999 : id;
    sc_buf_char(b, kind == MAGIC ? 7 : 0);
    for (int shift = 24; shift >= 0; shift -= 8)
        sc_buf_char(b, (char)(id >> shift));
    if (format == PROTOBUF)
        sc_buf_char(b, 0); /* the first message */
}

static void encode(struct sc_buf *b, enum format format, uint32_t id, enum kind kind,
                   struct order o)
{
    spoil_fields(&o, kind);
    b->len = 0;
    if (id > 0)
        frame(b, format, id, kind);
    switch (format) {
    case AVRO: avro(b, &o); break;
    case PROTOBUF: protobuf(b, &o); break;
    case JSON: json(b, &o); break;
    case FORMATS: abort();
    }
    b->len = kind == SHORT ? 3 : kind == TORN ? b->len - 7 : b->len;
    if (kind == TRAILING)
        sc_buf_addz(b, "{}");
}

/* ---- send */

struct sender {
    rd_kafka_t *rk;
    const char *topic;
    enum format format;
    uint32_t id; /* 0: bare, without framing */
    struct sc_buf value;
    uint64_t n;
    uint64_t cents; /* of the good ones */
};

static void send_one(struct sender *s, enum kind kind)
{
    char id[32], who[32], total[32], key[32];
    uint64_t n = s->n++;
    snprintf(id, sizeof(id), "%s-%" PRIu64, format_names[s->format], n);
    snprintf(who, sizeof(who), "c%" PRIu64, n % CUSTOMERS);
    snprintf(total, sizeof(total), "%" PRIu64 ".25", n % 100);
    snprintf(key, sizeof(key), "k%" PRIu64, n);
    s->cents += kind == GOOD ? n % 100 * 100 + 25 : 0;
    struct order o = {.name = "order", .id = id, .who = who, .total = total,
                      .at_ms = START_MS + (int64_t)n * 1000};
    encode(&s->value, s->format, s->id, kind, o);
    const char *want = wants[kind][s->format];
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = s->topic},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {key, strlen(key)}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {kind == EMPTY ? NULL : s->value.p,
                                                  kind == EMPTY ? 0 : s->value.len}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = o.at_ms},
        {.vtype = RD_KAFKA_VTYPE_HEADER, .u.header = {"want", want, (ssize_t)strlen(want)}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    rd_kafka_error_t *e;
    while ((e = rd_kafka_produceva(s->rk, parts, sizeof(parts) / sizeof(parts[0])))) {
        if (rd_kafka_error_code(e) != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            fprintf(stderr, "test_spoil: %s\n", rd_kafka_error_string(e));
            exit(1);
        }
        rd_kafka_error_destroy(e);
        rd_kafka_poll(s->rk, 100);
    }
    rd_kafka_poll(s->rk, 0);
}

static int send_all(struct sender *s, uint64_t good, uint64_t bad)
{
    uint64_t sent_bad = 0;
    for (uint64_t i = 0; i < good; i++) {
        send_one(s, GOOD);
        for (; sent_bad < bad && sent_bad * good <= i * bad; sent_bad++)
            for (enum kind k = EMPTY; k < KINDS; k++)
                if (wants[k][s->format] && (k != OVERSIZED || sent_bad < BIG) &&
                    (s->id > 0 || k < SHORT || k > UNKNOWN_ID)) /* faults of framing need one */
                    send_one(s, k);
    }
    rd_kafka_resp_err_t e = rd_kafka_flush(s->rk, 60000);
    printf("%" PRIu64 " %" PRIu64 "\n", s->n - good, s->cents);
    return e == RD_KAFKA_RESP_ERR_NO_ERROR && sent_bad == bad ? 0 : 1;
}

/* ---- check */

struct record { /* of the source */
    uint64_t hash; /* key, time, headers; the value aside, which may be cut */
    uint64_t value_hash, cut_hash;
    size_t len;
    char want[24];
    bool dead;
};

struct source {
    struct record *v[PARTITIONS_MAX];
    size_t n[PARTITIONS_MAX], cap[PARTITIONS_MAX];
};

static uint64_t hash_str(struct sc_str s, uint64_t seed)
{
    return sc_hash_xxh3(s.p ? s.p : "", s.len, seed + (s.p != NULL));
}

static struct record record_of(const struct sc_msg *m, const struct sc_header *hs, uint32_t n,
                               size_t cut)
{
    struct record r = {.len = m->value.len, .value_hash = hash_str(m->value, 0)};
    struct sc_str part = {m->value.p, m->value.len < cut ? m->value.len : cut};
    r.cut_hash = hash_str(part, 0);
    r.hash = hash_str(m->key, (uint64_t)m->timestamp_ms);
    for (uint32_t i = 0; i < n; i++) {
        if (sc_str_starts(hs[i].name, SC_STR("__connect.")) ||
            sc_str_starts(hs[i].name, SC_STR("stagecoach.")))
            continue;
        r.hash = hash_str(hs[i].value, hash_str(hs[i].name, r.hash));
        if (sc_str_eqz(hs[i].name, "want"))
            snprintf(r.want, sizeof(r.want), "%.*s", SC_STR_FMT(hs[i].value));
    }
    return r;
}

static struct sc_str header(const struct sc_header *hs, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (sc_str_eqz(hs[i].name, name))
            return hs[i].value;
    return SC_STR_NULL;
}

static int64_t number(const struct sc_header *hs, uint32_t n, const char *name)
{
    int64_t value;
    return sc_str_int(header(hs, n, name), &value) ? value : -1;
}

static const char *judge(struct source *src, const char *topic, const struct sc_msg *m,
                         const struct sc_header *hs, uint32_t n)
{
    int64_t partition = number(hs, n, "__connect.errors.partition");
    int64_t offset = number(hs, n, "__connect.errors.offset");
    if (!sc_str_eqz(header(hs, n, "__connect.errors.topic"), topic))
        return NULL; /* another source's */
    if (partition < 0 || partition >= PARTITIONS_MAX || offset < 0 ||
        (size_t)offset >= src->n[partition])
        return "partition or offset name no record";
    struct record *r = &src->v[partition][offset], got = record_of(m, hs, n, SIZE_MAX);
    int64_t full = number(hs, n, "stagecoach.truncated");
    if (r->dead)
        return "this record was there before";
    r->dead = true;
    if (got.hash != r->hash)
        return "key, time or headers are not the record's";
    if (full < 0 ? got.value_hash != r->value_hash
                 : (size_t)full != r->len || got.value_hash != r->cut_hash)
        return "the value is not the record's";
    if (r->want[0] == '\0' || !sc_str_eqz(header(hs, n, "stagecoach.error.code"), r->want))
        return "the code is not the one that is due";
    if (header(hs, n, "__connect.errors.stage").len == 0 ||
        header(hs, n, "__connect.errors.exception.message").len == 0)
        return "stage or message is missing";
    return "";
}

static void learn(struct source *src, const struct sc_msg *m, const struct sc_header *hs, uint32_t n)
{
    int32_t p = m->partition;
    if (p >= PARTITIONS_MAX || (size_t)m->offset != src->n[p]) {
        fprintf(stderr, "test_spoil: offsets of the source are not 0, 1, 2 …\n");
        exit(1);
    }
    if (src->n[p] == src->cap[p]) {
        src->cap[p] = src->cap[p] ? src->cap[p] * 2 : 4096;
        src->v[p] = sc_realloc(src->v[p], src->cap[p] * sizeof(struct record));
    }
    src->v[p][src->n[p]++] = record_of(m, hs, n, 64u << 10);
}

/* Read a topic to its end: into the source, or (`of`) judged as dead letters of that topic. */
static bool read_topic(const struct sc_kafka_config *kafka, const char *topic, struct source *src,
                       const char *of)
{
    struct sc_buf why = {0};
    struct sc_header hs[HEADERS_MAX];
    struct sc_msg m;
    uint32_t n;
    int silences = 0;
    bool fine = true;
    const struct sc_kafka_range all = {.topic = topic, .partition = -1, .from = SC_FROM_START};
    struct sc_kafka_tap *tap = sc_kafka_tap_create(kafka, &all, &why);
    for (enum sc_err e; fine && tap;) {
        e = sc_kafka_tap_next(tap, POLL_MS, &m, hs, &n, HEADERS_MAX);
        if (e == SC_ERR_NOT_FOUND)
            break;
        fine = e == SC_ERR_OK || ++silences <= SILENCES_MAX;
        if (e != SC_ERR_OK)
            continue;
        silences = 0;
        const char *wrong = "";
        if (of)
            wrong = judge(src, of, &m, hs, n);
        else
            learn(src, &m, hs, n);
        if (wrong && wrong[0]) {
            struct sc_str code = header(hs, n, "stagecoach.error.code"), want = header(hs, n, "want");
            printf("dead letter %d/%" PRId64 ": %s (code '%.*s', due '%.*s')\n", m.partition,
                   m.offset, wrong, SC_STR_FMT(code), SC_STR_FMT(want));
            fine = false;
        }
    }
    sc_kafka_tap_destroy(tap);
    sc_buf_fini(&why);
    return fine && tap;
}

static int check(const struct sc_kafka_config *kafka, const char *topic, const char *dead)
{
    static struct source src;
    uint64_t found = 0, records = 0;
    if (!read_topic(kafka, topic, &src, NULL) || !read_topic(kafka, dead, &src, topic))
        return 1;
    for (int p = 0; p < PARTITIONS_MAX; p++) {
        for (size_t i = 0; i < src.n[p]; i++) {
            const struct record *r = &src.v[p][i];
            if (r->want[0] && !r->dead) {
                printf("%d/%zu is no dead letter: %s is due\n", p, i, r->want);
                return 1;
            }
            found += r->dead;
        }
        records += src.n[p];
        free(src.v[p]);
    }
    printf("%" PRIu64 " of %" PRIu64 " records of %s are dead letters, each as it should be\n",
           found, records, topic);
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: test_spoil send BROKERS TOPIC avro|protobuf|json SCHEMA_ID|bare GOOD BAD\n"
                    "       test_spoil check BROKERS TOPIC DEAD_LETTERS\n");
    return 64;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return usage();
    struct sc_str broker = sc_str_from(argv[2]);
    struct sc_kafka_settings settings = {.brokers = {.v = &broker, .n = 1}};
    struct sc_kafka_config kafka = {.settings = &settings};
    if (strcmp(argv[1], "check") == 0)
        return check(&kafka, argv[3], argv[4]);
    if (strcmp(argv[1], "send") != 0 || argc != 8)
        return usage();
    static const struct sc_conf_pair pairs[] = {{"linger.ms", "5"}, {"compression.type", "lz4"},
                                                {NULL, NULL}};
    struct sender s = {.topic = argv[3], .id = (uint32_t)strtoul(argv[5], NULL, 10)};
    while (s.format < FORMATS && strcmp(argv[4], format_names[s.format]) != 0)
        s.format++;
    s.rk = s.format < FORMATS ? sc_kafka_handle(true, sc_kafka_conf(&kafka, true, pairs)) : NULL;
    if (s.rk == NULL)
        return usage();
    int rc = send_all(&s, strtoull(argv[6], NULL, 10), strtoull(argv[7], NULL, 10));
    sc_buf_fini(&s.value);
    rd_kafka_destroy(s.rk);
    return rc;
}
