/* See ends.h. */
#include "kafka/ends.h"

rd_kafka_resp_err_t sc_kafka_offset_at(rd_kafka_t *rk, const char *topic, int32_t partition,
                                       int64_t at, int timeout_ms, int64_t *offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = at;
    rd_kafka_resp_err_t e = rd_kafka_offsets_for_times(rk, list, timeout_ms);
    if (!e)
        e = list->elems[0].err;
    *offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return e;
}
