/* Client configuration: ours, then the user's `kafka.properties` on top. What would break the
 * protocol is refused where the settings are loaded (config/settings.c). */
#ifndef SC_KAFKA_CONF_H
#define SC_KAFKA_CONF_H

#include "kafka/kafka.h"
#include <librdkafka/rdkafka.h>

struct sc_conf_pair {
    const char *name, *value;
};

/* A new configuration with brokers, security and `pairs` (NULL-ended). NULL with the reason logged.
 * Consumers and producers take each other's properties as unknown: `producer` says which is it. */
rd_kafka_conf_t *sc_kafka_conf(const struct sc_kafka_config *cfg, bool producer,
                               const struct sc_conf_pair *pairs);
/* Create the handle; takes conf. NULL with the reason logged. */
rd_kafka_t *sc_kafka_handle(bool producer, rd_kafka_conf_t *conf);

/* Why there is no handle, for who reads no log. */
#define SC_KAFKA_REFUSED "the client refuses what the settings say of kafka"

#endif
