/* The one table of the client's signals: what an error object asks for. Keyed on its three flags,
 * never on codes. Source: reliability.md "Errors of the client, in one table in the code". */
#ifndef SC_KAFKA_SIGNAL_H
#define SC_KAFKA_SIGNAL_H

#include "base/err.h"
#include <librdkafka/rdkafka.h>

enum sc_signal {
    SC_SIGNAL_OK,
    SC_SIGNAL_RETRY,  /* the same call again, until the transaction's timeout */
    SC_SIGNAL_ABORT,  /* abort, rewind, acquire */
    SC_SIGNAL_RENEW   /* destroy both clients; the outcome is read back, never guessed */
};

/* Consumes `error` (NULL: OK). Logs what is not OK with the name of the call. */
enum sc_signal sc_kafka_signal(rd_kafka_error_t *error, const char *call);

/* Taint: a producer whose EndTxn went out more than once, or one of whose transactional requests
 * timed out: its late twin may hit the next transaction (KAFKA-17754). Seen by interceptors. */
struct sc_taint {
    _Atomic int end_txns; /* sent since the last begin */
    _Atomic int tainted;
};
/* Install on a producer's configuration; `taint` must outlive the client. */
void sc_taint_watch(rd_kafka_conf_t *conf, struct sc_taint *taint);

#endif
