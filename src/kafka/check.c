/* What is wrong with a cluster: every fault at once, at the setting that wants it otherwise, with
 * what to do. `check --connect` prints them, a start refuses the errors. Changes nothing.
 *
 * Figures are reliability.md's: TxnOffsetCommit 3 (Kafka 2.5) fences by generation, transactions
 * last up to 20 s, a record of the state log is 2 MiB at most. */
#include "kafka/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SOURCE_TRIES 10
#define SOURCE_PAUSE_MS 300L
#define TXN_OFFSETS_MIN 3
#define TXN_TIMEOUT_MS 20000
#define DEFAULT_MESSAGE_BYTES 1048588

struct check {
    struct sc_kafka_admin *ad;
    struct sc_diag *dg;
    struct sc_mark brokers;
    int n_brokers;
};

static struct sc_mark mark_of(const struct sc_node *at)
{
    return at ? at->mark : (struct sc_mark){0};
}

/* ---- the cluster */

static void check_version(struct check *ck, const struct sc_kafka_settings_of *of)
{
    int newest = atomic_load(&ck->ad->txn_offsets), major = 0, minor = 0;
    const char *protocol = sc_kafka_setting(of, "inter.broker.protocol.version"); /* gone in 4.0 */
    struct sc_finding *f = NULL;
    if (atomic_load(&ck->ad->heard) && newest < 0)
        f = sc_diag_add(ck->dg, SC_ERROR, "old-broker", ck->brokers,
                        "the broker knows no transactions");
    else if (atomic_load(&ck->ad->heard) && newest < TXN_OFFSETS_MIN)
        f = sc_diag_add(ck->dg, SC_ERROR, "old-broker", ck->brokers,
                        "the broker is older than Kafka 2.5: a worker that lost its partitions "
                        "could still commit (TxnOffsetCommit %d, 3 is needed)", newest);
    else if (protocol && sscanf(protocol, "%d.%d", &major, &minor) == 2 &&
             (major < 2 || (major == 2 && minor < 5)))
        f = sc_diag_add(ck->dg, SC_ERROR, "old-broker", ck->brokers,
                        "the brokers speak inter.broker.protocol.version %s: fencing by group "
                        "generation came with 2.5", protocol);
    else if (!atomic_load(&ck->ad->heard))
        sc_diag_add(ck->dg, SC_NOTE, "old-broker", ck->brokers,
                    "the broker's version is not known: Kafka 2.5 or later is needed");
    if (f)
        f->hint = SC_STR("upgrade the brokers to 2.5 or later, then their protocol version");
}

static void check_broker(struct check *ck, int32_t id)
{
    char name[16];
    struct sc_kafka_settings_of of;
    snprintf(name, sizeof(name), "%d", id);
    sc_kafka_admin_settings(ck->ad, RD_KAFKA_RESOURCE_BROKER, name, &of);
    check_version(ck, &of);
    const char *txn = sc_kafka_setting(&of, "transaction.max.timeout.ms");
    const char *kept = sc_kafka_setting(&of, "offsets.retention.minutes");
    ck->ad->txn_max_ms = txn ? atoll(txn) : 0;
    if (txn && ck->ad->txn_max_ms < TXN_TIMEOUT_MS)
        sc_diag_add(ck->dg, SC_ERROR, "short-transactions", ck->brokers,
                    "the broker allows transactions of %s ms (transaction.max.timeout.ms), the "
                    "workers ask for %d", txn, TXN_TIMEOUT_MS)
            ->hint = SC_STR("raise it on the brokers; its default is 900000");
    if (kept && atoll(kept) < 7 * 24 * 60)
        sc_diag_add(ck->dg, SC_WARNING, "short-offsets", ck->brokers,
                    "the broker forgets a group's offsets after %s minutes without members "
                    "(offsets.retention.minutes): a deployment that stands still for longer "
                    "stops at its next start and asks for --adopt", kept)
            ->hint = SC_STR("set it to 10080, the 7 days that the journal is kept, or more");
    if (of.n == 0)
        sc_diag_add(ck->dg, SC_NOTE, "unseen-settings", ck->brokers,
                    "the brokers' settings cannot be asked (%s): transaction.max.timeout.ms must "
                    "be 20000 or more, offsets.retention.minutes should be 10080 or more", of.why);
    if (of.ev)
        rd_kafka_event_destroy(of.ev);
}

/* ---- topics */

const struct rd_kafka_metadata_topic *sc_kafka_topic_of(const struct rd_kafka_metadata *md,
                                                        const char *name)
{
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, name) == 0 && !md->topics[i].err)
            return &md->topics[i];
    return NULL;
}

/* Settings of a topic that must be as the need says; at least: -1 is without bound. */
static const struct {
    const char *name;
    bool at_least;
    const char *why;
} rules[] = {
    {"message.timestamp.type", false, "append time is the decisions' clock"},
    {"cleanup.policy", false, "the protocol rests on it"},
    {"max.message.bytes", true, "else a state at its hard limit stops the partition"},
    {"retention.ms", true, "older records go"},
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

static const char *wanted(const struct sc_topic_need *need, const char *name)
{
    for (const char *const *c = need->config; c && c[0]; c += 2)
        if (strcmp(c[0], name) == 0)
            return c[1];
    return NULL;
}

/* Retention: only the state log is the sole copy of something; how long dead letters stay is a
 * matter of taste. Sizes: batches fit a broker's default, a state at its hard limit needs more. */
static enum sc_severity severity_of(size_t rule, const struct sc_topic_need *need, const char *seen,
                                    const char *want)
{
    if (strcmp(rules[rule].name, "max.message.bytes") == 0)
        return atoll(seen) < DEFAULT_MESSAGE_BYTES ? SC_ERROR : SC_WARNING;
    if (strcmp(rules[rule].name, "retention.ms") != 0)
        return SC_ERROR;
    if (!need->exact)
        return SC_NOTE;
    return strcmp(want, "-1") == 0 ? SC_ERROR : SC_WARNING;
}

static void check_setting(struct check *ck, const struct sc_topic_need *need, size_t rule,
                          const char *seen, const char *want)
{
    bool fits = rules[rule].at_least ? (uint64_t)atoll(seen) >= (uint64_t)atoll(want)
                                     : strcmp(seen, want) == 0;
    if (fits)
        return;
    enum sc_severity severity = severity_of(rule, need, seen, want);
    struct sc_finding *f = sc_diag_add(
        ck->dg, severity, "topic-setting", need->mark, "topic %s (%s) has %s=%s: it %s be %s%s, %s",
        need->name, need->what, rules[rule].name, seen, severity == SC_ERROR ? "must" : "should",
        want, rules[rule].at_least && strcmp(want, "-1") != 0 ? " or more" : "", rules[rule].why);
    f->hint = sc_str_printf(ck->dg->ar, "alter the topic: kafka-configs --alter --entity-type "
                            "topics --entity-name %s --add-config %s=%s", need->name,
                            rules[rule].name, want);
}

static void check_replicas(struct check *ck, const struct sc_topic_need *need,
                           const struct sc_kafka_settings_of *of, int replicas)
{
    const char *insync = sc_kafka_setting(of, "min.insync.replicas");
    const char *unclean = sc_kafka_setting(of, "unclean.leader.election.enable");
    int min = insync ? atoi(insync) : 1;
    if (min > replicas)
        sc_diag_add(ck->dg, SC_ERROR, "few-replicas", need->mark,
                    "topic %s (%s) has %d replicas and min.insync.replicas=%d: nothing can be "
                    "written to it", need->name, need->what, replicas, min)
            ->hint = SC_STR("add replicas, or lower min.insync.replicas");
    if (!need->exact || ck->n_brokers < 2)
        return; /* one broker is for trying out */
    if (replicas < 2 || min < 2)
        sc_diag_add(ck->dg, SC_WARNING, "few-replicas", need->mark,
                    "topic %s (%s) has %d replicas and min.insync.replicas=%d: the loss of one "
                    "broker can lose what was committed", need->name, need->what, replicas, min)
            ->hint = SC_STR("three replicas and min.insync.replicas=2 survive it");
    if (unclean && strcmp(unclean, "true") == 0)
        sc_diag_add(ck->dg, SC_WARNING, "unclean-election", need->mark,
                    "topic %s (%s) allows unclean leader election: a leader that lags loses what "
                    "was committed", need->name, need->what)
            ->hint = SC_STR("set unclean.leader.election.enable=false on it");
}

static void check_partitions(struct check *ck, const struct sc_topic_need *need, int partitions)
{
    if (!need->exact || partitions == need->partitions)
        return;
    sc_diag_add(ck->dg, SC_ERROR, "partition-count", need->partitions_mark,
                "topic %s (%s) has %d partitions, the settings say %d: a customer's place follows "
                "from that number, so it cannot change", need->name, need->what, partitions,
                need->partitions)
        ->hint = sc_str_printf(ck->dg->ar, "set journal.partitions to %d, or name a new topic",
                               partitions);
}

static void check_missing(struct check *ck, const struct sc_topic_need *need)
{
    if (sc_kafka_is_hidden(ck->ad->cfg, need->name))
        sc_diag_add(ck->dg, SC_ERROR, "no-right", need->mark,
                    "this login may not see topic %s (%s), if there is one", need->name,
                    need->what)
            ->hint = SC_STR("give it the rights on it that docs/operations.md names");
    else if (need->create)
        sc_diag_add(ck->dg, SC_NOTE, "no-topic", need->mark,
                    "topic %s (%s) does not exist yet: the first start makes it", need->name,
                    need->what);
    else
        sc_diag_add(ck->dg, SC_ERROR, "no-topic", need->mark,
                    "topic %s (%s) does not exist: create it, or correct its name", need->name,
                    need->what);
}

static void check_topic(struct check *ck, const struct rd_kafka_metadata *md,
                        const struct sc_topic_need *need)
{
    const struct rd_kafka_metadata_topic *t = sc_kafka_topic_of(md, need->name);
    struct sc_kafka_settings_of of;
    if (t == NULL) {
        check_missing(ck, need);
        return;
    }
    check_partitions(ck, need, t->partition_cnt);
    if (!need->create)
        return; /* a source is read: how it is kept is not ours */
    sc_kafka_admin_settings(ck->ad, RD_KAFKA_RESOURCE_TOPIC, need->name, &of);
    for (size_t i = 0; i < RULES; i++) {
        const char *seen = sc_kafka_setting(&of, rules[i].name);
        const char *want = wanted(need, rules[i].name);
        if (seen && want)
            check_setting(ck, need, i, seen, want);
    }
    if (of.n)
        check_replicas(ck, need, &of, t->partition_cnt ? t->partitions[0].replica_cnt : 0);
    else
        sc_diag_add(ck->dg, SC_WARNING, "unseen-settings", need->mark,
                    "the settings of topic %s (%s) cannot be asked: %s", need->name, need->what,
                    of.why)
            ->hint = SC_STR("give this login DescribeConfigs on it");
    if (of.ev)
        rd_kafka_event_destroy(of.ev);
}

/* Topics just made are not known to every broker at once: a source that is missing gets a moment. */
static void await_sources(struct sc_kafka_admin *ad, const struct sc_kafka_needs *needs)
{
    for (int tries = 0; tries < SOURCE_TRIES; tries++) {
        const struct rd_kafka_metadata *md;
        bool all = true;
        if (rd_kafka_metadata(ad->rk, 1, NULL, &md, SC_ADMIN_ASK_MS))
            return;
        for (uint32_t i = 0; i < needs->n; i++)
            all = all && (needs->topics[i].create ||
                          sc_kafka_topic_of(md, needs->topics[i].name));
        rd_kafka_metadata_destroy(md);
        if (all)
            return;
        struct timespec pause = {0, SOURCE_PAUSE_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
}

enum sc_err sc_kafka_findings(struct sc_kafka_admin *ad, const struct sc_kafka_needs *needs,
                              struct sc_diag *dg)
{
    struct check ck = {.ad = ad, .dg = dg, .brokers = mark_of(ad->cfg->settings->brokers_at)};
    const struct rd_kafka_metadata *md;
    await_sources(ad, needs);
    if (rd_kafka_metadata(ad->rk, 1, NULL, &md, SC_ADMIN_ASK_MS))
        return SC_ERR_TIMEOUT;
    ck.n_brokers = md->broker_cnt;
    if (md->broker_cnt)
        check_broker(&ck, md->brokers[0].id);
    for (uint32_t i = 0; i < needs->n; i++)
        check_topic(&ck, md, &needs->topics[i]);
    if (needs->logins)
        sc_kafka_rights(ad, needs, md, dg);
    rd_kafka_metadata_destroy(md);
    return SC_ERR_OK;
}

void sc_kafka_check(const struct sc_kafka_config *cfg, const struct sc_kafka_needs *needs,
                    struct sc_diag *dg)
{
    struct sc_kafka_admin ad;
    struct sc_buf text = {0};
    struct sc_mark at = mark_of(cfg->settings->brokers_at);
    const char *why = SC_KAFKA_REFUSED;
    enum sc_err e = SC_ERR_CONFIG;
    if (sc_kafka_admin_open(&ad, cfg)) {
        e = sc_kafka_admin_reach(&ad, &why);
        if (e == SC_ERR_AUTH)
            sc_kafka_admin_refusal(&ad, &text);
    }
    if (e == SC_ERR_OK && (e = sc_kafka_findings(&ad, needs, dg)) != SC_ERR_OK)
        why = "it stopped answering";
    if (e == SC_ERR_AUTH)
        sc_diag_add(dg, SC_ERROR, "login", cfg->settings->sasl.at ? cfg->settings->sasl.at->mark : at,
                    "%.*s", (int)text.len, text.p);
    else if (e != SC_ERR_OK)
        sc_diag_add(dg, SC_ERROR, "no-broker", at, "no broker can be asked: %s", why)
            ->hint = SC_STR("check kafka.brokers, kafka.tls and kafka.properties");
    sc_kafka_admin_close(&ad);
    sc_buf_fini(&text);
}
