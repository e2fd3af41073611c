/* What a login may do, asked by requests that the brokers must refuse whatever it may do. A broker
 * looks at rights before anything else, so which of the two it refuses for is the answer, and
 * nothing is written, joined or fenced by asking:
 *
 *   write a topic      a message with acks=2, which no broker takes: INVALID_REQUIRED_ACKS
 *   read a topic, and  an offset committed for a partition that is not there:
 *   use a group        UNKNOWN_TOPIC_OR_PART, without a look at the group's members
 *   transactional id   a transaction of 24 days, which no broker allows: INVALID_TRANSACTION_TIMEOUT
 *                      before the id is looked up, so that its owner is not fenced
 *
 * (Kafka 4.1 was asked; the order is the same since 2.5.) Only a refusal for want of a right is a
 * finding: whatever else goes wrong here shows where it matters. */
#include "kafka/admin.h"

#include "base/assert.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_PARTITION INT32_MAX
#define LONGEST "2147483647" /* ms, the client's bound: where even that is allowed it is not asked */
#define LONGEST_MS INT32_MAX
#define PROBE_MS 5000
#define POLL_MS 100

struct rights {
    const struct sc_kafka_config *cfg;
    const struct sc_kafka_needs *needs;
    const struct rd_kafka_metadata *md;
    struct sc_diag *dg;
    const char *principal; /* for the commands of hints */
};

/* A refusal is what is hoped for: the client need not tell the log of it. */
static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *buf)
{
    (void)rk, (void)level, (void)fac, (void)buf;
}

/* A client with `own` over the user's properties. */
static rd_kafka_t *client(const struct rights *rt, bool producer, const struct sc_conf_pair *own,
                          void (*on_delivery)(rd_kafka_t *, const rd_kafka_message_t *, void *))
{
    static const struct sc_conf_pair pairs[] = {{"client.id", "stagecoach-admin"}, {NULL, NULL}};
    rd_kafka_conf_t *conf = sc_kafka_conf(rt->cfg, producer, pairs);
    for (; conf && own->name; own++) {
        rd_kafka_conf_res_t res = rd_kafka_conf_set(conf, own->name, own->value, NULL, 0);
        SC_ASSERT(res == RD_KAFKA_CONF_OK); /* constants, and names of our own making */
    }
    if (conf)
        rd_kafka_conf_set_log_cb(conf, on_log);
    if (conf && on_delivery)
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    return sc_kafka_handle(producer, conf);
}

/* "kafka-acls --add …": the command that gives the right. */
static struct sc_str command(const struct rights *rt, const char *operation, const char *option,
                             const char *name)
{
    return sc_str_printf(rt->dg->ar, "give it that right: kafka-acls --add --allow-principal User:%s "
                         "--operation %s --%s %s", rt->principal, operation, option, name);
}

static void lacks(const struct rights *rt, const struct sc_topic_need *need, bool write)
{
    sc_diag_add(rt->dg, SC_ERROR, "no-right", need->mark, "this login may not %s topic %s (%s)",
                write ? "write to" : "read", need->name, need->what)
        ->hint = command(rt, write ? "Write" : "Read", "topic", need->name);
}

/* Does a role that is run write to it? One that is not seen is not asked for: some brokers make a
 * topic that a producer names. */
static bool is_written(const struct rights *rt, const struct sc_topic_need *need)
{
    for (unsigned role = 0; role < SC_KAFKA_ROLES; role++)
        if (rt->needs->logins[role].group && (need->writers & 1U << role))
            return sc_kafka_topic_of(rt->md, need->name) != NULL;
    return false;
}

/* ---- topics that are written */

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk, (void)opaque;
    *(rd_kafka_resp_err_t *)m->_private = m->err;
}

static void ask_writes(const struct rights *rt)
{
    static const struct sc_conf_pair own[] = {
        {"acks", "2"}, {"message.timeout.ms", "4000"}, {"retries", "0"}, {NULL, NULL}};
    rd_kafka_t *rk = client(rt, true, own, on_delivery);
    if (rk == NULL)
        return;
    rd_kafka_resp_err_t *said = sc_calloc(rt->needs->n + 1, sizeof(*said));
    char value[] = "?";
    for (uint32_t i = 0; i < rt->needs->n; i++) {
        const struct sc_topic_need *need = &rt->needs->topics[i];
        rd_kafka_topic_t *t =
            is_written(rt, need) ? rd_kafka_topic_new(rk, need->name, NULL) : NULL;
        if (t) {
            rd_kafka_produce(t, 0, RD_KAFKA_MSG_F_COPY, value, 1, NULL, 0, &said[i]);
            rd_kafka_topic_destroy(t);
        }
    }
    rd_kafka_flush(rk, PROBE_MS);
    rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(rk, PROBE_MS);
    rd_kafka_destroy(rk);
    for (uint32_t i = 0; i < rt->needs->n; i++)
        if (said[i] == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
            lacks(rt, &rt->needs->topics[i], true);
    free(said);
}

/* ---- groups, and topics that are read */

/* Does the group's coordinator talk to us? Without the right to describe the group there is none,
 * which is said on the side. (A commit that waits for one would hold the client's end up for 45 s.) */
static rd_kafka_resp_err_t meet(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int waited = 0; e == RD_KAFKA_RESP_ERR__TIMED_OUT && waited < PROBE_MS;
         waited += POLL_MS) {
        rd_kafka_topic_partition_list_t *asked = rd_kafka_topic_partition_list_copy(list);
        e = rd_kafka_committed(rk, asked, POLL_MS);
        rd_kafka_topic_partition_list_destroy(asked);
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 0);
        if (m && m->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
            e = m->err;
        if (m)
            rd_kafka_message_destroy(m);
    }
    return e;
}

/* The group's refusal, or each topic's in `list`. */
static rd_kafka_resp_err_t commit(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t e = meet(rk, list);
    if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
        return e;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_commit_queue(rk, list, queue, NULL, NULL);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(queue, PROBE_MS);
    e = ev ? rd_kafka_event_error(ev) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    const rd_kafka_topic_partition_list_t *answers =
        ev ? rd_kafka_event_topic_partition_list(ev) : NULL;
    for (int i = 0; answers && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *tp = rd_kafka_topic_partition_list_find(
            answers, list->elems[i].topic, NO_PARTITION);
        list->elems[i].err = tp ? tp->err : RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (ev)
        rd_kafka_event_destroy(ev);
    rd_kafka_queue_destroy(queue);
    return e;
}

static void ask_reads(const struct rights *rt, unsigned role)
{
    const struct sc_kafka_login *as = &rt->needs->logins[role];
    const struct sc_conf_pair own[] = {{"group.id", as->group}, {NULL, NULL}};
    rd_kafka_t *rk = client(rt, false, own, NULL);
    if (rk == NULL)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    for (uint32_t i = 0; i < rt->needs->n; i++)
        if (rt->needs->topics[i].readers & 1U << role) /* hidden ones too: the group is asked for */
            rd_kafka_topic_partition_list_add(list, rt->needs->topics[i].name, NO_PARTITION)
                ->offset = 0;
    rd_kafka_poll_set_consumer(rk);
    if (commit(rk, list) == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        sc_diag_add(rt->dg, SC_ERROR, "no-right", as->mark,
                    "this login may not use the consumer group %s", as->group)
            ->hint = command(rt, "Read", "group", as->group);
    for (uint32_t i = 0; i < rt->needs->n; i++) {
        const struct sc_topic_need *need = &rt->needs->topics[i];
        const rd_kafka_topic_partition_t *tp =
            rd_kafka_topic_partition_list_find(list, need->name, NO_PARTITION);
        if (tp && tp->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED &&
            sc_kafka_topic_of(rt->md, need->name))
            lacks(rt, need, false);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

bool sc_kafka_is_hidden(const struct sc_kafka_config *cfg, const char *topic)
{
    static const struct sc_conf_pair own[] = {{"group.id", "-"}, {NULL, NULL}};
    const struct rights rt = {.cfg = cfg};
    const struct rd_kafka_metadata *md;
    bool hidden = false;
    rd_kafka_t *rk = client(&rt, false, own, NULL); /* a consumer's asking makes no topic */
    rd_kafka_topic_t *t = rk ? rd_kafka_topic_new(rk, topic, NULL) : NULL;
    if (t && rd_kafka_metadata(rk, 0, t, &md, SC_ADMIN_ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        hidden = md->topic_cnt == 1 &&
                 md->topics[0].err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
        rd_kafka_metadata_destroy(md);
    }
    if (t)
        rd_kafka_topic_destroy(t);
    if (rk)
        rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return hidden;
}

/* ---- transactional ids */

/* What all ids of this deployment begin with: a long one is cut and closed by a hash. */
static int common(const char *writer, struct sc_str group)
{
    uint32_t n = 0;
    while (n < group.len && writer[n] == group.p[n])
        n++;
    return (int)(n == group.len ? n + 1 : n); /* the dash behind it */
}

static void ask_writer(const struct rights *rt, const struct sc_kafka_login *as)
{
    const struct sc_conf_pair own[] = {
        {"transactional.id", as->writer}, {"transaction.timeout.ms", LONGEST}, {NULL, NULL}};
    rd_kafka_t *rk = client(rt, true, own, NULL);
    if (rk == NULL)
        return;
    rd_kafka_error_t *error = rd_kafka_init_transactions(rk, PROBE_MS);
    if (error && rd_kafka_error_code(error) ==
                     RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
        sc_diag_add(rt->dg, SC_ERROR, "no-right", as->mark,
                    "this login may not use the transactional id %s", as->writer)
            ->hint = sc_str_printf(
                rt->dg->ar, "give it that right: kafka-acls --add --allow-principal User:%s "
                "--operation Write --transactional-id %.*s --resource-pattern-type prefixed",
                rt->principal, common(as->writer, rt->cfg->settings->group), as->writer);
    if (error)
        rd_kafka_error_destroy(error);
    rd_kafka_destroy(rk);
}

void sc_kafka_rights(const struct sc_kafka_admin *ad, const struct sc_kafka_needs *needs,
                     const struct rd_kafka_metadata *md, struct sc_diag *dg)
{
    SC_ASSERT(needs->logins);
    const struct sc_sasl_settings *sasl = &ad->cfg->settings->sasl;
    struct rights rt = {ad->cfg, needs, md, dg, "…"};
    if (sasl->at)
        rt.principal = sc_str_dup(dg->ar, sasl->username).p;
    ask_writes(&rt);
    for (unsigned role = 0; role < SC_KAFKA_ROLES; role++) {
        if (needs->logins[role].group == NULL)
            continue;
        ask_reads(&rt, role);
        if (ad->txn_max_ms < LONGEST_MS)
            ask_writer(&rt, &needs->logins[role]);
    }
}
