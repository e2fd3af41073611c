/* See broker.h. Topics, transactions and committed offsets; members are in member.c. */
#include "sim/broker_priv.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"
#include <stdlib.h>

#define TXN_TIMEOUT_MS 20000

/* ---- topics */

struct topic *sc_broker_find(struct sc_broker *b, const char *name)
{
    for (uint32_t i = 0; i < b->n_topics; i++)
        if (strcmp(b->topics[i]->name, name) == 0)
            return b->topics[i];
    return NULL;
}

void sc_broker_topic(struct sc_broker *b, const char *name, int32_t partitions)
{
    pthread_mutex_lock(&b->lock);
    struct topic *t = sc_broker_find(b, name);
    if (t == NULL) {
        t = sc_calloc(1, sizeof(*t));
        t->name = sc_strndup(name, strlen(name));
        b->topics = sc_realloc(b->topics, (b->n_topics + 1) * sizeof(struct topic *));
        b->topics[b->n_topics++] = t;
    }
    if (partitions > t->n) {
        t->parts = sc_realloc(t->parts, (size_t)partitions * sizeof(*t->parts));
        memset(&t->parts[t->n], 0, (size_t)(partitions - t->n) * sizeof(*t->parts));
        t->n = partitions;
    }
    pthread_mutex_unlock(&b->lock);
}

int32_t sc_broker_partitions(struct sc_broker *b, const char *name)
{
    pthread_mutex_lock(&b->lock);
    const struct topic *t = sc_broker_find(b, name);
    int32_t n = t ? t->n : 0;
    pthread_mutex_unlock(&b->lock);
    return n;
}

static struct message *message_create(const struct sc_out *out)
{
    size_t size = sizeof(struct message) + out->key.len + out->value.len +
                  out->n_headers * sizeof(struct sc_header);
    for (uint32_t i = 0; i < out->n_headers; i++)
        size += out->headers[i].name.len + 1 + out->headers[i].value.len;
    struct message *m = sc_calloc(1, size);
    struct sc_header *hs = (struct sc_header *)(m + 1);
    char *at = (char *)(hs + out->n_headers);
    m->headers = hs;
    m->n_headers = out->n_headers;
#define PUT(to, from)                                                                              \
    do {                                                                                           \
        (to) = (struct sc_str){(from).p ? at : NULL, (from).len};                                  \
        if ((from).len)                                                                            \
            memcpy(at, (from).p, (from).len);                                                      \
        at += (from).len;                                                                          \
    } while (0)
    PUT(m->key, out->key);
    PUT(m->value, out->value);
    for (uint32_t i = 0; i < out->n_headers; i++) {
        PUT(hs[i].name, out->headers[i].name);
        at++; /* names end in NUL */
        PUT(hs[i].value, out->headers[i].value);
    }
#undef PUT
    return m;
}

/* ---- transactions: open ones in a list, ended ones live as long as their messages */

static void txn_free_unused(struct txn *t)
{
    if (t->refs == 0 && t->status != TXN_OPEN)
        free(t);
}

void sc_txn_unref(struct txn *t)
{
    SC_ASSERT(t->refs > 0);
    t->refs--;
    txn_free_unused(t);
}

void sc_txn_end(struct sc_broker *b, struct txn *t, enum txn_status status)
{
    if (t->status != TXN_OPEN)
        return;
    t->status = status;
    for (struct txn **at = &b->open; *at; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            break;
        }
    txn_free_unused(t);
}

void sc_txn_abort_open(struct sc_broker *b, const char *writer)
{
    int64_t now_ms = b->clock.mono_ms(b->clock.arg);
    for (struct txn *t = b->open, *next; t; t = next) {
        next = t->next;
        if (now_ms - t->opened_ms > TXN_TIMEOUT_MS || (writer && strcmp(t->writer, writer) == 0))
            sc_txn_end(b, t, TXN_ABORTED);
    }
}

int64_t sc_broker_stable(struct partition *p)
{
    if (p->stable < p->base)
        p->stable = p->base;
    for (; p->stable < p->base + (int64_t)p->n; p->stable++) {
        const struct txn *t = p->v[p->stable - p->base]->txn;
        if (t && t->status == TXN_OPEN)
            break;
    }
    return p->stable;
}

static void message_free(struct message *m)
{
    if (m->txn)
        sc_txn_unref(m->txn);
    free(m);
}

/* Where trimming must stop: at what is open, not read yet, or in somebody's hands. */
static int64_t needed_from(const struct sc_broker *b, const struct topic *t, int32_t index,
                           int64_t until)
{
    struct partition *p = &t->parts[index];
    int64_t stable = sc_broker_stable(p);
    until = stable < until ? stable : until;
    for (const struct member *m = b->members; m; m = m->next)
        for (uint32_t i = 0; i < m->n_owned; i++) {
            const struct sc_tp *tp = &m->owned[i];
            if (m->inputs[tp->topic] == t && tp->partition == index && tp->offset < until)
                until = tp->offset < p->base ? p->base : tp->offset;
        }
    for (int64_t at = p->base; at < until; at++)
        if (p->v[at - p->base]->pins)
            return at;
    return until;
}

static void let_go(struct partition *p, int64_t until)
{
    uint64_t go = (uint64_t)(until - p->base);
    for (uint64_t i = 0; i < go; i++)
        message_free(p->v[i]);
    memmove(p->v, p->v + go, (p->n - go) * sizeof(*p->v));
    p->base += (int64_t)go;
    p->n -= go;
}

static void trim(const struct sc_broker *b, const struct topic *t, int32_t index)
{
    struct partition *p = &t->parts[index];
    if (p->n < b->keep * 2)
        return;
    int64_t until = needed_from(b, t, index, p->base + (int64_t)(p->n - b->keep));
    let_go(p, until);
}

void sc_broker_delete(struct sc_broker *b, const char *topic, int32_t partition, int64_t before)
{
    pthread_mutex_lock(&b->lock);
    const struct topic *t = sc_broker_find(b, topic);
    SC_ASSERT(t && partition < t->n);
    struct partition *p = &t->parts[partition];
    SC_ASSERT(before >= p->base && before <= sc_broker_stable(p));
    for (int64_t at = p->base; at < before; at++)
        SC_ASSERT(p->v[at - p->base]->pins == 0);
    let_go(p, before);
    pthread_mutex_unlock(&b->lock);
}

struct message *sc_broker_put(struct sc_broker *b, struct topic *t, const struct sc_out *out,
                                 struct txn *txn)
{
    int32_t index = out->partition;
    if (index < 0)
        index = out->key.p ? sc_hash_java_partition(out->key, t->n) : 0;
    SC_ASSERT(index < t->n);
    struct partition *p = &t->parts[index];
    trim(b, t, index);
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->v = sc_realloc(p->v, p->cap * sizeof(*p->v));
    }
    struct message *m = message_create(out);
    m->offset = p->base + (int64_t)p->n;
    m->timestamp_ms = out->timestamp_ms > 0 ? out->timestamp_ms : b->clock.now_ms(b->clock.arg);
    m->txn = txn;
    if (txn)
        txn->refs++;
    p->v[p->n++] = m;
    return m;
}

void sc_broker_write(struct sc_broker *b, const char *topic, const struct sc_out *out)
{
    pthread_mutex_lock(&b->lock);
    struct topic *t = sc_broker_find(b, topic);
    SC_ASSERT(t != NULL);
    sc_broker_put(b, t, out, NULL);
    pthread_mutex_unlock(&b->lock);
}

struct sc_msg sc_broker_msg(struct message *m, uint16_t topic, int32_t partition)
{
    return (struct sc_msg){.topic = topic, .partition = partition, .offset = m->offset,
                           .timestamp_ms = m->timestamp_ms, .key = m->key, .value = m->value,
                           .raw = m};
}

int64_t sc_broker_read(struct sc_broker *b, const char *topic, int32_t partition, int64_t from,
                       bool (*fn)(void *arg, const struct sc_msg *m), void *arg)
{
    pthread_mutex_lock(&b->lock);
    const struct topic *t = sc_broker_find(b, topic);
    SC_ASSERT(t && partition < t->n);
    struct partition *p = &t->parts[partition];
    int64_t end = sc_broker_stable(p);
    if (from < p->base)
        from = p->base;
    for (bool more = true; more && from < end; from++) {
        struct message *m = p->v[from - p->base];
        struct sc_msg msg = sc_broker_msg(m, 0, partition);
        if (sc_broker_visible(m))
            more = fn(arg, &msg);
    }
    pthread_mutex_unlock(&b->lock);
    return from;
}

struct offset *sc_broker_offset(struct sc_broker *b, const char *group, const struct topic *t,
                                int32_t partition, bool make)
{
    for (struct offset *o = b->offsets; o; o = o->next)
        if (o->topic == t && o->partition == partition && strcmp(o->group, group) == 0)
            return o;
    if (!make)
        return NULL;
    struct offset *o = sc_calloc(1, sizeof(*o));
    *o = (struct offset){sc_strndup(group, strlen(group)), t, partition, -1, "", b->offsets};
    b->offsets = o;
    return o;
}

struct sc_broker *sc_broker_create(struct sc_clock clock, uint64_t keep)
{
    struct sc_broker *b = sc_calloc(1, sizeof(*b));
    pthread_mutex_init(&b->lock, NULL);
    b->clock = clock;
    b->keep = keep;
    return b;
}

void sc_broker_faults(struct sc_broker *b, sc_broker_fault *fn, void *arg)
{
    b->fault = fn;
    b->fault_arg = arg;
}

void sc_broker_sleeps(struct sc_broker *b, sc_sim_sleep *sleep, void *arg)
{
    b->sleep = sleep;
    b->sleep_arg = arg;
}

static void topic_free(struct topic *t)
{
    for (int32_t p = 0; p < t->n; p++) {
        for (uint64_t i = 0; i < t->parts[p].n; i++)
            message_free(t->parts[p].v[i]);
        free(t->parts[p].v);
    }
    free(t->parts);
    free(t->name);
    free(t);
}

void sc_broker_destroy(struct sc_broker *b)
{
    SC_ASSERT(b->members == NULL);
    while (b->open)
        sc_txn_end(b, b->open, TXN_ABORTED);
    for (uint32_t i = 0; i < b->n_topics; i++)
        topic_free(b->topics[i]);
    free(b->topics);
    while (b->offsets) {
        struct offset *o = b->offsets;
        b->offsets = o->next;
        free(o->group);
        free(o);
    }
    pthread_mutex_destroy(&b->lock);
    free(b);
}
