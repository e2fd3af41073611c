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

enum sc_ident { SC_IDENT_OK, SC_IDENT_BLOCKED, SC_IDENT_TOO_LONG };
/* Normalise `raw` in namespace `ns` into `out` (value from ar), and make its node. */
enum sc_ident sc_identify(struct sc_pseudonyms *ps, uint8_t ns, struct sc_str raw,
                          struct sc_arena *ar, struct sc_identifier *out);
/* The same in two steps: what the second one reads is on its way between them, so whoever has other
 * records to look at meanwhile does not wait for it. Until then `out->node` is no node. */
enum sc_ident sc_identify_begin(struct sc_pseudonyms *ps, uint8_t ns, struct sc_str raw,
                                struct sc_arena *ar, struct sc_identifier *out);
void sc_identify_end(struct sc_pseudonyms *ps, struct sc_identifier *id);
/* The node of a normalised value. */
struct sc_node_id sc_pseudonym(struct sc_pseudonyms *ps, uint8_t ns, struct sc_str value);

/* Put an identifier in its place by node. Repeats are left out; past SC_IDENTIFIERS_MAX the weakest
 * goes and is counted in ev->ids_demoted. */
void sc_identifiers_add(struct sc_event *ev, const struct sc_identifier *id);
/* The same in two steps, of an identifier that was begun: all of an event's are ended and put in
 * their places by sc_identifiers_end. Until then ev->ids_begun of them stand as they came. */
void sc_identifiers_begin(struct sc_pseudonyms *ps, struct sc_event *ev,
                          const struct sc_identifier *begun);
void sc_identifiers_end(struct sc_pseudonyms *ps, struct sc_event *ev);

/* What a namespace's `normalize` makes of a value, in `ar` or borrowed:
 *   trim   without white space around it (ASCII)
 *   lower  also ASCII capitals as small letters (other scripts stay as they are)
 *   email  as lower; the mailbox's own rules (dots, +tags) are not guessed at, and text that is no
 *          address stays what it is
 *   e164   the digits, behind a `+` when the number is written internationally (+47…, 0047…),
 *          without the `(0)` some write into those; a national number keeps its digits alone.
 *          Empty, so that it joins nobody, when there is anything else in it or over 15 digits
 *   none   as it is */
struct sc_str sc_normalize(enum sc_normalize how, struct sc_str raw, struct sc_arena *ar);
/* Placeholders that join nobody (semantics 3); `value` trimmed or normalised, any case. */
bool sc_identifier_blocked(const struct sc_namespace *ns, struct sc_str value);
/* Build ns->blocked and allow_zeros from the built-in list, `blocked` and `allow`. */
void sc_blocked_init(struct sc_namespace *ns, struct sc_arena *ar);

/* The one IANA zone of the country a `+` number belongs to; empty for national numbers, unknown
 * prefixes and countries with more than one zone. */
struct sc_str sc_phone_zone(struct sc_str e164);

/* 32 lower-case hex digits, and back (false: not a node). */
void sc_node_hex(const struct sc_node_id *n, char out[32]);
bool sc_node_parse_hex(struct sc_str s, struct sc_node_id *out);
/* Journal partition: xxh64(node) mod P. */
uint32_t sc_node_partition(const struct sc_node_id *n, uint32_t partitions);

#endif
