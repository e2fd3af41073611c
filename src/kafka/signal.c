/* See signal.h. */
#include "kafka/signal.h"

#include "base/log.h"
#include <stdatomic.h>

/* Kafka protocol, api keys of transactions. */
enum { API_ADD_PARTITIONS = 24, API_ADD_OFFSETS = 25, API_END_TXN = 26, API_OFFSET_COMMIT = 28 };

enum sc_signal sc_kafka_signal(rd_kafka_error_t *error, const char *call)
{
    static const struct {
        bool retriable, abortable, fatal;
        enum sc_signal signal;
    } table[] = {
        {false, false, true, SC_SIGNAL_RENEW},
        {false, true, false, SC_SIGNAL_ABORT},
        {true, false, false, SC_SIGNAL_RETRY},
        {false, false, false, SC_SIGNAL_RENEW},
    };
    if (error == NULL)
        return SC_SIGNAL_OK;
    bool fatal = rd_kafka_error_is_fatal(error);
    bool abortable = !fatal && rd_kafka_error_txn_requires_abort(error);
    bool retriable = !fatal && !abortable && rd_kafka_error_is_retriable(error);
    enum sc_signal signal = SC_SIGNAL_RENEW;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].fatal == fatal && table[i].abortable == abortable &&
            table[i].retriable == retriable)
            signal = table[i].signal;
    /* also the way of a worker that was taken for dead: once, and then no more */
    bool fenced = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__FENCED;
    sc_log(signal == SC_SIGNAL_RETRY ? SC_LOG_DEBUG : SC_LOG_WARN, "kafka",
           rd_kafka_error_string(error), "call", call, "code", rd_kafka_error_name(error),
           fenced ? "hint" : NULL, "if this goes on, two processes have one `instance`", NULL);
    rd_kafka_error_destroy(error);
    return signal;
}

static bool transactional(int16_t api)
{
    return api == API_ADD_PARTITIONS || api == API_ADD_OFFSETS || api == API_END_TXN ||
           api == API_OFFSET_COMMIT;
}

static rd_kafka_resp_err_t on_sent(rd_kafka_t *rk, int sockfd, const char *broker, int32_t id,
                                   int16_t api, int16_t version, int32_t corr, size_t size,
                                   void *opaque)
{
    struct sc_taint *taint = opaque;
    (void)rk, (void)sockfd, (void)broker, (void)id, (void)version, (void)corr, (void)size;
    if (api == API_END_TXN && atomic_fetch_add(&taint->end_txns, 1) > 0)
        atomic_store(&taint->tainted, 1);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_response(rd_kafka_t *rk, int sockfd, const char *broker, int32_t id,
                                       int16_t api, int16_t version, int32_t corr, size_t size,
                                       int64_t rtt, rd_kafka_resp_err_t err, void *opaque)
{
    struct sc_taint *taint = opaque;
    (void)rk, (void)sockfd, (void)broker, (void)id, (void)version, (void)corr, (void)size;
    (void)rtt;
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR && transactional(api))
        atomic_store(&taint->tainted, 1);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *opaque,
                                  char *errstr, size_t size)
{
    (void)conf, (void)errstr, (void)size;
    rd_kafka_interceptor_add_on_request_sent(rk, "taint", on_sent, opaque);
    return rd_kafka_interceptor_add_on_response_received(rk, "taint", on_response, opaque);
}

void sc_taint_watch(rd_kafka_conf_t *conf, struct sc_taint *taint)
{
    rd_kafka_conf_interceptor_add_on_new(conf, "taint", on_new, taint);
}
