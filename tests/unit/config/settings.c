/* stagecoach.yaml: the smallest file, every key, and what is refused. */
#include "config/settings.h"
#include "base/log.h"
#include "base/time.h"

#include <criterion/criterion.h>

static struct sc_arena ar;
static struct sc_diag dg;
static struct sc_settings st;

static void setup(void)
{
    sc_arena_init(&ar);
    sc_diag_init(&dg, &ar);
}

static void teardown(void)
{
    sc_arena_fini(&ar);
}

TestSuite(settings, .init = setup, .fini = teardown);

static bool load(const char *text)
{
    const struct sc_node *doc =
        sc_node_parse(SC_STR("s"), sc_str_from(text), NULL, NULL, &ar, &dg);
    cr_assert(doc != NULL);
    return sc_settings_load(&st, doc, &ar, &dg);
}

static bool found(const char *code)
{
    for (uint32_t i = 0; i < dg.items.n; ++i) {
        if (strcmp(dg.items.v[i].code, code) == 0)
            return true;
    }
    return false;
}

Test(settings, the_smallest_file_names_the_brokers)
{
    cr_assert(load("kafka: { brokers: '127.0.0.1:9092' }"));
    cr_expect_eq(st.kafka.brokers.n, 1);
    cr_expect(sc_str_eqz(st.journey, "journey.yaml"));
    cr_expect(sc_str_eqz(st.redis.address, "127.0.0.1:6379"));
    cr_expect(st.workers.resolve == 1 && st.workers.journey == 1);
    cr_expect_eq(st.commit_interval_ms, 100);
    cr_expect(st.flush.interval_ms == 1000 && st.flush.dirty_max_bytes == 256 << 20 &&
              st.flush.stall_ms == 120000);
    cr_expect(sc_str_eqz(st.journal.topic, "stagecoach.journal") && st.journal.partitions == 24);
    cr_expect(sc_str_eqz(st.journal.state_topic, "stagecoach.state"));
    cr_expect(st.topics.transitions.on && sc_str_eqz(st.topics.transitions.topic, "transitions"));
    cr_expect(st.topics.suppressed.on && st.topics.suppressed.format == SC_SETTINGS_JSON);
    cr_expect(sc_str_eqz(st.topics.identity.topic, "stagecoach.identity"));
    cr_expect_not(st.topics.customers.on, "off unless named");
    cr_expect_eq(st.clock, SC_CLOCK_JOURNAL);
    cr_expect(sc_str_eqz(st.admin.listen, "127.0.0.1:9480"));
    cr_expect(st.log.level == SC_LOG_INFO && st.log.format == SC_LOG_LOGFMT);
    cr_expect_eq(st.max_error_rate_bp, 1000);
    cr_expect(!st.kafka.tls.on && !st.redis.tls.on && st.kafka.sasl.at == NULL);
    cr_expect(found("public-key") && dg.warnings == 1);
}

Test(settings, topics)
{
    cr_assert(load("kafka: { brokers: [a, b] }\n"
                   "topics: { transitions: off, suppressed: held, identity: { format: avro }, "
                   "customers: { topic: people, format: protobuf } }"));
    const struct sc_topics_settings *t = &st.topics;
    cr_expect_not(t->transitions.on);
    cr_expect(t->suppressed.on && sc_str_eqz(t->suppressed.topic, "held"));
    cr_expect(t->identity.on && sc_str_eqz(t->identity.topic, "stagecoach.identity"));
    cr_expect_eq(t->identity.format, SC_SETTINGS_AVRO);
    cr_expect(t->customers.on && sc_str_eqz(t->customers.topic, "people"));
    cr_expect_eq(t->customers.format, SC_SETTINGS_PROTOBUF);
}

Test(settings, tls_by_its_key_and_properties_passed_on)
{
    cr_assert(load("kafka:\n"
                   "  brokers: a\n"
                   "  tls: {}\n"
                   "  sasl: { username: u, password_file: p }\n"
                   "  properties: { queued.min.messages: 1000, client.rack: r1 }\n"
                   "redis: { tls: { ca_file: c } }\n"));
    cr_expect(st.kafka.tls.on && st.kafka.tls.verify && st.redis.tls.on);
    cr_expect_eq(st.kafka.sasl.mechanism, SC_SASL_SCRAM_SHA_512);
    cr_assert_eq(st.kafka.n_properties, 2);
    cr_expect(sc_str_eqz(st.kafka.properties[0].name, "queued.min.messages"));
    cr_expect(sc_str_eqz(st.kafka.properties[0].value, "1000"));
}

Test(settings, properties_of_the_protocol_are_refused)
{
    static const char *const kept[] = {"isolation.level", "enable.idempotence", "group.id",
                                       "transactional.id", "sasl.password", "auto.offset.reset",
                                       "partitioner", "group.protocol", "enable.partition.eof"};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); ++i) {
        sc_diag_init(&dg, &ar);
        cr_expect_not(load(sc_arena_printf(&ar, "kafka: { brokers: a, properties: { %s: x } }",
                                           kept[i])));
        cr_expect(found("kept-property"), "%s", kept[i]);
    }
}

Test(settings, what_needs_each_other)
{
    static const struct {
        const char *text, *code;
    } wrong[] = {
        {"kafka: { brokers: [] }", "no-broker"},
        {"kafka: { brokers: a, tls: { cert_file: c } }", "half-given"},
        {"kafka: { brokers: a }\nredis: { username: u }", "half-given"},
        {"kafka: { brokers: a }\nregistry: { username: u }", "half-given"},
        {"kafka: { brokers: a }\nredis: { cluster: [x], database: 1 }", "bad-database"},
        {"kafka: { brokers: a }\nredis: { cluster: x, sentinel: { addresses: y, master: m } }",
         "two-ways"},
        {"kafka: { brokers: a }\nworkers: { resolve: 0, journey: 0 }", "no-workers"},
        {"kafka: { brokers: a }\ntopics: { customers: { format: json } }", "missing-key"},
        {"kafka: { brokers: a }\ntopics: { suppressed: 'a b' }", "bad-topic"},
        {"journey: j", "missing-key"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i) {
        sc_diag_init(&dg, &ar);
        cr_expect_not(load(wrong[i].text), "%s", wrong[i].text);
        cr_expect(found(wrong[i].code), "%s: no %s", wrong[i].text, wrong[i].code);
    }
}

Test(settings, addresses)
{
    static const char *const right[] = {
        "kafka: { brokers: 'a, SSL://b:65535,[::1]:9092' }",
        "kafka: { brokers: [a, 'b:1'] }\nredis: { address: /run/redis.sock }",
        "kafka: { brokers: 'fe80::1' }\nredis: { address: redis.shop }",
        "kafka: { brokers: a }\nredis: { address: 'redis://r:6379' }\nadmin: { listen: '' }",
        "kafka: { brokers: a }\nadmin: { listen: ':9480' }\nregistry: { url: 'https://r' }",
        "kafka: { brokers: a }\nadmin: { listen: '[::1]:9480' }\njournal: { replication: -1 }",
    };
    static const struct {
        const char *text, *code;
    } wrong[] = {
        {"kafka: { brokers: 'a:65536' }", "bad-address"},
        {"kafka: { brokers: ['a:1', 'b:http'] }", "bad-address"},
        {"kafka: { brokers: 'a:1,b:' }", "bad-address"},
        {"kafka: { brokers: ':9092' }", "bad-address"},
        {"kafka: { brokers: a }\nredis: { address: 'r:x' }", "bad-address"},
        {"kafka: { brokers: a }\nredis: { address: '' }", "bad-address"},
        {"kafka: { brokers: a }\nredis: { sentinel: { master: m, addresses: ['s:0'] } }",
         "bad-address"},
        {"kafka: { brokers: a }\nadmin: { listen: localhost }", "bad-address"},
        {"kafka: { brokers: a }\nadmin: { listen: '127.0.0.1:99999' }", "bad-address"},
        {"kafka: { brokers: a }\nadmin: { listen: '127.0.0.1:web' }", "bad-address"},
        {"kafka: { brokers: a }\nregistry: { url: '127.0.0.1:8081' }", "bad-address"},
        {"kafka: { brokers: a, group: '' }", "empty-value"},
        {"kafka: { brokers: a }\ninstance: ' '", "empty-value"},
        {"kafka: { brokers: a }\njournal: { replication: 0 }", "out-of-range"},
    };
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); ++i) {
        sc_diag_init(&dg, &ar);
        cr_expect(load(right[i]), "%s", right[i]);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i) {
        sc_diag_init(&dg, &ar);
        cr_expect_not(load(wrong[i].text), "%s", wrong[i].text);
        cr_expect(found(wrong[i].code), "%s: no %s", wrong[i].text, wrong[i].code);
    }
}

Test(settings, an_open_admin_listener_is_warned_of)
{
    cr_assert(load("kafka: { brokers: a }\nadmin: { listen: '0.0.0.0:80' }"));
    cr_expect(found("open-admin"));
    sc_diag_init(&dg, &ar);
    cr_assert(load("kafka: { brokers: a }\nadmin: { listen: '0.0.0.0:80', token_file: t }"));
    cr_expect_not(found("open-admin"));
}
