/* Asking a cluster what it is like: one client without a group, which changes nothing by itself.
 *
 * Which protocol a broker speaks is asked by the client at each connection and told to nobody but
 * its log (debug=feature), so that is where it is read: it holds behind TLS and SASL, and needs no
 * right on the cluster. Thread: the owner's; the log's lines come from the client's threads. */
#ifndef SC_KAFKA_ADMIN_H
#define SC_KAFKA_ADMIN_H

#include "kafka/conf.h"

#define SC_ADMIN_ASK_MS 5000
#define SC_ADMIN_ANSWER_MS 15000

struct sc_kafka_admin {
    const struct sc_kafka_config *cfg;
    rd_kafka_t *rk;
    char last_error[256]; /* what the client said last */
    rd_kafka_resp_err_t auth_code; /* a refusal is final; "all brokers down" comes after it */
    char auth_error[256];
    _Atomic bool heard;       /* some broker said what it speaks */
    _Atomic int txn_offsets;  /* least of the brokers' newest TxnOffsetCommit; -1: not at all */
    int64_t txn_max_ms;       /* the longest transaction allowed; 0: not known */
};

/* False when the settings are refused by the client: the reason is logged. */
bool sc_kafka_admin_open(struct sc_kafka_admin *ad, const struct sc_kafka_config *cfg);
void sc_kafka_admin_close(struct sc_kafka_admin *ad);
/* Does some broker answer? One try. OK; AUTH; UNAVAILABLE with the reason in *why (borrowed). */
enum sc_err sc_kafka_admin_reach(struct sc_kafka_admin *ad, const char **why);
/* The sentence about a login refused, with what to do. */
void sc_kafka_admin_refusal(const struct sc_kafka_admin *ad, struct sc_buf *out);

/* The settings of a topic or broker; NULL event when they cannot be had, `why` says so. Values
 * borrow from the event, which the caller destroys. */
struct sc_kafka_settings_of {
    rd_kafka_event_t *ev;
    const rd_kafka_ConfigEntry_t **entries;
    size_t n;
    char why[256];
};
void sc_kafka_admin_settings(struct sc_kafka_admin *ad, rd_kafka_ResourceType_t type,
                             const char *name, struct sc_kafka_settings_of *out);
/* NULL: there is no such setting. */
const char *sc_kafka_setting(const struct sc_kafka_settings_of *of, const char *name);

/* check.c: everything but whether some broker answers. TIMEOUT: it stopped answering. */
enum sc_err sc_kafka_findings(struct sc_kafka_admin *ad, const struct sc_kafka_needs *needs,
                              struct sc_diag *dg);
/* rights.c: what this login may not do with what `md` lists, its groups and ids. */
void sc_kafka_rights(const struct sc_kafka_admin *ad, const struct sc_kafka_needs *needs,
                     const struct rd_kafka_metadata *md, struct sc_diag *dg);
/* A topic that the brokers do not list: is it there, but not for this login? */
bool sc_kafka_is_hidden(const struct sc_kafka_config *cfg, const char *topic);
/* NULL: the brokers have no such topic, or do not show it to this login. */
const struct rd_kafka_metadata_topic *sc_kafka_topic_of(const struct rd_kafka_metadata *md,
                                                        const char *name);

#endif
