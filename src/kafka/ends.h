/* Where a partition begins, ends, or is at a time, asked of the broker. The client's own call for the
 * first two, rd_kafka_query_watermark_offsets, waits for a broker that is away as long as it is away,
 * whatever it was given as the timeout (2.0.2). */
#ifndef SC_KAFKA_ENDS_H
#define SC_KAFKA_ENDS_H

#include <librdkafka/rdkafka.h>

/* `at`: RD_KAFKA_OFFSET_BEGINNING, RD_KAFKA_OFFSET_END (by the handle's isolation level: behind the last
 * record, or behind the last that is committed), or a time in ms, of which the first record at or
 * after it is meant (*offset < 0: there is none). Waits for at most timeout_ms; after an error *offset
 * says nothing. Thread: any. */
rd_kafka_resp_err_t sc_kafka_offset_at(rd_kafka_t *rk, const char *topic, int32_t partition,
                                       int64_t at, int timeout_ms, int64_t *offset);

#endif
