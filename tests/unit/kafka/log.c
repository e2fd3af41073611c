/* The consumer side of the log, on the client's own mock cluster: what is assigned, and when. */
#include "kafka/kafka.h"
#include "kafka/log_priv.h"

#include "base/log.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <time.h>

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

/* A mock cluster, and a log on its topic `clicks`. */
struct bed {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    struct sc_str address;
    struct sc_kafka_settings settings;
    struct sc_kafka_config kafka; /* the log borrows it */
    struct sc_log *lg;
    struct sc_poll_result got;
};

/* Partition n has broker n as its leader, where there are so many. */
static void bed_init_with(struct bed *b, int partitions, int brokers)
{
    sc_log_setup(SC_LOG_ERROR, SC_LOG_LOGFMT);
    b->rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
    b->cluster = rd_kafka_mock_cluster_new(b->rk, brokers);
    rd_kafka_mock_set_apiversion(b->cluster, TXN_OFFSET_COMMIT, 0, 3);
    rd_kafka_mock_topic_create(b->cluster, "clicks", partitions, 1);
    for (int i = 0; i < partitions; i++)
        rd_kafka_mock_partition_set_leader(b->cluster, "clicks", i, i % brokers + 1);
    rd_kafka_mock_topic_create(b->cluster, "states", 1, 1);

    b->address = sc_str_from(rd_kafka_mock_cluster_bootstraps(b->cluster));
    b->settings = (struct sc_kafka_settings){.brokers = {.v = &b->address, .n = 1}};
    b->kafka = (struct sc_kafka_config){.settings = &b->settings};
    static const char *const inputs[] = {"clicks"};
    static struct sc_out_topics outputs;
    outputs = (struct sc_out_topics){.n = SC_OUT_STATE + 1};
    outputs.v[SC_OUT_STATE] = (struct sc_out_topic){.name = SC_STR("states"), .on = true};
    static _Atomic bool stop;
    static struct sc_worker_status status;
    const struct sc_kafka_log_config cfg = {.kafka = &b->kafka, .group = "g", .writer = "w",
                                            .inputs = inputs, .n_inputs = 1, .outputs = &outputs,
                                            .stop = &stop, .status = &status};
    b->lg = sc_kafka_log_create(&cfg);
    cr_assert_not_null(b->lg);
    b->got.what = SC_POLL_NOTHING;
    while (b->got.what != SC_POLL_REBALANCED)
        cr_assert_eq(b->lg->ops->poll(b->lg, 100, &b->got), SC_ERR_OK);
}

static void bed_init(struct bed *b, int partitions)
{
    bed_init_with(b, partitions, 1);
}

static void bed_fini(struct bed *b)
{
    b->lg->ops->close(b->lg);
    rd_kafka_mock_cluster_destroy(b->cluster);
    rd_kafka_destroy(b->rk);
}

/* docs/adr/0015: a partition that is assigned somewhere, to be moved later, may be moved back. */
Test(kafka_log, nothing_is_assigned_and_nothing_begun_before_the_takeover, .timeout = 60)
{
    struct bed b;
    bed_init(&b, 3);
    struct sc_log *lg = b.lg;
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

    bed_fini(&b);
}

/* A taxonomy may have so many. */
Test(kafka_log, as_many_sources_as_a_taxonomy_may_have, .timeout = 60)
{
    static char names[SC_SOURCES_MAX][8];
    const char *inputs[SC_SOURCES_MAX];
    struct bed b;
    bed_init(&b, 1);
    for (uint32_t i = 0; i < SC_SOURCES_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "s%u", i);
        inputs[i] = names[i];
    }
    struct sc_kafka_log_config cfg = sc_kafka_log(b.lg)->cfg;
    cfg.inputs = inputs;
    cfg.n_inputs = SC_SOURCES_MAX;
    struct sc_log *lg = sc_kafka_log_create(&cfg);
    cr_expect_not_null(lg);
    lg->ops->close(lg);
    bed_fini(&b);
}

/* Produce `n` messages to each of so many partitions of the bed's own cluster. */
static void fill(struct bed *b, int partitions, int n)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(b->cluster), NULL,
                      0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    for (int i = 0; i < n * partitions; i++)
        cr_assert_eq(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("clicks"),
                                       RD_KAFKA_V_PARTITION(i % partitions),
                                       RD_KAFKA_V_VALUE("click", 5), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    cr_assert_eq(rd_kafka_flush(rk, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(rk);
}

/* The client reads little ahead, and would sleep for up to a second each time that was read. */
static void read_ahead_on(int brokers)
{
    const uint32_t n = 60000, waits = 100, wait_ms = 20; /* twelve seconds' sleep; two are granted */
    struct bed b;
    bed_init_with(&b, brokers, brokers);
    fill(&b, brokers, (int)n / brokers);
    struct sc_tp from[3] = {{.partition = 0}, {.partition = 1}, {.partition = 2}};
    cr_assert_eq(b.lg->ops->rewind(b.lg, from, (uint32_t)brokers), SC_ERR_OK);
    uint32_t read = 0, waited = 0;
    while (read < n && waited < waits) {
        cr_assert_eq(b.lg->ops->poll(b.lg, wait_ms, &b.got), SC_ERR_OK);
        waited += b.got.what == SC_POLL_NOTHING;
        read += b.got.what == SC_POLL_MESSAGES ? b.got.n : 0;
        b.lg->ops->release(b.lg);
    }
    cr_expect_eq(read, n, "%u of %u read, after %u waits of %u ms", read, n, waited, wait_ms);
    bed_fini(&b);
}

Test(kafka_log, what_was_read_ahead_is_followed_by_more_at_once, .timeout = 120)
{
    read_ahead_on(1);
}

/* What is ahead is counted over all brokers, but each has a thread of its own. */
Test(kafka_log, every_broker_gives_more_at_once, .timeout = 120)
{
    read_ahead_on(3);
}

/* Batches of a request's size, on each partition alike. */
static void fill_large(struct bed *b, int partitions, int n)
{
    static char click[1000];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(b->cluster), NULL,
                      0);
    rd_kafka_conf_set(conf, "linger.ms", "1000", NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    for (int i = 0; i < n; i++)
        cr_assert_eq(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("clicks"),
                                       RD_KAFKA_V_PARTITION(i % partitions),
                                       RD_KAFKA_V_VALUE(click, sizeof(click)), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    cr_assert_eq(rd_kafka_flush(rk, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(rk);
}

/* Read one after the other, they would hold time back for each other, and events wait for order. */
Test(kafka_log, partitions_are_read_side_by_side, .timeout = 60)
{
    enum { PARTITIONS = 4, EACH = 4000 };
    struct bed b;
    bed_init(&b, PARTITIONS);
    fill_large(&b, PARTITIONS, PARTITIONS * EACH);
    struct sc_tp from[PARTITIONS];
    for (int32_t i = 0; i < PARTITIONS; i++)
        from[i] = (struct sc_tp){.partition = i, .offset = 0};
    cr_assert_eq(b.lg->ops->rewind(b.lg, from, PARTITIONS), SC_ERR_OK);
    uint32_t read[PARTITIONS] = {0}, all = 0, most = 0;
    while (all < PARTITIONS * EACH / 2) {
        cr_assert_eq(b.lg->ops->poll(b.lg, 1000, &b.got), SC_ERR_OK);
        for (uint32_t i = 0; b.got.what == SC_POLL_MESSAGES && i < b.got.n; i++, all++) {
            uint32_t n = ++read[b.got.msgs[i].partition];
            most = n > most ? n : most;
        }
        b.lg->ops->release(b.lg);
    }
    cr_expect_lt(most, EACH * 3 / 4, "%u of %d of one partition, of %u read", most, EACH, all);
    bed_fini(&b);
}

/* What a record of the test has for a header `traceparent`, by its number. */
enum { NO_HEADER, TRACEPARENT, EMPTY_ONE, NULL_ONE, OTHER_ONES, KINDS };

static void add_headers(rd_kafka_headers_t *hs, int kind)
{
    if (kind == OTHER_ONES) {
        rd_kafka_header_add(hs, "a", -1, "", 0);
        rd_kafka_header_add(hs, "traceparenT", -1, "no", 2);
    }
    if (kind == TRACEPARENT || kind == EMPTY_ONE || kind == NULL_ONE)
        rd_kafka_header_add(hs, "traceparent", -1, kind == NULL_ONE ? NULL : "00-4bf9",
                            kind == TRACEPARENT ? 7 : 0);
}

/* Records with and without key, value and headers, side by side in one batch. */
static void fill_with_headers(struct bed *b, int n, const char *codec)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(b->cluster), NULL,
                      0);
    rd_kafka_conf_set(conf, "linger.ms", "50", NULL, 0);
    cr_assert_eq(rd_kafka_conf_set(conf, "compression.codec", codec, NULL, 0), RD_KAFKA_CONF_OK);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    for (int i = 0; i < n; i++) {
        rd_kafka_headers_t *hs = rd_kafka_headers_new(2);
        add_headers(hs, i % KINDS);
        const char *key = i / KINDS % 3 ? "k" : NULL, *value = i / KINDS % 7 ? "click" : NULL;
        cr_assert_eq(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("clicks"), RD_KAFKA_V_PARTITION(0),
                                       RD_KAFKA_V_KEY((void *)(uintptr_t)key, key ? 1 : 0),
                                       RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value ? 5 : 0),
                                       RD_KAFKA_V_HEADERS(hs), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    cr_assert_eq(rd_kafka_flush(rk, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(rk);
}

/* That a record has none is mostly seen by where the next one begins: never of one that has. */
Test(kafka_log, a_header_is_found_wherever_it_stands, .timeout = 60)
{
    const uint32_t n = 3000;
    struct bed b;
    bed_init(&b, 1);
    fill_with_headers(&b, (int)n / 2, "none");
    fill_with_headers(&b, (int)n / 2, "lz4");
    const struct sc_tp from = {.offset = 0};
    cr_assert_eq(b.lg->ops->rewind(b.lg, &from, 1), SC_ERR_OK);
    for (uint32_t read = 0; read < n;) {
        cr_assert_eq(b.lg->ops->poll(b.lg, 1000, &b.got), SC_ERR_OK);
        for (uint32_t i = 0; b.got.what == SC_POLL_MESSAGES && i < b.got.n; i++, read++) {
            int kind = (int)(b.got.msgs[i].offset % (n / 2)) % KINDS;
            struct sc_str value =
                b.lg->ops->header(b.lg, &b.got.msgs[i], SC_STR("traceparent"));
            cr_expect_eq(value.p != NULL, kind == TRACEPARENT || kind == EMPTY_ONE,
                         "record %u", read);
            cr_expect(value.p == NULL || sc_str_eqz(value, kind == TRACEPARENT ? "00-4bf9" : ""));
        }
        b.lg->ops->release(b.lg);
    }
    bed_fini(&b);
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Given more of a partition than a request holds, the client spins until the answer to the first. So
 * what makes a request goes out at once, its answer is waited for, and its memory is used again. */
Test(kafka_log, a_transaction_of_many_requests_waits_for_answers_asleep, .timeout = 60)
{
    enum { MESSAGES = 60, BYTES = 64 << 10, REQUEST = 1000000, RTT_MS = 400 };
    static char value[BYTES];
    struct bed b;
    uint32_t mark = 0;
    bed_init(&b, 1);
    const struct sc_tp from = {.offset = 0};
    cr_assert_eq(b.lg->ops->rewind(b.lg, &from, 1), SC_ERR_OK);
    cr_assert_eq(b.lg->ops->begin(b.lg), SC_ERR_OK);
    struct sc_out out = {.topic = SC_OUT_STATE, .value = {value, sizeof(value)}};
    const struct sc_outbox *box = &sc_kafka_log(b.lg)->box;
    const char *first = NULL;
    int again = 0;
    rd_kafka_mock_broker_set_rtt(b.cluster, 1, RTT_MS);
    double before = cpu_s();
    for (int i = 0; i < MESSAGES; i++) {
        cr_assert_eq(b.lg->ops->produce_marked(b.lg, &out, &mark), SC_ERR_OK);
        cr_expect_leq(box->bytes, REQUEST);
        first = i == 0 ? box->places[0].first->value.p : first;
        again += i > 0 && box->places[0].first->value.p == first &&
                 box->places[0].first == box->places[0].last;
    }
    cr_assert_eq(b.lg->ops->flush(b.lg), SC_ERR_OK);
    double spent = cpu_s() - before;
    rd_kafka_mock_broker_set_rtt(b.cluster, 1, 0);
    cr_expect_lt(spent, RTT_MS * 1e-3, "%.2f s of CPU for four answers of %d ms", spent, RTT_MS);
    cr_expect_eq(again, MESSAGES * BYTES / REQUEST, "memory is begun again with each request");
    for (uint32_t i = 0; i <= mark; i++)
        cr_expect_eq(b.lg->ops->mark_offset(b.lg, i), i);
    b.lg->ops->abort(b.lg);
    bed_fini(&b);
}

/* What asks for a partition's ends is to be told in time that nobody answers. */
Test(kafka_log, ends_are_not_waited_for_for_ever, .timeout = 60)
{
    struct bed b;
    int64_t low, high, stable;
    bed_init(&b, 1);
    sc_log_setup(SC_LOG_ERROR + 1, SC_LOG_LOGFMT);
    cr_expect_eq(b.lg->ops->watermarks(b.lg, 0, 0, &low, &high, &stable), SC_ERR_OK);
    cr_expect(low == 0 && high == 0 && stable == 0);
    rd_kafka_mock_broker_set_down(b.cluster, 1);
    cr_expect_eq(b.lg->ops->watermarks(b.lg, 0, 0, &low, &high, &stable), SC_ERR_UNAVAILABLE);
    rd_kafka_mock_broker_set_up(b.cluster, 1);
    bed_fini(&b);
}

static bool says_so(struct bed *b, bool waits)
{
    const struct sc_worker_status *status = sc_kafka_log(b->lg)->cfg.status;
    for (int i = 0; i < 200 && (status->why != NULL) != waits; i++) {
        cr_assert_eq(b->lg->ops->poll(b->lg, 50, &b->got), SC_ERR_OK);
        b->lg->ops->release(b->lg);
    }
    return (status->why != NULL) == waits;
}

/* Also by a worker that has nothing to do. */
Test(kafka_log, a_broker_that_is_away_is_a_stated_wait, .timeout = 60)
{
    struct bed b;
    bed_init(&b, 1);
    sc_log_setup(SC_LOG_ERROR + 1, SC_LOG_LOGFMT);
    cr_expect(says_so(&b, false));
    rd_kafka_mock_broker_set_down(b.cluster, 1);
    cr_expect(says_so(&b, true), "it does not say so");
    rd_kafka_mock_broker_set_up(b.cluster, 1);
    cr_expect(says_so(&b, false), "it waits on");
    bed_fini(&b);
}

/* The broker has a message that is sent again after its answer was lost, and may no longer know
 * where: a seal that nobody can point to is no seal. */
Test(kafka_log, delivered_nobody_knows_where_is_a_doubt, .timeout = 60)
{
    enum { PRODUCE = 0 };
    struct bed b;
    uint32_t mark = 0;
    bed_init(&b, 1);
    sc_log_setup(SC_LOG_ERROR, SC_LOG_LOGFMT);
    const struct sc_tp from = {.offset = 0};
    cr_assert_eq(b.lg->ops->rewind(b.lg, &from, 1), SC_ERR_OK);
    cr_assert_eq(b.lg->ops->begin(b.lg), SC_ERR_OK);
    const struct sc_out out = {.topic = SC_OUT_STATE, .value = SC_STR("seal")};
    cr_assert_eq(b.lg->ops->produce_marked(b.lg, &out, &mark), SC_ERR_OK);
    rd_kafka_mock_push_request_errors(b.cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER);
    cr_expect_eq(b.lg->ops->flush(b.lg), SC_ERR_ABORT);
    b.lg->ops->abort(b.lg);
    bed_fini(&b);
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
