/* The producer side of the log: transactions by the rules of reliability.md.
 *
 * Messages wait in the outbox (outbox.h) until the flush that ends the transaction, or until those
 * of one partition would no longer fit one request. They are given to the client in waves, a request
 * of each partition, and each is waited for: of a partition with more than five messages under way
 * 2.0.2 sends no more (it counts messages where the protocol counts requests), and where more of it
 * waits its thread spins until the answer. What is delivered leaves its memory to the next wave.
 *
 * Flush before send_offsets (else +100 ms), a delivery callback set (else flush sleeps in steps of
 * 10 ms), topics warmed at the start (else the first produce waits a second on 2.0.2). */
#include "kafka/log_priv.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/time.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TXN_TIMEOUT_MS "20000"
#define CALL_TIMEOUT_MS 20000  /* one transactional call with its retries */
#define FLUSH_TIMEOUT_MS 15000 /* under the transaction's timeout, so that an abort still can be */
#define STOPPED_TIMEOUT_MS 4000 /* a flush, an abort, retries of a commit once the process is to end */
#define SLICE_MS 500
#define RENEW_PAUSE_MS 1000 /* what was refused at once would be again */
#define LONG_MS 1000 /* that nobody answers is said after so long */
#define INIT_TIMEOUT_MS 10000
#define FENCE_TIMEOUT_MS 10000
#define METADATA_TIMEOUT_MS 5000

#define BATCH_BYTES "1000000"            /* brokers take 1 MiB unless told */
#define REQUEST_BYTES ((size_t)1000000)  /* as many */
#define FIRST_FEW 8u                     /* messages a partition: a topic's keys reach most */
#define OUTBOX_BYTES ((size_t)16 << 20)  /* more does not wait for the end of the transaction */

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct kafka_log *k = opaque;
    (void)rk;
    const char *topic = m->rkt ? rd_kafka_topic_name(m->rkt) : "?";
    k->delivered++;
    if (m->err) {
        k->undelivered = true;
        sc_log(SC_LOG_WARN, "kafka", "a message was not taken", "topic", topic, "why",
               rd_kafka_err2str(m->err), NULL);
    } else if (m->_private && m->offset < 0) {
        /* Sent again after a lost answer, and the broker no longer knows where it has it. */
        k->undelivered = true;
        sc_log(SC_LOG_WARN, "kafka", "a message was taken, at an offset that is not known", "topic",
               topic, NULL);
    } else if (m->_private) {
        *(int64_t *)m->_private = m->offset;
    }
}

/* Make every output topic known before the first transaction needs it. */
static void warm(struct kafka_log *k)
{
    const struct sc_out_topics *outs = k->cfg.outputs;
    for (uint32_t i = 0; i < outs->n; i++) {
        if (!outs->v[i].on)
            continue;
        k->out[i] = rd_kafka_topic_new(k->producer, outs->v[i].name.p, NULL);
        const struct rd_kafka_metadata *md;
        if (k->out[i] == NULL || rd_kafka_metadata(k->producer, 0, k->out[i], &md,
                                                   METADATA_TIMEOUT_MS))
            continue;
        k->out_partitions[i] = md->topic_cnt == 1 ? md->topics[0].partition_cnt : 0;
        rd_kafka_metadata_destroy(md);
    }
}

static rd_kafka_t *producer_new(struct kafka_log *k, const char *id, bool throw_away)
{
    const struct sc_conf_pair pairs[] = {
        {"client.id", id},
        {"transactional.id", id},
        {"transaction.timeout.ms", TXN_TIMEOUT_MS},
        {"message.timeout.ms", TXN_TIMEOUT_MS},
        /* A flush sends everything at once. Before it only full batches go: on 2.0.2 a partition
         * with messages past their linger and a request under way keeps its thread spinning. */
        {"linger.ms", "1000"},
        {"message.max.bytes", "2097152"}, /* one state at its hard limit, with room */
        {"batch.size", BATCH_BYTES},
        /* What is longer is sent from where it lies; for what may be copied, room is made, and
         * zeroed by the kernel, up to a whole batch. */
        {"message.copy.max.bytes", "1000"},
        {"queue.buffering.max.messages", "1000000"},
        {"queue.buffering.max.kbytes", "1048576"},
        {"partitioner", "murmur2_random"}, /* as Java's default partitioner */
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = sc_kafka_conf(k->cfg.kafka, true, pairs);
    if (conf && !throw_away) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        rd_kafka_conf_set_opaque(conf, k);
        sc_taint_watch(conf, &k->taint);
    }
    return sc_kafka_handle(true, conf);
}

/* Not ready, and so none of the watchdog's business: it may take as long as the broker is away. */
static void waiting(struct kafka_log *k, const char *why)
{
    atomic_store(&k->cfg.status->why, why);
    atomic_store(&k->cfg.status->ready, 0);
}

enum sc_err sc_kafka_producer_open(struct kafka_log *k)
{
    memset(&k->taint, 0, sizeof(k->taint));
    memset(k->out, 0, sizeof(k->out));
    memset(k->out_partitions, 0, sizeof(k->out_partitions));
    k->producer = producer_new(k, k->cfg.writer, false);
    if (k->producer == NULL)
        return SC_ERR_CONFIG;
    const char *why = atomic_load(&k->cfg.status->why);
    for (int tries = 0; !*k->cfg.stop; tries++) {
        enum sc_signal s = sc_kafka_signal(
            rd_kafka_init_transactions(k->producer, INIT_TIMEOUT_MS), "init_transactions");
        if (s == SC_SIGNAL_OK) {
            atomic_store(&k->cfg.status->why, why); /* as it was before this wait */
            warm(k);
            return SC_ERR_OK;
        }
        if (s != SC_SIGNAL_RETRY)
            return SC_ERR_FATAL;
        waiting(k, "Kafka's transaction coordinator does not answer");
        sc_log(SC_LOG_WARN, "kafka", "no transaction coordinator yet: waiting", "writer",
               k->cfg.writer, NULL);
    }
    return SC_ERR_INTERRUPTED;
}

void sc_kafka_producer_close(struct kafka_log *k)
{
    for (uint32_t i = 0; i < SC_OUT_MAX; i++)
        if (k->out[i])
            rd_kafka_topic_destroy(k->out[i]);
    memset(k->out, 0, sizeof(k->out));
    if (k->producer) {
        rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(k->producer);
    }
    k->producer = NULL;
    k->open = false;
    k->sent = k->delivered = 0;
    sc_outbox_clear(&k->box);
}

void sc_kafka_renew(struct kafka_log *k)
{
    sc_log(SC_LOG_WARN, "kafka", "making both clients anew", "writer", k->cfg.writer, NULL);
    waiting(k, "Kafka's clients are being made anew");
    sc_kafka_producer_close(k);
    sc_kafka_consumer_close(k);
    while (!*k->cfg.stop) {
        if (k->consumer == NULL && !sc_kafka_consumer_open(k))
            sc_kafka_consumer_close(k);
        if (k->consumer && sc_kafka_producer_open(k) == SC_ERR_OK)
            return;
        sc_kafka_producer_close(k);
        for (int ms = 0; ms < RENEW_PAUSE_MS && !*k->cfg.stop; ms += 100)
            nanosleep(&(struct timespec){0, 100000000L}, NULL);
    }
}

/* ---- membership: taken once a transaction, and checked */

/* Generation in "CGMDv2:" <int32 generation> <group> 0 <member> 0 …, the client's own form. */
static int32_t generation_of(rd_kafka_consumer_group_metadata_t *member, bool *has_member)
{
    static const char magic[] = "CGMDv2:";
    const void *bytes;
    size_t n;
    int32_t generation = -1;
    *has_member = false;
    rd_kafka_error_t *e =
        rd_kafka_consumer_group_metadata_write(member, (void **)(uintptr_t)&bytes, &n);
    if (e) {
        rd_kafka_error_destroy(e);
        return -1;
    }
    const char *at = bytes, *end = at + n;
    if (n > sizeof(magic) + 4 && memcmp(at, magic, sizeof(magic) - 1) == 0) {
        at += sizeof(magic) - 1;
        memcpy(&generation, at, sizeof(generation));
        at += sizeof(generation);
        const char *group_end = memchr(at, '\0', (size_t)(end - at));
        *has_member = group_end && group_end + 1 < end && group_end[1] != '\0';
    }
    rd_kafka_mem_free(NULL, (void *)(uintptr_t)bytes);
    return generation;
}

enum sc_err sc_kafka_begin(struct sc_log *lg)
{
    struct kafka_log *k = sc_kafka_log(lg);
    SC_ASSERT(!k->open);
    /* Of a generation that the worker does not know of yet, a commit would be accepted for
     * partitions that are another's now. */
    if (k->rebalanced || k->consumer == NULL)
        return SC_ERR_FENCED;
    if (k->delivered != k->sent)
        sc_kafka_producer_close(k); /* it still borrows payloads of the last transaction */
    sc_outbox_clear(&k->box);
    if (atomic_load(&k->taint.tainted)) {
        sc_log(SC_LOG_WARN, "kafka", "the producer is tainted by a late request: making it anew",
               "writer", k->cfg.writer, NULL);
        sc_kafka_producer_close(k);
    }
    if (k->producer == NULL) {
        enum sc_err e = sc_kafka_producer_open(k);
        if (e != SC_ERR_OK)
            return sc_kafka_producer_close(k), e;
    }
    if (k->member)
        rd_kafka_consumer_group_metadata_destroy(k->member);
    k->member = rd_kafka_consumer_group_metadata(k->consumer);
    bool has_member = false;
    if (k->member == NULL || generation_of(k->member, &has_member) < 0 || !has_member)
        return SC_ERR_FENCED; /* not a member: a commit would not be fenced */
    atomic_store(&k->taint.end_txns, 0);
    k->sent = k->delivered = 0;
    k->undelivered = false;
    k->n_marks = 0;
    switch (sc_kafka_signal(rd_kafka_begin_transaction(k->producer), "begin_transaction")) {
    case SC_SIGNAL_OK:
        k->open = true;
        return SC_ERR_OK;
    case SC_SIGNAL_RETRY:
    case SC_SIGNAL_ABORT:
    case SC_SIGNAL_RENEW:
        break;
    }
    sc_kafka_renew(k);
    return SC_ERR_FATAL;
}

/* ---- produce: what is kept back, and its end */

/* Give one message to the client. Its payload stays ours: it lives until the transaction is over. */
static enum sc_err give(struct kafka_log *k, const struct sc_outbox_place *pl,
                        const struct sc_outbox_item *it)
{
    rd_kafka_headers_t *headers = sc_outbox_headers(it);
    for (;;) {
        rd_kafka_vu_t vus[] = {
            {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = k->out[pl->topic]},
            {.vtype = RD_KAFKA_VTYPE_PARTITION,
             .u.i32 = pl->partition < 0 ? RD_KAFKA_PARTITION_UA : pl->partition},
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = 0},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)it->key.p, it->key.len}},
            {.vtype = RD_KAFKA_VTYPE_VALUE,
             .u.mem = {(void *)(uintptr_t)it->value.p, it->value.len}},
            {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = it->timestamp_ms},
            {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = it->mark},
            /* the last: only if there are any */
            {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        };
        rd_kafka_error_t *why = rd_kafka_produceva(
            k->producer, vus, sizeof(vus) / sizeof(vus[0]) - (headers == NULL));
        rd_kafka_resp_err_t e = why ? rd_kafka_error_code(why) : RD_KAFKA_RESP_ERR_NO_ERROR;
        if (why)
            rd_kafka_error_destroy(why);
        if (e == RD_KAFKA_RESP_ERR_NO_ERROR) {
            k->sent++;
            return SC_ERR_OK;
        }
        if (e != RD_KAFKA_RESP_ERR__QUEUE_FULL || k->undelivered) {
            sc_log(SC_LOG_WARN, "kafka", "produce refused", "topic",
                   k->cfg.outputs->v[pl->topic].name.p, "why", rd_kafka_err2str(e), NULL);
            if (headers)
                rd_kafka_headers_destroy(headers);
            return SC_ERR_ABORT;
        }
        rd_kafka_poll(k->producer, 10); /* make room */
    }
}

/* Messages of a place, in their order, until they are `most` or fill `room` of requests. */
static enum sc_err give_some(struct kafka_log *k, struct sc_outbox_place *pl, uint32_t most,
                             size_t *room)
{
    for (uint32_t i = 0; i < most && pl->first; i++) {
        size_t bytes = pl->first->bytes;
        if (bytes > *room)
            break;
        sc_outbox_prefetch(pl);
        if (give(k, pl, pl->first) != SC_ERR_OK)
            return SC_ERR_ABORT;
        *room -= bytes;
        sc_outbox_given(&k->box, pl);
    }
    return SC_ERR_OK;
}

/* How many partitions a place has. */
static uint32_t partitions_of(const struct kafka_log *k, const struct sc_outbox_place *pl)
{
    int32_t n = pl->partition < 0 ? k->out_partitions[pl->topic] : 1;
    return n > 1 ? (uint32_t)n : 1;
}

/* What one request of each partition takes; one message always fits. */
static size_t room_of(const struct kafka_log *k, const struct sc_outbox_place *pl)
{
    size_t room = REQUEST_BYTES, first = pl->first ? pl->first->bytes : 0;
    uint32_t n = partitions_of(k, pl);
    if (n > 1)
        room = room / 8 * 7 * n; /* keys do not share out evenly */
    return room > first ? room : first;
}

/* A wave: of each place what one request of each partition takes. First a few of each, so that one
 * request registers all partitions with the transaction. */
static enum sc_err give_wave(struct kafka_log *k)
{
    struct sc_outbox *ob = &k->box;
    size_t *room = sc_arena_alloc(&ob->ar, (ob->n_places + 1) * sizeof(*room));
    for (uint32_t i = 0; i < ob->n_places; i++)
        room[i] = room_of(k, &ob->places[i]);
    enum sc_err e = SC_ERR_OK;
    for (uint32_t i = 0; e == SC_ERR_OK && i < ob->n_places; i++)
        e = give_some(k, &ob->places[i], FIRST_FEW * partitions_of(k, &ob->places[i]), &room[i]);
    for (uint32_t i = 0; e == SC_ERR_OK && i < ob->n_places; i++)
        e = give_some(k, &ob->places[i], UINT32_MAX, &room[i]);
    return e;
}

/* What is there goes out before a place gets more than one wave takes of it. */
static enum sc_err take(struct kafka_log *k, const struct sc_out *out, int64_t *mark)
{
    if (!k->open || k->out[out->topic] == NULL)
        return SC_ERR_ABORT;
    const struct sc_outbox_place *pl = sc_outbox_place(&k->box, out->topic, out->partition);
    bool full = k->box.bytes >= OUTBOX_BYTES || pl->bytes + sc_outbox_bytes(out) > room_of(k, pl);
    enum sc_err e = full ? sc_kafka_flush(&k->base) : SC_ERR_OK;
    if (e == SC_ERR_OK)
        sc_outbox_add(&k->box, out, mark);
    return e;
}

enum sc_err sc_kafka_produce(struct sc_log *lg, const struct sc_out *out)
{
    return take(sc_kafka_log(lg), out, NULL);
}

enum sc_err sc_kafka_produce_marked(struct sc_log *lg, const struct sc_out *out, uint32_t *mark)
{
    struct kafka_log *k = sc_kafka_log(lg);
    SC_ASSERT(k->n_marks < SC_MARKS_MAX);
    *mark = k->n_marks++;
    k->marks[*mark] = -1;
    return take(k, out, &k->marks[*mark]);
}

int64_t sc_kafka_mark_offset(struct sc_log *lg, uint32_t mark)
{
    struct kafka_log *k = sc_kafka_log(lg);
    SC_ASSERT(mark < k->n_marks);
    return k->marks[mark];
}

/* Is there time left for what began then? What takes long is said to wait. */
static bool patient(struct kafka_log *k, int64_t since_ms, int64_t most_ms)
{
    int64_t most = *k->cfg.stop && most_ms > STOPPED_TIMEOUT_MS ? STOPPED_TIMEOUT_MS : most_ms;
    int64_t spent_ms = sc_time_mono_ms() - since_ms;
    if (spent_ms > LONG_MS)
        sc_kafka_away(k, true);
    return spent_ms < most;
}

enum sc_err sc_kafka_flush(struct sc_log *lg)
{
    struct kafka_log *k = sc_kafka_log(lg);
    int64_t since_ms = sc_time_mono_ms();
    do {
        if (give_wave(k) != SC_ERR_OK)
            return SC_ERR_ABORT;
        while (k->delivered < k->sent && !k->undelivered && patient(k, since_ms, FLUSH_TIMEOUT_MS))
            rd_kafka_flush(k->producer, SLICE_MS);
        if (k->delivered < k->sent || k->undelivered)
            return SC_ERR_ABORT;
    } while (k->box.bytes > 0);
    sc_outbox_clear(&k->box); /* all of it is delivered: nothing is borrowed */
    sc_kafka_away(k, false);
    return SC_ERR_OK;
}

/* ---- the end of a transaction */

static rd_kafka_topic_partition_list_t *offsets_list(struct kafka_log *k,
                                                     const struct sc_tp *offsets, uint32_t n)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (uint32_t i = 0; i < n; i++) {
        SC_ASSERT(offsets[i].offset >= 0); /* a negative one would be skipped with OK */
        SC_ASSERT(offsets[i].metadata.len < 128);
        rd_kafka_topic_partition_t *tp = rd_kafka_topic_partition_list_add(
            list, k->cfg.inputs[offsets[i].topic], offsets[i].partition);
        tp->offset = offsets[i].offset;
        if (offsets[i].metadata.len) { /* the list's destroy frees it */
            tp->metadata = sc_strndup(offsets[i].metadata.p, offsets[i].metadata.len);
            tp->metadata_size = offsets[i].metadata.len;
        }
    }
    return list;
}

static enum sc_signal send_offsets(struct kafka_log *k, const struct sc_tp *offsets, uint32_t n)
{
    rd_kafka_topic_partition_list_t *list = offsets_list(k, offsets, n);
    int64_t since_ms = sc_time_mono_ms();
    enum sc_signal s;
    do { /* not in slices: each call is a new request, whose late twin could hit the next one. While the
          * broker is away 2.0.2 does not keep to the timeout. */
        atomic_store(&k->cfg.status->asking_ms, sc_time_mono_ms());
        s = sc_kafka_signal(
            rd_kafka_send_offsets_to_transaction(k->producer, list, k->member,
                                                 *k->cfg.stop ? STOPPED_TIMEOUT_MS : CALL_TIMEOUT_MS),
            "send_offsets_to_transaction");
        atomic_store(&k->cfg.status->asking_ms, 0);
    } while (s == SC_SIGNAL_RETRY && patient(k, since_ms, CALL_TIMEOUT_MS));
    rd_kafka_topic_partition_list_destroy(list);
    return s == SC_SIGNAL_RETRY ? SC_SIGNAL_RENEW : s;
}

/* In slices, which go on where the last one stood, so that a stop does not wait for the whole call. */
static enum sc_signal end(struct kafka_log *k, bool commit)
{
    int64_t since_ms = sc_time_mono_ms();
    enum sc_signal s;
    do {
        s = commit ? sc_kafka_signal(rd_kafka_commit_transaction(k->producer, SLICE_MS),
                                     "commit_transaction")
                   : sc_kafka_signal(rd_kafka_abort_transaction(k->producer, SLICE_MS),
                                     "abort_transaction");
    } while (s == SC_SIGNAL_RETRY && patient(k, since_ms, CALL_TIMEOUT_MS));
    if (s == SC_SIGNAL_OK)
        sc_kafka_away(k, false);
    return s == SC_SIGNAL_RETRY ? SC_SIGNAL_RENEW : s;
}

void sc_kafka_abort(struct sc_log *lg)
{
    struct kafka_log *k = sc_kafka_log(lg);
    if (!k->open)
        return;
    k->open = false;
    if (k->producer && end(k, false) != SC_SIGNAL_OK)
        sc_kafka_renew(k);
}

enum sc_err sc_kafka_commit(struct sc_log *lg, const struct sc_tp *offsets, uint32_t n)
{
    struct kafka_log *k = sc_kafka_log(lg);
    SC_ASSERT(k->open && n > 0); /* without offsets a transaction is not fenced */
    enum sc_signal s = send_offsets(k, offsets, n);
    if (s == SC_SIGNAL_OK)
        s = end(k, true);
    switch (s) {
    case SC_SIGNAL_OK:
        k->open = false;
        return SC_ERR_OK;
    case SC_SIGNAL_ABORT:
        sc_kafka_abort(lg);
        return SC_ERR_ABORT;
    case SC_SIGNAL_RETRY:
    case SC_SIGNAL_RENEW:
        break;
    }
    k->open = false;
    sc_kafka_renew(k);
    return SC_ERR_FATAL;
}

enum sc_err sc_kafka_fence(struct sc_log *lg, struct sc_str writer)
{
    struct kafka_log *k = sc_kafka_log(lg);
    char id[64];
    snprintf(id, sizeof(id), "%.*s", SC_STR_FMT(writer));
    rd_kafka_t *rk = producer_new(k, id, true);
    if (rk == NULL)
        return SC_ERR_CONFIG;
    enum sc_signal s = sc_kafka_signal(rd_kafka_init_transactions(rk, FENCE_TIMEOUT_MS),
                                       "init_transactions (fencing)");
    rd_kafka_destroy(rk);
    return s == SC_SIGNAL_OK ? SC_ERR_OK : SC_ERR_TIMEOUT;
}
