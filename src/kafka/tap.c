/* Reading a topic for people: every partition, read_committed, without a group. */
#include "kafka/ahead.h"
#include "kafka/conf.h"
#include "kafka/ends.h"

#include <stdlib.h>

#define ASK_TIMEOUT_MS 10000

struct sc_kafka_tap {
    rd_kafka_t *rk;
    rd_kafka_message_t *m;
    int32_t partitions, assigned, ended;
    int64_t passed; /* offsets that a group's place left out */
    bool *eof; /* one a partition, as the next */
    struct sc_ahead *ahead;
};

static bool is_wanted(const struct sc_kafka_range *range, int32_t p)
{
    if (range->partition >= 0)
        return p == range->partition;
    return range->only == NULL || ((uint32_t)p < range->n_only && range->only[p]);
}

/* Go on where the group stands, as far as the topic still has that. */
static rd_kafka_resp_err_t find_places(struct sc_kafka_tap *tp, const struct sc_kafka_range *range,
                                       rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t e = rd_kafka_committed(tp->rk, list, ASK_TIMEOUT_MS);
    for (int i = 0; e == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        rd_kafka_topic_partition_t *at = &list->elems[i];
        int64_t low = 0, high = 0;
        e = at->err;
        if (!e)
            e = sc_kafka_offset_at(tp->rk, range->topic, at->partition, RD_KAFKA_OFFSET_BEGINNING,
                                   ASK_TIMEOUT_MS, &low);
        if (!e)
            e = sc_kafka_offset_at(tp->rk, range->topic, at->partition, RD_KAFKA_OFFSET_END,
                                   ASK_TIMEOUT_MS, &high);
        if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        if (at->offset < low || at->offset > high)
            at->offset = range->from;
        else
            tp->passed += at->offset - low;
    }
    return e;
}

static bool assign(struct sc_kafka_tap *tp, const struct sc_kafka_range *range, struct sc_buf *why)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(tp->rk, range->topic, NULL);
    rd_kafka_resp_err_t e = rd_kafka_metadata(tp->rk, 0, rkt, &md, ASK_TIMEOUT_MS);
    rd_kafka_topic_destroy(rkt);
    if (e) {
        sc_buf_addf(why, "no broker answers: %s", rd_kafka_err2str(e));
        return false;
    }
    tp->partitions = md->topic_cnt ? md->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(md);
    if (tp->partitions == 0) {
        sc_buf_addf(why, "there is no topic %s", range->topic);
        return false;
    }
    if (range->partition >= tp->partitions) {
        sc_buf_addf(why, "topic %s has %d partitions, counted from 0", range->topic,
                    tp->partitions);
        return false;
    }
    tp->eof = sc_calloc((size_t)tp->partitions, sizeof(*tp->eof));
    tp->ahead = sc_calloc((size_t)tp->partitions, sizeof(*tp->ahead));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(tp->partitions);
    for (int32_t p = 0; p < tp->partitions; p++)
        if (is_wanted(range, p))
            rd_kafka_topic_partition_list_add(list, range->topic, p)->offset = range->from;
    tp->assigned = list->cnt;
    e = range->group ? find_places(tp, range, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (e == RD_KAFKA_RESP_ERR_NO_ERROR)
        e = rd_kafka_assign(tp->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (e)
        sc_buf_addf(why, "topic %s: %s", range->topic, rd_kafka_err2str(e));
    return e == RD_KAFKA_RESP_ERR_NO_ERROR;
}

struct sc_kafka_tap *sc_kafka_tap_create(const struct sc_kafka_config *cfg,
                                         const struct sc_kafka_range *range, struct sc_buf *why)
{
    const struct sc_conf_pair pairs[] = {
        {"group.id", range->group ? range->group : "stagecoach-tap"},
        {"isolation.level", "read_committed"},
        {"enable.partition.eof", "true"}, {"fetch.wait.max.ms", "50"},
        {"auto.offset.reset", "error"}, {NULL, NULL}};
    struct sc_kafka_tap *tp = sc_calloc(1, sizeof(*tp));
    tp->rk = sc_kafka_handle(false, sc_kafka_conf(cfg, false, pairs));
    if (tp->rk == NULL)
        sc_buf_addz(why, SC_KAFKA_REFUSED);
    else if (assign(tp, range, why)) {
        rd_kafka_poll_set_consumer(tp->rk);
        return tp;
    }
    sc_kafka_tap_destroy(tp);
    return NULL;
}

static uint32_t take_headers(const rd_kafka_message_t *m, struct sc_header *out, uint32_t max)
{
    rd_kafka_headers_t *hs;
    const char *name;
    const void *value;
    size_t size;
    uint32_t n = 0;
    if (rd_kafka_message_headers(m, &hs))
        return 0;
    while (n < max && rd_kafka_header_get_all(hs, n, &name, &value, &size) ==
                          RD_KAFKA_RESP_ERR_NO_ERROR)
        out[n++] = (struct sc_header){sc_str_from(name), {value, size}};
    return n;
}

enum sc_err sc_kafka_tap_next(struct sc_kafka_tap *tp, int timeout_ms, struct sc_msg *out,
                              struct sc_header *headers, uint32_t *n_headers, uint32_t max)
{
    if (tp->assigned == 0)
        return SC_ERR_NOT_FOUND;
    if (tp->m)
        rd_kafka_message_destroy(tp->m);
    tp->m = rd_kafka_consumer_poll(tp->rk, timeout_ms);
    if (tp->m == NULL)
        return SC_ERR_TIMEOUT;
    if (tp->m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        tp->ended += !tp->eof[tp->m->partition];
        tp->eof[tp->m->partition] = true;
        return tp->ended == tp->assigned ? SC_ERR_NOT_FOUND : SC_ERR_TIMEOUT;
    }
    if (tp->m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        return SC_ERR_INVALID;
    if (tp->m->err)
        return SC_ERR_UNAVAILABLE;
    tp->ended -= tp->eof[tp->m->partition];
    tp->eof[tp->m->partition] = false;
    sc_ahead_took(&tp->ahead[tp->m->partition], tp->rk, tp->m);
    *out = (struct sc_msg){.partition = tp->m->partition, .offset = tp->m->offset,
                           .timestamp_ms = rd_kafka_message_timestamp(tp->m, NULL),
                           .key = {tp->m->key, tp->m->key_len},
                           .value = {tp->m->payload, tp->m->len}, .raw = tp->m};
    *n_headers = take_headers(tp->m, headers, max);
    return SC_ERR_OK;
}

int64_t sc_kafka_tap_passed(const struct sc_kafka_tap *tp)
{
    return tp->passed;
}

void sc_kafka_tap_destroy(struct sc_kafka_tap *tp)
{
    if (tp == NULL)
        return;
    if (tp->m)
        rd_kafka_message_destroy(tp->m);
    if (tp->rk) {
        rd_kafka_consumer_close(tp->rk);
        rd_kafka_destroy(tp->rk);
    }
    free(tp->eof);
    free(tp->ahead);
    free(tp);
}
