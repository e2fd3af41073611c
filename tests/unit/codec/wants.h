/* For the tests of decoders: projections written as text, values read back as text. */
#ifndef SC_TEST_WANTS_H
#define SC_TEST_WANTS_H

#include "codec/decoder.h"

#include <stdint.h>

/* A projection of the paths named, separated by spaces: "$.a $.b[*].c[0] count($.d) text($.e)".
 * Ops: count sum min max first any; `text` sets sc_want.text. */
struct sc_projection wants(struct sc_arena *ar, const char *paths);

/* Values as JSON would write them, with types that JSON lacks spelled out: 12.5d a decimal, 1e300f a
 * double, 7u a uint, absent, bytes:<hex>, time:<ms>+<ns>, duration:<ms>+<ns>. */
const char *value_text(struct sc_arena *ar, struct sc_value v);

/* Decode and join the slots' texts by a space; "!label path" when the record is dropped. */
const char *decode_text(const struct sc_decoder *d, struct sc_str body, struct sc_arena *ar);

/* A small generator with a seed: xorshift64*. */
struct rng {
    uint64_t s;
};
uint64_t rng_next(struct rng *r);
/* 0 .. below-1 */
unsigned rng_below(struct rng *r, unsigned below);

/* The bytes "0a ff …" spell; blanks are skipped. */
struct sc_str from_hex(struct sc_arena *ar, const char *hex);

#endif
