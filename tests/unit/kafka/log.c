/* The consumer side of the log, on the client's own mock cluster: what is assigned, and when. */
#include "kafka/kafka.h"
#include "kafka/log_priv.h"

#include "base/log.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka_mock.h>

#define TXN_OFFSET_COMMIT 28

static int assigned_count(struct sc_log *lg)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    cr_assert_eq(rd_kafka_assignment(sc_kafka_log(lg)->consumer, &list),
                 RD_KAFKA_RESP_ERR_NO_ERROR);
    int n = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    return n;
}

/* docs/adr/0015: a partition that is assigned somewhere, to be moved later, may be moved back. */
Test(kafka_log, nothing_is_assigned_and_nothing_begun_before_the_takeover, .timeout = 60)
{
    sc_log_setup(SC_LOG_ERROR, SC_LOG_LOGFMT);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, 1);
    rd_kafka_mock_set_apiversion(cluster, TXN_OFFSET_COMMIT, 0, 3);
    rd_kafka_mock_topic_create(cluster, "clicks", 3, 1);

    struct sc_str address = sc_str_from(rd_kafka_mock_cluster_bootstraps(cluster));
    const struct sc_kafka_settings settings = {.brokers = {.v = &address, .n = 1}};
    const struct sc_kafka_config kafka = {.settings = &settings};
    const char *const inputs[] = {"clicks"};
    const struct sc_out_topics outputs = {0};
    static _Atomic bool stop;
    static struct sc_worker_status status;
    const struct sc_kafka_log_config cfg = {.kafka = &kafka, .group = "g", .writer = "w",
                                            .inputs = inputs, .n_inputs = 1, .outputs = &outputs,
                                            .stop = &stop, .status = &status};
    struct sc_log *lg = sc_kafka_log_create(&cfg);
    cr_assert_not_null(lg);
    struct sc_poll_result got = {.what = SC_POLL_NOTHING};
    while (got.what != SC_POLL_REBALANCED)
        cr_assert_eq(lg->ops->poll(lg, 100, &got), SC_ERR_OK);

    const struct sc_tp *owned;
    uint32_t n = lg->ops->assigned(lg, &owned);
    cr_assert_eq(n, 3);
    cr_expect_eq(assigned_count(lg), 0);
    struct sc_tp places[3];
    for (uint32_t i = 0; i < n; i++)
        places[i] = (struct sc_tp){.topic = owned[i].topic, .partition = owned[i].partition};
    cr_assert_eq(lg->ops->rewind(lg, places, n), SC_ERR_OK);
    cr_expect_eq(assigned_count(lg), 3);

    /* A rebalance that the worker has not been told of, in the middle of a restore say: a commit would
     * carry its generation, for partitions that may be another's. */
    sc_kafka_log(lg)->rebalanced = true;
    cr_expect_eq(lg->ops->begin(lg), SC_ERR_FENCED);
    sc_kafka_log(lg)->rebalanced = false;
    cr_expect_eq(lg->ops->begin(lg), SC_ERR_OK);
    lg->ops->abort(lg);

    lg->ops->close(lg);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(rk);
}

/* Who looks at a topic is told why it cannot be looked at, also when the client is not even made. */
Test(kafka_tap, settings_that_the_client_refuses_are_a_reason)
{
    sc_log_setup(SC_LOG_ERROR + 1, SC_LOG_LOGFMT);
    struct sc_str address = SC_STR("127.0.0.1:1");
    struct sc_property_setting wrong = {.name = SC_STR("no.such.property"), .value = SC_STR("1")};
    const struct sc_kafka_settings settings = {.brokers = {.v = &address, .n = 1},
                                               .properties = &wrong, .n_properties = 1};
    const struct sc_kafka_config kafka = {.settings = &settings};
    const struct sc_kafka_range range = {.topic = "t", .partition = -1, .from = SC_FROM_START};
    struct sc_buf why = {0};
    cr_expect_null(sc_kafka_tap_create(&kafka, &range, &why));
    cr_expect_gt(why.len, 0);
    why.len = 0;
    cr_expect_null(sc_kafka_replay_create(&kafka, "t", 0, &why));
    cr_expect_gt(why.len, 0);
    sc_buf_fini(&why);
}
