/* See outbox.h. */
#include "kafka/outbox.h"

#include "base/assert.h"
#include <stdlib.h>

#define KEEP_BYTES (64u << 20)

void sc_outbox_init(struct sc_outbox *ob)
{
    *ob = (struct sc_outbox){0};
    sc_arena_init(&ob->ar);
}

void sc_outbox_fini(struct sc_outbox *ob)
{
    sc_outbox_clear(ob);
    sc_arena_fini(&ob->ar);
    free(ob->items);
}

static rd_kafka_headers_t *headers_of(const struct sc_out *out)
{
    if (out->n_headers == 0)
        return NULL;
    rd_kafka_headers_t *hs = rd_kafka_headers_new(out->n_headers);
    for (uint32_t i = 0; i < out->n_headers; i++)
        rd_kafka_header_add(hs, out->headers[i].name.p, (ssize_t)out->headers[i].name.len,
                            out->headers[i].value.p, (ssize_t)out->headers[i].value.len);
    return hs;
}

static struct sc_str copy(struct sc_outbox *ob, struct sc_str s)
{
    if (s.p == NULL)
        return SC_STR_NULL;
    char *p = sc_arena_alloc(&ob->ar, s.len);
    memcpy(p, s.p, s.len);
    return (struct sc_str){p, s.len};
}

void sc_outbox_add(struct sc_outbox *ob, const struct sc_out *out, int64_t *mark)
{
    SC_ASSERT(ob->n <= ob->cap);
    if (ob->n == ob->cap) {
        ob->cap = ob->cap ? ob->cap * 2 : 256;
        ob->items = sc_realloc(ob->items, ob->cap * sizeof(*ob->items));
    }
    ob->items[ob->n++] = (struct sc_outbox_item){
        .topic = out->topic,
        .partition = out->partition,
        .key = copy(ob, out->key),
        .value = copy(ob, out->value),
        .timestamp_ms = out->timestamp_ms > 0 ? out->timestamp_ms : 0,
        .headers = headers_of(out),
        .mark = mark,
    };
    ob->bytes += out->key.len + out->value.len;
}

void sc_outbox_sent(struct sc_outbox *ob)
{
    ob->n = 0;
    ob->bytes = 0;
}

void sc_outbox_clear(struct sc_outbox *ob)
{
    for (uint32_t i = 0; i < ob->n; i++)
        if (ob->items[i].headers)
            rd_kafka_headers_destroy(ob->items[i].headers);
    sc_outbox_sent(ob);
    sc_arena_reset(&ob->ar, KEEP_BYTES);
}
