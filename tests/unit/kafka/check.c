/* What a broker says of itself, by the client's own mock cluster: versions, logins, nobody there. */
#include "kafka/kafka.h"

#include "base/log.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

#define TXN_OFFSET_COMMIT 28

static struct sc_arena ar;
static struct sc_diag dg;
static rd_kafka_t *rk;
static rd_kafka_mock_cluster_t *cluster;

static void setup(void)
{
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
    sc_log_setup(SC_LOG_ERROR, SC_LOG_LOGFMT);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
    cluster = rd_kafka_mock_cluster_new(rk, 1);
    rd_kafka_mock_set_apiversion(cluster, TXN_OFFSET_COMMIT, 0, 3);
    rd_kafka_mock_topic_create(cluster, "clicks", 3, 1);
}

static void teardown(void)
{
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(rk);
    sc_arena_fini(&ar);
}
TestSuite(kafka_check, .init = setup, .fini = teardown, .timeout = 60);

static void check(const char *brokers, const struct sc_topic_need *needs, uint32_t n)
{
    struct sc_str address = sc_str_from(brokers);
    const struct sc_kafka_settings settings = {.brokers = {.v = &address, .n = 1}};
    sc_kafka_check(&(struct sc_kafka_config){.settings = &settings},
                   &(struct sc_kafka_needs){needs, n, NULL}, &dg);
}

static const struct sc_finding *finding(const char *code)
{
    for (uint32_t i = 0; i < dg.items.n; i++)
        if (strcmp(dg.items.v[i].code, code) == 0)
            return &dg.items.v[i];
    return NULL;
}

static void expect(const char *code, enum sc_severity severity, const char *text)
{
    const struct sc_finding *f = finding(code);
    cr_assert_not_null(f, "no finding %s", code);
    cr_expect_eq(f->severity, severity);
    cr_expect_not_null(strstr(f->text.p, text), "%.*s", (int)f->text.len, f->text.p);
}

Test(kafka_check, a_broker_that_fences_is_new_enough)
{
    check(rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0);
    cr_expect_null(finding("old-broker"));
    cr_expect_eq(dg.errors, 0);
    expect("unseen-settings", SC_NOTE, "transaction.max.timeout.ms must be 20000 or more");
}

Test(kafka_check, a_broker_before_2_5_is_refused)
{
    rd_kafka_mock_set_apiversion(cluster, TXN_OFFSET_COMMIT, 0, 2);
    check(rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0);
    expect("old-broker", SC_ERROR, "older than Kafka 2.5");
}

Test(kafka_check, a_broker_without_transactions_is_refused)
{
    rd_kafka_mock_set_apiversion(cluster, TXN_OFFSET_COMMIT, -1, -1);
    check(rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0);
    expect("old-broker", SC_ERROR, "knows no transactions");
}

Test(kafka_check, a_start_refuses_an_old_broker)
{
    static _Atomic bool stop;
    struct sc_str address = sc_str_from(rd_kafka_mock_cluster_bootstraps(cluster));
    const struct sc_kafka_settings settings = {.brokers = {.v = &address, .n = 1}};
    const struct sc_kafka_config cfg = {.settings = &settings};
    sc_log_setup((enum sc_log_level)(SC_LOG_ERROR + 1), SC_LOG_LOGFMT);
    cr_expect_eq(sc_kafka_prepare(&cfg, &(struct sc_kafka_needs){0}, &stop), SC_ERR_OK);
    rd_kafka_mock_set_apiversion(cluster, TXN_OFFSET_COMMIT, 0, 2);
    cr_expect_eq(sc_kafka_prepare(&cfg, &(struct sc_kafka_needs){0}, &stop), SC_ERR_CONFIG);
}

Test(kafka_check, topics)
{
    const struct sc_topic_need needs[] = {
        {.name = "clicks", .partitions = 3, .exact = true, .what = "a source"},
        {.name = "clicks", .partitions = 4, .exact = true, .what = "the journal"},
        {.name = "gone", .what = "a source"},
    };
    check(rd_kafka_mock_cluster_bootstraps(cluster), needs, 1);
    cr_expect_eq(dg.errors, 0);
    check(rd_kafka_mock_cluster_bootstraps(cluster), needs + 1, 2);
    expect("partition-count", SC_ERROR, "topic clicks (the journal) has 3 partitions, the settings "
                                        "say 4");
    expect("no-topic", SC_ERROR, "topic gone (a source) does not exist");
    cr_expect_eq(dg.errors, 2);
}

Test(kafka_check, nobody_there)
{
    check("127.0.0.1:1", NULL, 0);
    expect("no-broker", SC_ERROR, "no broker can be asked");
    cr_expect_eq(dg.items.n, 1);
}
