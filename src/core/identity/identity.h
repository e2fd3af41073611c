/* Identifiers to nodes: normalise, block, make a pseudonym.
 *
 * Raw values stop here: what goes on is the node. A small cache (keyed by SipHash, since hostile
 * input fills it) keeps the nodes of values seen lately. Source: semantics 2, 3, 10c. */
#ifndef SC_CORE_IDENTITY_H
#define SC_CORE_IDENTITY_H

#include "core/event.h"
#include "core/taxonomy/taxonomy.h"

struct sc_hmac;
struct sc_pseudonyms;

/* One a thread. `key` is the secret, `version` 0..15 the key version (stored as 15 - version in the
 * node's high bits, so that the newest is the smallest). */
struct sc_pseudonyms *sc_pseudonyms_create(const struct sc_taxonomy *tx, struct sc_str key,
                                           uint8_t version, size_t cache_entries);
void sc_pseudonyms_destroy(struct sc_pseudonyms *ps);

enum sc_ident { SC_IDENT_OK, SC_IDENT_ABSENT, SC_IDENT_BLOCKED };
/* Normalise `raw` in namespace `ns` into `out` (value from ar). */
enum sc_ident sc_identify(struct sc_pseudonyms *ps, uint8_t ns, struct sc_str raw,
                          struct sc_arena *ar, struct sc_identifier *out);
/* The node of a normalised value. */
struct sc_node_id sc_pseudonym(struct sc_pseudonyms *ps, uint8_t ns, struct sc_str value);
/* Put identifiers in order of their nodes, without repeats; the weakest past the maximum go. */
void sc_identifiers_sort(struct sc_event *ev);

/* 32 lower-case hex digits, and back (false: not a node). */
void sc_node_hex(const struct sc_node_id *n, char out[32]);
bool sc_node_parse_hex(struct sc_str s, struct sc_node_id *out);
/* Journal partition: xxh64(node) mod P. */
uint32_t sc_node_partition(const struct sc_node_id *n, uint32_t partitions);

#endif
