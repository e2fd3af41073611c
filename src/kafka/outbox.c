/* See outbox.h. */
#include "kafka/outbox.h"

#include "base/assert.h"
#include "base/prefetch.h"
#include <stdlib.h>

#define KEEP_BYTES (64u << 20)
#define FRAMING_BYTES 64u /* more than a record's own: lengths, attributes, offset, timestamp */
#define NO_VALUE UINT32_MAX
#define HEADERS_LINES 6u /* of packed headers, fetched ahead: CloudEvents take five */

void sc_outbox_init(struct sc_outbox *ob)
{
    *ob = (struct sc_outbox){0};
    sc_arena_init(&ob->ar);
}

void sc_outbox_fini(struct sc_outbox *ob)
{
    for (uint32_t t = 0; t < SC_OUT_MAX; t++)
        free(ob->at[t].place);
    free(ob->places);
    sc_arena_fini(&ob->ar);
}

/* ---- places */

static struct sc_outbox_place *place_new(struct sc_outbox *ob, uint16_t topic, int32_t partition)
{
    if (ob->n_places == ob->cap_places) {
        ob->cap_places = ob->cap_places ? ob->cap_places * 2 : 16;
        ob->places = sc_realloc(ob->places, ob->cap_places * sizeof(*ob->places));
    }
    struct sc_outbox_place *pl = &ob->places[ob->n_places++];
    *pl = (struct sc_outbox_place){.topic = topic, .partition = partition};
    return pl;
}

struct sc_outbox_place *sc_outbox_place(struct sc_outbox *ob, uint16_t topic, int32_t partition)
{
    SC_ASSERT(topic < SC_OUT_MAX);
    if (partition < 0)
        partition = -1; /* by the key */
    uint32_t at = (uint32_t)(partition + 1), n = ob->at[topic].n;
    if (at >= n) {
        uint32_t bigger = at < 2 * n ? 2 * n : at + 1;
        ob->at[topic].place = sc_realloc(ob->at[topic].place, bigger * sizeof(uint32_t));
        memset(ob->at[topic].place + n, 0, (bigger - n) * sizeof(uint32_t));
        ob->at[topic].n = bigger;
    }
    if (ob->at[topic].place[at])
        return &ob->places[ob->at[topic].place[at] - 1];
    struct sc_outbox_place *pl = place_new(ob, topic, partition);
    ob->at[topic].place[at] = ob->n_places;
    return pl;
}

/* ---- messages */

static struct sc_str copy(struct sc_outbox *ob, struct sc_str s)
{
    if (s.p == NULL)
        return SC_STR_NULL;
    char *p = sc_arena_alloc(&ob->ar, s.len);
    memcpy(p, s.p, s.len);
    return (struct sc_str){p, s.len};
}

static char *put_bytes(char *to, const void *p, size_t n)
{
    if (n)
        memcpy(to, p, n);
    return to + n;
}

static size_t packed_bytes(const struct sc_out *out)
{
    size_t all = 0;
    for (uint32_t i = 0; i < out->n_headers; i++)
        all += 2 * sizeof(uint32_t) + out->headers[i].name.len + out->headers[i].value.len;
    return all;
}

/* Each: the lengths of name and value, then their bytes. */
static struct sc_str pack_headers(struct sc_outbox *ob, const struct sc_out *out)
{
    char *p = sc_arena_alloc(&ob->ar, packed_bytes(out)), *at = p;
    for (uint32_t i = 0; i < out->n_headers; i++) {
        const struct sc_header *h = &out->headers[i];
        SC_ASSERT(h->name.len < NO_VALUE && h->value.len < NO_VALUE);
        uint32_t lens[2] = {(uint32_t)h->name.len,
                            h->value.p ? (uint32_t)h->value.len : NO_VALUE};
        at = put_bytes(at, lens, sizeof(lens));
        at = put_bytes(at, h->name.p, h->name.len);
        at = put_bytes(at, h->value.p, h->value.p ? h->value.len : 0);
    }
    return (struct sc_str){p, (size_t)(at - p)};
}

rd_kafka_headers_t *sc_outbox_headers(const struct sc_outbox_item *it)
{
    if (it->headers.len == 0)
        return NULL;
    const char *at = it->headers.p, *end = at + it->headers.len;
    rd_kafka_headers_t *hs = rd_kafka_headers_new(8);
    while (at < end) {
        uint32_t lens[2];
        memcpy(lens, at, sizeof(lens));
        const char *name = at + sizeof(lens), *value = name + lens[0];
        bool none = lens[1] == NO_VALUE;
        rd_kafka_header_add(hs, name, (ssize_t)lens[0], none ? NULL : value,
                            none ? 0 : (ssize_t)lens[1]);
        at = value + (none ? 0 : lens[1]);
    }
    return hs;
}

size_t sc_outbox_bytes(const struct sc_out *out)
{
    return out->key.len + out->value.len + packed_bytes(out) + FRAMING_BYTES;
}

void sc_outbox_add(struct sc_outbox *ob, const struct sc_out *out, int64_t *mark)
{
    struct sc_outbox_place *pl = sc_outbox_place(ob, out->topic, out->partition);
    struct sc_outbox_item *it = sc_arena_alloc(&ob->ar, sizeof(*it));
    *it = (struct sc_outbox_item){
        .key = copy(ob, out->key),
        .value = copy(ob, out->value),
        .headers = pack_headers(ob, out),
        .timestamp_ms = out->timestamp_ms > 0 ? out->timestamp_ms : 0,
        .mark = mark,
        .bytes = sc_outbox_bytes(out),
    };
    if (pl->first)
        pl->last->next = it;
    else
        pl->first = it;
    pl->last = it;
    pl->bytes += it->bytes;
    ob->bytes += it->bytes;
}

void sc_outbox_prefetch(const struct sc_outbox_place *place)
{
    const struct sc_outbox_item *next = place->first->next;
    if (next == NULL)
        return;
    sc_prefetch(next->key.p, next->key.len, 1);
    sc_prefetch(next->headers.p, next->headers.len, HEADERS_LINES);
    if (next->next)
        sc_prefetch(next->next, sizeof(*next->next), 2);
}

void sc_outbox_given(struct sc_outbox *ob, struct sc_outbox_place *place)
{
    SC_ASSERT(place->first != NULL);
    place->bytes -= place->first->bytes;
    ob->bytes -= place->first->bytes;
    place->first = place->first->next;
}

void sc_outbox_clear(struct sc_outbox *ob)
{
    for (uint32_t i = 0; i < ob->n_places; i++) {
        ob->places[i].first = NULL;
        ob->places[i].bytes = 0;
    }
    ob->bytes = 0;
    sc_arena_reset(&ob->ar, KEEP_BYTES);
}
