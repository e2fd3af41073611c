/* Decimals as Avro and confluent.type.Decimal write them: big-endian two's complement units. */
#ifndef SC_CODEC_DECIMAL_BYTES_H
#define SC_CODEC_DECIMAL_BYTES_H

#include "core/value.h"

#define SC_DECIMAL_BYTES_SCALE 1000u

/* DECIMAL when it fits 18 digits exactly (zeros at the end do not count), else STRING with all its
 * digits, in the arena. False past 127 bits or a scale over SC_DECIMAL_BYTES_SCALE. */
bool sc_decimal_bytes(struct sc_str bytes, uint32_t scale, struct sc_arena *ar,
                      struct sc_value *out);

#endif
