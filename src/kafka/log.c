/* The consumer side of the log: membership, batches, positions.
 *
 * Eager assignment (`roundrobin`) at every client version: cooperative refuses the rewind by assign
 * and aborts on 2.0.2. One thread polls, assigns and rewinds: pause/resume from another thread
 * loses offsets on 2.0.2, so there is none. */
#include "kafka/ends.h"
#include "kafka/log_priv.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/time.h"
#include <stdlib.h>

#define QUERY_TIMEOUT_MS 5000
#define AWAY_EVERY_MS 5000 /* brokers that were lost are asked for so often */
#define AWAY_TIMEOUT_MS 1000
#define PARTITIONS_EVERY_MS 60000

/* What a poll takes at most, so that it is still in a cache when it is looked at. */
#define BATCH_BYTES (256u << 10)
#define BATCH_MIN 16u

/* ---- assignment */

struct sc_owned *sc_kafka_owned(struct kafka_log *k, const char *topic, int32_t partition)
{
    for (uint32_t i = 0; i < k->n_owned; i++)
        if (k->owned[i].partition == partition &&
            strcmp(k->cfg.inputs[k->owned[i].topic], topic) == 0)
            return &k->owned[i];
    return NULL;
}

static uint16_t topic_index(const struct kafka_log *k, const char *topic)
{
    for (uint32_t i = 0; i < k->cfg.n_inputs; i++)
        if (strcmp(k->cfg.inputs[i], topic) == 0)
            return (uint16_t)i;
    return UINT16_MAX;
}

static void own(struct kafka_log *k, const rd_kafka_topic_partition_list_t *list)
{
    free(k->owned);
    free(k->tps);
    size_t n = list ? (size_t)list->cnt : 0;
    k->owned = sc_calloc(n + 1, sizeof(*k->owned));
    k->tps = sc_calloc(n + 1, sizeof(*k->tps));
    k->n_owned = 0;
    k->last = NULL;
    for (size_t i = 0; i < n; i++) {
        uint16_t topic = topic_index(k, list->elems[i].topic);
        if (topic == UINT16_MAX)
            continue;
        k->owned[k->n_owned] = (struct sc_owned){.partition = list->elems[i].partition,
                                                 .topic = topic, .position = -1};
        k->tps[k->n_owned++] = (struct sc_tp){.topic = topic,
                                              .partition = list->elems[i].partition, .offset = -1};
    }
    k->rebalanced = true;
    k->partitions_ms = 0;
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_log *k = opaque;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        /* Nothing is read until the takeover has said where. Not at the end meanwhile: 2.0.2 takes
         * a late answer to where that is for the place of a partition started elsewhere since then,
         * and skips what is between. */
        rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
        own(k, list);
        rd_kafka_assign(rk, none);
        rd_kafka_topic_partition_list_destroy(none);
        return;
    }
    own(k, NULL);
    rd_kafka_assign(rk, NULL);
}

void sc_kafka_away(struct kafka_log *k, bool away)
{
    static const char text[] = SC_WAITS_FOR_KAFKA; /* known again by its address */
    const char *why = atomic_load(&k->cfg.status->why);
    if (away && why == NULL)
        atomic_store(&k->cfg.status->why, text);
    else if (!away && why == text)
        atomic_store(&k->cfg.status->why, NULL);
}

/* Errors of the client as a whole. */
static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    struct kafka_log *k = opaque;
    (void)rk;
    sc_log(SC_LOG_WARN, "kafka", reason, "client", "ERROR", NULL);
    k->away |= err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

bool sc_kafka_consumer_open(struct kafka_log *k)
{
    const struct sc_conf_pair pairs[] = {
        {"group.id", k->cfg.group},
        {"client.id", k->cfg.writer},
        {"group.instance.id", k->cfg.writer},
        {"isolation.level", "read_committed"},
        {"auto.offset.reset", "error"},
        {"partition.assignment.strategy", "roundrobin"},
        {"enable.partition.eof", "true"},
        {"session.timeout.ms", "10000"},
        {"max.poll.interval.ms", "300000"},
        {"fetch.wait.max.ms", "50"},
        {"receive.message.max.bytes", "268435456"},
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = sc_kafka_conf(k->cfg.kafka, false, pairs);
    if (conf) {
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
        rd_kafka_conf_set_error_cb(conf, on_error);
        rd_kafka_conf_set_opaque(conf, k);
    }
    k->consumer = sc_kafka_handle(false, conf);
    if (k->consumer == NULL)
        return false;
    rd_kafka_poll_set_consumer(k->consumer);
    k->queue = rd_kafka_queue_get_consumer(k->consumer);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)k->cfg.n_inputs);
    for (uint32_t i = 0; i < k->cfg.n_inputs; i++)
        rd_kafka_topic_partition_list_add(list, k->cfg.inputs[i], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t e = rd_kafka_subscribe(k->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (e)
        sc_log(SC_LOG_ERROR, "kafka", "subscribe failed", "why", rd_kafka_err2str(e), NULL);
    return e == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void release(struct sc_log *lg)
{
    struct kafka_log *k = sc_kafka_log(lg);
    for (uint32_t i = 0; i < k->n; i++)
        rd_kafka_message_destroy(k->batch[i]);
    k->n = 0;
}

void sc_kafka_consumer_close(struct kafka_log *k)
{
    release(&k->base);
    if (k->member)
        rd_kafka_consumer_group_metadata_destroy(k->member);
    k->member = NULL;
    if (k->queue)
        rd_kafka_queue_destroy(k->queue);
    k->queue = NULL;
    if (k->consumer) {
        rd_kafka_consumer_close(k->consumer);
        rd_kafka_destroy(k->consumer);
    }
    k->consumer = NULL;
    own(k, NULL);
}

/* ---- polling */

/* What is not a record: an end of a partition, an error of the client. */
static void note_error(struct kafka_log *k, const rd_kafka_message_t *m)
{
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        struct sc_owned *o = sc_kafka_owned(k, rd_kafka_topic_name(m->rkt), m->partition);
        if (o) {
            o->eof = true;
            o->position = m->offset;
        }
        return;
    }
    k->dead |= m->err == RD_KAFKA_RESP_ERR__FATAL;
    /* A place that is gone is found, and named, by whoever acquires the partition anew. */
    bool lost = k->dead || m->err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED ||
                m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
    sc_log(lost ? SC_LOG_ERROR : SC_LOG_WARN, "kafka", rd_kafka_message_errstr(m), "topic",
           m->rkt ? rd_kafka_topic_name(m->rkt) : "-", "code", rd_kafka_err2name(m->err), NULL);
    if (lost)
        k->rebalanced = true;
}

/* A consumer that had a fatal error is made anew. So ends a static member whose join was answered
 * by a broker that died before we heard of it: its own second join fences the first. */
static void revive(struct kafka_log *k)
{
    char why[256];
    if (rd_kafka_fatal_error(k->consumer, why, sizeof(why)) ==
        RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        sc_log(SC_LOG_WARN, "kafka", "another member joined as this one; if this goes on, two "
               "processes have one `instance`", "writer", k->cfg.writer, NULL);
    sc_kafka_renew(k);
    k->dead = false;
}

/* Its partition, if it is owned. */
static struct sc_owned *owned_of(struct kafka_log *k, const rd_kafka_message_t *m)
{
    if (k->last && k->last_topic == m->rkt && k->last->partition == m->partition)
        return k->last;
    k->last_topic = m->rkt;
    return k->last = sc_kafka_owned(k, rd_kafka_topic_name(m->rkt), m->partition);
}

/* Keep a record, or note what else it is and give it back. */
static void keep(struct kafka_log *k, rd_kafka_message_t *m)
{
    if (m->err) {
        note_error(k, m);
        rd_kafka_message_destroy(m);
        return;
    }
    struct sc_owned *o = owned_of(k, m);
    if (o == NULL) {
        rd_kafka_message_destroy(m);
        return;
    }
    o->eof = false;
    o->position = m->offset + 1;
    sc_ahead_took(&o->ahead, k->consumer, m);
    k->msgs[k->n] = (struct sc_msg){
        .topic = o->topic,
        .partition = m->partition,
        .offset = m->offset,
        .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
        .key = {m->key, m->key_len},
        .value = {m->payload, m->len},
        .raw = m,
    };
    k->batch[k->n++] = m;
}

void sc_kafka_stay(struct kafka_log *k)
{
    rd_kafka_message_t *m = rd_kafka_consumer_poll(k->consumer, 0);
    if (m && m->err)
        note_error(k, m);
    if (m)
        rd_kafka_message_destroy(m);
}

/* As many messages as make a batch, by what the last one's were. */
static size_t batch_size(const struct kafka_log *k)
{
    size_t n = BATCH_BYTES / (k->mean_bytes + 1);
    return n < BATCH_MIN ? BATCH_MIN : n < SC_BATCH_MAX ? n : SC_BATCH_MAX;
}

/* One with the wait, the rest as it is there: the batch call would wait for a full batch. */
static void take_batch(struct kafka_log *k, int timeout_ms)
{
    rd_kafka_message_t *rest[SC_BATCH_MAX - 1];
    rd_kafka_message_t *first = rd_kafka_consumer_poll(k->consumer, timeout_ms);
    if (first == NULL)
        return;
    keep(k, first);
    ssize_t n = rd_kafka_consume_batch_queue(k->queue, 0, rest, batch_size(k) - 1);
    for (ssize_t i = 0; i < n; i++)
        keep(k, rest[i]);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < k->n; i++)
        bytes += k->msgs[i].value.len;
    if (k->n)
        k->mean_bytes = bytes / k->n;
}

static bool broker_answers(struct kafka_log *k)
{
    const struct rd_kafka_metadata *md;
    if (rd_kafka_metadata(k->consumer, 0, NULL, &md, AWAY_TIMEOUT_MS))
        return false;
    rd_kafka_metadata_destroy(md);
    return true;
}

/* The client tells when all brokers are lost, not when one is found again. */
static void look_for_broker(struct kafka_log *k)
{
    int64_t mono_ms = sc_time_mono_ms();
    if (k->n == 0 && mono_ms - k->asked_ms < AWAY_EVERY_MS)
        return;
    k->away = k->n == 0 && !broker_answers(k);
    k->asked_ms = k->away ? mono_ms : 0;
    sc_kafka_away(k, k->away);
}

static enum sc_err poll(struct sc_log *lg, int timeout_ms, struct sc_poll_result *out)
{
    struct kafka_log *k = sc_kafka_log(lg);
    SC_ASSERT(k->n == 0);
    *out = (struct sc_poll_result){.what = SC_POLL_NOTHING};
    if (k->consumer == NULL)
        return SC_ERR_INTERRUPTED; /* it was to be made anew when the process was asked to end */
    if (k->producer)
        rd_kafka_poll(k->producer, 0);
    take_batch(k, timeout_ms);
    if (k->away)
        look_for_broker(k);
    if (k->rebalanced) {
        release(lg);
        if (k->dead)
            revive(k);
        k->rebalanced = false;
        out->what = SC_POLL_REBALANCED;
    } else if (k->n) {
        *out = (struct sc_poll_result){SC_POLL_MESSAGES, k->msgs, k->n};
    }
    return SC_ERR_OK;
}

static uint32_t headers(struct sc_log *lg, const struct sc_msg *m, struct sc_header *out,
                        uint32_t max)
{
    (void)lg;
    rd_kafka_headers_t *hs;
    uint32_t n = 0;
    if (rd_kafka_message_headers(m->raw, &hs) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    const char *name;
    const void *value;
    size_t size;
    while (n < max && rd_kafka_header_get_all(hs, n, &name, &value, &size) ==
                          RD_KAFKA_RESP_ERR_NO_ERROR)
        out[n++] = (struct sc_header){sc_str_from(name), {value, size}};
    return n;
}

/* Before a record's key in its batch, at least: its length, attributes, time and offset, the key's
 * length; a byte each. Behind its value: the number of headers, and of each its lengths and bytes. */
#define RECORD_HEAD_BYTES 5u
#define HEADERS_HEAD_BYTES 1u
#define HEADER_HEAD_BYTES 2u

/* May a header of that name stand behind the record's value? The client hands out keys and values
 * where they lie in the batch as it was fetched, one record behind the other: where the next begins
 * too near, there is none. Asking it costs an allocation of its own a record, with headers or not. */
static bool has_room(const struct kafka_log *k, const struct sc_msg *m, struct sc_str name)
{
    const struct sc_msg *next = m + 1;
    SC_ASSERT(m >= k->msgs && m < k->msgs + k->n);
    if (next == k->msgs + k->n || m->value.p == NULL)
        return true;
    const char *begin = next->key.p ? next->key.p : next->value.p;
    if (begin == NULL)
        return true;
    uintptr_t gap = (uintptr_t)begin - (uintptr_t)(m->value.p + m->value.len); /* else: huge */
    return gap >= HEADERS_HEAD_BYTES + HEADER_HEAD_BYTES + name.len + RECORD_HEAD_BYTES;
}

static struct sc_str header(struct sc_log *lg, const struct sc_msg *m, struct sc_str name)
{
    rd_kafka_headers_t *hs;
    if (!has_room(sc_kafka_log(lg), m, name) ||
        rd_kafka_message_headers(m->raw, &hs) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return SC_STR_NULL;
    const char *key;
    const void *value;
    size_t size;
    for (size_t i = 0; rd_kafka_header_get_all(hs, i, &key, &value, &size) ==
                       RD_KAFKA_RESP_ERR_NO_ERROR; i++)
        if (sc_str_eqz(name, key))
            return (struct sc_str){value, size};
    return SC_STR_NULL;
}

static uint32_t assigned(struct sc_log *lg, const struct sc_tp **out)
{
    struct kafka_log *k = sc_kafka_log(lg);
    *out = k->tps;
    return k->n_owned;
}

/* ---- offsets */

static rd_kafka_topic_partition_list_t *list_of(struct kafka_log *k, const struct sc_tp *parts,
                                                uint32_t n)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n + 1);
    for (uint32_t i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(list, k->cfg.inputs[parts[i].topic],
                                          parts[i].partition);
    return list;
}

static void take_offset(struct sc_tp *tp, const rd_kafka_topic_partition_t *got,
                        struct sc_arena *ar)
{
    tp->offset = got->offset < 0 ? -1 : got->offset;
    tp->metadata = SC_STR_NULL;
    if (got->metadata && got->metadata_size && got->metadata_size < 128)
        tp->metadata = sc_str_dup(ar, (struct sc_str){got->metadata, got->metadata_size});
}

static enum sc_err ask(struct kafka_log *k, rd_kafka_t *rk, struct sc_tp *parts, uint32_t n,
                       int timeout_ms, struct sc_arena *ar)
{
    rd_kafka_topic_partition_list_t *list = list_of(k, parts, n);
    rd_kafka_resp_err_t e = rd_kafka_committed(rk, list, timeout_ms);
    for (int i = 0; !e && i < list->cnt; i++)
        e = list->elems[i].err;
    for (uint32_t i = 0; !e && i < n; i++)
        take_offset(&parts[i], &list->elems[i], ar);
    rd_kafka_topic_partition_list_destroy(list);
    if (!e)
        return SC_ERR_OK;
    return e == RD_KAFKA_RESP_ERR__TIMED_OUT ? SC_ERR_TIMEOUT : SC_ERR_UNAVAILABLE;
}

static enum sc_err committed(struct sc_log *lg, struct sc_tp *parts, uint32_t n, int timeout_ms,
                             struct sc_arena *ar)
{
    struct kafka_log *k = sc_kafka_log(lg);
    enum sc_err e = ask(k, k->consumer, parts, n, timeout_ms, ar);
    if (e != SC_ERR_TIMEOUT)
        return e;
    /* One pending partition times the whole list out: find which. */
    enum sc_err all = SC_ERR_OK;
    for (uint32_t i = 0; i < n; i++) {
        e = ask(k, k->consumer, &parts[i], 1, 500, ar);
        if (e == SC_ERR_TIMEOUT)
            parts[i].offset = -2;
        if (e != SC_ERR_OK)
            all = e;
    }
    return all;
}

static enum sc_err last_metadata(struct sc_log *lg, const struct sc_tp *part, struct sc_arena *ar,
                                 struct sc_str *metadata)
{
    struct kafka_log *k = sc_kafka_log(lg);
    struct sc_tp tp = *part;
    enum sc_err e = ask(k, k->side, &tp, 1, QUERY_TIMEOUT_MS, ar);
    *metadata = tp.metadata;
    return e;
}

static enum sc_err rewind_to(struct sc_log *lg, const struct sc_tp *parts, uint32_t n)
{
    struct kafka_log *k = sc_kafka_log(lg);
    if (k->consumer == NULL)
        return SC_ERR_INTERRUPTED;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n + 1);
    for (uint32_t i = 0; i < n; i++) {
        const char *topic = k->cfg.inputs[parts[i].topic];
        struct sc_owned *o = sc_kafka_owned(k, topic, parts[i].partition);
        if (o) {
            o->eof = false;
            o->position = parts[i].offset;
        }
        if (o && parts[i].offset >= 0)
            rd_kafka_topic_partition_list_add(list, topic, parts[i].partition)->offset =
                parts[i].offset;
    }
    rd_kafka_resp_err_t e = rd_kafka_assign(k->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return e ? SC_ERR_FATAL : SC_ERR_OK;
}

static enum sc_err watermarks(struct sc_log *lg, uint16_t topic, int32_t partition, int64_t *low,
                              int64_t *high, int64_t *stable)
{
    struct kafka_log *k = sc_kafka_log(lg);
    return sc_kafka_ends(k, k->cfg.inputs[topic], partition, low, high, stable);
}

static enum sc_err out_watermarks(struct sc_log *lg, uint16_t topic, int32_t partition,
                                  int64_t *low, int64_t *high, int64_t *stable)
{
    struct kafka_log *k = sc_kafka_log(lg);
    return sc_kafka_ends(k, k->cfg.outputs->v[topic].name.p, partition, low, high, stable);
}

static enum sc_err offset_at(struct sc_log *lg, uint16_t topic, int32_t partition, int64_t ms,
                             int64_t *offset)
{
    struct kafka_log *k = sc_kafka_log(lg);
    const char *name = k->cfg.inputs[topic];
    rd_kafka_resp_err_t e = sc_kafka_offset_at(k->side, name, partition, ms, QUERY_TIMEOUT_MS,
                                               offset);
    if (!e && *offset < 0)
        e = sc_kafka_offset_at(k->side, name, partition, RD_KAFKA_OFFSET_END, QUERY_TIMEOUT_MS,
                               offset);
    return e ? SC_ERR_UNAVAILABLE : SC_ERR_OK;
}

static bool at_end(struct sc_log *lg, uint16_t topic, int32_t partition)
{
    struct kafka_log *k = sc_kafka_log(lg);
    struct sc_owned *o = sc_kafka_owned(k, k->cfg.inputs[topic], partition);
    int64_t low, high;
    /* An end reached is old news once more was fetched behind it, though not handed out yet. */
    return o && o->eof &&
           rd_kafka_get_watermark_offsets(k->consumer, k->cfg.inputs[topic], partition, &low,
                                          &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           high <= o->position;
}

static void ask_partitions(struct kafka_log *k)
{
    const struct rd_kafka_metadata *md;
    k->partitions_ms = sc_time_mono_ms();
    if (rd_kafka_metadata(k->consumer, 0, NULL, &md, QUERY_TIMEOUT_MS))
        return;
    for (int i = 0; i < md->topic_cnt; i++) {
        uint16_t topic = topic_index(k, md->topics[i].topic);
        if (topic != UINT16_MAX && md->topics[i].partition_cnt > 0)
            k->in_partitions[topic] = md->topics[i].partition_cnt;
    }
    rd_kafka_metadata_destroy(md);
}

static int32_t partitions(struct sc_log *lg, uint16_t topic)
{
    struct kafka_log *k = sc_kafka_log(lg);
    if (k->partitions_ms == 0 || sc_time_mono_ms() - k->partitions_ms > PARTITIONS_EVERY_MS)
        ask_partitions(k);
    return k->in_partitions[topic];
}

static int64_t lag(struct sc_log *lg)
{
    struct kafka_log *k = sc_kafka_log(lg);
    int64_t sum = 0;
    for (uint32_t i = 0; i < k->n_owned; i++) {
        int64_t low, high;
        const struct sc_owned *o = &k->owned[i];
        if (o->position >= 0 && !o->eof &&
            rd_kafka_get_watermark_offsets(k->consumer, k->cfg.inputs[o->topic], o->partition,
                                           &low, &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
            high > o->position)
            sum += high - o->position;
    }
    return sum;
}

/* A member's client.id is its writer's name. */
static bool member_alive(struct sc_log *lg, struct sc_str writer)
{
    struct kafka_log *k = sc_kafka_log(lg);
    const struct rd_kafka_group_list *groups;
    bool alive = false;
    if (rd_kafka_list_groups(k->side, k->cfg.group, &groups, QUERY_TIMEOUT_MS))
        return true; /* not known: never fence one that may live */
    for (int g = 0; g < groups->group_cnt; g++)
        for (int m = 0; m < groups->groups[g].member_cnt; m++)
            alive |= sc_str_eqz(writer, groups->groups[g].members[m].client_id);
    rd_kafka_group_list_destroy(groups);
    return alive;
}

static void close_log(struct sc_log *lg)
{
    struct kafka_log *k = sc_kafka_log(lg);
    sc_kafka_producer_close(k);
    sc_outbox_fini(&k->box);
    sc_kafka_consumer_close(k);
    if (k->side)
        rd_kafka_destroy(k->side);
    free(k->owned);
    free(k->tps);
    free(k);
}

static const struct sc_log_ops ops = {
    .poll = poll,
    .release = release,
    .headers = headers,
    .header = header,
    .assigned = assigned,
    .committed = committed,
    .last_metadata = last_metadata,
    .rewind = rewind_to,
    .watermarks = watermarks,
    .offset_at = offset_at,
    .at_end = at_end,
    .partitions = partitions,
    .lag = lag,
    .begin = sc_kafka_begin,
    .produce = sc_kafka_produce,
    .produce_marked = sc_kafka_produce_marked,
    .mark_offset = sc_kafka_mark_offset,
    .flush = sc_kafka_flush,
    .commit = sc_kafka_commit,
    .abort = sc_kafka_abort,
    .replay = sc_kafka_replay,
    .out_watermarks = out_watermarks,
    .fence = sc_kafka_fence,
    .member_alive = member_alive,
    .close = close_log,
};

struct sc_log *sc_kafka_log_create(const struct sc_kafka_log_config *cfg)
{
    SC_ASSERT(cfg->n_inputs <= SC_SOURCES_MAX);
    struct kafka_log *k = sc_calloc(1, sizeof(*k));
    k->base.ops = &ops;
    k->cfg = *cfg;
    sc_outbox_init(&k->box);
    const struct sc_conf_pair pairs[] = {
        {"group.id", cfg->group}, {"isolation.level", "read_uncommitted"}, {NULL, NULL}};
    k->side = sc_kafka_handle(false, sc_kafka_conf(cfg->kafka, false, pairs));
    if (k->side && sc_kafka_consumer_open(k)) {
        enum sc_err e = sc_kafka_producer_open(k);
        if (e == SC_ERR_OK || e == SC_ERR_INTERRUPTED)
            return &k->base;
    }
    close_log(&k->base);
    return NULL;
}
