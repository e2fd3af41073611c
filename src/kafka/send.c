/* Writing for people: a few records into a topic, in one transaction after the other, beside every
 * worker. The transactional id is the caller's: of two that use one, the broker fences the first,
 * so that the same work is not done by both. */
#include "kafka/conf.h"
#include "kafka/signal.h"

#include "base/log.h"
#include <stdlib.h>

#define CALL_TIMEOUT_MS 20000
#define TRIES 3

struct sc_kafka_sender {
    rd_kafka_t *rk;
    uint64_t failed; /* messages of this transaction that were refused */
    bool open;
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct sc_kafka_sender *s = opaque;
    (void)rk;
    s->failed += m->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

struct sc_kafka_sender *sc_kafka_sender_create(const struct sc_kafka_config *cfg, const char *id)
{
    const struct sc_conf_pair pairs[] = {
        {"client.id", id}, {"transactional.id", id}, {"transaction.timeout.ms", "20000"},
        {"message.timeout.ms", "20000"}, {"message.max.bytes", "2097152"},
        {"partitioner", "murmur2_random"}, {NULL, NULL}};
    struct sc_kafka_sender *s = sc_calloc(1, sizeof(*s));
    rd_kafka_conf_t *conf = sc_kafka_conf(cfg, true, pairs);
    if (conf) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        rd_kafka_conf_set_opaque(conf, s);
    }
    s->rk = sc_kafka_handle(true, conf);
    if (s->rk && sc_kafka_signal(rd_kafka_init_transactions(s->rk, CALL_TIMEOUT_MS),
                                 "init_transactions") == SC_SIGNAL_OK)
        return s;
    sc_kafka_sender_destroy(s);
    return NULL;
}

bool sc_kafka_sender_put(struct sc_kafka_sender *s, const char *topic, const struct sc_out *out)
{
    if (!s->open && sc_kafka_signal(rd_kafka_begin_transaction(s->rk), "begin_transaction") !=
                        SC_SIGNAL_OK)
        return false;
    s->failed = s->open ? s->failed : 0;
    s->open = true;
    rd_kafka_headers_t *hs = rd_kafka_headers_new(out->n_headers);
    for (uint32_t i = 0; i < out->n_headers; i++)
        rd_kafka_header_add(hs, out->headers[i].name.p, (ssize_t)out->headers[i].name.len,
                            out->headers[i].value.p, (ssize_t)out->headers[i].value.len);
    rd_kafka_vu_t vus[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION,
         .u.i32 = out->partition < 0 ? RD_KAFKA_PARTITION_UA : out->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)out->key.p, out->key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {(void *)(uintptr_t)out->value.p, out->value.len}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP,
         .u.i64 = out->timestamp_ms > 0 ? out->timestamp_ms : 0},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = hs},
    };
    rd_kafka_error_t *why = rd_kafka_produceva(s->rk, vus, sizeof(vus) / sizeof(vus[0]));
    if (why) {
        sc_log(SC_LOG_ERROR, "kafka", "produce refused", "topic", topic, "why",
               rd_kafka_error_string(why), NULL);
        rd_kafka_error_destroy(why);
        rd_kafka_headers_destroy(hs);
    }
    rd_kafka_poll(s->rk, 0);
    return why == NULL;
}

/* The group has no members: what fences two writers is the transactional id. */
static bool send_place(struct sc_kafka_sender *s, const struct sc_kafka_place *place)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)place->n);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(place->group);
    for (uint32_t p = 0; p < place->n; p++)
        if (place->next[p] >= 0)
            rd_kafka_topic_partition_list_add(list, place->topic, (int32_t)p)->offset =
                place->next[p];
    bool fine = list->cnt == 0 ||
                sc_kafka_signal(rd_kafka_send_offsets_to_transaction(s->rk, list, group,
                                                                     CALL_TIMEOUT_MS),
                                "send_offsets_to_transaction") == SC_SIGNAL_OK;
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(list);
    return fine;
}

bool sc_kafka_sender_commit(struct sc_kafka_sender *s, const struct sc_kafka_place *place)
{
    if (!s->open)
        return true;
    bool fine = rd_kafka_flush(s->rk, CALL_TIMEOUT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                s->failed == 0 && (place == NULL || send_place(s, place));
    enum sc_signal sig;
    int tries = 0;
    do {
        sig = sc_kafka_signal(fine ? rd_kafka_commit_transaction(s->rk, CALL_TIMEOUT_MS)
                                   : rd_kafka_abort_transaction(s->rk, CALL_TIMEOUT_MS),
                              fine ? "commit_transaction" : "abort_transaction");
    } while (sig == SC_SIGNAL_RETRY && ++tries < TRIES);
    if (!fine || sig != SC_SIGNAL_OK)
        sc_log(SC_LOG_ERROR, "kafka", "a transaction was not committed", "refused",
               s->failed ? "some messages" : "none", NULL);
    s->open = false;
    return fine && sig == SC_SIGNAL_OK;
}

void sc_kafka_sender_destroy(struct sc_kafka_sender *s)
{
    if (s->rk) {
        rd_kafka_purge(s->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(s->rk); /* what is open is aborted when the id is used again */
    }
    free(s);
}
