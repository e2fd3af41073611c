/* Hashes, each with the place that fixes it. None is secret-keyed: see hmac.h. */
#ifndef SC_BASE_HASH_H
#define SC_BASE_HASH_H

#include "base/str.h"

/* XXH64, seed 0: journal partition of a customer (docs/formats.md), never to be changed. */
uint64_t sc_hash_xxh64(const void *p, size_t n);
/* XXH3 64 bit with a seed: ids of effects, dedupe, tables. */
uint64_t sc_hash_xxh3(const void *p, size_t n, uint64_t seed);
/* XXH3 128 bit, big-endian bytes into out. */
void sc_hash_xxh3_128(const void *p, size_t n, uint8_t out[16]);
/* 32-bit hash of a name (events, properties, facts) as it stands in frames and states. */
uint32_t sc_hash_name(struct sc_str name);
/* CRC-32C (Castagnoli): frames and offset metadata. */
uint32_t sc_hash_crc32c(const void *p, size_t n);
/* The same without the machine's instruction. */
uint32_t sc_hash_crc32c_portable(const void *p, size_t n);
/* murmur2 as in Kafka's default partitioner (org.apache.kafka.common.utils.Utils#murmur2). */
int32_t sc_hash_murmur2(const void *p, size_t n);
/* Partition a Java producer would choose for `key` (not NULL). */
int32_t sc_hash_java_partition(struct sc_str key, int32_t partitions);

#endif
